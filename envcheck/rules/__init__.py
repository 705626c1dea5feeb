"""The law: one folder a rung, one file a question.  Pure; every file that asks is listed here, in ladder order."""

from __future__ import annotations

from envcheck.judge import Question, RuleType

from . import (
    cuda_driver,
    cuda_libraries,
    declared,
    device_nodes,
    hardware,
    kernel_module,
    numerics,
    nvml,
    policy,
    python,
    speed,
    torch_build,
    torch_runtime,
)

QUESTIONS: tuple[Question, ...] = (
    *hardware.QUESTIONS,
    *kernel_module.QUESTIONS,
    *device_nodes.QUESTIONS,
    *nvml.QUESTIONS,
    *cuda_driver.QUESTIONS,
    *cuda_libraries.QUESTIONS,
    *torch_build.QUESTIONS,
    *torch_runtime.QUESTIONS,
    *python.QUESTIONS,
    *numerics.QUESTIONS,
    *speed.QUESTIONS,
    *policy.QUESTIONS,
    *declared.QUESTIONS,
)

RULES: tuple[RuleType, ...] = tuple(rule for question in QUESTIONS for rule in question.rules)


def find(name_or_code: str) -> RuleType | None:
    """The rule of that name or code (any case), or ``None``."""
    wanted = name_or_code.strip().lower()
    return next((rule for rule in RULES if wanted in (rule.name, rule.code.lower())), None)

"""Questions of the rung torch_runtime."""

from envcheck.judge import Question

from . import allocator, distributed, nvml_check

QUESTIONS: tuple[Question, ...] = (
    allocator.is_the_allocator_setting_valid,
    nvml_check.is_the_check_weakened,
    distributed.why_did_the_job_fail,
)

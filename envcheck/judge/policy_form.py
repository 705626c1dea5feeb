"""A policy as people write it: the tables of TOML and their JSON Schema.

Unset keys are told apart from empty ones, so that files and profiles can be laid over each other.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, UnsetType

from .policy import Unknowns
from .profiles import PROFILES
from .rule import Severity

Number = str | int | float
Spec = Annotated[str, Meta(description="PEP 440 specifier, such as '>=2.9,<2.15'; '' lifts the requirement")]
Bound = Annotated[Number, Meta(description="a number (at least so many), or bounds such as '>=1,<=8'; '' lifts it")]


class Form(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of the policy's tables."""


class IgnoreForm(Form, frozen=True, kw_only=True):
    """A finding that is accepted: which rule, and why."""

    rule: Annotated[str, Meta(description="name or code of the rule")]
    reason: Annotated[str, Meta(description="why it is accepted; shown in every report", pattern=r"\S")]
    subject: Annotated[str, Meta(description="only there: 'gpu:GPU-...', 'env:/path'")] = ""
    until: Annotated[date | None, Meta(description="the last day on which the exception holds")] = None


class RequireForm(Form, frozen=True, kw_only=True):
    """What must be there.  Required and not known is not fulfilled: exit code 3."""

    python: Spec | UnsetType = UNSET
    torch: Spec | UnsetType = UNSET
    torch_cuda: (
        Annotated[list[str] | str, Meta(description="CUDA of the torch build, any of them: '12.6', '13', 'cpu'")]
        | UnsetType
    ) = UNSET
    driver: Spec | UnsetType = UNSET
    gpus: Annotated[Bound, Meta(title="devices that CUDA offers")] | UnsetType = UNSET
    compute_capability: Annotated[Bound, Meta(title="of every GPU that CUDA offers: '>=8.0'")] | UnsetType = UNSET
    gpu_memory_gib: Annotated[Bound, Meta(title="of every GPU that CUDA offers, as CUDA states it")] | UnsetType = UNSET
    shm_mib: Annotated[Bound, Meta(title="size of /dev/shm")] | UnsetType = UNSET
    packages: dict[str, Spec] | UnsetType = UNSET
    env: (
        Annotated[
            dict[str, str] | list[str], Meta(description="variables that must be set, to a value where one is given")
        ]
        | UnsetType
    ) = UNSET


class ForbidForm(Form, frozen=True, kw_only=True):
    """What must not be there."""

    packages: list[str] | UnsetType = UNSET
    env: list[str] | UnsetType = UNSET


class BenchForm(Form, frozen=True, kw_only=True):
    """How fast it must be.  A floor makes preflight run the benchmark."""

    run: Annotated[bool, Meta(description="run the benchmark even without a floor")] | UnsetType = UNSET
    min_ratio_to_ceiling: (
        Annotated[float, Meta(description="least fraction of the ceiling measured in the same run", ge=0, le=1)]
        | UnsetType
    ) = UNSET
    min_ratio_to_peak: (
        Annotated[float, Meta(description="least fraction of the card's theoretical peak", ge=0, le=1)] | UnsetType
    ) = UNSET


class PolicyForm(Form, frozen=True, kw_only=True):
    """The whole policy: ``[tool.envcheck]`` of pyproject.toml, or the top of envcheck.toml."""

    extends: Annotated[str, Meta(description=f"a profile to start from: {', '.join(PROFILES)}")] | UnsetType = UNSET
    fail_on: Annotated[Severity, Meta(description="the least severity that makes a machine unfit")] | UnsetType = UNSET
    unknown: (
        Annotated[
            Unknowns, Meta(description="unknowns beside what is required: warn counts the essential, fail all errors")
        ]
        | UnsetType
    ) = UNSET
    pedantic: Annotated[bool, Meta(description="ask the heuristic rules too")] | UnsetType = UNSET
    ignore: list[IgnoreForm] | UnsetType = UNSET
    require: RequireForm | UnsetType = UNSET
    forbid: ForbidForm | UnsetType = UNSET
    severity: dict[str, Severity] | UnsetType = UNSET
    bench: BenchForm | UnsetType = UNSET


def policy_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of a policy file, for editors."""
    schema = msgspec.json.schema(PolicyForm)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "envcheck policy", **schema}

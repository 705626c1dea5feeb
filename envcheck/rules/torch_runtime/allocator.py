"""Will torch's CUDA allocator accept its configuration?"""

from __future__ import annotations

import re

from envcheck.judge import Case, Fix, NotApplicable, Problem, Rule, Step, question

NAMES = ("PYTORCH_CUDA_ALLOC_CONF", "PYTORCH_ALLOC_CONF")
_BOOLEAN, _NUMBER, _FRACTION = r"True|False", r"\d+", r"\d*\.?\d+"
KEYS: dict[str, str] = {  # key → what its value must look like; the set grows with torch
    "backend": r"native|cudaMallocAsync",
    "max_split_size_mb": _NUMBER,
    "max_non_split_rounding_mb": _NUMBER,
    "large_segment_size_mb": _NUMBER,
    "garbage_collection_threshold": _FRACTION,
    "per_process_memory_fraction": _FRACTION,
    "roundup_power2_divisions": r"\d+|\[.*\]",
    "expandable_segments": _BOOLEAN,
    "release_lock_on_cudamalloc": _BOOLEAN,
    "throw_on_cudamalloc_oom": _BOOLEAN,
    "graph_capture_record_stream_reuse": _BOOLEAN,
    "pinned_use_cuda_host_register": _BOOLEAN,
    "pinned_num_register_threads": _NUMBER,
    "pinned_use_background_threads": _BOOLEAN,
    "pinned_reserve_segment_size_mb": _NUMBER,
}
SMALLEST_SPLIT_MB = 20


class AllocConfInvalid(Rule):
    """torch's allocator setting has a mistake, and the first allocation on the GPU will fail.

    What it looks at
        PYTORCH_CUDA_ALLOC_CONF and PYTORCH_ALLOC_CONF, parsed key by key.
    Why it matters
        Importing torch still works; the first tensor on a CUDA device raises, far from where the variable was set.
        A CPU build accepts anything.
    How to mend it
        Write key:value pairs with a colon, True and False with capitals, and max_split_size_mb of at least 20.
    Cannot tell when
        The environment was not read.  A key unknown to this version may belong to a newer torch: a warning then.
    References
        PyTorch CUDA semantics, memory management; messages of c10's allocator configuration.
    """

    code, name, rung = "RUN201", "alloc-conf-invalid", "torch_runtime"

    @staticmethod
    def mend(case: Case) -> Fix:
        return Fix(
            title="Correct the allocator setting where it is set",
            steps=[
                Step(where="env", command="export PYTORCH_CUDA_ALLOC_CONF=expandable_segments:True", note="an example"),
                Step(where="env", command="unset PYTORCH_CUDA_ALLOC_CONF PYTORCH_ALLOC_CONF", note="or do without"),
            ],
            verify="python -c \"import torch; torch.ones(1, device='cuda')\"",
        )


@question("host", AllocConfInvalid)
def is_the_allocator_setting_valid(case: Case) -> Problem | None:
    """Both names, the old one first: where both are set, torch 2.13 was seen to use the old."""
    found = [(name, variable) for name in NAMES if (variable := case.variable(name)) is not None]
    if not found:
        raise NotApplicable("no allocator setting")
    for name, (pointer, value) in found:
        fault = mistake(value)
        if fault is None:
            continue
        text, certain = fault
        return case.problem(
            AllocConfInvalid,
            f"{name}={value!r}: {text}",
            cause="torch reads the setting at the first allocation on a CUDA device and raises there",
            evidence=[pointer],
            fix=AllocConfInvalid.mend(case),
            severity=None if certain else "warning",
        )
    return None


def mistake(value: str) -> tuple[str, bool] | None:
    """The first mistake in a setting and whether every torch would refuse it; ``None`` for a sound one."""
    for part in re.split(r",(?![^\[]*\])", value):  # a list in brackets holds commas of its own
        if not part.strip():
            continue
        key, colon, setting = (piece.strip() for piece in part.partition(":"))
        if not colon:
            return f"{part.strip()!r} is no key:value pair", True
        if key not in KEYS:
            return f"the key {key!r} is not known", False
        if not re.fullmatch(KEYS[key], setting):
            return f"{key} cannot be {setting!r}", True
        if key == "max_split_size_mb" and int(setting) < SMALLEST_SPLIT_MB:
            return f"max_split_size_mb must be at least {SMALLEST_SPLIT_MB}", True
        if key == "garbage_collection_threshold" and not 0.0 < float(setting) < 1.0:
            return f"{key} must lie between 0 and 1", True
    return None

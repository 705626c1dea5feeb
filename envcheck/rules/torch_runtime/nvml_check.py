"""Does torch.cuda.is_available() really start CUDA here?"""

from __future__ import annotations

from envcheck.judge import Case, NotApplicable, Problem, Rule, question


class NvmlBasedCheckWeak(Rule):
    """torch.cuda.is_available() only counts the cards here and can say True where CUDA cannot start.

    What it looks at
        PYTORCH_NVML_BASED_CUDA_CHECK.
    Why it matters
        With it the check asks NVML and leaves CUDA alone: harmless before a fork, but no proof that CUDA works.
    How to mend it
        Nothing; run a small kernel to be sure, as `envcheck doctor` does.
    Cannot tell when
        The environment was not read.
    References
        torch/cuda/__init__.py.
    """

    code, name, rung = "RUN202", "nvml-based-check-weak", "torch_runtime"
    severity = "note"


@question("host", NvmlBasedCheckWeak)
def is_the_check_weakened(case: Case) -> Problem | None:
    """Any value but 1 changes nothing."""
    found = case.variable("PYTORCH_NVML_BASED_CUDA_CHECK")
    if found is None or found[1].strip() != "1":
        raise NotApplicable("PYTORCH_NVML_BASED_CUDA_CHECK is not 1")
    return case.problem(
        NvmlBasedCheckWeak,
        "PYTORCH_NVML_BASED_CUDA_CHECK=1: is_available() counts cards and does not start CUDA",
        cause="the variable is set in this environment",
        evidence=[found[0]],
    )

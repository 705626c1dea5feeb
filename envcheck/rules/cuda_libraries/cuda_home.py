"""Does CUDA_HOME lead to a toolkit?"""

from __future__ import annotations

from envcheck.facts import ToolkitInstall
from envcheck.judge import Case, Fix, NotApplicable, Problem, Rule, Step, question
from envcheck.rules.torch_build import remedy
from envcheck.rules.torch_build.messages import defer_to_messages, said

VARIABLES = ("CUDA_HOME", "CUDA_PATH")


class CudaHomeStale(Rule):
    """CUDA_HOME or CUDA_PATH leads to a folder that is gone, or that holds no compiler.

    What it looks at
        The folder that the variable names, and whether a toolkit was found by it.
    Why it matters
        Builds of extensions take the variable for granted, even where the folder does not exist, and look nowhere
        else.  torch itself needs no toolkit.
    How to mend it
        Point it at a toolkit that is there, or unset it.
    Cannot tell when
        The variable or the folder was not looked at.
    References
        torch/utils/cpp_extension.py, _find_cuda_home.
    """

    code, name, rung = "TLK109", "cuda-home-stale", "cuda_libraries"
    severity = "warning"

    @staticmethod
    def mend(case: Case) -> Fix:
        there = [
            tool.nvcc
            for _, tool in case.maybe_records("/toolkit/toolkits", ToolkitInstall)
            if tool.found_by not in VARIABLES and tool.nvcc.endswith("/bin/nvcc")
        ]
        unset = "Remove-Item Env:CUDA_PATH" if remedy.on_windows(case) else "unset CUDA_HOME CUDA_PATH"
        steps = [Step(where="env", command=unset, note="lasting: where it is set (profile, module)")]
        if there:
            folder = remedy.quoted(case, there[0].removesuffix("/bin/nvcc"))
            steps.insert(0, Step(where="env", command=f"export CUDA_HOME={folder}"))
            steps[1] = Step(where="env", command=unset, note="instead; lasting: where it is set (profile, module)")
        return Fix(title="Point CUDA_HOME at a toolkit that is there", steps=steps, verify="nvcc --version")


@question("host", CudaHomeStale)
def does_cuda_home_lead_to_a_toolkit(case: Case) -> Problem | None:
    """A folder that is gone is a hazard; one without a compiler (a runtime image) a remark."""
    home = case.known("/toolkit/cuda_home", str)
    if home is None:
        defer_to_messages(case, CudaHomeStale)
        raise NotApplicable("neither CUDA_HOME nor CUDA_PATH is set")
    messages = said(case, CudaHomeStale)
    if case.known("/toolkit/cuda_home_exists", bool) is False:
        return case.problem(
            CudaHomeStale,
            f"CUDA_HOME leads to {home}, which does not exist",
            cause="the toolkit was removed or upgraded after the variable had been set",
            evidence=["/toolkit/cuda_home", "/toolkit/cuda_home_exists", *messages],
            fix=CudaHomeStale.mend(case),
            severity="error" if messages else None,
        )
    found = case.records("/toolkit/toolkits", ToolkitInstall)
    if any(tool.found_by in VARIABLES or tool.nvcc.startswith(home.rstrip("/") + "/") for _, tool in found):
        return None
    return case.problem(
        CudaHomeStale,
        f"CUDA_HOME leads to {home}, which holds no nvcc",
        cause="it is the folder of a runtime without a compiler, or of something else",
        evidence=["/toolkit/cuda_home", "/toolkit/toolkits", *messages],
        fix=CudaHomeStale.mend(case),
        severity="error" if messages else "note",
    )

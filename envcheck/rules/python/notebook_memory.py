"""Do idle notebooks hold the card's memory?"""

from __future__ import annotations

from envcheck.facts import GpuProcess
from envcheck.judge import CannotTell, Case, Fix, NotApplicable, Problem, Rule, Step, question

KERNEL = "ipykernel"
HELD_BYTES = 1 << 30
"""Less than 1 GiB is a context, not held memory."""


class NotebookHoldsGpuMemory(Rule):
    """A Jupyter kernel of yours keeps memory of this card.

    What it looks at
        The processes on the card whose name is a notebook kernel's, and what they hold.
    Why it matters
        A notebook keeps its tensors and cached memory until its kernel ends, also while nothing runs: a second one
        may run out of memory.
    How to mend it
        Shut down the kernels that are not needed; torch.cuda.empty_cache() gives back the cached part only.
    Cannot tell when
        The card's processes, or their names and owners, are not told (containers, WSL, Windows).
    References
        NVML, nvmlDeviceGetComputeRunningProcesses; PyTorch CUDA semantics, memory management.
    """

    code, name, rung = "JUP105", "notebook-holds-gpu-memory", "python"
    severity = "note"

    @staticmethod
    def mend(case: Case) -> Fix:
        return Fix(
            title="Shut down the notebooks that are not needed",
            steps=[
                Step(where="env", command="jupyter server list", note="then Running, Shut Down, in the browser"),
                Step(
                    where="env", command="torch.cuda.empty_cache()", note="in a notebook that goes on: the cached part"
                ),
            ],
            verify="nvidia-smi",
        )


@question("gpu", NotebookHoldsGpuMemory)
def does_a_notebook_hold_memory(case: Case) -> Problem | None:
    """The asking user's own kernels only; a working notebook is meant to hold memory, so this is a remark."""
    at = case.at("nvml")
    if not case.known(f"{at}/processes", list):
        raise NotApplicable("no process runs on this card")
    silent: CannotTell | None = None
    for pointer, _ in case.records(f"{at}/processes", GpuProcess):
        try:
            name = case.known(f"{pointer}/name", str) or ""
            if KERNEL not in name or not case.known(f"{pointer}/own", bool):
                continue
            held = case.known(f"{pointer}/memory_bytes", int) or 0
        except CannotTell as unread:
            silent = silent or unread
            continue
        if held >= HELD_BYTES:
            return case.problem(
                NotebookHoldsGpuMemory,
                f"a Jupyter kernel of yours holds {held / (1 << 30):.1f} GiB of {case.subject.label}",
                cause="a notebook keeps what it allocated until its kernel ends",
                evidence=[f"{pointer}/pid", f"{pointer}/name", f"{pointer}/memory_bytes"],
                fix=NotebookHoldsGpuMemory.mend(case),
            )
    if silent is not None:
        raise silent
    return None

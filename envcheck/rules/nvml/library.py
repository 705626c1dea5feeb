"""Does NVML answer?  The driver's management library, which nvidia-smi is made of."""

from __future__ import annotations

from shlex import quote

from envcheck.facts import DriverLibrary
from envcheck.judge import CannotTell, Case, Fix, NotApplicable, Problem, Rule, Step, question
from envcheck.rules.hardware.consequences import CUDA
from envcheck.rules.hardware.machine import library_paths, narrowed, require_bare_linux, tell
from envcheck.rules.kernel_module.packages import install_driver
from envcheck.rules.presence import pci_cards

SONAME = "libnvidia-ml.so.1"
LIBRARY_NOT_FOUND = 12  # nvmlReturn_t of nvml.h
FUNCTION_NOT_FOUND = 13
MANY_CARDS = 8
UNINTERRUPTIBLE = "D"  # state letter of proc(5): waits inside the kernel and cannot be killed


class NvmlHang(Rule):
    """NVML never answers: its process waits inside the driver and cannot be killed.

    What it looks at
        Whether the child process that asked NVML answered within its deadline, and its state afterwards.
    Why it matters
        A card is stuck in the driver.  Each program that touches it joins the wait, nvidia-smi included.
    How to mend it
        Collect the driver's report, then restart the machine; look for Xid 79, 119 or 154 in the kernel log.
    Cannot tell when
        The child was slow and not stuck: without persistence mode the first call initialises every card.
    References
        proc(5), process states; leptonai/gpud, components nvidia.
    """

    code, name, rung = "NVM101", "nvml-hang", "nvml"
    essential = True
    explains = ("gpu-count-below-expected", "fabric-manager-not-running", *CUDA)

    @staticmethod
    def mend(case: Case) -> Fix:
        return Fix(
            title="Keep the evidence, then restart the machine",
            steps=[
                Step(where="host", command="sudo dmesg | grep -E 'NVRM|Xid' | tail -n 40", root=True),
                Step(
                    where="host",
                    command="sudo nvidia-bug-report.sh --safe-mode",
                    root=True,
                    note="for the vendor; asks the stuck card nothing",
                ),
                Step(where="host", command="sudo reboot", root=True, reboot=True),
            ],
            safety="disruptive",
            verify="timeout 30 nvidia-smi -L",
        )


class NvmlLibraryMissing(Rule):
    """The driver's libnvidia-ml.so.1 cannot be loaded, so neither nvidia-smi nor NVML works.

    What it looks at
        NVML's return code 12 on a machine with a card, and where copies of the library lie on the disk.
    Why it matters
        nvidia-smi, monitoring and this tool ask the card through it.  It belongs to the driver, not to Python packages.
    How to mend it
        Where the file is on the disk, `sudo ldconfig` (or put its folder on the loader's path); else install the
        driver's user libraries.
    Cannot tell when
        NVML was not asked.  Containers and WSL are judged by rules of their own.
    References
        NVML return code 12; ld.so(8).
    """

    code, name, rung = "NVM102", "nvml-library-missing", "nvml"
    explains = ("no-driver-library", "gpu-count-below-expected")

    @staticmethod
    def mend(case: Case) -> Fix:
        copies = [
            library.path
            for _, library in case.maybe_records("/driver/libraries", DriverLibrary)
            if library.soname == SONAME and library.stub is not True
        ]
        if copies:
            folder = quote(copies[0].rpartition("/")[0])
            return Fix(
                title=f"Let the loader find {copies[0]}",
                steps=[
                    Step(where="host", command="sudo ldconfig", root=True),
                    Step(
                        where="host",
                        command=f"echo {folder} | sudo tee /etc/ld.so.conf.d/nvidia.conf && sudo ldconfig",
                        root=True,
                        note="where that alone does not help",
                    ),
                ],
                verify=f"ldconfig -p | grep {SONAME} && nvidia-smi",
            )
        return Fix(
            title="Install the driver's user libraries (they belong to the driver, not to a CUDA toolkit)",
            steps=install_driver(case),
            safety="careful",
            verify="nvidia-smi",
        )


class NvmlFunctionNotFound(Rule):
    """The driver's NVML is older than the Python binding that asks it.

    What it looks at
        NVML's return code 13, or a message about a missing NVML function.
    Why it matters
        The card is not at fault.  A tool that asks for a newer function fails, or shows nothing for that value.
    How to mend it
        Upgrade the driver, or pin nvidia-ml-py to the driver's branch.
    Cannot tell when
        NVML was not asked.
    References
        NVML return code 13; NVIDIA/k8s-device-plugin issue 331.
    """

    code, name, rung = "NVM103", "nvml-function-not-found", "nvml"
    severity = "warning"

    @staticmethod
    def mend(case: Case) -> Fix:
        version = case.maybe(lambda: case.first(str, "/driver/sys_module", "/driver/proc", "/driver/nvml"))
        branch = version.split(".")[0] if isinstance(version, str) else ""
        # nvidia-ml-py is numbered by CUDA major, then by driver branch: 12.535, 12.575, 13.580.
        bound = f"{13 if int(branch) >= 580 else 12}.{branch}.999" if branch.isdigit() else "<driver branch>"
        return Fix(
            title="Use a binding that is no newer than the driver, or a newer driver",
            steps=[
                Step(
                    where="env",
                    tool="pip",
                    command=f"python -m pip install 'nvidia-ml-py<={bound}'",
                    note="in the environment of the tool that failed",
                )
            ],
            verify='python -c "import pynvml; pynvml.nvmlInit(); print(pynvml.nvmlDeviceGetCount())"',
        )


def patience(case: Case) -> float:
    """Seconds after which silence is no slow start any more.

    Without persistence the first call initialises every card, which takes seconds each (nvml.h; failure-modes
    `nvml-hang`); with nvidia-persistenced they are initialised already.
    """
    if case.known("/driver/persistenced", bool):
        return 9.0
    return 59.0 if len(pci_cards(case)) >= MANY_CARDS else 29.0


@question("host", NvmlHang, NvmlLibraryMissing, NvmlFunctionNotFound)
def does_nvml_answer(case: Case) -> Problem | None:
    """Silence first, then the codes that are about the library itself; other codes are other questions' answers."""
    waited = case.known("/nvml/waited_seconds", float)
    if waited is not None:
        stuck = case.maybe(lambda: case.known("/nvml/process_state", str)) == UNINTERRUPTIBLE
        if not stuck and waited < patience(case):
            raise CannotTell(f"NVML gave no answer in {waited:.3g} s, which a first call may take", "/nvml/init_code")
        return case.problem(
            NvmlHang,
            f"NVML gave no answer in {waited:.3g} s"
            + (", and its process cannot be killed (state D)" if stuck else ""),
            cause="a call into the driver does not come back: a card or its link is stuck",
            evidence=[
                "/nvml/waited_seconds",
                *tell(case, "/nvml/process_state", "/nvml/library", "/driver/sys_module"),
            ],
            fix=NvmlHang.mend(case),
        )
    code = case.known("/nvml/init_code", int)
    if code == LIBRARY_NOT_FOUND:
        return _not_found(case)
    if code == FUNCTION_NOT_FOUND:
        return case.problem(
            NvmlFunctionNotFound,
            "NVML lacks the function that opens a session (code 13)",
            cause="the driver is much older than the binding that asks it",
            evidence=["/nvml/init_code", *tell(case, "/nvml/library", "/driver/sys_module")],
            fix=NvmlFunctionNotFound.mend(case),
        )
    if code == 0:
        try:
            case.records("/nvml/gpus", object)
        except CannotTell as why:
            raise narrowed(why, NvmlHang) from why
    return None


def _not_found(case: Case) -> Problem | None:
    require_bare_linux(case)
    if not pci_cards(case):
        raise NotApplicable("no NVIDIA card, and no NVML")
    libcuda = case.known("/cuda/library", str)
    cause = "it is not installed, or its folder is not on the loader's search path"
    if libcuda is None:
        cause = "the driver's user libraries are not installed, or their folder is not on the loader's search path"
    return case.problem(
        NvmlLibraryMissing,
        f"{SONAME} cannot be loaded",
        cause=cause,
        evidence=tell(case, "/nvml/init_code", "/cuda/library", *library_paths(case)),
        fix=NvmlLibraryMissing.mend(case),
    )

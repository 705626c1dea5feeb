"""Does WSL hand the GPU through?  There the driver is that of Windows, and its door is /dev/dxg."""

from __future__ import annotations

from shlex import quote

from envcheck.facts import DriverLibrary
from envcheck.judge import Case, Fix, NotApplicable, Problem, Rule, Severity, Step, question
from envcheck.rules.hardware.consequences import WITHOUT_MODULE
from envcheck.rules.hardware.machine import (
    driver_packages,
    has_cuda_torch,
    library_copies,
    library_paths,
    requires_gpu,
    tell,
)

MAPPED = "/usr/lib/wsl/"
"""Where WSL 2 maps the libraries of the Windows driver (CUDA on WSL user guide)."""

BLOCKED = 17  # NVML_ERROR_OPERATING_SYSTEM of nvml.h
FOLLOWS = WITHOUT_MODULE
RESTART = Step(where="windows", command="wsl --shutdown", note="then start the distribution again")
UPDATE = Step(where="windows", command="wsl --update")


class Wsl1NotWsl2(Rule):
    """The distribution runs as WSL 1, which has no access to the GPU.

    What it looks at
        The kernel's release and the absence of /dev/dxg.
    Why it matters
        Only WSL 2 has a Linux kernel of its own through which Windows shares the GPU.
    How to mend it
        Convert the distribution with `wsl --set-version <name> 2` (a back-up first: it takes minutes).
    Cannot tell when
        The kernel's release could not be read.
    References
        MicrosoftDocs/WSL, compare versions.
    """

    code, name, rung = "WSL101", "wsl1-not-wsl2", "kernel_module"
    explains = FOLLOWS

    @staticmethod
    def mend(case: Case) -> Fix:
        return Fix(
            title="Convert the distribution to WSL 2",
            steps=[
                Step(where="windows", command="wsl --list --verbose", note="shows its name"),
                Step(
                    where="windows", command="wsl --set-version <distribution> 2", note="back up first; takes minutes"
                ),
                UPDATE,
            ],
            safety="disruptive",
            verify="ls -l /dev/dxg && nvidia-smi",
        )


class WslGpuBlocked(Rule):
    """Windows does not let this WSL distribution use the GPU.

    What it looks at
        NVML's return code 17, /dev/dxg, and whether Windows mapped the driver's libraries into /usr/lib/wsl/lib.
    Why it matters
        The connection is lost after an update of the Windows driver while WSL runs, is switched off in wsl.conf, or
        Windows itself has no NVIDIA driver.
    How to mend it
        `wsl --shutdown`, then start again; update the Windows driver and WSL.  Never install a Linux driver in WSL.
    Cannot tell when
        NVML was not asked.
    References
        NVML return code 17; MicrosoftDocs/WSL, wsl-config ([gpu] enabled); CUDA on WSL user guide.
    """

    code, name, rung = "WSL102", "wsl-gpu-blocked", "device_nodes"
    explains = FOLLOWS

    @staticmethod
    def mend(case: Case) -> Fix:
        steps = [
            RESTART,
            Step(where="env", command="grep -A 2 '\\[gpu\\]' /etc/wsl.conf", note="enabled must not be false"),
            Step(where="windows", note="update the NVIDIA driver of Windows"),
            UPDATE,
        ]
        if isinstance(case.maybe(lambda: case.known("/container/engine", str)), str):
            steps.append(
                Step(
                    where="container_host",
                    command="sudo nvidia-ctk config --set nvidia-container-cli.no-cgroups=false --in-place",
                    root=True,
                    note="where the distribution works and only its containers are blocked",
                )
            )
        return Fix(title="Connect WSL with the GPU again", steps=steps, safety="disruptive", verify="nvidia-smi")


class WslLinuxDriverInstalled(Rule):
    """A Linux driver was installed inside WSL, and its libcuda hides the one of Windows.

    What it looks at
        The first libcuda.so.1 that the loader finds against the one in /usr/lib/wsl/lib, and the driver packages.
    Why it matters
        WSL has no kernel module for it: every CUDA start fails.  nvidia-smi on Windows is fine.
    How to mend it
        Purge the driver packages (never libnvidia-container), run ldconfig, restart WSL.  Toolkits only as
        cuda-toolkit-X-Y, never cuda or cuda-drivers.
    Cannot tell when
        The library folders could not be read, or libcuda was not asked.
    References
        CUDA on WSL user guide.
    """

    code, name, rung = "WSL103", "wsl-linux-driver-installed", "cuda_driver"
    explains = (
        "nvml-library-missing",
        "driver-library-version-mismatch",
        "mixed-driver-install",
        *FOLLOWS,
    )

    @staticmethod
    def mend(case: Case) -> Fix:
        packages = case.maybe(lambda: case.known("/host/driver_packages", list))
        names = [item.split("=")[0] for item in driver_packages(packages if isinstance(packages, list) else [])]
        purge = Step(
            where="env", command="dpkg -l 'libnvidia-compute-*' 'nvidia-driver-*'", note="then purge what it lists"
        )
        if names:
            listed = " ".join(quote(name) for name in names)
            purge = Step(where="env", tool="apt", command=f"sudo apt-get purge {listed}", root=True)
        return Fix(
            title="Remove the Linux driver from WSL",
            steps=[purge, Step(where="env", command="sudo ldconfig", root=True), RESTART],
            safety="careful",
            verify="ldconfig -p | grep libcuda.so.1   # below /usr/lib/wsl/lib",
        )


class WslLibcudaNotFound(Rule):
    """Windows maps libcuda into /usr/lib/wsl/lib, and the loader does not look there.

    What it looks at
        The file on the disk against what a child process could load.
    Why it matters
        CUDA and Triton find no driver although it is there: the loader's cache lacks the folder.
    How to mend it
        Add the folder to /etc/ld.so.conf.d and run ldconfig; for Triton set TRITON_LIBCUDA_PATH.
    Cannot tell when
        libcuda was not asked, or the folder could not be read.
    References
        CUDA on WSL user guide; triton, backends/nvidia/driver.py.
    """

    code, name, rung = "WSL104", "wsl-libcuda-not-found", "cuda_driver"
    explains = FOLLOWS

    @staticmethod
    def mend(case: Case) -> Fix:
        return Fix(
            title="Show the loader the folder",
            steps=[
                Step(
                    where="env",
                    command="echo /usr/lib/wsl/lib | sudo tee /etc/ld.so.conf.d/ld.wsl.conf && sudo ldconfig",
                    root=True,
                ),
                Step(where="env", command="export TRITON_LIBCUDA_PATH=/usr/lib/wsl/lib", note="for Triton"),
            ],
            verify="ldconfig -p | grep libcuda.so.1",
        )


@question("host", Wsl1NotWsl2, WslGpuBlocked, WslLinuxDriverInstalled, WslLibcudaNotFound)
def does_wsl_hand_the_gpu_through(case: Case) -> Problem | None:
    """Version, door, libraries, in this order."""
    version = case.known("/host/wsl", int)
    if version is None:
        raise NotApplicable("not on WSL")
    if version == 1:
        return _wanted(case, Wsl1NotWsl2, "this distribution runs as WSL 1", "WSL 1 has no access to the GPU", [])
    code = case.known("/nvml/init_code", int)
    if code == BLOCKED:
        return case.problem(
            WslGpuBlocked,
            "NVML says that the operating system blocks the GPU (code 17)",
            cause="Windows cut the connection: a driver update while WSL ran, a setting, or a stuck state",
            evidence=tell(case, "/nvml/init_code", "/host/dxg"),
            fix=WslGpuBlocked.mend(case),
        )
    if case.known("/container/engine", str) is not None:
        raise NotApplicable("inside a container the libraries are mounted elsewhere: see the container rules")
    loaded = case.known("/cuda/library", str)
    if loaded is not None and case.known("/cuda/init_code", int) == 0:
        return None
    if not _mapped(case):
        return _wanted(
            case,
            WslGpuBlocked,
            "Windows maps no NVIDIA driver into this WSL distribution",
            "Windows has no NVIDIA GPU or driver, or WSL is told not to share it",
            [*library_paths(case), "/host/dxg"],
        )
    if loaded is None:
        return case.problem(
            WslLibcudaNotFound,
            "libcuda.so.1 lies in /usr/lib/wsl/lib and cannot be loaded",
            cause="the loader's cache does not have that folder",
            evidence=tell(case, "/cuda/library", "/cuda/load_error", *library_paths(case)),
            fix=WslLibcudaNotFound.mend(case),
        )
    copies = library_copies(case, "libcuda.so.1")
    if copies and not copies[0][1].path.startswith(MAPPED):
        return case.problem(
            WslLinuxDriverInstalled,
            f"the loader takes {copies[0][1].path} in place of the library that Windows maps",
            cause="a Linux display driver was installed inside WSL",
            evidence=tell(case, f"{copies[0][0]}/path", "/cuda/init_code", "/host/driver_packages"),
            fix=WslLinuxDriverInstalled.mend(case),
        )
    return None


def _mapped(case: Case) -> bool:
    return any(
        library.soname == "libcuda.so.1" and library.path.startswith(MAPPED)
        for _, library in case.records("/driver/libraries", DriverLibrary)
    )


def _wanted(case: Case, rule: type[Rule], summary: str, cause: str, evidence: list[str]) -> Problem:
    """No GPU of NVIDIA's may be just right here: an error where one is required, else a remark."""
    if not requires_gpu(case) and not has_cuda_torch(case):
        raise NotApplicable("no NVIDIA GPU on WSL, and nothing here asks for one")
    severity: Severity = "error" if requires_gpu(case) else "note"
    return case.problem(
        rule,
        summary,
        cause=cause,
        evidence=tell(case, "/host/wsl", *evidence),
        fix=rule.mend(case),
        severity=severity,
    )


class WslLimits(Rule):
    """WSL 2 has known limits: little pinned memory, no peer-to-peer, and values that NVML cannot tell.

    What it looks at
        Whether this is WSL 2 with a GPU.
    Why it matters
        What is missing here is no fault: PCIe link, ECC, persistence mode and peer access stay unknown.
    How to mend it
        Nothing is to be mended; keep data on the Linux file system, and raise memory in .wslconfig where it is short.
    Cannot tell when
        NVML was not asked.
    References
        CUDA on WSL user guide, known limitations.
    """

    code, name, rung = "WSL105", "wsl-limits", "speed"
    severity = "note"


@question("host", WslLimits)
def which_limits_has_wsl(case: Case) -> Problem | None:
    """A remark beside a working GPU, so that nobody looks for a fault in what WSL does not tell."""
    if case.known("/host/wsl", int) != 2:
        raise NotApplicable("not on WSL 2")
    if case.known("/nvml/init_code", int) != 0:
        raise NotApplicable("no GPU answers")
    return case.problem(
        WslLimits,
        "WSL 2: pinned memory is limited, there is no peer-to-peer, and NVML leaves some values out",
        cause="the GPU is shared by Windows",
        evidence=["/host/wsl", "/nvml/device_count"],
    )

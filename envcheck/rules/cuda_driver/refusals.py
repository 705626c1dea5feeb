"""What makes cuInit refuse: the rules, their pages and their remedies.  Which one it is: :mod:`.initialisation`."""

from __future__ import annotations

from envcheck.facts import DriverLibrary
from envcheck.judge import Case, Fix, Rule, Step

CONSEQUENCES = ("torch-cuda-unavailable", "torch-kernel-fails")
"""What a CUDA that does not initialise makes fail in torch."""


class StubLibcudaLoaded(Rule):
    """The toolkit's link-time stub of libcuda is loaded instead of the driver's library.

    What it looks at
        The return code of cuInit (34) and the path of the libcuda.so.1 that the loader chose.
    Why it matters
        The stub exists for linking only: every CUDA call through it fails, whatever the driver and the card.
    How to mend it
        Take the folder that ends in /stubs out of LD_LIBRARY_PATH (or out of the image's /etc/ld.so.conf.d).
    Cannot tell when
        libcuda was not asked, or it gave no answer in time.
    References
        CUDA Runtime API, error 34 (cudaErrorStubLibrary).
    """

    code, name, rung = "DRV201", "stub-libcuda-loaded", "cuda_driver"
    explains = CONSEQUENCES

    @staticmethod
    def mend(case: Case) -> Fix:
        return Fix(
            title="Let the loader find the driver's libcuda, not the stub",
            steps=[
                Step(where="env", command="echo $LD_LIBRARY_PATH", note="find the entry that ends in /stubs"),
                Step(where="env", command="unset LD_LIBRARY_PATH", note="or remove that entry where it is set"),
            ],
            verify="envcheck doctor",
        )


class FabricManagerNotRunning(Rule):
    """The NVSwitch fabric is not up, so CUDA reports that the system is not ready (802).

    What it looks at
        cuInit's return code 802 while NVML answers, and each GPU's fabric state.
    Why it matters
        On NVSwitch machines no CUDA program starts before the fabric manager has trained the links.
    How to mend it
        Install the fabric manager of exactly the driver's version, enable and start it; on a fresh boot wait for it.
    Cannot tell when
        libcuda was not asked, or it gave no answer in time.
    References
        CUDA Runtime API, error 802; NVIDIA GPU Operator troubleshooting; Fabric Manager user guide.
    """

    code, name, rung = "DRV202", "fabric-manager-not-running", "cuda_driver"
    explains = CONSEQUENCES

    @staticmethod
    def mend(case: Case) -> Fix:
        version = case.maybe(lambda: case.first(str, "/driver/nvml", "/driver/sys_module", "/driver/proc"))
        branch = version.split(".")[0] if isinstance(version, str) else "<driver branch>"
        exact = version if isinstance(version, str) else "<driver version>"
        return Fix(
            title="Start the fabric manager of the driver's own version",
            steps=[
                Step(
                    where="host",
                    tool="apt",
                    command=f"sudo apt-get install 'nvidia-fabricmanager-{branch}={exact}*'",
                    root=True,
                    note="only if it is missing or of another version",
                ),
                Step(where="host", command="sudo systemctl enable --now nvidia-fabricmanager", root=True),
            ],
            safety="careful",
            verify="nvidia-smi -q | grep -A 3 Fabric   # State must be Completed",
        )


class CudaDriverCombinationMismatch(Rule):
    """The libcuda that was loaded and the kernel module do not belong together (803).

    What it looks at
        cuInit's return code 803, the version of the chosen libcuda, and the kernel module's version.
    Why it matters
        No CUDA program starts until both are of one driver version.
    How to mend it
        Reboot after a driver upgrade; otherwise remove the stale copy or the compat folder that is found first.
    Cannot tell when
        libcuda was not asked, or it gave no answer in time.
    References
        CUDA Runtime API, error 803; NVIDIA/nvidia-container-toolkit issue 1679.
    """

    code, name, rung = "DRV203", "cuda-driver-combination-mismatch", "cuda_driver"
    explains = CONSEQUENCES

    @staticmethod
    def mend(case: Case) -> Fix:
        chosen = chosen_libcuda(case)
        if isinstance(chosen, DriverLibrary) and chosen.compat is True:
            return _drop_compat(chosen)
        return Fix(
            title="Bring the library and the kernel module to one version",
            steps=[Step(where="host", command="sudo reboot", root=True, reboot=True)],
            safety="disruptive",
            verify="nvidia-smi && envcheck doctor",
        )


class ForwardCompatUnsupportedHw(Rule):
    """A forward-compatibility libcuda is used on a card that does not support it (804).

    What it looks at
        cuInit's return code 804 and whether the chosen libcuda stands in a compat folder.
    Why it matters
        cuda-compat works on data-centre cards only; on GeForce and workstation cards every CUDA start fails.
    How to mend it
        Remove the compat folder from the loader's path (LD_LIBRARY_PATH or ld.so.conf.d), then upgrade the host
        driver or use a build for an older CUDA.
    Cannot tell when
        libcuda was not asked, or it gave no answer in time.
    References
        CUDA Compatibility guide, forward compatibility; NVIDIA/nvidia-docker issue 1515.
    """

    code, name, rung = "DRV204", "forward-compat-unsupported-hw", "cuda_driver"
    explains = CONSEQUENCES

    @staticmethod
    def mend(case: Case) -> Fix:
        chosen = chosen_libcuda(case)
        return _drop_compat(chosen if isinstance(chosen, DriverLibrary) else None)


class UvmNodeMissing(Rule):
    """CUDA cannot start because /dev/nvidia-uvm is not there; nvidia-smi does not need it and works.

    What it looks at
        cuInit's return code (999, 304 or 3) and the device node /dev/nvidia-uvm after that attempt.
    Why it matters
        CUDA's memory management lives in the nvidia_uvm module; NVML does without it, which misleads.
    How to mend it
        On a host `sudo nvidia-modprobe -u -c 0`; into a container pass /dev/nvidia-uvm and /dev/nvidia-uvm-tools.
    Cannot tell when
        /dev could not be read.  On a headless host the first CUDA call makes the node, so its absence counts only
        after a cuInit that failed.
    References
        pytorch/pytorch issue 49081; NVIDIA/nvidia-modprobe.
    """

    code, name, rung = "DEV301", "uvm-node-missing", "device_nodes"
    explains = CONSEQUENCES

    @staticmethod
    def mend(case: Case) -> Fix:
        inside = case.maybe(lambda: case.known("/container/engine", str))
        if isinstance(inside, str):
            return Fix(
                title="Hand the UVM nodes to the container",
                steps=[
                    Step(
                        where="container_host",
                        command="docker run --gpus all --device /dev/nvidia-uvm --device /dev/nvidia-uvm-tools …",
                    )
                ],
                safety="careful",
                verify="ls -l /dev/nvidia-uvm && envcheck doctor",
            )
        return Fix(
            title="Load nvidia_uvm and make its node",
            steps=[
                Step(where="host", command="sudo nvidia-modprobe -u -c 0", root=True),
                Step(
                    where="host", command="sudo systemctl enable --now nvidia-persistenced", root=True, note="lasting"
                ),
            ],
            verify="ls -l /dev/nvidia-uvm && envcheck doctor",
        )


class SuspendResumeUvmBroken(Rule):
    """After a suspend CUDA reports an unknown error; the message about the environment is misleading.

    What it looks at
        cuInit's return code (999, 304 or 3), a healthy NVML, /dev/nvidia-uvm present, and the suspends since boot.
    Why it matters
        The UVM module lost its state over the suspend; no CUDA program starts until it is loaded afresh.
    How to mend it
        Close CUDA programs and reload nvidia_uvm; lasting: let the driver preserve video memory over suspends.
    Cannot tell when
        /sys/power/suspend_stats cannot be read (kernels before 5.4).
    References
        pytorch/pytorch issues 88639 and 49081; Linux ABI documentation, sysfs-power.
    """

    code, name, rung = "KMD301", "suspend-resume-uvm-broken", "kernel_module"
    explains = CONSEQUENCES

    @staticmethod
    def mend(case: Case) -> Fix:
        options = "options nvidia NVreg_PreserveVideoMemoryAllocations=1"
        return Fix(
            title="Reload nvidia_uvm (close every CUDA program first)",
            steps=[
                Step(where="host", command="sudo modprobe -r nvidia_uvm && sudo modprobe nvidia_uvm", root=True),
                Step(
                    where="host",
                    command=f"echo '{options}' | sudo tee /etc/modprobe.d/nvidia-suspend.conf",
                    root=True,
                    note="lasting",
                ),
                Step(
                    where="host",
                    command="sudo systemctl enable nvidia-suspend nvidia-hibernate nvidia-resume",
                    root=True,
                    note="lasting",
                ),
            ],
            safety="careful",
            verify="envcheck doctor",
        )


class MigEnabledNoInstances(Rule):
    """MIG mode is on and no instance exists, so CUDA finds no device although nvidia-smi lists the card.

    What it looks at
        cuInit's return code 100, and every GPU's MIG mode and MIG devices as NVML tells them.
    Why it matters
        In MIG mode a program runs on an instance, never on the whole card.
    How to mend it
        Create a GPU instance with a compute instance, or switch MIG mode off.
    Cannot tell when
        NVML does not answer, or does not tell the MIG mode.
    References
        NVIDIA Multi-Instance GPU user guide.
    """

    code, name, rung = "DRV205", "mig-enabled-no-instances", "cuda_driver"
    explains = CONSEQUENCES

    @staticmethod
    def mend(case: Case) -> Fix:
        return Fix(
            title="Create an instance, or switch MIG mode off",
            steps=[
                Step(where="host", command="sudo nvidia-smi mig -lgip", root=True, note="lists the profiles"),
                Step(where="host", command="sudo nvidia-smi mig -cgi <profile id> -C", root=True),
                Step(where="host", command="sudo nvidia-smi -mig 0", root=True, note="instead: whole card again"),
            ],
            safety="disruptive",
            verify="nvidia-smi -L",
        )


class MpsDaemonProblem(Rule):
    """CUDA is sent to an MPS daemon that does not answer.

    What it looks at
        cuInit's return code (805 to 808) and CUDA_MPS_PIPE_DIRECTORY.
    Why it matters
        With that variable set every CUDA start goes through the daemon; a dead or foreign one blocks them all.
    How to mend it
        Unset the variable, or restart your own daemon (this ends its clients).
    Cannot tell when
        libcuda was not asked, or it gave no answer in time.
    References
        CUDA Runtime API, errors 805 to 808.
    """

    code, name, rung = "DRV206", "mps-daemon-problem", "cuda_driver"
    explains = CONSEQUENCES

    @staticmethod
    def mend(case: Case) -> Fix:
        return Fix(
            title="Stop sending CUDA to that daemon, or restart it",
            steps=[
                Step(where="env", command="unset CUDA_MPS_PIPE_DIRECTORY"),
                Step(
                    where="host",
                    command="echo quit | nvidia-cuda-mps-control && nvidia-cuda-mps-control -d",
                    note="instead, for your own daemon; it ends every client",
                ),
            ],
            safety="careful",
            verify="envcheck doctor",
        )


class CudaInitUnknownError(Rule):
    """CUDA does not initialise, and none of the known reasons was seen.

    What it looks at
        cuInit's return code when nothing more particular answers this question: no missing node, no suspend, no
        mask, no version mix.
    Why it matters
        Every CUDA program on this machine fails the same way.
    How to mend it
        Look into the kernel log for Xid lines, then restart the machine; in a container start a new one.
    Cannot tell when
        libcuda was not asked, or it gave no answer in time.
    References
        CUDA Driver API, CUresult; pytorch/pytorch issue 49081.
    """

    code, name, rung = "DRV299", "cuda-init-unknown-error", "cuda_driver"
    essential = True
    explains = CONSEQUENCES

    @staticmethod
    def mend(case: Case) -> Fix:
        return Fix(
            title="Find what the kernel module says, then restart",
            steps=[
                Step(where="host", command="sudo dmesg | grep -E 'NVRM|Xid' | tail -n 20", root=True),
                Step(where="host", command="sudo reboot", root=True, reboot=True),
            ],
            safety="disruptive",
            verify="envcheck doctor",
        )


RULES = (
    StubLibcudaLoaded,
    FabricManagerNotRunning,
    CudaDriverCombinationMismatch,
    ForwardCompatUnsupportedHw,
    UvmNodeMissing,
    SuspendResumeUvmBroken,
    MigEnabledNoInstances,
    MpsDaemonProblem,
    CudaInitUnknownError,
)


def chosen_libcuda(case: Case) -> DriverLibrary | None:
    """The libcuda that the loader takes: the one that libcuda's child reported, else the first found."""
    loaded = case.maybe(lambda: case.known("/cuda/library", str))
    copies = [lib for _, lib in case.maybe_records("/driver/libraries", DriverLibrary) if lib.soname == "libcuda.so.1"]
    for library in copies:
        if loaded in (library.path, library.realpath):
            return library
    return copies[0] if copies else None


def _drop_compat(library: DriverLibrary | None) -> Fix:
    folder = library.path.rsplit("/", 1)[0] if library else "the compat folder"
    return Fix(
        title="Take the cuda-compat library out of the loader's way",
        steps=[
            Step(
                where="env",
                command="unset LD_LIBRARY_PATH",
                note=f"or remove {folder} from it; in an image remove its /etc/ld.so.conf.d entry and run ldconfig",
            ),
            Step(
                where="host",
                tool="apt",
                command="sudo apt-get remove 'cuda-compat-*'",
                root=True,
                note="where nothing else needs it",
            ),
        ],
        safety="careful",
        verify="envcheck doctor",
    )

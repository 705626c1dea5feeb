"""Are the GPUs there that the policy requires?  Asked of CUDA, since a program gets what CUDA offers.

Masks, schedulers, containers and MIG all narrow what NVML lists; a policy is about the job.
"""

from __future__ import annotations

from envcheck.facts import CUDA_OK, CudaDevice
from envcheck.judge import Bounds, Case, Fix, NotApplicable, Problem, Step, question
from envcheck.rules.hardware.machine import tell

from .requirement import Requirement, wanted

GIB = 1 << 30

GPU_TAKEN_AWAY = (
    # hardware
    "gpu-absent-from-pci-bus", "hybrid-gpu-powered-off", "gpu-bound-to-other-driver", "gpu-count-below-expected",
    "nvswitch-fatal", "gpu-fallen-off-bus", "gpu-aux-power-missing", "pcie-bar-unassigned",
    # kernel module
    "driver-not-installed", "kernel-module-not-built", "nouveau-conflict", "secure-boot-unsigned-module",
    "driver-dropped-gpu-arch", "open-module-unsupported-gpu", "proprietary-module-on-new-gpu",
    "kernel-module-not-loaded", "driver-library-version-mismatch", "mixed-driver-install", "driver-too-old-for-gpu",
    "wsl1-not-wsl2", "gpu-init-failed", "gsp-firmware-failure", "suspend-resume-uvm-broken",
    # device nodes and containers
    "cdi-spec-stale", "device-nodes-missing", "device-node-permission-denied", "cgroup-device-denied",
    "container-gpu-lost-after-reload", "container-no-cgroups", "selinux-label-denied", "mig-caps-node-missing",
    "container-no-gpu-requested", "apptainer-nv-missing", "container-capability-missing",
    "container-host-driver-missing", "docker-toolkit-missing", "docker-cdi-vendor-missing",
    "nvidia-runtime-not-registered", "rootless-cgroups-denied", "podman-cdi-unresolvable", "k8s-insufficient-gpu",
    "wsl-gpu-blocked", "uvm-node-missing",
    # NVML and the CUDA driver
    "nvml-hang", "nvml-reset-required", "wsl-linux-driver-installed", "wsl-libcuda-not-found", "no-driver-library",
    "stub-libcuda-loaded", "fabric-manager-not-running", "cuda-driver-combination-mismatch",
    "forward-compat-unsupported-hw", "mig-enabled-no-instances", "mps-daemon-problem", "cuda-init-unknown-error",
    "cvd-empty", "cvd-index-out-of-range", "cvd-bad-uuid", "cvd-mig-form", "cvd-duplicate",
)  # fmt: skip
"""What takes a GPU from a program: where one of these is found, the missing GPU is its consequence."""


class PolicyGpus(Requirement):
    """CUDA offers another number of GPUs than the policy requires.

    What it looks at
        The devices that cuInit and cuDeviceGetCount give to a program that is started here, against
        require.gpus.  A requirement on the cards' compute capability or memory asks for one GPU at least.
    Why it matters
        A job that counts on its GPUs fails at its start, or runs on the CPU without a word.
    How to mend it
        Ask the scheduler or the container for that many, widen CUDA_VISIBLE_DEVICES, or change the policy.
    Cannot tell when
        libcuda was not asked or did not answer.
    References
        CUDA driver API, cuDeviceGetCount; CUDA programming guide, CUDA_VISIBLE_DEVICES.
    """

    code, name, rung = "POL101", "policy-gpus", "hardware"
    explained_by = GPU_TAKEN_AWAY

    @staticmethod
    def mend(case: Case) -> Fix:
        return Fix(
            title="Give this environment the GPUs that the policy requires",
            steps=[
                Step(where="host", command="nvidia-smi -L", note="what the driver lists"),
                Step(where="env", command="echo $CUDA_VISIBLE_DEVICES", note="what is let through to CUDA"),
            ],
            verify="envcheck preflight",
        )


@question("host", PolicyGpus)
def are_the_gpus_there_that_the_policy_requires(case: Case) -> Problem | None:
    """Zero where libcuda is not there or does not initialise: the reason stands on its own rung."""
    require = case.policy.require
    if not require.needs_gpu:
        raise NotApplicable("the policy does not ask for it")
    asked = require.gpus or ">=1"
    offered, evidence = devices(case)
    if Bounds.parse(asked).meets(offered):
        return None
    return case.problem(
        PolicyGpus,
        f"the policy requires {asked} GPUs, CUDA offers {offered}",
        cause="a GPU is missing, masked, or was not given to this environment; or the policy is meant for another",
        evidence=tell(case, *evidence, "/nvml/device_count"),
        fix=PolicyGpus.mend(case),
    )


def devices(case: Case) -> tuple[int, list[str]]:
    """How many devices CUDA offers here, and the pointers that say so."""
    if case.known("/cuda/library", str) is None:
        return 0, ["/cuda/library"]
    if case.known("/cuda/init_code", int) != CUDA_OK:
        return 0, ["/cuda/init_code"]
    return case.known("/cuda/device_count", int) or 0, ["/cuda/device_count"]


class PolicyComputeCapability(Requirement):
    """A GPU has another compute capability than the policy requires.

    What it looks at
        The compute capability of each device that CUDA offers, against require.compute_capability.
    Why it matters
        bfloat16, TF32, FP8 and many kernels need a generation of cards; on an older one they fail or crawl.
    How to mend it
        Run on another card, or change the policy.
    Cannot tell when
        libcuda was not asked or did not answer.
    References
        CUDA programming guide, compute capabilities.
    """

    code, name, rung = "POL102", "policy-compute-capability", "hardware"

    @staticmethod
    def mend(case: Case) -> Fix:
        return _other_card("compute capability")


@question("gpu", PolicyComputeCapability)
def are_the_cards_new_enough_for_the_policy(case: Case) -> Problem | None:
    """As CUDA states it: 90 is 9.0."""
    asked = wanted(case.policy.require.compute_capability)
    pointer = f"{offered_device(case)}/compute_capability"
    have = case.present(pointer, int)
    if Bounds.parse(asked).meets(have / 10):
        return None
    return case.problem(
        PolicyComputeCapability,
        f"{case.subject.label} has compute capability {have // 10}.{have % 10}, the policy requires {asked}",
        cause="this card is of another generation than the policy is made for",
        evidence=[pointer],
        fix=PolicyComputeCapability.mend(case),
    )


class PolicyGpuMemory(Requirement):
    """A GPU has another amount of memory than the policy requires.

    What it looks at
        The memory of each device that CUDA offers, in GiB, against require.gpu_memory_gib.  CUDA states a little less
        than is printed on the box (a 24 GB card has 23.5 to 24 GiB), and for a MIG device its own share.
    Why it matters
        The job would run out of memory after its start instead of before.
    How to mend it
        Run on another card or a larger MIG device, or change the policy.
    Cannot tell when
        libcuda was not asked or did not answer.
    References
        CUDA driver API, cuDeviceTotalMem.
    """

    code, name, rung = "POL103", "policy-gpu-memory", "hardware"

    @staticmethod
    def mend(case: Case) -> Fix:
        return _other_card("amount of memory")


@question("gpu", PolicyGpuMemory)
def have_the_cards_the_memory_that_the_policy_requires(case: Case) -> Problem | None:
    """Total memory: what others use of it at the moment is another question."""
    asked = wanted(case.policy.require.gpu_memory_gib)
    pointer = f"{offered_device(case)}/memory_total_bytes"
    have = case.present(pointer, int) / GIB
    if Bounds.parse(asked).meets(have):
        return None
    return case.problem(
        PolicyGpuMemory,
        f"{case.subject.label} has {have:.2f} GiB of memory, the policy requires {asked}",
        cause="this card, or this share of it, is smaller or larger than the policy is made for",
        evidence=[pointer],
        fix=PolicyGpuMemory.mend(case),
    )


def offered_device(case: Case) -> str:
    """The pointer of the subject among CUDA's devices; not applicable for a card that CUDA does not offer here."""
    if devices(case)[0]:
        case.records("/cuda/devices", CudaDevice)
    if not case.listed("cuda"):
        raise NotApplicable("CUDA does not offer this card here")
    return case.at("cuda")


def _other_card(what: str) -> Fix:
    return Fix(
        title=f"Run on a card with the {what} that the policy requires, or change the policy",
        steps=[Step(where="host", command="nvidia-smi --query-gpu=index,name,compute_cap,memory.total --format=csv")],
        verify="envcheck preflight",
    )

"""Are all GPUs there?  The first layer at which the count drops names the layer to look at."""

from __future__ import annotations

from envcheck.facts import Gpu, ProcGpu
from envcheck.judge import Case, Fix, NotApplicable, Problem, Rule, Step, normal_bus_id, question
from envcheck.rules.presence import pci_cards

from .consequences import TORCH
from .machine import tell

MASK = "CUDA_VISIBLE_DEVICES"


class GpuCountBelowExpected(Rule):
    """Fewer GPUs can be used than this machine has, or than were asked for.

    What it looks at
        The cards on the PCI bus that nvidia holds, the GPUs that NVML lists and that answer, the devices that CUDA
        counts, and the number that the policy asks for.
    Why it matters
        A job that expects eight cards and gets seven fails at its start, or wastes the other seven.
    How to mend it
        Look at the layer where the count drops: bus, driver or CUDA.
    Cannot tell when
        NVML or CUDA gave no answer.  In containers and jobs the bus shows cards of others, and only NVML, CUDA and the
        policy are compared.
    References
        NVIDIA DCGM, DEVICE_COUNT_MISMATCH; leptonai/gpud, gpu-counts.
    """

    code, name, rung = "HWD111", "gpu-count-below-expected", "hardware"
    explains = ("nccl-unhandled-error", "invalid-device-ordinal", *TORCH)

    @staticmethod
    def mend(case: Case) -> Fix:
        return Fix(
            title="Find the missing card",
            steps=[
                Step(where="host", command="lspci -d 10de:", note="on the bus?"),
                Step(where="host", command="nvidia-smi -L", note="known to the driver?"),
                Step(where="host", command="sudo dmesg | grep -E 'NVRM|Xid' | tail -n 40", root=True),
            ],
            verify="nvidia-smi -L | wc -l",
        )


@question("host", GpuCountBelowExpected)
def are_all_gpus_there(case: Case) -> Problem | None:
    """Bus, NVML, CUDA, in this order; then the number that was asked for."""
    if case.known("/nvml/init_code", int) != 0:
        raise NotApplicable("NVML does not answer: see the question whether it does")
    gpus = case.records("/nvml/gpus", Gpu)
    usable = [pointer for pointer, _ in gpus if case.known(f"{pointer}/error_code", int) is None]
    on_bus = _on_bus(case)
    if on_bus is not None and len(on_bus) > len(gpus):
        return _problem(
            case,
            f"{len(on_bus)} NVIDIA cards on the PCI bus, {len(gpus)} known to the driver",
            "the driver did not take a card: it failed to initialise, or is of a generation that this driver does "
            "not drive",
            [*(f"{card}/address" for card in on_bus), "/nvml/device_count"],
        )
    wanted = case.policy.gpus
    if len(usable) < wanted:
        return _problem(
            case,
            f"{wanted} GPUs are required, {len(usable)} can be used",
            "a card is missing, lost, or was not given to this environment",
            ["/nvml/device_count", *(f"{pointer}/error_code" for pointer, _ in gpus)],
        )
    return _in_cuda(case, usable)


def _on_bus(case: Case) -> list[str] | None:
    """The cards that NVML should list; ``None`` where the bus does not speak for this environment."""
    if case.known("/host/system", str) != "Linux" or case.known("/host/wsl", int) is not None:
        return None
    for pointer in ("/host/jetson", "/container/engine", "/container/scheduler"):
        if case.known(pointer, str) is not None:
            return None
    ours = [
        card
        for card in pci_cards(case)
        if case.known(f"{card}/driver", str) in ("nvidia", None) and case.known(f"{card}/power_state", str) != "D3cold"
    ]
    if len(ours) <= len(case.records("/nvml/gpus", Gpu)):
        return ours
    excluded = [
        normal_bus_id(gpu.bus_id)
        for pointer, gpu in case.records("/driver/gpus", ProcGpu)
        if case.known(f"{pointer}/excluded", bool)
    ]
    return [card for card in ours if normal_bus_id(case.known(f"{card}/address", str) or "") not in excluded]


def _in_cuda(case: Case, usable: list[str]) -> Problem | None:
    """MIG and masks change what CUDA counts, on purpose; prohibited cards are left out by it."""
    if case.known("/cuda/library", str) is None or case.known("/cuda/init_code", int) != 0:
        return None
    count = case.known("/cuda/device_count", int) or 0
    if count >= len(usable) or case.variable(MASK) is not None:
        return None
    if any(case.known(f"{pointer}/mig_mode", bool) for pointer in usable):
        return None
    if any(case.known(f"{pointer}/compute_mode", str) != "default" for pointer in usable):
        return None
    return _problem(
        case,
        f"NVML lists {len(usable)} usable GPUs, CUDA counts {count}",
        "CUDA leaves a card out that the driver lists: no access to its device node, or a card that it does not drive",
        ["/nvml/device_count", "/cuda/device_count"],
    )


def _problem(case: Case, summary: str, cause: str, evidence: list[str]) -> Problem:
    return case.problem(
        GpuCountBelowExpected,
        summary,
        cause=cause,
        evidence=tell(case, *evidence),
        fix=GpuCountBelowExpected.mend(case),
    )

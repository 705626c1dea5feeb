"""Is CUDA's GPU 0 also nvidia-smi's GPU 0?"""

from __future__ import annotations

from envcheck.facts import CudaDevice, Gpu
from envcheck.judge import Case, Fix, NotApplicable, Problem, Rule, Step, normal_bus_id, question
from envcheck.rules.presence import has_card


class CudaDeviceOrderMismatch(Rule):
    """CUDA counts the cards in another order than nvidia-smi does.

    What it looks at
        The bus id of each CUDA device against NVML's order, on a machine with unlike cards.
    Why it matters
        CUDA's default is the fastest card first; a job sent to "GPU 0" of nvidia-smi then runs on another card.
    How to mend it
        Let CUDA count in bus order, or choose cards by UUID.
    Cannot tell when
        NVML or libcuda does not answer, or a device does not tell its bus id.
    References
        CUDA programming guide, environment variables, CUDA_DEVICE_ORDER.
    """

    code, name, rung = "DRV307", "cuda-device-order-mismatch", "cuda_driver"
    severity = "warning"

    @staticmethod
    def mend(case: Case) -> Fix:
        return Fix(
            title="Count the cards in bus order, as nvidia-smi does",
            steps=[Step(where="env", command="export CUDA_DEVICE_ORDER=PCI_BUS_ID")],
            verify='python -c "import torch; print(torch.cuda.get_device_name(0))"; nvidia-smi -i 0',
        )


@question("host", CudaDeviceOrderMismatch)
def do_both_count_alike(case: Case) -> Problem | None:
    """Compare the order of the devices that both see: a mask shortens CUDA's list, it must not reorder it."""
    if case.variable("CUDA_VISIBLE_DEVICES") is not None:
        raise NotApplicable("the mask sets CUDA's order")
    if not has_card(case):
        raise NotApplicable("there is no NVIDIA card")
    gpus = case.records("/nvml/gpus", Gpu)
    if len(gpus) < 2:
        raise NotApplicable("there are not two cards to mix up")
    names = [case.known(f"{p}/name", str) for p, _ in gpus]
    if len(set(names)) == 1:
        raise NotApplicable("the cards are alike")
    by_nvml = [case.present(f"{p}/bus_id", str) for p, _ in gpus]
    devices = case.records("/cuda/devices", CudaDevice)
    by_cuda = [normal_bus_id(case.present(f"{p}/bus_id", str)) for p, _ in devices]
    common = [bus for bus in map(normal_bus_id, by_nvml) if bus in by_cuda]
    if by_cuda == common:
        return None
    first = next(i for i, (a, b) in enumerate(zip(by_cuda, common, strict=False)) if a != b)
    return case.problem(
        CudaDeviceOrderMismatch,
        f"CUDA's device {first} is {by_cuda[first]}, while nvidia-smi's is {common[first]}",
        cause="CUDA puts the fastest card first unless CUDA_DEVICE_ORDER says otherwise; NVML goes by the bus",
        evidence=[f"{devices[first][0]}/bus_id", *(f"{p}/bus_id" for p, _ in gpus)],
        fix=CudaDeviceOrderMismatch.mend(case),
    )

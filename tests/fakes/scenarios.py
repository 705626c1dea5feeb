"""Ready machines: healthy ones, and the failures that a user's machine really has."""

from __future__ import annotations

from .boards import A100, GTX_1080_TI, H100, ORIN, RTX_5090, T4, V100
from .build import NVML
from .figures import MIB, Board, identify
from .scenario import Scenario, Value
from .symbols import missing_in

DRIVER = "580.105.08"
"""The driver of a ready machine unless it says otherwise; its CUDA version is 13.0."""

SERVER_SLOTS = tuple(f"0000:{bus}:00.0" for bus in ("1b", "43", "52", "61", "9d", "c3", "d1", "df"))
DESKTOP_SLOTS = ("0000:01:00.0", "0000:02:00.0")
CLOUD_SLOTS = ("0000:00:1e.0",)

OK, NO_PERMISSION, NOT_SUPPORTED, DRIVER_NOT_LOADED, GPU_IS_LOST, LIB_RM_VERSION_MISMATCH = 0, 4, 3, 9, 15, 18


def installed_driver(scenario: Scenario, version: str, cuda: int) -> Scenario:
    """The same machine with another driver: versions and the functions that this driver lacks.

    ``cuda`` is the CUDA version as libcuda gives it, 12020 for 12.2.
    """
    gsp: dict[str, Value] = {
        f"gpu.{index}.gsp_firmware": version
        for index in range(scenario.gpus)
        if f"gpu.{index}.gsp_firmware" in scenario.values
    }
    changed = scenario.but(
        {
            "driver_version": version,
            "driver_branch": f"r{version.split('.')[0]}_00",
            "nvml_version": f"{cuda // 1000}.{version}",
            "cuda_version": cuda,
            "cuda_version_kernel": cuda,
            **gsp,
        }
    )
    return Scenario(changed.values, missing_in(version), changed.libraries)


def machine_of(
    *boards: Board,
    slots: tuple[str, ...] = SERVER_SLOTS,
    topology: int = 30,
    p2p: int = 0,
    driver: str = DRIVER,
    cuda: int = 13000,
) -> Scenario:
    """A machine with these boards in its ``slots`` (PCI addresses).

    ``topology`` is how each pair is joined (30: a host bridge, 50: across processors), ``p2p`` the
    status of every pair's capabilities (0: OK).
    """
    values: dict[str, Value] = {"gpus": len(boards)}
    for index, board in enumerate(boards):
        own: Board = {"minor": index, "uuid": identify(str(board["name"]), index)}
        if "pci_device_id" in board:
            own |= {"bus_id": slots[index], "board_id": int(slots[index][5:7], 16) << 8}
        if board.get("brand") in (2, 14):  # GeForce boards have no serial number
            own["serial"] = f"16500000{index:05d}"
        values |= {f"gpu.{index}.{key}": value for key, value in {**board, **own}.items()}
        for other in range(index):
            values[f"pair.{other}.{index}.topology"] = topology
            values |= {f"pair.{other}.{index}.p2p.{which}": p2p for which in range(5)}
    return installed_driver(Scenario().but(values), driver, cuda)


# ---- healthy ----------------------------------------------------------------------------------


def healthy_h100(count: int = 2) -> Scenario:
    """A server with H100 boards behind NVSwitches, fabric up, driver 580, idle."""
    return machine_of(*[H100] * count, topology=50).but({"confidential.feature": 0, "confidential.gpus_caps": 1})


def hgx_h100() -> Scenario:
    """Eight H100 boards, four for each processor."""
    scenario = healthy_h100(8)
    return scenario.but(
        {f"gpu.{index}.cpu_affinity": "0-55,112-167" if index < 4 else "56-111,168-223" for index in range(8)}
        | {f"gpu.{index}.memory_affinity": str(index // 4) for index in range(8)}
    )


def v100(count: int = 1) -> Scenario:
    """Volta, on the last driver branch that knows it."""
    return machine_of(*[V100] * count, topology=40)


def t4() -> Scenario:
    """A cloud machine: one T4, PCIe x8 of x16, passed through to a guest."""
    return machine_of(T4, slots=CLOUD_SLOTS)


def rtx_5090(count: int = 1) -> Scenario:
    """Blackwell GeForce, compute capability 12.0; no ECC, no NVLink, no peer-to-peer."""
    return machine_of(*[RTX_5090] * count, slots=DESKTOP_SLOTS, p2p=2)


def gtx_1080_ti(count: int = 1) -> Scenario:
    """Pascal GeForce with a display on it: a third of the calls is not supported."""
    return machine_of(*[GTX_1080_TI] * count, slots=DESKTOP_SLOTS)


def unlike_pair() -> Scenario:
    """A GTX 1080 Ti in the first slot and an RTX 5090 in the second: CUDA's order is not NVML's."""
    return machine_of(GTX_1080_TI, RTX_5090, slots=DESKTOP_SLOTS, p2p=5)


def jetson() -> Scenario:
    """A GPU on the SoC: NVML gives a name and hardly anything else."""
    scenario = machine_of(ORIN, driver="540.4.0", cuda=12060)
    for kind in ("Compute", "Graphics", "MPSCompute"):
        scenario = scenario.fault(f"nvmlDeviceGet{kind}RunningProcesses", code=NOT_SUPPORTED)
    return scenario


# ---- MIG --------------------------------------------------------------------------------------


def mig(profiles: tuple[tuple[str, int, int], ...] | None = None) -> Scenario:
    """An A100 in MIG mode.

    ``profiles`` are (name, multiprocessors, MiB) of its instances: 3g, 2g and two 1g unless given; an
    empty tuple is MIG mode without instances, where CUDA finds no device.
    """
    if profiles is None:
        profiles = (("3g.40gb", 42, 40192), ("2g.20gb", 28, 19968), ("1g.10gb", 14, 9728), ("1g.10gb", 14, 9728))
    board: Board = {**A100, "mig_mode": 1}
    # In MIG mode the whole GPU answers neither use nor remapped rows.
    for gone in ("utilization_percent", "memory_utilization_percent", "remapped_rows_corrected", "remapped_banks.max"):
        board.pop(gone, None)
    for slot, (profile, multiprocessors, mib) in enumerate(profiles):
        slices = int(profile[0])
        own: Board = {
            "name": f"{A100['name']} MIG {profile}",
            "uuid": identify(f"MIG {profile}", slot, "MIG-"),
            "gpu_instance": slot + 1,
            "compute_instance": 0,
            "multiprocessors": multiprocessors,
            "memory_total_bytes": mib * MIB,
            "memory_used_bytes": 12 * MIB,
            "bar1_total_bytes": 32767 * MIB,
            "copy_engines": slices,
            "decoders": slices // 2,
            "gpu_slices": slices,
            "compute_slices": slices,
        }
        board |= {f"mig.{slot}.{key}": value for key, value in own.items()}
    return machine_of(board)


def mig_without_instances() -> Scenario:
    """MIG mode is on and nobody made an instance: nvidia-smi lists the GPU, CUDA finds none."""
    return mig(())


# ---- failures ---------------------------------------------------------------------------------


def driver_too_old() -> Scenario:
    """H100 boards on driver 535, CUDA 12.2: healthy, and too old for a CUDA 13 build of torch."""
    return installed_driver(healthy_h100(2), "535.183.01", 12020)


def old_driver(version: str = "470.256.02", cuda: int = 11040) -> Scenario:
    """V100 boards on a driver that lacks the functions of newer ones."""
    return installed_driver(v100(2), version, cuda)


def version_mismatch() -> Scenario:
    """The libraries were upgraded under the loaded module: NVML answers 18, cuInit 803."""
    return healthy_h100(2).fault("nvmlInit", code=LIB_RM_VERSION_MISMATCH).fault("cuInit", code=803)


def driver_not_loaded() -> Scenario:
    """The libraries are there and the kernel module is not."""
    return healthy_h100(2).fault("nvmlInit", code=DRIVER_NOT_LOADED).fault("cuInit", code=100)


def no_permission() -> Scenario:
    """The device nodes may not be opened."""
    return healthy_h100(2).fault("nvmlInit", code=NO_PERMISSION).fault("cuInit", code=100)


def gpu_lost(index: int = 1, *, count: int = 2, handle_answers: bool = False) -> Scenario:
    """One GPU fell off the bus: it is still counted, its handle or its first call answers 15.

    CUDA no longer enumerates it.
    """
    scenario = healthy_h100(count).fault(gpu=index, code=GPU_IS_LOST).gpu(index, {"cuda.hidden": 1})
    return scenario.fault("nvmlDeviceGetHandleByIndex", gpu=index, code=OK) if handle_answers else scenario


def cu_init(code: int, count: int = 2) -> Scenario:
    """NVML is healthy and cuInit answers ``code``."""
    return healthy_h100(count).fault("cuInit", code=code)


def stub_libcuda() -> Scenario:
    """The toolkit's stub of libcuda was loaded: it answers 34 to everything."""
    return healthy_h100(2).but({"cuda.stub": 1})


def without_libcuda() -> Scenario:
    """NVML is there and libcuda is not, as in a container with the ``utility`` capability alone."""
    return healthy_h100(2).only(NVML)


def nvml_hang(function: str = "nvmlInit", *, deaf: bool = False) -> Scenario:
    """A call of NVML never returns."""
    return healthy_h100(2).fault(function, hang="deaf" if deaf else True)


def gpu_hang(index: int, count: int = 8) -> Scenario:
    """Every call on one GPU hangs once its handle is there; the others answer."""
    return healthy_h100(count).fault(gpu=index, hang=True).gpu(index, {"nvmlDeviceGetHandleByIndex.hang": 0})


def nvml_crash(function: str = "nvmlInit") -> Scenario:
    """A call of NVML dies with SIGSEGV."""
    return healthy_h100(2).fault(function, segv=True)


def fabric_not_started() -> Scenario:
    """The fabric manager does not run: NVML is fine, registration is in progress, cuInit answers 802."""
    scenario = cu_init(802)
    return scenario.but({f"gpu.{index}.fabric.state": 2 for index in range(scenario.gpus)})

"""What goes wrong in a scenario goes wrong for the driver's user, where it is asked for and nowhere else."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable

import pytest

from .child import PREAMBLE, ask, ask_gpu, run
from .machine import Deployed
from .scenario import Scenario, Value
from .scenarios import gpu_hang, gpu_lost, healthy_h100, nvml_crash, nvml_hang

Deploy = Callable[[Scenario], Deployed]

# nvml.h; the binding has an exception for each, and the plain NVMLError for a code it does not know.
EXCEPTIONS = {
    1: "Uninitialized",
    2: "InvalidArgument",
    3: "NotSupported",
    4: "NoPermission",
    6: "NotFound",
    7: "InsufficientSize",
    8: "InsufficientPower",
    9: "DriverNotLoaded",
    10: "Timeout",
    11: "IrqIssue",
    12: "LibraryNotFound",
    13: "FunctionNotFound",
    14: "CorruptedInforom",
    15: "GpuIsLost",
    16: "ResetRequired",
    17: "OperatingSystem",
    18: "LibRmVersionMismatch",
    20: "Memory",
    999: "Unknown",
}


def test_every_code_raises_its_exception(deploy: Deploy) -> None:
    """Each nvmlReturn_t reaches Python as the binding's own exception, and an unknown one keeps its number."""
    codes = [*EXCEPTIONS, 4711]
    scenario = Scenario().but({"gpus": len(codes), "gpu.*.name": "Tesla T4"})
    for index, code in enumerate(codes):
        scenario = scenario.fault("nvmlDeviceGetName", gpu=index, code=code)
    body = f"""
nvmlInit()
answer = []
for index in range({len(codes)}):
    try:
        nvmlDeviceGetName(nvmlDeviceGetHandleByIndex(index))
    except NVMLError as error:
        answer.append([error.value, type(error).__name__.removeprefix("NVMLError_")])
"""
    assert ask(deploy(scenario), body) == [[code, EXCEPTIONS.get(code, "NVMLError")] for code in codes]


@pytest.mark.parametrize("code", [4, 9, 18, 999])
def test_init_fails_by_either_of_its_names(deploy: Deploy, code: int) -> None:
    """A fault of nvmlInit meets the binding's nvmlInitWithFlags and torch's plain nvmlInit."""
    body = "answer = [code(nvmlInit), pynvml.nvmlLib.nvmlInit(), pynvml.nvmlLib.nvmlInit_v2()]"
    assert ask(deploy(healthy_h100().fault("nvmlInit", code=code)), body) == [code] * 3


def test_one_lost_gpu_leaves_the_other_alone(deploy: Deploy) -> None:
    """It is still counted; its handle answers 15, or its handle comes and every call on it answers 15."""
    body = """
nvmlInit()
answer = [nvmlDeviceGetCount(), code(nvmlDeviceGetHandleByIndex, 1)]
answer += [nvmlDeviceGetMinorNumber(nvmlDeviceGetHandleByIndex(0))]
if not answer[1]:
    lost = nvmlDeviceGetHandleByIndex(1)
    answer += [code(nvmlDeviceGetName, lost), code(nvmlDeviceGetTemperature, lost, 0)]
"""
    assert ask(deploy(gpu_lost(1)), body) == [2, 15, 0]
    assert ask(deploy(gpu_lost(1, handle_answers=True)), body) == [2, 0, 0, 15, 15]


def test_the_most_specific_level_decides(deploy: Deploy) -> None:
    """A GPU's function before the GPU, the GPU before a function anywhere, that before all GPUs and the library."""
    scenario = Scenario().but(
        {
            "gpus": 4,
            "gpu.*.name": "Tesla T4",
            "gpu.*.uuid": "GPU-0",
            "nvml.nvmlDeviceGetName.return": 3,
            "gpu.1.return": 15,
            "gpu.1.nvmlDeviceGetHandleByIndex.return": 0,
            "gpu.2.nvmlDeviceGetName.return": 16,
            "gpu.3.nvmlDeviceGetName.return": 0,
            "gpu.*.nvmlDeviceGetUUID.return": 999,
        }
    )
    body = """
nvmlInit()
handles = [nvmlDeviceGetHandleByIndex(index) for index in range(4)]
answer = [[code(call, handle) for handle in handles] for call in (nvmlDeviceGetName, nvmlDeviceGetUUID)]
"""
    assert ask(deploy(scenario), body) == [[3, 15, 16, 0], [999, 15, 999, 999]]


def test_a_function_name_stands_for_its_versions(deploy: Deploy) -> None:
    """``nvmlDeviceGetMemoryInfo`` meets both forms, ``..._v2`` that form alone."""
    body = "answer = [code(nvmlDeviceGetMemoryInfo, h), code(nvmlDeviceGetMemoryInfo, h, nvmlMemory_v2)]"
    assert ask_gpu(deploy(healthy_h100().fault("nvmlDeviceGetMemoryInfo", code=3)), body) == [3, 3]
    assert ask_gpu(deploy(healthy_h100().fault("nvmlDeviceGetMemoryInfo_v2", code=3)), body) == [0, 3]


def test_faults_of_a_gpu_reach_its_mig_devices(deploy: Deploy) -> None:
    """What befalls a GPU befalls its parts."""
    values: dict[str, Value] = {"gpus": 1, "gpu.0.mig_mode": 1, "gpu.0.mig_max_devices": 7, "gpu.0.mig.0.uuid": "MIG-0"}
    scenario = Scenario().but(values).fault("nvmlDeviceGetUUID", gpu=0, code=999)
    body = "answer = code(nvmlDeviceGetUUID, nvmlDeviceGetMigDeviceHandleByIndex(h, 0))"
    assert ask_gpu(deploy(scenario), body) == 999


def test_faults_can_be_put_off(deploy: Deploy) -> None:
    """``after_calls`` lets so many calls through; ``after_ms`` waits for the time."""
    scenario = healthy_h100().fault("nvmlDeviceGetName", gpu=0, code=15, after_calls=2)
    scenario = scenario.fault("nvmlDeviceGetTemperature", gpu=0, code=15, after_ms=150)
    body = """
answer = [code(nvmlDeviceGetName, h) for _ in range(4)] + [code(nvmlDeviceGetTemperature, h, 0)]
time.sleep(0.2)
answer.append(code(nvmlDeviceGetTemperature, h, 0))
"""
    assert ask_gpu(deploy(scenario), body) == [0, 0, 15, 15, 0, 15]


def test_a_delay_delays_and_answers(deploy: Deploy) -> None:
    """The first call on a machine without persistence may take seconds and is no failure."""
    body = "begin = time.monotonic(); nvmlInit(); answer = time.monotonic() - begin"
    assert 0.2 <= ask(deploy(healthy_h100().fault("nvmlInit", delay_ms=200)), body) < 5


def test_a_hang_never_returns(deploy: Deploy) -> None:
    """The child is still inside the call when its time is up."""
    with pytest.raises(subprocess.TimeoutExpired):
        run(deploy(nvml_hang()), "nvmlInit()", timeout=0.7)


def test_one_hung_gpu_leaves_the_others_alone(deploy: Deploy) -> None:
    """Every GPU but the sick one answers before and after."""
    body = """
nvmlInit()
answer = [nvmlDeviceGetIndex(nvmlDeviceGetHandleByIndex(index)) for index in range(8) if index != 3]
sick = nvmlDeviceGetHandleByIndex(3)
"""
    assert ask(deploy(gpu_hang(3)), body) == [0, 1, 2, 4, 5, 6, 7]
    with pytest.raises(subprocess.TimeoutExpired):
        run(deploy(gpu_hang(3)), f"{body}\nnvmlDeviceGetName(sick)", timeout=0.7)


@pytest.mark.parametrize(("deaf", "ending"), [(False, -signal.SIGTERM), (True, -signal.SIGKILL)])
def test_only_a_deaf_hang_survives_sigterm(deploy: Deploy, deaf: bool, ending: int) -> None:
    """``hang = 1`` ends at SIGTERM; ``hang = deaf`` at SIGKILL alone."""
    deployed = deploy(nvml_hang(deaf=deaf))
    script = f"{PREAMBLE}\nprint('calling', flush=True)\nnvmlInit()"
    with subprocess.Popen(
        [sys.executable, "-c", script], env=deployed.environment(), stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "calling\n"
        time.sleep(0.2)
        child.terminate()
        if deaf:
            with pytest.raises(subprocess.TimeoutExpired):
                child.wait(0.3)
            child.kill()
        assert child.wait(10) == ending


def test_a_crash_kills_the_child(deploy: Deploy) -> None:
    """SIGSEGV, in the call that was named and not before."""
    assert run(deploy(nvml_crash()), "nvmlInit()").returncode == -signal.SIGSEGV
    done = run(
        deploy(nvml_crash("nvmlDeviceGetName")),
        "nvmlInit(); print('in', flush=True)\nnvmlDeviceGetName(\n    nvmlDeviceGetHandleByIndex(0))",
    )
    assert (done.returncode, done.stdout) == (-signal.SIGSEGV, "in\n")


def test_a_corrupt_inforom_answers_14(deploy: Deploy) -> None:
    """``inforom_valid = 0`` is the one key that is an error code and not a value."""
    body = "answer = code(nvmlDeviceValidateInforom, h)"
    assert ask_gpu(deploy(healthy_h100()), body) == 0
    assert ask_gpu(deploy(healthy_h100().gpu(0, inforom_valid=0)), body) == 14


TRACED = "nvmlInit(); answer = nvmlDeviceGetName(nvmlDeviceGetHandleByIndex(0))"


def test_the_trace_names_every_call(deploy: Deploy, tmp_path: object) -> None:
    """Which functions were called, and on what: a test can tell that nothing was set or reset."""
    path = f"{tmp_path}/calls.txt"
    ask(deploy(healthy_h100().but({"trace": path})), TRACED)
    with open(path, encoding="utf-8") as file:
        calls = [line.split()[1:] for line in file]
    assert calls == [
        ["nvmlInitWithFlags", "-"],
        ["nvmlDeviceGetHandleByIndex_v2", "gpu.0"],
        ["nvmlDeviceGetName", "gpu.0"],
    ]


def test_a_broken_scenario_is_loud(deploy: Deploy) -> None:
    """A line that cannot be understood, or no file at all, ends the process and never passes for an answer."""
    deployed = deploy(healthy_h100())
    for content in ("gpus 2\n", None):
        path = f"{deployed.root}/other.txt"
        if content is not None:
            with open(path, "w", encoding="utf-8") as file:
                file.write(content)
        done = run(deployed, "nvmlInit()", {"ENVCHECK_FAKE": path if content is not None else f"{path}.gone"})
        assert done.returncode == -signal.SIGABRT
        assert "envcheck fake driver" in done.stderr

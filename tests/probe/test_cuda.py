"""libcuda asked directly: which file was loaded, whether it starts, and which devices it gives in its own order."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from envcheck.facts import CUDA_ERRORS, Unread
from tests.fakes import scenarios
from tests.fakes.machine import Deployed
from tests.fakes.scenario import Scenario
from tests.probe.conftest import ALONE, Ask, Told


@pytest.fixture
def cuda(ask: Ask, deploy: Callable[[Scenario], Deployed]) -> Callable[..., Told]:
    def run(scenario: Scenario, variables: dict[str, str] | None = None, **more: Any) -> Told:
        return ask("cuda", flags=ALONE, environ={**deploy(scenario).environ, **(variables or {})}, **more)

    return run


def test_a_healthy_server(cuda: Callable[..., Told]) -> None:
    """Library, versions, and each device with the attributes that the scenario gives it."""
    told = cuda(scenarios.healthy_h100(2))
    facts = told.facts
    assert (told.code, told.stderr) == (0, "")
    assert Path(facts.library).name == "libcuda.so.580.105.08"
    assert (facts.load_error, facts.driver_version) == (None, 13000)
    assert (facts.init_code, facts.init_name, facts.device_count) == (0, "CUDA_SUCCESS", 2)
    first = facts.devices[0]
    expected = {
        "ordinal": 0,
        "name": "NVIDIA H100 80GB HBM3",
        "bus_id": "0000:1b:00.0",
        "compute_capability": 90,
        "multiprocessors": 132,
        "clock_khz": 1_980_000,
        "memory_clock_khz": 2_619_000,
        "bus_width_bits": 5120,
        "l2_bytes": 50 << 20,
        "kernel_timeout": False,
        "compute_mode": 0,
        "integrated": False,
    }
    assert {name: getattr(first, name) for name in expected} == expected
    assert first.uuid.startswith("GPU-")
    assert first.memory_total_bytes > 79 << 30


@pytest.mark.parametrize("code", [3, 100, 304, 802, 803, 804, 999])
def test_a_start_that_fails_has_its_code_and_name(cuda: Callable[..., Told], code: int) -> None:
    """The number that cuInit gave, with libcuda's own name for it; devices are then nobody's to tell."""
    facts = cuda(scenarios.cu_init(code)).facts
    assert (facts.init_code, facts.init_name) == (code, CUDA_ERRORS[code])
    assert facts.device_count == facts.devices == Unread("missing", f"cuInit answered {code}")
    assert facts.driver_version == 13000


def test_the_toolkits_stub(cuda: Callable[..., Told]) -> None:
    """Every call of the stub answers 34, the question for the name of 34 as well."""
    facts = cuda(scenarios.stub_libcuda()).facts
    assert (facts.init_code, facts.init_name) == (34, CUDA_ERRORS[34])
    assert facts.driver_version == Unread("unsupported", "cuDriverGetVersion answered 34")


def test_no_libcuda(cuda: Callable[..., Told]) -> None:
    """The loader's words verbatim, and nothing behind them."""
    facts = cuda(scenarios.without_libcuda()).facts
    if facts.library is not None:
        pytest.skip("this machine has a driver")
    assert facts.load_error == "libcuda.so.1: cannot open shared object file: No such file or directory"
    assert facts.init_code == Unread("missing", "libcuda could not be loaded")


def test_a_mask_that_hides_every_device(cuda: Callable[..., Told]) -> None:
    """The child sees the user's CUDA_VISIBLE_DEVICES."""
    assert cuda(scenarios.healthy_h100(2), {"CUDA_VISIBLE_DEVICES": "-1"}).facts.init_code == 100
    assert cuda(scenarios.healthy_h100(2), {"CUDA_VISIBLE_DEVICES": "1"}).facts.devices[0].bus_id == "0000:43:00.0"


def test_the_order_is_cudas_own(cuda: Callable[..., Told]) -> None:
    """Fastest first unless CUDA_DEVICE_ORDER says otherwise: ordinals are not NVML's indices."""
    fastest = cuda(scenarios.unlike_pair()).facts.devices
    by_bus = cuda(scenarios.unlike_pair(), {"CUDA_DEVICE_ORDER": "PCI_BUS_ID"}).facts.devices
    assert [item.ordinal for item in fastest] == [item.ordinal for item in by_bus] == [0, 1]
    assert [item.uuid for item in fastest] == [item.uuid for item in by_bus][::-1]


def test_a_mig_device_has_its_own_uuid(cuda: Callable[..., Told]) -> None:
    """It answers with "MIG-": the second form of the call tells it from its card."""
    (device,) = cuda(scenarios.mig()).facts.devices
    assert device.uuid.startswith("MIG-")
    assert device.multiprocessors == 42


@pytest.mark.parametrize("symbol", ["cuDeviceGetUuid_v2", "cuDeviceTotalMem_v2", "cuDeviceGetPCIBusId"])
def test_an_old_driver_lacks_a_function(cuda: Callable[..., Told], symbol: str) -> None:
    """What has an older form is told by it; what has none is that fact's ignorance alone."""
    scenario = scenarios.healthy_h100(1)
    (device,) = cuda(Scenario(scenario.values, scenario.hidden | {symbol}, scenario.libraries)).facts.devices
    unread = {name for name in device.__struct_fields__ if isinstance(getattr(device, name), Unread)}
    lost = {"cuDeviceTotalMem_v2": {"memory_total_bytes"}, "cuDeviceGetPCIBusId": {"bus_id"}}
    assert unread == lost.get(symbol, set())


@pytest.mark.parametrize(("fault", "code"), [({"hang": True}, None), ({"segv": True}, -11)], ids=["hang", "crash"])
def test_a_start_that_never_returns(cuda: Callable[..., Told], fault: dict[str, bool], code: int | None) -> None:
    """The library and its version are written down before cuInit is called."""
    scenario = scenarios.healthy_h100(1).fault("cuInit", **fault)
    told = cuda(scenario, until=lambda plain: "driver_version" in plain and code is None)
    assert told.code == code
    assert told.facts.driver_version == 13000
    assert told.facts.init_code == Unread("not_asked")


def test_a_damaged_library(ask: Ask, tmp_path: Path) -> None:
    """The loader's words name the file that it refused."""
    (tmp_path / "libcuda.so.1").write_bytes(b"\0" * 100)
    facts = ask("cuda", flags=ALONE, environ={"LD_LIBRARY_PATH": str(tmp_path)}).facts
    assert facts.load_error == f"{tmp_path}/libcuda.so.1: invalid ELF header"

"""Values that change: growing counters, series, field values, events, profiling metrics."""

from __future__ import annotations

from collections.abc import Callable

from .child import ask_gpu
from .machine import Deployed
from .scenario import Scenario
from .scenarios import healthy_h100

Deploy = Callable[[Scenario], Deployed]


def test_counters_grow_by_call_and_by_time(deploy: Deploy) -> None:
    """A rate can be judged: ``+N/call`` and ``+N/s``, beyond 32 bits too."""
    scenario = Scenario().but(
        {"gpus": 1, "gpu.0.pcie_replays": "100 +3/call", "gpu.0.energy_mj": "5000000000 +10000/s"}
    )
    body = """
replays = [nvmlDeviceGetPcieReplayCounter(h) for _ in range(3)]
first = nvmlDeviceGetTotalEnergyConsumption(h); time.sleep(0.1)
answer = [replays, first >= 5000000000, nvmlDeviceGetTotalEnergyConsumption(h) - first]
"""
    replays, large, grown = ask_gpu(deploy(scenario), body)
    assert replays == [100, 103, 106]
    assert large
    assert 900 <= grown < 20000


def test_a_series_is_answered_in_turn(deploy: Deploy) -> None:
    """An idle link reads generation 1 and the busy one 5; the last value stays."""
    scenario = Scenario().but({"gpus": 1, "gpu.0.pcie_generation": "1 | 1 | 5"})
    body = "answer = [nvmlDeviceGetCurrPcieLinkGeneration(h) for _ in range(5)]"
    assert ask_gpu(deploy(scenario), body) == [1, 1, 5, 5, 5]


def test_a_star_stands_for_any_number(deploy: Deploy) -> None:
    """The exact key counts first, then the key whose rightmost number is free, then the others."""
    scenario = Scenario().but(
        {
            "gpus": 2,
            "gpu.*.nvlink.*.active": 1,
            "gpu.*.nvlink.2.active": 2,
            "gpu.1.nvlink.*.active": 3,
            "gpu.1.nvlink.2.active": 4,
        }
    )
    body = """
gpus = [h, nvmlDeviceGetHandleByIndex(1)]
answer = [nvmlDeviceGetNvLinkState(gpu, link) for gpu in gpus for link in (1, 2)]
"""
    assert ask_gpu(deploy(scenario), body) == [1, 2, 3, 4]


def test_field_values_have_types_scopes_and_errors(deploy: Deploy) -> None:
    """One call answers each field by itself: the right member of the union, its own error code, its scope."""
    scenario = Scenario().but(
        {
            "gpus": 1,
            "gpu.0.field.82": 44,
            "gpu.0.field.83": 6000000000,
            "gpu.0.field.83.type": 3,
            "gpu.0.field.186": "68.5",
            "gpu.0.field.186.type": 0,
            "gpu.0.field.193": -8,
            "gpu.0.field.193.type": 5,
            "gpu.0.field.230": 1,
            "gpu.0.field.231.return": 15,
            "gpu.0.field.138.3": 25781,
            "gpu.0.field.138.4": 12,
            "gpu.0.field.138.4.type": 6,
            "gpu.0.field.138.5": 1,
            "gpu.0.field.138.5.return": 999,
        }
    )
    body = """
fields = nvmlDeviceGetFieldValues(h, [82, 83, 186, 193, 230, 231, 5, (138, 3), (138, 4), (138, 5), (138, 6)])
members = {0: "dVal", 1: "uiVal", 3: "ullVal", 5: "siVal", 6: "usVal"}
answer = [[f.fieldId, f.nvmlReturn, getattr(f.value, members[f.valueType])] for f in fields]
assert all(abs(f.timestamp / 1e6 - time.time()) < 60 for f in fields)
"""
    assert ask_gpu(deploy(scenario), body) == [
        [82, 0, 44],
        [83, 0, 6000000000],
        [186, 0, 68.5],
        [193, 0, -8],
        [230, 0, 1],
        [231, 15, 0],
        [5, 3, 0],
        [138, 0, 25781],
        [138, 0, 12],
        [138, 999, 1],
        [138, 3, 0],
    ]


def test_negative_temperatures_keep_their_sign(deploy: Deploy) -> None:
    """The margin to the limit goes below zero when the limit is passed."""
    scenario = Scenario().but({"gpus": 1, "gpu.0.temperature_margin_c": -2})
    assert ask_gpu(deploy(scenario), "answer = nvmlDeviceGetMarginTemperature(h)") == -2


def test_events_come_after_registration_and_in_time(deploy: Deploy) -> None:
    """An Xid reaches who registered for it, once; a wait without an event ends with 10 at its time-out."""
    scenario = healthy_h100(2).but(
        {
            "event.0.gpu": 1,
            "event.0.type": 8,
            "event.0.data": 31,
            "event.1.gpu": 0,
            "event.1.type": 8,
            "event.1.data": 79,
            "event.1.after_ms": 60,
        }
    )
    body = """
events = nvmlEventSetCreate()
refused = code(nvmlDeviceRegisterEvents, h, 1 << 40, events)
nvmlDeviceRegisterEvents(h, nvmlEventTypeXidCriticalError, events)
event = nvmlEventSetWait(events, 5000)
begin = time.monotonic()
answer = [refused, event.eventType, event.eventData, nvmlDeviceGetIndex(event.device)]
answer += [code(nvmlEventSetWait, events, 50)]
assert time.monotonic() - begin >= 0.045
nvmlEventSetFree(events)
"""
    assert ask_gpu(deploy(scenario), body) == [3, 8, 79, 0, 10]


def test_profiling_metrics_need_two_samples_of_one_gpu(deploy: Deploy) -> None:
    """A metric that the scenario gives is answered as a double, another has its own error code."""
    scenario = healthy_h100(1).gpu(0, {"gpm.2": 97.5, "gpm.10": 41})
    body = """
samples = [nvmlGpmSampleAlloc(), nvmlGpmSampleAlloc()]
get = c_nvmlGpmMetricsGet_t(NVML_GPM_METRICS_GET_VERSION, 3, samples[0], samples[1])
for index, metric in enumerate((2, 10, 11)):
    get.metrics[index].metricId = metric
early = code(nvmlGpmMetricsGet, get)
for sample in samples:
    nvmlGpmSampleGet(h, sample)
nvmlGpmMetricsGet(get)
answer = [early] + [[m.metricId, m.nvmlReturn, m.value] for m in get.metrics[:3]]
for sample in samples:
    nvmlGpmSampleFree(sample)
"""
    assert ask_gpu(deploy(scenario), body) == [2, [2, 0, 97.5], [10, 0, 41.0], [11, 3, 0.0]]

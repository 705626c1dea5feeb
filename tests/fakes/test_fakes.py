"""The fake keeps NVML's binary interface: layouts, version words, buffers, sessions, handles, symbols."""

from __future__ import annotations

import re
from collections.abc import Callable
from ctypes.util import find_library
from dataclasses import replace

import pytest

from .build import HERE, exported_functions
from .child import ask, ask_gpu
from .machine import Deployed
from .scenario import Scenario
from .scenarios import healthy_h100, mig, old_driver, v100, without_libcuda
from .symbols import SINCE, missing_in

Deploy = Callable[[Scenario], Deployed]

# Calls that fill a versioned structure: the structure and its version.
VERSIONED = {
    "nvmlDeviceGetMemoryInfo_v2": ("c_nvmlMemory_v2_t", 2),
    "nvmlDeviceGetTemperatureV": ("c_nvmlTemperature_v1_t", 1),
    "nvmlDeviceGetMarginTemperature": ("c_nvmlMarginTemperature_v1_t", 1),
    "nvmlDeviceGetSramEccErrorStatus": ("c_nvmlEccSramErrorStatus_v1_t", 1),
    "nvmlDeviceGetRepairStatus": ("c_nvmlRepairStatus_t", 1),
    "nvmlDeviceGetAddressingMode": ("c_nvmlDeviceAddressingMode_t", 1),
    "nvmlDeviceGetPdi": ("c_nvmlPdi_t", 1),
    "nvmlDeviceGetNvLinkInfo": ("c_nvmlNvLinkInfo_v1_t", 1),
    "nvmlDeviceGetPlatformInfo": ("c_nvmlPlatformInfo_v2_t", 2),
    "nvmlDeviceGetGpuFabricInfoV": ("c_nvmlGpuFabricInfo_v2_t", 2),
}
# Other calls that fill a structure.
FILLING = {
    "nvmlDeviceGetMemoryInfo": "c_nvmlMemory_t",
    "nvmlDeviceGetBAR1MemoryInfo": "c_nvmlBAR1Memory_t",
    "nvmlDeviceGetUtilizationRates": "c_nvmlUtilization_t",
    "nvmlDeviceGetPciInfo_v3": "nvmlPciInfo_t",
    "nvmlDeviceGetPciInfo_v2": "nvmlPciInfo_v2_t",
    "nvmlDeviceGetGpuFabricInfo": "c_nvmlGpuFabricInfo_t",
    "nvmlDeviceGetAttributes_v2": "c_nvmlDeviceAttributes",
    "nvmlDeviceGetRowRemapperHistogram": "c_nvmlRowRemapperHistogramValues",
    "nvmlDeviceGetRemappedRows_v2": "c_nvmlRemappedRowsInfo_v2_t",
    "nvmlDeviceGetGridLicensableFeatures_v4": "c_nvmlGridLicensableFeatures_v4_t",
    "nvmlDeviceGetC2cModeInfoV": "c_nvmlC2cModeInfo_v1_t",
}


def complete() -> Scenario:
    """A GPU that has an answer for every call that fills a structure, on a driver that has every function."""
    scenario = healthy_h100(2).gpu(0, {"platform.chassis": "1234567890123456", "license.state": 1})
    return replace(scenario.gpu(0, pdi=1, nvlink_encryption=0), hidden=frozenset())


def test_layouts_have_the_sizes_of_the_binding(deploy: Deploy) -> None:
    """A structure that is larger in C than in Python would write past Python's buffer."""
    names = re.findall(r"STRUCT\((\w+), \d+", (HERE / "nvml.h").read_text(encoding="utf-8"))
    body = f"""
library = ctypes.CDLL("libnvidia-ml.so.1")
library.envcheck_fake_sizeof.restype = ctypes.c_size_t
answer = {{name: [library.envcheck_fake_sizeof(name.encode()), ctypes.sizeof(getattr(pynvml, name))]
          for name in {names!r}}}
"""
    sizes = ask(deploy(complete()), body)
    assert len(sizes) > 35
    assert {name: size for name, size in sizes.items() if size[0] != size[1]} == {}


def test_no_call_writes_past_the_callers_structure(deploy: Deploy) -> None:
    """Each call that fills a structure leaves the bytes behind it alone, and does fill it."""
    calls = {**{name: struct for name, (struct, _) in VERSIONED.items()}, **FILLING}
    versions = {name: version for name, (_, version) in VERSIONED.items()}
    body = f"""
answer = {{}}
for name, struct in {calls!r}.items():
    size, version = ctypes.sizeof(getattr(pynvml, struct)), {versions!r}.get(name)
    buffer = (ctypes.c_ubyte * (size + 256))(*[0xA5] * (size + 256))
    if version:
        ctypes.c_uint.from_buffer(buffer).value = size | version << 24
    if name == "nvmlDeviceGetTemperatureV":
        ctypes.c_uint.from_buffer(buffer, 4).value = 0
    before = bytes(buffer)
    rc = getattr(pynvml.nvmlLib, name)(h, buffer)
    answer[name] = [rc, bytes(buffer)[:size] != before[:size], bytes(buffer)[size:] == before[size:]]
"""
    answers = ask_gpu(deploy(complete()), body)
    assert {name: answer for name, answer in answers.items() if answer != [0, True, True]} == {}


def test_no_text_is_written_past_the_callers_buffer(deploy: Deploy) -> None:
    """A buffer that is too short answers 7 and stays as it was; one that just fits is filled."""
    body = """
def ask_name(room):
    buffer = ctypes.create_string_buffer(b"?" * 64)
    return [pynvml.nvmlLib.nvmlDeviceGetName(h, buffer, room), buffer.raw.decode().rstrip("\\0")]
answer = [ask_name(8), ask_name(9)]
"""
    short, fits = ask_gpu(deploy(Scenario().but({"gpus": 1, "gpu.0.name": "Tesla T4"})), body)
    assert short == [7, "?" * 64]
    assert fits == [0, "Tesla T4\0" + "?" * 55]


def test_wrong_version_words_answer_25(deploy: Deploy) -> None:
    """A structure of the wrong size or version is refused, as NVML refuses it, and left alone."""
    body = f"""
answer = {{}}
for name, (struct, version) in {VERSIONED!r}.items():
    size = ctypes.sizeof(getattr(pynvml, struct))
    for word in (0, size, size + 4 | version << 24, size | 9 << 24):
        buffer = (ctypes.c_uint * (size // 4 + 16))(word)
        answer[f"{{name}} {{word:#x}}"] = [getattr(pynvml.nvmlLib, name)(h, buffer), any(list(buffer)[1:])]
support = c_nvmlGpmSupport_t(2)
answer["gpm"] = [pynvml.nvmlLib.nvmlGpmQueryDeviceSupport(h, ctypes.byref(support)), False]
settings = c_nvmlSystemConfComputeSettings_v1_t()
settings.version += 4
answer["settings"] = [nvmlSystemGetConfComputeSettings(ctypes.byref(settings)), False]
"""
    answers = ask_gpu(deploy(complete()), body)
    assert len(answers) == 4 * len(VERSIONED) + 2
    assert {call: answer for call, answer in answers.items() if answer != [25, False]} == {}


def test_older_drivers_know_older_versions_only(deploy: Deploy) -> None:
    """``max_version`` makes a driver that refuses the newer form of a structure and takes the older."""
    scenario = complete().but({"nvml.nvmlDeviceGetGpuFabricInfoV.max_version": 2})
    body = """
answer = [code(nvmlDeviceGetGpuFabricInfoV, h, ctypes.byref(struct()))
          for struct in (c_nvmlGpuFabricInfo_v2_t, c_nvmlGpuFabricInfo_v3_t)]
"""
    assert ask_gpu(deploy(complete()), body) == [0, 0]
    assert ask_gpu(deploy(scenario), body) == [0, 25]


def test_a_session_must_be_open(deploy: Deploy) -> None:
    """Before nvmlInit and after as many nvmlShutdown every call answers 1."""
    body = """
pynvml._LoadNvmlLibrary()
answer = [code(nvmlDeviceGetCount), code(nvmlShutdown)]
nvmlInit(); nvmlInit(); nvmlShutdown()
h = nvmlDeviceGetHandleByIndex(0)
answer += [code(nvmlDeviceGetName, h)]
nvmlShutdown()
answer += [code(nvmlDeviceGetName, h), code(nvmlDeviceGetHandleByIndex, 0)]
"""
    assert ask(deploy(healthy_h100(1)), body) == [1, 1, 0, 1, 1]


def test_handles_are_found_three_ways(deploy: Deploy) -> None:
    """By index, UUID and bus id one finds the same GPU; what is not there is 2 or 6, a stray pointer is 2."""
    scenario = healthy_h100(2)
    body = f"""
first = nvmlDeviceGetUUID(nvmlDeviceGetHandleByUUID({scenario.get("gpu.1.uuid")!r}))
second = nvmlDeviceGetUUID(nvmlDeviceGetHandleByPciBusId("00000000:43:00.0"))
answer = [first, second, code(nvmlDeviceGetHandleByIndex, 2), code(nvmlDeviceGetHandleByUUID, "GPU-0"),
          code(nvmlDeviceGetHandleByPciBusId, "0000:99:00.0"), code(nvmlDeviceGetHandleByPciBusId, "nonsense"),
          code(nvmlDeviceGetName, ctypes.c_void_p(ctypes.addressof(ctypes.c_int()))), code(nvmlDeviceGetName, None)]
"""
    own = scenario.get("gpu.1.uuid")
    assert ask_gpu(deploy(scenario), body) == [own, own, 2, 6, 6, 2, 2, 2]


def test_an_old_driver_lacks_newer_functions(deploy: Deploy) -> None:
    """A hidden symbol is not in the library: the binding raises FunctionNotFound, and the rest still works."""
    scenario = old_driver("470.256.02", 11040)
    names = sorted(exported_functions())
    body = f"""
answer = {{name: code(pynvml._nvmlGetFunctionPointer, name) for name in {names!r} if name.startswith("nvml")}}
answer["name"] = nvmlDeviceGetName(h)
"""
    answers = ask_gpu(deploy(scenario), body)
    assert answers.pop("name") == "Tesla V100-SXM2-16GB"
    assert {name for name, code in answers.items() if code == 13} == missing_in("470.256.02")
    assert {code for name, code in answers.items() if name not in missing_in("470.256.02")} == {0}


def test_functions_appear_in_the_version_that_brought_them() -> None:
    """535.161.07 has the SRAM status and 535.104.05 not yet; every listed function is one of the fake's."""
    assert "nvmlDeviceGetSramEccErrorStatus" in missing_in("535.104.05")
    assert "nvmlDeviceGetSramEccErrorStatus" not in missing_in("535.161.07")
    assert missing_in("375.20") == set(SINCE)
    assert not missing_in("610.43.03")
    assert set(SINCE) <= exported_functions()


def test_every_function_is_exported(deploy: Deploy) -> None:
    """What ``exported_functions`` reads from the sources is what the loader finds, in both libraries."""
    body = f"""
libraries = {{"nvml": ctypes.CDLL("libnvidia-ml.so.1"), "cu": ctypes.CDLL("libcuda.so.1")}}
answer = [name for name in {sorted(exported_functions())!r}
          if not hasattr(libraries["nvml" if name.startswith("nvml") else "cu"], name)]
"""
    assert ask(deploy(complete()), body) == []
    assert len(exported_functions()) > 150


def test_sonames_serve_later_lookups(deploy: Deploy) -> None:
    """A library loaded by its path answers for its soname, as the binding looks it up by name alone."""
    deployed = deploy(v100())
    folder = deployed.environ.pop("LD_LIBRARY_PATH")
    body = f"""
ctypes.CDLL({folder!r} + "/libnvidia-ml.so.1")
nvmlInit()
answer = nvmlDeviceGetName(nvmlDeviceGetHandleByIndex(0))
"""
    assert ask(deployed, body) == "Tesla V100-SXM2-16GB"


def test_cuda_version_is_asked_of_libcuda(deploy: Deploy) -> None:
    """The call with _v2 asks the libcuda that the loader finds and answers 12 where there is none."""
    scenario = healthy_h100(1).but({"cuda_version": 13000, "cuda_version_kernel": 12020})
    body = "answer = [nvmlSystemGetCudaDriverVersion_v2(), nvmlSystemGetCudaDriverVersion()]"
    assert ask_gpu(deploy(scenario), body) == [13000, 12020]
    if find_library("cuda"):
        pytest.skip("this machine has a libcuda of its own, which the loader finds")
    body = "answer = [code(nvmlSystemGetCudaDriverVersion_v2), nvmlSystemGetCudaDriverVersion()]"
    assert ask_gpu(deploy(without_libcuda()), body) == [12, 13000]


def test_a_cleaned_environment_does_not_lose_the_scenario(deploy: Deploy) -> None:
    """Without ENVCHECK_FAKE the library reads the scenario beside itself."""
    deployed = deploy(mig())
    del deployed.environ["ENVCHECK_FAKE"]
    assert ask_gpu(deployed, "answer = nvmlDeviceGetMigMode(h)") == [1, 1]

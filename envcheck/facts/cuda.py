"""What libcuda says when it is asked directly, without torch."""

from __future__ import annotations

from .fact import NOT_ASKED, Fact, Record, Section


class CudaDevice(Record, frozen=True, kw_only=True):
    """One device in CUDA's own order (CUDA_DEVICE_ORDER applies), by cuDeviceGetAttribute."""

    ordinal: int
    name: Fact[str] = NOT_ASKED
    uuid: Fact[str] = NOT_ASKED  # "GPU-…"; a MIG device answers with its own "MIG-…"
    bus_id: Fact[str] = NOT_ASKED  # "0000:17:00.0"
    compute_capability: Fact[int] = NOT_ASKED  # 90
    memory_total_bytes: Fact[int] = NOT_ASKED
    multiprocessors: Fact[int] = NOT_ASKED
    clock_khz: Fact[int] = NOT_ASKED
    memory_clock_khz: Fact[int] = NOT_ASKED
    bus_width_bits: Fact[int] = NOT_ASKED
    l2_bytes: Fact[int] = NOT_ASKED
    kernel_timeout: Fact[bool] = NOT_ASKED  # a display watchdog limits kernel run time
    compute_mode: Fact[int] = NOT_ASKED
    integrated: Fact[bool] = NOT_ASKED


class Cuda(Section, frozen=True, kw_only=True, tag="cuda"):
    """One child process that loaded libcuda with the user's own variables."""

    library: Fact[str] = NOT_ASKED  # path of the libcuda.so.1 that the loader chose; None: none could be loaded
    load_error: Fact[str] = NOT_ASKED
    driver_version: Fact[int] = NOT_ASKED  # cuDriverGetVersion: 12040 = CUDA 12.4
    init_code: Fact[int] = NOT_ASKED  # CUresult of cuInit(0)
    init_name: Fact[str] = NOT_ASKED  # "CUDA_ERROR_NO_DEVICE"
    device_count: Fact[int] = NOT_ASKED
    devices: Fact[list[CudaDevice]] = NOT_ASKED
    reported: Fact[bool] = NOT_ASKED  # another framework (numba, JAX, TensorFlow) printed that it has CUDA devices
    unmasked_init_code: Fact[int] = NOT_ASKED  # cuInit again in a child without CUDA_VISIBLE_DEVICES
    unmasked_count: Fact[int] = NOT_ASKED


class ToolkitInstall(Record, frozen=True, kw_only=True):
    """One CUDA toolkit: an nvcc and the folder that it belongs to."""

    nvcc: str
    version: Fact[str] = NOT_ASKED  # "12.4"
    found_by: str = ""  # "CUDA_HOME", "CUDA_PATH", "PATH", "/usr/local/cuda"


class Toolkit(Section, frozen=True, kw_only=True, tag="toolkit"):
    """What a compilation of a CUDA extension would use."""

    toolkits: Fact[list[ToolkitInstall]] = NOT_ASKED  # in the order torch.utils.cpp_extension would choose
    cuda_home: Fact[str] = NOT_ASKED  # CUDA_HOME or CUDA_PATH as set
    cuda_home_exists: Fact[bool] = NOT_ASKED
    host_compiler: Fact[str] = NOT_ASKED  # path of g++ (or CXX)
    host_compiler_version: Fact[str] = NOT_ASKED  # "12.2.0"
    ninja: Fact[str] = NOT_ASKED


CUDA_OK = 0
CUDA_ERRORS: dict[int, str] = {
    1: "CUDA_ERROR_INVALID_VALUE",
    2: "CUDA_ERROR_OUT_OF_MEMORY",
    3: "CUDA_ERROR_NOT_INITIALIZED",
    34: "CUDA_ERROR_STUB_LIBRARY",
    46: "CUDA_ERROR_DEVICE_UNAVAILABLE",
    100: "CUDA_ERROR_NO_DEVICE",
    101: "CUDA_ERROR_INVALID_DEVICE",
    102: "CUDA_ERROR_DEVICE_NOT_LICENSED",
    209: "CUDA_ERROR_NO_BINARY_FOR_GPU",
    214: "CUDA_ERROR_ECC_UNCORRECTABLE",
    222: "CUDA_ERROR_UNSUPPORTED_PTX_VERSION",
    304: "CUDA_ERROR_OPERATING_SYSTEM",
    702: "CUDA_ERROR_LAUNCH_TIMEOUT",
    801: "CUDA_ERROR_NOT_SUPPORTED",
    802: "CUDA_ERROR_SYSTEM_NOT_READY",
    803: "CUDA_ERROR_SYSTEM_DRIVER_MISMATCH",
    804: "CUDA_ERROR_COMPAT_NOT_SUPPORTED_ON_DEVICE",
    805: "CUDA_ERROR_MPS_CONNECTION_FAILED",
    806: "CUDA_ERROR_MPS_RPC_FAILURE",
    807: "CUDA_ERROR_MPS_SERVER_NOT_READY",
    808: "CUDA_ERROR_MPS_MAX_CLIENTS_REACHED",
    999: "CUDA_ERROR_UNKNOWN",
}
"""CUresult values of cuda.h that a start can meet."""

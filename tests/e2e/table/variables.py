"""Variables and settings that slow, distort or break: most of them in one shell."""

from __future__ import annotations

from tests.e2e.rows import Row, server
from tests.fakes import File, Machine, healthy_h100, rtx_5090
from tests.fakes.programs import answering

FREQUENCY = "sys/devices/system/cpu/cpu0/cpufreq"
SAVING = {f"{FREQUENCY}/scaling_governor": "powersave\n", f"{FREQUENCY}/energy_performance_preference": "power\n"}
NVCC = "nvcc: NVIDIA (R) Cuda compiler driver\nCuda compilation tools, release 12.4, V12.4.131\n"


def with_toolkit() -> Machine:
    """CUDA 12.4 and g++ 15 beside a Blackwell card and a torch of CUDA 13."""
    machine = server(rtx_5090()).put({"sys/class/dmi/id/chassis_type": "3\n"})
    programs = {"usr/local/cuda/bin/nvcc": NVCC, "usr/bin/g++": "15.1.0\n"}
    return machine.put({path: File(answering(text), 0o755) for path, text in programs.items()})


ROWS = {
    "a shell full of variables": Row(
        lambda: server(healthy_h100(2)).put(SAVING),
        {
            "alloc-conf-invalid": "error",
            "arch-list-invalid": "warning",
            "cpu-governor-powersave": "note",
            "cuda-home-stale": "warning",
            "cuda-launch-blocking-on": "warning",
            "cuda-module-loading-eager": "warning",
            "ld-preload-set": "warning",
            "mps-out-of-memory": "warning",
            "nccl-env-hazard": "warning",
            "nvml-based-check-weak": "note",
            "omp-threads-one": "warning",
            "openmp-duplicate-runtime": "warning",
            "tf32-override-set": "warning",
        },
        variables={
            "CUDA_HOME": "/opt/cuda-11.8",
            "CUDA_LAUNCH_BLOCKING": "1",
            "CUDA_MODULE_LOADING": "EAGER",
            "KMP_DUPLICATE_LIB_OK": "TRUE",
            # The loader itself passes over a library that is not there, with a word on stderr.
            "LD_PRELOAD": "/opt/old/libstdc++.so.6",
            "NCCL_P2P_DISABLE": "1",
            "NVIDIA_TF32_OVERRIDE": "0",
            "OMP_NUM_THREADS": "65536",
            "PYTORCH_CUDA_ALLOC_CONF": "max_split_size_mb:5",
            "PYTORCH_MPS_HIGH_WATERMARK_RATIO": "0.0",
            "PYTORCH_NVML_BASED_CUDA_CHECK": "1",
            "TORCH_CUDA_ARCH_LIST": "8.9,9.0",
        },
    ),
    "an old toolkit": Row(
        with_toolkit,
        {"nvcc-torch-cuda-mismatch": "note", "host-compiler-too-new": "note", "nvcc-arch-unsupported": "note"},
        variables={"CXX": "/usr/bin/g++"},
    ),
}

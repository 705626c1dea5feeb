"""Texts as people paste them, one or more a format, and the facts that each states.  Written for these tests."""

from __future__ import annotations

from typing import Any

PY = "/interpreters/0"
Paste = tuple[str, dict[str, Any]]

COLLECT_ENV = """\
Collecting environment information...
PyTorch version: 2.14.0+cu130
Is debug build: False
CUDA used to build PyTorch: 13.0
ROCM used to build PyTorch: N/A

OS: Ubuntu 24.04.2 LTS (x86_64)
GCC version: (Ubuntu 13.3.0-6ubuntu2~24.04) 13.3.0
Clang version: Could not collect
CMake version: version 3.28.3
Libc version: glibc-2.39

Python version: 3.12.3 (main, Jun 18 2025, 17:59:45) [GCC 13.3.0] (64-bit runtime)
Python platform: Linux-6.8.0-60-generic-x86_64-with-glibc2.39
Is CUDA available: True
CUDA runtime version: 13.0.48
CUDA_MODULE_LOADING set to: LAZY
GPU models and configuration:
GPU 0: NVIDIA H100 80GB HBM3
GPU 1: NVIDIA H100 80GB HBM3

Nvidia driver version: 580.95.05
cuDNN version: Probably one of the following:
/usr/lib/x86_64-linux-gnu/libcudnn.so.9.5.1
/usr/lib/x86_64-linux-gnu/libcudnn_adv.so.9.5.1
Is XPU available: False
HIP runtime version: N/A
MIOpen runtime version: N/A
Is XNNPACK available: True
Caching allocator config: expandable_segments:True

CPU:
Architecture:                         x86_64

Versions of relevant libraries:
[pip3] numpy==2.3.1
[pip3] torch==2.14.0
[pip3] torchvision==0.29.0
[conda] numpy                     2.3.1           py312h6cf2f7f_0    conda-forge
"""

COLLECT_ENV_OF_2018 = """\
PyTorch version: 0.4.1
Is debug build: No
CUDA used to build PyTorch: 9.0.176

OS: CentOS Linux release 7.4.1708 (Core)
GCC version: (GCC) 4.8.5 20150623 (Red Hat 4.8.5-16)
CMake version: Could not collect

Python version: 3.6
Is CUDA available: Yes
CUDA runtime version: 9.0.176
GPU models and configuration: GPU 0: Tesla P100-PCIE-16GB
Nvidia driver version: 390.30
cuDNN version: /usr/local/cuda-9.0/lib64/libcudnn.so.7.1.2

Versions of relevant libraries:
[pip] numpy (1.15.0)
[conda] pytorch                   0.4.1           py36_cuda9.0.176_cudnn7.1.2_1    pytorch
"""

COLLECT_ENV_ON_WINDOWS = """\
PyTorch version: 2.4.1+cpu
Is debug build: False
CUDA used to build PyTorch: Could not collect
ROCM used to build PyTorch: N/A

OS: Microsoft Windows 11 Pro
GCC version: Could not collect
Libc version: N/A

Python version: 3.11.9 (tags/v3.11.9:de54cf5, Apr  2 2024, 10:12:12) [MSC v.1938 64 bit (AMD64)] (64-bit runtime)
Python platform: Windows-10-10.0.22631-SP0
Is CUDA available: False
CUDA runtime version: Could not collect
GPU models and configuration: GPU 0: NVIDIA GeForce RTX 4070
Nvidia driver version: 560.94
cuDNN version: C:\\Program Files\\NVIDIA\\CUDNN\\v9.3\\bin\\12.6\\cudnn_ops64_9.dll
"""

COLLECT_ENV_WITH_ROCM = """\
PyTorch version: 2.5.0+rocm6.2
Is debug build: False
CUDA used to build PyTorch: N/A
ROCM used to build PyTorch: 6.2.41133-dd7f95766
OS: Ubuntu 22.04.5 LTS (x86_64)
Is CUDA available: True
GPU models and configuration: AMD Instinct MI300X (gfx942:sramecc+:xnack-)
Nvidia driver version: Could not collect
"""

VLLM = """\
==============================
        System Info
==============================
OS                           : Rocky Linux release 9.4 (Blue Onyx) (x86_64)
GCC version                  : (GCC) 11.4.1 20231218 (Red Hat 11.4.1-3)
Clang version                : Could not collect
Libc version                 : glibc-2.34

==============================
       PyTorch Info
==============================
PyTorch version              : 2.7.1+cu128
Is debug build               : False
CUDA used to build PyTorch   : 12.8
ROCM used to build PyTorch   : N/A

==============================
      Python Environment
==============================
Python version               : 3.12.10 (main, Apr  9 2025, 04:03:51) [Clang 20.1.0 ] (64-bit runtime)
Python platform              : Linux-5.14.0-427.el9.x86_64-x86_64-with-glibc2.34

==============================
       CUDA / GPU Info
==============================
Is CUDA available            : True
CUDA runtime version         : 12.8.93
CUDA_MODULE_LOADING set to   : LAZY
GPU models and configuration : GPU 0: NVIDIA L40S
Nvidia driver version        : 570.133.20
cuDNN version                : Could not collect

==============================
Versions of relevant libraries
==============================
[pip3] nvidia-nccl-cu12==2.26.2
[pip3] triton==3.3.1

==============================
     Environment Variables
==============================
CUDA_VISIBLE_DEVICES=0
LD_LIBRARY_PATH=/usr/local/cuda/lib64:
NCCL_DEBUG=INFO
"""

VLLM_JOINED = (
    "Collecting environment information... PyTorch version: 2.5.1+cu124 Is debug build: False CUDA used to "
    "build PyTorch: 12.4 ROCM used to build PyTorch: N/A OS: Debian GNU/Linux 12 (bookworm) (x86_64) GCC "
    "version: (Debian 12.2.0-14) 12.2.0 Clang version: Could not collect CMake version: version 3.31.1 Libc "
    "version: glibc-2.36 Python version: 3.11.11 (main, Dec 4 2024, 21:35:15) [GCC 12.2.0] (64-bit runtime) "
    "Python platform: Linux-6.1.0-28-amd64-x86_64-with-glibc2.36 Is CUDA available: True CUDA runtime version: "
    "12.4.131 CUDA_MODULE_LOADING set to: LAZY GPU models and configuration: GPU 0: NVIDIA A10 GPU 1: NVIDIA "
    "A10 Nvidia driver version: 550.127.05 cuDNN version: Could not collect Is XNNPACK available: True CPU: "
    "Architecture: x86_64 Versions of relevant libraries: [pip3] numpy==1.26.4 [pip3] torchvision==0.20.1 "
    "[conda] Could not collect"
)
"""As archives keep it: every line break a blank."""

TRANSFORMERS = """\
- `transformers` version: 4.57.1
- Platform: Linux-5.15.0-1063-aws-x86_64-with-glibc2.31
- Python version: 3.10.14
- Huggingface_hub version: 0.35.3
- Safetensors version: 0.6.2
- Accelerate version: 1.10.1
- Accelerate config: \tnot found
- DeepSpeed version: not installed
- PyTorch version (accelerator?): 2.8.0+cu128 (CUDA)
- Tensorflow version (GPU?): not installed (NA)
- Using distributed or parallel set-up in script?: <fill in>
- Using GPU in script?: <fill in>
- GPU type: NVIDIA A10G
"""

TRANSFORMERS_OF_2023 = """\
- `transformers` version: 4.31.0
- Platform: Windows-10-10.0.19045-SP0
- Python version: 3.9.16
- PyTorch version (GPU?): 2.0.1+cpu (False)
- Using GPU in script?: yes
"""

ACCELERATE = """\
- `Accelerate` version: 1.2.1
- Platform: macOS-14.5-arm64-arm-64bit
- `accelerate` bash location: /opt/homebrew/bin/accelerate
- Python version: 3.12.4
- Numpy version: 2.0.2
- PyTorch version (GPU?): 2.5.1 (False)
- System RAM: 32.00 GB
- `Accelerate` default config:
\tNot found
"""

DIFFUSERS = """\
- 🤗 Diffusers version: 0.31.0
- Platform: Linux-6.8.0-48-generic-x86_64-with-glibc2.35
- Running on Google Colab?: No
- Python version: 3.10.12
- PyTorch version (GPU?): 2.5.0+cu124 (True)
- Huggingface_hub version: 0.26.2
- Accelerator: NVIDIA GeForce RTX 3090, 24576 MiB
NVIDIA GeForce RTX 3060, 12288 MiB
"""

LLAMAFACTORY = """\
- `llamafactory` version: 0.9.2
- Platform: Linux-5.4.0-200-generic-x86_64-with-glibc2.31
- Python version: 3.11.5
- PyTorch version: 2.6.0+cu124 (GPU)
- Transformers version: 4.49.0
- GPU type: NVIDIA A800-SXM4-80GB
- GPU number: 8
"""

MMENGINE = """\
2024/03/11 10:01:02 - mmengine - INFO -
------------------------------------------------------------
System environment:
    sys.platform: linux
    Python: 3.8.18 (default, Sep 11 2023, 13:40:15) [GCC 11.2.0]
    CUDA available: True
    MUSA available: False
    numpy_random_seed: 1
    GPU 0,1: NVIDIA GeForce RTX 3090
    CUDA_HOME: /usr/local/cuda
    NVCC: Cuda compilation tools, release 11.7, V11.7.99
    GCC: gcc (Ubuntu 9.4.0-1ubuntu1~20.04.2) 9.4.0
    PyTorch: 1.13.1
    PyTorch compiling details: PyTorch built with:
  - GCC 9.3
  - CUDA Runtime 11.7
  - NVCC architecture flags: -gencode;arch=compute_37,code=sm_37;-gencode;arch=compute_86,code=sm_86
  - CuDNN 8.5
  - Build settings: BLAS_INFO=mkl, CUDA_VERSION=11.7, CUDNN_VERSION=8.5.0, TORCH_VERSION=1.13.1, USE_CUDA=ON,
    TorchVision: 0.14.1
    OpenCV: 4.9.0
    MMEngine: 0.10.3
"""

DETECTRON2 = """\
-------------------------------  ----------------------------------------------------------
sys.platform                     linux
Python                           3.9.7 (default, Sep 16 2021, 13:09:58) [GCC 7.5.0]
numpy                            1.22.3
detectron2                       0.6 @/home/user/detectron2/detectron2
Compiler                         GCC 9.4
CUDA compiler                    CUDA 11.3
DETECTRON2_ENV_MODULE            <not set>
PyTorch                          1.10.0+cu113 @/opt/conda/lib/python3.9/site-packages/torch
PyTorch debug build              False
GPU available                    Yes
GPU 0,1                          GeForce RTX 2080 Ti (arch=7.5)
Driver version                   470.103.01
CUDA_HOME                        /usr/local/cuda-11.3 - invalid!
torchvision                      0.11.1+cu113 @/opt/conda/lib/python3.9/site-packages/torchvision
-------------------------------  ----------------------------------------------------------
PyTorch built with:
  - CUDA Runtime 11.3
  - CuDNN 8.2
"""

DS_REPORT = """\
--------------------------------------------------
DeepSpeed general environment info:
torch install path ............... ['/opt/conda/envs/ds/lib/python3.10/site-packages/torch']
torch version .................... 2.1.2+cu118
deepspeed install path ........... ['/opt/conda/envs/ds/lib/python3.10/site-packages/deepspeed']
deepspeed info ................... 0.14.0, unknown, unknown
torch cuda version ............... 11.8
torch hip version ................ None
nvcc version ..................... 11.8
deepspeed wheel compiled w. ...... torch 2.1, cuda 11.8
shared memory (/dev/shm) size .... 64.00 MB
"""

XFORMERS = """\
xFormers 0.0.28.post1
memory_efficient_attention.cutlassF-pt:            available
is_triton_available:                               True
pytorch.version:                                   2.4.1+cu121
pytorch.cuda:                                      available
gpu.compute_capability:                            8.6
gpu.name:                                          NVIDIA RTX A5000
build.info:                                        available
build.cuda_version:                                1201
build.nvcc_version:                                12.1.66
build.python_version:                              3.10.15
build.torch_version:                               2.4.1+cu121
"""

BITSANDBYTES = """\
=================== bitsandbytes v0.45.0 ===================
Platform: Linux-6.2.0-39-generic-x86_64-with-glibc2.35
  libc: glibc-2.35
Python: 3.11.7
PyTorch: 2.5.1+cu121
  CUDA: 12.1
  HIP: N/A
  XPU: N/A
Related packages:
  numpy: 1.26.3
  triton: 3.1.0
============================================================
PyTorch settings found: CUDA_VERSION=121, Highest Compute Capability: (8, 9).
"""

BITSANDBYTES_OF_2023 = """\
CUDA SETUP: CUDA runtime path found: /usr/local/cuda/lib64/libcudart.so
CUDA SETUP: PyTorch settings found: CUDA_VERSION=118, Highest Compute Capability: 6.1.
CUDA SETUP: Loading binary /opt/conda/envs/x/lib/python3.10/site-packages/bitsandbytes/libbitsandbytes_cuda118.so...
"""

NUMBA = """\
__Hardware Information__
Machine                                       : x86_64

__OS Information__
Platform Name                                 : Linux-5.15.0-91-generic-x86_64-with-glibc2.35
OS Name                                       : Linux

__Python Information__
Python Implementation                         : CPython
Python Version                                : 3.10.13

__CUDA Information__
CUDA Device Initialized                       : True
CUDA Driver Version                           : 12.2
CUDA Runtime Version                          : 11.8
CUDA Detect Output:
Found 1 CUDA devices
id 0     b'NVIDIA GeForce GTX 1650'                              [SUPPORTED]
                      Compute Capability: 7.5
                      compute capability: 7.5

__NumPy Information__
NumPy Version                                 : 1.26.2
"""

JAX = """\
jax:    0.4.35
jaxlib: 0.4.34
numpy:  2.1.2
python: 3.12.7 | packaged by conda-forge | (main, Oct  4 2024, 16:05:46) [GCC 13.3.0]
device info: NVIDIA H100 80GB HBM3-2, 2 local devices"
process_count: 1
platform: uname_result(system='Linux', node='gpu1', release='5.15.0-122-generic', version='#132', machine='x86_64')
"""

PIP_LIST = """\
(ml) user@box:~$ pip list
Package                  Version
------------------------ -----------
numpy                    1.26.4
nvidia-cudnn-cu12        9.1.0.70
torch                    2.4.0+cu118
torchaudio               2.4.0
"""

PIP_SHOW = """\
Name: torch
Version: 2.3.0
Summary: Tensors and Dynamic neural networks
Location: /home/user/.local/lib/python3.10/site-packages
"""

PIP_INSTALL = """\
$ pip install torch torchvision
Collecting torch
Installing collected packages: torch, torchvision
Successfully installed nvidia-nccl-cu12-2.21.5 torch-2.6.0 torchvision-0.21.0
"""

PIP_CONFLICT = """\
ERROR: pip's dependency resolver does not currently take into account all the packages that are installed.
torchaudio 2.0.1 requires torch==2.0.0, but you have torch 2.1.0 which is incompatible.
"""

CONDA_LIST = """\
# packages in environment at /home/user/miniconda3/envs/study:
#
# Name                    Version                   Build  Channel
numpy                     1.26.4          py310hb13e2d6_0    conda-forge
pytorch                   2.3.1           py3.10_cuda12.1_cudnn8.9.2_0    pytorch
transformers              4.44.2                   pypi_0    pypi
"""

MACHINE = """\
$ uname -a
Linux gpu-box 5.15.0-91-generic #101-Ubuntu SMP Tue Nov 14 13:30:08 UTC 2023 x86_64 x86_64 x86_64 GNU/Linux
$ cat /etc/os-release
PRETTY_NAME="Ubuntu 22.04.3 LTS"
ID=ubuntu
$ nvcc --version
Cuda compilation tools, release 11.8, V11.8.89
$ cat /proc/driver/nvidia/version
NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  560.35.03  Release Build  (dvs-builder@U16)
GCC version:  gcc version 12.3.0 (Ubuntu 12.3.0-1ubuntu1~22.04)
"""

SESSION = """\
Python 3.11.5 (main, Sep 11 2023, 13:54:46) [GCC 11.2.0] on linux
>>> import torch
>>> torch.__version__
'2.2.0+cu118'
>>> torch.version.cuda
'11.8'
>>> print(torch.cuda.is_available())
False
>>> torch.cuda.device_count()
0
"""

ONE_LINER = """\
(venv) PS C:\\code> python -c "import torch; print(torch.__version__, torch.version.cuda, torch.cuda.is_available())"
2.6.0+cpu None False
"""

VARIABLES = """\
$ export CUDA_VISIBLE_DEVICES="0,1"
PS C:\\> $env:CUDA_LAUNCH_BLOCKING = "1"
os.environ["NCCL_P2P_DISABLE"] = "1"
docker run --rm -e NVIDIA_DRIVER_CAPABILITIES=compute image
$ echo $LD_LIBRARY_PATH
/usr/local/cuda/lib64
"""

WARNING = """\
/opt/x/torch/cuda/__init__.py:235: UserWarning:
NVIDIA GeForce RTX 5090 with CUDA capability sm_120 is not compatible with the current PyTorch installation.
The current PyTorch install supports CUDA capabilities sm_50 sm_60 sm_70 sm_75 sm_80 sm_86 sm_90.
"""

TENSORFLOW = (
    "I gpu_device.cc:1616] Created device /job:localhost/device:GPU:0 with 22 MB memory:  -> device: 0, name: Tesla T4,"
    " pci bus id: 0000:00:1e.0, compute capability: 7.5\n"
)

LLAMA_CPP = """\
ggml_cuda_init: found 1 CUDA devices:
  Device 0: NVIDIA GeForce RTX 3080, compute capability 8.6, VMM: yes
"""

BY_HAND = """\
## 环境
- 平台：Linux-5.15.148-tegra-aarch64-with-glibc2.35
- PyTorch：2.8.0
- CUDA：True (12.6)
- CUDA 设备：Orin，显存 7619 MB
"""

BY_HAND_IN_ENGLISH = """\
* **OS**: Windows 10
* **GPU**: NVIDIA GeForce RTX 3060 12GB
* **Driver version**: 551.86
* **PyTorch**: `2.2.1+cu121`
* CUDA available: yes
"""

IN_PASSING = """\
I run torch 2.5.1 on my RTX 5070 Ti. `nvidia-cudnn-cu12 9.1.0.70` is there, too. The loaded kernel module is 570.86.16,
and the userspace libraries are at 570.124.04.
"""


def torch(version: str, cuda: str | None) -> dict[str, Any]:
    return {f"{PY}/torch/version": version, f"{PY}/torch/cuda": cuda}


PASTES: dict[str, Paste] = {
    "collect_env": (
        COLLECT_ENV,
        torch("2.14.0+cu130", "13.0")
        | {
            f"{PY}/runtime/available": True,
            f"{PY}/version": "3.12.3",
            "/host/os_name": "Ubuntu 24.04.2 LTS",
            "/host/os_id": "ubuntu",
            "/host/system": "Linux",
            "/host/machine": "x86_64",
            "/host/kernel_release": "6.8.0-60-generic",
            "/host/libc": "glibc 2.39",
            "/host/wsl": None,
            "/driver/pasted": "580.95.05",
            "/smi/gpus/1/name": "NVIDIA H100 80GB HBM3",
            "/toolkit/toolkits/0/version": "13.0.48",
            "/toolkit/host_compiler_version": "13.3.0",
            f"{PY}/library_copies/0/version": "9.5.1",
            f"{PY}/distributions/2/name": "torchvision",
            f"{PY}/conda_packages/0/channel": "conda-forge",
            "/environment/variables/0/value": "expandable_segments:True",
        },
    ),
    "collect_env of 2018": (
        COLLECT_ENV_OF_2018,
        torch("0.4.1", "9.0.176")
        | {
            f"{PY}/version": "3.6",
            f"{PY}/runtime/available": True,
            "/smi/gpus/0/name": "Tesla P100-PCIE-16GB",
            "/driver/pasted": "390.30",
            "/toolkit/host_compiler_version": "4.8.5",
            f"{PY}/library_copies/0/version": "7.1.2",
        },
    ),
    "collect_env on Windows": (
        COLLECT_ENV_ON_WINDOWS,
        torch("2.4.1+cpu", None)
        | {
            f"{PY}/runtime/available": False,
            "/host/system": "Windows",
            "/host/os_version": "11",
            "/driver/pasted": "560.94",
            "/smi/gpus/0/name": "NVIDIA GeForce RTX 4070",
        },
    ),
    "collect_env with ROCm": (
        COLLECT_ENV_WITH_ROCM,
        torch("2.5.0+rocm6.2", None)
        | {
            f"{PY}/torch/hip": "6.2.41133",
            f"{PY}/runtime/devices/0/name": "AMD Instinct MI300X (gfx942:sramecc+:xnack-)",
        },
    ),
    "vLLM": (
        VLLM,
        torch("2.7.1+cu128", "12.8")
        | {
            "/host/os_name": "Rocky Linux release 9.4 (Blue Onyx)",
            "/host/machine": "x86_64",
            f"{PY}/version": "3.12.10",
            "/smi/gpus/0/name": "NVIDIA L40S",
            "/driver/pasted": "570.133.20",
            f"{PY}/distributions/1/version": "3.3.1",
            "/environment/variables/0/name": "CUDA_VISIBLE_DEVICES",
            "/environment/variables/0/value": "0",
            "/environment/variables_partial": True,
        },
    ),
    "vLLM, joined": (
        VLLM_JOINED,
        torch("2.5.1+cu124", "12.4")
        | {
            "/host/os_name": "Debian GNU/Linux 12 (bookworm)",
            "/toolkit/host_compiler_version": "12.2.0",
            "/toolkit/toolkits/0/version": "12.4.131",
            "/smi/gpus/1/name": "NVIDIA A10",
            "/driver/pasted": "550.127.05",
            f"{PY}/distributions/1/version": "0.20.1",
        },
    ),
    "transformers": (
        TRANSFORMERS,
        torch("2.8.0+cu128", "12.8")
        | {
            f"{PY}/runtime/available": True,
            f"{PY}/version": "3.10.14",
            "/host/kernel_release": "5.15.0-1063-aws",
            "/smi/gpus/0/name": "NVIDIA A10G",
            f"{PY}/distributions_partial": True,
        },
    ),
    "transformers of 2023": (
        TRANSFORMERS_OF_2023,
        torch("2.0.1+cpu", None)
        | {f"{PY}/runtime/available": False, "/host/system": "Windows", "/host/os_version": "10.0.19045"},
    ),
    "accelerate": (
        ACCELERATE,
        {
            f"{PY}/torch/version": "2.5.1",
            f"{PY}/runtime/available": False,
            "/host/system": "Darwin",
            "/host/machine": "arm64",
            f"{PY}/distributions/1/version": "2.0.2",
        },
    ),
    "diffusers": (
        DIFFUSERS,
        torch("2.5.0+cu124", "12.4")
        | {"/smi/gpus/0/name": "NVIDIA GeForce RTX 3090", "/smi/gpus/0/memory_total_bytes": 24576 << 20},
    ),
    "LLaMA-Factory": (
        LLAMAFACTORY,
        torch("2.6.0+cu124", "12.4") | {f"{PY}/runtime/available": True, "/smi/gpus/0/name": "NVIDIA A800-SXM4-80GB"},
    ),
    "MMEngine": (
        MMENGINE,
        torch("1.13.1", "11.7")
        | {
            f"{PY}/torch/arch_list": ["sm_37", "sm_86"],
            f"{PY}/torch/cudnn": "8.5.0",
            f"{PY}/version": "3.8.18",
            "/host/system": "Linux",
            "/smi/gpus/1/name": "NVIDIA GeForce RTX 3090",
            "/toolkit/toolkits/0/version": "11.7.99",
            "/toolkit/host_compiler_version": "9.4.0",
            "/toolkit/cuda_home": "/usr/local/cuda",
            f"{PY}/distributions/0/name": "torchvision",
        },
    ),
    "detectron2": (
        DETECTRON2,
        torch("1.10.0+cu113", "11.3")
        | {
            f"{PY}/runtime/available": True,
            "/smi/gpus/1/compute_capability": 75,
            "/smi/gpus/1/name": "GeForce RTX 2080 Ti",
            "/driver/pasted": "470.103.01",
            "/toolkit/cuda_home_exists": False,
            f"{PY}/torch/cudnn": "8.2",
        },
    ),
    "ds_report": (
        DS_REPORT,
        torch("2.1.2+cu118", "11.8")
        | {"/host/shm_total_bytes": 64 << 20, "/toolkit/toolkits/0/version": "11.8", f"{PY}/manager": "conda"},
    ),
    "xformers.info": (
        XFORMERS,
        torch("2.4.1+cu121", "12.1")
        | {
            "/smi/gpus/0/compute_capability": 86,
            f"{PY}/runtime/devices/0/name": "NVIDIA RTX A5000",
            f"{PY}/distributions/0/cuda_compiler": "12.1.66",
        },
    ),
    "bitsandbytes": (
        BITSANDBYTES,
        torch("2.5.1+cu121", "12.1")
        | {"/smi/gpus/0/compute_capability": 89, f"{PY}/version": "3.11.7", "/host/libc": "glibc 2.35"},
    ),
    "bitsandbytes of 2023": (
        BITSANDBYTES_OF_2023,
        {f"{PY}/torch/cuda": "11.8", "/smi/gpus/0/compute_capability": 61, f"{PY}/prefix": "/opt/conda/envs/x"},
    ),
    "numba": (
        NUMBA,
        {
            "/cuda/reported": True,
            "/cuda/driver_version": 12020,
            "/smi/gpus/0/name": "NVIDIA GeForce GTX 1650",
            "/smi/gpus/0/compute_capability": 75,
            f"{PY}/version": "3.10.13",
        },
    ),
    "JAX": (
        JAX,
        {
            "/cuda/reported": True,
            "/smi/gpus/1/name": "NVIDIA H100 80GB HBM3",
            f"{PY}/version": "3.12.7",
            "/host/kernel_release": "5.15.0-122-generic",
        },
    ),
    "pip list": (
        PIP_LIST,
        torch("2.4.0+cu118", "11.8")
        | {f"{PY}/distributions/1/version": "9.1.0.70", f"{PY}/distributions_partial": True},
    ),
    "pip show": (PIP_SHOW, {f"{PY}/torch/version": "2.3.0", f"{PY}/distributions/0/name": "torch"}),
    "pip install": (PIP_INSTALL, {f"{PY}/torch/version": "2.6.0", f"{PY}/distributions/0/installer": "pip"}),
    "pip's conflict": (
        PIP_CONFLICT,
        {f"{PY}/distributions/0/requires": ["torch==2.0.0"], f"{PY}/torch/version": "2.1.0"},
    ),
    "conda list": (
        CONDA_LIST,
        torch("2.3.1", "12.1")
        | {
            f"{PY}/prefix": "/home/user/miniconda3/envs/study",
            f"{PY}/manager": "conda",
            f"{PY}/conda_packages/1/name": "pytorch",
            f"{PY}/distributions/0/installer": "pip",
        },
    ),
    "machine": (
        MACHINE,
        {
            "/host/kernel_release": "5.15.0-91-generic",
            "/host/os_name": "Ubuntu 22.04.3 LTS",
            "/toolkit/toolkits/0/version": "11.8.89",
            "/driver/proc": "560.35.03",
            "/driver/open_module": True,
        },
    ),
    "session": (
        SESSION,
        torch("2.2.0+cu118", "11.8")
        | {f"{PY}/runtime/available": False, f"{PY}/runtime/device_count": 0, f"{PY}/version": "3.11.5"},
    ),
    "one-liner": (ONE_LINER, torch("2.6.0+cpu", None) | {f"{PY}/runtime/available": False}),
    "variables": (
        VARIABLES,
        {
            "/environment/variables/0/value": "0,1",
            "/environment/variables/1/name": "CUDA_LAUNCH_BLOCKING",
            "/environment/variables/2/name": "NCCL_P2P_DISABLE",
            "/environment/variables/3/value": "compute",
            "/environment/variables/4/value": "/usr/local/cuda/lib64",
        },
    ),
    "torch's warning": (
        WARNING,
        {
            "/smi/gpus/0/compute_capability": 120,
            f"{PY}/runtime/devices/0/name": "NVIDIA GeForce RTX 5090",
            f"{PY}/runtime/arch_list": ["sm_50", "sm_60", "sm_70", "sm_75", "sm_80", "sm_86", "sm_90"],
        },
    ),
    "TensorFlow": (TENSORFLOW, {"/smi/gpus/0/name": "Tesla T4", "/smi/gpus/0/bus_id": "0000:00:1e.0"}),
    "llama.cpp": (LLAMA_CPP, {"/smi/gpus/0/name": "NVIDIA GeForce RTX 3080", "/smi/gpus/0/compute_capability": 86}),
    "by hand": (
        BY_HAND,
        torch("2.8.0", "12.6")
        | {f"{PY}/runtime/available": True, "/smi/gpus/0/name": "Orin", "/host/machine": "aarch64"},
    ),
    "by hand, in English": (
        BY_HAND_IN_ENGLISH,
        torch("2.2.1+cu121", "12.1")
        | {
            "/host/system": "Windows",
            "/driver/pasted": "551.86",
            "/smi/gpus/0/name": "NVIDIA GeForce RTX 3060 12GB",
            f"{PY}/runtime/available": True,
        },
    ),
    "in passing": (
        IN_PASSING,
        {
            f"{PY}/torch/version": "2.5.1",
            "/smi/gpus/0/name": "RTX 5070 Ti",
            f"{PY}/distributions/0/version": "9.1.0.70",
            "/driver/sys_module": "570.86.16",
            "/driver/libraries/0/version": "570.124.04",
        },
    ),
}
"""Name → (text, pointer → value)."""

"""What the probe looks at more closely than by name: packages, modules, shared libraries."""

# Distributions (normalised names) whose METADATA is opened: torch, what must fit it, and what pins it or its libraries.
# Every other distribution is listed by its folder name alone, which is some hundred times quicker.
DISTRIBUTIONS = frozenset(
    """
    accelerate apex bitsandbytes causal-conv1d cupy d2l deepspeed fairscale flash-attn flash-attn-3 flashinfer
    flashinfer-python functorch gpustat gsplat ipykernel ipython ipywidgets jupyter jupyter-client jupyter-core
    jupyterlab keras lightning llvmlite mamba-ssm matplotlib mkl notebook numba numpy nvitop onnxruntime
    onnxruntime-gpu onnxruntime-training opencv-python pandas peft pillow pyg-lib pynvml pytorch pytorch-lightning
    pytorch3d py3nvml scikit-learn scipy sentence-transformers sglang tensorflow tensorflow-cpu
    tensorflow-gpu timm transformers trl ultralytics unsloth vllm xformers
    """.split()
)
PREFIXES = ("torch", "nvidia-", "triton", "pytorch-", "cuda-", "jax", "cupy-", "tilelang", "intel-extension-for-")

# conda packages (names as conda has them) that take part in the same questions.
CONDA = frozenset(
    """
    blas cpuonly cudatoolkit cudnn intel-openmp ipykernel libcublas libcudnn libgcc libgcc-ng libopenblas libstdcxx
    libstdcxx-ng libtorch llvm-openmp magma mkl mkl-service nccl numpy numpy-base openblas openmp pytorch pytorch-cpu
    pytorch-cuda pytorch-gpu pytorch-mutex python python_abi torchaudio torchvision triton
    """.split()
)
CONDA_PREFIXES = ("cuda-", "libcu", "libnv", "pytorch-", "torch", "nvidia-", "_openmp_mutex", "triton")

# Modules whose origin is asked: which file would an import take?
MODULES = tuple("torch torchvision torchaudio numpy triton functorch torchgen pynvml ipykernel_launcher d2l".split())
# Standard modules that a file of the same name in the working folder often hides, and `import torch` needs.
STANDARD_MODULES = tuple(
    """
    calendar code copy enum inspect json logging operator platform queue random select signal socket string struct
    tempfile threading token types typing
    """.split()
)

# version.py of these carries the local version ("0.28.0+cu130") that METADATA of a default-index wheel lacks.
VERSION_FILES = {
    "torch": "torch",
    "torchvision": "torchvision",
    "torchaudio": "torchaudio",
    "torchtext": "torchtext",
    "torchdata": "torchdata",
    "xformers": "xformers",
}

# Shared libraries of which two copies, or a foreign one, break torch (failure-modes: hijack, overlap, clash).
LIBRARIES = frozenset(
    """
    libc10 libcublas libcublasLt libcuda libcudart libcudnn libcufft libcupti libcurand libcusolver libcusparse
    libcusparseLt libgomp libiomp5 libiomp5md libmkl_core libmkl_rt libnccl libnvJitLink libnvToolsExt libnvrtc
    libnvshmem_host libomp libstdc++ libtorch
    """.split()
)


def of_interest(name):
    """Is the distribution of this normalised name one whose METADATA is read?"""
    return name.lstrip("~") in DISTRIBUTIONS or name.startswith(PREFIXES) or name.startswith("~")


def conda_of_interest(name):
    return name in CONDA or name.startswith(CONDA_PREFIXES)

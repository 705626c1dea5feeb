"""Messages as the versions of a program print them: the row that hears each, and the text.

One entry a wording that the row's source prints beside the example of the row: older and newer versions, other
systems, other variants of the same call.  :data:`UNHEARD` are texts with the same words that are no such message.
"""

from __future__ import annotations

WORDINGS: list[tuple[str, str]] = [
    # CPython, Python/dynload_win.c
    ("dll-of-extension-fails", "ImportError: DLL load failed with error code 126 while importing flash_attn_2_cuda"),
    ("dll-load-failed-of-an-instruction", "ImportError: DLL load failed with error code 3221225501"),
    ("dll-load-failed-without-a-name", "ImportError: DLL load failed: Das angegebene Modul wurde nicht gefunden."),
    ("vcruntime-was-not-found", "The program can't start because MSVCP140.dll is missing from your computer."),
    # CUDA: libcudart, cuda.h, libnvrtc, ptxas, nvcc
    ("no-binary-for-gpu", "RuntimeError: CUDA error: device kernel image is invalid"),
    ("no-binary-for-gpu", "CUDA error: invalid device function"),
    ("no-binary-for-gpu", "jaxlib: CUDA_ERROR_INVALID_IMAGE: device kernel image is invalid"),
    (
        "no-binary-for-gpu",
        "WARNING: Detected NVIDIA GB10 GPU, which is not yet supported in this version of the container",
    ),
    ("unspecified-launch-failure", "CUDA error: hardware stack error"),
    ("unspecified-launch-failure", "CUDA_ERROR_LAUNCH_FAILED: unspecified launch failure"),
    ("unspecified-launch-failure", "RuntimeError: CUDA error: an illegal instruction was encountered"),
    ("mps-does-not-answer", "CUDA error: MPS server is not ready to accept new MPS client requests"),
    ("mps-does-not-answer", "cuInit: CUDA_ERROR_MPS_CONNECTION_FAILED"),
    ("no-valid-grid-licence", "cuInit(0) failed: CUDA_ERROR_DEVICE_NOT_LICENSED"),
    ("forward-compatibility-was-attempted-on-non-supported", "CUDA_ERROR_COMPAT_NOT_SUPPORTED_ON_DEVICE"),
    ("system-has-unsupported-display-driver-cuda-driver", "(CUDA_ERROR_SYSTEM_DRIVER_MISMATCH) cuInit()=803"),
    ("an-illegal-memory-access-was-encountered", "Call to cuMemcpyDtoH results in CUDA_ERROR_ILLEGAL_ADDRESS"),
    ("device-side-assert-triggered", "[CUresult.CUDA_ERROR_ASSERT] Call to cuCtxSynchronize"),
    ("uncorrectable-ecc-error-encountered", "INTERNAL: CUDA_ERROR_ECC_UNCORRECTABLE"),
    ("nvlink-error-in-execution", "CUDA error: Invalid access of peer GPU memory over nvlink or a hardware error"),
    ("library-is-not-found-or-cannot-be-loaded", "nvrtc: error: failed to open libnvrtc-builtins.so.12.8."),
    ("library-is-not-found-or-cannot-be-loaded", "nvrtc: error: failed to open nvrtc-builtins64_128.dll."),
    ("library-is-not-found-or-cannot-be-loaded", "nvrtc: error: libnvrtc-builtins.so.12.8 is corrupted"),
    ("ptx-needs-a-newer-target", "ptxas, line 7; error : Instruction 'cp.async' requires .target sm_80 or higher"),
    ("host-compiler-headers-too-new", "#error -- unsupported clang version! clang version must be less than 20"),
    # cuDNN's loader
    (
        "cudnn-library-not-located",
        "Could not locate cudnn_ops_infer64_8.dll. Please make sure it is in your library path!",
    ),
    ("cudnn-library-not-located", "Could not load library cudnn_cnn_infer64_8.dll. Error code 126"),
    ("cudnn-library-not-located", "Invalid handle. Cannot load symbol cudnnCreateTensorDescriptor"),
    (
        "cudnn-library-not-located",
        "Could not load symbol cudnnGetLibConfig. Error code 127",
    ),
    (
        "libcusparselt-so-0-cannot-open-shared-object",
        "Could not load library libcudnn_cnn_infer.so.8. Error: libnvrtc.so: cannot open shared object file: No such file or directory",
    ),
    (
        "cudnn-parts-of-two-versions",
        "Loaded runtime CuDNN library: 7101 (compatibility version 7100) but source was compiled with 7003",
    ),
    # glibc, elf/dl-lookup.c, before and after 2.27
    (
        "undefined-symbol-of-cuda-library",
        "symbol cublasLtHSHMatmulAlgoInit, version libcublasLt.so.11 not defined in file libcublasLt.so.11 with link time reference",
    ),
    (
        "undefined-symbol-of-cuda-library",
        "symbol cublasLtHSHMatmulAlgoInit version libcublasLt.so.11 not defined in file libcublasLt.so.11 with link time reference",
    ),
    # MKL 2021 and older, 2024
    ("mkl-fatal-error", "Intel MKL FATAL ERROR: Error on loading function mkl_blas_avx2_xdcopy."),
    ("mkl-fatal-error", "Intel oneMKL FATAL ERROR: Cannot load libmkl_core.so."),
    (
        "mkl-refuses-the-processor",
        "Intel oneMKL FATAL ERROR: dynamic library libmkl_avx512.so is not convenient for this processor.",
    ),
    ("undefined-symbol-mkl", "libtorch_cpu.so: undefined symbol: vslNewStream"),
    # torchvision, torchaudio
    (
        "torchaudio-does-not-load",
        "RuntimeError: Detected that PyTorch and TorchAudio were compiled with different CUDA versions.",
    ),
    (
        "torchvision-undefined-symbol",
        "UserWarning: Failed to load image Python extension: '/x/image.so: undefined symbol: _ZNK3c1010TensorImpl27throw_data_ptr_access_errorEv'",
    ),
    # bitsandbytes 0.32 to 0.50
    (
        "bitsandbytes-binary-missing",
        "CUDA SETUP: Required library version not found: libbitsandbytes_cuda112.so. Maybe you need to compile it from source?",
    ),
    (
        "bitsandbytes-binary-missing",
        "Could not find the bitsandbytes CUDA binary at PosixPath('/x/y/libbitsandbytes_cuda121.so')",
    ),
    (
        "bitsandbytes-binary-missing",
        "Could not find the bitsandbytes CUDA binary at WindowsPath('C:/Users/Jo Do/libbitsandbytes_cuda121.dll')",
    ),
    ("bitsandbytes-binary-missing", "RuntimeError: Configured CUDA binary not found at /x/libbitsandbytes_cuda129.so"),
    ("bitsandbytes-binary-missing", "RuntimeError: No compatible CUDA binary found at /x/libbitsandbytes_cuda140.so"),
    ("bitsandbytes-binary-missing", "1. bitsandbytes doesn't ship with a pre-compiled binary for your CUDA version"),
    (
        "cuda-setup-failed-despite-gpu",
        "CUDA Setup failed despite CUDA being available. Please run the following command to get more information:",
    ),
    (
        "cuda-setup-failed-despite-gpu",
        "CUDA Setup failed despite GPU being available. Inspect the CUDA SETUP outputs above to fix your environment!",
    ),
    ("bitsandbytes-without-gpu", "/x/bitsandbytes/libbitsandbytes_cpu.so: undefined symbol: cadam32bit_grad_fp32"),
    # pip
    (
        "package-requires-a-different-python",
        "ERROR: Package 'triton' requires a different Python: 3.9.7 not in '>=3.10'",
    ),
    # XLA and TensorFlow 2.4 to 2.20
    ("cuinit-303", "failed call to cuInit: INTERNAL: CUDA error: Failed call to cuInit: UNKNOWN ERROR (303)"),
    ("cuinit-100", "failed call to cuInit: INTERNAL: CUDA error: Failed call to cuInit: UNKNOWN ERROR (100)"),
    ("cuinit-34", "failed call to cuInit: INTERNAL: CUDA error: Failed call to cuInit: UNKNOWN ERROR (34)"),
    (
        "driver-older-than-ptx-compiler",
        "The NVIDIA driver's CUDA version is 12.2 which is older than the ptxas CUDA version (12.3.107).",
    ),
    ("libdevice-not-found", "libdevice is required by this HLO module but was not found at ./libdevice.10.bc"),
    (
        "libdevice-not-found",
        "Can't find libdevice directory ${CUDA_DIR}/nvvm/libdevice. This may result in compilation failures",
    ),
    ("ptxas-not-found", "Couldn't get ptxas version string: INTERNAL: Couldn't invoke ptxas --version"),
    ("ptxas-not-found", "INTERNAL: Couldn't invoke /usr/local/cuda/bin/ptxas --version"),
    (
        "ptxas-not-found",
        "NOT_FOUND: Couldn't find a suitable version of ptxas. The following locations were considered: ./bin/ptxas",
    ),
    ("ptxas-not-found", "No PTX compilation provider is available. Neither ptxas/nvlink nor nvjtlink is available."),
    ("ptxas-too-old", "UNIMPLEMENTED: /usr/bin/ptxas ptxas too old. Falling back to the driver to compile."),
    ("ptxas-too-old", "Falling back to the CUDA driver for PTX compilation; ptxas does not support CC 12.0"),
    (
        "cuda-error-out-of-memory",
        "XlaRuntimeError: RESOURCE_EXHAUSTED: Out of memory while trying to allocate 2147483648 bytes.",
    ),
    ("cuda-error-out-of-memory", "OOM when allocating tensor of shape [64,3,224,224] and type float"),
    # numpy 1.8 to 2.3, code_generators/generate_numpy_api.py
    (
        "numpy-module-compiled-against",
        "RuntimeError: module compiled against API version a but this version of numpy is 9",
    ),
    (
        "numpy-module-compiled-against",
        "RuntimeError: module compiled against ABI version 0x1000009 but this version of numpy is 0x2000000",
    ),
    (
        "numpy-module-compiled-against",
        "RuntimeError: module was compiled against NumPy C-API version 0x13 (NumPy 2.3) but the running NumPy has C-API version 0x12.",
    ),
    ("numpy-module-compiled-against", "ImportError: numpy._core.multiarray failed to import"),
    ("numpy-module-compiled-against", "ImportError: numpy.core.multiarray failed to import"),
    # flash-attention 1 and 2, flashinfer
    ("kernel-is-for-other-sm", "RuntimeError: FlashAttention only supports Ampere GPUs or newer."),
    ("kernel-is-for-other-sm", "RuntimeError: Expected is_sm90 || is_sm8x || is_sm75 to be true, but got false."),
    ("kernel-is-for-other-sm", "RuntimeError: FlashInfer requires GPUs with sm75 or higher"),
    (
        "kernel-is-for-other-sm",
        "RuntimeError: FlashAttention backward for head dim > 192 requires A100/A800 or H100/H800",
    ),
    # compilers and builds
    ("cannot-find-lcuda", "/usr/bin/ld: cannot find -lcuda: No such file or directory"),
    ("cannot-find-lcuda", "ld.lld: error: unable to find library -lcudart"),
    ("nvcc-not-found-in-a-build", "AssertionError: CUDA_HOME does not exist, unable to compile CUDA op(s)"),
    ("nvcc-not-found-in-a-build", "  No CMAKE_CUDA_COMPILER could be found."),
    (
        "nvcc-not-found-in-a-build",
        "RuntimeError: Could not find nvcc and default cuda_home='/usr/local/cuda' doesn't exist",
    ),
    ("nvcc-not-found-in-a-build", "CUDA_TOOLKIT_ROOT_DIR not found or specified"),
    (
        "python-h-missing",
        "CalledProcessError: Command '['/usr/bin/gcc', '/tmp/tmpab/main.c', '-O3', '-shared']' returned non-zero exit status 1.",
    ),
    (
        "python-h-missing",
        "CalledProcessError: Command '['/usr/bin/x86_64-linux-gnu-gcc-12', '/tmp/tmpab/cuda_utils.c', '-O3']' returned non-zero exit status 1.",
    ),
    ("compiler-missing-in-a-build", "distutils.errors.DistutilsPlatformError: Unable to find vcvarsall.bat"),
    ("compiler-missing-in-a-build", "error: Microsoft Visual C++ 14.0 is required. Get it with the build tools"),
    ("compiler-missing-in-a-build", "unable to execute 'x86_64-linux-gnu-gcc': No such file or directory"),
    # containers
    ("dev-nvidia-permission-denied", "open /dev/nvidiactl: operation not permitted"),
    ("dev-nvidia-permission-denied", "nvidia-container-cli: mount error: open failed: /dev/nvidia0: permission denied"),
    ("nvidia-runtime-executable-not-found", "unknown flag: --gpus"),
    (
        "failed-to-add-device-rules",
        "nvidia-container-cli: mount error: open failed: /sys/fs/cgroup/devices/user.slice/devices.allow: permission denied",
    ),
    ("unsatisfied-condition-cuda-12-8", "requirement error: unsatisfied condition: cuda >= 12.8"),
    (
        "driver-library-file-exists",
        "nvidia-container-cli: mount error: file creation failed: /x/merged/usr/lib/x86_64-linux-gnu/libcuda.so.1: file exists",
    ),
    # programs that want a GPU
    ("no-gpu-found-by-program", "NotImplementedError: Unsloth currently only works on NVIDIA, AMD and Intel GPUs."),
    ("no-gpu-found-by-program", "NotImplementedError: Unsloth cannot find any torch accelerator? You need a GPU."),
    ("no-gpu-found-by-program", "RuntimeError: GPU is required to run AWQ quantized model."),
    (
        "more-gpus-wanted-than-there-are",
        "ValueError: The number of required GPUs exceeds the total number of available GPUs in the placement group.",
    ),
    (
        "more-gpus-wanted-than-there-are",
        "AssertionError: please set tensor_parallel_size (2) to less than max local gpu count (1)",
    ),
    ("more-gpus-wanted-than-there-are", " But your machine only has: [0]"),
    ("no-mig-instances", "No compute instances found: Not Found"),
    ("no-mig-instances", "|  No MIG devices found                                                       |"),
    ("nvenc-library-missing", "[h264_cuvid @ 0x5581] Cannot load libnvcuvid.so.1"),
    ("ffmpeg-cannot-load-libcuda", "[AVHWDeviceContext @ 000001] Cannot load nvcuda.dll"),
    (
        "nvidia-smi-is-not-recognized",
        "nvidia-smi: The term 'nvidia-smi' is not recognized as a name of a cmdlet, function, script file, or executable program.",
    ),
]

UNHEARD: list[str] = [
    "No GPU instances found to stop in eu-west-1",
    "No GPU devices found, running on CPU",
    "HIP error: invalid device function",
    "num_worker can be larger than the number of available GPUs",
    "Cannot load cuvidMapVideoFrame64",
    "FlashAttention only supports fp16, bf16, and fp8_e4m3 data type",
    "ERROR: Package 'requests' requires a different Python: 3.6.9 not in '>=3.8'",
    "Intel MKL FATAL ERROR: memory allocation error.",
    "the module was compiled against the headers of the system",
]

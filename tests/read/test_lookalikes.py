"""Messages that look alike, told apart by what stands around them: the first root cause of whole texts."""

from __future__ import annotations

import pytest

from envcheck.judge import Finding, Policy, judge, try_all
from envcheck.read.paste import read_paste
from envcheck.rules import QUESTIONS

from .pastes import COLLECT_ENV

NO_GPU = "RuntimeError: No CUDA GPUs are available"
NO_KERNEL = "RuntimeError: CUDA error: no kernel image is available for execution on the device"
NO_TORCH = "ModuleNotFoundError: No module named 'torch'"
OUT_OF_MEMORY = (
    "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 64.00 MiB. GPU 0 has a total capacity of 23.64 GiB"
    " of which 11.12 MiB is free. Including non-PyTorch memory, this process has {} GiB memory in use."
)
NO_COMMUNICATION = "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver."
A_CARD = "GPU 0: NVIDIA GeForce RTX 4090 (UUID: GPU-11111111-2222-3333-4444-555555555555)\n"
NOT_COMPATIBLE = (
    "{} with CUDA capability sm_{} is not compatible with the current PyTorch installation.\n"
    "The current PyTorch install supports CUDA capabilities sm_50 sm_60 sm_70 sm_75 sm_80 sm_86 sm_90.\n"
)
NOT_LOADED = 'Error loading "D:\\env\\torch\\lib\\part.dll" or one of its dependencies.'
MAC = "PyTorch version: 2.9.1\nOS: macOS 13.6 (arm64)\nPython platform: macOS-13.6-arm64-arm-64bit\n"
ROSETTA = (
    "PyTorch version: 2.2.2\nIs debug build: False\nCUDA used to build PyTorch: None\nOS: macOS 15.1 (x86_64)\nPython platform: macOS-10.16-x86_64-i386-64bit\n"
    "CPU:\nApple M3 Max\n"
)

CASES: list[tuple[str, str]] = [
    # No device for CUDA.
    ("gpu-absent-from-pci-bus", NO_GPU),
    ("cvd-empty", f"{A_CARD}{NO_GPU}"),
    ("cvd-empty", f'export CUDA_VISIBLE_DEVICES=""\npython train.py\n{NO_GPU}'),
    ("cvd-index-out-of-range", f"$ echo $CUDA_VISIBLE_DEVICES\n3\n{NO_GPU}"),
    ("cvd-index-out-of-range", f"(dl) ~/run$ CUDA_VISIBLE_DEVICES=7 python train.py\n{A_CARD}{NO_GPU}"),
    ("cvd-duplicate", f"CUDA_VISIBLE_DEVICES=0,0 python train.py\n{NO_GPU}"),
    ("cvd-bad-uuid", f"export CUDA_VISIBLE_DEVICES=GPU-dead\n{NO_GPU}"),
    ("cvd-mig-form", f"export CUDA_VISIBLE_DEVICES=MIG-dead\n{NO_GPU}"),
    ("container-gpu-lost-after-reload", f"Failed to initialize NVML: Unknown Error\n{NO_GPU}"),
    # No code for the card.
    ("gpu-older-than-torch-archs", f"GPU: Tesla P100-PCIE-16GB\ntorch: 2.10.0+cu128\n{NO_KERNEL}"),
    ("gpu-older-than-torch-archs", f"I have a GTX 1080 Ti\n{NO_KERNEL}"),
    ("gpu-newer-than-torch-archs", f"I have an RTX 5090 and torch 2.5.1+cu124\n{NO_KERNEL}"),
    ("gpu-newer-than-torch-archs", NOT_COMPATIBLE.format("NVIDIA GeForce RTX 5080", "120")),
    ("gpu-older-than-torch-archs", NOT_COMPATIBLE.format("Tesla K40m", "35")),
    ("extension-missing-kernel-image", f"GPU: NVIDIA A100-SXM4-40GB\ntorch: 2.5.1+cu124\n{NO_KERNEL}"),
    # torch without CUDA.
    ("torch-cpu-only-build", ">>> torch.__version__\n'2.5.1+cpu'\n>>> torch.cuda.is_available()\nFalse"),
    ("torch-cpu-only-build", "PyTorch 2.1.0+cu121 with CUDA 1201 (you have 2.2.0+cpu)"),
    ("cxx11-abi-extension", "PyTorch 2.1.0+cu121 with CUDA 1201 (you have 2.2.0+cu121)"),
    ("torch-cpu-only-build", "ValueError: Invalid CUDA 'device=0' requested\ntorch-2.0.1+cpu"),
    ("invalid-device-ordinal", "AssertionError: Invalid device id"),
    ("invalid-device-ordinal", "RuntimeError: CUDA error (10): invalid device ordinal"),
    (
        "macos-no-cuda",
        "/Users/a/lib/python3.11/site-packages/x.py\nAssertionError: Torch not compiled with CUDA enabled",
    ),
    ("torch-rocm-on-nvidia", f"torch: 2.4.1+rocm6.1\n{A_CARD}CUDA available: False"),
    ("torch-rocm-on-nvidia", "--index-url https://download.pytorch.org/whl/rocm6.0\ntorch: 2.2.2+cu121\nCUDA: False"),
    # torch missing.
    ("wrong-interpreter", NO_TORCH),
    ("build-isolation-no-torch", f"  × Getting requirements to build wheel did not run successfully.\n  {NO_TORCH}"),
    ("jupyter-kernel-other-env", f"----> 1 import torch\nCell In[1], line 1\n{NO_TORCH}"),
    # The driver.
    ("no-driver-library", "RuntimeError: Found no NVIDIA driver on your system."),
    (
        "wsl-libcuda-not-found",
        "Linux-5.15.0-microsoft-standard-WSL2-x86_64-with-glibc2.35\nFound no NVIDIA driver on your system",
    ),
    (
        "container-no-gpu-requested",
        "root@0a1b2c3d4e5f:/app# python t.py\nRuntimeError: Found no NVIDIA driver on your system",
    ),
    ("forward-compat-unsupported-hw", "Error 804: forward compatibility was attempted on non supported HW"),
    (
        "driver-library-version-mismatch",
        (
            "The kernel module is 580.159.03, the libraries are at 580.173.02.\n"
            "Error 804: forward compatibility was attempted on non supported HW"
        ),
    ),
    (
        "no-driver-library",
        "failed call to cuInit: UNKNOWN ERROR (303)\nkernel driver does not appear to be running on this host",
    ),
    ("kernel-module-not-loaded", "kernel driver does not appear to be running on this host (x)"),
    (
        "driver-too-old-for-torch",
        COLLECT_ENV.replace("580.95.05", "535.54.03").replace("available: True", "available: False"),
    ),
    # Libraries.
    (
        "nvidia-wheel-pin-broken",
        "ImportError: libcudnn.so.9: cannot open shared object file: No such file or directory",
    ),
    (
        "cudnn-version-incompatible",
        "torch: 2.5.1+cu121\nlibcudnn_ops_infer.so.8: cannot open shared object file: No such file",
    ),
    (
        "cudnn-version-incompatible",
        "cuDNN version incompatibility: PyTorch was compiled against (9, 7, 1) but found runtime version (9, 5, 1).",
    ),
    (
        "nvidia-wheel-pin-broken",
        (
            "cuDNN version incompatibility: PyTorch was compiled against (9, 7, 1) "
            "but found runtime version (9, 5, 1).\n"
            "`nvidia-cudnn-cu12 9.5.1.17` is installed"
        ),
    ),
    (
        "wsl-libcuda-not-found",
        "Could not load library libcudnn_cnn_infer.so.8. Error: libcuda.so: cannot open shared object file",
    ),
    ("cuda-home-not-found", "Building wheel for flash-attn (setup.py)\n/bin/sh: nvcc: command not found"),
    (
        "nccl-unhandled-error",
        "ncclUnhandledCudaError: x\nCuda failure 'CUDA driver version is insufficient for CUDA runtime version'",
    ),
    # The same words on another system.
    ("kernel-module-not-loaded", NO_COMMUNICATION),
    ("kernel-module-not-built", f"{NO_COMMUNICATION}\nError! Bad return status for module build on kernel: 6.8.0-60"),
    ("wsl1-not-wsl2", f"Microsoft Windows [Version 10.0.17134.1]\nin the Ubuntu of WSL:\n{NO_COMMUNICATION}"),
    ("wsl-gpu-blocked", f"Microsoft Windows [Version 10.0.22631.1]\nin the Ubuntu of WSL:\n{NO_COMMUNICATION}"),
    ("macos-no-cuda", "I work on a Mac laptop\nAssertionError: Torch not compiled with CUDA enabled"),
    (
        "torch-rocm-on-nvidia",
        (
            "a mini PC with an AMD APU (gfx1103), image with torch 2.11.0+cu130\n"
            "RuntimeError: Found no NVIDIA driver on your system."
        ),
    ),
    ("no-driver-library", "torch: 2.11.0+cu130\nRuntimeError: Found no NVIDIA driver on your system."),
    ("gpu-older-than-torch-archs", f"GeForce GT 630M, torch 1.3.1\n{NO_KERNEL}"),
    ("gpu-newer-than-torch-archs", f"GeForce card of this year\n{NO_KERNEL}"),
    (
        "extension-missing-kernel-image",
        (
            "CUDA SETUP: Loading binary D:\\env\\bitsandbytes\\libbitsandbytes_cuda117.so...\n"
            "CUDA SETUP: Problem: The main issue seems to be that the main CUDA runtime library was not detected."
        ),
    ),
    (
        "nvidia-wheel-pin-broken",
        (
            "CUDA SETUP: Loading binary /env/bitsandbytes/libbitsandbytes_cuda117.so...\n"
            "CUDA SETUP: Problem: The main issue seems to be that the main CUDA runtime library was not detected."
        ),
    ),
    ("fork-after-cuda-init", "multiprocessing.Process(target=work)\ncuda runtime error (3) : initialization error"),
    ("cuda-init-unknown-error", "cuda runtime error (3) : initialization error at THCGeneral.cpp:50"),
    ("container-no-gpu-requested", 'runc: exec: "nvidia-smi": executable file not found in $PATH'),
    ("container-no-gpu-requested", "root@0a1b2c3d4e5f:/app# nvidia-smi\nbash: nvidia-smi: command not found"),
    ("driver-not-installed", "user@box:~$ nvidia-smi\nbash: nvidia-smi: command not found"),
    ("nvidia-runtime-not-registered", 'the pod says: exec: "nvidia-smi": executable file not found in $PATH'),
    ("torchaudio-mismatch", "import torchaudio\nSymbol not found: _torch_library_impl"),
    ("cxx11-abi-extension", "Symbol not found: _torch_library_impl"),
    ("build-isolation-no-torch", f"$ pip install flash-attn\n{NO_TORCH}"),
    ("wrong-interpreter", f'$ pip install flash-attn\nFile "train.py", line 1\n{NO_TORCH}'),
    ("cvd-empty", f">>> torch.cuda.is_available()\nTrue\n{NO_GPU}"),
    # A library of torch on Windows.
    ("windows-dll-load-failed", f"OSError: [WinError 126] x. {NOT_LOADED}"),
    ("windows-paging-file-small", f"OSError: [WinError 1455] Die Auslagerungsdatei ist zu klein. {NOT_LOADED}"),
    # pip finds nothing.
    ("triton-missing-or-wrong", "on Windows 11\nERROR: No matching distribution found for triton==3.0.0"),
    ("torch-python-unsupported", "ERROR: No matching distribution found for triton==3.0.0"),
    ("triton-missing-or-wrong", "ImportError: cannot import name 'get_raw_stream' from 'triton.runtime.driver'"),
    ("disk-or-cache-full", "OSError: [Errno 28] Kein Platz mehr auf dem Ger\u00e4t"),
    # Asked by hand, told in a sentence, and nothing else is known.
    ("torch-cuda-unavailable", "torch.cuda.is_available() keeps returning False on the new machine"),
    ("torch-cuda-unavailable", "装好以后 torch.cuda.is_available() 还是 False"),
    # A Mac.
    ("mps-macos-too-old", f"{MAC}>>> torch.backends.mps.is_available()\nFalse"),
    ("mps-macos-too-old", f"{MAC}Is MPS available? False"),
    ("macos-rosetta-python", f"{ROSETTA}TypeError: MPS BFloat16 is only supported on MacOS 14 or newer"),
    # A Jetson's release tells its driver.
    ("driver-too-old-for-torch", "# R36 (release), REVISION: 4.4, GCID: 1\ntorch: 2.11.0+cu130\nCUDA available: False"),
    ("driver-too-old-for-torch", "JetPack 5.1.2, Orin Nano\ntorch: 2.5.1+cu121\nCUDA available: False"),
    # Memory.
    ("oom-own-process", OUT_OF_MEMORY.format("23.10")),
    ("gpu-memory-held-by-others", OUT_OF_MEMORY.format("3.40")),
    ("oom-own-process", "RuntimeError: CUDA out of memory. Tried to allocate 2.00 GiB"),
]


def causes(text: str) -> list[Finding]:
    return judge(read_paste(text), QUESTIONS).root_causes


@pytest.mark.parametrize(("rule", "text"), CASES, ids=[f"{i}-{case[0]}" for i, case in enumerate(CASES)])
def test_the_first_root_cause(rule: str, text: str) -> None:
    """Facts and messages together choose among look-alikes."""
    assert [finding.rule for finding in causes(text)][:1] == [rule]


@pytest.mark.parametrize(
    "text",
    [
        COLLECT_ENV,
        f"{COLLECT_ENV}\nKeyError: 'lm_head.weight'",
        "I use torch 2.4.0+cu121 on an RTX 4090 and the loss is NaN",
        "- PyTorch version (GPU?): 2.3.0+cpu (False)",
        f"{A_CARD}no running processes found",
        "JetPack 6.2 on an Orin NX\ntorch: 2.8.0+cu126\nCUDA available: True",
        "L4T 38.2.1\ntorch: 2.11.0+cu130",
        "I do not have a GPU, so I installed the CPU build\nAssertionError: Torch not compiled with CUDA enabled",
        "How can I run this on the CPU?\nAssertionError: Torch not compiled with CUDA enabled",
        "RuntimeWarning: numpy.dtype size changed, may indicate binary incompatibility. Expected 96, got 88",
        "OSError: [Errno 28] inotify watch limit reached",
        "(we are running on CPU only)\nAssertionError: Torch not compiled with CUDA enabled",
        "Ubuntu 22.04, torch: 2.6.0+cu124\nCUDA available: True\nMPS available: False",
        "docker run --gpus all app\nroot@0a1b2c3d4e5f:/app# nvidia-smi\nbash: nvidia-smi: command not found",
        "My laptop does not have a GPU, so torch.cuda.is_available() returns False, which is fine",
        "if torch.cuda.is_available() is False, the program takes the CPU",
        "loss.cu:108: Assertion `t >= 0 && t < n_classes` failed.\nCUDA error: device-side assert triggered",
        (
            "dso_loader.cc:64] Could not load dynamic library 'libcudart.so.11.0'; dlerror: libcudart.so.11.0: "
            "cannot open "
            "shared object file\ncudart_stub.cc:29] Ignore above cudart dlerror if you do not have a GPU set up."
        ),
    ],
)
def test_a_healthy_report_raises_no_alarm(text: str) -> None:
    """Nothing is wrong with a CPU build where no card is seen, nor with a machine whose program has a bug."""
    assert [finding.rule for finding in causes(text) if finding.severity == "error"] == []


@pytest.mark.parametrize(
    "text",
    [
        "xFormers 0.0.23\npytorch.version: 2.1.1+cu121\nRuntimeError: operator torchvision::nms does not exist",
        f"{COLLECT_ENV}\nFutureWarning: The pynvml package is deprecated. Please install nvidia-ml-py instead.",
        f"{COLLECT_ENV}\nexport NCCL_DEBUG=INFO\nRuntimeError: Numpy is not available",
    ],
)
def test_a_partial_list_silences_no_message(text: str) -> None:
    """A report that lists some packages does not say that the others are not installed."""
    assert causes(text) != [] or judge(read_paste(text), QUESTIONS).warnings != []


def test_a_message_that_names_the_reason_comes_before_the_catch_all() -> None:
    """ "CUDA is not available" explains nothing where a message says why."""
    text = (
        COLLECT_ENV.replace("available: True", "available: False")
        + "\nRuntimeError: CUDA unknown error - this may be due to an incorrectly set up environment"
    )
    found = causes(text)
    assert found[0].rule == "cuda-init-unknown-error"
    assert "torch-cuda-unavailable" not in [finding.rule for finding in found]
    alone = causes(COLLECT_ENV.replace("available: True", "available: False"))
    assert [(f.rule, f.confidence) for f in alone] == [("torch-cuda-unavailable", "established")]


def test_every_symptom_reaches_the_court_beside_a_healthy_report() -> None:
    """No message is lost because a block of healthy facts stands beside it, but where these contradict it."""
    from envcheck.read.symptoms import table

    contradicted = {"wsl", "mps", "import-crash-cpu-isa", "windows-dll-load-failed"}
    asked = {rule.name: question for question in QUESTIONS for rule in question.rules}
    silent = []
    for row in table():
        snapshot = read_paste(f"{COLLECT_ENV}\n{row.example}")
        assert isinstance(snapshot.symptoms, list)
        for rule in {s.suggests for s in snapshot.symptoms if isinstance(s.suggests, str)}:
            verdicts = try_all(snapshot, [asked[rule]], Policy())
            if (
                rule.partition("-")[0] not in contradicted
                and rule not in contradicted
                and not any(verdict.finding for verdict in verdicts)
            ):
                silent.append((row.id, rule))
    assert silent == []


DOCKER = 'docker: Error response from daemon: could not select device driver "" with capabilities: [[gpu]]'
NVML_UNKNOWN = "Failed to initialize NVML: Unknown Error"


@pytest.mark.parametrize(
    ("text", "rules"),
    [
        (NVML_UNKNOWN, ["container-gpu-lost-after-reload"]),
        (f"Windows 11 lists the card, but nvidia-smi says\n{NVML_UNKNOWN}", []),
        (f"An Ubuntu guest of a Windows host:\n{NVML_UNKNOWN}", ["container-gpu-lost-after-reload"]),
        (DOCKER, ["docker-toolkit-missing"]),
        (f"Docker Desktop on my MacBook\n{DOCKER}", ["macos-no-cuda"]),
        (f"It works on macOS without --gpus; the server is Ubuntu 22.04\n{DOCKER}", ["docker-toolkit-missing"]),
    ],
)
def test_the_only_system_that_is_named_decides(text: str, rules: list[str]) -> None:
    """A container's reading of a message is none where the text speaks of a system without such containers."""
    assert [finding.rule for finding in causes(text)] == rules


@pytest.mark.parametrize(
    "line",
    [
        "Unable to determine the device handle for GPU0: 0000:01:00.0: Unknown Error",
        "Unable to determine the device handle for GPU 0000:01:00.0: Unknown Error",
        "Unable to determine the device handle for GPU0000:01:00.0: GPU is lost. Reboot the system",
        "Unable to detect the device handle for GPU0000:01:00.0: Unknown Error",
        "pynvml.nvml.NVMLError_GpuIsLost: GPU is lost",
        "Error: nvmlDeviceGetHandleByIndex(): GPU is lost",
    ],
)
def test_a_lost_card_in_the_words_of_every_generation(line: str) -> None:
    """nvidia-smi and NVML changed their spelling, with and without the card's number; the meaning is the same."""
    assert [finding.rule for finding in causes(line)] == ["gpu-fallen-off-bus"]


@pytest.mark.parametrize(
    ("line", "rule"),
    [
        ("NVRM: API mismatch: the client has the version 535.183.01, but", "driver-library-version-mismatch"),
        ("NCCL WARN Error while creating shared memory segment nccl-shm-recv-25-0-1-3 (size 963)", "dev-shm-too-small"),
        ("NCCL WARN Call to posix_fallocate failed : No space left on device", "dev-shm-too-small"),
        ("THCudaCheck FAIL file=THCGeneral.cpp line=47 error=999 : unknown error", "cuda-init-unknown-error"),
        ("cuda runtime error (10) : invalid device ordinal at THCGeneral.cpp:87", "invalid-device-ordinal"),
        ("cuda runtime error (2) : out of memory at THCStorage.cu:58", "oom-own-process"),
        ("RuntimeError: No such operator torchvision::nms", "torchvision-mismatch"),
        ("the NVIDIA tool says: The NVIDIA driver on your system is too old", "driver-too-old-for-torch"),
        ('WinError 127 - Error loading "torch_python.dll" or one of its dependencies', "windows-dll-load-failed"),
        ("_torch_sox.cpython-37m.so: undefined symbol: _ZN2at4foo", "torchaudio-mismatch"),
        ("zsh: illegal hardware instruction  python train.py", "import-crash-cpu-isa"),
    ],
)
def test_older_spellings_of_a_message(line: str, rule: str) -> None:
    """Older drivers and NCCLs are still in use, and their messages mean what today's mean."""
    assert [finding.rule for finding in causes(line)][:1] == [rule]

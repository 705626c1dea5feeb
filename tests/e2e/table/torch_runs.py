"""What `import torch` and a small computation say: a pretended torch that fails as a real one was seen to fail."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.e2e.environments import HEALTHY, PRETENDED_TORCH, Wheel, library, torch, virtual
from tests.e2e.rows import Row, server
from tests.fakes import Machine, healthy_h100
from tests.fakes.build import compiler

SIGILL = "import os, signal; os.kill(os.getpid(), signal.SIGILL)\n"
WATCHDOG = "CUDA error: the launch timed out and was terminated"
UNDEFINED = "/site/nvidia/cusparse/lib/libcusparse.so.12: undefined symbol: {}"


def h100() -> Machine:
    return server(healthy_h100(2))


def importing(text: str, rule: str) -> Row:
    """A torch whose import does this."""
    return Row(h100, {rule: "error"}, python=virtual(torch(init=text.encode())), imports=True)


def failing(words: str, rule: str) -> Row:
    return importing(f"raise ImportError({words!r})\n", rule)


def doing(what: str, rule: str, text: str | None = None) -> Row:
    """A torch that imports and then does ``what``: see pretended_torch.py."""
    init = (text or PRETENDED_TORCH.read_text(encoding="utf-8")).encode()
    return Row(h100, {rule: "error"}, python=virtual(torch(init=init)), imports=True, variables={"TORCH_DOES": what})


def watchdog() -> str:
    """The same torch, whose kernels run into the display's watchdog."""
    words = 'raise RuntimeError(f"{name} failed\\nin two lines")'
    text = PRETENDED_TORCH.read_text(encoding="utf-8")
    assert words in text
    return text.replace(words, f'raise RuntimeError("{WATCHDOG}")')


def built_for_another_torch(site: Path) -> None:
    """A real library, which the real loader refuses for want of a symbol of torch's old C++ ABI."""
    command = compiler()
    assert command is not None, "the pretended driver was compiled"
    symbol = "_ZN3c105ErrorC1ENS_14SourceLocationESs"
    source = site / "flash.c"
    source.write_text(f"void {symbol}(void);\nvoid flash(void) {{ {symbol}(); }}\n")
    done = subprocess.run([*command, "-shared", "-fPIC", str(source), "-o", str(site / "flash_attn_2_cuda.so")])
    assert done.returncode == 0


def foreign_cudnn(site: Path) -> None:
    library(site / "nvidia" / "cudnn" / "lib" / "libcudnn.so.9", b"cudnn 9.24.0")


def on_library_path(home: Path) -> None:
    library(home / "cuda-12.1" / "lib64" / "libcudnn.so.9", b"cudnn 9.1.0")


ROWS = {
    "libnvJitLink of a toolkit": failing(UNDEFINED.format("__nvJitLinkComplete_12_4"), "nvjitlink-symbol-missing"),
    "an older NCCL": failing("libtorch_cuda.so: undefined symbol: ncclCommShrink", "nccl-wheel-mismatch"),
    "an older libstdc++": failing(
        "/lib/x86_64-linux-gnu/libstdc++.so.6: version `GLIBCXX_3.4.32' not found (required by libtorch.so)",
        "glibcxx-too-old",
    ),
    "MKL of 2024": failing("libtorch_cpu.so: undefined symbol: iJIT_NotifyEvent", "mkl-runtime-clash"),
    "no room for thread-local data": failing(
        "/site/torch/lib/libgomp-a34b.so.1: cannot allocate memory in static TLS block", "static-tls-exhausted"
    ),
    "an import that fails": importing("raise RuntimeError('no such luck')\n", "torch-import-fails"),
    "an illegal instruction": importing(SIGILL, "import-crash-cpu-isa"),
    "torch says False": doing("unavailable", "torch-cuda-unavailable"),
    "a kernel that fails": doing("kernel on cuda:0:raise", "torch-kernel-fails"),
    "a kernel that the watchdog ends": doing("kernel on cuda:1:raise", "windows-tdr-timeout", watchdog()),
    "an extension of another torch": Row(
        h100,
        {"cxx11-abi-extension": "error"},
        python=virtual(
            torch(init=PRETENDED_TORCH.read_bytes()),
            Wheel("flash-attn", "2.5.6", {"flash_attn/__init__.py": b""}),
            change=built_for_another_torch,
        ),
        imports=True,
    ),
    "a foreign cuDNN on the library path": Row(
        h100,
        {"ld-library-path-hijack": "error"},
        ("torch-import-fails",),
        python=virtual(
            torch(
                init=b"raise RuntimeError('cuDNN version incompatibility: PyTorch was compiled against (9, 24, 0)')\n"
            ),
            *HEALTHY[1:],
            change=foreign_cudnn,
        ),
        imports=True,
        home=on_library_path,
        variables={"LD_LIBRARY_PATH": "{home}/cuda-12.1/lib64:{root}/usr/lib/x86_64-linux-gnu"},
    ),
}

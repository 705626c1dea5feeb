"""What reports say of torch, its devices and the machine, as facts: the meanings that several formats share."""

from __future__ import annotations

import re

from envcheck.facts import Symptom, Unread

from .draft import PYTHON, RUNTIME, TORCH, Draft
from .lines import Line
from .values import (
    build_of,
    cudnn_number,
    distribution_of,
    driver_in,
    is_nothing,
    maker_of,
    platform_in,
    release_in,
    system_of,
    version_in,
    yes_or_no,
)

MPS_ASKED_AND_FALSE = "mps-is-available-false"
"""Somebody asked for MPS by hand; it points at no rule, for a script asks on any machine."""


def take_torch_version(draft: Draft, value: str, line: Line, *, by_hand: bool = False) -> None:
    """torch's version, and what its local part says of the build."""
    version = version_in(value)
    if version is None:
        if "not installed" in value:
            draft.note(TORCH, None, line, by_hand=by_hand)
        return
    for place in (TORCH, RUNTIME):
        draft.note(f"{place}/version", version, line, by_hand=by_hand)
    build = build_of(version)
    if build.kind is None:
        return
    for place in (TORCH, RUNTIME):
        draft.note(f"{place}/cuda", build.number if build.kind == "cuda" else None, line, by_hand=True)
        if build.kind == "rocm":
            draft.note(f"{place}/hip", build.number, line, by_hand=True)
        elif build.kind in ("cuda", "cpu"):
            draft.note(f"{place}/hip", None, line, by_hand=True)
    if build.kind in ("cuda", "cpu", "rocm"):
        draft.note(f"{TORCH}/xpu", None, line, by_hand=True)


def take_torch_cuda(draft: Draft, value: str, line: Line, *, by_hand: bool = False) -> None:
    """The CUDA that torch was built with, as a tool printed ``torch.version.cuda``."""
    number = None if is_nothing(value) else release_in(value)
    if number is None and not is_nothing(value):
        return
    for place in (TORCH, RUNTIME):
        draft.note(f"{place}/cuda", number, line, by_hand=by_hand)


def take_torch_hip(draft: Draft, value: str, line: Line) -> None:
    """The ROCm that torch was built with."""
    number = None if is_nothing(value) else release_in(value)
    for place in (TORCH, RUNTIME):
        draft.note(f"{place}/hip", number, line)
        if number is not None:
            draft.note(f"{place}/cuda", None, line)


def take_available(draft: Draft, value: str, line: Line, *, by_hand: bool = False) -> None:
    """``torch.cuda.is_available()``."""
    answer = yes_or_no(value)
    if answer is not None:
        draft.note(f"{RUNTIME}/imported", True, line, by_hand=by_hand)
        draft.note(f"{RUNTIME}/available", answer, line, by_hand=by_hand)


def take_mps(draft: Draft, value: str, line: Line, *, by_hand: bool = False) -> None:
    """``torch.backends.mps.is_available()``."""
    answer = yes_or_no(value)
    if answer is not None:
        draft.note(f"{RUNTIME}/imported", True, line, by_hand=by_hand)
        draft.note(f"{RUNTIME}/mps_available", answer, line, by_hand=by_hand)
        if not answer:  # nobody asks for it who does not want it
            draft.symptoms.append(
                Symptom(id=MPS_ASKED_AND_FALSE, text=line.text.strip(), source=f"line {line.number}", values=[])
            )


def take_version_and_available(draft: Draft, value: str, line: Line) -> None:
    """``2.0.1+cpu (False)``: version, then whether CUDA is available (or the accelerator's name)."""
    take_torch_version(draft, value, line)
    inside = re.search(r"\(([^()]*)\)\s*$", value)
    if inside is None or version_in(value) is None:
        return
    word = inside[1].strip()
    if word in ("CUDA", "XPU", "NPU", "HPU", "NA"):
        word = "True" if word == "CUDA" else "False"
    take_available(draft, word, line)


def take_python(draft: Draft, value: str, line: Line, *, by_hand: bool = False) -> None:
    """Python's version; ``sys.version`` names its maker as well."""
    version = release_in(value) if not is_nothing(value) else None
    if version is None or "." not in version:
        return
    draft.note(f"{PYTHON}/version", version, line, by_hand=by_hand)
    if "Anaconda" in value or "conda-forge" in value:
        draft.note(f"{PYTHON}/manager", "conda", line, by_hand=by_hand)


def take_os(draft: Draft, value: str, line: Line) -> None:
    """The system's own name: ``Ubuntu 22.04.3 LTS (x86_64)``, ``Microsoft Windows 11 Pro``, ``macOS 14.5 (arm64)``."""
    if is_nothing(value) or take_platform(draft, value, line):
        return
    system = system_of(value)
    if system is None:
        return
    machine = re.search(r"\s*\((x86_64|aarch64|arm64|AMD64|ppc64le|i386)\)\s*$", value)
    name = value[: machine.start()] if machine else value
    draft.note("/host/system", system, line)
    draft.note("/host/os_name", name.strip(), line)
    if machine is not None:
        draft.note("/host/machine", machine[1], line)
    ident = distribution_of(name) if system == "Linux" else None
    if ident is not None:
        draft.note("/host/os_id", ident, line)
    number = re.search(r"\d+(?:\.\d+)*", name)
    if number is not None:
        draft.note("/host/os_version", number[0], line)
    if system == "Darwin":
        draft.note("/host/wsl", None, line)


def take_platform(draft: Draft, value: str, line: Line) -> bool:
    """``platform.platform()``; false where the value is none."""
    found = platform_in(value)
    if found is None:
        return False
    draft.note("/host/system", found.system, line)
    for name, part in (
        ("kernel_release", found.release),
        ("os_version", found.version),
        ("machine", found.machine),
        ("libc", found.libc),
    ):
        if part is not None:
            draft.note(f"/host/{name}", part, line)
    draft.note("/host/wsl", found.wsl, line)
    if found.release is not None:
        if "tegra" in found.release.lower():
            draft.note("/host/jetson", "Jetson", line, by_hand=True)
        else:
            draft.note("/host/jetson", None, line, by_hand=True)
    return True


def take_sys_platform(draft: Draft, value: str, line: Line) -> None:
    """``sys.platform``: linux, win32, darwin."""
    system = system_of(value)
    if system is not None:
        draft.note("/host/system", system, line)


def take_libc(draft: Draft, value: str, line: Line) -> None:
    """``glibc-2.35``."""
    found = re.match(r"(glibc|musl)[- ](\d+(?:\.\d+)+)", value)
    if found is not None:
        draft.note("/host/libc", f"{found[1]} {found[2]}", line)


def take_driver(draft: Draft, value: str, line: Line, *, by_hand: bool = False) -> None:
    """The NVIDIA driver's version; several (one a GPU, from nvidia-smi's CSV) are one."""
    version = driver_in(value)
    if version is not None:
        draft.note("/driver/pasted", version, line, by_hand=by_hand)


def take_gcc(draft: Draft, value: str, line: Line) -> None:
    """The machine's gcc: ``(Ubuntu 11.4.0-1ubuntu1~22.04) 11.4.0``, ``gcc (GCC) 12.2.0``."""
    bare = re.sub(r"\([^()]*\)", " ", value)
    if is_nothing(value) or "clang" in value.lower():
        return
    version = re.search(r"(?<![\w.])\d{1,2}\.\d{1,2}(?:\.\d{1,2})?(?![\w.])", bare)
    if version is not None:
        draft.note("/toolkit/host_compiler", "gcc", line)
        draft.note("/toolkit/host_compiler_version", version[0], line)


def take_nvcc(draft: Draft, value: str, line: Line) -> None:
    """The toolkit's nvcc: ``12.1.105``, ``Cuda compilation tools, release 11.8, V11.8.89``."""
    version = re.search(r"\bV(\d+(?:\.\d+)+)", value) or re.match(r"(\d+\.\d+(?:\.\d+)*)", value)
    if version is not None:
        draft.toolkit(version[1], line)


def take_cudnn(draft: Draft, value: str, line: Line) -> None:
    """cuDNN: a library's path, or torch's own number."""
    paths = re.findall(r"(/\S{1,300}?/(libcudnn\w*\.so)\.(\d+)\.(\d+)\.(\d+))", value)
    for path, name, major, minor, patch in paths[:20]:
        draft.library(f"{name}.{major}", path, f"{major}.{minor}.{patch}", line)
    if paths:
        return
    number = re.match(r"v?(\d+\.\d+(?:\.\d+)?)(?![\w\\])", value)
    if number is not None:
        draft.note(f"{TORCH}/cudnn", number[1], line)
        if "torch.backends.cudnn" in value and cudnn_number(number[1]) is not None:
            draft.note(f"{RUNTIME}/cudnn", cudnn_number(number[1]), line)


def take_listed_gpu(draft: Draft, value: str, line: Line, index: int | None = None, **more: object) -> None:
    """A GPU that nvidia-smi listed (or rocm-smi and torch, for other makers)."""
    name = re.sub(r"\s*\(UUID: [^()]*\)\s*$", "", value).strip()
    if is_nothing(name) or not name:
        return
    if maker_of(name) in ("AMD", "Intel", "other"):
        draft.device(name, line, index=index)
    else:
        draft.gpu(name, line, index=index, **more)


def take_runtime_gpu(draft: Draft, value: str, line: Line, index: int | None = None, cc: int | None = None) -> None:
    """A device by ``torch.cuda.get_device_name()``.

    torch's list is CUDA's, with the user's mask; an NVIDIA card is also listed among the machine's GPUs, where no
    tool of the driver lists any.
    """
    if is_nothing(value) or not value:
        return
    more = {} if cc is None else {"compute_capability": cc}
    draft.device(value, line, index=index, **more)
    if maker_of(value) in (None, "NVIDIA"):
        draft.gpu(value, line, index=index, **more)


def cannot_list_gpus(draft: Draft, value: str, line: Line) -> None:
    """nvidia-smi gave no list: nothing was found that could tell, which is no proof that there is no card."""
    draft.note("/smi/gpus", Unread("missing", value.strip()), line, by_hand=True)

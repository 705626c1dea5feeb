"""Messages that mean one thing on this system and another on that: sorted by what the text tells of the machine."""

from __future__ import annotations

import re

from envcheck.facts import Symptom

from .surroundings import MAC, Surroundings, has_cuda, own, tells_of
from .symptoms import table


def without_cuda(symptom: Symptom, text: Surroundings) -> str | None:
    """A program asks a torch without CUDA for it: on a Mac, or where a person has no GPU, nothing is to be replaced."""
    if tells_of(text, symptom, "Darwin", MAC):
        return "macos-no-cuda"
    shown = text.draft.has("/smi/gpus") or text.draft.has("/devices/pci")
    return None if not shown and NO_GPU.search(text.near(symptom)) else own(symptom)


def no_communication(symptom: Symptom, text: Surroundings) -> str | None:
    """nvidia-smi finds no driver.  On WSL no kernel module is missing: WSL 1 has no GPU, WSL 2 lost that of Windows."""
    reason = next((row.suggests for row in table() if row.id in text.ids and row.suggests in _WHY_NOT_LOADED), None)
    if reason is not None:
        return reason
    wsl = text.draft.get("/host/wsl")
    around = text.near(symptom)
    known = text.draft.has("/host/wsl")
    if wsl is None and (known or _WSL.search(around) is None):
        return own(symptom)
    build = _WINDOWS_BUILD.search(around)
    first = wsl == 1 or (wsl is None and build is not None and int(build[1]) < _FIRST_WITH_WSL2)
    return "wsl1-not-wsl2" if first else "wsl-gpu-blocked"


_WHY_NOT_LOADED = {
    "kernel-module-not-built",
    "secure-boot-unsigned-module",
    "nouveau-conflict",
    "driver-dropped-gpu-arch",
    "open-module-unsupported-gpu",
    "proprietary-module-on-new-gpu",
    "gpu-absent-from-pci-bus",
}
"""What other messages give as the reason that the kernel module is not there."""
_WSL = re.compile(r"\bWSL ?2?\b|\bWindows Subsystem for Linux\b")
_WINDOWS_BUILD = re.compile(r"\b10\.0\.(\d{5})\b")
_FIRST_WITH_WSL2 = 18362
"""Windows 10 1903, the first build that WSL 2 was ever offered for (Microsoft Learn, Install WSL, manual steps)."""
NO_GPU = re.compile(
    r"\b(?:I|[Ww]e|[Mm]y (?:laptop|machine|computer|PC)) (?:don'?t|do not|doesn'?t|does not) have (?:a|an|any) "
    r"(?:NVIDIA |CUDA |dedicated |discrete |Nvidia |nvidia )*(?:GPU|gpu|graphics card)\b"
    r"|\b(?:I'?m|I am|we'?re|we are) (?:using|running)(?: it| this)?(?: on| with)?(?: an?| the)? "
    r"(?:CPU|cpu)[- ]only\b"
    r"|\b[Hh]ow (?:can|do|could|should|to)\b.{0,40}\brun\b.{0,40}\b(?:on|with) (?:a |the |my )?(?:CPU|cpu)\b"
)
"""What a person says of the own machine or wants of it; "no GPU found" is a program's finding and may be wrong."""


def amd_alone(symptom: Symptom, text: Surroundings) -> bool:
    """Is the torch a build for CUDA, and does the text speak of AMD's cards and ROCm only?"""
    around = text.near(symptom)
    cuda = has_cuda(text.draft) or _CUDA_BUILD.search(around) is not None
    return cuda and _AMD.search(around) is not None and _NVIDIA_CARD.search(around) is None


_CUDA_BUILD = re.compile(r"\b\d\.\d{1,2}\.\d\+cu\d{2,3}\b")
_AMD = re.compile(r"\bAMD (?:APU|GPU|Radeon)|\bRadeon\b|\bgfx\d{3,4}\b|\bROCm\b|\brocm\d")
_NVIDIA_CARD = re.compile(
    r"\b(?:GeForce|[RG]TX ?\d{3,4}|Quadro|Tesla [A-Z]\d)|\bNVIDIA (?:GPU|card|graphics) (?:is|here)\b"
)


def companion_symbol(symptom: Symptom, text: Surroundings) -> str | None:
    """A symbol of torch is missing and the line names no file: the companion that the lines around it speak of."""
    around = text.near(symptom)
    named = [name for name in ("torchaudio", "torchvision") if name in around]
    return f"{named[0]}-mismatch" if len(named) == 1 else own(symptom)


def first_use(symptom: Symptom, text: Surroundings) -> str | None:
    """CUDA refuses to begin: in a process that was forked off after CUDA had begun it always does."""
    return "fork-after-cuda-init" if _FORKED.search(text.near(symptom)) else own(symptom)


_FORKED = re.compile(
    r"DataLoader worker|_worker_loop|\bmultiprocessing\.(?:Process|Pool)\b|\bos\.fork\b"
    r"|\b(?:forked|child) (?:sub)?process"
)


def not_handed_in(symptom: Symptom, text: Surroundings) -> str | None:
    """nvidia-smi is not in a container: nobody asked for a GPU, or Kubernetes ran it without the nvidia runtime."""
    return "nvidia-runtime-not-registered" if _KUBERNETES.search(text.near(symptom)) else own(symptom)


_KUBERNETES = re.compile(
    r"\bkubectl\b|\bkubelet\b|\bcontainerd task\b|\bk[03]s\b|\bpods?\b|[Kk]ubernetes|device-plugin"
)


def no_program(symptom: Symptom, text: Surroundings) -> str | None:
    """nvidia-smi is no command: in a container it is handed in with the driver, so nobody handed in a GPU."""
    engine = text.draft.get("/container/engine")
    if not isinstance(engine, str):
        return own(symptom)
    return None if _GPU_ASKED.search(text.near(symptom)) else "container-no-gpu-requested"


_GPU_ASKED = re.compile(r"--gpus\b|--runtime[= ]nvidia\b|nvidia-docker run|nvidia\.com/gpu|--nv\b|driver: nvidia")


def library_refused(symptom: Symptom, text: Surroundings) -> str | None:
    """Windows did not load a library of torch: where it says that memory cannot be promised, nothing is missing."""
    return "windows-paging-file-small" if "[WinError 1455]" in symptom.text else own(symptom)


def no_wheel(symptom: Symptom, text: Surroundings) -> str | None:
    """pip finds no wheel of a GPU package: of triton there is none for Windows, whatever the Python."""
    around = text.near(symptom)
    windows = text.draft.get("/host/system") == "Windows" or _ON_WINDOWS.search(around) is not None
    return "triton-missing-or-wrong" if windows and _TRITON.search(symptom.text) else own(symptom)


_TRITON = re.compile(r"found for triton\b")
_ON_WINDOWS = re.compile(r"\bWindows (?:1[01]|Server)\b|\bon [Ww]indows\b|^[A-Z]:\\", re.MULTILINE)


def no_runtime(symptom: Symptom, text: Surroundings) -> str | None:
    """bitsandbytes found no libcudart.so.  On Windows there is none: that package is made for Linux alone."""
    windows = text.draft.get("/host/system") == "Windows" or _DRIVE.search(text.near(symptom)) is not None
    return "extension-missing-kernel-image" if windows else own(symptom)


_DRIVE = re.compile(r"\b[A-Za-z]:\\\S{0,200}\.so\b|\bWindowsPath\(")

"""Messages that mean one thing here and another there: sorted by the numbers in them and by what stands around them.

Each function looks at one kind of message and gives it back with the rule that its surroundings leave.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from msgspec.structs import replace

from envcheck.compat.rows import TorchBuild
from envcheck.compat.sm import coverage, parse_target
from envcheck.compat.torch_builds import torch_build
from envcheck.compat.version import cuda_of, key, split_local
from envcheck.facts import Symptom

from .circumstances import (
    amd_alone,
    companion_symbol,
    first_use,
    library_refused,
    no_communication,
    no_program,
    no_runtime,
    no_wheel,
    not_handed_in,
    without_cuda,
)
from .draft import PYTHON, TORCH, Draft
from .lines import Text
from .memory_words import others_hold_most
from .surroundings import MAC, WINDOWS, Surroundings, has_cuda, own, tells_of
from .values import build_of

_BUILDING = re.compile(
    r"pip-build-env|Getting requirements to build|subprocess-exited-with-error|metadata-generation-failed"
    r"|setup\.py egg_info"
    r"|Preparing metadata|Building wheels? for|build_meta|prepare_metadata_for_build|Failed to build|builds-v0"
    r"|build_wheel|get_requires_for_build"
    r"|declare it as a build dependency"  # uv's hint
)
_INSTALLS = re.compile(
    r"\b(?:pip3?|uv|poetry|pdm) (?:pip )?(?:install|add)\b[^\n]{0,80}\b(?:flash[-_]attn|xformers|apex|deepspeed"
    r"|torch[-_](?:scatter|sparse|cluster)|detectron2|mamba[-_]ssm|causal[-_]conv1d|sageattention)\b"
)
"""The installation of a package whose setup.py imports torch."""

_COMPILING = re.compile(
    _BUILDING.pattern + r"|setup\.py|cmake|CMake|ninja|make\[\d\]|[Bb]uilding extension|cpp_extension|cargo build"
)
_NOTEBOOK = re.compile(r"<ipython-input-|Cell In ?\[|ipykernel|In \[\d+\]:|\.ipynb|\b[Jj]upyter\b")


def route(found: Sequence[Symptom], lines: Text, draft: Draft) -> list[Symptom]:
    """The messages, each pointing at the rule that its surroundings leave."""
    text = Surroundings(lines, draft, frozenset(symptom.id for symptom in found))
    out = []
    for symptom in found:
        sort = _SORTERS.get(symptom.id)
        chosen = sort(symptom, text) if sort is not None else symptom.suggests
        # What the surroundings decided is more than the words alone and less than a proof.
        proves = symptom.proves and (chosen == symptom.suggests)
        out.append(replace(symptom, suggests=chosen, proves=proves))
    return out


def _no_module(symptom: Symptom, text: Surroundings) -> str:
    """In an installation log torch is missing in the builder's own environment; in a notebook, in the kernel's."""
    around = text.near(symptom)
    if _BUILDING.search(around) or (_INSTALLS.search(around) and 'File "' not in around):
        return "build-isolation-no-torch"
    return "jupyter-kernel-other-env" if _NOTEBOOK.search(around) else "wrong-interpreter"


def _no_device(symptom: Symptom, text: Surroundings) -> str:
    """No device for CUDA: hidden by a mask, where one is set or another tool lists cards; else none is there."""
    if "failed-to-initialize-nvml-unknown-error" in text.ids:
        return "container-gpu-lost-after-reload"
    mask = text.draft.variable_of("CUDA_VISIBLE_DEVICES")
    if mask is not None and (mask != "0" or text.draft.has("/smi/gpus")):
        return _mask(mask)
    listed = text.draft.has("/smi/gpus") or text.draft.has("/devices/pci")
    there = listed or text.draft.get(f"{PYTHON}/runtime/available") is True
    return "cvd-empty" if there else "gpu-absent-from-pci-bus"


def _mask(value: str) -> str:
    """What is wrong with a mask that leaves no device, by its form."""
    items = [item.strip() for item in value.split(",")]
    if items[0].startswith("MIG-"):
        return "cvd-mig-form"
    if items[0].upper().startswith("GPU-"):
        return "cvd-bad-uuid"
    if not items[0].isdigit():
        return "cvd-empty"
    return "cvd-duplicate" if len(set(items)) < len(items) else "cvd-index-out-of-range"


def _out_of_memory(symptom: Symptom, text: Surroundings) -> str:
    """Who holds the memory, by torch's own count; without numbers it is the program, as it mostly is."""
    return "gpu-memory-held-by-others" if others_hold_most(symptom.text) else "oom-own-process"


def _cudnn(symptom: Symptom, text: Surroundings) -> str | None:
    """The cuDNN that was found is the one of an installed wheel: then the wheel is of the wrong version."""
    found = re.search(r"found runtime version \((\d+), (\d+), (\d+)\)", text.near(symptom))
    if found is not None:
        version = ".".join(found.groups())
        for name, have in text.draft.packages():
            if name.startswith("nvidia-cudnn") and have is not None and have.startswith(version):
                return "nvidia-wheel-pin-broken"
    return own(symptom)


def _nvml_unknown(symptom: Symptom, text: Surroundings) -> str | None:
    """NVML's unknown error: a container that lost its devices; Windows takes none away, and there it tells no cause."""
    return None if tells_of(text, symptom, "Windows", WINDOWS) else own(symptom)


def _no_device_driver(symptom: Symptom, text: Surroundings) -> str | None:
    """Docker found nothing that hands in GPUs: on a Mac there is none to install, for there is no NVIDIA GPU."""
    return "macos-no-cuda" if tells_of(text, symptom, "Darwin", MAC) else own(symptom)


def _xformers(symptom: Symptom, text: Surroundings) -> str | None:
    """xFormers was built for CUDA and torch is a build without it: the build of torch is the one to replace."""
    values = symptom.values if isinstance(symptom.values, list) else []
    if len(values) == 2 and build_of(values[0]).kind == "cuda" and build_of(values[1].rstrip(")")).kind == "cpu":
        return "torch-cpu-only-build"
    return own(symptom)


def _libcuda(symptom: Symptom, text: Surroundings) -> str:
    """``libcuda.so`` without a number is what programs ask for on WSL, where its folder is not on the path."""
    known_elsewhere = text.draft.has("/host/wsl") and text.draft.get("/host/wsl") is None
    return "no-driver-library" if known_elsewhere else "wsl-libcuda-not-found"


def _no_driver(symptom: Symptom, text: Surroundings) -> str:
    """No driver: on WSL its folder is not found; in a container it was not handed in; else there is none."""
    if text.draft.get("/host/system") == "Darwin":
        return "macos-no-cuda"
    if text.draft.get("/host/wsl") is not None:
        return "wsl-libcuda-not-found"
    if amd_alone(symptom, text):
        return "torch-rocm-on-nvidia"
    inside = text.draft.get("/container/engine") is not None
    return "container-no-gpu-requested" if inside else "no-driver-library"


def _no_code(symptom: Symptom, text: Surroundings) -> str | None:
    """No code for the card: is it newer than the build, or has the build dropped it?  Card and build decide."""
    cc, targets = text.draft.capability(), _targets(text.draft)
    if cc is None:
        return "gpu-older-than-torch-archs" if _OLD_GEFORCE.search(text.near(symptom)) else own(symptom)
    if targets:
        numbers = [parse_target(target).cc for target in targets]
        if cc > max(numbers):
            return "gpu-newer-than-torch-archs"
        if cc < min(numbers):
            return "gpu-older-than-torch-archs"
        # torch itself has code for the card: another package has none.
        return "extension-missing-kernel-image" if isinstance(coverage(cc, targets), str) else own(symptom)
    # Without a build: Pascal and older have been dropped since, Blackwell and newer were not there before.
    return "gpu-older-than-torch-archs" if cc < _DROPPED_BELOW else own(symptom)


_DROPPED_BELOW = 70
_OLD_GEFORCE = re.compile(r"\bGeForce (?:GT[XS]? ?)?[2-9]\d\d(?:M|MX|A)?\b")
"""A GeForce with a number of three digits: of 2008 to 2016, Tesla to Maxwell.  Pascal's begin at 1010."""


def _targets(draft: Draft) -> list[str]:
    """What torch was compiled for: its own list, or that of the wheel of this name on x86_64."""
    listed = draft.get(f"{TORCH}/arch_list") or draft.get(f"{PYTHON}/runtime/arch_list")
    if listed:
        return list(listed)
    version = draft.get(f"{TORCH}/version")
    public, local = split_local(version) if version is not None else ("", None)
    row = torch_build(public, local, "linux_x86_64") if local is not None and cuda_of(local) is not None else None
    return [f"sm_{cc}" for cc in row.archs or []] if isinstance(row, TorchBuild) else []


def _part_of_torch(symptom: Symptom, text: Surroundings) -> str | None:
    """A CUDA part of torch is missing: torch was built without, or it was and its files are damaged."""
    return "torch-library-damaged" if has_cuda(text.draft) else own(symptom)


def _bitsandbytes(symptom: Symptom, text: Surroundings) -> str | None:
    """bitsandbytes found no binary of its own: torch has no CUDA, or a CUDA that bitsandbytes has none for."""
    return "extension-missing-kernel-image" if has_cuda(text.draft) else own(symptom)


def _missing_library(symptom: Symptom, text: Surroundings) -> str | None:
    """TensorFlow looks for CUDA everywhere and says itself that this is nothing where no GPU is."""
    alone = "dso_loader" in symptom.text and not text.draft.has("/smi/gpus")
    return None if alone and "Ignore above cudart dlerror" in text.near(symptom) else own(symptom)


def _no_kernel_driver(symptom: Symptom, text: Surroundings) -> str | None:
    """TensorFlow's remark that no kernel driver runs: without libcuda either, no driver is installed at all."""
    return "no-driver-library" if text.ids & _WITHOUT_LIBCUDA else own(symptom)


_WITHOUT_LIBCUDA = {"libcuda-so-1-cannot-open-shared-object", "cuinit-303", "could-not-find-cuda-drivers"}


def _nvcc(symptom: Symptom, text: Surroundings) -> str | None:
    """nvcc is missing: a fault where something is being built, else a remark."""
    return "cuda-home-not-found" if _COMPILING.search(text.near(symptom)) else own(symptom)


def _wanted_device(symptom: Symptom, text: Surroundings) -> str | None:
    """A device that torch does not have: with a CPU build there is none to ask for."""
    version = text.draft.get(f"{TORCH}/version")
    if version is not None and build_of(version).kind == "cpu":
        return "torch-cpu-only-build"
    if text.draft.get(f"{PYTHON}/runtime/available") is False:
        return "torch-cuda-unavailable"
    return own(symptom)


def _rocm_asked(symptom: Symptom, text: Surroundings) -> str | None:
    """ROCm's index was asked, and the torch that is there is a CUDA build that finds no device."""
    version = text.draft.get(f"{TORCH}/version")
    cuda = version is not None and build_of(version).kind == "cuda"
    return "torch-rocm-on-nvidia" if cuda and text.draft.get(f"{PYTHON}/runtime/available") is False else None


def _missing_cudnn(symptom: Symptom, text: Surroundings) -> str | None:
    """A part of cuDNN that cuDNN itself, or a package built for another cuDNN, asked for; else torch's own wheel."""
    if "could-not-load-library-libcudnn-ops-infer" in text.ids:
        return "cudnn-version-incompatible"
    torch = text.draft.get(f"{TORCH}/version")
    if "libcudnn" in symptom.text and ".so.8" in symptom.text and torch is not None and key(torch) >= (2, 4):
        return "cudnn-version-incompatible"
    return own(symptom)


def _two_drivers(symptom: Symptom, text: Surroundings) -> str | None:
    """803 and 804 beside two driver versions: the library was upgraded and the old module is still loaded."""
    module = text.draft.get("/driver/proc") or text.draft.get("/driver/sys_module")
    library = text.draft.library_version()
    if module is not None and library is not None and key(module)[:2] != key(library)[:2]:
        return "driver-library-version-mismatch"
    return own(symptom)


_SORTERS: dict[str, Callable[[Symptom, Surroundings], str | None]] = {
    "no-module-named-torch": _no_module,
    "no-cuda-gpus-are-available": _no_device,
    "no-cuda-capable-device-is-detected": _no_device,
    "cuinit-100": _no_device,
    "no-gpu-found-by-program": _no_device,
    "kernel-driver-does-not-appear-to-be-running": _no_kernel_driver,
    "nvcc-command-not-found": _nvcc,
    "rocm-index-asked": _rocm_asked,
    "libc10-cuda-so-cannot-open-shared-object": _part_of_torch,
    "bitsandbytes-without-gpu": _bitsandbytes,
    "symbol-of-the-stable-abi-not-found": companion_symbol,
    "cuda-error-30-or-999": first_use,
    "nvidia-smi-not-in-the-container": not_handed_in,
    "nvidia-smi-command-not-found": no_program,
    "winerror-126": library_refused,
    "no-matching-distribution-of-a-gpu-package": no_wheel,
    "main-cuda-runtime-library-not-detected": no_runtime,
    "no-libcudart-so-found": no_runtime,
    "torch-not-compiled-with-cuda-enabled": without_cuda,
    "nvidia-smi-has-failed-because-it-couldn": no_communication,
    "no-kernel-image-is-available-for-execution": _no_code,
    "no-binary-for-gpu": _no_code,
    "with-cuda-capability-sm-120-is-not": _no_code,
    "found-gpu0-tesla-v100-sxm2-16gb-which": _no_code,
    "libcusparselt-so-0-cannot-open-shared-object": _missing_library,
    "invalid-device-id": _wanted_device,
    "cuda-out-of-memory-tried-to-allocate": _out_of_memory,
    "cudnn-version-incompatibility-pytorch-was-compiled": _cudnn,
    "failed-to-initialize-nvml-unknown-error": _nvml_unknown,
    "could-not-select-device-driver-with-capabilities": _no_device_driver,
    "xformers-was-built-for": _xformers,
    "libcuda-so-cannot-open-shared-object": _libcuda,
    "libcudnn-so-9-cannot-open-shared-object": _missing_cudnn,
    "found-no-nvidia-driver-on-your-system": _no_driver,
    "forward-compatibility-was-attempted-on-non-supported": _two_drivers,
    "system-has-unsupported-display-driver-cuda-driver": _two_drivers,
}


def part_environments(found: Sequence[Symptom], draft: Draft) -> None:
    """torch is missing in one Python and tells its version in another: the text speaks of two environments."""
    missing = [s for s in found if s.id == "no-module-named-torch" and s.suggests != "build-isolation-no-torch"]
    if missing and (draft.has(f"{TORCH}/version") or draft.has(f"{PYTHON}/runtime/version")):
        draft.part_off(missing[0].source)

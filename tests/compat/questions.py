"""Questions with answers drawn from primary sources, not from the tables' own code.

Sources: CUDA release notes 13.4.1 (driver floors: 450.80.02 for CUDA 11, 525.60.13 / 527.41 for 12, 580 for 13), the
wheels' own arch flags, pytorch/pytorch RELEASE.md (support matrix), NVIDIA's legacy lists (Kepler ends at 470, Maxwell
to Volta at 580), open-gpu-kernel-modules README (first driver of a Blackwell card), the default index's file list
(Python versions), pytorch.org "Previous PyTorch Versions" (historical commands).

An answer is "release+variant", or "none: rule" where nothing fits and that rule is why.
"""

from __future__ import annotations

from typing import NamedTuple


class Question(NamedTuple):
    """A machine in the words of the command line, a wish, and the answer."""

    machine: dict[str, str]
    wish: dict[str, str]
    answer: str

    @property
    def label(self) -> str:
        parts = [*self.machine.values(), *(f"{name}={value}" for name, value in self.wish.items())]
        return " ".join(parts) or "nothing told"


CUDA11 = "2.7.1+cu118"  # the last release with a CUDA 11 variant
CUDA12 = "2.14.1+cu126"  # the last release with a CUDA 12 variant
CUDA13 = "2.15.0+cu132"  # the newest release
OLD_BLACKWELL = "2.11.0+cu128"  # the last CUDA 12 build with Blackwell code
DROPPED = "none: driver-dropped-gpu-arch"
TOO_OLD_FOR_GPU = "none: driver-too-old-for-gpu"
TOO_OLD_FOR_CUDA = "none: driver-too-old-for-torch"
CARD_TOO_OLD = "none: gpu-older-than-torch-archs"
CARD_TOO_NEW = "none: gpu-newer-than-torch-archs"
NO_WHEEL = "none: torch-python-unsupported"
CPU_ONLY = "none: torch-cpu-only-build"

# driver → card → answer, on Linux with Python 3.12
GRID: dict[str, dict[str, str]] = {
    "450.80.02": {
        "K80": CUDA11, "M40": CUDA11, "GTX 1080 Ti": CUDA11, "V100": CUDA11, "T4": CUDA11, "A100": CUDA11,
        "RTX 3090": TOO_OLD_FOR_GPU, "RTX 4090": TOO_OLD_FOR_GPU, "H100": TOO_OLD_FOR_GPU,
    },
    "470.256.02": {
        "K80": CUDA11, "M40": CUDA11, "GTX 1080 Ti": CUDA11, "V100": CUDA11, "RTX 2080": CUDA11, "A100": CUDA11,
        "RTX 3090": CUDA11, "L4": TOO_OLD_FOR_GPU, "RTX 5090": TOO_OLD_FOR_GPU,
    },
    "510.47.03": {"K80": DROPPED, "M40": CUDA11, "V100": CUDA11, "T4": CUDA11, "RTX 3090": CUDA11},
    "520.61.05": {"RTX 4090": CUDA11, "H100": CUDA11, "A100": CUDA11},
    "525.60.13": {
        "K80": DROPPED, "M40": CUDA12, "GTX 1080 Ti": CUDA12, "V100": CUDA12, "T4": CUDA12, "A100": CUDA12,
        "RTX 4090": CUDA12, "B200": TOO_OLD_FOR_GPU,
    },
    "535.104.05": {
        "GTX 1080 Ti": CUDA12, "V100": CUDA12, "RTX 2080": CUDA12, "A100": CUDA12, "RTX 3090": CUDA12, "L4": CUDA12,
        "RTX 4090": CUDA12, "H100": CUDA12, "GH200 480GB": CUDA12, "RTX 5090": TOO_OLD_FOR_GPU,
    },
    "545.23.08": {"M40": CUDA12, "H100": CUDA12, "L4": CUDA12},
    "550.54.14": {"V100": CUDA12, "H200": CUDA12, "RTX 5090": TOO_OLD_FOR_GPU, "B200": TOO_OLD_FOR_GPU},
    "555.42.06": {"RTX 4090": CUDA12, "T4": CUDA12},
    "560.35.03": {"RTX 3090": CUDA12, "H200": CUDA12},
    "565.57.01": {"H100": CUDA12, "GTX 1080 Ti": CUDA12, "RTX PRO 6000": TOO_OLD_FOR_GPU},
    "570.124.06": {
        "V100": CUDA12, "RTX 4090": CUDA12, "H200": CUDA12, "B200": OLD_BLACKWELL, "GB200": OLD_BLACKWELL,
        "RTX 5090": OLD_BLACKWELL, "RTX PRO 6000": OLD_BLACKWELL,
    },
    "575.57.08": {"RTX 5090": OLD_BLACKWELL, "RTX PRO 6000": OLD_BLACKWELL, "M40": CUDA12, "B300": TOO_OLD_FOR_GPU},
    "580.95.05": {
        "K80": DROPPED, "M40": CUDA12, "GTX 1080 Ti": CUDA12, "V100": CUDA12, "RTX 2080": CUDA13, "T4": CUDA13,
        "A100": CUDA13, "RTX 3090": CUDA13, "L4": CUDA13, "RTX 4090": CUDA13, "H100": CUDA13, "H200": CUDA13,
        "GH200 480GB": CUDA13, "B200": CUDA13, "GB200": CUDA13, "B300": CUDA13, "RTX 5090": CUDA13,
        "RTX PRO 6000": CUDA13, "GB10": CUDA13, "Jetson AGX Thor": CUDA13,
    },
    "590.48.01": {"M40": DROPPED, "GTX 1080 Ti": DROPPED, "V100": DROPPED, "T4": CUDA13, "RTX 5090": CUDA13},
    "595.71.05": {"V100": DROPPED, "A100": CUDA13, "B200": CUDA13, "Jetson AGX Orin": CUDA13},
    "610.43.02": {"GTX 1080 Ti": DROPPED, "RTX 2080": CUDA13, "H100": CUDA13, "RTX PRO 6000": CUDA13},
    "540.4.0": {"Jetson AGX Orin": TOO_OLD_FOR_CUDA},
}  # fmt: skip

NEW = {"driver": "580.95.05", "gpu": "RTX 4090"}
OLD = {"driver": "535.104.05", "gpu": "RTX 4090", "python": "3.12"}
MODERN = {**NEW, "python": "3.12"}


def _with(base: dict[str, str], **changes: str) -> dict[str, str]:
    return {**base, **changes}


PYTHONS = [
    Question(_with(NEW, python=python), {}, answer)
    for python, answer in {
        "3.6": "1.10.1+cu111",  # 1.10.2 has cu102 only as far as is proven, and that ends at 7.0
        "3.7": "1.13.1+cu117",
        "3.8": "2.4.1+cu121",
        "3.9": "2.8.0+cu128",
        "3.10": "2.14.1+cu130",  # 2.15 has none for 3.10
        "3.11": CUDA13,
        "3.12.4": CUDA13,
        "3.13": CUDA13,
        "3.13t": "2.12.0+cu130",  # free-threaded 3.13 ends here
        "3.14": CUDA13,
        "3.14t": CUDA13,
        "3.15": CUDA13,
        "3.16": NO_WHEEL,
    }.items()
]

PLATFORMS = [
    Question({"os": "windows", "driver": "560.94", "gpu": "RTX 3090", "python": "3.11"}, {}, CUDA12),
    Question({"os": "windows", "driver": "527.41", "gpu": "RTX 3090", "python": "3.11"}, {}, CUDA12),
    Question({"os": "windows", "driver": "522.06", "gpu": "RTX 3090", "python": "3.11"}, {}, CUDA11),
    Question({"os": "windows", "driver": "472.12", "gpu": "GTX 1080 Ti", "python": "3.9"}, {}, CUDA11),
    Question({"os": "windows", "driver": "572.16", "gpu": "RTX 5090", "python": "3.12"}, {}, OLD_BLACKWELL),
    Question({"os": "windows", "driver": "566.36", "gpu": "RTX 5090", "python": "3.12"}, {}, TOO_OLD_FOR_GPU),
    Question({"os": "windows", "driver": "581.29", "gpu": "RTX 4090", "python": "3.12"}, {}, "2.14.1+cu130"),
    Question({"os": "windows", "driver": "591.86", "gpu": "GTX 1080 Ti", "python": "3.12"}, {}, DROPPED),
    Question(
        {"os": "windows", "driver": "581.29", "gpu": "RTX 4090", "python": "3.12"},
        {"torch": "2.15"},
        CPU_ONLY,
    ),
    Question({"os": "windows", "python": "3.12"}, {"cuda": "cpu"}, "2.15.0+cpu"),
    Question({"os": "wsl", "driver": "551.61", "gpu": "RTX 4090", "python": "3.12"}, {}, CUDA12),
    Question({"os": "wsl", "driver": "581.29", "gpu": "RTX 4090", "python": "3.12"}, {}, CUDA13),
    Question({"os": "macos", "python": "3.12"}, {}, "2.15.0+cpu"),
    Question({"os": "macos", "arch": "x86_64", "python": "3.11"}, {}, "2.2.2+cpu"),
    Question({"os": "macos", "python": "3.8"}, {}, "2.4.1+cpu"),
    Question({"os": "macos", "gpu": "RTX 4090", "python": "3.12"}, {}, "none: macos-no-cuda"),
    Question({"arch": "aarch64", "python": "3.12"}, {"cuda": "cpu"}, "2.15.0+cpu"),
    Question({"arch": "aarch64", "driver": "580.95.05", "gpu": "T4G", "python": "3.12"}, {}, CARD_TOO_OLD),
    Question({"driver": "535.104.05", "gpu": "GH200", "python": "3.12"}, {"torch": "2.12"}, "2.12.1+cu126"),
    Question({"driver": "580.95.05", "gpu": "GH200", "python": "3.12"}, {"torch": "2.9"}, "2.9.1+cu128"),
    Question({"driver": "580.95.05", "gpu": "GH200", "python": "3.12"}, {"torch": "2.6"}, CPU_ONLY),
]  # fmt: skip

LIBRARIES = [
    Question(_with(MODERN, glibc="2.17"), {}, "2.6.0+cu124"),
    Question(_with(MODERN, glibc="2.27"), {}, "2.6.0+cu124"),
    Question(_with(MODERN, glibc="2.28"), {}, CUDA13),
    Question(_with(MODERN, glibc="2.39"), {}, CUDA13),
    Question(_with(MODERN, glibc="2.17"), {"torch": "2.6.0", "cuda": "12.6"}, NO_WHEEL),
    Question(_with(MODERN, glibc="2.17"), {"torch": ">=2.7"}, NO_WHEEL),
]

WISHES = [
    Question(MODERN, {"torch": "2.9"}, "2.9.1+cu128"),
    Question(MODERN, {"torch": "2.9.0"}, "2.9.0+cu128"),
    Question(MODERN, {"torch": ">=2.6,<2.9"}, "2.8.0+cu128"),
    Question(MODERN, {"torch": "2.7"}, "2.7.1+cu126"),
    Question(MODERN, {"torch": "2.14"}, "2.14.1+cu130"),
    Question(MODERN, {"cuda": "12"}, CUDA12),
    Question(MODERN, {"cuda": "12.8"}, OLD_BLACKWELL),
    Question(MODERN, {"cuda": "cu121"}, "2.5.1+cu121"),
    Question(MODERN, {"cuda": "11"}, CUDA11),
    Question(MODERN, {"cuda": "13.0"}, "2.14.1+cu130"),
    Question(MODERN, {"cuda": "cpu"}, "2.15.0+cpu"),
    Question(OLD, {"torch": "2.8"}, "2.8.0+cu128"),
    Question(OLD, {"torch": "2.11"}, "2.11.0+cu128"),
    Question(OLD, {"cuda": "13"}, TOO_OLD_FOR_CUDA),
    Question(OLD, {"torch": "2.15"}, TOO_OLD_FOR_CUDA),
    Question({"driver": "570.124.06", "gpu": "RTX 5090", "python": "3.12"}, {"torch": "2.7.1"}, "2.7.1+cu128"),
    Question({"driver": "570.124.06", "gpu": "RTX 5090", "python": "3.12"}, {"torch": "2.6"}, CARD_TOO_NEW),
    Question({"driver": "580.95.05", "gpu": "V100", "python": "3.12"}, {"torch": "2.10"}, "2.10.0+cu128"),
    Question({"driver": "580.95.05", "gpu": "V100", "python": "3.12"}, {"torch": "2.11"}, "2.11.0+cu126"),
    Question({"driver": "580.95.05", "gpu": "V100", "python": "3.12"}, {"torch": "2.7", "cuda": "12.8"}, CARD_TOO_OLD),
    Question({"driver": "580.95.05", "gpu": "V100", "python": "3.12"}, {"torch": "2.15"}, CARD_TOO_OLD),
    Question({"python": "3.8"}, {"torch": "1.8.1", "cuda": "11.1"}, "1.8.1+cu111"),
    Question({"driver": "470.256.02", "gpu": "RTX 3090", "python": "3.8"}, {"torch": "1.8.1"}, "1.8.1+cu111"),
    Question({"driver": "470.256.02", "gpu": "V100", "python": "3.8"}, {"torch": "1.8.1"}, "1.8.1+cu102"),
    Question({"driver": "440.33.01", "gpu": "V100", "python": "3.9"}, {}, "1.12.1+cu102"),
    Question({"driver": "535.104.05", "gpu": "RTX 3090", "python": "3.11"}, {"torch": "2.0.0"}, "2.0.0+cu117"),
    Question({"driver": "535.104.05", "gpu": "H100", "python": "3.11"}, {"torch": "2.0.0"}, "2.0.0+cu118"),
    Question({"driver": "580.95.05", "gpu": "RTX 5090", "python": "3.11"}, {"torch": "2.0.0"}, CARD_TOO_NEW),
    Question({"driver": "535.104.05", "gpu": "RTX 3090", "python": "3.12"}, {"torch": "2.0.0"}, NO_WHEEL),
    Question({"driver": "470.256.02", "gpu": "K80", "python": "3.8"}, {}, "2.4.1+cu118"),
    Question({"driver": "580.95.05", "cc": "12.1", "arch": "aarch64", "python": "3.12"}, {}, CUDA13),
    Question({"driver": "580.95.05", "cc": "3.0", "python": "3.8"}, {}, DROPPED),
    Question({"driver": "470.256.02", "cc": "3.5", "python": "3.8"}, {}, CARD_TOO_OLD),
    Question({"driver": "525", "gpu": "RTX 4090", "python": "3.12"}, {}, CUDA12),  # a bare branch
    Question({"driver": "650.10", "gpu": "RTX 4090", "python": "3.12"}, {}, CUDA13),  # newer than the table
]  # fmt: skip

QUESTIONS = [
    *(
        Question({"driver": driver, "gpu": gpu, "python": "3.12"}, {}, answer)
        for driver, cards in GRID.items()
        for gpu, answer in cards.items()
    ),
    *PYTHONS,
    *PLATFORMS,
    *LIBRARIES,
    *WISHES,
]

HAVE: list[tuple[dict[str, str], str, bool | None, str | None]] = [
    ({"driver": "570.124.06", "gpu": "RTX 5090"}, "2.7.1+cu128", True, None),
    ({"driver": "570.124.06", "gpu": "RTX 5090"}, "2.7.1", False, "gpu-newer-than-torch-archs"),  # cu126
    ({"driver": "570.124.06", "gpu": "RTX 5090"}, "2.12.0", False, "driver-too-old-for-torch"),
    ({"driver": "570.124.06", "gpu": "RTX 4090"}, "2.10.0", True, None),
    ({"driver": "580.95.05", "gpu": "V100"}, "2.11.0", False, "gpu-older-than-torch-archs"),
    ({"driver": "580.95.05", "gpu": "V100"}, "2.10.0+cu128", True, None),
    ({"driver": "595.71.05", "gpu": "V100"}, "2.10.0+cu128", False, "driver-dropped-gpu-arch"),
    ({"driver": "535.104.05", "gpu": "GTX 1080 Ti"}, "2.14.1+cu126", True, None),
    ({"driver": "510.47.03", "gpu": "RTX 3090"}, "2.6.0", False, "driver-too-old-for-torch"),
    ({"os": "windows", "driver": "581.29", "gpu": "RTX 4090"}, "2.10.0", False, "torch-cpu-only-build"),
    ({"os": "windows", "driver": "581.29", "gpu": "RTX 4090"}, "2.10.0+cu128", True, None),
    ({"driver": "580.95.05", "gpu": "GH200"}, "2.10.0", False, "torch-cpu-only-build"),
    ({"driver": "580.95.05", "gpu": "GH200"}, "2.11.0", True, None),
    ({"driver": "580.95.05", "gpu": "RTX 4090"}, "2.9.1+rocm6.4", False, "torch-rocm-on-nvidia"),
    ({"driver": "580.95.05", "gpu": "RTX 4090"}, "2.3.5", False, "torch-python-unsupported"),
    ({"driver": "580.95.05", "gpu": "RTX 4090"}, "2.16.0", None, None),
    ({"driver": "580.95.05", "gpu": "RTX 4090"}, "2.11.0+cu129", None, None),  # its arch list is not known
    ({"driver": "535.104.05", "gpu": "RTX 4090"}, "2.12.0+cu133", False, "driver-too-old-for-torch"),  # not listed
    ({"driver": "580.95.05", "gpu": "RTX 4090"}, "2.12.0+cu133", None, None),
    ({"gpu": "RTX 4090"}, "2.9.1+cu128", None, None),
    ({"driver": "580.95.05"}, "2.9.1+cu128", None, None),
    ({"driver": "535.104.05", "gpu": "RTX 4090", "python": "3.12"}, "2.0.1", False, "torch-python-unsupported"),
    ({"driver": "580.95.05", "gpu": "T4", "glibc": "2.17"}, "2.9.1+cu128", False, "torch-python-unsupported"),
    ({"os": "macos", "python": "3.12"}, "2.9.1", True, None),
]
"""Machine, build, whether it runs there, and the rule that says why not."""

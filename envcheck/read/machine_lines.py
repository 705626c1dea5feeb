"""Single lines that tell of the machine: nvcc, the driver's banner, uname, /etc/os-release, lsb_release, Jetson's."""

from __future__ import annotations

import re
from collections.abc import Sequence

from .draft import Draft
from .lines import Line
from .torch_words import take_driver, take_os, take_platform
from .values import wsl_of

SIGNS: tuple[str, ...] = (
    "Cuda compilation tools",
    "NVRM version",
    "Kernel Module",
    "GNU/Linux",
    "PRETTY_NAME",
    "VERSION_ID",
)
SIGNS += (
    "Driver Version",
    "Description:",
    "(release), REVISION",
    "-with-glibc",
    "Jetson",
    "microsoft-standard",
    "Windows-1",
    "macOS-",
)

_NVCC = re.compile(r"Cuda compilation tools, release (\d{1,2}\.\d)(?:, V(\d+\.\d+\.\d+))?")
_BANNER = re.compile(
    r"NVIDIA UNIX (?P<open>Open )?(?:\S{2,10} )?Kernel Module(?: for \w+)?[ .…]{1,12}"
    r"(?P<version>\d{3}\.\d{2,3}(?:\.\d{1,3})?)"
)
_UNAME = re.compile(
    r"^\s{0,8}Linux \S{1,100} (?P<release>\d+\.\d+\S{1,80}) #?\S.{0,200}? (?P<machine>x86_64|aarch64|ppc64le)\b"
    r".{0,60}GNU/Linux"
)
_TEGRA = re.compile(r"#\s?R(\d{2}) \(release\), REVISION: (\d+\.\d+)")
_JETSON = re.compile(r"\bNVIDIA (Jetson [A-Z][\w ]{2,60}?)(?: Engineering| Reference| Developer|$|[,.;)\"'`])")
_RELEASE = re.compile(r'^\s{0,8}(PRETTY_NAME|VERSION_ID|ID)="?([^"\n]{1,80}?)"?\s*$')


def read(lines: Sequence[Line], draft: Draft) -> None:
    """Read such lines wherever they stand."""
    for line in lines:
        text = line.text
        nvcc = _NVCC.search(text)
        if nvcc is not None and "NVCC" not in text:  # MMCV's own line is read with its block
            draft.toolkit(nvcc[2] or nvcc[1], line)
        banner = _BANNER.search(text)
        if banner is not None:
            draft.note("/driver/proc", banner["version"], line)
            draft.note("/driver/proc_banner", text.strip(), line)
            draft.note("/driver/open_module", banner["open"] is not None, line)
        uname = _UNAME.match(text)
        if uname is not None:
            draft.note("/host/system", "Linux", line)
            draft.note("/host/kernel_release", uname["release"], line)
            draft.note("/host/machine", uname["machine"], line)
            draft.note("/host/wsl", wsl_of(uname["release"]), line)
        if "Driver Version" in text:  # nvidia-smi's heading, or what somebody took over of it
            take_driver(draft, text.partition("Driver Version")[2][:40], line, by_hand=True)
        if "=" in text or "Description" in text:
            _release(draft, line)
        if "(release), REVISION" in text:
            tegra = _TEGRA.search(text)
            if tegra is not None:
                draft.note("/host/jetson", f"Jetson, L4T {tegra[1]}.{tegra[2]}", line)
        if "Linux-" in text or "Windows-" in text or "macOS-" in text:
            take_platform(draft, text, line)


def _release(draft: Draft, line: Line) -> None:
    found = _RELEASE.match(line.text)
    if found is not None:
        field = {"PRETTY_NAME": "os_name", "VERSION_ID": "os_version", "ID": "os_id"}[found[1]]
        if found[1] == "PRETTY_NAME":
            take_os(draft, found[2], line)
        else:
            draft.note(f"/host/{field}", found[2], line)
        return
    described = re.match(r"^\s{0,8}Description:\s+(\S.{1,80})$", line.text)
    if described is not None:
        take_os(draft, described[1], line)

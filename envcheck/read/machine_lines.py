"""Single lines that tell of the machine: nvcc, the driver's banner, uname, /etc/os-release, lsb_release, Jetson's."""

from __future__ import annotations

import re

from envcheck.compat.jetson import l4t_of_jetpack

from .draft import Draft
from .lines import Line, Text
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
    "L4T",
    "JetPack",
    "Jetpack",
    "jetpack",
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
_TEGRA = re.compile(r"#\s?R(\d{2}) \(release\), REVISION: (\d+(?:\.\d+)*)")
_L4T = re.compile(
    r"\b(?:L4T|Jetson Linux)(?: [Rr]elease| [Vv]ersion)?[\s:=*`|]{1,6}R?(\d{2}\.\d{1,2}(?:\.\d{1,2})?)(?!\.?\d)"
)
_JETPACK = re.compile(r"\b[Jj]et[Pp]ack(?: [Vv]ersion)?[\s:=*`|-]{1,6}(\d\.\d(?:\.\d)?)(?!\.?\d)")
_RELEASE = re.compile(r'^\s{0,8}(PRETTY_NAME|VERSION_ID|ID)="?([^"\n]{1,80}?)"?\s*$')

_WORDS: tuple[str, ...] = ("Cuda compilation tools", "Kernel Module", "GNU/Linux", "Driver Version", "ID=")
_WORDS += ("PRETTY_NAME=", "Description:", "(release), REVISION", "Linux-", "Windows-", "macOS-")
_WORDS += ("L4T", "Jetson Linux", "JetPack", "Jetpack", "jetpack")


def read(lines: Text, draft: Draft) -> None:
    """Read such lines wherever they stand."""
    for line in lines.holding(*_WORDS, once=True):
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
            tegra = tegra_release(text)
            if tegra is not None:
                _jetson(draft, tegra, line)
        if "L4T" in text or "etson Linux" in text or _JETPACK.search(text) is not None:
            _told_release(draft, line)
        if "Linux-" in text or "Windows-" in text or "macOS-" in text:
            take_platform(draft, text, line)


def tegra_release(text: str) -> str | None:
    """``36.4.3`` of ``# R36 (release), REVISION: 4.3, …``, the first line of /etc/nv_tegra_release."""
    found = _TEGRA.search(text)
    return f"{found[1]}.{found[2]}" if found is not None else None


def _jetson(draft: Draft, release: str, line: Line, *, by_hand: bool = False) -> None:
    """A release of Jetson Linux: the machine is a Jetson, and its driver is the one of this release."""
    draft.note("/host/l4t", release, line, by_hand=by_hand)
    draft.note("/host/jetson", f"Jetson, L4T {release}", line, by_hand=by_hand)
    draft.note("/host/system", "Linux", line, by_hand=by_hand)
    draft.note("/host/machine", "aarch64", line, by_hand=by_hand)


def _told_release(draft: Draft, line: Line) -> None:
    """``L4T 35.4.1`` or ``JetPack 6.2`` as jetson-stats prints it or a person writes it down; a wish is none."""
    if _WISHED.search(line.text):
        return
    told = _L4T.search(line.text)
    if told is not None:
        _jetson(draft, told[1], line, by_hand=True)
        return
    jetpack = _JETPACK.search(line.text)
    release = l4t_of_jetpack(jetpack[1]) if jetpack is not None else None
    if isinstance(release, str):
        _jetson(draft, release, line, by_hand=True)


_WISHED = re.compile(
    r"\b(?:requires?|needs?|supports?|supported|install|upgrade|for|compatible|wheels?|or newer)\b|https?://"
)


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

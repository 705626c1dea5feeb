"""Package lists: ``pip list``, ``pip freeze``, ``pip show``, uv's alike, ``conda list``, ``conda info``; and what an
installation log says is installed now.

Only what a tool printed of an environment counts: a requirements file lists wishes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from .draft import PYTHON, Draft
from .lines import Line, Text
from .shell import command_of
from .torch_words import take_python, take_torch_cuda, take_torch_version

SIGNS: tuple[str, ...] = (
    "Package",
    "pip ",
    "conda",
    "Successfully installed",
    "Version:",
    "Requirement already satisfied",
    "uv ",
)
SIGNS += ("which is incompatible",)

_HEADING = re.compile(
    r"^\s*Package\s+Version(?:\s+(?:Editable project location|Location|Build|Channel|Installer))*\s*$"
)
_ROW = re.compile(r"^\s*([A-Za-z0-9][\w.-]{0,80}?)\s+(\d[\w.+!-]{0,60})(?:\s+\S.{0,300})?$")
_FREEZE = re.compile(r"^\s*([A-Za-z0-9][\w.-]{0,80}?)==(\d[\w.+!-]{0,60})\s*$")
_CONDA_ROW = re.compile(
    r"^\s*([a-z0-9_][\w.-]{0,80})\s+(\d[\w.+!]{0,60})\s+([\w.*]{1,80}|<pip>)(?:\s+(\S{1,120}))?\s*$"
)
_CONDA_HEADING = re.compile(r"^\s*# packages in environment at (\S.{0,300}?):\s*$")
_LISTING = re.compile(r"\b(?:pip3?|uv pip|-m pip)\s+(?:list|freeze)\b")
_CONDA_LISTING = re.compile(r"\b(?:conda|mamba|micromamba)\s+list\b")
_INSTALLED = re.compile(r"Successfully installed ((?:[A-Za-z0-9][\w.-]{0,80}-\d[\w.+!]{0,40}(?:\s+|$)){1,400})")
_INSTALLED_ITEM = re.compile(r"([A-Za-z0-9][\w.-]{0,80}?)-(\d[\w.+!]{0,40})(?=\s|$)")
_SATISFIED = re.compile(
    r"Requirement already satisfied: ([A-Za-z0-9][\w.-]{0,80})\S{0,60}(?: from \S{1,300})? in \S.{0,300}?"
    r"(?: \(from [^()]{1,300}\))? \((\d[\w.+!]{0,40})\)"
)
_CONFLICT = re.compile(
    r"\b([A-Za-z0-9][\w.-]{0,80}) (\d[\w.+!]{0,40}) requires ([A-Za-z0-9][\w.-]{0,80})(\S.{0,120}?)?,"
    r" but you have ([A-Za-z0-9][\w.-]{0,80}) (\d[\w.+!]{0,40}) which is incompatible"
)
_SHOWN = re.compile(r"^\s*(Name|Version|Location|Installer|Requires): ?(.{0,2000})$")
_LONGEST_GAP = 2


def take_conda_row(draft: Draft, name: str, version: str, build: str | None, channel: str | None, line: Line) -> None:
    """One row of ``conda list``; pip's packages stand there as channel "pypi"."""
    if channel == "pypi" or build in ("pypi_0", "<pip>"):
        draft.package(name, version, line, installer="pip")
        _torch(draft, name, version, line)
        return
    draft.conda_package(name, version, build, channel, line)
    if name == "pytorch" and build is not None:
        cuda = re.search(r"cuda(\d{1,2})\.?(\d)", build)
        if cuda is not None:
            take_torch_cuda(draft, f"{cuda[1]}.{cuda[2]}", line, by_hand=True)
        elif re.search(r"(?:^|_)cpu(?:_|$)", build):
            take_torch_cuda(draft, "None", line, by_hand=True)
            for other in ("hip", "xpu"):
                draft.note(f"{PYTHON}/torch/{other}", None, line, by_hand=True)
        take_torch_version(draft, version, line, by_hand=True)


def read(lines: Text, draft: Draft) -> None:
    """Read every list of the text."""
    before = draft.count(f"{PYTHON}/distributions")
    after = 0
    headings = lines.where("Package", " list", " freeze", "packages in environment at")
    for start in headings:
        if start >= after:
            after = _list(lines, start, frozenset(headings), draft)
    if draft.count(f"{PYTHON}/distributions") - before >= _WHOLE_LIST:
        draft.all_packages = not lines.says("grep", "[...]")
    # The last installation is what is there now.
    for line in reversed(lines.holding("Successfully installed", "already satisfied")):
        _install(draft, line)
    for line in lines.holding("which is incompatible", once=True):
        _conflict(draft, line)
    _shown(lines, draft)
    _conda_info(lines, draft)


_WHOLE_LIST = 25
"""Rows from which a table of packages is taken for the whole environment: excerpts are shorter."""


def _list(lines: Text, start: int, headings: frozenset[int], draft: Draft) -> int:
    """Read the list that may begin here; the answer is the place of the line behind it."""
    mode, gap = "", 0
    for at in range(start, len(lines)):
        line = lines[at]
        begins = _heading(draft, line) if at in headings else ""
        mode, gap = (begins, 0) if begins else _step(draft, line, mode, gap)
        if not mode or draft.is_cut(f"{PYTHON}/distributions"):
            return at + 1
    return len(lines)


def _heading(draft: Draft, line: Line) -> str:
    """The kind of list that begins below this line: "conda", "pip", or none."""
    text = line.text
    command = command_of(text) or ""
    environment = _CONDA_HEADING.match(text)
    if environment is not None:
        _conda_prefix(draft, environment[1], line)
    if environment is not None or _CONDA_LISTING.search(command):
        return "conda"
    return "pip" if _HEADING.match(text) or _LISTING.search(command) or _LISTING.search(text.strip("`")) else ""


def _step(draft: Draft, line: Line, mode: str, gap: int) -> tuple[str, int]:
    """Read one line in the list that is going on; the answer is the list that goes on after it."""
    text = line.text
    if not mode:
        return "", 0
    if not text.strip() or text.lstrip().startswith(("#", "-", "=", "`")):
        return mode, gap
    if _row(draft, line, mode):
        return mode, 0
    return (mode, gap + 1) if gap < _LONGEST_GAP else ("", 0)


def _row(draft: Draft, line: Line, mode: str) -> bool:
    if mode == "conda":
        row = _CONDA_ROW.match(line.text)
        if row is not None:
            take_conda_row(draft, row[1], row[2], row[3], row[4], line)
            return True
    for pattern in (_FREEZE, _ROW):
        found = pattern.match(line.text)
        if found is not None:
            _package(draft, found[1], found[2], line)
            return True
    return False


def _package(draft: Draft, name: str, version: str, line: Line, **more: object) -> None:
    draft.package(name, version, line, **more)
    _torch(draft, name, version, line)


def _torch(draft: Draft, name: str, version: str, line: Line) -> None:
    if name.lower() == "torch":
        take_torch_version(draft, version, line, by_hand=True)
        draft.note(f"{PYTHON}/torch/metadata_version", version, line)


def _install(draft: Draft, line: Line) -> None:
    if "Successfully installed" in line.text:
        whole = _INSTALLED.search(line.text)
        for name, version in _INSTALLED_ITEM.findall(whole[1] if whole else ""):
            _package(draft, name, version, line, installer="pip")
    elif "already satisfied" in line.text:
        found = _SATISFIED.search(line.text)
        if found is not None:
            _package(draft, found[1], found[2], line)


def _conflict(draft: Draft, line: Line) -> None:
    """``torchvision 0.15.1 requires torch==2.0.0, but you have torch 2.1.0 which is incompatible.``"""
    for name, version, wanted, specifier, have, number in _CONFLICT.findall(line.text):
        draft.package(name, version, line, requires=[f"{wanted}{specifier}".strip()])
        _package(draft, have, number, line)


def _shown(lines: Text, draft: Draft) -> None:
    """``pip show``: a block of "Name: …", "Version: …"."""
    for block in _blocks(lines):
        fields = {name: (value.strip(), line) for name, value, line in block}
        if "Name" in fields and "Version" in fields:
            version, line = fields["Version"]
            if re.match(r"\d[\w.+!-]{0,60}$", version):
                more = {"location": fields["Location"][0]} if "Location" in fields else {}
                if fields.get("Installer", ("",))[0]:
                    more["installer"] = fields["Installer"][0]
                _package(draft, fields["Name"][0], version, line, **more)


def _blocks(lines: Text) -> Iterator[list[tuple[str, str, Line]]]:
    block: list[tuple[str, str, Line]] = []
    for line in lines.holding("Name:", "Version:", "Location:", "Installer:", "Requires:"):
        found = _SHOWN.match(line.text)
        if found is None:
            continue
        if found[1] == "Name" and block:
            yield block
            block = []
        block.append((found[1], found[2], line))
    if block:
        yield block


def _conda_info(lines: Text, draft: Draft) -> None:
    for line in lines.holding("active env location", "virtual packages", "python version", "__cuda=", once=True):
        found = re.match(r"^\s*(active env location|virtual packages|python version) : (\S.{0,200})$", line.text)
        level = re.search(r"\b__cuda=(\d{1,2})\.(\d)", line.text)
        if level is not None:
            draft.note("/cuda/driver_version", int(level[1]) * 1000 + int(level[2]) * 10, line)
        if found is None:
            continue
        if found[1] == "active env location":
            _conda_prefix(draft, found[2], line)
        elif found[1] == "python version":
            take_python(draft, found[2].removesuffix(".final.0"), line, by_hand=True)


def _conda_prefix(draft: Draft, prefix: str, line: Line) -> None:
    draft.note(f"{PYTHON}/prefix", prefix.strip(), line)
    draft.note(f"{PYTHON}/manager", "conda", line)

"""Specifiers, wheel file names and ``requires-python``: what they name and what they admit."""

from __future__ import annotations

import re

_NAME = re.compile(r"[-_.]+")
_EXACT = re.compile(r"===?\s*(v?\d[^,*\s]*)$")
_WHEEL = re.compile(r"([A-Za-z0-9_.]+)-(\d[^-]*)(?:-\d[^-]*)?-([^-]+)-([^-]+)-([^-]+)\.whl")


def normal(name: str) -> str:
    """The normalised name (PEP 503)."""
    return _NAME.sub("-", name).lower()


def exact(wanted: str) -> str | None:
    """The one version that a specifier names: ``==2.1.0+cu118`` is "2.1.0+cu118"; ``None`` for anything wider."""
    for part in wanted.split(","):
        found = _EXACT.match(part.strip())
        if found is not None:
            return found.group(1)
    return None


def allows(wanted: str, version: str) -> bool:
    """Does the specifier allow this version?  One that cannot be read allows none."""
    from packaging.specifiers import InvalidSpecifier, SpecifierSet

    try:
        return SpecifierSet(wanted).contains(version)
    except InvalidSpecifier:
        return False


def admits(requires_python: str, minor: str) -> bool:
    """Does ``requires-python`` admit some patch release of this Python ("3.11")?  An unreadable one admits all."""
    from packaging.specifiers import InvalidSpecifier, SpecifierSet

    try:
        wanted = SpecifierSet(requires_python)
    except InvalidSpecifier:
        return True
    return any(wanted.contains(f"{minor}.{patch}") for patch in (0, 1, 4, 12, 99))


def wheel_parts(url: str) -> tuple[str, str, str, str, str] | None:
    """(name, version, Python tag, ABI tag, platform tag) of a wheel's file name at the end of an address."""
    name = url.split("#")[0].split("?")[0].rstrip("/").rsplit("/", 1)[-1].replace("%2B", "+").replace("%2b", "+")
    found = _WHEEL.fullmatch(name)
    if found is None:
        return None
    package, version, python, abi, platform = found.groups()
    return normal(package), version, python, abi, platform


def wheel_is_for(wheel: str, minor: str, platform: str) -> bool:
    """May this wheel be installed with this CPython on this platform ("linux_x86_64"), by its tags?"""
    parts = wheel_parts(wheel)
    if parts is None:
        return True
    _, _, python, abi, where = parts
    number = minor.replace(".", "")
    for tag in python.split("."):
        if tag in (f"cp{number}", f"py{number}") or re.fullmatch(rf"py{minor.split('.')[0]}", tag):
            break
        if "abi3" in abi and re.fullmatch(r"cp3\d+", tag) and int(tag[3:]) <= int(minor.split(".")[1]):
            break
    else:
        return False
    system, _, machine = platform.partition("_")
    known = {"linux": ("linux", "manylinux"), "windows": ("win",), "macos": ("macosx",)}[system]
    wanted = {"x86_64": ("x86_64", "amd64", "universal2"), "aarch64": ("aarch64",), "arm64": ("arm64", "universal2")}
    return any(
        part == "any" or (part.startswith(known) and part.endswith(wanted[machine])) for part in where.split(".")
    )

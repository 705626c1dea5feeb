"""Base images by their names: CUDA, C library, Python and torch, as their publishers' tags tell."""

from __future__ import annotations

import re

from envcheck.facts import NOT_ASKED, DeclaredImage, Fact

GLIBC = {
    "ubuntu16.04": "2.23", "ubuntu18.04": "2.27", "ubuntu20.04": "2.31", "ubuntu22.04": "2.35", "ubuntu24.04": "2.39",
    "buster": "2.28", "bullseye": "2.31", "bookworm": "2.36", "trixie": "2.41",
    "centos7": "2.17", "ubi7": "2.17", "amazonlinux2": "2.26", "amazonlinux2023": "2.34",
    "rockylinux8": "2.28", "ubi8": "2.28", "rockylinux9": "2.34", "ubi9": "2.34",
}  # fmt: skip
"""Distribution, as image tags spell it → its glibc (package lists of the distributions)."""

SYSTEM_PYTHON = {"ubuntu18.04": "3.6", "ubuntu20.04": "3.8", "ubuntu22.04": "3.10", "ubuntu24.04": "3.12",
                 "buster": "3.7", "bullseye": "3.9", "bookworm": "3.11", "trixie": "3.13"}  # fmt: skip
"""The version of the package ``python3`` there (package lists of the distributions)."""

_UBUNTU = {"xenial": "16.04", "bionic": "18.04", "focal": "20.04", "jammy": "22.04", "noble": "24.04"}
_CUDA_IMAGE = re.compile(r"(\d+\.\d+)(?:\.\d+)?-(?:cudnn\d*-)?(base|runtime|devel)")
_TORCH_IMAGE = re.compile(r"(\d+\.\d+\.\d+)-cuda(\d+\.\d+)-cudnn\d+-(runtime|devel)")


def image_of(name: str, file: str, line: int) -> DeclaredImage:
    """What a base image holds, as far as its name tells."""
    repository, tag = _split(name)
    cuda: Fact[str] = NOT_ASKED
    flavour: Fact[str] = NOT_ASKED
    torch: Fact[str] = NOT_ASKED
    if repository.endswith("nvidia/cuda"):
        found = _CUDA_IMAGE.match(tag)
        if found is not None:
            cuda, flavour, torch = found.group(1), found.group(2), None
    elif repository.endswith("pytorch/pytorch"):
        found = _TORCH_IMAGE.match(tag)
        if found is not None:
            torch, cuda, flavour = found.groups()
    elif repository.rsplit("/", 1)[-1] in ("python", "ubuntu", "debian", "alpine", "uv", "miniconda3", "miniforge3"):
        cuda, torch = None, None
    where = distribution(name)
    libc: Fact[str] = NOT_ASKED
    if where == "alpine":
        libc = "musl"
    elif where in GLIBC:
        libc = f"glibc {GLIBC[where]}"
    elif repository.endswith("pytorch/pytorch"):
        libc = NOT_ASKED
    return DeclaredImage(name=name, cuda=cuda, flavour=flavour, libc=libc, torch=torch, file=file, line=line)


def python_of(name: str) -> str | None:
    """The Python that an image is made for: ``python:3.11-slim`` is "3.11"; ``None`` where its name tells none."""
    repository, tag = _split(name)
    short = repository.rsplit("/", 1)[-1]
    if short == "python":
        found = re.match(r"(3\.\d+)", tag)
        return found.group(1) if found else None
    found = re.match(r"python(3\.\d+)", tag) if short == "uv" else None
    return found.group(1) if found else None


def distribution(name: str) -> str:
    """The distribution of an image in one spelling: "ubuntu22.04", "bookworm", "alpine"; "" where it tells none."""
    repository, tag = _split(name)
    short = repository.rsplit("/", 1)[-1]
    if short == "alpine" or re.search(r"(^|-)alpine", tag):
        return "alpine"
    if short == "ubuntu":
        tag = f"ubuntu{_UBUNTU.get(tag.split('-')[0], tag)}"
    if short in ("amazonlinux", "centos", "rockylinux"):
        tag = f"{short}{tag.split('.')[0]}"
    for key in sorted(GLIBC, key=len, reverse=True):
        if re.search(rf"(^|-){re.escape(key)}(\.\d+)?(-|$)", tag):
            return key
    return ""


def _split(name: str) -> tuple[str, str]:
    """(repository, tag) without a digest."""
    plain = name.split("@")[0]
    repository, colon, tag = plain.rpartition(":")
    return (repository, tag) if colon and "/" not in tag else (plain, "")

"""What pip says of a package: its releases, the metadata of one, and what those and the wheel itself tell."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.version import Version

Row = dict[str, Any]
Ask = Callable[[list[str]], str]

PLATFORMS = {  # envcheck's name → pip's platform tags, newest first
    "linux_x86_64": ["manylinux_2_28_x86_64", "manylinux_2_17_x86_64", "manylinux2014_x86_64"],
    "linux_aarch64": ["manylinux_2_28_aarch64", "manylinux_2_17_aarch64", "manylinux2014_aarch64"],
    "windows_x86_64": ["win_amd64"],
    "macos_arm64": [f"macosx_{n}_0_arm64" for n in (15, 14, 13, 12, 11)],
}
MARKERS = {  # what environment markers see there
    "linux_x86_64": {"platform_system": "Linux", "sys_platform": "linux", "platform_machine": "x86_64"},
    "linux_aarch64": {"platform_system": "Linux", "sys_platform": "linux", "platform_machine": "aarch64"},
    "windows_x86_64": {"platform_system": "Windows", "sys_platform": "win32", "platform_machine": "AMD64"},
    "macos_arm64": {"platform_system": "Darwin", "sys_platform": "darwin", "platform_machine": "arm64"},
}
CUDA_PIN = re.compile(r"cuda-toolkit|nvidia-cuda-runtime-cu\d+")
ARCH_FLAGS = re.compile(rb"(?:(?:sm|compute)_\d+[af]? )+(?:sm|compute)_\d+[af]?")


class Pip:
    """pip's answers about one package.  ``ask`` runs pip with arguments and returns its stdout."""

    def __init__(self, ask: Ask) -> None:
        self.ask = ask

    def versions(self, package: str, platform: str | None = None, python: str | None = None) -> list[str]:
        """The final releases that pip sees, for one platform and Python or for any; oldest first."""
        where = self.where(platform, python) if platform and python else []
        text = self.ask(["index", "versions", package, *where])
        found = re.search(r"^Available versions: (.*)$", text, re.MULTILINE)
        names = found.group(1).split(", ") if found else []
        final = {Version(n).public for n in names if not Version(n).is_prerelease}
        return sorted(final, key=Version)

    def metadata(self, package: str, version: str, platform: str, python: str) -> Row:
        """What pip's report says of one release there: its metadata, with the file's name under ``file``."""
        with tempfile.TemporaryDirectory() as folder:
            report = Path(folder, "report.json")
            options = ["--dry-run", "--quiet", "--ignore-installed", "--no-deps", f"--target={folder}/none"]
            where = self.where(platform, python)
            self.ask(["install", *options, f"--report={report}", *where, f"{package}=={version}"])
            item = json.loads(report.read_text())["install"][0]
        return {**item["metadata"], "file": item["download_info"]["url"].rpartition("/")[2]}

    def fetch(self, package: str, version: str, platform: str, python: str, folder: Path) -> Path:
        """The wheel itself."""
        self.ask(
            [
                "download",
                "--quiet",
                "--no-deps",
                f"--dest={folder}",
                *self.where(platform, python),
                f"{package}=={version}",
            ]
        )
        (wheel,) = folder.glob(f"{package}-{version}*.whl")
        return wheel

    @staticmethod
    def where(platform: str, python: str) -> list[str]:
        number = python.rstrip("t")
        tags = [f"--platform={tag}" for tag in PLATFORMS[platform]]
        return ["--only-binary=:all:", *tags, f"--python-version={number}", f"--abi=cp{python.replace('.', '')}"]


def run_pip(arguments: list[str]) -> str:
    """Run this interpreter's pip.  A package that pip cannot find is an empty answer, not an error."""
    done = subprocess.run(
        [sys.executable, "-m", "pip", "--disable-pip-version-check", *arguments],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode and "No matching distribution" not in done.stderr:
        raise SystemExit(f"pip {' '.join(arguments)}\n{done.stderr.strip()}")
    return done.stdout


def requirements(metadata: Row, platform: str) -> list[Requirement]:
    """What a release asks for on a platform: the requirements whose markers hold there."""
    there = {**MARKERS[platform], "python_version": "3.12", "python_full_version": "3.12.0", "extra": ""}
    every = [Requirement(text) for text in metadata.get("requires_dist", [])]
    return [r for r in every if r.marker is None or r.marker.evaluate(there)]


def variant(metadata: Row, platform: str) -> str:
    """The CUDA variant of the default wheel ("cu132"), by the runtime that it pins; "cpu" where it pins none."""
    for need in requirements(metadata, platform):
        if CUDA_PIN.fullmatch(need.name):
            major, minor = str(need.specifier).lstrip("=~").split(".")[:2]
            return f"cu{major}{minor}"
    return "cpu"


def pinned(metadata: Row, platform: str) -> dict[str, str]:
    """cuDNN, NCCL and triton as the wheel pins them."""
    out = {}
    for need in requirements(metadata, platform):
        for name, pattern in (("cudnn", r"nvidia-cudnn-cu\d+"), ("nccl", r"nvidia-nccl-cu\d+")):
            if re.fullmatch(pattern, need.name):
                out[name] = str(need.specifier).removeprefix("==")
        if need.name == "triton":
            out["triton"] = str(need.specifier)
    return dict(sorted(out.items()))


def requires_torch(metadata: Row) -> str | None:
    """The specifier that a companion puts on torch, if any."""
    for need in requirements(metadata, "linux_x86_64"):
        if need.name == "torch":
            return str(need.specifier) or None
    return None


def glibc(file: str) -> str:
    """The lowest glibc that a wheel's file name promises."""
    found = re.search(r"manylinux_(\d+)_(\d+)_", file)
    return f"{found.group(1)}.{found.group(2)}" if found else "2.17"


def tag(file: str) -> str:
    """``cp312-cp312-manylinux_2_28_x86_64`` of a wheel's file name."""
    return "-".join(file.removesuffix(".whl").split("-")[-3:])


def read_wheel(wheel: Path) -> tuple[list[int], list[int], str]:
    """What metadata do not say: cubin targets, PTX targets and the commit, from the files of a CUDA wheel."""
    with zipfile.ZipFile(wheel) as archive:
        flags = ARCH_FLAGS.findall(archive.read("torch/lib/libtorch_python.so"))
        source = archive.read("torch/version.py").decode()
    names = max(flags, key=len).decode().split() if flags else []
    commit = re.search(r"git_version = '([0-9a-f]+)'", source)
    cubins = sorted(int(n[3:]) for n in names if re.fullmatch(r"sm_\d+", n))
    ptx = sorted(int(n[8:]) for n in names if re.fullmatch(r"compute_\d+", n))
    return cubins, ptx, commit.group(1)[:12] if commit else ""

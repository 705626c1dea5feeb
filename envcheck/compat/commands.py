"""The exact commands: install, reinstall, and what to write into pyproject.toml or environment.yml.

Commands are data for others to print or run; nothing here runs anything.  How a build was published decides the
form (pytorch.org, "Previous PyTorch Versions"): to 1.10 a page of links with the variant in the version, to 1.13 an
extra index, from 2.0 on an index of its own.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable

import msgspec

from envcheck.facts import Fact

from . import table
from .companions import Trio, trio
from .rows import CondaBuild, Platform, TorchBuild
from .torch_builds import torch_build
from .version import cuda_of, key

INDEX = "https://download.pytorch.org/whl"
LINKS_PAGE = f"{INDEX}/torch_stable.html"
PIP = "python -m pip"
"""Always through the interpreter: a bare pip may belong to another one."""

COMPANIONS = ("torchvision", "torchaudio")


class Command(msgspec.Struct, frozen=True):
    """One command line and the package manager that it is for ("pip", "uv", "conda")."""

    tool: str
    command: str


def index_url(build: TorchBuild) -> str:
    """Where the build lies: its index, or its page of links for torch 1.10 and older."""
    if key(build.version) >= (1, 11):
        return f"{INDEX}/{build.variant}"
    return LINKS_PAGE if key(build.version) <= (1, 10, 0) else f"{INDEX}/{build.variant}/torch_stable.html"


def requirements(build: TorchBuild, names: Iterable[str] = COMPANIONS) -> list[str]:
    """``["torch==2.9.1", "torchvision==0.24.1", …]``, the variant in the version where the index needs it."""
    known = trio(build.version, build)
    wanted = set(names)
    tag = "" if build.default or key(build.version) >= (2,) else f"+{build.variant}"
    out = [f"torch=={build.version}{tag}"]
    if isinstance(known, Trio):
        if "torchvision" in wanted:
            out.append(f"torchvision=={known.torchvision}{tag}")
        if "torchaudio" in wanted and known.torchaudio:
            out.append(f"torchaudio=={known.torchaudio}")  # torchaudio's versions carried no variant then
    return out


def pip_install(build: TorchBuild, names: Iterable[str] = COMPANIONS, pip: str = PIP) -> str:
    """One line for pip; without an index where the default index has this build."""
    return " ".join([f"{pip} install", *requirements(build, names), *_pip_options(build)])


def uv_install(build: TorchBuild, names: Iterable[str] = COMPANIONS) -> str:
    """One line for ``uv pip``."""
    return " ".join(["uv pip install", *requirements(build, names), *_uv_options(build)])


def pyproject(build: TorchBuild, names: Iterable[str] = COMPANIONS) -> str:
    """The stanzas of a pyproject.toml with which ``uv sync`` takes this build and nothing else from its index."""
    wanted = requirements(build, names)
    lines = ["[project]", "dependencies = [", *(f'    "{line}",' for line in wanted), "]"]
    if build.default:
        return "\n".join(lines) + "\n"
    name = f"pytorch-{build.variant}"
    lines += ["", "[[tool.uv.index]]", f'name = "{name}"', f'url = "{index_url(build)}"', "explicit = true"]
    if key(build.version) < (1, 11):
        lines.append('format = "flat"')
    lines += ["", "[tool.uv.sources]"]
    where = "" if build.variant == "cpu" else ", marker = \"sys_platform == 'linux' or sys_platform == 'win32'\""
    lines += [f'{line.partition("==")[0]} = [{{ index = "{name}"{where} }}]' for line in wanted]
    return "\n".join(lines) + "\n"


def environment_yml(build: TorchBuild, python: Fact[str], names: Iterable[str] = COMPANIONS) -> str:
    """A conda environment.yml that takes Python from conda-forge and exactly this build through pip."""
    exact = python if isinstance(python, str) else None
    lines = ["name: torch", "channels:", "  - conda-forge", "dependencies:"]
    lines += [f"  - python={exact}" if exact else "  - python", "  - pip", "  - pip:"]
    options = [" ".join(pair) for pair in zip(*[iter(_pip_options(build, long=True))] * 2, strict=True)]
    return "\n".join(lines + [f"      - {item}" for item in (*options, *requirements(build, names))]) + "\n"


def reinstall(
    torch_version: str,
    variant: str,
    python_executable: str,
    manager: str,
    companions: Iterable[str] = ("torchvision",),
    *,
    platform: Platform = "linux_x86_64",
    windows: bool = False,
) -> list[Command]:
    """Replace an installed torch by another build of it: every command, in order.

    ``manager`` is "pip", "uv" or "conda"; ``companions`` are those of torchvision and torchaudio that are installed.
    pip needs the uninstall first (``==V`` is satisfied by any variant of V), and never ``--force-reinstall``, which
    would lift numpy and others as well.  Empty where the table does not know the build.
    """
    build = torch_build(torch_version, variant, platform)
    if not isinstance(build, TorchBuild):
        return []
    names = [name for name in COMPANIONS if name in set(companions)]
    python = _path(python_executable, windows)
    wanted = [_quoted(line) for line in requirements(build, names)]
    if manager == "uv":
        again = [f"--reinstall-package {line.split('=', 1)[0]}" for line in requirements(build, names)]
        options = _uv_options(build, always=True)
        return [Command("uv", " ".join([f"uv pip install --python {python}", *again, *wanted, *options]))]
    if manager == "conda":
        return _conda(build)
    return [
        Command("pip", " ".join([f"{python} -m pip uninstall -y torch", *names])),
        Command("pip", " ".join([f"{python} -m pip install", *wanted, *_pip_options(build, always=True)])),
    ]


def _conda(build: TorchBuild) -> list[Command]:
    """conda-forge names the CUDA major only: a minor may have no build.  Its nearest release stands in for V."""
    cuda = cuda_of(build.variant)
    if cuda is None:
        return [Command("conda", f'conda install -c conda-forge "pytorch-cpu={build.version}"')]
    major = key(cuda)[0]
    rows = table.rows("conda_forge", CondaBuild)
    known = [r.version for r in rows if r.platform == build.platform and key(r.cuda)[0] == major]
    if not known:
        return []
    older = [version for version in known if key(version) <= key(build.version)]
    version = max(older, key=key) if older else min(known, key=key)
    return [Command("conda", f'conda install -c conda-forge "pytorch-gpu={version}" "cuda-version={major}"')]


def _path(executable: str, windows: bool) -> str:
    if windows:
        return f'"{executable}"' if " " in executable else executable
    return shlex.quote(executable)


def _quoted(requirement: str) -> str:
    return f'"{requirement}"'  # understood by sh, cmd and PowerShell alike


def _pip_options(build: TorchBuild, *, long: bool = False, always: bool = False) -> list[str]:
    if build.default and not (always and key(build.version) >= (2,)):
        return []
    if key(build.version) < (1, 11):
        return ["--find-links" if long else "-f", index_url(build)]
    return ["--extra-index-url" if key(build.version) < (2,) else "--index-url", index_url(build)]


def _uv_options(build: TorchBuild, *, always: bool = False) -> list[str]:
    if build.default and not (always and key(build.version) >= (2,)):
        return []
    if key(build.version) < (1, 11):
        return ["--find-links", index_url(build)]
    if key(build.version) < (2,):
        return ["--extra-index-url", index_url(build), "--index-strategy", "unsafe-best-match"]
    return [f"--torch-backend={build.variant}"]

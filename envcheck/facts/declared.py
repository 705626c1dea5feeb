"""What a project's files ask for, before anything is installed: packages, indexes, base images, Pythons.

Set only in the snapshots of ``envcheck lint``.  ``environments[i]`` is the declaration behind ``/interpreters/i``,
which holds what an installation would bring as far as the tables tell.
"""

from __future__ import annotations

from .fact import NOT_ASKED, Fact, Record, Section


class Declaration(Record, frozen=True, kw_only=True):
    """Base of what stands on a line of a file."""

    file: str = ""  # path as the user gave it
    line: int = 0  # from 1; 0: the file as a whole

    @property
    def place(self) -> str:
        """``requirements.txt:3``."""
        return f"{self.file}:{self.line}" if self.line else self.file


class DeclaredPackage(Declaration, frozen=True, kw_only=True):
    """One package that an environment is to have, after includes, constraints and markers."""

    name: str  # normalised (PEP 503)
    wanted: str = ""  # specifier as PEP 440 writes it: "==2.0.0", ">=2,<3"; "": any version
    version: Fact[str] = NOT_ASKED  # the one version that is named: "1.8.1+cu111"; None: the specifier leaves it open
    manager: str = "pip"  # pip, conda, image (the base image brings it)
    scope: str = ""  # the one command that installs it, where the environment is made by several
    index: Fact[str] = NOT_ASKED  # URL of the one index that it must come from; None: the environment's indexes
    build: Fact[str] = NOT_ASKED  # conda: the build that is asked for: "cuda12.1", "cpu"; None: any
    url: Fact[str] = NOT_ASKED  # direct reference to a file; None: none
    wheels: Fact[list[str]] = NOT_ASKED  # file names that a lock file lists


class DeclaredIndex(Declaration, frozen=True, kw_only=True):
    """One package index or page of links."""

    url: str  # without user name and password; of a backend: "cu126"
    kind: str  # index (in place of the default one), extra, links, none (--no-index), backend (uv's --torch-backend)
    scope: str = ""  # the one command that it counts for; "": all


class DeclaredImage(Declaration, frozen=True, kw_only=True):
    """The base image of a Dockerfile's stage."""

    name: str  # "nvidia/cuda:12.4.1-devel-ubuntu22.04", after ARG substitution
    cuda: Fact[str] = NOT_ASKED  # CUDA toolkit or runtime in it: "12.4"; None: none
    flavour: Fact[str] = NOT_ASKED  # base, runtime, devel
    libc: Fact[str] = NOT_ASKED  # "glibc 2.35", "musl"
    torch: Fact[str] = NOT_ASKED  # version of the torch in it: "2.1.0"; None: none


class DeclaredVariable(Declaration, frozen=True, kw_only=True):
    """One ENV line of a Dockerfile."""

    name: str
    value: str


class DeclaredEnvironment(Declaration, frozen=True, kw_only=True):
    """One environment that the files describe."""

    name: str  # "requirements.txt", "pyproject.toml [cu128]", "Dockerfile (stage runtime)"
    tool: str = "pip"  # pip, uv, poetry, conda: who resolves it
    platform: Fact[str] = NOT_ASKED  # wheel platform that it was read for: "linux_x86_64"; None: torch has no wheels
    python: Fact[str] = NOT_ASKED  # "3.11"; None: the files name no one version
    python_place: str = ""  # where it stands
    requires_python: Fact[str] = NOT_ASKED  # ">=3.10"; None: nothing is asked
    requires_python_place: str = ""
    packages: Fact[list[DeclaredPackage]] = NOT_ASKED
    indexes: Fact[list[DeclaredIndex]] = NOT_ASKED
    channels: Fact[list[str]] = NOT_ASKED  # conda's, first to last
    image: DeclaredImage | None = None
    system_packages: Fact[list[str]] = NOT_ASKED  # of apt-get install lines
    variables: Fact[list[DeclaredVariable]] = NOT_ASKED
    builds: Fact[list[DeclaredPackage]] = NOT_ASKED  # packages that are compiled against torch on installation
    lock: str = ""  # the lock file that decided, where one did
    asked: Fact[list[DeclaredPackage]] = NOT_ASKED  # beside a lock file: what pyproject.toml asks for


class DeclaredFile(Declaration, frozen=True, kw_only=True):
    """One file that was read, and what of it could not be understood."""

    kind: str  # requirements, pyproject, uv.lock, poetry.lock, pylock, conda, dockerfile
    problem: Fact[str] = NOT_ASKED  # None: it was understood


class Declared(Section, frozen=True, kw_only=True, tag="declared"):
    """Everything that the files of a project say about torch."""

    files: Fact[list[DeclaredFile]] = NOT_ASKED
    environments: Fact[list[DeclaredEnvironment]] = NOT_ASKED

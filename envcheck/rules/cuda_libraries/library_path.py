"""Does LD_LIBRARY_PATH put a foreign copy of a library before torch's own?"""

from __future__ import annotations

import re

from envcheck.facts import LibraryCopy, TorchInstall
from envcheck.judge import Case, Fix, NotApplicable, Problem, Rule, Step, question
from envcheck.rules.torch_build import remedy
from envcheck.rules.torch_build.messages import said

VARIABLE = "LD_LIBRARY_PATH"
SENSITIVE = (
    "libcudart",
    "libcublas",
    "libcudnn",
    "libnvJitLink",
    "libnccl",
    "libnvrtc",
    "libcusparse",
    "libcusolver",
    "libcufft",
    "libcupti",
    "libstdc++",
    "libc10",
    "libtorch",
)
LOADER = re.compile(r"undefined symbol|version `\S+' not found|cuDNN version incompatibility")
"""Complaints that a foreign copy of a library leads to."""


class LdLibraryPathHijack(Rule):
    """LD_LIBRARY_PATH puts a foreign copy of a library before the one that torch brings.

    What it looks at
        The folders of LD_LIBRARY_PATH, and the copies of CUDA, cuDNN, NCCL and C++ libraries there, against those of
        the environment.
    Why it matters
        torch's own direct needs are safe in a CUDA wheel, but not those of the NVIDIA libraries among each other:
        undefined symbols, cuDNN version errors.  A path that does no harm is only a remark: clusters and vendor
        images set it on purpose.
    How to mend it
        Remove that folder from LD_LIBRARY_PATH where it is set (shell profile, module, activate.d).
    Cannot tell when
        The environment or the libraries were not read.
    References
        ld.so(8), LD_LIBRARY_PATH, RPATH and RUNPATH; build scripts of torch's wheels.
    """

    code, name, rung = "LIB105", "ld-library-path-hijack", "cuda_libraries"
    explains = (
        "nvjitlink-symbol-missing",
        "nccl-wheel-mismatch",
        "glibcxx-too-old",
        "cudnn-version-incompatible",
        "torch-import-fails",
        "torch-cuda-unavailable",
        "torch-kernel-fails",
    )

    @staticmethod
    def mend(case: Case) -> Fix:
        value = case.maybe(lambda: case.variable(VARIABLE))
        folders = entries(value[1]) if isinstance(value, tuple) else []
        env = remedy.env_of(case)
        copies = case.maybe_records(f"{env}/library_copies", LibraryCopy) if env is not None else []
        foreign = [folder for folder in folders if any(_folder(c.path) == folder for _, c in copies)]
        kept = [folder for folder in folders if folder not in foreign]
        command = f"export {VARIABLE}={remedy.quoted(case, ':'.join(kept))}" if kept else f"unset {VARIABLE}"
        return Fix(
            title=f"Take the folder out of {VARIABLE}",
            steps=[Step(where="env", command=command, note="lasting: where it is set (profile, module, activate.d)")],
            verify=f"env -u {VARIABLE} {remedy.import_test(case)}",
        )


@question("env", LdLibraryPathHijack)
def does_the_library_path_hide_a_library_of_torch(case: Case) -> Problem | None:
    """Copies of one soname: one on the path, one of the environment, of different versions."""
    env = case.at("env")
    found = case.variable(VARIABLE)
    folders = entries(found[1]) if found is not None else []
    if found is None or not folders:
        raise NotApplicable(f"{VARIABLE} is not set")
    case.present(f"{env}/torch", TorchInstall)
    copies = case.records(f"{env}/library_copies", LibraryCopy)
    own = {c.soname: (p, c) for p, c in copies if _folder(c.path) not in folders}
    for pointer, copy in copies:
        if _folder(copy.path) not in folders or not copy.soname.startswith(SENSITIVE) or copy.soname not in own:
            continue
        mine, _ = own[copy.soname]
        theirs, ours = case.known(f"{pointer}/version", str), case.known(f"{mine}/version", str)
        if theirs is None or theirs != ours:
            return _problem(case, env, found[0], pointer, mine)
    return None


def _problem(case: Case, env: str, variable: str, pointer: str, own: str) -> Problem:
    path, mine = str(remedy.fact(case, f"{pointer}/path")), str(remedy.fact(case, f"{own}/path"))
    theirs, ours = remedy.fact(case, f"{pointer}/version"), remedy.fact(case, f"{own}/version")
    words = remedy.fact(case, f"{env}/runtime/import_error")
    harms = isinstance(words, str) and LOADER.search(words) is not None
    messages = said(case, LdLibraryPathHijack)
    name = path.rsplit("/", 1)[-1]
    return case.problem(
        LdLibraryPathHijack,
        f"{VARIABLE} leads to {path} ({theirs or 'version unknown'}) before {mine} ({ours or 'version unknown'})",
        cause=f"the loader searches {_folder(path)} first wherever a library does not name its own folder for {name}",
        evidence=[
            variable,
            f"{pointer}/path",
            f"{own}/path",
            *([f"{env}/runtime/import_error"] if harms else []),
            *messages,
        ],
        fix=LdLibraryPathHijack.mend(case),
        severity=None if harms or messages else "note",
    )


def entries(value: str) -> list[str]:
    """The folders of a search path, without the empty ones and trailing slashes."""
    return [part.rstrip("/") or "/" for part in value.split(":") if part]


def _folder(path: str) -> str:
    return path.rpartition("/")[0]

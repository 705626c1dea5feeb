"""Are the CUDA libraries that torch asks for installed, once, and in the right versions?"""

from __future__ import annotations

from envcheck.facts import DamagedFile, TorchInstall
from envcheck.judge import CannotTell, Case, Fix, Problem, Rule, question
from envcheck.rules.torch_build import build, remedy
from envcheck.rules.torch_build.consequences import UNAVAILABLE
from envcheck.rules.torch_build.library_files import file_name, is_wheel_library
from envcheck.rules.torch_build.messages import said
from envcheck.rules.torch_build.requirements import Pin, find, satisfied, torch_pins, version_of

from .loader import WHEEL_LIBRARY, import_error

LIBRARIES = ("nvidia-", "cuda-toolkit")


class NvidiaWheelPinBroken(Rule):
    """A CUDA library that torch asks for is missing, or of another version than torch was built with.

    What it looks at
        Every nvidia-* requirement of torch whose marker holds here, against what is installed; the files of those
        wheels; and the error of `import torch`.
    Why it matters
        The import fails with "libcudnn.so.9: cannot open shared object file", or torch runs with libraries that it
        was never tested with.  `pip check` reads metadata only and does not see that files are gone.
    How to mend it
        Install torch's own requirement again, in the version that torch names.
    Cannot tell when
        torch's metadata, or those of the wheels, could not be read.
    References
        Requires-Dist of torch's wheels; DT_NEEDED of libtorch_cuda.so.
    """

    code, name, rung = "LIB101", "nvidia-wheel-pin-broken", "cuda_libraries"
    explains = ("nvjitlink-symbol-missing", "nccl-wheel-mismatch", "torch-import-fails", *UNAVAILABLE)

    @staticmethod
    def mend(case: Case) -> Fix:
        broken = _broken_here(case)
        steps = [remedy.again(case, f"{pin.name}{pin.specifier}") for pin in broken]
        if not steps:
            version = remedy.torch_version(case)
            steps = [remedy.install(case, f"torch=={version.split('+')[0]}" if version else "torch")]
        return Fix(
            title="Install the libraries that torch asks for",
            steps=steps,
            safety="careful",
            verify=remedy.import_test(case),
        )


@question("env", NvidiaWheelPinBroken)
def are_the_libraries_of_torch_installed(case: Case) -> Problem | None:
    """Requirements, files and the loader's word; each alone is enough."""
    env = build.require_torch(case)
    silent: CannotTell | None = None
    for witness in (_by_pins, _by_files, _by_import):
        try:
            problem = witness(case, env)
        except CannotTell as unread:
            silent = silent or unread
            continue
        if problem is not None:
            return problem
    if silent is not None:
        raise silent
    return None


def _by_pins(case: Case, env: str) -> Problem | None:
    broken, silent = _check(case, env)
    if not broken:
        if silent is not None:
            raise silent
        return None
    pin, pointer, have = broken[0]
    torch = find(case, env, "torch")
    assert torch is not None, "the pins are torch's own"
    what = f"{pin.name} {have} is installed" if have else f"{pin.name} is not installed"
    more = f" (and {len(broken) - 1} more)" if len(broken) > 1 else ""
    return case.problem(
        NvidiaWheelPinBroken,
        f"torch asks for {pin.name}{pin.specifier}, and {what}{more}",
        cause="another package brought its own version" if have else "it was left out, or uninstalled afterwards",
        evidence=[f"{torch[0]}/requires", *([f"{pointer}/version"] if pointer else []), *_import_words(case, env)],
        fix=NvidiaWheelPinBroken.mend(case),
        severity="warning" if _works(case, env) else None,
    )


def _check(case: Case, env: str) -> tuple[list[tuple[Pin, str, str | None]], CannotTell | None]:
    """(pin, pointer of what is there instead, its version) for each unmet requirement."""
    broken: list[tuple[Pin, str, str | None]] = []
    silent: CannotTell | None = None
    for pin in torch_pins(case, env):
        if not pin.name.startswith(LIBRARIES):
            continue
        found = find(case, env, pin.name)
        if found is None:
            broken.append((pin, "", None))
            continue
        try:
            have = version_of(case, found[0])
        except CannotTell as unread:
            silent = silent or unread
            continue
        if have is None or not satisfied(pin.specifier, have):
            broken.append((pin, found[0], have))
    return broken, silent


def _broken_here(case: Case) -> list[Pin]:
    """The unmet requirements, and those whose files are gone, for the fix."""
    env = remedy.env_of(case)
    if env is None:
        return []
    checked = case.maybe(lambda: _check(case, env))
    unmet = [] if isinstance(checked, CannotTell) else [pin for pin, _, _ in checked[0]]
    every = case.maybe(lambda: torch_pins(case, env))
    paths = [item.path for _, item in case.maybe_records(f"{env}/torch/damaged", DamagedFile)]
    gone = [
        pin
        for pin in (every if isinstance(every, list) else [])
        if pin.name.startswith("nvidia-") and any(f"/nvidia/{_folder(pin.name)}/" in path for path in paths)
    ]
    return unmet or gone


def _folder(name: str) -> str:
    """``nvidia-cudnn-cu12`` unpacks into nvidia/cudnn, ``nvidia-cuda-nvrtc-cu12`` into nvidia/cuda_nvrtc."""
    return (
        name.removeprefix("nvidia-").removesuffix("-cu11").removesuffix("-cu12").removesuffix("-cu13").replace("-", "_")
    )


def _by_files(case: Case, env: str) -> Problem | None:
    case.known(f"{env}/torch", TorchInstall)
    gone: list[str] = []
    silent: CannotTell | None = None
    for pointer, file in case.records(f"{env}/torch/damaged", DamagedFile):
        if not is_wheel_library(file.path):
            continue
        try:
            if case.known(f"{pointer}/actual_bytes", int) is None:
                gone.append(pointer)
        except CannotTell as unread:
            silent = silent or unread
    if not gone:
        if silent is not None:
            raise silent
        return None
    path = file_name(str(remedy.fact(case, f"{gone[0]}/path")))
    more = f" (and {len(gone) - 1} more)" if len(gone) > 1 else ""
    return case.problem(
        NvidiaWheelPinBroken,
        f"{path}{more}, which torch needs, is gone from its wheel",
        cause="the metadata say that the wheel is installed, and its files are not there",
        evidence=[*gone[:3], *_import_words(case, env)],
        fix=NvidiaWheelPinBroken.mend(case),
    )


def _by_import(case: Case, env: str) -> Problem | None:
    pointer, words = import_error(case)
    if words is None or not WHEEL_LIBRARY.search(words):
        return None
    return case.problem(
        NvidiaWheelPinBroken,
        f"`import torch` fails: {words.strip().splitlines()[0][:200]}",
        cause="a library that one of torch's requirements brings is not found",
        evidence=[pointer, *said(case, NvidiaWheelPinBroken)],
        fix=NvidiaWheelPinBroken.mend(case),
    )


def _import_words(case: Case, env: str) -> list[str]:
    pointer = f"{env}/runtime/import_error"
    return [pointer] if remedy.fact(case, pointer) is not None else []


def _works(case: Case, env: str) -> bool:
    """Does torch start all the same?  For the severity only."""
    return remedy.fact(case, f"{env}/runtime/imported") is True

"""Is the driver new enough for the CUDA that torch was built with?"""

from __future__ import annotations

from envcheck.compat.driver import driver_floor, driver_supports_cuda_major
from envcheck.compat.jetson import cuda_of_l4t
from envcheck.compat.version import at_least, key
from envcheck.facts import CUDA_OK, Unread
from envcheck.judge import CannotTell, Case, Fix, NotApplicable, Problem, Rule, question

from . import build, remedy
from .cards import cards_here
from .consequences import UNAVAILABLE
from .messages import proven, said

MINOR_COMPATIBILITY_FROM = 11
"""From CUDA 11 on one driver of a major version runs all of its minors (CUDA Compatibility guide)."""


class DriverTooOldForTorch(Rule):
    """The NVIDIA driver is too old for the CUDA that this torch was built with.

    What it looks at
        The CUDA of torch/version.py against the level of the loaded driver (cuDriverGetVersion), by major version:
        from CUDA 11 on a driver runs every minor of its major (525 and newer all of 12.x, 580 and newer all of
        13.x).  Where libcuda was not asked, the driver's own version against the floor of that CUDA; on a Jetson
        the CUDA of its Jetson Linux release.
    Why it matters
        CUDA does not start in torch, although nvidia-smi works: is_available() is False.
    How to mend it
        Install a torch built for an older CUDA (no root needed), or upgrade the driver.
    Cannot tell when
        version.py was not read, or neither libcuda nor NVML gave an answer.  A libcuda of a forward-compatibility
        package may lift an old driver, so without libcuda's own word there is only a suspicion.
    References
        CUDA Compatibility guide, minor version compatibility; CUDA release notes, driver versions; NVIDIA JetPack
        archive.
    """

    code, name, rung = "DRV102", "driver-too-old-for-torch", "torch_build"
    essential = True
    explains = UNAVAILABLE

    @staticmethod
    def mend(case: Case) -> Fix:
        return remedy.fitting(case, "Install a torch for the CUDA of this driver", driver_floor=_floor_here(case))


@question("env", DriverTooOldForTorch)
def is_the_driver_new_enough_for_torch(case: Case) -> Problem | None:
    """CUDA majors are compared, never driver numbers with build numbers (failure-modes §0, master rule 5)."""
    env = build.require_torch(case)
    cuda = build.cuda(case, env)
    if cuda is None:
        raise NotApplicable("torch was built without CUDA")
    try:
        level = _level(case)
    except CannotTell as unread:
        return _by_driver_version(case, env, cuda, unread)
    if level >= _needed(cuda):
        return None
    return _problem(case, env, cuda, f"CUDA {spoken_level(level)}", ["/cuda/driver_version", "/cuda/init_code"])


def _level(case: Case) -> int:
    """cuDriverGetVersion of a CUDA that initialises; otherwise the reason stands further down the ladder."""
    if case.known("/cuda/library", str) is None:
        raise NotApplicable("there is no libcuda: the driver is judged further down the ladder")
    if case.known("/cuda/init_code", int) != CUDA_OK:
        raise NotApplicable("CUDA does not initialise: the reason stands further down the ladder")
    return case.present("/cuda/driver_version", int)


def _by_driver_version(case: Case, env: str, cuda: str, silent: CannotTell) -> Problem | None:
    """Without libcuda's word: the driver's version against the floor.  Enough is enough; too low is a suspicion."""
    if not cards_here(case):
        raise NotApplicable("there is no NVIDIA card")
    pointers = [p for p in DRIVER if case.told(p)]
    if not pointers:
        return _by_jetson_release(case, env, cuda, silent)
    driver = case.first(str, *pointers)
    if driver is None:
        raise NotApplicable("there is no driver: it is judged further down the ladder")
    answers = {_is_enough(driver, cuda, system) for system in _systems(case)}
    if len(answers) > 1:
        raise CannotTell("it hangs on whether this is WSL, whose driver is that of Windows", "/host/wsl")
    if answers == {True}:
        return None
    stating = [p for p in pointers if remedy.fact(case, p) is not None]
    # A compatibility library might help out, but not where torch itself says that it cannot use CUDA.
    sure = proven(case, DriverTooOldForTorch) or remedy.fact(case, f"{env}/runtime/available") is False
    return _problem(case, env, cuda, f"driver {driver}", stating, unsure=not sure)


def _systems(case: Case) -> list[str]:
    """Whose driver it may be: of WSL, and under Linux where nobody looked whether it is WSL, that of Windows."""
    try:
        wsl = case.known("/host/wsl", int)
    except CannotTell:
        system = case.present("/host/system", str)
        return [system, "Windows"] if system == "Linux" else [system]
    return ["Windows"] if wsl is not None else [case.present("/host/system", str)]


def _is_enough(driver: str, cuda: str, system: str) -> bool:
    enough = driver_supports_cuda_major(driver, key(cuda)[0], system)
    floor = driver_floor(cuda, system)
    if isinstance(enough, Unread) or isinstance(floor, Unread):
        raise CannotTell(str(enough if isinstance(enough, Unread) else floor))
    if key(cuda)[0] >= MINOR_COMPATIBILITY_FROM:
        return bool(enough)
    return bool(enough) and (floor is None or at_least(driver, floor))


def _by_jetson_release(case: Case, env: str, cuda: str, silent: CannotTell) -> Problem | None:
    """On a Jetson the driver is part of the system's release, which tells its CUDA where nobody else does."""
    if not case.told("/host/l4t"):
        raise silent
    release = case.known("/host/l4t", str)
    if release is None:
        raise silent
    level = cuda_of_l4t(release)
    if isinstance(level, Unread) or level is None:
        raise CannotTell(str(level), "/host/l4t")
    major, minor = key(level)[:2]
    if 1000 * major + 10 * minor >= _needed(cuda):
        return None
    # A cuda-compat package lifts the driver of JetPack 5 and newer; not where torch says that it cannot use CUDA.
    sure = proven(case, DriverTooOldForTorch) or remedy.fact(case, f"{env}/runtime/available") is False
    have = f"Jetson Linux {release} carries CUDA {level}"
    return _problem(case, env, cuda, have, ["/host/l4t"], unsure=not sure)


DRIVER = ("/driver/nvml", "/driver/nvidia_smi", "/driver/proc", "/driver/pasted", "/smi/driver_version")
"""Who states the driver's version."""


def _problem(case: Case, env: str, cuda: str, have: str, evidence: list[str], *, unsure: bool = False) -> Problem:
    floor = _floor_here(case, cuda)
    needs = f"it needs driver {floor} or newer" if floor else f"it needs a driver for CUDA {key(cuda)[0]}"
    return case.problem(
        DriverTooOldForTorch,
        f"torch is built with CUDA {cuda}, and the driver is too old for it ({have})",
        cause=f"a driver runs builds of its own CUDA major version and of older ones; CUDA {cuda}: {needs}",
        evidence=[*build.told(case, env, "version", "cuda"), *evidence, *said(case, DriverTooOldForTorch)],
        fix=DriverTooOldForTorch.mend(case),
        confidence="suggested" if unsure else "established",
    )


def _needed(cuda: str) -> int:
    """The lowest cuDriverGetVersion that runs builds of this CUDA: 12000 for 12.8, 10020 for 10.2."""
    major, minor = key(cuda)[:2]
    return 1000 * major if major >= MINOR_COMPATIBILITY_FROM else 1000 * major + 10 * minor


def spoken_level(level: int) -> str:
    """12020 → "12.2"."""
    return f"{level // 1000}.{level % 1000 // 10}"


def _floor_here(case: Case, cuda: str | None = None) -> str | None:
    """The lowest driver for torch's CUDA on this system, where both are known.  For wording only."""
    env = remedy.env_of(case)
    if cuda is None and env is not None:
        found = case.maybe(lambda: build.cuda(case, env))
        cuda = found if isinstance(found, str) else None
    system = case.maybe(lambda: case.known("/host/system", str))
    if cuda is None or not isinstance(system, str):
        return None
    wsl = case.maybe(lambda: case.known("/host/wsl", int))
    floor = driver_floor(cuda, "Windows" if isinstance(wsl, int) else system)
    return floor if isinstance(floor, str) else None

"""Is there a wheel of the declared torch at all, and does an index that is asked have it?"""

from __future__ import annotations

from envcheck.compat.declared.offers import offers_of
from envcheck.compat.declared.resolved import platform_for, pythons
from envcheck.compat.declared.wanted import allows, exact, wheel_is_for
from envcheck.compat.rows import Platform, TorchBuild
from envcheck.compat.torch_builds import (
    builds_of,
    glibc_floor,
    python_supported,
    pythons_of,
    release,
    releases,
    torch_build,
)
from envcheck.compat.version import at_least, cuda_of, is_prerelease, key, split_local
from envcheck.facts import DeclaredEnvironment, DeclaredPackage, Unread
from envcheck.judge import CannotTell, Case, Fix, NotApplicable, Problem, Rule, question
from envcheck.rules import plan
from envcheck.rules.torch_build import remedy

LISTED_UNTIL = (2, 14, 1)
"""Up to this release the lists behind the table name every CUDA build (test-infra's release matrix, see compat)."""


class DeclaredWheelMissing(Rule):
    """The files ask for a torch that was not published for this Python, platform or CUDA.

    What it looks at
        The release and build that the files ask for, against the wheels that exist: by Python version, platform,
        CUDA variant and C library of the base image; in lock files also the file names that they list.
    Why it matters
        The installation fails: "Could not find a version that satisfies the requirement torch".
    How to mend it
        Ask for a Python that the release has wheels for, or for a release and build that exist.
    Cannot tell when
        The release is newer than the table, a nightly or a vendor's build, or the files name no Python and some of
        those that they admit have a wheel.
    References
        Wheel file names of torch on the default index; PyTorch, previous versions; PEP 600 (manylinux).
    """

    code, name, rung = "LNT101", "declared-wheel-missing", "torch_build"

    @staticmethod
    def mend(case: Case) -> Fix:
        return remedy.fitting(case, "Ask for a torch that was published for this Python and platform")


class LocalVersionWithoutIndex(Rule):
    """A build such as torch==2.1.0+cu121 is asked for, and no index that is asked has it.

    What it looks at
        The part after the plus sign, and the indexes and pages of links that the files name.
    Why it matters
        The default index has no versions with a build in their name, and the index of another build has not this
        one: the installation fails.
    How to mend it
        Name the index of that build.
    Cannot tell when
        The files name an index whose contents are not known.
    References
        PyTorch, Get Started and previous versions; PEP 440, local version identifiers.
    """

    code, name, rung = "LNT102", "declared-build-without-index", "torch_build"

    @staticmethod
    def mend(case: Case) -> Fix:
        packages = plan.read(case).packages
        asked = [p.wanted for p in (packages if isinstance(packages, list) else []) if p.name == "torch"]
        local = next((split_local(exact(wanted) or "")[1] for wanted in reversed(asked)), None)
        option = f"--index-url {plan.index_line(local)}" if local else "--index-url with that build's index"
        return Fix(title="Name the index of that build", steps=[plan.write(case, "torch", f"add {option}")])


@question("env", DeclaredWheelMissing, LocalVersionWithoutIndex)
def is_there_a_wheel_of_the_declared_torch(case: Case) -> Problem | None:
    """Index, release, build, Python, C library, then the lock's own list: the first that fails is the answer."""
    here, environment = plan.declaration(case)
    found = plan.package_of(case, "torch")
    if found is None:
        raise NotApplicable("the files do not ask for torch themselves")
    pointer, package = found
    if package.manager == "conda":
        raise NotApplicable("conda's packages are judged on their own")
    version = exact(package.wanted)
    if version is None:
        return _range(case, here, environment, pointer, package)
    problem = _index(case, environment, pointer, package, version)
    if problem is not None:
        return problem
    return _exact(case, here, environment, pointer, package, version)


def _index(
    case: Case, environment: DeclaredEnvironment, pointer: str, package: DeclaredPackage, version: str
) -> Problem | None:
    """A build in the version needs an index that has it."""
    local = split_local(version)[1]
    if local is None or isinstance(package.url, str) or environment.lock or is_prerelease(version):
        return None
    offers = offers_of(environment, package)
    if not offers.clear or local in offers.variants:
        return None
    asked = ", ".join(dict.fromkeys(offer.variant or "the default index" for offer in offers.items)) or "no index"
    return case.problem(
        LocalVersionWithoutIndex,
        f"torch {version} is asked for, and the indexes that are asked do not have it ({asked})",
        cause=f"builds with +{local} in their version are on PyTorch's index for {local} only",
        evidence=[f"{pointer}/wanted", *_indexes(case)],
        fix=LocalVersionWithoutIndex.mend(case),
    )


def _exact(
    case: Case, here: str, environment: DeclaredEnvironment, pointer: str, package: DeclaredPackage, version: str
) -> Problem | None:
    public, _ = split_local(version)
    known = release(version)
    if isinstance(known, Unread):
        raise CannotTell(str(known), f"{pointer}/wanted")
    where = platform_for(environment)
    if known is None:
        return _missing(case, pointer, f"there is no torch release {public}")
    if where is None:
        return _missing(case, pointer, "torch has no wheels for this platform")
    why = _build(case, public, where)
    if why:
        return _missing(case, pointer, why)
    python = pythons(environment, _told(case))
    have = [minor for minor in python if python_supported(public, minor, where)]
    if not have:
        supported = pythons_of(public, where)
        listed = ", ".join(supported) if isinstance(supported, list) and supported else "none"
        asked = f"Python {python[0]}" if len(python) == 1 else "the Pythons that the project admits"
        why = f"torch {public} has no wheel for {asked} (it has {listed})"
        return _missing(case, pointer, why, _python_evidence(case, here, environment))
    why = _libc(case, here, environment, public, where)
    if why:
        return _missing(case, pointer, why, [f"{here}/image/libc"])
    if len(have) < len(python):
        _python_of(case)
    if len(python) != 1:
        return None
    wheels = package.wheels if isinstance(package.wheels, list) else []
    if wheels and not any(wheel_is_for(wheel, python[0], where) for wheel in wheels):
        why = f"the lock file lists no wheel of torch {version} for Python {python[0]} on {where}"
        return _missing(case, pointer, why, [f"{pointer}/wheels"])
    if isinstance(package.url, str) and not wheel_is_for(package.url, python[0], where):
        return _missing(case, pointer, f"the wheel of that address is not for Python {python[0]} on {where}")
    return None


def _range(
    case: Case, here: str, environment: DeclaredEnvironment, pointer: str, package: DeclaredPackage
) -> Problem | None:
    """Some release within the range must have a wheel for some Python that may come."""
    where = platform_for(environment)
    if where is None:
        return _missing(case, pointer, "torch has no wheels for this platform")
    within = [row.version for row in releases() if allows(package.wanted, row.version)]
    if not within:
        newest = releases()[-1].version
        raise CannotTell(f"no release of the table is within {package.wanted}; it ends at {newest}", pointer)
    python = pythons(environment, _told(case))
    have = [minor for minor in python if any(python_supported(version, minor, where) for version in within)]
    if have:
        reasons = [_libc(case, here, environment, version, where) for version in within]
        if all(reasons):
            return _missing(case, pointer, reasons[-1], [f"{here}/image/libc"])
        if len(have) < len(python):
            _python_of(case)
        return None
    named = f"Python {python[0]}" if len(python) == 1 else "the Pythons that the project admits"
    newer = any(key(minor) > max(key(p.rstrip("t")) for p in _newest_pythons(where)) for minor in python)
    if newer and allows(package.wanted, releases()[-1].version):
        raise CannotTell(f"{named} is newer than the table", pointer)
    why = f"no torch release within {package.wanted or 'any version'} has a wheel for {named}"
    return _missing(case, pointer, why, _python_evidence(case, here, environment))


def _newest_pythons(where: Platform) -> list[str]:
    found = pythons_of(releases()[-1].version, where)
    return found if isinstance(found, list) and found else ["3.0"]


def _build(case: Case, public: str, where: Platform) -> str:
    """Why this CUDA variant of the release does not exist; "" where it does, or where no list proves that."""
    full = case.maybe(lambda: case.known(f"{case.at('env')}/torch/version", str))
    variant = split_local(full)[1] if isinstance(full, str) else None
    if variant is None or (cuda_of(variant) is None and variant != "cpu"):
        return ""
    build = torch_build(public, variant, where)
    listed = [row.variant for row in builds_of(public, where) if row.variant != "cpu" and row.published == "yes"]
    if isinstance(build, TorchBuild):
        return ""
    if build is None:
        return f"torch {public} was not built for {variant} on {where}"
    if not listed or key(public) > LISTED_UNTIL:
        raise CannotTell(str(build))
    return f"torch {public} was not built for {variant} (there is {', '.join(listed)})"


def _libc(case: Case, here: str, environment: DeclaredEnvironment, public: str, where: Platform) -> str:
    """Why the base image's C library is too old, or another one; "" where it does."""
    image = environment.image
    if image is None or not where.startswith("linux"):
        return ""
    name, _, number = case.present(f"{here}/image/libc", str).partition(" ")
    if name != "glibc":
        return f"the wheels need glibc, and {image.name} has {name}"
    floor = glibc_floor(public, None, where)
    if isinstance(floor, str) and not at_least(number, floor):
        return f"the wheel of torch {public} needs glibc {floor}, and {image.name} has {number}"
    return ""


def _python_of(case: Case) -> str:
    """The Python that comes: some that may come have a wheel and others not, so it has to be known."""
    return case.present(f"{case.at('env')}/version", str)


def _missing(case: Case, pointer: str, why: str, evidence: list[str] | None = None) -> Problem:
    return case.problem(
        DeclaredWheelMissing,
        why,
        cause="what the files ask for was never published",
        evidence=[f"{pointer}/wanted", *(evidence or [])],
        fix=DeclaredWheelMissing.mend(case),
    )


def _told(case: Case) -> str:
    found = case.maybe(lambda: case.known(f"{case.at('env')}/version", str))
    return found if isinstance(found, str) else ""


def _python_evidence(case: Case, here: str, environment: DeclaredEnvironment) -> list[str]:
    if isinstance(environment.python, str):
        return [f"{here}/python"]
    if _told(case):
        return [f"{case.at('env')}/version"]
    return [f"{here}/requires_python"] if isinstance(environment.requires_python, str) else []


def _indexes(case: Case) -> list[str]:
    here, environment = plan.declaration(case)
    found = environment.indexes if isinstance(environment.indexes, list) else []
    return [f"{here}/indexes/{i}/url" for i in range(len(found))]

"""Does one package own Python's binding of NVML?"""

from __future__ import annotations

from envcheck.facts import Distribution
from envcheck.judge import CannotTell, Case, Fix, NotApplicable, Problem, Rule, question
from envcheck.rules.torch_build import remedy
from envcheck.rules.torch_build.messages import defer_to_messages

OWN = "nvidia-ml-py"
LAST_WITH_MODULE = 11
"""pynvml up to 11.5.3 brings a module of its own; 12 and 13 only depend on nvidia-ml-py (their release files)."""


class PynvmlPackageConflict(Rule):
    """Several packages bring the Python module pynvml, and which one is imported is chance.

    What it looks at
        The installed packages nvidia-ml-py, nvidia-ml-py3 and pynvml with their versions.
    Why it matters
        pynvml up to version 11 and nvidia-ml-py3 bring old copies of the module: the folder of the one hides the file
        of the other, and torch's memory and utilisation calls fail.  pynvml 12 and newer only bring a warning.
    How to mend it
        Remove all of them but nvidia-ml-py, and install that one again.
    Cannot tell when
        The environment's packages could not be listed.
    References
        torch/cuda/__init__.py; nvidia-ml-py and pynvml, release files.
    """

    code, name, rung = "NVM105", "pynvml-package-conflict", "nvml"
    severity = "warning"

    @staticmethod
    def mend(case: Case) -> Fix:
        env = remedy.env_of(case)
        packages = case.maybe_records(f"{env}/distributions", Distribution) if env else []
        others = sorted({item.name for _, item in packages if item.name in ("pynvml", "nvidia-ml-py3")}) or ["pynvml"]
        steps = [remedy.uninstall(case, " ".join(others)), remedy.again(case, OWN)]
        return Fix(title=f"Keep {OWN} alone", steps=steps, verify=remedy.code(case, "import pynvml; pynvml.nvmlInit()"))


@question("env", PynvmlPackageConflict)
def does_one_package_own_pynvml(case: Case) -> Problem | None:
    """Two owners are a conflict; a newer pynvml beside nvidia-ml-py is a name without a module."""
    env = case.at("env")
    names = (OWN, "nvidia-ml-py3", "pynvml")
    packages = [(p, item) for p, item in case.records(f"{env}/distributions", Distribution) if item.name in names]
    if not packages:
        defer_to_messages(case, PynvmlPackageConflict)
        raise NotApplicable("no Python binding of NVML is installed")
    owners = [pointer for pointer, item in packages if _brings_module(case, pointer, item)]
    evidence = [part for pointer, _ in packages for part in (f"{pointer}/name", f"{pointer}/version")]
    if len(owners) > 1:
        return case.problem(
            PynvmlPackageConflict,
            f"{len(owners)} packages bring the module pynvml",
            cause="an old pynvml or nvidia-ml-py3 lies over nvidia-ml-py: an import takes the one or the other",
            evidence=evidence,
            fix=PynvmlPackageConflict.mend(case),
        )
    if all(item.name == OWN for _, item in packages):
        return None
    return case.problem(
        PynvmlPackageConflict,
        "the package pynvml is deprecated; torch warns about it at import",
        cause="nvidia-ml-py brings the module; pynvml only adds its name, or an old copy",
        evidence=evidence,
        fix=PynvmlPackageConflict.mend(case),
        severity="note",
    )


def _brings_module(case: Case, pointer: str, item: Distribution) -> bool:
    if item.name != "pynvml":
        return True
    version = case.known(f"{pointer}/version", str) or ""
    major = version.split(".")[0]
    if not major.isdigit():
        raise CannotTell(f"pynvml has no version that can be read ({version!r})", f"{pointer}/version")
    return int(major) <= LAST_WITH_MODULE

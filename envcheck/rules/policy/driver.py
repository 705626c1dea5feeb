"""Is it the NVIDIA driver that the policy requires?"""

from __future__ import annotations

from envcheck.judge import CannotTell, Case, Fix, Problem, Step, question
from envcheck.rules.torch_build.requirements import satisfied

from .requirement import Requirement, wanted

STATED_BY = ("/driver/nvml", "/driver/proc", "/driver/nvidia_smi", "/smi/driver_version", "/driver/pasted")


class PolicyDriver(Requirement):
    """The NVIDIA driver has another version than the policy requires.

    What it looks at
        The version of the loaded driver, as NVML, /proc and nvidia-smi state it, against require.driver (a version
        specifier: ">=580").
    Why it matters
        The policy's builds or features need that branch; an older one fails later and less clearly.
    How to mend it
        Install a driver of the required branch and reboot, or change the policy.
    Cannot tell when
        Nobody stated the version, or its witnesses contradict each other (an upgrade without a reboot).
    References
        NVIDIA, data center driver branches; PEP 440, version specifiers.
    """

    code, name, rung = "POL111", "policy-driver", "kernel_module"
    explained_by = ("driver-not-installed", "no-driver-library", "nvml-library-missing", "kernel-module-not-loaded")

    @staticmethod
    def mend(case: Case) -> Fix:
        asked = case.policy.require.driver
        return Fix(
            title=f"Install an NVIDIA driver {asked}" if asked else "Install the driver that the policy requires",
            steps=[Step(where="host", note="with the distribution's package manager", root=True, reboot=True)],
            safety="disruptive",
            verify="nvidia-smi --query-gpu=driver_version --format=csv",
        )


@question("host", PolicyDriver)
def is_it_the_driver_that_the_policy_requires(case: Case) -> Problem | None:
    """One version on which all that state one agree; none at all only where nothing can hide one."""
    asked = wanted(case.policy.require.driver)
    version, evidence = stated(case)
    if version is not None and satisfied(asked, version):
        return None
    have = f"driver {version}" if version is not None else "no NVIDIA driver"
    return case.problem(
        PolicyDriver,
        f"the policy requires driver {asked}, there is {have}",
        cause="the driver is of another branch than the policy is made for" if version else "no driver is loaded",
        evidence=evidence,
        fix=PolicyDriver.mend(case),
    )


def stated(case: Case) -> tuple[str | None, list[str]]:
    """The driver's version and who states it; ``None`` for no driver at all."""
    versions: dict[str, list[str]] = {}
    for pointer in STATED_BY:
        try:
            version = case.known(pointer, str)
        except CannotTell:
            continue
        if version is not None:
            versions.setdefault(version, []).append(pointer)
    if len(versions) > 1:
        raise CannotTell(f"the driver's witnesses disagree: {', '.join(sorted(versions))}", STATED_BY[0])
    for version, pointers in versions.items():
        return version, pointers
    return None, _nobody(case)


def _nobody(case: Case) -> list[str]:
    """What says that no driver is loaded at all.  A missing NVML alone does not: WSL, Jetson and sandboxes hide one."""
    system = case.known("/host/system", str)
    if system == "Darwin":
        return ["/host/system"]
    case.known("/driver/proc", str)
    try:
        case.known("/driver/nvml", str)
    except CannotTell:
        elsewhere = (("/host/wsl", int), ("/host/jetson", str), ("/container/sandbox", str))
        plain = system == "Linux" and all(case.known(pointer, kind) is None for pointer, kind in elsewhere)
        if not plain or case.known("/driver/module_loaded", bool) is not False:
            raise
        return ["/driver/proc", "/driver/module_loaded"]
    return ["/driver/nvml", "/driver/proc"]

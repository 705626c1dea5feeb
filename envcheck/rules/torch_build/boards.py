"""Where torch for a Jetson comes from: up to JetPack 6 no wheel of PyTorch's own has code for these boards."""

from __future__ import annotations

from envcheck.compat.version import key
from envcheck.judge import Case, Fix, Step

from . import remedy

GUIDE = "https://docs.nvidia.com/deeplearning/frameworks/install-pytorch-jetson-platform/index.html"
FIRST_WITH_ORDINARY_WHEELS = 38
"""Jetson Linux 38 (JetPack 7) is an ordinary Arm server to CUDA: the aarch64 wheels run there."""


def needs_own_wheels(case: Case) -> bool:
    """Is this a Jetson whose torch has to be one that was built for its JetPack?"""
    if not isinstance(remedy.fact(case, "/host/jetson"), str):
        return False
    release = remedy.fact(case, "/host/l4t")
    return not isinstance(release, str) or key(release)[0] < FIRST_WITH_ORDINARY_WHEELS


def own_wheels(case: Case, title: str, driver_floor: str | None) -> Fix:
    """Replace torch by the build that NVIDIA makes for the installed JetPack."""
    names = " ".join(["torch", *remedy.companions(case)])
    release = remedy.fact(case, "/host/l4t")
    which = f"Jetson Linux {release}" if isinstance(release, str) else "the installed JetPack"
    note = f"install the wheel for {which} as described there; the aarch64 wheels of other indexes have no code for it"
    steps = [remedy.uninstall(case, names), Step(where="browser", command=GUIDE, note=note)]
    if driver_floor is not None:
        steps.append(remedy.upgrade_driver(case, driver_floor))
    return Fix(title=title, steps=steps, safety="careful", verify=remedy.test(case))

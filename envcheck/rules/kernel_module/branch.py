"""How long does the driver's branch live?"""

from __future__ import annotations

from datetime import date, datetime

from envcheck.judge import CannotTell, Case, Fix, NotApplicable, Problem, Rule, question
from envcheck.rules.hardware.machine import require_own_driver

from .generations import oldest_capability
from .packages import install_driver

SUPPORTED = "docs.nvidia.com/datacenter/tesla/drivers, supported drivers and CUDA toolkit versions"
END_OF_LIFE: tuple[tuple[int, date, str], ...] = (
    # branch, last day of its last month, edition of SUPPORTED that says so (looked up 2026-11-24)
    (535, date(2026, 6, 30), "edition 615"),
    (570, date(2026, 2, 28), "edition of 2025 (R535, R570, R580)"),
    (580, date(2028, 6, 30), "editions 615 and 620"),
    (595, date(2027, 3, 31), "editions 615 and 620"),
    (610, date(2026, 8, 31), "edition 615"),
    (620, date(2029, 9, 30), "edition 620"),
)
ENDED_BELOW = 580
"""Branches below this one that have no row are past their end: the edition of 2025 says so of R410 to R575."""

TABLE_ENDS = max(branch for branch, _, _ in END_OF_LIFE)


class DriverBranchEol(Rule):
    """The installed driver branch is past its end of life: it gets no more corrections.

    What it looks at
        The branch of the loaded kernel module, the day of the snapshot, and NVIDIA's list of supported branches.
    Why it matters
        Nothing fails today.  Security corrections and support for new kernels and toolkits go to other branches.
    How to mend it
        Plan an upgrade to a long-term branch; check first that it still drives the cards of this machine.
    Cannot tell when
        The driver's version or the day is not known, or the branch is newer than the list.
    References
        docs.nvidia.com/datacenter/tesla/drivers, supported drivers and CUDA toolkit versions.
    """

    code, name, rung = "KMD113", "driver-branch-eol", "kernel_module"
    severity = "note"

    @staticmethod
    def mend(case: Case) -> Fix:
        oldest = oldest_capability(case)
        old = oldest is not None and oldest < 75
        return Fix(
            title="Plan an upgrade" + (" within branch 580, the last one for this card" if old else ""),
            steps=install_driver(case, flavour="580" if old else "open"),
            safety="careful",
            verify="cat /sys/module/nvidia/version",
        )


@question("host", DriverBranchEol)
def is_the_driver_branch_supported(case: Case) -> Problem | None:
    """The table's date against the snapshot's own; new-feature branches without a date are not judged."""
    require_own_driver(case)
    version = case.first(str, "/driver/sys_module", "/driver/proc")
    if version is None:
        raise NotApplicable("no NVIDIA kernel module is loaded")
    major = version.split(".")[0]
    if not major.isdigit():
        raise CannotTell(f"driver version {version!r} has no branch", "/driver/sys_module")
    branch = int(major)
    if branch > TABLE_ENDS:
        raise CannotTell(f"branch {branch} is newer than the list, which ends at {TABLE_ENDS}", "/driver/sys_module")
    end = next((day for listed, day, _ in END_OF_LIFE if listed == branch), None)
    if end is None and branch >= ENDED_BELOW:
        raise NotApplicable(f"branch {branch} is a new-feature branch without a date")
    today = _today(case)
    if end is not None and today <= end:
        return None
    since = f"in {end:%Y-%m}" if end else f"before branch {ENDED_BELOW}"
    return case.problem(
        DriverBranchEol,
        f"driver branch {branch} is past its end of life",
        cause=f"its support ended {since}",
        evidence=["/driver/sys_module" if case.told("/driver/sys_module") else "/driver/proc"],
        fix=DriverBranchEol.mend(case),
    )


def _today(case: Case) -> date:
    taken = case.known("/taken_at", str)
    try:
        return datetime.fromisoformat((taken or "").replace("Z", "+00:00")).date()
    except ValueError as garbled:
        raise CannotTell(f"the day of the snapshot is not known ({taken!r})", "/taken_at") from garbled

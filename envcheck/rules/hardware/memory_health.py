"""Is the card's memory sound?  ECC counters, row remapping (Ampere and newer), page retirement (before)."""

from __future__ import annotations

from envcheck.judge import Case, Fix, Problem, Rule, Step, question
from envcheck.rules.gauges import gauges

SRAM_LIMIT = 4
"""Aggregate uncorrectable SRAM errors above which the card goes back (stas00/ml-engineering, nvidia/debug.md)."""

DRAM_CORRECTED_LIMIT = 20_000_000
"""Corrected DRAM errors at which Azure's node health checks fail a node (azurehpc-health-checks)."""

RETIRED_PAGES_LIMIT = 60
"""Retired pages from which the table is as good as full (NVIDIA DCGM, RETIRED_PAGES_LIMIT)."""

REMAPPED_ROWS_LIMIT = 512
"""Uncorrectable remappings beyond which no row is left (gpud, QualifiesForRMA)."""

CONSEQUENCES = ("xid-in-log", "torch-kernel-fails")


def _index(case: Case) -> str:
    at = case.subject.places.get("nvml") or case.subject.places.get("smi", "")
    return at.rsplit("/", 1)[-1] if at else "N"


def _reset(case: Case, title: str, *, rma: bool = False) -> Fix:
    steps = [
        Step(
            where="host", command="nvidia-smi --query-compute-apps=pid,name --format=csv", note="drain the card first"
        ),
        Step(where="host", command=f"sudo nvidia-smi --gpu-reset -i {_index(case)}", root=True),
    ]
    if rma:
        steps.append(Step(where="host", command="sudo nvidia-bug-report.sh", root=True, note="for the vendor: RMA"))
    return Fix(
        title=title,
        steps=steps,
        safety="disruptive",
        verify=f"nvidia-smi -q -d ECC,ROW_REMAPPER,PAGE_RETIREMENT -i {_index(case)}",
    )


class EccUncorrectable(Rule):
    """The card's memory had an error that ECC could not correct.

    What it looks at
        The volatile and the aggregate uncorrectable counters, and whether the SRAM threshold was exceeded.
    Why it matters
        Work that touched the cell was ended or is wrong; more errors follow until the row or page is replaced.
    How to mend it
        Drain and reset the card; when it comes back, or when SRAM counts beyond the threshold, return the card.
    Cannot tell when
        The driver does not answer for this card.  Boards without ECC are not judged.
    References
        NVIDIA GPU memory error management; CUDA error 214; NVIDIA Xid 48, 94, 95.
    """

    code, name, rung = "HWD301", "ecc-uncorrectable", "hardware"
    explains = CONSEQUENCES

    @staticmethod
    def mend(case: Case) -> Fix:
        return _reset(case, "Drain and reset the card; return it when the error comes back", rma=True)


class EccCorrectableHigh(Rule):
    """The card corrects unusually many memory errors.

    What it looks at
        The aggregate counter of corrected errors.
    Why it matters
        Corrected errors change nothing by themselves; very many announce uncorrectable ones.
    How to mend it
        Watch the counters; plan a diagnostic run.
    Cannot tell when
        The driver does not answer for this card.  Boards without ECC are not judged.
    References
        Azure azurehpc-health-checks; NVIDIA Xid 92.
    """

    code, name, rung = "HWD302", "ecc-correctable-high", "hardware"
    severity = "note"


@question("gpu", EccUncorrectable, EccCorrectableHigh)
def does_ecc_count_errors(case: Case) -> Problem | None:
    """Volatile uncorrectable errors first, then SRAM's lifetime, then the corrected ones."""
    at = gauges(case)
    volatile = case.present(f"{at}/ecc_volatile_uncorrected", int)
    evidence = [f"{at}/ecc_volatile_uncorrected"]
    if volatile > 0:
        return _ecc(case, evidence, f"{volatile} uncorrectable memory errors since the last reset")
    sram = case.known(f"{at}/ecc_sram_uncorrected", int)
    exceeded = case.known(f"{at}/ecc_sram_threshold_exceeded", bool)
    if exceeded or (sram or 0) > SRAM_LIMIT:
        pointer = f"{at}/ecc_sram_threshold_exceeded" if exceeded else f"{at}/ecc_sram_uncorrected"
        return _ecc(case, [pointer], "the SRAM's lifetime of uncorrectable errors is beyond the threshold")
    corrected = case.known(f"{at}/ecc_aggregate_corrected", int)
    if (corrected or 0) >= DRAM_CORRECTED_LIMIT:
        return case.problem(
            EccCorrectableHigh,
            f"{case.subject.label} corrected {corrected:,} memory errors in its life",
            cause="ageing or a weak memory stack; nothing was lost so far",
            evidence=[f"{at}/ecc_aggregate_corrected"],
        )
    return None


def _ecc(case: Case, evidence: list[str], cause: str) -> Problem:
    return case.problem(
        EccUncorrectable,
        f"{case.subject.label} reports uncorrectable memory errors",
        cause=cause,
        evidence=evidence,
        fix=EccUncorrectable.mend(case),
    )


class RowRemapPending(Rule):
    """A memory row waits to be replaced at the next reset of the card.

    What it looks at
        The pending flag of the row remapper (Ampere and newer).
    Why it matters
        Until the reset the bad row stays in use.
    How to mend it
        Reset the card at the next idle time.
    Cannot tell when
        The driver does not answer for this card; with MIG on it does not tell.
    References
        NVIDIA GPU memory error management, row remapping; NVIDIA Xid 63.
    """

    code, name, rung = "HWD303", "row-remap-pending", "hardware"
    severity = "warning"
    explains = ("xid-in-log",)

    @staticmethod
    def mend(case: Case) -> Fix:
        return _reset(case, "Reset the card at the next idle time")


class RowRemapFailed(Rule):
    """The card has no spare memory row left where it needs one.

    What it looks at
        The failure flag of the row remapper, its histogram of banks, and the number of uncorrectable remappings.
    Why it matters
        The defect cannot be repaired any more: uncorrectable errors will come back.
    How to mend it
        Drain and reset the card once, run the field diagnostic, and return the card.
    Cannot tell when
        The driver does not answer for this card; with MIG on it does not tell.
    References
        NVIDIA GPU memory error management, row remapping; NVIDIA Xid 64.
    """

    code, name, rung = "HWD304", "row-remap-failed", "hardware"
    explains = (*CONSEQUENCES, "ecc-uncorrectable", "row-remap-pending")

    @staticmethod
    def mend(case: Case) -> Fix:
        return _reset(case, "Drain and reset the card, then return it", rma=True)


@question("gpu", RowRemapPending, RowRemapFailed)
def does_row_remapping_work(case: Case) -> Problem | None:
    """A failure is worse than a row that waits."""
    at = gauges(case)
    failed = case.present(f"{at}/remapped_rows_failed", bool)
    pending = case.present(f"{at}/remapped_rows_pending", bool)
    exhausted = case.known(f"{at}/remapped_banks_exhausted", int) or 0
    remapped = case.known(f"{at}/remapped_rows_uncorrected", int) or 0
    if failed or exhausted or remapped > REMAPPED_ROWS_LIMIT:
        if failed:
            pointer, cause = f"{at}/remapped_rows_failed", "a row could not be remapped: its bank has no spare row"
        elif exhausted:
            pointer, cause = f"{at}/remapped_banks_exhausted", f"{exhausted} memory banks have no spare row left"
        else:
            pointer, cause = f"{at}/remapped_rows_uncorrected", f"{remapped} rows were remapped: none is left"
        return case.problem(
            RowRemapFailed,
            f"{case.subject.label} cannot replace bad memory rows any more",
            cause=cause,
            evidence=[pointer],
            fix=RowRemapFailed.mend(case),
        )
    if pending:
        return case.problem(
            RowRemapPending,
            f"{case.subject.label} waits for a reset to replace a bad memory row",
            cause="a row was marked bad, and remapping takes effect at a reset only",
            evidence=[f"{at}/remapped_rows_pending"],
            fix=RowRemapPending.mend(case),
        )
    return None


class RetiredPages(Rule):
    """Memory pages of the card were retired, or wait to be.

    What it looks at
        The pending flag and the counts of retired pages (cards before Ampere).
    Why it matters
        A pending page stays in use until the reset; near the end of the table no page can be retired any more.
    How to mend it
        Reset the card; with a full table return it.
    Cannot tell when
        The driver does not answer for this card.
    References
        NVIDIA dynamic page retirement; NVIDIA DCGM, RETIRED_PAGES_LIMIT.
    """

    code, name, rung = "HWD305", "retired-pages", "hardware"
    severity = "warning"
    explains = ("xid-in-log",)

    @staticmethod
    def mend(case: Case) -> Fix:
        return _reset(case, "Reset the card", rma=False)


@question("gpu", RetiredPages)
def does_page_retirement_work(case: Case) -> Problem | None:
    """A few retired pages without a pending one are a healthy card's past."""
    at = gauges(case)
    pending = case.present(f"{at}/retired_pages_pending", bool)
    single = case.present(f"{at}/retired_pages_single_bit", int)
    double = case.present(f"{at}/retired_pages_double_bit", int)
    if single + double >= RETIRED_PAGES_LIMIT:
        return case.problem(
            RetiredPages,
            f"{case.subject.label} has retired {single + double} memory pages: the table is full",
            cause="no further page can be retired",
            evidence=[f"{at}/retired_pages_single_bit", f"{at}/retired_pages_double_bit"],
            fix=_reset(case, "Return the card", rma=True),
            severity="error",
        )
    if pending:
        return case.problem(
            RetiredPages,
            f"{case.subject.label} waits for a reset to retire a bad memory page",
            cause="a page was marked bad, and retirement takes effect at a reset only",
            evidence=[f"{at}/retired_pages_pending"],
            fix=RetiredPages.mend(case),
        )
    return None


class EccDisabled(Rule):
    """ECC is off on a data-centre card, or a change of it waits for a reboot.

    What it looks at
        The current and the pending ECC mode.
    Why it matters
        Without ECC a flipped bit goes unnoticed into the result.  On some workstation boards off is the default.
    How to mend it
        Switch ECC on and reboot.
    Cannot tell when
        The driver does not answer for this card.  Boards without ECC are not judged.
    References
        NVIDIA DCGM, ECC_DISABLED; nvidia-smi manual, ecc.mode.
    """

    code, name, rung = "HWD306", "ecc-disabled", "hardware"
    severity = "note"

    @staticmethod
    def mend(case: Case) -> Fix:
        return Fix(
            title="Switch ECC on",
            steps=[
                Step(where="host", command=f"sudo nvidia-smi -i {_index(case)} -e 1", root=True),
                Step(where="host", command="sudo reboot", root=True, reboot=True),
            ],
            safety="disruptive",
            verify=f"nvidia-smi --query-gpu=ecc.mode.current --format=csv -i {_index(case)}",
        )


@question("gpu", EccDisabled)
def is_ecc_on(case: Case) -> Problem | None:
    """A pending change is told even where ECC is on now."""
    at = gauges(case)
    current = case.present(f"{at}/ecc_enabled", bool)
    pending = case.present(f"{at}/ecc_pending", bool)
    if current and pending:
        return None
    if current != pending:
        summary, cause = "will change its ECC mode at the next reboot", "the mode was set and waits for a reboot"
    else:
        summary, cause = "runs without ECC", "the mode was set to off, which is the default of some boards"
    return case.problem(
        EccDisabled,
        f"{case.subject.label} {summary}",
        cause=cause,
        evidence=[f"{at}/ecc_enabled", f"{at}/ecc_pending"],
        fix=EccDisabled.mend(case),
    )

"""Health and speed of a card: one table over its gauges, each rule with both sides and both kinds of silence."""

from __future__ import annotations

from typing import Any

import pytest

from envcheck.facts import GpuProcess, NvLink, Symptom, Unread
from envcheck.rules import QUESTIONS
from envcheck.testing import judge_one, machine

GPU = "/nvml/gpus/0"
GIB = 1 << 30
PORTS = ["mlx5_0/1 4: ACTIVE 400 Gb/sec", "mlx5_1/1 1: DOWN 40 Gb/sec"]
LINKS = [NvLink(link=n, active=True, recovery_errors=0) for n in range(4)]


def gpu(**fields: Any) -> dict[str, Any]:
    return {f"{GPU}/{name}": value for name, value in fields.items()}


def holder(gib: float, pid: int = 4711) -> GpuProcess:
    return GpuProcess(pid=pid, memory_bytes=int(gib * GIB))


Row = tuple[str, str, dict[str, Any], str, str | None]
TABLE: list[Row] = [
    ("ecc-uncorrectable", "h100", gpu(ecc_volatile_uncorrected=1), "problem", "error"),
    ("ecc-uncorrectable", "h100", gpu(ecc_sram_threshold_exceeded=True), "problem", "error"),
    ("ecc-uncorrectable", "h100", gpu(ecc_sram_uncorrected=5), "problem", "error"),
    ("ecc-uncorrectable", "h100", gpu(ecc_sram_uncorrected=4), "ok", None),
    ("ecc-uncorrectable", "h100", gpu(ecc_aggregate_uncorrected=7), "ok", None),  # a past that a reset has cured
    ("ecc-uncorrectable", "h100", gpu(ecc_volatile_uncorrected=Unread("refused")), "cannot_tell", None),
    ("ecc-uncorrectable", "rtx5090", {}, "not_applicable", None),
    ("ecc-correctable-high", "h100", gpu(ecc_aggregate_corrected=20_000_000), "problem", "note"),
    ("ecc-correctable-high", "h100", gpu(ecc_aggregate_corrected=19_999_999), "ok", None),
    ("ecc-correctable-high", "h100", gpu(ecc_aggregate_corrected=Unread("unsupported")), "cannot_tell", None),
    ("ecc-correctable-high", "rtx5090", {}, "not_applicable", None),
    ("row-remap-pending", "h100", gpu(remapped_rows_pending=True), "problem", "warning"),
    ("row-remap-pending", "h100", {}, "ok", None),
    ("row-remap-pending", "h100", gpu(remapped_rows_pending=True, remapped_rows_failed=True), "ok", None),
    ("row-remap-pending", "h100", gpu(remapped_rows_pending=Unread("unsupported")), "cannot_tell", None),
    ("row-remap-pending", "rtx5090", {}, "not_applicable", None),
    ("row-remap-failed", "h100", gpu(remapped_rows_failed=True), "problem", "error"),
    ("row-remap-failed", "h100", gpu(remapped_banks_exhausted=1), "problem", "error"),
    ("row-remap-failed", "h100", gpu(remapped_rows_uncorrected=513), "problem", "error"),
    ("row-remap-failed", "h100", gpu(remapped_rows_uncorrected=512), "ok", None),
    ("row-remap-failed", "h100", gpu(remapped_rows_failed=Unread("timeout")), "cannot_tell", None),
    ("row-remap-failed", "rtx5090", {}, "not_applicable", None),
    (
        "retired-pages",
        "h100",
        gpu(retired_pages_pending=True, retired_pages_single_bit=0, retired_pages_double_bit=1),
        "problem",
        "warning",
    ),
    (
        "retired-pages",
        "h100",
        gpu(retired_pages_pending=False, retired_pages_single_bit=30, retired_pages_double_bit=30),
        "problem",
        "error",
    ),
    (
        "retired-pages",
        "h100",
        gpu(retired_pages_pending=False, retired_pages_single_bit=30, retired_pages_double_bit=29),
        "ok",
        None,
    ),
    ("retired-pages", "h100", gpu(retired_pages_pending=Unread("refused")), "cannot_tell", None),
    ("retired-pages", "h100", {}, "not_applicable", None),  # from Ampere on rows are remapped instead
    ("ecc-disabled", "h100", gpu(ecc_enabled=False, ecc_pending=False), "problem", "note"),
    ("ecc-disabled", "h100", gpu(ecc_pending=False), "problem", "note"),
    ("ecc-disabled", "h100", {}, "ok", None),
    ("ecc-disabled", "h100", gpu(ecc_enabled=Unread("refused")), "cannot_tell", None),
    ("ecc-disabled", "rtx5090", {}, "not_applicable", None),
    ("nvlink-inactive", "h100", gpu(nvlinks=[*LINKS[:3], NvLink(link=3, active=False)]), "problem", "warning"),
    ("nvlink-inactive", "h100", gpu(nvlinks=LINKS), "ok", None),
    ("nvlink-inactive", "h100", gpu(nvlinks=[NvLink(link=0, active=False)]), "not_applicable", None),
    ("nvlink-inactive", "h100", gpu(nvlinks=Unread("timeout")), "cannot_tell", None),
    ("nvlink-inactive", "h100", {}, "not_applicable", None),
    ("nvlink-errors", "h100", gpu(nvlinks=[NvLink(link=0, active=True, recovery_errors=2)]), "problem", "warning"),
    ("nvlink-errors", "h100", gpu(nvlinks=LINKS), "ok", None),
    ("nvlink-errors", "h100", gpu(nvlinks=[NvLink(link=0, active=True)]), "cannot_tell", None),
    ("nvlink-errors", "h100", {}, "not_applicable", None),
    ("thermal-throttling", "h100", gpu(clock_reasons=["sw_thermal"], temperature_c=86), "problem", "warning"),
    ("thermal-throttling", "h100", gpu(clock_reasons=["hw_thermal"], temperature_c=60), "ok", None),  # it can flash
    ("thermal-throttling", "h100", gpu(clock_reasons=["sw_power_cap"], temperature_c=86), "ok", None),
    (
        "thermal-throttling",
        "h100",
        gpu(clock_reasons=["hw_thermal"], temperature_slowdown_c=None, temperature_margin_c=1),
        "problem",
        "warning",
    ),
    (
        "thermal-throttling",
        "h100",
        gpu(clock_reasons=["hw_thermal"], temperature_slowdown_c=None, temperature_margin_c=30),
        "ok",
        None,
    ),
    ("thermal-throttling", "h100", gpu(clock_reasons=Unread("unsupported")), "cannot_tell", None),
    ("thermal-throttling", "h100", gpu(clock_reasons=None), "not_applicable", None),
    ("power-brake", "h100", gpu(clock_reasons=["hw_power_brake"]), "problem", "warning"),
    ("power-brake", "h100", {}, "ok", None),
    ("power-brake", "h100", gpu(clock_reasons=Unread("timeout")), "cannot_tell", None),
    ("power-brake", "h100", gpu(clock_reasons=None), "not_applicable", None),
    ("power-cap-lowered", "h100", gpu(power_limit_w=500.0), "problem", "warning"),
    ("power-cap-lowered", "h100", gpu(power_limit_w=699.5), "ok", None),
    ("power-cap-lowered", "h100", {**gpu(power_limit_w=300.0), "/host/chassis": 10}, "not_applicable", None),
    ("power-cap-lowered", "h100", gpu(power_limit_default_w=Unread("unsupported")), "cannot_tell", None),
    ("power-cap-lowered", "h100", gpu(power_limit_w=None), "not_applicable", None),
    ("clocks-locked", "h100", gpu(clock_application_sm_mhz=1200), "problem", "warning"),
    ("clocks-locked", "h100", {}, "ok", None),
    ("clocks-locked", "h100", gpu(clock_application_sm_mhz=Unread("unsupported")), "cannot_tell", None),
    ("clocks-locked", "rtx5090", {}, "not_applicable", None),
    ("persistence-off", "h100", gpu(persistence=False), "problem", "warning"),
    ("persistence-off", "h100", {**gpu(persistence=False), "/host/chassis": 3}, "problem", "note"),
    ("persistence-off", "h100", gpu(persistence=False, display_active=True), "ok", None),
    ("persistence-off", "h100", {}, "ok", None),
    ("persistence-off", "h100", gpu(persistence=Unread("refused")), "cannot_tell", None),
    ("persistence-off", "wsl2-rtx3080", gpu(persistence=False), "not_applicable", None),
    ("persistence-off", "windows-rtx4090", gpu(persistence=False), "not_applicable", None),
    ("persistence-off", "docker-a100", gpu(persistence=False), "not_applicable", None),
    ("compute-mode-exclusive", "h100", gpu(compute_mode="prohibited"), "problem", "error"),
    (
        "compute-mode-exclusive",
        "h100",
        {**gpu(compute_mode="exclusive_process", processes=[holder(1)]), "/cuda/init_code": 46},
        "problem",
        "error",
    ),
    (
        "compute-mode-exclusive",
        "h100",
        gpu(compute_mode="exclusive_process", processes=[holder(1)]),  # what the mode is for
        "problem",
        "warning",
    ),
    ("compute-mode-exclusive", "h100", gpu(compute_mode="exclusive_process"), "problem", "warning"),
    ("compute-mode-exclusive", "h100", {}, "ok", None),
    (
        "compute-mode-exclusive",
        "h100",
        gpu(compute_mode="exclusive_process", processes=Unread("unsupported")),
        "cannot_tell",
        None,
    ),
    ("compute-mode-exclusive", "h100", gpu(compute_mode=None), "not_applicable", None),
    (
        "gpu-memory-held-by-others",
        "h100",
        gpu(memory_used_bytes=76 * GIB, processes=[holder(70), holder(5, 42)]),
        "problem",
        "warning",
    ),
    ("gpu-memory-held-by-others", "h100", gpu(memory_used_bytes=40 * GIB, processes=[holder(40)]), "ok", None),
    ("gpu-memory-held-by-others", "h100", {}, "ok", None),
    (
        "gpu-memory-held-by-others",
        "h100",
        gpu(memory_used_bytes=76 * GIB, processes=[GpuProcess(pid=1)]),
        "cannot_tell",
        None,
    ),
    ("gpu-memory-held-by-others", "h100", gpu(memory_total_bytes=None), "not_applicable", None),
    ("gpu-memory-orphaned", "h100", gpu(memory_used_bytes=30 * GIB), "problem", "warning"),
    ("gpu-memory-orphaned", "h100", gpu(memory_used_bytes=30 * GIB, processes=[holder(20)]), "problem", "warning"),
    ("gpu-memory-orphaned", "h100", gpu(memory_used_bytes=30 * GIB, processes=[holder(29.8)]), "ok", None),
    ("gpu-memory-orphaned", "docker-a100", gpu(memory_used_bytes=30 * GIB), "not_applicable", None),
    ("gpu-memory-orphaned", "windows-rtx4090", gpu(memory_used_bytes=9 * GIB), "not_applicable", None),
    ("gpu-memory-orphaned", "h100", gpu(memory_used_bytes=30 * GIB, processes=Unread("refused")), "cannot_tell", None),
    ("host-oom-killed", "h100", {"/host/memory_limit_bytes": GIB, "/host/oom_kills": 3}, "problem", "warning"),
    ("host-oom-killed", "h100", {"/host/memory_limit_bytes": GIB}, "ok", None),
    ("host-oom-killed", "h100", {"/host/oom_kills": 3}, "not_applicable", None),
    ("host-oom-killed", "h100", {"/host/memory_limit_bytes": Unread("refused")}, "cannot_tell", None),
    (
        "cpu-governor-powersave",
        "h100",
        {"/host/cpu_governor": "powersave", "/host/cpu_energy_preference": "power"},
        "problem",
        "note",
    ),
    ("cpu-governor-powersave", "rtx4090-desktop", {}, "ok", None),
    (
        "cpu-governor-powersave",
        "h100",
        {"/host/cpu_governor": "powersave", "/host/cpu_energy_preference": "balance_performance"},
        "ok",
        None,
    ),
    ("cpu-governor-powersave", "h100", {"/host/cpu_governor": Unread("missing")}, "cannot_tell", None),
    ("cpu-governor-powersave", "cpu-only", {"/host/cpu_governor": "powersave"}, "not_applicable", None),
    ("gdr-module-missing", "h100", {"/host/infiniband": PORTS[:1], "/driver/open_module": False}, "problem", "warning"),
    ("gdr-module-missing", "h100", {"/host/infiniband": PORTS[:1]}, "ok", None),
    (
        "gdr-module-missing",
        "h100",
        {"/host/infiniband": PORTS[:1], "/driver/open_module": False, "/driver/peermem_loaded": True},
        "ok",
        None,
    ),
    ("gdr-module-missing", "h100", {"/host/infiniband": Unread("refused")}, "cannot_tell", None),
    ("gdr-module-missing", "h100", {}, "not_applicable", None),
    ("ib-link-down-or-flapping", "h100", {"/host/infiniband": PORTS}, "problem", "note"),
    ("ib-link-down-or-flapping", "h100", {"/host/infiniband": PORTS[:1]}, "ok", None),
    ("ib-link-down-or-flapping", "h100", {"/host/infiniband": Unread("refused")}, "cannot_tell", None),
    ("ib-link-down-or-flapping", "h100", {}, "not_applicable", None),
    ("resizable-bar-off", "h100", gpu(bar1_total_bytes=256 << 20), "problem", "note"),
    ("resizable-bar-off", "h100", {}, "ok", None),
    ("resizable-bar-off", "h100", gpu(bar1_total_bytes=Unread("unsupported")), "cannot_tell", None),
    ("resizable-bar-off", "gtx1080ti-cu126", {}, "not_applicable", None),
]


@pytest.mark.parametrize("row", TABLE, ids=lambda row: f"{row[0]}-{row[1]}-{row[3]}")
def test_each_gauge(row: Row) -> None:
    """The gauge decides; what the driver would not tell decides nothing."""
    rule, cast, changes, outcome, severity = row
    verdict = judge_one(rule, machine(cast).but(changes), subject=_first_gpu(rule, cast))
    assert verdict.outcome == outcome, verdict.why
    if severity is not None:
        assert verdict.severity == severity


def _first_gpu(rule: str, cast: str) -> str:
    kind = next(q.subjects for q in QUESTIONS if any(r.name == rule for r in q.rules))
    return "host" if kind == "host" else "gpu:GPU-00000000"


@pytest.mark.parametrize("rule", sorted({row[0] for row in TABLE}))
def test_every_rule_of_the_table_has_all_four_outcomes(rule: str) -> None:
    """ok, problem, cannot tell and not applicable, each at least once."""
    assert {row[3] for row in TABLE if row[0] == rule} >= {"ok", "problem", "cannot_tell", "not_applicable"}


def xid(number: int, bus: str = "0000:17:00", text: str = "") -> Symptom:
    line = text or f"NVRM: Xid (PCI:{bus}): {number}, pid=1, name=python"
    return Symptom(id="xid", text=line, source="kernel log", values=[str(number), bus], suggests=None)


@pytest.mark.parametrize(
    ("numbers", "outcome", "severity", "shown"),
    [
        ([79], "problem", "error", "Xid 79"),
        ([13], "problem", "warning", "Xid 13"),  # the program's own bug
        ([63, 48, 45], "problem", "error", "Xid 48"),  # the gravest; 45 only accompanies
        ([48, 119], "problem", "error", "Xid 119"),  # the newest of the gravest
        ([45], "ok", "error", ""),
        ([999], "problem", "warning", "Xid 999"),  # newer than the catalogue
        ([], "ok", "error", ""),
    ],
)
def test_xids(numbers: list[int], outcome: str, severity: str, shown: str) -> None:
    """The newest of the gravest counts, with the catalogue's action."""
    sick = machine("h100").but(
        {"/symptoms": [xid(n) for n in numbers], f"{GPU}/recovery_action": Unread("unsupported")}
    )
    verdict = judge_one("xid-in-log", sick, subject="gpu:GPU-00000000")
    assert (verdict.outcome, verdict.severity) == (outcome, severity)
    if verdict.finding:
        assert shown in verdict.finding.summary
        assert verdict.finding.fix is not None


def test_an_xid_belongs_to_its_card() -> None:
    """The neighbour's Xid is not this card's; a card that does not tell its bus id cannot be cleared."""
    sick = machine("h100").but({"/symptoms": [xid(79, "0000:27:00")]})
    assert judge_one("xid-in-log", sick, subject="gpu:GPU-00000000").outcome == "ok"
    assert judge_one("xid-in-log", sick, subject="gpu:GPU-00000001").outcome == "problem"


def test_a_card_that_needs_no_recovery_any_more_is_warned_about() -> None:
    """NVML's recovery action has the last word over an old log line."""
    sick = machine("h100").but({"/symptoms": [xid(119)], f"{GPU}/recovery_action": "none"})
    assert judge_one("xid-in-log", sick, subject="gpu:GPU-00000000").severity == "warning"


def test_a_log_that_may_not_be_read_is_no_clean_log() -> None:
    """No line seen and no log read: cannot tell."""
    closed = machine("h100").but({"/driver/recovery_log": Unread("refused", "dmesg is restricted")})
    for rule in ("xid-in-log", "nvswitch-fatal"):
        assert judge_one(rule, closed).outcome == "cannot_tell"
        assert judge_one(rule, machine("h100")).outcome == "ok"


@pytest.mark.parametrize(
    ("text", "severity"),
    [
        ("nvidia-nvswitch3: SXid (PCI:0000:05:00.0): 20034, Fatal, Link 30 LTSSM Fault Up", "error"),
        ("nvidia-nvswitch3: SXid (PCI:0000:05:00.0): 12028, Non-fatal, Link 32 egress", "warning"),
    ],
)
def test_sxids(text: str, severity: str) -> None:
    """A switch's own word says whether it is fatal."""
    symptom = Symptom(id="sxid", text=text, source="kernel log", values=["20034", "0000:05:00"], suggests=None)
    assert judge_one("nvswitch-fatal", machine("h100").but({"/symptoms": [symptom]})).severity == severity


@pytest.mark.parametrize(
    ("threads", "allowed", "quota", "outcome"),
    [
        ("1", 64, None, "ok"),
        ("64", 64, None, "ok"),
        ("65", 64, None, "problem"),
        ("8", 64, 4.0, "problem"),
        ("x", 4, None, "not_applicable"),
    ],
)
def test_threads_and_processors(threads: str, allowed: int, quota: float | None, outcome: str) -> None:
    """More threads than processors is never right; torchrun's single thread is a choice."""
    from envcheck.facts import Variable

    changes = {
        "/environment/variables": [Variable(name="OMP_NUM_THREADS", value=threads)],
        "/host/cpus_allowed": allowed,
        "/host/cpu_quota": quota,
    }
    assert judge_one("omp-threads-one", machine("h100").but(changes)).outcome == outcome
    blind = {**changes, "/host/cpus_allowed": Unread("refused")}
    if threads != "x":
        assert judge_one("omp-threads-one", machine("h100").but(blind)).outcome == "cannot_tell"


def test_a_lost_card_tells_nothing_more() -> None:
    """A card that answers with an error is not judged by gauges that nobody could read: no pass, no alarm."""
    for rule in ("ecc-uncorrectable", "thermal-throttling", "power-cap-lowered", "gpu-memory-orphaned"):
        lost = judge_one(rule, machine("gpu-lost"), subject="gpu:GPU-00000001")
        assert lost.outcome == "not_applicable"
        blind = machine("gpu-lost").but({"/nvml/gpus/1/error_code": Unread("timeout")})
        assert judge_one(rule, blind, subject="gpu:GPU-00000001").outcome == "cannot_tell"


def test_cards_of_other_jobs_are_not_judged() -> None:
    """sysfs shows the node's four cards, NVML the one that the job was given."""
    for n in (1, 2, 3):
        verdict = judge_one("thermal-throttling", machine("slurm-h100"), subject=f"gpu:GPU-0000000{n}")
        assert verdict.outcome == "not_applicable"

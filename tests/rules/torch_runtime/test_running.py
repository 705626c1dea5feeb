"""Does torch import, reach the cards, and compute on them?"""

from __future__ import annotations

from typing import Any

import pytest

from envcheck.facts import Symptom, TorchRuntime, Unread, Variable
from envcheck.judge import judge
from envcheck.read.torch_words import MPS_ASKED_AND_FALSE
from envcheck.rules import QUESTIONS
from envcheck.rules.torch_runtime.availability import ASKED_AND_FALSE
from envcheck.testing import CAST, Machine, judge_one, machine

ENV = "/interpreters/0"
RUNTIME = f"{ENV}/runtime"
LOST = Unread("refused", "nobody may look")
WHY = Unread("missing", "torch could not be imported")
DEVICE = f"{RUNTIME}/devices/0"


def fails(words: str | None, signal: int | None = None, cast: str = "h100", **changes: Any) -> Machine:
    """`import torch` ends with these words, or by this signal."""
    ended = TorchRuntime(
        imported=False,
        import_error=words,
        signal=signal,
        available=WHY,
        device_count=WHY,
        init_error=WHY,
        devices=WHY,
        numpy_ok=WHY,
        mps_available=WHY,
        companions=WHY,
    )
    return machine(cast).but({RUNTIME: ended, **changes})


def kernel(error: str | None, cast: str = "h100", **changes: Any) -> Machine:
    """The first device's small computation fails with these words."""
    return machine(cast).but({f"{DEVICE}/kernel_ok": False, f"{DEVICE}/kernel_error": error, **changes})


def unavailable(words: str | None = "RuntimeError: CUDA unknown error", **changes: Any) -> Machine:
    """Everything below torch is in order, and torch says no."""
    facts = {"available": False, "device_count": 0, "devices": [], "init_error": words}
    return machine("h100").but({**{f"{RUNTIME}/{name}": value for name, value in facts.items()}, **changes})


def mac(**changes: Any) -> Machine:
    return machine("macos-m2").but(changes)


def ratio(value: str) -> Machine:
    variables = [Variable(name="PYTORCH_MPS_HIGH_WATERMARK_RATIO", value=value)]
    return machine("macos-m2").but({"/environment/variables": variables})


NO_TORCH = machine("torch-missing-on-gpu-box")
DLL = 'OSError: [WinError 126] The specified module could not be found. Error loading "C:\\torch\\lib\\c10.dll"'
TIMEOUT = "CUDA error: the launch timed out and was terminated"

ROWS: dict[str, dict[str, Machine]] = {
    "torch-import-fails": {
        "ok": machine("h100"),
        "problem": fails("ImportError: cannot import name 'x' from 'typing_extensions'"),
        "cannot_tell": machine("h100").but({RUNTIME: LOST}),
        "not_applicable": NO_TORCH,
    },
    "import-crash-cpu-isa": {
        "ok": machine("h100"),
        "problem": fails(None, 4, **{"/host/cpu_flags": ["sse4_2", "avx"]}),
        "cannot_tell": fails(None, 4, **{f"{RUNTIME}/signal": LOST}),
        "not_applicable": NO_TORCH,
    },
    "windows-dll-load-failed": {
        "ok": machine("windows-rtx4090"),
        "problem": fails(DLL, cast="windows-rtx4090"),
        "cannot_tell": machine("windows-rtx4090").but({RUNTIME: LOST}),
        "not_applicable": NO_TORCH,
    },
    "torch-cuda-unavailable": {
        "ok": machine("h100"),
        "problem": unavailable(),
        "cannot_tell": machine("h100").but({f"{RUNTIME}/available": LOST}),
        "not_applicable": machine("cpu-torch"),
    },
    "torch-kernel-fails": {
        "ok": machine("h100"),
        "problem": kernel("RuntimeError: CUDA error: unspecified launch failure"),
        "cannot_tell": machine("h100").but({f"{DEVICE}/kernel_ok": LOST}),
        "not_applicable": machine("cpu-torch"),
    },
    "windows-tdr-timeout": {
        "ok": machine("windows-rtx4090"),
        "problem": kernel(f"RuntimeError: {TIMEOUT}", cast="windows-rtx4090"),
        "cannot_tell": kernel(None, **{f"{DEVICE}/kernel_error": LOST}),
        "not_applicable": machine("cpu-torch"),
    },
    "macos-rosetta-python": {
        "ok": machine("macos-m2"),
        "problem": mac(**{f"{ENV}/machine": "x86_64"}),
        "cannot_tell": mac(**{f"{ENV}/machine": LOST}),
        "not_applicable": machine("h100"),
    },
    "mps-macos-too-old": {
        "ok": machine("macos-m2"),
        "problem": mac(**{f"{RUNTIME}/mps_available": False, "/host/os_version": "13.6.1"}),
        "cannot_tell": mac(**{f"{RUNTIME}/mps_available": LOST}),
        "not_applicable": machine("h100"),
    },
    "mps-out-of-memory": {
        "ok": ratio("1.4"),
        "problem": ratio("0.0"),
        "cannot_tell": mac(**{"/environment/variables": LOST}),
        "not_applicable": machine("macos-m2"),
    },
}
TABLE = [(rule, outcome) for rule, rows in ROWS.items() for outcome in rows]


@pytest.mark.parametrize(("rule", "outcome"), TABLE)
def test_each_rule_gives_each_outcome(rule: str, outcome: str) -> None:
    """Every rule can be ok, a problem, untellable, and out of place."""
    assert judge_one(rule, ROWS[rule][outcome]).outcome == outcome


@pytest.mark.parametrize("rule", ROWS)
def test_the_text_of_each_finding(rule: str, text: Any, snapshot: Any) -> None:
    """What a user reads, whole."""
    assert text(judge_one(rule, ROWS[rule]["problem"])) == snapshot


@pytest.mark.parametrize(("rule", "outcome"), [row for row in TABLE if row[1] in ("ok", "problem")])
def test_a_missing_fact_neither_accuses_nor_acquits(rule: str, outcome: str, unlawful: Any) -> None:
    """Law 1 around each row of the table, fact by fact."""
    assert unlawful(rule, ROWS[rule][outcome]) == []


def test_healthy_machines_stay_clean(complaints: Any) -> None:
    """No error and no warning of these rules on any healthy machine of the cast."""
    assert complaints(ROWS) == []


# -- the import ------------------------------------------------------------------------------------------------

IMPORT = ("torch-import-fails", "import-crash-cpu-isa", "windows-dll-load-failed")


@pytest.mark.parametrize(
    ("now", "guilty"),
    [
        (fails(None, 4), "import-crash-cpu-isa"),
        (fails(None, 11), "torch-import-fails"),
        (fails(None, 7), "torch-import-fails"),  # with whole files: a foreign library
        (fails(None, None), "torch-import-fails"),
        (fails(DLL.replace("126", "127")), "windows-dll-load-failed"),
        (fails(DLL.replace("126", "1114")), "windows-dll-load-failed"),
        (fails(DLL.replace("126", "1455")), "torch-import-fails"),
        (fails("ImportError: DLL load failed while importing _C: …"), "windows-dll-load-failed"),
        (fails("ImportError: /x/libtorch_cpu.so: file too short"), "torch-import-fails"),
        (fails("ImportError: libcudnn.so.9: cannot open shared object file"), None),  # the wheels' rule
        (fails("ImportError: x.so: undefined symbol: __nvJitLinkComplete_12_4"), None),  # the loader's rule
        (fails("ImportError: libmpi.so.40: cannot open shared object file"), "torch-import-fails"),
    ],
)
def test_a_failed_import_gets_one_name(now: Machine, guilty: str | None) -> None:
    """By signal or by words; what another rule names is left to it."""
    assert [name for name in IMPORT if judge_one(name, now).outcome == "problem"] == ([guilty] if guilty else [])


def test_the_processor_is_blamed_only_where_it_lacks_avx2() -> None:
    """With AVX2 there, the illegal instruction is another one."""
    old = judge_one("import-crash-cpu-isa", fails(None, 4, **{"/host/cpu_flags": ["avx"]})).finding
    new = judge_one("import-crash-cpu-isa", fails(None, 4, **{"/host/cpu_flags": ["avx", "avx2"]})).finding
    assert old is not None and "offers no AVX2" in old.cause
    assert new is not None and "AVX2" not in new.cause


def test_words_exclude_a_signal() -> None:
    """Where the error's words are known, nobody has to know of a signal."""
    now = fails("ImportError: something", **{f"{RUNTIME}/signal": LOST})
    assert judge_one("torch-import-fails", now).outcome == "problem"


# -- availability ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("now", "outcome"),
    [
        (unavailable(None), "problem"),
        (machine("h100").but({f"{RUNTIME}/init_error": "RuntimeError: CUDA error"}), "problem"),  # NVML-based check
        (
            machine("cpu-only").but(
                {
                    f"{ENV}/torch": machine("h100").snapshot.interpreters[0].torch,
                    RUNTIME: machine("masked").snapshot.interpreters[0].runtime,
                }
            ),
            "not_applicable",
        ),  # type: ignore[index,union-attr]
        (fails("ImportError: x"), "not_applicable"),
    ],
)
def test_torch_says_no(now: Machine, outcome: str) -> None:
    """A CUDA build on a machine without a card is healthy: that is what a plain install gives on Linux."""
    assert judge_one("torch-cuda-unavailable", now).outcome == outcome


@pytest.mark.parametrize(
    ("asked", "answer", "suspected"), [(True, False, True), (False, False, False), (True, True, False)]
)
def test_asked_in_vain_is_a_suspicion_where_nothing_tells_of_a_card(asked: bool, answer: bool, suspected: bool) -> None:
    """Who types torch.cuda.is_available() and shows "False" wants CUDA, whatever else the text leaves out."""
    typed = Symptom(id=ASKED_AND_FALSE, text="False", source="line 3")
    nobody = {f"/{name}": Unread("not_asked") for name in ("nvml", "smi", "cuda", "devices", "driver", "host")}
    now = machine("h100").but({**nobody, f"{RUNTIME}/available": answer, "/symptoms": [typed] if asked else []})
    verdict = judge_one("torch-cuda-unavailable", now)
    assert (verdict.outcome, verdict.finding is not None) == ("cannot_tell", suspected)


def test_asked_in_vain_is_a_suspicion_where_nothing_tells_of_the_build() -> None:
    """A sentence tells no build and no card: what is wrong stays open, and the finding says so."""
    unread = Unread("not_asked")
    now = machine("h100").but(
        {
            **{f"/{name}": unread for name in ("nvml", "smi", "cuda", "devices", "driver", "host")},
            f"{ENV}/torch": unread,
            f"{RUNTIME}/version": unread,
            f"{RUNTIME}/cuda": unread,
            f"{RUNTIME}/available": False,
            "/symptoms": [Symptom(id=ASKED_AND_FALSE, text="False", source="line 3")],
        }
    )
    verdict = judge_one("torch-cuda-unavailable", now)
    assert verdict.finding is not None and "whether torch is built with CUDA" in verdict.finding.cause


@pytest.mark.parametrize(("asked", "severity"), [(True, "error"), (False, "warning")])
def test_mps_is_an_error_where_somebody_asked_for_it(asked: bool, severity: str) -> None:
    """Who types torch.backends.mps.is_available() wants MPS."""
    typed = Symptom(id=MPS_ASKED_AND_FALSE, text="False", source="line 3")
    now = mac(**{f"{RUNTIME}/mps_available": False, "/host/os_version": "13.6", "/symptoms": [typed] if asked else []})
    finding = judge_one("mps-macos-too-old", now).finding
    assert finding is not None and finding.severity == severity


def test_nothing_below_it_seen_it_is_the_cause_itself() -> None:
    """Where all else is in order, torch's own No is the first root cause."""
    report = judge(unavailable().snapshot, QUESTIONS)
    assert [f.rule for f in report.root_causes] == ["torch-cuda-unavailable"]


@pytest.mark.parametrize("name", [name for name, cause in CAST.items() if cause is not None])
def test_torchs_no_is_never_a_second_cause(name: str) -> None:
    """On every broken machine of the cast the named cause explains what torch says."""
    report = judge(machine(name).snapshot, QUESTIONS)
    assert not {"torch-cuda-unavailable", "torch-kernel-fails"} & {f.rule for f in report.root_causes}


@pytest.mark.parametrize(
    ("now", "guilty"),
    [
        (kernel("elementwise: 3.0 instead of 5.0"), "torch-kernel-fails"),
        (kernel(None), "torch-kernel-fails"),
        (kernel(f"AcceleratorError: {TIMEOUT}"), "windows-tdr-timeout"),  # Linux with a display as well
    ],
)
def test_a_failing_kernel_gets_one_name(now: Machine, guilty: str) -> None:
    """The watchdog's words are its own; anything else is the general rule's."""
    names = ("torch-kernel-fails", "windows-tdr-timeout")
    assert [name for name in names if judge_one(name, now).outcome == "problem"] == [guilty]


def test_a_death_after_the_import_is_a_failed_computation() -> None:
    """The import had passed and a signal ended the child: no device's answer is needed to say so."""
    died = machine("h100").but({f"{RUNTIME}/signal": 11, f"{RUNTIME}/devices": WHY, f"{RUNTIME}/available": WHY})
    verdict = judge_one("torch-kernel-fails", died)
    assert verdict.outcome == "problem"
    assert verdict.finding is not None and "SIGSEGV" in verdict.finding.summary
    assert judge_one("torch-import-fails", died).outcome == "ok"


@pytest.mark.parametrize(("signal", "rule"), [(11, "torch-import-fails"), (4, "import-crash-cpu-isa")])
def test_a_death_of_which_nobody_knows_when_is_a_suspicion(signal: int, rule: str) -> None:
    """The child was killed, and whether the import had passed by then was not written down."""
    verdict = judge_one(rule, fails(None, signal, **{f"{RUNTIME}/imported": LOST, f"{RUNTIME}/import_error": LOST}))
    assert (verdict.outcome, verdict.finding is not None) == ("cannot_tell", True)


def test_one_silent_device_does_not_hide_a_failing_one() -> None:
    """What was seen stays seen."""
    now = kernel("bad", **{f"{RUNTIME}/devices/1/kernel_ok": LOST})
    assert judge_one("torch-kernel-fails", now).outcome == "problem"


# -- Apple -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "outcome"),
    [
        ({f"{ENV}/machine": "x86_64", "/host/machine": "x86_64", "/host/apple_silicon": True}, "problem"),
        ({f"{ENV}/machine": "x86_64", "/host/machine": "x86_64", "/host/apple_silicon": False}, "ok"),
        ({f"{ENV}/machine": "x86_64", "/host/machine": "x86_64", "/host/apple_silicon": LOST}, "cannot_tell"),
        ({f"{ENV}/machine": "arm64"}, "ok"),
    ],
)
def test_rosetta(changes: dict[str, Any], outcome: str) -> None:
    """A process under Rosetta is told x86_64: only hw.optional.arm64 knows better."""
    assert judge_one("macos-rosetta-python", mac(**changes)).outcome == outcome


@pytest.mark.parametrize(("version", "severity"), [("13.6.1", "warning"), ("14.0", "note"), ("26.1", "note")])
def test_mps_on_old_and_new_systems(version: str, severity: str) -> None:
    """From macOS 14 on it is the process that sees no Metal device: a CI runner is healthy."""
    now = mac(**{f"{RUNTIME}/mps_available": False, "/host/os_version": version})
    assert judge_one("mps-macos-too-old", now).severity == severity


def test_a_message_is_heard_where_the_ratio_is_not_set(heard: Any) -> None:
    """MPS ran out of memory with the default limit."""
    words = "RuntimeError: MPS backend out of memory (MPS allocated: 17 GB, max allowed: 18 GB)"
    verdict = judge_one("mps-out-of-memory", heard(machine("macos-m2"), "mps-out-of-memory", words, proves=True))
    assert (verdict.outcome, verdict.severity) == ("problem", "error")


@pytest.mark.parametrize("rule", ["mps-op-not-implemented", "windows-paging-file-small", "windows-spawn-guard"])
def test_what_only_a_message_shows(rule: str, heard: Any, text: Any, snapshot: Any) -> None:
    """No message: out of place.  A message that suggests: a suspicion.  One that proves: a finding."""
    assert judge_one(rule, machine("h100")).outcome == "not_applicable"
    suspicion = judge_one(rule, heard(machine("h100"), rule, "its own words"))
    assert (suspicion.outcome, suspicion.finding is not None) == ("cannot_tell", True)
    proven = judge_one(rule, heard(machine("h100"), rule, "its own words", proves=True))
    assert proven.outcome == "problem"
    assert text(proven) == snapshot

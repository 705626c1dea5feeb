"""JUnit: a case for each rule on each subject, accepted by junitparser, an XML parser, and the published schema."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest
from junitparser import Error, Failure, Skipped

from envcheck.judge import Policy, Report, judge
from envcheck.report import Page, render
from envcheck.rules import QUESTIONS
from envcheck.testing import CAST, machine
from tests.report.readers import suite


def junit(report: Report) -> str:
    return render("junit", report, Page())


def test_every_verdict_is_a_case(report_of: Callable[[str], Report]) -> None:
    """Nothing vanishes, and no two cases share a name."""
    report = report_of("sick")
    found = suite(junit(report))
    assert found.tests == len(report.verdicts)
    names = [(case.classname, case.name) for case in found]
    assert len(set(names)) == len(names)
    assert {classname for classname, _ in names} == {f"envcheck.{v.rung}" for v in report.verdicts}


def test_how_outcomes_are_told(report_of: Callable[[str], Report]) -> None:
    """Failure, error, skipped with its reason, or passed with its text in the suite's output."""
    found = suite(junit(report_of("sick")))
    results = {str(case.name): (case.result[0] if case.result else None) for case in found}
    failed = results["driver-too-old"]
    assert isinstance(failed, Failure)
    assert failed.type == "driver-too-old"
    assert str(failed.message).startswith("torch 2.14.1+cu130 needs a driver of CUDA 13")
    assert "Evidence: driver.nvml = 535.183.01 (NVML)" in str(failed.text)
    assert "$ sudo apt-get install nvidia-driver-580   # as root" in str(failed.text)
    (effect,) = [result for name, result in results.items() if name.startswith("torch-unavailable")]
    assert str(effect.message).endswith("(follows from driver-too-old)")  # type: ignore[union-attr]
    ignored, silent, broken = results["accepted-finding"], results["silent-question"], results["broken-question"]
    assert isinstance(ignored, Skipped) and ignored.message == "ignored: our lab wants it so"
    assert isinstance(silent, Skipped) and str(silent.message).startswith("unknown: smi.driver_version")
    assert isinstance(broken, Skipped) and str(broken.message).startswith("crashed: does_the_rule_break crashed")
    assert [name for name, result in results.items() if name.startswith("clock-held-down") and result is not None] == []
    output = ElementTree.fromstring(junit(report_of("sick"))).findtext("testsuite/system-out")
    assert output is not None and "warning: clock-held-down: the SM clock is held down" in output


def test_what_leaves_a_machine_undetermined_is_an_error(report_of: Callable[[str], Report]) -> None:
    """A test tab shows it red: the gate is closed."""
    found = suite(junit(report_of("silent")))
    errors = [case.name for case in found for result in case.result if isinstance(result, Error)]
    assert errors == ["driver-too-old"]


def test_hostile_texts_stay_texts(report_of: Callable[[str], Report], hostile_text: str) -> None:
    """Control characters are gone, markup is text, and the file is pure ASCII."""
    text = junit(report_of("hostile"))
    assert text.isascii()
    root = ElementTree.fromstring(text)
    assert {element.tag for element in root.iter()} <= {
        "testsuites", "testsuite", "properties", "property", "testcase", "failure", "error", "skipped", "system-out",
        "system-err",
    }  # fmt: skip
    whole = "".join(root.itertext())
    assert "<script>alert(1)</script>" in whole and "日本語" in whole
    assert not any(character in whole for character in "\x1b\x07\x00\u202e")


def test_the_time_of_an_unknown_day_is_left_out(report_of: Callable[[str], Report]) -> None:
    """No sentinel date: the attribute is there only where the snapshot tells when it was taken."""
    assert 'timestamp="2026-01-02T03:04:05"' in junit(report_of("healthy"))
    blank = judge(machine("h100").but({"/taken_at": None}).snapshot, QUESTIONS)
    assert "timestamp=" not in junit(blank)


@pytest.mark.skipif(
    not (shutil.which("xmllint") and os.environ.get("ENVCHECK_JUNIT_XSD")),
    reason="needs xmllint, and ENVCHECK_JUNIT_XSD: the path of a published JUnit schema (windyroad/JUnit-Schema)",
)
@pytest.mark.parametrize("name", CAST)
def test_the_published_schema_accepts_it(name: str, tmp_path: Path) -> None:
    """Not our own idea of JUnit, but the one that CI systems validate against."""
    path = tmp_path / "report.xml"
    path.write_text(junit(judge(machine(name).snapshot, QUESTIONS, Policy(pedantic=True))))
    done = subprocess.run(
        ["xmllint", "--noout", "--schema", os.environ["ENVCHECK_JUNIT_XSD"], str(path)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr

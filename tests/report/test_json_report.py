"""The contract for other programs: these keys, these bytes."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import pytest
from syrupy.assertion import SnapshotAssertion

from envcheck import __version__
from envcheck.facts import Snapshot, decode, encode
from envcheck.judge import RUNGS, Report
from envcheck.report import Page, render
from envcheck.report.json_report import snapshot_text, to_text

pytestmark = pytest.mark.wheel
Reports = Callable[[str], Report]
Snapshots = Callable[[str], Snapshot]

FINDING = [
    "rule", "code", "severity", "rung", "subject", "summary", "cause", "evidence", "confidence", "fix", "links",
    "fingerprint",
]  # fmt: skip


def test_the_keys_are_the_contract(report_of: Reports) -> None:
    """Schema 1: every key is always there, in this order, whatever its value."""
    plain = json.loads(render("json", report_of("sick"), Page()))
    assert list(plain) == [
        "schema", "tool", "verdict", "root_causes", "consequences", "warnings", "notes", "cannot_tell", "ignored",
        "ladder", "snapshot",
    ]  # fmt: skip
    assert plain["schema"] == 1
    assert plain["tool"] == {"name": "envcheck", "version": __version__}
    assert plain["verdict"] == "unfit"
    for finding in [*plain["root_causes"], *plain["warnings"], *plain["notes"]]:
        assert list(finding) == FINDING
        assert all(list(evidence) == ["pointer", "value", "witness"] for evidence in finding["evidence"])
    fix = plain["root_causes"][0]["fix"]
    assert list(fix) == ["title", "safety", "steps", "verify"]
    assert all(list(step) == ["where", "command", "root", "reboot", "tool", "note"] for step in fix["steps"])
    assert len(fix["steps"]) == 7  # commands for other machines stay here
    (consequence,) = plain["consequences"]
    assert list(consequence) == [*FINDING, "because", "because_subject"]
    assert (consequence["because"], consequence["because_subject"]) == ("driver-too-old", "host")
    assert all(list(item) == ["rule", "code", "subject", "why", "asked"] for item in plain["cannot_tell"])
    assert {item["rule"]: item["asked"] for item in plain["cannot_tell"]}["unasked-question"] is False
    (ignored,) = plain["ignored"]
    assert (ignored["rule"], ignored["reason"]) == ("accepted-finding", "our lab wants it so")
    assert [step["rung"] for step in plain["ladder"]] == list(RUNGS)
    assert {step["outcome"] for step in plain["ladder"]} <= {"ok", "problem", "cannot_tell", "not_reached"}


def test_the_bytes(report_of: Reports, snapshot: SnapshotAssertion) -> None:
    """A change of the contract's bytes is a change that somebody looks at."""
    text = render("json", report_of("sick"), Page())
    assert text.replace(f'"version": "{__version__}"', '"version": "VERSION"') == snapshot


@pytest.mark.parametrize("machine", ["healthy", "sick", "silent", "hostile"])
def test_same_report_same_bytes_on_every_page(report_of: Reports, machine: str) -> None:
    """The result depends on the report alone, and is ASCII, so that every stream and locale carries it."""
    text = render("json", report_of(machine), Page())
    assert text == render("json", report_of(machine), Page(40, colour=True, unicode=False, gpu=1))
    assert text.isascii()
    assert text.endswith("}\n")


@pytest.mark.parametrize("machine", ["healthy", "sick", "silent"])
def test_the_snapshot_comes_back(report_of: Reports, snapshot_of: Snapshots, machine: str) -> None:
    """The report carries the snapshot that it rests on, in the form that ``decode`` reads."""
    plain = json.loads(render("json", report_of(machine), Page()))
    assert decode(json.dumps(plain["snapshot"])) == snapshot_of(machine)
    assert decode(snapshot_text(snapshot_of(machine))) == snapshot_of(machine)
    assert json.loads(snapshot_text(snapshot_of(machine))) == json.loads(encode(snapshot_of(machine)))


def test_every_evidence_value_is_in_the_snapshot(report_of: Reports) -> None:
    """A pointer leads to the value that is quoted with it, also where bytes that are no UTF-8 were spelt out."""
    for machine in ("sick", "hostile"):
        plain = json.loads(render("json", report_of(machine), Page()))
        for finding in plain["root_causes"]:
            for evidence in finding["evidence"]:
                here = plain["snapshot"]
                for part in evidence["pointer"].split("/")[1:]:
                    here = (
                        here[int(part)]
                        if isinstance(here, list)
                        else here.get(part, {"kind": "unread", "why": "not_asked"})
                    )
                    if isinstance(here, dict) and here.get("kind") == "unread":
                        break
                assert here == evidence["value"]


def test_hostile_text_is_kept_and_valid(report_of: Reports, hostile_text: str) -> None:
    """JSON escapes control characters itself; a lone surrogate, which JSON cannot hold, is spelt out."""
    plain = json.loads(render("json", report_of("hostile"), Page()))
    spelt = hostile_text.replace("\udcff", "\\xff").replace("\udce9", "\\xe9").replace("\ud83d", "\\ud83d")
    assert plain["snapshot"]["interpreters"][0]["executable"] == spelt


def test_characters_beyond_the_basic_plane() -> None:
    """They become surrogate pairs, as JSON wants."""
    text = to_text({"a": "🙂 é"})
    assert re.sub(r"\s", "", text) == '{"a":"\\ud83d\\ude42\\u00e9"}'
    assert json.loads(text) == {"a": "🙂 é"}

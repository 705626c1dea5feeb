"""The report for other programs: a contract, schema 1.

Pure ASCII (``\\uXXXX``), so that the bytes are the same on every stream and in every locale; keys in the order that
they are written here.  Same report, same bytes.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

from envcheck import __version__
from envcheck.facts import Snapshot, to_plain
from envcheck.judge import Finding, Fix, Report

from .page import Page
from .words import spell_surrogates

SCHEMA = 1

_NOT_ASCII = re.compile("[^\x00-\x7f]")


def render(report: Report, page: Page) -> str:
    """The whole report and the snapshot that it rests on.  ``page`` changes nothing."""
    return to_text(
        {
            "schema": SCHEMA,
            "tool": {"name": "envcheck", "version": __version__},
            "verdict": report.verdict,
            "root_causes": [_finding(finding) for finding in report.root_causes],
            "consequences": [
                {**_finding(c.finding), "because": c.because, "because_subject": c.because_subject}
                for c in report.consequences
            ],
            "warnings": [_finding(finding) for finding in report.warnings],
            "notes": [_finding(finding) for finding in report.notes],
            "cannot_tell": [
                {"rule": v.rule, "code": v.code, "subject": v.subject, "why": v.why, "asked": v.asked}
                for v in report.cannot_tell
            ],
            "ignored": [
                {"rule": v.rule, "code": v.code, "subject": v.subject, "reason": v.why, "finding": _maybe(v.finding)}
                for v in report.ignored
            ],
            "ladder": [{"rung": step.rung, "outcome": step.outcome} for step in report.ladder],
            "snapshot": to_plain(report.snapshot),
        }
    )


def snapshot_text(snapshot: Snapshot) -> str:
    """A snapshot alone, as ``envcheck collect`` writes it; :func:`envcheck.facts.decode` reads it back."""
    return to_text(to_plain(snapshot))


def to_text(plain: object) -> str:
    """Plain data as indented ASCII JSON.  Lone surrogates (bytes that are no UTF-8) are spelt out as ``\\xNN``."""
    try:
        raw = msgspec.json.encode(plain)
    except UnicodeEncodeError:
        raw = msgspec.json.encode(_spelt(plain))
    return _NOT_ASCII.sub(_escape, msgspec.json.format(raw, indent=2).decode()) + "\n"


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "rule": finding.rule,
        "code": finding.code,
        "severity": finding.severity,
        "rung": finding.rung,
        "subject": finding.subject,
        "summary": finding.summary,
        "cause": finding.cause,
        "evidence": [{"pointer": e.pointer, "value": e.value, "witness": e.witness} for e in finding.evidence],
        "confidence": finding.confidence,
        "fix": _fix(finding.fix) if finding.fix is not None else None,
        "links": finding.links,
        "fingerprint": finding.fingerprint,
    }


def _maybe(finding: Finding | None) -> dict[str, Any] | None:
    return _finding(finding) if finding is not None else None


def _fix(fix: Fix) -> dict[str, Any]:
    return {
        "title": fix.title,
        "safety": fix.safety,
        "steps": [
            {
                "where": step.where,
                "command": step.command,
                "root": step.root,
                "reboot": step.reboot,
                "tool": step.tool,
                "note": step.note,
            }
            for step in fix.steps
        ],
        "verify": fix.verify,
    }


def _spelt(value: object) -> object:
    if isinstance(value, str):
        return spell_surrogates(value)
    if isinstance(value, dict):
        return {_spelt(key): _spelt(item) for key, item in value.items()}
    return [_spelt(item) for item in value] if isinstance(value, (list, tuple)) else value


def _escape(match: re.Match[str]) -> str:
    code = ord(match[0])
    if code < 0x10000:
        return f"\\u{code:04x}"
    return f"\\u{0xD800 + (code - 0x10000 >> 10):04x}\\u{0xDC00 + (code & 0x3FF):04x}"

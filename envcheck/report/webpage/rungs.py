"""The ladder: every rung with its outcome as colour, sign and word."""

from __future__ import annotations

from envcheck.judge import Report
from envcheck.report import ladder

from .markup import Markup, tag, text

WORDS = {"ok": "ok", "problem": "problem", "cannot_tell": "cannot tell", "not_reached": "not reached"}


def section(report: Report) -> Markup:
    """From the silicon up, as in every other format."""
    steps = [
        tag(
            "li",
            tag("span", text(WORDS[outcome]), class_=f"sign {outcome}"),
            tag("span", text(name), class_="rung"),
            tag("span", text(words if words != WORDS[outcome] else ""), class_="words"),
        )
        for outcome, name, words in ladder.rungs(report)
    ]
    return tag("section", tag("h2", text("Ladder")), tag("ol", *steps, class_="ladder"))

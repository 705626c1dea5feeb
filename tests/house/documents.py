"""Documents that are made from the program.  ``python -m tests.house.documents`` writes them afresh."""

from __future__ import annotations

from pathlib import Path

from envcheck.judge import RUNGS, RuleType, manual
from envcheck.rules import RULES

ROOT = Path(__file__).parents[2]


def rule_list() -> str:
    """``docs/rules.md``: every rule by rung, with what is wrong in one line."""
    lines = [
        "# Rules",
        "",
        f"{len(RULES)} rules, by the rung of the ladder that they stand on. `envcheck rules NAME` shows the manual",
        "page of one: what it looks at, why it matters, how to mend it, when it cannot tell, and its sources.",
    ]
    for rung in RUNGS:
        here = sorted((rule for rule in RULES if rule.rung == rung), key=lambda rule: rule.code)
        if here:
            lines += ["", f"## {rung}", "", "| code | name | severity | what is wrong |", "| --- | --- | --- | --- |"]
            lines += [_row(rule) for rule in here]
    return "\n".join(lines) + "\n"


def _row(rule: RuleType) -> str:
    said = manual(rule).split("\n", 1)[0].replace("|", "\\|")
    severity = rule.severity + (", pedantic" if rule.pedantic else "")
    return f"| {rule.code} | `{rule.name}` | {severity} | {said} |"


DOCUMENTS = {"docs/rules.md": rule_list}


if __name__ == "__main__":
    for name, write in DOCUMENTS.items():
        path = ROOT / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(write(), encoding="utf-8")
        print(f"wrote {name}")

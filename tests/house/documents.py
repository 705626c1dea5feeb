"""Documents that are made from the program.  ``python -m tests.house.documents`` writes them afresh."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from envcheck.facts.schema import json_schema
from envcheck.judge import RUNGS, RuleType, manual
from envcheck.judge.policy_form import policy_schema
from envcheck.report import Page
from envcheck.report.json_report import to_text
from envcheck.report.manual import render_page
from envcheck.rules import RULES

ROOT = Path(__file__).parents[2]
PAGES = "docs/rules"


def rule_list() -> str:
    """The index of the manual: every rule by rung, with what is wrong in one line."""
    lines = [
        "# Rules",
        "",
        f"{len(RULES)} rules, by the rung of the ladder that they stand on. Each has a page, which `envcheck rules`",
        "with its name shows as well: what it looks at, why it matters, how to mend it, when it cannot tell, and its",
        "sources.",
    ]
    for rung in RUNGS:
        here = sorted((rule for rule in RULES if rule.rung == rung), key=lambda rule: rule.code)
        if here:
            lines += ["", f"## {rung}", "", "| code | name | severity | what is wrong |", "| --- | --- | --- | --- |"]
            lines += [_row(rule) for rule in here]
    return "\n".join(lines) + "\n"


def rule_page(rule: RuleType) -> str:
    """The manual page of one rule, as ``envcheck rules NAME --format markdown`` prints it."""
    text = render_page("markdown", rule, Page()).removeprefix("#")
    return f"{text.rstrip()}\n\n[All rules](README.md)\n"


def _row(rule: RuleType) -> str:
    said = manual(rule).split("\n", 1)[0].replace("|", "\\|")
    severity = rule.severity + (", pedantic" if rule.pedantic else "")
    return f"| {rule.code} | [`{rule.name}`]({rule.name}.md) | {severity} | {said} |"


DOCUMENTS: dict[str, Callable[[], str]] = {
    f"{PAGES}/README.md": rule_list,
    **{f"{PAGES}/{rule.name}.md": partial(rule_page, rule) for rule in RULES},
    "docs/schema/snapshot.json": lambda: to_text(json_schema()),
    "docs/schema/policy.json": lambda: to_text(policy_schema()),
}


def stale() -> list[Path]:
    """Pages of rules that are no more."""
    return [path for path in (ROOT / PAGES).glob("*.md") if f"{PAGES}/{path.name}" not in DOCUMENTS]


if __name__ == "__main__":
    for old in stale():
        old.unlink()
        print(f"removed {old.relative_to(ROOT)}")
    for name, write in DOCUMENTS.items():
        path = ROOT / name
        path.parent.mkdir(parents=True, exist_ok=True)
        text = write()
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
            print(f"wrote {name}")

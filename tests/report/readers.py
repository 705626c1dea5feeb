"""Independent readers: each takes one format apart with another's parser and says what verdict it tells."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from html.parser import HTMLParser
from typing import Any

from junitparser import JUnitXml, TestSuite

VOID = {"meta", "br", "hr", "img", "input", "link"}


def issues(text: str) -> list[dict[str, Any]]:
    found = json.loads(text)
    assert isinstance(found, list)
    return found


def suite(text: str) -> TestSuite:
    """The one suite of a JUnit file, read by junitparser."""
    (found,) = JUnitXml.fromstring(text)
    assert isinstance(found, TestSuite)
    return found


class Tags(HTMLParser):
    """The tags and texts of a page; every tag has to be closed where it was opened."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[tuple[str, str]] = []
        self.feed(page)
        self.close()
        assert self.open == [], f"never closed: {self.open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open and self.open.pop() == tag, f"</{tag}> closes what was not opened"

    def handle_data(self, data: str) -> None:
        if data.strip() and self.open:
            self.texts.append((self.open[-1], data))

    def words(self, *tags: str) -> str:
        """All text, or that directly inside the named tags."""
        return " ".join(data for tag, data in self.texts if not tags or tag in tags)

    def of_class(self, name: str) -> list[str]:
        return [tag for tag, attrs in self.seen if name in (attrs.get("class") or "").split()]


def _json(text: str) -> str:
    return str(json.loads(text)["verdict"])


def _terminal(text: str) -> str:
    return text.rstrip().split("\n\n")[-1].split(" ", 1)[1].split(":")[0]


def _markdown(text: str) -> str:
    return text.removeprefix("**").split(":")[0]


def _junit(text: str) -> str:
    """Failed tests: unfit; else errors: undetermined."""
    found = suite(text)
    cases = [type(result).__name__ for case in found for result in case.result]
    assert found.failures == cases.count("Failure") and found.errors == cases.count("Error")
    assert found.skipped == cases.count("Skipped")
    told = {p.name: p.value for p in found.properties()}["verdict"]
    read = "unfit" if found.failures else "undetermined" if found.errors else "fit"
    assert told == read
    return read


def _sarif(text: str) -> str:
    return str(json.loads(text)["runs"][0]["properties"]["verdict"])


def _github(text: str) -> str:
    return re.findall(r"^envcheck: (\w+): ", text, re.MULTILINE)[-1]


def _gitlab(text: str) -> str:
    """critical: unfit; else major: undetermined."""
    severities = {issue["severity"] for issue in issues(text)}
    return "unfit" if "critical" in severities else "undetermined" if "major" in severities else "fit"


def _html(text: str) -> str:
    page = Tags(text)
    (verdict,) = [attrs for _, attrs in page.seen if "verdict" in (attrs.get("class") or "").split()]
    return (verdict["class"] or "").split()[-1]


VERDICT: dict[str, Callable[[str], str]] = {
    "terminal": _terminal,
    "json": _json,
    "markdown": _markdown,
    "junit": _junit,
    "sarif": _sarif,
    "github": _github,
    "gitlab": _gitlab,
    "html": _html,
}

"""The report as one self-contained web page: no script, no font, no picture, nothing that is fetched.

Readable on a telephone, on paper and by a screen reader; light and dark as the reader's system is.  Everything that
was collected passes :func:`~envcheck.report.webpage.markup.text`, and a content policy in the page forbids the rest.
Pure ASCII: other characters are written as references.
"""

from __future__ import annotations

from envcheck import __version__
from envcheck.judge import Report
from envcheck.report import phrases
from envcheck.report.page import Page

from . import bench, findings, gpu_cards, heat_map, rungs, versions
from .markup import Markup, join, tag, text
from .style import STYLE

CONTENT_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"


def render(report: Report, page: Page) -> str:
    """The whole page.  ``page`` decides only which GPU is shown, where it names one."""
    answer = phrases.answer(report)
    body = join(
        _header(report, answer),
        tag(
            "main",
            rungs.section(report),
            findings.causes(report),
            findings.remarks("Warnings", report, report.warnings),
            findings.remarks("Notes", report, report.notes),
            gpu_cards.section(report, page.gpu),
            bench.section(report.snapshot),
            heat_map.section(report.snapshot),
            findings.unknown(report),
            findings.ignored(report),
            versions.section(report.snapshot),
        ),
        tag("footer", tag("p", text(f"envcheck {__version__}. This page is complete in itself and loads nothing."))),
    )
    head = join(
        Markup('<meta charset="utf-8">'),
        Markup('<meta name="viewport" content="width=device-width, initial-scale=1">'),
        Markup('<meta name="color-scheme" content="light dark">'),
        Markup('<meta name="referrer" content="no-referrer">'),
        Markup(f'<meta http-equiv="Content-Security-Policy" content="{CONTENT_POLICY}">'),
        tag("title", text(f"envcheck: {answer}")),
        tag("style", Markup(STYLE)),
    )
    whole = f'<!doctype html>\n<html lang="en">\n<head>\n{head}</head>\n<body>\n{body}</body>\n</html>\n'
    return whole.encode("ascii", "xmlcharrefreplace").decode()


def _header(report: Report, answer: str) -> Markup:
    word, _, rest = answer.partition(": ")
    policy = phrases.by_policy(report)
    return tag(
        "header",
        tag("h1", tag("span", text(word), class_=f"verdict {report.verdict}"), Markup(" "), text(rest)),
        tag("p", text(phrases.judged(report.snapshot)), class_="judged"),
        tag("p", text(policy), class_="judged") if policy else None,
        *(
            tag("p", text(f"The shell also means {other}"), class_="judged")
            for other in report.snapshot.target.disagreements
        ),
    )

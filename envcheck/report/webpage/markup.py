"""HTML that cannot be broken by what stands in it: text becomes markup in one place and nowhere else."""

from __future__ import annotations

from html import escape
from typing import NewType

from envcheck.report.words import clean

Markup = NewType("Markup", str)
"""Finished HTML.  Only :func:`text`, :func:`tag` and literals of this package make it."""


def text(words: str) -> Markup:
    """Any text, harmless: cleaned of control characters, then escaped."""
    return Markup(escape(clean(words), quote=True))


def join(*parts: Markup | None) -> Markup:
    """The parts one after another, without those that are not there."""
    return Markup("".join(part for part in parts if part))


def tag(name: str, *children: Markup | None, **attributes: str | int | float | bool) -> Markup:
    """An element.  ``class_`` and ``aria_label`` become ``class`` and ``aria-label``; True is an attribute alone."""
    told = "".join(
        f" {key.rstrip('_').replace('_', '-')}" + ("" if value is True else f'="{_value(value)}"')
        for key, value in attributes.items()
        if value is not False
    )
    inner = join(*children)
    line = "\n" if name in BLOCKS else ""
    return Markup(f"<{name}{told}>{inner}</{name}>{line}")


BLOCKS = frozenset(
    [
        "header", "main", "footer", "section", "article", "h1", "h2", "h3", "p", "ol", "ul", "li", "dl", "div", "table",
        "tr", "thead", "tbody", "pre", "figure", "svg",
    ]
)  # fmt: skip
"""After these a line ends, so that the source of the page can be read too."""


def _value(value: str | int | float) -> str:
    return escape(clean(value), quote=True) if isinstance(value, str) else f"{value:g}"

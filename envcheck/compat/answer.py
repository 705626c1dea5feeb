"""A recommendation as data, as text for a terminal, and as Markdown.  Plain ASCII, no colours."""

from __future__ import annotations

import json
import textwrap
from typing import Any

import msgspec

from .recommend import Recommendation, Rejected

SHOWN = 8
"""How many rejected builds a text shows; the JSON has them all."""


def to_plain(answer: Recommendation) -> dict[str, Any]:
    """The JSON contract: choice, why, rejected, have."""
    plain: dict[str, Any] = msgspec.to_builtins(answer)
    return plain


def to_json(answer: Recommendation) -> str:
    """The same as text."""
    return json.dumps(to_plain(answer), indent=2) + "\n"


def to_terminal(answer: Recommendation, manager: str | None = None, width: int = 80) -> str:
    """For reading: the build, the command (of one manager or of all), why, and what was rejected.

    Sentences are folded at ``width``; commands never are, so that they can be copied.
    """
    lines: list[str] = []
    if answer.have is not None:
        word = {True: "runs here", False: "does not run here", None: "cannot tell"}[answer.have.works]
        rule = f" ({answer.have.rule})" if answer.have.rule else ""
        lines += [f"{answer.have.build}: {word}{rule}", *_bullets(answer.have.why, width), ""]
    choice = answer.choice
    if choice is None:
        lines += ["No torch build fits.", *_bullets(answer.why, width), ""]
    else:
        lines += [f"torch {choice.torch}+{choice.build}", f"torchvision {choice.torchvision}"]
        lines += [f"torchaudio {choice.torchaudio}"] if choice.torchaudio else []
        lines.append("")
        for tool, command in choice.commands.items():
            if manager in (None, tool):
                lines += [f"{tool}:", f"  {command or 'no build known on conda-forge'}"]
        for tool, name in (("uv", "pyproject.toml"), ("conda", "environment.yml")):
            if manager == tool:
                lines += ["", f"{name}:", textwrap.indent(choice.files[name], "  ").rstrip()]
        lines += ["", "Why:", *_bullets(answer.why, width), ""]
    if answer.rejected:
        lines += ["Not chosen:", *_bullets([_line(item) for item in answer.rejected[:SHOWN]], width)]
        more = len(answer.rejected) - SHOWN
        lines += [f"  and {more} more: --format json lists them"] if more > 0 else []
    return "\n".join(lines).rstrip() + "\n"


def to_markdown(answer: Recommendation) -> str:
    """For an issue or a wiki page."""
    lines: list[str] = []
    if answer.have is not None:
        word = {True: "runs", False: "does not run", None: "cannot tell whether it runs"}[answer.have.works]
        lines += [f"**{answer.have.build}**: {word}.", "", *(f"- {why}" for why in answer.have.why), ""]
    choice = answer.choice
    if choice is None:
        lines += ["**No torch build fits.**", ""]
    else:
        names = [f"torch {choice.torch}+{choice.build}", f"torchvision {choice.torchvision}"]
        names += [f"torchaudio {choice.torchaudio}"] if choice.torchaudio else []
        lines += [f"**{', '.join(names)}**", "", "```sh", *(c for c in choice.commands.values() if c), "```", ""]
        for name, text in choice.files.items():
            lines += [f"`{name}`:", "", f"```{'toml' if name.endswith('toml') else 'yaml'}", text.rstrip(), "```", ""]
    lines += [*(f"- {why}" for why in answer.why), ""]
    if answer.rejected:
        lines += ["| torch | build | rule | why not |", "| --- | --- | --- | --- |"]
        lines += [f"| {r.torch} | {r.build} | {r.rule or ''} | {_cell(r.why)} |" for r in answer.rejected]
    return "\n".join(lines).rstrip() + "\n"


def _line(item: Rejected) -> str:
    return f"{item.torch}+{item.build}: {item.why}" + (f" [{item.rule}]" if item.rule else "")


def _bullets(sentences: list[str], width: int) -> list[str]:
    out = []
    for sentence in sentences:
        out += textwrap.wrap(
            sentence,
            max(width, 20),
            initial_indent="  - ",
            subsequent_indent="    ",
            break_long_words=False,
            break_on_hyphens=False,
        )
    return out


def _cell(text: str) -> str:
    return text.replace("|", "\\|")

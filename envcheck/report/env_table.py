"""The listing of environments as text: for a person, for Markdown, and as JSON."""

from __future__ import annotations

from typing import Any

import msgspec

from envcheck import __version__
from envcheck.facts import Fact, Unread
from envcheck.judge.environments import Environment, Listing, Usable

from .json_report import to_text
from .markdown import cell, prose
from .page import NARROW, Mark, Page
from .paint import OUTCOME_STYLES, Painter, width_of
from .words import clean, count, fold, shorten

SCHEMA = 1
"""Version of the JSON form."""

FORMATS = ("terminal", "json", "markdown")
MARKS: dict[bool | None, Mark] = {True: "ok", False: "problem", None: "cannot_tell"}
ANSWERS: dict[bool | None, str] = {True: "yes", False: "no", None: "cannot tell"}
HEADS = ("environment", "Python", "torch", "GPU")
LONGEST_REASON = 160
NO_TORCH = ("torch-not-installed", "wrong-interpreter", "torch-python-unsupported", "macos-intel-unsupported")
"""What is said of an environment without torch; that column says as much."""
SHORTEST_PLACE = 16


def render(voice: str, listing: Listing, page: Page, *, home: str | None = None) -> str:
    """The listing in one of :data:`FORMATS`.  ``home`` is written as ``~`` where a person reads."""
    if voice == "json":
        return to_text(plain(listing))
    return _markdown(listing, page, home) if voice == "markdown" else _terminal(listing, page, home)


# --- for other programs -------------------------------------------------------------------------------------------


def plain(listing: Listing) -> dict[str, Any]:
    """The JSON form.  A fact that is not known is an object of kind "unread", as in a snapshot."""
    return {
        "schema": SCHEMA,
        "tool": {"name": "envcheck", "version": __version__},
        "machine": _usable(listing.machine),
        "environments": [_environment(item) for item in listing.environments],
        "commands": {item.name: msgspec.to_builtins(item.interpreter) for item in listing.commands},
        "lost_kernels": [{"name": item.name, "program": item.program} for item in listing.lost_kernels],
        "unread": msgspec.to_builtins(listing.unread),
    }


def _environment(item: Environment) -> dict[str, Any]:
    return {
        "executable": item.executable,
        "prefix": item.prefix,
        "name": item.name,
        "manager": item.manager,
        "python": msgspec.to_builtins(item.python),
        "torch": msgspec.to_builtins(item.torch),
        "cuda": msgspec.to_builtins(item.cuda),
        "gpu": _usable(item.usable),
        "means": list(item.means),
        "found_by": list(item.found_by),
        "judged": item.judged,
        "probed": item.probed,
    }


def _usable(usable: Usable) -> dict[str, Any]:
    return {"usable": usable.answer, "why": usable.why, "rule": usable.rule or None}


# --- for people ---------------------------------------------------------------------------------------------------


def headline(listing: Listing) -> str:
    """How many there are, and how many can use the GPU."""
    if listing.unread is not None:
        return f"The search for environments gave nothing: {listing.unread}"
    able = sum(item.usable.answer is True for item in listing.environments)
    found = f"{count(len(listing.environments), 'environment')} found"
    return f"{found}, {able or 'none'} of them can use the GPU"


def machine_line(listing: Listing) -> str:
    """What holds for all environments alike; empty where the machine itself is in order."""
    machine = listing.machine
    if machine.answer is True:
        return ""
    rule = f" ({machine.rule})" if machine.rule else ""
    return f"{'none can' if machine.answer is False else 'cannot tell for any'}: {clean(machine.why)}{rule}"


def place(item: Environment, home: str | None) -> str:
    """The folder of the environment, or the program where a folder holds several."""
    path = item.prefix if item.prefix not in ("/usr", "/usr/local") else item.executable
    if home and path.startswith(home.rstrip("/") + "/"):
        path = "~" + path[len(home.rstrip("/")) :]
    return clean(path)


def known(fact: Fact[str], absent: str = "-") -> str:
    """A fact in a cell: ``?`` where it is not known."""
    return "?" if isinstance(fact, Unread) else absent if fact is None else clean(fact)


def torch(item: Environment) -> str:
    """The version with what it was built for, where the version itself does not say so."""
    version = known(item.torch)
    if isinstance(item.torch, str) and "+" not in item.torch and not isinstance(item.cuda, Unread):
        version += f" (CUDA {clean(item.cuda)})" if item.cuda is not None else " (no CUDA)"
    return version


def remarks(item: Environment) -> str:
    """Whose it is, which commands lead there now, and how it was found."""
    named = item.name is not None and item.name != item.prefix.rsplit("/", 1)[-1]
    words = [" ".join(word for word in (item.manager or "", item.name if named and item.name else "") if word)]
    words += [f"{' and '.join(item.means)} mean{'' if len(item.means) > 1 else 's'} this one"] if item.means else []
    words += [f"by {', '.join(item.found_by)}"]
    return clean("; ".join(word for word in words if word))


def mark_of(item: Environment) -> Mark:
    """The sign before a row.  An environment without torch is no failure."""
    return "not_reached" if item.torch is None and item.usable.rule in NO_TORCH else MARKS[item.usable.answer]


def reason(item: Environment, listing: Listing) -> str:
    """Why not; empty for a yes, and where the headline has said it for all."""
    usable = item.usable
    if usable.answer is True or usable == listing.machine or mark_of(item) == "not_reached":
        return ""
    rule = f"{usable.rule}: " if usable.rule else ""
    return shorten(rule + clean(usable.why), LONGEST_REASON)


def shell_lines(listing: Listing) -> list[str]:
    """What python, pip and jupyter mean, said where they are not one environment; and kernels that lead nowhere."""
    lines = []
    listed = {word for item in listing.environments for word in item.means}
    owners = [item for item in listing.environments if item.means]
    for command in listing.commands:
        if isinstance(command.interpreter, Unread):
            if command.interpreter.why != "not_asked":
                lines.append(f"{command.name}: {command.interpreter}")
        elif command.interpreter is not None and (len(owners) > 1 or command.name not in listed | {"python"}):
            lines.append(f"{command.name} means {clean(command.interpreter)}")
    lines += [f"the Jupyter kernel {clean(k.name)} leads nowhere: {clean(k.program)}" for k in listing.lost_kernels]
    return lines


def _terminal(listing: Listing, page: Page, home: str | None) -> str:
    painter = Painter(page)
    painter.text(headline(listing), style="bold")
    whole = machine_line(listing)
    if whole:
        mark = MARKS[listing.machine.answer]
        painter.text(whole, indent=2, lead=f"{page.mark(mark)} ", lead_style=OUTCOME_STYLES[mark])
    painter.blank()
    rows = [
        (place(item, home), known(item.python), torch(item), ANSWERS[item.usable.answer])
        for item in listing.environments
    ]
    widths = [max(width_of(text) for text in column) for column in zip(HEADS, *rows, strict=True)]
    lead = page.mark_width + 3
    room = page.width - lead - sum(widths[1:]) - 2 * (len(HEADS) - 1)
    if page.width < NARROW or room < min(widths[0], SHORTEST_PLACE):
        _blocks(painter, listing, rows)
    else:
        widths[0] = min(widths[0], room)
        _table(painter, listing, rows, widths, lead)
    lines = shell_lines(listing)
    if lines:
        painter.blank()
    for line in lines:
        painter.text(line, indent=2, lead="! ", style="yellow")
    if listing.environments and not all(item.probed for item in listing.environments):
        painter.blank()
        painter.text("Told by their files; --probe asks each interpreter and imports its torch.", style="dim")
    return painter.finish()


Row = tuple[str, str, str, str]


def _table(painter: Painter, listing: Listing, rows: list[Row], widths: list[int], lead: int) -> None:
    def line(cells: Row) -> str:
        texts = [tail(cells[0], widths[0]), *cells[1:]]
        return "  ".join(text + " " * (size - width_of(text)) for text, size in zip(texts, widths, strict=True))

    if rows:
        painter.raw(" " * lead + line(HEADS), "dim")
    for item, cells in zip(listing.environments, rows, strict=True):
        mark = mark_of(item)
        sign = painter.page.mark(mark)
        painter.raw(
            f"  {sign}{' ' * (lead - 2 - width_of(sign))}{line(cells)}", OUTCOME_STYLES[mark] if item.means else ""
        )
        _below(painter, listing, item, lead)


def _blocks(painter: Painter, listing: Listing, rows: list[Row]) -> None:
    for item, (where, python, build, answer) in zip(listing.environments, rows, strict=True):
        mark = mark_of(item)
        painter.text(where, lead=f"{painter.page.mark(mark)} ", style="bold", lead_style=OUTCOME_STYLES[mark])
        painter.text(f"Python {python}, torch {build}, GPU {answer}", indent=4)
        _below(painter, listing, item, 4)


def _below(painter: Painter, listing: Listing, item: Environment, indent: int) -> None:
    painter.text(remarks(item), indent=indent, style="dim")
    why = reason(item, listing)
    if why:
        painter.text(why, indent=indent)


def tail(text: str, size: int) -> str:
    """The end of a path in at most ``size`` columns: what tells two environments apart stands there."""
    if width_of(text) <= size:
        return text
    while width_of(text) > size - 2:
        text = text[1:]
    return ".." + text


def _markdown(listing: Listing, page: Page, home: str | None) -> str:
    whole = machine_line(listing)
    lines = [f"**{prose(headline(listing))}**", ""]
    lines += [prose(whole), ""] if whole else []
    lines += ["| " + " | ".join((*HEADS, "why", "means", "found by")) + " |", "|" + " --- |" * (len(HEADS) + 3)]
    for item in listing.environments:
        cells = (
            place(item, home),
            known(item.python),
            torch(item),
            ANSWERS[item.usable.answer],
            reason(item, listing),
            ", ".join(item.means),
            ", ".join(item.found_by),
        )
        lines.append("| " + " | ".join(cell(clean(text)) for text in cells) + " |")
    said = shell_lines(listing)
    lines += ["", *[f"- {prose(line)}" for line in said]] if said else []
    text = "\n".join(lines) + "\n"
    return text if page.unicode else fold(text)

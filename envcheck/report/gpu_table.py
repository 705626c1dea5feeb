"""One row a GPU: memory, heat, power, clocks and what holds them down, ECC, MIG, the PCIe link, who uses it.

A cell says ``?`` where the fact is not known and ``-`` where the card has no such thing.  A card that does not answer
has its name and place from the bus or the driver's own files, and no cells unless it told something before.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from envcheck.facts import Fact, Gpu, ProcGpu, Snapshot, Unread, resolve, value_or
from envcheck.judge import Subject, subjects

from .paint import Painter, width_of
from .words import clean, count, fold, gib, shorten

COLUMNS = ("GPU", "name", "mem GiB", "temp C", "power W", "SM MHz", "ECC", "MIG", "PCIe")
NAME = COLUMNS.index("name")
SHORTEST_NAME = 12
SHOWN_USERS = 3

REASONS = {
    "application_clocks": "application clocks are set",
    "sw_power_cap": "power cap",
    "hw_slowdown": "hardware slowdown",
    "sync_boost": "sync boost with another GPU",
    "sw_thermal": "heat (software)",
    "hw_thermal": "heat (hardware)",
    "hw_power_brake": "external power brake",
    "display_clocks": "display clocks",
}
"""Clock event reasons in words.  ``idle`` is left out: a clock that rests is not held down."""


@dataclass(frozen=True)
class Row:
    """One GPU: its cells, in the order of :data:`COLUMNS`, and remarks that need a line of their own."""

    cells: tuple[str, ...]
    remarks: list[str] = field(default_factory=list)


def rows(snapshot: Snapshot, only: int | None = None) -> list[Row]:
    """The GPUs as NVML sees them, else as nvidia-smi does; empty where neither lists one."""
    for witness, section in (("nvml", snapshot.nvml), ("smi", snapshot.smi)):
        gpus = [] if isinstance(section, Unread) else value_or(section.gpus, [])
        if gpus:
            places = {card.places.get(witness): card for card in subjects(snapshot) if card.kind == "gpu"}
            return [
                _row(gpu, snapshot, places.get(f"/{witness}/gpus/{position}"))
                for position, gpu in enumerate(gpus)
                if only is None or gpu.index == only
            ]
    return []


def paint(painter: Painter, snapshot: Snapshot) -> None:
    """The table where the page is wide enough, else a block for each GPU."""
    found = rows(snapshot, painter.page.gpu)
    if not found:
        return
    painter.blank()
    widths = [max(width_of(cell) for cell in column) for column in zip(COLUMNS, *(r.cells for r in found), strict=True)]
    room = painter.page.width - 2 - sum(widths) + widths[NAME] - 2 * (len(widths) - 1)
    if room >= min(widths[NAME], SHORTEST_NAME):
        widths[NAME] = min(widths[NAME], room)
        _as_table(painter, found, widths)
    else:
        _as_blocks(painter, found)


def _as_table(painter: Painter, found: list[Row], widths: list[int]) -> None:
    def line(cells: tuple[str, ...]) -> str:
        short = [cut(cell, size) for cell, size in zip(cells, widths, strict=True)]
        padded = [cell + " " * (size - width_of(cell)) for cell, size in zip(short, widths, strict=True)]
        return "  " + "  ".join(padded)

    painter.raw(line(COLUMNS), "dim")
    for row in found:
        painter.raw(line(row.cells))
        for remark in row.remarks:
            painter.text(remark, indent=4 + widths[0], style="dim")


def cut(cell: str, size: int) -> str:
    """The cell in at most ``size`` columns; the cut is marked in ASCII, so that no fold moves the columns."""
    if width_of(cell) <= size:
        return cell
    while width_of(cell) > size - 2:
        cell = cell[:-1]
    return cell.rstrip() + ".."


def _as_blocks(painter: Painter, found: list[Row]) -> None:
    for row in found:
        painter.text(f"GPU {row.cells[0]}: {row.cells[1]}", indent=2, style="bold")
        if any(row.cells[2:]):
            painter.text(", ".join(map(_cell_in_words, COLUMNS[2:], row.cells[2:])), indent=4)
        for remark in row.remarks:
            painter.text(remark, indent=4, style="dim")


def _cell_in_words(column: str, cell: str) -> str:
    name, _, unit = column.partition(" ")
    known = unit and cell.strip("?-/")
    return f"{name.replace('mem', 'memory')} {cell}{f' {unit}' if known else ''}"


def _row(gpu: Gpu, snapshot: Snapshot, card: Subject | None) -> Row:
    cells = (
        str(gpu.index),
        _short(value_or(gpu.name, "?")),
        f"{_gib(gpu.memory_used_bytes)}/{_gib(gpu.memory_total_bytes)}",
        _number(gpu.temperature_c),
        f"{_number(gpu.power_w)}/{_number(gpu.power_limit_w)}",
        f"{_number(gpu.clock_sm_mhz)}/{_number(gpu.clock_sm_max_mhz)}",
        _ecc(gpu),
        _switch(gpu.mig_mode),
        _link(gpu),
    )
    trouble = _trouble(gpu)
    if trouble is None:
        return Row(cells, _remarks(gpu))
    name, where = _known_elsewhere(gpu, snapshot, card)
    figures = cells[2:] if "".join(cells[2:]).strip("?/- ") else ("",) * len(cells[2:])
    return Row((cells[0], _short(name), *figures), [f"{f'at {where}, ' if where else ''}{trouble}", *_remarks(gpu)])


def _short(name: str) -> str:
    return fold(clean(name)).removeprefix("NVIDIA ")


def _trouble(gpu: Gpu) -> str | None:
    """Why the card tells nothing: its error, or that it never came to an answer; ``None`` for one that answers."""
    if isinstance(gpu.error_code, int):
        return f"does not answer: {clean(value_or(gpu.error_text, ''))} ({gpu.error_code})"
    if isinstance(gpu.name, Unread) and isinstance(gpu.error_code, Unread) and gpu.name.why in ("timeout", "crashed"):
        return f"does not answer: {clean(gpu.name.detail)}"
    return None


def _known_elsewhere(gpu: Gpu, snapshot: Snapshot, card: Subject | None) -> tuple[str, str]:
    """Name and bus id of a card that does not answer, from the driver's files and the bus ("?", "": unknown)."""
    name, where = value_or(gpu.name, ""), value_or(gpu.bus_id, "")
    for witness, pointer in (card.places if card is not None else {}).items():
        told = resolve(snapshot, pointer)
        if witness == "proc" and isinstance(told, ProcGpu):
            name = name or value_or(told.model, "")
        address = getattr(told, "address", None) or getattr(told, "bus_id", None)
        where = where or (address if isinstance(address, str) else "")
    return name or "?", clean(where)


def _remarks(gpu: Gpu) -> list[str]:
    remarks = []
    held = [REASONS.get(name, clean(name)) for name in value_or(gpu.clock_reasons, []) if name != "idle"]
    if held:
        remarks.append(f"clocks held down by: {', '.join(held)}")
    if isinstance(gpu.mig_devices, list) and gpu.mig_devices:
        profiles = [clean(value_or(device.profile, "?")) for device in gpu.mig_devices]
        remarks.append(f"MIG devices: {', '.join(profiles)}")
    users = _users(gpu)
    if users:
        remarks.append(f"used by: {users}")
    return remarks


def _users(gpu: Gpu) -> str:
    processes = sorted(value_or(gpu.processes, []), key=lambda p: (-value_or(p.memory_bytes, 0), p.pid))
    words = []
    for process in processes[:SHOWN_USERS]:
        name = clean(value_or(process.name, "")).replace("\\", "/").rsplit("/", 1)[-1] or "process"
        size = f" {gib(process.memory_bytes)} GiB" if isinstance(process.memory_bytes, int) else ""
        words.append(f"{shorten(name, 24)} (pid {process.pid}){size}")
    more = len(processes) - SHOWN_USERS
    return ", ".join(words) + (f" and {count(more, 'more process', 'more processes')}" if more > 0 else "")


def _gib(size: Fact[int]) -> str:
    return gib(size) if isinstance(size, int) else _missing(size)


def _number(value: Fact[int] | Fact[float]) -> str:
    return f"{value:.0f}" if isinstance(value, (int, float)) else _missing(value)


def _switch(value: Fact[bool]) -> str:
    return ("on" if value else "off") if isinstance(value, bool) else _missing(value)


def _ecc(gpu: Gpu) -> str:
    bad = gpu.ecc_volatile_uncorrected
    return _switch(gpu.ecc_enabled) + (f" {bad} bad" if isinstance(bad, int) and bad else "")


def _link(gpu: Gpu) -> str:
    if not isinstance(gpu.pcie_generation, int):
        return _missing(gpu.pcie_generation)
    return f"{gpu.pcie_generation}.0 x{_number(gpu.pcie_width)}"


def _missing(value: object) -> str:
    return "-" if value is None else "?"

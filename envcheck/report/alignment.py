"""Two snapshots side by side: which fact of the one stands for which of the other.

Cards are paired by their order, packages, variables and libraries by name, and of the environments only the judged
ones.  A fact that one side never asked for is not compared.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import msgspec

from envcheck.facts import NOT_ASKED, PluginFacts, Snapshot, Unread

SECTIONS = (
    "host",
    "devices",
    "driver",
    "nvml",
    "smi",
    "cuda",
    "toolkit",
    "container",
    "environment",
    "jupyter",
    "bench",
)
_KEYS = ("name", "soname", "module", "path", "link", "kernel_release")
"""Fields by which records of a list are paired, the first that the record has; else by their order."""

MOVING = frozenset(
    """
    memory_used_bytes memory_free_bytes memory_reserved_bytes bar1_used_bytes utilization_percent
    memory_utilization_percent performance_state clock_sm_mhz clock_memory_mhz clock_graphics_mhz clock_reasons
    temperature_c temperature_memory_c temperature_margin_c fan_percent power_w energy_j pcie_generation pcie_replays
    link_speed_gts processes seconds boot_time suspends memory_available_bytes shm_free_bytes oom_kills waited_seconds
    aer_correctable power_state ecc_aggregate_corrected ecc_volatile_corrected
    """.split()  # noqa: SIM905  read as a list of words
)
"""Readings that change by themselves from one minute to the next."""
IDENTITY = frozenset(
    """
    uuid serial bus_id address pci_subsystem_id subsystem minor uid groups group_names home working_directory
    executable prefix base_prefix base_executable location found_by sys_path sys_path_isolated site_packages user_site
    origin origin_isolated folder direct_url copies shell_python shell_pip pip_interpreter jupyter_interpreter path
    realpath library nvcc cuda_home recovery_log kernel_cmdline infiniband index ordinal
    """.split()  # noqa: SIM905
)
"""What tells one machine or user from another, and by itself nothing of how it works."""


class Pair(NamedTuple):
    """One fact on both sides.

    ``absent`` names the side whose list lacks the record: it has the list's pointer and the value ``None``.
    """

    name: str  # "nvml.gpus.0.compute_mode", "environment.variables.CUDA_VISIBLE_DEVICES.value"
    pointer_a: str
    pointer_b: str
    a: Any
    b: Any
    absent: str = ""  # "a", "b"

    @property
    def field(self) -> str:
        """The fact's own name, without the place."""
        return self.name.rpartition(".")[2]


class Compared(NamedTuple):
    """All pairs that differ, and how many facts were the same or told by one side only."""

    pairs: list[Pair]
    same: int
    only_a: int
    only_b: int


def target_of(snapshot: Snapshot) -> str | None:
    """The pointer of the judged environment, where there is one."""
    at, pythons = snapshot.target.interpreter, snapshot.interpreters
    return f"/interpreters/{at}" if isinstance(at, int) and isinstance(pythons, list) and at < len(pythons) else None


def compare(a: Snapshot, b: Snapshot) -> Compared:
    """Every fact that both sides were asked for and answered differently."""
    tally = _Tally()
    for section in SECTIONS:
        tally.take(section, f"/{section}", f"/{section}", getattr(a, section), getattr(b, section))
    for key in sorted((a.plugins or {}).keys() & (b.plugins or {}).keys()):
        seen, other_seen = _collected(a, key), _collected(b, key)
        for value in sorted(seen.keys() & other_seen.keys()):
            at = f"/plugins/{key}/facts/values/{value}"
            tally.take(f"{key}.{value}", at, at, seen[value], other_seen[value])
    one, other = target_of(a), target_of(b)
    if one is not None and other is not None:
        assert isinstance(a.interpreters, list)
        assert isinstance(b.interpreters, list)
        mine, yours = (
            pythons[int(place.rpartition("/")[2])]
            for pythons, place in ((a.interpreters, one), (b.interpreters, other))
        )
        tally.take("python", one, other, mine, yours)
    return Compared(tally.pairs, tally.same, tally.only_a, tally.only_b)


def _collected(snapshot: Snapshot, key: str) -> dict[str, Any]:
    """What a plugin's collector answered, by its own names."""
    facts = (snapshot.plugins or {})[key].facts
    return facts.values if isinstance(facts, PluginFacts) else {}


class _Tally:
    def __init__(self) -> None:
        self.pairs: list[Pair] = []
        self.same = self.only_a = self.only_b = 0

    def take(self, name: str, pointer_a: str, pointer_b: str, a: object, b: object) -> None:
        """One fact, or the facts below it."""
        if a == NOT_ASKED or b == NOT_ASKED:
            self.only_a += a != NOT_ASKED
            self.only_b += b != NOT_ASKED
        elif a == b:
            self.same += 1
        elif isinstance(a, msgspec.Struct) and type(a) is type(b) and not isinstance(a, Unread):
            for field in a.__struct_fields__:
                self.take(
                    f"{name}.{field}",
                    f"{pointer_a}/{field}",
                    f"{pointer_b}/{field}",
                    getattr(a, field),
                    getattr(b, field),
                )
        elif isinstance(a, list) and isinstance(b, list) and _are_records([*a, *b]):
            self.take_lists(name, pointer_a, pointer_b, a, b)
        else:
            self.pairs.append(Pair(name, pointer_a, pointer_b, msgspec.to_builtins(a), msgspec.to_builtins(b)))

    def take_lists(self, name: str, pointer_a: str, pointer_b: str, a: list[Any], b: list[Any]) -> None:
        if not a or not b:
            self.pairs.append(Pair(name, pointer_a, pointer_b, msgspec.to_builtins(a), msgspec.to_builtins(b)))
            return
        mine, yours = dict(_keyed(a)), dict(_keyed(b))
        for key in dict.fromkeys([*mine, *yours]):
            i, j = mine.get(key), yours.get(key)
            at_a = pointer_a if i is None else f"{pointer_a}/{i}"
            at_b = pointer_b if j is None else f"{pointer_b}/{j}"
            if i is None or j is None:
                found = msgspec.to_builtins((None if i is None else a[i], None if j is None else b[j]))
                self.pairs.append(Pair(f"{name}.{key}", at_a, at_b, found[0], found[1], "a" if i is None else "b"))
            else:
                self.take(f"{name}.{key}", at_a, at_b, a[i], b[j])


def _are_records(items: list[Any]) -> bool:
    return bool(items) and all(isinstance(item, msgspec.Struct) and not isinstance(item, Unread) for item in items)


def _keyed(items: list[Any]) -> Iterator[tuple[str, int]]:
    """(key, place) of each record; a second record of one key is told apart by its number."""
    seen: dict[str, int] = {}
    field = next((key for key in _KEYS if items and key in items[0].__struct_fields__ and _names(items, key)), None)
    for i, item in enumerate(items):
        key = str(i) if field is None else str(getattr(item, field))
        seen[key] = seen.get(key, 0) + 1
        yield (key if seen[key] == 1 else f"{key}#{seen[key]}"), i


def _names(items: list[Any], key: str) -> bool:
    """Does this field name records of another kind than cards, which are paired by their order?"""
    return "index" not in items[0].__struct_fields__ and "ordinal" not in items[0].__struct_fields__

"""GPUs by the names that people and tools write, and by PCI id."""

from __future__ import annotations

import re
from functools import cache, lru_cache

import msgspec

from envcheck.facts import Fact, Unread

from . import table
from .rows import Gpu
from .version import key, spoken

NEAR = 5
"""How many near names an unknown or ambiguous name gets."""

_MAKER = frozenset({"nvidia", "corporation", "gpu", "graphics", "card", "with", "the"})
_BRAND = frozenset({"geforce", "tesla"})
_MOBILE = frozenset({"laptop", "mobile", "max", "q", "embedded"})
_ODD = frozenset({"engineering", "sample", "fake", "sku", "es"})
_PCI = re.compile(r"(?:10de:|0x10de:|0x)([0-9a-f]{4})")
_WORD = re.compile(r"[a-z0-9]+")
_SERIES = re.compile(r"\b(rtx|gtx|gt)(?=\d)")
_SUFFIX = re.compile(r"(?<=\d)(ti|super)\b|(?<=\d{4})(d)\b")
_MX = re.compile(r"\bmx (?=\d)")
_SIZE = re.compile(r"\b(\d+) ?gi?b?\b")
_GIGABYTES = re.compile(r"\d+gb")


class Near(msgspec.Struct, frozen=True):
    """A name that is no GPU of the table, or several different ones: which names it may have meant."""

    text: str
    ambiguous: bool
    names: list[str]

    def __str__(self) -> str:
        if self.ambiguous:
            return f"{self.text!r} may be {_list(self.names)}; these differ in compute capability"
        near = f"; near names: {_list(self.names)}" if self.names else ""
        return f"no GPU named {self.text!r} is known{near}"


def gpu_by_pci_id(device_id: int) -> Fact[Gpu]:
    """The GPU with this PCI device id (vendor 10de): ``0x2684`` is the GeForce RTX 4090."""
    found = _by_id().get(device_id)
    return found or Unread("missing", f"PCI id 10de:{device_id:04x} is not in the table")


@lru_cache(maxsize=512)
def gpu_by_name(text: str) -> Gpu | Near:
    """The GPU that a name means: "RTX 4090", "NVIDIA GeForce RTX 4090", "A100 SXM4 40GB", "10de:2684".

    An exact name wins; then the cards whose names hold every word of it, if all of them have one compute capability
    ("A100", "1080 Ti"); a memory size that no name has is left out ("RTX 3080 10GB").  Otherwise the near names.
    """
    number = _PCI.fullmatch(text.strip().lower())
    if number:
        found = gpu_by_pci_id(int(number.group(1), 16))
        return found if isinstance(found, Gpu) else Near(text, False, [])
    spelled = _spelled().get(_bare(text))
    if spelled:
        return _merge(text, spelled)
    wanted = _words(text)
    sizeless = frozenset(w for w in wanted if not _GIGABYTES.fullmatch(w))
    for words in dict.fromkeys((wanted, sizeless)):
        cards = _exact(words) or _holding(words)
        if cards:
            return _merge(text, cards) if len({card.cc for card in cards}) == 1 else _near(text, cards)
    return _strange(text)


def _exact(wanted: frozenset[str]) -> list[Gpu]:
    for fold in (frozenset[str](), _BRAND):
        cards = [gpu for words, gpu in _names() if words - fold == wanted - fold]
        if wanted - _BRAND and cards:
            return cards
    return []


def _holding(wanted: frozenset[str]) -> list[Gpu]:
    """The cards with all of these words in one of their names; mobile and sample parts only where asked for."""
    core = wanted - _BRAND
    if not core:
        return []
    cards = [gpu for words, gpu in _names() if words >= core and (core & _MOBILE or not words & _MOBILE)]
    cards = [gpu for gpu in cards if not _words(gpu.name) & _ODD] or cards
    if not cards and len(core) == 1 and len(min(core)) >= 3:
        cards = [gpu for words, gpu in _names() if any(w.startswith(min(core)) for w in words)]  # K40 is K40c, K40m …
    return cards


def _merge(text: str, cards: list[Gpu]) -> Gpu:
    """One card for several of one compute capability: the driver floor is the lowest of theirs."""
    first = cards[0]
    if len({id(card) for card in cards}) == 1:
        return first
    floors = [card.first_open_driver for card in cards if card.first_open_driver]
    names = list(dict.fromkeys(card.name for card in cards))
    return msgspec.structs.replace(
        first,
        name=names[0] if len(names) == 1 else " ".join(text.split()),
        pci_ids=sorted({i for card in cards for i in card.pci_ids}),
        driver_names=list(dict.fromkeys(n for card in cards for n in card.driver_names)),
        first_open_driver=min(floors, key=key) if floors else None,
    )


def _near(text: str, cards: list[Gpu]) -> Near:
    by_cc: dict[int, list[str]] = {}
    for card in cards:
        by_cc.setdefault(card.cc, []).append(f"{card.name} ({spoken(card.cc)})")
    turns = [(turn, cc, name) for cc, names in by_cc.items() for turn, name in enumerate(dict.fromkeys(names))]
    chosen = sorted(sorted(turns)[:NEAR], key=lambda item: item[1:])
    return Near(text, True, [name for _, _, name in chosen])


def _strange(text: str) -> Near:
    from difflib import SequenceMatcher

    matcher = SequenceMatcher(b=_plain(text))
    scored = set()
    for gpu in table.rows("gpus", Gpu):
        matcher.set_seq1(_plain(gpu.name))
        if matcher.quick_ratio() > 0.6 and not _words(gpu.name) & _ODD:
            scored.add((matcher.ratio(), gpu.name))
    best = sorted(scored, reverse=True)[:NEAR]
    return Near(text, False, [name for score, name in best if score > 0.6])


def _bare(name: str) -> str:
    """The name in small letters, without the maker and the brand before it."""
    words = name.lower().split()
    while words and (words[0] in _MAKER or words[0] in _BRAND):
        words.pop(0)
    return " ".join(words)


@lru_cache(maxsize=4096)
def _plain(name: str) -> str:
    plain = _SIZE.sub(r"\1gb", name.lower().replace("(r)", " ").replace("(tm)", " "))
    plain = _SERIES.sub(r"\1 ", _SUFFIX.sub(r" \g<0>", _MX.sub("mx", plain)))
    return " ".join(w for w in _WORD.findall(plain) if w not in _MAKER and w not in _BRAND)


@lru_cache(maxsize=4096)
def _words(name: str) -> frozenset[str]:
    brands = {w for w in _WORD.findall(name.lower()) if w in _BRAND}
    return frozenset(_plain(name).split()) | brands


def _list(names: list[str]) -> str:
    return ", ".join(names) if names else "nothing that is near it"


@cache
def _spelled() -> dict[str, list[Gpu]]:
    """Cards by the bare spelling of a name, where all of one spelling have one compute capability."""
    out: dict[str, list[Gpu]] = {}
    for gpu in table.rows("gpus", Gpu):
        for name in (gpu.name, *gpu.driver_names):
            out.setdefault(_bare(name), []).append(gpu)
    return {name: cards for name, cards in out.items() if name and len({card.cc for card in cards}) == 1}


@cache
def _names() -> list[tuple[frozenset[str], Gpu]]:
    return [(_words(name), gpu) for gpu in table.rows("gpus", Gpu) for name in (gpu.name, *gpu.driver_names)]


@cache
def _by_id() -> dict[int, Gpu]:
    return {int(number, 16): gpu for gpu in table.rows("gpus", Gpu) for number in gpu.pci_ids}

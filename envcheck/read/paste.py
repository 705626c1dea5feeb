"""A pasted text, whatever it holds, as a snapshot: several reports, logs and prose in any order.

One reader a format; each is asked only where one of its signs stands in the text.  The order counts: the first reader
that states a fact is believed, so tools come before what people wrote down.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from envcheck.facts import Snapshot, Symptom

from . import (
    bitsandbytes,
    collect_env,
    deepspeed,
    detectron2,
    frameworks,
    huggingface,
    machine_lines,
    mentions,
    numba_info,
    openmmlab,
    packages,
    places,
    python_session,
    shell,
    stated,
    torch_config,
    torch_warnings,
    xformers_info,
)
from .draft import Draft
from .lines import Text, clean_lines
from .recording import read_recording
from .routing import part_environments, route


class Reader(NamedTuple):
    """One format: strings of which one stands in every text of it, and how it is read."""

    signs: tuple[str, ...]
    read: Callable[[Text, Draft], None]


READERS: tuple[Reader, ...] = tuple(
    Reader(module.SIGNS, module.read)
    for module in (
        collect_env,
        openmmlab,
        detectron2,
        huggingface,
        deepspeed,
        xformers_info,
        bitsandbytes,
        numba_info,
        torch_config,
        torch_warnings,
        frameworks,
        machine_lines,
        packages,
        python_session,
        shell,
        places,
        stated,
        mentions,
    )
)


def read_paste(text: str) -> Snapshot:
    """The facts and messages of a pasted text; what it does not say stays unasked.  Any text is an answer."""
    lines = clean_lines(text)
    draft = Draft()
    recorded = read_recording(text, cleaned=lines)
    found: list[Symptom] = []
    if recorded is not None:
        draft.adopt(recorded)
        found = recorded.symptoms if isinstance(recorded.symptoms, list) else []
    for reader in READERS:
        if lines.says(*reader.signs):
            reader.read(lines, draft)
    routed = route(found, lines, draft)
    part_environments(routed, draft)
    draft.symptoms.extend(routed)
    return draft.snapshot()

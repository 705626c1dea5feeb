"""What a person asked torch by hand: a ``>>>`` session, ``python -c "…"``, a notebook cell, and the answers below.

Someone who types ``torch.cuda.is_available()`` and shows the answer wants CUDA: that the answer is False is a message
of its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from envcheck.facts import Symptom

from .draft import PYTHON, RUNTIME, Draft
from .lines import Line, Text
from .torch_words import (
    take_available,
    take_mps,
    take_python,
    take_runtime_gpu,
    take_sys_platform,
    take_torch_cuda,
    take_torch_version,
)
from .values import yes_or_no

SIGNS = ("torch.", ">>>", "[GCC ", "[MSC ", "[Clang ")
ASKED_AND_FALSE = "cuda-is-available-false"

_BANNER = re.compile(r"^\s{0,20}Python (\d\.\d{1,2}\.\d{1,2})\S{0,10} ?(?:\||\().{0,200}$")
_SYSTEM = re.compile(r"\[(?:GCC|Clang|MSC)[^\]]{1,60}\].{0,60} on (linux|win32|darwin)\b")
_ASKED = re.compile(
    r"torch\.(?P<what>__version__|version\.(?:cuda|hip)|cuda\.(?:is_available|device_count|get_device_name"
    r"|get_arch_list|get_device_capability)|backends\.(?:cudnn\.version|mps\.is_available))\b"
)
_NO_OUTPUT = re.compile(r"^\s*(?:```|~~~|$|import |from |>>>|\.\.\.|In ?\[)")
_ANSWER_WITHIN = 14
_FORMATTED = re.compile(r"\{\s{0,4}torch\.")


def read(lines: Text, draft: Draft) -> None:
    """Read the interpreter's banner, and every question to torch with its answer."""
    for at in lines.where("Python ", "[GCC", "[Clang", "[MSC", "torch."):
        line = lines[at]
        banner = _BANNER.match(line.text)
        if banner is not None:
            take_python(draft, line.text, line)
        system = _SYSTEM.search(line.text)
        if system is not None:
            take_sys_platform(draft, system[1], line)
            if "Anaconda" in line.text:
                draft.note(f"{PYTHON}/manager", "conda", line, by_hand=True)
        if _ASKED.search(line.text) and not _FORMATTED.search(line.text):
            asked = [match["what"] for match in _ASKED.finditer(_statements(line.text))]
            if asked:
                last = min(at + 1 + _ANSWER_WITHIN, len(lines))
                _answers(draft, asked, (lines[below] for below in range(at + 1, last)))


def _statements(text: str) -> str:
    """The code of a line, without conditions: in ``print(a if b else c)`` only ``a`` is printed."""
    return re.sub(
        r"\bif\b[^)]{0,200}?\)\s*else\b|\bif\b.{0,200}?\belse\b|\b(?:if|while|assert|raise|return)\b.{0,400}", " ", text
    )


def _answers(draft: Draft, asked: list[str], below: Iterable[Line]) -> None:
    words = _words(below)
    for what in asked:
        answer = next(words, None)
        if answer is None:
            return
        word, line = answer
        if not _take(draft, what, word, line):
            return


def _words(below: Iterable[Line]) -> Iterator[tuple[str, Line]]:
    """The answers in order: one a line, or several on a line with blanks between."""
    for line in below:
        text = line.text.strip()
        if ">>>" in text or _ASKED.search(text):
            if _ASKED.search(text):
                return
            continue
        if _NO_OUTPUT.match(line.text) or text.endswith((":", "：")) or "Warning" in text:
            continue
        if re.fullmatch(r"[('\"]{0,2}[\w.+-]{1,60}['\"]?(?:,? ['\"]?[\w.+-]{1,60}['\"]?){1,5}\)?", text) and re.match(
            r"[('\"]{0,2}(?:\d+\.\d|True|False|None)", text
        ):
            for word in re.split(r",?\s+", text.strip("()")):
                yield word.strip("'\""), line
            continue
        yield text.strip("'\"`"), line


def _take(draft: Draft, what: str, word: str, line: Line) -> bool:
    """State one answer; false where the word is none (the session went elsewhere)."""
    if what == "__version__":
        if not re.fullmatch(r"\d+\.\d+\S{0,60}", word):
            return False
        take_torch_version(draft, word, line)
        draft.note(f"{RUNTIME}/imported", True, line)
    elif what == "version.cuda":
        if not re.fullmatch(r"None|\d{1,2}\.\d{1,2}(?:\.\d+)?", word):
            return False
        take_torch_cuda(draft, word, line)
    elif what == "cuda.is_available":
        if yes_or_no(word) is None or word not in ("True", "False"):
            return False
        take_available(draft, word, line)
        if word == "False":
            draft.symptoms.append(
                Symptom(id=ASKED_AND_FALSE, text=line.text.strip(), source=f"line {line.number}", values=[])
            )
    elif what == "backends.mps.is_available":
        if word not in ("True", "False"):
            return False
        take_mps(draft, word, line)
    elif what == "cuda.get_device_name":
        take_runtime_gpu(draft, word, line)
    elif what == "cuda.device_count":
        if word.isdigit() and len(word) < 4:
            draft.note(f"{RUNTIME}/device_count", int(word), line)
    elif what == "cuda.get_arch_list":
        targets = re.findall(r"(?:sm|compute)_\d{2,3}[af]?", line.text)
        if targets:
            draft.note(f"{RUNTIME}/arch_list", targets, line)
    elif what == "backends.cudnn.version" and re.fullmatch(r"\d{4,6}", word):
        draft.note(f"{RUNTIME}/cudnn", int(word), line)
    return True

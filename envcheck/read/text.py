"""A text as numbered lines, and the search for words in it: which lines hold one of them.

Most formats are recognised by words that always stand in their lines.  A text is searched for such words as a whole,
which costs a hundredth of trying a pattern on each line, and only the lines that hold one are looked at closely.  What
is asked of a line is asked of each different line once, for long logs repeat themselves.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from functools import cache, cached_property
from itertools import accumulate
from typing import NamedTuple, overload

LONGEST_QUOTE = 160
"""Characters of a line that an origin repeats."""


class Line(NamedTuple):
    """One line of the paste; ``number`` counts from 1.  A joined line gives several of one number."""

    number: int
    text: str

    @property
    def origin(self) -> str:
        """How a fact read here is traced back: ``line 12: PyTorch version: 2.3.0``."""
        # Runs of blanks become one, so the beginning that is looked at is longer than what is quoted of it.
        words = " ".join(self.text[:_LOOKED_AT].split())
        whole = len(words) <= LONGEST_QUOTE and len(self.text) <= _LOOKED_AT
        return f"line {self.number}: {words if whole else words[: LONGEST_QUOTE - 1] + '…'}"


_LOOKED_AT = 4000


class Text(Sequence[Line]):
    """The lines of a text, in order."""

    def __init__(self, texts: list[str], numbers: Sequence[int]) -> None:
        self.texts = texts
        self.numbers = numbers

    @classmethod
    def of(cls, lines: Sequence[Line]) -> Text:
        """Any lines as a text; a text is one already."""
        return lines if isinstance(lines, Text) else cls([line.text for line in lines], [line.number for line in lines])

    def without_blanks(self) -> Text:
        """The text without its empty lines; the others keep their numbers."""
        if "" not in self.places:
            return self
        kept = [at for at, text in enumerate(self.texts) if text]
        text = Text([self.texts[at] for at in kept], [self.numbers[at] for at in kept])
        text._vocabulary = self._vocabulary
        return text

    def __len__(self) -> int:
        return len(self.texts)

    @overload
    def __getitem__(self, at: int) -> Line: ...
    @overload
    def __getitem__(self, at: slice) -> list[Line]: ...
    def __getitem__(self, at: int | slice) -> Line | list[Line]:
        if isinstance(at, slice):
            return [Line(*pair) for pair in zip(self.numbers[at], self.texts[at], strict=True)]
        return Line(self.numbers[at], self.texts[at])

    def __iter__(self) -> Iterator[Line]:
        return map(Line, self.numbers, self.texts)

    @cached_property
    def body(self) -> str:
        """The lines, joined again."""
        return "\n".join(self.texts)

    @cached_property
    def places(self) -> dict[str, list[int]]:
        """Each different line, and where it stands."""
        places: defaultdict[str, list[int]] = defaultdict(list)
        for at, text in enumerate(self.texts):
            places[text].append(at)
        return dict(places)

    def may_say(self, words: str) -> bool:
        """Are the single words of these words in the text?  Cheap, and mostly no: then they need not be searched."""
        return self._vocabulary.may_hold(words)

    def says(self, *words: str) -> bool:
        """Does one of the words stand in the text?"""
        return any(self.may_say(word) and word in self._index.body for word in words)

    def saying(self, word: str) -> list[str]:
        """The different lines in which the word stands."""
        found = self._index.find((word,))
        return [self._distinct[which] for which in found]

    def where(self, *words: str, any_case: bool = False, once: bool = False) -> list[int]:
        """The places of the lines in which one of the words stands, in order.

        With ``any_case`` the words are to be given in lower case and stand for every spelling.  With ``once`` a line
        that is repeated is found where it first stands: enough for facts that the first line gives.
        """
        if any_case:
            found = self._lowered.find(words)
        else:
            found = self._index.find(word for word in words if self.may_say(word))
        if len(self.places) == len(self.texts):
            return sorted(found)
        if once:
            return sorted(self._places[which][0] for which in found)
        return sorted(at for which in found for at in self._places[which])

    def holding(self, *words: str, any_case: bool = False, once: bool = False) -> list[Line]:
        """The lines of :meth:`where`."""
        return [self[at] for at in self.where(*words, any_case=any_case, once=once)]

    @cached_property
    def _vocabulary(self) -> _Vocabulary:
        return _Vocabulary(self.places)

    @cached_property
    def _distinct(self) -> list[str]:
        return list(self.places)

    @cached_property
    def _places(self) -> list[list[int]]:
        return list(self.places.values())

    @cached_property
    def _index(self) -> _Index:
        return _Index(self._distinct)

    @cached_property
    def _lowered(self) -> _Index:
        return _Index([text.lower() for text in self._distinct])


_LETTERS = re.compile("[A-Za-z]+")


class _Vocabulary:
    """The different runs of letters of a text: few, even in a long one, for numbers are left out."""

    def __init__(self, texts: Iterable[str]) -> None:
        self.words: set[str] = set()
        for text in texts:
            self.words.update(_LETTERS.findall(text))
        self.joined = " ".join(self.words)
        self.letters = frozenset(self.joined)

    def may_hold(self, text: str) -> bool:
        """Are all runs of letters of ``text`` there?  Those at its ends may be parts of longer ones."""
        first, *inner, last = _runs(text)
        return (
            all(word in self.words for word in inner)
            and self.letters.issuperset(first + last)
            and first in self.joined
            and last in self.joined
        )


@cache
def _runs(text: str) -> tuple[str, ...]:
    """The runs of letters of a word that is searched for, at least two: an empty one is in every text."""
    found = _LETTERS.findall(text)
    if not found:
        return ("", "")
    before = [] if text[0] in found[0] else [""]
    after = [] if text[-1] in found[-1] else [""]
    found = before + found + after
    return tuple(found) if len(found) > 1 else (found[0], found[0])


class _Index:
    """Lines joined into one string, in which words are found at the speed of a search in memory."""

    def __init__(self, texts: list[str]) -> None:
        self.body = "\n".join(texts)
        self.starts = list(accumulate((len(text) + 1 for text in texts), initial=0))

    def find(self, words: Iterable[str]) -> set[int]:
        """Which lines hold one of the words."""
        body, starts = self.body, self.starts
        found: set[int] = set()
        for word in words:
            at = body.find(word)
            while at >= 0:
                which = bisect_right(starts, at)
                found.add(which - 1)
                at = body.find(word, starts[which])
        return found

"""A text finds the lines that hold a word, and finds all of them."""

from __future__ import annotations

import importlib
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envcheck.read.labels import words_of
from envcheck.read.lines import clean_lines
from envcheck.read.text import Line, Text

from .pastes import PASTES

LETTERS = st.text("aB1. é\u212a", max_size=6)
FORMATS = ("collect_env", "openmmlab", "detectron2", "huggingface", "deepspeed", "xformers_info", "bitsandbytes")


def text_of(lines: list[str]) -> Text:
    return Text(lines, range(1, len(lines) + 1))


@given(st.lists(LETTERS, max_size=8), st.lists(LETTERS.filter(bool), min_size=1, max_size=3))
def test_the_lines_that_hold_a_word_are_found(lines: list[str], words: list[str]) -> None:
    """Searching the text as a whole finds what looking at each line would: none is left out, none is added."""
    text = text_of(lines)
    expected = [line for line in text if any(word in line.text for word in words)]
    assert text.holding(*words) == expected
    assert text.says(*words) == bool(expected)
    low = [word.lower() for word in words]
    assert text.holding(*low, any_case=True) == [
        line for line in text if any(word in line.text.lower() for word in low)
    ]


@given(st.lists(LETTERS, max_size=8), LETTERS.filter(bool))
def test_once_is_the_first_of_each_different_line(lines: list[str], word: str) -> None:
    """A repeated line is found where it first stands."""
    text = text_of(lines)
    first = {line.text: line for line in reversed(text.holding(word))}
    assert text.holding(word, once=True) == sorted(first.values())


@given(st.lists(LETTERS, max_size=8))
def test_without_blanks_the_others_keep_their_numbers(lines: list[str]) -> None:
    """Empty lines go, and nothing else changes."""
    text = text_of(lines)
    assert list(text.without_blanks()) == [line for line in text if line.text]


def test_a_text_is_a_sequence_of_lines() -> None:
    """Whoever takes a sequence of lines takes a text, and the other way about."""
    text = text_of(["a", "b", "a"])
    assert (len(text), text[-1], text[1:]) == (3, Line(3, "a"), [Line(2, "b"), Line(3, "a")])
    assert list(Text.of(list(text))) == list(text)
    assert Text.of(text) is text


@pytest.mark.parametrize("name", FORMATS)
def test_no_label_stands_without_one_of_its_words(name: str) -> None:
    """Lines without one of the words that labels are searched by hold no label."""
    labels = importlib.import_module(f"envcheck.read.{name}").LABELS
    words = words_of(tuple(labels))
    label = re.compile("|".join(sorted(labels, key=len, reverse=True)))
    seen = 0
    for paste, _ in PASTES.values():
        for line in clean_lines(paste):
            if label.search(line.text):
                seen += 1
                assert any(word in line.text for word in words), line
    assert seen > 3


def test_words_leave_out_what_may_be_missing() -> None:
    """Of a pattern only what is always there counts."""
    assert words_of((r"GPU \d{1,3}",)) == ("GPU ",)
    assert words_of((r"Compiler(?: \(\$CXX\))?",)) == ("Compiler",)
    assert words_of((r"sys\.platform",)) == ("sys.platform",)
    assert words_of(("ab?c+def",)) == ("def",)
    assert words_of(("(?:MUSA|NPU) available", "Is XPU available")) == (" available",)


def test_a_short_beginning_of_a_long_line_is_its_origin() -> None:
    """An origin quotes the beginning of a line, without going through all of it."""
    assert Line(3, "a   b").origin == "line 3: a b"
    long = Line(3, "word " * 2_000_000).origin
    assert long == f"line 3: {('word ' * 40)[:159]}…"

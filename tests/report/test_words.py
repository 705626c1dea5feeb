"""Collected text is hostile until it is clean, and numbers have units."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envcheck.report.paint import width_of, wrap
from envcheck.report.words import clean, clean_lines, count, cuda_release, fold, quoted, shorten, spell_surrogates

ANY_TEXT = st.text(st.characters())  # every code point, surrogates too


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", "plain"),
        ("\x1b[1;31mred\x1b[0m", "red"),
        ("\x1b]0;a title\x07after", "after"),
        ("\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x9b31mred", "red"),
        ("\x1bPq#0;2;0;0;0\x1b\\sixel", "sixel"),
        ("\x1b(Bcharset", "charset"),
        ("cut off \x1b[", "cut off"),
        ("one\ntwo\r\nthree\tfour", "one two three four"),
        ("bell\x07 nul\x00 del\x7f", "bell nul del"),
        ("\u202eabc\u2066\u200f", "abc"),
        ("\udcff\udc80", "\\xff\\x80"),
        ("\ud83d", "\\ud83d"),
        ("日本語 é 🙂", "日本語 é 🙂"),
        ("a\n::error file=x::y", "a : :error file=x::y"),
        ("listening on ::1 and std::vector", "listening on ::1 and std::vector"),
        ("##[error]x", "# #[error]x"),
    ],
)
def test_clean(text: str, expected: str) -> None:
    """Escape sequences go whole, control characters go or become a space, lone surrogates are spelt out."""
    assert clean(text) == expected


@given(ANY_TEXT)
def test_clean_text_is_printable_encodable_and_stays(text: str) -> None:
    """Any text at all becomes one line that every UTF-8 stream takes, and cleaning it again changes nothing."""
    cleaned = clean(text)
    cleaned.encode("utf-8")
    assert not any(c in cleaned for c in "\x00\x07\x1b\x9b\n\r\u2028\u202e")
    assert clean(cleaned) == cleaned


@given(ANY_TEXT)
def test_lines_stay_lines(text: str) -> None:
    """A text of several lines keeps them, each clean."""
    for line in clean_lines(text):
        assert line.strip() == clean(line)


@given(ANY_TEXT)
def test_only_surrogates_are_spelt_out(text: str) -> None:
    """JSON keeps every other character; the result can be encoded."""
    spelt = spell_surrogates(text)
    spelt.encode("utf-8")
    if not any(0xD800 <= ord(c) < 0xE000 for c in text):
        assert spelt == text


@given(st.text(st.sampled_from("ab …—→≥°日é\u0301🙂")), st.integers(1, 30))
def test_wrap_loses_nothing(text: str, width: int) -> None:
    """Lines joined again are the text; only a single word may be wider than the page."""
    lines = list(wrap(text, width))
    assert " ".join(lines) == text
    assert all(width_of(line) <= width or " " not in line.strip() for line in lines)


def test_width_counts_columns() -> None:
    """East Asian characters take two columns, combining marks none."""
    assert width_of("abc") == 3
    assert width_of("日本") == 4
    assert width_of("e\u0301") == 1


def test_fold() -> None:
    """Typographic characters get an ASCII form; letters are left to the stream's encoder."""
    assert fold("a … b → c ≥ 3 × 4 – ✓") == "a ... b -> c >= 3 x 4 - [ok]"
    assert fold("José") == "José"


def test_shorten_and_count() -> None:
    """A cut is marked and within the limit; one thing is singular, none is said in a word."""
    assert shorten("abcdef", 6) == "abcdef"
    assert shorten("abcdefg", 6) == "abcde…"
    assert [count(n, "GPU") for n in (0, 1, 2)] == ["no GPUs", "1 GPU", "2 GPUs"]
    assert count(2, "more process", "more processes") == "2 more processes"


@pytest.mark.parametrize(
    ("pointer", "value", "words"),
    [
        ("/driver/nvml", "535.183.01", "535.183.01"),
        ("/driver/nvml", None, "none"),
        ("/driver/nvml", {"kind": "unread", "why": "timeout", "detail": "5 s"}, "no answer in time: 5 s"),
        ("/host/secure_boot", True, "yes"),
        ("/nvml/gpus/0/memory_total_bytes", 80 << 30, "80.0 GiB"),
        ("/nvml/gpus/0/memory_used_bytes", 4096, "4096 bytes"),
        ("/interpreters/0/torch/damaged/0/actual_bytes", 200_000_000, "190.7 MiB"),
        ("/environment/variables/0", {"name": "CUDA_VISIBLE_DEVICES", "value": "-1"}, "CUDA_VISIBLE_DEVICES=-1"),
        ("/nvml/gpus/0/power_w", 71.5, "71.5 W"),
        ("/nvml/gpus/0/temperature_c", 61, "61 °C"),
        ("/nvml/gpus/0/clock_sm_mhz", 1980, "1980 MHz"),
        ("/nvml/gpus/0/compute_capability", 120, "12.0"),
        ("/cuda/driver_version", 12040, "12040 (CUDA 12.4)"),
        ("/cuda/init_code", 803, "803"),
        ("/devices/nodes/0/mode", 0o660, "0o660"),
        ("/devices/pci/0/vendor", 0x10DE, "0x10de"),
        ("/nvml/gpus", [], "none listed"),
        ("/nvml/gpus/0/clock_reasons", ["idle", "sw_power_cap"], "idle, sw_power_cap"),
        ("/devices/nodes", [{"path": "/dev/a", "major": 195}, {"path": "/dev/b"}], "/dev/a, /dev/b"),
        ("/devices/nodes/0", {"path": "/dev/nvidia0", "accessible": False}, "path /dev/nvidia0, accessible no"),
    ],
)  # fmt: skip
def test_values_have_units(pointer: str, value: object, words: str) -> None:
    """A quoted fact says its unit, an absent one "none", an unread one why."""
    assert quoted(pointer, value) == words


def test_a_quoted_value_is_short() -> None:
    """Evidence is a line, not a dump; the JSON holds the rest."""
    assert len(quoted("/driver/libraries", [{"path": "x" * 60}] * 9)) == 160


@pytest.mark.parametrize(("number", "words"), [(12040, "12.4"), (13000, "13.0"), (11080, "11.8"), (9020, "9.2")])
def test_cuda_numbers(number: int, words: str) -> None:
    """major*1000 + minor*10, as cuda.h has it."""
    assert cuda_release(number) == words

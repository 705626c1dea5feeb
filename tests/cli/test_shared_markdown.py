"""What is posted carries nobody's name: secrets planted in a text come out of no Markdown."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from envcheck.report.redact import redact_text

Cli = Callable[..., Any]

SECRETS = (
    "zaphodb",
    "203.0.113.77",
    "2001:db8:85a3::8a2e:370:7334",
    "zaphod.b@galaxy.example",
    "hf_" + "AbCdEfGhIjKlMnOpQrStUvWxYz012345",
    "ghp_" + "0123456789abcdefghijABCDEFGHIJ012345",
    "AKIA" + "IOSFODNN7EXAMPLE",
    "hunter2swordfish",
    "GPU-5f3e9b1c-1a2b-4c3d-8e9f-0123456789ab",
)
"""A user, addresses, tokens of several kinds, a password and a card's UUID; the tokens are put together here so that
no scanner takes them for real ones."""

PASTE = f"""\
zaphodb@203.0.113.77:/home/zaphodb/proj$ export HF_TOKEN={SECRETS[4]}
zaphodb@203.0.113.77:/home/zaphodb/proj$ python train.py
Traceback (most recent call last):
  File "/home/zaphodb/venv/lib/python3.11/site-packages/torch/cuda/__init__.py", line 1, in _lazy_init
AssertionError: Torch not compiled with CUDA enabled (/home/zaphodb/x, {SECRETS[3]}, {SECRETS[5]}, {SECRETS[6]})
RuntimeError: No CUDA GPUs are available from [{SECRETS[1]}] [{SECRETS[2]}] {SECRETS[8]} password={SECRETS[7]}
GPU 0: NVIDIA A30 (UUID: {SECRETS[8]})
"""


def posted(cli: Cli, tmp_path: Path, *call: str) -> str:
    path = tmp_path / "paste.txt"
    path.write_text(PASTE, encoding="utf-8")
    words = [str(path) if word == "PASTE" else word for word in call]
    return str(cli(*words, "--format", "markdown").out)


CALLS = [
    ("explain", "PASTE"),
    ("doctor", "--from", "PASTE"),
    ("preflight", "--from", "PASTE"),
    ("diff", "PASTE", "PASTE", "--all"),
]


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call[0])
@pytest.mark.parametrize("secret", SECRETS)
def test_markdown_carries_no_secret(cli: Cli, tmp_path: Path, call: tuple[str, ...], secret: str) -> None:
    """Every command that writes Markdown takes out what identifies people and machines."""
    assert secret not in posted(cli, tmp_path, *call)


@pytest.mark.parametrize("call", CALLS[:3], ids=lambda call: call[0])
def test_it_can_be_left_in(cli: Cli, tmp_path: Path, call: tuple[str, ...]) -> None:
    """--no-redact writes what was read: so the texts that the others are free of did stand there."""
    assert "zaphodb" in posted(cli, tmp_path, *call, "--no-redact")
    assert "torch-cpu-only-build" in posted(cli, tmp_path, *call)


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call[0])
def test_redacting_twice_changes_nothing(cli: Cli, tmp_path: Path, call: tuple[str, ...]) -> None:
    """A redacted page is its own redaction."""
    once = posted(cli, tmp_path, *call)
    assert redact_text(once) == once


@pytest.mark.parametrize("text", ["", "  \n"])
def test_an_empty_text_is_a_bad_call(cli: Cli, text: str) -> None:
    """Nothing was given, so nothing can be explained: one line says so."""
    result = cli("explain", text)
    assert result.code == 2
    assert result.err.count("\n") == 1
    assert "empty" in result.err

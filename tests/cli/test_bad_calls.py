"""Bad input costs one line on stderr and exit code 2: no usage dump, no traceback, nothing on stdout."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.wheel
Cli = Callable[..., Any]


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["docter"], ["no command is called docter", "did you mean doctor"]),
        (["\x1b[31mdoctor\n"], ["no command is called"]),
        (["--fromat"], ["--fromat"]),
        (["doctor", "--fromat", "json"], ["--fromat", "--format", "envcheck doctor --help"]),
        (["doctor", "surplus"], ["surplus"]),
        (["doctor", "--format"], ["--format"]),
        (["doctor", "--format", "jsn"], ["--format jsn", "did you mean json"]),
        (["doctor", "--format", "xyzzy"], ["terminal, json, markdown"]),
        (["doctor", "--format", ""], ["no such format"]),
        (["doctor", "--format", "json="], ["a file name is missing"]),
        (["doctor", "--format", "=x"], ["no such format"]),
        (["doctor", "--format", "json", "--format", "markdown"], ["json and markdown", "standard output"]),
        (["doctor", "--format", "json=x", "--format", "markdown=x"], ["json and markdown", "x"]),
        (["doctor", "--format", "json=/no/such/folder/x.json"], ["/no/such/folder"]),
        (["doctor", "--deadline", "soon"], ["--deadline", "soon"]),
        (["doctor", "--deadline", "0"], ["--deadline 0"]),
        (["doctor", "--deadline", "-1"], ["--deadline -1"]),
        (["doctor", "--deadline", "nan"], ["--deadline nan"]),
        (["doctor", "--deadline", "inf"], ["--deadline inf"]),
        (["doctor", "--gpus", "-1"], ["--gpus"]),
        (["doctor", "--gpu", "first"], ["--gpu", "first"]),
        (["doctor", "--quick", "--deep"], ["--quick and --deep"]),
        (["doctor", "--python", "x", "--env", "y"], ["--python and --env"]),
        (["doctor", "--from", "x", "--python", "y"], ["--from", "--python"]),
        (["doctor", "--from", "x", "--quick"], ["--from", "--quick"]),
        (["doctor", "--ignore", "no-such-rule=x"], ["no-such-rule", "no such rule"]),
        (["doctor", "--ignore", "stub-libcuda-loadd=x"], ["did you mean stub-libcuda-loaded"]),
        (["doctor", "--ignore", "stub-libcuda-loaded"], ["give a reason"]),
        (["doctor", "--ignore", "stub-libcuda-loaded= "], ["give a reason"]),
        (["collect", "--format", "terminal"], ["--format terminal", "json, markdown"]),
        (["collect", "-o", "a", "--format", "json=b"], ["-o FILE", "--format"]),
        (["collect", "--quick", "--deep"], ["--quick and --deep"]),
        (["rules", "stub-libcuda-loadd"], ["stub-libcuda-loadd", "did you mean stub-libcuda-loaded"]),
        (["rules", "DRV2O1"], ["DRV2O1", "drv201"]),
        (["rules", "--format", "jsn"], ["did you mean json"]),
    ],
)  # fmt: skip
def test_one_line_and_code_2(cli: Cli, args: list[str], words: list[str]) -> None:
    """The line names what is wrong and, where it can, what was meant."""
    result = cli(*args)
    assert result.code == 2
    assert result.out == ""
    assert result.err.startswith("envcheck: ")
    assert result.err.count("\n") == 1
    assert "\x1b" not in result.err
    for word in words:
        assert word in result.err


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b"  \n", "empty"),
        (b"not json", "not an envcheck snapshot"),
        (b"[]", "not an envcheck snapshot"),
        (b"{}", "schema"),
        (b'{"schema": 99}', "newer"),
        (b'{"schema": 1, "nonsense": 2}', "nonsense"),
        (b'{"schema": 1, "host": {"kind": "host", "system": 3}}', "not a valid snapshot"),
        (b'{"schema": 1, "verdict": "fit", "snapshot": {"schema": 99}}', "newer"),
        (b'{"schema": 1, "verdict": "fit", "snapshot": 7}', "not an envcheck snapshot"),
        (b"\xff\xfe\x00\x01", "not an envcheck snapshot"),
        (b"\x00" * 100, "not an envcheck snapshot"),
        (b'{"schema": 1, "tool": "\xff"}', "not"),
        (b"[" * 100_000, "not an envcheck snapshot"),
        (b'{"schema": 1, "host": ' + b"[" * 100_000, "not"),
        (b'{"x": ' + b"[" * 100_000, "not"),
    ],
)
def test_files_that_are_no_snapshot(cli: Cli, tmp_path: Path, content: bytes, words: str) -> None:
    """Whatever a file holds, --from says in one line what is wrong with it."""
    path = tmp_path / "x.json"
    path.write_bytes(content)
    result = cli("doctor", "--from", str(path))
    assert (result.code, result.out, result.err.count("\n")) == (2, "", 1)
    assert result.err.startswith(f"envcheck: {path}: ")
    assert words in result.err


def test_places_that_are_no_file(cli: Cli, tmp_path: Path) -> None:
    """A missing file, a folder and an impossible name are told apart by the system's own words."""
    for path, words in (
        (str(tmp_path / "missing.json"), "No such file"),
        (str(tmp_path), "directory"),
        ("a\0b", "null"),
    ):
        result = cli("doctor", "--from", path)
        assert (result.code, result.out, result.err.count("\n")) == (2, "", 1)
        assert words.lower() in result.err.lower()


def test_a_file_without_end(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """More than any snapshot can have is not read into memory."""
    monkeypatch.setattr("envcheck.cli.source.LARGEST_BYTES", 1 << 20)
    path = tmp_path / "big"
    path.write_bytes(b" " * (1 << 20) + b"{}")
    result = cli("doctor", "--from", str(path))
    assert result.code == 2
    assert "larger than 1 MiB" in result.err


def test_a_gpu_that_was_not_seen(cli: Cli, law: None, recorded: Callable[[str], str]) -> None:
    """An index that no card has is a bad call; it says which there are."""
    result = cli("doctor", "--from", recorded("one-lost"), "--gpu", "7")
    assert result.code == 2
    assert result.err == "envcheck: --gpu 7: no such GPU (seen: 0, 1)\n"

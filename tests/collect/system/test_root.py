"""The file system's answers become facts: content, a known absence, or the reason why nobody knows."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from envcheck.collect.system.root import Root, printable, to_int
from envcheck.facts import Unread
from tests.collect.system.trees import refuse, tree
from tests.fakes.tree import Folder


def test_an_absent_file_is_a_known_absence(tmp_path: Path) -> None:
    """No file where its file system is there: asked, and there is none."""
    root = tree(tmp_path, {"sys/module/ext4/refcnt": "1\n"})
    assert root.text("/sys/module/nvidia/version") is None
    assert root.exists("/sys/module/nvidia") is False


@pytest.mark.parametrize("files", [{"etc/hostname": "x"}, {"sys": Folder()}])
def test_an_unmounted_file_system_says_nothing_by_being_empty(tmp_path: Path, files: dict[str, str | Folder]) -> None:
    """Where /sys is not mounted, no module is known to be unloaded."""
    fact = tree(tmp_path, files).exists("/sys/module/nvidia")
    assert fact == Unread("missing", "/sys is not mounted")


def test_a_refusal_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Permission denied is never taken for absence."""
    root = tree(tmp_path, {"proc/driver/nvidia/params": "DeviceFileMode: 438\n"})
    refuse(monkeypatch, root, "/proc/driver")
    for fact in (
        root.text("/proc/driver/nvidia/params"),
        root.names("/proc/driver/nvidia"),
        root.exists("/proc/driver/nvidia"),
        root.folders("/proc/driver/nvidia"),
    ):
        assert isinstance(fact, Unread)
        assert fact.why == "refused"
        assert str(tmp_path) not in fact.detail, "the prefix is no part of the machine that is described"


@pytest.mark.parametrize("content", [b"\xff\xfe16", b"", b" \n\0"])
def test_what_is_no_value_is_garbled(tmp_path: Path, content: bytes) -> None:
    """Undecodable and empty files are answers that could not be understood, not values."""
    fact = tree(tmp_path, {"sys/x": content}).text("/sys/x")
    assert isinstance(fact, Unread)
    assert fact.why == "garbled"


@pytest.mark.parametrize("text", ["", "-", "0x", "1_0", "١", "+1", " 1", "9" * 20, "1" * 5000, "1.0", "0b1", "--1"])
def test_only_plain_integers_are_integers(text: str) -> None:
    """Nothing that the kernel would not write is a number, and no number is too wide for the snapshot."""
    assert to_int(text) is None


def test_integers_are_read_in_both_bases() -> None:
    """Signs and the hexadecimal prefix are those of sysfs."""
    assert (to_int("-1"), to_int("0x10de", 16), to_int("10de", 16)) == (-1, 0x10DE, 0x10DE)


def test_absolute_links_stay_below_the_prefix(tmp_path: Path) -> None:
    """In a tree that stands for "/", an absolute link leads to a place of the tree, not of this machine."""
    root = tree(tmp_path / "inside", {"usr/lib/os-release": "ID=inside\n", "etc/x": ""})
    (tmp_path / "inside/etc/os-release").symlink_to("/usr/lib/os-release")
    (tmp_path / "inside/etc/up").symlink_to("../../../../usr/lib/os-release")
    for path in ("/etc/os-release", "/etc/up", "/etc/../../etc/up"):
        assert root.text(path) == "ID=inside"
        assert root.real_path(path) == "/usr/lib/os-release"


def test_a_ring_of_links_is_garbled(tmp_path: Path) -> None:
    """A path that never ends is answered, not followed for ever."""
    root = tree(tmp_path, {"etc/x": ""})
    (tmp_path / "etc/a").symlink_to("b")
    (tmp_path / "etc/b").symlink_to("/etc/a")
    fact = root.text("/etc/a")
    assert isinstance(fact, Unread)
    assert fact.why == "garbled"


def test_a_fifo_in_a_file_s_place_does_not_block(tmp_path: Path) -> None:
    """Opening a FIFO would wait for a writer that never comes."""
    root = tree(tmp_path, {"etc/x": ""})
    os.mkfifo(tmp_path / "etc/os-release")
    assert isinstance(root.text("/etc/os-release"), Unread)


def test_impossible_names_are_absent(tmp_path: Path) -> None:
    """A name with a NUL or of impossible length can belong to no file."""
    root = tree(tmp_path, {"etc/x": ""})
    for path in ("/etc/\0", "/etc/" + "x" * 5000, "/etc/x/y"):
        assert root.text(path) is None
        assert root.names(path) is None
        assert root.exists(path) is False
        assert root.accessible(path, os.R_OK) is False


def test_names_that_are_no_text_become_text() -> None:
    """A file name of arbitrary bytes can stand in a snapshot, visibly escaped."""
    assert printable(os.fsdecode(b"caf\xe9")) == "caf\\udce9"
    assert printable("café") == "café"


def test_only_executable_files_are_programs(tmp_path: Path) -> None:
    """A folder or a plain file named like a program is not one; the first real one on PATH is."""
    root = tree(tmp_path, {"a/g++": Folder(), "b/g++": "text", "c/g++": "program", "d/g++": "program"})
    (tmp_path / "c/g++").chmod(0o755)
    (tmp_path / "d/g++").chmod(0o755)
    assert root.which("g++", ["/a", "/b", "/c/", "/d"]) == "/c/g++"
    assert root.which("g++", ["/a", "/b"]) is None


def test_the_machine_itself_is_a_root() -> None:
    """An empty prefix is this machine: what Python finds there, Root finds."""
    here = str(Path(__file__).resolve())
    assert Root().real_path(here) == here
    assert Root().read(here, 16) == Path(here).read_bytes()[:16]

"""Laws that hold for every tree: collectors never raise, and what they say fits into a snapshot."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from envcheck.collect.process import ProcessResult
from envcheck.collect.system.root import Root
from envcheck.facts import NOT_ASKED, Snapshot, Unread, decode, encode
from tests.collect.system.trees import SERVER, collect_all, ld_cache, refuse
from tests.fakes.tree import File, Files, Folder, Link, Node, write_tree

PROGRAM = File("", 0o755)
MORE: Files = {
    "etc/ld.so.cache": ld_cache([("libcuda.so.1", "/usr/lib/x86_64-linux-gnu/libcuda.so.1")]),
    "etc/ld.so.conf.d/x.conf": "/opt/lib\n",
    "etc/modprobe.d/x.conf": "blacklist nvidia\n",
    "etc/nvidia-container-runtime/config.toml": "[nvidia-container-cli]\nno-cgroups = true\n",
    "etc/cdi/nvidia.yaml": "",
    "proc/device-tree/compatible": b"nvidia,tegra234\0",
    "proc/device-tree/model": b"Jetson\0",
    "proc/driver/nvidia-caps/mig-minors": "gpu0/gi1/access 12\n",
    "proc/driver/nvidia/capabilities/gpu0/mig/gi1/access": "",
    "sys/class/power_supply/BAT0/type": "Battery\n",
    "sys/class/power_supply/BAT0/status": "Full\n",
    "sys/fs/selinux/enforce": "1",
    "var/lib/dpkg/status": "Package: nvidia-driver-580\nStatus: install ok installed\nVersion: 580\n",
    "var/lib/pacman/local/nvidia-580-1/desc": "",
    "lib/modules/6.8.0-51-generic/modules.dep": "x/nvidia.ko:\n",
    "usr/local/cuda/bin/nvcc": PROGRAM,
    "usr/local/cuda/version.json": '{"cuda": {"version": "12.4.1"}}',
    "usr/bin/g++": PROGRAM,
    "usr/bin/dmesg": PROGRAM,
    "usr/sbin/modinfo": PROGRAM,
}
WHOLE: Files = {**SERVER, **MORE}
PATHS = sorted(path for path, node in WHOLE.items() if not isinstance(node, Link | Folder))
ENVIRON = {"PATH": "/usr/bin", "LD_LIBRARY_PATH": "/usr/lib:/opt", "CUDA_HOME": "/usr/local/cuda"}


def mangle(content: bytes, place: int, patch: bytes) -> bytes:
    """``content`` with a piece overwritten: what a parser meets most of the way as it expects it."""
    place %= len(content) + 1
    return content[:place] + patch + content[place + len(patch) :]


def as_bytes(node: Node) -> bytes:
    content = getattr(node, "content", node)
    return content.encode() if isinstance(content, str) else content


@st.composite
def changes(draw: st.DrawFn) -> dict[str, bytes | str]:
    """Some files of the tree replaced: other bytes, or "folder", "absent", "dangling", "ring", "fifo"."""
    changed: dict[str, bytes | str] = {}
    for path in draw(st.lists(st.sampled_from(PATHS), max_size=12, unique=True)):
        kind = draw(st.sampled_from(["bytes", "patch", "patch", "folder", "absent", "dangling", "ring", "fifo"]))
        if kind == "bytes":
            changed[path] = draw(st.binary(max_size=80))
        elif kind == "patch":
            patch = draw(st.binary(min_size=1, max_size=8) | st.sampled_from([b"-1", b"99999999999999999999", b"\n:="]))
            changed[path] = mangle(as_bytes(WHOLE[path]), draw(st.integers(0, 1 << 16)), patch)
        else:
            changed[path] = kind
    return changed


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The whole tree, made once; whoever changes it puts it back."""
    place = tmp_path_factory.mktemp("whole")
    write_tree(place, WHOLE)
    return place


@contextmanager
def changed_tree(place: Path, changed: dict[str, bytes | str]) -> Iterator[Root]:
    for path, kind in changed.items():
        spot = place / path
        spot.unlink()
        if isinstance(kind, bytes):
            spot.write_bytes(kind)
            spot.chmod(0o755)
        elif kind == "folder":
            spot.mkdir()
        elif kind == "dangling":
            spot.symlink_to("nowhere")
        elif kind == "ring":
            spot.symlink_to(spot.name)
        elif kind == "fifo":
            os.mkfifo(spot)
    try:
        yield Root(str(place))
    finally:
        for path, kind in changed.items():
            if kind == "folder":
                (place / path).rmdir()
            elif kind != "absent":
                (place / path).unlink()
        write_tree(place, {path: WHOLE[path] for path in changed})


def facts_of(value: object) -> list[object]:
    """Every leaf of a snapshot's plain form."""
    if isinstance(value, msgspec.Struct) and not isinstance(value, Unread):
        return [leaf for name in value.__struct_fields__ for leaf in facts_of(getattr(value, name))]
    if isinstance(value, list):
        return [leaf for item in value for leaf in facts_of(item)]
    return [value]


def check(snapshot: Snapshot, place: str) -> None:
    assert decode(encode(snapshot)) == snapshot
    sections = (snapshot.host, snapshot.devices, snapshot.driver, snapshot.container, snapshot.toolkit)
    for fact in facts_of(list(sections)):
        assert fact != "", "an empty string is no fact"
        text = fact.detail if isinstance(fact, Unread) else fact
        assert not (isinstance(text, str) and place in text), "the prefix is no part of the machine described"


results = st.builds(
    ProcessResult,
    exit_code=st.sampled_from([0, 1, None]),
    signal=st.sampled_from([None, 11]),
    stdout=st.binary(max_size=60) | st.just(b"Cuda compilation tools, release 12.4, V12.4.99\n"),
    stderr=st.binary(max_size=20),
    timed_out=st.booleans(),
    truncated=st.booleans(),
)


@given(changed=changes(), answers=st.lists(results, min_size=4, max_size=4))
def test_whatever_stands_in_the_files(
    whole: Path, changed: dict[str, bytes | str], answers: list[ProcessResult]
) -> None:
    """No content, kind or absence of any file makes a collector raise or say what a snapshot cannot carry."""
    rest = iter(answers)

    def run(argv: Sequence[str]) -> ProcessResult:
        return next(rest, ProcessResult(timed_out=True))

    with changed_tree(whole, changed) as root:
        check(collect_all(root, environ=ENVIRON, run=run), str(whole))


@given(
    environ=st.dictionaries(
        st.sampled_from(
            ["PATH", "LD_LIBRARY_PATH", "LD_PRELOAD", "CUDA_HOME", "CUDA_PATH", "CXX", "container", "SLURM_JOB_ID"]
        ),
        st.text(alphabet=st.sampled_from("/:; .\0ab\udcff\ud800é$-") | st.characters(), max_size=30),
    ),
    platform=st.sampled_from(["linux", "win32", "darwin", "freebsd14"]),
)
def test_whatever_stands_in_the_variables(environ: dict[str, str], platform: str) -> None:
    """Variables hold any bytes: NULs, surrogates, no text at all."""
    check(collect_all(Root("/nonexistent-root"), platform, environ), "/nonexistent-root")


def test_names_that_are_no_text(tmp_path: Path) -> None:
    """File names are bytes: wherever a collector lists a folder, such a name is shown escaped."""
    write_tree(tmp_path, WHOLE)
    root = Root(str(tmp_path))
    weird = b"\xff\xfe"
    names = {
        "dev": b"nvidia" + weird,
        "dev/nvidia-caps": b"nvidia" + weird,
        "etc/cdi": weird + b".yaml",
        "etc/modprobe.d": weird + b".conf",
        "lib/modules": weird,
        "proc/driver/nvidia/gpus": weird,
        "usr/local": b"cuda" + weird,
        "sys/class/infiniband": weird,
        "sys/class/power_supply": weird,
        "var/lib/dkms": b"nvidia" + weird,
    }
    for folder, name in names.items():
        spot = os.path.join(os.fsencode(tmp_path), folder.encode(), name)
        try:
            if name.endswith((b".yaml", b".conf")) or folder.startswith("dev"):
                Path(os.fsdecode(spot)).write_bytes(b"blacklist nvidia\n")
            else:
                os.makedirs(spot + b"/updates/nvidia.ko" if folder == "lib/modules" else spot + b"/ports/\xff/bin")
        except OSError:
            pytest.skip("this file system takes only text as names")
    card = tmp_path / "sys/bus/pci/devices" / os.fsdecode(weird)
    card.symlink_to(os.readlink(tmp_path / "sys/bus/pci/devices/0000:17:00.0"))
    snapshot = collect_all(root, environ=ENVIRON)
    check(snapshot, str(tmp_path))
    assert "udcff" in encode(snapshot).decode()


@pytest.mark.parametrize("hidden", ["/sys", "/proc", "/dev", "/etc", "/lib", "/var", "/usr", "/run"])
def test_refusals_cost_only_what_was_refused(whole: Path, monkeypatch: pytest.MonkeyPatch, hidden: str) -> None:
    """A part of the tree that may not be read turns facts into refusals, never into other values."""
    root = Root(str(whole))
    before = collect_all(root, environ=ENVIRON)
    refuse(monkeypatch, root, hidden)
    after = collect_all(root, environ=ENVIRON)
    check(after, str(whole))
    for name in ("host", "devices", "driver", "container"):
        old, new = getattr(before, name), getattr(after, name)
        for field in old.__struct_fields__:
            was, now = getattr(old, field), getattr(new, field)
            # Of a list, what can still be seen is told; but an empty one would say that there is nothing.
            kept = isinstance(was, list) and isinstance(now, list) and (now or not was)
            if field != "shm_free_bytes" and was != now and not kept and not isinstance(was, type(None) | Unread):
                assert isinstance(now, Unread), f"{name}.{field}: {was!r} became {now!r}"


def test_everything_known_is_told(whole: Path) -> None:
    """On a whole server no collector leaves one of its own facts unasked."""
    snapshot = collect_all(Root(str(whole)), environ=ENVIRON)
    elsewhere = {"nvml", "nvidia_smi", "pasted"}
    for section in (snapshot.host, snapshot.devices, snapshot.driver, snapshot.container, snapshot.toolkit):
        assert isinstance(section, msgspec.Struct)
        unasked = {name for name in section.__struct_fields__ if getattr(section, name) == NOT_ASKED}
        assert unasked <= elsewhere

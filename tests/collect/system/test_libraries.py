"""Which libcuda and libnvidia-ml a program would get: the loader's own order, and its cache."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from envcheck.collect.system.ld_cache import find_in_cache
from envcheck.collect.system.libraries import find_libraries
from envcheck.collect.system.root import Root
from envcheck.facts import DriverLibrary, Unread
from tests.collect.system.trees import LIB, VERSION, ld_cache, refuse, tree
from tests.fakes.tree import Files, Link

CUDA, NVML = "libcuda.so.1", "libnvidia-ml.so.1"
DRIVER: Files = {f"{LIB}/{name[:-2]}.{VERSION}": "" for name in (CUDA, NVML)} | {
    f"{LIB}/{name}": Link(f"{LIB}/{name[:-2]}.{VERSION}") for name in (CUDA, NVML)
}
CACHE = ld_cache([(NVML, f"/{LIB}/{NVML}"), (CUDA, f"/{LIB}/{CUDA}")])


def libraries_of(root: Root, machine: str = "x86_64", **environ: str) -> list[DriverLibrary]:
    found = find_libraries(root, machine, environ)
    assert isinstance(found, list), found
    return found


def cuda_of(root: Root, machine: str = "x86_64", **environ: str) -> list[tuple[str, str | None, str]]:
    found = [library for library in libraries_of(root, machine, **environ) if library.soname == CUDA]
    return [(library.path, library.version, library.found_in) for library in found]  # type: ignore[misc]


def test_the_driver_s_own_copy_in_the_cache(tmp_path: Path) -> None:
    """One entry a library, though the folder is searched too; the version is the real file's suffix."""
    libraries = libraries_of(tree(tmp_path, DRIVER, {"etc/ld.so.cache": CACHE}))
    assert {library.soname: library for library in libraries} == {
        name: DriverLibrary(
            soname=name,
            path=f"/{LIB}/{name}",
            realpath=f"/{LIB}/{name[:-2]}.{VERSION}",
            version=VERSION,
            found_in="ld cache",
            stub=False,
            compat=False,
        )
        for name in (CUDA, NVML)
    }


def test_the_loader_s_order(tmp_path: Path) -> None:
    """LD_PRELOAD, LD_LIBRARY_PATH, the cache, the default folders, and last where nobody looks unless told."""
    folders = ("preload", "first", "opt/cached", "usr/lib", "usr/lib/wsl/lib")
    files = {f"{folder}/{CUDA}": folder for folder in folders}
    cache = ld_cache([(CUDA, f"/opt/cached/{CUDA}")])
    root = tree(tmp_path, files, {"etc/ld.so.cache": cache})
    found = cuda_of(root, LD_PRELOAD=f"/x/libfoo.so /preload/{CUDA}", LD_LIBRARY_PATH="/nowhere:/first/;/first")
    assert [(path, where) for path, _, where in found] == [
        (f"/preload/{CUDA}", "LD_PRELOAD"),
        (f"/first/{CUDA}", "LD_LIBRARY_PATH"),
        (f"/opt/cached/{CUDA}", "ld cache"),
        (f"/usr/lib/{CUDA}", "default folder"),
        (f"/usr/lib/wsl/lib/{CUDA}", "known folder"),
    ]


def test_two_versions_of_libcuda(tmp_path: Path) -> None:
    """A .run installation over a package leaves two: both are listed, the one that wins first."""
    run = {"usr/lib/libcuda.so.550.54.15": "", "usr/lib/libcuda.so.1": Link("usr/lib/libcuda.so.550.54.15")}
    found = cuda_of(tree(tmp_path, DRIVER, run, {"etc/ld.so.cache": CACHE}))
    assert [version for _, version, _ in found] == [VERSION, "550.54.15"]


def test_a_stub_in_front(tmp_path: Path) -> None:
    """A toolkit's stubs folder on LD_LIBRARY_PATH shadows the driver."""
    stubs = {f"usr/local/cuda/lib64/stubs/{CUDA}": ""}
    root = tree(tmp_path, DRIVER, stubs, {"etc/ld.so.cache": CACHE})
    first = libraries_of(root, LD_LIBRARY_PATH="/usr/local/cuda/lib64/stubs")[0]
    assert (first.path, first.stub, first.compat, first.version) == (
        f"/usr/local/cuda/lib64/stubs/{CUDA}",
        True,
        False,
        None,
    )


def test_a_forward_compatibility_copy_in_front(tmp_path: Path) -> None:
    """A link that leads into a compat folder is a compat copy, whatever its own name."""
    compat = {
        "usr/local/cuda-13.0/compat/libcuda.so.580.65.06": "",
        f"usr/local/cuda-13.0/compat/{CUDA}": Link("usr/local/cuda-13.0/compat/libcuda.so.580.65.06"),
        f"opt/libs/{CUDA}": Link(f"usr/local/cuda-13.0/compat/{CUDA}"),
    }
    root = tree(tmp_path, DRIVER, compat, {"etc/ld.so.cache": CACHE})
    first = libraries_of(root, LD_LIBRARY_PATH="/opt/libs")[0]
    assert (first.compat, first.stub, first.version) == (True, False, "580.65.06")


def test_wsl_and_jetson_have_no_version_suffix(tmp_path: Path) -> None:
    """Their libraries carry no driver version: none, and no mismatch to be found there."""
    wsl = tree(tmp_path / "wsl", {f"usr/lib/wsl/lib/{CUDA}": ""})
    assert cuda_of(wsl) == [(f"/usr/lib/wsl/lib/{CUDA}", None, "known folder")]
    tegra = "usr/lib/aarch64-linux-gnu/nvidia"
    jetson = tree(
        tmp_path / "jetson", {f"{tegra}/libcuda.so.1.1": "", f"{tegra}/{CUDA}": Link(f"{tegra}/libcuda.so.1.1")}
    )
    assert cuda_of(jetson, "aarch64") == [(f"/{tegra}/{CUDA}", None, "known folder")]


def test_dangling_links_are_no_libraries(tmp_path: Path) -> None:
    """The loader passes over them."""
    root = tree(tmp_path, {"etc/ld.so.cache": CACHE})
    place = tmp_path / LIB
    place.mkdir(parents=True)
    (place / CUDA).symlink_to("libcuda.so.535.1.1")
    assert cuda_of(root) == []


def test_a_copy_for_another_processor_is_passed_over(tmp_path: Path) -> None:
    """The loader skips an i386 library on LD_LIBRARY_PATH and takes the next."""
    i386 = b"\x7fELF\x01\x01\x01" + bytes(9) + b"\x03\x00\x03\x00"
    x86_64 = b"\x7fELF\x02\x01\x01" + bytes(9) + b"\x03\x00\x3e\x00"
    root = tree(tmp_path, {f"a/{CUDA}": i386, f"b/{CUDA}": x86_64})
    assert [path for path, _, _ in cuda_of(root, LD_LIBRARY_PATH="/a:/b")] == [f"/b/{CUDA}"]


def test_a_refused_folder_is_not_an_empty_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If nothing is found and something could not be looked at, nobody knows that there is no libcuda."""
    root = tree(tmp_path, {"etc/ld.so.cache": ld_cache([]), f"secret/{CUDA}": ""})
    refuse(monkeypatch, root, "/secret")
    fact = find_libraries(root, "x86_64", {"LD_LIBRARY_PATH": "/secret"})
    assert isinstance(fact, Unread)
    assert fact.why == "refused"


# --- the cache ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("old_head", [False, True])
@pytest.mark.parametrize("big", [False, True])
def test_both_layouts_and_byte_orders(tmp_path: Path, old_head: bool, big: bool) -> None:
    """glibc before 2.32 writes the older table in front; names may be tails of paths."""
    entries = [("libz.so.1", "/lib/libz.so.1"), (CUDA, f"/b/{CUDA}"), (CUDA, f"/a/{CUDA}"), (NVML, "/odd/name.so")]
    root = tree(tmp_path, {"etc/ld.so.cache": ld_cache(entries, old_head=old_head, big=big)})
    found = find_in_cache(root, [CUDA, NVML], "x86_64")
    assert found == [(CUDA, f"/b/{CUDA}"), (CUDA, f"/a/{CUDA}"), (NVML, "/odd/name.so")]


@pytest.mark.parametrize(
    ("flags", "machine", "count"), [(0x0303, "x86_64", 1), (0x0A03, "aarch64", 1), (0x3, "x86_64", 0)]
)
def test_entries_of_other_architectures_are_left_out(tmp_path: Path, flags: int, machine: str, count: int) -> None:
    """An i386 entry of the same name is not what a 64-bit program gets."""
    root = tree(tmp_path, {"etc/ld.so.cache": ld_cache([(CUDA, f"/a/{CUDA}")], flags=flags)})
    found = find_in_cache(root, [CUDA], machine)
    assert isinstance(found, list)
    assert len(found) == count


def test_no_cache_and_no_driver_in_it(tmp_path: Path) -> None:
    """No cache is a known absence; a cache without the library holds none."""
    assert find_in_cache(tree(tmp_path / "a", {"etc/x": ""}), [CUDA], "x86_64") is None
    cache = {"etc/ld.so.cache": ld_cache([("libz.so.1", "/lib/libz.so.1")])}
    assert find_in_cache(tree(tmp_path / "b", cache), [CUDA], "x86_64") == []


@pytest.mark.parametrize(
    "content",
    [b"", b"ELF", CACHE[:30], b"glibc-ld.so.cache1.1" + b"\xff" * 28 + CUDA.encode() + b"\0", b"junk" + CACHE],
)
def test_damaged_caches_are_garbled(tmp_path: Path, content: bytes) -> None:
    """A cache that contradicts itself is not taken for an empty one."""
    fact = find_in_cache(tree(tmp_path, {"etc/ld.so.cache": content}), [CUDA], "x86_64")
    assert isinstance(fact, Unread)
    assert fact.why == "garbled"


def test_configured_folders_without_a_cache(tmp_path: Path) -> None:
    """Where ldconfig never ran, a configured folder's library is on the disk but not known to the loader."""
    files = {"etc/ld.so.conf.d/nvidia.conf": "# driver\n/opt/nvidia/lib/ \n", f"opt/nvidia/lib/{CUDA}": ""}
    assert cuda_of(tree(tmp_path, files)) == [(f"/opt/nvidia/lib/{CUDA}", None, "known folder")]


def test_the_same_answer_as_ldconfig() -> None:
    """On this machine the parser finds what ``ldconfig -p`` prints, name by name and in its order."""
    program = shutil.which("ldconfig", path="/sbin:/usr/sbin:/bin:/usr/bin")
    if program is None or not Path("/etc/ld.so.cache").exists():
        pytest.skip("no ldconfig or no cache here")
    printed = subprocess.run([program, "-p"], capture_output=True, text=True, check=True).stdout
    expected: list[tuple[str, str]] = []
    for line in printed.splitlines()[1:]:
        head, arrow, path = line.strip().partition(" => ")
        if arrow:
            expected.append((head.partition(" (")[0], path))
    found = find_in_cache(Root(), {name for name, _ in expected}, "riscv-unknown")
    assert found == expected

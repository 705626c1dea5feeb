"""Small pretended packages: wheels as an installer leaves them, and a torch whose libraries are a few hundred bytes."""

from __future__ import annotations

import base64
import hashlib
import struct
import sysconfig
from collections.abc import Mapping, Sequence
from pathlib import Path

EXTENSION = f"_C{sysconfig.get_config_var('EXT_SUFFIX')}"
NEW_ABI = b"_ZN3c105ErrorC1ENS_14SourceLocationENSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEEE"
OLD_ABI = b"_ZN3c105ErrorC1ENS_14SourceLocationESs"


def elf(*literals: bytes, glued: bool = False) -> bytes:
    """A 64-bit ELF file that holds ``literals`` as C strings; ``glued`` leaves no NUL before each."""
    between = b"" if glued else b"\0"
    payload = b"GNU\0" + b"".join(between + literal + b"\0" for literal in literals)
    table = 64 + len(payload)
    head = struct.pack("<4s12xHHIQQQIHHHHHH", b"\x7fELF", 3, 62, 1, 0, 0, table, 0, 64, 0, 0, 64, 1, 0)
    head = head[:4] + b"\x02\x01\x01" + head[7:]
    return head + payload + bytes(64)


def torch_files(
    version: str = "2.8.0+cu128",
    *,
    cuda: str | None = "12.8",
    hip: str | None = None,
    archs: bytes = b"sm_70 sm_75 sm_80 sm_86 sm_90 sm_100 sm_120",
    numpy: bytes = b"numpy._core._multiarray_umath",
    symbol: bytes = NEW_ABI,
) -> dict[str, bytes]:
    """The files of a torch wheel that the probe reads, by path below site-packages."""
    text = (
        f"from typing import Optional\n__all__ = ['__version__']\n__version__ = '{version}'\ndebug = False\n"
        f"cuda: Optional[str] = {cuda!r}\ngit_version = '{'ab' * 20}'\nhip: Optional[str] = {hip!r}\n"
    )
    return {
        "torch/__init__.py": b"raise RuntimeError('a test must not import this')\n",
        "torch/version.py": text.encode(),
        f"torch/{EXTENSION}": elf(b"PyInit__C"),
        "torch/lib/libtorch_python.so": elf(archs, b"numpy.core", numpy),
        "torch/lib/libtorch_cpu.so": elf(b"x" * 4096),
        "torch/lib/libc10.so": elf(symbol),
    }


def install(
    site: Path,
    name: str,
    version: str,
    files: Mapping[str, bytes] | None = None,
    *,
    requires: Sequence[str] = (),
    installer: str = "pip",
    tags: Sequence[str] = ("py3-none-any",),
    extra: Mapping[str, str] | None = None,
) -> Path:
    """Put a wheel's files and its metadata folder into ``site``; the folder is returned."""
    folder = site / f"{name.replace('-', '_')}-{version}.dist-info"
    folder.mkdir(parents=True)
    lines = []
    for path, content in (files or {}).items():
        place = site / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
        digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
        quoted = f'"{path}"' if "," in path else path
        lines.append(f"{quoted},sha256={digest},{len(content)}")
    lines += [f"{folder.name}/RECORD,,", "torch/__pycache__/version.cpython-311.pyc,,"]
    head = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}"]
    head += [f"Requires-Dist: {requirement}" for requirement in requires]
    (folder / "METADATA").write_text("\n".join([*head, "", "Requires-Dist: not-a-header"]))
    (folder / "RECORD").write_text("\n".join(lines) + "\n")
    (folder / "INSTALLER").write_text(f"{installer}\n")
    (folder / "WHEEL").write_text("Wheel-Version: 1.0\n" + "".join(f"Tag: {tag}\n" for tag in tags))
    for file, text in (extra or {}).items():
        (folder / file).write_text(text)
    return folder

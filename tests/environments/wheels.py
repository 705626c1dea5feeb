"""Small wheels, made here, so that pip can install what a fix asks for without a network."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path


def make_wheel(
    house: Path,
    name: str,
    version: str,
    *,
    requires: Sequence[str] = (),
    files: Mapping[str, bytes] | None = None,
    tag: str = "py3-none-any",
) -> Path:
    """A wheel of these files (by path below site-packages), with the metadata that pip reads."""
    stem = f"{name.replace('-', '_')}-{version}"
    info = f"{stem}.dist-info"
    metadata = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}"]
    metadata += [f"Requires-Dist: {requirement}" for requirement in requires]
    pure = "true" if tag.endswith("-any") else "false"
    content = {
        **(files or {}),
        f"{info}/METADATA": ("\n".join(metadata) + "\n").encode(),
        f"{info}/WHEEL": f"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: {pure}\nTag: {tag}\n".encode(),
    }
    return _write(house / f"{stem}-{tag}.whl", content, info)


def repack(house: Path, site: Path, info: str) -> Path:
    """The wheel that an installed distribution came from, made again from its files, without compression."""
    content: dict[str, bytes | Path] = {}
    for path, _, _ in csv.reader((site / info / "RECORD").read_text("utf-8").splitlines()):
        made_by_installer = path.startswith(("..", "/")) or path.endswith(".pyc")
        if not made_by_installer and Path(path).name not in ("RECORD", "INSTALLER", "REQUESTED", "direct_url.json"):
            content[path] = site / path
    tags = [
        line.partition(": ")[2] for line in (site / info / "WHEEL").read_text().splitlines() if line.startswith("Tag")
    ]
    return _write(house / f"{info.removesuffix('.dist-info')}-{tags[0]}.whl", content, info)


def _write(path: Path, content: Mapping[str, bytes | Path], info: str) -> Path:
    lines = io.StringIO()
    record = csv.writer(lines, lineterminator="\n")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as wheel:
        for name, source in content.items():
            data = source.read_bytes() if isinstance(source, Path) else source
            digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
            record.writerow([name, f"sha256={digest}", len(data)])
            wheel.writestr(name, data)
        record.writerow([f"{info}/RECORD", "", ""])
        wheel.writestr(f"{info}/RECORD", lines.getvalue())
    return path

"""The weekly refresh: new rows from package metadata, nothing that a row says is changed, never part of a diagnosis."""

from __future__ import annotations

import importlib.util
import json
import re
import sys
import zipfile
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from envcheck.compat import table
from envcheck.compat.rows import TorchRelease

SCRIPTS = Path(__file__).resolve().parents[2] / ".github" / "matrix"

TORCH_REQUIRES = [
    "filelock",
    'cuda-toolkit[cublas,cudart]==13.4.1; platform_system == "Linux"',
    'nvidia-cudnn-cu13==9.30.0.11; platform_system == "Linux"',
    'nvidia-nccl-cu13==2.31.2; platform_system == "Linux"',
    'triton~=3.10.0; platform_system == "Linux" and python_version < "3.17"',
    'optree>=0.13.0; extra == "optree"',
]
RELEASED = {
    "torch": ["2.15.0", "2.16.0"],
    "torchvision": ["0.29.2", "0.30.0"],
    "torchaudio": ["2.11.0"],
}
REQUIRES = {
    ("torch", "2.16.0"): TORCH_REQUIRES,
    ("torchvision", "0.30.0"): ["numpy", "torch==2.16.0"],
    ("torchvision", "0.29.2"): ["numpy", "torch>=2.14.0"],
    ("torchaudio", "2.11.0"): [],
}


@pytest.fixture(scope="module")
def refresh() -> ModuleType:
    if not SCRIPTS.is_dir():
        pytest.skip("the refresh script is part of the repository, not of the package")
    sys.path.insert(0, str(SCRIPTS))
    try:
        spec = importlib.util.spec_from_file_location("refresh", SCRIPTS / "refresh.py")
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    finally:
        sys.path.remove(str(SCRIPTS))
    return module


class Index:
    """A package index as pip shows it: the answers to ``index versions`` and ``install --dry-run --report``."""

    def __init__(self, wheels: Path | None = None) -> None:
        self.wheels = wheels
        self.asked: list[list[str]] = []

    def __call__(self, arguments: list[str]) -> str:
        self.asked.append(arguments)
        python = next((a.partition("cp")[2] for a in arguments if a.startswith("--abi=")), None)
        if arguments[:2] == ["index", "versions"]:
            package = arguments[2]
            there = [v for v in RELEASED[package] if v != "2.16.0" or python not in ("310", "313t", "316", "316t")]
            return f"{package} ({there[-1]})\nAvailable versions: {', '.join([*reversed(there), '2.17.0.dev1'])}\n"
        package, _, version = arguments[-1].partition("==")
        tag = next(a.partition("=")[2] for a in arguments if a.startswith("--platform="))
        name = f"{package}-{version}-cp{python}-cp{python}-{tag}.whl"
        if arguments[0] == "download":
            folder = Path(next(a.partition("=")[2] for a in arguments if a.startswith("--dest=")))
            write_wheel(folder / name)
            return ""
        report = Path(next(a.partition("=")[2] for a in arguments if a.startswith("--report=")))
        metadata = {"requires_dist": REQUIRES[package, version], "requires_python": ">=3.11"}
        item = {"metadata": metadata, "download_info": {"url": f"https://index.example/{name}"}}
        report.write_text(json.dumps({"install": [item]}))
        return ""


def write_wheel(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("torch/version.py", "git_version = '0123456789abcdef0123'\n")
        library = b"\0sm_90 \0 sm_75 sm_80 sm_90 sm_100 sm_120 compute_120\0rest"
        archive.writestr("torch/lib/libtorch_python.so", library)


def tables() -> dict[str, Any]:
    return {
        name: json.loads((table.FOLDER / f"{name}.json").read_text())
        for name in ("torch_releases", "torch_builds", "companions")
    }


def test_writing_a_table_again_changes_nothing(refresh: ModuleType) -> None:
    """The diff of a refresh shows new rows and nothing else: the writer reproduces every shipped file."""
    for path in table.FOLDER.iterdir():
        text = path.read_text()
        assert refresh.dump(json.loads(text)) == text, path.name


def test_a_new_release_gets_its_rows(refresh: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Pythons, default variants, pins and companions come from metadata; the result loads as strictly as any table."""
    before = tables()
    after = refresh.refresh(refresh.Pip(Index()), before, "2026-12-24")
    (row,) = [r for r in after["torch_releases"]["rows"] if r["version"] == "2.16.0"]
    assert row["python"]["linux_x86_64"] == ["3.11", "3.12", "3.13", "3.14", "3.14t", "3.15", "3.15t"]
    assert row["default"] == {
        "linux_x86_64": "cu134",
        "linux_aarch64": "cu134",
        "windows_x86_64": "cpu",
        "macos_arm64": "cpu",
    }
    assert (row["cudnn"], row["nccl"], row["triton"]) == ("9.30.0.11", "2.31.2", "~=3.10.0")
    assert (row["torchvision"], row.get("torchaudio"), row["glibc"]["linux_x86_64"]) == ("0.30.0", None, "2.28")
    builds = [r for r in after["torch_builds"]["rows"] if r["version"] == "2.16.0"]
    assert {(b["platform"], b["variant"], b["evidence"]) for b in builds} == {
        ("linux_x86_64", "cu134", "none"),
        ("linux_aarch64", "cu134", "none"),
    }
    (vision,) = [r for r in after["companions"]["rows"] if r["version"] == "0.30.0"]
    assert vision["requires_torch"] == "==2.16.0"
    monkeypatch.setattr(table, "FOLDER", tmp_path)
    for name, text in after.items():
        (tmp_path / f"{name}.json").write_text(refresh.dump(text))
        whole = table.read.__wrapped__(name)
        assert all(r.source in whole.sources and r.retrieved for r in whole.rows)
        assert text["rows"][: len(before[name]["rows"])] == before[name]["rows"]


def test_what_is_there_already_is_left_alone(refresh: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing new on the index: the tables come back as they are, without a new source."""
    monkeypatch.setitem(RELEASED, "torch", ["2.14.1", "2.15.0"])
    monkeypatch.setitem(RELEASED, "torchvision", ["0.29.2"])
    before = tables()
    assert refresh.refresh(refresh.Pip(Index()), before, "2026-12-24") == before


def test_wheels_are_read(refresh: ModuleType) -> None:
    """The GPU code and the commit, which no metadata have, come from the wheel's own files."""
    after = refresh.refresh(refresh.Pip(Index()), tables(), "2026-12-24", wheels=True)
    build = next(
        r for r in after["torch_builds"]["rows"] if r["version"] == "2.16.0" and r["platform"] == "linux_x86_64"
    )
    assert (build["archs"], build["ptx"], build["evidence"]) == ([75, 80, 90, 100, 120], [120], "wheel")
    release = next(r for r in after["torch_releases"]["rows"] if r["version"] == "2.16.0")
    assert release["git"] == "0123456789ab"


def test_contradictions_are_reported_not_written(refresh: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the metadata of a listed release say something else than its row, a person has to look."""
    newest = table.rows("torch_releases", TorchRelease)[-1]
    same = [
        'cuda-toolkit==13.2.2; platform_system == "Linux"',
        f"nvidia-cudnn-cu13=={newest.cudnn}",
        f"nvidia-nccl-cu13=={newest.nccl}",
        f"triton{newest.triton}",
    ]
    monkeypatch.setitem(REQUIRES, ("torch", newest.version), same)
    pip = refresh.Pip(Index())
    assert refresh.contradictions(pip, tables()["torch_releases"]) == []
    monkeypatch.setitem(REQUIRES, ("torch", newest.version), [same[0].replace("13.2", "13.4"), *same[1:]])
    (line,) = refresh.contradictions(pip, tables()["torch_releases"])
    assert "default is 'cu134', the row says 'cu132'" in line


def test_it_asks_through_pip_alone(refresh: ModuleType) -> None:
    """Every question is a pip command; the scripts know no index by name."""
    index = Index()
    refresh.refresh(refresh.Pip(index), tables(), "2026-12-24")
    assert {words[0] for words in index.asked} == {"index", "install"}
    for path in SCRIPTS.glob("*.py"):
        assert not re.search(r"https?://|urllib|requests\b.*import|http\.client", path.read_text()), path.name


def test_no_diagnosis_runs_it() -> None:
    """Nothing in the package mentions the script: tables change by a reviewed diff only."""
    package = Path(table.__file__).parents[1]
    for path in package.rglob("*.py"):
        assert "refresh.py" not in path.read_text(encoding="utf-8"), path

"""The shipped tables are data that can be trusted: typed, sourced, dated, ordered, without contradiction."""

from __future__ import annotations

import datetime
import itertools
import json
import re
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from envcheck.compat import table
from envcheck.compat.rows import (
    Companion,
    CondaBuild,
    DriverBranch,
    DriverPair,
    ForwardCompat,
    Gpu,
    Peak,
    Row,
    SmRule,
    Toolkit,
    TorchBuild,
    TorchRelease,
)
from envcheck.compat.sm import coverage
from envcheck.compat.version import at_least, cuda_of, key

TODAY = datetime.date.today()

SOURCE_HOSTS = {
    "dev-discuss.pytorch.org",
    "developer.nvidia.com",
    "docs.nvidia.com",
    "download.pytorch.org",
    "forums.developer.nvidia.com",
    "github.com",
    "huggingface.co",
    "resources.nvidia.com",
    "reviews.llvm.org",
    "slackbuilds.org",
    "wiki.nixos.org",
    "www.mathworks.com",
    "www.nvidia.com",
}

KEYS: dict[str, tuple[str, ...]] = {
    "companions": ("package", "version"),
    "conda_forge": ("version", "platform", "cuda"),
    "driver_branches": ("branch",),
    "driver_pairs": ("toolkit",),
    "forward_compat": ("package",),
    "gpus": ("chip", "name"),
    "jetson": ("l4t",),
    "peaks": ("name",),
    "sm_rules": ("sm",),
    "toolkits": ("toolkit",),
    "torch_builds": ("version", "variant", "platform"),
    "torch_releases": ("version",),
    "torch_rocm": ("version",),
    "xid": ("xid",),
}


@pytest.mark.wheel
@pytest.mark.parametrize("name", sorted(table.TABLES))
def test_every_row_has_a_source_and_a_date(name: str) -> None:
    """100 % of the shipped rows say where they come from and when that was looked up."""
    whole = table.read(name)
    assert whole.about and whole.rows
    for row in whole.rows:
        assert whole.sources.get(row.source), f"{name}: source {row.source!r} is not explained"
        assert datetime.date(2020, 1, 1) < datetime.date.fromisoformat(row.retrieved) <= TODAY
    used = {row.source for row in whole.rows} | {getattr(row, "published_source", None) for row in whole.rows}
    assert set(whole.sources) <= used, f"{name}: sources that no row uses"


@pytest.mark.parametrize("name", sorted(table.TABLES))
def test_keys_are_unique(name: str) -> None:
    """No table says two things of one key."""
    keys = [tuple(getattr(row, part) for part in KEYS[name]) for row in table.read(name).rows]
    assert len(keys) == len(set(keys))


@pytest.mark.wheel
def test_every_file_is_a_known_table() -> None:
    """A file that no type reads is dead weight in the wheel."""
    assert {path.stem for path in table.FOLDER.iterdir()} == set(table.TABLES) == set(KEYS)


@pytest.mark.parametrize("name", sorted(table.TABLES))
def test_files_are_reviewable(name: str) -> None:
    """One row a line and plain ASCII, so that a refresh is a readable diff; sources are pages, never an index."""
    text = (table.FOLDER / f"{name}.json").read_bytes().decode("ascii")
    rows = json.loads(text)["rows"]
    lines = [line for line in text.splitlines() if line.startswith('{"')]
    assert len(lines) == len(rows)
    assert set(re.findall(r"https?://([^/\s\"]+)", text)) <= SOURCE_HOSTS


def test_a_bad_row_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Loading is strict: an unknown cell, a missing one and a wrong type all fail, none is skipped."""
    good = json.loads((table.FOLDER / "driver_branches.json").read_text())
    monkeypatch.setattr(table, "FOLDER", tmp_path)
    for change in ({"colour": "red"}, {"branch": "535"}, {"source": None}, {"cuda": 12.2}):
        bad = {**good, "rows": [{**good["rows"][0], **change}]}
        (tmp_path / "driver_branches.json").write_text(json.dumps(bad))
        with pytest.raises(msgspec.ValidationError):
            table.read.__wrapped__("driver_branches")


def test_rows_asks_for_the_right_type() -> None:
    """A caller that expects other rows is told at once."""
    with pytest.raises(TypeError, match="gpus holds Gpu"):
        table.rows("gpus", Peak)


def test_ordered_tables_are_ordered() -> None:
    """Releases, toolkits, pairs and branches run from old to new: code takes the last row for the newest."""
    assert _rising([key(r.version) for r in table.rows("torch_releases", TorchRelease)])
    assert _rising([key(r.toolkit) for r in table.rows("toolkits", Toolkit)])
    assert _rising([(r.branch,) for r in table.rows("driver_branches", DriverBranch)])
    assert _rising([(r.sm,) for r in table.rows("sm_rules", SmRule)])
    assert [r.date for r in table.rows("torch_releases", TorchRelease)] == sorted(
        r.date for r in table.rows("torch_releases", TorchRelease)
    )


def test_driver_floors_are_monotone() -> None:
    """A newer CUDA never needs an older driver, and never one newer than the driver it shipped with."""
    rows = table.rows("toolkits", Toolkit)
    for older, newer in itertools.pairwise(rows):
        assert key(older.driver_linux) <= key(newer.driver_linux)
        assert key(older.driver_windows) <= key(newer.driver_windows)
    for row in rows:
        # CUDA 11.0 GA shipped 450.51.06; the floor that minor-version compatibility documents is 450.80.02.
        if row.paired_linux and row.toolkit != "11.0":
            assert at_least(row.paired_linux, row.driver_linux), row.toolkit


def test_toolkits_agree_with_their_first_drivers() -> None:
    """Two tables from two documents name the same driver for a toolkit's first release."""
    pairs = {row.toolkit: row.driver_linux for row in table.rows("driver_pairs", DriverPair)}
    both = [row for row in table.rows("toolkits", Toolkit) if row.paired_linux and pairs.get(row.toolkit)]
    assert len(both) > 15
    for row in both:
        assert pairs[row.toolkit] == row.paired_linux


def test_branches_report_rising_cuda_and_drop_only() -> None:
    """Later branches report a newer CUDA, and no generation comes back once it was dropped."""
    from envcheck.compat.driver import GENERATIONS

    rows = table.rows("driver_branches", DriverBranch)
    assert _rising([key(row.cuda) for row in rows])
    ranks = [GENERATIONS.index(row.oldest_arch) for row in rows]
    assert ranks == sorted(ranks)


def test_builds_belong_to_releases_and_toolkits() -> None:
    """Every CUDA build names a known release (1.8.2 LTS is on no default index) and a known toolkit."""
    releases = {row.version: row for row in table.rows("torch_releases", TorchRelease)}
    toolkits = {row.toolkit for row in table.rows("toolkits", Toolkit)}
    for row in table.rows("torch_builds", TorchBuild):
        assert cuda_of(row.variant) in toolkits, row.name
        assert row.version in releases or row.version == "1.8.2"
        assert (row.archs is None) == (row.evidence == "none"), row.name
        assert row.archs == sorted(row.archs or []) or row.archs is None
        assert row.published != "yes" or row.published_source, f"{row.name} {row.platform}"


def test_the_default_variant_is_a_published_build() -> None:
    """What a plain install gives is in the table of builds, marked, with the code read from its own wheel."""
    builds = {(b.version, b.variant, b.platform): b for b in table.rows("torch_builds", TorchBuild)}
    for row in table.rows("torch_releases", TorchRelease):
        assert set(row.default) == set(row.python)
        for platform, variant in row.default.items():
            if variant == "cpu":
                continue
            build = builds[row.version, variant, platform]
            assert build.default and build.published == "yes"
            assert platform != "linux_x86_64" or build.evidence == "wheel"
        marked = [b for b in builds.values() if b.version == row.version and b.default]
        assert {(b.platform, b.variant) for b in marked} == {i for i in row.default.items() if i[1] != "cpu"}


def test_code_targets_are_known_to_their_toolkit() -> None:
    """A wheel carries no code that its own CUDA could not compile."""
    targets = {row.toolkit: row.sm for row in table.rows("toolkits", Toolkit) if row.sm}
    for row in table.rows("torch_builds", TorchBuild):
        known = targets.get(cuda_of(row.variant) or "")
        if known and row.archs:
            assert set(row.archs) <= set(known), row.name
    for conda in table.rows("conda_forge", CondaBuild):
        assert set(conda.archs) <= set(targets[conda.cuda]) | {101}, conda.version


def test_companions_form_pairs() -> None:
    """The torchvision and torchaudio that a release names are in the table and ask for that release."""
    rows = {(row.package, row.version): row for row in table.rows("companions", Companion)}
    for release in table.rows("torch_releases", TorchRelease):
        vision = rows["torchvision", release.torchvision]
        assert vision.requires_torch in (f"=={release.version}", ">=2.14.0"), release.version
        if release.torchaudio:
            audio = rows["torchaudio", release.torchaudio]
            assert audio.requires_torch == f"=={release.version}" or release.torchaudio == "2.11.0"


def test_gpu_rows_are_consistent() -> None:
    """A chip has one compute capability and generation, a PCI id one card, and every capability a rule."""
    rules = {row.sm for row in table.rows("sm_rules", SmRule)}
    chips: dict[str, set[tuple[int, str]]] = {}
    ids: list[str] = []
    for row in table.rows("gpus", Gpu):
        chips.setdefault(row.chip, set()).add((row.cc, row.arch))
        ids += row.pci_ids
        assert row.cc in rules
        assert all(re.fullmatch("[0-9a-f]{4}", number) for number in row.pci_ids)
    assert all(len(kinds) == 1 for kinds in chips.values())
    assert len(ids) == len(set(ids))


def test_sm_rules_are_reflexive_and_stay_within_their_major() -> None:
    """Every target runs on its own device; none but the renamed Thor crosses a major version."""
    rules = table.rows("sm_rules", SmRule)
    for rule in rules:
        assert coverage(rule.sm, [rule.sm]) == "cubin"
        for other in rules:
            if other.sm // 10 != rule.sm // 10 and {rule.sm, other.sm} != {101, 110}:
                assert coverage(other.sm, [rule.sm]) is None, (rule.sm, other.sm)


def test_forward_compat_never_runs_backwards() -> None:
    """A cuda-compat package is of no use on a branch newer than its own."""
    for row in table.rows("forward_compat", ForwardCompat):
        answers = [row.base[number] for number in sorted(row.base, key=int)]
        assert answers.count("same branch") <= 1
        if "same branch" in answers:
            assert set(answers[answers.index("same branch") + 1 :]) <= {"no"}


def test_loading_what_one_question_needs_is_quick() -> None:
    """The tables behind one recommendation load in under 25 ms, and the others are not touched."""
    code = (
        "import time; from envcheck.compat import table\n"
        "t = time.perf_counter()\n"
        "for n in ('torch_releases', 'torch_builds', 'toolkits', 'driver_branches', 'sm_rules', 'gpus', 'conda_forge'):"
        " table.read(n)\n"
        "print(time.perf_counter() - t)\n"
        "assert table.read.cache_info().currsize == 7"
    )
    took = []
    for _ in range(9):  # the fastest of several: what a busy machine adds says nothing about the tables
        took.append(float(subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout))
        if took[-1] < 0.025:
            return
    assert min(took) < 0.025


def test_questions_are_lazy() -> None:
    """Importing the questions reads no table; one about drivers reads no GPU and no torch."""
    code = (
        "from envcheck.compat import query, table\n"
        "assert table.read.cache_info().currsize == 0\n"
        "query.driver_floor('12.8')\n"
        "assert table.read.cache_info().currsize == 1"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


def _rising(values: list[tuple[int, ...]]) -> bool:
    return all(a < b for a, b in itertools.pairwise(values))


def test_row_types_are_registered() -> None:
    """Every row type reads one table."""
    assert all(issubclass(kind, Row) for kind in table.TABLES.values())
    assert len(set(table.TABLES.values())) == len(table.TABLES)

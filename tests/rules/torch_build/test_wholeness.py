"""Is torch whole, installed once, and the one that an import finds?"""

from __future__ import annotations

from typing import Any

import pytest

from envcheck.facts import (
    CondaPackage,
    DamagedFile,
    Distribution,
    ModuleOrigin,
    Unread,
)
from envcheck.judge import judge
from envcheck.rules import QUESTIONS
from envcheck.testing import Machine, judge_one, machine

ENV = "/interpreters/0"
TORCH, RUNTIME = f"{ENV}/torch", f"{ENV}/runtime"
SITE = "/home/student/.venv/lib/python3.11/site-packages"
LOST = Unread("refused", "nobody may look")


def damaged(*files: tuple[str, int | None], **changes: Any) -> Machine:
    records = [DamagedFile(path=f"{SITE}/{path}", expected_bytes=1000, actual_bytes=size) for path, size in files]
    return machine("h100").but({f"{TORCH}/damaged": records, **changes})


def shadowed(**changes: Any) -> Machine:
    """A torch.py beside the user's script."""
    words = "AttributeError: partially initialized module 'torch' has no attribute 'nn'"
    local = {
        f"{TORCH}/location": "/home/student/work/torch.py",
        f"{TORCH}/in_site_packages": False,
        f"{RUNTIME}/imported": False,
        f"{RUNTIME}/import_error": words,
    }
    return machine("h100").but({**local, **changes})


def hidden(module: str, imported: bool, **changes: Any) -> Machine:
    """A namesake of a standard module in the working folder."""
    origins = [
        ModuleOrigin(module="torch", origin=f"{SITE}/torch/__init__.py", origin_isolated=f"{SITE}/torch/__init__.py"),
        ModuleOrigin(module=module, origin=f"/home/student/work/{module}.py", origin_isolated=f"/usr/lib/{module}.py"),
    ]
    return machine("h100").but({f"{ENV}/origins": origins, f"{RUNTIME}/imported": imported, **changes})


def mixed(**changes: Any) -> Machine:
    """conda's pytorch with pip's torch over it."""
    both = {
        f"{ENV}/manager": "conda",
        f"{ENV}/conda_packages": [CondaPackage(name="pytorch", version="2.5.1", build="cuda", channel="conda-forge")],
        f"{ENV}/distributions": [Distribution(name="torch", version="2.14.1", installer="pip", requires=[])],
    }
    return machine("h100").but({**both, **changes})


def folders(*items: Distribution, **changes: Any) -> Machine:
    return machine("h100").but({f"{ENV}/distributions": list(items), **changes})


def torch_info(version: str | None, folder: str, location: str = SITE) -> Distribution:
    return Distribution(name="torch", version=version, folder=folder, location=location, installer="pip", requires=[])


GOOD = torch_info("2.14.1", "torch-2.14.1.dist-info")


ROWS: dict[str, dict[str, Machine]] = {
    "torch-library-damaged": {
        "ok": machine("h100"),
        "problem": machine("torch-damaged"),
        "cannot_tell": machine("torch-damaged").but({f"{TORCH}/damaged": LOST}),
        "not_applicable": machine("torch-missing-on-gpu-box"),
    },
    "torch-file-changed": {
        "ok": machine("h100"),
        "problem": damaged(("torch/nn/modules/linear.py", 1010)),
        "cannot_tell": machine("h100").but({f"{TORCH}/damaged": LOST}),
        "not_applicable": machine("torch-missing-on-gpu-box"),
    },
    "torch-shadowed-by-local-file": {
        "ok": machine("h100"),
        "problem": shadowed(),
        "cannot_tell": shadowed(**{f"{TORCH}/in_site_packages": LOST}),
        "not_applicable": machine("torch-missing-on-gpu-box"),
    },
    "torch-mixed-pip-conda": {
        "ok": machine("h100"),
        "problem": mixed(),
        "cannot_tell": mixed(**{f"{ENV}/distributions": LOST}),
    },
    "leftover-torch-distinfo": {
        "ok": machine("h100"),
        "problem": folders(torch_info("2.13.0", "torch-2.13.0.dist-info"), GOOD),
        "cannot_tell": machine("h100").but({f"{ENV}/distributions": LOST}),
    },
}


TABLE = [(rule, outcome) for rule, rows in ROWS.items() for outcome in rows]


@pytest.mark.parametrize(("rule", "outcome"), TABLE)
def test_each_rule_gives_each_outcome(rule: str, outcome: str) -> None:
    """Every rule can be ok, a problem, untellable, and (where it can be) out of place."""
    assert judge_one(rule, ROWS[rule][outcome]).outcome == outcome


@pytest.mark.parametrize("rule", ROWS)
def test_the_text_of_each_finding(rule: str, text: Any, snapshot: Any) -> None:
    """What a user reads, whole."""
    assert text(judge_one(rule, ROWS[rule]["problem"])) == snapshot


@pytest.mark.parametrize(("rule", "outcome"), [row for row in TABLE if row[1] in ("ok", "problem")])
def test_a_missing_fact_neither_accuses_nor_acquits(rule: str, outcome: str, unlawful: Any) -> None:
    """Law 1 around each row of the table, fact by fact."""
    assert unlawful(rule, ROWS[rule][outcome]) == []


def test_healthy_machines_stay_clean(complaints: Any) -> None:
    """No error and no warning of these rules on any healthy machine of the cast."""
    assert complaints(ROWS) == []


@pytest.mark.parametrize(
    ("now", "guilty"),
    [
        (damaged(("torch/lib/libtorch_cpu.so", 900)), "torch-library-damaged"),
        (damaged(("torch/lib/libtorch_cpu.so", None)), "torch-library-damaged"),
        (damaged(("torch/lib/c10.dll", 0)), "torch-library-damaged"),
        (damaged(("nvidia/cudnn/lib/libcudnn.so.9", 10)), "torch-library-damaged"),
        (damaged(("torch/nn/functional.py", 900), ("torch/lib/libc10.so", 1)), "torch-library-damaged"),
        (damaged(("nvidia/cudnn/lib/libcudnn.so.9", None)), None),  # the wheel is gone: the pins' business
        (damaged(("torch/nn/functional.py", 900)), "torch-file-changed"),
    ],
)
def test_what_is_damaged_decides_the_name(now: Machine, guilty: str | None) -> None:
    """A library that is short or gone breaks torch; an edited Python file is a remark."""
    names = ("torch-library-damaged", "torch-file-changed")
    assert [n for n in names if judge_one(n, now).outcome == "problem"] == ([guilty] if guilty else [])


def test_a_passing_import_does_not_acquit_a_short_library() -> None:
    """A library cut by a tenth still imports and computes (tried on 2.13.0)."""
    assert judge_one("torch-library-damaged", damaged(("torch/lib/libtorch_cpu.so", 900))).severity == "error"


def test_a_damaged_library_explains_the_failed_import() -> None:
    """One cause: the signal, the failed import and CUDA being out of reach follow from it."""
    report = judge(machine("torch-damaged").snapshot, QUESTIONS)
    assert [f.rule for f in report.root_causes] == ["torch-library-damaged"]
    assert [c.finding.rule for c in report.consequences] == ["torch-import-fails"]


@pytest.mark.parametrize(
    ("version", "index"),
    [
        ("2.14.1+cu130", None),  # what the default index gives on Linux
        ("2.14.1+cu126", "whl/cu126"),
        ("2.14.1+cpu", "whl/cpu"),
        ("2.14.1+rocm7.2", "whl/rocm7.2"),
    ],
)
def test_torch_is_installed_anew_from_the_index_that_it_came_from(version: str, index: str | None) -> None:
    """Without its index pip would bring another build of the same version."""
    now = machine("torch-damaged").but({f"{TORCH}/version": version})
    finding = judge_one("torch-library-damaged", now).finding
    assert finding is not None and finding.fix is not None
    command = finding.fix.steps[-1].command
    assert '--force-reinstall --no-deps --no-cache-dir "torch==2.14.1"' in command
    assert (index in command) if index else ("index-url" not in command)


@pytest.mark.parametrize(
    ("now", "outcome"),
    [
        (shadowed(**{f"{RUNTIME}/imported": LOST}), "problem"),  # a torch.py needs no further proof
        (shadowed(**{f"{TORCH}/location": "/home/student/pytorch/torch"}), "problem"),
        (shadowed(**{f"{TORCH}/location": "/opt/torch/torch", f"{RUNTIME}/imported": True}), "ok"),  # built in place
        (shadowed(**{f"{TORCH}/location": "/opt/torch/torch", f"{RUNTIME}/imported": LOST}), "cannot_tell"),
        (hidden("random", imported=False), "problem"),
        (hidden("random", imported=True), "ok"),
        (hidden("random", imported=False, **{f"{RUNTIME}/imported": LOST}), "cannot_tell"),
        (hidden("numpy", imported=False), "ok"),  # a package from elsewhere is another question
    ],
)
def test_local_files(now: Machine, outcome: str) -> None:
    """A folder, or a namesake of a standard module, counts where the import failed as well."""
    assert judge_one("torch-shadowed-by-local-file", now).outcome == outcome


def test_the_file_to_rename_is_named() -> None:
    """The fix moves the very file and its compiled form out of the way."""
    finding = judge_one("torch-shadowed-by-local-file", hidden("random", imported=False)).finding
    assert finding is not None and finding.fix is not None
    assert finding.fix.steps[0].command == "mv /home/student/work/random.py /home/student/work/my_random.py"


@pytest.mark.parametrize(
    ("packages", "stale"),
    [
        ([GOOD], []),
        ([torch_info("2.13.0", "torch-2.13.0.dist-info"), GOOD], ["torch-2.13.0.dist-info"]),
        ([GOOD, torch_info(None, "torch-2.12.0.dist-info")], ["torch-2.12.0.dist-info"]),
        (
            [GOOD, Distribution(name="~orch", version="2.12.0", folder="~orch-2.12.0.dist-info")],
            ["~orch-2.12.0.dist-info"],
        ),
        ([GOOD, torch_info("2.12.0", "torch-2.12.0.dist-info", "/home/student/.local/lib")], []),  # another place
    ],
)
def test_only_folders_that_belong_to_no_files_are_stale(packages: list[Distribution], stale: list[str]) -> None:
    """version.py says which of several folders in one place is the living one."""
    verdict = judge_one("leftover-torch-distinfo", folders(*packages))
    assert verdict.outcome == ("problem" if stale else "ok")
    if verdict.finding is not None and verdict.finding.fix is not None:
        told = " ".join(step.command for step in verdict.finding.fix.steps)
        assert all(f"/{name}" in told for name in stale)
        assert "/torch-2.14.1.dist-info" not in told


@pytest.mark.parametrize(
    ("changes", "outcome"),
    [
        ({f"{ENV}/distributions": [Distribution(name="torch", version="2.5.1", installer="conda", requires=[])]}, "ok"),
        (
            {f"{ENV}/distributions": [Distribution(name="torch", version="2.14.1", installer="uv", requires=[])]},
            "problem",
        ),
        ({f"{ENV}/conda_packages": [CondaPackage(name="numpy", version="2.3.4", channel="conda-forge")]}, "ok"),
        ({f"{ENV}/conda_packages": LOST}, "cannot_tell"),
    ],
)
def test_two_managers_in_one_prefix(changes: dict[str, Any], outcome: str) -> None:
    """pip's torch in a conda environment is healthy as long as conda has none of its own there."""
    assert judge_one("torch-mixed-pip-conda", mixed(**changes)).outcome == outcome

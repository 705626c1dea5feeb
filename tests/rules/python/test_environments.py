"""Do interpreter, pip, conda environment and search path belong together?"""

from __future__ import annotations

from typing import Any

import pytest

from envcheck.facts import CondaPackage, Distribution, Target, Unread, Variable
from envcheck.judge import judge
from envcheck.rules import QUESTIONS
from envcheck.rules.python.conda import family
from envcheck.rules.python.folders import below, plain
from envcheck.testing import Machine, judge_one, machine

ENV = "/interpreters/0"
TORCH, RUNTIME = f"{ENV}/torch", f"{ENV}/runtime"
SITE = "/home/student/.venv/lib/python3.11/site-packages"
USER = "/home/student/.local/lib/python3.11/site-packages"
LOST = Unread("refused", "nobody may look")


def variables(**values: str) -> dict[str, Any]:
    return {"/environment/variables": [Variable(name=name, value=value) for name, value in values.items()]}


def conda(cast: str = "h100", name: str | None = "study", **changes: Any) -> Machine:
    """The judged environment is a conda one, and activated."""
    prefix = "/opt/conda" if name == "base" else f"/opt/conda/envs/{name}"
    facts = {
        f"{ENV}/manager": "conda",
        f"{ENV}/name": name,
        f"{ENV}/prefix": prefix,
        f"{ENV}/executable": f"{prefix}/bin/python",
        f"{ENV}/cfg_version": None,
        **variables(CONDA_PREFIX=prefix),
    }
    return machine(cast).but({**facts, **changes})


def channels(**names: Any) -> Machine:
    """conda's packages by the channel that each came from."""
    packages = [CondaPackage(name=name, version="1", channel=channel) for name, channel in names.items()]
    return conda(**{f"{ENV}/conda_packages": packages})


def pip(interpreter: Any, **changes: Any) -> Machine:
    return machine("h100").but({"/environment/pip_interpreter": interpreter, **changes})


def pythonpath(value: str, *packages: Distribution, **changes: Any) -> Machine:
    own = [Distribution(name="numpy", version="2.3.4", location=SITE, requires=[])]
    return machine("h100").but({**variables(PYTHONPATH=value), f"{ENV}/distributions": [*packages, *own], **changes})


def copies(*places: str, location: str = f"{SITE}/torch", **changes: Any) -> Machine:
    found = [f"{place}/torch/version.py" for place in places]
    return machine("h100").but({f"{TORCH}/copies": found, f"{TORCH}/location": location, **changes})


def asks(package: str, *requires: str, **changes: Any) -> Machine:
    packages = [
        Distribution(name=package, version="1.0", requires=list(requires)),
        Distribution(name="numpy", version="2.3.4", requires=[]),
        Distribution(name="torch", version="2.14.1", requires=[]),
    ]
    return machine("h100").but({f"{ENV}/distributions": packages, **changes})


FOREIGN = Distribution(name="numpy", version="1.26.4", location="/opt/old/lib/python3.11/site-packages", requires=[])

ROWS: dict[str, dict[str, Machine]] = {
    "broken-venv": {
        "ok": machine("h100").but({f"{ENV}/starts": True}),
        "problem": machine("h100").but({f"{ENV}/starts": False, f"{ENV}/probe": LOST, f"{ENV}/home_missing": True}),
        "cannot_tell": machine("h100").but({f"{ENV}/cfg_version": LOST}),
        "not_applicable": conda(),
    },
    "pip-of-another-python": {
        "ok": machine("h100"),
        "problem": pip("/usr/bin/python3", **{"/environment/shell_pip": ["/usr/bin/pip"]}),
        "cannot_tell": pip(LOST),
        "not_applicable": pip(None),
    },
    "conda-env-not-activated": {
        "ok": conda(),
        "problem": conda(**variables(CONDA_PREFIX="/opt/conda")),
        "cannot_tell": conda(**{"/environment/variables": LOST}),
        "not_applicable": machine("h100").but(variables(CONDA_PREFIX="/opt/conda")),
    },
    "conda-base-in-use": {
        "ok": conda(),
        "problem": conda(name="base"),
        "cannot_tell": conda(name="base", **{f"{ENV}/name": LOST}),
        "not_applicable": machine("h100"),
    },
    "conda-channel-mix": {
        "ok": channels(pytorch="pytorch", numpy="defaults", mkl="https://repo.anaconda.com/pkgs/main/linux-64"),
        "problem": channels(pytorch="https://conda.anaconda.org/conda-forge/linux-64", mkl="pkgs/main"),
        "cannot_tell": channels(pytorch="conda-forge", mkl=LOST),
        "not_applicable": machine("h100"),
    },
    "user-site-shadowing": {
        "ok": machine("h100"),
        "problem": copies(USER, SITE, location=f"{USER}/torch"),
        "cannot_tell": copies(USER, SITE, location=f"{USER}/torch", **{f"{ENV}/user_site": LOST}),
    },
    "pythonpath-shadowing": {
        "ok": pythonpath("/home/student/src"),
        "problem": pythonpath("/opt/old/lib/python3.11/site-packages", FOREIGN),
        "cannot_tell": machine("h100").but({"/environment/variables": LOST}),
    },
    "two-torch-copies-on-path": {
        "ok": machine("h100"),
        "problem": copies(SITE, "/opt/shared"),
        "cannot_tell": machine("h100").but({f"{TORCH}/copies": LOST}),
    },
    "dependency-conflict": {
        "ok": asks("numba", "numpy<2.4,>=1.24"),
        "problem": asks("numba", "numpy<2.3,>=1.24"),
        "cannot_tell": asks("numba", "numpy<2.4", **{f"{ENV}/distributions/0/requires": LOST}),
        "not_applicable": machine("h100").but({f"{ENV}/distributions": []}),
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


# -- virtual environments --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "outcome", "suspected"),
    [
        ({f"{ENV}/starts": False}, "problem", True),
        ({f"{ENV}/starts": True, f"{ENV}/home_missing": True}, "ok", False),  # harmless on Linux (tried 3.8 to 3.13)
        ({f"{ENV}/home_missing": True}, "ok", False),  # it answered the probe: it starts
        ({f"{ENV}/home_missing": True, f"{ENV}/probe": LOST}, "cannot_tell", True),
        ({f"{ENV}/home_missing": False, f"{ENV}/probe": LOST}, "cannot_tell", False),
        ({f"{ENV}/starts": True, f"{ENV}/version": "3.12.4"}, "problem", True),  # the base went to another minor
        ({f"{ENV}/starts": True, f"{ENV}/version": "3.11.14"}, "ok", False),  # a patch release is fine
    ],
)
def test_virtual_environments(changes: dict[str, Any], outcome: str, suspected: bool) -> None:
    """One that cannot be started, or that runs another minor version than it was made for."""
    verdict = judge_one("broken-venv", machine("h100").but(changes))
    assert (verdict.outcome, verdict.finding is not None) == (outcome, suspected)


def test_a_dead_environment_is_the_first_cause() -> None:
    """Nothing else of it can be asked, and nothing else is accused."""
    dead = {f"{ENV}/starts": False, f"{ENV}/probe": LOST, TORCH: LOST, RUNTIME: LOST, f"{ENV}/distributions": LOST}
    report = judge(machine("h100").but(dead).snapshot, QUESTIONS)
    assert [f.rule for f in report.root_causes] == ["broken-venv"]


# -- pip -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "outcome"),
    [
        ({"/environment/pip_interpreter": "/home/student/.venv/bin/python3.11"}, "ok"),
        ({"/environment/pip_interpreter": "/usr/bin/python3.11"}, "problem"),  # the base is another environment
        ({"/environment/pip_interpreter": "/home/student/.venv2/bin/python"}, "problem"),
        (
            {
                "/environment/pip_interpreter": "/usr/bin/python3",
                "/target": Target(interpreter=0, chosen_by="--python"),
            },
            "not_applicable",
        ),
        ({"/environment/pip_interpreter": "/usr/bin/python3", f"{ENV}/prefix": LOST}, "cannot_tell"),
    ],
)
def test_whose_pip_it_is(changes: dict[str, Any], outcome: str) -> None:
    """By the folder where the environment keeps its interpreter; a named environment is not the shell's."""
    assert judge_one("pip-of-another-python", machine("h100").but(changes)).outcome == outcome


def test_an_environment_without_pip_only_gets_a_remark() -> None:
    """uv makes environments without pip: a pip from elsewhere is then what PATH has to offer."""
    assert judge_one("pip-of-another-python", pip("/usr/bin/python3", **{f"{ENV}/has_pip": False})).severity == "note"


def test_the_pip_of_an_environment_that_was_moved() -> None:
    """The environment's own pip names another Python: the environment was moved, PATH is in order."""
    own = pip("/home/student/old/bin/python", **{"/environment/shell_pip": ["/home/student/.venv/bin/pip"]})
    problem = judge_one("pip-of-another-python", own)
    assert problem.outcome == "problem"
    assert "moved or copied" in str(problem)


# -- conda -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "severity"),
    [
        ({}, "note"),
        ({"/host/system": "Windows"}, "warning"),
        ({"/host/system": "Windows", f"{RUNTIME}/imported": False}, "error"),
    ],
)
def test_an_environment_that_is_not_activated(changes: dict[str, Any], severity: str) -> None:
    """On Linux it mostly works; on Windows the DLL folder is not on PATH."""
    now = conda(**{**variables(CONDA_PREFIX="/opt/conda"), **changes})
    assert judge_one("conda-env-not-activated", now).severity == severity


def test_base_in_a_container_is_a_remark() -> None:
    """An image holds one environment, and that is often base."""
    assert judge_one("conda-base-in-use", conda(name="base", **{"/container/engine": "docker"})).severity == "note"


@pytest.mark.parametrize(
    ("channel", "name"),
    [
        ("conda-forge", "conda-forge"),
        ("https://conda.anaconda.org/conda-forge/linux-64", "conda-forge"),
        ("https://repo.anaconda.com/pkgs/main/linux-64", "defaults"),
        ("pkgs/main", "defaults"),
        ("defaults", "defaults"),
        ("https://conda.anaconda.org/pytorch/linux-64", "pytorch"),
        ("https://conda.anaconda.org/nvidia/label/cuda-12.4.0/linux-64", "nvidia"),
        ("https://mirror.example.org/mychannel/noarch", "mychannel"),
    ],
)
def test_the_family_of_a_channel(channel: str, name: str) -> None:
    """conda writes a channel as a name or as an address."""
    assert family(channel) == name


def test_the_old_official_recipe_is_no_mix() -> None:
    """torch from pytorch, CUDA from nvidia and the rest from the default channels was the way up to torch 2.5."""
    assert judge_one("conda-channel-mix", channels(pytorch="pytorch", numpy="pkgs/main")).outcome == "ok"
    assert judge_one("conda-channel-mix", channels(pytorch="pytorch", numpy="conda-forge")).outcome == "problem"


# -- the search path -------------------------------------------------------------------------------------------

PATHS = ("user-site-shadowing", "pythonpath-shadowing", "two-torch-copies-on-path")


@pytest.mark.parametrize(
    ("now", "guilty"),
    [
        (copies(USER, SITE, location=f"{USER}/torch"), PATHS[0]),
        (copies(SITE, USER, location=f"{SITE}/torch"), PATHS[2]),
        (copies(USER, location=f"{USER}/torch"), None),  # the user site alone is healthy
        (pythonpath("/opt/ros/jazzy/lib"), None),
        (pythonpath(SITE), None),  # its own folder once more
        (pythonpath("/opt/py/lib/python3.8/site-packages"), PATHS[1]),
        (pythonpath("/opt/py/python3.8/src"), None),  # no folder of installed packages
        (pythonpath("/opt/torch", **{f"{TORCH}/location": "/opt/torch/torch"}), PATHS[1]),
        (
            pythonpath(
                "C:\\old\\site-packages;C:\\x",
                Distribution(name="torch", version="2.0", location="C:\\old\\site-packages"),
                **{"/host/system": "Windows"},
            ),
            PATHS[1],
        ),
    ],
)
def test_where_packages_come_from(now: Machine, guilty: str | None) -> None:
    """PYTHONPATH comes before everything, then the user site; otherwise the copies are counted."""
    assert [name for name in PATHS if judge_one(name, now).outcome == "problem"] == ([guilty] if guilty else [])


def test_a_failed_import_makes_pythonpath_the_cause() -> None:
    """Compiled packages of another Python do not import: that is an error, and the import its consequence."""
    words = "ImportError: Failed to load PyTorch C extensions"
    place = "/opt/py/lib/python3.8/site-packages"
    now = pythonpath(
        place, **{f"{TORCH}/location": f"{place}/torch", f"{RUNTIME}/imported": False, f"{RUNTIME}/import_error": words}
    )
    report = judge(now.snapshot, QUESTIONS)
    assert [f.rule for f in report.root_causes] == ["pythonpath-shadowing"]
    assert "torch-import-fails" in [c.finding.rule for c in report.consequences]


def test_paths_as_texts() -> None:
    """Slashes of both systems; a folder is not below its namesake."""
    assert plain("C:\\env\\") == "C:/env"
    assert below("/home/a/torch", "/home/a") and below("/x", "/")
    assert not below("/home/ab", "/home/a")


# -- requirements ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("now", "outcome"),
    [
        (asks("xformers", "torch==2.9.1"), "problem"),
        (asks("xformers", "torch>=2.10"), "ok"),
        (asks("numba", "numpy<2 ; python_version < '3.10'"), "ok"),  # the marker does not hold here
        (asks("numba", "numpy<2 ; extra == 'old'"), "ok"),
        (asks("pandas", "pytz<2000"), "ok"),  # the packages' own affair
        (asks("torchvision", "torch==2.11.0"), "ok"),  # has a rule of its own
    ],
)
def test_requirements_on_torch_and_numpy(now: Machine, outcome: str) -> None:
    """Only what compiled packages hang on, and only where the marker holds."""
    assert judge_one("dependency-conflict", now).outcome == outcome


@pytest.mark.parametrize("rule", ["externally-managed", "disk-or-cache-full", "conda-cuda-virtual-package-absent"])
def test_what_only_a_message_shows(rule: str, heard: Any, text: Any, snapshot: Any) -> None:
    """No message: out of place.  A message that suggests: a suspicion.  One that proves: a finding."""
    assert judge_one(rule, machine("h100")).outcome == "not_applicable"
    suspicion = judge_one(rule, heard(machine("h100"), rule, "its own words"))
    assert (suspicion.outcome, suspicion.finding is not None) == ("cannot_tell", True)
    proven = judge_one(rule, heard(machine("h100"), rule, "its own words", proves=True))
    assert proven.outcome == "problem"
    assert text(proven) == snapshot

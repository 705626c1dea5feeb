"""Is what the prompt shows also what python starts?"""

from __future__ import annotations

from typing import Any

import pytest

from envcheck.facts import Target, Unread, Variable
from envcheck.judge import judge
from envcheck.rules import QUESTIONS
from envcheck.testing import Machine, judge_one, machine

RULE = "activation-not-in-effect"
VENV = "/home/student/.venv"
LOST = Unread("refused", "nobody may look")


def shell(
    in_effect: Any, *, named: Any = f"{VENV}/bin/python", started: Any = "/usr/bin/python3", **values: str
) -> Machine:
    """A shell with these variables, whose python starts ``started``."""
    variables = values or {"VIRTUAL_ENV": VENV}
    return machine("h100").but(
        {
            "/environment/variables": [Variable(name=name, value=value) for name, value in variables.items()],
            "/environment/activated_interpreter": named,
            "/environment/python_interpreter": started,
            "/environment/activation_in_effect": in_effect,
        }
    )


ROWS = {
    "ok": shell(True, started=f"{VENV}/bin/python"),
    "problem": shell(False),
    "problem, conda": shell(False, named="/opt/conda/envs/d2l/bin/python", CONDA_PREFIX="/opt/conda/envs/d2l"),
    "problem, deleted": shell(False, named=None),
    "problem, the venv on top of conda counts": shell(False, CONDA_PREFIX="/opt/conda", VIRTUAL_ENV=VENV),
    "cannot_tell": shell(LOST),
    "cannot_tell, variables": shell(False).but({"/environment/variables": LOST}),
    "not_applicable": shell(None, named=None),
    "not_applicable, named": shell(False).but({"/target": Target(interpreter=0, chosen_by="--python")}),
    "not_applicable, a program's own": shell(False).but({"/target": Target(interpreter=0, chosen_by="sys.executable")}),
    "not_applicable, a notebook's own": shell(False).but({"/target": Target(interpreter=0, chosen_by="notebook")}),
}


@pytest.mark.parametrize("row", ROWS)
def test_outcomes(row: str) -> None:
    """The variable against PATH, where the shell's own choice is judged."""
    assert judge_one(RULE, ROWS[row]).outcome == row.partition(",")[0]


@pytest.mark.parametrize("row", [row for row in ROWS if row.startswith("problem")])
def test_the_text(row: str, text: Any, snapshot: Any) -> None:
    """What a user reads, whole."""
    assert text(judge_one(RULE, ROWS[row])) == snapshot


@pytest.mark.parametrize("row", [row for row in ROWS if row.startswith(("ok", "problem"))])
def test_a_missing_fact_neither_accuses_nor_acquits(row: str, unlawful: Any) -> None:
    """Law 1 around each row, fact by fact."""
    assert unlawful(RULE, ROWS[row]) == []


def test_healthy_machines_stay_clean(complaints: Any) -> None:
    """No healthy machine of the cast is told to activate anything."""
    assert complaints([RULE]) == []


def test_a_dead_environment_explains_it() -> None:
    """A venv without its base Python cannot be what python starts: one cause, not two."""
    dead = shell(False).but({"/interpreters/0/starts": False, "/interpreters/0/probe": LOST})
    report = judge(dead.snapshot, QUESTIONS)
    assert report.root_causes[0].rule == "broken-venv"
    assert RULE in [effect.finding.rule for effect in report.consequences]

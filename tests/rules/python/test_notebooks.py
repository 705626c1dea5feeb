"""Does each Jupyter kernel lead to a Python that has what the notebook needs?"""

from __future__ import annotations

from typing import Any

import pytest

from envcheck.facts import GpuProcess, Interpreter, Kernel, TorchInstall, Unread, Variable
from envcheck.judge import Policy, judge
from envcheck.rules import QUESTIONS
from envcheck.testing import Machine, judge_one, machine

ENV = "/interpreters/0"
HERE = "/home/student/.venv/bin/python"
THERE = "/opt/conda/envs/old/bin/python"
LOST = Unread("refused", "nobody may look")
GIB = 1 << 30


def spec(name: str, interpreter: Any, **facts: Any) -> Kernel:
    given: dict[str, Any] = {
        "name": name,
        "path": f"/home/student/.local/share/jupyter/kernels/{name}",
        "language": "python",
        "argv": [interpreter if isinstance(interpreter, str) else THERE, "-m", "ipykernel_launcher"],
        "interpreter": interpreter,
        "has_ipykernel": True,
        "variables": [],
    }
    return Kernel(**{**given, **facts})


def kernels(*specs: Kernel, other: Any = None, **changes: Any) -> Machine:
    """A machine with these kernels and a second environment, whose torch is ``other``."""
    second = Interpreter(executable=THERE, found_by=["kernelspec"], prefix="/opt/conda/envs/old", torch=other)
    first = machine("h100").snapshot.interpreters
    assert isinstance(first, list)
    return machine("h100").but({"/jupyter/kernels": list(specs), "/interpreters": [*first, second], **changes})


def processes(*found: GpuProcess) -> Machine:
    return machine("h100").but({"/nvml/gpus/0/processes": list(found)})


def process(name: Any = "/x/bin/python -m ipykernel_launcher", memory: Any = 8 * GIB, own: Any = True) -> GpuProcess:
    return GpuProcess(pid=4711, name=name, memory_bytes=memory, own=own)


MASKED = spec("d2l", HERE, variables=["CUDA_VISIBLE_DEVICES="])

ROWS: dict[str, dict[str, Machine]] = {
    "stale-kernelspec": {
        "ok": kernels(spec("d2l", HERE)),
        "problem": kernels(spec("d2l", None)),
        "cannot_tell": kernels(spec("d2l", LOST)),
    },
    "ipykernel-missing": {
        "ok": kernels(spec("d2l", HERE)),
        "problem": kernels(spec("d2l", HERE, has_ipykernel=False)),
        "cannot_tell": kernels(spec("d2l", HERE, has_ipykernel=LOST)),
        "not_applicable": kernels(spec("ir", "/usr/bin/R", language="R", has_ipykernel=None)),
    },
    "jupyter-kernel-other-env": {
        "ok": kernels(spec("d2l", HERE)),
        "problem": kernels(spec("old", THERE)),
        "cannot_tell": kernels(spec("old", "/opt/unknown/bin/python")),
        "not_applicable": kernels(spec("old", THERE), **{f"{ENV}/torch": None}),
    },
    "jupyter-env-vars-missing": {
        "ok": kernels(spec("d2l", HERE)),
        "problem": kernels(MASKED),
        "cannot_tell": kernels(spec("d2l", HERE, variables=LOST)),
        "not_applicable": kernels(spec("ir", "/usr/bin/R", language="R")),
    },
    "notebook-holds-gpu-memory": {
        "ok": processes(process("/usr/bin/python3 train.py")),
        "problem": processes(process()),
        "cannot_tell": processes(process(memory=LOST)),
        "not_applicable": machine("h100"),
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


def test_a_kernel_that_leads_nowhere_is_named_once() -> None:
    """The missing ipykernel and the missing torch of a Python that is gone are no causes of their own."""
    report = judge(kernels(spec("d2l", None, has_ipykernel=LOST)).snapshot, QUESTIONS)
    assert [f.rule for f in report.root_causes] == ["stale-kernelspec"]


@pytest.mark.parametrize(
    ("specs", "severity"),
    [
        ([spec("old", THERE)], "error"),  # every notebook lacks torch
        ([spec("old", THERE), spec("d2l", HERE)], "note"),  # one kernel has it: the other may be meant for other work
    ],
)
def test_a_kernel_without_torch_is_an_error_only_where_none_has_it(specs: list[Kernel], severity: str) -> None:
    """Several kernels for several projects are healthy."""
    assert judge_one("jupyter-kernel-other-env", kernels(*specs), Policy(), "kernel:").severity == severity


@pytest.mark.parametrize(
    ("other", "outcome"),
    [(TorchInstall(version="2.9.1+cu128"), "ok"), (None, "problem"), (LOST, "cannot_tell")],
)
def test_a_kernel_of_another_environment(other: Any, outcome: str) -> None:
    """Another environment with a torch of its own serves as well."""
    assert judge_one("jupyter-kernel-other-env", kernels(spec("old", THERE), other=other)).outcome == outcome


@pytest.mark.parametrize(
    ("value", "shell", "outcome", "severity"),
    [
        ("CUDA_VISIBLE_DEVICES=-1", None, "problem", "warning"),
        ("CUDA_VISIBLE_DEVICES=1", None, "problem", "note"),
        ("CUDA_VISIBLE_DEVICES=1", "1", "ok", "warning"),
        ("CUDA_HOME=/usr/local/cuda", None, "ok", "warning"),
    ],
)
def test_a_mask_in_the_kernelspec(value: str, shell: str | None, outcome: str, severity: str) -> None:
    """A mask that leaves no card is a warning, another choice of cards a remark."""
    own = [] if shell is None else [Variable(name="CUDA_VISIBLE_DEVICES", value=shell)]
    verdict = judge_one(
        "jupyter-env-vars-missing", kernels(spec("d2l", HERE, variables=[value]), **{"/environment/variables": own})
    )
    assert (verdict.outcome, verdict.severity) == (outcome, severity)


@pytest.mark.parametrize(
    ("found", "outcome"),
    [
        (process(memory=GIB // 2), "ok"),
        (process(own=False), "ok"),  # somebody else's notebook is another rule's business
        (process(name=LOST), "cannot_tell"),
        (process(own=LOST), "cannot_tell"),
    ],
)
def test_notebooks_that_hold_memory(found: GpuProcess, outcome: str) -> None:
    """The user's own kernels, from a gibibyte on."""
    assert judge_one("notebook-holds-gpu-memory", processes(found)).outcome == outcome

"""Command lines run in this process with a law of one rule, or as the real program in a child."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from envcheck.__main__ import main
from envcheck.facts import Driver, Gpu, Host, Interpreter, Nvml, Snapshot, Target, Unread, encode, make
from envcheck.judge import Case, Fix, Policy, Problem, Rule, Step, question


class Planted(Rule):
    """The driver is too old.

    What it looks at
        The driver's version.
    Why it matters
        Nothing runs.
    How to mend it
        Upgrade.
    Cannot tell when
        NVML is silent.
    References
        None.
    """

    code, name, rung, essential = "TST101", "planted-driver-too-old", "nvml", True


class Lost(Planted):
    code, name, rung, essential = "TST102", "planted-gpu-lost", "nvml", False


class Absent(Planted):
    code, name, rung, essential = "TST103", "planted-gpu-absent", "hardware", False


@question("host", Planted)
def is_the_driver_new_enough(case: Case) -> Problem | None:
    if case.known("/driver/nvml", str) == "580.95.05":
        return None
    fix = Fix(title="Upgrade", steps=[Step(where="host", command="sudo apt-get install nvidia-driver-580", root=True)])
    return case.problem(Planted, "the driver is too old", cause="it is", evidence=["/driver/nvml"], fix=fix)


@question("gpu", Lost)
def does_the_gpu_answer(case: Case) -> Problem | None:
    pointer = f"{case.at('nvml')}/error_code"
    if case.known(pointer, int) is None:
        return None
    return case.problem(Lost, "the GPU is lost", cause="it fell off the bus", evidence=[pointer])


@question("host", Absent)
def are_there_enough_gpus(case: Case) -> Problem | None:
    policy: Policy = case.policy
    seen = case.known("/nvml/device_count", int) or 0
    if seen >= max(policy.gpus, int(policy.require_gpu)):
        return None
    return case.problem(Absent, "too few GPUs", cause="", evidence=["/nvml/device_count"])


QUESTIONS = (is_the_driver_new_enough, does_the_gpu_answer, are_there_enough_gpus)
RULES = (Planted, Lost, Absent)


def machine(driver: object = "580.95.05", lost: Sequence[bool] = ()) -> Snapshot:
    gpus = [
        Gpu(index=i, uuid=f"GPU-{i}", bus_id=f"0000:0{i}:00.0", error_code=15 if bad else None)
        for i, bad in enumerate(lost)
    ]
    return make(
        tool="envcheck 0",
        taken_at="2026-01-02T03:04:05Z",
        target=Target(interpreter=0, chosen_by="VIRTUAL_ENV"),
        host=Host(system="Linux", os_id="ubuntu"),
        driver=Driver(nvml=driver),  # type: ignore[arg-type]
        nvml=Nvml(device_count=len(gpus), gpus=gpus),
        interpreters=[Interpreter(executable="/home/student/.venv/bin/python", found_by=["VIRTUAL_ENV"])],
    )


MACHINES: dict[str, Callable[[], Snapshot]] = {
    "fit": lambda: machine(lost=[False, False]),
    "unfit": lambda: machine(driver="535.183.01", lost=[False]),
    "undetermined": lambda: machine(driver=Unread("timeout", "no answer in 5 s")),
    "one-lost": lambda: machine(lost=[False, True]),
    "no-gpu": lambda: machine(),
}


@dataclass(frozen=True)
class Result:
    code: int
    out: str
    err: str


@pytest.fixture
def law(monkeypatch: pytest.MonkeyPatch) -> None:
    """Replace the house's law by three planted rules."""
    import envcheck.rules

    monkeypatch.setattr(envcheck.rules, "QUESTIONS", QUESTIONS)
    monkeypatch.setattr(envcheck.rules, "RULES", RULES)


@pytest.fixture
def recorded(tmp_path: Path) -> Callable[[str], str]:
    """A machine's snapshot as a file; returns its path."""

    def write(name: str) -> str:
        path = tmp_path / f"{name}.json"
        path.write_bytes(encode(MACHINES[name]()))
        return str(path)

    return write


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> Callable[[object], list[object]]:
    """Make this machine another one, or one where looking raises; returns the options that were asked for."""
    import envcheck.collect

    def become(what: object) -> list[object]:
        asked: list[object] = []

        def snapshot_here(options: object, watch: object = None) -> Snapshot:
            asked.append(options)
            if isinstance(what, BaseException):
                raise what
            return MACHINES[str(what)]()

        monkeypatch.setattr(envcheck.collect, "snapshot_here", snapshot_here)
        return asked

    return become


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str]) -> Callable[..., Result]:
    """Run one command line in this process."""

    def run(*args: str) -> Result:
        code = main(list(args))
        captured = capsys.readouterr()
        return Result(code, captured.out, captured.err)

    return run


@pytest.fixture
def program() -> Callable[..., subprocess.CompletedProcess[bytes]]:
    """Run ``python -m envcheck`` in a child, with a small environment of its own."""
    import envcheck

    root = str(Path(envcheck.__file__).parent.parent)

    def run(
        *args: str, env: Mapping[str, str] | None = None, code: str = "", **more: object
    ) -> subprocess.CompletedProcess[bytes]:
        environ = {name: os.environ[name] for name in ("SYSTEMROOT", "PATH", "HOME") if name in os.environ}
        environ |= {"PYTHONPATH": root, **(env or {})}
        environ = {name: value for name, value in environ.items() if value != "UNSET"}
        argv = [sys.executable, *(["-c", code] if code else ["-m", "envcheck"]), *args]
        settings: dict[str, object] = {"capture_output": True, "timeout": 60, "env": environ, **more}
        return subprocess.run(argv, check=False, **settings)  # type: ignore[call-overload,no-any-return]

    return run

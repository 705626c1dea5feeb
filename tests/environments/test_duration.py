"""doctor imports torch while it does everything else: it takes hardly longer than the import alone."""

from __future__ import annotations

import shlex
import statistics
import subprocess
import time

from tests.environments.conftest import Shell, doctor_command
from tests.environments.trees import Environment

ALLOWED = 1.25
PAIRS = 5
ROUNDS = 3


def test_doctor_takes_hardly_longer_than_the_import_of_torch(shell: Shell, venv: Environment) -> None:
    """At most 1.25 times as long as asking torch itself, in the same environment.

    Both run in turn and are compared pair by pair, so that a machine whose speed drifts moves the two alike; a round
    that something else disturbed is measured again.  A second import of torch in series would double the figure in all.
    """
    asking = f"{shlex.quote(str(venv.python))} -c 'import torch; torch.cuda.is_available()'"
    doctor = doctor_command(venv.python, ())
    seconds(asking, shell)  # the first start writes the bytecode, and brings the libraries into memory
    seconds(doctor, shell)
    medians: list[float] = []
    for _ in range(ROUNDS):
        medians.append(statistics.median(seconds(doctor, shell) / seconds(asking, shell) for _ in range(PAIRS)))
        if medians[-1] <= ALLOWED:
            break
    assert medians[-1] <= ALLOWED, f"medians of {PAIRS} pairs each: {medians}"


def seconds(command: str, shell: Shell) -> float:
    """The wall time of one command that succeeds."""
    begun = time.perf_counter()
    subprocess.run(shlex.split(command), cwd=shell.cwd, env=shell.environ, check=True, capture_output=True)
    return time.perf_counter() - begun

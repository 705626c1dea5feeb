"""Jupyter kernels, and the memory that a notebook keeps."""

from __future__ import annotations

import json
import os
from pathlib import Path

from tests.e2e.environments import Wheel, virtual
from tests.e2e.rows import Row, server
from tests.fakes import Machine, healthy_h100

GIB = 1 << 30
INITIAL_NAMESPACE = 4026531836  # PROC_PID_INIT_INO: there NVML's pids are this process's, too
KERNEL = "/home/student/.venv/bin/python -m ipykernel_launcher -f kernel.json"


def busy_notebook() -> Machine:
    """A process of the asking user (the one that runs the tests) holds memory of the second card."""
    own = {"process.0.pid": os.getpid(), "process.0.memory_bytes": 9 * GIB, "process.0.name": KERNEL}
    machine = server(healthy_h100(2).gpu(1, own, memory_used_bytes=9 * GIB))
    return machine.linking("/proc/self/ns/pid", INITIAL_NAMESPACE)


def kernels(home: Path) -> None:
    """One that leads nowhere, one without ipykernel, one of an environment without torch, one that hides the cards."""
    bare = virtual(Wheel("ipykernel", "7.1.0", {"ipykernel/__init__.py": b""}))(home / ".virtualenvs" / "bare")
    empty = virtual()(home / ".virtualenvs" / "empty")
    specs = {
        "old": ("/opt/envs/old/bin/python", {}),
        "empty": (empty, {}),
        "bare": (bare, {"CUDA_VISIBLE_DEVICES": ""}),
    }
    for name, (python, variables) in specs.items():
        path = home / ".local" / "share" / "jupyter" / "kernels" / name / "kernel.json"
        path.parent.mkdir(parents=True)
        argv = [python, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
        path.write_text(json.dumps({"argv": argv, "language": "python", "env": variables}))


ROWS = {
    "kernels": Row(
        lambda: server(healthy_h100(2)),
        {
            "stale-kernelspec": "error",
            "ipykernel-missing": "error",
            "jupyter-kernel-other-env": "error",
            "jupyter-env-vars-missing": "warning",
        },
        home=kernels,
    ),
    "a notebook that keeps memory": Row(busy_notebook, {"notebook-holds-gpu-memory": "note 1"}),
}

"""Run a few lines in a child process that sees a pretended machine's driver, and fetch what they found."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

from .machine import Deployed

# What children may use: every pynvml name, ctypes, a handle `h` of GPU 0, and these helpers.
PREAMBLE = '''
import ctypes, json, os, sys, time
from pynvml import *
import pynvml

def plain(value):
    """ctypes structures as lists of their fields, without version words; bytes as text; all of it flat."""
    if isinstance(value, ctypes.Structure):
        value = [getattr(value, name) for name, *_ in value._fields_ if name != "version"]
    if isinstance(value, ctypes._SimpleCData):
        value = value.value
    if isinstance(value, bytes):
        return [value.decode()]
    if isinstance(value, (list, tuple, ctypes.Array)):
        return [item for part in value for item in plain(part)]
    return [value]

def code(call, *arguments):
    """The nvmlReturn_t of a call through the binding: 0, or the exception's."""
    try:
        call(*arguments)
    except NVMLError as error:
        return error.value
    return 0
'''


def run(
    deployed: Deployed, body: str, variables: Mapping[str, str] | None = None, *, timeout: float = 30
) -> subprocess.CompletedProcess[str]:
    """Run ``body`` in a child, with ``variables`` beside the machine's; what it sets ``answer`` to is printed as JSON.

    Raises ``subprocess.TimeoutExpired`` after ``timeout`` seconds; the child is killed.
    """
    script = f"{PREAMBLE}\n{body}\nprint(json.dumps(answer) if 'answer' in globals() else '')"
    return subprocess.run(
        [sys.executable, "-c", script],
        env=deployed.environment(**(variables or {})),
        capture_output=True,
        text=True,
        timeout=timeout,
    )


def ask(deployed: Deployed, body: str, **variables: str) -> Any:
    """What ``body`` left in ``answer``.  A child that fails is an error with its words."""
    done = run(deployed, body, variables)
    assert done.returncode == 0, f"exit {done.returncode}\n{done.stderr}"
    return json.loads(done.stdout)


def ask_gpu(deployed: Deployed, body: str, **variables: str) -> Any:
    """The same after ``nvmlInit``, with ``h``, the handle of GPU 0."""
    return ask(deployed, f"nvmlInit(); h = nvmlDeviceGetHandleByIndex(0)\n{body}", **variables)

"""Prompts, commands and environment variables of a pasted terminal: bash, PowerShell, cmd, notebooks, Dockerfiles."""

from __future__ import annotations

import re

from .draft import Draft
from .lines import Line, Text

# The beginnings of the variables' names, and the prompt of a container.
SIGNS: tuple[str, ...] = ("CUDA_", "NVIDIA_", "NCCL_", "TORCH_", "LD_LIBRARY_PATH", "LD_PRELOAD", "OMP_NUM_THREADS")
SIGNS += ("MKL_THREADING_LAYER", "KMP_DUPLICATE_LIB_OK", "VIRTUAL_ENV", "CONDA_", "SLURM_JOB_", "PYTHONPATH")
SIGNS += ("XLA_FLAGS", "root@")

_PROMPT = re.compile(
    r"^\s{0,20}(?:\([\w.+/ -]{1,60}\)\s{0,4}){0,3}"  # (base), (venv)
    r"(?:"
    r"PS [A-Za-z]:[^>\n]{0,200}>"
    r"|[A-Za-z]:\\[^>\n]{0,200}>"
    r"|\[?[\w.-]{1,60}@[\w.-]{1,60}[ :][^$#%>\n]{0,200}[$#%>]\]?[$#]?"
    r"|~?/[\w./~-]{0,120}[$#%]"  # nothing but the folder
    r"|In ?\[\d{0,5}\]:"
    r"|>>>|\.\.\."
    r"|\u279c\s{1,2}\S{1,80}(?: git:\([^()]{1,80}\))?(?: \u2717)?"  # the arrow of oh-my-zsh, then folder and branch
    r"|[$%!#\u276f\u03bb]"
    r")\s{1,4}(?P<command>\S.{0,2000})$"
)
_BANG = re.compile(r"^\s{0,20}[!%](?P<command>(?:pip|python|nvidia-smi|conda|nvcc|apt|ls|env|uv)\b.{0,2000})$")

# What can decide whether and how CUDA is found.  Anything else in a paste is nobody's business.
_NAMES = (
    r"(?:CUDA_[A-Z_]{3,40}|NVIDIA_[A-Z_]{3,40}|NCCL_[A-Z0-9_]{2,40}|(?:PY)?TORCH_[A-Z0-9_]{3,40}|LD_LIBRARY_PATH"
    r"|LD_PRELOAD|OMP_NUM_THREADS|MKL_THREADING_LAYER|KMP_DUPLICATE_LIB_OK|VIRTUAL_ENV|CONDA_PREFIX"
    r"|CONDA_DEFAULT_ENV|SLURM_JOB_(?:ID|GPUS)|PYTHONPATH|XLA_FLAGS)"
)
_VALUE = r"\"[^\"]{0,200}\"|'[^']{0,200}'"
_SHELL = re.compile(rf"^\s{{0,20}}(?:export\s+|ENV\s+|set\s+|declare -x\s+)?(?P<name>{_NAMES})=(?P<value>.{{0,1000}})$")
_BEFORE = re.compile(rf"(?:^|\s)(?P<name>{_NAMES})=(?P<value>{_VALUE}|[^\s;]{{0,200}})(?=\s|;|$)")
_POWERSHELL = re.compile(rf"\$env:(?P<name>{_NAMES})\s*=\s*(?P<value>{_VALUE}|\S{{0,200}})")
_PYTHON = re.compile(
    rf"os\.environ(?:\[['\"](?P<name>{_NAMES})['\"]\]\s*=|\.setdefault\(['\"](?P<other>{_NAMES})['\"],)\s*"
    rf"(?:str\()?(?P<value>{_VALUE})"
)
_DOCKER = re.compile(rf"(?:^|\s)(?:-e|--env)[ =](?P<name>{_NAMES})=(?P<value>{_VALUE}|\S{{0,200}})")
_ECHO = re.compile(rf"^echo\s+[\"']?\$\{{?(?P<name>{_NAMES})\}}?[\"']?\s*$")
# A cluster, a container and a notebook service by their own prompts.
_CONTAINER_PROMPT = re.compile(r"^\s{0,8}(?:\([\w.-]{1,40}\) )?root@[0-9a-f]{12}:")


def command_of(text: str) -> str | None:
    """The command behind a prompt; ``None`` for a line without one."""
    found = _PROMPT.match(text) or _BANG.match(text)
    return found["command"].strip() if found else None


def read(lines: Text, draft: Draft) -> None:
    """Read variables that were set or shown, and what the prompts tell."""
    read_already: set[str] = set()
    for at in lines.where(*SIGNS):
        line = lines[at]
        text = line.text
        if _CONTAINER_PROMPT.match(text):
            draft.note("/container/engine", "docker", line, by_hand=True)
            draft.note("/host/system", "Linux", line, by_hand=True)
        if "=" not in text and "$" not in text:
            continue
        command = command_of(text)
        if text not in read_already:
            read_already.add(text)
            _assigned(draft, command or text, line)
        echo = _ECHO.match(command or text.strip())
        if echo is not None and at + 1 < len(lines):
            shown = lines[at + 1]
            if command_of(shown.text) is None and not shown.text.startswith("```"):
                draft.variable(echo["name"], shown.text.strip(), shown)


def _assigned(draft: Draft, text: str, line: Line) -> None:
    whole = _SHELL.match(text)
    if whole is not None:
        value = whole["value"].strip()
        if re.match(r"[^\s\"']*\s+\S", value):  # NAME=value program …: only the first word belongs to it
            value = value.split()[0]
        _variable(draft, whole["name"], value, line)
        return
    for pattern in (_PYTHON, _POWERSHELL, _DOCKER):
        for found in pattern.finditer(text):
            name = found["name"] or found.groupdict().get("other")
            if name is not None:
                _variable(draft, name, found["value"], line)
    if re.match(rf"(?:env\s+|sudo\s+)?{_NAMES}=", text):
        for found in _BEFORE.finditer(text):
            _variable(draft, found["name"], found["value"], line)


def _variable(draft: Draft, name: str, value: str, line: Line) -> None:
    plain = value.strip().rstrip(";").strip()
    if len(plain) > 1 and plain[0] == plain[-1] and plain[0] in "\"'":
        plain = plain[1:-1]
    if "$" not in plain and "<" not in plain and "..." not in plain:  # no value yet, or an example
        draft.variable(name, plain, line)

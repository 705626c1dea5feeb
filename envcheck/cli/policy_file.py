"""Where the policy of ``preflight`` comes from: a file that is named, or the one that the project keeps.

``--policy FILE``, else from the current folder upwards the first ``envcheck.toml`` or ``pyproject.toml`` with a table
``[tool.envcheck]``; else the defaults.
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from .errors import BadCall, reason

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

if TYPE_CHECKING:
    from envcheck.judge.policy_settings import Layer, Settings

OWN, PROJECT = "envcheck.toml", "pyproject.toml"
LARGEST_BYTES = 1 << 20
_TABLE = re.compile(r"\s*\[+\s*tool\s*\.\s*envcheck\s*[.\]]")


@dataclass(frozen=True)
class PolicyFile:
    """A policy's table, the name that messages and reports give its file, and the line on which it begins."""

    table: dict[str, Any]
    shown: str
    line: int = 1


def settled(path: str | None, profile: str | None, overrides: dict[str, tuple[str, object]]) -> Settings:
    """The policy that holds here.  ``overrides``: option → (key, value) from the command line.

    Raises :class:`BadCall`.
    """
    from envcheck.judge.policy_settings import Layer, PolicyError, settle
    from envcheck.rules import RULES

    from .law import rules as every_rule

    file = read(Path(path)) if path is not None else found(Path.cwd())
    layers = [Layer(file.table, file.shown)] if file is not None else []
    layers += [Layer({key: value}, option) for option, (key, value) in overrides.items()]
    named = any(layer.plain.get(table) for layer in layers for table in ("ignore", "severity"))
    law = every_rule() if named else RULES  # a plugin's rule may be meant
    rules = {name: rule.name for rule in law for name in (rule.name, rule.code.lower())}
    today = datetime.now(timezone.utc).date().isoformat()
    is_read = _is_read if _speaks_of_variables(layers) else lambda name: True
    try:
        settings = settle(layers, rules, profile=profile or "", today=today, is_read=is_read)
    except PolicyError as error:
        raise BadCall(str(error)) from None
    if file is None:
        return settings
    policy = replace(settings.policy, source=file.shown, source_line=file.line)
    return type(settings)(policy, settings.origins)


def found(start: Path) -> PolicyFile | None:
    """The project's policy, looked for from ``start`` upwards.  Raises :class:`BadCall` for a file that is no TOML."""
    for folder in (start, *start.parents):
        if (folder / OWN).is_file():
            return read(folder / OWN)
        if (folder / PROJECT).is_file():
            file = _read_project(folder / PROJECT)
            if file is not None:
                return file
    return None


def read(path: Path) -> PolicyFile:
    """The policy in a file: its ``[tool.envcheck]`` where there is one, else its top level.

    Raises :class:`BadCall`, for a pyproject.toml without that table too.
    """
    file = _read_project(path)
    if file is not None:
        return file
    if path.name == PROJECT:
        raise BadCall(f"{_shown(path)}: it has no table [tool.envcheck]")
    return PolicyFile(_toml(path)[0], _shown(path))


def _read_project(path: Path) -> PolicyFile | None:
    plain, text = _toml(path)
    tool = plain.get("tool")
    if not isinstance(tool, dict) or "envcheck" not in tool:
        return None
    table = tool["envcheck"]
    if not isinstance(table, dict):
        raise BadCall(f"{_shown(path)}: tool.envcheck is no table")
    lines = (number for number, line in enumerate(text.splitlines(), 1) if _TABLE.match(line))
    return PolicyFile(table, _shown(path), next(lines, 1))


def _toml(path: Path) -> tuple[dict[str, Any], str]:
    try:
        with path.open("rb") as file:
            raw = file.read(LARGEST_BYTES + 1)
        if len(raw) > LARGEST_BYTES:
            raise BadCall(f"{_shown(path)}: larger than {LARGEST_BYTES >> 20} MiB; this is no policy")
        text = raw.decode("utf-8")
        return tomllib.loads(text), text
    except OSError as error:
        raise BadCall(f"{_shown(path)}: {reason(error)}") from None
    except UnicodeDecodeError:
        raise BadCall(f"{_shown(path)}: not UTF-8") from None
    except (ValueError, RecursionError) as error:  # TOMLDecodeError is a ValueError; so is a NUL in the name
        raise BadCall(f"{_shown(path)}: {str(error) or 'nested too deeply'}") from None


def _shown(path: Path) -> str:
    """The file as the repository knows it (``ci/policy.toml``), else as it was given."""
    try:
        whole = path.resolve()
    except (OSError, ValueError, RuntimeError):
        return str(path)
    for folder in whole.parents:
        if (folder / ".git").exists():
            return whole.relative_to(folder).as_posix()
    try:
        return whole.relative_to(Path.cwd().resolve()).as_posix()
    except ValueError:
        return str(path)


def _speaks_of_variables(layers: list[Layer]) -> bool:
    tables = [layer.plain.get(name) for layer in layers for name in ("require", "forbid")]
    return any(isinstance(table, dict) and "env" in table for table in tables)


def _is_read(name: str) -> bool:
    """Do the collectors read this variable?  Asked only where a policy speaks of variables: it costs an import."""
    from envcheck.collect.environment import is_allowed

    return is_allowed(name)

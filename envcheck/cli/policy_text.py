"""A policy as text: TOML with the origin of each setting beside it, or JSON."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from envcheck.judge.policy_settings import Settings

_BARE = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)
_TABLES = ("require.packages", "require.env", "require", "forbid", "severity", "bench")
DEFAULTS = {"fail_on": "error", "unknown": "warn", "pedantic": False}


def to_toml(settings: Settings) -> str:
    """Every setting of the policy; what nobody set is a default."""
    told: dict[str, tuple[object, str]] = {key: (value, "default") for key, value in DEFAULTS.items()}
    told |= settings.origins
    source = settings.policy.source
    lines = [f"# The policy of {source}" if source else "# No policy file: these are the defaults"]
    lines += _toml(told)
    return "\n".join(lines) + "\n"


def to_json(settings: Settings) -> str:
    """The policy as rules see it, and the value as written and the origin of every setting."""
    from envcheck import __version__
    from envcheck.report.json_report import SCHEMA, to_text

    policy = settings.policy
    return to_text(
        {
            "schema": SCHEMA,
            "tool": {"name": "envcheck", "version": __version__},
            "source": policy.source or None,
            "policy": {
                "fail_on": policy.fail_on,
                "unknown": policy.unknown,
                "pedantic": policy.pedantic,
                "ignore": [
                    {"rule": one.rule, "reason": one.reason, "subject": one.subject, "until": one.until or None}
                    for one in policy.ignore
                ],
                "require": {name: getattr(policy.require, name) for name in policy.require.__struct_fields__},
                "forbid": {name: getattr(policy.forbid, name) for name in policy.forbid.__struct_fields__},
                "severity": policy.severity,
                "bench": {name: getattr(policy.bench, name) for name in policy.bench.__struct_fields__},
            },
            "settings": {
                key: {"value": _plain(value), "origin": origin} for key, (value, origin) in settings.origins.items()
            },
        }
    )


def frozen_toml(form: Mapping[str, Any], unknown: Mapping[str, str]) -> str:
    """A frozen policy; ``unknown``: dotted key → why it could not be told."""
    told = {".".join(path): (value, "") for path, value in _leaves(form)}
    lines = ["# What this machine fulfils today. Loosen it by hand: '==2.14.1' asks for exactly that release."]
    lines += [f"# {key}: not frozen ({' '.join(why.split())})" for key, why in unknown.items()]
    return "\n".join([*lines, *_toml(told)]) + "\n"


def _toml(told: Mapping[str, tuple[object, str]]) -> Iterator[str]:
    tables: dict[str, list[str]] = {}
    for key, (value, origin) in told.items():
        table = next((name for name in _TABLES if key.startswith(f"{name}.")), "")
        name = key[len(table) + 1 :] if table else key
        if key == "ignore":
            continue
        about = f"  # {origin}" if origin else ""
        tables.setdefault(table, []).append(f"{_key(name)} = {_value(value)}{about}")
    yield from tables.pop("", [])
    ignored, origin = told.get("ignore", ([], ""))
    for entry in ignored if isinstance(ignored, list) else []:
        yield from ("", f"[[ignore]]{f'  # {origin}' if origin else ''}")
        yield from (f"{_key(name)} = {_value(value)}" for name, value in entry.items())
    for table in sorted(tables, key=lambda name: (name.partition(".")[0] != "require", name)):
        yield from ("", f"[{table}]", *tables[table])


def _key(name: str) -> str:
    return name if _BARE.fullmatch(name) else _value(name)


def _value(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return str(value)
    if isinstance(value, list):
        return f"[{', '.join(map(_value, value))}]"
    if isinstance(value, Mapping):
        return f"{{ {', '.join(f'{_key(k)} = {_value(v)}' for k, v in value.items())} }}" if value else "{}"
    if isinstance(value, str):
        return '"' + "".join(map(_escaped, value)) + '"'
    return str(value)  # a date


def _escaped(letter: str) -> str:
    if letter in '"\\':
        return f"\\{letter}"
    code = ord(letter)
    if 0x20 <= code < 0x7F:
        return letter
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value if isinstance(value, (str, bool, int, float)) else str(value)


def _leaves(form: Mapping[str, Any], at: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], object]]:
    for key, value in form.items():
        if isinstance(value, Mapping):
            yield from _leaves(value, (*at, key))
        else:
            yield (*at, key), value

"""From a policy's tables to a Policy: laid over each other, checked, and normalised.

Nothing is guessed: an unknown key, an unknown rule or a specifier that cannot be read is an error with its place and
the nearest name.  Files are read elsewhere; here tables come in and a :class:`~envcheck.judge.Policy` goes out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, get_args

import msgspec
from msgspec import UNSET, UnsetType

from .bounds import Bounds
from .policy import Floors, Forbid, Ignore, Policy, Require, Unknowns
from .policy_form import BenchForm, ForbidForm, Form, IgnoreForm, Number, PolicyForm, RequireForm
from .profiles import PROFILES
from .rule import SEVERITIES

Plain = Mapping[str, Any]

CUDA_RELEASE = re.compile(r"\d{1,2}(\.\d{1,2})?|cpu", re.ASCII)
VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
PACKAGE = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?", re.ASCII)
KINDS = {"object": "table", "str": "string", "int": "integer", "bool": "boolean"}
"""msgspec's names of types → TOML's."""
_KINDS = re.compile(rf"\b({'|'.join(KINDS)})\b")
CHOICES = {"fail_on": SEVERITIES, "severity": SEVERITIES, "unknown": get_args(Unknowns)}


class PolicyError(ValueError):
    """The policy cannot be used.  The message is one line for the user and begins with the place."""


@dataclass(frozen=True)
class Layer:
    """One source of settings: its table, and how a message names it ("pyproject.toml", "--fail-on")."""

    plain: Plain
    origin: str


@dataclass(frozen=True)
class Settings:
    """A policy and where each of its settings comes from: dotted key → (value as written, origin)."""

    policy: Policy
    origins: dict[str, tuple[object, str]]


def settle(
    layers: Sequence[Layer],
    rules: Mapping[str, str],
    *,
    profile: str = "",
    today: str = "",
    is_read: Callable[[str], bool] = lambda name: True,
) -> Settings:
    """Lay the layers over each other, later over earlier, on top of a profile, and check the whole.

    ``rules`` maps names and codes (lower case) of rules to names; ``profile`` goes before what a file extends;
    ``is_read`` tells whether collectors read a variable.  Raises :class:`PolicyError`.
    """
    for layer in layers:
        _check_keys(layer.plain, PolicyForm, layer.origin)
    extends = profile or next((str(one.plain["extends"]) for one in reversed(layers) if "extends" in one.plain), "")
    base = [Layer(_profile(extends, layers), f"profile {extends}")] if extends else []
    merged: dict[str, Any] = {}
    origins: dict[str, tuple[object, str]] = {}
    for layer in (*base, *layers):
        form = _convert(layer)
        _check(form, layer.origin, rules, is_read)
        for path, value in _leaves(layer.plain):
            _place(merged, path, value)
            origins = {key: told for key, told in origins.items() if not key.startswith(f"{'.'.join(path)}.")}
            origins[".".join(path)] = (value, layer.origin)
    whole = msgspec.convert(merged, PolicyForm)
    return Settings(_policy(whole, rules, today), origins)


def _profile(name: str, layers: Sequence[Layer]) -> Plain:
    if name not in PROFILES:
        origin = next((one.origin for one in layers if one.plain.get("extends") == name), "--profile")
        raise PolicyError(f"{origin}: no profile is called {name}{_near(name, PROFILES)}")
    return PROFILES[name]


# -- checking ---------------------------------------------------------------------------------------------------


def _check_keys(plain: object, form: type[Form], origin: str, at: str = "") -> None:
    """Unknown keys first, with the nearest name: what a typing slip needs."""
    if not isinstance(plain, Mapping):
        return
    known = {field.name: field.type for field in msgspec.structs.fields(form)}
    for key, value in plain.items():
        if key not in known:
            raise PolicyError(f"{origin}: {at}{key}: no such key{_near(key, known)}")
        for table in (RequireForm, ForbidForm, BenchForm):
            if known[key] == table | UnsetType:
                _check_keys(value, table, origin, f"{at}{key}.")
        if key == "ignore" and isinstance(value, list):
            for entry in value:
                _check_keys(entry, IgnoreForm, origin, "ignore.")


def _convert(layer: Layer) -> PolicyForm:
    try:
        return msgspec.convert(dict(layer.plain), PolicyForm)
    except msgspec.ValidationError as error:
        what, _, where = str(error).partition(" - at `$")
        place = where.strip("`").lstrip(".").replace("[...]", "")
        raise PolicyError(f"{layer.origin}: {place}{': ' if place else ''}{_spoken(what, place)}") from None


def _spoken(what: str, place: str) -> str:
    """msgspec's complaint in this file's words."""
    key = place.partition(".")[0]
    if what.startswith("Invalid enum value") and key in CHOICES:
        return f"{what.removeprefix('Invalid enum value ')} is none of {', '.join(CHOICES[key])}".replace("'", "")
    if "RFC3339" in what:
        return "expected a date such as 2027-01-31"
    if "matching regex" in what:
        return "say why"
    what = what.replace("`", "").replace("Object missing", "missing").replace("Expected", "expected")
    return _KINDS.sub(lambda found: KINDS[found[0]], what.replace(" | null", "").replace(" | ", " or "))


def _check(form: PolicyForm, origin: str, rules: Mapping[str, str], is_read: Callable[[str], bool]) -> None:
    named = [("ignore", entry.rule) for entry in form.ignore or ()] + [
        ("severity", rule) for rule in form.severity or ()
    ]
    for table, rule in named:
        if rule.lower() not in rules:
            raise PolicyError(f"{origin}: {table}: no rule is called {rule}{_near(rule, rules)}")
    require = form.require or RequireForm()
    for key in ("python", "torch", "driver"):
        _check_specifier(getattr(require, key), f"{origin}: require.{key}")
    for key in ("gpus", "compute_capability", "gpu_memory_gib", "shm_mib"):
        _bound(getattr(require, key), f"{origin}: require.{key}")
    for cuda in _several(require.torch_cuda):
        if not CUDA_RELEASE.fullmatch(cuda):
            raise PolicyError(f"{origin}: require.torch_cuda: {cuda!r} is no CUDA release; write '12.6', '13' or 'cpu'")
    for name, specifier in (require.packages or {}).items():
        _check_specifier(specifier, f"{origin}: require.packages.{name}")
    forbid = form.forbid or ForbidForm()
    for key, names in (("require", require.packages), ("forbid", forbid.packages)):
        for name in names or ():
            if not PACKAGE.fullmatch(name):
                raise PolicyError(f"{origin}: {key}.packages: {name!r} is no name of a package")
    for key, variables in (("require", require.env), ("forbid", forbid.env)):
        for name in variables or ():
            if not VARIABLE.fullmatch(name) or not is_read(name):
                raise PolicyError(f"{origin}: {key}.env: {name!r} is not among the variables that envcheck reads")


def _check_specifier(text: str | UnsetType, place: str) -> None:
    if not text:
        return
    from packaging.specifiers import InvalidSpecifier, SpecifierSet

    try:
        SpecifierSet(text)
    except InvalidSpecifier:
        hint = f"; write '=={text}.*' or '>={text}'" if text[0].isdigit() else ""
        raise PolicyError(f"{place}: {text!r} is no version specifier{hint}") from None


def _bound(number: Number | UnsetType, place: str) -> str:
    """The bounds as text; a plain number means "at least"."""
    if number is UNSET or number == "":
        return ""
    text = number if isinstance(number, str) else f">={number}"
    try:
        Bounds.parse(text)
    except ValueError as error:
        raise PolicyError(f"{place}: {error}") from None
    return text


# -- merging ----------------------------------------------------------------------------------------------------


def _leaves(plain: Plain, at: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], object]]:
    """Every setting with its path; tables are entered, lists are settings of their own."""
    for key, value in plain.items():
        if isinstance(value, Mapping) and value:
            yield from _leaves(value, (*at, key))
        else:
            yield (*at, key), value


def _place(merged: dict[str, Any], path: tuple[str, ...], value: object) -> None:
    here = merged
    for key in path[:-1]:
        inner = here.get(key)
        if not isinstance(inner, dict):  # a list of variables gives way to a table of them
            inner = here[key] = {}
        here = inner
    here[path[-1]] = value


def _policy(form: PolicyForm, rules: Mapping[str, str], today: str) -> Policy:
    require = _require(form.require or RequireForm())
    least = Bounds.parse(require.gpus).least if require.gpus else 1 if require.needs_gpu else 0
    forbid = form.forbid or ForbidForm()
    bench = form.bench or BenchForm()
    return Policy(
        require_gpu=least > 0,
        pedantic=form.pedantic or False,
        fail_on=form.fail_on or "error",
        unknown=form.unknown or "warn",
        severity={rules[rule.lower()]: severity for rule, severity in (form.severity or {}).items()},
        ignore=[
            Ignore(
                rule=rules[one.rule.lower()],
                reason=one.reason.strip(),
                subject=one.subject,
                until=one.until.isoformat() if one.until else "",
            )
            for one in form.ignore or ()
        ],
        require=require,
        forbid=Forbid(packages=[_normalised(name) for name in forbid.packages or ()], env=list(forbid.env or ())),
        bench=Floors(
            run=bench.run or False,
            min_ratio_to_ceiling=bench.min_ratio_to_ceiling or 0.0,
            min_ratio_to_peak=bench.min_ratio_to_peak or 0.0,
        ),
        today=today,
    )


def _require(form: RequireForm) -> Require:
    variables = form.env or {}
    return Require(
        python=form.python or "",
        torch=form.torch or "",
        torch_cuda=_several(form.torch_cuda),
        driver=form.driver or "",
        gpus=_bound(form.gpus, "require.gpus"),
        compute_capability=_bound(form.compute_capability, "require.compute_capability"),
        gpu_memory_gib=_bound(form.gpu_memory_gib, "require.gpu_memory_gib"),
        shm_mib=_bound(form.shm_mib, "require.shm_mib"),
        packages={_normalised(name): specifier for name, specifier in (form.packages or {}).items()},
        env=dict.fromkeys(variables, "") if isinstance(variables, list) else dict(variables),
    )


def _several(value: list[str] | str | UnsetType) -> list[str]:
    return [value] if isinstance(value, str) and value else list(value or ())


def _normalised(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _near(word: str, known: Mapping[str, object]) -> str:
    close = get_close_matches(word.lower(), list(known), n=3, cutoff=0.5)
    if close:
        return f"; did you mean {', '.join(close)}?"
    return f" (known: {', '.join(known)})" if len(known) < 12 else ""

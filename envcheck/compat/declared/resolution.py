"""What an installation of a declared environment would bring: torch and its companions.

What the files pin is taken as it is.  What they leave open is the newest release of the tables that they allow: newer
ones may exist, but they need no older driver and drive no older card.
"""

from __future__ import annotations

from msgspec.structs import replace

from envcheck.compat.torch_builds import python_supported
from envcheck.compat.version import split_local
from envcheck.facts import DeclaredEnvironment, DeclaredPackage

from .companion_choice import choose_companion, has_companion, row_of
from .offers import offers_of
from .resolved import Resolved, platform_for, pythons, requested
from .torch_choice import choose_torch, pinned
from .wanted import exact


def resolve(environment: DeclaredEnvironment, told_python: str = "") -> dict[str, Resolved]:
    """torch, torchvision and torchaudio of the environment, by name; those that it does not ask for are absent."""
    asked = {name: requested(environment, name) for name in ("torch", "torchvision", "torchaudio")}
    wanted = {name: package for name, package in asked.items() if package is not None}
    python = pythons(environment, told_python)
    out: dict[str, Resolved] = {}
    torch = wanted.pop("torch", None)
    if torch is not None:
        others = list(wanted.values())
        out["torch"] = choose_torch(
            environment, torch, python, lambda version: all(has_companion(other, version) for other in others)
        )
    elif "torchvision" in wanted:
        out |= _implied(environment, wanted["torchvision"])
    found = out["torch"].version if "torch" in out else None
    version, where = found if isinstance(found, str) else "", platform_for(environment)
    if version and where is not None:  # a companion comes with a Python that torch has come with
        python = [minor for minor in python if python_supported(version, minor, where)] or python
    for name, package in wanted.items():
        out[name] = choose_companion(environment, package, version, python)
    return out


def _implied(environment: DeclaredEnvironment, vision: DeclaredPackage) -> dict[str, Resolved]:
    """torch where only torchvision is asked for: the one that its metadata ask for."""
    version = exact(vision.wanted)
    row = row_of("torchvision", split_local(version)[0]) if version is not None else None
    if row is None or not (row.requires_torch or "").startswith("==") or vision.manager == "conda":
        return {}
    wanted = split_local((row.requires_torch or "")[2:])[0]
    local = split_local(version or "")[1]
    torch = replace(vision, name="torch", wanted=f"=={wanted}", version=wanted)
    if local is not None:
        return {"torch": Resolved(torch, wanted, local)}
    where = platform_for(environment)
    return {"torch": pinned(torch, wanted, offers_of(environment, vision), where)} if where is not None else {}

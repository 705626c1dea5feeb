"""One requirement: PEP 508 as pip writes it, poetry's carets, conda's single equals sign, wheel file names."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from envcheck.compat.declared.indexes import clean_url
from envcheck.compat.declared.wanted import normal, wheel_parts

FAMILY = ("torch", "torchvision", "torchaudio")
COMPILED = frozenset(
    {
        "apex", "causal-conv1d", "detectron2", "flash-attn", "mamba-ssm", "mmcv", "mmcv-full", "pytorch3d",
        "tiny-cuda-nn", "torch-cluster", "torch-scatter", "torch-sparse", "torch-spline-conv", "transformer-engine",
    }
)  # fmt: skip
"""Packages that are published as source only, or mostly, and compile CUDA code against the installed torch."""


@dataclass(frozen=True)
class Ask:
    """One package that a line of a file asks for, before markers are judged."""

    name: str
    wanted: str = ""
    marker: str = ""
    url: str = ""
    extras: tuple[str, ...] = ()
    index: str = ""  # URL of the one index that it is bound to
    choices: tuple[tuple[str, str, str], ...] = ()  # (marker, URL of an index, URL of a file): the first that holds
    manager: str = "pip"
    build: str = ""  # conda's build string, or what the very name says of it: "cuda12.1", "cpu"
    scope: str = ""
    version: str = ""  # where a lock file names it outright
    wheels: tuple[str, ...] = ()
    file: str = ""
    line: int = 0

    def at(self, file: str, line: int) -> Ask:
        """The same, on that line."""
        return replace(self, file=file, line=line)


class Unclear(ValueError):
    """The text is no requirement."""


def parse(text: str) -> Ask:
    """``torch==2.1.0+cu118; python_version < "3.12"``, or a direct reference.  Raises :class:`Unclear`."""
    from packaging.requirements import InvalidRequirement, Requirement

    text = text.strip()
    if re.match(r"(git|hg|svn|bzr)\+|(https?|file)://|[./~]|[A-Za-z]:[\\/]", text) or text.endswith(".whl"):
        return _direct(text)
    try:
        found = Requirement(text)
    except InvalidRequirement as error:
        left_open = re.search(r"\$\{?[A-Za-z_]\w*", text)
        if left_open is not None:
            raise Unclear(f"what {left_open.group().lstrip('${')} stands for is not told here: {text}") from error
        raise Unclear(str(error).splitlines()[0]) from error
    wheel = wheel_parts(found.url) if found.url else None
    return Ask(
        name=normal(found.name),
        wanted=str(found.specifier) if wheel is None else f"=={wheel[1]}",
        marker=str(found.marker) if found.marker else "",
        url=clean_url(found.url) if found.url else "",
        extras=tuple(sorted(found.extras)),
    )


def _direct(text: str) -> Ask:
    """A path or an address: a wheel's file name tells name and version, ``#egg=`` the name."""
    url, _, marker = text.partition(" ;")
    url = clean_url(url)
    wheel = wheel_parts(url)
    if wheel is not None:
        return Ask(name=wheel[0], wanted=f"=={wheel[1]}", url=url, marker=marker.strip())
    egg = re.search(r"[#&]egg=([A-Za-z0-9_.-]+)", url)
    name = egg.group(1) if egg else re.split(r"[#@?]", url)[0].rstrip("/").rsplit("/", 1)[-1].removesuffix(".git")
    return Ask(name=normal(name) or "unnamed", url=url, marker=marker.strip())


def from_poetry(text: str) -> str:
    """poetry's specifier as PEP 440 writes it: ``^2.1`` is ``>=2.1,<3``, ``~2.1`` is ``>=2.1,<2.2``.

    Alternatives (``||``) are kept as written: no specifier says "or", and the asker finds that out.
    """
    if "||" in text:
        return text.strip()
    return ",".join(filter(None, (_poetry_part(part) for part in re.split(r"[,\s]+(?=[\^~<>=!\d])", text.strip()))))


def _poetry_part(text: str) -> str:
    text = re.sub(r"\s+", "", text)
    if text in ("", "*"):
        return ""
    sign = re.match(r"[\^~](?!=)", text)
    if sign is None:
        return text if text[0] in "<>=!~" else f"=={text}"
    version = text[1:]
    numbers = [int(part) for part in re.findall(r"\d+", version.split("+")[0])[:3]]
    if not numbers:
        return ""
    keep = next((i for i, n in enumerate(numbers) if n), len(numbers) - 1) if sign.group() == "^" else 0
    if sign.group() == "~":
        keep = min(1, len(numbers) - 1)
    upper = [*numbers[:keep], numbers[keep] + 1]
    return f">={version},<{'.'.join(map(str, upper))}"


def from_conda(text: str) -> tuple[str, str, str]:
    """(name, specifier, build string) of a conda match spec: ``pytorch::pytorch=2.1=py3.10_cuda12.1*``.

    A single ``=`` is a prefix match (``==2.1.*``), ``==`` and a version with a build string are exact.  Raises
    :class:`Unclear`.
    """
    text = text.strip().split(" #")[0].strip().rpartition("::")[2]
    found = re.match(r"([A-Za-z0-9_.-]+)\s*(\[.*\])?\s*(.*)$", text)
    if found is None or "[" in found.group(3):
        raise Unclear(f"no conda package: {text}")
    name, bracket, rest = found.groups()
    if bracket:
        inside = dict(re.findall(r"(\w+)\s*=\s*['\"]?([^'\",\]]+(?:,[<>=!][^'\",\]]+)*)['\"]?", bracket))
        rest = inside.get("version", "") or rest
        return normal(name), _conda_version(rest), inside.get("build", "")
    if re.match(r"[<>!~]|==", rest):
        version, _, build = rest.partition(" ")
        return normal(name), _conda_version(version), build.strip() if re.match(r"[\w*]", build.strip()) else ""
    parts = [part for part in re.split(r"[=\s]+", rest) if part]
    if not parts:
        return normal(name), "", ""
    version, build = parts[0], parts[1] if len(parts) > 1 else ""
    if build and "*" not in version and not re.search(r"[<>|,]", version):
        return normal(name), f"=={version}", build
    return normal(name), _conda_version(f"={version}"), build


def _conda_version(text: str) -> str:
    text = text.strip()
    if text in ("", "*", "=*"):
        return ""
    if "|" in text:
        return text  # alternatives: no specifier says "or", and the asker finds that out
    out = []
    for part in text.split(","):
        part = part.strip()
        if part.startswith("=") and not part.startswith("=="):
            part = f"=={part[1:].removesuffix('.*').removesuffix('*')}.*"
        elif part and part[0].isdigit():
            part = f"=={part}"
        out.append(part)
    return ",".join(out)

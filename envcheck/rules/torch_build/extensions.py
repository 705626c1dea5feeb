"""Do compiled packages beside torch belong to this torch?"""

from __future__ import annotations

import re

from envcheck.facts import ImportTrial
from envcheck.judge import Case, Fix, Problem, Rule, Step, question

from . import build, remedy
from .companions import AUDIO_WORDS, VISION_WORDS
from .messages import said

ABI = re.compile(r"undefined symbol: _Z\w*?(?:3c10|5torch|2at)")
"""A C++ symbol of torch that the extension expects and this torch does not have."""

WITHOUT_CUDA = re.compile(r"(lib(?:torch|c10)_(?:cuda|hip)\w*\.so): cannot open shared object file")
"""A library of torch itself that only a build for a GPU has."""

FOLDERS = re.compile(r"/\S*/(?=[^/\s]+\.so)")

OWN_RULES = ("torchvision", "torchaudio")


class Cxx11AbiExtension(Rule):
    """An extension package was compiled against another torch, or another C++ ABI, than the one installed.

    What it looks at
        The error of loading the package's compiled part after torch: an undefined C++ symbol of torch, or a library
        of torch that this build does not have.
    Why it matters
        The package (flash-attn, xformers, torch-scatter …) cannot be imported.  torch's wheels use the new C++ ABI
        from 2.7.0 on.
    How to mend it
        Install the wheel of the package that names this torch and ABI, or build it against this torch.
    Cannot tell when
        The import was not tried and no message was seen.
    References
        GCC libstdc++ manual, dual ABI; torch build scripts; flash-attention release file names.
    """

    code, name, rung = "TOR502", "cxx11-abi-extension", "torch_build"

    @staticmethod
    def mend(case: Case) -> Fix:
        failed = _failed_module(case)
        package = failed.replace("_", "-") if failed is not None else "<package>"
        options = "--no-build-isolation --force-reinstall --no-deps --no-cache-dir"
        version = remedy.torch_version(case)
        return Fix(
            title="Install the extension for this torch",
            steps=[
                Step(
                    where="env", note=f"take the wheel of {package} whose name has torch{_minor(version)} and its ABI"
                ),
                remedy.install(case, package, options=options, note="instead: build it here (needs nvcc)"),
            ],
            safety="careful",
            verify=remedy.code(case, f"import torch, {failed or '<module>'}"),
        )


@question("env", Cxx11AbiExtension)
def do_extensions_belong_to_torch(case: Case) -> Problem | None:
    """The first package whose import misses a symbol of torch."""
    env = build.require_torch(case)
    for pointer, item in case.records(f"{env}/runtime/companions", ImportTrial):
        if item.ok or item.module in OWN_RULES:
            continue
        error = case.known(f"{pointer}/error", str) or ""
        if VISION_WORDS.search(error) or AUDIO_WORDS.search(error):
            continue
        gpu = WITHOUT_CUDA.search(error)
        if ABI.search(error) or gpu:
            cause = (
                f"it was compiled for a torch that has {gpu[1]}, and this build has none"
                if gpu
                else "it was compiled against another torch, or with the other C++ ABI" + _direction(case, env, error)
            )
            return case.problem(
                Cxx11AbiExtension,
                f"importing {item.module} fails: {FOLDERS.sub('', error.strip().splitlines()[0])[:200]}",
                cause=cause,
                evidence=[f"{pointer}/error", *build.told(case, env, "version"), *said(case, Cxx11AbiExtension)],
                fix=Cxx11AbiExtension.mend(case),
            )
    return None


def _direction(case: Case, env: str, error: str) -> str:
    """Which ABI the extension expects, where the symbol and torch's own ABI show it."""
    new = remedy.fact(case, f"{env}/torch/cxx11_abi")
    expects_new = "__cxx11" in error
    if isinstance(new, bool) and "basic_string" in error and new is not expects_new:
        return (
            f": it expects the {'new' if expects_new else 'old'} one, and torch has the {'new' if new else 'old'} one"
        )
    return ""


def _failed_module(case: Case) -> str | None:
    env = remedy.env_of(case)
    trials = case.maybe_records(f"{env}/runtime/companions", ImportTrial) if env is not None else []
    return next((item.module for _, item in trials if not item.ok and item.module not in OWN_RULES), None)


def _minor(version: str | None) -> str:
    return ".".join(version.split(".")[:2]) if version is not None else "<version>"

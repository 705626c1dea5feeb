"""Does `import torch` work?"""

from __future__ import annotations

import re

from msgspec import structs

from envcheck.facts import TorchRuntime
from envcheck.judge import CannotTell, Case, Fix, NotApplicable, Problem, Rule, Step, question
from envcheck.rules.cuda_libraries.loader import is_named_by_the_loader
from envcheck.rules.torch_build import remedy
from envcheck.rules.torch_build.consequences import UNAVAILABLE
from envcheck.rules.torch_build.messages import said

from .availability import SIGNALS

SIGILL = 4
X86 = ("x86_64", "AMD64")


class TorchImportFails(Rule):
    """`import torch` fails for a reason that no other rule names.

    What it looks at
        What became of a child process that imported torch in this environment: the error's own words, or the signal
        that ended it.
    Why it matters
        Nothing that uses torch can start.
    How to mend it
        Read the error; try without LD_PRELOAD and LD_LIBRARY_PATH; then make a fresh environment.
    Cannot tell when
        The import was not tried, or gave no answer in time.
    References
        Python documentation, import system; ld.so(8).
    """

    code, name, rung = "RUN101", "torch-import-fails", "torch_runtime"
    essential = True
    explains = UNAVAILABLE

    @staticmethod
    def mend(case: Case) -> Fix:
        steps = []
        if not remedy.on_windows(case):
            clean = f'env -u LD_PRELOAD -u LD_LIBRARY_PATH -u PYTHONPATH {remedy.python(case)} -c "import torch"'
            steps.append(Step(where="env", command=clean, note="works: one of these variables is the cause"))
        steps += remedy.same_again(case)
        return Fix(title="Find what stops the import", steps=steps, safety="careful", verify=remedy.import_test(case))


class ImportCrashCpuIsa(Rule):
    """`import torch` dies of an illegal instruction: the processor, or the virtual machine, lacks what torch uses.

    What it looks at
        The signal that ended the import (SIGILL), and the processor's features.
    Why it matters
        torch's wheels assume AVX2 on x86; an old processor, a virtual machine of a generic CPU type or Rosetta
        does not offer it.
    How to mend it
        Give the virtual machine the host's CPU type; on an old processor take another machine or build from source.
    Cannot tell when
        The import was not tried, or gave no answer in time.
    References
        QEMU documentation, CPU models; torch/utils/cpp_extension.py and ATen's CPU dispatch.
    """

    code, name, rung = "RUN102", "import-crash-cpu-isa", "torch_runtime"
    explains = UNAVAILABLE

    @staticmethod
    def mend(case: Case) -> Fix:
        virtual = remedy.fact(case, "/host/virtualization")
        steps = [Step(where="host", command="lscpu | grep -o -w -E 'avx|avx2|avx512f'", note="nothing: too old")]
        if virtual == "kvm" or virtual == "qemu":
            steps.append(Step(where="host", command="qemu-system-x86_64 -cpu host …", note="CPU type 'host'"))
        elif isinstance(virtual, str):
            steps.append(Step(where="host", note=f"give this {virtual} machine the processor type of its host"))
        return Fix(
            title="Offer torch a processor with AVX2", steps=steps, safety="careful", verify=remedy.import_test(case)
        )


class WindowsDllLoadFailed(Rule):
    """A DLL that torch needs cannot be loaded on Windows.

    What it looks at
        The error of `import torch`: WinError 126, 127 or 1114, or "DLL load failed while importing _C".
    Why it matters
        The Visual C++ runtime is missing or too old, or an older DLL of the same name is found first.
    How to mend it
        Install or update the Visual C++ Redistributable (x64); else make a fresh environment with torch from one
        source.
    Cannot tell when
        The import was not tried, or gave no answer in time.
    References
        torch/__init__.py, _load_dll_libraries; pytorch/pytorch issue 169429.
    """

    code, name, rung = "WIN102", "windows-dll-load-failed", "torch_runtime"
    explains = UNAVAILABLE

    @staticmethod
    def mend(case: Case) -> Fix:
        return Fix(
            title="Install or update the Visual C++ runtime",
            steps=[
                Step(where="windows", command="winget install --id Microsoft.VCRedist.2015+.x64 --force", root=True),
                Step(where="browser", command="https://aka.ms/vc14/vc_redist.x64.exe", note="instead: by hand"),
                *[
                    Step(where=s.where, tool=s.tool, command=s.command, note="if that does not help")
                    for s in remedy.same_again(case)
                ],
            ],
            verify=remedy.import_test(case),
        )


RULES = (TorchImportFails, ImportCrashCpuIsa, WindowsDllLoadFailed)
DLL = re.compile(r"\[WinError (?:126|127|1114)\]|DLL load failed while importing _C")


@question("env", *RULES)
def does_torch_import(case: Case) -> Problem | None:
    """The child's end: a signal, the loader's words, or anything else."""
    env = case.at("env")
    runtime = f"{env}/runtime"
    if case.known(runtime, TorchRuntime) is None:
        raise NotApplicable("torch is not installed in this environment")
    try:
        if case.known(f"{runtime}/imported", bool):
            return None
    except CannotTell as unread:
        return _died_unheard(case, runtime, unread)
    try:
        signal = case.known(f"{runtime}/signal", int)
    except CannotTell as unread:
        signal, words = None, case.known(f"{runtime}/import_error", str)
        if words is None:  # an error in words excludes a signal
            raise unread
    else:
        words = case.known(f"{runtime}/import_error", str) if signal is None else None
    if signal is not None:
        return _by_signal(case, runtime)
    if words is not None and DLL.search(words):
        return _problem(case, WindowsDllLoadFailed, runtime, words, "a DLL or its runtime is missing or too old")
    if words is not None and is_named_by_the_loader(words):
        return None
    cause = "it ended in an error that no more particular rule knows"
    return _problem(case, TorchImportFails, runtime, words or "it gave no reason", cause)


def _died_unheard(case: Case, runtime: str, silent: CannotTell) -> Problem:
    """A signal ended the child, and whether the import had passed by then is not known: a suspicion."""
    if case.known(f"{runtime}/signal", int) is None:
        raise silent
    found = _by_signal(case, runtime)
    return structs.replace(found, confidence="suggested")


def _by_signal(case: Case, runtime: str) -> Problem:
    signal = case.present(f"{runtime}/signal", int)
    if signal == SIGILL:
        return _illegal_instruction(case, runtime)
    cause = "torch's files are judged apart; a foreign library that is loaded first does this as well"
    return _problem(case, TorchImportFails, runtime, f"killed by {SIGNALS.get(signal, signal)}", cause)


def _illegal_instruction(case: Case, runtime: str) -> Problem:
    flags = remedy.fact(case, "/host/cpu_flags")
    on_x86 = remedy.fact(case, "/host/machine") in X86
    lacks = on_x86 and isinstance(flags, list) and "avx2" not in flags
    cause = "the processor offers no AVX2, which torch's wheels use" if lacks else "torch used an instruction that the "
    if not lacks:
        cause += "processor, as this machine shows it, does not have"
    evidence = [f"{runtime}/signal", *(["/host/cpu_flags"] if flags is not None else [])]
    return case.problem(
        ImportCrashCpuIsa,
        "`import torch` was killed by SIGILL (illegal instruction)",
        cause=cause,
        evidence=[*evidence, *said(case, ImportCrashCpuIsa)],
        fix=ImportCrashCpuIsa.mend(case),
    )


def _problem(case: Case, rule: type[Rule], runtime: str, words: str, cause: str) -> Problem:
    first = words.strip().splitlines()[0] if words.strip() else words
    evidence = [p for p in (f"{runtime}/import_error", f"{runtime}/signal") if remedy.fact(case, p) is not None]
    imported = [f"{runtime}/imported"] if remedy.fact(case, f"{runtime}/imported") is not None else []
    return case.problem(
        rule,
        f"`import torch` fails: {first[:200]}",
        cause=cause,
        evidence=[*imported, *evidence, *said(case, rule)],
        fix=rule.mend(case),
    )

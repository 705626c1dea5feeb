"""Does the dynamic loader find what torch needs, and the right one of several?

The words of a failed import lead to one cause each (failure-modes §19.9).
"""

from __future__ import annotations

import re

from envcheck.facts import CondaPackage, TorchRuntime
from envcheck.judge import Case, Fix, NotApplicable, Problem, Rule, RuleType, Step, question
from envcheck.rules.torch_build import remedy
from envcheck.rules.torch_build.consequences import UNAVAILABLE
from envcheck.rules.torch_build.messages import said


class NvjitlinkSymbolMissing(Rule):
    """An older libnvJitLink is loaded than the one that torch's libraries were built against.

    What it looks at
        The error of `import torch`: an undefined symbol of libnvJitLink.
    Why it matters
        torch cannot be imported.  The library that asks (libcusparse) does not carry torch's own search path, so a
        toolkit's folder on LD_LIBRARY_PATH, or a wrongly pinned wheel, comes first.
    How to mend it
        Take the toolkit out of LD_LIBRARY_PATH, or install the nvidia-nvjitlink wheel that torch asks for.
    Cannot tell when
        The import was not tried, or gave no answer in time.
    References
        torch/__init__.py; pytorch/pytorch issue 138460.
    """

    code, name, rung = "LIB103", "nvjitlink-symbol-missing", "cuda_libraries"
    explains = UNAVAILABLE

    @staticmethod
    def mend(case: Case) -> Fix:
        return own_copy(case, "Let torch load its own libnvJitLink", "nvjitlink")


class NcclWheelMismatch(Rule):
    """Another NCCL is loaded than the one that torch was built with.

    What it looks at
        The error of `import torch`: an undefined symbol of libnccl.
    Why it matters
        torch cannot be imported: a system's libnccl2, or the wheel of another package, comes first and is older.
    How to mend it
        Take the other copy out of LD_LIBRARY_PATH and LD_PRELOAD, or install the nvidia-nccl wheel that torch asks
        for.
    Cannot tell when
        The import was not tried, or gave no answer in time.
    References
        Requires-Dist of torch's wheels; ld.so(8).
    """

    code, name, rung = "LIB104", "nccl-wheel-mismatch", "cuda_libraries"
    explains = UNAVAILABLE

    @staticmethod
    def mend(case: Case) -> Fix:
        return own_copy(case, "Let torch load its own NCCL", "nccl")


class GlibcxxTooOld(Rule):
    """The C++ or C library that is loaded first is older than torch, or a package beside it, was built for.

    What it looks at
        The error of `import torch`: a GLIBCXX, CXXABI or GLIBC version that is not found.
    Why it matters
        A system's libstdc++ was loaded before conda's newer one, or the distribution itself is too old.
    How to mend it
        In conda install libstdcxx and drop LD_LIBRARY_PATH; for GLIBC take a newer system or a container.
    Cannot tell when
        The import was not tried, or gave no answer in time.
    References
        GCC libstdc++ manual, ABI policy; PEP 600.
    """

    code, name, rung = "LIB106", "glibcxx-too-old", "cuda_libraries"
    explains = UNAVAILABLE

    @staticmethod
    def mend(case: Case) -> Fix:
        env = remedy.env_of(case)
        steps = [Step(where="env", command="unset LD_LIBRARY_PATH", note="where it names a folder with libstdc++")]
        if env is not None and remedy.is_conda(case, env):
            steps.insert(0, Step(where="env", tool="conda", command="conda install -c conda-forge libstdcxx"))
        else:
            steps.append(
                Step(where="host", command="ldd --version", note="GLIBC named in the error: a newer system is needed")
            )
        return Fix(title="Load a newer libstdc++", steps=steps, safety="careful", verify=remedy.import_test(case))


class MklRuntimeClash(Rule):
    """The MKL in this environment does not go with this torch.

    What it looks at
        The error of `import torch`: an undefined iJIT symbol, or MKL's own complaint about libgomp; and the versions
        of conda's packages.
    Why it matters
        torch of the ended `pytorch` channel cannot be imported with mkl 2024.1 or newer.
    How to mend it
        Pin mkl below 2024.1, or take torch and everything beside it from conda-forge alone.
    Cannot tell when
        The import was not tried, or gave no answer in time.
    References
        pytorch/pytorch issues 123097 and 37377.
    """

    code, name, rung = "LIB107", "mkl-runtime-clash", "cuda_libraries"
    explains = UNAVAILABLE

    @staticmethod
    def mend(case: Case) -> Fix:
        threads = "export MKL_THREADING_LAYER=GNU"
        return Fix(
            title="Take an MKL that goes with this torch",
            steps=[
                Step(where="env", tool="conda", command='conda install "mkl<2024.1"', note="for the iJIT symbol"),
                Step(where="env", command=threads, note="instead, for the complaint about libgomp"),
            ],
            safety="careful",
            verify=remedy.import_test(case),
        )


class StaticTlsExhausted(Rule):
    """Several OpenMP runtimes were loaded and the loader's room for thread-local data is used up.

    What it looks at
        The error of `import torch`: "cannot allocate memory in static TLS block".
    Why it matters
        The order of imports decides: with torch (or the named library) first, it works.  Mostly on aarch64.
    How to mend it
        Import torch before the other packages; as a stopgap preload the library that the error names.
    Cannot tell when
        The import was not tried, or gave no answer in time.
    References
        NVIDIA/DALI issue 5519; dmlc/xgboost issue 8488; glibc manual, tunable glibc.rtld.optional_static_tls.
    """

    code, name, rung = "LIB108", "static-tls-exhausted", "cuda_libraries"
    explains = UNAVAILABLE

    @staticmethod
    def mend(case: Case) -> Fix:
        env = remedy.env_of(case)
        words = remedy.fact(case, f"{env}/runtime/import_error") if env is not None else None
        named = re.search(r"(/\S+\.so[.\d]*): cannot allocate memory in static TLS", str(words))
        library = named[1] if named else "<the library that the error names>"
        return Fix(
            title="Load torch's OpenMP first",
            steps=[
                Step(where="env", command="import torch", note="as the first import of the program"),
                Step(where="env", command=f"export LD_PRELOAD={library}", note="instead, as a stopgap"),
            ],
            verify=remedy.import_test(case),
        )


RULES = (NvjitlinkSymbolMissing, NcclWheelMismatch, GlibcxxTooOld, MklRuntimeClash, StaticTlsExhausted)

WORDS: tuple[tuple[re.Pattern[str], RuleType], ...] = (
    (re.compile(r"undefined symbol: __nvJitLink"), NvjitlinkSymbolMissing),
    (re.compile(r"undefined symbol: nccl"), NcclWheelMismatch),
    (re.compile(r"undefined symbol: iJIT_NotifyEvent|MKL_THREADING_LAYER=INTEL is incompatible"), MklRuntimeClash),
    (re.compile(r"cannot allocate memory in static TLS block"), StaticTlsExhausted),
    (re.compile(r"version `(?:GLIBCXX|CXXABI|GLIBC)_[\d.]+' not found"), GlibcxxTooOld),
)
"""The loader's words, the particular before the general (error-strings 119 to 123)."""

WHEEL_LIBRARY = re.compile(
    r"lib(?:cudnn\w*|cusparseLt|nvshmem_host|cufile|nccl|cudart|cublas(?:Lt)?|cufft|curand|cusolver|cusparse|nvrtc"
    r"|cupti|nvJitLink)\.so\.\d+\S*: cannot open shared object file"
)
"""A library that a wheel of torch's requirements should have brought: see nvidia_wheels.py."""

CAUSES: dict[RuleType, str] = {
    NvjitlinkSymbolMissing: "an older libnvJitLink is found before the one of torch's own wheel",
    NcclWheelMismatch: "another libnccl is found before the one that torch was built with",
    GlibcxxTooOld: "the libstdc++ (or C library) that is loaded first is older than the build needs",
    MklRuntimeClash: "the installed MKL and this torch do not go together",
    StaticTlsExhausted: "several OpenMP runtimes share the loader's small room for thread-local data",
}


def named_by_the_loader(words: str) -> RuleType | None:
    """The rule that a failed import's words lead to, or ``None``."""
    return next((rule for pattern, rule in WORDS if pattern.search(words)), None)


def is_named_by_the_loader(words: str) -> bool:
    """Does a rule of this file, or the one about torch's wheels, answer for these words?"""
    return named_by_the_loader(words) is not None or WHEEL_LIBRARY.search(words) is not None


def import_error(case: Case) -> tuple[str, str | None]:
    """(pointer, words) of the error that `import torch` ended with; ``None``: it passed, or a signal ended it."""
    runtime = f"{case.at('env')}/runtime"
    if case.known(runtime, TorchRuntime) is None:
        raise NotApplicable("torch is not installed in this environment")
    pointer = f"{runtime}/import_error"
    return pointer, case.known(pointer, str)


@question("env", *RULES)
def does_the_loader_find_what_torch_needs(case: Case) -> Problem | None:
    """One cause for each of the loader's complaints."""
    pointer, words = import_error(case)
    rule = named_by_the_loader(words) if words is not None else None
    if rule is None or words is None:
        return None
    env = case.at("env")
    versions = []
    if rule is MklRuntimeClash:
        packages = case.maybe_records(f"{env}/conda_packages", CondaPackage)
        versions = [f"{p}/version" for p, item in packages if item.name in ("mkl", "pytorch")]
    return case.problem(
        rule,
        f"`import torch` fails: {words.strip().splitlines()[0][:200]}",
        cause=CAUSES[rule],
        evidence=[pointer, *versions, *said(case, rule)],
        fix=rule.mend(case),
    )


def own_copy(case: Case, title: str, library: str) -> Fix:
    """Let torch load its own copy; then the wheel of ``library`` at the pin that torch asks for."""
    from envcheck.rules.torch_build.requirements import torch_pins

    steps = [] if remedy.on_windows(case) else [Step(where="env", command="unset LD_LIBRARY_PATH LD_PRELOAD")]
    env = remedy.env_of(case)
    pins = case.maybe(lambda: torch_pins(case, env)) if env is not None else []
    for pin in pins if isinstance(pins, list) else []:
        if library in pin.name:
            steps.append(remedy.again(case, f"{pin.name}{pin.specifier}", note="if its wheel is not the pinned one"))
    return Fix(title=title, steps=steps, safety="careful", verify=remedy.import_test(case))

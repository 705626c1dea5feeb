"""Are torch's files whole, and is it torch that an import finds?"""

from __future__ import annotations

from envcheck.facts import DamagedFile, ModuleOrigin, TorchInstall
from envcheck.judge import CannotTell, Case, Fix, Problem, Rule, Step, question

from . import remedy
from .consequences import UNIMPORTABLE
from .library_files import file_name, is_library, is_wheel_library
from .messages import said


class TorchLibraryDamaged(Rule):
    """A library of torch is cut short or gone.

    What it looks at
        The size of every file of torch and of its CUDA libraries against the size that was recorded when it was
        installed.
    Why it matters
        The import ends in a bus error or "file too short", or, worse, passes: a library cut by a tenth still loads
        and crashes later.
    How to mend it
        Make room on the disk, then install the same build of torch anew.
    Cannot tell when
        The files or their record could not be read.
    References
        Python packaging: recording installed projects (RECORD); dlopen(3).
    """

    code, name, rung = "TOR121", "torch-library-damaged", "torch_build"
    essential = True
    explains = ("import-crash-cpu-isa", "windows-dll-load-failed", "nvidia-wheel-pin-broken", *UNIMPORTABLE)

    @staticmethod
    def mend(case: Case) -> Fix:
        space = Step(where="env", command="df -h . ~ /tmp", note="a full disk is the usual reason")
        check = [] if remedy.on_windows(case) else [space]
        return Fix(
            title="Install the same torch anew",
            steps=[*check, *remedy.same_again(case)],
            safety="careful",
            verify=remedy.import_test(case),
        )


class TorchFileChanged(Rule):
    """A Python file of torch is not the one that was installed.

    What it looks at
        The size of torch's Python files against the size that was recorded when it was installed.
    Why it matters
        Somebody edited or removed it.  That may be meant; it does explain behaviour that nobody else sees.
    How to mend it
        Install the same build of torch anew, where the change is not meant.
    Cannot tell when
        The files or their record could not be read.
    References
        Python packaging: recording installed projects (RECORD).
    """

    code, name, rung = "TOR123", "torch-file-changed", "torch_build"
    severity = "note"

    @staticmethod
    def mend(case: Case) -> Fix:
        return Fix(
            title="Install the same torch anew, if the change is not meant",
            steps=remedy.same_again(case),
            safety="careful",
            verify=remedy.import_test(case),
        )


class TorchShadowedByLocalFile(Rule):
    """A local file or folder takes the place of torch, or of a module that torch needs.

    What it looks at
        Where an import of torch, and of the standard modules that it needs, would come from when Python is started
        as its user starts it, and in isolation.
    Why it matters
        A torch.py, random.py or typing.py beside the script is found before the installed module: the import then
        fails with "partially initialized module" or "is not a package".
    How to mend it
        Rename the file and delete the __pycache__ beside it; or start Python in another folder.
    Cannot tell when
        The interpreter could not be asked; for a folder of that name, when torch was not imported either.
    References
        Python documentation, the initialization of the sys.path module search path.
    """

    code, name, rung = "TOR122", "torch-shadowed-by-local-file", "torch_build"
    explains = UNIMPORTABLE

    @staticmethod
    def mend(case: Case) -> Fix:
        culprit = _culprit(case)
        steps = [Step(where="env", note="rename the file that is found instead of the module")]
        if culprit is not None and not remedy.on_windows(case):
            folder, _, name = culprit.rpartition("/")
            stem = name.partition(".")[0]
            new = f"{folder}/my_{name}"
            steps = [
                Step(where="env", command=f"mv {remedy.quoted(case, culprit)} {remedy.quoted(case, new)}"),
                Step(where="env", command=f"rm -f {remedy.quoted(case, folder)}/__pycache__/{stem}.*.pyc"),
            ]
        elif culprit is not None:
            steps = [Step(where="env", note=f"rename {culprit}")]
        return Fix(
            title="Rename what takes the module's place", steps=steps, safety="careful", verify=remedy.import_test(case)
        )


@question("env", TorchLibraryDamaged, TorchFileChanged)
def are_the_files_of_torch_whole(case: Case) -> Problem | None:
    """Sizes against RECORD: a passing import proves nothing (failure-modes §11, §19.14)."""
    env = case.at("env")
    case.present(f"{env}/torch", TorchInstall)
    libraries: list[str] = []
    texts: list[str] = []
    silent: CannotTell | None = None
    for pointer, file in case.records(f"{env}/torch/damaged", DamagedFile):
        try:
            actual = case.known(f"{pointer}/actual_bytes", int)
        except CannotTell as unread:
            silent = silent or unread
            continue
        if is_wheel_library(file.path) and actual is None:
            continue  # the wheel of that library is gone: the pins' business
        (libraries if is_library(file.path) else texts).append(pointer)
    if libraries:
        return _damaged(case, env, libraries)
    if silent is not None:
        raise silent
    if texts:
        paths = ", ".join(_name(case, pointer) for pointer in texts[:3])
        return case.problem(
            TorchFileChanged,
            f"{len(texts)} file{'s' if len(texts) > 1 else ''} of torch changed since the installation: {paths}",
            cause="the sizes differ from those in torch's RECORD",
            evidence=texts[:3],
            fix=TorchFileChanged.mend(case),
        )
    return None


def _damaged(case: Case, env: str, pointers: list[str]) -> Problem:
    first = pointers[0]
    actual = remedy.fact(case, f"{first}/actual_bytes")
    expected = remedy.fact(case, f"{first}/expected_bytes")
    size = "is gone" if actual is None else f"has {actual} bytes instead of {expected}"
    more = f", and {len(pointers) - 1} more" if len(pointers) > 1 else ""
    runtime = [p for p in (f"{env}/runtime/signal", f"{env}/runtime/import_error") if remedy.fact(case, p) is not None]
    return case.problem(
        TorchLibraryDamaged,
        f"{_name(case, first)} {size}{more}",
        cause="the installation or a copy of it was cut short: a full disk, a killed install, a network file system",
        evidence=[*pointers[:3], *runtime, *said(case, TorchLibraryDamaged)],
        fix=TorchLibraryDamaged.mend(case),
    )


def _name(case: Case, pointer: str) -> str:
    return file_name(str(remedy.fact(case, f"{pointer}/path")))


@question("env", TorchShadowedByLocalFile)
def is_torch_hidden_by_a_local_file(case: Case) -> Problem | None:
    """A torch.py is proof; a namesake of a standard module counts where the import failed as well."""
    env = case.at("env")
    case.present(f"{env}/torch", TorchInstall)
    if case.known(f"{env}/torch/in_site_packages", bool) is False:
        location = case.present(f"{env}/torch/location", str)
        if not location.endswith(".py") and case.known(f"{env}/runtime/imported", bool):
            return None  # a source tree that was built in place, or a folder of modules: it works
        return _shadowed(case, "torch", location, [f"{env}/torch/location", f"{env}/torch/in_site_packages"])
    hidden = _hidden_modules(case, env)
    if not hidden or case.known(f"{env}/runtime/imported", bool):
        return None
    pointer, module, origin = hidden[0]
    return _shadowed(case, module, origin, [f"{pointer}/origin", f"{pointer}/origin_isolated"])


def _hidden_modules(case: Case, env: str) -> list[tuple[str, str, str]]:
    """(pointer, module, file) of the standard modules that come from elsewhere than in an isolated start."""
    found = []
    for pointer, item in case.records(f"{env}/origins", ModuleOrigin):
        if item.module in PACKAGES:
            continue
        origin = case.known(f"{pointer}/origin", str)
        isolated = case.known(f"{pointer}/origin_isolated", str)
        if origin is not None and isolated is not None and origin != isolated:
            found.append((pointer, item.module, origin))
    return found


PACKAGES = (
    "torch",
    "torchvision",
    "torchaudio",
    "numpy",
    "triton",
    "functorch",
    "torchgen",
    "pynvml",
    "ipykernel_launcher",
    "pip",
    "d2l",
)
"""Modules of installed packages: one from elsewhere is another question (PYTHONPATH, user site)."""


def _shadowed(case: Case, module: str, origin: str, evidence: list[str]) -> Problem:
    env = case.at("env")
    runtime = f"{env}/runtime/import_error"
    return case.problem(
        TorchShadowedByLocalFile,
        f"an import of {module} finds {origin}",
        cause="that file comes before the installed module on Python's search path"
        if module != "torch" or origin.endswith(".py")
        else "that folder comes before the installed package, or is there without one",
        evidence=[
            *evidence,
            *([runtime] if remedy.fact(case, runtime) is not None else []),
            *said(case, TorchShadowedByLocalFile),
        ],
        fix=TorchShadowedByLocalFile.mend(case),
    )


def _culprit(case: Case) -> str | None:
    """The file or folder that takes a module's place, where it is known."""
    env = remedy.env_of(case)
    if env is None:
        return None
    if remedy.fact(case, f"{env}/torch/in_site_packages") is False:
        location = remedy.fact(case, f"{env}/torch/location")
        return location if isinstance(location, str) else None
    hidden = case.maybe(lambda: _hidden_modules(case, env))
    return hidden[0][2] if isinstance(hidden, list) and hidden else None

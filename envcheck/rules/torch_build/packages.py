"""Was torch installed once, by one package manager, and completely removed before?"""

from __future__ import annotations

from envcheck.facts import CondaPackage, Distribution
from envcheck.judge import CannotTell, Case, Fix, Problem, Rule, Step, question
from envcheck.rules import plan

from . import remedy
from .messages import defer_to_messages, said
from .requirements import installed

CONDA_TORCH = ("pytorch", "libtorch")
PIP_LIKE = ("pip", "uv")


class TorchMixedPipConda(Rule):
    """torch was installed by conda and by pip into one environment.

    What it looks at
        conda's records of pytorch and libtorch, and a metadata folder of torch that pip or uv wrote.
    Why it matters
        The files of one lie over those of the other: undefined symbols, and a version that nobody asked for.
    How to mend it
        Remove both, then install with one; best in a new environment.
    Cannot tell when
        conda's records or the metadata folders were not read.
    References
        conda documentation, using pip in a conda environment.
    """

    code, name, rung = "TOR201", "torch-mixed-pip-conda", "torch_build"
    explains = (
        "leftover-torch-distinfo",
        "two-torch-copies-on-path",
        "torch-import-fails",
        "torch-library-damaged",
        "torchvision-mismatch",
        "torchaudio-mismatch",
        "nvidia-wheel-pin-broken",
    )

    @staticmethod
    def mend(case: Case) -> Fix:
        if plan.is_plan(case):
            step = plan.write(case, "torch", "remove one of the two; conda's goes without the lines under pip:")
            return Fix(title="Ask one manager for torch", steps=[step])
        return Fix(
            title="Remove both, then install torch with one manager",
            steps=[
                Step(
                    where="env",
                    tool="conda",
                    command=f"{remedy.python(case)} -m pip uninstall -y {remedy.FAMILY}",
                    note="repeat until it finds none",
                ),
                Step(where="env", tool="conda", command="conda remove --force pytorch libtorch pytorch-gpu"),
                Step(where="env", tool="conda", command="conda install -c conda-forge pytorch-gpu torchvision"),
            ],
            safety="careful",
            verify=remedy.import_test(case),
        )


class LeftoverTorchDistinfo(Rule):
    """An interrupted upgrade left a second metadata folder of torch behind.

    What it looks at
        The *.dist-info folders of torch: more than one in a folder, one that begins with ~, one without METADATA.
    Why it matters
        pip and importlib.metadata then tell one version while another is imported, and pins are checked against the
        wrong one; `pip check` does not notice.
    How to mend it
        Delete the stale folders.
    Cannot tell when
        The metadata folders were not read.
    References
        pip, "Ignoring invalid distribution"; Python packaging: recording installed projects.
    """

    code, name, rung = "TOR202", "leftover-torch-distinfo", "torch_build"
    severity = "warning"
    explains = ("dependency-conflict", "torchvision-mismatch", "torchaudio-mismatch", "nvidia-wheel-pin-broken")

    @staticmethod
    def mend(case: Case) -> Fix:
        env = remedy.env_of(case)
        stale = case.maybe(lambda: _stale(case, env)) if env is not None else []
        remove = "Remove-Item -Recurse" if remedy.on_windows(case) else "rm -r"
        separator = "\\" if remedy.on_windows(case) else "/"
        steps = [
            Step(where="env", command=f"{remove} {remedy.quoted(case, item.location + separator + item.folder)}")
            for _, item in (stale if isinstance(stale, list) else [])
        ]
        if not steps:
            steps = [Step(where="env", note="delete the ~ folders and all but the newest torch-*.dist-info")]
        return Fix(
            title="Delete the stale metadata folders",
            steps=[*steps, *remedy.same_again(case)],
            safety="careful",
            verify=f"{remedy.python(case)} -m pip show torch",
        )


@question("env", TorchMixedPipConda)
def was_torch_installed_by_one_manager(case: Case) -> Problem | None:
    """conda's record and pip's, in one prefix."""
    env = case.at("env")
    by_conda = [p for p, item in case.records(f"{env}/conda_packages", CondaPackage) if item.name in CONDA_TORCH]
    if not by_conda:
        return None
    silent: CannotTell | None = None
    for pointer, item in installed(case, env):
        if item.name != "torch":
            continue
        try:
            installer = case.known(f"{pointer}/installer", str)
        except CannotTell as unread:
            silent = silent or unread
            continue
        if installer in PIP_LIKE:
            return case.problem(
                TorchMixedPipConda,
                f"torch was installed by conda and by {installer} into one environment",
                cause="pip put its torch over the one that conda had installed, or the other way round",
                evidence=[f"{by_conda[0]}/version", f"{pointer}/installer", f"{pointer}/version"],
                fix=TorchMixedPipConda.mend(case),
            )
    if silent is not None:
        raise silent
    return None


@question("env", LeftoverTorchDistinfo)
def is_there_one_metadata_folder_of_torch(case: Case) -> Problem | None:
    """One folder a place; a copy in another folder of the path is another question."""
    env = case.at("env")
    stale = _stale(case, env)
    if not stale:
        defer_to_messages(case, LeftoverTorchDistinfo)
        return None
    folders = ", ".join(item.folder for _, item in stale)
    return case.problem(
        LeftoverTorchDistinfo,
        f"stale metadata of torch: {folders}",
        cause="an upgrade or an uninstall was interrupted",
        evidence=[*[f"{p}/folder" for p, _ in stale], *said(case, LeftoverTorchDistinfo)],
        fix=LeftoverTorchDistinfo.mend(case),
    )


def _stale(case: Case, env: str) -> list[tuple[str, Distribution]]:
    """The folders that do not belong to the torch that is imported."""
    packages = installed(case, env)
    broken: list[tuple[str, Distribution]] = []
    whole: list[tuple[str, Distribution]] = []
    for pointer, item in packages:
        if item.name.startswith("~") and item.name.lstrip("~") in ("orch", "torch"):
            broken.append((pointer, item))
        elif item.name == "torch":
            if case.known(f"{pointer}/version", str) is None:
                broken.append((pointer, item))
            else:
                whole.append((pointer, item))
    places = {item.location for _, item in whole}
    for place in sorted(places):
        here = [(p, item) for p, item in whole if item.location == place]
        if len(here) > 1:
            good = _release(case, env)
            keep = next((p for p, item in here if str(item.version).partition("+")[0] == good), here[-1][0])
            broken += [(p, item) for p, item in here if p != keep]
    return broken


def _release(case: Case, env: str) -> str | None:
    """The release that version.py names: it tells which of several folders belongs to the files.  For wording."""
    version = remedy.fact(case, f"{env}/torch/version")
    return version.partition("+")[0] if isinstance(version, str) else None

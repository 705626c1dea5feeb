"""Is the conda environment activated, not the base one, and of one channel?"""

from __future__ import annotations

from envcheck.facts import CondaPackage, TorchInstall
from envcheck.judge import CannotTell, Case, Fix, NotApplicable, Problem, Rule, Severity, Step, by_message, question
from envcheck.rules.torch_build import remedy
from envcheck.rules.torch_build.messages import said

from .folders import plain

SENSITIVE = (
    "pytorch",
    "libtorch",
    "numpy",
    "numpy-base",
    "mkl",
    "llvm-openmp",
    "intel-openmp",
    "openmp",
    "blas",
    "libblas",
)
"""Packages whose builds from different channels do not go together."""


class CondaEnvNotActivated(Rule):
    """The Python of a conda environment runs without that environment being activated.

    What it looks at
        The prefix of the interpreter against CONDA_PREFIX.
    Why it matters
        On Windows the environment's DLL folder is then not on PATH and imports fail.  On Linux it mostly works, but
        variables that the environment sets are missing, and `conda install` changes another environment.
    How to mend it
        Activate the environment, or start programs through `conda run`.
    Cannot tell when
        The interpreter or the environment variables were not read.
    References
        conda documentation, managing environments; conda init.
    """

    code, name, rung = "PYE111", "conda-env-not-activated", "python"

    @staticmethod
    def mend(case: Case) -> Fix:
        env = remedy.env_of(case)
        name = remedy.fact(case, f"{env}/name") if env is not None else None
        prefix = remedy.fact(case, f"{env}/prefix") if env is not None else None
        wanted = name if isinstance(name, str) else prefix if isinstance(prefix, str) else "<environment>"
        return Fix(
            title="Activate the environment",
            steps=[
                Step(where="env", tool="conda", command=f"conda activate {remedy.quoted(case, wanted)}"),
                Step(where="env", tool="conda", command="conda init", note="if conda says so; then open a new shell"),
            ],
            verify='python -c "import sys; print(sys.prefix)"',
        )


class CondaBaseInUse(Rule):
    """torch is installed in conda's base environment.

    What it looks at
        Whether the environment is the one that holds conda itself, and whether torch is in it.
    Why it matters
        Everything shares one environment with conda: an update of either can break the other.
    How to mend it
        Make an environment for the work and leave base alone.  In a container image this is common, and a remark.
    Cannot tell when
        The interpreter was not asked.
    References
        conda documentation, managing environments.
    """

    code, name, rung = "PYE112", "conda-base-in-use", "python"
    severity = "warning"

    @staticmethod
    def mend(case: Case) -> Fix:
        return Fix(
            title="Make an environment for the work",
            steps=[
                Step(where="env", tool="conda", command="conda create -n torch -c conda-forge python=3.12"),
                Step(where="env", tool="conda", command="conda activate torch", note="then install torch there"),
            ],
            verify="conda info --envs",
        )


class CondaChannelMix(Rule):
    """Packages that must go together came from different conda channels.

    What it looks at
        The channels of torch, numpy, MKL and the OpenMP runtimes in conda's own records.
    Why it matters
        conda-forge and the default channels build against different libraries: two OpenMP runtimes, two BLAS, and
        solver conflicts.  The pytorch channel ended with torch 2.5.
    How to mend it
        Make a new environment from one channel.
    Cannot tell when
        conda's records were not read.
    References
        conda-forge documentation, channel priority; pytorch/pytorch issue 138506.
    """

    code, name, rung = "PYE113", "conda-channel-mix", "python"
    severity = "warning"

    @staticmethod
    def mend(case: Case) -> Fix:
        create = "conda create -n torch --override-channels -c conda-forge python=3.12 pytorch-gpu torchvision"
        return Fix(
            title="Make a new environment from one channel",
            steps=[Step(where="env", tool="conda", command=create)],
            verify="conda list --show-channel-urls",
        )


class CondaCudaVirtualPackageAbsent(Rule):
    """conda solved for a machine without a driver and chose, or refused, a build without CUDA.

    What it looks at
        The message about the virtual package __cuda.
    Why it matters
        On a login node, or while an image is built, no driver is visible: conda believes that there is no GPU.
    How to mend it
        Tell conda the CUDA level of the driver that will run it.
    Cannot tell when
        No message was seen.
    References
        conda documentation, virtual packages (CONDA_OVERRIDE_CUDA).
    """

    code, name, rung = "PYE114", "conda-cuda-virtual-package-absent", "python"

    @staticmethod
    def mend(case: Case) -> Fix:
        level = remedy.fact(case, "/cuda/driver_version")
        cuda = f"{level // 1000}.{level % 1000 // 10}" if isinstance(level, int) else "<CUDA level of the driver>"
        install = f"CONDA_OVERRIDE_CUDA={cuda} conda install -c conda-forge pytorch-gpu"
        return Fix(
            title="Tell conda which CUDA the driver has",
            steps=[Step(where="env", tool="conda", command=install)],
            verify="conda list pytorch   # the build string names cuda",
        )


def _packages(case: Case, env: str) -> list[tuple[str, CondaPackage]]:
    if case.known(f"{env}/conda_packages", list) is None:
        raise NotApplicable("this is no conda environment")
    found = case.records(f"{env}/conda_packages", CondaPackage)
    if not found and case.known(f"{env}/manager", str) not in ("conda", "pixi"):
        raise NotApplicable("this is no conda environment")
    return found


@question("env", CondaEnvNotActivated)
def is_the_conda_environment_activated(case: Case) -> Problem | None:
    """CONDA_PREFIX against the interpreter's own prefix."""
    env = case.at("env")
    if case.known(f"{env}/manager", str) != "conda":
        raise NotApplicable("this is no conda environment")
    prefix = case.present(f"{env}/prefix", str)
    active = case.variable("CONDA_PREFIX")
    if active is not None and plain(active[1]).lower() == plain(prefix).lower():
        return None
    windows = case.maybe(lambda: case.known("/host/system", str)) == "Windows"
    failed = remedy.fact(case, f"{env}/runtime/imported") is False
    severity: Severity | None = "note"
    if windows:
        severity = None if failed else "warning"
    instead = f"the active one is {active[1]}" if active is not None else "no conda environment is active"
    return case.problem(
        CondaEnvNotActivated,
        f"the Python of {prefix} runs without its environment being activated",
        cause=instead,
        evidence=[f"{env}/prefix", *([active[0]] if active is not None else []), *said(case, CondaEnvNotActivated)],
        fix=CondaEnvNotActivated.mend(case),
        severity=severity,
    )


@question("env", CondaBaseInUse)
def is_the_base_environment_in_use(case: Case) -> Problem | None:
    """torch beside conda itself."""
    env = case.at("env")
    if case.known(f"{env}/manager", str) != "conda":
        raise NotApplicable("this is no conda environment")
    if case.known(f"{env}/name", str) != "base" or case.known(f"{env}/torch", TorchInstall) is None:
        return None
    inside = case.maybe(lambda: case.known("/container/engine", str))
    return case.problem(
        CondaBaseInUse,
        "torch is installed in conda's base environment",
        cause="no environment of its own was made for it",
        evidence=[f"{env}/name", f"{env}/torch/location"],
        fix=CondaBaseInUse.mend(case),
        severity="note" if isinstance(inside, str) else None,
    )


@question("env", CondaChannelMix)
def did_the_packages_come_from_one_channel(case: Case) -> Problem | None:
    """conda-forge beside the default or pytorch channels.  The latter two were made for each other."""
    env = case.at("env")
    families: dict[str, str] = {}
    silent: CannotTell | None = None
    for pointer, package in _packages(case, env):
        if package.name not in SENSITIVE:
            continue
        try:
            channel = case.known(f"{pointer}/channel", str)
        except CannotTell as unread:
            silent = silent or unread
            continue
        if channel is not None:
            families.setdefault(family(channel), pointer)
    mixed = [name for name in ("defaults", "pytorch") if name in families]
    if "conda-forge" not in families or not mixed:
        if silent is not None:
            raise silent
        return None
    one, two = families["conda-forge"], families[mixed[0]]
    first, second = remedy.fact(case, f"{one}/name"), remedy.fact(case, f"{two}/name")
    return case.problem(
        CondaChannelMix,
        f"{first} came from conda-forge and {second} from {mixed[0]}",
        cause="several channels were used in one environment",
        evidence=[f"{one}/channel", f"{two}/channel", *said(case, CondaChannelMix)],
        fix=CondaChannelMix.mend(case),
    )


def family(channel: str) -> str:
    """The channel's family: "conda-forge", "defaults", "pytorch", "nvidia", or its last name."""
    text = channel.rstrip("/").lower()
    for name in ("conda-forge", "pytorch", "nvidia"):
        if name in text.split("/"):
            return name
    if text == "defaults" or "/pkgs/" in f"/{text}/" or text.startswith("pkgs/"):
        return "defaults"
    parts = [
        part for part in text.split("/") if part not in ("linux-64", "linux-aarch64", "noarch", "win-64", "osx-arm64")
    ]
    return parts[-1] if parts else text


what_did_the_solver_miss = by_message("what_did_the_solver_miss", "env", CondaCudaVirtualPackageAbsent)

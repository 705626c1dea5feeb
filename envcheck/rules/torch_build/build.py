"""The torch of one environment, as its files or its own words give it."""

from __future__ import annotations

from envcheck.compat import sm, torch_builds
from envcheck.compat.rows import TorchBuild
from envcheck.compat.version import cuda_of, split_local
from envcheck.facts import TorchInstall, Unread
from envcheck.judge import CannotTell, Case, NotApplicable


def require_torch(case: Case) -> str:
    """The pointer of the environment.  Raises :class:`NotApplicable` where it holds no torch at all."""
    env = case.at("env")
    try:
        case.present(f"{env}/torch", TorchInstall)
    except CannotTell:  # files not looked at (a pasted text): what torch said of itself counts as well
        case.present(f"{env}/runtime/version", str)
    return env


def is_there(case: Case, env: str) -> bool:
    """Does the environment hold a torch?"""
    return case.known(f"{env}/torch", TorchInstall) is not None


def version(case: Case, env: str) -> str:
    """torch's version with its local part: ``"2.14.1+cu130"`` (version.py and the imported module agree on it)."""
    found = case.first(str, f"{env}/torch/version", f"{env}/runtime/version")
    if found is None:
        raise NotApplicable("torch is not installed in this environment")
    return found


def cuda(case: Case, env: str) -> str | None:
    """The CUDA that torch was built with (``"13.0"``), or ``None`` for a build without it."""
    return case.first(str, f"{env}/torch/cuda", f"{env}/runtime/cuda")


def hip(case: Case, env: str) -> str | None:
    """The ROCm (HIP) that torch was built with, or ``None``."""
    return case.first(str, f"{env}/torch/hip", f"{env}/runtime/hip")


def told(case: Case, env: str, *names: str) -> list[str]:
    """The pointers of those facts that somebody stated, of torch's files before torch itself."""
    found = []
    for name in names:
        for pointer in (f"{env}/torch/{name}", f"{env}/runtime/{name}"):
            try:
                case.known(pointer, object)
            except CannotTell:
                continue
            found.append(pointer)
            break
    return found


def gpu_code(case: Case, env: str) -> tuple[list[str], str]:
    """(targets such as ``sm_90`` or ``compute_120``, what says so) that this build was compiled for.

    The library's own list first; then the table's row of exactly this build.  An empty list is no answer.
    """
    silent: CannotTell | None = None
    for pointer in (f"{env}/torch/arch_list", f"{env}/runtime/arch_list"):
        try:
            found = case.known(pointer, list)
        except CannotTell as unread:
            silent = silent or unread
            continue
        if found:
            return [str(target) for target in found], pointer
    return _by_table(
        case, env, silent or CannotTell("the build does not list its GPU targets", f"{env}/torch/arch_list")
    )


def _by_table(case: Case, env: str, silent: CannotTell) -> tuple[list[str], str]:
    """A wheel of the PyTorch index is what its version says; anything else was built by somebody else."""
    full = version(case, env)
    public, local = split_local(full)
    if local is None or cuda_of(local) is None or case.known("/host/jetson", str) is not None:
        raise silent
    system, machine = case.present("/host/system", str), case.present("/host/machine", str)
    platform = torch_builds.platform_of(system, machine)
    if platform is None:
        raise silent
    row = torch_builds.torch_build(public, local, platform)
    if not isinstance(row, TorchBuild) or row.archs is None:
        raise silent
    targets = [f"sm_{cc}" for cc in row.archs] + [f"compute_{cc}" for cc in row.ptx or []]
    return targets, told(case, env, "version")[0]


def coverage(cc: int, targets: list[str], built_with: str | None) -> str | None:
    """How a card of this compute capability gets code from ``targets``: "cubin", "ptx" or ``None``: not at all."""
    how = sm.coverage(cc, targets, cuda=built_with)
    if isinstance(how, Unread):
        raise CannotTell(str(how))
    return how

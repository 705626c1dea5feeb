"""Are the CUDA libraries of two major versions installed beside each other?"""

from __future__ import annotations

from envcheck.compat.version import key
from envcheck.judge import CannotTell, Case, Fix, NotApplicable, Problem, Rule, question
from envcheck.rules.torch_build import build, remedy
from envcheck.rules.torch_build.requirements import Pin, find, installed, pins, torch_pins

NOT_LIBRARIES = ("nvidia-ml-py", "nvidia-modelopt", "nvidia-dali", "nvidia-nvimgcodec", "nvidia-cutlass")
UNSUFFIXED_13 = frozenset(
    {
        "nvidia-cublas",
        "nvidia-cuda-cupti",
        "nvidia-cuda-nvrtc",
        "nvidia-cuda-runtime",
        "nvidia-cufft",
        "nvidia-cufile",
        "nvidia-curand",
        "nvidia-cusolver",
        "nvidia-cusparse",
        "nvidia-nvjitlink",
        "nvidia-nvtx",
    }
)
"""Wheels that dropped the suffix with CUDA 13; their files lie in nvidia/cu13."""


class NvidiaCu12Cu13Overlap(Rule):
    """CUDA libraries of two major versions are installed in one environment, and nothing asks for the other.

    What it looks at
        The nvidia-* wheels by their CUDA major version, and which installed packages require them.
    Why it matters
        Gigabytes of disk, and some of them share a folder (nvidia/cudnn, nvidia/nccl), where the last one installed
        has overwritten the other.
    How to mend it
        Best a fresh environment.  In place: remove the wheels that nothing requires, then install torch's own anew,
        since the removal also deletes the files that both shared.
    Cannot tell when
        The metadata of a package that may require them could not be read.
    References
        Metadata and file lists of the nvidia wheels; torch 2.11 release notes.
    """

    code, name, rung = "LIB102", "nvidia-cu12-cu13-overlap", "cuda_libraries"
    severity = "warning"

    @staticmethod
    def mend(case: Case) -> Fix:
        env = remedy.env_of(case)
        extra = case.maybe(lambda: _unrequired(case, env)) if env is not None else ([], False)
        names = " ".join(extra[0]) if isinstance(extra, tuple) and extra[0] else "<the unrequired nvidia wheels>"
        shared = []
        kept = case.maybe(lambda: torch_pins(case, env)) if env is not None else []
        for pin in kept if isinstance(kept, list) else []:
            if pin.name.startswith(("nvidia-cudnn", "nvidia-nccl", "nvidia-cusparselt", "nvidia-nvshmem")):
                shared.append(remedy.again(case, f"{pin.name}{pin.specifier}", note="its files lay in a shared folder"))
        return Fix(
            title="Remove the CUDA libraries that nothing asks for",
            steps=[remedy.uninstall(case, names, note="or make a fresh environment instead"), *shared],
            safety="careful",
            verify=remedy.import_test(case),
        )


@question("env", NvidiaCu12Cu13Overlap)
def are_libraries_of_two_majors_installed(case: Case) -> Problem | None:
    """Wheels of a CUDA major that is not torch's and that no installed package requires."""
    env = build.require_torch(case)
    extra, unread = _unrequired(case, env)
    if not extra:
        return None
    found = find(case, env, extra[0])
    assert found is not None, "an installed wheel has a record"
    more = f" and {len(extra) - 3} more" if len(extra) > 3 else ""
    return case.problem(
        NvidiaCu12Cu13Overlap,
        f"CUDA libraries of another major version stand beside torch's own: {', '.join(extra[:3])}{more}",
        cause="an upgrade of torch left the old ones behind, and nothing asks for them"
        if not unread
        else "an upgrade of torch left the old ones behind; no package whose requirements were read asks for them",
        evidence=[f"{found[0]}/version", *build.told(case, env, "cuda")],
        fix=NvidiaCu12Cu13Overlap.mend(case),
        confidence="suggested" if unread else "established",
    )


def cuda_major_of(name: str) -> int | None:
    """The CUDA major version that an nvidia wheel belongs to; ``None``: it belongs to none."""
    if name.startswith(NOT_LIBRARIES) or not name.startswith("nvidia-"):
        return None
    if name in UNSUFFIXED_13:
        return 13
    tail = name.rpartition("-")[2]
    return int(tail[2:]) if tail.startswith("cu") and tail[2:].isdigit() else None


def _unrequired(case: Case, env: str) -> tuple[list[str], bool]:
    """The wheels of another CUDA major than torch's that nothing requires, where torch's own are there as well;
    and whether the requirements of some package were not read."""
    cuda = build.cuda(case, env)
    if cuda is None:
        raise NotApplicable("torch was built without CUDA")
    packages = installed(case, env)
    majors = {d.name: cuda_major_of(d.name) for _, d in packages}
    own = key(cuda)[0]
    others = sorted(name for name, major in majors.items() if major is not None and major != own)
    if not others or own not in majors.values():
        return [], False
    required: set[str] = set()
    unread = False
    for pointer, item in packages:
        if item.name in others:
            continue
        try:
            required.update(pin.name for pin in pins(case, env, pointer))
        except CannotTell:
            unread = True
    grown = True
    while grown:  # what a required wheel requires is required, too
        more = {pin.name for name in others if name in required for pin in _pins_of(case, env, name)}
        grown = not more <= required
        required |= more
    return [name for name in others if name not in required], unread


def _pins_of(case: Case, env: str, name: str) -> list[Pin]:
    found = find(case, env, name)
    return pins(case, env, found[0]) if found is not None else []

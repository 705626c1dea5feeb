"""Does conda have the declared build of torch?"""

from __future__ import annotations

from envcheck.compat.declared.torch_choice import CHANNEL
from envcheck.compat.declared.torch_choice import LAST_OF_CHANNEL as LAST
from envcheck.compat.declared.wanted import allows, exact
from envcheck.compat.rows import TorchRelease
from envcheck.compat.torch_builds import builds_of, release, releases
from envcheck.compat.version import cuda_of, key
from envcheck.facts import DeclaredEnvironment, DeclaredPackage
from envcheck.judge import Case, Fix, NotApplicable, Problem, Rule, Step, question
from envcheck.rules import plan

METAPACKAGE, METAPACKAGE_FROM = "pytorch-cuda", (1, 13)
"""It chooses the CUDA of the channel's builds, from 1.13 on; they were made for the CUDA versions of the wheels."""


class CondaBuildMissing(Rule):
    """The conda channels that are named have no such build of torch.

    What it looks at
        The release that environment.yml asks for and the CUDA of pytorch-cuda, against what the pytorch channel had:
        releases up to 2.5.1, each for the CUDA versions of its wheels.
    Why it matters
        The solver fails, or takes a CPU build from another channel.
    How to mend it
        Take newer releases from conda-forge (pytorch-gpu and cuda-version), or through pip.
    Cannot tell when
        The file leaves the release open.
    References
        PyTorch, previous versions; pytorch/pytorch issue 138506 (end of the channel).
    """

    code, name, rung = "LNT113", "conda-build-missing", "torch_build"

    @staticmethod
    def mend(case: Case) -> Fix:
        note = f"{plan.line_of(case, 'torch')}: pytorch-gpu from conda-forge with cuda-version=12, without pytorch-cuda"
        return Fix(title="Take torch from conda-forge", steps=[Step(where=plan.FILE_STEP, note=note)])


@question("env", CondaBuildMissing)
def does_conda_have_the_build(case: Case) -> Problem | None:
    """The channel's end, then the CUDA versions of the release."""
    here, environment = plan.declaration(case)
    packages = case.records(f"{here}/packages", DeclaredPackage)
    conda = {item.name: (p, item) for p, item in packages if item.manager == "conda"}
    if "torch" not in conda:
        raise NotApplicable("torch does not come from conda")
    torch_pointer, torch = conda["torch"]
    asked = _asked(torch)
    if METAPACKAGE not in conda:
        if asked and key(asked[0]) > key(LAST) and _channel_alone(environment):
            return _problem(case, f"the pytorch channel ended with {LAST}", [f"{torch_pointer}/wanted"])
        return None
    pointer, meta = conda[METAPACKAGE]
    evidence = [f"{pointer}/wanted", f"{torch_pointer}/wanted"]
    if asked and key(asked[0]) > key(LAST):
        return _problem(case, f"pytorch-cuda is of the pytorch channel, which ended with {LAST}", evidence)
    cuda = meta.wanted.removeprefix("==").removesuffix(".*")
    possible = [v for v in asked or _on_channel() if key(v) >= METAPACKAGE_FROM]
    if not cuda or "." not in cuda or not possible or any(cuda in _cudas(version) for version in possible):
        return None
    which = f"torch {possible[0]}" if len(possible) == 1 else "the releases that are allowed"
    had = ", ".join(dict.fromkeys(c for version in possible for c in _cudas(version)))
    return _problem(case, f"the pytorch channel has no build of {which} for CUDA {cuda} (it had {had})", evidence)


def _asked(torch: DeclaredPackage) -> list[str]:
    """The releases that the line allows, oldest first; none where it leaves them open."""
    if not torch.wanted:
        return []
    version = exact(torch.wanted)
    if version is not None:
        return [version] if isinstance(release(version), TorchRelease) else []
    return [row.version for row in releases() if allows(torch.wanted, row.version)]


def _on_channel() -> list[str]:
    return [row.version for row in releases() if key(row.version) <= key(LAST)]


def _cudas(version: str) -> list[str]:
    return [cuda for row in builds_of(version, "linux_x86_64") if (cuda := cuda_of(row.variant)) is not None]


def _channel_alone(environment: DeclaredEnvironment) -> bool:
    channels = environment.channels if isinstance(environment.channels, list) else []
    return CHANNEL in channels and not any("forge" in channel or channel == "defaults" for channel in channels)


def _problem(case: Case, why: str, evidence: list[str]) -> Problem:
    return case.problem(
        CondaBuildMissing,
        why,
        cause="the channel that is named does not have what is asked for",
        evidence=evidence,
        fix=CondaBuildMissing.mend(case),
    )

"""Is it the torch that the policy requires, in version and in build?"""

from __future__ import annotations

from envcheck.compat.version import split_local, variant_of
from envcheck.facts import TorchInstall
from envcheck.judge import CannotTell, Case, Fix, Problem, Step, question
from envcheck.rules.torch_build import build, remedy
from envcheck.rules.torch_build.requirements import satisfied

from .requirement import Requirement, wanted

CPU = "cpu"
INDEX = "https://download.pytorch.org/whl"


class PolicyTorch(Requirement):
    """torch is not there, or has another version than the policy requires.

    What it looks at
        The version in torch/version.py, or as the imported torch states it, against require.torch (a version
        specifier: ">=2.9,<2.15").
    Why it matters
        Code and checkpoints of a project are tested with these releases.
    How to mend it
        Install a torch within the specifier into the judged environment, or change the policy.
    Cannot tell when
        Neither torch's files nor torch itself was asked.
    References
        PEP 440, version specifiers.
    """

    code, name, rung = "POL131", "policy-torch", "torch_build"
    explained_by = ("torch-not-installed",)

    @staticmethod
    def mend(case: Case) -> Fix:
        asked = case.policy.require.torch
        return Fix(
            title="Install the torch that the policy requires",
            steps=[
                Step(where="env", tool="pip", command=f'{remedy.python(case)} -m pip install "torch{asked}"'),
                Step(where="env", tool="uv", command=f'uv pip install --python {remedy.python(case)} "torch{asked}"'),
            ],
            safety="careful",
            verify=remedy.import_test(case),
        )


@question("env", PolicyTorch)
def is_it_the_torch_that_the_policy_requires(case: Case) -> Problem | None:
    """Pre-releases count as releases: a nightly that is new enough is new enough."""
    asked = wanted(case.policy.require.torch)
    env = case.at("env")
    version = torch_version(case, env)
    if version is not None and satisfied(asked, split_local(version)[0]):
        return None
    return case.problem(
        PolicyTorch,
        f"the policy requires torch {asked}, there is {f'torch {version}' if version else 'no torch'}",
        cause="the environment was made from other requirements than the policy's",
        evidence=build.told(case, env, "version") if version else [f"{env}/torch"],
        fix=PolicyTorch.mend(case),
    )


def torch_version(case: Case, env: str) -> str | None:
    """torch's version; ``None`` where the environment holds no torch."""
    try:
        if case.known(f"{env}/torch", TorchInstall) is None:
            return None
    except CannotTell:  # the files were not looked at (a pasted text): torch's own word counts
        return case.known(f"{env}/runtime/version", str)
    return build.version(case, env)


class PolicyTorchCuda(Requirement):
    """torch is built for another CUDA than the policy requires.

    What it looks at
        The CUDA of torch/version.py (the build variant, not the toolkit), against require.torch_cuda; "12" stands for
        every 12.x and "cpu" for a build without CUDA, ROCm and XPU.
    Why it matters
        Extensions are compiled for one CUDA, and a wheel from the wrong index runs on the CPU alone.
    How to mend it
        Install torch from the index of a required variant, or change the policy.
    Cannot tell when
        Neither torch's files nor torch itself was asked.
    References
        pytorch.org, get started; download.pytorch.org/whl.
    """

    code, name, rung = "POL132", "policy-torch-cuda", "torch_build"
    explained_by = ("torch-not-installed", "torch-cpu-only-build", "windows-default-index-cpu", "torch-rocm-on-nvidia")

    @staticmethod
    def mend(case: Case) -> Fix:
        asked = next((cuda for cuda in case.policy.require.torch_cuda if "." in cuda or cuda == CPU), "")
        if not asked:
            return Fix(title="Install torch from the index of a CUDA that the policy requires")
        wish = f"torch --index-url {INDEX}/{asked if asked == CPU else variant_of(asked)}"
        python = remedy.python(case)
        return Fix(
            title=f"Install torch from the index for {asked if asked == CPU else f'CUDA {asked}'}",
            steps=[
                Step(where="env", tool="pip", command=f"{python} -m pip install --force-reinstall {wish}"),
                Step(where="env", tool="uv", command=f"uv pip install --python {python} --reinstall {wish}"),
            ],
            safety="careful",
            verify=remedy.import_test(case),
        )


@question("env", PolicyTorchCuda)
def is_torch_built_for_the_cuda_that_the_policy_requires(case: Case) -> Problem | None:
    """The policy names releases: "12.6" is met by a build for 12.6, "12" by every 12.x."""
    asked = wanted(case.policy.require.torch_cuda)
    env = case.at("env")
    if torch_version(case, env) is None:
        have, evidence = "there is no torch", [f"{env}/torch"]
    else:
        built = variant(case, env)
        if any(built == one or built.startswith(f"{one}.") for one in asked):
            return None
        have = "torch is built without CUDA" if built in (CPU, OTHER) else f"torch is built for CUDA {built}"
        evidence = build.told(case, env, "version", "cuda")
    return case.problem(
        PolicyTorchCuda,
        f"the policy requires a torch for {' or '.join(_spoken(one) for one in asked)}, and {have}",
        cause="torch came from another index, or from a lock file made for another machine",
        evidence=evidence,
        fix=PolicyTorchCuda.mend(case),
    )


OTHER = "rocm or xpu"


def variant(case: Case, env: str) -> str:
    """The CUDA of the build ("13.0"), :data:`CPU`, or :data:`OTHER` for a build for other devices."""
    cuda = build.cuda(case, env)
    if cuda is not None:
        return cuda
    hip = build.hip(case, env)
    xpu = case.maybe(lambda: case.known(f"{env}/torch/xpu", str))
    return OTHER if hip is not None or isinstance(xpu, str) else CPU


def _spoken(cuda: str) -> str:
    return "no CUDA" if cuda == CPU else f"CUDA {cuda}"

"""Will torch.compile find its compiler?"""

from __future__ import annotations

from envcheck.judge import Case, Fix, NotApplicable, Problem, Rule, Step, by_message, question

from . import build, remedy
from .messages import said
from .requirements import find, satisfied, torch_pins, version_of

PACKAGES = ("triton", "pytorch-triton", "triton-windows")


def compile_test(case: Case) -> str:
    """Proof that torch.compile works on the card."""
    return remedy.code(case, "import torch; print(torch.compile(lambda x: x * 2)(torch.ones(2, device='cuda')))")


class TritonMissingOrWrong(Rule):
    """triton, which torch.compile generates GPU code with, is missing or of another version than torch asks for.

    What it looks at
        The triton that torch's metadata ask for on this system, and the one that is installed.
    Why it matters
        torch.compile fails on the card ("Cannot find a working triton installation"); everything else works.
    How to mend it
        Install the triton that torch names.  On Windows there is none among torch's requirements.
    Cannot tell when
        torch's metadata were not read.
    References
        torch/_inductor/exc.py; Requires-Dist of torch's wheels.
    """

    code, name, rung = "TOR401", "triton-missing-or-wrong", "torch_build"

    @staticmethod
    def mend(case: Case) -> Fix:
        env = remedy.env_of(case)
        pins = case.maybe(lambda: torch_pins(case, env)) if env is not None else []
        wanted = (
            next((f"triton{p.specifier}" for p in pins if p.name == "triton"), "") if isinstance(pins, list) else ""
        )
        if not wanted:
            wanted = "triton-windows" if remedy.on_windows(case) else "triton"
        return Fix(
            title="Install the triton that torch asks for",
            steps=[remedy.install(case, wanted)],
            verify=compile_test(case),
        )


class TritonNoCCompiler(Rule):
    """triton compiles a small C helper when it starts, and something for that is missing.

    What it looks at
        Python's own header file (Python.h) beside an installed triton; a missing compiler only by its message.
    Why it matters
        torch.compile fails on the card, mostly in slim container images; everything else works.
    How to mend it
        Install gcc and Python's development files.
    Cannot tell when
        The interpreter was not asked.
    References
        triton/runtime/build.py.
    """

    code, name, rung = "TOR402", "triton-no-c-compiler", "torch_build"

    @staticmethod
    def mend(case: Case) -> Fix:
        steps = [
            Step(where="host", tool="apt", command="sudo apt-get install -y gcc python3-dev", root=True),
            Step(where="host", tool="dnf", command="sudo dnf install -y gcc python3-devel", root=True),
            Step(where="env", tool="conda", command="conda install -c conda-forge gcc_linux-64"),
        ]
        return Fix(title="Install a C compiler and Python's headers", steps=steps, verify=compile_test(case))


class TritonGpuTooOld(Rule):
    """The card is too old for triton, which torch.compile generates GPU code with.

    What it looks at
        The message of torch that names the card.
    Why it matters
        triton needs compute capability 7.0; torch itself may still run on the card.
    How to mend it
        Do without torch.compile on this card (backend "eager").
    Cannot tell when
        No message was seen.
    References
        torch/_inductor/exc.py, GPUTooOldForTriton.
    """

    code, name, rung = "TOR403", "triton-gpu-too-old", "torch_build"

    @staticmethod
    def mend(case: Case) -> Fix:
        return Fix(
            title="Do without torch.compile on this card",
            steps=[
                Step(where="env", command="TORCH_COMPILE_DISABLE=1 python …"),
                Step(where="env", command="torch.compile(model, backend='eager')", note="instead, in the program"),
            ],
            verify="run the failing program again",
        )


class TritonPtxasUnsupportedArch(Rule):
    """The assembler that triton brings is older than the card.

    What it looks at
        The message of ptxas that names an unknown GPU.
    Why it matters
        torch.compile fails on the card, although torch's own kernels may run on it.
    How to mend it
        Install a newer torch with its triton, or point TRITON_PTXAS_PATH at a newer ptxas.
    Cannot tell when
        No message was seen.
    References
        triton/backends/nvidia/compiler.py.
    """

    code, name, rung = "TOR404", "triton-ptxas-unsupported-arch", "torch_build"

    @staticmethod
    def mend(case: Case) -> Fix:
        fix = remedy.fitting(case, "Install a newer torch with its triton, or use a newer ptxas")
        newer = Step(
            where="env", command="export TRITON_PTXAS_PATH=/usr/local/cuda/bin/ptxas", note="instead: a toolkit's own"
        )
        return Fix(title=fix.title, steps=[*fix.steps, newer], safety="careful", verify=compile_test(case))


@question("env", TritonMissingOrWrong)
def is_the_right_triton_installed(case: Case) -> Problem | None:
    """torch's own requirement, whose marker leaves out the systems that triton has no wheels for."""
    env = build.require_torch(case)
    if build.cuda(case, env) is None:
        raise NotApplicable("torch was built without CUDA")
    wanted = [pin for pin in torch_pins(case, env) if pin.name in PACKAGES]
    if not wanted:
        raise NotApplicable("torch asks for no triton here")
    pin = wanted[0]
    found = next((f for f in (find(case, env, name) for name in PACKAGES) if f is not None), None)
    have = version_of(case, found[0]) if found is not None else None
    if found is not None and have is not None and (found[1].name != pin.name or satisfied(pin.specifier, have)):
        return None
    torch = find(case, env, "torch")
    assert torch is not None, "the requirement is torch's own"
    messages = said(case, TritonMissingOrWrong)
    return case.problem(
        TritonMissingOrWrong,
        f"torch asks for {pin.name}{pin.specifier}, and {f'{have} is installed' if have else 'it is not installed'}",
        cause="it was left out or replaced; only torch.compile needs it",
        evidence=[f"{torch[0]}/requires", *([f"{found[0]}/version"] if found is not None else []), *messages],
        fix=TritonMissingOrWrong.mend(case),
        severity=None if messages else "warning",
    )


@question("env", TritonNoCCompiler)
def can_triton_compile_its_helper(case: Case) -> Problem | None:
    """Python.h beside an installed triton."""
    env = build.require_torch(case)
    if not any(find(case, env, name) for name in PACKAGES):
        raise NotApplicable("triton is not installed")
    if case.known(f"{env}/include_python_h", bool) is not False:
        return None
    messages = said(case, TritonNoCCompiler)
    return case.problem(
        TritonNoCCompiler,
        "Python.h is missing, and torch.compile needs it",
        cause="the development files of this Python are not installed",
        evidence=[f"{env}/include_python_h", *messages],
        fix=TritonNoCCompiler.mend(case),
        severity=None if messages else "note",
    )


what_did_triton_say = by_message("what_did_triton_say", "env", TritonGpuTooOld, TritonPtxasUnsupportedArch)

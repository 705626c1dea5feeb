"""What stopped the build of a CUDA extension?  A message tells; no machine is at fault for lacking a compiler."""

from __future__ import annotations

from envcheck.judge import Case, Fix, Rule, Step, by_message
from envcheck.rules.torch_build import remedy

from .toolkit import toolkit_steps, torch_cuda


class CudaHomeNotFound(Rule):
    """An extension is to be compiled, and no CUDA toolkit is found.

    What it looks at
        The message of torch.utils.cpp_extension or of a setup script.
    Why it matters
        Compiling needs nvcc and headers, which torch's wheels do not carry.  A CPU build of torch gives the same
        message even with a toolkit there.
    How to mend it
        Install a toolkit of torch's CUDA major version and set CUDA_HOME, or take a prebuilt wheel.
    Cannot tell when
        No message was seen.
    References
        torch/utils/cpp_extension.py, _find_cuda_home.
    """

    code, name, rung = "TLK105", "cuda-home-not-found", "cuda_libraries"

    @staticmethod
    def mend(case: Case) -> Fix:
        wanted = torch_cuda(case)
        return Fix(
            title="Install a toolkit of torch's CUDA, or take a prebuilt wheel",
            steps=[
                *toolkit_steps(case, wanted),
                Step(where="env", command=f"export CUDA_HOME=/usr/local/cuda-{wanted}"),
            ],
            safety="careful",
            verify='"$CUDA_HOME/bin/nvcc" --version',
        )


class BuildToolsMissing(Rule):
    """A tool that compiles C++ extensions is missing: ninja, or on Windows the MSVC compiler.

    What it looks at
        The message of torch.utils.cpp_extension.
    Why it matters
        torch.utils.cpp_extension.load cannot build anything without it.
    How to mend it
        Install ninja into the environment; on Windows build in the "x64 Native Tools" prompt.
    Cannot tell when
        No message was seen.
    References
        torch/utils/cpp_extension.py, verify_ninja_availability.
    """

    code, name, rung = "TLK106", "build-tools-missing", "cuda_libraries"

    @staticmethod
    def mend(case: Case) -> Fix:
        steps = [remedy.install(case, "ninja")]
        if remedy.on_windows(case):
            steps.append(Step(where="windows", note='build in the "x64 Native Tools Command Prompt" of VS Build Tools'))
        return Fix(title="Install the build tools", steps=steps, verify="ninja --version")


class BuildIsolationNoTorch(Rule):
    """A package asks for torch while it is built, and pip or uv builds it in an environment without torch.

    What it looks at
        A "No module named 'torch'" inside an installation log.
    Why it matters
        torch is installed and imports well; the build runs in an empty environment of its own.
    How to mend it
        Install with --no-build-isolation (setuptools, wheel, ninja and packaging first), or take a prebuilt wheel.
    Cannot tell when
        No message was seen.
    References
        pip documentation, build isolation; PEP 517.
    """

    code, name, rung = "TLK107", "build-isolation-no-torch", "python"

    @staticmethod
    def mend(case: Case) -> Fix:
        return Fix(
            title="Build in this environment",
            steps=[
                remedy.install(case, "setuptools", "wheel", "ninja", "packaging"),
                remedy.install(case, "<package>", options="--no-build-isolation"),
            ],
            verify="import the package",
        )


class ToolkitNotNeeded(Rule):
    """No CUDA toolkit is installed, and none is needed to run torch.

    What it looks at
        A message that nvcc is missing.
    Why it matters
        Three numbers are called "CUDA version": the newest that the driver runs (nvidia-smi), the one that torch was
        built with and carries, and the toolkit for compiling.  Only the last is missing.
    How to mend it
        Nothing, unless an extension is to be compiled.
    Cannot tell when
        No message was seen.
    References
        CUDA Compatibility guide; torch wheels' requirements.
    """

    code, name, rung = "TLK108", "toolkit-not-needed", "cuda_libraries"
    severity = "note"


what_failed_in_a_build = by_message(
    "what_failed_in_a_build", "env", CudaHomeNotFound, BuildToolsMissing, BuildIsolationNoTorch, ToolkitNotNeeded
)

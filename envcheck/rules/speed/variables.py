"""Does a variable make everything slower, or its numbers different?  Each is a question of its own."""

from __future__ import annotations

from envcheck.judge import Case, Fix, NotApplicable, Problem, Rule, Step, question


def _unset(name: str) -> Fix:
    return Fix(
        title=f"Unset {name} where it is set",
        steps=[Step(where="env", command=f"unset {name}")],
        verify="envcheck doctor   # in a new shell",
    )


class CudaLaunchBlockingOn(Rule):
    """A debugging variable makes every CUDA call wait, which slows everything down.

    What it looks at
        CUDA_LAUNCH_BLOCKING, PYTORCH_NO_CUDA_MEMORY_CACHING, CUDA_DEVICE_WAITS_ON_EXCEPTION, TORCH_SHOW_CPP_STACKTRACES
        and NCCL_DEBUG=TRACE.
    Why it matters
        Left behind after a debugging session they cost a factor of two to ten, and nothing says so.
    How to mend it
        Unset the variable.
    Cannot tell when
        The environment was not read.
    References
        CUDA programming guide, environment variables; NVIDIA DCGM, error BAD_CUDA_ENV.
    """

    code, name, rung = "SPD101", "cuda-launch-blocking-on", "speed"
    severity = "warning"

    @staticmethod
    def mend(case: Case) -> Fix:
        found = case.maybe(lambda: _slowing(case))
        return _unset(found[0] if isinstance(found, tuple) else "CUDA_LAUNCH_BLOCKING")


SLOWING = {
    "CUDA_LAUNCH_BLOCKING": ("1", "every kernel launch waits for its end"),
    "PYTORCH_NO_CUDA_MEMORY_CACHING": ("1", "every tensor is allocated by the driver anew"),
    "CUDA_DEVICE_WAITS_ON_EXCEPTION": ("1", "the device waits for a debugger"),
    "NCCL_DEBUG": ("TRACE", "NCCL writes a line for every call"),
}


def _slowing(case: Case) -> tuple[str, str, str] | None:
    """(name, pointer, what it does) of the first variable that is on."""
    for name, (on, effect) in SLOWING.items():
        found = case.variable(name)
        if found is not None and found[1].strip().upper() == on:
            return name, found[0], effect
    return None


@question("host", CudaLaunchBlockingOn)
def does_a_variable_slow_cuda(case: Case) -> Problem | None:
    """The worst of them first."""
    found = _slowing(case)
    if found is None:
        return None
    name, pointer, effect = found
    return case.problem(
        CudaLaunchBlockingOn,
        f"{name} is set: {effect}",
        cause="a variable for debugging is set in this environment",
        evidence=[pointer],
        fix=_unset(name),
    )


class CudaModuleLoadingEager(Rule):
    """CUDA loads every kernel at the start instead of when it is first needed.

    What it looks at
        CUDA_MODULE_LOADING.
    Why it matters
        Each process starts seconds later and holds hundreds of MiB more; it is right for latency benchmarks only.
    How to mend it
        Unset the variable: lazy loading is the default since CUDA 12.2 on Linux and 12.3 on Windows.
    Cannot tell when
        The environment was not read.
    References
        CUDA programming guide, lazy loading.
    """

    code, name, rung = "SPD102", "cuda-module-loading-eager", "speed"
    severity = "warning"

    @staticmethod
    def mend(case: Case) -> Fix:
        return _unset("CUDA_MODULE_LOADING")


@question("host", CudaModuleLoadingEager)
def are_modules_loaded_eagerly(case: Case) -> Problem | None:
    """Only the value EAGER changes anything."""
    found = case.variable("CUDA_MODULE_LOADING")
    if found is None:
        raise NotApplicable("CUDA_MODULE_LOADING is not set")
    if found[1].strip().upper() != "EAGER":
        return None
    return case.problem(
        CudaModuleLoadingEager,
        "CUDA_MODULE_LOADING=EAGER loads all kernels at the start",
        cause="the variable overrides the default, which is lazy loading",
        evidence=[found[0]],
        fix=CudaModuleLoadingEager.mend(case),
    )


class Tf32OverrideSet(Rule):
    """A variable switches TF32 on or off behind the program's back.

    What it looks at
        NVIDIA_TF32_OVERRIDE and TORCH_ALLOW_TF32_CUBLAS_OVERRIDE.
    Why it matters
        The first, at 0, slows float32 products on Ampere and newer in every library; the second, at 1, makes them
        inexact (about 1e-3 relative) although the code never asked for it.
    How to mend it
        Unset the variable and set the precision in the program.
    Cannot tell when
        The environment was not read.
    References
        PyTorch CUDA semantics, TF32; NVIDIA cuBLAS documentation, environment variables.
    """

    code, name, rung = "NUM101", "tf32-override-set", "numerics"
    severity = "warning"

    @staticmethod
    def mend(case: Case) -> Fix:
        return Fix(
            title="Unset the override and choose in the program",
            steps=[
                Step(where="env", command="unset NVIDIA_TF32_OVERRIDE TORCH_ALLOW_TF32_CUBLAS_OVERRIDE"),
                Step(
                    where="env", command="torch.set_float32_matmul_precision('high')", note="in the program, if wanted"
                ),
            ],
            verify="envcheck doctor   # in a new shell",
        )


TF32 = {
    "NVIDIA_TF32_OVERRIDE": ("0", "TF32 is off in every library, whatever the program says"),
    "TORCH_ALLOW_TF32_CUBLAS_OVERRIDE": ("1", "float32 matrix products run in TF32, whatever the program says"),
}


@question("host", Tf32OverrideSet)
def is_tf32_overridden(case: Case) -> Problem | None:
    """NVIDIA_TF32_OVERRIDE=1 enables nothing by itself and is no finding."""
    for name, (on, effect) in TF32.items():
        found = case.variable(name)
        if found is not None and found[1].strip() == on:
            return case.problem(
                Tf32OverrideSet,
                f"{name}={on}: {effect}",
                cause="the variable is read by the libraries themselves",
                evidence=[found[0]],
                fix=Tf32OverrideSet.mend(case),
            )
    return None


class NcclEnvHazard(Rule):
    """NCCL's transport is restricted by a variable that recipes are often copied with.

    What it looks at
        The NCCL variables that switch a transport off or fix an algorithm.
    Why it matters
        Copied from another machine they make collectives slow, or make them fail; some cloud images set others
        (NCCL_TOPO_FILE, NCCL_IB_HCA) on purpose, and those are left alone.
    How to mend it
        Remove one at a time and measure again.
    Cannot tell when
        The environment was not read.
    References
        NCCL user guide, environment variables and troubleshooting.
    """

    code, name, rung = "SPD103", "nccl-env-hazard", "speed"
    severity = "warning"

    @staticmethod
    def mend(case: Case) -> Fix:
        return Fix(
            title="Remove the NCCL variables one at a time, and measure each time",
            steps=[Step(where="env", command="env | grep ^NCCL_"), Step(where="env", command="unset NCCL_P2P_DISABLE")],
            verify="NCCL_DEBUG=INFO python …   # which transport is used",
        )


NCCL_SWITCHES = ("NCCL_P2P_DISABLE", "NCCL_SHM_DISABLE", "NCCL_IB_DISABLE")
NCCL_FIXED = ("NCCL_ALGO", "NCCL_PROTO")


@question("host", NcclEnvHazard)
def is_nccl_restricted(case: Case) -> Problem | None:
    """A switch counts when it is on; a fixed algorithm or protocol counts when it is set at all."""
    on = [(name, found) for name in NCCL_SWITCHES if (found := case.variable(name)) and found[1].strip() == "1"]
    on += [(name, found) for name in NCCL_FIXED if (found := case.variable(name))]
    if not on:
        return None
    return case.problem(
        NcclEnvHazard,
        f"NCCL is restricted by {', '.join(f'{name}={found[1]}' for name, found in on)}",
        cause="the variables switch transports off or fix a choice that NCCL makes better by itself",
        evidence=[found[0] for _, found in on],
        fix=NcclEnvHazard.mend(case),
    )

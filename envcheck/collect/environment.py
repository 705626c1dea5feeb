"""What the user's shell hands on: the variables that matter here, PATH, and what ``python`` and ``pip`` mean.

Only the allow-list below is ever read, so that no token or password can end up in a report.
"""

from __future__ import annotations

import re

from envcheck.facts import Fact, ProcessEnvironment, Variable

from .pythons import activation, meanings, own_environment
from .shell import Shell
from .system.root import printable

VARIABLES = frozenset(
    {
        # which devices are seen, and how
        "CUDA_VISIBLE_DEVICES", "CUDA_DEVICE_ORDER", "NVIDIA_VISIBLE_DEVICES", "NVIDIA_DRIVER_CAPABILITIES",
        "NVIDIA_DISABLE_REQUIRE", "NVIDIA_IMEX_CHANNELS", "NVIDIA_TF32_OVERRIDE", "GPU_DEVICE_ORDINAL",
        "HIP_VISIBLE_DEVICES", "ROCR_VISIBLE_DEVICES", "HSA_OVERRIDE_GFX_VERSION", "ZE_AFFINITY_MASK",
        "ONEAPI_DEVICE_SELECTOR", "__NV_PRIME_RENDER_OFFLOAD", "DRI_PRIME",
        # how CUDA behaves
        "CUDA_LAUNCH_BLOCKING", "CUDA_MODULE_LOADING", "CUDA_CACHE_DISABLE", "CUDA_CACHE_PATH", "CUDA_CACHE_MAXSIZE",
        "CUDA_FORCE_PTX_JIT", "CUDA_DISABLE_PTX_JIT", "CUDA_DEVICE_MAX_CONNECTIONS",
        "CUDA_DEVICE_DEBUG", "CUDA_INJECTION64_PATH", "CUBLAS_WORKSPACE_CONFIG", "CUDNN_LOGLEVEL_DBG",
        "PYTORCH_CUDA_ALLOC_CONF", "PYTORCH_ALLOC_CONF", "PYTORCH_HIP_ALLOC_CONF", "PYTORCH_NVML_BASED_CUDA_CHECK",
        "PYTORCH_NO_CUDA_MEMORY_CACHING", "PYTORCH_MPS_HIGH_WATERMARK_RATIO", "PYTORCH_ENABLE_MPS_FALLBACK",
        # what is loaded
        "LD_LIBRARY_PATH", "LD_PRELOAD", "LD_AUDIT", "DYLD_LIBRARY_PATH", "DYLD_INSERT_LIBRARIES",
        # what is compiled, and with what
        "CUDA_HOME", "CUDA_PATH", "CUDA_ROOT", "CUDA_BIN_PATH", "CUDACXX", "CUDAHOSTCXX", "CC", "CXX",
        "NVCC_PREPEND_FLAGS", "NVCC_APPEND_FLAGS", "NVCC_CCBIN", "TRITON_PTXAS_PATH", "TRITON_LIBCUDA_PATH",
        "TRITON_CACHE_DIR", "CUDNN_HOME", "MAX_JOBS", "TMPDIR",
        # which Python, and with what
        "VIRTUAL_ENV", "PYTHONPATH", "PYTHONHOME", "PYTHONNOUSERSITE", "PYTHONUSERBASE", "PYTHONSAFEPATH",
        "PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED", "PYTHONMALLOC", "PYTHONWARNINGS", "PYTHONUTF8", "PYENV_VERSION",
        "PYENV_ROOT", "PYENV_VIRTUAL_ENV", "MAMBA_ROOT_PREFIX", "MAMBA_EXE", "UV_PROJECT_ENVIRONMENT", "UV_PYTHON",
        "UV_TORCH_BACKEND", "PIP_REQUIRE_VIRTUALENV", "PIP_USER", "PIP_TARGET", "PIP_PREFIX", "POETRY_ACTIVE",
        "JUPYTER_PATH", "JUPYTER_DATA_DIR", "JUPYTER_PREFER_ENV_PATH",
        # threads
        "OMP_NUM_THREADS", "OMP_PROC_BIND", "MKL_NUM_THREADS", "MKL_THREADING_LAYER", "MKL_SERVICE_FORCE_INTEL",
        "OPENBLAS_NUM_THREADS", "KMP_DUPLICATE_LIB_OK", "KMP_AFFINITY", "GOMP_CPU_AFFINITY", "NUMEXPR_NUM_THREADS",
        # many processes
        "MASTER_ADDR", "MASTER_PORT", "RANK", "LOCAL_RANK", "WORLD_SIZE", "LOCAL_WORLD_SIZE", "GLOO_SOCKET_IFNAME",
        "TP_SOCKET_IFNAME",
        # where this runs
        "APPTAINER_NV", "SINGULARITY_NV", "WSL_DISTRO_NAME", "COLAB_GPU",
    }
)  # fmt: skip
"""Names that are read.  Values are kept verbatim: paths, numbers, masks and switches, never credentials."""

PREFIXES = (
    "CONDA_",
    "CUDA_MPS_",
    "NCCL_",
    "NVIDIA_REQUIRE_",
    "TORCH_",
    "TORCHVISION_",
    "TORCHINDUCTOR_",
    "SLURM_JOB_",
    "SLURM_STEP_",
    "SLURM_GPUS",
    "SLURM_CPUS",
    "SLURM_MEM",
)
_SECRET = re.compile(r"TOKEN|PASS|SECRET|KEY|CREDENTIAL|AUTH|PROXY|COOKIE|_USER$|ACCOUNT", re.IGNORECASE)


def collect_environment(shell: Shell) -> ProcessEnvironment:
    """The shell's side of the story.  Runs nothing: scripts are read for the interpreter that they name."""
    pips = [*shell.programs("pip"), *shell.programs("pip3")]
    home = shell.variable("USERPROFILE" if shell.windows else "HOME")
    own = own_environment()
    means = meanings(shell, own)
    active = activation(shell, means, own)
    python = means.python or means.python3
    return ProcessEnvironment(
        variables=[Variable(name=name, value=printable(value)) for name, value in sorted(allowed(shell))],
        path=[printable(entry) for entry in shell.path_entries()],
        home=printable(home) if home else None,
        working_directory=printable(str(shell.cwd)) if shell.cwd is not None else None,
        shell_python=[printable(str(p)) for name in ("python", "python3") for p in shell.programs(name)],
        shell_pip=[printable(str(program)) for program in pips],
        python_interpreter=printable(str(python)) if python is not None else None,
        activated_interpreter=_printable(active.interpreter),
        activation_in_effect=active.in_effect,
        pip_interpreter=_printable(means.pip),
        jupyter_interpreter=_printable(means.jupyter),
    )


def allowed(shell: Shell) -> list[tuple[str, str]]:
    """The variables of the allow-list that are set, the empty ones included: empty is not unset for CUDA."""
    return [(name, value) for name, value in shell.environ.items() if is_allowed(name)]


def is_allowed(name: str) -> bool:
    """True if the variable may be read."""
    return name in VARIABLES or (name.startswith(PREFIXES) and not _SECRET.search(name))


def _printable(fact: Fact[str]) -> Fact[str]:
    return printable(fact) if isinstance(fact, str) else fact

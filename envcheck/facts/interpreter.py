"""A Python environment: its interpreter, its packages, and the torch in it."""

from __future__ import annotations

from .fact import NOT_ASKED, Fact, Record, Section, Unread


class Distribution(Record, frozen=True, kw_only=True):
    """One *.dist-info or *.egg-info folder.  Two of one name are two records."""

    name: str  # normalised (PEP 503)
    version: Fact[str] = NOT_ASKED  # None: the folder has no METADATA
    folder: str = ""  # "torch-2.13.0.dist-info"
    location: str = ""  # the sys.path entry that holds it
    installer: Fact[str] = NOT_ASKED  # "pip", "uv", "conda"
    requires: Fact[list[str]] = NOT_ASKED  # Requires-Dist, verbatim; read for the torch family only
    wheel_tag: Fact[str] = NOT_ASKED
    cuda_compiler: Fact[str] = NOT_ASKED  # nvcc that built its compiled part, where the package tells: "11.8.89"
    tag_version: Fact[str] = NOT_ASKED  # version.py's own string where the package has one: "0.28.0+cu130"
    direct_url: Fact[str] = NOT_ASKED
    editable: Fact[bool] = NOT_ASKED


class CondaPackage(Record, frozen=True, kw_only=True):
    """One conda-meta/*.json of interest."""

    name: str
    version: Fact[str] = NOT_ASKED
    build: Fact[str] = NOT_ASKED
    channel: Fact[str] = NOT_ASKED


class DamagedFile(Record, frozen=True, kw_only=True):
    """A file of a package whose size is not what RECORD says."""

    path: str
    expected_bytes: int
    actual_bytes: Fact[int] = NOT_ASKED  # None: the file is gone


class LibraryCopy(Record, frozen=True, kw_only=True):
    """One shared library of interest in an environment or on LD_LIBRARY_PATH."""

    soname: str
    path: str
    version: Fact[str] = NOT_ASKED


class TorchInstall(Section, frozen=True, kw_only=True, tag="torch_install"):
    """torch as its files say, without importing it."""

    location: Fact[str] = NOT_ASKED  # folder of the package that an import would take
    in_site_packages: Fact[bool] = NOT_ASKED  # false: shadowed by a local torch.py or source tree
    version: Fact[str] = NOT_ASKED  # version.py __version__: "2.14.1+cu130"
    metadata_version: Fact[str] = NOT_ASKED
    cuda: Fact[str] = NOT_ASKED  # version.py cuda: "13.0"; None: built without CUDA
    hip: Fact[str] = NOT_ASKED
    xpu: Fact[str] = NOT_ASKED
    git: Fact[str] = NOT_ASKED
    debug: Fact[bool] = NOT_ASKED
    cudnn: Fact[str] = NOT_ASKED  # cuDNN that torch was compiled with, as torch.__config__.show() names it: "8.7"
    arch_list: Fact[list[str]] = NOT_ASKED  # "sm_90", "compute_120"; by byte-scan of libtorch_python
    cxx11_abi: Fact[bool] = NOT_ASKED
    needs_numpy1: Fact[bool] = NOT_ASKED  # libtorch_python does not know numpy._core
    extension_tags: Fact[list[str]] = NOT_ASKED  # file names of _C*.so
    damaged: Fact[list[DamagedFile]] = NOT_ASKED
    copies: Fact[list[str]] = NOT_ASKED  # every torch/version.py along sys.path


class TorchDevice(Record, frozen=True, kw_only=True):
    """One device as torch's runtime sees it, and whether a real kernel gave right numbers there."""

    index: int
    name: Fact[str] = NOT_ASKED
    uuid: Fact[str] = NOT_ASKED
    bus_id: Fact[str] = NOT_ASKED
    compute_capability: Fact[int] = NOT_ASKED
    memory_total_bytes: Fact[int] = NOT_ASKED
    memory_free_bytes: Fact[int] = NOT_ASKED
    kernel_ok: Fact[bool] = NOT_ASKED  # a small kernel ran and its result was right
    kernel_error: Fact[str] = NOT_ASKED


class TorchRuntime(Section, frozen=True, kw_only=True, tag="torch_runtime"):
    """`import torch` in a child process, with the user's own environment."""

    imported: Fact[bool] = NOT_ASKED
    import_error: Fact[str] = NOT_ASKED  # "ImportError: libcudnn.so.9: cannot open …"
    traceback: Fact[str] = NOT_ASKED
    signal: Fact[int] = NOT_ASKED  # the child was killed by it: 7 SIGBUS, 11 SIGSEGV, 4 SIGILL
    version: Fact[str] = NOT_ASKED
    cuda: Fact[str] = NOT_ASKED
    hip: Fact[str] = NOT_ASKED
    origin: Fact[str] = NOT_ASKED
    available: Fact[bool] = NOT_ASKED  # torch.cuda.is_available()
    device_count: Fact[int] = NOT_ASKED
    init_error: Fact[str] = NOT_ASKED  # of torch.cuda.init(), verbatim; None: it initialised
    arch_list: Fact[list[str]] = NOT_ASKED
    cudnn: Fact[int] = NOT_ASKED
    nccl: Fact[str] = NOT_ASKED
    numpy_ok: Fact[bool] = NOT_ASKED  # torch.ones(1).numpy() works
    numpy_error: Fact[str] = NOT_ASKED
    devices: Fact[list[TorchDevice]] = NOT_ASKED
    cpu_kernel_ok: Fact[bool] = NOT_ASKED  # a small computation on the CPU ran and its result was right
    cpu_kernel_error: Fact[str] = NOT_ASKED  # the exception's text, or the first wrong number; None: all was right
    mps_available: Fact[bool] = NOT_ASKED
    xpu_available: Fact[bool] = NOT_ASKED
    warnings: Fact[list[str]] = NOT_ASKED
    companions: Fact[list[ImportTrial]] = NOT_ASKED  # torchvision, torchaudio, extensions imported after torch
    seconds: Fact[float] = NOT_ASKED


class ImportTrial(Record, frozen=True, kw_only=True):
    """One further module imported in the torch child."""

    module: str
    ok: bool
    error: Fact[str] = NOT_ASKED


class Interpreter(Record, frozen=True, kw_only=True):
    """One Python that was found, and what it said when probed."""

    executable: str  # as found, links not resolved
    found_by: list[str]  # "--python", "VIRTUAL_ENV", "PATH", "conda environments.txt", "kernelspec study" …
    means: Fact[list[str]] = NOT_ASKED  # commands of the shell that lead here: "python", "python3", "pip", "jupyter"
    manager: Fact[str] = NOT_ASKED  # venv, virtualenv, conda, uv, pyenv, poetry, pipx, hatch, pixi, system
    name: Fact[str] = NOT_ASKED  # conda or kernel name; None: it has none
    probe: Fact[str] = NOT_ASKED  # "ok"; Unread says why the interpreter could not be asked
    starts: Fact[bool] = NOT_ASKED  # false: it cannot be started at all (dangling link, base Python or libpython gone)
    version: Fact[str] = NOT_ASKED  # "3.11.7"
    implementation: Fact[str] = NOT_ASKED  # cpython, pypy
    free_threaded: Fact[bool] = NOT_ASKED
    bits: Fact[int] = NOT_ASKED
    platform: Fact[str] = NOT_ASKED  # sysconfig.get_platform(): "linux-x86_64"
    machine: Fact[str] = NOT_ASKED
    prefix: Fact[str] = NOT_ASKED
    base_prefix: Fact[str] = NOT_ASKED
    base_executable: Fact[str] = NOT_ASKED
    home_missing: Fact[bool] = NOT_ASKED  # pyvenv.cfg's home or base interpreter is gone
    cfg_version: Fact[str] = NOT_ASKED  # version of pyvenv.cfg
    externally_managed: Fact[bool] = NOT_ASKED
    has_pip: Fact[bool] = NOT_ASKED
    include_python_h: Fact[bool] = NOT_ASKED
    site_packages: Fact[list[str]] = NOT_ASKED
    user_site: Fact[str] = NOT_ASKED
    user_site_enabled: Fact[bool] = NOT_ASKED
    sys_path: Fact[list[str]] = NOT_ASKED  # as the user would start it
    sys_path_isolated: Fact[list[str]] = NOT_ASKED
    distributions: Fact[list[Distribution]] = NOT_ASKED
    distributions_partial: Fact[bool] = NOT_ASKED  # true: an excerpt (a pasted list); others may be installed
    conda_packages: Fact[list[CondaPackage]] = NOT_ASKED
    origins: Fact[list[ModuleOrigin]] = NOT_ASKED  # where an import of the named modules would come from
    library_copies: Fact[list[LibraryCopy]] = NOT_ASKED
    torch: TorchInstall | Unread | None = NOT_ASKED
    runtime: TorchRuntime | Unread | None = NOT_ASKED


class ModuleOrigin(Record, frozen=True, kw_only=True):
    """find_spec of one module: as the user starts Python, and isolated (-I)."""

    module: str
    origin: Fact[str] = NOT_ASKED
    origin_isolated: Fact[str] = NOT_ASKED


class Kernel(Record, frozen=True, kw_only=True):
    """One Jupyter kernelspec."""

    name: str
    path: str
    display_name: Fact[str] = NOT_ASKED
    language: Fact[str] = NOT_ASKED
    argv: Fact[list[str]] = NOT_ASKED
    interpreter: Fact[str] = NOT_ASKED  # what argv[0] resolves to; None: the file is gone
    has_ipykernel: Fact[bool] = NOT_ASKED
    variables: Fact[list[str]] = NOT_ASKED  # "NAME=value" of kernel.json's env, allow-listed


class Jupyter(Section, frozen=True, kw_only=True, tag="jupyter"):
    """Kernelspecs, in the order that Jupyter would prefer them."""

    kernels: Fact[list[Kernel]] = NOT_ASKED
    server_interpreter: Fact[str] = NOT_ASKED

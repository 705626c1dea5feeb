"""What a text may hold that nobody wants to share, and how each kind is recognised.

Patterns only: :mod:`.redact` decides what stands in their place.
"""

from __future__ import annotations

import re

# -- credentials -------------------------------------------------------------------------------------------

URL_LOGIN = re.compile(r"(\b[a-z][a-z0-9+.-]{1,20}://)[^\s/<>\"'`]{1,400}@", re.IGNORECASE)
"""Up to the last ``@`` before the path: people write passwords with an ``@`` of their own."""
SECRET_NAME = re.compile(r"TOKEN|KEY|SECRET|PASSWORD|PASSWD|PASSPHRASE|CREDENTIAL|COOKIE|AUTH(?!OR)", re.IGNORECASE)
"""Variables whose value is never shown, whatever they are for."""

_VALUE = r"(?:\"[^\"\n]{0,2000}\"|'[^'\n]{0,2000}'|(?!\\<)[^\s\"'<>]\S{0,2000})"
# <redacted> is no value, nor is \<redacted\> as Markdown writes it
SECRETS: tuple[re.Pattern[str], ...] = (
    # NAME_TOKEN=value, "api_key": "value", --password value; the name stays.
    re.compile(
        r"(\b[A-Z0-9_]{0,60}(?:TOKEN|KEY|SECRET|PASSWORD|PASSWD|CREDENTIALS?)(?:_[A-Z0-9_]{1,40})?[\"']?\s?[=:]\s?)"
        + _VALUE
    ),
    re.compile(
        rf"(\b(?:api[_-]?key|access[_-]?key|(?:auth|access|hub)?[_-]?token|secret|password|passwd)[\"']?\s?[=:]\s?){_VALUE}",
        re.IGNORECASE,
    ),
    re.compile(rf"(--(?:password|token|api-key|secret)(?:=|\s)){_VALUE}"),
    re.compile(r"(\bBearer\s)[\w.~+/=-]{6,2000}"),
    re.compile(r"(\bwandb login (?:--\S{1,30} )*)(?![-<])\S{4,2000}"),
    re.compile(r"(\bmachine \S{1,80}\s{1,8}login \S{1,80}\s{1,8}password )[^\s<]\S{0,2000}"),  # ~/.netrc
    re.compile(r"(-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----)[^<-]{1,20000}(?=-----|$)"),
    re.compile(r"([?&](?:token|key|sig|signature|api_key|access_token|X-Amz-\w{1,30})=)[^&\s\"'<>]{1,2000}"),
)  # fmt: skip
TOKENS = re.compile(
    r"(?<![A-Za-z0-9])(?:hf_[A-Za-z0-9]{16,100}|gh[pousr]_[A-Za-z0-9]{16,255}|github_pat_\w{20,255}|glpat-[\w-]{16,100}"
    r"|sk-[\w-]{16,200}|xox[abprs]-[\w-]{10,200}|A[KS]IA[0-9A-Z]{16}|pypi-[\w-]{16,300}|wandb_v1_\w{16,200}"
    r"|nvapi-[\w-]{20,200}|AIza[\w-]{35}|ya29\.[\w.-]{16,500}|npm_[A-Za-z0-9]{36}|dckr_pat_[\w-]{16,100}"
    r"|eyJ[\w-]{8,2000}\.[\w-]{4,2000}\.[\w-]{4,2000})"
)
"""Forms of well-known services: Hugging Face, GitHub, GitLab, OpenAI, Slack, AWS, PyPI, Weights & Biases, NVIDIA,
Google, npm, Docker, JSON web tokens."""

# -- people and machines -----------------------------------------------------------------------------------

EMAIL = re.compile(r"\b[\w.+-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.){1,5}[A-Za-z]{2,24}\b")
PROMPT = re.compile(
    r"(?<![\w.@/-])([a-z_][\w.-]{0,31})@([A-Za-z][\w.-]{1,62})(?=:[~/]|(?:[ :][^\n@]{0,60})?\]?[$#%](?:\s|$))"
)
SYSLOG = re.compile(
    r"(?:\b[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d|\b\d{4}-\d\d-\d\dT[\d:.]{8,20}(?:[+-]\d\d:?\d\d|Z)?) ([\w.-]{1,64}) "
    r"(?=[\w./-]{1,40}(?:\[\d+\])?:)"
)
UNAME = re.compile(r"\bLinux ([\w.-]{1,64}) (?=\d+\.\d+\.\d+\S* #)")
HOST_NAMED = re.compile(
    r"(?:\b(?:HOSTNAME|MASTER_ADDR|SLURM\w{0,20}_(?:NODENAME|NODELIST|HOST)|SLURMD_NODENAME)="
    r"|\b[Hh]ost ?[Nn]ame\s?[:=]\s{0,8}|\b(?:systemd\.)?hostname=)[\"']?([\w.-]{2,63})"
)
USER_NAMED = re.compile(
    r"(?:\b(?:USER|LOGNAME|USERNAME|SUDO_USER|SLURM_JOB_USER|SLURM_JOB_ACCOUNT)="
    r"|\b[Uu]ser ?[Nn]ame\s?[:=]\s{0,8})[\"']?([\w.-]{2,32})"
    r"|\buid=\d{1,10}\(([\w.-]{2,32})\)"
)
"""Where a variable, ``uname -a`` or ``id`` tells a name."""
_UNIX_HOMES = r"/(?:export/|data/|mnt/[a-z]/)?(?:home|Users)/"
_WINDOWS_HOMES = r"(?:\b[A-Za-z]:\\{1,2}Users\\{1,2}|\\{2,4}wsl(?:\.localhost|\$)\\{1,2}[\w.-]{1,40}\\{1,2}home\\{1,2})"
HOMES = rf"(?:{_UNIX_HOMES}|{_WINDOWS_HOMES})"
_IN_TEXT = r"(?:\\ |[^/\\\s:\"'<>|,;)\]$#])"  # what ends a path that stands in prose
PATH_BELOW_HOME = re.compile(
    rf"(?P<head>{_UNIX_HOMES})(?P<user>{_IN_TEXT}+)(?P<rest>(?:/+{_IN_TEXT}*)*)"
    rf"|(?P<tilde>(?<![\w.])~(?=/))(?P<below>(?:/+{_IN_TEXT}*)+)"
)
QUOTED_PATH = re.compile(rf"([\"'])({HOMES}[^\"'\n]{{1,1000}})(?=\1)")
"""Between quotes a path may have blanks."""
# On Windows names have blanks: a part that a backslash ends may hold them, the last one ends at a blank.
_WITH_BLANKS = r"[^\\/:*?\"<>|\n]{1,80}"
PATH_BELOW_WINDOWS_HOME = re.compile(
    rf"(?P<head>{_WINDOWS_HOMES})(?P<user>{_WITH_BLANKS}(?=\\)|[^\\/:*?\"<>|\s]+)"
    rf"(?P<rest>(?:\\{{1,2}}{_WITH_BLANKS}(?=\\))*(?:\\{{1,2}}[^\\/:*?\"<>|\s]*)?)"
)
PATH_BELOW_ROOT = re.compile(rf"(?P<head>(?<![\w./])/root(?=/))(?P<rest>(?:/{_IN_TEXT}*)+)")

# -- addresses and numbers -----------------------------------------------------------------------------------

_OCTET = r"(?:25[0-5]|2[0-4]\d|1?\d?\d)"
IPV4 = re.compile(rf"(?<![\w.])(?:{_OCTET}\.){{3}}{_OCTET}(?!\w|\.\d|-[a-z])")
A_VERSION_BEFORE = re.compile(
    r"(?:(?:[=<>~!]=|[<>~])\s?|-|\.so\.|(?<!/)/|\b(?:version|driver|release|pins|v|cu1\d|cuda|cudnn|nccl|nvidia-[\w-]{1,40}|cu[a-z]{2,12})[\s:=]{0,3})$",
    re.IGNORECASE,
)
"""What stands before four numbers that are a version (``nvidia-curand-cu12 10.3.5.147``) and no address."""
HOST_OF_AN_ADDRESS = re.compile(r"(?<![\w-])ip-\d{1,3}(?:-\d{1,3}){3}(?![\w-])")
"""As clouds call their machines."""
LOCAL = frozenset({"127.0.0.1", "0.0.0.0"})  # noqa: S104  compared with, not bound to
IPV6 = re.compile(
    r"(?<![\w:.])(?:fe80|f[cd][0-9a-f]{2}|2[0-9a-f]{3})(?::[0-9a-f]{0,4}){2,7}(?:%\w{1,15})?(?![\w:.])", re.IGNORECASE
)
MAC = re.compile(
    r"(?<![\w:-])(?:(?:[0-9a-f]{2}:){5}(?:(?:[0-9a-f]{2}:){14})?|(?:[0-9a-f]{2}-){5})[0-9a-f]{2}(?![\w:-])",
    re.IGNORECASE,
)
"""Of Ethernet in both spellings, and the twenty bytes of InfiniBand."""
UUID = re.compile(
    r"(?<![0-9a-f])(?<![0-9a-f]-)([0-9a-f]{8})-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}(?![0-9a-f-])",
    re.IGNORECASE,
)
SERIAL = re.compile(
    r"(\bserial(?:[ _](?:number|no\.?))?[\"']?\s{0,60}(?:is|[:=])\s{0,60}[\"']?)"
    r"((?=[A-Za-z-]{0,40}\d)[A-Za-z0-9][\w-]{4,40})\b",
    re.IGNORECASE,
)
PROCESS_NAME = re.compile(r"(\bpid=\S{1,20}, name=|Killed process \d{1,10} \()([^,)\n]{1,200})")

# -- what a path below home may keep ---------------------------------------------------------------------------

_KEPT = """
    bin lib lib64 include share etc opt src tmp env envs venv .venv .env .venvs venvs virtualenvs .virtualenvs
    site-packages dist-packages miniconda miniconda3 anaconda anaconda3 miniforge3 mambaforge micromamba mamba conda
    .conda pkgs conda-meta condabin .local .cache .config .pyenv .asdf .cargo .rye .pixi .mamba .micromamba versions
    shims installs pixi uv tools pipx .poetry pypoetry hatch jupyter kernels ipykernel python pip huggingface hub
    torch torchvision pytorch torchaudio triton nvidia numpy cuda cudnn pynvml transformers vllm deepspeed
    bitsandbytes xformers torch.py numpy.py triton.py random.py kernel.json pyvenv.cfg environments.txt .triton .nv
    .jupyter .ipython .linuxbrew Library AppData Local Roaming Programs Python Scripts Lib DLLs Desktop Documents
    Downloads snap __pycache__
"""
KEPT = frozenset(_KEPT.split())
KEPT_FORMS = re.compile(
    r"(?:[Pp]ython|pypy|cpython|pip|torch|nvidia|cuda)(?:[-_.]?\d[\d.]*)?(?:\+\w+)?(?:-(?:linux|macos|windows|x86_64|aarch64|gnu"
    r"|musl|none|install_only))*(?:\.exe|\.dll)?|\.{1,2}|python\d+\.zip|\d+(?:\.\d+)*|lib[\w+-]*\.so(?:\.\d+)*|cp3\d+|(?:dir|user)\d+(?:\.\w{1,8})?"
)
"""Names that tools make: Python versions, libraries; and the pseudonyms of an earlier redaction."""
PUBLIC_BELOW = re.compile(r"site-packages|dist-packages|Frameworks|Lib")
LIBRARIES, OF_PYTHON = frozenset({"lib", "lib64"}), re.compile(r"(?:python|pypy)\d\.\d+t?")
"""Folders below which names are those of the standard library and of published packages."""

_COMMON = """
    root user users admin ubuntu debian centos fedora ec2-user azureuser runner jovyan vscode coder student public
    shared home default linuxbrew nvidia cuda torch python conda docker nobody opt data Public Default host localhost
    kernel linux windows darwin arch archlinux nixos manjaro gentoo wsl gpu gpus driver node nodes server worker main
    master compute cluster head login workstation desktop laptop notebook jupyter lab test dev build runtime video
    render docker wheel sudo staff python3 pip uv intel amd apple
"""
COMMON_NAMES = frozenset(_COMMON.split())
"""User and host names that tell nothing of anybody."""

_ENGLISH = """
    will max mark may art bill rich grant chase drew faith hope grace june sky page rose dean work code train model
"""
WORDS = frozenset(_ENGLISH.split())
"""Names that are words of English too: names only where a path, a prompt or a quote makes them one."""

SHOWN_VARIABLES = re.compile(
    r"(?:CUDA_(?!INJECTION)|NVIDIA_|NCCL_|TORCH_|PYTORCH_|TORCHINDUCTOR_|TRITON_|CUBLAS_|CUDNN_|HIP_|ROCR_|HSA_|ZE_"
    r"|ONEAPI_|XLA_|OMP_|MKL_|OPENBLAS_|KMP_|GOMP_|NUMEXPR_|LD_|DYLD_|PYTHON|UV_|PYENV_|APPTAINER_|SINGULARITY_|__NV_|GPU_|DRI_)\w*$"
    r"|(?:VIRTUAL_ENV|CONDA_PREFIX|CONDA_SHLVL|CONDA_EXE|CONDA_PYTHON_EXE|MAMBA_EXE|MAMBA_ROOT_PREFIX|RANK|LOCAL_RANK"
    r"|WORLD_SIZE|LOCAL_WORLD_SIZE|CC|CXX|CUDACXX|CUDAHOSTCXX|NVCC_\w+|MAX_JOBS|TMPDIR|COLAB_GPU|PIP_USER|PIP_TARGET"
    r"|PIP_PREFIX|PIP_REQUIRE_VIRTUALENV|JUPYTER_PATH|JUPYTER_PREFER_ENV_PATH|POETRY_ACTIVE)$"
)
"""Variables whose values are numbers, masks, switches and paths; of all others only the name is shown."""

SHOWN_PARAMETERS = re.compile(
    r"(?:BOOT_IMAGE|ro|rw|quiet|splash|nomodeset|mitigations|numa\w*|isolcpus|nohz\w*|hugepages\w*|default_hugepagesz"
    r"|transparent_hugepage|swiotlb|efi|acpi\w*|\w*iommu\w*|(?:pci|pcie)\w*|module_blacklist|initcall_blacklist|\w*modprobe\w*"
    r"|(?:rd\.driver|nvidia|nouveau|nova|amdgpu|radeon|i915|xe|drm|vfio\w*|video|fbcon|memory|cgroup\w*|pstate|cpufreq)[\w.-]*"
    r"|(?:intel|amd)_\w+|systemd\.unified_cgroup_hierarchy|console|default_kernel|lockdown|module\.sig_enforce)"
)
"""Parameters of the kernel whose values speak of devices, drivers and memory; of all others only the name is shown."""

"""Small projects: texts of files, what is known of the machine, and what is wrong with them.

``BROKEN`` has one planted mismatch each, with the rule that must find it and the line that it must point at; ``SOUND``
has none.  Versions are those of the tables that come with the program.
"""

from __future__ import annotations

from dataclasses import dataclass, field

WHL = "https://download.pytorch.org/whl"


@dataclass(frozen=True)
class Project:
    """One project.  ``rule`` and ``place`` are empty for a sound one."""

    name: str
    files: dict[str, str]
    machine: dict[str, str] = field(default_factory=dict)
    rule: str = ""
    place: str = ""


def _docker(*lines: str) -> str:
    return "\n".join(lines) + "\n"


def _project(*dependencies: str, python: str = ">=3.8") -> str:
    """A pyproject.toml; the first dependency stands on line 5."""
    return "\n".join(
        [
            "[project]",
            'name = "a"',
            f'requires-python = "{python}"',
            "dependencies = [",
            *(f"    {d}," for d in dependencies),
            "]",
            "",
        ]
    )


UV_LOCK = f"""\
version = 1
requires-python = ">=3.11"

[[package]]
name = "app"
version = "0.1.0"
source = {{ virtual = "." }}
dependencies = [
    {{ name = "torch" }},
    {{ name = "torchvision" }},
]

[[package]]
name = "numpy"
version = "2.3.4"
source = {{ registry = "https://example.org/simple" }}

[[package]]
name = "torch"
version = "2.9.1+cu130"
source = {{ registry = "{WHL}/cu130" }}
wheels = [
    {{ url = "{WHL}/cu130/torch-2.9.1%2Bcu130-cp311-cp311-manylinux_2_28_x86_64.whl", hash = "sha256:aa" }},
    {{ url = "{WHL}/cu130/torch-2.9.1%2Bcu130-cp312-cp312-manylinux_2_28_x86_64.whl", hash = "sha256:bb" }},
]

[[package]]
name = "torchvision"
version = "0.24.1+cu130"
source = {{ registry = "{WHL}/cu130" }}
"""

UV_PROJECT = f"""\
[project]
name = "app"
version = "0.1.0"
requires-python = ">=3.11"
dependencies = [
    "torch>=2.9",
    "torchvision",
]

[tool.uv.sources]
torch = [{{ index = "pytorch" }}]
torchvision = [{{ index = "pytorch" }}]

[[tool.uv.index]]
name = "pytorch"
url = "{WHL}/cu130"
explicit = true
"""

POETRY = f"""\
[tool.poetry]
name = "app"
version = "0.1.0"

[tool.poetry.dependencies]
python = "^3.10"
torch = {{ version = "^2.4", source = "pytorch" }}
torchvision = {{ version = "^0.19", source = "pytorch" }}

[[tool.poetry.source]]
name = "pytorch"
url = "{WHL}/cu121"
priority = "explicit"
"""

POETRY_LOCK = f"""\
[[package]]
name = "torch"
version = "2.4.1+cu121"
files = [
    {{file = "torch-2.4.1+cu121-cp310-cp310-linux_x86_64.whl", hash = "sha256:aa"}},
    {{file = "torch-2.4.1+cu121-cp311-cp311-linux_x86_64.whl", hash = "sha256:bb"}},
]

[package.source]
type = "legacy"
url = "{WHL}/cu121"
reference = "pytorch"

[[package]]
name = "torchvision"
version = "0.19.1+cu121"
files = []

[package.source]
type = "legacy"
url = "{WHL}/cu121"
reference = "pytorch"

[metadata]
python-versions = "^3.10"
"""

PYLOCK = """\
lock-version = "1.0"
created-by = "pip"

[[packages]]
name = "torch"
version = "2.8.0"
wheels = [
    {name = "torch-2.8.0-cp311-cp311-manylinux_2_28_x86_64.whl", url = "https://example.org/torch-2.8.0-cp311-cp311-manylinux_2_28_x86_64.whl"},
]
"""

EXTRAS = f"""\
[project]
name = "app"
version = "1"
requires-python = ">=3.10,<3.14"
dependencies = ["numpy"]

[project.optional-dependencies]
cpu = ["torch==2.9.1", "torchvision==0.24.1"]
gpu = [
    "torch==2.9.1",
    "torchvision==0.24.1",
]

[tool.uv.sources]
torch = [
    {{ index = "pytorch-cpu", extra = "cpu" }},
    {{ index = "pytorch-gpu", extra = "gpu" }},
]
torchvision = [
    {{ index = "pytorch-cpu", extra = "cpu" }},
    {{ index = "pytorch-gpu", extra = "gpu" }},
]

[[tool.uv.index]]
name = "pytorch-cpu"
url = "{WHL}/cpu"
explicit = true

[[tool.uv.index]]
name = "pytorch-gpu"
url = "{WHL}/cu130"
explicit = true
"""

CONDA = """\
name: study
channels:
  - pytorch
  - nvidia
dependencies:
  - python=3.10
  - pytorch=2.3.1
  - torchvision=0.18.1
  - pytorch-cuda=12.1
  - pip:
      - d2l==1.0.3
"""

APT = "RUN apt-get update && apt-get install -y --no-install-recommends python3 python3-pip"

BROKEN: list[Project] = [
    # -- wheel against driver and card ---------------------------------------------------------------------------
    Project(
        "plain-torch-on-driver-535",
        {"requirements.txt": "numpy\ntorch==2.14.1\n"},
        {"driver": "535.183.06"},
        "driver-too-old-for-torch",
        "requirements.txt:2",
    ),
    Project(
        "unpinned-torch-on-driver-550",
        {"requirements.txt": "torch\ntorchvision\n"},
        {"driver": "550.54.15", "python": "3.12"},
        "driver-too-old-for-torch",
        "requirements.txt:1",
    ),
    Project(
        "cu130-index-on-driver-570",
        {"requirements.txt": f"--index-url {WHL}/cu130\ntorch==2.9.1\n"},
        {"driver": "570.86.15"},
        "driver-too-old-for-torch",
        "requirements.txt:2",
    ),
    Project(
        "blackwell-with-cu124",
        {"requirements.txt": "torch==2.6.0\n"},
        {"gpu": "RTX 5090", "driver": "580.65.06"},
        "gpu-newer-than-torch-archs",
        "requirements.txt:1",
    ),
    Project(
        "pascal-with-cu130",
        {"requirements.txt": "torch==2.11.0\n"},
        {"gpu": "GTX 1080 Ti", "driver": "580.65.06"},
        "gpu-older-than-torch-archs",
        "requirements.txt:1",
    ),
    Project(
        "cpu-index-for-a-card",
        {"requirements.txt": f"--index-url {WHL}/cpu\ntorch==2.9.1\ntorchvision==0.24.1\n"},
        {"gpu": "A100 SXM4 80GB"},
        "torch-cpu-only-build",
        "requirements.txt:2",
    ),
    Project(
        "windows-default-index",
        {"requirements.txt": "torch==2.9.1\n"},
        {"gpu": "RTX 4070", "os": "windows"},
        "windows-default-index-cpu",
        "requirements.txt:1",
    ),
    Project(
        "rocm-index-for-an-nvidia-card",
        {"requirements.txt": f"--index-url {WHL}/rocm6.4\ntorch==2.9.1\n"},
        {"gpu": "RTX 4090"},
        "torch-rocm-on-nvidia",
        "requirements.txt:2",
    ),
    Project(
        "course-on-an-h100",
        {"requirements.txt": "torch==2.0.0\ntorchvision==0.15.1\nd2l==1.0.3\n"},
        {"gpu": "H100 SXM5 80GB", "python": "3.11", "driver": "535.104.05"},
        "course-pins-too-old",
        "requirements.txt:3",
    ),
    # -- wheel against Python and platform -----------------------------------------------------------------------
    Project(
        "course-torch-on-python-312",
        {"requirements.txt": "torch==2.0.0\ntorchvision==0.15.1\n"},
        {"python": "3.12"},
        "declared-wheel-missing",
        "requirements.txt:1",
    ),
    Project(
        "course-package-on-python-312",
        {"environment.yml": "dependencies:\n  - python=3.12\n  - pip:\n    - torch==2.3.0\n    - d2l==1.0.3\n"},
        {},
        "course-pins-on-new-python",
        "environment.yml:5",
    ),
    Project(
        "students-line-on-python-310",
        {"requirements.txt": f"-f {WHL}/torch_stable.html\ntorch==1.8.1+cu111\n"},
        {"python": "3.10"},
        "declared-wheel-missing",
        "requirements.txt:2",
    ),
    Project(
        "no-such-release",
        {"requirements.txt": "torch==2.7.2\n"},
        {},
        "declared-wheel-missing",
        "requirements.txt:1",
    ),
    Project(
        "release-not-on-that-index",
        {"requirements.txt": f"--index-url {WHL}/cu121\ntorch==2.9.1\n"},
        {},
        "declared-wheel-missing",
        "requirements.txt:2",
    ),
    Project(
        "requires-python-beyond-the-wheels",
        {"pyproject.toml": _project('"torch==2.0.1"', python=">=3.12")},
        {},
        "declared-wheel-missing",
        "pyproject.toml:5",
    ),
    Project(
        "range-without-a-wheel",
        {"requirements.txt": "torch>=2.0,<2.1\n"},
        {"python": "3.12"},
        "declared-wheel-missing",
        "requirements.txt:1",
    ),
    Project(
        "dockerfile-python-too-new",
        {"Dockerfile": _docker("FROM python:3.13-slim", "RUN pip install torch==2.4.0")},
        {},
        "declared-wheel-missing",
        "Dockerfile:2",
    ),
    Project(
        "alpine-has-no-glibc",
        {"Dockerfile": _docker("FROM python:3.12-alpine", "RUN pip install torch==2.9.1")},
        {},
        "declared-wheel-missing",
        "Dockerfile:2",
    ),
    Project(
        "ubuntu-1804-is-too-old",
        {
            "Dockerfile": _docker(
                "FROM nvidia/cuda:12.2.2-base-ubuntu18.04", "RUN python3.11 -m pip install torch==2.9.1"
            )
        },
        {},
        "declared-wheel-missing",
        "Dockerfile:2",
    ),
    Project(
        "wheel-url-for-another-python",
        {"requirements.txt": f"torch @ {WHL}/cu118/torch-2.1.0%2Bcu118-cp310-cp310-linux_x86_64.whl\n"},
        {"python": "3.11"},
        "declared-wheel-missing",
        "requirements.txt:1",
    ),
    Project(
        "lock-without-a-wheel-for-this-python",
        {"pylock.toml": PYLOCK},
        {"python": "3.12"},
        "declared-wheel-missing",
        "pylock.toml:4",
    ),
    Project(
        "python-version-file-against-the-project",
        {
            "pyproject.toml": '[project]\nname = "a"\nrequires-python = ">=3.11"\ndependencies = ["torch==2.9.1"]\n',
            ".python-version": "3.10\n",
        },
        {},
        "declared-python-refused",
        ".python-version:1",
    ),
    # -- the trio ------------------------------------------------------------------------------------------------
    Project(
        "torchvision-of-another-torch",
        {"requirements.txt": "torch==2.6.0\ntorchvision==0.20.0\n"},
        {},
        "torchvision-mismatch",
        "requirements.txt:2",
    ),
    Project(
        "torchvision-range-without-a-match",
        {"pyproject.toml": _project('"torch==2.1.0"', '"torchvision>=0.17,<0.18"')},
        {},
        "torchvision-mismatch",
        "pyproject.toml:6",
    ),
    Project(
        "torchaudio-of-another-torch",
        {"requirements.txt": "torch==2.5.1\ntorchvision==0.20.1\ntorchaudio==2.4.0\n"},
        {},
        "torchaudio-mismatch",
        "requirements.txt:3",
    ),
    Project(
        "torchaudio-left-open",
        {"requirements.txt": "torch==2.8.0\ntorchaudio\n"},
        {"python": "3.12"},
        "torchaudio-mismatch",
        "requirements.txt:2",
    ),
    Project(
        "torchvision-from-another-index",
        {
            "Dockerfile": _docker(
                "FROM python:3.12-slim",
                f"RUN pip install torch==2.7.1 --index-url {WHL}/cu118",
                "RUN pip install torchvision==0.22.1",
            )
        },
        {},
        "torchvision-cuda-major-mismatch",
        "Dockerfile:3",
    ),
    # -- indexes -------------------------------------------------------------------------------------------------
    Project(
        "extra-index-and-an-open-torch",
        {"requirements.txt": f"--extra-index-url {WHL}/cu126\ntorch>=2.4\n"},
        {},
        "torch-extra-index-mixup",
        "requirements.txt:2",
    ),
    Project(
        "extra-index-without-the-release",
        {"requirements.txt": f"--extra-index-url {WHL}/cu121\ntorch==2.7.1\n"},
        {},
        "torch-extra-index-mixup",
        "requirements.txt:2",
    ),
    Project(
        "build-in-the-version-without-its-index",
        {"requirements.txt": "torch==2.1.0+cu121\n"},
        {},
        "declared-build-without-index",
        "requirements.txt:1",
    ),
    Project(
        "build-in-the-version-with-another-index",
        {"requirements.txt": f"--extra-index-url {WHL}/cu118\ntorch==2.1.0+cu121\n"},
        {},
        "declared-build-without-index",
        "requirements.txt:2",
    ),
    Project(
        "index-that-never-was",
        {"requirements.txt": f"--index-url {WHL}/cu127\ntorch==2.6.0\n"},
        {},
        "torch-index-unknown",
        "requirements.txt:1",
    ),
    # -- NumPy ---------------------------------------------------------------------------------------------------
    Project(
        "numpy-2-for-an-old-torch",
        {"requirements.txt": "torch==2.1.2\nnumpy==2.1.0\n"},
        {"python": "3.11"},
        "numpy-abi-mismatch",
        "requirements.txt:2",
    ),
    Project(
        "numpy-left-open-for-an-old-torch",
        {"requirements.txt": "torch==2.2.2\nnumpy\n"},
        {"python": "3.11"},
        "numpy-left-open",
        "requirements.txt:2",
    ),
    # -- images --------------------------------------------------------------------------------------------------
    Project(
        "cuda-11-image-and-a-cuda-13-wheel",
        {"Dockerfile": _docker("FROM nvidia/cuda:11.8.0-runtime-ubuntu22.04", APT, "RUN pip install torch==2.14.1")},
        {},
        "image-cuda-differs",
        "Dockerfile:1",
    ),
    Project(
        "flash-attn-compiled-with-another-nvcc",
        {
            "docker/Dockerfile": _docker(
                "ARG CUDA=12.4.1",
                "FROM nvidia/cuda:${CUDA}-devel-ubuntu22.04",
                APT,
                "COPY requirements.txt .",
                f"RUN pip3 install -r requirements.txt --index-url {WHL}/cu118 \\",
                "    && pip3 install flash-attn --no-build-isolation",
            ),
            "requirements.txt": "torch==2.6.0\n",
        },
        {},
        "image-cuda-differs",
        "docker/Dockerfile:2",
    ),
    Project(
        "image-newer-than-the-driver",
        {
            "Dockerfile": _docker(
                "FROM nvidia/cuda:12.8.1-base-ubuntu22.04", APT, f"RUN pip install torch==2.7.1 --index-url {WHL}/cu126"
            )
        },
        {"driver": "535.104.05", "gpu": "RTX 4090"},
        "image-needs-newer-driver",
        "Dockerfile:1",
    ),
    Project(
        "compat-libraries-on-a-geforce",
        {
            "Dockerfile": _docker(
                "FROM nvidia/cuda:13.0.1-base-ubuntu24.04",
                APT,
                "ENV LD_LIBRARY_PATH=/usr/local/cuda/compat:$LD_LIBRARY_PATH",
                "RUN pip install torch==2.9.1 --index-url " + WHL + "/cu130",
            )
        },
        {"gpu": "RTX 4090", "driver": "580.65.06"},
        "compat-libraries-on-path",
        "Dockerfile:3",
    ),
    Project(
        "image-hides-the-card",
        {
            "Dockerfile": _docker(
                "FROM python:3.12-slim", "RUN pip install torch==2.9.1", 'ENV CUDA_VISIBLE_DEVICES="" PORT=80'
            )
        },
        {},
        "image-hides-gpu",
        "Dockerfile:3",
    ),
    Project(
        "torch-over-the-torch-of-the-image",
        {
            "Dockerfile": _docker(
                "FROM pytorch/pytorch:2.4.1-cuda12.1-cudnn9-runtime", "RUN pip install torch==2.6.0 einops"
            )
        },
        {},
        "image-torch-replaced",
        "Dockerfile:1",
    ),
    Project(
        "torchvision-that-draws-another-torch-than-the-image-has",
        {
            "Dockerfile": _docker(
                "FROM pytorch/pytorch:2.4.1-cuda12.1-cudnn9-runtime", "RUN pip install torchvision==0.20.1"
            )
        },
        {},
        "image-torch-replaced",
        "Dockerfile:1",
    ),
    # -- conda ---------------------------------------------------------------------------------------------------
    Project(
        "channel-that-ended",
        {"environment.yml": CONDA.replace("2.3.1", "2.6.0").replace("0.18.1", "0.21.0").replace("12.1", "12.4")},
        {},
        "conda-build-missing",
        "environment.yml:9",
    ),
    Project(
        "cuda-that-the-channel-did-not-build",
        {"environment.yml": CONDA.replace("cuda=12.1", "cuda=12.4")},
        {},
        "conda-build-missing",
        "environment.yml:9",
    ),
    Project(
        "conda-cpu-build-for-a-card",
        {"environment.yml": CONDA.replace("pytorch-cuda=12.1", "cpuonly")},
        {"gpu": "RTX 3060"},
        "torch-cpu-only-build",
        "environment.yml:7",
    ),
    Project(
        "torch-from-conda-and-from-pip",
        {"environment.yml": CONDA + "      - torch==2.3.1\n"},
        {},
        "torch-mixed-pip-conda",
        "environment.yml:7",
    ),
    # -- locks, uv, poetry ---------------------------------------------------------------------------------------
    Project(
        "locked-cuda-13-on-driver-535",
        {"pyproject.toml": UV_PROJECT, "uv.lock": UV_LOCK},
        {"driver": "535.104.05", "gpu": "RTX 3090"},
        "driver-too-old-for-torch",
        "uv.lock:18",
    ),
    Project(
        "lock-older-than-the-project",
        {"pyproject.toml": UV_PROJECT.replace("torch>=2.9", "torch>=2.10"), "uv.lock": UV_LOCK},
        {},
        "lock-out-of-date",
        "uv.lock:18",
    ),
    Project(
        "lock-of-another-index",
        {"pyproject.toml": UV_PROJECT.replace("whl/cu130", "whl/cu128"), "uv.lock": UV_LOCK},
        {},
        "lock-out-of-date",
        "uv.lock:18",
    ),
    Project(
        "uv-extra-for-the-cpu-on-a-card",
        {"pyproject.toml": EXTRAS},
        {"gpu": "RTX 4090", "driver": "580.65.06"},
        "torch-cpu-only-build",
        "pyproject.toml:8",
    ),
    Project(
        "poetry-lock-on-driver-470",
        {"pyproject.toml": POETRY, "poetry.lock": POETRY_LOCK},
        {"driver": "470.223.02", "gpu": "RTX 3090"},
        "driver-too-old-for-torch",
        "poetry.lock:1",
    ),
    Project(
        "poetry-lock-without-this-python",
        {"pyproject.toml": POETRY, "poetry.lock": POETRY_LOCK},
        {"python": "3.12"},
        "declared-wheel-missing",
        "poetry.lock:1",
    ),
    Project(
        "toml-that-is-none",
        {"pylock.toml": PYLOCK.replace('"1.0"', '"1.0'), "requirements.txt": "torch==2.9.1\n"},
        {},
        "declaration-unreadable",
        "pylock.toml:1",
    ),
    Project(
        "alpine-whichever-torch",
        {"Dockerfile": _docker("FROM python:3.12-alpine", "RUN pip install torch")},
        rule="declared-wheel-missing",
        place="Dockerfile:2",
    ),
    Project(
        "optional-poetry-group",
        {
            "pyproject.toml": "\n".join(
                [
                    "[tool.poetry]",
                    'name = "a"',
                    'version = "0.1"',
                    "[tool.poetry.dependencies]",
                    'python = ">=3.9,<3.12"',
                    "[tool.poetry.group.gpu]",
                    "optional = true",
                    "[tool.poetry.group.gpu.dependencies]",
                    'torch = "2.2.2"',
                    'torchvision = "0.18.0"',
                    "",
                ]
            )
        },
        rule="torchvision-mismatch",
        place="pyproject.toml:10",
    ),
    Project(
        "version-from-a-build-argument",
        {
            "Dockerfile": _docker(
                "ARG CUDA=11.8.0",
                "FROM nvidia/cuda:${CUDA}-devel-ubuntu22.04",
                "ARG TORCH=2.9.1",
                "RUN python3 -m pip install torch==${TORCH} flash-attn --no-build-isolation",
            )
        },
        rule="image-cuda-differs",
        place="Dockerfile:2",
    ),
    Project(
        "argument-that-only-the-build-knows",
        {"Dockerfile": _docker("FROM python:3.12-slim", "ARG TV", "RUN pip install torch==2.9.1 torchvision==${TV}")},
        rule="declaration-unreadable",
        place="Dockerfile:3",
    ),
    Project(
        "constraints-hold-the-pair-apart",
        {
            "requirements.txt": "-r base.txt\n-c constraints.txt\ntorchvision\n",
            "base.txt": "torch\nnumpy<2\n",
            "constraints.txt": "torch==2.1.0\ntorchvision==0.15.0\n",
        },
        rule="torchvision-mismatch",
        place="requirements.txt:3",
    ),
    Project(
        "group-of-the-standard",
        {
            "pyproject.toml": "\n".join(
                [
                    "[project]",
                    'name = "a"',
                    'requires-python = ">=3.11"',
                    "[dependency-groups]",
                    'test = ["pytest"]',
                    'gpu = [{ include-group = "test" }, "torch==2.6.0", "torchaudio==2.5.0"]',
                    "",
                ]
            )
        },
        rule="torchaudio-mismatch",
        place="pyproject.toml:6",
    ),
]

SOUND: list[Project] = [
    *(
        Project(
            f"course-on-python-{python}",
            {"requirements.txt": "torch==2.0.0\ntorchvision==0.15.1\n"},
            {"python": python, "gpu": "RTX 3090", "driver": "535.104.05"},
        )
        for python in ("3.9", "3.10", "3.11")
    ),
    Project(
        "course-with-its-package",
        {"requirements.txt": "torch==2.0.0\ntorchvision==0.15.1\nd2l==1.0.3\nnumpy==1.23.5\n"},
        {"python": "3.11", "gpu": "RTX 4090"},
    ),
    Project("course-with-nothing-known", {"requirements.txt": "torch==2.0.0\ntorchvision==0.15.1\nd2l==1.0.3\n"}),
    Project(
        "students-line",
        {
            "requirements.txt": (
                f"-f {WHL}/torch_stable.html\ntorch==1.8.1+cu111\ntorchvision==0.9.1+cu111\ntorchaudio==0.8.1\n"
            )
        },
        {"python": "3.8", "gpu": "RTX 3090", "driver": "470.57.02"},
    ),
    Project(
        "students-line-in-an-image",
        {
            "Dockerfile": _docker(
                "FROM nvidia/cuda:11.1.1-cudnn8-runtime-ubuntu20.04",
                APT,
                "RUN pip3 install torch==1.8.1+cu111 torchvision==0.9.1+cu111 torchaudio==0.8.1 \\",
                f"    -f {WHL}/torch_stable.html",
            )
        },
    ),
    Project(
        "minor-version-compatibility",
        {"requirements.txt": f"--index-url {WHL}/cu126\ntorch==2.7.1\ntorchvision==0.22.1\ntorchaudio==2.7.1\n"},
        {"driver": "535.183.06", "gpu": "H100 SXM5 80GB", "python": "3.12"},
    ),
    Project("nothing-pinned", {"requirements.txt": "torch\ntorchvision\nnumpy\npandas\n"}),
    Project(
        "nothing-pinned-on-a-new-machine",
        {"requirements.txt": "torch\ntorchvision\ntorchaudio\nnumpy\n"},
        {"driver": "595.45.04", "gpu": "RTX 5090", "python": "3.12"},
    ),
    Project(
        "pinned-release-with-an-extra-index",
        {"requirements.txt": f"--extra-index-url {WHL}/cu118\ntorch==2.4.1\ntorchvision==0.19.1\n"},
        {"driver": "535.104.05", "gpu": "RTX 3090"},
    ),
    Project(
        "hashes-includes-and-constraints",
        {
            "requirements.txt": (
                "-r base.txt\n-c constraints.txt\n"
                "torch==2.9.1 \\\n    --hash=sha256:aa \\\n    --hash=sha256:bb\n"
                'torchvision ; python_version >= "3.10"  # with torch\n'
            ),
            "base.txt": "numpy>=1.26\n",
            "constraints.txt": "torchvision==0.24.1\ntorchaudio==2.4.0\n",
        },
        {"python": "3.12", "driver": "570.86.15", "gpu": "RTX 5080"},
    ),
    Project(
        "one-torch-for-each-python",
        {
            "requirements.txt": (
                'torch==2.0.1; python_version < "3.12"\ntorch==2.4.1; python_version >= "3.12"\n'
                'torchvision==0.15.2; python_version < "3.12"\ntorchvision==0.19.1; python_version >= "3.12"\n'
            )
        },
        {"python": "3.12"},
    ),
    Project(
        "uv-project-and-lock",
        {"pyproject.toml": UV_PROJECT, "uv.lock": UV_LOCK, ".python-version": "3.12\n"},
        {"driver": "580.65.06", "gpu": "RTX 4090"},
    ),
    Project("uv-project-without-lock", {"pyproject.toml": UV_PROJECT}, {"driver": "580.65.06", "gpu": "L40S"}),
    Project("uv-extras-with-nothing-known", {"pyproject.toml": EXTRAS}),
    Project(
        "poetry-project-and-lock", {"pyproject.toml": POETRY, "poetry.lock": POETRY_LOCK}, {"driver": "535.104.05"}
    ),
    Project("pylock-for-this-python", {"pylock.toml": PYLOCK}, {"python": "3.11", "driver": "535.104.05"}),
    Project("conda-with-the-channel", {"environment.yml": CONDA}, {"driver": "535.104.05", "gpu": "RTX 3090"}),
    Project(
        "conda-forge",
        {
            "environment.yml": (
                "name: dl\nchannels: [conda-forge]\ndependencies:\n"
                "  - python=3.12\n  - pytorch-gpu=2.9  # CUDA build\n  - cuda-version=12.8\n  - torchvision\n"
            )
        },
        {"driver": "535.104.05", "gpu": "RTX 4090"},
    ),
    Project(
        "image-and-wheel-of-one-major",
        {
            "Dockerfile": _docker(
                "# syntax=docker/dockerfile:1",
                "FROM nvidia/cuda:12.4.1-devel-ubuntu22.04 AS build",
                APT,
                "COPY requirements.txt .",
                "RUN --mount=type=cache,target=/var/cache/pip \\",
                "    # the wheels bring their own CUDA",
                f"    pip install -r requirements.txt --index-url {WHL}/cu126",
                "RUN pip install flash-attn --no-build-isolation",
                "FROM build",
                "ENV NVIDIA_DRIVER_CAPABILITIES=compute,utility",
                'CMD ["python3", "train.py"]',
            ),
            "requirements.txt": "torch==2.7.1\ntorchvision==0.22.1\n",
        },
        {"driver": "550.54.15", "gpu": "A100 SXM4 80GB"},
    ),
    Project(
        "uv-in-an-image",
        {
            "Dockerfile": _docker(
                "FROM ghcr.io/astral-sh/uv:python3.12-bookworm-slim", "COPY . .", "RUN uv sync --frozen --no-dev"
            ),
            "pyproject.toml": UV_PROJECT,
            "uv.lock": UV_LOCK,
        },
        {"driver": "580.65.06"},
    ),
    Project(
        "torch-of-the-image-kept",
        {
            "Dockerfile": _docker(
                "FROM pytorch/pytorch:2.4.1-cuda12.1-cudnn9-runtime", "RUN pip install torchvision==0.19.1 einops"
            )
        },
        {"driver": "535.104.05"},
    ),
    Project(
        "torch-backend-of-uv",
        {"Dockerfile": _docker("FROM python:3.12-slim", "RUN uv pip install torch torchvision --torch-backend=cu126")},
        {"driver": "535.104.05", "gpu": "Tesla V100 SXM2 16GB"},
    ),
    Project(
        "cpu-build-and-no-card",
        {"requirements.txt": f"--index-url {WHL}/cpu\ntorch==2.9.1\ntorchvision==0.24.1\n"},
        {"python": "3.13"},
    ),
    Project(
        "macos",
        {"requirements.txt": "torch==2.9.1\ntorchvision==0.24.1\n"},
        {"os": "macos", "python": "3.12"},
    ),
    Project("private-index", {"requirements.txt": "--index-url https://wheels.example.org/gpu\ntorch==2.9.1\n"}),
    Project("no-torch-at-all", {"requirements.txt": "django==5.0\n", "Dockerfile": "FROM python:3.9-alpine\n"}),
    Project("nightly", {"requirements.txt": f"--pre\n--index-url {WHL}/nightly/cu130\ntorch\n"}, {"gpu": "RTX 5090"}),
    Project(
        "uv-index-by-platform",
        {
            "pyproject.toml": "\n".join(
                [
                    "[project]",
                    'name = "a"',
                    'requires-python = ">=3.10,<3.13"',
                    'dependencies = ["torch>=2.7", "torchvision>=0.22"]',
                    "[tool.uv.sources]",
                    "torch = [",
                    '    { index = "gpu", marker = "sys_platform == \'linux\'" },',
                    '    { index = "cpu", marker = "sys_platform == \'darwin\'" },',
                    "]",
                    'torchvision = [{ index = "gpu", marker = "sys_platform == \'linux\'" }]',
                    "[[tool.uv.index]]",
                    'name = "gpu"',
                    f'url = "{WHL}/cu128"',
                    "explicit = true",
                    "[[tool.uv.index]]",
                    'name = "cpu"',
                    f'url = "{WHL}/cpu"',
                    "explicit = true",
                    "",
                ]
            )
        },
        {"driver": "570.86.15", "gpu": "RTX 5090"},
    ),
    Project(
        "here-document",
        {
            "Dockerfile": _docker(
                "FROM nvidia/cuda:12.4.1-runtime-ubuntu22.04",
                "RUN <<EOF",
                "apt-get update && apt-get install -y python3 python3-pip",
                f"pip install torch==2.6.0 torchvision==0.21.0 --index-url {WHL}/cu124",
                "EOF",
            )
        },
        {"driver": "550.54.15"},
    ),
    Project(
        "compiled-requirements-with-hashes",
        {
            "requirements.txt": "\n".join(
                [
                    f"--index-url {WHL}/cu126",
                    "--extra-index-url https://${USER}:${TOKEN}@example.org/simple",
                    "torch==2.9.1+cu126 \\",
                    f"    --hash=sha256:{'a' * 64} \\",
                    f"    --hash=sha256:{'b' * 64}",
                    "    # via -r requirements.in",
                    f"torchvision==0.24.1+cu126 --hash=sha256:{'c' * 64}",
                    "",
                ]
            )
        },
        {"driver": "535.183.06", "python": "3.12"},
    ),
    Project(
        "one-pair-a-platform",
        {
            "requirements.txt": (
                'torch==2.2.2; sys_platform == "darwin" and platform_machine == "x86_64"\n'
                'torch==2.9.1; sys_platform != "darwin" or platform_machine != "x86_64"\n'
                'torchvision==0.17.2; sys_platform == "darwin" and platform_machine == "x86_64"\n'
                'torchvision==0.24.1; sys_platform != "darwin" or platform_machine != "x86_64"\n'
            )
        },
    ),
]

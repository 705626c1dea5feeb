"""What each kind of file says, line by line."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envcheck.compat.declared.indexes import clean_url, meaning
from envcheck.compat.declared.wanted import admits, exact, wheel_is_for
from envcheck.facts import Declared, DeclaredEnvironment, DeclaredIndex, DeclaredPackage
from envcheck.read.declared import Files, Markers, kind_of, read_project
from envcheck.read.declared.images import image_of, python_of
from envcheck.read.declared.requirement import from_conda, from_poetry
from envcheck.read.declared.requirements import logical_lines

from .judging import lint
from .projects import Project


def declared(files: dict[str, str], python: str = "") -> Declared:
    return read_project(Files(files), Markers(python=python))


def only(files: dict[str, str], python: str = "") -> DeclaredEnvironment:
    found = declared(files, python).environments
    assert isinstance(found, list)
    assert len(found) == 1, [environment.name for environment in found]
    return found[0]


def packages(environment: DeclaredEnvironment) -> dict[str, DeclaredPackage]:
    found = environment.packages
    assert isinstance(found, list)
    return {package.name: package for package in found}


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("requirements.txt", "requirements"),
        ("requirements-dev.txt", "requirements"),
        ("dev-requirements.in", "requirements"),
        ("requirements/gpu.txt", "requirements"),
        ("docs/notes.txt", None),
        ("a/b/pyproject.toml", "pyproject"),
        ("uv.lock", "uv.lock"),
        ("pylock.dev.toml", "pylock"),
        ("environment-gpu.yaml", "conda"),
        ("env.yml", "conda"),
        ("docker-compose.yml", None),
        ("Dockerfile", "dockerfile"),
        ("Dockerfile.train", "dockerfile"),
        ("train.Dockerfile", "dockerfile"),
        ("Containerfile", "dockerfile"),
        ("setup.py", None),
    ],
)
def test_the_kind_of_a_file_is_in_its_name(path: str, kind: str | None) -> None:
    """By the name alone: no file is opened to find out."""
    assert kind_of(path) == kind


def test_requirement_lines_keep_their_numbers() -> None:
    """Continued lines count from their first; comments and empty lines are gone; a number sign in a URL is none."""
    text = (
        "# torch\n\ntorch==2.9.1 \\\n  --hash=sha256:a \\\n  --hash=sha256:b\nx @ https://e.org/x.whl#sha256=c  # why\n"
    )
    lines = logical_lines(text)
    assert [number for number, _ in lines] == [3, 6]
    assert lines[1][1] == "x @ https://e.org/x.whl#sha256=c"


def test_a_requirement_file_with_everything() -> None:
    """Includes, constraints, indexes, markers, hashes and editable paths in one file."""
    environment = only(
        {
            "requirements.txt": (
                "-r base.txt\n--constraint=limits.txt\n-ihttps://user:secret@e.org/simple\n"
                "--extra-index-url https://download.pytorch.org/whl/cu126\n-e .\n"
                'torch ; sys_platform == "linux"\ntorchaudio; sys_platform == "win32"\n'
            ),
            "base.txt": "numpy>=1.26\n",
            "limits.txt": "torch==2.7.1\nscipy<2\n",
        }
    )
    found = packages(environment)
    assert set(found) == {"numpy", "torch"}
    assert found["torch"].version == "2.7.1"
    assert found["numpy"].place == "base.txt:1"
    assert isinstance(environment.indexes, list)
    assert [(i.kind, i.url, i.line) for i in environment.indexes] == [
        ("index", "https://e.org/simple", 3),
        ("extra", "https://download.pytorch.org/whl/cu126", 4),
    ]


def test_a_line_that_is_no_requirement_is_told() -> None:
    """Nothing vanishes: the file says which line was not understood, and the rest is read."""
    found = declared({"requirements.txt": "torch==2.9.1\n>>>>>>> main\n-r gone.txt\n"})
    assert isinstance(found.files, list)
    assert [file.place for file in found.files] == ["requirements.txt:2", "requirements.txt:3"]
    assert isinstance(found.environments, list)
    assert packages(found.environments[0])["torch"].version == "2.9.1"


def test_includes_in_a_circle_end() -> None:
    """Each file is read once."""
    assert "torch" in packages(
        only({"requirements.txt": "-r requirements.txt\n-r a.txt\ntorch\n", "a.txt": "-r requirements.txt\n"})
    )


def test_an_included_file_is_no_environment_of_its_own() -> None:
    """What another file takes in is judged there, once."""
    only({"requirements.txt": "torch==2.9.1\n", "requirements-dev.txt": "-r requirements.txt\npytest\n"})


@pytest.mark.parametrize(
    ("text", "specifier"),
    [
        ("^2.1", ">=2.1,<3"),
        ("^0.15.1", ">=0.15.1,<0.16"),
        ("~2.1", ">=2.1,<2.2"),
        ("~2", ">=2,<3"),
        ("2.1.0", "==2.1.0"),
        ("2.1.*", "==2.1.*"),
        (">=2.0,<3", ">=2.0,<3"),
        (">=2.0 <3", ">=2.0,<3"),
        ("*", ""),
        ("^2.1 || ^3", "^2.1 || ^3"),
    ],
)
def test_poetrys_specifiers(text: str, specifier: str) -> None:
    """Carets and tildes as PEP 440 writes them (poetry documentation, dependency specification)."""
    assert from_poetry(text) == specifier


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("pytorch", ("pytorch", "", "")),
        ("pytorch=2.1", ("pytorch", "==2.1.*", "")),
        ("pytorch 2.1.*", ("pytorch", "==2.1.*", "")),
        ("pytorch==2.1.0", ("pytorch", "==2.1.0", "")),
        ("pytorch>=2.0,<3", ("pytorch", ">=2.0,<3", "")),
        ("pytorch=2.1.0=py3.10_cuda11.8_cudnn8.7.0_0", ("pytorch", "==2.1.0", "py3.10_cuda11.8_cudnn8.7.0_0")),
        ("conda-forge::pytorch=2.5=cuda*", ("pytorch", "==2.5", "cuda*")),
        ("pytorch[version='>=2,<3',build=cuda*]", ("pytorch", ">=2,<3", "cuda*")),
        ("pytorch 2.5 cpu_generic*", ("pytorch", "==2.5", "cpu_generic*")),
    ],
)
def test_condas_match_specs(text: str, parts: tuple[str, str, str]) -> None:
    """One equals sign is a prefix, two are exact, and so is a version with a build (conda documentation)."""
    assert from_conda(text) == parts


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://download.pytorch.org/whl/cu126", ("variant", "cu126")),
        ("https://download.pytorch.org/whl/cpu/", ("variant", "cpu")),
        ("https://download.pytorch.org/whl/rocm6.4", ("variant", "rocm6.4")),
        ("https://download.pytorch.org/whl/nightly/cu130", ("nightly", "")),
        ("https://download.pytorch.org/whl/torch_stable.html", ("links", "")),
        ("https://download.pytorch.org/whl/cu113/torch_stable.html", ("variant", "cu113")),
        ("https://mirror.example.org/pytorch-wheels/cu118", ("variant", "cu118")),
        ("https://proxy.example.org/repository/pypi/simple", ("default", "")),
        ("https://wheels.example.org/cu118", ("unknown", "")),
    ],
)
def test_what_an_index_holds(url: str, expected: tuple[str, str]) -> None:
    """Only what its address says; another index is unknown and accuses nobody."""
    assert meaning(DeclaredIndex(url=url, kind="index")) == expected


def test_passwords_do_not_get_into_the_snapshot() -> None:
    """Addresses lose the user name and password before anything else sees them."""
    assert clean_url("https://me:secret@e.org/simple") == "https://e.org/simple"
    environment = only(
        {"Dockerfile": "FROM python:3.12\nENV PIP_INDEX_URL=https://me:secret@e.org/simple\nRUN pip install torch\n"}
    )
    assert isinstance(environment.indexes, list)
    assert environment.indexes[0].url == "https://e.org/simple"


@pytest.mark.parametrize(
    ("wheel", "minor", "platform", "fits"),
    [
        ("torch-2.9.1+cu130-cp312-cp312-manylinux_2_28_x86_64.whl", "3.12", "linux_x86_64", True),
        ("torch-2.9.1+cu130-cp312-cp312-manylinux_2_28_x86_64.whl", "3.13", "linux_x86_64", False),
        ("torch-2.9.1-cp312-cp312-manylinux_2_28_aarch64.whl", "3.12", "linux_x86_64", False),
        ("torch-2.9.1-cp312-cp312-win_amd64.whl", "3.12", "windows_x86_64", True),
        ("torch-2.9.1-cp312-none-macosx_11_0_arm64.whl", "3.12", "macos_arm64", True),
        ("torchvision-0.29.2-py3-none-manylinux_2_28_x86_64.whl", "3.14", "linux_x86_64", True),
        ("x-1-cp39-abi3-manylinux2014_x86_64.whl", "3.12", "linux_x86_64", True),
        ("x-1-cp313-abi3-manylinux2014_x86_64.whl", "3.12", "linux_x86_64", False),
        ("not a wheel", "3.12", "linux_x86_64", True),
    ],
)
def test_a_wheels_name_tells_whom_it_is_for(wheel: str, minor: str, platform: str, fits: bool) -> None:
    """Python, ABI and platform tags (PEP 425); what is no wheel's name refuses nobody."""
    assert wheel_is_for(wheel, minor, platform) is fits


def test_specifiers() -> None:
    """Which version is named, and which Pythons are admitted; an unreadable requires-python admits all."""
    assert exact(">=2,==2.1.0+cu118") == "2.1.0+cu118"
    assert exact("==2.1.*") is None
    assert admits(">=3.10,<3.13", "3.12")
    assert not admits(">=3.10,<3.13", "3.13")
    assert admits(">=3.9.2", "3.9")
    assert admits("whatever", "3.9")


@pytest.mark.parametrize(
    ("name", "cuda", "flavour", "libc", "torch", "python"),
    [
        ("nvidia/cuda:12.4.1-devel-ubuntu22.04", "12.4", "devel", "glibc 2.35", None, None),
        ("nvidia/cuda:11.8.0-cudnn8-runtime-ubuntu20.04", "11.8", "runtime", "glibc 2.31", None, None),
        ("nvcr.io/nvidia/cuda:13.0.1-base-ubi9", "13.0", "base", "glibc 2.34", None, None),
        ("pytorch/pytorch:2.4.1-cuda12.1-cudnn9-runtime", "12.1", "runtime", "?", "2.4.1", None),
        ("python:3.12-alpine3.20", None, "?", "musl", None, "3.12"),
        ("python:3.11-slim-bookworm@sha256:abc", None, "?", "glibc 2.36", None, "3.11"),
        ("registry.example.org:5000/team/base:latest", "?", "?", "?", "?", None),
        ("ubuntu:jammy", None, "?", "glibc 2.35", None, None),
    ],
)
def test_images_by_their_names(
    name: str, cuda: str | None, flavour: str | None, libc: str | None, torch: str | None, python: str | None
) -> None:
    """What the tag says; "?" stands for what it does not say."""
    image = image_of(name, "Dockerfile", 1)
    for fact, expected in ((image.cuda, cuda), (image.flavour, flavour), (image.libc, libc), (image.torch, torch)):
        assert fact == expected or (expected == "?" and not isinstance(fact, (str, type(None))))
    assert python_of(name) == python


def test_a_dockerfile_with_everything() -> None:
    """ARG before FROM, stages by name, ENV, here-documents, comments inside commands, python -m pip, sh -c."""
    text = """\
ARG TAG=12.4.1
FROM nvidia/cuda:${TAG}-devel-ubuntu22.04 AS base
ENV PIP_EXTRA_INDEX_URL=https://download.pytorch.org/whl/cu124 \\
    NAME="a b"
RUN apt-get update && \\
    # python of the distribution
    apt-get install -y python3-pip
RUN <<EOF
set -e
python3 -m pip install --no-cache-dir 'torch==2.6.0' \\
EOF
FROM base AS final
RUN bash -lc "pip install torchvision==0.21.0 && echo done"
RUN ["pip", "install", "torchaudio==2.6.0"]
"""
    environment = only({"Dockerfile": text})
    found = packages(environment)
    assert environment.name == "Dockerfile (stage final)"
    assert {name: package.line for name, package in found.items()} == {"torch": 8, "torchvision": 13, "torchaudio": 14}
    assert environment.python == "3.10"
    assert environment.image is not None
    assert environment.image.name == "nvidia/cuda:12.4.1-devel-ubuntu22.04"
    assert isinstance(environment.variables, list)
    assert [(v.name, v.value) for v in environment.variables][1] == ("NAME", "a b")


def test_a_stage_that_copies_is_judged_where_it_installs() -> None:
    """COPY --from brings files, not declarations: the builder stage is the environment."""
    text = "FROM python:3.12 AS build\nRUN pip install torch==2.9.1\nFROM python:3.12-slim\nCOPY --from=build /v /v\n"
    assert only({"Dockerfile": text}).name == "Dockerfile (stage build)"


def test_a_later_command_replaces_what_an_earlier_one_installed() -> None:
    """The last line that names a version decides, as it does in the image."""
    text = "FROM python:3.12\nRUN pip install torch==2.6.0 torchvision==0.21.0\nRUN pip install torch==2.7.1\n"
    report = lint(Project("twice", {"Dockerfile": text}))
    assert [finding.rule for finding in report.root_causes] == ["torchvision-mismatch"]


def test_conda_files_in_both_of_yamls_ways() -> None:
    """Block and flow lists, comments, quotes, a pip section with its own options."""
    text = """\
name: x   # the name
channels: [conda-forge, "nvidia"]
dependencies:
- python=3.11.*
- "pytorch-gpu>=2.4"
- pip
- pip:
  - --extra-index-url https://download.pytorch.org/whl/cu126
  - einops
variables:
  A: b
"""
    environment = only({"environment.yml": text})
    found = packages(environment)
    assert environment.channels == ["conda-forge", "nvidia"]
    assert environment.requires_python is None
    assert environment.python == "3.11"
    assert found["torch"].manager == "conda"
    assert found["torch"].build == "cuda"
    assert found["einops"].place == "environment.yml:9"


def test_what_goes_beyond_the_yaml_of_such_files_is_told() -> None:
    """An anchor is no silent omission."""
    found = declared({"environment.yml": "dependencies:\n  - pytorch=2.5\n  - *more\n"})
    assert isinstance(found.files, list)
    assert found.files[0].place == "environment.yml:3"


def test_uv_sources_for_a_platform() -> None:
    """The first source whose marker holds on the platform that is asked about."""
    text = """\
[project]
name = "a"
dependencies = ["torch==2.9.1"]
[tool.uv.sources]
torch = [
  { index = "cpu", marker = "sys_platform == 'darwin'" },
  { index = "gpu", marker = "sys_platform == 'linux'" },
]
[[tool.uv.index]]
name = "cpu"
url = "https://download.pytorch.org/whl/cpu"
explicit = true
[[tool.uv.index]]
name = "gpu"
url = "https://download.pytorch.org/whl/cu130"
explicit = true
"""
    files = Files({"pyproject.toml": text})
    linux = read_project(files, Markers()).environments
    mac = read_project(files, Markers(system="Darwin", machine="arm64")).environments
    assert isinstance(linux, list)
    assert isinstance(mac, list)
    assert packages(linux[0])["torch"].index == "https://download.pytorch.org/whl/cu130"
    assert packages(mac[0])["torch"].index == "https://download.pytorch.org/whl/cpu"


def test_groups_include_one_another() -> None:
    """PEP 735: included groups are taken in, circles end, and the default group belongs to the base."""
    text = """\
[project]
name = "a"
dependencies = ["torch>=2.9"]
[dependency-groups]
dev = [{ include-group = "test" }, "ruff"]
test = [{ include-group = "dev" }, "torchvision"]
"""
    assert {"torch", "ruff", "torchvision"} <= set(packages(only({"pyproject.toml": text})))


NAMES = ["requirements.txt", "pyproject.toml", "uv.lock", "poetry.lock", "pylock.toml", "environment.yml", "Dockerfile"]
PIECES = st.sampled_from(
    [
        *("torch", "==2.9.1", "+cu126", "\n", "  - ", "[[package]]", "name = ", '"', "'", "[", "]", "{", "}", "1.2"),
        *("FROM ", "RUN ", "pip install ", "\\\n", "<<EOF", "${A:-", "-r ", "--index-url ", "https://", "@", ";"),
        *("python_version", " < ", "=", "dependencies:", "pip:", "ARG A=", "ENV ", "&&", "version = 1", "\x00"),
        *("\u2028", "\u00e9", "#", "^", "||", "*"),
    ]
)


@given(name=st.sampled_from(NAMES), pieces=st.lists(PIECES, max_size=40))
def test_no_text_breaks_the_readers(name: str, pieces: list[str]) -> None:
    """Whatever a file holds, it is read, judged and told about without a crash."""
    report = lint(Project("any", {name: "".join(pieces)}))
    assert [verdict.why for verdict in report.verdicts if verdict.outcome == "crashed"] == []

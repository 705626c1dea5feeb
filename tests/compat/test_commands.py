"""Commands can be copied and run as they are: one line, quoted, in the form that the era of the build wants."""

from __future__ import annotations

import shlex

import pytest

from envcheck.compat.commands import environment_yml, index_url, pip_install, pyproject, reinstall, uv_install
from envcheck.compat.rows import Platform, TorchBuild
from envcheck.compat.torch_builds import builds_of, releases, torch_build
from envcheck.facts import NOT_ASKED

INDEX = "https://download.pytorch.org/whl"


def build(name: str, platform: Platform = "linux_x86_64") -> TorchBuild:
    found = torch_build(*name.split("+"), platform)  # type: ignore[misc]
    assert isinstance(found, TorchBuild)
    return found


@pytest.mark.parametrize(
    ("name", "line"),
    [  # the forms of pytorch.org, "Previous PyTorch Versions"
        ("1.8.1+cu102", "torch==1.8.1 torchvision==0.9.1 torchaudio==0.8.1"),
        (
            "1.8.1+cu111",
            f"torch==1.8.1+cu111 torchvision==0.9.1+cu111 torchaudio==0.8.1 -f {INDEX}/torch_stable.html",
        ),
        (
            "1.10.0+cu111",
            f"torch==1.10.0+cu111 torchvision==0.11.0+cu111 torchaudio==0.10.0 -f {INDEX}/torch_stable.html",
        ),
        (
            "1.10.1+cu111",
            f"torch==1.10.1+cu111 torchvision==0.11.2+cu111 torchaudio==0.10.1 -f {INDEX}/cu111/torch_stable.html",
        ),
        (
            "1.12.1+cu116",
            f"torch==1.12.1+cu116 torchvision==0.13.1+cu116 torchaudio==0.12.1 --extra-index-url {INDEX}/cu116",
        ),
        ("2.0.1+cu118", f"torch==2.0.1 torchvision==0.15.2 torchaudio==2.0.2 --index-url {INDEX}/cu118"),
        ("2.14.1+cu126", f"torch==2.14.1 torchvision==0.29.1 --index-url {INDEX}/cu126"),
        ("2.14.1+cpu", f"torch==2.14.1 torchvision==0.29.1 --index-url {INDEX}/cpu"),
        ("2.15.0+cu132", "torch==2.15.0 torchvision==0.29.2"),
    ],
)
def test_pip(name: str, line: str) -> None:
    """pip's line by era: a page of links to 1.10, an extra index to 1.13, an index of its own from 2.0 on."""
    assert pip_install(build(name)) == f"python -m pip install {line}"


def test_uv() -> None:
    """uv names the torch backend, which leaves every other package on the default index."""
    assert uv_install(build("2.14.1+cu126")).endswith(" --torch-backend=cu126")
    assert uv_install(build("2.15.0+cu132")) == "uv pip install torch==2.15.0 torchvision==0.29.2"
    assert "--find-links" in uv_install(build("1.8.1+cu111"))
    assert uv_install(build("1.12.1+cu116")).endswith(
        f"--extra-index-url {INDEX}/cu116 --index-strategy unsafe-best-match"
    )


@pytest.mark.parametrize("platform", ["linux_x86_64", "linux_aarch64", "windows_x86_64", "macos_arm64"])
def test_every_build_has_commands(platform: Platform) -> None:
    """No build of the table is without a command; each is one line of printable ASCII that a shell splits again."""
    for release in releases():
        for one in builds_of(release.version, platform):
            for line in (pip_install(one), uv_install(one)):
                assert line.isascii() and line.isprintable()
                assert " ".join(shlex.split(line)) == line
                assert f"torch=={one.version}" in line
            assert index_url(one).startswith(INDEX)


def test_pyproject_is_toml() -> None:
    """The stanzas parse, the index is explicit, and macOS is left on the default index."""
    tomllib = pytest.importorskip("tomllib")
    for name in ("2.14.1+cu126", "1.8.1+cu111", "2.15.0+cu132", "2.14.1+cpu"):
        parsed = tomllib.loads(pyproject(build(name)))
        assert any(line.startswith("torch==") for line in parsed["project"]["dependencies"])
        if name != "2.15.0+cu132":
            (index,) = parsed["tool"]["uv"]["index"]
            assert index["explicit"] is True
            assert parsed["tool"]["uv"]["sources"]["torch"][0]["index"] == index["name"]
    assert "format" in tomllib.loads(pyproject(build("1.8.1+cu111")))["tool"]["uv"]["index"][0]


def test_environment_yml() -> None:
    """Python from conda-forge, the wheel through pip with its index; an unknown Python is left open."""
    text = environment_yml(build("2.14.1+cu126"), "3.12")
    assert "  - python=3.12\n" in text
    assert f"      - --index-url {INDEX}/cu126\n      - torch==2.14.1\n" in text
    assert "  - python\n" in environment_yml(build("2.15.0+cu132"), NOT_ASKED)
    assert "--" not in environment_yml(build("2.15.0+cu132"), NOT_ASKED)


def test_reinstall_with_pip() -> None:
    """Uninstall first (==V is satisfied by any variant of V), never --force-reinstall, companions as installed."""
    lines = [c.command for c in reinstall("2.14.1", "cu126", "/opt/env/bin/python", "pip", ["torchvision"])]
    assert lines == [
        "/opt/env/bin/python -m pip uninstall -y torch torchvision",
        f'/opt/env/bin/python -m pip install "torch==2.14.1" "torchvision==0.29.1" --index-url {INDEX}/cu126',
    ]
    alone = reinstall("2.9.1", "cu128", "python", "pip", [])
    assert next(c.command for c in alone) == "python -m pip uninstall -y torch"
    assert all("force" not in c.command for c in alone)
    both = reinstall("2.9.1", "cu128", "python", "pip", ["torchaudio", "torchvision"])
    assert '"torchvision==0.24.1" "torchaudio==2.9.1"' in both[1].command


def test_reinstall_with_uv_and_conda() -> None:
    """uv reinstalls the named packages only; conda-forge names the CUDA major, of the nearest release it has."""
    (uv,) = reinstall("2.14.1", "cu126", "/opt/env/bin/python", "uv", ["torchvision"])
    assert uv.command == (
        "uv pip install --python /opt/env/bin/python --reinstall-package torch --reinstall-package torchvision "
        '"torch==2.14.1" "torchvision==0.29.1" --torch-backend=cu126'
    )
    (conda,) = reinstall("2.14.1", "cu126", "python", "conda")
    assert (conda.tool, conda.command) == (
        "conda",
        'conda install -c conda-forge "pytorch-gpu=2.13.0" "cuda-version=12"',
    )
    assert reinstall("2.7.1", "cu118", "python", "conda") == []
    (cpu,) = reinstall("2.13.0", "cpu", "python", "conda")
    assert cpu.command == 'conda install -c conda-forge "pytorch-cpu=2.13.0"'


def test_reinstall_quotes_the_interpreter() -> None:
    """A path with spaces stays one word, in sh and in cmd."""
    posix = reinstall("2.9.1", "cu128", "/home/a b/python", "pip")
    assert shlex.split(posix[1].command)[0] == "/home/a b/python"
    windows = reinstall("2.9.1", "cu128", r"C:\a b\python.exe", "pip", platform="windows_x86_64", windows=True)
    assert windows[0].command.startswith('"C:\\a b\\python.exe" -m pip uninstall')
    plain = reinstall("2.9.1", "cu128", r"C:\py\python.exe", "pip", platform="windows_x86_64", windows=True)
    assert plain[0].command.startswith("C:\\py\\python.exe -m pip")


def test_reinstall_of_the_old_default_keeps_off_the_page_of_links() -> None:
    """On that page a build of another CUDA would win over the default one of the same release."""
    lines = [c.command for c in reinstall("1.8.1", "cu102", "python", "pip")]
    assert lines[1] == 'python -m pip install "torch==1.8.1" "torchvision==0.9.1"'
    newer = [c.command for c in reinstall("2.15.0", "cu132", "python", "pip")]
    assert newer[1].endswith(f"--index-url {INDEX}/cu132")


def test_an_unknown_build_has_no_command() -> None:
    """What the table does not have, nobody is told to install."""
    assert reinstall("2.99.0", "cu126", "python", "pip") == []
    assert reinstall("2.15.0", "cu126", "python", "pip") == []

"""The build of torch, the packages beside it, and the Python that they stand in.  Nothing is imported here."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path

from tests.collect import homes
from tests.e2e.environments import HEALTHY, Wheel, by_shell, installation, torch, virtual
from tests.e2e.rows import QUIET_LOG, Row, server
from tests.fakes import Machine, PciCard, Scenario, bare_files, driver_too_old, healthy_h100, rtx_5090, t4, v100
from tests.fakes.programs import answering
from tests.probe.packages import install, torch_files

DESKTOP = {"sys/class/dmi/id/chassis_type": "3\n"}
CUDNN_PIN = 'nvidia-cudnn-cu13==9.24.0.43; platform_system == "Linux"'
TRITON_PIN = 'triton~=3.8.0; platform_system == "Linux"'
AMD = PciCard("0000:03:00.0", 0x744C, vendor=0x1002, class_code=0x030000, driver="amdgpu", bars=(256 << 20,))


def h100() -> Machine:
    return server(healthy_h100(2))


def desktop(scenario: Callable[[], Scenario]) -> Callable[[], Machine]:
    return lambda: server(scenario()).put(DESKTOP)


def without_card(files: Mapping[str, str | bytes]) -> Machine:
    """No NVIDIA card and no driver; the C library is what ``files`` say."""
    return Machine(Scenario().only(), {**bare_files(), **files, "dev/null": ""}).program("dmesg", answering(QUIET_LOG))


def build(version: str, rule: str, machine: Callable[[], Machine], severity: str = "error", **torch_of: bytes) -> Row:
    return Row(machine, {rule: severity}, python=virtual(torch(version, **torch_of)))


# -- packages that do not go together, many in one environment ------------------------------------------------

QUARREL = (
    torch(requires=[CUDNN_PIN, TRITON_PIN, "nvidia-cublas==13.1.0.3"], numpy=b"numpy.core._multiarray_umath"),
    Wheel("numpy", "2.3.5"),
    Wheel("nvidia-cudnn-cu13", "9.1.0.70"),
    Wheel("nvidia-cublas", "13.1.0.3"),
    Wheel("nvidia-cublas-cu12", "12.8.4.1"),
    Wheel("torchvision", "0.20.1", requires=["numpy", "torch==2.5.1"]),
    Wheel("torchaudio", "2.5.1", requires=["torch==2.5.1"]),
    Wheel("nvidia-ml-py", "13.595.45", {"pynvml.py": b""}),
    Wheel("pynvml", "11.5.3", {"pynvml/__init__.py": b""}),
)


def interrupted(site: Path) -> None:
    """What pip leaves when it is stopped while it replaces torch."""
    (site / "~orch-2.13.0.dist-info").mkdir()
    (site / "~orch-2.13.0.dist-info" / "METADATA").write_text("Name: torch\nVersion: 2.13.0\n")


def cut(site: Path) -> None:
    path = site / "torch" / "lib" / "libtorch_cpu.so"
    path.write_bytes(path.read_bytes()[:1000])


def edited(site: Path) -> None:
    with (site / "torch" / "__init__.py").open("a") as file:
        file.write("print('hello')\n")


def another_copy(site: Path) -> None:
    elsewhere = site.parent / "extra"
    install(elsewhere, "torch", "2.9.1", torch_files("2.9.1+cu128"))
    (site / "extra.pth").write_text(f"{elsewhere}\n")


# -- conda ----------------------------------------------------------------------------------------------------

CHANNELS = {
    "pytorch-2.5.1-py3.11_cuda12.4_cudnn9.1.0_0": "https://conda.anaconda.org/pytorch/linux-64",
    "mkl-2024.2.2-ha957f24_16": "https://conda.anaconda.org/conda-forge/linux-64",
}


def conda_records(site: Path) -> None:
    """An environment that is conda's own base, with packages of two channels and pip's torch over conda's."""
    prefix = site.parents[2]
    (prefix / "conda-meta").mkdir()
    (prefix / "condabin").mkdir()
    for name, channel in CHANNELS.items():
        (prefix / "conda-meta" / f"{name}.json").write_text(json.dumps({"channel": channel, "files": []}))


# -- where packages come from -----------------------------------------------------------------------------------


def in_user_site(home: Path) -> None:
    import sys

    site = home / ".local" / "lib" / f"python{sys.version_info[0]}.{sys.version_info[1]}" / "site-packages"
    install(site, "torch", "2.13.0", torch_files("2.13.0+cu130", cuda="13.0", archs=b"sm_75 sm_80 sm_90 sm_120"))


def on_pythonpath(home: Path) -> None:
    files = torch_files("2.13.0+cu130", cuda="13.0", archs=b"sm_75 sm_80 sm_90 sm_120")
    install(home / "ros" / "dist-packages", "torch", "2.13.0", files)


def local_torch(home: Path) -> None:
    (home / "torch.py").write_text("print('my notes on torch')\n")


def other_environment(home: Path) -> None:
    virtual(*HEALTHY)(home / ".virtualenvs" / "study")


def foreign_pip(home: Path) -> None:
    other = homes.program(home / "other" / "bin" / "python3")
    homes.program(home / "bin" / "pip", f"#!{other}\n")


def first_on_path(home: Path) -> None:
    """Another environment, whose folder a shell profile has put before the activated one's."""
    virtual(*HEALTHY)(home / "other")


def dangling(folder: Path) -> str:
    """A virtual environment whose base Python was removed."""
    python = Path(virtual()(folder))
    python.unlink()
    python.symlink_to("/opt/python3.9/bin/python3.9")
    return str(python)


def ancient(folder: Path) -> str:
    """What the probe says under a Python that cannot run it: see run.py, which every Python since 2.7 can parse."""
    why = '{"kind": "unread", "why": "unsupported", "detail": "Python 2.7.18 is too old to probe: 3.6 is the oldest"}'
    facts = f'"found_by": [], "version": "2.7.18", "prefix": "{folder}", "probe": {why}'
    answer = f'{{"executable": "{folder}/bin/python", {facts}}}'
    return str(homes.program(folder / "bin" / "python", f"#!/bin/sh\necho '{answer}'\n"))


ROWS = {
    "CPU build": build("2.14.1+cpu", "torch-cpu-only-build", h100),
    "ROCm build on NVIDIA": build("2.14.1+rocm7.2", "torch-rocm-on-nvidia", h100),
    "build older than the card": build("2.7.1+cu126", "gpu-newer-than-torch-archs", desktop(rtx_5090)),
    "build newer than the card": build("2.14.1+cu130", "gpu-older-than-torch-archs", lambda: server(v100(1))),
    "build with PTX alone": build(
        "2.14.1+cu130", "ptx-jit-slow-first-run", lambda: server(t4()), "warning", archs=b"compute_75 sm_90"
    ),
    "driver of CUDA 12 under a build of CUDA 13": Row(
        lambda: server(driver_too_old()), {"driver-too-old-for-torch": "error"}
    ),
    "cuDNN without Volta": Row(
        lambda: server(v100(1)),
        {"cudnn-drops-gpu": "error"},
        python=virtual(torch("2.9.1+cu128"), Wheel("nvidia-cudnn-cu12", "9.12.0.46")),
    ),
    "pins of a course": Row(
        h100,
        {"course-pins-too-old": "error"},
        ("gpu-newer-than-torch-archs",),
        python=virtual(torch("2.0.0+cu117", numpy=b""), Wheel("d2l", "1.0.3"), Wheel("numpy", "1.23.5")),
    ),
    "packages that quarrel": Row(
        h100,
        {
            "numpy-abi-mismatch": "error",
            "nvidia-cu12-cu13-overlap": "warning",
            "nvidia-wheel-pin-broken": "error",
            "pynvml-package-conflict": "warning",
            "torchaudio-mismatch": "error",
            "torchvision-mismatch": "error",
            "triton-missing-or-wrong": "warning",
        },
        python=virtual(*QUARREL),
    ),
    "a package that asks for an older NumPy": Row(
        h100,
        {"dependency-conflict": "warning"},
        python=virtual(*HEALTHY, Wheel("transformers", "4.2.0", requires=["numpy<2"])),
    ),
    "an upgrade that was interrupted": Row(
        h100, {"leftover-torch-distinfo": "warning"}, python=virtual(*HEALTHY, change=interrupted)
    ),
    "torchvision of another CUDA": Row(
        h100,
        {"torchvision-cuda-major-mismatch": "error"},
        python=virtual(
            *HEALTHY,
            Wheel("torchvision", "0.29.1", {"torchvision/version.py": b"__version__ = '0.29.1+cu126'\n"}),
        ),
    ),
    "a library cut short": Row(h100, {"torch-library-damaged": "error"}, python=virtual(*HEALTHY, change=cut)),
    "a file of torch edited": Row(h100, {"torch-file-changed": "note"}, python=virtual(*HEALTHY, change=edited)),
    "two copies of torch": Row(
        h100, {"two-torch-copies-on-path": "warning"}, python=virtual(*HEALTHY, change=another_copy)
    ),
    "torch in the user's own folder": Row(
        h100, {"user-site-shadowing": "warning"}, python=installation(*HEALTHY), home=in_user_site
    ),
    "torch on PYTHONPATH": Row(
        h100,
        {"pythonpath-shadowing": "warning"},
        home=on_pythonpath,
        variables={"PYTHONPATH": "{home}/ros/dist-packages"},
    ),
    "a torch.py beside the program": Row(h100, {"torch-shadowed-by-local-file": "error"}, home=local_torch),
    "conda's base": Row(
        h100,
        {
            "conda-base-in-use": "warning",
            "conda-channel-mix": "warning",
            "conda-env-not-activated": "note",
            "torch-mixed-pip-conda": "error",
            "triton-no-c-compiler": "note",
        },
        python=installation(torch(), Wheel("numpy", "2.3.5"), Wheel("triton", "3.8.0"), change=conda_records),
    ),
    "no torch, and another environment has it": Row(
        h100,
        {"wrong-interpreter": "error"},
        ("torch-not-installed",),
        python=virtual(Wheel("numpy", "2.3.5")),
        home=other_environment,
    ),
    "no torch anywhere": Row(h100, {"torch-not-installed": "error"}, python=virtual(Wheel("numpy", "2.3.5"))),
    "no wheel for this C library": Row(
        lambda: h100().without("usr/lib/x86_64-linux-gnu/libc.so.6").put({"lib/ld-musl-x86_64.so.1": b"\x001.2.4\x00"}),
        {"torch-python-unsupported": "error"},
        ("torch-not-installed",),
        python=virtual(Wheel("numpy", "2.3.5")),
    ),
    "an environment without its Python": Row(h100, {"broken-venv": "error"}, python=dangling),
    "Python 2.7": Row(lambda: without_card({}), {"python-too-old": "note"}, python=ancient, verdict="undetermined"),
    "an activation that another folder undoes": Row(
        h100,
        {"activation-not-in-effect": "warning"},
        python=by_shell(*HEALTHY),
        home=first_on_path,
        variables={"PATH": "{root}/usr/bin:{home}/other/bin:{env}/bin", "VIRTUAL_ENV": "{env}"},
    ),
    "pip of another Python": Row(
        h100,
        {"pip-of-another-python": "warning"},
        python=by_shell(*HEALTHY, Wheel("pip", "25.3", {"pip/__init__.py": b""})),
        home=foreign_pip,
        variables={"PATH": "{root}/usr/bin:{home}/bin:{env}/bin", "VIRTUAL_ENV": "{env}"},
    ),
}

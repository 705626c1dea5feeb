"""All walls together: one look at a machine, assembled."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from envcheck.collect import Options, children, snapshot_here
from envcheck.collect.process import process_state
from envcheck.facts import CollectorRun, Cuda, Driver, Nvml, Smi, Unread
from tests.collect import homes
from tests.collect.looks import SLACK, Deploy, look, real_venv, target_of
from tests.fakes import Machine, gpu_hang, healthy_h100, nvml_hang, programs, smi_xml, version_mismatch

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="pretended file trees and drivers are Linux")

# --- assembling


def test_a_machine_with_nothing_is_told_with_nothing_missing(tmp_path: Path) -> None:
    """No PATH, no HOME, no driver, no Python, no /proc: every section is there or says why not, and nothing crashed."""
    (tmp_path / "dev").mkdir()
    snapshot = look(tmp_path)
    assert snapshot.source == "live"
    assert snapshot.target.interpreter is None
    assert snapshot.interpreters == []
    assert isinstance(snapshot.smi, Smi)
    assert snapshot.smi.path is None
    assert isinstance(snapshot.nvml, Nvml)
    assert isinstance(snapshot.cuda, Cuda)
    assert snapshot.symptoms == []
    assert [run for run in snapshot.runs if run.outcome not in ("ok", "skipped")] == []


@pytest.mark.parametrize("platform", ["win32", "darwin"])
def test_other_systems_are_told_what_can_be_told(platform: str, tmp_path: Path) -> None:
    """The code paths of Windows and macOS come to an end without a crash."""
    snapshot = look(tmp_path, {"PATH": "", "USERPROFILE": str(tmp_path), "HOME": str(tmp_path)}, platform=platform)
    assert [(run.name, run.detail) for run in snapshot.runs if run.outcome not in ("ok", "skipped")] == []
    assert not isinstance(snapshot.host, Unread)


def test_names_that_are_no_utf8_reach_the_snapshot_as_escapes(tmp_path: Path) -> None:
    """The system's bytes are used as they are and shown so that the snapshot can be written and read."""
    base, folder = homes.base(tmp_path / "usr"), tmp_path / "b\udcffd"
    try:
        env = homes.venv(folder / "env", base)
    except OSError:
        pytest.skip("this file system takes UTF-8 names only")
    environ = {"PATH": f"{env}/bin", "VIRTUAL_ENV": str(env), "HOME": str(folder), "LD_LIBRARY_PATH": "/x\udcff"}
    target = target_of(look(tmp_path, environ))
    assert target.executable.isascii()
    assert isinstance(target.probe, Unread)  # the pretended interpreter says nothing; it was found all the same


def test_closed_standard_streams_are_no_obstacle(tmp_path: Path) -> None:
    """Started by a service that closed all three: pipes then get the numbers 0 to 2."""
    code = """
import sys
from envcheck.collect import Options, snapshot_here
snapshot = snapshot_here(Options(python=sys.executable, depth="quick", root=sys.argv[1]))
with open(sys.argv[1] + "/said", "w") as file:
    file.write(str(snapshot.interpreters[0].probe) + str([run for run in snapshot.runs if run.outcome != "ok"]))
"""
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    script = 'exec "$@" <&- >&- 2>&-'
    subprocess.run(["/bin/sh", "-c", script, "sh", sys.executable, "-c", code, str(tmp_path)], env=environ, check=True)
    assert (tmp_path / "said").read_text() == "ok[]"


def test_each_witness_keeps_its_own_field(deploy: Deploy) -> None:
    """A healthy server: NVML, nvidia-smi, /proc and /sys say the same, each in its own words."""
    scenario = healthy_h100(2)
    machine = deploy(Machine(scenario).program("nvidia-smi", programs.answering(smi_xml(scenario))))
    snapshot = look(machine.root, {**machine.environ, "CUDA_VISIBLE_DEVICES": "-1"})
    driver = snapshot.driver
    assert isinstance(driver, Driver)
    assert driver.nvml == driver.nvidia_smi == driver.proc == driver.sys_module == "580.105.08"
    assert isinstance(snapshot.nvml, Nvml)
    assert isinstance(snapshot.nvml.gpus, list)
    assert isinstance(snapshot.smi, Smi)
    assert isinstance(snapshot.smi.gpus, list)
    assert [gpu.uuid for gpu in snapshot.nvml.gpus] == [gpu.uuid for gpu in snapshot.smi.gpus]
    assert isinstance(snapshot.cuda, Cuda)
    assert (snapshot.cuda.init_code, snapshot.cuda.unmasked_init_code, snapshot.cuda.unmasked_count) == (100, 0, 2)
    assert not isinstance(snapshot.devices, Unread)
    assert isinstance(snapshot.devices.nodes, list)
    told = {node.path: node.open_errno for node in snapshot.devices.nodes}
    assert told["/dev/nvidia-uvm"] is None  # opened by the child
    assert isinstance(told["/dev/nvidia0"], Unread)  # a card's own node is left alone


def test_a_mismatch_shows_as_two_versions(deploy: Deploy) -> None:
    """NVML refuses; /proc still names the kernel's driver."""
    machine = deploy(Machine(version_mismatch()))
    snapshot = look(machine.root, machine.environ)
    assert isinstance(snapshot.nvml, Nvml)
    assert snapshot.nvml.init_code == 18
    assert isinstance(snapshot.driver, Driver)
    assert isinstance(snapshot.driver.nvml, Unread)
    assert isinstance(snapshot.driver.proc, str)


def test_xids_of_the_kernel_log_are_symptoms(tmp_path: Path) -> None:
    """One for each, with its card and its number; a switch's is no card's."""
    line = "[  12.5] NVRM: Xid (PCI:0000:05:00): 79, pid=1, GPU has fallen off the bus."
    other = "[  12.6] nvidia-nvswitch3: SXid (PCI:0000:c5:00.0): 20034, Fatal, Link 30 LTSSM Fault Up"
    homes.program(tmp_path / "usr" / "bin" / "dmesg", f"#!/bin/sh\necho '{line}'\necho '{other}'\n")
    symptoms = look(tmp_path).symptoms
    assert isinstance(symptoms, list)
    assert [(item.id, item.subject, item.values, item.source) for item in symptoms] == [
        ("xid", "gpu:0000:05:00.0", ["79", "0000:05:00.0"], "kernel log"),
        ("sxid", None, ["20034", "0000:c5:00.0"], "kernel log"),
    ]


def test_a_collector_that_breaks_costs_its_section(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its type and message stand in the section; of the driver, what the other witnesses said is kept."""

    def broken(*_: object) -> None:
        raise RuntimeError("surprise")

    for name in ("host.collect_host", "driver.collect_driver"):
        monkeypatch.setattr(f"envcheck.collect.system.{name}", broken)
    snapshot = look(tmp_path)
    why = Unread("crashed", "RuntimeError: surprise")
    assert snapshot.host == why
    assert isinstance(snapshot.driver, Driver)
    assert snapshot.driver.proc == why
    assert snapshot.driver.recovery_log != why
    assert {run.name for run in snapshot.runs if run.outcome == "crashed"} == {"host", "driver"}
    assert not isinstance(snapshot.container, Unread)


def test_the_watcher_hears_of_every_collector(tmp_path: Path) -> None:
    """What it hears is what the snapshot records."""
    heard: list[CollectorRun] = []
    snapshot = snapshot_here(Options(depth="quick", root=str(tmp_path), environ={"PATH": ""}), heard.append)
    assert heard == snapshot.runs
    assert {"nvml", "cuda", "host", "devices", "driver", "container", "environments"} <= {run.name for run in heard}


# --- the walls


def test_a_hanging_driver_and_a_deaf_nvidia_smi_end_at_the_deadline(deploy: Deploy) -> None:
    """Both hang for ever, one of them ignores SIGTERM: the look returns in time, with what the others said."""
    machine = deploy(Machine(nvml_hang(deaf=True)).program("nvidia-smi", programs.hanging()))
    began = time.monotonic()
    snapshot = look(machine.root, machine.environ, deadline_s=2.0)
    assert time.monotonic() - began < 2.0 + SLACK
    assert isinstance(snapshot.nvml, Nvml)
    assert isinstance(snapshot.smi, Smi)
    for fact in (snapshot.nvml.init_code, snapshot.smi.driver_version):
        assert isinstance(fact, Unread)
        assert fact.why == "timeout"
    assert snapshot.nvml.process_state == "S"
    assert isinstance(snapshot.cuda, Cuda)
    assert snapshot.cuda.device_count == 2
    assert {run.name for run in snapshot.runs if run.outcome == "timeout"} == {"nvml", "nvidia-smi"}


def test_one_gpu_that_hangs_does_not_hide_the_others(deploy: Deploy) -> None:
    """Through the real pynvml: GPU 1 of 3 never answers."""
    machine = deploy(Machine(gpu_hang(1, 3)))
    snapshot = look(machine.root, machine.environ, deadline_s=4.0)
    assert isinstance(snapshot.nvml, Nvml)
    assert isinstance(snapshot.nvml.gpus, list)
    told = [isinstance(gpu.uuid, str) for gpu in snapshot.nvml.gpus]
    assert told == [True, False, True]


def test_a_flood_is_cut_and_named(deploy: Deploy) -> None:
    """nvidia-smi that never stops talking."""
    machine = deploy(Machine(healthy_h100(1)).program("nvidia-smi", programs.flooding()))
    snapshot = look(machine.root, machine.environ, deadline_s=20.0)
    assert isinstance(snapshot.smi, Smi)
    assert isinstance(snapshot.smi.gpus, Unread)
    assert snapshot.smi.gpus.why == "garbled"


def test_an_interrupt_leaves_no_child_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C in the middle of a hang: every child is killed before the exception goes on."""
    probe = tmp_path / "probe.py"
    probe.write_text("import os, sys, time\nopen(sys.argv[0] + '.' + str(os.getpid()), 'w').close()\ntime.sleep(60)\n")
    monkeypatch.setattr(children, "PROBE", probe)

    def interrupt(run: CollectorRun) -> None:
        if len(pids()) >= 2:  # both drivers' children are at work
            raise KeyboardInterrupt

    def pids() -> list[int]:
        return [int(path.suffix[1:]) for path in tmp_path.glob("probe.py.*")]

    with pytest.raises(KeyboardInterrupt):
        snapshot_here(Options(depth="quick", root=str(tmp_path), environ={"PATH": ""}, deadline_s=5.0), interrupt)
    until = time.monotonic() + 5
    while time.monotonic() < until and any(process_state(pid) not in (None, "Z") for pid in pids()):
        time.sleep(0.01)
    assert [process_state(pid) for pid in pids() if process_state(pid) not in (None, "Z")] == []


def test_nothing_is_written(tmp_path: Path) -> None:
    """Law 12: a look leaves home, working folder and temporary folder as they were."""
    env = real_venv(tmp_path, torch="")
    folders = {name: tmp_path / name for name in ("home", "work", "tmp")}
    for folder in folders.values():
        folder.mkdir()
    before = sorted(tmp_path.rglob("*"))
    code = "from envcheck.collect import *; snapshot_here(Options(python=__import__('sys').argv[1]))"
    environ = {
        "HOME": str(folders["home"]),
        "TMPDIR": str(folders["tmp"]),
        "PATH": os.defpath,
        "PYTHONPATH": os.pathsep.join(str(Path(entry).resolve()) for entry in sys.path if entry),
        "PYTHONDONTWRITEBYTECODE": "1",  # envcheck's own .pyc files are its installer's business
    }
    subprocess.run([sys.executable, "-c", code, str(env)], cwd=folders["work"], env=environ, check=True)
    assert sorted(tmp_path.rglob("*")) == before


def test_heavy_modules_stay_out(tmp_path: Path) -> None:
    """Start-up is a feature: a quick look imports neither what it asks in children nor what it does not need."""
    code = """
import sys
from envcheck.collect import Options, snapshot_here
snapshot_here(Options(depth="quick", environ={"PATH": ""}, root=sys.argv[1]))
heavy = {"torch", "numpy", "pynvml", "rich", "typer", "ctypes", "xml.etree.ElementTree", "importlib.metadata",
         "asyncio", "packaging", "concurrent.futures", "logging", "tempfile", "shutil", "multiprocessing", "json"}
print(sorted(heavy & set(sys.modules)))
"""
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    argv = [sys.executable, "-c", code, str(tmp_path)]
    said = subprocess.run(argv, env=environ, check=True, capture_output=True, text=True).stdout
    assert said == "[]\n"

"""The import of torch in a child: its own words are kept, and a death costs no more than what was not yet said."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest

from envcheck.facts import TorchRuntime, Unread
from tests.probe.conftest import Ask, Told

HERE = Path(__file__).parent
NOT_ASKED = Unread("not_asked")


@pytest.fixture
def torch(site: Path) -> Path:
    """A pretended torch in the venv, driven by TORCH_DOES."""
    folder = site / "torch"
    folder.mkdir()
    shutil.copy(HERE / "pretended_torch.py", folder / "__init__.py")
    return folder


@pytest.fixture
def run(ask: Ask, python: Path, torch: Path) -> Ask:
    def run(*does: str, companions: str = "", **more: Any) -> Told:
        options = [f"companions={companions}"] if companions else []
        return ask("torch_runtime", *options, python=python, environ={"TORCH_DOES": ",".join(does)}, **more)

    return run


def test_a_healthy_torch_tells_everything(run: Ask, torch: Path) -> None:
    """Build, devices and the result of a real computation on each, with nothing left unread."""
    told = run()
    facts = told.facts
    assert told.code == 0
    assert (facts.imported, facts.import_error, facts.origin) == (True, None, str(torch / "__init__.py"))
    assert (facts.version, facts.cuda, facts.hip) == ("2.14.1+cu130", "13.0", None)
    assert facts.arch_list == ["sm_75", "sm_90", "compute_120"]
    assert (facts.cudnn, facts.nccl) == (92400, "2.30.7")
    assert (facts.available, facts.device_count, facts.init_error) == (True, 2, None)
    assert (facts.numpy_ok, facts.numpy_error, facts.cpu_kernel_ok) == (True, None, True)
    assert (facts.mps_available, facts.xpu_available) == (False, False)
    assert [(item.index, item.kernel_ok) for item in facts.devices] == [(0, True), (1, True)]
    assert [item.kernel_error for item in facts.devices] == [None, None]
    first = facts.devices[0]
    assert (first.name, first.compute_capability) == ("NVIDIA H100 80GB HBM3", 90)
    assert (first.uuid, first.bus_id) == ("GPU-588c1167-8055-0783-bab6-e9ad8f6348d6", "0000:1b:00.0")
    assert (first.memory_total_bytes, first.memory_free_bytes) == (85 << 30, 80 << 30)
    assert facts.companions == []
    assert 0 < facts.seconds < 60
    unread = {name for name in facts.__struct_fields__ if isinstance(getattr(facts, name), Unread)}
    assert unread == {"signal"}  # the parent's to tell


def test_what_is_said_meanwhile_is_kept_and_passed_on(run: Ask) -> None:
    """Warnings, and what a library writes to standard error instead of warning, each once."""
    told = run()
    assert told.facts.warnings == [
        "UserWarning: a warning of torch",
        "A module that was compiled using NumPy 1.x cannot be run\n",
    ]
    assert "a warning of torch" in told.stderr
    assert "NumPy 1.x" in told.stderr


@pytest.mark.parametrize(
    ("does", "error"),
    [("import:raise", "RuntimeError: import failed\nin two lines"), ("import:exit", "SystemExit: bye")],
)
def test_a_failing_import_keeps_the_errors_own_words(run: Ask, torch: Path, does: str, error: str) -> None:
    """The exception's type and text verbatim, and a traceback that begins in the user's files."""
    facts = run(does).facts
    assert (facts.imported, facts.import_error) == (False, error)
    lines = facts.traceback.splitlines()
    assert lines[0] == "Traceback (most recent call last):"
    assert lines[1].startswith(f'  File "{torch / "__init__.py"}", line ')
    assert facts.traceback.endswith(error)
    for name in ("available", "devices", "version", "companions"):
        assert getattr(facts, name).why == "missing"


def test_no_torch(ask: Ask, python: Path) -> None:
    """The error that the user sees, not a guess."""
    facts = ask("torch_runtime", python=python).facts
    assert (facts.imported, facts.import_error) == (False, "ModuleNotFoundError: No module named 'torch'")
    assert facts.origin is None


@pytest.mark.skipif(os.name == "nt", reason="no signals")
@pytest.mark.parametrize(
    ("does", "known", "unknown"),
    [
        ("import:die", ["origin"], ["imported", "version", "available", "devices"]),
        ("available:die", ["imported", "version", "cpu_kernel_ok", "numpy_ok"], ["available", "init_error", "devices"]),
        ("init:die", ["available", "device_count"], ["init_error", "devices", "companions"]),
    ],
)
def test_a_death_leaves_what_was_known_before(run: Ask, does: str, known: list[str], unknown: list[str]) -> None:
    """The facts up to the step that killed the process are there; the others are open, for the parent to explain."""
    told = run(does)
    assert told.code == -signal.SIGSEGV
    for name in known:
        assert not isinstance(getattr(told.facts, name), Unread), name
    for name in unknown:
        assert getattr(told.facts, name) == NOT_ASKED, name


@pytest.mark.skipif(os.name == "nt", reason="no signals")
@pytest.mark.parametrize(("does", "code"), [("kernel on cuda:1:die", -signal.SIGSEGV), ("kernel on cuda:1:hang", None)])
def test_a_death_on_one_device_keeps_the_others(run: Ask, does: str, code: int | None) -> None:
    """The second device kills or holds the process; the first has long been written down."""
    told = run(does, until=None if code else lambda plain: "name" in plain.get("devices", [{}])[-1])
    assert told.code == code
    first, second = told.facts.devices
    assert first.kernel_ok is True
    assert second.name == first.name
    assert second.kernel_ok == NOT_ASKED


def test_a_wrong_number_is_a_failed_kernel(run: Ask) -> None:
    """A device that computes wrongly is found out by its numbers, and the words say which."""
    first, second = run("wrong on cuda:1").facts.devices
    assert first.kernel_ok is True
    assert second.kernel_ok is False
    assert second.kernel_error == "elementwise: element 0 is 2.0 instead of 1.0"


def test_a_cpu_that_computes_wrongly(run: Ask) -> None:
    """The processor is put to the same test, and its error is kept."""
    facts = run("wrong on cpu").facts
    assert (facts.cpu_kernel_ok, facts.cpu_kernel_error) == (False, "elementwise: element 0 is 2.0 instead of 1.0")
    facts = run("kernel on cpu:raise").facts
    assert (facts.cpu_kernel_ok, facts.cpu_kernel_error) == (False, "RuntimeError: kernel on cpu failed\nin two lines")


def test_a_failing_kernel_keeps_its_words(run: Ask) -> None:
    """The error of one device is that device's alone."""
    first, second = run("kernel on cuda:0:raise").facts.devices
    assert (first.kernel_ok, first.kernel_error) == (False, "RuntimeError: kernel on cuda:0 failed\nin two lines")
    assert second.kernel_ok is True


def test_a_failing_start_of_cuda(run: Ask) -> None:
    """init_error is torch's own text; devices that it counted but could not start stay unread."""
    facts = run("init:raise").facts
    assert facts.init_error == "RuntimeError: init failed\nin two lines"
    assert facts.devices == Unread("missing", facts.init_error)
    assert run("init:raise", "unavailable").facts.devices == []


def test_numpy_that_does_not_understand_torch(run: Ask) -> None:
    """The bridge is tried, and its error kept."""
    facts = run("numpy:raise").facts
    assert (facts.numpy_ok, facts.numpy_error) == (False, "RuntimeError: numpy failed\nin two lines")


def test_a_rocm_device_has_no_compute_capability(run: Ask) -> None:
    """major and minor of an AMD device are no compute capability: nothing may judge it by NVIDIA's lists."""
    facts = run("hip").facts
    assert facts.hip == "6.4"
    assert facts.devices[0].compute_capability == Unread("unsupported", "not an NVIDIA device: gfx942")
    assert facts.devices[0].kernel_ok is True


def test_an_old_or_cpu_torch_lacks_parts(run: Ask, torch: Path) -> None:
    """No _cuda_getArchFlags, no NCCL, no xpu, no mps: known absences of a torch that is fine."""
    with (torch / "__init__.py").open("a") as file:
        file.write("\ndel xpu, backends.mps, _C._cuda_getArchFlags, _C._nccl_version\n")
    facts = run().facts
    assert (facts.arch_list, facts.nccl, facts.xpu_available, facts.mps_available) == ([], None, False, False)


def test_companions_are_imported_after_torch(run: Ask, site: Path) -> None:
    """Each installed one is tried; what is not installed is left out; a death names the one that was being tried."""
    (site / "good.py").write_text("")
    (site / "bad.py").write_text("raise ImportError('libcudart.so.12: cannot open shared object file')\n")
    vision = site / "torchvision"
    vision.mkdir()
    (vision / "__init__.py").write_text("from . import extension\n")
    (vision / "extension.py").write_text("def _assert_has_ops():\n    raise RuntimeError('no custom ops')\n")
    facts = run(companions="good,absent,bad,torchvision").facts
    assert [(item.module, item.ok, item.error) for item in facts.companions] == [
        ("good", True, None),
        ("bad", False, "ImportError: libcudart.so.12: cannot open shared object file"),
        ("torchvision", False, "RuntimeError: no custom ops"),
    ]
    (site / "killer.py").write_text("import os\nos.abort()\n")
    told = run(companions="good,killer,bad")
    assert told.code != 0
    assert [(item.module, item.ok) for item in told.facts.companions] == [("good", True), ("killer", False)]
    assert told.facts.companions[1].error.why == "crashed"


@pytest.mark.parametrize("module", ["types", "warnings"])
def test_the_users_own_file_is_met_as_in_the_users_program(run: Ask, python: Path, tmp_path: Path, module: str) -> None:
    """A file that hides a standard module breaks the probe's import of torch exactly as it breaks the user's."""
    work = tmp_path / "work"
    work.mkdir()
    (work / f"{module}.py").write_text("")
    facts: TorchRuntime = run(cwd=work).facts
    user = subprocess.run([python, "-B", "-c", "import torch"], cwd=work, capture_output=True, text=True)
    assert facts.imported is False
    assert facts.import_error == user.stderr.splitlines()[-1]


def test_a_torch_that_is_something_else(ask: Ask, python: Path, tmp_path: Path) -> None:
    """A torch.py of the user imports well and has nothing to tell."""
    work = tmp_path / "work"
    work.mkdir()
    (work / "torch.py").write_text("")
    facts = ask("torch_runtime", python=python, cwd=work).facts
    assert (facts.imported, facts.origin) == (True, str(work / "torch.py"))
    assert facts.available == Unread("missing", "AttributeError: module 'torch' has no attribute 'cuda'")
    assert isinstance(facts.mps_available, Unread)

"""Wall 2, the asking: what each child is given, and how several answers become one section."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from envcheck.collect import children
from envcheck.collect.shell import Shell, inherit
from envcheck.collect.system.root import Root
from envcheck.facts import Cuda, Nvml, TorchRuntime, Unread

Pretend = Callable[[str], None]

# --- NVML


def test_gpus_behind_one_that_hangs_are_asked_apart(pretend: Pretend) -> None:
    """A sick card costs its own facts: those before it are kept, those after it are asked one by one."""
    pretend("""
if "gpu" in OPTIONS:
    index = int(OPTIONS["gpu"])
    if index == 3: die(11)
    say(kind="nvml", device_count=4, gpus=[{"index": index, "uuid": "GPU-%d" % index}])
else:
    gpus = [{"index": index} for index in range(4)]
    gpus[0]["uuid"] = "GPU-0"
    say(kind="nvml", init_code=0, device_count=4, gpus=gpus)
    time.sleep(60)
""")
    nvml = children.ask_nvml(inherit(), 0.5, time.monotonic() + 20)
    assert isinstance(nvml, Nvml)
    assert isinstance(nvml.gpus, list)
    assert [item.index for item in nvml.gpus] == [0, 1, 2, 3]
    assert nvml.process_state == "S"
    assert (nvml.gpus[0].uuid, nvml.gpus[2].uuid) == ("GPU-0", "GPU-2")
    for index, why in ((1, "timeout"), (3, "crashed")):
        told = nvml.gpus[index].uuid
        assert isinstance(told, Unread)
        assert told.why == why
    assert isinstance(nvml.pairs, Unread)
    assert nvml.pairs.why == "timeout"


def test_a_session_that_hangs_at_its_start_is_not_asked_again(pretend: Pretend) -> None:
    """Where the driver does not even count its GPUs there is nothing to ask apart; the wait is not repeated."""
    pretend('say(kind="nvml", library="/lib/x")\ntime.sleep(60)')
    began = time.monotonic()
    nvml = children.ask_nvml(inherit(), 0.4, began + 20)
    assert time.monotonic() - began < 1.5
    assert isinstance(nvml, Nvml)
    assert nvml.library == "/lib/x"
    assert isinstance(nvml.init_code, Unread)
    assert nvml.init_code.why == "timeout"


def test_a_hang_without_a_word_still_tells_the_state(pretend: Pretend) -> None:
    """Every fact is a timeout; the state letter says whether the kernel holds the process."""
    pretend("time.sleep(60)")
    nvml = children.ask_nvml(inherit(), 0.4, time.monotonic() + 20)
    assert isinstance(nvml, Nvml)
    assert nvml.process_state == "S"
    assert isinstance(nvml.driver_version, Unread)


@pytest.mark.skipif(sys.platform != "linux", reason="state letters are Linux")
def test_a_driver_that_sleeps_uninterruptibly_is_told_from_one_that_waits(pretend: Pretend) -> None:
    """State D is the sign of a card that is gone: a parent in vfork sleeps in it too."""
    pretend("import ctypes\nctypes.CDLL(None).vfork()\ntime.sleep(60)")
    nvml = children.ask_nvml(inherit(), 1.0, time.monotonic() + 20)
    assert isinstance(nvml, Nvml)
    assert nvml.process_state == "D"


@pytest.mark.parametrize(("gpus", "quick", "seconds"), [(0, False, 30), (7, False, 30), (8, False, 60), (8, True, 10)])
def test_many_gpus_get_more_time(gpus: int, quick: bool, seconds: int, tmp_path: Path) -> None:
    """Without persistence the first call initialises each card: eight take longer than one."""
    for index in range(10):
        folder = tmp_path / "sys" / "bus" / "pci" / "devices" / f"0000:{index:02x}:00.0"
        folder.mkdir(parents=True)
        (folder / "class").write_text("0x030200\n" if index != 8 else "0x010802\n")  # 8: an NVMe drive
        (folder / "vendor").write_text("0x10de\n" if index < gpus or index == 8 else "0x1002\n")
    assert children.nvml_deadline(Root(str(tmp_path)), quick) == seconds


def test_the_driver_is_asked_with_the_users_libraries_and_nothing_else_of_python(pretend: Pretend) -> None:
    """LD_LIBRARY_PATH and masks as the user has them; no site-packages, no PYTHON* settings, the C locale."""
    pretend("""
names = ("LD_LIBRARY_PATH", "CUDA_VISIBLE_DEVICES", "PYTHONPATH", "LC_ALL", "LANG")
flags = (sys.flags.isolated, sys.flags.no_site, sys.flags.dont_write_bytecode)
told = json.dumps([os.environ.get(name) for name in names] + [list(flags), sys.argv[2]])
say(kind="cuda", library=told)
""")
    environ = {"LD_LIBRARY_PATH": "/opt/x", "CUDA_VISIBLE_DEVICES": "1", "PYTHONPATH": "/evil", "LANG": "tr_TR"}
    cuda = children.ask_cuda(Shell(environ=environ), 20.0)
    assert isinstance(cuda, Cuda)
    assert json.loads(str(cuda.library)) == ["/opt/x", "1", None, "C", None, [1, 1, 1], "-"]


# --- libcuda


MASKED = """
mask = os.environ.get("CUDA_VISIBLE_DEVICES")
if mask is None: say(kind="cuda", init_code=0, device_count=2)
else: say(kind="cuda", init_code=100)
"""


@pytest.mark.parametrize("mask", ["-1", ""])
def test_a_mask_is_lifted_once_to_see_what_is_behind_it(mask: str, pretend: Pretend) -> None:
    """Set and empty hides all GPUs too: asked again without the variable, libcuda tells what the mask hides."""
    pretend(MASKED)
    shell = Shell(environ={"CUDA_VISIBLE_DEVICES": mask})
    cuda = children.join_cuda(children.ask_cuda(shell, 20.0), children.ask_cuda_unmasked(shell, 20.0))
    assert cuda == Cuda(init_code=100, unmasked_init_code=0, unmasked_count=2)


def test_without_a_mask_there_is_no_second_question(pretend: Pretend) -> None:
    """What nobody asked stays not asked."""
    pretend(MASKED)
    shell = Shell(environ={})
    assert children.ask_cuda_unmasked(shell, 20.0) is None
    assert children.join_cuda(Cuda(init_code=0), None) == Cuda(init_code=0)


def test_a_second_question_that_fails_says_so() -> None:
    """Its facts are its own: the first answer is not touched."""
    why = Unread("crashed", "killed by signal 11 (SIGSEGV)")
    assert children.join_cuda(Cuda(init_code=100), why) == Cuda(
        init_code=100, unmasked_init_code=why, unmasked_count=why
    )


PYTHON = Path(sys.executable)

# --- torch


@pytest.mark.parametrize("number", [4, 7, 11])
def test_an_import_that_kills_the_process_is_a_fact(number: int, pretend: Pretend) -> None:
    """The signal, what was known before, and that the import never came to its end."""
    pretend(f'say(kind="torch_runtime", origin="/x/torch/__init__.py")\ndie({number})')
    runtime = children.ask_torch(PYTHON, inherit(), (), 20.0)
    assert isinstance(runtime, TorchRuntime)
    assert (runtime.signal, runtime.origin) == (number, "/x/torch/__init__.py")
    assert runtime.imported is False
    assert isinstance(runtime.import_error, Unread)
    assert runtime.import_error.why == "crashed"


def test_a_crash_after_the_import_is_not_the_imports(pretend: Pretend) -> None:
    """torch was imported, and a kernel killed the process."""
    pretend('say(kind="torch_runtime", imported=True)\ndie(11)')
    runtime = children.ask_torch(PYTHON, inherit(), (), 20.0)
    assert isinstance(runtime, TorchRuntime)
    assert (runtime.imported, runtime.signal) == (True, 11)


def test_a_kill_by_our_own_deadline_is_no_crash(pretend: Pretend) -> None:
    """A timeout ends with a signal too, but that one was ours."""
    pretend('say(kind="torch_runtime", imported=True)\ntime.sleep(60)')
    runtime = children.ask_torch(PYTHON, inherit(), (), 0.5)
    assert isinstance(runtime, TorchRuntime)
    assert runtime.imported is True
    assert isinstance(runtime.available, Unread)
    assert runtime.available.why == "timeout"
    assert runtime.signal != 15


def test_a_good_end_has_no_signal(pretend: Pretend) -> None:
    """Asked, and there was none."""
    pretend('say(kind="torch_runtime", imported=True, version="2.13.0+cpu")')
    assert children.ask_torch(PYTHON, inherit(), (), 20.0) == TorchRuntime(
        imported=True, version="2.13.0+cpu", signal=None
    )


def test_a_python_that_does_not_know_itself_is_no_crash_of_ours() -> None:
    """sys.executable may be empty in an embedded interpreter."""
    result = children.ask("cuda", "", environ={}, deadline=5.0)
    assert msgspec.to_builtins(result.unread())["why"] == "missing"

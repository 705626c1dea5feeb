"""Wall 2: libraries that may hang or crash are asked in child processes, which answer in facts.

NVML, libcuda and the device nodes are asked with envcheck's own interpreter, other Pythons and their torch with
themselves.  All of them run ``probe/run.py``; the answer comes through a pipe, so nothing is written anywhere.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple, TypeVar

import msgspec

from envcheck.facts import (
    Cuda,
    Devices,
    Fact,
    Gpu,
    Interpreter,
    ModuleOrigin,
    Nvml,
    Record,
    Section,
    TorchRuntime,
    Unread,
)

from .answers import CAP_BYTES, fill, last_line, read_answer, why_incomplete
from .process import ProcessResult, clean_environment, run_bounded
from .shell import Shell
from .system.root import Root

S = TypeVar("S", bound="Section | Record")

PROBE = Path(__file__).resolve().parent.parent / "probe" / "run.py"
_ALONE = ("-I", "-S", "-B")
CONTROL_NODES = ("/dev/nvidiactl", "/dev/nvidia-uvm", "/dev/nvidia-uvm-tools", "/dev/dxg")
"""Those that the task "nodes" opens."""
MANY_GPUS = 8
"""From so many GPUs on NVML gets twice the time: without persistence each is initialised by the first call."""


def ask(
    task: str,
    python: str | Path | None,
    *options: str,
    environ: Mapping[str, str],
    deadline: float,
    flags: tuple[str, ...] = ("-B",),
    hear: Callable[[bytes], None] | None = None,
) -> ProcessResult:
    """Let an interpreter run one task of the probe; options are ``key=value``."""
    if not python:
        return ProcessResult(start_error="this process does not know its own interpreter")
    argv = [str(python), *flags, str(PROBE), task, "-", *options]
    return run_bounded(argv, deadline=deadline, cap_bytes=CAP_BYTES, environ=environ, hear=hear)


# --- the driver's libraries ------------------------------------------------------------------------------------


_OURS = ("process_state", "waited_seconds")
"""What the parent knows of an NVML session, and the child cannot tell."""


def ask_nvml(shell: Shell, deadline: float, until: float) -> Nvml | Unread:
    """The NVML session of one child; where it hangs on one GPU, those that it did not reach are asked one by one.

    ``deadline`` seconds for the session, ``until`` (monotonic) for all.
    """
    environ = clean_environment(shell.environ)
    result = ask("nvml", sys.executable, *pynvml_option(), environ=environ, deadline=deadline, flags=_ALONE)
    nvml = read_answer(result, Nvml, keep=_OURS)
    if not result.timed_out:
        return nvml if isinstance(nvml, Unread) else msgspec.structs.replace(nvml, waited_seconds=None)
    if isinstance(nvml, Unread):
        nvml = fill(Nvml(), nvml, keep=_OURS)
    nvml = msgspec.structs.replace(nvml, process_state=result.state, waited_seconds=round(result.seconds, 3))
    if result.abandoned:
        return nvml  # a second child would only be a second one that cannot be killed
    return _ask_gpus_apart(nvml, environ, deadline=deadline, until=until)


def _ask_gpus_apart(nvml: Nvml, environ: Mapping[str, str], deadline: float, until: float) -> Nvml:
    """Ask the GPUs after the one that hung, each in a child of its own, all at once."""
    if not isinstance(nvml.gpus, list):
        return nvml
    open_ones = [gpu.index for gpu in nvml.gpus if gpu == Gpu(index=gpu.index)]
    if not open_ones:
        return nvml  # all have answered: it was what follows them (the topology) that hung
    stuck, others = open_ones[0], open_ones[1:]
    answers: dict[int, Gpu | Unread] = {}
    answers[stuck] = Unread("timeout", f"NVML gave no answer about this GPU in {deadline:.3g} s")
    patience = max(2.0, deadline / 3)
    threads = []
    for index in others:
        thread = threading.Thread(target=_ask_gpu, args=(index, environ, patience, until, answers), daemon=True)
        thread.start()
        threads.append(thread)
    for thread in threads:
        thread.join()
    gpus = [_with_answer(gpu, answers.get(gpu.index)) for gpu in nvml.gpus]
    return msgspec.structs.replace(nvml, gpus=gpus)


def _ask_gpu(
    index: int, environ: Mapping[str, str], patience: float, until: float, answers: dict[int, Gpu | Unread]
) -> None:
    deadline = min(patience, until - time.monotonic())
    options = (*pynvml_option(), f"gpu={index}")
    result = ask("nvml", sys.executable, *options, environ=environ, deadline=deadline, flags=_ALONE)
    nvml = read_answer(result, Nvml)
    if isinstance(nvml, Unread):
        answers[index] = nvml
        return
    why = why_incomplete(result) or Unread("garbled", "NVML did not list this GPU when asked for it alone")
    found = next((gpu for gpu in nvml.gpus if gpu.index == index), None) if isinstance(nvml.gpus, list) else None
    answers[index] = why if found is None or found == Gpu(index=index) else found


def _with_answer(gpu: Gpu, answer: Gpu | Unread | None) -> Gpu:
    if answer is None:
        return gpu
    return fill(gpu, answer) if isinstance(answer, Unread) else answer


def nvml_deadline(root: Root, quick: bool) -> float:
    """Seconds that an NVML session may take on this machine."""
    if quick:
        return 10.0
    return 60.0 if count_gpus(root) >= MANY_GPUS else 30.0


def count_gpus(root: Root) -> int:
    """NVIDIA display functions on the bus."""
    names = root.names("/sys/bus/pci/devices")
    if not isinstance(names, list):
        return 0
    count = 0
    for name in names:
        kind = root.text(f"/sys/bus/pci/devices/{name}/class")
        if isinstance(kind, str) and kind.startswith("0x03"):
            count += root.text(f"/sys/bus/pci/devices/{name}/vendor") == "0x10de"
    return count


def pynvml_option() -> tuple[str, ...]:
    """Where this environment's pynvml lies: the child runs without site-packages, so that nothing else comes along."""
    # Looked for as a file: where an old distribution has put a folder "pynvml" beside it, an import would take that.
    folder = next((entry for entry in sys.path if Path(entry, "pynvml.py").is_file()), None)
    return (f"path={Path(folder).resolve()}",) if folder is not None else ()


def ask_cuda(shell: Shell, deadline: float) -> Cuda | Unread:
    """libcuda as the user's program would load it."""
    result = ask("cuda", sys.executable, environ=clean_environment(shell.environ), deadline=deadline, flags=_ALONE)
    return read_answer(result, Cuda, keep=("unmasked_init_code", "unmasked_count"))


def ask_cuda_unmasked(shell: Shell, deadline: float) -> Cuda | Unread | None:
    """libcuda once more without CUDA_VISIBLE_DEVICES; ``None`` where there is no such mask to lift."""
    if "CUDA_VISIBLE_DEVICES" not in shell.environ:
        return None
    environ = clean_environment(shell.environ)
    del environ["CUDA_VISIBLE_DEVICES"]
    return read_answer(ask("cuda", sys.executable, environ=environ, deadline=deadline, flags=_ALONE), Cuda)


def join_cuda(cuda: Cuda | Unread, unmasked: Cuda | Unread | None) -> Cuda | Unread:
    """Both answers in one section."""
    if unmasked is None or isinstance(cuda, Unread):
        return cuda
    if isinstance(unmasked, Unread):
        return msgspec.structs.replace(cuda, unmasked_init_code=unmasked, unmasked_count=unmasked)
    return msgspec.structs.replace(cuda, unmasked_init_code=unmasked.init_code, unmasked_count=unmasked.device_count)


def ask_nodes(shell: Shell, root: Root, deadline: float) -> Devices | Unread | None:
    """Whether the driver's control nodes open; ``None`` where there are none to open."""
    names = root.names("/dev")
    if shell.platform != "linux" or not isinstance(names, list):
        return None
    if not any(name.startswith("nvidia") or name == "dxg" for name in names):
        return None
    option = (f"root={root.prefix}",) if root.prefix else ()
    environ = clean_environment(shell.environ)
    result = ask("nodes", sys.executable, *option, environ=environ, deadline=deadline, flags=_ALONE)
    return read_answer(result, Devices, keep=("pci", "char_majors", "mig_minors"))


# --- other Pythons -----------------------------------------------------------------------------------------------


class Reply(NamedTuple):
    """What an interpreter answered, and whether it could be started at all."""

    answer: Interpreter | Unread
    starts: Fact[bool]


def ask_interpreter(executable: Path, shell: Shell, deadline: float) -> Reply:
    """One interpreter as its user would start it: all variables, the working folder, no flags but -B."""
    result = ask("interpreter", executable, environ=shell.environ, deadline=deadline)
    return Reply(read_answer(result, Interpreter, keep=_NOT_PROBED), has_started(result))


def ask_interpreter_isolated(executable: Path, shell: Shell, deadline: float, whole: bool) -> Reply:
    """The same with -I: without the working folder, PYTHON* variables and the user site.

    ``whole`` asks for all facts, else for paths and module origins alone.
    """
    options = () if whole else ("scope=paths",)
    flags = ("-I", "-B")
    result = ask("interpreter", executable, *options, environ=shell.environ, deadline=deadline, flags=flags)
    return Reply(read_answer(result, Interpreter, keep=_NOT_PROBED), has_started(result))


# What the loader and Python itself say when an interpreter cannot run any code at all.
_NO_START = (
    b"error while loading shared libraries",  # glibc: libpython gone
    b"Error loading shared library",  # musl
    b"Library not loaded",  # macOS
    b"No module named 'encodings'",  # its standard library is gone
    b"No Python at",  # the venv launcher of Windows
    b"failed to locate pyvenv.cfg",
)


def has_started(result: ProcessResult) -> Fact[bool]:
    """True if the interpreter ran any code; false if its link dangles or what it is made of is gone."""
    if result.start_error and not result.start_refused:
        return False
    if result.exit_code and any(words in result.stderr for words in _NO_START):
        return False
    if last_line(result.stdout) is not None or result.ended:
        return True
    return result.unread()


_NOT_PROBED = ("sys_path_isolated", "runtime", "starts")


def join_interpreter(user: Interpreter | Unread, isolated: Interpreter | Unread) -> Interpreter | Unread:
    """Both answers in one record.

    Where the user's own start fails and the isolated one does not (a broken sitecustomize, a PYTHONPATH full of another
    Python's modules), the facts are those of the isolated one and ``probe`` says why the other failed.
    """
    if isinstance(user, Unread):
        if isinstance(isolated, Unread):
            return user
        return msgspec.structs.replace(
            isolated,
            probe=user,
            sys_path=user,
            sys_path_isolated=isolated.sys_path,
            origins=_join_origins(None, isolated),
        )
    if isinstance(user.probe, Unread) and user.probe.why == "unsupported":
        isolated = user.probe  # too old a Python, which does not know -I either
    if isinstance(isolated, Unread):
        return msgspec.structs.replace(user, sys_path_isolated=isolated)
    return msgspec.structs.replace(user, sys_path_isolated=isolated.sys_path, origins=_join_origins(user, isolated))


def _join_origins(user: Interpreter | None, isolated: Interpreter) -> list[ModuleOrigin] | Unread | None:
    if user is not None and not isinstance(user.origins, list):
        return user.origins
    if not isinstance(isolated.origins, list):
        return user.origins if user is not None else isolated.origins
    alone = {item.module: item.origin for item in isolated.origins}
    if user is None or not isinstance(user.origins, list):
        return [ModuleOrigin(module=module, origin_isolated=origin) for module, origin in alone.items()]
    return [
        msgspec.structs.replace(item, origin_isolated=alone[item.module]) if item.module in alone else item
        for item in user.origins
    ]


COMPANIONS = ("torchvision", "torchaudio", "flash_attn", "xformers", "bitsandbytes", "torch_scatter", "triton")
"""Packages whose import, and not only their compiled part, is tried by a deep look."""


def ask_torch(executable: Path, shell: Shell, companions: tuple[str, ...], deadline: float) -> TorchRuntime | Unread:
    """``import torch`` and a small computation on every device, as the user's own program would do it.

    ``companions`` are imported after it, where they are installed.
    """
    option = (f"companions={','.join(companions)}",) if companions else ()
    result = ask("torch_runtime", executable, *option, environ=shell.environ, deadline=deadline)
    runtime = read_answer(result, TorchRuntime, keep=("signal",))
    if result.signal is not None and not result.timed_out and not result.truncated:
        if isinstance(runtime, Unread):
            runtime = fill(TorchRuntime(), runtime, keep=("signal", "imported"))
        # Killed before it could say that torch was imported: the import is what killed it.
        imported = runtime.imported if runtime.imported is True else False
        return msgspec.structs.replace(runtime, signal=result.signal, imported=imported)
    if isinstance(runtime, TorchRuntime) and result.ended:
        return msgspec.structs.replace(runtime, signal=None)
    return runtime

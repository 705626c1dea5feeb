"""Task ``torch_runtime``: import torch as the user's own program would, and let every device compute something.

The answer is written before each step that can kill the process (the import, the driver, each device, each
companion), so what was seen before a crash stays; a missing answer to a step is the parent's to explain.

Options: ``companions=a,b`` names modules to import after torch, where installed (default: none; of torchvision and its
like the compiled part is loaded all the same, see torch_extensions.py); ``path0=DIR`` (see run.py) stands for the
folder of the user's script.
"""

import sys
import time

from . import torch_kernels
from .answer import excuse, unread
from .origins import find, place

OPTIONS = ("companions",)
FACTS = (
    "imported",
    "origin",
    "version",
    "cuda",
    "hip",
    "arch_list",
    "cudnn",
    "nccl",
    "available",
    "device_count",
    "init_error",
    "devices",
    "numpy_ok",
    "numpy_error",
    "cpu_kernel_ok",
    "cpu_kernel_error",
    "mps_available",
    "xpu_available",
    "companions",
)
LONGEST_TEXT = 20000  # characters of a traceback or of what was printed
MOST_WARNINGS = 100


def run(call):
    answer, begun = call.answer, time.time()
    # Nothing but os and sys may be imported before: a module that the probe had loaded from the standard library
    # would hide the user's file of the same name, which is what breaks the user's own import.
    sys.path[:] = call.user_path
    sys.argv[:] = ["-c"]
    heard = listen()

    def save():
        answer.put(warnings=heard(), seconds=round(time.time() - begun, 3))
        answer.write()

    answer.stage("origin", lambda: place(find("torch")))
    answer.write()
    torch = load(answer)
    save()
    if torch is not None:
        ask(answer, torch, call, save)
    save()


def load(answer):
    """Import torch; None when that fails, with the error's own words kept."""
    try:
        import torch
    except BaseException as error:  # some extensions raise SystemExit
        answer.put(imported=False, import_error=spoken(error))
        answer.stage("traceback", format_traceback, error)
        why = unread("missing", "torch could not be imported")
        answer.excuse_all(FACTS, why)
        return None
    answer.put(imported=True, import_error=None, traceback=None)
    return torch


def format_traceback(error):
    """The traceback as Python prints it.  By hand: its own module needs those that a user's file may have replaced."""
    lines, trace = [], error.__traceback__
    while trace is not None and trace.tb_frame.f_code.co_filename == __file__:
        trace = trace.tb_next  # the probe's own frame
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if cause is not None and cause is not error:
        lines += [format_traceback(cause), "", "The exception above led to this one:", ""]
    lines.append("Traceback (most recent call last):")
    while trace is not None:
        code = trace.tb_frame.f_code
        lines.append('  File "%s", line %d, in %s' % (code.co_filename, trace.tb_lineno, code.co_name))
        lines += ["    " + text for text in source_line(code.co_filename, trace.tb_lineno)]
        trace = trace.tb_next
    return "\n".join(lines + [spoken(error)])[-LONGEST_TEXT:]


def source_line(path, number):
    """The line of a file in a list; an empty list where it cannot be read."""
    try:
        with open(path, "rb") as file:
            for count, line in enumerate(file, 1):
                if count == number:
                    return [line.decode("utf-8", "replace").strip()]
    except OSError:
        pass
    return []


def spoken(error):
    """``Type: message``, as the last line of a traceback has it."""
    return "%s: %s" % (type(error).__name__, error)


def ask(answer, torch, call, save):
    """Everything after the import, from the harmless to the dangerous."""
    for name, read in BUILD:
        answer.stage(name, read, torch)
    answer.stage(("numpy_ok", "numpy_error"), numpy_bridge, torch)
    answer.put(**torch_kernels.on_cpu(torch))
    answer.stage("mps_available", mps_available, torch)
    answer.stage("xpu_available", xpu_available, torch)
    save()
    answer.stage("available", lambda: torch.cuda.is_available())
    answer.stage("device_count", lambda: torch.cuda.device_count())
    save()
    answer.stage("init_error", init_error, torch)
    save()
    ask_devices(answer, torch, save)
    try_companions(answer, call.option("companions", ""), save)


def try_companions(answer, wanted, save):
    """The compiled parts of packages that stand on torch, then whole imports of those that are wanted."""
    trials = []
    answer.put(companions=trials)
    try:
        from .torch_extensions import load_parts

        load_parts(trials, save)
    except Exception as error:  # a user's file in the place of ctypes or importlib
        trials.append({"module": "compiled parts", "ok": False, "error": excuse(error)})
    for module in wanted.split(","):
        if module and find(module) is not None:
            trials.append({"module": module, "ok": False, "error": unread("crashed", "its import did not come back")})
            save()
            trials[-1] = trial(module)


def ask_devices(answer, torch, save):
    count, failed = answer.facts["device_count"], answer.facts["init_error"]
    if not isinstance(count, int):
        answer.put(devices=count)
    elif count and failed is not None:
        answer.put(devices=failed if isinstance(failed, dict) else unread("missing", failed))
    else:
        answer.put(devices=[{"index": index} for index in range(count)])
        for record in answer.facts["devices"]:
            torch_kernels.fill(record, torch, save)


def attribute(name):
    """A reader of ``torch.version.<name>``: None both for a build without it and for a torch too old to say."""
    return lambda torch: getattr(torch.version, name, None)


def arch_list(torch):
    if not hasattr(torch._C, "_cuda_getArchFlags"):
        return []  # a CPU build
    return (torch._C._cuda_getArchFlags() or "").split()


def cudnn(torch):
    return torch.backends.cudnn.version()


def nccl(torch):
    """The NCCL compiled in, ``2.27.5``.  None: a build without it."""
    if not hasattr(torch._C, "_nccl_version"):
        return None
    version = torch.cuda.nccl.version()
    if isinstance(version, int):  # to torch 1.9: 2708
        return "%d.%d.%d" % (version // 1000, version // 100 % 10, version % 100)
    return ".".join(str(part) for part in version[:3])


BUILD = (
    ("version", lambda torch: str(torch.__version__)),
    ("cuda", attribute("cuda")),
    ("hip", attribute("hip")),
    ("arch_list", arch_list),
    ("cudnn", cudnn),
    ("nccl", nccl),
)


def mps_available(torch):
    """False, too, for a torch too old to know of the device."""
    mps = getattr(torch.backends, "mps", None)
    return mps is not None and bool(mps.is_available())


def xpu_available(torch):
    xpu = getattr(torch, "xpu", None) if hasattr(torch, "backends") else torch.xpu
    return xpu is not None and bool(xpu.is_available())


def numpy_bridge(torch):
    """Do torch and NumPy understand each other?  False with the words of the error where they do not."""
    try:
        right = torch.ones(2).numpy().tolist() == [1.0, 1.0]
    except Exception as error:
        return {"numpy_ok": False, "numpy_error": spoken(error)}
    return {"numpy_ok": right, "numpy_error": None if right else "torch.ones(2).numpy() holds other numbers"}


def init_error(torch):
    """torch.cuda.init() in its own words; None where it works."""
    try:
        torch.cuda.init()
    except Exception as error:
        return spoken(error)
    return None


def trial(module):
    """Import one more module, and let torchvision say whether its operators match."""
    try:
        __import__(module)
        if module == "torchvision":  # its import alone passes where its library could not be loaded
            check = getattr(sys.modules.get("torchvision.extension"), "_assert_has_ops", None)
            if check is not None:
                check()
    except BaseException as error:
        return {"module": module, "ok": False, "error": spoken(error)}
    return {"module": module, "ok": True, "error": None}


# -- what is said meanwhile ------------------------------------------------------------------------------------


def listen():
    """Keep warnings and what is written to sys.stderr from now on; the returned function tells them.

    NumPy tells of a binary mismatch by writing, not by a warning.  All of it still reaches standard error.
    """
    seen, written = [], []
    if sys.stderr is not None:
        sys.stderr = Ear(sys.stderr, written)
    try:
        import warnings

        show = warnings.showwarning
    except Exception:  # the user's own warnings.py: torch will stumble over it next, and that is what gets reported
        return lambda: [text for text in ["".join(written)[:LONGEST_TEXT]] if text.strip()]

    def keep(message, category, filename, lineno, file=None, line=None):
        if len(seen) < MOST_WARNINGS:
            seen.append("%s: %s" % (category.__name__, message))
        before = len(written)
        show(message, category, filename, lineno, file, line)
        del written[before:]  # told once is enough

    warnings.showwarning = keep
    return lambda: seen + [text for text in ["".join(written)[:LONGEST_TEXT]] if text.strip()]


class Ear(object):
    """A text stream that passes on and keeps what is written to it."""

    def __init__(self, stream, kept):
        self._stream, self._kept = stream, kept

    def write(self, text):
        self._kept.append(text)
        return self._stream.write(text)

    def __getattr__(self, name):
        return getattr(self._stream, name)

"""Task ``nvml``: the driver's management library, asked through nvidia-ml-py.

One call after another, each behind its own wall, and the answer written after every GPU: the first call on a sick card
may hang for ever, and what the healthy ones said must not be lost with it.

Options: ``path=DIR`` is the folder that holds nvidia-ml-py's pynvml.py; ``gpu=N`` asks one GPU alone.
"""

import os
import sys

from . import shared_library
from .answer import BadCall, unread
from .nvml_words import LIBRARY_NOT_FOUND, NO_PERMISSION

OPTIONS = ("path", "gpu")
FACTS = (
    "library",
    "init_code",
    "init_error",
    "driver_version",
    "nvml_version",
    "driver_branch",
    "cuda_version",
    "cuda_version_kernel",
    "confidential_compute",
    "device_count",
    "gpus",
    "pairs",
)
STEM = "libnvidia-ml.so"


def run(call):
    answer = call.answer
    only = call.option("gpu")
    if only is not None and not only.isdigit():
        raise BadCall("gpu=%s is no index" % only)
    library, said = shared_library.load(names())
    if library is None:  # quick: without a driver there is nothing that pynvml could add
        answer.put(library=None, init_code=LIBRARY_NOT_FOUND, init_error=said)
        answer.excuse_all(FACTS, unread("missing", "the NVML library could not be loaded"))
        return
    answer.put(library=shared_library.path(library, "nvmlShutdown", STEM))
    answer.write()

    from .nvml_session import Session

    session = Session(binding(call.option("path")), library)
    code, said = session.start()
    answer.put(init_code=code, init_error=said)
    if code:
        answer.excuse_all(FACTS, unread("refused" if code == NO_PERMISSION else "missing", said))
        return
    for name, ask in session.system():
        answer.stage(name, ask)
    answer.write()
    if isinstance(answer.facts["device_count"], int):
        gpus(answer, session, None if only is None else int(only))
    answer.excuse_all(("gpus", "pairs"), answer.facts["device_count"])
    # No nvmlShutdown: the process ends here anyway, and on a machine without persistence it would wait for the driver
    # to put the cards to sleep.


def gpus(answer, session, only):
    """Fill the list of GPUs in place; a GPU that was not reached keeps nothing but its index."""
    from . import nvml_gpu, nvml_topology

    records = [{"index": index} for index in range(answer.facts["device_count"]) if only in (None, index)]
    answer.put(gpus=records)
    answer.write()
    for record in records:
        nvml_gpu.fill(record, session)
        answer.write()
    if only is None:
        answer.stage("pairs", nvml_topology.pairs, session, records)
    else:
        answer.put(pairs=unread("not_asked", "one GPU was asked alone"))


def names():
    """Where programs look for NVML: Linux by name alone, Windows in two known folders."""
    if sys.platform == "win32":
        return (
            os.path.join(os.environ.get("WINDIR", "C:\\Windows"), "System32", "nvml.dll"),
            os.path.join(
                os.environ.get("ProgramFiles", "C:\\Program Files"), "NVIDIA Corporation", "NVSMI", "nvml.dll"
            ),
        )
    return ("libnvidia-ml.so.1",)


def binding(folder):
    """nvidia-ml-py's module, from that very file: an old distribution's folder ``pynvml`` beside it would win."""
    if folder is None:
        raise BadCall("path=DIR is needed: the folder that holds pynvml.py")
    from importlib.util import module_from_spec, spec_from_file_location

    spec = spec_from_file_location("pynvml", os.path.join(folder, "pynvml.py"))
    module = module_from_spec(spec)
    sys.modules["pynvml"] = module
    spec.loader.exec_module(module)
    return module

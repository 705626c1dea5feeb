"""The compiled parts of packages that stand on torch: do they load beside this torch?

A library that was built for another torch, C++ ABI or CUDA fails when it is loaded, which takes milliseconds; importing
its package takes seconds.  So the library alone is loaded, as the package's own import would do it.
"""

import ctypes
import os
from importlib.machinery import EXTENSION_SUFFIXES

from .answer import unread
from .origins import find, place

SUFFIXES = tuple(EXTENSION_SUFFIXES) + (".so", ".pyd", ".dylib")

# Module: alternatives, of which the first that is installed counts: it is what the package's own import takes.  Each
# lists libraries by the folder, beside which the package stands, and their name up to its suffix.  Parts that a package
# does without (torchaudio's sox and FFmpeg, the architectures of bitsandbytes, torchao) are left out.
PARTS = {
    "torchvision": ([("torchvision", "_C")],),
    "torchaudio": ([("torchaudio/lib", "libtorchaudio"), ("torchaudio/lib", "_torchaudio")],),
    "torchtext": ([("torchtext/lib", "libtorchtext"), ("torchtext/lib", "_torchtext")],),
    "flash_attn": ([("", "flash_attn_2_cuda")], [("", "flash_attn_cuda")]),
    "flash_attn_3": ([("flash_attn_3", "_C")],),
    "xformers": ([("xformers", "_C")],),
    "causal_conv1d": ([("", "causal_conv1d_cuda")],),
    "mamba_ssm": ([("", "selective_scan_cuda")],),
    "apex": ([("", "amp_C")],),
    "detectron2": ([("detectron2", "_C")],),
    "mmcv": ([("mmcv", "_ext")],),
    "pytorch3d": ([("pytorch3d", "_C")],),
    "natten": ([("natten", "libnatten")], [("natten", "_C")]),
    "gsplat": ([("gsplat", "csrc")],),
    "vllm": ([("vllm", "_C")],),
    "pyg_lib": ([("pyg_lib", "libpyg")],),
    "torch_scatter": ([("torch_scatter", "_scatter_cuda")], [("torch_scatter", "_scatter_cpu")]),
    "torch_sparse": ([("torch_sparse", "_spmm_cuda")], [("torch_sparse", "_spmm_cpu")]),
    "torch_cluster": ([("torch_cluster", "_knn_cuda")], [("torch_cluster", "_knn_cpu")]),
    "torch_spline_conv": ([("torch_spline_conv", "_basis_cuda")], [("torch_spline_conv", "_basis_cpu")]),
}


def load_parts(trials, save):
    """Add a trial to ``trials`` for every package whose compiled part is here; ``save`` is called before each."""
    for module in sorted(PARTS):
        found = files(module)
        if found:
            trials.append({"module": module, "ok": False, "error": unread("crashed", "loading it did not come back")})
            save()
            trials[-1] = load(module, found)


def load(module, paths):
    for path in paths:
        try:
            ctypes.CDLL(path)
        except OSError as error:
            said = str(error)  # the loader names the file that it looked into, which may be one that this file needs
            words = "OSError: " + (said if path in said else "Could not load this library: %s (%s)" % (path, said))
            return {"module": module, "ok": False, "error": words}
    return {"module": module, "ok": True, "error": None}


def files(module):
    """The libraries that an import of ``module`` would load, as far as they are known; empty where there is none."""
    origin = place(find(module))
    if origin is None or os.path.isdir(origin) or not os.path.basename(origin).startswith("__init__."):
        return []
    beside = os.path.dirname(os.path.dirname(origin))
    for alternative in PARTS[module]:
        found = [library(os.path.join(beside, *folder.split("/")), stem) for folder, stem in alternative]
        found = [path for path in found if path is not None]
        if found:
            return found
    return []


def library(folder, stem):
    """The file of a library that this Python would load; None where there is none."""
    for suffix in SUFFIXES:
        path = os.path.join(folder, stem + suffix)
        if os.path.isfile(path):
            return path
    return None

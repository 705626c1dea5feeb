"""Where an import would take a module from, without importing it."""

import os
import sys

from .answer import excuse
from .interest import MODULES, STANDARD_MODULES


class searching(object):
    """``sys.path`` as the user has it, for the length of a ``with``."""

    def __init__(self, path):
        self.path = path

    def __enter__(self):
        self.own = list(sys.path)
        sys.path[:] = self.path

    def __exit__(self, *_):
        sys.path[:] = self.own


def find(name):
    """The spec that an import of the top-level module ``name`` would use, or None."""
    for finder in list(sys.meta_path):
        ask = getattr(finder, "find_spec", None)
        spec = ask(name, None) if ask is not None else None
        if spec is not None:
            return spec
    return None


def place(spec):
    """The file of a spec; the folder of a namespace package; "built-in" or "frozen"; None for no spec."""
    if spec is None:
        return None
    if spec.submodule_search_locations is not None and spec.origin in (None, "namespace"):
        return next(iter(spec.submodule_search_locations), None)
    return spec.origin


def module_origins(path, library):
    """An origin for each module of interest, and for each standard module that a file on ``path`` hides.

    ``library`` are the folders of the standard library.
    """
    found = []
    with searching(path):
        for name in MODULES + STANDARD_MODULES + tuple(hidden(path, library)):
            try:
                origin = place(find(name))
            except Exception as error:  # a finder that an editable install or a .pth file brought along
                origin = excuse(error)
            found.append({"module": name, "origin": origin})
    return found


def hidden(path, library):
    """Further standard modules of which an entry of ``path`` before the standard library has a namesake."""
    names, known = set(), standard_names(library)
    for entry in path:
        if entry in library:
            break
        try:
            there = os.listdir(entry or os.curdir)
        except OSError:
            continue
        for name in there:
            stem, dot, kind = name.partition(".")
            if stem in known and (kind == "py" or not dot and os.path.isfile(os.path.join(entry, name, "__init__.py"))):
                names.add(stem)
    return sorted(names.difference(MODULES, STANDARD_MODULES, sys.builtin_module_names))


def standard_names(library):
    """Names of the standard library's modules.  Python knows them from 3.10 on; before, its folder tells."""
    known = getattr(sys, "stdlib_module_names", None)
    if known is None:
        known = set()
        for entry in library:
            if os.path.isdir(entry):
                known.update(name.partition(".")[0] for name in os.listdir(entry))
    return known

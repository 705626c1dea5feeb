"""torch as its files describe it, without importing it."""

import os
import sys

from .answer import excuse, unread
from .distributions import once
from .origins import find, place, searching
from .records import damage
from .source import assignments
from .torch_binary import abi, scan

VERSION_FACTS = {"version": "__version__", "cuda": "cuda", "hip": "hip", "xpu": "xpu", "git": "git_version"}


def outline(path, distributions, sites):
    """What is quick to read of the torch that an import would take; None where an import would find none.

    ``distributions`` are the records of :func:`distributions.scan`, ``sites`` the folders of site-packages.
    """
    with searching(path):
        origin = place(find("torch"))
    if origin is None:
        return None
    folder = os.path.dirname(origin) if os.path.basename(origin).startswith("__init__.") else origin
    beside = beside_of(folder, distributions)
    facts = {"kind": "torch_install", "location": folder, "copies": copies(path)}
    facts["in_site_packages"] = installed(folder, distributions, beside, sites)
    if os.path.isdir(folder):  # else a torch.py: there is no more to know
        facts.update(version_facts(folder))
        facts["extension_tags"] = extension_tags(folder)
        owner = matching(beside, facts["version"])
        versions = [item["version"] for item in beside if isinstance(item["version"], str)]
        facts["metadata_version"] = owner["version"] if owner else versions[0] if versions else None
    return facts


def deepen(facts, distributions):
    """Add what takes a search of the libraries and a look at every file (tenths of a second) to an outline."""
    folder = facts["location"]
    if os.path.isdir(folder):
        facts.update(binary_facts(folder, facts))
        owner = matching(beside_of(folder, distributions), facts["version"])
        facts["damaged"] = guarded(damage, folder, owner, distributions)
    return facts


def beside_of(folder, distributions):
    """The metadata folders of torch that stand beside its package."""
    parent = os.path.dirname(folder)
    return [item for item in distributions if item["name"] == "torch" and item["location"] == parent]


def guarded(ask, *args):
    try:
        return ask(*args)
    except Exception as error:
        return excuse(error)


def installed(folder, distributions, beside, sites):
    """False where the import takes a local torch.py or a source tree instead of an installed package."""
    parent = os.path.dirname(folder)
    if os.path.basename(parent) in ("site-packages", "dist-packages") or parent in sites:
        return True
    editable = [item for item in distributions if item["name"] == "torch" and item.get("editable") is True]
    return bool(os.path.isdir(folder) and (beside or editable))  # pip --target, a module system, an editable install


def matching(beside, version):
    """The metadata folder that belongs to the files: of several, the one with version.py's release."""
    complete = [item for item in beside if isinstance(item["version"], str)]
    if len(complete) > 1 and isinstance(version, str):
        release = version.partition("+")[0]
        complete = [item for item in complete if item["version"].partition("+")[0] == release]
    return complete[0] if len(complete) == 1 else None


def version_facts(folder):
    """version.py by its syntax tree.  Names that this release does not assign are known to be absent."""
    try:
        told = assignments(os.path.join(folder, "version.py"))
    except (OSError, SyntaxError, ValueError) as error:
        why = excuse(error)
        return dict.fromkeys(list(VERSION_FACTS) + ["debug"], why)
    facts = {}
    for fact, name in VERSION_FACTS.items():
        value = told.get(name)
        facts[fact] = value if value is None or isinstance(value, str) else unread("garbled", "%s = %r" % (name, value))
    if facts["version"] is None:
        facts["version"] = unread("garbled", "version.py assigns no __version__")
    debug = told.get("debug")
    facts["debug"] = debug if debug is None or isinstance(debug, bool) else unread("garbled", "debug = %r" % debug)
    return facts


def extension_tags(folder):
    """File names of the C extension: the tag tells which Python it was built for."""
    try:
        return sorted(name for name in os.listdir(folder) if name.startswith("_C.") and name.endswith((".so", ".pyd")))
    except OSError as error:
        return excuse(error)


def binary_facts(folder, facts):
    """What only the compiled libraries tell: architectures, C++ ABI, and the NumPy that they were built for."""
    library = os.path.join(folder, "lib", library_name("torch_python"))
    archs = facts["cuda"] is not None
    try:
        found = scan(library, archs)
    except Exception as error:
        why = excuse(error)
        found = {"arch_list": why if archs else [], "needs_numpy1": why}
    found["cxx11_abi"] = guarded(abi, os.path.join(folder, "lib", library_name("c10")))
    return found


def library_name(stem):
    if sys.platform == "win32":
        return stem + ".dll"
    return "lib%s.%s" % (stem, "dylib" if sys.platform == "darwin" else "so")


def copies(path):
    """Every torch/version.py along the path: more than one means that the order decides."""
    files = [os.path.join(entry, "torch", "version.py") for entry in once(path)]
    return [file for file in files if os.path.isfile(file)]

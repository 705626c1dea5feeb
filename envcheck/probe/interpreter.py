"""Task ``interpreter``: what one Python is, where it looks for modules, what is installed there, and its torch's files.

Nothing is imported but the standard library: what torch does when imported is another task (torch_runtime).  Asked
twice, as its user would start it and with -I, the two answers differ where the user's folder, PYTHONPATH or the user
site get in the way.

Options: ``scope=paths`` stops after the paths and module origins; ``path0=DIR`` (see run.py) stands for the folder of
the user's script.
"""

import os
import sys

from .answer import unread
from .origins import module_origins

OPTIONS = ("scope",)
FACTS = ("probe",)


def run(call):
    answer = call.answer
    answer.put(**identity())
    answer.put(sys_path=call.user_path)
    answer.stage(SITE, site_facts)
    answer.stage("origins", module_origins, call.user_path, call.library)
    if call.option("scope") != "paths":
        survey(call)
    answer.put(probe="ok")


def survey(call):
    """The long part: distributions and files.  What is known before a slow disk is asked is written first."""
    from . import conda, distributions, environment, libraries, torch_files

    answer = call.answer
    answer.stage(environment.FACTS, environment.environment_facts)
    answer.stage(BUILD, build_facts)
    answer.stage("has_pip", has_pip, call.user_path)
    answer.write()
    answer.stage("distributions", distributions.scan, call.user_path)
    answer.stage("conda_packages", conda.packages, sys.prefix)
    found, sites = answer.facts["distributions"], answer.facts["site_packages"]
    if isinstance(found, dict) or isinstance(sites, dict):  # unread: torch's files can still be looked at alone
        found, sites = [], []
    answer.stage("torch", torch_files.outline, call.user_path, found, sites)
    answer.write()
    if "location" in (answer.facts["torch"] or ()):
        answer.stage("torch", torch_files.deepen, answer.facts["torch"], found)
    answer.stage("library_copies", libraries.copies, call.user_path)


# -- what Python knows of itself -----------------------------------------------------------------------------


def identity():
    base = getattr(sys, "_base_executable", None)  # 3.8 on, and 3.7 on Windows
    return {
        "executable": sys.executable or "",
        "found_by": [],
        "version": "%d.%d.%d" % sys.version_info[:3] + prerelease(),
        "implementation": sys.implementation.name,
        "free_threaded": "t" in getattr(sys, "abiflags", "") or "free-threading build" in sys.version,
        "bits": 64 if sys.maxsize > 2**32 else 32,
        "machine": machine(),
        "prefix": sys.prefix,
        "base_prefix": sys.base_prefix,
        "base_executable": base or unread("unsupported", "this Python does not say"),
    }


def prerelease():
    """The ``a1``, ``b2`` or ``rc3`` of a version that is not final."""
    mark = {"alpha": "a", "beta": "b", "candidate": "rc"}.get(sys.version_info.releaselevel)
    return "%s%d" % (mark, sys.version_info.serial) if mark else ""


def machine():
    if hasattr(os, "uname"):
        return os.uname().machine
    import platform

    return platform.machine() or unread("unsupported", "the system does not say")


SITE = ("site_packages", "user_site", "user_site_enabled")


def site_facts():
    """Folders of site-packages, the user's one, and whether this start uses it."""
    import site

    folders = []
    if hasattr(site, "getsitepackages"):  # the site module of virtualenv before 20 lacks it
        folders = [folder for folder in site.getsitepackages() if os.path.isdir(folder)]
    else:
        folders = [entry for entry in sys.path if os.path.basename(entry) in ("site-packages", "dist-packages")]
    enabled = site.ENABLE_USER_SITE
    return {
        "site_packages": folders,
        "user_site": site.getusersitepackages(),
        "user_site_enabled": enabled if isinstance(enabled, bool) else unread("unsupported", "started without site"),
    }


BUILD = ("platform", "include_python_h", "externally_managed")


def build_facts():
    """What sysconfig says: the platform of wheels, C headers, and whether a distribution manages this Python."""
    import sysconfig

    marker = os.path.join(sysconfig.get_path("stdlib"), "EXTERNALLY-MANAGED")  # PEP 668
    return {
        "platform": sysconfig.get_platform(),
        "include_python_h": os.path.isfile(os.path.join(sysconfig.get_path("include"), "Python.h")),
        "externally_managed": sys.prefix == sys.base_prefix and os.path.isfile(marker),
    }


def has_pip(path):
    """Is there a pip to run with -m?  Only the path is searched: setuptools' finder does more than search for pip."""
    from importlib.machinery import PathFinder

    return PathFinder.find_spec("pip", path) is not None

"""Which tool made this environment, as far as its folder shows."""

import os
import sys

FACTS = ("manager", "name", "home_missing", "cfg_version")


def environment_facts():
    cfg = configuration(sys.prefix)
    manager, name = recognise(sys.prefix, cfg)
    home = cfg.get("home") if cfg else None
    return {
        "manager": manager,
        "name": name,
        # virtualenv writes version_info, venv version, uv both at times
        "cfg_version": (cfg.get("version_info") or cfg.get("version")) if cfg else None,
        "home_missing": bool(home) and not os.path.isdir(home),
    }


def configuration(prefix):
    """pyvenv.cfg as a dictionary with lower-case keys; None where there is none."""
    try:
        with open(os.path.join(prefix, "pyvenv.cfg"), "rb") as file:
            lines = file.read().decode("utf-8", "replace").splitlines()
    except OSError as error:
        if error.errno in (2, 20):
            return None
        raise
    pairs = [line.partition("=") for line in lines if "=" in line]
    return {key.strip().lower(): value.strip() for key, _, value in pairs}


def recognise(prefix, cfg):
    """(manager, environment name or None).  The marks are those that the tools leave: see their documentation."""
    here = prefix.replace("\\", "/").rstrip("/")
    parent, _, last = here.rpartition("/")
    if os.path.isdir(os.path.join(prefix, "conda-meta")):
        if os.path.isfile(os.path.join(prefix, "conda-meta", "pixi")) or parent.endswith("/.pixi/envs"):
            return "pixi", last
        if os.path.isdir(os.path.join(prefix, "condabin")):
            return "conda", "base"
        return "conda", last if parent.endswith("/envs") else None
    if cfg is not None:
        if os.path.isfile(os.path.join(prefix, "pipx_metadata.json")):
            return "pipx", None
        if os.path.isfile(os.path.join(parent, "envs.toml")) or "/pypoetry/virtualenvs/" in here + "/":
            return "poetry", None
        if "/hatch/env/virtual/" in here:
            return "hatch", None
        if "uv" in cfg:
            return "uv", None
        return ("virtualenv" if "virtualenv" in cfg else "venv"), None
    root = os.environ.get("PYENV_ROOT", "").replace("\\", "/").rstrip("/")
    if "/.pyenv/" in here or root and here.startswith(root + "/"):
        return "pyenv", None
    if "/uv/python/" in here:
        return "uv", None
    return "system", None

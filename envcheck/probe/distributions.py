"""Every installed distribution along a path, by the names of its metadata folders.

``importlib.metadata`` hides what matters here: of two folders of one name it gives the first, it skips none without
METADATA, and Python 3.6 and 3.7 do not have it.
"""

import os

from .answer import excuse, unread
from .interest import VERSION_FILES, of_interest
from .source import assignments

PYTHON_TAG = "-py"  # of egg-info folders: "torch-1.4.0-py3.6.egg-info"


def scan(path):
    """All distributions below the folders of ``path``, each folder once; two of one name are two records."""
    found = []
    for entry in once(path):
        try:
            names = sorted(os.listdir(entry))
        except OSError:  # missing, unreadable, or a zip file
            continue
        for name in names:
            if name.endswith((".dist-info", ".egg-info", ".egg-link")):
                found.append(read(entry, name))
        if entry.rstrip(os.sep).endswith(".egg") and "EGG-INFO" in names:
            found.append(read(entry, "EGG-INFO"))
    return found


def once(path):
    """The entries of ``path`` without repetitions.  lib and lib64 are often one folder under two names."""
    seen = set()
    for entry in path:
        entry = entry or os.curdir
        try:
            state = os.stat(entry)
        except (OSError, ValueError):
            continue
        mark = (state.st_dev, state.st_ino) if state.st_ino else os.path.normcase(os.path.realpath(entry))
        if mark not in seen:
            seen.add(mark)
            yield entry


def normalise(name):
    """A distribution's name as PEP 503 compares it; a leading ``~`` of an interrupted uninstall stays."""
    name = name.lower().replace("_", "-").replace(".", "-")
    while "--" in name:
        name = name.replace("--", "-")
    return name


def split_folder(folder):
    """(name, version or None) of a metadata folder's own name."""
    stem, _, kind = folder.rpartition(".")
    if kind == "egg-link":
        return stem, None
    if kind == "egg-info":
        head, mark, tail = stem.rpartition(PYTHON_TAG)
        if mark and tail[:1].isdigit():
            stem = head
    name, _, version = stem.rpartition("-")
    return (name, version) if name else (stem, None)


def read(entry, folder):
    """The record of one metadata folder (or file, as old egg-info and egg-link are)."""
    place = os.path.join(entry, folder)
    if folder == "EGG-INFO":
        name, version = split_folder(os.path.basename(entry.rstrip(os.sep))[: -len(".egg")] + ".egg-info")
    else:
        name, version = split_folder(folder)
    record = {"name": normalise(name), "folder": folder, "location": entry}
    metadata = place if os.path.isfile(place) else metadata_file(place)
    if metadata is None:
        record["version"] = None
        return record
    if folder.endswith(".egg-link"):
        record.update(version=unread("not_asked", "an egg-link names no version"), editable=True)
        return record
    record["version"] = version
    if version is None or of_interest(record["name"]):
        try:
            fields = header(metadata)
        except OSError as error:
            record.update(version=version or excuse(error), requires=excuse(error))
            return record
        record["version"] = (fields.get("version") or [version])[0] or unread("missing", "METADATA has no Version")
        if of_interest(record["name"]):
            record.update(details(entry, place, record["name"], fields))
    return record


def metadata_file(place):
    for name in ("METADATA", "PKG-INFO"):
        path = os.path.join(place, name)
        if os.path.isfile(path):
            return path
    return None


def header(path):
    """The fields of a METADATA or WHEEL file up to its blank line: lower-case name → values."""
    fields = {}
    with open(path, "rb") as file:
        for raw in file:
            line = raw.decode("utf-8", "replace").rstrip("\r\n")
            if not line:
                break
            key, colon, value = line.partition(":")
            if colon and not line[0].isspace():
                fields.setdefault(key.strip().lower(), []).append(value.strip())
    return fields


def details(entry, place, name, fields):
    """What is read of the torch family only."""
    requires = fields.get("requires-dist", [])
    if not requires and os.path.isfile(os.path.join(place, "requires.txt")):  # egg-info keeps them apart
        requires = unread("unsupported", "egg-info lists its requirements in requires.txt")
    record = {
        "requires": requires,
        "installer": first_line(os.path.join(place, "INSTALLER")),
        "wheel_tag": wheel_tag(os.path.join(place, "WHEEL")),
    }
    record.update(origin(os.path.join(place, "direct_url.json")))
    if name in VERSION_FILES:
        record["tag_version"] = tag_version(os.path.join(entry, VERSION_FILES[name], "version.py"))
    return record


def first_line(path):
    try:
        with open(path, "rb") as file:
            return file.readline().decode("utf-8", "replace").strip() or None
    except OSError as error:
        return None if error.errno in (2, 20) else excuse(error)


def wheel_tag(path):
    """The wheel's compressed tag, as its file name had it: ``py3-none-manylinux1_x86_64.manylinux_2_5_x86_64``."""
    try:
        tags = [tag.split("-") for tag in header(path).get("tag", [])]
    except OSError as error:
        return None if error.errno in (2, 20) else excuse(error)
    tags = [tag for tag in tags if len(tag) == 3]
    columns = [[tag[part] for tag in tags] for part in range(3)] if tags else []
    joined = "-".join([".".join(sorted(set(column), key=column.index)) for column in columns])
    return joined or unread("garbled", "WHEEL names no tag")


def origin(path):
    """direct_url.json (PEP 610): where an install that came from no index came from."""
    if not os.path.isfile(path):
        return {"direct_url": None, "editable": False}
    try:
        import json

        with open(path, "rb") as file:
            told = json.loads(file.read().decode("utf-8"))
        return {"direct_url": told["url"], "editable": bool(told.get("dir_info", {}).get("editable", False))}
    except Exception as error:
        why = unread("garbled", "direct_url.json: %s" % error)
        return {"direct_url": why, "editable": why}


def tag_version(path):
    try:
        value = assignments(path).get("__version__")
    except (OSError, ValueError, SyntaxError) as error:
        return None if getattr(error, "errno", 0) in (2, 20) else unread("garbled", str(error))
    return value if isinstance(value, str) else unread("garbled", "version.py assigns no __version__")

"""conda's own records of an environment: conda-meta/NAME-VERSION-BUILD.json."""

import os

from .answer import excuse, unread
from .interest import conda_of_interest

HEAD = 16384  # bytes; "channel" stands near the top, and the list of a library's files may be megabytes long


def packages(prefix):
    """The packages of interest; None where ``prefix`` is no conda environment."""
    try:
        names = sorted(os.listdir(os.path.join(prefix, "conda-meta")))
    except OSError as error:
        if error.errno in (2, 20):
            return None
        raise
    found = []
    for file in names:
        parts = file[: -len(".json")].rsplit("-", 2) if file.endswith(".json") else ()
        if len(parts) == 3 and conda_of_interest(parts[0]):
            path = os.path.join(prefix, "conda-meta", file)
            found.append({"name": parts[0], "version": parts[1], "build": parts[2], "channel": channel(path)})
    return found


def channel(path):
    """The channel that a package came from, as conda writes it: an address or a name."""
    try:
        with open(path, "rb") as file:
            text = file.read(HEAD).decode("utf-8", "replace")
            before, mark, after = text.partition('"channel":')
            value = after.lstrip()
            if mark and value.startswith('"') and '"' in value[1:]:
                return value[1:].partition('"')[0]
            import json

            return json.loads(text + file.read().decode("utf-8", "replace"))["channel"]
    except KeyError:
        return unread("missing", "the record names no channel")
    except (OSError, ValueError) as error:
        return excuse(error)


def recorded_sizes(prefix, name):
    """``[(path, size)]`` of the files that conda installed for package ``name`` and has not rewritten since.

    A file with a prefix placeholder was edited on installation: its size proves nothing.  None: no such package.
    """
    folder = os.path.join(prefix, "conda-meta")
    for file in sorted(os.listdir(folder)) if os.path.isdir(folder) else ():
        if file.endswith(".json") and file.rsplit("-", 2)[0] == name:
            import json

            with open(os.path.join(folder, file), "rb") as stream:
                told = json.loads(stream.read().decode("utf-8"))
            paths = told.get("paths_data", {}).get("paths", ())
            return [(os.path.join(prefix, item["_path"]), item["size_in_bytes"]) for item in paths if untouched(item)]
    return None


def untouched(item):
    return "size_in_bytes" in item and "prefix_placeholder" not in item and item.get("path_type") != "softlink"

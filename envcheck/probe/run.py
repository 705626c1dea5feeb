"""Entry of every probe: ``python [flags] run.py TASK ANSWER_FILE [key=value ...]``.

The answer is JSON in the shape of the facts that the task fills.  It is written beside ANSWER_FILE and moved over it,
so a reader never meets half an answer, and it is written again whenever more is known, so a later hang or crash
leaves what was seen before.  ``-`` as ANSWER_FILE means standard output: one line per answer, the last one counts
(whatever else writes to standard output meanwhile is sent to standard error).

Exit status: 0 the last answer is complete, 1 it could not be written, 2 bad call.  Nothing but ANSWER_FILE is written.

This file and answer.py must parse in every Python since 2.7: one that is too old has to be able to say so.
"""

import sys

sys.dont_write_bytecode = True

import os  # noqa: E402

OLDEST = (3, 6)

TASKS = {  # task: (module, tag of the section that it fills; None for a record without one)
    "interpreter": ("interpreter", None),
    "torch_runtime": ("torch_runtime", "torch_runtime"),
    "nvml": ("nvml", "nvml"),
    "cuda": ("cuda", "cuda"),
    "nodes": ("nodes", "devices"),
    "bench": ("bench", "bench_device"),
    "watch": ("watch", "watches"),
}

PACKAGE = "envcheck_probe"
USAGE = "usage: python run.py TASK ANSWER_FILE [key=value ...]; TASK is one of " + ", ".join(sorted(TASKS))


def main(argv):
    """Answer one call; the returned number is the exit status."""
    if len(argv) < 2 or argv[0] not in TASKS or not all("=" in word for word in argv[2:]):
        sys.stderr.write(USAGE + "\n")
        return 2
    task, target = argv[:2]
    options = dict(word.split("=", 1) for word in argv[2:])
    here = os.path.dirname(os.path.abspath(__file__))
    user_path = as_user_starts(options.pop("path0", None))
    # From here on the probe's own imports meet nothing but the standard library: a json.py or types.py in the
    # user's folder or on PYTHONPATH is for the user's import to stumble over, not for ours.
    sys.path[:] = standard_library(user_path) or user_path
    open_house(here)
    from envcheck_probe import answer

    module, tag = TASKS[task]
    try:
        out = answer.Answer(target, tag)
        if sys.version_info[:2] < OLDEST:
            out.too_old(OLDEST)
        else:
            out.run(module, options, user_path)
        out.write()
    except answer.NotWritten as error:
        sys.stderr.write("the answer could not be written: %s\n" % error)
        return 1
    except answer.BadCall as error:
        sys.stderr.write("%s\n" % error)
        return 2
    return 0


def as_user_starts(first):
    """``sys.path`` as ``python -c`` run by the user would have it: the working folder instead of the probe's own.

    Started with -I or -P (or PYTHONSAFEPATH), Python puts no folder first, and neither does this.  ``first`` stands
    for the folder of a script that the user runs.
    """
    path = [entry for entry in sys.path if isinstance(entry, str)]  # an import skips anything else, too
    if getattr(sys.flags, "isolated", 0) or getattr(sys.flags, "safe_path", False):
        return path
    try:
        path[0] = first or os.getcwd()
    except OSError:  # the working folder was deleted
        del path[0]
    return path


def standard_library(path):
    """The entries of ``path`` that hold the standard library itself."""
    name = "python%d.%d" % sys.version_info[:2]
    roots = [getattr(sys, "base_prefix", sys.prefix), getattr(sys, "base_exec_prefix", sys.exec_prefix)]
    homes = [os.path.join(root, lib, name) for root in roots for lib in ("lib", getattr(sys, "platlibdir", "lib"))]
    homes = [home for home in homes if os.path.isfile(os.path.join(home, "os.py"))]
    if not homes:  # Windows, PyPy, an embedded or relocated Python
        homes = [os.path.dirname(os.path.abspath(os.__file__))]
    homes = [os.path.abspath(home) for home in homes] + [os.path.realpath(home) for home in homes]
    zipped = "python%d%d.zip" % sys.version_info[:2]
    found = []
    for entry in path:
        # By its name as well: lib-dynload may be a link to another place (Nix, site-wide installations).
        places = (os.path.abspath(entry), os.path.realpath(entry))
        inside = any(place in homes or os.path.dirname(place) in homes for place in places)  # lib-dynload is inside
        base = os.path.basename(places[1])
        if (inside and base not in ("site-packages", "dist-packages")) or base in (zipped, "DLLs", "lib_pypy"):
            found.append(entry)
    return found


def open_house(here):
    """Make the probe's modules importable as a package, so that none of their names can shadow or be shadowed."""
    house = type(sys)(PACKAGE)
    house.__path__ = [here]
    sys.modules[PACKAGE] = house


if __name__ == "__main__":
    status = main(sys.argv[1:])
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.flush()
    # The answer is written.  Taking torch or a driver down in order costs time and can crash, which would make a
    # complete answer look like that of a process that died.
    os._exit(status)

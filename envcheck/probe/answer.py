"""The answer of a probe: facts as they become known, walls around what fills them, and the way to disk.

Parses and runs in every Python since 2.7 (see run.py).
"""

import os
import sys


class BadCall(Exception):
    """The caller passed an option that the task does not have."""


class NotWritten(Exception):
    """The answer file cannot be written."""


def unread(why, detail=""):
    """A fact that could not be read, as envcheck.facts.Unread has it."""
    return {"kind": "unread", "why": why, "detail": detail}


def excuse(error):
    """The :func:`unread` that tells of an exception."""
    if isinstance(error, OSError):
        why = {1: "refused", 2: "missing", 13: "refused", 20: "missing"}.get(error.errno, "crashed")
    elif isinstance(error, (ImportError, AttributeError)):
        why = "missing"
    elif isinstance(error, ValueError):  # UnicodeError is one
        why = "garbled"
    else:
        why = "crashed"
    return unread(why, describe(error, slip=why == "crashed"))


def describe(error, slip=False):
    """``Type: message``, and the place that raised it: of the probe's own files only for a ``slip`` of theirs."""
    text = "%s: %s" % (type(error).__name__, error)
    trace, own = sys.exc_info()[2], os.path.dirname(os.path.abspath(__file__))
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is not None:
        name = trace.tb_frame.f_code.co_filename
        if os.path.dirname(os.path.abspath(name)) == own:
            name = os.path.basename(name) if slip else "<own>"
        if not name.startswith("<"):
            text += " (raised in %s, line %d)" % (name, trace.tb_lineno)
    return text


class Call(object):
    """What a task is given: where to answer, its options, and two paths.

    ``user_path`` is the ``sys.path`` that the user would have, ``library`` the standard library's part of it.
    """

    def __init__(self, answer, options, user_path):
        self.answer, self.options, self.user_path = answer, options, user_path
        self.library = list(sys.path)

    def option(self, name, default=None):
        return self.options.get(name, default)


class Answer(object):
    """Facts under their names, written as often as there is news."""

    def __init__(self, target, tag):
        self.target, self.tag = target, tag
        self.facts = {}
        self.whole = None  # an Unread in the place of everything
        self.stream = None
        if target == "-":
            try:
                self.stream = os.dup(1)
                os.dup2(2, 1)
            except OSError as error:
                raise NotWritten(error)

    # -- filling -------------------------------------------------------------------------------------

    def put(self, **facts):
        self.facts.update(facts)

    def stage(self, names, ask, *args):
        """Ask for some facts behind a wall.

        ``ask`` returns a dictionary of facts, or the value itself where ``names`` is one name.  What it raises becomes
        the Unread of every one of ``names`` that is still open.
        """
        one = isinstance(names, str)
        try:
            found = ask(*args)
            self.facts.update({names: found} if one else found)
        except Exception as error:
            self.excuse_all([names] if one else names, excuse(error))

    def excuse_all(self, names, why):
        for name in names:
            self.facts.setdefault(name, why)

    def run(self, module, options, user_path):
        """Run one task.  What its own walls let through becomes the Unread of every fact that it still owed."""
        promised = ()
        if self.tag is None:
            promised = ("probe",)
            self.put(executable=sys.executable or "", found_by=[])
        try:
            task = getattr(__import__("envcheck_probe." + module), module)
            promised = task.FACTS
            strange = sorted(set(options) - set(task.OPTIONS))
            if strange:
                raise BadCall("task %s has no option %s; it has: %s" % (module, strange[0], ", ".join(task.OPTIONS)))
            task.run(Call(self, options, user_path))
        except (NotWritten, BadCall):
            raise
        except BaseException as error:  # SystemExit and KeyboardInterrupt too: a torch can raise anything
            why = unread("crashed", describe(error, slip=True))
            if self.tag is not None and not self.facts:
                self.whole = why
            self.excuse_all(promised, why)

    def too_old(self, oldest):
        version = "%d.%d.%d" % sys.version_info[:3]
        why = unread("unsupported", "Python %s is too old to probe: %d.%d is the oldest" % ((version,) + oldest))
        if self.tag is None:
            self.put(executable=sys.executable or "", found_by=[], probe=why, version=version, prefix=sys.prefix)
        else:
            self.whole = why

    # -- writing -------------------------------------------------------------------------------------

    def write(self):
        """Put the answer as it stands into the answer file, in one step."""
        facts = self.facts
        if self.whole is not None:
            facts = self.whole
        elif self.tag is not None:
            facts = dict(facts, kind=self.tag)
        raw = encode(facts).encode("utf-8")
        try:
            if self.stream is not None:
                raw += b"\n"
                while raw:
                    raw = raw[os.write(self.stream, raw) :]
                return
            beside = "%s.%d.tmp" % (self.target, os.getpid())
            try:
                with open(beside, "wb") as file:
                    file.write(raw)
                getattr(os, "replace", os.rename)(beside, self.target)
            except Exception:
                if os.path.exists(beside):
                    os.remove(beside)
                raise
        except (OSError, IOError) as error:
            raise NotWritten(error)


def encode(value):
    """JSON text.  By hand, because ``json`` may be shadowed by the very file that the user has to rename."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return "{%s}" % ",".join("%s:%s" % (quote(key), encode(item)) for key, item in value.items())
    if isinstance(value, (list, tuple)):
        return "[%s]" % ",".join([encode(item) for item in value])
    if isinstance(value, float):
        if value - value != 0:
            return encode(unread("garbled", "not a finite number: %r" % value))
        return repr(value)
    if isinstance(value, (str, bytes)):
        return quote(value)
    if hasattr(value, "__index__"):
        return "%d" % value
    return quote(value)  # Python 2's unicode


def quote(text):
    """A JSON string.  Bytes of a file name that are no UTF-8 are shown as ``\\xff``."""
    if isinstance(text, bytes):
        text = text.decode("utf-8", "replace")
    elif sys.version_info[0] > 2:
        try:
            text.encode("utf-8")
        except UnicodeEncodeError:
            text = readable(text)
    text = text.replace("\\", "\\\\").replace('"', '\\"')
    if not (hasattr(text, "isprintable") and text.isprintable()) and any(mark < " " for mark in text):
        text = "".join("\\u%04x" % ord(mark) if mark < " " else mark for mark in text)
    return '"%s"' % text


def readable(text):
    """``text`` without the lone surrogates that stand for undecodable bytes of a file name."""
    try:
        return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    except UnicodeEncodeError:  # an unpaired surrogate of a Windows file name
        return text.encode("utf-8", "backslashreplace").decode("utf-8")

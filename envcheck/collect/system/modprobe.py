"""What the configuration of modprobe and the kernel command line forbid to load."""

from __future__ import annotations

from envcheck.facts import Fact, Unread

from .root import Root, printable

FOLDERS = (
    "/etc/modprobe.d",
    "/run/modprobe.d",
    "/usr/local/lib/modprobe.d",
    "/usr/lib/modprobe.d",
    "/lib/modprobe.d",
)
"""In the order of modprobe.d(5): a file hides those of the same name in later folders."""

_REFUSING_COMMANDS = frozenset({"false", "true", ":", "exit", "off"})
# Both words are the kernel's or modprobe's own, the third is read by dracut.
_COMMAND_LINE_KEYS = frozenset({"modprobe.blacklist", "module_blacklist", "rd.driver.blacklist"})


def read_blacklists(root: Root, module: str, command_line: Fact[str]) -> Fact[list[str]]:
    """``file: line`` for every line that keeps ``module`` from loading; - and _ are the same in its name."""
    found: list[str] = []
    refused: list[Unread] = []
    hidden: set[str] = set()
    for folder in FOLDERS:
        names = root.names(folder)
        if isinstance(names, Unread):
            refused.append(names)
            continue
        for name in names or ():
            if name in hidden or not name.endswith(".conf"):
                continue
            hidden.add(name)
            lines = root.lines(f"{folder}/{name}")
            if isinstance(lines, Unread):
                refused.append(lines)
            elif lines is not None:
                found += [printable(f"{folder}/{name}: {line}") for line in _join(lines) if _forbids(line, module)]
    if isinstance(command_line, str):
        found += [f"/proc/cmdline: {word}" for word in command_line.split() if _is_forbidding(word, module)]
    return refused[0] if refused and not found else found


def _join(lines: list[str]) -> list[str]:
    """Logical lines: a backslash at the end goes on in the next one."""
    joined: list[str] = []
    for line in "\n".join(lines).replace("\\\n", " ").split("\n"):
        line = line.strip()
        if line and not line.startswith("#"):
            joined.append(line)
    return joined


def _forbids(line: str, module: str) -> bool:
    words = line.split()
    if len(words) < 2 or words[1].replace("-", "_") != module:
        return False
    if words[0] == "blacklist":
        return True
    if words[0] == "install":
        return len(words) > 2 and words[2].rpartition("/")[2] in _REFUSING_COMMANDS
    if words[0] == "alias":
        return words[2:] == ["off"]
    # nouveau with modeset=0 loads and takes no card.
    return words[0] == "options" and module == "nouveau" and "modeset=0" in words[2:]


def _is_forbidding(word: str, module: str) -> bool:
    key, _, value = word.partition("=")
    if key in _COMMAND_LINE_KEYS:
        return module in value.replace("-", "_").split(",")
    return module == "nouveau" and word == "nouveau.modeset=0"

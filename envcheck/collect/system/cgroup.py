"""The limits that a control group puts on this process, of version 1, version 2 or both side by side."""

from __future__ import annotations

from envcheck.facts import Fact, Unread

from .root import Root, to_int

# Version 1 has no word for "no limit": it shows LONG_MAX rounded down to a page.
_UNLIMITED_BYTES = 1 << 62


class Cgroups:
    """Reads the own group and those above it: the narrowest limit counts."""

    def __init__(self, root: Root) -> None:
        self.root = root
        self.groups = _own_groups(root)
        self.mounts = _mounts(root)

    def memory_limit(self) -> Fact[int]:
        """Bytes; ``None``: no limit."""
        return self._narrowest("memory", "memory.limit_in_bytes", "memory.max")

    def cpu_quota(self) -> Fact[float]:
        """Processors; ``None``: no limit."""
        place = self._place("cpu")
        if isinstance(place, Unread):
            return place
        version, folders = place
        quotas = []
        for folder in folders:
            if version == 2:
                text = self.root.text(f"{folder}/cpu.max")  # "200000 100000" or "max 100000", microseconds
                words = text.split() if isinstance(text, str) else []
            else:
                pair = [self.root.text(f"{folder}/cpu.cfs_{name}_us") for name in ("quota", "period")]
                text = next((word for word in pair if isinstance(word, Unread)), None)
                words = [word for word in pair if isinstance(word, str)]
            if isinstance(text, Unread):
                return text
            if len(words) == 2 and words[0] not in ("max", "-1"):
                quota, period = (to_int(word) for word in words)
                if quota is None or period is None or quota < 0 or period <= 0:
                    return Unread("garbled", f"{folder}: CPU quota {' '.join(words)[:64]}")
                quotas.append(quota / period)
        return min(quotas, default=None)

    def oom_kills(self) -> Fact[int]:
        """Processes of the own group that were killed for want of memory; ``None`` in the root group."""
        place = self._place("memory")
        if isinstance(place, Unread):
            return place
        version, folders = place
        lines = self.root.lines(f"{folders[0]}/{'memory.events' if version == 2 else 'memory.oom_control'}")
        if lines is None or isinstance(lines, Unread):
            return lines
        for line in lines:
            if line.startswith("oom_kill "):
                count = to_int(line[9:].strip())
                return Unread("garbled", line[:64]) if count is None else count
        return None

    def _narrowest(self, controller: str, first: str, second: str) -> Fact[int]:
        place = self._place(controller)
        if isinstance(place, Unread):
            return place
        version, folders = place
        limits = []
        for folder in folders:
            text = self.root.text(f"{folder}/{second if version == 2 else first}")
            if isinstance(text, Unread):
                return text
            if text is None or text == "max":
                continue
            limit = to_int(text)
            if limit is None or limit < 0:
                return Unread("garbled", f"{folder}: {controller} limit {text[:64]}")
            if limit < _UNLIMITED_BYTES:
                limits.append(limit)
        return min(limits, default=None)

    def _place(self, controller: str) -> tuple[int, list[str]] | Unread:
        """The version and the folders of the own group, then of those above it."""
        if isinstance(self.groups, Unread):
            return self.groups
        if isinstance(self.mounts, Unread):
            return self.mounts
        version = 1 if controller in self.groups else 2
        own = self.groups.get(controller if version == 1 else "")
        mount = self.mounts.get(controller if version == 1 else "")
        if own is None or mount is None:
            return Unread("missing", f"no control group for {controller} is mounted")
        point, top = mount
        inside = own[len(top.rstrip("/")) :] if own == top or own.startswith(top.rstrip("/") + "/") else ""
        # A container may be told its group's name on the host, of which it sees only the mounted part.
        if ".." in inside or not self.root.is_folder(point + inside):
            inside = ""
        folders = [point]
        for part in [part for part in inside.split("/") if part]:
            folders.insert(0, f"{folders[0]}/{part}")
        return version, folders


def _own_groups(root: Root) -> dict[str, str] | Unread:
    """Path by controller; version 2 stands under the empty name."""
    lines = root.lines("/proc/self/cgroup")
    if lines is None or isinstance(lines, Unread):
        return lines or Unread("missing", "the kernel has no control groups")
    groups: dict[str, str] = {}
    for line in lines:
        parts = line.split(":", 2)
        if len(parts) == 3:
            for controller in parts[1].split(","):
                groups[controller] = parts[2]
    return groups


def _mounts(root: Root) -> dict[str, tuple[str, str]] | Unread:
    """(mount point, group that is mounted there) by controller; version 2 stands under the empty name."""
    lines = root.lines("/proc/self/mountinfo", 4 << 20)
    if lines is None or isinstance(lines, Unread):
        return lines or Unread("missing", "no /proc/self/mountinfo")
    mounts: dict[str, tuple[str, str]] = {}
    for line in lines:
        head, separator, tail = line.partition(" - ")
        if not separator or not tail.startswith("cgroup"):
            continue
        left, right = head.split(" "), tail.split(" ")
        if len(left) < 5 or len(right) < 3:
            continue
        place = (left[4], left[3])
        if right[0] == "cgroup2":
            mounts.setdefault("", place)
        elif right[0] == "cgroup":
            for controller in right[2].split(","):
                mounts.setdefault(controller, place)
    if not mounts and root.exists("/sys/fs/cgroup/cgroup.controllers") is True:
        mounts[""] = ("/sys/fs/cgroup", "/")  # a sandbox that shows no mounts
    return mounts

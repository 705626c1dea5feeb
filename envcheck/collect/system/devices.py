"""The PCI bus and the device nodes, without opening a device or calling a driver."""

from __future__ import annotations

import os
import stat as modes
from collections.abc import Mapping

from envcheck.facts import DeviceNode, Devices, Fact, Unread

from .pci import read_pci
from .root import Root, printable, to_int

_FOLDERS = ("/dev/nvidia-caps", "/dev/nvidia-caps-imex-channels")
_CAPABILITIES = "/proc/driver/nvidia/capabilities"
_NODES_MAX = 512


def collect_devices(root: Root, platform: str, environ: Mapping[str, str]) -> Devices:
    """Cards on the bus and the nodes of their drivers.

    Whether a node can really be opened (a cgroup may forbid what its mode allows) is asked by a child process,
    not here: opening one may load a driver or wake a card.
    """
    if platform != "linux":
        why = Unread("unsupported", "neither /sys nor device nodes on this system")
        return Devices(pci=why, nodes=why, char_majors=why, mig_minors=why)
    return Devices(
        pci=read_pci(root),
        nodes=_read_nodes(root),
        char_majors=_read_char_majors(root),
        mig_minors=_read_mig_minors(root),
    )


def _read_nodes(root: Root) -> Fact[list[DeviceNode]]:
    names = root.names("/dev")
    if names is None or isinstance(names, Unread):
        return names or Unread("missing", "no /dev")
    paths = []
    for name in names:
        # nvhost… and nvmap are the doors of a Jetson's GPU.
        if name == "dxg" or name == "nvmap" or name.startswith(("nvidia", "nvhost")):
            path = f"/dev/{name}"
            if path in _FOLDERS:
                paths += [f"{path}/{inner}" for inner in root.listing(path)]
            elif not root.is_folder(path):
                paths.append(path)
    groups = _group_names(root)
    return [_read_node(root, path, groups) for path in paths[:_NODES_MAX]]


def _read_node(root: Root, path: str, groups: dict[int, str] | Unread) -> DeviceNode:
    found = root.status(path)
    shown = printable(path)
    if found is None or isinstance(found, Unread):
        why = found or Unread("missing", f"{shown}: a link that leads nowhere")
        told = why if isinstance(found, Unread) else False
        return DeviceNode(path=shown, major=why, minor=why, mode=why, uid=why, gid=why, group=why, accessible=told)
    device = modes.S_ISCHR(found.st_mode) or modes.S_ISBLK(found.st_mode)
    return DeviceNode(
        path=shown,
        major=os.major(found.st_rdev) if device else None,
        minor=os.minor(found.st_rdev) if device else None,
        mode=modes.S_IMODE(found.st_mode),
        uid=found.st_uid,
        gid=found.st_gid,
        group=groups if isinstance(groups, Unread) else groups.get(found.st_gid),
        accessible=root.accessible(path, os.R_OK | os.W_OK),
    )


def _group_names(root: Root) -> dict[int, str] | Unread:
    lines = root.lines("/etc/group")
    if lines is None or isinstance(lines, Unread):
        return lines or Unread("missing", "no /etc/group")
    names: dict[int, str] = {}
    for line in lines:
        entry = line.split(":")
        number = to_int(entry[2]) if len(entry) >= 3 else None
        if number is not None and entry[0]:
            names.setdefault(number, entry[0])
    return names


def _read_char_majors(root: Root) -> Fact[list[str]]:
    lines = root.lines("/proc/devices")
    if lines is None or isinstance(lines, Unread):
        return lines or Unread("missing", "no /proc/devices")
    names = []
    for line in lines:
        if line.startswith("Block devices:"):
            break
        _, _, name = line.strip().partition(" ")
        if name.startswith(("nvidia", "nvhost", "dxg")):
            names.append(name)
    return names


def _read_mig_minors(root: Root) -> Fact[list[str]]:
    """Lines of mig-minors (``gpu0/gi1/access 12``) for the MIG instances that exist.

    The file itself lists every instance that could ever be made, several thousand of them.
    """
    lines = root.lines("/proc/driver/nvidia-caps/mig-minors")
    if lines is None or isinstance(lines, Unread):
        return lines or []
    there = _mig_instances(root)
    if isinstance(there, Unread):
        return there
    return [line.strip() for line in lines if line.partition("/access")[0] in there]


def _mig_instances(root: Root) -> set[str] | Unread:
    """``gpu0/gi1``, ``gpu0/gi1/ci0`` … as the driver's capability folders show them."""
    gpus = root.names(_CAPABILITIES)
    if isinstance(gpus, Unread):
        return gpus
    found = set()
    for gpu in gpus or ():
        for instance in root.listing(f"{_CAPABILITIES}/{gpu}/mig"):
            if instance.startswith("gi"):
                found.add(f"{gpu}/{instance}")
                for inner in root.listing(f"{_CAPABILITIES}/{gpu}/mig/{instance}"):
                    if inner.startswith("ci"):
                        found.add(f"{gpu}/{instance}/{inner}")
    return found

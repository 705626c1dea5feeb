"""Task ``nodes``: can the control nodes of the driver really be opened?

Permission bits do not tell: a container's device filter refuses with EPERM what the bits allow.  The nodes of the
cards themselves are left alone, since opening one initialises the card.

Options: ``root=DIR`` looks below another root folder.
"""

import errno
import os

OPTIONS = ("root",)
FACTS = ("nodes",)
CONTROL_NODES = ("/dev/nvidiactl", "/dev/nvidia-uvm", "/dev/nvidia-uvm-tools", "/dev/dxg")


def run(call):
    nodes = []
    call.answer.put(nodes=nodes)
    for path in CONTROL_NODES:
        said = opening(call.option("root", "") + path)
        if said != "ENOENT":  # a node that is not there is not listed
            nodes.append({"path": path, "open_errno": said})
            call.answer.write()


def opening(path):
    """None where the node opens for reading and writing, else the errno's name."""
    try:
        os.close(os.open(path, os.O_RDWR | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)))
    except OSError as error:
        return errno.errorcode.get(error.errno, str(error.errno))
    return None

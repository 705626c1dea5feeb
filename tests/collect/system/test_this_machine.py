"""The collectors on whatever machine runs the tests: Linux, Windows or macOS, with or without a GPU."""

from __future__ import annotations

import os
import platform
import sys

import msgspec

from envcheck.collect.system.container import collect_container
from envcheck.collect.system.devices import collect_devices
from envcheck.collect.system.driver import collect_driver
from envcheck.collect.system.host import collect_host
from envcheck.collect.system.kernel_log import collect_kernel_log
from envcheck.collect.system.root import Root
from envcheck.collect.system.toolkit import collect_toolkit
from envcheck.facts import Unread, decode, encode, make


def test_every_collector_answers_here() -> None:
    """On a real system of any kind all collectors come to an end and fit into a snapshot."""
    log = collect_kernel_log(Root(), sys.platform, os.environ)
    snapshot = make(
        host=collect_host(Root(), sys.platform, os.environ),
        devices=collect_devices(Root(), sys.platform, os.environ),
        driver=msgspec.structs.replace(collect_driver(Root(), sys.platform, os.environ), recovery_log=log),
        container=collect_container(Root(), sys.platform, os.environ),
        toolkit=collect_toolkit(Root(), sys.platform, os.environ),
    )
    assert decode(encode(snapshot)) == snapshot


def test_the_host_agrees_with_python() -> None:
    """What Python's standard library knows as well, the collector says alike."""
    host = collect_host(Root(), sys.platform, os.environ)
    assert host.system == platform.system()
    assert isinstance(host.machine, str)
    assert isinstance(host.cpus, int)
    assert host.cpus >= 1
    if sys.platform == "linux":
        assert host.kernel_release == platform.release()
        assert host.uid == os.getuid()
        assert isinstance(host.memory_total_bytes, int)
        assert host.memory_total_bytes > 64 << 20
    if sys.platform == "darwin":
        assert not isinstance(host.apple_silicon, Unread)

"""Cards on the bus and device nodes: bound, asleep, virtual, unassigned, unreadable."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from envcheck.collect.system.devices import collect_devices
from envcheck.facts import DeviceNode, Devices, PciDevice, Unread
from tests.collect.system.trees import (
    GIB,
    H100_RESOURCE,
    HOST,
    MEM_32,
    MEM_64,
    MIB,
    SERVER,
    UNSET,
    card_files,
    h100,
    refuse,
    resource,
    tree,
)
from tests.fakes.tree import File, Files, Folder, PciCard, without


def devices_of(place: Path, *parts: Files) -> Devices:
    return collect_devices(tree(place, *parts), "linux", {})


def only_card(place: Path, *parts: Files) -> PciDevice:
    cards = devices_of(place, HOST, *parts).pci
    assert isinstance(cards, list)
    assert len(cards) == 1
    return cards[0]


def why(fact: object) -> str:
    assert isinstance(fact, Unread), fact
    return fact.why


def test_a_bound_h100(tmp_path: Path) -> None:
    """Every field of a card in a healthy server."""
    cards = devices_of(tmp_path, SERVER).pci
    assert cards == [
        PciDevice(
            address="0000:17:00.0",
            vendor=0x10DE,
            device=0x2330,
            class_code=0x030200,
            subsystem="10de:0000",
            driver="nvidia",
            driver_override=None,
            virtual_function=False,
            power_state="D0",
            power_control="on",
            link_speed_gts=32.0,
            link_width=16,
            link_speed_max_gts=32.0,
            link_width_max=16,
            port_speed_max_gts=32.0,
            port_width_max=16,
            bar0_bytes=16 * MIB,
            bar1_bytes=128 * GIB,
            aer_correctable=0,
            numa_node=1,
            iommu_group_type="identity",
        )
    ]


def test_only_display_and_nvswitch_functions_are_kept(tmp_path: Path) -> None:
    """A card's sound function, other vendors' bridges and network cards are not its business; an iGPU is."""
    functions = {
        "0000:17:00.0": (0x10DE, 0x030200),
        "0000:17:00.1": (0x10DE, 0x040300),
        "0000:05:00.0": (0x10DE, 0x068000),
        "0000:06:00.0": (0x1000, 0x068000),
        "0000:07:00.0": (0x15B3, 0x020700),
        "0000:08:00.0": (0x8086, 0x030000),
        "0000:09:00.0": (0x1002, 0x038000),
    }
    files: dict[str, Any] = {}
    for address, (vendor, code) in functions.items():
        files |= PciCard(address, 1, vendor=vendor, class_code=code).files()
    cards = devices_of(tmp_path, HOST, files).pci
    assert isinstance(cards, list)
    assert [card.address for card in cards] == ["0000:05:00.0", "0000:08:00.0", "0000:09:00.0", "0000:17:00.0"]
    assert cards[0].bar1_bytes is None, "an NVSwitch has one region; it lacks no second"


@pytest.mark.parametrize("driver", ["nouveau", "vfio-pci", "nvidia", None])
def test_the_bound_driver_is_named(tmp_path: Path, driver: str | None) -> None:
    """The name behind the driver link; no link is a known absence."""
    card = only_card(tmp_path, h100(driver=driver).files())
    assert (card.driver, card.driver_override) == (driver, None)


def test_vfio_override_and_virtual_function(tmp_path: Path) -> None:
    """Passthrough leaves an override, SR-IOV a link to the physical function."""
    card = only_card(tmp_path, h100(driver="vfio-pci", driver_override="vfio-pci", virtual_function=True).files())
    assert (card.driver_override, card.virtual_function) == ("vfio-pci", True)


# --- the link ----------------------------------------------------------------------------------------------

LINK = ("link_speed_gts", "link_width", "link_speed_max_gts", "link_width_max")


@pytest.mark.parametrize(
    "asleep", [{"power_state": "D3cold\n"}, {"power_state": "D3hot\n", "power__runtime_status": "suspended\n"}]
)
def test_a_sleeping_card_is_not_woken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, asleep: dict[str, str]) -> None:
    """Of a laptop's sleeping GPU not one link file is opened, and its link is not called broken."""
    root = tree(
        tmp_path, HOST, card_files(h100("0000:01:00.0", power_control="auto"), resource=H100_RESOURCE, **asleep)
    )
    opened: list[str] = []
    real_open = os.open
    monkeypatch.setattr(
        os, "open", lambda path, *args, **more: (opened.append(str(path)), real_open(path, *args, **more))[1]
    )
    cards = collect_devices(root, "linux", {}).pci
    assert isinstance(cards, list)
    assert {why(getattr(cards[0], name)) for name in LINK} == {"unsupported"}
    assert (cards[0].bar1_bytes, cards[0].power_control) == (128 * GIB, "auto"), "these are in the kernel's memory"
    # The port above is awake and may be read.
    assert [path for path in opened if "_link_" in path and path.count("0000:01:00.0")] == []
    assert cards[0].port_width_max == 16


@pytest.mark.parametrize(
    ("files", "field", "expected"),
    [
        ({"current_link_speed": "Unknown\n"}, "link_speed_gts", "garbled"),
        ({"current_link_width": "63\n"}, "link_width", "garbled"),
        ({"max_link_width": "255\n"}, "link_width_max", "garbled"),
        ({"current_link_width": "0\n"}, "link_width", "unsupported"),
        ({"current_link_speed": "2.5 GT/s PCIe\n"}, "link_speed_gts", 2.5),
        ({"current_link_speed": "8 GT/s\n"}, "link_speed_gts", 8.0),
        ({"current_link_speed": "nan GT/s\n"}, "link_speed_gts", "garbled"),
        ({"numa_node": "-1\n"}, "numa_node", None),
    ],
)
def test_impossible_links_are_garbled(tmp_path: Path, files: dict[str, str], field: str, expected: object) -> None:
    """A device that fell off the bus answers all ones: never a width of 63 lanes."""
    fact = getattr(only_card(tmp_path, card_files(h100(), **files)), field)
    assert (fact.why if isinstance(fact, Unread) else fact) == expected


def test_a_card_on_the_root_bus_has_no_port(tmp_path: Path) -> None:
    """In many virtual machines the card hangs directly on bus 0."""
    card = only_card(tmp_path, h100("0000:00:05.0").files())
    assert (card.port_speed_max_gts, card.port_width_max) == (None, None)


# --- memory regions ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (resource((16 * MIB, MEM_32), (256 * MIB, MEM_64), None, (32 * MIB, MEM_64)), (16 * MIB, 256 * MIB)),
        (H100_RESOURCE, (16 * MIB, 128 * GIB)),
        (resource((16 * MIB, MEM_32), None, None, (32 * MIB, MEM_64)), (16 * MIB, 0)),
        (resource((16 * MIB, MEM_64), None, None, None, (32 * MIB, MEM_64)), (16 * MIB, 0)),
        (resource((16 * MIB, MEM_32), (256 * MIB, MEM_64 | UNSET), None), (16 * MIB, 0)),
        (resource(None, None, (128 * GIB, MEM_64)), (0, 128 * GIB)),
        ("0x0 garbage\n" * 6, ("garbled", "garbled")),
        ("0x1\n", ("garbled", "garbled")),
        (b"\xff" * 64, ("garbled", "garbled")),
    ],
)
def test_the_second_region_is_bar1(tmp_path: Path, lines: str | bytes, expected: tuple[object, object]) -> None:
    """The upper half of a 64-bit BAR0 is not an unassigned BAR1: an H100 has it in the third line."""
    card = only_card(tmp_path, card_files(h100(), resource=lines))
    told = [fact.why if isinstance(fact, Unread) else fact for fact in (card.bar0_bytes, card.bar1_bytes)]
    assert tuple(told) == expected


def test_absent_error_counters_are_not_zero_errors(tmp_path: Path) -> None:
    """Where the firmware keeps AER to itself the file is missing."""
    files = without(h100().files(), f"{h100().folder}/aer_dev_correctable")
    assert why(only_card(tmp_path / "a", files).aer_correctable) == "missing"
    assert only_card(tmp_path / "b", h100(correctable_errors=7).files()).aer_correctable == 7


# --- nothing to see ----------------------------------------------------------------------------------------


def test_no_bus_is_not_an_empty_bus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only a bus that could be walked can be without a GPU."""
    assert devices_of(tmp_path / "empty", HOST, {"sys/bus/pci/devices": Folder()}).pci == []
    assert why(devices_of(tmp_path / "none", HOST).pci) == "missing"
    root = tree(tmp_path / "refused", SERVER)
    refuse(monkeypatch, root, "/sys/bus/pci/devices")
    assert why(collect_devices(root, "linux", {}).pci) == "refused"


def test_unreadable_classes_are_not_an_empty_bus(tmp_path: Path) -> None:
    """If no device says what it is, nobody knows that there is no GPU."""
    assert why(devices_of(tmp_path, HOST, card_files(h100(), **{"class": b"\xff"})).pci) == "garbled"


# --- nodes -------------------------------------------------------------------------------------------------


def nodes_of(devices: Devices) -> dict[str, DeviceNode]:
    assert isinstance(devices.nodes, list)
    return {node.path: node for node in devices.nodes}


def test_driver_nodes_are_listed(tmp_path: Path) -> None:
    """The nodes of the driver, of MIG capabilities, of WSL and of Jetsons; nothing else of /dev."""
    more = {"dev/dxg": "", "dev/nvmap": "", "dev/nvhost-gpu": "", "dev/dri/card0": "", "dev/nvme0": "", "dev/sda": ""}
    nodes = nodes_of(devices_of(tmp_path, SERVER, more))
    expected = {"/dev/nvidia0", "/dev/nvidiactl", "/dev/nvidia-uvm", "/dev/nvidia-caps/nvidia-cap1"}
    assert set(nodes) == expected | {"/dev/dxg", "/dev/nvmap", "/dev/nvhost-gpu"}
    assert nodes["/dev/nvidia0"].open_errno == Unread("not_asked"), "a child process asks that"


def test_mode_owner_and_group_of_a_node(tmp_path: Path) -> None:
    """What the mode bits say, with the group's name; a plain file has no device numbers."""
    gid = os.getegid()
    files = {"dev/nvidiactl": File("", 0o640), "etc/group": f"render:x:{gid}:\n"}
    node = nodes_of(devices_of(tmp_path, SERVER, files))["/dev/nvidiactl"]
    assert (node.mode, node.uid, node.gid, node.group) == (0o640, os.geteuid(), gid, "render")
    assert (node.major, node.minor, node.accessible) == (None, None, True)


def test_real_device_numbers(tmp_path: Path) -> None:
    """A character device is described by its numbers: /dev/null is 1:3 on Linux."""
    if os.uname().sysname != "Linux" or not Path("/dev/null").is_char_device():
        pytest.skip("no /dev/null of Linux here")
    root = tree(tmp_path, SERVER)
    (tmp_path / "dev/nvidia0").unlink()
    try:
        os.mknod(tmp_path / "dev/nvidia0", 0o20666, os.makedev(195, 0))
    except PermissionError:
        pytest.skip("device nodes can only be made by root")
    node = nodes_of(collect_devices(root, "linux", {}))["/dev/nvidia0"]
    assert (node.major, node.minor) == (195, 0)


def test_a_dangling_and_a_refused_node(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A link that leads nowhere cannot be opened; of a node that hides itself nothing is known."""
    root = tree(tmp_path, SERVER)
    (tmp_path / "dev/nvidia9").symlink_to("gone")
    refuse(monkeypatch, root, "/dev/nvidia0")
    nodes = nodes_of(collect_devices(root, "linux", {}))
    assert nodes["/dev/nvidia9"].accessible is False
    assert why(nodes["/dev/nvidia9"].mode) == "missing"
    assert why(nodes["/dev/nvidia0"].accessible) == "refused"


def test_character_majors_only(tmp_path: Path) -> None:
    """Block devices of a like name are no witnesses."""
    assert devices_of(tmp_path, SERVER).char_majors == ["nvidia", "nvidiactl", "nvidia-caps", "nvidia-uvm"]


def test_minors_of_existing_mig_instances_only(tmp_path: Path) -> None:
    """The table lists thousands of instances that could be; the ones that are stand among the capabilities."""
    capabilities = "proc/driver/nvidia/capabilities"
    files = {
        "proc/driver/nvidia-caps/mig-minors": "config 1\nmonitor 2\ngpu0/gi0/access 3\ngpu0/gi1/access 12\n"
        "gpu0/gi1/ci0/access 13\ngpu0/gi1/ci1/access 14\ngpu1/gi1/access 147\n",
        f"{capabilities}/mig/config": "",
        f"{capabilities}/gpu0/mig/gi1/access": "DeviceFileMinor: 12\n",
        f"{capabilities}/gpu0/mig/gi1/ci0/access": "DeviceFileMinor: 13\n",
        f"{capabilities}/gpu1/mig": Folder(),
    }
    assert devices_of(tmp_path, SERVER, files).mig_minors == ["gpu0/gi1/access 12", "gpu0/gi1/ci0/access 13"]

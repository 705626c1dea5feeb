"""What stands between the operating system and the hardware: WSL, a hypervisor, or a system on a chip."""

from __future__ import annotations

from envcheck.facts import Fact, Unread

from .root import Root

_DMI = "/sys/class/dmi/id"
_MAKERS: tuple[tuple[str, str], ...] = (
    ("KVM", "kvm"),
    ("OpenStack", "kvm"),
    ("KubeVirt", "kvm"),
    ("RHEV", "kvm"),
    ("QEMU", "kvm"),
    ("Google Compute Engine", "google"),
    ("Amazon EC2", "amazon"),
    ("VMware", "vmware"),
    ("VMW", "vmware"),
    ("innotek GmbH", "oracle"),
    ("VirtualBox", "oracle"),
    ("Xen", "xen"),
    ("Bochs", "bochs"),
    ("Parallels", "parallels"),
    ("BHYVE", "bhyve"),
    ("Hyper-V", "microsoft"),
    ("Apple Virtualization", "apple"),
    ("Nutanix", "nutanix"),
)
"""Beginnings of DMI strings and the names that ``systemd-detect-virt`` uses (src/basic/virt.c of systemd)."""


def read_wsl(root: Root, release: Fact[str]) -> Fact[int]:
    """1 or 2 on the Windows Subsystem for Linux, ``None`` elsewhere.

    WSL 1 kernels say "Microsoft", those of WSL 2 "microsoft-standard"; one that somebody built may say neither,
    then the GPU's /dev/dxg or the interpreter that starts Windows programs tells (failure-modes, wsl1-not-wsl2).
    """
    words = release if isinstance(release, str) else ""
    if has_dxg(root) is True or "microsoft-standard" in words.lower() or "wsl2" in words.lower():
        return 2
    if "microsoft" in words.lower():
        return 1
    interop = root.exists("/proc/sys/fs/binfmt_misc/WSLInterop")
    if interop is True:
        return 2
    return release if isinstance(release, Unread) else None


def has_dxg(root: Root) -> Fact[bool]:
    """True if /dev/dxg is there, the GPU's door in WSL 2."""
    return root.exists("/dev/dxg")


def read_jetson(root: Root, machine: Fact[str]) -> Fact[str]:
    """The model of a Jetson or another Tegra board, ``None`` elsewhere."""
    if machine not in ("aarch64", "armv7l", "armv8l"):
        return None if isinstance(machine, str) else machine
    compatible = root.read("/proc/device-tree/compatible", 4096)
    if isinstance(compatible, Unread):
        return compatible
    if compatible is not None:
        if b"nvidia,tegra" not in compatible:
            return None
        model = root.text("/proc/device-tree/model")
        if isinstance(model, str):
            return model
        names = [name for name in compatible.split(b"\0") if name.startswith(b"nvidia,tegra")]
        return names[0].decode("ascii", "backslashreplace") if names else "Tegra"
    # Engines hide the device tree; these stay visible inside.
    if root.text("/sys/devices/soc0/family") == "Tegra":
        board = root.text("/sys/devices/soc0/machine")
        return board if isinstance(board, str) else "Tegra"
    if root.exists("/etc/nv_tegra_release") is True:
        return "Tegra"
    if not root.listing("/sys/firmware"):
        return Unread("missing", "the device tree is not visible here")
    return None


def read_l4t(root: Root, jetson: Fact[str]) -> Fact[str]:
    """The Jetson Linux release of a Jetson, as ``36.4.3``, by the first line of /etc/nv_tegra_release."""
    if not isinstance(jetson, str):
        return jetson
    text = root.text("/etc/nv_tegra_release")
    if not isinstance(text, str):
        return text if isinstance(text, Unread) else Unread("missing", "there is no /etc/nv_tegra_release")
    from envcheck.read.machine_lines import tegra_release  # a Jetson's doctor alone needs it

    first = text.partition("\n")[0]
    return tegra_release(first) or Unread("garbled", f"/etc/nv_tegra_release begins: {first[:60]}")


def read_virtualization(root: Root, machine: Fact[str], flagged: bool | Unread) -> Fact[str]:
    """The hypervisor by DMI strings and the processor's own flag; ``None`` for bare metal."""
    strings = [root.text(f"{_DMI}/{name}") for name in ("product_name", "sys_vendor", "board_vendor", "bios_vendor")]
    told = [text for text in strings if isinstance(text, str)]
    product = strings[0]
    if not (isinstance(product, str) and product.endswith(".metal")):  # Amazon's bare-metal instances
        for text in told:
            for start, name in _MAKERS:
                if text.startswith(start):
                    return name
        if strings[1] == "Microsoft Corporation" and product == "Virtual Machine":  # a Surface has other products
            return "microsoft"
    xen = root.text("/sys/hypervisor/type")
    if isinstance(xen, str):
        return xen
    if flagged is True:
        return "other"
    if told or flagged is False:
        return None
    refused = [text for text in strings if isinstance(text, Unread)]
    return refused[0] if refused else Unread("missing", f"no DMI tables on {machine}")

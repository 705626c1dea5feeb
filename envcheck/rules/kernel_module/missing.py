"""The rules of a module that is not there or not loaded.  The decision stands in :mod:`.loading`."""

from __future__ import annotations

from envcheck.judge import Case, Fix, Rule, Step
from envcheck.rules.hardware.binding import rebuild_initramfs
from envcheck.rules.hardware.consequences import WITHOUT_MODULE

from .generations import oldest_capability
from .packages import build_module, families, install_driver, package_tool

FOLLOWS = ("driver-library-version-mismatch", *WITHOUT_MODULE)
LOADED = "cat /sys/module/nvidia/version && nvidia-smi"


class DriverNotInstalled(Rule):
    """There is an NVIDIA card, and no NVIDIA driver is installed.

    What it looks at
        The PCI bus, the kernel modules of all installed kernels, DKMS sources and the driver's libraries.
    Why it matters
        Every CUDA program, torch included, needs the driver; the libraries in torch's wheels do not replace it.
    How to mend it
        Install the distribution's driver package and restart.  Cards before Turing need branch 580.
    Cannot tell when
        /lib/modules or the library folders could not be read.  In containers and on WSL the driver is the host's.
    References
        NVIDIA driver installation guide, kernel modules; Ubuntu, ubuntu-drivers.
    """

    code, name, rung = "KMD101", "driver-not-installed", "kernel_module"
    explains = FOLLOWS

    @staticmethod
    def mend(case: Case) -> Fix:
        oldest = oldest_capability(case)
        old = oldest is not None and oldest < 75
        return Fix(
            title="Install the NVIDIA driver (not a CUDA toolkit) and restart",
            steps=install_driver(case, flavour="580" if old else "open"),
            safety="careful",
            verify="nvidia-smi && envcheck doctor",
        )


class KernelModuleNotLoaded(Rule):
    """The NVIDIA kernel module is installed for the running kernel and not loaded.

    What it looks at
        /sys/module/nvidia, the nvidia.ko files of the running kernel, and the lines in modprobe.d or on the kernel
        command line that keep the module from loading.
    Why it matters
        Without the module there are no device nodes, and neither nvidia-smi nor CUDA reaches the card.
    How to mend it
        Take away what forbids it, then `sudo modprobe nvidia`; the error that modprobe prints decides.
    Cannot tell when
        /sys could not be read.  In containers and on WSL the module is the host's.
    References
        NVML return code 9 (driver not loaded); modprobe.d(5).
    """

    code, name, rung = "KMD102", "kernel-module-not-loaded", "kernel_module"
    explains = FOLLOWS

    @staticmethod
    def mend(case: Case) -> Fix:
        blacklists = case.maybe(lambda: case.known("/driver/module_blacklists", list))
        steps = [Step(where="host", command="sudo modprobe nvidia", root=True, note="the error that it prints decides")]
        if isinstance(blacklists, list) and blacklists:
            steps.insert(0, Step(where="host", note=f"remove what forbids it: {blacklists[0]}"))
            steps[1:1] = rebuild_initramfs(case)
        return Fix(title="Load the kernel module", steps=steps, safety="careful", verify=LOADED)


class KernelModuleNotBuilt(Rule):
    """The NVIDIA driver has no kernel module for the running kernel.

    What it looks at
        The nvidia.ko files of the running kernel and of the others, their versions, DKMS, and the kernel headers.
    Why it matters
        After a kernel or driver update the module must be built or installed anew; until then there is no driver.
    How to mend it
        Install the ready-built module for this kernel, or its headers and let DKMS build; or start the previous kernel.
    Cannot tell when
        /lib/modules could not be read.  In containers and on WSL the module is the host's.
    References
        NVIDIA driver installation guide; dkms(8).
    """

    code, name, rung = "KMD103", "kernel-module-not-built", "kernel_module"
    explains = FOLLOWS

    @staticmethod
    def mend(case: Case) -> Fix:
        steps = build_module(case)
        if case.maybe(lambda: case.known("/driver/module_loaded", bool)) is True:  # the old one: it must go first
            steps[-1] = Step(where="host", command="sudo reboot", root=True, reboot=True)
        steps.append(
            Step(
                where="host",
                command="tail -n 30 /var/lib/dkms/nvidia/*/build/make.log",
                note="where the build fails: a newer driver for this kernel, or start the previous kernel",
            )
        )
        return Fix(title="Build or install the module for the running kernel", steps=steps, verify=LOADED)


class SecureBootUnsignedModule(Rule):
    """Secure Boot is on and the NVIDIA kernel module carries no signature, so the kernel refuses it.

    What it looks at
        The firmware's SecureBoot variable, and whether the module file of the running kernel is signed.
    Why it matters
        The kernel loads signed modules only while Secure Boot is on; an unsigned DKMS build is rejected at every start.
    How to mend it
        Sign with a key of your own and enrol it (at the console, after a restart), use the distribution's signed
        modules, or switch Secure Boot off.
    Cannot tell when
        The EFI variables are hidden, or the module is compressed, so that its signature cannot be seen.
    References
        Linux, kernel module signing; shim, MokManager.
    """

    code, name, rung = "KMD104", "secure-boot-unsigned-module", "kernel_module"
    explains = FOLLOWS

    @staticmethod
    def mend(case: Case) -> Fix:
        key, tool = "/var/lib/dkms/mok.pub", package_tool(case)
        if "ubuntu" in families(case):
            key = "/var/lib/shim-signed/mok/MOK.der"
        elif tool == "dnf":
            key = "/etc/pki/akmods/certs/public_key.der"
        return Fix(
            title="Enrol the key that signs the module",
            steps=[
                Step(
                    where="host",
                    command=f"sudo mokutil --import {key}",
                    root=True,
                    note="with NVIDIA's own dnf repository and plain DKMS: /var/lib/dkms/mok.pub"
                    if tool == "dnf"
                    else "it asks for a password that is needed once, at the next start",
                ),
                *build_module(case)[:-1],
                Step(
                    where="host",
                    command="sudo reboot",
                    root=True,
                    reboot=True,
                    note="at the console choose Enroll MOK; this cannot be done over ssh",
                ),
                Step(where="bios", note="instead: switch Secure Boot off"),
            ],
            safety="disruptive",
            verify="sudo modprobe nvidia && nvidia-smi",
        )


class NouveauConflict(Rule):
    """The free nouveau driver holds the card, so the installed NVIDIA module cannot take it.

    What it looks at
        The driver link of each NVIDIA card on the PCI bus, and whether an NVIDIA module for this kernel exists.
    Why it matters
        A card has one driver at a time.  A nouveau that is loaded and holds no card is harmless.
    How to mend it
        Blacklist nouveau, rebuild the initramfs, restart.  Only with an NVIDIA module installed: otherwise the
        display goes dark.
    Cannot tell when
        The PCI bus or /lib/modules could not be read.
    References
        NVIDIA open-gpu-kernel-modules, kernel-open/nvidia/nv.c; NVIDIA GPU Operator troubleshooting.
    """

    code, name, rung = "KMD105", "nouveau-conflict", "kernel_module"
    explains = ("kernel-module-not-loaded", "gpu-bound-to-other-driver", *FOLLOWS)

    @staticmethod
    def mend(case: Case) -> Fix:
        lines = "blacklist nouveau\\noptions nouveau modeset=0\\n"
        return Fix(
            title="Keep nouveau from loading and restart",
            steps=[
                Step(
                    where="host",
                    command=f"printf '{lines}' | sudo tee /etc/modprobe.d/blacklist-nouveau.conf",
                    root=True,
                ),
                *rebuild_initramfs(case),
                Step(where="host", command="sudo reboot", root=True, reboot=True),
            ],
            safety="disruptive",
            verify="lspci -nnk -d 10de:   # Kernel driver in use: nvidia",
        )

"""The rules of a module that does not drive this generation of cards.  The decision stands in :mod:`.loading`."""

from __future__ import annotations

from envcheck.judge import Case, Fix, Rule, Step
from envcheck.rules.hardware.consequences import WITHOUT_MODULE

from .generations import oldest_capability
from .packages import hold, install_driver, package_tool

REFUSED = ("kernel-module-not-loaded", "gpu-init-failed", "gsp-firmware-failure", *WITHOUT_MODULE)
"""A module whose only card it does not drive does not stay loaded."""


class OpenModuleUnsupportedGpu(Rule):
    """The open kernel modules are installed, and this card is too old for them.

    What it looks at
        The card's PCI id, the flavour of the loaded module or of the module file, and whether NVML lists the card.
    Why it matters
        The open modules need the GSP processor that cards have since Turing.  Maxwell, Pascal and Volta have none.
    How to mend it
        Install the proprietary flavour of branch 580, the last one for these cards, and hold it there.
    Cannot tell when
        The PCI id, the module's flavour or its version could not be read, or the id is not in the table.
    References
        NVIDIA open-gpu-kernel-modules, README and src/nvidia/arch/nvalloc/unix/src/osapi.c.
    """

    code, name, rung = "KMD106", "open-module-unsupported-gpu", "kernel_module"
    explains = REFUSED

    @staticmethod
    def mend(case: Case) -> Fix:
        return _legacy(case, "Install the proprietary module of branch 580 and hold it")


class ProprietaryModuleOnNewGpu(Rule):
    """The proprietary kernel module is loaded, and this card works with the open one only.

    What it looks at
        The card's PCI id, the flavour of the loaded module, and whether NVML lists the card.
    Why it matters
        From Blackwell on the closed module refuses the card at initialisation: `No devices were found`.
    How to mend it
        Install the open flavour of the same branch and restart.
    Cannot tell when
        The PCI id or the flavour could not be read, NVML gave no answer, or the id is not in the table.
    References
        NVIDIA driver README, open kernel modules; kernel log "requires use of the NVIDIA open kernel modules".
    """

    code, name, rung = "KMD107", "proprietary-module-on-new-gpu", "kernel_module"
    explains = REFUSED

    @staticmethod
    def mend(case: Case) -> Fix:
        version = case.maybe(lambda: case.first(str, "/driver/sys_module", "/driver/proc"))
        branch = version.split(".")[0] if isinstance(version, str) else "580"
        by_tool = {
            "apt": Step(
                where="host", tool="apt", command=f"sudo apt-get install nvidia-driver-{branch}-open", root=True
            ),
            "dnf": Step(where="host", tool="dnf", command="sudo dnf install --allowerasing nvidia-open", root=True),
            "pacman": Step(where="host", tool="pacman", command="sudo pacman -S nvidia-open", root=True),
        }
        tool = package_tool(case)
        return Fix(
            title="Install the open flavour of the kernel module and restart",
            steps=[
                *([by_tool[tool]] if tool in by_tool else list(by_tool.values())),
                Step(where="host", command="sudo reboot", root=True, reboot=True),
            ],
            safety="disruptive",
            verify="cat /proc/driver/nvidia/version   # Open Kernel Module; then nvidia-smi -L",
        )


class DriverDroppedGpuArch(Rule):
    """The installed driver branch no longer drives cards of this generation.

    What it looks at
        The card's PCI id, the branch of the module or of its libraries, and whether NVML lists the card.
    Why it matters
        The branch after 580 has no Maxwell, Pascal and Volta; the one after 470 no Kepler.  The module then ignores
        the card.
    How to mend it
        Install the last branch that has it, and hold that branch against upgrades.
    Cannot tell when
        The PCI id or the driver's version could not be read, or the id is not in the table.
    References
        NVIDIA CUDA toolkit, driver and architecture matrix; NixOS/nixos-hardware issues 1880 and 1828.
    """

    code, name, rung = "KMD108", "driver-dropped-gpu-arch", "kernel_module"
    explains = ("open-module-unsupported-gpu", *REFUSED)

    @staticmethod
    def mend(case: Case) -> Fix:
        return _legacy(case, "Go back to the last driver branch that drives this card, and hold it")


def _legacy(case: Case, title: str) -> Fix:
    oldest = oldest_capability(case)
    if oldest is not None and oldest < 50:
        step = Step(
            where="browser",
            command="https://www.nvidia.com/en-us/drivers/unix/",
            note="branch 470 is the last one for Kepler; CUDA 11 is the newest that it runs",
        )
        return Fix(title=title, steps=[step], safety="disruptive", verify="nvidia-smi -L")
    steps = install_driver(case, flavour="580")
    steps.insert(-1, hold(case, "nvidia-driver-580"))
    return Fix(title=title, steps=steps, safety="disruptive", verify="nvidia-smi -L")

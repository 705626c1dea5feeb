"""Which driver holds the card?  Each card of the bus apart from the others."""

from __future__ import annotations

from shlex import quote

from envcheck.judge import Case, Fix, NotApplicable, Problem, Rule, Severity, Step, question
from envcheck.rules.presence import pci_cards

from .consequences import WITHOUT_CARD
from .machine import PASSTHROUGH, asks_for_gpu, require_bare_linux, tell

OURS = frozenset({"nvidia", "nvidia-nvlink"})


class GpuBoundToOtherDriver(Rule):
    """Another kernel driver than NVIDIA's holds the card, so CUDA cannot use it.

    What it looks at
        The driver link of the card in /sys/bus/pci, its driver_override, and what holds the other cards.  nouveau is
        judged with the kernel module.
    Why it matters
        A card that vfio-pci holds belongs to a virtual machine.  That is often meant, on a hypervisor always.
    How to mend it
        Passed through on purpose: look inside the guest.  Otherwise take the override out of the kernel command line
        or /etc/modprobe.d, rebuild the initramfs and restart.
    Cannot tell when
        The PCI bus could not be read.  In a container the binding is the host's business.
    References
        NVIDIA open-gpu-kernel-modules, kernel-open/nvidia/nv.c ("probe routine was not called"); Linux, vfio.
    """

    code, name, rung = "HWD104", "gpu-bound-to-other-driver", "hardware"
    explains = ("kernel-module-not-loaded", "gpu-init-failed", *WITHOUT_CARD)

    @staticmethod
    def mend(case: Case) -> Fix:
        card = case.subject.places.get("pci")
        driver = case.maybe(lambda: case.known(f"{card}/driver", str)) if card else None
        first = Step(
            where="host",
            command="grep -rn 'vfio-pci\\|10de:' /etc/modprobe.d /proc/cmdline",
            note="shows the line that binds it; remove it",
        )
        if isinstance(driver, str) and driver not in PASSTHROUGH:
            line = quote(f"blacklist {driver}")
            first = Step(where="host", command=f"echo {line} | sudo tee /etc/modprobe.d/nvidia-first.conf", root=True)
        return Fix(
            title="Give the card back to the nvidia driver, unless it is meant for a virtual machine",
            steps=[
                first,
                *rebuild_initramfs(case),
                Step(where="host", command="sudo reboot", root=True, reboot=True),
            ],
            safety="disruptive",
            verify="lspci -nnk -d 10de:   # Kernel driver in use: nvidia",
        )


def rebuild_initramfs(case: Case) -> list[Step]:
    """The command that rebuilds the initramfs on this distribution; all of them where it is not known."""
    commands = {
        "apt": "sudo update-initramfs -u",
        "dnf": "sudo dracut -f",
        "pacman": "sudo mkinitcpio -P",
    }
    from envcheck.rules.kernel_module.packages import package_tool

    tool = package_tool(case)
    chosen = {tool: commands[tool]} if tool in commands else commands
    return [Step(where="host", tool=name, command=command, root=True) for name, command in chosen.items()]


@question("gpu", GpuBoundToOtherDriver)
def which_driver_holds_the_card(case: Case) -> Problem | None:
    """nvidia is right; none at all is another question's answer; all others are named."""
    require_bare_linux(case)
    others = pci_cards(case)
    card = case.at("pci")
    driver = case.known(f"{card}/driver", str)
    if driver is None or driver in OURS or driver == "nouveau":
        return None
    if card not in others:
        raise NotApplicable("a virtual function, which a vGPU guest uses")
    bound = [case.known(f"{other}/driver", str) for other in others if other != card]
    severity: Severity = "error" if asks_for_gpu(case) and "nvidia" not in bound else "note"
    meant = " for a virtual machine" if driver in PASSTHROUGH else ""
    return case.problem(
        GpuBoundToOtherDriver,
        f"{case.subject.label} is held by {driver}, not by nvidia",
        cause=f"{driver} took the card{meant}; programs on this machine cannot use it",
        evidence=[f"{card}/driver", *tell(case, f"{card}/driver_override", "/host/kernel_cmdline")],
        fix=GpuBoundToOtherDriver.mend(case),
        severity=severity,
    )

"""The rules of a card that does not answer.  The decision stands in :mod:`.cards`."""

from __future__ import annotations

from envcheck.judge import Case, Fix, Rule, Step
from envcheck.rules.hardware.consequences import WITHOUT_CARD

FATAL_ACTIONS = frozenset({"gpu_reset", "node_reboot", "drain_and_reset"})
"""Recovery actions after which the card computes nothing; the others concern links between cards (nvml.h)."""

GONE = (
    "xid-in-log",
    "nvlink-inactive",
    "nvswitch-fatal",
    "pcie-link-degraded",
    "pcie-replay-or-aer-errors",
    "nccl-unhandled-error",
    *WITHOUT_CARD,
)


def gpu_number(case: Case) -> str:
    """What nvidia-smi's -i takes for the card: its number, or its bus id where the driver does not list it."""
    at = case.subject.places.get("nvml") or case.subject.places.get("smi", "")
    if at:
        return at.rpartition("/")[2]
    bus = case.maybe(lambda: case.known(f"{case.at('pci')}/address", str))
    return bus if isinstance(bus, str) else "<number>"


class GpuFallenOffBus(Rule):
    """The card has fallen off the PCIe bus: the driver no longer reaches it.

    What it looks at
        NVML's return code 15 for this card while others answer, or an unknown error with a matching record (Xid 79)
        in the kernel log.
    Why it matters
        Its link died under load: power, heat, riser, slot or firmware.  Jobs on it are lost, and it does not come back
        by itself.
    How to mend it
        Drain the machine and start it cold (power off, not a restart).  When it comes back within days: reseat the
        card, change its power cable, return it.
    Cannot tell when
        NVML does not answer, or the kernel log may not be read and NVML gives an unknown error.
    References
        NVIDIA Xid 79; NVIDIA open-gpu-kernel-modules, osapi.c; NVML return code 15.
    """

    code, name, rung = "HWD105", "gpu-fallen-off-bus", "hardware"
    explains = GONE

    @staticmethod
    def mend(case: Case) -> Fix:
        return Fix(
            title="Stop the jobs and switch the machine off and on again",
            steps=[
                Step(where="host", command="sudo nvidia-bug-report.sh", root=True, note="keeps the evidence"),
                Step(where="host", command="sudo poweroff", root=True, reboot=True, note="then on again: a cold start"),
                Step(where="bios", note="if it comes back: reseat the card and its power cables, try another slot"),
            ],
            safety="disruptive",
            verify="nvidia-smi -L, and ten minutes of load without an Xid in the kernel log",
        )


class GpuAuxPowerMissing(Rule):
    """The card's auxiliary power connector is not attached, or does not deliver.

    What it looks at
        NVML's return code 8 for this card.
    Why it matters
        The slot alone cannot feed it; the driver refuses to run it.  A lowered power cap is something else.
    How to mend it
        Switch off and attach every power connector, each from a lead of its own.
    Cannot tell when
        NVML does not answer.
    References
        NVML return code 8 (insufficient power); NVIDIA Xid 54.
    """

    code, name, rung = "HWD106", "gpu-aux-power-missing", "hardware"
    explains = GONE

    @staticmethod
    def mend(case: Case) -> Fix:
        return Fix(
            title="Attach every power connector of the card",
            steps=[
                Step(where="host", command="sudo poweroff", root=True, reboot=True),
                Step(where="bios", note="attach all of the card's power connectors, each from a lead of its own"),
            ],
            safety="disruptive",
            verify="nvidia-smi",
        )


class PcieBarUnassigned(Rule):
    """The firmware gave the card no memory window (BAR1), so the driver cannot take it.

    What it looks at
        The card's second memory region in /sys/bus/pci, of a card that NVML does not list.
    Why it matters
        The BIOS lacks decoding above 4 GB, or a virtual machine's window for devices is too small.
    How to mend it
        Enable Above 4G Decoding (and Resizable BAR) in the BIOS, or enlarge the 64-bit window of the virtual machine.
    Cannot tell when
        The card's resource file could not be read, or NVML gave no answer.
    References
        NVIDIA open-gpu-kernel-modules, kernel-open/nvidia/nv-pci.c; Linux ABI documentation, sysfs-bus-pci.
    """

    code, name, rung = "HWD107", "pcie-bar-unassigned", "hardware"
    explains = ("kernel-module-not-loaded", "gpu-init-failed", *WITHOUT_CARD)

    @staticmethod
    def mend(case: Case) -> Fix:
        hypervisor = case.maybe(lambda: case.known("/host/virtualization", str))
        if isinstance(hypervisor, str):
            steps = [
                Step(
                    where="host",
                    note="on the virtualisation host: give the virtual machine a larger 64-bit MMIO window "
                    "(OVMF, QEMU: -fw_cfg opt/ovmf/X-PciMmio64Mb)",
                )
            ]
        else:
            steps = [
                Step(where="bios", note="enable Above 4G Decoding, then Resizable BAR"),
                Step(
                    where="host",
                    note="where the BIOS has no such setting: add pci=realloc to the kernel command line",
                ),
            ]
        return Fix(
            title="Give the card a window above 4 GB",
            steps=steps,
            safety="disruptive",
            verify="lspci -vv -d 10de: | grep 'Region 1'",
        )


class GpuInitFailed(Rule):
    """The kernel module is loaded and did not take this card.

    What it looks at
        Cards of the PCI bus that NVML does not list, or cannot open, and the module's own records in the kernel log.
    Why it matters
        nvidia-smi says `No devices were found` or leaves the card out; CUDA does not see it.
    How to mend it
        Read the NVRM lines of the kernel log; else a cold start, a BIOS update, another slot, a newer driver branch.
    Cannot tell when
        NVML gave no answer; in containers and jobs the bus shows cards of others.  Without the kernel log the reason
        stays open.
    References
        NVIDIA open-gpu-kernel-modules, src/nvidia/arch/nvalloc/unix/src/osinit.c (RmInitAdapter).
    """

    code, name, rung = "KMD111", "gpu-init-failed", "kernel_module"
    explains = WITHOUT_CARD

    @staticmethod
    def mend(case: Case) -> Fix:
        return Fix(
            title="Read what the driver says of the card, then start cold",
            steps=[
                Step(where="host", command="sudo dmesg | grep -E 'NVRM|nvidia' | tail -n 40", root=True),
                Step(where="host", command="sudo poweroff", root=True, reboot=True, note="then on again: a cold start"),
                Step(where="bios", note="if that does not help: BIOS update, another slot, a newer driver branch"),
            ],
            safety="disruptive",
            verify="nvidia-smi -L",
        )


class GspFirmwareFailure(Rule):
    """The card's GSP processor does not run its firmware, so the driver cannot initialise the card.

    What it looks at
        The module's records in the kernel log (RmInitAdapter 0x60 to 0x63, Xid 119 and 120), and the firmware files of
        the loaded driver's version.
    Why it matters
        The open module does everything through this processor; after a partial upgrade its firmware is missing.
    How to mend it
        Firmware missing: reinstall the driver package and restart.  Firmware there: reset the card or restart, then
        update the branch.
    Cannot tell when
        The kernel log or /lib/firmware could not be read.
    References
        NVIDIA Xid 119 and 120; NVIDIA open-gpu-kernel-modules, osinit.c and issues 246 and 789.
    """

    code, name, rung = "KMD112", "gsp-firmware-failure", "kernel_module"
    explains = ("gpu-init-failed", "xid-in-log", *WITHOUT_CARD)

    @staticmethod
    def mend(case: Case) -> Fix:
        firmware = case.maybe(lambda: case.known("/driver/gsp_firmware", list))
        if firmware == []:
            from envcheck.rules.kernel_module.packages import install_driver

            return Fix(
                title="Install the firmware of the loaded driver version: reinstall the driver",
                steps=install_driver(case),
                safety="careful",
                verify="ls /lib/firmware/nvidia/*/gsp_*.bin && nvidia-smi -L",
            )
        return Fix(
            title="Reset the card, or restart the machine",
            steps=[
                Step(where="host", command=f"sudo nvidia-smi --gpu-reset -i {gpu_number(case)}", root=True),
                Step(where="host", command="sudo reboot", root=True, reboot=True, note="where the reset is refused"),
            ],
            safety="disruptive",
            verify="nvidia-smi -L",
        )


class NvmlResetRequired(Rule):
    """The card needs a reset before it computes again.

    What it looks at
        NVML's return code 16 for this card, and the recovery action that newer drivers report (field 230).
    Why it matters
        A fault (Xid 48, 95, 140, 143 and others) left it unusable; new jobs on it fail.
    How to mend it
        Stop the jobs on it and reset it; or restart the machine where the action says so.
    Cannot tell when
        The driver does not report a recovery action, and the card otherwise answers.
    References
        NVML return code 16 and field 230; NVIDIA DCGM, GPU_RECOVERY codes; NVIDIA Xid 154.
    """

    code, name, rung = "NVM104", "nvml-reset-required", "nvml"
    explains = ("xid-in-log", *WITHOUT_CARD)

    @staticmethod
    def mend(case: Case) -> Fix:
        at = case.subject.places.get("nvml")
        action = case.maybe(lambda: case.known(f"{at}/recovery_action", str)) if at else None
        restart = Step(where="host", command="sudo reboot", root=True, reboot=True)
        if action == "node_reboot":
            return Fix(title="Restart the machine", steps=[restart], safety="disruptive", verify="nvidia-smi -L")
        if action == "recover_imex":
            return Fix(
                title="Recover the IMEX domain",
                steps=[Step(where="host", command="sudo systemctl restart nvidia-imex", root=True)],
                safety="disruptive",
                verify="nvidia-imex-ctl -N",
            )
        number = gpu_number(case)
        return Fix(
            title="Stop the jobs on the card and reset it",
            steps=[
                Step(where="host", command=f"nvidia-smi --query-compute-apps=pid,name --format=csv -i {number}"),
                Step(where="host", command=f"sudo nvidia-smi --gpu-reset -i {number}", root=True),
                Step(
                    where="host",
                    command="sudo reboot",
                    root=True,
                    reboot=True,
                    note="where the reset is refused: a card with a display, or inside a virtual machine",
                ),
            ],
            safety="disruptive",
            verify=f"nvidia-smi -q -i {number} | grep -i 'recovery action'",
        )

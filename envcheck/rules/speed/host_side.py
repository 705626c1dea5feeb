"""Does the host keep the card waiting?  Processors, memory, network: what slows a GPU from outside."""

from __future__ import annotations

from envcheck.judge import Case, Fix, NotApplicable, Problem, Rule, Step, by_message, question
from envcheck.rules.gauges import gauges
from envcheck.rules.presence import has_card

MIB = 1 << 20


class CpuGovernorPowersave(Rule):
    """The processor saves power, which slows programs that launch many small kernels.

    What it looks at
        cpu0's frequency governor, its energy preference, and whether the machine runs on battery.
    Why it matters
        Launching kernels is work of one core; at a low clock the card waits for it.
    How to mend it
        Choose the performance governor for the run; plug a laptop in.
    Cannot tell when
        The governor cannot be read (virtual machines and containers often hide it).
    References
        Linux CPU performance scaling documentation; facebookresearch/gcm check_processor.
    """

    code, name, rung = "SPD301", "cpu-governor-powersave", "speed"
    severity = "note"

    @staticmethod
    def mend(case: Case) -> Fix:
        return Fix(
            title="Let the processor run at full clock",
            steps=[Step(where="host", command="sudo cpupower frequency-set -g performance", root=True)],
            verify="cat /sys/devices/system/cpu/cpu0/cpufreq/scaling_governor",
        )


@question("host", CpuGovernorPowersave)
def does_the_processor_save_power(case: Case) -> Problem | None:
    """With intel_pstate the governor is called powersave on healthy machines: the energy preference decides there."""
    if not has_card(case):
        raise NotApplicable("there is no NVIDIA card to keep waiting")
    governor = case.present("/host/cpu_governor", str)
    if governor != "powersave":
        return None
    preference = case.known("/host/cpu_energy_preference", str)
    if preference is None or preference in ("performance", "balance_performance", "default"):
        return None
    return case.problem(
        CpuGovernorPowersave,
        f"the processor runs in {governor} with the preference {preference}",
        cause="the system's power policy favours battery life",
        evidence=["/host/cpu_governor", "/host/cpu_energy_preference"],
        fix=CpuGovernorPowersave.mend(case),
    )


class OmpThreadsOne(Rule):
    """OMP_NUM_THREADS allows more threads than this process has processors.

    What it looks at
        OMP_NUM_THREADS against the processors that the process may use and its CPU quota.
    Why it matters
        Threads that share a processor wait for each other; CPU operations and data loading slow down.
    How to mend it
        Set it to the processors per process.
    Cannot tell when
        The environment or the affinity cannot be read.
    References
        torch/distributed/run.py; OpenMP specification, OMP_NUM_THREADS.
    """

    code, name, rung = "SPD302", "omp-threads-one", "speed"
    severity = "warning"

    @staticmethod
    def mend(case: Case) -> Fix:
        return Fix(
            title="Give each process the threads that it has processors for",
            steps=[Step(where="env", command="export OMP_NUM_THREADS=$(( $(nproc) / <processes on this node> ))")],
            verify='python -c "import torch; print(torch.get_num_threads())"',
        )


@question("host", OmpThreadsOne)
def do_the_threads_fit(case: Case) -> Problem | None:
    """One thread is torchrun's default and a choice; too many is never right."""
    found = case.variable("OMP_NUM_THREADS")
    if found is None:
        raise NotApplicable("OMP_NUM_THREADS is not set")
    pointer, value = found
    first = value.split(",")[0].strip()
    if not first.isdigit():
        raise NotApplicable("OMP_NUM_THREADS is no number")
    allowed = case.present("/host/cpus_allowed", int)
    quota = case.known("/host/cpu_quota", float)
    room = min(allowed, quota) if quota is not None else allowed
    if int(first) <= max(1.0, room):
        return None
    return case.problem(
        OmpThreadsOne,
        f"OMP_NUM_THREADS={first}, and this process has {room:g} processors",
        cause="the variable was set for another machine or for a process alone on it",
        evidence=[pointer, "/host/cpus_allowed", "/host/cpu_quota"],
        fix=OmpThreadsOne.mend(case),
    )


class DataloaderWorkersMismatch(Rule):
    """A data loader starts more workers than there are processors, or the notebook's platform cannot start any.

    What it looks at
        torch's warning about the number of DataLoader workers.
    Why it matters
        Workers that share a processor make loading slower, not faster.
    How to mend it
        As many workers as the process has processors; a container's CPU quota, which torch does not see, counts too.
    Cannot tell when
        No message was seen.
    References
        torch/utils/data/dataloader.py.
    """

    code, name, rung = "SPD303", "dataloader-workers-mismatch", "speed"
    severity = "warning"

    @staticmethod
    def mend(case: Case) -> Fix:
        allowed = case.maybe(lambda: case.known("/host/cpus_allowed", int))
        quota = case.maybe(lambda: case.known("/host/cpu_quota", float))
        room = allowed if isinstance(allowed, int) else None
        if room is not None and isinstance(quota, float):
            room = max(1, min(room, int(quota)))
        return Fix(
            title="Start as many workers as there are processors",
            steps=[
                Step(where="env", command=f"DataLoader(…, num_workers={room or '<processors>'})", note="in the program")
            ],
            verify="run the program again",
        )


class CpuFallback(Rule):
    """The program computes on the processor although a card is there.

    What it looks at
        A message that says the device fell back to the CPU.
    Why it matters
        Training runs, ten to a hundred times slower, and nothing fails.
    How to mend it
        Demand the device instead of falling back in silence, and move model and data to it.
    Cannot tell when
        No message was seen.
    References
        PyTorch documentation, torch.device.
    """

    code, name, rung = "SPD304", "cpu-fallback", "speed"

    @staticmethod
    def mend(case: Case) -> Fix:
        return Fix(
            title="Demand the card in the program",
            steps=[
                Step(where="env", command="assert torch.cuda.is_available()", note="in the program, before training")
            ],
            verify="nvidia-smi   # the program's pid is listed",
        )


does_the_program_use_the_card = by_message("does_the_program_use_the_card", "host", CpuFallback)
do_the_workers_fit = by_message("do_the_workers_fit", "host", DataloaderWorkersMismatch)


class GdrModuleMissing(Rule):
    """Cards and network adapters cannot exchange data directly between nodes.

    What it looks at
        nvidia_peermem and the kernel module's flavour on a machine with InfiniBand or RoCE adapters.
    Why it matters
        Traffic between nodes then takes the way through host memory, at a fraction of the bandwidth.
    How to mend it
        Load nvidia_peermem, or use the open kernel module on Linux 5.12 or newer, which offers DMA-BUF.
    Cannot tell when
        /sys/module or /sys/class/infiniband cannot be read.
    References
        NCCL user guide, GPUDirect RDMA; leptonai/gpud, peermem.
    """

    code, name, rung = "SPD401", "gdr-module-missing", "speed"
    severity = "warning"

    @staticmethod
    def mend(case: Case) -> Fix:
        return Fix(
            title="Load the peer memory module",
            steps=[Step(where="host", command="sudo modprobe nvidia-peermem", root=True)],
            verify="NCCL_DEBUG=INFO torchrun …   # the log says GDRDMA",
        )


class IbLinkDownOrFlapping(Rule):
    """A port of a network adapter is not active.

    What it looks at
        The state of each port below /sys/class/infiniband.
    Why it matters
        Jobs over several nodes go around it, or fail.
    How to mend it
        Check cable and switch port; unused ports are no fault.
    Cannot tell when
        /sys/class/infiniband cannot be read.
    References
        leptonai/gpud, infiniband; Azure azurehpc-health-checks.
    """

    code, name, rung = "SPD402", "ib-link-down-or-flapping", "speed"
    severity = "note"

    @staticmethod
    def mend(case: Case) -> Fix:
        return Fix(
            title="Check the cable and the switch port",
            steps=[Step(where="host", command="ibstat   # or: rdma link")],
            verify="cat /sys/class/infiniband/*/ports/*/state",
        )


@question("host", GdrModuleMissing, IbLinkDownOrFlapping)
def is_the_network_ready_for_gpus(case: Case) -> Problem | None:
    """Only machines with such adapters and a loaded driver are asked; a dead port among living ones is told first."""
    ports = case.known("/host/infiniband", list) or []
    if not ports:
        raise NotApplicable("there is no InfiniBand or RoCE adapter")
    if not case.known("/driver/module_loaded", bool):
        raise NotApplicable("the NVIDIA kernel module is not loaded")
    active = [port for port in ports if "ACTIVE" in str(port)]
    direct = bool(case.known("/driver/peermem_loaded", bool)) or bool(case.known("/driver/open_module", bool))
    if active and not direct:
        return case.problem(
            GdrModuleMissing,
            f"{len(active)} network ports are active and nvidia_peermem is not loaded",
            cause="neither the peer memory module nor the open kernel module's DMA-BUF is there",
            evidence=["/host/infiniband", "/driver/peermem_loaded", "/driver/open_module"],
            fix=GdrModuleMissing.mend(case),
        )
    if active and len(active) < len(ports):
        return case.problem(
            IbLinkDownOrFlapping,
            f"{len(ports) - len(active)} of {len(ports)} network ports are not active",
            cause="cable, switch port or configuration; ports that nobody uses are no fault",
            evidence=["/host/infiniband"],
            fix=IbLinkDownOrFlapping.mend(case),
        )
    return None


class ResizableBarOff(Rule):
    """The processor sees only 256 MiB of the card's memory at a time.

    What it looks at
        The size of BAR1 against the card's memory.
    Why it matters
        Peer-to-peer and uploads profit from a large BAR; training hardly does.  On T4 and on boards without the
        setting 256 MiB is what they are.
    How to mend it
        BIOS: Above 4G Decoding and Resizable BAR.
    Cannot tell when
        The driver does not answer for this card.
    References
        NVIDIA/open-gpu-kernel-modules, nv-pci.c.
    """

    code, name, rung = "SPD501", "resizable-bar-off", "speed"
    severity = "note"
    pedantic = True

    @staticmethod
    def mend(case: Case) -> Fix:
        return Fix(
            title="Switch Resizable BAR on, if peer traffic matters",
            steps=[Step(where="bios", note="Above 4G Decoding: on; Resizable BAR: on")],
            verify="nvidia-smi -q -d MEMORY | grep -A 3 BAR1",
        )


@question("gpu", ResizableBarOff)
def is_the_bar_small(case: Case) -> Problem | None:
    """Cards from Ampere on can resize; older ones cannot."""
    at = gauges(case)
    if case.present(f"{at}/compute_capability", int) < 80:
        raise NotApplicable("cards before Ampere cannot resize BAR1")
    bar, memory = case.present(f"{at}/bar1_total_bytes", int), case.present(f"{at}/memory_total_bytes", int)
    if bar > 256 * MIB or memory <= 256 * MIB:
        return None
    return case.problem(
        ResizableBarOff,
        f"{case.subject.label}: BAR1 is {bar // MIB} MiB, the memory {memory // MIB:,} MiB",
        cause="Resizable BAR is off in the BIOS, or the board has none",
        evidence=[f"{at}/bar1_total_bytes", f"{at}/memory_total_bytes"],
        fix=ResizableBarOff.mend(case),
    )


class Tf32Off(Rule):
    """float32 matrix products run at a fraction of the card's speed, because TF32 is not allowed.

    What it looks at
        The hint that torch's compiler prints.
    Why it matters
        torch's default is exact float32; on Ampere and newer TF32 is five to eight times faster at about three
        digits.  It is a choice, not a fault.
    How to mend it
        Allow it in the program, if three digits in products are enough.
    Cannot tell when
        No message was seen.
    References
        PyTorch documentation, torch.set_float32_matmul_precision.
    """

    code, name, rung = "NUM102", "tf32-off", "numerics"
    severity = "note"

    @staticmethod
    def mend(case: Case) -> Fix:
        return Fix(
            title="Allow TF32, if three digits in products are enough",
            steps=[Step(where="env", command="torch.set_float32_matmul_precision('high')", note="in the program")],
            verify="envcheck bench",
        )


is_exact_float32_slow = by_message("is_exact_float32_slow", "host", Tf32Off)

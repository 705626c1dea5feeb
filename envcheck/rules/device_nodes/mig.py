"""Can the MIG instances of a card be opened?  Each has capability nodes of its own."""

from __future__ import annotations

from envcheck.facts import DeviceNode, MigDevice
from envcheck.judge import CannotTell, Case, Fix, NotApplicable, Problem, Rule, Step, question
from envcheck.rules.hardware.consequences import TORCH
from envcheck.rules.hardware.machine import answering_card, require_own_driver, tell

NODE = "/dev/nvidia-caps/nvidia-cap{}"
NO_DEVICE, NOT_SUPPORTED = 100, 801  # CUresult of cuda.h


class MigCapsNodeMissing(Rule):
    """The capability nodes of the card's MIG instances are missing or closed, so CUDA cannot use them.

    What it looks at
        cuInit's return code (100 or 801), the MIG devices that NVML lists, the minors of their access files, and the
        nodes /dev/nvidia-caps/nvidia-capN.
    Why it matters
        An instance is opened through two nodes of its own.  Those of configuration and monitoring (cap1, cap2) are for
        root only and mean nothing.
    How to mend it
        On a host let nvidia-modprobe make them; for containers write the CDI specification anew.
    Cannot tell when
        The driver's list of minors or /dev could not be read.
    References
        NVIDIA Multi-Instance GPU user guide, device nodes; NVIDIA/nvidia-modprobe.
    """

    code, name, rung = "DEV105", "mig-caps-node-missing", "device_nodes"
    explains = ("cuda-init-unknown-error", "cvd-mig-form", *TORCH)

    @staticmethod
    def mend(case: Case) -> Fix:
        if isinstance(case.maybe(lambda: case.known("/container/engine", str)), str):
            return Fix(
                title="Hand the instance's nodes to the container: write the CDI specification anew",
                steps=[
                    Step(
                        where="container_host",
                        command="sudo systemctl restart nvidia-cdi-refresh.service",
                        root=True,
                        note="it does not watch MIG: restart it after each change of the instances",
                    ),
                    Step(where="container_host", note="then create the container anew"),
                ],
                safety="careful",
                verify="ls -l /dev/nvidia-caps",
            )
        wanted = case.maybe(lambda: _access_files(case))
        paths = wanted if isinstance(wanted, list) and wanted else ["gpu0/gi1/access", "gpu0/gi1/ci0/access"]
        files = " ".join(f"-f /proc/driver/nvidia/capabilities/{_with_mig(path)}" for path in paths)
        return Fix(
            title="Make the nodes of the instances",
            steps=[Step(where="host", command=f"sudo nvidia-modprobe {files}", root=True)],
            verify="ls -l /dev/nvidia-caps && envcheck doctor",
        )


@question("gpu", MigCapsNodeMissing)
def can_the_mig_instances_be_opened(case: Case) -> Problem | None:
    """Judged only where CUDA found no device: on a host the nodes are made on demand."""
    require_own_driver(case)
    at = answering_card(case)
    if not case.known(f"{at}/mig_mode", bool) or not case.records(f"{at}/mig_devices", MigDevice):
        raise NotApplicable("no MIG instances")
    if case.known("/cuda/library", str) is None or case.known("/cuda/init_code", int) not in (NO_DEVICE, NOT_SUPPORTED):
        return None
    minors = _minors(case)
    nodes = {node.path: pointer for pointer, node in case.records("/devices/nodes", DeviceNode)}
    absent: list[str] = []
    usable = 0
    for instance in _instances(case):
        missing = []
        for path in instance:
            if path not in minors:
                raise CannotTell(f"the driver's list has no minor for {path}", "/devices/mig_minors")
            node = NODE.format(minors[path])
            if node not in nodes or case.known(f"{nodes[node]}/accessible", bool) is False:
                missing.append(node)
        absent += missing
        usable += not missing
    if usable:
        return None
    inside = isinstance(case.maybe(lambda: case.known("/container/engine", str)), str)
    return case.problem(
        MigCapsNodeMissing,
        f"{case.subject.label}: no MIG instance can be opened (no access to {', '.join(dict.fromkeys(absent))})",
        cause=f"the capability nodes of the instances were not {'handed to this container' if inside else 'made'}",
        evidence=tell(case, "/cuda/init_code", f"{at}/mig_mode", "/devices/mig_minors", "/container/engine"),
        fix=MigCapsNodeMissing.mend(case),
    )


def _minors(case: Case) -> dict[str, int]:
    """``gpu0/gi1/access`` → minor, from lines such as ``gpu0/gi1/access 12``."""
    found = {}
    for line in case.known("/devices/mig_minors", list) or []:
        path, _, minor = line.strip().rpartition(" ")
        if minor.isdigit():
            found[path] = int(minor)
    return found


def _instances(case: Case) -> list[tuple[str, str]]:
    """For each MIG device the access files of its GPU instance and of its compute instance."""
    at = answering_card(case)
    card = case.known(f"{at}/minor", int)
    found = []
    for pointer, _ in case.records(f"{at}/mig_devices", MigDevice):
        outer, inner = case.known(f"{pointer}/gpu_instance", int), case.known(f"{pointer}/compute_instance", int)
        found.append((f"gpu{card}/gi{outer}/access", f"gpu{card}/gi{outer}/ci{inner}/access"))
    return found


def _access_files(case: Case) -> list[str]:
    return list(dict.fromkeys(path for pair in _instances(case) for path in pair))


def _with_mig(path: str) -> str:
    """The list of minors leaves out the folder ``mig`` that the files stand in."""
    card, _, rest = path.partition("/")
    return f"{card}/mig/{rest}"

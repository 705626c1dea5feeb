"""Did this pod ask for the GPUs that it sees?"""

from __future__ import annotations

from envcheck.judge import Case, Fix, NotApplicable, Problem, Rule, Step, question
from envcheck.rules.presence import pci_cards

from .container import VISIBLE


class K8sUnrequestedGpuVisible(Rule):
    """This pod sees every GPU of its node, although it seems to have asked for none.

    What it looks at
        NVIDIA_VISIBLE_DEVICES=all inside a pod that sees all of the node's cards.  The device plugin names single
        cards, so the value comes from the image; a pod that was given all cards by CDI looks the same.
    Why it matters
        Pods that asked for GPUs share them with this one, unknown to the scheduler.
    How to mend it
        Ask for GPUs by a limit; set NVIDIA_VISIBLE_DEVICES=void in pods that need none.
    Cannot tell when
        The variables, the PCI bus or NVML could not be read.
    References
        NVIDIA/k8s-device-plugin README; NVIDIA Container Toolkit, configuration of unprivileged containers.
    """

    code, name, rung = "CON105", "k8s-unrequested-gpu-visible", "device_nodes"
    severity = "warning"
    pedantic = True

    @staticmethod
    def mend(case: Case) -> Fix:
        return Fix(
            title="Let the scheduler give GPUs, not the image",
            steps=[
                Step(
                    where="container_host",
                    command="resources: {limits: {nvidia.com/gpu: 1}}",
                    note="pods that need one",
                ),
                Step(
                    where="container_host",
                    command=f"env: [{{name: {VISIBLE}, value: void}}]",
                    note="pods that need none",
                ),
            ],
            safety="careful",
            verify="nvidia-smi -L   # in a pod without a limit: no device",
        )


@question("host", K8sUnrequestedGpuVisible)
def did_this_pod_ask_for_its_gpus(case: Case) -> Problem | None:
    """Inside a pod the limits are not visible: what is seen is where the variable cannot come from."""
    if case.known("/container/engine", str) != "kubernetes":
        raise NotApplicable("not inside a Kubernetes pod")
    value = case.variable(VISIBLE)
    if value is None or value[1] != "all":
        return None
    count = case.known("/nvml/device_count", int) if case.known("/nvml/init_code", int) == 0 else 0
    if not count or count < len(pci_cards(case)):
        return None
    return case.problem(
        K8sUnrequestedGpuVisible,
        f"this pod sees every GPU of its node ({count})",
        cause=f"{VISIBLE}=all, which the image sets and the device plugin does not",
        evidence=[value[0], "/nvml/device_count"],
        fix=K8sUnrequestedGpuVisible.mend(case),
    )

"""Does a virtual GPU have its licence?"""

from __future__ import annotations

from envcheck.judge import Case, Fix, NotApplicable, Problem, Rule, Step, question
from envcheck.rules.hardware.consequences import CUDA
from envcheck.rules.hardware.machine import answering_card, tell


class VgpuUnlicensed(Rule):
    """This virtual GPU has no licence, so it slows down or refuses CUDA some minutes after the start.

    What it looks at
        The virtualisation mode of the GPU and the licence status that the driver reports.
    Why it matters
        A vGPU guest runs at full speed for a grace period only; CUDA may answer with error 102.
    How to mend it
        The administrator of the virtual machine installs a client licence token; then restart nvidia-gridd.
    Cannot tell when
        The driver does not report the licence status.
    References
        CUDA Runtime API, error 102; NVIDIA vGPU client licensing user guide.
    """

    code, name, rung = "KMD114", "vgpu-unlicensed", "kernel_module"
    severity = "warning"
    explains = CUDA

    @staticmethod
    def mend(case: Case) -> Fix:
        return Fix(
            title="License the virtual GPU",
            steps=[
                Step(where="host", note="put the client token into /etc/nvidia/ClientConfigToken"),
                Step(where="host", command="sudo systemctl restart nvidia-gridd", root=True),
            ],
            safety="careful",
            verify="nvidia-smi -q | grep 'License Status'",
        )


@question("gpu", VgpuUnlicensed)
def has_the_virtual_gpu_a_licence(case: Case) -> Problem | None:
    """Passed-through and bare cards have no such line."""
    at = answering_card(case)
    if case.known(f"{at}/virtualization", str) != "vgpu":
        raise NotApplicable("not a virtual GPU")
    status = case.present(f"{at}/license_status", str)
    if not status.lower().startswith("unlicensed"):
        return None
    refused = case.maybe(lambda: case.known("/cuda/init_code", int)) == 102
    return case.problem(
        VgpuUnlicensed,
        f"{case.subject.label} has no vGPU licence ({status})",
        cause="the guest has no client licence token, or its licence server does not answer",
        evidence=tell(case, f"{at}/license_status", f"{at}/virtualization", "/cuda/init_code"),
        fix=VgpuUnlicensed.mend(case),
        severity="error" if refused else None,
    )

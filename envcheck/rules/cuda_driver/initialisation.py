"""Does CUDA initialise?  One cuInit, one answer: its return code, told apart by what stands around it."""

from __future__ import annotations

from envcheck.facts import CUDA_ERRORS, CUDA_OK, NVML_OK, DeviceNode, Gpu
from envcheck.judge import CannotTell, Case, NotApplicable, Problem, Rule, question

from .refusals import (
    RULES,
    CudaDriverCombinationMismatch,
    CudaInitUnknownError,
    FabricManagerNotRunning,
    ForwardCompatUnsupportedHw,
    MigEnabledNoInstances,
    MpsDaemonProblem,
    StubLibcudaLoaded,
    SuspendResumeUvmBroken,
    UvmNodeMissing,
)


@question("host", *RULES)
def does_cuda_initialise(case: Case) -> Problem | None:
    """Walk cuInit's codes from the specific to the vague (failure-modes §0, master rule 4)."""
    if case.known("/cuda/library", str) is None:
        raise NotApplicable("there is no libcuda to initialise")
    code = case.present("/cuda/init_code", int)
    if code == CUDA_OK:
        return None
    if code == 34:
        return _problem(case, StubLibcudaLoaded, "it is the toolkit's link-time stub, not the driver's library", [])
    if code == 802:
        return _problem(
            case, FabricManagerNotRunning, "the NVSwitch fabric has not been brought up", _fabric_evidence(case)
        )
    if code == 803:
        cause = "the libcuda that was found first and the loaded kernel module are of different driver versions"
        return _problem(case, CudaDriverCombinationMismatch, cause, ["/driver/sys_module", "/driver/libraries"])
    if code == 804:
        cause = "a cuda-compat libcuda was found first, and this card has no forward compatibility"
        return _problem(case, ForwardCompatUnsupportedHw, cause, ["/driver/libraries"])
    if code in (805, 806, 807, 808):
        return _problem(case, MpsDaemonProblem, "the MPS daemon that CUDA was sent to does not serve it", [])
    if code == 100:
        return _no_device(case)
    if code in (3, 304, 999):
        return _unknown_error(case)
    return _problem(case, CudaInitUnknownError, f"cuInit answered {CUDA_ERRORS.get(code, code)}", [])


def _problem(case: Case, rule: type[Rule], cause: str, more: list[str]) -> Problem:
    code = case.present("/cuda/init_code", int)
    evidence = ["/cuda/init_code", "/cuda/library", *(p for p in more if case.told(p))]
    summary = f"CUDA does not initialise: cuInit answered {code} ({CUDA_ERRORS.get(code, 'unlisted')})"
    return case.problem(rule, summary, cause=cause, evidence=evidence, fix=rule.mend(case))


def _no_device(case: Case) -> Problem | None:
    """100 with cards there: mask, MIG without instances, nodes, in that order (failure-modes §19.6)."""
    if case.variable("CUDA_VISIBLE_DEVICES") is not None:
        unmasked = case.known("/cuda/unmasked_count", int)
        if unmasked:
            raise NotApplicable("CUDA_VISIBLE_DEVICES hides the cards: see the cvd rules")
    nvml = case.known("/nvml/init_code", int)
    if nvml != NVML_OK:
        raise NotApplicable("NVML does not answer either: the reason stands further down the ladder")
    gpus = case.records("/nvml/gpus", Gpu)
    if not gpus:
        raise NotApplicable("there is no GPU that CUDA could find")
    modes = [(p, case.known(f"{p}/mig_mode", bool), case.known(f"{p}/mig_devices", list)) for p, _ in gpus]
    if all(on and not instances for _, on, instances in modes):
        pointer = modes[0][0]
        cause = "every card is in MIG mode and none has an instance"
        return _problem(case, MigEnabledNoInstances, cause, [f"{pointer}/mig_mode", f"{pointer}/mig_devices"])
    refused = [p for p, node in case.records("/devices/nodes", DeviceNode) if node.accessible is False]
    if refused or not _has_node(case, "/dev/nvidiactl"):
        raise NotApplicable("the device nodes are missing or closed: see the device_nodes rung")
    return _problem(case, CudaInitUnknownError, "NVML lists cards and CUDA finds none", ["/nvml/device_count"])


def _unknown_error(case: Case) -> Problem | None:
    """999, 304 and 3 are a bucket: the order of tests is that of failure-modes §9 `cuda-init-unknown-error`."""
    if case.known("/host/wsl", int) is None and case.known("/host/jetson", str) is None:
        if not _has_node(case, "/dev/nvidia-uvm"):
            return _problem(case, UvmNodeMissing, "/dev/nvidia-uvm is not there, and CUDA needs it", ["/devices/nodes"])
        filtered = [p for p, node in case.records("/devices/nodes", DeviceNode) if node.open_errno == "EPERM"]
        if filtered:
            raise NotApplicable("opening the device nodes is not permitted: see the device_nodes rung")
        try:
            suspends = case.known("/host/suspends", int)
        except CannotTell as unread:
            raise CannotTell(unread.why, unread.pointer, (SuspendResumeUvmBroken, CudaInitUnknownError)) from unread
        nvml = case.known("/nvml/init_code", int)
        if suspends and nvml == NVML_OK:
            cause = f"the machine was suspended {suspends} times since boot and nvidia_uvm lost its state"
            return _problem(case, SuspendResumeUvmBroken, cause, ["/host/suspends", "/nvml/init_code"])
    return _problem(case, CudaInitUnknownError, "none of the known reasons for this code was seen", [])


def _has_node(case: Case, path: str) -> bool:
    return any(node.path == path for _, node in case.records("/devices/nodes", DeviceNode))


def _fabric_evidence(case: Case) -> list[str]:
    return [f"{pointer}/fabric_state" for pointer, _ in case.maybe_records("/nvml/gpus", Gpu)]

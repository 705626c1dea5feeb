"""Does CUDA_VISIBLE_DEVICES hide the GPUs?  The mask is read once, at cuInit; NVML and nvidia-smi ignore it."""

from __future__ import annotations

from envcheck.facts import Gpu
from envcheck.judge import Case, Fix, NotApplicable, Problem, Rule, Severity, Step, by_message, question

from .refusals import CONSEQUENCES
from .visible_devices import Mask, matching, parse

NAME = "CUDA_VISIBLE_DEVICES"
HIDES = ("cuda-init-unknown-error", *CONSEQUENCES)


def _mend(case: Case, right: str) -> Fix:
    scheduler = case.maybe(lambda: case.known("/container/scheduler", str))
    windows = case.maybe(lambda: case.known("/host/system", str)) == "Windows"
    if isinstance(scheduler, str):
        steps = [
            Step(
                where="host",
                command="srun --gres=gpu:1 …" if scheduler == "slurm" else "",
                note="the scheduler set the mask: request a GPU, never unset it (it may open other jobs' cards)",
            )
        ]
    elif windows:
        steps = [Step(where="env", command=f"Remove-Item Env:{NAME}", note="PowerShell")]
    else:
        steps = [Step(where="env", command=f"unset {NAME}")]
    if right:
        steps.append(Step(where="env", command=right, note="instead, to keep a choice of cards"))
    return Fix(
        title=f"Correct {NAME} where it is set (shell profile, conda env vars, kernel.json, launcher)",
        steps=steps,
        verify='python -c "import torch; print(torch.cuda.device_count())"   # in a new process',
    )


class CvdEmpty(Rule):
    """CUDA_VISIBLE_DEVICES is set and names no device, so CUDA sees none.

    What it looks at
        The variable's value, parsed as CUDA parses it, and the number of GPUs that NVML lists.
    Why it matters
        Set but empty is not unset: CUDA then hides every card, while nvidia-smi goes on showing them all.
    How to mend it
        Unset the variable, or name the wanted cards; under a scheduler request a GPU instead.
    Cannot tell when
        The environment was not read, or NVML does not answer.
    References
        CUDA programming guide, environment variables; torch/cuda/__init__.py.
    """

    code, name, rung = "DRV301", "cvd-empty", "cuda_driver"
    explains = HIDES

    @staticmethod
    def mend(case: Case) -> Fix:
        return _mend(case, f"export {NAME}=0")


class CvdIndexOutOfRange(Rule):
    """CUDA_VISIBLE_DEVICES names a card that is not there; CUDA drops it and every later one.

    What it looks at
        The indices of the mask against the number of GPUs that NVML lists.
    Why it matters
        The first index that does not exist ends the list without a word: `3,0` on two cards shows none.
    How to mend it
        Name existing indices only.
    Cannot tell when
        The environment was not read, NVML does not answer, or MIG is on (CUDA then counts instances).
    References
        CUDA programming guide, environment variables.
    """

    code, name, rung = "DRV302", "cvd-index-out-of-range", "cuda_driver"
    explains = HIDES

    @staticmethod
    def mend(case: Case) -> Fix:
        return _mend(case, "nvidia-smi -L   # the indices that exist")


class CvdBadUuid(Rule):
    """CUDA_VISIBLE_DEVICES names a GPU by a UUID that fits no card, or more than one.

    What it looks at
        The (possibly shortened, case-sensitive) UUIDs of the mask against those that NVML lists.
    Why it matters
        After a board swap, or copied from another host, the UUID matches nothing and CUDA sees no device.
    How to mend it
        Take the UUIDs from `nvidia-smi -L`.
    Cannot tell when
        The environment was not read, NVML does not answer, or a GPU does not tell its UUID.
    References
        CUDA programming guide, environment variables.
    """

    code, name, rung = "DRV303", "cvd-bad-uuid", "cuda_driver"
    explains = HIDES

    @staticmethod
    def mend(case: Case) -> Fix:
        return _mend(case, "nvidia-smi -L   # the UUIDs of this machine")


class CvdMigForm(Rule):
    """CUDA_VISIBLE_DEVICES names MIG instances in a form that CUDA cannot use.

    What it looks at
        Masks that begin with MIG-, against the MIG devices that NVML lists, and how many are named.
    Why it matters
        One process can use one compute instance; a stale UUID or the old `MIG-GPU-…/gi/ci` form shows nothing.
    How to mend it
        Give each process one `MIG-<uuid>` from `nvidia-smi -L`.
    Cannot tell when
        The environment was not read, NVML does not answer, or it does not tell the MIG devices.
    References
        NVIDIA Multi-Instance GPU user guide, CUDA visible devices.
    """

    code, name, rung = "DRV304", "cvd-mig-form", "cuda_driver"
    explains = HIDES

    @staticmethod
    def mend(case: Case) -> Fix:
        return _mend(case, "nvidia-smi -L   # one MIG-… UUID per process")


class CvdDuplicate(Rule):
    """CUDA_VISIBLE_DEVICES names a card twice, which makes CUDA see none.

    What it looks at
        The parsed items of the mask.
    Why it matters
        A repeated item does not count once: it empties the whole list.
    How to mend it
        Name each card once.
    Cannot tell when
        The environment was not read.
    References
        CUDA programming guide, environment variables; torch/cuda/__init__.py.
    """

    code, name, rung = "DRV305", "cvd-duplicate", "cuda_driver"
    explains = HIDES

    @staticmethod
    def mend(case: Case) -> Fix:
        return _mend(case, f"export {NAME}=0,1   # each card once")


class CvdSetTooLate(Rule):
    """CUDA_VISIBLE_DEVICES was changed after CUDA had been initialised, which has no effect.

    What it looks at
        Only the message can show it: the variable is read once, at cuInit.
    Why it matters
        The program goes on with the old set of cards, or torch reports an unknown error.
    How to mend it
        Set the variable before Python starts, or in the first cell of a notebook before torch is imported.
    Cannot tell when
        No message was seen; a snapshot cannot show the order of events in a program.
    References
        CUDA programming guide, environment variables.
    """

    code, name, rung = "DRV306", "cvd-set-too-late", "cuda_driver"
    severity = "warning"

    @staticmethod
    def mend(case: Case) -> Fix:
        return Fix(
            title="Set the mask before CUDA starts",
            steps=[Step(where="env", command=f"{NAME}=0 python train.py", note="restart the notebook kernel, too")],
            verify='python -c "import torch; print(torch.cuda.device_count())"',
        )


@question("host", CvdEmpty, CvdIndexOutOfRange, CvdBadUuid, CvdMigForm, CvdDuplicate)
def does_a_mask_hide_gpus(case: Case) -> Problem | None:
    """Parse the mask as CUDA does and look every item up among NVML's GPUs."""
    found = case.variable(NAME)
    if found is None:
        raise NotApplicable(f"{NAME} is not set")
    pointer, value = found
    if case.known("/nvml/init_code", int) != 0:
        raise NotApplicable("NVML lists no GPUs that a mask could hide")
    gpus = case.records("/nvml/gpus", Gpu)
    if not gpus:
        raise NotApplicable("there is no GPU to hide")
    mask = parse(value)
    if mask.ending == "duplicate":
        return _problem(case, CvdDuplicate, pointer, "a card is named twice, which empties the list")
    if not mask.items:
        return _problem(case, CvdEmpty, pointer, f"{value!r} names no device")
    if mask.by_uuid:
        return _by_uuid(case, pointer, mask, gpus)
    if any(case.known(f"{p}/mig_mode", bool) for p, _ in gpus):
        return None  # CUDA counts instances then: an index says nothing about cards
    for at, index in enumerate(mask.items):
        if isinstance(index, int) and index >= len(gpus):
            seen = f"CUDA sees {at} of the {len(mask.items)} named" if at else "CUDA sees none"
            cause = f"index {index} does not exist (there are {len(gpus)} GPUs) and ends the list: {seen}"
            return _problem(case, CvdIndexOutOfRange, pointer, cause)
    return None


def _by_uuid(case: Case, pointer: str, mask: Mask, gpus: list[tuple[str, Gpu]]) -> Problem | None:
    names = [str(item) for item in mask.items]
    if names[0].startswith("MIG-"):
        instances: list[str] = []
        for p, _ in gpus:
            for i, _ in enumerate(case.known(f"{p}/mig_devices", list) or []):
                instances.append(case.known(f"{p}/mig_devices/{i}/uuid", str) or "")
        if names[0].startswith("MIG-GPU-") or not matching(names[0], instances):
            return _problem(case, CvdMigForm, pointer, f"{names[0]} is no MIG device that NVML lists")
        if len(names) > 1:
            return _problem(case, CvdMigForm, pointer, f"{len(names)} instances are named, and a process can use one")
        return None
    uuids = [case.known(f"{p}/uuid", str) or "" for p, _ in gpus]
    for name in names:
        fits = matching(name, uuids)
        if len(fits) != 1:
            cause = f"{name} fits {len(fits)} of this machine's {len(uuids)} GPUs; it must fit exactly one"
            return _problem(case, CvdBadUuid, pointer, cause)
    return None


def _problem(case: Case, rule: type[Rule], pointer: str, cause: str) -> Problem:
    value = case.variable(NAME)
    assert value is not None
    torch = case.maybe(lambda: case.known("/target/interpreter", int))
    build = case.maybe(lambda: case.known(f"/interpreters/{torch}/torch/cuda", str)) if isinstance(torch, int) else None
    # A CPU build, or none at all: the mask hurts nobody yet and may be meant.
    severity: Severity | None = None if build is not None or case.policy.require_gpu else "note"
    return case.problem(
        rule,
        f"{NAME}={value[1]!r} hides GPUs from CUDA",
        cause=cause,
        evidence=[pointer, "/nvml/device_count", *(p for p in ("/cuda/init_code",) if case.told(p))],
        fix=rule.mend(case),
        severity=severity,
    )


was_the_mask_set_too_late = by_message("was_the_mask_set_too_late", "host", CvdSetTooLate)

"""Which witness answers for a GPU's gauges: NVML where it lists the card, else nvidia-smi's output."""

from __future__ import annotations

from envcheck.facts import NVML_OK
from envcheck.judge import CannotTell, Case, NotApplicable


def gauges(case: Case) -> str:
    """The pointer of the card's record.

    A card that NVML answers for and does not list (another job's, the host's) and one that answers with an error
    are not judged by gauges: :class:`NotApplicable`.  One witness for all gauges of a card: readings of two moments
    would only seem to disagree.
    """
    for who in ("nvml", "smi"):
        if case.listed(who):
            at = case.at(who)
            if case.known(f"{at}/error_code", int) is not None:
                raise NotApplicable("the card answers with an error: see the rule that names it")
            return at
    if case.known("/nvml/init_code", int) == NVML_OK and case.known("/nvml/gpus", list) is not None:
        raise NotApplicable(f"NVML does not list {case.subject.label}")
    raise CannotTell(f"neither NVML nor nvidia-smi lists {case.subject.label}")

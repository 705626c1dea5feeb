"""Which witness answers for a GPU's gauges: NVML where it lists the card, else nvidia-smi's output."""

from __future__ import annotations

from envcheck.judge import CannotTell, Case


def gauges(case: Case) -> str:
    """The pointer of the card's record.  Raises :class:`CannotTell` where neither lists it, or it answers with an
    error (a lost card tells nothing more).

    One witness for all gauges of a card: readings of two moments would only seem to disagree.
    """
    at = case.at("nvml") if case.listed("nvml") else case.at("smi")
    if case.known(f"{at}/error_code", int) is not None:
        raise CannotTell("the card answers with an error: see the rule that names it", f"{at}/error_code")
    return at

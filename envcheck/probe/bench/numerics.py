"""All numeric checks in the order in which they are made and shown."""

from . import broadcasting, derivatives, entropy, least_squares, precision
from .lab import pending, perform

CHECKS = (
    precision.CHECKS  # first: how exact products are decides what the others may be off
    + broadcasting.CHECKS
    + derivatives.CHECKS
    + least_squares.CHECKS
    + entropy.CHECKS
    + precision.LATER
)

OUTPUTS = ("workload-outputs", "what the timed workloads write: every element, equal to the reference")


def run(lab, records, saved):
    """Make every check on one device.  ``records`` is filled in place; ``saved`` is called after each."""
    for name, formula, _ in CHECKS:
        records.append(pending(name, formula))
    records.append(pending(*OUTPUTS))
    saved("numbers", 0, len(CHECKS))
    for place, (name, _, check) in enumerate(CHECKS):
        saved("numbers: " + name, place, len(CHECKS))
        perform(records[place], check, lab)

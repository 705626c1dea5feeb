"""Which failure modes of the catalogue have no rule, and does docs/coverage.md say why?  Run by hand:

    python -m tests.measure_catalogue PATH/failure-modes.md

The catalogue is not part of the repository; without it there is nothing to measure, and this says so.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from envcheck.rules import RULES

COVERAGE = Path(__file__).parents[1] / "docs" / "coverage.md"


def main(arguments: list[str]) -> int:
    """0: every mode has a rule or a reason; 1: some have neither, or a reason is out of date; 2: no catalogue."""
    if len(arguments) != 1 or not Path(arguments[0]).is_file():
        print(__doc__.strip(), file=sys.stderr)
        return 2
    modes = re.findall(r"^#### `([a-z0-9-]+)`", Path(arguments[0]).read_text(encoding="utf-8"), re.MULTILINE)
    excused = re.findall(r"^\| `([a-z0-9-]+)` \|", COVERAGE.read_text(encoding="utf-8"), re.MULTILINE)
    names = {rule.name for rule in RULES}
    without = [mode for mode in modes if mode not in names]
    print(f"{len(modes)} modes, {len(modes) - len(without)} with a rule, {len(without)} without")
    unexplained = [mode for mode in without if mode not in excused]
    stale = [mode for mode in excused if mode in names or mode not in modes]
    for mode in unexplained:
        print(f"no rule and no reason: {mode}")
    for mode in stale:
        print(f"a reason that is out of date: {mode}")
    return 1 if unexplained or stale else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

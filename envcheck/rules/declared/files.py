"""Could every file be understood?"""

from __future__ import annotations

from envcheck.facts import Declared, DeclaredFile
from envcheck.judge import Case, Problem, Rule, question


class DeclarationUnreadable(Rule):
    """A line of the project's files could not be understood, so what it asks for was not judged.

    What it looks at
        Whether each file can be read as what its name says, line by line.
    Why it matters
        An installer may stumble over it as well; and what stands there is missing from every other answer.
    How to mend it
        Look at the line.
    Cannot tell when
        Never: the reader knows what it did not understand.
    References
        pip documentation, requirements file format; TOML 1.0; Dockerfile reference.
    """

    code, name, rung = "LNT115", "declaration-unreadable", "python"
    severity = "warning"


@question("host", DeclarationUnreadable)
def could_every_file_be_understood(case: Case) -> Problem | None:
    """The first line that could not be; the others follow as evidence."""
    case.present("/declared", Declared)
    broken = []
    for pointer, _ in case.records("/declared/files", DeclaredFile):
        why = case.known(f"{pointer}/problem", str)
        if why is not None:
            broken.append((pointer, why))
    if not broken:
        return None
    others = f" (and {len(broken) - 1} more)" if len(broken) > 1 else ""
    file = case.present(broken[0][0], DeclaredFile)
    return case.problem(
        DeclarationUnreadable,
        f"{file.place} could not be understood: {broken[0][1]}{others}",
        cause="what stands there was left out",
        evidence=[f"{pointer}/problem" for pointer, _ in broken],
    )

"""Does the lock file still say what the project asks for?"""

from __future__ import annotations

from envcheck.compat.declared.indexes import meaning
from envcheck.compat.declared.wanted import allows
from envcheck.compat.version import split_local
from envcheck.facts import DeclaredIndex, DeclaredPackage
from envcheck.judge import Case, Fix, NotApplicable, Problem, Rule, Step, question
from envcheck.rules import plan

RELOCK = {"uv": "uv lock", "poetry": "poetry lock"}


class LockOutOfDate(Rule):
    """The lock file holds another torch than the project asks for.

    What it looks at
        The release, and the index, that pyproject.toml asks for, against the lock file's entry.
    Why it matters
        With the lock taken as it is, the old torch comes; otherwise the installer locks anew and nobody has tested
        what it takes.
    How to mend it
        Lock again.
    Cannot tell when
        The lock holds several versions of the package, and its markers do not tell which comes.
    References
        uv documentation, locking and syncing; poetry documentation, lock.
    """

    code, name, rung = "LNT114", "lock-out-of-date", "torch_build"
    severity = "warning"

    @staticmethod
    def mend(case: Case) -> Fix:
        command = RELOCK.get(plan.read(case).tool, "")
        return Fix(title="Lock again", steps=[Step(where="env", command=command, note="in the project's folder")])


@question("env", LockOutOfDate)
def does_the_lock_hold_what_is_asked(case: Case) -> Problem | None:
    """Release, then index, of torch and its companions."""
    here, environment = plan.declaration(case)
    if not environment.lock:
        raise NotApplicable("there is no lock file")
    locked = {item.name: (p, item) for p, item in case.records(f"{here}/packages", DeclaredPackage)}
    for pointer, asked in case.records(f"{here}/asked", DeclaredPackage):
        if asked.name not in locked:
            continue
        at, entry = locked[asked.name]
        version = entry.version if isinstance(entry.version, str) else None
        if version is not None and asked.wanted and not allows(asked.wanted, version) and "|" not in asked.wanted:
            public = split_local(version)[0]
            if not allows(asked.wanted, public):
                summary = f"the lock file has {asked.name} {version}, and the project asks for {asked.wanted}"
                return _problem(case, summary, [f"{at}/version", f"{pointer}/wanted"])
        theirs, ours = _variant(asked), _variant(entry)
        if theirs and ours and theirs != ours:
            summary = f"the lock file takes {asked.name} from the {ours} index, and the project names that of {theirs}"
            return _problem(case, summary, [f"{at}/index", f"{pointer}/index"])
    return None


def _variant(package: DeclaredPackage) -> str:
    return meaning(DeclaredIndex(url=package.index, kind="index"))[1] if isinstance(package.index, str) else ""


def _problem(case: Case, summary: str, evidence: list[str]) -> Problem:
    return case.problem(
        LockOutOfDate,
        summary,
        cause="the project was changed after it was locked",
        evidence=evidence,
        fix=LockOutOfDate.mend(case),
    )

"""The laws, for what files declare: ignorance neither accuses nor acquits, and no text breaks a reader."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from envcheck.cli.lint import questions
from envcheck.facts import Snapshot
from envcheck.judge import Policy, try_all
from envcheck.testing import blank, fact_pointers

from .judging import lint, read
from .projects import BROKEN, SOUND, Project

PROJECTS = [*BROKEN, *SOUND]


def outcomes(snapshot: Snapshot) -> dict[tuple[str, str], str]:
    return {(v.rule, v.subject): v.outcome for v in try_all(snapshot, questions(), Policy(all_envs=True))}


@given(project=st.sampled_from(PROJECTS), data=st.data())
def test_blanking_any_facts_never_accuses_nor_acquits(project: Project, data: st.DataObject) -> None:
    """Law 1: taking facts away moves a verdict to cannot tell or leaves it."""
    snapshot = read(project)
    before = outcomes(snapshot)
    pointers = st.sampled_from(list(fact_pointers(snapshot)))
    for pointer in sorted(data.draw(st.lists(pointers, min_size=1, max_size=4, unique=True)), key=len, reverse=True):
        snapshot = blank(snapshot, pointer)
    for who, now in outcomes(snapshot).items():
        assert {before.get(who, now), now} != {"ok", "problem"}, who
        assert now != "crashed", who


@given(project=st.sampled_from(PROJECTS), data=st.data())
def test_a_damaged_file_never_breaks_the_readers(project: Project, data: st.DataObject) -> None:
    """A file that lost a part, or has one twice, is read, judged and told about."""
    name = data.draw(st.sampled_from(sorted(project.files)))
    text = project.files[name]
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(start + 60, len(text))))
    piece = data.draw(st.sampled_from(["", text[start:end] * 2, "\n", '"', "#", "\\", "[", "{", "''", ",", ";"]))
    files = {**project.files, name: text[:start] + piece + text[end:]}
    report = lint(Project(project.name, files, project.machine))
    assert [verdict.why for verdict in report.verdicts if verdict.outcome == "crashed"] == []

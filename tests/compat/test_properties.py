"""What holds for every machine: the choice is not rejected, and a rejection's rule rejects the build again."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from envcheck.compat import table
from envcheck.compat.have import judge_have
from envcheck.compat.judgement import RULES, judge_build, unproven
from envcheck.compat.machine import Card, Machine
from envcheck.compat.matrix import matrix
from envcheck.compat.recommend import Wish, recommend
from envcheck.compat.rows import PLATFORMS, DriverBranch, Gpu, TorchBuild
from envcheck.compat.torch_builds import builds_of, releases, torch_build
from envcheck.compat.version import key
from envcheck.facts import NOT_ASKED

LINUX_DRIVERS = [f"{row.branch}.{point}" for row in table.rows("driver_branches", DriverBranch) for point in (10, 120)]
DRIVERS = [*LINUX_DRIVERS, "525.60.13", "580.65.06", "570.86.16", "527.41", "546.12", "581.29", "390.157", "700.1"]
VERSIONS = [row.version for row in releases()]

cards = st.sampled_from(table.rows("gpus", Gpu)).map(lambda gpu: Card(gpu.name, gpu.cc, gpu))
pythons = st.sampled_from([NOT_ASKED, "3.6", "3.8", "3.9", "3.10", "3.11", "3.12", "3.13", "3.14", "3.15", "3.17"])
machines = st.builds(
    Machine,
    platform=st.sampled_from(PLATFORMS),
    driver_system=st.sampled_from(["Linux", "Windows"]),
    driver=st.one_of(st.just(NOT_ASKED), st.none(), st.sampled_from(DRIVERS)),
    cards=st.one_of(st.just(NOT_ASKED), st.lists(cards, max_size=2)),
    python=pythons,
    free_threaded=st.sampled_from([NOT_ASKED, False, False, True]),
    glibc=st.sampled_from([NOT_ASKED, None, "2.17", "2.28", "2.39"]),
)
specifiers = st.one_of(st.none(), st.sampled_from(["1", "2", "2.9", ">=2.6,<2.12", "<1.12", "2.14.1"]))
wishes = st.builds(
    Wish, machine=machines, torch=specifiers, cuda=st.sampled_from([None, None, "11", "12", "13", "cu128"])
)


@given(wishes)
def test_the_choice_is_never_rejected(wish: Wish) -> None:
    """Whatever recommend chooses, feeding it back yields no pairing problem, and enough is known of it."""
    answer = recommend(wish)
    if answer.choice is None:
        return
    build = torch_build(answer.choice.torch, answer.choice.build, wish.machine.platform)  # type: ignore[arg-type]
    assert isinstance(build, TorchBuild)
    machine = replace(wish.machine, cards=[]) if answer.choice.build == "cpu" else wish.machine
    assert judge_build(build, machine) == []
    assert unproven(build, machine) == ""
    assert judge_have(build.name, machine).works is not False


@given(wishes)
def test_every_rejection_is_upheld_by_its_rule(wish: Wish) -> None:
    """Whatever recommend rejects is rejected by the rule that it names, when that rule's judgement is asked."""
    for item in recommend(wish).rejected:
        build = torch_build(item.torch, item.build, wish.machine.platform)  # type: ignore[arg-type]
        assert isinstance(build, TorchBuild)
        named = {rejection.rule for rejection in judge_build(build, wish.machine)}
        if item.rule is None:
            assert not named or wish.machine.has_no_cards
        else:
            assert item.rule in named and item.rule in RULES
            assert judge_have(build.name, wish.machine).works is False


@given(wishes)
def test_nothing_newer_would_have_run(wish: Wish) -> None:
    """The choice is the newest: every later release within the wish has only builds that are rejected or unproven."""
    answer = recommend(wish)
    if answer.choice is None or answer.choice.build == "cpu":
        return
    listed = {(item.torch, item.build) for item in answer.rejected}
    for version in VERSIONS:
        if key(version) > key(answer.choice.torch):
            for build in builds_of(version, wish.machine.platform):  # type: ignore[arg-type]
                runs = not judge_build(build, wish.machine) and not unproven(build, wish.machine)
                assert not runs or (version, build.variant) not in listed


@given(machines, st.sampled_from(VERSIONS))
def test_less_knowledge_rejects_less(machine: Machine, version: str) -> None:
    """Blanking a fact can only take rejections away, never add one: ignorance does not accuse."""
    if not isinstance(machine.platform, str):
        return
    for build in builds_of(version, machine.platform):
        whole = {rejection.rule for rejection in judge_build(build, machine)}
        for field in ("driver", "cards", "python", "glibc"):
            less = replace(machine, **{field: NOT_ASKED})
            assert {rejection.rule for rejection in judge_build(build, less)} <= whole


@given(machines)
def test_the_matrix_agrees_with_the_recommendation(machine: Machine) -> None:
    """A cell that runs is a build that recommend would take when asked for just that one."""
    shown = matrix(machine, "2.11")
    for line in shown.lines:
        for cell in line.cells:
            wish = Wish(machine=machine, torch=line.torch, cuda=cell.build)
            if cell.state == "runs" and cell.build != "cpu":
                choice = recommend(wish).choice
                assert choice is not None and choice.build == cell.build
            elif cell.rule is not None and cell.build != "cpu":
                assert recommend(wish).choice is None


@given(machines)
def test_a_newer_driver_of_the_same_era_never_hurts(machine: Machine) -> None:
    """From 525 to 580 nothing was dropped: a newer driver runs all that an older one of them runs."""
    old, new = replace(machine, driver="535.104.05"), replace(machine, driver="580.95.05")
    if machine.driver_system == "Linux" and isinstance(machine.platform, str):
        for build in builds_of("2.11.0", machine.platform):
            if not judge_build(build, old):
                assert not judge_build(build, new)

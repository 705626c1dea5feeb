"""Same, faster, slower or not to be told apart: by synthetic runs whose truth is known."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from envcheck.roofline import Row, compare, compare_all

Make = Callable[..., list[float]]
MakeRow = Callable[..., Row]
TRIES = 200


def answers(row: MakeRow, timing: Make, slowdown: float, **weather: float) -> list[str]:
    """The answers of many pairs of runs; the second is slowed down by a factor, and both have their own level."""
    found = []
    for seed in range(TRIES):
        level = 1 + 0.06 * ((seed * 7919) % 21 - 10) / 10  # two runs of one machine differ by up to 6 %
        before = row(timing(2 * seed, 0.01, **weather))
        now = row(timing(2 * seed + 1, 0.01 * slowdown * level, **weather))
        found.append(compare(before, now).answer)
    return found


@pytest.mark.parametrize(
    ("weather", "told"),
    [
        ({}, 0.95),
        ({"scatter": 0.05, "often": 0.2}, 0.9),
        ({"scatter": 0.1, "often": 0.3, "n": 25}, 0.5),
        ({"n": 8}, 0.8),
    ],
    ids=["quiet", "breezy", "rough", "few"],
)
def test_two_runs_of_the_same_are_never_slower(
    row: MakeRow, timing: Make, weather: dict[str, float], told: float
) -> None:
    """SAME or AMBIGUOUS in at least 19 of 20; the rougher the weather, the less often it can say SAME."""
    found = answers(row, timing, 1.0, **weather)
    assert found.count("slower") + found.count("faster") <= TRIES // 50
    assert found.count("same") >= TRIES * told


@pytest.mark.parametrize("weather", [{}, {"scatter": 0.04, "often": 0.2}], ids=["quiet", "breezy"])
def test_a_slowdown_of_a_third_is_seen(row: MakeRow, timing: Make, weather: dict[str, float]) -> None:
    """1.3 times the time is SLOWER in at least 19 of 20."""
    assert answers(row, timing, 1.3, **weather).count("slower") >= 0.95 * TRIES


def test_a_gain_of_a_third_is_seen(row: MakeRow, timing: Make) -> None:
    """And in the other direction FASTER."""
    assert answers(row, timing, 1 / 1.3).count("faster") >= 0.95 * TRIES


def test_interference_alone_is_never_slower(row: MakeRow, timing: Make) -> None:
    """Two thirds of the samples slowed by half, the fastest as fast as before: AMBIGUOUS, with that reason."""
    for seed in range(40):
        before = row(timing(seed, often=0.0))
        quiet = timing(1000 + seed, often=0.0)
        now = row([x * (1.5 if i % 3 else 1.0) for i, x in enumerate(quiet)])
        result = compare(before, now)
        assert result.answer == "ambiguous"
        assert "interference" in result.reasons[0] or "scatter" in result.reasons[0]


def test_a_disturbed_run_is_ambiguous_with_its_reason(row: MakeRow, timing: Make) -> None:
    """A shared or noisy run is not compared, on whichever side it is."""
    good = row(timing(1))
    slow = [3 * x for x in timing(2)]
    shared = row(slow, waits_s=[0.5 * x for x in slow])
    noisy = row(timing(3, scatter=0.8))
    for before, now, word in ((good, shared, "now"), (shared, good, "before"), (good, noisy, "now")):
        result = compare(before, now)
        assert result.answer == "ambiguous"
        assert result.reasons[0].startswith(word)


def test_different_work_is_not_compared(row: MakeRow, timing: Make) -> None:
    """Another shape is another workload."""
    with pytest.raises(ValueError, match="is not"):
        compare(row(timing(1)), row(timing(2), shape=(1, 2, 3)))


def test_the_gap_can_be_narrower_between_equals(row: MakeRow, timing: Make) -> None:
    """Two equal cards in one minute differ by less than two runs on different days."""
    before, now = row(timing(1, often=0.0)), row(timing(2, 0.011, often=0.0))
    assert compare(before, now).answer == "same"
    assert compare(before, now, gap=0.05).answer == "slower"


# -- a device whose speed drifts with its surroundings -------------------------------------------------------------

WORK = ("copy", "fill", "broadcast", "row-add")
SIDE = 4096
MOMENTS = [0.05 * i + (5.0 if i >= 30 else 0.0) for i in range(60)]
"""Of 60 samples in two visits."""


def memory_group(row: MakeRow, timing: Make, seed: int, factors: dict[str, float], size: str = "64 MiB") -> list[Row]:
    """One run of the four memory workloads, each longer by its factor."""
    shapes = {"copy": (SIDE**2,), "fill": (SIDE**2,), "broadcast": (SIDE, SIDE), "row-add": (SIDE, SIDE)}
    return [
        row(
            timing(100 * seed + i, 0.003 * factors.get(name, 1.0), often=0.05),
            workload=name,
            variant="",
            size=size,
            shape=shapes[name],
            at_s=MOMENTS,
        )
        for i, name in enumerate(WORK)
    ]


def told(before: list[Row], now: list[Row], *, drifts: bool) -> dict[str, str]:
    return {str(key[0]): result.answer for key, result in compare_all(before, now, drifts=drifts).items()}


@pytest.mark.parametrize("factor", [1.3, 1.7, 1 / 1.5])
def test_what_moves_together_is_weather_on_a_processor_and_news_on_a_card(
    row: MakeRow, timing: Make, factor: float
) -> None:
    """The same two runs: a processor's clock and neighbours are not known, a card's are."""
    before = memory_group(row, timing, 1, {})
    now = memory_group(row, timing, 2, dict.fromkeys(WORK, factor))
    assert set(told(before, now, drifts=True).values()) == {"ambiguous"}
    assert set(told(before, now, drifts=False).values()) == {"slower" if factor > 1 else "faster"}


def test_more_than_threefold_is_no_weather(row: MakeRow, timing: Make) -> None:
    """A processor that takes 3.5 times as long for everything has lost its threads or its clock."""
    before = memory_group(row, timing, 1, {})
    now = memory_group(row, timing, 2, dict.fromkeys(WORK, 3.5))
    assert set(told(before, now, drifts=True).values()) == {"slower"}


@pytest.mark.parametrize("weather", [0.88, 1.0, 1.25, 1.5])
@pytest.mark.parametrize("name", ["broadcast", "copy"])
def test_one_that_is_slower_is_told_from_the_weather(row: MakeRow, timing: Make, weather: float, name: str) -> None:
    """1.3 times the time of one workload, in whatever weather: that one is SLOWER in 19 of 20, and it alone."""
    alone = 0
    for seed in range(40):
        before = memory_group(row, timing, 2 * seed, {})
        factors = dict.fromkeys(WORK, weather)
        now = memory_group(row, timing, 2 * seed + 1, {**factors, name: 1.3 * weather})
        answers = told(before, now, drifts=True)
        alone += [work for work, answer in answers.items() if answer == "slower"] == [name]
    assert alone >= 38


def test_companions_of_another_size_do_not_count(row: MakeRow, timing: Make) -> None:
    """What lives in the cache says nothing about the memory."""
    before = [*memory_group(row, timing, 1, {}), *memory_group(row, timing, 2, {}, "1 MiB")]
    now = [*memory_group(row, timing, 3, {"copy": 1.4}), *memory_group(row, timing, 4, {}, "1 MiB")]
    results = compare_all(before, now, drifts=True)
    assert {(key[0], key[2]) for key, result in results.items() if result.answer == "slower"} == {("copy", "64 MiB")}


def test_without_steady_company_a_processor_is_not_accused(row: MakeRow, timing: Make) -> None:
    """A single product that takes 1.3 times as long, and nothing beside it that tells what the machine did."""
    product = {"workload": "matmul", "variant": "", "size": "1024", "shape": (1024, 1024, 1024)}
    before, now = row(timing(1), **product), row(timing(2, 0.013), **product)
    (result,) = compare_all([before], [now], drifts=True).values()
    assert result.answer == "ambiguous"
    assert "nothing steady beside it" in result.reasons[0]
    (result,) = compare_all([before], [now], drifts=False).values()
    assert result.answer == "slower"


def test_what_stays_while_its_company_is_faster_is_not_called_slower(row: MakeRow, timing: Make) -> None:
    """Relative to the others it lost, by itself it did not: AMBIGUOUS, with both figures."""
    before = memory_group(row, timing, 1, {})
    now = memory_group(row, timing, 2, {"copy": 0.6, "fill": 0.6, "row-add": 0.6, "broadcast": 1.03})
    result = compare_all(before, now, drifts=True)[before[2].key]
    assert result.answer == "ambiguous"
    assert "the other way" in result.reasons[0]


def test_weather_that_does_not_move_all_alike(row: MakeRow, timing: Make) -> None:
    """Two states of one virtual machine's memory, as seen: filling gains most from a calm neighbour, adding least.

    No workload and no ceiling is slower for it; one that takes a third longer on top of it is, and it alone.
    """
    seen = {"fill": 1.5, "copy": 1.4, "row-add": 1.18, "broadcast": 1.1}
    before = memory_group(row, timing, 1, {})
    assert "slower" not in told(before, memory_group(row, timing, 2, seen), drifts=True).values()
    answers = told(before, memory_group(row, timing, 3, {**seen, "broadcast": 1.3 * 1.1}), drifts=True)
    assert [work for work, answer in answers.items() if answer == "slower"] == ["broadcast"]


def test_a_small_step_under_load_is_not_accused(row: MakeRow, timing: Make) -> None:
    """Where nothing beside it was steady, also a factor of 2.5 is nobody's."""
    step = {"variant": "eager", "size": "course", "shape": (256, 784, 10)}
    products = {"workload": "products", "variant": "", "size": "course", "shape": (256, 784, 10)}
    before = [row(timing(1, 5e-4), **step), row(timing(2, 4e-4), **products)]
    waits = [0.3 * x for x in timing(4, 1e-3)]
    now = [row(timing(3, 1.25e-3), **step), row(timing(4, 1e-3), waits_s=waits, **products)]
    assert set(told(before, now, drifts=True).values()) == {"ambiguous"}


def test_like_weather_is_compared_with_like(row: MakeRow, timing: Make) -> None:
    """One visit in calm and one in storm before, storm alone now: storm is compared with storm, and nothing is slower.

    The same with one workload a third slower in the storm: that one is.
    """

    def run(seed: int, first: dict[str, float], second: dict[str, float]) -> list[Row]:
        return [
            row(
                timing(seed, 0.003 * first.get(old.workload, 1.0), n=30, often=0.0)
                + timing(seed + 7, 0.003 * second.get(old.workload, 1.0), n=30, often=0.0),
                workload=old.workload,
                variant="",
                size=old.size,
                shape=old.shape,
                at_s=MOMENTS,
            )
            for old in memory_group(row, timing, seed, {})
        ]

    storm = {"copy": 1.6, "fill": 1.9, "row-add": 1.4, "broadcast": 1.2}
    before = run(1, {}, storm)
    assert set(told(before, run(2, storm, storm), drifts=True).values()) == {"same"}
    slower = {**storm, "broadcast": 1.3 * 1.2}
    answers = told(before, run(3, slower, slower), drifts=True)
    assert answers == {"copy": "same", "fill": "same", "row-add": "same", "broadcast": "slower"}


def test_a_ceiling_is_not_accused_by_one_visit(row: MakeRow, timing: Make) -> None:
    """A copy that is slower in one visit and as ever in the other: AMBIGUOUS, with the count."""
    before = memory_group(row, timing, 1, {})
    now = memory_group(row, timing, 2, {})
    samples = timing(5, 0.003, n=30, often=0.0) + timing(6, 0.0042, n=30, often=0.0)
    now[0] = row(samples, workload="copy", variant="", size="64 MiB", shape=(SIDE**2,), at_s=MOMENTS)
    result = compare_all(before, now, drifts=True)[now[0].key]
    assert result.answer in ("same", "ambiguous")
    once = row(samples[30:], workload="copy", variant="", size="64 MiB", shape=(SIDE**2,), at_s=MOMENTS[30:])
    result = compare_all(before, [once, *now[1:]], drifts=True)[once.key]
    assert (result.answer, result.reasons) == ("ambiguous", ("it was slower in 1 of 1 visits only",))

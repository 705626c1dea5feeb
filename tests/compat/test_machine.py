"""The machine that a build is asked about: from words, and from a snapshot."""

from __future__ import annotations

import pytest

from envcheck.compat.machine import Card, Machine, Unclear, card_of, describe, machine_of, with_python
from envcheck.compat.recommend import Wish, recommend
from envcheck.facts import NOT_ASKED, Snapshot, Unread, make
from envcheck.testing import CAST, blank, fact_pointers, machine


def test_a_description() -> None:
    """Everything that is told is kept; the rest stays "not asked"."""
    told = describe(driver="R535.104.05", gpu="RTX 4090", python="3.13t", glibc="2.31")
    assert (told.platform, told.driver_system, told.driver) == ("linux_x86_64", "Linux", "535.104.05")
    assert (told.python, told.free_threaded, told.glibc) == ("3.13", True, "2.31")
    assert isinstance(told.cards, list) and told.cards[0].label == "GeForce RTX 4090 (8.9)"
    nothing = describe()
    assert nothing == Machine(platform="linux_x86_64")
    assert not nothing.has_cards and not nothing.has_no_cards


@pytest.mark.parametrize(
    ("words", "platform", "drivers"),
    [
        ({"os": "Windows"}, "windows_x86_64", "Windows"),
        ({"os": "wsl"}, "linux_x86_64", "Windows"),
        ({"os": "macos"}, "macos_arm64", "Darwin"),
        ({"os": "macos", "arch": "x86_64"}, "macos_x86_64", "Darwin"),
        ({"os": "windows", "arch": "arm64"}, None, "Windows"),
        ({"arch": "arm64"}, "linux_aarch64", "Linux"),
        ({"gpu": "GH200 480GB"}, "linux_aarch64", "Linux"),
        ({"gpu": "NVIDIA GB300"}, "linux_aarch64", "Linux"),
        ({"gpu": "Jetson AGX Orin"}, "linux_aarch64", "Linux"),
        ({"gpu": "H200"}, "linux_x86_64", "Linux"),
        ({"cc": "8.9"}, "linux_x86_64", "Linux"),
        ({"cc": "sm_120"}, "linux_x86_64", "Linux"),
    ],
)
def test_platforms(words: dict[str, str], platform: str | None, drivers: str) -> None:
    """Linux on x86_64 unless told otherwise; Grace and Jetson tell; WSL counts by the Windows driver."""
    told = describe(**words)
    assert (told.platform, told.driver_system) == (platform, drivers)


@pytest.mark.parametrize(
    "words",
    [
        {"driver": "new"},
        {"gpu": "RTX 6000"},
        {"gpu": "Voodoo 2"},
        {"cc": "8"},
        {"cc": "8.9", "gpu": "A100"},
        {"python": "py3"},
        {"python": "3.12.x"},
        {"os": "beos"},
        {"arch": "mips"},
        {"glibc": "new"},
    ],
)
def test_what_cannot_be_understood(words: dict[str, str]) -> None:
    """One line that names the option and shows a right one."""
    with pytest.raises(Unclear) as caught:
        describe(**words)
    assert "\n" not in str(caught.value)


def test_an_unknown_card_with_its_capability_is_taken() -> None:
    """Who tells the compute capability needs no known name."""
    told = describe(gpu="Prototype 9", cc="12.0")
    assert told.cards == [Card("Prototype 9", 120)]


@pytest.mark.parametrize("name", sorted(CAST))
def test_the_cast_gets_an_answer(name: str) -> None:
    """Every machine of the cast can be asked; the answer is the same every time."""
    found = machine_of(machine(name).snapshot)
    first = recommend(Wish(machine=found))
    assert first.choice is not None or len(first.why) > 1
    assert recommend(Wish(machine=machine_of(machine(name).snapshot))) == first


def test_a_snapshot_gives_what_it_knows() -> None:
    """Driver, cards, Python and C library of a real machine's snapshot."""
    found = machine_of(machine("h100").snapshot)
    assert (found.platform, found.driver, found.python, found.glibc) == ("linux_x86_64", "580.95.05", "3.11", "2.39")
    assert isinstance(found.cards, list) and [card.cc for card in found.cards] == [90, 90]
    wsl = machine_of(machine("wsl2-rtx3080").snapshot)
    assert (wsl.platform, wsl.driver_system) == ("linux_x86_64", "Windows")


def test_a_machine_without_a_card_is_offered_a_cpu_build() -> None:
    """No NVIDIA GPU is healthy; an AMD one is named, not judged."""
    plain = recommend(Wish(machine=machine_of(machine("cpu-only").snapshot)))
    assert plain.choice is not None and plain.choice.build == "cpu"
    amd = recommend(Wish(machine=machine_of(machine("amd-rocm").snapshot)))
    assert amd.choice is not None and any("AMD" in why for why in amd.why)


def test_a_missing_driver_is_said_to_be_missing() -> None:
    """Card on the bus, no driver: no CUDA build can work, and the floor is named."""
    answer = recommend(Wish(machine=machine_of(machine("driver-not-installed").snapshot)))
    assert answer.choice is None
    assert {item.rule for item in answer.rejected} == {"driver-not-installed"}
    assert any("driver >= 580" in why for why in answer.why)


def test_nothing_known_rejects_nothing() -> None:
    """An empty snapshot vouches for no build and accuses none."""
    found = machine_of(make())
    assert found.driver is NOT_ASKED and found.cards is NOT_ASKED
    assert recommend(Wish(machine=found)).choice is None


@pytest.mark.parametrize("name", ["h100", "rtx5090", "driver-too-old", "gpu-older-than-build"])
def test_blanking_a_fact_never_rejects_more(name: str) -> None:
    """Ignorance neither accuses: what one fact less rejects, the whole snapshot rejects as well."""
    whole = machine(name).snapshot
    before = _rejected(whole)
    for pointer in fact_pointers(whole):
        if pointer.startswith(("/host/libc", "/driver", "/nvml", "/interpreters/0/version", "/smi", "/devices")):
            assert _rejected(blank(whole, pointer)) <= before, pointer


def _rejected(snapshot: Snapshot) -> set[tuple[str, str]]:
    from envcheck.compat.judgement import judge_build
    from envcheck.compat.torch_builds import builds_of

    found = machine_of(snapshot)
    return {
        (build.name, rejection.rule)
        for version in ("2.4.1", "2.11.0", "2.14.1")
        for build in builds_of(version, "linux_x86_64")
        for rejection in judge_build(build, found)
    }


def test_the_device_knows_better_than_the_table() -> None:
    """A card whose own compute capability contradicts its name is taken at its word, without the table's row."""
    card = card_of("NVIDIA GeForce RTX 4090", 120)
    assert card.cc == 120 and card.gpu is None
    assert card_of(NOT_ASKED, NOT_ASKED, 0x2684).cc == 89
    assert isinstance(card_of("NVIDIA Unheard-of", NOT_ASKED).cc, Unread)


def test_another_python_on_this_machine() -> None:
    """The machine stays, the Python is another."""
    here = machine_of(machine("h100").snapshot)
    other = with_python(here, python="3.14t", glibc="2.17")
    assert (other.python, other.free_threaded, other.glibc, other.driver) == ("3.14", True, "2.17", here.driver)
    assert with_python(here) == here


@pytest.mark.parametrize("version", ["3.x", "unknown", "3", ""])
def test_a_python_version_that_is_none_is_unread(version: str) -> None:
    """What stands in the place of a version and is none is not known, and no crash."""
    told = machine("h100").but({"/interpreters/0/version": version}).snapshot
    assert isinstance(machine_of(told).python, Unread)

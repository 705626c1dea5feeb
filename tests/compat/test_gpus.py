"""GPU names as people and tools write them; what is unknown or ambiguous gets near names, never a guess."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envcheck.compat import table
from envcheck.compat.gpus import Near, gpu_by_name, gpu_by_pci_id
from envcheck.compat.rows import Gpu
from envcheck.facts import Unread

CARDS = table.rows("gpus", Gpu)


@pytest.mark.parametrize(
    ("text", "cc"),
    [
        ("RTX 4090", 89),
        ("NVIDIA GeForce RTX 4090", 89),
        ("rtx4090", 89),
        ("4090", 89),
        ("10de:2684", 89),
        ("0x2684", 89),
        ("RTX4070Super", 89),
        ("A100 SXM4 40GB", 80),
        ("NVIDIA A100-SXM4-80GB", 80),
        ("A100", 80),
        ("Tesla V100-SXM2-16GB", 70),
        ("V100", 70),
        ("GH200 480GB", 90),
        ("NVIDIA GH200 480GB", 90),
        ("K80", 37),
        ("K40", 35),
        ("M40", 52),
        ("1080ti", 61),
        ("GTX 1080 Ti", 61),
        ("T4", 75),
        ("Tesla T4", 75),
        ("RTX 2080", 75),
        ("RTX 3080 10GB", 86),  # no name has that size
        ("NVIDIA GeForce RTX 3070 Laptop GPU", 86),
        ("NVIDIA GeForce RTX 4090 Laptop GPU", 89),
        ("L4", 89),
        ("L40S", 89),
        ("H200", 90),
        ("NVIDIA H100 80GB HBM3", 90),
        ("B200", 100),
        ("GB200", 100),
        ("GB300", 103),
        ("Jetson AGX Orin", 87),
        ("Thor", 110),
        ("RTX 5090", 120),
        ("RTX PRO 6000", 120),
        ("NVIDIA RTX PRO 6000 Blackwell Workstation Edition", 120),
        ("GB10", 121),
        ("Quadro RTX 6000", 75),
        ("RTX 6000 Ada", 89),
        ("NVIDIA RTX 6000 Ada Generation", 89),
        ("RTX A6000", 86),
        ("TITAN V", 70),
        ("GeForce MX 450", 75),
    ],
)
def test_names(text: str, cc: int) -> None:
    """A name means the card of one compute capability."""
    found = gpu_by_name(text)
    assert isinstance(found, Gpu), str(found)
    assert found.cc == cc


@pytest.mark.parametrize("text", ["RTX 6000", "RTX 5000", "RTX 4000", "TITAN X", "RTX"])
def test_ambiguous_names(text: str) -> None:
    """Cards of different compute capability under one name: all kinds are shown."""
    found = gpu_by_name(text)
    assert isinstance(found, Near) and found.ambiguous
    assert len({name.rpartition("(")[2] for name in found.names}) > 1
    assert "differ in compute capability" in str(found)


@pytest.mark.parametrize(("text", "near"), [("RTX 4091", "GeForce RTX 4090"), ("GTX 1090", "GeForce GTX 1080")])
def test_unknown_names_get_near_ones(text: str, near: str) -> None:
    """A slip of the hand finds the card that was meant among the near names."""
    found = gpu_by_name(text)
    assert isinstance(found, Near) and not found.ambiguous
    assert near in found.names


@pytest.mark.parametrize("text", ["", "nvidia", "geforce", "Radeon RX 7900 XTX", "10de:ffff", "GPU"])
def test_names_without_any_card(text: str) -> None:
    """Nothing is invented where nothing is near."""
    found = gpu_by_name(text)
    assert isinstance(found, Near) and not found.ambiguous
    assert not [name for name in found.names if "RTX 4090" in name]


def test_pci_ids() -> None:
    """A PCI id is the surest name."""
    found = gpu_by_pci_id(0x2684)
    assert isinstance(found, Gpu) and found.name == "GeForce RTX 4090"
    assert isinstance(gpu_by_pci_id(0xFFFF), Unread)


def test_a_family_has_the_lowest_floor_of_its_cards() -> None:
    """Where a name means several cards, none of them is accused of another's driver floor."""
    found = gpu_by_name("5090")
    assert isinstance(found, Gpu)
    assert found.first_open_driver == "570.86.16"
    assert len(found.pci_ids) > 1


@given(st.sampled_from(CARDS), st.data())
def test_every_spelling_of_the_driver_is_understood(card: Gpu, data: st.DataObject) -> None:
    """What nvidia-smi prints, and the table's own names, mean a card of that compute capability, in any case."""
    name = data.draw(st.sampled_from([card.name, *card.driver_names]))
    for text in (name, name.upper(), name.lower(), f"  {name} "):
        found = gpu_by_name(text)
        assert isinstance(found, Near) or found.cc == card.cc
        if isinstance(found, Near):
            assert found.ambiguous


@given(st.text(max_size=30))
def test_any_text_gets_an_answer(text: str) -> None:
    """No text crashes the look-up, and an answer is a card or near names."""
    assert isinstance(gpu_by_name(text), (Gpu, Near))

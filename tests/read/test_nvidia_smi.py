"""Several outputs of nvidia-smi in one text are one witness."""

from __future__ import annotations

from envcheck.facts import NOT_ASKED, Gpu, Smi
from envcheck.read.lines import Line, clean_lines
from envcheck.read.nvidia_smi import read_smi
from envcheck.read.nvidia_smi_fields import MOST_GPUS

from .texts import CSV, QUERY, WIDE_TABLE

MIB = 1 << 20
UUID = "GPU-11111111-2222-3333-4444-555555555555"
XML = (
    '<?xml version="1.0" ?>\n<!DOCTYPE nvidia_smi_log SYSTEM "nvsmi_device_v12.dtd">\n<nvidia_smi_log>\n'
    "<driver_version>575.57.08</driver_version><attached_gpus>1</attached_gpus>\n"
    f'<gpu id="00000000:3B:00.0"><product_name>NVIDIA A30</product_name><uuid>{UUID}</uuid></gpu>\n</nvidia_smi_log>\n'
)


def read(text: str) -> tuple[Smi, dict[str, Line]]:
    notes: dict[str, Line] = {}
    smi = read_smi(text, clean_lines(text), notes.__setitem__)
    assert smi is not None
    return smi, notes


def gpus(smi: Smi) -> list[Gpu]:
    assert isinstance(smi.gpus, list)
    return smi.gpus


def test_a_text_without_it() -> None:
    """Prose about GPUs is no output."""
    assert read_smi("my GPU 0 is slow, nvidia-smi shows nothing", clean_lines("my GPU 0 is slow")) is None


def test_forms_are_joined_by_the_cards_place_on_the_bus() -> None:
    """The table's rounded power gives way to the report's, and the report lacks what the CSV alone tells."""
    smi, notes = read(f"{WIDE_TABLE}\n{CSV}\n{QUERY}")
    first, second = gpus(smi)
    assert (smi.form, first.power_w, first.compute_capability, first.ecc_pending) == ("q", 61.25, 80, True)
    assert (first.compute_mode, first.display_active) == (
        "default",
        False,
    )
    assert second.uuid == "GPU-99999999-2222-3333-4444-555555555555"
    assert "Power Draw" in notes["gpus/0/power_w"].text
    assert "compute_cap" in notes["gpus/0/compute_capability"].text
    assert "3B:00.0 Off" in notes["gpus/0/display_active"].text


def test_a_value_takes_the_place_of_words_without_one() -> None:
    """A name that the table cuts off is known where another form spells it out."""
    table = "| NVIDIA-SMI 470.57.02 Driver Version: 470.57.02 |\n| 0 NVIDIA GeForce ... Off | 00000000:01:00.0 Off | N/A |\n"
    listing = "GPU 0: NVIDIA GeForce RTX 3060 (UUID: GPU-2)\n"
    card = gpus(read(table + listing)[0])[0]
    assert (card.name, card.uuid, card.bus_id) == ("NVIDIA GeForce RTX 3060", "GPU-2", "0000:01:00.0")


def test_cards_of_different_places_stay_apart() -> None:
    """A lost card is named by its bus id alone; it is none of those that the table lists."""
    lost = "Unable to determine the device handle for GPU0000:D8:00.0: GPU is lost\n"
    smi, notes = read(WIDE_TABLE + lost)
    assert [gpu.bus_id for gpu in gpus(smi)] == ["0000:3b:00.0", "0000:af:00.0", "0000:d8:00.0"]
    assert gpus(smi)[2].error_code == 15
    assert isinstance(smi.error, str)
    assert "is lost" in notes["gpus/2"].text


def test_xml_in_prose_and_behind_quoting() -> None:
    """What stands around the report is not nvidia-smi's own word; a mail's quoting is taken off."""
    for text in (f"Hi, here it is:\n\n{XML}\nthanks", "".join(f"> {line}\n" for line in XML.splitlines())):
        smi, _ = read(text)
        assert (smi.form, smi.error, smi.driver_version) == ("xml", None, "575.57.08")
        assert gpus(smi)[0].name == "NVIDIA A30"


def test_notes_lead_to_facts_that_are_there() -> None:
    """No line is quoted for a fact that was dropped on the way."""
    smi, notes = read(f"{XML}{QUERY}{WIDE_TABLE}{CSV}")
    for pointer in notes:
        here: object = smi
        for part in pointer.split("/"):
            here = here[int(part)] if isinstance(here, list) else getattr(here, part)
        assert here != NOT_ASKED, pointer


def test_a_hostile_text_lists_no_more_cards_than_a_machine_can_have() -> None:
    """The rules look at each pair of witnesses' cards: a hundred thousand of them would never end."""
    smi, notes = read("".join(f"GPU {i % 999}: X (UUID: GPU-{i:08d})\n" for i in range(3000)))
    assert len(gpus(smi)) == MOST_GPUS
    assert not any(pointer.startswith(f"gpus/{MOST_GPUS}/") for pointer in notes)

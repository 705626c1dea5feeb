"""The table of GPUs: every figure with its unit, ignorance and absence told apart."""

from __future__ import annotations

from typing import Any

import pytest

from envcheck.facts import Gpu, GpuProcess, MigDevice, Nvml, Smi, Snapshot, Unread, make
from envcheck.report import Page
from envcheck.report.gpu_table import COLUMNS, paint, rows
from envcheck.report.paint import Painter, width_of
from envcheck.testing import machine as cast

GIB = 1 << 30
FULL: dict[str, Any] = {
    "name": "NVIDIA H100 80GB HBM3",
    "memory_used_bytes": 2 * GIB,
    "memory_total_bytes": 80 * GIB,
    "temperature_c": 61,
    "power_w": 449.6,
    "power_limit_w": 700.0,
    "clock_sm_mhz": 1305,
    "clock_sm_max_mhz": 1980,
    "ecc_enabled": True,
    "mig_mode": False,
    "pcie_generation": 5,
    "pcie_width": 16,
}


def machine(*gpus: Gpu) -> Snapshot:
    return make(nvml=Nvml(gpus=list(gpus)))


def painted(snapshot: Snapshot, page: Page) -> str:
    painter = Painter(page)
    paint(painter, snapshot)
    return painter.finish()


def test_the_cells() -> None:
    """Used and total memory, heat, power and its cap, clock and its maximum, ECC, MIG, link."""
    (row,) = rows(machine(Gpu(index=3, **FULL)))
    assert dict(zip(COLUMNS, row.cells, strict=True)) == {
        "GPU": "3",
        "name": "H100 80GB HBM3",
        "mem GiB": "2.0/80.0",
        "temp C": "61",
        "power W": "450/700",
        "SM MHz": "1305/1980",
        "ECC": "on",
        "MIG": "off",
        "PCIe": "5.0 x16",
    }
    assert row.remarks == []


def test_unknown_is_not_absent() -> None:
    """``?`` is not known, ``-`` is not there; no number stands for either."""
    gpu = Gpu(index=0, ecc_enabled=None, mig_mode=Unread("unsupported"), power_w=None, pcie_generation=None)
    (row,) = rows(machine(gpu))
    cells = dict(zip(COLUMNS, row.cells, strict=True))
    assert (cells["ECC"], cells["MIG"], cells["power W"], cells["PCIe"]) == ("-", "?", "-/?", "-")
    assert (cells["name"], cells["temp C"], cells["mem GiB"]) == ("?", "?", "?/?")


@pytest.mark.parametrize(
    ("changes", "remark"),
    [
        ({"clock_reasons": ["sw_power_cap", "hw_thermal"]}, "clocks held down by: power cap, heat (hardware)"),
        ({"clock_reasons": ["a_new_bit"]}, "clocks held down by: a_new_bit"),
        ({"error_code": 15, "error_text": "GPU is lost"}, "does not answer: GPU is lost (15)"),
        ({"mig_devices": [MigDevice(profile="1g.10gb"), MigDevice()]}, "MIG devices: 1g.10gb, ?"),
        (
            {"processes": [GpuProcess(pid=7, name="/usr/bin/python3", memory_bytes=GIB), GpuProcess(pid=8)]},
            "used by: python3 (pid 7) 1.0 GiB, process (pid 8)",
        ),
    ],
)
def test_remarks(changes: dict[str, Any], remark: str) -> None:
    """What a cell cannot hold stands in words below the row."""
    (row,) = rows(machine(Gpu(index=0, **{**FULL, **changes})))
    assert row.remarks == [remark]


def test_a_resting_clock_is_not_held_down() -> None:
    """An idle card's low clock is no remark."""
    (row,) = rows(machine(Gpu(index=0, **FULL, clock_reasons=["idle"])))
    assert row.remarks == []


def test_only_the_greatest_users_are_named() -> None:
    """Three users by memory, the others counted."""
    users = [GpuProcess(pid=i, name=f"job{i}", memory_bytes=i * GIB) for i in range(1, 7)]
    (row,) = rows(machine(Gpu(index=0, **FULL, processes=users)))
    assert row.remarks == [
        "used by: job6 (pid 6) 6.0 GiB, job5 (pid 5) 5.0 GiB, job4 (pid 4) 4.0 GiB and 3 more processes"
    ]


def test_bad_ecc_counts_are_told() -> None:
    """An uncorrected error of this boot is seen in the table already."""
    (row,) = rows(machine(Gpu(index=0, **{**FULL, "ecc_volatile_uncorrected": 2})))
    assert row.cells[COLUMNS.index("ECC")] == "on 2 bad"


def test_the_second_witness_is_used_where_the_first_is_silent() -> None:
    """nvidia-smi's list is shown where NVML could not be asked; no list, no table."""
    gpu = Gpu(index=0, **FULL)
    assert len(rows(make(nvml=Unread("crashed"), smi=Smi(gpus=[gpu])))) == 1
    assert len(rows(make(nvml=Nvml(gpus=[]), smi=Smi(gpus=[gpu])))) == 1
    assert rows(make()) == []
    assert painted(make(), Page()) == ""


def test_one_gpu_alone() -> None:
    """``--gpu 1`` leaves that row only."""
    both = machine(Gpu(index=0, **FULL), Gpu(index=1, **FULL))
    assert [row.cells[0] for row in rows(both, 1)] == ["1"]


@pytest.mark.parametrize(
    "name", ["NVIDIA H100 80GB HBM3", "NVIDIA GeForce RTX 4060 Laptop GPU with a longer name", "日本語" * 5]
)
@pytest.mark.parametrize("width", [40, 60, 75, 76, 80, 100])
def test_columns_stand_below_each_other_or_not_at_all(name: str, width: int) -> None:
    """A page that is too narrow for the columns gets blocks; a long name is cut, never the figures."""
    text = painted(machine(*(Gpu(index=i, **{**FULL, "name": name}) for i in range(9, 12))), Page(width))
    lines = text.rstrip("\n").split("\n")
    assert all(width_of(line) <= width for line in lines)
    if "mem GiB" in lines[0]:
        columns = {
            width_of(line[: line.index(cell)]) for line in lines for cell in ("mem GiB", "2.0/80.0") if cell in line
        }
        assert len(columns) == 1
        assert width >= 75
    else:
        assert "2.0/80.0 GiB" in text
        assert width < 80


def test_a_card_that_nvml_cannot_open_has_its_name_and_slot() -> None:
    """NVML tells no more than a number; a user has to know which card to look at, and question marks tell nothing."""
    dead = Gpu(index=1, error_code=15, error_text="GPU is lost")
    now = cast("h100").but({"/nvml/gpus/1": dead, "/smi/gpus": [], "/cuda/devices": []})
    row = rows(now.snapshot)[1]
    assert row.cells[:2] == ("1", "H100 80GB HBM3")
    assert set(row.cells[2:]) == {""}
    assert row.remarks == ["at 0000:27:00.0, does not answer: GPU is lost (15)"]


def test_a_card_that_never_came_to_an_answer_says_so() -> None:
    """Silence is no error code, and no row of question marks either."""
    late = Unread("timeout", "NVML gave no answer about this GPU in 6.7 s")
    hung = Gpu(index=1, error_code=late, name=late, uuid=late, bus_id=late)
    now = cast("h100").but({"/nvml/gpus/1": hung, "/smi/gpus": [], "/cuda/devices": []})
    assert rows(now.snapshot)[1].remarks == [
        "at 0000:27:00.0, does not answer: NVML gave no answer about this GPU in 6.7 s"
    ]

"""What nvidia-smi says in place of a report: the code behind the words, and the card that they name."""

from __future__ import annotations

import pytest

from envcheck.facts import NOT_ASKED, Gpu, Smi
from envcheck.read.lines import clean_lines
from envcheck.read.nvidia_smi_errors import parse_errors

NO_DRIVER = (
    "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver. Make sure that the latest NVIDIA "
    "driver is installed and running."
)


def read(text: str) -> Smi:
    smi = parse_errors(clean_lines(text))
    assert smi is not None
    return smi


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Failed to initialize NVML: Insufficient Permissions", 4),
        ("No devices were found", 6),
        ("Unable to determine the device handle for gpu 0000:01:00.0: Not Found", 6),
        ("Unable to determine the device handle for GPU 0000:01:00.0: Insufficient External Power", 8),
        (NO_DRIVER, 9),
        ("Failed to initialize NVML: Driver Not Loaded", 9),
        ("NVIDIA-SMI couldn't find libnvidia-ml.so library in your system. Please make sure", 12),
        ("Failed to initialize NVML: Function Not Found", 13),
        ("WARNING: infoROM is corrupted at gpu 0000:0B:00.0", 14),
        ("Unable to determine the device handle for GPU 0000:03:00.0: GPU is lost.  Reboot the system to recover", 15),
        ("Failed to initialize NVML: Driver/library version mismatch", 18),
        ("Failed to initialize NVML: Unknown Error", 255),
        ("Unable to determine the device handle for GPU0: 0000:07:00.0: Unknown Error", 255),
    ],
)
def test_each_message_has_its_exit_code(text: str, code: int) -> None:
    """The words are NVML's, the numbers those of nvidia-smi's manual."""
    assert read(f"$ nvidia-smi\n{text}\n").exit_code == code


@pytest.mark.parametrize(
    ("text", "index", "bus_id", "code"),
    [
        ("Unable to determine the device handle for gpu 0000:01:00.0: Not Found", 0, "0000:01:00.0", 6),
        ("Unable to determine the device handle for GPU0000:07:00.0: Unknown Error", 0, "0000:07:00.0", 999),
        ("Unable to determine the device handle for GPU2: 0000:43:00.0: Unknown Error", 2, "0000:43:00.0", 999),
        ("Unable to determine the device handle for GPU1: GPU is lost", 1, NOT_ASKED, 15),
    ],
)
def test_a_card_that_cannot_be_opened(text: str, index: int, bus_id: object, code: int) -> None:
    """All wordings of four driver generations name the card and NVML's answer for it."""
    smi = read(text)
    assert isinstance(smi.gpus, list)
    assert [(gpu.index, gpu.bus_id, gpu.error_code) for gpu in smi.gpus] == [(index, bus_id, code)]
    assert smi.error == text


def test_no_devices_is_the_only_failure_that_counts() -> None:
    """It answers how many GPUs there are; after any other failure nobody knows."""
    assert (read("No devices were found").attached_gpus, read("No devices were found").gpus) == (0, [])
    assert (read(NO_DRIVER).attached_gpus, read(NO_DRIVER).gpus) == (NOT_ASKED, NOT_ASKED)


def test_a_corrupt_inforom_is_about_one_card() -> None:
    """The message stands beside a report that is whole otherwise."""
    assert read("WARNING: infoROM is corrupted at gpu 0000:0B:00.0").gpus == [
        Gpu(index=0, bus_id="0000:0b:00.0", inforom_valid=False)
    ]


@pytest.mark.parametrize(
    "text",
    [
        "bash: nvidia-smi: command not found",
        "zsh: command not found: nvidia-smi",
        "Command 'nvidia-smi' not found, but can be installed with:",
        "'nvidia-smi' is not recognized as an internal or external command,",
    ],
)
def test_a_program_that_is_not_there(text: str) -> None:
    """Known to be absent, which is not the same as failing."""
    smi = read(text)
    assert smi.path is None
    assert smi.error == NOT_ASKED


def test_an_exit_code_that_is_told_outweighs_the_words() -> None:
    """Logs of CI print it behind the message."""
    smi = read("ERROR: Option -m is missing its value. Please run 'nvidia-smi -h' for help.\n\n# (exit code: 255)\n")
    assert smi.exit_code == 255
    assert isinstance(smi.error, str)
    assert parse_errors(clean_lines("make: *** [all] exit code: 2")) is None


def test_the_librarys_version_alone_is_no_failure() -> None:
    """It is the second line of one."""
    assert parse_errors(clean_lines("NVML library version: 570.124")) is None
    assert read(
        "Failed to initialize NVML: Driver/library version mismatch\nNVML library version: 570.124"
    ).nvml_version == ("570.124")

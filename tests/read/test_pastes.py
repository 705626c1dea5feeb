"""Every format is read from its tool's own layout, whatever a paste went through."""

from __future__ import annotations

import re

import pytest

from envcheck.facts import Snapshot, Unread, decode, encode, resolve
from envcheck.facts.pointer import PointerError
from envcheck.read.paste import read_paste

from .pastes import COLLECT_ENV, PASTES, PY, VLLM_JOINED

NAMES = sorted(PASTES)


def wrong(snapshot: Snapshot, expected: dict[str, object]) -> dict[str, object]:
    found = {}
    for pointer, value in expected.items():
        try:
            have = resolve(snapshot, pointer)
        except PointerError as error:
            have = str(error)
        if have != value:
            found[pointer] = have
    return found


@pytest.mark.parametrize("name", NAMES)
def test_the_facts_of_each_format(name: str) -> None:
    """What a tool prints becomes the fact that it stands for."""
    text, expected = PASTES[name]
    assert wrong(read_paste(text), expected) == {}


@pytest.mark.parametrize("name", NAMES)
def test_a_paste_is_a_snapshot_like_any_other(name: str) -> None:
    """It survives being written and read, and says what it is."""
    snapshot = read_paste(PASTES[name][0])
    assert decode(encode(snapshot)) == snapshot
    assert snapshot.source == "pasted"


@pytest.mark.parametrize("name", NAMES)
def test_every_fact_names_its_line(name: str) -> None:
    """The origin of a fact is a line that exists, and its pointer leads to a fact."""
    text = PASTES[name][0]
    snapshot = read_paste(text)
    assert snapshot.origins
    for origin in snapshot.origins:
        assert not (isinstance(resolve(snapshot, origin.pointer), Unread) and "/gpus" not in origin.pointer)
        number = re.match(r"(?:line|kernel log, from line) (\d+)", origin.source)
        assert number is not None and 1 <= int(number[1]) <= text.count("\n") + 1


WRAPPINGS = {
    "windows": lambda text: text.replace("\n", "\r\n"),
    "quoted": lambda text: "".join(f"> {line}\n" for line in text.splitlines()),
    "quoted twice": lambda text: "".join(f"> > {line}\n" for line in text.splitlines()),
    "fenced": lambda text: f"My report:\n\n```text\n{text}\n```\n\nThanks",
    "coloured": lambda text: "".join(f"\x1b[32m{line}\x1b[0m\n" for line in text.splitlines()),
    "html": lambda text: "<pre>" + text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;") + "</pre>",
    "break tags": lambda text: "".join(f"{line}<br>\n" for line in text.splitlines()),
    "in prose": lambda text: f"Hallo zusammen, bei mir geht nichts mehr.\n\n{text}\n\nKann mir jemand helfen?",
}
INDENTED = {"indented": lambda text: "".join(f"    {line}\n" for line in text.splitlines())}
PROMPTS = ("session", "in passing")  # where a ">" is Python's own, or a break comes inside a sentence


@pytest.mark.parametrize("wrapping", WRAPPINGS)
@pytest.mark.parametrize("name", NAMES)
def test_what_a_paste_went_through_changes_no_fact(name: str, wrapping: str) -> None:
    """Quoting, colours, fences, entities and line ends are taken off before anything is read."""
    if wrapping == "html" and name == "variables":
        pytest.skip("a forum escapes what a shell would have to quote")
    text, expected = PASTES[name]
    assert wrong(read_paste(WRAPPINGS[wrapping](text)), expected) == {}


@pytest.mark.parametrize("name", [name for name in NAMES if name not in ("pip's conflict", *PROMPTS)])
def test_indentation_changes_no_fact(name: str) -> None:
    """A block inside a list or a quotation stands further right."""
    text, expected = PASTES[name]
    assert wrong(read_paste(INDENTED["indented"](text)), expected) == {}


def test_a_cut_report_tells_what_is_left() -> None:
    """Each line that is cut off takes its own fact away, and changes none of the others."""
    lines = COLLECT_ENV.splitlines()
    whole = PASTES["collect_env"][1]
    for end in range(2, len(lines), 3):
        snapshot = read_paste("\n".join(lines[:end]))
        for pointer, have in wrong(snapshot, whole).items():
            unread = isinstance(have, Unread) or (isinstance(have, str) and "no item" in have) or have is None
            assert unread, f"{pointer} is {have!r} after {end} lines"


def test_a_joined_report_that_is_cut_in_a_value_states_no_half_of_it() -> None:
    """An archive cuts where its width ends: half a driver version is none."""
    snapshot = read_paste(VLLM_JOINED[: VLLM_JOINED.index("550.127") + 2])
    assert resolve(snapshot, "/driver/pasted") == Unread("not_asked")


def test_several_reports_with_prose_between_them_are_read_together() -> None:
    """One paste, mixed blocks: each tells its own facts, and the first to state one is believed."""
    text = f"see below\n{PASTES['transformers'][0]}\nand\n{PASTES['machine'][0]}\nand\n{PASTES['variables'][0]}"
    snapshot = read_paste(text)
    assert wrong(snapshot, PASTES["transformers"][1]) == {}
    assert resolve(snapshot, "/driver/proc") == "560.35.03"
    assert resolve(snapshot, "/environment/variables/0/name") == "CUDA_VISIBLE_DEVICES"


def test_what_a_tool_printed_comes_before_what_a_person_wrote() -> None:
    """A list by hand may be old or meant for another machine."""
    snapshot = read_paste(f"PyTorch: 1.9.0\nDriver version: 450.80.02\n\n{COLLECT_ENV}")
    assert resolve(snapshot, f"{PY}/torch/version") == "2.14.0+cu130"
    assert resolve(snapshot, "/driver/pasted") == "580.95.05"


@pytest.mark.parametrize(
    "text",
    [
        "torch==2.0.1\ntorchvision==0.15.2",
        "Requires torch>=2.1 and Python version: see the README",
        "If torch.cuda.is_available() is False, install the driver.",
        "python_requires='>=3.8'",
        "RTX 3090 or RTX 4090 recommended",
        "torch 2.1.0 or torch 2.2.0 will do",
        "For debugging consider passing CUDA_LAUNCH_BLOCKING=1",
        "CUDA: 12.4",
        "",
        "\n\n\n",
    ],
)
def test_wishes_examples_and_advice_are_no_facts(text: str) -> None:
    """A requirements file, a condition and a recommendation say nothing about this machine."""
    snapshot = read_paste(text)
    assert snapshot.origins == []
    assert snapshot.symptoms == []


def test_what_the_text_does_not_say_was_not_asked() -> None:
    """A paste knows nothing of the machine but what stands in it."""
    snapshot = read_paste("Is CUDA available: False")
    assert isinstance(snapshot.driver, Unread) and isinstance(snapshot.nvml, Unread)
    assert resolve(snapshot, "/host/system") == Unread("not_asked")
    assert resolve(snapshot, f"{PY}/runtime/available") is False


def test_a_list_that_could_not_be_collected_is_no_proof_of_absence() -> None:
    """collect_env's "Could not collect" says that nobody could tell."""
    snapshot = read_paste("Is CUDA available: False\nGPU models and configuration: Could not collect")
    gpus = resolve(snapshot, "/smi/gpus")
    assert isinstance(gpus, Unread) and gpus.why == "missing"


def test_torch_here_and_no_torch_there_are_two_environments() -> None:
    """A package list with torch beside "No module named 'torch'": the Python that runs is another one."""
    snapshot = read_paste(PASTES["pip list"][0] + "$ python3 train.py\nModuleNotFoundError: No module named 'torch'\n")
    assert resolve(snapshot, "/target/interpreter") == 1
    assert resolve(snapshot, "/interpreters/1/torch") is None
    assert resolve(snapshot, f"{PY}/torch/version") == "2.4.0+cu118"


def test_a_long_table_of_packages_is_the_whole_environment() -> None:
    """Only of a whole list it can be said that something is not installed."""
    rows = "".join(f"package-{number}    1.{number}\n" for number in range(40))
    text = f"Package    Version\n---------- -------\n{rows}torch      2.4.0\n"
    assert resolve(read_paste(text), f"{PY}/distributions_partial") == Unread("not_asked")
    assert resolve(read_paste("$ pip list | grep torch\n" + text), f"{PY}/distributions_partial") is True

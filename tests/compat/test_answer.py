"""A recommendation as JSON, text and Markdown: the contract, ASCII, and every width."""

from __future__ import annotations

import json

import jsonschema
import pytest

from envcheck.compat import answer
from envcheck.compat.machine import describe
from envcheck.compat.recommend import Recommendation, Wish, recommend

SENTENCES = {"type": "array", "items": {"type": "string"}, "minItems": 1}
CONTRACT = {
    "type": "object",
    "required": ["choice", "why", "rejected", "have"],
    "additionalProperties": False,
    "properties": {
        "choice": {
            "type": ["object", "null"],
            "required": ["torch", "torchvision", "torchaudio", "build", "index_url", "commands", "files"],
            "properties": {
                "torchaudio": {"type": ["string", "null"]},
                "commands": {
                    "type": "object",
                    "required": ["pip", "uv", "conda"],
                    "properties": {
                        "pip": {"type": "string"},
                        "uv": {"type": "string"},
                        "conda": {"type": ["string", "null"]},
                    },
                },
            },
        },
        "why": SENTENCES,
        "rejected": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["torch", "build", "rule", "why"],
                "properties": {"rule": {"type": ["string", "null"]}, "why": {"type": "string", "minLength": 1}},
            },
        },
        "have": {
            "type": ["object", "null"],
            "required": ["build", "works", "rule", "why"],
            "properties": {"works": {"type": ["boolean", "null"]}, "why": SENTENCES},
        },
    },
}

ANSWERS = {
    "fits": Wish(machine=describe(driver="535.104.05", gpu="RTX 4090", python="3.12")),
    "fits, have": Wish(machine=describe(driver="570.124.06", gpu="RTX 5090", python="3.12"), have="2.7.1+cu128"),
    "fits, have not": Wish(machine=describe(driver="580.95.05", gpu="V100"), have="2.14.1"),
    "open": Wish(machine=describe(gpu="RTX 4090"), have="2.9.1"),
    "none": Wish(machine=describe(driver="590.48.01", gpu="V100", python="3.12")),
    "cpu": Wish(machine=describe(os="macos", python="3.12")),
}


@pytest.fixture(params=sorted(ANSWERS))
def found(request: pytest.FixtureRequest) -> Recommendation:
    return recommend(ANSWERS[request.param])


def test_the_json_keeps_the_contract(found: Recommendation) -> None:
    """Other programs rely on these names and types."""
    text = answer.to_json(found)
    assert text.isascii()
    jsonschema.validate(json.loads(text), CONTRACT)
    assert json.loads(text) == answer.to_plain(found)


@pytest.mark.parametrize("width", [20, 40, 80, 200])
@pytest.mark.parametrize("manager", [None, "pip", "uv", "conda"])
def test_the_text_fits_every_width(found: Recommendation, width: int, manager: str | None) -> None:
    """Sentences are folded, in ASCII; commands and files never are, so that they can be copied."""
    text = answer.to_terminal(found, manager, width)
    assert text.isascii() and text.endswith("\n") and not text.endswith("\n\n")
    sentences = [line for line in text.splitlines() if line.startswith(("  - ", "    "))]
    assert sentences
    for line in text.splitlines():
        if line.startswith("  - ") and "//" not in line:
            assert len(line) <= max(width, max(len(word) for word in line.split()) + 4)
    if found.choice is not None:
        for tool, command in found.choice.commands.items():
            shown = command is not None and f"\n  {command}\n" in text
            assert shown is (command is not None and manager in (None, tool))
        assert (found.choice.files["pyproject.toml"].splitlines()[0] in text) is (manager == "uv")
        assert ("environment.yml:" in text) is (manager == "conda")


def test_the_text_says_the_verdict_first(found: Recommendation) -> None:
    """The first line answers: the build that somebody has, else the choice, else that nothing fits."""
    first = answer.to_terminal(found).splitlines()[0]
    if found.have is not None:
        assert first.startswith(found.have.build)
    else:
        assert first == (f"torch {found.choice.torch}+{found.choice.build}" if found.choice else "No torch build fits.")


def test_long_lists_are_cut_and_counted() -> None:
    """Nothing vanishes: what the text leaves out is counted."""
    none = recommend(ANSWERS["none"])
    assert f"and {len(none.rejected) - answer.SHOWN} more" in answer.to_terminal(none)
    few = recommend(ANSWERS["fits"])
    assert " more:" not in answer.to_terminal(few)


def test_markdown_has_everything(found: Recommendation) -> None:
    """For an issue: the commands in a block, one table row for every rejected build."""
    text = answer.to_markdown(found)
    assert text.isascii()
    assert text.count("\n| 2.") + text.count("\n| 1.") == len(found.rejected)
    if found.choice is not None:
        assert f"```sh\n{found.choice.commands['pip']}" in text

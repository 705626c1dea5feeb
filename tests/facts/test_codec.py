"""The snapshot's encoded form is strict, complete and stable."""

from __future__ import annotations

import json

import jsonschema
import pytest

from envcheck.facts import NOT_ASKED, SCHEMA, Nvml, SnapshotError, Unread, decode, encode, make
from envcheck.facts import codec as codec_module
from envcheck.facts.schema import json_schema
from envcheck.testing import CAST, machine


@pytest.mark.parametrize("name", CAST)
def test_decode_is_the_inverse_of_encode(name: str) -> None:
    """decode∘encode is the identity, and encoding again gives the same bytes."""
    snapshot = machine(name).snapshot
    raw = encode(snapshot)
    assert decode(raw) == snapshot
    assert encode(decode(raw)) == raw


@pytest.mark.parametrize("name", CAST)
def test_every_machine_is_valid_by_the_published_schema(name: str) -> None:
    """The JSON Schema that is shipped accepts what we write."""
    jsonschema.validate(json.loads(encode(machine(name).snapshot)), json_schema(), cls=jsonschema.Draft202012Validator)


def test_what_nobody_asked_is_left_out_and_comes_back() -> None:
    """An absent field means not asked; a known absence is written as null."""
    snapshot = make(nvml=Nvml(init_code=0, init_error=None))
    plain = json.loads(encode(snapshot))
    assert plain["nvml"] == {"kind": "nvml", "init_code": 0, "init_error": None}
    again = decode(encode(snapshot))
    assert isinstance(again.nvml, Nvml)
    assert again.nvml.gpus == NOT_ASKED
    assert again.nvml.init_error is None


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "not an envcheck snapshot"),
        ("[]", "not an envcheck snapshot"),
        ("{}", "schema"),
        ('{"schema": "one"}', "schema"),
        ('{"schema": 1, "host": {"kind": "host", "sytem": "Linux"}}', "sytem"),
        ('{"schema": 1, "host": {"kind": "host", "cpus": "four"}}', "$.host.cpus"),
        ('{"schema": 1, "nvml": {"kind": "unread", "why": "because"}}', "$.nvml"),
        ('{"schema": 99}', "newer"),
        ('{"schema": 0}', "not known"),
        ('{"schema": -3}', "not known"),
        ("[" * 100_000, "not an envcheck snapshot"),
        ('{"schema": 1, "symptoms": ' + "[" * 100_000, "snapshot"),
    ],
)
def test_a_wrong_text_is_refused_with_the_place(text: str, says: str) -> None:
    """Bad input gets one clear line, never a partial snapshot."""
    with pytest.raises(SnapshotError) as refusal:
        decode(text)
    assert says in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_bytes_that_are_no_text_are_refused() -> None:
    """A binary file is no snapshot, and says so."""
    with pytest.raises(SnapshotError):
        decode(b'{"schema": 1, "tool": "\xff\xfe"}')


def test_an_older_schema_is_upgraded_step_by_step(monkeypatch: pytest.MonkeyPatch) -> None:
    """A snapshot of an older schema is read through the chain of upgrades."""

    def first(plain: dict[str, object]) -> dict[str, object]:
        plain["tool"] = plain.pop("program")
        return plain

    monkeypatch.setitem(codec_module.UPGRADES, SCHEMA - 1, first)
    assert decode(f'{{"schema": {SCHEMA - 1}, "program": "0.0.1"}}') == make(tool="0.0.1")


def test_a_whole_section_may_be_unread() -> None:
    """An unread section keeps its reason through the JSON form."""
    snapshot = make(nvml=Unread("timeout", "no answer in 30 s"))
    assert decode(encode(snapshot)).nvml == Unread("timeout", "no answer in 30 s")

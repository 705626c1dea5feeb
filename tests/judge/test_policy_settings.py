"""A policy's tables become a Policy, or one line that says what is wrong with them and where."""

from __future__ import annotations

from datetime import date
from typing import Any

import jsonschema
import pytest

from envcheck.judge import Ignore, Policy
from envcheck.judge.policy_form import policy_schema
from envcheck.judge.policy_settings import Layer, PolicyError, Settings, settle
from envcheck.judge.profiles import PROFILES
from envcheck.rules import RULES

NAMES = {name: rule.name for rule in RULES for name in (rule.name, rule.code.lower())}


def settled(*tables: dict[str, Any], **more: Any) -> Settings:
    return settle([Layer(table, f"file {i}") for i, table in enumerate(tables)], NAMES, **more)


def test_an_empty_policy_is_that_of_doctor() -> None:
    """Whoever writes nothing gets what ``envcheck doctor`` judges by."""
    assert settled().policy == Policy()
    assert settled({}).policy == Policy()
    assert settled({}).origins == {}


WHOLE: dict[str, Any] = {
    "extends": "training",
    "fail_on": "warning",
    "unknown": "fail",
    "pedantic": True,
    "ignore": [
        {"rule": "DRV102", "reason": " the lab's image ", "until": date(2027, 1, 31)},
        {"rule": "persistence-off", "reason": "desktops", "subject": "gpu:GPU-1"},
    ],
    "require": {
        "python": ">=3.11,<3.14",
        "torch": ">=2.9",
        "torch_cuda": "12.6",
        "driver": ">=580",
        "gpus": 8,
        "compute_capability": 8.9,
        "gpu_memory_gib": ">=79.5",
        "packages": {"Torch_Vision": "", "numpy": ">=2"},
        "env": ["NCCL_SOCKET_IFNAME"],
    },
    "forbid": {"packages": ["Apex"], "env": ["NCCL_P2P_DISABLE"]},
    "severity": {"CUDA-LAUNCH-BLOCKING-ON": "error"},
    "bench": {"min_ratio_to_ceiling": 0.9},
}


def test_every_key_reaches_the_policy() -> None:
    """Names are normalised, numbers mean "at least", codes become names, the profile fills in the rest."""
    policy = settled(WHOLE, today="2026-11-24").policy
    assert (policy.fail_on, policy.unknown, policy.pedantic, policy.require_gpu) == ("warning", "fail", True, True)
    assert policy.ignore == [
        Ignore(rule="driver-too-old-for-torch", reason="the lab's image", until="2027-01-31"),
        Ignore(rule="persistence-off", reason="desktops", subject="gpu:GPU-1"),
    ]
    require = policy.require
    assert (require.python, require.torch, require.torch_cuda, require.driver) == (
        ">=3.11,<3.14",
        ">=2.9",
        ["12.6"],
        ">=580",
    )
    assert (require.gpus, require.compute_capability, require.gpu_memory_gib) == (">=8", ">=8.9", ">=79.5")
    assert require.shm_mib == ">=1024", "what the profile asks for stays where the file does not speak of it"
    assert require.packages == {"torch-vision": "", "numpy": ">=2"}
    assert require.env == {"NCCL_SOCKET_IFNAME": ""}
    assert (policy.forbid.packages, policy.forbid.env) == (["apex"], ["NCCL_P2P_DISABLE"])
    assert policy.severity == {"cuda-launch-blocking-on": "error"}
    assert policy.bench.min_ratio_to_ceiling == 0.9 and policy.bench.asked
    assert policy.today == "2026-11-24"


def test_later_layers_win_key_by_key() -> None:
    """The command line over the file over the profile; every setting knows where it comes from."""
    told = settled(
        {"extends": "training", "require": {"gpus": 2}},
        {"fail_on": "note", "require": {"shm_mib": ""}},
        profile="fleet",
    )
    assert told.policy.unknown == "fail", "a profile that is named goes before the one that a file extends"
    assert (told.policy.require.gpus, told.policy.require.shm_mib, told.policy.fail_on) == (">=2", "", "note")
    assert told.origins["require.gpus"] == (2, "file 0")
    assert told.origins["unknown"] == ("fail", "profile fleet")
    assert told.origins["fail_on"] == ("note", "file 1")


def test_a_requirement_on_cards_asks_for_one() -> None:
    """A policy on compute capability is not met by a machine without cards; a ceiling alone asks for none."""
    assert settled({"require": {"compute_capability": ">=8"}}).policy.require_gpu
    assert settled({"require": {"gpu_memory_gib": 16}}).policy.require_gpu
    assert not settled({"require": {"gpus": "<=8"}}).policy.require_gpu


@pytest.mark.parametrize("name", PROFILES)
def test_every_profile_can_be_used(name: str) -> None:
    """A profile is a policy like any other, and the schema knows it."""
    assert settled(profile=name).policy.fail_on == "error"
    assert settled({"extends": name}).policy == settled(profile=name).policy
    jsonschema.validate(PROFILES[name], policy_schema())


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({"requir": {}}, "requir: no such key; did you mean require?"),
        ({"require": {"pyhton": ""}}, "require.pyhton: no such key; did you mean python?"),
        ({"require": {"gpu": 1}}, "require.gpu: no such key; did you mean gpus"),
        ({"bench": {"speed": 1}}, "bench.speed: no such key"),
        ({"ignore": [{"rul": "DRV102"}]}, "ignore.rul: no such key; did you mean rule"),
        ({"ignore": [{"rule": "driver-too-old-for-trch", "reason": "x"}]}, "did you mean driver-too-old-for-torch"),
        ({"ignore": [{"rule": "DRV102"}]}, "missing required field reason"),
        ({"ignore": [{"rule": "DRV102", "reason": "  "}]}, "ignore[0].reason: say why"),
        ({"ignore": [{"rule": "DRV102", "reason": "x", "until": "soon"}]}, "expected a date such as 2027-01-31"),
        ({"ignore": ["DRV102"]}, "ignore[0]: expected table"),
        ({"severity": {"no-such-rule-at-all": "note"}}, "severity: no rule is called no-such-rule-at-all"),
        ({"severity": {"DRV102": "fatal"}}, "fatal is none of error, warning, note"),
        ({"fail_on": "warn"}, "fail_on: warn is none of error, warning, note"),
        ({"unknown": "panic"}, "unknown: panic is none of warn, fail, ignore"),
        ({"extends": "trainning"}, "file 0: no profile is called trainning; did you mean training?"),
        ({"require": {"python": "3.12"}}, "'3.12' is no version specifier; write '==3.12.*' or '>=3.12'"),
        ({"require": {"driver": "newest"}}, "require.driver: 'newest' is no version specifier"),
        ({"require": {"python": 3.12}}, "require.python: expected string, got float"),
        ({"require": {"gpus": "many"}}, "require.gpus: 'many' is no bound"),
        ({"require": {"gpus": -1}}, "require.gpus"),
        ({"require": {"gpus": True}}, "require.gpus: expected"),
        ({"require": {"torch_cuda": ["cu126"]}}, "'cu126' is no CUDA release; write '12.6', '13' or 'cpu'"),
        ({"require": {"packages": {"numpy": "2"}}}, "require.packages.numpy: '2' is no version specifier"),
        ({"require": {"packages": {"numpy; rm -rf /": ""}}}, "is no name of a package"),
        ({"forbid": {"packages": ["$(reboot)"]}}, "is no name of a package"),
        ({"forbid": {"env": ["A=B"]}}, "'A=B' is not among the variables that envcheck reads"),
        ({"require": {"env": {"X Y": ""}}}, "is not among the variables that envcheck reads"),
        ({"bench": {"min_ratio_to_peak": 90}}, "bench.min_ratio_to_peak: expected float <= 1.0"),
        ({"require": 3}, "require: expected table, got integer"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(table: dict[str, Any], words: str) -> None:
    """The line names the file, the place and, for a name, the nearest one that is known."""
    with pytest.raises(PolicyError) as caught:
        settled(table)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith("file 0: ")


def test_variables_that_nobody_reads_cannot_be_judged() -> None:
    """A policy on a variable outside of the collectors' list would always find it missing."""
    table = {"require": {"env": {"HOME": ""}}}
    with pytest.raises(PolicyError, match="'HOME' is not among"):
        settled(table, is_read=lambda name: name != "HOME")
    assert settled(table).policy.require.env == {"HOME": ""}


def test_the_schema_agrees_with_the_reader() -> None:
    """What the reader takes is valid by the schema, and an unknown key is not."""
    schema = policy_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    plain = {**WHOLE, "ignore": [{"rule": "DRV102", "reason": "x", "until": "2027-01-31"}]}
    jsonschema.validate(plain, schema)
    for table in ({"requir": {}}, {"require": {"pyhton": ""}}, {"fail_on": "warn"}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(table, schema)

"""Variables that make things slow, wrong or fragile: one table for all of these small questions."""

from __future__ import annotations

from typing import Any

import pytest

from envcheck.facts import Unread, Variable
from envcheck.rules.torch_runtime.allocator import KEYS, mistake
from envcheck.testing import Machine, judge_one, machine

VARIABLES = "/environment/variables"


def with_variables(cast: str = "h100", **variables: str) -> Machine:
    return machine(cast).but({VARIABLES: [Variable(name=n, value=v) for n, v in variables.items()]})


@pytest.mark.parametrize(
    ("rule", "variables", "outcome", "severity"),
    [
        ("cuda-launch-blocking-on", {"CUDA_LAUNCH_BLOCKING": "1"}, "problem", "warning"),
        ("cuda-launch-blocking-on", {"CUDA_LAUNCH_BLOCKING": "0"}, "ok", "warning"),
        ("cuda-launch-blocking-on", {"PYTORCH_NO_CUDA_MEMORY_CACHING": "1"}, "problem", "warning"),
        ("cuda-launch-blocking-on", {"NCCL_DEBUG": "TRACE"}, "problem", "warning"),
        ("cuda-launch-blocking-on", {"NCCL_DEBUG": "WARN"}, "ok", "warning"),
        ("cuda-launch-blocking-on", {}, "ok", "warning"),
        ("cuda-module-loading-eager", {"CUDA_MODULE_LOADING": "EAGER"}, "problem", "warning"),
        ("cuda-module-loading-eager", {"CUDA_MODULE_LOADING": "LAZY"}, "ok", "warning"),
        ("cuda-module-loading-eager", {}, "not_applicable", "warning"),
        ("tf32-override-set", {"NVIDIA_TF32_OVERRIDE": "0"}, "problem", "warning"),
        ("tf32-override-set", {"NVIDIA_TF32_OVERRIDE": "1"}, "ok", "warning"),
        ("tf32-override-set", {"TORCH_ALLOW_TF32_CUBLAS_OVERRIDE": "1"}, "problem", "warning"),
        ("tf32-override-set", {}, "ok", "warning"),
        ("nccl-env-hazard", {"NCCL_P2P_DISABLE": "1"}, "problem", "warning"),
        ("nccl-env-hazard", {"NCCL_P2P_DISABLE": "0"}, "ok", "warning"),
        ("nccl-env-hazard", {"NCCL_TOPO_FILE": "/etc/topo.xml"}, "ok", "warning"),  # cloud images set it on purpose
        ("nccl-env-hazard", {"NCCL_ALGO": "Ring"}, "problem", "warning"),
        ("nvml-based-check-weak", {"PYTORCH_NVML_BASED_CUDA_CHECK": "1"}, "problem", "note"),
        ("nvml-based-check-weak", {"PYTORCH_NVML_BASED_CUDA_CHECK": "0"}, "not_applicable", "note"),
        ("ld-preload-set", {"LD_PRELOAD": "/usr/lib/libjemalloc.so.2"}, "problem", "note"),
        ("ld-preload-set", {"LD_PRELOAD": "/opt/libstdc++.so.6"}, "problem", "warning"),
        ("ld-preload-set", {"LD_PRELOAD": "/opt/fake/libcuda.so.1:/x.so"}, "problem", "warning"),
        ("ld-preload-set", {"LD_PRELOAD": " "}, "not_applicable", "warning"),
        ("alloc-conf-invalid", {"PYTORCH_CUDA_ALLOC_CONF": "expandable_segments:True"}, "ok", "error"),
        ("alloc-conf-invalid", {"PYTORCH_CUDA_ALLOC_CONF": "expandable_segment:True"}, "problem", "warning"),
        ("alloc-conf-invalid", {"PYTORCH_ALLOC_CONF": "expandable_segments:true"}, "problem", "error"),
        ("alloc-conf-invalid", {}, "not_applicable", "error"),
    ],
)
def test_each_value(rule: str, variables: dict[str, str], outcome: str, severity: str) -> None:
    """A value that changes something is a finding; one that changes nothing is none."""
    verdict = judge_one(rule, with_variables(**variables))
    assert (verdict.outcome, verdict.severity) == (outcome, severity)


@pytest.mark.parametrize(
    "rule",
    [
        "cuda-launch-blocking-on",
        "cuda-module-loading-eager",
        "tf32-override-set",
        "nccl-env-hazard",
        "nvml-based-check-weak",
        "ld-preload-set",
        "alloc-conf-invalid",
    ],
)
def test_an_environment_that_was_not_read_is_no_clean_one(rule: str) -> None:
    """Cannot tell, for every question about variables."""
    assert judge_one(rule, machine("h100").but({VARIABLES: Unread("refused")})).outcome == "cannot_tell"


@pytest.mark.parametrize(
    ("setting", "certain"),
    [
        ("", None),
        ("max_split_size_mb:128", None),
        ("max_split_size_mb:20", None),
        ("max_split_size_mb:19", True),
        ("max_split_size_mb=128", True),
        ("max_split_size_mb:128,expandable_segments:True", None),
        ("garbage_collection_threshold:0.8", None),
        ("garbage_collection_threshold:1.0", True),
        ("backend:cudaMallocAsync", None),
        ("backend:malloc", True),
        ("roundup_power2_divisions:[256:1,512:2,>:4],max_split_size_mb:64", None),
        ("roundup_power2_divisions:4", None),
        ("a_key_of_tomorrow:7", False),
        ("expandable_segments", True),
    ],
)
def test_the_allocator_grammar(setting: str, certain: bool | None) -> None:
    """What torch accepts is accepted; what it refuses is certain; a key of a newer torch is only a doubt."""
    fault = mistake(setting)
    assert (fault[1] if fault else None) == certain


def test_every_allocator_key_accepts_a_value() -> None:
    """No pattern of the table is unsatisfiable."""
    samples = {"backend": "native", "garbage_collection_threshold": "0.5", "per_process_memory_fraction": "0.5"}
    for key, pattern in KEYS.items():
        value = samples.get(key, "True" if "True" in pattern else "64")
        assert mistake(f"{key}:{value}") is None, key


@pytest.mark.parametrize("cast", ["cpu-only", "h100", "wsl2-rtx3080"])
def test_no_libcuda_is_a_finding_only_where_a_card_is(cast: str) -> None:
    """Without a card nothing is missing."""
    gone: dict[str, Any] = {"/cuda/library": None, "/cuda/load_error": "libcuda.so.1: cannot open shared object file"}
    outcome = judge_one("no-driver-library", machine(cast).but(gone)).outcome
    assert outcome == ("not_applicable" if cast == "cpu-only" else "problem")
    unread = {**gone, "/devices/pci": Unread("refused"), "/nvml/gpus": Unread("timeout")}
    assert judge_one("no-driver-library", machine(cast).but(unread)).outcome == "cannot_tell"
    assert judge_one("no-driver-library", machine("h100")).outcome == "ok"


def test_device_order_matters_only_with_unlike_cards() -> None:
    """The permutation is found by bus id; alike cards, one card or a mask are no question."""
    swapped = {"/cuda/devices/0/bus_id": "0000:27:00.0", "/cuda/devices/1/bus_id": "0000:17:00.0"}
    rule = "cuda-device-order-mismatch"
    unlike = {"/nvml/gpus/0/name": "NVIDIA T1000"}
    assert judge_one(rule, machine("h100").but({**unlike, **swapped})).outcome == "problem"
    assert judge_one(rule, machine("h100").but(unlike)).outcome == "ok"
    assert judge_one(rule, machine("h100").but(swapped)).outcome == "not_applicable"
    assert judge_one(rule, machine("rtx5090")).outcome == "not_applicable"
    assert judge_one(rule, machine("h100").but({**unlike, "/cuda/devices": Unread("timeout")})).outcome == "cannot_tell"

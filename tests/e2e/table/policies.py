"""``envcheck preflight``: a healthy machine that is not what a policy asks for."""

from __future__ import annotations

from pathlib import Path

from tests.e2e.rows import Row, server
from tests.fakes import Machine, healthy_h100

POLICY = """
[require]
python = ">=9.0"
torch = "<2"
torch_cuda = "11.8"
driver = ">=999"
gpus = ">=8"
compute_capability = ">=99"
gpu_memory_gib = ">=999"
shm_mib = ">=1048576"
packages = {vllm = ">=0.10"}
env = ["NCCL_IB_HCA"]

[forbid]
packages = ["numpy"]
env = ["CUDA_LAUNCH_BLOCKING"]

[[ignore]]
rule = "pcie-link-degraded"
reason = "the slot is an old one"
until = 2020-01-01
"""


def machine() -> Machine:
    return server(healthy_h100(2)).sized("dev/shm", 64 << 20)


def policy(home: Path) -> None:
    (home / "policy.toml").write_text(POLICY)


def policy_for_python(home: Path) -> None:
    (home / "policy.toml").write_text('[require]\npython = ">=3.10"\n')


def nobody(folder: Path) -> str:
    """No Python is named, and none is on PATH."""
    return ""


ROWS = {
    "a policy where no Python is": Row(
        lambda: server(healthy_h100(2)),
        {"policy-environment": "error"},
        python=nobody,
        asked=("preflight", "--policy", "{home}/policy.toml"),
        home=policy_for_python,
    ),
    "a policy that asks for another machine": Row(
        machine,
        {
            "policy-python": "error",
            "policy-torch": "error",
            "policy-torch-cuda": "error",
            "policy-driver": "error",
            "policy-gpus": "error",
            "policy-compute-capability": "error 0 1",
            "policy-gpu-memory": "error 0 1",
            "policy-shm": "error",
            "policy-packages": "error",
            "policy-package-forbidden": "error",
            "policy-env": "error",
            "policy-env-forbidden": "error",
            "policy-exception-expired": "warning",
            "cuda-launch-blocking-on": "warning",
        },
        asked=("preflight", "--policy", "{home}/policy.toml"),
        home=policy,
        variables={"CUDA_LAUNCH_BLOCKING": "1"},
    ),
}

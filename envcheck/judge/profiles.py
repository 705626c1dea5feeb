"""Policies to start from, in the form in which people write them.

Small on purpose: a profile states what its users all want, and a project's own file the rest.
"""

from __future__ import annotations

from typing import Any

DEBUGGING = ["CUDA_LAUNCH_BLOCKING", "PYTORCH_NO_CUDA_MEMORY_CACHING"]
"""Switches of a debugging session: each makes every later job slow."""

PROFILES: dict[str, dict[str, Any]] = {
    # A laptop or a course's server: whatever is there should work.
    "student": {"fail_on": "error", "unknown": "warn"},
    # A job that trains: a GPU, room for data loader workers and NCCL, no debugging switches.
    "training": {
        "unknown": "warn",
        "require": {"gpus": ">=1", "shm_mib": ">=1024"},
        "forbid": {"env": DEBUGGING},
    },
    # A service that predicts: a GPU and no debugging switches.
    "inference": {"unknown": "warn", "require": {"gpus": ">=1"}, "forbid": {"env": DEBUGGING}},
    # A hosted runner without GPU: only what is known to be wrong counts.
    "ci-build": {"unknown": "ignore"},
    # Nodes of a cluster: a node that cannot be judged is not given to a job.
    "fleet": {"unknown": "fail", "require": {"gpus": ">=1"}},
}

"""Every rule that facts decide can say ok, cannot tell and not applicable.  That it can say problem, tests/e2e proves.

The whole cast is judged as it is and with each section unread; five machines on which what rules ask for is there, and
in order, are judged with each single fact unread.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from typing import Any

from envcheck.facts import (
    CondaPackage,
    GpuProcess,
    Kernel,
    LibraryCopy,
    MigDevice,
    NvLink,
    Snapshot,
    StoredBench,
    ToolkitInstall,
    Unread,
    Variable,
)
from envcheck.judge import Policy, try_all
from envcheck.rules import QUESTIONS
from envcheck.testing import CAST, Machine, blank, fact_pointers, machine, parts
from tests.rules.speed.machines import ALL as BENCHED
from tests.rules.speed.machines import benched, card, gpu_device

WANTED = frozenset({"ok", "cannot_tell", "not_applicable"})
SECTIONS = ("host", "devices", "driver", "nvml", "smi", "cuda", "toolkit", "container", "environment", "jupyter")
SECTIONS += ("interpreters", "symptoms")
PYTHON = "/home/student/.venv/bin/python"
SITE = "/home/student/.venv/lib/python3.11/site-packages"

APART = {
    "envcheck.rules.declared": "needs a project's files: tests/rules/declared",
    "envcheck.rules.policy": "needs a policy that asks: tests/rules/policy",
    "envcheck.rules.python.plugins": "needs a broken plugin",
}
"""Modules whose rules the cast cannot ask, and where they are tested."""

ALWAYS_APPLIES = "it is asked on every machine"
NEVER_IN_ORDER = "to be set at all is what it remarks on; not set, it does not apply"
NEVER: dict[str, dict[str, str]] = {
    "xid-in-log": {"not_applicable": "it is asked of every card"},
    "nvswitch-fatal": {"not_applicable": ALWAYS_APPLIES},
    "torch-not-installed": {"not_applicable": ALWAYS_APPLIES},
    "torch-mixed-pip-conda": {"not_applicable": ALWAYS_APPLIES},
    "leftover-torch-distinfo": {"not_applicable": ALWAYS_APPLIES},
    "user-site-shadowing": {"not_applicable": ALWAYS_APPLIES},
    "pythonpath-shadowing": {"not_applicable": ALWAYS_APPLIES},
    "two-torch-copies-on-path": {"not_applicable": ALWAYS_APPLIES},
    "stale-kernelspec": {"not_applicable": "it is asked of every kernel"},
    "cuda-launch-blocking-on": {"not_applicable": ALWAYS_APPLIES},
    "tf32-override-set": {"not_applicable": ALWAYS_APPLIES},
    "nccl-env-hazard": {"not_applicable": ALWAYS_APPLIES},
    "ld-preload-set": {"ok": NEVER_IN_ORDER},
    "nvml-based-check-weak": {"ok": NEVER_IN_ORDER},
    "wsl-limits": {"ok": "every WSL 2 with a GPU has these limits"},
}
"""Outcomes that a rule cannot have, and why."""


def variables(**values: str) -> list[Variable]:
    return [Variable(name=name, value=value) for name, value in sorted(values.items())]


def furnished() -> Machine:
    """Two H100 with links, a network, a toolkit, packages beside torch, a notebook and harmless variables."""
    torch = parts.distribution("torch", "2.14.1", requires=['triton~=3.8.0; platform_system == "Linux"'])
    packages = [
        torch,
        *(parts.distribution(name, version) for name, version in (("numpy", "2.3.4"), ("triton", "3.8.0"))),
        parts.distribution("torchvision", "0.29.1", requires=["torch>=2.14.0"], tag_version="0.29.1+cu130"),
        parts.distribution("torchaudio", "2.11.0"),
        parts.distribution("nvidia-ml-py", "13.595.45"),
        parts.distribution("nvidia-cublas", "13.1.0.3"),
        parts.distribution("nvidia-cublas-cu12", "12.8.4.1"),
        parts.distribution("cupy-cuda12x", "13.6.0", requires=["nvidia-cublas-cu12"]),
        parts.distribution("d2l", "2.0.0"),
    ]
    copies = [
        LibraryCopy(soname="libcudnn.so.9", path=f"{folder}/libcudnn.so.9", version="9.24.0")
        for folder in ("/usr/lib/cuda", f"{SITE}/nvidia/cudnn/lib")
    ]
    kernel = Kernel(
        name="d2l",
        path="/k/d2l",
        language="python",
        argv=[PYTHON],
        interpreter=PYTHON,
        has_ipykernel=True,
        variables=[],
    )
    other = Kernel(name="ir", path="/k/ir", language="R", argv=["/usr/bin/R"], interpreter="/usr/bin/R", variables=[])
    notebook = GpuProcess(pid=9, name="python -m ipykernel_launcher", memory_bytes=1 << 20, own=True)
    return machine("h100").but(
        {
            "/interpreters/0/distributions": packages,
            "/interpreters/0/library_copies": copies,
            "/interpreters/0/runtime/companions": [],
            "/jupyter/kernels": [kernel, other],
            "/toolkit/toolkits": [
                ToolkitInstall(nvcc="/usr/local/cuda/bin/nvcc", version="13.0", found_by="CUDA_HOME")
            ],
            "/toolkit/cuda_home": "/usr/local/cuda",
            "/toolkit/cuda_home_exists": True,
            "/host/infiniband": ["mlx5_0/1 4: ACTIVE 400 Gb/sec"],
            "/host/memory_limit_bytes": 1 << 36,
            "/host/oom_kills": 0,
            "/host/memlock_limit_bytes": 1 << 40,
            "/nvml/gpus/0/nvlinks": [NvLink(link=0, active=True, recovery_errors=0)],
            "/nvml/gpus/0/processes": [notebook],
            "/nvml/gpus/1/retired_pages_pending": False,
            "/nvml/gpus/1/retired_pages_single_bit": 0,
            "/nvml/gpus/1/retired_pages_double_bit": 0,
            "/nvml/gpus/1/virtualization": "vgpu",
            "/nvml/gpus/1/license_status": "Licensed",
            "/nvml/gpus/1/name": "NVIDIA A100-SXM4-80GB",
            "/environment/activation_in_effect": True,
            "/environment/variables": variables(
                CUDA_MODULE_LOADING="LAZY",
                LD_LIBRARY_PATH="/usr/lib/cuda",
                LD_PRELOAD="/usr/lib/libjemalloc.so.2",
                OMP_NUM_THREADS="1",
                PYTORCH_CUDA_ALLOC_CONF="expandable_segments:True",
                PYTORCH_MPS_HIGH_WATERMARK_RATIO="0.7",
                PYTORCH_NVML_BASED_CUDA_CHECK="1",
                TORCH_CUDA_ARCH_LIST="9.0",
                VIRTUAL_ENV="/home/student/.venv",
            ),
        }
    )


def in_conda() -> Machine:
    """An environment of conda's, activated, all of one channel."""
    prefix = "/home/student/miniconda3/envs/dl"
    packages = [CondaPackage(name=name, version="2.9", channel="conda-forge") for name in ("pytorch", "numpy")]
    return machine("h100").but(
        {
            "/interpreters/0/manager": "conda",
            "/interpreters/0/name": "dl",
            "/interpreters/0/prefix": prefix,
            "/interpreters/0/cfg_version": None,
            "/interpreters/0/conda_packages": packages,
            "/interpreters/0/distributions": [parts.distribution("torch", "2.9.1", installer="conda")],
            "/environment/variables": variables(CONDA_PREFIX=prefix),
        }
    )


def named() -> Machine:
    """A Python without any package, which the user named: what the shell means is another matter."""
    bare = machine("cpu-only").but({"/interpreters/0/distributions": [], "/interpreters/0/version": None})
    return bare.but({"/target/chosen_by": "--python"})


def in_a_pod() -> Machine:
    given = variables(NVIDIA_VISIBLE_DEVICES="GPU-1234")
    pod = machine("docker-a100").but({"/container/engine": "kubernetes", "/environment/variables": given})
    return pod.but({"/host/shm_total_bytes": 8 << 30})


def divided() -> Machine:
    """An A100 in MIG mode whose instance is reached through a mask."""
    instance = MigDevice(uuid="MIG-1234", profile="1g.10gb", gpu_instance=1, compute_instance=0)
    mask = variables(CUDA_VISIBLE_DEVICES="MIG-1234")
    return machine("mig-a100").but({"/nvml/gpus/0/mig_devices": [instance], "/environment/variables": mask})


def measured() -> Machine:
    """Two equal cards after a benchmark, beside a stored one of the same."""
    devices = [gpu_device(card("h100", n), n) for n in range(2)]
    return benched(*devices, stored=StoredBench(path="before.json", taken_at="", tool="", devices=devices))


def asked() -> tuple[Any, ...]:
    def is_apart(module: str) -> bool:
        return any(module == place or module.startswith(f"{place}.") for place in APART)

    return tuple(q for q in QUESTIONS if not q.message_only and not is_apart(q.rules[0].__module__))


def snapshots() -> Iterator[Snapshot]:
    for name in CAST:
        whole = machine(name).snapshot
        yield whole
        for section in SECTIONS:
            if not isinstance(getattr(whole, section), Unread):
                yield blank(whole, f"/{section}")
    for now in (furnished(), in_conda(), named(), in_a_pod(), divided()):
        yield now.snapshot
        for pointer in fact_pointers(now.snapshot):
            yield blank(now.snapshot, pointer)


@cache
def outcomes() -> dict[str, set[str]]:
    """Rule → every outcome that it had on any of the machines."""
    found: dict[str, set[str]] = defaultdict(set)
    questions, policy = asked(), Policy(pedantic=True)
    for snapshot in snapshots():
        for verdict in try_all(snapshot, questions, policy):
            found[verdict.rule].add(verdict.outcome)
    whole = measured().snapshot
    own = [p for p in fact_pointers(whole) if p.startswith("/bench") and p.count("/") <= 4]
    for snapshot in (whole, *(blank(whole, pointer) for pointer in own)):
        for verdict in try_all(snapshot, BENCHED, policy):
            found[verdict.rule].add(verdict.outcome)
    return found


def test_every_rule_has_three_outcomes() -> None:
    """A rule that never says one of them guesses, is never content, or is never out of place."""
    missing = {
        rule.name: sorted(WANTED - outcomes()[rule.name] - NEVER.get(rule.name, {}).keys())
        for question in asked()
        for rule in question.rules
    }
    assert {name: lacking for name, lacking in missing.items() if lacking} == {}


def test_no_excuse_is_left_over() -> None:
    """An outcome that does occur needs no reason why it cannot."""
    assert {name for name, excused in NEVER.items() if excused.keys() & outcomes()[name]} == set()


def test_what_is_in_order_is_not_accused() -> None:
    """The machines on which everything is there are in order: no error, and no rule crashes on any of them."""
    assert {name for name, found in outcomes().items() if "crashed" in found} == set()
    for now in (furnished(), in_conda(), named(), in_a_pod(), divided(), measured()):
        errors = [v.rule for v in try_all(now.snapshot, asked(), Policy()) if v.outcome == "problem"]
        severe = [v for v in try_all(now.snapshot, asked(), Policy()) if v.rule in errors and v.severity == "error"]
        assert [v.rule for v in severe if v.outcome == "problem"] == []

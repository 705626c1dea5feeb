"""A small law and a small machine, so that a voice's tests do not move when a rule's wording does."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from envcheck.facts import (
    Cuda,
    Driver,
    Gpu,
    GpuProcess,
    Host,
    Interpreter,
    Nvml,
    PackageManager,
    Snapshot,
    Symptom,
    Target,
    TorchInstall,
    Unread,
    make,
)
from envcheck.judge import (
    CannotTell,
    Case,
    Fix,
    Ignore,
    Policy,
    Problem,
    Question,
    Report,
    Rule,
    RuleType,
    Step,
    judge,
    question,
)

GIB = 1 << 30


def rule(code: str, name: str, rung: str, severity: str = "error", **more: object) -> RuleType:
    return type(name, (Rule,), {"code": code, "name": name, "rung": rung, "severity": severity, **more})


DRIVER = rule("TST101", "driver-too-old", "cuda_driver", explains=("torch-unavailable",), essential=True)
TORCH = rule("TST201", "torch-unavailable", "torch_runtime")
HELD = rule("TST301", "clock-held-down", "speed", "warning")
REMARK = rule("TST302", "a-remark", "speed", "note")
SILENT = rule("TST401", "silent-question", "nvml")
UNASKED = rule("TST402", "unasked-question", "python")
BROKEN = rule("TST403", "broken-question", "python")
ACCEPTED = rule("TST404", "accepted-finding", "python")
SUSPECT = rule("TST405", "suspected-cause", "torch_build")

UPGRADE = Fix(
    title="Upgrade the driver to branch 580 or newer, or take a build for CUDA 12",
    steps=[
        Step(where="host", tool="apt", command="sudo apt-get install nvidia-driver-580", root=True),
        Step(where="host", tool="dnf", command="sudo dnf install nvidia-driver", root=True),
        Step(where="host", command="sudo reboot", root=True, reboot=True),
        Step(where="env", tool="pip", command="python -m pip install torch==2.14.1+cu126", note="instead"),
        Step(where="env", tool="uv", command="uv pip install torch==2.14.1+cu126"),
        Step(where="env", tool="conda", command="conda install pytorch-gpu"),
        Step(where="bios", note="switch Secure Boot off only if your policy allows it"),
    ],
    safety="disruptive",
    verify="nvidia-smi && envcheck doctor",
)


@question("host", DRIVER)
def is_the_driver_new_enough(case: Case) -> Problem | None:
    if case.known("/driver/nvml", str) == "580.95.05":
        return None
    return case.problem(
        DRIVER,
        "torch 2.14.1+cu130 needs a driver of CUDA 13; 535.183.01 offers CUDA 12.2",
        cause="the build was made for a newer CUDA major than the driver knows, and no compatibility reaches back",
        evidence=["/driver/nvml", "/cuda/driver_version", "/interpreters/0/torch/cuda", "/host/secure_boot"],
        fix=UPGRADE,
        links=("https://docs.nvidia.com/deploy/cuda-compatibility/",),
    )


@question("env", TORCH)
def can_torch_use_the_gpu(case: Case) -> Problem | None:
    if case.known("/driver/nvml", str) == "580.95.05":
        return None
    return case.problem(TORCH, "torch.cuda.is_available() is False", cause="", evidence=["/driver/nvml"])


@question("gpu", HELD, REMARK)
def is_the_clock_held_down(case: Case) -> Problem | None:
    pointer = f"{case.at('nvml')}/clock_reasons"
    if "sw_power_cap" not in (case.known(pointer, list) or []):
        return None
    fix = Fix(title="Raise the cap", steps=[Step(where="host", command="sudo nvidia-smi -pl 450", root=True)])
    return case.problem(HELD, "the SM clock is held down by the power cap", cause="", evidence=[pointer], fix=fix)


@question("host", REMARK)
def is_there_a_remark(case: Case) -> Problem | None:
    if case.known("/driver/nvml", str) == "580.95.05":
        return None
    return case.problem(REMARK, "the machine runs Linux", cause="", evidence=["/host/system"])


@question("host", SILENT)
def does_anybody_answer(case: Case) -> Problem | None:
    case.known("/smi/driver_version", str)
    return None


@question("host", UNASKED)
def did_anybody_look(case: Case) -> Problem | None:
    case.known("/bench/device", str)
    return None


@question("host", BROKEN)
def does_the_rule_break(case: Case) -> Problem | None:
    if case.known("/driver/nvml", str) == "580.95.05":
        return None
    raise ZeroDivisionError("planted")


@question("host", ACCEPTED)
def is_it_accepted(case: Case) -> Problem | None:
    if case.known("/driver/nvml", str) == "580.95.05":
        return None
    return case.problem(ACCEPTED, "the user site is on sys.path", cause="", evidence=["/host/system"])


@question("host", SUSPECT)
def is_it_suspected(case: Case) -> Problem | None:
    raise CannotTell("the facts are not known")


QUESTIONS: tuple[Question, ...] = (
    is_the_driver_new_enough,
    can_torch_use_the_gpu,
    is_the_clock_held_down,
    is_there_a_remark,
    does_anybody_answer,
    did_anybody_look,
    does_the_rule_break,
    is_it_accepted,
    is_it_suspected,
)


def gpu(index: int, **more: object) -> Gpu:
    facts: dict[str, object] = {
        "uuid": f"GPU-{index}",
        "name": "NVIDIA GeForce RTX 4090",
        "bus_id": f"0000:0{index + 1}:00.0",
        "memory_total_bytes": 24 * GIB,
        "memory_used_bytes": 3 * GIB // 2,
        "temperature_c": 61,
        "power_w": 449.6,
        "power_limit_w": 450.0,
        "clock_sm_mhz": 2205,
        "clock_sm_max_mhz": 3105,
        "clock_reasons": [],
        "ecc_enabled": None,
        "mig_mode": None,
        "pcie_generation": 4,
        "pcie_width": 16,
    }
    return Gpu(index=index, **{**facts, **more})  # type: ignore[arg-type]


def healthy_machine(**sections: object) -> Snapshot:
    python = Interpreter(
        executable="/home/student/study/.venv/bin/python",
        found_by=["VIRTUAL_ENV"],
        manager="venv",
        version="3.11.7",
        prefix="/home/student/study/.venv",
        torch=TorchInstall(version="2.14.1+cu130", cuda="13.0"),
    )
    facts: dict[str, object] = {
        "tool": "envcheck 0.1.0",
        "taken_at": "2026-01-02T03:04:05Z",
        "target": Target(interpreter=0, chosen_by="VIRTUAL_ENV"),
        "host": Host(
            system="Linux",
            os_name="Ubuntu 24.04.1 LTS",
            os_id="ubuntu",
            secure_boot=False,
            package_managers=[PackageManager(name="apt", path="/usr/bin/apt")],
        ),
        "driver": Driver(nvml="580.95.05", sys_module="580.95.05"),
        "nvml": Nvml(init_code=0, driver_version="580.95.05", device_count=1, gpus=[gpu(0)]),
        "cuda": Cuda(library="/usr/lib/libcuda.so.1", init_code=0, driver_version=13000, device_count=1),
        "interpreters": [python],
    }
    return make(**{**facts, **sections})


def sick_machine() -> Snapshot:
    users = [GpuProcess(pid=100 + i, name=f"/usr/bin/worker{i}", memory_bytes=i * GIB) for i in range(5)]
    return healthy_machine(
        target=Target(
            interpreter=0, chosen_by="VIRTUAL_ENV", disagreements=["python on PATH: /opt/conda/envs/study/bin/python"]
        ),
        driver=Driver(nvml="535.183.01", sys_module="535.183.01"),
        cuda=Cuda(library="/usr/lib/libcuda.so.1", init_code=0, driver_version=12020, device_count=1),
        nvml=Nvml(
            init_code=0,
            driver_version="535.183.01",
            device_count=2,
            gpus=[
                gpu(0, clock_reasons=["sw_power_cap"], processes=users),
                gpu(1, error_code=15, error_text="GPU is lost", temperature_c=Unread("missing"), name=None),
            ],
        ),
        smi=Unread("timeout", "nvidia-smi: no answer in 30 s"),
        symptoms=[
            Symptom(id="words", text="RuntimeError: no kernel image", source="line 12", suggests="suspected-cause")
        ],
    )


def silent_machine() -> Snapshot:
    """Nobody knows which driver is there."""
    return healthy_machine(driver=Unread("timeout", "no answer in 5 s"), nvml=Unread("timeout", "no answer in 5 s"))


HOSTILE = (
    "/tmp/a|b`c``d*e_f<script>alert(1)</script>[x](http://y)"
    "\x1b[31mred\x1b[0m\x1b]0;title\x07\x9b2J\x00\x07\x08\x7f\u202eevil\u2066\u2028next\n\r\n"
    "::error::x %0A\udcff\udce9\ud83d @someone #12 ~~gone~~ $math$ &amp; \U000e0041 日本語 🙂 \\"
)
"""Everything that a file name can hold and a report must not repeat."""


def hostile_machine() -> Snapshot:
    python = Interpreter(executable=HOSTILE, found_by=[HOSTILE], manager=HOSTILE, version=HOSTILE, prefix=HOSTILE)
    return healthy_machine(
        tool=HOSTILE,
        target=Target(interpreter=0, chosen_by=HOSTILE, disagreements=[HOSTILE]),
        host=Host(system=HOSTILE, os_name=HOSTILE, os_id=HOSTILE),
        driver=Driver(nvml=HOSTILE, sys_module=HOSTILE),
        nvml=Nvml(init_code=0, driver_version=HOSTILE, gpus=[gpu(0, name=HOSTILE, uuid=HOSTILE)]),
        smi=Unread("garbled", HOSTILE),
        interpreters=[python],
        symptoms=[Symptom(id="words", text=HOSTILE, source=HOSTILE, suggests="suspected-cause")],
    )


MACHINES: dict[str, Callable[[], Snapshot]] = {
    "healthy": healthy_machine,
    "sick": sick_machine,
    "silent": silent_machine,
    "hostile": hostile_machine,
}


@pytest.fixture
def questions() -> tuple[Question, ...]:
    return QUESTIONS


@pytest.fixture
def snapshot_of() -> Callable[[str], Snapshot]:
    return lambda name: MACHINES[name]()


@pytest.fixture
def report_of() -> Callable[[str], Report]:
    """The report on one of the machines: healthy, sick, silent or hostile."""
    policy = Policy(ignore=[Ignore(rule="accepted-finding", reason="our lab wants it so")])
    return lambda name: judge(MACHINES[name](), QUESTIONS, policy)


@pytest.fixture
def hostile_text() -> str:
    return HOSTILE

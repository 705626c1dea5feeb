"""Does this build fit the kind of card and the driver?"""

from __future__ import annotations

from typing import Any

import pytest

from envcheck.facts import Distribution, Interpreter, PciDevice, Symptom, Unread
from envcheck.judge import Policy, judge
from envcheck.rules import QUESTIONS
from envcheck.testing import Machine, judge_one, machine

ENV = "/interpreters/0"
TORCH, RUNTIME = f"{ENV}/torch", f"{ENV}/runtime"
LOST = Unread("refused", "nobody may look")
GONE = Unread("missing", "libcuda was not asked")
NOBODY = {"/devices": Unread("not_asked"), "/driver": Unread("not_asked"), "/container": Unread("not_asked")}
PASTED_CPU = {  # a pasted collect_env: what torch says of itself, and the cards by name
    f"{TORCH}/arch_list": Unread("not_asked"),
    "/cuda": Unread("not_asked"),
    "/nvml": Unread("not_asked"),
    "/environment": Unread("not_asked"),
    **NOBODY,
}


def cpu(cast: str, **changes: Any) -> Machine:
    """The machine with a CPU build of torch 2.14.1 in place of its own."""
    build = {
        f"{TORCH}/version": "2.14.1+cpu",
        f"{TORCH}/cuda": None,
        f"{RUNTIME}/version": "2.14.1+cpu",
        f"{RUNTIME}/cuda": None,
    }
    return machine(cast).but({**build, **changes})


def rocm(cast: str, **changes: Any) -> Machine:
    build = {f"{TORCH}/version": "2.14.1+rocm7.2", f"{RUNTIME}/version": "2.14.1+rocm7.2"}
    return cpu(cast, **{**build, f"{TORCH}/hip": "7.2.0", f"{RUNTIME}/hip": "7.2.0", **changes})


AMD = PciDevice(address="0000:03:00.0", vendor=0x1002, device=0x744C, class_code=0x030000, virtual_function=False)
NVIDIA = PciDevice(address="0000:17:00.0", vendor=0x10DE, device=0x2684, class_code=0x030000, virtual_function=False)


def asked_for_cuda() -> Machine:
    words = "AssertionError: Torch not compiled with CUDA enabled"
    symptom = Symptom(id="no-cuda", text=words, source="line 3", suggests="torch-cpu-only-build")
    return machine("macos-m2").but({"/symptoms": [symptom]})


ROWS: dict[str, dict[str, Machine]] = {
    "torch-cpu-only-build": {
        "ok": machine("h100"),
        "problem": machine("cpu-build-on-gpu-box"),
        "cannot_tell": cpu("h100", **{f"{TORCH}/cuda": LOST, f"{RUNTIME}/cuda": LOST}),
        "not_applicable": machine("cpu-torch"),
    },
    "windows-default-index-cpu": {
        "ok": machine("windows-rtx4090"),
        "problem": cpu("windows-rtx4090"),
        "cannot_tell": cpu("windows-rtx4090", **{"/nvml": LOST, "/smi": LOST, "/cuda": LOST}),
        "not_applicable": machine("cpu-torch"),
    },
    "torch-rocm-on-nvidia": {
        "ok": rocm("h100", **{"/devices/pci": [NVIDIA, AMD]}),
        "problem": rocm("h100"),
        "cannot_tell": rocm("h100", **{"/devices/pci": LOST}),
        "not_applicable": machine("amd-rocm"),
    },
    "macos-no-cuda": {
        "ok": machine("h100"),
        "problem": asked_for_cuda(),
        "cannot_tell": cpu("h100", **{f"{TORCH}/cuda": LOST, f"{RUNTIME}/cuda": LOST}),
        "not_applicable": machine("macos-m2"),
    },
    "driver-too-old-for-torch": {
        "ok": machine("h100-driver-535-cu126"),
        "problem": machine("driver-too-old"),
        "cannot_tell": machine("driver-too-old").but({"/cuda": GONE, "/driver": LOST, "/smi": LOST}),
        "not_applicable": machine("cpu-build-on-gpu-box"),
    },
}


TABLE = [(rule, outcome) for rule, rows in ROWS.items() for outcome in rows]


@pytest.mark.parametrize(("rule", "outcome"), TABLE)
def test_each_rule_gives_each_outcome(rule: str, outcome: str) -> None:
    """Every rule can be ok, a problem, untellable, and out of place."""
    assert judge_one(rule, ROWS[rule][outcome]).outcome == outcome


@pytest.mark.parametrize("rule", ROWS)
def test_the_text_of_each_finding(rule: str, text: Any, snapshot: Any) -> None:
    """What a user reads, whole."""
    assert text(judge_one(rule, ROWS[rule]["problem"])) == snapshot


@pytest.mark.parametrize(("rule", "outcome"), [row for row in TABLE if row[1] in ("ok", "problem")])
def test_a_missing_fact_neither_accuses_nor_acquits(rule: str, outcome: str, unlawful: Any) -> None:
    """Law 1 around each row of the table, fact by fact."""
    assert unlawful(rule, ROWS[rule][outcome]) == []


def test_healthy_machines_stay_clean(complaints: Any) -> None:
    """No error and no warning of these rules on any healthy machine of the cast."""
    assert complaints(ROWS) == []


@pytest.mark.parametrize(
    ("now", "guilty"),
    [
        (cpu("h100"), "torch-cpu-only-build"),
        (cpu("wsl2-rtx3080"), "torch-cpu-only-build"),
        (cpu("jetson-orin"), "torch-cpu-only-build"),
        (cpu("windows-rtx4090"), "windows-default-index-cpu"),
        (
            cpu(
                "h100",
                **{f"{TORCH}/xpu": "20250301", f"{TORCH}/version": "2.9.0+xpu", f"{RUNTIME}/version": "2.9.0+xpu"},
            ),
            None,
        ),
        (
            cpu(
                "docker-a100",
                **{
                    "/nvml": machine("cpu-only").snapshot.nvml,
                    "/smi/gpus": [],
                    "/cuda": machine("cpu-only").snapshot.cuda,
                },
            ),
            None,
        ),
        (cpu("slurm-h100"), "torch-cpu-only-build"),
    ],
    ids=["linux", "wsl", "jetson", "windows", "xpu", "container-without-gpu", "slurm"],
)
def test_a_build_without_cuda_counts_where_a_card_is_there_to_use(now: Machine, guilty: str | None) -> None:
    """On WSL and Jetson no bus shows the card; in a container without GPUs the bus shows one that nobody may use."""
    names = ("torch-cpu-only-build", "windows-default-index-cpu", "torch-rocm-on-nvidia")
    assert [name for name in names if judge_one(name, now).outcome == "problem"] == ([guilty] if guilty else [])


def test_a_cuda_build_beside_an_amd_card_is_a_remark() -> None:
    """That is what a plain install gives on Linux; the card stays unused, and nothing is broken."""
    own = {
        f"{at}/{name}": value
        for at in (TORCH, RUNTIME)
        for name, value in (("version", "2.9.1+cu128"), ("cuda", "12.8"), ("hip", None))
    }
    now = machine("amd-rocm").but(own)
    verdict = judge_one("torch-rocm-on-nvidia", now)
    assert (verdict.outcome, verdict.severity) == ("problem", "note")
    assert "whl/rocm" in " ".join(commands("torch-rocm-on-nvidia", now))
    assert judge_one("torch-rocm-on-nvidia", now, Policy(require_gpu=True)).severity == "error"
    assert (
        judge_one(
            "torch-rocm-on-nvidia", machine("cpu-only").but({ENV: machine("h100").snapshot.interpreters[0]})
        ).outcome
        == "ok"
    )  # type: ignore[index]


def test_a_pasted_report_is_enough_for_a_cpu_build() -> None:
    """torch's own version and a card's name convict: nothing else of the machine has to be known."""
    pasted = machine("cpu-build-on-gpu-box").but(PASTED_CPU)
    assert judge_one("torch-cpu-only-build", pasted).outcome == "problem"
    nameless = machine("cpu-build-on-gpu-box").but({**PASTED_CPU, "/host/system": Unread("not_asked")})
    verdict = judge_one("torch-cpu-only-build", nameless)  # on Windows another rule would name it
    assert (verdict.outcome, verdict.finding is not None) == ("cannot_tell", True)


@pytest.mark.parametrize(
    ("level", "cuda", "old"),
    [
        (12020, "12.8", False),  # minor-version compatibility
        (12000, "12.9", False),
        (11080, "12.0", True),
        (13000, "12.6", False),
        (12090, "13.0", True),
        (13000, "13.2", False),
        (11000, "11.8", False),
        (10010, "10.2", True),  # none before CUDA 11
        (10020, "10.2", False),
    ],
)
def test_cuda_majors_are_compared_and_not_numbers(level: int, cuda: str, old: bool) -> None:
    """A driver runs every minor of its CUDA major version from 11 on, and older majors."""
    now = machine("h100").but({"/cuda/driver_version": level, f"{TORCH}/cuda": cuda, f"{RUNTIME}/cuda": cuda})
    assert judge_one("driver-too-old-for-torch", now).outcome == ("problem" if old else "ok")


def test_a_cuda_that_does_not_start_is_not_blamed_on_the_pairing() -> None:
    """803 with an older libcuda found first: the level of the wrong library says nothing of the driver."""
    assert judge_one("driver-too-old-for-torch", machine("cu-init-803")).outcome == "not_applicable"


@pytest.mark.parametrize(
    ("driver", "outcome"), [("535.104.05", "cannot_tell"), ("580.65.06", "ok"), (None, "not_applicable")]
)
def test_without_libcuda_an_old_driver_is_a_suspicion_only(driver: str | None, outcome: str) -> None:
    """A forward-compatibility libcuda may lift an old driver: without its word nobody is convicted."""
    stated = {f"/driver/{name}": driver for name in ("nvml", "nvidia_smi", "proc", "sys_module")}
    now = machine("h100").but({"/cuda": GONE, **stated, "/smi/driver_version": driver})
    verdict = judge_one("driver-too-old-for-torch", now)
    assert (verdict.outcome, verdict.finding is not None) == (outcome, outcome == "cannot_tell")


NO_DRIVER_TOLD = {"/cuda": GONE, "/driver": Unread("not_asked"), "/smi": Unread("not_asked")}


def jetson(release: Any, cuda: str, available: bool = True) -> Machine:
    """A Jetson of which a text tells no more than its Linux release and its torch."""
    builds = {f"{TORCH}/cuda": cuda, f"{RUNTIME}/cuda": cuda, f"{RUNTIME}/available": available}
    return machine("jetson-orin").but({**NO_DRIVER_TOLD, "/host/l4t": release, **builds})


@pytest.mark.parametrize(
    ("now", "outcome"),
    [
        (jetson("36.4.3", "12.8"), "ok"),
        (jetson("38.2.1", "13.0"), "ok"),
        (jetson("35.4.1", "11.4"), "ok"),
        (jetson("36.4.3", "13.0", available=False), "problem"),
        (jetson("35.4.1", "12.1", available=False), "problem"),
        (jetson("36.4.3", "13.0"), "cannot_tell"),  # a cuda-compat package may lift it
        (jetson("99.9", "13.0", available=False), "cannot_tell"),
        (jetson(None, "13.0", available=False), "cannot_tell"),
        (jetson(LOST, "13.0", available=False), "cannot_tell"),
        (jetson(Unread("not_asked"), "13.0", available=False), "cannot_tell"),
    ],
)
def test_a_jetsons_release_tells_the_cuda_of_its_driver(now: Machine, outcome: str) -> None:
    """Where nobody asked the driver, its release is as good; majors are compared here as well."""
    assert judge_one("driver-too-old-for-torch", now).outcome == outcome


def test_a_jetsons_fix_is_the_wheel_of_its_jetpack(unlawful: Any) -> None:
    """No wheel of PyTorch's index has code for these boards up to JetPack 6; from JetPack 7 on the ordinary ones do."""
    now = jetson("36.4.3", "13.0", available=False)
    told = commands("driver-too-old-for-torch", now)
    assert any("install-pytorch-jetson-platform" in line for line in told)
    assert not any("--index-url" in line for line in told)
    assert unlawful("driver-too-old-for-torch", now) == []
    thor = commands("torch-cpu-only-build", cpu("jetson-orin", **{"/host/l4t": "38.2.1"}))
    assert not any("install-pytorch-jetson-platform" in line for line in thor)


@pytest.mark.parametrize(
    ("driver", "cuda", "outcome"),
    [
        ("410.104", "10.2", "cannot_tell"),  # a suspicion: too old for Linux and for Windows
        ("460.32.03", "10.2", "ok"),  # new enough for both
        ("580.95.05", "13.0", "ok"),
        ("526.98", "12.1", "cannot_tell"),  # enough for Linux, too old for Windows: is it WSL?
    ],
)
def test_where_nobody_looked_for_wsl_both_answers_have_to_agree(driver: str, cuda: str, outcome: str) -> None:
    """Old reports do not tell the kernel: the pairing is decided where WSL would make no difference."""
    builds = {f"{TORCH}/cuda": cuda, f"{RUNTIME}/cuda": cuda}
    stated = {f"/driver/{name}": driver for name in ("nvml", "nvidia_smi", "proc", "sys_module")}
    now = machine("h100").but({"/cuda": GONE, "/host/wsl": LOST, **stated, "/smi/driver_version": driver, **builds})
    assert judge_one("driver-too-old-for-torch", now).outcome == outcome


def test_torchs_own_words_turn_the_suspicion_into_a_conviction() -> None:
    """ "The NVIDIA driver on your system is too old" leaves no other reading."""
    words = "The NVIDIA driver on your system is too old (found version 12020)"
    proof = Symptom(id="old", text=words, source="line 1", suggests="driver-too-old-for-torch", proves=True)
    stated = {f"/driver/{name}": "535.104.05" for name in ("nvml", "nvidia_smi", "proc", "sys_module")}
    now = machine("h100").but({"/cuda": GONE, **stated, "/smi/driver_version": "535.104.05", "/symptoms": [proof]})
    assert judge_one("driver-too-old-for-torch", now).outcome == "problem"


def commands(rule: str, now: Machine, policy: Policy | None = None) -> list[str]:
    finding = judge_one(rule, now, policy).finding
    assert finding is not None and finding.fix is not None
    return [step.command or step.note for step in finding.fix.steps]


def test_fixes_go_through_the_judged_interpreter_and_its_manager() -> None:
    """pip of that very Python; uv names it; conda keeps to its channel."""
    uv = machine("cpu-build-on-gpu-box").but({f"{ENV}/manager": "uv", f"{ENV}/has_pip": False})
    conda = machine("cpu-build-on-gpu-box").but(
        {
            f"{ENV}/manager": "conda",
            f"{ENV}/distributions": [Distribution(name="torch", version="2.14.1", installer="conda")],
        }
    )
    spaced = machine("cpu-build-on-gpu-box").but({f"{ENV}/executable": "/home/a b/.venv/bin/python"})
    assert all(
        c.startswith("/home/student/.venv/bin/python -m pip ")
        for c in commands("torch-cpu-only-build", machine("cpu-build-on-gpu-box"))
    )
    assert commands("torch-cpu-only-build", uv)[0].startswith("uv pip install --python /home/student/.venv/bin/python ")
    assert commands("torch-cpu-only-build", conda)[0].startswith("conda install -c conda-forge ")
    assert commands("torch-cpu-only-build", spaced)[0].startswith("'/home/a b/.venv/bin/python' -m pip ")
    assert '"torchvision==0.29.1"' not in " ".join(commands("torch-cpu-only-build", machine("cpu-build-on-gpu-box")))
    beside = [Distribution(name="torch", version="2.14.1"), Distribution(name="torchvision", version="0.29.1")]
    trio = machine("cpu-build-on-gpu-box").but({f"{ENV}/distributions": beside})
    assert "torchvision==0.29.1" in " ".join(commands("torch-cpu-only-build", trio))


@pytest.mark.parametrize(
    ("now", "index"),
    [
        (machine("driver-too-old"), "whl/cu126"),
        (machine("gpu-newer-than-build"), "whl/cu128"),
        (machine("gpu-older-than-build"), "whl/cu126"),
        (machine("cpu-build-on-gpu-box"), "whl/cu130"),
    ],
)
def test_the_build_that_the_fix_names_fits(now: Machine, index: str) -> None:
    """Installed as told, the pairing is no problem any more: the index is that of a build which runs here."""
    rule = judge(now.snapshot, QUESTIONS).root_causes[0].rule
    assert any(index in command for command in commands(rule, now))


@pytest.mark.parametrize(
    ("now", "where"),
    [
        (machine("driver-too-old").but({"/host/wsl": 2}), "windows"),
        (machine("driver-too-old").but({"/container/engine": "docker"}), "container_host"),
        (machine("driver-too-old"), "host"),
    ],
)
def test_the_driver_is_upgraded_where_it_lives(now: Machine, where: str) -> None:
    """Under WSL it is Windows' driver, in a container the host's."""
    finding = judge_one("driver-too-old-for-torch", now).finding
    assert finding is not None and finding.fix is not None
    assert finding.fix.steps[-1].where == where
    assert "580" in finding.fix.steps[-1].note


def test_where_no_build_fits_the_fix_says_so() -> None:
    """An RTX 5090 under driver 535 has no build at all: no command is made up."""
    now = machine("driver-too-old").but(
        {
            "/nvml/gpus/0/compute_capability": 120,
            "/nvml/gpus/0/name": "NVIDIA GeForce RTX 5090",
            "/nvml/gpus/0/pci_device_id": 0x2B85,
        }
    )
    told = commands("driver-too-old-for-torch", now)
    assert not any("pip install" in command for command in told)
    assert "no published build fits" in told[0]


def test_a_second_environment_does_not_change_the_judged_one() -> None:
    """The question is asked of the environment that is judged."""
    other = Interpreter(executable="/opt/other/bin/python", found_by=["PATH"], prefix="/opt/other")
    now = machine("h100").but({"/interpreters": [*machine("h100").snapshot.interpreters, other]})  # type: ignore[misc]
    assert judge_one("torch-cpu-only-build", now).outcome == "ok"

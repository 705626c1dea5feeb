"""What is shared names nobody: planted secrets come out of no format, and what the diagnosis needs stays."""

from __future__ import annotations

from dataclasses import replace as with_fields

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from envcheck.facts import (
    GpuProcess,
    Interpreter,
    Jupyter,
    Kernel,
    Origin,
    Snapshot,
    Symptom,
    Target,
    TorchInstall,
    TorchRuntime,
    Unread,
    Variable,
    encode,
    resolve,
)
from envcheck.judge import judge
from envcheck.report import FORMATS, Page, render
from envcheck.report.attachment import render as attach
from envcheck.report.json_report import snapshot_text
from envcheck.report.redact import redact, redact_text
from envcheck.rules import QUESTIONS
from envcheck.testing import CAST, machine

UUID = "GPU-0badf00d-1234-5678-9abc-def012345678"
SECRETS = {
    "user": "mallory",
    "other user": "trudy",
    "host": "gpubox42",
    "host given": "login7",
    "project": "moonshot",
    "environment": "envforacme",
    "address": "10.20.30.40",
    "address 6": "fe80::dead:beef",
    "mail": "mallory@corp.example.com",
    "login": "s3cr3tpw",
    "token": "hf_abcdefghijklmnopqrstuv",
    "key": "AKIAABCDEFGHIJKLMNOP",
    "variable": "hunter2hunter2",
    "uuid": "1234-5678-9abc-def012345678",
    "serial": "1650124014249",
    "process": "stealthminer",
    "mac": "de:ad:be:ef:00:01",
}
HOME = f"/home/{SECRETS['user']}"
PYTHON = f"{HOME}/{SECRETS['project']}/.venv/bin/python"
ENV = f"{HOME}/miniconda3/envs/{SECRETS['environment']}"
TRACEBACK = (
    f'Traceback (most recent call last):\n  File "{HOME}/{SECRETS["project"]}/train.py", line 3, in <module>\n'
    f'  File "/home/{SECRETS["other user"]}/lib/python3.11/site-packages/torch/cuda/__init__.py", line 9, in init\n'
    f"RuntimeError: rendezvous at tcp://{SECRETS['address']}:29500 of {SECRETS['user']}@{SECRETS['host']}:~$ failed; "
    f"mail {SECRETS['mail']}; https://bob:{SECRETS['login']}@index.example/simple?token={SECRETS['token']}"
)


def planted() -> Snapshot:
    """A machine of the cast with every secret in a place where a collector or a reader could have put it."""
    whole = machine("h100").snapshot
    assert not isinstance(whole.nvml, Unread)
    assert isinstance(whole.nvml.gpus, list)
    assert isinstance(whole.interpreters, list)
    processes = [
        GpuProcess(pid=7, name=f"/opt/{SECRETS['process']}", memory_bytes=1 << 30, own=False),
        GpuProcess(pid=8, name=f"{PYTHON}", memory_bytes=1 << 20, own=True),
    ]
    gpu = msgspec.structs.replace(
        whole.nvml.gpus[0], uuid=UUID, serial=SECRETS["serial"], processes=processes, error_code=15, error_text="lost"
    )
    log = [
        f"Nov 24 12:00:00 {SECRETS['host']} kernel: NVRM: GPU Board Serial Number: {SECRETS['serial']}",
        f"NVRM: Xid (PCI:0000:17:00): 31, pid=7, name={SECRETS['process']}, Ch 1",
        f"eth0: link {SECRETS['mac']} {SECRETS['address 6']}",
    ]
    python = Interpreter(
        executable=PYTHON,
        found_by=["VIRTUAL_ENV"],
        name=SECRETS["environment"],
        version="3.11.7",
        prefix=ENV,
        sys_path=[f"{HOME}/{SECRETS['project']}", f"{ENV}/lib/python3.11/site-packages"],
        torch=TorchInstall(location=f"{ENV}/lib/python3.11/site-packages/torch", version="2.9.1+cu128", cuda="12.8"),
        runtime=TorchRuntime(imported=False, import_error=TRACEBACK, traceback=TRACEBACK),
    )
    kernel = Kernel(
        name=SECRETS["environment"],
        path=f"{HOME}/.local/share/jupyter/kernels/{SECRETS['environment']}/kernel.json",
        argv=[PYTHON, "-m", "ipykernel_launcher"],
        variables=[f"HF_TOKEN={SECRETS['token']}", "OMP_NUM_THREADS=4"],
    )
    environment = msgspec.structs.replace(
        whole.environment,  # type: ignore[type-var]
        home=HOME,
        working_directory=f"{HOME}/{SECRETS['project']}",
        path=[f"{HOME}/bin", "/usr/bin"],
        variables=[
            Variable(name="CUDA_VISIBLE_DEVICES", value=UUID),
            Variable(name="LD_LIBRARY_PATH", value=f"{ENV}/lib:/usr/local/cuda/lib64"),
            Variable(name="AWS_SECRET_ACCESS_KEY", value=SECRETS["variable"]),
            Variable(name="MASTER_ADDR", value=SECRETS["host"]),
            Variable(name="SOME_SETTING", value=SECRETS["variable"]),
        ],
    )
    return msgspec.structs.replace(
        whole,
        target=Target(interpreter=0, chosen_by=f"--env {SECRETS['environment']}", disagreements=[f"python: {PYTHON}"]),
        host=msgspec.structs.replace(
            whole.host,  # type: ignore[type-var]
            group_names=["docker", SECRETS["user"]],
            kernel_cmdline=f"root=UUID=0badf00d-{SECRETS['uuid']} ip={SECRETS['address']}",
        ),
        driver=msgspec.structs.replace(whole.driver, recovery_log=log),  # type: ignore[type-var]
        nvml=msgspec.structs.replace(whole.nvml, gpus=[gpu, *whole.nvml.gpus[1:]]),
        environment=environment,
        interpreters=[python],
        jupyter=Jupyter(kernels=[kernel]),
        symptoms=[
            Symptom(id="no-cuda-gpus", text=TRACEBACK, source="torch probe", suggests="cvd-empty"),
            Symptom(
                id="x", text=f"key {SECRETS['key']} on {SECRETS['host given']} of {SECRETS['user']}", source="line 1"
            ),
        ],
        origins=[
            Origin(pointer="/nvml/gpus/0/processes/0", source=f"line 9: | 0 7 C {SECRETS['process']} 1GiB |"),
            Origin(pointer="/host/uid", source=f"line 10: {SECRETS['user']}@{SECRETS['host']}:~$ id"),
        ],
    )


def leaks(text: str) -> list[str]:
    return [what for what, secret in SECRETS.items() if secret in text]


def clean() -> Snapshot:
    return redact(planted(), users=[SECRETS["user"]], hosts=[f"{SECRETS['host given']}.corp.example.com"])


@pytest.mark.parametrize("name", ["snapshot", "attachment", *FORMATS])
def test_no_format_shows_a_planted_secret(name: str) -> None:
    """Evidence, summaries, tables and the snapshot itself: every voice is fed, and none of them leaks."""

    def say(snapshot: Snapshot) -> str:
        if name == "snapshot":
            return snapshot_text(snapshot)
        if name == "attachment":
            return attach(snapshot, Page())
        return render(name, judge(snapshot, QUESTIONS), Page(width=100))

    assert leaks(say(clean())) == []
    if name in ("snapshot", "attachment", "json"):
        assert leaks(say(planted())) == list(SECRETS)  # the test would see them


def test_a_text_is_redacted_by_the_same_rules() -> None:
    """A report that was already rendered, or a log, can be made fit to share too."""
    text = TRACEBACK + "\n" + snapshot_text(planted())
    redacted = redact_text(text, users=[SECRETS["user"], SECRETS["other user"]], hosts=[SECRETS["host"]])
    left = set(leaks(redacted)) - {"host given", "environment", "process", "variable"}
    assert left == set()  # names that only a field's meaning shows are for the snapshot's redaction


def test_redaction_is_idempotent() -> None:
    """A second pass changes nothing: pseudonyms are left alone."""
    once = clean()
    assert redact(once) == once
    assert redact(once, users=["user"], hosts=["host"]) == once
    text = redact_text(TRACEBACK)
    assert redact_text(text) == text


def test_what_the_diagnosis_needs_stays() -> None:
    """Versions, package folders, masks, bus ids and the allow-listed variables are what a helper asks for."""
    snapshot = clean()
    environment = {v.name: v.value for v in resolve(snapshot, "/environment/variables")}  # type: ignore[attr-defined]
    assert environment["CUDA_VISIBLE_DEVICES"] == "GPU-0badf00d-0000-0000-0000-000000000000"
    assert environment["CUDA_VISIBLE_DEVICES"] == resolve(snapshot, "/nvml/gpus/0/uuid")
    assert environment["LD_LIBRARY_PATH"].endswith("/lib:/usr/local/cuda/lib64")
    assert environment["AWS_SECRET_ACCESS_KEY"] == environment["SOME_SETTING"] == "<redacted>"
    location = resolve(snapshot, "/interpreters/0/torch/location")
    assert isinstance(location, str)
    assert location.startswith("/home/user/miniconda3/envs/dir")
    assert location.endswith("/lib/python3.11/site-packages/torch")
    assert resolve(snapshot, "/interpreters/0/torch/version") == "2.9.1+cu128"
    assert resolve(snapshot, "/nvml/gpus/0/bus_id") == resolve(planted(), "/nvml/gpus/0/bus_id")
    assert resolve(snapshot, "/nvml/gpus/0/processes/1/name") == resolve(snapshot, "/interpreters/0/executable")
    # One name, one pseudonym: the environment's name, its prefix and its kernel still belong together.
    name = resolve(snapshot, "/interpreters/0/name")
    assert name == resolve(snapshot, "/jupyter/kernels/0/name")
    assert str(resolve(snapshot, "/interpreters/0/prefix")).endswith(f"/{name}")
    assert resolve(snapshot, "/target/chosen_by") == f"--env {name}"
    assert resolve(snapshot, "/jupyter/kernels/0/variables") == ["HF_TOKEN=<redacted>", "OMP_NUM_THREADS=4"]


def test_what_is_hidden_is_unread_and_not_invented() -> None:
    """A serial number and another user's program are facts that may not be told: no stand-in values."""
    snapshot = clean()
    for pointer in ("/nvml/gpus/0/serial", "/nvml/gpus/0/processes/0/name"):
        fact = resolve(snapshot, pointer)
        assert isinstance(fact, Unread)
        assert fact.why == "refused"
    assert resolve(snapshot, "/nvml/gpus/0/processes/0/pid") == 7


@pytest.mark.parametrize("name", sorted(CAST))
def test_the_diagnosis_is_the_same(name: str) -> None:
    """A redacted snapshot is judged as the whole one: the same rules on the same machine."""
    whole = machine(name).snapshot
    before, after = (judge(snapshot, QUESTIONS) for snapshot in (whole, redact(whole)))
    assert [f.rule for f in before.root_causes] == [f.rule for f in after.root_causes]
    assert before.verdict == after.verdict
    assert [(v.rule, v.outcome) for v in before.verdicts] == [(v.rule, v.outcome) for v in after.verdicts]


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("nvidia-curand-cu12 10.3.5.147", "nvidia-curand-cu12 10.3.5.147"),
        ("nvidia-cudnn-cu12==9.1.0.70", "nvidia-cudnn-cu12==9.1.0.70"),
        ("libcublas.so.12.4.5.8", "libcublas.so.12.4.5.8"),
        ("cuDNN version 9.1.0.70", "cuDNN version 9.1.0.70"),
        ("bind to 127.0.0.1 failed", "bind to 127.0.0.1 failed"),
        ("no route to 192.168.7.12.", "no route to <ip>."),
        ("tcp://192.168.7.12:29500", "tcp://<ip>:29500"),
        ("Xid (PCI:0000:17:00): 79", "Xid (PCI:0000:17:00): 79"),
        ("00000000:17:00.0 at 12:34:56", "00000000:17:00.0 at 12:34:56"),
        ("c10::Error at::native", "c10::Error at::native"),
        ("KeyError: 'model'", "KeyError: 'model'"),
        ("tokenizer has 32000 tokens", "tokenizer has 32000 tokens"),
        ("/usr/lib/x86_64-linux-gnu/libcuda.so.1", "/usr/lib/x86_64-linux-gnu/libcuda.so.1"),
        ("pip install git+https://github.com/a/b@main", "pip install git+https://github.com/a/b@main"),
        ("Authorization: Bearer abc.def-123", "Authorization: Bearer <redacted>"),
        ("MY_API_KEY='a b c' next", "MY_API_KEY=<redacted> next"),
        (r"C:\Users\Eve Doe\My Code\run.py", r"C:\Users\user\dir1\dir2.py"),
        ("/root/proj/.venv/bin/python", "/root/dir1/.venv/bin/python"),
        ("/home/eve/torch.py", "/home/user/torch.py"),
        ("/home/eve/a and /home/bob/a", "/home/user/dir1 and /home/user2/dir1"),
        ("[eve@node9 code]$ ls; eve at node9", "[user@host code]$ ls; user at host"),
    ],
)
def test_single_texts(text: str, want: str) -> None:
    """Versions, bus ids and C++ names are no addresses; what is one, goes."""
    assert redact_text(text) == want


def test_a_home_at_an_unusual_place() -> None:
    """Clusters keep homes anywhere: the snapshot says where this one is."""
    snapshot = planted()
    changed = msgspec.convert(
        msgspec.json.decode(encode(snapshot).replace(HOME.encode(), b"/scratch/team/mallory")), Snapshot
    )
    assert SECRETS["project"] not in snapshot_text(redact(changed))
    assert "/scratch/team" not in snapshot_text(redact(changed))


@settings(max_examples=200, deadline=None)
@given(st.text(st.sampled_from("ab/:@.=-_ \\'\"0179fF\n~$#[]()UserhomkGPNTOKE"), max_size=80))
def test_any_text_is_redacted_and_stays_so(text: str) -> None:
    """No text makes it fail, and the second time nothing is left to do."""
    once = redact_text(text)
    assert redact_text(once) == once


def test_page_is_not_needed_for_a_snapshot_alone() -> None:
    """The attachment is plain text on the narrowest page."""
    assert attach(clean(), with_fields(Page(), unicode=False, width=40)).isascii()

"""What is shared names nobody: planted secrets come out of no format, and what the diagnosis needs stays."""

from __future__ import annotations

from dataclasses import replace as with_fields

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from envcheck.facts import Snapshot, Unread, encode, resolve
from envcheck.judge import Evidence, judge
from envcheck.report import FORMATS, Page, render
from envcheck.report.attachment import render as attach
from envcheck.report.json_report import snapshot_text
from envcheck.report.redact import redact, redact_text
from envcheck.rules import QUESTIONS
from envcheck.testing import CAST, machine
from tests.planted import HOME, ROOTS_HOME, SECRETS, TRACEBACK, leaks, planted


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
    left = set(leaks(redacted)) - {"host given", "environment", "process", "variable", "project", "key of wandb"}
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
    assert resolve(snapshot, "/interpreters/0/torch/version") == "2.14.1+cu130"
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
        (f"{ROOTS_HOME}/proj/.venv/bin/python", f"{ROOTS_HOME}/dir1/.venv/bin/python"),
        ("/home/eve/torch.py", "/home/user/torch.py"),
        ("/home/eve/a and /home/bob/a", "/home/user/dir1 and /home/user2/dir1"),
        ("[eve@node9 code]$ ls; eve at node9", "[user@host code]$ ls; user at host"),
        ("Linux node9 6.8.0-45-generic #45-Ubuntu; node9 is up", "Linux host 6.8.0-45-generic #45-Ubuntu; host is up"),
        ("uid=1000(mallory) /tmp/torchinductor_mallory/x", "uid=1000(user) /tmp/torchinductor_user/x"),
        ("/home/will/x: it will fail as will", "/home/user/dir1: it will fail as will"),
        ("File '/home/eve/my secret plan/a.py'", "File '/home/user/dir1/dir2.py'"),
        (r"cd /home/eve/my\ plan/.venv", "cd /home/user/dir1/.venv"),
        (r"\\wsl$\Ubuntu\home\eve\plan", r"\\wsl$\Ubuntu\home\user\dir1"),
        ("http://corp:p@ss@proxy.example:3128", "http://<redacted>@proxy.example:3128"),
        ("machine api.wandb.ai login user password abcd1234", "machine api.wandb.ai login user password <redacted>"),
        ("wandb login --relogin abcd1234", "wandb login --relogin <redacted>"),
        ("x_hf_abcdefghijklmnopqrstuv", "x_<redacted>"),
        ("link/ether de:ad:be:ef:00:01 DE-AD-BE-EF-00-01", "link/ether <mac> <mac>"),
        ("Serial Number: 1650124; board 1650124 is lost", "Serial Number: <serial>; board <serial> is lost"),
        ("the serial number is missing", "the serial number is missing"),
        ("ssh ip-10-20-30-40.ec2.internal", "ssh <ip>.ec2.internal"),
        ("5.15.146.1-microsoft-standard-WSL2", "5.15.146.1-microsoft-standard-WSL2"),
        ("/home/***/x/../bin/python", "/home/***/dir1/../bin/python"),
        ("-----BEGIN PRIVATE KEY-----\nMIIE\n-----END", "-----BEGIN PRIVATE KEY-----<redacted>-----END"),
    ],
)
def test_single_texts(text: str, want: str) -> None:
    """Versions, bus ids and C++ names are no addresses; what is one, goes."""
    assert redact_text(text) == want


def test_kernel_parameters_by_allow_list() -> None:
    """What speaks of drivers stays; of the rest of the kernel's command line only the names."""
    line = resolve(clean(), "/host/kernel_cmdline")
    hidden = "root=<redacted> ip=<redacted> systemd.hostname=<redacted> cloud.pw=<redacted>"
    assert line == f"BOOT_IMAGE=/vmlinuz ro {hidden} nvidia-drm.modeset=1"


def test_what_a_plugin_told_may_be_a_name() -> None:
    """Nobody knows what a plugin's facts mean: a bare name goes, in a key too, and what its key calls secret."""
    values = resolve(clean(), "/plugins/collectors.acme/facts/values")
    assert isinstance(values, dict)
    assert values["owner"] == "user"
    assert values["seats"] == {"user": 3}
    assert values["licence_key"] == "<redacted>"
    assert values["node"] != SECRETS["host"]


def test_a_report_quotes_the_redacted_snapshot() -> None:
    """Evidence, subjects and fingerprints say what the snapshot beside them says: one name, one pseudonym."""
    whole = judge(planted(), QUESTIONS)
    report = redact(whole, users=[SECRETS["user"]], hosts=[f"{SECRETS['host given']}.corp.example.com"])
    assert report.snapshot == clean()
    assert [finding.rule for finding in report.root_causes] == [finding.rule for finding in whole.root_causes]
    subject = f"env:{resolve(report.snapshot, '/interpreters/0/prefix')}"
    assert report.root_causes[0].subject == subject
    assert report.root_causes[0].fingerprint.endswith(f"/{subject}")
    assert redact(report) == report


def test_evidence_is_quoted_anew() -> None:
    """What hides a fact in the snapshot hides it where a finding quotes it: its meaning is lost on the way there."""
    whole = judge(planted(), QUESTIONS)
    hidden = ["/nvml/gpus/0/serial", "/nvml/gpus/0/processes/0/name", "/nvml/gpus/0/processes", "/host/kernel_cmdline"]
    hidden += [f"/environment/variables/{i}" for i in range(9)] + [
        "/interpreters/0/name",
        "/jupyter/kernels/0/variables",
    ]
    hidden += [f"/plugins/collectors.acme/facts/values/{name}" for name in ("owner", "node", "licence_key", "seats")]
    quotes = [Evidence(at, msgspec.to_builtins(resolve(whole.snapshot, at)), "somebody") for at in hidden]
    first = msgspec.structs.replace(whole.root_causes[0], evidence=quotes)
    report = redact(
        msgspec.structs.replace(whole, root_causes=[first]), hosts=[f"{SECRETS['host given']}.corp.example.com"]
    )
    for quote in report.root_causes[0].evidence:
        assert quote.value == msgspec.to_builtins(resolve(report.snapshot, quote.pointer)), quote.pointer
    assert leaks(str(report.root_causes[0].evidence)) == []


def test_the_judged_environment_keeps_its_pseudonym() -> None:
    """CI systems know a finding again by its subject: a folder more elsewhere does not give it a new name."""
    snapshot = planted()
    target = msgspec.structs.replace(snapshot.target, disagreements=[f"{HOME}/today/bin/python", f"{HOME}/tools/x"])
    later = msgspec.structs.replace(snapshot, target=target)
    assert resolve(redact(later), "/interpreters/0/prefix") == resolve(redact(snapshot), "/interpreters/0/prefix")


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

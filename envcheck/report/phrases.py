"""What all voices say in the same words: who was judged, what the answer is, what could not be told."""

from __future__ import annotations

from envcheck.facts import Declared, Host, Interpreter, Snapshot, Unread
from envcheck.facts.snapshot import RUNNING, RUNNING_NOTEBOOK
from envcheck.judge import Finding, Report, subjects, weigh

from .ignorance import unknown
from .words import clean, count

RUNG_NAMES = {
    "hardware": "hardware",
    "kernel_module": "kernel module",
    "device_nodes": "device nodes",
    "nvml": "NVML",
    "cuda_driver": "CUDA driver",
    "cuda_libraries": "CUDA libraries",
    "torch_build": "torch build",
    "torch_runtime": "torch runtime",
    "python": "Python",
    "numerics": "numerics",
    "speed": "speed",
}

_CHOSEN = {
    "--python": "named with --python",
    "VIRTUAL_ENV": "VIRTUAL_ENV names it",
    "CONDA_PREFIX": "CONDA_PREFIX names it",
    "python on PATH": "first python on PATH",
    "python3 on PATH": "first python3 on PATH",
    RUNNING: "it runs this program",
    RUNNING_NOTEBOOK: "it runs this notebook",
}


def target(snapshot: Snapshot) -> Interpreter | None:
    """The interpreter that was judged, where there is one."""
    at, pythons = snapshot.target.interpreter, snapshot.interpreters
    return pythons[at] if isinstance(at, int) and isinstance(pythons, list) and at < len(pythons) else None


def judged(snapshot: Snapshot) -> str:
    """Which environment was judged, and why that one: the first line of a report."""
    if snapshot.source == "declared":
        return _declared(snapshot)
    chosen = snapshot.target.chosen_by
    python = target(snapshot)
    if python is not None:
        why = _CHOSEN.get(chosen, f"named with {chosen}" if chosen.startswith("--env") else chosen)
        return f"Judged: {clean(python.executable)}" + (f" ({clean(why)})" if why else "")
    if snapshot.source != "live":
        return f"Judged: a {snapshot.source} machine; it names no Python"
    if snapshot.target.interpreter is None:
        return f"Judged: this machine alone ({clean(chosen) or 'no Python found'})"
    return "Judged: this machine; which Python the shell means is not known"


def _declared(snapshot: Snapshot) -> str:
    """How many files were read, and for which system."""
    files = snapshot.declared.files if isinstance(snapshot.declared, Declared) else None
    paths = {file.file for file in files} if isinstance(files, list) else set()
    host = snapshot.host
    system = (
        f"{host.system} on {host.machine}" if isinstance(host, Host) and isinstance(host.system, str) else "any system"
    )
    environments = snapshot.interpreters if isinstance(snapshot.interpreters, list) else []
    what = f"{count(len(environments), 'environment')} with torch" if environments else "no torch is asked for"
    return f"Read: {count(len(paths), 'file')}, {what}, for {system}"


def by_policy(report: Report) -> str:
    """Which file the machine was judged by; empty where none was read."""
    return f"By the policy of {clean(report.policy.source)}" if report.policy.source else ""


def labels(report: Report) -> dict[str, str]:
    """Subject key → how a person calls it.  The host and the judged environment need no name: the page is theirs."""
    people = subjects(report.snapshot, all_envs=True)
    if report.snapshot.source == "declared":
        return {person.key: person.key.removeprefix("env:") for person in people if person.kind == "env"}
    mine = f"/interpreters/{report.snapshot.target.interpreter}"
    return {
        subject.key: subject.label for subject in people if subject.kind != "host" and subject.places.get("env") != mine
    }


def where(finding: Finding, labels: dict[str, str]) -> str:
    """Whom a finding is about, unless that is plain or its summary says so."""
    label = labels.get(finding.subject, "")
    return "" if label in finding.summary else label


def answer(report: Report) -> str:
    """The verdict in one line, without any colour or mark."""
    asked = len({(v.rule, v.subject) for v in report.verdicts if v.outcome in ("ok", "problem", "ignored")})
    if report.verdict == "unfit":
        return f"unfit: {_named(report)}"
    if report.verdict == "undetermined":
        doubts = [v for v in unknown(report) if weigh(v, report.policy) == "undetermined"]
        why = clean(doubts[0].why) if doubts else "nothing could be judged"
        return f"undetermined: {why}"
    extra = [count(len(report.warnings), "warning")] if report.warnings else []
    extra += [f"{len(report.ignored)} ignored"] if report.ignored else []
    if report.root_causes:
        return f"fit: no error found, but see {report.root_causes[0].rule} above"
    return f"fit: no problem found ({', '.join([count(asked, 'check'), *extra])})"


def _named(report: Report) -> str:
    grave = [f for f in report.root_causes if f.severity == "error"] or report.root_causes or report.warnings
    if not grave:
        return "a problem at the level that fails here"
    first = grave[0]
    more = f" and {count(len(grave) - 1, 'more root cause')}" if len(grave) > 1 else ""
    return f"{'' if first.confidence == 'established' else 'probably '}{first.rule} ({first.code}){more}"


def follows(report: Report, finding: Finding) -> list[Finding]:
    """The findings that this one explains."""
    return [
        c.finding for c in report.consequences if c.because == finding.rule and c.because_subject == finding.subject
    ]


def versions(snapshot: Snapshot) -> list[tuple[str, str]]:
    """What a reader on a forum asks for first: (name, version) of all that was told."""
    found: list[tuple[str, object]] = []
    if not isinstance(snapshot.host, Unread):
        found += [("system", snapshot.host.os_name), ("kernel", snapshot.host.kernel_release)]
        found += [("machine", snapshot.host.machine)]
    if not isinstance(snapshot.driver, Unread):
        for witness, value in (
            ("driver (NVML)", snapshot.driver.nvml),
            ("driver (/proc)", snapshot.driver.proc),
            ("driver (/sys)", snapshot.driver.sys_module),
            ("driver (nvidia-smi)", snapshot.driver.nvidia_smi),
            ("driver (pasted)", snapshot.driver.pasted),
        ):
            found.append((witness, value))
    python = target(snapshot)
    if python is not None:
        found += [("Python", python.version), ("environment", python.manager)]
        if python.torch is not None and not isinstance(python.torch, Unread):
            found += [("torch", python.torch.version), ("torch built for CUDA", python.torch.cuda)]
    found += [("envcheck", snapshot.tool.removeprefix("envcheck ") or None), ("taken at", snapshot.taken_at)]
    return [(name, clean(value)) for name, value in found if isinstance(value, str)]

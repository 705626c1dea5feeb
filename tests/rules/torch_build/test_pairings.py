"""Do the packages around torch belong to it: torchvision, torchaudio, NumPy, triton, extensions?"""

from __future__ import annotations

from typing import Any

import pytest

from envcheck.facts import Distribution, ImportTrial, TorchInstall, Unread
from envcheck.rules import QUESTIONS
from envcheck.rules.torch_build.requirements import satisfied
from envcheck.testing import Machine, judge_one, machine

ENV = "/interpreters/0"
TORCH, RUNTIME = f"{ENV}/torch", f"{ENV}/runtime"
LOST = Unread("refused", "nobody may look")
TRITON = "triton==3.8.0 ; platform_system == 'Linux'"
ABI_ERROR = "ImportError: /site/flash_attn_2_cuda.so: undefined symbol: _ZN3c105ErrorC2ENSt7__cxx1112basic_stringE"


def have(name: str, version: str | None, *requires: str, tag: Any = None, **more: Any) -> Distribution:
    return Distribution(name=name, version=version, requires=list(requires), tag_version=tag, **more)


def env(*packages: Distribution, torch: str = "2.14.1+cu130", cast: str = "h100", **changes: Any) -> Machine:
    """The machine with this torch and these packages beside it."""
    cuda = {"cu130": "13.0", "cu126": "12.6", "cpu": None, "cu118": "11.8", "cu121": "12.1"}[torch.partition("+")[2]]
    facts = {f"{at}/{name}": value for at in (TORCH, RUNTIME) for name, value in (("version", torch), ("cuda", cuda))}
    own = have("torch", torch.partition("+")[0], TRITON)
    return machine(cast).but({**facts, f"{ENV}/distributions": [own, *packages], **changes})


def vision(version: str, pin: str | None, tag: str | None = None, **more: Any) -> Machine:
    package = have("torchvision", version, *([f"torch{pin}"] if pin else []), tag=tag)
    return env(package, **more)


def audio(version: str, pin: str | None, **more: Any) -> Machine:
    return env(have("torchaudio", version, *([f"torch{pin}"] if pin else [])), **more)


def trial(module: str, error: str | None) -> dict[str, Any]:
    return {f"{RUNTIME}/companions": [ImportTrial(module=module, ok=error is None, error=error)]}


def numpy(version: str, needs_one: Any, **changes: Any) -> Machine:
    return env(have("numpy", version), **{f"{TORCH}/needs_numpy1": needs_one, **changes})


def triton(version: str | None, **changes: Any) -> Machine:
    return env(*([have("triton", version)] if version else []), **changes)


NO_TORCH = machine("torch-missing-on-gpu-box")
ROWS: dict[str, dict[str, Machine]] = {
    "torchvision-mismatch": {
        "ok": vision("0.29.1", ">=2.14.0", "0.29.1+cu130"),
        "problem": vision("0.26.0", "==2.11.0", "0.26.0+cu130"),
        "cannot_tell": vision("0.29.1", ">=2.14.0", "0.29.1+cu130", **{f"{RUNTIME}/companions": LOST}),
        "not_applicable": env(),
    },
    "torchvision-cuda-major-mismatch": {
        "ok": vision("0.29.1", ">=2.14.0", "0.29.1+cu130"),
        "problem": vision("0.29.1", ">=2.14.0", "0.29.1+cu130", torch="2.14.1+cu126"),
        "cannot_tell": env(have("torchvision", "0.29.1", "torch>=2.14.0", tag=LOST)),
        "not_applicable": env(),
    },
    "torchaudio-mismatch": {
        "ok": audio("2.11.0", None),
        "problem": audio("2.9.1", "==2.9.1"),
        "cannot_tell": audio("2.11.0", None, **{f"{RUNTIME}/companions": LOST}),
        "not_applicable": env(),
    },
    "numpy-abi-mismatch": {
        "ok": numpy("2.3.4", False),
        "problem": numpy(
            "2.3.4",
            True,
            torch="2.2.2+cu121",
            **{f"{RUNTIME}/numpy_ok": False, f"{RUNTIME}/numpy_error": "RuntimeError: Numpy is not available"},
        ),
        "cannot_tell": numpy(
            "2.3.4",
            LOST,
            **{f"{TORCH}/version": "99.0.0+git", f"{RUNTIME}/version": "99.0.0+git", f"{RUNTIME}/numpy_ok": LOST},
        ),
        "not_applicable": env(),
    },
    "cxx11-abi-extension": {
        "ok": env(**trial("flash_attn", None)),
        "problem": env(**trial("flash_attn", ABI_ERROR), **{f"{TORCH}/cxx11_abi": False}),
        "cannot_tell": env(**{f"{RUNTIME}/companions": LOST}),
        "not_applicable": NO_TORCH,
    },
    "triton-missing-or-wrong": {
        "ok": triton("3.8.0"),
        "problem": triton("3.5.1"),
        "cannot_tell": env(**{f"{ENV}/distributions": [Distribution(name="torch", version="2.14.1", requires=LOST)]}),
        "not_applicable": env(torch="2.14.1+cpu"),
    },
    "triton-no-c-compiler": {
        "ok": triton("3.8.0"),
        "problem": triton("3.8.0", **{f"{ENV}/include_python_h": False}),
        "cannot_tell": triton("3.8.0", **{f"{ENV}/include_python_h": LOST}),
        "not_applicable": env(),
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


# -- torchvision and torchaudio --------------------------------------------------------------------------------

VISION = ("torchvision-mismatch", "torchvision-cuda-major-mismatch")
NMS = "RuntimeError: operator torchvision::nms does not exist"


@pytest.mark.parametrize(
    ("now", "guilty"),
    [
        (vision("0.28.0", "==2.13.0", "0.28.0+cu130"), VISION[0]),
        (vision("0.29.1", ">=2.14.0", "0.29.1+cu130", torch="2.14.1+cpu"), VISION[0]),  # CUDA vision, CPU torch
        (vision("0.29.1", ">=2.14.0", "0.29.1+cpu"), VISION[1]),  # CPU vision, CUDA torch
        (vision("0.29.1", ">=2.14.0", "0.29.1+cu126"), VISION[1]),
        (vision("0.29.2", ">=2.14.0", "0.29.2+cu132"), None),  # only the major version is checked
        (vision("0.29.1", ">=2.14.0", "0.29.1"), None),  # no tag: built by somebody else
        (vision("0.29.1", ">=2.14.0", None, **trial("torchvision", NMS)), VISION[0]),
        (
            vision("0.29.1", ">=2.14.0", None, **trial("torchvision", "ModuleNotFoundError: No module named 'PIL'")),
            None,
        ),
    ],
)
def test_torchvision(now: Machine, guilty: str | None) -> None:
    """Pins, CUDA tags and the import's own word; the majors only."""
    assert [name for name in VISION if judge_one(name, now).outcome == "problem"] == ([guilty] if guilty else [])


def test_a_wrong_pin_that_works_is_a_warning() -> None:
    """A torchvision whose operators load all the same breaks nothing yet."""
    works = vision("0.26.0", "==2.11.0", "0.26.0+cu130", **trial("torchvision", None))
    assert judge_one(VISION[0], works).severity == "warning"


def test_unread_requirements_leave_the_table() -> None:
    """The table knows which torchvision belongs to which torch; beyond its end nobody knows."""
    unread = env(Distribution(name="torchvision", version="0.26.0", requires=LOST, tag_version="0.26.0+cu130"))
    assert judge_one(VISION[0], unread).outcome == "problem"
    newer = env(Distribution(name="torchvision", version="0.99.0", requires=LOST, tag_version="0.99.0+cu130"))
    assert judge_one(VISION[0], newer).outcome == "cannot_tell"


@pytest.mark.parametrize(
    ("now", "outcome"),
    [
        (audio("2.14.1", "==2.14.1"), "ok"),
        (audio("2.11.0", None, torch="2.14.1+cu126"), "ok"),
        (audio("2.11.0", None, torch="2.9.1+cu126"), "problem"),
        (audio("2.10.0", "==2.10.0", torch="2.9.1+cu126"), "problem"),
        (
            audio("2.11.0", None, **trial("torchaudio", "OSError: /x/libtorchaudio.so: undefined symbol: _ZN3c10")),
            "problem",
        ),
    ],
)
def test_torchaudio(now: Machine, outcome: str) -> None:
    """Pinned exactly up to 2.10; the last one, 2.11.0, asks for no torch and goes with 2.11 and newer."""
    assert judge_one("torchaudio-mismatch", now).outcome == outcome


def test_the_pair_is_installed_together_as_the_build_that_is_there() -> None:
    """One command, one index, the torchvision of this torch."""
    finding = judge_one(VISION[0], vision("0.26.0", "==2.11.0", torch="2.9.1+cu126")).finding
    assert finding is not None and finding.fix is not None
    told = finding.fix.steps[-1].command
    assert '"torch==2.9.1" "torchvision==0.24.1" --index-url https://download.pytorch.org/whl/cu126' in told


# -- NumPy -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("now", "outcome"),
    [
        (numpy("1.26.4", True), "ok"),
        (numpy("2.0.0", True), "problem"),
        (numpy("2.0.0", LOST, torch="2.2.2+cu121"), "problem"),  # by the table: Linux from 2.3.0
        (numpy("2.0.0", LOST, torch="2.3.0+cu121"), "ok"),
        (numpy("2.0.0", LOST, torch="2.3.0+cu121", **{"/host/system": "Windows"}), "problem"),  # there from 2.4.1
        (env(have("numpy", None), **{f"{TORCH}/needs_numpy1": True}), "cannot_tell"),
    ],
)
def test_numpy(now: Machine, outcome: str) -> None:
    """One direction only: torch for NumPy 1 beside NumPy 2.  The reverse works."""
    assert judge_one("numpy-abi-mismatch", now).outcome == outcome


# -- triton ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("now", "outcome"),
    [
        (triton(None), "problem"),
        (env(have("pytorch-triton", "3.8.0+git")), "ok"),  # the name of nightlies and vendor images
        (triton(None, cast="windows-rtx4090"), "not_applicable"),  # the marker leaves Windows out
        (triton(None, **{f"{ENV}/distributions": [have("torch", "2.14.1")]}), "not_applicable"),
    ],
)
def test_triton(now: Machine, outcome: str) -> None:
    """torch's own requirement decides, marker and all."""
    assert judge_one("triton-missing-or-wrong", now).outcome == outcome


def test_triton_is_an_error_only_where_a_program_missed_it(heard: Any) -> None:
    """Most programs never call torch.compile."""
    assert judge_one("triton-missing-or-wrong", triton(None)).severity == "warning"
    words = "torch._inductor.exc.TritonMissing: Cannot find a working triton installation."
    assert (
        judge_one("triton-missing-or-wrong", heard(triton(None), "triton-missing-or-wrong", words)).severity == "error"
    )


@pytest.mark.parametrize("rule", ["triton-gpu-too-old", "triton-ptxas-unsupported-arch"])
def test_what_only_a_message_shows(rule: str, heard: Any, text: Any, snapshot: Any) -> None:
    """No message: out of place.  A message that suggests: a suspicion.  One that proves: a finding."""
    assert judge_one(rule, machine("h100")).outcome == "not_applicable"
    suspicion = judge_one(rule, heard(machine("h100"), rule, "its own words"))
    assert (suspicion.outcome, suspicion.finding is not None) == ("cannot_tell", True)
    proven = judge_one(rule, heard(machine("h100"), rule, "its own words", proves=True))
    assert proven.outcome == "problem"
    assert text(proven) == snapshot


# -- extensions ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("module", "error", "outcome"),
    [
        ("flash_attn", ABI_ERROR, "problem"),
        ("xformers", "ImportError: x.so: undefined symbol: _ZN5torch8autograd", "problem"),
        ("apex", "ImportError: x.so: undefined symbol: _ZNK2at6Tensor", "problem"),
        ("apex", "ModuleNotFoundError: No module named 'apex.amp'", "ok"),
        ("flash_attn", "OSError: … (libc10_cuda.so: cannot open shared object file: No such file)", "problem"),
        ("flash_attn", "OSError: … (libcudart.so.12: cannot open shared object file: No such file)", "ok"),
        ("torchvision", "ImportError: x.so: undefined symbol: _ZN3c10", "ok"),  # has a rule of its own
    ],
)
def test_a_missing_symbol_of_torch_is_the_extensions_fault(module: str, error: str, outcome: str) -> None:
    """Failure-modes §19.9: mangled c10, torch or at names belong to an extension's build."""
    assert judge_one("cxx11-abi-extension", env(**trial(module, error))).outcome == outcome


def test_the_direction_of_the_abi_is_told_where_it_shows() -> None:
    """__cxx11 in the symbol means that the extension was built with the new ABI."""
    finding = judge_one("cxx11-abi-extension", ROWS["cxx11-abi-extension"]["problem"]).finding
    assert finding is not None
    assert "expects the new one, and torch has the old one" in finding.cause


# -- requirements ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("specifier", "version", "fits"),
    [
        ("==2.14.1", "2.14.1+cu130", True),  # a local part satisfies the release
        ("==2.14.1", "2.14.0", False),
        ("~=3.8.0", "3.8.4", True),
        (">=2.14.0", "2.15.0.dev20261001+cu132", True),
        ("<14,>=13.0.88", "13.5.37", True),
        ("==2.14.1", "unknown", False),
        ("", "unknown", True),
    ],
)
def test_specifiers(specifier: str, version: str, fits: bool) -> None:
    """As pip compares: local parts do not matter, pre-releases count."""
    assert satisfied(specifier, version) is fits


def test_markers_are_evaluated_for_the_judged_interpreter() -> None:
    """A requirement for Python 3.12 and later does not bind a 3.11, whatever runs envcheck."""
    requires = ["triton==3.8.0 ; python_version >= '3.12' and platform_machine == 'x86_64'"]
    torch = Distribution(name="torch", version="2.14.1", requires=requires)
    old = env(**{f"{ENV}/distributions": [torch]})
    new = env(**{f"{ENV}/distributions": [torch], f"{ENV}/version": "3.12.4"})
    arm = env(**{f"{ENV}/distributions": [torch], f"{ENV}/version": "3.12.4", f"{ENV}/machine": "aarch64"})
    assert [judge_one("triton-missing-or-wrong", m).outcome for m in (old, new, arm)] == [
        "not_applicable",
        "problem",
        "not_applicable",
    ]


def test_torch_without_metadata_asks_for_nothing() -> None:
    """A vendor's or a source build is not held to pins that it never stated."""
    bare = env(**{f"{ENV}/distributions": [], TORCH: TorchInstall(version="2.14.1", cuda="13.0", hip=None, xpu=None)})
    assert judge_one("triton-missing-or-wrong", bare).outcome == "not_applicable"
    assert any(rule.name == "triton-missing-or-wrong" for question in QUESTIONS for rule in question.rules)

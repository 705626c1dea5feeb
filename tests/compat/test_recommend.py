"""What a recommendation holds beside the build: commands, reasons, rejections, and what would have to change."""

from __future__ import annotations

import pytest

from envcheck.compat.judgement import RULES, Code, code_installed, judge_code
from envcheck.compat.machine import Card, Machine, Unclear, describe
from envcheck.compat.recommend import Recommendation, Wish, recommend


def ask(torch: str | None = None, cuda: str | None = None, manager: str | None = None, **words: str) -> Recommendation:
    return recommend(Wish(machine=describe(**words), torch=torch, cuda=cuda, manager=manager))


@pytest.mark.wheel
def test_the_line_of_the_students_notes() -> None:
    """torch 1.8.1 with CUDA 11.1 on Python 3.8 comes out word for word, with its page of links."""
    choice = ask(python="3.8", torch="1.8.1", cuda="11.1").choice
    assert choice is not None
    assert choice.commands["pip"] == (
        "python -m pip install torch==1.8.1+cu111 torchvision==0.9.1+cu111 torchaudio==0.8.1 "
        "-f https://download.pytorch.org/whl/torch_stable.html"
    )


def test_the_line_of_the_d2l_course() -> None:
    """The course's torch 2.0.0 with torchvision 0.15.1: plain on the Python it was written for."""
    choice = ask(python="3.11", torch="2.0.0", driver="535.104.05", gpu="RTX 3090").choice
    assert choice is not None
    assert choice.commands["pip"] == "python -m pip install torch==2.0.0 torchvision==0.15.1 torchaudio==2.0.1"
    too_new = ask(python="3.12", torch="2.0.0", driver="535.104.05", gpu="RTX 3090")
    assert "with another Python (3.8, 3.9, 3.10, 3.11): 2.0.0+cu117" in too_new.why
    assert "without the wish for torch 2.0.0: 2.14.1+cu126 runs here" in too_new.why


def test_every_manager_gets_its_command() -> None:
    """pip and uv with the index of the variant; conda where conda-forge is known to have the release."""
    choice = ask(python="3.12", driver="570.124.06", gpu="RTX 5090").choice
    assert choice is not None
    assert (choice.torch, choice.torchvision, choice.torchaudio, choice.build) == (
        "2.11.0",
        "0.26.0",
        "2.11.0",
        "cu128",
    )
    assert choice.index_url == "https://download.pytorch.org/whl/cu128"
    assert choice.commands == {
        "pip": "python -m pip install torch==2.11.0 torchvision==0.26.0 torchaudio==2.11.0 "
        "--index-url https://download.pytorch.org/whl/cu128",
        "uv": "uv pip install torch==2.11.0 torchvision==0.26.0 torchaudio==2.11.0 --torch-backend=cu128",
        "conda": 'conda install -c conda-forge "pytorch-gpu=2.11.0" "cuda-version=12.9" torchvision',
    }
    assert "explicit = true" in choice.files["pyproject.toml"]
    assert "- python=3.12" in choice.files["environment.yml"]


def test_the_default_build_needs_no_index() -> None:
    """Where the default index has this very build, the plain command is the exact one."""
    choice = ask(python="3.12", driver="580.95.05", gpu="H100").choice
    assert choice is not None
    assert choice.commands["pip"] == "python -m pip install torch==2.15.0 torchvision==0.29.2"
    assert "index" not in choice.files["pyproject.toml"]


def test_windows_never_goes_without_an_index() -> None:
    """A plain install on Windows gives a CPU build: the command names the index, and the reason is told."""
    answer = ask(os="windows", python="3.12", driver="581.29", gpu="RTX 4090")
    assert answer.choice is not None
    assert "--index-url https://download.pytorch.org/whl/cu130" in str(answer.choice.commands["pip"])
    assert any("a plain install gives a CPU build" in why for why in answer.why)
    assert "which CUDA builds torch 2.15.0 has on windows_x86_64 is not known here" in answer.why
    assert not any("is not known here" in why for why in ask(driver="535.104.05", gpu="RTX 4090").why)


def test_conda_without_the_release_is_told() -> None:
    """Who asked for conda hears what conda-forge has instead."""
    answer = ask(manager="conda", python="3.12", driver="535.104.05", gpu="H100")
    assert answer.choice is not None and answer.choice.commands["conda"] is None
    assert any('"pytorch-gpu=2.13.0" "cuda-version=12.9"' in why for why in answer.why)
    none = ask(manager="conda", python="3.8", driver="470.256.02", gpu="K80")
    assert any("no build known that runs here" in why for why in none.why)


def test_every_rejection_names_a_known_rule_and_a_reason() -> None:
    """A rejected build has a reason; where a rule rejects it, the rule is one of the catalogue's."""
    for words in (
        {"driver": "535.104.05", "gpu": "RTX 4090", "python": "3.12"},
        {"driver": "590.48.01", "gpu": "V100", "python": "3.12"},
        {"driver": "550.54.14", "gpu": "RTX 5090", "python": "3.12"},
        {"os": "windows", "driver": "560.94", "gpu": "K80", "python": "3.16"},
    ):
        answer = ask(**words)
        assert answer.rejected
        assert all(item.why and (item.rule is None or item.rule in RULES) for item in answer.rejected)


def test_a_build_that_runs_but_is_not_chosen() -> None:
    """The other builds of the chosen release that would run say why they were passed over."""
    answer = ask(torch="2.9", python="3.12", driver="580.95.05", gpu="RTX 4090")
    passed = {item.build: item.why for item in answer.rejected if item.rule is None}
    assert passed["cu130"] == "runs too; cu130 was experimental in this release"
    assert passed["cu126"] == "runs too; cu128 is what most people run"


@pytest.mark.parametrize(
    ("words", "sentences"),
    [
        (
            {"driver": "550.54.14", "gpu": "RTX 5090", "python": "3.12"},
            ["with a driver >= 580: 2.15.0+cu132", "with a driver >= 570.86.16: 2.11.0+cu128"],
        ),
        ({"driver": "590.48.01", "gpu": "V100", "python": "3.12"}, ["with a driver of branch 580: 2.14.1+cu126"]),
        (
            {"driver": "440.33.01", "gpu": "V100", "python": "3.12"},
            [
                "with a driver >= 525.60.13, branch 580 at most: 2.14.1+cu126",
                "with a driver >= 450.80.02, branch 580 at most: 2.7.1+cu118",
            ],
        ),
        (
            {"driver": "580.95.05", "gpu": "RTX 4090", "python": "3.16"},
            ["with another Python (3.11, 3.12, 3.13, 3.14, 3.14t, 3.15, 3.15t): 2.15.0+cu132"],
        ),
        ({"os": "macos", "gpu": "RTX 4090"}, ["no torch build drives an NVIDIA GPU on macOS"]),
        (
            {"driver": "470.256.02", "cc": "3.5", "python": "3.8"},
            ["with another GPU only: no code for a GPU of compute capability 3.5 (3.5)"],
        ),
        (
            {"driver": "595.71.05", "gpu": "V100", "python": "3.16"},
            ["2.14.1+cu126 would need several changes: driver branch 595 no longer drives V100 (7.0)"],
        ),
        (
            {"driver": "540.4.0", "gpu": "Jetson AGX Orin", "python": "3.10"},
            ["a Jetson takes the torch that NVIDIA builds"],
        ),
        ({"driver": "595.71.05", "cc": "10.7"}, ["it cannot be told for every build"]),
        ({"os": "windows", "arch": "arm64"}, ["torch has no wheels for this platform"]),
    ],
)
def test_what_would_have_to_change(words: dict[str, str], sentences: list[str]) -> None:
    """Nothing fits: the driver to which branch, another Python, another card, or that nothing helps."""
    answer = ask(**words)
    assert answer.choice is None
    for sentence in sentences:
        assert any(why.startswith(sentence) for why in answer.why), answer.why


def test_a_compat_package_is_offered_on_data_centre_cards_only() -> None:
    """Branch 535 can run CUDA 13 with cuda-compat on an H100; a GeForce cannot."""
    wish = {"torch": ">=2.15", "python": "3.12", "driver": "535.104.05"}
    assert any("cuda-compat-13-2" in why for why in ask(gpu="H100", **wish).why)
    assert not any("cuda-compat" in why for why in ask(gpu="RTX 4090", **wish).why)
    assert not any("cuda-compat" in why for why in ask(gpu="H100", **{**wish, "driver": "550.54.14"}).why)


def test_mixed_cards_need_a_build_for_all() -> None:
    """A build must run on every card; where none does, no build is offered."""
    cards = [Card("GTX 1080 Ti", 61), Card("RTX 5090", 120)]
    both = Machine(platform="linux_x86_64", driver="580.95.05", cards=cards, python="3.12")
    assert recommend(Wish(machine=both)).choice is None
    cards = [Card("V100", 70), Card("RTX 5090", 120)]
    both = Machine(platform="linux_x86_64", driver="580.95.05", cards=cards, python="3.12")
    choice = recommend(Wish(machine=both)).choice
    assert choice is not None and (choice.torch, choice.build) == ("2.10.0", "cu128")


def test_an_installed_build_is_judged_by_its_own_code() -> None:
    """The rules judge what is installed: its own arch list, PTX and cuDNN, not the table's."""
    machine = describe(driver="535.104.05", gpu="H100")
    assert judge_code(code_installed("12.1", ["sm_80", "sm_90"]), machine) == []
    assert [r.rule for r in judge_code(code_installed("12.1", ["sm_80"]), machine)] == ["gpu-newer-than-torch-archs"]
    assert judge_code(code_installed("12.1", ["sm_80", "compute_80"]), machine) == []
    newer = code_installed("12.8", ["sm_80", "compute_80"])  # the driver's own CUDA is 12.2
    assert [r.rule for r in judge_code(newer, machine)] == ["ptx-unsupported-toolchain"]
    assert judge_code(code_installed("12.1", None), machine) == []
    volta = describe(driver="535.104.05", gpu="V100")
    dropped = judge_code(code_installed("12.8", ["sm_70"], "9.11.0.98"), volta)
    assert [r.rule for r in dropped] == ["cudnn-drops-gpu"]
    assert judge_code(code_installed("12.8", ["sm_70"], "9.10.2.21"), volta) == []
    assert [r.rule for r in judge_code(Code(None, []), volta)] == ["torch-cpu-only-build"]


@pytest.mark.parametrize(
    "wish",
    [
        {"torch": "newest"},
        {"torch": ">=abc"},
        {"cuda": "eleven"},
        {"manager": "poetry"},
        {"have": "torch"},
        {"have": "2.9.1-cu128"},
    ],
)
def test_a_wish_that_cannot_be_understood(wish: dict[str, str]) -> None:
    """One line names the option; nothing is answered."""
    with pytest.raises(Unclear) as caught:
        recommend(Wish(machine=describe(gpu="RTX 4090"), **wish))
    assert str(caught.value).startswith("--")
    assert "\n" not in str(caught.value)


def test_no_release_within_the_specifier() -> None:
    """A release that the table does not have yet is said to be beyond its end."""
    answer = ask(torch=">=3", gpu="RTX 4090")
    assert answer.choice is None
    assert answer.why == ["no torch release within >=3; the table ends at 2.15.0"]

"""What to ask of a reporter: the commands that would settle what is open, and nothing where all is settled."""

from __future__ import annotations

from envcheck.judge import judge
from envcheck.judge.requests import EVERYTHING, LONGEST, requests
from envcheck.read.paste import read_paste
from envcheck.rules import QUESTIONS
from envcheck.testing import machine


def commands(text: str) -> list[str]:
    return [request.command for request in requests(judge(read_paste(text), QUESTIONS))]


def test_an_established_cause_needs_no_more_questions() -> None:
    """Whoever has told enough is not asked again."""
    assert commands("AssertionError: Torch not compiled with CUDA enabled") == []
    assert requests(judge(machine("secure-boot").snapshot, QUESTIONS)) == []


def test_a_suspicion_asks_for_what_its_rung_shows() -> None:
    """A card that may be missing is looked for on the bus; a wheel that may not fit, in the environment."""
    assert commands("RuntimeError: No CUDA GPUs are available")[0].startswith("lspci")
    assert commands("libcudnn.so.9: cannot open shared object file")[0] == "python -m torch.utils.collect_env"
    assert "nvidia-smi" in commands("NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver")


def test_where_nothing_was_found_the_questions_themselves_say_what_they_lack() -> None:
    """A text without facts is answered by the report that has most of them."""
    asked = commands("it does not work")
    assert asked[0] == "python -m torch.utils.collect_env"
    assert len(asked) <= LONGEST
    assert asked[-1] == EVERYTHING[0]


def test_what_was_told_is_not_asked_for() -> None:
    """collect_env has answered; the driver's own program has not."""
    text = "Is CUDA available: False\nPyTorch version: 2.1.0+cu121\nLinux-6.8.0-1-x86_64-with-glibc2.35"
    assert "python -m torch.utils.collect_env" not in commands(text)


def test_each_request_says_where_to_run_it_and_what_it_settles() -> None:
    """A command without a place is run in the wrong one."""
    for request in requests(judge(read_paste("RuntimeError: No CUDA GPUs are available"), QUESTIONS)):
        assert request.where
        if request.command != EVERYTHING[0]:
            assert request.settles

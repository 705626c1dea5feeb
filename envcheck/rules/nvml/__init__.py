"""Questions of the rung nvml: the driver's management library, and each card's answer to it."""

from envcheck.judge import Question

from . import binding, cards, library

QUESTIONS: tuple[Question, ...] = (
    library.does_nvml_answer,
    cards.does_the_card_answer,
    binding.does_one_package_own_pynvml,
)

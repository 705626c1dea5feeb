"""Questions of the rung kernel_module."""

from envcheck.judge import Question

QUESTIONS: tuple[Question, ...] = ()

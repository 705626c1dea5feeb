"""Questions of the rung python."""

from envcheck.judge import Question

QUESTIONS: tuple[Question, ...] = ()

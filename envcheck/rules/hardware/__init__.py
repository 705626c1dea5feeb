"""Questions of the rung hardware."""

from envcheck.judge import Question

QUESTIONS: tuple[Question, ...] = ()

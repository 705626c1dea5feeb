"""Questions of the rung speed."""

from envcheck.judge import Question

QUESTIONS: tuple[Question, ...] = ()

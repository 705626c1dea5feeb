"""Questions of the rung torch_runtime."""

from envcheck.judge import Question

QUESTIONS: tuple[Question, ...] = ()

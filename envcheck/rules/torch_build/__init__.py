"""Questions of the rung torch_build."""

from envcheck.judge import Question

QUESTIONS: tuple[Question, ...] = ()

"""Questions of the rung device_nodes."""

from envcheck.judge import Question

QUESTIONS: tuple[Question, ...] = ()

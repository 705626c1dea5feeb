"""Questions of the rung nvml."""

from envcheck.judge import Question

QUESTIONS: tuple[Question, ...] = ()

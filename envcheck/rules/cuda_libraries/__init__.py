"""Questions of the rung cuda_libraries."""

from envcheck.judge import Question

QUESTIONS: tuple[Question, ...] = ()

"""Questions of the rung cuda_libraries."""

from envcheck.judge import Question

from . import preload

QUESTIONS: tuple[Question, ...] = (preload.is_a_library_preloaded,)

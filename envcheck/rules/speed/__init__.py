"""Questions of the rung speed (and of numerics, where a variable decides them)."""

from envcheck.judge import Question

from . import variables

QUESTIONS: tuple[Question, ...] = (
    variables.does_a_variable_slow_cuda,
    variables.are_modules_loaded_eagerly,
    variables.is_tf32_overridden,
    variables.is_nccl_restricted,
)

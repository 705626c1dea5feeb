"""Questions of the rung cuda_driver: libcuda, asked without torch."""

from envcheck.judge import Question

from . import initialisation, masks

QUESTIONS: tuple[Question, ...] = (
    initialisation.does_cuda_initialise,
    masks.does_a_mask_hide_gpus,
    masks.was_the_mask_set_too_late,
)

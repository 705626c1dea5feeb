"""Questions of the rung cuda_driver: libcuda, asked without torch."""

from envcheck.judge import Question

from . import device_order, initialisation, library, masks, program_errors, sharing

QUESTIONS: tuple[Question, ...] = (
    library.can_libcuda_be_loaded,
    initialisation.does_cuda_initialise,
    masks.does_a_mask_hide_gpus,
    masks.was_the_mask_set_too_late,
    device_order.do_both_count_alike,
    sharing.may_processes_share_the_card,
    sharing.who_holds_the_memory,
    sharing.was_a_process_killed_for_memory,
    program_errors.what_did_the_program_do,
    program_errors.did_the_program_need_too_much,
)

"""Questions of the rung torch_runtime."""

from envcheck.judge import Question

from . import allocator, apple, availability, distributed, importing, nvml_check, windows

QUESTIONS: tuple[Question, ...] = (
    importing.does_torch_import,
    availability.does_torch_reach_the_cards,
    availability.does_every_card_compute,
    apple.is_this_python_for_the_processor,
    apple.does_mps_work,
    apple.is_the_limit_of_mps_lifted,
    apple.what_did_mps_say,
    windows.what_stopped_the_program_on_windows,
    allocator.is_the_allocator_setting_valid,
    nvml_check.is_the_check_weakened,
    distributed.why_did_the_job_fail,
)

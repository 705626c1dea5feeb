"""Questions of the rung speed (and of numerics, where a variable decides them)."""

from envcheck.judge import Question

from . import benchmark, held_down, host_bound, host_side, link, peers, stored, throttling, trust, variables

QUESTIONS: tuple[Question, ...] = (
    variables.does_a_variable_slow_cuda,
    variables.are_modules_loaded_eagerly,
    variables.is_tf32_overridden,
    variables.is_nccl_restricted,
    throttling.are_the_clocks_held_down,
    throttling.is_the_power_limit_lowered,
    throttling.are_the_clocks_set_low,
    throttling.does_the_driver_keep_its_state,
    host_side.does_the_processor_save_power,
    host_side.do_the_threads_fit,
    host_side.does_the_program_use_the_card,
    host_side.do_the_workers_fit,
    host_side.is_the_network_ready_for_gpus,
    host_side.is_the_bar_small,
    host_side.is_exact_float32_slow,
    held_down.was_the_card_held_down,
    benchmark.is_the_device_as_fast_as_it_should_be,
    trust.can_the_timings_be_trusted,
    stored.is_it_slower_than_the_stored_figure,
    peers.are_equal_gpus_equally_fast,
    link.does_the_link_carry_what_it_should,
    host_bound.does_the_host_keep_up,
)

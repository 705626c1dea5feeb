"""Questions of the rung hardware."""

from envcheck.judge import Question

from . import binding, board, card, count, links, memory_health, pcie, xid

QUESTIONS: tuple[Question, ...] = (
    card.is_there_a_card,
    binding.which_driver_holds_the_card,
    count.are_all_gpus_there,
    pcie.is_the_link_at_full_speed,
    pcie.does_the_link_repeat_transfers,
    board.is_the_inforom_sound,
    xid.did_the_card_report_a_fault,
    xid.did_a_switch_report_a_fault,
    memory_health.does_ecc_count_errors,
    memory_health.does_row_remapping_work,
    memory_health.does_page_retirement_work,
    memory_health.is_ecc_on,
    links.are_the_links_up_and_clean,
)

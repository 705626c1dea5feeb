"""Questions of the rung hardware."""

from envcheck.judge import Question

from . import links, memory_health, xid

QUESTIONS: tuple[Question, ...] = (
    xid.did_the_card_report_a_fault,
    xid.did_a_switch_report_a_fault,
    memory_health.does_ecc_count_errors,
    memory_health.does_row_remapping_work,
    memory_health.does_page_retirement_work,
    memory_health.is_ecc_on,
    links.are_the_links_up_and_clean,
)

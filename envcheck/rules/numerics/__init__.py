"""Questions of the rung numerics: does the device compute the right numbers?  Only a benchmark can answer them."""

from envcheck.judge import Question

from . import answers, siblings

QUESTIONS: tuple[Question, ...] = (answers.are_the_numbers_right, siblings.do_equal_gpus_agree)

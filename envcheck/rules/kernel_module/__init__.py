"""Questions of the rung kernel_module: the driver in the kernel."""

from envcheck.judge import Question

from . import branch, card_age, licence, loading, versions

QUESTIONS: tuple[Question, ...] = (
    loading.is_the_right_kernel_module_loaded,
    versions.do_library_and_module_agree,
    card_age.does_the_driver_know_the_cards,
    branch.is_the_driver_branch_supported,
    licence.has_the_virtual_gpu_a_licence,
)

"""Questions of the rung cuda_libraries."""

from envcheck.judge import Question

from . import (
    arch_list,
    cuda_home,
    cudnn,
    extension_build,
    library_path,
    loader,
    nvidia_wheels,
    openmp,
    preload,
    toolkit,
    two_majors,
)

QUESTIONS: tuple[Question, ...] = (
    preload.is_a_library_preloaded,
    library_path.does_the_library_path_hide_a_library_of_torch,
    nvidia_wheels.are_the_libraries_of_torch_installed,
    two_majors.are_libraries_of_two_majors_installed,
    loader.does_the_loader_find_what_torch_needs,
    openmp.are_two_openmp_runtimes_loaded,
    cudnn.does_cudnn_still_know_the_cards,
    cudnn.what_did_cudnn_say,
    toolkit.is_the_toolkit_of_the_cuda_of_torch,
    toolkit.does_the_toolkit_accept_the_compiler,
    toolkit.can_the_toolkit_compile_for_the_cards,
    arch_list.is_the_arch_list_valid,
    cuda_home.does_cuda_home_lead_to_a_toolkit,
    extension_build.what_failed_in_a_build,
)

"""Questions of the rung torch_build: does this build fit this driver and these cards, and is torch whole?"""

from envcheck.judge import Question

from . import (
    architectures,
    companions,
    course,
    cpu_only,
    driver_pairing,
    extensions,
    numpy_bridge,
    packages,
    presence,
    triton,
    wholeness,
)

QUESTIONS: tuple[Question, ...] = (
    presence.is_torch_in_this_environment,
    presence.does_another_environment_have_torch,
    presence.does_torch_have_wheels_for_this_python,
    wholeness.are_the_files_of_torch_whole,
    wholeness.is_torch_hidden_by_a_local_file,
    packages.was_torch_installed_by_one_manager,
    packages.is_there_one_metadata_folder_of_torch,
    cpu_only.is_torch_built_for_this_kind_of_device,
    driver_pairing.is_the_driver_new_enough_for_torch,
    architectures.was_torch_compiled_for_these_cards,
    course.do_the_pins_of_the_course_fit,
    companions.does_torchvision_belong_to_torch,
    companions.does_torchaudio_belong_to_torch,
    numpy_bridge.do_torch_and_numpy_fit,
    extensions.do_extensions_belong_to_torch,
    triton.is_the_right_triton_installed,
    triton.can_triton_compile_its_helper,
    triton.what_did_triton_say,
)

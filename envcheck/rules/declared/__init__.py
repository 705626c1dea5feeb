"""Questions about a project's files, before anything is installed: not applicable to a machine.

``envcheck lint`` asks these and those of the house's own questions that declared facts can answer (:data:`HOUSE`).
"""

from envcheck.judge import Question

from . import conda, files, image, indexes, locks, numpy_bound, pythons, wheels

QUESTIONS: tuple[Question, ...] = (
    wheels.is_there_a_wheel_of_the_declared_torch,
    indexes.do_the_named_indexes_exist,
    indexes.does_the_extra_index_give_its_build,
    image.does_the_image_go_with_torch,
    image.does_the_driver_satisfy_the_image,
    image.are_the_compat_libraries_in_the_way,
    image.does_the_image_leave_the_gpu_in_sight,
    image.is_the_torch_of_the_image_kept,
    pythons.does_the_project_admit_its_python,
    pythons.do_the_course_pins_fit_this_python,
    numpy_bound.is_numpy_kept_below_2,
    conda.does_conda_have_the_build,
    locks.does_the_lock_hold_what_is_asked,
    files.could_every_file_be_understood,
)

HOUSE: tuple[str, ...] = (
    "is_torch_built_for_this_kind_of_device",
    "is_the_driver_new_enough_for_torch",
    "was_torch_compiled_for_these_cards",
    "do_the_pins_of_the_course_fit",
    "does_torchvision_belong_to_torch",
    "does_torchaudio_belong_to_torch",
    "do_torch_and_numpy_fit",
    "was_torch_installed_by_one_manager",
    "does_the_driver_know_the_cards",
    "does_cudnn_still_know_the_cards",
)
"""The names of the house's questions that can be put to files: what they look at can be declared."""

"""Questions that a policy asks: does this machine have what is required of it, and nothing that is forbidden?

Each answers *not applicable* until a policy asks for it.  What is required and not known leaves the machine
undetermined, however few other unknowns count.
"""

from envcheck.judge import Question

from . import bench, driver, environment, exceptions, gpus, packages, shared_memory, torch, variables

QUESTIONS: tuple[Question, ...] = (
    gpus.are_the_gpus_there_that_the_policy_requires,
    gpus.are_the_cards_new_enough_for_the_policy,
    gpus.have_the_cards_the_memory_that_the_policy_requires,
    driver.is_it_the_driver_that_the_policy_requires,
    shared_memory.is_there_the_shared_memory_that_the_policy_requires,
    torch.is_it_the_torch_that_the_policy_requires,
    torch.is_torch_built_for_the_cuda_that_the_policy_requires,
    environment.is_there_a_python_for_the_policy,
    environment.is_it_the_python_that_the_policy_requires,
    packages.are_the_packages_there_that_the_policy_requires,
    packages.is_a_package_there_that_the_policy_forbids,
    variables.are_the_variables_set_that_the_policy_requires,
    variables.is_a_variable_set_that_the_policy_forbids,
    bench.is_the_device_as_fast_as_the_policy_requires,
    exceptions.did_an_exception_of_the_policy_expire,
)

"""Questions of the rung python: interpreters, environments, packages, notebooks."""

from envcheck.judge import Question

from . import activation, age, conda, dependencies, interpreters, kernels, notebook_memory, plugins, search_path

QUESTIONS: tuple[Question, ...] = (
    age.is_this_python_of_our_time,
    interpreters.does_the_environment_start,
    activation.does_the_activated_environment_start,
    interpreters.does_pip_belong_to_this_python,
    interpreters.what_refused_the_installation,
    conda.is_the_conda_environment_activated,
    conda.is_the_base_environment_in_use,
    conda.did_the_packages_come_from_one_channel,
    conda.what_did_the_solver_miss,
    search_path.where_do_the_packages_come_from,
    dependencies.do_the_packages_agree,
    kernels.does_the_kernel_lead_anywhere,
    kernels.has_the_kernel_ipykernel,
    kernels.does_the_kernel_have_torch,
    kernels.does_the_kernel_hide_cards,
    notebook_memory.does_a_notebook_hold_memory,
    plugins.could_every_plugin_be_used,
)

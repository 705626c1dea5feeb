"""Questions of the rung device_nodes: nodes and permissions, containers, WSL."""

from envcheck.judge import Question

from . import container, engine, limits, mig, nodes, pod, wsl

QUESTIONS: tuple[Question, ...] = (
    nodes.may_this_process_open_the_nodes,
    mig.can_the_mig_instances_be_opened,
    container.was_this_container_given_a_gpu,
    pod.did_this_pod_ask_for_its_gpus,
    engine.what_did_the_container_engine_say,
    limits.is_the_shared_memory_large_enough,
    limits.may_enough_memory_be_locked,
    limits.are_processes_hidden,
    wsl.does_wsl_hand_the_gpu_through,
    wsl.which_limits_has_wsl,
)

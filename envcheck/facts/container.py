"""Containers, sandboxes and schedulers, and the variables of the asking process."""

from __future__ import annotations

from .fact import NOT_ASKED, Fact, Record, Section


class Container(Section, frozen=True, kw_only=True, tag="container"):
    """Is this a container, and what was given to it?"""

    engine: Fact[str] = NOT_ASKED  # docker, podman, kubernetes, apptainer, lxc, containerd …; None: not a container
    signs: Fact[list[str]] = NOT_ASKED  # what says so
    injected_libraries: Fact[list[str]] = NOT_ASKED  # bind mounts of driver libraries in /proc/self/mountinfo
    runtime_config_no_cgroups: Fact[bool] = NOT_ASKED  # no-cgroups of /etc/nvidia-container-runtime/config.toml
    cdi_specs: Fact[list[str]] = NOT_ASKED  # /etc/cdi, /var/run/cdi
    cdi_driver_versions: Fact[list[str]] = NOT_ASKED  # driver versions in those files' library names, each once
    toolkit: Fact[list[str]] = NOT_ASKED  # nvidia-ctk, nvidia-container-runtime-hook, nvidia-cdi-hook on PATH
    docker: Fact[str] = NOT_ASKED  # path of the docker client
    sandbox: Fact[str] = NOT_ASKED  # gvisor, kata …
    scheduler: Fact[str] = NOT_ASKED  # slurm, pbs, lsf, kubernetes


class Variable(Record, frozen=True, kw_only=True):
    """One environment variable of the allow-list, verbatim."""

    name: str
    value: str


class ProcessEnvironment(Section, frozen=True, kw_only=True, tag="environment"):
    """The variables that the user's shell hands on.  Only an allow-list is ever read."""

    variables: Fact[list[Variable]] = NOT_ASKED
    variables_partial: Fact[bool] = NOT_ASKED  # true: those that a pasted text names; others may be set
    path: Fact[list[str]] = NOT_ASKED  # entries of PATH
    home: Fact[str] = NOT_ASKED
    working_directory: Fact[str] = NOT_ASKED
    shell_python: Fact[list[str]] = NOT_ASKED  # `which -a python`, then python3
    python_interpreter: Fact[str] = NOT_ASKED  # what `python` (else `python3`) starts, shims resolved; None: nothing
    activated_interpreter: Fact[str] = NOT_ASKED  # of the folder that VIRTUAL_ENV (else CONDA_PREFIX) names; None: none
    activation_in_effect: Fact[bool] = NOT_ASKED  # are those two one environment?  None: nothing is activated
    shell_pip: Fact[list[str]] = NOT_ASKED
    pip_interpreter: Fact[str] = NOT_ASKED  # the Python that the first pip runs
    jupyter_interpreter: Fact[str] = NOT_ASKED

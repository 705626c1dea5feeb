"""The commands that mend an environment: through its own interpreter, with its own package manager.

Facts choose between commands and none is required: where the environment is not known, the command names ``python``.
"""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

from envcheck.compat.commands import INDEX, pip_install, reinstall, uv_install
from envcheck.compat.conda import conda_builds, conda_command, conda_line
from envcheck.compat.machine import Machine, machine_of
from envcheck.compat.rows import TorchBuild, TorchRelease
from envcheck.compat.torch_builds import platform_of, release, rocm_variants, torch_build
from envcheck.compat.version import cuda_of, is_prerelease, split_local, variant_of
from envcheck.facts import CondaPackage, Distribution
from envcheck.judge import CannotTell, Case, Fix, Step
from envcheck.rules import plan

if TYPE_CHECKING:
    from envcheck.compat.recommend import Recommendation

COMPANIONS = ("torchvision", "torchaudio")
FAMILY = "torch torchvision torchaudio"


def fact(case: Case, pointer: str) -> object:
    """The value at ``pointer``, or ``None`` where it is absent or unread.  For wording and for choosing commands."""
    value = case.maybe(lambda: case.known(pointer, object))
    return None if isinstance(value, CannotTell) else value


def env_of(case: Case) -> str | None:
    """The pointer of the environment that a fix is for: the subject's own, else the one that is judged."""
    own = case.subject.places.get("env")
    if own is not None:
        return own
    target = fact(case, "/target/interpreter")
    return f"/interpreters/{target}" if isinstance(target, int) else None


def on_windows(case: Case) -> bool:
    return fact(case, "/host/system") == "Windows"


def quoted(case: Case, path: str) -> str:
    """A path as the user's shell takes it."""
    if on_windows(case):
        return f'"{path}"' if " " in path else path
    return shlex.quote(path)


def python(case: Case) -> str:
    """The judged interpreter, quoted for the user's shell; plain ``python`` where it is not known or not there yet."""
    env = env_of(case) if not plan.is_plan(case) else None
    path = fact(case, f"{env}/executable") if env is not None else None
    return quoted(case, path) if isinstance(path, str) else "python"


def code(case: Case, program: str) -> str:
    """A command that runs one line of Python in the judged environment."""
    return f'{python(case)} -c "{program}"'


def test(case: Case) -> str:
    """Proof that torch computes on the card: is_available() alone is True where no kernel runs."""
    told = "print(torch.__version__, torch.version.cuda, torch.cuda.is_available())"
    return code(case, f"import torch; {told}; print((torch.ones(2, device='cuda') * 2).sum())")


def import_test(case: Case) -> str:
    """Proof that torch can be imported and computes on the CPU."""
    return code(case, "import torch; print(torch.__version__, torch.ones(2).sum())")


def manager(case: Case) -> str:
    """ "pip", "uv" or "conda": what installed torch there, else what the environment is made with."""
    env = env_of(case)
    if env is None:
        return "pip"
    if is_conda(case, env):
        records = case.maybe_records(f"{env}/distributions", Distribution)
        by_pip = any(d.name == "torch" and d.installer in ("pip", "uv") for _, d in records)
        return "pip" if by_pip and not conda_owns_torch(case, env) else "conda"
    if fact(case, f"{env}/manager") == "uv" or fact(case, f"{env}/has_pip") is False:
        return "uv"
    return "pip"


def is_conda(case: Case, env: str) -> bool:
    return fact(case, f"{env}/manager") in ("conda", "pixi")


def conda_owns_torch(case: Case, env: str) -> bool:
    packages = case.maybe_records(f"{env}/conda_packages", CondaPackage)
    return any(package.name in ("pytorch", "libtorch", "pytorch-cpu", "pytorch-gpu") for _, package in packages)


def install(case: Case, *wanted: str, options: str = "", note: str = "") -> Step:
    """Install requirements into the environment without touching anything else there."""
    if plan.is_plan(case):
        return plan.write(
            case, re.split(r"[<>=!~ ]", wanted[0], maxsplit=1)[0], f"{' '.join(wanted)} {options}".strip(), note
        )
    quotes = " ".join(f'"{w}"' if any(c in w for c in "<>=~!*") else w for w in wanted)
    tail = f"{quotes} {options}".strip()
    if manager(case) == "uv":
        return Step(where="env", tool="uv", command=f"uv pip install --python {python(case)} {tail}", note=note)
    return Step(where="env", tool="pip", command=f"{python(case)} -m pip install {tail}", note=note)


def uninstall(case: Case, names: str, note: str = "") -> Step:
    """Remove distributions from the environment."""
    if plan.is_plan(case):
        return plan.write(case, names.split()[0], f"remove {names}", note)
    if manager(case) == "uv":
        return Step(where="env", tool="uv", command=f"uv pip uninstall --python {python(case)} {names}", note=note)
    return Step(where="env", tool="pip", command=f"{python(case)} -m pip uninstall -y {names}", note=note)


def again(case: Case, wanted: str, note: str = "") -> Step:
    """Install one distribution anew, files and all, and nothing beside it."""
    quotes = f'"{wanted}"'
    if manager(case) == "uv":
        name = re.split(r"[<>=!~ ]", wanted, maxsplit=1)[0]
        command = f"uv pip install --python {python(case)} --reinstall-package {name} --no-deps {quotes}"
        return Step(where="env", tool="uv", command=command, note=note)
    command = f"{python(case)} -m pip install --force-reinstall --no-deps --no-cache-dir {quotes}"
    return Step(where="env", tool="pip", command=command, note=note)


def companions(case: Case) -> list[str]:
    """Which of torchvision and torchaudio are installed there; torchvision where that is not known."""
    env = env_of(case)
    found = case.maybe_records(f"{env}/distributions", Distribution) if env is not None else []
    names = {d.name for _, d in found}
    return [name for name in COMPANIONS if name in names] or ([] if found else ["torchvision"])


def torch_version(case: Case) -> str | None:
    """The version of the installed torch, local part and all, where it is known."""
    env = env_of(case)
    if env is None:
        return None
    for pointer in (f"{env}/torch/version", f"{env}/runtime/version", f"{env}/torch/metadata_version"):
        found = fact(case, pointer)
        if isinstance(found, str):
            return found
    return None


def recommended(case: Case) -> Recommendation:
    """The build for this machine: of the installed release where one runs here, else of the newest that has one."""
    from envcheck.compat.recommend import Wish, recommend  # only a machine with a fault needs it

    machine = machine_of(case.snapshot)
    installed = torch_version(case)
    if installed is not None and not is_prerelease(installed):
        public = split_local(installed)[0]
        if isinstance(release(public), TorchRelease):
            kept = recommend(Wish(machine=machine, torch=f"=={public}"))
            if kept.choice is not None and cuda_of(kept.choice.build) is not None:
                return kept
    return recommend(Wish(machine=machine))


def fitting(case: Case, title: str, *, driver_floor: str | None = None) -> Fix:
    """Replace torch by a build that runs on this machine.

    ``driver_floor``: the driver with which the installed build would do as well.  Where no build fits, the fix says
    what would have to change instead.
    """
    from .boards import needs_own_wheels, own_wheels  # built of what stands here

    if needs_own_wheels(case):
        return own_wheels(case, title, driver_floor)
    advice = recommended(case)
    steps: list[Step] = []
    if advice.choice is not None and cuda_of(advice.choice.build) is not None:
        steps += build_steps(case, advice.choice.torch, advice.choice.build)
    elif advice.choice is None and not isinstance(fact(case, "/host/system"), str):
        steps += _for_a_machine_that_is_not_known(case)
    elif advice.choice is None:
        steps.append(Step(where="env", note="no published build fits this machine: " + "; ".join(advice.why)))
    if driver_floor is not None:
        steps.append(upgrade_driver(case, driver_floor))
    return Fix(title=title, steps=steps, safety="careful", verify=test(case))


def _for_a_machine_that_is_not_known(case: Case) -> list[Step]:
    """A message alone names no card and no driver: the build with CUDA that most of them run."""
    which = "cu126 runs with driver 525 or newer on Maxwell to Hopper cards; Blackwell needs cu128 or newer"
    return [
        Step(where="env", command="envcheck recommend", note="names the build that fits driver and card"),
        uninstall(case, "torch torchvision"),
        Step(
            where="env",
            command=f"{python(case)} -m pip install torch torchvision --index-url {INDEX}/cu126",
            note=which,
        ),
    ]


def build_steps(case: Case, version: str, variant: str, beside: list[str] | None = None) -> list[Step]:
    """The commands that replace the installed torch by this build.

    ``beside``: the companions to install with it; by default those that are there.
    """
    machine = machine_of(case.snapshot)
    platform = machine.platform if isinstance(machine.platform, str) else "linux_x86_64"
    tool = manager(case)
    if plan.is_plan(case):
        row = torch_build(version, variant, platform)
        names = companions(case) if beside is None else beside
        return plan.write_build(case, row, names) if isinstance(row, TorchBuild) else []
    if tool == "conda":
        line = conda_command(version, machine) or _newest_from_conda(machine)
        if line is not None:
            return [Step(where="env", tool="conda", command=line)]
        tool = "pip"
    found = reinstall(
        version,
        variant,
        _executable(case),
        tool,
        companions(case) if beside is None else beside,
        platform=platform,
        windows=on_windows(case),
    )
    return [Step(where="env", tool=item.tool, command=item.command) for item in found]


def _newest_from_conda(machine: Machine) -> str | None:
    fit = conda_builds(None, machine)
    return conda_line(fit[-1]) if fit else None


def _executable(case: Case) -> str:
    env = env_of(case)
    path = fact(case, f"{env}/executable") if env is not None else None
    return path if isinstance(path, str) else "python"


def first_install(case: Case) -> list[Step]:
    """Install torch where there is none: the build that fits this machine.

    A Python that the system manages refuses packages (PEP 668): an environment is made first.
    """
    machine = machine_of(case.snapshot)
    choice = recommended(case).choice
    if choice is None:
        return []
    platform = machine.platform if isinstance(machine.platform, str) else "linux_x86_64"
    build = torch_build(choice.torch, choice.build, platform)
    if not isinstance(build, TorchBuild):
        return []
    if manager(case) == "conda":
        line = conda_command(choice.torch, machine) or _newest_from_conda(machine)
        if line is not None:
            return [Step(where="env", tool="conda", command=line)]
    names = ["torchvision"]
    env = env_of(case)
    if env is not None and fact(case, f"{env}/externally_managed") is True:
        return [
            Step(
                where="env", tool="pip", command=f"{python(case)} -m venv .venv", note="the system manages this Python"
            ),
            Step(where="env", tool="pip", command=pip_install(build, names, ".venv/bin/python -m pip")),
        ]
    if manager(case) == "uv":
        line = uv_install(build, names).replace("uv pip install", f"uv pip install --python {python(case)}", 1)
        return [Step(where="env", tool="uv", command=line)]
    return [Step(where="env", tool="pip", command=pip_install(build, names, f"{python(case)} -m pip"))]


def same_again(case: Case) -> list[Step]:
    """Install the same torch anew, from the index that its build tag names."""
    version = torch_version(case)
    if manager(case) == "conda":
        return [Step(where="env", tool="conda", command="conda install --force-reinstall pytorch libtorch")]
    if version is None:
        return [again(case, "torch", note="add ==VERSION and the index that it came from")]
    public, local = split_local(version)
    step = again(case, f"torch=={public}")
    system, machine = fact(case, "/host/system"), fact(case, "/host/machine")
    platform = platform_of(str(system), str(machine)) if system and machine else None
    build = torch_build(public, local, platform) if platform is not None and local is not None else None
    if isinstance(build, TorchBuild) and build.default:
        return [step]
    option = index_option(case, local)
    return [Step(where="env", tool=step.tool, command=f"{step.command} {option}".strip())]


def index_option(case: Case, local: str | None) -> str:
    """The option that names the index of a build tag ("cu126", "cpu", "rocm7.2"); empty for anything else."""
    if local is None or not (local == "cpu" or cuda_of(local) or local.startswith(("rocm", "xpu"))):
        return ""
    return f"--torch-backend={local}" if manager(case) == "uv" else f"--index-url {INDEX}/{local}"


def rocm_steps(case: Case) -> list[Step]:
    """Replace torch by a ROCm build of the same release, the newest ROCm that it was built for."""
    version = torch_version(case)
    variants = rocm_variants(split_local(version)[0]) if version is not None else None
    if version is None or not isinstance(variants, list) or not variants:
        return [Step(where="browser", command="https://pytorch.org/get-started/locally/", note="choose ROCm there")]
    names = companions(case)
    wanted = f"torch=={split_local(version)[0]}"
    return [
        uninstall(case, " ".join(["torch", *names])),
        install(case, wanted, *names, options=f"--index-url {INDEX}/{variants[-1]}"),
    ]


def upgrade_driver(case: Case, floor: str) -> Step:
    """The other way out: a driver that is new enough."""
    note = f"instead: upgrade the NVIDIA driver to {floor} or newer"
    branch = floor.split(".")[0]
    if isinstance(fact(case, "/host/wsl"), int) or on_windows(case):
        return Step(where="windows", note=f"{note} on Windows (nvidia.com/drivers)", reboot=True)
    if isinstance(fact(case, "/container/engine"), str):
        return Step(where="container_host", note=f"{note} on the container's host", root=True, reboot=True)
    if isinstance(fact(case, "/host/jetson"), str):
        return Step(where="host", note=f"{note}, by the JetPack release that carries it", root=True, reboot=True)
    if fact(case, "/host/os_id") == "ubuntu":
        command = f"sudo apt-get install nvidia-driver-{branch}"
        return Step(where="host", tool="apt", command=command, root=True, reboot=True, note=note)
    return Step(where="host", note=note, root=True, reboot=True)


def pair(case: Case, title: str, *names: str) -> Fix:
    """Install torch and ``names`` anew, in one command, as the build of torch that is there."""
    version = torch_version(case)
    steps: list[Step] = []
    if version is not None:
        public, local = split_local(version)
        variant = local if local is not None and (local == "cpu" or cuda_of(local)) else _variant(case)
        if variant is not None:
            steps = build_steps(case, public, variant, list(names))
    if not steps:
        steps = [uninstall(case, " ".join(["torch", *names])), install(case, "torch", *names, note="in one command")]
    return Fix(title=title, steps=steps, safety="careful", verify=code(case, f"import torch, {', '.join(names)}"))


def _variant(case: Case) -> str | None:
    """The wheel tag of a torch whose version has none: by its CUDA."""
    env = env_of(case)
    cuda = fact(case, f"{env}/torch/cuda") if env is not None else None
    return variant_of(cuda) if isinstance(cuda, str) else None

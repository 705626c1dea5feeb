"""Would a CUDA extension compile here?  None of this matters until somebody compiles one."""

from __future__ import annotations

from envcheck.compat import toolchain
from envcheck.compat.toolchain import CompilerLimit
from envcheck.compat.version import key, spoken
from envcheck.facts import ToolkitInstall, Unread
from envcheck.judge import CannotTell, Case, Fix, NotApplicable, Problem, Rule, Severity, Step, question
from envcheck.rules.torch_build import build, remedy
from envcheck.rules.torch_build.cards import visible_cards
from envcheck.rules.torch_build.messages import said


class NvccTorchCudaMismatch(Rule):
    """The CUDA toolkit that would compile extensions is of another major version than the CUDA of torch.

    What it looks at
        The version of the nvcc that torch.utils.cpp_extension would choose, against torch.version.cuda.
    Why it matters
        torch refuses to compile extensions with it.  Nothing else needs a toolkit, so without a failed build this is
        only a remark; another minor version of the same major is fine.
    How to mend it
        Point CUDA_HOME at a toolkit of torch's major version.
    Cannot tell when
        The toolkits or torch's version.py were not read.
    References
        torch/utils/cpp_extension.py, _check_cuda_version.
    """

    code, name, rung = "TLK101", "nvcc-torch-cuda-mismatch", "cuda_libraries"

    @staticmethod
    def mend(case: Case) -> Fix:
        wanted = torch_cuda(case)
        return Fix(
            title="Compile with a toolkit of torch's CUDA",
            steps=[
                *toolkit_steps(case, wanted),
                Step(where="env", command=f"export CUDA_HOME=/usr/local/cuda-{wanted}"),
            ],
            safety="careful",
            verify='"$CUDA_HOME/bin/nvcc" --version',
        )


class HostCompilerTooNew(Rule):
    """The C++ compiler is newer than this CUDA toolkit accepts.

    What it looks at
        The version of g++ (or CXX) against the limit in the toolkit's own headers.
    Why it matters
        nvcc stops with "unsupported GNU version".  Without a failed build this is only a remark.
    How to mend it
        Install a g++ within the limit and let nvcc use it.
    Cannot tell when
        The compiler or the toolkit was not asked, or the toolkit is not in the table.
    References
        crt/host_config.h of each toolkit; torch/utils/cpp_extension.py, CUDA_GCC_VERSIONS.
    """

    code, name, rung = "TLK102", "host-compiler-too-new", "cuda_libraries"

    @staticmethod
    def mend(case: Case) -> Fix:
        limit = case.maybe(lambda: _gcc_limit(case))
        number = limit if isinstance(limit, int) else "<limit>"
        use = f"export CC=gcc-{number} CXX=g++-{number} NVCC_PREPEND_FLAGS='-ccbin g++-{number}'"
        return Fix(
            title=f"Let nvcc use g++ {number}",
            steps=[
                Step(where="host", tool="apt", command=f"sudo apt-get install g++-{number}", root=True),
                Step(where="env", tool="conda", command=f"conda install -c conda-forge gxx_linux-64={number}"),
                Step(where="env", command=use),
            ],
            verify="build the extension again",
        )


class NvccArchUnsupported(Rule):
    """This CUDA toolkit cannot compile for the card that is here.

    What it looks at
        The GPU targets of the toolkit that would be chosen, against the compute capability of the visible cards.
    Why it matters
        nvcc stops with "Unsupported gpu architecture": too new for it, or dropped by it (CUDA 13 begins at 7.5).
        Without a failed build this is only a remark.
    How to mend it
        Use a toolkit that knows the card, or set TORCH_CUDA_ARCH_LIST to what is really wanted.
    Cannot tell when
        The toolkit was not asked or is not in the table, or a card's compute capability is not known.
    References
        ptxas --help of each toolkit; CUDA release notes, supported architectures.
    """

    code, name, rung = "TLK103", "nvcc-arch-unsupported", "cuda_libraries"

    @staticmethod
    def mend(case: Case) -> Fix:
        return Fix(
            title="Compile with a toolkit that knows the card",
            steps=[
                *toolkit_steps(case, torch_cuda(case)),
                Step(
                    where="env", command='export TORCH_CUDA_ARCH_LIST="8.6"', note="instead, to build for other cards"
                ),
            ],
            safety="careful",
            verify="nvcc --list-gpu-arch",
        )


CHOSEN = "/toolkit/toolkits/0"


def chosen_version(case: Case) -> str:
    """The version of the toolkit that torch.utils.cpp_extension would choose: the first one listed."""
    if not case.records("/toolkit/toolkits", ToolkitInstall):
        raise NotApplicable("no CUDA toolkit is installed, and none is needed unless something is compiled")
    return case.present(f"{CHOSEN}/version", str)


@question("env", NvccTorchCudaMismatch)
def is_the_toolkit_of_the_cuda_of_torch(case: Case) -> Problem | None:
    """Majors must agree; minors may differ."""
    env = build.require_torch(case)
    cuda = build.cuda(case, env)
    if cuda is None:
        raise NotApplicable("torch was built without CUDA and compiles no CUDA extension")
    nvcc = chosen_version(case)
    if key(nvcc)[0] == key(cuda)[0]:
        return None
    return case.problem(
        NvccTorchCudaMismatch,
        f"the CUDA toolkit that would compile extensions is {nvcc}, and torch is built with CUDA {cuda}",
        cause="it is the first one by CUDA_HOME, CUDA_PATH, PATH and /usr/local/cuda, in this order",
        evidence=[f"{CHOSEN}/version", *build.told(case, env, "cuda"), *said(case, NvccTorchCudaMismatch)],
        fix=NvccTorchCudaMismatch.mend(case),
        severity=severity(case, NvccTorchCudaMismatch),
    )


@question("host", HostCompilerTooNew)
def does_the_toolkit_accept_the_compiler(case: Case) -> Problem | None:
    """g++ against the limit of the toolkit's headers."""
    nvcc = chosen_version(case)
    limit = _gcc_limit(case)
    if limit is None:
        raise CannotTell(f"the table does not say which g++ CUDA {nvcc} accepts")
    compiler = case.present("/toolkit/host_compiler_version", str)
    path = case.present("/toolkit/host_compiler", str)
    if "clang" in path.rsplit("/", 1)[-1]:
        raise NotApplicable("the host compiler is clang")
    if key(compiler)[0] <= limit:
        return None
    return case.problem(
        HostCompilerTooNew,
        f"g++ {compiler} is newer than CUDA {nvcc} accepts (up to {limit})",
        cause="the toolkit's headers refuse compilers that it was not tested with",
        evidence=["/toolkit/host_compiler_version", f"{CHOSEN}/version", *said(case, HostCompilerTooNew)],
        fix=HostCompilerTooNew.mend(case),
        severity=severity(case, HostCompilerTooNew),
    )


def _gcc_limit(case: Case) -> int | None:
    limit = toolchain.host_compiler_limit(chosen_version(case))
    if isinstance(limit, Unread):
        raise CannotTell(str(limit))
    return limit.gcc if isinstance(limit, CompilerLimit) else None


@question("host", NvccArchUnsupported)
def can_the_toolkit_compile_for_the_cards(case: Case) -> Problem | None:
    """Every visible card against the toolkit's targets."""
    nvcc = chosen_version(case)
    seen = visible_cards(case)
    if not seen.cards and seen.silent is None:
        raise NotApplicable("there is no card to compile for")
    for card in seen.cards:
        known = toolchain.toolkit_knows(nvcc, card.cc)
        if isinstance(known, Unread):
            raise CannotTell(str(known))
        if known is False:
            return case.problem(
                NvccArchUnsupported,
                f"CUDA {nvcc} cannot compile for {card.name} (compute capability {spoken(card.cc)})",
                cause="the toolkit is older than the card, or has dropped it",
                evidence=[f"{CHOSEN}/version", card.pointer, *said(case, NvccArchUnsupported)],
                fix=NvccArchUnsupported.mend(case),
                severity=severity(case, NvccArchUnsupported),
                confidence="established" if seen.sure else "suggested",
            )
    if seen.silent is not None:
        raise seen.silent
    return None


def severity(case: Case, rule: type[Rule], otherwise: Severity = "note") -> Severity | None:
    """An error only where a build was seen to fail: most machines never compile anything."""
    return None if said(case, rule) else otherwise


def torch_cuda(case: Case) -> str:
    env = remedy.env_of(case)
    found = case.maybe(lambda: build.cuda(case, env)) if env is not None else None
    return found if isinstance(found, str) else "<CUDA of torch>"


def toolkit_steps(case: Case, cuda: str) -> list[Step]:
    """Install a toolkit of this CUDA, by conda or by the system."""
    steps = [
        Step(
            where="env",
            tool="conda",
            command=f"conda install -c conda-forge cuda-nvcc={cuda} cuda-cudart-dev={cuda}",
        )
    ]
    if remedy.fact(case, "/host/os_id") in ("ubuntu", "debian"):
        package = f"cuda-toolkit-{cuda.replace('.', '-')}"
        steps.append(
            Step(
                where="host",
                tool="apt",
                command=f"sudo apt-get install {package}",
                root=True,
                note="NVIDIA's repository",
            )
        )
    return steps

"""Can a program load libcuda at all?"""

from __future__ import annotations

from envcheck.facts import DriverLibrary
from envcheck.judge import Case, Fix, NotApplicable, Problem, Rule, Step, question
from envcheck.rules.presence import has_card, wants_gpu

from .refusals import CONSEQUENCES


class NoDriverLibrary(Rule):
    """The driver's libcuda.so.1 cannot be loaded, so no CUDA program can start.

    What it looks at
        Whether a child process could load libcuda.so.1 by the loader's own search, on a machine with a card.
    Why it matters
        Every CUDA program begins with this library.  It belongs to the driver, never to a CUDA toolkit.
    How to mend it
        Where the file is on disk, put its folder on the loader's path (ldconfig); where it is not, install the
        driver, or hand the libraries to the container.
    Cannot tell when
        The child gave no answer, or nothing says whether there is a card.
    References
        ld.so(8); the search list of conda's virtual package __cuda.
    """

    code, name, rung = "DRV101", "no-driver-library", "cuda_driver"
    essential = True
    explains = ("cuda-init-unknown-error", *CONSEQUENCES)

    @staticmethod
    def mend(case: Case) -> Fix:
        copies = [
            library
            for _, library in case.maybe_records("/driver/libraries", DriverLibrary)
            if library.soname == "libcuda.so.1" and library.stub is not True
        ]
        if copies:
            folder = copies[0].path.rsplit("/", 1)[0]
            from shlex import quote

            return Fix(
                title="Put the folder of libcuda.so.1 into the loader's cache",
                steps=[
                    Step(
                        where="host",
                        command=f"echo {quote(folder)} | sudo tee /etc/ld.so.conf.d/nvidia.conf && sudo ldconfig",
                        root=True,
                    )
                ],
                safety="careful",
                verify="ldconfig -p | grep libcuda.so.1 && envcheck doctor",
            )
        return Fix(
            title="Install the driver's user libraries (not a CUDA toolkit)",
            steps=[
                Step(where="host", tool="apt", command="sudo ubuntu-drivers install", root=True, reboot=True),
                Step(where="host", tool="dnf", command="sudo dnf install nvidia-open", root=True, reboot=True),
            ],
            safety="careful",
            verify="nvidia-smi && envcheck doctor",
        )


@question("host", NoDriverLibrary)
def can_libcuda_be_loaded(case: Case) -> Problem | None:
    """The loader's own answer; the driver's absence is judged further down the ladder."""
    library = case.known("/cuda/library", str)
    if library is not None:
        return None
    if not has_card(case):
        raise NotApplicable("there is no NVIDIA card")
    inside = isinstance(case.maybe(lambda: case.known("/container/engine", str)), str)
    return case.problem(
        NoDriverLibrary,
        "libcuda.so.1 cannot be loaded",
        cause="the driver's user library is not installed, or its folder is not on the loader's search path",
        evidence=["/cuda/library", *(p for p in ("/cuda/load_error", "/driver/libraries") if case.told(p))],
        fix=NoDriverLibrary.mend(case),
        # A container that was given no GPU, and in which nothing asks for one, lacks nothing.
        severity="note" if inside and not wants_gpu(case) else None,
    )

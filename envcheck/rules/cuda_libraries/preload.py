"""Is a foreign library forced into every process?"""

from __future__ import annotations

from envcheck.judge import Case, Fix, NotApplicable, Problem, Rule, Step, question


class LdPreloadSet(Rule):
    """LD_PRELOAD forces a library into every process, torch's too.

    What it looks at
        The value of LD_PRELOAD.
    Why it matters
        An allocator, a C++ runtime or a CUDA library loaded first can crash torch or answer in the driver's place.
        Some setups preload an allocator on purpose, so this is a remark until something fails.
    How to mend it
        Run once without it and compare.
    Cannot tell when
        The environment was not read.
    References
        ld.so(8), LD_PRELOAD.
    """

    code, name, rung = "LIB201", "ld-preload-set", "cuda_libraries"
    severity = "warning"

    @staticmethod
    def mend(case: Case) -> Fix:
        return Fix(
            title="Try without the preloaded library",
            steps=[
                Step(
                    where="env", command='env -u LD_PRELOAD python -c "import torch; print(torch.cuda.is_available())"'
                )
            ],
            verify="envcheck doctor   # in a shell without LD_PRELOAD",
        )


SENSITIVE = ("cuda", "nvidia", "cublas", "cudnn", "nccl", "nvjitlink", "stdc++", "gomp", "iomp")
"""Words in the name of a library that torch or the driver must choose itself."""


@question("host", LdPreloadSet)
def is_a_library_preloaded(case: Case) -> Problem | None:
    """A library that torch or the driver brings itself is a hazard; any other preload is only context."""
    found = case.variable("LD_PRELOAD")
    if found is None or not found[1].strip():
        raise NotApplicable("LD_PRELOAD is not set")
    pointer, value = found
    names = [entry.rsplit("/", 1)[-1] for entry in value.replace(":", " ").split()]
    touchy = [name for name in names if any(word in name.lower() for word in SENSITIVE)]
    return case.problem(
        LdPreloadSet,
        f"LD_PRELOAD loads {', '.join(touchy or names)} into every process",
        cause="it takes the place of the library that torch or the driver would choose"
        if touchy
        else "it is loaded before anything else; allocators are often preloaded on purpose",
        evidence=[pointer],
        fix=LdPreloadSet.mend(case),
        severity=None if touchy else "note",
    )

"""Does the device compute the right numbers?"""

from __future__ import annotations

from envcheck.facts import NumericCheck
from envcheck.judge import CannotTell, Case, Fix, Problem, Rule, Step, question
from envcheck.rules.speed import measured

PRECISION = "product-precision"


class NumericsWrong(Rule):
    """The device computes wrong numbers.

    What it looks at
        Some thirty checks of known mathematics (``envcheck bench``): broadcasting, derivatives, least squares, softmax
        and cross-entropy, integers that must be exact, the same product twenty times.
    Why it matters
        Training on wrong numbers looks like training: the loss may even fall.
    How to mend it
        Repeat it with the printed seed; try another device and another torch to see which of the two is at fault. A
        card that fails alone goes out of service.
    Cannot tell when
        The process died in a check, or torch could not be imported.
    References
        NVIDIA DCGM, memory and computation checks; Hochschild et al., "Cores that don't count", HotOS 2021.
    """

    code, name, rung = "NUM201", "numerics-wrong", "numerics"
    essential = True

    @staticmethod
    def mend(case: Case) -> Fix:
        return Fix(
            title="Find out whether the device or the torch is at fault, and do not train on it meanwhile",
            steps=[
                Step(where="env", command="envcheck bench --device cpu", note="the same checks on the processor"),
                Step(
                    where="host", command="dcgmi diag -r 3", note="on an NVIDIA card: its own diagnosis, half an hour"
                ),
                Step(where="host", command="nvidia-smi -q -d ECC,PAGE_RETIREMENT,ROW_REMAPPER"),
            ],
            safety="careful",
            verify="envcheck bench",
        )


class BenchTf32Surprise(Rule):
    """float32 products are less exact than torch's setting promises.

    What it looks at
        The error of a float32 product of depth 4096 against float64, and torch.get_float32_matmul_precision().
    Why it matters
        Ten bits instead of twenty-three: enough for training, not for least squares, and a surprise in a comparison.
    How to mend it
        Set the precision that is meant, and unset variables that override it.
    Cannot tell when
        The product or the setting could not be had.
    References
        PyTorch CUDA semantics, TF32; NVIDIA A100 white paper.
    """

    code, name, rung = "NUM202", "bench-tf32-surprise", "numerics"
    severity = "warning"

    @staticmethod
    def mend(case: Case) -> Fix:
        return Fix(
            title="Say in the program which precision is meant",
            steps=[
                Step(where="env", command="unset NVIDIA_TF32_OVERRIDE TORCH_ALLOW_TF32_CUBLAS_OVERRIDE"),
                Step(where="env", command="torch.set_float32_matmul_precision('highest')", note="in the program"),
            ],
            verify="envcheck bench",
        )


@question("host", NumericsWrong, BenchTf32Surprise)
def are_the_numbers_right(case: Case) -> Problem | None:
    """A product of a known lower precision is a surprise; everything else that is off is wrong."""
    return measured.on_each(case, lambda at: _judge(case, at))


def _judge(case: Case, at: str) -> Problem | None:
    measured.need_use(case, at)
    wrong: list[tuple[str, str, str]] = []
    doubt: CannotTell | None = None
    made = 0
    for pointer, check in case.records(f"{at}/checks", NumericCheck):
        try:
            if case.known(f"{pointer}/unavailable", str) is not None:
                continue
            words = case.known(f"{pointer}/wrong", str)
        except CannotTell as unknown:
            doubt = doubt or CannotTell(f"{check.id}: {unknown.why}", unknown.pointer)
            continue
        made += 1
        if words is not None:
            wrong.append((pointer, check.id, words))
    name = measured.device_name(case, at)
    surprise = next((item for item in wrong if item[1] == PRECISION and _is_known_class(case, at)), None)
    if surprise is not None:
        wrong.remove(surprise)
    if wrong:
        return _wrong(case, name, wrong)
    if doubt is not None:
        raise doubt
    if surprise is not None:
        return case.problem(
            BenchTf32Surprise,
            f"{name}: {surprise[2]}",
            cause="a variable, a library or another part of the program has changed the precision of products",
            evidence=[f"{surprise[0]}/wrong", f"{at}/product_class", f"{at}/precision"],
            fix=BenchTf32Surprise.mend(case),
        )
    if not made:
        raise CannotTell(f"{name}: no numeric check could be made", f"{at}/checks")
    return None


def _is_known_class(case: Case, at: str) -> bool:
    """Is the product as exact as some known format?  What is worse than all of them is plainly wrong."""
    return case.known(f"{at}/product_class", str) in ("tf32", "bfloat16")


def _wrong(case: Case, name: str, wrong: list[tuple[str, str, str]]) -> Problem:
    first, more = wrong[0], len(wrong) - 1
    others = ", ".join(check for _, check, _ in wrong[1:])
    return case.problem(
        NumericsWrong,
        f"{name}: {first[1]}: {first[2]}",
        cause=f"the device or its libraries give wrong results; {more} more checks fail: {others}"
        if more
        else "the device or its libraries give wrong results",
        evidence=[f"{pointer}/wrong" for pointer, _, _ in wrong],
        fix=NumericsWrong.mend(case),
    )

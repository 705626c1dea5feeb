"""Faults of a torch, planted around its functions, and the numeric checks made with each of them.

Run by the Python whose torch it is: ``python plants.py REPOSITORY FIRST-SEED SEEDS`` prints JSON, fault → what the
checks found.  The tests themselves never import it.
"""

import json
import sys

sys.path.insert(0, sys.argv[1])

import torch
from torch.overrides import TorchFunctionMode

from envcheck.probe.bench import numerics, precision
from envcheck.probe.bench.device import choose
from envcheck.probe.bench.lab import Lab

PRODUCTS = ("matmul", "mm", "mv", "addmm", "dot")
SUMS = ("add",)


def name_of(func):
    """``add`` for ``torch.add``, ``Tensor.add`` and ``Tensor.__add__``; ``add_`` for the one in place."""
    name = func.__name__
    name = name[2:-2] if name.startswith("__") and name.endswith("__") else name
    return {"radd": "add", "rmul": "mul", "rmatmul": "matmul"}.get(name, name)


class Plant(TorchFunctionMode):
    """``act(call, args, kwargs)`` in the place of some functions; ``call`` is the function itself."""

    def __init__(self, names, act):
        super().__init__()
        self.names, self.act = names, act

    def __torch_function__(self, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        if name_of(func) in self.names:
            return self.act(func, args, kwargs)
        return func(*args, **kwargs)


def is_single(tensor):
    return isinstance(tensor, torch.Tensor) and tensor.dtype == torch.float32


def of_single(alter):
    """Alter the result of a call where that is float32: references, which are float64, stay right."""

    def act(func, args, kwargs):
        found = func(*args, **kwargs)
        return alter(found) if is_single(found) else found

    return act


# -- gradients -------------------------------------------------------------------------------------------------


def bent(factor):
    """The same value, its gradient multiplied."""

    def act(func, args, kwargs):
        found = func(*args, **kwargs)
        if not isinstance(found, torch.Tensor) or not found.requires_grad:
            return found
        return found * factor - (found * (factor - 1)).detach()

    return act


# -- softmax ---------------------------------------------------------------------------------------------------


def naive(func, args, kwargs):
    """exp(z)/sum exp(z), the largest logit not subtracted."""
    z, name = args[0], name_of(func)
    if not is_single(z) or "out" in kwargs:
        return func(*args, **kwargs)
    dim = 1 if name == "cross_entropy" else kwargs.get("dim", args[1] if len(args) > 1 else None)
    raised = torch.exp(z)
    p = raised / raised.sum(dim, keepdim=True)
    if name == "softmax":
        return p
    if name == "log_softmax":
        return p.log()
    return -p.log().gather(1, args[1][:, None]).mean()


# -- precision -------------------------------------------------------------------------------------------------


def rounded(bits):
    """The factors of products rounded to so many bits after the point, as tensor cores do."""
    drop = 23 - bits

    def shorten(tensor):
        if not is_single(tensor):
            return tensor
        whole = tensor.detach().contiguous().view(torch.int32)
        short = ((whole + (1 << (drop - 1))) >> drop << drop).view(torch.float32)
        return tensor + (short - tensor.detach())

    def act(func, args, kwargs):
        summand = args[:1] if name_of(func) == "addmm" else ()
        return func(*summand, *[shorten(tensor) for tensor in args[len(summand) :]], **kwargs)

    return act


# -- bits ------------------------------------------------------------------------------------------------------


def flipped(tensor):
    """The last bit of the first element the other way round."""
    bits = tensor.detach().contiguous().clone().view(-1).view(torch.int32)
    bits[0] ^= 1
    return tensor + (bits.view(torch.float32).view(tensor.shape) - tensor.detach())


def one_bit(least_dim=2):
    return of_single(lambda found: flipped(found) if found.dim() >= least_dim else found)


def now_and_then(every):
    """A bit that flips in some of the products only."""
    made = [0]

    def alter(found):
        made[0] += 1
        return flipped(found) if found.dim() == 2 and made[0] % every == 0 else found

    return of_single(alter)


# -- broadcasting ----------------------------------------------------------------------------------------------


def fits_anything(func, args, kwargs):
    """Shapes that do not fit are aligned at the left, instead of refused."""
    try:
        return func(*args, **kwargs)
    except RuntimeError:
        return func(args[0], args[1][:, None].expand(*args[0].shape))


def fits_in_place(func, args, kwargs):
    """In place, what does not fit is left as it is."""
    try:
        return func(*args, **kwargs)
    except RuntimeError:
        return args[0]


def copied(func, args, kwargs):
    return func(*args, **kwargs).contiguous()


def turned(func, args, kwargs):
    """The sum of a column and a row the wrong way round."""
    found = func(*args, **kwargs)
    return found.transpose(-1, -2) if is_single(found) and found.dim() >= 2 else found


def shifted(share):
    return of_single(lambda found: found * (1 + share))


def nothing(func, args, kwargs):
    return of_single(lambda found: found * float("nan"))(func, args, kwargs)


# -- solvers ---------------------------------------------------------------------------------------------------


def solved_badly(func, args, kwargs):
    found = func(*args, **kwargs)
    if hasattr(found, "solution"):
        return found.__class__((found.solution * 1.01, *found[1:]))
    return found * 1.01 if is_single(found) else found


def refused(error):
    def act(func, args, kwargs):
        if any(is_single(value) for value in args):
            raise error
        return func(*args, **kwargs)

    return act


def added(func, args, kwargs):
    """sigma(z) + y instead of sigma(z) - y."""
    return func(args[0], args[1], args[2], -args[3], **kwargs)


LOSSES = ("cross_entropy",)
FAULTS = {
    "none": ((), None),
    "softmax without max-subtraction": (("softmax", "log_softmax", "cross_entropy"), naive),
    "gradient of the wrong sign": (LOSSES, bent(-1.0)),
    "tf32": (PRODUCTS, rounded(10)),
    "bfloat16": (PRODUCTS, rounded(7)),
    "five bits": (PRODUCTS, rounded(5)),
    "one bit of a product": (PRODUCTS, one_bit()),
    "one bit of a sum": (SUMS, one_bit()),
    "one bit now and then": (PRODUCTS, now_and_then(7)),
    "aligned at the left": (SUMS, fits_anything),
    "in place without a word": (("add_",), fits_in_place),
    "expand copies": (("expand",), copied),
    "sum turned round": (SUMS, turned),
    "multiplication off": (("mul",), shifted(1e-3)),
    "sine's derivative": (("sin",), bent(-1.0)),
    "cosine's derivative": (("cos",), bent(-1.0)),
    "dot's derivative": (("dot",), bent(0.5)),
    "softmax's derivative": (("softmax",), bent(-1.0)),
    "multiplication's derivative": (("mul",), bent(2.0)),
    "tanh's derivative": (("tanh",), bent(-1.0)),
    "power's derivative": (("pow",), bent(0.5)),
    "linear layer's derivative": (("addmm",), bent(-1.0)),
    "solver off": (("solve", "linalg_solve"), solved_badly),
    "lstsq off": (("lstsq", "linalg_lstsq"), solved_badly),
    "pseudo-inverse off": (("pinv", "linalg_pinv"), solved_badly),
    "product off": (("matmul",), shifted(0.05)),
    "logarithm to base 2": (("log",), of_single(lambda found: found * 1.4426950408889634)),
    "binary loss's derivative": (("binary_cross_entropy_with_logits",), bent(-1.0)),
    "label added": (("scatter_add_",), added),
    "sine is no number": (("sin",), nothing),
    "no solver": (("lstsq", "linalg_lstsq"), refused(NotImplementedError("lstsq is not implemented"))),
    "no memory": (("tanh",), refused(RuntimeError("CUDA out of memory. Tried to allocate 20.00 MiB"))),
    "a kernel is missing": (("tanh",), refused(RuntimeError("CUDA error: no kernel image is available"))),
}


def examine(seed, fault):
    torch.manual_seed(seed)
    names, act = FAULTS[fault]
    lab, records = Lab(choose(torch, "cpu"), seed), []
    with Plant(names, act):
        numerics.run(lab, records, lambda *words: None)
        checksum = precision.checksum(lab)
    records.pop()  # what the timed workloads wrote: there were none
    return {
        "checks": records,
        "product_class": lab.product_class,
        "precision": precision.precision_flag(torch),
        "checksum": checksum,
    }


def main():
    first, seeds = int(sys.argv[2]), int(sys.argv[3])
    torch.set_num_threads(1)
    found = {fault: examine(first, fault) for fault in FAULTS}
    healthy = [examine(first + n, "none") for n in range(seeds)]
    torch.set_float32_matmul_precision("high")
    found["tf32, allowed"] = examine(first, "tf32")
    found["bfloat16, where tf32 is allowed"] = examine(first, "bfloat16")
    json.dump({"faults": found, "healthy": healthy, "torch": torch.__version__}, sys.stdout)


if __name__ == "__main__":
    main()

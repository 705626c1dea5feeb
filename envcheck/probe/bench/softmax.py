"""One step of softmax regression, the course's own training loop, in four variants of the same mathematics.

    z = X W + b,   p = softmax(z),   L = -mean log p[y],   dL/dz = (p - Y)/n,   dW = X'(p - Y)/n,   db = mean(p - Y)

``autograd`` lets torch derive it, ``closed-form`` writes the last formulas out with no temporary, ``cuda-graph``
replays the recorded autograd step, ``compile`` is the autograd step through torch.compile.
"""

import os

from .clock import Member, absent, refusal
from .lab import Lacking
from .workloads import GUESS_FREE, SHARE

COURSE = (256, 784, 10)  # a batch of 28 x 28 images in ten classes
LARGE_GPU, LARGE_HOST = (65536, 4096, 1000), (1024, 2048, 512)
COARSE = 5e-2
RATE = 1e-4  # so small that thousands of steps do not change what kind of numbers are computed with


class Problem(object):
    """Data and parameters on a device.  Each variant works on its own copy of the parameters."""

    def __init__(self, device, shape, seed=None):
        torch = self.torch = device.torch
        self.device, self.shape = device, shape
        n, features, classes = shape
        generator = torch.Generator()
        generator.manual_seed(torch.initial_seed() % (1 << 62) if seed is None else seed)
        place = device.name
        self.x = torch.randn(n, features, generator=generator).to(place)
        self.weight = (torch.randn(features, classes, generator=generator) * 0.01).to(place)
        self.bias = torch.zeros(classes, device=place)
        self.label = torch.randint(classes, (n,), generator=generator).to(place)

    def variant(self, name, scratch=None):
        """``step`` of that variant; its ``step.weight`` and ``step.bias`` are what it updates."""
        return {"eager": Autograd, "closed-form": ClosedForm, "cuda-graph": Graph, "compile": Compiled}[name](
            self, scratch
        )


class Autograd(object):
    """As it is taught: forward, cross-entropy, backward, update."""

    def __init__(self, problem, scratch=None):
        self.torch, self.x, self.label = problem.torch, problem.x, problem.label
        self.device = problem.device
        self.weight = problem.weight.clone().requires_grad_()
        self.bias = problem.bias.clone().requires_grad_()
        self.cross_entropy = self.torch.nn.functional.cross_entropy

    def loss(self):
        return self.cross_entropy(self.torch.addmm(self.bias, self.x, self.weight), self.label)

    def __call__(self):
        self.loss().backward()
        with self.torch.no_grad():
            self.weight.sub_(self.weight.grad, alpha=RATE)
            self.bias.sub_(self.bias.grad, alpha=RATE)
        self.weight.grad = self.bias.grad = None


class ClosedForm(object):
    """The gradient as the formula says, every result written into memory that is already there."""

    def __init__(self, problem, scratch=None):
        torch = self.torch = problem.torch
        n, features, classes = problem.shape
        place = problem.device.name
        self.x, self.transposed = problem.x, problem.x.t()
        self.weight, self.bias = problem.weight.clone(), problem.bias.clone()
        self.column = problem.label[:, None]
        self.logits = torch.full((n, classes), float("nan"), device=place)
        self.probability = torch.full((n, classes), float("nan"), device=place)
        self.weight_gradient = torch.full((features, classes), float("nan"), device=place)
        self.bias_gradient = torch.full((classes,), float("nan"), device=place)
        self.minus_one = torch.full((n, 1), -1.0, device=place)
        self.scale = -RATE / n
        self.last_loss = None

    def __call__(self):
        torch, p = self.torch, self.probability
        torch.addmm(self.bias, self.x, self.weight, out=self.logits)
        torch.log_softmax(self.logits, 1, out=p)
        self.last_loss = p.gather(1, self.column).mean()
        p.exp_()
        p.scatter_add_(1, self.column, self.minus_one)  # sigma(z) - y
        torch.mm(self.transposed, p, out=self.weight_gradient)
        torch.sum(p, 0, out=self.bias_gradient)
        self.weight.add_(self.weight_gradient, alpha=self.scale)
        self.bias.add_(self.bias_gradient, alpha=self.scale)

    def products(self):
        """Its two matrix products alone: what the whole step can at best cost."""
        self.torch.mm(self.x, self.weight, out=self.logits)
        self.torch.mm(self.transposed, self.probability, out=self.weight_gradient)


class Graph(object):
    """The autograd step recorded once and replayed: the host asks for one thing instead of some twenty."""

    def __init__(self, problem, scratch=None):
        torch = problem.torch
        if problem.device.backend != "cuda" or not hasattr(torch.cuda, "CUDAGraph"):
            raise Lacking(
                "CUDA graphs need a CUDA device"
                if problem.device.backend != "cuda"
                else "this torch has no torch.cuda.CUDAGraph"
            )
        try:
            self.graph = torch.cuda.CUDAGraph()
        except RuntimeError as error:  # a torch without CUDA has the name, and nothing behind it
            raise Lacking("this torch cannot record CUDA graphs: %s" % error)
        inner = Autograd(problem)
        side = torch.cuda.Stream()
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            for _ in range(3):
                inner()
        torch.cuda.current_stream().wait_stream(side)
        with torch.no_grad():  # the warm-up counts for nothing: the recorded step starts where the others start
            inner.weight.copy_(problem.weight)
            inner.bias.copy_(problem.bias)
        with torch.cuda.graph(self.graph):
            inner()
        self.inner, self.weight, self.bias = inner, inner.weight, inner.bias

    def __call__(self):
        self.graph.replay()


class Compiled(Autograd):
    """The autograd step with its loss through torch.compile."""

    def __init__(self, problem, scratch=None):
        torch = problem.torch
        if not hasattr(torch, "compile"):
            raise Lacking("this torch has no torch.compile")
        if scratch is None:
            raise Lacking("torch.compile writes files, and there is no folder that it may write to")
        # Before its first use: inductor reads them when it is imported.  One thread: workers would outlive a kill.
        os.environ["TORCHINDUCTOR_CACHE_DIR"] = os.environ["TRITON_CACHE_DIR"] = scratch
        os.environ["TORCHINDUCTOR_COMPILE_THREADS"] = "1"
        Autograd.__init__(self, problem)
        small = problem.shape == COURSE and problem.device.backend == "cuda"
        mode = "reduce-overhead" if small else "default"

        def loss(bias, x, weight, label):
            return self.cross_entropy(torch.addmm(bias, x, weight), label)

        self.compiled = torch.compile(loss, mode=mode)

    def loss(self):
        return self.compiled(self.bias, self.x, self.weight, self.label)


VARIANTS = ("eager", "closed-form", "cuda-graph", "compile")


def large_shape(device, quick):
    """The compute-bound size: (rows, features, classes), scaled down to a part of the free memory."""
    if device.is_host:
        return LARGE_HOST
    rows, features, classes = LARGE_GPU
    rows = rows // 4 if quick else rows
    room = (device.free_bytes() or GUESS_FREE) // SHARE
    while rows > 1024 and 4 * rows * (features + 4 * classes) > room:
        rows //= 2
    return rows, features, classes


def group(device, label, shape, names, scratch=None):
    """Members of one size, and the records of the variants that are not available here."""
    problem = Problem(device, shape)
    members, missing, closed = [], [], None
    for name in names:
        try:
            step = problem.variant(name, scratch)
        except Exception as error:
            why = str(error) if isinstance(error, (Lacking, NotImplementedError)) else refusal(error)
            missing.append(absent("step", why, variant=name, size=label, shape=shape))
            continue
        closed = step if name == "closed-form" else closed
        check = None if name == "cuda-graph" else (lambda step=step: disagreement(problem, step))
        members.append(Member("step", step, shape, variant=name, size=label, check=check))
    if closed is not None:
        # After the step, which is what first writes the probabilities that the second product reads.
        members.append(Member("products", closed.products, shape, size=label))
    return members, missing


def disagreement(problem, step):
    """How a variant's gradient differs from autograd's at the same parameters, in words; None where it does not.

    Coarse on purpose: it holds in every precision that a device may multiply in, and finds what is plainly wrong.
    """
    torch = problem.torch
    weight = step.weight.detach().clone().requires_grad_()
    bias = step.bias.detach().clone().requires_grad_()
    torch.nn.functional.cross_entropy(torch.addmm(bias, problem.x, weight), problem.label).backward()
    if isinstance(step, ClosedForm):
        step()
        found = step.weight_gradient / problem.shape[0]
    else:
        step.loss().backward()
        found, step.weight.grad, step.bias.grad = step.weight.grad, None, None
    off = float((found - weight.grad).norm() / weight.grad.norm())
    return None if off <= COARSE else "its gradient is off by %.2g from autograd's" % off

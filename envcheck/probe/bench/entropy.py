"""Softmax and cross-entropy: worked values, sigma(z) - y three ways, large logits, and a whole training step."""

from .softmax import COURSE, RATE, Problem

DOUBT = 0.2
STEP = 1e-6  # of the finite differences, in float64: truncation 1e-12, rounding 1e-10
DIFFERENCES_LIMIT = 1e-7
CHANGE_LIMIT = 2e-3


def worked_value(lab):
    """A model that gives the right class a probability of 0.2 pays -log 0.2 = 1.609."""
    torch = lab.torch
    p = torch.tensor([[0.5, 0.2, 0.3]], device=lab.place)
    label = torch.tensor([1], device=lab.place)
    by_loss = torch.nn.functional.cross_entropy(p.log(), label)
    by_hand = -(p[0, 1].log())
    expected = torch.tensor(1.6094379124341003, dtype=torch.float64)
    return lab.verdict(
        [
            lab.compare("cross_entropy", by_loss, expected, lab.limit),
            lab.compare("-log p[y]", by_hand, expected, lab.limit),
        ],
        "%.4f" % float(by_loss),
    )


def binary(lab):
    """-(y log p + (1 - y) log(1 - p)), by hand and from logits; its derivative by the logit is sigma(z) - y."""
    torch, functional = lab.torch, lab.torch.nn.functional
    z, plain = lab.random(64)
    label = lab.labels(2, 64)
    y, y_plain = label.float().to(lab.place), label.double()
    p = plain.sigmoid()
    expected = -(y_plain * p.log() + (1 - y_plain) * (1 - p).log()).mean()
    z.requires_grad_()
    loss = functional.binary_cross_entropy_with_logits(z, y)
    loss.backward()
    by_probability = functional.binary_cross_entropy(torch.sigmoid(z.detach()), y)
    return lab.verdict(
        [
            lab.compare("from logits", loss, expected, lab.limit),
            lab.compare("from probabilities", by_probability, expected, lab.limit),
            lab.compare("dL/dz = (sigma(z) - y)/n", z.grad, (p - y_plain) / 64, lab.limit),
        ]
    )


def gradient_three_ways(lab):
    """dL/dz of the softmax cross-entropy: the formula, autograd, and finite differences in float64."""
    torch, functional = lab.torch, lab.torch.nn.functional
    z, plain = lab.random(6, 5)
    label = lab.labels(5, 6)
    target = functional.one_hot(label, 5).double()
    formula = (plain.softmax(1) - target) / 6
    z.requires_grad_()
    functional.cross_entropy(z, label.to(lab.place)).backward()
    by_hand = (torch.softmax(z.detach(), 1) - target.float().to(lab.place)) / 6
    comparisons = [
        lab.compare("autograd", z.grad, formula, lab.limit),
        lab.compare("softmax(z) - y", by_hand, formula, lab.limit),
    ]
    remark = "this device has no float64: finite differences were left out"
    if lab.double:
        exact = plain.to(lab.place)
        where = label.to(lab.place)
        found = torch.zeros(6, 5, dtype=torch.float64)
        for i in range(6):
            for j in range(5):
                bump = torch.zeros(6, 5, dtype=torch.float64, device=lab.place)
                bump[i, j] = STEP
                rise = functional.cross_entropy(exact + bump, where) - functional.cross_entropy(exact - bump, where)
                found[i, j] = float(rise) / (2 * STEP)
        comparisons.append(lab.compare("finite differences", found, formula, DIFFERENCES_LIMIT))
        remark = "finite differences with h = %g in float64: off by %.1g" % (STEP, lab.off(found, formula))
    return lab.verdict(comparisons, remark)


def stable(lab):
    """Logits of +-10000: the largest is subtracted first, so nothing overflows."""
    torch, functional = lab.torch, lab.torch.nn.functional
    rows = [[1e4, -1e4, 0.0], [1e4, 1e4 - 1.0, -1e4], [-1e4, -1e4, -1e4 - 2.0]]
    z = torch.tensor(rows, device=lab.place)
    plain = torch.tensor(rows, dtype=torch.float64)
    label = torch.tensor([0, 1, 2], device=lab.place)
    naive = torch.exp(z)
    remark = "exp(z)/sum exp(z) gives %s: exp overflows float32 above 88.7" % (
        "NaN" if bool(torch.isnan(naive / naive.sum(1, keepdim=True)).any()) else "finite numbers"
    )
    expected = plain.log_softmax(1)
    return lab.verdict(
        [
            lab.compare("softmax", torch.softmax(z, 1), plain.softmax(1), lab.limit),
            lab.compare("log_softmax", torch.log_softmax(z, 1), expected, lab.limit),
            lab.compare("cross_entropy", functional.cross_entropy(z, label), -expected.diag().mean(), lab.limit),
        ],
        remark,
    )


def step_of(variant):
    """A check of one whole step of softmax regression at the course's size."""

    def check(lab):
        torch = lab.torch
        problem = Problem(lab.device, COURSE, seed=lab.integer(1 << 30))
        step = problem.variant(variant)
        n, _, classes = COURSE
        x, w, b = lab.plain(problem.x), lab.plain(problem.weight), lab.plain(problem.bias)
        label = problem.label.cpu()
        likelihood = (x @ w + b).log_softmax(1)
        error = likelihood.exp() - torch.nn.functional.one_hot(label, classes).double()
        weight_gradient, bias_gradient = x.t() @ error / n, error.mean(0)
        before = step.weight.detach().clone()
        step()
        lab.device.synchronize()
        step_weight, step_bias = step.weight.detach().clone(), step.bias.detach().clone()
        comparisons = []
        if hasattr(step, "weight_gradient"):
            comparisons += [
                lab.compare("dW", step.weight_gradient / n, weight_gradient, lab.product_limit),
                lab.compare("db", step.bias_gradient / n, bias_gradient, lab.product_limit),
                lab.compare("loss", -step.last_loss, -likelihood.gather(1, label[:, None]).mean(), lab.product_limit),
            ]
        elif variant == "eager":
            step.loss().backward()
            error = (x @ lab.plain(step.weight) + lab.plain(step.bias)).softmax(1)
            error = error - torch.nn.functional.one_hot(label, classes).double()
            comparisons += [
                lab.compare("dW", step.weight.grad, x.t() @ error / n, lab.product_limit),
                lab.compare("db", step.bias.grad, error.mean(0), lab.product_limit),
            ]
        # b starts at zero, so its change is exact; W's is drowned by W's own rounding below about 1e-4 of it.
        change = (lab.plain(step_weight) - lab.plain(before)) / -RATE
        comparisons += [
            lab.compare("change of W", change, weight_gradient, max(lab.product_limit, CHANGE_LIMIT)),
            lab.compare("change of b", lab.plain(step_bias) / -RATE, bias_gradient, lab.product_limit),
        ]
        return lab.verdict(comparisons)

    return check


CHECKS = (
    ("cross-entropy", "-log 0.2 = 1.609", worked_value),
    ("binary-cross-entropy", "-(y log p + (1-y) log(1-p)); dL/dz = sigma(z) - y", binary),
    ("softmax-gradient", "dL/dz = softmax(z) - y", gradient_three_ways),
    ("stable-softmax", "softmax(z) = softmax(z - max z), finite for z = +-10000", stable),
    ("step-eager", "dW = X'(softmax(XW + b) - Y)/n by autograd", step_of("eager")),
    ("step-closed-form", "dW = X'(softmax(XW + b) - Y)/n written out", step_of("closed-form")),
    ("step-cuda-graph", "the same step, recorded and replayed", step_of("cuda-graph")),
)

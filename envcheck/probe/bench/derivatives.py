"""Derivatives of scalars, vectors and matrices: what autograd says against the closed form, worked out in float64."""


def scalar_by_scalar(lab):
    """y = x^3 - 4 x + sin x."""
    x, plain = lab.random(33)
    x.requires_grad_()
    (x**3 - 4 * x + lab.torch.sin(x)).sum().backward()
    return lab.verdict([lab.compare("dy/dx", x.grad, 3 * plain**2 - 4 + plain.cos(), lab.limit)])


def scalar_by_vector(lab):
    """y = 2 x'x, and y = x'A x for a matrix that is not symmetric."""
    x, plain = lab.random(24)
    matrix, matrix_plain = lab.random(24, 24)
    x.requires_grad_()
    (2 * lab.torch.dot(x, x)).backward()
    simple = x.grad.clone()
    x.grad = None
    lab.torch.dot(x, lab.torch.mv(matrix, x)).backward()
    return lab.verdict(
        [
            lab.compare("d(2 x'x)/dx", simple, 4 * plain, lab.product_limit),
            lab.compare("d(x'Ax)/dx", x.grad, (matrix_plain + matrix_plain.t()).mv(plain), lab.product_limit),
        ]
    )


def vector_by_scalar(lab):
    """y(t) = (cos t, sin t, t^2, exp(t/2)): one derivative for each component."""
    torch, jacobian = lab.torch, lab.need("autograd.functional.jacobian")
    t, plain = lab.random(1)
    found = jacobian(lambda t: torch.cat([torch.cos(t), torch.sin(t), t**2, torch.exp(t / 2)]), t)
    expected = torch.stack([-plain.sin(), plain.cos(), 2 * plain, (plain / 2).exp() / 2])
    return lab.verdict([lab.compare("dy/dt", found, expected, lab.limit)])


def vector_by_vector(lab):
    """y = A x has the Jacobian A; softmax has diag(s) - s s'."""
    torch, jacobian = lab.torch, lab.need("autograd.functional.jacobian")
    matrix, matrix_plain = lab.random(5, 8)
    x, plain = lab.random(8)
    found = jacobian(lambda x: torch.mv(matrix, x), x)
    soft = jacobian(lambda x: torch.softmax(x, 0), x)
    s = plain.softmax(0)
    return lab.verdict(
        [
            lab.compare("d(Ax)/dx", found, matrix_plain, lab.product_limit),
            lab.compare("d softmax/dx", soft, torch.diag(s) - torch.outer(s, s), lab.limit),
        ]
    )


def matrix_by_scalar(lab):
    """Y(t) = t A + t^2 B: a matrix of derivatives."""
    jacobian = lab.need("autograd.functional.jacobian")
    t, plain = lab.random(1)
    a, a_plain = lab.random(4, 6)
    b, b_plain = lab.random(4, 6)
    found = jacobian(lambda t: t * a + t**2 * b, t)
    return lab.verdict([lab.compare("dY/dt", found[..., 0], a_plain + 2 * plain * b_plain, lab.limit)])


def matrix_by_vector(lab):
    """Y = x y' by x: a tensor of three ways, dY[i,j]/dx[k] = (i = k) y[j]."""
    torch, jacobian = lab.torch, lab.need("autograd.functional.jacobian")
    x, _ = lab.random(4)
    y, y_plain = lab.random(3)
    found = jacobian(lambda x: x[:, None] * y[None, :], x)
    expected = torch.eye(4, dtype=torch.float64)[:, None, :] * y_plain[None, :, None]
    return lab.verdict([lab.compare("dY/dx", found, expected, lab.limit)])


def chain(lab):
    """The Jacobian of a composition is the product of the Jacobians, and autograd's is that product."""
    torch, jacobian = lab.torch, lab.need("autograd.functional.jacobian")
    first, first_plain = lab.random(6, 5)
    second, second_plain = lab.random(4, 6)
    x, plain = lab.random(5)
    x, plain = x / 4, plain / 4  # where tanh is steep: at its ends 1 - tanh^2 is a difference of equal numbers
    found = jacobian(lambda x: torch.mv(second, torch.tanh(torch.mv(first, x))), x)
    inner = torch.diag(1 - first_plain.mv(plain).tanh() ** 2)
    comparisons = [lab.compare("dz/dx", found, second_plain @ inner @ first_plain, lab.product_limit)]
    w, w_plain = lab.random(5)
    target = (plain.dot(w_plain) - 1).float()  # one away from x'w: a difference of equal numbers is all rounding
    w.requires_grad_()
    (torch.dot(x, w) - target.to(lab.place)).pow(2).backward()
    expected = 2 * (plain.dot(w_plain) - target.double()) * plain
    slack = 1 + float(plain.norm() * w_plain.norm())
    comparisons.append(lab.compare("d(x'w - y)^2/dw", w.grad, expected, lab.product_limit * slack))
    return lab.verdict(comparisons)


def least_squares_gradient(lab):
    """The loss of linear regression, |X w - y|^2, has the gradient 2 X'(X w - y)."""
    torch = lab.torch
    data, data_plain = lab.random(64, 8)
    target, target_plain = lab.random(64)
    w, w_plain = lab.random(8)
    w.requires_grad_()
    (torch.mv(data, w) - target).pow(2).sum().backward()
    expected = 2 * data_plain.t().mv(data_plain.mv(w_plain) - target_plain)
    return lab.verdict([lab.compare("d|Xw - y|^2/dw", w.grad, expected, lab.product_limit)])


def by_differences(lab):
    """torch's own comparison of autograd with finite differences, in float64 on tiny shapes."""
    gradcheck = lab.need("autograd.gradcheck")
    torch, functional = lab.torch, lab.torch.nn.functional
    x = lab.random_double(3, 4).requires_grad_()
    w = lab.random_double(4, 2).requires_grad_()
    b = lab.random_double(2).requires_grad_()
    label = lab.labels(2, 3).to(lab.place)
    gradcheck(lambda x, w, b: functional.cross_entropy(torch.addmm(b, x, w), label), (x, w, b))
    return lab.held("cross-entropy of a linear layer, by data, weights and bias")


CHECKS = (
    ("derivative-scalar", "y = x^3 - 4x + sin x: dy/dx = 3x^2 - 4 + cos x", scalar_by_scalar),
    ("gradient", "d(2 x'x)/dx = 4x and d(x'Ax)/dx = (A + A')x", scalar_by_vector),
    ("vector-by-scalar", "y = (cos t, sin t, t^2, exp(t/2)): dy/dt, part by part", vector_by_scalar),
    ("jacobian", "d(Ax)/dx = A and d softmax(x)/dx = diag(s) - s s'", vector_by_vector),
    ("matrix-by-scalar", "Y = tA + t^2 B: dY/dt = A + 2tB", matrix_by_scalar),
    ("matrix-by-vector", "Y = x y': dY[i,j]/dx[k] = y[j] if i = k, else 0", matrix_by_vector),
    ("chain-rule", "z = B tanh(Ax): dz/dx = B diag(1 - tanh^2) A", chain),
    ("least-squares-gradient", "d|Xw - y|^2/dw = 2 X'(Xw - y)", least_squares_gradient),
    ("gradcheck", "autograd = (f(x + h) - f(x - h)) / 2h, in float64", by_differences),
)

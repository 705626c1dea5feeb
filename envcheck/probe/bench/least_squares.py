"""Least squares: the normal equations, the library's solver and gradient descent find the same w; and where they fail.

Matrices are built with known singular values, so that it is known how exact each way can be.
"""

ROWS, COLUMNS = 96, 8
CONDITION, GENTLE = 20.0, 5.0  # largest by smallest singular value of X; X'X has the square of it
LIMIT_SOLVER, LIMIT_NORMAL, LIMIT_DESCENT = 1e-4, 1e-3, 1e-3
STEPS = 400
RIDGE = 0.1


def design(lab, condition):
    """(X on the device, X and y in float64 on the CPU, y on the device) with singular values from 1 to 1/condition."""
    torch = lab.torch
    qr = torch.linalg.qr if hasattr(torch, "linalg") and hasattr(torch.linalg, "qr") else torch.qr
    left, _ = qr(torch.randn(ROWS, COLUMNS, generator=lab.generator, dtype=torch.float64))
    right, _ = qr(torch.randn(COLUMNS, COLUMNS, generator=lab.generator, dtype=torch.float64))
    exponents = torch.linspace(0, 1, COLUMNS, dtype=torch.float64)
    sizes = (1.0 / condition) ** exponents
    data = (left * sizes) @ right.t()
    truth = torch.randn(COLUMNS, generator=lab.generator, dtype=torch.float64)
    data = data.float()  # what the device is given is what the reference starts from
    target = (data.double() @ truth + 0.01 * torch.randn(ROWS, generator=lab.generator, dtype=torch.float64)).float()
    return data.to(lab.place), data.double(), target.to(lab.place), target.double()


def reference(data, target):
    """w in float64 by an orthogonal factorisation, which does not square the condition."""
    return data.pinverse() @ target


def three_ways(lab):
    """w = inv(X'X) X'y, and the library's least squares, against float64."""
    solve, lstsq = lab.need("linalg.solve", "linalg.lstsq")
    data, data_plain, target, target_plain = design(lab, CONDITION)
    expected = reference(data_plain, target_plain)
    normal = solve(data.t() @ data, data.t() @ target)
    solver, place = least_squares(lab, lstsq, data, target[:, None])
    # X'X is rounded like any product, and its condition is the square of X's.
    limit = max(LIMIT_NORMAL, lab.product_limit * CONDITION**2 if lab.product_class != "float32" else 0.0)
    steep, steep_plain, steep_target, steep_target_plain = design(lab, 3e3)
    spoilt = solve(steep.t() @ steep, steep.t() @ steep_target)
    off = lab.off(spoilt, reference(steep_plain, steep_target_plain))
    return lab.verdict(
        [
            lab.compare("inv(X'X) X'y", normal, expected, limit),
            lab.compare("lstsq" + place, solver[:, 0], expected, max(LIMIT_SOLVER, 10 * lab.product_limit)),
        ],
        "at condition 3000 the normal equations are off by %.2g: X'X squares it" % off,
    )


def least_squares(lab, lstsq, data, target):
    """(solution, where it was computed): some devices have no such solver, and torch has it on the CPU."""
    try:
        return lstsq(data, target)[0], ""
    except (NotImplementedError, RuntimeError) as error:
        if lab.device.is_host or "not implemented" not in str(error).lower():
            raise
        return lstsq(data.cpu(), target.cpu())[0], " on the CPU"


def descent(lab):
    """Gradient descent on |X w - y|^2/2 with the step 1/L arrives at the same w."""
    torch = lab.torch
    data, data_plain, target, target_plain = design(lab, GENTLE)
    w = torch.zeros(COLUMNS, device=lab.place)
    for _ in range(STEPS):  # the largest singular value is 1, so L = 1; each step removes 1/GENTLE^2 at least
        w = w - data.t() @ (data @ w - target)
    limit = max(LIMIT_DESCENT, lab.product_limit * GENTLE**2)
    expected = reference(data_plain, target_plain)
    return lab.verdict([lab.compare("w after %d steps" % STEPS, w, expected, limit)])


def singular(lab):
    """Two equal columns: X'X has no inverse, and of all solutions the pseudo-inverse gives the shortest."""
    torch = lab.torch
    solve, pinv, lstsq = lab.need("linalg.solve", "linalg.pinv", "linalg.lstsq")
    data, data_plain, target, target_plain = design(lab, GENTLE)
    data, data_plain = torch.cat([data, data[:, :1]], 1), torch.cat([data_plain, data_plain[:, :1]], 1)
    expected = data_plain.pinverse(1e-6) @ target_plain
    try:
        found = solve(data.t() @ data, data.t() @ target)
        size = float(lab.plain(found).norm() / expected.norm())
        said = "solve gave a solution %.3g times as long: X'X is singular but for rounding" % size
    except RuntimeError as error:  # torch.linalg.LinAlgError is one
        said = "solve refused: " + " ".join(str(error).split())[:120]
    shortest = on_device_or_cpu(lab, lambda x: pinv(x, rcond=1e-5), data) @ target
    limit = max(LIMIT_SOLVER, 10 * lab.product_limit * GENTLE)
    comparisons = [lab.compare("pinv(X) y", shortest, expected, limit)]
    if lab.device.is_host:
        solution = lstsq(data, target[:, None], rcond=1e-5, driver="gelsd")[0][:, 0]
        comparisons.append(lab.compare("lstsq (gelsd)", solution, expected, limit))
    else:
        said += "; lstsq on this device assumes full rank and is not asked"
    return lab.verdict(comparisons, said)


def on_device_or_cpu(lab, act, tensor):
    try:
        return act(tensor)
    except (NotImplementedError, RuntimeError) as error:
        if lab.device.is_host or "not implemented" not in str(error).lower():
            raise
        return act(tensor.cpu()).to(lab.place)


def ridge(lab):
    """(X'X + lambda I) w = X'y has one solution even where X'X has no inverse."""
    torch = lab.torch
    solve = lab.need("linalg.solve")
    data, data_plain, target, target_plain = design(lab, GENTLE)
    data, data_plain = torch.cat([data, data[:, :1]], 1), torch.cat([data_plain, data_plain[:, :1]], 1)
    eye = torch.eye(COLUMNS + 1, device=lab.place)
    found = solve(data.t() @ data + RIDGE * eye, data.t() @ target)
    eye_plain = torch.eye(COLUMNS + 1, dtype=torch.float64)
    expected = torch.linalg.solve(data_plain.t() @ data_plain + RIDGE * eye_plain, data_plain.t() @ target_plain)
    twins = float(abs(lab.plain(found)[0] - lab.plain(found)[-1]))
    limit = max(LIMIT_SOLVER, 20 * lab.product_limit)
    return lab.verdict(
        [lab.compare("w of ridge regression", found, expected, limit)],
        "the two equal columns share their weight: they differ by %.1g" % twins,
    )


CHECKS = (
    ("normal-equations", "w = inv(X'X) X'y = lstsq(X, y)", three_ways),
    ("gradient-descent", "w <- w - X'(Xw - y)/L arrives at inv(X'X) X'y", descent),
    ("singular-least-squares", "X'X singular: pinv(X) y is the shortest solution", singular),
    ("ridge", "w = inv(X'X + lambda I) X'y", ridge),
)

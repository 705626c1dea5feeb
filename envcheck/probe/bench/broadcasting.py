"""The broadcasting rules: which shapes fit, that stretching copies nothing, and what is said where they do not fit."""

from .lab import Lacking

ROUNDS = 40
MISFIT = "The size of tensor a (4) must match the size of tensor b (3) at non-singleton dimension 1"
MISFIT_IN_PLACE = "output with shape [3, 1] doesn't match the broadcast shape [3, 2]"


def joined(left, right):
    """The shape that two shapes broadcast to; None where they do not fit.  The rule itself, from the right."""
    out = []
    for place in range(max(len(left), len(right))):
        a = left[-1 - place] if place < len(left) else 1
        b = right[-1 - place] if place < len(right) else 1
        if a != b and a != 1 and b != 1:
            return None
        out.append(b if a == 1 else a)
    return out[::-1]


def random_pair(lab):
    """Two shapes that often fit: of one shape, each side has some sizes set to 1 or left out, a few are changed."""
    whole = [1 + lab.integer(4) for _ in range(1 + lab.integer(4))]
    sides = []
    for _ in range(2):
        side = [1 if lab.integer(3) == 0 else size for size in whole]
        side = [size + 1 if lab.integer(12) == 0 else size for size in side]
        sides.append(side[lab.integer(len(side)) :])
    return sides


def shapes(lab):
    """Random shapes through the rule and through torch, element by element."""
    fitted = refused = 0
    comparisons = []
    for _ in range(ROUNDS):
        left, right = random_pair(lab)
        expected = joined(left, right)
        a, a_plain = lab.random(*left)
        b, b_plain = lab.random(*right)
        try:
            found = a + b
        except RuntimeError:
            if expected is not None:
                return lab.broken("%s + %s was refused; it is %s" % (left, right, expected))
            refused += 1
            continue
        if expected is None:
            return lab.broken("%s + %s gave %s; it has to be refused" % (left, right, list(found.shape)))
        if list(found.shape) != expected:
            return lab.broken("%s + %s gave %s; it is %s" % (left, right, list(found.shape), expected))
        fitted += 1
        reference = a_plain.expand(expected) + b_plain.expand(expected)
        comparisons.append(lab.compare("%s + %s" % (left, right), found, reference, lab.limit))
    return lab.verdict(comparisons, "%d pairs of shapes fitted, %d were refused" % (fitted, refused))


def views(lab):
    """A stretched dimension has stride 0: the same memory is read again and again."""
    column, plain = lab.random(5, 1)
    stretched = column.expand(5, 7)
    if tuple(stretched.stride()) != (1, 0):
        return lab.broken("expand(5, 7) of a (5, 1) has the strides %s; they are (1, 0)" % (tuple(stretched.stride()),))
    if stretched.data_ptr() != column.data_ptr():
        return lab.broken("expand copied its operand")
    row, row_plain = lab.random(7)
    return lab.verdict(
        [
            lab.compare("expand", stretched, plain.expand(5, 7), 0.0),
            lab.compare("sum of the expanded", stretched + row.expand(5, 7), column + row, 0.0),
            lab.compare("sum", column + row, plain + row_plain, lab.limit),
        ]
    )


def errors(lab):
    """Shapes that do not fit raise, in the known words."""
    torch = lab.torch
    said = []
    for what, attempt in (
        ("(3, 4) + (3)", lambda: torch.ones(3, 4, device=lab.place) + torch.ones(3, device=lab.place)),
        (
            "(3, 1) += (1, 2)",
            lambda: torch.ones(3, 1, device=lab.place).add_(torch.ones(1, 2, device=lab.place)),
        ),
    ):
        try:
            attempt()
        except RuntimeError as error:
            said.append(" ".join(str(error).split()))
            continue
        return lab.broken("%s was computed; it has to be refused" % what)
    other = [text for text, known in zip(said, (MISFIT, MISFIT_IN_PLACE)) if known not in text]
    if other:
        return lab.held("refused, in other words than known: " + "; ".join(other))
    return lab.held("; ".join(said))


def outer(lab):
    """The outer sum of a column and a row, against float64."""
    column, column_plain = lab.random(257, 1)
    row, row_plain = lab.random(1, 129)
    batch, batch_plain = lab.random(3, 1, 5)
    other, other_plain = lab.random(7, 1)
    if not hasattr(lab.torch, "broadcast_tensors"):
        raise Lacking("this torch has no torch.broadcast_tensors")
    left, right = lab.torch.broadcast_tensors(column, row)
    return lab.verdict(
        [
            lab.compare("(257, 1) + (1, 129)", column + row, column_plain + row_plain, lab.limit),
            lab.compare("(3, 1, 5) * (7, 1)", batch * other, batch_plain * other_plain, lab.limit),
            lab.compare("broadcast_tensors", left + right, column_plain + row_plain, lab.limit),
        ]
    )


CHECKS = (
    ("broadcast-shapes", "from the right, two sizes fit if they are equal, or one is 1 or missing", shapes),
    ("broadcast-outer-sum", "z[i,j] = x[i] + y[j]: (n,1) + (1,m) = (n,m)", outer),
    ("broadcast-views", "x.expand(n,m) of an (n,1) has strides (1,0): no copy", views),
    ("broadcast-errors", "(3,4) + (3) and (3,1) += (1,2) are refused", errors),
)

"""How exact a product is, whether integers come out exactly, and whether the same work gives the same bits."""

import hashlib

DEPTH, SIDE = 4096, 64
CLASSES = (("float32", 3e-5), ("tf32", 1e-3), ("bfloat16", 7e-3))
"""Relative Frobenius error of a product of depth 4096 of normal numbers: it is of the first class that it is below.

Rounding both factors to 10 bits after the point gives about 3e-4, to 7 bits 2.4e-3, and cutting them off there two and
a half times as much; float32 itself about 1e-6.
"""
ALLOWED = {"highest": ("float32",), "high": ("float32", "tf32"), "medium": ("float32", "tf32", "bfloat16")}
REPEATS = 20


def precision_flag(torch):
    """torch.get_float32_matmul_precision(); the old flag's meaning where a torch has only that."""
    ask = getattr(torch, "get_float32_matmul_precision", None)
    if ask is not None:
        return ask()
    return "high" if torch.backends.cuda.matmul.allow_tf32 else "highest"


def product_precision(lab):
    """The class of a float32 product in fact, against the one that torch's flag promises.  Sets lab.product_class."""
    left, left_plain = lab.random(SIDE, DEPTH)
    right, right_plain = lab.random(DEPTH, SIDE)
    error = lab.off(left @ right, left_plain @ right_plain)
    lab.product_class = next((name for name, bound in CLASSES if error < bound), "worse")
    flag = precision_flag(lab.torch)
    allowed = ALLOWED.get(flag, ("float32",))
    bound = dict(CLASSES)[allowed[-1]]
    facts = {
        "error": error if error - error == 0 else None,
        "limit": bound,
        "wrong": None,
        "remark": "the product is of class %s, the flag says %s" % (lab.product_class, flag),
    }
    if lab.product_class == "worse":
        facts["wrong"] = "a float32 product is off by %.2g: less exact than any known format" % error
    elif lab.product_class not in allowed:
        bits = {"tf32": "10 bits, as TF32 has them", "bfloat16": "7 bits, as bfloat16 has them"}[lab.product_class]
        facts["wrong"] = "a float32 product is off by %.2g: its factors were rounded to %s, and the flag says %s" % (
            error,
            bits,
            flag,
        )
    return facts


def exact_integers(lab):
    """Products and sums of small integers are exact in float32, in TF32 and in any order: every bit counts."""
    torch = lab.torch
    left = torch.randint(-8, 9, (96, 128), generator=lab.generator)
    right = torch.randint(-8, 9, (128, 80), generator=lab.generator)
    column = torch.randint(-999, 1000, (96, 1), generator=lab.generator)
    row = torch.randint(-999, 1000, (80,), generator=lab.generator)
    placed = [tensor.float().to(lab.place) for tensor in (left, right, column, row)]
    for what, found, expected in (
        ("matrix product", placed[0] @ placed[1], left @ right),
        ("broadcast sum", placed[2] + placed[3], column + row),
        ("sum over a dimension", placed[0].sum(0), left.sum(0)),
    ):
        wrong = first_difference(lab, found, expected)
        if wrong is not None:
            return lab.broken("%s: %s" % (what, wrong))
    return lab.held("products of depth 128, sums, broadcast sums: bit by bit")


def first_difference(lab, found, expected):
    """The first element that is not the integer expected, and how many there are."""
    found, expected = lab.plain(found).flatten(), expected.double().flatten()
    places = (found != expected).nonzero().flatten().tolist()
    if not places:
        return None
    first = places[0]
    return "element %d is %.9g instead of %d (%d wrong of %d)" % (
        first,
        float(found[first]),
        int(expected[first]),
        len(places),
        expected.numel(),
    )


def repeatability(lab):
    """The same product twenty times: equal bits each time."""
    left, _ = lab.random(256, 384)
    right, _ = lab.random(384, 192)
    label = lab.labels(10, 256).to(lab.place)
    first = left @ right
    first_loss = lab.torch.nn.functional.cross_entropy(first, label)
    for n in range(1, REPEATS):
        again = left @ right
        differing = int((again != first).sum())
        if differing:
            return lab.broken("run %d of the same product differs in %d of %d elements" % (n, differing, first.numel()))
        loss = lab.torch.nn.functional.cross_entropy(again, label)
        if float(loss) != float(first_loss):
            return lab.broken("run %d of the same loss is %.9g after %.9g" % (n, float(loss), float(first_loss)))
    return lab.held("%d times the same bits" % REPEATS)


def checksum(lab):
    """SHA-256 of the bits of one product of fixed inputs, the same on every device of one model and torch."""
    torch = lab.torch
    generator = torch.Generator()
    generator.manual_seed(20)
    left = torch.randn(512, 512, generator=generator).to(lab.place)
    right = torch.randn(512, 512, generator=generator).to(lab.place)
    numbers = (left @ right).cpu().flatten().view(torch.int32).tolist()
    return hashlib.sha256(",".join(map(str, numbers)).encode("ascii")).hexdigest()[:16]


CHECKS = (("product-precision", "a float32 product of depth 4096 against float64", product_precision),)
LATER = (
    ("exact-integers", "integer products and sums, exact to the last bit", exact_integers),
    ("repeatability", "the same product %d times: the same bits" % REPEATS, repeatability),
)

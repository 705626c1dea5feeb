"""Where numbers are checked: random inputs of known seed, references in float64 on the CPU, errors and limits.

A check is a function of the lab.  It returns what :meth:`Lab.verdict` makes of its comparisons; it raises
:class:`Lacking` where this device or this torch has not what it needs.
"""

import time

from ..answer import unread
from .clock import refusal

FLOAT32, DOUBLE = 1e-5, 1e-12
PRODUCT_LIMITS = {"float32": FLOAT32, "tf32": 2e-3, "bfloat16": 2e-2, "worse": FLOAT32}
"""Relative Frobenius error that a result may have whose matrix products are of that class."""


class Lacking(Exception):
    """The device or the torch lacks what a check needs.  The message says what."""


class Comparison(object):
    """One comparison: what, by how much it is off, how much it may be."""

    def __init__(self, what, error, limit):
        self.what, self.error, self.limit = what, error, limit

    @property
    def finite(self):
        return self.error - self.error == 0

    @property
    def held(self):
        return self.finite and self.error <= self.limit

    @property
    def weight(self):
        """How near to its limit; a number that is none is farther than any."""
        if not self.finite:
            return float("inf")
        return self.error / self.limit if self.limit else float(self.error > 0) * 1e300


class Lab(object):
    """One device under examination."""

    def __init__(self, device, seed):
        self.device, self.torch, self.place = device, device.torch, device.name
        self.double = device.has_double()
        self.product_class = "float32"  # until it is measured, which is the first thing that is
        self.generator = self.torch.Generator()
        self.generator.manual_seed(seed)

    # -- inputs ----------------------------------------------------------------------------------------

    def random(self, *shape):
        """(float32 tensor on the device, the same numbers in float64 on the CPU)"""
        numbers = self.torch.randn(*shape, generator=self.generator)
        return numbers.to(self.place), numbers.double()

    def random_double(self, *shape):
        """float64 on the device.  Raises :class:`Lacking` where it has none."""
        self.need_double()
        return self.torch.randn(*shape, generator=self.generator, dtype=self.torch.float64).to(self.place)

    def integer(self, below):
        return int(self.torch.randint(below, (1,), generator=self.generator))

    def labels(self, classes, n):
        return self.torch.randint(classes, (n,), generator=self.generator)

    def need_double(self):
        if not self.double:
            raise Lacking("%s has no float64" % self.place)

    def need(self, *names):
        """Functions of torch, by dotted name.  Raises :class:`Lacking` for one that this torch does not have."""
        found = []
        for name in names:
            here = self.torch
            for part in name.split("."):
                here = getattr(here, part, None)
            if here is None:
                raise Lacking("this torch has no torch.%s" % name)
            found.append(here)
        return found[0] if len(found) == 1 else found

    # -- outputs ---------------------------------------------------------------------------------------

    def plain(self, tensor):
        """The numbers in float64 on the CPU."""
        return tensor.detach().cpu().double()

    def off(self, found, expected):
        """Relative Frobenius error: |found - expected| / |expected|; infinite where the shapes differ."""
        found, expected = self.plain(found), self.plain(expected)
        if found.shape != expected.shape:
            return float("inf")
        size = float(expected.norm())
        error = float((found - expected).norm())
        return error / size if size else error

    @property
    def limit(self):
        """What a float32 result without matrix products may be off."""
        return FLOAT32

    @property
    def product_limit(self):
        return PRODUCT_LIMITS[self.product_class]

    def compare(self, what, found, expected, limit):
        return Comparison(what, self.off(found, expected), limit)

    def verdict(self, comparisons, remark=""):
        """The facts of a check, from the comparison that comes nearest to its limit."""
        worst = max(comparisons, key=lambda comparison: comparison.weight)
        wrong = None
        if not worst.finite:
            wrong = "%s: not a finite number, or not the shape expected" % worst.what
        elif not worst.held:
            wrong = "%s: off by %.2g, at most %.2g is allowed" % (worst.what, worst.error, worst.limit)
        return {
            "error": worst.error if worst.finite else None,
            "limit": worst.limit,
            "wrong": wrong,
            "remark": remark,
        }

    @staticmethod
    def held(remark=""):
        """The facts of a check that has no size: a shape, a text."""
        return {"error": None, "limit": None, "wrong": None, "remark": remark}

    @staticmethod
    def broken(wrong, remark=""):
        return {"error": None, "limit": None, "wrong": wrong, "remark": remark}


def pending(name, formula):
    """The record of a check that has not come to its end.  Why it never did is the reader's to say."""
    why = unread("not_asked")
    return {
        "id": name,
        "formula": formula,
        "error": why,
        "limit": why,
        "wrong": why,
        "unavailable": why,
        "remark": "",
        "seconds": 0.0,
    }


def perform(record, check, lab):
    """Fill the record of one check.  Whatever it raises is its own answer, and costs the others nothing."""
    begun = time.perf_counter()
    try:
        facts = check(lab)
        lab.device.synchronize()
        record.update(facts, unavailable=None)
    except (Lacking, NotImplementedError) as lack:
        lacking(record, " ".join(str(lack).split())[:300])
    except Exception as error:
        words = refusal(error)
        if "out of memory" in words.lower():
            lacking(record, words)
        else:  # a device that answers a plain question with an error does not compute it
            record.update(Lab.broken("it raised " + words), unavailable=None)
    record["seconds"] = round(time.perf_counter() - begun, 4)


def lacking(record, words):
    why = unread("unsupported", words)
    record.update(error=why, limit=why, wrong=why, unavailable=words)

"""Task ``bench``: does this device compute, rightly, and how fast?  In the user's own torch, numbers before speed.

One code path for cuda, cpu, mps and xpu.  The answer is written after every check and every group of timings, so a
device that dies half way leaves what it had shown.  Progress goes to standard error, a line a step, each beginning
with :data:`MARK`.

Options: ``device=auto|cpu|cuda[:N]|mps|xpu[:N]``; ``quick=1``; ``seconds=S`` is the time that it aims at; ``seed=N``;
``scratch=DIR`` is a folder that torch.compile may write to.
"""

import os
import sys
import time

from ..answer import BadCall, excuse, unread
from ..torch_runtime import spoken

OPTIONS = ("device", "quick", "seconds", "seed", "scratch")
FACTS = (
    "device",
    "backend",
    "trouble",
    "torch",
    "cuda",
    "hip",
    "import_s",
    "name",
    "uuid",
    "bus_id",
    "siblings",
    "compute_capability",
    "multiprocessors",
    "memory_total_bytes",
    "memory_free_bytes",
    "cache_bytes",
    "threads",
    "processors",
    "precision",
    "touched_at_s",
    "product_class",
    "checksum",
    "checks",
    "timings",
)
MARK = "envcheck-bench: "
SETTLE_S = 1.5
DEFAULT_S = {True: 9.0, False: 70.0}


def run(call):
    answer, begun = call.answer, time.time()
    wanted = call.option("device", "auto")
    quick = call.option("quick", "0") == "1"
    try:
        seconds = float(call.option("seconds", DEFAULT_S[quick]))
        seed = int(call.option("seed", "0")) or int.from_bytes(os.urandom(4), "big")
    except ValueError as error:
        raise BadCall(str(error))
    answer.put(quick=quick, seed=seed, python="%d.%d.%d" % sys.version_info[:3])
    progress("pid %d" % os.getpid())
    answer.write()
    sys.path[:] = call.user_path
    sys.argv[:] = ["-c"]
    torch = load(answer, begun)
    if torch is not None:
        Session(answer, torch, quick, begun + seconds, seed, call.option("scratch")).run(wanted)
    answer.put(seconds=round(time.time() - begun, 3))
    answer.write()


def progress(words):
    """One line for the parent.  Nobody has to read it."""
    if sys.stderr is not None:
        sys.stderr.write("%s%s\n" % (MARK, words))
        sys.stderr.flush()


def load(answer, begun):
    """Import torch; None where that fails, with the error's own words as the device's trouble."""
    progress("import torch")
    try:
        import torch
    except BaseException as error:  # some extensions raise SystemExit
        answer.put(trouble=spoken(error))
        answer.excuse_all(FACTS, unread("missing", "torch could not be imported"))
        return None
    version = getattr(torch, "version", None)
    answer.put(
        torch=str(torch.__version__),
        cuda=getattr(version, "cuda", None),
        hip=getattr(version, "hip", None),
        import_s=round(time.time() - begun, 3),
    )
    answer.write()
    return torch


def settle(device):
    """Let the threads of a processor find their places, before anything is timed or a second is lost in waiting."""
    from .clock import Member, Sampler, Stop

    if device.is_host:
        square = device.torch.ones(512, 512)
        sampler = Sampler(device, Stop(), warm_s=0.05, longest_warm_s=SETTLE_S)
        member = Member("settle", lambda: device.torch.mm(square, square), ())
        member.record["unavailable"] = None
        sampler.warm([member], SETTLE_S)


class Session(object):
    """One device, from its identity to its last timing."""

    def __init__(self, answer, torch, quick, until, seed, scratch):
        self.answer, self.torch, self.quick, self.until = answer, torch, quick, until
        self.seed, self.scratch = seed, scratch
        self.step, self.steps = 0, 1

    def run(self, wanted):
        from .device import Unusable, choose

        torch, answer = self.torch, self.answer
        try:
            device = choose(torch, wanted)
            answer.put(touched_at_s=round(time.time(), 3))
            device.select()
        except Unusable as error:
            return self.give_up(wanted, str(error))
        except Exception as error:
            return self.give_up(wanted, spoken(error))
        answer.put(device=device.name, backend=device.backend)
        answer.write()
        torch.manual_seed(self.seed)
        try:
            answer.put(**device.identity())
            device.synchronize()
        except Exception as error:
            return self.give_up(device.name, spoken(error))
        answer.put(trouble=None, threads=torch.get_num_threads(), processors=self.processors())
        self.saved("device " + device.name)
        settle(device)
        self.numbers(device)
        self.speed(device)

    @staticmethod
    def processors():
        from .host import processors

        return processors()

    def give_up(self, name, words):
        """The device cannot be used: every fact that it owes says so."""
        self.answer.put(device=name, trouble=words)
        self.answer.excuse_all(FACTS, unread("missing", words))

    def saved(self, words, step=None, steps=None):
        if step is not None:
            self.step, self.steps = step, steps
        progress("%d/%d %s" % (self.step, self.steps, words))
        self.answer.write()

    # -- numbers ---------------------------------------------------------------------------------------

    def numbers(self, device):
        from . import numerics, precision
        from .lab import Lab

        answer, records = self.answer, []
        answer.put(checks=records)
        answer.stage("precision", precision.precision_flag, self.torch)
        try:
            lab = Lab(device, self.seed)
        except Exception as error:
            answer.put(checks=excuse(error))
            return
        numerics.run(lab, records, self.saved)
        measured = isinstance(records[0]["unavailable"], type(None))
        answer.put(product_class=lab.product_class if measured else records[0]["unavailable"])
        answer.stage("checksum", precision.checksum, lab)
        answer.write()

    # -- speed -----------------------------------------------------------------------------------------

    def speed(self, device):
        from .plan import Plan

        try:
            device.try_events()
            plan = Plan(device, self.quick, self.scratch)
        except Exception as error:  # a device that was lost since
            self.answer.put(timings=excuse(error))
            return
        timings, wrong = [], []
        self.answer.put(timings=timings)
        outputs = self.answer.facts["checks"][-1] if isinstance(self.answer.facts["checks"], list) else None
        for place, (name, _) in enumerate(plan.groups):
            self.saved("speed: " + name, place, len(plan.groups))
            plan.measure(place, timings, wrong, self.until, self.answer.write)
        if outputs is not None:
            words = wrong[0] + (" (and %d more)" % (len(wrong) - 1) if len(wrong) > 1 else "") if wrong else None
            outputs.update(error=None, limit=None, wrong=words, unavailable=None)

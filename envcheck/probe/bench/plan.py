"""What is measured on a device, in which order, and how long each group may take."""

import gc
import signal
import time

from . import softmax, workloads
from .clock import Sampler, Stop, absent, refusal

LEAST_S, LEAST_QUICK_S = 3.0, 0.4  # seconds that a group gets even when time is short
MOST_S, MOST_QUICK_S = 15.0, 1.2
JUDGED = 3  # groups that are measured however late it is: without them there is no verdict
COMPILE_S = 45.0  # torch.compile is not begun with less time left: it cannot be stopped half way everywhere


class Plan(object):
    """Groups of workloads, the cheap ones first; ``groups`` holds (name, function that builds it).

    What is judged comes twice, some seconds apart: a spell of a few seconds in which the machine did something else is
    not taken for its speed then.
    """

    def __init__(self, device, quick, scratch):
        self.device, self.quick, self.scratch = device, quick, scratch
        self.visited = {}  # name of a group that was measured → its records
        if quick:
            stop = Stop(least_s=0.1, most_s=3.0, most=200)
            self.sampler = Sampler(device, stop, warm_s=0.05 if device.is_host else 0.5, longest_warm_s=2.0)
        else:
            stop = Stop(most_s=MOST_S)
            self.sampler = Sampler(device, stop, warm_s=0.2 if device.is_host else 0.5, longest_warm_s=5.0)
        self.groups = self.list_groups()

    def list_groups(self):
        """Those whose figures are judged come first: what is left out for lack of time is what matters least."""
        device, quick = self.device, self.quick
        sizes = workloads.memory_sizes(device, quick)
        large = softmax.large_shape(device, quick)
        plain = ("eager", "closed-form", "cuda-graph")

        def memory(size):
            return "memory %d MiB" % (size // workloads.MIB), lambda: (workloads.memory(device, size), [])

        def product(label):
            return "matmul " + label, lambda: workloads.product_group(device, label)

        groups = [product("float32")]
        groups += [memory(size) for size in sizes if size > workloads.MIB]
        groups += [
            ("step large", lambda: softmax.group(device, "large", large, plain)),
            ("step course", lambda: softmax.group(device, "course", softmax.COURSE, plain)),
            ("transfers", lambda: workloads.transfers(device, quick)),
            memory(workloads.MIB),
        ]
        judged = [group for group in groups if group[0] not in ("transfers", "memory 1 MiB")]
        labels = ("tf32", "bfloat16") if quick else ("tf32", "bfloat16", "float16", "float64")
        groups += [product(label) for label in labels]
        groups += judged
        groups.append(("compile course", lambda: self.compiled("course", softmax.COURSE)))
        if not quick:
            groups.append(("compile large", lambda: self.compiled("large", large)))
        return groups

    def compiled(self, label, shape):
        if self.quick:
            return [], [absent("step", "left out with --quick", variant="compile", size=label, shape=shape)]
        return softmax.group(self.device, label, shape, ("compile",), self.scratch)

    # -- measuring -------------------------------------------------------------------------------------

    def measure(self, place, timings, wrong, until, save):
        """Measure one group: its records go to ``timings``, what it computed wrongly to ``wrong``, in words.

        ``until`` is the moment (time.time) at which all should be over; ``save`` is called when there is news.
        """
        name, build = self.groups[place]
        left = until - time.time()
        compiling = name.startswith("compile") and not self.quick
        free_of_charge = place < JUDGED or (self.quick and name.startswith("compile"))
        again = self.visited.get(name)
        if left <= (COMPILE_S / 2 if compiling else 0.0) and not free_of_charge:
            timings.extend([] if again else [left_out(name, "no time was left for it")])
            return
        try:
            members, missing = build()
        except Exception as error:
            if not again:
                timings.append(left_out(name, refusal(error)))
                return
            members, missing = [], [dict(record, unavailable=refusal(error)) for record in again.values()]
        if again:
            members = resumed(members, missing, again)
        else:
            timings.extend(member.record for member in members)
            timings.extend(missing)
            self.visited[name] = {named(member.record): member.record for member in members}
        save()
        seconds = self.share(place, left)
        with Alarm(left if compiling else 0):
            self.sampler.run(name, members, seconds, save)
        self.check(members, wrong)
        del members
        gc.collect()
        self.release()

    def share(self, place, left):
        """Seconds for this group: an equal part of what is left, less what the compilations at the end will need."""
        open_groups = [name for name, _ in self.groups[place:]]
        plain = [name for name in open_groups if not name.startswith("compile")] or open_groups
        reserve = COMPILE_S if len(plain) < len(open_groups) and not self.quick else 0.0
        low, high = (LEAST_QUICK_S, MOST_QUICK_S) if self.quick else (LEAST_S, MOST_S)
        if open_groups[0].startswith("compile"):
            high = LEAST_S  # most of its time goes into compiling
        return max(low, min(high, (left - reserve) / len(plain)))

    def check(self, members, wrong):
        """What the timed workloads wrote, compared once with the reference."""
        for member in members:
            if member.check is None or isinstance(member.record["unavailable"], str):
                continue
            try:
                words = member.check()
            except Exception as error:
                words = "its check raised " + refusal(error)
            if words is not None:
                record = member.record
                wrong.append("%s %s %s: %s" % (record["workload"], record["size"], record["dtype"], words))

    def release(self):
        """Give the memory back before the next group asks for its own."""
        empty = getattr(self.device.module, "empty_cache", None)
        if empty is None:
            return
        try:
            empty()
        except Exception:
            return  # a device that was lost says so in the next group, which needs it


def named(record):
    """What tells a record from the others of its group."""
    return record["workload"], record["variant"]


def resumed(members, missing, records):
    """Those members that have samples already, each going on with its record; the missing ones' say why they do not."""
    found = []
    for member in members:
        record = records.get(named(member.record))
        if record is not None and isinstance(record["samples_s"], list):
            member.resume(record)
            found.append(member)
    for record in missing:
        if named(record) in records:
            records[named(record)]["stopped_by"] = record["unavailable"]
    return found


def left_out(name, why):
    """The record that stands for a whole group which was not measured."""
    kind, _, rest = name.partition(" ")
    workload = {"memory": "broadcast", "transfers": "host-to-device", "compile": "step"}.get(kind, kind)
    variant = "compile" if kind == "compile" else ""
    if kind == "matmul":
        return absent(workload, why, dtype=rest)
    return absent(workload, why, variant=variant, size=rest)


class TimeUp(Exception):
    """A compilation took longer than there was time for."""


class Alarm(object):
    """Raises :class:`TimeUp` in the body after so many seconds, where the system has such an alarm (0: never)."""

    def __init__(self, seconds):
        self.seconds = seconds if hasattr(signal, "setitimer") else 0

    def __enter__(self):
        if self.seconds > 0:
            self.before = signal.signal(signal.SIGALRM, self.ring)
            signal.setitimer(signal.ITIMER_REAL, self.seconds)
        return self

    def ring(self, number, frame):
        raise TimeUp("it took longer than the %.0f s that were left" % self.seconds)

    def __exit__(self, *_):
        if self.seconds > 0:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, self.before)

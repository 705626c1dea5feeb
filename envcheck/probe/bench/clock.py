"""Sampling: warm up until nothing moves, then measure the members of a group in turns until enough is known."""

import time

from ..answer import unread
from . import host

SHORTEST_EVENT_S, SHORTEST_HOST_S = 200e-6, 1e-3  # a sample must last so long for its clock to be trusted
MOST_REPEATS = 1000
STEADY = 0.05  # step times of a warm-up that differ by less than this have stopped moving
HOST_SAMPLES, MOST_HOST_S = 20, 1.0
CALM_S = 0.04
DISTURBED = 0.05  # of a sample's time; a sample whose threads waited longer for a processor does not count as clean


class Stop(object):
    """When enough samples of one workload were taken.

    ``precise``: the 95 % interval of the median is narrower than this share of it; never before ``least`` samples and
    ``least_s`` seconds.  ``most_s`` seconds or ``most`` samples end it in any case.
    """

    def __init__(self, precise=0.01, least=10, least_s=0.3, most_s=3.0, most=400):
        self.precise, self.least, self.least_s, self.most_s, self.most = precise, least, least_s, most_s, most

    def reason(self, samples, spent_s):
        """Which rule is met: precise, time or count; None while more is wanted.  ``samples`` are undisturbed ones."""
        if len(samples) >= self.most:
            return "count"
        if spent_s >= self.most_s:
            return "time"
        if len(samples) >= self.least and spent_s >= self.least_s:
            low, middle, high = interval(samples)
            if high - low < self.precise * middle:
                return "precise"
        return None


def interval(samples):
    """(low, median, high): order statistics that hold the median with a chance of 95 % (normal approximation)."""
    ranked, n = sorted(samples), len(samples)
    off = int(n / 2.0 - 0.98 * n**0.5)
    low = max(0, min(off, n - 1))
    middle = (ranked[(n - 1) // 2] + ranked[n // 2]) / 2.0
    return ranked[low], middle, ranked[n - 1 - low]


class Budget(object):
    """Seconds that the whole benchmark may take, shared out among what is still to do."""

    def __init__(self, seconds):
        self.until = time.monotonic() + seconds

    def left(self):
        return max(0.0, self.until - time.monotonic())


class Member(object):
    """One workload in one variant at one size, while it is measured."""

    def __init__(self, workload, step, shape, variant="", size="", dtype="float32", cold=False, clock=None, check=None):
        self.step, self.cold, self.check = step, cold, check
        self.force_host = clock == "host"
        self.samples, self.began, self.waits, self.clean = [], [], [], []
        self.spent, self.reason = 0.0, None
        self.again = False  # measured before: what comes now joins what is there
        self.host_share = 0.0  # seconds that the host needs to enqueue a step
        self.estimate = 0.0  # seconds a step, from the warm-up
        why = unread("not_asked")  # where it stays like this, the reader says what became of the process
        self.record = {
            "workload": workload,
            "variant": variant,
            "size": size,
            "dtype": dtype,
            "shape": list(shape),
            "cold": cold,
            "unavailable": why,
        }
        for fact in (
            "samples_s",
            "at_s",
            "waits_s",
            "host_samples_s",
            "first_call_s",
            "warmup_s",
            "settled",
            "stopped_by",
        ):
            self.record[fact] = why

    @property
    def open(self):
        """Is it still being measured?"""
        return self.reason is None and not isinstance(self.record["unavailable"], str)

    def resume(self, record):
        """Go on with a record whose samples were taken some seconds earlier, in the same unit of steps."""
        self.record, self.again = record, True

    def refuse(self, why):
        """It cannot be measured here.  What had been measured before stays, with the reason why nothing joined it."""
        if self.again:
            self.reason = self.record["stopped_by"] = why
            return
        self.record["unavailable"] = why
        for fact, value in self.record.items():
            if isinstance(value, dict):
                self.record[fact] = unread("unsupported", why)


def absent(workload, why, **more):
    """The record of a workload that this device does not have."""
    member = Member(workload, None, more.pop("shape", ()), **more)
    member.refuse(why)
    return member.record


def refusal(error):
    return "%s: %s" % (type(error).__name__, " ".join(str(error).split())[:300])


class Sampler(object):
    """Measures groups of members on one device."""

    def __init__(self, device, stop, warm_s, longest_warm_s, precise_clock=time.perf_counter):
        self.device, self.stop = device, stop
        self.warm_s, self.longest_warm_s = warm_s, longest_warm_s
        self.clock = precise_clock

    def run(self, group, members, seconds, saved):
        """Measure the members in turns for at most ``seconds``; ``saved`` is called when there is news."""
        for member in members:
            events = self.device.has_events and not member.force_host
            if not member.again:
                member.record.update(group=group, clock="events" if events else "host")
            self.first(member)
        self.warm(members, min(self.longest_warm_s, seconds / 4.0))
        for member in members:
            if not member.again:
                self.guarded(member, self.calibrate)
        self.sample(members, seconds)
        for member in members:
            self.close(member)
        saved()

    def guarded(self, member, act):
        """Let one member do something; what it raises makes it unavailable and costs the others nothing."""
        if member.open:
            try:
                return act(member)
            except Exception as error:
                member.refuse(refusal(error))
        return None

    def first(self, member):
        """The first call: context, lazy loading, compilation.  Timed apart, and its result checked."""
        try:
            self.device.synchronize()  # a device that was lost in the last group says so here
            begun = self.clock()
            member.step()
            self.device.synchronize()
        except Exception as error:
            member.refuse(refusal(error))
            return
        if not member.again:
            member.record["first_call_s"] = self.clock() - begun
            member.record["unavailable"] = None

    def warm(self, members, longest):
        """Run everything until the times stop moving and no thread waits; at least ``warm_s``, at most ``longest``."""
        begun, calm = self.clock(), self.calm()
        recent = {id(member): [] for member in members}
        while True:
            for member in members:
                taken = self.guarded(member, self.host_time)
                if taken is not None:
                    recent[id(member)].append(taken)
            warm = self.clock() - begun
            steady = [m for m in members if not m.open or is_steady(recent[id(m)])]
            done = calm(warm) and warm >= self.warm_s and len(steady) == len(members)
            if done or warm >= longest or not any(member.open for member in members):
                break
        for member in members:
            if member.open:
                times = recent[id(member)]
                if not member.again:
                    member.record.update(warmup_s=warm, settled=is_steady(times))
                member.estimate = sorted(times)[len(times) // 2]

    def calm(self):
        """A function of the clock that tells whether threads have stopped waiting for processors.

        A program that starts may find all its threads on one processor, where each waits for the other until the
        system has moved them apart: that is no figure of the machine.
        """
        if not self.device.is_host:
            return lambda now: True
        last = [0.0, host.waited_s(), False]

        def ask(now):
            if now - last[0] >= CALM_S:
                waited = host.waited_s()
                quiet = waited is None or last[1] is None or waited - last[1] <= DISTURBED * (now - last[0])
                last[:] = [now, waited, quiet]
            return last[2]

        return ask

    def host_time(self, member):
        """Wall time of one step, the device waited for."""
        begun = self.clock()
        member.step()
        queued = self.clock()
        self.device.synchronize()
        member.host_share = queued - begun
        return self.clock() - begun

    def calibrate(self, member):
        """How many steps make a sample long enough for the clock.  Cold samples are one step: the next is not cold."""
        events = member.record["clock"] == "events"
        shortest = SHORTEST_EVENT_S if events else SHORTEST_HOST_S
        step = member.estimate
        if events and not member.cold and step < MOST_REPEATS * shortest:
            step = self.by_events(member, 1)  # what the device works, not what the host needs to ask for it
        if not member.cold and step < shortest:
            member.record["repeats"] = int(min(MOST_REPEATS, shortest / max(step, 1e-9) + 1))
        else:
            member.record["repeats"] = 1

    def sample(self, members, seconds):
        """One sample of each open member after the other, until all have enough."""
        begun = self.clock()
        while True:
            for member in members:
                self.guarded(member, self.take)
            spent = self.clock() - begun
            for member in members:
                if member.open and spent >= seconds and member.samples:
                    member.reason = "time"
            if not any(member.open for member in members):
                break
        for member in members:
            member.record["stopped_by"] = member.reason or member.record["stopped_by"]

    def take(self, member):
        """One sample: the caches overwritten before it where it is cold, and outside of what is timed."""
        if member.cold:
            self.device.flush()
        self.device.synchronize()
        began, repeats = time.time(), member.record["repeats"]
        waited = host.waited_s() if self.device.is_host else None
        start = self.clock()
        if member.record["clock"] == "events":
            taken = self.by_events(member, repeats)
        else:
            taken = self.by_host(member, repeats)
        member.spent += self.clock() - start
        member.samples.append(taken / repeats)
        member.began.append(round(began, 4))
        waited = max(0.0, host.waited_s() - waited) if waited is not None else None
        member.waits.append(None if waited is None else waited / repeats)
        if waited is None or waited <= DISTURBED * taken:
            member.clean.append(taken / repeats)
        member.reason = self.stop.reason(member.clean, member.spent)

    def by_host(self, member, repeats):
        start = self.clock()
        for _ in range(repeats):
            member.step()
        self.device.synchronize()
        return self.clock() - start

    def by_events(self, member, repeats):
        """The device's own time.  It spins first, so that the queue is full when the first event comes."""
        first, last = self.device.event(), self.device.event()
        self.device.spin(2.0 * member.host_share * repeats + 100e-6)
        first.record()
        for _ in range(repeats):
            member.step()
        last.record()
        self.device.synchronize()
        return first.elapsed_time(last) / 1e3

    def close(self, member):
        """Write down what is known."""
        if not member.samples:
            return
        record = member.record
        samples = [float("%.6g" % sample) for sample in member.samples]
        waits = [float("%.3g" % wait) for wait in member.waits] if None not in member.waits else None
        if member.again:
            record["samples_s"] += samples
            record["at_s"] += member.began
            record["waits_s"] = record["waits_s"] + waits if record["waits_s"] and waits else None
            return
        record.update(samples_s=samples, at_s=member.began, waits_s=waits)
        if isinstance(record["host_samples_s"], dict) and record["clock"] == "host":
            record["host_samples_s"] = None
        elif record["clock"] == "events":
            record["host_samples_s"] = self.host_samples(member)

    def host_samples(self, member):
        """Seconds a step of a loop as programs have it: nothing fills the queue before, and the end is waited for."""
        repeats, found = member.record["repeats"], []
        begun = self.clock()
        try:
            while len(found) < HOST_SAMPLES and (not found or self.clock() - begun < MOST_HOST_S):
                self.device.synchronize()
                found.append(float("%.6g" % (self.by_host(member, repeats) / repeats)))
        except Exception as error:
            return unread("crashed", refusal(error))
        return found


def is_steady(times):
    """Have the last three step times stopped moving?"""
    last = times[-3:]
    return len(last) == 3 and max(last) - min(last) <= STEADY * min(last)

"""One look at this machine: every collector side by side, assembled into a Snapshot."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import msgspec

from envcheck import __version__
from envcheck.facts import (
    NOT_ASKED,
    CollectorRun,
    Devices,
    Driver,
    Fact,
    Interpreter,
    Nvml,
    Smi,
    Snapshot,
    Symptom,
    Target,
    TorchRuntime,
    Unread,
    make,
)

from . import children, process
from .answers import fill
from .interpreters import Others, ask_target, find_others, has_torch_folder
from .options import Options
from .pool import Pool, Task
from .pythons import BadTarget, Choice, Found, choose_target, find_interpreters, own_environment
from .shell import inherit
from .system.root import Root, printable

T = TypeVar("T")

MARGIN_S = 0.8
"""Kept back from the common deadline, so that a child that ignores SIGTERM is dead before it strikes."""


def snapshot_here(options: Options | None = None, watch: Callable[[CollectorRun], None] | None = None) -> Snapshot:
    """Look at this machine for at most ``options.deadline_s`` seconds.

    ``watch`` is told of every collector as it ends, in the calling thread.  Raises :class:`BadTarget` where
    ``options.python`` or ``options.env`` names no environment; whatever else goes wrong is in the snapshot.
    """
    options = options or Options()
    pool = Pool(options.deadline_s)
    try:
        look = _Look(options, pool)
        return look.assemble(pool.gather(watch))
    finally:  # after an interrupt too: no child outlives the look
        pool.close()
        process.kill_all()


class _Look:
    """The collectors of one snapshot, started in the order of how long they may take."""

    def __init__(self, options: Options, pool: Pool) -> None:
        self.options = options
        self.quick = quick = options.depth == "quick"
        self.pool = pool
        self.shell = shell = inherit(options.environ, options.platform, options.root)
        root = Root(options.root)

        self.nvml = pool.start("nvml", self.ask_nvml, root)
        self.cuda = pool.start("cuda", self.within, children.ask_cuda, shell, 30.0)
        self.choice = self.choose()
        self.interpreter: Task[Interpreter] | None = None
        self.runtime: Task[TorchRuntime | Unread | None] | None = None
        target = self.choice.executable
        if target is None:
            pool.skip("interpreter", "no Python was found")
            pool.skip("torch", "no Python was found")
        else:
            self.interpreter = pool.start("interpreter", self.within, self.ask_target, target, 30.0)
            if not quick:
                self.runtime = pool.start("torch", self.ask_torch, target)
        self.start_quick_ones(root)

    def start_quick_ones(self, root: Root) -> None:
        """The collectors that read files, and programs that answer at once."""
        # Imported here: meanwhile the children that take longest are already at work.
        from .environment import collect_environment
        from .jupyter import collect_jupyter
        from .smi import collect_smi
        from .system.container import collect_container
        from .system.devices import collect_devices
        from .system.driver import collect_driver
        from .system.host import collect_host
        from .system.kernel_log import collect_kernel_log
        from .system.toolkit import collect_toolkit

        pool, shell, target = self.pool, self.shell, self.choice.executable
        where = (root, shell.platform, shell.environ)
        self.smi = pool.start("nvidia-smi", self.within, collect_smi, shell, 10.0 if self.quick else 30.0)
        self.unmasked = pool.start("cuda without mask", self.within, children.ask_cuda_unmasked, shell, 30.0)
        self.nodes = pool.start("device nodes", self.within, children.ask_nodes, shell, root, 10.0)
        self.toolkit = pool.start("toolkit", collect_toolkit, *where, deadline_s=15.0)
        self.kernel_log = pool.start("kernel log", collect_kernel_log, *where, deadline_s=15.0)
        self.driver = pool.start("driver", collect_driver, *where, deadline_s=15.0)
        self.devices = pool.start("devices", collect_devices, *where, deadline_s=15.0)
        self.host = pool.start("host", collect_host, *where, deadline_s=15.0)
        self.container = pool.start("container", collect_container, *where, deadline_s=15.0)
        self.environment = pool.start("environment", collect_environment, shell, deadline_s=15.0)
        self.jupyter = pool.start("jupyter", collect_jupyter, shell, target, deadline_s=15.0)
        self.others = self.start_search(target)

    def start_search(self, target: Path | None) -> Task[Others]:
        """The other environments: by their files, or each asked as well."""
        options = self.options
        if not options.probe_envs:
            return self.pool.start("environments", find_others, self.shell, target, options.all_envs, deadline_s=20.0)
        return self.pool.start("environments", find_others, self.shell, target, True, self.ask_other)

    # --- collectors that need more than their own arguments -------------------------------------------------------

    def within(self, collect: Callable[..., T], *args: object) -> T:
        """Run a collector whose last argument is its own deadline in seconds, cut to what the common one leaves."""
        *rest, own = args
        assert isinstance(own, float)
        return collect(*rest, min(own, self.pool.left() - MARGIN_S))

    def ask_nvml(self, root: Root) -> Nvml | Unread:
        until = self.pool.until - MARGIN_S
        deadline = children.nvml_deadline(root, self.quick)
        left = until - time.monotonic()
        deadline = min(deadline, left - min(10.0, left / 3))  # the rest is for the GPUs behind one that hangs
        return children.ask_nvml(self.shell, deadline, until)

    def ask_target(self, executable: Path, deadline: float) -> Interpreter:
        return ask_target(executable, self.choice.found_by, self.shell, deadline)

    def ask_torch(self, executable: Path) -> TorchRuntime | Unread | None:
        """Import torch where there is one; ``None`` where there is none."""
        if not has_torch_folder(executable):
            assert self.interpreter is not None
            answer = self.interpreter.result()
            if isinstance(answer, Unread):
                return answer
            if answer.torch is None:
                return None
            if isinstance(answer.probe, Unread) and isinstance(answer.torch, Unread):
                return answer.probe
        return self.within(children.ask_torch, executable, self.shell, self.companions(), 120.0)

    def companions(self) -> tuple[str, ...]:
        """What is imported after torch: that takes seconds, so only a deep look does it."""
        return children.COMPANIONS if self.options.depth == "deep" else ()

    def ask_other(self, executable: Path, record: Interpreter) -> Interpreter:
        """One of the other environments, asked as the target is, one step after the other."""
        answer = self.within(ask_target, executable, record.found_by[0], self.shell, 30.0)
        runtime: TorchRuntime | Unread | None = NOT_ASKED
        if not self.quick:
            runtime = answer.torch if answer.torch is None or isinstance(answer.torch, Unread) else NOT_ASKED
            if runtime is NOT_ASKED:
                runtime = self.within(children.ask_torch, executable, self.shell, self.companions(), 120.0)
        return msgspec.structs.replace(answer, found_by=record.found_by, means=record.means, runtime=runtime)

    def choose(self) -> Choice:
        """The target; a search that does not come back (a dead network home) costs the choice, not the rest."""
        options, shell = self.options, self.shell

        def search() -> list[Found]:
            from .jupyter import kernelspec_sightings

            return find_interpreters(shell, kernelspec_sightings(shell))

        def work() -> Choice | BadTarget:
            try:
                return choose_target(
                    shell,
                    python=options.python,
                    env=options.env,
                    own_prefix=own_environment(),
                    search=search,
                )
            except BadTarget as error:
                return error

        answer = self.pool.start("target", work, deadline_s=10.0).result()
        if isinstance(answer, BadTarget):
            raise answer
        if isinstance(answer, Unread):
            named = options.python or options.env
            if named is not None:
                raise BadTarget(f"{named}: {answer}")
            return Choice(executable=None, chosen_by=str(answer))
        return answer

    # --- assembling -----------------------------------------------------------------------------------------------

    def assemble(self, runs: list[CollectorRun]) -> Snapshot:
        nvml, smi, log = self.nvml.result(), self.smi.result(), self.kernel_log.result()
        driver = _join_driver(self.driver.result(), nvml, smi, log)
        return make(
            tool=f"envcheck {__version__}",
            taken_at=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            target=self.target(),
            host=self.host.result(),
            devices=_join_devices(self.devices.result(), self.nodes.result()),
            driver=driver,
            nvml=nvml,
            smi=smi,
            cuda=children.join_cuda(self.cuda.result(), self.unmasked.result()),
            toolkit=self.toolkit.result(),
            container=self.container.result(),
            environment=self.environment.result(),
            interpreters=self.interpreters(),
            jupyter=self.jupyter.result(),
            symptoms=_symptoms(log),
            runs=runs,
        )

    def target(self) -> Target:
        return Target(
            interpreter=None if self.choice.executable is None else 0,
            chosen_by=self.choice.chosen_by,
            disagreements=[printable(words) for words in self.choice.disagreements],
        )

    def interpreters(self) -> Fact[list[Interpreter]]:
        """The target first, then the others."""
        others = self.others.result()
        records = others.records if isinstance(others, Others) else []
        if self.interpreter is None:
            return others if isinstance(others, Unread) else records
        target = self.interpreter.result()
        executable = printable(str(self.choice.executable))
        if isinstance(target, Unread):
            target = Interpreter(executable=executable, found_by=[self.choice.found_by], probe=target)
        if isinstance(others, Others):
            ways = dict.fromkeys([*target.found_by, *others.target_found_by])
            target = msgspec.structs.replace(target, found_by=list(ways), means=others.target_means)
        runtime = NOT_ASKED if self.runtime is None else self.runtime.result()
        return [msgspec.structs.replace(target, runtime=runtime), *records]


def _join_driver(driver: Driver | Unread, nvml: Nvml | Unread, smi: Smi | Unread, log: Fact[list[str]]) -> Driver:
    """The files' story with what the driver's own programs say beside it, each witness in its own field."""
    if isinstance(driver, Unread):
        driver = fill(Driver(), driver, keep=("nvml", "nvidia_smi", "recovery_log", "pasted"))
    return msgspec.structs.replace(
        driver,
        nvml=nvml if isinstance(nvml, Unread) else nvml.driver_version,
        nvidia_smi=smi if isinstance(smi, Unread) else smi.driver_version,
        recovery_log=log,
    )


def _join_devices(devices: Devices | Unread, opened: Devices | Unread | None) -> Devices | Unread:
    """The nodes as /dev lists them, with what an attempt to open the control nodes gave."""
    if isinstance(devices, Unread) or opened is None or not isinstance(devices.nodes, list):
        return devices
    if isinstance(opened, Unread) or not isinstance(opened.nodes, list):
        why = opened if isinstance(opened, Unread) else Unread("garbled", "the probe listed no nodes")
        errors: dict[str, Fact[str]] = {path: why for path in children.CONTROL_NODES}  # noqa: C420
    else:
        errors = {node.path: node.open_errno for node in opened.nodes}
    nodes = [
        msgspec.structs.replace(node, open_errno=errors[node.path]) if node.path in errors else node
        for node in devices.nodes
    ]
    return msgspec.structs.replace(devices, nodes=nodes)


def _symptoms(log: Fact[list[str]]) -> list[Symptom]:
    """Xids and SXids of the kernel log as messages that were seen, in the form that a pasted log's have."""
    if not isinstance(log, list) or not log:
        return []
    from envcheck.read.kernel_log import find_xids

    return [
        Symptom(
            id="sxid" if xid.switch else "xid",
            text=xid.record,
            source="kernel log",
            subject=f"gpu:{xid.bus_id}" if xid.bus_id and not xid.switch else None,
            values=[str(xid.number), *([xid.bus_id] if xid.bus_id else [])],
            suggests=None,  # the questions about a card and its switch read the numbers themselves
        )
        for xid in find_xids(log)
    ]

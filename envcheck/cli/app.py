"""The command line: commands are found by name and imported when they are called, never before."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from envcheck import __version__

from .errors import BadCall, near

FIT, BAD_CALL, BROKEN, INTERRUPTED = 0, 2, 70, 130  # judge.gate's numbers, without its import

COMMANDS: dict[str, tuple[str, str]] = {
    "doctor": ("envcheck.cli.doctor", "Say why the GPU is not used: root cause, evidence, fix."),
    "bench": ("envcheck.cli.bench", "Prove that the device computes, correctly and as fast as it should."),
    "explain": ("envcheck.cli.explain", "Say what is wrong on another machine, from what was pasted of it."),
    "preflight": ("envcheck.cli.preflight", "Judge this machine against a policy: the gate before a job."),
    "lint": ("envcheck.cli.lint", "Judge what a project's files declare, before anything is installed."),
    "policy": ("envcheck.cli.policy", "Show the policy that holds here, or write one."),
    "recommend": (
        "envcheck.cli.recommend",
        "Say which torch build to install, the exact command, and why not another.",
    ),
    "matrix": ("envcheck.cli.matrix", "Show which torch builds run: every release against every CUDA variant."),
    "envs": ("envcheck.cli.envs", "List every environment and whether its torch can use the GPU."),
    "collect": ("envcheck.cli.collect", "Write down what can be seen of this machine, as JSON."),
    "diff": ("envcheck.cli.diff", "Say what differs between two machines, and what of it matters."),
    "rules": ("envcheck.cli.rules", "List the rules rung by rung, or show the manual page of one."),
}
"""Command → (module with ``register(app)``, first sentence of its help)."""

# typer 0.26 and later carry click inside, older ones import it: its exceptions are reached through typer's own.
CLICK_ERROR: type[Exception] = typer.BadParameter.__mro__[2]

_SETTINGS = {"help_option_names": ["-h", "--help"]}


class Lazy(TyperGroup):
    """A group that knows its commands' names and imports a command when it is called."""

    def list_commands(self, ctx: Any) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name not in COMMANDS:
            return None
        if cmd_name not in self.commands:
            part = typer.Typer(rich_markup_mode=None, context_settings=_SETTINGS)
            import_module(COMMANDS[cmd_name][0]).register(part)
            self.commands.update(typer.main.get_group(part).commands)
        return self.commands[cmd_name]

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            raise BadCall(f"no command is called {args[0]}{near(args[0], COMMANDS)}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, about) for name, (_, about) in COMMANDS.items()])


app = typer.Typer(
    name="envcheck",
    cls=Lazy,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    invoke_without_command=True,
    context_settings=_SETTINGS,
)


@app.callback()
def root(
    ctx: typer.Context,
    version: Annotated[bool, typer.Option("--version", "-V", help="Print the version and stop.")] = False,
) -> int:
    """Why torch.cuda.is_available() is False, with evidence and the exact fix."""
    from .output import to_stdout

    if version:
        to_stdout(f"envcheck {__version__}\n")
        raise typer.Exit(FIT)
    if ctx.invoked_subcommand is None:
        to_stdout(ctx.get_help() + "\n")
    return FIT


def run(args: Sequence[str]) -> int:
    """Run one command line and return its exit code.  What is not foreseen is raised."""
    try:
        result = typer.main.get_command(app).main(list(args), prog_name="envcheck", standalone_mode=False)
    except BadCall as error:
        return _refuse(str(error), error.code)
    except CLICK_ERROR as error:
        return _refuse(_one_line(error))
    except typer.Abort:
        return INTERRUPTED
    except SystemExit as done:  # a completion option; or nobody reads typer's help text any more
        return BAD_CALL if done.code and _about_completion(args) else FIT
    if result == 1 and _about_completion(args):
        return BAD_CALL  # a shell that typer does not know; 1 would mean "unfit"
    return result if isinstance(result, int) else FIT


def _about_completion(args: Sequence[str]) -> bool:
    return any(arg.startswith(("--install-completion", "--show-completion")) for arg in args)


def _one_line(error: Any) -> str:
    """typer's words on one line, and where to read more."""
    words = " ".join(error.format_message().split()).rstrip(".")
    context = getattr(error, "ctx", None)
    return f"{words} (see {context.command_path} --help)" if context is not None else words


def _refuse(message: str, code: int = BAD_CALL) -> int:
    from envcheck.report.words import clean

    from .output import to_stderr

    to_stderr(f"envcheck: {clean(message)}\n")
    return code

"""How commands speak and end: wrapped lines, refusals and exit codes."""

from __future__ import annotations

import shlex
import shutil
import signal
import sys
import traceback
from collections.abc import Sequence
from concurrent.futures import BrokenExecutor
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from sim.cli.speech import Spoken, say, speak, translated

if TYPE_CHECKING:
    from types import FrameType

ENDING = (signal.SIGINT, signal.SIGTERM)

SOME_FAILED, INTERRUPTED = 4, 130
NO_PAGE = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)
"""What is raised where a folder's tables are not as they were written."""


class Refused(click.ClickException):
    """The content of a scenario, with every problem on a line of its own."""

    exit_code = 3

    def show(self, file: Any = None) -> None:
        """Print the problems as they are, so that an editor can jump to them."""
        click.echo(self.message, file, err=True)


class NotOpened(click.ClickException):
    """A path that cannot be opened, or a folder that may not be written into."""

    exit_code = 2


class SomeFailed(click.ClickException):
    """Points of a sweep that could not be simulated; the others were."""

    exit_code = SOME_FAILED


class InternalFault(click.ClickException):
    """A defect of trialsim."""

    exit_code = 1

    def __init__(self, fault: Exception) -> None:
        """Say what went wrong and what to send."""
        super().__init__(
            f"an internal fault, {type(fault).__name__}: {fault}\n"
            "This is a defect of trialsim. To report it, send the scenario file and what\n"
            "the same command prints with --verbose."
        )


GROUPS = {
    "Begin": ("new", "check", "list"),
    "Simulate": ("run", "forecast", "compare", "sweep", "solve"),
    "Look closer": ("calendar", "trace", "report", "app"),
}
"""The commands as the help shows them; what is in no group comes last."""


def examples(*typed: str) -> str:
    """Return the end of a command's help: the command as it may be typed."""
    return "\b\n" + "\n".join(["Examples:", *(f"  trialsim {each}" for each in typed)])


class Commands(click.Group):
    """The commands; whatever goes wrong in one ends in a message and an exit code."""

    context_class = Spoken

    def add_command(self, cmd: click.Command, name: str | None = None) -> None:
        """Add a command, which speaks as all do."""
        cmd.context_class = self.context_class
        super().add_command(cmd, name)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Write the commands in their groups."""
        told = {name: self.commands[name].get_short_help_str(200) for name in self.commands}
        left = [name for name in told if not any(name in names for names in GROUPS.values())]
        width = max(map(len, told))
        for title, names in (GROUPS | {"More": left}).items():
            if rows := [(f"{name:{width}}", told[name]) for name in names if name in told]:
                with formatter.section(title):
                    formatter.write_dl(rows)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command named."""
        try:
            _look_around()
            return super().invoke(ctx)
        except (click.ClickException, click.Abort, click.exceptions.Exit, BrokenPipeError):
            raise
        except Exception as fault:
            refusal = _refusal(fault)
            if refusal is None and ctx.meta.get("verbose"):
                traceback.print_exc()
            if refusal is None and isinstance(fault, OSError):
                refusal = NotOpened(f"{fault.filename or 'the system'}: {fault.strerror or fault}")
            raise refusal or InternalFault(fault) from fault


def _look_around() -> None:
    """Refuse where nothing could be done or written."""
    if sys.flags.optimize > 1:
        raise click.UsageError(
            "PYTHONOPTIMIZE=2 (-OO) leaves out texts of which the libraries of charts are made; "
            "use 1 or nothing"
        )
    try:
        Path.cwd()
    except OSError:
        raise NotOpened("the folder you are in has been removed; go to another one") from None


def _refusal(fault: Exception) -> click.ClickException | None:
    """What a scenario, a folder or a cluster that cannot be used is to a command; None: a fault."""
    from sim.scenario.load import ScenarioError, UnreadableFile

    if isinstance(fault, ScenarioError):
        return Refused("\n".join(one_screen([each.text(translated) for each in fault.problems])))
    from sim.experiments.cluster import NoCluster
    from sim.model.replay import NobodyFitsError
    from sim.results.folder import FolderRefused

    if isinstance(fault, NobodyFitsError):
        return Refused(str(fault))
    if isinstance(fault, BrokenExecutor | MemoryError):
        return NotOpened("processes were ended, for want of memory perhaps; try --jobs 1")
    is_refused = isinstance(fault, UnreadableFile | FolderRefused | NoCluster)
    return NotOpened(str(fault)) if is_refused else None


def exit_code(commands: Commands, arguments: Sequence[str]) -> int:
    """Run a command line and return the code to end with; the command as typed is `context.obj`."""
    for each in ENDING:
        signal.signal(each, _interrupt)
    speak(arguments)
    typed = shlex.join(["trialsim", *arguments])
    try:
        return commands.main(arguments, "trialsim", standalone_mode=False, obj=typed) or 0
    except click.ClickException as refusal:
        with StringIO() as shown:
            refusal.show(shown)
            say(shown.getvalue().rstrip("\n"), err=True)
        _say_how_to_go_on(refusal)
        return refusal.exit_code
    except click.Abort as end:
        say("interrupted; nothing half-written is left", err=True)
        _say_how_to_go_on(end)
        return INTERRUPTED


def _say_how_to_go_on(end: BaseException) -> None:
    """Print the last note at what ended a command, if it has any: of the outermost folder."""
    cause = end.__cause__
    while cause is not None and not hasattr(cause, "__notes__"):
        cause = cause.__cause__
    for note in getattr(cause, "__notes__", [])[-1:]:
        say(note, err=True)


def _interrupt(_signal: int, _frame: FrameType | None) -> NoReturn:
    """End the command; whoever asks again while it clears up has been heard already."""
    for each in ENDING:
        signal.signal(each, signal.SIG_IGN)
    raise KeyboardInterrupt


def one_screen(lines: list[str]) -> list[str]:
    """Return no more lines than fit on a screen, and how many there are beyond; --verbose: all."""
    room = max(shutil.get_terminal_size().lines - 3, 1)
    if click.get_current_context().meta["verbose"] or len(lines) <= room:
        return lines
    return [*lines[:room], f"and {len(lines) - room} more (--verbose shows all)"]


def in_print(path: Path) -> str:
    """Return a path as a terminal may show it: what would steer it is written out."""
    text = str(path)
    return text if text.isprintable() else repr(text)


def nearby(path: Path) -> Path:
    """Return a path from where we are, if it leads down from there."""
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path

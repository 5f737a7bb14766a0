"""How commands speak and end: wrapped lines, progress, refusals and exit codes."""

from __future__ import annotations

import shlex
import shutil
import signal
import sys
import textwrap
import time
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import BrokenExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from sim.vocabulary.words import NO_BREAK

if TYPE_CHECKING:
    from types import FrameType

    from click._termui_impl import ProgressBar

Progress = Callable[[int, int], None]

ENDING = (signal.SIGINT, signal.SIGTERM)

SOME_FAILED, INTERRUPTED = 4, 130
SCREEN_WIDTH = 80


class Refused(click.ClickException):
    """The content of a scenario, with every problem on a line of its own."""

    exit_code = 3

    def show(self, file: Any = None) -> None:  # noqa: ARG002  click's own signature
        """Print the problems as they are, so that an editor can jump to them."""
        click.echo(self.message, err=True)


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


class Commands(click.Group):
    """The commands; whatever goes wrong in one ends in a message and an exit code."""

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
        return Refused("\n".join(one_screen([str(problem) for problem in fault.problems])))
    from sim.experiments.cluster import NoCluster
    from sim.results.folder import FolderRefused

    if isinstance(fault, BrokenExecutor | MemoryError):
        return NotOpened("processes were ended, for want of memory perhaps; try --jobs 1")
    is_refused = isinstance(fault, UnreadableFile | FolderRefused | NoCluster)
    return NotOpened(str(fault)) if is_refused else None


def exit_code(commands: Commands, arguments: Sequence[str]) -> int:
    """Run a command line and return the code to end with; the command as typed is `context.obj`."""
    for each in ENDING:
        signal.signal(each, _interrupt)
    typed = shlex.join(["trialsim", *arguments])
    try:
        return commands.main(arguments, "trialsim", standalone_mode=False, obj=typed) or 0
    except click.ClickException as refusal:
        refusal.show()
        return refusal.exit_code
    except click.Abort:
        click.echo("interrupted; nothing half-written is left", err=True)
        return INTERRUPTED


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


def print_wrapped(lines: Iterable[str]) -> None:
    """Print lines at most 80 columns wide; a line that goes on is indented below its own text."""
    for line in lines:
        indent = " " * (len(line) - len(line.lstrip()) + 2)
        filled = textwrap.fill(line, SCREEN_WIDTH, subsequent_indent=indent, break_on_hyphens=False)
        click.echo(filled.replace(NO_BREAK, " "))


@contextmanager
def progress_bar(*, shown: bool) -> Iterator[Progress]:
    """A bar with rate and time left on a terminal, a line for each tenth elsewhere."""
    if not shown:
        yield lambda done, planned: None  # noqa: ARG005  told, and says nothing
    elif not sys.stderr.isatty():
        yield _tenths()
    else:
        with click.progressbar(length=1, label="replications", file=sys.stderr) as bar:
            yield partial(_advance, bar, time.monotonic())


def _advance(bar: ProgressBar[int], started: float, done: int, planned: int) -> None:
    bar.length = planned
    rate = done / (time.monotonic() - started)
    bar.label = f"{done} of {planned} replications, {rate:.0f} a second"
    bar.update(done - bar.pos)


def _tenths() -> Progress:
    said = 0

    def tell(done: int, planned: int) -> None:
        nonlocal said
        if 10 * done // planned > said:
            said = 10 * done // planned
            click.echo(f"{done} of {planned} replications", err=True)

    return tell


class PointsTold:
    """What a sweep or a search says on stderr: each point, and how it gets on."""

    def __init__(
        self, replications: int, points: int | None = None, *, shown: bool, fail_fast: bool = False
    ) -> None:
        """So many points are planned, of so many replications each; see `ended` for fail_fast.

        Those of a search nobody can count beforehand.
        """
        self._planned, self._each, self._shown = points, replications, shown
        self._fail_fast = fail_fast
        self._reused = self._failed = self._ended = self._simulated = 0
        self._started = time.monotonic()

    def found(self, at: Mapping[str, str], changed: Sequence[str]) -> None:
        """Tell of a point that was kept before, and what has changed since."""
        if self._planned is None and list(changed) == ["replications"]:
            return  # another step of the search
        self._reused += not changed
        what = f"stale, {' and '.join(changed)} changed" if changed else "reused"
        self._say(f"{what}: {_words(at)}")

    def advance(self, replications: int) -> None:
        """Count replications, and show them on a terminal."""
        self._simulated += replications
        if self._shown and sys.stderr.isatty():
            click.echo(f"\r{self._state():{SCREEN_WIDTH - 1}}", err=True, nl=False)

    def ended(self, at: Mapping[str, str], error: str) -> None:
        """Tell of a point that is done, or why it failed; SomeFailed if that ends the sweep."""
        self._ended += 1
        self._failed += bool(error)
        if error:
            self._say(f"failed: {_words(at)}: {error.strip().splitlines()[-1]}", always=True)
        else:
            self._say(f"new: {_words(at)}")
        if not sys.stderr.isatty():
            self._say(f"  {self._state()}")
        if error and self._fail_fast:
            raise SomeFailed("stopped at the first point that failed (--fail-fast)")

    def _say(self, text: str, *, always: bool = False) -> None:
        if self._shown or always:
            blank = f"\r{'':{SCREEN_WIDTH - 1}}\r" if sys.stderr.isatty() else ""
            click.echo(f"{blank}{text}", err=True)

    def _state(self) -> str:
        done = self._reused + self._ended
        rate = self._simulated / max(time.monotonic() - self._started, 1e-9)
        if self._planned is None:
            return f"step {done}, {self._reused} reused; {rate:.0f} replications a second"
        left = (self._planned - self._reused) * self._each - self._simulated
        minutes, seconds = divmod(round(left / rate) if rate else 0, 60)
        return (
            f"{done} of {self._planned} points, {self._reused} reused, "
            f"{self._failed} failed; {rate:.0f} replications a second, {minutes}:{seconds:02} left"
        )


def _words(at: Mapping[str, str]) -> str:
    return ", ".join(f"{path}={value}" for path, value in at.items())

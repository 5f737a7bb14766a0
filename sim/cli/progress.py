"""How far a command has come: one line that is redrawn on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import click

from sim.cli.speech import columns, say, translated, wrapped
from sim.cli.terminal import SomeFailed
from sim.vocabulary.words import columns_of

BETWEEN, CUT = " · ", "…"
VALUES_NAMED = 3
"""Values of a point that are named; more are counted."""


class Line:
    """One line on a terminal, redrawn in place and taken away in the end; nothing elsewhere."""

    def __init__(self, *, shown: bool) -> None:
        """Draw nothing yet."""
        self.is_drawn = shown and sys.stderr.isatty()
        self._bar: Any = None

    def draw(self, *parts: str) -> None:
        """Draw the parts in a row; the second gives way where the terminal is too narrow."""
        if not self.is_drawn:
            return
        room = (columns(sys.stderr) or 0) - 1
        first, middle, *rest = map(translated, parts)
        room -= columns_of(BETWEEN.join([first, "", *rest]))
        if columns_of(middle) > room:
            while middle and columns_of(middle) > room - 1:
                middle = middle[:-1]
            middle += CUT
        self._show(BETWEEN.join([first, *filter(None, [middle]), *rest]))

    def say(self, text: str) -> None:
        """Print a text above the line, on a terminal wrapped."""
        if self._bar is not None:
            self._bar.clear()
        for line in wrapped([translated(text)], columns(sys.stderr)):
            click.echo(line, err=True)

    def close(self) -> None:
        """Take the line away."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None

    def _show(self, text: str) -> None:
        if self._bar is None:
            from tqdm import tqdm

            tqdm.monitor_interval = 0  # no thread of its own beside the workers
            how = {"file": sys.stderr, "leave": False, "dynamic_ncols": True}
            self._bar = tqdm(bar_format="{desc}", desc=text, **how)
        self._bar.set_description_str(text, refresh=False)
        self._bar.update()


def in_minutes(seconds: float) -> str:
    """Return a time as minutes and seconds, beyond an hour as hours, minutes and seconds."""
    minutes, rest = divmod(round(seconds), 60)
    hours, below = divmod(minutes, 60)
    return f"{hours}:{below:02}:{rest:02}" if hours else f"{below}:{rest:02}"


class ReplicationsTold:
    """What `run` and `compare` say on stderr: how many replications are done, and of what."""

    def __init__(self, scenarios: int = 1, *, shown: bool) -> None:
        """So many scenarios come one after the other."""
        self._scenarios, self._shown = scenarios, shown
        self._line, self._started = Line(shown=shown), time.monotonic()
        self._done = 0

    def of(self, title: str) -> Callable[[int, int], None]:
        """What hears how many replications of a scenario are done and planned."""
        said = last = 0

        def tell(done: int, planned: int) -> None:
            nonlocal said, last
            self._done += done - last
            last = done
            self._draw(title if self._scenarios > 1 else "", planned * self._scenarios)
            if self._shown and not self._line.is_drawn and 10 * done // planned > said:
                said = 10 * done // planned
                of = f" of {title}" if self._scenarios > 1 else ""
                say(f"{done} of {planned} replications{of}", err=True)

        return tell

    def close(self) -> None:
        """Take the line away."""
        self._line.close()

    def _draw(self, title: str, planned: int) -> None:
        rate = (self._done) / max(time.monotonic() - self._started, 1e-9)
        left = in_minutes((planned - self._done) / rate) if rate else "?"
        counted = f"{self._done:,} of {planned:,} replications"
        self._line.draw(
            counted,
            title,
            f"{rate:.0f} a second" if rate >= 1 else f"{rate:.1f} a second",
            f"{left} left",
        )


class PointsTold:
    """What a sweep or a search says on stderr: how it gets on, and what a point came to.

    Where nobody looks at a terminal every point has a line.
    """

    def __init__(
        self,
        replications: int,
        name: Callable[[Mapping[str, str]], str],
        points: int | None = None,
        *,
        shown: bool,
        fail_fast: bool = False,
    ) -> None:
        """So many points are planned, of so many replications each; see `ended` for fail_fast.

        Those of a search nobody can count beforehand. `name` says what a point is called.
        """
        self._planned, self._each, self._shown = points, replications, shown
        self._name, self._fail_fast, self._line = name, fail_fast, Line(shown=shown)
        self._reused = self._failed = self._ended = self._simulated = 0
        self._last, self._stale = "", set[str]()
        self._started = time.monotonic()

    def found(self, at: Mapping[str, str], changed: Sequence[str]) -> None:
        """Tell of a point that was kept before, and what has changed since."""
        if self._planned is None and list(changed) == ["replications"]:
            return  # another step of the search
        self._reused += not changed
        what = f"stale, {' and '.join(changed)} changed" if changed else "reused"
        self._say(f"{what}: {self._name(at)}")
        if changed and self._line.is_drawn and what not in self._stale:
            self._stale.add(what)
            self._line.say(f"{what}: such points are simulated anew")

    def advance(self, replications: int) -> None:
        """Count replications, and show them on a terminal."""
        self._simulated += replications
        self._line.draw(*self._state())

    def ended(self, at: Mapping[str, str], error: str) -> None:
        """Tell of a point that is done, or why it failed; SomeFailed if that ends the sweep."""
        self._ended += 1
        self._failed += bool(error)
        self._last = self._name(at)
        if error:
            self._line.say(f"failed: {self._last}: {error.strip().splitlines()[-1]}")
        else:
            self._say(f"new: {self._last}")
        self._say(f"  {BETWEEN.join(filter(None, self._state()))}")
        self._line.draw(*self._state())
        if error and self._fail_fast:
            raise SomeFailed("stopped at the first point that failed (--fail-fast)")

    def close(self) -> None:
        """Take the line away."""
        self._line.close()

    def _say(self, text: str) -> None:
        if self._shown and not self._line.is_drawn:
            say(text, err=True)

    def _state(self) -> tuple[str, str, str]:
        done, spent = self._reused + self._ended, time.monotonic() - self._started
        if self._planned is None:
            return f"step {done}", self._last, f"{in_minutes(spent)} so far"
        left = (self._planned - self._reused) * self._each - self._simulated
        rate = self._simulated / max(spent, 1e-9)
        time_left = in_minutes(left / rate) if rate else "?"
        return f"{done} of {self._planned:,}", self._last, f"{time_left} left"


def namer(
    called: Callable[[str], str], base: Mapping[str, str] | None = None
) -> Callable[[Mapping[str, str]], str]:
    """What calls a point by its paths in words and their values, where they are not the base's.

    With no `base` by all of them.
    """

    def name(at: Mapping[str, str]) -> str:
        others = [
            f"{called(path)} {value}"
            for path, value in at.items()
            if (base or {}).get(path) != value
        ]
        if (more := len(others) - VALUES_NAMED) > 0:
            others[VALUES_NAMED:] = [f"{more} more"]
        return ", ".join(others) or "as it stands"

    return name

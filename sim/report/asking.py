"""What to ask first: the numbers nobody vouches for, by what they move or how wide they lie."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from sim.report.page import Joined, Run, in_words
from sim.vocabulary.words import BLANK, Words

FIRST = 3
"""How many numbers are named."""

ATTENDANCE = "assumptions.attendance."


class Entry(NamedTuple):
    """A number of the scenario, or a distribution (no number) of whose numbers nothing is known."""

    path: str
    written: str
    number: float | None
    range: tuple[float, float] | None
    evidence: str
    source: str

    @property
    def width(self) -> float:
        """How wide the range is for the number; 0 without a range, infinite around 0."""
        if self.range is None or self.number is None:
            return 0.0
        low, high = self.range
        return (high - low) / abs(self.number) if self.number else math.inf


def first(run: Run, every: Sequence[Entry]) -> Iterator[str]:
    """Yield which numbers to ask about first, and how many cannot be ranked for want of a range."""
    assumed = [entry for entry in every if entry.evidence == "assumption"]
    if not assumed:
        return
    yield _by_range(run, assumed) if run.tornado is None else _by_effect(run, run.tornado, assumed)
    if unranked := sum(entry.range is None for entry in assumed):
        yield run.say("register.no_range", count=unranked)


def effect(say: Words, tornado: Joined, path: str) -> str:
    """Return the change at the low and at the high end of a number's range, as the page writes it.

    One not told apart from nothing is marked; a number that was not moved has none.
    """
    if path not in tornado.effects:
        return BLANK
    found = tornado.effects[path]
    ends = say(
        "register.ends", low=_signed(tornado, found.at_low), high=_signed(tornado, found.at_high)
    )
    return ends if found.is_clear else say("register.unclear", effect=ends)


def _by_effect(run: Run, tornado: Joined, assumed: Sequence[Entry]) -> str:
    say = run.say
    paths = {entry.path for entry in assumed}
    moved = {path: found for path, found in tornado.effects.items() if path in paths}
    clear = [path for path, found in moved.items() if found.is_clear]
    if not moved:
        return say("register.first_no_range")
    if not clear:
        return say("register.first_none", on=tornado.on)
    named = (say.aside(in_words(path, say), effect(say, tornado, path)) for path in clear[:FIRST])
    key = "first_points" if tornado.is_share else "first"
    return say(f"register.{key}", on=tornado.on, names=say.clauses(named))


def _by_range(run: Run, assumed: Sequence[Entry]) -> str:
    say, idle = run.say, _idle(run)
    wide = [entry for entry in assumed if entry.width > 0 and not entry.path.startswith(idle)]
    if not wide:
        return say("register.first_no_range")
    wide.sort(key=lambda entry: -entry.width)
    named = (
        say.aside(
            in_words(entry.path, say),
            say.part(entry.written, say.span(*map(say.plain, entry.range or ()))),
        )
        for entry in wide[:FIRST]
    )
    return say("register.first_by_range", names=say.clauses(named))


def _idle(run: Run) -> tuple[str, ...]:
    """The paths of the attendance at visits that no arm is to attend."""
    planned = (visit for arm in run.protocol.arms for visit in arm.visits)
    held = {slots.visit.name for visit in planned for slots in visit.offer.choices}
    return tuple(f"{ATTENDANCE}{name}." for name in run.protocol.attendance if name not in held)


def _signed(tornado: Joined, change: float) -> str:
    if math.isnan(change):
        return BLANK
    figure = f"{change * 100:+.0f}" if tornado.is_share else f"{change:+.3g}"
    return {"+0": "0", "-0": "0"}.get(figure, figure.replace("-", "−"))

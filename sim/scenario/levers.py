"""A lever: one number, whole number or date of a scenario, and the bracket it is moved in."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import date
from types import UnionType
from typing import Any, NamedTuple, TypeGuard

from sim.scenario.errors import did_you_mean
from sim.scenario.load import Scenario, ScenarioError, Variants
from sim.scenario.numbers import Fixed
from sim.scenario.section import Section, walk
from sim.scenario.sweep import text_of
from sim.scenario.titles import PARTS
from sim.scenario.yaml_source import value_of

NUMBER, WHOLE, DATE = "number", "whole", "date"
DIGITS = 4
AS_IN = "write --between LOW:HIGH, as in 2:6 or 2022-10-01:2023-04-01"
KINDS: Mapping[str, tuple[str, type | UnionType]] = {
    NUMBER: ("a number", int | float),
    WHOLE: ("a whole number", int),
    DATE: ("a date", date),
}
"""What each kind is called, and what an end of its bracket has to be."""

_End = float | date
_Entries = Mapping[str, Any]
"""Each entry of a scenario by its dotted path."""


class Lever(NamedTuple):
    """A dotted path and its bracket, cut into places from 0 to `last`.

    A place is a whole number, a day, or of another number the ten thousandth part of the power of
    ten below the bracket's width. `low` and `high` of a date are its proleptic ordinals.
    """

    path: str
    kind: str
    low: float
    high: float

    @property
    def is_whole(self) -> bool:
        """Whether there is nothing between two places."""
        return self.kind != NUMBER

    @property
    def last(self) -> int:
        """The place of the bracket's high end."""
        return math.ceil(round((self.high - self.low) / self._unit, 6))

    @property
    def _unit(self) -> float:
        if self.is_whole:
            return 1.0
        return float(10.0 ** (math.floor(math.log10(self.high - self.low)) - DIGITS))

    def at(self, place: float) -> float | str:
        """Return the value at a place, or between two: a number, or a date as YYYY-MM-DD."""
        value = min(self.low + place * self._unit, self.high)
        if self.kind == NUMBER:
            return value
        return date.fromordinal(round(value)).isoformat() if self.kind == DATE else round(value)

    def text(self, place: int) -> str:
        """Return the value at a place as a scenario writes it."""
        value = self.at(place)
        return value if isinstance(value, str) else f"{value:.12g}"


def lever(variant: Variants, path: str, between: str | None = None) -> Lever:
    """Return the lever at a path of a scenario, within LOW:HIGH or else within its range.

    Raises ValueError, which says what is wrong, where there is no such number or date, or no
    bracket for it; ScenarioError where an end of the bracket makes no valid scenario.
    """
    known = _entries(variant())
    if path.partition(".")[0] not in PARTS:
        raise ValueError(_missing(known, path))
    low, high = _range(known, path) if between is None else _ends(between)
    kind = _kind(variant, known, path, low)
    name, fitting = KINDS[kind]
    if not (isinstance(low, fitting) and isinstance(high, fitting)):
        what = f"{path} is {name}, and {low}:{high} is not; {AS_IN}"
        raise ValueError(what)  # noqa: TRY004  what the command line says, not a fault of types
    found = Lever(path, kind, _number(low), _number(high))
    if found.low >= found.high:
        raise ValueError(f"{low} does not lie below {high}; {AS_IN}")
    for end in (low, high):
        variant({path: text_of(end)})
    return found


def _number(figure: _End) -> float:
    return figure.toordinal() if isinstance(figure, date) else figure


def _entries(scenario: Scenario) -> _Entries:
    """Return every entry of what may be moved, by its dotted path; of lists nothing is moved."""
    found = {}
    for part in PARTS:
        for node in walk(getattr(scenario, part), (part,), whole=(tuple,)):
            entry = node.value.value if isinstance(node.value, Fixed) else node.value
            if not isinstance(entry, Section | Mapping):
                found[node.dotted] = entry
    return found


def _is_figure(entry: object) -> TypeGuard[_End]:
    if isinstance(entry, float):
        return math.isfinite(entry)
    return isinstance(entry, int | date) and not isinstance(entry, bool)


def _range(known: _Entries, path: str) -> tuple[_End, _End]:
    if path not in known:
        raise ValueError(_missing(known, path))
    entry = known[path]
    if not _is_figure(entry):
        raise ValueError(f"{path} is neither a number nor a date")
    span: tuple[_End, _End] | None = getattr(entry, "range", None)
    if span is None:
        raise ValueError(f"{path} has no range; {AS_IN}")
    return span


def _missing(known: _Entries, path: str) -> str:
    figures = [path for path, entry in known.items() if _is_figure(entry)]
    return f"no number or date stands at {path}{did_you_mean(path, figures)}"


def _ends(between: str) -> tuple[_End, _End]:
    try:
        low, high = (value_of(end.strip()) for end in between.split(":"))
    except ValueError:
        low = high = None
    if not (_is_figure(low) and _is_figure(high)):
        raise ValueError(f"{between!r} is no bracket; {AS_IN}")
    return low, high


def _kind(variant: Variants, known: _Entries, path: str, low: _End) -> str:
    """What stands at a path; where it is no number yet, what a number there becomes."""
    if path not in known or not _is_figure(known[path]):
        is_there = any(f"{each}.".startswith(f"{path}.") for each in known)
        try:
            known = _entries(variant({path: str(low)}))
        except ScenarioError as error:
            if is_there:
                raise
            raise ValueError(_missing(known, path)) from error
    value = known.get(path)
    if isinstance(value, date):
        return DATE
    return WHOLE if isinstance(value, int) else NUMBER

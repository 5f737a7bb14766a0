"""A sweep: the points at which a scenario is simulated, as flags or its `sweep` block say them."""

from __future__ import annotations

import datetime as dt
import json
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from itertools import product
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import AfterValidator, Field, Strict, Tag, model_validator

from sim.scenario.errors import forms, refusal
from sim.scenario.numbers import Real
from sim.scenario.section import FORMULA, Date, Ref, Section

Values = Mapping[str, str]
"""A point of a sweep: a value, written as in a scenario, for each path that is varied."""

LEAST_POINTS, MOST_PLANNED = 2, 1_000_000
NOT_SIMULATED = "sweep"
"""The part of a scenario that no simulation reads."""

POINTS = 200
"""About how many points a design has when nobody says."""

DESIGNS = TORNADO, HYPERCUBE, MORRIS, SOBOL = "tornado", "lhs", "morris", "sobol"
"""What ranks the numbers of a scenario; a tornado needs no number of points."""


_PLAIN = re.compile(r"[A-Za-z][\w-]*")
_NOT_TEXT = re.compile(r"null|true|false", re.IGNORECASE)


class Axis(NamedTuple):
    """A dotted path and its values, written as in a scenario."""

    path: str
    levels: tuple[str, ...]


@dataclass(frozen=True)
class Places:
    """The points of a sweep in their order, made anew whenever they are gone through.

    There may be more of them than would fit in memory. `rows` gives for each point a value a path.
    """

    paths: Sequence[str]
    number: int
    rows: Callable[[], Iterable[Sequence[str]]]

    def __len__(self) -> int:
        return self.number

    def __iter__(self) -> Iterator[Values]:
        for row in self.rows():
            yield dict(zip(self.paths, row, strict=True))


def axis(text: str) -> Axis:
    """Return the axis of `PATH=a,b,c`, or of `PATH=low:high:n` with n evenly spaced values.

    Raises ValueError, which says what is wrong, where the text is neither.
    """
    path, equals, listed = (part.strip() for part in text.partition("="))
    if not (equals and path and listed):
        message = f"{text!r} names no values; write PATH=a,b,c or PATH=low:high:n"
        raise ValueError(message)
    if path.partition(".")[0] == NOT_SIMULATED:
        message = f"{path}: a sweep does not vary itself"
        raise ValueError(message)
    low, *rest = listed.split(":")
    if len(rest) == 2 and rest[1].strip().isdecimal():  # noqa: PLR2004  high and n
        levels = spaced(low.strip(), rest[0].strip(), int(rest[1]))
    else:
        levels = tuple(_split(listed))
    if formula := next(
        (each for each in levels if each[:1] in FORMULA and not _is_number(each)), ""
    ):
        message = f"{formula!r} is a formula to a spreadsheet; write it in quotes"
        raise ValueError(message)
    if len(set(levels)) < len(levels):
        message = f"{text!r} names a value twice"
        raise ValueError(message)
    return Axis(path, levels)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def grid(axes: Sequence[Axis]) -> Places:
    """Return every combination of values, those of the last axis changing fastest.

    Raises ValueError where two axes have the same path, and for more than a million points.
    """
    paths = [each.path for each in axes]
    if len(set(paths)) < len(paths):
        message = f"{next(path for path in paths if paths.count(path) > 1)} is varied twice"
        raise ValueError(message)
    levels = [each.levels for each in axes]
    if (number := math.prod(map(len, levels))) > MOST_PLANNED:
        message = f"{number:,} points are more than {MOST_PLANNED:,}"
        raise ValueError(message)
    return Places(paths, number, partial(product, *levels))


def text_of(value: object) -> str:
    """Return plain data of a scenario as its text, on one line and as short as it can be."""
    match value:
        case dict():
            inner = (f"{text_of(key)}: {text_of(entry)}" for key, entry in value.items())
            return f"{{{', '.join(inner)}}}"
        case list() | tuple():
            return f"[{', '.join(map(text_of, value))}]"
        case str():
            plain = _PLAIN.fullmatch(value) and not _NOT_TEXT.fullmatch(value)
            return value if plain else json.dumps(value, ensure_ascii=False)
        case None | bool():
            return json.dumps(value)
    return str(value)


def _split(text: str) -> Iterator[str]:
    """Yield what stands between commas, but for commas in brackets, braces or quotes."""
    start, closers, closing = 0, {"[": "]", "{": "}", '"': '"', "'": "'"}, list[str]()
    for place, letter in enumerate(f"{text},"):
        if closing and letter == closing[-1]:
            closing.pop()
        elif letter in closers:
            closing.append(closers[letter])
        elif letter == "," and not closing:
            yield text[start:place].strip()
            start = place + 1
    if closing:
        message = f"{text!r} lacks a closing {closing[-1]}"
        raise ValueError(message)


def spaced(low: str, high: str, number: int) -> tuple[str, ...]:
    """Return so many evenly spaced values from low to high, two numbers or two dates.

    Raises ValueError, which says what is wrong, where they are neither or the values too few.
    """
    if number < LEAST_POINTS:
        message = f"{low}:{high}:{number} has fewer than {LEAST_POINTS} values"
        raise ValueError(message)
    if number > MOST_PLANNED:
        message = f"{low}:{high}:{number} has more than {MOST_PLANNED:,} values"
        raise ValueError(message)
    steps = [step / (number - 1) for step in range(number)]
    try:
        first, last = float(low), float(high)
    except ValueError:
        return tuple(_dates(low, high, steps))
    return tuple(f"{first + step * (last - first):.12g}" for step in steps)


def _dates(low: str, high: str, steps: Sequence[float]) -> Iterator[str]:
    try:
        first, last = date.fromisoformat(low), date.fromisoformat(high)
    except ValueError:
        message = f"{low} and {high} are neither two numbers nor two dates"
        raise ValueError(message) from None
    for step in steps:
        yield (first + timedelta(days=round(step * (last - first).days))).isoformat()


class Asked(NamedTuple):
    """What a sweep is asked for: the axes of a grid, or a tornado or design and what to rank by."""

    axes: tuple[Axis, ...] = ()
    design: str = ""
    points: int = POINTS
    on: str | None = None


def _bound(data: object) -> str | None:
    if isinstance(data, dt.date):
        return "date"
    return "number" if isinstance(data, int | float) and not isinstance(data, bool) else None


Bound = Annotated[
    Annotated[Real, Tag("number")] | Annotated[Date, Tag("date")],
    forms(_bound, "this is neither a number nor a date", "a number or a date such as 2022-10-01"),
]


class Spaced(Section):
    """Evenly spaced values, both ends included."""

    low: Bound
    """The first value, a number or a date."""
    high: Bound
    """The last value, of the same kind as `low`."""
    number: Annotated[int, Strict(), Field(ge=LEAST_POINTS, le=MOST_PLANNED)]
    """How many values there are."""

    @property
    def levels(self) -> tuple[str, ...]:
        """Return the values as a scenario writes them."""
        return spaced(text_of(self.low), text_of(self.high), self.number)

    @model_validator(mode="after")
    def _all_different(self) -> Spaced:
        if type(self.low) is not type(self.high):
            raise refusal("low and high are not of one kind", "two numbers or two dates")
        if len(set(self.levels)) < self.number:
            raise refusal("a value comes twice", "low and high further apart, or a smaller number")
        return self


def _all_different(values: tuple[Any, ...]) -> tuple[Any, ...]:
    if len(set(map(text_of, values))) < len(values):
        raise refusal("a value comes twice", "each value once")
    return values


def _levels(data: object) -> str | None:
    if isinstance(data, list | tuple):
        return "listed"
    return "spaced" if isinstance(data, dict | Spaced) else None


Listed = Annotated[tuple[Any, ...], Field(min_length=1), AfterValidator(_all_different)]
Levels = Annotated[
    Annotated[Listed, Tag("listed")] | Annotated[Spaced, Tag("spaced")],
    forms(_levels, "these are no values", "a list, as in [a, b], or {low: …, high: …, number: …}"),
]


class SweepPlan(Section):
    """The points `trialsim sweep` simulates: a grid (`vary`), a `tornado` or a `design`.

    Any of the flags --vary, --tornado and --design takes the place of the whole block, --points and
    --on that of their keys. No other command reads it.
    """

    vary: dict[str, Levels] = Field(default={})
    """By dotted path, such as `assumptions.recruitment.consent`, the values it takes; of several
    paths every combination. `[a, b, c]` or `{low: …, high: …, number: …}`."""
    tornado: Annotated[bool, Strict()] = False
    """Each number of the assumptions that has a range to its low and its high."""
    design: Literal["lhs", "morris", "sobol"] | None = None
    """All ranged numbers of the assumptions at once: a Latin hypercube, Morris or Sobol."""
    points: Annotated[int, Strict(), Field(ge=LEAST_POINTS, le=MOST_PLANNED)] | None = None
    """About how many points a `design` has; left out, 200."""
    on: Annotated[str, Ref("target or measure")] | None = None
    """The target or measure by which a `tornado` or `design` ranks; left out, the first target,
    or `randomised` where there is none."""

    @property
    def asked(self) -> Asked:
        """Return what the block asks for."""
        axes = tuple(
            Axis(path, levels.levels if isinstance(levels, Spaced) else (*map(text_of, levels),))
            for path, levels in self.vary.items()
        )
        design = TORNADO if self.tornado else self.design or ""
        return Asked(axes, design, self.points or POINTS, self.on)

    @property
    def tried(self) -> Iterator[Values]:
        """Yield a few points of the grid, in which each listed value occurs.

        Of spaced values, which may be many, they have the first two and the last.
        """
        few = {
            axis.path: (*axis.levels[:2], axis.levels[-1])
            if isinstance(levels, Spaced)
            else axis.levels
            for axis, levels in zip(self.asked.axes, self.vary.values(), strict=True)
        }
        for number in range(max(map(len, few.values()), default=0)):
            yield {path: levels[number % len(levels)] for path, levels in few.items()}

    @model_validator(mode="after")
    def _one_kind(self) -> SweepPlan:
        if sum((bool(self.vary), self.tornado, self.design is not None)) != 1:
            raise refusal("a sweep is of one kind", "one of vary, tornado and design")
        if self.points is not None and self.design is None:
            raise refusal("only a design has a number of points", "points beside design")
        if self.vary and self.on is not None:
            raise refusal("a grid shows every target", "on beside tornado or design")
        return self


def least_points(design: str, factors: int) -> int:
    """Return how many points a design of so many ranged numbers needs at least."""
    least = {MORRIS: 2 * (factors + 1), SOBOL: factors + 2}
    return least.get(design, LEAST_POINTS)

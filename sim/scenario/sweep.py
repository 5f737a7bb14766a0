"""`sweep`: at which points `trialsim sweep` simulates a scenario when its flags do not say it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import AfterValidator, Field, Strict, Tag, model_validator

from sim.scenario.axis import LEAST_POINTS, Axis, Values, spaced, written
from sim.scenario.errors import forms, refusal
from sim.scenario.numbers import Real
from sim.scenario.section import Date, Section

POINTS = 200
"""About how many points a design has when nobody says."""

DESIGNS = TORNADO, HYPERCUBE, MORRIS, SOBOL = "tornado", "lhs", "morris", "sobol"
"""What ranks the numbers of a scenario; a tornado needs no number of points."""


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
    number: Annotated[int, Strict(), Field(ge=LEAST_POINTS, le=1_000_000)]
    """How many values there are."""

    @property
    def levels(self) -> tuple[str, ...]:
        """Return the values as a scenario writes them."""
        return spaced(written(self.low), written(self.high), self.number)

    @model_validator(mode="after")
    def _all_different(self) -> Spaced:
        if type(self.low) is not type(self.high):
            raise refusal("low and high are not of one kind", "two numbers or two dates")
        if len(set(self.levels)) < self.number:
            raise refusal("a value comes twice", "low and high further apart, or a smaller number")
        return self


def _all_different(values: tuple[Any, ...]) -> tuple[Any, ...]:
    if len(set(map(written, values))) < len(values):
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


class Sweep(Section):
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
    points: Annotated[int, Strict(), Field(ge=LEAST_POINTS, le=1_000_000)] | None = None
    """About how many points a `design` has; left out, 200."""
    on: str | None = None
    """The target or measure by which a `tornado` or `design` ranks; left out, the first target,
    or `randomised` where there is none."""

    @property
    def asked(self) -> Asked:
        """Return what the block asks for."""
        axes = tuple(
            Axis(path, levels.levels if isinstance(levels, Spaced) else (*map(written, levels),))
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
    def _one_kind(self) -> Sweep:
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

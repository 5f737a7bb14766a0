"""Which assumption matters most: the points to simulate, and the ranking their outcomes give."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np

from sim.experiments import designs
from sim.experiments.designs import Index
from sim.results.periods import Floats
from sim.results.points import Point, met_of
from sim.scenario.load import Scenario
from sim.scenario.schema import Ranged
from sim.scenario.sweep import (
    HYPERCUBE,
    MORRIS,
    SOBOL,
    TORNADO,
    Asked,
    Places,
    Values,
    grid,
    least_points,
)
from sim.vocabulary.intervals import of_mean, of_paired_met

SIZED_BY = {HYPERCUBE: "prcc", MORRIS: "mu_star", SOBOL: "ST"}
"""The index by which the paths of a design are sorted; a tornado has its two ends."""


class Plan(NamedTuple):
    """The points of a sweep; of a ranking also its design, what it moves and what it ranks by."""

    places: Places
    design: str = ""
    moved: Sequence[Ranged] = ()
    on: str = ""
    pairs: str = ""
    """The measure of which every replication's value is kept, so that its pairs can be compared."""

    @property
    def base(self) -> Values:
        """What each path is at the first point, where the others differ from it in one."""
        return next(iter(self.places)) if self.design == TORNADO else {}


def plan(scenario: Scenario, asked: Asked, seed: int) -> Plan:
    """Return the plan of what is asked for; its points are not yet tried.

    Raises ValueError, which says what is wrong, where this scenario has no such points, and NoSalib
    where SALib is missing.
    """
    if asked.axes:
        return Plan(grid(asked.axes))
    moved = scenario.ranged()
    if not moved:
        raise ValueError("no number of the assumptions has a range to move it in")
    on = asked.on or next(iter(scenario.targets), "randomised")
    # Of a target every replication's yes or no is kept anyway; Morris and Sobol need no pairs.
    pairs = on if asked.design in {TORNADO, HYPERCUBE} and on not in scenario.targets else ""
    sample = _sample(asked.design, moved, asked.points, seed)
    rows = partial(map, _written, sample)
    places = Places([each.path for each in moved], len(sample), rows)
    return Plan(places, asked.design, moved, on, pairs)


def indices(
    kind: str, moved: Sequence[Ranged], done: Iterable[Point], on: str, seed: int
) -> list[Index]:
    """Return the indices of a design's points for the target or the mean of the measure `on`.

    Of the tornado they are `low` and `high`: the difference from the base with each number at that
    end, and its interval, both those of the pairs (the same people): of a target Agresti & Min's,
    of a measure Student's of the differences, which is of no width where no pair differs. Points
    may come from the disk one by one; only the figures ranked are held.
    """
    if kind == TORNADO:
        each_done = iter(done)
        base = next(each_done)
        named = [(each.path, end) for each in moved for end in ("low", "high")]
        return [
            Index(path, end, *_difference(base, point, on))
            for (path, end), point in zip(named, each_done, strict=True)
        ]
    rows = np.array(
        [
            [point.outcome.mean_and_sd(on)[0], *(float(point.at[each.path]) for each in moved)]
            for point in done
        ]
    )
    outcomes, sample = rows[:, 0], rows[:, 1:]
    if kind == HYPERCUBE:
        return designs.rank_correlations(moved, sample, outcomes)
    analyse = designs.morris_indices if kind == MORRIS else designs.sobol_indices
    return analyse(moved, sample, outcomes, seed)


def ignorance_between(
    kind: str, done: Iterable[Point], on: str
) -> tuple[float, float, float] | None:
    """Return the share of variance that is ignorance, see designs; None but for a hypercube."""
    if kind != HYPERCUBE:
        return None
    rows = [_each(point, on) for point in done]
    if not all(map(len, rows)):
        return None
    who = next(iter(done)).identity
    share, low, high = designs.crossed_ignorance(np.array(rows), who.draws.of(who.replications))
    return None if math.isnan(share) or math.isnan(low) else (share, low, high)


def _each(point: Point, on: str) -> Floats:
    """What `on`, a target or measure, is in every replication; nothing where that is not known."""
    met = point.outcome.met.get(on)
    return np.array(point.outcome.each.get(on, ()) if met is None else met_of(met), np.float64)


def _sample(kind: str, moved: Sequence[Ranged], points: int, seed: int) -> Floats:
    """The points of a design, of about `points` in all; the tornado has its own number.

    That is the base and then each number at its low and at its high, all else at base.
    """
    number = len(moved)
    if kind == TORNADO:
        sample = np.tile(np.array([each.value for each in moved], np.float64), (2 * number + 1, 1))
        for at, each in enumerate(moved):
            sample[2 * at + 1 : 2 * at + 3, at] = each.low, each.high
        return sample
    if points < (least := least_points(kind, number)):
        raise ValueError(f"this design needs {least} points or more")
    if kind == HYPERCUBE:
        return designs.latin_hypercube(moved, points, seed)
    if kind == MORRIS:
        return designs.morris(moved, points // (number + 1), seed)
    return designs.sobol(moved, 1 << (points // (number + 2)).bit_length() - 1, seed)


def _difference(base: Point, point: Point, on: str) -> tuple[float, float, float]:
    draws = base.identity.draws.of(base.identity.replications)
    ours, theirs = base.outcome.met.get(on), point.outcome.met.get(on)
    if ours is not None and theirs is not None:
        before, after = met_of(ours), met_of(theirs)
        return float(after.mean() - before.mean()), *of_paired_met(before, after, draws)
    was, becomes = (one.outcome.each.get(on) for one in (base, point))
    if not was or not becomes:
        return math.nan, math.nan, math.nan
    apart = np.subtract(becomes, was)
    return float(apart.mean()), *of_mean(apart, draws)


def _written(row: Floats) -> list[str]:
    return [f"{value:.12g}" for value in row]

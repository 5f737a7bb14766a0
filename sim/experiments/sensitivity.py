"""Which assumption matters most: the points to simulate, and the ranking their outcomes give."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from sim.experiments import designs
from sim.experiments.designs import Factor, Index
from sim.results.points import Point
from sim.scenario.axis import Places
from sim.scenario.ranged import Ranged
from sim.scenario.sweep import HYPERCUBE, MORRIS, SOBOL, TORNADO, least_points
from sim.vocabulary.intervals import of_mean, of_paired_shares

SIZED_BY = {HYPERCUBE: "prcc", MORRIS: "mu_star", SOBOL: "ST"}
"""The index by which the paths of a design are sorted; a tornado has its two ends."""


def places(kind: str, moved: Sequence[Ranged], points: int, seed: int) -> Places:
    """Return the points of a design, of about `points` in all (the tornado has its own number).

    The tornado is the base and then each number at its low and at its high, all else at base.
    Raises ValueError where the design needs more points, NoSalib where SALib is missing.
    """
    base = [each.value for each in moved]
    if kind == TORNADO:
        ends = [(at, end) for at, each in enumerate(moved) for end in (each.low, each.high)]
        sample = np.array([base, *([*base[:at], end, *base[at + 1 :]] for at, end in ends)])
    else:
        sample = _sample(kind, _factors(moved), points, seed)
    paths = [each.path for each in moved]
    return Places(paths, len(sample), lambda: ([*map(_written, row)] for row in sample))


def rank(
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
    factors = _factors(moved)
    rows = np.array(
        [
            [point.outcome.mean_and_sd(on)[0], *(float(point.at[each.path]) for each in moved)]
            for point in done
        ]
    )
    outcomes, sample = rows[:, 0], rows[:, 1:]
    if kind == HYPERCUBE:
        return designs.rank_correlations(factors, sample, outcomes)
    analyse = designs.morris_indices if kind == MORRIS else designs.sobol_indices
    return analyse(factors, sample, outcomes, seed)


def luck_and_ignorance(kind: str, done: Iterable[Point], on: str) -> tuple[float, float]:
    """Return the shares of variance due to luck and to ignorance; nan but for a hypercube."""
    if kind != HYPERCUBE:
        return math.nan, math.nan
    means, sds = zip(*(point.outcome.mean_and_sd(on) for point in done), strict=True)
    return designs.luck_and_ignorance(means, sds, next(iter(done)).identity.replications)


def _factors(moved: Sequence[Ranged]) -> list[Factor]:
    return [Factor(each.path, each.low, each.high, each.is_whole) for each in moved]


def _sample(kind: str, factors: Sequence[Factor], points: int, seed: int) -> NDArray[np.float64]:
    number = len(factors)
    if points < (least := least_points(kind, number)):
        raise ValueError(f"this design needs {least} points or more")
    if kind == HYPERCUBE:
        return designs.latin_hypercube(factors, points, seed)
    if kind == MORRIS:
        return designs.morris(factors, points // (number + 1), seed)
    return designs.sobol(factors, 1 << (points // (number + 2)).bit_length() - 1, seed)


def _difference(base: Point, point: Point, on: str) -> tuple[float, float, float]:
    ours, theirs = base.outcome.met.get(on), point.outcome.met.get(on)
    if ours is not None and theirs is not None:
        both = list(zip(ours, theirs, strict=True))
        gained, lost = both.count(("0", "1")), both.count(("1", "0"))
        return (gained - lost) / len(both), *of_paired_shares(gained, lost, len(both))
    before, after = (one.outcome.each.get(on) for one in (base, point))
    if not before or not after:
        return math.nan, math.nan, math.nan
    apart = np.subtract(after, before)
    return float(apart.mean()), *of_mean(apart)


def _written(value: float) -> str:
    return f"{value:.12g}"

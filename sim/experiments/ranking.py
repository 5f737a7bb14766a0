"""Which assumption matters most: the points to simulate, and the ranking their outcomes give."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from sim.experiments import designs
from sim.experiments.designs import Factor, Index
from sim.meaning.axis import Values
from sim.meaning.ranged import Ranged
from sim.record.points import Point
from sim.vocabulary.intervals import NORMAL_975, of_paired_shares

TORNADO, HYPERCUBE, MORRIS, SOBOL = "tornado", "lhs", "morris", "sobol"
LEAST_HYPERCUBE, LEAST_TRAJECTORIES = 2, 2
SIZED_BY = {HYPERCUBE: "prcc", MORRIS: "mu_star", SOBOL: "ST"}
"""The index by which the paths of a design are sorted; a tornado has its two ends."""


def places(kind: str, moved: Sequence[Ranged], points: int, seed: int) -> list[Values]:
    """Return the points of a design, of about `points` in all (the tornado has its own number).

    The tornado is the base and then each number at its low and at its high, all else at base.
    Raises ValueError where the design needs more points, NoSalib where SALib is missing.
    """
    if kind == TORNADO:
        base = {each.path: _written(each.value) for each in moved}
        ends = [(each.path, end) for each in moved for end in (each.low, each.high)]
        return [base, *(base | {path: _written(end)} for path, end in ends)]
    sample = _sample(kind, _factors(moved), points, seed)
    return [
        {each.path: _written(value) for each, value in zip(moved, row, strict=True)}
        for row in sample
    ]


def rank(
    kind: str, moved: Sequence[Ranged], done: Sequence[Point], on: str, seed: int
) -> list[Index]:
    """Return the indices of a design's points for the target or the mean of the measure `on`.

    Of the tornado they are `low` and `high`: the difference from the base with each number at that
    end, of a target with the interval of the pairs (the same people), of a measure with that of
    the unpaired means, which is too wide.
    """
    if kind == TORNADO:
        base, *ends = done
        named = [(each.path, end) for each in moved for end in ("low", "high")]
        return [
            Index(path, end, *_difference(base, point, on))
            for (path, end), point in zip(named, ends, strict=True)
        ]
    factors = _factors(moved)
    outcomes = np.array([point.outcome.mean_and_sd(on)[0] for point in done])
    sample = np.array([[float(point.at[each.path]) for each in moved] for point in done])
    if kind == HYPERCUBE:
        return designs.rank_correlations(factors, sample, outcomes)
    analyse = designs.morris_indices if kind == MORRIS else designs.sobol_indices
    return analyse(factors, sample, outcomes, seed)


def luck_and_ignorance(kind: str, done: Sequence[Point], on: str) -> tuple[float, float]:
    """Return the shares of variance due to luck and to ignorance; nan but for a hypercube."""
    if kind != HYPERCUBE:
        return math.nan, math.nan
    means, sds = zip(*(point.outcome.mean_and_sd(on) for point in done), strict=True)
    return designs.luck_and_ignorance(means, sds, done[0].identity.replications)


def _factors(moved: Sequence[Ranged]) -> list[Factor]:
    return [Factor(each.path, each.low, each.high, each.is_whole) for each in moved]


def _sample(kind: str, factors: Sequence[Factor], points: int, seed: int) -> NDArray[np.float64]:
    number = len(factors)
    if kind == HYPERCUBE:
        if points < LEAST_HYPERCUBE:
            raise ValueError(_too_few(LEAST_HYPERCUBE))
        return designs.latin_hypercube(factors, points, seed)
    if kind == MORRIS:
        if points < LEAST_TRAJECTORIES * (number + 1):
            raise ValueError(_too_few(LEAST_TRAJECTORIES * (number + 1)))
        return designs.morris(factors, points // (number + 1), seed)
    if points < number + 2:
        raise ValueError(_too_few(number + 2))
    return designs.sobol(factors, 1 << (points // (number + 2)).bit_length() - 1, seed)


def _too_few(least: int) -> str:
    return f"this design needs {least} points or more"


def _difference(base: Point, point: Point, on: str) -> tuple[float, float, float]:
    ours, theirs = base.outcome.met.get(on), point.outcome.met.get(on)
    if ours is not None and theirs is not None:
        both = list(zip(ours, theirs, strict=True))
        gained, lost = both.count(("0", "1")), both.count(("1", "0"))
        return (gained - lost) / len(both), *of_paired_shares(gained, lost, len(both))
    (before, sd), (after, other) = (each.outcome.mean_and_sd(on) for each in (base, point))
    half = NORMAL_975 * math.sqrt((sd**2 + other**2) / base.identity.replications)
    return after - before, after - before - half, after - before + half


def _written(value: float) -> str:
    return f"{value:.12g}"

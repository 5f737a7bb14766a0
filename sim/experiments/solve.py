"""Where along a lever a target begins to be met: a search that shows the same people every value.

The lever is a row of places, 0 to `last`. At each place that is tried every replication either
meets the target or does not, so that along the lever there is a curve of counts. The answer is
where the curve reaches the share that is wanted; the ends of its interval are where the curve
enters and leaves the counts whose interval holds that share (a test inverted: Lehmann &
Romano 2005, Testing Statistical Hypotheses, 3.5). All places meet the same people, so the curve
moves as a whole and hardly zigzags.

First a tenth of the replications finds the neighbourhood, then all of them measure it.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Callable, Iterable
from itertools import combinations
from statistics import NormalDist
from typing import Any, NamedTuple

import numpy as np
from scipy.special import stdtrit

from sim.results.points import met_of
from sim.scenario.beliefs import draws
from sim.scenario.levers import Lever
from sim.scenario.load import Scenario
from sim.vocabulary.intervals import (
    NORMAL_975,
    UPPER_TAIL,
    Interval,
    are_enough,
    effective_number,
    of_few,
    of_met,
    of_share,
)
from sim.vocabulary.streams import STREAMS, Draws, Numbers

FOUND, UNDECIDED, NOWHERE, EVERYWHERE = "found", "undecided", "never", "always"
NOT_MONOTONE = "not_monotone"
COARSE_SHARE, LEAST_COARSE = 10, 100
GRID = 5
FINEST = 256
"""A jump of the curve is located to this part of the lever, on whole places exactly."""
USUAL_STEPS = 12
"""About how many places a search tries; half of them with few replications."""
MOST_STEPS, HALVING = 40, 4
"""At most so many steps; each fourth halves, should what comes between not converge."""
ROUGH, CLOSE, LEAST = 0.5, 0.1, 2.0
"""How much of the variance of a count a straight line between two places may add to it, from some
few counts on: half of it where only the neighbourhood is sought, else a tenth."""
ERROR = 0.05
_NORMAL = NormalDist()
INDEPENDENT = Draws()

Attempt = Callable[[int, int], str]
"""From a place and a number of replications to a 1 (met) or 0 for each replication."""


class Solution(NamedTuple):
    """Where the target begins to be met, in places of the lever; None: not within the lever.

    `low` and `high` are the ends of the 95 % interval, `low` nearer to place 0. `rising`: higher
    places meet the target more often. `fall` are two places of which the one that should meet it
    more often meets it less often, if there are such.
    """

    verdict: str
    value: float | None
    low: float | None
    high: float | None
    rising: bool
    fall: tuple[int, int] | None


class Thresholds(NamedTuple):
    """The counts that separate what is missed, undecided and met.

    Below `low` the target is missed, from `high` on it is met, as in `targets.csv`. `value` is the
    first count of at least the share wanted. A level may lie beyond the number of replications.
    """

    low: int
    value: int
    high: int


def levels(
    wanted: float, replications: int, draws: Numbers | None = None, met: str = ""
) -> Thresholds:
    """Return the levels of a share that is wanted.

    Inversion of a test: the interval of a search is made of the places at which the share wanted is
    not rejected, so that its ends lie where the curve of counts crosses these levels. The test is
    that of the intervals of shares (see `of_met`). Where `draws` are not independent its error is
    that of the replications `met` at a place near the value, for a share that is the one wanted.
    """
    value = math.ceil(round(wanted * replications, 9))
    if draws is not None and are_enough(met.count("1"), len(met)):
        error = wanted * (1 - wanted) / effective_number(met_of(met).astype(np.float64), draws)
        half = float(stdtrit(STREAMS - 1, UPPER_TAIL)) * math.sqrt(error)
        low, high = (math.ceil((wanted + side) * replications) for side in (-half, half))
        return Thresholds(low, value, high)

    independent = 0 if draws is None else len(np.unique(draws))

    def interval(times: int) -> Interval:
        if not independent:
            return of_share(times, replications)
        return of_few(times, replications, independent)

    counts = range(replications + 1)
    return Thresholds(
        bisect_left(counts, wanted, key=lambda times: interval(times).high),
        value,
        bisect_left(counts, wanted, key=lambda times: interval(times).low),
    )


def sought(scenario: Scenario, until: str, lever: Lever, replications: int) -> dict[str, Any]:
    """Return what a search has to know of the scenario."""
    return {
        "wanted": float(scenario.targets[until].with_probability),
        "replications": replications,
        "is_whole": lever.is_whole,
        "draws": draws(scenario.assumptions),
    }


def solve(  # noqa: PLR0913  each says something else of the search
    attempt: Attempt,
    last: int,
    *,
    wanted: float,
    replications: int,
    is_whole: bool,
    draws: Draws = INDEPENDENT,
) -> Solution:
    """Return where between place 0 and `last` a share `wanted` of replications meets the target.

    `draws` says how replications share what they draw.
    Which end meets it more often says whether the lowest or the highest place is sought. With
    `is_whole` nothing lies between two places, and the answer is a place that meets the target.
    """
    coarse = min(replications, max(LEAST_COARSE, replications // COARSE_SHARE))
    first, second = (attempt(place, coarse) for place in (0, last))
    rising = first.count("1") <= second.count("1")
    # From here on places are counted from the end that meets the target less often.
    origin, step = (0, 1) if rising else (last, -1)
    tried = {(origin, coarse): first, (last - origin, coarse): second}

    def oriented(place: int, number: int) -> str:
        if (place, number) not in tried:
            tried[place, number] = attempt(origin + step * place, number)
        return tried[place, number]

    curve = _Curve(oriented, last, wanted, draws.of(coarse), coarse, is_whole=is_whole)
    grid = {round(part * last / (GRID - 1)) for part in range(GRID)}
    curve.narrow(grid, ROUGH if coarse < replications else CLOSE)
    if coarse < replications:
        start = curve.neighbourhood()
        shared = draws.of(replications)
        curve = _Curve(oriented, last, wanted, shared, replications, is_whole=is_whole)
        curve.narrow(start, CLOSE)
    verdict, places = curve.verdict()
    fall, is_fatal = _fall(tried, wanted, draws)
    if is_fatal:
        verdict, places = NOT_MONOTONE, (None, None, None)
    low, value, high = (
        None if place is None else origin + step * place for place in places[::step]
    )
    fall = fall and (origin + step * fall[0], origin + step * fall[1])
    return Solution(verdict, value, low, high, rising, fall)


class _Curve:
    """Counts of replications that meet the target, higher towards higher places."""

    def __init__(  # noqa: PLR0913  what the search was asked
        self,
        met: Attempt,
        last: int,
        wanted: float,
        draws: Numbers | None,
        replications: int,
        *,
        is_whole: bool,
    ) -> None:
        self._met, self._last, self._replications = met, last, replications
        self._wanted, self._draws, self._is_whole = wanted, draws, is_whole
        self._finest = 1 if is_whole else max(1, last // FINEST)
        self._levels = levels(wanted, replications, draws)
        self._variance = replications * wanted * (1 - wanted)
        self._part = CLOSE
        self._at: dict[int, int] = {}

    def narrow(self, start: Iterable[int], part: float) -> None:
        """Try places until each level lies between two that are near enough, or at an end.

        Near enough: see `_is_smooth`, with that `part` of the variance.
        """
        self._part = part
        for place in sorted(start):
            self._try(place)
        for step in range(MOST_STEPS):
            ahead = self._next(is_halving=step % HALVING == HALVING - 1)
            if ahead is None:
                return
            self._try(ahead)

    def neighbourhood(self) -> set[int]:
        """Return where to look more closely: the ends of the interval, or what comes nearest."""
        low, high = (self._crossing(level) for level in (self._levels.low, self._levels.high))
        low_end, high_end = (min(max(end, 0), self._last) for end in (low, high))
        ends = {math.floor(low_end), math.ceil(high_end)}
        if low > self._last:
            ends.add(max(self._at, key=self._at.__getitem__))
        if high < 0:
            ends.add(min(self._at, key=self._at.__getitem__))
        return ends

    def verdict(self) -> tuple[str, tuple[float | None, float | None, float | None]]:
        """Return the verdict and the places of the low end, the value and the high end."""
        low, value, high = map(self._crossing, self._levels)
        low, high = min(low, value), max(high, value)
        if high < 0 or low > self._last:
            return EVERYWHERE if high < 0 else NOWHERE, (None, None, None)
        inside = [place if 0 <= place <= self._last else None for place in (low, value, high)]
        verdict = UNDECIDED if inside[0] is None or inside[2] is None else FOUND
        return verdict, (inside[0], inside[1], inside[2])

    def _try(self, place: int) -> None:
        if place in self._at:
            return
        met = self._met(place, self._replications)
        self._at[place] = met.count("1")
        if self._draws is not None and place == min(self._at, key=self._off):
            self._levels = levels(self._wanted, self._replications, self._draws, met)
            self._variance = ((self._levels.high - self._levels.low) / 2 / NORMAL_975) ** 2

    def _off(self, place: int) -> float:
        """By how much the count of a place differs from that wanted."""
        return abs(self._at[place] - self._wanted * self._replications)

    def _around(self, level: int) -> tuple[int | None, int | None]:
        """The last place below a level before the first that reaches it; None where none does."""
        before = None
        for place in sorted(self._at):
            if self._at[place] >= level:
                return before, place
            before = place
        return before, None

    def _next(self, *, is_halving: bool) -> int | None:
        """The place to try next; None where nothing is left to try."""
        reach = max(max(self._at) - min(self._at), self._finest)
        for level in (self._levels.value, self._levels.low, self._levels.high):
            below, above = self._around(level)
            if below is None and above is not None and above > 0:
                return max(above - reach, 0)
            if above is None and below is not None and below < self._last:
                return min(below + reach, self._last)
            if below is None or above is None or above - below <= self._finest:
                continue
            if not self._is_smooth(below, above, level):
                middle = (below + above) / 2
                place = middle if is_halving else self._between(below, above, level)
                edge = max(1, (above - below) // 10)
                return min(max(round(place), below + edge), above - edge)
        return None

    def _is_smooth(self, below: int, above: int, level: int) -> bool:
        """Whether a line between two places is as good as the curve where it reaches a level.

        Between two known counts the curve wanders like a Brownian bridge, whose variance at a level
        is the product of the distances to both over their sum.
        """
        up, down = level - self._at[below], self._at[above] - level
        return up * down <= max(LEAST, self._part * self._variance) * (up + down)

    def _between(self, below: int, above: int, level: int) -> float:
        """Where a normal curve through two places reaches a level."""
        ends = (self._at[below] + 0.5, level, self._at[above] + 0.5)
        first, wanted, second = (_NORMAL.inv_cdf(end / (self._replications + 1)) for end in ends)
        return below + (above - below) * (wanted - first) / (second - first)

    def _crossing(self, level: int) -> float:
        """The place where a level is reached: -inf before the first, inf beyond the last.

        Where the curve jumps it is the place behind the jump, of the low end the one before it.
        """
        below, above = self._around(level)
        if below is None:
            return -math.inf
        if above is None:
            return math.inf
        if not self._is_smooth(below, above, level):
            is_outwards = level == self._levels.low and not self._is_whole
            return float(below if is_outwards else above)
        place = self._between(below, above, level)
        return float(math.ceil(place)) if self._is_whole else place


def _fall(
    tried: dict[tuple[int, int], str], wanted: float, draws: Draws
) -> tuple[tuple[int, int] | None, bool]:
    """Two places between which the curve falls, and whether that leaves no single answer.

    A fall is one that the same people show by McNemar's exact test, at 5 % for all pairs together
    (Bonferroni). There is no single answer where a place that is missed comes after one that is
    not. Of several falls the deepest is given.
    """

    def is_missed(met: str) -> bool:
        return of_met(met_of(met), draws.of(len(met))).high < wanted

    pairs = list(combinations(sorted(tried.items()), 2))
    falls = [
        (not is_missed(earlier) and is_missed(later), depth, (before, after))
        for ((before, _), earlier), ((after, _), later) in pairs
        if before < after and (depth := _depth(earlier, later, ERROR / len(pairs)))
    ]
    is_fatal, _, deepest = max(falls, default=(False, 0.0, None))
    return deepest, is_fatal


def _depth(earlier: str, later: str, error: float) -> float:
    """By which share of the people both have met the later one falls; 0 where it may be luck."""
    number = min(len(earlier), len(later))
    ours, theirs = int(earlier[:number], 2), int(later[:number], 2)
    lost, gained = (ours & ~theirs).bit_count(), (theirs & ~ours).bit_count()
    # Whether those who differ would hardly be lost by the toss of a coin.
    from scipy.stats import binom  # noqa: PLC0415  a second to import, and few levers fall

    is_unlikely = lost > gained and binom.sf(lost - 1, lost + gained, 0.5) < error
    return (lost - gained) / number if is_unlikely else 0.0

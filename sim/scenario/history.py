"""What is known of a trial that runs: who came how far by a certain day, as its model takes it."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterable
from itertools import pairwise
from operator import attrgetter, mul
from typing import NamedTuple

from sim.scenario.beliefs import Belief
from sim.scenario.errors import KeyPath
from sim.vocabulary.distributions import Distribution, updated
from sim.vocabulary.eventlog import Milestone
from sim.vocabulary.waves import WavePath


class KnownPerson(NamedTuple):
    """What is known of one person: instants in minutes since the opening; infinity: not so far.

    `id` is that of the log, for messages alone. `ended` says how screening ended for whoever was
    not randomised: when, with which milestone, and by which criterion, by its index. `first_dose`
    is when day 1 began, since randomisation.
    """

    came: float
    consented: float = math.inf
    screened: float = math.inf
    ended: tuple[float, Milestone, int | None] | None = None
    randomised: float = math.inf
    arm: int = -1
    first_dose: float = math.inf
    left: float = math.inf
    left_reason: str = ""
    completed: float = math.inf
    stratum: tuple[int, ...] | None = None
    id: str = ""

    @property
    def is_randomised(self) -> bool:
        """Whether an arm has been allotted."""
        return self.randomised < math.inf


class History(NamedTuple):
    """Everybody who is known to have met the milestone `since` by the instant `until`.

    It is CANDIDATE, CONSENTED or RANDOMISED; who has not met it is not known. `people` are in the
    order in which they came; of the days `ahead`, by their numbers, is said how many are randomised
    by then.
    """

    people: tuple[KnownPerson, ...]
    until: float
    since: Milestone
    ahead: tuple[int, ...] = ()

    @property
    def known(self) -> tuple[float, ...]:
        """When each of them came to be known."""
        moment = {
            Milestone.CANDIDATE: attrgetter("came"),
            Milestone.CONSENTED: attrgetter("consented"),
            Milestone.RANDOMISED: attrgetter("randomised"),
        }[self.since]
        return tuple(map(moment, self.people))

    @property
    def allotted(self) -> tuple[tuple[int, float], ...]:
        """The arms allotted so far, in their order, and when; −1 where the trial is blinded."""
        randomised = (each for each in self.people if each.is_randomised)
        in_order = sorted(randomised, key=lambda each: each.randomised)
        return tuple((each.arm, each.randomised) for each in in_order)

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to tell, not even that nobody came."""
        return not self.people and not self.until


class Pool(NamedTuple):
    """Draws of what bears on how many came, each as probable as they make what was seen.

    A row has a value for each path; `upto` are the cumulative weights. `seen` came to be known in
    so many months' `exposures`: candidates expected of a row, were the rate one a month, times the
    share of them that would be known by now. Where the rate waves, `rates` and `waves` are drawn
    with a row, and rows are in the order of their rates.
    """

    paths: tuple[KeyPath, ...]
    rows: tuple[tuple[float, ...], ...]
    upto: tuple[float, ...]
    exposures: tuple[float, ...]
    seen: int
    rates: tuple[float, ...] = ()
    waves: tuple[WavePath, ...] = ()

    @property
    def exposure(self) -> float:
        """The months of exposure, weighted."""
        return self._mean(self.exposures)

    @property
    def calm(self) -> float:
        """How probable it is that the rate does not wave."""
        return self._mean([float(not path.wave.size) for path in self.waves])

    def _mean(self, values: Iterable[float]) -> float:
        weights = (high - low for low, high in pairwise((0.0, *self.upto)))
        return math.fsum(map(mul, weights, values)) / self.upto[-1]

    def place(self, u: float) -> int:
        """Return the row that a number in [0, 1) draws."""
        return min(bisect_right(self.upto, u * self.upto[-1]), len(self.upto) - 1)

    def row(self, place: int) -> dict[KeyPath, float]:
        """Return the values of a row by their paths."""
        return dict(zip(self.paths, self.rows[place], strict=True))

    def rate(self, prior: Distribution, place: int) -> Distribution:
        """Return what is believed of the rate once it is known which row is true."""
        from scipy.special import xlogy  # noqa: PLC0415 -- slow, and seldom needed

        if not (exposure := self.exposures[place]):
            return prior
        return updated(prior, lambda rates: xlogy(self.seen, rates) - rates * exposure)


class Lesson(NamedTuple):
    """What a log says of a number: what was believed, and that so many were seen `of` so many."""

    prior: Belief
    seen: float = 0.0
    of: float = 0.0


class Informed(NamedTuple):
    """What is known of a trial that runs, what that teaches, and what the plan believed.

    `delays` are evenly spaced quantiles of how long candidates take until they are known, in
    minutes.
    """

    history: History
    pool: Pool
    lessons: tuple[Lesson, ...]
    plan: tuple[Belief, ...]
    delays: tuple[float, ...]

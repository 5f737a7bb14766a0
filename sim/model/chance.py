"""All luck of one replication: the only place where a question meets a distribution.

Every method names its question; the same question about the same person has the same answer
whoever asks, and whatever else a scenario changed. The one exception are the arms, which are
indexed by order of randomisation within their stratum.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Callable, Container, Iterator, Sequence
from functools import partial

from sim.scenario.capacity import Product
from sim.scenario.criteria import Attributes
from sim.scenario.errors import KeyPath
from sim.scenario.history import Informed
from sim.scenario.protocol import Arm, Event, PlannedVisit, Protocol, expected_by
from sim.scenario.slots import Task
from sim.vocabulary.clock import MINUTES_PER_DAY
from sim.vocabulary.distributions import Distribution, Hazard
from sim.vocabulary.streams import STEPS, Streams, of_attempt, stratified, stratified_luck
from sim.vocabulary.waves import WavePath


def beliefs_drawn(protocol: Protocol, seed: int, replication: int) -> dict[KeyPath, float]:
    """Return the value that a replication draws of each assumption that is uncertain."""
    if not protocol.beliefs:
        return {}
    uniform = Streams(seed, protocol.draws.original(replication)).uniform
    drawn = {
        each.path: each.law.quantile(uniform(f"belief {each.dotted}", 0))
        for each in protocol.beliefs
    }
    if protocol.informed is not None:
        drawn |= protocol.informed.pool.row(_place(protocol, protocol.informed, seed, replication))
    return drawn


def _place(protocol: Protocol, informed: Informed, seed: int, replication: int) -> int:
    """Return which row of a pool a replication draws: by its rate, if that is drawn with it."""
    draws, pool = protocol.draws, informed.pool
    if pool.rates and draws.is_stratified:
        return pool.place(stratified(seed, draws.draw(replication)))
    return pool.place(Streams(seed, draws.original(replication)).uniform("belief pool", 0))


class Luck:
    """Answers questions about people, by person."""

    def __init__(self, protocol: Protocol, uniform: Callable[[str, int], float]) -> None:
        """`uniform` is the number in [0, 1) that answers a question about somebody."""
        self._protocol = protocol
        self.uniform = uniform

    def attributes(self, person: int, attempt: int) -> Attributes:
        """Return a candidate's attributes, as they are at this attempt to be randomised."""
        anew = self._protocol.drawn_anew
        drawn: dict[str, float] = {}
        for attribute in self._protocol.attributes:
            if attribute.among is not None and not drawn[attribute.among]:
                drawn[attribute.name] = 0.0
            else:
                question = f"patient {attribute.name}"
                if attribute.name in anew:
                    question = of_attempt(question, attempt)
                u = self.uniform(question, person)
                drawn[attribute.name] = attribute.distribution.quantile(u)
        return drawn

    def consents(self, person: int) -> bool:
        """Say whether someone who is asked consents."""
        return self.uniform("consent", person) < self._protocol.screening.consents

    def withdraws_at(self, person: int, attempt: int, consented: float, called: float) -> float:
        """Return when someone withdraws between consent and the last step's day, or infinity."""
        if (
            self.uniform(of_attempt("withdrawal", attempt), person)
            >= self._protocol.screening.withdraws
        ):
            return math.inf
        moment = self.uniform(of_attempt("moment of withdrawal", attempt), person)
        return consented + moment * (called - consented)

    def comes_again(self, person: int, attempt: int, criterion: str) -> float:
        """Return how long after failing a criterion somebody is screened again; infinity: never."""
        again = self._protocol.screening.rescreening
        if again is None or not again.is_open_to(criterion, attempt):
            return math.inf
        if self.uniform(of_attempt("rescreening", attempt), person) >= again.share:
            return math.inf
        return self.wait_minutes(of_attempt("until rescreening", attempt), again.after_days, person)

    def wait_minutes(self, question: str, days: Distribution, person: int) -> float:
        """Return a wait that is given in days, in minutes."""
        return days.quantile(self.uniform(question, person)) * MINUTES_PER_DAY

    def first_dose_minutes(self, person: int, arm: Arm) -> float:
        """Return the planned time from randomisation to the first dose."""
        return self.wait_minutes(f"first dose {arm.name}", arm.to_first_dose_days, person)

    def failed_releases(self, person: int, product: Product, order: int) -> int:
        """Return how often a person's order (from 0) fails its release before one passes."""
        release = self._protocol.releases.get(product.name)
        if release is None or not release.fails_release:
            return 0
        return release.failures(self.uniform(f"release {product.name} {order}", person))

    def days_late(self, person: int, planned: PlannedVisit, visit: str) -> int | None:
        """Return by how many days the participant comes late (negative: early); None: never."""
        attendance = self._protocol.attendance.get(visit)
        if attendance is None:
            return 0
        days, missed, _ = attendance
        if missed and self.uniform(f"missed {planned.occasion}", person) < missed:
            return None
        u = 0.0 if days.is_certain else self.uniform(f"lateness {planned.occasion}", person)
        return round(days.quantile(u))

    def says_so(self, person: int, planned: PlannedVisit, visit: str) -> bool:
        """Say whether it is known in time that the participant comes on another day, or never."""
        attendance = self._protocol.attendance.get(visit)
        if attendance is None:
            return True
        return self.uniform(f"notice {planned.occasion}", person) < attendance[2]

    def hour(self, person: int, occasion: str) -> float:
        """Return the place of a person's coming among the starts of the day, in [0, 1)."""
        return self.uniform(f"hour {occasion}", person)

    def minutes(self, task: Task, person: int, occasion: str) -> float:
        """Return how long a task takes."""
        return self._protocol.minutes[task.name](self.uniform(f"{task.luck} {occasion}", person))

    def leaves(self, person: int, arm: Arm, randomised: float) -> tuple[float, str | None]:
        """Return when a participant leaves, and the earliest reason."""
        dates = (
            (
                self._after(
                    randomised, reason.hazards[arm.index], f"leaving {reason.name}", person
                ),
                reason.name,
            )
            for reason in self._protocol.reasons
        )
        return min(dates, default=(math.inf, ""))

    def stops(self, person: int, arm: Arm, randomised: float) -> float:
        """Return when a participant stops treatment."""
        return self._after(randomised, self._protocol.stopping[arm.index], "stopping", person)

    def happens(self, person: int, arm: Arm, event: Event, number: int, since: float) -> float:
        """Return when the `number`-th event of a kind happens to a participant, after `since`."""
        return self._after(
            since, event.hazards[arm.index], f"{event.name} {number} happens", person
        )

    def _after(self, start: float, hazard: Hazard, question: str, person: int) -> float:
        if hazard.is_none:
            return math.inf
        return start + hazard.quantile(self.uniform(question, person))


class Chance(Luck):
    """The luck of a replication, with what is not asked about somebody: who comes, and the arms."""

    def __init__(self, protocol: Protocol, seed: int, replication: int) -> None:
        """Draw the replication's true rate of candidates, and how it waves; the rest when asked."""
        super().__init__(protocol, Streams(seed, replication).uniform)
        self.candidates_per_month, informed = protocol.candidates_per_month, protocol.informed
        rate, path = protocol.rate, None
        if protocol.waves is not None:
            kind, level = (
                stratified_luck(seed, protocol.draws, replication, question) for question in STEPS
            )
            kind = self.uniform("waves", 0) if kind is None else kind
            path = WavePath(protocol.waves.wave(kind), level=level)
        if rate is not None:
            u = stratified(seed, protocol.draws.draw(replication))
            if informed is not None and not informed.pool.rates:
                rate = informed.pool.rate(rate, _place(protocol, informed, seed, replication))
            self.candidates_per_month = rate.quantile(u)
        if informed is not None and informed.pool.rates:
            place = _place(protocol, informed, seed, replication)
            self.candidates_per_month = informed.pool.rates[place]
            path = informed.pool.waves[place]
        self._expected: Sequence[float] = protocol.expected_candidates
        if path is not None:
            self._expected = path.waved(self._expected, partial(self.uniform, "wave of month"))
        self._arms: dict[tuple[int, ...], list[int]] = {}
        ratio = protocol.randomisation.ratio
        self._cycle = [arm.index for arm in protocol.arms for _ in range(ratio[arm.name])]

    def arrivals(self, person: int = 0, since: float = 0.0) -> Iterator[float]:
        """Yield the instants at which candidates come, until the last day of recruitment.

        A Poisson process of rate 1, its time changed by the inverse of the cumulative rate; from an
        instant on, `person` being the first to come after it.
        """
        rate = self.candidates_per_month
        if rate <= 0:
            return
        cumulative = self._expected
        expected = expected_by(cumulative, since)
        while True:
            expected -= math.log1p(-self.uniform("arrival", person)) / rate
            day = bisect_left(cumulative, expected)
            if day == len(cumulative):
                return
            within = (expected - cumulative[day - 1]) / (cumulative[day] - cumulative[day - 1])
            yield (day - 1 + within) * MINUTES_PER_DAY
            person += 1

    def arm(self, stratum: tuple[int, ...], order: int) -> int:
        """Return the index of the arm of the `order`-th (from 0) randomised of a stratum."""
        sequence = self._arms.setdefault(stratum, [])
        while len(sequence) <= order:
            sequence += self._next_arms(stratum, len(sequence))
        return sequence[order]

    def preferred_arm(self, preferred: Container[int], order: int) -> int:
        """Return the index of the arm of the `order`-th (from 0) randomised, by minimisation.

        Most often it is one of the preferred arms, else any, drawn by the ratio.
        """
        share = self._protocol.randomisation.share_by_preference
        is_free = self.uniform("arm as preferred", order) >= share
        fitting = [arm for arm in self._cycle if is_free or arm in preferred]
        return fitting[int(self.uniform("arm ()", order) * len(fitting))]

    def _next_arms(self, stratum: tuple[int, ...], start: int) -> list[int]:
        """Return the next permuted block, or a single arm under simple randomisation."""
        scheme, question, cycle = self._protocol.randomisation, f"arm {stratum}", self._cycle
        if scheme.method == "simple":
            return [cycle[int(self.uniform(question, start) * len(cycle))]]
        choice = int(self.uniform(f"size of block {stratum}", start) * len(scheme.block_sizes))
        block = cycle * (scheme.block_sizes[choice] // len(cycle))
        places = [self.uniform(question, start + place) for place in range(len(block))]
        return [arm for _, arm in sorted(zip(places, block, strict=True))]

"""A trial that runs already: what is known of it is taken as it was, and the rest goes on.

It begins at the opening, so that diaries, stocks, the open block and the desks are, on the day of
the forecast, in a state they could be in. What was done between the dates that are known is
simulated as the scenario says.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Iterator
from functools import partial
from typing import Any

from sim.model.allocation import Allocation
from sim.model.chance import Chance, Luck
from sim.model.clinic import Process
from sim.model.participant import journey, participation
from sim.model.screening import Instant, ScreeningAttempt
from sim.model.trial import Trial
from sim.scenario.criteria import Attributes, Stratum
from sim.scenario.history import History, KnownPerson
from sim.scenario.protocol import Arm, PlannedStep, Protocol
from sim.scenario.sheet import in_brief
from sim.vocabulary.distributions import Hazard
from sim.vocabulary.eventlog import Milestone

MOST_DRAWS = 10_000
"""After so many people drawn none is thought of who could be as the log says."""


class NobodyFitsError(ValueError):
    """Of all people the scenario can draw, none could have come as far as somebody did."""

    def __init__(self, person: str) -> None:
        """`person` is the id in the log."""
        super().__init__(person)

    def __str__(self) -> str:
        """Say what to do about it."""
        return (
            f"{in_brief(self.args[0])}: of {MOST_DRAWS:,} people drawn as the scenario says, "
            "none passes the criteria as far as this one has; the criteria, or the numbers of "
            "patients, are not those of this trial"
        )


class _Unlogged(Exception):  # noqa: N818  no error
    """Somebody simulated would have met by now what everybody known has met."""


class KnownChance(Chance):
    """Luck under the condition that all that is known came to pass."""

    def __init__(self, protocol: Protocol, history: History, seed: int, replication: int) -> None:
        """See `Chance`."""
        super().__init__(protocol, seed, replication)
        self._history = history
        self._allotted: dict[Stratum, list[tuple[int, float]]] = {}

    def again(self, number: int) -> Luck:
        """Return the luck of another draw, from 1, of the same questions."""
        if number == 1:
            return self
        ask = self.uniform
        return Luck(self._protocol, lambda question, who: ask(f"{question} again {number}", who))

    def leaves(self, person: int, arm: Arm, randomised: float) -> tuple[float, str | None]:
        """Return when a participant leaves, and why; whoever is known to be there, later on.

        Of whoever has completed it is then, and for no reason.
        """
        known = self._of(person)
        if known is None:
            return super().leaves(person, arm, randomised)
        if known.completed < math.inf:
            return known.completed, None
        if known.left < math.inf:
            return known.left, known.left_reason
        stayed = self._history.until - randomised
        return (
            min(
                (
                    (randomised + self._later(each.hazards[arm.index], stayed, each.name, person)),
                    each.name,
                )
                for each in self._protocol.reasons
            )
            if self._protocol.reasons
            else (math.inf, "")
        )

    def _later(self, hazard: Hazard, stayed: float, reason: str, person: int) -> float:
        """Return when somebody leaves who has stayed so long, since randomisation."""
        if hazard.is_none:
            return math.inf
        gone = -math.expm1(-hazard.cumulative(stayed))
        return hazard.quantile(gone + (1 - gone) * self.uniform(f"leaving {reason}", person))

    def first_dose_minutes(self, person: int, arm: Arm) -> float:
        """Return the time from randomisation to the first dose."""
        known = self._of(person)
        if known is None or known.first_dose == math.inf:
            return super().first_dose_minutes(person, arm)
        return known.first_dose

    def allotted(self, stratum: Stratum, arm: int, moment: float) -> None:
        """Hear of an arm that was allotted at a moment."""
        self._allotted.setdefault(stratum, []).append((arm, moment))
        self._arms.setdefault(stratum, []).append(arm)

    def _of(self, person: int) -> KnownPerson | None:
        people = self._history.people
        return people[person] if person < len(people) else None

    def _next_arms(self, stratum: Stratum, start: int) -> list[int]:
        """Return what is left of the block that is open on that day, or a new one."""
        allotted = self._allotted.get(stratum, [])
        is_open = (
            start == len(allotted) > 0 and self._protocol.randomisation.method == "permuted_blocks"
        )
        left = self._left_of_block(stratum, allotted) if is_open else []
        return left or super()._next_arms(stratum, start)

    def _left_of_block(self, stratum: Stratum, allotted: list[tuple[int, float]]) -> list[int]:
        """Return what is left of the last block, in an order drawn; of several sizes one that fits.

        Nothing is where no block fits: the strata of those allotted are then not known.
        """
        for number in range(1, MOST_DRAWS):
            left = self._fitted(stratum, allotted, number)
            if left is not None:
                ask = partial(self.uniform, f"rest of block {stratum}")
                return [
                    arm for _, arm in sorted(zip(map(ask, range(len(left))), left, strict=True))
                ]
        return []

    def _fitted(
        self, stratum: Stratum, allotted: list[tuple[int, float]], number: int
    ) -> list[int] | None:
        """Return what is left of the last of some blocks drawn; None if they do not fit.

        In which order those of one instant were allotted is not known, and drawn.
        """
        sizes, place, left = self._protocol.randomisation.block_sizes, 0, Counter[int]()
        turns = (self.uniform(f"turn {stratum} again {number}", n) for n in range(len(allotted)))
        told = sorted(zip(allotted, turns, strict=True), key=lambda each: (each[0][1], each[1]))
        arms = [arm for (arm, _), _ in told]
        while place < len(arms):
            u = self.uniform(f"size of block {stratum} again {number}", place)
            size = sizes[int(u * len(sizes))]
            left = Counter(self._cycle * (size // len(self._cycle)))
            left.subtract(arms[place : place + size])
            if min(left.values()) < 0:
                return None
            place += size
        return [*left.elements()]


class _KnownAllocation(Allocation):
    """The arms of a trial of which the first were allotted already."""

    def __init__(self, protocol: Protocol, chance: KnownChance, history: History) -> None:
        super().__init__(protocol, chance)
        self._known, self._told = history.allotted, chance.allotted

    def _next(self, stratum: Stratum) -> int:
        arm, moment = self._known[self.number] if self.number < len(self._known) else (-1, 0.0)
        if arm < 0:
            return super()._next(stratum)
        self._told(stratum, arm, moment)
        return arm


class RunningTrial(Trial):
    """A trial of which a part is known."""

    def __init__(self, protocol: Protocol, history: History, seed: int, replication: int) -> None:
        """See `Trial`."""
        self.history = history
        self.known_chance = KnownChance(protocol, history, seed, replication)
        super().__init__(protocol, seed, replication)
        self._allocation = _KnownAllocation(protocol, self.known_chance, history)

    def _luck(self, *_: Any) -> Chance:  # noqa: ANN401  what `Chance` takes
        return self.known_chance

    def note(self, person: int, time: float, milestone: Milestone, detail: object = None) -> None:
        """Log a moment; `_Unlogged` if everybody who met it by then is known, and this one not."""
        if (
            milestone is self.history.since
            and time <= self.history.until
            and person >= len(self.history.people)
        ):
            raise _Unlogged
        super().note(person, time, milestone, detail)

    def randomise(self, person: int, attributes: Attributes, time: float) -> Arm:
        """Allot the next arm; `_Unlogged` if everybody randomised by then is known."""
        if time <= self.history.until and person >= len(self.history.people):
            raise _Unlogged
        return super().randomise(person, attributes, time)

    def note_end(
        self, person: int, time: float, milestone: Milestone, detail: object = None
    ) -> None:
        """Log how it ended, as is known; of who is known to be there still, after that day."""
        if person < len(self.history.people):
            known = self.history.people[person]
            if known.completed < math.inf:
                time, milestone, detail = known.completed, Milestone.COMPLETED, None
            elif known.left < math.inf:
                time, milestone, detail = known.left, Milestone.LEFT, known.left_reason
            else:
                time = max(time, math.nextafter(self.history.until, math.inf))
        super().note_end(person, time, milestone, detail)

    def forget(self, person: int) -> None:
        """Take all that was noted of a person out of the log."""
        log = self.log
        log.moments = [each for each in log.moments if each.person != person]


def replay(trial: RunningTrial) -> None:
    """Begin with everybody who is known, and with the candidates who are not."""
    for person, known in enumerate(trial.history.people):
        trial.agenda.begin(_known_journey(person, known, trial))
    trial.agenda.begin(_recruitment(trial))


def _recruitment(trial: RunningTrial) -> Process:
    """Send each candidate who is not known on their way at their hour."""
    history, chance = trial.history, trial.known_chance
    since = history.until if history.since is Milestone.CANDIDATE else 0.0
    first = len(history.people)
    for person, arrival in enumerate(chance.arrivals(first, since), first):
        yield trial.until(arrival)
        if trial.is_full:
            return
        trial.agenda.begin(_unknown_journey(person, arrival, trial))


def _unknown_journey(person: int, arrival: float, trial: RunningTrial) -> Process:
    """The way of somebody who is not known, who is left out if it leads where everybody is."""
    try:
        yield from journey(person, arrival, trial)
    except _Unlogged:
        trial.forget(person)


def _known_journey(person: int, known: KnownPerson, trial: RunningTrial) -> Process:
    """The way of somebody of whom the first part is known."""
    steps = trial.protocol.screening.steps
    note = partial(trial.note, person)
    now = yield trial.until(known.came)
    note(now, Milestone.CANDIDATE)
    for milestone, instant in (
        (Milestone.CONSENTED, known.consented),
        (Milestone.SCREENED, known.screened),
    ):
        if instant < math.inf:
            note((yield trial.until(instant)), milestone)
    if known.ended is not None:
        moment, milestone, criterion = known.ended
        now = yield trial.until(moment)
        if criterion is not None:
            _judge(person, now, steps, (criterion,), trial)
        note(now, milestone, criterion if milestone is Milestone.SCREEN_FAILED else None)
        return
    if known.is_randomised:
        randomised = yield trial.until(known.randomised)
        attributes = _someone(person, {each.name for each in steps}, trial)
        _judge(person, randomised, steps, (), trial)
    else:
        attempt = KnownAttempt(person, known, trial)
        randomised = yield from attempt.go_on()
        if randomised is None or randomised > trial.protocol.recruits_until_minutes:
            return
        attributes = attempt.attributes
    arm = trial.randomise(person, attributes, randomised)
    yield from participation(person, arm, attributes, randomised, trial)


def _judge(
    person: int,
    moment: float,
    steps: tuple[PlannedStep, ...],
    failed: tuple[int, ...],
    trial: Trial,
) -> None:
    """Note at which steps somebody was judged: all of them, or up to the one that was failed."""
    for step in steps:
        if trial.judge(person, moment, step.name, failed) is not None:
            return


def _someone(person: int, passed: Collection[str], trial: RunningTrial) -> Attributes:
    """Return the attributes of somebody who has passed some steps of screening."""
    return next(each for each, _, _ in _possible(person, passed, trial))


def _possible(
    person: int, passed: Collection[str], trial: RunningTrial
) -> Iterator[tuple[Attributes, tuple[int, ...], Luck]]:
    """Yield who somebody may be who has passed some steps: attributes, what is failed, and luck."""
    criteria, stratum = trial.protocol.criteria, trial.history.people[person].stratum
    for number in range(1, MOST_DRAWS):
        chance = trial.known_chance.again(number)
        attributes = chance.attributes(person, 1)
        failing = trial.protocol.failing(attributes)
        fits = stratum is None or trial.protocol.randomisation.stratum(attributes) == stratum
        if fits and not any(criteria[index].at in passed for index in failing):
            yield attributes, failing, chance
    raise NobodyFitsError(trial.history.people[person].id)


class KnownAttempt(ScreeningAttempt):
    """The way through screening of somebody who is in it on the day of the forecast.

    What was due before is over, or is done from then on if it cannot be.
    """

    def __init__(self, person: int, known: KnownPerson, trial: RunningTrial) -> None:
        """Draw who it may be, so that nothing has ended screening by now."""
        super().__init__(person, 1, trial)
        self._until, self._since, self._passed = trial.history.until, known.came, 0
        asking, steps = self._plan.asking, self._plan.steps
        if known.consented < math.inf:
            self._passed = asking + 1
        passed = {each.name for each in steps[: self._passed]}
        for attributes, failing, chance in _possible(person, passed, trial):
            self.attributes, self._failing, self._chance = attributes, failing, chance
            if known.consented == math.inf or self._is_still_there(known):
                break
        self._steps = self._passed

    def _is_still_there(self, known: KnownPerson) -> bool:
        """Say whether this one would be in screening on that day; note what is over by then."""
        plan, criteria = self._plan, self._trial.protocol.criteria
        self._consented = known.consented
        self._drawn = self._sampled = ended = min(known.screened, self._until)
        called = plan.last_due(ended, self._sampled, self._wait)
        self._withdraws = self._chance.withdraws_at(self._person, 1, known.consented, called)
        self._passed, self._since = plan.asking + 1, ended
        for step in plan.steps[self._passed : -1]:
            due = step.due(self._since, self._sampled, self._wait(step))
            if due > self._until:
                break
            if any(criteria[index].at == step.name for index in self._failing):
                return False
            self._since, self._passed = due, self._passed + 1
        return self._withdraws > self._until

    def go_on(self) -> Instant:
        """Take the steps that are to come; return when the last one ends."""
        trial, steps = self._trial, self._plan.steps
        now = yield trial.until(self._until)
        _judge(self._person, now, steps[: self._passed], (), trial)
        return (yield from self.walk(self._since, self._passed))

    def _due(self, step: PlannedStep, since: float) -> float:
        return max(super()._due(step, since), self._until)

"""What a scenario implies without saying so: figures to hold against experience before any run."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import count
from operator import mul
from statistics import mean, stdev
from typing import Literal, NamedTuple, cast

from sim.model.chance import Chance
from sim.model.queue import Held
from sim.model.run import run
from sim.model.screening import consent_given, randomised_at, sample_taken
from sim.scenario.capacity import Week, week
from sim.scenario.load import Scenario
from sim.scenario.protocol import Arm, PlannedStep, Protocol
from sim.scenario.slots import VisitType
from sim.scenario.steps import DRAW_BLOOD
from sim.vocabulary.clock import DAYS_PER_WEEK, MINUTES_PER_DAY, MINUTES_PER_HOUR
from sim.vocabulary.eventlog import OVERHEAD, Milestone
from sim.vocabulary.streams import of_attempt

FULL_TIME_HOURS = 37.5
SEED = 1
CANDIDATES = 4000
MOST_REPLICATIONS, MOST_FACTS = 30, 100_000
IMPROBABLE = 1e-6
"""Of an attempt at screening: it counts for nothing, and neither do those after it."""


class Estimate(NamedTuple):
    """A figure reckoned from drawn candidates, and its standard error."""

    value: float
    error: float


class Candidate(NamedTuple):
    """Which criteria a candidate fails, by index, and the instants of a way on which nobody waits.

    They are in minutes since the candidate came: consent, the end of each step, randomisation, and
    when the last step would be due if visits took no time. All are of the first attempt; `later`
    ones stand with the probability that they are made if the person consents.
    """

    failing: tuple[int, ...]
    consented: float
    known: tuple[float, ...]
    called: float
    randomised: float
    later: tuple[tuple[float, Candidate], ...] = ()

    @property
    def attempts(self) -> tuple[tuple[float, Candidate], ...]:
        """All attempts, each with its probability."""
        return ((1.0, self), *self.later)


class Overhead(NamedTuple):
    """The hours a week of a role's overhead that are worked, and the standard error of the mean."""

    role: str
    hours: float
    error: float


class ScreeningEnds(NamedTuple):
    """Shares of those who consented and whose screening ended, as a few replications have them."""

    failed: float
    withdrew: float


class Simulated(NamedTuple):
    """What a few replications find where staff, opening hours and the target count."""

    screening: ScreeningEnds | None
    """None where nobody consented."""
    overhead: tuple[Overhead, ...]


class Dropout(NamedTuple):
    """The share of an arm that has left, for any reason, so many weeks after randomisation."""

    arm: str
    by_week: float
    share: float


class FullTime(NamedTuple):
    """A role's hours a week for one person, how many people, and whether these are means."""

    role: str
    hours: float
    people: float | Literal["unlimited"]
    is_mean: bool


def candidates(protocol: Protocol, number: int = CANDIDATES) -> list[Candidate]:
    """Draw candidates, consent and withdrawal apart."""
    chance = Chance(protocol, SEED, 1)
    return [_candidate(protocol, chance, person) for person in range(number)]


def _candidate(protocol: Protocol, chance: Chance, person: int) -> Candidate:
    """Return a candidate with all attempts that are not too improbable."""
    plan, attempts = protocol.screening, [(1.0, _attempt(protocol, chance, person, 1, 0.0))]
    for number in count(1):
        probability, attempt = attempts[-1]
        first, again = _fails_first(protocol, attempt), plan.rescreening
        if first is None or again is None:
            break
        place, criterion = first
        probability *= again.share * (1 - plan.withdraws * _until_out(protocol, attempt))
        if not again.is_open_to(criterion, number) or probability < IMPROBABLE:
            break
        question = of_attempt("until rescreening", number)
        came = attempt.known[place] + chance.wait_minutes(question, again.after_days, person)
        attempts.append((probability, _attempt(protocol, chance, person, number + 1, came)))
    (_, candidate), *later = attempts
    return candidate._replace(later=tuple(later))


def _attempt(
    protocol: Protocol, chance: Chance, person: int, number: int, came: float
) -> Candidate:
    """Let somebody go through screening as the model does, every team being there at once."""
    plan, now, sampled, drawn = protocol.screening, came, came, came
    held, known = Held(now, now), list[float]()
    consented = called = came

    def wait(luck: str, step: PlannedStep | None) -> float:
        return chance.wait_minutes(of_attempt(luck, number), plan.wait_days(step), person)

    def hold(visit: VisitType, row: str, due: float) -> Held:
        return _held(visit, of_attempt(row, number), chance, person, due)

    for index, step in enumerate(plan.steps):
        due = step.due(now, sampled, wait(step.luck, step))
        if step is plan.steps[-1] and _ends(step, due) > drawn + plan.valid_for_minutes:
            repeat = hold(plan.repeat_blood.visit, "repeat_blood", due)
            due = repeat.end + wait("laboratory again", plan.results)
        held = Held(due, due)
        if step.slots is not None:
            held = hold(step.slots.visit, step.occasion, due)
        now, sampled = held.end, sample_taken(held)
        if index == plan.asking:
            consented = consent_given(held)
            called = plan.last_due(now, sampled, lambda later: wait(later.luck, later))
        if index == plan.asking or (step.is_visit and DRAW_BLOOD in held.ends):
            drawn = sampled
        known.append(now)
    failing = protocol.failing(chance.attributes(person, number))
    randomised = randomised_at(plan.steps[-1], held)
    return Candidate(failing, consented, tuple(known), called, randomised)


def _fails_first(protocol: Protocol, attempt: Candidate) -> tuple[int, str] | None:
    """Return at which step an attempt fails which criterion first; None: at none."""
    failed = [protocol.criteria[index] for index in attempt.failing]
    found = (
        (place, each.name)
        for place, step in enumerate(protocol.screening.steps)
        for each in failed
        if each.at == step.name
    )
    return next(found, None)


def _ends(step: PlannedStep, due: float) -> float:
    """Return when a step that is done at once is expected to end."""
    return due + (0.0 if step.slots is None else step.slots.visit.typical_minutes)


def _held(visit: VisitType, occasion: str, chance: Chance, person: int, start: float) -> Held:
    """Return a visit at which one task follows another."""
    held = Held(start, start)
    for task in visit.tasks:
        held.end += chance.minutes(task, person, occasion)
        held.ends[task.name] = held.end
    return held


def passing(drawn: Sequence[Candidate]) -> float:
    """Return the share of candidates who meet every criterion, at whichever attempt."""
    every = (attempt for each in drawn for attempt in each.attempts)
    return math.fsum(made for made, attempt in every if not attempt.failing) / len(drawn)


def randomised_per_month(protocol: Protocol, passing: float) -> float:
    """Return how many a month are randomised if nobody waits, season and disruptions apart."""
    stays = protocol.screening.consents * (1 - protocol.screening.withdraws)
    return protocol.candidates_per_month * passing * stays


def expected_randomised(protocol: Protocol, drawn: Sequence[Candidate]) -> Estimate:
    """Return how many are randomised by the last day of recruitment, on average.

    As if nobody waited and no target stopped it: the rate with its season and disruptions, up to
    the last instant at which somebody may come and be through screening in time, times the share
    who meet every criterion, consent and do not withdraw.
    """
    last, share = protocol.recruits_until_minutes, randomised_per_month(protocol, 1.0)
    return _estimate(
        [
            share
            * math.fsum(
                made * protocol.expected_by(last - attempt.randomised)
                for made, attempt in each.attempts
                if not attempt.failing
            )
            for each in drawn
        ]
    )


def step_failures(protocol: Protocol, drawn: Sequence[Candidate]) -> Iterator[tuple[str, Estimate]]:
    """Yield each criterion and step of the funnel with the share failing of those who reach it.

    At the first attempt, as if nobody waited: somebody who withdraws and fails does what comes
    first. Shares of nobody are nan.
    """
    plan, reaching = protocol.screening, list(drawn)
    for place, step in enumerate(plan.steps):
        if place == plan.asking:
            yield "consent", Estimate(1 - plan.consents, 0.0)
            asked = reaching
        here = [index for index, each in enumerate(protocol.criteria) if each.at == step.name]
        for index in here:
            failing = [float(index in each.failing) for each in reaching]
            yield protocol.criteria[index].name, _estimate(failing)
        reaching = [each for each in reaching if not {*here} & {*each.failing}]
    withdrawn = [plan.withdraws * _until_out(protocol, each) for each in asked]
    yield "withdrawal", _estimate(withdrawn)


def _until_out(protocol: Protocol, candidate: Candidate) -> float:
    """Return the share of the time from consent to the call that passes before a failure."""
    whole, first = candidate.called - candidate.consented, _fails_first(protocol, candidate)
    if first is None:
        return 1.0
    out = candidate.known[first[0]] - candidate.consented
    return min(1.0, max(0.0, out / whole)) if whole > 0 else 0.0


def _estimate(values: Sequence[float]) -> Estimate:
    """Return the mean of independent values: nan of none, its error unknown from one."""
    if not values:
        return Estimate(math.nan, math.nan)
    error = stdev(values) / math.sqrt(len(values)) if len(values) > 1 else math.nan
    return Estimate(mean(values), error)


def simulated(protocol: Protocol) -> Simulated:
    """Return what up to 30 replications found; of a large trial as many as have 100,000 facts.

    These are two or more. All assumptions are at their values.
    """
    end, protocol = float(protocol.clock.days * MINUTES_PER_DAY), replace(protocol, beliefs=())
    weeks, facts = protocol.clock.days / DAYS_PER_WEEK, 0
    ends: Counter[Milestone] = Counter()
    found: dict[int, list[float]] = {member: [] for member in protocol.overhead}
    for replication in range(1, MOST_REPLICATIONS + 1):
        log = run(protocol, SEED, replication)
        ends.update(each.milestone for each in log.last_attempts())
        minutes = dict.fromkeys(found, 0.0)
        for work in log.work:
            if work.task == OVERHEAD:
                minutes[work.resource] += min(work.ended, end) - min(work.started, end)
        for member, worked in minutes.items():
            found[member].append(worked / MINUTES_PER_HOUR / weeks)
        facts += len(log.moments) + len(log.visits) + len(log.work)
        if facts > MOST_FACTS and replication > 1:
            break
    overhead = tuple(
        Overhead(protocol.resources[member].name, mean(hours), stdev(hours) / math.sqrt(len(hours)))
        for member, hours in found.items()
    )
    return Simulated(_screening_ends(ends), overhead)


def _screening_ends(ends: Counter[Milestone]) -> ScreeningEnds | None:
    failed, withdrew = ends[Milestone.SCREEN_FAILED], ends[Milestone.WITHDREW_IN_SCREENING]
    ended = failed + withdrew + ends[Milestone.RANDOMISED]
    return ScreeningEnds(failed / ended, withdrew / ended) if ended else None


def dropout(protocol: Protocol) -> Iterator[Dropout]:
    """Yield each arm's dropout in as many weeks as its plan has: all reasons together.

    As if everybody were followed so long: whoever completes before does not leave any more.
    """
    for arm in protocol.arms:
        weeks = arm.plan_days / DAYS_PER_WEEK
        yield Dropout(arm.name, weeks, left_by(protocol, arm, weeks))


def left_by(protocol: Protocol, arm: Arm, weeks: float) -> float:
    """Return the share of an arm that has left so many weeks after randomisation."""
    minutes = weeks * DAYS_PER_WEEK * MINUTES_PER_DAY
    hazard = sum(reason.hazards[arm.index].cumulative(minutes) for reason in protocol.reasons)
    return -math.expm1(-hazard)


def full_time(scenario: Scenario) -> Iterator[FullTime]:
    """Yield the hours a week of each role, public holidays and absences of hours apart.

    Of a role that has changes or absences they are the mean of the trial's days.
    """
    trial = scenario.design.trial
    days = [trial.opens + timedelta(days=n) for n in range((trial.closes - trial.opens).days + 1)]
    for name, role in scenario.design.staff.items():
        varies = bool(role.changes or role.absences)
        there = [role.on(day) for day in (days if varies else days[:1])]
        people, hours = [units for units, _ in there], [_hours(each) for _, each in there]
        if None in people:
            yield FullTime(name, sum(hours) / len(hours), "unlimited", varies)
            continue
        number = sum(units or 0 for units in people)
        worked = sum(map(mul, hours, cast("list[int]", people)))
        mean = worked / number if number else _hours(week(role.hours))
        yield FullTime(name, mean, number / len(people), varies)


def _hours(roster: Week) -> float:
    return sum(end - start for spans in roster for start, end in spans) / MINUTES_PER_HOUR

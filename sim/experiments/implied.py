"""What a scenario implies without saying so: figures to hold against experience before any run."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import timedelta
from operator import mul
from statistics import mean, stdev
from typing import Literal, NamedTuple, cast

from sim.model.chance import Chance
from sim.model.run import run
from sim.results.counts import STEPS
from sim.scenario.capacity import Week, week
from sim.scenario.load import Scenario
from sim.scenario.protocol import Protocol
from sim.vocabulary.clock import DAYS_PER_WEEK, MINUTES_PER_DAY, MINUTES_PER_HOUR
from sim.vocabulary.eventlog import OVERHEAD, EventLog, Milestone

FULL_TIME_HOURS = 37.5
SEED = 1
CANDIDATES = 4000
CONSENTED, MOST_REPLICATIONS, MOST_FACTS = 2000, 30, 100_000


class Candidate(NamedTuple):
    """The indices of the criteria a candidate fails, and how long each wait takes, in minutes."""

    failing: tuple[int, ...]
    contact: float
    laboratory: float
    work_up: float

    @property
    def wait(self) -> float:
        """From the chart to the eligibility call."""
        return self.contact + self.laboratory + self.work_up


class Overhead(NamedTuple):
    """The hours a week of a role's overhead that are worked, and the standard error of the mean."""

    role: str
    hours: float
    error: float


class ScreeningEnds(NamedTuple):
    """Shares of those who consented and whose screening ended, as a few replications have them."""

    failed: float
    withdrew: float


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
    chance, steps = Chance(protocol, SEED, 1), protocol.screening
    return [
        Candidate(
            protocol.failing(chance.attributes(person)),
            *(
                chance.wait_minutes(question, days, person)
                for question, days in (
                    ("contact", steps.contact_days),
                    ("laboratory", steps.lab_days),
                    ("work-up", steps.work_up_days),
                )
            ),
        )
        for person in range(number)
    ]


def passing(drawn: Sequence[Candidate]) -> float:
    """Return the share of candidates who meet every criterion."""
    return sum(not each.failing for each in drawn) / len(drawn)


def randomised_per_month(protocol: Protocol, passing: float) -> float:
    """Return how many a month are randomised if nobody waits, season and disruptions apart."""
    stays = protocol.screening.consents * (1 - protocol.screening.withdraws)
    return protocol.candidates_per_month * passing * stays


def expected_randomised(protocol: Protocol, drawn: Sequence[Candidate]) -> float:
    """Return how many are randomised by the last day of recruitment, on average.

    As if nobody waited and no target stopped it: the rate with its season and disruptions, up to
    the last instant at which somebody may come and be through screening in time, times the share
    who meet every criterion, consent and do not withdraw.
    """
    last = protocol.recruits_until_minutes
    in_time = sum(_expected_by(protocol, last - each.wait) for each in drawn if not each.failing)
    return randomised_per_month(protocol, in_time / len(drawn))


def _expected_by(protocol: Protocol, minutes: float) -> float:
    """Return the candidates expected by an instant, were the rate one a month."""
    by_day = protocol.expected_candidates
    days = minutes / MINUTES_PER_DAY
    if days <= 0:
        return 0.0
    day = min(int(days), len(by_day) - 2)
    return by_day[day] + (by_day[day + 1] - by_day[day]) * min(days - day, 1.0)


def step_failures(protocol: Protocol, drawn: Sequence[Candidate]) -> Iterator[tuple[str, float]]:
    """Yield each criterion and step of the funnel with the share failing of those who reach it.

    As if nobody waited: somebody who withdraws and fails does what comes first, a visit taking no
    time. Shares of nobody are nan.
    """
    steps, reaching = protocol.screening, list(drawn)
    for step in STEPS:
        here = [index for index, each in enumerate(protocol.criteria) if each.at == step]
        for index in here:
            yield protocol.criteria[index].name, _mean([index in each.failing for each in reaching])
        reaching = [each for each in reaching if not {*here} & {*each.failing}]
        if step == "chart":
            yield "consent", 1 - steps.consents
            asked = reaching
    yield "withdrawal", steps.withdraws * _mean([_until_out(protocol, each) for each in asked])


def _until_out(protocol: Protocol, candidate: Candidate) -> float:
    """Return the share of the time from consent to the call that passes before a failure."""
    if not candidate.failing:
        return 1.0
    whole = candidate.laboratory + candidate.work_up
    at_visit = any(protocol.criteria[index].at == "visit" for index in candidate.failing)
    return 0.0 if at_visit or not whole else candidate.laboratory / whole


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else math.nan


def _replications(protocol: Protocol) -> Iterator[EventLog]:
    """Yield up to 30 replications; of a large trial as many as have 100,000 facts, and two."""
    facts = 0
    for replication in range(1, MOST_REPLICATIONS + 1):
        yield (log := run(protocol, SEED, replication))
        facts += len(log.moments) + len(log.visits) + len(log.work)
        if facts > MOST_FACTS and replication > 1:
            return


def overhead_hours(protocol: Protocol) -> Iterator[Overhead]:
    """Yield the hours of overhead that some replications have, by role: a share of all its work."""
    end = float(protocol.clock.days * MINUTES_PER_DAY)
    found: dict[int, list[float]] = {member: [] for member in protocol.overhead}
    for log in _replications(protocol) if found else ():
        minutes = dict.fromkeys(found, 0.0)
        for work in log.work:
            if work.task == OVERHEAD:
                minutes[work.resource] += min(work.ended, end) - min(work.started, end)
        for member, worked in minutes.items():
            found[member].append(worked / MINUTES_PER_HOUR * DAYS_PER_WEEK / protocol.clock.days)
    for member, hours in found.items():
        yield Overhead(
            protocol.resources[member].name, mean(hours), stdev(hours) / math.sqrt(len(hours))
        )


def screening_ends(protocol: Protocol) -> ScreeningEnds | None:
    """Return how screening ends in some replications; None where nobody consented."""
    ends: Counter[Milestone] = Counter()
    for log in _replications(protocol):
        ends.update(each.milestone for each in log.moments)
        if ends[Milestone.CONSENTED] >= CONSENTED:
            break
    failed, withdrew = ends[Milestone.SCREEN_FAILED], ends[Milestone.WITHDREW_IN_SCREENING]
    ended = failed + withdrew + ends[Milestone.RANDOMISED]
    return ScreeningEnds(failed / ended, withdrew / ended) if ended else None


def dropout(protocol: Protocol) -> Iterator[Dropout]:
    """Yield each arm's dropout in as many weeks as its plan has: all reasons together."""
    for arm in protocol.arms:
        days = max((visit.days_after_first_dose for visit in arm.visits), default=0)
        minutes = days * MINUTES_PER_DAY
        hazard = sum(reason.hazards[arm.index].cumulative(minutes) for reason in protocol.reasons)
        yield Dropout(arm.name, days / DAYS_PER_WEEK, -math.expm1(-hazard))


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

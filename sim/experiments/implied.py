"""What a scenario implies without saying so: figures to hold against experience before any run."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from typing import Literal, NamedTuple

from sim.meaning.hours import week
from sim.meaning.protocol import Arm, Protocol
from sim.meaning.scenario import Scenario
from sim.vocabulary.clock import DAYS_PER_WEEK, MINUTES_PER_DAY, MINUTES_PER_HOUR
from sim.vocabulary.eventlog import Milestone
from sim.world.chance import Chance
from sim.world.run import run

FULL_TIME_HOURS = 37.5
SEED = 1
CANDIDATES = 4000
CONSENTED, MOST_REPLICATIONS = 2000, 30


class Screening(NamedTuple):
    """Shares of those who consented and whose screening ended, as a few replications have them."""

    failed: float
    withdrew: float


class Dropout(NamedTuple):
    """The share of an arm that has left, for any reason, by its last planned visit."""

    arm: str
    by_week: float
    share: float


class FullTime(NamedTuple):
    """A role's hours a week for one person, and how many people."""

    role: str
    hours: float
    people: int | Literal["unlimited"]


def passing(protocol: Protocol) -> float:
    """Return the share of candidates who meet every criterion, among 4,000 drawn."""
    chance = Chance(protocol, SEED, 1)
    drawn = (chance.attributes(person) for person in range(CANDIDATES))
    return sum(not protocol.failing(attributes) for attributes in drawn) / CANDIDATES


def randomised_per_month(protocol: Protocol, passing: float) -> float:
    """Return how many a month are randomised if nobody waits, season and disruptions apart."""
    stays = protocol.screening.consents * (1 - protocol.screening.withdraws)
    return protocol.recruitment.candidates_per_month * passing * stays


def screening(protocol: Protocol) -> Screening | None:
    """Return how screening ends in up to 30 replications; None where nobody consented."""
    ends: Counter[Milestone] = Counter()
    for replication in range(1, MOST_REPLICATIONS + 1):
        ends.update(milestone for _, _, milestone, _ in run(protocol, SEED, replication).moments)
        if ends[Milestone.CONSENTED] >= CONSENTED:
            break
    failed, withdrew = ends[Milestone.SCREEN_FAILED], ends[Milestone.WITHDREW_IN_SCREENING]
    ended = failed + withdrew + ends[Milestone.RANDOMISED]
    return Screening(failed / ended, withdrew / ended) if ended else None


def dropout(protocol: Protocol) -> Iterator[Dropout]:
    """Yield each arm's total dropout: all reasons together, by the last planned visit."""
    for arm in protocol.arms:
        days = _last_day(arm)
        hazard = sum(reason.hazards[arm.index] for reason in protocol.reasons)
        share = -math.expm1(-hazard * days * MINUTES_PER_DAY)
        yield Dropout(arm.name, days / DAYS_PER_WEEK, share)


def _last_day(arm: Arm) -> int:
    return max((visit.days_after_first_dose for visit in arm.visits), default=0)


def full_time(scenario: Scenario) -> Iterator[FullTime]:
    """Yield the hours a week of each role, in a week without holidays."""
    for name, role in scenario.design.staff.items():
        minutes = sum(end - start for spans in week(role.hours) for start, end in spans)
        people = role.people if role.people == "unlimited" else role.people.value
        yield FullTime(name, minutes / MINUTES_PER_HOUR, people)

"""What `check` says a scenario implies, beside what replications of it find.

Numbers other than the rate are at their values on both sides.

`python -m tests.implied_and_found [--replications N]` writes the table of all shipped scenarios.
What ignores queues and the target is looked for in a trial without either; shares are of people,
who are independent of each other, and everything else is of replications.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from math import inf
from pathlib import Path
from typing import NamedTuple

import numpy as np
from scipy import stats

from sim.experiments import implied
from sim.model.run import run
from sim.results.periods import Almanac
from sim.results.replication import Reading
from sim.scenario.interpret import interpret
from sim.scenario.load import load, shipped
from sim.scenario.protocol import Arm, Protocol
from sim.scenario.slots import Slots
from sim.vocabulary.clock import DAYS_PER_WEEK, MINUTES_PER_DAY, WEEKDAYS
from sim.vocabulary.eventlog import OVERHEAD, EventLog, Milestone

SEED = 20_221_001  # another one than that of what is implied
CANDIDATES = 20_000
EARLY_WEEKS = 4
WEEK = DAYS_PER_WEEK * MINUTES_PER_DAY

RATE_ALONE = "assumptions.uncertain=rate"
NOBODY_FOLLOWED = (
    *("design.trial.target=none", "design.schedule={}", "design.unscheduled={}"),
    "design.randomisation.caps={}",
    *("design.monitoring=none", "targets={}", "go_no_go=null", "sweep=null"),
    *("assumptions.unscheduled={}", "assumptions.overhead={}"),
)
"""Only screening is left, and the trial is never full."""


class Figure(NamedTuple):
    """A figure implied and found, each with its standard error.

    `freedom` are the degrees of freedom of the less certain error.
    """

    scenario: str
    name: str
    implied: float
    implied_error: float
    found: float
    found_error: float
    freedom: float = np.inf

    @property
    def z(self) -> float:
        """By how many standard errors they differ; 0 where both are the same for certain."""
        difference = self.found - self.implied
        return difference / np.hypot(self.implied_error, self.found_error) if difference else 0.0

    @property
    def p(self) -> float:
        """How probable it is that they differ by so much by chance."""
        return float(2 * stats.t.sf(abs(self.z), self.freedom))


def figures(path: Path, overrides: Sequence[str], replications: int) -> Iterator[Figure]:
    """Yield all figures of a scenario that its replications can be asked for."""
    name = " ".join([path.stem, *overrides])
    overrides = [*overrides, RATE_ALONE]
    protocol = interpret(load(path, overrides))
    yield from _of_the_trial(name, protocol, replications)
    unhindered = interpret(load(path, [*overrides, *nobody_waits(protocol)]))
    yield from _of_screening(name, unhindered, replications)


def nobody_waits(protocol: Protocol) -> Iterator[str]:
    """Yield the overrides under which nobody waits for staff, a room or opening hours."""
    yield from NOBODY_FOLLOWED
    for each in protocol.resources:
        section, many, away = (
            ("staff", "people", "away") if each.kind == "role" else ("rooms", "spaces", "closures")
        )
        free = f"{{{many}: unlimited, hours: always, changes: [], {away}: []}}"
        yield f"design.{section}.{each.name}={free}"
    days = ", ".join(WEEKDAYS)
    for place in {slots.place for slots in _offered(protocol)} - {""}:
        yield f"design.places.{place}={{country: none, days: [{days}], closures: []}}"


def _offered(protocol: Protocol) -> Iterator[Slots]:
    yield from (step.slots for step in protocol.screening.steps if step.slots is not None)
    yield from (
        slots for arm in protocol.arms for row in arm.rows for slots in row[0].offer.choices
    )


def _of_the_trial(name: str, protocol: Protocol, replications: int) -> Iterator[Figure]:
    """Yield what counts queues and the target in, and leaving, which neither of them changes."""
    almanac = Almanac.of(protocol)
    weeks = protocol.clock.days / DAYS_PER_WEEK
    stays: list[list[tuple[float, bool]]] = [[] for _ in protocol.arms]
    overhead: list[list[float]] = []
    ends: list[Counter[Milestone]] = []
    for number in range(1, replications + 1):
        reading = Reading(run(protocol, SEED, number), almanac)
        hours = reading.workload.by_task
        roles = [protocol.resources[member].name for member in protocol.overhead]
        overhead.append([hours.get((role, OVERHEAD), 0.0) / weeks for role in roles])
        ends.append(Counter(each.milestone for each in reading.log.moments))
        for index, stay in _stays(reading):
            stays[index].append(stay)
    for dropout, arm in zip(implied.dropout(protocol), protocol.arms, strict=True):
        for by_week in sorted({min(EARLY_WEEKS, dropout.by_week), dropout.by_week}):
            yield _left(name, protocol, arm, by_week, stays[arm.index])
    for each, found in zip(implied.simulated(protocol).overhead, np.array(overhead).T, strict=True):
        yield Figure(
            name,
            f"overhead of {each.role}, hours a week",
            each.hours,
            each.error,
            found.mean(),
            _error(found),
            implied.MOST_REPLICATIONS - 1,
        )


def _stays(reading: Reading) -> Iterator[tuple[int, tuple[float, bool]]]:
    """Yield the arm of everyone randomised, how many weeks they stayed, and whether they left."""
    end, moments = reading.almanac.protocol.clock.end_minutes, reading.moments
    out = {each.person: each.time for each in moments[Milestone.COMPLETED]}
    left = {each.person: each.time for each in moments[Milestone.LEFT]}
    for person, since, _, arm in moments[Milestone.RANDOMISED]:
        until = left.get(person, out.get(person, end))
        yield arm, ((until - since) / WEEK, person in left)


def _left(
    name: str, protocol: Protocol, arm: Arm, weeks: float, stays: list[tuple[float, bool]]
) -> Figure:
    """Return the share that has left by a week: Nelson and Aalen's estimate, of those at risk.

    Whoever completes or is inside at the closing is censored then (Aalen 1978, Ann Stat 6:701). The
    error is that under the law, by the number who would leave while they are at risk.
    """
    stayed, has_left = np.array(sorted(stays)).T
    at_risk = np.arange(len(stays), 0, -1)
    cumulative = (1 / at_risk[(has_left > 0) & (stayed <= weeks)]).sum()
    share = implied.left_by(protocol, arm, weeks)
    followed = np.minimum(stayed, weeks)
    leaving = sum(-np.log1p(-implied.left_by(protocol, arm, each)) for each in followed)
    law = -np.log1p(-share)
    return Figure(
        name,
        f"{arm.name} left by week {weeks:g}",
        share,
        0.0,
        -np.expm1(-cumulative),
        (1 - share) * law / np.sqrt(leaving) if leaving else 0.0,
    )


def _of_screening(name: str, protocol: Protocol, replications: int) -> Iterator[Figure]:
    """Yield what is reckoned as if nobody waited and no target stopped it."""
    drawn = implied.candidates(protocol, CANDIDATES)
    longest = max(each.randomised for each in drawn)
    expected = implied.expected_randomised(protocol, drawn)
    randomised: list[float] = []
    reached, failed = Counter[str](), Counter[str]()
    for number in range(1, replications + 1):
        log = run(protocol, SEED, number)
        # A rate above its mean brings more by as much: known, and most of the spread.
        more = log.candidates_per_month_drawn / protocol.candidates_per_month - 1
        all_randomised = sum(each.milestone is Milestone.RANDOMISED for each in log.moments)
        randomised.append(all_randomised - more * expected.value)
        _count_steps(log, protocol, protocol.recruits_until_minutes - longest, reached, failed)
    yield Figure(
        name,
        "randomised",
        *expected,
        float(np.mean(randomised)),
        _error(np.array(randomised)),
    )
    for step, (share, error) in implied.step_failures(protocol, drawn):
        of = reached[step]
        by_law = np.sqrt(share * (1 - share) / of)
        yield Figure(name, f"failing {step}", share, error, failed[step] / of, by_law)


def _count_steps(
    log: EventLog, protocol: Protocol, until: float, reached: Counter[str], failed: Counter[str]
) -> None:
    """Add how many reached each step and failed it, of those who came early enough to end."""
    came = {p for p, time, what, _ in log.moments if what is Milestone.CANDIDATE and time < until}
    again = {p: time for p, time, what, _ in reversed(log.moments) if what is Milestone.RESCREENED}
    met = [
        (what, detail)
        for person, time, what, detail in log.moments
        if person in came and time < again.get(person, inf)
    ]
    steps = [detail for what, detail in met if what is Milestone.JUDGED]
    for index, criterion in enumerate(protocol.criteria):
        judged = [failing for step, failing in steps if step == criterion.at]
        reached[criterion.name] += len(judged)
        failed[criterion.name] += sum(index in failing for failing in judged)
    number = Counter(what for what, _ in met)
    reached["consent"] += number[Milestone.NOT_CONSENTING] + number[Milestone.CONSENTED]
    failed["consent"] += number[Milestone.NOT_CONSENTING]
    reached["withdrawal"] += number[Milestone.CONSENTED]
    failed["withdrawal"] += number[Milestone.WITHDREW_IN_SCREENING]


def _error(samples: np.typing.NDArray[np.float64]) -> float:
    return float(samples.std(ddof=1) / np.sqrt(samples.size))


def disagreeing(table: Sequence[Figure], level: float) -> list[Figure]:
    """Return the figures in which the sides differ, by Holm's procedure (1979, Scand J Stat 6:65).

    The probability that any is named though none differs is at most `level`.
    """
    by_p = sorted(table, key=lambda each: each.p)
    for place, each in enumerate(by_p):
        if each.p > level / (len(table) - place):
            return by_p[:place]
    return by_p


def line(each: Figure) -> str:
    """Return a figure as a row of a table."""
    implied_one, found = (
        f"{value:.4g} ± {1.96 * error:.1g}" if error else f"{value:.4g}"
        for value, error in ((each.implied, each.implied_error), (each.found, each.found_error))
    )
    return f"| `{each.scenario}` | {each.name} | {implied_one} | {found} | {each.z:+.1f} |"


def main() -> None:
    """Write the table, a scenario at a time."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--replications", type=int, default=2000)
    asked = parser.parse_args()
    for path in sorted(shipped().glob("*.yaml")):
        for each in figures(path, (), asked.replications):
            sys.stdout.write(f"{line(each)}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()

"""Whole protocols drawn at random: refused with a reason, or run with what holds in every run."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from sim.model.run import run
from sim.results.counts import COUNTS
from sim.results.measures import measures_of
from sim.results.periods import Almanac
from sim.results.replication import OUT_OF_SCREENING, Reading
from sim.scenario.interpret import interpret
from sim.scenario.load import ScenarioError, load
from sim.scenario.protocol import Protocol
from sim.scenario.slots import Resource
from sim.vocabulary.clock import MINUTES_PER_DAY
from sim.vocabulary.eventlog import NOBODY, Awaited, EventLog, Milestone, Work
from tests.mutants import flow
from tests.protocols import protocols

ROUNDING = 1e-6
PAPERWORK = {"chart_review", "eligibility_call"}
PARTS = {
    "candidates": "not_eligible_on_chart not_consenting screen_failed withdrew_in_screening"
    " turned_away randomised still_in_screening",
    "randomised": "completed left still_in_follow_up",
}
AT_RANDOMISATION = {Milestone.RANDOMISED, Milestone.DAY_1}
ENDS = {*OUT_OF_SCREENING, Milestone.LEFT, Milestone.COMPLETED} - {Milestone.RANDOMISED}


@pytest.mark.parametrize(
    "examples",
    [
        40,
        pytest.param(120, marks=pytest.mark.slow),
        pytest.param(2000, marks=pytest.mark.nightly),
    ],
)
def test_a_protocol_is_refused_or_everybody_and_everything_is_accounted_for(
    examples: int, tmp_path: Path
) -> None:
    """Most are sound, and in most somebody is randomised: else nothing would be looked at."""
    ended: Counter[str] = Counter()

    @settings(
        max_examples=examples,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate, Phase.shrink],
    )
    @given(written=protocols())
    def each(written: dict[str, Any]) -> None:
        came_to = outcome(written, tmp_path / "drawn.yaml")
        assert came_to in {"refused", "ran", "randomised"}
        ended[came_to] += 1

    each()
    assert ended["ran"] + ended["randomised"] > 0.55 * examples
    assert ended["randomised"] > 0.4 * examples


def outcome(written: dict[str, Any], path: Path) -> str:
    """Look at a scenario and return what became of it: refused, ran or randomised somebody."""
    path.write_text(flow(written), encoding="utf-8")
    try:
        protocol = interpret(load(path))
    except ScenarioError as error:
        unplaced = [str(each) for each in error.problems if not (each.path and each.line)]
        return f"refused without a place: {unplaced[0]}" if unplaced else "refused"
    reading = Reading(run(protocol, seed=1, replication=1), Almanac.of(protocol))
    for faults in (
        miscounted(reading),
        misplanned(reading),
        ended_twice(reading.log, frozenset.union(*(a.rows_after_leaving for a in protocol.arms))),
        in_two_places(reading.log),
        overworked(protocol, reading.log),
        unexplained(reading),
    ):
        assert not list(faults)
    return "randomised" if reading.arm_of else "ran"


def miscounted(reading: Reading) -> Iterator[str]:
    """Yield the sums of people that do not come out."""
    found = measures_of(reading)
    for whole, text in PARTS.items():
        parts = {part: found[part] for part in text.split()}
        if found[whole] != sum(parts.values()) or min(parts.values()) < 0:
            yield f"{whole}: {parts}"


def misplanned(reading: Reading) -> Iterator[object]:
    """Yield the visits planned that do not have one outcome each.

    Planned are those whose anchor came: after each visit held, and on milestones. Whoever completed
    has been at, or missed, all but the doses given up.
    """
    counts = Counter[tuple[object, ...]]()
    read: Any = COUNTS["visits"].gauges[0].read(reading)
    for (*visit, kind, _), number in read.items():
        counts[(*visit, kind == "planned")] += number
    for *visit, is_planned in list(counts):
        if counts[(*visit, is_planned)] != counts[(*visit, not is_planned)]:
            yield visit
        if read[(*visit, "not_reached", "completed")]:
            yield visit
    visits = [each for each in reading.log.visits if each.is_in_schedule]
    held = {(v.person, f"{v.row} {v.number}") for v in visits if not v.is_missed}
    for person, index in reading.arm_of.items():
        arm = reading.almanac.protocol.arms[index]
        found = {
            each.occasion
            for place, (its_arm, each) in enumerate(reading.almanac.plan)
            if its_arm is arm and reading.courses.planned[place, person]
        }
        for visit in arm.visits:
            coming = arm.anchors.get(visit.anchor)
            if coming is None:
                has_come = (person, visit.anchor) in held
            else:
                has_come = coming.milestone in AT_RANDOMISATION or coming.milestone is None
                has_come |= any(
                    each.person == person and coming.is_for(each.detail)
                    for each in reading.log.moments
                    if each.milestone is coming.milestone
                )
            if (visit.occasion in found) > has_come or (visit.occasion in found) < (
                has_come and (coming is None or coming.milestone is not None)
            ):
                yield person, visit.occasion


def ended_twice(log: EventLog, rows_after_leaving: frozenset[str]) -> Iterator[int]:
    """Yield whoever ended in more than one way, and whoever was seen after it and not for it."""
    ended: dict[int, float] = {}
    for person, time, what, _ in log.last_attempts():
        if what in ENDS:
            if person in ended:
                yield person
            ended[person] = time
    for visit in log.visits:
        is_before = visit.is_in_schedule and visit.row not in rows_after_leaving
        if is_before and visit.time > ended.get(visit.person, visit.time):
            yield visit.person


def in_two_places(log: EventLog) -> Iterator[object]:
    """Yield whoever is at two visits at once."""
    spans = defaultdict[int, set[tuple[float, float]]](set)
    for work in log.work:
        if not work.is_desk and work.visit not in PAPERWORK and work.person != NOBODY:
            spans[work.person].add((work.started, work.ended))
    for person, held in spans.items():
        for one, other in pairwise(sorted(held)):
            if other[0] < one[1] - ROUNDING:
                yield person, one, other


def overworked(protocol: Protocol, log: EventLog) -> Iterator[object]:
    """Yield work at which more are busy than there are, and desk work outside of the roster.

    Where fewer are there from an instant on, those who must go end what they are at.
    """
    for index, resource in enumerate(protocol.resources):
        done = [each for each in log.work if each.resource == index and each.ended > each.started]
        for work in done:
            begin, shift_end = resource.roster.next_duty(work.started)
            if work.is_desk and (
                begin > work.started + ROUNDING or work.ended > shift_end + ROUNDING
            ):
                yield resource.name, "off duty", work
        if resource.units is None:
            continue
        for work, under_way in _under_way(done):
            since, number = _last_change(resource, work.started)
            if sum(each.started >= since for each in under_way) > number:
                yield resource.name, number, under_way
            if len(under_way) > resource.units:
                yield resource.name, resource.units, under_way


def _under_way(done: Iterable[Work]) -> Iterator[tuple[Work, list[Work]]]:
    """Yield each piece of work with all that is under way as it begins, itself included."""
    under_way: list[Work] = []
    for work in sorted(done, key=lambda each: each.started):
        under_way = [each for each in under_way if each.ended > work.started + ROUNDING]
        under_way.append(work)
        yield work, under_way


def unexplained(reading: Reading) -> Iterator[object]:
    """Yield whoever is inside at the closing without a next visit after it, or a reason.

    Reasons are one for which no day is possible any more, and a team that had other work.
    """
    protocol, log = reading.almanac.protocol, reading.log
    inside = {who for who, (end, _) in reading.ending_of.items() if end == "still_in_follow_up"}
    end = protocol.clock.end_minutes
    at_a_visit = {each.person for each in log.work if not each.is_desk and each.ended >= end}
    at_a_visit |= _out_of_sight(reading)
    awaiting = Counter(each.person for each in log.awaited)
    if not awaiting <= Counter(inside) <= awaiting + Counter(at_a_visit):
        yield inside
    for each in log.awaited:
        if each.planned_day >= protocol.clock.days or each.person in at_a_visit:
            continue
        if each.day is None:
            if not each.reason:
                yield each
        elif each.day < protocol.clock.days and not _was_busy(reading, each):
            yield each


def _out_of_sight(reading: Reading) -> set[int]:
    """Return who was last at a visit with a task that asks nobody: no log has when it ends."""
    protocol = reading.almanac.protocol
    planned = [visit for arm in protocol.arms for visit in arm.visits]
    planned += [event.visit for event in protocol.events]
    visits = (slots.visit for each in planned for slots in each.offer.choices)
    unseen = {visit.name for visit in visits if not all(task.team for task in visit.tasks)}
    latest = {each.person: each.visit for each in reading.log.visits if not each.is_missed}
    return {person for person, visit in latest.items() if visit in unseen}


def _was_busy(reading: Reading, awaited: Awaited) -> bool:
    """Say whether the team of somebody in line was taken at each start of the last day with any.

    On the day on which they come, at the last start. Of a task that asks nobody no log has the
    work, so that whoever is at it cannot be told from whoever waits.
    """
    protocol = reading.almanac.protocol
    rows = protocol.arms[reading.arm_of[awaited.person]].rows
    offers = {row[0].row: row[0].offer for row in rows}
    offers |= {event.name: event.visit.offer for event in protocol.events}
    offer, day = offers[awaited.row], awaited.day
    assert day is not None
    while (later := offer.next_on_or_after(day + 1)) < protocol.clock.days:
        day = later
    slots = offer.on(day)
    midnight = float(day * MINUTES_PER_DAY)
    starts = [midnight + n for n in range(MINUTES_PER_DAY)]
    starts = [start for start in starts if slots.start_on(day, start) == start]
    if day == awaited.day:
        starts = starts[-1:]
    members = protocol.members
    team = {one for each, _ in slots.first_two_teams for one in members[each].any_of or [each]}
    promised = {
        work: since
        for work, since in _promised(reading.log).items()
        if work.resource in team and since < starts[-1] + 1 and work.ended > midnight
    }
    return not all(task.team for task in slots.visit.tasks) or all(
        any(
            _is_taken(members, member, promised, start + lead, start)
            for member, lead in slots.first_two_teams
        )
        for start in starts
    )


def _is_taken(
    members: Sequence[Resource],
    member: int,
    promised: Mapping[Work, float],
    wanted: float,
    now: float,
) -> bool:
    """Say whether all who are there at an instant are promised to work that others asked for.

    Of a choice, whether all are who are on duty.
    """
    resource = members[member]
    if resource.any_of:
        return all(
            members[each].roster.next_duty(wanted)[0] > wanted
            or _is_taken(members, each, promised, wanted, now)
            for each in resource.any_of
        )
    if resource.units is None:
        return False
    busy = sum(
        work.resource == member and since <= now + ROUNDING and work.ended > wanted
        for work, since in promised.items()
    )
    return busy >= _last_change(resource, now)[1]


def _promised(log: EventLog) -> dict[Work, float]:
    """Return since when the people and rooms of each piece of work have been promised to it.

    The team of a visit's next task is when the one before ends: who of it is free first waits.
    """
    ends = defaultdict[tuple[object, ...], set[float]](set)
    for work in log.work:
        ends[work.person, work.visit, work.due].add(work.ended)
    return {
        work: max(
            (end for end in ends[work.person, work.visit, work.due] if end <= work.started),
            default=work.started,
        )
        for work in log.work
    }


def _last_change(resource: Resource, moment: float) -> tuple[float, int]:
    """Return since when how many are there; of whom nobody is there, how many there are."""
    levels = [(begin, number) for begin, number in resource.levels if begin <= moment]
    since, number = levels[-1] if levels else (0, 0)
    return since, number or resource.units or 0

"""trialsim and the textbook version of the same model find the same."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import chinese_calendar
import pytest

from sim.scenario.load import load
from sim.scenario.protocol import Protocol
from sim.scenario.slots import Slots
from sim.vocabulary.clock import MINUTES_PER_DAY as DAY
from sim.vocabulary.clock import joined
from tests.benchmark import TEXTBOOK, TRIALSIM, simulated, standard_errors_apart
from tests.textbook_days import NEVER, Agenda, Span

SCENARIOS = Path(__file__).parent.parent / "scenarios"
WEEKEND = (5, 6)
BASELINE = SCENARIOS / "baseline.yaml"

HALF_DAYS = [
    (
        "design.places.clinic.closures=[{from: 2023-12-01, to: 2024-02-29, hours: '09:00-10:30'},"
        " {from: 2024-01-01, to: 2024-01-31, hours: '15:00-00:00'}, 2024-03-05]"
    ),
    (
        "design.places.clinic.openings=[{from: 2023-09-25, to: 2023-10-10},"
        " {on: 2024-03-09, hours: '09:30-11:00'},"
        " {from: 2024-05-01, to: 2024-05-03, hours: '08:30-10:00, 10:00-16:00'}]"
    ),
    "design.staff.nurse.hours={mon-sun: '08:00-12:00, 14:00-17:30'}",
    "design.staff.nurse.people=2",
    (
        "design.staff.nurse.away=[{on: 2023-11-16, hours: '09:00-10:00'},"
        " {from: 2023-11-01, to: 2023-11-30, hours: '00:00-15:00', people: 1},"
        " {on: 2023-11-15, hours: '10:00-16:00', people: 1}]"
    ),
    "design.staff.coordinator.hours={mon-fri: '20:00-04:00, 08:00-12:00'}",
    "design.staff.coordinator.away=[{from: 2024-06-03, to: 2024-06-07, hours: '02:00-09:00'}]",
    "design.rooms.infusion_bed.hours=always",
    "design.rooms.infusion_bed.closures=[{from: 2023-06-01, to: 2023-06-09, hours: '10:00-16:00'}]",
]

ABSENCES = [
    "design.places.clinic.closures=[2024-02-19, {from: 2023-07-03, to: 2023-07-14}]",
    "design.staff.nurse.away=[2024-06-03, {from: 2024-07-01, to: 2024-07-12, people: 1}]",
    "design.staff.coordinator.hours=37",
    'design.staff.investigator.changes=[{from: 2025-01-01, hours: {sat-mon: "09:00-11:30"}}]',
    "design.staff.ward_nurse.changes=[{from: 2024-01-01, people: 2}]",
    "design.staff.ward_nurse.away=[{from: 2023-12-25, to: 2024-01-05, people: 1}]",
    "design.staff.investigator.away=[{from: 2024-03-04, to: 2024-04-05, people: 1}]",
    "design.rooms.infusion_bed.closures=[{from: 2023-11-06, to: 2023-11-10}]",
    "design.schedule.infusion.at={ward: msc_infusion, clinic: msc_infusion}",
]

NIGHTS = [
    "design.staff.ward_nurse.hours={mon-thu: '20:00-08:00', fri: '21:00-05:00'}",
    "design.staff.nurse.hours={mon-fri: '18:30-04:00, 08:00-12:00'}",
    "design.staff.nurse.changes=[{from: 2024-04-01, hours: {mon-fri: '02:00-17:00'}}]",
    "design.staff.coordinator.hours={mon-fri: '16:00-00:00'}",
    "design.staff.investigator.hours={tue-fri: '17:00-03:00'}",
    "design.rooms.infusion_bed.hours=always",
    "design.tasks.observe=[infusion_bed]",
    "assumptions.durations_minutes.observe=900",
]


@pytest.mark.parametrize(
    "name",
    ["baseline", "full_time_coordinator", "il2_at_home", "il2_on_ward", "ward_at_weekends"],
)
def test_possible_days_and_starts_are_those_of_a_loop_over_all_minutes(name: str) -> None:
    _the_same_days(Agenda(load(SCENARIOS / f"{name}.yaml")))


def test_absences_closures_and_changes_are_those_of_a_loop_over_all_minutes() -> None:
    _the_same_days(Agenda(load(BASELINE, ABSENCES)))


@pytest.mark.parametrize("name", ["baseline", "ward_at_weekends"])
def test_nights_are_those_of_a_loop_over_all_minutes(name: str) -> None:
    _the_same_days(Agenda(load(SCENARIOS / f"{name}.yaml", NIGHTS)))


def test_hours_shut_opened_or_away_are_those_of_a_loop_over_all_minutes() -> None:
    _the_same_days(Agenda(load(BASELINE, HALF_DAYS)))


@pytest.mark.slow
def test_it_agrees_with_the_textbook_version() -> None:
    # The textbook draws a rate whose shape is written, whatever is said to be uncertain, and knows
    # no waves.
    calm = ("uncertain=none", "recruitment.rate_shape=null", "recruitment.waves=null")
    known = load(BASELINE, [f"assumptions.{each}" for each in calm])
    replications = range(1, 51)

    apart = standard_errors_apart(
        simulated(TRIALSIM, known, replications), simulated(TEXTBOOK, known, replications)
    )

    assert apart.keys() >= {"randomised", "completed", "coordinator", "infusion_bed"}
    assert all(abs(errors) < 3 for errors in apart.values()), apart


def _the_same_days(agenda: Agenda) -> None:
    for slots in _all_slots(agenda.protocol):
        times = agenda.times(slots)
        for day in range(agenda.protocol.clock.days):
            spans = times.spans[day]
            is_possible = slots.next_on_or_after(day) == day
            where = (slots.visit.name, slots.place, agenda.dates[day])
            assert is_possible == bool(spans), where
            assert not is_possible or _begins_in(slots, day, spans), where
    for resource, shifts in zip(agenda.protocol.resources, agenda.shifts, strict=True):
        if not resource.always:
            ours, theirs = (_comparable(agenda, each) for each in (resource.shifts, shifts))
            assert ours == theirs, resource.name


def _comparable(agenda: Agenda, shifts: Iterable[Span]) -> tuple[Span, ...]:
    """Return the hours of the run, but not those on a weekend inside a holiday.

    The model's source of holidays knows of such days only the statutory ones.
    """
    starts = (
        (max(start, midnight), agenda.dates[midnight // DAY], min(end, midnight + DAY))
        for start, end in shifts
        for midnight in range(start - start % DAY, end, DAY)
    )
    kept = (
        (start, end)
        for start, day, end in starts
        if start < agenda.protocol.clock.end_minutes
        and not (day.weekday() in WEEKEND and chinese_calendar.get_holiday_detail(day)[1])
    )
    return joined(kept)


def _begins_in(slots: Slots, day: int, spans: list[Span]) -> bool:
    """Say whether the model has these starts on a day, and no other."""
    midnight, before = day * DAY, 0
    for begin, end in spans:
        first, last = midnight + begin, midnight + end - 1
        if (slots.start_on(day, midnight + before), slots.start_on(day, last)) != (first, last):
            return False
        before = end
    no_more = slots.start_on(day, midnight + before) == NEVER
    return no_more and slots.coming(day, 1 - 1e-9, -1.0) == midnight + before - 1


def _all_slots(protocol: Protocol) -> Iterator[Slots]:
    yield protocol.screening.repeat_blood
    yield from (step.slots for step in protocol.screening.steps if step.slots is not None)
    if protocol.monitoring is not None:
        yield protocol.monitoring.slots
    for arm in protocol.arms:
        for row in arm.rows:
            yield from row[0].offer.choices
    for event in protocol.events:
        yield from event.visit.offer.choices

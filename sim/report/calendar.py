"""One participant's appointments, simulated or by the plan: as lines, to print, for a diary."""

from __future__ import annotations

from calendar import Calendar
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from operator import attrgetter
from typing import NamedTuple

from sim.report.page import rendered
from sim.report.story import amount, hour, off_plan, visit_title
from sim.scenario.protocol import Protocol
from sim.scenario.schema import Scenario
from sim.vocabulary.clock import WEEKDAYS
from sim.vocabulary.eventlog import EventLog, Milestone, Visit
from sim.vocabulary.words import Words


class CalendarEntry(NamedTuple):
    """A visit somebody comes for, or has missed, and the dose given there.

    The hour is empty of one that was missed, and by the plan. `off` says why it was missed, or not
    held on its planned day.
    """

    day: date
    hour: str
    what: str
    place: str
    received: str
    off: str
    is_missed: bool = False


class Square(NamedTuple):
    """A day in the grid of a month: no number before its first and after its last day."""

    number: str
    kind: str
    appointments: Sequence[CalendarEntry]


class Month(NamedTuple):
    """A month by weeks from Monday."""

    title: str
    weeks: Sequence[Sequence[Square]]


def of_person(protocol: Protocol, log: EventLog, person: int, say: Words) -> list[CalendarEntry]:
    """Return the visits that a person came for or missed, in order of time; no paperwork."""
    given: dict[date, str] = {}
    for moment in log.moments:
        if moment.person == person and moment.milestone is Milestone.DOSE:
            day, what = protocol.clock.date_of(moment.time), amount(say, protocol, moment.detail)
            given[day] = say.listing([given[day], what]) if day in given else what
    ours = (
        visit
        for visit in log.visits
        if visit.person == person and (visit.place or visit.is_in_schedule)
    )
    in_order = sorted(ours, key=attrgetter("time"))
    return [_appointment(say, protocol, visit, given) for visit in in_order]


def _appointment(
    say: Words, protocol: Protocol, visit: Visit, given: dict[date, str]
) -> CalendarEntry:
    """No two doses are given on one day, so that the day tells which dose it was."""
    day, what = protocol.clock.date_of(visit.time), visit_title(say, protocol, visit)
    off = off_plan(say, protocol, visit)
    if visit.is_missed:
        return CalendarEntry(day, "", what, "", "", off, is_missed=True)
    planned = protocol.arms[visit.arm].visits if visit.is_in_schedule else ()
    is_dose = any(each.row == visit.row and each.is_dose for each in planned)
    received = given.get(day, "") if is_dose else ""
    return CalendarEntry(day, hour(visit.time), what, say.title(visit.place), received, off)


def appointment_lines(appointments: Sequence[CalendarEntry], say: Words) -> Iterator[str]:
    """Yield a line an appointment: when, which visit, where, the dose, and why it was moved."""
    for each in appointments:
        more = say.clauses(filter(None, (each.place, each.received, each.off)))
        stamp = f"{each.day:%a} {each.day.isoformat()} {each.hour or '--:--'}"
        yield f"{stamp}  {say.part(each.what, more) if more else each.what}"


def to_print(
    say: Words, scenario: Scenario, protocol: Protocol, log: EventLog, person: int, **origin: int
) -> str:
    """Return a calendar of one participant as a page of HTML, a grid a month.

    Its origin is the replication and the seed.
    """
    arm = next(
        (
            say.title(protocol.arms[moment.detail].name, "arm")
            for moment in log.moments
            if moment.person == person and moment.milestone is Milestone.RANDOMISED
        ),
        "",
    )
    return calendar_page(
        say,
        protocol,
        of_person(protocol, log, person, say),
        title=say("calendar.title", person=person),
        about=[arm, say.own(scenario.title) or scenario.scenario],
        notes=[say("calendar.note", scenario=scenario.scenario, **origin)],
    )


def calendar_page(
    say: Words, protocol: Protocol, appointments: Sequence[CalendarEntry], **said: object
) -> str:
    """Return a calendar as a page of HTML: what is `said` above it, and a grid a month."""
    weekdays = [say.heading(day) for day in WEEKDAYS]
    months = list(_months(protocol, appointments, say))
    return rendered("calendar.html.j2", say=say, weekdays=weekdays, months=months, **said)


def _months(
    protocol: Protocol, appointments: Sequence[CalendarEntry], say: Words
) -> Iterator[Month]:
    """The months from that of the first to that of the last appointment."""
    if not appointments:
        return
    month, last = appointments[0].day.replace(day=1), appointments[-1].day
    while month <= last:
        weeks = Calendar().monthdatescalendar(month.year, month.month)
        yield Month(
            say.month(month),
            [[_square(protocol, day, month, appointments) for day in week] for week in weeks],
        )
        month = (month + timedelta(days=31)).replace(day=1)


def _square(
    protocol: Protocol, day: date, month: date, appointments: Sequence[CalendarEntry]
) -> Square:
    if day.month != month.month:
        return Square("", "outside", ())
    number = protocol.clock.day_of(day)
    kinds = protocol.kinds_of_day
    kind = kinds[number] if 0 <= number < len(kinds) else ""
    return Square(str(day.day), kind, [each for each in appointments if each.day == day])

"""The visits of somebody randomised on a day, by the plan: in lines, to print, and for a diary."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from typing import NamedTuple

from sim.model.course import course
from sim.report.calendar import CalendarEntry, calendar_page
from sim.report.page import Table, TableRow
from sim.report.story import off_plan
from sim.scenario.protocol import Arm, Dose, PlannedVisit, Protocol
from sim.scenario.schema import Scenario
from sim.scenario.titles import called
from sim.vocabulary.clock import WEEKDAYS
from sim.vocabulary.eventlog import EventLog, Milestone, Visit
from sim.vocabulary.words import BLANK, Words, words


class VisitOfPlan(NamedTuple):
    """A visit, in words: which, when it may be held, where, what is done and given, what moved it.

    `off` is empty where it is held on its planned day.
    """

    day: date
    row: str
    window: str
    place: str
    tasks: str
    dose: str
    off: str
    is_missed: bool


@dataclass(frozen=True)
class VisitCalendar:
    """The visits by the plan of somebody randomised to an arm on a day, in a language."""

    scenario: Scenario
    protocol: Protocol
    arm: Arm
    randomised: date
    language: str

    @cached_property
    def say(self) -> Words:
        """The texts of the language, with the titles of the scenario."""
        return called(self.scenario, words(self.language))

    @cached_property
    def log(self) -> EventLog:
        """What becomes of them."""
        day = self.protocol.clock.day_of(self.randomised)
        return course(self.protocol, self.arm.index, day)

    @cached_property
    def visits(self) -> list[VisitOfPlan]:
        """Their visits, in order of time."""
        planned = {(each.row, each.number): each for each in self.arm.visits}
        held = sorted(self.log.visits, key=lambda visit: visit.time)
        return [self._visit(visit, planned[visit.row, visit.number]) for visit in held]

    def _visit(self, visit: Visit, planned: PlannedVisit) -> VisitOfPlan:
        say, clock = self.say, self.protocol.clock
        first, last = (clock.date_of_day(visit.planned_day + day) for day in planned.window_days)
        slots = next(each for each in planned.offer.choices if each.visit.name == visit.visit)
        return VisitOfPlan(
            day=clock.date_of(visit.time),
            row=self._row(planned),
            window=say.span(say.day(first), say.day(last)),
            place=say.heading(visit.place),
            tasks=say.listing(say.title(task.name) for task in slots.visit.tasks),
            dose=say.listing(map(self._dose, planned.gives)) * (not visit.is_missed),
            off=off_plan(say, self.protocol, visit),
            is_missed=visit.is_missed,
        )

    def _row(self, planned: PlannedVisit) -> str:
        title = self.say.heading(planned.row)
        return f"{title} {planned.number}" if planned.is_repeated else title

    def _dose(self, dose: Dose) -> str:
        product = self.protocol.products[dose.product]
        units, unit = self.say.plain(dose.units, 4), self.say.own(product.unit)
        key = "calendar.dose_per_kg" if product.per == "kg" else "calendar.dose_of"
        return self.say(key, units=units, unit=unit, product=product.name)

    @property
    def title(self) -> str:
        """Whose calendar it is."""
        arm = self.say.titles.get(("arm", self.arm.name)) or self.say.heading(self.arm.name)
        return self.say("calendar.planned", arm=arm, day=self.randomised)

    def notes(self) -> Iterator[str]:
        """What the calendar rests on, and what it leaves out."""
        day_1 = (each.time for each in self.log.moments if each.milestone is Milestone.DAY_1)
        if first := [self.protocol.clock.date_of(time) for time in day_1]:
            yield self.say("calendar.day_1", day=first[0])
        yield self.say("calendar.by_plan")
        if self.log.awaited:
            yield self.say("calendar.closes", day=self.protocol.clock.closes)

    def lines(self) -> Iterator[str]:
        """Yield the calendar for a terminal, a line a visit."""
        yield self.title
        for each in self.visits:
            more = self.say.clauses(filter(None, (each.dose, each.off)))
            said = self.say.part(each.row, more) if more else each.row
            yield f"  {self._date(each.day)}  {said}"
        yield from self.notes()

    def _date(self, day: date) -> str:
        return self.say.aside(self.say.day(day), self.say.title(WEEKDAYS[day.weekday()]))

    def page(self) -> str:
        """Return the calendar as a page of HTML: a table of the visits, and a grid a month."""
        say, columns = self.say, ("day", "row", "window", "place", "tasks", "dose", "off")
        rows = []
        for each in self.visits:
            cells = {**each._asdict(), "day": self._date(each.day)}
            rows.append(TableRow([cells[name] or BLANK for name in columns]))
        header = [say(f"calendar.{name}") for name in columns]
        entries = [
            CalendarEntry(each.day, "", each.row, each.place, each.dose, each.off, each.is_missed)
            for each in self.visits
        ]
        return calendar_page(
            say,
            self.protocol,
            entries,
            title=self.title,
            about=[say.own(self.scenario.title) or self.scenario.scenario],
            notes=list(self.notes()),
            visits=Table(say("calendar.visits"), header, rows, texts=len(columns)),
        )

    def diary(self) -> bytes:
        """Return the visits as iCalendar (RFC 5545): an event of a whole day for each that is held.

        The same calendar gives the same bytes.
        """
        from icalendar import Calendar, Event  # noqa: PLC0415  one command alone needs it

        say, calendar = self.say, Calendar()
        calendar.add("prodid", "-//trialsim//EN")
        calendar.add("version", "2.0")
        calendar.add("x-wr-calname", self.title)
        stamp = datetime(*self.randomised.timetuple()[:3], tzinfo=UTC)
        for number, each in enumerate(each for each in self.visits if not each.is_missed):
            event = Event()
            whose = f"{self.scenario.scenario}-{self.arm.name}-{self.randomised}"
            event.add("uid", f"{whose}-{number}@trialsim")
            event.add("dtstamp", stamp)
            event.add("dtstart", each.day)
            event.add("dtend", each.day + timedelta(days=1))
            event.add("summary", each.row)
            event.add("location", each.place)
            facts = {"window": each.window, "tasks": each.tasks, "dose": each.dose, "off": each.off}
            said = (say.part(say(f"calendar.{name}"), fact) for name, fact in facts.items() if fact)
            event.add("description", "\n".join(said))
            calendar.add_component(event)
        written: bytes = calendar.to_ical()
        return written

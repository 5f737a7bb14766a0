"""The roles and rooms of a trial, each with its shifts and how many are there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from sim.scenario.calendars import Calendars
from sim.scenario.capacity import Role, Room
from sim.scenario.design import Design
from sim.scenario.hours import ALWAYS
from sim.scenario.resource import Resource
from sim.scenario.slots import Visit
from sim.scenario.staffing import Staffing
from sim.vocabulary.clock import MINUTES_PER_DAY, Roster


def crew(design: Design, calendars: Calendars, visits: Mapping[str, Visit]) -> Iterator[Resource]:
    """Yield all roles, then all rooms: the order in which a task's team numbers them."""
    roles = [(name, "role", each) for name, each in design.staff.items()]
    rooms = [(name, "room", each) for name, each in design.rooms.items()]
    everything: list[tuple[str, str, Role | Room]] = [*roles, *rooms]
    for index, (name, kind, capacity) in enumerate(everything):
        staffing = Staffing(capacity)
        there = [staffing.on(day) for day in calendars.dates]
        numbers = [units for units, _ in there]
        levels = tuple(_levels(numbers)) if len({*numbers} - {0}) > 1 else ()
        roster = Roster((), always=True)
        if levels or any(hours is not ALWAYS for _, hours in there):
            roster = Roster(calendars.shifts(staffing, _places_that_need(index, design, visits)))
        most = None if None in numbers else max(number or 0 for number in numbers)
        yield Resource(name, kind, most, roster, levels)


def _levels(numbers: Sequence[int | None]) -> Iterator[tuple[int, int]]:
    """Yield each instant at which the number there changes, in minutes, with the new number."""
    before = None
    for day, number in enumerate(numbers):
        if number is not None and number != before:
            yield day * MINUTES_PER_DAY, number
        before = number


def _places_that_need(index: int, design: Design, visits: Mapping[str, Visit]) -> set[str]:
    """Return the places at which a role or room has work that cannot wait."""
    held = [(place, name) for _, _, at in design.offers() for place, name in at.items()]
    held += [(place, "screening_visit") for place in list(design.places)[:1]]
    return {place for place, name in held if any(index in t.team for t in visits[name].tasks)}

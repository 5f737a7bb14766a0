"""The book of appointments against a plain list of who is taken from when to when."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as some
from numpy.typing import NDArray

from sim.model.book import Book, Reservation
from sim.scenario.slots import NEVER, PlaceDays, Resource, Slots, Task, VisitType
from sim.vocabulary.clock import MINUTES_PER_DAY, WHOLE_DAY, Roster, shifts_of

DAYS = 4
ALL_MINUTES = (DAYS + 2) * MINUTES_PER_DAY
MORNING, NIGHT = ((480, 600),), ((1320, 1800),)
ALWAYS = Roster((), always=True)
NURSE, NIGHT_NURSE, BED, DEVICE = range(4)


@dataclass
class Spans:
    """What the book must know, as a list: member, first minute, and the minute it is over."""

    resources: tuple[Resource, ...]
    taken: list[tuple[int, int, int]] = field(default_factory=list)

    def room(
        self, slots: Slots, day: int, earliest: float, own: tuple[int, int], wish: int
    ) -> float:
        """Return the earliest start with room, of all the minutes of a day."""
        midnight, (spans, length) = day * MINUTES_PER_DAY, asked(slots)
        minutes = np.arange(midnight, midnight + MINUTES_PER_DAY)
        fits = np.array([slots.start_on(day, minute) == minute for minute in minutes.tolist()])
        fits &= minutes >= earliest
        elsewhere = np.zeros(ALL_MINUTES, dtype=bool)
        elsewhere[midnight + own[0] : midnight + own[1]] = True
        fits &= ~touches(elsewhere, minutes, length)
        for member, begin, end in spans:
            fits &= ~touches(self.full(member), minutes + begin, end - begin)
        found = minutes[fits]
        if midnight + wish in found and wish:
            return float(midnight + wish)
        return float(found[0]) if found.size else NEVER

    def full(self, member: int) -> NDArray[np.bool_]:
        """Return the minutes at which as many are taken as are there."""
        resource, taken = self.resources[member], np.zeros(ALL_MINUTES, dtype=int)
        for _, begin, end in (span for span in self.taken if span[0] == member):
            taken[begin:end] += 1
        there = np.full(ALL_MINUTES, np.inf if resource.units is None else resource.units)
        for begin, number in resource.levels:
            there[begin:] = number
        return taken >= there


def touches(taken: NDArray[np.bool_], begins: NDArray[np.int_], length: int) -> NDArray[np.bool_]:
    """Say for each begin whether any of so many minutes from it on is taken."""
    so_far = np.append(0, np.cumsum(taken))
    return so_far[begins + length] > so_far[begins]


def asked(slots: Slots) -> tuple[list[tuple[int, int, int]], int]:
    """Return the whole minutes at which a visit asks each member, and those of the visit.

    A minute that two tasks share asks the same person once.
    """
    begin, minutes = 0.0, set[tuple[int, int]]()
    for task in slots.visit.tasks:
        end = begin + task.typical_minutes
        touched = range(math.floor(begin), math.ceil(end)) if end > begin else ()
        minutes |= {(member, minute) for member in task.team for minute in touched}
        begin = end
    return [(member, minute, minute + 1) for member, minute in sorted(minutes)], math.ceil(begin)


def resources(units: tuple[int, int, int | None], first: int, change: int) -> tuple[Resource, ...]:
    """Return a nurse, one for the nights, beds, and devices whose number changes at an instant."""
    nurses, nights, beds = units
    morning, night = (Roster(shifts_of([hours] * (DAYS + 2))) for hours in (MORNING, NIGHT))
    levels = ((0, first), (change, 3 - first))
    return (
        Resource("nurse", "role", nurses, morning),
        Resource("night_nurse", "role", nights, night),
        Resource("bed", "room", beds, ALWAYS),
        Resource("device", "room", 2, ALWAYS, levels),
    )


def visit(tasks: list[tuple[tuple[int, ...], float]], every: tuple[Resource, ...]) -> Slots:
    """Return the slots of a visit with these teams and minutes, where everything is open."""
    made = (Task("task", "task", team, minutes) for team, minutes in tasks)
    open_days = PlaceDays([""] * (DAYS + 2), [WHOLE_DAY] * (DAYS + 2))
    return Slots(VisitType("visit", tuple(made), ()), "clinic", open_days, every)


TEAMS = some.sampled_from([(NURSE,), (NIGHT_NURSE,), (BED,), (NURSE, BED), (NIGHT_NURSE, DEVICE),
                           (DEVICE,), (BED, DEVICE)])  # fmt: skip
MINUTES = some.one_of(some.integers(0, 70).map(float), some.floats(0.5, 70))
VISITS = some.lists(some.tuples(TEAMS, MINUTES), min_size=1, max_size=3)
UNITS = some.tuples(some.integers(1, 3), some.integers(1, 2), some.sampled_from([1, 2, None]))
LEVELS = some.tuples(some.integers(1, 2), some.integers(1, DAYS * MINUTES_PER_DAY))


@given(UNITS, LEVELS, some.lists(VISITS, min_size=1, max_size=3), some.data())
@settings(max_examples=60, deadline=None)
def test_the_book_finds_what_the_list_finds(
    units: tuple[int, int, int | None],
    levels: tuple[int, int],
    visits: list[list[tuple[tuple[int, ...], float]]],
    data: some.DataObject,
) -> None:
    every = resources(units, *levels)
    book, spans = Book(every, 1), Spans(every)
    offered = [visit(tasks, every) for tasks in visits]
    reserved: list[tuple[Reservation, list[tuple[int, int, int]]]] = []
    for _ in range(data.draw(some.integers(1, 9))):
        if reserved and data.draw(some.integers(0, 3)) == 0:
            reservation, minutes = reserved.pop(data.draw(some.integers(0, len(reserved) - 1)))
            book.release(reservation)
            for each in minutes:
                spans.taken.remove(each)
            continue
        slots = data.draw(some.sampled_from(offered))
        day = data.draw(some.integers(0, 1))
        earliest = data.draw(some.sampled_from([0.0, 500.5, 1441.0]))
        begin, lasts = data.draw(some.tuples(some.integers(480, 600), some.integers(0, 90)))
        own = begin, begin + lasts
        bits = (1 << begin + lasts) - (1 << begin)
        wish = data.draw(some.sampled_from([0, 500, begin + lasts, 1400]))
        start = book.room(slots, day, earliest, own=bits, wish=wish)
        assert start == spans.room(slots, day, earliest, own, wish)
        if start != NEVER:
            reservation = book.reserve(slots, start)
            asks, length = asked(slots)
            assert reservation[:2] == (start, start + length)
            minutes = [(member, int(start) + a, int(start) + b) for member, a, b in asks if b > a]
            reserved.append((reservation, minutes))
            spans.taken += minutes
    for reservation, _ in reserved:
        book.release(reservation)
    empty = Book(every, 1)
    for slots in offered:
        assert [book.room(slots, day, 0.0) for day in (0, 1)] == [
            empty.room(slots, day, 0.0) for day in (0, 1)
        ]

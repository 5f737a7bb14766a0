"""The book of appointments: who and what is reserved on which day, and where there is room.

A day is a whole number with a bit a minute. A task of 40 minutes that asks a nurse finds room at
the minutes from which 40 bits of the nurse's day are free; a visit, where each of its tasks does.
Shifting and masking whole days is how chess programs look for moves (bitboards); going through
appointments one by one took most of a replication.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from sim.scenario.slots import NEVER, Resource, Slots, kind_of, possible_days
from sim.vocabulary.clock import MINUTES_PER_DAY


class Reservation(NamedTuple):
    """An appointment in the book: from when to when, and the minutes it takes of whom."""

    start: float
    end: float
    minutes: tuple[tuple[int, int, int], ...]
    """Role or room, day and the bits of that day."""

    @property
    def of(self) -> frozenset[int]:
        """Whose minutes are taken."""
        return frozenset(member for member, _, _ in self.minutes)


class _Plan(NamedTuple):
    """What a visit reserves: whom, from which minute of the visit on, for how many.

    Whoever there is as many of as are asked for need not be reserved.
    """

    parts: tuple[tuple[int, int, int], ...]
    minutes: int


class Book:
    """What is reserved of people and rooms; at most as much as there is of each."""

    def __init__(self, members: Sequence[Resource], length: float) -> None:
        """`length` times the typical duration of each task is reserved.

        Of a choice of several roles or rooms the first that has room is, in their order.
        """
        self._members = members
        self._length = length
        # The layer that is full, of who is always as many: it saves a call for most questions.
        self._top = [-1 if each.levels else (each.units or 0) - 1 for each in members]
        self._pages: list[dict[int, list[int]]] = [{} for _ in members]
        self._plans: dict[Slots, _Plan] = {}
        self._no_room: dict[Slots, tuple[float, int]] = {}  # from which instant to which day
        self._full = -1

    def room(
        self, slots: Slots, day: int, earliest: float, *, own: int = 0, wish: int = 0
    ) -> float:
        """Return the earliest start with room on a possible day, or NEVER.

        `own` are the minutes of the day at which the person is elsewhere, `wish` (a minute of the
        day) is taken before any other if it has room; 0: none.
        """
        parts, minutes = self._plan(slots)
        midnight = day * MINUTES_PER_DAY
        starts = slots.minutes_of_start(day)
        if earliest > midnight:
            starts &= -1 << math.ceil(earliest - midnight)
        self._full = -1
        for member, begin, lasts in parts:
            until = starts.bit_length() + begin + lasts
            if self._members[member].any_of:
                shut = self._shut_to_all(member, day, begin, lasts, until)
            else:
                taken = self._taken(member, day, until)
                shut = _meeting(taken >> begin, lasts) if taken else 0
            if shut:
                starts &= ~shut
                if not starts:
                    self._full = member
                    return NEVER
        if own:
            starts &= ~_meeting(own, minutes)
        if not starts:
            return NEVER
        if wish and starts >> wish & 1:
            return float(midnight + wish)
        return float(midnight + (starts & -starts).bit_length() - 1)

    @property
    def full_kind(self) -> str:
        """What there was no room of on the day looked at last: staff or room."""
        return kind_of(self._members, self._full)

    def first(self, slots: Slots, earliest: float) -> float:
        """Return the first start with room at or after an instant, or NEVER.

        Where the book is full for years nobody looks through the same days again.
        """
        since, begin = self._no_room.get(slots, (math.inf, 0))
        if earliest < since or begin <= earliest // MINUTES_PER_DAY:
            since, begin = earliest, int(earliest // MINUTES_PER_DAY)
        start, day = NEVER, begin
        for day in possible_days(slots, begin):
            if (start := self.room(slots, day, earliest)) != NEVER:
                break
        self._no_room[slots] = since, day
        return start

    def last_end(self, slots: Slots, day: int) -> float:
        """Return when the last appointment of a day of a visit's first team is over."""
        ends = (self._ever_taken(member, day).bit_length() for member, _ in slots.first_team)
        return float(day * MINUTES_PER_DAY + max(ends, default=0))

    def reserve(self, slots: Slots, start: float) -> Reservation:
        """Reserve the people and rooms of a visit that has room at `start`."""
        plan = self._plan(slots)
        minute = math.ceil(start)
        minutes = tuple(
            (self._who(member, minute, begin, lasts), *bits)
            for member, begin, lasts in plan.parts
            for bits in _by_day(minute + begin, minute + begin + lasts)
        )
        for member, day, bits in minutes:
            self._write(member, day, bits)
        return Reservation(start, float(minute + plan.minutes), minutes)

    def release(self, reservation: Reservation) -> None:
        """Give back what was reserved."""
        self._no_room.clear()
        for member, day, bits in reservation.minutes:
            page = self._pages[member][day]
            for layer in reversed(range(len(page))):
                common = page[layer] & bits
                page[layer] ^= common
                bits ^= common  # noqa: PLW2901 -- what is left is given back a layer below

    def _write(self, member: int, day: int, bits: int) -> None:
        """Add minutes to a page: layer n holds those at which more than n are reserved."""
        page = self._pages[member].setdefault(day, [])
        for layer, reserved in enumerate(page):
            page[layer] = reserved | bits
            bits &= reserved
        if bits:
            page.append(bits)

    def _taken(self, member: int, day: int, minutes: int) -> int:
        """Return at which of so many minutes of a day, and after, all of a member are reserved."""
        top = self._top[member]
        if top >= 0 and minutes <= MINUTES_PER_DAY:
            page = self._pages[member].get(day, ())
            return page[top] if len(page) > top else 0
        taken = self._full_minutes(member, day)
        for later in range(1, (minutes - 1) // MINUTES_PER_DAY + 1):
            taken |= self._full_minutes(member, day + later) << later * MINUTES_PER_DAY
        return taken

    def _full_minutes(self, member: int, day: int) -> int:
        """Return at which minutes of a day as many are reserved as are there."""
        full, page = 0, self._pages[member].get(day, ())
        for begin, end, units in self._members[member].units_on(day):
            if units is not None and len(page) >= units:
                there = (1 << end) - (1 << begin)
                full |= page[units - 1] & there if units else there
        return full

    def _is_unlimited(self, member: int) -> bool:
        each = self._members[member]
        return each.units is None and not each.any_of

    def _who(self, member: int, minute: int, begin: int, lasts: int) -> int:
        """Return who is reserved for a part of a visit that has room at a minute."""
        several = self._members[member].any_of
        day, of_day = divmod(minute, MINUTES_PER_DAY)
        for each in several:
            if not self._shut(each, day, begin, lasts, of_day + 1 + begin + lasts) >> of_day & 1:
                return each
        return several[0] if several else member

    def _shut_to_all(self, member: int, day: int, begin: int, lasts: int, minutes: int) -> int:
        """Return the starts at which none of several has room for a part of a visit."""
        shut = -1
        for each in self._members[member].any_of:
            shut &= self._shut(each, day, begin, lasts, minutes)
        return shut

    def _shut(self, member: int, day: int, begin: int, lasts: int, minutes: int) -> int:
        """Return the starts at which a member is off duty, or reserved, for a part of a visit."""
        taken = self._taken(member, day, minutes)
        off_duty = ~self._on_duty(member, day, minutes) >> begin
        return off_duty | (_meeting(taken >> begin, lasts) if taken else 0)

    def _on_duty(self, member: int, day: int, minutes: int) -> int:
        """Return at which of so many minutes of a day, and after, a member is on duty."""
        roster, midnight = self._members[member].roster, float(day * MINUTES_PER_DAY)
        if roster.always:
            return -1
        there, end = 0, midnight
        while end < midnight + minutes:
            begin, end = roster.next_duty(end)
            if end < math.inf:
                there |= (1 << int(end - begin)) - 1 << int(begin - midnight)
        return there

    def _ever_taken(self, member: int, day: int) -> int:
        if several := self._members[member].any_of:
            return min((self._ever_taken(each, day) for each in several), key=int.bit_length)
        page = self._pages[member].get(day)
        return page[0] if page else 0

    def _plan(self, slots: Slots) -> _Plan:
        plan = self._plans.get(slots)
        if plan is None:
            parts, minutes = _planned(slots, self._length)
            plan = self._plans[slots] = _Plan(
                tuple(part for part in parts if not self._is_unlimited(part[0])), minutes
            )
        return plan


def _planned(slots: Slots, length: float) -> _Plan:
    """Return what a visit reserves; tasks of a member that follow each other are one part."""
    parts: dict[int, list[tuple[int, int]]] = {}
    begin = 0.0
    for task in slots.visit.tasks:
        end = begin + task.typical_minutes * length
        first, last = math.floor(begin), math.ceil(end)
        for member in task.team:
            of_member = parts.setdefault(member, [])
            if of_member and of_member[-1][1] >= first:
                of_member[-1] = of_member[-1][0], last
            elif last > first:
                of_member.append((first, last))
        begin = end
    every = tuple(
        (member, first, last - first) for member, spans in parts.items() for first, last in spans
    )
    return _Plan(every, math.ceil(begin))


def _meeting(taken: int, lasts: int) -> int:
    """Return the minutes from which a span of so many minutes meets one that is taken."""
    done = 1
    while done * 2 <= lasts:
        taken |= taken >> done
        done *= 2
    return taken | taken >> (lasts - done) if lasts else 0


def _by_day(start: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield each day that a span of minutes meets, with its bits of that day."""
    while start < end:
        day, minute = divmod(start, MINUTES_PER_DAY)
        lasts = min(end - start, MINUTES_PER_DAY - minute)
        yield day, ((1 << lasts) - 1) << minute
        start += lasts

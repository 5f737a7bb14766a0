"""When a visit could be held at a place if nobody else came.

A day is possible when the place is open and there is a start on it from which every task of the
visit, at its typical length and in order, begins while all its people and rooms are on duty. The
day of a visit is the day on which it begins: it goes on after midnight only as long as the people
and rooms of all its tasks have been on duty since.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Final, NamedTuple

from sim.vocabulary.clock import MINUTES_PER_DAY, WHOLE_DAY, Roster, Span, whenever

NEVER_DAY: Final = 1 << 30
NEVER: Final = math.inf


@dataclass(frozen=True)
class Resource:
    """A role or a room: how many people or spaces (None: unlimited), and when they are there.

    `units` are the most that are ever there. Where their number changes between days with any,
    `levels` holds each instant (minutes) from which on so many are there. A choice is there when
    `any_of` some roles or rooms, by their indices, is.
    """

    name: str
    kind: str
    units: int | None
    roster: Roster
    levels: tuple[tuple[int, int], ...] = ()
    any_of: tuple[int, ...] = ()

    @property
    def always(self) -> bool:
        """Whether it is there around the clock."""
        return self.roster.always

    @property
    def shifts(self) -> tuple[Span, ...]:
        """The shifts of the run, in minutes since the opening instant."""
        return self.roster.shifts

    def units_on(self, day: int) -> Iterator[tuple[int, int, int | None]]:
        """Yield how many are there on a day (None: unlimited), from which minute to which."""
        if not self.levels:
            yield 0, MINUTES_PER_DAY, self.units
            return
        midnight, begin = day * MINUTES_PER_DAY, 0
        level = max(bisect_right(self.levels, (midnight, math.inf)) - 1, 0)
        number = self.levels[level][1]
        for instant, later in self.levels[level + 1 :]:
            if instant >= midnight + MINUTES_PER_DAY:
                break
            yield begin, instant - midnight, number
            begin, number = instant - midnight, later
        yield begin, MINUTES_PER_DAY, number


class PlaceDays(NamedTuple):
    """For each day why a place is shut ("" if it opens), and its hours, in minutes of the day."""

    shut_by: Sequence[str]
    hours: Sequence[tuple[Span, ...]]


@dataclass(frozen=True)
class Task:
    """Work that holds its team (indices of roles, rooms and choices) together for some minutes.

    `luck` is the address of its duration at a visit: its name, or, where the visit has had a task
    of this name before, one of its own.
    """

    name: str
    luck: str
    team: tuple[int, ...]
    typical_minutes: float


@dataclass(frozen=True)
class VisitType:
    """What a visit asks: tasks in order, and work left on a desk when it is over."""

    name: str
    tasks: tuple[Task, ...]
    later: tuple[Task, ...]

    @property
    def typical_minutes(self) -> float:
        """How long the visit takes when every task has its typical length and nobody waits."""
        return sum(task.typical_minutes for task in self.tasks)


class Slots:
    """The possible days and starts of one visit at one place (paperwork has no place: "")."""

    def __init__(
        self, visit: VisitType, place: str, days: PlaceDays, resources: Sequence[Resource]
    ) -> None:
        """Work out every day of the place.

        Of the first task's team, and of the first two tasks' teams, are known the members and how
        many minutes after the start each begins.
        """
        self.visit = visit
        self.place = place
        self.days = days
        self._resources = resources
        self.is_journey = bool(place and visit.tasks)
        offsets = [0.0, *accumulate(task.typical_minutes for task in visit.tasks)]
        self._steps = [
            (offset, resources[member])
            for offset, task in zip(offsets, visit.tasks, strict=False)
            for member in task.team
        ]
        self.first_team = tuple((member, 0.0) for task in visit.tasks[:1] for member in task.team)
        self.first_two_teams = self.first_team + tuple(
            (member, offsets[1]) for task in visit.tasks[1:2] for member in task.team
        )
        self._later = offsets[1 : len(visit.tasks)]
        self._starts = self._starts_by_day()
        self._bits: dict[int, int] = {}
        self._parts: tuple[Slots, ...] = ()
        self._lengths = [sum(end - start for start, end in spans) for spans in self._starts]
        self.next_day, self.previous_day = _neighbours([length > 0 for length in self._lengths])

    @property
    def parts(self) -> tuple[Slots, ...]:
        """Each task as a visit of its own; with the last goes what is left on desks."""
        if not self._parts:
            *before, last = self.visit.tasks
            tasks = [(each, ()) for each in before] + [(last, self.visit.later)]
            alone = [VisitType(self.visit.name, (task,), later) for task, later in tasks]
            slots = [Slots(each, self.place, self.days, self._resources) for each in alone]
            self._parts = tuple(slots)
        return self._parts

    def coming(self, day: int, u: float, earliest: float) -> float:
        """Return the instant at which the person comes, uniform (by `u`) among the day's starts.

        Someone who cannot be there before `earliest` comes at the first start after it; a visit
        that asks nobody's time is held at once if its day has begun. NEVER if no start is left.
        """
        midnight = day * MINUTES_PER_DAY
        if not self.visit.tasks and earliest >= midnight:
            return earliest
        step = int(u * self._lengths[day])
        for start, end in self._starts[day]:
            if step < end - start:
                wish = float(midnight + start + step)
                return wish if wish >= earliest else self.start_on(day, earliest)
            step -= end - start
        return NEVER

    def minutes_of_start(self, day: int) -> int:
        """Return the starts of a day as bits: bit n is the minute n of the day."""
        bits = self._bits.get(day)
        if bits is None:
            spans = self._starts[day]
            bits = self._bits[day] = sum((1 << end) - (1 << start) for start, end in spans)
        return bits

    def first_start(self, day: int) -> float:
        """Return the first start of a possible day."""
        return float(day * MINUTES_PER_DAY + self._starts[day][0][0])

    def start_on(self, day: int, moment: float) -> float:
        """Return the first start of `day` at or after `moment`, or NEVER."""
        midnight = day * MINUTES_PER_DAY
        for start, end in self._starts[day]:
            if moment < midnight + end:
                opens = float(midnight + start)
                return opens if opens > moment else moment
        return NEVER

    def start_after(self, moment: float) -> float:
        """Return the first start on any day at or after `moment`, or NEVER."""
        if not self.visit.tasks:
            return moment
        for day in possible_days(self, int(moment // MINUTES_PER_DAY)):
            if (start := self.start_on(day, moment)) != NEVER:
                return start
        return NEVER

    def next_on_or_after(self, day: int) -> int:
        """Return the first possible day at or after `day`, or NEVER_DAY."""
        return self.next_day[day] if day < len(self.next_day) else NEVER_DAY

    def why_not(self, day: int) -> str:
        """Return why a day is not possible (`closed`, `holiday`, `staff`, `room`); "" if it is."""
        if day >= len(self.next_day):
            return "closed"
        if self.next_day[day] == day:
            return ""
        if self.days.shut_by[day]:
            return self.days.shut_by[day]
        absent = [each.kind for _, each in self._steps if not each.roster.is_there_on(day)]
        if not absent and self.days.hours[day] != WHOLE_DAY:
            return "closed"
        return "room" if absent[:1] == ["room"] else "staff"

    def _starts_by_day(self) -> list[list[Span]]:
        """Return the starts of every day, in whole minutes of that day.

        Only the first task asks for an open day; the later ones for an hour that is not shut.
        """
        hours = self.days.hours
        wanted = [_by_instants(hours), [*self._before_nights(len(hours))]]
        if any(opens and opens != WHOLE_DAY for opens in hours):
            not_shut = _by_instants([opens or WHOLE_DAY for opens in hours])
            wanted += [_earlier(not_shut, offset) for offset in self._later]
        steps = dict.fromkeys((resource, offset) for offset, resource in self._steps)
        wanted += [_earlier(each.shifts, offset) for each, offset in steps if not each.always]
        starts: list[list[Span]] = [[] for _ in hours]
        for start, end in _common(wanted):
            day, begin = divmod(start, MINUTES_PER_DAY)
            starts[day].append((begin, begin + end - start))
        return starts

    def _before_nights(self, days: int) -> Iterator[Span]:
        """Yield the minutes of each day from which the last task begins before the team goes home.

        That is at midnight, or when a night is over through which all of them are on duty.
        """
        members = dict.fromkeys(resource for _, resource in self._steps)
        goes_home = not all(each.always for each in members)
        duty = [(0, 0), *together(members)] if goes_home else []
        begins = [begin for begin, _ in duty]
        for begin in range(0, days * MINUTES_PER_DAY, MINUTES_PER_DAY):
            over = midnight = begin + MINUTES_PER_DAY
            if goes_home:
                _, home = duty[bisect_right(begins, midnight) - 1]
                over = math.ceil(max(midnight, home) - self._steps[-1][0])
            yield begin, min(max(over, begin), midnight)


class Offer:
    """The places where a visit of the schedule may be held, in order of preference."""

    def __init__(self, choices: tuple[Slots, ...]) -> None:
        """Join the possible days of all choices."""
        self.choices = choices
        self._first_choice = [
            next((slots for slots in choices if slots.next_day[day] == day), None)
            for day in range(len(choices[0].next_day))
        ]
        possible = [choice is not None for choice in self._first_choice]
        self._next_day, self._previous_day = _neighbours(possible)
        self._why_not = [
            "" if possible[day] else choices[0].why_not(day) for day in range(len(possible))
        ]

    def on(self, day: int) -> Slots:
        """Return the first choice that is possible on a possible day."""
        choice = self._first_choice[day]
        if choice is None:
            raise ValueError(day)
        return choice

    def why_not(self, day: int) -> str:
        """Return why a day is not possible at the first place listed; "" if one is possible."""
        return self._why_not[day] if day < len(self._why_not) else "closed"

    def next_on_or_after(self, day: int) -> int:
        """Return the first possible day at or after `day`, or NEVER_DAY."""
        return self._next_day[day] if day < len(self._next_day) else NEVER_DAY

    def nearest(self, wanted: int, first: int, last: int) -> int | None:
        """Return the possible day in first..last nearest to `wanted`, of two the later, or None."""
        if first > last:
            return None
        target = first if first > wanted else wanted
        after = self.next_on_or_after(target)
        if after == wanted <= last:
            return wanted
        before = self._previous_day[target] if target < len(self._previous_day) else -1
        fits_after, fits_before = after <= last, before >= first
        if fits_after and fits_before:
            return after if after - wanted <= wanted - before else before
        if fits_after:
            return after
        return before if fits_before else None


def possible_days(where: Slots | Offer, day: int) -> Iterator[int]:
    """Yield the possible days of a visit from a day on."""
    while (day := where.next_on_or_after(day)) != NEVER_DAY:
        yield day
        day += 1


def choice_among(resources: Sequence[Resource], any_of: Sequence[int]) -> Resource:
    """Return what stands for whichever of some roles or rooms there is."""
    several = [resources[index] for index in any_of]
    kinds = {each.kind for each in several}
    return Resource(
        " or ".join(each.name for each in several),
        kinds.pop() if len(kinds) == 1 else "role",
        None,
        whenever([each.roster for each in several]),
        any_of=tuple(any_of),
    )


def kind_of(resources: Sequence[Resource], member: int) -> str:
    """Return what is said of a visit put off because a member (−1: nobody) was taken."""
    return "room" if member >= 0 and resources[member].kind == "room" else "staff"


def _by_instants(hours: Sequence[tuple[Span, ...]]) -> Sequence[Span]:
    """Return the hours of each day in minutes since the opening instant."""
    return [
        (day * MINUTES_PER_DAY + start, day * MINUTES_PER_DAY + end)
        for day, opens in enumerate(hours)
        for start, end in opens
    ]


def _earlier(spans: Sequence[Span], minutes: float) -> Sequence[Span]:
    """Return spans so many minutes earlier, in whole minutes."""
    return [(math.ceil(start - minutes), math.ceil(end - minutes)) for start, end in spans]


def _common(several: Sequence[Sequence[Span]]) -> Iterator[Span]:
    """Yield the spans that lie in one span of each, cut wherever any of them ends.

    Where a span ends as another begins, its end comes first: an end is even, a start odd.
    """
    edges = [2 * start + 1 for spans in several for start, _ in spans]
    edges += [2 * end for spans in several for _, end in spans]
    edges.sort()
    number_there = accumulate(1 if edge % 2 else -1 for edge in edges)
    for (edge, following), number in zip(pairwise(edges), number_there, strict=False):
        if number == len(several) and edge // 2 < following // 2:
            yield edge // 2, following // 2


def together(resources: Iterable[Resource]) -> list[Span]:
    """Return the spans in which all of them are on duty, in order; not all of them are always."""
    joined: list[Span] = []
    for start, end in _common([each.shifts for each in resources if not each.always]):
        goes_on = joined and start <= joined[-1][1]
        joined.append((joined.pop()[0] if goes_on else start, end))
    return joined


def _neighbours(possible: Sequence[bool]) -> tuple[list[int], list[int]]:
    """Return for each day the next possible day and the previous one, itself included."""
    following, previous = NEVER_DAY, -1
    next_day, previous_day = [0] * len(possible), [0] * len(possible)
    for day in reversed(range(len(possible))):
        following = next_day[day] = day if possible[day] else following
    for day in range(len(possible)):
        previous = previous_day[day] = day if possible[day] else previous
    return next_day, previous_day

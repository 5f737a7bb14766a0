"""Visits that no ordinary week has room for: they would never be held, and nobody would be told.

Looked at are weeks without holidays, closures and absences, under each roster that the trial meets.
What is closed, away or not there at all is no contradiction: the run says what comes of it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from functools import cache, cached_property
from itertools import chain
from typing import NamedTuple

from sim.scenario.capacity import ALWAYS, Week
from sim.scenario.errors import Fault, KeyPath, listed
from sim.scenario.schema import Scenario
from sim.scenario.slots import PlaceDays, Resource, Slots, Task, VisitType, together
from sim.scenario.visits import (
    blood_drawn_at,
    members,
    repeat_of_blood,
    visit_types,
    with_choices,
)
from sim.vocabulary.clock import (
    DAYS_PER_WEEK,
    MINUTES_PER_DAY,
    MINUTES_PER_HOUR,
    WEEKDAYS,
    WHOLE_DAY,
    Roster,
    shifts_of,
)

ANYWHERE = ""


class _Asked(NamedTuple):
    """A visit that the trial wants to hold at a place, and where the file says so."""

    path: KeyPath
    visit: VisitType
    place: str = ANYWHERE

    @property
    def team(self) -> list[int]:
        """Everybody the visit needs, each once, in the order of its tasks."""
        return [*dict.fromkeys(member for task in self.visit.tasks for member in task.team)]


def never_held(scenario: Scenario) -> Iterator[Fault]:
    """Yield each contradiction that keeps a visit from ever being held, once."""
    weeks = _Weeks(scenario)
    yield from dict.fromkeys(
        weeks.contradiction(asked) for asked in weeks.asked() if weeks.is_impossible(asked)
    )


class _Weeks:
    """The ordinary weeks of a scenario, day 0 a Monday; the first has no night before it."""

    def __init__(self, scenario: Scenario) -> None:
        self.design, self.nature = scenario.design, scenario.assumptions
        self.capacities = {**self.design.staff, **self.design.rooms}
        self.names = [" or ".join(each) for each in members(self.design)]
        self.visits = visit_types(scenario)
        longest = max(each.typical_minutes for each in self.visits.values())
        trial = self.design.trial
        lasts = max((trial.closes - trial.opens).days, 0)  # a trial that closes before it opens
        last_day = min(longest / MINUTES_PER_DAY, lasts)
        self.days = 2 * DAYS_PER_WEEK + math.ceil(last_day) + 1
        self.days_of = cache(self.possible_days)

    def asked(self) -> Iterator[_Asked]:
        """Yield all tasks, each as a visit of its own, and all visits wherever they may be held."""
        design, visits = self.design, self.visits
        first = next(iter(design.places), ANYWHERE)
        for task in chain.from_iterable(visit.tasks for visit in visits.values()):
            yield _Asked(("design", "tasks", task.name), VisitType(task.name, (task,), ()))
        path = ("design", "visits")
        drawn = design.steps[blood_drawn_at(design, visits)]
        for step in design.steps:
            place = (step.at or first) if step.visit else ANYWHERE
            if step.work:
                yield _Asked((*path, step.work), visits[step.work], place)
            if step is drawn and self.nature.screening.valid_for_days is not None:
                again = repeat_of_blood(visits[step.visit or ""])
                yield _Asked((*path, step.visit or ""), again, place)
        if (monitoring := self.design.monitoring) is not None:
            yield _Asked((*path, monitoring.visit), visits[monitoring.visit])
        for section, name, at in self.design.offers():
            for place, visit in at.items():
                yield _Asked(("design", section, name, "at", place), visits[visit], place)

    def is_impossible(self, asked: _Asked) -> bool:
        """Say whether a visit has no day, though its place opens and all its team comes to work."""
        is_open = asked.place == ANYWHERE or self.design.places[asked.place].weekdays
        is_there = all(
            any(each[member].always or each[member].shifts for each in self.rosters)
            for member in asked.team
        )
        return bool(is_open and is_there and not self.days_of(asked.visit.tasks, asked.place))

    def contradiction(self, asked: _Asked) -> Fault:
        """Return why a visit is impossible: the people of a task, the place, or how long it is."""
        visit = asked.visit
        if anywhere := self.days_of(visit.tasks):
            open_on = listed(self.design.places[asked.place].weekdays)
            when = listed(WEEKDAYS[day] for day in anywhere)
            what = (
                f"{asked.place} is open on {open_on}, the team of {visit.name} has time on {when}"
            )
            return Fault(asked.path, what, "a day in common")
        for task in visit.tasks:
            if not self.days_of((task,)):
                what = f"{self.named(task.team)} are never on duty together"
                return Fault(("design", "tasks", task.name), what, "hours in common on some day")
        last = max(index for index, task in enumerate(visit.tasks) if task.team)
        length = _length(sum(task.typical_minutes for task in visit.tasks[:last]))
        what = (
            f"{visit.name} takes {length} from its start to that of {visit.tasks[last].name}"
            f" (modal); {self.on_duty(asked.team)}"
        )
        path = asked.path if asked.path[1] == "visits" else ("design", "visits", visit.name)
        return Fault(path, what, "hours in which all its tasks can begin, or tasks that take less")

    def on_duty(self, team: Sequence[int]) -> str:
        """Say how long a team is there at a time."""
        several = [together(each[member] for member in team) for each in self.rosters]
        longest = max((end - start for spans in several for start, end in spans), default=0)
        if not longest:
            return f"{self.named(team)} are never on duty together"
        are_there = "are on duty together" if len(team) > 1 else "is on duty"
        return f"{self.named(team)} {are_there} for {_length(longest)} at most"

    def named(self, team: Sequence[int]) -> str:
        return listed(self.names[member] for member in team)

    def possible_days(self, tasks: tuple[Task, ...], place: str = ANYWHERE) -> list[int]:
        """Return the days of the week on which tasks can be done, under whatever roster."""
        open_on = self.design.places[place].weekdays if place else WEEKDAYS
        is_open = [WEEKDAYS[day % DAYS_PER_WEEK] in open_on for day in range(self.days)]
        days = PlaceDays(
            ["" if opens else "closed" for opens in is_open],
            [WHOLE_DAY if opens else () for opens in is_open],
        )
        several = [Slots(VisitType("", tasks, ()), place, days, each) for each in self.rosters]
        return [
            day - DAYS_PER_WEEK
            for day in range(DAYS_PER_WEEK, 2 * DAYS_PER_WEEK)
            if any(slots.next_on_or_after(day) == day for slots in several)
        ]

    @cached_property
    def rosters(self) -> list[list[Resource]]:
        """All roles and rooms as they are from the opening on, and from each change to the next."""
        trial = self.design.trial
        changes = (change.from_ for each in self.capacities.values() for change in each.changes)
        begins = {trial.opens, *(day for day in changes if trial.opens < day <= trial.closes)}
        return [
            [
                *with_choices(
                    self.design,
                    [
                        self.resource(name, *each.planned_on(day))
                        for name, each in self.capacities.items()
                    ],
                )
            ]
            for day in sorted(begins)
        ]

    def resource(self, name: str, units: int | None, hours: Week) -> Resource:
        always = hours is ALWAYS
        days = (hours[day % DAYS_PER_WEEK] for day in range(0 if always else self.days))
        return Resource(name, "", units, Roster(shifts_of(days), always=always))


def _length(minutes: float) -> str:
    hours, rest = divmod(math.ceil(minutes), MINUTES_PER_HOUR)
    parts = [(hours, "h"), (rest, "min")]
    return " ".join(f"{number} {unit}" for number, unit in parts if number) or "0 min"

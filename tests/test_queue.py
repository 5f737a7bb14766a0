"""Lines: who is seen first, who is sent home, and who keeps a place."""

from __future__ import annotations

import pytest
import simpy

from sim.model.agenda import Agenda
from sim.model.queue import Held, Queues, Refusal, Request
from sim.scenario.slots import PlaceDays, Resource, Slots, Task, VisitType
from sim.vocabulary.clock import MINUTES_PER_DAY, WHOLE_DAY, Roster
from tests.toys import runs, toy

DAYS = 10
LENGTH = 40.0


class OneNurse:
    """A room with one nurse, visits of 40 minutes, and starts in the first hour of each day."""

    def __init__(self) -> None:
        self.env = Agenda()
        self.free_at = 0.0
        self.told: list[tuple[int, float]] = []
        self.queues = Queues(
            self.env, self._first_free, lambda _member: "staff", self._begin, Slots.start_on
        )
        hours = Roster([(day * MINUTES_PER_DAY, day * MINUTES_PER_DAY + 60) for day in range(DAYS)])
        task = Task("see", "see", (0,), LENGTH)
        self.slots = Slots(
            VisitType("visit", (task,), ()),
            "",
            PlaceDays([""] * DAYS, [WHOLE_DAY] * DAYS),
            [Resource("nurse", "role", 1, hours)],
        )

    def comes(self, person: int, at: float, *, due: float | None = None, last: int = 9) -> None:
        """Let somebody come; their answer is told when it is given."""

        def visit() -> simpy.events.ProcessGenerator:
            yield self.env.until(at)
            fell_due = at if due is None else due
            request = Request(person, "", fell_due, fell_due, last)
            answer = self.queues.ask(self.slots, request, at)
            if isinstance(answer, simpy.Event):
                answer = yield answer
            if isinstance(answer, Refusal):
                self.told.append((-person, answer.moment))

        self.env.begin(visit())

    def _first_free(self, _slots: Slots, now: float, _ahead: bool) -> tuple[float, int]:  # noqa: FBT001
        return max(now, self.free_at), 0

    def _begin(self, _visit: object, request: Request, start: float) -> Held:
        self.free_at = start + LENGTH
        self.told.append((request.person, start))
        return Held(start, start + LENGTH)


@pytest.fixture
def nurse() -> OneNurse:
    return OneNurse()


def test_who_comes_first_is_seen_first(nurse: OneNurse) -> None:
    for person, at in ((1, 0.0), (2, 5.0), (3, 6.0), (4, 50.0)):
        nurse.comes(person, at)
    nurse.env.run(until=float(DAYS * MINUTES_PER_DAY))

    day = float(MINUTES_PER_DAY)
    assert nurse.told == [(1, 0.0), (2, 40.0), (3, day), (4, day + 40)]


def test_who_was_put_off_goes_before_who_comes_new(nurse: OneNurse) -> None:
    day = float(MINUTES_PER_DAY)
    for person, at in ((1, 0.0), (2, 1.0), (3, 2.0), (4, day)):
        nurse.comes(person, at)
    nurse.env.run(until=float(DAYS * MINUTES_PER_DAY))

    assert nurse.told[2:] == [(3, day), (4, day + 40)]


def test_who_had_something_else_to_do_keeps_the_place(nurse: OneNurse) -> None:
    day = float(MINUTES_PER_DAY)
    for person, at in ((1, 0.0), (2, 1.0), (4, 3.0)):
        nurse.comes(person, at)
    nurse.comes(3, 2.0, last=0)
    nurse.comes(3, day, due=2.0)
    nurse.env.run(until=float(DAYS * MINUTES_PER_DAY))

    assert nurse.told == [(1, 0.0), (2, 40.0), (-3, 40.0), (3, day), (4, day + 40)]


def test_who_waits_no_longer_than_a_day_is_told_so(nurse: OneNurse) -> None:
    for person, at in ((1, 0.0), (2, 1.0), (3, 2.0)):
        nurse.comes(person, at, last=0)
    nurse.env.run(until=float(DAYS * MINUTES_PER_DAY))

    assert nurse.told == [(1, 0.0), (2, 40.0), (-3, 40.0)]


def test_what_asks_nobody_stands_in_no_line() -> None:
    """A letter on a day whose work goes on after midnight, when its office is closed."""
    scenario = toy(
        design={
            "places": {"office": {"days": ["tue", "thu"]}},
            "staff": {"nurse": {"people": 1}},
            "rooms": {"bed": {}},
            "visits": {"infusion": ["infuse"], "letter": [{"later": "write"}]},
            "tasks": {"infuse": [{"any_of": ["nurse", "bed"]}], "write": ["nurse"]},
            "schedule": {
                "infusion": {"day": 1, "at": {"clinic": "infusion"}},
                "letter": {"days": [1, 8, 22], "at": {"office": "letter"}},
            },
        },
        assumptions={"durations_minutes": {"infuse": 1440, "write": 5}},
    )
    letters = [visit for log in runs(scenario, 8) for visit in log.visits if visit.row == "letter"]

    assert letters
    assert all(visit.wait == 0 for visit in letters)

"""Work over midnight: a shift is one from its begin to its end, on whatever day that is."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest

from sim.model.run import run
from sim.results.periods import Almanac
from sim.results.workload import Workload
from sim.scenario.interpret import interpret
from sim.scenario.protocol import Protocol
from sim.vocabulary.eventlog import EventLog
from sim.vocabulary.eventlog import Visit as HeldVisit
from tests.toys import toy

DAY, HOUR = 1440, 60
NIGHTS = {"mon-fri": "22:00-06:00"}
MONDAY, A_WEEK = date(2024, 1, 1), timedelta(7)
SATURDAY = 5
CARER = 1


def told(
    hours: object,
    *,
    tasks: tuple[object, ...] = ("give",),
    minutes: Mapping[str, float] | None = None,
    days: tuple[str, ...] = ("mon", "tue", "wed", "thu", "fri"),
    next_day: tuple[object, ...] = (),
    **carer: Any,  # noqa: ANN401 -- as written
) -> tuple[Protocol, EventLog]:
    """Return ten weeks of a trial whose doses a carer with these hours gives."""
    scenario = toy(
        design={
            "trial": {"opens": MONDAY, "closes": date(2024, 3, 10)},
            "places": {"ward": {"days": days}, "clinic": {}},
            "staff": {"carer": {"people": 1, "hours": hours, **carer}},
            "schedule": {
                "dose": {"arms": ["one"], "at": {"ward": "dose"}, "day": 1},
                "next_day": {"at": {"clinic": "look"}, "day": 2, "window_days": [0, 2]},
            },
            "visits": {"dose": tasks, "look": next_day},
            "tasks": {"give": ["carer"], "watch": [], "check": ["carer"], "enter": ["carer"]},
        },
        assumptions={
            "recruitment": {"candidates_per_month": 30},
            "durations_minutes": {
                "give": 30,
                "watch": 60,
                "check": 30,
                "enter": 30,
                **(minutes or {}),
            },
        },
    )
    protocol = interpret(scenario)
    return protocol, run(protocol, 5, 1)


def doses(log: EventLog) -> list[HeldVisit]:
    """Return the visits of the ward that were held."""
    return [visit for visit in log.visits if visit.place == "ward" and not visit.is_missed]


def workload(protocol: Protocol, log: EventLog) -> Workload:
    return Workload(log.work, Almanac.of(protocol))


def test_a_dose_is_given_at_any_hour_of_the_night() -> None:
    _, log = told(NIGHTS)
    hours = [visit.time % DAY / HOUR for visit in doses(log)]

    assert all(hour < 6 or hour >= 22 for hour in hours)
    assert min(hours) < 1
    assert max(hours) > 23
    assert not [visit for visit in doses(log) if visit.time // DAY % 7 >= SATURDAY]  # ward shut


def test_what_goes_on_over_midnight_is_no_overtime() -> None:
    protocol, log = told(NIGHTS, minutes={"give": 90})
    over = [work for work in log.work if work.started % DAY > work.ended % DAY]
    worked = workload(protocol, log)
    late = [
        max(0.0, work.ended % DAY - 6 * HOUR) for work in log.work if work.ended % DAY < 12 * 60
    ]

    assert over
    assert worked.overtime.sum() * HOUR == pytest.approx(sum(late))
    assert np.allclose(worked.available[CARER, :-1], 40)


def test_desk_work_goes_on_over_midnight_in_one_piece() -> None:
    _, log = told(NIGHTS, tasks=("give", {"later": "enter"}), minutes={"enter": 307})
    pieces = [work for work in log.work if work.is_desk and work.ended > work.started]
    over = [work for work in pieces if work.started // DAY != work.ended // DAY]

    assert [work for work in over if work.ended % DAY]
    assert not [work for work in pieces if work.ended % DAY == 0]


def test_the_night_from_sunday_counts_in_both_weeks_whoever_comes_in_the_new_one() -> None:
    nights = {"sun": "20:00-06:00"}
    more = [{"from": MONDAY + A_WEEK, "people": 3}]
    protocol, _ = told(nights, days=("sun", "mon"), changes=more)
    available = Almanac.of(protocol).available[CARER]

    assert available[:3].tolist() == [4, 6 + 3 * 4, 3 * 10]


def test_who_goes_is_there_until_the_night_is_over() -> None:
    protocol, _ = told({"mon-sun": "22:00-06:00"}, changes=[{"from": MONDAY + A_WEEK, "people": 2}])

    assert protocol.resources[CARER].levels == ((0, 1), (7 * DAY + 6 * HOUR, 2))


def test_a_stay_of_a_day_is_possible_where_nurses_are_always_there() -> None:
    _, log = told("always", tasks=("give", "watch", "check"), minutes={"watch": 24 * HOUR})
    stays = doses(log)
    checks = {work.person: work for work in log.work if work.task == "check"}

    assert {visit.time // DAY % 7 for visit in stays} == {0, 1, 2, 3, 4}  # on Friday as well
    assert all(
        checks[visit.person].started >= visit.time + 24 * HOUR
        for visit in stays
        if visit.person in checks
    )
    assert len(checks) > 0.9 * len(stays)


def test_nobody_stays_for_a_night_in_which_the_team_is_not_there() -> None:
    tasks, minutes = ("give", "watch", "check"), {"watch": 23 * HOUR}
    _, log = told({"mon-fri": "08:00-16:00"}, tasks=tasks, minutes=minutes)

    assert not doses(log)


def test_nobody_is_at_the_next_visit_before_a_stay_is_over() -> None:
    _, log = told(
        "always",
        tasks=("give", "watch", "check"),
        minutes={"watch": 24 * HOUR},
        next_day=("enter",),
    )
    over = {work.person: work.ended for work in log.work if work.task == "check"}
    looks = [visit for visit in log.visits if visit.row == "next_day"]

    assert looks
    assert all(visit.time >= over[visit.person] for visit in looks)
    assert any(visit.time // DAY == visit.planned_day for visit in looks)

"""Stories of a coordinator who books: nothing left to chance, one equality on what was held."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from ruamel.yaml import YAML

from sim.model.book import Book
from sim.model.chance import Chance
from sim.model.participant import journey
from sim.model.run import monitoring
from sim.model.trial import Trial
from sim.scenario.interpret import interpret
from sim.scenario.schema import Scenario
from sim.vocabulary.eventlog import Milestone
from tests.test_journey import day, instant, milestones

SYNOPSIS = """
scenario: booked
design:
  trial: {opens: 2024-03-04, closes: 2024-12-31}   # a Monday
  booking: {by: appointment}
  places: {clinic: {days: [mon, tue, wed, thu, fri]}}
  staff: {nurse: {hours: {mon-fri: "08:00-10:00"}}}
  arms: {only: {product: tablets}}
  products: {tablets: {dose: 1}}
  schedule:
    first: {at: {clinic: check}, day: 1, window_days: [0, 7]}
    week_6: {at: {clinic: check}, day: 43, window_days: [-3, 3]}
  visits: {check: [look]}
  tasks: {look: [nurse]}
assumptions:
  recruitment: {candidates_per_month: 1}
  durations_minutes: {look: 60}
"""
"""Whoever comes is randomised at once. The nurse has time for two visits a day."""

ONCE = {"first": {"at": {"clinic": "check"}, "day": 1, "window_days": [0, 7]}}
DOSE = {"first": {"arms": ["only"], "at": {"clinic": "check"}, "day": 1, "window_days": [0, 7]}}
SEEN_ONCE = {"design.schedule": ONCE}
ONE_A_DAY = {"design.staff.nurse.hours": {"mon-fri": "08:00-09:00"}}
ONCE_ALL_DAY = {**SEEN_ONCE, "design.staff.nurse.hours": {"mon-fri": "08:00-12:00"}}
MIDNIGHT = 0.0
EVENING = 18 * 60.0
DAY = 1440.0


def told(
    *arrivals: float,
    changes: Mapping[str, Any] | None = None,
    until: float | None = None,
) -> Trial:
    """Return the trial after some people, who came at these instants, went through it."""
    written = YAML(typ="safe").load(SYNOPSIS)
    for path, value in (changes or {}).items():
        *parents, key = path.split(".")
        place = written
        for parent in parents:
            place = place.setdefault(parent, {})
        place[key] = value
    trial = Trial(interpret(Scenario.model_validate(written)), seed=1, replication=1)
    if trial.protocol.monitoring is not None:
        trial.agenda.begin(monitoring(trial.protocol.monitoring, trial))
    for person, arrival in enumerate(arrivals):
        trial.agenda.begin(coming(person, arrival, trial))
    trial.agenda.run(until=trial.protocol.clock.end_minutes if until is None else until)
    trial.close()
    return trial


def coming(person: int, arrival: float, trial: Trial) -> Any:  # noqa: ANN401 -- the engine's
    yield trial.until(arrival)
    yield from journey(person, arrival, trial)


def visits(trial: Trial, row: str = "first") -> list[str]:
    """Return who was seen when, and why not on the planned day: `1 Tue 05 08:00 staff`."""
    return [
        f"{each.person} {instant(trial, each.time)} {each.reason}".rstrip()
        for each in sorted(trial.log.visits, key=lambda each: (each.time, each.person))
        if each.row == row and not each.is_missed
    ]


def missed(trial: Trial, row: str = "first") -> list[str]:
    """Return who missed a visit, and why."""
    return [f"{each.person} {each.reason}" for each in trial.log.visits
            if each.row == row and each.is_missed]  # fmt: skip


def work(trial: Trial, *tasks: str) -> list[str]:
    """Return what was done of some tasks: `look 0 Mon 04 08:00-09:00`."""
    pieces = sorted(trial.log.work, key=lambda piece: (piece.started, piece.ended))
    told_of = [(piece, instant(trial, piece.ended)[-5:]) for piece in pieces if piece.task in tasks]
    return [
        f"{piece.task} {piece.person} {instant(trial, piece.started)}-{ended}"
        for piece, ended in told_of
    ]


@pytest.fixture
def reserved(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The starts of all that is reserved, in the order in which it was."""
    starts, reserve = list[float](), Book.reserve

    def noted(book: Book, slots: Any, start: float) -> Any:  # noqa: ANN401 -- as it is
        starts.append(start)
        return reserve(book, slots, start)

    monkeypatch.setattr(Book, "reserve", noted)
    return starts


# When a visit is booked.


@pytest.mark.parametrize(("ahead_days", "booked_on"), [(28, 14), (10, 32), (42, 0), (90, 0)])
def test_a_visit_is_booked_so_many_days_ahead_and_not_before(
    ahead_days: int, booked_on: int, reserved: list[float]
) -> None:
    """Randomised on day 0, seen on that day, due again on day 42."""
    changes = {"design.booking.ahead_days": ahead_days}
    first, week_6 = 480.0, 42 * DAY + 480
    told(MIDNIGHT, changes=changes, until=max(booked_on * DAY, 480.0))
    assert reserved == [first]
    reserved.clear()
    told(MIDNIGHT, changes=changes, until=max(booked_on * DAY, 480.0) + 1)
    assert reserved == [first, week_6]


def test_the_first_visit_is_booked_at_randomisation_and_the_next_when_it_was_held(
    reserved: list[float],
) -> None:
    changes = {"design.schedule.week_6.day": 8, "design.schedule.week_6.window_days": [0, 0],
               "assumptions.to_first_dose_days": {"only": 2}}  # fmt: skip
    told(MIDNIGHT, changes=changes, until=1)
    assert reserved == [2 * DAY + 480]
    told(MIDNIGHT, changes=changes, until=2 * DAY + 541)
    assert reserved[1:] == [2 * DAY + 480, 9 * DAY + 480]


def test_a_repeated_visit_is_booked_when_the_one_before_was_held(reserved: list[float]) -> None:
    row = {**ONCE["first"], "every_days": 7, "times": 3}
    told(MIDNIGHT, changes={"design.schedule": {"first": row}}, until=541)
    assert reserved == [480, 7 * DAY + 480]


def test_an_event_is_seen_to_when_it_has_happened(
    reserved: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It happens on Wednesday at noon; the visit is booked then, for Thursday."""
    happens = 2 * DAY + 720
    monkeypatch.setattr(Chance, "happens", lambda *what: happens if what[4] == 1 else 1e9)
    changes = {"design.unscheduled.event": {"at": {"clinic": "check"}},
               "assumptions.unscheduled.event": {"by_week": 4, "per_participant": 1}}  # fmt: skip
    told(MIDNIGHT, changes=changes, until=happens)
    assert reserved == [480]
    trial = told(MIDNIGHT, changes=changes, until=happens + 1)
    assert reserved[1:] == [480, 3 * DAY + 480]
    assert visits(told(MIDNIGHT, changes=changes), "event") == ["0 Thu 07 08:00"]
    assert milestones(trial)[-1] == "UNSCHEDULED_EVENT Wed 06 12:00"


# Where it is booked.


def test_a_day_with_no_room_left_gives_way_to_the_nearest_and_of_two_to_the_later() -> None:
    """Five are due on one Monday: two are seen then, two on the next day, one the day before."""
    row = {"at": {"clinic": "check"}, "day": 9, "window_days": [-3, 3]}
    changes = {"design.schedule": {**ONCE, "first": {**ONCE["first"], "at": {"clinic": "talk"}},
                                   "week_1": row},
               "design.visits.talk": []}  # fmt: skip
    trial = told(*[MIDNIGHT] * 5, changes=changes)
    assert visits(trial, "week_1") == [
        "4 Mon 11 08:00 staff",
        "0 Tue 12 08:00",
        "1 Tue 12 09:00",
        "2 Wed 13 08:00 staff",
        "3 Wed 13 09:00 staff",
    ]


def test_a_full_window_puts_a_visit_on_the_first_later_day_with_room() -> None:
    changes = {"design.schedule": {"first": {**ONCE["first"], "window_days": [0, 0]}}}
    trial = told(*[MIDNIGHT] * 5, changes=changes)
    assert visits(trial) == ["0 Mon 04 08:00", "1 Mon 04 09:00", "2 Tue 05 08:00 staff",
                             "3 Tue 05 09:00 staff", "4 Wed 06 08:00 staff"]  # fmt: skip
    outcomes = [each.outcome for each in trial.log.visits if each.row == "first"]
    assert outcomes == ["on_the_day", "on_the_day", *["out_of_window"] * 3]


BED = {"design.rooms": {"bed": {"hours": {"mon-fri": "08:00-12:00"}}},
       "design.tasks.look": ["bed"]}  # fmt: skip


def test_the_reason_is_what_was_full() -> None:
    changes = {**BED, "design.schedule": {"first": {**ONCE["first"], "window_days": [0, 0]}}}
    trial = told(*[MIDNIGHT] * 5, changes=changes)
    assert visits(trial)[-1] == "4 Tue 05 08:00 room"


@pytest.mark.parametrize(("full", "more"), [("staff", {}), ("room", BED)])
def test_a_full_window_is_a_miss_for_want_of_room(full: str, more: Mapping[str, Any]) -> None:
    row = {**ONCE["first"], "window_days": [0, 0], "after_window": "miss"}
    trial = told(*[MIDNIGHT] * 5, changes={**more, "design.schedule": {"first": row}})
    fitted = 4 if full == "room" else 2
    assert missed(trial) == [f"{person} {full}" for person in range(fitted, 5)]
    assert len(visits(trial)) == fitted


def test_after_a_full_window_the_reason_is_what_was_full_last() -> None:
    """There are too few nurses on Monday, and too few beds from Tuesday on."""
    tuesday = day("2024-03-05")
    changes = {
        "design.schedule": {"first": {**ONCE["first"], "window_days": [0, 1]}},
        "design.staff.nurse": {"hours": {"mon-fri": "08:00-09:00"},
                               "changes": [{"from": tuesday, "people": 2}]},
        "design.rooms": {"bed": {"spaces": 2, "changes": [{"from": tuesday, "spaces": 1}]}},
        "design.tasks.look": ["nurse", "bed"],
    }  # fmt: skip
    assert visits(told(*[MIDNIGHT] * 3, changes=changes)) == [
        "0 Mon 04 08:00",
        "1 Tue 05 08:00 staff",
        "2 Wed 06 08:00 room",
    ]


TWO_PLACES = {
    "design.places": {"clinic": {"days": ["mon", "tue"]}, "ward": {}},
    "design.schedule": {"first": {"at": {"clinic": "check", "ward": "ward_check"}, "day": 1,
                                  "window_days": [0, 2]}},
    "design.visits.ward_check": ["ward_look"],
    "design.tasks.ward_look": ["ward_nurse"],
    "design.staff.ward_nurse": {"hours": {"mon-sun": "20:00-21:00"}},
    "assumptions.durations_minutes.ward_look": 60,
}  # fmt: skip


def test_a_place_second_in_order_is_taken_only_if_the_first_is_full_in_the_whole_window() -> None:
    trial = told(*[MIDNIGHT] * 5, changes=TWO_PLACES)
    assert visits(trial) == [
        "0 Mon 04 08:00",
        "1 Mon 04 09:00",
        "4 Mon 04 20:00",
        "2 Tue 05 08:00 staff",
        "3 Tue 05 09:00 staff",
    ]
    assert [each.place for each in trial.log.visits if each.person == 4][-1] == "ward"


def test_two_rows_of_one_day_are_one_block_and_one_trip() -> None:
    """Who came first has 08:00 to 09:00; nobody has a visit of another in the middle of theirs."""
    rows = dict.fromkeys(("first", "second"), ONCE["first"])
    changes = {"design.schedule": rows, "design.staff.nurse.hours": {"mon-fri": "08:00-12:00"},
               "assumptions.durations_minutes.look": 30}  # fmt: skip
    trial = told(MIDNIGHT, MIDNIGHT, changes=changes)
    assert visits(trial) == ["0 Mon 04 08:00", "1 Mon 04 09:00"]
    assert visits(trial, "second") == ["0 Mon 04 08:30", "1 Mon 04 09:30"]
    trips = [
        each.is_journey for each in trial.log.visits if each.person == 0 and each.is_in_schedule
    ]
    assert trips == [True, False]


@pytest.mark.parametrize(
    ("place", "second"),
    [("clinic", ["0 Mon 04 08:30", "1 Mon 04 09:00"]),
     ("ward", ["1 Mon 04 08:00", "0 Mon 04 08:30"])],
)  # fmt: skip
def test_two_rows_of_one_day_follow_each_other_at_one_place_and_never_overlap(
    place: str, second: list[str]
) -> None:
    """The laboratory is free at 08:00, where the first is with the nurse, and then the other."""
    changes = {
        "design.places.ward": {},
        "design.staff.lab": {"hours": {"mon-fri": "08:00-12:00"}},
        "design.schedule": {**ONCE, "second": {**ONCE["first"], "at": {place: "scan"}}},
        "design.visits.scan": ["measure"],
        "design.tasks.measure": ["lab"],
        "assumptions.durations_minutes": {"look": 30, "measure": 30},
    }
    trial = told(MIDNIGHT, MIDNIGHT, changes=changes)
    assert visits(trial) == ["0 Mon 04 08:00", "1 Mon 04 08:30"]
    assert visits(trial, "second") == second


def test_reserved_time_begins_on_duty_and_may_end_after() -> None:
    """Of 90 minutes in two hours, both visits begin while the nurse is there."""
    changes = {"assumptions.durations_minutes.look": 90}
    assert visits(told(MIDNIGHT, MIDNIGHT, changes=changes)) == [
        "0 Mon 04 08:00",
        "1 Mon 04 09:30",
    ]


AWAY = {"on": day("2024-03-04"), "people": 1}
FRIDAYS = {"from": day("2024-03-05"), "hours": {"fri": "08:00-10:00"}}
TWO = {"from": day("2024-03-05"), "people": 2}


@pytest.mark.parametrize(
    ("changes", "others"),
    [
        ({"design.places.clinic.closures": [day("2024-03-05")]}, ["2 Wed 06 08:00 staff"]),
        ({"design.staff.nurse.away": [day("2024-03-05")]}, ["2 Wed 06 08:00 staff"]),
        ({"design.staff.nurse.changes": [FRIDAYS]}, ["2 Fri 08 08:00 staff"]),
        ({"design.staff.nurse.changes": [TWO]}, ["2 Tue 05 08:00 staff"]),
        ({"design.staff.nurse.people": 2}, ["2 Mon 04 09:00"]),
        ({"design.staff.nurse.people": 2, "design.staff.nurse.away": [AWAY]},
         ["2 Tue 05 08:00 staff"]),
    ],
)  # fmt: skip
def test_what_the_file_says_of_rosters_leave_and_closures_is_known(
    changes: Mapping[str, Any], others: list[str]
) -> None:
    """One nurse sees two on Monday; the third is seen when there is room."""
    trial = told(*[MIDNIGHT] * 3, changes={"design.schedule": ONCE, **changes})
    assert [line for line in visits(trial) if line.startswith("2")] == others


# What can hold up a dose.

CELLS = {
    "design.arms": {"only": {"product": "cells"}},
    "design.products": {"cells": {"dose": 1, "order_ahead_days": 7}},
    "design.schedule": DOSE,
}


def test_a_dose_is_booked_for_when_it_is_to_be_ready(reserved: list[float]) -> None:
    trial = told(MIDNIGHT, changes=CELLS)
    assert reserved == [7 * DAY + 480]
    assert visits(trial) == ["0 Mon 11 08:00 product"]


def test_a_dose_that_fails_its_release_is_booked_anew_when_that_is_known(
    reserved: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Chance, "failed_releases", lambda _, person, *__: int(person == 0))
    changes = {**CELLS, **ONE_A_DAY}
    told(MIDNIGHT, MIDNIGHT, changes=changes, until=7 * DAY)
    assert reserved == [7 * DAY + 480, 8 * DAY + 480]
    told(MIDNIGHT, MIDNIGHT, changes=changes, until=7 * DAY + 1)
    assert reserved[2:] == [7 * DAY + 480, 8 * DAY + 480, 14 * DAY + 480]
    trial = told(MIDNIGHT, MIDNIGHT, changes=changes)
    assert visits(trial) == ["1 Tue 12 08:00 staff", "0 Mon 18 08:00 product"]


def test_a_failed_release_gives_the_time_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """The third's order fails on Monday 11; on that day an event takes the time on Wednesday."""
    monkeypatch.setattr(Chance, "failed_releases", lambda _, person, *__: int(person == 2))
    happens = 7 * DAY + 720
    monkeypatch.setattr(
        Chance, "happens", lambda *what: happens if (what[1], what[4]) == (1, 1) else 1e9
    )
    event = {"design.unscheduled.event": {"at": {"clinic": "check"}},
             "assumptions.unscheduled.event": {"by_week": 4, "per_participant": 1}}  # fmt: skip
    trial = told(*[MIDNIGHT] * 4, changes={**CELLS, **ONE_A_DAY, **event})
    assert visits(trial, "event") == ["1 Wed 13 08:00 staff"]
    assert visits(trial)[-1] == "2 Mon 18 08:00 product"


def test_a_discarded_dose_is_booked_anew_with_the_next_order() -> None:
    """Half the time is reserved that a dose takes; the second is ready while the nurse is taken."""
    changes = {
        **CELLS,
        "design.booking.length": 0.5,
        "design.products.cells.use_within_minutes": 10,
        "design.staff.lab": {"people": 2, "hours": {"mon-fri": "08:00-10:00"}},
        "design.visits.check": ["prepare", "look"],
        "design.tasks.prepare": ["lab"],
        "assumptions.durations_minutes": {"prepare": 100, "look": 30},
    }
    trial = told(MIDNIGHT, MIDNIGHT, changes=changes)
    assert work(trial, "prepare", "look") == [
        "prepare 0 Mon 11 08:00-09:40",
        "prepare 1 Mon 11 08:15-09:55",
        "look 0 Mon 11 09:40-10:10",
        "prepare 1 Mon 18 08:00-09:40",
        "look 1 Mon 18 09:40-10:10",
    ]
    assert visits(trial) == ["0 Mon 11 08:00 product", "1 Mon 18 08:00 product"]


def test_a_dose_takes_its_share_of_the_week_when_it_is_booked(reserved: list[float]) -> None:
    changes = {**CELLS, "design.products": {"cells": {"dose": 1, "doses_per_week": 1}}}
    told(*[MIDNIGHT] * 3, changes=changes, until=1)
    assert reserved == [480, 7 * DAY + 480, 14 * DAY + 480]


@pytest.mark.parametrize("who", ["leaves", "stops"])
def test_the_share_of_the_week_is_given_back(who: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second, booked for Monday 11, leaves or stops at noon; somebody comes that evening."""
    going(monkeypatch, who, person=1)
    week = {**CELLS, "design.products": {"cells": {"dose": 1, "doses_per_week": 1}}}
    trial = told(*[MIDNIGHT] * 3, EVENING, changes=week)
    assert visits(trial) == [
        "0 Mon 04 08:00",
        "3 Mon 11 08:00 product",
        "2 Mon 18 08:00 product",
    ]


# The day itself.


def test_an_overrun_delays_the_next_and_whom_it_leaves_no_time_is_booked_anew(
    reserved: list[float],
) -> None:
    """Half an hour is reserved for each hour's visit: 08:00, 08:30, 09:00 and 09:30."""
    trial = told(*[MIDNIGHT] * 4, changes={**SEEN_ONCE, "design.booking.length": 0.5})
    assert visits(trial) == [
        "0 Mon 04 08:00",
        "1 Mon 04 09:00",
        "2 Tue 05 08:00 staff",
        "3 Tue 05 09:00 staff",
    ]
    assert reserved == [480, 510, 540, 570, DAY + 480, DAY + 510]
    assert [each.wait for each in trial.log.visits if each.row == "first"] == [
        0,
        30,
        23 * 60,
        23.5 * 60,
    ]


def test_who_waits_is_seen_in_the_order_of_the_appointments() -> None:
    """The first visit of each is a short one and then a long one, of another kind, beside it."""
    rows = {"first": {**ONCE["first"], "at": {"clinic": "talk"}}, "second": ONCE["first"]}
    changes = {
        "design.booking.length": 0.5,
        "design.staff.nurse.hours": {"mon-fri": "08:00-16:00"},
        "design.schedule": rows,
        "design.visits.talk": ["speak"],
        "design.tasks.speak": ["nurse"],
        "assumptions.durations_minutes.speak": 20,
    }
    trial = told(*[MIDNIGHT] * 2, changes=changes)
    assert work(trial, "speak", "look") == [
        "speak 0 Mon 04 08:00-08:20",
        "look 0 Mon 04 08:20-09:20",
        "speak 1 Mon 04 09:20-09:40",
        "look 1 Mon 04 09:40-10:40",
    ]


DESK = {
    **ONCE_ALL_DAY,
    "design.visits.check": ["look", {"later": "enter"}],
    "design.tasks.enter": ["nurse"],
    "assumptions.durations_minutes.enter": 90,
}


def test_desk_work_is_laid_down_for_a_visit_and_taken_up_after_it() -> None:
    """Who comes at 09:20 does not wait; of the 90 minutes begun at 09:00, none is lost."""
    trial = told(MIDNIGHT, 560.0, changes=DESK)
    assert work(trial, "look", "enter") == [
        "look 0 Mon 04 08:00-09:00",
        "enter 0 Mon 04 09:00-09:20",
        "look 1 Mon 04 09:20-10:20",
        "enter 0 Mon 04 10:20-11:30",
        "enter 1 Mon 04 11:30-12:00",
        "enter 1 Tue 05 08:00-09:00",
    ]


def test_desk_work_is_taken_up_by_who_laid_it_down() -> None:
    """The other nurse is done with her own at 10:00, and leaves it."""
    two = {"design.staff.nurse.people": 2, "assumptions.durations_minutes.enter": 60}
    trial = told(MIDNIGHT, MIDNIGHT, 560.0, changes={**DESK, **two})
    assert sorted(work(trial, "enter")) == [
        "enter 0 Mon 04 09:00-09:20",
        "enter 0 Mon 04 10:20-11:00",
        "enter 1 Mon 04 09:00-10:00",
        "enter 2 Mon 04 10:20-11:20",
    ]


# Who comes on another day, or does not.


def late(monkeypatch: pytest.MonkeyPatch, days: int | None, notice: float) -> dict[str, Any]:
    """Let the first come so many days late, or never, and say so in time or not."""
    monkeypatch.setattr(Chance, "days_late", lambda _, person, *__: 0 if person else days)
    return {**SEEN_ONCE, "assumptions.attendance.check": {"notice": notice}}


def test_a_miss_with_notice_frees_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    trial = told(*[MIDNIGHT] * 2, changes={**late(monkeypatch, None, 1), **ONE_A_DAY})
    assert missed(trial) == ["0 did_not_come"]
    assert visits(trial) == ["1 Mon 04 08:00"]


def test_a_miss_without_notice_leaves_its_time_empty(monkeypatch: pytest.MonkeyPatch) -> None:
    trial = told(*[MIDNIGHT] * 2, changes={**late(monkeypatch, None, 0), **ONE_A_DAY})
    assert missed(trial) == ["0 did_not_come"]
    assert visits(trial) == ["1 Tue 05 08:00 staff"]


def test_who_says_so_in_time_is_booked_near_the_day_they_can(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """They can come on Wednesday, and others take the time on Monday."""
    trial = told(*[MIDNIGHT] * 2, changes={**late(monkeypatch, 2, 1), **ONE_A_DAY})
    assert visits(trial) == ["1 Mon 04 08:00", "0 Wed 06 08:00 participant"]


@pytest.mark.parametrize(("others", "seen"), [(1, "08:00"), (4, "09:00"), (3, "08:00")])
def test_who_is_late_without_notice_comes_after_that_days_appointments(
    others: int, seen: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two a day: nobody takes the first hour of Monday; the fifth is booked for Wednesday."""
    trial = told(*[MIDNIGHT] * (others + 1), changes=late(monkeypatch, 2, 0))
    found = visits(trial)
    assert f"0 Wed 06 {seen} participant" in found
    assert "1 Mon 04 09:00" in found
    assert not [line for line in found if line.endswith("Mon 04 08:00")]


def test_a_time_that_was_given_back_is_not_for_who_is_late_without_notice(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Three a day; on Wednesday 08:00 was given back, and somebody is booked at 09:00."""
    going(monkeypatch, "leaves", person=6)
    changes = {**late(monkeypatch, 2, 0), "design.staff.nurse.hours": {"mon-fri": "08:00-11:00"}}
    trial = told(*[MIDNIGHT] * 8, changes=changes)
    assert visits(trial)[-2:] == ["7 Wed 06 09:00 staff", "0 Wed 06 10:00 participant"]


def test_who_is_late_and_finds_the_day_full_is_booked_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    trial = told(*[MIDNIGHT] * 6, changes=late(monkeypatch, 2, 0))
    assert visits(trial)[-3:] == [
        "4 Wed 06 08:00 staff",
        "5 Wed 06 09:00 staff",
        "0 Thu 07 08:00 staff",
    ]


def test_who_is_late_and_finds_the_day_over_is_booked_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """The last of Wednesday is reserved until after midnight, and Thursday is shut."""
    changes = {
        **late(monkeypatch, 2, 0),
        "design.places.clinic.days": ["mon", "tue", "wed"],
        "design.staff.nurse.hours": {"mon-fri": "22:00-24:00"},
        "assumptions.durations_minutes.look": 90,
    }
    trial = told(*[MIDNIGHT] * 6, changes=changes)
    assert visits(trial)[-2:] == ["5 Wed 06 23:30 staff", "0 Mon 11 22:00 staff"]


@pytest.mark.parametrize(("days", "notice"), [(-2, 1), (-3, 0)])
def test_who_is_early_is_seen_before_the_planned_day(
    days: int, notice: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Planned for a Monday; who can come on Saturday and says so is booked on Friday."""
    monkeypatch.setattr(
        Chance, "days_late", lambda _, __, planned, ___: days if planned.row == "week_6" else 0
    )
    trial = told(MIDNIGHT, changes={"assumptions.attendance.check": {"notice": notice}})
    assert visits(trial, "week_6") == ["0 Fri 12 08:00 participant"]


@pytest.mark.parametrize("days", [1, 7])
def test_a_dose_for_who_is_late_without_notice_takes_its_share_of_the_week(
    days: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One dose a week: the second has this week's, which the first does not use, the third next."""
    doses = {"design.products": {"cells": {"dose": 1, "doses_per_week": 1}}}
    trial = told(*[MIDNIGHT] * 3, changes={**late(monkeypatch, days, 0), **CELLS, **doses})
    assert visits(trial) == [
        "1 Mon 04 09:00",
        "2 Mon 11 08:00 product",
        "0 Mon 18 08:00 product",
    ]


def going(monkeypatch: pytest.MonkeyPatch, how: str, person: int) -> None:
    """Let somebody leave or stop treatment on Monday at noon, and nobody else."""
    others = {"leaves": (float("inf"), ""), "stops": float("inf")}[how]
    now = {"leaves": (720.0, "withdraws"), "stops": 720.0}[how]
    monkeypatch.setattr(Chance, how, lambda _, who, *__: now if who == person else others)


@pytest.mark.parametrize("how", ["leaves", "stops"])
def test_who_leaves_or_stops_frees_a_time_and_nobody_is_moved_forward(
    how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody who comes on Monday evening is given Tuesday, and the third stays on Wednesday."""
    going(monkeypatch, how, person=1)
    changes = {"design.schedule": DOSE, **ONE_A_DAY}
    trial = told(*[MIDNIGHT] * 3, EVENING, changes=changes)
    assert visits(trial) == ["0 Mon 04 08:00", "3 Tue 05 08:00 staff", "2 Wed 06 08:00 staff"]
    ended = {moment.milestone for moment in trial.log.moments if moment.person == 1}
    assert {"leaves": Milestone.LEFT, "stops": Milestone.STOPPED_TREATMENT}[how] in ended


# Screening and the monitor.


def test_the_screening_visit_is_booked_at_contact(reserved: list[float]) -> None:
    changes = {**SEEN_ONCE, "design.visits.screening_visit": ["look"],
               "design.schedule": {"first": {**ONCE["first"], "at": {"clinic": "nothing"}}},
               "design.visits.nothing": [],
               "assumptions.screening": {"contact_days": 1}}  # fmt: skip
    told(*[MIDNIGHT] * 3, changes=changes, until=DAY)
    assert not reserved
    trial = told(*[MIDNIGHT] * 3, changes=changes, until=DAY + 1)
    assert reserved == [DAY + 480, DAY + 540, 2 * DAY + 480]
    trial = told(*[MIDNIGHT] * 3, changes=changes)
    assert visits(trial, "screening_visit") == ["0 Tue 05 08:00", "1 Tue 05 09:00",
                                                "2 Wed 06 08:00"]  # fmt: skip


def test_an_eligibility_call_is_done_task_by_task() -> None:
    """In one go it would begin on Tuesday; the file is put together as soon as there is time."""
    changes = {
        **SEEN_ONCE,
        "design.staff.physician": {"hours": {"mon-fri": "09:00-10:00"}},
        "design.visits.eligibility_call": ["compile", "sign_off", "randomise"],
        "design.tasks": {"look": ["nurse"], "compile": ["nurse"], "sign_off": ["physician"],
                         "randomise": ["nurse"]},
        "assumptions.durations_minutes": {"compile": 60, "sign_off": 30, "randomise": 15,
                                          "look": 15},
    }  # fmt: skip
    trial = told(540.0, changes=changes)
    assert work(trial, "compile", "sign_off", "randomise") == [
        "compile 0 Mon 04 09:00-10:00",
        "sign_off 0 Tue 05 09:00-09:30",
        "randomise 0 Tue 05 09:30-09:45",
    ]
    assert [each.wait for each in trial.log.visits if each.row == "eligibility_call"] == [0]


MONITORED = {
    **SEEN_ONCE,
    "design.monitoring": {"visit": "monitoring_visit", "every_days": 7},
    "design.visits.monitoring_visit": ["host"],
    "design.tasks.host": ["nurse"],
    "assumptions.durations_minutes.host": 60,
}


def test_the_monitor_is_booked_one_interval_ahead(reserved: list[float]) -> None:
    told(MIDNIGHT, changes=MONITORED, until=1)
    assert reserved == [7 * DAY + 480, 480]
    trial = told(MIDNIGHT, changes=MONITORED, until=7 * DAY + 541)
    assert reserved[2:] == [7 * DAY + 480, 480, 14 * DAY + 480]
    assert work(trial, "host") == ["host -1 Mon 11 08:00-09:00"]


def test_a_monitor_with_nothing_to_see_gives_the_time_back() -> None:
    monitored = told(7 * DAY + 1, changes=MONITORED)
    assert visits(monitored) == ["0 Mon 11 08:00"]
    assert work(monitored, "host")[0] == "host -1 Mon 18 08:00-09:00"


def test_visits_go_on_while_a_dose_waits_for_its_vials() -> None:
    """One vial is there; the next comes 28 days later, and the visits between are held."""
    stock = {"starts_with": 1, "reorder_at": 0, "reorder_quantity": 1, "lead_days": 28}
    doses = {**DOSE["first"], "every_days": 7, "times": 2}
    check = {"at": {"clinic": "check"}, "day": 15}
    changes = {
        "design.schedule": {"first": doses, "second": check, "third": {**check, "day": 22}},
        "design.products.tablets": {"dose": 1, "units_per_vial": 1, "stock": stock},
    }
    trial = told(MIDNIGHT, changes=changes)

    assert visits(trial) == ["0 Mon 04 08:00", "0 Mon 01 08:00 product"]
    assert visits(trial, "second") == ["0 Mon 18 08:00"]
    assert visits(trial, "third") == ["0 Mon 25 08:00"]

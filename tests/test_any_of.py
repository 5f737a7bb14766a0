"""Stories of work that either of two can do: whoever can begin first, on ties as written."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

import pytest

from sim.model.book import Book
from sim.model.participant import journey
from sim.model.servers import Alternatives, Servers
from sim.model.trial import Trial
from sim.results.measures import measure
from sim.scenario.load import load, shipped
from sim.scenario.slots import NEVER, Offer
from sim.scenario.yaml_source import ScenarioError
from sim.vocabulary.clock import Roster
from tests.test_journey import instant, protocol, told, visits

BOTH = pytest.mark.parametrize("by", ["arrival", "appointment"])
EITHER = {"any_of": ["nurse", "doctor"]}
ALL_DAY = {"mon-sun": "08:00-18:00"}


def changes(
    by: str, nurse: dict[str, str], doctor: dict[str, str], **others: object
) -> dict[str, Any]:
    """Return what makes the check of week 1 a look of 25 minutes by nurse or doctor."""
    return {
        "design.booking": {"by": by},
        "design.staff.nurse.hours": nurse,
        "design.staff.doctor": {"hours": doctor},
        "design.tasks.look": [EITHER],
        **others,
    }


def looks(trial: Trial) -> list[tuple[str, str]]:
    """Return who began to look, and when."""
    return [
        (trial.protocol.resources[each.resource].name, instant(trial, each.started))
        for each in trial.log.work
        if each.task == "look"
    ]


def of_two(told_changes: dict[str, Any]) -> Trial:
    """Return the trial of two who come at the same instant."""
    trial = Trial(protocol(told_changes), 1, 1)
    for person in range(2):
        trial.agenda.begin(journey(person, 540.0, trial))
    trial.agenda.run(until=trial.protocol.clock.end_minutes)
    trial.close()
    return trial


AT_EIGHT = {"mon-sun": "08:00-08:01"}


@BOTH
def test_of_two_who_are_free_the_first_named_begins_and_the_other_takes_the_next(by: str) -> None:
    trial = of_two(changes(by, AT_EIGHT, AT_EIGHT))
    assert looks(trial) == [("nurse", "Fri 22 08:00"), ("doctor", "Fri 22 08:00")]
    assert [fate for row, *fate in visits(trial.log) if row == "week_1"] == [
        [1, "on_the_day", ""]
    ] * 2


@BOTH
def test_who_is_not_on_duty_leaves_it_to_the_other(by: str) -> None:
    trial = told(changes(by, {"mon-thu": "08:00-18:00"}, {"fri": "14:00-14:01"}))
    assert looks(trial) == [("doctor", "Fri 22 14:00")]


@BOTH
def test_a_visit_is_possible_where_either_is_there(by: str) -> None:
    """The nurse is away on the day planned, the doctor on all others."""
    away = {"design.staff.nurse.away": [date(2024, 3, 22)]}
    trial = told(changes(by, AT_EIGHT, {"fri": "09:00-09:01"}, **away))
    assert looks(trial) == [("doctor", "Fri 22 09:00")]
    assert visits(trial.log)[-1] == ("week_1", 1, "on_the_day", "")


@BOTH
def test_hours_are_those_of_who_did_it(by: str) -> None:
    trial = told(changes(by, ALL_DAY, ALL_DAY, **{"design.staff.nurse.people": 0}))
    found = measure(trial.log, trial.protocol)
    assert found["nurse_hours"] == 0
    assert found["doctor_hours"] == pytest.approx(25 / 60)
    assert found["doctor_asked_hours_busiest_week"] == pytest.approx(25 / 60)


@BOTH
def test_who_is_on_duty_goes_before_who_would_stay_on(by: str) -> None:
    """The nurse's shift ends while the doctor, who is free, looks; the second task is hers."""
    two = {
        "design.visits.check": ["prepare", "look"],
        "design.tasks.prepare": ["nurse"],
        "assumptions.durations_minutes.prepare": 30,
    }
    trial = told(changes(by, AT_EIGHT, ALL_DAY, **two))
    assert looks(trial) == [("doctor", "Fri 22 08:30")]


def test_at_overtime_whoever_is_free_first_goes_on() -> None:
    two = {
        "design.visits.check": ["prepare", "look"],
        "design.tasks.prepare": ["nurse"],
        "assumptions.durations_minutes.prepare": {"family": "triangular", "low": 0, "mode": 0,
                                                  "high": 60},
    }  # fmt: skip
    trial = told(changes("arrival", AT_EIGHT, AT_EIGHT, **two))
    ((who, when),) = looks(trial)
    assert who == "nurse"
    assert when > "Fri 22 08:01"


def test_the_book_reserves_whoever_has_room_in_the_order_written() -> None:
    trial = Trial(protocol(changes("appointment", ALL_DAY, {"fri": "08:00-09:00"})), 1, 1)
    book = Book(trial.protocol.members, 1.0)
    (arm,) = trial.protocol.arms
    offer: Offer = arm.rows[1][0].offer
    slots, friday = offer.choices[0], 18
    starts, who = [], []
    for _ in range(4):
        start = book.room(slots, friday, 0.0)
        reservation = book.reserve(slots, start)
        starts.append(start - friday * 1440)
        who.append([trial.protocol.resources[each].name for each in reservation.of])
    assert starts == [480, 480, 505, 505]
    assert who == [["nurse"], ["doctor"], ["nurse"], ["doctor"]]
    for _ in range(2):  # the doctor begins at 08:50 and may end after the shift
        last = book.reserve(slots, book.room(slots, friday, 0.0))
        who += [[trial.protocol.resources[each].name for each in last.of]]
    assert who[4:] == [["nurse"], ["doctor"]]
    assert book.room(slots, friday, 0.0) - friday * 1440 == 555
    book.release(reservation)
    assert book.room(slots, friday, 0.0) - friday * 1440 == 505
    assert book.room(slots, friday, friday * 1440 + 1080.0) == NEVER


def test_who_is_in_the_book_goes_before_who_is_named_first() -> None:
    always = Roster((), always=True)
    both = Alternatives([(n, Servers(n, 1, always, []), always) for n in range(2)])
    assert both.who(480.0, 480.0, booked=()) == 0
    assert both.who(480.0, 480.0, booked={1, 5}) == 1


@pytest.mark.parametrize(
    ("overrides", "complaint"),
    [
        (["design.tasks.assess=[{any_of: [investigator]}]"], "too few entries"),
        (["design.tasks.assess=[{any_of: [investigator, ward_nurze]}]"],
         "did you mean ward_nurse?"),
        (["design.tasks.assess=[investigator, {any_of: [investigator, ward_nurse]}]"],
         "investigator is named twice"),
        (["design.tasks.assess=[{either: [investigator, ward_nurse]}]"], "unknown key"),
        (["design.tasks.assess=[5]"], "this is not a member of a team"),
        (["design.tasks.enter_data=[{any_of: [investigator, coordinator]}]"],
         "asks investigator or coordinator"),
    ],
)  # fmt: skip
def test_what_is_no_choice_is_refused(overrides: list[str], complaint: str) -> None:
    with pytest.raises(ScenarioError, match=re.escape(complaint)):
        load(shipped() / "baseline.yaml", overrides)


def test_a_visit_that_neither_can_hold_is_refused_by_both_names() -> None:
    overrides = [
        "design.staff.investigator.hours={mon: '14:00-17:00'}",
        "design.staff.sub={hours: {tue: '14:00-17:00'}}",
        "design.staff.other={hours: {wed: '14:00-17:00'}}",
        "design.tasks.assess=[other, {any_of: [investigator, sub]}]",
    ]
    with pytest.raises(
        ScenarioError, match="other, investigator or sub are never on duty together"
    ):
        load(shipped() / "baseline.yaml", overrides)

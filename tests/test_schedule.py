"""Stories of rows of the schedule: one person, nothing left to chance, by arrival and booked."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from sim.model.trial import Trial
from sim.results.counts import COUNTS
from sim.results.periods import Almanac
from sim.results.replication import Reading
from sim.scenario.load import dump, load
from sim.scenario.timetable import too_soon
from tests.test_booking import told as told_of
from tests.test_journey import day, instant
from tests.toys import toy

WEEKDAYS = ["mon", "tue", "wed", "thu", "fri"]
ROUND_THE_CLOCK = {
    "design.places.clinic": {"country": "none"},
    "design.staff.nurse": {"people": 1, "hours": "always"},
    "assumptions.durations_minutes": {"look": 60},
}
"""Whoever comes on Monday 4 March at midnight is randomised at once; no day is impossible."""


@pytest.fixture(params=["arrival", "appointment"])
def booking(request: pytest.FixtureRequest) -> dict[str, Any]:
    """How visits come about: each story is the same both ways."""
    return {"design.booking": {"by": request.param}}


def told(schedule: Mapping[str, Any], booking: Mapping[str, Any], **changes: object) -> Trial:
    """Return the trial after one person went through it; `a__b=1` changes the path `a.b`."""
    paths = {path.replace("__", "."): value for path, value in changes.items()}
    return told_of(
        0.0, changes={**ROUND_THE_CLOCK, **booking, "design.schedule": schedule, **paths}
    )


def held(trial: Trial) -> list[str]:
    """Return what became of each visit: `check 2 Tue 12`, with the reason if there is one."""
    return [
        f"{each.row} {each.number} {instant(trial, each.time)[:6]} {each.reason}".rstrip()
        for each in trial.log.visits
        if each.is_in_schedule
    ]


def row(**keys: object) -> dict[str, Any]:
    """Return a row at the clinic."""
    return {"at": {"clinic": "check"}, **keys}


def test_days_at_no_regular_distance(booking: dict[str, Any]) -> None:
    trial = told({"check": row(days=[1, 2, 4, 8, 15, 29])}, booking)
    assert held(trial) == ["check 1 Mon 04", "check 2 Tue 05", "check 3 Thu 07", "check 4 Mon 11",
                           "check 5 Mon 18", "check 6 Mon 01"]  # fmt: skip


def test_what_is_written_out_loads_back(tmp_path: Path) -> None:
    file = tmp_path / "dumped.yaml"
    scenario = toy(design={"schedule": {"check": row(days=[1, 2, 8])}, "visits": {"check": []}})
    file.write_text(dump(scenario), encoding="utf-8")
    assert load(file) == scenario


def test_cycles_repeat_days_at_no_regular_distance(booking: dict[str, Any]) -> None:
    trial = told({"check": row(days=[1, 3, 8], cycles=2, cycle_days=14)}, booking)
    assert held(trial) == ["check 1 Mon 04", "check 2 Wed 06", "check 3 Mon 11",
                           "check 4 Mon 18", "check 5 Wed 20", "check 6 Mon 25"]  # fmt: skip


DOSE = row(arms=["only"], day=1, window_days=[0, 7])


def test_days_before_day_1_are_planned_at_randomisation_and_stay_if_day_1_slips(
    booking: dict[str, Any],
) -> None:
    trial = told(
        {"base": row(days=[-7, -1, 8], window_days=[-1, 1]), "dose": DOSE},
        booking,
        assumptions__to_first_dose_days={"only": 10},
        design__products__tablets={"dose": 1, "order_ahead_days": 12},
    )
    # The first dose is planned for Thursday 14 and waits for the product until Saturday 16.
    assert held(trial) == ["base 1 Wed 06", "base 2 Tue 12", "dose 1 Sat 16 product",
                           "base 3 Sat 23"]  # fmt: skip


def test_days_before_day_1_are_never_before_randomisation_nor_two_on_one_day(
    booking: dict[str, Any],
) -> None:
    law = {"family": "empirical", "values": [3, 30]}
    shares = {"only": {**law, "weights": [1e9, 1]}}
    schedule = {"base": row(days=[-7, -5, 2]), "dose": DOSE}
    trial = told(schedule, booking, assumptions__to_first_dose_days=shares)
    assert held(trial) == ["base 1 Mon 04", "base 2 Tue 05", "dose 1 Thu 07", "base 3 Fri 08"]


def test_an_arm_without_doses_waits_for_its_visit_on_day_1_behind_one_before_it(
    booking: dict[str, Any],
) -> None:
    trial = told(
        {"check": row(days=[-2, 1, 8])},
        booking,
        assumptions__to_first_dose_days={"only": 4},
        design__places__clinic__closures=[day("2024-03-08")],
    )
    assert held(trial) == ["check 1 Tue 05", "check 2 Sat 09 closed", "check 3 Sat 16"]


def test_a_row_from_randomisation_waits_for_no_dose(booking: dict[str, Any]) -> None:
    trial = told(
        {"phone": row(**{"from": "randomisation"}, days=[0, 2, 9]), "dose": DOSE},
        booking,
        assumptions__to_first_dose_days={"only": 5},
    )
    assert held(trial) == ["phone 1 Mon 04", "phone 2 Wed 06", "dose 1 Sat 09", "phone 3 Wed 13"]


def test_the_share_whose_first_dose_comes_too_soon_for_a_visit_is_that_below_its_day() -> None:
    wait = {"family": "uniform", "low": 0, "high": 10}
    scenario = toy(
        design={"schedule": {"base": row(days=[-4, 2])}, "visits": {"check": []}},
        assumptions={"to_first_dose_days": {"one": wait}},
    )
    assert [(each.days_before, each.share) for each in too_soon(scenario)] == [(5, 0.5)]


def test_a_row_from_each_visit_of_another_follows_the_visits_really_held(
    booking: dict[str, Any],
) -> None:
    doses = row(arms=["only"], day=1, every_days=7, times=3, window_days=[0, 2])
    trial = told(
        {"sample": row(**{"from": {"row": "dose"}}, days=[0, 2]), "dose": doses},
        booking,
        design__places__clinic__closures=[day("2024-03-11")],
    )
    assert held(trial) == [
        "dose 1 Mon 04", "sample 1 Mon 04", "sample 2 Wed 06",
        "dose 2 Tue 12 closed", "sample 3 Tue 12", "sample 4 Thu 14",
        "dose 3 Mon 18", "sample 5 Mon 18", "sample 6 Wed 20",
    ]  # fmt: skip


def test_after_a_visit_that_was_missed_nothing_is_planned(booking: dict[str, Any]) -> None:
    doses = row(arms=["only"], day=1, every_days=7, times=3, after_window="miss")
    trial = told(
        {"sample": row(**{"from": {"row": "dose"}}, day=2), "dose": doses},
        booking,
        design__places__clinic__closures=[day("2024-03-11")],
    )
    assert held(trial) == ["dose 1 Mon 04", "sample 1 Wed 06", "dose 2 Mon 11 closed",
                           "dose 3 Mon 18", "sample 3 Wed 20"]  # fmt: skip
    assert planned(trial) == {"dose 1": 1, "dose 2": 1, "dose 3": 1, "sample 1": 1, "sample 3": 1}


def test_the_second_period_of_a_crossover_begins_at_the_real_end_of_the_first(
    booking: dict[str, Any],
) -> None:
    period = {"arms": ["only"], "every_days": 7, "times": 2, "window_days": [0, 3]}
    washed_out = {"from": {"row": "first", "visit": "last"}}
    trial = told(
        {"first": row(**period, day=1), "second": row(**period, **washed_out, day=14)},
        booking,
        design__places__clinic__closures=[day("2024-03-11"), day("2024-03-12")],
    )
    assert held(trial) == ["first 1 Mon 04", "first 2 Wed 13 closed",
                           "second 1 Wed 27", "second 2 Wed 03"]  # fmt: skip


def test_a_safety_visit_is_counted_from_the_last_dose_given(booking: dict[str, Any]) -> None:
    doses = row(arms=["only"], day=1, every_days=7, times=3, after_window="miss")
    safety = row(**{"from": "last_dose"}, day=28, window_days=[-3, 3])
    trial = told(
        {"safety": safety, "dose": doses},
        booking,
        design__places__clinic__closures=[day("2024-03-18")],
    )
    assert held(trial) == ["dose 1 Mon 04", "dose 2 Mon 11", "dose 3 Mon 18 closed",
                           "safety 1 Mon 08"]  # fmt: skip


def test_who_stops_treatment_has_the_safety_visit_sooner_and_not_before_it_is_known(
    booking: dict[str, Any],
) -> None:
    doses = row(arms=["only"], day=1, every_days=7, times=8)
    safety = row(**{"from": "last_dose"}, days=[1, 14])
    trial = told(
        {"safety": safety, "dose": doses},
        booking,
        assumptions__stops_treatment={"share": {"1": 0, "2": 0.999999}},
    )
    # The doses are given on days 1 and 8; treatment is stopped in the week after.
    stopped = next(each.time for each in trial.log.moments if each.milestone.name.startswith("ST"))
    assert 7 * 1440 < stopped < 14 * 1440
    first, second = (each for each in trial.log.visits if each.row == "safety")
    assert first.time // 1440 == max(8, stopped // 1440)
    assert instant(trial, second.time)[:6] == "Mon 25"
    assert trial.log.moments[-1].milestone.name == "COMPLETED"


def test_whoever_is_never_dosed_has_no_safety_visit_and_completes(booking: dict[str, Any]) -> None:
    doses = row(arms=["only"], day=1, after_window="miss")
    trial = told(
        {"safety": row(**{"from": "last_dose"}, day=28), "dose": doses, "end": row(day=8)},
        booking,
        assumptions__to_first_dose_days={"only": 1},
        design__places__clinic__closures=[day("2024-03-05")],
    )
    assert held(trial) == ["dose 1 Tue 05 closed", "end 1 Tue 12"]
    assert planned(trial) == {"dose 1": 1, "end 1": 1}
    assert trial.log.moments[-1].milestone.name == "COMPLETED"


SOON = {"by_week": 1, "share": 0.999999}


def test_whoever_leaves_for_a_reason_that_lets_them_come_is_seen_once_more(
    booking: dict[str, Any],
) -> None:
    early = {"from": "leaving", "for": ["moves"]}
    schedule = {
        "early": row(**early, day=1, window_days=[0, 7]),
        "call": row(**{"from": {"row": "early"}}, day=3),
        "dose": row(arms=["only"], day=1, every_days=1, times=60),
        "safety": row(**{"from": "last_dose"}, day=28),
    }
    trial = told(schedule, booking, assumptions__leaving={"moves": SOON})
    left = next(each.time for each in trial.log.moments if each.milestone.name == "LEFT")
    seen = [each for each in trial.log.visits if each.is_in_schedule and each.row != "dose"]
    assert [(each.row, each.time // 1440) for each in seen] == [
        ("early", left // 1440 + 1),
        ("call", left // 1440 + 4),
    ]
    assert {each for each in planned(trial) if "dose" not in each} == {"early 1", "call 1"}
    trial = told(schedule, booking, assumptions__leaving={"moves": NEVER_MORE, "dies": SOON})
    assert {each.row for each in trial.log.visits if each.is_in_schedule} == {"dose"}
    assert "early 1" not in planned(trial)


NEVER_MORE = {"by_week": 1, "share": 0}


def test_whoever_leaves_brings_back_their_vials_if_they_are_seen_once_more(
    booking: dict[str, Any],
) -> None:
    drug = {"dose": 1, "units_per_vial": 1, "dispensed_per": "cycle"}
    schedule = {"dose": row(arms=["only"], day=1, every_days=1, times=60)}
    early = row(**{"from": "leaving"}, day=1, window_days=[0, 7])
    became = [
        told({**schedule, **more}, booking, assumptions__leaving={"moves": SOON},
             design__products__tablets=drug).log.supplies[-1].movement.name
        for more in ({}, {"early": early})
    ]  # fmt: skip
    assert became == ["LOST", "RETURNED"]


def test_whoever_stops_treatment_is_seen_for_it_and_goes_on(booking: dict[str, Any]) -> None:
    schedule = {
        "stop": row(**{"from": "stopping_treatment"}, day=2),
        "dose": row(arms=["only"], day=1, every_days=1, times=20),
        "end": row(day=29),
    }
    trial = told(schedule, booking, assumptions__stops_treatment=SOON)
    stopped = next(each.time for each in trial.log.moments if each.milestone.name.startswith("ST"))
    seen = [each for each in trial.log.visits if each.row in {"stop", "end"}]
    assert [(each.row, each.time // 1440) for each in seen] == [
        ("stop", stopped // 1440 + 2),
        ("end", 28),
    ]
    assert trial.log.moments[-1].milestone.name == "COMPLETED"
    trial = told(schedule, booking)
    assert "stop 1" not in planned(trial)
    assert trial.log.moments[-1].milestone.name == "COMPLETED"


def planned(trial: Trial) -> dict[str, int]:
    """Return how many of each visit are planned, as the tables count them."""
    read: Any = COUNTS["visits"].gauges[0].read(Reading(trial.log, Almanac.of(trial.protocol)))
    return {f"{row} {number}": times
            for (row, number, _, kind, _), times in read.items() if kind == "planned"}  # fmt: skip

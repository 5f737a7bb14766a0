"""Stories of what is given: nothing, several products, rising doses, a product that comes later."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from sim.model.chance import Chance
from sim.model.trial import Trial
from sim.report import calendar, story
from sim.results.measures import measure
from sim.scenario.interpret import interpret
from sim.vocabulary.eventlog import Milestone, Movement
from sim.vocabulary.words import words
from tests.test_dispensing import stock, supplies
from tests.test_journey import instant, told, visits
from tests.toys import runs, toy

BOTH = pytest.mark.parametrize("by", ["arrival", "appointment"])
TABLET = {"dose": 1}
WEEKS = {"at": {"clinic": "infusion"}, "window_days": [0, 1]}


def rows(*each: dict[str, Any]) -> dict[str, Any]:
    """Return a schedule of infusions a week apart, each with what else its row says."""
    return {f"week_{n}": {**WEEKS, "day": 1 + 7 * n, **row} for n, row in enumerate(each)}


def given(by: str, changes: dict[str, Any]) -> Trial:
    """Return the trial of one person, randomised on Monday 11, with day 1 on Friday 15."""
    return told({"design.products.tablet": TABLET, "design.booking": {"by": by}, **changes})


def doses(trial: Trial) -> list[tuple[str, str, float]]:
    """Return what was given: the day, the product and the units."""
    return [
        (instant(trial, time)[:6], trial.protocol.products[detail[0]].name, detail[1])
        for _, time, milestone, detail in trial.log.moments
        if milestone is Milestone.DOSE
    ]


@BOTH
def test_an_arm_without_a_product_is_seen_and_given_nothing(by: str) -> None:
    trial = given(by, {"design.arms.only": {}, "design.products.cells.order_ahead_days": 4})
    assert visits(trial.log) == [
        ("infusion", 1, "on_the_day", ""),
        ("week_1", 1, "on_the_day", ""),
    ]
    assert not trial.log.supplies
    assert [line for line in story.tell(trial.protocol, trial.log) if "is given" in line] == []
    assert measure(trial.log, trial.protocol)["doses_cells"] == 0


@BOTH
def test_a_visit_gives_what_its_row_says(by: str) -> None:
    schedule = rows(
        {"gives": ["cells", "tablet"]},
        {"gives": "tablet"},
        {"arms": ["only"]},
        {"arms": ["only"], "gives": []},
        {"gives": {"only": ["tablet"]}},
        {},
    )
    trial = given(by, {"design.schedule": schedule})
    assert doses(trial) == [
        ("Fri 15", "cells", 100.0),
        ("Fri 15", "tablet", 1.0),
        ("Fri 22", "tablet", 1.0),
        ("Fri 29", "cells", 100.0),
        ("Fri 12", "tablet", 1.0),
    ]
    assert [outcome for _, _, outcome, _ in visits(trial.log)] == ["on_the_day"] * 6


@BOTH
def test_doses_rise_row_by_row_and_take_as_many_vials(by: str) -> None:
    schedule = rows(
        {"gives": ["cells", "tablet"], "dose": {"cells": 0.5}},
        {"gives": "cells", "dose": 1},
        {"gives": "cells"},
    )
    changes = {"design.schedule": schedule, "design.products.cells.units_per_vial": 20}
    trial = given(by, changes | stock(100, 0, 1, 1))
    assert [units for _, name, units in doses(trial) if name == "cells"] == [25.0, 50.0, 100.0]
    assert supplies(trial) == [
        "DISPENSED 2 Fri 15",
        "DISPENSED 3 Fri 22",
        "DISPENSED 5 Fri 29",
    ]
    assert measure(trial.log, trial.protocol)["units_cells"] == 175


LATER: dict[str, Any] = {
    "design.schedule": rows({"gives": "tablet"}, {"gives": "tablet"}, {"gives": "cells"}),
    "design.products.cells.order_ahead_days": 4,
}
"""Tablets on the 15th and 22nd, cells on the 29th: ordered on the 25th."""


@BOTH
def test_a_product_that_comes_later_is_ordered_for_its_first_visit(
    by: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_time = given(by, LATER)
    assert doses(in_time)[-1] == ("Fri 29", "cells", 100.0)
    assert supplies(in_time) == []
    monkeypatch.setattr(Chance, "failed_releases", lambda _c, _p, what, _o: what.name == "cells")
    late = given(by, LATER)
    assert supplies(late) == ["FAILED_RELEASE 0 Fri 29"]
    assert visits(late.log)[-1] == ("week_2", 1, "out_of_window", "product")
    assert doses(late)[-1] == ("Tue 02", "cells", 100.0)


@BOTH
@pytest.mark.parametrize(("leaves_on", "lost"), [("2024-03-24", []), ("2024-03-26", ["NOT_GIVEN"])])
def test_who_leaves_before_the_order_costs_none(
    by: str, leaves_on: str, lost: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    leaves = ((date.fromisoformat(leaves_on) - date(2024, 3, 4)).days * 1440.0, "moved")
    monkeypatch.setattr(Chance, "leaves", lambda *_: leaves)
    assert [each.movement.name for each in given(by, LATER).log.supplies] == lost


@BOTH
def test_an_order_waits_for_the_day_1_there_is(by: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first dose is moved to Monday 18: the cells are for the 1st, not for the 29th."""
    closed = {"design.places.clinic.closures": [date(2024, 3, 15)]}
    leaves = (22 * 1440.0, "moved")  # Tuesday 26, before they are ordered and after they would be
    monkeypatch.setattr(Chance, "leaves", lambda *_: leaves)
    changes = {**LATER, **closed}
    changes["design.schedule"] = {
        name: {**row, "window_days": [0, 6]} for name, row in LATER["design.schedule"].items()
    }
    assert not given(by, changes).log.supplies


def test_of_two_products_one_out_of_stock_keeps_the_other_on_the_shelf() -> None:
    shelf = {"starts_with": 1, "reorder_at": 0, "reorder_quantity": 1, "lead_days": 60}
    one_missing = {**shelf, "lead_days": 3}
    changes = {
        "design.schedule": rows({"gives": ["tablet", "cells"], "window_days": [0, 7]}),
        "design.products.tablet": {**TABLET, "units_per_vial": 1, "stock": shelf},
        "design.products.cells": {"dose": 2, "units_per_vial": 1, "stock": one_missing},
    }
    trial = given("arrival", changes)
    assert visits(trial.log) == [("week_0", 1, "moved", "product")]
    assert [(each.movement, each.product) for each in trial.log.supplies if each.person == 0] == [
        (Movement.OUT_OF_STOCK, 0),
        (Movement.DISPENSED, 1),
        (Movement.DISPENSED, 0),
    ]


def test_the_calendar_names_all_that_was_given() -> None:
    trial = given("arrival", {"design.schedule": rows({"gives": ["cells", "tablet"]})})
    told = calendar.of_person(trial.protocol, trial.log, 0, words())
    (entry,) = [each for each in told if each.received]
    assert entry.received == "100  of cells, 1  of tablet"


def test_doses_of_a_titration_add_up_as_reckoned() -> None:
    """Nobody waits or leaves: each of the participants is given 1, 2, 4 and 8 units."""
    week = {"arms": ["one"], "at": {"clinic": "give"}}
    schedule = {f"w{n}": {**week, "day": 1 + 7 * n, "dose": 2**n} for n in range(4)}
    scenario = toy(
        design={
            "schedule": schedule,
            "visits": {"give": []},
            "trial": {"recruits_until": date(2023, 6, 30)},
        }
    )
    log = next(runs(scenario, 1))
    found = measure(log, interpret(scenario))
    assert found["doses_tablet"] == 4 * found["randomised"]
    assert found["units_tablet"] == 15 * found["randomised"]
    assert found["dose_intensity_tablet"] == 1


def test_a_dose_counted_from_a_visit_that_was_missed_is_in_no_plan() -> None:
    """Whoever misses the first of two doses is to have one; whoever left before it both."""
    schedule = {
        "first": {"arms": ["one"], "day": 1, "at": {"clinic": "infuse"}},
        "again": {"arms": ["one"], "from": {"row": "first"}, "day": 3, "at": {"clinic": "top_up"}},
    }
    scenario = toy(
        design={"visits": {"infuse": [], "top_up": []}, "schedule": schedule},
        assumptions={
            "attendance": {"infuse": {"missed": 0.5}},
            "to_first_dose_days": {"one": 14},
            "leaving": {"moves": {"by_week": 2, "share": 0.3}},
        },
    )
    protocol = interpret(scenario)
    for log in runs(scenario, 3):
        randomised = sum(each.milestone is Milestone.RANDOMISED for each in log.moments)
        doses = sum(each.milestone is Milestone.DOSE for each in log.moments)
        missed = sum(each.is_missed and each.row == "first" for each in log.visits)
        left = sum(each.milestone is Milestone.LEFT for each in log.moments)
        assert min(missed, left) > 5
        found = measure(log, protocol)["dose_intensity_tablet"]
        assert found == doses / (2 * randomised - missed)

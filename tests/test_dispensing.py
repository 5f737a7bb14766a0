"""Stories of a product: released or not, kept too long, out of stock, handed out and returned."""

from __future__ import annotations

import re
from operator import attrgetter
from typing import Any

import pandas as pd
import pytest

from sim.model.chance import Chance
from sim.model.participant import journey
from sim.model.trial import Trial
from sim.report import story
from sim.results import tables
from sim.results.measures import measure
from sim.scenario.capacity import Release
from sim.scenario.load import load, shipped
from sim.scenario.yaml_source import ScenarioError
from tests.test_journey import KEPT_TOO_LONG, instant, milestones, protocol, told, visits

DOSES = {
    "doses": {"arms": ["only"], "at": {"clinic": "infusion"}, "day": 1, "every_days": 3,
                  "times": 2, "cycle_days": 14, "cycles": 2, "window_days": [0, 1],
                  "after_window": "miss"},
    "end": {"at": {"clinic": "check"}, "day": 29, "window_days": [0, 7]},
}  # fmt: skip
VIALS = {"design.schedule": DOSES, "design.products.cells.units_per_vial": 40}
PER_CYCLE = {**VIALS, "design.products.cells.dispensed_per": "cycle"}

SHELF = "{starts_with: 1, reorder_at: 1, reorder_quantity: 1, lead_days: 1}"


def stock(starts_with: int, reorder_at: int, quantity: int, lead_days: int) -> dict[str, Any]:
    """Return a change: the shelf of the only product."""
    policy = {"starts_with": starts_with, "reorder_at": reorder_at}
    policy |= {"reorder_quantity": quantity, "lead_days": lead_days}
    return {"design.products.cells.stock": policy}


def supplies(trial: Trial) -> list[str]:
    """Return what became of the product, as `DISPENSED 3 Fri 15`, in the order of time."""
    return [
        f"{movement.name} {vials} {instant(trial, time)[:6]}"
        for _, time, movement, _, vials in sorted(trial.log.supplies, key=attrgetter("time"))
    ]


def measured(trial: Trial) -> dict[str, float]:
    return measure(trial.log, trial.protocol)


def test_an_order_that_fails_its_release_is_ordered_again_and_the_dose_waits(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Chance, "failed_releases", lambda *_: 2)
    trial = told({"design.products.cells.order_ahead_days": 4})
    # Randomised on Monday 11: ready and failed on the 15th and the 19th, there on the 23rd, which
    # is a Saturday.
    assert supplies(trial) == ["FAILED_RELEASE 0 Fri 15", "FAILED_RELEASE 0 Tue 19"]
    assert visits(trial.log)[0] == ("infusion", 1, "out_of_window", "product")
    assert milestones(trial)[-2].startswith("DAY_1 Mon 25")
    assert measured(trial)["releases_failed_cells"] == 2
    assert measured(trial)["doses_late_cells"] == 1


def test_the_share_that_fails_is_that_of_orders() -> None:
    release = Release(fails_release=0.3)
    failed = [release.failures((i + 0.5) / 10_000) for i in range(10_000)]
    assert sum(failed) / 10_000 == pytest.approx(0.3 / 0.7, rel=0.01)
    assert sum(n > 0 for n in failed) / 10_000 == pytest.approx(0.3, rel=0.01)


def test_a_dose_kept_too_long_takes_its_vials_with_it() -> None:
    trial = Trial(protocol({**KEPT_TOO_LONG, "design.products.cells.units_per_vial": 40}), 1, 1)
    for person in range(2):
        trial.agenda.begin(journey(person, 540.0, trial))
    trial.agenda.run(until=trial.protocol.clock.end_minutes)
    assert supplies(trial) == [
        "DISPENSED 3 Fri 15",
        "DISPENSED 3 Fri 15",
        "DISCARDED 0 Fri 15",
        "DISPENSED 3 Tue 19",
    ]
    assert measured(trial)["doses_wasted_cells"] == 1
    assert measured(trial)["vials_cells"] == 9


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({},
         ["DISPENSED 6 Fri 15", "RETURNED 3 Fri 29", "DISPENSED 6 Fri 29", "RETURNED 3 Fri 12"]),
        ({"assumptions.leaving": {"withdraws": {"share": {"1": 0, "2": 0.999999}}}},
         ["DISPENSED 6 Fri 15", "LOST 3 Mon 18"]),
        ({"assumptions.stops_treatment": {"share": {"1": 0, "2": 0.999999}}},
         ["DISPENSED 6 Fri 15", "RETURNED 3 Fri 12"]),
        ({"design.schedule": {**DOSES, "doses": {**DOSES["doses"], "times": 3}}},
         ["DISPENSED 9 Fri 15", "RETURNED 3 Thu 21", "DISPENSED 6 Mon 01"]),
    ],
    ids=["missed", "left", "stopped", "missed in the middle"],
)  # fmt: skip
def test_vials_not_used_come_back_at_the_next_visit_if_there_is_one(
    monkeypatch: pytest.MonkeyPatch, changes: dict[str, Any], expected: list[str]
) -> None:
    """100 units in vials of 40, two doses a cycle or three; the second and fourth are missed."""
    monkeypatch.setattr(
        Chance,
        "days_late",
        lambda _self, _person, planned, _visit: (
            None if planned.occasion in {"doses 2", "doses 4"} else 0
        ),
    )
    assert supplies(told(PER_CYCLE | changes)) == expected


@pytest.mark.parametrize("after_window", ["miss", "attend"])
def test_a_dose_out_of_stock_is_missed_or_waits(after_window: str) -> None:
    """Three vials at the opening are one dose; three more take five days, the window one."""
    rows = {"doses": {**DOSES["doses"], "after_window": after_window}, "end": DOSES["end"]}
    trial = told({**VIALS, "design.schedule": rows, **stock(3, 0, 3, 5)})
    waits = after_window == "attend"
    assert visits(trial.log)[:2] == [
        ("doses", 1, "on_the_day", ""),
        ("doses", 2, "out_of_window" if waits else "missed", "product"),
    ]
    assert supplies(trial)[:4] == [
        "DISPENSED 3 Fri 15",
        "OUT_OF_STOCK 0 Mon 18",
        "DELIVERED 3 Wed 20",
        "DISPENSED 3 Wed 20" if waits else "DISPENSED 3 Fri 29",
    ]
    assert measured(trial)["stockouts_cells"] == 2
    assert measured(trial)["doses_late_cells"] == (2 if waits else 0)
    empty = 4 * 4.5 if waits else 2 * 4.5  # after each dose, until the delivery
    assert measured(trial)["stockout_days_cells"] == pytest.approx(empty, abs=0.5)


def test_vials_set_aside_for_a_dose_that_was_put_off_are_back_on_the_shelf() -> None:
    """Two come for a bed that takes one a day; the six vials on the shelf are a dose each."""
    changes = {"design.rooms.bed.hours": {"mon-fri": "08:00-08:01"}, **stock(6, 0, 6, 60)}
    trial = Trial(protocol({**changes, "design.products.cells.units_per_vial": 40}), 1, 1)
    for person in range(2):
        trial.agenda.begin(journey(person, 540.0, trial))
    trial.agenda.run(until=trial.protocol.clock.end_minutes)
    assert supplies(trial)[:2] == ["DISPENSED 3 Fri 15", "DISPENSED 3 Mon 18"]


def test_a_delivery_on_the_day_of_the_order_leaves_nobody_waiting() -> None:
    trial = told(VIALS | stock(0, 0, 3, 0))
    assert {outcome for _, _, outcome, _ in visits(trial.log)} == {"on_the_day"}
    assert measured(trial)["stockouts_cells"] == 0


def test_orders_are_as_many_as_it_takes() -> None:
    """The dose wants three vials: two on the shelf, none more ordered until they are needed."""
    trial = told(VIALS | stock(2, 1, 1, 2))
    assert supplies(trial)[:4] == [
        "OUT_OF_STOCK 0 Fri 15",
        "DELIVERED 1 Sun 17",
        "DISPENSED 3 Mon 18",
        "DELIVERED 2 Wed 20",
    ]


def test_events_and_story_say_what_became_of_the_product() -> None:
    trial = told(PER_CYCLE | stock(6, 0, 6, 30))
    rows = tables.events(trial.protocol, trial.log)
    table = pd.DataFrame(rows, columns=list(tables.TABLES["events.csv.gz"].columns)[1:])
    handed = table[table["event"] == "dispensed"]
    assert handed[["detail", "units"]].to_numpy().tolist() == [["cells", 240.0]]
    assert "delivered" not in set(table["event"])
    told_lines = "\n".join(story.tell(trial.protocol, trial.log))
    assert "participant 0 is handed 6 vials of cells" in told_lines
    assert "participant 0 is told that cells is out of stock" in told_lines


@pytest.mark.parametrize(
    ("overrides", "complaint"),
    [
        (["design.products.huc_msc.dispensed_per=cycle"], "huc_msc.dispensed_per"),
        ([f"design.products.huc_msc.stock={SHELF}"], "huc_msc.stock"),
        (["assumptions.products={il2: {fails_release: 0.1}}"], "would be there at once"),
        (["assumptions.products={il-2: {fails_release: 0.1}}"], "did you mean il2?"),
        (["assumptions.products={huc_msc: {fails_release: 1}}"], "fails_release"),
    ],
)  # fmt: skip
def test_what_cannot_be_supplied_is_refused(overrides: list[str], complaint: str) -> None:
    with pytest.raises(ScenarioError, match=re.escape(complaint)):
        load(shipped() / "baseline.yaml", overrides)

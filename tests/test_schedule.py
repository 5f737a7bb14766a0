"""Stories of rows of the schedule: one person, nothing left to chance, by arrival and booked."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from sim.model.trial import Trial
from sim.scenario.load import dump, load
from tests.test_booking import told as told_of
from tests.test_journey import instant
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

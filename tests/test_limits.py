"""Trials in which something is missing altogether: each runs to the end and says what happened."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from sim.experiments.replicate import replicate
from sim.report.pages import write_page
from sim.results import folder
from sim.results.fold import Results
from sim.scenario.load import load, shipped
from sim.vocabulary.clock import MINUTES_PER_DAY

REPLICATIONS = 3
NOBODY = "Nobody was randomised in any simulated trial"
FRIDAY = 4


def simulated(*overrides: str) -> Results:
    scenario = load(shipped() / "baseline.yaml", overrides)
    return replicate(scenario, replications=REPLICATIONS, seed=7, jobs=1, keep=REPLICATIONS)


def measures(results: Results) -> Iterator[dict[str, float]]:
    """The measures of each replication."""
    for number in range(REPLICATIONS):
        yield {name: values[number] for name, values in results.measures.items()}


def page(home: Path, results: Results) -> str:
    """The text of the page."""
    out = folder.write(
        results.scenario, lambda: results, command="", page=write_page, out=home / "out"
    )
    html = (out / "report.html").read_text(encoding="utf-8")
    text = re.sub(r"<(script|style)>.*?</\1>|<[^>]+>", " ", html, flags=re.DOTALL)
    return re.sub(r"\s+", " ", text.replace("\u00a0", " "))


def _late_or_missed(told: str, cause: str) -> float:
    """Visits out of their window or missed for a cause, as the page has them."""
    causes = told[told.index("Why visits were moved") :]
    found = re.search(rf"{cause} ([\d.,]+) ([\d.,]+) ([\d.,]+)", causes)
    return 0.0 if found is None else float(found[2]) + float(found[3])


@pytest.mark.parametrize(
    ("override", "none", "some"),
    [
        ("assumptions.recruitment.candidates_per_month=0", "candidates", ""),
        ("design.eligibility.age_over_18_to_65.age.above=64.99", "consented", "candidates"),
        ("design.staff.coordinator.people=0", "consented", "still_in_screening"),
        ("design.staff.investigator.people=0", "consented", "still_in_screening"),
        ("design.staff.investigator.hours={}", "consented", "still_in_screening"),
        ("design.staff.investigator.hours=0", "consented", "still_in_screening"),
        (
            "design.staff.investigator.away=[{from: 2022-10-01, to: 2025-12-31}]",
            "consented",
            "still_in_screening",
        ),
    ],
    ids=[
        "no candidates",
        "nobody eligible",
        "no coordinator",
        "no investigator",
        "no day with an investigator",
        "no hour with an investigator",
        "an investigator on leave",
    ],
)
def test_nobody_is_randomised(tmp_path: Path, override: str, none: str, some: str) -> None:
    results = simulated(override)
    for found in measures(results):
        assert found["randomised"] == found[none] == 0
        assert not some or found[some] > 0

    told = page(tmp_path, results)
    assert NOBODY in told
    role = next((name for name in ("coordinator", "investigator") if name in override), "")
    assert (f"Never there in the whole trial: {role}." in told) == bool(role)


@pytest.mark.parametrize("missing", ["rooms.infusion_bed.spaces", "staff.cell_lab.people"])
def test_an_arm_that_cannot_be_dosed_waits_or_leaves(tmp_path: Path, missing: str) -> None:
    results = simulated(f"design.{missing}=0")
    for found in measures(results):
        assert found["doses_huc_msc"] == found["completed_msc"] == 0
        assert found["doses_il2"] > 0
        assert found["still_in_follow_up"] + found["left"] >= found["randomised_msc"] > 0

    told = page(tmp_path, results)
    assert NOBODY not in told
    name = missing.split(".")[1].replace("_", " ")
    assert f"Never there in the whole trial: {name}. No visit that needs them is held." in told


@pytest.mark.slow
def test_a_clinic_that_is_closed_for_a_year_holds_nothing_in_it_and_goes_on_after(
    tmp_path: Path,
) -> None:
    closed = "design.places.clinic.closures=[{from: 2023-03-01, to: 2024-02-29}]"
    first, last = ((day - date(2022, 10, 1)).days for day in (date(2023, 3, 1), date(2024, 2, 29)))
    results = simulated(closed)
    days = [
        visit.time // MINUTES_PER_DAY
        for log in results.logs
        for visit in log.visits
        if visit.place == "clinic" and not visit.is_missed
    ]
    assert not [day for day in days if first <= day <= last]
    assert min(days) < first < last < max(days)

    told = page(tmp_path, results)
    assert NOBODY not in told
    assert _late_or_missed(told, "Place closed") > _late_or_missed(
        page(tmp_path / "open", simulated()), "Place closed"
    )


@pytest.mark.slow
def test_a_bed_that_is_always_taken_puts_off_every_infusion_but_the_first(tmp_path: Path) -> None:
    taken = (
        "assumptions.durations_minutes.observe=1.0e+6",  # longer than the trial
        "assumptions.recruitment.candidates_per_month=6",
        "design.trial.closes=2023-12-31",
        "go_no_go=null",
        "design.trial.recruits_until=2023-12-31",
    )
    results = simulated(*taken)
    for found in measures(results):
        assert found["doses_huc_msc"] == 1
        assert found["still_in_follow_up"] + found["left"] >= found["randomised_msc"] - 1 > 0
        assert found["doses_il2"] > 0

    told = page(tmp_path, results)
    assert "Infusion bed" in told


def test_a_bed_taken_for_weeks_makes_infusions_late_for_want_of_a_room(tmp_path: Path) -> None:
    weeks = "assumptions.durations_minutes.observe=40000"  # four
    results = simulated(weeks)
    for found in measures(results):
        assert found["doses_huc_msc"] > 1

    assert _late_or_missed(page(tmp_path, results), "No room") > 1


def test_a_day_with_nobody_on_duty_passes_without_visits() -> None:
    absent = 'design.staff.nurse.hours={mon-thu: "08:00-12:00, 14:00-17:30"}'
    opens = date(2022, 10, 1).weekday()
    for log in simulated(absent).logs:
        days = {int(work.started // MINUTES_PER_DAY) for work in log.work
                if work.visit in {"il2_injection", "msc_infusion"}}  # fmt: skip
        assert days
        assert not [day for day in days if (day + opens) % 7 == FRIDAY]


def test_a_target_of_one_is_reached_by_the_first(tmp_path: Path) -> None:
    one = "design.trial.target=1"
    results = simulated(one)
    for found in measures(results):
        assert found["randomised"] >= 1
        assert found["day_of_target"] < found["last_visit_day"]

    assert "1 randomised by 31 December 2025: 100 %" in page(tmp_path, results)

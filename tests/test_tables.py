"""Tables of hand-made replications, their columns, and the identities that hold in them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import date
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from sim.results.fold import Results, Summary
from sim.results.periods import Almanac
from sim.results.tables import TABLES, build
from sim.scenario.load import Scenario
from sim.scenario.schema import Target
from sim.vocabulary.clock import Clock
from sim.vocabulary.eventlog import EventLog, Milestone, Movement, Supplied, VisitOutcome
from sim.vocabulary.intervals import of_mean, of_share
from sim.vocabulary.words import LANGUAGES, words
from tests.records import BED, END, NURSE, Told, a_log, a_protocol, a_story, a_visit, at, piece

COLUMNS = {
    "summary.csv": "measure unit mean sd p05 p10 p50 p90 p95 ci_low ci_high replications "
    "effective_replications",
    "targets.csv": "target measure needed with_probability probability ci_low ci_high verdict "
    "effective_replications",
    "sample_size.csv": "at_least probability ci_low ci_high",
    "triggers.csv": "target below month until fewer_than ci_low ci_high stopped stopped_of_met",
    "enrolment.csv": "month stage mean p05 p10 p50 p90 p95",
    "funnel.csv": "step reached failed_first failed_any failed_only share_failing",
    "flow.csv": "box arm reason mean p10 p90",
    "attempts.csv": "attempt box mean p10 p50 p90",
    "visits.csv": "row number arm outcome reason mean p10 p50 p90",
    "workload.csv": "week role quantity mean p10 p50 p90",
    "load.csv": "iso_week weekday role mean p10 p50 p90",
    "activity.csv": "role task mean p10 p50 p90",
    "dose_days.csv": "product day quantity mean p10 p50 p90",
    "supply.csv": "month product quantity mean p10 p50 p90",
}


def a_target(measure: str, probability: float, **limits: float) -> Target:
    return Target.model_validate({"measure": measure, "with_probability": probability, **limits})


def folded(logs: Sequence[EventLog], targets: Mapping[str, Target], **changed: object) -> Results:
    protocol = a_protocol(**changed)
    results = Results(
        cast("Scenario", SimpleNamespace(targets=targets, go_no_go=None)), protocol, 1
    )
    almanac = Almanac.of(protocol)
    results.fold([Summary.of(log, almanac, keep=number < 2) for number, log in enumerate(logs)])
    return results


def tables_of(*logs: EventLog, **targets: Target) -> dict[str, pd.DataFrame]:
    return build(folded(logs, targets))


def tables_over(clock: Clock, log: EventLog) -> dict[str, pd.DataFrame]:
    return build(folded([log], {}, clock=clock))


def randomised(number: int) -> EventLog:
    moments: list[Told] = []
    for person in range(number):
        moments += [(person, at(person), Milestone.CANDIDATE, None)]
        moments += [(person, at(person, 1), Milestone.RANDOMISED, 0)]
    return a_log(moments)


def cells(row: pd.Series[Any] | pd.DataFrame, *columns: str) -> list[Any]:
    return [row[column] for column in columns]


def by(table: pd.DataFrame, *keys: str) -> dict[Any, float]:
    return dict(zip(zip(*(table[key] for key in keys), strict=True), table["mean"], strict=True))


@pytest.mark.parametrize("name", COLUMNS)
@pytest.mark.parametrize("logs", [[a_log()], [a_story(), a_story()]], ids=["nothing", "a story"])
def test_columns_are_those_promised(name: str, logs: list[EventLog]) -> None:
    assert list(tables_of(*logs)[name]) == COLUMNS[name].split()


def test_a_row_of_replications_holds_every_measure_and_the_date_of_the_target() -> None:
    table = tables_of(a_story(), a_log())["replications.csv"]

    assert table["replication"].tolist() == [1, 2]
    assert table["day_of_target"].tolist() == [10, math.inf]
    assert table["date_of_target"].tolist() == ["2024-01-11", "never"]


def test_never_is_later_than_every_day_and_leaves_the_mean_blank() -> None:
    summary = tables_of(*[randomised(2)] * 6, *[a_log()] * 4)["summary.csv"].set_index("measure")
    day = summary.loc["day_of_target"]

    assert cells(day, "p05", "p50") == [1, 1]
    assert cells(day, "p90", "p95") == [math.inf, math.inf]
    assert day[["mean", "sd", "ci_low", "ci_high"]].isna().all()
    assert day["replications"] == 10


def test_a_blank_replication_is_left_out_of_the_summary() -> None:
    summary = tables_of(randomised(1), a_log())["summary.csv"].set_index("measure")

    assert summary.loc["dose_intensity_msc", "mean"] == 0
    assert summary.loc["dose_intensity_msc", "replications"] == 1
    assert summary.loc["volunteer_utilisation", "replications"] == 0


def test_one_replication_has_no_spread_and_no_interval() -> None:
    tables = tables_of(a_story(), enough=a_target("randomised", 0.8, at_least=2))
    row = tables["summary.csv"].set_index("measure").loc["randomised"]
    target = tables["targets.csv"].iloc[0]

    assert row["mean"] == row["p05"] == row["p95"] == 3
    assert row[["sd", "ci_low", "ci_high"]].isna().all()
    assert target["ci_high"] - target["ci_low"] > 0.5
    assert target["verdict"] == "undecided"


def test_a_summary_is_that_of_its_values() -> None:
    numbers = [3, 1, 4, 1, 5, 9, 2, 6]
    row = tables_of(*map(randomised, numbers))["summary.csv"].set_index("measure").loc["randomised"]
    interval = stats.ttest_1samp(numbers, 0).confidence_interval(0.95)

    assert row["mean"] == np.mean(numbers)
    assert row["sd"] == pytest.approx(np.std(numbers, ddof=1))
    assert cells(row, "ci_low", "ci_high") == pytest.approx(list(interval))
    assert cells(row, "p05", "p50", "p90") == [1, 3, 9]


@pytest.mark.parametrize(("times", "of"), [(0, 1), (1, 1), (0, 50), (17, 50), (1000, 1000)])
def test_the_interval_of_a_share_is_wilsons(times: int, of: int) -> None:
    expected = stats.binomtest(times, of).proportion_ci(method="wilson")

    assert of_share(times, of) == pytest.approx((expected.low, expected.high), abs=1e-12)


def test_too_few_values_have_no_interval() -> None:
    assert all(map(math.isnan, of_mean(np.array([4.0]))))
    assert of_share(0, 0) == (0, 1)


@pytest.mark.parametrize(("share", "verdict"), [(1.0, "met"), (0.5, "undecided"), (0.1, "missed")])
def test_a_verdict_is_given_only_where_the_interval_is_on_one_side(
    share: float, verdict: str
) -> None:
    many = [randomised(2)] * int(100 * share) + [a_log()] * int(100 * (1 - share))
    target = tables_of(*many, two=a_target("randomised", 0.55, at_least=2))["targets.csv"].iloc[0]

    assert target["probability"] == share
    assert target["needed"] == "at least 2"
    assert target["verdict"] == verdict


def test_never_and_blank_meet_no_target() -> None:
    soon = a_target("day_of_target", 0.5, at_most=1e9)
    used = a_target("volunteer_utilisation", 0.5, at_most=1)
    targets = tables_of(a_log(), soon=soon, used=used)["targets.csv"]

    assert targets["probability"].tolist() == [0, 0]
    assert targets["needed"].tolist() == ["at most 1e+09", "at most 1"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_table_is_named_by_its_columns_and_in_every_language(language: str) -> None:
    built, say = tables_of(a_story()), words(language)

    for name, layout in TABLES.items():
        assert "3" in say(f"tables.{name.partition('.')[0]}", rows=3), name
        assert name not in built or layout.columns.keys() <= {*built[name]}, name


def test_enrolment_counts_who_had_come_by_the_end_of_each_month() -> None:
    counts = by(tables_of(a_story())["enrolment.csv"], "month", "stage")

    assert counts["2024-01-01", "candidates"] == counts["2024-02-01", "candidates"] == 10
    assert counts["2024-01-01", "randomised"] == 3
    assert counts["2024-02-01", "completed"] == 1


def test_the_funnel_judges_every_criterion_for_everyone_who_reached_its_step() -> None:
    funnel = tables_of(a_story())["funnel.csv"].set_index("step")
    failures = ["reached", "failed_first", "failed_any", "failed_only"]

    assert list(funnel.index) == ["adult", "consent", "fit", "proteinuria", "withdrawal"]
    assert cells(funnel.loc["adult"], *failures) == [10, 1, 1, 0]
    assert cells(funnel.loc["consent"], *failures) == [9, 1, 1, 1]
    assert cells(funnel.loc["fit"], *failures) == [8, 1, 1, 1]
    assert cells(funnel.loc["proteinuria"], *failures) == [1, 1, 1, 1]
    assert funnel.loc["fit", "share_failing"] == 1 / 8


def test_the_boxes_of_the_flow_add_up() -> None:
    flow = tables_of(a_story())["flow.csv"]
    whole = flow[flow["arm"] == ""].groupby("box")["mean"].sum()
    arms = flow[flow["arm"] != ""].pivot_table("mean", "arm", "box", "sum")

    assert whole["candidates"] == whole.drop("candidates").sum() == 10
    assert arms["randomised"].sum() == whole["randomised"]
    endings = arms[["completed", "left", "still_in_follow_up"]].sum(axis=1)
    assert endings.tolist() == arms["randomised"].tolist()
    assert by(flow, "box", "arm", "reason")["left", "shots", "death"] == 1


def test_planned_visits_are_held_missed_or_not_reached() -> None:
    visits = tables_of(a_story(), a_log())["visits.csv"]
    outcomes = visits.groupby(["arm", "outcome"])["mean"].sum()

    assert visits["row"].drop_duplicates().tolist() == ["infusion", "shots", "week_2"]
    for arm in ("cells", "shots"):
        planned = outcomes[arm]["planned"]
        assert outcomes[arm].drop("planned").sum() == planned == {"cells": 1, "shots": 4}[arm]
    unreached = visits[visits["outcome"] == "not_reached"]
    assert by(unreached, "row", "number", "reason") == {
        ("shots", 2, "still_in_follow_up"): 0.5,
        ("shots", 3, "still_in_follow_up"): 0.5,
        ("shots", 3, "stopped_treatment"): 0.5,
        ("week_2", 1, "death"): 0.5,
        ("week_2", 1, "still_in_follow_up"): 0.5,
    }


def test_the_weeks_of_a_role_add_up_to_its_measures() -> None:
    log = a_log(
        work=[
            piece(BED, at(6, 20), at(7, 4)),
            piece(NURSE, at(8, 17), at(8, 18)),
            piece(NURSE, at(14, 8), at(14, 10), asked=at(12), desk=True),
            piece(NURSE, at(35), at(35), asked=at(30), minutes=90, desk=True),
        ]
    )
    tables = tables_of(log)
    hours = by(tables["workload.csv"], "role", "quantity", "week")
    totals = tables["workload.csv"].groupby(["role", "quantity"])["mean"].sum(min_count=1)
    measures = tables["replications.csv"].iloc[0]

    assert hours["bed", "worked_hours", "2024-01-01"] == 4
    assert hours["bed", "worked_hours", "2024-01-08"] == 4
    assert hours["nurse", "overtime_hours", "2024-01-08"] == 0.5
    assert hours["nurse", "backlog_hours", "2024-01-08"] == 2
    assert hours["nurse", "backlog_hours", "2024-01-15"] == 0
    assert hours["nurse", "backlog_hours", "2024-01-29"] == 1.5
    assert hours["nurse", "available_hours", "2024-01-01"] == 37.5
    assert hours["nurse", "utilisation", "2024-01-15"] == pytest.approx(2 / 37.5, abs=1e-4)
    assert math.isnan(hours["volunteer", "available_hours", "2024-01-01"])
    for role in ("nurse", "bed"):
        assert totals[role]["worked_hours"] == measures[f"{role}_hours"]
        assert totals[role]["overtime_hours"] == measures[f"{role}_overtime_hours"]


def test_load_lays_the_days_of_a_run_on_one_year_and_is_a_mean_over_its_years() -> None:
    two_years = Clock(date(2024, 1, 1), date(2025, 12, 31))
    first, second = at(0, 9), at(364, 9)  # Mondays of week 1 of 2024 and of 2025
    log = a_log(
        work=[
            piece(NURSE, first, first + 120),
            piece(NURSE, second, second + 60),
            piece(BED, at(2, 20), at(3, 4)),  # begun on a Wednesday, and counted there
            piece(BED, at(358, 8), at(358, 9)),  # the Tuesday of week 52
            piece(NURSE, at(731), at(731), minutes=60, desk=True),  # never done
        ]
    )
    hours = by(tables_over(two_years, log)["load.csv"], "iso_week", "weekday", "role")

    # Two years hold 2024-W01 to 2026-W01, so that week 1 comes three times up to its Wednesday.
    assert hours[1, "mon", "nurse"] == pytest.approx(3 / 3, abs=1e-3)
    assert hours[1, "wed", "bed"] == pytest.approx(8 / 3, abs=1e-3)
    assert hours[1, "thu", "bed"] == 0
    assert hours[52, "tue", "bed"] == 1 / 2
    assert sum(hours.values()) == pytest.approx(1 + 8 / 3 + 1 / 2, abs=1e-3)


def test_the_hours_of_a_roles_tasks_add_up_to_its_hours() -> None:
    work = [
        piece(BED, at(6, 20), at(7, 4)),
        piece(NURSE, at(8, 8), at(8, 9)),
        piece(NURSE, at(14, 8), at(14, 10), asked=at(12), desk=True),
        piece(NURSE, END - 60, END + 60),
        piece(NURSE, END, END, asked=at(30), minutes=90, desk=True),
    ]
    work[2] = work[2]._replace(task="note")
    tables = tables_of(a_log(work=work), a_log())
    hours = by(tables["activity.csv"], "role", "task")

    assert hours == {("nurse", "note"): 1, ("nurse", "task"): 1, ("bed", "task"): 4}
    assert list(hours) == [("nurse", "note"), ("nurse", "task"), ("bed", "task")]
    summary = tables["summary.csv"].set_index("measure")["mean"]
    assert summary["nurse_hours"] == hours["nurse", "note"] + hours["nurse", "task"]


def test_doses_stand_under_the_kind_of_day_they_were_planned_for() -> None:
    visits = [
        a_visit(0, at(5, 9), 1, "shots", "injection"),  # a Saturday, as planned
        a_visit(
            0,
            at(7, 9),
            1,
            "shots",
            "injection",
            number=2,
            outcome=VisitOutcome.MOVED,
            reason="closed",
        )._replace(planned_day=6),
        a_visit(
            0,
            at(0),
            1,
            "shots",
            "injection",
            number=3,
            outcome=VisitOutcome.MISSED,
            reason="holiday",
        ),
        a_visit(0, at(8), 1, "week_2", "assessment"),
        a_visit(1, at(12, 9), 1, "shots", "injection"),  # another Saturday, as planned
    ]
    doses = by(tables_of(a_log(visits=visits))["dose_days.csv"], "product", "day", "quantity")
    counted = {cell[1:]: number for cell, number in doses.items() if number}

    assert counted == {
        ("weekend", "planned"): 3,
        ("weekend", "on_the_day"): 2,
        ("weekend", "moved"): 1,
        ("weekend", "given"): 2,
        ("working_day", "given"): 1,
        ("holiday", "planned"): 1,
        ("holiday", "missed"): 1,
    }
    assert {product for product, *_ in doses} == {"msc", "il2"}


def test_doses_by_day_add_up_to_the_doses() -> None:
    tables = tables_of(a_story(), a_log())
    doses = tables["dose_days.csv"].groupby(["product", "quantity"])["mean"].sum()
    summary = tables["summary.csv"].set_index("measure")["mean"]

    for product in ("msc", "il2"):
        given, missed = summary[f"doses_{product}"], summary[f"doses_missed_{product}"]
        assert doses[product]["given"] == given
        assert doses[product]["missed"] == missed
        assert doses[product]["planned"] == given + missed


def test_supply_counts_doses_and_units_by_month() -> None:
    supply = by(tables_of(a_story())["supply.csv"], "month", "product", "quantity")

    assert supply["2024-01-01", "msc", "units"] == 1.1e8
    assert supply["2024-01-01", "il2", "doses"] == 1
    assert supply["2024-02-01", "il2", "doses"] == 1


def test_supply_has_the_stock_at_each_months_end_of_products_with_a_stock() -> None:
    log = a_story()
    log.supplies = [
        Supplied(8, at(12), Movement.DISPENSED, 1, 7),
        Supplied(-1, at(31), Movement.DELIVERED, 1, 12),
        Supplied(9, at(31, 8), Movement.DISPENSED, 1, 1),
    ]
    supply = by(tables_of(log)["supply.csv"], "month", "product", "quantity")

    assert supply["2024-01-01", "il2", "vials"] == 7
    assert supply["2024-01-01", "il2", "stock"] == 3
    assert supply["2024-02-01", "il2", "stock"] == 14
    quantities = {product: {q for _, p, q in supply if p == product} for product in ("msc", "il2")}
    common = {"doses", "units", "wasted", "late", "failed_release"}
    assert quantities["msc"] == common
    assert quantities["il2"] == common | {"vials", "returned", "lost", "stock", "stockouts"}


def test_kept_logs_are_told_person_by_person_and_in_order_of_time() -> None:
    tables = tables_of(a_story(), a_log(), a_story())
    people = tables["participants.csv.gz"].set_index("participant")
    events = tables["events.csv.gz"]

    assert people["replication"].tolist() == [1] * 10
    assert cells(people.loc[8], "arm", "last_milestone", "reason") == ["shots", "left", "death"]
    assert people.loc[6, "last_milestone"] == "screened"
    assert cells(people.loc[7], "randomised_on", "first_dose_on") == [
        "2024-01-10",
        "2024-01-13",
    ]
    assert events["time_days"].is_monotonic_increasing
    failed = events[events["event"] == "screen_failed"]
    assert failed["detail"].tolist() == ["fit", "proteinuria"]
    assert (events["event"] == "visit").sum() == 6

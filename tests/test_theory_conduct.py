"""Follow-up against closed forms: leaving, stopping, weekdays. Time in weeks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from sim.experiments.replicate import replicate
from sim.results import tables
from sim.vocabulary.eventlog import EventLog, Milestone
from tests.agreement import agrees
from tests.toys import runs, toy

WEEK = 7 * 1440
ASSESSED = (1, 2, 4, 8, 12, 16, 20, 24)
INJECTED = [cycle * 28 + dose * 2 for cycle in range(3) for dose in range(7)]

Floats = npt.NDArray[np.float64]


def hazard(share: float, by_week: float = 24) -> float:
    """Return the weekly hazard of leaving by which a share has left by a week."""
    return float(-np.log(1 - share) / by_week)


def followed(per_month: float, **assumptions: Mapping[str, Any]) -> EventLog:
    """Return a trial that recruits for a month: injections on the first day, then assessments."""
    scenario = toy(
        design={
            "trial": {"recruits_until": date(2023, 1, 31)},
            "schedule": {
                "injections": {
                    "arms": ["one"],
                    "at": {"clinic": "injection"},
                    "day": 1,
                    "every_days": 2,
                    "times": 7,
                    "cycle_days": 28,
                    "cycles": 3,
                },
                **{
                    f"week_{week}": {"at": {"clinic": "assessment"}, "day": 7 * week + 1}
                    for week in ASSESSED
                },
            },
            "visits": {"injection": [], "assessment": []},
        },
        assumptions={"recruitment": {"candidates_per_month": per_month}, **assumptions},
    )
    (log,) = runs(scenario, 1, seed=31)
    return log


def counts(log: EventLog, people: Sequence[int]) -> Floats:
    """Return how many each person had: assessments from week 2 on, all of them, and injections."""
    held = Counter((visit.person, visit.row) for visit in log.visits if visit.arm == 0)
    later = [f"week_{week}" for week in ASSESSED]
    return np.array(
        [
            (
                sum(held[each, row] for row in later[1:]),
                sum(held[each, row] for row in later),
                held[each, "injections"],
            )
            for each in people
        ],
        dtype=np.float64,
    )


def met(log: EventLog, milestone: Milestone) -> dict[int, float]:
    """Return when each person (last) met a milestone, in weeks."""
    return {person: time / WEEK for person, time, what, _ in log.moments if what is milestone}


def expected(weekly: float) -> tuple[float, float, float]:
    """Return the expected counts under a hazard; see `counts`."""
    weeks = np.array(ASSESSED)
    stays = np.exp(-weekly * weeks)
    doses = np.exp(-weekly * np.array(INJECTED) / 7)
    return float(stays[1:].sum()), float(stays.sum()), float(doses.sum())


def test_a_tenth_leaves_by_week_24() -> None:
    log = followed(3000, leaving={"anything": {"by_week": 24, "share": 0.10}})
    found = counts(log, list(met(log, Milestone.RANDOMISED)))

    assert hazard(0.10) == pytest.approx(0.00439, abs=5e-6)
    assert expected(hazard(0.10)) == pytest.approx((6.636, 7.632, 20.56), abs=0.005)
    for samples, value in zip(found.T, (6.636, 7.632, 20.56), strict=True):
        assert agrees(samples, value)
        assert not agrees(samples, 0.9 * value)


@pytest.mark.slow
@pytest.mark.parametrize(("share", "counted"), [(0.6, (0, 1)), (0.9, (2,))])
def test_visits_and_doses_fall_with_the_hazard(share: float, counted: Sequence[int]) -> None:
    log = followed(5000, leaving={"anything": {"by_week": 24, "share": share}})
    found = counts(log, list(met(log, Milestone.RANDOMISED)))

    for each in counted:
        assert agrees(found[:, each], expected(hazard(share))[each])
        assert not agrees(found[:, each], expected(1.1 * hazard(share))[each])


def test_the_earliest_of_competing_reasons_wins() -> None:
    shares = {"moves": 0.5, "tires": 0.3}
    log = followed(
        4000, leaving={name: {"by_week": 24, "share": share} for name, share in shares.items()}
    )
    reasons = [detail for _, _, what, detail in log.moments if what is Milestone.LEFT]
    people, left = met(log, Milestone.RANDOMISED), met(log, Milestone.LEFT)
    gone = np.array([person in left for person in people])
    moved = np.array([reason == "moves" for reason in reasons])
    both = hazard(0.5) + hazard(0.3)

    assert agrees(gone, 1 - 0.5 * 0.7)
    assert not agrees(gone, 1.1 * (1 - 0.5 * 0.7))
    assert agrees(moved, hazard(0.5) / both)
    assert not agrees(moved, 1.1 * hazard(0.5) / both)


def test_who_stops_treatment_keeps_the_assessments() -> None:
    log = followed(4000, stops_treatment={"by_week": 12, "share": 0.8})
    found = counts(log, list(met(log, Milestone.RANDOMISED)))
    weekly = hazard(0.8, by_week=12)

    assert (found[:, 1] == 8).all()
    assert agrees(found[:, 2], expected(weekly)[2])
    assert not agrees(found[:, 2], expected(1.1 * weekly)[2])


def test_seven_doses_every_other_day_meet_each_weekday_once_from_any_start() -> None:
    log = followed(300)
    cycles: dict[tuple[int, int], list[int]] = {}
    for visit in log.visits:
        if visit.row == "injections":
            cycle = cycles.setdefault((visit.person, (visit.number - 1) // 7), [])
            cycle.append(int(visit.time // 1440) % 7)

    assert {days[0] for days in cycles.values()} == set(range(7))
    assert all(sorted(days) == list(range(7)) for days in cycles.values())


WEEKDAYS = ["mon", "tue", "wed", "thu", "fri"]


@pytest.mark.parametrize(("window", "fate"), [([0, 0], "missed"), ([-1, 1], "moved")])
def test_the_causes_of_a_clinic_closed_at_weekends_are_the_doses_that_fell_there(
    window: list[int], fate: str
) -> None:
    """Two of seven every-other-day doses, and no other; each moved if its window reaches a day."""
    row: dict[str, Any] = {
        "arms": ["one"],
        "at": {"clinic": "injection"},
        "day": 1,
        "every_days": 2,
        "times": 7,
    }
    row |= {"window_days": window, "after_window": "miss", "cycles": 2, "cycle_days": 28}
    opens = date(2023, 1, 2)  # a Monday
    scenario = toy(
        design={
            "trial": {"opens": opens, "recruits_until": date(2023, 1, 31)},
            "places": {"clinic": {"days": WEEKDAYS}},
            "schedule": {"injections": row},
            "visits": {"injection": []},
        },
        assumptions={"recruitment": {"candidates_per_month": 60}},
    )
    results = replicate(scenario, replications=3, jobs=1, keep=3)
    planned = [
        (visit.number, visit.planned_day % 7 >= 5, visit.outcome, visit.reason)
        for log in results.logs
        for visit in log.visits
        if visit.arm == 0
    ]
    assert len(planned) > 1000
    assert sum(at_weekend for _, at_weekend, _, _ in planned) * 7 == 2 * len(planned)
    assert all(
        (outcome, reason) == ((fate, "closed") if at_weekend else ("on_the_day", ""))
        for _, at_weekend, outcome, reason in planned
    )
    table = tables.build(results)["visits.csv"]
    closed = table[(table["outcome"] == fate) & (table["reason"] == "closed")]
    counted = dict(zip(closed["number"], closed["mean"] * 3, strict=True))
    assert counted == Counter(number for number, at_weekend, _, _ in planned if at_weekend)
    others = table[~table["reason"].isin(["closed", ""])]
    assert others["mean"].sum() == 0


def test_four_exponential_tasks_of_one_name_have_the_spread_of_their_sum() -> None:
    """Independent durations: the sum of four of mean 10 has sd 20, were they one it had 40."""
    (log,) = runs(
        toy(
            design={"visits": {"chart_review": ["read"] * 4}, "tasks": {"read": ["nurse"]}},
            assumptions={
                "recruitment": {"candidates_per_month": 3500},
                "durations_minutes": {"read": {"family": "exponential", "mean": 10}},
            },
        ),
        1,
        seed=11,
    )
    people, minutes = np.array([(work.person, work.minutes) for work in log.work]).T
    squares = (np.bincount(people.astype(np.intp), minutes) - 40.0) ** 2

    assert agrees(squares, 20.0**2)


FOLLOWED: dict[str, Any] = {
    "dose": {"arms": ["dosed"], "at": {"clinic": "injection"}, "day": 1},
    "call": {"at": {"clinic": "assessment"}, "day": 300},
}
NO_VISIT_TAKES_TIME: dict[str, list[str]] = {"injection": [], "assessment": []}


def watched(
    per_month: float,
    leaving: Mapping[str, Any],
    attendance: Mapping[str, Any],
) -> EventLog:
    """Return a trial of an arm with one dose and one without, followed for most of a year."""
    scenario = toy(
        design={
            "trial": {"recruits_until": date(2023, 1, 31)},
            "arms": {"dosed": {"product": "tablet"}, "talks": {"product": "tablet"}},
            "schedule": FOLLOWED,
            "visits": NO_VISIT_TAKES_TIME,
        },
        assumptions={
            "recruitment": {"candidates_per_month": per_month},
            "to_first_dose_days": {"dosed": 10},
            "attendance": attendance,
            "leaving": {"anything": leaving},
        },
    )
    del scenario.design.arms["one"]
    (log,) = runs(scenario, 1, seed=32)
    return log


def left_by(log: EventLog, week: float, arm: int) -> npt.NDArray[np.bool_]:
    """Return for everybody randomised to an arm whether they left so many weeks after."""
    left = met(log, Milestone.LEFT)
    return np.array(
        [
            left.get(person, np.inf) - time / WEEK <= week
            for person, time, what, to in log.moments
            if what is Milestone.RANDOMISED and to == arm
        ],
    )


@pytest.mark.parametrize("missed", [0, 1], ids=["comes", "misses the only dose"])
def test_leaving_counts_from_randomisation_in_every_arm(missed: int) -> None:
    log = watched(6000, {"by_week": 24, "share": 0.5}, {"injection": {"missed": missed}})
    for dosed_or_not in (0, 1):
        for week in (3, 24, 37):
            found = left_by(log, week, dosed_or_not)
            assert agrees(found, 1 - 0.5 ** (week / 24))
        assert not agrees(found, 1.1 * (1 - 0.5 ** (week / 24)))


@pytest.mark.slow
def test_shares_by_week_are_found_at_each_week() -> None:
    shares = {4: 0.05, 12: 0.08, 24: 0.10}
    log = watched(90_000, {"share": shares}, {})
    beyond = {36: 1 - 0.9 * 0.90 / 0.92}  # the hazard of the weeks 12 to 24 goes on
    for week, share in (shares | beyond).items():
        found = np.concatenate([left_by(log, week, arm) for arm in (0, 1)])
        assert agrees(found, share)
        assert not agrees(found, 1.1 * share)


@pytest.mark.parametrize("weeks", [1, 4, 24])
def test_as_many_events_happen_as_asked_however_short_the_schedule(weeks: int) -> None:
    scenario = toy(
        design={
            "trial": {"recruits_until": date(2023, 1, 31)},
            "schedule": {
                "dose": {"arms": ["one"], "at": {"clinic": "injection"}, "day": 1},
                "last": {"at": {"clinic": "assessment"}, "day": 7 * weeks + 1},
            },
            "visits": NO_VISIT_TAKES_TIME,
            "unscheduled": {"fever": {"at": {"clinic": "assessment"}}},
        },
        assumptions={
            "recruitment": {"candidates_per_month": 6000},
            "unscheduled": {"fever": {"by_week": weeks, "per_participant": 2.0}},
        },
    )
    (log,) = runs(scenario, 1, seed=33)
    happened = Counter(
        moment.person for moment in log.moments if moment.milestone is Milestone.UNSCHEDULED_EVENT
    )
    seen = Counter(visit.person for visit in log.visits if visit.row == "fever")
    each = np.array([happened[person] for person in met(log, Milestone.COMPLETED)], np.float64)

    assert agrees(each, 2.0)
    assert not agrees(each, 1.1 * 2.0)
    assert seen == happened  # what happens in the last days is seen after the last visit

"""What holds in every replication, and between scenarios on the same simulated people."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from sim.experiments.replicate import replicate
from sim.model.run import run
from sim.results import tables
from sim.results.measures import measure
from sim.results.periods import Almanac
from sim.scenario.interpret import interpret
from sim.scenario.load import load, shipped
from sim.scenario.protocol import Protocol
from sim.scenario.schema import Scenario
from sim.vocabulary.eventlog import NOBODY, EventLog, Milestone, VisitOutcome
from tests.toys import runs, toy

ROUNDING = 1e-6
MANY = "assumptions.recruitment.candidates_per_month=6"
SMALL = ("design.trial.target=8", MANY)
SMALL_AND_STRICT = (*SMALL, "design.trial.when_full=turn_away")


def baseline(*overrides: str, name: str = "baseline") -> Scenario:
    return load(shipped() / f"{name}.yaml", overrides)


@dataclass(frozen=True)
class Replication:
    """A replication of the baseline, under some overrides, and its measures."""

    protocol: Protocol
    log: EventLog
    measures: dict[str, float]


@cache
def replications(count: int, *overrides: str, name: str = "baseline") -> list[Replication]:
    protocol = interpret(baseline(*overrides, name=name))
    logs = [run(protocol, seed=41, replication=number) for number in range(1, count + 1)]
    return [Replication(protocol, log, measure(log, protocol)) for log in logs]


LOGS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "baseline": ("baseline", ()),
    "small": ("baseline", SMALL),
    "strict": ("baseline", SMALL_AND_STRICT),
    "full time": ("full_time_coordinator", ()),
    "ward": ("ward_at_weekends", ()),
    "home": ("home_after_first_cycle", ()),
}


@pytest.fixture(scope="module", params=LOGS.values(), ids=list(LOGS))
def replicated(request: pytest.FixtureRequest) -> list[Replication]:
    name, overrides = request.param
    return replications(6, *overrides, name=name)


# In every replication.


def test_everybody_is_somewhere(replicated: list[Replication]) -> None:
    for found in (each.measures for each in replicated):
        ends = "not_eligible_on_chart not_consenting screen_failed withdrew_in_screening"
        ends += " turned_away randomised still_in_screening"
        assert found["candidates"] == sum(found[end] for end in ends.split())
        assert found["randomised"] == sum(
            found[end] for end in ("completed", "left", "still_in_follow_up")
        )
        assert all(value >= 0 for name, value in found.items() if name.startswith("still_in"))


def test_nobody_ends_twice(replicated: list[Replication]) -> None:
    ends = {
        Milestone.NOT_ELIGIBLE_ON_CHART,
        Milestone.NOT_CONSENTING,
        Milestone.SCREEN_FAILED,
        Milestone.WITHDREW_IN_SCREENING,
        Milestone.TURNED_AWAY,
        Milestone.LEFT,
        Milestone.COMPLETED,
    }
    for each in replicated:
        ended = Counter(person for person, _, what, _ in each.log.moments if what in ends)
        assert not [person for person, times in ended.items() if times > 1]


def test_who_is_there_when_the_trial_is_full_is_turned_away_or_not() -> None:
    finishing, strict = replications(6, *SMALL), replications(6, *SMALL_AND_STRICT)

    assert all(each.measures["randomised"] <= 8 for each in strict)
    assert any(each.measures["randomised"] > 8 for each in finishing)
    assert any(each.measures["turned_away"] > 0 for each in strict)


@pytest.mark.parametrize("seed", [1, 2])
def test_every_planned_visit_has_one_outcome(seed: int) -> None:
    scenario = baseline()
    results = replicate(scenario, replications=1, seed=seed, jobs=1, keep=0)
    visits = tables.build(results)["visits.csv"]
    totals = visits.groupby(["row", "number", "arm", "outcome"])["mean"].sum().unstack(fill_value=0)
    arms = {arm.name: len(arm.visits) for arm in interpret(scenario).arms}

    outcomes = totals[["on_the_day", "moved", "out_of_window", "missed", "not_reached"]].sum(axis=1)
    assert (totals["planned"] == outcomes).all()
    planned = totals["planned"].groupby("arm").sum()
    for arm, number in arms.items():
        assert planned[arm] == number * results.measures[f"randomised_{arm}"][0]


def test_no_visit_is_logged_twice_or_without_a_plan(replicated: list[Replication]) -> None:
    for each in replicated:
        logged = [
            (visit.person, visit.arm, visit.row, visit.number)
            for visit in each.log.visits
            if visit.is_in_schedule
        ]
        arm_of = {
            person: arm for person, _, what, arm in each.log.moments if what is Milestone.RANDOMISED
        }
        plans = [{(visit.row, visit.number) for visit in arm.visits} for arm in each.protocol.arms]
        assert len(set(logged)) == len(logged) > 50
        assert all(arm_of[person] == arm for person, arm, _, _ in logged)
        assert all((row, number) in plans[arm] for _, arm, row, number in logged)


def test_a_visit_has_a_cause_unless_it_was_held_on_its_planned_day(
    replicated: list[Replication],
) -> None:
    known = {"closed", "holiday", "staff", "room", "product", "participant", "did_not_come"}
    causes = Counter[str]()
    for each in replicated:
        for visit in each.log.visits:
            if visit.is_in_schedule:
                on_its_day = not visit.is_missed and visit.time // 1440 == visit.planned_day
                assert (
                    (visit.outcome == VisitOutcome.ON_THE_DAY) == (visit.reason == "") == on_its_day
                )
                assert (visit.reason == "did_not_come") <= visit.is_missed
                causes[visit.reason] += 1
    assert causes.keys() - {"room", "product"} == {*known, ""} - {"room", "product"}


def test_the_target_is_reached_when_its_last_participant_is_randomised() -> None:
    for each in replications(6, *SMALL):
        times = {p: time for p, time, what, _ in each.log.moments if what is Milestone.RANDOMISED}
        eighth = sorted(times.values())[7]
        assert each.measures["day_of_target"] == eighth // 1440
        came = [time for _, time, what, _ in each.log.moments if what is Milestone.CANDIDATE]
        assert max(came) <= eighth


def test_hours_are_the_sum_of_what_was_worked(replicated: list[Replication]) -> None:
    for each in replicated:
        end, worked = each.protocol.clock.end_minutes, defaultdict[int, float](float)
        for work in each.log.work:
            length = work.ended - work.started
            worked[work.resource] += max(0.0, min(work.ended, end) - work.started) / 60
            assert length == pytest.approx(work.minutes, abs=ROUNDING) or (
                work.started == work.ended == end
            )
        for index, resource in enumerate(each.protocol.resources):
            assert each.measures[f"{resource.name}_hours"] == pytest.approx(worked[index])


def overlapping(spans: Iterable[tuple[float, float]]) -> list[tuple[float, float]]:
    """Return the spans that begin before an earlier one has ended."""
    return [later for earlier, later in pairwise(sorted(spans)) if later[0] < earlier[1] - ROUNDING]


def test_nobody_works_on_two_things_at_once(replicated: list[Replication]) -> None:
    for each in replicated:
        spans = defaultdict[int, list[tuple[float, float]]](list)
        for work in each.log.work:
            spans[work.resource].append((work.started, work.ended))
        assert len(spans) >= 4
        for member, held in spans.items():
            assert each.protocol.resources[member].units == 1
            assert not overlapping(held)


def test_two_people_never_work_on_three_things_at_once() -> None:
    overrides = (
        "design.staff.coordinator.people=2",
        "assumptions.recruitment.candidates_per_month=9",
    )
    for each in replications(3, *overrides):
        steps: list[tuple[float, int]] = []
        for work in each.log.work:
            is_done = work.ended > work.started
            if is_done and each.protocol.resources[work.resource].name == "coordinator":
                steps += [(work.started + ROUNDING, 1), (work.ended - ROUNDING, -1)]
        at_work = np.cumsum([change for _, change in sorted(steps)])
        assert at_work.max() == 2
        assert at_work[-1] == at_work.min() == 0


THREE = "[{from: 2023-04-01, people: 3, hours: 37.5}, {from: 2024-04-01, people: 1}]"
LEAVE = "[{from: 2023-07-03, to: 2023-07-30}, {from: 2023-09-04, to: 2023-09-29, people: 2}]"
COMING_AND_GOING = (
    "assumptions.recruitment.candidates_per_month=20",
    "design.trial.target=none",
    f"design.staff.coordinator.changes={THREE}",
    f"design.staff.coordinator.away={LEAVE}",
)


def test_no_more_work_at_once_than_are_there_that_day() -> None:
    opens = date(2022, 10, 1)
    dates = ("2023-04-01", "2023-07-03", "2023-07-31", "2023-09-04", "2023-09-30", "2024-04-01")
    days = [0, *((date.fromisoformat(text) - opens).days for text in dates), 1188]
    numbers, most = [1, 3, 0, 3, 1, 3, 1], Counter[int]()
    for each in replications(3, *COMING_AND_GOING):
        coordinator = [r.name for r in each.protocol.resources].index("coordinator")
        work = [w for w in each.log.work if w.resource == coordinator and w.ended > w.started]
        for (first, last), number in zip(pairwise(days), numbers, strict=True):
            begun = [each for each in work if first <= each.started // 1440 < last]
            steps = [(each.started + ROUNDING, 1) for each in begun]
            steps += [(each.ended - ROUNDING, -1) for each in begun]
            at_work = np.cumsum([change for _, change in sorted(steps)])
            assert at_work.max(initial=0) <= number
            most[first] = max(most[first], at_work.max(initial=0))
    assert [most[first] for first in days[:5]] == numbers[:5]


def test_hours_there_are_those_of_all_who_are_there() -> None:
    """One of 11 hours a week, three full-time less absences, one full-time."""
    found = replications(1, *COMING_AND_GOING)[0]
    almanac = Almanac.of(found.protocol)
    by_week = dict(zip(almanac.weeks.labels, almanac.available[0], strict=True))
    weeks = {"2023-03-20": 11, "2023-04-10": 112.5, "2023-07-10": 0, "2023-09-11": 37.5}
    assert {week: by_week[week] for week in weeks} == pytest.approx(weeks)
    assert by_week["2024-04-15"] == pytest.approx(37.5)
    used = found.measures["coordinator_utilisation"]
    assert 0 < used < 1


PAPERWORK = {"chart_review", "eligibility_call"}


def test_no_participant_is_at_two_visits_at_once(replicated: list[Replication]) -> None:
    for each in replicated:
        spans = defaultdict[int, set[tuple[float, float]]](set)
        for work in each.log.work:
            if not work.is_desk and work.visit not in PAPERWORK:
                spans[work.person].add((work.started, work.ended))
        assert not [person for person, held in spans.items() if overlapping(held)]


def test_littles_law_holds_for_every_queue(replicated: list[Replication]) -> None:
    """The mean number waiting, counted by the minute, is the rate times the mean wait.

    Those who wait are counted by the work: from the moment it fell due to its beginning. The mean
    wait for a visit is the measure, that for a desk what each piece waited to be taken up. (The
    wait for paperwork begins with office hours, not when it fell due.)
    """
    for each in replicated[:2]:
        end = each.protocol.clock.end_minutes
        queues = defaultdict[str, list[tuple[float, float]]](list)
        work = each.log.work
        due = {(w.person, w.visit, w.started): w.due for w in work if not w.is_desk}
        for held in each.log.visits:
            piece = (held.person, held.visit, held.time)
            if held.place and piece in due:
                queues[held.visit].append((due[piece], held.time))
        means = {
            visit: each.measures[f"mean_wait_hours_{visit}"] * 60
            for visit in queues.keys() & set(each.protocol.visit_names)
        }
        taken_up: dict[tuple[Any, ...], float] = {}
        for w in work:
            if w.is_desk:
                on_desk = (w.resource, w.person, w.visit, w.task, w.due)
                taken_up[on_desk] = min(w.started, taken_up.get(on_desk, end))
        for (member, *_, asked), start in taken_up.items():
            queues[each.protocol.resources[member].name].append((asked, start))
        assert len(queues) >= 4

        minutes = np.arange(0.5, end)
        for name, waits in queues.items():
            came, begun = np.sort(np.array(waits), axis=0).T
            waiting = np.searchsorted(came, minutes) - np.searchsorted(begun, minutes)
            assert waiting.min() >= 0
            mean = means.get(name, math.fsum(late - early for early, late in waits) / len(waits))
            rate = len(waits) / minutes.size
            assert waiting.mean() == pytest.approx(rate * mean, abs=rate)  # a minute each


def test_desk_work_keeps_to_the_roster(replicated: list[Replication]) -> None:
    for each in replicated:
        for work in each.log.work:
            roster = each.protocol.resources[work.resource].roster
            begin, shift_end = roster.next_duty(work.started)
            if work.is_desk and work.ended > work.started:
                assert begin == pytest.approx(work.started, abs=ROUNDING)
                assert work.ended <= shift_end + ROUNDING


def test_nothing_is_left_to_do_when_everybody_is_done() -> None:
    early = ("design.trial.recruits_until=2024-06-30", "assumptions.leaving={}")
    enough = "design.staff.coordinator.people=2"
    for each in replications(3, *early, enough):
        assert each.measures["still_in_follow_up"] == 0
        participants_work = [work for work in each.log.work if work.person != NOBODY]
        assert all(work.ended > work.started for work in participants_work)


# On the same people.


def by_person(log: EventLog, milestone: Milestone) -> dict[int, tuple[float, Any]]:
    return {
        person: (time, detail) for person, time, what, detail in log.moments if what is milestone
    }


@pytest.fixture(scope="module")
def rosters() -> list[tuple[EventLog, EventLog]]:
    """The same people under the baseline's roster and with a coordinator for every day."""
    pair = ("baseline", "full_time_coordinator")
    few, many = (replications(6, "design.trial.target=none", MANY, name=name) for name in pair)
    assert [each.log.work for each in few] != [each.log.work for each in many]
    return [(one.log, other.log) for one, other in zip(few, many, strict=True)]


def test_a_roster_changes_nobody_who_comes(rosters: list[tuple[EventLog, EventLog]]) -> None:
    for few, many in rosters:
        assert by_person(few, Milestone.CANDIDATE) == by_person(many, Milestone.CANDIDATE)


def test_a_roster_changes_nobodys_eligibility(rosters: list[tuple[EventLog, EventLog]]) -> None:
    for few, many in rosters:
        judged = [
            {(p, *detail) for p, _, what, detail in log.moments if what is Milestone.JUDGED}
            for log in (few, many)
        ]
        first, second = ({(p, step): failing for p, step, failing in each} for each in judged)
        both = first.keys() & second.keys()
        assert len(both) > 20
        assert all(first[each] == second[each] for each in both)
        refused = [by_person(log, Milestone.NOT_CONSENTING).keys() for log in (few, many)]
        consented = [by_person(log, Milestone.CONSENTED).keys() for log in (few, many)]
        assert not refused[0] & consented[1]
        assert not refused[1] & consented[0]


def test_a_roster_changes_nobodys_durations(rosters: list[tuple[EventLog, EventLog]]) -> None:
    for few, many in rosters:
        first, second = (
            {
                (work.person, work.visit, work.task): work.minutes
                for work in log.work
                if not work.is_desk and work.visit in {*PAPERWORK, "screening_visit"}
            }
            for log in (few, many)
        )
        both = first.keys() & second.keys()
        assert len(both) > 100
        assert all(first[each] == second[each] for each in both)


def test_a_roster_changes_no_sequence_of_arms(rosters: list[tuple[EventLog, EventLog]]) -> None:
    orders = set()
    for few, many in rosters:
        people, arms = zip(*(_in_order(log) for log in (few, many)), strict=True)
        both = min(map(len, arms))
        assert both > 5
        assert arms[0][:both] == arms[1][:both]
        orders.add(people[0][:both] == people[1][:both])
    assert False in orders, "the order of randomisation should differ somewhere"


def _in_order(log: EventLog) -> tuple[list[int], list[Any]]:
    """Return people and arms in the order of randomisation."""
    found = sorted(
        (time, p, arm) for p, (time, arm) in by_person(log, Milestone.RANDOMISED).items()
    )
    return [person for _, person, _ in found], [arm for *_, arm in found]


def test_a_roster_changes_no_dose_and_no_days_to_leaving_in_the_same_arm(
    rosters: list[tuple[EventLog, EventLog]],
) -> None:
    compared = Counter[str]()
    for few, many in rosters:
        arms, left, dose = (
            [by_person(log, milestone) for log in (few, many)]
            for milestone in (Milestone.RANDOMISED, Milestone.LEFT, Milestone.DOSE)
        )
        for person in arms[0].keys() & arms[1].keys():
            if arms[0][person][1] != arms[1][person][1]:
                continue
            if person in dose[0] and person in dose[1]:
                compared["dose"] += 1
                assert dose[0][person][1] == dose[1][person][1]
            if person in left[0] and person in left[1]:
                days = [(left[i][person][0] - arms[i][person][0]) / 1440 for i in (0, 1)]
                assert left[0][person][1] == left[1][person][1]
                # Whoever leaves in the middle of a visit stays to its end, some hours later.
                assert days[0] == pytest.approx(days[1], abs=0.5)
                compared["left"] += 1
    assert compared["dose"] > 50
    assert compared["left"] >= 5


MONTH_12 = date(2023, 9, 1)
REACH = 21  # days: a window of a week on either side, and a participant who comes a week early


def before(log: EventLog, end: float) -> tuple[list[str], ...]:
    """Return what was noted of the time before an instant, in a fixed order."""
    return (
        sorted(map(repr, (each for each in log.moments if each.time < end))),
        sorted(map(repr, (each for each in log.visits if each.time < end))),
        sorted(map(repr, (each for each in log.work if each.ended < end))),
    )


@pytest.mark.parametrize(
    ("path", "change", "reach"),
    [
        (
            "assumptions.recruitment.disruptions.x",
            "{from: 2023-09-01, to: 2024-03-01, times: 0}",
            0,
        ),
        ("design.places.clinic.closures", "[{from: 2023-09-01, to: 2023-10-15}]", REACH),
        ("design.staff.coordinator.changes", "[{from: 2023-09-01, people: 2}]", 0),
        ("design.staff.nurse.changes", "[{from: 2023-09-01, hours: 20}]", REACH),
        ("design.staff.coordinator.away", "[{from: 2023-09-01, to: 2023-10-15}]", REACH),
        ("design.rooms.infusion_bed.closures", "[{from: 2023-09-01, to: 2024-08-31}]", REACH),
        ("design.trial.recruits_until", "2023-08-31", 0),
        ("design.trial.closes", "2023-08-31", 0),
    ],
)
def test_a_change_dated_month_12_leaves_the_months_before_it(
    path: str, change: str, reach: int
) -> None:
    busier = ["assumptions.recruitment.candidates_per_month=6", "assumptions.uncertain=rate"]
    if path == "design.trial.closes":
        busier += ["design.trial.recruits_until=2023-08-31", "go_no_go=null"]
    until = ((MONTH_12 - date(2022, 10, 1)).days - reach) * 1440.0
    differs = []
    ones, others = replications(4, *busier), replications(4, *busier, f"{path}={change}")
    for one, other in zip(ones, others, strict=True):
        assert before(one.log, until) == before(other.log, until)
        assert len(before(one.log, until)[1]) > 20
        differs.append(before(one.log, math.inf) != before(other.log, math.inf))
    assert all(differs)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("per_month", "closes", "at_least"), [(3, "2025-12-31", -2), (20, "2023-06-30", 2)]
)
def test_more_staff_and_longer_hours_do_not_lower_the_number_randomised(
    per_month: int, closes: str, at_least: float
) -> None:
    """With much to do in little time, they raise it."""
    trial = (
        f"assumptions.recruitment.candidates_per_month={per_month}",
        "design.trial.target=none",
        f"design.trial.recruits_until={closes}",
        f"design.trial.closes={closes}",
        "go_no_go=null",
    )
    few, two, all_day = (
        np.array([each.measures["randomised"] for each in found])
        for found in (
            replications(8, *trial),
            replications(8, *trial, "design.staff.coordinator.people=2"),
            replications(8, *trial, INVESTIGATOR_ALL_WEEK, name="full_time_coordinator"),
        )
    )

    assert rise(few, two) > at_least
    assert rise(few, all_day) > at_least


INVESTIGATOR_ALL_WEEK = 'design.staff.investigator.hours={mon-fri: "08:00-12:00, 14:00-17:30"}'


def rise(few: np.ndarray[Any, Any], many: np.ndarray[Any, Any]) -> float:
    """Return the mean paired difference in standard errors."""
    differences = many - few
    error = float(differences.std(ddof=1)) / np.sqrt(differences.size)
    return float(differences.mean()) / error if error else 0.0


DURATIONS: Mapping[str, tuple[float, float, float]] = {
    "read_chart": (10, 20, 45),
    "draw_blood": (10, 15, 25),
    "randomise": (15, 30, 60),
    "assess": (15, 25, 45),
    "enter_data": (30, 65, 145),
}


def hours_worked(times: float) -> list[dict[str, float]]:
    """Return the hours per role of a trial with unlimited people, its durations multiplied."""
    steps = {
        "chart_review": ["read_chart"],
        "screening_visit": ["draw_blood", {"later": "enter_data"}],
        "eligibility_call": ["randomise"],
        "assessment": ["assess", "draw_blood", {"later": "enter_data"}],
    }
    scenario = toy(
        design={
            "trial": {"recruits_until": date(2023, 6, 30)},
            "schedule": {
                f"day_{day}": {"at": {"clinic": "assessment"}, "day": day} for day in (1, 8, 29)
            },
            "staff": {"clerk": {"people": "unlimited", "hours": "always"}},
            "visits": steps,
            "tasks": {task: ["clerk" if task == "enter_data" else "nurse"] for task in DURATIONS},
        },
        assumptions={
            "recruitment": {"consent": 0.8},
            "attendance": {"assessment": {"missed": 0.2}},
            "durations_minutes": {
                task: [times * limit for limit in limits] for task, limits in DURATIONS.items()
            },
        },
    )
    protocol = interpret(scenario)
    found = [measure(log, protocol) for log in runs(scenario, 5, seed=42)]
    assert all(each["candidates"] and not each["still_in_follow_up"] for each in found)
    return [{role: each[f"{role}_hours"] for role in ("nurse", "clerk")} for each in found]


def test_work_that_takes_twice_as_long_takes_twice_the_hours() -> None:
    for once, twice in zip(hours_worked(1), hours_worked(2), strict=True):
        assert min(once.values()) > 10
        assert twice == pytest.approx({role: 2 * hours for role, hours in once.items()})

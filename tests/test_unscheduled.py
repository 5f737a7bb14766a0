"""Work that no schedule plans: visits after events, a monitor's visits, and overhead."""

from __future__ import annotations

from collections import Counter
from datetime import date
from typing import Any

import pytest

from sim.report.story import tell
from sim.results.measures import measures_of
from sim.results.periods import Almanac
from sim.results.replication import Reading
from sim.scenario.interpret import interpret
from sim.scenario.schema import Scenario
from sim.vocabulary.clock import DAYS_PER_WEEK, MINUTES_PER_DAY
from sim.vocabulary.eventlog import NOBODY, OVERHEAD, EventLog, Milestone, VisitOutcome
from tests.agreement import agrees
from tests.toys import runs, toy

WEEK_MINUTES = DAYS_PER_WEEK * MINUTES_PER_DAY
NEVER = {"by_week": 12, "per_participant": 0}
HOURS = {"mon-fri": "08:00-12:00, 14:00-18:00"}


def with_fever(**changes: dict[str, Any]) -> Scenario:
    """Return a year of people seen on day 1 and day 85, who have fever now and then."""
    design: dict[str, Any] = {
        "places": {"clinic": {"days": ["mon", "tue", "wed", "thu", "fri"]}},
        "staff": {"doctor": {"people": 1, "hours": HOURS}},
        "schedule": {
            "dose": {"at": {"clinic": "look"}, "arms": ["one"], "day": 1},
            "end": {"at": {"clinic": "look"}, "day": 85},
        },
        "unscheduled": {"fever": {"at": {"clinic": "treat"}}},
        "visits": {"look": ["see"], "treat": ["see", {"later": "report"}]},
        "tasks": {"see": ["doctor"], "report": ["doctor"]},
    }
    assumptions: dict[str, Any] = {
        "recruitment": {"candidates_per_month": 4},
        "unscheduled": {"fever": {"by_week": 12, "per_participant": 1.5}},
        "durations_minutes": {"see": 10, "report": 30},
    }
    trial = {"recruits_until": date(2023, 6, 30)}
    return toy(
        design={"trial": trial, **design, **changes.get("design", {})},
        assumptions={**assumptions, **changes.get("assumptions", {})},
    )


def moments(log: EventLog, milestone: Milestone) -> dict[int, float]:
    return {person: time for person, time, what, _ in log.moments if what == milestone}


def test_events_come_at_their_rate_while_a_participant_is_in_the_trial() -> None:
    rate, differences, expected = 1.5 / (12 * WEEK_MINUTES), [], []
    for log in runs(with_fever(), 400):
        since, completed = moments(log, Milestone.RANDOMISED), moments(log, Milestone.COMPLETED)
        assert since.keys() == completed.keys()
        exposure = sum(completed[who] - since[who] for who in since)
        events = sum(what == Milestone.UNSCHEDULED_EVENT for _, _, what, _ in log.moments)
        expected.append(rate * exposure)
        differences.append(events - rate * exposure)
    mean = sum(expected) / len(expected)
    assert agrees([mean + difference for difference in differences], mean)


def scheduled(log: EventLog) -> list[tuple[object, ...]]:
    """Return who had which visit of the schedule on which day, and how that went."""
    return sorted(
        (*visit._replace(time=visit.time // MINUTES_PER_DAY, wait=0.0)[:-1],)
        for visit in log.visits
        if visit.is_in_schedule
    )


def test_an_event_is_seen_on_the_first_possible_day_after_it() -> None:
    for log in runs(with_fever(), 20):
        happened = Counter(
            int(time // MINUTES_PER_DAY)
            for _, time, what, _ in log.moments
            if what == Milestone.UNSCHEDULED_EVENT
        )
        seen = [visit for visit in log.visits if visit.row == "fever"]
        assert happened.total() == len(seen)
        for visit in seen:
            planned, day = visit.planned_day, int(visit.time // MINUTES_PER_DAY)
            weekday = (planned + 6) % 7
            assert (visit.arm, visit.visit, visit.place) == (-1, "treat", "clinic")
            assert visit.outcome == (
                VisitOutcome.ON_THE_DAY if day == planned else VisitOutcome.MOVED
            )
            assert planned - 1 in happened
            if weekday >= 5:
                assert visit.reason == "closed"
                assert day >= planned + 7 - weekday
            elif day == planned:
                assert visit.reason == ""
            assert visit.is_journey or day in {int(v.time // MINUTES_PER_DAY) for v in log.visits}


def test_events_move_nothing_in_the_schedule_and_do_not_wait_for_the_first_dose() -> None:
    ample = {"staff": {"doctor": {"people": "unlimited", "hours": HOURS}}}
    later = {"to_first_dose_days": {"one": 7}}
    loud, quiet = (
        with_fever(design=ample, assumptions=later),
        with_fever(design=ample, assumptions={**later, "unscheduled": {"fever": NEVER}}),
    )
    early = 0
    for one, other in zip(runs(loud, 20), runs(quiet, 20), strict=True):
        assert scheduled(one) == scheduled(other)
        since, day_1 = moments(one, Milestone.RANDOMISED), moments(one, Milestone.DAY_1)
        events = [m for m in one.moments if m.milestone == Milestone.UNSCHEDULED_EVENT]
        assert all(time > since[who] for who, time, _, _ in events)
        early += sum(time < day_1[who] for who, time, _, _ in events)
    assert early


def test_whoever_has_left_has_no_more_events() -> None:
    leaving = {"leaving": {"moves": {"by_week": 4, "share": 0.6}}}
    for log in runs(with_fever(assumptions=leaving), 20):
        left = moments(log, Milestone.LEFT)
        assert left
        for person, time, what, _ in log.moments:
            if what == Milestone.UNSCHEDULED_EVENT and person in left:
                assert time < left[person]


def test_a_monitor_comes_every_so_often_once_somebody_is_randomised() -> None:
    design = {"monitoring": {"visit": "treat", "every_days": 30}}
    for log in runs(with_fever(design=design), 20):
        first = min(time for _, time, what, _ in log.moments if what == Milestone.RANDOMISED)
        visits = [visit for visit in log.visits if visit.person == NOBODY]
        days = [day for day in range(30, 365, 30) if day * MINUTES_PER_DAY > first]
        assert [visit.row for visit in visits] == [f"monitoring {day // 30}" for day in days]
        for visit, day in zip(visits, days, strict=True):
            assert day <= visit.time // MINUTES_PER_DAY <= day + 3
        assert not any(visit.is_journey for visit in visits)  # nobody's trip


def test_a_monitor_stays_away_where_nobody_is_randomised() -> None:
    design = {"monitoring": {"visit": "treat", "every_days": 30}}
    nobody = {"recruitment": {"candidates_per_month": 0}}
    for log in runs(with_fever(design=design, assumptions=nobody), 3):
        assert not log.visits


@pytest.mark.parametrize("share", [0.2, 0.5])
def test_overhead_makes_up_its_share_of_all_hours(share: float) -> None:
    scenario = with_fever(assumptions={"overhead": {"doctor": share}})
    for log in runs(scenario, 10):
        pieces = [piece for piece in log.work if piece.task == OVERHEAD]
        minutes = sum(piece.minutes for piece in pieces)
        everything = sum(piece.minutes for piece in log.work)
        # The trial is over long before it closes, so that nothing is left out at the end.
        assert minutes / everything == pytest.approx(share)
        assert all(piece.person == NOBODY and piece.is_desk for piece in pieces)
        assert max(piece.minutes for piece in pieces) <= 60
        assert all(piece.due % MINUTES_PER_DAY == 0 for piece in pieces)  # in the morning


def test_measures_count_events_and_their_visits_apart_from_the_schedule() -> None:
    scenario = with_fever()
    almanac = Almanac.of(interpret(scenario))
    for log in runs(scenario, 5):
        measures = measures_of(Reading(log, almanac))
        seen = sum(visit.row == "fever" for visit in log.visits)
        assert measures["events_fever"] == measures["unscheduled_visits"] == seen > 0
        assert measures["visits"] == sum(visit.is_in_schedule for visit in log.visits)


def test_the_story_tells_the_event_its_visit_and_the_monitor() -> None:
    scenario = with_fever(design={"monitoring": {"visit": "look", "every_days": 84}})
    protocol = interpret(scenario)
    story = [line[22:] for log in runs(scenario, 1) for line in tell(protocol, log)]
    happens = next(line for line in story if line.endswith(" has an unscheduled event: fever"))
    participant = happens.partition(" has ")[0]
    rest = story[story.index(happens) :]

    assert any(line.startswith(f"{participant} begins treat at the clinic") for line in rest)
    assert "the team begins look" in {line[:20] for line in story}

"""Theory and relations of a book of appointments, and what it must not cost others."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from datetime import date
from functools import cache
from typing import Any

import numpy as np
import pytest

from sim.model.booked_appointments import BookedAppointments
from sim.model.run import run
from sim.scenario.interpret import interpret
from sim.scenario.load import load, shipped
from sim.scenario.protocol import Protocol
from sim.vocabulary.clock import MINUTES_PER_DAY
from sim.vocabulary.eventlog import EventLog, Milestone, Visit, VisitOutcome, Work
from tests.test_relations import rise
from tests.toys import runs, toy

ROUNDING = 1e-6
START = {"at": {"clinic": "visit"}, "day": 1, "window_days": [0, 7]}
CLINIC = {
    "booking": {"by": "appointment"},
    "trial": {"opens": date(2023, 1, 2), "recruits_until": date(2023, 6, 30)},
    "places": {"clinic": {"days": ["mon", "tue", "wed", "thu", "fri"]}},
    "staff": {"physician": {"people": 1, "hours": {"mon-fri": "08:00-16:00"}}},
    "schedule": {"start": START,
                 "weekly": {"at": {"clinic": "visit"}, "day": 8, "every_days": 7, "times": 8,
                            "window_days": [-3, 3]}},
    "visits": {"visit": ["look", {"later": "enter"}]},
    "tasks": {"look": ["physician"], "enter": ["physician"]},
}  # fmt: skip
ROWS = {
    f"week_{week}": {"at": {"clinic": "visit"}, "day": 1 + 7 * week, "window_days": [-3, 3]}
    for week in range(1, 9)
}
FIXED = {"look": 60, "enter": 25}
VARYING = {"look": [30, 50, 130], "enter": 25}


def clinic(per_month: float, minutes: Any, more: Any = None, **design: Any) -> Any:  # noqa: ANN401 -- as written
    """Return a clinic with one physician, to which so many candidates come a month."""
    assumptions = {"recruitment": {"candidates_per_month": per_month},
                   "durations_minutes": minutes, **(more or {})}  # fmt: skip
    return toy(design={**CLINIC, **design}, assumptions=assumptions)


def in_schedule(log: EventLog) -> list[Visit]:
    return [visit for visit in log.visits if visit.is_in_schedule]


def held(log: EventLog) -> list[Visit]:
    return [visit for visit in in_schedule(log) if not visit.is_missed]


@pytest.mark.parametrize("per_month", [6, 20, 40])
def test_nobody_with_an_appointment_waits_if_everything_lasts_as_long_as_is_reserved(
    per_month: float,
) -> None:
    """However much there is to do, and desk work with it."""
    waits = [visit.wait for log in runs(clinic(per_month, FIXED), 3) for visit in held(log)]
    assert len(waits) > 300
    assert not any(waits)
    other = [visit.wait for log in runs(clinic(per_month, VARYING), 3) for visit in held(log)]
    assert any(other)


def test_with_little_to_do_and_wide_windows_every_visit_is_in_its_window() -> None:
    """A tenth of the physician's time is asked; people come a day early or late and say so."""
    uneven = {"attendance": {"visit": {"early_or_late_days":
                                       {"family": "normal", "mean": 0, "sd": 0.6}}}}  # fmt: skip
    outcomes = Counter(
        visit.outcome for log in runs(clinic(5, VARYING, uneven), 10) for visit in in_schedule(log)
    )
    assert outcomes[VisitOutcome.ON_THE_DAY] > outcomes[VisitOutcome.MOVED] > 100
    assert outcomes.keys() == {VisitOutcome.ON_THE_DAY, VisitOutcome.MOVED}


def test_minutes_of_desk_work_add_up() -> None:
    """Whatever is laid down and taken up again, 25 minutes are asked of each that is done."""
    pieces = 0
    for log in runs(clinic(20, VARYING), 3):
        asked = defaultdict[Any, list[float]](list)
        for work in log.work:
            if work.is_desk:
                asked[work.person, work.due].append(work.minutes)
        assert {round(math.fsum(each), 6) for each in asked.values()} == {25}
        pieces += sum(len(each) > 1 for each in asked.values())
        assert len(asked) == sum(not work.is_desk for work in log.work)
    assert pieces > 100


# On every kept log.

BUSY = ("assumptions.recruitment.candidates_per_month=9",)
CROWDED = ("assumptions.recruitment.candidates_per_month=12", "design.trial.target=none")
TWO = ("design.staff.coordinator.people=2", "design.staff.nurse.people=2", *BUSY)
UNRELIABLE = (
    "assumptions.attendance.assessment.notice=0.5",
    "assumptions.attendance.il2_injection={missed: 0.1, notice: 0.3}",
    *BUSY,
)
LATE = ("assumptions.attendance.msc_infusion={early_or_late_days: 3, notice: 0.3}", *CROWDED)
KEPT = {
    "baseline": ("baseline", ()),
    "busy": ("baseline", BUSY),
    "crowded": ("baseline", CROWDED),
    "two": ("baseline", TWO),
    "unreliable": ("baseline", UNRELIABLE),
    "ward": ("ward_at_weekends", BUSY),
    "full time": ("full_time_coordinator", BUSY),
    "late": ("baseline", LATE),
}


@cache
def kept(which: str) -> tuple[Protocol, list[EventLog]]:
    name, overrides = KEPT[which]
    protocol = interpret(load(shipped() / f"{name}.yaml", overrides))
    return protocol, [run(protocol, 41, replication) for replication in (1, 2, 3)]


@pytest.fixture(params=list(KEPT))
def logs(request: pytest.FixtureRequest) -> tuple[Protocol, list[EventLog]]:
    return kept(request.param)


def at_once(spans: list[tuple[float, float]]) -> int:
    """Return how many spans there are at once at most."""
    steps = sorted([(a + ROUNDING, 1) for a, _ in spans] + [(b - ROUNDING, -1) for _, b in spans])
    return int(np.cumsum([step for _, step in steps]).max(initial=0))


def test_nobody_and_nothing_is_taken_twice_at_once(logs: tuple[Protocol, list[EventLog]]) -> None:
    protocol, several = logs
    for log in several:
        spans = defaultdict[int, list[tuple[float, float]]](list)
        for work in log.work:
            if work.ended - work.started > 2 * ROUNDING:
                spans[work.resource].append((work.started, work.ended))
        assert len(spans) >= 4
        for member, each in spans.items():
            units = protocol.resources[member].units
            assert units is None or at_once(each) <= units


def test_no_week_prepares_more_doses_than_it_can(logs: tuple[Protocol, list[EventLog]]) -> None:
    protocol, several = logs
    monday = protocol.clock.opens.weekday()
    for log in several:
        begun = {work.started for work in log.work if work.task == "prepare_cells"}
        weeks = Counter((start // MINUTES_PER_DAY + monday) // 7 for start in begun)
        assert max(weeks.values()) <= 2


def first_tasks(log: EventLog) -> Iterator[tuple[int, float, float, frozenset[int]]]:
    """Yield who came, when, when their visit was begun, and its first task's team."""
    teams = defaultdict[tuple[int, float, str], list[Work]](list)
    for work in log.work:
        if not work.is_desk:
            teams[work.person, work.started, work.visit].append(work)
    for visit in log.visits:
        team = teams.get((visit.person, visit.time, visit.visit))
        if team and visit.place and not visit.is_missed:
            members = frozenset(each.resource for each in team)
            yield visit.person, visit.time - visit.wait, visit.time, members


def test_nobody_waits_whose_team_is_free(
    logs: tuple[Protocol, list[EventLog]],
) -> None:
    """From the log alone: while a visit waits on its day, somebody of its team sees others."""
    protocol, several = logs
    waited = 0
    for log in several:
        busy = defaultdict[int, list[tuple[float, float]]](list)
        for work in log.work:
            if not work.is_desk:
                busy[work.resource].append((work.started, work.ended))
        for _, came, begun, team in first_tasks(log):
            if begun - came <= ROUNDING or came // MINUTES_PER_DAY != begun // MINUTES_PER_DAY:
                continue
            if not all(on_duty_through(protocol, each, came, begun) for each in team):
                continue
            waited += 1
            taken = sorted(
                span for each in team for span in busy[each] if span[1] > came and span[0] < begun
            )
            assert covers(taken, came, begun)
    assert waited > 5


def on_duty_through(protocol: Protocol, member: int, begin: float, end: float) -> bool:
    """Say whether one person or space is there from an instant to another."""
    resource = protocol.resources[member]
    start, over = resource.roster.next_duty(begin)
    return resource.units == 1 and start <= begin and over >= end


def covers(spans: list[tuple[float, float]], begin: float, end: float) -> bool:
    """Say whether some spans, by their begins, leave no gap between two instants."""
    reached = begin
    for start, over in spans:
        if start > reached + ROUNDING:
            return False
        reached = max(reached, over)
    return reached >= end - ROUNDING


def passed_over(log: EventLog) -> tuple[int, int]:
    """Return how often somebody waited while another was begun, and how often out of turn.

    Whose team is part of the team that began was free as well. Left out are those who were booked
    anew or are late without notice, and a dose that waits for two teams.
    """
    unlike = {
        (visit.person, visit.time)
        for visit in log.visits
        if visit.reason == "participant" or visit.visit == "msc_infusion"
    }
    found = list(first_tasks(log))
    came = defaultdict[int, list[tuple[float, float, frozenset[int]]]](list)
    for person, first, begun, team in found:
        day = int(begun // MINUTES_PER_DAY)
        if day * MINUTES_PER_DAY <= first < begun - ROUNDING and (person, begun) not in unlike:
            came[day].append((first, begun, team))
    in_turn = [
        other_first <= first
        for _, other_first, other_begun, other_team in found
        for first, begun, team in came[int(other_begun // MINUTES_PER_DAY)]
        if first <= other_begun < begun and team <= other_team
    ]
    return len(in_turn), in_turn.count(False)


def test_of_two_whose_team_is_free_the_earlier_appointment_begins(
    logs: tuple[Protocol, list[EventLog]],
) -> None:
    assert not any(out_of_turn for _, out_of_turn in map(passed_over, logs[1]))


def test_of_two_of_unlike_visits_that_run_late_the_earlier_appointment_begins() -> None:
    """Half the time is reserved that visits take, in two lines."""
    visits = {"visit": ["look"], "talk": ["look"]}
    talks = {name: {**row, "at": {"clinic": "talk"}} for name, row in [*ROWS.items()][::2]}
    scenario = clinic(
        15,
        VARYING,
        booking={"by": "appointment", "length": 0.5},
        schedule={"start": START, **ROWS, **talks},
        visits=visits,
    )
    waited, out_of_turn = np.sum([passed_over(log) for log in runs(scenario, 3)], axis=0)
    assert waited > 100
    assert not out_of_turn


# Between by appointment and by arrival, or with and without giving times back.


def in_window(scenario: Any) -> list[float]:  # noqa: ANN401 -- a scenario
    """Return for each replication the share in window of the visits that were due."""
    inside = {VisitOutcome.ON_THE_DAY, VisitOutcome.MOVED}
    return [
        float(np.mean([visit.outcome in inside for visit in in_schedule(log)]))
        for log in runs(scenario, 6)
    ]


def test_times_given_back_are_used_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Half of the participants leave, with eight visits in the book."""
    leaving = {"leaving": {"withdraws": {"by_week": 8, "share": 0.5}}}
    booking = {"by": "appointment", "ahead_days": 60}
    crowded = toy(
        design={**CLINIC, "booking": booking, "schedule": {"start": START, **ROWS}},
        assumptions={"recruitment": {"candidates_per_month": 28}, "durations_minutes": VARYING,
                     **leaving},
    )  # fmt: skip
    given_back = np.array(in_window(crowded))
    monkeypatch.setattr(BookedAppointments, "cancel", lambda _: None)
    kept_empty = np.array(in_window(crowded))
    assert rise(kept_empty, given_back) > 3


def test_a_visit_takes_as_long_by_appointment_as_by_arrival() -> None:
    minutes = {
        by: [
            math.fsum(work.minutes for work in log.work if not work.is_desk) / len(held(log))
            for log in runs(clinic(12, VARYING, booking={"by": by}), 20)
        ]
        for by in ("arrival", "appointment")
    }
    assert abs(rise(np.array(minutes["arrival"]), np.array(minutes["appointment"]))) < 3


@dataclass
class Compared:
    """What a replication of the baseline costs those who come to the trial."""

    days_to_screening: float
    days_to_randomisation: float
    over_enrolment: float
    is_full: float
    doses: float
    minutes_an_assessment: float
    share_in_window: float


def compared(name: str, replications: int) -> list[Compared]:
    protocol = interpret(load(shipped() / f"{name}.yaml"))
    assert protocol.target is not None
    found = []
    for number in range(1, replications + 1):
        log = run(protocol, 41, number)
        read = {work.person: work.ended for work in log.work if work.task == "read_chart"}
        due = {work.person: work.due for work in log.work if work.task == "compile_file"}
        randomised = {m.person: m.time for m in log.moments if m.milestone is Milestone.RANDOMISED}
        seen = {v.person: v.time for v in log.visits if v.row == "screening_visit"}
        assessments = [visit for visit in held(log) if visit.visit == "assessment"]
        worked = [w.minutes for w in log.work if w.visit == "assessment" and not w.is_desk]
        inside = {VisitOutcome.ON_THE_DAY, VisitOutcome.MOVED}
        found.append(
            Compared(
                mean(seen[person] - read[person] for person in seen) / MINUTES_PER_DAY,
                mean(randomised[person] - due[person] for person in randomised) / MINUTES_PER_DAY,
                max(0, len(randomised) - protocol.target),
                float(len(randomised) >= protocol.target),
                sum(moment.milestone is Milestone.DOSE for moment in log.moments),
                math.fsum(worked) / max(1, len(assessments)),
                mean(v.outcome in inside for v in in_schedule(log) if v.visit == "assessment"),
            )
        )
    return found


def mean(values: Iterable[float]) -> float:
    return float(np.mean([*values] or [math.nan]))


@pytest.mark.slow
def test_windows_are_not_kept_at_the_cost_of_screening() -> None:
    """The same 60 trials by arrival and by appointment."""
    pairs = [compared(name, 60) for name in ("by_arrival", "baseline")]
    arrived, booked = (
        {field.name: np.array([getattr(each, field.name) for each in found]) for field in FIELDS}
        for found in pairs
    )
    for less in ("days_to_screening", "days_to_randomisation", "over_enrolment"):
        assert np.nanmean(booked[less]) <= np.nanmean(arrived[less])
    for same in ("is_full", "doses", "minutes_an_assessment"):
        known = ~np.isnan(arrived[same] + booked[same])
        assert abs(rise(arrived[same][known], booked[same][known])) < 3
    assert np.nanmean(booked["share_in_window"]) > 1.5 * np.nanmean(arrived["share_in_window"])


FIELDS = fields(Compared)

"""A replication as a story: each fact a dated line in plain words."""

from __future__ import annotations

from datetime import date
from types import SimpleNamespace
from typing import cast

from sim.report.story import tell
from sim.scenario.protocol import Protocol
from sim.vocabulary.clock import Clock
from sim.vocabulary.eventlog import Awaited, EventLog, Milestone, Moment, Visit, VisitOutcome, Work

DAY, HOUR = 1440, 60
NURSE, BED = 0, 1
PROTOCOL = cast(
    "Protocol",
    SimpleNamespace(
        clock=Clock(date(2024, 1, 1), date(2024, 3, 31)),
        resources=(SimpleNamespace(name="nurse"), SimpleNamespace(name="infusion_bed")),
        criteria=(
            SimpleNamespace(name="adult", at="chart"),
            SimpleNamespace(name="not_pregnant", at="labs"),
        ),
        arms=(
            SimpleNamespace(
                name="cells",
                visits=(
                    SimpleNamespace(row="infusion", is_repeated=False),
                    SimpleNamespace(row="injections", is_repeated=True),
                ),
            ),
        ),
        products=(SimpleNamespace(name="huc_msc", unit="cells"),),
    ),
)


def test_screening_tells_what_was_failed_and_when_it_was_known() -> None:
    log = EventLog(1.0)
    log.moments = [
        Moment(0, 0.0, Milestone.CANDIDATE, None),
        Moment(0, 8.5 * HOUR, Milestone.JUDGED, ("chart", (1,))),
        Moment(1, 9 * HOUR, Milestone.JUDGED, ("chart", (0, 1))),
        Moment(0, DAY, Milestone.JUDGED, ("labs", (1,))),
        Moment(0, DAY, Milestone.SCREEN_FAILED, 1),
    ]

    assert list(tell(PROTOCOL, log)) == [
        "Mon 2024-01-01 00:00  participant 0 becomes a candidate",
        "Mon 2024-01-01 08:30  participant 0 meets every criterion (from the chart)",
        "Mon 2024-01-01 09:00  participant 1 fails adult (from the chart)",
        "Tue 2024-01-02 00:00  participant 0 fails not pregnant (from the laboratory results)",
        "Tue 2024-01-02 00:00  participant 0 fails screening: not pregnant",
    ]


def test_the_story_of_one_participant_names_the_work_and_leaves_others_out() -> None:
    start = 9.0 * HOUR
    log = EventLog(1.0)
    log.visits = [
        Visit(
            3, start, 0, "infusion", 1, "msc", "clinic", VisitOutcome.ON_THE_DAY, "", 0, 90.0, True
        )
    ]
    log.work = [
        Work(BED, 3, "msc", "infuse", False, start, 40.0, start, start + 40),
        Work(NURSE, 3, "msc", "infuse", False, start, 40.0, start, start + 40),
        Work(NURSE, 4, "msc", "infuse", False, start, 40.0, start, start + 40),
        Work(NURSE, 3, "msc", "enter_data", True, start, 90.0, 2 * DAY, 2 * DAY),
    ]
    log.moments = [
        Moment(3, 0.0, Milestone.RANDOMISED, 0),
        Moment(3, start + 40, Milestone.DOSE, (0, 1.2e8)),
        Moment(4, start + 40, Milestone.COMPLETED, None),
        Moment(3, DAY, Milestone.LEFT, "withdraws_consent"),
    ]

    assert list(tell(PROTOCOL, log, person=3)) == [
        "Mon 2024-01-01 00:00  is randomised to cells",
        "Mon 2024-01-01 09:00  begins infusion (MSC) at the clinic, after a wait of 1.5 h",
        "Mon 2024-01-01 09:00    nurse, infusion bed: infuse, 40 min",
        "Mon 2024-01-01 09:40  is given 120,000,000 cells of hUC-MSC",
        "Tue 2024-01-02 00:00  leaves the trial: withdraws consent",
        "Wed 2024-01-03 00:00    nurse: enter data never done, 1.5 h of it",
    ]


def test_each_piece_of_work_at_a_desk_has_its_line() -> None:
    log = EventLog(1.0)
    log.work = [Work(0, 0, "infusion", "enter", True, 60.0, left, 90.0, 90.0) for left in (30, 30)]
    told = [line for line in tell(PROTOCOL, log, person=0) if "enter" in line]
    assert len(told) == 2
    assert all(" and " not in line for line in told)


def test_what_happens_at_one_instant_is_told_in_the_order_of_life() -> None:
    log = EventLog(1.0)
    log.visits = [
        Visit(0, 60.0, 0, "infusion", 1, "msc", "", VisitOutcome.ON_THE_DAY, "", 0, 0.0, True)
    ]
    log.work = [Work(NURSE, 0, "msc", "infuse", False, 60.0, 5.0, 60.0, 65.0)]
    log.moments = [
        Moment(0, 60.0, Milestone.DOSE, (0, 1.0)),
        Moment(0, 60.0, Milestone.DAY_1, None),
        Moment(0, 60.0, Milestone.RANDOMISED, 0),
    ]

    told = [line.split(maxsplit=3)[3] for line in tell(PROTOCOL, log, person=0)]

    assert told == [
        "is randomised to cells",
        "begins infusion (MSC)",
        "nurse: infuse, 5 min",
        "is on day 1",
        "is given 1 cells of hUC-MSC",
    ]


def test_a_visit_off_its_plan_says_why() -> None:
    log = EventLog(1.0)
    log.visits = [
        Visit(
            0,
            60.0,
            0,
            "injections",
            2,
            "shot",
            "clinic",
            VisitOutcome.MISSED,
            "did_not_come",
            0,
            0.0,
            True,
        ),
        Visit(
            0,
            2 * DAY,
            0,
            "injections",
            3,
            "shot",
            "",
            VisitOutcome.OUT_OF_WINDOW,
            "closed",
            1,
            0.0,
            True,
        ),
    ]

    assert list(tell(PROTOCOL, log)) == [
        "Mon 2024-01-01 01:00  participant 0 misses injections 2 (shot): did not come",
        (
            "Wed 2024-01-03 00:00  participant 0 begins injections 3 (shot), planned for "
            "2\u00a0January\u00a02024, out of its window (place closed)"
        ),
    ]


def test_the_story_ends_with_what_those_inside_wait_for() -> None:
    log = EventLog(1.0)
    log.awaited = [
        Awaited(0, "infusion", 1, 80, None, "staff"),
        Awaited(1, "injections", 3, 89, 89, ""),
        Awaited(2, "injections", 4, 90, 93, "closed"),
        Awaited(3, "injections", 4, 120, None, ""),
    ]

    inside = "is still in follow-up, and"
    assert list(tell(PROTOCOL, log)) == [
        (
            f"Sun 2024-03-31 23:59  participant 0 {inside} waits for infusion, planned for "
            "2024-03-21: no day is possible any more (no staff)"
        ),
        f"Sun 2024-03-31 23:59  participant 1 {inside} is at injections 3 or in line for it",
        f"Sun 2024-03-31 23:59  participant 2 {inside} would come for injections 4 on 2024-04-03",
        (
            f"Sun 2024-03-31 23:59  participant 3 {inside} would come for injections 4, planned "
            "for 2024-04-30"
        ),
    ]

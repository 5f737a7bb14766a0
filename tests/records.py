"""A hand-made protocol and log, small enough to know every count by heart."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from types import SimpleNamespace
from typing import cast

from sim.scenario.capacity import Stock
from sim.scenario.design import Randomisation
from sim.scenario.protocol import Coming, Dose, Protocol
from sim.scenario.slots import Resource
from sim.vocabulary.clock import MINUTES_PER_DAY, Clock, Roster
from sim.vocabulary.eventlog import EventLog, Milestone, Moment, Visit, VisitOutcome, Work
from sim.vocabulary.measures import units_of
from sim.vocabulary.streams import Draws

DAY, HOUR = MINUTES_PER_DAY, 60
SHELF = Stock(starts_with=10, reorder_at=4, reorder_quantity=12, lead_days=7)
NURSE, BED, VOLUNTEER = range(3)
Told = tuple[int, float, Milestone, object]
"""A moment as it is written down here."""
OPENS, CLOSES = date(2024, 1, 1), date(2024, 2, 4)  # five whole weeks, from a Monday
END = 35 * DAY
UNITS = dict(
    units_of(
        {
            "arm": ["cells", "shots"],
            "reason": ["death", "moved"],
            "milestone": [],
            "decision month": [],
            "event": [],
            "product": ["msc", "il2"],
            "product in vials": ["il2"],
            "product in stock": ["il2"],
            "resource": ["nurse", "bed", "volunteer"],
            "day ahead": (),
            "visit": ["screening_visit", "msc_infusion", "injection", "assessment"],
        }
    )
)
MORNING, AFTERNOON = (8 * HOUR, 12 * HOUR), (14 * HOUR, 17 * HOUR + 30)


def at(day: int, hour: float = 0.0) -> float:
    """Minutes since the opening; day 0 is the Monday of the first week."""
    return day * DAY + hour * HOUR


def a_protocol(**changed: object) -> Protocol:
    """One nurse on weekdays with a midday break, two beds around the clock, volunteers."""
    shifts = [
        (day * DAY + start, day * DAY + end)
        for day in range(35)
        if day % 7 < 5
        for start, end in (MORNING, AFTERNOON)
    ]
    clock = cast("Clock", changed.get("clock", Clock(OPENS, CLOSES)))
    planned = {
        "clock": clock,
        "calendar_known_through": date(2026, 12, 31),
        "kinds_of_day": tuple(
            "holiday" if day == 0 else "weekend" if day % 7 > 4 else "working_day"
            for day in range(clock.days + 5)
        ),
        "target": 2,
        "titles": {},
        "milestones": (),
        "decision_months": (),
        "randomisation": Randomisation(),
        "resources": (
            Resource("nurse", "role", 1, Roster(shifts)),
            Resource("bed", "room", 2, Roster([], always=True)),
            Resource("volunteer", "role", None, Roster(shifts)),
        ),
        "screening": SimpleNamespace(
            steps=tuple(SimpleNamespace(name=name) for name in ("chart", "visit", "labs", "call")),
            asking=1,
            from_consent={"visit", "labs", "call"},
            rescreening=None,
        ),
        "criteria": tuple(
            SimpleNamespace(name=name, at=step)
            for name, step in (("adult", "chart"), ("fit", "visit"), ("proteinuria", "labs"))
        ),
        "arms": (
            an_arm(0, "cells", ["infusion", "week_2"]),
            an_arm(1, "shots", [*["shots"] * 3, "week_2"]),
        ),
        "products": (
            SimpleNamespace(name="msc", unit="cells", dose=2e6, units_per_vial=None, stock=None),
            SimpleNamespace(
                name="il2",
                unit="IU",
                dose=1e6,
                units_per_vial=1e6,
                stock=SHELF,
            ),
        ),
        "rows": ("infusion", "shots", "week_2"),
        "events": (),
        "beliefs": (),
        "draws": Draws(),
        "reasons": (SimpleNamespace(name="death"), SimpleNamespace(name="moved")),
        "visit_names": ("screening_visit", "msc_infusion", "injection", "assessment"),
    }
    protocol = SimpleNamespace(**{**planned, "measures": UNITS, **changed})
    protocol.beside, protocol.informed = None, None
    return cast("Protocol", protocol)


def an_arm(index: int, name: str, rows: list[str]) -> SimpleNamespace:
    """An arm safe to join until day 10; every row but week_2 is a dose of its own product."""
    dose = (2e6, 1e6)[index]
    numbers = [rows[:place].count(row) + 1 for place, row in enumerate(rows)]
    visits = tuple(
        SimpleNamespace(
            row=row,
            number=number,
            occasion=f"{row} {number}",
            anchor="first_dose",
            is_dose=row != "week_2",
            gives=[Dose(index, dose)] if row != "week_2" else [],
        )
        for row, number in zip(rows, numbers, strict=True)
    )
    day_1 = Coming(Milestone.DAY_1)
    return SimpleNamespace(
        index=index,
        name=name,
        visits=visits,
        anchors={"first_dose": day_1},
        has_doses=True,
        counts_from_visits=False,
        latest_safe_day=10,
    )


def a_log(
    moments: Iterable[Told] = (),
    visits: Iterable[Visit] = (),
    work: Iterable[Work] = (),
) -> EventLog:
    """A log of these facts, before which everybody is a candidate, if that is not among them."""
    log = EventLog(3.0)
    log.moments += [Moment(*each) for each in moments]
    log.visits += visits
    log.work += work
    told = {each.person for each in log.moments if each.milestone is Milestone.CANDIDATE}
    people = [each.person for facts in (log.moments, log.visits, log.work) for each in facts]
    untold = {*range(max(people, default=-1) + 1)} - told
    log.moments[:0] = [Moment(person, 0.0, Milestone.CANDIDATE) for person in sorted(untold)]
    randomised = (each for each in log.moments if each.milestone is Milestone.RANDOMISED)
    log.strata = {each.person: () for each in randomised}
    return log


def piece(  # noqa: PLR0913  as many as a row of work has fields that matter
    resource: int,
    started: float,
    ended: float,
    *,
    asked: float | None = None,
    minutes: float | None = None,
    desk: bool = False,
) -> Work:
    """A piece of work of person 0, asked when it started unless said otherwise."""
    due, length = started if asked is None else asked, ended - started
    share = length if minutes is None else minutes
    return Work(resource, 0, "visit", "task", desk, due, share, started, ended)


def a_visit(  # noqa: PLR0913  as many as a visit has fields that matter
    person: int,
    time: float,
    arm: int,
    row: str,
    visit: str,
    *,
    number: int = 1,
    outcome: VisitOutcome = VisitOutcome.ON_THE_DAY,
    reason: str = "",
    wait: float = 0.0,
    new_trip: bool = True,
) -> Visit:
    """A visit at the clinic."""
    day = int(time // DAY)
    held = (person, time, arm, row, number, visit, "clinic", outcome, reason, day, wait, new_trip)
    return Visit(*held)


def a_story() -> EventLog:
    """Ten candidates, three randomised: one completes, one dies, one is still in follow-up.

    0 fails at the chart (and would fail the laboratory too), 1 declines, 2 fails the visit, 3 the
    laboratory, 4 withdraws, 5 is turned away, 6 is still in screening, 7 to 9 are randomised.
    """
    m = Milestone
    moments: list[Told] = [(person, at(person), m.CANDIDATE, None) for person in range(10)]
    moments += [(0, at(1), m.JUDGED, ("chart", (0, 2))), (0, at(1), m.NOT_ELIGIBLE_ON_CHART, None)]
    moments += [(person, at(person, 1), m.JUDGED, ("chart", ())) for person in range(1, 10)]
    moments += [(1, at(2), m.NOT_CONSENTING, None)]
    moments += [(person, at(person, 2), m.CONSENTED, None) for person in range(2, 10)]
    moments += [(2, at(3), m.JUDGED, ("visit", (1,))), (2, at(3), m.SCREEN_FAILED, 1)]
    moments += [(person, at(person, 3), m.JUDGED, ("visit", ())) for person in range(3, 10)]
    moments += [(person, at(person, 4), m.SCREENED, None) for person in range(3, 10)]
    moments += [(3, at(5), m.JUDGED, ("labs", (2,))), (3, at(5), m.SCREEN_FAILED, 2)]
    moments += [(4, at(6), m.WITHDREW_IN_SCREENING, None), (5, at(9), m.TURNED_AWAY, None)]
    moments += [(7, at(9), m.RANDOMISED, 0), (7, at(12, 9), m.DAY_1, None)]
    moments += [(7, at(12, 9), m.DOSE, (0, 1.1e8)), (7, at(27), m.COMPLETED, None)]
    moments += [(8, at(10, 23), m.RANDOMISED, 1), (8, at(12), m.DAY_1, None)]
    moments += [(8, at(12), m.DOSE, (1, 1e6)), (8, at(14), m.STOPPED_TREATMENT, None)]
    moments += [(8, at(20), m.LEFT, "death")]
    moments += [(9, at(11), m.RANDOMISED, 1), (9, at(31, 8), m.DAY_1, None)]
    moments += [(9, at(31, 8), m.DOSE, (1, 1e6))]
    visits = [
        a_visit(7, at(8), -1, "screening_visit", "screening_visit", wait=30.0),
        a_visit(7, at(12, 9), 0, "infusion", "msc_infusion", wait=120.0),
        a_visit(
            7,
            at(26),
            0,
            "week_2",
            "assessment",
            outcome=VisitOutcome.OUT_OF_WINDOW,
            reason="closed",
        ),
        a_visit(8, at(12), 1, "shots", "injection"),
        a_visit(
            8,
            at(13),
            1,
            "shots",
            "injection",
            number=2,
            outcome=VisitOutcome.MISSED,
            reason="staff",
        ),
        a_visit(9, at(31, 8), 1, "shots", "injection", new_trip=False),
    ]
    return a_log(moments, visits)

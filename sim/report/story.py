"""One replication told as a dated story, for whoever wants to know why it went as it did."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import NamedTuple, cast

from sim.scenario.protocol import Protocol
from sim.vocabulary.clock import MINUTES_PER_DAY, MINUTES_PER_HOUR
from sim.vocabulary.eventlog import (
    NOBODY,
    EventLog,
    Milestone,
    Moment,
    Movement,
    Supplied,
    Visit,
    Work,
)

SAYS = {
    Milestone.CANDIDATE: "becomes a candidate",
    Milestone.NOT_ELIGIBLE_ON_CHART: "is not eligible, and is not contacted",
    Milestone.NOT_CONSENTING: "declines to take part",
    Milestone.CONSENTED: "consents",
    Milestone.SCREENED: "has been screened",
    Milestone.WITHDREW_IN_SCREENING: "withdraws during screening",
    Milestone.TURNED_AWAY: "is turned away: the trial is full",
    Milestone.DAY_1: "is on day 1",
    Milestone.UNSCHEDULED_EVENT: "has an unscheduled event",
    Milestone.STOPPED_TREATMENT: "stops treatment and stays in follow-up",
    Milestone.LEFT: "leaves the trial",
    Milestone.COMPLETED: "has completed the trial",
}
BECOMES = {
    Movement.FAILED_RELEASE: "waits for another order of {product}: the last failed its release",
    Movement.DISCARDED: "waits for another dose of {product}: the last was kept too long",
    Movement.OUT_OF_STOCK: "is told that {product} is out of stock",
    Movement.DISPENSED: "is handed {vials} vials of {product}",
    Movement.RETURNED: "brings back {vials} vials of {product}",
    Movement.LOST: "keeps {vials} vials of {product}, which are lost",
}
KNOWN_FROM = {"chart": "the chart", "visit": "the visit", "labs": "the laboratory results"}


AT_ONCE = {Milestone.DAY_1, Milestone.DOSE}
"""Noted when the visit begins; any other milestone ends what went before."""
VISIT, WORK = 0, 1


class Line(NamedTuple):
    """When something happened (minutes since the opening instant), to whom, and what.

    `order` tells apart what happened at the same instant.
    """

    minutes: float
    order: int
    person: int
    text: str


def tell(protocol: Protocol, log: EventLog, *, person: int | None = None) -> Iterator[str]:
    """Yield a replication's story in order of time, one dated line a fact.

    The story of one `person` (numbered from 0 in order of arrival) names every piece of work as
    well, and leaves out whom it is about.
    """
    lines = [
        *(_visit(protocol, visit) for visit in log.visits if person in (None, visit[0])),
        *_work(protocol, [work for work in log.work if work[1] == person]),
        *(_moment(protocol, moment) for moment in log.moments if person in (None, moment[0])),
        *(_supplied(protocol, each) for each in log.supplies if _concerns(each, person)),
    ]
    for line in sorted(lines, key=lambda line: line[:2]):
        who = "the team" if line.person == NOBODY else f"participant {line.person}"
        whom = "" if person is not None else f"{who} "
        yield f"{_stamp(protocol, line.minutes)}  {whom}{line.text}"


def _stamp(protocol: Protocol, minutes: float) -> str:
    day = protocol.clock.date_of(minutes)
    return f"{day:%a} {day.isoformat()} {hour(minutes)}"


def hour(minutes: float) -> str:
    """Return the hour of an instant."""
    hours, rest = divmod(int(minutes % MINUTES_PER_DAY), MINUTES_PER_HOUR)
    return f"{hours:02d}:{rest:02d}"


def _moment(protocol: Protocol, moment: Moment) -> Line:
    person, minutes, milestone, detail = moment
    order = milestone if milestone in AT_ONCE else milestone - len(Milestone) - 1
    return Line(minutes, order, person, _milestone(protocol, milestone, detail))


def _milestone(protocol: Protocol, milestone: Milestone, detail: object) -> str:
    match milestone:
        case Milestone.JUDGED:
            return _judged(protocol, *cast("tuple[str, tuple[int, ...]]", detail))
        case Milestone.SCREEN_FAILED:
            return f"fails screening: {plain(protocol.criteria[cast('int', detail)].name)}"
        case Milestone.RANDOMISED:
            arm = protocol.arms[cast("int", detail)]
            return f"is randomised to {arm.name}: {arm.title}"
        case Milestone.DOSE:
            return f"is given {amount(protocol, detail)}"
        case Milestone.UNSCHEDULED_EVENT | Milestone.LEFT:
            return f"{SAYS[milestone]}: {plain(str(detail))}"
        case _:
            return SAYS[milestone]


def _concerns(supplied: Supplied, person: int | None) -> bool:
    """A delivery is nobody's, and is not told."""
    return supplied[0] != NOBODY and person in (None, supplied[0])


def _supplied(protocol: Protocol, supplied: Supplied) -> Line:
    person, minutes, movement, index, vials = supplied
    product = plain(protocol.products[index].name)
    text = BECOMES[movement].format(product=product, vials=vials)
    return Line(minutes, -len(Milestone) + movement, person, text)


def _judged(protocol: Protocol, step: str, failing: tuple[int, ...]) -> str:
    criteria = [protocol.criteria[index] for index in failing]
    failed = [plain(criterion.name) for criterion in criteria if criterion.at == step]
    found = f"fails {', '.join(failed)}" if failed else "meets every criterion"
    return f"{found} (from {KNOWN_FROM[step]})"


def amount(protocol: Protocol, dose: object) -> str:
    """Return the detail of a dose in words: how much of what."""
    product, units = cast("tuple[int, float]", dose)
    given = protocol.products[product]
    return f"{units:,.4g} {given.unit} of {plain(given.name)}"


def _visit(protocol: Protocol, visit: Visit) -> Line:
    person, minutes, _, _, _, _, place, outcome, reason, _, wait, _ = visit
    what = visit_title(protocol, visit)
    if outcome == "missed":
        return Line(minutes, VISIT, person, f"misses {what}: {plain(reason)}")
    where = f" at the {plain(place)}" if place else ""
    waited = f", after a wait of {_length(wait)}" if wait >= 1 else ""
    off = f", {off_plan(protocol, visit)}" if reason else ""
    return Line(minutes, VISIT, person, f"begins {what}{where}{waited}{off}")


def visit_title(protocol: Protocol, visit: Visit) -> str:
    """Return the row of the schedule, its number if it is repeated, and the visit done there."""
    _, _, arm, row, number, name, *_ = visit
    if arm < 0:
        return plain(name)
    repeated = any(v.row == row and v.is_repeated for v in protocol.arms[arm].visits)
    return f"{plain(row)}{f' {number}' if repeated else ''} ({plain(name)})"


def off_plan(protocol: Protocol, visit: Visit) -> str:
    """Return how and why a visit was held on another day than planned."""
    _, _, _, _, _, _, _, outcome, reason, planned_day, _, _ = visit
    planned = protocol.clock.date_of_day(planned_day)
    how = "out of its window" if outcome == "out_of_window" else "moved"
    return f"{how} ({plain(reason)}; planned for {planned:%a} {planned})"


def _work(protocol: Protocol, work: list[Work]) -> Iterator[Line]:
    """One line a task: the people and rooms that are held together are named together."""
    in_order = sorted(work, key=lambda piece: (piece[7], piece[8], piece[2], piece[3], piece[0]))
    for (started, ended, _, task), pieces in groupby(
        in_order, key=lambda piece: (piece[7], piece[8], piece[2], piece[3])
    ):
        held = list(pieces)
        team = " and ".join(plain(protocol.resources[piece[0]].name) for piece in held)
        if ended > started:
            text = f"  {team}: {plain(task)}, {_length(ended - started)}"
        else:
            text = f"  {team}: {plain(task)} never done, {_length(held[0][6])} of it"
        yield Line(started, WORK, held[0][1], text)


def _length(minutes: float) -> str:
    if minutes < MINUTES_PER_HOUR:
        return f"{minutes:.0f} min"
    if minutes < MINUTES_PER_DAY:
        return f"{minutes / MINUTES_PER_HOUR:.1f} h"
    return f"{minutes / MINUTES_PER_DAY:.1f} days"


def plain(name: str) -> str:
    """Return a name of the scenario in words."""
    return name.replace("_", " ")

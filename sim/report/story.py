"""One replication told as a dated story, for whoever wants to know why it went as it did."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from itertools import groupby
from operator import attrgetter
from typing import Any, NamedTuple

from sim.scenario.protocol import Protocol
from sim.vocabulary.clock import MINUTES_PER_DAY, MINUTES_PER_HOUR
from sim.vocabulary.eventlog import (
    NOBODY,
    Awaited,
    EventLog,
    Milestone,
    Moment,
    Movement,
    Supplied,
    Visit,
    VisitOutcome,
    Work,
)
from sim.vocabulary.words import Words, words

SAYS = {
    Milestone.CANDIDATE: "becomes a candidate",
    Milestone.NOT_ELIGIBLE_ON_CHART: "is not eligible, and is not contacted",
    Milestone.NOT_CONSENTING: "declines to take part",
    Milestone.CONSENTED: "consents",
    Milestone.SCREENED: "has been screened",
    Milestone.WITHDREW_IN_SCREENING: "withdraws during screening",
    Milestone.RESCREENED: "comes to be screened again",
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
    Movement.NOT_GIVEN: "will not be given the {product} ordered for them",
    Movement.LOST: "keeps {vials} vials of {product}, which are lost",
}
KNOWN = {
    "chart": "from the chart",
    "visit": "from the visit",
    "labs": "from the laboratory results",
}
"""How criteria are known at the usual steps."""

OFF_PLAN = {
    VisitOutcome.MOVED: "calendar.moved",
    VisitOutcome.OUT_OF_WINDOW: "calendar.out_of_window",
    VisitOutcome.MISSED: "calendar.missed",
}
"""What is said of a visit that is not held on its planned day."""

AT_ONCE = {Milestone.DAY_1, Milestone.DOSE}
"""Noted when the visit begins; any other milestone ends what went before."""
VISIT, WORK = 0, 1


class StoryLine(NamedTuple):
    """When something happened (minutes since the opening instant), to whom, and what.

    `order` tells apart what happened at the same instant.
    """

    minutes: float
    order: int
    person: int
    text: str


def tell(
    protocol: Protocol, log: EventLog, say: Words | None = None, *, person: int | None = None
) -> Iterator[str]:
    """Yield a replication's story in order of time, one dated line a fact.

    Names are said in a language, by the titles it has; the sentences are English.

    The story of one `person` (numbered from 0 in order of arrival) names every piece of work as
    well, and leaves out whom it is about.
    """
    say = say or words()
    lines = [
        *(_visit(say, protocol, visit) for visit in log.visits if person in (None, visit.person)),
        *_work(say, protocol, [work for work in log.work if work.person == person]),
        *(
            _moment(say, protocol, moment)
            for moment in log.moments
            if person in (None, moment.person)
        ),
        *(_supplied(say, protocol, each) for each in log.supplies if _concerns(each, person)),
        *(_awaited(say, protocol, each) for each in log.awaited if person in (None, each.person)),
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


def _moment(say: Words, protocol: Protocol, moment: Moment) -> StoryLine:
    milestone = moment.milestone
    order = milestone if milestone in AT_ONCE else milestone - len(Milestone) - 1
    text = _milestone(say, protocol, milestone, moment.detail)
    return StoryLine(moment.time, order, moment.person, text)


def _milestone(say: Words, protocol: Protocol, milestone: Milestone, detail: Any) -> str:  # noqa: ANN401  it depends on the milestone
    match milestone:
        case Milestone.JUDGED:
            return _judged(say, protocol, *detail)
        case Milestone.SCREEN_FAILED:
            return f"fails screening: {say.title(protocol.criteria[detail].name)}"
        case Milestone.RANDOMISED:
            return f"is randomised to {say.title(protocol.arms[detail].name, 'arm')}"
        case Milestone.DOSE:
            return f"is given {amount(say, protocol, detail)}"
        case Milestone.UNSCHEDULED_EVENT | Milestone.LEFT:
            return f"{SAYS[milestone]}: {say.title(detail)}"
        case _:
            return SAYS[milestone]


def _concerns(supplied: Supplied, person: int | None) -> bool:
    """A delivery is nobody's, and is not told."""
    return supplied.person != NOBODY and person in (None, supplied.person)


def _supplied(say: Words, protocol: Protocol, supplied: Supplied) -> StoryLine:
    product = say.title(protocol.products[supplied.product].name)
    text = BECOMES[supplied.movement].format(product=product, vials=supplied.vials)
    return StoryLine(supplied.time, -len(Milestone) + supplied.movement, supplied.person, text)


def _awaited(say: Words, protocol: Protocol, awaited: Awaited) -> StoryLine:
    """Say at the end of the last day what somebody in follow-up still had before them."""
    clock, what = protocol.clock, _row_title(say, protocol, awaited.row, awaited.number)
    planned = clock.date_of_day(awaited.planned_day)
    if awaited.planned_day >= clock.days:
        text = f"would come for {what}, planned for {planned}"
    elif awaited.day is None:
        text = f"waits for {what}, planned for {planned}: no day is possible any more"
        text = f"{text} ({say.title(awaited.reason)})"
    elif awaited.day < clock.days:
        text = f"is at {what} or in line for it"
    else:
        text = f"would come for {what} on {clock.date_of_day(awaited.day)}"
    text = f"is still in follow-up, and {text}"
    return StoryLine(clock.end_minutes - 1, WORK, awaited.person, text)


def _judged(say: Words, protocol: Protocol, step: str, failing: tuple[int, ...]) -> str:
    criteria = [protocol.criteria[index] for index in failing]
    failed = [say.title(criterion.name) for criterion in criteria if criterion.at == step]
    found = f"fails {say.listing(failed)}" if failed else "meets every criterion"
    return f"{found} ({KNOWN.get(step, f'at the step {say.title(step)}')})"


def amount(say: Words, protocol: Protocol, dose: tuple[int, float]) -> str:
    """Return the detail of a dose in words: how much of what."""
    product, units = dose
    given = protocol.products[product]
    said = {"units": say.plain(units, 4), "unit": say.own(given.unit), "product": given.name}
    return say("calendar.dose_of", **said)


def _visit(say: Words, protocol: Protocol, visit: Visit) -> StoryLine:
    what, line = (
        visit_title(say, protocol, visit),
        partial(StoryLine, visit.time, VISIT, visit.person),
    )
    if visit.is_missed:
        return line(f"misses {what}: {say.title(visit.reason)}")
    where = f" at the {say.title(visit.place)}" if visit.place else ""
    waited = f", after a wait of {_length(visit.wait)}" if visit.wait >= 1 else ""
    off = off_plan(say, protocol, visit)
    return line(f"begins {what}{where}{waited}{off and ', '}{off}")


def visit_title(say: Words, protocol: Protocol, visit: Visit) -> str:
    """Return the row of the schedule, its number if it is repeated, and the visit done there."""
    held = say.title(visit.visit)
    if not visit.is_in_schedule:
        return held
    planned = _row_title(say, protocol, visit.row, visit.number)
    return planned if say.title(visit.row) == held else say.aside(planned, held)


def _row_title(say: Words, protocol: Protocol, row: str, number: int) -> str:
    planned = (each for arm in protocol.arms for each in arm.visits if each.row == row)
    is_repeated = any(each.is_repeated for each in planned)
    return f"{say.title(row)} {number}" if is_repeated else say.title(row)


def off_plan(say: Words, protocol: Protocol, visit: Visit) -> str:
    """Return how and why a visit is not held on its planned day; nothing where it is."""
    if visit.outcome not in OFF_PLAN:
        return ""
    planned = protocol.clock.date_of_day(visit.planned_day)
    return say(OFF_PLAN[visit.outcome], planned=planned, reason=visit.reason)


def _work(say: Words, protocol: Protocol, work: list[Work]) -> Iterator[StoryLine]:
    """One line a task: the people and rooms that are held together are named together.

    Work at a desk is one person's, and may be the same twice: each piece has its line.
    """
    together = attrgetter("started", "ended", "visit", "task")
    in_order = sorted(work, key=attrgetter("resource"))
    at_visits = sorted((each for each in in_order if not each.is_desk), key=together)
    groups = [list(pieces) for _, pieces in groupby(at_visits, key=together)]
    for held in [*groups, *([each] for each in in_order if each.is_desk)]:
        started, ended, _, task = together(held[0])
        team = say.listing(say.title(protocol.resources[piece.resource].name) for piece in held)
        done = f"  {say.part(team, say.title(task))}"
        if ended > started:
            text = f"{done}, {_length(ended - started)}"
        else:
            text = f"{done} never done, {_length(held[0].minutes)} of it"
        yield StoryLine(started, WORK, held[0].person, text)


def _length(minutes: float) -> str:
    if minutes < MINUTES_PER_HOUR:
        return f"{minutes:.0f} min"
    if minutes < MINUTES_PER_DAY:
        return f"{minutes / MINUTES_PER_HOUR:.1f} h"
    return f"{minutes / MINUTES_PER_DAY:.1f} days"

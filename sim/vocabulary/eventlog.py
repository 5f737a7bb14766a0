"""What happened in one replication: five kinds of fact, appended and never updated.

Everything else — counts, weeks, flow — is derived from these facts after the run. All times are
minutes since the opening instant.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum, StrEnum, auto
from typing import Any, NamedTuple


class Milestone(IntEnum):
    """A step on a person's way, in the order in which a person can meet them."""

    CANDIDATE = auto()
    JUDGED = auto()
    NOT_ELIGIBLE_ON_CHART = auto()
    NOT_CONSENTING = auto()
    CONSENTED = auto()
    SCREENED = auto()
    SCREEN_FAILED = auto()
    WITHDREW_IN_SCREENING = auto()
    TURNED_AWAY = auto()
    RESCREENED = auto()
    RANDOMISED = auto()
    DAY_1 = auto()
    DOSE = auto()
    UNSCHEDULED_EVENT = auto()
    STOPPED_TREATMENT = auto()
    LEFT = auto()
    COMPLETED = auto()


class Movement(IntEnum):
    """What became of a product on its way to a participant."""

    FAILED_RELEASE = auto()
    DISCARDED = auto()
    OUT_OF_STOCK = auto()
    DELIVERED = auto()
    DISPENSED = auto()
    RETURNED = auto()
    LOST = auto()
    NOT_GIVEN = auto()


NOBODY = -1
"""The person of a visit to which no participant comes, and of work that is for none of them."""

OVERHEAD = "overhead"
"""The visit and the task of work that belongs to no visit."""


class VisitOutcome(StrEnum):
    """What became of a visit; one that was moved was held inside its window."""

    ON_THE_DAY = auto()
    MOVED = auto()
    OUT_OF_WINDOW = auto()
    MISSED = auto()


fact = tuple.__new__
"""Make a fact of a tuple of its fields, as in `fact(Work, (...))`.

Work is noted thousands of times in a replication, and `Work(...)` takes several times as long."""


class Moment(NamedTuple):
    """Somebody met a milestone.

    The detail of JUDGED is (step, indices of the criteria failing at this step or a later one), of
    SCREEN_FAILED the criterion's index, of TURNED_AWAY the cap that was full (the trial: None), of
    RANDOMISED the arm's index, of DOSE (product index, units), of UNSCHEDULED_EVENT what happened,
    of LEFT the reason; of the others None.
    """

    person: int
    time: float
    milestone: Milestone
    detail: Any = None


class Visit(NamedTuple):
    """A visit was held, or missed: then `time` is the start of the day it was due on.

    `person` may be NOBODY; `arm` is -1 for a visit that is not in the schedule. `reason` is empty
    for a visit held on its planned day, else what moved it or made it missed: closed, holiday,
    staff, room, product, participant (early or late), did_not_come. `wait` is in minutes, where
    it was held.
    """

    person: int
    time: float
    arm: int
    row: str
    number: int
    visit: str
    place: str
    outcome: VisitOutcome
    reason: str
    planned_day: int
    wait: float
    is_journey: bool

    @property
    def is_missed(self) -> bool:
        """Whether it was not held at all."""
        return self.outcome is VisitOutcome.MISSED

    @property
    def is_in_schedule(self) -> bool:
        """Whether the schedule of an arm plans it."""
        return self.arm >= 0


class Work(NamedTuple):
    """One uninterrupted piece of one role's or room's work, which fell due at `due`.

    `minutes` were asked. Desk work never done has started == ended == the end of the run, and the
    minutes that remain. Work begun before the end may end after it; whoever counts worked time
    clips it there.
    """

    resource: int
    person: int
    visit: str
    task: str
    is_desk: bool
    due: float
    minutes: float
    started: float
    ended: float


class Supplied(NamedTuple):
    """Something became of a product; `person` is NOBODY for a delivery.

    FAILED_RELEASE is an order, NOT_GIVEN one for somebody who is given no dose of it any more,
    DISCARDED a prepared dose that was not begun in time, OUT_OF_STOCK a dose that found fewer vials
    than it takes; their vials are 0. DELIVERED vials come to the shelf,
    DISPENSED ones leave it for a participant, who later has RETURNED or LOST those not used.
    """

    person: int
    time: float
    movement: Movement
    product: int
    vials: int


class Awaited(NamedTuple):
    """Somebody is still in follow-up when the trial closes, and this visit would have been next.

    `day` is the day it is booked for, or None if no day is possible any more; on a day before the
    closing they came, and stand in line or are at the visit. `reason` is that of a `Visit`.
    """

    person: int
    row: str
    number: int
    planned_day: int
    day: int | None
    reason: str


def in_columns(
    fields: Sequence[str], facts: Sequence[tuple[Any, ...]]
) -> dict[str, tuple[Any, ...]]:
    """Return what facts of one kind, which has these fields, say: a column for each field."""
    return dict(zip(fields, zip(*facts, strict=True) if facts else [()] * len(fields), strict=True))


class EventLog:
    """The facts of one replication, in the order in which they were noted.

    `strata` holds the stratum of everyone randomised.
    """

    __slots__ = (
        "awaited",
        "candidates_per_month_drawn",
        "drawn",
        "moments",
        "strata",
        "supplies",
        "visits",
        "work",
    )

    def __init__(self, candidates_per_month_drawn: float) -> None:
        """Start an empty log; what was drawn is kept to tell luck and ignorance apart."""
        self.candidates_per_month_drawn = candidates_per_month_drawn
        self.drawn: tuple[float, ...] = ()
        self.moments: list[Moment] = []
        self.visits: list[Visit] = []
        self.work: list[Work] = []
        self.supplies: list[Supplied] = []
        self.awaited: list[Awaited] = []
        self.strata: dict[int, tuple[int, ...]] = {}

    def begin_at(self, moment: float) -> None:
        """Leave out the visits, the work and the supplies of before a moment."""
        self.visits = [each for each in self.visits if each.time >= moment]
        self.work = [each for each in self.work if each.ended > moment]
        self.supplies = [each for each in self.supplies if each.time >= moment]

    def last_attempts(self) -> list[Moment]:
        """Return the moments without what people met in attempts at screening before their last.

        That they became candidates stays.
        """
        begins = {
            each.person: place
            for place, each in enumerate(self.moments)
            if each.milestone is Milestone.RESCREENED
        }
        if not begins:
            return self.moments
        return [
            each
            for place, each in enumerate(self.moments)
            if place >= begins.get(each.person, 0) or each.milestone is Milestone.CANDIDATE
        ]

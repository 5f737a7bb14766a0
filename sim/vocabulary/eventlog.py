"""What happened in one replication: four kinds of fact, appended and never updated.

Everything else — counts, weeks, flow — is derived from these facts after the run. Facts are plain
tuples because a replication writes thousands of them; the type aliases below name their fields.
All times are minutes since the opening instant.
"""

from __future__ import annotations

from enum import IntEnum, auto


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


NOBODY = -1
"""The person of a visit to which no participant comes, and of work that is for none of them."""

OVERHEAD = "overhead"
"""The visit and the task of work that belongs to no visit."""

Moment = tuple[int, float, Milestone, object]
"""person, time, milestone, detail.

The detail of JUDGED is (step, indices of the criteria failing at this step or a later one), of
SCREEN_FAILED the criterion's index, of RANDOMISED the arm's index, of DOSE (product index, units),
of UNSCHEDULED_EVENT what happened, of LEFT the reason; of the others None."""

Visit = tuple[int, float, int, str, int, str, str, str, str, int, float, bool]
"""person (or NOBODY), time of the start (for a missed visit: of the day it was due),
arm (-1 for a visit that is not in the schedule), schedule row, number within the row, visit, place,
outcome (in_window, out_of_window, missed), reason, planned day, wait in minutes, whether it took a
journey.

The reason is empty for a visit held on its planned day, else what moved it or made it missed:
closed, holiday, staff, room, product, participant (early or late), did_not_come."""

Work = tuple[int, int, str, str, bool, float, float, float, float]
"""resource, person (or NOBODY), visit, task, whether desk work, moment it fell due, minutes asked,
started, ended: one uninterrupted piece of one role's or room's work. Desk work never done has
started == ended == the end of the run, and the minutes that remain. Work begun before the end may
end after it; whoever counts worked time clips it there."""


Supplied = tuple[int, float, Movement, int, int]
"""person (NOBODY for a delivery), time, movement, product index, vials.

FAILED_RELEASE is an order, DISCARDED a prepared dose that was not begun in time, OUT_OF_STOCK a
dose that found fewer vials than it takes; their vials are 0. DELIVERED vials come to the shelf,
DISPENSED ones leave it for a participant, who later has RETURNED or LOST those not used."""


class EventLog:
    """The facts of one replication, in the order in which they were noted."""

    __slots__ = ("candidates_per_month_drawn", "moments", "supplies", "visits", "work")

    def __init__(self, candidates_per_month_drawn: float) -> None:
        """Start an empty log; the drawn rate is kept to tell luck and ignorance apart."""
        self.candidates_per_month_drawn = candidates_per_month_drawn
        self.moments: list[Moment] = []
        self.visits: list[Visit] = []
        self.work: list[Work] = []
        self.supplies: list[Supplied] = []

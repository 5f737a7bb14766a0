"""Work that no schedule plans, as a scenario writes it: visits after events, and monitoring."""

from __future__ import annotations

from pydantic import Field

from sim.scenario.numbers import WholePositive
from sim.scenario.section import Section


class Unscheduled(Section):
    """What calls for a visit that no schedule plans, such as an adverse event.

    How often it happens stands under the same name in `assumptions.unscheduled`.
    """

    at: dict[str, str] = Field(min_length=1)
    """Places in order of preference, each with the visit done there. It is planned for the day
    after the event and held on the next possible day. It stands beside the schedule: it is in no
    window, is no dose and moves no other visit of the plan; on a day and at a place of another
    visit both are one trip. What happens so late that its visit would come after the participant's
    last scheduled one, or after they left, is not followed up."""


class Monitoring(Section):
    """Visits of a monitor, who looks at what has been recorded so far."""

    visit: str
    """The visit that is then held, with the people of its tasks; no participant comes to it."""
    every_days: WholePositive
    """Days from one visit to the next, from the opening on. A visit is held on the next day its
    team can, and left out as long as nobody has been randomised."""

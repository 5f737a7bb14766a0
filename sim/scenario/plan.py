"""The plan of an arm: its visits row by row, and how long it takes whoever attends all of them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property
from itertools import product

from sim.scenario.protocol import BEFORE_FIRST_DOSE, Coming, Dose, PlannedVisit
from sim.scenario.schedule import Anchor, OtherRow, ScheduleRow
from sim.scenario.slots import Offer
from sim.vocabulary.eventlog import Milestone


class VisitPlan:
    """The visits of an arm, with the anchors that they are counted from."""

    def __init__(
        self,
        schedule: Mapping[str, ScheduleRow],
        arm: str,
        offer: Callable[[Mapping[str, str]], Offer],
        doses: Callable[[ScheduleRow, str], tuple[Dose, ...]],
    ) -> None:
        """`offer` finds where the visit of a row may be held, `doses` what it gives to an arm."""
        self._orders = {name: order for order, name in enumerate(schedule)}
        self._schedule = {name: row for name, row in schedule.items() if row.is_for(arm)}
        self._doses = {name: doses(row, arm) for name, row in self._schedule.items()}
        self._offer = offer
        self._planned: dict[str, tuple[PlannedVisit, ...]] = {}
        self.anchors: dict[str, Coming] = {}

    @cached_property
    def rows(self) -> tuple[tuple[PlannedVisit, ...], ...]:
        """The visits of each row that has any in this arm."""
        return tuple(filter(None, map(self._row, self._schedule)))

    def _row(self, name: str) -> tuple[PlannedVisit, ...]:
        if name not in self._planned:
            self._planned[name] = tuple(self._visits(name)) if name in self._schedule else ()
        return self._planned[name]

    def _visits(self, name: str) -> Iterator[PlannedVisit]:
        """Yield the visits of a row, all its days after each time that what they count from comes.

        'Days after the first dose = day − 1' is said here only.
        """
        row, cycle = self._schedule[name], self._schedule[name].visits_in_cycle
        days, offer = list(enumerate(row.days_planned)), self._offer(row.at)
        is_from_first_dose = row.from_ == Anchor.FIRST_DOSE
        places = list(product(self._starts(row), days))
        for number, (anchor, (place, day)) in enumerate(places, start=1):
            if is_from_first_dose and day < 1:
                anchor = BEFORE_FIRST_DOSE  # noqa: PLW2901 -- a day is counted from one of two
                self.anchors[anchor] = Coming(Milestone.DAY_1)
            yield PlannedVisit(
                row=name,
                row_order=self._orders[name],
                number=number,
                offer=offer,
                anchor=anchor,
                days_after=day - is_from_first_dose,
                window_days=row.window_days,
                late_is_missed=row.after_window == "miss",
                is_repeated=len(places) > 1,
                min_days_between=int(row.min_days_between),
                left_in_cycle=cycle - place % cycle,
                gives=self._doses[name],
            )

    def _starts(self, row: ScheduleRow) -> Iterable[str]:
        """Return the anchors of a row: one, or each visit of another row; none if none can come."""
        start = row.from_
        if isinstance(start, OtherRow):
            if start.visit == "each":
                return [each.occasion for each in self._row(start.row)]
            return self._after_the_last(f"{start.row} last", [start.row])
        if start is Anchor.LAST_DOSE:
            return self._after_the_last(start, [name for name in self._doses if self._doses[name]])
        reasons = row.for_ or ()
        name = f"{start} for {' '.join(reasons)}" if reasons else str(start)
        self.anchors[name] = Coming(start.milestone, reasons=reasons)
        return [name]

    def _after_the_last(self, anchor: str, rows: list[str]) -> list[str]:
        ours = frozenset(filter(self._row, rows))
        self.anchors[anchor] = Coming(rows=ours)
        return [anchor] if ours else []

    def last_day(self, first_dose: int, *, to_window_end: bool = False) -> int:
        """Return the day of the last visit, or on which the last window ends.

        Counted from randomisation, with the first dose so many days after it, for whoever neither
        leaves nor stops treatment and has all other visits.
        """
        never = -math.inf
        begins = {Milestone.DAY_1: first_dose, Milestone.RANDOMISED: 0}
        days: dict[str, float] = {}

        def begin(anchor: str) -> float:
            if anchor not in self.anchors:
                return days[anchor]
            rows, milestone = self.anchors[anchor].rows, self.anchors[anchor].milestone
            return max(map(last, rows)) if milestone is None else begins.get(milestone, never)

        def last(name: str) -> float:
            for visit in self._row(name):
                if visit.occasion not in days:
                    other = self._schedule[name].other
                    if other:
                        last(other.row)
                    end = visit.days_after + visit.window_days[1] * to_window_end
                    days[visit.occasion] = begin(visit.anchor) + end
            return max(days[visit.occasion] for visit in self._row(name))

        return int(max(0, max((last(row[0].row) for row in self.rows), default=first_dose)))

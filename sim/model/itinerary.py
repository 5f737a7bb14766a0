"""What is left of one participant's plan, and which of its anchors have come."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from itertools import chain

from sim.scenario.protocol import BEFORE_FIRST_DOSE, Arm, PlannedVisit
from sim.scenario.schedule import Anchor
from sim.vocabulary.eventlog import Milestone


class Itinerary:
    """Keeps the visits of a plan that are to come: of each row one under way, and those behind it.

    A visit is known once its anchor has come. Day 1 is known when the first dose was given, in an
    arm without doses when its first visit planned for day 1 was held, or when nothing can fix it
    any more; visits that are to be on the day of a first dose are known before.
    """

    def __init__(self, arm: Arm, randomised: int, day_1: int) -> None:
        """Take the day numbers of randomisation and of the first dose as it is planned then."""
        self._arm = arm
        self.has_day_1 = False
        self._came = {Anchor.FIRST_DOSE: day_1, BEFORE_FIRST_DOSE: day_1}
        self.under_way: dict[int, PlannedVisit] = {}
        self.struck: list[str] = []
        """The occasions of visits that were struck out, until whoever books them has seen it."""
        self._left = {row[0].row_order: deque(row) for row in arm.rows}
        self._free: dict[int, int] = {}
        self._last_held: dict[str, int] = {}
        self._lasts = {name: each.rows for name, each in arm.anchors.items() if each.rows}
        counted = ([each for each in row if each.anchor == Anchor.FIRST_DOSE] for row in arm.rows)
        first = (each for row in counted for each in row[:1])
        self._with_day_1 = {each.days_after for each in first if self.fixes_day_1(each)}
        self.reach(Milestone.RANDOMISED, randomised)
        self._settle()

    def to_come(self) -> Iterator[PlannedVisit]:
        """Yield the visits that are neither kept nor struck out."""
        return chain(self.under_way.values(), *self._left.values())

    def known(self, but: int | None = None) -> list[PlannedVisit]:
        """Return the next visit of each row, `but` one, that has none under way and knows it."""
        return [
            left[0]
            for row, left in self._left.items()
            if left and row not in self.under_way and row != but and self._is_known(left[0])
        ]

    def begin(self, planned: PlannedVisit) -> None:
        """Put the next visit of a row under way."""
        self.under_way[planned.row_order] = self._left[planned.row_order].popleft()

    def free_from(self, planned: PlannedVisit, today: int) -> int:
        """Return the day from which a visit may be, today or later, for others of its row."""
        return max(today, self._free.get(planned.row_order, 0))

    def planned_day(self, planned: PlannedVisit, earliest: int) -> int:
        """Return the day a visit is planned for, not before `earliest` if its anchor gives way."""
        day = self._came[planned.anchor] + planned.days_after
        return day if planned.anchor in self._arm.fixed_anchors else max(day, earliest)

    def fixes_day_1(self, planned: PlannedVisit) -> bool:
        """Say whether day 1 is the day of a visit, if it is not known before."""
        if planned.anchor != Anchor.FIRST_DOSE:
            return False
        return planned.is_dose if self._arm.has_doses else planned.days_after == 0

    def waits_for_day_1(self, planned: PlannedVisit) -> bool:
        """Say whether a visit is not attended before day 1 is known."""
        if self.has_day_1 or planned.anchor != Anchor.FIRST_DOSE:
            return False
        return not self.fixes_day_1(planned)

    def move_day_1(self, planned: PlannedVisit, day: int) -> None:
        """Plan day 1 so that a visit is on a day as planned."""
        self._came[Anchor.FIRST_DOSE] = day - planned.days_after

    def reach(self, milestone: Milestone, day: int, detail: str = "") -> None:
        """Let the anchors come that come with a milestone."""
        for name, coming in self._arm.anchors.items():
            if coming.milestone is milestone and coming.is_for(detail):
                self._came[name] = day

    def leave(self, day: int, reason: str) -> None:
        """Keep of the visits to come those alone that are counted from leaving, which happens."""
        ours = self._arm.rows_after_leaving
        self.under_way.clear()
        self._lasts = {name: rows for name, rows in self._lasts.items() if rows <= ours}
        self._left = {row: left for row, left in self._left.items() if left and left[0].row in ours}
        self.reach(Milestone.LEFT, day, reason)

    def keep(self, planned: PlannedVisit, day: int, *, is_missed: bool) -> None:
        """Cross out the visit under way, which was held or missed on a day."""
        del self.under_way[planned.row_order]
        self._free[planned.row_order] = day if is_missed else day + planned.min_days_between
        if not self._arm.counts_from_visits:
            return
        if is_missed:
            self._strike_after(planned.occasion)
        else:
            self._came[planned.occasion] = self._last_held[planned.row] = day
        self._settle()

    def strike(self, is_struck: Callable[[PlannedVisit], bool]) -> None:
        """Strike out visits, and with them what would be counted from them."""
        self._strike(is_struck)
        self._settle()

    def _is_known(self, planned: PlannedVisit) -> bool:
        if planned.anchor != Anchor.FIRST_DOSE or self.has_day_1:
            return planned.anchor in self._came
        return self.fixes_day_1(planned) or planned.days_after in self._with_day_1

    def _strike(self, is_struck: Callable[[PlannedVisit], bool]) -> None:
        struck = {each.occasion: None for each in self.to_come() if is_struck(each)}
        if not struck:
            return
        self.struck += struck
        under_way, left = self.under_way.items(), self._left.items()
        self.under_way = {row: each for row, each in under_way if each.occasion not in struck}
        self._left = {
            row: deque(each for each in rest if each.occasion not in struck) for row, rest in left
        }
        self._strike_after(*struck)

    def _strike_after(self, *anchors: str) -> None:
        """Strike out what is counted from anchors that never come."""
        self._strike(lambda each: each.anchor in anchors)

    def _settle(self) -> None:
        """Let the anchors come, or never come, that are the last visit of rows that are over."""
        rows_to_come = {each.row for each in self.to_come()} if self._lasts else set()
        for name, rows in self._lasts.items():
            if rows & rows_to_come:
                continue
            del self._lasts[name]
            held = [self._last_held[row] for row in rows if row in self._last_held]
            if held:
                self._came[name] = max(held)
            else:
                self._strike_after(name)
            self._settle()
            return

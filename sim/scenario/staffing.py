"""How many of a role or room are there on a day, and with which hours: changes, leave, closures."""

from __future__ import annotations

from bisect import bisect_right
from datetime import date

from sim.scenario.capacity import Role, Room
from sim.scenario.hours import NOBODY, Week, week


class Staffing:
    """The rosters of one role or room, one after the other."""

    def __init__(self, capacity: Role | Room) -> None:
        """Read the rosters in the order in which they stand; that must be the order of dates."""
        units, hours = capacity.units, week(capacity.hours)
        self._begins, self._rosters = [date.min], [(units, hours)]
        for change in capacity.changes:
            units = units if change.units is None else change.units
            hours = hours if change.hours is None else week(change.hours)
            self._begins.append(change.from_)
            self._rosters.append((units, hours))
        self._absences = capacity.absences

    def on(self, day: date) -> tuple[int | None, Week]:
        """Return how many are there (None: unlimited), and the hours of each in such a week."""
        units, hours = self._rosters[bisect_right(self._begins, day) - 1]
        for absence in self._absences:
            if absence.from_ <= day <= absence.to:
                if absence.units is None:
                    units = 0
                elif units is not None:
                    units = max(0, units - absence.units)
        return units, NOBODY if units == 0 else hours

    def ever(self) -> Week:
        """Return the hours that any of the rosters has on each day of the week, in no order."""
        weeks = [hours for units, hours in self._rosters if units != 0]
        return tuple(sum((each[day] for each in weeks), ()) for day in range(len(NOBODY)))

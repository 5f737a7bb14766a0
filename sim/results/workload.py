"""Work by resource: worked, asked, at overtime and left waiting by week; by day and by task."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from functools import cached_property
from itertools import count

import numpy as np

from sim.results.periods import Almanac, Flags, Floats, Indices, day_numbers
from sim.results.tally import Cell
from sim.vocabulary.clock import MINUTES_PER_DAY, MINUTES_PER_HOUR
from sim.vocabulary.eventlog import Work, in_columns

_AT_ONCE_MINUTES = 1e-3
"""Less than this between two instants is an error of rounding."""


class Workload:
    """Hours of work of one replication. Matrices have a row per resource and a column per week.

    Worked time is clipped at the end of the run. What was asked is not: it is counted in full in
    the week in which it fell due.
    """

    def __init__(self, work: Sequence[Work], almanac: Almanac) -> None:
        """Turn the rows of work into columns, once.

        Sorted by resource and start they are several times faster to look up in the rosters.
        """
        self._almanac, self._end = almanac, almanac.protocol.clock.end_minutes
        column = in_columns(Work._fields, work)
        started, ended, asked, minutes, desk = (
            np.fromiter(column[name], np.float64)
            for name in ("started", "ended", "due", "minutes", "is_desk")
        )
        resource, person = (np.fromiter(column[name], np.intp) for name in ("resource", "person"))
        order = self._order = np.lexsort((started, resource))
        self._resource, self._started, self._ended = resource[order], started[order], ended[order]
        self._asked, self._desk, self._person = asked[order], desk[order] > 0, person[order]
        self._minutes = np.where(self._asked <= self._end, minutes[order], 0.0)
        self._asked_week = almanac.weeks.index(self._asked)
        self._done_or_end: Floats = np.minimum(self._ended, self._end)
        # Minutes worked on each row of work before the end of the run.
        self._spent: Floats = np.maximum(self._done_or_end - self._started, 0.0)
        self._tasks = column["task"]
        self._row, self._week, self._from, self._to = self._pieces()
        self._who = self._resource[self._row]

    @property
    def available(self) -> Floats:
        """Hours the roster offers; nan where people or spaces are unlimited."""
        return self._almanac.available

    @cached_property
    def worked(self) -> Floats:
        """Hours worked, whenever that was."""
        return self._hours(self._to - self._from)

    @cached_property
    def on_duty(self) -> Floats:
        """Hours worked inside the roster."""
        return self._hours(self._almanac.rosters.on_duty(self._who, self._from, self._to))

    @cached_property
    def overtime(self) -> Floats:
        """Hours worked outside the working day, which includes the midday break."""
        inside = self._almanac.rosters.in_working_day(self._who, self._from, self._to)
        return self._hours(self._to - self._from - inside)

    @cached_property
    def asked(self) -> Floats:
        """Hours of work that fell due."""
        return self._matrix(self._resource, self._asked_week, self._minutes)

    @cached_property
    def backlog(self) -> Floats:
        """Hours of desk work that had fallen due and was not done at the end of the week."""
        due = self._matrix(self._resource, self._asked_week, self._minutes * self._desk)
        done = self._hours((self._to - self._from) * self._desk[self._row])
        return np.cumsum(due - done, axis=1)

    @property
    def by_day_of_year(self) -> Floats:
        """Hours of work begun on a day of the year (column): the mean over the years of the run."""
        year = self._almanac.year
        day = np.minimum(day_numbers(self._started), len(year.of_day) - 1)
        return (
            self._total(self._resource, year.of_day[day], self._spent, len(year.days)) / year.days
        )

    @property
    def by_task(self) -> dict[Cell, float]:
        """Hours worked by each resource on each task of which it had any to do, by their names."""
        numbers = defaultdict[str, int](count().__next__)
        task = np.fromiter(map(numbers.__getitem__, self._tasks), np.intp)[self._order]
        hours, names = self._total(self._resource, task, self._spent, len(numbers)), [*numbers]
        resources = self._almanac.protocol.resources
        return {
            (resources[resource].name, names[task]): float(hours[resource, task])
            for resource, task in np.argwhere(hours > 0)
        }

    @property
    def utilisation(self) -> Floats:
        """Share of the available hours that was worked; nan where there are none."""
        return _share(self.on_duty, self.available)

    @property
    def utilisation_of_run(self) -> Floats:
        """Share of all the available hours of each resource that was worked."""
        return _share(self.on_duty.sum(axis=1), self.available.sum(axis=1))

    @property
    def backlog_peak(self) -> float:
        """Most hours of desk work that ever waited, all roles together.

        The backlog falls while people work and jumps when work falls due: its peak follows a jump.
        """
        desk = np.flatnonzero(self._desk)
        desk = desk[np.argsort(self._asked[desk])]
        due = np.cumsum(self._minutes[desk])
        waiting = due - _done_by(self._asked[desk], self._started[desk], self._ended[desk])
        return float(waiting.max(initial=0.0)) / MINUTES_PER_HOUR

    @property
    def oldest_on_desk(self) -> float:
        """Days for which the desk work that waited longest had waited when it was done, or ends."""
        waited = self._done_or_end - self._asked
        return float(waited[self._desk].max(initial=0.0)) / MINUTES_PER_DAY

    def desk_share_within(self, working_days: int) -> float:
        """Share of the hours of desk work done within so many working days; nan if there are none.

        The day on which it falls due does not count, weekends and public holidays neither. What is
        undone at the end and not yet late is left out.
        """
        counted, last = self._almanac.working_days, self._almanac.protocol.clock.days - 1
        due, done = (
            counted[np.minimum(day_numbers(moments), last)]
            for moments in (self._asked, self._done_or_end)
        )
        late = done - due > working_days
        in_time = ~late & (self._ended > self._started)
        minutes = np.where(self._desk, self._minutes, 0.0)
        every = float(minutes @ (late | in_time))
        return float(minutes @ in_time) / every if every else np.nan

    def worked_for(self, people: Flags) -> Floats:
        """Hours of each resource worked for these people, of whom the last is NOBODY."""
        minutes = self._spent * people[self._person]
        return self._total(self._resource, np.zeros_like(self._resource), minutes, 1)[:, 0]

    def hours_at_visits(self, person: Indices, time: Floats, wait: Floats) -> Floats:
        """Hours from the start of each visit to the end of its last task that is no desk work.

        Work belongs to the visit of the same person that began last before it, if both fell due
        when that person came. A visit that needs no role and no room takes no time.
        """
        ends, far = time.copy(), self._end + MINUTES_PER_DAY
        work = np.flatnonzero(~self._desk)
        begun, started = person * far + time, self._person[work] * far + self._started[work]
        order = np.argsort(begun, kind="stable")
        visits_before = np.searchsorted(begun[order], started, "right")
        work, visit = work[visits_before > 0], order[visits_before[visits_before > 0] - 1]
        came = np.abs(time[visit] - wait[visit] - self._asked[work]) < _AT_ONCE_MINUTES
        is_part = (self._person[work] == person[visit]) & came
        np.maximum.at(ends, visit[is_part], self._done_or_end[work[is_part]])
        hours: Floats = (ends - time) / MINUTES_PER_HOUR
        return hours

    def _pieces(self) -> tuple[Indices, Indices, Floats, Floats]:
        """Row, week, start and end of every piece of work, cut at the end of each week."""
        weeks = self._almanac.weeks
        first, last = weeks.index(self._started), weeks.index(self._done_or_end)
        number = last - first + 1
        row = np.repeat(np.arange(len(number)), number)
        week = first[row] + np.arange(len(row)) - (np.cumsum(number) - number)[row]
        start = np.maximum(self._started[row], weeks.edges[week])
        end = np.minimum(self._ended[row], weeks.edges[week + 1])
        return row, week, np.minimum(start, end), end

    def _hours(self, minutes: Floats) -> Floats:
        """Hours of pieces of work by resource and week."""
        return self._matrix(self._who, self._week, minutes)

    def _matrix(self, resource: Indices, week: Indices, minutes: Floats) -> Floats:
        return self._total(resource, week, minutes, len(self._almanac.weeks))

    def _total(self, resource: Indices, column: Indices, minutes: Floats, columns: int) -> Floats:
        """Hours of minutes added up by resource and column."""
        resources = len(self._almanac.protocol.resources)
        total = np.bincount(resource * columns + column, minutes, minlength=resources * columns)
        hours: Floats = total.reshape(resources, columns) / MINUTES_PER_HOUR
        return hours


def _share(part: Floats, whole: Floats) -> Floats:
    """Divide; nan where there is nothing to divide by."""
    return np.divide(part, whole, out=np.full_like(whole, np.nan), where=whole > 0)


def _done_by(moments: Floats, started: Floats, ended: Floats) -> Floats:
    """Minutes done by each moment, when work goes on between its starts and ends."""
    edges = np.concatenate([[0.0], started, ended])
    order = np.argsort(edges, kind="stable")
    at_work = np.cumsum(np.where(order > len(started), -1, 1)) - 1
    done = np.cumsum(np.append(0.0, at_work[:-1] * np.diff(edges[order])))
    finished: Floats = np.interp(moments, edges[order], done)
    return finished

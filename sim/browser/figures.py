"""Measures of a replication that the one file shows, by their names in the catalogue."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterator
from itertools import accumulate, pairwise

from sim.scenario.protocol import Protocol
from sim.vocabulary.clock import DAYS_PER_WEEK, MINUTES_PER_DAY, MINUTES_PER_HOUR
from sim.vocabulary.eventlog import EventLog, Milestone, Work

_COUNTED = {
    each.name.lower(): each
    for each in (
        *(Milestone.CONSENTED, Milestone.SCREEN_FAILED, Milestone.RANDOMISED),
        *(Milestone.COMPLETED, Milestone.LEFT),
    )
}
"""Measures that are how many met a milestone."""


def figures(log: EventLog, protocol: Protocol) -> dict[str, float]:
    """Return the measures of a log by their names; the day of a target never met is infinite."""
    met = Counter(each.milestone for each in log.last_attempts())
    last_day = protocol.clock.days - 1
    days = sorted(
        min(each.time // MINUTES_PER_DAY, last_day)
        for each in log.moments
        if each.milestone is Milestone.RANDOMISED
    )
    held = [each.time for each in log.visits if not each.is_missed and each.is_in_schedule]
    target = protocol.target
    found = {"candidates": float(met[Milestone.CANDIDATE])}
    found |= {name: float(met[milestone]) for name, milestone in _COUNTED.items()}
    if target is not None:
        found["day_of_target"] = days[target - 1] if len(days) >= target else math.inf
    found["last_visit_day"] = max(held) // MINUTES_PER_DAY if held else math.nan
    found["visits"] = float(len(held))
    doses = Counter(each.detail[0] for each in log.moments if each.milestone is Milestone.DOSE)
    found |= {
        f"doses_{each.name}": float(doses[index]) for index, each in enumerate(protocol.products)
    }
    hours = defaultdict[int, float](float)
    end = protocol.clock.end_minutes
    for work in log.work:
        hours[work.resource] += _spent(work, end) / MINUTES_PER_HOUR
    found |= {f"{each.name}_hours": hours[n] for n, each in enumerate(protocol.resources)}
    found["desk_backlog_peak_hours"] = _backlog_peak(log.work, end) / MINUTES_PER_HOUR
    return found


def hours_by_week(log: EventLog, protocol: Protocol) -> Iterator[tuple[int, int, float]]:
    """Yield resource, week from the opening Monday on, and hours worked in it, piece by piece."""
    first, last = protocol.clock.opens.weekday(), protocol.clock.end_minutes
    for work in log.work:
        start, end = work.started, work.started + _spent(work, last)
        while start < end:
            week = int(start // MINUTES_PER_DAY + first) // DAYS_PER_WEEK
            until = min(end, ((week + 1) * DAYS_PER_WEEK - first) * MINUTES_PER_DAY)
            yield work.resource, week, (until - start) / MINUTES_PER_HOUR
            start = until


def _spent(work: Work, end: float) -> float:
    """Return the minutes of a piece of work that lie before the end of the run."""
    return max(min(work.ended, end) - work.started, 0.0)


def _backlog_peak(work: list[Work], end: float) -> float:
    """Return the most minutes of desk work that ever waited: just after some of it fell due.

    It falls while people work, as many at a time as have begun and not ended.
    """
    desk = sorted((each for each in work if each.is_desk), key=lambda each: each.due)
    asked = (each.minutes if each.due <= end else 0.0 for each in desk)
    edges = [(0.0, 0), *((each.started, 1) for each in desk), *((each.ended, -1) for each in desk)]
    edges.sort(key=lambda each: each[0])
    at_work = accumulate(change for _, change in edges)
    done = [0.0]
    moments = [moment for moment, _ in edges]
    for (before, after), number in zip(pairwise(moments), at_work, strict=False):
        done.append(done[-1] + number * (after - before))
    peak, place = 0.0, 0
    for each, due in zip(desk, accumulate(asked), strict=True):
        while place + 1 < len(moments) and moments[place + 1] <= each.due:
            place += 1
        by_now = done[place]
        if place + 1 < len(moments) and moments[place + 1] > moments[place]:
            share = (each.due - moments[place]) / (moments[place + 1] - moments[place])
            by_now += share * (done[place + 1] - done[place])
        peak = max(peak, due - by_now)
    return peak

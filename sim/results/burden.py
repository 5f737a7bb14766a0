"""What a trial asks of those randomised, from screening on: visits, trips, hours at the site."""

from __future__ import annotations

import numpy as np

from sim.results.periods import Floats
from sim.results.replication import Reading
from sim.vocabulary.clock import MINUTES_PER_DAY, MINUTES_PER_HOUR

QUANTITIES = ("visits", "site_trips", "site_hours")


def per_participant(reading: Reading) -> Floats:
    """Means over those randomised: a row per quantity, a column per arm (nan: nobody is in it).

    Counted is what happened before the end: those who left, or are still in follow-up, count with
    the visits they had.
    """
    arm_of, arms = reading.arm_of, len(reading.almanac.protocol.arms)
    held = [
        (visit.person, visit.time, visit.place != "", visit.is_journey)
        for visit in reading.log.visits
        if not visit.is_missed and visit.person in arm_of
    ]
    person, time, is_somewhere, is_trip = np.array(held, np.float64).reshape(-1, 4).T
    arm = np.array([arm_of[who] for who, *_ in held], np.intp)
    hours = _hours(reading, person, time) * is_somewhere
    totals = np.array([np.bincount(arm, each, arms) for each in (is_somewhere, is_trip, hours)])
    people = np.bincount(np.array(list(arm_of.values()), np.intp), minlength=arms)
    return totals / np.where(people > 0, people, np.nan)


def _hours(reading: Reading, person: Floats, time: Floats) -> Floats:
    """Hours from the start of each visit to the end of its last task that is no desk work.

    A visit is finished on the day on which it begins, so that work belongs to the visit of the same
    person and day that began last before it. A visit that needs no role and no room takes no time.
    """
    end, ends = reading.almanac.protocol.clock.end_minutes, time.copy()
    held = [
        (work.person, work.started, work.ended)
        for work in reading.log.work
        if not work.is_desk and work.person in reading.arm_of
    ]
    who, started, ended = np.array(held, np.float64).reshape(-1, 3).T
    far = end + MINUTES_PER_DAY
    order = np.lexsort((time, person))
    key = (person * far + time)[order]
    before = np.searchsorted(key, who * far + started, "right")
    visit = np.append(-1, order)[before]
    is_part = visit >= 0
    visit, who, started, ended = visit[is_part], who[is_part], started[is_part], ended[is_part]
    same_day = started // MINUTES_PER_DAY == time[visit] // MINUTES_PER_DAY
    is_part = (who == person[visit]) & same_day
    np.maximum.at(ends, visit[is_part], np.minimum(ended, end)[is_part])
    hours: Floats = (ends - time) / MINUTES_PER_HOUR
    return hours

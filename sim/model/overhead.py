"""What a role does besides visits and their paperwork, day by day."""

from __future__ import annotations

from itertools import count

from sim.model.clinic import Process
from sim.model.trial import Trial
from sim.vocabulary.clock import MINUTES_PER_DAY


def overhead(trial: Trial) -> Process:
    """Leave on desks, each morning, what the work of the day before brought with it."""
    shares = trial.protocol.overhead.items()
    for day in count(1):
        now = yield trial.until(float(day * MINUTES_PER_DAY))
        for member, share in shares:
            trial.staff.leave_overhead(member, share, now)

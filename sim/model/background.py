"""What goes on beside the visits of participants: a monitor's visits, and a role's overhead."""

from __future__ import annotations

from itertools import count

from sim.model.clinic import Process
from sim.model.trial import Trial
from sim.scenario.protocol import MonitoringVisits
from sim.vocabulary.clock import MINUTES_PER_DAY
from sim.vocabulary.eventlog import NOBODY


def monitoring(plan: MonitoringVisits, trial: Trial) -> Process:
    """Hold the monitor's visits, from the first randomisation on."""
    for number in count(1):
        now = yield trial.until(number * plan.every_minutes)
        if trial.has_randomised:
            yield from trial.clinic.do_paperwork(plan.slots, NOBODY, f"monitoring {number}", now)


def overhead(trial: Trial) -> Process:
    """Leave on desks, each morning, what the work of the day before brought with it."""
    shares = trial.protocol.overhead.items()
    for day in count(1):
        now = yield trial.until(float(day * MINUTES_PER_DAY))
        for member, share in shares:
            trial.staff.leave_overhead(member, share, now)

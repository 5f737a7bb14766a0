"""A monitor comes every so often and looks at what has been recorded."""

from __future__ import annotations

from itertools import count

from sim.model.clinic import Process
from sim.model.trial import Trial
from sim.scenario.protocol import Monitoring
from sim.vocabulary.eventlog import NOBODY


def monitoring(plan: Monitoring, trial: Trial) -> Process:
    """Hold the monitor's visits, from the first randomisation on."""
    for number in count(1):
        now = yield trial.until(number * plan.every_minutes)
        if trial.has_randomised:
            yield from trial.clinic.do_paperwork(plan.slots, NOBODY, f"monitoring {number}", now)

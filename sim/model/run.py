"""One replication: a function of its arguments."""

from __future__ import annotations

import math

from sim.model.background import monitoring, overhead
from sim.model.recruitment import recruitment
from sim.model.trial import Trial
from sim.scenario.protocol import Protocol
from sim.vocabulary.eventlog import EventLog


def run(protocol: Protocol, seed: int, replication: int) -> EventLog:
    """Return what happened in replication number `replication` (from 1) under `seed`.

    Runs until nobody is left or until the closing instant, events at that instant included.
    """
    trial = Trial(protocol, seed, replication)
    agenda, end = trial.agenda, protocol.clock.end_minutes
    agenda.begin(recruitment(trial))
    if protocol.monitoring is not None:
        agenda.begin(monitoring(protocol.monitoring, trial))
    if protocol.overhead:
        agenda.begin(overhead(trial))
    agenda.run(until=math.nextafter(end, math.inf))
    trial.close()
    return trial.log

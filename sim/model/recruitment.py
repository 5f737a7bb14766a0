"""Candidates come until the trial is full or recruitment ends."""

from __future__ import annotations

from sim.model.clinic import Process
from sim.model.participant import journey
from sim.model.trial import Trial


def recruitment(trial: Trial) -> Process:
    """Send each candidate on their way at their hour."""
    for person, arrival in enumerate(trial.chance.arrivals()):
        yield trial.until(arrival)
        if trial.is_full:
            return
        trial.agenda.begin(journey(person, arrival, trial))

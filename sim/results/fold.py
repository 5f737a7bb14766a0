"""What is kept of many replications: their measures, the tallies of the tables, the first logs."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sim.results.counts import COUNTS
from sim.results.measures import measures_of
from sim.results.periods import Almanac
from sim.results.replication import Reading
from sim.results.tally import Counts
from sim.scenario.load import Scenario
from sim.scenario.protocol import Protocol
from sim.scenario.schema import Target
from sim.vocabulary.eventlog import EventLog


class Summary(NamedTuple):
    """What is kept of one replication: all measures, what each gauge read, maybe the log."""

    measures: list[float]
    counts: list[Counts]
    log: EventLog | None

    @classmethod
    def of(cls, log: EventLog, almanac: Almanac, *, keep: bool) -> Summary:
        """Read a log once for everything."""
        reading = Reading(log, almanac)
        counts = [gauge.read(reading) for table in COUNTS.values() for gauge in table.gauges]
        return cls(list(measures_of(reading).values()), counts, log if keep else None)


def meets(target: Target, values: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Whether a target holds at each value of its measure; a blank one (nan) meets nothing."""
    low = -np.inf if target.at_least is None else target.at_least
    high = np.inf if target.at_most is None else target.at_most
    return (values >= low) & (values <= high)


class Results:
    """The replications of one scenario folded so far, in their order, from the first."""

    def __init__(self, scenario: Scenario, protocol: Protocol, seed: int) -> None:
        """Start with no replications."""
        almanac = Almanac.of(protocol)
        self.scenario, self.protocol, self.seed = scenario, protocol, seed
        self.tallies = {
            name: [gauge.tally(almanac) for gauge in table.gauges] for name, table in COUNTS.items()
        }
        self.logs: list[EventLog] = []
        self._names = list(protocol.measures)
        self._rows: list[NDArray[np.float64]] = []  # boxed floats would take four times the room

    @property
    def replications(self) -> int:
        """How many replications have been folded."""
        return len(self._rows)

    @property
    def measures(self) -> dict[str, NDArray[np.float64]]:
        """One value per replication of every measure; nan is blank, inf is never."""
        matrix = np.array(self._rows, np.float64).reshape(-1, len(self._names))
        return dict(zip(self._names, matrix.T, strict=True))

    def met(self, target: Target) -> int:
        """In how many replications a target holds; a blank measure meets nothing."""
        return int(np.count_nonzero(meets(target, self.measures[target.measure])))

    def fold(self, summaries: Sequence[Summary]) -> None:
        """Add the next replications."""
        for summary in summaries:
            self._rows.append(np.array(summary.measures, np.float64))
            tallies = chain.from_iterable(self.tallies.values())
            for tally, counts in zip(tallies, summary.counts, strict=True):
                tally.add(counts)
            if summary.log is not None:
                self.logs.append(summary.log)

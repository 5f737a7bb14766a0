"""Many points of one scenario: each simulated on the same people, each kept as soon as it is done.

The points run one after the other through one pool of workers, a few batches ahead, so that no
worker waits for the last batch of a point.
"""

from __future__ import annotations

import pickle
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from itertools import islice, tee
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sim.experiments.execute import in_order
from sim.experiments.replicate import almanac_of
from sim.model.run import run
from sim.results import points
from sim.results.measures import measures_of
from sim.results.points import Outcome, Point
from sim.results.replication import Reading
from sim.scenario.axis import Values
from sim.scenario.load import Scenario

BATCH = 25
"""Replications of a task: half a second of the baseline's."""


class Batch(NamedTuple):
    """Replications `first` to before `after` of a pickled scenario."""

    scenario: bytes
    seed: int
    first: int
    after: int


class Failure(NamedTuple):
    """What went wrong in a worker, with its traceback."""

    said: str


Measured = Mapping[str, NDArray[np.float64]]


def simulate(  # noqa: PLR0913  each is a flag of the command line
    todo: Iterable[Values],
    variant: Callable[[Values], Scenario],
    *,
    seed: int,
    replications: int,
    jobs: int | None,
    cluster: str | None,
    progress: Callable[[int], None],
    pairs: str = "",
) -> Iterator[Point]:
    """Yield the points in their order, each as soon as it is done or has failed.

    `progress` hears after each batch how many replications it had. Of the measure `pairs` a point
    keeps every replication's value. No more points are held than are worked on.
    """
    todo, ahead = tee(todo)
    batches = -(-replications // BATCH)
    tasks = (
        Batch(pickled, seed, first, min(first + BATCH, replications + 1))
        for values in ahead
        for pickled in [pickle.dumps(variant(values))]
        for first in range(1, replications + 1, BATCH)
    )
    with closing(in_order(measure, tasks, jobs, cluster)) as finished:
        for values in todo:
            parts = []
            for number, part in enumerate(islice(finished, batches)):
                parts.append(part)
                progress(min(BATCH, replications - number * BATCH))
            scenario = variant(values)
            who = points.identity(scenario, seed, replications)
            yield Point(values, who, _outcome(scenario, parts, pairs))


def measure(batch: Batch) -> Measured | Failure:
    """Every measure of a batch's replications, or what went wrong."""
    try:
        almanac = almanac_of(batch.scenario)
        rows = [
            measures_of(Reading(run(almanac.protocol, batch.seed, number), almanac))
            for number in range(batch.first, batch.after)
        ]
    except Exception:  # noqa: BLE001  whatever it is, the other points go on
        return Failure(traceback.format_exc())
    return {name: np.array([row[name] for row in rows]) for name in rows[0]}


def _outcome(scenario: Scenario, parts: Sequence[Measured | Failure], pairs: str) -> Outcome:
    measured = [part for part in parts if not isinstance(part, Failure)]
    if len(measured) < len(parts):
        said = next(part.said for part in parts if isinstance(part, Failure))
        return Outcome({}, {}, error=said)
    names = measured[0]
    together = {name: np.concatenate([part[name] for part in measured]) for name in names}
    return points.outcome(scenario, together, pairs)

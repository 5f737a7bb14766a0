"""Many points of one scenario: each simulated on the same people, each kept as soon as it is done.

The points run one after the other through one pool of workers, a few batches ahead, so that no
worker waits for the last batch of a point.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from itertools import tee
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from sim.experiments.execute import in_order
from sim.experiments.replicate import BATCH, Batch, batches, begins_with
from sim.results import points
from sim.results.measures import measures_of
from sim.results.points import Outcome, Point
from sim.results.replication import Reading
from sim.results.store import Store
from sim.scenario.enrolment_log import EnrolmentLog
from sim.scenario.load import Scenario
from sim.scenario.sweep import Values


class Listener(Protocol):
    """Who hears how a sweep gets on."""

    def found(self, at: Values, changed: Sequence[str]) -> None:
        """A point was kept before; what has `changed` since makes it stale."""

    def advance(self, replications: int) -> None:
        """So many more replications are done."""

    def ended(self, at: Values, error: str) -> None:
        """A point is done and kept, or has failed."""


_Measured = Mapping[str, NDArray[np.float64]] | str
"""Each measure's value in every replication of a batch, or the traceback of what went wrong."""


def kept_or_simulated(
    store: Store,
    places: Iterable[Values],
    variant: Callable[[Values], Scenario],
    told: Listener,
    *,
    pairs: str = "",
    **how: Any,  # noqa: ANN401  what simulate takes beside
) -> Iterator[int]:
    """Yield the number of every point, in the order of the places: kept before, or as it ends.

    Of several kept at one place the one most like what is asked now is taken. Every point keeps the
    replications' values of the measure `pairs`. The places are gone through again and again; `how`
    are the other arguments of `simulate`.
    """
    reused, begins = dict[int, int](), begins_with(how.get("log"), how.get("plan"))
    for index, at in enumerate(() if store.is_empty() else places):
        asked = points.identity(variant(at), how["seed"], how["replications"], begins)
        if (found := store.most_like(at, asked, pairs)) is not None:
            kept, changed = found
            told.found(at, changed)
            if not changed:
                reused[index] = kept
    todo = (at for index, at in enumerate(places) if index not in reused)
    fresh = simulate(todo, variant, progress=told.advance, pairs=pairs, **how)
    for index, at in enumerate(places):
        number = reused.get(index)
        if number is None:
            point = next(fresh)
            number = store.keep(point)
            told.ended(at, point.outcome.error)
        yield number


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
    log: EnrolmentLog | None = None,
    plan: Scenario | None = None,
) -> Iterator[Point]:
    """Yield the points in their order, each as soon as it is done or has failed.

    `progress` hears after each batch how many replications it had. Of the measure `pairs` a point
    keeps every replication's value. No more points are held than are worked on. With
    a `log` they go on from there; the `plan` held until then.
    """
    begins = begins_with(log, plan)
    planned, ahead = tee((at, variant(at)) for at in todo)
    tasks = (
        task for _, scenario in ahead for task in batches(scenario, seed, replications, log, plan)
    )
    with closing(in_order(_measured, tasks, jobs, cluster)) as finished:
        for at, scenario in planned:
            parts = list[_Measured]()
            for first in range(0, replications, BATCH):
                parts.append(next(finished))
                progress(min(BATCH, replications - first))
            who = points.identity(scenario, seed, replications, begins)
            yield Point(at, who, _outcome(scenario, parts, pairs))


def _measured(batch: Batch) -> _Measured:
    try:
        rows = [measures_of(Reading(log, almanac)) for _, log, almanac in batch.run()]
    except Exception:  # noqa: BLE001  whatever it is, the other points go on
        return traceback.format_exc()
    return {name: np.array([row[name] for row in rows]) for name in rows[0]}


def _outcome(scenario: Scenario, parts: Sequence[_Measured], pairs: str) -> Outcome:
    done = [part for part in parts if not isinstance(part, str)]
    if len(done) < len(parts):
        return Outcome({}, {}, error=next(part for part in parts if isinstance(part, str)))
    values = {name: np.concatenate([part[name] for part in done]) for name in done[0]}
    return points.outcome(scenario, values, pairs)

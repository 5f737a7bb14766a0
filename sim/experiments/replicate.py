"""Many replications of one scenario: the same results whatever runs them."""

from __future__ import annotations

import gc
import pickle
from collections.abc import Callable
from contextlib import closing
from functools import lru_cache
from typing import Literal, NamedTuple

from sim.experiments.execute import in_order
from sim.model.run import run
from sim.results.fold import Results, Summary
from sim.results.periods import Almanac
from sim.scenario.interpret import interpret
from sim.scenario.load import Scenario
from sim.vocabulary.intervals import of_share

BATCH = 10
AUTO_STEP, AUTO_MOST, AUTO_HALF_WIDTH = 250, 10_000, 0.02


class Batch(NamedTuple):
    """Replications `first` to before `after`; of those up to `keep` the log is kept."""

    scenario: bytes
    seed: int
    first: int
    after: int
    keep: int


def replicate(  # noqa: PLR0913  each is a flag of the command line
    scenario: Scenario,
    *,
    replications: int | Literal["auto"] = 1000,
    seed: int = 1,
    jobs: int | None = None,
    cluster: str | None = None,
    keep: int = 10,
    progress: Callable[[int, int], None] | None = None,
) -> Results:
    """Run a scenario many times and keep what the tables need, with the first `keep` logs whole.

    With `auto`, 250 at a time until every target's probability is known to ±2 points at 95 %, at
    most 10,000. Batches are of one size and folded in order, so `jobs` (None: all cores) and the
    `cluster` (see execute) change the time it takes and nothing else. `progress` hears how many
    replications are done and planned.
    """
    results = Results(scenario, interpret(scenario), seed)
    auto = replications == "auto"
    most = AUTO_MOST if replications == "auto" else replications
    batches = _batches(pickle.dumps(scenario), seed, most, keep)
    with closing(in_order(_run_batch, batches, jobs, cluster)) as finished:
        for summaries in finished:
            results.fold(summaries)
            done = results.replications
            stage = done % AUTO_STEP == 0
            if progress is not None:
                progress(done, -(-done // AUTO_STEP) * AUTO_STEP if auto else most)
            if auto and stage and _precise(results):
                break
    return results


def _batches(scenario: bytes, seed: int, most: int, keep: int) -> list[Batch]:
    return [
        Batch(scenario, seed, first, min(first + BATCH, most + 1), keep)
        for first in range(1, most + 1, BATCH)
    ]


def _run_batch(batch: Batch) -> list[Summary]:
    almanac = almanac_of(batch.scenario)
    return [
        Summary.of(run(almanac.protocol, batch.seed, number), almanac, keep=number <= batch.keep)
        for number in range(batch.first, batch.after)
    ]


@lru_cache(maxsize=1)
def almanac_of(scenario: bytes) -> Almanac:
    """The scenario's protocol and its almanac, worked out once in each process.

    They and all that is loaded live as long as the process: `gc.freeze` spares every later search
    for rubbish the way through them, which took more time than the facts of the replications.
    """
    almanac = Almanac.of(interpret(pickle.loads(scenario)))  # noqa: S301  our own process wrote it
    gc.freeze()
    return almanac


def _precise(results: Results) -> bool:
    """Whether the interval of every target's probability is at most ±2 points wide."""
    intervals = [
        of_share(results.met(target), results.replications)
        for target in results.scenario.targets.values()
    ]
    return all(interval.high - interval.low <= 2 * AUTO_HALF_WIDTH for interval in intervals)

"""Many replications of one scenario: the same results whatever runs them."""

from __future__ import annotations

import gc
import pickle
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from functools import lru_cache, partial
from itertools import tee
from typing import Literal, NamedTuple

from sim.experiments.execute import in_order
from sim.model.run import run
from sim.results.batches import KeptBatches
from sim.results.fold import Results, Summary
from sim.results.ignorance import FEWEST_KNOWN
from sim.results.periods import Almanac
from sim.scenario.beliefs import rate_belief
from sim.scenario.enrolment_log import EnrolmentLog
from sim.scenario.interpret import interpret
from sim.scenario.load import Scenario
from sim.scenario.protocol import Protocol
from sim.vocabulary.eventlog import EventLog
from sim.vocabulary.intervals import of_met

BATCH = 25
"""Replications of a task: half a second of the baseline's."""
AUTO_FIRST, AUTO_STEP, AUTO_MOST, AUTO_HALF_WIDTH = 400, 200, 10_000, 0.02
"""`auto` looks at 400 replications and at every 200 more."""

BESIDE, BESIDE_SHARE = 200, 5
"""Of one replication in so many, and of 200 at most, `Protocol.beside` is simulated too."""

AUTO_LOOKS = 2
"""So many looks in a row have to find enough: one alone may find it by luck."""


OBJECTS_BETWEEN_SEARCHES = 50_000


class Batch(NamedTuple):
    """Replications `first` to before `after` of a scenario, pickled with its log and its plan.

    Before the `beside`-th something is simulated beside them.
    """

    scenario: bytes
    seed: int
    first: int
    after: int
    beside: int

    @property
    def numbers(self) -> tuple[int, int, int]:
        """The first replication, that after the last, and before which something is beside them."""
        return self.first, self.after, self.beside

    def run(self) -> Iterator[tuple[int, EventLog, Almanac]]:
        """Yield the number of each replication, what happened in it, and its trial's almanac."""
        almanac = _almanac_of(self.scenario)
        search_seldom()
        for number in range(self.first, self.after):
            yield number, run(almanac.protocol, self.seed, number), almanac


def batches(
    scenario: Scenario,
    seed: int,
    replications: int,
    log: EnrolmentLog | None = None,
    plan: Scenario | None = None,
) -> Iterator[Batch]:
    """Yield the batches of so many replications, all but the last of one size."""
    pickled = pickle.dumps((scenario, log, plan))
    for first in range(1, replications + 1, BATCH):
        after = min(first + BATCH, replications + 1)
        beside = min(max(number_beside(replications) + 1, first), after)
        yield Batch(pickled, seed, first, after, beside)


def begins_with(log: EnrolmentLog | None, plan: Scenario | None) -> str:
    """Return what identifies how a trial begins: with nothing, or with a log and its plan."""
    if log is None:
        return ""
    digest = "" if plan is None else plan.digest()
    return " ".join(filter(None, (log.sha256, str(log.as_of), digest, *map(str, log.ahead))))


def replicate(  # noqa: PLR0913  each is a flag of the command line
    scenario: Scenario,
    *,
    replications: int | Literal["auto"] = 1000,
    seed: int = 1,
    jobs: int | None = None,
    cluster: str | None = None,
    keep: int = 10,
    progress: Callable[[int, int], None] | None = None,
    kept: KeptBatches | None = None,
    log: EnrolmentLog | None = None,
    plan: Scenario | None = None,
) -> Results:
    """Run a scenario many times and keep what the tables need, with the first `keep` logs whole.

    With `auto`, until every target's probability is known to ±2 points at 95 % at two looks in a
    row, at 400 and at each 200 more, at most 10,000. Batches are of one size and folded in order,
    so `jobs` (None: all cores) and the `cluster` (see execute) change the time it takes and nothing
    else. `progress` hears how many replications are done and planned. What is `kept` on the disk is
    not run again, and everything else is kept there. With the `log` of a trial that runs they go on
    from there; the `plan` held until then where it is another one.
    """
    almanac = _almanac_of(pickle.dumps((scenario, log, plan)))  # processes that are forked have it
    results = Results(scenario, almanac.protocol, seed, log)
    is_auto, precise = replications == "auto", 0
    most = AUTO_MOST if replications == "auto" else replications
    work = partial(_summaries, keep=keep)
    with closing(
        _finished(work, batches(scenario, seed, most, log, plan), jobs, cluster, kept)
    ) as finished:
        for summaries in finished:
            results.fold(summaries)
            done = results.replications
            planned = max(AUTO_FIRST, -(-done // AUTO_STEP) * AUTO_STEP) if is_auto else most
            if progress is not None:
                progress(done, planned)
            if is_auto and done == planned:
                precise = precise + 1 if _is_precise(results) else 0
                if precise == AUTO_LOOKS:
                    break
    return results


def _finished(
    work: Callable[[Batch], list[Summary]],
    planned: Iterator[Batch],
    jobs: int | None,
    cluster: str | None,
    kept: KeptBatches | None,
) -> Generator[list[Summary], None, None]:
    """Yield what came of each batch, in their order: as it was kept, or as it ends."""
    if kept is None:
        yield from in_order(work, planned, jobs, cluster)
        return
    planned, ahead = tee(planned)
    new = (batch for batch in ahead if batch.numbers not in kept.found)
    with closing(in_order(work, new, jobs, cluster)) as fresh:
        for batch in planned:
            if batch.numbers in kept.found:
                yield kept.batch(*batch.numbers)
                continue
            summaries = next(fresh)
            kept.keep(*batch.numbers, summaries=summaries)
            yield summaries


def _summaries(batch: Batch, keep: int) -> list[Summary]:
    return [
        Summary.of(
            log,
            almanac,
            keep=number <= keep,
            beside=_beside(almanac, batch.seed, number) if number < batch.beside else None,
        )
        for number, log, almanac in batch.run()
    ]


def runs_in_all(scenario: Scenario, replications: int, log: EnrolmentLog | None = None) -> int:
    """Return how many that takes, with those that are simulated beside them."""
    has_more = log is not None or rate_belief(scenario.assumptions) is not None
    return replications + has_more * number_beside(replications)


def number_beside(replications: int) -> int:
    """Return of how many of the first replications something is simulated beside them.

    It costs as much as they do, and is a small part of them, but where there are enough of them
    never so few that nothing can be said.
    """
    return min(replications, BESIDE, max(FEWEST_KNOWN, replications // BESIDE_SHARE))


def _beside(almanac: Almanac, seed: int, number: int) -> EventLog | None:
    """Return what is simulated beside a replication; None if nothing is."""
    beside = almanac.protocol.beside
    return None if beside is None else run(beside, seed, number)


def _protocol(
    scenario: Scenario, log: EnrolmentLog | None, plan: Scenario | None = None
) -> Protocol:
    """Return what a scenario means to a trial of which nothing, or a log, is known."""
    protocol = interpret(scenario)
    if log is None:
        return protocol
    from sim.experiments.posterior import informed  # noqa: PLC0415 -- slow, and seldom needed

    return informed(protocol, log, None if plan is None else interpret(plan))


@lru_cache(maxsize=1)
def _almanac_of(scenario: bytes) -> Almanac:
    """The scenario's protocol and its almanac, worked out once in each process."""
    return Almanac.of(_protocol(*pickle.loads(scenario)))  # noqa: S301  our own process wrote it


def search_seldom() -> None:
    """Spare the searches for rubbish, once in each process, the way through all that is loaded.

    That way took more time than the facts of the replications. What is frozen in a ring is never
    freed, so that a sweep of many scenarios freezes no more than the first. A replication leaves
    hardly any rubbish in rings, so that the searches may be rare.
    """
    if gc.get_threshold()[0] != OBJECTS_BETWEEN_SEARCHES:  # how much is frozen takes long to count
        gc.freeze()
        gc.set_threshold(OBJECTS_BETWEEN_SEARCHES)


def _is_precise(results: Results) -> bool:
    """Whether the interval of every target's probability is at most ±2 points wide."""
    intervals = [
        of_met(results.met(target), results.draws) for target in results.scenario.targets.values()
    ]
    return all(interval.high - interval.low <= 2 * AUTO_HALF_WIDTH for interval in intervals)

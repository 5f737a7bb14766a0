"""How many times faster trialsim is than a textbook SimPy version of the same model.

Run it as `python tests/benchmark.py [--replications N]`, on a quiet machine: both versions walk the
shipped baseline on one core, ten replications each in turn in one process, and are compared in what
they find. Time is processor time, which other programs on the machine disturb least.
"""

from __future__ import annotations

import argparse
import gc
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from statistics import median
from time import process_time
from typing import Any, NamedTuple

import numpy as np

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))  # a command of tests/ finds its own repository

from sim.model.run import run  # noqa: E402
from sim.scenario.interpret import interpret  # noqa: E402
from sim.scenario.load import load  # noqa: E402
from sim.scenario.protocol import Protocol  # noqa: E402
from sim.scenario.schema import Scenario  # noqa: E402
from sim.vocabulary.eventlog import EventLog, Milestone  # noqa: E402
from tests.textbook import Textbook  # noqa: E402
from tests.textbook_days import Agenda  # noqa: E402

SEED, ROUNDS, TURN = 1, 5, 10

Found = dict[str, float]


class Version(NamedTuple):
    """How a replication is simulated, which is timed, and what is then found in it, which is not.

    What is found are people, and hours worked by role and room. `plan` works out the days of a
    scenario beforehand, once, and is not timed either.
    """

    plan: Callable[[Scenario], Any]
    simulate: Callable[[Any, int, int], Any]
    found: Callable[[Any, Any], Found]


def _found_by_trialsim(protocol: Protocol, log: EventLog) -> Found:
    end = protocol.clock.end_minutes
    minutes = [0.0] * len(protocol.resources)
    for work in log.work:
        minutes[work.resource] += max(0.0, min(work.ended, end) - work.started)
    reached = [moment.milestone for moment in log.moments]
    return {
        "randomised": reached.count(Milestone.RANDOMISED),
        "completed": reached.count(Milestone.COMPLETED),
        **{each.name: spent / 60 for each, spent in zip(protocol.resources, minutes, strict=True)},
    }


def _found_by_textbook(_: Agenda, trial: Textbook) -> Found:
    return {
        "randomised": trial.how_many("randomised"),
        "completed": trial.how_many("completed"),
        **trial.hours(),
    }


TRIALSIM = Version(interpret, run, _found_by_trialsim)
TEXTBOOK = Version(Agenda, Textbook, _found_by_textbook)


def simulated(version: Version, scenario: Scenario, numbers: Iterable[int]) -> list[Found]:
    """Return what a version finds in the replications of these numbers."""
    plan = version.plan(scenario)
    return [version.found(plan, version.simulate(plan, SEED, each)) for each in numbers]


def standard_errors_apart(ours: list[Found], theirs: list[Found]) -> dict[str, float]:
    """Return by how many standard errors of the difference the means lie apart."""
    apart = {}
    for name in ours[0]:
        both = [np.array([each[name] for each in found]) for found in (ours, theirs)]
        error = sum(values.var(ddof=1) / len(values) for values in both) ** 0.5
        difference = float(both[0].mean() - both[1].mean())
        apart[name] = difference / error if error else difference
    return apart


def main() -> None:
    """Time both versions in turn and print the ratio and the means."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--replications", type=int, default=200, metavar="N", help="of each (200)")
    turns = max(1, parser.parse_args().replications // (ROUNDS * TURN))
    scenario = load(ROOT / "scenarios" / "baseline.yaml", ["assumptions.uncertain=rate"])
    versions = (TRIALSIM, TEXTBOOK)
    plans = [version.plan(scenario) for version in versions]
    found: tuple[list[Found], list[Found]] = ([], [])
    speeds: tuple[list[float], list[float]] = ([], [])
    for plan, version in zip(plans, versions, strict=True):
        for number in range(TURN):  # by then nearly every pair of visits on one day has been met
            version.simulate(plan, SEED, number)
    for number in range(ROUNDS):
        spent = [0.0, 0.0]
        for turn in range(number * turns, (number + 1) * turns):
            for index, (plan, version) in enumerate(zip(plans, versions, strict=True)):
                gc.collect()
                start = process_time()
                trials = [version.simulate(plan, SEED, turn * TURN + each) for each in range(TURN)]
                spent[index] += process_time() - start
                found[index].extend(version.found(plan, trial) for trial in trials)
        for speed, seconds in zip(speeds, spent, strict=True):
            speed.append(turns * TURN / seconds)
    lines = (*_speeds(turns * TURN, *speeds), "", *_means(*found), "")
    sys.stdout.write("\n".join(lines))


def _speeds(a_round: int, ours: list[float], theirs: list[float]) -> Iterator[str]:
    ratios = [one / other for one, other in zip(ours, theirs, strict=True)]
    yield f"{ROUNDS} rounds of {a_round} replications of the baseline, processor time of one core"
    yield f"{'':26}{'least':>8}{'median':>8}{'most':>8}"
    for name, values, digits in (
        ("trialsim, replications/s", ours, 1),
        ("textbook, replications/s", theirs, 1),
        ("ratio", ratios, 2),
    ):
        figures = (min(values), median(values), max(values))
        yield f"{name:26}" + "".join(f"{value:8.{digits}f}" for value in figures)


def _means(ours: list[Found], theirs: list[Found]) -> Iterator[str]:
    yield f"{'mean (standard error)':22}{'trialsim':>18}{'textbook':>18}{'errors apart':>14}"
    for name, apart in standard_errors_apart(ours, theirs).items():
        what = name if name in ("randomised", "completed") else f"{name} hours"
        means = (_mean([each[name] for each in found]) for found in (ours, theirs))
        yield f"{what:22}" + "".join(f"{mean:>18}" for mean in means) + f"{apart:14.1f}"


def _mean(values: list[float]) -> str:
    return f"{np.mean(values):.2f} ({np.std(values, ddof=1) / len(values) ** 0.5:.2f})"


if __name__ == "__main__":
    main()

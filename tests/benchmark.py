"""How fast trialsim is, and how many times as fast as a textbook SimPy version of the same model.

Run it as `python tests/benchmark.py [--replications N]`, on a quiet machine: both versions walk the
shipped baseline by arrival, the rate alone uncertain, on one core, ten replications each in turn in
one process, and are compared in what they find. Time is processor time, which other programs on the
machine disturb least; that of two cores is by the clock. What is measured is the trialsim that is
installed, be it the compiled wheel, or else its own repository.
"""

from __future__ import annotations

import argparse
import gc
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage
from statistics import fmean, median
from tempfile import TemporaryDirectory
from time import perf_counter, process_time
from types import FunctionType
from typing import Any, NamedTuple

import numpy as np

ROOT = Path(__file__).parent.parent
sys.path.append(str(ROOT))  # where trialsim is not installed

import sim  # noqa: E402
from sim.experiments.replicate import replicate, search_seldom  # noqa: E402
from sim.model.run import run  # noqa: E402
from sim.scenario.interpret import interpret  # noqa: E402
from sim.scenario.load import load  # noqa: E402
from sim.scenario.protocol import Protocol  # noqa: E402
from sim.scenario.schema import Scenario  # noqa: E402
from sim.vocabulary.eventlog import EventLog, Milestone  # noqa: E402
from sim.vocabulary.intervals import NORMAL_975, of_met  # noqa: E402

sys.path.insert(0, str(ROOT))  # other packages have tests as well
from tests.textbook import Textbook  # noqa: E402
from tests.textbook_days import Agenda  # noqa: E402

del sys.path[0]  # processes at work shall find the trialsim that was found here

SEED, ROUNDS, TURN = 1, 5, 10
TWIN = ["design.booking.by=arrival", "assumptions.uncertain=rate"]
TWIN += ["assumptions.recruitment.waves=null"]
"""The model that the textbook version is of."""
RATE = "assumptions.recruitment.candidates_per_month"
DRAWS, ONE_POINT, REPLICATED = 2000, 0.01, 50

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
    """Print what speed means here, a line each, and whether both versions find the same."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--replications", type=int, default=200, metavar="N", help="of each (200)")
    turns = max(1, parser.parse_args().replications // (ROUNDS * TURN))
    found, speeds = _in_turn(turns)
    said = (
        _speeds(turns * TURN, *speeds),
        _to_one_point(*map(median, speeds)),
        _fixed_cost(),
        _by_people(),
        _by_cores(),
        [""],
        _means(*found),
    )
    for line in chain.from_iterable(said):
        print(line, flush=True)  # noqa: T201  it is what the command is for


def _loaded(*more: str) -> Scenario:
    return load(ROOT / "scenarios" / "baseline.yaml", [*TWIN, *more])


def _in_turn(turns: int) -> tuple[tuple[list[Found], list[Found]], tuple[list[float], list[float]]]:
    """What both versions find, and how many replications a second each does in each round."""
    scenario, versions = _loaded(), (TRIALSIM, TEXTBOOK)
    plans = [version.plan(scenario) for version in versions]
    found: tuple[list[Found], list[Found]] = ([], [])
    speeds: tuple[list[float], list[float]] = ([], [])
    for plan, version in zip(plans, versions, strict=True):
        for number in range(TURN):  # by then nearly every pair of visits on one day has been met
            version.simulate(plan, SEED, number)
    search_seldom()  # as in every process that simulates; the textbook version gains by it too
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
    return found, speeds


def _speeds(a_round: int, ours: list[float], theirs: list[float]) -> Iterator[str]:
    ratios = [one / other for one, other in zip(ours, theirs, strict=True)]
    how = "interpreted" if isinstance(run, FunctionType) else "compiled"
    yield f"{ROUNDS} rounds of {a_round} replications, {how}, processor time of one core"
    yield f"{'':26}{'least':>8}{'median':>8}{'most':>8}"
    for name, values, digits in (
        ("trialsim, replications/s", ours, 1),
        ("textbook, replications/s", theirs, 1),
        ("ratio", ratios, 2),
    ):
        figures = (min(values), median(values), max(values))
        yield f"{name:26}" + "".join(f"{value:8.{digits}f}" for value in figures)


def _to_one_point(ours: float, theirs: float) -> Iterator[str]:
    """How long until P(40) is known to ±1 point: plain replications, and draws spread evenly.

    The rate decides nearly all of it, so that recruitment alone tells by how much fewer do.
    """
    alone = [f"design.schedule.{row}=null" for row in _loaded().design.schedule]
    protocol = interpret(_loaded("targets=null", "go_no_go=null", *alone))
    logs = (run(protocol, SEED, number) for number in range(1, DRAWS + 1))
    enough = np.array(
        [sum(each.milestone is Milestone.RANDOMISED for each in log.moments) >= 40 for log in logs]
    )
    number, share = protocol.draws.of(DRAWS), float(enough.mean())
    low, high = of_met(enough, number)
    needed = DRAWS * ((high - low) / 2 / ONE_POINT) ** 2
    plain = share * (1 - share) * (NORMAL_975 / ONE_POINT) ** 2
    yield (
        f"P(40) to ±1 point: {needed / ours:.0f} s ({needed:.0f} replications); textbook, plain: "
        f"{plain / theirs:.0f} s ({plain:.0f}); ratio {plain / theirs / (needed / ours):.1f}"
    )


def _fixed_cost() -> Iterator[str]:
    """What a run of one replication takes, with its page."""
    command = [sys.executable, "-m", "sim", "run", "baseline", "--replications", "1", "--jobs", "1"]
    with TemporaryDirectory() as home:
        before = getrusage(RUSAGE_CHILDREN)
        for place in ("once", "again"):  # the first may have to fill the caches
            before = getrusage(RUSAGE_CHILDREN)
            subprocess.run(
                [*command, "--quiet", "--out", f"{home}/{place}"],
                check=True,
                cwd=Path(sim.__file__).parent.parent,
                capture_output=True,
            )
        after = getrusage(RUSAGE_CHILDREN)
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    yield f"fixed cost of a run with its page: {spent:.1f} s of processor time"


def _by_people() -> Iterator[str]:
    """Milliseconds a replication, with so many times the candidates, the target and the staff."""
    told, design = [], _loaded().design
    for times in (1, 3, 10, 30):
        more = [f"design.staff.{name}.people={times}" for name in design.staff]
        more += [f"design.rooms.{name}.spaces={times}" for name in design.rooms]
        more += [f"design.trial.target={40 * times}", f"{RATE}={3 * times}"]
        protocol = interpret(_loaded("targets=null", "go_no_go=null", *more))
        spent = []
        for number in range(1, 6):
            start = process_time()
            run(protocol, SEED, number)
            spent.append(process_time() - start)
        told.append(f"{times} times {1000 * fmean(spent) / times:.0f} ms")
    yield f"a replication, for each time as many people: {', '.join(told)}"


def _by_cores() -> Iterator[str]:
    """Replications a second, with their measures, on one core and on two."""
    speeds = []
    for jobs in (1, 2):
        start = perf_counter()
        replicate(_loaded(), replications=REPLICATED, jobs=jobs)
        speeds.append(REPLICATED / (perf_counter() - start))
    one, two = speeds
    yield f"{REPLICATED} replications counted: {one:.1f} a second by a process, {two:.1f} by two"


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

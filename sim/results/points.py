"""The points of a sweep: what identifies each, what came out of it, and how both are written."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from hashlib import sha256
from itertools import islice
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sim.results.fold import meets
from sim.results.folder import DECIMALS
from sim.scenario.beliefs import draws
from sim.scenario.load import Scenario
from sim.scenario.sweep import Values
from sim.vocabulary.intervals import Interval, of_mean, of_met
from sim.vocabulary.streams import Draws

PLANNED_TABLE, POINTS_TABLE = "planned.csv", "points.csv"
SENSITIVITY_TABLE, SOLUTION_TABLE = "sensitivity.csv", "solve.csv"
DONE, FAILED = "done", "failed"
ROWS_AT_ONCE = 500
NOT_KNOWN = (None, None, None, None)
"""Mean, standard deviation and interval where a replication is blank or never."""


class Identity(NamedTuple):
    """All that the outcome of a point depends on; two outcomes of one identity are the same."""

    scenario: str
    seed: int
    replications: int
    code: str
    draws: Draws = Draws()
    """How the replications share what they draw."""


class Outcome(NamedTuple):
    """What came out of a point.

    `measures` are the mean, the standard deviation and the interval of each, None where a
    replication is blank or never; `met` has for each target a 1 or 0 for each replication; `each`
    has every replication's value of a measure whose pairs are to be compared, no value at all where
    one is blank or never; `error` says why there is none.
    """

    measures: Mapping[str, Sequence[float | None]]
    met: Mapping[str, str]
    each: Mapping[str, Sequence[float]] = MappingProxyType({})
    error: str = ""

    def mean_and_sd(self, name: str) -> tuple[float, float]:
        """Return the mean and standard deviation of a target (share met) or measure; nan: none."""
        if name in self.met:
            share, number = self.met[name].count("1") / len(self.met[name]), len(self.met[name])
            return share, math.sqrt(share * (1 - share) * number / max(number - 1, 1))
        mean, sd, *_ = self.measures.get(name, NOT_KNOWN)
        return math.nan if mean is None else mean, math.nan if sd is None else sd

    def interval(self, name: str, draws: Draws) -> Interval:
        """Return the interval of a target's share or a measure's mean; nan: none."""
        if name in self.met:
            return of_met(met_of(self.met[name]), draws.of(len(self.met[name])))
        *_, low, high = self.measures.get(name, NOT_KNOWN)
        return Interval(math.nan if low is None else low, math.nan if high is None else high)


def met_of(written: str) -> NDArray[np.bool_]:
    """Return whether a target held in each replication, from its ones and zeros."""
    return np.array([each == "1" for each in written], np.bool_)


class Point(NamedTuple):
    """A point and what came out of it."""

    at: Values
    identity: Identity
    outcome: Outcome

    def stale_because(self, asked: Identity, pairs: str) -> list[str]:
        """Return what is not as in the point asked for, of a measure `pairs` if it has one."""
        fields = zip(asked._fields, asked, self.identity, strict=True)
        changed = [name for name, now, before in fields if now != before]
        if pairs and pairs not in self.outcome.each:
            changed.append("measure ranked by")
        return changed


def identity(scenario: Scenario, seed: int, replications: int, begins: str = "") -> Identity:
    """Return what identifies a scenario's point under the code that runs now.

    `begins` says with what a trial begins that runs already.
    """
    ours = scenario.digest()
    digest = sha256(f"{ours} {begins}".encode()).hexdigest() if begins else ours
    return Identity(digest, seed, replications, code_version(), draws(scenario.assumptions))


@cache
def code_version() -> str:
    """Return the SHA-256 of the package's own source: any change of it may change an outcome."""
    package = Path(__file__).parent.parent
    digest = sha256()
    for file in sorted(package.rglob("*.py")):
        digest.update(f"{file.relative_to(package)}\0".encode())
        digest.update(file.read_bytes())
    return digest.hexdigest()


def outcome(
    scenario: Scenario, values: Mapping[str, NDArray[np.float64]], pairs: str = ""
) -> Outcome:
    """Return what came out of a point from each measure's value in every replication.

    Of the measure `pairs`, if it has one, the values themselves are kept.
    """
    shared = draws(scenario.assumptions)
    measures = {name: _summed_up(each, shared) for name, each in values.items()}
    met = {
        name: "".join("01"[int(held)] for held in meets(target, values[target.measure]))
        for name, target in scenario.targets.items()
    }
    return Outcome(measures, met, {pairs: _compact(values[pairs])} if pairs in values else {})


def planned(places: Iterable[Values]) -> Iterator[pd.DataFrame]:
    """Yield planned.csv in parts: a row a point, with its value of each path that is varied."""
    rows = ({"point": number, **at} for number, at in enumerate(places, 1))
    return _in_parts(rows)


def table(points: Iterable[Point], on: str = "") -> Iterator[pd.DataFrame]:
    """Yield points.csv in parts: a row a point, with each target's probability and its interval.

    With `on`, the measure ranked by, also its mean and the interval of that. The points are gone
    through twice, since one that failed does not tell the names of the targets.
    """
    targets = dict.fromkeys(name for point in points for name in point.outcome.met)
    measured = "" if on in targets else on
    rows = (dict(_row(number, each, targets, measured)) for number, each in enumerate(points, 1))
    return _in_parts(rows)


def _in_parts(rows: Iterator[dict[str, object]]) -> Iterator[pd.DataFrame]:
    while part := list(islice(rows, ROWS_AT_ONCE)):
        yield pd.DataFrame(part)


def _row(
    number: int, point: Point, targets: Iterable[str], measured: str
) -> Iterator[tuple[str, object]]:
    yield "point", number
    yield "digest", point.identity.scenario
    yield "status", FAILED if point.outcome.error else DONE
    yield from point.at.items()
    for name in targets:
        share = (math.nan,) * 3
        if name in point.outcome.met:
            probability, _ = point.outcome.mean_and_sd(name)
            share = (probability, *point.outcome.interval(name, point.identity.draws))
        yield from zip((f"{name}_probability", *_ends(name)), share, strict=True)
    if measured:
        mean, _ = point.outcome.mean_and_sd(measured)
        interval = point.outcome.interval(measured, point.identity.draws)
        yield from zip((f"{measured}_mean", *_ends(measured)), (mean, *interval), strict=True)


def _ends(name: str) -> tuple[str, str]:
    return f"{name}_ci_low", f"{name}_ci_high"


def _compact(values: NDArray[np.float64]) -> list[float]:
    """The values in few digits: whole numbers as such, others with the decimals of tables."""
    if not np.isfinite(values).all():
        return []
    return [
        int(value) if value.is_integer() else round(value, DECIMALS) for value in values.tolist()
    ]


def _summed_up(values: NDArray[np.float64], shared: Draws) -> Sequence[float | None]:
    if not np.isfinite(values).all():
        return NOT_KNOWN
    sd = float(values.std(ddof=1)) if len(values) > 1 else math.nan
    interval = of_mean(values, shared.of(len(values)))
    found = (float(values.mean()), sd, *interval)
    return [None if math.isnan(each) else each for each in found]

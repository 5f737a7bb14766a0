"""The points of a sweep: what identifies each, what came out of it, and how both are written."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sim.meaning.axis import Values
from sim.meaning.scenario import Scenario
from sim.record.results import meets
from sim.vocabulary.intervals import of_share

DONE, FAILED = "done", "failed"


class Identity(NamedTuple):
    """All that the outcome of a point depends on; two outcomes of one identity are the same."""

    scenario: str
    seed: int
    replications: int
    code: str

    def differs_from(self, other: Identity) -> list[str]:
        """Return the names of what is not the same."""
        return [name for name in self._fields if getattr(self, name) != getattr(other, name)]


class Outcome(NamedTuple):
    """What came out of a point.

    `measures` are the mean and the standard deviation of each, None where a replication is blank or
    never; `met` has for each target a 1 or 0 for each replication; `error` says why there is none.
    """

    measures: Mapping[str, tuple[float | None, float | None]]
    met: Mapping[str, str]
    error: str = ""

    def mean_and_sd(self, name: str) -> tuple[float, float]:
        """Return the mean and standard deviation of a target (share met) or measure; nan: none."""
        if name in self.met:
            share, number = self.met[name].count("1") / len(self.met[name]), len(self.met[name])
            return share, math.sqrt(share * (1 - share) * number / max(number - 1, 1))
        mean, sd = self.measures.get(name, (None, None))
        return math.nan if mean is None else mean, math.nan if sd is None else sd


class Point(NamedTuple):
    """A point and its outcome, as the journal keeps them."""

    at: Values
    identity: Identity
    outcome: Outcome

    def as_record(self) -> dict[str, Any]:
        """Return the point as the plain data of a journal."""
        identity, outcome = self.identity._asdict(), self.outcome._asdict()
        return {"at": dict(self.at), "identity": identity, "outcome": outcome}

    @classmethod
    def of_record(cls, record: Mapping[str, Any]) -> Point:
        """Return the point of a journal's record."""
        identity, outcome = Identity(**record["identity"]), Outcome(**record["outcome"])
        return cls(record["at"], identity, outcome)


def identity(scenario: Scenario, seed: int, replications: int) -> Identity:
    """Return what identifies a scenario's point under the code that runs now."""
    digest = sha256(scenario.model_dump_json(by_alias=True).encode()).hexdigest()
    return Identity(digest, seed, replications, code_version())


@cache
def code_version() -> str:
    """Return the SHA-256 of the package's own source: any change of it may change an outcome."""
    package = Path(__file__).parent.parent
    digest = sha256()
    for file in sorted(package.rglob("*.py")):
        digest.update(f"{file.relative_to(package)}\0".encode())
        digest.update(file.read_bytes())
    return digest.hexdigest()


def outcome(scenario: Scenario, values: Mapping[str, NDArray[np.float64]]) -> Outcome:
    """Return what came out of a point from each measure's value in every replication."""
    measures = {name: _mean_and_sd(each) for name, each in values.items()}
    met = {
        name: "".join("01"[int(held)] for held in meets(target, values[target.measure]))
        for name, target in scenario.targets.items()
    }
    return Outcome(measures, met)


def table(points: Sequence[Point]) -> pd.DataFrame:
    """Return points.csv: a row a point, with each target's probability and its interval."""
    targets = dict.fromkeys(name for point in points for name in point.outcome.met)
    return pd.DataFrame([dict(_row(number, each, targets)) for number, each in enumerate(points)])


def _row(number: int, point: Point, targets: Iterable[str]) -> Iterator[tuple[str, object]]:
    yield "point", number + 1
    yield "digest", point.identity.scenario
    yield "status", FAILED if point.outcome.error else DONE
    yield from point.at.items()
    for name in targets:
        met = point.outcome.met.get(name, "")
        low, high = of_share(met.count("1"), len(met)) if met else (math.nan, math.nan)
        yield f"{name}_probability", met.count("1") / len(met) if met else math.nan
        yield f"{name}_ci_low", low
        yield f"{name}_ci_high", high


def _mean_and_sd(values: NDArray[np.float64]) -> tuple[float | None, float | None]:
    if not np.isfinite(values).all():
        return None, None
    return float(values.mean()), float(values.std(ddof=1)) if len(values) > 1 else None

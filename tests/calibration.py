"""Simulation-based calibration of the forecast: truths drawn as the plan believes, and forecast.

`python -m tests.calibration STUDY TRUTHS SEED` prints the p-value of each quantity: among draws of
the forecast the truth has every rank equally often (Talts et al. 2018, arXiv:1804.06788). STUDY is
a level of the log, for a small trial, or the months after which the log of the baseline is cut; of
`dates_waving` or `15_waving` the rate waves.
"""

from __future__ import annotations

import csv
import math
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cached_property
from io import StringIO
from itertools import accumulate, pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from scipy import stats

from sim.experiments.posterior import informed
from sim.model.run import run
from sim.scenario.enrolment_log import EnrolmentLog, read_log
from sim.scenario.interpret import interpret
from sim.scenario.load import load, shipped
from sim.scenario.protocol import Protocol
from sim.scenario.schema import Scenario
from sim.vocabulary.clock import DAYS_PER_MONTH, MINUTES_PER_DAY, MINUTES_PER_HOUR
from sim.vocabulary.eventlog import EventLog, Milestone
from tests.enrolment import written
from tests.toys import toy

OPENS, CLOSES, AS_OF = date(2023, 1, 1), date(2024, 6, 30), date(2023, 9, 30)
DRAWS, BINS = 15, 8
UNKNOWN = {
    "full": set[str](),
    "consent": {"referred", "approached"},
    "dates": {"referred", "approached", "consented", "screened", "ended_screening", "reason"},
}
"""The columns that a log of a level has not."""

NEEDED = {"full": "referred", "consent": "consented", "dates": "randomised"}


def funnel(waves: Mapping[str, float] | None = None) -> Scenario:
    """Return a trial in which all that is learnt is not known, and nothing takes staff time."""

    def share(value: float, low: float, high: float) -> dict[str, object]:
        return {"value": value, "range": [low, high]}

    return toy(
        design={
            "trial": {"opens": OPENS, "closes": CLOSES},
            "visits": {"check": []},
            "arms": {"one": {"product": "tablet"}, "two": {"product": "tablet"}},
            "randomisation": {"method": "permuted_blocks", "block_sizes": [4]},
            "schedule": {"end": {"at": {"clinic": "check"}, "day": 90, "window_days": [0, 7]}},
            "eligibility": {
                "sane": {"at": "chart", "without": "mad"},
                "well": {"at": "labs", "without": "ill"},
            },
        },
        assumptions={
            "uncertain": "all",
            "recruitment": {
                "candidates_per_month": 6,
                "rate_shape": 4,
                "waves": waves,
                "consent": share(0.6, 0.4, 0.8),
                "season": {"winter": 0.8},
                "disruptions": {
                    "wave": {
                        "from": date(2023, 3, 1),
                        "to": date(2023, 4, 30),
                        "times": share(0.4, 0.2, 0.7),
                    }
                },
            },
            "patients": {
                "mad": {"probability": share(0.2, 0.1, 0.3)},
                "ill": {"probability": share(0.3, 0.1, 0.5)},
            },
            "screening": {
                "contact_days": {"family": "exponential", "mean": 5},
                "lab_days": 10,
                "withdraws": share(0.1, 0.05, 0.2),
            },
            "leaving": {"moves": {"by_week": 12, "share": share(0.2, 0.1, 0.3)}},
        },
    )


@dataclass(frozen=True)
class Study:
    """A trial whose log is cut on a day, what is asked of its forecast, and how many days soon are.

    Truths that have come to their target before that day are left out.
    """

    scenario: Scenario
    as_of: date
    asked: Callable[[EventLog, float], dict[str, float]]
    level: str = "full"

    @cached_property
    def protocol(self) -> Protocol:
        """The trial as its plan believes it."""
        return interpret(self.scenario)

    @property
    def cut(self) -> float:
        """The instant of the forecast, in minutes since the opening."""
        return ((self.as_of - self.protocol.clock.opens).days + 1) * MINUTES_PER_DAY

    def log(self, truth: EventLog) -> EnrolmentLog:
        """Return what the log of a truth would say on that day."""
        rows = [*csv.DictReader(StringIO(written(self.protocol, truth, self.as_of)))]
        unknown, needed = UNKNOWN[self.level], NEEDED[self.level]
        kept = [name for name in rows[0] if name not in unknown] if rows else ["randomised"]
        text = StringIO()
        table = csv.DictWriter(text, kept, extrasaction="ignore")
        table.writeheader()
        table.writerows(row for row in rows if row[needed])
        with TemporaryDirectory() as folder:
            path = Path(folder) / "log.csv"
            path.write_text(text.getvalue(), encoding="utf-8")
            return read_log(path, self.scenario, self.as_of)


def _met(log: EventLog) -> Counter[Milestone]:
    return Counter(each.milestone for each in log.moments)


def _randomised(log: EventLog) -> list[float]:
    return sorted(each.time for each in log.moments if each.milestone is Milestone.RANDOMISED)


def of_funnel(log: EventLog, cut: float) -> dict[str, float]:
    """Return what a forecast of the small trial is asked for."""
    met, soon = _met(log), cut + 30 * MINUTES_PER_DAY
    return {
        "rate": log.candidates_per_month_drawn,
        "candidates": met[Milestone.CANDIDATE],
        "consented": met[Milestone.CONSENTED],
        "randomised": met[Milestone.RANDOMISED],
        "left": met[Milestone.LEFT],
        "completed": met[Milestone.COMPLETED],
        "soon": sum(cut <= each < soon for each in _randomised(log)),
        "consent": log.drawn[1],
        "ill": log.drawn[3],
    }


def of_baseline(log: EventLog, cut: float) -> dict[str, float]:
    """Return what a forecast of the baseline is asked for."""
    met, soon, randomised = _met(log), cut + 60 * MINUTES_PER_DAY, _randomised(log)
    doses = (each for each in log.moments if each.milestone is Milestone.DOSE)
    return {
        "rate": log.candidates_per_month_drawn,
        "randomised": len(randomised),
        "day_of_40": randomised[TARGET - 1] if len(randomised) >= TARGET else math.inf,
        "completed": met[Milestone.COMPLETED],
        "left": met[Milestone.LEFT],
        "soon": sum(cut <= each < soon for each in randomised),
        "doses": sum(each.time >= cut for each in doses),
        "hours": math.fsum(each.minutes for each in log.work if each.due >= cut) / MINUTES_PER_HOUR,
    }


TARGET = 40
WAVING = "_waving"
"""What a study is called after the name of its twin without waves."""


def study(name: str) -> Study:
    """Return the study of the small trial at a level, or of the baseline after so many months."""
    which = name.removesuffix(WAVING)
    if which in UNKNOWN:
        waves = {"sd": 0.5, "calm": 0.2} if which != name else None
        return Study(funnel(waves), AS_OF, of_funnel, which)
    calm = ["assumptions.recruitment.waves=null"] if which == name else []
    scenario = load(Path(str(shipped())) / "baseline.yaml", calm)
    day = timedelta(round(int(which) * DAYS_PER_MONTH))
    return Study(scenario, interpret(scenario).clock.opens + day, of_baseline)


Learning = Callable[[Study, EnrolmentLog], Protocol]


def right(ours: Study, log: EnrolmentLog) -> Protocol:
    """Return the protocol that has learnt from a log."""
    return informed(ours.protocol, log)


def calendar_ignored(ours: Study, log: EnrolmentLog) -> Protocol:
    """Return one that has learnt the rate as if there were neither seasons nor disruptions."""
    taught, flat = informed(ours.protocol, log), ours.scenario.model_dump(by_alias=True)
    del flat["assumptions"]["recruitment"]["season"]
    del flat["assumptions"]["recruitment"]["disruptions"]
    other = informed(interpret(Scenario.model_validate(flat)), log).informed
    assert taught.informed is not None
    assert other is not None
    months = taught.informed.pool._replace(
        exposures=other.pool.exposures * len(taught.informed.pool.rows)
    )
    return replace(taught, informed=taught.informed._replace(pool=months))


def counted_twice(ours: Study, log: EnrolmentLog) -> Protocol:
    """Return one that has learnt from everybody twice."""
    taught, twice = (
        informed(ours.protocol, log._replace(people=log.people * number)) for number in (1, 2)
    )
    assert taught.informed is not None
    pool = taught.informed.pool
    squared = accumulate((high - low) ** 2 for low, high in pairwise((0.0, *pool.upto)))
    pool = pool._replace(
        seen=2 * pool.seen, exposures=tuple(2 * each for each in pool.exposures), upto=(*squared,)
    )
    return replace(twice, informed=taught.informed._replace(pool=pool))


def screening_forgotten(ours: Study, log: EnrolmentLog) -> Protocol:
    """Return one that has learnt from everybody, and goes on without those in screening."""
    taught = informed(ours.protocol, log)
    assert taught.informed is not None
    history = taught.informed.history
    kept = tuple(each for each in history.people if each.is_randomised or each.ended)
    return replace(taught, informed=taught.informed._replace(history=history._replace(people=kept)))


def forecasts(
    ours: Study, truths: int, seed: int, learn: Learning = right
) -> Iterator[tuple[dict[str, float], dict[str, list[float]]]]:
    """Yield what came of each truth, and the draws of its forecast, where it was forecast."""
    for number in range(1, truths + 1):
        truth = run(ours.protocol, 100_000 * seed + number, 1)
        came, drawn = ours.asked(truth, ours.cut), defaultdict[str, list[float]](list)
        if _is_full(ours, truth):
            yield came, {}
            continue
        taught = learn(ours, ours.log(truth))
        for draw in range(DRAWS):
            # Seeds of their own: replications of one seed share some of what they draw.
            log = run(taught, 1_000 * seed + draw, number)
            for name, value in ours.asked(log, ours.cut).items():
                drawn[name].append(value)
        yield came, drawn


def _is_full(ours: Study, truth: EventLog) -> bool:
    target = ours.protocol.target
    return target is not None and sum(each < ours.cut for each in _randomised(truth)) >= target


def calibration(name: str, truths: int, seed: int, learn: Learning = right) -> dict[str, float]:
    """Return of each quantity how probable places so uneven are of a forecast that is right."""
    luck = np.random.default_rng(seed)
    return p_values(name, forecasts(study(name), truths, seed, learn), luck)


def p_values(
    name: str,
    found: Iterable[tuple[dict[str, float], dict[str, list[float]]]],
    luck: np.random.Generator,
) -> dict[str, float]:
    """Return that of truths and their forecasts."""
    places = defaultdict[str, list[float]](list)
    for came, drawn in found:
        for asked, draws in drawn.items():
            below = sum(each < came[asked] for each in draws)
            same = draws.count(came[asked])
            places[asked].append((below + luck.uniform() * (same + 1)) / (DRAWS + 1))
    told = {}
    for asked, each in places.items():
        counts, _ = np.histogram(each, BINS, (0, 1))
        told[asked] = float(stats.chisquare(counts).pvalue)
        print(name, asked, counts.tolist(), f"{told[asked]:.2g}")  # noqa: T201
    return told


if __name__ == "__main__":
    calibration(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))

"""Simulation-based calibration of the forecast: truths drawn as the plan believes, and forecast.

`python -m tests.calibration LEVEL TRUTHS SEED` prints the p-value of each quantity: among draws of
the forecast the truth has every rank equally often (Talts et al. 2018, arXiv:1804.06788).
"""

from __future__ import annotations

import csv
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import date
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from scipy import stats

from sim.experiments.posterior import informed
from sim.model.run import run
from sim.scenario.enrolment_log import read_log
from sim.scenario.interpret import interpret
from sim.scenario.protocol import Protocol
from sim.scenario.schema import Scenario
from sim.vocabulary.clock import MINUTES_PER_DAY
from sim.vocabulary.eventlog import EventLog, Milestone
from tests.enrolment import written
from tests.toys import toy

OPENS, CLOSES, AS_OF = date(2023, 1, 1), date(2024, 6, 30), date(2023, 9, 30)
CUT = (AS_OF - OPENS).days + 1
SPRING = {"from": date(2023, 3, 1), "to": date(2023, 4, 30)}
DRAWS, BINS, SOON = 15, 8, 30
UNKNOWN = {
    "full": set[str](),
    "consent": {"referred", "approached"},
    "dates": {"referred", "approached", "consented", "screened", "ended_screening", "reason"},
}
"""The columns that a log of a level has not."""

NEEDED = {"full": "referred", "consent": "consented", "dates": "randomised"}


def funnel() -> Scenario:
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


def quantities(log: EventLog) -> dict[str, float]:
    """Return what a forecast is asked for."""
    met = Counter(each.milestone for each in log.moments)
    soon = (
        each
        for each in log.moments
        if each.milestone is Milestone.RANDOMISED
        and CUT <= each.time / MINUTES_PER_DAY < CUT + SOON
    )
    return {
        "rate": log.candidates_per_month_drawn,
        "candidates": met[Milestone.CANDIDATE],
        "consented": met[Milestone.CONSENTED],
        "randomised": met[Milestone.RANDOMISED],
        "left": met[Milestone.LEFT],
        "completed": met[Milestone.COMPLETED],
        "soon": sum(1 for _ in soon),
        "consent": log.drawn[1],
        "ill": log.drawn[3],
    }


def told(scenario: Scenario, protocol: Protocol, truth: EventLog, level: str) -> Protocol:
    """Return the protocol that has learnt from a log of a level, as of the day."""
    rows = [*csv.DictReader(StringIO(written(protocol, truth, AS_OF)))]
    kept = [name for name in rows[0] if name not in UNKNOWN[level]] if rows else ["randomised"]
    text = StringIO()
    table = csv.DictWriter(text, kept, extrasaction="ignore")
    table.writeheader()
    table.writerows(row for row in rows if row[NEEDED[level]])
    with TemporaryDirectory() as folder:
        path = Path(folder) / "log.csv"
        path.write_text(text.getvalue(), encoding="utf-8")
        return informed(protocol, read_log(path, scenario, AS_OF))


def places(level: str, truths: int, seed: int) -> Iterator[dict[str, float]]:
    """Yield of each truth its place among the draws of its forecast, uniform in [0, 1)."""
    scenario = funnel()
    protocol, luck = interpret(scenario), np.random.default_rng(seed)
    for number in range(1, truths + 1):
        truth = run(protocol, 100_000 * seed + number, 1)
        of_log = told(scenario, protocol, truth, level)
        drawn = defaultdict[str, list[float]](list)
        for draw in range(DRAWS):
            # Seeds of their own: replications of one seed share some of what they draw.
            for name, value in quantities(run(of_log, 1_000 * seed + draw, number)).items():
                drawn[name].append(value)
        yield {
            name: (
                sum(each < value for each in drawn[name])
                + luck.uniform() * (drawn[name].count(value) + 1)
            )
            / (DRAWS + 1)
            for name, value in quantities(truth).items()
        }


def calibration(level: str, truths: int, seed: int) -> dict[str, float]:
    """Return of each quantity how probable places so uneven are of a forecast that is right."""
    found = [*places(level, truths, seed)]
    p_values = {}
    for name in found[0]:
        counts, _ = np.histogram([each[name] for each in found], BINS, (0, 1))
        p_values[name] = float(stats.chisquare(counts).pvalue)
        print(level, name, counts.tolist(), round(p_values[name], 4))  # noqa: T201
    return p_values


if __name__ == "__main__":
    calibration(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))

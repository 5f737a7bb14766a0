"""A finished run as its folder holds it, with the sweeps and searches that were joined to it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sim.report.page import Finished
from sim.results import folder
from sim.results.manifest import FORECAST
from sim.results.pairs import draws_in
from sim.scenario.interpret import interpret
from sim.scenario.protocol import Protocol
from sim.vocabulary.streams import Numbers


class Tables(dict[str, pd.DataFrame]):
    """The tables of a finished folder by their files, each read when it is first asked for."""

    def __init__(self, finished: Path) -> None:
        """Of the folder, nothing is read yet."""
        self._finished = finished

    def __missing__(self, name: str) -> pd.DataFrame:
        """Read a table."""
        self[name] = table = folder.read(self._finished, name)
        return table


SINGLE = (
    *("draw", "randomised", "day_of_target", "randomised_first_six_months"),
    "candidates_per_month_drawn",
)
"""Measures of which the page needs the value of each replication."""


class Run(Finished):
    """A finished run."""

    @cached_property
    def tables(self) -> Mapping[str, pd.DataFrame]:
        """Its tables by the names of their files."""
        return Tables(self.place)

    @cached_property
    def protocol(self) -> Protocol:
        """The plan that the scenario means."""
        return interpret(self.scenario)

    @property
    def target(self) -> int | None:
        """Participants to randomise, None where the scenario sets no target."""
        target = self.scenario.design.trial.target
        return None if target is None else int(target)

    @property
    def opens(self) -> date:
        """The first day."""
        opens: date = self.scenario.design.trial.opens
        return opens

    @property
    def closes(self) -> date:
        """The last day."""
        closes: date = self.scenario.design.trial.closes
        return closes

    @property
    def recruits_until(self) -> date:
        """The last day on which anyone may be randomised and be seen in this run."""
        return min(self.scenario.design.trial.recruits_until or self.closes, self.closes)

    @cached_property
    def replications(self) -> pd.DataFrame:
        """One row a replication, one column for each measure that the page speaks of one by one."""
        milestones = (f"day_of_{number}" for number in self.protocol.milestones)
        return folder.read(self.place, "replications.csv", (*SINGLE, *milestones))

    @property
    def is_forecast(self) -> bool:
        """Whether the trial runs already, and goes on from its log."""
        return bool(self.manifest["kind"] == FORECAST)

    @cached_property
    def as_planned(self) -> pd.DataFrame:
        """One row a replication of a forecast's trial as it was planned at the opening."""
        return folder.read(self.place, "as_planned.csv")

    @cached_property
    def rate_known(self) -> pd.DataFrame:
        """The same of the first replications, had the rate of candidates been at its value."""
        return folder.read(self.place, "rate_known.csv")

    @property
    def count(self) -> int:
        """How many replications there are."""
        return len(self.replications)

    @cached_property
    def draws(self) -> Numbers | None:
        """Which draw of the uncertain each replication had; None where all are independent."""
        return draws_in(self.replications)

    def reached(self, target: int) -> NDArray[np.bool_]:
        """Return whether so many were randomised, replication by replication."""
        return (self.replications["randomised"] >= target).to_numpy()

    @property
    def anybody_randomised(self) -> bool:
        """Whether anyone was randomised in any replication."""
        return bool((self.replications["randomised"] > 0).any())

    def measure(self, name: str) -> pd.Series[Any]:
        """Return a measure's row of the summary; KeyError where the run has no such measure."""
        summary = self.tables["summary.csv"]
        return summary.set_index("measure").loc[[name]].iloc[0]

    def mean(self, name: str) -> float:
        """Return the mean of a measure."""
        return float(self.measure(name)["mean"])

    def spread(self, name: str) -> dict[str, float]:
        """Return a measure's mean, P10 and P90 as blanks of a text: mean, low and high."""
        measure = self.measure(name)
        return {"mean": measure["mean"], "low": measure["p10"], "high": measure["p90"]}

    def mean_within(self, name: str, digits: int = 1) -> str:
        """Return a measure's mean and, where they are not the same, its P10 and P90 in words."""
        mean, low, high = (self.say.number(each, digits) for each in self.spread(name).values())
        return mean if mean == low == high else self.say.aside(mean, self.say.span(low, high))

    def arm_title(self, name: str) -> str:
        """Return what the scenario calls an arm; of arms it calls alike also the name."""
        return self.say.titles.get(("arm", name)) or self.say.heading(name)

    def date_of_day(self, day: float) -> date:
        """Return the date of a day number."""
        return self.opens + timedelta(days=math.floor(day))

    def quantities(self, name: str, **where: str) -> pd.DataFrame:
        """Return the rows of a table by date where its columns have these values.

        Dates stand in `at`: the first days of weeks or months.
        """
        table = self.tables[name]
        for column, value in where.items():
            table = table[table[column] == value]
        period = "week" if "week" in table else "month"
        return table.assign(at=pd.to_datetime(table[period])).sort_values("at", kind="stable")

    def target_lines(self) -> Iterator[str]:
        """Yield the verdict of each target, how probable it is and is to be, for a terminal."""
        say, targets = self.say, self.tables["targets.csv"].to_dict("records")
        if targets:
            yield "Targets"
        for target in targets:
            asked, found, *ends = (
                say.percent(target[name])
                for name in ("with_probability", "probability", "ci_low", "ci_high")
            )
            chance = f"in {found} of trials ({say.span(*ends)}), asked: {asked}"
            yield f"  {target['verdict']}: {say.title(target['target'])}, {chance}"

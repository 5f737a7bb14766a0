"""The parts a page is made of, and the finished run they speak of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, NamedTuple

import pandas as pd

from sim.report.charts import LEVELS, Chart
from sim.scenario.design import TrialPlan
from sim.scenario.load import Scenario
from sim.scenario.protocol import Protocol
from sim.scenario.schema import Target
from sim.vocabulary.words import Words


def place(scenario: Scenario, say: Words) -> str:
    """Return which trial it is and where, as the first line of a page."""
    trial = scenario.design.trial
    return " · ".join(filter(None, (trial.registry_id, say.own(trial.site))))


def in_words(path: str, say: Words) -> str:
    """Return the path of an assumption in words, its levels in a row."""
    return LEVELS.join(map(say.title, path.split(".")[1:]))


def limit(target: Target, say: Words) -> str:
    """Return where a target's measure is to lie: at least, or at most, so much."""
    side = "at_most" if target.at_least is None else "at_least"
    return say(f"shared.{side}", value=f"{getattr(target, side):g}")


PAGE = "report.html"
"""The file of a page in its folder."""


class Effect(NamedTuple):
    """What changes when a number is at its low and at its high; clear: beyond the error of it."""

    at_low: float
    at_high: float
    is_clear: bool

    @property
    def size(self) -> float:
        """The larger change of the two."""
        return max(abs(self.at_low), abs(self.at_high))


@dataclass(frozen=True)
class Joined:
    """A sweep or a search of the run's scenario, whose folder `name` lies in the run's own.

    Of a tornado, `effects` are those of each path on `on` (a share, or a measure), and `figure`
    shows them.
    """

    name: str
    verdict: str
    manifest: Mapping[str, Any]
    on: str = ""
    is_share: bool = False
    effects: Mapping[str, Effect] = field(default_factory=dict)
    figure: Figure | None = None


@dataclass(frozen=True)
class Run:
    """A finished run as its folder holds it, and the language in which to speak of it."""

    scenario: Scenario
    protocol: Protocol
    tables: Mapping[str, pd.DataFrame]
    manifest: Mapping[str, Any]
    say: Words
    joined: Sequence[Joined] = ()

    @property
    def tornado(self) -> Joined | None:
        """The first tornado joined to the run."""
        return next((each for each in self.joined if each.effects), None)

    @property
    def _trial(self) -> TrialPlan:
        trial: TrialPlan = self.scenario.design.trial
        return trial

    @property
    def target(self) -> int | None:
        """Participants to randomise, None where the scenario sets no target."""
        return None if self._trial.target is None else int(self._trial.target)

    @property
    def opens(self) -> date:
        """The first day."""
        return self._trial.opens

    @property
    def closes(self) -> date:
        """The last day."""
        return self._trial.closes

    @property
    def recruits_until(self) -> date:
        """The last day on which anyone may be randomised and be seen in this run."""
        return min(self._trial.recruits_until or self.closes, self.closes)

    @property
    def replications(self) -> pd.DataFrame:
        """One row a replication, one column a measure."""
        return self.tables["replications.csv"]

    @property
    def count(self) -> int:
        """How many replications there are."""
        return len(self.replications)

    def measure(self, name: str) -> pd.Series:
        """Return a measure's row of the summary; KeyError where the run has no such measure."""
        summary = self.tables["summary.csv"]
        return summary.set_index("measure").loc[[name]].iloc[0]

    def arm_title(self, name: str) -> str:
        """Return what the scenario calls an arm."""
        return self.say.own(self.scenario.design.arms[name].title) or self.say.heading(name)

    @property
    def anybody_randomised(self) -> bool:
        """Whether anyone was randomised in any replication."""
        return bool((self.replications["randomised"] > 0).any())


@dataclass(frozen=True)
class Row:
    """The cells of a table's row as shown, and the kind of row: a class of the style sheet."""

    cells: Sequence[str]
    kind: str = ""


@dataclass(frozen=True)
class Table:
    """A table: the first `texts` columns are text, the others figures."""

    title: str
    header: Sequence[str]
    rows: Sequence[Row]
    note: str = ""
    texts: int = 1


@dataclass(frozen=True)
class Figure:
    """A chart and the table behind it."""

    title: str
    chart: Chart
    table: Table


@dataclass(frozen=True)
class Multiples:
    """Small charts side by side, of which each has a message, and the one table behind them."""

    title: str
    charts: Sequence[Chart]
    table: Table


Part = Table | Figure | Multiples
"""What stands beneath the words of an answer."""


@dataclass(frozen=True)
class Answer:
    """The answer to a question: plain words first, then links, tables and figures in order.

    `more` is folded away beneath the `parts`, until a reader opens it or the page is printed.
    `links` are texts by the address, relative to the page, at which there is more.
    """

    key: str
    title: str
    lead: str
    paragraphs: Sequence[str] = ()
    parts: Sequence[Part] = ()
    more: Sequence[Part] = ()
    links: Mapping[str, str] = field(default_factory=dict)

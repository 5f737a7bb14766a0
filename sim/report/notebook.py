"""For notebooks: simulate a scenario, read a finished folder, and draw its charts."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property, partial
from pathlib import Path
from typing import Literal

import pandas as pd

from sim.experiments.replicate import replicate
from sim.report.charts import Chart
from sim.report.page import Finished, Page
from sim.report.pages import read_page, write_page
from sim.results import folder
from sim.scenario.load import Scenario
from sim.vocabulary.words import ENGLISH


class FinishedFolder(Finished):
    """A finished folder: its place, scenario and manifest, its tables, its page and its charts."""

    @cached_property
    def tables(self) -> Mapping[str, pd.DataFrame]:
        """The tables by the names of their files, as the files have them.

        A blank number is nan, a blank text empty; where a measure never happens its cell is the
        word `never`. Columns and their units are those of the files.
        """
        names = sorted(path.name for path in self.place.glob("*.csv*"))
        return {name: folder.read(self.place, name) for name in names}

    @cached_property
    def page(self) -> Page:
        """The page, with its verdict in one sentence."""
        return read_page(self.place, self.language)

    @cached_property
    def charts(self) -> Mapping[str, Chart]:
        """The charts of the page as Altair objects, by the names the page saves them under."""
        return {name: chart for name, _, chart in self.page.charts()}


def run_scenario(  # noqa: PLR0913  each is a flag of the command line
    scenario: Scenario,
    *,
    replications: int | Literal["auto"] = 1000,
    seed: int = 1,
    jobs: int | None = None,
    keep: int = 10,
    out: Path | str | None = None,
    language: str = ENGLISH,
) -> FinishedFolder:
    """Simulate a scenario as `trialsim run` does: the same tables, in a folder of the same form.

    The folder is `results/<scenario>/<time>-<digest>`, or `out`, which must be new or empty. With
    `jobs` processes (None: one a core); whole logs are kept of the first `keep` replications.
    Raises `sim.results.folder.FolderRefused` where the folder may not or cannot be written.

    >>> from sim import load, run
    >>> trial = load("scenarios/baseline.yaml", ["design.trial.target=20"])
    >>> done = run(trial, replications=4, jobs=1)
    >>> done.tables["replications.csv"].shape[0]
    4
    >>> summary = done.tables["summary.csv"].set_index("measure")
    >>> bool(summary.loc["randomised", "mean"] >= 10)
    True
    >>> next(iter(done.charts))
    'reached-1'
    """
    command = f"trialsim run {folder.SCENARIO} --replications {replications} --seed {seed}"
    finished = folder.write(
        scenario,
        partial(replicate, scenario, replications=replications, seed=seed, jobs=jobs, keep=keep),
        command=f"{command} --keep {keep}",
        page=lambda part: write_page(part, language),
        out=None if out is None else Path(out),
    )
    return FinishedFolder(finished, language)


def read_folder(place: Path | str, language: str = ENGLISH) -> FinishedFolder:
    """Read a folder that `run`, or any command of trialsim, has finished.

    Raises `sim.results.folder.FolderRefused` where it is no such folder.

    >>> from sim import load, read, run
    >>> done = run(load("scenarios/baseline.yaml"), replications=2, jobs=1)
    >>> read(done.place).tables["summary.csv"].equals(done.tables["summary.csv"])
    True
    """
    finished = FinishedFolder(Path(place), language)
    with folder.refusing(finished.place):
        finished.manifest  # noqa: B018  whoever names no such folder is told at once
    return finished

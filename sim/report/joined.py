"""What was joined to a run: sweeps, searches and comparisons of its scenario."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from sim.report import sensitivity, solve, sweep
from sim.report.changes import changes_of_targets, told
from sim.report.compare import Comparison
from sim.report.run import Run
from sim.results import folder


class Joined(NamedTuple):
    """A folder of the `name` that lies in that of the run; the tornado, if it is one.

    What it found that `helps` is empty of a comparison in which nothing clearly helps, and of what
    moves assumptions.
    """

    name: str
    kind: str
    verdict: str
    helps: str = ""
    tornado: sensitivity.Tornado | None = None


def joined_to(run: Run) -> list[Joined]:
    """Return what was joined to a run, in order."""
    return [_joined(run.place / name, run.language) for name in run.manifest.get("joined", ())]


def joined_tornado(run: Run) -> sensitivity.Tornado | None:
    """Return the first tornado joined to a run."""
    return next((each.tornado for each in joined_to(run) if each.tornado), None)


def help_found(run: Run) -> str:
    """Return what would help as a search joined to a run says, or a comparison, or a sweep."""
    order = {"solve": 0, "compare": 1}
    found = sorted(joined_to(run), key=lambda each: order.get(each.kind, len(order)))
    return next((each.helps for each in found if each.helps), "")


def _joined(place: Path, language: str) -> Joined:
    """What a run has to know of another folder; of a tornado also its effects."""
    kind = folder.manifest(place)["kind"]
    if kind == "solve":
        found = solve.answered(solve.Solved(place, language))
        return Joined(place.name, kind, found, found)
    if kind == "compare":
        return _compared(Comparison(place, language))
    if kind == "sweep":
        found = sweep.Swept(place, language).spread_of_first
        return Joined(place.name, kind, found, found)
    ranking = sensitivity.Ranking(place, language)
    return Joined(place.name, kind, ranking.verdict, tornado=sensitivity.tornado_of(ranking))


def _compared(comparison: Comparison) -> Joined:
    """Its largest change of a target; and what helps: the largest of those to the better."""
    say, changes = comparison.say, list(changes_of_targets(comparison.runs))
    better = [each for each in changes if each.is_clear and each.difference > 0]
    best = sorted(better, key=lambda each: -each.difference)[:1]
    verdict = next(iter(told(changes, say)), say("compare.title"))
    return Joined(comparison.place.name, "compare", verdict, next(iter(told(best, say)), ""))

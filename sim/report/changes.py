"""What scenarios change in the chance of each target: pairs of the same simulated people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from sim.report.page import within
from sim.report.run import Run
from sim.results import folder
from sim.vocabulary.intervals import Interval, of_paired_shares
from sim.vocabulary.words import Words

Runs = Mapping[str, Run]
"""Finished runs by what their scenarios are called, the baseline first."""

MOST_CHANGED = 6
"""Scenarios that a terminal shows for each target."""


class Change(NamedTuple):
    """How probable a target is in the first scenario and in another, and the difference in pairs.

    The pairs are replications of one number, met by the same people.
    """

    target: str
    scenario: str
    before: float
    after: float
    within: Interval

    @property
    def difference(self) -> float:
        """By how much it is more probable."""
        return self.after - self.before

    @property
    def is_clear(self) -> bool:
        """Whether the interval lies on one side of nothing."""
        return self.within.low > 0 or self.within.high < 0


def changes_of_targets(runs: Runs) -> Iterator[Change]:
    """Yield the change of each target that the first scenario and another have in common."""
    (_, baseline), *others = runs.items()
    for name in baseline.scenario.targets:
        before = _met(baseline, name)
        for scenario, run in others:
            if name not in run.scenario.targets:
                continue
            after = _met(run, name)
            gained, lost = int((after & ~before).sum()), int((before & ~after).sum())
            pairs = of_paired_shares(gained, lost, len(before))
            yield Change(name, scenario, float(before.mean()), float(after.mean()), pairs)


def _met(run: Run, name: str) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Return in which replications a target is met."""
    target = run.scenario.targets[name]
    found = folder.read(run.place, "replications.csv", [target.measure])[target.measure]
    values = pd.to_numeric(found.replace("never", np.inf)).to_numpy(np.float64)
    return values >= target.at_least if target.at_most is None else values <= target.at_most


def told(changes: Sequence[Change], say: Words) -> list[str]:
    """Return a sentence a scenario: its largest change of a target first, then all others.

    The scenario with the largest of all comes first; nothing where no target is in common.
    """
    by_scenario: dict[str, list[Change]] = {}
    for change in sorted(changes, key=_size, reverse=True):
        by_scenario.setdefault(change.scenario, []).append(change)
    return [_told(scenario, of_it, say) for scenario, of_it in by_scenario.items()]


def _size(change: Change) -> tuple[bool, float]:
    return change.is_clear, abs(change.difference)


def _told(scenario: str, changes: Sequence[Change], say: Words) -> str:
    """What a scenario changes, its clear changes one by one and the others together."""
    clear = [
        say(
            "compare.changed",
            target=say.title(each.target),
            before=say.percent(each.before),
            after=say.percent(each.after),
        )
        for each in changes
        if each.is_clear
    ]
    rest = [say.title(each.target) for each in changes if not each.is_clear]
    same = [say("compare.unclear", targets=say.listing(rest))] if rest else []
    said = say("compare.changes", name=scenario, changes=say.clauses([*clear, *same]))
    return say.capital(said)


def change_lines(runs: Runs, changes: Sequence[Change]) -> Iterator[str]:
    """What each scenario changes in the chance of each target, for a terminal."""
    name, baseline = next(iter(runs.items()))
    say = baseline.say
    for target in baseline.tables["targets.csv"].to_dict("records"):
        chance, asked = (say.percent(target[each]) for each in ("probability", "with_probability"))
        said = f"in {chance} of the trials of {name}, asked: {asked}"
        yield f"{say.heading(target['target'])}: {target['verdict']}, {said}"
        yield from _lines(say, [each for each in changes if each.target == target["target"]])


def _lines(say: Words, changes: Sequence[Change]) -> Iterator[str]:
    """The changes of a target beyond noise, the largest first; the others counted."""
    ordered = sorted(changes, key=_size, reverse=True)
    clear = [each for each in ordered if each.is_clear]
    for each in clear[:MOST_CHANGED]:
        change, *ends = (
            say.signed(100 * share, ".0f") for share in (each.difference, *each.within)
        )
        yield f"  {each.scenario}: {say.aside(f'{change} points', say.span(*ends))}"
    if (more := len(clear) - MOST_CHANGED) > 0:
        yield f"  {more} more: see the page"
    if others := ordered[len(clear) :]:
        bound = within(max(abs(end) for each in others for end in each.within))
        who = others[0].scenario if len(others) == 1 else f"{len(others)} others"
        yield f"  {who}: no clear difference, none beyond {bound}"

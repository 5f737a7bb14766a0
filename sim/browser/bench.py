"""What would a change bring? Two scenarios simulated beside each other, on the same people."""

from __future__ import annotations

import json
import math
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean, median
from typing import Any, NamedTuple

from sim.browser.figures import figures, hours_by_week
from sim.model.run import run
from sim.scenario.interpret import interpret
from sim.scenario.load import COMMAND_LINE, Scenario, ScenarioError, UnreadableFile, load
from sim.scenario.protocol import Protocol
from sim.vocabulary.incomplete import betaincinv
from sim.vocabulary.messages import said_in
from sim.vocabulary.words import ENGLISH

Pairs = list[tuple[float, float]]
"""What was found of one draw of the uncertain, before and after a change."""

_FEWEST = 2
"""Draws below which there is no interval."""

_AHEAD, _KEPT = 50, 200
"""Replications of the plan that are simulated while nobody asks, and that are kept at most."""


class Difference(NamedTuple):
    """Means before and after a change, of a measure or of whether a target is met, and the change.

    The interval is Student's at 95 % on the mean changes of the draws of what is uncertain; blank
    of too few draws. Of what does not happen in every replication these are medians, without one.
    """

    before: float
    after: float
    change: float
    low: float
    high: float

    @classmethod
    def of(cls, draws: Sequence[Pairs]) -> Difference:
        """Take what was found of each draw."""
        pairs = [pair for draw in draws for pair in draw]
        is_always = all(math.isfinite(each) for pair in pairs for each in pair)
        centre = fmean if is_always else median
        before, after = (float(centre(side)) for side in zip(*pairs, strict=True))
        change, number = after - before, len(draws)
        if number < _FEWEST or not is_always:
            return cls(before, after, change, math.nan, math.nan)
        changes = [fmean(late - early for early, late in draw) for draw in draws]
        mean = fmean(changes)
        spread = math.fsum((each - mean) ** 2 for each in changes) / (number - 1)
        half = _student(number - 1) * math.sqrt(spread / number)
        return cls(before, after, change, change - half, change + half)


def _student(freedom: int) -> float:
    """Return the 97.5 % quantile of Student's t (Abramowitz & Stegun 26.7.1)."""
    return math.sqrt(freedom * (1 / betaincinv(freedom / 2, 0.5, 0.05) - 1))


class _Side(NamedTuple):
    """A scenario with the protocol that it means."""

    scenario: Scenario
    protocol: Protocol

    @classmethod
    def of(cls, scenario: Scenario) -> _Side:
        return cls(scenario, interpret(scenario))

    def found(self, measured: Mapping[str, float]) -> dict[str, float]:
        """Return the measures, and of each target on one of them whether it is met."""
        met = {
            f"targets.{name}": float(low <= measured[each.measure] <= high)
            for name, each in self.scenario.targets.items()
            if each.measure in measured
            for low, high in [each.limits]
        }
        return {**measured, **met}


class _Replication(NamedTuple):
    """What was found in a replication, and hours worked by resource and week."""

    found: dict[str, float]
    hours: list[tuple[int, int, float]]


class Bench:
    """A scenario beside one that differs from it; replications are simulated in pairs."""

    def __init__(self, path: Path, seed: int = 1, language: str = ENGLISH) -> None:
        """Take the scenario of a file, unchanged as yet; raises what `load` raises."""
        self._path, self._seed, self._language = path, seed, language
        self._before = self._after = _Side.of(load(path))
        self._kept: dict[int, _Replication] = {}
        self._forget()

    def change(self, overrides: Sequence[str], text: str = "") -> list[str]:
        """Change the scenario, or take that of a text; return what is wrong, if anything is.

        Then all stays as it was.
        """
        path = self._path
        try:
            if text:
                path = path.with_name("changed.yaml")
                path.write_text(text, encoding="utf-8")
            self._after = _Side.of(load(path, overrides))
        except ScenarioError as error:
            return [self._said(each) for each in error.problems]
        except UnreadableFile as error:
            return [self._said(error)]
        self._forget()
        return []

    def _said(self, problem: object) -> str:
        """Return a complaint as a page says it, which has neither flags nor files."""
        said = said_in(self._language, str(problem)).removeprefix(f"{COMMAND_LINE.file}: ")
        return re.sub(rf"^{re.escape(str(self._path.parent))}/\w+\.yaml:", "", said)

    def _forget(self) -> None:
        self._replications = 0
        self._pairs: dict[str, dict[int, Pairs]] = {}
        self._hours: tuple[dict[tuple[int, int], float], ...] = (
            defaultdict(float),
            defaultdict(float),
        )

    def simulate(self, replications: int) -> dict[str, Any]:
        """Simulate so many more pairs; return what all of them show so far."""
        for _ in range(replications):
            self._replications += 1
            sides = (
                self._plan(self._replications),
                self._replicated(self._after, self._replications),
            )
            for side, hours in zip(sides, self._hours, strict=True):
                for resource, week, each in side.hours:
                    hours[resource, week] += each
            before, after = (side.found for side in sides)
            draw = self._before.protocol.draws.draw(self._replications)
            for name in before.keys() & after.keys():
                pairs = self._pairs.setdefault(name, defaultdict(list))
                pairs[draw].append((before[name], after[name]))
        return {
            "replications": self._replications,
            "differences": {
                name: Difference.of([*pairs.values()]) for name, pairs in self._pairs.items()
            },
            "weeks": [
                self._by_week(*each)
                for each in zip((self._before, self._after), self._hours, strict=True)
            ],
        }

    def told(self, replications: int) -> str:
        """Return the same as JSON, in which what is not finite is null."""
        return json.dumps(_finite(self.simulate(replications)))

    def ahead(self) -> bool:
        """Simulate the plan once more, to have it later; return whether there is more to simulate.

        A planner reads before changing anything: half of what will be asked is done by then.
        """
        if len(self._kept) < _AHEAD:
            self._plan(len(self._kept) + 1)
        return len(self._kept) < _AHEAD

    def _plan(self, replication: int) -> _Replication:
        known = self._kept.get(replication) or self._replicated(self._before, replication)
        if replication <= _KEPT:
            self._kept[replication] = known
        return known

    def _replicated(self, side: _Side, replication: int) -> _Replication:
        log = run(side.protocol, self._seed, replication)
        hours = defaultdict[tuple[int, int], float](float)
        for resource, week, each in hours_by_week(log, side.protocol):
            hours[resource, week] += each
        found = side.found(figures(log, side.protocol))
        return _Replication(found, [(*key, each) for key, each in hours.items()])

    def _by_week(
        self, side: _Side, hours: Mapping[tuple[int, int], float]
    ) -> dict[str, list[float]]:
        """Return the mean hours of each week, by role or room."""
        weeks = 1 + max((week for _, week in hours), default=0)
        return {
            each.name: [hours.get((n, week), 0.0) / self._replications for week in range(weeks)]
            for n, each in enumerate(side.protocol.resources)
        }


def _finite(found: Any) -> Any:  # noqa: ANN401  whatever JSON can hold
    if isinstance(found, float):
        return found if math.isfinite(found) else None
    if isinstance(found, dict):
        return {key: _finite(each) for key, each in found.items()}
    return [*map(_finite, found)] if isinstance(found, list | tuple) else found

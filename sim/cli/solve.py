"""The command that finds the value of a lever from which on a target is met."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from sim.cli.options import (
    RESULTS,
    Output,
    points_kept,
    replications_option,
    resume_option,
    scenario_argument,
    set_option,
    writing,
)
from sim.cli.terminal import SomeFailed, StepsTold

if TYPE_CHECKING:
    import pandas as pd

    from sim.experiments.solve import Solution
    from sim.results.points import Point
    from sim.results.store import Store
    from sim.scenario.levers import Lever
    from sim.scenario.load import Scenario, Variants


@click.command("solve")
@scenario_argument
@set_option
@click.option(
    "--move", metavar="PATH", required=True, help="The number, whole number or date to move."
)
@click.option("--until", metavar="TARGET", required=True, help="The target of SCENARIO to meet.")
@click.option(
    "--between", metavar="LOW:HIGH", help="The bracket to search.  [default: the number's range]"
)
@replications_option("How many where it matters; finding the neighbourhood takes a tenth each.")
@resume_option
@writing
def solve_command(
    path: Path,
    overrides: Sequence[str],
    *,
    move: str,
    until: str,
    between: str | None,
    resume: Path | None,
    output: Output,
    how: Mapping[str, Any],
) -> None:
    """Find from which value on SCENARIO meets a target; resumable."""
    from sim.report.solve import Solved
    from sim.results import folder
    from sim.results.points import POINTS_TABLE, SOLUTION_TABLE

    begun = time.perf_counter()
    asked = _prepared(path, overrides, move, until, between)
    with points_kept(asked.scenario, resume, output.out) as store:
        found, done = _solved(store, asked, StepsTold(shown=output.is_watched), how)
        tables = {SOLUTION_TABLE: _answer(found, asked), POINTS_TABLE: _steps(done)}
        facts = {"command": output.command, **_facts(found, asked, how)}
        facts |= {"seconds": round(time.perf_counter() - begun, 3)}
        finished = store.finish(asked.scenario, tables, facts, output.make, RESULTS)

    def whole() -> dict[str, Any]:
        solved = Solved(finished)
        (answer,) = folder.rows(solved.answer)
        return {"solution": answer, "points": folder.rows(solved.points)}

    output.tell(finished, whole)


class _Asked(NamedTuple):
    """What is sought, in which scenario."""

    scenario: Scenario
    variant: Variants
    lever: Lever
    until: str


def _prepared(
    path: Path, overrides: Sequence[str], move: str, until: str, between: str | None
) -> _Asked:
    """What is asked for, of which the scenario and both ends of the bracket are valid."""
    from sim.scenario.errors import closest, listed
    from sim.scenario.levers import lever
    from sim.scenario.load import MOVED, variants

    variant = variants(path, overrides, MOVED)
    scenario = variant()
    if until not in scenario.targets:
        meant = closest(until, scenario.targets)
        hint = f"did you mean {meant}?" if meant else f"there are: {listed(scenario.targets)}"
        raise click.UsageError(f"--until: {path} has no target called {until}; {hint}")
    try:
        return _Asked(scenario, variant, lever(variant, move, between), until)
    except ValueError as error:
        raise click.UsageError(f"--move: {error}") from error


def _solved(
    store: Store, asked: _Asked, told: StepsTold, how: Mapping[str, Any]
) -> tuple[Solution, list[Point]]:
    """The solution and the points that were tried for it, in their order."""
    from sim.experiments import solve
    from sim.experiments.sweep import kept_or_simulated

    done: list[Point] = []

    def attempt(place: int, replications: int) -> str:
        at = {asked.lever.path: asked.lever.text(place)}
        step = {**how, "replications": replications}
        (number,) = kept_or_simulated(store, [at], asked.variant, told, **step)
        done.append(store.point(number))
        if done[-1].outcome.error:
            raise SomeFailed(
                "a step failed, so that the search cannot go on; points.sqlite says why"
            )
        return done[-1].outcome.met[asked.until]

    found = solve.solve(
        attempt,
        asked.lever.last,
        wanted=float(asked.scenario.targets[asked.until].with_probability),
        replications=how["replications"],
        is_whole=asked.lever.is_whole,
    )
    return found, done


def _answer(found: Solution, asked: _Asked) -> pd.DataFrame:
    import pandas as pd

    lever, ends = asked.lever, {"value": found.value, "low": found.low, "high": found.high}
    said = {name: None if place is None else lever.at(place) for name, place in ends.items()}
    row = {"path": lever.path, "target": asked.until, **said, "verdict": found.verdict}
    return pd.DataFrame([row])


def _facts(found: Solution, asked: _Asked, how: Mapping[str, Any]) -> dict[str, Any]:
    """What the manifest says: what was asked, which way the lever acts, where it does not."""
    from sim.results.manifest import SOLVE

    lever = asked.lever
    return {
        "kind": SOLVE,
        "seed": how["seed"],
        "replications": how["replications"],
        "moved": lever.path,
        "moved_kind": lever.kind,
        "until": asked.until,
        "between": [lever.text(0), lever.text(lever.last)],
        "rising": found.rising,
        "fall": found.fall and [lever.text(place) for place in found.fall],
    }


def _steps(done: Sequence[Point]) -> pd.DataFrame:
    import pandas as pd

    from sim.results import points

    table = pd.concat(points.table(done))
    table.insert(3, "replications", [point.identity.replications for point in done])
    return table

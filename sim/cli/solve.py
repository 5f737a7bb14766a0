"""The command that finds the value of a lever from which on a target is met."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from sim.cli.keep import begun_or_resumed, kept_or_simulated, saying_what_is_kept
from sim.cli.options import (
    RESULTS,
    made_of_tables,
    point_options,
    refusing_places,
    refusing_scenarios,
    replications_option,
    resume_option,
    scenario_argument,
    set_option,
)
from sim.cli.terminal import SomeFailed, StepsTold, print_wrapped

if TYPE_CHECKING:
    import pandas as pd

    from sim.experiments.solve import Solution
    from sim.results.points import Point
    from sim.results.store import Store
    from sim.scenario.levers import Lever
    from sim.scenario.load import Scenario, Variants


@click.command()
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
@point_options
@click.pass_context
def solve(
    context: click.Context,
    /,
    path: Path,
    overrides: Sequence[str],
    *,
    move: str,
    until: str,
    between: str | None,
    resume: Path | None,
    out: Path | None,
    as_json: bool,
    quiet: bool,
    language: str,
    excel: bool,
    **how: Any,
) -> None:
    """Find from which value on SCENARIO meets a target; resumable."""
    from sim.report import solve as page
    from sim.results.points import POINTS_TABLE, SOLUTION_TABLE

    begun = time.perf_counter()
    asked = _prepared(path, overrides, move, until, between)
    told = StepsTold(shown=not (quiet or as_json))
    with (
        refusing_places(),
        begun_or_resumed(asked.scenario, resume, out) as new,
        saying_what_is_kept(new),
        refusing_scenarios(),
    ):
        found, done = _solved(new, asked, told, how)
        tables = {SOLUTION_TABLE: _answer(found, asked), POINTS_TABLE: _steps(done)}
        facts = {"command": context.obj, **_facts(found, asked, how)}
        facts |= {"seconds": round(time.perf_counter() - begun, 3)}
        write = made_of_tables(page.write, language, excel=excel)
        finished = new.finish(asked.scenario, tables, facts, write, RESULTS)
    _print(finished, as_json=as_json, quiet=quiet)


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

    with refusing_scenarios():
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
    new: Store, asked: _Asked, told: StepsTold, how: Mapping[str, Any]
) -> tuple[Solution, list[Point]]:
    """The solution and the points that were tried for it, in their order."""
    from sim.experiments import solve

    done: list[Point] = []

    def attempt(place: int, replications: int) -> str:
        at = {asked.lever.path: asked.lever.text(place)}
        step = {**how, "replications": replications}
        done.extend(map(new.point, kept_or_simulated(new, [at], asked.variant, told, **step)))
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
    lever = asked.lever
    return {
        "seed": how["seed"],
        "replications": how["replications"],
        "moved": lever.path,
        "kind": lever.kind,
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


def _print(finished: Path, *, as_json: bool, quiet: bool) -> None:
    from sim.report import solve as solution
    from sim.results import folder

    solved = solution.read(finished)
    if as_json:
        (answer,) = folder.rows(solved.answer)
        steps = folder.rows(solved.points)
        said = {"folder": str(finished), "solution": answer, "points": steps}
        click.echo(json.dumps(said, allow_nan=False))
        return
    if not quiet:
        print_wrapped(solution.lines(solved))
    click.echo(finished)

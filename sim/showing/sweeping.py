"""The command that simulates a scenario at many points."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from sim.showing.keeping import begun_or_resumed, kept_or_simulated, saying_what_is_kept
from sim.showing.options import (
    RESULTS,
    jobs_option,
    json_option,
    out_option,
    quiet_option,
    refusing_folders,
    refusing_scenarios,
    replications_option,
    resume_option,
    scenario_argument,
    seed_option,
    set_option,
    verbose_option,
)
from sim.showing.terminal import PointsTold, SomeFailed, print_wrapped

if TYPE_CHECKING:
    import pandas as pd

    from sim.meaning.axis import Values
    from sim.meaning.ranged import Ranged
    from sim.meaning.scenario import Scenario, Variants
    from sim.record.points import Point


@click.command()
@scenario_argument
@set_option
@click.option(
    "--vary",
    metavar="PATH=a,b,c",
    multiple=True,
    help="Values of a path, or PATH=low:high:n; repeat it for a grid.",
)
@click.option("--tornado", is_flag=True, help="Each ranged assumption to its low and its high.")
@click.option(
    "--design",
    type=click.Choice(["lhs", "morris", "sobol"]),
    help="All ranged assumptions at once: a Latin hypercube, Morris or Sobol.",
)
@click.option(
    "--points",
    type=click.IntRange(min=2),
    default=200,
    show_default=True,
    help="About how many points a --design has.",
)
@click.option(
    "--on", metavar="NAME", help="The target or measure to rank by.  [default: the first target]"
)
@replications_option("How many at each point.")
@resume_option
@click.option("--fail-fast", is_flag=True, help="Stop at the first point that fails.")
@seed_option
@jobs_option
@out_option
@json_option
@quiet_option
@verbose_option
@click.pass_context
def sweep(
    context: click.Context,
    /,
    path: Path,
    overrides: Sequence[str],
    *,
    resume: Path | None,
    out: Path | None,
    fail_fast: bool,
    as_json: bool,
    quiet: bool,
    seed: int,
    replications: int,
    jobs: int | None,
    **asked: Any,
) -> None:
    """Simulate SCENARIO at many points, on the same people; resumable."""
    begun = time.perf_counter()
    scenario, variant, plan = _prepared(path, overrides, seed, asked)
    told = PointsTold(len(plan.places), replications, shown=not (quiet or as_json))
    how = {"seed": seed, "replications": replications, "jobs": jobs}
    with (
        refusing_folders(),
        begun_or_resumed(scenario, resume, out) as new,
        saying_what_is_kept(new, len(plan.places)),
    ):
        done = [*kept_or_simulated(new, plan.places, variant, told, fail_fast=fail_fast, **how)]
        facts = {"command": context.obj, "seed": seed, "replications": replications}
        tables, more, page = _told(plan, done, seed)
        facts |= {**more, "seconds": round(time.perf_counter() - begun, 3)}
        finished = new.finish(scenario, tables, facts, page, RESULTS)
    _print(finished, as_json=as_json, quiet=quiet)
    if failed := sum(bool(point.outcome.error) for point in done):
        raise SomeFailed(f"{failed} of {len(done)} points failed; journal.jsonl says why")


class Plan(NamedTuple):
    """The points of a sweep; of a ranking also its design, what it moves and what it ranks by."""

    places: Sequence[Values]
    design: str = ""
    moved: Sequence[Ranged] = ()
    on: str = ""


def _prepared(
    path: Path, overrides: Sequence[str], seed: int, asked: Mapping[str, Any]
) -> tuple[Scenario, Variants, Plan]:
    """The scenario, what makes its points, and the points, of which every one is valid."""
    from sim.meaning.scenario import variants

    with refusing_scenarios():
        variant = variants(path, overrides)
        plan = _plan(variant(), seed, **asked)
        for at in plan.places:
            variant(at)
    return variant(), variant, plan


def _plan(
    scenario: Scenario,
    seed: int,
    *,
    vary: Sequence[str],
    tornado: bool,
    design: str | None,
    points: int,
    on: str | None,
) -> Plan:
    from sim.experiments import ranking
    from sim.experiments.designs import NoSalib
    from sim.meaning.axis import axis, grid
    from sim.meaning.ranged import ranged

    if sum((bool(vary), tornado, bool(design))) != 1:
        raise click.UsageError("ask for one of --vary, --tornado and --design")
    if vary and on:
        raise click.UsageError("--on: a grid shows every target")
    try:
        if vary:
            return Plan(list(grid([axis(text) for text in vary])))
        moved, kind = ranged(scenario), design or ranking.TORNADO
        if not moved:
            raise click.UsageError("no number of the assumptions has a range to move it in")
        places = ranking.places(kind, moved, points, seed)
    except (ValueError, NoSalib) as error:
        flag = "--vary" if vary else "--points"
        raise click.UsageError(f"{flag}: {error}") from error
    return Plan(places, kind, moved, _on(scenario, on))


def _on(scenario: Scenario, on: str | None) -> str:
    """The target or measure to rank by; without a word the first target, else those randomised."""
    from sim.meaning.complaints import closest
    from sim.meaning.interpretation import interpret
    from sim.record.measures import names

    if on is None:
        return next(iter(scenario.targets), "randomised")
    known = [*scenario.targets, *names(interpret(scenario))]
    if on not in known:
        meant = closest(on, known)
        hint = f"; did you mean {meant}?" if meant else ""
        raise click.UsageError(f"--on: no target or measure is called {on}{hint}")
    return on


def _told(
    plan: Plan, done: Sequence[Point], seed: int
) -> tuple[dict[str, pd.DataFrame], dict[str, Any], Callable[[Path], None]]:
    """The tables of a sweep, what its manifest says beside, and what writes its page."""
    import pandas as pd

    from sim.experiments import designs, ranking
    from sim.record import points, unfinished
    from sim.showing import landscape
    from sim.showing import ranking as page

    tables = {unfinished.POINTS: points.table(done)}
    facts = {"varied": list(plan.places[0]), "points": len(done)}
    if not plan.design:
        return tables, facts, landscape.write
    found = ranking.rank(plan.design, plan.moved, done, plan.on, seed)
    rows = [(path, plan.on, *rest) for path, *rest in found]
    columns = ["path", "measure", "index", "value", "ci_low", "ci_high"]
    tables[unfinished.SENSITIVITY] = pd.DataFrame(rows, columns=columns)
    luck, _ = ranking.luck_and_ignorance(plan.design, done, plan.on)
    wide = designs.too_few(found)
    facts |= {"kind": plan.design, "on": plan.on, "too_few_points_for": wide}
    return tables, {**facts, "luck": None if math.isnan(luck) else luck}, page.write


def _print(finished: Path, *, as_json: bool, quiet: bool) -> None:
    from sim.record import folder
    from sim.record.unfinished import SENSITIVITY
    from sim.showing import landscape, ranking

    sweep = landscape.read(finished)
    ranked = ranking.read(finished) if (finished / SENSITIVITY).is_file() else None
    if as_json:
        said: dict[str, Any] = {"folder": str(finished), "points": folder.rows(sweep.points)}
        if ranked is not None:
            said["sensitivity"] = folder.rows(ranked.table)
        click.echo(json.dumps(said, allow_nan=False))
        return
    if not quiet:
        print_wrapped(landscape.lines(sweep) if ranked is None else ranking.lines(ranked))
    click.echo(finished)

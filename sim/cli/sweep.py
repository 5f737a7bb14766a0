"""The command that simulates a scenario at many points."""

from __future__ import annotations

import time
from array import array
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

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
from sim.cli.terminal import PointsTold, SomeFailed

if TYPE_CHECKING:
    import pandas as pd

    from sim.experiments.sensitivity import Plan
    from sim.results.store import Done
    from sim.scenario.load import Scenario, Variants
    from sim.scenario.sweep import Asked


@click.command("sweep")
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
    help="About how many points a --design has.  [default: 200]",
)
@click.option(
    "--on", metavar="NAME", help="The target or measure to rank by.  [default: the first target]"
)
@replications_option("How many at each point.")
@resume_option
@click.option("--fail-fast", is_flag=True, help="Stop at the first point that fails.")
@writing
def sweep_command(
    path: Path,
    overrides: Sequence[str],
    *,
    resume: Path | None,
    fail_fast: bool,
    output: Output,
    how: Mapping[str, Any],
    **asked: Any,
) -> None:
    """Simulate SCENARIO at many points, on the same people; resumable.

    Without --vary, --tornado and --design the points are those of the scenario's own `sweep`.
    """
    from sim.experiments.sweep import kept_or_simulated
    from sim.results.points import PLANNED_TABLE, planned
    from sim.results.store import Done

    begun = time.perf_counter()
    scenario, variant, plan = _prepared(path, overrides, how["seed"], asked)
    count = len(plan.places)
    told = PointsTold(count, how["replications"], shown=output.is_watched, fail_fast=fail_fast)
    with points_kept(scenario, resume, output.out, count) as store:
        store.write(PLANNED_TABLE, planned(plan.places))
        numbers = kept_or_simulated(store, plan.places, variant, told, pairs=plan.pairs, **how)
        done = Done(store, array("Q", numbers))
        failed = sum(bool(point.outcome.error) for point in done)
        facts = {"command": output.command} | {name: how[name] for name in ("seed", "replications")}
        tables, more = _told(plan, done, how["seed"])
        facts |= {**more, "seconds": round(time.perf_counter() - begun, 3)}
        finished = store.finish(scenario, tables, facts, output.make, RESULTS)
    output.tell(finished, partial(_as_object, finished))
    if failed:
        raise SomeFailed(f"{failed} of {count} points failed; points.sqlite says why")


def _prepared(
    path: Path, overrides: Sequence[str], seed: int, flags: Mapping[str, Any]
) -> tuple[Scenario, Variants, Plan]:
    """The scenario, what makes its points, and the points, of which every one is valid."""
    from sim.experiments.designs import NoSalib
    from sim.experiments.sensitivity import plan
    from sim.scenario.load import variants

    variant = variants(path, overrides)
    scenario = variant()
    by_flags = bool(flags["vary"] or flags["tornado"] or flags["design"])
    try:
        planned = plan(scenario, _asked(scenario, **flags), seed)
    except (ValueError, NoSalib) as error:
        raise click.UsageError(f"--points: {error}") from error
    for at in planned.places:
        variant(at, planned=not by_flags)
    return scenario, variant, planned


def _asked(
    scenario: Scenario,
    *,
    vary: Sequence[str],
    tornado: bool,
    design: str | None,
    points: int | None,
    on: str | None,
) -> Asked:
    """What the flags ask for, and where they do not, the scenario's own sweep."""
    from sim.scenario.sweep import TORNADO, Asked, axis

    kinds = sum((bool(vary), tornado, bool(design)))
    if kinds > 1 or not (kinds or scenario.sweep):
        raise click.UsageError(
            "ask for one of --vary, --tornado and --design, here or under sweep: in the scenario"
        )
    if kinds or scenario.sweep is None:
        try:
            axes = tuple(map(axis, vary))
        except ValueError as error:
            raise click.UsageError(f"--vary: {error}") from error
        asked = Asked(axes, TORNADO if tornado else design or "")
    else:
        asked = scenario.sweep.asked
    if on is not None:
        asked = asked._replace(on=_on(scenario, asked, on))
    if points is not None:
        if asked.design in ("", TORNADO):
            raise click.UsageError("--points: only a --design has a number of points")
        asked = asked._replace(points=points)
    return asked


def _on(scenario: Scenario, asked: Asked, on: str) -> str:
    """The target or measure of this name."""
    from sim.scenario.errors import closest

    if asked.axes:
        raise click.UsageError("--on: a grid shows every target")
    if on not in (known := scenario.rankable()):
        meant = closest(on, known)
        hint = f"; did you mean {meant}?" if meant else ""
        raise click.UsageError(f"--on: no target or measure is called {on}{hint}")
    return on


def _told(plan: Plan, done: Done, seed: int) -> tuple[dict[str, pd.DataFrame], dict[str, Any]]:
    """The tables of a sweep, and what its manifest says beside."""
    import pandas as pd

    from sim.experiments import designs, sensitivity
    from sim.results import points
    from sim.results.manifest import SWEEP

    done.store.write(points.POINTS_TABLE, points.table(done, plan.on))
    facts = {"kind": plan.design or SWEEP, "varied": [*plan.places.paths], "points": len(done)}
    if not plan.design:
        return {}, facts
    found = sensitivity.indices(plan.design, plan.moved, done, plan.on, seed)
    table = pd.DataFrame(found)
    table.insert(1, "measure", plan.on)
    facts |= {
        "on": plan.on,
        "too_few_points_for": designs.too_few(found),
        "luck": sensitivity.luck(plan.design, done, plan.on),
    }
    return {points.SENSITIVITY_TABLE: table}, facts


def _as_object(finished: Path) -> dict[str, Any]:
    from sim.report.sensitivity import Ranking
    from sim.report.sweep import Swept
    from sim.results import folder
    from sim.results.points import SENSITIVITY_TABLE

    said = {"points": folder.rows(Swept(finished).points)}
    if (finished / SENSITIVITY_TABLE).is_file():
        said["sensitivity"] = folder.rows(Ranking(finished).table)
    return said

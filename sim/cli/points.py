"""The commands of many points: to sweep over them, and to find where a target begins to be met."""

from __future__ import annotations

import time
from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sim.cli.observed import logs_of, observed_options
from sim.cli.options import (
    Output,
    one_folder,
    replications_option,
    resume_option,
    scenario_argument,
    set_option,
    writing,
)
from sim.cli.progress import PointsTold, namer
from sim.cli.speech import say, spoken
from sim.cli.terminal import SomeFailed, examples

if TYPE_CHECKING:
    import pandas as pd

    from sim.experiments.sensitivity import Plan
    from sim.experiments.solve import Solution
    from sim.results.points import Point
    from sim.results.store import Done, Store
    from sim.scenario.levers import Lever
    from sim.scenario.load import Scenario, Variants
    from sim.scenario.sweep import Asked

    Written = tuple[dict[str, pd.DataFrame], dict[str, Any]]
    """Tables of a folder, and what its manifest says beside."""

RESULTS = Path("results")
STEP_FAILED = "a step failed, so that the search cannot go on; points.sqlite says why"


@click.command(
    "sweep",
    epilog=examples(
        "sweep baseline --tornado --replications 200",
        "sweep baseline --vary assumptions.recruitment.consent=0.5,0.7,0.9",
    ),
)
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
    scenario, variant, plan = _planned(path, overrides, how["seed"], asked)
    count = len(plan.places)
    if output.dry_run:
        _foresee(output, scenario, count, how)
        return
    name = namer(_name(scenario), plan.base)
    watched = {"shown": output.is_watched, "fail_fast": fail_fast}
    told = PointsTold(how["replications"], name, count, **watched)
    with _points_kept(scenario, resume, output.out, count) as store, closing(told):
        store.write(PLANNED_TABLE, planned(plan.places))
        numbers = kept_or_simulated(store, plan.places, variant, told, pairs=plan.pairs, **how)
        done = Done(store, array("Q", numbers))
        failed = sum(bool(point.outcome.error) for point in done)
        tables, facts = _ranked(plan, done, how["seed"])
        facts |= _facts(output, how, begun)
        finished = store.finish(scenario, tables, facts, output.make, RESULTS)
    output.tell(finished)
    if failed:
        raise SomeFailed(f"{failed} of {count} points failed; points.sqlite says why")


def _name(scenario: Scenario) -> Callable[[str], str]:
    """What calls each path as people read it."""
    from sim.scenario.titles import called, path_titles

    return path_titles(scenario, called(scenario, spoken()))


def _planned(
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
    from sim.scenario.errors import did_you_mean

    if asked.axes:
        raise click.UsageError("--on: a grid shows every target")
    if on not in (known := scenario.rankable()):
        hint = did_you_mean(on, known)
        raise click.UsageError(f"--on: no target or measure is called {on}{hint}")
    return on


def _ranked(plan: Plan, done: Done, seed: int) -> Written:
    """What there is to write of a sweep beside its points."""
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
        "ignorance": sensitivity.ignorance_between(plan.design, done, plan.on),
    }
    return {points.SENSITIVITY_TABLE: table}, facts


@click.command(
    "solve",
    epilog=examples("solve baseline --move design.trial.opens --until forty_randomised"),
)
@scenario_argument
@set_option
@observed_options(required=False)
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
    until: str,
    observed: Path | None,
    as_of: datetime | None,
    resume: Path | None,
    output: Output,
    how: Mapping[str, Any],
    **moved: Any,
) -> None:
    """Find from which value on SCENARIO meets a target; resumable.

    With --observed the trial goes on from its log, and the value is another one from then on.
    """
    from sim.experiments import solve
    from sim.experiments.sweep import kept_or_simulated

    begun = time.perf_counter()
    scenario, variant, lever = _bracketed(path, overrides, until, **moved)
    ends = [variant({lever.path: lever.text(place)}) for place in (0, lever.last)]
    log, *_ = logs_of([scenario, *ends], observed, as_of)
    known = {"log": log, "plan": scenario} if log else {}
    if output.dry_run:
        _foresee(output, scenario, lever, how)
        return
    name, each = namer(_name(scenario)), how["replications"]
    told = PointsTold(each, name, shown=output.is_watched)
    done: list[Point] = []

    def attempt(place: int, replications: int) -> str:
        at, step = {lever.path: lever.text(place)}, {**how, **known, "replications": replications}
        (number,) = kept_or_simulated(store, [at], variant, told, **step)
        done.append(store.point(number))
        if done[-1].outcome.error:
            raise SomeFailed(STEP_FAILED)
        return done[-1].outcome.met[until]

    with _points_kept(scenario, resume, output.out) as store, closing(told):
        found = solve.solve(attempt, lever.last, **solve.sought(scenario, until, lever, each))
        tables, facts = _answered(found, lever, until, done)
        facts |= _facts(output, how, begun) | ({"as_of": str(log.as_of)} if log else {})
        finished = store.finish(scenario, tables, facts, output.make, RESULTS)
    output.tell(finished)


def _foresee(output: Output, scenario: Scenario, over: int | Lever, how: Mapping[str, Any]) -> None:
    """Say what would be simulated: so many points, or a search."""
    from sim.experiments.solve import USUAL_STEPS

    each = how["replications"]
    if isinstance(over, int):
        said = f"{over:,} points of {scenario.scenario}, {each:,} replications of each"
        output.foresee(said, scenario, over * each, how)
        return
    low, high = map(over.text, (0, over.last))
    steps = f"some {USUAL_STEPS} steps of up to {each:,} replications"
    said = f"A search of {over.path} between {low} and {high}, {steps}"
    output.foresee(said, scenario, USUAL_STEPS * each // 2, how)


def _bracketed(
    path: Path, overrides: Sequence[str], until: str, move: str, between: str | None
) -> tuple[Scenario, Variants, Lever]:
    """The scenario, what makes its points, and the lever, of which both ends are valid."""
    from sim.scenario.errors import did_you_mean, listed
    from sim.scenario.levers import lever
    from sim.scenario.load import MOVED, variants

    variant = variants(path, overrides, MOVED)
    scenario = variant()
    if until not in scenario.targets:
        hint = did_you_mean(until, scenario.targets) or f"; there are: {listed(scenario.targets)}"
        raise click.UsageError(f"--until: {path} has no target called {until}{hint}")
    try:
        return scenario, variant, lever(variant, move, between)
    except ValueError as error:
        raise click.UsageError(f"--move: {error}") from error


def _answered(found: Solution, lever: Lever, until: str, done: Sequence[Point]) -> Written:
    """What there is to write of a search: the answer, its steps, and which way the lever acts."""
    import pandas as pd

    from sim.results import points
    from sim.results.manifest import SOLVE

    ends = {"value": found.value, "low": found.low, "high": found.high}
    said = {name: None if place is None else lever.at(place) for name, place in ends.items()}
    answer = {"path": lever.path, "target": until, **said, "verdict": found.verdict}
    steps = pd.concat(points.table(done))
    steps.insert(3, "replications", [point.identity.replications for point in done])
    facts = {
        "kind": SOLVE,
        "moved": lever.path,
        "moved_kind": lever.kind,
        "until": until,
        "between": [lever.text(0), lever.text(lever.last)],
        "rising": found.rising,
        "fall": found.fall and [lever.text(place) for place in found.fall],
    }
    return {points.SOLUTION_TABLE: pd.DataFrame([answer]), points.POINTS_TABLE: steps}, facts


def _facts(output: Output, how: Mapping[str, Any], begun: float) -> dict[str, Any]:
    """What a manifest says of how the points were simulated."""
    said = {name: how[name] for name in ("seed", "replications")}
    seconds = round(time.perf_counter() - begun, 3)
    return {"command": output.command, **said, "seconds": seconds}


@contextmanager
def _points_kept(
    scenario: Scenario, resume: Path | None, out: Path | None, planned: int | None = None
) -> Iterator[Store]:
    """The folder to keep points in, a new one or that of a command that did not end.

    Whatever breaks the block off: say what is not lost, and how to go on.
    """
    from sim.results import store

    one_folder(resume, out)
    with store.resumed(resume) if resume else store.started(scenario, RESULTS, out) as opened:
        try:
            yield opened
        except BaseException:
            if kept := opened.kept():
                of_all = "" if planned is None else f" of {planned}"
                said = f"{kept}{of_all} points are kept; to go on, repeat the command with"
                say(f"\n{said}\n  --resume {opened.part}", err=True)
            raise

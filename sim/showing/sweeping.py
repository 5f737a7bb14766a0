"""The command that simulates a scenario at many points."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sim.showing.options import (
    RESULTS,
    jobs_option,
    json_option,
    out_option,
    quiet_option,
    refusing_folders,
    refusing_scenarios,
    scenario_argument,
    seed_option,
    set_option,
    verbose_option,
)
from sim.showing.terminal import PointsTold, SomeFailed, print_wrapped

if TYPE_CHECKING:
    from sim.meaning.axis import Values
    from sim.meaning.scenario import Variants
    from sim.record.points import Point
    from sim.record.unfinished import Unfinished


@click.command()
@scenario_argument
@set_option
@click.option(
    "--vary",
    metavar="PATH=a,b,c",
    multiple=True,
    required=True,
    help="Values of a path, or PATH=low:high:n; repeat it for a grid.",
)
@click.option(
    "--replications",
    type=click.IntRange(min=1),
    default=1000,
    show_default=True,
    help="How many at each point.",
)
@click.option(
    "--resume",
    metavar="FOLDER",
    type=click.Path(path_type=Path),
    help="Go on in the .part folder of a sweep that did not end.",
)
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
    vary: Sequence[str],
    resume: Path | None,
    out: Path | None,
    fail_fast: bool,
    as_json: bool,
    quiet: bool,
    **how: Any,
) -> None:
    """Simulate SCENARIO at every point of a grid, on the same people; resumable."""
    from sim.meaning.scenario import variants
    from sim.record import unfinished
    from sim.showing import landscape

    if resume is not None and out is not None:
        raise click.UsageError("--resume goes on in its own folder; leave --out away")
    places, begun = _grid(vary), time.perf_counter()
    told = PointsTold(len(places), how["replications"], shown=not (quiet or as_json))
    with refusing_scenarios():
        variant = variants(path, overrides)
        scenario = variant()
        for at in places:
            variant(at)
    with (
        refusing_folders(),
        unfinished.resumed(resume) if resume else unfinished.started(scenario, RESULTS, out) as new,
        _saying_what_is_kept(new, len(places)),
    ):
        done = [*_points(new, places, variant, told, fail_fast=fail_fast, **how)]
        facts = {"command": context.obj, "varied": list(places[0]), "points": len(done)}
        facts |= {"seed": how["seed"], "replications": how["replications"]}
        facts["seconds"] = round(time.perf_counter() - begun, 3)
        finished = new.finish(scenario, done, facts, landscape.write, RESULTS)
    _print(finished, as_json=as_json, quiet=quiet)
    failed = sum(bool(point.outcome.error) for point in done)
    if failed:
        raise SomeFailed(f"{failed} of {len(done)} points failed; journal.jsonl says why")


def _grid(vary: Sequence[str]) -> list[Values]:
    from sim.meaning.axis import axis, grid

    try:
        return list(grid([axis(text) for text in vary]))
    except ValueError as error:
        raise click.UsageError(f"--vary: {error}") from error


@contextmanager
def _saying_what_is_kept(new: Unfinished, planned: int) -> Iterator[None]:
    """Whatever breaks a sweep off: say what is not lost, and how to go on."""
    try:
        yield
    except BaseException:
        if kept := len(new.known()):
            said = f"{kept} of {planned} points are kept; to go on, repeat the command with"
            click.echo(f"\n{said}\n  --resume {new.part}", err=True)
        raise


def _points(
    new: Unfinished,
    places: Sequence[Values],
    variant: Variants,
    told: PointsTold,
    *,
    fail_fast: bool,
    **how: Any,
) -> Iterator[Point]:
    """Yield every point in the order of the grid: those kept before, the others as they end."""
    from sim.experiments.sweep import simulate
    from sim.record.points import identity

    known = {_words(point.at): point for point in new.known()}
    reused: dict[str, Point] = {}
    for at in places:
        before = known.get(place := _words(at))
        if before is not None:
            now = identity(variant(at), how["seed"], how["replications"])
            changed = before.identity.differs_from(now)
            told.found(place, changed)
            if not changed:
                reused[place] = before
    todo = [at for at in places if _words(at) not in reused]
    fresh = simulate(todo, variant, progress=told.advance, **how)
    for place in map(_words, places):
        if place in reused:
            yield reused[place]
            continue
        point = next(fresh)
        new.keep(point)
        told.ended(place, point.outcome.error)
        if point.outcome.error and fail_fast:
            raise SomeFailed("stopped at the first point that failed (--fail-fast)")
        yield point


def _words(at: Mapping[str, str]) -> str:
    return ", ".join(f"{path}={value}" for path, value in at.items())


def _print(finished: Path, *, as_json: bool, quiet: bool) -> None:
    from sim.showing import landscape

    sweep = landscape.read(finished)
    if as_json:
        rows = sweep.points.astype(object)
        points = rows.where(rows.notna(), None).to_dict("records")
        click.echo(json.dumps({"folder": str(finished), "points": points}, allow_nan=False))
        return
    if not quiet:
        print_wrapped(landscape.lines(sweep))
    click.echo(finished)

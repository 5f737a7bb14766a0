"""What the commands of many points share: each point is kept at once, and found when resumed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sim.showing.options import RESULTS
from sim.showing.terminal import PointsTold, SomeFailed

if TYPE_CHECKING:
    from sim.meaning.axis import Values
    from sim.meaning.scenario import Scenario, Variants
    from sim.record.points import Point
    from sim.record.unfinished import Unfinished


def begun_or_resumed(
    scenario: Scenario, resume: Path | None, out: Path | None
) -> AbstractContextManager[Unfinished]:
    """Return the folder to keep points in, a new one or that of a command that did not end."""
    from sim.record import unfinished

    if resume is None:
        return unfinished.started(scenario, RESULTS, out)
    if out is not None:
        raise click.UsageError("--resume goes on in its own folder; leave --out away")
    return unfinished.resumed(resume)


@contextmanager
def saying_what_is_kept(new: Unfinished, planned: int | None = None) -> Iterator[None]:
    """Whatever breaks a command off: say what is not lost, and how to go on."""
    try:
        yield
    except BaseException:
        if kept := len(new.known()):
            of_all = "" if planned is None else f" of {planned}"
            said = f"{kept}{of_all} points are kept; to go on, repeat the command with"
            click.echo(f"\n{said}\n  --resume {new.part}", err=True)
        raise


def kept_or_simulated(
    new: Unfinished,
    places: Sequence[Values],
    variant: Variants,
    told: PointsTold,
    *,
    fail_fast: bool,
    **how: Any,
) -> Iterator[Point]:
    """Yield every point in the order of the places: those kept before, the others as they end.

    Of several kept at one place the one with what is asked now (`how`) is taken.
    """
    from sim.experiments.sweep import simulate
    from sim.record.points import identity

    kept: dict[str, list[Point]] = {}
    for point in new.known():
        kept.setdefault(_words(point.at), []).append(point)
    reused: dict[str, Point] = {}
    for at in places:
        if before := kept.get(place := _words(at)):
            now = identity(variant(at), how["seed"], how["replications"])
            last = min(before, key=lambda point: len(point.identity.differs_from(now)))
            changed = last.identity.differs_from(now)
            told.found(place, changed)
            if not changed:
                reused[place] = last
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

"""What the commands of many points share: each point is kept at once, and found when resumed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sim.cli.options import RESULTS
from sim.cli.terminal import PointsTold, SomeFailed

if TYPE_CHECKING:
    from sim.results.unfinished import Unfinished
    from sim.scenario.axis import Values
    from sim.scenario.load import Scenario, Variants

NOWHERE = -1


def begun_or_resumed(
    scenario: Scenario, resume: Path | None, out: Path | None
) -> AbstractContextManager[Unfinished]:
    """Return the folder to keep points in, a new one or that of a command that did not end."""
    from sim.results import unfinished

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
    places: Iterable[Values],
    variant: Variants,
    told: PointsTold,
    *,
    fail_fast: bool = False,
    pairs: str = "",
    **how: Any,
) -> Iterator[int]:
    """Yield where every point is, in the order of the places: kept before, or as it ends.

    Of several kept at one place the one most like what is asked now is taken. Every point keeps the
    replications' values of the measure `pairs`. The places are gone through again and again.
    """
    from sim.experiments.sweep import simulate
    from sim.results.unfinished import key

    known, reused = new.known(), dict[bytes, int]()
    for at in places:
        if kept := known.get(key(at)):
            changed, where = min(
                ((_changed(new, each, variant(at), pairs, how), each) for each in kept),
                key=lambda found: len(found[0]),
            )
            told.found(_words(at), changed)
            if not changed:
                reused[key(at)] = where
    todo = (at for at in places if key(at) not in reused)
    fresh = simulate(todo, variant, progress=told.advance, pairs=pairs, **how)
    for at in places:
        if (where := reused.get(key(at), NOWHERE)) == NOWHERE:
            point = next(fresh)
            where = new.keep(point)
            told.ended(_words(at), point.outcome.error)
            if point.outcome.error and fail_fast:
                raise SomeFailed("stopped at the first point that failed (--fail-fast)")
        yield where


def _changed(
    new: Unfinished, where: int, scenario: Scenario, pairs: str, how: Mapping[str, Any]
) -> list[str]:
    """Return what is not as in the point that is kept there."""
    from sim.results.points import identity

    before = new.point(where)
    changed = before.identity.differs_from(identity(scenario, how["seed"], how["replications"]))
    if pairs and pairs not in before.outcome.each:
        changed.append("measure ranked by")
    return changed


def _words(at: Mapping[str, str]) -> str:
    return ", ".join(f"{path}={value}" for path, value in at.items())

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
    from sim.results.store import Store
    from sim.scenario.axis import Values
    from sim.scenario.load import Scenario, Variants


def begun_or_resumed(
    scenario: Scenario, resume: Path | None, out: Path | None
) -> AbstractContextManager[Store]:
    """Return the folder to keep points in, a new one or that of a command that did not end."""
    from sim.results import store

    if resume is None:
        return store.started(scenario, RESULTS, out)
    if out is not None:
        raise click.UsageError("--resume goes on in its own folder; leave --out away")
    return store.resumed(resume)


@contextmanager
def saying_what_is_kept(store: Store, planned: int | None = None) -> Iterator[None]:
    """Whatever breaks a command off: say what is not lost, and how to go on."""
    try:
        yield
    except BaseException:
        if kept := store.kept():
            of_all = "" if planned is None else f" of {planned}"
            said = f"{kept}{of_all} points are kept; to go on, repeat the command with"
            click.echo(f"\n{said}\n  --resume {store.part}", err=True)
        raise


def kept_or_simulated(
    store: Store,
    places: Iterable[Values],
    variant: Variants,
    told: PointsTold,
    *,
    fail_fast: bool = False,
    pairs: str = "",
    **how: Any,
) -> Iterator[int]:
    """Yield the number of every point, in the order of the places: kept before, or as it ends.

    Of several kept at one place the one most like what is asked now is taken. Every point keeps the
    replications' values of the measure `pairs`. The places are gone through again and again.
    """
    from sim.experiments.sweep import simulate
    from sim.results.points import identity

    reused = dict[int, int]()
    for index, at in enumerate(() if store.is_empty() else places):
        asked = identity(variant(at), how["seed"], how["replications"])
        if (found := store.most_like(at, asked, pairs)) is not None:
            kept, changed = found
            told.found(_words(at), changed)
            if not changed:
                reused[index] = kept
    todo = (at for index, at in enumerate(places) if index not in reused)
    fresh = simulate(todo, variant, progress=told.advance, pairs=pairs, **how)
    for index, at in enumerate(places):
        number = reused.get(index)
        if number is None:
            point = next(fresh)
            number = store.keep(point)
            told.ended(_words(at), point.outcome.error)
            if point.outcome.error and fail_fast:
                raise SomeFailed("stopped at the first point that failed (--fail-fast)")
        yield number


def _words(at: Mapping[str, str]) -> str:
    return ", ".join(f"{path}={value}" for path, value in at.items())

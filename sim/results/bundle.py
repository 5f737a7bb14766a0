"""Several runs in one folder: side by side, or a run joined by sweeps of its scenario."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from hashlib import sha256
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import pandas as pd

from sim.results import folder
from sim.results.folder import AS_IT_WAS, PART, REPLICATIONS, SCENARIO, WORKBOOK, FolderRefused
from sim.results.manifest import COMPARE, HELD, facts_of, now
from sim.results.pairs import differences
from sim.scenario.load import Scenario, dump, load


def _compared(runs: Mapping[str, Path]) -> dict[str, pd.DataFrame]:
    read = {name: folder.read(run, "replications.csv") for name, run in runs.items()}
    return {"compare.csv": differences(read)}


class Together(NamedTuple):
    """What runs in one folder are: its kind, its tables, and what its manifest says beside.

    Runs of one `scenario` stand under its name, and it beside them.
    """

    kind: str
    tables: Callable[[Mapping[str, Path]], Mapping[str, pd.DataFrame]]
    facts: Mapping[str, Any] = MappingProxyType({})
    scenario: Scenario | None = None


SIDE_BY_SIDE = Together(COMPARE, _compared)


def gather(  # noqa: PLR0913  as of `write`
    place: Mapping[str, Callable[[Path], object]],
    *,
    command: str,
    page: Callable[[Path], None],
    together: Together = SIDE_BY_SIDE,
    root: Path = Path("results"),
    out: Path | None = None,
    resume: Path | None = None,
    keeping: folder.Keeping = lambda _: nullcontext(),
) -> Path:
    """Put finished runs in one folder; give its path.

    `place` puts the run of each scenario, the baseline first, under the path it is given. The
    folder, `root/compare/<time>-<digest>` or `out` itself, holds them by the names of their
    scenarios, with what they are `together`, a manifest and the page. Raises FolderRefused as
    `write` does, and where the runs are not of the same seed and replications, so that nobody can
    be paired. What is left of runs that have not ended is kept, and `resume` is such a folder.
    """
    started, begun = now(), time.perf_counter()
    digest, scenario = sha256("\n".join(place).encode()).hexdigest(), together.scenario
    group = COMPARE if scenario is None else scenario.scenario
    place_of_all = folder.appearing(root, group, digest, started, out, resume)
    with place_of_all as (part, target), keeping(part):
        there = {each.name.removesuffix(PART) for each in part.iterdir() if each.is_dir()}
        if others := sorted(there - place.keys()):
            raise FolderRefused(f"{part}: holds {others[0]}, which is not compared; {AS_IT_WAS}")
        for name, put in place.items():
            put(part / name)
        seconds = time.perf_counter() - begun
        alike = _alike([part / name for name in place])
        if scenario is not None:
            folder.write_file(part / SCENARIO, dump(scenario))
        tables = together.tables({name: part / name for name in place})
        named = {"kind": together.kind, "command": command, HELD[together.kind]: list(place)}
        facts = {**named, **alike, **together.facts, **facts_of(started, seconds)}
        folder.complete(part, {name: [each] for name, each in tables.items()}, facts, page)
        for kept in part.rglob(REPLICATIONS):
            kept.unlink()
    return target


def put(run: Callable[[Path, Path | None], object], place: Path) -> None:
    """Let a run of several simulate at a place, on from what an earlier try has left there.

    A run that ended there is told once more from what is kept, without simulating.
    """
    part = folder.part_of(place)
    if place.exists():
        place.rename(part)
    if part.exists() and not (part / REPLICATIONS).exists():  # ended as soon as it was made
        shutil.rmtree(part)
    run(place, part if part.exists() else None)


def join(
    run: Path,
    others: Sequence[Path],
    *,
    page: Callable[[Path], None],
    root: Path = Path("results"),
    out: Path | None = None,
) -> Path:
    """Copy a run with sweeps and searches of its scenario into one folder; give its path.

    The folder stands where that of the run would, or is `out`; see `copy`. Raises FolderRefused as
    `write` does.
    """
    digest = folder.manifest(run)["scenario_digest"]
    started = now()
    with folder.appearing(root, load(run / SCENARIO).scenario, digest, started, out) as (
        part,
        target,
    ):
        copy(run, others, part)
        page(part)
    return target


def copy(run: Path, others: Sequence[Path], to: Path) -> None:
    """Copy a run's folder, and into it those of others, whose names its manifest lists.

    Workbooks, which can be made again, are left behind, and files half written.
    """
    made = shutil.ignore_patterns(WORKBOOK, f"*{PART}")
    shutil.copytree(run, to, dirs_exist_ok=True, ignore=made)
    facts = folder.manifest(run)
    joined = list(facts.get("joined", ()))
    for other in others:
        names = folder.numbered(folder.manifest(other)["kind"])
        joined.append(next(name for name in names if name not in joined))
        shutil.copytree(other, to / joined[-1], ignore=made)
    if others:
        folder.write_manifest(to, {**facts, "joined": joined})


def _alike(runs: Sequence[Path]) -> dict[str, int]:
    """The seed and the number of replications of all these runs."""
    manifests = {run.name: folder.manifest(run) for run in runs}
    alike = {}
    for fact in ("seed", "replications"):
        of_run = {name: facts[fact] for name, facts in manifests.items()}
        if len({*of_run.values()}) > 1:
            said = ", ".join(f"{name} {value}" for name, value in of_run.items())
            raise FolderRefused(f"not the same {fact}, so their people cannot be paired: {said}")
        alike[fact] = next(iter(of_run.values()))
    return alike

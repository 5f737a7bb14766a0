"""The folder of a sweep while it grows: finished points are never lost, and are found again.

It stands under the name of the finished folder with `.part` behind it, holds the points planned and
a journal of those done, and is renamed when all is written. Points are read from the journal one by
one, so that memory does not grow with what came out of them.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pandas as pd

from sim.results import folder, journal
from sim.results.folder import PART, SCENARIO, FolderRefused
from sim.results.points import Point
from sim.scenario.axis import Values
from sim.scenario.load import Scenario, dump

try:
    import fcntl
except ImportError:  # a system without such locks goes without
    fcntl = None  # type: ignore[assignment]

JOURNAL, PLANNED = "journal.jsonl", "planned.csv"
POINTS, SENSITIVITY, SOLUTION = "points.csv", "sensitivity.csv", "solve.csv"
PATIENCE_SECONDS, BETWEEN_TRIES_SECONDS = 2.0, 0.1
"""Workers of a sweep that was killed hold its lock until they have noticed."""


class Unfinished:
    """A sweep's folder from its first point to its last."""

    def __init__(self, part: Path) -> None:
        """Take the folder `part`, which exists."""
        self.part = part
        self._journal = part / JOURNAL

    def known(self) -> dict[bytes, list[int]]:
        """Where the points are that finished before, failed ones aside, by `key`, the last first.

        A key and a number a point are all that is held.
        """
        known: dict[bytes, list[int]] = {}
        for where, record in journal.located(self._journal):
            if not record["outcome"]["error"]:
                known.setdefault(key(record["at"]), []).insert(0, where)
        return known

    def point(self, where: int) -> Point:
        """The point that `keep` or `known` said is there."""
        return Point.of_record(journal.at(self._journal, where))

    def keep(self, point: Point) -> int:
        """Write a point to the disk, say where it is; FolderRefused where it cannot be written."""
        with folder.refusing(self._journal):
            return journal.append(self._journal, point.as_record())

    def write(self, name: str, parts: Iterable[pd.DataFrame]) -> None:
        """Write a table in parts, over one of this name that an earlier try left."""
        with folder.refusing(self.part / name):
            folder.write_parts(self.part / name, parts)

    def finish(
        self,
        scenario: Scenario,
        tables: Mapping[str, pd.DataFrame],
        facts: dict[str, Any],
        page: Callable[[Path], None],
        root: Path,
    ) -> Path:
        """Write the tables, the manifest and the page; give the folder's final path.

        `facts` say what the manifest shall; where the folder stands below `root`, the pointer
        there names it as the newest.
        """
        target = self.part.with_name(self.part.name.removesuffix(PART))
        with folder.refusing(target):
            (self.part / SCENARIO).write_text(dump(scenario), encoding="utf-8")
            for name, table in tables.items():
                folder.write_table(self.part / name, table)
            begun = datetime.now().astimezone() - timedelta(seconds=facts["seconds"])
            folder.write_manifest(self.part, {**facts, **folder.facts_of(begun, facts["seconds"])})
            page(self.part)
            folder.settle(self.part, target)
            if target.is_relative_to(root.resolve()):
                folder.point_to(target, root.resolve())
        return target


@dataclass(frozen=True)
class Done:
    """Finished points, read from the disk one by one whenever they are gone through."""

    new: Unfinished
    where: Sequence[int]

    def __len__(self) -> int:
        return len(self.where)

    def __iter__(self) -> Iterator[Point]:
        return map(self.new.point, self.where)


def key(at: Values) -> bytes:
    """Return what tells the places of points apart, in few bytes."""
    return sha256(repr([*at.items()]).encode()).digest()


@contextmanager
def started(scenario: Scenario, root: Path, out: Path | None) -> Iterator[Unfinished]:
    """A new folder for a sweep: `root/<scenario>/<time>-<digest>`, or `out` itself.

    When the block ends badly the folder stays as it is, unless no point is in it. Raises
    FolderRefused where it may not or cannot be written.
    """
    digest = sha256(dump(scenario).encode()).hexdigest()
    stem = f"{datetime.now().astimezone():%Y%m%d-%H%M%S}-{digest[:8]}"
    target = folder.new(root / scenario.scenario / stem) if out is None else folder.claim(out)
    part = folder.part_of(target)
    with folder.refusing(part):
        part.mkdir(parents=True)
        (part / JOURNAL).touch()
    with _alone(part):
        try:
            yield Unfinished(part)
        finally:
            if part.is_dir() and not (part / JOURNAL).stat().st_size:
                shutil.rmtree(part, ignore_errors=True)


@contextmanager
def resumed(part: Path) -> Iterator[Unfinished]:
    """The folder of a sweep that did not end.

    FolderRefused where `part` is no such folder, or another sweep is at work in it.
    """
    with _alone(part):
        yield Unfinished(part)


@contextmanager
def _alone(part: Path) -> Iterator[None]:
    """Hold the lock of a sweep's folder, which the system lets go whatever ends the process."""
    if part.suffix != PART or not (part / JOURNAL).is_file():
        raise _no_sweep(part)
    with folder.refusing(part):
        held = (part / JOURNAL).open("rb")
    with held:
        until = time.monotonic() + PATIENCE_SECONDS
        while not _locked(held.fileno()):
            if time.monotonic() > until:
                raise FolderRefused(f"{part}: another sweep is at work in it; wait until it ends")
            time.sleep(BETWEEN_TRIES_SECONDS)
        if not (part / JOURNAL).is_file():  # whoever had the lock finished the sweep
            raise _no_sweep(part)
        yield


def _locked(descriptor: int) -> bool:
    """Whether this process has the lock now."""
    if fcntl is None:
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _no_sweep(part: Path) -> FolderRefused:
    return FolderRefused(
        f"{part}: not the folder of an unfinished sweep, whose name ends in {PART}"
    )

"""The folder of a sweep while it grows: finished points are never lost, and are found again.

It stands under the name of the finished folder with `.part` behind it, holds the scenario and a
journal of points, and is renamed when all is written.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pandas as pd

from sim.meaning.scenario import Scenario, dump
from sim.record import folder, journal
from sim.record.folder import PART, FolderRefused
from sim.record.points import Point

JOURNAL, POINTS, SENSITIVITY = "journal.jsonl", "points.csv", "sensitivity.csv"
SOLUTION = "solve.csv"


class Unfinished:
    """A sweep's folder from its first point to its last."""

    def __init__(self, part: Path) -> None:
        """Take the folder `part`, which exists."""
        self.part = part
        self._journal = part / JOURNAL

    def known(self) -> list[Point]:
        """The points that finished before, failed ones aside."""
        every = map(Point.of_record, journal.read(self._journal))
        return [point for point in every if not point.outcome.error]

    def keep(self, point: Point) -> None:
        """Write a point to the disk; FolderRefused where it cannot be."""
        with folder.refusing(self._journal):
            journal.append(self._journal, point.as_record())

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
            (self.part / "scenario.yaml").write_text(dump(scenario), encoding="utf-8")
            for name, table in tables.items():
                folder.write_table(self.part / name, table)
            begun = datetime.now().astimezone() - timedelta(seconds=facts["seconds"])
            folder.write_manifest(self.part, {**facts, **folder.facts_of(begun, facts["seconds"])})
            page(self.part)
            folder.settle(self.part, target)
            if target.is_relative_to(root.resolve()):
                folder.point_to(target, root.resolve())
        return target


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
    try:
        yield Unfinished(part)
    finally:
        if part.is_dir() and not (part / JOURNAL).stat().st_size:
            shutil.rmtree(part, ignore_errors=True)


@contextmanager
def resumed(part: Path) -> Iterator[Unfinished]:
    """The folder of a sweep that did not end; FolderRefused where `part` is no such folder."""
    if part.suffix != PART or not (part / JOURNAL).is_file():
        raise FolderRefused(
            f"{part}: not the folder of an unfinished sweep, whose name ends in {PART}"
        )
    yield Unfinished(part)

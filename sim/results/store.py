"""The points of a sweep on the disk: each is there whole or not at all, and is found again.

They stand in an SQLite file, a transaction each, and are read back one by one, so that memory does
not grow with what came out of them. The folder has the name of the finished one with `.part` behind
it until all is written.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pandas as pd

from sim.results import folder
from sim.results.folder import PART, SCENARIO, FolderRefused
from sim.results.manifest import facts_of, now
from sim.results.points import Identity, Outcome, Point
from sim.scenario.load import Scenario, dump
from sim.scenario.sweep import Values
from sim.vocabulary.streams import Draws

STORE = "points.sqlite"
STORE_BEFORE = "journal.jsonl"
LOCK_PATIENCE_SECONDS = 2.0
"""How long a sweep waits for another that ends in the same folder."""

# Exclusive locking keeps the lock of the first transaction until the file is closed. The system
# lets it go whatever ends the process, and workers do not inherit it.
OPEN = """
PRAGMA locking_mode = EXCLUSIVE;
PRAGMA synchronous = FULL;
BEGIN EXCLUSIVE;
{tables}
COMMIT;
"""
TABLES_OF_POINTS = """
CREATE TABLE IF NOT EXISTS points (
    number INTEGER PRIMARY KEY, at TEXT, identity TEXT, measures TEXT, met TEXT, each TEXT,
    error TEXT
);
CREATE INDEX IF NOT EXISTS by_place ON points (at);
"""
FINISHED_AT = "SELECT * FROM points WHERE at = ? AND error = '' ORDER BY number DESC"


class Store:
    """A sweep's folder from its first point to its last; nobody else writes into it meanwhile."""

    def __init__(self, part: Path, points: sqlite3.Connection) -> None:
        """Take the folder `part` and its open file of points."""
        self.part = part
        self._points = points

    def kept(self) -> int:
        """At how many places a point has finished, failed ones aside."""
        return self._number("count(DISTINCT at) FROM points WHERE error = ''")

    def is_empty(self) -> bool:
        """Whether no point has ended, not even badly."""
        return not self._number("count(*) FROM points")

    def most_like(self, at: Values, asked: Identity, pairs: str) -> tuple[int, list[str]] | None:
        """The number of the finished point at a place that is most like what is asked.

        With it comes what is not as asked; see `Point.stale_because`. None where none finished.
        """
        rows = self._points.execute(FINISHED_AT, [_json(at)])
        found = ((row[0], _point(row).stale_because(asked, pairs)) for row in rows)
        return min(found, key=lambda each: len(each[1]), default=None)

    def point(self, number: int) -> Point:
        """The point of a number that `keep` or `most_like` gave."""
        rows = self._points.execute("SELECT * FROM points WHERE number = ?", [number])
        return _point(rows.fetchone())

    def keep(self, point: Point) -> int:
        """Write a point and give its number once the disk has it."""
        at, identity, (*came_out, error) = point
        cells = [*map(_json, (at, identity._asdict(), *came_out)), error]
        done = self._points.execute("INSERT INTO points VALUES (NULL, ?, ?, ?, ?, ?, ?)", cells)
        return int(done.lastrowid or 0)

    def write(self, name: str, parts: Iterable[pd.DataFrame]) -> None:
        """Write a table in parts, over one of this name that an earlier try left."""
        with folder.refusing(self.part / name):
            folder.write_table(self.part / name, parts)

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
            folder.write_file(self.part / SCENARIO, dump(scenario))
            begun = now() - timedelta(seconds=facts["seconds"])
            facts |= facts_of(begun, facts["seconds"])
            parts = {name: [table] for name, table in tables.items()}
            folder.complete(self.part, parts, facts, page)
            # SQLite empties its rollback journal after each point, and would remove it on closing.
            (self.part / f"{STORE}-journal").unlink(missing_ok=True)
            folder.settle(self.part, target, on_disk=STORE)
            if target.is_relative_to(root.resolve()):
                folder.point_to(target, root.resolve())
        return target

    def _number(self, what: str) -> int:
        return int(self._points.execute(f"SELECT {what}").fetchone()[0])


@dataclass(frozen=True)
class Done:
    """Points that have ended, read from the disk one by one whenever they are gone through."""

    store: Store
    numbers: Sequence[int]

    def __len__(self) -> int:
        return len(self.numbers)

    def __iter__(self) -> Iterator[Point]:
        return map(self.store.point, self.numbers)


@contextmanager
def started(scenario: Scenario, root: Path, out: Path | None) -> Iterator[Store]:
    """A new folder for a sweep: `root/<scenario>/<time>-<digest>`, or `out` itself.

    When the block ends badly the folder stays as it is, unless no point is in it. Raises
    FolderRefused where it may not or cannot be written.
    """
    digest = sha256(dump(scenario).encode()).hexdigest()
    part = folder.part_of(folder.new(root, scenario.scenario, digest, now(), out))
    with folder.refusing(part):
        folder.begin(part)
        (part / STORE).touch()
    with resumed(part) as store:
        try:
            yield store
        finally:
            if part.is_dir() and store.is_empty():
                shutil.rmtree(part, ignore_errors=True)


@contextmanager
def resumed(part: Path) -> Iterator[Store]:
    """The folder of a sweep that did not end.

    FolderRefused where `part` is no such folder, where another sweep is at work in it, and where
    the disk does not take a point: that one is then not there, all before it are.
    """
    file = part.resolve() / STORE
    if (part / STORE_BEFORE).is_file():
        raise FolderRefused(
            f"{part}: an earlier version of trialsim began this sweep and kept its points in "
            f"{STORE_BEFORE}; let that version end it, or sweep anew without --resume"
        )
    _must_be_unfinished(part)
    with locked(file, TABLES_OF_POINTS, "sweep") as points:
        _must_be_unfinished(part)  # whoever had the lock may have finished the sweep
        yield Store(part, points)


@contextmanager
def locked(file: Path, tables: str, work: str) -> Iterator[sqlite3.Connection]:
    """Open a file, which exists, for as long as the block; nobody else opens it meanwhile.

    FolderRefused where another `work` has it, and where the disk does not take what is written.
    """
    with _refusing(file, work), closing(_opened(file)) as opened:
        opened.executescript(OPEN.format(tables=tables))
        yield opened


def _opened(file: Path) -> sqlite3.Connection:
    """The file, which exists; each statement is a transaction of its own."""
    where = f"{file.as_uri()}?mode=rw"
    return sqlite3.connect(where, uri=True, isolation_level=None, timeout=LOCK_PATIENCE_SECONDS)


def _must_be_unfinished(part: Path) -> None:
    if part.suffix != PART or not (part / STORE).is_file():
        raise FolderRefused(
            f"{part}: not the folder of an unfinished sweep, whose name ends in {PART}"
        )
    if link := next(filter(Path.is_symlink, part.iterdir()), None):
        raise FolderRefused(f"{link}: a link; allowed: files of the sweep's own")


@contextmanager
def _refusing(file: Path, work: str) -> Iterator[None]:
    """Turn what SQLite refuses into one plain message."""
    try:
        yield
    except sqlite3.Error as error:
        if error.sqlite_errorcode == sqlite3.SQLITE_BUSY:
            message = f"{file.parent}: another {work} is at work in it; wait until it ends"
            raise FolderRefused(message) from error
        raise FolderRefused(f"{file}: {error}") from error


def _json(plain: Mapping[str, Any]) -> str:
    return json.dumps(dict(plain), allow_nan=False, ensure_ascii=False)


def _point(row: tuple[Any, ...]) -> Point:
    _, *cells, error = row
    at, identity, measures, met, each = map(json.loads, cells)
    draws = Draws(*identity.pop("draws", ()))
    return Point(at, Identity(**identity, draws=draws), Outcome(measures, met, each, error))

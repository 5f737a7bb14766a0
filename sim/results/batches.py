"""The replications of a run on the disk until it ends, so that it can go on whatever breaks it off.

They stand in an SQLite file in the folder of the run, a batch a transaction; the file goes when the
folder is complete.
"""

from __future__ import annotations

import pickle
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

from sim.results.fold import Summary, unpickled
from sim.results.folder import AS_IT_WAS, REPLICATIONS, FolderRefused, refusing
from sim.results.points import code_version
from sim.results.store import locked
from sim.scenario.load import Scenario, dump

TABLES_OF_BATCHES = """
CREATE TABLE IF NOT EXISTS run (what TEXT PRIMARY KEY, value TEXT);
CREATE TABLE IF NOT EXISTS batches (
    first INTEGER, after INTEGER, beside INTEGER, summaries BLOB,
    PRIMARY KEY (first, after, beside)
);
"""
COMPARISON = "comparison.sqlite"
"""Holds nothing but the lock of whoever compares in a folder."""
FASTEST = 1
"""The least that zlib does; it makes a quarter of what counts are pickled as."""


class KeptBatches:
    """What a run has finished so far; nobody else writes into its folder meanwhile."""

    def __init__(
        self, scenario: Scenario, seed: int, keep: int, *, log: str = "", stays: bool = False
    ) -> None:
        """`keep` is of how many replications the logs are kept whole, `log` what they go on from.

        The file `stays` where the run is one of several, until all of them have ended.
        """
        self._stays = stays
        digest = sha256(dump(scenario).encode()).hexdigest()
        self._asked = {
            "scenario": digest,
            "seed": str(seed),
            "keep": str(keep),
            "log": log,
            "code of trialsim": code_version(),
        }
        self.found = frozenset[tuple[int, int, int]]()

    @contextmanager
    def opened(self, part: Path) -> Iterator[None]:
        """Open the file in a folder, for as long as the block; see what is there before.

        FolderRefused where another run is at work in it, where what is there was asked for with
        something else, and where the disk does not take it. A file in which nothing is goes.
        """
        file = part / REPLICATIONS
        with refusing(file):
            file.touch()
        with locked(file, TABLES_OF_BATCHES, "run") as self._disk:
            self._compare(part, dict(self._disk.execute("SELECT what, value FROM run")))
            self.found = frozenset(self._disk.execute("SELECT first, after, beside FROM batches"))
            is_over = False
            try:
                yield
                is_over = True
            finally:
                ((number,),) = self._disk.execute("SELECT count(*) FROM batches")
                if not number or (is_over and not self._stays):
                    file.unlink()
                (part / f"{REPLICATIONS}-journal").unlink(missing_ok=True)

    def _compare(self, part: Path, before: Mapping[str, str]) -> None:
        if not before:
            self._disk.executemany("INSERT INTO run VALUES (?, ?)", self._asked.items())
        for what, value in self._asked.items():
            if before.get(what, value) != value:
                raise FolderRefused(f"{part}: was begun with another {what}; {AS_IT_WAS}")

    def batch(self, *numbers: int) -> list[Summary]:
        """A batch as it was kept, by the `numbers` it has."""
        where = "SELECT summaries FROM batches WHERE (first, after, beside) = (?, ?, ?)"
        ((held,),) = self._disk.execute(where, numbers)
        summaries: list[Summary] = unpickled(zlib.decompress(held))
        return summaries

    def keep(self, *numbers: int, summaries: Sequence[Summary]) -> None:
        """Keep a batch; it is whole on the disk when this returns."""
        held = zlib.compress(pickle.dumps(list(summaries)), FASTEST)
        self._disk.execute("INSERT INTO batches VALUES (?, ?, ?, ?)", (*numbers, held))


@contextmanager
def alone(part: Path) -> Iterator[None]:
    """Let nobody else compare in a folder as long as the block; FolderRefused where somebody is."""
    file = part / COMPARISON
    with refusing(file):
        file.touch()
    with locked(file, "CREATE TABLE IF NOT EXISTS held (here TEXT);", "comparison"):
        try:
            yield
        finally:
            for each in (file, part / f"{COMPARISON}-journal"):
                each.unlink(missing_ok=True)

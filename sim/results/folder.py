"""Results folders: alone writes them and reads them back; see `bundle` for several in one.

A folder appears under its name only when it is complete: it is written as `<name>.part` and
renamed. The same run gives the same bytes, but for the manifest and the page.
"""

from __future__ import annotations

import gzip
import json
import math
import os
import shutil
import time
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from datetime import datetime
from gzip import GzipFile
from hashlib import sha256
from io import BytesIO
from itertools import chain, count
from pathlib import Path
from typing import Any, BinaryIO

import pandas as pd

from sim.results.fold import Results
from sim.results.manifest import (
    FORECAST,
    HELD,
    MANIFEST,
    RUN,
    changed,
    facts_of,
    now,
    sealed,
    wrong_with,
)
from sim.results.tables import TABLES, in_parts
from sim.scenario.load import Scenario, dump
from sim.vocabulary.files import bytes_of, regular, sync

SCENARIO, LATEST = "scenario.yaml", "latest"
WORKBOOK, PART = "tables.xlsx", ".part"
DECIMALS = 6
MOST_BYTES = 2**29
"""More than any file of a folder holds."""

REPLICATIONS = "replications.sqlite"
"""What has been simulated of a run that has not ended; see `batches`."""

PART_ROWS = 20_000
WRITE_ANEW = "write the folder anew"
GO_ON = "what is done is kept; to go on, repeat the command with"
AS_IT_WAS = "repeat the command as it was, or run anew without --resume"


Keeping = Callable[[Path], AbstractContextManager[None]]
"""Keeps in an unfinished folder what is done, for as long as a block; see `batches`."""


class FolderRefused(Exception):  # noqa: N818  it is no fault, it says no
    """A folder that cannot be written into, or is not there to be read; says which and why."""


def write(  # noqa: PLR0913  each says something else about the run
    scenario: Scenario,
    simulate: Callable[[], Results],
    *,
    command: str,
    page: Callable[[Path], None],
    root: Path = Path("results"),
    out: Path | None = None,
    resume: Path | None = None,
    keeping: Keeping = lambda _: nullcontext(),
) -> Path:
    """Simulate into a folder: its tables and manifest, then the page; give its path.

    The folder is `root/<scenario>/<time>-<digest>`, or `out` itself; the digest is the SHA-256 of
    its scenario.yaml. `page` is called with the unfinished folder once all else stands in it.
    Raises FolderRefused where the folder may not or cannot be written, before anything is
    simulated if that can be known. Whatever goes wrong leaves nothing behind but what is kept in
    the unfinished folder by `keeping` (see `batches`): `resume` is such a folder, to go on in.
    """
    started, text = now(), dump(scenario).encode()
    digest = sha256(text).hexdigest()
    place = appearing(root, scenario.scenario, digest, started, out, resume)
    with place as (part, target), keeping(part):
        write_file(part / SCENARIO, text)
        begun = time.perf_counter()
        results = simulate()
        seconds = time.perf_counter() - begun
        known_through = results.protocol.calendar_known_through
        facts = {
            "kind": RUN if results.log is None else FORECAST,
            "command": command,
            "scenario_digest": digest,
            "seed": results.seed,
            "replications": results.replications,
            "keep": len(results.logs),
            "calendar_known_through": None if known_through is None else known_through.isoformat(),
            "replications_per_second": round(results.replications / seconds, 3)
            if seconds
            else None,
        }
        if (log := results.log) is not None:
            facts |= {"as_of": str(log.as_of), "log_level": log.level, "log_sha256": log.sha256}
        complete(part, in_parts(results), {**facts, **facts_of(started, seconds)}, page)
    return target


def claim(out: Path) -> Path:
    """Give `out` back if it is new or empty, else raise FolderRefused."""
    if out.exists() and not out.is_dir():
        raise FolderRefused(f"{out}: there is a file of this name")
    if out.exists() and any(out.iterdir()):
        raise FolderRefused(f"{out}: not empty; results are never written over others")
    return out


def manifest(path: Path) -> dict[str, Any]:
    """The manifest of a finished run; FolderRefused where something is wrong with it."""
    file = path / MANIFEST
    try:
        contents: dict[str, Any] = json.loads(_bytes_of(file))
    except (ValueError, RecursionError) as error:
        raise FolderRefused(f"{file}: {error}; allowed: JSON") from error
    if wrong := wrong_with(contents):
        raise FolderRefused(f"{file}: {wrong}")
    return contents


def read(
    path: Path,
    name: str,
    columns: Sequence[str] | None = None,
    rows: Callable[[pd.DataFrame], pd.Series[bool]] | None = None,
) -> pd.DataFrame:
    """A table as it was written: blank text is empty, a blank number nan, `never` the word.

    Of a table that may be long only those `columns` are held, or the rows that `rows` says.
    """
    texts = dict.fromkeys(TABLES[name].texts, str)
    how = {"keep_default_na": False, "na_values": [""], "usecols": columns}
    table = csv(path / name, rows, dtype=texts, **how)
    wanted = TABLES[name].columns if columns is None else columns
    if lacking := [column for column in wanted if column not in table]:
        raise FolderRefused(f"{path / name}: has no column {lacking[0]}; {WRITE_ANEW}")
    try:
        return _numbered_cells(table, texts)
    except ValueError as error:
        raise FolderRefused(f"{path / name}: {error}; {WRITE_ANEW}") from error


def _numbered_cells(table: pd.DataFrame, texts: Mapping[str, type]) -> pd.DataFrame:
    """A table whose columns are text, or numbers and the word `never`."""
    for column in table:
        if column in texts:
            table[column] = table[column].fillna("")
        elif not pd.api.types.is_numeric_dtype(table[column]):
            never = table[column] == "never"
            numbers = pd.to_numeric(table[column].mask(never))
            table[column] = numbers.astype(object).mask(never, "never")
    return table


def csv(
    file: Path,
    rows: Callable[[pd.DataFrame], pd.Series[bool]] | None = None,
    **how: Any,  # noqa: ANN401  what pandas takes
) -> pd.DataFrame:
    """What pandas makes of a table, or of its `rows`; FolderRefused where that is no table."""
    try:
        with refusing(file):
            opened = BytesIO(_bytes_of(file)) if file.suffix == ".gz" else regular(file)
        with opened:
            if rows is None:
                table: pd.DataFrame = pd.read_csv(opened, **how)
            else:
                parts = pd.read_csv(opened, chunksize=PART_ROWS, **how)
                table = pd.concat([part[rows(part)] for part in parts], ignore_index=True)
    except (ValueError, OverflowError) as error:
        raise FolderRefused(f"{file}: no table ({error}); {WRITE_ANEW}") from error
    return table


def _bytes_of(file: Path) -> bytes:
    """What a file of a folder holds, unpacked; FolderRefused where it is none, or too large."""
    with refusing(file):
        held = bytes_of(file, MOST_BYTES)
    if file.suffix == ".gz":
        try:
            held = GzipFile(fileobj=BytesIO(held)).read(MOST_BYTES + 1)
        except (OSError, EOFError, zlib.error) as error:
            raise FolderRefused(f"{file}: cannot be unpacked ({error}); {WRITE_ANEW}") from error
    if len(held) > MOST_BYTES:
        raise FolderRefused(f"{file}: more than {MOST_BYTES:,} bytes")
    return held


def edited(path: Path) -> list[str]:
    """The files below a finished folder that are not those it was written with.

    Raises FolderRefused where something is wrong with a manifest, and for links, pipes, devices:
    a folder holds files and folders of its own.
    """
    for each in sorted(path.rglob("*")):
        if each.is_symlink() or not (each.is_file() or each.is_dir()):
            raise FolderRefused(f"{each}: a link, or no file; allowed: files of the folder's own")
    every = []
    for file in sorted(path.rglob(MANIFEST)):
        facts, where = manifest(file.parent), file.parent
        for name in (each for key in (*HELD.values(), "joined") for each in facts.get(key, ())):
            if not (where / name / MANIFEST).is_file():
                raise FolderRefused(f"{where / name}: is gone, and {file} names it")
        every += [str(where / name) for name in changed(facts, where)]
    return every


def rows(table: pd.DataFrame) -> list[dict[Any, Any]]:
    """The rows of a table as JSON has them: a blank cell is null."""
    cells = table.astype(object)
    plain: list[dict[Any, Any]] = cells.where(cells.notna(), None).to_dict("records")
    return plain


def new(root: Path, group: str, digest: str, at: datetime, out: Path | None) -> Path:
    """A name for a folder: `root/<group>/<time>-<digest>`, numbered where it is taken, or `out`.

    Raises FolderRefused where `out` is neither new nor empty.
    """
    if out is not None:
        return claim(out)
    names = numbered(f"{at:%Y%m%d-%H%M%S}-{digest[:8]}")
    paths = (root / group / name for name in names)
    return next(path for path in paths if not (path.exists() or part_of(path).exists()))


def numbered(name: str) -> Iterator[str]:
    """The name itself, then with 2, 3 … behind it."""
    return chain([name], (f"{name}-{number}" for number in count(2)))


def part_of(target: Path) -> Path:
    """The name of a folder while it is unfinished."""
    absolute = target.resolve()
    return absolute.with_name(absolute.name + PART)


@contextmanager
def refusing(target: Path) -> Iterator[None]:
    """Turn what the file system refuses into one plain message."""
    try:
        yield
    except OSError as error:
        raise FolderRefused(f"{error.filename or target}: {error.strerror or error}") from error


@contextmanager
def appearing(  # noqa: PLR0913, PLR0917  as of `write`
    root: Path,
    group: str,
    digest: str,
    started: datetime,
    out: Path | None,
    resume: Path | None = None,
) -> Iterator[tuple[Path, Path]]:
    """A folder to fill, and where it is once the block ends well.

    Else it is removed, unless a run in it can go on: then a note at the error says how. `resume`
    is a folder that was left so.
    """
    target = _unfinished(resume) if resume else new(root, group, digest, started, out)
    part = part_of(target)
    with refusing(target):
        if resume is None:
            begin(part)
        try:
            yield part, target
            settle(part, target)
        except BaseException as end:
            if any(part.rglob(REPLICATIONS)):
                end.add_note(f"{GO_ON}\n  --resume {part}")
            elif resume is None:
                shutil.rmtree(part, ignore_errors=True)
            raise
    if out is None and target.is_relative_to(root.resolve()):
        point_to(target, root.resolve())


def _unfinished(part: Path) -> Path:
    """Where the folder of a command that did not end will be; FolderRefused where it is none."""
    if part.suffix != PART or not any(part.rglob(REPLICATIONS)):
        raise FolderRefused(
            f"{part}: not the folder of an unfinished run, whose name ends in {PART}"
        )
    if link := next(filter(Path.is_symlink, part.rglob("*")), None):
        raise FolderRefused(f"{link}: a link; allowed: files of the run's own")
    return part.resolve().with_name(part.name.removesuffix(PART))


def begin(part: Path) -> None:
    """Make an unfinished folder; FolderRefused where there is one."""
    try:
        part.mkdir(parents=True)
    except FileExistsError:
        raise FolderRefused(
            f"{part}: a command is at work in this folder, or was broken off; remove it, go on in "
            "it with --resume, or name another folder with --out"
        ) from None


def complete(
    part: Path,
    tables: Mapping[str, Iterable[pd.DataFrame]],
    facts: Mapping[str, Any],
    page: Callable[[Path], None],
) -> None:
    """Write the tables, what is to be known of them and, of all that stands then, the page."""
    for name, parts in tables.items():
        write_table(part / name, parts)
    write_manifest(part, facts)
    page(part)


def settle(part: Path, target: Path, on_disk: str = "") -> None:
    """Give a complete folder its final name, once the disk has all of it.

    The file `on_disk` is there already; to open it here and close it would let go its lock.
    """
    for half_written in part.glob(f"*{PART}"):
        half_written.unlink()
    for path in (*(each for each in part.iterdir() if each.name != on_disk), part):
        sync(path)
    part.rename(target)
    sync(part.parent)


def point_to(target: Path, root: Path) -> None:
    """Name the newest run in `latest`, at one stroke.

    Nothing else hangs on the pointer: where a folder or a right stands in its way it is left out.
    """
    with suppress(OSError):
        write_file(root / LATEST, f"{target.relative_to(root).as_posix()}\n")


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """A new file that takes the name `path` when the block ends well, and else is removed.

    It takes the place of a file or link of this name and never goes through the link.
    """
    new = path.with_name(f"{path.name}.{os.getpid()}{PART}")
    new.unlink(missing_ok=True)  # whoever had this number before was killed
    try:
        with new.open("xb") as file:
            yield file
        new.replace(path)
    except BaseException:
        new.unlink(missing_ok=True)
        raise


def write_file(path: Path, contents: str | bytes) -> None:
    """Write a file at one stroke; see `replacing`."""
    with replacing(path) as file:
        file.write(contents.encode() if isinstance(contents, str) else contents)


def write_table(path: Path, parts: Iterable[pd.DataFrame]) -> None:
    """Write a table, one of its parts at a time, as CSV: the same bytes for the same table."""
    with replacing(path) as file:
        for number, part in enumerate(parts):
            # Figures are written a column at once; pandas would ask for each of them.
            written = part.copy(deep=False)
            for name in part.select_dtypes("float64"):
                written[name] = _plain(part[name])
            text = written.to_csv(index=False, header=number == 0, lineterminator="\n").encode()
            # A gzip header may hold a time and a name: neither, so that the bytes are the same.
            file.write(gzip.compress(text, mtime=0) if path.suffix == ".gz" else text)


def _plain(figures: pd.Series[float]) -> pd.Series[Any]:
    """At most six decimals and none that are not needed; a blank is nothing."""
    rounded = (figures.to_numpy().round(DECIMALS) + 0.0).tolist()
    written = ["never" if figure == math.inf else f"{figure:.15g}" for figure in rounded]
    return pd.Series(written, figures.index, dtype=object).where(figures.notna())


def write_manifest(part: Path, facts: Mapping[str, Any]) -> None:
    """Write what is to be known of a run beside its tables."""
    known = sealed(facts, part, (SCENARIO, *TABLES))
    write_file(part / MANIFEST, json.dumps(known, indent=2) + "\n")

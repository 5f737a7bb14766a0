"""A journal: records appended one by one, each on the disk before the next is begun.

Each line is a checksum, a blank and the record as JSON, so that half a record is never taken for a
whole one, whatever broke off the writing of it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

CHECKSUM_DIGITS = 16


def append(path: Path, record: Mapping[str, Any]) -> int:
    """Add a record, wait until the disk has it and return where it is for `at`.

    Raises OSError where it cannot be written.
    """
    text = json.dumps(record, allow_nan=False, ensure_ascii=False)
    line = f"{_checksum(text)} {text}\n".encode()
    with path.open("ab+") as file:
        if _ends_in_half_a_line(file):
            file.write(b"\n")
        where = file.seek(0, os.SEEK_END)
        file.write(line)
        file.flush()
        os.fsync(file.fileno())
    return where


def read(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the records that were written whole, in their order."""
    return (record for _, record in located(path))


def located(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the records that were written whole, each with where it is; one is held at a time."""
    where = 0
    with path.open("rb") as file:
        for line in file:
            if (record := _record(line)) is not None:
                yield where, record
            where += len(line)


def at(path: Path, where: int) -> dict[str, Any]:
    """Return the record that is there; ValueError where none begins."""
    with path.open("rb") as file:
        file.seek(where)
        record = _record(file.readline())
    if record is None:
        raise ValueError(f"{path}: no record at byte {where}")
    return record


def _record(line: bytes) -> dict[str, Any] | None:
    checksum, _, text = line.decode(errors="replace").rstrip("\n").partition(" ")
    if not text or checksum != _checksum(text):
        return None
    record: dict[str, Any] = json.loads(text)
    return record


def _ends_in_half_a_line(file: Any) -> bool:  # noqa: ANN401  what Path.open gives
    if not file.seek(0, os.SEEK_END):
        return False
    file.seek(-1, os.SEEK_END)
    return bool(file.read(1) != b"\n")


def _checksum(text: str) -> str:
    return sha256(text.encode()).hexdigest()[:CHECKSUM_DIGITS]

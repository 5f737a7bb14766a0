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


def append(path: Path, record: Mapping[str, Any]) -> None:
    """Add a record, and wait until the disk has it; OSError where it cannot be written."""
    text = json.dumps(record, allow_nan=False, ensure_ascii=False)
    line = f"{_checksum(text)} {text}\n".encode()
    with path.open("ab+") as file:
        if _ends_in_half_a_line(file):
            line = b"\n" + line
        file.write(line)
        file.flush()
        os.fsync(file.fileno())


def read(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the records that were written whole, in their order."""
    for line in path.read_bytes().split(b"\n"):
        checksum, _, text = line.decode(errors="replace").partition(" ")
        if text and checksum == _checksum(text):
            yield json.loads(text)


def _ends_in_half_a_line(file: Any) -> bool:  # noqa: ANN401  what Path.open gives
    if not file.seek(0, os.SEEK_END):
        return False
    file.seek(-1, os.SEEK_END)
    return bool(file.read(1) != b"\n")


def _checksum(text: str) -> str:
    return sha256(text.encode()).hexdigest()[:CHECKSUM_DIGITS]

"""Files of anyone, read as far as they may go and never waited for; and files on the disk."""

from __future__ import annotations

import os
import stat
from errno import EINVAL
from io import BufferedReader
from pathlib import Path

CHUNK_BYTES = 2**20


def bytes_of(path: Path, most: int, *, through_links: bool = False) -> bytes:
    """Return what a file holds, of more than `most` bytes one too many.

    Raises OSError for what is no regular file, such as a pipe or a device, or cannot be opened.
    """
    parts, room = list[bytes](), most + 1
    with regular(path, through_links=through_links) as opened:
        while room and (part := os.read(opened.fileno(), min(room, CHUNK_BYTES))):
            parts.append(part)
            room -= len(part)
    return b"".join(parts)


def regular(path: Path, *, through_links: bool = False) -> BufferedReader:
    """Return a regular file opened to be read; raises OSError for anything else."""
    flags = os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0)
    if not through_links:
        flags |= getattr(os, "O_NOFOLLOW", 0)
    opened = os.fdopen(os.open(path, flags), "rb")
    if not stat.S_ISREG(os.fstat(opened.fileno()).st_mode):
        opened.close()
        raise OSError(EINVAL, "is not a file", str(path))
    return opened


def sync(path: Path) -> None:
    """Wait until the disk has a file or folder: a crash must not leave a name without contents."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

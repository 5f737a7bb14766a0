"""How a file of a results folder is written, whatever stands under its name."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

PART = ".part"


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


def write(path: Path, contents: str | bytes) -> None:
    """Write a file at one stroke; see `replacing`."""
    with replacing(path) as file:
        file.write(contents.encode() if isinstance(contents, str) else contents)

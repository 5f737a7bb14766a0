"""A command in a pseudo-terminal of its own: what it writes there, byte by byte."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parent.parent
ROWS = 24
STEERING = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class Written(NamedTuple):
    """What a terminal was sent, and the code the command ended with."""

    text: str
    code: int

    @property
    def lines(self) -> list[str]:
        """What is left on the screen, a line each: of a redrawn line the last state."""
        lines = (line.rstrip("\r").rpartition("\r")[2] for line in self._plain.split("\n"))
        return [line.rstrip() for line in lines][: self._plain.count("\n")]

    @property
    def drawn(self) -> list[str]:
        """Every state of every line."""
        return [state.rstrip() for state in re.split(r"[\r\n]", self._plain) if state.strip()]

    @property
    def _plain(self) -> str:
        return STEERING.sub("", self.text).replace("\r\n", "\n")


def in_terminal(columns: int, arguments: Sequence[str], folder: Path) -> Written:
    """Run trialsim in a pseudo-terminal so wide, in a folder."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, columns, 0, 0))
    environment = {name: value for name, value in os.environ.items() if name != "COLUMNS"}
    with subprocess.Popen(
        [sys.executable, "-m", "sim", *arguments],
        cwd=folder,
        env=environment | {"PYTHONPATH": str(ROOT), "TERM": "xterm"},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    ) as running:
        os.close(theirs)
        sent = b"".join(iter(lambda: _read(ours), b""))
    os.close(ours)
    return Written(sent.decode(), running.returncode)


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 4096)
    except OSError:  # the other end is closed
        return b""

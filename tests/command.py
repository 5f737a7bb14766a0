"""The command line in the process of the tests."""

from __future__ import annotations

from sim.cli.main import commands
from sim.cli.terminal import exit_code


def trialsim(*arguments: str) -> int:
    """Return the exit code of a command."""
    return exit_code(commands, arguments)

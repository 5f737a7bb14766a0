"""What a manifest says: of the machine and the time, and which folders it names.

A folder is data as a scenario is, and may come from anyone: a name in it is never a path.
"""

from __future__ import annotations

import os
import platform
import subprocess
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from sim import __version__
from sim.scenario import levers
from sim.scenario.errors import shown
from sim.scenario.sweep import DESIGNS

PACKAGES = ("numpy", "pandas", "pydantic", "scipy", "simpy", "holidays")
RUN, COMPARE, SWEEP, SOLVE = "run", "compare", "sweep", "solve"
ALLOWED = {"kind": (RUN, COMPARE, SWEEP, SOLVE, *DESIGNS), "moved_kind": tuple(levers.KINDS)}
"""What a folder may hold, a sweep that ranks by its design, and what a search may move."""

NAMING = ("scenarios", "joined")
"""Keys of a manifest that list folders in its folder."""


def is_name(text: object) -> bool:
    """Whether a text names a folder or file where it is used, and nothing elsewhere or hidden."""
    return (
        isinstance(text, str)
        and text.isprintable()
        and text[:1] not in {"", "."}
        and not {"/", "\\", ":"} & {*text}
    )


def wrong_with(contents: object) -> str:
    """What is wrong with a manifest that was read, and what is allowed; nothing if all is well."""
    if not isinstance(contents, dict):
        return "is no manifest; allowed: a JSON object"
    if "kind" not in contents:
        return (
            "says no kind: an earlier version of trialsim wrote this folder; "
            f"write it anew; allowed: {', '.join(ALLOWED['kind'])}"
        )
    for key, allowed in ALLOWED.items():
        if key in contents and contents[key] not in allowed:
            return f"{key}: {shown(contents[key])} is unknown; allowed: {', '.join(allowed)}"
    for key in NAMING:
        names = contents.get(key, [])
        for name in names if isinstance(names, list) else [names]:
            if not is_name(name):
                return f"{key}: {shown(name)}; allowed: a list of names of folders in this one"
    return ""


def now() -> datetime:
    """The time of this place; of Greenwich where the machine's `TZ` is no time zone."""
    try:
        return datetime.now().astimezone()
    except ValueError:
        return datetime.now(UTC)


def facts_of(started: datetime, seconds: float) -> dict[str, Any]:
    """What a manifest says of the machine, the versions and the time."""
    return {
        "versions": {
            "trialsim": __version__,
            "python": platform.python_version(),
            **{name: version(name) for name in PACKAGES},
        },
        "git_commit": _git_commit(),
        "cores": os.cpu_count(),
        "started": started.isoformat(timespec="seconds"),
        "seconds": round(seconds, 3),
    }


def _git_commit() -> str | None:
    """The commit of the source tree this runs from; None where there is no such tree, or no git."""
    here = Path(__file__).parent.parent
    asked = ["git", "-C", str(here), "rev-parse", "HEAD", "--show-prefix"]
    try:
        said = subprocess.run(asked, capture_output=True, text=True, check=True).stdout.split()  # noqa: S603
    except (OSError, subprocess.CalledProcessError):
        return None
    return said[0] if said[1:] == [f"{here.name}/"] else None

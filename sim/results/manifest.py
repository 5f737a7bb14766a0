"""What a manifest says: of the machine and the time, and which folders it names.

A folder is data as a scenario is, and may come from anyone: a name in it is never a path.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime
from hashlib import file_digest, sha256
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, Strict, ValidationError

from sim import __version__
from sim.scenario.errors import complaints, refusal, shown
from sim.scenario.section import Section
from sim.scenario.sweep import DESIGNS
from sim.scenario.yaml_source import dotted

MANIFEST = "manifest.json"
PACKAGES = ("numpy", "pandas", "pydantic", "scipy", "simpy", "holidays")
RUN, FORECAST, COMPARE, SWEEP, SOLVE = "run", "forecast", "compare", "sweep", "solve"
RECORD = "record"
KINDS_OF_FOLDER = (RUN, FORECAST, COMPARE, RECORD, SWEEP, SOLVE, *DESIGNS)
"""What a folder may hold; a sweep that ranks goes by its design."""

HELD = {COMPARE: "scenarios", RECORD: "forecasts"}
"""Under which key a folder that holds runs names them."""

SEAL = "seal"
"""The key of a manifest that holds the SHA-256 of all its other facts."""


def is_name(text: object) -> bool:
    """Whether a text names a folder or file where it is used, and nothing elsewhere or hidden."""
    return (
        isinstance(text, str)
        and text.isprintable()
        and text[:1] not in {"", "."}
        and not {"/", "\\", ":"} & {*text}
    )


def _a_name(text: str) -> str:
    if not is_name(text):
        raise refusal(f"{shown(text)} is no name", "a list of names of folders in this one")
    return text


def _a_moment(text: str) -> str:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        raise refusal(f"{shown(text)} is no time", "such as 2024-01-01T12:00:00+08:00") from None
    return text


FolderName = Annotated[str, AfterValidator(_a_name)]
_Count = Annotated[int, Strict(), Field(ge=0)]


class Facts(Section, extra="ignore"):
    """What every manifest says."""

    command: str
    """The command as it was typed."""
    seed: _Count
    """The seed of all luck."""
    replications: Annotated[int, Strict(), Field(ge=1)]
    """How many replications there are."""
    versions: dict[str, str]
    """Of trialsim, of Python and of the libraries."""
    git_commit: str | None
    """The commit of the source tree it was run from."""
    started: Annotated[str, AfterValidator(_a_moment)]
    """When it began."""
    seconds: Annotated[float, Strict(), Field(ge=0)]
    """How long it took."""
    tables: dict[FolderName, str]
    """The SHA-256 of each table."""
    seal: str
    """The SHA-256 of all other facts."""


class RunFacts(Facts):
    """What the manifest of a run says."""

    scenario_digest: str
    """The SHA-256 of scenario.yaml."""
    keep: _Count
    """Of how many replications everything that happened is kept."""
    calendar_known_through: date | None
    """Until when public holidays are known."""
    joined: tuple[FolderName, ...] = ()
    """The folders of sweeps and searches that joined it."""


class ForecastFacts(RunFacts):
    """What the manifest of a forecast says."""

    as_of: date
    """The last day of which the log was read."""
    log_level: Literal["dates", "consent", "full"]
    """How much the log tells."""
    log_sha256: str
    """The SHA-256 of the log."""


class CompareFacts(Facts):
    """What the manifest of runs side by side says."""

    scenarios: Annotated[tuple[FolderName, ...], Field(min_length=1)]
    """The folders of the runs, the baseline first."""


class RecordFacts(Facts):
    """What the manifest of forecasts held against what came says."""

    forecasts: Annotated[tuple[FolderName, ...], Field(min_length=1)]
    """The folders of the forecasts, which are called by their days, the earliest first."""
    known_until: date
    """The last day of which the log says anything."""
    log_sha256: str
    """The SHA-256 of the log."""


class SweepFacts(Facts):
    """What the manifest of a sweep says."""

    varied: tuple[str, ...]
    """The paths varied."""
    points: _Count
    """How many points there are."""


class RankingFacts(SweepFacts):
    """What the manifest of a sweep that ranks says."""

    on: str
    """The target or measure ranked by."""
    too_few_points_for: tuple[str, ...]
    """The paths that cannot be ranked."""
    ignorance: tuple[float, float, float] | None
    """The share of the variance that is ignorance, and its interval; the rest is luck."""


class SolveFacts(Facts):
    """What the manifest of a search says."""

    moved: str
    """The path moved."""
    moved_kind: Literal["number", "whole", "date"]
    """What stands there."""
    until: str
    """The target to be met."""
    between: tuple[str, str]
    """The bracket."""
    rising: Annotated[bool, Strict()]
    """Whether the target is met more often towards its high end."""
    fall: tuple[str, str] | None
    """Two values between which it is met less often all the same."""
    as_of: date | None = None
    """The last day of which a log was read, if the trial goes on from one."""


FACTS_OF_KIND: Mapping[str, type[Facts]] = {
    RUN: RunFacts,
    FORECAST: ForecastFacts,
    COMPARE: CompareFacts,
    RECORD: RecordFacts,
    SWEEP: SweepFacts,
    SOLVE: SolveFacts,
}
"""What the manifest of each kind of folder says; any other kind ranks."""


def wrong_with(contents: object) -> str:
    """What is wrong with a manifest that was read, and what is allowed; nothing if all is well."""
    if not isinstance(contents, dict):
        return "is no manifest; allowed: a JSON object"
    allowed = ", ".join(KINDS_OF_FOLDER)
    if "kind" not in contents:
        return (
            "says no kind: an earlier version of trialsim wrote this folder; "
            f"write it anew; allowed: {allowed}"
        )
    if (kind := contents["kind"]) not in KINDS_OF_FOLDER:
        return f"kind: {shown(kind)} is unknown; allowed: {allowed}"
    sections: dict[int, Any] = {}
    try:
        FACTS_OF_KIND.get(kind, RankingFacts).model_validate(contents, context=sections)
    except ValidationError as error:
        fault = next(complaints(error, contents, sections))
        where = f"{dotted(fault.path)}: " if fault.path else ""
        return f"{where}{fault.what}" + (f"; allowed: {fault.allowed}" if fault.allowed else "")
    return ""


def sealed(facts: Mapping[str, Any], folder: Path, names: Iterable[str]) -> dict[str, Any]:
    """The facts with the SHA-256 of each of the named files that stands in a folder, and of all.

    Facts that have those of files keep them: a file copied is still the one first written.
    """
    tables = facts.get("tables") or {
        name: _digest(folder / name) for name in sorted(names) if (folder / name).is_file()
    }
    known = {**facts, "tables": tables}
    known.pop(SEAL, None)
    return {**known, SEAL: _seal(known)}


def changed(facts: Mapping[str, Any], folder: Path) -> Iterator[str]:
    """The files of a folder that are not, or no longer, those its manifest was written with."""
    if _seal({name: fact for name, fact in facts.items() if name != SEAL}) != facts[SEAL]:
        yield MANIFEST
    for name, digest in facts["tables"].items():
        if not (folder / name).is_file() or _digest(folder / name) != digest:
            yield name


def _seal(facts: Mapping[str, Any]) -> str:
    return sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def _digest(file: Path) -> str:
    with file.open("rb") as opened:
        return file_digest(opened, sha256).hexdigest()


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

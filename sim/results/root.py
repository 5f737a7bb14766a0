"""The folder in which all results are: which runs are finished, and which is the newest."""

from __future__ import annotations

from pathlib import Path

from sim.results.folder import LATEST, PART, FolderRefused
from sim.results.manifest import MANIFEST, is_name


def finished(root: Path = Path("results")) -> list[Path]:
    """The folders of finished runs, the newest last."""
    folders = (path.parent for path in root.glob(f"*/*/{MANIFEST}"))
    return sorted((f for f in folders if f.suffix != PART), key=lambda f: (f.name, f.parent.name))


def latest(root: Path = Path("results")) -> Path:
    """The folder of the newest run; FolderRefused where there is none below `root`.

    Where something stands in the place of the pointer, it is the last of those finished.
    """
    pointer = root / LATEST
    if not pointer.is_file():
        if every := finished(root):
            return every[-1]
        raise FolderRefused(f"{root}: no finished run")
    named = pointer.read_text(encoding="utf-8").strip()
    if not all(map(is_name, named.split("/"))):
        raise FolderRefused(f"{pointer}: {named!r}; allowed: a folder below {root}")
    return root / named

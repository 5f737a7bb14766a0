"""The same scenario, seed and replications give the same bytes, whatever runs them."""

from __future__ import annotations

import os
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

ROOT = Path(__file__).parent.parent
VARIED = {"manifest.json", "report.html"}  # they tell clock times
PROGRAM = """
import sys
from sim.report import pages
pages.write_page = lambda finished, language: (finished / "report.html").touch()
from sim.cli.main import main
main(sys.argv[1:])
"""


def digests(out: Path, jobs: int, hash_seed: str) -> dict[str, str]:
    """Run 24 replications of the baseline; return the digest of every table."""
    command = [sys.executable, "-c", PROGRAM, "run", "scenarios/baseline.yaml", "--quiet"]
    command += ["--replications", "24", "--seed", "7", "--jobs", str(jobs), "--out", str(out)]
    environment = os.environ | {"PYTHONHASHSEED": hash_seed}
    subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True)
    tables = [path for path in out.iterdir() if path.name not in VARIED]
    assert len(tables) == 22
    return {path.name: sha256(path.read_bytes()).hexdigest() for path in tables}


def test_tables_are_the_same_bytes(tmp_path: Path) -> None:
    alone = digests(tmp_path / "alone", jobs=1, hash_seed="0")

    assert digests(tmp_path / "shared", jobs=2, hash_seed="4242") == alone

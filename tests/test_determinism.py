"""The same scenario, seed and replications give the same bytes, whatever runs them."""

from __future__ import annotations

import os
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
VARIED = {"manifest.json", "report.html"}  # they tell clock times


def digests(out: Path, jobs: int, hash_seed: str) -> dict[str, str]:
    """Run 24 replications of the baseline; return the digest of every table."""
    command = [sys.executable, "-m", "sim", "run", "scenarios/baseline.yaml", "--quiet"]
    command += ["--replications", "24", "--seed", "7", "--jobs", str(jobs), "--out", str(out)]
    environment = os.environ | {"PYTHONHASHSEED": hash_seed}
    subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True)
    tables = [path for path in out.iterdir() if path.name not in VARIED]
    assert len(tables) == 16
    return {path.name: sha256(path.read_bytes()).hexdigest() for path in tables}


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return digests(tmp_path_factory.mktemp("one") / "out", jobs=1, hash_seed="0")


@pytest.mark.parametrize(("jobs", "hash_seed"), [(2, "0"), (1, "4242"), (2, "4242")])
def test_tables_are_the_same_bytes(
    tmp_path: Path, expected: dict[str, str], jobs: int, hash_seed: str
) -> None:
    assert digests(tmp_path / "out", jobs, hash_seed) == expected

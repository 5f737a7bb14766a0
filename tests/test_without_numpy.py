"""Where there is neither numpy nor scipy, as in a browser, a replication is the same."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

import pytest
from scipy import optimize, special

from sim.model.run import run
from sim.scenario.interpret import interpret
from sim.scenario.load import load, shipped
from sim.vocabulary import incomplete
from sim.vocabulary.streams import Streams

SEEDS = (0, 1, 2**31, 2**40 + 7, 2**130 + 11)
ALONE = """
import sys
sys.modules |= dict.fromkeys(("numpy", "scipy", "pandas"))
from pathlib import Path
from sim.model.run import run
from sim.scenario.interpret import interpret
from sim.scenario.load import load
log = run(interpret(load(Path(sys.argv[1]))), 1, 1)
for each in log.moments:
    print(each.person, each.milestone.name, repr(each.time))
"""


def test_numbers_are_those_of_numpy(monkeypatch: pytest.MonkeyPatch) -> None:
    luck = random.Random(1)  # noqa: S311  no secret
    addresses = [
        (
            (luck.choice(SEEDS), luck.randrange(10_000)),
            f"question {luck.randrange(50)}",
            luck.randrange(-1, 300),
        )
        for _ in range(10_000)
    ]
    fast = {each: Streams(*each) for each, _, _ in addresses}
    expected = [fast[of].uniform(question, index) for of, question, index in addresses]
    monkeypatch.setitem(sys.modules, "numpy", None)
    pure = {each: Streams(*each) for each, _, _ in addresses}

    assert [pure[of].uniform(question, index) for of, question, index in addresses] == expected


def test_functions_are_those_of_scipy() -> None:
    luck = random.Random(2)  # noqa: S311  no secret
    for _ in range(1000):
        a, b = (10 ** luck.uniform(-1.5, 3.5) for _ in range(2))
        u = luck.uniform(1e-6, 1 - 1e-6)
        for name, arguments in (
            ("gammainc", (a, a * luck.uniform(0, 3))),
            ("gammaincinv", (a, u)),
            ("betainc", (a, b, u)),
            ("betaincinv", (a, b, u)),
        ):
            expected = float(getattr(special, name)(*arguments))
            found = getattr(incomplete, name)(*arguments)
            assert found == pytest.approx(expected, rel=1e-9, abs=1e-12)
    found = incomplete.brentq(lambda x: x**3 - 2, 0, 2)
    assert found == pytest.approx(optimize.brentq(lambda x: x**3 - 2, 0, 2), rel=1e-11)


@pytest.mark.parametrize(
    "name",
    [
        "smallest",
        *(pytest.param(each, marks=pytest.mark.slow) for each in ("baseline", "titration")),
    ],
)
def test_a_replication_is_the_same(name: str) -> None:
    path = Path(str(shipped())) / f"{name}.yaml"
    log = run(interpret(load(path)), 1, 1)
    alone = subprocess.run(
        [sys.executable, "-c", ALONE, str(path)], capture_output=True, text=True, check=True
    )
    met = [line.split() for line in alone.stdout.splitlines()]

    assert [(int(who), what) for who, what, _ in met] == [
        (each.person, each.milestone.name) for each in log.moments
    ]
    assert [float(time) for _, _, time in met] == pytest.approx(
        [each.time for each in log.moments], rel=1e-9
    )

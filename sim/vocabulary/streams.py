"""Random numbers that are addressed, not consumed.

The uniform for ("consent", person 17) in replication 3 of seed 1 is one fixed number, whoever asks
first and whatever else a scenario changed: common random numbers across scenarios come for free.
"""

from __future__ import annotations

from array import array
from functools import cache
from hashlib import blake2b
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.intp]

STREAMS = 20
"""In so many streams the uncertain rate is stratified; their means are independent."""

GOLDEN_RATIO = 0.6180339887498949
TWIN_EVERY = 5

_BLOCK = 128  # people per block; Philox yields four numbers a counter step
_STEPS = _BLOCK // 4


def of_attempt(question: str, number: int) -> str:
    """Return the address of a question that is asked anew each time somebody is screened."""
    return question if number == 1 else f"{question} attempt {number}"


@cache
def _key_of(question: str) -> int:
    """Return 64 bits that stand for a question's name."""
    return int.from_bytes(blake2b(question.encode(), digest_size=8).digest(), "little")


class Draws(NamedTuple):
    """Which draw of the uncertain assumptions each replication, from 1, has; draws are from 0.

    With twins every fifth replication has the draw of the one before it, and other luck: two that
    differ by luck alone tell luck and ignorance apart.
    """

    is_stratified: bool = False
    """Whether the draws of the rate are spread evenly, so that they are not independent."""
    has_twins: bool = False

    def draw(self, replication: int) -> int:
        """Return the draw of a replication."""
        return replication - 1 - (replication // TWIN_EVERY if self.has_twins else 0)

    def original(self, replication: int) -> int:
        """Return the first replication that has the same draw."""
        return replication - (self.has_twins and replication % TWIN_EVERY == 0)

    def of(self, replications: int) -> Numbers | None:
        """Return the draw of each of so many replications; None where all are independent."""
        if not any(self):
            return None
        return np.array([self.draw(each) for each in range(1, replications + 1)], np.intp)


def stratified(seed: int, draw: int) -> float:
    """Return the number in [0, 1) by which a draw has its rate.

    Draws go round through the streams, and in each of them by golden-ratio steps from a shift of
    its own: any number of successive ones is spread evenly (Niederreiter 1992, Random Number
    Generation and Quasi-Monte Carlo Methods, section 3.1), and their number need not be known.
    """
    turn, stream = divmod(draw, STREAMS)
    return (_shift(seed, stream) + turn * GOLDEN_RATIO) % 1.0


@cache
def _shift(seed: int, stream: int) -> float:
    return Streams(seed, 0).uniform("recruitment rate", stream)


class Streams:
    """Uniform numbers of one replication, addressed by question and index.

    Philox (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3") is a keyed function
    of a counter, so a question's block is found by setting the key, at a fifth of the price of a
    new generator.
    """

    def __init__(self, seed: int, replication: int) -> None:
        """Address the numbers of one replication (both whole numbers, 0 or more)."""
        root = np.random.SeedSequence((seed, replication))
        self._root = int(root.generate_state(1, np.uint64)[0])
        self._philox = np.random.Philox(root)
        self._generator = np.random.Generator(self._philox)
        self._answers: dict[str, array[float]] = {}
        # The state is written in place: to build it anew would cost more than the numbers.
        self._counter = np.zeros(4, dtype=np.uint64)
        self._key = np.array([self._root, 0], dtype=np.uint64)
        self._state: Any = {
            "bit_generator": "Philox",
            "state": {"counter": self._counter, "key": self._key},
            "buffer": np.zeros(4, dtype=np.uint64),
            "buffer_pos": 4,
            "has_uint32": 0,
            "uinteger": 0,
        }

    def uniform(self, question: str, index: int) -> float:
        """Return the number in [0, 1) that answers `question` for the person (or item) `index`.

        -1 is for a question that is asked about nobody in particular.
        """
        try:
            return self._answers[question][index]
        except (KeyError, IndexError):
            answers = self._answers.setdefault(question, array("d"))
            while len(answers) <= max(index, 0):
                answers.frombytes(self._next_block(question, len(answers) // _BLOCK))
            return answers[index]

    def _next_block(self, question: str, number: int) -> bytes:
        self._counter[0] = number * _STEPS
        self._key[1] = _key_of(question)
        self._philox.state = self._state
        return self._generator.random(_BLOCK).tobytes()

"""Random numbers that are addressed, not consumed.

The uniform for ("consent", person 17) in replication 3 of seed 1 is one fixed number, whoever asks
first and whatever else a scenario changed: common random numbers across scenarios come for free.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Numbers: TypeAlias = "NDArray[np.intp]"

STREAMS = 20
"""In so many streams the uncertain rate is stratified; their means are independent."""

GOLDEN_RATIO = 0.6180339887498949
STEPS = {"waves": 0.2360679774997898, "level of the waves": 0.41421356237309515}
"""Steps of luck that is spread evenly beside the rate: what is behind the point of √5 and √2."""

TWIN_EVERY = 5

_BLOCK: Final = 128
"""Numbers made at a time where there is numpy, and the place of the one that is about nobody."""


_32, _64 = 0xFFFFFFFF, 0xFFFFFFFFFFFFFFFF
_WORDS: Final = 4
_ROUNDS: Final = 10
_UNIT: Final = 2.0**-53


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
        import numpy as np  # noqa: PLC0415  no replication asks

        return np.array([self.draw(each) for each in range(1, replications + 1)], np.intp)


def stratified(seed: int, draw: int) -> float:
    """Return the number in [0, 1) by which a draw has its rate.

    Draws go round through the streams, and in each of them by golden-ratio steps from a shift of
    its own: any number of successive ones is spread evenly (Niederreiter 1992, Random Number
    Generation and Quasi-Monte Carlo Methods, section 3.1), and their number need not be known.
    """
    turn, stream = divmod(draw, STREAMS)
    return (_shift(seed, stream, "recruitment rate") + turn * GOLDEN_RATIO) % 1.0


def stratified_luck(seed: int, draws: Draws, replication: int, question: str) -> float | None:
    """Return the number in [0, 1) by which a replication has some luck, where draws are stratified.

    It is spread as evenly as the rate, and beside it; twins, which have other luck, by themselves.
    """
    if not draws.is_stratified:
        return None
    turn, stream = divmod(draws.draw(replication), STREAMS)
    whose = "twin" if draws.original(replication) != replication else "own"
    return (_shift(seed, stream, f"{question}, {whose}") + turn * STEPS[question]) % 1.0


@cache
def _shift(seed: int, stream: int, question: str) -> float:
    return Streams(seed, 0).uniform(question, stream)


class Streams:
    """Uniform numbers of one replication, addressed by question and index.

    Philox (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3") is a keyed function
    of a counter, so a question's numbers are found by setting the key, at a fifth of the price of a
    new generator.
    """

    def __init__(self, seed: int, replication: int) -> None:
        """Address the numbers of one replication (both whole numbers, 0 or more)."""
        self._more = _maker(seed, replication)
        self._answers: dict[str, array[float]] = {}

    def uniform(self, question: str, index: int) -> float:
        """Return the number in [0, 1) that answers `question` for the person (or item) `index`.

        -1 is for a question that is asked about nobody in particular.
        """
        try:
            return self._answers[question][index]
        except (KeyError, IndexError):
            answers = self._answers.setdefault(question, array("d"))
            while len(answers) <= (index if index >= 0 else _BLOCK - 1):
                answers.frombytes(self._more(_key_of(question), len(answers) // _WORDS))
            return answers[index]


def _maker(seed: int, replication: int) -> Callable[[int, int], bytes]:
    """Return what makes numbers of a replication: of a key, from a step of its counter on."""
    try:
        import numpy as np  # noqa: PLC0415  a browser has none
    except ModuleNotFoundError:
        root = _root_of((seed, replication))
        return lambda key, step: array("d", _four(step + 1, root, key)).tobytes()
    sequence = np.random.SeedSequence((seed, replication))
    philox = np.random.Philox(sequence)
    generator = np.random.Generator(philox)
    # The state is written in place: to build it anew would cost more than the numbers.
    counter = np.zeros(_WORDS, dtype=np.uint64)
    keys = np.array([int(sequence.generate_state(1, np.uint64)[0]), 0], dtype=np.uint64)
    state: Any = {
        "bit_generator": "Philox",
        "state": {"counter": counter, "key": keys},
        "buffer": np.zeros(_WORDS, dtype=np.uint64),
        "buffer_pos": _WORDS,
        "has_uint32": 0,
        "uinteger": 0,
    }

    def block(key: int, step: int) -> bytes:
        counter[0], keys[1] = step, key
        philox.state = state
        return generator.random(_BLOCK).tobytes()

    return block


def _root_of(entropy: Sequence[int]) -> int:
    """Return the first 64 bits of the state that numpy's `SeedSequence` makes of whole numbers.

    O'Neill 2015, "Developing a seed_seq alternative".
    """
    words = [word for number in entropy for word in _words(number)]
    mixer = 0x43B0D7E5

    def hashed(value: int) -> int:
        nonlocal mixer
        value ^= mixer
        mixer = mixer * 0x931E8875 & _32
        value = value * mixer & _32
        return value ^ value >> 16

    def mixed(one: int, other: int) -> int:
        value = (one * 0xCA01F9DD - other * 0x4973F715) & _32
        return value ^ value >> 16

    pool = [hashed(word) for word in (*words, 0, 0, 0, 0)[:_WORDS]]
    for source in range(_WORDS):
        for target in range(_WORDS):
            if source != target:
                pool[target] = mixed(pool[target], hashed(pool[source]))
    for word in words[_WORDS:]:
        for target in range(_WORDS):
            pool[target] = mixed(pool[target], hashed(word))
    mixer, state = 0x8B51F9DD, 0
    for place in range(2):
        value = pool[place] ^ mixer
        mixer = mixer * 0x58F38DED & _32
        value = value * mixer & _32
        state |= (value ^ value >> 16) << 32 * place
    return state


def _words(number: int) -> Iterator[int]:
    """Yield the words of 32 bits of a number, the lowest first."""
    yield number & _32
    while number := number >> 32:
        yield number & _32


def _four(step: int, root: int, key: int) -> tuple[float, ...]:
    """Return the numbers in [0, 1) that a keyed counter stands for: Philox-4x64-10."""
    a, b, c, d = step, 0, 0, 0
    for _ in range(_ROUNDS):
        one, other = 0xD2E7470EE14C6C93 * a, 0xCA5A826395121157 * c
        a, b, c, d = (other >> 64) ^ b ^ root, other & _64, (one >> 64) ^ d ^ key, one & _64
        root, key = root + 0x9E3779B97F4A7C15 & _64, key + 0xBB67AE8584CAA73B & _64
    return tuple((each >> 11) * _UNIT for each in (a, b, c, d))

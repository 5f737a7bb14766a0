"""Counting over replications: exact, whatever their order, in memory that does not grow with them.

A tally keeps a number of cells (a week and a role, a month and a stage). Of each it keeps the sum,
in whole steps, and how often each bin occurred, so that means and quantiles need no list of
replications. Bins are whole multiples of a quantity's bin (0.25 hours, 1 person), exact up to 9,999
of them and to four significant digits beyond, however large.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sim.results.periods import Floats

Cell = tuple[str | int, ...]
"""What is counted, named by the key columns of its table."""

Counts = Floats | Mapping[Cell, float]
"""One replication's number for every cell in order (nan: blank), or for the cells that occurred."""

FRESH_AT_MOST = 2**17
EXACT_BELOW, BINS_A_DECADE = 10_000, 9_000
"""Whole numbers of four digits: all of them, and those that do not begin with 0."""

DECADES = 10.0 ** np.arange(306)
"""How wide a bin is: 1 below 10,000, ten times as much in every decade from there on."""

DECADES_BEGIN = DECADES[1:] * (EXACT_BELOW // 10)
"""Where a bin becomes wider, up to the last decade of all floats."""

WHOLE_BELOW = 2.0**53
"""Sums of whole numbers lose nothing to rounding up to here."""

BIN_BITS = 22
"""Room for the place of a bin among all there are, some 2.8 million."""


class Grain(NamedTuple):
    """How finely a quantity is kept: steps in one unit for its sum, bins in one for quantiles."""

    steps: float | Floats
    bins: float | Floats

    @classmethod
    def of_doses(cls, dose: Floats) -> Grain:
        """The grain of cells whose doses are so many units: a billionth of a dose or finer.

        It is a power of ten, so that amounts in few digits come out in as few.
        """
        steps = 10.0 ** (9 - np.floor(np.log10(dose)))
        return cls(steps, steps)


HOURS = Grain(steps=3600, bins=4)
COUNT = Grain(steps=1, bins=1)
SHARE = Grain(steps=10_000, bins=100)


class Tally:
    """Sums and histograms of many cells over the replications added so far.

    A cell that appears late was zero before: zeros are not stored but implied. A cell that was ever
    blank stays blank. A sum is exact, in two floats, up to some 2^106 steps over the number of
    replications.
    """

    def __init__(self, grain: Grain, cells: Iterable[Cell] = ()) -> None:
        """Start with the cells that are known beforehand; mappings may bring others later."""
        self.replications = 0
        self._grain = grain
        self._index: dict[Cell, int] = {cell: index for index, cell in enumerate(cells)}
        self._sums = np.zeros(len(self._index))
        self._lost = np.zeros(len(self._index))
        self._blank = np.zeros(len(self._index), np.bool_)
        self._codes = np.zeros(0, np.int64)
        self._times = np.zeros(0, np.int64)
        self._fresh: list[NDArray[np.int64]] = []
        self._fresh_codes = 0

    @property
    def cells(self) -> list[Cell]:
        """The cells, in the order of `mean` and `quantile`."""
        return list(self._index)

    @property
    def stored(self) -> int:
        """How many pairs of cell and bin are held: bounded by their kinds, not by replications."""
        self._compact()
        return len(self._codes)

    def add(self, counts: Counts) -> None:
        """Count one replication."""
        self.replications += 1
        if isinstance(counts, Mapping):
            indices, values = self._located(counts)
        else:
            indices, values = np.arange(len(self._index)), counts
            self._blank |= np.isnan(values)
        some = np.flatnonzero(values > 0)
        if not len(some):
            return
        indices = indices[some]
        steps, bins = (np.rint((values * each)[some]) for each in self._grain)
        before = self._sums[indices]
        self._sums[indices] = total = before + steps
        if total.max() > WHOLE_BELOW:
            self._lost[indices] += _rounding(before, steps, total)
        self._fresh.append((indices << BIN_BITS) + _places(bins))
        self._fresh_codes += len(some)
        if self._fresh_codes > FRESH_AT_MOST:
            self._compact()

    def mean(self) -> Floats:
        """The mean of each cell, from its exact sum."""
        mean = (self._sums + self._lost) / (self.replications * self._grain.steps)
        return np.where(self._blank, np.nan, mean)

    def quantile(self, percent: int) -> Floats:
        """The smallest bin of each cell that at least `percent` % of replications do not exceed."""
        self._compact()
        cells, places = self._codes >> BIN_BITS, self._codes & (1 << BIN_BITS) - 1
        ends = np.append(0, np.cumsum(self._times))
        first, last = (
            ends[np.searchsorted(cells, np.arange(len(self._index)), side)]
            for side in ("left", "right")
        )
        zeros = self.replications - (last - first)
        above = rank(percent, self.replications) - zeros
        at = np.searchsorted(ends[1:], first + above)
        value = np.where(above > 0, np.append(_bins(places), 0)[at], 0) / self._grain.bins
        return np.where(self._blank, np.nan, value)

    def _located(self, counts: Mapping[Cell, float]) -> tuple[NDArray[np.intp], Floats]:
        """Indices and values of named cells; room is made for cells not met before."""
        indices = [self._index.setdefault(cell, len(self._index)) for cell in counts]
        if missing := len(self._index) - len(self._sums):
            self._sums = np.pad(self._sums, (0, missing))
            self._lost = np.pad(self._lost, (0, missing))
            self._blank = np.pad(self._blank, (0, missing))
        return np.array(indices, np.intp), np.array(list(counts.values()), np.float64)

    def _compact(self) -> None:
        """Merge what was added lately into the histogram."""
        if not self._fresh:
            return
        codes = np.concatenate([self._codes, *self._fresh])
        times = np.append(self._times, np.ones(len(codes) - len(self._times), np.int64))
        self._codes, places = np.unique(codes, return_inverse=True)
        self._times = np.zeros(len(self._codes), np.int64)
        np.add.at(self._times, places, times)
        self._fresh, self._fresh_codes = [], 0


def rank(percent: float, number: int) -> int:
    """The rank, from 1, of a quantile among `number` values: the inverse of their cdf, exactly."""
    return max(1, int(-(-percent * number // 100)))


def _rounding(one: Floats, other: Floats, total: Floats) -> Floats:
    """What rounding took from the sum of two floats: itself a float (Knuth's TwoSum)."""
    taken = total - one
    return (one - (total - taken)) + (other - taken)


def _places(whole: Floats) -> NDArray[np.int64]:
    """The place, among all bins in their order, of the one that is nearest to a whole number."""
    decade = np.searchsorted(DECADES_BEGIN, whole, "right")
    return np.floor(whole / DECADES[decade] + 0.5).astype(np.int64) + BINS_A_DECADE * decade


def _bins(places: NDArray[np.int64]) -> Floats:
    """The bins at these places."""
    decade = np.maximum(places - EXACT_BELOW // 10, 0) // BINS_A_DECADE
    bins: Floats = (places - BINS_A_DECADE * decade) * DECADES[decade]
    return bins

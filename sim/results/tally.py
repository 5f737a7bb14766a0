"""Counting over replications: exact, whatever their order, in memory that does not grow with them.

A tally keeps a number of cells (a week and a role, a month and a stage). Of each it keeps the sum,
in whole steps, and how often each bin occurred, so that means and quantiles need no list of
replications. Bins are whole multiples of a quantity's bin (0.25 hours, 1 person, 1 dose), exact up
to 9,999 of them and to four significant digits beyond.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Cell = tuple[str | int, ...]
"""What is counted, named by the key columns of its table."""

Counts = NDArray[np.float64] | Mapping[Cell, float]
"""One replication's number for every cell in order (nan: blank), or for the cells that occurred."""

FRESH_AT_MOST = 2**17
BIN_BITS = 44
DIGITS_KEPT = 4


class Grain(NamedTuple):
    """How finely a quantity is kept: steps in one unit for its sum, bins in one for quantiles."""

    steps: int
    bins: int


HOURS = Grain(steps=3600, bins=4)
COUNT = Grain(steps=1, bins=1)
SHARE = Grain(steps=10_000, bins=100)
AMOUNT = Grain(steps=1000, bins=1)


class Tally:
    """Sums and histograms of many cells over the replications added so far.

    A cell that appears late was zero before: zeros are not stored but implied. A cell that was ever
    blank stays blank.
    """

    def __init__(self, grain: Grain, cells: Iterable[Cell] = ()) -> None:
        """Start with the cells that are known beforehand; mappings may bring others later."""
        self.replications = 0
        self._grain = grain
        self._index: dict[Cell, int] = {cell: index for index, cell in enumerate(cells)}
        self._sums = np.zeros(len(self._index), np.int64)
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
        indices, values = indices[some], values[some]
        self._sums[indices] += np.rint(values * self._grain.steps).astype(np.int64)
        self._fresh.append((indices << BIN_BITS) + _bins(values * self._grain.bins))
        self._fresh_codes += len(some)
        if self._fresh_codes > FRESH_AT_MOST:
            self._compact()

    def mean(self) -> NDArray[np.float64]:
        """The mean of each cell, from its exact sum."""
        mean = self._sums / (self.replications * self._grain.steps)
        return np.where(self._blank, np.nan, mean)

    def quantile(self, percent: int) -> NDArray[np.float64]:
        """The smallest bin of each cell that at least `percent` % of replications do not exceed."""
        self._compact()
        cells, bins = self._codes >> BIN_BITS, self._codes & (1 << BIN_BITS) - 1
        ends = np.append(0, np.cumsum(self._times))
        first, last = (
            ends[np.searchsorted(cells, np.arange(len(self._sums)), side)]
            for side in ("left", "right")
        )
        zeros = self.replications - (last - first)
        above = rank(percent, self.replications) - zeros
        at = np.searchsorted(ends[1:], first + above)
        value = np.where(above > 0, np.append(bins, 0)[at], 0) / self._grain.bins
        return np.where(self._blank, np.nan, value)

    def _located(
        self, counts: Mapping[Cell, float]
    ) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
        """Indices and values of named cells; room is made for cells not met before."""
        indices = [self._index.setdefault(cell, len(self._index)) for cell in counts]
        missing = len(self._index) - len(self._sums)
        self._sums = np.pad(self._sums, (0, missing))
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


def rank(percent: int, number: int) -> int:
    """The rank, from 1, of a quantile among `number` values: the inverse of their cdf, exactly."""
    return max(1, -(-percent * number // 100))


def _bins(values: NDArray[np.float64]) -> NDArray[np.int64]:
    """The nearest whole numbers, those of more than four digits to four significant digits."""
    whole = np.rint(values).astype(np.int64)
    powers = 10 ** np.arange(DIGITS_KEPT, 18, dtype=np.int64)
    unit = 10 ** np.searchsorted(powers, whole, "right").astype(np.int64)
    return (whole + unit // 2) // unit * unit

"""What became of the products: by month for the tables, over the whole run for the measures."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import chain, compress
from typing import NamedTuple

import numpy as np

from sim.results.periods import Almanac, Floats, Indices
from sim.results.replication import Reading
from sim.results.tally import Cell, Grain
from sim.vocabulary.clock import MINUTES_PER_DAY
from sim.vocabulary.eventlog import Movement

Amounts = tuple[Indices, Floats, Floats]
"""Product indices, times in minutes, how much."""


class Quantity(NamedTuple):
    """A quantity of supply.csv, a measure of it, and what adds up to it.

    It concerns the products that have the measure.
    """

    name: str
    measure: str
    amounts: Callable[[Reading], Amounts]

    def concerned(self, almanac: Almanac) -> list[bool]:
        """Whether it concerns each product."""
        measures = almanac.protocol.measures
        return [f"{self.measure}_{name}" in measures for name in almanac.products]

    def cells(self, almanac: Almanac) -> list[Cell]:
        """A month of each product it concerns."""
        concerned = compress(almanac.products, self.concerned(almanac))
        return [(month, name, self.name) for name in concerned for month in almanac.months.labels]

    def monthly(self, reading: Reading) -> Floats:
        """What adds up in each month, product by product, as in the cells."""
        months, products = reading.almanac.months, len(reading.almanac.products)
        product, time, amount = self.amounts(reading)
        cell = product * len(months) + months.index(time)
        by_month: Floats = np.bincount(cell, amount, products * len(months)).astype(np.float64)
        return by_month.reshape(products, len(months))[self.concerned(reading.almanac)].ravel()

    def totals(self, reading: Reading) -> Iterator[float]:
        """What adds up over the whole run, of each product it concerns."""
        product, _, amount = self.amounts(reading)
        for index in np.flatnonzero(self.concerned(reading.almanac)):
            yield math.fsum(amount[product == index].tolist())

    def at_month_ends(self, reading: Reading) -> Floats:
        """What is on hand at each month's end, when the amounts come and go."""
        months, products = len(reading.almanac.months), reading.almanac.protocol.products
        starts = [product.stock.starts_with for product in products if product.stock]
        changes = self.monthly(reading).reshape(len(starts), months)
        on_hand: Floats = np.array(starts, np.float64)[:, None] + changes.cumsum(axis=1)
        return on_hand.ravel()


def _doses(reading: Reading) -> Amounts:
    product, time, _ = reading.doses
    return product, time, np.ones(len(product))


def _late(reading: Reading) -> Amounts:
    """Doses given after their planned day because the product was not there."""
    visits = reading.visits
    waited = np.fromiter((reason == "product" for reason in visits.reason), np.bool_)
    late = waited & visits.is_held & (visits.day > visits.planned_day)
    visit, product = np.nonzero(visits.gives & late[:, None])
    return product, visits.time[visit], np.ones(len(product))


def _vials(*movements: Movement, each_is_one: bool = False) -> Callable[[Reading], Amounts]:
    """How many vials went one way, or how often that happened."""

    def amounts(reading: Reading) -> Amounts:
        which, product, time, vials = reading.supplies
        ours = np.any([which == each for each in movements], axis=0)
        return product[ours], time[ours], np.ones(ours.sum()) if each_is_one else vials[ours]

    return amounts


def _shelf(reading: Reading) -> Amounts:
    """The vials that come to the shelf and, negative, that leave it."""
    which, product, time, vials = reading.supplies
    products = reading.almanac.protocol.products
    has_stock = np.array([each.stock is not None for each in products], np.bool_)
    gone = (which == Movement.DISPENSED) & has_stock[product]
    ours = gone | (which == Movement.DELIVERED)
    return product[ours], time[ours], np.where(gone, -vials, vials)[ours]


_times = partial(_vials, each_is_one=True)
UNITS = Quantity("units", "units", lambda reading: reading.doses)
COUNTED = (
    Quantity("doses", "doses", _doses),
    Quantity("wasted", "doses_wasted", _times(Movement.DISCARDED, Movement.NOT_GIVEN)),
    Quantity("late", "doses_late", _late),
    Quantity("failed_release", "releases_failed", _times(Movement.FAILED_RELEASE)),
    Quantity("vials", "vials", _vials(Movement.DISPENSED)),
    Quantity("returned", "vials_returned", _vials(Movement.RETURNED)),
    Quantity("lost", "vials_lost", _vials(Movement.LOST)),
    Quantity("stockouts", "stockouts", _times(Movement.OUT_OF_STOCK)),
)
MEASURED = (*COUNTED, UNITS)
ON_HAND = Quantity("stock", "stockout_days", _shelf)


def grain_of_units(almanac: Almanac) -> Grain:
    """The grain of each of the cells of `UNITS`, by the smallest dose of its product."""
    smallest = [float(product.dose) for product in almanac.protocol.products]
    for arm in almanac.protocol.arms:
        for product, units in chain.from_iterable(visit.gives for visit in arm.visits):
            smallest[product] = min(smallest[product], units)
    return Grain.of_doses(np.repeat(smallest, len(almanac.months)))


def days_empty(reading: Reading) -> Iterator[float]:
    """Days with an empty shelf, of each product in stock."""
    which, times, vials = _shelf(reading)
    for index, product in enumerate(reading.almanac.protocol.products):
        if product.stock is not None:
            ours = which == index
            moves = zip(times[ours].tolist(), vials[ours].tolist(), strict=True)
            yield _minutes_empty(product.stock.starts_with, moves, reading) / MINUTES_PER_DAY


def _minutes_empty(on_hand: float, moves: Iterable[tuple[float, float]], reading: Reading) -> float:
    empty, since = 0.0, 0.0
    for time, vials in [*sorted(moves), (reading.almanac.protocol.clock.end_minutes, 0.0)]:
        if on_hand <= 0:
            empty += time - since
        on_hand, since = on_hand + vials, time
    return empty

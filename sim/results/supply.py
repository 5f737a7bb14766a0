"""What became of the products: by month for the tables, over the whole run for the measures."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from itertools import chain, compress
from typing import NamedTuple

import numpy as np

from sim.results.periods import Almanac, Floats
from sim.results.replication import Reading
from sim.results.tally import Cell, Grain
from sim.scenario.protocol import Protocol
from sim.vocabulary.clock import MINUTES_PER_DAY
from sim.vocabulary.eventlog import Milestone, Movement

Amount = tuple[int, float, float]
"""product index, time in minutes, how much."""


class Quantity(NamedTuple):
    """A quantity of supply.csv, a measure of it, and what adds up to it.

    It concerns the products that have the measure.
    """

    name: str
    measure: str
    amounts: Callable[[Reading], list[Amount]]

    def concerned(self, protocol: Protocol) -> list[bool]:
        """Whether it concerns each product."""
        return [f"{self.measure}_{each.name}" in protocol.measures for each in protocol.products]

    def cells(self, almanac: Almanac) -> list[Cell]:
        """A month of each product it concerns."""
        months, products = almanac.months.labels, almanac.protocol.products
        concerned = compress(products, self.concerned(almanac.protocol))
        return [(month, product.name, self.name) for product in concerned for month in months]

    def monthly(self, reading: Reading) -> Floats:
        """What adds up in each month, product by product, as in the cells."""
        months, products = reading.almanac.months, reading.almanac.protocol.products
        amounts = np.array(self.amounts(reading), np.float64).reshape(-1, 3).T
        cell = amounts[0].astype(np.intp) * len(months) + months.index(amounts[1])
        total = np.bincount(cell, amounts[2], minlength=len(products) * len(months))
        by_month = total.astype(np.float64).reshape(len(products), len(months))
        return by_month[self.concerned(reading.almanac.protocol)].ravel()

    def totals(self, reading: Reading) -> Iterator[float]:
        """What adds up over the whole run, of each product it concerns."""
        amounts = self.amounts(reading)
        for index in np.flatnonzero(self.concerned(reading.almanac.protocol)):
            yield math.fsum(amount for which, _, amount in amounts if which == index)

    def at_month_ends(self, reading: Reading) -> Floats:
        """What is on hand at each month's end, when the amounts come and go."""
        months, products = len(reading.almanac.months), reading.almanac.protocol.products
        starts = [product.stock.starts_with for product in products if product.stock]
        changes = self.monthly(reading).reshape(len(starts), months)
        on_hand: Floats = np.array(starts, np.float64)[:, None] + changes.cumsum(axis=1)
        return on_hand.ravel()


def _doses(reading: Reading) -> list[Amount]:
    return [(dose.detail[0], dose.time, 1.0) for dose in reading.moments[Milestone.DOSE]]


def _units(reading: Reading) -> list[Amount]:
    return [(dose.detail[0], dose.time, dose.detail[1]) for dose in reading.moments[Milestone.DOSE]]


def _late(reading: Reading) -> list[Amount]:
    """Doses given after their planned day because the product was not there."""
    return [
        (product, visit.time, 1.0)
        for visit in reading.dose_visits
        if visit.reason == "product"
        and not visit.is_missed
        and visit.time // MINUTES_PER_DAY > visit.planned_day
        for product in reading.products(visit)
    ]


def _times(*movements: Movement) -> Callable[[Reading], list[Amount]]:
    """How often something happened to a product."""
    return lambda reading: [
        (each.product, each.time, 1.0)
        for movement in movements
        for each in reading.supplies[movement]
    ]


def _vials(movement: Movement) -> Callable[[Reading], list[Amount]]:
    """How many vials went one way."""
    return lambda reading: [
        (each.product, each.time, each.vials) for each in reading.supplies[movement]
    ]


def _shelf(reading: Reading) -> list[Amount]:
    """The vials that come to the shelf and, negative, that leave it."""
    products, dispensed = reading.almanac.protocol.products, _vials(Movement.DISPENSED)(reading)
    gone = [(which, time, -vials) for which, time, vials in dispensed if products[which].stock]
    return _vials(Movement.DELIVERED)(reading) + gone


UNITS = Quantity("units", "units", _units)
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
    for index, product in enumerate(reading.almanac.protocol.products):
        if product.stock is not None:
            moves = [(time, vials) for which, time, vials in _shelf(reading) if which == index]
            yield _minutes_empty(product.stock.starts_with, moves, reading) / MINUTES_PER_DAY


def _minutes_empty(on_hand: float, moves: Sequence[tuple[float, float]], reading: Reading) -> float:
    empty, since = 0.0, 0.0
    for time, vials in [*sorted(moves), (reading.almanac.protocol.clock.end_minutes, 0.0)]:
        if on_hand <= 0:
            empty += time - since
        on_hand, since = on_hand + vials, time
    return empty

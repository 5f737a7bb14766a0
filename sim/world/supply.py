"""How many doses of a trial product can be prepared in a week, and how long one keeps."""

from __future__ import annotations

from collections import Counter

from sim.meaning.product import Product
from sim.meaning.slots import Task
from sim.vocabulary.clock import DAYS_PER_WEEK, Clock


class Supply:
    """The preparations of each calendar week."""

    def __init__(self, clock: Clock) -> None:
        """Weeks begin on Monday."""
        self._monday_shift = clock.opens.weekday()
        self._prepared: Counter[tuple[str, int]] = Counter()

    def is_spent(self, product: Product, day: int) -> bool:
        """Say whether the week of `day` has no preparation left."""
        limit = product.doses_per_week
        return limit is not None and self._prepared[product.name, self._week(day)] >= limit

    def preparation(self, product: Product, day: int) -> Preparation | None:
        """Return the dose to be prepared on `day`; it counts once its preparation begins.

        None for a product without limits, of which nobody needs to keep count.
        """
        if product.doses_per_week is None and product.use_within_minutes is None:
            return None
        return Preparation(self, product, day)

    def count(self, product: Product, day: int) -> None:
        """Count one preparation."""
        self._prepared[product.name, self._week(day)] += 1

    def next_week(self, day: int) -> int:
        """Return the Monday after `day`."""
        return (self._week(day) + 1) * DAYS_PER_WEEK - self._monday_shift

    def _week(self, day: int) -> int:
        return (day + self._monday_shift) // DAYS_PER_WEEK


class Preparation:
    """A dose on its way: a dosing visit's first task prepares it, the second gives it.

    Called with each task of the visit as it is about to begin; says False when the dose has waited
    longer than it keeps, and the visit must end there.
    """

    def __init__(self, supply: Supply, product: Product, day: int) -> None:
        """Nothing is prepared yet."""
        self._supply, self._product, self._day = supply, product, day
        self._ready: float | None = None
        self._is_given = False
        self.is_wasted = False

    def __call__(self, _task: Task | None, begin: float, end: float) -> bool:
        """Follow the visit; see the class."""
        if self._ready is None:
            self._supply.count(self._product, self._day)
            self._ready = end
        elif not self._is_given:
            self._is_given = True
            limit = self._product.use_within_minutes
            self.is_wasted = limit is not None and begin - self._ready > limit
        return not self.is_wasted

"""How many doses can be prepared in a week, how long one keeps, and the vials on the shelf."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Sequence

from sim.model.chance import Chance
from sim.scenario.capacity import Product, Stock
from sim.scenario.slots import NEVER_DAY, Task
from sim.vocabulary.clock import DAYS_PER_WEEK, MINUTES_PER_DAY, Clock
from sim.vocabulary.eventlog import Movement, Supplied


class Ledger:
    """What is written down of products, until the end."""

    def __init__(self, end: float, log: list[Supplied]) -> None:
        """`end` is the closing instant."""
        self._end, self._log = end, log

    def note(
        self, person: int, time: float, movement: Movement, product: int, vials: int = 0
    ) -> None:
        """Log what became of a product, unless it lies after the end."""
        if time <= self._end:
            self._log.append(Supplied(person, time, movement, product, vials))


class Supply:
    """The preparations of each calendar week, the vials on the shelf, and what becomes of them."""

    def __init__(
        self,
        products: Sequence[Product],
        clock: Clock,
        chance: Chance,
        log: list[Supplied],
        *,
        is_booked: bool,
    ) -> None:
        """Weeks begin on Monday; stocks are as they are at the opening.

        By appointment a preparation counts from when it is booked.
        """
        self.is_booked = is_booked
        self._monday_shift = clock.opens.weekday()
        ledger = Ledger(clock.end_minutes, log)
        self.note = ledger.note
        self._prepared: Counter[tuple[int, int]] = Counter()
        self._chance = chance
        self.products = products
        self.shelves = [
            Shelf(index, product.stock, ledger) if product.stock else None
            for index, product in enumerate(products)
        ]

    def failed_releases(self, person: int, product: Product, order: int) -> int:
        """Return how often a participant's order fails its release before it is there."""
        return self._chance.failed_releases(person, product, order)

    def is_spent(self, product: int, day: int) -> bool:
        """Say whether the week of `day` has no preparation of a product left."""
        limit = self.products[product].doses_per_week
        return limit is not None and self._prepared[product, self._week(day)] >= limit

    def preparation(self, given: Iterable[int], day: int) -> Preparation | None:
        """Return what is prepared on `day` of the products given; it counts once that begins.

        None where none is prepared, and nobody needs to keep count.
        """
        prepared = [product for product in given if self.products[product].is_prepared]
        return Preparation(self, prepared, day) if prepared else None

    def count(self, product: int, day: int, times: int = 1) -> None:
        """Count preparations of a product, or what is prepared no more (negative)."""
        self._prepared[product, self._week(day)] += times

    def next_week(self, day: int) -> int:
        """Return the Monday after `day`."""
        return (self._week(day) + 1) * DAYS_PER_WEEK - self._monday_shift

    def _week(self, day: int) -> int:
        return (day + self._monday_shift) // DAYS_PER_WEEK


class Preparation:
    """Doses on their way: a dosing visit's first task prepares them, the second gives them.

    Called with each task of the visit as it is about to begin; says False when the dose has waited
    longer than it keeps, and the visit must end there.
    """

    def __init__(self, supply: Supply, prepared: Sequence[int], day: int) -> None:
        """Nothing is prepared yet."""
        self._supply, self._prepared, self._day = supply, prepared, day
        kept = (supply.products[product].use_within_minutes for product in prepared)
        self.keeps_minutes = min((limit for limit in kept if limit is not None), default=None)
        self._ready: float | None = None
        self._is_given = False
        self.is_wasted = False

    def __call__(self, _task: Task | None, begin: float, end: float) -> bool:
        """Follow the visit; see the class."""
        if self._ready is None:
            if not self._supply.is_booked:
                for product in self._prepared:
                    self._supply.count(product, self._day)
            self._ready = end
        elif not self._is_given:
            self._is_given = True
            limit = self.keeps_minutes
            self.is_wasted = limit is not None and begin - self._ready > limit
        return not self.is_wasted


class Shelf:
    """The vials of a product on the shelf, and those ordered."""

    def __init__(self, product: int, policy: Stock, ledger: Ledger) -> None:
        """Open with the shelf as it is, and order if that is little."""
        self._product, self._policy, self._ledger = product, policy, ledger
        self._on_hand = int(policy.starts_with)
        self._ordered: deque[tuple[int, int]] = deque()
        self.reorder(0, policy.reorder_at + 1)

    def set_aside(self, vials: int, day: int) -> int:
        """Take vials from the shelf on a day, or return the day that will make up so many."""
        self._receive(day)
        if self._on_hand < vials:
            self.reorder(day, vials)
            self._receive(day)
        if self._on_hand >= vials:
            self._on_hand -= vials
            return day
        there = self._on_hand
        for arrives, delivered in self._ordered:
            there += delivered
            if there >= vials:
                return arrives
        return NEVER_DAY

    def put_back(self, vials: int) -> None:
        """Put vials that were set aside back on the shelf."""
        self._on_hand += vials

    def reorder(self, day: int, wanted: int) -> None:
        """Order on a day, unless as many vials as wanted are on hand or on their way."""
        policy = self._policy
        missing = wanted - self._on_hand - sum(vials for _, vials in self._ordered)
        if missing > 0:
            vials = -(-missing // policy.reorder_quantity) * policy.reorder_quantity
            arrives = day + policy.lead_days
            self._ordered.append((arrives, vials))
            time = float(arrives * MINUTES_PER_DAY)
            self._ledger.note(-1, time, Movement.DELIVERED, self._product, vials)

    def reorder_if_low(self, day: int) -> None:
        """Order on a day on which vials were taken."""
        self.reorder(day, self._policy.reorder_at + 1)

    def _receive(self, day: int) -> None:
        while self._ordered and self._ordered[0][0] <= day:
            self._on_hand += self._ordered.popleft()[1]

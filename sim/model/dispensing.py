"""One participant's product: ordered and released for them, handed over in vials, used or not."""

from __future__ import annotations

from sim.model.supply import Preparation, Supply
from sim.scenario.capacity import Product
from sim.scenario.protocol import PlannedVisit
from sim.scenario.slots import NEVER
from sim.vocabulary.clock import MINUTES_PER_DAY
from sim.vocabulary.eventlog import Movement


class Dispensing:
    """The product of one participant, and the vials they have in hand.

    A dose takes no vials where nobody counts them; then nothing is ever handed over.
    """

    def __init__(
        self, person: int, index: int, product: Product, units: float, supply: Supply
    ) -> None:
        """`index` is the product's, `units` are those of one dose."""
        self.product, self.units = product, units
        self.person = person
        self._index, self._supply = index, supply
        self._shelf = supply.shelves[index]
        self.ready_day = 0
        self._orders = 0
        self._vials = product.vials(units)
        self._in_hand = 0
        self._aside = 0
        self._cycle: tuple[int, int] | None = None
        self._is_cycle_over = False
        self._is_order_unused = False
        self._failures: list[int] = []

    def order(self, now: float) -> None:
        """Order the product; it is ready once an order passes its release."""
        takes, day = self.product.order_ahead_days, int(now // MINUTES_PER_DAY)
        self._failures = []
        for _ in range(self._supply.failed_releases(self.person, self.product, self._orders)):
            day += takes
            self._failures.append(day)
            self._note(float(max(day * MINUTES_PER_DAY, now)), Movement.FAILED_RELEASE)
        self._orders += 1
        self._is_order_unused = takes > 0
        self.ready_day = day + takes

    def next_failure(self, now: float) -> float:
        """Return the instant after `now` at which the order next fails its release, or NEVER."""
        instants = (float(day * MINUTES_PER_DAY) for day in self._failures)
        return next((instant for instant in instants if instant > now), NEVER)

    def expected_day(self, now: float) -> int:
        """Return the day on which the product is to be ready, as far as anybody knows by now.

        By arrival nobody plans with it, and it is the day on which it will be.
        """
        failure = self.next_failure(now) if self._supply.is_booked else NEVER
        return self.ready_day if failure == NEVER else int(failure // MINUTES_PER_DAY)

    def is_spent(self, day: int) -> bool:
        """Say whether the week of a day has no preparation left."""
        return self._supply.is_spent(self.product, day)

    def share(self, day: int, times: int) -> None:
        """Take a share of the preparations of a day's week (times 1), or give it back (−1)."""
        self._supply.count(self.product, day, times)

    def not_before(self, planned: PlannedVisit, now: float) -> int:
        """Return the day from which a dose can be had; if that is today, set its vials aside."""
        day = int(now // MINUTES_PER_DAY)
        if not self._supply.is_booked and self.is_spent(day):
            return self._supply.next_week(day)
        if self._vials:
            missing = self._missing(planned)
            there = day if self._shelf is None else self._shelf.set_aside(missing, day)
            if there > day:
                self._note(now, Movement.OUT_OF_STOCK)
                return there
            self._aside = missing
        return day

    def put_back(self) -> None:
        """Put back what was set aside for a dose that was put off."""
        if self._shelf is not None:
            self._shelf.put_back(self._aside)
        self._aside = 0

    def preparation(self, day: int) -> Preparation | None:
        """Return the dose to be prepared on a day; None for a product without limits."""
        return self._supply.preparation(self.product, day)

    def discard(self, planned: PlannedVisit, now: float) -> int:
        """Discard a dose that kept too short; return the day on which another is there."""
        self._take(planned, now)
        self._note(now, Movement.DISCARDED)
        if self._supply.is_booked:  # what was prepared keeps its share when its time is given back
            self.share(int(now // MINUTES_PER_DAY), 1)
        self.order(now)
        return self.expected_day(now)

    def attended(self, planned: PlannedVisit, now: float) -> None:
        """Use the order and the vials of a dose, and bring back those of a cycle that is over."""
        if planned.is_dose:
            self._is_order_unused = False
        if not self._vials:
            return
        if planned.is_dose:
            self._take(planned, now)
            self._is_cycle_over = planned.left_in_cycle == 1
        if self._is_cycle_over:
            self._give_up(now, Movement.RETURNED)

    def missed(self, planned: PlannedVisit) -> None:
        """Keep the vials of a dose that was missed until the cycle is over."""
        if planned.is_dose and planned.left_in_cycle == 1:
            self._is_cycle_over = True

    def stop(self, now: float) -> None:
        """Keep the vials until the next visit: no dose will be given any more."""
        self._is_cycle_over = True
        self._discard_order(now)

    def end(self, now: float) -> None:
        """Lose whatever is in hand when no visit will follow."""
        self._give_up(now, Movement.LOST)
        self._discard_order(now)

    def _discard_order(self, now: float) -> None:
        """Discard what was ordered for the participant if no dose was ever given of it."""
        if self._is_order_unused:
            self._is_order_unused = False
            self._note(now, Movement.NOT_GIVEN)

    def _take(self, planned: PlannedVisit, now: float) -> None:
        """Hand over what was set aside, and use a dose's vials of it."""
        cycle = self._cycle_of(planned)
        if cycle != self._cycle:
            self._give_up(now, Movement.RETURNED)
            self._cycle = cycle
        if self._aside:
            self._note(now, Movement.DISPENSED, self._aside)
            if self._shelf is not None:
                self._shelf.reorder_if_low(int(now // MINUTES_PER_DAY))
        self._in_hand += self._aside - self._vials
        self._aside = 0

    def _missing(self, planned: PlannedVisit) -> int:
        """Return how many vials have to be handed over at a dose: none if there still are some."""
        in_hand = self._in_hand if self._cycle_of(planned) == self._cycle else 0
        if in_hand >= self._vials:
            return 0
        doses = planned.left_in_cycle if self.product.dispensed_per == "cycle" else 1
        return doses * self._vials - in_hand

    def _cycle_of(self, planned: PlannedVisit) -> tuple[int, int]:
        """Return the row, and the number at which the visit's cycle ends."""
        return planned.row_order, planned.number + planned.left_in_cycle

    def _give_up(self, now: float, movement: Movement) -> None:
        if self._in_hand:
            self._note(now, movement, self._in_hand)
            self._in_hand = 0

    def _note(self, time: float, movement: Movement, vials: int = 0) -> None:
        self._supply.note(self.person, time, movement, self._index, vials)

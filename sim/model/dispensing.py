"""What one person is given: ordered and released for them, handed over in vials, used or not."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from sim.model.supply import Preparation, Supply
from sim.scenario.criteria import Attributes
from sim.scenario.protocol import Dose, PlannedVisit
from sim.scenario.slots import NEVER, NEVER_DAY
from sim.vocabulary.clock import MINUTES_PER_DAY
from sim.vocabulary.eventlog import Movement


class Medication:
    """All products of one person, randomised or not: a `Dispensing` for each that was ordered.

    A visit that gives several products waits until all of them are there.
    """

    def __init__(self, person: int, attributes: Attributes, supply: Supply) -> None:
        """Hold nothing yet."""
        self.person, self._attributes, self._supply = person, attributes, supply
        self._of: dict[int, Dispensing] = {}

    def order(self, products: Iterable[int], now: float) -> None:
        """Order products, by their indices, now."""
        for product in products:
            self._dispensing(product).order(now)

    def plan(self, wanted: Mapping[int, int], today: int) -> None:
        """Order products, by their indices, so that each is there on the day it is wanted.

        What is ordered already stays so.
        """
        for product, day in wanted.items():
            self._dispensing(product).plan_for(day, today)

    def doses(self, planned: PlannedVisit) -> Iterator[tuple[int, float]]:
        """Yield what a visit gives: the index of each product, and its units."""
        for product, units in planned.gives:
            yield product, self._supply.products[product].units(units, self._attributes)

    def ready_day(self, planned: PlannedVisit) -> int:
        """Return the day on which all that a visit gives is there."""
        return max(self._of[product].ready_day for product, _ in planned.gives)

    def expected_day(self, planned: PlannedVisit, now: float) -> int:
        """Return the day on which it is to be there, as far as anybody knows by now."""
        return max(self._of[product].expected_day(now) for product, _ in planned.gives)

    def next_failure(self, planned: PlannedVisit, now: float) -> float:
        """Return the instant after `now` at which an order next fails its release, or NEVER."""
        return min(self._of[product].next_failure(now) for product, _ in planned.gives)

    def is_spent(self, planned: PlannedVisit, day: int) -> bool:
        """Say whether the week of a day has no preparation left of something a visit gives."""
        return any(self._supply.is_spent(product, day) for product, _ in planned.gives)

    def share(self, planned: PlannedVisit, day: int, times: int) -> None:
        """Take a share of the preparations of a day's week (times 1), or give it back (−1)."""
        for product, _ in planned.gives:
            self._supply.count(product, day, times)

    def not_before(self, planned: PlannedVisit, now: float) -> int:
        """Return the day from which a visit can be held; if that is today, set vials aside."""
        day = max(self._of[dose.product].not_before(planned, dose, now) for dose in planned.gives)
        if day > now // MINUTES_PER_DAY:
            self.put_back(planned)
        return day

    def put_back(self, planned: PlannedVisit) -> None:
        """Put back what was set aside for a visit that was put off."""
        for product, _ in planned.gives:
            self._of[product].put_back()

    def preparation(self, planned: PlannedVisit, day: int) -> Preparation | None:
        """Return what is to be prepared for a visit on a day; None if nothing is."""
        return self._supply.preparation((product for product, _ in planned.gives), day)

    def discard(self, planned: PlannedVisit, now: float) -> int:
        """Discard what was prepared and kept too short; return the day on which more is there."""
        for dose in planned.gives:
            if self._supply.products[dose.product].is_prepared:
                self._of[dose.product].discard(planned, dose, now)
        self.put_back(planned)
        return self.expected_day(planned, now)

    def attended(self, planned: PlannedVisit, now: float) -> None:
        """Use the orders and the vials of a visit, and bring back those of cycles that are over."""
        given = {dose.product: dose for dose in planned.gives}
        for product, dispensing in self._of.items():
            dispensing.attended(planned, given.get(product), now)

    def missed(self, planned: PlannedVisit) -> None:
        """Keep the vials of doses that were missed until their cycles are over."""
        for product, _ in planned.gives:
            self._of[product].missed(planned)

    def stop(self, now: float) -> None:
        """Keep the vials until the next visit: no dose will be given any more."""
        for dispensing in self._of.values():
            dispensing.stop(now)

    def end(self, now: float) -> None:
        """Lose whatever is in hand when no visit will follow."""
        for dispensing in self._of.values():
            dispensing.end(now)

    def settle(self, now: float) -> None:
        """Note the orders that were planned to be made by now."""
        for dispensing in self._of.values():
            dispensing.settle(now)

    def _dispensing(self, product: int) -> Dispensing:
        if product not in self._of:
            self._of[product] = Dispensing(self.person, self._attributes, product, self._supply)
        return self._of[product]


class Dispensing:
    """A product of one person, and the vials they have in hand.

    A dose takes no vials where nobody counts them; then nothing is ever handed over. An order that
    is planned for a day still to come may be planned anew until then, and is made when somebody
    looks.
    """

    def __init__(self, person: int, attributes: Attributes, index: int, supply: Supply) -> None:
        """`index` is the product's."""
        self._person, self._attributes = person, attributes
        self._product = supply.products[index]
        self._index, self._supply = index, supply
        self._shelf = supply.shelves[index]
        self.ready_day = 0
        self._orders = 0
        self._order_day = NEVER_DAY
        self._in_hand = 0
        self._aside = 0
        self._cycle: tuple[int, int] | None = None
        self._is_cycle_over = False
        self._is_order_unused = False
        self._failures: list[int] = []

    def order(self, now: float) -> None:
        """Order the product; it is ready once an order passes its release."""
        self._plan(int(now // MINUTES_PER_DAY))
        self.settle(now)

    def plan_for(self, wanted: int, today: int) -> None:
        """Order the product for a day, or anew if it is planned and not ordered yet."""
        self.settle(float(today * MINUTES_PER_DAY))
        if not self._orders:
            takes = self._product.order_ahead_days
            self._plan(max(today, wanted - takes) if takes else today)

    def _plan(self, day: int) -> None:
        takes = self._product.order_ahead_days
        self._order_day, self._failures = day, []
        for _ in range(self._supply.failed_releases(self._person, self._product, self._orders)):
            day += takes
            self._failures.append(day)
        self.ready_day = day + takes

    def settle(self, now: float) -> None:
        """Note the order that was planned to be made by now."""
        if self._order_day * MINUTES_PER_DAY > now:
            return
        for day in self._failures:
            self._note(float(day * MINUTES_PER_DAY), Movement.FAILED_RELEASE)
        self._orders += 1
        self._order_day = NEVER_DAY
        self._is_order_unused = self._product.order_ahead_days > 0

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

    def not_before(self, planned: PlannedVisit, dose: Dose, now: float) -> int:
        """Return the day from which a dose can be had; if that is today, set its vials aside."""
        day = int(now // MINUTES_PER_DAY)
        if not self._supply.is_booked and self._supply.is_spent(self._index, day):
            return self._supply.next_week(day)
        if vials := self._vials(dose):
            missing = self._missing(planned, vials)
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

    def discard(self, planned: PlannedVisit, dose: Dose, now: float) -> None:
        """Discard a dose that kept too short, and order another."""
        self._take(planned, self._vials(dose), now)
        self._note(now, Movement.DISCARDED)
        if self._supply.is_booked:  # what was prepared keeps its share when its time is given back
            self._supply.count(self._index, int(now // MINUTES_PER_DAY))
        self.order(now)

    def attended(self, planned: PlannedVisit, dose: Dose | None, now: float) -> None:
        """Use the order and the vials of a dose, and bring back those of a cycle that is over."""
        if dose is not None:
            self.settle(now)
            self._is_order_unused = False
            if vials := self._vials(dose):
                self._take(planned, vials, now)
                self._is_cycle_over = planned.left_in_cycle == 1
        if self._is_cycle_over:
            self._give_up(now, Movement.RETURNED)

    def missed(self, planned: PlannedVisit) -> None:
        """Keep the vials of a dose that was missed until the cycle is over."""
        if planned.left_in_cycle == 1:
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
        self.settle(now)
        self._order_day = NEVER_DAY
        if self._is_order_unused:
            self._is_order_unused = False
            self._note(now, Movement.NOT_GIVEN)

    def _vials(self, dose: Dose) -> int:
        """Return the vials that a dose takes."""
        return self._product.vials(self._product.units(dose.units, self._attributes))

    def _take(self, planned: PlannedVisit, vials: int, now: float) -> None:
        """Hand over what was set aside, and use a dose's vials of it."""
        cycle = self._cycle_of(planned)
        if cycle != self._cycle:
            self._give_up(now, Movement.RETURNED)
            self._cycle = cycle
        if self._aside:
            self._note(now, Movement.DISPENSED, self._aside)
            if self._shelf is not None:
                self._shelf.reorder_if_low(int(now // MINUTES_PER_DAY))
        self._in_hand += self._aside - vials
        self._aside = 0

    def _missing(self, planned: PlannedVisit, vials: int) -> int:
        """Return how many vials have to be handed over at a dose: none if there still are some."""
        in_hand = self._in_hand if self._cycle_of(planned) == self._cycle else 0
        if in_hand >= vials:
            return 0
        doses = planned.left_in_cycle if self._product.dispensed_per == "cycle" else 1
        return doses * vials - in_hand

    def _cycle_of(self, planned: PlannedVisit) -> tuple[int, int]:
        """Return the row, and the number at which the visit's cycle ends."""
        return planned.row_order, planned.number + planned.left_in_cycle

    def _give_up(self, now: float, movement: Movement) -> None:
        if self._in_hand:
            self._note(now, movement, self._in_hand)
            self._in_hand = 0

    def _note(self, time: float, movement: Movement, vials: int = 0) -> None:
        self._supply.note(self._person, time, movement, self._index, vials)

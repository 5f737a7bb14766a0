"""A trial product: the size of its doses, and what it takes to have them there."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Literal

from sim.scenario.numbers import (
    Amount,
    Number,
    PositiveOrUnlimited,
    Share,
    Whole,
    WholeOrUnlimited,
    WholePositive,
)
from sim.scenario.section import Named, Section


class Stock(Section):
    """The vials on the shelf, and when more are ordered.

    A dose that finds too few is out of stock: it waits for the delivery that brings enough, or is
    missed if that is after its window and `after_window: miss`, both for the reason `product`.
    """

    starts_with: Whole
    """Vials on hand on the opening date."""
    reorder_at: Whole
    """More are ordered when the vials on hand and on their way are this many or fewer, and when
    they are too few for a dose that is out of stock."""
    reorder_quantity: WholePositive
    """Vials in one order; as many orders at once as it takes to be above `reorder_at`."""
    lead_days: Whole
    """Days from an order to its delivery, in the morning before the first visit."""


class Product(Named):
    """What is given: how much, and what it takes to have it there.

    It is ordered at randomisation; a dose waits for it, and is then late for the reason `product`.
    """

    dose: Amount
    """Units of one dose, for each kilogram of body weight with `per: kg`: 0.001 to 1e18. Tables
    have six decimals, so choose a `unit` of which a dose is not a small part."""
    per: Literal["participant", "kg"] = "participant"
    """`kg` multiplies the dose by the attribute `weight_kg` of `patients`."""
    unit: str = ""
    """What the dose counts, for the tables."""
    order_ahead_days: Whole = Whole(0)
    """Days from randomisation until the product can be had."""
    doses_per_week: WholeOrUnlimited = None
    """Preparations possible in one week, Monday to Sunday, for all participants together."""
    use_within_minutes: PositiveOrUnlimited = None
    """How long a prepared dose keeps. The first task of a visit that gives this product is then its
    preparation, and the dose begins with the second; the preparation starts only if the team of
    the second task can be had at its modal end. A dose not begun in time is discarded, counted
    and ordered again."""
    units_per_vial: Amount | None = None
    """What one vial holds, in the unit of `dose`. A dose takes whole vials, and what is left in the
    last one is thrown away. Left out, nobody counts vials."""
    dispensed_per: Literal["dose", "cycle"] = "dose"
    """When vials leave the shelf. `dose`: those of each dose when it is given. `cycle`: at the
    first dose given in a cycle of the row the participant is handed the vials of all the cycle's
    doses from then on. Those not used by the cycle's last dose, or when treatment is stopped,
    come back at the next visit attended, are counted and never given again; whoever leaves before
    loses them."""
    stock: Stock | None = None
    """The vials on the shelf; left out, there are always enough. It needs `units_per_vial`."""

    def units(self, attributes: Mapping[str, float]) -> float:
        """Return the units of one dose for a person with these attributes."""
        return self.dose * (attributes["weight_kg"] if self.per == "kg" else 1.0)

    def vials(self, units: float) -> int:
        """Return the whole vials that a dose of so many units takes; 0 if nobody counts them."""
        if self.units_per_vial is None:
            return 0
        return math.ceil(round(units / self.units_per_vial, 9))


class Release(Section):
    """What can go wrong with a product before anyone is given it."""

    fails_release: Share = Number(0)
    """Share of orders that fail their release and are ordered again on the day they would have been
    ready, `order_ahead_days` (then 1 or more) later; the dose waits, for the reason `product`.
    Below 1. An order is one participant's: that of randomisation, or that for a dose which was
    discarded."""

    def failures(self, u: float) -> int:
        """Return how often an order fails before one passes: the quantile of `u`, geometric."""
        share = self.fails_release
        return int(math.log1p(-u) / math.log(share)) if share else 0

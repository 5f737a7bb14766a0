"""A trial product: the size of its doses, and what it takes to have them there."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple


class Stock(NamedTuple):
    """The vials on the shelf at the opening, and when how many more are ordered."""

    starts_with: int
    reorder_at: int
    reorder_quantity: int
    lead_days: int


@dataclass(frozen=True)
class Product:
    """A trial product.

    `doses_per_week` and `use_within_minutes` are None if without limit, `units_per_vial` if nobody
    counts vials, `stock` if there are always enough.
    """

    name: str
    unit: str
    dose: float
    per_kg: bool
    order_ahead_days: int
    doses_per_week: int | None
    use_within_minutes: float | None
    units_per_vial: float | None = None
    is_dispensed_per_cycle: bool = False
    stock: Stock | None = None
    fails_release: float = 0.0

    def units(self, attributes: Mapping[str, float]) -> float:
        """Return the units of one dose for a person with these attributes."""
        return self.dose * attributes["weight_kg"] if self.per_kg else self.dose

    def vials(self, units: float) -> int:
        """Return the whole vials that a dose of so many units takes; 0 if nobody counts them."""
        if self.units_per_vial is None:
            return 0
        return math.ceil(round(units / self.units_per_vial, 9))

    def failed_releases(self, u: float) -> int:
        """Return how often an order fails its release before one passes: the quantile of `u`."""
        if self.fails_release == 0:
            return 0
        return int(math.log1p(-u) / math.log(self.fails_release))

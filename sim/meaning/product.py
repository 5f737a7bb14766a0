"""A trial product and the size of its doses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Product:
    """A trial product; `doses_per_week` and `use_within_minutes` are None if without limit."""

    name: str
    unit: str
    dose: float
    per_kg: bool
    order_ahead_days: int
    doses_per_week: int | None
    use_within_minutes: float | None

    def units(self, attributes: Mapping[str, float]) -> float:
        """Return the units of one dose for a person with these attributes."""
        return self.dose * attributes["weight_kg"] if self.per_kg else self.dose

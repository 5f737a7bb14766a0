"""Which arm is allotted next."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

from sim.model.chance import Chance
from sim.scenario.criteria import Stratum
from sim.scenario.protocol import Arm, Protocol


class Allocation:
    """The arms that one replication allots, and how many of whom each has been allotted so far."""

    def __init__(self, protocol: Protocol, chance: Chance) -> None:
        """Nobody has an arm yet."""
        self._arms, self._scheme, self._chance = protocol.arms, protocol.randomisation, chance
        self._allotted = Counter[tuple[Stratum, int]]()
        self.number = 0

    def allot(self, stratum: Stratum) -> Arm:
        """Allot the next arm to somebody of a stratum."""
        arm = self._next(stratum)
        self._allotted.update((group, arm) for group in self._scheme.balanced(stratum))
        self.number += 1
        return self._arms[arm]

    def _next(self, stratum: Stratum) -> int:
        if self._scheme.method == "minimisation":
            preferred = self._preferred(self._scheme.balanced(stratum))
            return self._chance.preferred_arm(preferred, self.number)
        return self._chance.arm(stratum, sum(self._counts(stratum)))

    def _counts(self, group: Stratum) -> list[int]:
        return [self._allotted[group, arm.index] for arm in self._arms]

    def _preferred(self, groups: Sequence[Stratum]) -> list[int]:
        """Return the arms that would leave the least imbalance.

        Counts divided by the ratio are kept whole by a common multiple, so that ties are ties.
        """
        ratio = [self._scheme.ratio[arm.name] for arm in self._arms]
        common = math.lcm(*filter(None, ratio))
        parts = {arm: common // part for arm, part in enumerate(ratio) if part}
        weights = [self._scheme.minimisation.weights.get(name, 1) for name, _ in self._scheme.cuts]
        left = dict.fromkeys(parts, 0)
        for group, weight in zip(groups, weights or [1], strict=True):
            counts = self._counts(group)
            for arm in parts:
                sizes = [(counts[each] + (each == arm)) * part for each, part in parts.items()]
                left[arm] += weight * self._imbalance(sizes)
        least = min(left.values())
        return [arm for arm, imbalance in left.items() if imbalance == least]

    def _imbalance(self, sizes: Sequence[int]) -> int:
        if self._scheme.minimisation.imbalance == "range":
            return max(sizes) - min(sizes)
        # The variance, times the square of how many arms there are: a whole number.
        return len(sizes) * sum(size * size for size in sizes) - sum(sizes) ** 2

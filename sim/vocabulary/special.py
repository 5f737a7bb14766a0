"""The special functions that laws are made of: those of scipy or, where there is none, our own."""

from __future__ import annotations

try:
    from scipy.optimize import brentq
    from scipy.special import betainc, betaincinv, gammainc, gammaincinv
except ModuleNotFoundError:  # in a browser
    from sim.vocabulary.incomplete import (  # type: ignore[assignment, no-redef]
        betainc,
        betaincinv,
        brentq,
        gammainc,
        gammaincinv,
    )

__all__ = ["betainc", "betaincinv", "brentq", "gammainc", "gammaincinv"]

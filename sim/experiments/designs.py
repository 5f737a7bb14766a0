"""Which points of the space of ranged assumptions to simulate, and what their outcomes say.

Three designs: a Latin hypercube (McKay, Beckman & Conover 1979, Technometrics 21:239), the
trajectories of Morris (1991, Technometrics 33:161) and the sample of Sobol's indices (Saltelli et
al. 2010, Comput Phys Commun 181:259). A design has a row a point and a column a factor.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from importlib import import_module
from typing import Any, NamedTuple

import numpy as np
from scipy.special import stdtrit

from sim.results.periods import Floats
from sim.scenario.schema import Ranged
from sim.vocabulary.intervals import NORMAL_975, UPPER_TAIL
from sim.vocabulary.streams import Numbers

GRID_LEVELS, STEP = 4, 2 / 3
"""Levels of Morris's grid and the step it recommends for four of them: two thirds of a range."""

RESAMPLES = 500
WIDEST_SHARE, WIDEST_EFFECT = 0.1, 0.5
"""Half-widths beyond which factors cannot be ranked; an effect's is one of the largest effect."""

SHARES = ("S1", "ST", "prcc")
_GROUPS = 20
"""Of points, or replications, that are left out together."""

NOISE = 1e-9
"""A residual this small beside what it is left of is rounding error."""


class Index(NamedTuple):
    """How much one factor matters, with its 95 % interval; nan where there is none."""

    path: str
    index: str  # type: ignore[assignment]  # a tuple has a method of this name, not used here
    value: float
    ci_low: float
    ci_high: float


class NoSalib(Exception):  # noqa: N818  it names what is missing
    """SALib is not installed."""


def latin_hypercube(factors: Sequence[Ranged], points: int, seed: int) -> Floats:
    """Return (points, factors) in natural units, a point in each of `points` equal strata a factor.

    McKay, Beckman & Conover 1979. Every whole number of a whole factor is equally likely.
    """
    from scipy.stats import qmc  # noqa: PLC0415 -- slow, and seldom needed

    unit = qmc.LatinHypercube(d=len(factors), rng=np.random.default_rng(seed)).random(points)
    return _spread(factors, unit)


def morris(factors: Sequence[Ranged], trajectories: int, seed: int) -> Floats:
    """Return (trajectories · (factors + 1), factors) in natural units, on a grid of four levels.

    From a row to the next of a trajectory one factor moves, by two thirds of its range (Morris
    1991); a whole factor by the whole number nearest to that. Raises ValueError below two
    trajectories, which have no spread, and NoSalib.
    """
    if trajectories < 2:  # noqa: PLR2004
        raise ValueError("Morris's design needs at least two trajectories")
    unit = _salib("sample", "morris", factors, trajectories, seed=seed, num_levels=GRID_LEVELS)
    # The grid spans the range itself, so that its ends are tried.
    return _spread(factors, unit, is_grid=True)


def sobol(factors: Sequence[Ranged], base: int, seed: int) -> Floats:
    """Return (base · (factors + 2), factors) in natural units, for first and total indices.

    Saltelli et al. 2010 on a scrambled Sobol' sequence. Every whole number of a whole factor is
    equally likely. Raises ValueError if `base` is no power of two, for which alone the sequence is
    balanced, and NoSalib.
    """
    if base < 1 or base & (base - 1):
        raise ValueError(f"the base of Sobol's design is a power of two, not {base}")
    unit = _salib("sample", "sobol", factors, base, seed=seed, calc_second_order=False)
    return _spread(factors, unit)


def morris_indices(
    factors: Sequence[Ranged], sample: Floats, outcomes: Floats, seed: int
) -> list[Index]:
    """Return each factor's mu_star and sigma, in the outcome's units per whole range of the factor.

    The mean absolute elementary effect, with a bootstrapped interval (Campolongo, Cariboni &
    Saltelli 2007, Environ Model Softw 22:1509), and the effects' standard deviation, which has
    none (Morris 1991). `sample` is what `morris` returned, `outcomes` (rows,) in its order; values
    are nan where an outcome is not finite. Raises ValueError if the rows differ, and NoSalib.
    """
    if not _all_known(sample, outcomes):
        return _alike(factors, ("mu_star", "sigma"), math.nan)
    rows = (np.asarray(each, np.float64) for each in (sample, outcomes))
    more = {"num_resamples": RESAMPLES, "num_levels": GRID_LEVELS}
    found = _salib("analyze", "morris", factors, *rows, seed=seed, **more)
    indices = []
    for i, factor in enumerate(factors):
        scale = _step_correction(factor)
        value, half, sigma = (
            scale * float(found[name][i]) for name in ("mu_star", "mu_star_conf", "sigma")
        )
        indices.append(Index(factor.path, "mu_star", value, value - half, value + half))
        indices.append(Index(factor.path, "sigma", sigma, math.nan, math.nan))
    return indices


def sobol_indices(
    factors: Sequence[Ranged], sample: Floats, outcomes: Floats, seed: int
) -> list[Index]:
    """Return each factor's S1 and ST, shares of the outcome's variance, bootstrapped intervals.

    Estimators of Saltelli et al. 2010. `sample` is what `sobol` returned, `outcomes` (rows,) in its
    order. All are 0 if the outcome never varies; nan where an outcome is not finite, or where it
    varies only outside the two base samples, in which case each may be anything from 0 to 1.
    Raises ValueError if the rows differ, and NoSalib.
    """
    names = ("S1", "ST")
    if not _all_known(sample, outcomes):
        return _alike(factors, names, math.nan)
    blocks = np.asarray(outcomes, np.float64).reshape(-1, len(factors) + 2)
    if np.ptp(blocks) == 0:
        return _alike(factors, names, 0.0, 0.0, 0.0)
    # The variance is that of the two base samples, the first and the last row of each block.
    if np.ptp(blocks[:, [0, -1]]) == 0:
        return _alike(factors, names, math.nan, 0.0, 1.0)
    more = {"num_resamples": RESAMPLES, "calc_second_order": False}
    found = _salib("analyze", "sobol", factors, blocks.ravel(), seed=seed, **more)
    return [
        Index(factor.path, name, value, value - half, value + half)
        for i, factor in enumerate(factors)
        for name in names
        for value, half in [(float(found[name][i]), float(found[f"{name}_conf"][i]))]
    ]


def rank_correlations(factors: Sequence[Ranged], sample: Floats, outcomes: Floats) -> list[Index]:
    """Return each factor's partial rank correlation with the outcome, between -1 and 1.

    Marino et al. 2008, J Theor Biol 254:178; the interval is Fisher's z with the other factors as
    controls. `sample` is (points, factors), `outcomes` (points,). The value is 0 without an
    interval where factor or outcome does not vary (or not beyond what the other factors explain);
    nan from -1 to 1 where points are too few, and nan where an outcome is not finite. Raises
    ValueError if the rows differ.
    """
    from scipy.stats import rankdata  # noqa: PLC0415 -- slow, and seldom needed

    if not _all_known(sample, outcomes):
        return _alike(factors, ("prcc",), math.nan)
    # Centred, so that no regression needs a constant.
    ranks, outcome = (
        ranked - ranked.mean(axis=0)
        for ranked in (rankdata(sample, axis=0), rankdata(outcomes, axis=0))
    )
    varies = ranks.any(axis=0)
    return [
        Index(factor.path, "prcc", *_partial(ranks[:, i], outcome, np.delete(ranks, i, 1)))
        if varies[i] and outcome.any()
        else Index(factor.path, "prcc", 0.0, math.nan, math.nan)
        for i, factor in enumerate(factors)
    ]


def crossed_ignorance(values: Floats, draws: Numbers | None = None) -> tuple[float, float, float]:
    """Return the share of an outcome's variance that is ignorance, and its 95 % interval.

    The rest is luck. `values` are (points, replications), the points an independent sample of the
    ranges, as a Latin hypercube is and trajectories are not; all points meet the same people.
    `draws` says of each replication which draw of the uncertain it had. The interval is Student's,
    of what is left without a twentieth of the points, and of the replications (delete-a-group
    jackknife: Kott 2001, J Off Stat 17:521); their variances are added. All are nan if nothing
    varies, below two points or replications, or if anything is not finite.
    """
    points, replications = values.shape
    if min(points, replications) < 2 or not np.isfinite(values).all():  # noqa: PLR2004
        return math.nan, math.nan, math.nan
    share, error, fewest = _ignorance(values), 0.0, _GROUPS
    for axis, number in enumerate((np.arange(points), np.arange(replications))):
        group = (number if axis == 0 or draws is None else draws) % _GROUPS
        left = [_ignorance(values.compress(group != each, axis)) for each in np.unique(group)]
        error += float(np.var(left)) * (len(left) - 1)
        fewest = min(fewest, len(left))
    half = float(stdtrit(max(fewest - 1, 1), UPPER_TAIL)) * math.sqrt(error)
    return share, max(share - half, 0.0), min(share + half, 1.0)


def _ignorance(values: Floats) -> float:
    """Return the share: analysis of variance of two crossed random effects.

    Luck is the mean variance within a point. Ignorance is the variance of the means of points, less
    what of it is there because points do not move everybody alike; of what moves everybody alike
    there is nothing in it, since all points meet the same people (Searle, Casella & McCulloch 1992,
    Variance Components, chapter 4). It is not below 0.
    """
    points, replications = values.shape
    if replications < 2 or points < 2:  # noqa: PLR2004  a group was all there was
        return math.nan
    means, luck = values.mean(axis=1), float(values.var(axis=1, ddof=1).mean())
    apart = values - means[:, None]
    unlike = float(((apart - apart.mean(axis=0)) ** 2).sum()) / (points - 1) / (replications - 1)
    between = max(float(means.var(ddof=1)) - unlike / replications, 0.0)
    return between / (luck + between) if luck + between > 0 else math.nan


def too_few(indices: Sequence[Index]) -> list[str]:
    """Return the paths whose intervals are too wide to rank them: more points are needed.

    Too wide is ± more than 0.1 for S1, ST and prcc, and ± more than half of the largest mu_star
    for mu_star. An index without an interval asks for no more points. Each path comes once.
    """
    largest = max((one.value for one in indices if one.index == "mu_star"), default=0.0)
    widest = dict.fromkeys(SHARES, WIDEST_SHARE) | {"mu_star": WIDEST_EFFECT * largest}
    wide = (
        one.path
        for one in indices
        if one.index in widest and (one.ci_high - one.ci_low) / 2 > widest[one.index]
    )
    return list(dict.fromkeys(wide))


def _salib(
    task: str, design: str, factors: Sequence[Ranged], *given: object, seed: int, **more: object
) -> Any:  # noqa: ANN401  SALib has no types
    """Do a task of SALib, `sample` or `analyze`; it is slow to import, and an extra.

    Its problem is the unit cube, anew each time, for SALib writes into it: ranges are applied here,
    since it refuses those of no width and knows no whole numbers. It takes the seed 0 for none, and
    would then not repeat itself.
    """
    try:
        module = import_module(f"SALib.{task}.{design}")
    except ImportError as fault:
        raise NoSalib(
            "--design morris and sobol need SALib; install trialsim[sensitivity]"
        ) from fault
    names = [factor.path for factor in factors]
    cube = {"num_vars": len(names), "names": names, "bounds": [[0.0, 1.0]] * len(names)}
    return getattr(module, task)(cube, *given, seed=seed + 1, **more)


def _range(factor: Ranged) -> float:
    return factor.high - factor.low


def _spread(factors: Sequence[Ranged], unit: Floats, *, is_grid: bool = False) -> Floats:
    """Return points of the unit cube in natural units, each whole number equally likely.

    Of a grid, whose places stay where they are, a whole number is the nearest.
    """

    def natural(f: Ranged, column: Floats) -> Floats:
        value = f.low + column * _range(f)
        if f.is_whole and not is_grid:
            value = np.clip(np.round(f.low - 0.5 + column * (_range(f) + 1)), f.low, f.high)
        return np.round(value) if f.is_whole else value

    return np.column_stack(list(map(natural, factors, unit.T)))


def _step_correction(factor: Ranged) -> float:
    """Return the step SALib divides by over the step taken, which rounding may have changed."""
    if not factor.is_whole or _range(factor) == 0:
        return 1.0
    return STEP * _range(factor) / round(STEP * _range(factor))


def _all_known(sample: Floats, outcomes: Floats) -> bool:
    if np.shape(outcomes) != (len(sample),):
        raise ValueError(f"{len(sample)} points, but outcomes of shape {np.shape(outcomes)}")
    return bool(np.isfinite(outcomes).all())


def _alike(
    factors: Sequence[Ranged],
    names: Sequence[str],
    value: float,
    low: float = math.nan,
    high: float = math.nan,
) -> list[Index]:
    """The same figures for each factor and index."""
    return [Index(factor.path, name, value, low, high) for factor in factors for name in names]


def _partial(ours: Floats, outcome: Floats, others: Floats) -> tuple[float, float, float]:
    """Return how what `others` leave unexplained of two vectors correlates, and the interval."""
    freedom = len(ours) - 3 - int(others.any(axis=0).sum())
    if freedom <= 0:
        return math.nan, -1.0, 1.0
    one, other = (
        vector - others @ np.linalg.lstsq(others, vector)[0] for vector in (ours, outcome)
    )
    lengths = [float(np.linalg.norm(vector)) for vector in (one, other)]
    if lengths[0] < NOISE * np.linalg.norm(ours) or lengths[1] < NOISE * np.linalg.norm(outcome):
        return 0.0, math.nan, math.nan
    value = min(max(float(one @ other) / math.prod(lengths), -1.0), 1.0)
    if abs(value) > 1 - NOISE:
        return value, value, value
    middle, half = math.atanh(value), NORMAL_975 / math.sqrt(freedom)
    return value, math.tanh(middle - half), math.tanh(middle + half)

"""Comparisons within strata (roles, locations): Mantel-Haenszel estimates and the tests that go with them.

In: 2x2 tables, shape (..., n_strata, 2, 2): rows are the group and the rest, columns with and without the
item. Leading axes are separate comparisons. Out: arrays over the leading axes. Choosing the strata is not done here.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from declinethemes.errors import InputError
from declinethemes.stats.proportions import (
    ExactMethod,
    Floats,
    hypergeometric,
    point_probability_p,
)


def mantel_haenszel_odds_ratio(tables: ArrayLike, *, level: float = 0.95) -> tuple[Floats, Floats, Floats]:
    """Return the pooled odds ratio with its interval.

    Parameters
    ----------
    tables : array-like, shape (..., n_strata, 2, 2)
    level : float
        Confidence level, 0..1.

    Returns
    -------
    ratio, low, high : arrays, shape (...)
        nan where no stratum is informative.

    References
    ----------
    Mantel and Haenszel (1959), doi:10.1093/jnci/22.4.719; variance: Robins, Breslow and Greenland (1986),
    doi:10.2307/2531052
    """
    from scipy.special import ndtri

    a, b, c, d, n = _cells(tables)
    with np.errstate(divide="ignore", invalid="ignore"):
        r, s = _over(a * d, n), _over(b * c, n)
        p, q = _over(a + d, n), _over(b + c, n)
        top, bottom = r.sum(-1), s.sum(-1)
        ratio = top / bottom
        variance = (
            (p * r).sum(-1) / (2 * top**2)
            + (p * s + q * r).sum(-1) / (2 * top * bottom)
            + (q * s).sum(-1) / (2 * bottom**2)
        )
        half = ndtri(0.5 + level / 2) * np.sqrt(variance)
        return ratio, ratio * np.exp(-half), ratio * np.exp(half)


def mantel_haenszel_difference(tables: ArrayLike) -> Floats:
    """Return the pooled difference of shares (group minus rest) within strata.

    Strata without one of the two sides carry no weight.

    Parameters
    ----------
    tables : array-like, shape (..., n_strata, 2, 2)

    Returns
    -------
    array, shape (...)
        In -1..1; nan where no stratum has both sides.

    References
    ----------
    Greenland and Robins (1985), doi:10.2307/2530643
    """
    a, b, c, d, n = _cells(tables)
    with np.errstate(divide="ignore", invalid="ignore"):
        top = _over(a * (c + d) - c * (a + b), n).sum(-1)
        return np.asarray(top / _over((a + b) * (c + d), n).sum(-1))


def cmh(tables: ArrayLike, *, correction: bool = False) -> tuple[Floats, Floats]:
    """Return the Cochran-Mantel-Haenszel statistic and its p-value (chi-squared, 1 degree of freedom).

    Parameters
    ----------
    tables : array-like, shape (..., n_strata, 2, 2)
    correction : bool
        Subtract 0.5 from the absolute difference, as R does by default.

    Returns
    -------
    statistic, p : arrays, shape (...)
        0 and 1 where no stratum is informative.
    """
    from scipy.special import chdtrc

    a, _, _, _, _ = _cells(tables)
    mean, variance = _moments(tables)
    gap = np.abs((a - mean).sum(-1))
    gap = np.maximum(gap - 0.5, 0) if correction else gap
    total = variance.sum(-1)
    with np.errstate(divide="ignore", invalid="ignore"):
        statistic = np.where(total > 0, gap**2 / total, 0.0)
    return statistic, np.asarray(chdtrc(1, statistic))


def exact_cmh(table: ArrayLike, *, method: ExactMethod = "fisher") -> float:
    """Return the exact conditional two-sided p-value that all odds ratios are 1.

    Parameters
    ----------
    table : array-like of whole numbers, shape (n_strata, 2, 2)
    method : {"fisher", "midp"}
        Whole or half weight for equally probable outcomes.

    Returns
    -------
    float
        1 where no stratum is informative.

    References
    ----------
    Agresti (2002), Categorical Data Analysis, 6.3; the p-value of R's mantelhaen.test(exact = TRUE).
    """
    t = np.asarray(_checked(table), dtype=np.int64)
    first, pmf = conditional_distribution(t)
    at = int(t[:, 0, 0].sum()) - first
    if not 0 <= at < len(pmf):
        return float(np.nextafter(0, 1))
    return float(point_probability_p(pmf, method=method)[at])


def exact_cmh_greater(table: ArrayLike) -> float:
    """Return the exact conditional one-sided p-value of a common odds ratio above 1; `table` as in `exact_cmh`."""
    t = np.asarray(_checked(table), dtype=np.int64)
    first, pmf = conditional_distribution(t)
    return float(min(1.0, pmf[max(0, int(t[:, 0, 0].sum()) - first) :].sum()))


def conditional_distribution(table: ArrayLike) -> tuple[int, Floats]:
    """Return the distribution of the group's total count, given all margins of all strata.

    Parameters
    ----------
    table : array-like of whole numbers, shape (n_strata, 2, 2)

    Returns
    -------
    first : int
        The total that the first probability belongs to.
    pmf : array
    """
    t = np.asarray(_checked(table), dtype=np.int64)
    first, pmf = 0, np.ones(1)
    for stratum in t:
        n1, n2 = (int(v) for v in stratum.sum(axis=1))
        start, part = hypergeometric(n1, n2, int(stratum[:, 0].sum()))
        first, pmf = first + start, np.convolve(pmf, part)
    return first, pmf / pmf.sum()


def conditional_variance(tables: ArrayLike) -> Floats:
    """Return the variance of the group's total count, given all margins; shape (...)."""
    return np.asarray(_moments(tables)[1].sum(-1))


def breslow_day(tables: ArrayLike, *, tarone: bool = False) -> tuple[Floats, Floats]:
    """Return the Breslow-Day test that the odds ratio is the same in all strata.

    Parameters
    ----------
    tables : array-like, shape (..., n_strata, 2, 2)
        Strata without information are left out.
    tarone : bool
        Apply Tarone's correction.

    Returns
    -------
    statistic, p : arrays, shape (...)
        nan where fewer than two strata are informative or the pooled odds ratio is 0 or infinite.

    References
    ----------
    Breslow and Day (1980), Statistical Methods in Cancer Research 1, 4.4; Tarone (1985), doi:10.1093/biomet/72.1.91
    """
    from scipy.special import chdtrc

    a, b, c, d, _ = _cells(tables)
    use = _informative(tables)
    ratio = mantel_haenszel_odds_ratio(tables)[0][..., None]
    rows, columns, other = a + b, a + c, c + d
    with np.errstate(divide="ignore", invalid="ignore"):
        qa = 1 - ratio
        qb = other - columns + ratio * (rows + columns)
        qc = -ratio * rows * columns
        root = np.sqrt(np.maximum(qb**2 - 4 * qa * qc, 0))
        expected = -2 * qc / (qb + root)
        variance = 1 / (
            1 / expected + 1 / (rows - expected) + 1 / (columns - expected) + 1 / (other - columns + expected)
        )
        gap = np.where(use, a - expected, 0.0)
        weight = np.where(use, variance, 0.0)
        statistic = np.where(use, gap**2 / np.where(use, variance, 1.0), 0.0).sum(-1)
        if tarone:
            statistic = statistic - gap.sum(-1) ** 2 / weight.sum(-1)
    strata = use.sum(-1)
    good = (strata > 1) & np.isfinite(ratio[..., 0]) & (ratio[..., 0] > 0)
    statistic = np.where(good, statistic, np.nan)
    return statistic, np.asarray(chdtrc(np.maximum(strata - 1, 1), statistic))


def n_informative(tables: ArrayLike) -> Floats:
    """Return how many candidates are in strata where all four margins hold somebody; shape (...)."""
    return np.asarray((_cells(tables)[4] * _informative(tables)).sum(-1))


def _informative(tables: ArrayLike) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    a, b, c, d, _ = _cells(tables)
    return np.asarray((a + b > 0) & (c + d > 0) & (a + c > 0) & (b + d > 0))


def _moments(tables: ArrayLike) -> tuple[Floats, Floats]:
    a, b, c, d, n = _cells(tables)
    mean = _over((a + b) * (a + c), n)
    variance = _over((a + b) * (c + d) * (a + c) * (b + d), n**2 * (n - 1))
    return mean, variance


def _over(top: Floats, bottom: Floats) -> Floats:
    """Divide, with 0 where there is nothing to divide by."""
    return np.asarray(np.divide(top, bottom, out=np.zeros_like(top), where=bottom > 0))


def _checked(tables: ArrayLike) -> Floats:
    t = np.asarray(tables, dtype=float)
    if t.ndim < 3 or t.shape[-2:] != (2, 2):
        raise InputError(f"strata are tables of shape (..., n_strata, 2, 2); found shape {t.shape}")
    return t


def _cells(tables: ArrayLike) -> tuple[Floats, Floats, Floats, Floats, Floats]:
    t = _checked(tables)
    a, b, c, d = t[..., 0, 0], t[..., 0, 1], t[..., 1, 0], t[..., 1, 1]
    return a, b, c, d, a + b + c + d

"""Shares and differences of shares: intervals and exact tests.

In: counts, as numbers or arrays that broadcast (one entry per table). Out: arrays of the same shape. A table has
`x1` of `n1` candidates in the group and `x2` of `n2` in the rest. Corrections for many comparisons, strata and
tagger error are not done here.

All two-sided exact tests use the point-probability rule: what counts as at least as extreme is every table that is
no more probable than the observed one, with the tolerance of 1e-7 that R uses for ties.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from declinethemes.errors import SettingsError

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
ExactMethod = Literal["midp", "fisher"]

TIE = 1e-7
"""Relative tolerance within which two tables count as equally probable."""
_SMALLEST = 5e-324
_ENUMERATE = 200_000
_LARGE_EXPECTED = 20.0


def wilson(x: ArrayLike, n: ArrayLike, *, level: float = 0.95) -> tuple[Floats, Floats]:
    """Return the Wilson score interval of a share.

    Parameters
    ----------
    x, n : array-like
        Candidates with the item and candidates in all; `x` need not be whole (corrected counts).
    level : float
        Confidence level, 0..1.

    Returns
    -------
    low, high : arrays of the broadcast shape
        Missing (nan) where n is 0.

    References
    ----------
    Wilson (1927); Newcombe (1998), doi:10.1002/(SICI)1097-0258(19980430)17:8<857::AID-SIM777>3.0.CO;2-E

    Examples
    --------
    >>> low, high = wilson(81, 263)
    >>> round(float(low), 4), round(float(high), 4)
    (0.2553, 0.3662)
    """
    xs, ns = np.broadcast_arrays(np.asarray(x, dtype=float), np.asarray(n, dtype=float))
    z = _z(level)
    with np.errstate(divide="ignore", invalid="ignore"):
        p = xs / ns
        centre = p + z * z / (2 * ns)
        half = z * np.sqrt(np.maximum(p * (1 - p), 0) / ns + z * z / (4 * ns * ns))
        scale = 1 + z * z / ns
        low, high = (centre - half) / scale, (centre + half) / scale
    low = np.where(xs <= 0, 0.0, low)
    high = np.where(xs >= ns, 1.0, high)
    empty = ns <= 0
    return np.where(empty, np.nan, low), np.where(empty, np.nan, high)


def newcombe(
    x1: ArrayLike, n1: ArrayLike, x2: ArrayLike, n2: ArrayLike, *, level: float = 0.95
) -> tuple[Floats, Floats]:
    """Return Newcombe's hybrid score interval of the difference x1/n1 - x2/n2.

    Parameters
    ----------
    x1, n1, x2, n2 : array-like
        Counts of the group and of the rest; they broadcast.
    level : float
        Confidence level, 0..1.

    Returns
    -------
    low, high : arrays
        Limits in -1..1; nan where a side is empty.

    References
    ----------
    Newcombe (1998), method 10, doi:10.1002/(SICI)1097-0258(19980430)17:8<873::AID-SIM779>3.0.CO;2-I

    Examples
    --------
    >>> low, high = newcombe(56, 70, 48, 80)
    >>> round(float(low), 4), round(float(high), 4)
    (0.0524, 0.3339)
    """
    signs = ((x1, n1, 1), (x2, n2, -1))
    return _mover(signs, level)


def interaction(cells: ArrayLike, totals: ArrayLike, *, level: float = 0.95) -> tuple[Floats, Floats, Floats]:
    """Return how far a combination goes beyond what its two margins predict, in shares.

    The contrast is p11 - p10 - p01 + p00, additive on the scale of shares; limits by combining the four Wilson
    intervals.

    Parameters
    ----------
    cells, totals : array-like, shape (..., 4)
        Counts with the item, and candidates, of the four groups: both levels, first only, second only, neither.
    level : float
        Confidence level, 0..1.

    Returns
    -------
    estimate, low, high : arrays, shape (...)
        nan where one of the four groups is empty.

    References
    ----------
    Zou and Donner (2008), doi:10.1002/sim.3095
    """
    x, n = np.asarray(cells, dtype=float), np.asarray(totals, dtype=float)
    with np.errstate(divide="ignore", invalid="ignore"):
        p = x / n
    estimate = p[..., 0] - p[..., 1] - p[..., 2] + p[..., 3]
    low, high = _mover(tuple((x[..., i], n[..., i], sign) for i, sign in enumerate((1, -1, -1, 1))), level)
    return estimate, low, high


def rate_ratio(
    x1: ArrayLike, n1: ArrayLike, x2: ArrayLike, n2: ArrayLike, *, level: float = 0.95
) -> tuple[Floats, Floats, Floats]:
    """Return the ratio of two shares with Koopman's score interval.

    Parameters
    ----------
    x1, n1, x2, n2 : array-like
        Counts of the group and of the rest; they broadcast.
    level : float
        Confidence level, 0..1.

    Returns
    -------
    ratio, low, high : arrays
        `high` is infinite where x2 is 0, `low` is 0 where x1 is 0; all nan where both are 0 or a side is empty.

    References
    ----------
    Koopman (1984), doi:10.2307/2531405
    """
    a, n, b, m = (
        np.asarray(v, dtype=float) for v in np.broadcast_arrays(*(np.asarray(v, dtype=float) for v in (x1, n1, x2, n2)))
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = (a / n) / (b / m)
    z2 = _z(level) ** 2
    start = np.where((a > 0) & (b > 0), np.log(np.where((a > 0) & (b > 0), ratio, 1.0)), 0.0)
    limits = []
    for direction in (-1.0, 1.0):
        # Without a finite ratio the statistic is monotone over the whole line: bisect it all.
        inner = np.where((a > 0) & (b > 0), start, -direction * 40.0)
        outer = start + direction * 40.0
        for _ in range(80):
            middle = (inner + outer) / 2
            inside = _koopman(np.exp(middle), a, n, b, m) < z2
            inner, outer = np.where(inside, middle, inner), np.where(inside, outer, middle)
        limits.append(np.exp((inner + outer) / 2))
    low = np.where(a == 0, 0.0, limits[0])
    high = np.where(b == 0, np.inf, limits[1])
    bad = ((a == 0) & (b == 0)) | (n <= 0) | (m <= 0)
    return tuple(np.where(bad, np.nan, v) for v in (ratio, low, high))  # type: ignore[return-value]


def hypergeometric(n1: int, n2: int, m: int) -> tuple[int, Floats]:
    """Return the distribution of the group's count when m of n1 + n2 candidates have the item.

    Parameters
    ----------
    n1, n2, m : int
        Size of the group, size of the rest, candidates with the item.

    Returns
    -------
    first : int
        The count that the first probability belongs to.
    pmf : array, shape (n_support,)
        Probabilities; values more than 40 standard deviations (and 200 candidates) from the mean are left out, as
        they are below what a float can hold.
    """
    from scipy.special import gammaln

    total = n1 + n2
    low, high = max(0, m - n2), min(n1, m)
    if total > 1:
        mean = n1 * m / total
        width = 40 * np.sqrt(mean * (n2 / total) * ((total - m) / (total - 1))) + 200
        low, high = max(low, int(mean - width)), min(high, int(mean + width) + 1)
    x = np.arange(low, high + 1, dtype=float)
    log = -(gammaln(x + 1) + gammaln(n1 - x + 1) + gammaln(m - x + 1) + gammaln(n2 - m + x + 1))
    weights = np.exp(log - log.max())
    return low, np.asarray(weights / weights.sum(), dtype=np.float64)


def point_probability_p(pmf: Floats, *, method: ExactMethod = "midp") -> Floats:
    """Return the two-sided p-value of every outcome of a discrete distribution.

    Parameters
    ----------
    pmf : array, shape (n_outcomes,)
        Probabilities that sum to 1.
    method : {"midp", "fisher"}
        Whether equally probable outcomes count half (mid-p) or whole (Fisher).

    Returns
    -------
    array, shape (n_outcomes,)
        In (0, 1].
    """
    order = np.sort(pmf)
    below = np.concatenate([[0.0], np.cumsum(order)])
    less = below[np.searchsorted(order, pmf * (1 - TIE), side="left")]
    up_to = below[np.searchsorted(order, pmf * (1 + TIE), side="right")]
    p = up_to if method == "fisher" else (less + up_to) / 2
    return np.asarray(np.clip(p, _SMALLEST, 1.0), dtype=np.float64)


def exact_p(x1: ArrayLike, n1: ArrayLike, x2: ArrayLike, n2: ArrayLike, *, method: ExactMethod = "midp") -> Floats:
    """Return the two-sided exact p-value of 2x2 tables, by default Fisher's mid-p.

    Parameters
    ----------
    x1, n1, x2, n2 : array-like of whole numbers
        Counts of the group and of the rest; they broadcast.
    method : {"midp", "fisher"}
        Fisher's exact p is conservative at small n; its mid-p keeps close to the nominal size.

    Returns
    -------
    array
        1 where a margin is 0.

    Raises
    ------
    SettingsError
        `method` is neither.

    References
    ----------
    Fagerland, Lydersen and Laake (2015), doi:10.1177/0962280211415469

    Examples
    --------
    >>> round(float(exact_p(7, 34, 1, 34)), 4), round(float(exact_p(7, 34, 1, 34, method="fisher")), 4)
    (0.0297, 0.0544)
    """
    if method not in ("midp", "fisher"):
        raise SettingsError.unknown("exact test", method, ("midp", "fisher"))
    arrays = np.broadcast_arrays(*(np.asarray(v, dtype=np.int64) for v in (x1, n1, x2, n2)))
    tables = np.stack([v.ravel() for v in arrays], axis=1)
    unique, inverse = np.unique(tables, axis=0, return_inverse=True)
    p = np.array([_one_exact(*(int(v) for v in row), method=method) for row in unique], dtype=float)
    return p[inverse.ravel()].reshape(arrays[0].shape)


def share_test(x: ArrayLike, n: ArrayLike, share: ArrayLike) -> tuple[Floats, Floats, Floats, Floats]:
    """Compare a count with a share that is known from elsewhere.

    Parameters
    ----------
    x, n : array-like of whole numbers
        Candidates of the group, and candidates in all; they broadcast.
    share : array-like
        The share of the group to be expected, between 0 and 1, taken as exact.

    Returns
    -------
    expected, sd, z, p : arrays of the broadcast shape
        n times the share; the binomial standard deviation; (x - expected) / sd; the exact two-sided binomial p.
        z and p are missing (nan) where n is 0.

    Raises
    ------
    SettingsError
        A share is not between 0 and 1.

    References
    ----------
    Castaneda v. Partida, 430 U.S. 482 (1977), n. 17; Hazelwood School District v. United States, 433 U.S. 299 (1977),
    nn. 14 and 17

    Examples
    --------
    >>> expected, sd, z, p = share_test(339, 870, 0.791)
    >>> round(float(expected), 1), round(float(sd), 2), round(float(z), 1), float(p) < 1e-140
    (688.2, 11.99, -29.1, True)
    """
    from scipy.stats import binomtest

    counts, totals, shares = np.broadcast_arrays(
        np.asarray(x, dtype=np.int64), np.asarray(n, dtype=np.int64), np.asarray(share, dtype=float)
    )
    if not ((shares > 0) & (shares < 1)).all():
        raise SettingsError(f"a share lies between 0 and 1, such as 0.42; found {np.asarray(share).tolist()!r}")
    expected, sd = totals * shares, np.sqrt(totals * shares * (1 - shares))
    with np.errstate(divide="ignore", invalid="ignore"):
        z = (counts - expected) / sd
    cells = zip(counts.ravel().tolist(), totals.ravel().tolist(), shares.ravel().tolist(), strict=True)
    p = [binomtest(a, b, c).pvalue if b else np.nan for a, b, c in cells]
    return expected, sd, z, np.array(p, dtype=float).reshape(counts.shape)


def freeman_halton(table: ArrayLike, *, draws: int = 9_999, random_state: int = 0) -> tuple[float, str]:
    """Return the p-value of the Fisher-Freeman-Halton test of an r x c table, and how it was found.

    Two columns and few possible tables: exact, all of them are listed. Every expected count at least 20: the
    chi-squared approximation. Else: Monte Carlo with fixed margins, p = (b + 1) / (draws + 1).

    Parameters
    ----------
    table : array-like of whole numbers, shape (n_rows, n_columns)
        Candidates; rows and columns without candidates are left out.
    draws : int
        Monte Carlo draws.
    random_state : int
        Seed of the draws.

    Returns
    -------
    p : float
        1 where fewer than two rows or columns have candidates.
    method : {"exact", "chi-squared", "Monte Carlo", "none"}

    References
    ----------
    Freeman and Halton (1951), doi:10.1093/biomet/38.1-2.141
    """
    t = np.asarray(table, dtype=np.int64)
    t = t[t.sum(axis=1) > 0][:, t.sum(axis=0) > 0]
    if min(t.shape) < 2:
        return 1.0, "none"
    rows, columns, total = t.sum(axis=1), t.sum(axis=0), t.sum()
    if t.shape[1] == 2:
        possible = float(np.prod([float(min(n, columns[0]) + 1) for n in rows[:-1]]))
        if possible <= _ENUMERATE:
            return _enumerate(t[:, 0], rows), "exact"
    expected = np.outer(rows, columns) / total
    if expected.min() >= _LARGE_EXPECTED:
        from scipy.stats import chi2

        statistic = float(((t - expected) ** 2 / expected).sum())
        return float(chi2.sf(statistic, (len(rows) - 1) * (len(columns) - 1))), "chi-squared"
    from scipy.special import gammaln
    from scipy.stats import random_table

    drawn = random_table.rvs(rows, columns, size=draws, random_state=np.random.default_rng(random_state))
    log = -gammaln(np.asarray(drawn) + 1.0).sum(axis=(1, 2))
    observed = -gammaln(t + 1.0).sum()
    return float((np.sum(log <= observed + TIE) + 1) / (draws + 1)), "Monte Carlo"


def _enumerate(x: Ints, n: Ints) -> float:
    """Exact Freeman-Halton p of a table with two columns."""
    from scipy.special import gammaln

    m = int(x.sum())
    counts = [np.arange(min(int(size), m) + 1) for size in n[:-1]]
    grid = [g.ravel() for g in np.meshgrid(*counts, indexing="ij")]
    last = m - np.sum(grid, axis=0)
    keep = (last >= 0) & (last <= n[-1])
    columns = [g[keep] for g in grid] + [last[keep]]
    log = np.zeros(len(columns[0]))
    for k, size in zip(columns, n, strict=True):
        log -= gammaln(k + 1.0) + gammaln(size - k + 1.0)
    observed = -float(np.sum(gammaln(x + 1.0) + gammaln(n - x + 1.0)))
    weights = np.exp(log - log.max())
    return float(min(1.0, weights[log <= observed + TIE].sum() / weights.sum()))


def _one_exact(x1: int, n1: int, x2: int, n2: int, *, method: ExactMethod) -> float:
    m = x1 + x2
    if min(n1, n2, m) <= 0 or m >= n1 + n2:
        return 1.0
    first, pmf = hypergeometric(n1, n2, m)
    if not first <= x1 < first + len(pmf):
        return _SMALLEST
    return float(point_probability_p(pmf, method=method)[x1 - first])


def _koopman(ratio: Floats, a: Floats, n: Floats, b: Floats, m: Floats) -> Floats:
    """Score statistic of ratio = p1 / p2, at the restricted maximum-likelihood shares."""
    with np.errstate(all="ignore"):
        s = ratio * (n + b) + a + m
        root = np.sqrt(np.maximum(s * s - 4 * ratio * (n + m) * (a + b), 0))
        # The conjugate form of the quadratic's smaller root: no cancellation at extreme ratios.
        p1 = 2 * ratio * (a + b) / (s + root)
        first = (a - n * p1) ** 2 / (n * p1 * (1 - p1))
        statistic = first * (1 + n * (ratio - p1) / (m * (1 - p1)))
    return np.where(np.isnan(statistic), np.inf, statistic)


def _mover(terms: tuple[tuple[Any, Any, int], ...], level: float) -> tuple[Floats, Floats]:
    """Limits of a sum and difference of shares from their Wilson limits (method of variance estimates recovery)."""
    estimate: Any = 0.0
    down: Any = 0.0
    up: Any = 0.0
    for x, n, sign in terms:
        low, high = wilson(x, n, level=level)
        with np.errstate(divide="ignore", invalid="ignore"):
            p = np.asarray(x, dtype=float) / np.asarray(n, dtype=float)
        below, above = (p - low, high - p) if sign > 0 else (high - p, p - low)
        estimate, down, up = estimate + sign * p, down + below**2, up + above**2
    return estimate - np.sqrt(down), estimate + np.sqrt(up)


def _z(level: float) -> float:
    from scipy.special import ndtri

    if not 0 < level < 1:
        raise SettingsError(f"a confidence level lies between 0 and 1, such as 0.95; found {level!r}")
    return float(ndtri(0.5 + level / 2))

"""What a comparison could have found: exact power and the minimum detectable gap.

In: the sizes of the group and the rest and the share of the rest. Out: power, or the smallest gap upwards that is
found with the power asked for. It follows from the design alone; the observed difference is never used ("observed
power").
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike

from declinethemes.stats.proportions import ExactMethod, Floats, Ints, hypergeometric, point_probability_p

EXACT_TOTAL = 600
"""Up to this many candidates in a comparison the power is exact."""
EXACT_SMALLER = 60
"""Above it, with the smaller side up to this size, the larger side is cut to make the total `EXACT_TOTAL`, which
errs on the side of a larger gap (by at most about 5 %); with both sides larger the normal approximation is used."""


def power(
    n1: int,
    n2: int,
    p1: ArrayLike,
    p2: ArrayLike,
    *,
    alpha: float = 0.05,
    method: ExactMethod = "midp",
    upwards: bool = False,
) -> Floats:
    """Return the exact power of the two-sided test, by listing every outcome.

    Parameters
    ----------
    n1, n2 : int
        Candidates in the group and in the rest.
    p1, p2 : array-like
        True shares; they broadcast.
    alpha : float
        Level of the test, not adjusted for other comparisons.
    method : {"midp", "fisher"}
        The test.
    upwards : bool
        Count only rejections with the group's share above the rest's.

    Returns
    -------
    array
        Probability of rejection.

    Examples
    --------
    >>> round(float(power(20, 20, 0.5, 0.9, method="fisher")), 6)
    0.742389
    """
    q1, q2 = np.broadcast_arrays(np.asarray(p1, dtype=float), np.asarray(p2, dtype=float))
    highest = _region(n1, n2, alpha, method)
    out = _upward(highest, n1, n2, q1.ravel(), q2.ravel())
    if not upwards:
        out = out + _upward(_region(n2, n1, alpha, method), n2, n1, q2.ravel(), q1.ravel())
    return out.reshape(q1.shape)


def minimum_detectable_gap(
    n1: ArrayLike,
    n2: ArrayLike,
    base: ArrayLike,
    *,
    alpha: float = 0.05,
    target: float = 0.8,
    method: ExactMethod = "midp",
) -> Floats:
    """Return the smallest gap upwards from `base` that the test finds with power `target`.

    Parameters
    ----------
    n1, n2 : array-like of whole numbers
        Candidates in the group and in the rest.
    base : array-like
        Share of the rest, 0..1.
    alpha, target : float
        Level of the test (not adjusted) and power asked for.
    method : {"midp", "fisher"}
        The test.

    Returns
    -------
    array of the broadcast shape
        Gap in shares, to 0.0005; nan where even a share of 1 would not be found.

    Notes
    -----
    Exact up to 600 candidates and, with a conservative cut, whenever one side has at most 60; else the normal
    approximation.
    """
    sizes1, sizes2, bases = np.broadcast_arrays(
        np.asarray(n1, dtype=np.int64), np.asarray(n2, dtype=np.int64), np.asarray(base, dtype=float)
    )
    flat = np.stack([sizes1.ravel(), sizes2.ravel()], axis=1)
    rest = bases.ravel()
    out = np.full(len(rest), np.nan)
    pairs, inverse = np.unique(flat, axis=0, return_inverse=True)
    for index, (a, b) in enumerate(pairs):
        rows = np.flatnonzero((inverse.ravel() == index) & ~np.isnan(rest))
        if a > 0 and b > 0 and len(rows):
            out[rows] = _gaps(int(a), int(b), rest[rows], alpha, target, method)
    return out.reshape(bases.shape)


def _gaps(n1: int, n2: int, base: Floats, alpha: float, target: float, method: ExactMethod) -> Floats:
    exact = n1 + n2 <= EXACT_TOTAL or min(n1, n2) <= EXACT_SMALLER
    if n1 + n2 > EXACT_TOTAL and exact:
        n1, n2 = min(n1, EXACT_TOTAL - min(n1, n2)), min(n2, EXACT_TOTAL - min(n1, n2))
    if exact:
        highest = _region(n1, n2, alpha, method)

        def found(share: Floats) -> Floats:
            return _upward(highest, n1, n2, share, base)
    else:

        def found(share: Floats) -> Floats:
            return _normal(n1, n2, share, base, alpha)

    low, high = base.copy(), np.ones_like(base)
    reachable = found(high) >= target
    for _ in range(12):
        middle = (low + high) / 2
        enough = found(middle) >= target
        low, high = np.where(enough, low, middle), np.where(enough, middle, high)
    return np.where(reachable & (base < 1), high - base, np.nan)


@lru_cache(maxsize=256)
def _region(n1: int, n2: int, alpha: float, method: ExactMethod) -> Ints:
    """For each count of the group, the highest count of the rest that is rejected upwards (-1: none)."""
    highest = np.full(n1 + 1, -1, dtype=np.int64)
    for m in range(1, n1 + n2):
        first, pmf = hypergeometric(n1, n2, m)
        p = point_probability_p(pmf, method=method)
        x = np.arange(first, first + len(pmf))
        rejected = x[(p <= alpha) & (x * n2 > (m - x) * n1)]
        highest[rejected] = np.maximum(highest[rejected], m - rejected)
    highest.setflags(write=False)
    return highest


def _upward(highest: Ints, n1: int, n2: int, p1: Floats, p2: Floats) -> Floats:
    from scipy.stats import binom

    chance = binom.pmf(np.arange(n1 + 1)[None, :], n1, p1[:, None])
    below = np.concatenate([np.zeros((len(p2), 1)), binom.cdf(np.arange(n2 + 1)[None, :], n2, p2[:, None])], axis=1)
    return np.asarray((chance * below[:, highest + 1]).sum(axis=1), dtype=float)


def _normal(n1: int, n2: int, p1: Floats, p2: Floats, alpha: float) -> Floats:
    from scipy.special import ndtr, ndtri

    pooled = (n1 * p1 + n2 * p2) / (n1 + n2)
    null = np.sqrt(pooled * (1 - pooled) * (1 / n1 + 1 / n2))
    true = np.sqrt(np.maximum(p1 * (1 - p1) / n1 + p2 * (1 - p2) / n2, 1e-300))
    return np.asarray(ndtr(((p1 - p2) + ndtri(alpha / 2) * null) / true), dtype=float)

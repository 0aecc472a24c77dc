"""Trend of a share across ordered batches.

In: candidates with the item and candidates in all, per batch, in order. Out: statistic and p-value. A change of the
codebook or the tagger between batches is a break that no test repairs; fewer than four batches make no trend.
Neither is checked here.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from declinethemes.errors import InputError
from declinethemes.stats.proportions import Floats


def cochran_armitage(x: ArrayLike, n: ArrayLike, scores: ArrayLike | None = None) -> tuple[float, float]:
    """Return the Cochran-Armitage test for trend, without continuity correction.

    The variance divides by N, as R's prop.trend.test does (not by N - 1, as statsmodels does).

    Parameters
    ----------
    x, n : array-like, shape (n_batches,)
        Candidates with the item, and all, per batch.
    scores : array-like, shape (n_batches,), optional
        Places of the batches; 0, 1, 2, ... if not given.

    Returns
    -------
    statistic, p : float
        Chi-squared with 1 degree of freedom; 0 and 1 where nothing varies.

    References
    ----------
    Armitage (1955), doi:10.2307/3001775

    Examples
    --------
    >>> statistic, p = cochran_armitage([83, 90, 129, 70], [86, 93, 136, 82])
    >>> round(statistic, 4), round(p, 6)
    (8.2249, 0.004132)
    """
    from scipy.special import chdtrc

    counts, sizes, places = _checked(x, n, scores)
    total, share = sizes.sum(), counts.sum() / sizes.sum()
    spread = (sizes * places**2).sum() - (sizes * places).sum() ** 2 / total
    variance = share * (1 - share) * spread
    if variance <= 0:
        return 0.0, 1.0
    statistic = float((places * (counts - sizes * share)).sum() ** 2 / variance)
    return statistic, float(chdtrc(1, statistic))


def permutation_trend(
    x: ArrayLike, n: ArrayLike, scores: ArrayLike | None = None, *, draws: int = 9_999, random_state: int = 0
) -> float:
    """Return the two-sided p-value of the same trend by permuting batch labels: for small counts.

    Parameters
    ----------
    x, n, scores
        As in `cochran_armitage`.
    draws : int
        Labelings drawn.
    random_state : int
        Seed.

    Returns
    -------
    float
        (b + 1) / (draws + 1).
    """
    counts, sizes, places = _checked(x, n, scores)
    rng = np.random.default_rng(random_state)
    drawn = rng.multivariate_hypergeometric(sizes.astype(np.int64), int(counts.sum()), size=draws, method="marginals")
    centre = float((places * sizes).sum() * counts.sum() / sizes.sum())
    observed = abs(float((places * counts).sum()) - centre)
    hits = int((np.abs(drawn @ places - centre) >= observed * (1 - 1e-9) - 1e-12).sum())
    return (hits + 1) / (draws + 1)


def _checked(x: ArrayLike, n: ArrayLike, scores: ArrayLike | None) -> tuple[Floats, Floats, Floats]:
    counts, sizes = np.asarray(x, dtype=float), np.asarray(n, dtype=float)
    places = np.arange(len(counts), dtype=float) if scores is None else np.asarray(scores, dtype=float)
    if not counts.shape == sizes.shape == places.shape or counts.ndim != 1:
        raise InputError(
            f"a trend needs one count, size and score per batch; found {counts.shape}, {sizes.shape}, {places.shape}"
        )
    if (counts > sizes).any() or (counts < 0).any() or sizes.sum() <= 0:
        raise InputError("a trend needs 0 <= count <= size in every batch, and somebody in one of them")
    return counts, sizes, places

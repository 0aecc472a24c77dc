"""Agreement between coders, for one item at a time.

In: ratings (n_units, n_coders) with missing ones as nan, or a square table of two coders' decisions. Out: a
coefficient. Intervals are made by the caller, by drawing candidates anew: passages of one candidate are not
independent.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from declinethemes.errors import InputError
from declinethemes.stats.proportions import Floats


def krippendorff_alpha(ratings: ArrayLike) -> float:
    """Return Krippendorff's alpha for nominal ratings.

    Parameters
    ----------
    ratings : array-like of float, shape (n_units, n_coders)
        Category numbers, nan where a coder did not rate; units with fewer than two ratings are left out.

    Returns
    -------
    float
        nan where nothing can be compared or only one category was ever used.

    References
    ----------
    Krippendorff (2011), Computing Krippendorff's Alpha-Reliability, https://repository.upenn.edu/asc_papers/43

    Examples
    --------
    >>> first, second = [0, 1, 0, 0, 0, 0, 0, 0, 1, 0], [1, 1, 1, 0, 0, 1, 0, 0, 0, 0]
    >>> round(krippendorff_alpha([list(pair) for pair in zip(first, second)]), 4)
    0.0952
    """
    values = np.asarray(ratings, dtype=float)
    if values.ndim != 2:
        raise InputError(f"ratings have shape (n_units, n_coders); found {values.shape}")
    categories = np.unique(values[~np.isnan(values)])
    counts = np.stack([(values == c).sum(axis=1) for c in categories], axis=1) if len(categories) else np.zeros((0, 0))
    rated = counts.sum(axis=1)
    counts, rated = counts[rated > 1], rated[rated > 1]
    totals, n = counts.sum(axis=0), rated.sum()
    observed = ((rated[:, None] - counts) * counts / (rated[:, None] - 1)).sum()
    expected = (totals * (n - totals)).sum() / (n - 1) if n > 1 else 0.0
    return float(1 - observed / expected) if expected > 0 else float("nan")


def raw_agreement(table: ArrayLike) -> float:
    """Return the share of units on which two coders agree; `table` as in `cohen_kappa`."""
    t = _square(table)
    return float(np.trace(t) / t.sum()) if t.sum() else float("nan")


def cohen_kappa(table: ArrayLike) -> float:
    """Return Cohen's kappa of two coders.

    Parameters
    ----------
    table : array-like, shape (n_categories, n_categories)
        Units by the first coder's category (rows) and the second's (columns).

    Returns
    -------
    float
        nan where it is not defined. Near 0 or below for rare items even when coders agree: read it beside `gwet_ac1`.
    """
    t = _square(table)
    if not t.sum():
        return float("nan")
    chance = float((t.sum(axis=0) * t.sum(axis=1)).sum() / t.sum() ** 2)
    return (raw_agreement(t) - chance) / (1 - chance) if chance < 1 else float("nan")


def gwet_ac1(table: ArrayLike) -> float:
    """Return Gwet's AC1 of two coders; `table` as in `cohen_kappa`.

    References
    ----------
    Gwet (2008), doi:10.1348/000711006X126600
    """
    t = _square(table)
    if not t.sum():
        return float("nan")
    share = (t.sum(axis=0) + t.sum(axis=1)) / (2 * t.sum())
    chance = float((share * (1 - share)).sum() / (len(t) - 1))
    return (raw_agreement(t) - chance) / (1 - chance)


def positive_agreement(table: ArrayLike) -> float:
    """Return 2a / (2a + b + c) of a 2x2 table whose last row and column are "yes"; nan where nobody said yes."""
    t = _square(table)
    if t.shape != (2, 2):
        raise InputError(f"positive agreement needs a table of no and yes, shape (2, 2); found {t.shape}")
    said = 2 * t[1, 1] + t[0, 1] + t[1, 0]
    return float(2 * t[1, 1] / said) if said else float("nan")


def _square(table: ArrayLike) -> Floats:
    t = np.asarray(table, dtype=float)
    if t.ndim != 2 or t.shape[0] != t.shape[1] or len(t) < 2:
        raise InputError(f"two coders' decisions form a square table of two or more categories; found shape {t.shape}")
    return t

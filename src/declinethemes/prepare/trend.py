"""Decline rates by quarter of the offer, and whether they rise or fall.

In: one decided offer per row with its quarter. Out: a row per quarter, and a test per level. Fewer than four quarters
make no trend.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from declinethemes.prepare.decided import Ints, Segment
from declinethemes.stats.proportions import wilson
from declinethemes.stats.trend import cochran_armitage, permutation_trend

ALL = "(all)"
"""Segment and level of the rows that count every offer."""
MIN_QUARTERS = 4
_FEW = 20


def by_quarter(
    offers: pd.DataFrame, segments: Sequence[Segment], *, random_state: int
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return decline rates by quarter, and a test of trend for all offers and for each level.

    Parameters
    ----------
    offers : pandas.DataFrame
        Decided offers with `outcome` and `quarter`; those without a quarter are left out here.
    segments : sequence of Segment
        Levels of the offers, in the same order.
    random_state : int
        Seed of the permutations.

    Returns
    -------
    quarters : pandas.DataFrame
        segment, level, quarter, n, declined, rate, rate_low, rate_high (Wilson, 95 %); "(all)" first.
    tests : pandas.DataFrame
        segment, level, n_quarters, n, change (of the rate per quarter, least squares weighted by offers), p_value,
        method. Missing p with fewer than four quarters. Not adjusted for the number of trends.
    """
    dated = offers["quarter"].notna().to_numpy(dtype=bool)
    declined = (offers["outcome"] == "declined").to_numpy(dtype=bool)
    quarter = offers["quarter"].astype("string").fillna("").to_numpy(dtype=object)
    groups = [(ALL, ALL, dated)]
    groups += [(s.name, level, dated & (s.codes == i)) for s in segments for i, level in enumerate(s.levels)]
    quarters, tests = [], []
    for segment, level, rows in groups:
        names, place = np.unique(quarter[rows].astype(str), return_inverse=True)
        n = np.bincount(place, minlength=len(names)).astype(np.int64)
        x = np.bincount(place, weights=declined[rows], minlength=len(names)).astype(np.int64)
        low, high = wilson(x, n)
        frame = pd.DataFrame({"segment": segment, "level": level, "quarter": names, "n": n, "declined": x})
        quarters.append(frame.assign(rate=x / n, rate_low=low, rate_high=high))
        tests.append({"segment": segment, "level": level, **_test(x, n, names.tolist(), random_state)})
    return pd.concat(quarters, ignore_index=True), pd.DataFrame(tests)


def _test(x: Ints, n: Ints, names: Sequence[str], random_state: int) -> dict[str, object]:
    """Test one series; quarters without an offer keep their place in time."""
    out: dict[str, object] = {"n_quarters": len(names), "n": int(n.sum()), "change": np.nan, "p_value": np.nan}
    out["method"] = f"fewer than {MIN_QUARTERS} quarters"
    if len(names) < MIN_QUARTERS:
        return out
    place = np.array([4 * int(name[:4]) + int(name[-1]) for name in names], dtype=float)
    place -= place[0]
    centred = place - np.average(place, weights=n)
    out["change"] = float((n * centred * (x / n)).sum() / (n * centred**2).sum())
    if min(x.sum(), n.sum() - x.sum()) < _FEW:
        return {**out, "p_value": permutation_trend(x, n, place, random_state=random_state), "method": "permutation"}
    return {**out, "p_value": cochran_armitage(x, n, place)[1], "method": "Cochran-Armitage"}

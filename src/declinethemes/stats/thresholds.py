"""Which rows of findings are too small to show.

In: counts, or a findings frame. Out: true where a row must be hidden. Blanking the rows, and what else a study's
outputs may not show, is done in `disclosure`; differencing across segments, batches and releases is not looked at here.
"""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

MIN_N = 5
SMALL_GROUP = 10
FEW_MENTIONS = 2


def is_protected(
    n_mention: ArrayLike,
    n: ArrayLike,
    rest_n_mention: ArrayLike,
    rest_n: ArrayLike,
    sensitive: ArrayLike = False,
    *,
    min_n: int = MIN_N,
) -> NDArray[np.bool_]:
    """Return which comparisons are too small to show on their own counts.

    A side (the level or the rest) is too small when it has 1 to `min_n` - 1 candidates, or 1 or 2 mentions in a
    group under 10 or on a sensitive item. An empty side (nobody to be recognised) is not.

    Parameters
    ----------
    n_mention, n, rest_n_mention, rest_n : array-like
        Counts of the two sides; they broadcast. Missing (nan) counts are not protected by themselves.
    sensitive : array-like of bool
        Whether the item itself is sensitive (health, religion, family).
    min_n : int
        Smallest group that is shown.

    Returns
    -------
    array of bool
    """
    delicate = np.asarray(sensitive, dtype=bool)

    def small(mentions: ArrayLike, size: ArrayLike) -> NDArray[np.bool_]:
        k, total = np.asarray(mentions, dtype=float), np.asarray(size, dtype=float)
        few = (k >= 1) & (k <= FEW_MENTIONS) & ((total < SMALL_GROUP) | delicate)
        return np.asarray(((total >= 1) & (total < min_n)) | few, dtype=bool)

    return np.asarray(small(n_mention, n) | small(rest_n_mention, rest_n), dtype=bool)


def protected_rows(
    findings: pd.DataFrame, *, min_n: int = MIN_N, sensitive: Collection[str] = (), unlisted: str
) -> NDArray[np.bool_]:
    """Return which rows of a findings frame must be hidden, rows that would give a hidden one away included.

    Every row shows its level and the rest, so the total over the levels is known, and one hidden row is total minus
    the others. So where exactly one level of a segment is too small, the next larger one is hidden with it for every
    item; and where exactly one is hidden for an item, the smallest other level is hidden too. In a segment of two
    levels each row is the other one's rest, and both go.

    Parameters
    ----------
    findings : pandas.DataFrame
        With segment, level, item, n_mention, n, rest_n_mention, rest_n, verdict. Rows whose n is missing count as
        hidden.
    min_n : int
        Smallest group that is shown.
    sensitive : collection of str
        Items with the raised threshold.
    unlisted : str
        The level that is part of no rest (value not disclosed); it gives nobody else away.

    Returns
    -------
    array of bool, shape (n_rows,)
        In the order of the rows.
    """
    n = _numbers(findings, "n")
    delicate = findings["item"].isin(list(sensitive)).to_numpy(dtype=bool)
    own, rest = (
        (_numbers(findings, "n_mention"), n),
        (_numbers(findings, "rest_n_mention"), _numbers(findings, "rest_n")),
    )
    hidden = is_protected(*own, *rest, delicate, min_n=min_n) | np.isnan(n)
    frame = pd.DataFrame(
        {
            "segment": findings["segment"].astype(str).to_numpy(),
            "item": findings["item"].astype(str).to_numpy(),
            "level": findings["level"].astype(str).to_numpy(),
            "n": n,
            "hidden": hidden,
        }
    )
    hidden |= _few_by_review(findings, delicate)
    frame["hidden"] = hidden
    known = frame[(frame["level"] != unlisted) & ~(frame["n"] == 0)]
    # A level's n is the same for every item: the level that goes with one that is too small must be too.
    sizes = known.groupby(["segment", "level"])["n"].max().reset_index().sort_values(["segment", "n", "level"])
    for segment, levels in sizes.groupby("segment"):
        if int((levels["n"] < min_n).sum()) == 1 and len(levels) > 1:
            hidden |= ((frame["segment"] == segment) & (frame["level"] == levels["level"].iloc[1])).to_numpy()
    known = known.assign(hidden=hidden[known.index.to_numpy(dtype=np.int64)])
    alone = known.groupby(["segment", "item"])["hidden"].transform("sum") == 1
    second = known[alone & ~known["hidden"]].sort_values(["segment", "item", "n", "level"])
    hidden[second.drop_duplicates(["segment", "item"]).index.to_numpy(dtype=np.int64)] = True
    return hidden


def _numbers(findings: pd.DataFrame, column: str) -> NDArray[np.float64]:
    return np.asarray(findings[column].astype("Float64").to_numpy(dtype=float, na_value=np.nan), dtype=np.float64)


def _few_by_review(findings: pd.DataFrame, delicate: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return audited rows whose corrected shares stand for so few candidates that these could be told from them.

    A corrected share is pulled up by less than one candidate, so up to three stand for one or two.
    """
    out = np.zeros(len(findings), dtype=bool)
    if "audit_state" not in findings or "share" not in findings:
        return out
    audited = (findings["audit_state"] == "audited").fillna(False).to_numpy(dtype=bool)
    for share, size in (("share", "n"), ("rest_share", "rest_n")):
        n = _numbers(findings, size)
        k = np.round(_numbers(findings, share) * n)
        out |= audited & (k >= 1) & (k <= FEW_MENTIONS + 1) & ((n < SMALL_GROUP) | delicate)
    return out

"""The findings over batches as they are shown: what rises, what falls, what changed last.

In: the frames of a trend, small numbers already blank. Out: plain dicts. Nothing is tested here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

ORDER = ("rises", "falls", "no trend shown", "not tested", "protected")


def over_time(
    counts: pd.DataFrame,
    items: pd.DataFrame,
    *,
    batches: Sequence[str],
    notes: Sequence[str],
    labels: Mapping[str, str],
    alpha: float,
) -> dict[str, Any]:
    """Return what the report shows of a trend.

    Parameters
    ----------
    counts, items : pandas.DataFrame
        Of a trend after its small numbers were blanked.
    batches : sequence of str
        In order.
    notes : sequence of str
    labels : mapping of item to label
    alpha : float
        Level at which the last change is marked.

    Returns
    -------
    dict
        batches, notes, and rows: label, verdict, shares per batch (None where protected), slope and last change in
        points with limits, p-values, `changed`; what rises or falls first.
    """
    share = {(row["item"], row["batch"]): row["share"] for row in counts.to_dict("records")}
    rows: list[dict[str, Any]] = []
    for row in items.to_dict("records"):
        points = {
            name: None if pd.isna(row[name]) else round(100 * float(row[name]))
            for name in ("slope", "slope_low", "slope_high", "change", "change_low", "change_high")
        }
        names = ("p_value", "p_bh", "change_p_bh")
        tests = {name: None if pd.isna(row[name]) else round(float(row[name]), 5) for name in names}
        shares = [share.get((row["item"], name)) for name in batches]
        rows.append(
            {
                "item": str(row["item"]),
                "label": labels.get(str(row["item"]), str(row["item"])),
                "verdict": str(row["verdict"]),
                "shares": [None if value is None or pd.isna(value) else round(float(value), 4) for value in shares],
                "changed": tests["change_p_bh"] is not None and tests["change_p_bh"] <= alpha,
                **points,
                **tests,
            }
        )
    rows.sort(key=lambda row: (ORDER.index(row["verdict"]), -abs(row["slope"] or 0), row["label"]))
    return {"batches": list(batches), "notes": list(notes), "rows": rows}

"""Which emergent themes under one code may be one: suggestions for a person to decide on.

In: themes, assignments and vectors. Out: pairs with how far they overlap. Nothing is merged here.
"""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

OVERLAP = 0.2
COLUMNS = ("theme_id", "other_id", "code", "overlap")


def merge_suggestions(
    themes: pd.DataFrame, assignments: pd.DataFrame, passages: pd.DataFrame, vectors: NDArray[np.float32]
) -> pd.DataFrame:
    """Return pairs of emergent themes under the same code of which a fifth of the passages could be in either.

    Parameters
    ----------
    themes, assignments, passages : pandas.DataFrame
        The tables.
    vectors : array (n_passages, n_dimensions)
        Unit rows of the passages.

    Returns
    -------
    pandas.DataFrame
        theme_id, other_id, code, overlap (share of both themes' passages that are nearer to the other's centre, 0..1);
        the most overlapping first.
    """
    place = {passage: i for i, passage in enumerate(passages["passage_id"])}
    rows = {
        str(theme): np.array([place[p] for p in part["passage_id"] if p in place], dtype=np.int64)
        for theme, part in assignments.groupby("theme_id")
    }
    patterns = themes[(themes["kind"] == "emergent") & (themes["status"] != "rest")]
    out = []
    for code, part in patterns.groupby("code"):
        for one, other in combinations(sorted(part["theme_id"]), 2):
            a, b = vectors[rows[one]], vectors[rows[other]]
            towards = b.mean(axis=0) / np.linalg.norm(b.mean(axis=0)) - a.mean(axis=0) / np.linalg.norm(a.mean(axis=0))
            overlap = float(((a @ towards > 0).sum() + (b @ towards < 0).sum()) / (len(a) + len(b)))
            if overlap >= OVERLAP:
                out.append((one, other, code, round(overlap, 3)))
    frame = pd.DataFrame(out, columns=list(COLUMNS))
    return frame.sort_values(["overlap", "theme_id"], ascending=[False, True]).reset_index(drop=True)

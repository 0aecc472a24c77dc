"""Whether the tagger finds what people find, equally well in every group.

In: an `Incidence` with reviews. Out: per level and item the share of the candidates counted by reviewers whom the tags
count too, beside that of the rest. Findings are corrected in `corrections`.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from declinethemes.findings.inputs import Flags, Incidence, Segment
from declinethemes.stats.audit import effective_counts
from declinethemes.stats.proportions import newcombe, wilson

MIN_POSITIVES = 10
"""With fewer candidates counted by reviewers on either side, whether recall differs is unknown."""
DIFFERS = "tagger recall differs by segment"
COLUMNS = (
    "segment",
    "level",
    "item",
    "n_positive",
    "recall",
    "recall_low",
    "recall_high",
    "rest_n_positive",
    "rest_recall",
    "verdict",
)


def recall_by_level(data: Incidence, segment: Segment) -> pd.DataFrame:
    """Return the tagger's recall per level and item, on reviewed candidates.

    Returns
    -------
    pandas.DataFrame
        segment, level, item; n_positive (reviewed candidates whom reviewers count), recall (0..1, weighted by 1 /
        inclusion probability) with Wilson limits; the same of the rest; verdict: "differs" where the Newcombe interval
        of the difference leaves out 0, "no clear difference", or "unknown" under 10 positives on either side, where
        shares are missing. Empty without reviews.
    """
    rows = []
    if data.reviewed is not None:
        known = segment.codes >= 0
        for level, name in enumerate(segment.levels):
            group = segment.codes == level
            for item in np.flatnonzero((data.reviewed >= 0).any(axis=0)).tolist():
                sides = _side(data, group, item), _side(data, known & ~group, item)
                rows.append((segment.name, name, data.items[item], *_compared(*sides)))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def with_notes(findings: pd.DataFrame, recalls: pd.DataFrame) -> pd.DataFrame:
    """Return findings with a note where the tagger's recall of the level differs from that of the rest."""
    differs = recalls[recalls["verdict"] == "differs"]
    keys = ["segment", "level", "item"]
    mine = pd.MultiIndex.from_frame(findings[keys].astype(object)).isin(pd.MultiIndex.from_frame(differs[keys]))
    notes = findings["note"].fillna("")
    return findings.assign(note=findings["note"].mask(mine, (notes + "; " + DIFFERS).str.removeprefix("; ")))


def _side(data: Incidence, side: Flags, item: int) -> tuple[int, float, float]:
    """Return the positives of one side, their effective number, and how many of that the tags have."""
    if data.reviewed is None:
        return 0, 0.0, 0.0
    positive = side & (data.reviewed[:, item] == 1)
    weights = np.ones(int(positive.sum())) if data.weights is None else data.weights[positive, item]
    return int(positive.sum()), *effective_counts(weights, data.said[positive, item])


def _compared(group: tuple[int, float, float], rest: tuple[int, float, float]) -> tuple[object, ...]:
    nan = float("nan")
    if min(group[0], rest[0]) < MIN_POSITIVES:
        return group[0], nan, nan, nan, rest[0], nan, "unknown"
    low, high = wilson(group[2], group[1])
    first, last = newcombe(group[2], group[1], rest[2], rest[1])
    verdict = "differs" if first > 0 or last < 0 else "no clear difference"
    return group[0], group[2] / group[1], float(low), float(high), rest[0], rest[2] / rest[1], verdict

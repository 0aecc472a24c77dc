"""Compare tags with codes: precision, recall, F1, average precision and calibration.

In: truth and probabilities as arrays. Out: frames and numbers; nothing is trained or printed here.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Labels = NDArray[np.bool_]
Probabilities = NDArray[np.float64]

# The best threshold of a code with few passages is half chance. Set on one half of the voices and tried on the other,
# thresholds moved this far to their mean do better, most where there are few voices (`python -m benchmarks.tagger
# --only cuts`).
POOLED = 0.75


def best_threshold(truth: Labels, probabilities: Probabilities) -> float:
    """Return the probability from which on deciding "yes" gives the best F1.

    The F1 of every cut is smoothed with one pseudo-error, so that a rare code does not get the threshold of one lucky
    passage. Without a positive the answer is above 1: never "yes".
    """
    if not truth.any():
        return 1.01
    order = np.argsort(-probabilities, kind="stable")
    hits = np.cumsum(truth[order])
    chosen = np.arange(1, len(order) + 1)
    f1 = 2 * hits / (chosen + truth.sum() + 1)
    last = int(np.argmax(f1))
    lower = probabilities[order[last + 1]] if last + 1 < len(order) else 0.0
    return float(np.clip((probabilities[order[last]] + lower) / 2, 0.02, 0.98))


def best_thresholds(truth: Labels, probabilities: Probabilities, *, pooled: float = POOLED) -> Probabilities:
    """Return a threshold per code: its best one, moved towards the mean of all.

    Parameters
    ----------
    truth : bool array (n_passages, n_codes)
    probabilities : array (n_passages, n_codes)
        Calibrated, so that the best thresholds of different codes lie close together.
    pooled : float
        How far to move: 0 leaves each code its own, 1 gives all the mean.

    Returns
    -------
    array (n_codes,)
        Above 1 (never "yes") for a code without a positive.
    """
    each = np.array([best_threshold(truth[:, j], probabilities[:, j]) for j in range(truth.shape[1])])
    live = each <= 1
    return np.where(live, (1 - pooled) * each + pooled * each[live].mean(), each) if live.any() else each


def per_code(truth: Labels, predicted: Labels, probabilities: Probabilities, codes: Sequence[str]) -> pd.DataFrame:
    """Return precision, recall, F1, average precision, Brier skill and the commonest confusion of every code.

    Parameters
    ----------
    truth, predicted : bool array (n_passages, n_codes)
    probabilities : array (n_passages, n_codes)
    codes : sequence of str

    Returns
    -------
    pandas.DataFrame
        Columns code, n, precision, recall, f1, average_precision, brier_skill, taken_for (the code that passages with
        this one got most often instead of it); missing where undefined.
    """
    from sklearn.metrics import average_precision_score

    rows = []
    instead = predicted & ~truth
    for j, code in enumerate(codes):
        t, p = truth[:, j], predicted[:, j]
        both = int((t & p).sum())
        wrong = instead[t & ~p].sum(axis=0)
        rows.append(
            {
                "code": code,
                "n": int(t.sum()),
                "precision": both / p.sum() if p.any() else np.nan,
                "recall": both / t.sum() if t.any() else np.nan,
                "f1": f1(t, p) if t.any() else np.nan,
                "average_precision": average_precision_score(t, probabilities[:, j]) if t.any() else np.nan,
                "brier_skill": brier_skill(t, probabilities[:, j]),
                "taken_for": codes[int(wrong.argmax())] if wrong.any() else None,
            }
        )
    return pd.DataFrame(rows)


def recall_by(truth: Labels, predicted: Labels, groups: Sequence[str | None], *, least: int = 10) -> pd.DataFrame:
    """Return the recall in each group beside that in all others: a difference bends every comparison of the two.

    Parameters
    ----------
    truth, predicted : bool array (n_passages, n_codes)
    groups : sequence of str or None, length n_passages
        None: not disclosed, and in no group.
    least : int
        With fewer coded pairs on a side its recall is unknown.

    Returns
    -------
    pandas.DataFrame
        Columns group, n (pairs of a passage and a code that it has), recall, rest_n, rest_recall, difference, low,
        high (Newcombe's 95 % interval, which takes pairs as independent); missing where unknown.
    """
    from declinethemes.stats.proportions import newcombe

    have, found = truth.sum(axis=1), (truth & predicted).sum(axis=1)
    names = np.array(["" if name is None else name for name in groups], dtype=object)
    rows = []
    for name in sorted(set(names) - {""}):
        mine, rest = names == name, (names != name) & (names != "")
        n, m, x, y = int(have[mine].sum()), int(have[rest].sum()), int(found[mine].sum()), int(found[rest].sum())
        row: dict[str, object] = {"group": name, "n": n, "rest_n": m}
        row["recall"], row["rest_recall"] = x / n if n >= least else np.nan, y / m if m >= least else np.nan
        if n >= least and m >= least:
            low, high = newcombe(x, n, y, m)
            row |= {"difference": x / n - y / m, "low": float(low), "high": float(high)}
        rows.append(row)
    columns = ["group", "n", "recall", "rest_n", "rest_recall", "difference", "low", "high"]
    return pd.DataFrame(rows).reindex(columns=columns)


def categories(labels: Labels, codes: Sequence[str]) -> tuple[Labels, list[str]]:
    """Return the labels by category (any of its codes) and the categories' names."""
    names = list(dict.fromkeys(code.split(".")[0] for code in codes))
    columns = [[j for j, code in enumerate(codes) if code.split(".")[0] == name] for name in names]
    return np.stack([labels[:, c].any(axis=1) for c in columns], axis=1), names


def f1(truth: Labels, predicted: Labels) -> float:
    """Return 2 TP / (2 TP + FP + FN); 0 when nothing is true or predicted."""
    total = int(truth.sum()) + int(predicted.sum())
    return 2 * int((truth & predicted).sum()) / total if total else 0.0


def macro_f1(truth: Labels, predicted: Labels, *, min_positives: int = 1) -> float:
    """Return the mean F1 over columns with at least so many positives."""
    columns = [j for j in range(truth.shape[1]) if truth[:, j].sum() >= min_positives]
    return float(np.mean([f1(truth[:, j], predicted[:, j]) for j in columns])) if columns else float("nan")


def calibration_error(truth: Labels, probabilities: Probabilities, *, floor: float = 0.1, bins: int = 10) -> float:
    """Return the expected calibration error over pairs with a probability from `floor` on, in bins of equal mass."""
    keep = probabilities >= floor
    p, t = probabilities[keep], truth[keep]
    if not len(p):
        return float("nan")
    parts = np.array_split(np.argsort(p, kind="stable"), min(bins, len(p)))
    return float(sum(len(part) * abs(p[part].mean() - t[part].mean()) for part in parts) / len(p))


def brier_skill(truth: Labels, probabilities: Probabilities) -> float:
    """Return 1 - Brier score / Brier score of the base rate: over 0 is better than always saying the share.

    References
    ----------
    Brier (1950), Monthly Weather Review 78(1), 1-3, doi:10.1175/1520-0493(1950)078<0001:VOFEIT>2.0.CO;2
    """
    base = float(truth.mean() * (1 - truth.mean())) if len(truth) else 0.0
    return 1 - float(((probabilities - truth) ** 2).mean()) / base if base else float("nan")

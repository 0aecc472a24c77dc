"""Linear models fitted jointly: one logistic regression per column, or one multinomial regression.

In: a block of features and targets. Out: weights as arrays, applied without scikit-learn. L2-penalised likelihood by
L-BFGS (scipy), all columns at once, so that twenty codes cost little more than one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from declinethemes.tag.features import Block

Array = NDArray[np.float32]
Scores = NDArray[np.float64]

STRENGTH = 3.0  # inverse of the L2 penalty
ITERATIONS = 80
ROWS = 4096
NEVER = -20.0  # the score of what was never seen


@dataclass(frozen=True, kw_only=True, eq=False)
class Linear:
    """Weights: ``weight`` (n_columns, n_dense), ``words`` (n_columns, n_terms), ``bias`` (n_columns,)."""

    weight: Array
    words: Array
    bias: Array

    def scores(self, block: Block) -> Scores:
        """Return the scores, shape (n_passages, n_columns)."""
        out: Scores = (block.words @ self.words.T).astype(np.float64) + self.bias
        for start in range(0, len(block), ROWS):  # a copy in double precision of a few rows at a time
            out[start : start + ROWS] += block.dense[start : start + ROWS].astype(np.float64) @ self.weight.T
        return out


def fit_linear(
    block: Block, targets: NDArray[np.bool_], *, vector_weight: float = 1.0, multinomial: bool = False
) -> Linear:
    """Fit all columns at once.

    Parameters
    ----------
    block : Block
        Features of n passages.
    targets : bool array (n_passages, n_columns)
        For a multinomial regression exactly one true column per row.
    vector_weight : float
        Of the vectors beside the words while fitting: the larger, the weaker the penalty on them.
    multinomial : bool
        One regression over all columns instead of one each.

    Returns
    -------
    Linear
        A column with one class only gets the score -20 (never) or 20.

    Notes
    -----
    Minimises the negative log likelihood plus ``|w|^2 / (2 STRENGTH)``, for the vectors ``|w / vector_weight|^2``; the
    bias is not penalised.
    """
    from scipy.optimize import minimize

    n, width = len(block), targets.shape[1]
    dense, terms, scale = block.dense, block.words.shape[1], np.float32(vector_weight)
    share = targets.mean(axis=0) if n else np.zeros(width)
    live = np.flatnonzero((share > 0) & (share < 1))
    out = Linear(
        weight=np.zeros((width, dense.shape[1]), np.float32),
        words=np.zeros((width, terms), np.float32),
        bias=np.where(share >= 1, -NEVER, NEVER).astype(np.float32) if n else np.full(width, NEVER, np.float32),
    )
    if not len(live):
        return out
    y = targets[:, live].astype(np.float32)
    turned = block.words.T.tocsr()
    shape = (dense.shape[1] + terms + 1, len(live))

    def loss(flat: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        w = flat.reshape(shape)
        top, low = w[: dense.shape[1]].astype(np.float32) * scale, w[dense.shape[1] : -1].astype(np.float32)
        z = dense @ top + block.words @ low + w[-1].astype(np.float32)
        if multinomial:
            z -= z.max(axis=1, keepdims=True)
            exp = np.exp(z)
            p = exp / exp.sum(axis=1, keepdims=True)
            value = float(np.log(exp.sum(axis=1)).sum(dtype=np.float64) - (z * y).sum(dtype=np.float64))
        else:
            p = 1 / (1 + np.exp(-np.clip(z, -60, 60)))
            value = float((np.logaddexp(0, z) - y * z).sum(dtype=np.float64))
        error = p - y
        gradient = np.vstack([dense.T @ error * scale, turned @ error, error.sum(axis=0, keepdims=True)]).astype(
            np.float64
        )
        gradient[:-1] += w[:-1] / STRENGTH
        return value + float((w[:-1] ** 2).sum()) / 2 / STRENGTH, gradient.ravel()

    start = np.zeros(shape)
    start[-1] = np.log(share[live]) - (0 if multinomial else np.log(1 - share[live]))
    found = minimize(loss, start.ravel(), jac=True, method="L-BFGS-B", options={"maxiter": ITERATIONS, "maxcor": 8})
    w = found.x.reshape(shape).astype(np.float32)
    out.weight[live] = w[: dense.shape[1]].T * scale
    out.words[live], out.bias[live] = w[dense.shape[1] : -1].T, w[-1]
    return out


def platt(scores: Scores, truth: NDArray[np.bool_]) -> tuple[float, float]:
    """Return slope and shift of Platt's scaling with his smoothed targets.

    With both classes present, two copies of every score carry the weights of the smoothed target.

    References
    ----------
    Platt (1999), Probabilistic outputs for support vector machines, in Advances in Large Margin Classifiers, MIT Press.
    """
    from sklearn.linear_model import LogisticRegression

    positives = int(truth.sum())
    if positives == 0 or positives == len(truth):
        return 1.0, 0.0
    high, low = (positives + 1) / (positives + 2), 1 / (len(truth) - positives + 2)
    target = np.where(truth, high, low)
    stacked = np.concatenate([scores, scores])[:, None]
    classes = np.concatenate([np.ones(len(scores)), np.zeros(len(scores))])
    model = LogisticRegression(C=1e6, max_iter=500).fit(
        stacked, classes, sample_weight=np.concatenate([target, 1 - target])
    )
    return max(float(model.coef_[0, 0]), 1e-3), float(model.intercept_[0])

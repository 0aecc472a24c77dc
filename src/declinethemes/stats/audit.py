"""What a reviewed sample says about findings made of model tags.

In: counts of tagged and of reviewed candidates. Out: corrected shares and their difference, or how wrong the tagger
would have to be. Drawing the sample is not done here. The intervals are for the process behind the candidates, not
only for this batch.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from declinethemes.errors import InputError
from declinethemes.stats.proportions import Floats, newcombe


@dataclass(frozen=True, kw_only=True, eq=False)
class Audit:
    """One side of an audited comparison: index 0 is "not tagged", index 1 "tagged".

    Parameters
    ----------
    candidates : array-like, shape (2,)
        All candidates of the side, by tag.
    reviewed, positive : array-like, shape (2,)
        Reviewed candidates, and those of them with the item, by tag. Effective (weighted) numbers where candidates
        were drawn with unequal probabilities.
    """

    candidates: ArrayLike
    reviewed: ArrayLike
    positive: ArrayLike


@dataclass(frozen=True, kw_only=True)
class AuditedDifference:
    """Corrected shares and their difference: point, 95 % and 90 % limits, two-sided p."""

    share: float
    share_low: float
    share_high: float
    rest_share: float
    difference: float
    low: float
    high: float
    low90: float
    high90: float
    p_value: float


def audited_difference(group: Audit, rest: Audit, *, draws: int = 20_000, random_state: int = 0) -> AuditedDifference:
    """Return the difference of two shares, corrected by a reviewed random sample of each side.

    Each side is post-stratified by its own tag: share = sum over tags of W * theta, with W and theta drawn from Beta
    posteriors (Jeffreys priors). Nothing is assumed to be equal between the sides, so a tagger that errs
    more on one side does no harm.

    Parameters
    ----------
    group, rest : Audit
        The two sides.
    draws : int
        Draws; the smallest p-value is 2 / (draws + 1).
    random_state : int
        Seed.

    Returns
    -------
    AuditedDifference
        Means and percentiles of the draws.

    Raises
    ------
    InputError
        More positive than reviewed, or more reviewed than there are candidates.

    References
    ----------
    Tenenbein (1970), doi:10.1080/01621459.1970.10481170; Fisch et al. (2024), arXiv:2406.04291
    """
    rng = np.random.default_rng(random_state)
    first, second = _draw(group, draws, rng), _draw(rest, draws, rng)
    gap = first - second
    low, low90, high90, high = np.quantile(gap, [0.025, 0.05, 0.95, 0.975])
    share_low, share_high = np.quantile(first, [0.025, 0.975])
    tail = min(int((gap <= 0).sum()), int((gap >= 0).sum()))
    return AuditedDifference(
        share=float(first.mean()),
        share_low=float(share_low),
        share_high=float(share_high),
        rest_share=float(second.mean()),
        difference=float(first.mean() - second.mean()),
        low=float(low),
        high=float(high),
        low90=float(low90),
        high90=float(high90),
        p_value=min(1.0, 2 * (tail + 1) / (draws + 1)),
    )


def effective_counts(weights: ArrayLike, positive: ArrayLike) -> tuple[float, float]:
    """Return the effective numbers reviewed and positive of a sample drawn with unequal probabilities.

    Parameters
    ----------
    weights : array-like, shape (n_reviewed,)
        1 / inclusion probability.
    positive : array-like of bool, shape (n_reviewed,)

    Returns
    -------
    reviewed, positive : float
        Kish's effective sample size, and that times the weighted (Hajek) share. With equal weights, the plain
        counts. An approximation that was not checked by simulation.
    """
    w, y = np.asarray(weights, dtype=float), np.asarray(positive, dtype=float)
    if not len(w):
        return 0.0, 0.0
    size = float(w.sum() ** 2 / (w**2).sum())
    return size, size * float((w * y).sum() / w.sum())


def rogan_gladen(apparent: ArrayLike, recall: ArrayLike, specificity: ArrayLike) -> Floats:
    """Return the share corrected for known recall and specificity, cut to 0..1 (a reference; findings use Beta).

    References
    ----------
    Rogan and Gladen (1978), doi:10.1093/oxfordjournals.aje.a112510
    """
    q, sensitivity, spec = (np.asarray(v, dtype=float) for v in (apparent, recall, specificity))
    return np.asarray(np.clip((q + spec - 1) / (sensitivity + spec - 1), 0.0, 1.0))


def tipping_recall(x1: int, n1: int, x2: int, n2: int, *, recall: float, level: float = 0.95) -> float:
    """Return the smallest difference in recall (group minus rest) that would bring the interval of the difference to 0.

    The rest is tagged with recall `recall`; the group's recall is moved until the Newcombe interval of the
    corrected shares touches 0. False positives are left out.

    Parameters
    ----------
    x1, n1, x2, n2 : int
        Tagged candidates and all candidates, of the group and of the rest.
    recall : float
        Recall of the tagger for the item, in (0, 1].
    level : float
        Level of the interval.

    Returns
    -------
    float
        Positive where the group would have to be tagged more completely than the rest. nan where the interval holds
        0 already, or where no recall up to 1 would do (recall alone cannot explain the difference).

    Raises
    ------
    InputError
        `recall` is not in (0, 1].
    """
    if not 0 < recall <= 1:
        raise InputError(f"the recall of a tagger lies above 0 and up to 1; found {recall!r}")
    if min(n1, n2) <= 0:
        return float("nan")
    rest = min(1.0, x2 / n2 / recall)
    apparent = x1 / n1
    start = min(1.0, apparent / recall)

    def limit(share: float, side: int) -> float:
        return float(newcombe(share * n1, n1, rest * n2, n2, level=level)[side])

    if limit(start, 0) > 0:
        side, inner, outer = 0, rest, start
    elif limit(start, 1) < 0:
        side, inner, outer = 1, rest, start
    else:
        return float("nan")
    for _ in range(60):
        middle = (inner + outer) / 2
        apart = limit(middle, side) > 0 if side == 0 else limit(middle, side) < 0
        inner, outer = (inner, middle) if apart else (middle, outer)
    share = (inner + outer) / 2
    needed = apparent / share if share > 0 else float("inf")
    return needed - recall if 0 < needed <= 1 else float("nan")


def _draw(side: Audit, draws: int, rng: np.random.Generator) -> Floats:
    candidates, reviewed, positive = (
        np.asarray(v, dtype=float) for v in (side.candidates, side.reviewed, side.positive)
    )
    slack = 1e-9
    if (positive > reviewed + slack).any() or (reviewed > candidates + slack).any():
        raise InputError(
            "an audit has positive <= reviewed <= candidates for each tag; "
            f"found {positive.tolist()}, {reviewed.tolist()}, {candidates.tolist()}"
        )
    tagged = rng.beta(candidates[1] + 0.5, candidates[0] + 0.5, draws)
    missing = np.maximum(reviewed - positive, 0)
    theta = rng.beta(positive + 0.5, missing + 0.5, (draws, 2))
    return np.asarray((1 - tagged) * theta[:, 0] + tagged * theta[:, 1])

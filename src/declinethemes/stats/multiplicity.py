"""Many comparisons at once: Benjamini-Hochberg and Westfall-Young.

In: p-values, or the candidates x items matrix with the group of each candidate. Out: adjusted p-values. Which
comparisons form a family is decided by the caller; it must hold every comparison made, those that are not shown too.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise
from math import comb

import numpy as np
from numpy.typing import ArrayLike, NDArray

from declinethemes.errors import InputError
from declinethemes.stats.proportions import ExactMethod, Floats, Ints, hypergeometric, point_probability_p
from declinethemes.stats.strata import conditional_distribution, conditional_variance

_CELLS = 8_000_000
_NORMAL_VARIANCE = 225.0


@dataclass(frozen=True, kw_only=True, eq=False)
class WestfallYoung:
    """P-values of a family, shape (n_levels, n_items), and how many labelings they rest on."""

    raw: Floats
    adjusted: Floats
    labelings: int
    complete: bool


def benjamini_hochberg(p: ArrayLike) -> Floats:
    """Return Benjamini-Hochberg adjusted p-values; missing ones (nan) stay missing and are not counted.

    Parameters
    ----------
    p : array-like
        P-values of one family, any shape.

    Returns
    -------
    array of the same shape

    References
    ----------
    Benjamini and Hochberg (1995), doi:10.1111/j.2517-6161.1995.tb02031.x

    Examples
    --------
    >>> benjamini_hochberg([0.01, 0.04, 0.03]).round(3).tolist()
    [0.03, 0.04, 0.04]
    """
    values = np.asarray(p, dtype=float)
    out = np.full(values.shape, np.nan)
    known = ~np.isnan(values)
    flat = values[known]
    if not len(flat):
        return out
    order = np.argsort(flat)[::-1]
    steps = len(flat) / np.arange(len(flat), 0, -1)
    adjusted = np.empty(len(flat))
    adjusted[order] = np.minimum(np.minimum.accumulate(flat[order] * steps), 1.0)
    out[known] = adjusted
    return out


def westfall_young(
    items: ArrayLike,
    groups: ArrayLike,
    *,
    levels: Sequence[int] = (1,),
    strata: ArrayLike | None = None,
    permutations: int = 9_999,
    method: ExactMethod = "midp",
    random_state: int = 0,
) -> WestfallYoung:
    """Return step-down min-P adjusted p-values of levels against the rest, over all items and levels together.

    Labels are permuted over whole candidates, so items keep their correlation. All margins stay fixed, so each
    p-value comes from a table that is made once for its item and level.

    Parameters
    ----------
    items : array-like of 0/1, shape (n_candidates, n_items)
        Who mentions what.
    groups : array-like of int, shape (n_candidates,)
        Level of each candidate; 0/1 for a single group against the rest.
    levels : sequence of int
        Levels that are tested, each against all other candidates.
    strata : array-like of int, shape (n_candidates,), optional
        Labels are permuted within strata only, and p-values are conditional on the strata (Cochran-Mantel-Haenszel,
        exact; normal where the variance of the count is above 225).
    permutations : int
        Labelings drawn; with two groups, no strata and no more possible labelings than this, all are listed instead.
    method : {"midp", "fisher"}
        Exact test for the single p-values.
    random_state : int
        Seed.

    Returns
    -------
    WestfallYoung
        `adjusted` is (b + 1) / (B + 1) over B drawn labelings, or the plain share of all labelings.

    Raises
    ------
    InputError
        Shapes do not fit.

    References
    ----------
    Westfall and Young (1993), Resampling-Based Multiple Testing, algorithm 2.8; Phipson and Smyth (2010),
    doi:10.2202/1544-6115.1585
    """
    x = np.asarray(items, dtype=np.float32)
    labels = np.asarray(groups, dtype=np.int64)
    stratum = np.zeros(len(labels), dtype=np.int64) if strata is None else np.asarray(strata, dtype=np.int64)
    if x.ndim != 2 or labels.shape != x.shape[:1] or stratum.shape != labels.shape:
        raise InputError(f"one label per row of items is needed; found {labels.shape}, {stratum.shape} and {x.shape}")
    order = np.argsort(stratum, kind="stable")
    x, labels, stratum = np.ascontiguousarray(x[order]), labels[order], stratum[order]
    look_up = _LookUp.build(x, labels, stratum, levels, method)
    raw = look_up.p(_counts(labels[None, :], x, levels))[0]
    ranks = np.argsort(raw, kind="stable")
    limit = raw[ranks] * (1 + 1e-9)
    distinct = np.unique(labels)
    complete = (
        strata is None and len(distinct) == 2 and comb(len(labels), int((labels == distinct[1]).sum())) <= permutations
    )
    blocks = _all_labelings(labels, distinct) if complete else _drawn(labels, stratum, permutations, random_state)
    hits, total = np.zeros(len(raw), dtype=np.int64), 0
    for block in blocks:
        p = look_up.p(_counts(block, x, levels))[:, ranks]
        hits += (np.minimum.accumulate(p[:, ::-1], axis=1)[:, ::-1] <= limit).sum(axis=0)
        total += len(block)
    adjusted = np.empty(len(raw))
    adjusted[ranks] = np.maximum.accumulate(hits / total if complete else (hits + 1) / (total + 1))
    shape = (len(levels), x.shape[1])
    return WestfallYoung(raw=raw.reshape(shape), adjusted=adjusted.reshape(shape), labelings=total, complete=complete)


@dataclass(frozen=True, kw_only=True, eq=False)
class _LookUp:
    """P-values by count, one table per level and item, laid end to end."""

    values: Floats
    start: Ints
    first: Ints
    last: Ints

    @classmethod
    def build(
        cls, x: NDArray[np.float32], labels: Ints, stratum: Ints, levels: Sequence[int], method: ExactMethod
    ) -> _LookUp:
        codes = np.unique(stratum)
        inside = np.stack([stratum == code for code in codes]).astype(float)
        with_item, size = inside @ x.astype(float), inside.sum(axis=1)
        parts: list[Floats] = []
        first: list[int] = []
        known: dict[tuple[int, ...], int] = {}
        which: list[int] = []
        for level in levels:
            group = (inside @ (labels == level)).astype(np.int64)
            for column in with_item.T:
                m = np.rint(column).astype(np.int64)
                key = (*group.tolist(), *m.tolist())
                if key not in known:
                    known[key] = len(parts)
                    start, p = _p_by_count(group, size.astype(np.int64), m, method)
                    parts.append(p)
                    first.append(start)
                which.append(known[key])
        lengths = np.array([len(part) for part in parts], dtype=np.int64)
        offsets = np.concatenate([[0], np.cumsum(lengths)[:-1]])
        return cls(
            values=np.concatenate(parts),
            start=offsets[which],
            first=np.array(first, dtype=np.int64)[which],
            last=lengths[which] - 1,
        )

    def p(self, counts: Ints) -> Floats:
        """P-values of counts, shape (n_labelings, n_levels * n_items)."""
        return np.asarray(self.values[self.start + np.clip(counts - self.first, 0, self.last)])


def _p_by_count(group: Ints, size: Ints, m: Ints, method: ExactMethod) -> tuple[int, Floats]:
    """First count, and the p-values from it on, of one level and item; the arguments have one entry per stratum."""
    if len(group) == 1:
        first, pmf = hypergeometric(int(group[0]), int(size[0] - group[0]), int(m[0]))
        return first, point_probability_p(pmf, method=method)
    # Any table with these margins will do: only the margins matter.
    a = np.minimum(group, m)
    tables = np.stack([a, group - a, m - a, size - group - m + a], axis=-1).reshape(-1, 2, 2)
    variance = float(conditional_variance(tables))
    if variance <= _NORMAL_VARIANCE:
        first, pmf = conditional_distribution(tables)
        return first, point_probability_p(pmf, method=method)
    from scipy.special import chdtrc

    low, high = int(np.maximum(0, m - (size - group)).sum()), int(a.sum())
    count = np.arange(low, high + 1)
    mean = float((group * m / size).sum())
    return low, np.maximum(np.asarray(chdtrc(1, (count - mean) ** 2 / variance)), np.nextafter(0, 1))


def _counts(labels: Ints, x: NDArray[np.float32], levels: Sequence[int]) -> Ints:
    """Candidates of each level with each item, shape (n_labelings, n_levels * n_items)."""
    parts = [(labels == level).astype(np.float32) @ x for level in levels]
    return np.asarray(np.rint(np.concatenate(parts, axis=1)), dtype=np.int64)


def _drawn(labels: Ints, stratum: Ints, permutations: int, random_state: int) -> Iterator[Ints]:
    rng = np.random.default_rng(random_state)
    small = labels.astype(np.int16 if labels.max(initial=0) < 2**15 else np.int64)
    edges = np.flatnonzero(np.diff(stratum, prepend=stratum[:1] - 1, append=stratum[-1:] + 1))
    step = max(1, _CELLS // max(1, len(labels)))
    for begin in range(0, permutations, step):
        block = np.repeat(small[None, :], min(step, permutations - begin), axis=0)
        for low, high in pairwise(edges):
            if high - low > 1:
                block[:, low:high] = rng.permuted(block[:, low:high], axis=1)
        yield block


def _all_labelings(labels: Ints, distinct: Ints) -> Iterator[Ints]:
    chosen = np.array(list(combinations(range(len(labels)), int((labels == distinct[1]).sum()))), dtype=np.int64)
    block = np.full((len(chosen), len(labels)), distinct[0], dtype=np.int64)
    np.put_along_axis(block, chosen, distinct[1], axis=1)
    yield block

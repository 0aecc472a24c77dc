"""How well each theme holds when the people who spoke had been others; and the groups that do.

In: vectors, texts, and whose texts they are. Out: a number per theme, or groups with their numbers. Voices are drawn
again with replacement and themes are sought anew; stable is what is found again. Stability is not validity: a theme may
be found every time and mean nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from declinethemes.themes.discover import Array, Labels, by_size, gather, group, hashed, merge_small, principal

ROUNDS = 100
HOLDS = 0.60  # mean Jaccard under which a theme is only tentative
SAMPLE = 1_000  # distinct texts that are grouped again and again
CUTS = 10  # numbers of groups that are tried, from two to one per TEXTS_EACH texts
TEXTS_EACH, MIN_DRAWN = 8, 2
CERTAIN = 0.95
N_CLOUDS, MORE = 5, 0.05  # sets of points without groups, and by how much a group must hold better than theirs
LARGEST = 1 / 2  # share of the texts above which a group is no pattern among them


def stability(
    vectors: Array,
    texts: Sequence[str],
    labels: Labels,
    voices: Sequence[str],
    *,
    min_size: int,
    rounds: int = ROUNDS,
    random_state: int = 0,
) -> NDArray[np.float64]:
    """Return the mean Jaccard similarity of each theme with the most like theme of resampled voices.

    Parameters
    ----------
    vectors : array (n_texts, n_dimensions)
        Unit rows.
    texts : sequence of str, length n_texts
    labels : int array (n_texts,)
        What `group` gave; -1 for texts in no theme.
    voices : sequence of str, length n_texts
        Whose text it is: all texts of a voice are drawn together.
    min_size : int
        As given to `group`.
    rounds : int
        Resamples.
    random_state : int
        Seed of the draws.

    Returns
    -------
    array (n_themes,)
        0..1 for theme 0, 1, ...: under .6 do not trust it, from .75 on it is there (Hennig's reading). A theme that
        nobody in a resample speaks of counts 0 there, so what hangs on one voice is at most .63.

    References
    ----------
    Hennig, C. (2007), Cluster-wise assessment of cluster stability, doi:10.1016/j.csda.2006.11.025.
    """
    total = np.zeros(int(labels.max()) + 1)
    for rows in _resamples(voices, rounds, random_state):
        found = group(vectors[rows], [texts[row] for row in rows], min_size=min_size)
        drawn, first = np.unique(rows, return_index=True)
        before, after = labels[drawn], found[first]
        for theme in np.unique(before[before >= 0]):
            mine = before == theme
            others = np.unique(after[mine & (after >= 0)])
            like = [(mine & (after == other)).sum() / (mine | (after == other)).sum() for other in others]
            total[theme] += max(like, default=0.0)
    mean: NDArray[np.float64] = total / rounds
    return mean


def steady(
    vectors: Array,
    texts: Sequence[str],
    voices: Sequence[str],
    *,
    min_size: int,
    least: float = HOLDS,
    rounds: int = ROUNDS // 2,
    random_state: int = 0,
) -> tuple[Labels, NDArray[np.float64]]:
    """Find the groups of texts that are found again with other voices; the other texts stay ungrouped.

    `group` puts every text of a mixed lot somewhere. Here texts are of one subject and mostly of a cloud, with denser
    places in it. Ward's tree is cut into two groups and more; voices are drawn again and a new tree is cut into as
    many. A group holds if its mean Jaccard similarity is `least` or more, and .05 more than that of any group in five
    clouds with the same spread, cut into as many (.95 is always enough). The cut with most texts in groups that hold is
    taken.

    Parameters
    ----------
    vectors : array (n_texts, n_dimensions)
        Unit rows. Of more than 1,000 distinct texts a fixed sample is looked at, the others stay ungrouped.
    texts, voices : sequences of str, length n_texts
        Equal texts get equal labels; all texts of a voice are drawn together.
    min_size : int
        Smaller groups join the nearest larger one.
    least : float
        Mean Jaccard similarity that a group needs.
    rounds : int
        Resamples; a fifth as many of each cloud.
    random_state : int
        Seed of the draws.

    Returns
    -------
    int array (n_texts,), array (n_groups,)
        Labels 0, 1, ... by falling size, -1 for the others; the mean Jaccard similarity of each group. It is the best
        of several, so a little too high.

    References
    ----------
    Hennig, C. (2007), Cluster-wise assessment of cluster stability, doi:10.1016/j.csda.2006.11.025. Reference sets as
    in Tibshirani, R. et al. (2001), doi:10.1111/1467-9868.00293.
    """
    from threadpoolctl import threadpool_limits

    distinct, first, where = np.unique(keys := hashed(texts), return_index=True, return_inverse=True)
    inside = np.flatnonzero(where < SAMPLE)
    labels = np.full(len(distinct), -1, dtype=np.int64)
    if len(distinct) <= 2 * min_size:
        return labels[where], np.zeros(0)
    seeds = np.random.SeedSequence(random_state).spawn(N_CLOUDS + 1)
    said = where[inside], np.asarray(voices, dtype=str)[inside]
    with threadpool_limits(limits=1):
        points = principal(vectors[first[:SAMPLE]])
        holds, cuts = _found_again(points, *said, min_size, rounds, seeds[0])
        needed = dict.fromkeys(holds, least)
        for seed in seeds[1:]:
            clouds, _ = _found_again(_cloud(points, seed), *said, min_size, rounds // N_CLOUDS, seed)
            needed |= {
                k: max(needed[k], min(CERTAIN, alike.max() + MORE)) for k, alike in clouds.items() if k in needed
            }
    good = {
        k: [g for g, n in enumerate(np.bincount(cuts[k])) if holds[k][g] > needed[k] and n <= len(points) * LARGEST]
        for k in holds
    }
    best = max(good, key=lambda k: (int(np.isin(cuts[k], good[k]).sum()), -k), default=0)
    for group_no in good.get(best, []):
        labels[: len(points)][cuts[best] == group_no] = group_no
    named = by_size(labels[where], keys)
    order = [int(labels[where][np.flatnonzero(named == name)[0]]) for name in range(int(named.max()) + 1)]
    return named, holds[best][order] if order else np.zeros(0)


def _found_again(
    points: NDArray[np.float64],
    texts: NDArray[np.int64],
    voices: NDArray[np.str_],
    min_size: int,
    rounds: int,
    seed: np.random.SeedSequence,
) -> tuple[dict[int, NDArray[np.float64]], dict[int, Labels]]:
    """Return for each number of groups the mean Jaccard similarity of each group, and the groups.

    Parameters
    ----------
    points : array (n_points, n_dimensions)
    texts : int array (n_texts,)
        Row of `points` of each text.
    voices : array (n_texts,)
    """
    most = max(2, len(points) // TEXTS_EACH)
    numbers = sorted({round(k) for k in np.geomspace(2, most, num=CUTS).tolist()})
    whole = {k: labels for k, labels in _cuts(points, numbers, min_size).items() if labels.max() > 0}
    total = {k: np.zeros(int(labels.max()) + 1) for k, labels in whole.items()}
    for drawn in _resamples(voices, rounds, seed):
        rows = np.unique(texts[drawn])
        if len(rows) > 2 * MIN_DRAWN:
            size = max(MIN_DRAWN, round(min_size * len(rows) / len(points)))
            for k, after in _cuts(points[rows], list(whole), size).items():
                total[k] += _jaccard(whole[k][rows], after, len(total[k]))
    return {k: sums / rounds for k, sums in total.items()}, whole


def _cloud(points: NDArray[np.float64], seed: np.random.SeedSequence) -> NDArray[np.float64]:
    """Return as many points of unit length with the same means and spreads, drawn from one normal distribution."""
    drawn = np.random.default_rng(seed).normal(points.mean(axis=0), points.std(axis=0), size=points.shape)
    out: NDArray[np.float64] = drawn / np.linalg.norm(drawn, axis=1, keepdims=True)
    return out


def _resamples(
    voices: Sequence[str] | NDArray[np.str_], rounds: int, random_state: int | np.random.SeedSequence
) -> Iterator[NDArray[np.int64]]:
    """Yield the rows of voices drawn with replacement, as often as voices were drawn."""
    names, whose = np.unique(np.asarray(voices, dtype=str), return_inverse=True)
    rows_of = [np.flatnonzero(whose == number) for number in range(len(names))]
    rng = np.random.default_rng(random_state)
    for _ in range(rounds):
        yield np.concatenate([rows_of[number] for number in rng.integers(0, len(names), len(names))])


def _cuts(points: NDArray[np.float64], numbers: Sequence[int], min_size: int) -> dict[int, Labels]:
    """Return Ward's tree cut into each number of groups, labels from 0 up without gaps."""
    from scipy.cluster.hierarchy import fcluster, linkage

    tree = linkage(gather(points), method="ward")
    out = {}
    for k in numbers:
        labels = merge_small(points, fcluster(tree, k, criterion="maxclust").astype(np.int64), min_size)
        out[k] = np.unique(labels, return_inverse=True)[1].astype(np.int64)
    return out


def _jaccard(before: Labels, after: Labels, n: int) -> NDArray[np.float64]:
    """Return for each of n groups the Jaccard similarity with the most like group after; 0 for groups not there."""
    table = np.zeros((n, int(after.max()) + 1))
    np.add.at(table, (before, after), 1)
    either = table.sum(axis=1, keepdims=True) + table.sum(axis=0, keepdims=True) - table
    most: NDArray[np.float64] = (table / np.maximum(either, 1)).max(axis=1)
    return most

"""How well each theme holds when the people who spoke had been others.

In: vectors, texts, the themes found in them, and whose texts they are. Out: a number per theme. Voices are drawn again
with replacement and themes are sought anew; stable is what is found again. Stability is not validity: a theme may be
found every time and mean nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from declinethemes.themes.discover import Array, Labels, group

ROUNDS = 100


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
    names, whose = np.unique(np.asarray(voices, dtype=str), return_inverse=True)
    rows_of = [np.flatnonzero(whose == number) for number in range(len(names))]
    total = np.zeros(int(labels.max()) + 1)
    rng = np.random.default_rng(random_state)
    for _ in range(rounds):
        rows = np.concatenate([rows_of[number] for number in rng.integers(0, len(names), len(names))])
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

"""Group texts by meaning; the number of groups is found, and the order of the rows does not matter.

In: unit vectors and the texts they came from. Out: a label per text, -1 for those that fit nowhere. Every distinct text
is first moved to the mean of its nearest neighbours, which closes the gaps within a theme and opens those between
themes; groups are Ward's (1963) over these, in an order of their own; the cut with the best mean silhouette (Rousseeuw
1987) is taken. Above 5,000 distinct texts a fixed sample is grouped and the others join the nearest group.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from declinethemes.encode import nameless
from declinethemes.errors import InputError

MIN_TEXTS = 20
SAMPLE = 5_000
COMPONENTS = 50
# Neighbours that a text is averaged with (of few texts, one in SHARE), and how often. Chosen on draws from the training
# halves of Banking77 and CLINC150 (5 to 150 intents): adjusted Rand index .29 to .54 and .61 to .75 on the large draws.
NEIGHBOURS, SHARE, ROUNDS = 20, 12, 2
ROWS = 500
BLOCK = 10_000
LOOSE = 0.15  # cosine to the group's centre under which a text fits nowhere, for the loosest tenth at most
MAX_LOOSE = 0.10

Array = NDArray[np.float32]
Labels = NDArray[np.int64]


def group(vectors: Array, texts: Sequence[str], *, min_size: int = 3) -> Labels:
    """Group texts by meaning.

    Parameters
    ----------
    vectors : array (n_texts, n_dimensions)
        Unit rows.
    texts : sequence of str, length n_texts
        Equal texts get equal labels.
    min_size : int
        Smaller groups join the nearest larger one.

    Returns
    -------
    int array (n_texts,)
        Labels 0, 1, ... by falling size; -1 for at most a tenth of the distinct texts.

    Raises
    ------
    InputError
        There are fewer than 20 texts, or the numbers of vectors and texts differ.

    References
    ----------
    Ward, J. H. (1963), doi:10.1080/01621459.1963.10500845. Rousseeuw, P. J. (1987), doi:10.1016/0377-0427(87)90125-7.
    """
    from threadpoolctl import threadpool_limits

    if len(vectors) != len(texts):
        raise InputError(f"{len(texts)} texts and {len(vectors)} vectors: there must be one vector per text")
    if len(texts) < MIN_TEXTS:
        raise InputError(
            f"themes need at least {MIN_TEXTS} texts; there are {len(texts)}. "
            "Read more documents, or count codes instead."
        )
    if not np.isfinite(vectors).all():
        raise InputError("the vectors hold NaN or infinite numbers; encode the texts again")
    keys = hashed(texts)
    distinct, first, where = np.unique(keys, return_index=True, return_inverse=True)
    points = vectors[first]
    with threadpool_limits(limits=1):
        reduced = principal(points)
        core = slice(0, SAMPLE)
        labels = _cut(gather(reduced[core]), min_size) if len(distinct) > 2 else np.zeros(len(distinct), dtype=np.int64)
        if len(distinct) > SAMPLE:
            labels = nearest(reduced, _centres(reduced[core], labels))
        labels = merge_small(reduced, labels, min_size)
        labels = loosen(points, labels)
    return by_size(labels[where], keys)


def hashed(texts: Sequence[str]) -> NDArray[np.str_]:
    """Return a key for each text: an order of their own, whatever the order they came in and whatever pseudonyms."""
    plain = (nameless(text).encode("utf-8", "replace") for text in texts)
    return np.array([hashlib.blake2b(text, digest_size=16).hexdigest() for text in plain])


def principal(points: Array) -> NDArray[np.float64]:
    """Return the leading principal components, of unit length again.

    Sums are made in double precision from blocks of rows: a copy of a million vectors would be three gigabytes.
    """
    blocks = range(0, len(points), BLOCK)
    mean = sum(points[start : start + BLOCK].sum(axis=0, dtype=np.float64) for start in blocks) / len(points)
    covariance = np.zeros((points.shape[1], points.shape[1]))
    for start in blocks:
        centred = points[start : start + BLOCK] - mean
        covariance += centred.T @ centred
    values, axes = np.linalg.eigh(covariance)
    keep = min(COMPONENTS, len(points) - 1, int((values > 1e-9).sum()))
    if keep < 1:
        return np.ones((len(points), 1))
    axes = axes[:, ::-1][:, :keep]
    reduced = np.concatenate([(points[start : start + BLOCK] - mean) @ axes for start in blocks])
    lengths = np.linalg.norm(reduced, axis=1, keepdims=True)
    out: NDArray[np.float64] = reduced / np.where(lengths > 0, lengths, 1)
    return out


def gather(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Move each point to the mean of itself and its nearest neighbours, weighted by closeness, in some rounds.

    Neighbours are those of either side, so a point far from all others is still drawn to somebody. This is a mean-shift
    on the graph of nearest neighbours: Fukunaga and Hostetler (1975), doi:10.1109/TIT.1975.1055330.
    """
    from scipy.sparse import csr_array, diags_array

    n = len(points)
    k = min(NEIGHBOURS, max(4, n // SHARE), n - 1)
    near, weights = [], []
    for start in range(0, n, ROWS):  # a few rows at a time: the whole matrix would be hundreds of megabytes
        far = -(points[start : start + ROWS] @ points.T)
        far[np.arange(len(far)), np.arange(start, start + len(far))] = np.inf
        near.append(np.argpartition(far, k - 1, axis=1)[:, :k])
        weights.append(np.maximum(-np.take_along_axis(far, near[-1], axis=1), 0))
    ends = (np.repeat(np.arange(n), k), np.concatenate(near).ravel())
    graph = csr_array((np.concatenate(weights).ravel(), ends), shape=(n, n))
    graph = (graph + graph.T) / 2
    graph = graph + diags_array(np.maximum(graph.max(axis=1).toarray().ravel(), 1e-9))  # itself like its closest
    graph = diags_array(1 / graph.sum(axis=1)) @ graph
    for _ in range(ROUNDS):
        points = graph @ points
        lengths = np.linalg.norm(points, axis=1, keepdims=True)
        points = points / np.where(lengths > 0, lengths, 1)
    return points


def _cut(points: NDArray[np.float64], min_size: int) -> Labels:
    """Return Ward's tree cut where the mean silhouette is best."""
    from scipy.cluster.hierarchy import fcluster, linkage
    from scipy.spatial.distance import pdist, squareform
    from sklearn.metrics import silhouette_score

    if np.allclose(points, points[0]):
        return np.zeros(len(points), dtype=np.int64)
    tree = linkage(points, method="ward")
    distances = squareform(pdist(points).astype(np.float32))
    most = max(2, len(points) // max(2 * min_size, 6))
    sizes = np.unique(np.geomspace(2, most, num=24).round().astype(int))
    best, best_score = np.zeros(len(points), dtype=np.int64), -np.inf
    for k in sizes:
        labels = fcluster(tree, k, criterion="maxclust").astype(np.int64) - 1
        if 1 < len(np.unique(labels)) < len(points):
            score = silhouette_score(distances, labels, metric="precomputed")
            if score > best_score + 1e-9:
                best, best_score = labels, score
    return best


def _centres(points: NDArray[np.float64], labels: Labels) -> NDArray[np.float64]:
    return np.stack([points[labels == label].mean(axis=0) for label in np.unique(labels)])


def nearest(points: NDArray[np.float64], centres: NDArray[np.float64]) -> Labels:
    """Return the nearest centre of each point, in blocks of rows."""
    half = 0.5 * (centres**2).sum(axis=1)
    parts = [
        (points[start : start + BLOCK] @ centres.T - half).argmax(axis=1) for start in range(0, len(points), BLOCK)
    ]
    return np.concatenate(parts).astype(np.int64)


def merge_small(points: NDArray[np.float64], labels: Labels, min_size: int) -> Labels:
    """Give the members of groups under the least size to the nearest large group."""
    names, where, sizes = np.unique(labels, return_inverse=True, return_counts=True)
    large = np.flatnonzero(sizes >= min_size)
    if len(large) == 0 or len(large) == len(names):
        return labels
    sums = np.zeros((len(names), points.shape[1]))
    np.add.at(sums, where, points)
    small = ~np.isin(where, large)
    out = labels.copy()
    out[small] = names[large[nearest(points[small], sums[large] / sizes[large, None])]]
    return out


def loosen(points: Array, labels: Labels) -> Labels:
    """Set texts far from their group's centre to -1, the farthest first, a tenth of the distinct texts at most."""
    closeness = np.zeros(len(points))
    for name in np.unique(labels):
        mine = points[labels == name].astype(np.float64)
        centre = mine.mean(axis=0)
        closeness[labels == name] = mine @ (centre / (np.linalg.norm(centre) or 1))
    order = np.argsort(closeness, kind="stable")
    far = order[: int(MAX_LOOSE * len(points))]
    out = labels.copy()
    out[far[closeness[far] < LOOSE]] = -1
    return out


def by_size(labels: Labels, keys: NDArray[np.str_]) -> Labels:
    """Rename groups 0, 1, ... by falling size, ties by the smallest key."""
    names = [name for name in np.unique(labels) if name >= 0]
    names.sort(key=lambda name: (-int((labels == name).sum()), min(keys[labels == name].tolist())))
    rename = {name: i for i, name in enumerate(names)} | {-1: -1}
    return np.array([rename[label] for label in labels], dtype=np.int64)

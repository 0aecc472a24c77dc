"""What a cross-tabulation was asked for; counting by code and seeds by name, which all its parts need."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from zlib import crc32

import numpy as np

from declinethemes.findings.inputs import Flags, Ints

Notes = list[list[list[str]]]


@dataclass(frozen=True, kw_only=True, eq=False)
class Options:
    """The arguments of `crosstab`, checked; `strata` holds a code per candidate."""

    stance: str
    among: str | None
    margin: float
    alpha: float
    min_n: int
    permutations: int
    random_state: int
    sensitive: frozenset[str]
    recall: Mapping[str, float]
    adjust_name: str
    strata: Ints | None


def totals(codes: Ints, size: int, matrix: Flags) -> Ints:
    """Column sums of a 0/1 matrix by code, shape (size, n_items)."""
    from scipy.sparse import csr_array

    rows = csr_array((np.ones(len(codes), dtype=np.int64), (codes, np.arange(len(codes)))), shape=(size, len(codes)))
    return np.asarray(rows @ matrix.astype(np.int32), dtype=np.int64)


def derived_seed(options: Options, name: str) -> int:
    """Derive a seed from the run's and a name, so that neither the order nor the number of segments matters."""
    return int(np.random.SeedSequence([options.random_state, crc32(name.encode())]).generate_state(1)[0])

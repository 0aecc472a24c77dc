"""The linear program of an audit: what the totals shown leave possible.

In: a population, totals, groups. Out: solutions, each a possible distribution of candidates and mentions over the
cells, in which the counts of one group are as large or as small as they can be. What is too close is judged in `audit`.

Cells that no total tells apart are pooled, which leaves the bounds as they are: in a solution, all people of a pool may
be in a group that only touches it, or none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from declinethemes.disclosure.population import Flags, Floats, Ints, Population
from declinethemes.disclosure.solver import Solver
from declinethemes.errors import DisclosureError

NEAR = 1e-6
Row = tuple[int, int | None]
"""A total shown: its mask, and the item; None for the number of candidates."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Totals:
    """Totals that were shown, and what else is known.

    Parameters
    ----------
    masks : array of bool, shape (n_totals, n_cells)
        The cells that each adds up.
    state : array of int, shape (n_cells,)
        What blocks have in common, as finely as any table tells it apart.
    shown : array of bool, shape (n_totals, 1 + n_items)
        Whether the number of candidates was shown, and for which items that of mentions.
    listed : array of bool, shape (n_listed, n_cells)
        Levels that are known to have at least one candidate.
    parts : mapping of item to items
        Places of the items that an item is made of: who mentions one of them mentions it.
    whole : set of int
        Of these, the items that nobody mentions without one of their parts.
    """

    masks: Flags
    state: Ints
    shown: Flags
    listed: Flags
    parts: Mapping[int, Sequence[int]] = field(default_factory=dict)
    whole: frozenset[int] = frozenset()

    def families(self) -> list[list[int]]:
        """Return all items, those together that are part of one another."""
        found = [{item} for item in range(self.shown.shape[1] - 1)]
        for item, parts in self.parts.items():
            one = {item, *parts}
            met = [family for family in found if family & one]
            found = [family for family in found if not family & one] + [one.union(*met)]
        return [sorted(family) for family in found]

    def active(self) -> Flags:
        """Return the items that something is known of: those shown, and what they are part of or made of."""
        known = np.asarray(self.shown[:, 1:].any(axis=0), dtype=bool)
        for family in self.families():
            known[family] = known[family].any()
        return known


@dataclass(frozen=True, kw_only=True, eq=False)
class Solution:
    """Candidates and mentions per pool, and the totals that keep the count that was asked for from going further."""

    n: Floats
    said: Floats
    binding: frozenset[Row] = frozenset()


class Pools:
    """The cells, those together that no total tells apart.

    Parameters
    ----------
    population : Population
    totals : Totals
    groups : array of bool, shape (n_groups, n_cells)
    """

    def __init__(self, population: Population, totals: Totals, groups: Flags) -> None:
        self.rows = np.flatnonzero(totals.shown[:, 0])
        marks = np.vstack([population.block, totals.state, totals.masks[self.rows], totals.listed])
        kinds, pool = np.unique(marks, axis=1, return_inverse=True)
        join = np.zeros((len(pool), kinds.shape[1]))
        join[np.arange(len(pool)), pool.ravel()] = 1.0
        self.totals, self.size, self.most = totals, kinds.shape[1], 10.0 * population.n.sum() + 100
        self.touches = np.asarray(groups @ join > 0, dtype=float)
        self.inside = np.asarray(~groups @ join == 0, dtype=float)
        self.active = totals.active()
        self.items = np.flatnonzero(self.active).tolist()
        self.truth = Solution(n=join.T @ population.n, said=np.where(self.active, join.T @ population.said, 0.0))
        self.sums = kinds[2 : 2 + len(self.rows)].astype(float)
        self.listed = kinds[2 + len(self.rows) :].astype(float)
        self.links = _links(kinds[0], kinds[1])

    def spread(self, solution: Solution, group: int | None = None) -> tuple[Floats, Floats]:
        """Return the least and the most that a solution allows of every count, shape (n_groups, 1 + 2 n_items).

        Of an item of which nothing is known, nobody or everybody may speak.
        """
        chosen = slice(None) if group is None else slice(group, group + 1)
        out = []
        for matrix, idle in ((self.inside[chosen], 0.0), (self.touches[chosen], 1.0)):
            size = matrix @ solution.n
            mention, other = matrix @ solution.said, matrix @ (solution.n[:, None] - solution.said)
            mention[:, ~self.active] = other[:, ~self.active] = (idle * size)[:, None]
            out.append(np.hstack([size[:, None], mention, other]))
        return out[0], out[1]


class Program:
    """The linear program over pools; solved for one group at a time.

    The unknowns are the candidates of each pool, then those who mention each item.

    Parameters
    ----------
    pools : Pools
    items : sequence of int
        The items looked at; of the others nothing is known.
    still : bool
        Leave all candidates where they are and move mentions only: a smaller program, with fewer solutions.
    """

    def __init__(self, pools: Pools, items: Sequence[int], *, still: bool = False) -> None:
        from scipy import sparse

        self.pools, self.still = pools, still
        self.items = [item for item in items if pools.active[item]]
        equal, right, rows = [], [], []
        for item in self.items if still else (None, *self.items):
            mine = pools.totals.shown[pools.rows, 0 if item is None else 1 + item]
            truth = pools.truth.n if item is None else pools.truth.said[:, item]
            equal.append(sparse.csr_array(np.vstack([pools.sums[mine], pools.links])))
            right.append(np.concatenate([pools.sums[mine] @ truth, np.zeros(len(pools.links))]))
            rows += [(int(row), item) for row in pools.rows[mine]] + [None] * len(pools.links)
        self._rows: list[Row | None] = rows
        together = sparse.block_diag(equal, format="csr")
        under, limit = self._inequalities()
        most = np.tile(pools.truth.n, len(self.items)) if still else np.full(together.shape[1], pools.most)
        self._solver = Solver(together, np.concatenate(right), under, limit, most)

    def _inequalities(self) -> tuple[Any, Floats]:
        """Return what is known to be no more than what: mentions than candidates, a part than its whole."""
        from scipy import sparse

        pools, first = self.pools, 0 if self.still else 1
        place = {item: first + number for number, item in enumerate(self.items)}
        known = [] if self.still else [{now: 1.0, 0: -1.0} for now in place.values()]
        for item, parts in pools.totals.parts.items():
            if item in place:
                known += [{place[part]: 1.0, place[item]: -1.0} for part in parts]
                if item in pools.totals.whole:
                    known.append({place[item]: 1.0} | {place[part]: -1.0 for part in parts})
        weights = np.zeros((len(known), first + len(self.items)))
        for row, entries in enumerate(known):
            weights[row, list(entries)] = list(entries.values())
        under = sparse.kron(sparse.csr_array(weights), sparse.eye_array(pools.size), format="csr")
        if self.still:
            return under, np.zeros(under.shape[0])
        filled = np.hstack([-pools.listed, np.zeros((len(pools.listed), pools.size * len(self.items)))])
        limit = np.concatenate([np.zeros(under.shape[0]), -np.ones(len(filled))])
        return sparse.vstack([under, sparse.csr_array(filled)], format="csr"), limit

    def solve(self, group: int, wanted: Flags, *, sign: int, others: bool = False) -> Solution:
        """Make the counts of a group that are wanted as large (`sign` -1) or small (1) as the totals allow.

        With `others` those who do not mention the items are counted before those who do.
        """
        pools = self.pools
        found = self._solver.minimise(sign * self._cost(group, wanted, sign, others=others))
        if found is None:  # the truth is a solution: only numerical trouble ends here
            raise DisclosureError("the audit of the release could not be solved; name fewer columns")
        values = found[0].reshape(-1, pools.size)
        said = np.zeros_like(pools.truth.said)
        said[:, self.items] = values[0 if self.still else 1 :].T
        held = np.flatnonzero(np.abs(found[1]) > NEAR)
        binding = frozenset(row for row in (self._rows[place] for place in held) if row is not None)
        return Solution(n=pools.truth.n if self.still else values[0], said=said, binding=binding)

    def _cost(self, group: int, wanted: Flags, sign: int, *, others: bool) -> Floats:
        """Return the sum of the counts that are wanted; of an item of which nothing is known, the group's size."""
        pools = self.pools
        reach = pools.touches[group] if sign < 0 else pools.inside[group]
        mention, other = wanted[1 : 1 + len(pools.active)], wanted[1 + len(pools.active) :]
        size = wanted[0] or bool(((mention | other) & ~pools.active).any())
        cost = np.zeros((1 + len(self.items), pools.size))
        cost[0] = reach * size
        for place, item in enumerate(self.items, start=1):
            if other[item] and (others or not mention[item]):
                cost[0] += reach
                cost[place] -= reach
            elif mention[item]:
                cost[place] += reach
        return np.asarray(cost[1:] if self.still else cost, dtype=float).ravel()


def _links(block: Ints, state: Ints) -> Floats:
    """Return the equations by which blocks agree on the candidates in every combination of filters and cohort."""
    made = [
        ((block == one) & (state == now)).astype(float) - ((block == 0) & (state == now))
        for one in np.unique(block)[1:]
        for now in np.unique(state)
    ]
    return np.array(made).reshape(len(made), len(block))

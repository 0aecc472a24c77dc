"""What an attacker can bound from everything released: a linear program over the cells of a population.

In: a `Population`, groups of people, and which totals were shown. Out: the protected counts that can be told to
within two, and the totals that give them away. The attacker knows every total shown, that cells are not negative and
hold no more mentions than candidates, and which items are part of which; counts of all items are bounded together.
Which cells are hidden for it is decided in `release`.

A count is safe as soon as two solutions three apart are known. So the cheap ones are tried first: those with everybody
where they are, then those that move people too; and a count that is given away by the totals of its own item and those
it is part of needs no look at the others.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from declinethemes.disclosure.population import Flags, Floats, Population
from declinethemes.disclosure.program import NEAR, Pools, Program, Row, Solution, Totals
from declinethemes.stats.thresholds import FEW_MENTIONS, SMALL_GROUP

WIDTH = 3
"""A protected count must stay open by this much."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Group:
    """People whose counts are looked at: words for a message, the cells they are in.

    Of a group that was shown with a few candidates more or less, every number is protected: the difference would tell
    of these.
    """

    words: str
    mask: Flags
    changed: bool = False


@dataclass(frozen=True, kw_only=True)
class Leak:
    """A protected count that is known too closely, and the totals that its bounds rest on."""

    group: int
    count: int
    words: str
    item: int | None
    low: float
    high: float
    because: tuple[Row, ...]


def protected_counts(
    n_mention: ArrayLike, n: ArrayLike, sensitive: ArrayLike, *, min_n: int, divisible: bool = False
) -> tuple[Flags, Flags, Flags]:
    """Return which numbers of candidates, of those who mention and of those who do not, are protected.

    Parameters
    ----------
    n_mention, n : array-like
        Counts; they broadcast.
    sensitive : array-like of bool
        Whether the item is.
    min_n : int
        Smallest group that is shown.
    divisible : bool
        Whether later tables may show parts of the groups: 1 or 2 who mention an item, or do not, in a group of any size
        bound every part of it.

    Returns
    -------
    three arrays of bool
        1 to `min_n` - 1 candidates, and then whatever of them is not 0; 1 or 2 who mention an item in a group under 10,
        or of any size for a sensitive item; 1 or 2 who do not in a group under 10. With `divisible`, 1 or 2 in a group
        of any size.

    Examples
    --------
    >>> [bool(flag) for flag in protected_counts(8, 9, False, min_n=5)]
    [False, False, True]
    """
    k, size, delicate = np.asarray(n_mention, float), np.asarray(n, float), np.asarray(sensitive, bool)
    few = (size >= 1) & (size < min_n)
    under = (size < SMALL_GROUP) | divisible
    mention = (k >= 1) & (few | ((k <= FEW_MENTIONS) & (under | delicate)))
    other = (size - k >= 1) & (few | ((size - k <= FEW_MENTIONS) & under))
    return few | np.zeros_like(mention), mention, other


class Audit:
    """Bounds of all protected counts, kept from one look to the next while totals are only taken away.

    Parameters
    ----------
    population : Population
    groups : sequence of Group
    sensitive : array of bool, shape (n_items,)
    min_n : int
    """

    def __init__(self, population: Population, groups: Sequence[Group], sensitive: Flags, *, min_n: int) -> None:
        self.population, self.min_n = population, min_n
        self.words = [group.words for group in groups]
        masks = np.array([group.mask for group in groups], dtype=bool).reshape(len(groups), len(population.n))
        n, k = masks @ population.n, masks @ population.said
        self.strict = _side_by_side(protected_counts(k, n[:, None], sensitive, min_n=min_n))
        self.need = _side_by_side(protected_counts(k, n[:, None], sensitive, min_n=min_n, divisible=True))
        self.need |= np.array([group.changed for group in groups], dtype=bool)[:, None]
        keep = np.asarray(self.need.any(axis=1), dtype=bool)
        self.masks, self.need, self.strict = masks[keep], self.need[keep], self.strict[keep]
        self.words = [words for words, kept in zip(self.words, keep, strict=True) if kept]
        truth = np.hstack([n[:, None], k, n[:, None] - k])[keep]
        self.low, self.high = truth.copy(), truth.copy()
        self._not_within = np.zeros_like(self.need)
        self._first_look = True

    def open(self) -> Flags:
        """Return the protected counts not yet known to be safe, shape (n_groups, 1 + 2 n_items)."""
        return np.asarray(self.need & self._close(self.low, self.high, self.strict))

    def _close(self, low: Floats, high: Floats, strict: Flags) -> Flags:
        """Return whether bounds tell too much: the whole numbers between them are few, or all of them small."""
        first, last = np.ceil(low - NEAR), np.floor(high + NEAR)
        return np.asarray((last - first < WIDTH) | (strict & (first >= 1) & (last < self.min_n)))

    def check(self, totals: Totals, *, at_most: int | None = None) -> list[Leak]:
        """Return protected counts that the totals give away; with `at_most`, no more than so many of an item.

        Numbers of candidates come first, then what an item's own totals give away, then what all items do together: of
        the later not all are returned where there are earlier ones.
        """
        if not self.open().any() or not totals.shown.any():
            return []
        pools = Pools(self.population, totals, self.masks)
        self._learn(pools, pools.truth)
        whole = Program(pools, pools.items)
        leaks = [leak for group in np.flatnonzero(self.open()[:, 0]).tolist() if (leak := self._exact(whole, group, 0))]
        if leaks or not pools.items:
            return leaks
        if self._first_look:
            self._first_look = False
            self._stir(pools)
        families = {item: Program(pools, family) for family in totals.families() for item in family}
        leaks = self._each(lambda group, count, item: self._within(families[item], group, count), at_most)
        if leaks:
            return leaks
        self._stir(pools)
        for group in np.flatnonzero(self.open().any(axis=1)).tolist():
            self._try(whole, group)
        return self._each(lambda group, count, _: self._exact(whole, group, count), at_most)

    def _each(self, look: Callable[[int, int, int], Leak | None], at_most: int | None) -> list[Leak]:
        """Look at every open count of mentions; with `at_most`, at an item's only until so many are given away."""
        leaks: list[Leak] = []
        items = (self.need.shape[1] - 1) // 2
        found = np.zeros(items, dtype=np.int64)
        for group, count in np.argwhere(self.open()).tolist():
            item = (count - 1) % items
            if at_most is not None and found[item] >= at_most:
                continue
            leak = look(group, count, item)
            if leak:
                leaks.append(leak)
                found[item] += 1
        return leaks

    def _stir(self, pools: Pools) -> None:
        """Try solutions that leave candidates where they are, for groups in which a count can move so far."""
        still = Program(pools, pools.items, still=True)
        roomy = pools.spread(pools.truth)[1][:, 0] >= WIDTH
        for group in np.flatnonzero(self.open().any(axis=1) & roomy).tolist():
            self._try(still, group)

    def _within(self, family: Program, group: int, count: int) -> Leak | None:
        """Return whether a count is given away by its own item and those it is part of; fewer totals never do."""
        if self._not_within[group, count]:
            return None
        leak = self._exact(family, group, count, part=True)
        self._not_within[group, count] = leak is None
        return leak

    def accept(self, leak: Leak) -> bool:
        """Look at a count no longer, as nothing can be done about it; return whether it is protected by itself."""
        self.need[leak.group, leak.count] = False
        return bool(self.strict[leak.group, leak.count])

    def _try(self, program: Program, group: int) -> None:
        """Push the open counts of a group up and down, all at once."""
        for sign, others in ((-1, False), (1, False), (-1, True)):
            wanted = self.open()[group]
            if wanted.any():
                self._learn(program.pools, program.solve(group, wanted, sign=sign, others=others))

    def _learn(self, pools: Pools, solution: Solution) -> None:
        """Widen what is known to be possible."""
        low, high = pools.spread(solution)
        self.low, self.high = np.minimum(self.low, low), np.maximum(self.high, high)

    def _exact(self, program: Program, group: int, count: int, *, part: bool = False) -> Leak | None:
        """Bound one count from both sides; None if it is safe, or with `part` of the items, not given away by them."""
        if not self.open()[group, count]:
            return None
        wanted = np.zeros(self.need.shape[1], dtype=bool)
        wanted[count] = True
        bounds: list[float] = []
        because: set[Row] = set()
        for sign in (1, -1):
            solution = program.solve(group, wanted, sign=sign)
            low, high = program.pools.spread(solution, group)
            bounds.append(float((low if sign > 0 else high)[0, count]))
            because |= solution.binding
            if not part:
                self._learn(program.pools, solution)
        if not self._close(np.array(bounds[0]), np.array(bounds[1]), self.strict[group, count]):
            return None
        return Leak(
            group=group,
            count=count,
            words=self.words[group],
            item=None if count == 0 else (count - 1) % ((len(wanted) - 1) // 2),
            low=bounds[0],
            high=bounds[1],
            because=tuple(sorted(because, key=lambda row: (row[0], -1 if row[1] is None else row[1]))),
        )


def _side_by_side(flags: tuple[Flags, Flags, Flags]) -> Flags:
    """Return flags of candidates, of those who mention and of those who do not, shape (n_groups, 1 + 2 n_items)."""
    return np.hstack([flags[0][:, :1], flags[1], flags[2]])

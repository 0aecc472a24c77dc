"""The cells that candidates can be in, as one who knows every table but nobody's answers sees them.

In: candidates with their levels, who mentions what, and the columns that tables use. Out: a `Population`: every
combination of levels that could exist, with the true counts, and the masks that say which cells a published total
adds up. Nothing is hidden or bounded here.

Columns that no table combines need no common cells: tables of gender and of role, each with the same filters, fit each
other whenever their totals agree. So cells are made per block of columns that are combined, filters and the release
in which a candidate was first counted belong to every block, and blocks meet in these alone.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from declinethemes.errors import SettingsError
from declinethemes.schema import NOT_DISCLOSED

Flags = NDArray[np.bool_]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Segment = tuple[str, ...]
View = tuple[tuple[str, str], ...]
Merges = Mapping[str, Mapping[str, Sequence[str]]]
COHORT = "first release"
"""Number of the release in which a candidate was counted first: what sets the tables of two dates apart."""
MAX_CELLS = 20_000
JOINT_CELLS = 600
"""Columns with no more combinations of levels than this are combined whether a table does so or not."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Population:
    """All cells of all blocks, one after the other.

    Parameters
    ----------
    cells : pandas.DataFrame
        A row per cell: its level of each column of its block, missing for columns of other blocks.
    block : array, shape (n_cells,)
        The block of each cell.
    n : array, shape (n_cells,)
        Candidates, the truth.
    said : array, shape (n_cells, n_items)
        Candidates who mention the item, the truth.
    homes : mapping of segment to block
    levels : mapping of column to levels
        As in the data, before merging.
    published : mapping of column to (level as shown to the levels it stands for)
    """

    cells: pd.DataFrame
    block: Ints
    n: Floats
    said: Floats
    homes: Mapping[Segment, int]
    levels: Mapping[str, tuple[str, ...]]
    published: Mapping[str, Mapping[str, frozenset[str]]]

    def shown_levels(self, segment: Segment, merge: Merges) -> dict[str, tuple[str, ...]]:
        """Return the levels a table shows, joined to text, and their parts; merged ones as one; not those undisclosed.

        Only combinations that somebody has: a table does not list the others.
        """
        parts = []
        for column in segment:
            merged = {old: new for new, olds in merge.get(column, {}).items() for old in olds}
            names = [merged.get(level, level) for level in self.levels[column] if level != NOT_DISCLOSED]
            parts.append(list(dict.fromkeys(names)))
        return {" x ".join(names): names for names in product(*parts)}

    def home(self, segment: Segment) -> Flags:
        """Return the cells of a segment's block."""
        return np.asarray(self.block == self.homes[segment])

    def at_level(self, segment: Segment, level: Sequence[str]) -> Flags:
        """Return the cells at a level of a segment, given as its parts."""
        mask = self.home(segment)
        for column, name in zip(segment, level, strict=True):
            mask &= self.has(column, name)
        return mask

    def disclosed(self, segment: Segment) -> Flags:
        """Return the cells of a segment's block whose levels are all known."""
        mask = self.home(segment)
        for column in segment:
            mask &= ~self.has(column, NOT_DISCLOSED)
        return mask

    def has(self, column: str, name: str) -> Flags:
        """Return the cells with a level of a column, as it is shown or as in the data."""
        olds = self.published.get(column, {}).get(name, frozenset([name]))
        return np.asarray(self.cells[column].isin(list(olds)).to_numpy(dtype=bool))

    def in_view(self, view: View, release: int) -> Flags:
        """Return the cells, of all blocks, that a view held at a release."""
        mask = self.cells[COHORT].to_numpy(dtype=np.int64) <= release
        for column, name in view:
            mask = mask & self.has(column, name)
        return np.asarray(mask)


def build_population(
    people: pd.DataFrame,
    said: NDArray[np.bool_],
    cohort: Ints,
    *,
    segments: Iterable[Segment],
    filters: Iterable[str],
    derived: Mapping[str, Mapping[str, Sequence[str]]],
    published: Mapping[str, Mapping[str, frozenset[str]]],
) -> Population:
    """Make the cells and count the truth in them.

    Parameters
    ----------
    people : pandas.DataFrame
        A row per candidate; columns of levels as text, missing where not disclosed.
    said : array of bool, shape (n_candidates, n_items)
    cohort : array of int, shape (n_candidates,)
        The release in which each was counted first.
    segments : iterable of tuple of str
        Every segment of any table.
    filters : iterable of str
        Every column that any view filters by.
    derived : mapping of column to (column to levels)
        Columns that others decide: yes where any of these levels holds; the reader knows the rule.
    published : mapping of column to (level as shown to the levels it stands for)

    Returns
    -------
    Population

    Raises
    ------
    SettingsError
        The columns have more combinations than can be audited.
    """
    wanted = sorted(set(segments))
    common = sorted({base for name in filters for base in (*derived.get(name, {}), name)})
    used = sorted({base for name in [*common, *sum(wanted, ())] for base in (*derived.get(name, {}), name)})
    text = people.reindex(columns=used).astype("string").fillna(NOT_DISCLOSED)
    levels = {name: _levels(text[name], published.get(name, {})) for name in used}
    text[COHORT] = np.asarray(cohort, dtype=np.int64)
    blocks = _blocks(wanted, common, derived)
    free = [name for name in used if name not in derived]
    if int(np.prod([len(levels[name]) for name in free])) <= JOINT_CELLS:
        blocks = [set().union(*blocks)]
    made = [_cells(sorted({*own, *common}), text, levels, derived) for own in blocks]
    if sum(map(len, made)) > MAX_CELLS:
        raise SettingsError(
            f"these tables combine too many columns to be audited ({sum(map(len, made))} combinations of levels, at "
            f"most {MAX_CELLS}): name fewer columns with by, or filter by fewer"
        )
    n, mentions = zip(*(_count(cells, text, said) for cells in made), strict=True)
    cells = pd.concat(made, ignore_index=True)
    for name in used:
        if name not in cells:
            cells[name] = None
    homes = {
        segment: next(b for b, own in enumerate(blocks) if set(segment) <= own | set(common)) for segment in wanted
    }
    return Population(
        cells=cells,
        block=np.repeat(np.arange(len(made)), [len(part) for part in made]),
        n=np.concatenate(n),
        said=np.concatenate(mentions),
        homes=homes,
        levels=levels,
        published=published,
    )


def view_text(view: View) -> str:
    """Return a view as the ledger keeps it."""
    return json.dumps(dict(view), ensure_ascii=False, sort_keys=True)


def view_words(view: View) -> str:
    """Return a view in words."""
    return " and ".join(f"{column} '{level}'" for column, level in view) or "all candidates"


def parse_view(text: str) -> View:
    """Return the view that the ledger keeps."""
    return tuple(sorted((str(column), str(level)) for column, level in json.loads(text).items()))


def _levels(column: pd.Series, shown: Mapping[str, frozenset[str]]) -> tuple[str, ...]:
    """Return the levels there are, and those that earlier tables showed."""
    known = set(column) | {old for olds in shown.values() for old in olds}
    return (*sorted(known - {NOT_DISCLOSED}), *([NOT_DISCLOSED] if NOT_DISCLOSED in known else []))


def _blocks(
    segments: Sequence[Segment], common: Sequence[str], derived: Mapping[str, Mapping[str, Sequence[str]]]
) -> list[set[str]]:
    """Put columns together that one table, or one rule, combines; columns of filters are in every block anyway."""
    blocks: list[set[str]] = []
    for segment in segments:
        own = {base for name in segment for base in (*derived.get(name, {}), name)} - set(common)
        touching = [block for block in blocks if block & own]
        blocks = [block for block in blocks if not block & own] + [own.union(*touching)]
    return sorted(filter(None, blocks), key=sorted) or [set()]


def _cells(
    columns: Sequence[str],
    people: pd.DataFrame,
    levels: Mapping[str, tuple[str, ...]],
    derived: Mapping[str, Mapping[str, Sequence[str]]],
) -> pd.DataFrame:
    """Return the combinations of levels that could exist.

    Batches follow the calendar, which everybody knows: of batch and cohort only combinations that exist are taken.
    """
    free = [name for name in columns if name not in derived]
    size = int(np.prod([len(levels[name]) for name in free])) * people[COHORT].nunique()
    if size > MAX_CELLS:
        raise SettingsError(
            f"{', '.join(free)} have too many combinations of levels to be audited together ({size}, at most "
            f"{MAX_CELLS}): name fewer columns with by, merge levels, or filter by fewer"
        )
    grid = product(*(levels[name] for name in free), sorted(people[COHORT].unique()))
    cells = pd.DataFrame(list(grid), columns=[*free, COHORT])
    if "batch" in free:
        there = pd.MultiIndex.from_frame(people[["batch", COHORT]].drop_duplicates())
        cells = cells[pd.MultiIndex.from_frame(cells[["batch", COHORT]]).isin(there)].reset_index(drop=True)
    for name in columns:
        if name in derived:
            cells[name] = _decided(cells, derived[name])
    return cells


def _decided(cells: pd.DataFrame, rule: Mapping[str, Sequence[str]]) -> NDArray[np.object_]:
    """Return yes where any level of the rule holds, no where all its columns are known, else not disclosed."""
    yes = np.zeros(len(cells), dtype=bool)
    known = np.ones(len(cells), dtype=bool)
    for column, among in rule.items():
        yes |= cells[column].isin(list(among)).to_numpy(dtype=bool)
        known &= (cells[column] != NOT_DISCLOSED).to_numpy(dtype=bool)
    return np.where(yes, "yes", np.where(known, "no", NOT_DISCLOSED)).astype(object)


def _count(cells: pd.DataFrame, people: pd.DataFrame, said: NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """Return candidates, and candidates who mention each item, per cell."""
    names = list(cells.columns)
    place = pd.MultiIndex.from_frame(cells).get_indexer(pd.MultiIndex.from_frame(people[names]))
    if (place < 0).any():
        raise SettingsError(
            f"the levels of {', '.join(names[:-1])} do not follow the rule that decides them for "
            f"{int((place < 0).sum())} candidates; declare the segments again in study.toml"
        )
    n = np.bincount(place, minlength=len(cells)).astype(float)
    mentions = np.zeros((len(cells), said.shape[1]))
    np.add.at(mentions, place, said)
    return n, mentions

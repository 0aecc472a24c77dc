"""The tables wanted and those released before, as masks over the cells of one population.

In: `Answers`, a `Request`, the release ledger. Out: `Tables`: which totals each cell of a table shows, what earlier
releases showed, and the groups whose counts are to be protected. What must be hidden is decided in `release`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations, product

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from declinethemes.disclosure.audit import Group, Leak
from declinethemes.disclosure.population import (
    COHORT,
    Flags,
    Merges,
    Segment,
    View,
    build_population,
    parse_view,
)
from declinethemes.disclosure.program import Totals
from declinethemes.errors import StudyError
from declinethemes.schema import NOT_DISCLOSED

Level = tuple[str, ...] | None
"""The parts of a level; None: not disclosed."""


@dataclass(frozen=True, kw_only=True)
class Request:
    """The tables that are wanted.

    Parameters
    ----------
    by : tuple of tuple of str
        Segments; several columns are an intersection.
    where : tuple of (column, level)
        The filter; empty for all candidates.
    merge : mapping of column to (new level to old levels)
        Levels that are shown as one.
    """

    by: tuple[Segment, ...]
    where: View = ()
    merge: Merges = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, eq=False)
class Answers:
    """What is counted.

    Parameters
    ----------
    people : pandas.DataFrame
        candidate_id and columns of levels as in the data, before merging; missing where not disclosed.
    said : array of bool, shape (n_candidates, n_items)
    items, kinds : sequence of str
        Of each column of `said`; kinds may be None.
    sensitive : collection of str
        Items with the raised threshold.
    derived : mapping of column to (column to levels)
        Columns that others decide: yes where any of these levels holds.
    parts : mapping of item to items
        Items that are made of others, as a category of its codes: everybody knows that, and it bounds counts.
    """

    people: pd.DataFrame
    said: NDArray[np.bool_]
    items: Sequence[str]
    kinds: Sequence[str | None]
    sensitive: frozenset[str] = frozenset()
    derived: Mapping[str, Mapping[str, Sequence[str]]] = field(default_factory=dict)
    parts: Mapping[str, Sequence[str]] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, eq=False)
class _Earlier:
    """One level of a table released before, with what it showed of each item."""

    release: int
    view: View
    segment: Segment
    level: Level
    rows: pd.DataFrame


@dataclass(frozen=True, kw_only=True, eq=False)
class _Row:
    """One level of a table wanted: the total it shows, and that of all known levels (-1: none)."""

    segment: Segment
    level: str
    own: int
    whole: int


class Tables:
    """Totals, known and wanted.

    Parameters
    ----------
    answers : Answers
    request : Request
    ledger : pandas.DataFrame
        The releases table.
    first : mapping of candidate_id to int
        The release in which each candidate was counted first.

    Raises
    ------
    StudyError
        An earlier release showed a column or level that is gone.
    """

    def __init__(self, answers: Answers, request: Request, ledger: pd.DataFrame, *, first: Mapping[str, int]) -> None:
        self.answers, self.request = answers, replace(request, merge=_whole_merges(request, answers))
        self.number = int(ledger["release"].max()) + 1 if len(ledger) else 1
        self.first = {str(name): int(first.get(str(name), self.number)) for name in answers.people["candidate_id"]}
        published = {
            column: {new: frozenset(olds) for new, olds in levels.items()}
            for column, levels in self.request.merge.items()
        }
        earlier = list(_read(ledger, answers, published))
        self.shown_in = {(one.segment, one.view, one.release) for one in earlier}
        self.shown_in |= {(segment, request.where, self.number) for segment in request.by}
        segments = {segment for segment, _, _ in self.shown_in}
        self.population = build_population(
            answers.people,
            answers.said,
            np.array(list(self.first.values()), dtype=np.int64),
            segments=segments | {(name,) for segment in segments for name in segment},
            filters={column for _, view, _ in self.shown_in for column, _ in view},
            derived=answers.derived,
            published=published,
        )
        self._masks: list[Flags] = []
        self._places: dict[bytes, int] = {}
        known: dict[tuple[int, int], bool] = {}
        self._drift: list[tuple[int, int, Group]] = []
        self.stale = sum(self._remember(one, known) for one in earlier)
        self.rows = [row for segment in request.by for row in self._wanted(segment)]
        self.own = np.array([row.own for row in self.rows], dtype=np.int64)
        self.whole = np.array([row.whole for row in self.rows], dtype=np.int64)
        self.masks = np.array(self._masks, dtype=bool)
        self.known = np.zeros((len(self.masks), 1 + len(answers.items)), dtype=bool)
        self.unchanged = self.known.copy()
        for place, true in known.items():
            self.known[place], self.unchanged[place] = True, true
        self._listed = self._not_empty(earlier)
        self._parts, self._whole = _made_of(answers)
        self._state = self._states()

    def _place(self, mask: Flags) -> int:
        """Return the number of a total; the same cells are the same total."""
        key = mask.tobytes()
        if key not in self._places:
            self._places[key] = len(self._masks)
            self._masks.append(mask)
        return self._places[key]

    def _mask(self, segment: Segment, level: Level, view: View, release: int) -> tuple[Flags, Flags]:
        """Return the cells of a level in a view, and those of all known levels."""
        inside, disclosed = self.population.in_view(view, release), self.population.disclosed(segment)
        if level is None:
            return self.population.home(segment) & ~disclosed & inside, disclosed & inside
        return self.population.at_level(segment, level) & inside, disclosed & inside

    def _remember(self, one: _Earlier, known: dict[tuple[int, int], bool]) -> int:
        """Take up what an earlier table showed, and return how many of its numbers are not those of today.

        They are known all the same, as they are today: who has the old number guesses the new one. `known` says of
        each whether it is what was shown.
        """
        mask, disclosed = self._mask(one.segment, one.level, one.view, one.release)
        sides = [(mask, "n", "n_mention")]
        if one.level is not None:
            sides.append((disclosed & ~mask, "rest_n", "rest_n_mention"))
        stale = 0
        for cells, n, n_mention in sides:
            size, said = float(cells @ self.population.n), cells @ self.population.said
            for item, was, were in zip(one.rows["item"], one.rows[n], one.rows[n_mention], strict=True):
                if pd.isna(was):
                    continue
                place, same = self._place(cells), bool(was == size)
                known[place, 0] = known.get((place, 0), True) and same
                same = same and item in self.answers.items
                if item in self.answers.items:
                    column = self.answers.items.index(item)
                    same = same and bool(were == said[column])
                    known[place, 1 + column] = known.get((place, 1 + column), True) and same
                stale += not same
        self._note_drift(one)
        return stale

    def _note_drift(self, one: _Earlier) -> None:
        """Note by how many candidates a level, the others and both together are more or fewer than was shown."""
        there = one.rows[one.rows["n"].notna()]
        if there.empty:
            return
        shown, (was, others) = self._mask(one.segment, one.level, one.view, one.release), (there["n"], there["rest_n"])
        now = self._mask(one.segment, one.level, one.view, self.number)
        words = f"{' x '.join(one.segment)} {NOT_DISCLOSED if one.level is None else ' x '.join(one.level)}"
        sizes = [(shown[0], now[0], was.iloc[0], words)]
        if others.notna().any():
            rest = others.dropna().iloc[0]
            sizes.append((shown[1] & ~shown[0], now[1] & ~now[0], rest, f"other than {words}"))
            sizes.append((shown[1], now[1], was.iloc[0] + rest, f"{' x '.join(one.segment)} known"))
        for then, today, size, text in sizes:
            gone = abs(int(size) - int(then @ self.population.n))
            if gone:
                new = int((today & ~then) @ self.population.n)
                words = f"{text}, of whom a few left or changed since release {one.release}"
                self._drift.append((gone, new, Group(words=words, mask=today, changed=True)))

    def changed(self, min_n: int) -> list[Group]:
        """Return groups that were shown with a few candidates more or less, and that no newcomers blur."""
        few = (group for gone, new, group in self._drift if gone < min_n and new < min_n)
        return list({group.mask.tobytes(): group for group in few}.values())

    def _wanted(self, segment: Segment) -> Iterator[_Row]:
        """Yield the levels of a table wanted."""
        view, release = self.request.where, self.number
        for text, parts in self.population.shown_levels(segment, self.request.merge).items():
            mask, disclosed = self._mask(segment, parts, view, release)
            yield _Row(segment=segment, level=text, own=self._place(mask), whole=self._place(disclosed))
        missing = self._mask(segment, None, view, release)[0]
        if missing @ self.population.n:
            yield _Row(segment=segment, level=NOT_DISCLOSED, own=self._place(missing), whole=-1)

    def _not_empty(self, earlier: Sequence[_Earlier]) -> Flags:
        """Return the levels of single columns that a table of all candidates lists: somebody has them."""
        masks = [
            self._mask(one.segment, one.level, (), one.release)[0]
            for one in earlier
            if not one.view and len(one.segment) == 1
        ]
        if not self.request.where:
            masks += [self.masks[row.own] for row in self.rows if len(row.segment) == 1]
        there = {mask.tobytes(): mask for mask in masks if mask @ self.population.n}
        return np.array(list(there.values()), dtype=bool).reshape(len(there), len(self.population.n))

    def _states(self) -> NDArray[np.int64]:
        """Return what blocks have in common, as finely as any table tells it apart."""
        marks = [np.zeros(len(self.population.n), dtype=bool)]
        common = {column for _, view, _ in self.shown_in for column, _ in view}
        common |= {base for name in common for base in self.answers.derived.get(name, {})}
        for segment, view, release in self.shown_in:
            marks.append(self.population.in_view(view, release))
            for column in common & {b for name in segment for b in (*self.answers.derived.get(name, {}), name)}:
                marks += [self.population.has(column, level) for level in self.population.levels[column]]
        unique = np.unique(np.array(marks), axis=0)
        return np.asarray(np.unique(unique, axis=1, return_inverse=True)[1], dtype=np.int64).ravel()

    def totals(self, visible: Flags, known: Flags) -> Totals:
        """Return what is known if these cells are shown beside the totals that are known.

        `visible` is (2, n_rows, n_items): the counts of the level, and beside them those of the rest.
        """
        shown = known.copy()
        for places, cells in ((self.own, visible[0]), (self.whole, visible[1])):
            flags = np.hstack([cells.any(axis=1, keepdims=True), cells])
            np.logical_or.at(shown, places[places >= 0], flags[places >= 0])
        return Totals(
            masks=self.masks,
            state=self._state,
            shown=shown,
            listed=self._listed,
            parts=self._parts,
            whole=self._whole,
        )

    def options(self, visible: Flags, leak: Leak, known: Flags) -> list[Flags]:
        """Return the ways to take one of the totals back that a leak rests on, the cheapest first.

        Each is the cells that must be hidden for it: a level with its rest, or the rests of all levels of a segment.
        What was released before cannot be taken back.
        """
        found = []
        for place, item in leak.because:
            if known[place, 0 if item is None else 1 + item]:
                continue
            cells = np.zeros_like(visible)
            columns = slice(None) if item is None else [item]
            cells[:, self.own == place, columns] = True
            cells[1, self.whole == place, columns] = True
            cells &= visible
            if cells.any():
                people = float((self.masks[self.own[cells.any(axis=(0, 2))]] @ self.population.n).sum())
                found.append((int(cells.sum()), people, place, cells))
        return [cells for *_, cells in sorted(found, key=lambda option: option[:3])]

    def counts(self) -> tuple[NDArray[np.int64], ...]:
        """Return n (n_rows,), n_mention (n_rows, n_items), and the same of the rest; -1 for a level in no rest."""
        n, said = self.population.n, self.population.said
        own, k = self.masks[self.own] @ n, self.masks[self.own] @ said
        inner = self.whole >= 0
        rest_n = np.where(inner, self.masks[self.whole] @ n - own, -1)
        rest_k = np.where(inner[:, None], self.masks[self.whole] @ said - k, -1)
        return own.astype(np.int64), k.astype(np.int64), rest_n.astype(np.int64), rest_k.astype(np.int64)

    def groups(self) -> list[Group]:
        """Return the people whose counts are protected.

        Every level of every column that any table showed, the others together, and all of a table: each among all
        candidates, at every level of every filter and among its others, and among those who came between two
        releases; and every two and three levels of columns whose cells are combined, those too among all and among
        those who came between.
        """
        everybody = {"": np.ones(len(self.population.n), dtype=bool)}
        views = {view for _, view, _ in self.shown_in}
        where = everybody | {words: mask for view in views for words, mask in self._filters(view).items()}
        when = everybody | self._cohorts()
        segments = {segment for segment, _, _ in self.shown_in}
        segments |= {(name,) for segment in segments for name in segment}
        levels = {segment: self._levels(segment) for segment in sorted(segments)}
        found: dict[bytes, Group] = {}
        every = [group for part in levels.values() for group in part.items()]
        for parts in product(every, where.items(), when.items()):
            mask = np.logical_and.reduce([mask for _, mask in parts])
            words = ", ".join(text for text, _ in parts if text)
            found.setdefault(mask.tobytes(), Group(words=words, mask=mask))
        for one, two in combinations(levels, 2):
            if self.population.homes[one] == self.population.homes[two]:
                for (first, mine), (second, theirs) in product(levels[one].items(), levels[two].items()):
                    mask = mine & theirs
                    found.setdefault(mask.tobytes(), Group(words=f"{first}, {second}", mask=mask))
        for words, mask in self._combined(when):
            found.setdefault(mask.tobytes(), Group(words=words, mask=mask))
        return [group for group in found.values() if group.mask @ self.population.n]

    def _combined(self, when: Mapping[str, Flags]) -> Iterator[tuple[str, Flags]]:
        """Yield every two and three levels of the columns of a block, among all and among those of each release."""
        block = self.population.block
        for number in np.unique(block).tolist():
            inside = block == number
            cells = self.population.cells[inside]
            columns = [name for name in self.population.levels if cells[name].notna().any()]
            columns = [name for name in columns if name not in self.answers.derived]
            for size in (2, 3):
                for names in combinations(columns, size):
                    for levels in product(*(self.population.levels[name] for name in names)):
                        mask = inside.copy()
                        for name, level in zip(names, levels, strict=True):
                            mask &= self.population.has(name, level)
                        for text, then in when.items():
                            words = [f"{name} '{level}'" for name, level in zip(names, levels, strict=True)]
                            yield ", ".join([*words, *([text] if text else [])]), mask & then

    def _levels(self, segment: Segment) -> dict[str, Flags]:
        """Return the levels of a segment as shown and as in the data, the others of each, and all together."""
        disclosed, name = self.population.disclosed(segment), " x ".join(segment)
        shown = self.population.shown_levels(segment, self.request.merge) | self.population.shown_levels(segment, {})
        out: dict[str, Flags] = {}
        for text, parts in shown.items():
            mask = self.population.at_level(segment, parts)
            out |= {f"{name} '{text}'": mask, f"{name} other than '{text}'": disclosed & ~mask}
        out |= {f"{name} {NOT_DISCLOSED}": self.population.home(segment) & ~disclosed, f"{name} known": disclosed}
        return out

    def _filters(self, view: View) -> dict[str, Flags]:
        """Return every combination of the levels of a view's columns, and of the others of each."""
        choices: list[dict[str, Flags]] = []
        for column, level in view:
            some = {"": np.ones(len(self.population.n), dtype=bool)}
            for name in (*self.population.levels[column], level):
                some[f"{column} '{name}'"] = self.population.has(column, name)
                some[f"{column} other than '{name}'"] = ~self.population.has(column, name)
            choices.append(some)
        out = {}
        for picked in product(*(some.items() for some in choices)):
            words = " and ".join(text for text, _ in picked if text)
            out[words] = np.logical_and.reduce([np.ones(len(self.population.n), dtype=bool), *(m for _, m in picked)])
        return out

    def _cohorts(self) -> dict[str, Flags]:
        """Return who was there at each release, and who came since the one before."""
        since = self.population.cells[COHORT].to_numpy(dtype=np.int64)
        out = {}
        for release in range(1, self.number + 1 if self.number > 1 else 1):
            out[f"first counted in release {release}"] = since == release
            out[f"counted by release {release}"] = since <= release
        return out


def _whole_merges(request: Request, answers: Answers) -> Merges:
    """Return the merges with a new level among its own old ones where the data have a level of that name."""
    return {
        column: {
            new: tuple(dict.fromkeys((*olds, *([new] if (answers.people[column] == new).any() else []))))
            for new, olds in levels.items()
        }
        for column, levels in request.merge.items()
        if column in answers.people
    }


def _made_of(answers: Answers) -> tuple[dict[int, list[int]], frozenset[int]]:
    """Return places of items and their parts, as the answers bear out, and which are mentioned only by their parts."""
    place = {item: number for number, item in enumerate(answers.items)}
    parts: dict[int, list[int]] = {}
    whole = set()
    for item, names in answers.parts.items():
        if item not in place:
            continue
        said = answers.said[:, place[item]]
        mine = [place[name] for name in names if name in place and not (answers.said[:, place[name]] & ~said).any()]
        if mine:
            parts[place[item]] = mine
            if not (said & ~answers.said[:, mine].any(axis=1)).any():
                whole.add(place[item])
    return parts, frozenset(whole)


def _read(
    ledger: pd.DataFrame, answers: Answers, published: Mapping[str, Mapping[str, frozenset[str]]]
) -> Iterator[_Earlier]:
    """Yield what earlier releases showed, level by level."""
    columns = [str(name) for name in answers.people.columns]
    for key, rows in ledger.groupby(["release", "view", "segment", "level"], sort=True):
        release, view, name, text = (str(part) for part in key)
        segment = (name,) if name in columns else tuple(name.split(" x "))
        gone = sorted({*segment, *dict(parse_view(view))} - set(columns))
        if gone:
            raise StudyError(
                f"release {release} showed tables by {', '.join(gone)}, which candidates no longer have: put the "
                "column back, so that all releases can be audited together"
            )
        names = [
            {*answers.people[column].dropna().astype(str), *published.get(column, {}), *_olds(published, column)}
            for column in segment
        ]
        level: Level = next((parts for parts in product(*names) if " x ".join(parts) == text), None)
        if level is None and text != NOT_DISCLOSED:
            if rows["n"].isna().all():
                continue
            raise StudyError(
                f"release {release} showed the level '{text}' of {name}, which is not there now: keep levels as they "
                "were merged, under [segments.merge] in study.toml, so that all releases can be audited together"
            )
        yield _Earlier(release=int(release), view=parse_view(view), segment=segment, level=level, rows=rows)


def _olds(published: Mapping[str, Mapping[str, frozenset[str]]], column: str) -> frozenset[str]:
    return frozenset().union(*published.get(column, {}).values())

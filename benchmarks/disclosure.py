"""Releases of random studies under attack: what a linear program can bound, and how much the reader still sees.

    python -m benchmarks.disclosure --studies 500

Every study has up to three columns, eight items (two categories and their codes) and two batches of candidates, the
second half as large as the first. Four tables are released: all candidates of the first batch, a filter by location,
all candidates of both batches, a filter by batch. The attacker knows every number released, the items' family tree and
who came when, but nobody's answers. He is written apart from the library's audit: all combinations of all columns, each
item as two counts, yes and no, and protected counts found by looping over the candidates. Beside it, the same tables
with only small cells hidden, which he breaks. Prints, by number of candidates in the first batch, the protected counts,
how many were bounded closer than three (or to 1..4), and the share of cells shown.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass, field
from functools import partial
from itertools import combinations, product
from typing import Any

import numpy as np
import pandas as pd
from scipy.sparse import csr_matrix

from declinethemes.disclosure import Answers, Request, make_release
from declinethemes.disclosure.solver import Solver
from declinethemes.errors import DisclosureError
from declinethemes.schema import empty

SIZES = (40, 100, 400)
FAMILY = {
    "offer": ("offer.pay", "offer.level", "offer.terms"),
    "process": ("process.slow", "process.rude", "process.tests"),
}
ITEMS = [item for whole, parts in FAMILY.items() for item in (whole, *parts)]
Filter = dict[str, str]
TABLES: tuple[tuple[str, Filter], ...] = (
    ("1", {}),
    ("1", {"location": "NY"}),
    ("2", {}),
    ("2", {"batch": "2"}),
)


@dataclass(frozen=True, kw_only=True)
class Shown:
    """One table as a reader has it: its filter, the last batch it counts, its rows."""

    where: Filter
    batch: str
    rows: pd.DataFrame


@dataclass(kw_only=True)
class Result:
    """What came of one study."""

    candidates: int
    protected: int = 0
    exposed: list[str] = field(default_factory=list)
    naive: int = -1
    cells: list[tuple[str, int, int, int, int]] = field(default_factory=list)
    refused: int = 0


def draw(n: int, rng: np.random.Generator, *, columns: int = 3) -> tuple[pd.DataFrame, list[str]]:
    """Draw `n` candidates of a first batch and half as many of a second, and the columns that tables show."""
    first, n = n, n + n // 2
    gender = ["woman", "man", "non-binary", None]
    people = pd.DataFrame(
        {
            "candidate_id": [f"C{i:04d}" for i in range(n)],
            "gender": rng.choice(gender, n, p=[0.35, 0.56, 0.05, 0.04]),
            "role": rng.choice(["engineer", "designer", "analyst"], n, p=[0.5, 0.3, 0.2]),
            "location": rng.choice(["NY", "LA", "SF"], n, p=[0.6, 0.25, 0.15]),
            "batch": ["1"] * first + ["2"] * (n - first),
        }
    )
    for whole, parts in FAMILY.items():
        for part in parts:
            people[part] = rng.random(n) < rng.uniform(0.02, 0.35)
        people[whole] = people[list(parts)].any(axis=1)
    chosen = (["gender"], ["role", "gender"], ["gender", "role", "location"])[int(rng.integers(columns))]
    return people, chosen


def release_all(people: pd.DataFrame, columns: list[str], result: Result) -> list[Shown]:
    """Make the releases one after the other, as the library makes them."""
    ledger, first, shown = empty("releases"), {}, []
    for batch, where in TABLES:
        there = people[people["batch"] <= batch].reset_index(drop=True)
        answers = Answers(
            people=there[["candidate_id", "gender", "role", "location", "batch"]],
            said=there[ITEMS].to_numpy(dtype=bool),
            items=ITEMS,
            kinds=["code"] * len(ITEMS),
            parts=FAMILY,
        )
        by = tuple((column,) for column in columns if column not in where)
        try:
            made = make_release(
                answers, Request(by=by, where=tuple(where.items())), ledger=ledger, first=first, min_n=5
            )
        except DisclosureError:
            result.refused += 1
            continue
        name = f"batch {batch}, {' '.join(where.values()) or 'all'}"
        large = large_enough(there, where, made.counts)
        result.cells.append((name, len(made.counts), large, made.n_shown, made.n_compared))
        ledger = pd.concat([ledger, made.ledger("now")], ignore_index=True)
        first = {**first, **made.first}
        shown.append(Shown(where=where, batch=batch, rows=made.counts))
    return shown


def large_enough(people: pd.DataFrame, where: Filter, rows: pd.DataFrame) -> int:
    """Return how many cells of a table show nothing protected by themselves."""
    for column, level in where.items():
        people = people[people[column] == level]
    large = 0
    for segment, level, item in rows[["segment", "level", "item"]].itertuples(index=False):
        part = people[people[segment].isna() if level == "not disclosed" else people[segment] == level]
        large += not any(is_protected(int(part[item].sum()), len(part)))
    return large


def naive_all(people: pd.DataFrame, columns: list[str]) -> list[Shown]:
    """Make the same tables with nothing hidden but what is too small by itself."""
    shown = []
    for batch, where in TABLES:
        there = people[people["batch"] <= batch]
        for column, level in where.items():
            there = there[there[column] == level]
        rows = []
        for column in (name for name in columns if name not in where):
            known = there[there[column].notna()]
            for level, part in known.groupby(column):
                rest = known[known[column] != level]
                for item in ITEMS:
                    own, others = (int(part[item].sum()), len(part)), (int(rest[item].sum()), len(rest))
                    hide = any(any(is_protected(*side)) for side in (own, others))
                    counts = (None,) * 4 if hide else (*own, *others)
                    rows.append((column, level, item, *counts))
        names = ["segment", "level", "item", "n_mention", "n", "rest_n_mention", "rest_n"]
        shown.append(Shown(where=where, batch=batch, rows=pd.DataFrame(rows, columns=names)))
    return shown


def is_protected(k: int, n: int) -> tuple[bool, bool, bool]:
    """Say whether a number of candidates, of mentions and of the others is protected."""
    if 1 <= n <= 4:
        return True, k > 0, k < n
    return False, n < 10 and k in (1, 2), n < 10 and n - k in (1, 2)


class Attacker:
    """Bounds counts from what was shown; `columns` are all columns of all tables and filters."""

    def __init__(self, shown: list[Shown], people: pd.DataFrame, columns: list[str]) -> None:
        levels = [
            [*sorted(people[name].dropna().unique()), *([None] if people[name].isna().any() else [])]
            for name in columns
        ]
        self.columns = columns
        self.atoms = pd.DataFrame(list(product(*levels)), columns=columns, dtype=object)
        self.items = ITEMS
        equal, values = [], []
        for table in shown:
            inside = self.atoms["batch"] <= table.batch
            for column, level in table.where.items():
                inside &= self.atoms[column] == level
            for row in table.rows.to_dict("records"):
                column, place = row["segment"], self.items.index(row["item"])
                at = (
                    self.atoms[column].isna() if row["level"] == "not disclosed" else self.atoms[column] == row["level"]
                )
                rest = self.atoms[column].notna() & ~at
                for where, k, n in ((at, row["n_mention"], row["n"]), (rest, row["rest_n_mention"], row["rest_n"])):
                    if not pd.isna(n):
                        cells = (inside & where).to_numpy()
                        equal += [self._sum(cells, place, yes=True), self._sum(cells, place, no=True)]
                        values += [float(k), float(n) - float(k)]
        for place, atom in product(range(1, len(self.items)), range(len(self.atoms))):
            one = np.arange(len(self.atoms)) == atom
            equal.append(self._sum(one, place, yes=True, no=True) - self._sum(one, 0, yes=True, no=True))
            values.append(0.0)
        below = []
        for (whole, parts), atom in product(FAMILY.items(), range(len(self.atoms))):
            one = np.arange(len(self.atoms)) == atom
            yes = {item: self._sum(one, self.items.index(item), yes=True) for item in (whole, *parts)}
            below += [yes[part] - yes[whole] for part in parts]
            below.append(yes[whole] - sum(yes[part] for part in parts))
        self.equal, self.values = csr_matrix(np.array(equal)), np.array(values)
        self.below, self.limit = csr_matrix(np.array(below)), np.zeros(len(below))

    def _sum(self, atoms: Any, item: int, *, yes: bool = False, no: bool = False) -> Any:
        """Return the weights that add up counts of atoms: those who mention an item, who do not, or both."""
        weights = np.zeros((len(self.items), 2, len(self.atoms)))
        weights[item, 0, atoms] = yes
        weights[item, 1, atoms] = no
        return weights.ravel()

    def bounds(self, targets: list[Any]) -> Iterator[tuple[int, int]]:
        """Yield the least and the most that each count can be, or bounds so far apart that more is not needed."""
        wanted = np.array(targets)
        solver = Solver(self.equal, self.values, self.below, self.limit, np.full(wanted.shape[1], 5000.0))
        low, high = np.full(len(wanted), np.inf), np.full(len(wanted), -np.inf)
        for place, weights in enumerate(wanted):
            for sign in (1, -1):
                if np.floor(high[place] + 1e-6) - np.ceil(low[place] - 1e-6) >= 4:
                    break
                found = solver.minimise(sign * weights)
                if found is None:
                    raise RuntimeError("the attacker's program has no solution: what was shown does not fit together")
                got = wanted @ found[0]
                low, high = np.minimum(low, got), np.maximum(high, got)
            yield int(np.ceil(low[place] - 1e-6)), int(np.floor(high[place] + 1e-6))


def protected(people: pd.DataFrame, columns: list[str], attacker: Attacker) -> tuple[list[str], list[Any]]:
    """List every protected count: in words, and as the attacker's sum.

    Levels of every column shown, and everybody but them; each among all candidates, inside and outside of each filter,
    among those of each batch; every two levels of two columns shown; and every three levels of all columns, two where
    there are no more, among all and among those of each batch.
    """
    people, atoms = people.reset_index(drop=True), attacker.atoms

    def both(make: Any) -> tuple[Any, Any]:
        return make(people).to_numpy(dtype=bool), make(atoms).to_numpy(dtype=bool)

    groups: list[tuple[str, Any, Any]] = []
    for column in columns:
        for level in people[column].dropna().unique():
            groups.append((f"{column} {level}", *both(lambda f, c=column, v=level: f[c] == v)))
            groups.append((f"{column} not {level}", *both(lambda f, c=column, v=level: f[c].notna() & (f[c] != v))))
        groups.append((f"{column} undisclosed", *both(lambda f, c=column: f[c].isna())))
    sides = [("", *both(lambda f: f["batch"] > "0"))]
    for column, level in [("location", "NY"), ("location", "LA"), ("location", "SF"), ("batch", "1"), ("batch", "2")]:
        sides.append((f", {column} {level}", *both(lambda f, c=column, v=level: f[c] == v)))
        if column == "location":
            sides.append((f", {column} not {level}", *both(lambda f, c=column, v=level: f[c] != v)))
    found = [(a + b, x & y, u & v) for (a, x, u), (b, y, v) in product(groups, sides)]
    found += [(f"{a}, {b}", x & y, u & v) for (a, x, u), (b, y, v) in combinations(groups, 2)]
    every = [*dict.fromkeys([*columns, "location"])]
    batches = [sides[0], *(side for side in sides if side[0].startswith(", batch"))]
    for names in [*combinations(every, 3), *combinations(every, 2)]:
        for levels in product(*(sorted(people[name].dropna().unique()) for name in names)):
            text = ", ".join(f"{name} {level}" for name, level in zip(names, levels, strict=True))
            x, u = both(lambda f, n=names, v=levels: (f[list(n)] == list(v)).all(axis=1))
            found += [(text + b, x & y, u & w) for b, y, w in batches]
    words, sums = [], []
    for name, members, cells in found:
        if not members.any():
            continue
        for place, item in enumerate(ITEMS):
            flags = is_protected(int(people.loc[members, item].sum()), int(members.sum()))
            if flags[0] and place == 0:
                words.append(f"{name}: candidates")
                sums.append(attacker._sum(cells, 0, yes=True, no=True))
            for flag, kind in ((flags[1], "yes"), (flags[2], "no")):
                if flag:
                    words.append(f"{name}: {item} {kind}")
                    sums.append(attacker._sum(cells, place, **{kind: True}))
    return words, sums


def attack(shown: list[Shown], people: pd.DataFrame, columns: list[str]) -> tuple[int, list[str]]:
    """Return the number of protected counts, and those that are bounded closer than three or to 1..4."""
    used = sorted({*columns, "location", "batch"})
    attacker = Attacker(shown, people, used)
    words, sums = protected(people, columns, attacker)
    if not sums or not shown:
        return len(sums), []
    bounds = zip(words, attacker.bounds(sums), strict=True)
    return len(sums), [
        f"{name} in [{low}, {high}]" for name, (low, high) in bounds if high - low < 3 or (low >= 1 and high <= 4)
    ]


def one_study(number: int, *, seed: int, naive: bool, columns: int) -> Result:
    """Draw a study, release its tables, attack them."""
    rng = np.random.default_rng([seed, number])
    people, chosen = draw(SIZES[number % len(SIZES)], rng, columns=columns)
    result = Result(candidates=SIZES[number % len(SIZES)])
    result.protected, result.exposed = attack(release_all(people, chosen, result), people, chosen)
    if naive:
        result.naive = len(attack(naive_all(people, chosen), people, chosen)[1])
    return result


def run(
    studies: int, *, first: int = 0, seed: int = 0, naive_every: int = 10, jobs: int = 1, columns: int = 3
) -> list[Result]:
    """Attack so many studies; every so many (0: none) also with only small cells hidden.

    Interrupted, the studies that are finished are returned.
    """
    work = partial(_numbered, seed=seed, naive_every=naive_every, columns=columns)
    results: list[Result] = []
    with ProcessPoolExecutor(jobs) if jobs > 1 else nullcontext() as pool:
        try:
            for result in (pool.map if pool else map)(work, range(first, studies)):
                results.append(result)
                print(f"\r{first + len(results)} of {studies}", end="", file=sys.stderr, flush=True)
        except KeyboardInterrupt:  # what was finished is shown
            if pool:
                pool.shutdown(wait=False, cancel_futures=True)
            print(f"\nstopped after {first + len(results)} of {studies}", file=sys.stderr)
    return results


def _numbered(number: int, *, seed: int, naive_every: int, columns: int) -> Result:
    naive = naive_every > 0 and number // len(SIZES) % naive_every == 0
    return one_study(number, seed=seed, naive=naive, columns=columns)


def table(results: list[Result]) -> str:
    """Return the results as text."""
    lines = ["candidates  studies  refused  protected  exposed  exposed if only small cells are hidden"]
    for size in SIZES:
        mine = [one for one in results if one.candidates == size]
        naive = [one.naive for one in mine if one.naive >= 0]
        counts = [sum(one.refused for one in mine), sum(one.protected for one in mine)]
        counts.append(sum(len(one.exposed) for one in mine))
        broken = f"{sum(naive)} counts in {sum(n > 0 for n in naive)} of {len(naive)}"
        lines.append(f"{size:10d}  {len(mine):7d}  {counts[0]:7d}  {counts[1]:9d}  {counts[2]:7d}  {broken}")
    lines += [
        "",
        "candidates  release           of all cells: large enough  shown  beside the rest   of the large: shown",
    ]
    for size in SIZES:
        cells = pd.DataFrame(
            [cell for one in results if one.candidates == size for cell in one.cells],
            columns=["release", "cells", "large", "shown", "compared"],
        )
        for name, part in cells.groupby("release"):
            n, large, shown, compared = part[["cells", "large", "shown", "compared"]].sum()
            shares = f"{large / n:26.2f}  {shown / n:5.2f}  {compared / n:15.2f}  {shown / large:20.2f}"
            lines.append(f"{size:10d}  {name:14s}  {shares}")
    lines.append("Refused releases are left out; a cell that is large enough shows nothing protected by itself.")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--studies", type=int, default=500)
    parser.add_argument(
        "--first", type=int, default=0, help="begin with this study: the rest of a run that was stopped"
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--columns", type=int, default=3, choices=(1, 2, 3), help="at most so many columns")
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    given = parser.parse_args()
    results = run(given.studies, first=given.first, seed=given.seed, jobs=given.jobs, columns=given.columns)
    print(table(results))
    for one in results:
        for words in one.exposed:
            print(f"exposed ({one.candidates} candidates): {words}")


if __name__ == "__main__":
    main()

"""A release: tables that are safe to show beside everything released before.

In: what is counted, which tables are wanted, the release ledger. Out: a `Release`: counts with the cells missing that
must be hidden, findings made of nothing else, and the rows for the ledger; or an error with the reason and the smallest
change that would do. The clock, files and the database are not touched here.

What is too small is hidden first. Then the audit says which protected counts can still be told too closely, and on
which totals that rests; the cheapest of these is taken back, until no count can.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from declinethemes.disclosure.audit import Audit, Leak, protected_counts
from declinethemes.disclosure.cells import PROTECTED_NOTE
from declinethemes.disclosure.population import Flags, Segment, view_text, view_words
from declinethemes.disclosure.tables import Answers, Request, Tables
from declinethemes.errors import DisclosureError, SettingsError, StudyError
from declinethemes.schema import NOT_DISCLOSED, conform
from declinethemes.stats.multiplicity import benjamini_hochberg
from declinethemes.stats.proportions import exact_p, newcombe, wilson

REST_NOTE = "protected: the others, and so the comparison"
COUNTS = ("n_mention", "n", "rest_n_mention", "rest_n")


@dataclass(frozen=True, kw_only=True, eq=False)
class Release:
    """Tables that may be shown, and what must be remembered of them.

    Parameters
    ----------
    number : int
        From 1.
    request : Request
    counts : pandas.DataFrame
        segment, level, item, kind, n_mention, n, rest_n_mention, rest_n; the counts missing where protected, or only
        those of the rest.
    first : mapping of candidate_id to int
        The release in which each candidate was counted first; private, for the next audit.
    notes : tuple of str
        What is to be known of the audit.
    """

    number: int
    request: Request
    counts: pd.DataFrame
    first: Mapping[str, int]
    notes: tuple[str, ...] = ()

    @property
    def stamp(self) -> str:
        """The words on every file of it."""
        return f"release {self.number}"

    @property
    def n_shown(self) -> int:
        """Cells that are shown, of `len(counts)`."""
        return int(self.counts["n"].notna().sum())

    @property
    def n_compared(self) -> int:
        """Cells that are shown beside the rest."""
        return int(self.counts["rest_n"].notna().sum())

    @property
    def is_empty(self) -> bool:
        """Whether no two levels of any segment are left to be compared on any item."""
        left = self.counts[(self.counts["n"] > 0).fillna(False) & (self.counts["level"] != NOT_DISCLOSED)]
        return not self.n_compared and not left.duplicated(["segment", "item"]).any()

    def summary(self) -> dict[str, object]:
        """Return what it is, as plain values."""
        return {
            "stamp": self.stamp,
            "by": [" x ".join(segment) for segment in self.request.by],
            "where": dict(self.request.where),
            "cells": len(self.counts),
            "cells_shown": self.n_shown,
            "cells_compared": self.n_compared,
        }

    def ledger(self, at: str) -> pd.DataFrame:
        """Return the rows for the release ledger."""
        rows = self.counts[["segment", "level", "item", *COUNTS]]
        return conform(rows.assign(release=self.number, at=at, view=view_text(self.request.where)), "releases")

    def findings(self, *, margin: float, alpha: float) -> pd.DataFrame:
        """Return shares, intervals, tests and verdicts, computed from the counts that are shown and from nothing else.

        Parameters
        ----------
        margin, alpha : float
            See the verdicts. `p_bh` is adjusted over the comparisons shown of a segment: hidden ones would be told
            by it.

        Returns
        -------
        pandas.DataFrame
            Columns of the findings table, without those that rest on more than the row's own counts.
        """
        out = self.counts.copy()
        k, n, rest_k, rest_n = (out[name].astype("Float64").to_numpy(float, na_value=np.nan) for name in COUNTS)
        tested = (n >= 2) & (rest_n >= 1)
        whole = np.nan_to_num(np.stack([k, n, rest_k, rest_n])[:, tested]).astype(np.int64)
        columns = (
            "share",
            "share_low",
            "share_high",
            "rest_share",
            "difference",
            "ci_low",
            "ci_high",
            "p_value",
            "p_bh",
        )
        values = {name: np.full(len(out), np.nan) for name in columns}
        counted = n >= 1
        values["share"][counted] = k[counted] / n[counted]
        values["share_low"][counted], values["share_high"][counted] = wilson(k[counted], n[counted])
        values["rest_share"][tested] = rest_k[tested] / rest_n[tested]
        values["difference"] = values["share"] - values["rest_share"]
        values["ci_low"][tested], values["ci_high"][tested] = newcombe(*whole)
        values["p_value"][tested] = exact_p(*whole)
        for segment in out["segment"].unique():
            mine = tested & (out["segment"] == segment).to_numpy(dtype=bool)
            values["p_bh"][mine] = benjamini_hochberg(values["p_value"][mine])
        inside = np.zeros(len(out), dtype=bool)
        low, high = newcombe(*whole, level=0.9)
        inside[tested] = (low > -margin) & (high < margin)
        verdict = np.where(inside, "no material difference", "not enough data").astype(object)
        verdict[(values["p_bh"] <= alpha) & ~inside] = "difference"
        verdict[~tested] = "not tested"
        hidden = np.isnan(n)
        verdict[hidden] = "protected"
        note = pd.Series(PROTECTED_NOTE, index=out.index, dtype="string").where(hidden)
        alone = ~hidden & np.isnan(rest_n) & (out["level"] != NOT_DISCLOSED).to_numpy(dtype=bool)
        note = note.mask(alone, REST_NOTE)
        return out.assign(**values, verdict=verdict, suppressed=hidden, note=note)


def make_release(
    answers: Answers, request: Request, *, ledger: pd.DataFrame, first: Mapping[str, int], min_n: int
) -> Release:
    """Hide what must be hidden, and audit the rest with everything released before.

    Parameters
    ----------
    answers : Answers
    request : Request
    ledger : pandas.DataFrame
        The releases table.
    first : mapping of candidate_id to int
        The release in which each candidate was counted first.
    min_n : int
        Smallest group that is shown.

    Returns
    -------
    Release

    Raises
    ------
    DisclosureError
        No two levels could be shown without exposing somebody; the message has the reason and a smaller request that
        would make it safe.
    SettingsError
        A column is asked for and filtered by, or the columns have too many combinations.
    StudyError
        An earlier release showed a column or a level that is gone.
    """
    filtered = [column for column, _ in request.where]
    if set(filtered) & {name for segment in request.by for name in segment}:
        raise SettingsError(f"a release by {_listed(request.by)} cannot be filtered by {', '.join(filtered)} too")
    made, leak = _attempt(answers, request, ledger, first, min_n)
    if not made.is_empty:
        return made
    change = "No smaller request that was tried is safe: wait until there are more candidates"
    for words, other in _changes(answers, request):
        if _passes(answers, other, ledger, first, min_n):
            change = f"A smaller request that is safe: {words}"
            break
    if leak is None:
        reason = "every group in them is too small to show"
    else:
        what = "how many there are" if leak.item is None else f"how many speak of {answers.items[leak.item]}"
        with_ = " together with earlier releases" if len(ledger) else ""
        reason = f"they would tell{with_}, of the group {leak.words}, {what} to within two"
    raise DisclosureError(
        f"release {made.number} is refused: of its tables ({view_words(request.where)}, by {_listed(request.by)}) no "
        f"two levels can be shown, as {reason}. {change}."
    )


def _passes(answers: Answers, request: Request, ledger: pd.DataFrame, first: Mapping[str, int], min_n: int) -> bool:
    """Return whether a request can be released; one that does not fit the earlier releases cannot."""
    try:
        return not _attempt(answers, request, ledger, first, min_n)[0].is_empty
    except (SettingsError, StudyError):
        return False


def _attempt(
    answers: Answers, request: Request, ledger: pd.DataFrame, first: Mapping[str, int], min_n: int
) -> tuple[Release, Leak | None]:
    """Make a release, perhaps an empty one; and the first count that forced more than small cells to be hidden."""
    tables = Tables(answers, request, ledger, first=first)
    delicate = np.array([item in answers.sensitive for item in answers.items], dtype=bool)
    audit = Audit(tables.population, tables.groups(), delicate, min_n=min_n)
    visible = _large_enough(tables, delicate, min_n)
    visible, reason, exposed = _hide(tables, audit, visible, tables.known)
    if changed := tables.changed(min_n):
        # Whoever left or changed a level is the difference of two totals: that of today must stay open.
        moved = Audit(tables.population, changed, delicate, min_n=min_n)
        settled = False
        while not settled:
            fewer, because, _ = _hide(tables, moved, visible, tables.unchanged)
            after, also, more = _hide(tables, audit, fewer, tables.known)
            reason, exposed = reason or because or also, exposed + more
            settled, visible = np.array_equal(visible, after), after
    notes = []
    if tables.stale:
        notes.append(
            f"{tables.stale} totals of earlier releases are not those of the study now (tags, levels or candidates "
            "changed); the audit takes all of them as known, as they are now"
        )
    if exposed:
        notes.append(
            f"{exposed} protected counts were told too closely by earlier releases; this one adds nothing to it"
        )
    return _release(tables, visible, tuple(notes)), reason


def _hide(tables: Tables, audit: Audit, visible: Flags, known: Flags) -> tuple[Flags, Leak | None, int]:
    """Hide until an audit finds nothing; return what stays visible, the first leak, and how many are old ones.

    `known` is what the reader has from earlier releases.
    """
    reason: Leak | None = None
    exposed = 0
    while leaks := audit.check(tables.totals(visible, known), at_most=1):
        before = visible.copy()
        for leak in leaks:
            options = tables.options(before, leak, known)
            if not options:  # it rests on earlier releases alone
                exposed += audit.accept(leak)
            elif not any((option & ~visible).any() for option in options):  # else what was hidden just now may do
                reason = reason or leak
                visible = visible & ~options[0]
    return visible, reason, exposed


def _large_enough(tables: Tables, sensitive: Flags, min_n: int) -> Flags:
    """Return the cells that show nothing protected by themselves, and where the rest may stand beside them.

    Shape (2, n_rows, n_items).
    """
    n, k, rest_n, rest_k = tables.counts()
    level, rest = (
        ~np.logical_or.reduce(protected_counts(said, size[:, None], sensitive, min_n=min_n, divisible=True))
        for said, size in ((k, n), (rest_k, rest_n))
    )
    return np.array([level, level & rest & (tables.whole >= 0)[:, None]])


def _release(tables: Tables, visible: Flags, notes: tuple[str, ...]) -> Release:
    """Put the counts that are shown into a frame."""
    answers, items = tables.answers, len(tables.answers.items)
    n, k, rest_n, rest_k = tables.counts()
    frame = pd.DataFrame(
        {
            "segment": np.repeat([" x ".join(row.segment) for row in tables.rows], items),
            "level": np.repeat([row.level for row in tables.rows], items),
            "item": np.tile(np.array(answers.items, dtype=object), len(tables.rows)),
            "kind": np.tile(np.array(answers.kinds, dtype=object), len(tables.rows)),
        }
    )
    values = (k.ravel(), np.repeat(n, items), rest_k.ravel(), np.repeat(rest_n, items))
    for name, value, seen in zip(COUNTS, values, (*[visible[0].ravel()] * 2, *[visible[1].ravel()] * 2), strict=True):
        frame[name] = pd.Series(value, dtype="Int64").mask(~seen)
    return Release(number=tables.number, request=tables.request, counts=frame, first=tables.first, notes=notes)


def _changes(answers: Answers, request: Request) -> Iterator[tuple[str, Request]]:
    """Yield smaller requests, with the words that ask for them: a column less, no filter, two levels as one."""
    if len(request.by) > 1:
        for segment in request.by:
            rest = tuple(one for one in request.by if one != segment)
            yield f"leave out {' x '.join(segment)}", replace(request, by=rest)
    for part in request.where if len(request.where) > 1 else ():
        fewer = tuple(entry for entry in request.where if entry != part)
        yield f"leave out the filter {view_words((part,))}", replace(request, where=fewer)
    if request.where:
        yield f"leave out the filter ({view_words(request.where)})", replace(request, where=())
    for column in dict.fromkeys(name for segment in request.by for name in segment):
        merged = {old: new for new, olds in request.merge.get(column, {}).items() for old in olds}
        shown = answers.people[column].dropna().map(lambda level, merged=merged: merged.get(level, level))
        sizes = shown.value_counts().sort_index().sort_values(kind="stable")
        if len(sizes) > 2 and column not in answers.derived:
            one, two = (str(level) for level in sizes.index[:2])
            olds = [tuple(request.merge.get(column, {}).get(level, (level,))) for level in (one, two)]
            kept = {new: old for new, old in request.merge.get(column, {}).items() if new not in (one, two)}
            merge = {**request.merge, column: {**kept, f"{one} or {two}": olds[0] + olds[1]}}
            words = f"show {column} '{one}' and '{two}' as one, under [segments.merge] in study.toml"
            yield words, replace(request, merge=merge)


def _listed(by: tuple[Segment, ...]) -> str:
    return ", ".join(" x ".join(segment) for segment in by)

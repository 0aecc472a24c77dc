"""Which offers count in a decline rate, and the levels of a segment.

In: the offers table. Out: one decided offer per candidate, a list of every offer that is left out or odd with the
reason, and each candidate's level. Nothing is compared here.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from declinethemes.errors import InputError, SettingsError, nearest
from declinethemes.schema import NOT_DISCLOSED, conform

Ints = NDArray[np.int64]
By = str | Sequence[str | tuple[str, ...]] | tuple[str, ...]
WHY_BOTH = (
    "From declines alone nothing follows about who declines more often: a group may be large among the declines only "
    "because it got many offers. Give every offer made, accepted ones included, one row each with its outcome; or, if "
    "you know what share of the offers went to each group, say so (--offered gender=woman:0.42)"
)
_NO_SEGMENT = frozenset({"offer_id", "candidate_id", "outcome", "offer_date", "decline_date"})
_MAX_VALUES = 12
_UNDECIDED = {
    "pending": "pending: not decided yet",
    "withdrawn": "withdrawn: not decided by the candidate",
    "none": "no outcome is given",
}


@dataclass(frozen=True, kw_only=True, eq=False)
class Decided:
    """One decided offer per candidate.

    Attributes
    ----------
    offers : pandas.DataFrame
        The offers table, accepted and declined only, sorted by offer_id, with `quarter` (such as 2026-Q1; missing where
        there is no usable offer_date).
    listed : pandas.DataFrame
        offer_id, candidate_id, outcome, counted, reason: every offer that is left out, or counted although odd.
    counts : mapping of str to int
        offers, candidates, accepted, declined (as counted), pending, withdrawn, no outcome, superseded.
    """

    offers: pd.DataFrame
    listed: pd.DataFrame
    counts: Mapping[str, int]


@dataclass(frozen=True, kw_only=True, eq=False)
class Segment:
    """One segment: its columns, its levels, and the level of each offer (-1: not disclosed)."""

    name: str
    columns: tuple[str, ...]
    levels: list[str]
    codes: Ints


def decide(offers: pd.DataFrame, *, today: date | None, alone: bool = False) -> Decided:
    """Return the offers that count, one per candidate, and a list of the others.

    Parameters
    ----------
    offers : pandas.DataFrame
        The offers table; without an offer_id, offers are called by their row.
    today : date or None
        Dates after it are listed; None looks for none.
    alone : bool
        Whether declines will do without accepted offers.

    Raises
    ------
    InputError
        There is no offer, none was accepted (unless `alone`), or there is no outcome; the message says why accepted
        ones are needed.
    SchemaError
        A column is missing, a value does not fit, or an offer comes twice.
    """
    table = _checked(offers)
    remarks = _oddities(table, today)
    odd = {row for row, (_, dates) in remarks.items() if dates}
    outcome = table["outcome"].fillna("none")
    undecided = ~outcome.isin(["accepted", "declined"])
    if not alone and not (outcome == "accepted").any():
        raise InputError(
            f"no offer of the {len(table)} was accepted ({int((outcome == 'declined').sum())} declined, "
            f"{int(undecided.sum())} undecided). {WHY_BOTH}"
        )
    superseded = _superseded(table, undecided)
    reasons = {row: [text] for row, text in superseded.items()}
    for row in table.index[undecided]:
        reasons.setdefault(row, []).append(_UNDECIDED[str(outcome[row])])
    for row, (texts, _) in remarks.items():
        reasons.setdefault(row, []).extend(texts)
    counted = ~undecided & ~table.index.isin(list(superseded))
    rows = sorted(reasons)
    listed = table.loc[rows, ["offer_id", "candidate_id", "outcome"]].assign(
        counted=counted[rows].astype("boolean"),
        reason=pd.Series(["; ".join(reasons[row]) for row in rows], index=rows, dtype="string"),
    )
    quarter = table["offer_date"].dt.year.astype("string") + "-Q" + table["offer_date"].dt.quarter.astype("string")
    kept = table.assign(quarter=quarter.mask(table.index.isin(list(odd))))[counted]
    return Decided(
        offers=kept.reset_index(drop=True),
        listed=listed.reset_index(drop=True),
        counts={
            "offers": len(table),
            "candidates": len(kept),
            "accepted": int((kept["outcome"] == "accepted").sum()),
            "declined": int((kept["outcome"] == "declined").sum()),
            "pending": int((outcome == "pending").sum()),
            "withdrawn": int((outcome == "withdrawn").sum()),
            "no outcome": int((outcome == "none").sum()),
            "superseded": len(superseded),
        },
    )


def _checked(offers: pd.DataFrame) -> pd.DataFrame:
    """Return the offers table after checking that it can answer."""
    found = [str(name) for name in offers.columns]
    if "outcome" not in found:
        raise InputError(
            f"offers have no column 'outcome'{nearest('outcome', found)}; found: {', '.join(found) or '(no columns)'}. "
            f"{WHY_BOTH}"
        )
    if offers.empty:
        raise InputError(f"there is no offer in the table. {WHY_BOTH}")
    if "offer_id" not in found:
        offers = offers.assign(offer_id=[f"row {number}" for number in range(1, len(offers) + 1)])
    return conform(offers, "offers")


def _oddities(table: pd.DataFrame, today: date | None) -> dict[int, tuple[list[str], bool]]:
    """Return what is odd about an offer, by row, and whether its dates are."""
    out: dict[int, tuple[list[str], bool]] = {}
    now = None if today is None else pd.Timestamp(today)

    def note(mask: pd.Series, text: str, *, dates: bool) -> None:
        for row in table.index[mask.fillna(False).astype(bool)]:
            texts, wrong = out.get(row, ([], False))
            out[row] = ([*texts, text], wrong or dates)

    if now is not None:
        note(table["offer_date"] > now, "offer_date lies in the future", dates=True)
        note(table["decline_date"] > now, "decline_date lies in the future", dates=True)
    note(table["decline_date"] < table["offer_date"], "declined before the offer was made", dates=True)
    unfit = table["decline_date"].notna() & (table["outcome"] != "declined").fillna(True)
    note(unfit, "has a decline_date, but was not declined by its outcome", dates=False)
    return out


def _superseded(table: pd.DataFrame, undecided: pd.Series) -> dict[int, str]:
    """Return the decided offers that are not the last one of their candidate, by row, with the one that is used."""
    decided = table[~undecided]
    when = decided["decline_date"].where(decided["outcome"] == "declined").fillna(decided["offer_date"])
    ranked = decided.assign(when=when).sort_values(["when", "offer_id"], na_position="first", kind="stable")
    last = ranked.groupby("candidate_id")["offer_id"].transform("last")
    earlier = ranked.index[(ranked["offer_id"] != last).to_numpy(dtype=bool)]
    return {row: f"the same candidate decided later on {last[row]}, which is used" for row in earlier}


def read_segments(offers: pd.DataFrame, by: By, *, not_disclosed: Collection[str]) -> list[Segment]:
    """Return the segments asked for; a tuple of columns is their combination.

    Raises
    ------
    SettingsError
        A column is not there or cannot be a segment.
    """
    entries = [by] if isinstance(by, str | tuple) else list(by)
    wanted = list(dict.fromkeys((entry,) if isinstance(entry, str) else tuple(entry) for entry in entries))
    if not wanted or not all(wanted):
        raise SettingsError(
            f"by needs a column of offers, several, or a tuple for a combination; there are: {', '.join(able(offers))}"
        )
    return [_segment(offers, columns, not_disclosed) for columns in wanted]


def able(offers: pd.DataFrame) -> list[str]:
    """Return the columns that hold a value and can be segments."""
    return [
        str(name)
        for name in offers.columns
        if name not in _NO_SEGMENT and name != "quarter" and bool(offers[name].notna().any())
    ]


def strata_of(offers: pd.DataFrame, columns: Sequence[str]) -> Ints:
    """Return a number per offer for the combination of columns; a missing value is a stratum of its own."""
    for name in columns:
        if name not in able(offers):
            raise _unusable(offers, name, "column of offers")
    keys = offers[list(columns)].astype("string").fillna("")
    return np.asarray(keys.groupby(list(columns), sort=True).ngroup(), dtype=np.int64)


def _unusable(offers: pd.DataFrame, name: str, what: str) -> SettingsError:
    if name in offers.columns and bool(offers[name].isna().all()):
        there = ", ".join(able(offers)) or "(none)"
        return SettingsError(
            f"the column '{name}' is missing or holds no value for a decided offer; there are: {there}"
        )
    return SettingsError.unknown(what, str(name), able(offers))


def _segment(offers: pd.DataFrame, columns: tuple[str, ...], not_disclosed: Collection[str]) -> Segment:
    words = {word.lower() for word in not_disclosed} | {NOT_DISCLOSED, ""}
    texts = []
    for name in columns:
        if name not in able(offers):
            raise _unusable(offers, name, "segment column of offers")
        column = offers[name]
        if pd.api.types.is_numeric_dtype(column) and column.nunique() > _MAX_VALUES:
            raise SettingsError(
                f"'{name}' holds numbers, {column.nunique()} different ones: a segment needs at most {_MAX_VALUES}. "
                "Make bands first, with [segments.bins] in study.toml or pandas.cut"
            )
        text = column.astype("string").str.strip()
        texts.append(text.mask(text.str.lower().isin(words)))
    joined = texts[0]
    for text in texts[1:]:
        joined = joined + " x " + text
    levels = sorted(joined.dropna().unique().tolist())
    codes = pd.Categorical(joined, categories=levels).codes
    return Segment(name=" x ".join(columns), columns=columns, levels=levels, codes=codes.astype(np.int64))

"""Mentions and candidates as arrays: who said what, who was asked, who belongs to which level.

In: the caller's frames. Out: `Incidence` (candidates x items) and `Segment` (a level per candidate), rows in the
order of candidate_id and items sorted, so that the order of the caller's rows does not matter. Nothing is compared
here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from declinethemes.errors import InputError, SchemaError, SettingsError
from declinethemes.schema import DECISIONS, ITEM_KINDS, NOT_DISCLOSED, STANCES

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]
By = str | Sequence[str | tuple[str, ...]] | tuple[str, ...]
_MAX_VALUES = 12


@dataclass(frozen=True, kw_only=True, eq=False)
class Incidence:
    """Candidates x items: who said it, who was asked; -1/0/1 what reviewers decided."""

    ids: pd.Index
    items: list[str]
    kinds: list[str | None]
    said: Flags
    asked: Flags | None
    reviewed: NDArray[np.int8] | None = None
    weights: Floats | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class Segment:
    """One segment: its levels, the level of each candidate (-1: not disclosed), and the same for its parts."""

    name: str
    levels: list[str]
    codes: Ints
    parts: tuple[Ints, ...] = ()


def read_mentions(
    mentions: pd.DataFrame, people: pd.DataFrame, reviews: pd.DataFrame | None, *, stance: str, among: str | None
) -> tuple[Incidence, str]:
    """Mentions as candidates x items, rows in the order of `people`, items sorted; and the stance that was applied."""
    _need(mentions, "mentions", ("candidate_id", "item"))
    row = _rows_of(mentions["candidate_id"], people["candidate_id"], "mentions")
    names = mentions["item"].astype("string")
    _no_blanks(mentions, "mentions", "item", names)
    judged = _judged(reviews, people) if reviews is not None else None
    items = sorted(set(names.unique().tolist()) | (set(judged["item"].tolist()) if judged is not None else set()))
    column = pd.Index(items).get_indexer(pd.Index(names))
    counts = np.ones(len(mentions), dtype=bool)
    if "n_passages" in mentions:
        passages = pd.to_numeric(mentions["n_passages"]).fillna(1)
        _no_blanks(mentions, "mentions", "n_passages", passages)
        counts = passages.to_numpy(dtype=float) > 0
    used = "all"
    if stance == "negative" and "stance" in mentions and mentions["stance"].notna().any():
        used = "negative"
        counts = counts & mentions["stance"].isin(["negative", "mixed"]).to_numpy(dtype=bool)
    _known_values(mentions, "stance", STANCES)
    said = np.zeros((len(people), len(items)), dtype=bool)
    said[row[counts], column[counts]] = True
    asked = None
    if "asked" in mentions and mentions["asked"].notna().any():
        flags = _flags(mentions["asked"])
        asked = np.zeros_like(said)
        asked[row[flags], column[flags]] = True
    if among == "asked" and asked is None:
        raise SettingsError("among='asked' needs a column 'asked' in mentions that says who was asked about the item")
    data = Incidence(
        ids=pd.Index(people["candidate_id"]), items=items, kinds=_kinds(mentions, names, items), said=said, asked=asked
    )
    return (data if judged is None or judged.empty else _with_reviews(data, judged)), used


def _judged(reviews: pd.DataFrame, people: pd.DataFrame) -> pd.DataFrame:
    """One decision per candidate and item: each reviewer's latest, then the majority; ties and unsure are left out."""
    _need(reviews, "reviews", ("subject", "item", "decision"))
    _known_values(reviews, "decision", DECISIONS, table="reviews")
    _rows_of(reviews["subject"], people["candidate_id"], "reviews")
    _probabilities(reviews)
    frame = reviews.assign(
        subject=reviews["subject"].astype(str),
        item=reviews["item"].astype(str),
        reviewer=reviews["reviewer"].astype(str) if "reviewer" in reviews else "",
        at=reviews["at"].astype(str) if "at" in reviews else "",
        weight=1 / pd.to_numeric(reviews["inclusion_probability"]).fillna(1)
        if "inclusion_probability" in reviews
        else 1.0,
    )
    frame = frame.sort_values(["subject", "item", "reviewer", "at", "decision"])
    frame = frame.drop_duplicates(["subject", "item", "reviewer"], keep="last")
    frame = frame[frame["decision"] != "unsure"]
    vote = frame["decision"].map({"yes": 1.0, "no": -1.0})
    grouped = (
        frame.assign(vote=vote)
        .groupby(["subject", "item"], sort=True)
        .agg(vote=("vote", "sum"), weight=("weight", "max"))
    )
    return grouped[grouped["vote"] != 0].reset_index()


def _probabilities(reviews: pd.DataFrame) -> None:
    """Raise if some reviews have an inclusion probability and others have not, or one that cannot be."""
    if "inclusion_probability" not in reviews or reviews["inclusion_probability"].isna().all():
        return
    chance = pd.to_numeric(reviews["inclusion_probability"], errors="coerce")
    wrong = ~(((chance > 0) & (chance <= 1)).fillna(False).to_numpy(dtype=bool))
    if wrong.any():
        bad = reviews.loc[wrong, "inclusion_probability"]
        raise SchemaError.values(
            "reviews",
            "inclusion_probability",
            expected="a probability above 0 and up to 1 in every row (1 where everybody was reviewed)",
            bad=bad.tolist(),
            rows=bad.index.tolist(),
        )


def _with_reviews(data: Incidence, judged: pd.DataFrame) -> Incidence:
    rows = pd.Index(data.ids.astype(str)).get_indexer(pd.Index(judged["subject"]))
    columns = pd.Index(data.items).get_indexer(pd.Index(judged["item"]))
    reviewed = np.full(data.said.shape, -1, dtype=np.int8)
    reviewed[rows, columns] = judged["vote"].to_numpy() > 0
    weights = np.ones(data.said.shape)
    weights[rows, columns] = judged["weight"].to_numpy(dtype=float)
    return replace(data, reviewed=reviewed, weights=weights)


def read_candidates(candidates: pd.DataFrame) -> pd.DataFrame:
    """Check candidate_id and return the rows sorted by it."""
    _need(candidates, "candidates", ("candidate_id",))
    ids = candidates["candidate_id"]
    _no_blanks(candidates, "candidates", "candidate_id", ids)
    repeated = ids.duplicated(keep=False)
    if repeated.any():
        bad = ids[repeated]
        raise SchemaError.values(
            "candidates", "candidate_id", expected="each candidate once", bad=list(bad), rows=list(bad.index)
        )
    order = np.argsort(ids.astype(str).to_numpy(dtype=object), kind="stable")
    return candidates.iloc[order].reset_index(drop=True)


def read_segment(people: pd.DataFrame, columns: tuple[str, ...]) -> Segment:
    """Levels of a column, or of the combination of several."""
    known = [str(name) for name in people.columns if name != "candidate_id"]
    texts = []
    for name in columns:
        if name not in known:
            raise SettingsError.unknown("column of candidates", str(name), known)
        texts.append(_levels(people[name], name))
    missing = np.logical_or.reduce([text.isna().to_numpy(dtype=bool) for text in texts])
    joined = texts[0].fillna("")
    for text in texts[1:]:
        joined = joined + " x " + text.fillna("")
    joined = joined.mask(missing)
    levels = sorted(joined.dropna().unique().tolist())
    codes = pd.Categorical(joined, categories=levels).codes
    parts = tuple(pd.factorize(text)[0].astype(np.int64) for text in texts) if len(texts) > 1 else ()
    return Segment(name=" x ".join(columns), levels=levels, codes=codes.astype(np.int64), parts=parts)


def _levels(series: pd.Series, name: str) -> pd.Series:
    """Return a segment's values as text, blank and "not disclosed" as missing."""
    if pd.api.types.is_numeric_dtype(series) and not pd.api.types.is_bool_dtype(series):
        values = series.dropna().unique()
        if len(values) > _MAX_VALUES:
            raise SettingsError(
                f"'{name}' is numeric with {len(values)} different values: a segment needs at most {_MAX_VALUES}. "
                f"Make bins first, for instance candidates['{name}_band'] = pd.cut(candidates['{name}'], 4).astype(str)"
            )
        whole = series.astype("Float64")
        if bool((whole.dropna() % 1 == 0).all()):
            series = whole.astype("Int64")
    text = series.astype("string").str.strip()
    return text.mask((text == "") | (text == NOT_DISCLOSED))


def wanted_segments(by: By) -> list[tuple[str, ...]]:
    """Return the columns of each segment asked for; more than one is an intersection."""
    entries = [by] if isinstance(by, str | tuple) else list(by)
    wanted = [(entry,) if isinstance(entry, str) else tuple(entry) for entry in entries]
    if not wanted or not all(wanted):
        raise SettingsError(
            "by needs a column of candidates, a list of columns, or a tuple of columns for their intersection"
        )
    return list(dict.fromkeys(wanted))


def _rows_of(ids: pd.Series, known: pd.Series, table: str) -> Ints:
    """Position of each id among the candidates; an error lists those who are not there."""
    _no_blanks(ids.to_frame(), table, "candidate_id", ids)
    left, right = pd.Index(ids), pd.Index(known)
    if not (pd.api.types.is_integer_dtype(left.dtype) and pd.api.types.is_integer_dtype(right.dtype)):
        left, right = pd.Index(left.astype(str)), pd.Index(right.astype(str))
    rows = right.get_indexer(left)
    if (rows < 0).any():
        strangers = sorted({str(value) for value in left[rows < 0]})
        more = f" and {len(strangers) - 5} more" if len(strangers) > 5 else ""
        raise InputError(
            f"{len(strangers)} candidates of '{table}' are not in 'candidates': {', '.join(strangers[:5])}{more}. "
            "Add them to candidates, or leave their rows out."
        )
    return np.asarray(rows, dtype=np.int64)


def _kinds(mentions: pd.DataFrame, names: pd.Series, items: list[str]) -> list[str | None]:
    if "kind" not in mentions:
        return [None] * len(items)
    _known_values(mentions, "kind", ITEM_KINDS)
    pairs = pd.DataFrame({"item": names.to_numpy(dtype=object), "kind": mentions["kind"].to_numpy(dtype=object)})
    found = (
        pairs.dropna().drop_duplicates().sort_values(["item", "kind"]).drop_duplicates("item").set_index("item")["kind"]
    )
    return [str(found[item]) if item in found.index else None for item in items]


def _known_values(frame: pd.DataFrame, column: str, values: tuple[str, ...], *, table: str = "mentions") -> None:
    if column in frame:
        wrong = frame[column].notna() & ~frame[column].isin(values)
        if wrong.any():
            bad = frame.loc[wrong, column]
            raise SchemaError.values(
                table, column, expected=f"one of {', '.join(values)}", bad=list(bad), rows=list(bad.index)
            )


def _flags(asked: pd.Series) -> Flags:
    """Return true where a flag says yes; booleans, 0/1 and yes/no."""
    words = {value: str(value).strip().lower() in ("true", "1", "1.0", "yes") for value in asked.dropna().unique()}
    return np.asarray(asked.map(words).fillna(False).to_numpy(dtype=bool))


def _need(frame: pd.DataFrame, table: str, columns: tuple[str, ...]) -> None:
    found = [str(name) for name in frame.columns]
    missing = [name for name in columns if name not in found]
    if missing:
        raise SchemaError.columns(table, missing=missing, extra=[], found=found)


def _no_blanks(frame: pd.DataFrame, table: str, column: str, values: pd.Series) -> None:
    """Raise where a value is missing, or a negative number stands in its place."""
    wrong, expected = values.isna(), "a value in every row"
    if not wrong.any() and pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values):
        wrong, expected = values < 0, "no negative number (missing is <NA>, never -1)"
    if wrong.any():
        bad = frame.loc[wrong.to_numpy(dtype=bool), column]
        raise SchemaError.values(table, column, expected=expected, bad=bad.tolist(), rows=bad.index.tolist())

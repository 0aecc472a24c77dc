"""A filled review sheet, or a table of reviews: what people decided about each candidate.

In: an .xlsx or .csv, either the sheet of `themes audit-sample` (a row per candidate, a column per item) or a table with
a row per decision. Out: the `reviews` table. Findings are corrected by it in `findings`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from os import PathLike
from pathlib import Path

import pandas as pd

from declinethemes.errors import InputError, SchemaError, SettingsError, nearest
from declinethemes.ingest.decode import MAX_MB, read_bytes
from declinethemes.ingest.tables import read_table
from declinethemes.schema import conform

WORDS: Mapping[str, tuple[str, ...]] = {
    "yes": ("yes", "y", "1", "true", "x"),
    "no": ("no", "n", "0", "false"),
    "unsure": ("unsure", "?", "maybe"),
}
_FIXED = ("candidate_id", "done", "reviewer", "inclusion_probability", "at")
_LONG = ("item", "decision")
_HEAD = re.compile(r"\[([^\[\]]+)\]\s*$")


def read_reviews(path: str | PathLike[str], *, candidates: Collection[str], items: Collection[str]) -> pd.DataFrame:
    """Read what reviewers decided.

    Parameters
    ----------
    path : path
        .xlsx, .csv or .tsv. A row per candidate (candidate_id, inclusion_probability, one column per item, headed by
        the item or "label [item]"; optional done, reviewer, at): empty cells are undecided, or no where done says yes.
        Or a row per decision: candidate_id (or subject), item, decision, inclusion_probability; optional reviewer, at.
    candidates, items : collection of str
        Those of the study.

    Returns
    -------
    pandas.DataFrame
        The reviews table, with candidate_id as subject. Decisions without a time have that of the file, so that a
        file read twice is the same decisions, and a corrected one is a later decision.

    Raises
    ------
    InputError
        Unknown candidates, a candidate twice, unknown words, probabilities that are missing or not above 0 and up to 1,
        nothing decided; SchemaError for missing columns, SettingsError for unknown items.
    """
    file = Path(path)
    frame, _ = read_table(read_bytes(file, max_mb=MAX_MB), file)
    frame = frame.rename(columns={name: name.strip() for name in frame.columns}).rename(
        columns={"subject": "candidate_id"}
    )
    needed = [name for name in ("candidate_id", "inclusion_probability") if name not in frame.columns]
    if needed:
        raise SchemaError.columns("reviews", missing=needed, extra=[], found=[str(name) for name in frame.columns])
    long = frame if set(_LONG) <= set(frame.columns) else _melted(frame, file.name)
    out = long[long["decision"].notna()]
    if out.empty:
        raise InputError(f"{file.name}: nothing is decided in it; write yes or no for each item, or yes under done")
    _check(out, file.name, candidates, items)
    reviewer = out["reviewer"] if "reviewer" in out else pd.Series(pd.NA, index=out.index)
    day = out["at"] if "at" in out else pd.Series(pd.NA, index=out.index)
    saved = datetime.fromtimestamp(file.stat().st_mtime, UTC)
    decided = {
        "subject": out["candidate_id"],
        "item": out["item"],
        "decision": out["decision"].map(_decision),
        "reviewer": reviewer.fillna("reviewer"),
        "at": day.fillna(saved.isoformat(timespec="seconds")),
        "inclusion_probability": out["inclusion_probability"].astype(float),
    }
    return conform(pd.DataFrame(decided), "reviews")


def with_parts(reviews: pd.DataFrame, above: Mapping[str, str]) -> pd.DataFrame:
    """Return reviews with the decisions that follow from them for what items are part of.

    Parameters
    ----------
    reviews : pandas.DataFrame
        The reviews table.
    above : mapping of item to item
        The code of each theme, the category of each code.

    Returns
    -------
    pandas.DataFrame
        Who mentions a part mentions the whole, whatever was said of the whole; who was decided on all codes of a
        category, and mentions none, does not mention the category.
    """
    if reviews.empty:
        return reviews
    keys = ["subject", "reviewer", "at"]
    wide = reviews.pivot_table(index=keys, columns="item", values="decision", aggfunc="last")
    for item in sorted({*above.values()}, key=lambda one: one not in above):  # codes before categories
        parts = [part for part, of in above.items() if of == item]
        there = [part for part in parts if part in wide.columns]
        made = wide[item].copy() if item in wide.columns else pd.Series(pd.NA, index=wide.index, dtype="object")
        if there and there == parts and item not in above:  # a code may be spoken of beside its themes
            made = made.mask(made.isna() & (wide[there] == "no").all(axis=1), "no")
        wide[item] = made.mask((wide[there] == "yes").any(axis=1), "yes")
    probability = reviews.groupby(keys)["inclusion_probability"].min()
    long = wide.reset_index().melt(keys, value_name="decision", var_name="item")
    return conform(long[long["decision"].notna()].join(probability, on=keys), "reviews")


def _melted(frame: pd.DataFrame, name: str) -> pd.DataFrame:
    """Return a row per candidate and item from a row per candidate."""
    twice = frame.loc[frame["candidate_id"].duplicated(keep=False), "candidate_id"]
    if "reviewer" in frame:
        twice = frame.loc[frame.duplicated(["candidate_id", "reviewer"], keep=False), "candidate_id"]
    if len(twice):
        rows = ", ".join(f"{value} (row {row})" for row, value in list(twice.items())[:5])
        raise InputError(f"{name}: a candidate has several rows of the same reviewer: {rows}; keep one of them")
    columns = {head: (found.group(1) if (found := _HEAD.search(head)) else head) for head in frame.columns}
    own = [head for head in frame.columns if head not in _FIXED]
    if not own:
        raise InputError(f"{name}: there is no column of an item; headers are an item, or its label and [item]")
    fixed = [head for head in frame.columns if head in _FIXED]
    long = frame.reset_index(names="row").melt(["row", *fixed], own, var_name="item", value_name="decision")
    long["item"] = long["item"].map(columns)
    if "done" in long:
        finished = long["done"].astype("string").str.lower().isin(WORDS["yes"]).fillna(False).astype(bool)
        long["decision"] = long["decision"].mask(long["decision"].isna() & finished, "no")
    return long.set_index("row")


def _decision(word: object) -> str | None:
    text = str(word).strip().lower()
    return next((decision for decision, words in WORDS.items() if text in words), None)


def _check(decided: pd.DataFrame, name: str, candidates: Collection[str], items: Collection[str]) -> None:
    """Raise on whatever cannot be used; nothing is left out in silence."""
    known, there = set(candidates), sorted(items)
    strangers = sorted(set(decided["candidate_id"].astype(str)) - known)
    if strangers:
        raise InputError(
            f"{name}: {len(strangers)} reviewed candidates are not in this study: {', '.join(strangers[:5])}; "
            "take their rows out, or give the reviews of this study"
        )
    for item in sorted(set(decided["item"].astype(str)) - set(there)):
        close = nearest(item, there)
        raise SettingsError(
            f"{name}: unknown item '{item}'{close}; items are categories, codes and themes of the study"
        )
    wrong = decided[decided["decision"].map(_decision).isna()]
    if len(wrong):
        bad = [f"{value!r} (row {row}, {item})" for row, item, value in _first(wrong, "decision")]
        raise InputError(f"{name}: a decision is yes, no or ?; found {len(wrong)} others: {', '.join(bad)}")
    chance = pd.to_numeric(decided["inclusion_probability"], errors="coerce")
    wrong = decided[~((chance > 0) & (chance <= 1)).fillna(False).astype(bool)]
    if len(wrong):
        bad = [f"{value!r} (row {row})" for row, _, value in _first(wrong, "inclusion_probability")]
        raise InputError(
            f"{name}: inclusion_probability is above 0 and up to 1; {len(wrong)} decisions have none or another: "
            f"{', '.join(bad)}. It stands in the sheet of `themes audit-sample`; write 1 where everybody was reviewed"
        )


def _first(rows: pd.DataFrame, column: str) -> list[tuple[object, object, object]]:
    part = rows.head(5)
    return list(zip(part.index, part["item"], part[column].astype("object"), strict=True))

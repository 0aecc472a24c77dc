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


def read_reviews(
    path: str | PathLike[str],
    *,
    candidates: Collection[str],
    items: Collection[str],
    drawn: Mapping[str, float] | None = None,
) -> pd.DataFrame:
    """Read what reviewers decided.

    Parameters
    ----------
    path : path
        .xlsx, .csv or .tsv. A row per candidate (candidate_id, one column per item, headed by the item or
        "label [item]"; optional done, reviewer, at): empty cells are undecided, or no where done says yes. Or a row per
        decision: candidate_id (or subject), item, decision; optional reviewer, at. Either may have a column
        inclusion_probability.
    candidates, items : collection of str
        Those of the study.
    drawn : mapping of candidate_id to probability, optional
        With which candidates were drawn, for files that do not say it.

    Returns
    -------
    pandas.DataFrame
        The reviews table, with candidate_id as subject. Decisions without a time have that of the file, so that a
        file read twice is the same decisions, and a corrected one is a later decision.

    Raises
    ------
    InputError
        Unknown candidates, a candidate twice, unknown words, a yes beside empty cells in a row that is not done,
        probabilities that are missing or not above 0 and up to 1, times that are none, nothing decided; SchemaError for
        missing columns, SettingsError for unknown items.
    """
    file = Path(path)
    frame, _ = read_table(read_bytes(file, max_mb=MAX_MB), file)
    frame = frame.rename(columns={name: name.strip() for name in frame.columns}).rename(
        columns={"subject": "candidate_id"}
    )
    if "candidate_id" not in frame.columns:
        found = [str(name) for name in frame.columns]
        raise SchemaError.columns("reviews", missing=["candidate_id"], extra=[], found=found)
    frame = _with_probability(frame, drawn or {}, file.name)
    long = frame if set(_LONG) <= set(frame.columns) else _melted(frame, file.name)
    out = long[long["decision"].notna()]
    if out.empty:
        raise InputError(f"{file.name}: nothing is decided in it; write yes or no for each item, or yes under done")
    _check(out, file.name, candidates, items)
    reviewer = out["reviewer"] if "reviewer" in out else pd.Series(pd.NA, index=out.index)
    saved = datetime.fromtimestamp(file.stat().st_mtime, UTC).isoformat(timespec="seconds")
    times = out["at"] if "at" in out else pd.Series(pd.NA, index=out.index)
    decided = {
        "subject": out["candidate_id"],
        "item": out["item"],
        "decision": out["decision"].map(_decision),
        "reviewer": reviewer.fillna("reviewer").str.strip().str.lower(),
        "at": _times(times.fillna(saved), file.name),
        "inclusion_probability": out["inclusion_probability"].astype(float),
    }
    return conform(pd.DataFrame(decided), "reviews")


def _with_probability(frame: pd.DataFrame, drawn: Mapping[str, float], name: str) -> pd.DataFrame:
    """Return the rows with what they were drawn with; rows without a candidate are an error."""
    missing = frame.index[frame["candidate_id"].isna()].tolist()
    if missing:
        raise InputError(f"{name}: rows without a candidate_id: {', '.join(map(str, missing[:5]))}; take them out")
    known = frame["candidate_id"].map(drawn).astype("Float64").astype("string")
    own = frame["inclusion_probability"] if "inclusion_probability" in frame else pd.Series(pd.NA, index=frame.index)
    return frame.assign(inclusion_probability=own.astype("string").fillna(known))


def _times(times: pd.Series, name: str) -> pd.Series:
    """Return times in UTC, ISO 8601, or raise with the rows that are none."""
    read = pd.to_datetime(times.astype("string"), utc=True, errors="coerce", format="ISO8601")
    wrong = times[read.isna()]
    if len(wrong):
        shown = ", ".join(f"{value!r} (row {row})" for row, value in list(wrong.items())[:5])
        raise InputError(f"{name}: at is a day (YYYY-MM-DD) or a time (ISO 8601); {len(wrong)} are not: {shown}")
    return read.dt.strftime("%Y-%m-%dT%H:%M:%S+00:00").astype("string")


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
    finished = _finished(frame, own, name)
    long["decision"] = long["decision"].mask(long["decision"].isna() & long["row"].isin(finished), "no")
    return long.set_index("row")


def _finished(frame: pd.DataFrame, own: list[str], name: str) -> list[int]:
    """Return the rows that are done; a yes among empty cells in another would leave only its yes's to count."""
    said = frame["done"].dropna().map(_decision) if "done" in frame else pd.Series(dtype="object")
    strange = said.index[~said.isin(["yes", "no"])].tolist()
    if strange:
        shown = ", ".join(f"{frame.loc[row, 'done']!r} (row {row})" for row in strange[:5])
        raise InputError(f"{name}: done is yes, no or empty; found {shown}")
    finished = said.index[said == "yes"].tolist()
    words = frame.loc[~frame.index.isin(finished), own]
    decided = words.apply(lambda column: column.map(_decision, na_action="ignore"))
    half = (decided == "yes").any(axis=1) & ~(decided == "no").any(axis=1) & words.isna().any(axis=1)
    if half.any():
        rows = ", ".join(str(row) for row in half.index[half][:5])
        raise InputError(
            f"{name}: rows with a yes, no no and empty cells that are not done: {rows}. Write yes under done where a "
            "candidate was read to the end (empty cells then count as no), or no where it is a no"
        )
    return finished


def _decision(word: object) -> str | None:
    text = str(word).strip().lower()
    return next((decision for decision, words in WORDS.items() if text in words), None)


def _check(decided: pd.DataFrame, name: str, candidates: Collection[str], items: Collection[str]) -> None:
    """Raise on whatever cannot be used; nothing is left out in silence."""
    known, there = set(map(str, candidates)), sorted(items)
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
            f"{', '.join(bad)}. Candidates that `themes audit-sample` drew for this study need none; of others, write "
            "1 where everybody was reviewed"
        )


def _first(rows: pd.DataFrame, column: str) -> list[tuple[object, object, object]]:
    part = rows.head(5)
    return list(zip(part.index, part["item"], part[column].astype("object"), strict=True))

"""The tables: their columns, types, keys and units, written once, and the check that every stage makes at its door.

In: a pandas frame from anywhere. Out: a new frame with the documented columns in the documented order and types, sorted
by its key. Missing is ``<NA>`` (``NaT`` for dates), shares lie in 0..1, dates are days without a time zone. Reading
files and storing tables is not done here.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from numbers import Integral
from typing import Any, Literal

import numpy as np
import pandas as pd

from declinethemes.errors import SchemaError

Kind = Literal["text", "int", "number", "share", "flag", "date", "list"]

DTYPES: Mapping[Kind, str] = {
    "text": "string",
    "int": "Int64",
    "number": "Float64",
    "share": "Float64",
    "flag": "boolean",
    "date": "datetime64[s]",
    "list": "object",
}
STANCES = ("positive", "negative", "mixed", "neutral")
DECISIONS = ("yes", "no", "unsure")
DOCUMENT_KINDS = ("call", "note", "survey", "email", "feedback")
EVENTS = ("new", "kept", "split", "merged", "retired", "renamed")
ITEM_KINDS = ("category", "code", "theme")
VERDICTS = ("difference", "no material difference", "not enough data", "not tested", "protected")
SMALL = 200  # rows up to which plain loops are quicker than pandas
NOT_DISCLOSED = "not disclosed"
_FLAGS = {"true": True, "false": False, "1": True, "0": False, "1.0": True, "0.0": False, "yes": True, "no": False}


@dataclass(frozen=True, kw_only=True)
class Column:
    """One column: its type, meaning, and whether it may be absent or hold missing values."""

    kind: Kind
    doc: str
    required: bool = True
    nullable: bool = True
    values: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Table:
    """One table: its columns, its key, and whether further columns (segments) may follow."""

    name: str
    doc: str
    key: tuple[str, ...]
    columns: Mapping[str, Column] = field(default_factory=dict)
    open: bool = False


def _text(doc: str, *, required: bool = True, nullable: bool = True, values: tuple[str, ...] = ()) -> Column:
    return Column(kind="text", doc=doc, required=required, nullable=nullable, values=values)


def _col(kind: Kind, doc: str, *, required: bool = True, nullable: bool = True) -> Column:
    return Column(kind=kind, doc=doc, required=required, nullable=nullable)


_ID = "identifier of the candidate, as in the user's own files"
_JOB = {
    "role": _text("the job that was offered", required=False),
    "grade": _text("seniority of the job that was offered", required=False),
    "location": _text("site of the job that was offered", required=False),
    "source": _text("how they came: applied, sourced, referred, agency", required=False),
}

TABLES: Mapping[str, Table] = {
    table.name: table
    for table in (
        Table(
            name="candidates",
            doc="One row per person who got an offer and declined it; further columns are segments.",
            key=("candidate_id",),
            open=True,
            columns={
                "candidate_id": _text(_ID, nullable=False),
                **_JOB,
                "recruiter": _text("pseudonym of the recruiter in charge", required=False),
                "batch": _text("outreach round, such as 2026-Q1; batches sort as text", required=False),
                "offer_date": _col("date", "day of the offer", required=False),
                "decline_date": _col("date", "day of the decline", required=False),
                "presumed_reason": _text("why the hiring team thinks they declined", required=False),
                "reason_code": _text("the reason chosen in the applicant tracking system", required=False),
            },
        ),
        Table(
            name="offers",
            doc="One row per offer made, accepted ones included; further columns are segments.",
            key=("offer_id",),
            open=True,
            columns={
                "offer_id": _text("identifier of the offer", nullable=False),
                "candidate_id": _text(_ID, nullable=False),
                **_JOB,
                "offer_date": _col("date", "day of the offer", required=False),
                "outcome": _text("what became of it", values=("accepted", "declined", "pending", "withdrawn")),
                "decline_date": _col("date", "day of the decline", required=False),
            },
        ),
        Table(
            name="documents",
            doc="One row per call transcript, note, survey answer, e-mail or feedback; skipped ones are listed too.",
            key=("document_id",),
            columns={
                "document_id": _text(
                    "file name below the folder given, with #row for a row of a table", nullable=False
                ),
                "candidate_id": _text(_ID),
                "kind": _text("what it is; feedback is context and never counted", values=DOCUMENT_KINDS),
                "date": _col("date", "day of the conversation or note"),
                "path": _text("where it was read from"),
                "sha256": _text("hash of the file's bytes, or of the row's cells"),
                "language": _text("ISO 639-1 code, en unless another was recognised"),
                "status": _text("read, or skipped", nullable=False, values=("read", "skipped")),
                "reason": _text("why it was skipped, or a note on how it was read"),
            },
        ),
        Table(
            name="turns",
            doc="One row per uninterrupted speech of one speaker; names are already replaced.",
            key=("document_id", "turn_no"),
            columns={
                "document_id": _text("document of the turn", nullable=False),
                "turn_no": _col("int", "position in the document, from 0", nullable=False),
                "speaker": _text("pseudonym or label of the speaker"),
                "speaker_role": _text("whose voice it is", values=("candidate", "interviewer")),
                "role_basis": _text(
                    "how the role was decided: name, label, heading, note, only speaker, or talk (doubtful)"
                ),
                "start_s": _col("number", "start of the turn, seconds from the start of the recording"),
                "end_s": _col("number", "end of the turn, seconds from the start of the recording"),
                "text": _text("what was said, names and contacts replaced", nullable=False),
            },
        ),
        Table(
            name="passages",
            doc="One row per one to three sentences of a candidate's turn or of a note: the unit that is tagged.",
            key=("passage_id",),
            columns={
                "passage_id": _text("stable hash of document, place and text", nullable=False),
                "document_id": _text("document of the passage", nullable=False),
                "candidate_id": _text(_ID, nullable=False),
                "turn_no": _col("int", "turn of the passage", nullable=False),
                "start_char": _col("int", "first character in the turn's text", nullable=False),
                "end_char": _col("int", "one past the last character in the turn's text", nullable=False),
                "text": _text("the passage", nullable=False),
                "prompt": _text("the question or heading that it answers: context, never evidence"),
            },
        ),
        Table(
            name="tags",
            doc="One row per passage and code that was found or is in doubt, and who decided.",
            key=("passage_id", "code", "decided_by"),
            columns={
                "passage_id": _text("the passage", nullable=False),
                "code": _text("code of the framework", nullable=False),
                "decided_by": _text("'model', or the name of a reviewer", nullable=False),
                "category": _text("category of the code", nullable=False),
                "probability": _col("share", "calibrated probability of the code, 0..1"),
                "decision": _text("yes, no, or unsure (between the two thresholds)", nullable=False, values=DECISIONS),
                "stance": _text("towards the hiring company", values=STANCES),
                "model_id": _text("version of the tagger that decided"),
            },
        ),
        Table(
            name="themes",
            doc="One row per recurring pattern under a code.",
            key=("theme_id",),
            columns={
                "theme_id": _text("stable name of the theme", nullable=False),
                "code": _text("code that it lives under"),
                "kind": _text(
                    "known (named in the framework) or emergent", nullable=False, values=("known", "emergent")
                ),
                "label": _text("short name for a reader", nullable=False),
                "terms": _col("list", "terms that set it apart (c-TF-IDF, MMR), strongest first"),
                "n_passages": _col("int", "passages assigned", nullable=False),
                "n_candidates": _col("int", "candidates with at least one such passage", nullable=False),
                "stability": _col("share", "mean bootstrap Jaccard over candidates, 0..1; only of emergent themes"),
                "exemplars": _col("list", "passage ids of up to three exemplars, from different candidates"),
                "status": _text(
                    "standing; tentative (stability under .60); rest (what is left of a code beyond its themes)",
                    values=("standing", "tentative", "rest"),
                ),
            },
        ),
        Table(
            name="assignments",
            doc="Which passages belong to which themes; a passage may have several.",
            key=("passage_id", "theme_id"),
            columns={
                "passage_id": _text("the passage", nullable=False),
                "theme_id": _text("the theme", nullable=False),
                "strength": _col("share", "how well it fits, 0..1"),
            },
        ),
        Table(
            name="ledger",
            doc="What became of each theme in each run; rows are only ever added.",
            key=("run", "theme_id", "event"),
            columns={
                "run": _col("int", "number of the run, from 1", nullable=False),
                "theme_id": _text("the theme", nullable=False),
                "event": _text("what became of it", nullable=False, values=EVENTS),
                "at": _col("date", "day of the run", nullable=False),
                "batch": _text("batches of the candidates whose passages were new"),
                "others": _col("list", "themes that its passages went to"),
                "label": _text("its name then", nullable=False),
                "n_passages": _col("int", "passages it had after the run", nullable=False),
                "n_candidates": _col("int", "candidates it had after the run", nullable=False),
            },
        ),
        Table(
            name="mentions",
            doc="One row per candidate and item that they spoke of, or were only asked about (n_passages 0).",
            key=("candidate_id", "item"),
            columns={
                "candidate_id": _text(_ID, nullable=False),
                "item": _text("category, code or theme", nullable=False),
                "kind": _text("which of the three", required=False, values=ITEM_KINDS),
                "n_passages": _col("int", "passages with the item; 0 = asked and not answered", required=False),
                "stance": _text(
                    "negative or mixed if any passage is; positive if some are and none is negative; else neutral",
                    required=False,
                    values=STANCES,
                ),
                "asked": _col("flag", "whether a prompt to this candidate carries the item", required=False),
            },
        ),
        Table(
            name="reviews",
            doc="Decisions of human reviewers; rows are only ever added.",
            key=("subject", "item", "reviewer", "at"),
            columns={
                "subject": _text("passage_id or candidate_id", nullable=False),
                "item": _text("category, code or theme", nullable=False),
                "decision": _text("yes, no or unsure", nullable=False, values=DECISIONS),
                "reviewer": _text("who decided", nullable=False),
                "at": _text("when, ISO 8601", nullable=False),
                "inclusion_probability": _col("share", "probability of having been drawn for review, 0..1"),
            },
        ),
        Table(
            name="contacts",
            doc="What passed between us and a candidate; rows are only ever added.",
            key=("candidate_id", "event", "at"),
            columns={
                "candidate_id": _text(_ID, nullable=False),
                "event": _text("what happened", nullable=False, values=("invited", "answered", "refused", "opted_out")),
                "at": _text("when, ISO 8601", nullable=False),
            },
        ),
        Table(
            name="releases",
            doc="The release ledger: every total that was shown to others; rows are only ever added.",
            key=("release", "view", "segment", "level", "item"),
            columns={
                "release": _col("int", "number of the release, from 1", nullable=False),
                "at": _text("when, ISO 8601", nullable=False),
                "view": _text("the filter, as JSON: {} for all candidates, else column and level", nullable=False),
                "segment": _text("column of candidates; 'a x b' for an intersection", nullable=False),
                "level": _text("value of the segment", nullable=False),
                "item": _text("category, code or theme", nullable=False),
                "n": _col("int", "candidates of the level; missing where the row read protected"),
                "n_mention": _col("int", "candidates of the level who mention the item; missing where protected"),
                "rest_n": _col("int", "candidates of the other known levels; missing where protected"),
                "rest_n_mention": _col("int", "of those, who mention the item; missing where protected"),
            },
        ),
        Table(
            name="findings",
            doc="One row per item at one level of one segment: the level against everybody else whose level is known.",
            key=("segment", "level", "item"),
            columns={
                "segment": _text("column of candidates; 'a x b' for an intersection", nullable=False),
                "level": _text("value of the segment", nullable=False),
                "item": _text("category, code or theme", nullable=False),
                "kind": _text("which of the three", values=ITEM_KINDS),
                "n_mention": _col("int", "candidates of the level who mention the item"),
                "n": _col("int", "candidates of the level"),
                "share": _col("share", "n_mention / n"),
                "share_low": _col("share", "lower Wilson limit of the share (95 %)"),
                "share_high": _col("share", "upper Wilson limit of the share (95 %)"),
                "rest_n_mention": _col("int", "candidates of the other known levels who mention the item"),
                "rest_n": _col("int", "candidates of the other known levels"),
                "rest_share": _col("share", "rest_n_mention / rest_n"),
                "difference": _col("number", "share - rest_share, -1..1"),
                "ci_low": _col("number", "lower Newcombe limit of the difference (95 %, not adjusted)"),
                "ci_high": _col("number", "upper Newcombe limit of the difference (95 %, not adjusted)"),
                "p_value": _col("share", "Fisher mid-p, two-sided, not adjusted"),
                "p_bh": _col("share", "Benjamini-Hochberg over the declared family"),
                "p_wy": _col("share", "Westfall-Young step-down min-P; missing where not computed"),
                "mde": _col("share", "smallest gap found with power .8 at these numbers, upwards; missing if none"),
                "adjusted_difference": _col(
                    "number", "Mantel-Haenszel difference within strata; missing if not adjusted"
                ),
                "adjusted_p": _col("share", "exact conditional CMH, two-sided; missing if not adjusted"),
                "asked_share": _col("share", "share of the level who were asked about the item"),
                "rest_asked_share": _col("share", "share of the rest who were asked about the item"),
                "audit_state": _text(
                    "unaudited, audited or human codes", values=("unaudited", "audited", "human codes")
                ),
                "tipping_recall": _col("number", "difference in tagger recall that would bring the interval to 0"),
                "verdict": _text("what may be said", values=VERDICTS),
                "suppressed": _col("flag", "hidden in a study's outputs by the disclosure rules"),
                "note": _text("what the reader must know of this row"),
            },
        ),
    )
}


def empty(table: str) -> pd.DataFrame:
    """Return a table without rows, with its columns and types."""
    spec = TABLES[table]
    return pd.DataFrame({name: pd.Series([], dtype=DTYPES[column.kind]) for name, column in spec.columns.items()})


def conform(frame: pd.DataFrame, table: str) -> pd.DataFrame:
    """Check a frame against a table and return it in the table's columns, types and order.

    Parameters
    ----------
    frame : pandas.DataFrame
        Any frame with at least the required columns; it is not changed.
    table : str
        Name of a table in `TABLES`.

    Returns
    -------
    pandas.DataFrame
        Documented columns first (optional ones that were absent are filled with missing), further columns after them
        where the table is open; sorted by key, index 0..n-1.

    Raises
    ------
    SchemaError
        Columns are missing or unexpected, values do not fit the type, or the key repeats.
    """
    spec = TABLES[table]
    found = [str(name) for name in frame.columns]
    twice = sorted({name for name in found if found.count(name) > 1})
    if twice:
        raise SchemaError(f"the table '{table}' has columns of the same name: {', '.join(twice)}; rename or drop one")
    frame = frame.set_axis(found, axis=1)
    missing = [name for name, column in spec.columns.items() if column.required and name not in found]
    extra = [] if spec.open else [name for name in found if name not in spec.columns]
    if missing or extra:
        raise SchemaError.columns(table, missing=missing, extra=extra, found=found)
    out: dict[str, pd.Series] = {}
    for name, column in spec.columns.items():
        if name in found:
            out[name] = _typed(frame[name], table, name, column)
        else:
            out[name] = _typed(pd.Series(None, index=frame.index, dtype="object"), table, name, column)
    for name in found:
        if name not in spec.columns:
            out[name] = frame[name]
    result = pd.DataFrame(out, index=frame.index)
    keys = list(spec.key)
    if result.duplicated(keys).any():
        repeated = result[result.duplicated(keys, keep=False)]
        values = [" / ".join(str(part) for part in row) for row in repeated[keys].itertuples(index=False)]
        raise SchemaError.values(
            table, " + ".join(keys), expected="each value once", bad=values, rows=list(repeated.index)
        )
    return result.sort_values(keys, kind="stable").reset_index(drop=True)


def _typed(series: pd.Series, table: str, name: str, column: Column) -> pd.Series:
    """Return the series in the column's type, blank as missing, or raise with the values that do not fit.

    Works on plain values: most frames here are small, and a pandas operation costs more than the loop.
    """
    if len(series) > SMALL and _fits(series, column):
        return series
    dtype: Any = DTYPES[column.kind]
    given = series.astype("object").tolist()
    values = [None if gone or _is_blank(value) else value for value, gone in zip(given, series.isna(), strict=True)]
    typed = [None if value is None else _value(value, column.kind) for value in values]
    wrong = [
        (new is None and (value is not None or not column.nullable))
        or (new is not None and bool(column.values) and new not in column.values)
        for value, new in zip(values, typed, strict=True)
    ]
    if any(wrong):
        bad = pd.Series(wrong, index=series.index)
        raise SchemaError.values(
            table, name, expected=_expected(column), bad=list(series[bad]), rows=list(series.index[bad])
        )
    if column.kind == "list":
        typed = [pd.NA if value is None else value for value in typed]
    return pd.Series(typed, index=series.index, name=name, dtype=dtype)


def _fits(series: pd.Series, column: Column) -> bool:
    """Return whether a series is of the column's type already, without a value that would be changed or refused."""
    if column.kind == "list" or str(series.dtype) != DTYPES[column.kind]:
        return False
    if not column.nullable and series.isna().any():
        return False
    if column.kind == "text":
        blank = bool((series.str.strip() == "").any())
        return not blank and (not column.values or bool(series.dropna().isin(column.values).all()))
    if column.kind in ("share", "number"):
        numbers = series.dropna().astype("float64")
        inside = numbers.between(0, 1) if column.kind == "share" else np.isfinite(numbers)
        return bool(inside.all())
    return column.kind in ("int", "flag")


def _is_blank(value: object) -> bool:
    return isinstance(value, str) and not value.strip()


def _value(value: Any, kind: Kind) -> Any:
    """Return one value in the type of its column; None where it does not fit."""
    if kind == "text":
        return str(value)
    if kind == "flag":
        return _FLAGS.get(str(value).strip().lower())
    if kind == "date":
        return _day(value)
    if kind == "list":
        return list(value) if isinstance(value, (list, tuple, np.ndarray)) else None
    try:
        if kind == "int":
            return _whole(value)
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if math.isfinite(number) and (kind == "number" or 0 <= number <= 1) else None


def _day(value: Any) -> pd.Timestamp | None:
    """Return the day of a date, a time or an ISO 8601 text."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value.strip())
        except ValueError:
            return None
    if isinstance(value, np.datetime64):
        value = pd.Timestamp(value)
    return pd.Timestamp(value.year, value.month, value.day) if isinstance(value, date) else None


def _whole(value: Any) -> int | None:
    """Return a whole number of at most 64 bits, every digit kept."""
    if not isinstance(value, (str, Integral)) or (isinstance(value, str) and not value.strip().lstrip("+-").isdigit()):
        value = float(value)
        if not value.is_integer():
            return None
    number = int(value)
    return number if -(2**63) <= number < 2**63 else None


def _expected(column: Column) -> str:
    if column.values:
        return "one of " + ", ".join(column.values)
    text = {
        "text": "text",
        "int": "whole numbers",
        "number": "numbers",
        "share": "shares between 0 and 1",
        "flag": "true or false",
        "date": "dates as YYYY-MM-DD",
        "list": "lists",
    }[column.kind]
    return text if column.nullable else f"{text}, none missing"

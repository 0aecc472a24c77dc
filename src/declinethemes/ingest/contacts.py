"""Whom to write to, and what passed between us: addresses from the offers file, and files of contact events.

In: a .csv, .tsv or .xlsx. Out: names and e-mails by candidate, for the letters only; or the `contacts` table. Nothing
is stored here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from os import PathLike
from pathlib import Path

import pandas as pd

from declinethemes.errors import SchemaError
from declinethemes.ingest.columns import map_columns, normal
from declinethemes.ingest.dates import parse_day
from declinethemes.ingest.decode import MAX_MB, read_bytes
from declinethemes.ingest.people import identities
from declinethemes.ingest.speakers import fold
from declinethemes.ingest.tables import read_table
from declinethemes.schema import TABLES, conform

_EVENT = ("event", "what happened", "status", "what")
_AT = ("at", "date", "day", "when", "on")
_WORDS: Mapping[str, str] = {
    "invite": "invited",
    "answer": "answered",
    "replied": "answered",
    "talked": "answered",
    "interviewed": "answered",
    "refuse": "refused",
    "declined": "refused",
    "said_no": "refused",
    "opt_out": "opted_out",
    "optout": "opted_out",
    "opted_out": "opted_out",
    "unsubscribed": "opted_out",
    "do_not_contact": "opted_out",
}


def read_contacts(
    path: str | PathLike[str], columns: Mapping[str, str] | None = None, *, max_mb: float = MAX_MB
) -> pd.DataFrame:
    """Read a file of contact events.

    Parameters
    ----------
    path : str or path
        One row per event: candidate_id, event (invited, answered, refused, opted out), at (a day, or an ISO 8601 time).
    columns : mapping of str to str, optional
        Header in the file to our column; wins over what is guessed.
    max_mb : float, default 50
        Largest file that is read, in megabytes.

    Returns
    -------
    pandas.DataFrame
        The `contacts` table; a row that stands in the file twice comes once.

    Raises
    ------
    InputError
        The file is no table, or empty.
    SchemaError
        A column is missing, an event is none of the four, or a day is not clear; the first five rows are shown.
    """
    path = Path(path)
    frame, _ = read_table(read_bytes(path, max_mb=max_mb), path)
    frame = frame.dropna(how="all")
    mapping, _ = map_columns(frame.columns, columns or {}, table="candidates")
    ours = {column: header for header, column in mapping.items()}
    left = {normal(header): header for header in frame.columns if mapping.get(header) != "candidate_id"}
    for column, names in (("event", _EVENT), ("at", _AT)):
        ours.setdefault(column, next((left[name] for name in names if name in left), ""))
    missing = [column for column in TABLES["contacts"].columns if not ours.get(column)]
    if missing:
        raise SchemaError.columns("contacts", missing=missing, extra=[], found=list(frame.columns))
    out = frame[[ours[column] for column in TABLES["contacts"].columns]].set_axis(
        list(TABLES["contacts"].columns), axis=1
    )
    out["event"] = out["event"].map(_event, na_action="ignore").astype("string")
    out["at"] = _times(out["at"])
    return conform(out.drop_duplicates(), "contacts")


def read_addresses(
    path: str | PathLike[str], columns: Mapping[str, str] | None = None, *, max_mb: float = MAX_MB
) -> pd.DataFrame:
    """Read names and e-mails from the offers file.

    Parameters
    ----------
    path : str or path
        The offers file: one row per offer, with candidate_id.
    columns : mapping of str to str, optional
        Header in the file to our column; wins over what is guessed.
    max_mb : float, default 50
        Largest file that is read, in megabytes.

    Returns
    -------
    pandas.DataFrame
        candidate_id, name, email (missing where the file has none), one row per candidate. Several e-mails of one
        candidate are separated by ``;``. They are for letters: no table of a study has them.

    Raises
    ------
    InputError, SchemaError
        The file is no table, or has no candidate_id.
    """
    path = Path(path)
    frame, _ = read_table(read_bytes(path, max_mb=max_mb), path)
    mapping, _ = map_columns(frame.columns, columns or {}, table="candidates")
    headers = [header for header, ours in mapping.items() if ours == "candidate_id"]
    if not headers:
        raise SchemaError.columns("offers", missing=["candidate_id"], extra=[], found=list(frame.columns))
    found = identities(frame, mapping, frame[headers[0]]).dropna(subset=["candidate_id"])
    found = found.reindex(columns=["candidate_id", "name", "email"])
    people = found.groupby("candidate_id", sort=True, as_index=False).agg({"name": "first", "email": _joined})
    return people.astype("string")


def _joined(cells: pd.Series) -> object:
    """Return the different e-mails of one candidate as one text, or missing."""
    different = dict.fromkeys(part.strip() for cell in cells.dropna() for part in str(cell).split(";") if part.strip())
    return ";".join(different) or pd.NA


def _event(cell: str) -> str:
    """Return the event in our words where it is one of them, else as it stands."""
    word = re.sub(r"[\W_]+", "_", fold(cell)).strip("_")
    return _WORDS.get(word, word)


def _times(cells: pd.Series) -> pd.Series:
    """Return times in ISO 8601 as they are and days as YYYY-MM-DD, or raise with the rows that are neither."""
    times: list[object] = []
    bad: list[tuple[object, object]] = []
    for row, cell in cells.items():
        try:
            times.append(cell if pd.notna(cell) and _is_time(str(cell)) else parse_day("" if pd.isna(cell) else cell))
        except ValueError:
            times.append(pd.NA)
            bad.append(("" if pd.isna(cell) else cell, row))
    if bad:
        expected = "days as YYYY-MM-DD or times in ISO 8601, none missing"
        raise SchemaError.values("contacts", "at", expected=expected, bad=[b for b, _ in bad], rows=[r for _, r in bad])
    return pd.Series(times, index=cells.index, dtype="string")


def _is_time(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return "T" in text or " " in text

"""The candidates file: who declined, which names must not be shown, which documents are whose.

In: a .csv, .tsv or .xlsx with one row per candidate. Out: `People`; settings drafted from the headers. Names, e-mails
and phones go into `identities`, never into `candidates`. Recruiters' names are still in `candidates.recruiter`:
`Redactor.speaker` replaces them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path

import pandas as pd

from declinethemes.config import Settings, draft_settings, possible_segments
from declinethemes.errors import InputError, SchemaError
from declinethemes.ingest.columns import IDENTITY, guess_columns, map_columns
from declinethemes.ingest.dates import parse_days
from declinethemes.ingest.decode import MAX_MB, read_bytes
from declinethemes.ingest.speakers import fold
from declinethemes.ingest.tables import read_table
from declinethemes.schema import conform

IDENTITY_COLUMNS = ("candidate_id", "name", "nickname", "email", "phone")


@dataclass(frozen=True, kw_only=True, eq=False)
class People:
    """The candidates, and what must be known of them to read and redact their documents.

    Attributes
    ----------
    candidates : pandas.DataFrame
        The `candidates` table; no name, e-mail or phone.
    identities : pandas.DataFrame
        candidate_id, name, nickname, email, phone (those that the file has; several values are separated by ``;``).
    documents : mapping of str to str
        Document, as named in a `document` column, to candidate_id.
    others : tuple of str
        Names of recruiters and interviewers, sorted.
    notes : tuple of str
        What the reader of the file should know.
    path : pathlib.Path or None
        Where it was read from.
    headers : tuple of str
        The headers of the file.
    """

    candidates: pd.DataFrame
    identities: pd.DataFrame
    documents: Mapping[str, str] = field(default_factory=dict)
    others: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    path: Path | None = None
    headers: tuple[str, ...] = ()

    def names(self, candidate_id: str) -> list[str]:
        """Return the full name and the nicknames of a candidate."""
        row = self.identities[self.identities["candidate_id"] == candidate_id]
        cells = [row[column].iloc[0] for column in ("name", "nickname") if column in row.columns and len(row)]
        return [part.strip() for cell in cells if pd.notna(cell) for part in str(cell).split(";") if part.strip()]


def read_people(
    path: str | PathLike[str], columns: Mapping[str, str] | None = None, *, max_mb: float = MAX_MB
) -> People:
    """Read the candidates file.

    Parameters
    ----------
    path : str or path
        A .csv, .tsv or .xlsx with one row per candidate; only a candidate_id column is required.
    columns : mapping of str to str, optional
        Header in the file to our column; wins over what is guessed. An empty text leaves the column out.
    max_mb : float, default 50
        Largest file that is read, in megabytes.

    Returns
    -------
    People
        Candidates in the form of the `candidates` table, identities, documents and notes.

    Raises
    ------
    InputError
        The file is no table, or empty.
    SchemaError
        There is no candidate_id, it is missing in some rows or comes twice, or days are not clear.
    """
    path = Path(path)
    frame, read_notes = read_table(read_bytes(path, max_mb=max_mb), path)
    frame = frame.dropna(how="all")
    if frame.empty:
        raise InputError(f"{path.name}: all rows are empty")
    mapping, absent = map_columns(frame.columns, columns or {}, table="candidates")
    addresses = [header for header in frame.columns if frame[header].str.contains(r"\S@\S+\.\w", na=False).any()]
    mapping |= {header: "contact" for header in addresses if header not in mapping}
    dropped = [header for header, ours in mapping.items() if ours == "contact"]
    notes = [*read_notes, *(f"[columns] names '{header}', which {path.name} does not have" for header in absent)]
    ids = _ids(frame, mapping)
    known = identities(frame, mapping, ids)
    candidates = pd.DataFrame({"candidate_id": ids})
    hidden = {*IDENTITY, "contact", "document", "interviewer", ""}
    for header in frame.columns:
        ours = mapping.get(header, header)
        if ours in hidden or ours == "candidate_id":
            continue
        if ours in candidates.columns:
            raise InputError(
                f"{path.name}: two columns are both '{ours}' ('{header}' is one); map one of them to another name"
            )
        candidates[ours] = _typed(frame[header], ours)
    notes += [f"left out because it identifies people: {', '.join(dropped)}"] if dropped else []
    if ids.str.fullmatch(r"[^\W\d_]{2,}([ ,.'-]+[^\W\d_]{2,})+").mean() > 0.5:
        notes.append("candidate_id looks like names; they are shown wherever a candidate is named: use neutral ids")
    return People(
        candidates=conform(candidates, "candidates"),
        identities=known.sort_values("candidate_id").reset_index(drop=True),
        documents=_documents(frame, mapping, ids),
        others=_others(frame, mapping),
        notes=tuple(notes),
        path=path,
        headers=tuple(str(header) for header in frame.columns),
    )


def read_candidates(
    path: str | PathLike[str], columns: Mapping[str, str] | None = None, *, max_mb: float = MAX_MB
) -> pd.DataFrame:
    """Read the candidates file and return the `candidates` table; see `read_people` for parameters and errors."""
    return read_people(path, columns, max_mb=max_mb).candidates


def _ids(frame: pd.DataFrame, mapping: Mapping[str, str]) -> pd.Series:
    """Return the candidate_id column after checking that it is there, filled and unique."""
    headers = [header for header, ours in mapping.items() if ours == "candidate_id"]
    if not headers:
        raise SchemaError.columns("candidates", missing=["candidate_id"], extra=[], found=list(frame.columns))
    ids = frame[headers[0]]
    if ids.isna().any():
        empty = ids[ids.isna()]
        raise SchemaError.values(
            "candidates", "candidate_id", expected="text, none missing", bad=["" for _ in empty], rows=list(empty.index)
        )
    repeated = ids[ids.duplicated(keep=False)]
    if len(repeated):
        raise SchemaError.values(
            "candidates", "candidate_id", expected="each value once", bad=list(repeated), rows=list(repeated.index)
        )
    return ids


def identities(frame: pd.DataFrame, mapping: Mapping[str, str], ids: pd.Series) -> pd.DataFrame:
    """Return candidate_id with name, nickname, email, phone (those there are); several columns are put together."""
    out = pd.DataFrame({"candidate_id": ids})
    for ours in IDENTITY_COLUMNS[1:]:
        headers = [header for header, column in mapping.items() if column == ours]
        if headers:
            out[ours] = _joined(frame[headers], ";")
    halves = [header for half in ("first_name", "last_name") for header, ours in mapping.items() if ours == half]
    if halves:
        whole = _joined(frame[halves], " ")
        out["name"] = out["name"].fillna(whole) if "name" in out.columns else whole
    return out[[column for column in IDENTITY_COLUMNS if column in out.columns]]


def _joined(frame: pd.DataFrame, separator: str) -> pd.Series:
    rows = [separator.join(str(cell) for cell in row if pd.notna(cell)) for row in frame.itertuples(index=False)]
    return pd.Series([row or pd.NA for row in rows], index=frame.index, dtype="string")


def _documents(frame: pd.DataFrame, mapping: Mapping[str, str], ids: pd.Series) -> dict[str, str]:
    """Return document to candidate_id from the `document` column; several are separated by ``;``."""
    headers = [header for header, ours in mapping.items() if ours == "document"]
    owners: dict[str, str] = {}
    for header in headers:
        for cell, candidate_id in zip(frame[header], ids, strict=True):
            for document in str(cell).split(";") if pd.notna(cell) else []:
                name = document.strip().replace("\\", "/")
                if name and owners.setdefault(name, str(candidate_id)) != candidate_id:
                    raise InputError(
                        f"the document '{name}' is given to two candidates: {owners[name]}, {candidate_id}"
                    )
    return owners


def _others(frame: pd.DataFrame, mapping: Mapping[str, str]) -> tuple[str, ...]:
    headers = [header for header, ours in mapping.items() if ours in ("recruiter", "interviewer")]
    cells = [str(cell) for header in headers for cell in frame[header].dropna()]
    return tuple(sorted({name.strip() for cell in cells for name in re.split(r"[;/&\n]| and ", cell) if name.strip()}))


def _typed(series: pd.Series, ours: str) -> pd.Series:
    """Return a column with days as ISO text and the source as one of our words where it is one."""
    if ours in ("offer_date", "decline_date"):
        return parse_days(series, table="candidates", column=ours)
    if ours == "source":
        return series.map(lambda cell: fold(str(cell)), na_action="ignore").astype("string")
    return series


def draft_study(candidates: str | PathLike[str]) -> tuple[Settings, str]:
    """Draft settings from a candidates file.

    Returns
    -------
    Settings, str
        The settings, and the text of a ``study.toml`` that holds them.
    """
    people = read_people(candidates)
    headers = [str(name) for name in people.headers]
    text = draft_settings(people.candidates, {head: ours for head, ours in guess_columns(headers).items() if ours})
    segments = tuple(possible_segments(people.candidates))
    return Settings(columns=guess_columns(headers), segments=segments), text

"""Tables: .csv, .tsv and .xlsx to frames of text, and tables of notes to cues.

In: the bytes of a table. Out: a frame of text cells (missing as ``<NA>``) whose index is the row number in the file;
or, for a table of notes, one `Entry` per row. Which candidate a row belongs to is decided in `documents`.
"""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
import io
import re
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from declinethemes.errors import InputError
from declinethemes.ingest.columns import map_columns
from declinethemes.ingest.cues import Cue, collapse, heading
from declinethemes.ingest.decode import decode
from declinethemes.ingest.word import check_package

_MISSING = frozenset({"", "n/a", "#n/a", "nan", "<na>", "null", "none", "-", "--", "—", "nil", "nat"})
_META = frozenset({"candidate_id", "id", "kind", "date", "author"})
QUESTION_WORDS = 3
"""A column whose cells have this many words on average holds answers, whatever its header."""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One row of a table of notes: what it says of itself, its hash, and its text as cues (none if it is empty)."""

    row: int
    sha256: str
    meta: Mapping[str, str]
    cues: Sequence[Cue]


def read_table(data: bytes, path: Path) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Read a table as text.

    Parameters
    ----------
    data : bytes
        The whole file.
    path : pathlib.Path
        Its name; the suffix says what it is (.csv, .tsv, .xlsx).

    Returns
    -------
    tuple of pandas.DataFrame and tuple of str
        String columns, missing as ``<NA>``, the index the row number in the file (the header is row 1); wholly empty
        columns without a header are left out. And notes on how it was read.

    Raises
    ------
    InputError
        The file is no table, has a header only, a header twice, or rows longer than the header.
    """
    if path.suffix.lower() == ".xlsx":
        rows, notes = _sheet(data, path.name)
    else:
        text, note = decode(data, path.name)
        rows, notes = _separated(text, path), (note,) if note else ()
    while rows and not any(rows[-1]):
        rows.pop()
    if not rows or not any(rows[0]):
        raise InputError(f"{path.name}: the first row should hold the headers, it is empty")
    if len(rows) == 1:
        raise InputError(f"{path.name}: there is a header and no row below it")
    return _frame(rows, path.name), notes


def read_entries(frame: pd.DataFrame, columns: Mapping[str, str], name: str) -> tuple[list[Entry], tuple[str, ...]]:
    """Return the notes of a table, one per row, and notes on which columns were used.

    Parameters
    ----------
    frame : pandas.DataFrame
        From `read_table`.
    columns : mapping of str to str
        Header to our column, as given by the user.
    name : str
        Name of the file, for messages.

    Raises
    ------
    InputError
        No column holds text.
    """
    mapping, _ = map_columns(frame.columns, columns, table="notes")
    texts = [header for header, ours in mapping.items() if ours == "text"]
    asked = [] if texts else _question_columns(frame, mapping)
    if not texts and not asked:
        raise InputError(f"{name}: no column holds text; found {', '.join(frame.columns)}. Name one 'text', or map it.")
    used = {*texts, *asked, *(header for header, ours in mapping.items() if ours in _META)}
    unused = [header for header in frame.columns if header not in used]
    notes = (f"columns not read as text: {', '.join(unused)}",) if unused else ()
    entries = []
    for row, cells in zip(frame.index, frame.to_dict("records"), strict=True):
        filled = {str(header): str(cell) for header, cell in cells.items() if pd.notna(cell)}
        meta = {mapping[header]: cell for header, cell in filled.items() if mapping.get(header) in _META}
        cues: list[Cue] = []
        for header in (*texts, *asked):
            if header in filled:
                cues += [heading(header)] if header in asked else []
                cues += [Cue(text=filled[header], speaker=meta.get("author"), role="candidate", basis="note")]
        content = "\x1f".join(f"{header}={filled[header]}" for header in sorted(filled))
        entries.append(Entry(row=int(row), sha256=hashlib.sha256(content.encode()).hexdigest(), meta=meta, cues=cues))
    return entries, notes


def _question_columns(frame: pd.DataFrame, mapping: Mapping[str, str]) -> list[str]:
    """Return the columns that hold answers: not recognised otherwise, text rather than numbers or choices."""
    questions = []
    for header in frame.columns:
        filled = frame[header].dropna()
        if header in mapping or filled.empty:
            continue
        numbers = filled.str.fullmatch(r"[\d\s.,:/%+-]+").all()
        words = sum(len(cell.split()) for cell in filled) / len(filled)
        sentence = header.endswith("?") or len(header.split()) >= 4
        if not numbers and (sentence or words >= QUESTION_WORDS):
            questions.append(header)
    return questions


def _separated(text: str, path: Path) -> list[list[str]]:
    """Return the cells of a .csv or .tsv; the separator of a .csv is what its header has most of."""
    separator = "\t"
    if path.suffix.lower() != ".tsv":
        header = next(line for line in text.split("\n") if line.strip())
        unquoted = re.sub(r'"[^"]*"', "", header)
        separator = max(",;\t|", key=unquoted.count)
    try:
        return [
            [_cell(cell) for cell in row] for row in csv.reader(io.StringIO(text), delimiter=separator, strict=True)
        ]
    except csv.Error as error:
        raise InputError(f"{path.name}: this is no regular table ({error})") from error


def _sheet(data: bytes, name: str) -> tuple[list[list[str]], tuple[str, ...]]:
    """Return the cells of the first sheet that is not hidden, and a note that names the sheets left out."""
    check_package(data, name, what="Excel file (.xlsx)", part="xl/workbook.xml")
    import openpyxl

    try:
        book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True)
        sheets = [sheet for sheet in book.worksheets if sheet.sheet_state == "visible"] or book.worksheets
        rows = [[_cell(cell) for cell in row] for row in sheets[0].iter_rows(values_only=True)] if sheets else []
    except (ValueError, KeyError, TypeError, SyntaxError, zipfile.BadZipFile) as error:
        raise InputError(f"{name}: an Excel file (.xlsx) was expected, it cannot be read ({error})") from error
    others = [sheet.title for sheet in book.worksheets if sheet.title != sheets[0].title] if sheets else []
    book.close()
    return rows, (f"only the sheet '{sheets[0].title}' was read, not: {', '.join(others)}",) if others else ()


def _cell(value: object) -> str:
    """Return a cell as text; days without a time as YYYY-MM-DD, whole numbers without a point."""
    if value is None:
        return ""
    if isinstance(value, dt.datetime):
        return value.date().isoformat() if value.time() == dt.time(0) else value.isoformat(sep=" ")
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()


def _frame(rows: list[list[str]], name: str) -> pd.DataFrame:
    """Return rows (the first one the header) as a frame; rows are padded, never cut."""
    width = max(len(row) for row in rows)
    padded = [row + [""] * (width - len(row)) for row in rows]
    columns = [place for place in range(width) if any(row[place] for row in padded)]
    headers = [collapse(padded[0][place]) for place in columns]
    nameless = [place for place, header in zip(columns, headers, strict=True) if not header]
    if nameless:
        row = next(number for number, cells in enumerate(padded, start=1) if any(cells[place] for place in nameless))
        raise InputError(f"{name}: row {row} has a cell in a column without a header (column {nameless[0] + 1})")
    twice = sorted({header for header in headers if headers.count(header) > 1})
    if twice:
        raise InputError(f"{name}: the header '{twice[0]}' stands twice; every column needs a header of its own")
    data = {
        header: [_known(row[place], header) for row in padded[1:]]
        for header, place in zip(headers, columns, strict=True)
    }
    return pd.DataFrame(data, index=range(2, len(padded) + 1), dtype="string")


def _known(cell: str, header: str) -> object:
    """Return the cell, or missing; ``NA`` is missing too, except as a place (North America, Namibia)."""
    if cell.lower() in _MISSING or (cell == "NA" and "location" not in header.lower()):
        return pd.NA
    return cell

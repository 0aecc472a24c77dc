"""Files and folders to documents: what each is, whose it is, and its turns.

In: paths and `People`. Out: one `Document` at a time, skipped ones too, each with its row for the `documents` table.
Text is as in the files: replace names (`redact`) before anything is stored.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path

import pandas as pd

from declinethemes.errors import InputError, SchemaError
from declinethemes.ingest.columns import map_columns
from declinethemes.ingest.cues import Cue, to_turns
from declinethemes.ingest.dates import day_in_name, parse_day, parse_days
from declinethemes.ingest.decode import MAX_MB, digest, read_bytes
from declinethemes.ingest.people import People
from declinethemes.ingest.readers import TABLES, check_suffix, parse
from declinethemes.ingest.roles import assign_roles
from declinethemes.ingest.speakers import fold
from declinethemes.ingest.tables import Entry, read_entries, read_table
from declinethemes.schema import DOCUMENT_KINDS, conform, empty

_LIST = "documents.csv"
_NOT_NOTES = frozenset({"candidates", "offers", "identities", "people"})
_KIND_WORDS = {
    "call": "call", "interview": "call", "transcript": "call", "recording": "call", "note": "note", "survey": "survey",
    "questionnaire": "survey", "email": "email", "mail": "email", "feedback": "feedback",
}  # fmt: skip


@dataclass(frozen=True, kw_only=True, eq=False)
class Document:
    """One document: its row of the `documents` table, and its turns if it was read.

    Attributes
    ----------
    row : dict
        document_id, candidate_id, kind, date, path, sha256, language, status, reason.
    turns : pandas.DataFrame or None
        In the form of the `turns` table, names not yet replaced; None if it was skipped.
    note : str or None
        How it was read, if there is something to know; the same text as `row["reason"]`.
    known : bool
        The caller has it already (its sha256 is in `known`); it was not parsed.
    """

    row: dict[str, object]
    turns: pd.DataFrame | None = None
    note: str | None = None
    known: bool = False


@dataclass(frozen=True, kw_only=True, eq=False)
class Sources:
    """All documents of one reading: the `documents` and `turns` tables, names not yet replaced."""

    documents: pd.DataFrame
    turns: pd.DataFrame


@dataclass(frozen=True, kw_only=True)
class _File:
    """One file to read; `listed` is its row of documents.csv."""

    path: Path
    document_id: str
    words: str
    listed: Mapping[str, str] = field(default_factory=dict)


def read_documents(
    paths: str | PathLike[str] | Sequence[str | PathLike[str]],
    people: People,
    *,
    columns: Mapping[str, str] | None = None,
    known: Container[str] | Callable[[str], bool] = frozenset(),
    max_mb: float = MAX_MB,
) -> Sources:
    """Read files and folders at once; see `iter_documents` for parameters and errors."""
    found = [
        item for item in iter_documents(paths, people, columns=columns, known=known, max_mb=max_mb) if not item.known
    ]
    turns = [item.turns for item in found if item.turns is not None]
    return Sources(
        documents=conform(pd.DataFrame([item.row for item in found]), "documents") if found else empty("documents"),
        turns=conform(pd.concat(turns, ignore_index=True), "turns") if turns else empty("turns"),
    )


def iter_documents(
    paths: str | PathLike[str] | Sequence[str | PathLike[str]],
    people: People,
    *,
    columns: Mapping[str, str] | None = None,
    known: Container[str] | Callable[[str], bool] = frozenset(),
    max_mb: float = MAX_MB,
) -> Iterator[Document]:
    """Read files and folders one document at a time, in sorted order.

    Parameters
    ----------
    paths : path or sequence of paths
        Files, and folders that are searched to the bottom; hidden files and documents.csv are no documents.
    people : People
        The candidates, from `read_people`.
    columns : mapping of str to str, optional
        Header to our column, for tables of notes and documents.csv.
    known : container of str, or function from str to bool
        sha256 of what the caller has already; asked before parsing. Such documents come with `known` set.
    max_mb : float, default 50
        Largest file that is read, in megabytes.

    Yields
    ------
    Document
        Whatever cannot be used comes too, with status ``skipped`` and the reason. The candidate is looked for in
        documents.csv, the `document` column of the candidates file, the candidate_id column of a table of notes, and
        the file's name (``<candidate_id>`` or ``<candidate_id>`` followed by one of ``_-. ``).

    Raises
    ------
    InputError
        A path does not exist, or documents.csv cannot be used.
    """
    is_known = known if callable(known) else known.__contains__
    seen: dict[str, str] = {}
    for file in _files(paths, columns or {}, max_mb):
        for item in _read(file, people, columns or {}, is_known, max_mb):
            sha256, document_id = str(item.row["sha256"]), str(item.row["document_id"])
            first = seen.get(sha256)
            if item.turns is not None and first is not None:
                yield _skipped(item.row, f"same content as {first}")
                continue
            if item.turns is not None or item.known:
                seen.setdefault(sha256, document_id)
            yield item


def _files(
    paths: str | PathLike[str] | Sequence[str | PathLike[str]], columns: Mapping[str, str], max_mb: float
) -> list[_File]:
    """Return the files to read with their ids; an id that comes twice is told apart by the name of its folder."""
    given = [Path(paths)] if isinstance(paths, (str, PathLike)) else [Path(path) for path in paths]
    files: dict[str, _File] = {}
    lists: dict[Path, Mapping[str, Mapping[str, str]]] = {}
    taken: set[Path] = set()
    for root in given:
        if not root.exists():
            raise InputError(f"{root}: there is no such file or folder")
        base = root if root.is_dir() else root.parent
        for path in _walk(root):
            if path.resolve() in taken:
                continue
            taken.add(path.resolve())
            inside = path.relative_to(base).as_posix()
            document_id = inside if inside not in files else f"{base.resolve().name}/{inside}"
            if document_id in files:
                raise InputError(f"{path}: another file has the same document id '{document_id}'; rename one of them")
            for folder in {base, path.parent}:
                if folder not in lists:
                    lists[folder] = _listed(folder / _LIST, columns, max_mb)
            listed = lists[path.parent].get(path.name) or lists[base].get(inside) or {}
            words = f"{base.resolve().name if root.is_dir() else path.parent.resolve().name}/{inside}"
            files[document_id] = _File(path=path, document_id=document_id, words=words, listed=listed)
    return [files[document_id] for document_id in sorted(files)]


def _walk(root: Path) -> list[Path]:
    if root.is_file():
        return [root]
    inside = (path for path in root.rglob("*") if path.is_file())
    return sorted(
        path
        for path in inside
        if path.name != _LIST and not any(part.startswith((".", "~$")) for part in path.relative_to(root).parts)
    )


def _listed(path: Path, columns: Mapping[str, str], max_mb: float) -> dict[str, dict[str, str]]:
    """Return documents.csv as document to its candidate_id, kind and date; empty if there is no such file."""
    if not path.is_file():
        return {}
    frame, _ = read_table(read_bytes(path, max_mb=max_mb), path)
    mapping, _ = map_columns(frame.columns, columns, table="documents")
    ours = {column: header for header, column in mapping.items()}
    if "document" not in ours:
        raise SchemaError.columns(_LIST, missing=["document"], extra=[], found=list(frame.columns))
    if "date" in ours:
        frame[ours["date"]] = parse_days(frame[ours["date"]], table=_LIST, column="date")
    rows: dict[str, dict[str, str]] = {}
    for row, cells in zip(frame.index, frame.to_dict("records"), strict=True):
        values = {column: str(cells[header]) for column, header in ours.items() if pd.notna(cells[header])}
        document = values.pop("document", "").replace("\\", "/").removeprefix("./")
        if document in rows:
            raise InputError(f"{path.name}: row {row} names '{document}', which stands in an earlier row too")
        if "kind" in values and _kind_of(values["kind"]) is None:
            raise SchemaError.values(
                _LIST, "kind", expected="one of " + ", ".join(DOCUMENT_KINDS), bad=[values["kind"]], rows=[row]
            )
        if document:
            rows[document] = values
    return rows


def _read(
    file: _File, people: People, columns: Mapping[str, str], is_known: Callable[[str], bool], max_mb: float
) -> Iterator[Document]:
    """Yield the documents of one file: one, or one per row of a table of notes."""
    row = _row(file, file.document_id)
    try:
        if _is_candidates_file(file, people):
            raise InputError(f"{file.path.name}: a table of candidates or offers, not of notes")
        check_suffix(file.path)
        data = read_bytes(file.path, max_mb=max_mb)
        row["sha256"] = digest(data)
        if file.path.suffix.lower() in TABLES:
            frame, notes = read_table(data, file.path)
            entries, used = read_entries(frame, columns, file.path.name)
            yield from _rows(file, entries, (*notes, *used), people, is_known)
            return
        if is_known(str(row["sha256"])):
            yield _known(row)
            return
        row["candidate_id"] = _candidate(file, people, {})
        reading = parse(data, file.path)
        yield _finished(row, file, people, reading.cues, reading.notes, kind=None)
    except InputError as error:
        yield _skipped(row, str(error))


def _rows(
    file: _File, entries: Sequence[Entry], notes: tuple[str, ...], people: People, is_known: Callable[[str], bool]
) -> Iterator[Document]:
    """Yield one document per row of a table of notes; what is to be known of the table stands with its first row."""
    used: dict[str, int] = {}
    for entry in entries:
        own = entry.meta.get("id") or (entry.sha256[:8] if entry.cues else f"row{entry.row}")
        used[own] = used.get(own, 0) + 1
        again = f"-{used[own]}" if used[own] > 1 else ""
        row = _row(file, f"{file.document_id}#{own}{again}")
        row["sha256"] = entry.sha256
        if is_known(entry.sha256):
            yield _known(row)
            continue
        try:
            if not entry.cues:
                raise InputError(f"{file.path.name}: row {entry.row} has no text")
            row["candidate_id"] = _candidate(file, people, entry.meta)
            if "date" in entry.meta:
                row["date"] = _day(entry.meta["date"], file, entry.row)
            repeated = (f"the id '{own}' stands in more than one row",) if again and "id" in entry.meta else ()
            yield _finished(row, file, people, entry.cues, (*notes, *repeated), kind=entry.meta.get("kind"))
            notes = ()
        except InputError as error:
            yield _skipped(row, str(error))


def _finished(
    row: dict[str, object],
    file: _File,
    people: People,
    cues: Sequence[Cue],
    notes: tuple[str, ...],
    *,
    kind: str | None,
) -> Document:
    """Return the document with its turns, roles and kind."""
    turns = to_turns(cues, str(row["document_id"]))
    turns = assign_roles(turns, people.names(str(row["candidate_id"])), people.others)
    speakers = turns.loc[~turns["role_basis"].isin(["heading", "note"]).fillna(False).astype(bool), "speaker"].nunique()
    stated = file.listed.get("kind") or kind
    if stated is not None and _kind_of(stated) is None:
        notes = (*notes, f"unknown kind '{stated}'")
    row["kind"] = (
        (_kind_of(stated) if stated else None) or _kind_in_path(file.words) or ("call" if speakers >= 2 else "note")
    )
    if row["kind"] == "feedback":  # the interviewers' view is never the candidate's voice
        own = (turns["role_basis"] == "note").fillna(False)
        turns.loc[own, "speaker_role"] = "interviewer"
    doubtful = turns["role_basis"].str.contains("doubtful", regex=False).fillna(False)
    if doubtful.any():
        notes = (*notes, f"who is the candidate was decided by {turns.loc[doubtful, 'role_basis'].iloc[0]}")
    elif row["kind"] != "feedback" and not (turns["speaker_role"] == "candidate").fillna(False).any():
        notes = (*notes, "nobody in it is known to be the candidate: none of it is counted")
    row["reason"] = "; ".join(notes) or None
    return Document(row={**row, "status": "read"}, turns=turns, note="; ".join(notes) or None)


def _row(file: _File, document_id: str) -> dict[str, object]:
    return {
        "document_id": document_id,
        "candidate_id": None,
        "kind": None,
        "date": file.listed.get("date") or day_in_name(file.path.stem),
        "path": str(file.path),
        "sha256": None,
        "language": "en",
        "status": "skipped",
        "reason": None,
    }


def _skipped(row: Mapping[str, object], reason: str) -> Document:
    return Document(row={**row, "status": "skipped", "reason": reason}, note=reason)


def _known(row: Mapping[str, object]) -> Document:
    reason = "read before"
    return Document(row={**row, "status": "skipped", "reason": reason}, note=reason, known=True)


def _is_candidates_file(file: _File, people: People) -> bool:
    if people.path is not None and people.path.exists() and file.path.samefile(people.path):
        return True
    return file.path.suffix.lower() in TABLES and file.path.stem.lower() in _NOT_NOTES


def _candidate(file: _File, people: People, meta: Mapping[str, str]) -> str:
    """Return the candidate_id of a document, or raise an InputError that says where it was looked for."""
    ids = set(people.candidates["candidate_id"].astype(str))
    name = file.path.name
    listed = file.listed.get("candidate_id")
    mapped = (
        people.documents.get(file.document_id) or people.documents.get(name) or people.documents.get(file.path.stem)
    )
    for stated, where in ((listed, _LIST), (mapped, "the candidates file"), (meta.get("candidate_id"), "its row")):
        if stated is None:
            continue
        found = stated if stated in ids else _by_name(stated, people)
        if found is None:
            raise InputError(f"{name}: the candidate '{stated}', named in {where}, is not in the candidates file")
        return found
    stem = file.path.stem
    lowered = {one.lower(): one for one in sorted(ids)}
    for end in (len(stem), *(place for place in range(len(stem) - 1, 0, -1) if stem[place] in "_-. ")):
        start = stem[:end]
        if start in ids or start.lower() in lowered:
            return start if start in ids else lowered[start.lower()]
    raise InputError(
        f"{name}: no candidate found; begin its name with the candidate_id, or list it in {_LIST} "
        "(document, candidate_id) or in a 'document' column of the candidates file"
    )


def _by_name(stated: str, people: People) -> str | None:
    """Return the candidate whose full name this is, if it is one candidate's only."""
    if "name" not in people.identities.columns:
        return None
    names = people.identities["name"].fillna("").map(lambda name: fold(str(name)))
    found = people.identities.loc[names == fold(stated), "candidate_id"]
    return str(found.iloc[0]) if len(found) == 1 else None


def _kind_of(word: str) -> str | None:
    singular = re.sub(r"[-\s]", "", fold(word))
    return _KIND_WORDS.get(singular) or _KIND_WORDS.get(singular.removesuffix("s"))


def _kind_in_path(words: str) -> str | None:
    """Return the kind that the file's name says, else the folder nearest to it."""
    for part in reversed(words.split("/")):
        kinds = [kind for word in re.split(r"[\W_\d]+", part) if word and (kind := _kind_of(word))]
        if kinds:
            return "feedback" if "feedback" in kinds else kinds[0]
    return None


def _day(text: str, file: _File, row: int) -> str:
    try:
        return parse_day(text)
    except ValueError:
        raise InputError(
            f"{file.path.name}: row {row} has the date '{text}'; a day as YYYY-MM-DD is expected"
        ) from None

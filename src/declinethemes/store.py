"""The database of a study: the tables, the vectors, and the private file of names.

In and out: pandas frames that conform to the schema. A document is written whole or not at all, with its turns,
passages and tags; a later stage replaces its tables in one transaction. Names and contacts lie in a file of their own
(mode 0600), never in the database.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from declinethemes import schema
from declinethemes.errors import StudyError

if TYPE_CHECKING:
    from sqlalchemy import Connection, MetaData

VERSION = "2"
DATABASE = "study.db"
IDENTITIES = "identities.json"
PER_DOCUMENT = ("turns", "passages")


class Store:
    """The tables of one study in SQLite.

    Parameters
    ----------
    folder : Path or None
        The study's folder; None keeps everything in memory.
    """

    def __init__(self, folder: Path | None) -> None:
        import sqlalchemy

        self.folder = folder
        url = "sqlite://" if folder is None else f"sqlite:///{folder / DATABASE}"
        self._engine = sqlalchemy.create_engine(url)
        self._metadata = _metadata()
        self._identities: dict[str, Any] = {}
        self._read: dict[str, pd.DataFrame] = {}  # tables as read, until something is written
        with self._guarded() as connection:
            self._metadata.create_all(connection)
        version = self.get("version")
        if version is None:
            self.put("version", VERSION)
        elif version != VERSION:
            raise StudyError(
                f"the study was written by another version (its format is {version}, this one reads {VERSION})"
            )

    @contextmanager
    def _guarded(self) -> Iterator[Connection]:
        """Give a transaction; turn the database's errors into one that says what to do."""
        from sqlalchemy.exc import DatabaseError

        try:
            with self._engine.begin() as connection:
                yield connection
        except DatabaseError as error:
            reason = str(error.orig)
            hints = (
                ("full", "the disk is full: make room and run again, nothing that was finished is lost"),
                ("readonly", "the folder is read-only: choose another --out or change its permissions"),
                ("unable to open", "the folder cannot be written: choose another --out or change its permissions"),
                ("locked", "another run is working on this study: wait until it has ended"),
                ("not a database", f"{DATABASE} is not a database: choose another folder"),
            )
            hint = next(
                (text for word, text in hints if word in reason), "run again; nothing that was finished is lost"
            )
            raise StudyError(f"the study in {self.folder} cannot be written or read ({reason}): {hint}") from error

    def get(self, name: str) -> str | None:
        """Return a remembered text, or None."""
        table = self._metadata.tables["meta"]
        with self._guarded() as connection:
            found = connection.execute(table.select().where(table.c.name == name)).first()
        return None if found is None else str(found.value)

    def put(self, name: str, value: str) -> None:
        """Remember a text under a name."""
        with self._guarded() as connection:
            self._put(connection, name, value)

    def _put(self, connection: Connection, name: str, value: str) -> None:
        table = self._metadata.tables["meta"]
        connection.execute(table.delete().where(table.c.name == name))
        connection.execute(table.insert(), [{"name": name, "value": value}])

    def read(self, name: str) -> pd.DataFrame:
        """Return a table as a frame that conforms to the schema; the caller may change it."""
        if name not in self._read:
            self._read[name] = self._read_table(name)
        return self._read[name].copy()

    def reread(self) -> None:
        """Forget what was read: another process may have written since."""
        self._read.clear()

    def _read_table(self, name: str) -> pd.DataFrame:
        if name == "candidates":
            return self._read_open(name)
        with self._guarded() as connection:
            rows = connection.execute(self._metadata.tables[name].select()).mappings().all()
        if not rows:
            return schema.empty(name)
        columns = {}
        for column, spec in schema.TABLES[name].columns.items():
            values = [row[column] for row in rows]
            if spec.kind == "list":
                values = [pd.NA if value is None else json.loads(value) for value in values]
            dtype = "object" if spec.kind == "date" else schema.DTYPES[spec.kind]  # as written: conform only looks
            columns[column] = pd.Series(values, dtype=dtype)
        return schema.conform(pd.DataFrame(columns), name)

    def _read_open(self, name: str) -> pd.DataFrame:
        """Read a table with columns of the user's own: one JSON row each."""
        with self._guarded() as connection:
            rows = connection.execute(self._metadata.tables[name].select()).all()
        if not rows:
            return schema.empty(name)
        frame = pd.DataFrame([json.loads(row.cells) for row in rows], dtype="object")
        for column in frame.columns:
            if column not in schema.TABLES[name].columns:
                frame[column] = frame[column].astype("string")
        return schema.conform(frame, name)

    def write_documents(
        self,
        documents: pd.DataFrame,
        turns: pd.DataFrame,
        passages: pd.DataFrame,
        tags: pd.DataFrame,
        vectors: Mapping[str, Mapping[bytes, Any]],
    ) -> None:
        """Write documents, each with all that was made of it in a transaction of its own; earlier versions of them go.

        Parameters
        ----------
        documents, turns, passages, tags : pandas.DataFrame
            The tables, as `schema.conform` returns them.
        vectors : mapping of encoder to mapping of hash to vector
            Stored first: a vector too many does no harm.
        """
        self._read.clear()
        for encoder, found in vectors.items():
            self.add_vectors(encoder, found)
        owner = dict(zip(passages["passage_id"], passages["document_id"], strict=True))
        parts = {
            "documents": _by_document(documents, documents["document_id"]),
            "turns": _by_document(turns, turns["document_id"]),
            "passages": _by_document(passages, passages["document_id"]),
            "tags": _by_document(tags, tags["passage_id"].map(owner)),
        }
        for name in documents["document_id"]:
            with self._guarded() as connection:
                self._forget(connection, name)
                for table, rows in parts.items():
                    if rows.get(name):
                        connection.execute(self._metadata.tables[table].insert(), rows[name])

    def _forget(self, connection: Connection, document_id: str) -> None:
        """Delete a document, its turns, passages and tags."""
        tables = self._metadata.tables
        passages, tags = tables["passages"], tables["tags"]
        mine = passages.select().with_only_columns(passages.c.passage_id).where(passages.c.document_id == document_id)
        connection.execute(tags.delete().where(tags.c.passage_id.in_(mine)))
        for table in (*PER_DOCUMENT, "documents"):
            connection.execute(tables[table].delete().where(tables[table].c.document_id == document_id))

    def replace(self, frames: Mapping[str, pd.DataFrame], *, meta: Mapping[str, str] | None = None) -> None:
        """Replace whole tables, and remember texts, in one transaction."""
        self._read.clear()
        with self._guarded() as connection:
            for name, frame in frames.items():
                connection.execute(self._metadata.tables[name].delete())
                self._insert(connection, name, frame)
            for key, value in (meta or {}).items():
                self._put(connection, key, value)

    def append(
        self, name: str, frame: pd.DataFrame, *, meta: Mapping[str, str] | None = None, after: int | None = None
    ) -> int:
        """Add rows to a table that only grows, and remember texts, in one transaction; return how many were new.

        Rows that are there stay as they are. With `after`, the rows that the table had when these were made, nothing
        is written if another run has added rows meanwhile.

        Raises
        ------
        StudyError
            The table has grown since.
        """
        self._read.pop(name, None)
        rows, table = _plain(schema.conform(frame, name)), self._metadata.tables[name]
        before = len(self.read(name)) if after is None else after
        self._read.pop(name, None)
        with self._guarded() as connection:
            if rows:  # first of all: from here on no other run can write
                connection.execute(table.insert().prefix_with("OR IGNORE"), rows)
            new = len(connection.execute(table.select()).all()) - before
            if after is not None and new != len(rows):
                raise StudyError(f"another run has written to the study in {self.folder} meanwhile: run again")
            for key, value in (meta or {}).items():
                self._put(connection, key, value)
        return new

    @staticmethod
    def now() -> str:
        """Return the time, ISO 8601 in UTC, to the second."""
        return datetime.now(UTC).isoformat(timespec="seconds")

    def note(self, name: str, what: str) -> None:
        """Add an entry (at, what) to a list that is remembered under a name."""
        self.put(name, json.dumps([*self.notes(name), {"at": self.now(), "what": what}], ensure_ascii=False))

    def notes(self, name: str) -> list[dict[str, str]]:
        """Return the entries of a list, oldest first."""
        entries: list[dict[str, str]] = json.loads(self.get(name) or "[]")
        return entries

    def _insert(self, connection: Connection, name: str, frame: pd.DataFrame) -> None:
        if not len(frame):
            return
        rows = _plain(schema.conform(frame, name))
        if name == "candidates":
            rows = [{"candidate_id": row["candidate_id"], "cells": json.dumps(row, default=str)} for row in rows]
        connection.execute(self._metadata.tables[name].insert(), rows)

    def vectors(self, encoder: str) -> dict[bytes, Any]:
        """Return the stored vectors of an encoder, by hash of the text."""
        table = self._metadata.tables["vectors"]
        with self._guarded() as connection:
            rows = connection.execute(table.select().where(table.c.encoder == encoder))
            return {row.key: np.frombuffer(row.vector, dtype=np.float32) for row in rows}

    def add_vectors(self, encoder: str, vectors: Mapping[bytes, Any]) -> None:
        """Store vectors of an encoder by hash of the text."""
        rows = [
            {"encoder": encoder, "key": key, "vector": np.asarray(vector, dtype=np.float32).tobytes()}
            for key, vector in vectors.items()
        ]
        if rows:
            with self._guarded() as connection:
                connection.execute(self._metadata.tables["vectors"].insert().prefix_with("OR REPLACE"), rows)

    def drop_vectors(self, *, but: Collection[str]) -> None:
        """Delete the vectors of all encoders but these."""
        table = self._metadata.tables["vectors"]
        with self._guarded() as connection:
            connection.execute(table.delete().where(table.c.encoder.not_in(but)))

    def identities(self) -> dict[str, Any]:
        """Return the private part: ``key`` (hex, for pseudonyms), ``people`` (rows of names), ``others`` (speakers)."""
        if self.folder is not None and (self.folder / IDENTITIES).exists():
            self._identities = _read_json(self.folder / IDENTITIES)
        if not self._identities:
            self.put_identities({"key": secrets.token_hex(32), "people": [], "others": []})
        return self._identities

    def put_identities(self, identities: Mapping[str, Any]) -> None:
        """Write the private part (mode 0600)."""
        self._identities = dict(identities)
        if self.folder is not None:
            write_text(self.folder / IDENTITIES, json.dumps(self._identities, ensure_ascii=False, indent=1), mode=0o600)

    def close(self) -> None:
        """Close the database."""
        self._engine.dispose()


def _metadata() -> MetaData:
    """Return the database's tables, made from the schema."""
    from sqlalchemy import Boolean, Column, Float, Integer, LargeBinary, MetaData, Table, Text

    metadata = MetaData()
    types: dict[str, Any] = {
        "text": Text,
        "date": Text,
        "list": Text,
        "int": Integer,
        "number": Float,
        "share": Float,
        "flag": Boolean,
    }
    for name, spec in schema.TABLES.items():
        if name == "candidates":
            Table(name, metadata, Column("candidate_id", Text, primary_key=True), Column("cells", Text, nullable=False))
        elif not spec.open:
            columns = [Column(c, types[s.kind], primary_key=c in spec.key) for c, s in spec.columns.items()]
            Table(name, metadata, *columns)
    Table("meta", metadata, Column("name", Text, primary_key=True), Column("value", Text, nullable=False))
    Table(
        "vectors",
        metadata,
        Column("encoder", Text, primary_key=True),
        Column("key", LargeBinary, primary_key=True),
        Column("vector", LargeBinary, nullable=False),
    )
    return metadata


def _plain(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Return rows of plain Python values: None for missing, ISO text for days, JSON for lists."""
    columns: dict[str, list[Any]] = {}
    for name in frame.columns:
        values = frame[name]
        if pd.api.types.is_datetime64_any_dtype(values):
            values = values.dt.strftime("%Y-%m-%d")
        plain = [None if gone else v for v, gone in zip(values.astype("object"), values.isna(), strict=True)]
        columns[str(name)] = [json.dumps(v) if isinstance(v, list) else v for v in plain]
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _by_document(frame: pd.DataFrame, owner: pd.Series) -> dict[str, list[dict[str, Any]]]:
    """Return plain rows by the document that they belong to."""
    out: dict[str, list[dict[str, Any]]] = {}
    for name, row in zip(owner, _plain(frame), strict=True):
        out.setdefault(str(name), []).append(row)
    return out


def _read_json(path: Path) -> dict[str, Any]:
    """Read the private part, or say that it cannot be read."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise StudyError(f"cannot read {path}: {error}; restore it from a copy, the pseudonyms hang on it") from error
    if not isinstance(found, dict):
        raise StudyError(f"{path} should hold a JSON object; restore it from a copy, the pseudonyms hang on it")
    return found


def write_text(path: Path, text: str, *, mode: int = 0o644) -> None:
    """Write a text file whole or not at all, its line ends as they are; errors as in `write_bytes`."""
    write_bytes(path, text.encode("utf-8"), mode=mode)


def write_bytes(path: Path, data: bytes, *, mode: int = 0o644) -> None:
    """Write a file whole or not at all.

    Raises
    ------
    StudyError
        The folder cannot be written or the disk is full.
    """
    part = path.with_name(f".{path.name}.part")
    try:
        part.unlink(missing_ok=True)  # one left by a broken run may be open to others
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
        part.chmod(mode)
        part.replace(path)
    except OSError as error:
        with suppress(OSError):
            part.unlink(missing_ok=True)
        raise StudyError(
            f"cannot write {path}: {error.strerror or error}; choose another folder or make room"
        ) from error


def make_folder(folder: str | PathLike[str]) -> Path:
    """Make a folder where there is none.

    Raises
    ------
    StudyError
        It is a file, or its place cannot be written.
    """
    place = Path(folder)
    try:
        place.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StudyError(f"cannot make the folder {place}: {error.strerror or error}; choose another --out") from error
    return place

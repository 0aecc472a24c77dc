"""Files to a corpus: documents, redacted turns and passages, in one call or one document at a time.

In: paths and the candidates file. Out: frozen `Corpus` objects. Names are replaced before anything else sees the text;
tagging and storing are not done here.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path

import pandas as pd

from declinethemes import schema
from declinethemes.errors import InputError
from declinethemes.ingest import People, assign_roles, iter_documents, read_people, read_turns
from declinethemes.passages import language, split_turns
from declinethemes.redact import Redactor

BATCH = 32  # documents that are redacted, cut and tagged at once; each is still stored on its own

Paths = str | PathLike[str] | Sequence[str | PathLike[str]]


@dataclass(frozen=True, kw_only=True, eq=False)
class Corpus:
    """What was read.

    Attributes
    ----------
    documents, turns, passages, candidates : pandas.DataFrame
        The tables; documents that were skipped are listed with the reason, and names are replaced.
    redact : callable
        Replaces the same names in any other text.
    """

    documents: pd.DataFrame
    turns: pd.DataFrame
    passages: pd.DataFrame
    candidates: pd.DataFrame
    redact: Callable[[str], str]

    def _repr_html_(self) -> str:
        read = int((self.documents["status"] == "read").sum())
        return (
            f"<p>{read} documents read, {len(self.documents) - read} skipped; {len(self.turns)} turns, "
            f"{len(self.passages)} passages of {self.passages['candidate_id'].nunique()} candidates</p>"
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class Prepared:
    """Some documents, redacted and cut: three tables; skipped documents have no turns and passages."""

    documents: pd.DataFrame
    turns: pd.DataFrame
    passages: pd.DataFrame


def read_corpus(
    paths: Paths, *, candidates: str | PathLike[str], columns: Mapping[str, str] | None = None, key: bytes | None = None
) -> Corpus:
    """Read files and folders into documents, turns and passages.

    Parameters
    ----------
    paths : path or sequence of paths
        Transcripts, notes, tables of notes, or folders of them.
    candidates : path
        The candidates file (.csv, .tsv, .xlsx).
    columns : mapping of str to str, optional
        Header in the user's file to our column.
    key : bytes, optional
        Key of the pseudonyms; drawn at random when not given.

    Returns
    -------
    Corpus

    Raises
    ------
    InputError
        A path does not exist or the candidates file cannot be used. Single documents that cannot be read are listed in
        ``.documents`` with the reason.
    """
    people = read_people(candidates, columns)
    reading = Reading(paths, people, columns=columns or {}, key=key or secrets.token_bytes(32))
    whole = reading.prepare(0, len(reading))
    return Corpus(
        documents=whole.documents,
        turns=whole.turns,
        passages=whole.passages,
        candidates=without_names(people, reading.redactor),
        redact=reading.redactor.text,
    )


class Reading:
    """Iterate over new documents, redacted and cut.

    All files are parsed first, so that the names of every speaker are known before the first text is redacted: the
    result does not depend on the order of the files.

    Parameters
    ----------
    paths : path or sequence of paths
    people : People
        The candidates.
    columns : mapping
        Header to our column.
    key : bytes
        Key of the pseudonyms.
    others : iterable of str
        Names met in earlier readings.
    known : container of str
        sha256 of documents that are not to be read again.

    Attributes
    ----------
    redactor : Redactor
        Knows every name of this reading.
    others : tuple of str
        Names that are not candidates', sorted.
    """

    def __init__(
        self,
        paths: Paths,
        people: People,
        *,
        columns: Mapping[str, str],
        key: bytes,
        others: Sequence[str] = (),
        known: Container[str] = frozenset(),
    ) -> None:
        self._documents = [one for one in iter_documents(paths, people, columns=columns, known=known) if not one.known]
        speakers = {
            str(name)
            for one in self._documents
            if one.turns is not None
            for name in one.turns["speaker"].dropna().unique()
        }
        self.others = tuple(sorted({*others, *people.others, *speakers}))
        self.redactor = Redactor(people.identities, others=self.others, key=key)

    def __len__(self) -> int:
        return len(self._documents)

    def __iter__(self) -> Iterator[Prepared]:
        for start in range(0, len(self), BATCH):
            yield self.prepare(start, start + BATCH)

    def prepare(self, start: int, end: int) -> Prepared:
        """Redact and cut the documents from number `start` up to `end`."""
        part = self._documents[start:end]
        if not part:
            return Prepared(**{name: schema.empty(name) for name in ("documents", "turns", "passages")})
        rows = [dict(one.row) for one in part]
        raw = [one.turns for one in part if one.turns is not None and len(one.turns)]
        turns = schema.conform(self.redactor.turns(pd.concat(raw)), "turns") if raw else schema.empty("turns")
        texts = turns.groupby("document_id")["text"].agg(" ".join).to_dict()
        for row in rows:
            reason = [] if row["reason"] is None else [self.redactor.text(str(row["reason"]))]
            row["language"] = language(texts.get(row["document_id"], ""))
            if row["language"] != "en":
                reason.append(f"language {row['language']} is not supported: its tags are unreliable")
            row["reason"] = "; ".join(reason) or None
        documents = schema.conform(pd.DataFrame(rows), "documents")
        return Prepared(documents=documents, turns=turns, passages=split_turns(turns, documents))


def without_names(people: People, redactor: Redactor) -> pd.DataFrame:
    """Return the candidates table with the recruiters' names replaced."""
    out = people.candidates.copy()
    out["recruiter"] = out["recruiter"].map(redactor.speaker, na_action="ignore").astype("string")
    out["presumed_reason"] = out["presumed_reason"].map(redactor.text, na_action="ignore").astype("string")
    return out


def read_file(path: str | PathLike[str], *, candidate: str = "") -> pd.DataFrame:
    """Read one file into passages, without a candidates file.

    Parameters
    ----------
    path : path
        A transcript or a note.
    candidate : str
        Name of the candidate as it stands in the file; without it the speaker who asks less and talks more is taken.

    Returns
    -------
    pandas.DataFrame
        The passages table; names of the speakers are replaced. Each row of a table of notes is a document.

    Raises
    ------
    InputError
        The file cannot be read, nobody in it is called `candidate`, or nobody can be taken for the candidate.
    """
    name = Path(path).name
    parts = [part for _, part in read_turns(path).groupby("document_id", sort=False)]
    turns = pd.concat([assign_roles(part, [candidate] if candidate else []) for part in parts], ignore_index=True)
    speakers = [str(one) for one in turns["speaker"].dropna().unique()]
    there = f"the speakers are: {', '.join(speakers)}"
    if candidate and speakers and not (turns["role_basis"] == "name").fillna(False).any():
        raise InputError(f"{name}: no speaker is called '{candidate}'; {there}")
    redactor = Redactor(
        pd.DataFrame({"candidate_id": ["candidate"], "name": [candidate or pd.NA]}),
        others=speakers,
        key=secrets.token_bytes(32),
    )
    about = {"candidate_id": "candidate", "kind": "call", "date": None, "path": str(path), "sha256": None}
    about |= {"language": "en", "status": "read", "reason": None}
    documents = pd.DataFrame([{"document_id": one, **about} for one in turns["document_id"].unique()])
    passages = split_turns(redactor.turns(turns), documents)
    if passages.empty:
        raise InputError(f"{name}: who is the candidate cannot be told; name them with `candidate`; {there}")
    return passages

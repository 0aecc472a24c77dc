"""The first stage: files into a study, redacted, cut and tagged.

In: paths and the candidates file. Out: documents, turns, passages and tags in the store, each document whole.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from os import PathLike
from pathlib import Path

import pandas as pd

from declinethemes import schema
from declinethemes.corpus import Paths, Reading, without_names
from declinethemes.errors import InputError, StudyError
from declinethemes.ingest import People, guess_columns
from declinethemes.passages import prompts, split_turns
from declinethemes.redact import Redactor
from declinethemes.study.tables import Progress, StudyTables, since


class ReadStudy(StudyTables):
    """A study that reads documents."""

    def ingest(self, paths: Paths, people: People, *, progress: Progress | None = None) -> None:
        """Read, redact, cut and tag new documents; each is stored whole before the next is begun."""
        private = self.store.identities()
        done = self.documents
        self._check_place(paths)
        self._check_complete(people, done)
        rows = people.identities.astype("object").where(people.identities.notna(), None).to_dict("records")
        names = {row["candidate_id"]: row for row in private["people"]}
        renamed = [row["candidate_id"] for row in rows if names.get(row["candidate_id"], row) != row]
        kept = (done["status"] == "read") & ~done["candidate_id"].isin(renamed)  # new names may change who is who
        reading = Reading(
            paths,
            people,
            columns=_for_documents(self.settings.columns, people.headers),
            key=bytes.fromhex(private["key"]),
            others=private["others"],
            known=frozenset(done.loc[kept, "sha256"].dropna()),
        )
        if not len(reading) and done.empty:
            raise InputError(f"no files found in {paths}: give the transcripts and notes, or the folder they lie in")
        self.store.put_identities({"key": private["key"], "people": rows, "others": list(reading.others)})
        self.store.replace({"candidates": without_names(people, reading.redactor)})
        if set(reading.others) != set(private["others"]) or rows != private["people"]:
            self._redact_again(reading.redactor)
        done_now = 0
        for batch in reading:
            self._write(batch.documents, batch.turns, batch.passages)
            done_now += len(batch.documents)
            if progress:
                progress("reading and tagging", done_now, len(reading))

    def _check_place(self, paths: Paths) -> None:
        """Raise if the study lies in a folder that is to be read: its own tables would be taken for notes."""
        given = [paths] if isinstance(paths, (str, PathLike)) else paths
        for path in given:
            if self.store.folder is not None and self.store.folder.resolve().is_relative_to(Path(path).resolve()):
                raise StudyError(
                    f"the study's folder {self.store.folder} lies in {path}, which is to be read; choose another --out"
                )

    def _check_complete(self, people: People, done: pd.DataFrame) -> None:
        """Raise unless everybody whose documents are in the study is in the candidates file."""
        read = set(done.loc[done["status"] == "read", "candidate_id"].dropna())
        gone = sorted(read - set(people.candidates["candidate_id"]))
        if gone:
            raise StudyError(
                f"{len(gone)} candidates whose documents are in this study are not in {people.path}: "
                f"{', '.join(gone[:5])}; "
                "give a candidates file with everybody in it, or begin a new study with another --out"
            )

    def _write(self, documents: pd.DataFrame, turns: pd.DataFrame, passages: pd.DataFrame) -> None:
        """Tag documents and store each with its turns, passages, tags and new vectors."""
        encoder = self.tagger.encoder
        before = set(encoder.memory)
        tags = self.tagger.tag(passages)
        foreign = documents.loc[documents["language"] != "en", "document_id"]
        unsure = tags["passage_id"].isin(passages.loc[passages["document_id"].isin(foreign), "passage_id"])
        tags["decision"] = tags["decision"].mask(unsure, "unsure")
        encoder.encode([q for _, part in turns.groupby("document_id") for q in prompts(part)])
        self.store.write_documents(documents, turns, passages, tags, {encoder.id: since(encoder, before)})
        self._remember_codebook(set(passages["candidate_id"]))

    def _remember_codebook(self, candidate_ids: Collection[str]) -> None:
        """Remember which version of the framework the batches of these candidates were read with."""
        books = json.loads(self.store.get("codebooks") or "{}")
        candidates, version = self.candidates, f"{self.framework.name} {self.framework.version}"
        mine = candidates.loc[candidates["candidate_id"].isin(candidate_ids), "batch"].dropna().unique()
        new = {str(name): sorted({*books.get(str(name), ()), version}) for name in mine}
        if any(books.get(name) != versions for name, versions in new.items()):
            self.store.put("codebooks", json.dumps(books | new, ensure_ascii=False))

    def _redact_again(self, redactor: Redactor) -> None:
        """Replace names that became known after a document was read; what changed is cut and tagged again."""
        documents, old = self.documents, self.turns
        if old.empty:
            return
        new = schema.conform(redactor.turns(old), "turns")
        changed = set(old.loc[(new["text"] != old["text"]).to_numpy(dtype=bool), "document_id"])
        rows = documents[documents["document_id"].isin(changed)].reset_index(drop=True)
        turns = new[new["document_id"].isin(changed)].reset_index(drop=True)
        self._write(rows, turns, split_turns(turns, rows))


def _for_documents(columns: Mapping[str, str], headers: Sequence[str]) -> dict[str, str]:
    """Return the mapping for tables of notes; a header that the candidates file has too keeps its meaning there."""
    return {h: ours for h, ours in columns.items() if h not in headers or not guess_columns([h], table="notes")}

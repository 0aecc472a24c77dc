"""The tables of a study, and what is loaded to work on them.

In: a store and settings. Out: `StudyTables`; the stages build on it, each in a module of its own.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection
from typing import Any

import pandas as pd

from declinethemes.config import Settings, prepare_segments
from declinethemes.encode import GENERAL, Encoder
from declinethemes.errors import SettingsError
from declinethemes.framework import Framework, load_framework
from declinethemes.publish import with_talk_length
from declinethemes.store import Store
from declinethemes.tag import Tagger

SETTINGS = "study.toml"
Progress = Callable[[str, int, int], None]


class StudyTables:
    """The tables of a study, its tagger and encoder, and who was heard."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self.store = store
        self.settings = settings
        self.framework: Framework = load_framework(settings.framework or None)

    @property
    def tagger(self) -> Tagger:
        """The tagger, loaded on first use, with the vectors that the study has."""
        if not hasattr(self, "_tagger"):
            tagger = Tagger.load(self.settings.tagger or None)
            tagger.encoder.memory.update(self.store.vectors(tagger.encoder.id))
            unknown = set(tagger.codes_) ^ {code.id for code in self.framework.codes}
            if unknown:
                raise SettingsError(
                    f"tagger {tagger.id} and framework '{self.framework.name}' have different codes "
                    f"({', '.join(sorted(unknown)[:5])}...): "
                    "train a tagger on this framework with `themes train` and name it under [models] in study.toml"
                )
            self._tagger = tagger
        return self._tagger

    @property
    def encoder(self) -> Encoder:
        """The encoder for themes, loaded on first use, with the vectors that the study has."""
        if not hasattr(self, "_encoder"):
            self._encoder = Encoder.load(self.settings.encoder or GENERAL)
            self._encoder.memory.update(self.store.vectors(self._encoder.id))
        return self._encoder

    @property
    def people(self) -> pd.DataFrame:
        """Candidates with at least one passage, with declared segments and `talk_length` made: who every n counts."""
        candidates, passages = prepare_segments(self.candidates, self.settings), self.passages
        heard: pd.DataFrame = candidates[candidates["candidate_id"].isin(passages["candidate_id"])]
        return with_talk_length(heard.reset_index(drop=True), passages)

    @property
    def sensitive(self) -> frozenset[str]:
        """Items with higher disclosure thresholds: the framework's, the settings', and emergent themes under them."""
        marked = self.framework.sensitive | set(self.settings.sensitive)
        themes = self.themes
        return frozenset(marked | set(themes.loc[themes["code"].isin(marked), "theme_id"]))

    def _state(self, stage: str) -> str:
        """Return a hash of all that a stage depends on."""
        documents = self.documents[["document_id", "candidate_id", "kind", "sha256", "status"]].to_csv(index=False)
        passages = "\n".join(self.passages["passage_id"])
        versions = (self.tagger.id, self.encoder.id, self.framework.version, self.settings.fingerprint)
        parts = (stage, documents, *versions, passages)
        return hashlib.blake2b("\x1f".join(parts).encode(), digest_size=16).hexdigest()

    documents = property(lambda self: self.store.read("documents"), doc="The documents table, skipped ones too.")
    turns = property(lambda self: self.store.read("turns"), doc="The turns table.")
    passages = property(lambda self: self.store.read("passages"), doc="The passages table.")
    tags = property(lambda self: self.store.read("tags"), doc="The tags table.")
    themes = property(lambda self: self.store.read("themes"), doc="The themes table.")
    assignments = property(lambda self: self.store.read("assignments"), doc="The assignments table.")
    ledger = property(lambda self: self.store.read("ledger"), doc="What became of each theme in each run.")
    mentions = property(lambda self: self.store.read("mentions"), doc="The mentions table.")
    reviews = property(lambda self: self.store.read("reviews"), doc="What reviewers decided.")
    releases = property(
        lambda self: self.store.read("releases"), doc="The release ledger: every total shown to others."
    )
    candidates = property(lambda self: self.store.read("candidates"), doc="The candidates table, names left out.")


def since(encoder: Encoder, before: Collection[bytes]) -> dict[bytes, Any]:
    """Return the vectors that an encoder made since."""
    return {key: encoder.memory[key] for key in encoder.memory.keys() - before}

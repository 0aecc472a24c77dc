"""The second stage: themes, what became of them, and who mentions what.

In: passages and tags of the store. Out: themes, assignments, mentions and the ledger of themes.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from typing import Any

import pandas as pd

from declinethemes.mentions import count_mentions
from declinethemes.passages import prompts
from declinethemes.publish import shown_ledger
from declinethemes.study.reading import ReadStudy
from declinethemes.study.tables import since
from declinethemes.themes import Found, bertopic_of, find_themes, halves, merge_suggestions, record, renamed


class ThemedStudy(ReadStudy):
    """A study that finds themes."""

    def discover(self, *, rebuild: bool = False, holdout: bool | None = None) -> None:
        """Find themes and count mentions, unless nothing has changed since they were found.

        Parameters
        ----------
        rebuild : bool
            Group everything anew. Else emergent themes stand, new passages join them, and only the others are grouped.
        holdout : bool, optional
            Seek emergent themes in the words of one half of the candidates, and compare them in the other half only.
            Default: as last time, at first not.
        """
        halved = self.holdout if holdout is None else holdout
        rebuild = rebuild or halved != self.holdout
        state = self._state("discover")
        if self.store.get("discover") == state and not rebuild:
            return
        passages, tags = self.passages, self.tagger.counted(self.tags)
        before, ledger = set(self.encoder.memory), self.ledger
        earlier = Found(themes=self.themes, assignments=self.assignments, without=pd.DataFrame())
        found = find_themes(
            passages,
            tags,
            framework=self.framework,
            encoder=self.encoder,
            likely=self.tagger.themes(passages),
            earlier=earlier if len(ledger) else None,
            rebuild=rebuild,
            among=halves(passages["candidate_id"], self.settings.seed)[0] if halved else None,
            random_state=self.settings.seed,
        )
        mentions = count_mentions(passages, tags, found.themes, found.assignments, self._asked())
        self.store.add_vectors(self.encoder.id, since(self.encoder, before))
        self.store.drop_vectors(but={self.encoder.id, self.tagger.encoder.id})
        reasons = found.without["reason"].value_counts().to_dict()
        events = record(
            (earlier.themes, earlier.assignments) if len(ledger) else None,
            (found.themes, found.assignments),
            run=int(ledger["run"].max()) + 1 if len(ledger) else 1,
            at=date.today().isoformat(),
            batch=self._batches(set(passages["passage_id"]) - set(earlier.assignments["passage_id"])),
        )
        self.store.replace(
            {
                "themes": found.themes,
                "assignments": found.assignments,
                "mentions": mentions,
                "ledger": pd.concat([ledger, events], ignore_index=True) if len(ledger) else events,
            },
            meta={
                "discover": state,
                "find": "",  # findings were of the themes before
                "holdout": "yes" if halved else "",
                "without_theme": "; ".join(f"{n} {reason}" for reason, n in sorted(reasons.items())),
            },
        )

    def rename(self, theme_id: str, label: str) -> None:
        """Give a theme a name that it keeps in every later run; the ledger says so.

        Raises
        ------
        InputError
            There is no such theme, or it is one of the framework's, or the name is empty.
        """
        themes, ledger = renamed(self.themes, self.ledger, theme_id, label, at=date.today().isoformat())
        self.store.replace({"themes": themes, "ledger": ledger})

    def _batches(self, passage_ids: Collection[str]) -> str:
        """Return the batches of the candidates of these passages, in order."""
        passages, candidates = self.passages, self.candidates
        people = passages.loc[passages["passage_id"].isin(list(passage_ids)), "candidate_id"]
        batches = candidates.loc[candidates["candidate_id"].isin(people), "batch"].dropna()
        return ", ".join(sorted(batches.unique()))

    @property
    def holdout(self) -> bool:
        """Whether emergent themes are sought in one half of the candidates and compared in the other."""
        return self.store.get("holdout") == "yes"

    def merge_suggestions(self) -> pd.DataFrame:
        """Return pairs of emergent themes that may be one: theme_id, other_id, code, overlap (0..1)."""
        return merge_suggestions(
            self.themes, self.assignments, self.passages, self.encoder.encode(self.passages["text"].tolist())
        )

    def history(self) -> pd.DataFrame:
        """Return the ledger as others may see it: small counts and words of small themes left out."""
        return shown_ledger(self.ledger, self.framework.labels, min_n=self.settings.min_n)

    def to_bertopic(self) -> Any:
        """Return a BERTopic model over the themes of this study, for its figures and tables.

        Each passage counts for the theme it is strongest in; topics are numbered in the order of `themes`, and have
        their labels as ``custom_labels_``. The model holds passages of persons: do not save or share it.

        Returns
        -------
        bertopic.BERTopic
            ``visualize_barchart(custom_labels=True)``, ``visualize_hierarchy()``, ``visualize_heatmap()``,
            ``visualize_topics()`` (five themes and more) and ``get_topic_info()`` work.

        Raises
        ------
        InputError
            There are fewer than two themes.
        """
        self.discover()
        return bertopic_of(self.themes, self.assignments, self.passages, self.encoder)

    def _asked(self) -> dict[str, set[str]]:
        """Return the codes that prompts to each candidate asked about."""
        documents, turns = self.documents, self.turns
        owner = dict(zip(documents["document_id"], documents["candidate_id"], strict=True))
        voiced = documents.loc[(documents["kind"] != "feedback").fillna(True), "document_id"]
        out: dict[str, set[str]] = {}
        for document, part in turns[turns["document_id"].isin(voiced)].groupby("document_id"):
            questions = prompts(part)
            if questions:
                hits = self.tagger.asks(questions)
                codes = {code for j, code in enumerate(self.tagger.codes_) if hits[:, j].any()}
                out.setdefault(str(owner[document]), set()).update(codes)
        return out

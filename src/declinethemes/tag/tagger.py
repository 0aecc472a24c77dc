"""Apply a trained tagger: texts to calibrated probabilities, decisions and stances.

In: passages with their prompts. Out: arrays or the tags table. A tagger is a folder of two files,
``arrays.safetensors`` and ``tagger.json``; nothing is unpickled, and scikit-learn is not needed to predict.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from declinethemes import schema
from declinethemes._resources import resource
from declinethemes.encode import Encoder, check_hash, read_card
from declinethemes.errors import InputError, ModelError
from declinethemes.tag.features import Block, Words, build, near, with_code
from declinethemes.tag.linear import Linear

FORMAT = 3
Probabilities = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, eq=False)
class Tagger:
    """A multi-label tagger over passages and their prompts.

    Attributes
    ----------
    codes_ : tuple of str
        Codes in the order of the columns of every array.
    thresholds_ : array (n_codes,)
        Probability from which the decision is "yes".
    unsure_ : array (n_codes,)
        Probability from which the decision is at least "unsure".
    counted_ : array (n_codes,)
        Probability from which a tag counts as a mention of its candidate: at least the threshold, and .7.
    card_ : mapping
        What it was trained on, with which encoder, and its figures.
    """

    codes_: tuple[str, ...]
    thresholds_: Probabilities
    unsure_: Probabilities
    counted_: Probabilities
    arrays: Mapping[str, NDArray[Any]]
    words: tuple[Words, Words]
    encoder: Encoder
    card_: Mapping[str, Any]

    @property
    def id(self) -> str:
        """Name and version, written into every tag."""
        return str(self.card_["id"])

    @classmethod
    def load(cls, folder: str | Path | None = None, *, encoder: Encoder | None = None) -> Tagger:
        """Load the shipped tagger, or one made by ``themes train``.

        Parameters
        ----------
        folder : str or Path, optional
            Holds ``tagger.json`` and ``arrays.safetensors``.
        encoder : Encoder, optional
            An encoder that is loaded already; it must be the one the tagger was trained with.

        Raises
        ------
        ModelError
            A file is missing, altered, of another format, or made for another encoder.
        """
        from safetensors.numpy import load_file

        place = Path(folder) if folder else resource("models/tagger")
        card = read_card(place / "tagger.json")
        if card.get("format") != FORMAT:
            raise ModelError(f"{place} has format {card.get('format')!r}; this version reads {FORMAT}: train it again")
        lacks = [name for name in ("id", "sha256", "encoder", "encoder_name", "codes") if not card.get(name)]
        if lacks:
            raise ModelError(f"{place / 'tagger.json'} lacks {', '.join(lacks)}: train it again, or install again")
        check_hash(place / "arrays.safetensors", card["sha256"])
        encoder = encoder or Encoder.load(card["encoder_name"])
        if encoder.id != card["encoder"]:
            raise ModelError(
                f"the tagger in {place} was trained with encoder {card['encoder']}, not {encoder.id}: train it again"
            )
        codes, arrays = card["codes"], load_file(place / "arrays.safetensors")
        return cls(
            codes_=tuple(codes),
            thresholds_=np.array([codes[c]["threshold"] for c in codes], dtype=np.float64),
            unsure_=np.array([codes[c]["unsure"] for c in codes], dtype=np.float64),
            counted_=np.array([codes[c]["counted"] for c in codes], dtype=np.float64),
            arrays=arrays,
            words=(_words(arrays, "passage"), _words(arrays, "prompt")),
            encoder=encoder,
            card_=card,
        )

    def predict_proba(self, texts: Sequence[str], prompts: Sequence[str | None] | None = None) -> Probabilities:
        """Return the calibrated probability of every code.

        Parameters
        ----------
        texts : sequence of str, length n_texts
        prompts : sequence of str or None, optional
            The question before each text.

        Returns
        -------
        array of float64, shape (n_texts, n_codes)
        """
        return self._probabilities(self._features(texts, prompts), "tag")

    def predict(self, texts: Sequence[str], prompts: Sequence[str | None] | None = None) -> NDArray[np.bool_]:
        """Return the decision for every code: bool array (n_texts, n_codes), true from the code's threshold on."""
        decided: NDArray[np.bool_] = self.predict_proba(texts, prompts) >= self.thresholds_
        return decided

    def asks(self, questions: Sequence[str]) -> NDArray[np.bool_]:
        """Return which codes each question asks about.

        Parameters
        ----------
        questions : sequence of str, length n_questions

        Returns
        -------
        bool array (n_questions, n_codes)
        """
        probabilities = self._probabilities(self._features(questions, None), "ask")
        thresholds = np.array([entry["ask_threshold"] for entry in self.card_["codes"].values()])
        asked: NDArray[np.bool_] = probabilities >= thresholds
        return asked

    def tag(self, passages: pd.DataFrame) -> pd.DataFrame:
        """Tag passages.

        Passages of documents that the tagger was trained on are tagged by models that did not see their candidate, so
        that the tags of a training corpus are as good, and as bad, as those of new text.

        Parameters
        ----------
        passages : pandas.DataFrame
            The passages table.

        Returns
        -------
        pandas.DataFrame
            The tags table: a row per passage and code whose decision is yes or unsure.
        """
        passages = schema.conform(passages, "passages")
        if passages.empty:
            return schema.empty("tags")
        features = self._features(list(passages["text"]), _prompts(passages))
        folds = self._folds(passages)
        return self._tags(passages, features, self._probabilities(features, "tag", folds), folds)

    def _tags(
        self,
        passages: pd.DataFrame,
        features: Block,
        probabilities: Probabilities,
        folds: NDArray[np.int64],
    ) -> pd.DataFrame:
        frames = []
        for j, code in enumerate(self.codes_):
            hit = np.flatnonzero(probabilities[:, j] >= self.unsure_[j])
            if not len(hit):
                continue
            p = probabilities[hit, j]
            frames.append(
                pd.DataFrame(
                    {
                        "passage_id": passages["passage_id"].iloc[hit].to_numpy(),
                        "code": code,
                        "decided_by": "model",
                        "category": code.split(".")[0],
                        "probability": p,
                        "decision": np.where(p >= self.thresholds_[j], "yes", "unsure"),
                        "stance": self._stances(features[hit], j, folds[hit]),
                        "model_id": self.id,
                    }
                )
            )
        return schema.conform(pd.concat(frames), "tags") if frames else schema.empty("tags")

    def counted(self, tags: pd.DataFrame) -> pd.DataFrame:
        """Return the tags that themes and mentions are made of: sure enough not to inflate the count of candidates.

        Tags decided by people stay.
        """
        least = tags["code"].map(dict(zip(self.codes_, self.counted_.tolist(), strict=True)))
        sure = (tags["probability"] >= least).fillna(False).to_numpy(dtype=bool)
        return tags[sure | (tags["decided_by"] != "model").to_numpy(dtype=bool)].reset_index(drop=True)

    @property
    def themes_(self) -> tuple[str, ...]:
        """Known themes that were learnt from coded passages."""
        return tuple(self.card_.get("themes", ()))

    def themes(self, passages: pd.DataFrame) -> pd.DataFrame:
        """Return how probable each known theme is that was learnt.

        What the passages just before and after say counts too: people stay with a subject.

        Parameters
        ----------
        passages : pandas.DataFrame
            The passages table; whole documents, else neighbours are missing.

        Returns
        -------
        pandas.DataFrame
            Index passage_id, a column per theme in `themes_`, values 0..1.
        """
        passages = schema.conform(passages, "passages")
        rows = pd.Index(passages["passage_id"], name="passage_id")
        if not self.themes_ or passages.empty:
            return pd.DataFrame(index=rows, columns=list(self.themes_), dtype="float64")
        features = self._features(list(passages["text"]), _prompts(passages))
        own = self._logits(features, "theme", self._folds(passages)).astype(np.float64)
        beside = near(passages, own) - self.arrays["theme_typical"]
        scaled = own * self.arrays["theme_own"] + np.nan_to_num(beside) * self.arrays["theme_near"]
        return pd.DataFrame(
            _sigmoid(scaled + self.arrays["theme_shift"]), index=rows, columns=list(self.themes_), dtype="float64"
        )

    def stances(self, passages: pd.DataFrame, tags: pd.DataFrame) -> NDArray[np.object_]:
        """Return the stance of each tag: array of str (n_tags,), for tags of these passages."""
        row = {passage: i for i, passage in enumerate(passages["passage_id"])}
        features = self._features(list(passages["text"]), _prompts(passages))
        out = np.empty(len(tags), dtype=object)
        names = tags["code"].to_numpy(dtype=str)
        places = np.array([row[passage] for passage in tags["passage_id"]], dtype=int)
        folds = self._folds(passages)
        for j, code in enumerate(self.codes_):
            mine = np.flatnonzero(names == code)
            if len(mine):
                out[mine] = self._stances(features[places[mine]], j, folds[places[mine]])
        return out

    def _folds(self, passages: pd.DataFrame) -> NDArray[np.int64]:
        """Return the fold of each passage's candidate in training; -1 where the tagger has not seen the document."""
        held_out = self.card_.get("held_out", {})
        return np.array([held_out.get(document, -1) for document in passages["document_id"]], dtype=np.int64)

    def _stances(self, features: Block, code: int, folds: NDArray[np.int64]) -> list[str]:
        logits = self._logits(with_code(features, len(self.codes_), code), "stance", folds)
        return [schema.STANCES[k] for k in logits.argmax(axis=1)]

    def _logits(self, features: Block, head: str, folds: NDArray[np.int64] | None) -> Probabilities:
        """Return the scores of a head; rows with a fold use the model that was fitted without it."""
        parts = {part: self.arrays[f"{head}_{part}"] for part in ("weight", "words", "bias")}
        out = Linear(**parts).scores(features)
        for fold in set() if folds is None else set(folds.tolist()) - {-1}:
            mine = np.flatnonzero(folds == fold)
            parts = {part: self.arrays[f"{head}_fold_{part}"][fold].astype(np.float32) for part in parts}
            out[mine] = Linear(**parts).scores(features[mine])
        return out

    def _features(self, texts: Sequence[str], prompts: Sequence[str | None] | None) -> Block:
        asked = [prompt or "" for prompt in prompts] if prompts is not None else [""] * len(texts)
        if len(asked) != len(texts):
            raise InputError(f"{len(texts)} texts and {len(asked)} prompts: give one prompt (or None) per text")
        return build(texts, asked, (self.encoder.encode(texts), self.encoder.encode(asked)), self.words)

    def _probabilities(self, features: Block, head: str, folds: NDArray[np.int64] | None = None) -> Probabilities:
        scaled = self._logits(features, head, folds) * self.arrays[f"{head}_slope"] + self.arrays[f"{head}_shift"]
        return _sigmoid(scaled)


def _sigmoid(scores: Probabilities) -> Probabilities:
    probabilities: Probabilities = 1 / (1 + np.exp(-np.clip(scores, -60, 60)))
    return probabilities


def _prompts(passages: pd.DataFrame) -> list[str | None]:
    return [None if pd.isna(prompt) else str(prompt) for prompt in passages["prompt"]]


def _words(arrays: Mapping[str, NDArray[Any]], name: str) -> Words:
    """Return a stored vocabulary: its terms are one text, a line each."""
    text = arrays[f"{name}_terms"].tobytes().decode()
    return Words(terms={term: j for j, term in enumerate(text.split("\n") if text else [])}, idf=arrays[f"{name}_idf"])

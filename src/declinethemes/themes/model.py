"""Themes of any list of texts, with scikit-learn's conventions.

In: texts. Out: a label per text. For a study with codes and candidates see `find_themes`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from declinethemes.encode import GENERAL, Encoder, check_hash, read_card
from declinethemes.errors import InputError, ModelError
from declinethemes.themes.discover import LOOSE, group
from declinethemes.themes.represent import label_of, terms_of
from declinethemes.themes.stability import stability

Labels = NDArray[np.int64]
FORMAT = 1
THEMES = ["label", "name", "terms", "n_texts"]


class ThemeModel:
    """Find themes in texts; the number of themes is found, and the order of the texts does not matter.

    Parameters
    ----------
    min_size : int
        Least number of texts in a theme.
    encoder : str
        See `Encoder.load`.
    random_state : int
        Seed of the resamples behind ``stability_``; the themes themselves are not drawn at random.

    Attributes
    ----------
    labels_ : int array (n_texts,)
        -1 for texts in no theme (a tenth at most).
    themes_ : pandas.DataFrame
        Columns label, name, terms, n_texts.
    centres_ : array (n_themes, n_dimensions)
        Mean unit vector of each theme.
    stability_ : array (n_themes,)
        How well each theme is found again when texts are resampled, 0..1 (see `stability`); computed on first use,
        which takes a hundred times as long as the grouping.

    Examples
    --------
    >>> texts = [f"{what} number {i}" for what in ("the salary was low", "the train was late") for i in range(15)]
    >>> model = ThemeModel(random_state=0)
    >>> len(set(model.fit_predict(texts)))
    2
    """

    def __init__(self, *, min_size: int = 3, encoder: str = GENERAL, random_state: int = 0) -> None:
        self.min_size = min_size
        self.encoder = encoder
        self.random_state = random_state

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the parameters by name."""
        return {"min_size": self.min_size, "encoder": self.encoder, "random_state": self.random_state}

    def set_params(self, **params: Any) -> ThemeModel:
        """Set parameters by name."""
        for name, value in params.items():
            if name not in self.get_params():
                raise InputError(f"ThemeModel has no parameter '{name}'; it has {sorted(self.get_params())}")
            setattr(self, name, value)
        return self

    def fit(
        self, texts: Sequence[str], y: object = None, *, embeddings: NDArray[np.float32] | None = None
    ) -> ThemeModel:
        """Find themes.

        Parameters
        ----------
        texts : sequence of str, length n_texts
            At least 20.
        y : ignored
        embeddings : array (n_texts, n_dimensions), optional
            Vectors of the texts, where there are some already; of the same encoder, as `predict` and terms use it too.

        Raises
        ------
        InputError
            There are fewer than 20 texts, an element is not text, or the embeddings are not of this shape.
        """
        texts = _listed(texts)
        encoder = Encoder.load(self.encoder)
        vectors = _vectors(texts, embeddings, encoder)
        self._fitted: tuple[NDArray[np.float32], list[str]] | None = (vectors, texts)
        self._stability: NDArray[np.float64] | None = None
        self.labels_ = group(vectors, texts, min_size=self.min_size)
        terms = terms_of(texts, self.labels_.tolist(), encoder)
        names = range(self.labels_.max() + 1)
        self.centres_ = np.stack([_unit(vectors[self.labels_ == name].mean(axis=0)) for name in names])
        rows = []
        for name in names:
            mine = np.flatnonzero(self.labels_ == name)
            central = mine[np.argmax(vectors[mine] @ self.centres_[name])]
            rows.append(
                {
                    "label": name,
                    "name": label_of(terms[name], texts[central]),
                    "terms": terms[name],
                    "n_texts": len(mine),
                }
            )
        self.themes_ = pd.DataFrame(rows, columns=THEMES)
        return self

    def fit_predict(
        self, texts: Sequence[str], y: object = None, *, embeddings: NDArray[np.float32] | None = None
    ) -> Labels:
        """Find themes and return the label of each text."""
        return self.fit(texts, embeddings=embeddings).labels_

    @property
    def stability_(self) -> NDArray[np.float64]:
        """Mean bootstrap Jaccard of each theme; equal texts are drawn together.

        Raises
        ------
        InputError
            The model is not fitted.
        """
        self._check_fitted()
        if self._stability is None:
            if self._fitted is None:
                raise InputError("texts are not saved with a model: ask for stability_ before saving, or fit again")
            vectors, texts = self._fitted
            self._stability = stability(
                vectors, texts, self.labels_, texts, min_size=self.min_size, random_state=self.random_state
            )
        return self._stability

    def predict(self, texts: Sequence[str], *, embeddings: NDArray[np.float32] | None = None) -> Labels:
        """Return the label of the nearest theme for new texts, -1 for texts that are near none.

        Raises
        ------
        InputError
            The model is not fitted, or the embeddings are not of the shape of those it was fitted on.
        """
        self._check_fitted()
        vectors = _vectors(_listed(texts), embeddings, Encoder.load(self.encoder))
        near = vectors @ self.centres_.T
        nearest: Labels = np.where(near.max(axis=1, initial=-1) < LOOSE, -1, near.argmax(axis=1))
        return nearest

    def save(self, folder: str | Path) -> None:
        """Write the fitted model to a folder: arrays.safetensors and themes.json. The texts are not written.

        Raises
        ------
        InputError
            The model is not fitted.
        """
        from safetensors.numpy import save_file

        self._check_fitted()
        place = Path(folder)
        place.mkdir(parents=True, exist_ok=True)
        arrays = {"centres": self.centres_, "labels": self.labels_}
        if self._stability is not None:
            arrays["stability"] = self._stability
        save_file(arrays, place / "arrays.safetensors")
        card = {
            "format": FORMAT,
            "parameters": self.get_params(),
            "encoder_id": Encoder.load(self.encoder).id,
            "sha256": hashlib.sha256((place / "arrays.safetensors").read_bytes()).hexdigest(),
            "themes": self.themes_.to_dict("records"),
        }
        (place / "themes.json").write_text(json.dumps(card, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, folder: str | Path) -> ThemeModel:
        """Load a model that `save` wrote; it predicts what it predicted before.

        Raises
        ------
        ModelError
            A file is missing or altered, of another format, or made with another version of the encoder.
        """
        from safetensors.numpy import load_file

        place = Path(folder)
        card = read_card(place / "themes.json")
        if card.get("format") != FORMAT:
            raise ModelError(
                f"{place} has format {card.get('format')!r}; this version reads {FORMAT}: fit and save again"
            )
        lacks = [name for name in ("sha256", "parameters", "encoder_id", "themes") if name not in card]
        if lacks:
            raise ModelError(f"{place / 'themes.json'} lacks {', '.join(lacks)}: fit and save again")
        check_hash(place / "arrays.safetensors", card["sha256"])
        model = cls(**card["parameters"])
        if Encoder.load(model.encoder).id != card["encoder_id"]:
            raise ModelError(f"the themes in {place} were made with encoder {card['encoder_id']}: fit and save again")
        arrays = load_file(place / "arrays.safetensors")
        model.centres_, model.labels_ = arrays["centres"], arrays["labels"]
        model.themes_ = pd.DataFrame(card["themes"], columns=THEMES)
        model._fitted, model._stability = None, arrays.get("stability")
        return model

    def __sklearn_tags__(self) -> Any:
        """Return what scikit-learn's pipelines ask: a clusterer of texts that needs no target."""
        from sklearn.utils import InputTags, Tags, TargetTags

        texts = InputTags(one_d_array=True, two_d_array=False, string=True)
        return Tags(estimator_type="clusterer", target_tags=TargetTags(required=False), input_tags=texts)

    def _check_fitted(self) -> None:
        if not hasattr(self, "centres_"):
            raise InputError("this ThemeModel is not fitted: call fit(texts) first")


def _listed(texts: Sequence[str]) -> list[str]:
    if isinstance(texts, str):
        raise InputError(f"texts must be a list of str; found one str: {texts[:40]!r}")
    return list(texts)


def _vectors(texts: list[str], embeddings: NDArray[np.float32] | None, encoder: Encoder) -> NDArray[np.float32]:
    """Return the embeddings as unit rows, if they fit, or encode the texts."""
    if embeddings is None:
        return encoder.encode(texts)
    given = np.asarray(embeddings, dtype=np.float32)
    if given.shape != (len(texts), encoder.dimensions):
        raise InputError(
            f"embeddings must have the shape ({len(texts)}, {encoder.dimensions}), a row per text in the dimensions of "
            f"encoder {encoder.id}; found {given.shape}"
        )
    lengths = np.linalg.norm(given, axis=1, keepdims=True)
    out: NDArray[np.float32] = (given / np.where(lengths > 0, lengths, 1)).astype(np.float32)
    encoder.remember(texts, out)
    return out


def _unit(vector: NDArray[np.float32]) -> NDArray[np.float32]:
    out: NDArray[np.float32] = vector / (np.linalg.norm(vector) or 1)
    return out

"""Themes of any list of texts, with scikit-learn's conventions.

In: texts. Out: a label per text. For a study with codes and candidates see `find_themes`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from declinethemes.encode import GENERAL, Encoder
from declinethemes.errors import InputError
from declinethemes.themes.discover import group
from declinethemes.themes.represent import label_of, terms_of

Labels = NDArray[np.int64]


class ThemeModel:
    """Find themes in texts; the number of themes is found, and the order of the texts does not matter.

    Parameters
    ----------
    min_size : int
        Least number of texts in a theme.
    encoder : str
        See `Encoder.load`.
    random_state : int
        Kept for scikit-learn's conventions; nothing is drawn at random.

    Attributes
    ----------
    labels_ : int array (n_texts,)
        -1 for texts in no theme (a tenth at most).
    themes_ : pandas.DataFrame
        Columns label, name, terms, n_texts.
    centres_ : array (n_themes, n_dimensions)
        Mean unit vector of each theme.

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

    def fit(self, texts: Sequence[str], y: object = None) -> ThemeModel:
        """Find themes.

        Parameters
        ----------
        texts : sequence of str, length n_texts
            At least 20.
        y : ignored

        Raises
        ------
        InputError
            There are fewer than 20 texts, or an element is not text.
        """
        texts = _listed(texts)
        encoder = Encoder.load(self.encoder)
        vectors = encoder.encode(texts)
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
        self.themes_ = pd.DataFrame(rows, columns=["label", "name", "terms", "n_texts"])
        return self

    def fit_predict(self, texts: Sequence[str], y: object = None) -> Labels:
        """Find themes and return the label of each text."""
        return self.fit(texts).labels_

    def predict(self, texts: Sequence[str]) -> Labels:
        """Return the label of the nearest theme for new texts.

        Raises
        ------
        InputError
            The model is not fitted.
        """
        if not hasattr(self, "centres_"):
            raise InputError("this ThemeModel is not fitted: call fit(texts) first")
        vectors = Encoder.load(self.encoder).encode(_listed(texts))
        nearest: Labels = (vectors @ self.centres_.T).argmax(axis=1)
        return nearest


def _listed(texts: Sequence[str]) -> list[str]:
    if isinstance(texts, str):
        raise InputError(f"texts must be a list of str; found one str: {texts[:40]!r}")
    return list(texts)


def _unit(vector: NDArray[np.float32]) -> NDArray[np.float32]:
    out: NDArray[np.float32] = vector / (np.linalg.norm(vector) or 1)
    return out

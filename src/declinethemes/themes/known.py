"""Assign passages to the framework's known themes.

In: passages, tags, vectors, and how probable each theme is that a tagger has learnt. Out: passage, theme and strength.
A passage joins a known theme when it has the theme's code and a stance that fits, and is more likely than not to be
about it. A theme that no tagger has learnt (one of the user's own) is joined by closeness to its definition and
exemplars instead.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from declinethemes.encode import Encoder
from declinethemes.framework import Framework

LIKELY = 0.5
CLOSE = 0.30

Array = NDArray[np.float32]


def closeness(vectors: Array, framework: Framework, encoder: Encoder) -> Array:
    """Return how close each text is to each known theme.

    Parameters
    ----------
    vectors : array (n_passages, n_dimensions)
        Unit rows.

    Returns
    -------
    array (n_passages, n_themes)
        Largest cosine to the theme's definition and exemplars, not under 0.
    """
    out = np.zeros((len(vectors), len(framework.themes)), dtype=np.float32)
    for j, theme in enumerate(framework.themes):
        anchors = encoder.encode([theme.definition, *theme.exemplars])
        out[:, j] = np.clip((vectors @ anchors.T).max(axis=1), 0, 1)
    return out


def assign_known(
    passages: pd.DataFrame,
    tags: pd.DataFrame,
    vectors: Array,
    framework: Framework,
    encoder: Encoder,
    likely: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Return columns passage_id, theme_id, strength (0..1).

    Parameters
    ----------
    passages, tags : pandas.DataFrame
        The tables.
    vectors : array (n_passages, n_dimensions)
        Unit rows.
    framework : Framework
        Names the themes.
    encoder : Encoder
        That the vectors are of.
    likely : pandas.DataFrame, optional
        Index passage_id, a column per theme that was learnt: its probability (`Tagger.themes`).
    """
    learnt = set() if likely is None else set(likely.columns)
    near = pd.DataFrame(index=passages["passage_id"])
    if any(theme.id not in learnt for theme in framework.themes):
        near = pd.DataFrame(
            closeness(vectors, framework, encoder),
            index=passages["passage_id"],
            columns=[theme.id for theme in framework.themes],
        )
    yes = tags[tags["decision"] == "yes"]
    parts = []
    for theme in framework.themes:
        mine = yes[yes["code"] == theme.code]
        if theme.stance == "negative":
            mine = mine[mine["stance"].isin(["negative", "mixed"])]
        scores, least = (near, CLOSE) if likely is None or theme.id not in learnt else (likely, LIKELY)
        strength = scores.loc[mine["passage_id"].drop_duplicates(), theme.id].astype("float64")
        strength = strength[strength >= least]
        parts.append(
            pd.DataFrame({"passage_id": strength.index, "theme_id": theme.id, "strength": strength.to_numpy()})
        )
    found = [part for part in parts if len(part)]
    return (
        pd.concat(found, ignore_index=True) if found else pd.DataFrame(columns=["passage_id", "theme_id", "strength"])
    )

"""Assign passages to the framework's known themes.

In: passages, tags, vectors. Out: passage, theme and strength. A passage joins a known theme when it has the theme's
code, a stance that fits, and is close enough to the theme's definition or one of its exemplars. Thresholds stand beside
the shipped tagger, calibrated on coded passages; a theme without one uses `DEFAULT`.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from declinethemes.encode import Encoder
from declinethemes.framework import Framework

DEFAULT = 0.30

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
    thresholds: Mapping[str, float],
) -> pd.DataFrame:
    """Return columns passage_id, theme_id, strength (0..1)."""
    near = closeness(vectors, framework, encoder)
    row = {passage: i for i, passage in enumerate(passages["passage_id"])}
    yes = tags[tags["decision"] == "yes"]
    rows = []
    for j, theme in enumerate(framework.themes):
        mine = yes[yes["code"] == theme.code]
        if theme.stance == "negative":
            mine = mine[mine["stance"].isin(["negative", "mixed"])]
        for passage in mine["passage_id"]:
            strength = float(near[row[passage], j])
            if strength >= thresholds.get(theme.id, DEFAULT):
                rows.append((passage, theme.id, strength))
    return pd.DataFrame(rows, columns=["passage_id", "theme_id", "strength"])

"""What the tagger sees of a passage and its prompt.

In: unit vectors of passages and of prompts (zero where there is none). Out: one row of features per passage. The
interaction lets an answer such as "six weeks, maybe seven" mean something only after its question.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]


def join(passages: Array, prompts: Array) -> Array:
    """Return passage, prompt and their interaction side by side.

    Parameters
    ----------
    passages, prompts : array (n_passages, n_dimensions)
        Unit rows; a zero row where there is no prompt.

    Returns
    -------
    array of float32, shape (n_passages, 3 * n_dimensions + 1)
        The last column is 1 where there is a prompt.
    """
    there = (np.abs(prompts).sum(axis=1, keepdims=True) > 0).astype(np.float32)
    interaction = passages * prompts * np.float32(np.sqrt(passages.shape[1]))
    return np.hstack([passages, prompts, interaction, there]).astype(np.float32)


def with_code(features: Array, n_codes: int, code: int) -> Array:
    """Return features with an indicator of the code, for the stance of that code.

    Returns
    -------
    array of float32, shape (n_passages, n_features + n_codes)
    """
    indicator = np.zeros((len(features), n_codes), dtype=np.float32)
    indicator[:, code] = 1
    return np.hstack([features, indicator])

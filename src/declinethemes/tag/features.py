"""What the tagger sees of a passage and its prompt.

In: passages and prompts, as texts and as unit vectors (zero where there is none). Out: a block of features, a row per
passage: the two vectors, their product (which lets "six weeks, maybe seven" mean something only after its question),
and the words of both, weighted by TF-IDF.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Array = NDArray[np.float32]

PROMPT = 0.7  # weight of the prompt's words beside the passage's
MOST = 20_000  # terms in a vocabulary
_WORD = re.compile(r"\w[\w']*")


@dataclass(frozen=True, kw_only=True, eq=False)
class Words:
    """A vocabulary of words and pairs of neighbouring words, with their inverse document frequencies.

    Attributes
    ----------
    terms : dict of str to int
        Column of each term.
    idf : array (n_terms,)
        Smoothed inverse document frequency, ``log((1 + n) / (1 + df)) + 1``.
    """

    terms: dict[str, int]
    idf: Array

    @classmethod
    def fit(cls, texts: Iterable[str], *, min_count: int, most: int = MOST) -> Words:
        """Collect the terms that stand in at least so many different texts; of more than `most`, the commonest."""
        different = sorted(set(texts))
        counts = Counter(term for text in different for term in set(_terms(text)))
        common = sorted((term for term, n in counts.items() if n >= min_count), key=lambda term: (-counts[term], term))
        kept = sorted(common[:most])
        idf = [np.log((1 + len(different)) / (1 + counts[term])) + 1 for term in kept]
        return cls(terms={term: j for j, term in enumerate(kept)}, idf=np.array(idf, dtype=np.float32))

    def weigh(self, texts: Sequence[str]) -> Any:
        """Return a sparse array (n_texts, n_terms) of unit rows: ``(1 + log tf) * idf``; unknown terms are left out."""
        from scipy.sparse import csr_array

        columns: list[int] = []
        values: list[float] = []
        ends = [0]
        for text in texts:
            found = Counter(self.terms[term] for term in _terms(text) if term in self.terms)
            mine = sorted(found)
            weights = np.array([(1 + np.log(found[j])) * self.idf[j] for j in mine], dtype=np.float32)
            length = float(np.sqrt((weights**2).sum()))
            columns += mine
            values += (weights / length).tolist() if length else []
            ends.append(len(columns))
        data = (np.array(values, np.float32), np.array(columns, np.int32), np.array(ends, np.int32))
        return csr_array(data, shape=(len(texts), len(self.terms)))


def _terms(text: str) -> list[str]:
    words = _WORD.findall(text.lower())
    return words + [f"{a} {b}" for a, b in pairwise(words)]


@dataclass(frozen=True, kw_only=True, eq=False)
class Block:
    """Features of passages: ``dense`` (n_passages, 3 * n_dimensions + 1) and sparse ``words`` (n_passages, n_terms)."""

    dense: Array
    words: Any

    def __len__(self) -> int:
        """Return the number of passages."""
        return len(self.dense)

    def __getitem__(self, rows: NDArray[Any]) -> Block:
        """Return the features of some passages."""
        return Block(dense=self.dense[rows], words=self.words[rows])


def build(
    texts: Sequence[str],
    prompts: Sequence[str],
    vectors: tuple[Array, Array],
    words: tuple[Words, Words],
) -> Block:
    """Return the features of passages.

    Parameters
    ----------
    texts, prompts : sequences of str, length n_passages
        An empty prompt where there is none.
    vectors : two arrays (n_passages, n_dimensions)
        Of texts and prompts; unit rows, zero for an empty text.
    words : two vocabularies
        Of passages and of prompts.
    """
    from scipy.sparse import hstack

    weighed = hstack([words[0].weigh(texts), words[1].weigh(prompts) * np.float32(PROMPT)], format="csr")
    return Block(dense=join(*vectors), words=weighed)


def join(passages: Array, prompts: Array) -> Array:
    """Return passage, prompt and their product side by side.

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


def near(passages: pd.DataFrame, scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the higher of the scores of the passages just before and after each passage in its document.

    Parameters
    ----------
    passages : pandas.DataFrame
        The passages table. Passages of one document in the same place (rows of a table) are no neighbours, nor are
        equal texts: saying a thing twice does not make it more likely.
    scores : array (n_passages, n_columns)

    Returns
    -------
    array (n_passages, n_columns)
        NaN for passages that stand alone.
    """
    document, text = passages["document_id"].to_numpy(dtype=str), passages["text"].to_numpy(dtype=object)
    turn, start = (passages[name].to_numpy(dtype=np.int64) for name in ("turn_no", "start_char"))
    out = np.full(scores.shape, -np.inf)
    order = np.lexsort((start, turn, document)).tolist()
    for way in (order, order[::-1]):
        before: int | None = None  # the last passage with another text
        for last, here in pairwise(way):
            if document[last] != document[here] or (turn[last], start[last]) == (turn[here], start[here]):
                before = None
                continue
            before = last if text[last] != text[here] else before
            if before is not None:
                out[here] = np.maximum(out[here], scores[before])
    return np.where(np.isinf(out), np.nan, out)


def with_code(block: Block, n_codes: int, code: int | NDArray[np.int64]) -> Block:
    """Return features with an indicator of the code (one for all rows, or one per row), for the stance of that code."""
    from scipy.sparse import csr_array, hstack

    rows = np.arange(len(block))
    where = (rows, np.broadcast_to(code, len(block)))
    indicator = csr_array((np.ones(len(block), np.float32), where), shape=(len(block), n_codes))
    return Block(dense=block.dense, words=hstack([block.words, indicator], format="csr"))

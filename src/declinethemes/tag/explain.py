"""Why a text has a tag: the phrases that carried it, found by leaving them out.

In: a tagger, texts and one code each. Out: a frame of phrases with the probability that is lost without each. What the
text says as a whole may be carried by no single phrase; then no drop is large, and that is the answer.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import pandas as pd

from declinethemes.errors import InputError
from declinethemes.tag.tagger import Tagger

LONG = 8  # words from which a phrase is halved
_EDGE = re.compile(r"(?<=[.,;:!?])\s+|\s+(?=(?:and|but|because|so|though|although|which|who|when|while|if|or)\b)", re.I)


def explain(
    tagger: Tagger, texts: Sequence[str], codes: Sequence[str], prompts: Sequence[str | None] | None = None
) -> pd.DataFrame:
    """Leave out each phrase of each text, and see what its code loses.

    Parameters
    ----------
    tagger : Tagger
    texts, codes : sequences of str, length n_texts
        One code per text.
    prompts : sequence of str or None, optional
        The question before each text; it is never left out.

    Returns
    -------
    pandas.DataFrame
        A row per phrase: text_no (from 0), code, start_char, end_char (half-open, into the text), phrase, probability
        (of the whole text, calibrated), drop (probability lost without the phrase; negative where the phrase spoke
        against the code). Sorted by text_no, then by drop, largest first.

    Raises
    ------
    InputError
        A code is not the tagger's, or the lengths differ.
    """
    unknown = sorted(set(codes) - set(tagger.codes_))
    if unknown:
        raise InputError(f"the tagger has no code {', '.join(unknown)}; it has: {', '.join(tagger.codes_)}")
    asked = list(prompts) if prompts is not None else [None] * len(texts)
    if not len(texts) == len(codes) == len(asked):
        raise InputError(f"{len(texts)} texts, {len(codes)} codes and {len(asked)} prompts: give one of each per text")
    rows = [(number, start, end) for number, text in enumerate(texts) for start, end in phrases(text)]
    without = [f"{texts[n][:start]} {texts[n][end:]}".strip() for n, start, end in rows]
    numbers = np.array([n for n, _, _ in rows], dtype=np.int64)
    columns = np.array([tagger.codes_.index(code) for code in codes], dtype=np.int64)
    whole = tagger.predict_proba(texts, asked)[np.arange(len(texts)), columns]
    left = tagger.predict_proba(without, [asked[n] for n in numbers])[np.arange(len(rows)), columns[numbers]]
    frame = pd.DataFrame(
        {
            "text_no": numbers,
            "code": [codes[n] for n in numbers],
            "start_char": [start for _, start, _ in rows],
            "end_char": [end for _, _, end in rows],
            "phrase": [texts[n][start:end] for n, start, end in rows],
            "probability": whole[numbers],
            "drop": whole[numbers] - left,
        }
    )
    return frame.sort_values(["text_no", "drop", "start_char"], ascending=[True, False, True], ignore_index=True)


def carried(
    tagger: Tagger, texts: Sequence[str], codes: Sequence[str], prompts: Sequence[str | None] | None = None
) -> list[str]:
    """Return for each text the phrase that its code loses most without; empty where no phrase carries it."""
    frame = explain(tagger, texts, codes, prompts)
    best = frame[frame["drop"] > 0].drop_duplicates("text_no").set_index("text_no")["phrase"]
    return [str(best.get(n, "")) for n in range(len(texts))]


def phrases(text: str) -> list[tuple[int, int]]:
    """Cut a text at punctuation and before conjunctions, long parts in halves; return (start, end) of each phrase."""
    edges = [0, *(place for match in _EDGE.finditer(text) for place in match.span()), len(text)]
    out: list[tuple[int, int]] = []
    for start, end in zip(edges[::2], edges[1::2], strict=True):
        words = [match.span() for match in re.finditer(r"\S+", text[start:end])]
        parts = -(-len(words) // LONG)
        pieces = np.array_split(np.arange(len(words)), parts) if parts else []
        out += [(start + words[piece[0]][0], start + words[piece[-1]][1]) for piece in pieces]
    return out

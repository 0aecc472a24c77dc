"""Terms and labels of themes through BERTopic, over labels found elsewhere.

In: texts, their labels, an encoder. Out: for each label its terms, strongest first (c-TF-IDF, thinned by maximal
marginal relevance). BERTopic's object is not kept. Texts are sorted and distinct before it sees them, so the order of
rows does not matter.
"""

from __future__ import annotations

import logging
import re
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from declinethemes.encode import Encoder

N_TERMS = 8
MIN_TEXTS_PER_TERM = 4
_WORD = r"(?u)\b[^\W\d_]{2,}\b"
_FILLERS = frozenset(
    re.findall(
        r"\w+",
        "um uh yeah like just really got get thing things know think said say lot bit went going want wanted did didn "
        "don ve ll re kind sort mean okay right actually maybe person email phone",
    )
)


def terms_of(texts: Sequence[str], labels: Sequence[int], encoder: Encoder) -> Mapping[int, list[str]]:
    """Return the terms that set each label apart.

    Parameters
    ----------
    texts : sequence of str, length n_texts
    labels : sequence of int, length n_texts
        -1 is left out.
    encoder : Encoder
        For maximal marginal relevance.

    Returns
    -------
    dict of int to list of str
        Up to eight terms, strongest first; an empty list where a label's texts have no words of their own.
    """
    frame = pd.DataFrame({"text": pd.Series(list(texts), dtype="string"), "label": list(labels)})
    words = _words().build_analyzer()
    says = frame["text"].map(lambda text: bool(words(text))).astype(bool)
    frame = frame[(frame["label"] >= 0) & says].drop_duplicates().sort_values(["text", "label"])
    out: dict[int, list[str]] = {int(label): [] for label in sorted(set(labels)) if label >= 0}
    if frame["label"].nunique() < 2 or len(frame) < 3 or len(_vocabulary(frame["text"].tolist())) < 2:
        return out
    model = fit_bertopic(frame["text"].tolist(), frame["label"].tolist(), encoder)
    topics = pd.Series(model.topics_, index=frame.index)
    for label, topic in topics.groupby(frame["label"]).first().items():
        found = [term for term, weight in model.get_topic(topic) or [] if term and weight > 0]
        out[int(str(label))] = found[:N_TERMS]
    return out


def _words(vocabulary: Sequence[str] | None = None) -> Any:
    """Return what cuts a text into words and pairs of words, stop words and fillers left out."""
    from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS, CountVectorizer

    stops = sorted(ENGLISH_STOP_WORDS | _FILLERS)
    return CountVectorizer(
        ngram_range=(1, 2), stop_words=stops, token_pattern=_WORD, vocabulary=vocabulary, binary=vocabulary is None
    )


def _vocabulary(texts: Sequence[str]) -> list[str]:
    """Return the terms of several texts: BERTopic joins the texts of a theme before it counts, so rare words win."""
    counter = _words()
    often = np.asarray(counter.fit_transform(texts).sum(axis=0)).ravel()
    # A single term would be no contrast, and BERTopic cannot weigh it: with fewer than two, rare ones stay.
    least = MIN_TEXTS_PER_TERM if (often >= MIN_TEXTS_PER_TERM).sum() > 1 else 1
    return [str(term) for term, n in zip(counter.get_feature_names_out(), often, strict=True) if n >= least]


def fit_bertopic(texts: list[str], labels: list[int], encoder: Encoder) -> Any:
    """Return a BERTopic model over the given labels: c-TF-IDF and MMR, no clustering and no reduction of its own."""
    # Importing bertopic and its dependencies warns, and changes the filters of the whole process.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from bertopic import BERTopic
        from bertopic.backend import BaseEmbedder
        from bertopic.cluster import BaseCluster
        from bertopic.dimensionality import BaseDimensionalityReduction
        from bertopic.representation import MaximalMarginalRelevance
        from bertopic.vectorizers import ClassTfidfTransformer
    from threadpoolctl import threadpool_limits

    class Handed(BaseEmbedder):  # type: ignore[misc]
        """Our encoder as BERTopic wants it; without one it leaves MMR out and says nothing."""

        def embed(self, documents: Sequence[str], verbose: bool = False) -> Any:
            return encoder.encode(list(documents))

    logging.getLogger("BERTopic").setLevel(logging.ERROR)
    model = BERTopic(
        embedding_model=Handed(),
        umap_model=BaseDimensionalityReduction(),
        hdbscan_model=BaseCluster(),
        vectorizer_model=_words(_vocabulary(texts)),
        ctfidf_model=ClassTfidfTransformer(reduce_frequent_words=True),
        representation_model=MaximalMarginalRelevance(diversity=0.3, top_n_words=N_TERMS),
        calculate_probabilities=False,
        verbose=False,
    )
    with threadpool_limits(limits=1), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # scikit-learn and BERTopic warn of each other's types
        model.fit(texts, embeddings=encoder.encode(texts), y=np.array(labels))
    return model


def label_of(terms: Sequence[str], exemplar: str) -> str:
    """Return a short name: the leading terms that do not repeat each other, else the exemplar's first words."""
    chosen: list[str] = []
    seen: set[str] = set()
    for term in terms:
        words = set(term.split())
        if not words & seen:
            chosen.append(term)
            seen |= words
        if len(chosen) == 3:
            break
    if chosen:
        return ", ".join(chosen)
    return " ".join(re.findall(r"\S+", exemplar)[:6])

"""Terms, names and exemplars of themes, over groups found elsewhere.

In: texts, their labels, an encoder. Out: for each label its terms through BERTopic, strongest first (c-TF-IDF, thinned
by maximal marginal relevance), a phrase as its name, and passages that stand for it. BERTopic's object is not kept.
Texts are sorted and distinct before it sees them, so the order of rows does not matter.
"""

from __future__ import annotations

import logging
import re
import warnings
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from declinethemes.encode import Encoder, nameless
from declinethemes.errors import InputError

N_TERMS = 8
MIN_TEXTS_PER_TERM = 4
MIN_CANDIDATES = 3
N_EXEMPLARS, ALIKE = 3, 0.9
N_PHRASES, SMOOTH = 12, 0.02  # phrases that are looked at; a share that is as good as none
NOUN = 0.2  # share of a word's uses that close a phrase after an article or the like, from which it is a noun
_WORD = r"(?u)\b[^\W\d_]{2,}\b"


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


_FILLERS = _set(
    "um uh yeah like just really got get thing things know think said say lot bit went going want wanted did didn don "
    "ve ll re kind sort mean okay right actually maybe person somebody email phone"
)
_WORDS = re.compile(r"\w+")
_TOKENS = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*|[^\s\w]|\d+")
_OPENERS = _set(
    "a an the my your his her our their its no any some this that these those every each another of in on at for with "
    "from about without by per"
)
_CALENDAR = _set(
    "monday tuesday wednesday thursday friday saturday sunday january february march april may june july august "
    "september october november december today tomorrow yesterday first second third fourth fifth sixth seventh eighth "
    "ninth tenth"
)
_VERBS = _set(
    "was were is are be been being am had has have did does do done got get said asked told went came felt knew "
    "thought took gave wanted needed heard saw made i'm it's i'd i've that's they'd he'd she'd we'd didn't don't "
    "wasn't couldn't wouldn't"
)


@dataclass(frozen=True, kw_only=True)
class Shown:
    """What is shown of a theme; exemplars are passage ids."""

    label: str
    terms: list[str]
    n_passages: int
    n_candidates: int
    exemplars: list[str]


def describe(
    assignments: pd.DataFrame, passages: pd.DataFrame, vectors: NDArray[np.float32], encoder: Encoder
) -> dict[str, Shown]:
    """Return what is shown of each theme, by theme id.

    Words that fewer than three candidates of a theme use are neither terms nor names: they belong to a person.

    Parameters
    ----------
    assignments, passages : pandas.DataFrame
        The tables.
    vectors : array (n_passages, n_dimensions)
        Unit rows of the passages.
    encoder : Encoder
        For maximal marginal relevance.
    """
    place = {passage: i for i, passage in enumerate(passages["passage_id"])}
    plain = passages[["passage_id", "candidate_id"]].assign(text=passages["text"].map(nameless))
    whole = assignments.merge(plain, on="passage_id")
    names = sorted(whole["theme_id"].unique())
    numbers = {name: i for i, name in enumerate(names)}
    terms = terms_of(whole["text"].tolist(), [numbers[t] for t in whole["theme_id"]], encoder)
    centres = {
        str(name): vectors[[place[p] for p in mine["passage_id"]]].mean(axis=0)
        for name, mine in whole.groupby("theme_id")
    }
    phrases = phrases_of(
        whole["text"].tolist(), whole["theme_id"].tolist(), whole["candidate_id"].tolist(), centres, encoder
    )
    out = {}
    for name, mine in whole.groupby("theme_id", sort=True):
        mine = mine.sort_values(["strength", "passage_id"], ascending=[False, True])
        said = [set(_WORDS.findall(text.lower())) for text in mine.groupby("candidate_id")["text"].agg(" ".join)]
        common = [
            term
            for term in terms[numbers[str(name)]]
            if sum(set(term.split()) <= words for words in said) >= MIN_CANDIDATES
        ]
        out[str(name)] = Shown(
            label=phrases.get(str(name), ""),
            terms=common[:N_TERMS],
            n_passages=len(mine),
            n_candidates=mine["candidate_id"].nunique(),
            exemplars=_exemplars(mine, vectors[[place[p] for p in mine["passage_id"]]]),
        )
    return out


def _exemplars(mine: pd.DataFrame, vectors: NDArray[np.float32]) -> list[str]:
    """Return up to three passages, the most central first, of different candidates and not alike."""
    chosen: list[int] = []
    people = mine["candidate_id"].tolist()
    for alike in (ALIKE, 2.0):  # where all are alike, alike ones will do
        for i in range(len(mine)):
            if len(chosen) == N_EXEMPLARS:
                break
            if people[i] not in [people[j] for j in chosen] and all(vectors[i] @ vectors[j] < alike for j in chosen):
                chosen.append(i)
    return [str(mine["passage_id"].iloc[i]) for i in chosen]


def phrases_of(
    texts: Sequence[str],
    groups: Sequence[str],
    voices: Sequence[str],
    centres: Mapping[str, NDArray[np.float32]],
    encoder: Encoder,
) -> dict[str, str]:
    """Return a short noun phrase for each group: one that many of its voices use and others do not.

    Of the phrases with the largest lift over the other groups, the one closest in meaning to the group's centre.

    A phrase is one to three words in a row, none of them a function word, of which the last is a noun. Nouns are known
    by their company: words that often close what an article, a possessive or a preposition opened ("the notice
    period"). A phrase needs three voices; without one a group has no entry.

    Parameters
    ----------
    texts, groups, voices : sequences of str, length n_texts
        A text may stand in several groups.
    centres : mapping of group to array (n_dimensions,)
        Mean vector of each group.
    encoder : Encoder
        For the vectors of phrases.

    Returns
    -------
    dict of group to phrase
        Each phrase once: the group it is strongest in has it.
    """
    found = {text: _chunks(text) for text in set(texts)}
    heads, ends = Counter[str](), Counter[str]()
    for chunks in found.values():
        for words, opened in chunks:
            ends.update(words)
            heads.update(words[-1:] if opened else ())
    nouns = {word for word, n in ends.items() if heads[word] >= 2 and heads[word] / n >= NOUN}
    said: dict[str, dict[str, set[str]]] = {}
    for text, group, voice in zip(texts, groups, voices, strict=True):
        for words, _ in found[text]:
            for end in range(1, len(words) + 1):
                if words[end - 1] not in nouns:
                    continue
                for start in range(max(0, end - 3), end):
                    if not (_FILLERS | _CALENDAR) & set(words[start:end]):
                        said.setdefault(" ".join(words[start:end]), {}).setdefault(group, set()).add(voice)
    sizes = {group: len({v for v, g in zip(voices, groups, strict=True) if g == group}) for group in set(groups)}
    ranked: dict[str, list[tuple[float, str]]] = {}
    for phrase, by in said.items():
        for group, who in by.items():
            inside = len(who) / sizes[group]
            outside = max((len(by.get(g, ())) / n for g, n in sizes.items() if g != group), default=0.0)
            lift = inside * np.log2((inside + SMOOTH) / (outside + SMOOTH))
            if len(who) >= MIN_CANDIDATES and lift > 0:
                ranked.setdefault(group, []).append((-lift * (1 + phrase.count(" ")), phrase))
    scores = []
    for group, phrases in sorted(ranked.items()):
        best = sorted(phrases)[:N_PHRASES]
        near = encoder.encode([phrase for _, phrase in best]) @ centres[group]
        scores += [(lift * max(0.0, float(c)), group, phrase) for (lift, phrase), c in zip(best, near, strict=True)]
    out: dict[str, str] = {}
    for _, group, phrase in sorted(scores):
        if group not in out and phrase not in out.values():
            out[group] = phrase
    return out


def _chunks(text: str) -> list[tuple[list[str], bool]]:
    """Return runs of words between function words and stops, and whether an article or the like opened each."""
    from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

    out: list[tuple[list[str], bool]] = []
    run: list[str] = []
    opened = False
    for token in _TOKENS.findall(text.lower()):
        if token in ENGLISH_STOP_WORDS or token in _VERBS or not token[0].isalpha():
            if run:
                out.append((run, opened))
            run, opened = [], token in _OPENERS
        else:
            run.append(token)
    return [*out, (run, opened)] if run else out


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


def bertopic_of(themes: pd.DataFrame, assignments: pd.DataFrame, passages: pd.DataFrame, encoder: Encoder) -> Any:
    """Return a BERTopic model whose topics are themes, each passage in the one it is strongest in.

    Raises
    ------
    InputError
        There are fewer than two themes.
    """
    strongest = assignments.sort_values(["strength", "theme_id"], ascending=[False, True]).drop_duplicates("passage_id")
    frame = strongest.merge(passages[["passage_id", "text"]], on="passage_id")
    frame = frame.assign(text=frame["text"].map(nameless)).sort_values(["text", "theme_id"])
    frame = frame.drop_duplicates("text")
    names = [name for name in themes["theme_id"] if name in set(frame["theme_id"])]
    if len(names) < 2:
        raise InputError(f"BERTopic needs two themes at least; this study has {len(names)}")
    numbers = {name: i for i, name in enumerate(names)}
    model = fit_bertopic(frame["text"].tolist(), frame["theme_id"].map(numbers).tolist(), encoder)
    labels = dict(zip(themes["theme_id"], themes["label"], strict=True))
    topics = pd.Series(model.topics_).groupby(frame["theme_id"].tolist()).first()
    model.set_topic_labels({int(topics[name]): labels[name] for name in names})
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

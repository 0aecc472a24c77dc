"""Themes of texts with known intents: ours beside BERTopic and k-means, on the same vectors.

    python -m benchmarks.themes --data ../shared/bench

In: Banking77's and CLINC150's test sets and two small sets drawn from Banking77 (outside data, not part of this
project; prints "not run" without them). Out: normalised mutual information and adjusted Rand index with the intents,
the number of themes found, the share of texts in none, and the adjusted Rand index of five shufflings of the rows with
the first order; and how well passages of the sample join the known themes that were planted there. BERTopic runs with
its defaults and a seed; k-means is told the true number. Times are of this machine now: only ratios say something.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from declinethemes._resources import resource
from declinethemes.encode import Encoder
from declinethemes.framework import load_framework
from declinethemes.tag import Tagger
from declinethemes.themes.discover import group
from declinethemes.themes.known import assign_known
from declinethemes.training import read_coded

Vectors = NDArray[np.float32]
Labels = NDArray[np.int64]
Way = Callable[[Vectors, list[str], int], Labels]
SHUFFLES, SEED = 5, 0
SMALL = {"Banking77, 8 intents x 15": (8, 15), "Banking77, 5 intents x 8": (5, 8)}


def read(data: Path) -> dict[str, tuple[list[str], NDArray[np.str_]]]:
    """Return texts and intents of each set."""
    banking = pd.read_csv(data / "banking77" / "test.csv").rename(columns={"category": "intent"})
    sets = {"Banking77 test": banking, "CLINC150 test": pd.read_csv(data / "clinc150" / "test.csv")}
    for name, (intents, rows) in SMALL.items():
        chosen = sorted(banking["intent"].unique())[:64:8][:intents]
        part = banking[banking["intent"].isin(chosen)].groupby("intent").head(rows)
        sets[name] = part.sample(frac=1, random_state=0)
    return {name: (part["text"].tolist(), part["intent"].to_numpy(dtype=str)) for name, part in sets.items()}


def ours(vectors: Vectors, texts: list[str], _: int) -> Labels:
    return group(vectors, texts)


def bertopic(vectors: Vectors, texts: list[str], _: int) -> Labels:
    """Return BERTopic's topics with its default models, UMAP seeded."""
    from bertopic import BERTopic
    from umap import UMAP

    reducer = UMAP(n_neighbors=15, n_components=5, min_dist=0.0, metric="cosine", low_memory=False, random_state=SEED)
    return np.array(BERTopic(umap_model=reducer, embedding_model=None).fit_transform(texts, vectors)[0], dtype=np.int64)


def k_means(vectors: Vectors, _: list[str], k: int) -> Labels:
    from sklearn.cluster import KMeans

    labels: Labels = KMeans(k, n_init=10, random_state=SEED).fit_predict(vectors).astype(np.int64)
    return labels


def measure(name: str, way: Way, vectors: Vectors, texts: list[str], intents: NDArray[np.str_]) -> str:
    """Return a row: agreement with the intents, numbers, and what another order of the rows changes."""
    from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score

    k = len(set(intents))
    begun = time.perf_counter()
    labels = way(vectors, texts, k)
    seconds = time.perf_counter() - begun
    again = []
    for seed in range(SHUFFLES):
        order = np.random.default_rng(seed).permutation(len(texts))
        other = np.empty_like(labels)
        other[order] = way(vectors[order], [texts[i] for i in order], k)
        again.append(adjusted_rand_score(labels, other))
    found = len(set(labels.tolist()) - {-1})
    return (
        f"  {name:22} NMI {normalized_mutual_info_score(intents, labels):.3f}  "
        f"ARI {adjusted_rand_score(intents, labels):.3f}  found {found:3} ({found / k:.2f} of {k})  "
        f"in none {(labels == -1).mean():4.0%}  shuffled {min(again):.3f}-{max(again):.3f}  {seconds:5.1f} s"
    )


def known_themes() -> None:
    """Print how well passages of the sample join known themes, through the tagger's own tags."""
    framework, tagger, encoder = load_framework(), Tagger.load(), Encoder.load()
    for name, splits in (("train and calibration, tags out of fold", ("train", "calibration")), ("test", ("test",))):
        coded = read_coded(resource("corpora/sample"), splits=splits)
        vectors = encoder.encode(coded.passages["text"].tolist())
        tags = tagger.counted(tagger.tag(coded.passages))
        joined = assign_known(
            coded.passages, tags, vectors, framework, encoder, tagger.card_.get("theme_thresholds") or {}
        )
        found = set(zip(joined["passage_id"], joined["theme_id"], strict=True))
        gold = set(zip(coded.themes["passage_id"], coded.themes["theme_id"], strict=True))
        there, right = {theme for _, theme in gold}, found & gold
        print(
            f"known themes of the sample, {name}: {len({theme for _, theme in right})} of {len(there)} found, "
            f"precision of assignments {len(right) / len(found):.2f}, recall {len(right) / len(gold):.2f}"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="folder with banking77/ and clinc150/")
    data = parser.parse_args().data
    known_themes()
    if data is None or not (data / "banking77").is_dir():
        print("not run (no --data)")
        return
    encoder = Encoder.load()
    ways: dict[str, Way] = {"declinethemes": ours, "BERTopic, seeded": bertopic, "k-means, given true k": k_means}
    for title, (texts, intents) in read(data).items():
        print(f"{title}: {len(texts)} texts")
        vectors = encoder.encode(texts)
        for name, way in ways.items():
            print(measure(name, way, vectors, texts, intents), flush=True)


if __name__ == "__main__":
    main()

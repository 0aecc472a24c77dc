"""Themes of texts with known intents: ours beside BERTopic and k-means, on the same vectors.

    python -m benchmarks.themes --data ../shared/bench

In: Banking77's and CLINC150's test sets and two small sets drawn from Banking77 (outside data, not part of this
project; prints "not run" without them). Out: normalised mutual information and adjusted Rand index with the intents,
the number of themes found, the share of texts in none, and the adjusted Rand index of five shufflings of the rows with
the first order; how well passages of the sample join the known themes that were planted there; how themes that came in
three batches agree with those at once; how long a whole fit takes. `--size N`: seconds and peak memory on so many
texts. BERTopic runs with its defaults and a seed; k-means is told the true number. Times are of this machine now: only
ratios say something.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Collection
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from declinethemes._resources import resource
from declinethemes.corpus import read_corpus
from declinethemes.encode import Encoder
from declinethemes.framework import load_framework
from declinethemes.tag import Tagger
from declinethemes.themes import Found, ThemeModel, find_themes
from declinethemes.themes.discover import group
from declinethemes.themes.known import assign_known
from declinethemes.training import Coded, read_coded

Vectors = NDArray[np.float32]
Labels = NDArray[np.int64]
Way = Callable[[Vectors, list[str], int], Labels]
SHUFFLES, SEED, SEEDS = 5, 0, (0, 1, 2)
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


def sample(splits: tuple[str, ...]) -> tuple[Coded, pd.DataFrame]:
    """Return the coded sample and the tags that count, by models that did not see their candidate."""
    coded = read_coded(resource("corpora/sample"), splits=splits)
    tagger = Tagger.load()
    return coded, tagger.counted(tagger.tag(coded.passages))


def known_themes() -> None:
    """Print how well passages of the sample join known themes, through the tagger's own tags."""
    framework, tagger, encoder = load_framework(), Tagger.load(), Encoder.load()
    fitted, test = ("train", "calibration"), ("test",)
    for name, splits in (("train and calibration, out of fold", fitted), ("test", test), ("all", fitted + test)):
        coded, tags = sample(splits)
        passages = coded.passages
        vectors = encoder.encode(passages["text"].tolist())
        joined = assign_known(passages, tags, vectors, framework, encoder, tagger.themes(passages))
        whose = dict(zip(passages["passage_id"], passages["candidate_id"], strict=True))
        gold = coded.themes.dropna(subset=["theme_id"])
        found = set(zip(joined["passage_id"], joined["theme_id"], strict=True))
        planted = set(zip(gold["passage_id"], gold["theme_id"], strict=True))
        there, right = {theme for _, theme in planted}, found & planted
        people, heard = ({(whose[p], theme) for p, theme in pairs} for pairs in (found, planted))
        print(
            f"known themes of the sample, {name}: {len({theme for _, theme in right})} of {len(there)} found; "
            f"passages: precision {len(right) / len(found):.2f}, recall {len(right) / len(planted):.2f}; "
            f"candidates: precision {len(people & heard) / len(people):.2f}, "
            f"recall {len(people & heard) / len(heard):.2f}"
        )


def batches(seed: int) -> None:
    """Print how themes that came in three batches agree with those of the same passages at once, candidates drawn anew.

    Which groups hold depends a little on the candidates that are drawn: one seed is one opinion.
    """
    from sklearn.metrics import adjusted_rand_score

    framework, tagger, encoder = load_framework(), Tagger.load(), Encoder.load()
    corpus = read_corpus(resource("corpora/sample/documents"), candidates=resource("corpora/sample/candidates.csv"))
    passages, people = corpus.passages, corpus.candidates.sort_values(["batch", "candidate_id"])
    tags = tagger.counted(tagger.tag(passages))
    likely = tagger.themes(passages)

    def find(who: Collection[str], earlier: Found | None, *, rebuild: bool = False) -> Found:
        mine = passages[passages["candidate_id"].isin(list(who))].reset_index(drop=True)
        theirs = tags[tags["passage_id"].isin(mine["passage_id"])].reset_index(drop=True)
        return find_themes(
            mine,
            theirs,
            framework=framework,
            encoder=encoder,
            likely=likely,
            earlier=earlier,
            rebuild=rebuild,
            random_state=seed,
        )

    names = people["candidate_id"].tolist()
    once, stepped = find(names, None), None
    for number in (1, 2, 3):
        stepped = find(names[: len(names) * number // 3], stepped)
    rebuilt = find(names, stepped, rebuild=True)
    for name, other in (("one by one", stepped), ("rebuilt", rebuilt)):
        one, two = strongest(once), strongest(other)
        both = one.index.intersection(two.index)
        free = [p for p in both if not {one[p], two[p]} & set(framework.labels)]
        codes = other.themes.set_index("theme_id")["code"]
        coded = [p for p in free if pd.notna(codes[two[p]])]
        whole, new = (adjusted_rand_score(one[mine], two[mine]) for mine in (both, coded))
        print(
            f"seed {seed}, three batches {name} v at once: ARI of themes {whole:.3f} over {len(both)} passages; "
            f"emergent ones under a code {new:.3f} over {len(coded)}; "
            f"{len(two.unique())} and {len(one.unique())} themes"
        )


def strongest(found: Found) -> pd.Series:
    """Return the strongest theme of each passage, known ones first."""
    frame = found.assignments.merge(found.themes[["theme_id", "kind"]], on="theme_id")
    frame = frame.sort_values(["kind", "strength", "theme_id"], ascending=[False, False, True])
    return frame.drop_duplicates("passage_id").set_index("passage_id")["theme_id"].sort_index()


def whole_fit(texts: list[str], vectors: Vectors) -> None:
    """Print how long a whole fit takes, vectors given, terms and names included, beside BERTopic's."""
    seconds = {}
    ThemeModel().fit(texts[:40], embeddings=vectors[:40])  # both sides have imported what they need
    for name, fit in (
        ("declinethemes", lambda: ThemeModel().fit(texts, embeddings=vectors)),
        ("BERTopic", lambda: bertopic(vectors, texts, 0)),
    ):
        begun = time.perf_counter()
        fit()
        seconds[name] = time.perf_counter() - begun
    print(
        f"whole fit, vectors given: {seconds['declinethemes']:.1f} s, BERTopic {seconds['BERTopic']:.1f} s: "
        f"{seconds['BERTopic'] / seconds['declinethemes']:.1f} times as fast"
    )


def size(n: int) -> None:
    """Print seconds and peak memory of a whole fit on n texts with made-up vectors, in this process."""
    import resource as limits

    rng = np.random.default_rng(SEED)
    centres = rng.normal(size=(60, 384)).astype(np.float32)
    vectors = centres[rng.integers(0, 60, n)] + 1.5 * rng.normal(size=(n, 384)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    words = [f"word{i}" for i in range(3000)]
    drawn = rng.integers(0, len(words), size=(n, 20))
    texts = [" ".join(words[j] for j in row) for row in drawn]
    begun = time.perf_counter()
    model = ThemeModel().fit(texts, embeddings=vectors)
    print(
        f"{n:,} texts: {time.perf_counter() - begun:.0f} s, {len(model.themes_)} themes of 60 made, peak memory of the "
        f"process {limits.getrusage(limits.RUSAGE_SELF).ru_maxrss / 2**20:.2f} GB"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="folder with banking77/ and clinc150/")
    parser.add_argument("--size", type=int, help="only measure a fit on so many made-up texts")
    given = parser.parse_args()
    data = given.data
    if given.size:
        size(given.size)
        return
    known_themes()
    for seed in SEEDS:
        batches(seed)
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
        if title == "Banking77 test":
            whole_fit(texts, vectors)


if __name__ == "__main__":
    main()

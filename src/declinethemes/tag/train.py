"""Fit a tagger from coded passages.

In: passages, their tags, coded questions, and groups (candidates) that must not be split over folds. Out: a folder that
`Tagger.load` reads. One-vs-rest logistic regression per code (scikit-learn), Platt scaling and thresholds on
out-of-fold scores.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from declinethemes import schema
from declinethemes.encode import SHIPPED, Encoder
from declinethemes.errors import InputError
from declinethemes.framework import Framework
from declinethemes.tag.evaluate import best_threshold
from declinethemes.tag.features import join, with_code
from declinethemes.tag.tagger import FORMAT

MIN_EXAMPLES = 8
FOLDS = 5
STRENGTH = 1.0  # inverse of the L2 penalty
UNSURE = 0.8  # from this share of the threshold on, or from the best F1 on, a tag is unsure
# passages: with it nearly everybody seems to mention everything. On training candidates, out of fold, agreement with
# the codes on who complains of what was kappa .21 with this floor and .15 without.
YES = 0.5
UNSURE = (
    0.8  # from here on (as a share of the threshold), or from the best F1 on, a probability is unsure instead of no
)

Matrix = NDArray[np.float32]
Labels = NDArray[np.bool_]


def train(
    passages: pd.DataFrame,
    tags: pd.DataFrame,
    *,
    questions: pd.DataFrame,
    framework: Framework,
    out: Path,
    encoder: Encoder | None = None,
    encoder_name: str = SHIPPED,
    random_state: int = 0,
) -> dict[str, Any]:
    """Fit a tagger and write it to a folder.

    Parameters
    ----------
    passages : pandas.DataFrame
        The passages table; candidates are kept whole when folds are made.
    tags : pandas.DataFrame
        The tags table of these passages, decision "yes" counts; passages without a row have no code.
    questions : pandas.DataFrame
        Columns text, codes (tuple of str): what interviewers asked, for the share asked.
    framework : Framework
        Its codes are learned; a code needs 8 coded passages.
    out : Path
        Folder to write ``arrays.safetensors`` and ``tagger.json`` to.
    encoder, encoder_name : Encoder and str
        What makes the vectors; the name is written into the card.
    random_state : int
        Seed of the folds.

    Returns
    -------
    dict
        The card as written.

    Raises
    ------
    InputError
        A code has fewer than 8 coded passages, or a tag has a code that the framework lacks.
    """
    from safetensors.numpy import save_file

    passages, tags = schema.conform(passages, "passages"), schema.conform(tags, "tags")
    codes = [code.id for code in framework.codes]
    labels = label_matrix(passages, tags, codes)
    _check_counts(codes, labels)
    encoder = encoder or Encoder.load(encoder_name)
    prompts = passages["prompt"].fillna("").tolist()
    x = join(encoder.encode(passages["text"].tolist()), encoder.encode(prompts))
    groups = passages["candidate_id"].to_numpy(dtype=str)
    arrays: dict[str, NDArray[np.float32]] = {}
    entries: dict[str, dict[str, Any]] = {code: {} for code in codes}
    tag_head, scores = _fit_heads(x, labels, groups, random_state)
    recall = {}
    for j, code in enumerate(codes):
        best = best_threshold(labels[:, j], scores[:, j])
        threshold = max(best, YES)
        entries[code] |= {
            "threshold": round(threshold, 6),
            "unsure": round(min(best, UNSURE * threshold), 6),
            "n_passages": int(labels[:, j].sum()),
        }
        recall[code] = round(float((scores[labels[:, j], j] >= threshold).mean()), 4)
    asked = np.array([[code in found for code in codes] for found in questions["codes"]], dtype=bool)
    asked = asked.reshape(-1, len(codes))  # without coded questions there are no rows, and no code is ever asked about
    ask_head, ask_scores = _fit_heads(
        encoder.encode(questions["text"].tolist()),
        asked,
        questions["document_id"].to_numpy(dtype=str),
        random_state,
    )
    for j, code in enumerate(codes):
        entries[code]["ask_threshold"] = round(best_threshold(asked[:, j], ask_scores[:, j]), 6)
    for head, parts in (("tag", tag_head), ("ask", ask_head)):
        arrays |= {f"{head}_{name}": value for name, value in parts.items()}
    folds = fold_of(groups, random_state)
    arrays |= _fit_stance(x, passages, tags, codes, folds)
    out.mkdir(parents=True, exist_ok=True)
    save_file(arrays, out / "arrays.safetensors")
    digest = hashlib.sha256((out / "arrays.safetensors").read_bytes()).hexdigest()
    card = {
        "format": FORMAT,
        "id": f"{framework.name}-{framework.version}-{_short(digest, entries)}",
        "framework": {"name": framework.name, "version": framework.version},
        "encoder": encoder.id,
        "encoder_name": encoder_name,
        "sha256": digest,
        "random_state": random_state,
        "n_passages": len(passages),
        "n_candidates": int(passages["candidate_id"].nunique()),
        "n_questions": len(questions),
        "recall": recall,
        "held_out": {str(d): int(f) for d, f in sorted(zip(passages["document_id"], folds, strict=True))},
        "codes": entries,
    }
    (out / "tagger.json").write_text(json.dumps(card, indent=1) + "\n", encoding="utf-8")
    return card


def _short(digest: str, entries: dict[str, dict[str, Any]]) -> str:
    """Return a version of eight digits: other arrays or other thresholds are another tagger."""
    return hashlib.sha256((digest + json.dumps(entries, sort_keys=True)).encode()).hexdigest()[:8]


def label_matrix(passages: pd.DataFrame, tags: pd.DataFrame, codes: Sequence[str]) -> Labels:
    """Return a bool array (n_passages, n_codes)."""
    yes = tags[tags["decision"] == "yes"]
    unknown = sorted(set(yes["code"]) - set(codes))
    if unknown:
        raise InputError(f"codes that are not in the framework: {', '.join(unknown)}; it has: {', '.join(codes)}")
    row = {passage: i for i, passage in enumerate(passages["passage_id"])}
    column = {code: j for j, code in enumerate(codes)}
    labels = np.zeros((len(passages), len(codes)), dtype=bool)
    for passage, code in zip(yes["passage_id"], yes["code"], strict=True):
        if passage in row:
            labels[row[passage], column[code]] = True
    return labels


def _check_counts(codes: Sequence[str], labels: Labels) -> None:
    few = [f"{code} ({n})" for code, n in zip(codes, labels.sum(axis=0), strict=True) if n < MIN_EXAMPLES]
    if few:
        raise InputError(
            f"each code needs {MIN_EXAMPLES} coded passages; too few for: {', '.join(few)}. "
            "Code more, or drop them from the framework."
        )


def _fit_heads(
    x: Matrix, labels: Labels, groups: NDArray[np.str_], seed: int
) -> tuple[dict[str, Matrix], NDArray[np.float64]]:
    """Fit one logistic regression per code; return the head and the calibrated out-of-fold probabilities."""
    n, k = labels.shape
    folds = fold_of(groups, seed)
    raw = np.zeros((n, k))
    weights, biases = [], []
    for fold in range(FOLDS):
        held = folds == fold
        weight, bias = _fit_linear(x[~held], labels[~held])
        raw[held] = x[held] @ weight.T + bias
        weights.append(weight)
        biases.append(bias)
    weight, bias = _fit_linear(x, labels)
    slope, shift, scores = np.ones(k), np.zeros(k), np.zeros((n, k))
    for j in range(k):
        slope[j], shift[j] = _platt(raw[:, j], labels[:, j])
        scores[:, j] = 1 / (1 + np.exp(-np.clip(raw[:, j] * slope[j] + shift[j], -60, 60)))
    head = {
        "weight": weight,
        "bias": bias,
        "slope": slope.astype(np.float32),
        "shift": shift.astype(np.float32),
        "fold_weight": np.stack(weights),
        "fold_bias": np.stack(biases),
    }
    return head, scores


def fold_of(groups: NDArray[np.str_], seed: int) -> NDArray[np.int64]:
    """Deal groups over folds by a hash, so that neither row order nor other groups move anybody."""
    return np.array(
        [int.from_bytes(hashlib.blake2b(f"{seed}:{g}".encode(), digest_size=4).digest(), "big") % FOLDS for g in groups]
    )


def _fit_linear(x: Matrix, labels: Labels) -> tuple[Matrix, Matrix]:
    """Fit an L2 logistic regression per column; a column with one class gets a constant."""
    from sklearn.linear_model import LogisticRegression
    from threadpoolctl import threadpool_limits

    weight, bias = np.zeros((labels.shape[1], x.shape[1]), np.float32), np.full(labels.shape[1], -20.0, np.float32)

    def fit(j: int) -> None:
        if 0 < labels[:, j].sum() < len(labels):
            model = LogisticRegression(C=STRENGTH, max_iter=300).fit(x, labels[:, j])
            weight[j], bias[j] = model.coef_[0], model.intercept_[0]

    # One column per core, one BLAS thread each: quicker, and the sums do not depend on the number of cores.
    with threadpool_limits(limits=1), ThreadPoolExecutor(max_workers=os.cpu_count() or 1) as pool:
        list(pool.map(fit, range(labels.shape[1])))
    return weight, bias


def _platt(scores: NDArray[np.float64], truth: Labels) -> tuple[float, float]:
    """Return slope and shift of Platt's scaling with his smoothed targets (Platt 1999).

    With both classes present, two copies of every score carry the weights of the smoothed target.
    """
    from sklearn.linear_model import LogisticRegression

    positives = int(truth.sum())
    if positives == 0 or positives == len(truth):
        return 1.0, 0.0
    high, low = (positives + 1) / (positives + 2), 1 / (len(truth) - positives + 2)
    target = np.where(truth, high, low)
    stacked = np.concatenate([scores, scores])[:, None]
    classes = np.concatenate([np.ones(len(scores)), np.zeros(len(scores))])
    model = LogisticRegression(C=1e6, max_iter=500).fit(
        stacked, classes, sample_weight=np.concatenate([target, 1 - target])
    )
    return max(float(model.coef_[0, 0]), 1e-3), float(model.intercept_[0])


def _fit_stance(
    x: Matrix, passages: pd.DataFrame, tags: pd.DataFrame, codes: Sequence[str], folds: NDArray[np.int64]
) -> dict[str, Matrix]:
    """Fit the stance of a code on a passage: multinomial, with an indicator of the code; and once without each fold."""
    row = {passage: i for i, passage in enumerate(passages["passage_id"])}
    known = tags[tags["stance"].notna() & tags["passage_id"].isin(row) & (tags["decision"] == "yes")]
    parts: list[Matrix] = [np.zeros((0, x.shape[1] + len(codes)), np.float32)]
    places: list[int] = []
    truth: list[str] = []
    for j, code in enumerate(codes):
        mine = known[known["code"] == code]
        rows = [row[p] for p in mine["passage_id"]]
        parts.append(with_code(x[rows], len(codes), j))
        places += rows
        truth += mine["stance"].tolist()
    features, stances, held = np.vstack(parts), np.array(truth, dtype=object), folds[np.array(places, dtype=int)]
    weight, bias = _fit_multinomial(features, stances)
    without = [_fit_multinomial(features[held != fold], stances[held != fold]) for fold in range(FOLDS)]
    return {
        "stance_weight": weight,
        "stance_bias": bias,
        "stance_fold_weight": np.stack([w for w, _ in without]),
        "stance_fold_bias": np.stack([b for _, b in without]),
    }


def _fit_multinomial(features: Matrix, truth: NDArray[np.object_]) -> tuple[Matrix, Matrix]:
    """Return weights (n_stances, n_features) and biases; a stance that was never coded is never given."""
    from sklearn.linear_model import LogisticRegression

    weight = np.zeros((len(schema.STANCES), features.shape[1]), np.float32)
    bias = np.full(len(schema.STANCES), -20.0, np.float32)
    if len(set(truth)) > 1:
        model = LogisticRegression(C=STRENGTH, max_iter=500).fit(features, truth.astype(str))
        coef, intercept = model.coef_, model.intercept_
        if len(model.classes_) == 2:  # scikit-learn gives one row for the second of two classes
            coef, intercept = np.vstack([-coef, coef]) / 2, np.concatenate([-intercept, intercept]) / 2
        for k, name in enumerate(model.classes_):
            weight[schema.STANCES.index(name)], bias[schema.STANCES.index(name)] = coef[k], intercept[k]
    else:
        bias[schema.STANCES.index(truth[0] if len(truth) else "neutral")] = 0
    return weight, bias

"""Fit a tagger from coded passages.

In: passages, their tags, coded questions, and groups (candidates) that must not be split over folds. Out: a folder
that `Tagger.load` reads. One-vs-rest logistic regression per code, Platt scaling and thresholds on out-of-fold scores;
of the encoders and weights of vectors that are tried, those with the smallest out-of-fold log loss are kept.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from declinethemes import schema
from declinethemes.encode import Encoder
from declinethemes.errors import InputError
from declinethemes.framework import Framework
from declinethemes.tag.evaluate import best_thresholds
from declinethemes.tag.features import Block, Words, build, near, with_code
from declinethemes.tag.linear import Linear, fit_linear, platt
from declinethemes.tag.tagger import FORMAT

MIN_EXAMPLES = 8
MIN_COUNT = 3  # texts in which a word must stand to be a feature
FOLDS = 5
# Weights of the vectors beside the words. With few examples per code the heaviest is best, with thousands the lightest;
# up to FEW passages all are tried, beyond that it would only take time.
WEIGHTS = (0.7, 1.5, 3.0)
FEW = 5000
# From here on (as a share of the threshold) a probability is unsure instead of no.
UNSURE = 0.6
# From here on a tag counts as a mention. Each of a call's dozens of passages is a chance for a wrong tag: on the
# sample's training candidates, out of fold, counting from the best F1 on made 18 points too many candidates complain
# of a code (kappa with the codes .23), counting from .6 on 4 points (.29), from .7 on 1 point too few (.31)
# (`python -m benchmarks.tagger --only counting`).
COUNTED = 0.7

Labels = NDArray[np.bool_]
Arrays = dict[str, NDArray[Any]]


@dataclass(frozen=True, kw_only=True, eq=False)
class _Heads:
    """A head fitted on everything, one without each fold, and the calibrated out-of-fold probabilities."""

    vector_weight: float
    whole: Linear
    folds: list[Linear]
    slope: NDArray[np.float64]
    shift: NDArray[np.float64]
    probabilities: NDArray[np.float64]

    def arrays(self, name: str) -> Arrays:
        calibration = {"slope": self.slope.astype(np.float32), "shift": self.shift.astype(np.float32)}
        return _arrays(name, self.whole, self.folds) | {f"{name}_{key}": value for key, value in calibration.items()}

    def log_loss(self, labels: Labels, rows: NDArray[np.int64]) -> float:
        p, y = np.clip(self.probabilities[rows], 1e-6, 1 - 1e-6), labels[rows]
        return float(-(y * np.log(p) + (~y) * np.log(1 - p)).sum(axis=1).mean()) if len(rows) else 0.0


def train(
    passages: pd.DataFrame,
    tags: pd.DataFrame,
    *,
    questions: pd.DataFrame,
    framework: Framework,
    out: Path,
    encoders: Sequence[str],
    familiar: Collection[str] = frozenset(),
    themes: pd.DataFrame | None = None,
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
    encoders : sequence of str
        Names for `Encoder.load`; the one with the smallest out-of-fold log loss is kept, and the weight of its vectors.
    familiar : collection of str
        Passages that an encoder was tuned on: heads learn from them, but cuts, calibration and the choice of the
        encoder do not, since vectors fit them too well.
    themes : pandas.DataFrame, optional
        Columns passage_id, theme_id: which known themes passages have, missing where none; passages without a row were
        not looked at. Themes with 8 passages are learnt.
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
    texts, prompts = passages["text"].tolist(), passages["prompt"].fillna("").tolist()
    asking = questions["text"].tolist()
    words = Words.fit(texts, min_count=MIN_COUNT), Words.fit([*prompts, *asking], min_count=MIN_COUNT)
    folds = fold_of(passages["candidate_id"].to_numpy(dtype=str), random_state)
    fresh = np.flatnonzero(~passages["passage_id"].isin(set(familiar)).to_numpy(dtype=bool))
    fresh = fresh if len(fresh) else np.arange(len(passages))

    tried = {name: _try(name, texts, prompts, words, labels, folds, fresh) for name in encoders}
    name = min(tried, key=lambda key: tried[key].loss)
    encoder, block, heads = tried[name].encoder, tried[name].block, tried[name].heads
    entries, recall = _entries(codes, labels, heads.probabilities, fresh)
    asked = np.array([[code in found for code in codes] for found in questions["codes"]], dtype=bool)
    asked = asked.reshape(-1, len(codes))  # without coded questions there are no rows, and no code is ever asked about
    ask_heads = _fit_heads(
        build(asking, [""] * len(asking), (encoder.encode(asking), encoder.encode([""] * len(asking))), words),
        asked,
        fold_of(questions["document_id"].to_numpy(dtype=str), random_state),
        np.arange(len(asking)),
        heads.vector_weight,
    )
    for code, cut in zip(codes, best_thresholds(asked, ask_heads.probabilities), strict=True):
        entries[code]["ask_threshold"] = round(float(cut), 6)
    arrays = (
        heads.arrays("tag")
        | ask_heads.arrays("ask")
        | _fit_stance(block, passages, tags, codes, folds, heads.vector_weight)
    )
    learnt: dict[str, int] = {}
    if themes is not None:
        found, learnt = _fit_themes(block, passages, tags, themes, framework, folds, fresh, heads.vector_weight)
        arrays |= found
    for key, part in zip(("passage", "prompt"), words, strict=True):
        arrays[f"{key}_terms"] = np.frombuffer("\n".join(part.terms).encode(), dtype=np.uint8)
        arrays[f"{key}_idf"] = part.idf
    out.mkdir(parents=True, exist_ok=True)
    save_file(arrays, out / "arrays.safetensors")
    digest = hashlib.sha256((out / "arrays.safetensors").read_bytes()).hexdigest()
    card = {
        "format": FORMAT,
        "id": f"{framework.name}-{framework.version}-{_short(digest, entries)}",
        "framework": {"name": framework.name, "version": framework.version},
        "encoder": encoder.id,
        "encoder_name": name,
        "log_loss": {key: round(found.loss, 4) for key, found in tried.items()},
        "vector_weight": heads.vector_weight,
        "sha256": digest,
        "random_state": random_state,
        "n_passages": len(passages),
        "n_candidates": int(passages["candidate_id"].nunique()),
        "n_questions": len(questions),
        "recall": recall,
        "held_out": {str(d): int(f) for d, f in sorted(zip(passages["document_id"], folds, strict=True))},
        "codes": entries,
        "themes": learnt,
    }
    (out / "tagger.json").write_text(json.dumps(card, indent=1) + "\n", encoding="utf-8")
    return card


@dataclass(frozen=True, kw_only=True, eq=False)
class _Tried:
    """An encoder with the features it gives, and the heads of the weight of vectors with the smallest loss."""

    encoder: Encoder
    block: Block
    heads: _Heads
    loss: float


def _try(
    name: str,
    texts: list[str],
    prompts: list[str],
    words: tuple[Words, Words],
    labels: Labels,
    folds: NDArray[np.int64],
    fresh: NDArray[np.int64],
) -> _Tried:
    """Fit heads on the vectors of an encoder, with every weight of vectors where passages are few."""
    encoder = Encoder.load(name)
    block = build(texts, prompts, (encoder.encode(texts), encoder.encode(prompts)), words)
    weights = WEIGHTS if len(texts) <= FEW else WEIGHTS[:1]
    fits = [_fit_heads(block, labels, folds, fresh, weight) for weight in weights]
    losses = [fit.log_loss(labels, fresh) for fit in fits]
    best = int(np.argmin(losses))
    return _Tried(encoder=encoder, block=block, heads=fits[best], loss=losses[best])


def _entries(
    codes: Sequence[str], labels: Labels, probabilities: NDArray[np.float64], fresh: NDArray[np.int64]
) -> tuple[dict[str, dict[str, Any]], dict[str, float | None]]:
    """Return the cuts of each code, and the recall of what counts, both on the fresh rows, out of fold."""
    entries: dict[str, dict[str, Any]] = {}
    recall: dict[str, float | None] = {}
    for j, (code, cut) in enumerate(zip(codes, best_thresholds(labels[fresh], probabilities[fresh]), strict=True)):
        truth, p = labels[fresh, j], probabilities[fresh, j]
        entries[code] = {
            "threshold": round(float(cut), 6),
            "unsure": round(UNSURE * float(cut), 6),
            "counted": round(max(float(cut), COUNTED), 6),
            "n_passages": int(labels[:, j].sum()),
        }
        counted = p[truth] >= entries[code]["counted"]
        recall[code] = round(float(counted.mean()), 4) if truth.any() else None
    return entries, recall


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


def fold_of(groups: NDArray[np.str_], seed: int) -> NDArray[np.int64]:
    """Deal groups over folds by a hash, so that neither row order nor other groups move anybody."""
    return np.array(
        [
            int.from_bytes(hashlib.blake2b(f"{seed}:{g}".encode(), digest_size=4).digest(), "big") % FOLDS
            for g in groups
        ],
        dtype=np.int64,
    )


def _fit_heads(
    block: Block, labels: Labels, folds: NDArray[np.int64], fresh: NDArray[np.int64], vector_weight: float
) -> _Heads:
    """Fit one logistic regression per code; calibrate it on the out-of-fold scores of the fresh rows."""
    whole, parts = fit_folds(block, labels, folds, vector_weight=vector_weight)
    raw = np.zeros(labels.shape)
    for fold, part in enumerate(parts):
        held = np.flatnonzero(folds == fold)
        raw[held] = part.scores(block[held])
    pairs = [platt(raw[fresh, j], labels[fresh, j]) for j in range(labels.shape[1])]
    slope, shift = np.array([a for a, _ in pairs]), np.array([b for _, b in pairs])
    scores = 1 / (1 + np.exp(-np.clip(raw * slope + shift, -60, 60)))
    return _Heads(vector_weight=vector_weight, whole=whole, folds=parts, slope=slope, shift=shift, probabilities=scores)


def fit_folds(
    block: Block, targets: Labels, folds: NDArray[np.int64], *, vector_weight: float, multinomial: bool = False
) -> tuple[Linear, list[Linear]]:
    """Fit on everything, and without each fold."""
    from threadpoolctl import threadpool_limits

    rows = [np.arange(len(block)), *(np.flatnonzero(folds != fold) for fold in range(FOLDS))]
    # One fit per core, one BLAS thread each: quicker, and the sums do not depend on the number of cores.
    with threadpool_limits(limits=1), ThreadPoolExecutor(max_workers=min(len(rows), os.cpu_count() or 1)) as pool:
        fits = list(
            pool.map(
                lambda r: fit_linear(block[r], targets[r], vector_weight=vector_weight, multinomial=multinomial), rows
            )
        )
    return fits[0], fits[1:]


def _fit_stance(
    block: Block,
    passages: pd.DataFrame,
    tags: pd.DataFrame,
    codes: Sequence[str],
    folds: NDArray[np.int64],
    vector_weight: float,
) -> Arrays:
    """Fit the stance of a code on a passage: multinomial, with an indicator of the code; and once without each fold."""
    row = {passage: i for i, passage in enumerate(passages["passage_id"])}
    known = tags[tags["stance"].notna() & tags["passage_id"].isin(row) & (tags["decision"] == "yes")]
    places = np.array([row[p] for p in known["passage_id"]], dtype=np.int64)
    stances = np.array([[stance == name for name in schema.STANCES] for stance in known["stance"]], dtype=bool)
    coded = with_code(
        block[places], len(codes), np.array([codes.index(code) for code in known["code"]], dtype=np.int64)
    )
    whole, parts = fit_folds(
        coded, stances.reshape(-1, len(schema.STANCES)), folds[places], vector_weight=vector_weight, multinomial=True
    )
    if not len(places):  # nothing was coded: everything is neutral
        whole.bias[schema.STANCES.index("neutral")] = 0
    return _arrays("stance", whole, parts)


def _fit_themes(
    block: Block,
    passages: pd.DataFrame,
    tags: pd.DataFrame,
    themes: pd.DataFrame,
    framework: Framework,
    folds: NDArray[np.int64],
    fresh: NDArray[np.int64],
    vector_weight: float,
) -> tuple[Arrays, dict[str, int]]:
    """Fit one logistic regression per known theme, and one over its score and that of the passages beside.

    Passages that were looked at teach, and those without a code that has a theme, which cannot have one. The second
    regression uses out-of-fold scores of the fresh ones among them.

    Returns
    -------
    arrays, dict of theme to number of passages
        Of the themes with enough passages.
    """
    from sklearn.linear_model import LogisticRegression

    counts = themes["theme_id"].value_counts()
    learnt = [theme.id for theme in framework.themes if counts.get(theme.id, 0) >= MIN_EXAMPLES]
    if not learnt:
        return {}, {}
    row = {passage: i for i, passage in enumerate(passages["passage_id"])}
    labels = np.zeros((len(passages), len(learnt)), dtype=bool)
    having = themes[themes["theme_id"].isin(learnt) & themes["passage_id"].isin(row)]
    for passage, theme in zip(having["passage_id"], having["theme_id"], strict=True):
        labels[row[passage], learnt.index(theme)] = True
    bearing = tags.loc[tags["code"].isin({theme.code for theme in framework.themes}), "passage_id"]
    looked = passages["passage_id"].isin(set(themes["passage_id"])) | ~passages["passage_id"].isin(set(bearing))
    rows = np.flatnonzero(looked.to_numpy(dtype=bool))
    whole, parts = fit_folds(block[rows], labels[rows], folds[rows], vector_weight=vector_weight)
    own = np.full(labels.shape, np.nan)
    for fold, part in enumerate(parts):
        held = rows[folds[rows] == fold]
        own[held] = part.scores(block[held])
    beside = near(passages, np.where(np.isnan(own), -np.inf, own))
    usable = np.intersect1d(rows, fresh)
    placed = usable[~np.isnan(beside[usable, 0])]
    typical = np.nanmean(beside[placed], axis=0) if len(placed) else np.zeros(len(learnt))
    beside = np.nan_to_num(beside - typical)
    weights = np.zeros((3, len(learnt)), dtype=np.float32)
    for j in range(len(learnt)):
        truth = labels[usable, j]
        if truth.any() and not truth.all():
            model = LogisticRegression().fit(np.stack([own[usable, j], beside[usable, j]], axis=1), truth)
            weights[:, j] = *model.coef_[0], model.intercept_[0]
        else:
            weights[:, j] = 1, 0, 0
    arrays = _arrays("theme", whole, parts) | dict(
        zip(("theme_own", "theme_near", "theme_shift"), weights, strict=True)
    )
    arrays["theme_typical"] = typical.astype(np.float32)
    return arrays, {theme: int(counts[theme]) for theme in learnt}


def _arrays(name: str, whole: Linear, folds: Sequence[Linear]) -> Arrays:
    """Return the arrays of a head; those without a fold, only for training documents, in half precision."""
    out: Arrays = {f"{name}_{part}": getattr(whole, part) for part in ("weight", "words", "bias")}
    for part in ("weight", "words", "bias"):
        out[f"{name}_fold_{part}"] = np.stack([getattr(fold, part) for fold in folds]).astype(np.float16)
    return out

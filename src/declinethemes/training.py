"""Train and measure taggers on coded corpora.

In: sample-like folders (documents, candidates.csv, gold/tags.csv, splits.csv) and tables of coded passages. Out: a
tagger's folder, or frames of figures. The fitting itself is in `tag.train`; here corpora are read and put together.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from declinethemes import schema
from declinethemes.corpus import read_corpus
from declinethemes.encode import SHIPPED
from declinethemes.errors import InputError
from declinethemes.framework import Framework
from declinethemes.passages import passage_id
from declinethemes.tag import Tagger
from declinethemes.tag.evaluate import calibration_error, categories, f1, macro_f1, per_code
from declinethemes.tag.gold import project
from declinethemes.tag.train import label_matrix, train

KEY = b"the sample study is public"
FITTED_ON = ("train", "calibration")
TABLE = ("text", "code")


@dataclass(frozen=True, kw_only=True, eq=False)
class Coded:
    """Coded passages.

    Attributes
    ----------
    passages, tags : pandas.DataFrame
        The tables; tags are decided_by "gold", and every passage was looked at.
    questions : pandas.DataFrame
        Columns document_id, text, codes.
    themes : pandas.DataFrame
        Columns passage_id, theme_id: a row for every passage that was looked at and each theme it has; missing: none.
    familiar : frozenset of str
        Passages that the shipped hiring encoder was tuned on.
    """

    passages: pd.DataFrame
    tags: pd.DataFrame
    questions: pd.DataFrame
    themes: pd.DataFrame
    familiar: frozenset[str] = frozenset()


def read_coded(path: str | Path, *, splits: Collection[str] | None = None) -> Coded:
    """Read coded passages.

    Parameters
    ----------
    path : path
        A folder like the sample (documents/, candidates.csv, gold/tags.csv, and splits.csv if splits are asked for), or
        a .csv with columns text and code (a row per passage and code; empty code: none), optional prompt, stance, voice
        (whose words: kept together when folds are made), split ("encoder": the shipped encoder was tuned on it), theme
        (known themes between semicolons; "none": looked at, and none; empty: not looked at).
    splits : collection of str, optional
        Only candidates of these splits.

    Raises
    ------
    InputError
        A part is missing, or a quote is not in its document.
    """
    place = Path(path)
    if place.is_dir():
        return _read_folder(place, splits)
    if not place.is_file():
        raise InputError(f"{place}: there is no such file or folder")
    return _read_table(place)


def _read_folder(place: Path, splits: Collection[str] | None) -> Coded:
    for part in ("documents", "candidates.csv", "gold/tags.csv"):
        if not (place / part).exists():
            raise InputError(f"{place} lacks {part}: a coded corpus has documents/, candidates.csv and gold/tags.csv")
    corpus = read_corpus(place / "documents", candidates=place / "candidates.csv", key=KEY)
    gold = _csv(place / "gold" / "tags.csv")
    if splits is not None:
        by = _csv(place / "splits.csv")
        keep = set(by.loc[by["split"].isin(list(splits)), "candidate_id"])
        own = corpus.documents.loc[corpus.documents["candidate_id"].isin(keep), "document_id"]
        gold = gold[gold["document_id"].isin(own)].reset_index(drop=True)
    found = project(gold, corpus.turns, corpus.passages, redact=corpus.redact)
    passages = corpus.passages[corpus.passages["passage_id"].isin(found.covered)].reset_index(drop=True)
    themes = found.themes
    if len(themes):  # without any, nobody looked
        themes = passages[["passage_id"]].merge(themes, on="passage_id", how="left")
    return Coded(passages=passages, tags=found.tags, questions=found.questions, themes=themes)


def _csv(file: Path) -> pd.DataFrame:
    """Read a .csv in UTF-8 as text."""
    try:
        # "None" and "N/A" are answers people give; only an empty cell is missing.
        return pd.read_csv(file, dtype="string", encoding="utf-8-sig", keep_default_na=False, na_values=[""])
    except (OSError, ValueError) as error:
        raise InputError(f"cannot read {file} as a .csv in UTF-8: {str(error).strip()}") from error


def _read_table(file: Path) -> Coded:
    table = _csv(file)
    missing = [name for name in TABLE if name not in table.columns]
    if missing:
        raise InputError(f"{file.name} lacks the columns {missing}; it has {list(table.columns)}")
    table = table.assign(
        **{
            name: pd.Series(pd.NA, index=table.index, dtype="string")
            for name in ("prompt", "stance", "voice", "split", "theme")
            if name not in table
        }
    )
    table = table[table["text"].notna()].reset_index(drop=True)
    # Without a voice a text stands alone; one voice for all would leave nothing to learn from when folds are made.
    voices = table["voice"].fillna(table["text"].map(lambda text: passage_id("", 0, 0, text)))
    document = voices.map(lambda voice: f"{file.name}#{voice}")
    ids = [
        passage_id(d, 0, 0, f"{p}\x1f{t}")
        for d, p, t in zip(document, table["prompt"].fillna(""), table["text"], strict=True)
    ]
    table = table.assign(passage_id=pd.Series(ids, dtype="string"), document_id=document, candidate_id=document)
    passages = table.drop_duplicates("passage_id").assign(turn_no=0, start_char=0)
    passages["end_char"] = passages["text"].str.len()
    coded = table[table["code"].notna()].drop_duplicates(["passage_id", "code"])
    tags = coded[["passage_id", "code", "stance"]].assign(
        decided_by="gold", category=coded["code"].str.split(".").str[0], probability=1.0, decision="yes", model_id=None
    )
    return Coded(
        passages=schema.conform(passages[list(schema.TABLES["passages"].columns)], "passages"),
        tags=schema.conform(tags, "tags"),
        questions=pd.DataFrame({"document_id": [], "text": [], "codes": []}),
        themes=_themes(table),
        familiar=frozenset(table.loc[(table["split"] == "encoder").fillna(False), "passage_id"]),
    )


def _themes(table: pd.DataFrame) -> pd.DataFrame:
    """Return passage_id and theme_id of a table whose column theme holds ids between semicolons, or "none"."""
    said = table.loc[table["theme"].notna(), ["passage_id", "theme"]]
    themes = said.assign(theme_id=said["theme"].str.split(";")).explode("theme_id")
    themes["theme_id"] = themes["theme_id"].astype("string").str.strip().replace({"none": pd.NA, "": pd.NA})
    return themes[["passage_id", "theme_id"]].drop_duplicates().reset_index(drop=True)


def train_tagger(
    paths: Sequence[str | Path],
    *,
    framework: Framework,
    out: Path,
    encoders: Sequence[str] = tuple(SHIPPED),
    random_state: int = 0,
) -> dict[str, Any]:
    """Train a tagger, which learns the known themes too, on coded corpora; return the card as written.

    Of folders with a splits.csv only the training and calibration candidates are used. The better one of the encoders
    is kept.
    """
    parts = [read_coded(p, splits=FITTED_ON if (Path(p) / "splits.csv").is_file() else None) for p in paths]
    coded = Coded(
        passages=pd.concat([p.passages for p in parts], ignore_index=True),
        tags=pd.concat([p.tags for p in parts], ignore_index=True),
        questions=pd.concat([p.questions for p in parts], ignore_index=True),
        themes=pd.concat([p.themes for p in parts], ignore_index=True),
        familiar=frozenset().union(*(p.familiar for p in parts)),
    )
    return train(
        coded.passages,
        coded.tags,
        questions=coded.questions,
        framework=framework,
        out=out,
        encoders=encoders,
        familiar=coded.familiar,
        themes=coded.themes,
        random_state=random_state,
    )


def measure(tagger: Tagger, coded: Coded) -> tuple[pd.DataFrame, dict[str, float]]:
    """Compare a tagger with codes.

    Returns
    -------
    pandas.DataFrame
        Per code: n, precision, recall, f1, average_precision, brier_skill, taken_for, and the same for each category
        (average precision and Brier skill missing: a category is any of its codes).
    dict
        Category and code micro and macro F1, calibration error, stance macro F1 given the code, F1 of the questions'
        codes.
    """
    codes = list(tagger.codes_)
    truth = label_matrix(coded.passages, coded.tags, codes)
    prompts = [None if pd.isna(p) else str(p) for p in coded.passages["prompt"]]
    probabilities = tagger.predict_proba(coded.passages["text"].tolist(), prompts)
    predicted = probabilities >= tagger.thresholds_
    table = per_code(truth, predicted, probabilities, codes)
    wide_truth, names = categories(truth, codes)
    wide_predicted, _ = categories(predicted, codes)
    wide = per_code(wide_truth, wide_predicted, wide_predicted.astype(float), names)
    wide[["average_precision", "brier_skill"]] = np.nan
    figures = {
        "category_micro_f1": f1(wide_truth, wide_predicted),
        "category_macro_f1": macro_f1(wide_truth, wide_predicted),
        "code_micro_f1": f1(truth, predicted),
        "code_macro_f1": macro_f1(truth, predicted),
        "calibration_error": calibration_error(truth, probabilities),
        "stance_macro_f1": _stance_f1(tagger, coded),
    }
    if len(coded.questions):
        asked = np.array([[code in found for code in codes] for found in coded.questions["codes"]])
        figures["question_micro_f1"] = f1(asked, tagger.asks(coded.questions["text"].tolist()))
    return pd.concat([wide, table], ignore_index=True), figures


def _stance_f1(tagger: Tagger, coded: Coded) -> float:
    """Return the macro F1 of the stance where the code is given."""
    known = coded.tags[coded.tags["stance"].notna()]
    if known.empty:
        return float("nan")
    given: NDArray[np.object_] = np.array(known["stance"], dtype=object)
    found = tagger.stances(coded.passages, known)
    scores = [f1(given == name, found == name) for name in schema.STANCES if (given == name).any()]
    return float(np.mean(scores))

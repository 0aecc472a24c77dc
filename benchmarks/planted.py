"""What was planted in the sample study, looked for with gold codes, with model tags, and with an audit.

In: the sample with its gold codes and truth.toml. Out: tables for `benchmarks.statistics`. Every comparison is made by
`dt.crosstab`, trends by `stats.trend`. Nothing here is tuned: what is not found is printed as not found.

How the planted entries are read: each is compared in a segment of its own columns (two columns: their intersection; a
set of levels: merged, as study.toml can; `within`: only those candidates are in the table), against everybody else
whose level is known. The items are those of a study: all that anybody complains of; with model tags emergent themes
too.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, Literal

import numpy as np
import pandas as pd

import declinethemes as dt
from benchmarks.sample import Sample, load
from declinethemes.config import prepare_segments, read_settings
from declinethemes.framework import load_framework
from declinethemes.mentions import count_mentions
from declinethemes.stats.power import power
from declinethemes.stats.trend import cochran_armitage, permutation_trend

SEED, DRAWS = 0, 2000
REVIEWED = (50, 20)
MERGED = "merged level"
VANISHES = ("is not seen within", "reverses within")
ASKED = "asked shares differ"
BEYOND = "goes beyond what its two parts predict"


@dataclass(frozen=True, kw_only=True, eq=False)
class Evidence:
    """Mentions of one kind, with the tagger's recall and how many candidates are reviewed per level (0: none)."""

    name: str
    mentions: pd.DataFrame
    recall: Mapping[str, float] | None = None
    reviewed: int = 0


@dataclass(frozen=True, kw_only=True, eq=False)
class Case:
    """A planted entry as a comparison: merged levels and who is in the table (both as JSON), segment and level."""

    id: str
    kind: str
    item: str
    merge: str
    within: str
    by: str | tuple[str, ...]
    level: str
    entry: Mapping[str, Any]

    @property
    def people(self) -> pd.DataFrame:
        """The candidates of the table, with the segment made."""
        return people(self.merge, self.within)

    @property
    def power(self) -> float:
        """Chance that the test, not adjusted for other comparisons, finds shares as planted."""
        if self.kind == "trend":
            return trend_power(self.entry["batches"])
        (x, n), (y, m) = self.entry["planted"], self.entry["rest"]
        return float(power(n, m, x / n, y / m))


def trend_power(batches: list[list[int]]) -> float:
    """Return the share of binomial draws at the planted shares whose trend has p at most .05."""
    x, n = np.array(batches).T
    drawn = np.random.default_rng(SEED).binomial(n, x / n, size=(DRAWS, len(n)))
    return float(np.mean([cochran_armitage(row, n)[1] <= 0.05 for row in drawn]))


# --- cases and evidence


def cases(sample: Sample) -> list[Case]:
    """Return the planted effects, the intersection once more as study.toml merges gender, and the null pairs."""
    effects = [_case(entry, str(entry["kind"]), str(entry["id"])) for entry in sample.truth["effect"]]
    merged = [_as_declared(case) for case in effects if case.kind == "intersection"]
    nulls = [_case(entry, "null", f"{entry['item']} x {' '.join(entry['level'])}") for entry in sample.truth["null"]]
    return [*effects, *merged, *nulls]


def _case(entry: Mapping[str, Any], kind: str, name: str) -> Case:
    wanted: Mapping[str, list[str]] = entry.get("level", {})
    return Case(
        id=name,
        kind=kind,
        item=entry["item"],
        merge=json.dumps({column: {MERGED: levels} for column, levels in wanted.items() if len(levels) > 1}),
        within=json.dumps(entry.get("within", {})),
        by=tuple(wanted) if len(wanted) > 1 else next(iter(wanted), "batch"),
        level=" x ".join(MERGED if len(levels) > 1 else levels[0] for levels in wanted.values()),
        entry=entry,
    )


def _as_declared(case: Case) -> Case:
    """Return a case with the levels that study.toml makes of its own."""
    merge = declared()
    names = []
    for column, levels in case.entry["level"].items():
        new = [name for name, old in merge.get(column, {}).items() if levels[0] in old]
        names.append(new[0] if new else levels[0])
    return replace(case, id=f"{case.id}, merged", merge=json.dumps(merge), level=" x ".join(names))


def declared() -> dict[str, Any]:
    """Return the levels that study.toml merges."""
    merge = read_settings(load().folder / "study.toml").merge
    return {column: {new: list(old) for new, old in levels.items()} for column, levels in merge.items()}


@cache
def people(merge: str, within: str = "{}") -> pd.DataFrame:
    """Return the candidates with segments as in study.toml, but for the levels that are merged."""
    folder = load().folder
    settings = replace(read_settings(folder / "study.toml"), merge=json.loads(merge))
    candidates = prepare_segments(dt.read_candidates(folder / "candidates.csv"), settings)
    for column, levels in json.loads(within).items():
        candidates = candidates[candidates[column].isin(levels)]
    return candidates.reset_index(drop=True)


@cache
def gold_mentions() -> pd.DataFrame:
    """Return the mentions that the gold codes make, of items that anybody complains of."""
    sample = load()
    return complained(_count(sample.corpus.passages, sample.gold.tags, sample.gold.themes, questions(sample)))


def _count(
    passages: pd.DataFrame, tags: pd.DataFrame, found: pd.DataFrame, asked: Mapping[str, set[str]]
) -> pd.DataFrame:
    known = load_framework().themes
    themes = pd.DataFrame(
        {"theme_id": [theme.id for theme in known], "code": [theme.code for theme in known]}, dtype="string"
    )
    return count_mentions(passages, tags, themes, found.drop_duplicates().assign(strength=1.0), asked)


def questions(sample: Sample) -> dict[str, set[str]]:
    """Return the codes that each candidate was asked about, as coded."""
    documents = sample.corpus.documents
    voiced = documents[documents["kind"] != "feedback"]
    owner = dict(zip(voiced["document_id"], voiced["candidate_id"], strict=True))
    out: dict[str, set[str]] = defaultdict(set)
    for document, codes in zip(sample.gold.questions["document_id"], sample.gold.questions["codes"], strict=True):
        if document in owner:
            out[owner[document]].update(codes)
    return dict(out)


def against(mentions: pd.DataFrame) -> pd.DataFrame:
    """Return the mentions that are complaints."""
    return mentions[(mentions["n_passages"] > 0) & mentions["stance"].isin(["negative", "mixed"])]


def complained(mentions: pd.DataFrame) -> pd.DataFrame:
    return mentions[mentions["item"].isin(against(mentions)["item"])].reset_index(drop=True)


def passages_twice() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the findings of the sample's gold codes, and those with every passage there twice."""
    sample, everybody = load(), people(json.dumps(declared()))
    asked = questions(sample)

    def twice(part: pd.DataFrame) -> pd.DataFrame:
        return pd.concat([part, part.assign(passage_id=part["passage_id"] + "-again")], ignore_index=True)

    passages, tags, themes = sample.corpus.passages, sample.gold.tags, sample.gold.themes
    counted = (
        _count(passages, tags, themes, asked),
        _count(twice(passages), twice(tags), twice(themes), asked),
    )
    first, second = (
        dt.crosstab(complained(mentions), everybody, by=["gender", "role"], adjust_for="location").to_frame()
        for mentions in counted
    )
    return first, second


def reviews_of(everybody: pd.DataFrame, by: str | tuple[str, ...], mentions: pd.DataFrame, n: int) -> pd.DataFrame:
    """Return reviews of n candidates per level (all, where there are fewer), drawn at random; gold is the reviewer.

    A reviewer decides on every item of the framework that is compared: does the candidate complain of it.
    """
    rng, columns = np.random.default_rng(SEED), [by] if isinstance(by, str) else list(by)
    gold = against(gold_mentions())
    said = set(zip(gold["candidate_id"], gold["item"], strict=True))
    items = sorted((set(mentions["item"]) & set(load_framework().labels)) | set(gold["item"]))
    rows = []
    for _, level in everybody.dropna(subset=columns).groupby(columns, sort=True):
        drawn = rng.choice(sorted(level["candidate_id"]), min(n, len(level)), replace=False)
        rows += [
            (who, item, "yes" if (who, item) in said else "no", len(drawn) / len(level))
            for who in drawn
            for item in items
        ]
    return pd.DataFrame(rows, columns=["subject", "item", "decision", "inclusion_probability"])


# --- what is found


@cache
def findings_of(
    evidence: Evidence,
    merge: str,
    within: str,
    by: str | tuple[str, ...],
    adjust_for: str | None = None,
    among: Literal["asked"] | None = None,
) -> pd.DataFrame:
    """Return the findings of a segment."""
    everybody = people(merge, within)
    mentions = complained(evidence.mentions[evidence.mentions["candidate_id"].isin(everybody["candidate_id"])])
    audit = reviews_of(everybody, by, mentions, evidence.reviewed) if evidence.reviewed else None
    options: dict[str, Any] = {"adjust_for": adjust_for, "among": among, "recall": evidence.recall, "audit": audit}
    return dt.crosstab(mentions, everybody, by=by, **options).to_frame()


def finding(case: Case, evidence: Evidence, **options: Any) -> pd.Series:
    """Return the row of findings that a case is about."""
    found = findings_of(evidence, case.merge, case.within, case.by, **options)
    mine = found[(found["level"] == case.level) & (found["item"] == case.item)]
    blank = pd.Series({"verdict": "nobody mentions it"}).reindex(found.columns)
    return mine.iloc[0] if len(mine) else blank


def outcome(case: Case, evidence: Evidence) -> dict[str, Any]:
    """Return what is found of a case: as planted or not, in words, and the row behind it."""
    if case.kind == "trend":
        return _trend(case, evidence)
    row = finding(case, evidence)
    words, found = str(row["verdict"]), row["verdict"] == "difference"
    if case.kind == "intersection":
        beyond = BEYOND in _note(row)
        words += ", goes beyond its parts" if beyond else ", nothing said of its parts"
        found = found and beyond
    elif case.kind == "confounded":
        words, found = _confounded(case, evidence, row)
    elif case.kind == "asked":
        among = finding(case, evidence, among="asked")
        flagged = ASKED in _note(row)
        words += f", {'flagged' if flagged else 'not flagged'}; among asked {among['verdict']}"
        found = flagged and among["verdict"] != "difference"
    elif case.kind == "null":
        found = row["verdict"] != "difference"
    state = "" if pd.isna(row["audit_state"]) or row["audit_state"] != "human codes" else " (all reviewed)"
    gap = "" if pd.isna(row["difference"]) else f"{100 * row['difference']:+.0f}: "
    return {"found": bool(found), "words": f"{gap}{words}{state}", "row": row}


def _confounded(case: Case, evidence: Evidence, crude: pd.Series) -> tuple[str, bool]:
    held = finding(case, evidence, adjust_for=case.entry["adjust_for"])
    within = [part for part in _note(held).split("; ") if any(word in part for word in VANISHES)]
    if within:
        words = f"{within[0]} ({100 * held['difference']:+.0f} to {100 * held['adjusted_difference']:+.0f} points)"
        return f"crude p {crude['p_value']:.3f}; {words}", bool(held["verdict"] != "difference")
    return f"crude p {crude['p_value']:.3f}; nothing said of {case.entry['adjust_for']}; {held['verdict']}", False


def _note(row: pd.Series) -> str:
    return "" if pd.isna(row["note"]) else str(row["note"])


def _trend(case: Case, evidence: Evidence) -> dict[str, Any]:
    if evidence.reviewed:
        return {"found": None, "words": "no audited trend", "row": None}
    said = against(evidence.mentions)
    who = case.people["candidate_id"].isin(said.loc[said["item"] == case.item, "candidate_id"])
    grouped = who.groupby(case.people["batch"])
    x, n = grouped.sum().to_numpy(dtype=int), grouped.count().to_numpy(dtype=int)
    p = permutation_trend(x, n, random_state=SEED)
    shares = " ".join(f"{a}/{b}" for a, b in zip(x, n, strict=True))
    grows = p <= 0.05 and x[-1] / n[-1] > x[0] / n[0]
    row = pd.Series({"p_value": cochran_armitage(x, n)[1], "p_wy": np.nan, "n": n[-1], "rest_n": n[0]})
    return {"found": bool(grows), "words": f"{shares}, permutation p {p:.4f}", "row": row}


# --- tables


def tables(*, model: bool = True) -> list[tuple[str, pd.DataFrame]]:
    """Return what is found with gold codes, the same for every kind of evidence, and how many claims hold."""
    every = cases(load())
    columns = [Evidence(name="gold codes", mentions=gold_mentions()), *(model_evidence() if model else [])]
    found = {each.name: [outcome(case, each) for case in every] for each in columns}
    gold = pd.DataFrame(
        [
            {
                "kind": case.kind,
                "planted": case.id,
                "n": f"{int(o['row']['n'])} v {int(o['row']['rest_n'])}",
                "power": case.power,
                "p_value": float(o["row"]["p_value"]),
                "p_wy": float(o["row"]["p_wy"]),
                "with gold codes": o["words"],
                "as planted": "yes" if o["found"] else "NO",
            }
            for case, o in zip(every, found["gold codes"], strict=True)
        ]
    )
    out = [("planted effects and null pairs of the sample, gold codes", gold)]
    if model:
        rows = {"planted": [case.id for case in every], "power": [case.power for case in every]}
        side = pd.DataFrame({**rows, **{name: [o["words"] for o in column] for name, column in found.items()}})
        out.append((f"the same by evidence (points: estimated difference). {_caption()}", side))
    claims = pd.DataFrame({"claim": list(CLAIMS), **{name: _claims(every, column) for name, column in found.items()}})
    return [*out, ("how many are as planted", claims)]


CLAIMS = {
    "planted differences with power over .8 called a difference": ("difference",),
    "confounded effect reported as vanishing": ("confounded",),
    "intersection said to go beyond its parts (both readings)": ("intersection",),
    "asked effect flagged, no difference among those asked": ("asked",),
    "trend seen": ("trend",),
    "null pairs not called a difference": ("null",),
}


def _claims(every: list[Case], column: list[dict[str, Any]]) -> list[str]:
    out = []
    for kinds in CLAIMS.values():
        mine = [
            o["found"]
            for case, o in zip(every, column, strict=True)
            if case.kind in kinds and o["found"] is not None and (case.kind != "difference" or case.power > 0.8)
        ]
        out.append(f"{sum(mine)} of {len(mine)}" if mine else "-")
    return out


def model_evidence() -> list[Evidence]:
    """Return the mentions of a study made of the sample, without and with reviewed candidates."""
    folder = load().folder
    study = dt.analyze(
        folder / "documents", candidates=folder / "candidates.csv", settings=folder / "study.toml", by=["gender"]
    )
    mentions, recall = study.compared(stance="negative"), study.tagger.card_.get("recall")
    unaudited = Evidence(name="model, unaudited", mentions=mentions, recall=recall)
    return [
        unaudited,
        *(replace(unaudited, name=f"model, audited, {n} a level", reviewed=n) for n in REVIEWED),
    ]


def _caption() -> str:
    sample = load()
    splits = pd.read_csv(sample.folder / "splits.csv", dtype="string")["split"].value_counts()
    return (
        f"The shipped tagger was trained and calibrated on {splits['train'] + splits['calibration']} of the "
        f"{splits.sum()} candidates ({splits['train']} and {splits['calibration']}; {splits['test']} are its test): "
        "those are tagged by models that did not see them, but their text had a part in every choice made. The audit "
        "is a random draw per level; gold codes stand in for the reviewer; a level with no more candidates is reviewed "
        "whole."
    )

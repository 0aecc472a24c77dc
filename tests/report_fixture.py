"""A made-up study of 120 candidates for the tests of the report; not a test itself."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from declinethemes import schema
from declinethemes.config import Settings, prepare_segments
from declinethemes.disclosure import may_quote, protect, scrub_quote
from declinethemes.findings import crosstab, sentence
from declinethemes.framework import load_framework

SETTINGS = Settings(
    segments=("gender", "ethnicity", "location"),
    underrepresented={"gender": ("woman", "non-binary"), "ethnicity": ("black",)},
)
RATES = {
    "slow_process": 0.35,
    "pay_below_market": 0.4,
    "remote_policy": 0.2,
    "level_mismatch": 0.15,
    "role_confusion": 0.2,
    "unprepared_interviewer": 0.18,
    "ghosting": 0.15,
    "heavy_process": 0.25,
    "non_diverse_panel": 0.1,
    "uncomfortable_remark": 0.08,
    "counter_offer": 0.12,
    "growth_elsewhere": 0.3,
    "company_reputation": 0.05,
    "emergent-1a2b3c4d": 0.1,
}
SAYINGS = {
    "slow_process": "It took nine weeks from the first call on 3 May to the offer; by then I had stopped hoping.",
    "pay_below_market": "The base was 20k under what Acme Labs put on the table, so it was not a hard choice.",
    "unprepared_interviewer": "He had not opened my CV and asked me to walk him through it while he was typing.",
    "growth_elsewhere": "The other team could tell me what I would be doing in two years, and here nobody could.",
}


def tables(n: int = 120, *, seed: int = 3) -> dict[str, Any]:
    """Return candidates, documents, turns, passages, tags, themes, assignments and mentions of a made-up study."""
    rng = np.random.default_rng(seed)
    framework = load_framework()
    ids = [f"K{i:03d}" for i in range(n)]
    candidates = pd.DataFrame(
        {
            "candidate_id": ids,
            "gender": rng.choice(["woman", "man", "non-binary", None], n, p=[0.4, 0.52, 0.02, 0.06]),
            "ethnicity": rng.choice(
                ["asian", "black", "white", "hispanic", "mixed"], n, p=[0.25, 0.2, 0.4, 0.12, 0.03]
            ),
            "location": rng.choice(["Bengaluru", "Dublin", "Toronto", "Berlin"], n),
        }
    )
    code_of = {theme.id: theme.code for theme in framework.themes} | {
        "emergent-1a2b3c4d": "competitiveness.opportunity"
    }
    passages, tags, assignments = [], [], []
    for place, (candidate, gender) in enumerate(zip(ids, candidates["gender"], strict=True)):
        if place % 9 == 8:
            continue
        for theme, rate in RATES.items():
            extra = 0.45 if gender == "woman" and theme in ("unprepared_interviewer", "heavy_process") else 0
            if rng.random() < rate + extra or (theme == "slow_process" and place % 9 == 0):
                number = len(passages)
                passages.append(
                    (
                        f"P{number:05d}",
                        f"calls/{candidate}.vtt",
                        candidate,
                        1,
                        0,
                        90,
                        SAYINGS.get(
                            theme,
                            f"What I say of {theme.split('-')[0].replace('_', ' ')} is just what others say of it too.",
                        ),
                    )
                )
                code = code_of[theme]
                tags.append(
                    (f"P{number:05d}", code, code.split(".")[0], "yes", "negative" if rng.random() < 0.8 else "neutral")
                )
                assignments.append((f"P{number:05d}", theme, 0.8))
    frame = pd.DataFrame(
        passages, columns=["passage_id", "document_id", "candidate_id", "turn_no", "start_char", "end_char", "text"]
    )
    made = _themes(frame, assignments, framework, code_of)
    tagged = pd.DataFrame(tags, columns=["passage_id", "code", "category", "decision", "stance"]).assign(
        decided_by="model", probability=0.9, model_id="tagger-1"
    )
    out = {
        "candidates": schema.conform(candidates, "candidates"),
        "documents": _documents(ids),
        "turns": _turns(ids),
        "passages": schema.conform(frame.assign(prompt=None), "passages"),
        "tags": schema.conform(tagged, "tags"),
        "themes": made,
        "assignments": schema.conform(
            pd.DataFrame(assignments, columns=["passage_id", "theme_id", "strength"]), "assignments"
        ),
    }
    out["mentions"] = _mentions(out, candidates)
    return out


def arguments(n: int = 120, *, settings: Settings = SETTINGS, **changed: Any) -> dict[str, Any]:
    """Return the arguments of `summarise` for the made-up study; some may be changed."""
    made = tables(n)
    framework = load_framework()
    people = prepare_segments(made["candidates"], settings)
    heard = people[people["candidate_id"].isin(made["passages"]["candidate_id"])]
    segments = ["underrepresented", *settings.segments]
    full = crosstab(
        made["mentions"],
        heard,
        by=segments,
        min_n=settings.min_n,
        sensitive=framework.sensitive,
        recall={"pay_below_market": 0.7},
    ).to_frame()
    return {
        **made,
        "candidates": people,
        "findings": protect(full, min_n=settings.min_n, sensitive=framework.sensitive),
        "framework": framework,
        "settings": settings,
        "sensitive": framework.sensitive,
        "model_id": "tagger-1",
        "encoder_id": "minilm-int8",
        "without_theme": "12 said by fewer than 3 candidates; 40 unlike the others",
        "segments": segments,
        "families": full.groupby("segment")["p_value"].count().to_dict(),
        "sentence": sentence,
        "may_quote": may_quote,
        "scrub_quote": scrub_quote,
        "carried": lambda texts, codes: [text.split(",")[0] for text in texts],
        **changed,
    }


def nothing(**changed: Any) -> dict[str, Any]:
    """Return the arguments of `summarise` for a study without anything in it."""
    names = ("candidates", "documents", "turns", "passages", "tags", "themes", "assignments", "mentions", "findings")
    empty = {name: schema.empty(name) for name in names}
    rest = {name: value for name, value in arguments().items() if name not in names}
    return {
        **rest,
        **empty,
        "settings": replace(SETTINGS, segments=(), underrepresented={}),
        "segments": [],
        "families": {},
        "without_theme": "",
        **changed,
    }


def _themes(
    frame: pd.DataFrame, assignments: list[tuple[str, str, float]], framework: Any, code_of: dict[str, str]
) -> pd.DataFrame:
    whole = pd.DataFrame(assignments, columns=["passage_id", "theme_id", "strength"]).merge(frame, on="passage_id")
    rows = []
    for theme, mine in whole.groupby("theme_id"):
        known = theme in framework.labels
        rows.append(
            {
                "theme_id": theme,
                "code": code_of[str(theme)],
                "kind": "known" if known else "emergent",
                "label": framework.labels[theme] if known else "mentoring and study leave",
                "terms": ["mentoring", "study leave", "training budget"] if not known else str(theme).split("_"),
                "n_passages": len(mine),
                "n_candidates": mine["candidate_id"].nunique(),
                "stability": 0.8,
                "exemplars": mine["passage_id"].head(3).tolist(),
                "status": "standing",
            }
        )
    return schema.conform(pd.DataFrame(rows), "themes")


def _mentions(made: dict[str, Any], candidates: pd.DataFrame) -> pd.DataFrame:
    whole = (
        made["tags"]
        .merge(made["passages"][["passage_id", "candidate_id"]], on="passage_id")
        .merge(made["assignments"], on="passage_id")
    )
    parts = [
        whole.assign(item=whole[column], kind=kind)
        for column, kind in (("category", "category"), ("code", "code"), ("theme_id", "theme"))
    ]
    said = pd.concat(parts).sort_values("stance").drop_duplicates(["candidate_id", "item"])
    said = said[["candidate_id", "item", "kind", "stance"]].assign(n_passages=1, asked=False)
    women = set(candidates.loc[candidates["gender"] == "woman", "candidate_id"])
    asked = said["candidate_id"].isin(women) & said["item"].isin(["experience.people", "unprepared_interviewer"])
    said["asked"] = asked | (
        (said["item"] == "competitiveness.offer") & said["candidate_id"].str.endswith(("1", "2", "3"))
    )
    return schema.conform(said, "mentions")


def _documents(ids: list[str]) -> pd.DataFrame:
    rows = [
        {
            "document_id": f"calls/{name}.vtt",
            "candidate_id": name,
            "kind": "call",
            "date": "2026-02-01",
            "path": name,
            "sha256": name,
            "language": "en",
            "status": "read",
            "reason": "read as cp1252" if name.endswith("7") else None,
        }
        for name in ids
    ]
    rows[0]["date"] = "2025-11-04"
    rows.append(
        {
            **rows[0],
            "document_id": "calls/unknown.vtt",
            "candidate_id": None,
            "status": "skipped",
            "reason": "no candidate is named in it",
        }
    )
    rows.append({**rows[0], "document_id": "calls/K006 deutsch.vtt", "language": "de"})
    return schema.conform(pd.DataFrame(rows), "documents")


def _turns(ids: list[str]) -> pd.DataFrame:
    rows = [
        {
            "document_id": f"calls/{name}.vtt",
            "turn_no": 1,
            "speaker": "Candidate",
            "speaker_role": "candidate",
            "role_basis": "talk (doubtful)" if name == "K003" else "label",
            "start_s": 1.0,
            "end_s": 9.0,
            "text": "text",
        }
        for name in ids
    ]
    return schema.conform(pd.DataFrame(rows), "turns")

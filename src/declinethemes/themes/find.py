"""Find the themes of a study: known ones first, then emergent ones under each code and outside the framework.

In: passages, tags, an encoder, and the themes of earlier runs. Out: the themes and assignments tables, and what got no
theme and why.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from declinethemes import schema
from declinethemes.encode import Encoder
from declinethemes.framework import Framework
from declinethemes.themes.discover import MIN_TEXTS, group
from declinethemes.themes.known import assign_known
from declinethemes.themes.represent import label_of, terms_of

SAME = 0.5  # Jaccard over shared passages from which an emergent theme keeps its earlier id
MIN_CANDIDATES = 3

Array = NDArray[np.float32]


@dataclass(frozen=True, kw_only=True, eq=False)
class Found:
    """Themes of a study.

    Attributes
    ----------
    themes, assignments : pandas.DataFrame
        The two tables.
    without : pandas.DataFrame
        Columns passage_id, reason: passages in no theme.
    """

    themes: pd.DataFrame
    assignments: pd.DataFrame
    without: pd.DataFrame


def find_themes(
    passages: pd.DataFrame,
    tags: pd.DataFrame,
    *,
    framework: Framework,
    encoder: Encoder,
    thresholds: Mapping[str, float] | None = None,
    earlier: pd.DataFrame | None = None,
) -> Found:
    """Find known and emergent themes.

    Parameters
    ----------
    passages, tags : pandas.DataFrame
        The tables of a study.
    framework : Framework
        Names the known themes.
    encoder : Encoder
        Makes the vectors.
    thresholds : mapping of theme id to closeness, optional
        From which closeness on a passage joins a known theme.
    earlier : pandas.DataFrame, optional
        Assignments of an earlier run: an emergent theme that shares half of its passages with one of then keeps that
        id.

    Returns
    -------
    Found
        The same for the same passages in any order.
    """
    passages, tags = schema.conform(passages, "passages"), schema.conform(tags, "tags")
    vectors = encoder.encode(passages["text"].tolist())
    known = assign_known(passages, tags, vectors, framework, encoder, thresholds or {})
    emergent, without = _emergent(passages, tags, vectors, set(known["passage_id"]), framework)
    emergent = _stable_ids(emergent, passages, earlier)
    assignments = schema.conform(
        pd.concat([known, emergent[["passage_id", "theme_id", "strength"]]]).drop_duplicates(
            ["passage_id", "theme_id"]
        ),
        "assignments",
    )
    themes = _describe(assignments, emergent, passages, framework, encoder)
    return Found(themes=themes, assignments=assignments, without=without)


def _emergent(
    passages: pd.DataFrame, tags: pd.DataFrame, vectors: Array, taken: set[str], framework: Framework
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Group what is left under each code, and what has no code; return members and those without a theme."""
    yes = tags[tags["decision"] == "yes"]
    row = {passage: i for i, passage in enumerate(passages["passage_id"])}
    coded = set(yes["passage_id"])
    pools = {code.id: sorted(set(yes.loc[yes["code"] == code.id, "passage_id"]) - taken) for code in framework.codes}
    pools[""] = sorted(set(passages["passage_id"]) - coded)
    members, without = [], []
    for code, pool in pools.items():
        index = [row[p] for p in pool]
        texts = passages["text"].iloc[index].tolist()
        distinct = len(set(texts))  # a thing said twice is no second text
        if distinct < MIN_TEXTS:
            without += [(p, f"fewer than {MIN_TEXTS} passages without a known theme here") for p in pool]
            continue
        labels = group(vectors[index], texts, min_size=max(5, distinct // 10))
        people = passages["candidate_id"].iloc[index].to_numpy(dtype=str)
        for label in range(-1, labels.max() + 1):
            mine = np.flatnonzero(labels == label)
            few = len(set(people[mine])) < MIN_CANDIDATES
            if label < 0 or few:
                reason = "unlike the others" if label < 0 else f"said by fewer than {MIN_CANDIDATES} candidates"
                without += [(pool[i], reason) for i in mine]
                continue
            part = vectors[index][mine]
            centre = part.mean(axis=0)
            strength = np.clip(part @ (centre / (np.linalg.norm(centre) or 1)), 0, 1)
            members += [(pool[i], code, f"{code}|{label}", float(s)) for i, s in zip(mine, strength, strict=True)]
    themed = taken | {m[0] for m in members}
    lost = pd.DataFrame([w for w in without if w[0] not in themed], columns=["passage_id", "reason"])
    lost = lost.drop_duplicates("passage_id").sort_values("passage_id").reset_index(drop=True)
    return pd.DataFrame(members, columns=["passage_id", "code", "group", "strength"]), lost


def _stable_ids(emergent: pd.DataFrame, passages: pd.DataFrame, earlier: pd.DataFrame | None) -> pd.DataFrame:
    """Give each group the id of the earlier theme it continues, else a new one made from its passages."""
    text = dict(zip(passages["passage_id"], passages["text"], strict=True))
    old: dict[str, set[str]] = {}
    if earlier is not None:
        old = {
            str(theme): set(part["passage_id"])
            for theme, part in earlier.groupby("theme_id")
            if str(theme).startswith("emergent-")
        }
    seen = set().union(*old.values()) if old else set()
    groups = {str(name): set(part["passage_id"]) for name, part in emergent.groupby("group")}
    pairs = []
    for name, mine in groups.items():
        for theme, theirs in old.items():
            shared, both = len(mine & theirs), len((mine & seen) | theirs)
            if both and shared / both >= SAME:
                pairs.append((-shared / both, name, theme))
    ids: dict[str, str] = {}
    for _, name, theme in sorted(pairs):
        if name not in ids and theme not in ids.values():
            ids[name] = theme
    for name, mine in groups.items():
        if name not in ids:
            content = "\x1f".join(sorted(text[p] for p in mine))
            ids[name] = (
                "emergent-" + hashlib.blake2b(f"{name.split('|')[0]}\x1f{content}".encode(), digest_size=4).hexdigest()
            )
    return emergent.assign(theme_id=emergent["group"].map(ids).astype("string"))


def _describe(
    assignments: pd.DataFrame, emergent: pd.DataFrame, passages: pd.DataFrame, framework: Framework, encoder: Encoder
) -> pd.DataFrame:
    """Build the themes table: terms, label, counts, exemplars."""
    if assignments.empty:
        return schema.empty("themes")
    whole = assignments.merge(passages[["passage_id", "candidate_id", "text"]], on="passage_id")
    names = sorted(whole["theme_id"].unique())
    numbers = {name: i for i, name in enumerate(names)}
    terms = terms_of(whole["text"].tolist(), [numbers[t] for t in whole["theme_id"]], encoder)
    code_of = {theme.id: theme.code for theme in framework.themes} | dict(
        zip(emergent["theme_id"], emergent["code"], strict=True)
    )
    rows = []
    for name in names:
        mine = whole[whole["theme_id"] == name].sort_values(["strength", "passage_id"], ascending=[False, True])
        exemplars = mine.drop_duplicates("candidate_id").head(3)
        known = name in framework.labels
        rows.append(
            {
                "theme_id": name,
                "code": code_of[name] or pd.NA,
                "kind": "known" if known else "emergent",
                "label": framework.labels[name] if known else label_of(terms[numbers[name]], exemplars["text"].iloc[0]),
                "terms": terms[numbers[name]],
                "n_passages": len(mine),
                "n_candidates": mine["candidate_id"].nunique(),
                "stability": pd.NA,
                "exemplars": exemplars["passage_id"].tolist(),
                "status": "standing",
            }
        )
    return schema.conform(pd.DataFrame(rows), "themes")

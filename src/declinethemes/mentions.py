"""Tags and themes to mentions: what each candidate spoke of, and what they were asked about.

In: passages, tags, assignments, and the codes of each document's questions. Out: the mentions table, one row per
candidate and item. The candidate is the unit: saying a thing twice counts once.
"""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from declinethemes import schema


def count_mentions(
    passages: pd.DataFrame,
    tags: pd.DataFrame,
    themes: pd.DataFrame,
    assignments: pd.DataFrame,
    asked: Mapping[str, set[str]],
) -> pd.DataFrame:
    """Count what each candidate spoke of.

    Parameters
    ----------
    passages, tags, themes, assignments : pandas.DataFrame
        The tables; only tags with decision "yes" count.
    asked : mapping of candidate_id to set of codes
        What the prompts to a candidate asked about.

    Returns
    -------
    pandas.DataFrame
        The mentions table; a row with ``n_passages`` 0 is a candidate who was asked and did not speak of it.
    """
    owner = passages[["passage_id", "candidate_id"]]
    yes = tags.loc[tags["decision"] == "yes", ["passage_id", "code", "category", "stance"]]
    codes = yes.assign(item=yes["code"], kind="code")
    categories = yes.assign(item=yes["category"], kind="category")
    lived = assignments.merge(themes[["theme_id", "code"]], on="theme_id")
    lived = lived.merge(yes[["passage_id", "code", "stance"]], on=["passage_id", "code"], how="left").assign(
        kind="theme"
    )
    lived = lived.rename(columns={"theme_id": "item"})
    columns = ["passage_id", "item", "kind", "stance"]
    said = pd.concat([frame[columns] for frame in (categories, codes, lived)], ignore_index=True).merge(
        owner, on="passage_id"
    )
    said["negative"] = said["stance"].isin(["negative", "mixed"])
    said["positive"] = said["stance"].isin(["positive", "mixed"])
    grouped = said.groupby(["candidate_id", "item"], sort=True)
    rows = pd.DataFrame(
        {
            "kind": grouped["kind"].first(),
            "n_passages": grouped["passage_id"].nunique(),
            "negative": grouped["negative"].any(),
            "positive": grouped["positive"].any(),
        }
    ).reset_index()
    rows["stance"] = "neutral"
    rows.loc[rows["positive"], "stance"] = "positive"
    rows.loc[rows["negative"], "stance"] = "negative"
    rows.loc[rows["negative"] & rows["positive"], "stance"] = "mixed"
    rows = rows.drop(columns=["negative", "positive"])
    questions = _asked(asked, themes, set(passages["candidate_id"]))
    merged = rows.merge(questions, on=["candidate_id", "item"], how="outer", suffixes=("", "_asked"))
    merged["kind"] = merged["kind"].fillna(merged["kind_asked"])
    merged["n_passages"] = merged["n_passages"].fillna(0)
    merged["asked"] = merged["asked"].fillna(False).astype(bool)
    return schema.conform(merged.drop(columns="kind_asked"), "mentions")


def _asked(asked: Mapping[str, set[str]], themes: pd.DataFrame, candidates: set[str]) -> pd.DataFrame:
    """Return a row per candidate and item that a prompt asked about: code, category, and every theme under the code."""
    under: dict[str, list[str]] = {}
    for theme, code in zip(themes["theme_id"], themes["code"], strict=True):
        if pd.notna(code):
            under.setdefault(str(code), []).append(str(theme))
    rows = {
        (candidate, item, kind)
        for candidate, codes in asked.items()
        if candidate in candidates
        for code in codes
        for item, kind in [
            (code, "code"),
            (code.split(".")[0], "category"),
            *((t, "theme") for t in under.get(code, [])),
        ]
    }
    frame = pd.DataFrame(sorted(rows), columns=["candidate_id", "item", "kind"], dtype="string")
    return frame.assign(asked=True)

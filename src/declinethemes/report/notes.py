"""The plain words of the report: how good the data are, and how the numbers were made.

In: documents, turns, settings. Out: lists of plain dicts and sentences. Nothing is compared here.
"""

from __future__ import annotations

from typing import Any

import pandas as pd

from declinethemes.config import Settings


def quality(documents: pd.DataFrame, turns: pd.DataFrame, *, without_theme: str, min_n: int) -> dict[str, Any]:
    """Return what the reader must know of the data.

    Parameters
    ----------
    documents, turns : pandas.DataFrame
        The tables, skipped documents too.
    without_theme : str
        Counts and reasons of passages in no theme, separated by semicolons.
    min_n : int
        Languages of fewer documents are counted together, without a number.

    Returns
    -------
    dict
        skipped (document_id, reason), doubtful_roles (document ids), languages (language, n), kinds (kind, n),
        reading_notes (note, n), without_theme (texts).
    """
    read = documents[documents["status"] == "read"]
    skipped = documents[documents["status"] == "skipped"]
    doubtful = turns["role_basis"].str.contains("doubtful", regex=False).fillna(False).astype(bool)
    notes = read["reason"].dropna().str.split("; ").explode().value_counts().sort_index()
    spoken = read["language"].fillna("not recognised").value_counts().sort_index()
    languages: list[dict[str, Any]] = [{"language": str(k), "n": int(n)} for k, n in spoken.items() if n >= min_n]
    if len(languages) < len(spoken):
        languages.append({"language": "other languages", "n": None})
    return {
        "skipped": [
            {"document_id": str(name), "reason": "no reason was given" if pd.isna(why) else str(why)}
            for name, why in zip(skipped["document_id"], skipped["reason"], strict=True)
        ],
        "doubtful_roles": sorted({str(name) for name in turns.loc[doubtful, "document_id"]}),
        "languages": languages,
        "kinds": [{"kind": str(k), "n": int(n)} for k, n in read["kind"].dropna().value_counts().sort_index().items()],
        "reading_notes": [{"note": str(note), "n": int(n)} for note, n in notes.items()],
        "without_theme": [part for part in without_theme.split("; ") if part],
    }


def method(settings: Settings, *, tagger: str, n_heard: int) -> list[dict[str, str]]:
    """Return the notes on method, at most two sentences each."""
    margin, alpha = round(100 * settings.margin), f"{settings.alpha:g}"
    counted = (
        "A candidate counts for an item when at least one passage speaks of it critically, or critically and kindly "
        "at once. Praise alone does not count."
        if settings.stance == "negative"
        else "A candidate counts for an item when at least one passage speaks of it, kindly or critically. "
        "“Friendly panel” and “rude panel” are therefore counted alike."
    )
    pairs = (
        (
            "People, not sentences",
            f"Every candidate counts once per item, however often they came back to it. Shares are of the {n_heard} "
            f"candidates heard, those with at least one "
            "passage of their own.",
        ),
        ("What counts as a mention", counted),
        (
            "Each group against the rest",
            "A group is compared with all candidates whose group is known and who are not in it. Candidates who did "
            "not disclose theirs are in no comparison of that segment.",
        ),
        (
            "Three verdicts",
            f"“Difference” means an adjusted p-value of at most {alpha} and a gap that is not clearly immaterial; "
            f"“no material difference” means that the 90 % interval lies "
            f"within {margin} points either way. Everything else is “not enough data”, which is not a sign of "
            f"equality.",
        ),
        (
            "The margin",
            f"Gaps under {margin} points are treated as too small to act on. The margin belongs in the settings "
            f"before anybody looks at results.",
        ),
        (
            "Many comparisons",
            "Who compares much finds something by chance, so p-values are adjusted over all comparisons of a "
            "segment (Westfall-Young; Benjamini-Hochberg where that was not computed). "
            "Looking at several segments adds chances that this does not cover.",
        ),
        (
            "Intervals",
            "Intervals are 95 % (Newcombe) and are not adjusted for the number of comparisons. Read them as the "
            "range of gaps these numbers are compatible with.",
        ),
        (
            "Tags are a model's reading",
            f"Passages were tagged by the model {tagger}; where a finding says “unaudited”, no person has checked "
            f"the tags. A model that understands one group better than another "
            "can make a difference or hide one.",
        ),
        (
            "No causes",
            "The findings say who speaks of what, not why anybody declined. Groups can differ in role, site or "
            "questions asked as well.",
        ),
        (
            "Small groups",
            f"Groups under {settings.min_n} candidates, and one or two mentions in small groups or on sensitive "
            f"items, read “protected”, as do cells that would give these away. "
            "This draft has not been checked against other tables or earlier versions: do not publish it.",
        ),
        (
            "Quotes",
            f"Themes are quoted when {settings.quote_n} candidates or more were heard and enough of them share the "
            f"theme; sensitive passages never are. Numbers, money, dates and likely company names "
            "are replaced, yet a quote should be read by a person before it travels.",
        ),
    )
    return [{"title": title, "text": text} for title, text in pairs]

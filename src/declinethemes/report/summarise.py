"""Everything the report shows, as one dict of plain data.

In: the tables of a study, findings already protected. Out: a dict that `json.dumps` takes; renderers only lay it
out. What may be quoted, how a quote is cleaned and how a finding is said are decided by functions that the caller
hands in.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import pandas as pd

from declinethemes.config import Settings
from declinethemes.framework import Framework
from declinethemes.report.comparisons import found, hidden_levels, response_rates, rows_of, segment_tables
from declinethemes.report.notes import method, quality
from declinethemes.report.over_time import over_time
from declinethemes.report.topics import add_carried, ordered_items, quote_finder, theme_list, topic_list
from declinethemes.schema import VERDICTS

STAMP = "Working draft"


def summarise(
    *,
    documents: pd.DataFrame,
    turns: pd.DataFrame,
    passages: pd.DataFrame,
    tags: pd.DataFrame,
    themes: pd.DataFrame,
    assignments: pd.DataFrame,
    mentions: pd.DataFrame,
    findings: pd.DataFrame,
    candidates: pd.DataFrame,
    framework: Framework,
    settings: Settings,
    sensitive: Collection[str],
    model_id: str,
    encoder_id: str,
    without_theme: str,
    segments: Sequence[str],
    families: Mapping[str, int],
    sentence: Callable[..., str],
    may_quote: Callable[..., bool],
    scrub_quote: Callable[[str], str],
    carried: Callable[[list[str], list[str]], list[str]],
    approved: Collection[str] = (),
    offers: Sequence[str] = (),
    recalls: Sequence[Mapping[str, Any]] = (),
    trend: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Return everything the report shows.

    Parameters
    ----------
    documents, turns, passages, tags, themes, assignments, mentions : pandas.DataFrame
        The tables of a study.
    findings : pandas.DataFrame
        The findings table after `disclosure.protect`.
    candidates : pandas.DataFrame
        All candidates, also those not heard, with the declared segments made.
    framework : Framework
        Gives labels and order.
    settings : Settings
        Margin, alpha, thresholds and stance.
    sensitive : collection of str
        Items that are never quoted.
    model_id, encoder_id : str
        What tagged, and what made the vectors.
    without_theme : str
        Counts and reasons of passages in no theme, separated by semicolons.
    segments : sequence of str
        In the order to show.
    families : mapping of segment to int
        Comparisons made in each segment, protected ones too.
    sentence : callable
        ``sentence(row, comparisons=, margin=)`` says a finding.
    may_quote : callable
        ``may_quote(n_group, n_theme, quote_n=)``.
    carried : callable
        Takes texts and their codes; gives the phrase of each text that carried its code, empty if none.
    scrub_quote : callable
        Takes identifying words out of a text.
    approved : collection of str
        Sensitive passages that a person approved for quoting.
    offers, recalls
        See `segment_tables`.
    trend : mapping, optional
        counts, items, batches and notes of a trend whose small numbers are blank; None where there is one batch.

    Returns
    -------
    dict
        stamp, counts, period, ids, settings, found, segments, trend (or None), topics, top, themes, asked, quality,
        method. Of what is protected, only its place is in it.
    """
    min_n = settings.min_n
    heard = candidates["candidate_id"].isin(passages["candidate_id"])
    n_heard = int(heard.sum())
    quotes = quote_finder(
        passages=passages,
        tags=tags,
        assignments=assignments,
        sensitive=sensitive,
        may_quote=lambda n_theme: may_quote(n_heard, n_theme, quote_n=settings.quote_n),
        scrub=scrub_quote,
        approved=approved,
    )
    listed = theme_list(
        themes, framework=framework, sensitive=sensitive, min_n=min_n, quotes_of=quotes, scrub=scrub_quote
    )
    add_carried(listed, carried)
    items = ordered_items(framework, listed)
    labels = {item: label for item, label, _ in items}
    rows = rows_of(findings, labels)
    said = passages["text"].str.count(r"\S+").groupby(passages["candidate_id"]).sum()
    words = candidates["candidate_id"].map(said)
    response = {
        name: response_rates(candidates, heard, name, min_n=min_n, also_hidden=hidden_levels(rows, name), words=words)
        for name in dict.fromkeys([*segments, *(row["segment"] for row in rows)])
    }
    what = found(rows, families=families, margin=settings.margin, sentence=sentence)
    topics = topic_list(mentions, framework=framework, sensitive=sensitive, n_heard=n_heard, min_n=min_n)
    return {
        "stamp": STAMP,
        "counts": _counts(
            documents, passages, tags, themes, what["counts"], n_heard=n_heard, n_candidates=len(candidates)
        ),
        "period": _period(documents),
        "ids": {"framework": f"{framework.name} {framework.version}", "tagger": model_id, "encoder": encoder_id},
        "settings": {
            "margin": settings.margin,
            "margin_points": round(100 * settings.margin),
            "alpha": settings.alpha,
            "min_n": min_n,
            "quote_n": settings.quote_n,
            "stance": settings.stance,
        },
        "found": what,
        "segments": segment_tables(rows, segments, items=items, response=response, offers=offers, recalls=recalls),
        "trend": over_time(**trend, labels=labels, alpha=settings.alpha) if trend else None,
        "topics": topics,
        "top": _top(topics, stance=settings.stance),
        "themes": listed,
        "asked": [
            {name: code[name] for name in ("id", "label", "n_asked", "asked_share", "asked_protected")}
            for topic in topics
            for code in topic["codes"]
            if code["n_asked"] != 0
        ],
        "quality": quality(documents, turns, without_theme=without_theme, min_n=min_n),
        "method": method(settings, tagger=model_id, n_heard=n_heard),
    }


def _counts(
    documents: pd.DataFrame,
    passages: pd.DataFrame,
    tags: pd.DataFrame,
    themes: pd.DataFrame,
    counted: Mapping[str, int],
    *,
    n_heard: int,
    n_candidates: int,
) -> dict[str, Any]:
    """Return the figures at the head of the report; of findings, each comparison once, as `found` counts them."""
    return {
        "documents_read": int((documents["status"] == "read").sum()),
        "documents_skipped": int((documents["status"] == "skipped").sum()),
        "candidates_heard": n_heard,
        "candidates": n_candidates,
        "passages": len(passages),
        "tags_yes": int((tags["decision"] == "yes").sum()),
        "tags_unsure": int((tags["decision"] == "unsure").sum()),
        "themes_known": int((themes["kind"] == "known").sum()),
        "themes_emergent": int(((themes["kind"] == "emergent") & (themes["status"] != "rest")).sum()),
        "verdicts": {verdict: n for verdict in VERDICTS if (n := counted.get(verdict.replace(" ", "_"), 0))},
    }


def _period(documents: pd.DataFrame) -> str:
    """Return the months of the first and last document, or an empty text."""
    dates = documents.loc[documents["status"] == "read", "date"].dropna()
    if dates.empty:
        return ""
    first, last = (f"{day:%B %Y}" for day in (dates.min(), dates.max()))
    return first if first == last else f"{first} to {last}"


def _top(topics: Sequence[Mapping[str, Any]], *, stance: str) -> list[dict[str, Any]]:
    """Return the eight codes that most candidates complain of, or speak of where all mentions count."""
    count, share = ("n_complaints", "complaints_share") if stance == "negative" else ("n_candidates", "share")
    codes = [
        {"label": code["label"], "category": topic["label"], "n": code[count], "share": code[share]}
        for topic in topics
        for code in topic["codes"]
        if code[count]
    ]
    return sorted(codes, key=lambda code: (-code["n"], code["label"]))[:8]

"""What was said, by whom counted: categories, codes and themes, with quotes where these are allowed.

In: the tables of a study. Out: lists of plain dicts; a count of 1 to `min_n` - 1 candidates is None and marked as
protected. Comparing groups of candidates is not done here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import pandas as pd

from declinethemes.framework import Framework

QUOTES = 3
SENSITIVE = "Quotes withheld: sensitive."
TOO_FEW = "Quotes withheld: too few candidates."
OUTSIDE = "Outside the framework"
WORDS_WITHHELD = "Theme found in the text, words withheld"
PROTECTED_TOPIC: Mapping[str, Any] = {"protected": True, "n_candidates": None, "share": None, "n_complaints": None}


def small(count: int, min_n: int) -> bool:
    """Return whether a count of candidates is too small to show; nobody at all is not."""
    return 1 <= count < min_n


def theme_list(
    themes: pd.DataFrame,
    *,
    framework: Framework,
    sensitive: Collection[str],
    min_n: int,
    quotes_of: Callable[[Mapping[str, Any]], tuple[list[str], str]],
    scrub: Callable[[str], str],
) -> list[dict[str, Any]]:
    """List the themes in the framework's order, larger ones first under each code.

    Parameters
    ----------
    themes : pandas.DataFrame
        The themes table.
    framework : Framework
        Gives labels and order.
    sensitive : collection of str
        Items that are never quoted.
    min_n : int
        A theme of fewer candidates shows neither counts nor terms nor quotes, nor the words of an emergent label.
    quotes_of : callable
        Takes a theme and gives its quotes and, if there are none, the reason.
    scrub : callable
        Takes identifying words out of a text; a term that it changes is left out.

    Returns
    -------
    list of dict
        theme_id, label, kind, category, category_label, code, code_label, status, stability, protected, sensitive,
        n_candidates, n_passages, terms, quotes, quotes_note.
    """
    order = {code.id: place for place, code in enumerate(framework.codes)}
    rows = themes.sort_values(["n_candidates", "theme_id"], ascending=[False, True]).to_dict("records")
    out = []
    for row in rows:
        code = "" if pd.isna(row["code"]) else str(row["code"])
        category = framework.category_of.get(code, code.split(".")[0])
        emergent = row["kind"] == "emergent"
        hidden = small(int(row["n_candidates"]), min_n)
        rest = row["status"] == "rest"  # what is left of a code has no quotes that stand for it
        shown: tuple[list[str], str] = ([], "" if rest else TOO_FEW)
        quotes, why = shown if hidden or rest else quotes_of({str(key): value for key, value in row.items()})
        terms = [] if hidden else [term for term in _texts(row["terms"]) if scrub(term) == term]
        label = str(row["label"])
        if emergent:
            label = WORDS_WITHHELD if hidden else shown_label(label, scrub)
        out.append(
            {
                "theme_id": str(row["theme_id"]),
                "label": label,
                "kind": str(row["kind"]),
                "category": category,
                "category_label": framework.labels.get(category, category or OUTSIDE),
                "code": code,
                "code_label": framework.labels.get(code, code or OUTSIDE),
                "status": None if pd.isna(row["status"]) else str(row["status"]),
                "stability": None if hidden or pd.isna(row["stability"]) else round(float(row["stability"]), 2),
                "protected": hidden,
                "sensitive": row["theme_id"] in sensitive or code in sensitive,
                "n_candidates": None if hidden else int(row["n_candidates"]),
                "n_passages": None if hidden else int(row["n_passages"]),
                "terms": terms,
                "quotes": quotes,
                "quotes_note": why,
            }
        )
    return sorted(out, key=lambda theme: order.get(str(theme["code"]), len(order)))


def shown_label(label: str, scrub: Callable[[str], str]) -> str:
    """Return the label of a theme found in the text without identifying words; its number stays.

    Examples
    --------
    >>> shown_label("The offer (2)", lambda text: text.replace("2", "[number]"))
    'The offer (2)'
    """
    found = re.fullmatch(r"(.*?)( \(\d{1,2}\))?", label, re.S)
    return label if found is None else scrub(found[1]) + (found[2] or "")


def quote_finder(
    *,
    passages: pd.DataFrame,
    tags: pd.DataFrame,
    assignments: pd.DataFrame,
    sensitive: Collection[str],
    may_quote: Callable[[int], bool],
    scrub: Callable[[str], str],
    approved: Collection[str] = (),
) -> Callable[[Mapping[str, Any]], tuple[list[str], str]]:
    """Return the function that gives the quotes of a theme, or the reason why there are none.

    A passage is never quoted when any of its tags (doubtful ones too) or themes is sensitive, whatever theme it
    would stand under, unless a person approved it. Nothing about the speaker goes with a quote.
    """
    delicate = delicate_passages(tags, assignments, sensitive) - set(approved)
    text = dict(zip(passages["passage_id"], passages["text"], strict=True))

    def quotes(theme: Mapping[str, Any]) -> tuple[list[str], str]:
        marked = theme["theme_id"] in sensitive or theme["code"] in sensitive
        if not may_quote(int(theme["n_candidates"])):
            return [], TOO_FEW
        there = [passage for passage in _texts(theme["exemplars"]) if passage in text]
        open_ones = [p for p in there if p in approved or not (marked or p in delicate)]
        allowed = [scrub(str(text[passage])) for passage in open_ones]
        note = "" if allowed else SENSITIVE if there else "No example is stored."
        return list(dict.fromkeys(allowed))[:QUOTES], note

    return quotes


def delicate_passages(tags: pd.DataFrame, assignments: pd.DataFrame, sensitive: Collection[str]) -> set[str]:
    """Return the passages with a sensitive tag (doubtful ones too) or theme."""
    found = tags["decision"].isin(["yes", "unsure"])
    marked = tags["code"].isin(list(sensitive)) | tags["category"].isin(list(sensitive))
    themed = assignments["theme_id"].isin(list(sensitive))
    return {*tags.loc[found & marked, "passage_id"], *assignments.loc[themed, "passage_id"]}


def quotes_to_approve(
    *,
    passages: pd.DataFrame,
    tags: pd.DataFrame,
    themes: pd.DataFrame,
    assignments: pd.DataFrame,
    sensitive: Collection[str],
    may_quote: Callable[[int], bool],
    scrub: Callable[[str], str],
) -> pd.DataFrame:
    """Return the quotes that are withheld only because they are sensitive.

    Returns
    -------
    pandas.DataFrame
        passage_id, label (of every theme it may stand under), text (as it would be shown); each passage once.
    """
    delicate = delicate_passages(tags, assignments, sensitive)
    text = dict(zip(passages["passage_id"], passages["text"], strict=True))
    rows = [
        (passage, str(theme["label"]), scrub(str(text[passage])))
        for theme in themes.sort_values("theme_id").to_dict("records")
        if theme["status"] != "rest" and may_quote(int(theme["n_candidates"]))
        for passage in _texts(theme["exemplars"])
        if passage in text and (passage in delicate or theme["theme_id"] in sensitive or theme["code"] in sensitive)
    ]
    frame = pd.DataFrame(rows, columns=["passage_id", "label", "text"])
    grouped = frame.groupby("passage_id", sort=False, as_index=False)
    return grouped.agg(label=("label", "; ".join), text=("text", "first"))


def add_carried(themes: Sequence[dict[str, Any]], carried: Callable[[list[str], list[str]], list[str]]) -> None:
    """Add to each theme `carried`: for each of its quotes the phrase that the theme's code hangs on, empty if none."""
    quoted = [(theme, quote) for theme in themes for quote in theme["quotes"] if theme["code"]]
    found = carried([quote for _, quote in quoted], [theme["code"] for theme, _ in quoted]) if quoted else []
    for theme in themes:
        theme["carried"] = [phrase for (owner, _), phrase in zip(quoted, found, strict=True) if owner is theme] or [
            ""
        ] * len(theme["quotes"])


def topic_list(
    mentions: pd.DataFrame, *, framework: Framework, sensitive: Collection[str], n_heard: int, min_n: int
) -> list[dict[str, Any]]:
    """List categories with their codes: how many candidates spoke of each, complained of it, and were asked about it.

    Returns
    -------
    list of dict
        Per category id, label, counts and `codes`, a list of the same. Counts: n_candidates, share, n_complaints,
        complaints_share, n_asked, asked_share; None where too small to show, with `protected` and `asked_protected`.
    """
    counts = _count(mentions)

    def entry(item: str, label: str) -> dict[str, Any]:
        n, n_complaints, n_asked = counts.get(item, (0, 0, 0))
        delicate = item in sensitive
        shown: dict[str, Any] = {"id": item, "label": label, "sensitive": delicate}
        shown |= {"asked_protected": small(n_asked, min_n), "n_asked": None, "asked_share": None}
        if not shown["asked_protected"]:
            shown |= {"n_asked": n_asked, "asked_share": _share(n_asked, n_heard)}
        if small(n, min_n):
            return {**shown, **PROTECTED_TOPIC, "complaints_share": None, "complaints_protected": True}
        few = small(n_complaints, min_n) or (delicate and small(n - n_complaints, min_n))
        return {
            **shown,
            "protected": False,
            "n_candidates": n,
            "share": _share(n, n_heard),
            "complaints_protected": few,
            "n_complaints": None if few else n_complaints,
            "complaints_share": None if few else _share(n_complaints, n_heard),
        }

    return [
        {
            **entry(category.id, category.label),
            "codes": [entry(code.id, code.label) for code in framework.codes if code.category == category.id],
        }
        for category in framework.categories
    ]


def ordered_items(framework: Framework, themes: Sequence[Mapping[str, Any]]) -> list[tuple[str, str, str]]:
    """Return (item, label, kind) of everything that is counted: each category, its codes, their themes."""
    out: list[tuple[str, str, str]] = []
    for category in framework.categories:
        out.append((category.id, category.label, "category"))
        for code in framework.codes:
            if code.category == category.id:
                out.append((code.id, code.label, "code"))
                out += [(t["theme_id"], t["label"], "theme") for t in themes if t["code"] == code.id]
    there = {item for item, _, _ in out}
    return out + [(t["theme_id"], t["label"], "theme") for t in themes if t["theme_id"] not in there]


def _count(mentions: pd.DataFrame) -> dict[str, tuple[int, int, int]]:
    """Count candidates per item: who spoke of it, complained of it, was asked about it."""
    spoke = (mentions["n_passages"].fillna(1) > 0).fillna(False).astype(bool)
    complained = spoke & mentions["stance"].isin(["negative", "mixed"])
    asked = mentions["asked"].fillna(False).astype(bool)
    flags = pd.DataFrame({"spoke": spoke, "complained": complained, "asked": asked}).groupby(mentions["item"]).sum()
    return {
        str(item): (int(row[0]), int(row[1]), int(row[2]))
        for item, row in zip(flags.index, flags.to_numpy(), strict=True)
    }


def _share(count: int, base: int) -> float | None:
    return round(count / base, 4) if base else None


def _texts(value: object) -> list[str]:
    return [str(part) for part in value] if isinstance(value, list | tuple) else []

"""The findings as they are shown: headlines, a table per segment, response rates.

In: findings that `disclosure.protect` has been over. Out: plain dicts. Of a hidden row nothing is taken over but
its place and the word "protected". Testing and protecting findings is not done here; response rates are protected
here, as they are made here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pandas as pd

from declinethemes.config import UNDERREPRESENTED
from declinethemes.report.topics import small
from declinethemes.schema import NOT_DISCLOSED

ASKED_NOTE = "asked shares differ"
AUDIT_WORDS: Mapping[str, str] = {
    "unaudited": "Unaudited: the tags are the model's, no person has checked them.",
    "audited": "Corrected by a sample that people reviewed.",
    "human codes": "Based on people's own coding of every candidate compared.",
}
_STATISTICS = ("p_value", "p_bh", "p_wy", "tipping_recall", "asked_share", "rest_asked_share", "adjusted_p")
TALK = 1.25
"""Median words this many times those of the others are marked."""
Row = dict[str, Any]


def rows_of(findings: pd.DataFrame, labels: Mapping[str, str]) -> list[Row]:
    """Return the findings as plain dicts with labels and points; hidden ones hold only their place.

    Parameters
    ----------
    findings : pandas.DataFrame
        The findings table; rows that are suppressed, or have no n, count as hidden whatever else they hold.
    labels : mapping of item to label

    Returns
    -------
    list of dict
        segment, level, item, label, who, verdict; where shown also counts, shares (0..1), difference and limits in
        points, the statistics, state of audit and notes.
    """
    out = []
    ordered = findings.sort_values(["segment", "level", "item"])
    for raw in ordered.astype("object").where(ordered.notna(), None).to_dict("records"):
        row = {str(key): value for key, value in raw.items()}
        segment, level, item = str(row["segment"]), str(row["level"]), str(row["item"])
        place: Row = {"segment": segment, "level": level, "item": item, "kind": row["kind"]}
        place |= {
            "label": labels.get(item, item),
            "who": who(segment, level),
            "level_label": level_label(segment, level),
        }
        if row["suppressed"] or row["verdict"] == "protected" or row["n"] is None:
            out.append({**place, "verdict": "protected"})
            continue
        counts = {name: _whole(row[name]) for name in ("n_mention", "n", "rest_n_mention", "rest_n")}
        shares = {
            name: _rounded(row[name]) for name in ("share", "share_low", "share_high", "rest_share", *_STATISTICS)
        }
        points = {
            name: _points(row[name]) for name in ("difference", "ci_low", "ci_high", "mde", "adjusted_difference")
        }
        notes = [part for part in str(row["note"] or "").split("; ") if part]
        flagged = [part for part in notes if part.startswith(ASKED_NOTE)]
        said: Row = {"verdict": str(row["verdict"]), "audit_state": str(row["audit_state"] or "unaudited")}
        said |= {"notes": [part for part in notes if part not in flagged], "asked_differs": bool(flagged)}
        said |= {"plot": _plot(points), "raw": row}
        out.append({**place, **counts, **shares, **points, **said})
    return out


def who(segment: str, level: str) -> str:
    """Return the group in words."""
    if segment == UNDERREPRESENTED:
        return {"yes": "Under-represented candidates", "no": "All other candidates"}.get(
            level, f"Under-represented: {level}"
        )
    return f"{segment_label(segment).capitalize()}: {level}"


def level_label(segment: str, level: str) -> str:
    """Return the level in words, as the head of a column."""
    words = {"yes": "under-represented", "no": "all others"} if segment == UNDERREPRESENTED else {}
    return words.get(level, level)


def segment_label(segment: str) -> str:
    """Return the segment in words."""
    return "under-represented" if segment == UNDERREPRESENTED else segment.replace("_", " ")


def found(
    rows: Sequence[Row], *, families: Mapping[str, int], margin: float, sentence: Callable[..., str]
) -> dict[str, Any]:
    """Return what the findings amount to.

    Where a segment has two levels each row is the other's mirror, and one of the two is taken.

    Returns
    -------
    dict
        counts by verdict; `headlines`, the differences, those of under-represented candidates first, then by size;
        `no_difference`, short; and `not_enough`, per segment with the smallest gap (points) that could have shown.
    """
    single = _once(rows)
    counts = {"compared": sum(row["verdict"] != "not tested" for row in single)}
    counts["shown"] = sum(row["verdict"] not in ("not tested", "protected") for row in single)
    for verdict in ("difference", "no material difference", "not enough data", "protected"):
        counts[verdict.replace(" ", "_")] = sum(row["verdict"] == verdict for row in single)
    heads = [row for row in single if row["verdict"] == "difference"]
    heads.sort(
        key=lambda r: (
            r["segment"] != UNDERREPRESENTED,
            -abs(r["difference"] or 0),
            r["segment"],
            r["level"],
            r["item"],
        )
    )
    level = [row for row in single if row["verdict"] == "no material difference"]
    unknown = [row for row in single if row["verdict"] == "not enough data"]
    return {
        "counts": counts,
        "headlines": [_headline(row, families, margin, sentence) for row in heads],
        "no_difference": [
            {name: row[name] for name in ("who", "label", "difference", "ci_low", "ci_high", "plot")} for row in level
        ],
        "not_enough": [_unknown(name, unknown) for name in dict.fromkeys(row["segment"] for row in unknown)],
    }


def _headline(row: Row, families: Mapping[str, int], margin: float, sentence: Callable[..., str]) -> Row:
    text = sentence(
        {**row["raw"], "item": f"“{row['label']}”"}, comparisons=families.get(row["segment"], 0), margin=margin
    )
    if row["segment"] == UNDERREPRESENTED:
        words = {"yes": "under-represented candidates", "no": "other candidates"}.get(row["level"], str(row["level"]))
        text = text.replace(f"candidates ({row['segment']}: {row['level']})", words)
    asked = ""
    if row["asked_differs"] and row["asked_share"] is not None and row["rest_asked_share"] is not None:
        asked = (
            f"Asked about it: {round(100 * row['asked_share'])} % of this group, "
            f"{round(100 * row['rest_asked_share'])} % of the "
            "others. Part of the gap may come from the questions; compare among those asked."
        )
    shown = {name: value for name, value in row.items() if name != "raw"}
    return {**shown, "sentence": f"{text}.", "audit_text": AUDIT_WORDS[row["audit_state"]], "asked_text": asked}


def _unknown(segment: str, rows: Sequence[Row]) -> Row:
    mine = [row for row in rows if row["segment"] == segment]
    gaps = [row["mde"] for row in mine if row["mde"] is not None]
    return {
        "segment": segment,
        "label": segment_label(segment),
        "n": len(mine),
        "smallest_gap": min(gaps, default=None),
    }


def _once(rows: Sequence[Row]) -> list[Row]:
    """Leave out the mirror images of segments with two levels."""
    levels: dict[str, set[str]] = {}
    for row in rows:
        if row["level"] != NOT_DISCLOSED:
            levels.setdefault(row["segment"], set()).add(row["level"])
    out, seen = [], set()
    for row in sorted(
        rows,
        key=lambda r: not (r["level"] == "yes" if r["segment"] == UNDERREPRESENTED else (r.get("difference") or 0) > 0),
    ):
        key = (row["segment"], row["item"])
        if row["level"] != NOT_DISCLOSED and len(levels[row["segment"]]) == 2:
            if key in seen:
                continue
            seen.add(key)
        out.append(row)
    return sorted(out, key=lambda r: (r["segment"] != UNDERREPRESENTED, r["segment"]))


def segment_tables(
    rows: Sequence[Row],
    segments: Sequence[str],
    *,
    items: Sequence[tuple[str, str, str]],
    response: Mapping[str, list[Row]],
    offers: Sequence[str],
    recalls: Sequence[Mapping[str, Any]],
) -> list[dict[str, Any]]:
    """Return one table per segment: items x levels, and the statistics behind it.

    Parameters
    ----------
    rows : sequence of dict
        From `rows_of`.
    segments : sequence of str
        In the order to show.
    items : sequence of (item, label, kind)
        In the order to show; items without a finding are left out.
    response : mapping of segment to rows
        From `response_rates`.
    offers : sequence of str
        How levels that are not shown can be shown as one; each begins with its segment and a colon.
    recalls : sequence of dict
        The tagger's recall per segment, level and item, as shown.

    Returns
    -------
    list of dict
        segment, label, levels (level, n or None), rows (label, kind, cells in the order of the levels), statistics
        (shown rows), response, offer, recall (of the tagger, labelled).
    """
    out = []
    for name in dict.fromkeys([*segments, *(row["segment"] for row in rows)]):
        mine = {(row["item"], row["level"]): row for row in rows if row["segment"] == name}
        levels = sorted({level for _, level in mine}, key=lambda level: (level == NOT_DISCLOSED, level))
        listed = [*items, *((item, item, "") for item in sorted({i for i, _ in mine} - {i for i, _, _ in items}))]
        table = [
            {"item": item, "label": label, "kind": kind, "cells": [_cell(mine.get((item, level))) for level in levels]}
            for item, label, kind in listed
            if any((item, level) in mine for level in levels)
        ]
        shown = [mine[item, level] for item, _, _ in listed for level in levels if (item, level) in mine]
        statistics = [
            {key: value for key, value in row.items() if key != "raw"} for row in shown if row["verdict"] != "protected"
        ]
        heads = [
            {
                "level": level,
                "level_label": level_label(name, level),
                "n": max((row["n"] for row in statistics if row["level"] == level), default=None),
            }
            for level in levels
        ]
        entry = {"segment": name, "label": segment_label(name), "levels": heads, "rows": table}
        named = {item: label for item, label, _ in items}
        recall = [
            {**row, "label": named.get(row["item"], row["item"]), "level_label": level_label(name, row["level"])}
            for row in recalls
            if row["segment"] == name
        ]
        entry |= {"offer": next((text for text in offers if text.startswith(f"{name}: ")), ""), "recall": recall}
        out.append({**entry, "statistics": statistics, "response": response.get(name, [])})
    return out


def _cell(row: Row | None) -> Row:
    if row is None:
        return {"verdict": "not tested", "share": None}
    if row["verdict"] == "protected":
        return {"verdict": "protected"}
    names = ("verdict", "share", "n_mention", "n", "difference", "ci_low", "ci_high", "asked_differs")
    return {name: row[name] for name in names}


def response_rates(
    candidates: pd.DataFrame,
    heard: pd.Series,
    segment: str,
    *,
    min_n: int,
    also_hidden: frozenset[str] = frozenset(),
    words: pd.Series | None = None,
) -> list[Row]:
    """Return who was heard, of all candidates, by level of one segment.

    A level is hidden with 1 to `min_n` - 1 candidates, or with so few heard, or when it is in `also_hidden`. As
    the totals are shown, one hidden level alone would be total minus the others; the smallest other level is then
    hidden with it.

    Parameters
    ----------
    candidates : pandas.DataFrame
        With the segment column; missing is a level of its own, not disclosed.
    heard : pandas.Series of bool
        Whether the candidate has a passage; index of `candidates`.
    segment : str
        The column.
    min_n : int
        Smallest group that is shown.
    also_hidden : frozenset of str
        Levels of which every finding is protected.
    words : pandas.Series, optional
        Words that each candidate said; index of `candidates`. Who says more mentions more.

    Returns
    -------
    list of dict
        level, level_label, protected, n_heard, n_candidates, share, median_words (of those heard), talk ("more" or
        "less" where that is a quarter from the median of all other levels, else empty); None where protected. Empty
        where there is no such column.
    """
    if segment not in candidates.columns or candidates.empty:
        return []
    level = candidates[segment].astype("string").fillna(NOT_DISCLOSED)
    table = pd.DataFrame({"level": level, "heard": heard.astype(bool)})
    rows = [(str(name), int(part.sum()), len(part)) for name, part in table.groupby("level")["heard"]]
    hidden = {name for name, k, n in rows if small(k, min_n) or small(n, min_n) or name in also_hidden}
    others = sorted((k, n, name) for name, k, n in rows if name not in hidden)
    if len(hidden) == 1 and others:
        hidden.add(others[0][2])
    out = []
    for name, k, n in sorted(rows, key=lambda row: (row[0] == NOT_DISCLOSED, row[0])):
        place = {"level": name, "level_label": level_label(segment, name), "protected": name in hidden}
        shown = (None, None, None) if name in hidden else (k, n, round(k / n, 4))
        said = _talk(table.assign(words=words), name) if words is not None and name not in hidden else (None, "")
        out.append({**place, **dict(zip(("n_heard", "n_candidates", "share"), shown, strict=True))})
        out[-1] |= {"median_words": said[0], "talk": said[1]}
    return out


def _talk(table: pd.DataFrame, level: str) -> tuple[int | None, str]:
    """Return the median of the words of a level, and whether that is far from the median of the others."""
    mine = table["heard"] & (table["level"] == level)
    rest = table["heard"] & (table["level"] != level) & (table["level"] != NOT_DISCLOSED)
    if not mine.any():
        return None, ""
    middle = float(table.loc[mine, "words"].median())
    ratio = middle / float(table.loc[rest, "words"].median()) if rest.any() and level != NOT_DISCLOSED else 1.0
    return round(middle), "more" if ratio >= TALK else "less" if ratio <= 1 / TALK else ""


def hidden_levels(rows: Sequence[Row], segment: str) -> frozenset[str]:
    """Return the levels of which every finding is protected."""
    mine = [row for row in rows if row["segment"] == segment]
    shown = {row["level"] for row in mine if row["verdict"] != "protected"}
    return frozenset(row["level"] for row in mine) - shown


def _plot(points: Mapping[str, int | None]) -> Row | None:
    """Return what the interval plot draws, on an axis of points from -100 to 100."""
    low, middle, high = points["ci_low"], points["difference"], points["ci_high"]
    if low is None or middle is None or high is None:
        return None
    return {"low": low, "middle": middle, "high": high}


def _points(value: Any) -> int | None:
    return None if value is None else round(100 * float(value))


def _rounded(value: Any) -> float | None:
    return None if value is None else round(float(value), 5)


def _whole(value: Any) -> int | None:
    return None if value is None else int(value)

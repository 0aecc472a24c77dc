"""Presumed against stated: what the hiring team recorded as the reason, and what candidates said.

In: candidates with `reason_code` and `presumed_reason`, their mentions, and a table of reasons. Out: `ReasonGap`. A
reason counts as heard when the candidate speaks of its code in any way but praise. Full numbers: `suppressed` marks
what `.protected()` hides. Whether a candidate was asked stands beside it; nothing here says who is right.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from declinethemes.errors import SchemaError, SettingsError
from declinethemes.prepare.presumed import Reason, Reasons, load_reasons
from declinethemes.schema import NOT_DISCLOSED
from declinethemes.stats.proportions import wilson
from declinethemes.stats.thresholds import MIN_N, is_protected

SOURCES = ("reason_code", "presumed_reason")
ALL = "(all)"
_TOP = 3
_COUNTS = ("n", "n_heard", "n_asked", "others_n", "others_heard")


@dataclass(frozen=True, kw_only=True, eq=False)
class ReasonGap:
    """Presumed reasons beside what was heard.

    Attributes
    ----------
    codes : pandas.DataFrame
        One row per level and presumed code; the columns of `reason_gap`.
    instead : pandas.DataFrame
        One row per level, presumed code and other code: of the candidates who did not speak of the presumed one
        (silent), how many spoke of the other (n), share, share_low, share_high (Wilson, 95 %), suppressed; most first.
    reasons : pandas.DataFrame
        One row per reason as written: source, reason, code, theme, n, n_heard, share, share_low, share_high (code
        heard), n_theme (theme heard; missing without one), suppressed. Reasons that say nothing have no code.
    unmapped : pandas.DataFrame
        source, reason, n: reasons that no table knows.
    counts : mapping of str to int
        candidates, with a code, says nothing, unmapped only, no reason.
    parameters : mapping
        The arguments.
    notes : tuple of str
        What holds for the whole table.
    """

    codes: pd.DataFrame
    instead: pd.DataFrame
    reasons: pd.DataFrame
    unmapped: pd.DataFrame
    counts: Mapping[str, int]
    parameters: Mapping[str, Any]
    notes: tuple[str, ...] = ()

    def to_frame(self) -> pd.DataFrame:
        """Return the rows per presumed code; a copy, with parameters and counts in `attrs`."""
        frame = self.codes.copy()
        frame.attrs = {"parameters": dict(self.parameters), "counts": dict(self.counts)}
        return frame

    def protected(self) -> ReasonGap:
        """Return the same with small groups blank.

        Hidden rows keep what they are about. Reasons in free text lose their wording where fewer than `min_n`
        candidates stand behind them, as it may tell of a person; codes of the tracking system keep it.
        """
        min_n = int(self.parameters["min_n"])
        codes = _blank(self.codes, ("segment", "level", "code"))
        key = ["segment", "level", "code"]
        gone = codes.loc[codes["suppressed"].astype(bool), key].agg(tuple, axis=1)
        instead = self.instead[~self.instead["suppressed"].astype(bool)]
        instead = instead[~instead[key].agg(tuple, axis=1).isin(list(gone))].reset_index(drop=True)
        codes["heard_instead"] = _in_words(codes, instead)
        reasons = _blank(self.reasons, ("source", "reason", "code", "theme"))
        unmapped = self.unmapped.assign(n=self.unmapped["n"].mask(self.unmapped["n"] < min_n))
        for frame, hidden in ((reasons, reasons["n"].isna()), (unmapped, unmapped["n"].isna())):
            frame["reason"] = frame["reason"].mask(hidden & (frame["source"] == "presumed_reason"))
        return replace(self, codes=codes, instead=instead, reasons=reasons, unmapped=unmapped)

    def _repr_html_(self) -> str:
        shown = self.codes.to_html(max_rows=60, float_format="{:.3f}".format, na_rep="", index=False)
        return f"<p>{' '.join(self.notes)}</p>{shown}"


def reason_gap(
    candidates: pd.DataFrame,
    mentions: pd.DataFrame,
    *,
    reasons: Reasons | None = None,
    by: str | Sequence[str] | None = None,
    min_n: int = MIN_N,
    sensitive: Collection[str] = (),
) -> ReasonGap:
    """Compare the reasons presumed for a decline with what the candidates said.

    Parameters
    ----------
    candidates : pandas.DataFrame
        Those who were heard: candidate_id, once each, `reason_code` or `presumed_reason` or both, and segment columns.
    mentions : pandas.DataFrame
        candidate_id, item; optional n_passages (0: asked only), stance, asked. Praise alone (stance positive) is not
        counted as heard: good pay is no reason to decline.
    reasons : Reasons, optional
        From `load_reasons`; default: the shipped table.
    by : str or list of str, optional
        Columns of candidates to break down by, beside all candidates together.
    min_n : int
        Smallest group that `.protected()` shows.
    sensitive : collection of str
        Codes with the raised disclosure threshold.

    Returns
    -------
    ReasonGap
        `.to_frame()` has, per segment and level ("(all)" first) and presumed code: n (candidates for whom it is
        presumed), n_heard and share of them who spoke of it, with Wilson interval; n_asked; heard_instead (the three
        other codes most of those who did not speak of it spoke of, with how many); and the reverse: others_n
        (candidates for whom it is not presumed), others_heard and others_share of them who spoke of it all the same;
        suppressed. A candidate may have several presumed codes.

    Raises
    ------
    SchemaError
        A column is missing, or a candidate comes twice.
    SettingsError
        An unknown column in `by`.

    Examples
    --------
    >>> people = pd.DataFrame({"candidate_id": ["a", "b", "c"], "reason_code": ["Compensation", "salary", "Other"]})
    >>> said = pd.DataFrame({"candidate_id": ["a", "b"], "item": ["competitiveness.offer", "experience.people"]})
    >>> gap = reason_gap(people, said).to_frame()
    >>> gap[["code", "n", "n_heard", "heard_instead"]].values.tolist()
    [['competitiveness.offer', 2, 1, 'experience.people (1)']]
    """
    used = load_reasons() if reasons is None else reasons
    _check(candidates, mentions, by)
    people = candidates.assign(candidate_id=candidates["candidate_id"].astype("string"))
    people = people.sort_values("candidate_id", kind="stable").reset_index(drop=True)
    written = _written(people, used)
    heard, asked = _heard(mentions, people)
    themes = set(mentions.loc[mentions["kind"] == "theme", "item"]) if "kind" in mentions else set()
    heard_codes = {item: who for item, who in heard.items() if "." in item and item not in themes}
    codes = sorted({reason.code for read in written["read"] for reason in read or ()})
    presumed = {code: _holders(people, written, code) for code in codes}
    columns = [by] if isinstance(by, str) else list(by or [])
    rows: list[dict[str, Any]] = []
    others: list[dict[str, Any]] = []
    for segment, level, group in _groups(people, columns):
        for code in codes:
            about = {"segment": segment, "level": level, "code": code}
            if presumed[code] & group:
                rows.append({**about, **_row(code, presumed[code], group, heard, asked)})
                others += [{**about, **one} for one in _instead(code, presumed[code] & group, heard_codes)]
    instead = _shares(pd.DataFrame(others, columns=_INSTEAD), min_n, sensitive)
    table = _finished(pd.DataFrame(rows, columns=_COLUMNS), min_n, sensitive)
    return ReasonGap(
        codes=table.assign(heard_instead=_in_words(table, instead)),
        instead=instead,
        reasons=_by_reason(people, written, heard, min_n, sensitive),
        unmapped=_unmapped(written),
        counts=_counts(people, written),
        parameters={"by": columns, "min_n": min_n},
        notes=_notes(_counts(people, written)),
    )


_COLUMNS = [
    "segment",
    "level",
    "code",
    "n",
    "n_heard",
    "share",
    "share_low",
    "share_high",
    "n_asked",
    "heard_instead",
    "others_n",
    "others_heard",
    "others_share",
]
_INSTEAD = ["segment", "level", "code", "other", "n", "silent"]


def _check(candidates: pd.DataFrame, mentions: pd.DataFrame, by: str | Sequence[str] | None) -> None:
    found = [str(name) for name in candidates.columns]
    missing = [] if "candidate_id" in found else ["candidate_id"]
    if not set(SOURCES) & set(found):
        missing.append("reason_code")
    if missing:
        raise SchemaError.columns("candidates", missing=missing, extra=[], found=found)
    lacking = [name for name in ("candidate_id", "item") if name not in mentions.columns]
    if lacking:
        raise SchemaError.columns("mentions", missing=lacking, extra=[], found=[str(n) for n in mentions.columns])
    twice = candidates["candidate_id"][candidates["candidate_id"].duplicated(keep=False)]
    if len(twice):
        raise SchemaError.values(
            "candidates", "candidate_id", expected="each candidate once", bad=list(twice), rows=list(twice.index)
        )
    for name in [by] if isinstance(by, str) else list(by or []):
        if name not in found or name in ("candidate_id", *SOURCES):
            usable = [one for one in found if one not in ("candidate_id", *SOURCES)]
            raise SettingsError.unknown("column of candidates", name, usable)


def _written(people: pd.DataFrame, reasons: Reasons) -> pd.DataFrame:
    """Return every reason as written: candidate_id, source, reason, read (a tuple, or None where it is not known)."""
    parts = []
    for source in SOURCES:
        if source in people:
            filled = people[["candidate_id", source]].dropna().rename(columns={source: "reason"})
            filled = filled.assign(source=source, reason=filled["reason"].astype("string").str.strip())
            parts.append(filled[filled["reason"] != ""])
    written = pd.concat(parts, ignore_index=True)
    known = {text: reasons.read(str(text)) for text in written["reason"].unique()}
    return written.assign(read=pd.Series([known[text] for text in written["reason"]], dtype=object))


def _flags(written: pd.DataFrame, holds: Callable[[Any], bool]) -> NDArray[np.bool_]:
    """Return for which rows something holds of what the reason presumes."""
    return np.array([holds(read) for read in written["read"]], dtype=bool)


def _heard(mentions: pd.DataFrame, people: pd.DataFrame) -> tuple[dict[str, set[str]], dict[str, set[str]] | None]:
    """Return who spoke of each item other than in praise, and who was asked about it (None where it is not known)."""
    owner = mentions["candidate_id"].astype("string")
    rows = mentions.assign(candidate_id=owner)[owner.isin(people["candidate_id"])]
    said = pd.Series(True, index=rows.index)
    if "n_passages" in rows:
        said &= (pd.to_numeric(rows["n_passages"]).fillna(1) > 0).to_numpy(dtype=bool)
    if "stance" in rows:
        said &= (rows["stance"] != "positive").fillna(True).to_numpy(dtype=bool)
    heard = {str(item): set(part) for item, part in rows[said].groupby("item")["candidate_id"]}
    if "asked" not in rows:
        return heard, None
    asked = rows[rows["asked"].fillna(False).astype(bool)]
    return heard, {str(item): set(part) for item, part in asked.groupby("item")["candidate_id"]}


def _holders(people: pd.DataFrame, written: pd.DataFrame, code: str) -> set[str]:
    """Return the candidates for whom a code is presumed."""
    hit = _flags(written, lambda read: any(reason.code == code for reason in read or ()))
    return set(written.loc[hit, "candidate_id"])


def _groups(people: pd.DataFrame, columns: Sequence[str]) -> Iterator[tuple[str, str, set[str]]]:
    yield ALL, ALL, set(people["candidate_id"])
    for name in columns:
        levels = people[name].astype("string").str.strip().fillna(NOT_DISCLOSED).replace("", NOT_DISCLOSED)
        for level, part in people.groupby(levels, sort=True):
            yield name, str(level), set(part["candidate_id"])


def _row(
    code: str, presumed: set[str], rows: set[str], heard: Mapping[str, set[str]], asked: Mapping[str, set[str]] | None
) -> dict[str, Any]:
    """Return the counts of one code in one group."""
    mine, others = presumed & rows, rows - presumed
    spoke = heard.get(code, set())
    return {
        "n": len(mine),
        "n_heard": len(mine & spoke),
        "n_asked": pd.NA if asked is None else len(mine & asked.get(code, set())),
        "heard_instead": pd.NA,
        "others_n": len(others),
        "others_heard": len(others & spoke),
    }


def _instead(code: str, mine: set[str], heard: Mapping[str, set[str]]) -> list[dict[str, Any]]:
    """Return what those spoke of who did not speak of the presumed code, most first."""
    silent = mine - heard.get(code, set())
    counts = {item: len(who & silent) for item, who in heard.items() if item != code}
    ranked = sorted((-n, item) for item, n in counts.items() if n)
    return [{"other": item, "n": -n, "silent": len(silent)} for n, item in ranked]


def _shares(rows: pd.DataFrame, min_n: int, sensitive: Collection[str]) -> pd.DataFrame:
    """Add shares, intervals and what must be hidden to what was heard instead."""
    n, silent = rows["n"].to_numpy(dtype=float), rows["silent"].to_numpy(dtype=float)
    low, high = wilson(n, silent)
    delicate = rows["other"].isin(list(sensitive)).to_numpy(dtype=bool)
    hidden = is_protected(n, silent, 0, 0, delicate, min_n=min_n)
    kinds: dict[str, Any] = {"segment": "string", "level": "string", "code": "string", "other": "string"}
    rows = rows.astype(kinds | {"n": "Int64", "silent": "Int64"})
    return rows.assign(share=n / silent, share_low=low, share_high=high, suppressed=pd.array(hidden, dtype="boolean"))


def _in_words(codes: pd.DataFrame, instead: pd.DataFrame) -> pd.Series:
    """Return the first three of what was heard instead, for each row of codes."""
    found: dict[tuple[str, ...], list[str]] = {}
    for row in instead.to_dict("records"):
        found.setdefault((row["segment"], row["level"], row["code"]), []).append(f"{row['other']} ({row['n']})")
    keys = zip(codes["segment"], codes["level"], codes["code"], strict=True)
    texts = [", ".join(found.get(key, [])[:_TOP]) or pd.NA for key in keys]
    return pd.Series(texts, index=codes.index, dtype="string")


def _blank(frame: pd.DataFrame, kept: tuple[str, ...]) -> pd.DataFrame:
    """Return a copy in which suppressed rows keep only some columns."""
    out, hidden = frame.copy(), frame["suppressed"].astype(bool)
    for name in out.columns:
        if name not in (*kept, "suppressed"):
            out[name] = out[name].mask(hidden)
    return out


def _finished(rows: pd.DataFrame, min_n: int, sensitive: Collection[str]) -> pd.DataFrame:
    """Add shares, intervals and what must be hidden."""
    n, heard = rows["n"].to_numpy(dtype=float), rows["n_heard"].to_numpy(dtype=float)
    others, others_heard = rows["others_n"].to_numpy(dtype=float), rows["others_heard"].to_numpy(dtype=float)
    low, high = wilson(heard, n)
    with np.errstate(divide="ignore", invalid="ignore"):
        rows = rows.assign(share=heard / n, share_low=low, share_high=high, others_share=others_heard / others)
    kinds: dict[str, Any] = dict.fromkeys(_COUNTS, "Int64")
    kinds |= dict.fromkeys(("share", "share_low", "share_high", "others_share"), "Float64")
    kinds |= dict.fromkeys(("segment", "level", "code", "heard_instead"), "string")
    rows = rows.astype(kinds)
    delicate = rows["code"].isin(list(sensitive)).to_numpy(dtype=bool)
    small = is_protected(heard, n, others_heard, others, delicate, min_n=min_n)
    hidden = small | is_protected(n, n + others, 0, 0, min_n=min_n)
    return rows.assign(suppressed=pd.array(_with_seconds(rows, hidden), dtype="boolean"))


def _with_seconds(rows: pd.DataFrame, hidden: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Hide the smallest other level of a code where one alone is hidden: it would follow from the total."""
    out = np.array(hidden, dtype=bool)
    for _, part in rows[rows["segment"] != ALL].groupby(["segment", "code"]):
        places = part.index.to_numpy()
        if out[places].sum() == 1 and len(places) > 1:
            open_rows = part[~out[places]].sort_values(["n", "level"])
            out[open_rows.index[0]] = True
    return out


def _by_reason(
    people: pd.DataFrame, written: pd.DataFrame, heard: Mapping[str, set[str]], min_n: int, sensitive: Collection[str]
) -> pd.DataFrame:
    """Return one row per source, reason as written, and what it presumes."""
    rows = []
    for (source, reason), part in written[_flags(written, lambda read: read is not None)].groupby(["source", "reason"]):
        who = set(part["candidate_id"])
        for one in part["read"].iloc[0] or (Reason(),):
            n_theme = len(who & heard.get(one.theme, set())) if one.theme else pd.NA
            n_heard = len(who & heard.get(one.code, set())) if one.code else pd.NA
            about = {"source": source, "reason": reason, "code": one.code or pd.NA, "theme": one.theme or pd.NA}
            rows.append({**about, "n": len(who), "n_heard": n_heard, "n_theme": n_theme})
    columns = ["source", "reason", "code", "theme", "n", "n_heard", "share", "share_low", "share_high", "n_theme"]
    frame = pd.DataFrame(rows, columns=columns)
    n, spoke = (
        frame["n"].to_numpy(dtype=float),
        frame["n_heard"].astype("Float64").to_numpy(dtype=float, na_value=np.nan),
    )
    low, high = wilson(spoke, n)
    frame = frame.assign(share=spoke / n, share_low=low, share_high=high)
    kinds: dict[str, Any] = dict.fromkeys(columns[:4], "string")
    kinds |= dict.fromkeys(("n", "n_heard", "n_theme"), "Int64")
    kinds |= dict.fromkeys(("share", "share_low", "share_high"), "Float64")
    delicate = frame["code"].isin(list(sensitive)).fillna(False).to_numpy(dtype=bool)
    few = frame["n_theme"].astype("Float64").to_numpy(dtype=float, na_value=np.nan)
    hidden = is_protected(spoke, n, 0, 0, delicate, min_n=min_n) | is_protected(few, n, 0, 0, delicate, min_n=min_n)
    return frame.astype(kinds).assign(suppressed=pd.array(hidden, dtype="boolean"))


def _unmapped(written: pd.DataFrame) -> pd.DataFrame:
    unknown = written[_flags(written, lambda read: read is None)]
    counted = unknown.groupby(["source", "reason"]).size().rename("n").reset_index()
    counted = counted.sort_values(["n", "source", "reason"], ascending=[False, True, True])
    return counted.astype({"source": "string", "reason": "string", "n": "Int64"}).reset_index(drop=True)


def _counts(people: pd.DataFrame, written: pd.DataFrame) -> dict[str, int]:
    """Return how many candidates have a presumed code, a reason that says nothing, an unknown one, or none."""
    coded = set(written.loc[_flags(written, bool), "candidate_id"])
    vague = set(written.loc[_flags(written, lambda read: read == ()), "candidate_id"]) - coded
    unknown = set(written["candidate_id"]) - coded - vague
    total = people["candidate_id"].nunique()
    return {
        "candidates": total,
        "with a code": len(coded),
        "says nothing": len(vague),
        "unmapped": len(unknown),
        "no reason": total - len(coded) - len(vague) - len(unknown),
    }


def _notes(counts: Mapping[str, int]) -> tuple[str, ...]:
    return (
        f"Of {counts['candidates']} candidates heard {counts['with a code']} have a presumed reason with a code, "
        f"{counts['says nothing']} one that says nothing of why, {counts['unmapped']} one that is not known, "
        f"{counts['no reason']} none.",
        "Heard: spoken of in any way but praise. Who was not asked may have kept silent.",
    )

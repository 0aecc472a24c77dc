"""What of the findings, and of people's own words, may be shown to others.

In: findings with full numbers; a quote. Out: findings with small cells blanked; a quote without numbers, money, dates
and companies; whether a theme may be quoted at all. Looks at one table: what several give away together is found in
`audit`.
"""

from __future__ import annotations

import re
from collections.abc import Collection

import numpy as np
import pandas as pd

from declinethemes.errors import SettingsError
from declinethemes.schema import NOT_DISCLOSED, TABLES, conform
from declinethemes.stats.thresholds import MIN_N, protected_rows

QUOTE_N = 10
QUOTE_MENTIONS = 3
PROTECTED_NOTE = "protected: too few candidates to show"
_SHOWN = ("segment", "level", "item", "kind")
_EVERYBODY_NOTE = "everybody of a small group: says something of each of them"


def protect(
    findings: pd.DataFrame,
    *,
    min_n: int = MIN_N,
    quote_n: int = QUOTE_N,
    sensitive: Collection[str] = frozenset(),
) -> pd.DataFrame:
    """Blank every finding that is too small to show, and those that would give one away.

    A row is hidden when its level or its rest has 1 to `min_n` - 1 candidates, or 1 or 2 mentions in a
    group under 10 or on a sensitive item. Where only one level of a segment is hidden for an item, the smallest other
    level is hidden with it: each row shows the rest too, so one hidden row is the total minus the others.

    Parameters
    ----------
    findings : pandas.DataFrame
        The findings table; it is not changed. Rows without n are taken as hidden already.
    min_n : int
        Smallest group that is shown.
    quote_n : int
        A group under this size of which everybody mentions the item gets a warning in its note.
    sensitive : collection of str
        Items that reveal health, religion or family, with the raised threshold.

    Returns
    -------
    pandas.DataFrame
        The findings table. Hidden rows keep segment, level, item and kind; everything else is missing, the verdict is
        "protected" and `suppressed` is true; no bound is given.

    Raises
    ------
    SchemaError
        The frame is not a findings table.
    SettingsError
        `min_n` is below 1.

    Notes
    -----
    Looks at one table. Differences between segments, filters, batches and earlier releases are not audited here.
    """
    if min_n < 1 or quote_n < 1:
        raise SettingsError(f"min_n and quote_n are 1 or more; found {min_n!r} and {quote_n!r}")
    out = conform(findings, "findings")
    hidden = protected_rows(out, min_n=min_n, sensitive=sensitive, unlisted=NOT_DISCLOSED)
    hidden |= (out["verdict"] == "protected").fillna(False).to_numpy(dtype=bool)
    whole = (out["n_mention"] == out["n"]) & (out["n"] >= 1) & (out["n"] < quote_n)
    everybody = whole.fillna(False).to_numpy(dtype=bool) & ~hidden
    notes = out["note"].fillna("").astype(str)
    warned = np.where(notes == "", _EVERYBODY_NOTE, notes + "; " + _EVERYBODY_NOTE)
    already = notes.str.contains(_EVERYBODY_NOTE, regex=False).to_numpy(dtype=bool)
    out["note"] = out["note"].mask(everybody & ~already, pd.Series(warned, index=out.index, dtype="string"))
    for name in TABLES["findings"].columns:
        if name not in _SHOWN:
            out[name] = out[name].mask(hidden)
    out["verdict"] = out["verdict"].mask(hidden, "protected")
    out["note"] = out["note"].mask(hidden, PROTECTED_NOTE)
    out["suppressed"] = pd.array(hidden, dtype="boolean")
    return out


def may_quote(n_group: int, n_theme: int, *, quote_n: int = QUOTE_N) -> bool:
    """Return whether passages of a theme may be quoted.

    Parameters
    ----------
    n_group : int
        Candidates in the group that the quote is shown under.
    n_theme : int
        Candidates of that group with the theme.
    quote_n : int
        Smallest group that is quoted.

    Returns
    -------
    bool
        True from `quote_n` candidates in the group and three with the theme.
    """
    return n_group >= quote_n and n_theme >= QUOTE_MENTIONS


_MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|"
    r"nov(?:ember)?|dec(?:ember)?)\.?"
)
_FULL_MONTH = r"(?:January|February|April|June|July|August|September|October|November|December)"
_DAY = r"(?:mon|tues|wednes|thurs|fri|satur|sun)day"
_SMALL = "one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|(?:thir|four|fif|six|seven|eigh|nine)teen"
_TENS = "(?:twen|thir|for|fif|six|seven|eigh|nine)ty"
_SCALE = "hundred|thousand|grand|million|billion|k|m|bn"
_WORD_NUMBER = rf"(?:{_SMALL}|{_TENS}|hundred|thousand|million|half a million)"
_WORDS = rf"{_WORD_NUMBER}(?:[\s-]+(?:and\s+)?(?:{_WORD_NUMBER}|grand|billion))*"
_CURRENCY = r"(?:[$€£¥₹]|\b(?:usd|eur|gbp|chf|inr|cad|aud)\b)"
_UNIT = r"(?:dollars?|euros?|pounds?|francs?|rupees?|bucks|quid|grand|usd|eur|gbp|chf|inr|cad|aud)\b"
_FIGURE = r"\d+(?:[.,:'’]\d+)*"
_COMPANY_WORD = (
    r"(?:Inc|Incorporated|Corp|Corporation|Ltd|Limited|LLC|LLP|PLC|plc|GmbH|AG|SE|SA|BV|NV|Oy|AB|Group|Holdings|"
    r"Technologies|Systems|Labs|Bank|Partners|Consulting|Solutions|Software|Ventures|Capital)"
)
_BEFORE = (
    "join|joined|joining|offers? from|works? at|working at|worked at|working for|worked for|went with|role at|job at|"
    "position at|moved to|moving to|back at|interviewed at|interviews at"
)
_CAP = r"[A-Z][\w&'’-]*(?:\.\w+)*"

_RULES: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"\bhttps?://\S+|\bwww\.\S+", re.I), "[link]"),
    (re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+"), "[e-mail]"),
    (
        re.compile(
            rf"{_CURRENCY}\s?{_FIGURE}(?:\s?(?:{_SCALE})\b)?|\b{_FIGURE}\s?(?:(?:{_SCALE})\b\s?)?(?:[€£$]|{_UNIT})"
            rf"|\b{_FIGURE}\s?(?:k|grand|million|billion|bn)\b|\b{_WORDS}\s+{_UNIT}"
            rf"|\b{_WORD_NUMBER}[\s-]+(?:k|grand)\b",
            re.I,
        ),
        "[amount]",
    ),
    (
        re.compile(
            rf"\b\d{{4}}-\d{{1,2}}-\d{{1,2}}\b|\b\d{{1,2}}[/.]\d{{1,2}}[/.]\d{{2,4}}\b"
            rf"|\b(?:the\s+)?\d{{1,2}}(?:st|nd|rd|th)?\s+(?:of\s+)?{_MONTH}(?:,?\s+\d{{4}})?\b"
            rf"|\b{_MONTH}\s+\d{{1,2}}(?:st|nd|rd|th)?\b(?:,?\s+\d{{4}}\b)?|\b{_MONTH}\s+\d{{4}}\b"
            rf"|\b{_DAY}s?\b|\b(?:19|20)\d\d\b|\bQ[1-4](?:\s+\d{{4}})?\b",
            re.I,
        ),
        "[date]",
    ),
    (re.compile(rf"\b{_FULL_MONTH}\b|\b(?:in|last|next|since|until|by|early|late|mid)\s+(?:March|May)\b"), "[date]"),
    (re.compile(rf"\b(?:{_CAP}\s+){{1,3}}{_COMPANY_WORD}\b"), "[company]"),
    (re.compile(rf"\b({_BEFORE})\s+(?!I\b)(?:{_CAP})(?:\s+{_CAP})*"), r"\1 [company]"),
    (
        re.compile(
            rf"\b{_FIGURE}\s?(?:%|percent\b|per cent\b)"
            rf"|(?<![\w\[]){_FIGURE}(?:st|nd|rd|th|am|pm|x|h|hrs?)?(?!\w)",
            re.I,
        ),
        "[number]",
    ),
    (
        re.compile(
            rf"\b(?:{_TENS}|{_SMALL.replace('one|', '', 1)}|hundred|thousand|million)"
            rf"(?:[\s-]+(?:and\s+)?(?:{_WORD_NUMBER}))*(?:\s+(?:percent|per cent))?\b",
            re.I,
        ),
        "[number]",
    ),
)


_BRACKETED = re.compile(r"(\[[^\]]*\])")
"""Pseudonyms and replacements made so far: left as they are."""


def scrub_quote(text: str) -> str:
    """Take links, money, dates, numbers and company-like names out of a quote.

    Parameters
    ----------
    text : str
        A passage in which the names of people are replaced already.

    Returns
    -------
    str
        The text with [link], [e-mail], [amount], [date], [company] and [number] in their places; spaces tidied.

    Notes
    -----
    Companies are known by a legal form or a typical last word (Bank, Labs), or by standing with a capital after
    words such as "joined" or "offer from". Others, a city, or a family fact remain: a person reads a quote before it is
    published. "one" alone stays.

    Examples
    --------
    >>> scrub_quote("I joined Acme Labs on 3 May 2025 for 95k, twenty percent more.")
    'I joined [company] on [date] for [amount], [number] more.'
    """
    for pattern, label in _RULES:
        parts = _BRACKETED.split(text)
        parts[::2] = [pattern.sub(label, part) for part in parts[::2]]
        text = "".join(parts)
    return re.sub(r"(\[[a-z-]+\])(?:[\s,]+(?:and\s+)?\1)+", r"\1", re.sub(r"\s+", " ", text)).strip()

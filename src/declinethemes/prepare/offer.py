"""One candidate's offer: the one that was declined, its terms, and how long each stage took.

In: offers, or one row of offers or candidates, and the days that were read from its further columns. Out: the row, the
terms, the timeline. A column that speaks of the person rather than of the offer is shown by nobody here.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import Any

import pandas as pd

from declinethemes.errors import InputError, nearest
from declinethemes.schema import TABLES

NEAR = 3 * 366
"""Days: a date further than this from the offer or the decline is not one of this process."""
OFFER, DECLINE = "Offer", "Decline"
_TERMS = re.compile(
    r"\b(?:salary|wages?|pay|compensation|comp|ote|bonus|commission|equity|shares?|stock|stock options?|rsus?|"
    r"sign on|signing|benefits?|allowance|pension|relocation|vacation|holidays?|level|title|contract|hours|"
    r"notice|remote|hybrid|office days|currency|start|deadline|expiry|expires|expiration|offer terms?|terms|package)\b"
)
"""Words of the headers whose cells are terms of the offer."""
_PERSONAL = re.compile(
    r"\b(?:gender|sex|sexual|pronouns?|orientation|lgbt\w*|trans|ethnic\w*|rac(?:e|ial)|colou?r|caste|tribe|indigenous|"
    r"religio\w*|faith|age|aged|birth\w*|born|dob|disab\w*|health|illness|diagnos\w*|medical|nationalit\w*|"
    r"citizen\w*|visa|permit|immigra\w*|migrant|native|language|accent|veteran|military|marital|married|wedding|family|"
    r"parent\w*|maternity|paternity|child\w*|pregnan\w*|carer|caring|class|socio\w*|first gen\w*|school|"
    r"universit\w*|degree|graduat\w*|divers\w*|underrepresented|minority|groups?|protected|leave|status|"
    r"name|e ?mails?|phone|mobile|address)\b"
)
"""Words of the headers whose cells speak of the person."""
_RANKS: tuple[tuple[int, re.Pattern[str]], ...] = (
    (0, re.compile(r"\b(?:appl\w*|sourced|first contact|contacted|approached|referred)\b")),
    (1, re.compile(r"\b(?:screen\w*|interviews?|panel|onsite|round|assessment|test|take home|task|case|debrief)\b")),
)
_OFFER_RANK, _DECLINE_RANK = 2, 3
_FILLERS = re.compile(r"\b(?:date|day|at|on|of|the)\b", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class Stage:
    """One dated stage: its name, the day, and the days waited since the stage before (None for the first)."""

    name: str
    day: date
    waited: int | None = None


@dataclass(frozen=True, kw_only=True)
class Timeline:
    """The stages in order of their days, and what cannot be.

    Attributes
    ----------
    stages : tuple of Stage
        Sorted by day; of one day in the usual order.
    total : int or None
        Days from the first to the last; None with fewer than two.
    problems : tuple of str
        Orders that cannot be, and dates that are not of this process.
    """

    stages: tuple[Stage, ...] = ()
    total: int | None = None
    problems: tuple[str, ...] = ()

    @property
    def longest(self) -> int | None:
        """The longest wait between two stages, in days."""
        return max((stage.waited for stage in self.stages if stage.waited), default=None)


def declined_offer(offers: pd.DataFrame, candidate_id: str) -> pd.Series:
    """Return the row of the offer that a candidate declined; of several the last.

    Parameters
    ----------
    offers : pandas.DataFrame
        The offers table.
    candidate_id : str

    Returns
    -------
    pandas.Series

    Raises
    ------
    InputError
        Nobody has this id, or they accepted an offer, have one open, or declined none.
    """
    mine = offers[offers["candidate_id"] == candidate_id]
    if mine.empty:
        raise unknown(candidate_id, offers["candidate_id"].dropna().unique().tolist(), "the offers")
    for outcome in ("accepted", "pending"):
        if bool((mine["outcome"] == outcome).fillna(False).any()):
            raise undecided(candidate_id, outcome)
    declined = mine[(mine["outcome"] == "declined").fillna(False)]
    if declined.empty:
        found = ", ".join(sorted({"none" if pd.isna(one) else str(one) for one in mine["outcome"]}))
        raise InputError(f"{candidate_id} declined no offer (outcome: {found}); a brief is for a call after a decline")
    return declined.sort_values(["decline_date", "offer_date", "offer_id"], na_position="first").iloc[-1]


def unknown(candidate_id: str, known: Sequence[str], where: str) -> InputError:
    """Build the error for a candidate whom nobody knows, with the ids that come near."""
    shown = ", ".join(sorted(str(one) for one in known)[:5]) + (", ..." if len(known) > 5 else "")
    return InputError(
        f"no candidate '{candidate_id}' in {where}{nearest(candidate_id, [str(one) for one in known])}; "
        f"there are {len(known)}: {shown or '(none)'}"
    )


def undecided(candidate_id: str, outcome: str) -> InputError:
    """Build the error for a candidate who did not decline."""
    said = {
        "accepted": "accepted an offer",
        "pending": "has an offer that is still open",
        "withdrawn": "had an offer that was withdrawn",
    }[outcome]
    return InputError(f"{candidate_id} {said}: a brief is for a call with a candidate who declined")


def plain(header: str) -> str:
    """Return a header in lower case, words separated by one space.

    Examples
    --------
    >>> plain("firstInterview_Date")
    'first interview date'
    """
    return _words(header).casefold()


def is_personal(header: str) -> bool:
    """Return whether a header speaks of the person: their cells are never shown in a brief.

    Examples
    --------
    >>> is_personal("Date of birth"), is_personal("equity_group"), is_personal("Equity")
    (True, True, False)
    """
    return _PERSONAL.search(plain(header)) is not None


def is_term(header: str) -> bool:
    """Return whether the cells of a header are terms of the offer."""
    return _TERMS.search(plain(header)) is not None and not is_personal(header)


def further(row: Mapping[str, Any], segments: Collection[str]) -> dict[str, str]:
    """Return the filled cells of columns that no table has, that are no segments and do not speak of the person."""
    known = {*TABLES["offers"].columns, *TABLES["candidates"].columns, *segments}
    return {
        str(header): str(cell)
        for header, cell in row.items()
        if header not in known and not is_personal(str(header)) and pd.notna(cell) and str(cell).strip()
    }


def offer_terms(cells: Mapping[str, str]) -> dict[str, str]:
    """Return the terms of an offer: header to cell, of the cells from `further`.

    Examples
    --------
    >>> offer_terms({"base_salary": "61,000 EUR", "shoe size": "44", "Start date": "2026-04-01"})
    {'Base salary': '61,000 EUR', 'Start date': '2026-04-01'}
    """
    return {_title(header): cell for header, cell in cells.items() if is_term(header)}


def timeline(days: Mapping[str, date], *, offer: date | None, decline: date | None) -> Timeline:
    """Return the stages in order, with the days waited for each.

    Parameters
    ----------
    days : mapping of str to datetime.date
        Header to day, of further columns that hold a date; terms of the offer, such as a start date, are left out.
    offer, decline : datetime.date or None

    Returns
    -------
    Timeline

    Examples
    --------
    >>> found = timeline({"Applied on": date(2026, 1, 5)}, offer=date(2026, 3, 2), decline=date(2026, 3, 1))
    >>> [(stage.name, stage.waited) for stage in found.stages], found.problems
    ([('Applied', None), ('Decline', 55), ('Offer', 1)], ('Decline (2026-03-01) before Offer (2026-03-02)',))
    """
    around = [one for one in (offer, decline) if one is not None]
    ranked: list[tuple[date, int, str]] = []
    problems: list[str] = []
    for header, day in days.items():
        if is_term(header) or is_personal(header):
            continue
        if around and min(abs((day - one).days) for one in around) > NEAR:
            problems.append(f"'{_title(header)}' is not shown: its date is years away from the offer")
        else:
            ranked.append((day, _rank(header), _stage_name(header)))
    ranked += [(offer, _OFFER_RANK, OFFER)] if offer is not None else []
    ranked += [(decline, _DECLINE_RANK, DECLINE)] if decline is not None else []
    ranked.sort()
    for place, (day, rank, name) in enumerate(ranked):
        for later, below, before in ranked[place + 1 :]:
            if rank > below >= 0 and later > day:
                problems.append(f"{name} ({day}) before {before} ({later})")
    waits = [None, *((after[0] - before[0]).days for before, after in pairwise(ranked))]
    stages = [Stage(name=one[2], day=one[0], waited=wait) for one, wait in zip(ranked, waits, strict=False)]
    total = (stages[-1].day - stages[0].day).days if len(stages) > 1 else None
    return Timeline(stages=tuple(stages), total=total, problems=tuple(problems))


def _rank(header: str) -> int:
    """Return where a stage stands in every process, or -1 where its header does not say."""
    return next((rank for rank, words in _RANKS if words.search(plain(header))), -1)


def _stage_name(header: str) -> str:
    """Return the name of a stage without words such as date."""
    return _title(_FILLERS.sub(" ", _words(header))) or _title(header)


def _title(header: str) -> str:
    words = _words(header)
    return words[:1].upper() + words[1:]


def _words(header: str) -> str:
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", header)
    return " ".join(re.sub(r"[\W_]+", " ", spaced).split())

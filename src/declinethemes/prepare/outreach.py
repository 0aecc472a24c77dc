"""Whom to invite now: the batch that is due, and why everybody else is not in it.

In: the `offers` table, the `contacts` table (who was invited, answered, refused or opted out), a day. Out: a frozen
`OutreachBatch` in which every candidate of the offers stands once. The clock is not read and nothing is sent here;
`invite` writes the letters and the calendar.
"""

from __future__ import annotations

import calendar
import html
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from numbers import Integral
from typing import Any

import numpy as np
import pandas as pd

from declinethemes import schema
from declinethemes.errors import SettingsError
from declinethemes.schema import NOT_DISCLOSED

WINDOW = (3, 4)  # months after the decline
PRIVATE = frozenset({"name", "first_name", "last_name", "nickname", "email", "phone", "contact"})
"""Columns of the offers that are in no result."""
NO_SEGMENTS = frozenset(
    {"offer_id", "candidate_id", "offer_date", "outcome", "decline_date", "due_from", "due_until", "note"}
)
EVENTS: Mapping[str, str] = {
    "opted_out": "opted out",
    "refused": "refused",
    "answered": "answered already",
    "invited": "invited already",
}
"""Why an event keeps a candidate out; the first that happened is given as the reason."""
REASONS = (
    *EVENTS.values(),
    "same person",
    "accepted an offer",
    "offer still open",
    "outcome missing",
    "did not decline",
    "decline date missing",
    "decline date in the future",
    "declined before the offer",
    "beyond the capacity",
)
"""All reasons for being left out."""
_LISTED = ("candidate_id", "offer_id", "role", "grade", "location", "source", "offer_date", "decline_date")
_DAYS = ("offer_date", "decline_date", "due_from", "due_until")


@dataclass(frozen=True, kw_only=True, eq=False)
class OutreachBatch:
    """Who is due, and everybody else with the reason.

    Attributes
    ----------
    due, overdue, early : pandas.DataFrame
        candidate_id, offer_id (the decline that counts), role, grade, location, source, offer_date, decline_date,
        due_from, due_until (first and last day of the window), note, then segment columns; no name or address.
    left_out : pandas.DataFrame
        candidate_id, reason (one of `REASONS`), detail.
    balance : pandas.DataFrame
        segment, level, n_heard (answered before), n_due (before the capacity), n_chosen; one row per level of `by`.
    days : pandas.DataFrame
        day, n_candidates, candidates (list of ids): the outreach days, today's and those on which the early ones
        will be due.
    today : datetime.date
    window : tuple of int
        Months after the decline.
    capacity : int or None
    by : tuple of str
        Segments that the choice was balanced over.
    random_state : int
    """

    due: pd.DataFrame
    overdue: pd.DataFrame
    early: pd.DataFrame
    left_out: pd.DataFrame
    balance: pd.DataFrame
    days: pd.DataFrame
    today: date
    window: tuple[int, int] = WINDOW
    capacity: int | None = None
    by: tuple[str, ...] = ()
    random_state: int = 0

    def to_frame(self) -> pd.DataFrame:
        """Return who is due, sorted by candidate_id."""
        return self.due.copy()

    @property
    def reasons(self) -> Mapping[str, int]:
        """Number of candidates left out, by reason, in the order of `REASONS`."""
        counts = self.left_out["reason"].value_counts()
        return {reason: int(counts[reason]) for reason in REASONS if reason in counts.index}

    def _repr_html_(self) -> str:
        left = ", ".join(f"{n} {html.escape(reason)}" for reason, n in self.reasons.items()) or "none"
        return (
            f"<p>Outreach on {self.today}: {len(self.due)} due, {len(self.overdue)} overdue, {len(self.early)} too "
            f"early; left out: {left}</p>{self.due.to_html(index=False)}"
        )


@dataclass(frozen=True, kw_only=True)
class _Verdict:
    """What holds for one person: a state (due, overdue, early, or left out), and the offer that it hangs on."""

    state: str
    detail: str = ""
    offer: Mapping[str, Any] = field(default_factory=dict)
    note: str | None = None


def outreach_batch(
    offers: pd.DataFrame,
    *,
    today: date,
    contacts: pd.DataFrame | None = None,
    window: tuple[int, int] = WINDOW,
    capacity: int | None = None,
    by: str | Sequence[str] = (),
    random_state: int = 0,
) -> OutreachBatch:
    """Say who is due for a conversation, and why everybody else is not.

    Somebody is due from `window[0]` to `window[1]` calendar months after their last decline, both days included; a day
    that a month does not have is its last one. Candidates with the same ``email`` (if the offers have that column)
    are one person.

    Parameters
    ----------
    offers : pandas.DataFrame
        The `offers` table, one row per offer; further columns are segments.
    today : datetime.date
        The day of the outreach; of a time, the day in its own time zone.
    contacts : pandas.DataFrame, optional
        The `contacts` table: whoever has a row in it is left out.
    window : tuple of int, default (3, 4)
        Months after the decline: from, to.
    capacity : int, optional
        How many can be invited. They are drawn at random, one after the other: each is one whose levels of `by` have
        been heard least, counting who answered before. With one segment this is equal allocation, the rest by size.
    by : str or sequence of str
        Segments to balance. A missing level counts as a level, so that nobody is passed over for it.
    random_state : int, default 0
        Seed of the draw; the order of the rows does not matter.

    Returns
    -------
    OutreachBatch
        Every candidate_id of the offers stands in exactly one of `due`, `overdue`, `early` and `left_out`.

    Raises
    ------
    SchemaError
        The offers or the contacts are not what the schema says.
    SettingsError
        The window is reversed, the capacity under 1, a segment unknown, or `today` no day.

    Notes
    -----
    The variance of a difference of two shares goes with 1/n1 + 1/n2. Each choice lowers the sum of 1/(n + 1/2) over the
    levels most.

    Examples
    --------
    >>> from datetime import date
    >>> offers = pd.DataFrame({
    ...     "offer_id": ["O1", "O2"], "candidate_id": ["K1", "K2"], "outcome": "declined",
    ...     "decline_date": ["2025-11-30", "2026-02-01"]})
    >>> batch = outreach_batch(offers, today=date(2026, 3, 1))
    >>> batch.to_frame()["candidate_id"].tolist(), batch.early["candidate_id"].tolist()
    (['K1'], ['K2'])
    """
    day, segments = _day(today), (by,) if isinstance(by, str) else tuple(by)
    offers = schema.conform(offers, "offers")
    happened = schema.empty("contacts") if contacts is None else schema.conform(contacts, "contacts")
    _check(offers, window, capacity, segments)
    listed = [str(name) for name in offers.columns if name not in PRIVATE | NO_SEGMENTS and name not in _LISTED]
    verdicts = _verdicts(offers, happened, day, window)
    frames = {state: _frame(verdicts, state, listed) for state in ("due", "overdue", "early")}
    heard = _heard(offers, happened, segments)
    due = _choose(frames["due"], heard, capacity, segments, random_state)
    waiting = frames["due"][~frames["due"]["candidate_id"].isin(due["candidate_id"])]
    drawn = f"{len(due)} of {len(frames['due'])} were drawn"
    left = [(c, verdict.state, verdict.detail) for c, verdict in verdicts.items() if verdict.state not in frames]
    left += [(str(name), "beyond the capacity", drawn) for name in waiting["candidate_id"]]
    return OutreachBatch(
        due=due,
        overdue=frames["overdue"],
        early=frames["early"],
        left_out=pd.DataFrame(sorted(left), columns=["candidate_id", "reason", "detail"], dtype="string"),
        balance=_balance(frames["due"], due, heard, segments),
        days=_days(due, frames["early"], day, window),
        today=day,
        window=(int(window[0]), int(window[1])),
        capacity=capacity,
        by=segments,
        random_state=random_state,
    )


def add_months(day: date, months: int) -> date:
    """Return the same day some months later, or the last day of a month that does not have it.

    Examples
    --------
    >>> add_months(date(2023, 11, 30), 3), add_months(date(2024, 2, 29), 12)
    (datetime.date(2024, 2, 29), datetime.date(2025, 2, 28))
    """
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    if year > date.max.year:
        return date.max
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def _day(today: date) -> date:
    """Return a day without a time, or say that it is none."""
    if not isinstance(today, date) or pd.isna(today):
        raise SettingsError(f"today should be a date such as date(2026, 3, 1), found {today!r}")
    return today.date() if isinstance(today, datetime) else today


def _is_whole(value: object) -> bool:
    return isinstance(value, Integral) and not isinstance(value, bool)


def _check(offers: pd.DataFrame, window: tuple[int, int], capacity: int | None, by: tuple[str, ...]) -> None:
    """Raise a SettingsError unless the arguments make sense."""
    whole = len(window) == 2 and all(_is_whole(m) for m in window)
    if not whole or not 0 <= window[0] < window[1]:
        raise SettingsError(
            "the window is two whole numbers of months after the decline, the smaller first, such as 3 4; "
            f"found {' '.join(str(m) for m in window)}"
        )
    if capacity is not None and (not _is_whole(capacity) or capacity < 1):
        raise SettingsError(f"the capacity is the number of candidates to invite, 1 or more; found {capacity}")
    known = [str(name) for name in offers.columns if name not in PRIVATE | NO_SEGMENTS]
    for name in by:
        if name not in known:
            raise SettingsError.unknown("segment column", name, known)


def _verdicts(
    offers: pd.DataFrame, contacts: pd.DataFrame, today: date, window: tuple[int, int]
) -> dict[str, _Verdict]:
    """Return what holds for every candidate_id, sorted; of one person's several ids, one can be invited."""
    person = _persons(offers)
    events: dict[str, dict[str, str]] = {}
    for candidate, event, at in contacts[["candidate_id", "event", "at"]].itertuples(index=False):
        of = events.setdefault(person.get(candidate, candidate), {})
        of[event] = max(of.get(event, ""), f"{at} (as {candidate})" if person.get(candidate) != candidate else at)
    rows: dict[str, list[dict[str, Any]]] = {}
    for row in offers.sort_values(["decline_date", "offer_id"], na_position="first").to_dict("records"):
        known = {str(name): None if value is pd.NA or value is pd.NaT else value for name, value in row.items()}
        rows.setdefault(person[row["candidate_id"]], []).append(known)
    out: dict[str, _Verdict] = {}
    for who, own in rows.items():
        verdict = _verdict(own, events.get(who, {}), today, window)
        for candidate in {row["candidate_id"] for row in own}:
            lead = verdict.offer.get("candidate_id", candidate)
            same = _Verdict(state="same person", detail=f"the same e-mail as {lead}")
            out[candidate] = verdict if candidate == lead else same
    return dict(sorted(out.items()))


def _persons(offers: pd.DataFrame) -> dict[str, str]:
    """Return the first candidate_id of the person by candidate_id: those that share an e-mail are one person."""
    parent = {str(candidate): str(candidate) for candidate in offers["candidate_id"]}

    def first(candidate: str) -> str:
        while parent[candidate] != candidate:
            candidate = parent[candidate]
        return candidate

    if "email" in offers.columns:
        holder: dict[str, str] = {}
        for candidate, cell in zip(offers["candidate_id"], offers["email"], strict=True):
            for address in str(cell).casefold().split(";") if pd.notna(cell) else []:
                if address.strip():
                    one, other = first(holder.setdefault(address.strip(), candidate)), first(candidate)
                    parent[max(one, other)] = min(one, other)
    return {candidate: first(candidate) for candidate in parent}


def _verdict(
    rows: Sequence[Mapping[str, Any]], events: Mapping[str, str], today: date, window: tuple[int, int]
) -> _Verdict:
    """Return what holds for one person: the offers by decline date, and the last day of each event."""
    for event, reason in EVENTS.items():
        if event in events:
            return _Verdict(state=reason, detail=events[event])
    outcomes = {row["outcome"] for row in rows}
    for outcome, reason in (
        ("accepted", "accepted an offer"),
        ("pending", "offer still open"),
        (None, "outcome missing"),
    ):
        if outcome in outcomes:
            return _Verdict(state=reason, detail=_ids(row for row in rows if row["outcome"] == outcome))
    declined = [row for row in rows if row["outcome"] == "declined"]
    if not declined:
        return _Verdict(state="did not decline", detail="withdrawn by us")
    if any(row["decline_date"] is None for row in declined):
        return _Verdict(state="decline date missing", detail=_ids(r for r in declined if r["decline_date"] is None))
    last = declined[-1]
    day = last["decline_date"].date()
    if day > today:
        return _Verdict(state="decline date in the future", detail=f"{day}, after {today}")
    if last["offer_date"] is not None and last["offer_date"] > last["decline_date"]:
        return _Verdict(state="declined before the offer", detail=f"{day}, offer of {last['offer_date'].date()}")
    due_from, due_until = add_months(day, window[0]), add_months(day, window[1])
    state = "early" if today < due_from else "overdue" if today > due_until else "due"
    note = f"the last of {len(declined)} declined offers counts" if len(declined) > 1 else None
    offer = {**last, "due_from": pd.Timestamp(due_from), "due_until": pd.Timestamp(due_until)}
    return _Verdict(state=state, offer=offer, note=note)


def _ids(rows: Iterable[Mapping[str, Any]]) -> str:
    return ", ".join(sorted(row["offer_id"] for row in rows))


def _frame(verdicts: Mapping[str, _Verdict], state: str, segments: Sequence[str]) -> pd.DataFrame:
    """Return the candidates of one state with the offer that counts."""
    columns = [*_LISTED, "due_from", "due_until", "note", *segments]
    rows = [{**verdict.offer, "note": verdict.note} for verdict in verdicts.values() if verdict.state == state]
    frame = pd.DataFrame(rows, columns=columns, dtype="object")
    for name in columns:
        frame[name] = frame[name].astype("datetime64[s]" if name in _DAYS else "string")
    return frame


def _heard(offers: pd.DataFrame, contacts: pd.DataFrame, by: tuple[str, ...]) -> dict[tuple[str, str], int]:
    """Return how many candidates of each level of each segment have answered before."""
    answered = contacts.loc[contacts["event"] == "answered", "candidate_id"]
    people = offers[offers["candidate_id"].isin(answered)].drop_duplicates("candidate_id", keep="last")
    counts: dict[tuple[str, str], int] = {}
    for name in by:
        for level in _levels(people, name):
            counts[name, level] = counts.get((name, level), 0) + 1
    return counts


def _levels(frame: pd.DataFrame, name: str) -> list[str]:
    return [str(level) for level in frame[name].astype("string").fillna(NOT_DISCLOSED)]


def _choose(
    due: pd.DataFrame,
    heard: Mapping[tuple[str, str], int],
    capacity: int | None,
    by: tuple[str, ...],
    random_state: int,
) -> pd.DataFrame:
    """Return as many of the due ones as there is capacity for, balanced over the levels, at random within them."""
    if capacity is None or len(due) <= capacity:
        return due
    rank = np.random.default_rng(random_state).permutation(len(due)).tolist()
    columns = [_levels(due, name) for name in by]
    kinds = [tuple((name, column[place]) for name, column in zip(by, columns, strict=True)) for place in rank]
    waiting: dict[tuple[tuple[str, str], ...], list[int]] = {}  # places by their levels, in random order
    for place, kind in zip(rank, kinds, strict=True):
        waiting.setdefault(kind, []).append(place)
    counts = dict(heard)
    chosen: list[int] = []
    while len(chosen) < capacity:
        gains = {kind: sum(_gain(counts.get(level, 0)) for level in kind) for kind in waiting}
        best = max(waiting, key=lambda kind: (round(gains[kind], 12), len(waiting[kind])))
        chosen.append(waiting[best].pop(0))
        if not waiting[best]:
            del waiting[best]
        for level in best:
            counts[level] = counts.get(level, 0) + 1
    return due.iloc[sorted(chosen)].reset_index(drop=True)


def _gain(n: int) -> float:
    """Return by how much one more of a level with n heard lowers 1/(n + 1/2)."""
    return 1 / (n + 0.5) - 1 / (n + 1.5)


def _balance(
    due: pd.DataFrame, chosen: pd.DataFrame, heard: Mapping[tuple[str, str], int], by: tuple[str, ...]
) -> pd.DataFrame:
    """Return how many of each level were heard before, are due and were chosen."""
    rows = []
    for name in by:
        there, taken = _levels(due, name), _levels(chosen, name)
        known = sorted({*there, *(level for segment, level in heard if segment == name)})
        rows += [(name, one, heard.get((name, one), 0), there.count(one), taken.count(one)) for one in known]
    frame = pd.DataFrame(rows, columns=["segment", "level", "n_heard", "n_due", "n_chosen"])
    return frame.astype(
        {"segment": "string", "level": "string", "n_heard": "Int64", "n_due": "Int64", "n_chosen": "Int64"}
    )


def _days(due: pd.DataFrame, early: pd.DataFrame, today: date, window: tuple[int, int]) -> pd.DataFrame:
    """Return the outreach days: today, and every width of the window after it until no early one is left.

    At this distance each window holds one of the days at least: nobody is early on one day and overdue on the next.
    """
    rows: list[tuple[date, int, list[str]]] = []
    left = early[["candidate_id", "due_from"]]
    day, step, ids = today, 0, sorted(due["candidate_id"])
    while True:
        if ids:
            rows.append((day, len(ids), ids))
        if left.empty:
            break
        step += 1
        day = add_months(today, step * (window[1] - window[0]))
        reached = left["due_from"] <= pd.Timestamp(day)
        ids = sorted(left.loc[reached, "candidate_id"])
        left = left[~reached]
    frame = pd.DataFrame(rows, columns=["day", "n_candidates", "candidates"])
    return frame.astype({"day": "datetime64[s]", "n_candidates": "Int64", "candidates": "object"})

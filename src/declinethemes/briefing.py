"""From a study, an offers file and feedback read then and there to a brief.

In: what a study knows (or nothing), the offers file, paths of feedback and notes. Out: a `Brief`. Nothing is stored,
and what is read for one call is counted nowhere.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from os import PathLike
from pathlib import Path
from typing import Any

import pandas as pd

from declinethemes import schema
from declinethemes.config import Settings
from declinethemes.errors import InputError, SettingsError
from declinethemes.framework import load_framework
from declinethemes.ingest import Offers, People, read_addresses, read_documents, read_offers
from declinethemes.ingest.dates import Order, decide_order, looks_like_day, parse_day
from declinethemes.ingest.readers import TABLES
from declinethemes.passages import split_feedback, split_turns
from declinethemes.prepare import Brief, candidate_brief, declined_offer, earlier_batches, load_reasons, what_was_said
from declinethemes.prepare.earlier import SPOKE, SPOKE_CRITICALLY
from declinethemes.prepare.offer import further, is_term, unknown
from declinethemes.redact import Redactor
from declinethemes.tag import Tagger

Paths = str | PathLike[str] | Sequence[str | PathLike[str]]
_NOTES = ("note", "email", "survey")


@dataclass(frozen=True, kw_only=True, eq=False)
class Known:
    """What a study knows; empty before there is one.

    Attributes
    ----------
    tables : mapping of str to pandas.DataFrame
        Those there are of candidates, documents, turns, passages, tags, mentions and contacts.
    identities : mapping
        key, people and others, as the study keeps them.
    settings : Settings
    sensitive : collection of str
        Items with the raised disclosure threshold.
    """

    tables: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    identities: Mapping[str, Any] = field(default_factory=dict)
    settings: Settings = field(default_factory=Settings)
    sensitive: Collection[str] = frozenset()

    def table(self, name: str) -> pd.DataFrame:
        """Return a table, empty where there is none."""
        return self.tables[name] if name in self.tables else schema.empty(name)


def make_brief(
    candidate_id: str,
    known: Known,
    *,
    offers: str | PathLike[str] | None = None,
    feedback: Paths = (),
    notes: Paths = (),
    tagger: Callable[[], Tagger] = Tagger.load,
    mapping: str | PathLike[str] | None = None,
    outcomes: Mapping[str, str] | None = None,
    dates: Order | None = None,
    name: bool = False,
) -> Brief:
    """Make the brief of one candidate.

    Parameters
    ----------
    candidate_id : str
        In the study, in the offers, or in both; what the offers say wins.
    known : Known
        What a study knows; ``Known()`` before there is one.
    offers : path, optional
        The offers file.
    feedback, notes : path or sequence of paths
        Read now and not stored: feedback of the interviewers, and notes or e-mails with the candidate's words. A file
        is taken for this candidate's; of a folder those are taken that are theirs by name or by documents.csv.
    tagger : callable
        Gives the tagger, where there is something to tag.
    mapping : path, optional
        Reasons of one's own, as in `load_reasons`.
    outcomes, dates
        As in `read_offers`.
    name : bool
        Show the candidate's name, where it is known.

    Returns
    -------
    Brief

    Raises
    ------
    InputError
        Nobody knows the candidate, or they declined nothing; a file cannot be read, or is somebody else's.
    SettingsError
        There is neither a study nor an offers file, or a mapping cannot be used.
    """
    settings = known.settings
    framework = load_framework(settings.framework or None)
    read = None if offers is None else read_offers(offers, settings.columns, outcomes=outcomes, dates=dates)
    people = _people(known, read, settings)
    row = _row(candidate_id, known.table("candidates"), read)
    redactor = _redactor(known, read, people)
    own = redactor.pseudonyms.get(candidate_id)

    def clean(text: str) -> str:
        redacted = redactor.text(text)
        return redacted.replace(own, "[candidate]") if own else redacted

    texts = _texts(candidate_id, known, people, feedback, notes, redactor, tagger)
    segments = {*settings.segments, *settings.merge, *settings.bins, *settings.underrepresented}
    cells = further(row, segments)
    spoken = texts.passages.assign(text=texts.passages["text"].map(clean).astype("string"))
    candidates, documents, contacts = (known.table(one) for one in ("candidates", "documents", "contacts"))
    critical = settings.stance == "negative"
    earlier = earlier_batches(
        candidates[candidates["candidate_id"].isin(known.table("passages")["candidate_id"])],
        _counted(known.table("mentions"), critical=critical),
        row,
        framework=framework,
        manner=SPOKE_CRITICALLY if critical else SPOKE,
        min_n=settings.min_n,
        sensitive=known.sensitive,
    )
    called = documents[(documents["candidate_id"] == candidate_id) & (documents["kind"] == "call")]
    return candidate_brief(
        {**row, **{one: clean(str(row[one])) for one in (*cells, "presumed_reason") if _filled(row.get(one))}},
        days=_days(cells, candidates if read is None else read.offers, dates, Path(offers or "candidates").name),
        said=what_was_said(spoken, texts.tags, texts.documents, framework),
        earlier=earlier,
        framework=framework,
        reasons=load_reasons(mapping, framework=framework),
        contacts=contacts[contacts["candidate_id"].isin(list(_same_person(candidate_id, people)))],
        called=[None if pd.isna(day) else day.date() for day in called["date"]],
        segments=segments,
        name=_name(candidate_id, people) if name else "",
        remarks=texts.remarks,
    )


def _row(candidate_id: str, candidates: pd.DataFrame, offers: Offers | None) -> dict[str, Any]:
    """Return what is known of a candidate and their offer."""
    there = set(candidates["candidate_id"])
    offered = set() if offers is None else set(offers.offers["candidate_id"])
    if not there and offers is None:
        raise SettingsError("give a study, or the offers file with --offers: nothing is known of any candidate")
    if candidate_id not in there | offered:
        where = " and ".join(one for one, some in (("the study", there), ("the offers", offered)) if some)
        raise unknown(candidate_id, sorted(there | offered), where)
    row: dict[str, Any] = {}
    if candidate_id in there:
        stored = candidates[candidates["candidate_id"] == candidate_id].iloc[0].to_dict()
        row = {str(column): cell for column, cell in stored.items()}
    if offers is not None and candidate_id in offered:
        stated = declined_offer(offers.offers, candidate_id).to_dict()
        row |= {str(column): cell for column, cell in stated.items() if _filled(cell)}
    return {"candidate_id": candidate_id, **row}


def _people(known: Known, offers: Offers | None, settings: Settings) -> People:
    """Return everybody known, by id, with the names that are known of them."""
    rows = [dict(row) for row in known.identities.get("people", [])]
    ids = list(known.table("candidates")["candidate_id"])
    if offers is not None and offers.path is not None:
        there = {row["candidate_id"] for row in rows}
        found = read_addresses(offers.path, settings.columns).astype("object")
        found = found.where(found.notna(), None)
        rows += [dict(row) for row in found.to_dict("records") if row["candidate_id"] not in there]
        ids += list(offers.offers["candidate_id"])
    columns = ["candidate_id", "name", "nickname", "email", "phone"]
    identities = pd.DataFrame(rows, columns=columns, dtype="string")
    return People(
        candidates=pd.DataFrame({"candidate_id": pd.Series(sorted(set(ids)), dtype="string")}), identities=identities
    )


def _redactor(known: Known, offers: Offers | None, people: People) -> Redactor:
    others = set(known.identities.get("others", []))
    if offers is not None and "recruiter" in offers.offers:
        others |= {str(name) for name in offers.offers["recruiter"].dropna()}
    key = known.identities.get("key")
    return Redactor(
        people.identities, others=tuple(sorted(others)), key=bytes.fromhex(key) if key else secrets.token_bytes(32)
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class _Texts:
    """Feedback and notes on one candidate: their tables, and what was not read."""

    documents: pd.DataFrame
    passages: pd.DataFrame
    tags: pd.DataFrame
    remarks: tuple[str, ...] = ()


def _texts(
    candidate_id: str,
    known: Known,
    people: People,
    feedback: Paths,
    notes: Paths,
    redactor: Redactor,
    tagger: Callable[[], Tagger],
) -> _Texts:
    """Return feedback and notes of the study and of files; feedback is cut and tagged here, as no study counts it."""
    table, passages, tagged = (known.table(one) for one in ("documents", "passages", "tags"))
    mine = table[(table["candidate_id"] == candidate_id) & (table["status"] == "read")]
    stored = mine.loc[mine["kind"].isin(_NOTES), "document_id"]
    documents, turns, remarks = [mine[mine["kind"].isin((*_NOTES, "feedback"))]], [known.table("turns")], []
    for paths, kind in ((feedback, "feedback"), (notes, None)):
        new, said, missed = _read(candidate_id, paths, kind, people, known)
        documents.append(new)
        turns.append(redactor.turns(said))
        remarks += missed
    every = schema.conform(pd.concat(documents, ignore_index=True), "documents")
    spoken = schema.conform(pd.concat(turns, ignore_index=True), "turns")
    ready = passages[passages["document_id"].isin(stored)]
    fresh = every[~every["document_id"].isin(stored)]
    cut = pd.concat([split_feedback(spoken, fresh), split_turns(spoken, fresh)], ignore_index=True)
    tags = [tagged[tagged["passage_id"].isin(ready["passage_id"])]]
    if len(cut):
        tags.append(tagger().tag(cut))
    return _Texts(
        documents=every,
        passages=schema.conform(pd.concat([ready, cut], ignore_index=True), "passages"),
        tags=schema.conform(pd.concat(tags, ignore_index=True), "tags"),
        remarks=tuple(remarks),
    )


def _read(
    candidate_id: str, paths: Paths, kind: str | None, people: People, known: Known
) -> tuple[pd.DataFrame, pd.DataFrame, list[str]]:
    """Return documents and turns of this candidate, read now, and what was not read."""
    given = [Path(one) for one in ([paths] if isinstance(paths, (str, PathLike)) else paths)]
    files = [one for one in given if one.is_file() and one.suffix.lower() not in TABLES]
    for file in files:
        owner = _owner(file.stem, people)
        if owner not in (None, candidate_id):
            raise InputError(f"{file.name}: its name begins with {owner}, and the brief is about {candidate_id}")
    if not given:
        return schema.empty("documents"), schema.empty("turns"), []
    whose = replace(people, documents=dict.fromkeys((one.name for one in files), candidate_id))
    table = known.table("documents")
    stored = set(table.loc[table["status"] == "read", "sha256"].dropna())
    found = read_documents(given, whose, columns=known.settings.columns, known=stored)
    documents, turns = found.documents, found.turns
    failed = documents[(documents["status"] == "skipped") & documents["path"].isin([str(one) for one in files])]
    if len(failed):
        raise InputError(str(failed["reason"].iloc[0]))
    rows = documents[documents["candidate_id"] == candidate_id]
    skipped = rows[rows["status"] == "skipped"]
    remarks = [f"not read: {one} ({why})" for one, why in zip(skipped["document_id"], skipped["reason"], strict=True)]
    folders = [one for one in given if one.is_dir()]
    empty = [one for one in folders if not any(Path(path).is_relative_to(one) for path in rows["path"])]
    remarks += [f"nothing new on {candidate_id} in {one.name}" for one in empty]
    rows = rows[rows["status"] == "read"].assign(**({"kind": kind} if kind else {}))
    said = turns[turns["document_id"].isin(rows["document_id"])]
    prefix = f"{kind or 'notes'}, read now: "  # no document of the study has such an id
    return (
        rows.assign(document_id=prefix + rows["document_id"]),
        said.assign(document_id=prefix + said["document_id"]),
        remarks,
    )


def _owner(stem: str, people: People) -> str | None:
    """Return the candidate with whose id a file name begins, the longest such id."""
    ids = sorted(people.candidates["candidate_id"].astype(str), key=len, reverse=True)
    low = stem.lower()
    return next(
        (one for one in ids if low == one.lower() or low.startswith(tuple(one.lower() + c for c in "_-. "))), None
    )


def _days(cells: Mapping[str, str], frame: pd.DataFrame, dates: Order | None, name: str) -> dict[str, date]:
    """Return header to day of the cells that are one; what stands first in 03/04/2025 is decided by their columns."""
    dated = {header: cell for header, cell in cells.items() if not is_term(header) and looks_like_day(cell)}
    columns = [frame[header].astype("string") for header in dated if header in frame]
    order = decide_order(columns, dates, name)
    return {header: date.fromisoformat(parse_day(cell, order)) for header, cell in dated.items()}


def _counted(mentions: pd.DataFrame, *, critical: bool) -> pd.DataFrame:
    said = mentions[(mentions["n_passages"] > 0).fillna(False)]
    return said[said["stance"].isin(["negative", "mixed"])] if critical else said


def _same_person(candidate_id: str, people: People) -> set[str]:
    """Return the ids that share an e-mail with a candidate, their own included."""
    rows = people.identities
    mails = {
        str(one): {part.strip().casefold() for part in str(mail).split(";") if part.strip()}
        for one, mail in zip(rows["candidate_id"], rows["email"], strict=True)
        if pd.notna(mail)
    }
    own = mails.get(candidate_id, set())
    return {candidate_id} | {one for one, theirs in mails.items() if own & theirs}


def _name(candidate_id: str, people: People) -> str:
    """Return the name of a candidate; empty where none is known."""
    names = people.names(candidate_id)
    return names[0] if names else ""


def _filled(cell: Any) -> bool:
    return cell is not None and bool(pd.notna(cell)) and str(cell).strip() != ""

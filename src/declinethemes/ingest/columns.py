"""The headers people have, and our names for them.

In: headers. Out: a mapping from header to our column. A guess is only that: `themes init` shows it, and [columns] in
study.toml wins.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from declinethemes.errors import SettingsError
from declinethemes.ingest.speakers import fold

IDENTITY = ("name", "first_name", "last_name", "nickname", "email", "phone")
"""Columns that go into `identities` and never into the candidates table."""


def _words(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(","))


PEOPLE: Mapping[str, tuple[str, ...]] = {
    "candidate_id": _words(
        "candidate id, candidateid, cand id, applicant id, application id, person id, id, candidate no, candidate "
        "number, candidate ref, candidate key, applicant no, applicant number, candidate, applicant"
    ),
    "offer_id": _words("offer id, offer no, offer number, offer ref"),
    "name": _words("name, full name, candidate name, applicant name, candidate full name, candidate, applicant"),
    "first_name": _words("first name, firstname, given name, forename, candidate first name"),
    "last_name": _words("last name, lastname, surname, family name, candidate last name"),
    "nickname": _words("nickname, nick name, preferred name, known as, goes by"),
    "email": _words("email, e mail, mail, email address, e mail address"),
    "phone": _words("phone, telephone, tel, mobile, cell, phone number, mobile number, mobile phone"),
    "document": _words("document, documents, file, files, transcript, transcripts, recording, file name, filename"),
    "role": _words("role, job, job title, title, position, job role, requisition, req title, vacancy"),
    "grade": _words("grade, level, seniority, job level, seniority level, job grade, band, seniority grade"),
    "location": _words("location, site, office, city, work location, job location, place"),
    "source": _words("source, candidate source, channel, sourcing channel, application source, how they came"),
    "recruiter": _words("recruiter, recruiter name, talent partner, recruiter in charge, owner, ta partner"),
    "interviewer": _words("interviewer, interviewers, hiring manager, panel, interview panel, interviewed by"),
    "batch": _words("batch, round, quarter, outreach round, cohort, wave"),
    "offer_date": _words(
        "offer date, offer made, offered on, date of offer, offer sent, offer extended, offer made on"
    ),
    "decline_date": _words(
        "decline date, declined on, declined at, declined, date declined, date of decline, rejection date, offer "
        "declined on, offer declined"
    ),
    "outcome": _words("outcome, offer outcome, offer status, result"),
    "presumed_reason": _words("presumed reason, assumed reason, team reason, our reason, hiring team reason"),
    "reason_code": _words(
        "reason code, decline reason, reason, ats reason, declined reason, rejection reason, reason for decline"
    ),
    "gender": _words("gender, sex, gender identity, sex gender, gender sex"),
    "ethnicity": _words("ethnicity, race, race ethnicity, ethnic group, ethnic background, ethnicity race"),
    "disability": _words("disability, disability status, disabled"),
}
NOTES: Mapping[str, tuple[str, ...]] = {
    "candidate_id": _words("candidate id, candidateid, cand id, applicant id, person id, candidate, applicant, id"),
    **{ours: PEOPLE[ours] for ours in IDENTITY},
    "id": _words("note id, response id, respondent id, row id, entry id, submission id, record id, id, no, number, #"),
    "kind": _words("kind, type, note type, document type, doc type"),
    "date": _words(
        "date, day, created, created at, created on, timestamp, submitted, submitted at, submitted on, note date, "
        "call date, completed at, start time, completion time"
    ),
    "author": _words("author, written by, created by, by, note author, recruiter, interviewer, recruiter name"),
    "text": _words(
        "text, note, notes, comment, comments, feedback, response, responses, answer, transcript, note text, free "
        "text, body, message, verbatim, remarks, content"
    ),
    **{ours: PEOPLE[ours] for ours in PEOPLE if ours not in {*IDENTITY, "candidate_id", "interviewer", "recruiter"}},
}
DOCUMENTS: Mapping[str, tuple[str, ...]] = {
    "document": _words("document, document id, file, file name, filename, path, name, transcript, recording"),
    "candidate_id": NOTES["candidate_id"],
    "kind": NOTES["kind"],
    "date": _words("date, day, call date, note date, document date, created"),
}
OFFERS: Mapping[str, tuple[str, ...]] = {
    **PEOPLE,
    "candidate_id": tuple(word for word in PEOPLE["candidate_id"] if word != "id"),
    "offer_id": (*PEOPLE["offer_id"], "id"),
    "outcome": (*PEOPLE["outcome"], "status", "decision", "offer decision", "offer result"),
}
_TABLES = {"candidates": PEOPLE, "notes": NOTES, "documents": DOCUMENTS, "offers": OFFERS}
_REPEATABLE = frozenset({"nickname", "email", "phone", "contact"})
_PERSONAL = {
    "nickname": re.compile(
        r"^(?:full |legal |middle |maiden |birth |first |last |preferred |candidate |applicant )+names?$", re.MULTILINE
    ),
    "email": re.compile(r"\be ?mails?\b"),
    "phone": re.compile(r"\b(?:phone|mobile|telephone|cell)\b"),
    "contact": re.compile(
        r"\b(?:linkedin|github|address|postcode|zip|dob|date of birth|birthday|passport|url|website)\b"
    ),
}


def normal(header: str) -> str:
    """Return a header in lower case, without accents, punctuation as spaces; ``candidateId`` is ``candidate id``."""
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", header)
    return " ".join(re.sub(r"[^\w#]+|_", " ", fold(spaced)).split())


def guess_columns(headers: Iterable[str], *, table: str = "candidates") -> dict[str, str]:
    """Guess which of our columns each header is.

    Parameters
    ----------
    headers : iterable of str
        The headers of a file.
    table : {"candidates", "notes", "documents", "offers"}
        What the file is.

    Returns
    -------
    dict of str to str
        Header to our column, for those recognised; in the order of the headers. Each of our columns comes
        once, except `nickname`, `email`, `phone` and `contact` (other data that identify a person).

    Examples
    --------
    >>> guess_columns(["Candidate ID", "Candidate", "Job title", "Shoe size"])
    {'Candidate ID': 'candidate_id', 'Candidate': 'name', 'Job title': 'role'}
    """
    if table not in _TABLES:
        raise SettingsError.unknown("table", table, _TABLES)
    headers = list(headers)
    guessed: dict[str, str] = {}
    for ours, synonyms in _TABLES[table].items():
        known = [ours.replace("_", " "), *synonyms] if ours != "id" else list(synonyms)
        left = [header for header in reversed(headers) if header not in guessed]
        free = {normal(header.lower()): header for header in left} | {normal(header): header for header in left}
        match = next((free[synonym] for synonym in known if synonym in free), None)
        if match is not None:
            guessed[match] = ours
    for header in headers:
        if header not in guessed:
            both = f"{normal(header)}\n{normal(header.lower())}"  # LinkedIn is "linked in" and "linkedin"
            personal = next((ours for ours, pattern in _PERSONAL.items() if pattern.search(both)), None)
            if personal is not None and table != "documents" and len(header.split()) <= 3:
                guessed[header] = personal
    return {header: guessed[header] for header in headers if header in guessed}


def map_columns(headers: Iterable[str], columns: Mapping[str, str], *, table: str) -> tuple[dict[str, str], list[str]]:
    """Return the mapping to use (given first, then guessed) and the given headers that the file does not have.

    A given column replaces the guess for the same column of ours; an empty text leaves the header out of all tables.
    """
    headers = list(headers)
    by_normal = {normal(header): header for header in headers}
    given: dict[str, str] = {}
    absent: list[str] = []
    for header, ours in columns.items():
        found = header if header in headers else by_normal.get(normal(header))
        if found is None:
            absent.append(header)
        else:
            given[found] = ours
    rest = [header for header in headers if header not in given]
    taken = set(given.values())
    guesses = guess_columns(rest, table=table)
    guessed = {header: ours for header, ours in guesses.items() if ours not in taken or ours in _REPEATABLE}
    merged = {**guessed, **given}
    return {header: merged[header] for header in headers if header in merged}, absent

"""What goes out to those who are due: invitations as text and e-mail drafts, and a calendar of the outreach days.

In: an `OutreachBatch`, the names and addresses from the user's own file, a Jinja template. Out: texts. Nothing is sent
and nothing is stored; segments such as gender are no field of a letter.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from email import policy
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from declinethemes.errors import SettingsError, nearest
from declinethemes.prepare.outreach import OutreachBatch

if TYPE_CHECKING:
    from jinja2 import Template

TEMPLATE = Path(__file__).with_name("invitation.txt.j2")
FIELDS: Mapping[str, str] = {
    "candidate_id": "identifier of the candidate",
    "name": "name, from the offers file",
    "first_name": "first part of the name",
    "email": "address, from the offers file",
    "role": "the job that was offered",
    "grade": "its seniority",
    "location": "its site",
    "offer_date": "day of the offer, such as 3 March 2026",
    "decline_date": "day of the decline",
    "company": "the company that made the offer; must be given",
    "sender": "who writes and signs; must be given",
    "sender_email": "address of the sender; empty if none was given",
    "incentive": "a thank-you such as a gift card or a donation; empty if there is none",
    "minutes": "length of the call",
    "recorded": "what is recorded",
}
"""Fields of the template, and what they hold; one that is not known of a candidate is empty."""
REQUIRED = ("company", "sender")
DEFAULTS: Mapping[str, str] = {
    "company": "",
    "sender": "",
    "sender_email": "",
    "incentive": "",
    "minutes": "30",
    "recorded": "the caller takes notes. Sound is recorded only if you agree to it when we call.",
}
_ADDRESS = re.compile(r"(?:[^<>]*<({0})>|({0}))".format(r"[^\s<>@,;:]+@[^\s<>@,;:]+\.[^\s<>@,;:.]+"))
_ROW = ("candidate_id", "role", "grade", "location")


@dataclass(frozen=True, kw_only=True)
class Invitation:
    """One letter: subject and body, and the e-mail draft (None if there is no address that can be used)."""

    candidate_id: str
    subject: str
    body: str
    draft: bytes | None
    note: str | None = None


def invitations(
    batch: OutreachBatch,
    people: pd.DataFrame,
    *,
    values: Mapping[str, str],
    template: str | None = None,
) -> list[Invitation]:
    """Write a letter to each candidate who is due.

    Parameters
    ----------
    batch : OutreachBatch
    people : pandas.DataFrame
        candidate_id, and name and email where they are known. They go into the letters and nowhere else.
    values : mapping of str to str
        Values of fields: ``company`` and ``sender`` at least, perhaps fields of a template of one's own.
    template : str, optional
        Text of a Jinja template: a first line ``Subject: ...``, an empty line, the letter. Default: the shipped one.

    Returns
    -------
    list of Invitation
        In the order of the batch.

    Raises
    ------
    SettingsError
        A required field is empty; the template is no template, lacks the subject, or has a field that is not known.
    """
    given = {**DEFAULTS, **{name: " ".join(value.split()) for name, value in values.items()}}
    if given["sender_email"]:
        try:
            _address(given["sender"], given["sender_email"])
        except (ValueError, IndexError, MessageError) as error:
            raise SettingsError(
                f"the sender's address '{given['sender_email']}' is no e-mail address; write --sender 'Name <a@b.org>'"
            ) from error
    known = {**FIELDS, **dict.fromkeys(given, "")}
    compiled, used = _compiled(TEMPLATE.read_text(encoding="utf-8") if template is None else template, known)
    lacking = [name for name in REQUIRED if name in used and not given[name]]
    if lacking:
        raise SettingsError(f"an invitation needs {' and '.join(lacking)}: give --{' and --'.join(lacking)}")
    named = {str(row["candidate_id"]): row for row in people.to_dict("records")}
    letters = []
    for row in batch.due.to_dict("records"):
        fields = {**dict.fromkeys(FIELDS, ""), **given, **_fields(row, named.get(str(row["candidate_id"]), {}))}
        subject, body = _rendered(compiled, fields)
        letters.append(_invitation(fields, subject, body))
    return letters


def _compiled(text: str, known: Mapping[str, str]) -> tuple[Template, set[str]]:
    """Return the template and its fields, after checking all of them, those of branches not taken too."""
    from jinja2 import StrictUndefined, TemplateSyntaxError, meta
    from jinja2.sandbox import SandboxedEnvironment

    environment = SandboxedEnvironment(undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    try:
        fields = meta.find_undeclared_variables(environment.parse(text))
        compiled = environment.from_string(text)
    except TemplateSyntaxError as error:
        raise SettingsError(f"the template cannot be read, line {error.lineno}: {error.message}") from error
    unknown = sorted(fields - set(known))
    if unknown:
        raise SettingsError(
            f"the template has the unknown field '{unknown[0]}'{nearest(unknown[0], known)}; there are: "
            f"{', '.join(known)}. Further ones are given with --set NAME=VALUE"
        )
    return compiled, fields


def _rendered(template: Template, fields: Mapping[str, str]) -> tuple[str, str]:
    """Return subject and body of one letter."""
    from jinja2 import TemplateError

    try:
        text = template.render(fields).strip()
    except (TemplateError, TypeError, ValueError, ArithmeticError) as error:
        raise SettingsError(f"the template cannot be filled in for {fields['candidate_id']}: {error}") from error
    first, _, body = text.partition("\n")
    if not first.lower().startswith("subject:") or not first[8:].strip() or not body.strip():
        raise SettingsError(
            f"the template should begin with a line 'Subject: ...' and go on with the letter; it begins '{first[:60]}'"
        )
    return " ".join(first[8:].split()), body.strip() + "\n"


def _fields(row: Mapping[Any, Any], person: Mapping[Any, Any]) -> dict[str, str]:
    """Return the fields of one candidate as text, on one line each; empty where they are not known."""
    plain = {name: row[name] for name in _ROW} | {name: person.get(name) for name in ("name", "email")}
    fields: dict[str, str] = {
        name: "" if pd.isna(value) else " ".join(str(value).split()) for name, value in plain.items()
    }
    first: list[str] = str(fields["name"]).split(",")[-1].split()  # the part behind the comma in "Last, First"
    fields["first_name"] = first[0] if first else ""
    for name in ("offer_date", "decline_date"):
        fields[name] = "" if pd.isna(row[name]) else f"{row[name].day} {row[name]:%B %Y}"
    return fields


def _invitation(fields: Mapping[str, str], subject: str, body: str) -> Invitation:
    """Return a letter with its draft, or with a note that says why there is none."""
    candidate = fields["candidate_id"]
    addresses = [part.strip() for part in fields["email"].split(";") if part.strip()]
    if not addresses:
        return Invitation(candidate_id=candidate, subject=subject, body=body, draft=None, note="no e-mail in the file")
    try:
        draft = _draft(fields, addresses[0], subject, body)
    except (ValueError, IndexError, MessageError):
        note = f"'{addresses[0]}' is no e-mail address"
        return Invitation(candidate_id=candidate, subject=subject, body=body, draft=None, note=note)
    return Invitation(candidate_id=candidate, subject=subject, body=body, draft=draft)


def _draft(fields: Mapping[str, str], address: str, subject: str, body: str) -> bytes:
    """Return the e-mail as a draft (RFC 5322): mail programs open it for editing, as it was never sent."""
    to = _address(fields["name"], address)
    message = EmailMessage(policy=policy.SMTP)
    message["Subject"] = subject
    if fields["sender_email"]:
        message["From"] = _address(fields["sender"], fields["sender_email"])
    message["To"] = to
    message["X-Unsent"] = "1"
    message.set_content(body)
    return message.as_bytes()


def _address(name: str, address: str) -> Address:
    """Return an address, or raise a ValueError (or an error of the e-mail package) if it is none."""
    match = _ADDRESS.fullmatch(address.strip())
    if match is None:
        raise ValueError(address)
    return Address(display_name=name, addr_spec=match[1] or match[2])


def to_calendar(batch: OutreachBatch, *, company: str = "") -> str:
    """Return the outreach days as a calendar file.

    Parameters
    ----------
    batch : OutreachBatch
        Its `days` become all-day events: days have no time zone. Candidates are named by their id only.
    company : str, optional
        Stands in the titles.

    Returns
    -------
    str
        iCalendar with CRLF line ends; the same batch gives the same text, and the same day the same UID, so that a
        later file replaces the event.

    References
    ----------
    Desruisseaux (2009), Internet Calendaring and Scheduling Core Object Specification, RFC 5545.
    """
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//declinethemes//outreach//EN", "CALSCALE:GREGORIAN"]
    for day, ids in zip(batch.days["day"], batch.days["candidates"], strict=True):
        lines += _event(day.date(), ids, batch.today, company)
    lines.append("END:VCALENDAR")
    return "".join(f"{folded}\r\n" for line in lines for folded in _fold(line))


def _event(day: date, ids: list[str], stamp: date, company: str) -> Iterator[str]:
    """Yield the lines of one all-day event."""
    people = f"{len(ids)} candidate{'' if len(ids) == 1 else 's'} who declined"
    key = hashlib.blake2b(f"{company}\x1f{day}".encode(), digest_size=8).hexdigest()
    title = f"Outreach{f' for {company}' if company else ''}: {people}"
    text = f"Run the outreach again on this day: others may have been invited since.\n{', '.join(ids)}"
    yield from (
        "BEGIN:VEVENT",
        f"UID:{day:%Y%m%d}-{key}@declinethemes",
        f"DTSTAMP:{stamp:%Y%m%d}T000000Z",
        f"DTSTART;VALUE=DATE:{day:%Y%m%d}",
        f"DTEND;VALUE=DATE:{day + timedelta(days=1):%Y%m%d}",
        f"SUMMARY:{_escaped(title)}",
        f"DESCRIPTION:{_escaped(text)}",
        "TRANSP:TRANSPARENT",
        "END:VEVENT",
    )


def _escaped(text: str) -> str:
    """Return a value of the type TEXT (RFC 5545, 3.3.11); control signs but the line end are left out."""
    for sign, escaped in (("\\", "\\\\"), (";", "\\;"), (",", "\\,"), ("\n", "\\n")):
        text = text.replace(sign, escaped)
    return "".join(sign for sign in text if sign >= " " and sign != "\x7f")


def _fold(line: str) -> Iterable[str]:
    """Yield a content line in pieces of at most 75 octets, the later ones behind a space (RFC 5545, 3.1)."""
    piece, octets = "", 0
    for sign in line:
        size = len(sign.encode("utf-8"))
        if octets + size > 75:
            yield piece
            piece, octets = " ", 1
        piece, octets = piece + sign, octets + size
    yield piece

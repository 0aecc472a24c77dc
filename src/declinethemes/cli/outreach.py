"""`themes outreach`: who is due, the letters and the calendar, and what has been recorded of them."""

from __future__ import annotations

import datetime as dt
import json as json_
import re
from collections.abc import Mapping
from dataclasses import replace
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from declinethemes.cli.declines import Dates, Outcome, date_order, outcome_words
from declinethemes.cli.show import put, say
from declinethemes.errors import SettingsError, StudyError

if TYPE_CHECKING:
    import pandas as pd

    from declinethemes.config import Settings
    from declinethemes.prepare import OutreachBatch
    from declinethemes.store import Store

DOUBTFUL = (
    "same person",
    "outcome missing",
    "decline date missing",
    "decline date in the future",
    "declined before the offer",
)
"""Reasons that may be mistakes in the file: the candidates are named."""


def outreach_cli(
    offers: Annotated[
        Path | None, typer.Argument(help="The offers file: .csv, .tsv or .xlsx.", show_default=False)
    ] = None,
    today: Annotated[
        str | None, typer.Option("--today", help="The day of the outreach, YYYY-MM-DD; default: today.")
    ] = None,
    study: Annotated[
        Path | None, typer.Option("--study", help="The study's folder, which remembers who was contacted.")
    ] = None,
    window: Annotated[tuple[int, int], typer.Option("--window", help="Months after the decline: from, to.")] = (3, 4),
    capacity: Annotated[int | None, typer.Option("--capacity", help="How many can be invited; default: all.")] = None,
    by: Annotated[
        list[str] | None,
        typer.Option("--by", help="A segment to balance; give it again for more. Default: those of the study."),
    ] = None,
    seed: Annotated[int, typer.Option("--seed", help="Seed of the draw.")] = 0,
    out: Annotated[
        Path | None, typer.Option("--out", help="Folder for the tables, the calendar and the invitations.")
    ] = None,
    company: Annotated[str, typer.Option("--company", help="Your company, for the invitations.")] = "",
    sender: Annotated[str, typer.Option("--sender", help="Who signs them: 'Name <address>'.")] = "",
    incentive: Annotated[str, typer.Option("--incentive", help="A thank-you: a gift card, a donation.")] = "",
    template: Annotated[
        Path | None, typer.Option("--template", help="A Jinja template of your own for the invitations.")
    ] = None,
    values: Annotated[
        list[str] | None, typer.Option("--set", help="A field of the template, NAME=VALUE; give it again for more.")
    ] = None,
    record: Annotated[
        Path | None, typer.Option("--record", help="A file of contact events to add to the study first.")
    ] = None,
    mark_invited: Annotated[
        bool, typer.Option("--mark-invited", help="Record in the study that those who are due were invited.")
    ] = False,
    outcome: Outcome = None,
    dates: Dates = None,
    json: Annotated[bool, typer.Option("--json", help="JSON instead of CSV, with all lists.")] = False,
) -> None:
    """Say who is due for a conversation, and write invitations and a calendar; nothing is sent."""
    if offers is None and record is None:
        raise typer.BadParameter("give the offers file, or --record FILE", param_hint="OFFERS")
    if study is None and (record is not None or mark_invited):
        raise SettingsError("contact events are kept in a study: give --study DIR")
    day = _day(today)
    store = _store(study)
    if record is not None and store is not None:
        _record(store, record)
    if offers is None:
        return
    letters = {"company": company, **_sender(sender), "incentive": incentive, **_values(values)}
    settings = _settings(study)
    limits = {"today": day, "window": window, "capacity": capacity, "random_state": seed}
    batch = outreach(offers, settings, store, by=by, outcome=outcome, dates=dates, **limits)
    tell(batch, settings.min_n, remembered=study is not None)
    if out is not None:
        write(batch, offers, out, settings, letters, template)
    if mark_invited and store is not None:
        say(f"recorded as invited: {store.append('contacts', _invited(batch))}")
    if json:
        put(as_dict(batch), as_json=True)
    elif out is None:
        put(batch.to_frame(), as_json=False)


def outreach(
    path: Path,
    settings: Settings,
    store: Store | None,
    *,
    by: list[str] | None,
    outcome: list[str] | None = None,
    dates: str | None = None,
    **options: Any,
) -> OutreachBatch:
    """Return the batch of an offers file; `options` as in `outreach_batch`."""
    from declinethemes.config import prepare_segments
    from declinethemes.ingest import read_addresses, read_offers
    from declinethemes.prepare import outreach_batch

    words, order = outcome_words(outcome or []), date_order(dates)
    offers = read_offers(path, settings.columns, outcomes=words, dates=order).offers
    fitted = _fitted(settings, offers)
    offers = prepare_segments(offers, fitted).assign(offer_id=offers["offer_id"], outcome=offers["outcome"])
    offers = offers.merge(
        read_addresses(path, settings.columns)[["candidate_id", "email"]], on="candidate_id", how="left"
    )
    declared = [*(["underrepresented"] if fitted.underrepresented else []), *fitted.segments]
    segments = [settings.columns.get(name, name) for name in by] if by else declared
    contacts = None if store is None else store.read("contacts")
    return outreach_batch(offers, contacts=contacts, by=segments, **options)


def _fitted(settings: Settings, offers: pd.DataFrame) -> Settings:
    """Return the settings of a study without the columns and levels that these offers do not have."""
    there = {name: set(offers[name].dropna()) for name in offers.columns}
    for name in settings.segments:
        if name not in there and name != "underrepresented":
            say(f"note: the offers have no column '{name}', a segment of the study")
    merged = {name: levels for name, levels in settings.merge.items() if name in there}
    whole = all(name in there for name in settings.underrepresented)
    return replace(
        settings,
        segments=tuple(name for name in settings.segments if name in there),
        bins={name: edges for name, edges in settings.bins.items() if name in there},
        merge={n: {new: tuple(o for o in old if o in there[n]) for new, old in m.items()} for n, m in merged.items()},
        underrepresented={
            name: tuple(level for level in levels if level in there[name])
            for name, levels in settings.underrepresented.items()
            if whole
        },
    )


def tell(batch: OutreachBatch, min_n: int, *, remembered: bool) -> None:
    """Say on stderr what was found."""
    low, high = batch.window
    waiting = batch.reasons.get("beyond the capacity", 0)
    say(f"due on {batch.today}      {len(batch.due)}{f', and {waiting} beyond the capacity' if waiting else ''}")
    say(
        f"overdue                {len(batch.overdue)} (declined over {high} months ago; a wider --window takes them in)"
    )
    say(f"too early              {len(batch.early)} (declined under {low} months ago)")
    say(f"left out               {', '.join(f'{n} {reason}' for reason, n in batch.reasons.items()) or 'nobody'}")
    left = batch.left_out[batch.left_out["reason"].isin(DOUBTFUL)]
    for row in left.head(5).to_dict("records"):
        say(f"look at {row['candidate_id']}: {row['reason']} ({row['detail']})")
    if len(left) > 5:
        say(f"and at {len(left) - 5} more: see the reasons in left_out")
    heard = [{**row, "n": row["n_heard"] + row["n_chosen"]} for row in batch.balance.to_dict("records")]
    few = [f"{row['segment']} {row['level']} ({row['n']})" for row in heard if row["n"] < min_n]
    if few:
        say(f"under {min_n} heard even if all of these answer, hidden in reports until then: {', '.join(few)}")
    if not remembered:
        say("without --study nobody is known to have been contacted before")


def as_dict(batch: OutreachBatch) -> dict[str, Any]:
    """Return all lists of a batch as plain values, days as YYYY-MM-DD."""
    frames = {
        "due": batch.due,
        "overdue": batch.overdue,
        "early": batch.early,
        "left_out": batch.left_out,
        "balance": batch.balance,
        "days": batch.days,
    }
    head = {"today": str(batch.today), "window": list(batch.window), "capacity": batch.capacity, "by": list(batch.by)}
    return head | {"seed": batch.random_state} | {name: _records(frame) for name, frame in frames.items()}


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    days = {name: frame[name].dt.strftime("%Y-%m-%d") for name in frame.select_dtypes("datetime").columns}
    found: list[dict[str, Any]] = json_.loads(frame.assign(**days).to_json(orient="records"))
    return found


def write(
    batch: OutreachBatch,
    offers: Path,
    out: Path,
    settings: Settings,
    letters: Mapping[str, str],
    template: Path | None,
) -> None:
    """Write tables, calendar and invitations below a folder; invitations are for you to look through and send."""
    from declinethemes.ingest import read_addresses
    from declinethemes.prepare import invitations, to_calendar
    from declinethemes.store import make_folder, write_bytes, write_text

    ready = bool(letters["company"] and letters["sender"]) or template is not None
    folder = out / "invitations"
    if ready and folder.is_dir() and any(folder.iterdir()):
        raise StudyError(f"{folder} holds letters of an earlier run; move them away, or choose another --out")
    text = _template(template)
    people = read_addresses(offers, settings.columns)
    written = invitations(batch, people, values=letters, template=text) if ready else []
    make_folder(out)
    tables = {"due": batch.due, "overdue": batch.overdue, "too_early": batch.early, "left_out": batch.left_out}
    for name, frame in tables.items():
        write_text(out / f"{name}.csv", frame.to_csv(index=False))
    write_text(out / "outreach.ics", to_calendar(batch, company=letters["company"]))
    taken: set[str] = set()
    for letter in written:
        place = make_folder(folder) / file_name(letter.candidate_id, taken)
        write_text(Path(f"{place}.txt"), f"Subject: {letter.subject}\n\n{letter.body}", mode=0o600)
        if letter.draft is not None:
            write_bytes(Path(f"{place}.eml"), letter.draft, mode=0o600)
    for note in sorted({letter.note for letter in written if letter.note}):
        ids = [letter.candidate_id for letter in written if letter.note == note]
        say(f"only a .txt for {', '.join(ids[:5])}{f' and {len(ids) - 5} more' if len(ids) > 5 else ''}: {note}")
    say(f"wrote {out}: tables, outreach.ics and {len(written)} invitations; nothing was sent")
    if not ready:
        say("no invitations were written: give --company and --sender, or a --template")


def file_name(candidate_id: str, taken: set[str]) -> str:
    """Return a file name for a candidate that is safe on every system and not in `taken`, and add it there."""
    name = re.sub(r"[^\w.-]", "_", candidate_id)[:80].lstrip(".") or "_"
    if name.casefold() in taken:
        name = f"{name}-{blake2b(candidate_id.encode(), digest_size=4).hexdigest()}"
    taken.add(name.casefold())
    return name


def _template(path: Path | None) -> str | None:
    from declinethemes.ingest.decode import decode, read_bytes

    return None if path is None else decode(read_bytes(path), path.name)[0]


def _day(text: str | None) -> dt.date:
    from declinethemes.ingest.dates import parse_day

    if text is None:
        return dt.datetime.now().astimezone().date()
    try:
        return dt.date.fromisoformat(parse_day(text))
    except ValueError:
        raise SettingsError(f"--today should be a day as YYYY-MM-DD, found '{text}'") from None


def _store(study: Path | None) -> Store | None:
    from declinethemes.store import Store, make_folder

    return None if study is None else Store(make_folder(study))


def _settings(study: Path | None) -> Settings:
    from declinethemes.config import Settings, read_settings
    from declinethemes.study import SETTINGS

    return read_settings(study / SETTINGS) if study is not None and (study / SETTINGS).is_file() else Settings()


def _record(store: Store, path: Path) -> None:
    from declinethemes.ingest import read_contacts

    events = read_contacts(path)
    new = store.append("contacts", events)
    say(f"{path.name}: {new} contact events recorded, {len(events) - new} were known")


def _invited(batch: OutreachBatch) -> pd.DataFrame:
    return batch.due[["candidate_id"]].assign(event="invited", at=batch.today.isoformat())


def _sender(text: str) -> dict[str, str]:
    """Return the sender's name and address."""
    from email.utils import parseaddr

    name, address = parseaddr(text) if "@" in text else (text, "")
    return {"sender": name or address, "sender_email": address}


def _values(given: list[str] | None) -> dict[str, str]:
    """Return the fields of --set NAME=VALUE."""
    pairs = [text.partition("=") for text in given or []]
    for name, sign, _ in pairs:
        if not sign or not name.strip().isidentifier():
            raise SettingsError(f"--set should be NAME=VALUE, such as minutes=20; found '{name}{sign}'")
    return {name.strip(): value.strip() for name, _, value in pairs}

"""`themes declines`: decline rates by segment from the offers file, under the disclosure rules."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from declinethemes.cli.show import put, say, verdict_lines

if TYPE_CHECKING:
    import pandas as pd

    from declinethemes.config import Settings
    from declinethemes.prepare import DeclineRates, DeclineShares

OffersFile = Annotated[
    Path, typer.Argument(help="Every offer made, accepted ones included: .csv, .tsv or .xlsx.", show_default=False)
]
Dates = Annotated[
    str | None,
    typer.Option("--dates", help="What stands first in dates such as 03/04/2025: day or month; asked for if unclear."),
]
Outcome = Annotated[
    list[str] | None,
    typer.Option("--outcome", help="What a word in your outcome column means: WORD=declined; give it again for more."),
]


def declines_cli(
    offers: OffersFile,
    by: Annotated[
        list[str] | None,
        typer.Option("--by", help="A segment column; give it again for more. Default: those of --settings."),
    ] = None,
    adjust_for: Annotated[
        list[str] | None,
        typer.Option("--adjust-for", help="Hold this column fixed; give it again. Default: role and location."),
    ] = None,
    settings: Annotated[
        Path | None,
        typer.Option("--settings", help="A study.toml: columns, segments, merged levels, smallest group."),
    ] = None,
    outcome: Outcome = None,
    dates: Dates = None,
    today: Annotated[
        str | None, typer.Option("--today", help="Dates after this day are odd; YYYY-MM-DD, default: today.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="Write the table to this CSV file instead of stdout.")
    ] = None,
    chart: Annotated[Path | None, typer.Option("--chart", help="Draw the rates into this HTML file.")] = None,
    offered: Annotated[
        list[str] | None,
        typer.Option("--offered", help="For declines alone: gender=woman:0.42, its share of all offers made; again."),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Rates, quarters, trends and what was listed as JSON.")] = False,
) -> None:
    """Compare how often offers are declined, by segment; small groups say "protected"."""
    from declinethemes.errors import SettingsError
    from declinethemes.store import write_text

    if offered:
        if by or adjust_for or chart:
            raise SettingsError("--offered names its segments itself: leave out --by, --adjust-for and --chart")
        alone = shares(offers, offered, settings=settings, outcome=outcome, dates=dates).protected()
        table = alone.to_frame()
        if out is not None:
            write_text(out, table.to_csv(index=False))
            say(f"wrote {out}")
        else:
            put(table, as_json=json)
        for line in [*alone.notes, "working draft: see docs/before.md for how to read it"]:
            say(line)
        return
    found = declines(offers, by=by, adjust_for=adjust_for, settings=settings, outcome=outcome, dates=dates, today=today)
    shown = found.protected()
    if chart is not None:
        write_text(chart, found.chart())
        say(f"wrote {chart}")
    if json:
        put(as_dict(shown), as_json=True)
    elif out is None:
        put(shown.to_frame(), as_json=False)
    if out is not None:
        write_text(out, shown.to_frame().to_csv(index=False))
        say(f"wrote {out}")
    said = verdict_lines(shown.to_frame(), shown.sentences())
    for line in [*said, *shown.notes, *remarks(shown), "working draft: see docs/before.md for how to read it"]:
        say(line)


def declines(
    path: Path,
    *,
    by: list[str] | None = None,
    adjust_for: list[str] | None = None,
    settings: Path | None = None,
    outcome: list[str] | None = None,
    dates: str | None = None,
    today: str | None = None,
) -> DeclineRates:
    """Read the offers file and return its decline rates, full numbers."""
    from datetime import date

    from declinethemes.config import Settings, read_settings
    from declinethemes.ingest import read_offers
    from declinethemes.ingest.dates import parse_day
    from declinethemes.prepare import decline_rates

    given = read_settings(settings) if settings else Settings()
    read = read_offers(path, given.columns, outcomes=outcome_words(outcome or []), dates=date_order(dates))
    for note in read.notes:
        say(note)
    headers = {header.lower(): ours for header, ours in read.columns.items()}
    held = [headers.get(name.lower(), name) for name in adjust_for or []]
    table, wanted = prepared(read.offers, given, [headers.get(name.lower(), name) for name in by or []])
    try:
        day = date.today() if today is None else date.fromisoformat(parse_day(today))
    except ValueError:
        from declinethemes.errors import SettingsError

        raise SettingsError(f"--today is a day as YYYY-MM-DD; found '{today}'") from None
    return decline_rates(
        table,
        by=wanted,
        adjust_for=held or None,
        today=day,
        margin=given.margin,
        alpha=given.alpha,
        min_n=given.min_n,
        not_disclosed=given.not_disclosed,
        random_state=given.seed,
    )


def shares(
    path: Path,
    offered: list[str],
    *,
    settings: Path | None = None,
    outcome: list[str] | None = None,
    dates: str | None = None,
) -> DeclineShares:
    """Read a file of declines and set them against the shares of the offers made, full numbers."""
    from declinethemes.config import Settings, read_settings
    from declinethemes.ingest import read_offers
    from declinethemes.prepare import decline_shares

    given = read_settings(settings) if settings else Settings()
    read = read_offers(path, given.columns, outcomes=outcome_words(outcome or []), dates=date_order(dates))
    for note in read.notes:
        say(note)
    headers = {header.lower(): ours for header, ours in read.columns.items()}
    known = {headers.get(name.lower(), name): levels for name, levels in offered_shares(offered).items()}
    table, _ = prepared(read.offers, given, list(known))
    options: dict[str, Any] = {"min_n": given.min_n, "alpha": given.alpha, "not_disclosed": given.not_disclosed}
    return decline_shares(table, known, **options)


def offered_shares(given: list[str]) -> dict[str, dict[str, float]]:
    """Return SEGMENT=LEVEL:SHARE options as {segment: {level: share}}."""
    from declinethemes.errors import SettingsError

    out: dict[str, dict[str, float]] = {}
    for one in given:
        segment, _, rest = one.partition("=")
        level, _, share = rest.rpartition(":")
        try:
            number = float(share)
        except ValueError:
            number = -1.0
        if not segment.strip() or not level.strip() or not 0 < number < 1:
            raise SettingsError(f"--offered is SEGMENT=LEVEL:SHARE with a share between 0 and 1; found '{one}'")
        out.setdefault(segment.strip(), {})[level.strip()] = number
    return out


def prepared(offers: pd.DataFrame, settings: Settings, by: list[str]) -> tuple[pd.DataFrame, list[str]]:
    """Return the offers with the settings' merged levels, bands and the under-represented; and the segments to use."""
    from dataclasses import replace

    from declinethemes.config import prepare_segments
    from declinethemes.errors import SettingsError
    from declinethemes.prepare.decided import able

    there = set(able(offers))
    parts = {name: getattr(settings, name) for name in ("merge", "bins", "underrepresented")}
    kept = {name: {c: v for c, v in part.items() if c in there} for name, part in parts.items()}
    if kept["underrepresented"] != parts["underrepresented"]:
        gone = sorted(set(parts["underrepresented"]) - there)
        say(f"who is under-represented cannot be said: the offers have no column {', '.join(gone)}")
        kept["underrepresented"] = {}
    trimmed: Any = {**kept, "segments": ()}
    table = prepare_segments(offers, replace(settings, **trimmed))
    declared = (["underrepresented"] if kept["underrepresented"] else []) + list(settings.segments)
    absent = [name for name in declared if name not in able(table)]
    if absent and not by:
        say(f"declared segments that the offers do not have: {', '.join(absent)}")
    wanted = by or [name for name in declared if name not in absent]
    if not wanted:
        raise SettingsError(f"name a segment with --by; the offers have: {', '.join(able(table)) or '(none)'}")
    return table, wanted


def as_dict(rates: DeclineRates) -> dict[str, Any]:
    """Return the rates for a program to read."""
    import json

    frames = ("rates", "quarters", "trends", "listed")
    tables = {name: json.loads(getattr(rates, name).to_json(orient="records", double_precision=12)) for name in frames}
    about = {"counts": rates.counts, "family": rates.family, "parameters": rates.parameters, "notes": rates.notes}
    return {**tables, **about}


def remarks(rates: DeclineRates) -> list[str]:
    """Return what was left out, or counted although odd: a line per reason, with the first five offers."""
    lines = []
    for (counted, reason), rows in rates.listed.assign(
        reason=rates.listed["reason"].str.replace(r"(?<=later on ).*(?=, which)", "another", regex=True)
    ).groupby(["counted", "reason"], sort=True):
        names = ", ".join(rows["offer_id"].head(5)) + (" ..." if len(rows) > 5 else "")
        size = "1 offer" if len(rows) == 1 else f"{len(rows)} offers"
        lines.append(f"{'counted, yet odd' if counted else 'left out'}: {size}, {reason} ({names})")
    return lines


def outcome_words(given: list[str]) -> dict[str, str]:
    """Return WORD=outcome options as a mapping."""
    from declinethemes.errors import SettingsError

    pairs = [one.rpartition("=") for one in given]
    for word, _, ours in pairs:
        if not word.strip():
            raise SettingsError(f"--outcome is WORD=declined, WORD=accepted and so on; found '{word or ours}'")
    return {word.strip(): ours.strip().lower() for word, _, ours in pairs}


def date_order(dates: str | None) -> Any:
    """Return what stands first in a date, checked."""
    from declinethemes.errors import SettingsError

    if dates not in (None, "day", "month"):
        raise SettingsError.unknown("order of dates", str(dates), ("day", "month"))
    return dates

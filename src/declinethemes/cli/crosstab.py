"""`themes crosstab`: findings by segment, under the disclosure rules."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from declinethemes.cli.audit_sample import Audit, keep_audit
from declinethemes.cli.discover import Folder, Json
from declinethemes.cli.show import put, say, verdict_lines

if TYPE_CHECKING:
    from declinethemes.findings import Trend

By = Annotated[
    list[str] | None,
    typer.Option(
        "--by",
        help="A segment column, or an intersection as 'gender x role'; again for more. Default: those in study.toml.",
    ),
]


def crosstab_cli(
    study: Folder,
    by: By = None,
    adjust_for: Annotated[
        list[str] | None, typer.Option("--adjust-for", help="Hold this column fixed; give it again for more.")
    ] = None,
    asked: Annotated[bool, typer.Option("--asked", help="Only candidates who were asked about the item.")] = False,
    all_mentions: Annotated[
        bool, typer.Option("--all-mentions", help="Count every mention, not only complaints.")
    ] = False,
    trend: Annotated[
        bool, typer.Option("--trend", help="Over batches instead: does each item rise or fall, and what changed last.")
    ] = False,
    audit: Audit = None,
    internal: Annotated[
        bool, typer.Option("--internal", help="Full numbers, for those entitled; the study records that you asked.")
    ] = False,
    out: Annotated[
        Path | None, typer.Option("--out", help="Write the table to this CSV file instead of stdout.")
    ] = None,
    json: Json = False,
) -> None:
    """Compare levels of segments with the rest; small cells say "protected"."""
    from declinethemes.errors import SettingsError
    from declinethemes.publish import merge_offers
    from declinethemes.store import write_text
    from declinethemes.study import Study

    if trend and (by or adjust_for or asked):
        raise SettingsError("--trend compares batches: leave out --by, --adjust-for and --asked")
    keep_audit(study, audit)
    opened = Study.open(study)
    counted: dict[str, Any] = {"stance": "all" if all_mentions else None, "internal": internal}
    if trend:
        over = opened.trend(**counted)
        frame, notes = over.to_frame(), over.notes
        lines = trend_lines(over)
    else:
        found = opened.crosstab(
            by=read_by(by), adjust_for=adjust_for or None, among="asked" if asked else None, **counted
        )
        frame = found.to_frame()
        lines = verdict_lines(frame, found.sentences())
        notes = (*found.notes, *merge_offers(frame))
    if out is None:
        put(frame, as_json=json)
    else:
        write_text(out, frame.to_csv(index=False))
        say(f"wrote {out}")
    for line in [*lines, *(f"note: {note}" for note in notes)]:
        say(line)
    say("internal: full numbers, not to be passed on" if internal else "working draft: see docs/disclosure.md")


def trend_lines(over: Trend) -> list[str]:
    """Return a trend in words: a line per item that rises or falls, and how many there are of each verdict."""
    frame, lines = over.to_frame(), []
    first, last = max(over.breaks, key=over.batches.index, default=over.batches[0]), over.batches[-1]
    for row in frame[frame["verdict"].isin(["rises", "falls"])].to_dict("records"):
        step = f"{row['item']} {row['verdict']}: {round(100 * row['slope']):+d} points a batch"
        start, end = (round(100 * row[f"share {name}"]) for name in (first, last))
        lines.append(f"{step}, {start} % in {first}, {end} % in {last}")
    counts = frame["verdict"].value_counts().sort_index()
    return [*lines, f"items: {', '.join(f'{n} {verdict}' for verdict, n in counts.items()) or 'none'}"]


def read_by(entries: list[str] | None) -> list[str | tuple[str, ...]] | None:
    """Return segments from entries such as ``gender`` or ``gender x role``; None if there are none."""
    parts = [tuple(part.strip() for part in entry.split(" x ")) for entry in entries or []]
    return [part if len(part) > 1 else part[0] for part in parts] or None

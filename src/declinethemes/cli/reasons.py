"""`themes reasons`: the reasons the hiring team presumed beside what candidates said, under the disclosure rules."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from declinethemes.cli.discover import Folder
from declinethemes.cli.show import put, say

if TYPE_CHECKING:
    from declinethemes.prepare import ReasonGap


def reasons_cli(
    study: Folder,
    by: Annotated[
        list[str] | None, typer.Option("--by", help="Break down by this column too; give it again for more.")
    ] = None,
    mapping: Annotated[
        Path | None,
        typer.Option("--map", help="Reasons of your own (TOML: [[reason]] with words, code, theme); wins over ours."),
    ] = None,
    json: Annotated[
        bool, typer.Option("--json", help="Codes, reasons, what was heard instead and unknown ones as JSON.")
    ] = False,
) -> None:
    """Compare presumed reasons with what candidates said; small groups are left blank."""
    from declinethemes.study import Study

    gap = Study.open(study).reason_gap(by=by or None, mapping=mapping)
    if json:
        put(as_dict(gap), as_json=True)
    else:
        put(gap.to_frame(), as_json=False)
    for line in [
        *gap.notes,
        *unknown(gap),
        "working draft: what was heard is unaudited model tags; see docs/before.md",
    ]:
        say(line)


def as_dict(gap: ReasonGap) -> dict[str, Any]:
    """Return the comparison for a program to read."""
    import json

    frames = ("codes", "instead", "reasons", "unmapped")
    tables = {name: json.loads(getattr(gap, name).to_json(orient="records", double_precision=12)) for name in frames}
    return {**tables, "counts": gap.counts, "parameters": gap.parameters, "notes": gap.notes}


def unknown(gap: ReasonGap) -> list[str]:
    """Return a line per reason that no table knows."""
    rows = gap.unmapped.to_dict("records")
    named = [
        f"'{row['reason']}' ({'few' if row['n'] is None or row['n'] != row['n'] else row['n']})"
        for row in rows
        if isinstance(row["reason"], str)
    ]
    lines = [f"reasons that are not known, name them with --map: {', '.join(named)}"] if named else []
    rest = len(rows) - len(named)
    return lines + ([f"and {rest} in free text of few candidates, not shown"] if rest else [])

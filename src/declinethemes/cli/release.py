"""`themes release`: tables that may be shown to others."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from declinethemes.cli.crosstab import By, read_by
from declinethemes.cli.discover import Folder
from declinethemes.cli.show import put, say
from declinethemes.errors import SettingsError


def release_cli(
    study: Folder,
    out: Annotated[Path, typer.Option("--out", help="The folder for the tables.", show_default=False)],
    by: By = None,
    where: Annotated[
        list[str] | None,
        typer.Option("--where", help="Only candidates with this, as COLUMN=LEVEL; give it again for more."),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print what was released as JSON on stdout.")] = False,
) -> None:
    """Write tables that may be shown, audited together with every earlier release, and enter them in the ledger."""
    from declinethemes.study import Study

    made = Study.open(study).release(out, by=read_by(by), where=read_where(where or []))
    for note in made.notes:
        say(f"note: {note}")
    say(
        f"{made.stamp}: {made.n_shown} of {len(made.counts)} cells are shown, "
        f"{made.n_compared} beside the rest; wrote {out}"
    )
    if json:
        put(made.summary(), as_json=True)


def read_where(entries: list[str]) -> dict[str, str]:
    """Return the filter from entries such as ``location=NY``.

    Raises
    ------
    SettingsError
        An entry has another form, or a column is given twice.
    """
    out: dict[str, str] = {}
    for entry in entries:
        column, equals, level = (part.strip() for part in entry.partition("="))
        if not (column and equals and level) or column in out:
            raise SettingsError(f"--where needs COLUMN=LEVEL, each column once; found {entry!r}")
        out[column] = level
    return out

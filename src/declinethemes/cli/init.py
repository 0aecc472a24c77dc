"""`themes init`: draft study.toml from the user's candidates file."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from declinethemes.cli.show import say


def init_cli(
    candidates: Annotated[Path, typer.Argument(help="The candidates file: .csv, .tsv or .xlsx.", show_default=False)],
    out: Annotated[
        Path | None, typer.Option("--out", help="The study's folder to write study.toml to; default: stdout.")
    ] = None,
) -> None:
    """Draft study.toml from your candidates file and show the guesses."""
    from declinethemes.errors import StudyError
    from declinethemes.ingest import draft_study
    from declinethemes.store import make_folder, write_text
    from declinethemes.study import SETTINGS

    settings, text = draft_study(candidates)
    for header, column in settings.columns.items():
        say(f"column '{header}' is read as {column or '(left out)'}")
    say(f"segments: {', '.join(settings.segments) or '(none found: they need two to twelve levels)'}")
    if out is None:
        sys.stdout.write(text)
        return
    if (out / SETTINGS).exists():
        raise StudyError(f"{out / SETTINGS} is there already; edit it, or remove it first")
    write_text(make_folder(out) / SETTINGS, text)
    say(
        f"wrote {out / SETTINGS}: check it, above all who is under-represented here, "
        f"then `themes run PATHS --candidates {candidates} --out {out}`"
    )

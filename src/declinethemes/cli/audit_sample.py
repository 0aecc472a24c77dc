"""`themes audit-sample`: draw candidates for review by people."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from declinethemes.cli.discover import Folder
from declinethemes.cli.run import By
from declinethemes.cli.show import say

Audit = Annotated[
    Path | None,
    typer.Option("--audit", help="Reviews: the filled sheet of `themes audit-sample`; kept in the study."),
]


def audit_sample_cli(
    study: Folder,
    out: Annotated[Path, typer.Option("--out", help="The .xlsx file to write.", show_default=False)],
    per_segment: Annotated[
        int, typer.Option("--per-segment", help="Candidates drawn within each level; all where there are no more.")
    ] = 50,
    by: By = None,
    item: Annotated[
        list[str] | None,
        typer.Option("--item", help="Only this item; again for more. Default: all codes and known themes."),
    ] = None,
) -> None:
    """Draw candidates at random within each level, and write the sheet that reviewers fill in (`--audit` reads it)."""
    from declinethemes.errors import SettingsError
    from declinethemes.study import Study

    if out.suffix.lower() != ".xlsx":
        raise SettingsError(f"the sheet is an Excel file: give --out a name that ends in .xlsx; found '{out}'")
    opened = Study.open(study)
    sample = opened.audit_sample(out, by=by or None, per_segment=per_segment, items=item or None)
    say(f"wrote {out}: {len(sample)} of {len(opened.people)} candidates drawn")
    say("it holds candidates' words: keep it as private as the calls")
    say(f"when it is filled in: themes report {study} --audit {out}")


def keep_audit(study: Path, reviews: Path | None) -> None:
    """Keep the decisions of a filled sheet in the study, if there is one."""
    from declinethemes.study import Study

    if reviews is not None:
        say(f"{Study.open(study).read_audit(reviews)} new decisions kept from {reviews.name}")

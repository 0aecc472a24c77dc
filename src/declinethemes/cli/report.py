"""`themes report`: the report of a study."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from declinethemes.cli.discover import Folder
from declinethemes.cli.show import put, say


def report_cli(
    study: Folder,
    out: Annotated[Path | None, typer.Option("--out", help="The HTML file; default: report.html in the study.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print what the report shows as JSON on stdout.")] = False,
) -> None:
    """Write the report again, as one HTML file that needs no network."""
    from declinethemes.study import Study

    opened = Study.open(study)
    say(f"wrote {opened.report(out or study / 'report.html')}")
    if json:
        put(opened.summary(), as_json=True)

"""`themes report`: the report of a study."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from declinethemes.cli.audit_sample import Audit, keep_audit
from declinethemes.cli.discover import Folder
from declinethemes.cli.show import put, say

if TYPE_CHECKING:
    from declinethemes.study import Study


def report_cli(
    study: Folder,
    out: Annotated[Path | None, typer.Option("--out", help="The HTML file; default: report.html in the study.")] = None,
    audit: Audit = None,
    approve_quotes: Annotated[
        bool, typer.Option("--approve-quotes", help="Ask about each quote on a sensitive item, and keep the answers.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print what the report shows as JSON on stdout.")] = False,
) -> None:
    """Write the report again, as one HTML file that needs no network."""
    from declinethemes.study import Study

    keep_audit(study, audit)
    opened = Study.open(study)
    if approve_quotes:
        opened.refresh()
        ask_about_quotes(opened)
    say(f"wrote {opened.report(out or study / 'report.html')}")
    if json:
        put(opened.summary(), as_json=True)


def ask_about_quotes(study: Study) -> None:
    """Show every undecided quote on a sensitive item, and keep a yes or a no for each."""
    waiting = study.quotes_to_approve()
    if waiting.empty:
        say("no quote waits for approval")
    for number, row in enumerate(waiting.to_dict("records"), start=1):
        say(f"\n{number} of {len(waiting)}, {row['label']}:\n  {row['text']}")
        study.approve_quotes({row["passage_id"]: typer.confirm("May it be quoted?", default=False, err=True)})

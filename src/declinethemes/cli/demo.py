"""`themes demo`: the whole job on the sample study."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from declinethemes.cli.run import report_skips, run
from declinethemes.cli.show import say, summary_lines


def demo_cli(
    out: Annotated[Path, typer.Option("--out", help="Folder to write the study to.")] = Path("demo-study"),
) -> None:
    """Run the whole job on the sample study (an invented company and invented people) and say where the report is."""
    from declinethemes._resources import resource

    sample = resource("corpora/sample")
    say(f"sample study in {sample}; everybody in it is invented")
    summary = run(
        [sample / "documents"], candidates=sample / "candidates.csv", out=out, by=None, settings=sample / "study.toml"
    )
    report_skips(summary)
    say("tags of the candidates that the tagger was trained on come from models that did not see them")
    for line in summary_lines(summary, out / "report.html"):
        say(line)

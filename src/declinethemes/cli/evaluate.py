"""`themes evaluate`: a tagger against codes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from declinethemes.cli.show import put, say


def evaluate_cli(
    corpus: Annotated[
        Path,
        typer.Argument(
            help="A coded corpus: a folder like the sample, or a .csv with columns text and code.", show_default=False
        ),
    ],
    split: Annotated[
        list[str] | None, typer.Option("--split", help="Only this split of splits.csv; give it again for more.")
    ] = None,
    tagger: Annotated[
        Path | None, typer.Option("--tagger", help="Folder of a tagger; default: the shipped one.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="JSON instead of CSV.")] = False,
) -> None:
    """Print precision, recall and F1 per category and code; the overall figures go to stderr."""
    from declinethemes.tag import Tagger
    from declinethemes.training import measure, read_coded

    table, figures = measure(Tagger.load(tagger), read_coded(corpus, splits=split))
    put({"figures": figures, "table": table.to_dict("records")} if json else table.round(3), as_json=json)
    for name, value in figures.items():
        say(f"{name:20} {value:.3f}")

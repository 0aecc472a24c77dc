"""`themes tag`: the tags of one file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from declinethemes.cli.show import put

if TYPE_CHECKING:
    import pandas as pd


def tag_cli(
    file: Annotated[Path, typer.Argument(help="A transcript or a note.", show_default=False)],
    candidate: Annotated[str, typer.Option("--candidate", help="Name of the candidate as it stands in the file.")] = "",
    json: Annotated[bool, typer.Option("--json", help="JSON instead of CSV.")] = False,
) -> None:
    """Print the tags of one file; nothing is stored."""
    put(tag(file, candidate), as_json=json)


def tag(file: Path, candidate: str) -> pd.DataFrame:
    """Return columns passage_id, prompt, text, code, probability, decision, stance; names in the file are replaced."""
    from declinethemes.corpus import read_file
    from declinethemes.tag import Tagger

    passages = read_file(file, candidate=candidate)
    tags = Tagger.load().tag(passages)
    place = ["document_id", "turn_no", "start_char"]
    merged = passages[["passage_id", *place, "prompt", "text"]].merge(tags, on="passage_id", how="left")
    merged = merged.sort_values([*place, "probability"], ascending=[True, True, True, False])
    return merged[["passage_id", "prompt", "text", "code", "probability", "decision", "stance"]]

"""`themes tag`: the tags of one file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from declinethemes.cli.show import put, say

if TYPE_CHECKING:
    import pandas as pd


def tag_cli(
    file: Annotated[Path, typer.Argument(help="A transcript or a note.", show_default=False)],
    candidate: Annotated[str, typer.Option("--candidate", help="Name of the candidate as it stands in the file.")] = "",
    model: Annotated[
        Path | None, typer.Option("--tagger", help="Folder of a tagger; default: the shipped one.")
    ] = None,
    explain: Annotated[
        bool, typer.Option("--explain", help="Add the phrase that carried each tag, found by leaving it out.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="JSON instead of CSV.")] = False,
) -> None:
    """Print the tags of one file; nothing is stored."""
    put(tag(file, candidate, tagger=model, explained=explain), as_json=json)


def tag(file: Path, candidate: str, *, tagger: Path | None = None, explained: bool = False) -> pd.DataFrame:
    """Return columns passage_id, prompt, text, code, probability, decision, stance (and because, on request).

    Names in the file are replaced.
    """
    import pandas as pd

    from declinethemes.corpus import read_file
    from declinethemes.passages import language
    from declinethemes.tag import Tagger
    from declinethemes.tag.explain import carried

    passages = read_file(file, candidate=candidate)
    model = Tagger.load(tagger)
    tags = model.tag(passages)
    spoken = language(" ".join(passages["text"]))
    if spoken != "en":
        say(f"{file.name}: language {spoken} is not supported: all its tags are marked unsure")
        tags["decision"] = "unsure"
    place = ["document_id", "turn_no", "start_char"]
    merged = passages[["passage_id", *place, "prompt", "text"]].merge(tags, on="passage_id", how="left")
    merged = merged.sort_values([*place, "probability"], ascending=[True, True, True, False])
    columns = ["passage_id", "prompt", "text", "code", "probability", "decision", "stance"]
    if explained:
        coded = merged[merged["code"].notna()]
        prompts = [None if pd.isna(p) else str(p) for p in coded["prompt"]]
        found = carried(model, coded["text"].tolist(), coded["code"].tolist(), prompts)
        merged["because"] = pd.Series(found, index=coded.index, dtype="string")
        columns.append("because")
    return merged[columns]

"""`themes crosstab`: findings by segment, under the disclosure rules."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from declinethemes.cli.discover import Folder, Json
from declinethemes.cli.run import By
from declinethemes.cli.show import put, say


def crosstab_cli(
    study: Folder,
    by: By = None,
    adjust_for: Annotated[
        list[str] | None, typer.Option("--adjust-for", help="Hold this column fixed; give it again for more.")
    ] = None,
    asked: Annotated[bool, typer.Option("--asked", help="Only candidates who were asked about the item.")] = False,
    all_mentions: Annotated[
        bool, typer.Option("--all-mentions", help="Count every mention, not only complaints.")
    ] = False,
    out: Annotated[
        Path | None, typer.Option("--out", help="Write the table to this CSV file instead of stdout.")
    ] = None,
    json: Json = False,
) -> None:
    """Compare levels of segments with the rest; small cells say "protected"."""
    from declinethemes.store import write_text
    from declinethemes.study import Study

    result = Study.open(study).crosstab(
        by=by or None,
        adjust_for=adjust_for or None,
        among="asked" if asked else None,
        stance="all" if all_mentions else None,
    )
    if out is None:
        put(result.to_frame(), as_json=json)
    else:
        write_text(out, result.to_frame().to_csv(index=False))
        say(f"wrote {out}")
    say("working draft: findings are unaudited model tags; see docs/methods.md")

"""`themes discover`: the themes of a study."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from declinethemes.cli.show import put, say

Folder = Annotated[Path, typer.Argument(help="The study's folder.", show_default=False)]
Json = Annotated[bool, typer.Option("--json", help="JSON instead of CSV.")]


def discover_cli(study: Folder, json: Json = False) -> None:
    """Bring the themes up to date and print them; small counts are left out."""
    import pandas as pd

    from declinethemes.study import Study

    opened = Study.open(study)
    opened.discover()
    summary = opened.summary()
    put(pd.DataFrame(summary["themes"]).drop(columns=["quotes"], errors="ignore"), as_json=json)
    say(f"passages without a theme: {'; '.join(summary['quality']['without_theme']) or 'none'}")

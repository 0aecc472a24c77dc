"""`themes discover`: the themes of a study."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from declinethemes.cli.show import put, say

if TYPE_CHECKING:
    import pandas as pd

Folder = Annotated[Path, typer.Argument(help="The study's folder.", show_default=False)]
Rebuild = Annotated[bool, typer.Option("--rebuild", help="Group everything anew, not only what fits no theme.")]
Holdout = Annotated[
    bool | None,
    typer.Option(
        "--holdout/--no-holdout",
        help="Seek new themes in one half of the candidates and compare them in the other. Default: as last time.",
        show_default=False,
    ),
]
Rename = Annotated[
    list[str] | None,
    typer.Option("--rename", help="ID=NAME: give a theme a name that it keeps; again for more.", show_default=False),
]
Ledger = Annotated[bool, typer.Option("--ledger", help="What became of each theme in each run, instead of the themes.")]
Tree = Annotated[bool, typer.Option("--tree", help="Categories, codes and themes as an outline, with what may be one.")]
Json = Annotated[bool, typer.Option("--json", help="JSON instead of CSV.")]


def discover_cli(
    study: Folder,
    rebuild: Rebuild = False,
    holdout: Holdout = None,
    rename: Rename = None,
    ledger: Ledger = False,
    tree: Tree = False,
    json: Json = False,
) -> None:
    """Bring the themes up to date and print them; small counts are left out."""
    import pandas as pd

    from declinethemes.errors import InputError
    from declinethemes.study import Study

    opened = Study.open(study)
    opened.discover(rebuild=rebuild, holdout=holdout)
    for pair in rename or []:
        theme_id, equals, label = pair.partition("=")
        if not equals:
            raise InputError(f"--rename needs ID=NAME; found '{pair}'")
        opened.rename(theme_id.strip(), label)
    summary = opened.summary()
    if ledger:
        put(opened.history(), as_json=json)
    elif tree:
        typer.echo("\n".join(outline(summary["themes"], opened.merge_suggestions())))
    else:
        put(pd.DataFrame(summary["themes"]).drop(columns=["quotes", "carried"], errors="ignore"), as_json=json)
    say(f"passages without a theme: {'; '.join(summary['quality']['without_theme']) or 'none'}")


def outline(themes: list[dict[str, Any]], suggestions: pd.DataFrame) -> list[str]:
    """Return categories, codes and themes, a line each, and under them the pairs that may be one."""
    lines, category, code = [], None, None
    for theme in themes:
        if theme["category_label"] != category:
            category, code = theme["category_label"], None
            lines.append(category)
        if theme["code_label"] != code:
            code = theme["code_label"]
            lines.append(f"  {code}")
        n = "protected" if theme["protected"] else f"{theme['n_candidates']} candidates"
        holds = "" if theme["stability"] is None else f", stability {theme['stability']:.2f}"
        doubt = ", tentative" if theme["status"] == "tentative" else ""
        lines.append(f"    {theme['theme_id']}  {theme['label']} ({n}{holds}{doubt})")
    pairs = suggestions.to_dict("records")
    return lines + [f"may be one: {p['theme_id']} and {p['other_id']} ({p['overlap']:.0%} overlap)" for p in pairs]

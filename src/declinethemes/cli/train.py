"""`themes train`: a tagger from coded passages."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from declinethemes.cli.show import put, say

CodedFiles = Annotated[
    list[Path],
    typer.Argument(
        help="Coded corpora: folders like the sample, or .csv with columns text and code.", show_default=False
    ),
]


def train_cli(
    corpora: CodedFiles,
    out: Annotated[Path, typer.Option("--out", help="Folder to write the tagger to.", show_default=False)],
    framework: Annotated[
        Path | None,
        typer.Option("--framework", help="A codebook of your own (TOML); default: the decline-interview framework."),
    ] = None,
    encoder: Annotated[
        str | None,
        typer.Option(
            "--encoder",
            help="minilm-int8, hiring-int8, or a sentence-transformers model on this machine; "
            "default: the better one of the two shipped.",
        ),
    ] = None,
    seed: Annotated[int, typer.Option("--seed", help="Seed of the folds.")] = 0,
    json: Annotated[bool, typer.Option("--json", help="Print the card as JSON on stdout.")] = False,
) -> None:
    """Train a tagger on coded passages: eight per code at least."""
    from declinethemes.encode import SHIPPED
    from declinethemes.framework import load_framework
    from declinethemes.training import train_tagger

    encoders = (encoder,) if encoder else tuple(SHIPPED)
    card = train_tagger(corpora, framework=load_framework(framework), out=out, encoders=encoders, random_state=seed)
    say(
        f"trained {card['id']} on {card['n_passages']} passages of {card['n_candidates']} candidates or voices; "
        f"wrote {out}"
    )
    if json:
        put(card, as_json=True)

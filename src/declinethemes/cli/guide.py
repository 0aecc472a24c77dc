"""`themes guide`: the interview guide and a blank note form."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from declinethemes.cli.show import say
from declinethemes.errors import SettingsError

if TYPE_CHECKING:
    from declinethemes.prepare import Guide

_GUIDES: Mapping[str, Callable[[Guide], str | bytes]] = {
    ".md": lambda guide: guide.to_markdown(),
    ".html": lambda guide: guide.to_html(),
    ".docx": lambda guide: guide.to_docx(),
}
_FORMS: Mapping[str, Callable[[Guide], str | bytes]] = {
    ".docx": lambda guide: guide.form_docx(),
    ".txt": lambda guide: guide.form_text(),
    ".md": lambda guide: guide.form_text(),
}


def guide_cli(
    framework: Annotated[
        Path | None,
        typer.Option("--framework", help="A codebook of your own (TOML); default: the decline-interview framework."),
    ] = None,
    minutes: Annotated[int, typer.Option("--minutes", help="Length of the conversation.")] = 30,
    out: Annotated[
        Path | None, typer.Option("--out", help="Write the guide to this .md, .html or .docx file; default: stdout.")
    ] = None,
    form: Annotated[
        Path | None, typer.Option("--form", help="Write a blank note form to this .docx, .txt or .md file.")
    ] = None,
) -> None:
    """Make the interview guide: questions in order, follow-ups, a time plan; and a note form to fill in."""
    from declinethemes.framework import load_framework
    from declinethemes.prepare import interview_guide

    made = interview_guide(load_framework(framework), minutes=minutes)
    targets = [(path, kinds) for path, kinds in ((out, _GUIDES), (form, _FORMS)) if path is not None]
    for path, kinds in targets:
        if path.suffix.lower() not in kinds:
            raise SettingsError(f"{path.name}: '{path.suffix}' is not written here; written are {', '.join(kinds)}")
    for path, kinds in targets:
        write(path, kinds[path.suffix.lower()](made))
    if not targets:
        sys.stdout.write(made.to_markdown())


def write(path: Path, content: str | bytes) -> None:
    """Write a file and say so."""
    from declinethemes.store import write_bytes

    write_bytes(path, content.encode("utf-8") if isinstance(content, str) else content)
    say(f"wrote {path}")

"""`themes brief`: one page for the person who is about to call a candidate who declined."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from declinethemes.cli.declines import Dates, Outcome, date_order, outcome_words
from declinethemes.cli.show import put, say
from declinethemes.errors import SettingsError, StudyError

if TYPE_CHECKING:
    from declinethemes.prepare import Brief

_KINDS: Mapping[str, Callable[[Brief], str | bytes]] = {
    ".html": lambda brief: brief.to_html(),
    ".md": lambda brief: brief.to_markdown(),
    ".docx": lambda brief: brief.to_docx(),
}


def brief_cli(
    candidate: Annotated[str, typer.Argument(help="The candidate_id.", show_default=False)],
    study: Annotated[
        Path | None,
        typer.Option("--study", help="The study's folder: candidates, feedback, earlier batches, contacts."),
    ] = None,
    offers: Annotated[
        Path | None,
        typer.Option("--offers", help="The offers file: .csv, .tsv or .xlsx; enough before there is a study."),
    ] = None,
    feedback: Annotated[
        list[Path] | None,
        typer.Option(
            "--feedback", help="Interviewers' feedback on the candidate, or a folder; give it again for more."
        ),
    ] = None,
    notes: Annotated[
        list[Path] | None,
        typer.Option("--notes", help="Notes or e-mails with the candidate's words; give it again for more."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="Write it to this .html, .md or .docx file; default: Markdown on stdout."),
    ] = None,
    name: Annotated[bool, typer.Option("--name", help="Show the candidate's name, where it is known.")] = False,
    mapping: Annotated[
        Path | None, typer.Option("--map", help="Reasons of your own (TOML), as in themes reasons.")
    ] = None,
    settings: Annotated[
        Path | None, typer.Option("--settings", help="A study.toml for the offers file; default: the one of --study.")
    ] = None,
    outcome: Outcome = None,
    dates: Dates = None,
    json: Annotated[bool, typer.Option("--json", help="Print the brief as JSON on stdout.")] = False,
) -> None:
    """Write the brief for a call: offer, waits, feedback, presumed reason, earlier batches, what to probe."""
    if study is None and offers is None:
        raise typer.BadParameter("give --study, --offers, or both", param_hint="CANDIDATE")
    if out is not None and out.suffix.lower() not in _KINDS:
        raise SettingsError(f"{out.name}: '{out.suffix}' is not written here; written are {', '.join(_KINDS)}")
    options: dict[str, Any] = {"offers": offers, "feedback": feedback or [], "notes": notes or [], "mapping": mapping}
    options |= {"outcomes": outcome_words(outcome or []), "dates": date_order(dates), "name": name}
    made = brief(candidate, study, settings, **options)
    for text in made.alerts:
        say(text)
    if name and not made.name:
        say(f"no name of {candidate} is known")
    if out is not None:
        write(out, _KINDS[out.suffix.lower()](made))
    if json:
        put(made.to_dict(), as_json=True)
    elif out is None:
        sys.stdout.write(made.to_markdown())


def brief(candidate: str, study: Path | None, settings: Path | None, **options: Any) -> Brief:
    """Return the brief of a candidate, from a study, from what it knows of contacts alone, or from files."""
    from declinethemes.briefing import Known, make_brief
    from declinethemes.config import Settings, read_settings
    from declinethemes.store import DATABASE, Store
    from declinethemes.study import SETTINGS, Study

    if study is not None and settings is None and (study / SETTINGS).is_file():
        return Study.open(study).brief(candidate, **options)
    if study is not None and not (study / DATABASE).is_file():
        raise StudyError(f"{study} holds no study (no {DATABASE}); give the folder of one, or --offers alone")
    if study is not None and settings is not None:
        raise SettingsError("give --settings with --offers alone: a study has its own study.toml")
    tables = {} if study is None else {"contacts": Store(study).read("contacts")}
    known = Known(tables=tables, settings=read_settings(settings) if settings else Settings())
    return make_brief(candidate, known, **options)


def write(path: Path, content: str | bytes) -> None:
    """Write the page for nobody else to read, and say so."""
    from declinethemes.store import write_bytes

    write_bytes(path, content.encode("utf-8") if isinstance(content, str) else content, mode=0o600)
    say(f"wrote {path}")

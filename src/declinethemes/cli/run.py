"""`themes run` and `themes ingest`: files into a study."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from declinethemes.cli.show import progress, put, say, summary_lines

if TYPE_CHECKING:
    from declinethemes.ingest import People

Files = Annotated[
    list[Path], typer.Argument(help="Transcripts, notes, tables of notes, or folders of them.", show_default=False)
]
Candidates = Annotated[
    Path, typer.Option("--candidates", help="The candidates file: .csv, .tsv or .xlsx.", show_default=False)
]
Out = Annotated[
    Path,
    typer.Option(
        "--out", help="The study's folder; an existing study is continued with what is new.", show_default=False
    ),
]
By = Annotated[
    list[str] | None,
    typer.Option("--by", help="A segment column; give it again for more. Default: those in study.toml."),
]
Config = Annotated[
    Path | None,
    typer.Option("--settings", help="A study.toml; default: the one in the folder, or one drafted from your file."),
]
Strict = Annotated[bool, typer.Option("--strict", help="End with status 1 if a document was skipped.")]
Json = Annotated[bool, typer.Option("--json", help="Print the summary as JSON on stdout.")]


def run_cli(
    paths: Files,
    candidates: Candidates,
    out: Out,
    by: By = None,
    settings: Config = None,
    strict: Strict = False,
    json: Json = False,
) -> None:
    """Go the whole way: read, redact, tag, find themes, compare segments, report."""
    summary = run(paths, candidates=candidates, out=out, by=by, settings=settings)
    skipped = report_skips(summary)
    for line in summary_lines(summary, out / "report.html"):
        say(line)
    if json:
        put(summary["counts"], as_json=True)
    if strict and skipped:
        raise typer.Exit(1)


def ingest_cli(
    paths: Files, candidates: Candidates, out: Out, settings: Config = None, strict: Strict = False, json: Json = False
) -> None:
    """Read, redact and tag what is new; themes and findings stay as they are."""
    from declinethemes.ingest import read_people
    from declinethemes.study import Study

    study = Study.create(out, candidates=candidates, settings=settings)
    people = read_people(candidates, study.settings.columns)
    with progress() as update:
        study.ingest(paths, people, progress=update)
    say_notes(people)
    documents = study.documents
    skipped = documents[documents["status"] == "skipped"]
    for name, reason in zip(skipped["document_id"], skipped["reason"], strict=True):
        say(f"skipped {name}: {reason}")
    counts = {
        "documents_read": int((documents["status"] == "read").sum()),
        "documents_skipped": len(skipped),
        "passages": len(study.passages),
    }
    say(
        f"{counts['documents_read']} documents read, {counts['documents_skipped']} skipped, "
        f"{counts['passages']} passages"
    )
    if json:
        put(counts, as_json=True)
    if strict and len(skipped):
        raise typer.Exit(1)


def run(
    paths: list[Path], *, candidates: Path, out: Path, by: list[str] | None, settings: Path | None
) -> dict[str, Any]:
    """Run the whole job and write the report and the tables; return the summary."""
    from declinethemes.ingest import read_people
    from declinethemes.study import SETTINGS, analyze

    drafted = settings is None and not (out / SETTINGS).is_file()
    with progress() as update:
        study = analyze(paths, candidates=candidates, study=out, by=by, settings=settings, progress=update)
    if drafted:
        say(f"settings were drafted from {candidates.name}: check {out / SETTINGS}")
    say_notes(read_people(candidates, study.settings.columns))
    study.report(out / "report.html")
    study.tables(out / "tables")
    return study.summary()


def say_notes(people: People) -> None:
    """Say what is to be known of the candidates file."""
    for note in people.notes:
        say(f"note on {people.path.name if people.path else 'the candidates'}: {note}")


def report_skips(summary: dict[str, Any]) -> int:
    """List skipped and doubtful documents on stderr; return how many were skipped."""
    quality = summary["quality"]
    for entry in quality["skipped"]:
        say(f"skipped {entry['document_id']}: {entry['reason']}")
    for name in quality["doubtful_roles"]:
        say(f"doubtful {name}: who is the candidate was decided by how they talk; add names to the candidates file")
    return len(quality["skipped"])

"""`themes coverage`: which questions of the guide were asked and answered, per call, and how interviewers ask."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Annotated, Any

import typer

from declinethemes.cli.discover import Folder
from declinethemes.cli.show import put, say

if TYPE_CHECKING:
    import pandas as pd

    from declinethemes.prepare import Coverage
    from declinethemes.study import Study

FRAMES = ("calls", "items", "questions", "interviewers", "leading")
_CALL, _STATE, _LABEL, _NUMBER = 21, 11, 30, 8  # widths that fit six categories into 100 columns
_LEGEND = (
    "'.': answered; thin: asked, with next to nothing for an answer; volunteered: spoken of unasked; gap: neither;",
    "unclear: not asked, and whether it was spoken of is in doubt; gaps: how many questions of the guide are gaps",
    "words, time: the interviewer's part of their calls; share: of what they asked; '-': too few calls, or unknown",
)


def coverage_cli(
    study: Folder,
    names: Annotated[
        bool, typer.Option("--names", help="Interviewers by name, for those entitled; default: pseudonyms.")
    ] = False,
    leading: Annotated[
        bool, typer.Option("--leading", help="The leading questions themselves, by interviewer.")
    ] = False,
    out: Annotated[
        Path | None, typer.Option("--out", help=f"Write {', '.join(FRAMES)} as CSV into this folder instead.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="All five tables as JSON.")] = False,
) -> None:
    """Show what each call asked of the guide, and how much interviewers talk and how often they lead."""
    from declinethemes.study import Study

    opened = Study.open(study)
    found = opened.coverage()
    if names:
        found = found.named(interviewer_names(opened))
    if out is not None:
        write(found, out)
    elif json:
        put(as_dict(found), as_json=True)
    elif leading:
        typer.echo("\n".join(quoted(found)))
    else:
        typer.echo("\n".join([*by_question(found), "", *by_call(found), "", *by_interviewer(found)]))
    if out is None and not (json or leading):
        for line in _LEGEND:
            say(line)
    for line in [*found.notes, "working draft for those who made the calls: model tags, and a rule of thumb for leads"]:
        say(line)
    say("for coaching, not for rating anybody; see docs/coverage.md for what is not claimed")


def interviewer_names(study: Study) -> dict[str, str]:
    """Return the name of each pseudonym that is not a candidate's, from the study's identities."""
    import pandas as pd

    from declinethemes.redact import Redactor

    private = study.store.identities()
    redactor = Redactor(pd.DataFrame(private["people"]), others=private["others"], key=bytes.fromhex(private["key"]))
    longest = sorted(redactor.others, key=len)  # of several spellings the fullest is kept
    return {redactor.speaker(name): name for name in longest}


def write(found: Coverage, folder: Path) -> None:
    """Write every table as CSV and say so."""
    from declinethemes.store import make_folder, write_text

    place = make_folder(folder)
    for name in FRAMES:
        write_text(place / f"{name}.csv", getattr(found, name).to_csv(index=False))
    say(f"wrote {', '.join(f'{name}.csv' for name in FRAMES)} in {place}")


def as_dict(found: Coverage) -> dict[str, Any]:
    """Return all tables for a program to read."""
    import json

    dates = {"date_format": "iso", "double_precision": 12}
    tables = {name: json.loads(getattr(found, name).to_json(orient="records", **dates)) for name in FRAMES}
    return {**tables, "counts": dict(found.counts), "notes": list(found.notes)}


def by_question(found: Coverage) -> list[str]:
    """Return a line per category and code: in how many calls it was answered, thin, volunteered, a gap."""
    total = found.counts["calls"] + found.counts["notes"]
    heads = ("answered", "thin", "volunteered", "unclear", "gap")
    lines = [_row(f"questions, {total} calls and notes", [(head, _STATE) for head in heads], _LABEL)]
    for row in found.questions.to_dict("records"):
        label = row["label"] if row["kind"] == "category" else f"  {row['label']}"
        lines.append(_row(label, [(_count(row[f"n_{head}"]), _STATE) for head in heads], _LABEL))
    return lines


def by_call(found: Coverage) -> list[str]:
    """Return a line per call: the state of each category, and how many questions are gaps."""
    categories = list(found.questions.loc[found.questions["kind"] == "category", "item"])
    lines = [_row("call", [*((name, _STATE) for name in categories), ("gaps", 4)], _CALL)]
    for row in found.calls.to_dict("records"):
        states = [("." if row[name] == "answered" else row[name], _STATE) for name in categories]
        lines.append(_row(_short(row["document_id"]), [*states, (_count(row["n_gap"]), 4)], _CALL))
    return lines


def by_interviewer(found: Coverage) -> list[str]:
    """Return a line per interviewer."""
    heads = ("calls", "words", "time", "asked", "per call", "leading", "share")
    lines = [_row("interviewer", [(head, _NUMBER) for head in heads], _LABEL)]
    for row in found.interviewers.to_dict("records"):
        cells = [
            _count(row["n_calls"]),
            _percent(row["words_share"]),
            _percent(row["seconds_share"]),
            _count(row["n_questions"]),
            "-" if _missing(row["questions_per_call"]) else f"{row['questions_per_call']:.0f}",
            _count(row["n_leading"]),
            _percent(row["leading_share"]),
        ]
        lines.append(_row(row["interviewer"], [(cell, _NUMBER) for cell in cells], _LABEL))
    return lines


def quoted(found: Coverage) -> list[str]:
    """Return the leading questions, by interviewer and call."""
    rows: pd.DataFrame = found.leading.sort_values(["interviewer", "document_id", "turn_no"])
    lines: list[str] = []
    for (who, document), part in rows.groupby(["interviewer", "document_id"], sort=True):
        lines.append(f"{who}, {document}")
        lines += [f"  {row['kind']}: {row['question']}" for row in part.to_dict("records")]
    return lines or ["no leading question was found"]


def _row(first: str, cells: Sequence[tuple[str, int]], width: int) -> str:
    """Return one line: the first cell to the left, the others to the right of their columns."""
    return " ".join([_cut(first, width).ljust(width), *(_cut(text, n).rjust(n) for text, n in cells)]).rstrip()


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else f"{text[: width - 1]}…"


def _short(document_id: str) -> str:
    """Return the file name of a document without its folder."""
    return PurePosixPath(document_id).name


def _missing(value: Any) -> bool:
    return value is None or value != value or str(value) == "<NA>"


def _count(value: Any) -> str:
    return "-" if _missing(value) else str(int(value))


def _percent(value: Any) -> str:
    return "-" if _missing(value) else f"{value:.0%}"

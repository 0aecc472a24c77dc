"""How the commands talk: progress and summaries to stderr, data to stdout."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd


def say(text: str) -> None:
    """Write a message to stderr."""
    sys.stderr.write(f"{text}\n")


def put(data: pd.DataFrame | dict[str, Any], *, as_json: bool) -> None:
    """Write data to stdout: JSON records, or a CSV table, where a person is watching with six digits of each number."""
    if isinstance(data, dict):
        text = json.dumps(data, ensure_ascii=False)
    elif as_json:
        text = data.to_json(orient="records", date_format="iso")
    else:
        text = data.to_csv(index=False, float_format="%.6g" if sys.stdout.isatty() else None)
    sys.stdout.write(text if text.endswith("\n") else f"{text}\n")


@contextmanager
def progress() -> Iterator[Callable[[str, int, int], None]]:
    """Give a callback (stage, done, total) that draws a bar on stderr when a person is watching."""
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as bar:
        tasks: dict[str, Any] = {}

        def update(stage: str, done: int, total: int) -> None:
            if stage not in tasks:
                tasks[stage] = bar.add_task(stage, total=total)
            bar.update(tasks[stage], completed=done)

        yield update


def verdict_lines(table: pd.DataFrame, sentences: pd.Series, *, limit: int = 10) -> list[str]:
    """Return comparisons in words: a line per difference (a pair of mirrored ones once), and how many of each verdict.

    `table` has segment, difference, verdict and note, and `sentences` one text per row of it.
    """
    different = table.assign(sentence=sentences)[table["verdict"] == "difference"]
    keys = [name for name in ("segment", "item") if name in different]
    size = different["difference"].astype(float).abs().round(9)
    once = different[~different.assign(size=size).duplicated([*keys, "size"])]
    pairs = zip(once["sentence"].head(limit), once["note"].fillna(""), strict=False)
    lines = [f"difference: {text}{f' [{note}]' if note else ''}" for text, note in pairs]
    if len(once) > limit:
        lines.append(f"and {len(once) - limit} differences more: see the table")
    counts = table["verdict"].value_counts().sort_index()
    return [*lines, f"rows of the table: {', '.join(f'{n} {verdict}' for verdict, n in counts.items()) or 'none'}"]


def summary_lines(summary: dict[str, Any], report: Path | None) -> list[str]:
    """Return the summary of a study for a terminal."""
    counts = summary["counts"]
    none = "none: no candidate was heard" if summary["segments"] else "none: no segments declared"
    verdicts = ", ".join(f"{n} {verdict}" for verdict, n in counts["verdicts"].items()) or none
    few = (
        ""
        if counts["themes_emergent"]
        else " (a new theme needs 20 passages on one subject that no known theme covers)"
    )
    lines = [
        f"documents   {counts['documents_read']} read, {counts['documents_skipped']} skipped",
        f"candidates  {counts['candidates_heard']} heard of {counts['candidates']}",
        f"passages    {counts['passages']}",
        f"tags        {counts['tags_yes']} (and {counts['tags_unsure']} unsure)",
        f"themes      {counts['themes_known']} known, {counts['themes_emergent']} emergent{few}",
        f"findings    {verdicts}",
    ]
    return lines + ([f"report      {report}"] if report else [])

"""One file to turns: the reader for each suffix.

In: a path. Out: a frame in the form of the `turns` table, text as it is in the file (names not yet replaced). Which
candidate it belongs to is decided in `documents`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from os import PathLike
from pathlib import Path

import pandas as pd

from declinethemes.errors import InputError
from declinethemes.ingest.cues import Cue, Reading, to_turns
from declinethemes.ingest.decode import MAX_MB, decode, read_bytes
from declinethemes.ingest.speakers import label_roles
from declinethemes.ingest.srt import read_srt
from declinethemes.ingest.tables import read_entries, read_table
from declinethemes.ingest.text import read_text
from declinethemes.ingest.vtt import read_vtt
from declinethemes.ingest.word import read_word

TEXTS: Mapping[str, Callable[[str, str], Reading]] = {
    ".vtt": read_vtt,
    ".srt": read_srt,
    ".txt": read_text,
    ".md": read_text,
    ".markdown": read_text,
}
TABLES = (".csv", ".tsv", ".xlsx")
SUFFIXES = (*TEXTS, ".docx", *TABLES)


def read_turns(path: str | PathLike[str], *, max_mb: float = MAX_MB) -> pd.DataFrame:
    r"""Read one transcript, note or table of notes as turns.

    Parameters
    ----------
    path : str or path
        A .vtt, .srt, .txt, .md, .docx, .csv, .tsv or .xlsx file.
    max_mb : float, default 50
        Largest file that is read, in megabytes.

    Returns
    -------
    pandas.DataFrame
        Columns document_id (the file's name; ``name#row`` for a row of a table), turn_no from 0, speaker, speaker_role
        and role_basis (where the file itself says so: labels such as ``Interviewer:``, headings, notes), start_s, end_s
        (seconds), text. Names are not replaced.

    Raises
    ------
    InputError
        The file cannot be read; the message says why.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> file = pathlib.Path(tempfile.mkdtemp()) / "call.txt"
    >>> _ = file.write_text("Interviewer: Why?\nCandidate: Pay.\nCandidate: Mostly.")
    >>> read_turns(file)[["speaker", "text"]].values.tolist()
    [['Interviewer', 'Why?'], ['Candidate', 'Pay. Mostly.']]
    """
    path = Path(path)
    check_suffix(path)
    data = read_bytes(path, max_mb=max_mb)
    if path.suffix.lower() not in TABLES:
        return to_turns(parse(data, path).cues, path.name)
    frame, _ = read_table(data, path)
    entries, _ = read_entries(frame, {}, path.name)
    parts = [to_turns(entry.cues, f"{path.name}#{entry.row}") for entry in entries if entry.cues]
    if not parts:
        raise InputError(f"{path.name}: all rows are without text")
    return pd.concat(parts, ignore_index=True)


def check_suffix(path: Path) -> None:
    """Raise an InputError if files with this suffix are not read."""
    if path.suffix.lower() not in SUFFIXES:
        found = f"'{path.suffix}'" if path.suffix else "no suffix"
        raise InputError(f"{path.name}: {found} is not read; read are {', '.join(SUFFIXES)}")


def parse(data: bytes, path: Path) -> Reading:
    """Read the bytes of a transcript or note (no table) as cues, with the roles that labels state.

    Raises
    ------
    InputError
        The bytes are not what the suffix says, or hold no text.
    """
    if path.suffix.lower() == ".docx":
        reading = read_word(data, path.name)
    else:
        text, note = decode(data, path.name)
        reading = TEXTS[path.suffix.lower()](text, path.name)
        reading = Reading(cues=reading.cues, notes=(*((note,) if note else ()), *reading.notes))
    stated = label_roles({cue.speaker for cue in reading.cues if cue.speaker})
    return Reading(cues=[_stated(cue, stated) for cue in reading.cues], notes=reading.notes)


def _stated(cue: Cue, roles: Mapping[str, str]) -> Cue:
    role = roles.get(cue.speaker or "")
    if role is None or cue.role is not None:
        return cue
    return Cue(
        text=cue.text,
        speaker=cue.speaker,
        start_s=cue.start_s,
        end_s=cue.end_s,
        role=role,
        basis="label",
        alone=cue.alone,
    )

"""The offers file: every offer made, accepted ones included.

In: a .csv, .tsv or .xlsx with one row per offer. Out: `Offers`, the `offers` table and notes on how it was read. Names
and contact data are left out. Which offers count, and what the rates are, is decided in `prepare`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from os import PathLike
from pathlib import Path

import pandas as pd

from declinethemes.errors import InputError, SchemaError, SettingsError
from declinethemes.ingest.columns import IDENTITY, map_columns, normal
from declinethemes.ingest.dates import Order, decide_order, parse_days
from declinethemes.ingest.decode import MAX_MB, read_bytes
from declinethemes.ingest.speakers import fold
from declinethemes.ingest.tables import read_table
from declinethemes.schema import TABLES, conform

OUTCOMES: Mapping[str, tuple[str, ...]] = {
    "accepted": ("accepted", "accept", "offer accepted", "accepted by candidate", "hired", "signed", "joined"),
    "declined": (
        "declined",
        "decline",
        "offer declined",
        "candidate declined",
        "declined by candidate",
        "rejected by candidate",
        "offer rejected by candidate",
        "turned down",
        "refused",
    ),
    "pending": ("pending", "open", "outstanding", "extended", "offer extended", "offer sent", "awaiting response"),
    "withdrawn": ("withdrawn", "offer withdrawn", "withdrawn by company", "rescinded", "offer rescinded", "revoked"),
}
"""Words for an outcome. "Rejected" is none of them: it may be either side's decision."""
_DATES = ("offer_date", "decline_date")
_SHOWN = 20
_LEFT_OUT = frozenset({*IDENTITY, "contact", "document", "interviewer"})


@dataclass(frozen=True, kw_only=True, eq=False)
class Offers:
    """The `offers` table, what each header of the file became, what its reader should know, and where it lies."""

    offers: pd.DataFrame
    columns: Mapping[str, str]
    notes: tuple[str, ...] = ()
    path: Path | None = None


def read_offers(
    path: str | PathLike[str],
    columns: Mapping[str, str] | None = None,
    *,
    outcomes: Mapping[str, str] | None = None,
    dates: Order | None = None,
    max_mb: float = MAX_MB,
) -> Offers:
    """Read the offers file.

    Parameters
    ----------
    path : str or path
        A .csv, .tsv or .xlsx with one row per offer; candidate_id and outcome are required.
    columns : mapping of str to str, optional
        Header in the file to our column; wins over what is guessed. An empty text leaves the column out.
    outcomes : mapping of str to str, optional
        Word in the file to accepted, declined, pending or withdrawn, beside the words of `OUTCOMES`.
    dates : {"day", "month"}, optional
        What stands first in dates such as 03/04/2025; needed only where no date of the file decides.
    max_mb : float, default 50
        Largest file that is read, in megabytes.

    Returns
    -------
    Offers
        Without an offer_id in the file an offer is called by its row.

    Raises
    ------
    InputError
        The file is no table, is empty, holds outcomes that are not known, or dates whose order cannot be decided.
    SchemaError
        candidate_id or outcome is missing, an offer comes twice, or a date is impossible.
    SettingsError
        `outcomes` maps to a word that is no outcome.
    """
    path = Path(path)
    frame, read_notes = read_table(read_bytes(path, max_mb=max_mb), path)
    frame = frame.dropna(how="all")
    if frame.empty:
        raise InputError(f"{path.name}: all rows are empty; one row per offer is expected")
    mapping, absent = map_columns(frame.columns, columns or {}, table="offers")
    kept = {header: mapping.get(header, header) for header in frame.columns}
    missing = [name for name in ("candidate_id", "outcome") if name not in kept.values()]
    if missing:
        raise SchemaError.columns("offers", missing=missing, extra=[], found=list(frame.columns))
    order = decide_order([frame[header] for header, ours in kept.items() if ours in _DATES], dates, path.name)
    out: dict[str, pd.Series] = {}
    for header, ours in kept.items():
        if ours in _LEFT_OUT or ours == "":
            continue
        if ours in out:
            raise InputError(
                f"{path.name}: two columns are both '{ours}' ('{header}' is one); map one of them to another name"
            )
        if ours in _DATES:
            out[ours] = parse_days(frame[header], table="offers", column=ours, order=order)
        elif ours == "outcome":
            out[ours] = _outcomes(frame[header], outcomes or {}, path.name)
        else:
            out[ours] = frame[header]
    if "source" in out:
        out["source"] = out["source"].map(lambda cell: fold(str(cell)), na_action="ignore").astype("string")
    if "offer_id" not in out:
        out["offer_id"] = pd.Series([f"row {row}" for row in frame.index], index=frame.index, dtype="string")
    dropped = [header for header, ours in kept.items() if ours in _LEFT_OUT]
    notes = [*read_notes, *(f"[columns] names '{header}', which {path.name} does not have" for header in absent)]
    notes += [f"left out because it identifies people: {', '.join(dropped)}"] if dropped else []
    read = {str(header): ours for header, ours in kept.items()}
    return Offers(offers=conform(pd.DataFrame(out), "offers"), columns=read, notes=tuple(notes), path=path)


def _outcomes(series: pd.Series, given: Mapping[str, str], name: str) -> pd.Series:
    """Return outcomes as our words, missing where they were missing; unknown words are all listed."""
    known = TABLES["offers"].columns["outcome"].values
    for ours in given.values():
        if ours not in known:
            raise SettingsError.unknown("outcome", ours, known)
    words = {word: ours for ours, several in OUTCOMES.items() for word in several}
    words |= {normal(word): ours for word, ours in given.items()}
    read = series.map(lambda cell: words.get(normal(str(cell))), na_action="ignore")
    unknown = series[series.notna() & read.isna()]
    if len(unknown):
        counts = unknown.value_counts()
        seen = ", ".join(f"'{word}' ({n})" for word, n in counts.head(_SHOWN).items())
        seen += f" and {len(counts) - _SHOWN} more words" if len(counts) > _SHOWN else ""
        raise InputError(
            f"{name}: {len(unknown)} offers have an outcome that is not known: {seen}. Known are accepted, declined, "
            f"pending and withdrawn, and common words for them; say what yours mean, such as "
            f"--outcome '{unknown.iloc[0]}=declined'"
        )
    return read.astype("string")

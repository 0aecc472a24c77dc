"""Candidates drawn at random for review by people, and the sheet that reviewers fill in.

In: candidates with their segments, the words of each, the items to decide. Out: who was drawn, with what probability;
an Excel file that shows neither tags nor segments. Reading the filled sheet is done in `ingest`, correcting findings by
it in `findings`.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any
from zlib import crc32

import numpy as np
import pandas as pd

from declinethemes.errors import InputError, SettingsError
from declinethemes.framework import Framework
from declinethemes.schema import conform

PER_SEGMENT = 50
"""Reviewed candidates per level that a statement of about 12 points either way needs (see docs/methods.md)."""
HOW_TO: tuple[str, ...] = (
    "Read what each candidate said on the sheet Words, in the order of the sheet Answers.",
    "For each item decide: {question} Answer yes or no; ? where you cannot tell. Definitions are on the sheet Items.",
    "Write yes under done when you have read a candidate to the end: cells left empty there count as no.",
    "Rows without done and with empty cells are undecided, and stay undecided.",
    "Write who you are under reviewer. Do not look at tags or segments; leave the other columns as they are.",
    "A second person who reviews at least 30 of them on their own shows how far people agree.",
)
QUESTIONS = {
    "negative": "does the candidate complain of it (or praise and complain at once)? Praise alone is a no.",
    "all": "does the candidate speak of it, kindly or critically?",
}


def draw_sample(
    people: pd.DataFrame, *, by: Sequence[str], per_segment: int = PER_SEGMENT, random_state: int = 0
) -> pd.DataFrame:
    """Draw candidates at random within every level of every segment.

    Draws of different segments are independent, so the probability of being drawn by at least one of them is known
    exactly: 1 minus the product of 1 - n_drawn / n over a candidate's levels.

    Parameters
    ----------
    people : pandas.DataFrame
        candidate_id and the segment columns; those whose level is missing are drawn like a level of their own, since
        other segments compare them.
    by : sequence of str
        The segments.
    per_segment : int
        Candidates drawn per level; all of a level that has no more.
    random_state : int
        Seed.

    Returns
    -------
    pandas.DataFrame
        candidate_id, inclusion_probability (0..1]; in random order, so that the order tells nothing.

    Raises
    ------
    SettingsError
        An unknown column, none at all, or fewer than 5 per level.
    InputError
        No candidate has a known level.
    """
    if per_segment < 5:
        raise SettingsError(f"draw at least 5 candidates per level; found {per_segment}")
    if not by:
        raise SettingsError("name at least one segment column to draw candidates within")
    ordered = people.sort_values("candidate_id").reset_index(drop=True)
    missed, drawn, some = np.ones(len(ordered)), np.zeros(len(ordered), dtype=bool), False
    for name in by:
        if name not in ordered.columns or name == "candidate_id":
            raise SettingsError.unknown(
                "segment column", name, [str(c) for c in ordered.columns if c != "candidate_id"]
            )
        rng = np.random.default_rng([random_state, crc32(name.encode())])
        levels = ordered[name].astype("string")
        some |= bool(levels.notna().any())
        for rows in ordered.groupby(levels.fillna(""), sort=True).indices.values():
            taken = min(per_segment, len(rows))
            drawn[rng.choice(rows, taken, replace=False)] = True
            missed[rows] *= 1 - taken / len(rows)
    if not some:
        raise InputError(f"nobody can be drawn: no candidate has a known level of {', '.join(by)}")
    sample = pd.DataFrame({"candidate_id": ordered["candidate_id"], "inclusion_probability": 1 - missed})[drawn]
    order = np.random.default_rng([random_state, crc32(b"order")]).permutation(len(sample))
    return sample.iloc[order].reset_index(drop=True)


def described(framework: Framework, themes: pd.DataFrame, items: Sequence[str] | None = None) -> pd.DataFrame:
    """Return what reviewers need to know of items: item, label, definition.

    Parameters
    ----------
    framework : Framework
    themes : pandas.DataFrame
        The themes table, for those found in the text: their label, and their terms as definition.
    items : sequence of str, optional
        Default: every code and known theme.

    Raises
    ------
    SettingsError
        An unknown item.
    """
    rows = {code.id: (code.label, code.definition) for code in framework.codes}
    rows |= {theme.id: (theme.label, theme.definition) for theme in framework.themes}
    default = list(rows)
    rows |= {category.id: (category.label, "any code of the category") for category in framework.categories}
    for theme in themes[themes["kind"] == "emergent"].to_dict("records"):
        rows[str(theme["theme_id"])] = (str(theme["label"]), ", ".join(str(term) for term in theme["terms"]))
    wanted = default if items is None else list(dict.fromkeys(items))
    for item in wanted:
        if item not in rows:
            raise SettingsError.unknown("item", item, sorted(rows))
    return pd.DataFrame([(item, *rows[item]) for item in wanted], columns=["item", "label", "definition"])


def parts_of(framework: Framework, themes: pd.DataFrame) -> dict[str, str]:
    """Return what each item is part of: the code of a theme, the category of a code."""
    codes = themes.dropna(subset=["code"])
    return {
        **{code.id: code.category for code in framework.codes},
        **{theme.id: theme.code for theme in framework.themes},
        **dict(zip(codes["theme_id"], codes["code"], strict=True)),
    }


def with_parts(reviews: pd.DataFrame, above: Mapping[str, str]) -> pd.DataFrame:
    """Return the latest decisions of each reviewer, and those that follow from them for what items are part of.

    Parameters
    ----------
    reviews : pandas.DataFrame
        The reviews table.
    above : mapping of item to item
        The code of each theme, the category of each code.

    Returns
    -------
    pandas.DataFrame
        The reviews table. Where a code was decided, who mentions one of its themes mentions it; where all codes of a
        category were decided, who mentions one mentions the category, and who mentions none does not. What was decided
        of parts only says nothing of the whole: it would count nobody's no.
    """
    if reviews.empty:
        return reviews
    keys = ["subject", "reviewer"]
    latest = reviews.sort_values([*keys, "item", "at"]).drop_duplicates([*keys, "item"], keep="last")
    wide = latest.pivot_table(index=keys, columns="item", values="decision", aggfunc="last").astype("object")
    for item in sorted({*above.values()}, key=lambda one: one not in above):  # codes before categories
        parts = [part for part, of in above.items() if of == item]
        there = [part for part in parts if part in wide.columns]
        made = wide[item].copy() if item in wide.columns else pd.Series(pd.NA, index=wide.index, dtype="object")
        every = pd.Series(there == parts and item not in above, index=wide.index)  # a code is more than its themes
        every &= wide[there].isin(["yes", "no"]).all(axis=1)
        made = made.mask(made.isna() & every, "no")
        wide[item] = made.mask(made.notna() & (wide[there] == "yes").any(axis=1), "yes")
    facts = latest.groupby(keys).agg(at=("at", "max"), inclusion_probability=("inclusion_probability", "min"))
    long = wide.reset_index().melt(keys, value_name="decision", var_name="item")
    return conform(long[long["decision"].notna()].join(facts, on=keys), "reviews")


def write_sheet(sample: pd.DataFrame, words: pd.DataFrame, items: pd.DataFrame, *, stance: str) -> bytes:
    """Return the sheet to fill in, as an .xlsx file.

    Parameters
    ----------
    sample : pandas.DataFrame
        From `draw_sample`.
    words : pandas.DataFrame
        candidate_id, document_id, kind, prompt, text: the passages, names replaced.
    items : pandas.DataFrame
        item, label, definition: what is to be decided.
    stance : {"negative", "all"}
        What counts as a mention in the findings.

    Returns
    -------
    bytes
        Sheets Answers (a row per candidate, a column per item, headed "label [item]"), Words, Items, How to.
    """
    import openpyxl
    from openpyxl.worksheet.datavalidation import DataValidation

    book = openpyxl.Workbook()
    answers = book.active
    answers.title = "Answers"
    heads = ["candidate_id", "done", "reviewer"]  # how likely each was drawn would tell the level
    _rows(
        answers, [[*heads, *(f"{label} [{item}]" for item, label in zip(items["item"], items["label"], strict=True))]]
    )
    for row, name in enumerate(sample["candidate_id"], start=2):
        _put(answers.cell(row, 1), name)
    choice = DataValidation(type="list", formula1='"yes,no,?"', allow_blank=True)
    answers.add_data_validation(choice)
    last = openpyxl.utils.get_column_letter(len(heads) + len(items))
    choice.add(f"B2:B{len(sample) + 1}")
    choice.add(f"D2:{last}{len(sample) + 1}")
    order = {name: place for place, name in enumerate(sample["candidate_id"])}
    mine = words[words["candidate_id"].isin(order)]
    mine = mine.assign(place=mine["candidate_id"].map(order)).sort_values("place", kind="stable").drop(columns="place")
    columns = ["candidate_id", "document_id", "kind", "prompt", "text"]
    texts = mine[columns].astype("object").where(mine[columns].notna(), "").to_numpy().tolist()
    _rows(book.create_sheet("Words"), [columns, *texts], widths=(14, 16, 10, 50, 100))
    about = items[["item", "label", "definition"]].fillna("").to_numpy().tolist()
    _rows(book.create_sheet("Items"), [["item", "label", "definition"], *about], widths=(34, 34, 100))
    lines = [line.format(question=QUESTIONS[stance]) for line in HOW_TO]
    _rows(book.create_sheet("How to"), [[line] for line in lines], widths=(120,))
    _lay_out(answers, len(heads), len(items))
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _rows(sheet: Any, rows: Sequence[Sequence[object]], *, widths: Sequence[int] = ()) -> None:
    """Write rows of text, the first as a header that stays in sight."""
    from openpyxl.styles import Alignment, Font
    from openpyxl.utils import get_column_letter

    for number, cells in enumerate(rows, start=1):
        for column, value in enumerate(cells, start=1):
            cell = sheet.cell(number, column)
            _put(cell, value)
            cell.alignment = Alignment(wrap_text=True, vertical="top")
            if number == 1 and len(rows[0]) > 1:
                cell.font = Font(bold=True)
    if len(rows[0]) > 1:
        sheet.freeze_panes = "B2"
    for column, width in enumerate(widths, start=1):
        sheet.column_dimensions[get_column_letter(column)].width = width


def _put(cell: Any, value: object) -> None:
    """Write text as text: what begins with = is no formula, and signs that Excel cannot hold go."""
    from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

    cell.value = ILLEGAL_CHARACTERS_RE.sub(" ", str(value))
    cell.data_type = "s"


def _lay_out(answers: Any, fixed: int, items: int) -> None:
    from openpyxl.styles import Alignment
    from openpyxl.utils import get_column_letter

    for column, width in enumerate((14, 8, 12), start=1):
        answers.column_dimensions[get_column_letter(column)].width = width
    for column in range(fixed + 1, fixed + items + 1):
        answers.column_dimensions[get_column_letter(column)].width = 6
        answers.cell(1, column).alignment = Alignment(text_rotation=90, wrap_text=True, vertical="bottom")
    answers.row_dimensions[1].height = 190
    answers.freeze_panes = answers.cell(2, fixed + 1)

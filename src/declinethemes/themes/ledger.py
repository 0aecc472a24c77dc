"""What became of themes from one run to the next: the ledger.

In: the themes and assignments of two runs. Out: rows of the ledger table: kept, new, split, merged, retired; and the
ids by which themes are followed. A theme's id stands for its passages: it goes on only while half of them do.
"""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from declinethemes import schema
from declinethemes.errors import InputError

SAME = 0.5  # Jaccard over passages of both runs from which a theme goes on under its id
PART = 0.25  # share of a theme's passages that makes another theme a part of it

Members = Mapping[str, set[str]]


def continued(groups: Members, standing: Members) -> dict[str, str]:
    """Return the standing theme that each group continues: that with which it shares half of the passages.

    Parameters
    ----------
    groups, standing : mapping of name to passage ids
        Passages that no standing theme had are not counted: they are new.

    Returns
    -------
    dict of group to standing theme
        The most alike first, each theme once.
    """
    seen = set().union(*standing.values()) if standing else set()
    pairs = []
    for name, mine in groups.items():
        for theme, theirs in standing.items():
            both = len((mine & seen) | theirs)
            if both and len(mine & theirs) / both >= SAME:
                pairs.append((-len(mine & theirs) / both, name, theme))
    out: dict[str, str] = {}
    for _, name, theme in sorted(pairs):
        if name not in out and theme not in out.values():
            out[name] = theme
    return out


def record(
    before: tuple[pd.DataFrame, pd.DataFrame] | None,
    after: tuple[pd.DataFrame, pd.DataFrame],
    *,
    run: int,
    at: str,
    batch: str,
) -> pd.DataFrame:
    """Return the ledger rows of a run.

    Parameters
    ----------
    before, after : pairs of pandas.DataFrame
        Themes and assignments.
    run : int
        Number of the run.
    at : str
        Day, ISO 8601.
    batch : str
        Batches that the new passages are of; empty if unknown.

    Returns
    -------
    pandas.DataFrame
        The ledger table: every theme of either run once. *kept*, *new*; *merged* (gone, most of its passages are in
        another, which `others` names); *split* (gone or smaller, at least a quarter of its passages in each of
        `others`); *retired* (gone otherwise).
    """
    old = {} if before is None else _members(before[1])
    new = _members(after[1])
    themes = after[0] if before is None else pd.concat([after[0], before[0]]).drop_duplicates("theme_id")
    facts = themes.set_index("theme_id")
    emergent = set(facts.index[facts["kind"] == "emergent"])
    rows = []
    for theme in sorted(old.keys() | new.keys()):
        mine = old.get(theme, set())
        parts: dict[str, float] = {}
        if mine and theme in emergent:
            parts = {o: len(mine & new[o]) / len(mine) for o in new if o in emergent and o != theme}
            parts = {o: share for o, share in sorted(parts.items()) if share >= PART}
        others: list[str] = []
        if theme not in old:
            event = "new"
        elif theme in new:
            event, others = ("split", list(parts)) if parts else ("kept", [])
        elif len(parts) > 1:
            event, others = "split", list(parts)
        elif any(share >= SAME for share in parts.values()):
            event, others = "merged", [o for o, share in parts.items() if share >= SAME]
        else:
            event = "retired"
        there = theme in new
        rows.append(
            {
                "run": run,
                "theme_id": theme,
                "event": event,
                "at": at,
                "batch": batch or pd.NA,
                "others": others,
                "label": facts.loc[theme, "label"],
                "n_passages": facts.loc[theme, "n_passages"] if there else 0,
                "n_candidates": facts.loc[theme, "n_candidates"] if there else 0,
            }
        )
    return schema.conform(pd.DataFrame(rows), "ledger") if rows else schema.empty("ledger")


def renamed(
    themes: pd.DataFrame, ledger: pd.DataFrame, theme_id: str, label: str, *, at: str
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return themes and ledger with another name for an emergent theme.

    Parameters
    ----------
    themes, ledger : pandas.DataFrame
        The tables; they are not changed.
    theme_id, label : str
        The theme, and its name from now on.
    at : str
        Day, ISO 8601.

    Returns
    -------
    themes, ledger : pandas.DataFrame

    Raises
    ------
    InputError
        There is no such theme, or it is one of the framework's, or the name is empty.
    """
    label = " ".join(label.split())
    row = themes[themes["theme_id"] == theme_id]
    if row.empty:
        raise InputError(f"no theme '{theme_id}' in this study; there are: {', '.join(themes['theme_id'][:8])}, ...")
    if row["kind"].iloc[0] == "known":
        raise InputError(f"'{theme_id}' is named in the framework: change its label there")
    if not label:
        raise InputError("a theme needs a name")
    out = themes.copy()
    out.loc[row.index, "label"] = label
    event = {
        "run": int(ledger["run"].max()) + 1,
        "theme_id": theme_id,
        "event": "renamed",
        "at": at,
        "batch": pd.NA,
        "others": [],
        "label": label,
        "n_passages": row["n_passages"].iloc[0],
        "n_candidates": row["n_candidates"].iloc[0],
    }
    return out, pd.concat([ledger, schema.conform(pd.DataFrame([event]), "ledger")])


def _members(assignments: pd.DataFrame) -> dict[str, set[str]]:
    return {str(theme): set(part["passage_id"]) for theme, part in assignments.groupby("theme_id")}

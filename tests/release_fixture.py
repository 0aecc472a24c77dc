"""Made-up candidates by the cell, and releases one after the other; not a test itself."""

from __future__ import annotations

from typing import Any

import pandas as pd

from declinethemes.disclosure import Answers, Release, Request, make_release
from declinethemes.schema import empty

WOMEN = (("woman", "NY", 11, 3), ("woman", "LA", 1, 1), ("man", "NY", 25, 9), ("man", "LA", 13, 4))
NY = (("location", "NY"),)


def people(*cells: Any, columns: Any = ("gender", "location"), items: Any = ("x",)) -> pd.DataFrame:
    """Candidates from (levels of the columns..., n, mentions of each item...)."""
    rows = []
    for cell in cells:
        levels, (n, *k) = cell[: len(columns)], cell[len(columns) :]
        rows += [(*levels, *(place < many for many in k)) for place in range(n)]
    frame = pd.DataFrame(rows, columns=[*columns, *items])
    frame.insert(0, "candidate_id", [f"C{place:03d}" for place in range(len(frame))])
    return frame


def answers(frame: pd.DataFrame, items: Any = ("x",), **more: Any) -> Answers:
    """Return what a release counts."""
    columns = [name for name in frame.columns if name not in items]
    return Answers(
        people=frame[columns],
        said=frame[list(items)].to_numpy(bool),
        items=list(items),
        kinds=["code"] * len(items),
        **more,
    )


def release(
    frame: pd.DataFrame,
    by: Any,
    where: Any = (),
    *,
    before: list[Release] | None = None,
    items: Any = ("x",),
    merge: Any = None,
    **more: Any,
) -> Release:
    """Make a release after those in `before`, a list of releases that grows."""
    before = [] if before is None else before
    ledger = pd.concat([one.ledger("2026-01-01") for one in before]) if before else empty("releases")
    first = {name: number for one in reversed(before) for name, number in one.first.items()}
    request = Request(
        by=tuple((name,) if isinstance(name, str) else name for name in by), where=where, merge=merge or {}
    )
    made = make_release(answers(frame, items, **more), request, ledger=ledger, first=first, min_n=5)
    before.append(made)
    return made

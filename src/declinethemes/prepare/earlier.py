"""What candidates of earlier batches said, role and site alike, as far as it gives nobody away.

In: who was heard, their mentions, and the one whom a brief is about. Out: how many they were and what most of them
spoke of. No words of theirs. The same for every candidate of a batch, so that two briefs differ by nobody.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from declinethemes.framework import Framework
from declinethemes.stats.thresholds import FEW_MENTIONS, MIN_N, is_protected

TOP = 5
SPOKE, SPOKE_CRITICALLY = "spoke of", "spoke critically of"
GROUPS: tuple[tuple[str, ...], ...] = (("role", "location"), ("role",), ())
"""From the narrowest group to everybody."""


@dataclass(frozen=True, kw_only=True)
class Item:
    """A code or known theme, its label, and how many of the group spoke of it; None where no number is shown."""

    id: str
    label: str
    n: int | None
    themes: tuple[Item, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Earlier:
    """What a group of earlier candidates spoke of.

    Attributes
    ----------
    group : str
        Who they are, such as ``data scientist, Austin``.
    n : int or None
        How many; None where the number is not shown.
    items : tuple of Item
        Codes, most first, each with the known themes under it.
    manner : str
        How they spoke of it: ``spoke of`` or ``spoke critically of``.
    note : str
        Why the group is wider than role and site, why there are no numbers, or why there is nothing.
    """

    group: str = ""
    n: int | None = None
    items: tuple[Item, ...] = ()
    manner: str = SPOKE
    note: str = ""


def earlier_batches(
    people: pd.DataFrame,
    mentions: pd.DataFrame,
    about: Mapping[str, Any],
    *,
    framework: Framework,
    manner: str = SPOKE,
    min_n: int = MIN_N,
    sensitive: Collection[str] = (),
) -> Earlier:
    """Say what earlier candidates of the same role and site spoke of.

    Parameters
    ----------
    people : pandas.DataFrame
        Candidates who were heard: candidate_id, and role, location, batch where they are known.
    mentions : pandas.DataFrame
        candidate_id, item: what they spoke of, in the stance that counts.
    about : mapping
        candidate_id, role, location, batch of the one whom the brief is about. With a batch, only candidates of
        batches before it count (batches sort as text); without one, everybody else.
    framework : Framework
        Whose codes and known themes are listed.
    manner : str
        ``spoke critically of`` where only complaints are among the mentions.
    min_n : int
        Smallest group that is shown.
    sensitive : collection of str
        Items with the raised threshold.

    Returns
    -------
    Earlier
        Of the narrowest of role and site, role, everybody that has `min_n` candidates; items that three of them or
        more spoke of. Where a wider group less the narrower ones that other briefs
        show would leave too few, an item has no number.
    """
    heard = _before(people, about)
    if heard.empty:
        return Earlier(note="Nobody of an earlier batch has been heard.")
    wider: list[str] = []
    for columns in GROUPS:
        fits = _fits(heard, columns, about)
        if bool(fits.any()) and int(fits.sum()) >= min_n:
            break
        wider.append(_named(columns, about))
    else:
        return Earlier(note="Too few candidates of earlier batches have been heard to show what they said.")
    said = mentions[mentions["item"].isin(framework.labels)][["candidate_id", "item"]].drop_duplicates()
    spoke = {str(item): heard["candidate_id"].isin(part) for item, part in said.groupby("item")["candidate_id"]}
    numbers = {
        item: found
        for item, who in spoke.items()
        if (found := _number(heard, fits, who, GROUPS[: len(wider)], item in sensitive, min_n)) is not None
    }
    left = fits & ~_covered(heard, fits & False, GROUPS[: len(wider)], False, min_n)
    bare = bool(left.any()) and int(left.sum()) < min_n
    items = _listed(numbers, framework)
    named = _named(columns, about)
    notes = [f"Too few heard to show: {'; '.join(wider)}. Shown: {named}."] if wider else []
    if bare or any(one.n is None for one in items):
        notes.append("Some numbers are left out: with those of another brief they would tell of a few.")
    if not items:
        notes.append("Nothing was said by enough of them to be shown.")
    return Earlier(group=named, n=None if bare else int(fits.sum()), items=items, manner=manner, note=" ".join(notes))


def _before(people: pd.DataFrame, about: Mapping[str, Any]) -> pd.DataFrame:
    """Return those heard in batches before this one; without a batch, everybody else."""
    others: pd.DataFrame = people[people["candidate_id"] != about["candidate_id"]]
    for name in ("role", "location", "batch"):
        column = others[name] if name in others else pd.Series(pd.NA, index=others.index)
        text = column.astype("string").str.strip()
        others = others.assign(**{name: text if name == "batch" else text.str.casefold()})
    batch = about.get("batch")
    if batch is not None and pd.notna(batch) and bool(others["batch"].notna().any()):
        others = others[(others["batch"] < str(batch)).fillna(False).astype(bool)]
    return others.reset_index(drop=True)


def _fits(heard: pd.DataFrame, columns: tuple[str, ...], about: Mapping[str, Any]) -> pd.Series:
    """Return who has the same values; nobody has where one's own is not known."""
    out = pd.Series(True, index=heard.index)
    for name in columns:
        value = about.get(name)
        known = value is not None and pd.notna(value)
        out &= (heard[name] == str(value).strip().casefold()).fillna(False).astype(bool) if known else False
    return out


def _named(columns: tuple[str, ...], about: Mapping[str, Any]) -> str:
    missing = [name for name in columns if about.get(name) is None or pd.isna(about[name])]
    if missing:
        return f"{' and '.join(missing)} not known"
    return ", ".join(str(about[name]) for name in columns) if columns else "all roles and sites"


def _covered(
    heard: pd.DataFrame, who: pd.Series, narrower: Sequence[tuple[str, ...]], delicate: bool, min_n: int
) -> pd.Series:
    """Return who is in a narrower group whose number of mentions, by `who` spoke, a brief may show."""
    out = pd.Series(False, index=heard.index)
    for columns in narrower:
        keys = [heard[name] for name in columns]
        size, k, left, k_left = (
            one.groupby(keys).transform("sum").to_numpy(dtype=float)
            for one in (out | True, who, ~out, who & ~out)  # all, those who spoke; of both, those not yet covered
        )
        hidden = is_protected(k, size, 0, 0, delicate, min_n=min_n)
        gives_away = (left < size) & is_protected(k_left, left, 0, 0, delicate, min_n=min_n)
        out |= pd.Series((size >= min_n) & ~hidden & ~gives_away, index=heard.index)
    return out


def _number(
    heard: pd.DataFrame,
    fits: pd.Series,
    who: pd.Series,
    narrower: Sequence[tuple[str, ...]],
    delicate: bool,
    min_n: int,
) -> tuple[int, bool] | None:
    """Return how many of a group spoke of an item and whether the number may be shown; None: not even the item may."""
    k, n = int((fits & who).sum()), int(fits.sum())
    if k <= FEW_MENTIONS or bool(is_protected(k, n, 0, 0, delicate, min_n=min_n)):
        return None
    left = fits & ~_covered(heard, who, narrower, delicate, min_n)
    k_left, n_left = int((left & who).sum()), int(left.sum())
    if n_left == n or not bool(is_protected(k_left, n_left, 0, 0, delicate, min_n=min_n)):
        return k, True
    return (k, False) if k >= min_n else None


def _listed(numbers: Mapping[str, tuple[int, bool]], framework: Framework) -> tuple[Item, ...]:
    """Return the codes most spoke of, each with the two known themes under it that most spoke of."""
    place = {one: number for number, one in enumerate(framework.labels)}

    def most(ids: list[str]) -> list[str]:
        return sorted((one for one in ids if one in numbers), key=lambda one: (-numbers[one][0], place[one]))

    def item(one: str, themes: tuple[Item, ...] = ()) -> Item:
        k, shown = numbers[one]
        return Item(id=one, label=framework.labels[one], n=k if shown else None, themes=themes)

    under = {code.id: [one.id for one in framework.themes if one.code == code.id] for code in framework.codes}
    return tuple(item(code, tuple(item(one) for one in most(under[code])[:2])) for code in most(list(under))[:TOP])

"""Declines alone, where the shares of the offers made are known from elsewhere.

In: the declines, and what share of all offers went to a level. Out: `DeclineShares`: whether the level is
over-represented among those who declined. A level that declines like all others has the same share of the declines as
of the offers. Where every offer is at hand, `decline_rates` says more; nothing here says why. Full numbers:
`suppressed` marks what `.protected()` hides.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from declinethemes.config import Settings
from declinethemes.errors import InputError, SettingsError
from declinethemes.prepare.decided import decide, read_segments
from declinethemes.stats.multiplicity import benjamini_hochberg
from declinethemes.stats.proportions import share_test, wilson
from declinethemes.stats.thresholds import MIN_N, is_protected

_NUMBERS = ("share", "share_low", "share_high", "offered_share", "expected", "difference", "z", "p_value", "p_bh")
_PROTECTED_NOTE = "protected: a group of the segment, given or left over, is too small to show"
SHARE_COLUMNS = ("segment", "level", "n", "declined", *_NUMBERS, "verdict", "suppressed", "note")


@dataclass(frozen=True, kw_only=True, eq=False)
class DeclineShares:
    """Shares of the declines beside known shares of the offers.

    Attributes
    ----------
    shares : pandas.DataFrame
        One row per level whose share of the offers was given; the columns of `decline_shares`.
    family : int
        Comparisons that `p_bh` is adjusted for.
    parameters : mapping
        The arguments.
    notes : tuple of str
        What holds for the whole table.
    """

    shares: pd.DataFrame
    family: int
    parameters: Mapping[str, Any]
    notes: tuple[str, ...] = ()

    def to_frame(self) -> pd.DataFrame:
        """Return the rows; a copy, with parameters and the size of the family in `attrs`."""
        frame = self.shares.copy()
        frame.attrs = {"parameters": dict(self.parameters), "family": self.family}
        return frame

    def protected(self) -> DeclineShares:
        """Return the same with small groups blank; where one level of a segment is small, all of it go."""
        hidden = self.shares["suppressed"].astype(bool)
        shares = self.shares.copy()
        for name in SHARE_COLUMNS:
            if name not in ("segment", "level", "offered_share", "suppressed"):
                shares[name] = shares[name].mask(hidden)
        shares["verdict"] = shares["verdict"].mask(hidden, "protected")
        shares["note"] = shares["note"].mask(hidden, _PROTECTED_NOTE)
        return replace(self, shares=shares)

    def _repr_html_(self) -> str:
        table = self.shares.to_html(max_rows=60, float_format="{:.3f}".format, na_rep="", index=False)
        return f"<p>{' '.join(self.notes)}</p>{table}"


def decline_shares(
    declines: pd.DataFrame,
    offered: Mapping[str, Mapping[str, float]],
    *,
    alpha: float = Settings.alpha,
    min_n: int = MIN_N,
    not_disclosed: Collection[str] = Settings.not_disclosed,
) -> DeclineShares:
    """Compare the share of a level among the declines with its share of the offers.

    Parameters
    ----------
    declines : pandas.DataFrame
        An offers table without accepted ones: candidate_id, outcome and segment columns. One decline per candidate
        counts; pending and withdrawn offers do not.
    offered : mapping of segment to mapping of level to share
        What share of all offers made, declined ones included, went to the level, such as
        ``{"gender": {"woman": 0.42}}``; of the same time and jobs as the declines, and taken as exact.
    alpha : float
        Level of the verdicts.
    min_n : int
        Smallest group that `.protected()` shows.
    not_disclosed : collection of str
        Words for a missing level, compared without case.

    Returns
    -------
    DeclineShares
        `.to_frame()` has, per level given: n (declines whose level is known), declined (of them with the level), share
        with Wilson interval; offered_share, expected (n times it), difference (share - offered_share), z, p_value
        (exact binomial, two-sided), p_bh (Benjamini-Hochberg over all levels given); verdict (difference, not enough
        data, not tested); suppressed; note.

    Raises
    ------
    InputError
        There is no decline, or there are accepted offers too: then `decline_rates` is the answer.
    SettingsError
        An unknown column, a share out of range, or shares of a segment that sum to more than 1.

    Examples
    --------
    >>> gender = ["woman"] * 33 + ["man"] * 27
    >>> declines = pd.DataFrame({"candidate_id": range(60), "gender": gender, "outcome": "declined"})
    >>> found = decline_shares(declines, {"gender": {"woman": 0.35}}).to_frame()
    >>> found[["level", "declined", "n", "expected", "verdict"]].values.tolist()
    [['woman', 33, 60, 21.0, 'difference']]
    """
    _check(offered)
    table = decide(declines, today=None, alone=True).offers
    outcomes = table["outcome"].value_counts()
    if outcomes.get("accepted", 0):
        raise InputError(
            f"the table has {outcomes['accepted']} accepted offers: leave out the shares offered, and compare the rates"
        )
    if table.empty:
        raise InputError("no offer in the table was declined: there is nothing to compare")
    rows = []
    for segment in read_segments(table, list(offered), not_disclosed=not_disclosed):
        known = int((segment.codes >= 0).sum())
        sizes = np.bincount(segment.codes[segment.codes >= 0], minlength=len(segment.levels))
        counts = dict(zip(segment.levels, sizes.tolist(), strict=True))
        for level, share in offered[segment.name].items():
            x = counts.get(level, 0)
            notes = (
                [] if level in counts else [f"nobody declined with '{level}'; there are: {', '.join(segment.levels)}"]
            )
            notes += ["declines whose level is not known are left out"] if known < len(table) else []
            row = {"segment": segment.name, "level": level, "n": known, "declined": x, "offered_share": share}
            rows.append({**row, "note": "; ".join(notes) or None})
    frame, family = _tested(pd.DataFrame(rows), offered, alpha)
    frame = frame.assign(suppressed=_suppressed(frame, min_n))
    parameters = {"offered": {name: dict(levels) for name, levels in offered.items()}, "alpha": alpha, "min_n": min_n}
    return DeclineShares(shares=_typed(frame), family=family, parameters=parameters, notes=_notes(len(table), family))


def _check(offered: Mapping[str, Mapping[str, float]]) -> None:
    """Raise unless every share lies between 0 and 1, and those of a segment sum to at most 1."""
    if not offered or not all(offered.values()):
        raise SettingsError('offered needs a share per level, such as {"gender": {"woman": 0.42}}; found none')
    for segment, levels in offered.items():
        wrong = {level: share for level, share in levels.items() if not 0 < share < 1}
        if wrong:
            raise SettingsError(f"shares offered lie between 0 and 1, such as 0.42; found {wrong} in '{segment}'")
        if sum(levels.values()) > 1 + 1e-6:
            raise SettingsError(f"the shares offered of '{segment}' sum to {sum(levels.values()):.3f}, more than 1")


def _tested(rows: pd.DataFrame, offered: Mapping[str, Mapping[str, float]], alpha: float) -> tuple[pd.DataFrame, int]:
    """Add shares, tests and verdicts; two levels that share out a segment are one comparison."""
    x, n, share = (rows[name].to_numpy() for name in ("declined", "n", "offered_share"))
    low, high = wilson(x, n)
    expected, _, z, p = share_test(x, n, share)
    whole = {name for name, levels in offered.items() if len(levels) == 2 and sum(levels.values()) > 1 - 1e-6}
    mirror = (rows["segment"].isin(list(whole)) & rows["segment"].duplicated()).to_numpy(dtype=bool)
    adjusted = np.full(len(rows), np.nan)
    adjusted[~mirror] = benjamini_hochberg(p[~mirror])
    adjusted[mirror] = adjusted[np.flatnonzero(mirror) - 1]
    with np.errstate(divide="ignore", invalid="ignore"):
        own = x / n
    verdict = np.where(adjusted <= alpha, "difference", np.where(np.isnan(p), "not tested", "not enough data"))
    values = {"share": own, "share_low": low, "share_high": high, "expected": expected, "difference": own - share}
    values |= {"z": z, "p_value": p, "p_bh": adjusted}
    return rows.assign(**values, verdict=verdict), int((~mirror & ~np.isnan(p)).sum())


def _suppressed(rows: pd.DataFrame, min_n: int) -> Any:
    """Return which rows are too small to show; a segment goes whole, as one level follows from the others."""
    x, n = rows["declined"].to_numpy(dtype=float), rows["n"].to_numpy(dtype=float)
    others = n - rows.groupby("segment")["declined"].transform("sum").to_numpy(dtype=float)  # levels not given
    small = is_protected(np.nan, x, np.nan, n - x, min_n=min_n) | is_protected(np.nan, others, np.nan, n, min_n=min_n)
    return pd.Series(small, index=rows.index).groupby(rows["segment"]).transform("any").to_numpy(dtype=bool)


def _typed(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the columns in order and in types that know a missing value."""
    kinds: dict[str, Any] = dict.fromkeys(("segment", "level", "verdict", "note"), "string")
    kinds |= {"n": "Int64", "declined": "Int64", "suppressed": "boolean"} | dict.fromkeys(_NUMBERS, "Float64")
    return pd.DataFrame({name: rows[name].astype(kinds[name]) for name in SHARE_COLUMNS})


def _notes(n: int, family: int) -> tuple[str, ...]:
    """Return what holds for the whole table."""
    return (
        f"{n} declines, one per candidate, against the shares of the offers that were given; these are taken as exact.",
        f"p_bh is adjusted for {family} comparisons. Roles and sites are not held fixed: for that, and for rates, give "
        "every offer made.",
        "Declines are part of the offers: where many offers were declined, p_value is larger than it need be.",
    )

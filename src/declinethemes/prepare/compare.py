"""Decline rates of the levels of a segment, each against the rest.

In: the level, the stratum and the decision of each offer. Out: one row per level with rates, intervals, tests, verdict,
and what one different decision would change. The formulas are in `stats`; which offers count is decided in `decided`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from declinethemes.prepare.decided import Ints, Segment
from declinethemes.schema import NOT_DISCLOSED
from declinethemes.stats import strata as within
from declinethemes.stats.multiplicity import benjamini_hochberg
from declinethemes.stats.power import minimum_detectable_gap
from declinethemes.stats.proportions import Floats, exact_p, newcombe, point_probability_p, rate_ratio, wilson

_EXACT_VARIANCE = 225.0


@dataclass(frozen=True, kw_only=True)
class Options:
    """The arguments of `decline_rates` that the comparison needs; `adjust_for` are the columns held fixed."""

    alpha: float
    margin: float
    min_n: int
    adjust_for: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, eq=False)
class Compared:
    """The rows of one segment, and the table behind each: shape (n_levels, n_strata, 2, 2), declined first.

    Rows of the tables are the level and the rest. A level that is not disclosed has a row and no table.
    """

    rows: pd.DataFrame
    tables: Ints
    tested: NDArray[np.bool_]
    adjust_for: tuple[str, ...]


def compare_levels(segment: Segment, declined: NDArray[np.bool_], stratum: Ints, options: Options) -> Compared:
    """Return rates, differences, ratios and p-values of every level against the others whose level is known.

    Parameters
    ----------
    segment : Segment
        The level of each offer.
    declined : array of bool, shape (n_offers,)
        The decision.
    stratum : array of int, shape (n_offers,)
        What is held fixed; all 0 where nothing is.
    options : Options
        Level, margin, smallest group, and the names of what is held fixed.

    Returns
    -------
    Compared
        Rows in the order of the levels, "not disclosed" last.
    """
    size, levels = int(stratum.max()) + 1, len(segment.levels)
    known = segment.codes >= 0
    cells = (segment.codes[known] * size + stratum[known]) * 2 + ~declined[known]
    own = np.bincount(cells, minlength=levels * size * 2).reshape(levels, size, 2)
    tables = np.stack([own, own.sum(axis=0) - own], axis=2)
    crude = tables.sum(axis=1)
    x, n = crude[:, 0, 0], crude[:, 0].sum(axis=1)
    rest_x, rest_n = crude[:, 1, 0], crude[:, 1].sum(axis=1)
    tested = (n >= 2) & (rest_n >= 1)
    values = _crude(x, n, rest_x, rest_n, options)
    values["p_value"][~tested] = np.nan
    values |= _adjusted(tables, tested, held=bool(options.adjust_for))
    rows = pd.DataFrame({"segment": segment.name, "level": segment.levels, "n": n, "declined": x})
    rows = rows.assign(rest_n=rest_n, rest_declined=rest_x, **values)
    if not known.all():
        left = ~known
        low, high = wilson(declined[left].sum(), left.sum())
        blank = {
            "segment": segment.name,
            "level": NOT_DISCLOSED,
            "n": int(left.sum()),
            "declined": int(declined[left].sum()),
            "rate": declined[left].mean(),
            "rate_low": float(low),
            "rate_high": float(high),
        }
        rows = pd.concat([rows, pd.DataFrame([blank])], ignore_index=True)
    return Compared(rows=rows, tables=tables, tested=tested, adjust_for=options.adjust_for)


def _crude(x: Ints, n: Ints, rest_x: Ints, rest_n: Ints, options: Options) -> dict[str, Floats]:
    """Rates, differences, ratios and p-values without strata; nan where a side is empty."""
    with np.errstate(divide="ignore", invalid="ignore"):
        rate, rest_rate = x / n, rest_x / rest_n
        accepted = np.where(n >= options.min_n, 1 - rate, np.nan)
        best = np.nan if np.isnan(accepted).all() else np.nanmax(accepted)
        acceptance_ratio = (1 - rate) / best if best > 0 else np.full(len(n), np.nan)
    low, high = wilson(x, n)
    ci_low, ci_high = newcombe(x, n, rest_x, rest_n)
    low90, high90 = newcombe(x, n, rest_x, rest_n, level=0.9)
    ratio, ratio_low, ratio_high = rate_ratio(x, n, rest_x, rest_n)
    return {
        "rate": rate,
        "rate_low": low,
        "rate_high": high,
        "rest_rate": rest_rate,
        "difference": rate - rest_rate,
        "ci_low": ci_low,
        "ci_high": ci_high,
        "low90": low90,
        "high90": high90,
        "ratio": ratio,
        "ratio_low": ratio_low,
        "ratio_high": ratio_high,
        "p_value": exact_p(x, n, rest_x, rest_n).astype(float),
        "mde": minimum_detectable_gap(n, rest_n, rest_rate, alpha=options.alpha),
        "acceptance_ratio": acceptance_ratio,
    }


def _adjusted(tables: Ints, tested: NDArray[np.bool_], *, held: bool) -> dict[str, Floats]:
    """Mantel-Haenszel difference, conditional p and informative offers; nan where nothing is held fixed."""
    blank = np.full(len(tables), np.nan)
    if not held or not len(tables):
        return {"adjusted_difference": blank, "adjusted_p": blank.copy(), "informative": blank.copy()}
    difference = np.where(tested, within.mantel_haenszel_difference(tables), np.nan)
    p = np.where(tested, _conditional_p(tables), np.nan)
    return {"adjusted_difference": difference, "adjusted_p": p, "informative": within.n_informative(tables)}


def _conditional_p(tables: Ints) -> Floats:
    """Return the exact conditional Cochran-Mantel-Haenszel p, normal where the variance is above 225; shape (n,)."""
    p = np.array(within.cmh(tables)[1], dtype=float)
    for row in np.flatnonzero(within.conditional_variance(tables) <= _EXACT_VARIANCE):
        p[row] = within.exact_cmh(tables[row])
    return p


def state(segments: Sequence[Compared], options: Options) -> tuple[pd.DataFrame, int]:
    """Return the rows of all segments with adjusted p-values, verdicts, flips and notes; and the size of the family.

    The family is every level tested, of all segments together; the two levels of a segment of two are one comparison.
    """
    places, crude, adjusted = _family(segments)
    p_bh, adjusted_bh = benjamini_hochberg(crude), benjamini_hochberg(adjusted)
    frames = []
    for segment, place in zip(segments, places, strict=True):
        rows, levels = segment.rows, len(segment.tables)
        columns: dict[str, list[Any]] = {
            name: [np.nan] * len(rows) if name == "p_bh" else [None] * len(rows)
            for name in ("p_bh", "verdict", "flip_verdict", "note")
        }
        for i in range(len(rows)):
            if i >= levels or not segment.tested[i]:
                columns["verdict"][i] = "not tested"
                continue
            row = rows.iloc[i]
            columns["p_bh"][i] = p_bh[place[i]]
            p = np.fmax(p_bh[place[i]], adjusted_bh[place[i]])
            now = str(_verdict(row["low90"], row["high90"], p, row["adjusted_difference"], options))
            others = _flipped(segment.tables[i], place[i], crude, adjusted, segment.adjust_for, options) - {now}
            columns["verdict"][i] = now
            columns["flip_verdict"][i] = " or ".join(sorted(others)) or None
            notes = _notes(row, segment.tables[i], segment.adjust_for, options)
            if p_bh[place[i]] <= options.alpha < adjusted_bh[place[i]]:
                strata = " and ".join(segment.adjust_for)
                notes = [*notes, f"within {strata} p is {adjusted_bh[place[i]]:.3f} after adjustment: no difference"]
            columns["note"][i] = "; ".join(notes) or None
        frames.append(rows.assign(**columns).drop(columns=["low90", "high90", "informative"]))
    return pd.concat(frames, ignore_index=True), len(crude)


def _family(segments: Sequence[Compared]) -> tuple[list[list[int]], Floats, Floats]:
    """Return, per segment and level, its place in the family; and the family's p-values, crude and within strata."""
    places: list[list[int]] = []
    crude: list[float] = []
    adjusted: list[float] = []
    for segment in segments:
        place = []
        mirrored = len(segment.tables) == 2
        for i, tested in enumerate(segment.tested):
            if tested and not (mirrored and i == 1 and segment.tested[0]):
                crude.append(float(segment.rows["p_value"].iloc[i]))
                adjusted.append(float(segment.rows["adjusted_p"].iloc[i]))
            place.append(len(crude) - 1)
        places.append(place)
    return places, np.array(crude), np.array(adjusted)


def _verdict(low90: Any, high90: Any, p: Any, adjusted_difference: Any, options: Options) -> NDArray[Any]:
    """Return what may be said (`schema.VERDICTS`): the rule of findings."""
    inside = (np.asarray(low90) > -options.margin) & (np.asarray(high90) < options.margin)
    material = np.abs(np.nan_to_num(np.asarray(adjusted_difference, dtype=float))) >= options.margin
    calm = np.where(inside & ~material, "no material difference", "not enough data")
    return np.where((np.asarray(p) <= options.alpha) & ~inside, "difference", calm)


def _flipped(
    table: Ints, place: int, crude: Floats, adjusted: Floats, adjust_for: tuple[str, ...], options: Options
) -> set[str]:
    """Return the verdicts that one different decision of one candidate would give, the other comparisons held."""
    changed, stratum = one_decision_changed(table)
    total = changed.sum(axis=1)
    x, n, rest_x, rest_n = total[:, 0, 0], total[:, 0].sum(axis=1), total[:, 1, 0], total[:, 1].sum(axis=1)
    low90, high90 = newcombe(x, n, rest_x, rest_n, level=0.9)
    p = _in_family(exact_p(x, n, rest_x, rest_n), place, crude)
    difference = np.full(len(changed), np.nan)
    if adjust_for:
        difference = within.mantel_haenszel_difference(changed)
        p = np.fmax(p, _in_family(changed_p(table, changed, stratum), place, adjusted))
    return {str(verdict) for verdict in _verdict(low90, high90, p, difference, options)}


def one_decision_changed(table: Ints) -> tuple[Ints, Ints]:
    """Return every table that differs by the decision of one candidate, alike ones once.

    Parameters
    ----------
    table : array of int, shape (n_strata, 2, 2)
        Level and rest, declined and accepted.

    Returns
    -------
    tables : array of int, shape (n_changes, n_strata, 2, 2)
    stratum : array of int, shape (n_changes,)
        Where each differs.
    """
    seen: set[tuple[int, ...]] = set()
    out, where = [], []
    for stratum, side, decision in product(range(len(table)), (0, 1), (0, 1)):
        key = (*table[stratum].ravel().tolist(), side, decision)
        if table[stratum, side, decision] == 0 or key in seen:
            continue
        seen.add(key)
        new = table.copy()
        new[stratum, side, decision] -= 1
        new[stratum, side, 1 - decision] += 1
        out.append(new)
        where.append(stratum)
    return np.array(out, dtype=np.int64), np.array(where, dtype=np.int64)


def changed_p(table: Ints, changed: Ints, stratum: Ints) -> Floats:
    """Return the conditional p of tables that differ from one in a single stratum each.

    The same as testing each on its own, but what the other strata have in common is put together once.

    Parameters
    ----------
    table : array of int, shape (n_strata, 2, 2)
    changed : array of int, shape (n_changes, n_strata, 2, 2)
    stratum : array of int, shape (n_changes,)
        Where each differs from `table`.

    Returns
    -------
    array, shape (n_changes,)
    """
    p = np.array(within.cmh(changed)[1], dtype=float)
    exact = np.flatnonzero(within.conditional_variance(changed) <= _EXACT_VARIANCE)
    if not len(exact):
        return p
    parts = [within.conditional_distribution(one[None]) for one in table]
    first = sum(start for start, _ in parts)
    before, after = [np.ones(1)], [np.ones(1)]
    for (_, ahead), (_, behind) in zip(parts[:-1], parts[:0:-1], strict=True):
        before.append(np.convolve(before[-1], ahead))
        after.append(np.convolve(after[-1], behind))
    for row in exact:
        place = stratum[row]
        start, part = within.conditional_distribution(changed[row, place][None])
        pmf = np.convolve(np.convolve(before[place], after[len(parts) - 1 - place]), part)
        at = int(changed[row, :, 0, 0].sum()) - (first - parts[place][0] + start)
        inside = 0 <= at < len(pmf)  # far tails are cut, being below what a float can hold
        p[row] = point_probability_p(pmf / pmf.sum(), method="fisher")[at] if inside else np.nextafter(0, 1)
    return p


def _in_family(p: Floats, place: int, family: Floats) -> Floats:
    """Return each p adjusted in the family when it stands at a place of it."""
    known: dict[float, float] = {}
    for value in {float(one) for one in p}:
        changed = family.copy()
        changed[place] = value
        known[value] = float(benjamini_hochberg(changed)[place])
    return np.array([known[float(one)] for one in p])


def _notes(row: pd.Series, table: Ints, adjust_for: tuple[str, ...], options: Options) -> list[str]:
    """Return what the reader must know of a row."""
    notes = [f"fewer than {options.min_n} offers"] if row["n"] < options.min_n else []
    if not adjust_for:
        return notes
    names = " and ".join(adjust_for)
    notes.append(f"within {names}: {int(row['informative'])} of {int(table.sum())} offers can be compared")
    if row["p_value"] <= options.alpha:
        if row["difference"] * row["adjusted_difference"] < 0:
            notes.append(f"the difference reverses within {names}")
        elif not row["adjusted_p"] <= options.alpha:
            notes.append(f"the difference is not seen within {names}")
    if within.breslow_day(table)[1] < 0.05:
        notes.append("strata disagree: read them one by one")
    return notes

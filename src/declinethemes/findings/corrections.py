"""Corrections of findings: strata, reviewed samples, tipping points, intersections.

In: the arrays of a segment, levels x items. Out: corrected arrays; notes are added to the lists that are passed in.
The formulas are in `stats`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from declinethemes.findings.inputs import Flags, Floats, Incidence, Ints, Segment
from declinethemes.findings.options import Notes, Options, derived_seed, totals
from declinethemes.stats import audit as audits
from declinethemes.stats import strata as within
from declinethemes.stats.proportions import interaction

_DRAWS, _MOST_DRAWS, _FEW_DRAWS = 20_000, 1_000_000, 40
_GAP_PER_WIDTH = 2.802 / 3.920
"""Gap found with power .8, in widths of a 95 % interval: (1.960 + .842) / (2 x 1.960)."""
MIN_AUDIT = 5
"""Fewer reviewed candidates than this on either side leave a finding unaudited."""
_INTERACTION_N = 10
_STRATUM_N = 5
_STRATUM_GAP = 0.1
_EXACT_VARIANCE = 225.0


def adjust(
    segment: Segment,
    counted: Flags,
    base: Flags | None,
    tested: Flags,
    notes: Notes,
    options: Options,
) -> dict[str, Floats]:
    """Return the Mantel-Haenszel difference and conditional p within strata; notes say how much they rest on."""
    difference, p = np.full(tested.shape, np.nan), np.full(tested.shape, np.nan)
    if options.strata is None or not segment.levels:
        return {"adjusted_difference": difference, "adjusted_p": p}
    known = segment.codes >= 0
    codes = np.unique(options.strata)
    stratum = np.searchsorted(codes, options.strata)
    size, levels = len(codes), len(segment.levels)
    joint = np.where(known, segment.codes * size + stratum, levels * size)
    ones = np.ones_like(counted) if base is None else base
    x = totals(joint, levels * size + 1, counted)[:-1].reshape(levels, size, -1)
    n = totals(joint, levels * size + 1, ones)[:-1].reshape(levels, size, -1)
    rest_x, rest_n = x.sum(axis=0) - x, n.sum(axis=0) - n
    # levels by items by strata by 2 by 2
    tables = np.moveaxis(np.stack([np.stack([x, n - x], -1), np.stack([rest_x, rest_n - rest_x], -1)], -2), 1, 2)
    difference[:levels] = within.mantel_haenszel_difference(tables)
    p[:levels] = within.cmh(tables)[1]
    for level, item in np.argwhere(within.conditional_variance(tables) <= _EXACT_VARIANCE):
        p[level, item] = within.exact_cmh(tables[level, item])
    informative, homogeneity = within.n_informative(tables), within.breslow_day(tables)[1]
    difference[~tested], p[~tested] = np.nan, np.nan
    for level, item in np.argwhere(tested):
        table = tables[level, item]
        parts = notes[level][item]
        everybody = int(table.sum())
        parts.append(
            f"within {options.adjust_name}: {int(informative[level, item])} of {everybody} candidates can be compared"
        )
        if homogeneity[level, item] < 0.05 or _reverses(table, difference[level, item]):
            parts.append("strata disagree: read them one by one")
    return {"adjusted_difference": difference, "adjusted_p": p}


def vanishing_notes(
    values: dict[str, Floats], tested: Flags, states: NDArray[Any], notes: Notes, options: Options
) -> None:
    """Say where a difference, corrected by review where there was one, reverses or is not seen within strata."""
    if options.strata is None:
        return
    name = options.adjust_name
    for level, item in np.argwhere(tested & (values["p_value"] <= options.alpha)):
        basis = _basis(states[level, item])
        if values["difference"][level, item] * values["adjusted_difference"][level, item] < 0:
            notes[level][item].append(f"the difference reverses within {name}{basis}")
        elif not values["adjusted_p"][level, item] <= options.alpha:
            notes[level][item].append(f"the difference is not seen within {name}{basis}")


def _reverses(table: NDArray[Any], pooled: float) -> bool:
    """Whether a stratum with five candidates on both sides goes the other way by ten points or more."""
    sizes = table.sum(axis=2)
    enough = (sizes >= _STRATUM_N).all(axis=1)
    if not enough.any() or not np.isfinite(pooled):
        return False
    shares = table[enough, :, 0] / sizes[enough]
    gaps = shares[:, 0] - shares[:, 1]
    return bool((gaps * np.sign(pooled) <= -_STRATUM_GAP).any())


def human_codes(data: Incidence, segment: Segment, options: Options) -> tuple[Flags, Flags]:
    """Replace tags by reviewers' decisions for items where everybody compared was reviewed."""
    human = np.zeros(len(data.items), dtype=bool)
    if data.reviewed is None:
        return data.said, human
    known = segment.codes >= 0
    compared = np.broadcast_to(known[:, None], data.said.shape)
    if options.among == "asked" and data.asked is not None:
        compared = compared & data.asked
    human = np.asarray(((data.reviewed >= 0) | ~compared).all(axis=0) & compared.any(axis=0))
    said = data.said.copy()
    replace = human[None, :] & (data.reviewed >= 0)
    said[replace] = data.reviewed[replace] == 1
    return said, human


def correct_by_audit(
    data: Incidence,
    segment: Segment,
    base: Flags | None,
    values: dict[str, Floats],
    states: NDArray[Any],
    tested: Flags,
    notes: Notes,
    options: Options,
) -> None:
    """Correct every finding with enough reviewed candidates on both sides; changes values, states and notes."""
    if data.reviewed is None:
        return
    known = segment.codes >= 0
    for level, item in np.argwhere(tested & (states == "unaudited")):
        group = segment.codes == level
        rest = known & ~group
        if base is not None:
            group, rest = group & base[:, item], rest & base[:, item]
        sides = [_audit_side(data, side, item) for side in (group, rest)]
        reviewed = [int((data.reviewed[side, item] >= 0).sum()) for side in (group, rest)]
        if min(reviewed) < MIN_AUDIT:
            if max(reviewed):
                notes[level][item].append(f"too few reviewed to correct ({reviewed[0]} and {reviewed[1]})")
            continue
        seed = derived_seed(options, f"{segment.name}|{segment.levels[level]}|{data.items[item]}")
        found = audits.audited_difference(sides[0], sides[1], random_state=seed)
        if found.p_value < _FEW_DRAWS / _DRAWS:  # the smallest p must be able to pass the adjustment
            draws = min(_MOST_DRAWS, int(_FEW_DRAWS * tested.sum() / options.alpha))
            if draws > _DRAWS:
                found = audits.audited_difference(sides[0], sides[1], draws=draws, random_state=seed)
        new = {
            "share": found.share,
            "share_low": found.share_low,
            "share_high": found.share_high,
            "rest_share": found.rest_share,
            "difference": found.difference,
            "ci_low": found.low,
            "ci_high": found.high,
            "low90": found.low90,
            "high90": found.high90,
            "p_value": found.p_value,
            "mde": _GAP_PER_WIDTH * (found.high - found.low),
        }
        for name, value in new.items():
            values[name][level, item] = value
        states[level, item] = "audited"
        of_tags = ("nobody mentions it", "everybody mentions it")
        notes[level][item] = [f"by tags, {note}" if note in of_tags else note for note in notes[level][item]]
        notes[level][item].append(f"shares corrected by review of {reviewed[0]} and {reviewed[1]} candidates")


def _audit_side(data: Incidence, side: Flags, item: int) -> audits.Audit:
    decided = data.reviewed if data.reviewed is not None else np.full(data.said.shape, -1, dtype=np.int8)
    weights = data.weights if data.weights is not None else np.ones(data.said.shape)
    candidates, reviewed, positive = [], [], []
    for tag in (False, True):
        cell = side & (data.said[:, item] == tag)
        looked = cell & (decided[:, item] >= 0)
        n, y = audits.effective_counts(weights[looked, item], decided[looked, item] == 1)
        candidates.append(int(cell.sum()))
        reviewed.append(n)
        positive.append(y)
    return audits.Audit(candidates=candidates, reviewed=reviewed, positive=positive)


def tipping_points(
    data: Incidence,
    x: Ints,
    n: Ints,
    rest_x: Ints,
    rest_n: Ints,
    values: dict[str, Floats],
    states: NDArray[Any],
    notes: Notes,
    options: Options,
) -> Floats:
    """Tipping points of unaudited findings whose interval leaves out 0 and whose item has a known recall."""
    out = np.full(x.shape, np.nan)
    apart = (values["ci_low"] > 0) | (values["ci_high"] < 0)
    for level, item in np.argwhere(apart & (states == "unaudited")):
        recall = options.recall.get(data.items[item])
        if recall is None:
            continue
        counts = (int(v[level, item]) for v in (x, n, rest_x, rest_n))
        out[level, item] = audits.tipping_recall(*counts, recall=recall)
        if np.isnan(out[level, item]):
            notes[level][item].append(f"no difference in recall alone would explain it (recall {recall:.2f})")
        else:
            notes[level][item].append(f"tipping point at a recall of {recall:.2f}")
    return out


def interaction_notes(
    segment: Segment,
    counted: Flags,
    base: Flags | None,
    n: Ints,
    states: NDArray[Any],
    notes: Notes,
) -> None:
    """Say whether a combination of two goes beyond what its two margins predict; from 10 candidates up."""
    if len(segment.parts) != 2:
        return
    known = segment.codes >= 0
    for level in range(len(segment.levels)):
        members = np.flatnonzero(segment.codes == level)
        first, second = (part == part[members[0]] for part in segment.parts)
        cell = np.where(known, 3 - 2 * first - second, 4)
        cells = totals(cell, 5, counted)[:4]
        sizes = totals(cell, 5, np.ones_like(counted) if base is None else base)[:4]
        beyond, low, high = interaction(cells.T, sizes.T)
        for item in np.flatnonzero((n[level] >= _INTERACTION_N) & ~np.isnan(beyond)):
            size = f"{100 * beyond[item]:+.0f} points, {100 * low[item]:.0f} to {100 * high[item]:.0f}"
            clear = low[item] > 0 or high[item] < 0
            text = (
                "goes beyond what its two parts predict" if clear else "not clearly beyond what its two parts predict"
            )
            notes[level][item].append(f"{text} ({size}){_basis(states[level, item])}")


def _basis(state: str) -> str:
    """Say what a note rests on, where it is not what was corrected."""
    return " (by tags, not corrected)" if state == "audited" else ""

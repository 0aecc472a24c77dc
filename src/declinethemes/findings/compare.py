"""The findings of one segment: every level against the rest, for every item at once.

In: `Incidence`, `Segment`, `Options`. Out: rows of the findings table, omnibus tests, the size of the family. The
caller's frames are not seen here.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from declinethemes.findings.corrections import (
    adjust,
    correct_by_audit,
    human_codes,
    interaction_notes,
    tipping_points,
    vanishing_notes,
)
from declinethemes.findings.inputs import Flags, Floats, Incidence, Ints, Segment
from declinethemes.findings.options import Notes, Options, derived_seed, totals
from declinethemes.schema import NOT_DISCLOSED
from declinethemes.stats.multiplicity import benjamini_hochberg, westfall_young
from declinethemes.stats.power import minimum_detectable_gap
from declinethemes.stats.proportions import exact_p, freeman_halton, newcombe, wilson

ASKED_GAP = 0.2
"""Asked shares further apart than this, with five or more candidates on both sides, are flagged."""
_ASKED_N = 5


def segment_findings(data: Incidence, segment: Segment, options: Options) -> tuple[pd.DataFrame, pd.DataFrame, int]:
    """Return findings and omnibus tests of one segment, and the size of its family."""
    n_items = len(data.items)
    said, human = human_codes(data, segment, options)
    base = data.asked if options.among == "asked" else None
    counted = said if base is None else said & base
    levels = len(segment.levels)
    has_missing = bool((segment.codes < 0).any())
    codes = np.where(segment.codes < 0, levels, segment.codes)
    x = totals(codes, levels + has_missing, counted)
    n = totals(codes, levels + has_missing, np.ones_like(counted) if base is None else base)
    rest_x, rest_n = x[:levels].sum(axis=0) - x, n[:levels].sum(axis=0) - n
    if has_missing:
        rest_x[levels], rest_n[levels] = 0, 0
    tested = (n >= 2) & (rest_n >= 1)
    values = _compare(x, n, rest_x, rest_n, options)
    notes: Notes = [[[] for _ in range(n_items)] for _ in range(levels + has_missing)]
    _basic_notes(notes, x, n, rest_x, rest_n, levels)
    asked = _asked_shares(data, segment, codes, n, notes, options)
    adjusted = adjust(segment, counted, base, tested, notes, options)
    states = np.full(x.shape, "unaudited", dtype=object)
    states[:levels, human] = "human codes"
    if data.reviewed is not None:
        correct_by_audit(data, segment, base, values, states, tested, notes, options)
    values["p_value"][~tested] = np.nan
    p_wy = _permute(segment, counted, tested, base, options)
    p_wy[states == "audited"] = np.nan
    values.update(adjusted)
    vanishing_notes(values, tested, states, notes, options)
    values.update(asked, p_bh=benjamini_hochberg(values["p_value"]), p_wy=p_wy)
    values["tipping_recall"] = tipping_points(data, x, n, rest_x, rest_n, values, states, notes, options)
    if segment.parts:
        interaction_notes(segment, counted, base, n, states, notes)
    verdict = _verdicts(values, tested, options)
    names = [*segment.levels, NOT_DISCLOSED][: levels + has_missing]
    columns: dict[str, Any] = {
        "segment": segment.name,
        "level": np.repeat(names, n_items),
        "item": np.tile(np.array(data.items, dtype=object), len(names)),
        "kind": np.tile(np.array(data.kinds, dtype=object), len(names)),
        "n_mention": x.ravel(),
        "n": n.ravel(),
        "rest_n_mention": _or_missing(rest_x, levels),
        "rest_n": _or_missing(rest_n, levels),
        **{name: np.clip(array, -1, 1).ravel() for name, array in values.items() if not name.endswith("90")},
        "audit_state": states.ravel(),
        "verdict": verdict.ravel(),
        "suppressed": False,
        "note": ["; ".join(parts) or None for row in notes for parts in row],
    }
    return pd.DataFrame(columns), _omnibus(data, segment, x[:levels], n[:levels], options), int(tested.sum())


def _compare(x: Ints, n: Ints, rest_x: Ints, rest_n: Ints, options: Options) -> dict[str, Floats]:
    """Shares, intervals, mid-p and detectable gap; nan where a side is empty."""
    with np.errstate(divide="ignore", invalid="ignore"):
        share, rest_share = x / n, rest_x / rest_n
    low, high = wilson(x, n)
    ci_low, ci_high = newcombe(x, n, rest_x, rest_n)
    low90, high90 = newcombe(x, n, rest_x, rest_n, level=0.9)
    return {
        "share": share,
        "share_low": low,
        "share_high": high,
        "rest_share": rest_share,
        "difference": share - rest_share,
        "ci_low": ci_low,
        "ci_high": ci_high,
        "low90": low90,
        "high90": high90,
        "p_value": exact_p(x, n, rest_x, rest_n).astype(float),
        "mde": minimum_detectable_gap(n, rest_n, rest_share, alpha=options.alpha),
    }


def _basic_notes(notes: Notes, x: Ints, n: Ints, rest_x: Ints, rest_n: Ints, levels: int) -> None:
    for level, row in enumerate(notes):
        for item, parts in enumerate(row):
            everybody = n[level, item] + rest_n[level, item]
            mentions = x[level, item] + rest_x[level, item]
            if level >= levels:
                parts.append("value not disclosed: part of no rest, not tested")
            elif n[level, item] == 0:
                parts.append("nobody of this level was asked")
            elif rest_n[level, item] == 0:
                parts.append("nobody to compare with")
            elif n[level, item] == 1:
                parts.append("one candidate only: not tested")
            elif mentions == 0:
                parts.append("nobody mentions it")
            elif mentions == everybody:
                parts.append("everybody mentions it")


def _asked_shares(
    data: Incidence, segment: Segment, codes: Ints, n: Ints, notes: Notes, options: Options
) -> dict[str, Floats]:
    """Shares asked of the level and of the rest, and a note where they differ by more than `ASKED_GAP`."""
    levels = len(segment.levels)
    if data.asked is None:
        blank = np.full(n.shape, np.nan)
        return {"asked_share": blank, "rest_asked_share": blank.copy()}
    total = totals(codes, len(n), np.ones_like(data.asked))
    asked = totals(codes, len(n), data.asked)
    rest_asked, rest_total = asked[:levels].sum(axis=0) - asked, total[:levels].sum(axis=0) - total
    with np.errstate(divide="ignore", invalid="ignore"):
        share, rest = asked / total, rest_asked / rest_total
    rest[levels:] = np.nan
    if options.among is None:
        far = (np.abs(share - rest) > ASKED_GAP) & (total >= _ASKED_N) & (rest_total >= _ASKED_N)
        for level, item in np.argwhere(far):
            notes[level][item].append("asked shares differ: compare among those asked")
    return {"asked_share": share, "rest_asked_share": rest}


def _permute(
    segment: Segment,
    counted: Flags,
    tested: Flags,
    base: Flags | None,
    options: Options,
) -> Floats:
    """Westfall-Young p-values of the tested levels, within strata where there are any."""
    out = np.full(tested.shape, np.nan)
    levels = np.flatnonzero(tested.any(axis=1))
    if not options.permutations or base is not None or not len(levels) or not tested.shape[1]:
        return out
    known = segment.codes >= 0
    out[levels] = westfall_young(
        counted[known],
        segment.codes[known],
        levels=levels.tolist(),
        strata=None if options.strata is None else options.strata[known],
        permutations=options.permutations,
        random_state=derived_seed(options, segment.name),
    ).adjusted
    return out


def _verdicts(values: dict[str, Floats], tested: Flags, options: Options) -> NDArray[Any]:
    """Return what may be said (`schema.VERDICTS`)."""
    fallback = values["p_bh"]
    if options.strata is not None:  # audited findings too: what is corrected is crude, so both must show it
        fallback = np.fmax(fallback, benjamini_hochberg(values["adjusted_p"]))
    p = np.where(np.isnan(values["p_wy"]), fallback, values["p_wy"])
    inside = (values["low90"] > -options.margin) & (values["high90"] < options.margin)
    material = np.abs(np.nan_to_num(values["adjusted_difference"])) >= options.margin
    verdict = np.full(tested.shape, "not enough data", dtype=object)
    verdict[inside & ~material] = "no material difference"
    verdict[(p <= options.alpha) & ~inside] = "difference"
    verdict[~tested] = "not tested"
    return verdict


def _omnibus(data: Incidence, segment: Segment, x: Ints, n: Ints, options: Options) -> pd.DataFrame:
    rows = []
    for item, name in enumerate(data.items):
        table = np.stack([x[:, item], n[:, item] - x[:, item]], axis=1)
        p, method = (
            freeman_halton(table, random_state=derived_seed(options, f"{segment.name}|{name}"))
            if len(table)
            else (1.0, "none")
        )
        rows.append((segment.name, name, p if method != "none" else np.nan, method))
    return pd.DataFrame(rows, columns=["segment", "item", "p_value", "method"])


def _or_missing(counts: Ints, levels: int) -> Floats:
    out = counts.astype(float)
    out[levels:] = np.nan
    return out.ravel()

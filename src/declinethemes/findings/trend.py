"""Trend over batches: does the share of candidates who mention an item rise or fall, and what changed last.

In: mentions, candidates with their batch, and where the way of reading changed. Out: a `Trend` with full numbers;
`suppressed` marks what the outputs of a study hide. No forecast, and nothing is said about causes.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, Literal
from zlib import crc32

import numpy as np
import pandas as pd

from declinethemes.errors import SettingsError
from declinethemes.findings.inputs import Floats, Ints, read_candidates, read_mentions, read_segment
from declinethemes.findings.options import totals
from declinethemes.schema import NOT_DISCLOSED
from declinethemes.stats.multiplicity import benjamini_hochberg
from declinethemes.stats.proportions import exact_p, newcombe, wilson
from declinethemes.stats.thresholds import MIN_N, protected_rows
from declinethemes.stats.trend import cochran_armitage, permutation_trend

MIN_BATCHES = 4
_EXPECTED = 5.0
UNKNOWN = "by nothing"
_PERIOD = re.compile(r"(?:(?P<year>\d{4})\W*)?(?P<kind>[QH]?)(?P<part>\d{1,2})?(?:\W*(?P<late>\d{4}))?", re.I)
_KEPT = ("batch", "item", "kind", "suppressed")


@dataclass(frozen=True, kw_only=True, eq=False)
class Trend:
    """Shares per batch, and what they amount to.

    Parameters
    ----------
    counts : pandas.DataFrame
        A row per item and batch: batch, item, kind, n_mention, n, share with Wilson limits, suppressed.
    items : pandas.DataFrame
        A row per item: item, kind, n_batches (those that are tested), slope (change of the share per batch) with 95 %
        limits (Wald), p_value, method, p_bh; change (last batch minus the one before) with Newcombe limits, change_p
        (mid-p), change_p_bh; verdict ("rises", "falls", "no trend shown", "not tested"); suppressed.
    batches : tuple of str
        In order.
    breaks : mapping of batch to text
        From which batch on something else was counted, and what.
    notes : tuple of str
        What holds for the whole table.
    """

    counts: pd.DataFrame
    items: pd.DataFrame
    batches: tuple[str, ...]
    breaks: Mapping[str, str]
    notes: tuple[str, ...] = ()

    def to_frame(self) -> pd.DataFrame:
        """Return a row per item, with its shares as columns ``share <batch>``."""
        shares = self.counts.pivot_table(index="item", columns="batch", values="share", aggfunc="first", dropna=False)
        wide = shares.reindex(columns=list(self.batches)).add_prefix("share ").astype(float)
        return self.items.merge(wide.reset_index(), on="item", how="left")

    def protected(self) -> Trend:
        """Return it without what is too small to show: numbers of such batches, and every test that rests on them."""
        return replace(self, counts=_blanked(self.counts), items=_blanked(self.items))

    def _repr_html_(self) -> str:
        return str(self.to_frame().to_html(max_rows=60, float_format="{:.3f}".format, na_rep="", index=False))


def trend(
    mentions: pd.DataFrame,
    candidates: pd.DataFrame,
    *,
    batch: str = "batch",
    order: Sequence[str] | None = None,
    read_with: Mapping[str, str] | None = None,
    stance: Literal["negative", "all"] = "negative",
    alpha: float = 0.05,
    min_n: int = MIN_N,
    sensitive: Collection[str] = (),
    random_state: int = 0,
) -> Trend:
    """Test every item for a trend over batches, and the last batch against the one before.

    Parameters
    ----------
    mentions, candidates : pandas.DataFrame
        As in `crosstab`; candidates has the column `batch`. Who has no batch is left out, and counted in the notes.
    batch : str
        The column.
    order : sequence of str, optional
        The batches in order; default: by the median ``decline_date`` where every batch has one, else by names that say
        it (numbers, 2026-Q1, Q1 2026, 2026-04-01). If neither does, nothing is tested.
    read_with : mapping of batch to text, optional
        The tagger and codebook that each batch was read with. Where it changes is a break: only batches from the last
        one on are tested.
    stance : {"negative", "all"}
        Count complaints, or all mentions.
    alpha : float
        Level of the verdicts.
    min_n : int
        Smallest batch that the outputs of a study show.
    sensitive : collection of str
        Items with the raised disclosure threshold.
    random_state : int
        Seed of the permutations.

    Returns
    -------
    Trend
        Cochran-Armitage from four batches on, by permutation where a batch expects fewer than five with or without the
        item; adjusted over all items (Benjamini-Hochberg), as are the changes.

    Raises
    ------
    SettingsError
        There is no such column, fewer than two batches, or `order` does not name every batch once.

    References
    ----------
    Armitage (1955), doi:10.2307/3001775; Newcombe (1998), Statistics in Medicine 17:873-890
    """
    people = _batches_as_text(read_candidates(candidates), batch)
    data, used = read_mentions(mentions, people, None, stance=stance, among=None)
    segment = read_segment(people, (batch,))
    names, basis = _ordered(people, batch, segment.levels, order)
    place = {level: names.index(level) for level in segment.levels}
    codes = np.array([place[segment.levels[code]] if code >= 0 else len(names) for code in segment.codes])
    x = totals(codes, len(names) + 1, data.said)[:-1]
    n = np.bincount(codes, minlength=len(names) + 1)[: len(names)]
    breaks = _breaks(names, read_with or {})
    first = max((names.index(name) for name in breaks), default=0)
    counts = _counts(x, n, names, data.items, data.kinds)
    counts["suppressed"] = _hidden(counts, min_n=min_n, sensitive=sensitive)
    items = _tested(x[first:], n[first:], data.items, alpha=alpha, random_state=random_state, ordered=basis != UNKNOWN)
    hidden = counts.groupby("item")["suppressed"].any()
    items["item"], items["kind"] = data.items, np.array(data.kinds, dtype=object)
    items["suppressed"] = hidden.reindex(data.items).to_numpy(dtype=bool)
    lead = ["item", "kind"]
    notes = [f"Batches are ordered {basis}."]
    if basis == UNKNOWN:
        notes = ["The order of the batches is unknown, so nothing is tested: give decline dates, or the order."]
    lost = int((codes == len(names)).sum())
    left_out = "" if not lost else f"{lost}" if lost >= min_n else "A few"
    notes += _notes(len(names) - first, left_out, breaks, names[first])
    if stance != used:
        notes.append("No stance is known: all mentions are counted.")
    return Trend(
        counts=counts,
        items=items[[*lead, *(column for column in items.columns if column not in lead)]],
        batches=tuple(names),
        breaks=breaks,
        notes=tuple(notes),
    )


def _batches_as_text(people: pd.DataFrame, batch: str) -> pd.DataFrame:
    """Return people with batches as text: numbers are names here, however many."""
    if batch not in people or not pd.api.types.is_numeric_dtype(people[batch]):
        return people
    numbers = people[batch].astype("Float64")
    whole = bool((numbers.dropna() % 1 == 0).all())
    return people.assign(**{batch: (numbers.astype("Int64") if whole else numbers).astype("string")})


def _ordered(people: pd.DataFrame, batch: str, levels: list[str], order: Sequence[str] | None) -> tuple[list[str], str]:
    """Return the batches in order, and what the order rests on."""
    if len(levels) < 2:
        raise SettingsError(f"a trend needs two batches at least; '{batch}' has {len(levels)}")
    if order is not None:
        if sorted(order) != sorted(levels):
            raise SettingsError(f"order names every batch once: {', '.join(levels)}; found {', '.join(order)}")
        return list(order), "as given"
    if "decline_date" in people:
        days = pd.to_datetime(people["decline_date"], errors="coerce").groupby(people[batch].astype("string")).median()
        middle = days.reindex(levels)
        if not middle.isna().any():
            return sorted(levels, key=lambda name: (middle[name], name)), "by their median decline date"
    places = {name: place for name in levels if (place := _place(name)) is not None}
    alike = len({len(place) for place in places.values()}) == 1
    if alike and len(places) == len(set(places.values())) == len(levels):
        return sorted(levels, key=lambda name: places[name]), "by their names"
    return sorted(levels), UNKNOWN


def _place(name: str) -> tuple[float, ...] | None:
    """Return where a batch stands by its name: a number, a day, a month, a quarter or a half of a year; else None."""
    if re.fullmatch(r"\d{1,3}(\.\d+)?", name):
        return (float(name),)
    if re.fullmatch(r"\d{4}-\d{2}-\d{2}", name):
        return tuple(float(part) for part in name.split("-"))
    found = _PERIOD.fullmatch(name.strip())
    year = found and (found["year"] or found["late"])
    if not found or not year or (found["year"] and found["late"]):
        return None
    return float(year), float(found["part"] or 0)


def _breaks(names: list[str], read_with: Mapping[str, str]) -> dict[str, str]:
    """Return the batches that were read with something else than the one before, and with what."""
    known = [(name, read_with[name]) for name in names if name in read_with]
    return {
        name: f"read with {now}, those before with {before}"
        for (_, before), (name, now) in pairwise(known)
        if now != before
    }


def _counts(x: Ints, n: Ints, names: list[str], items: list[str], kinds: list[str | None]) -> pd.DataFrame:
    size = np.broadcast_to(n[:, None], x.shape)
    with np.errstate(divide="ignore", invalid="ignore"):
        low, high = wilson(x, size)
        share = x / size
    return pd.DataFrame(
        {
            "batch": np.repeat(names, len(items)),
            "item": np.tile(np.array(items, dtype=object), len(names)),
            "kind": np.tile(np.array(kinds, dtype=object), len(names)),
            "n_mention": x.ravel(),
            "n": size.ravel(),
            "share": share.ravel(),
            "share_low": low.ravel(),
            "share_high": high.ravel(),
        }
    )


def _hidden(counts: pd.DataFrame, *, min_n: int, sensitive: Collection[str]) -> Any:
    """Return which numbers are too small to show, or would give such a one away; batches are levels of a segment."""
    whole = counts.groupby("item")[["n_mention", "n"]].transform("sum")
    rows = counts.assign(
        segment="batch",
        level=counts["batch"],
        rest_n_mention=whole["n_mention"] - counts["n_mention"],
        rest_n=whole["n"] - counts["n"],
        verdict="not tested",
    )
    return protected_rows(rows, min_n=min_n, sensitive=sensitive, unlisted=NOT_DISCLOSED)


def _tested(x: Ints, n: Ints, names: list[str], *, alpha: float, random_state: int, ordered: bool) -> pd.DataFrame:
    """Return slope, test and last change of every item over the batches that are counted alike."""
    batches, items = x.shape if ordered else (0, x.shape[1])
    blank = np.full(items, np.nan)
    slope, low, high = _slopes(x, n) if batches >= MIN_BATCHES else (blank, blank.copy(), blank.copy())
    p, method = blank.copy(), np.full(items, "none", dtype=object)
    for item in range(items) if batches >= MIN_BATCHES else ():
        seed = int(np.random.SeedSequence([random_state, crc32(names[item].encode())]).generate_state(1)[0])
        p[item], method[item] = _trend_p(x[:, item], n, seed)
    adjusted = benjamini_hochberg(p)
    verdict = np.where(np.isnan(p), "not tested", "no trend shown").astype(object)
    verdict[adjusted <= alpha] = np.where(slope[adjusted <= alpha] > 0, "rises", "falls")
    change = {name: blank.copy() for name in ("change", "change_low", "change_high", "change_p")}
    if batches >= 2 and min(n[-1], n[-2]) > 0:
        now, before = (x[-1], np.full(items, n[-1])), (x[-2], np.full(items, n[-2]))
        change["change"] = now[0] / now[1] - before[0] / before[1]
        change["change_low"], change["change_high"] = newcombe(*now, *before)
        change["change_p"] = exact_p(*now, *before).astype(float)
    return pd.DataFrame(
        {
            "n_batches": batches,
            "slope": slope,
            "slope_low": low,
            "slope_high": high,
            "p_value": p,
            "method": method,
            "p_bh": adjusted,
            **change,
            "change_p_bh": benjamini_hochberg(change["change_p"]),
            "verdict": verdict,
        }
    )


def _trend_p(x: Ints, n: Ints, seed: int) -> tuple[float, str]:
    share = x.sum() / n.sum()
    if n.min() * min(share, 1 - share) < _EXPECTED:
        return permutation_trend(x, n, random_state=seed), "permutation"
    return cochran_armitage(x, n)[1], "Cochran-Armitage"


def _slopes(x: Ints, n: Ints) -> tuple[Floats, Floats, Floats]:
    """Return the weighted least-squares slope of the share per batch, with Wald limits at the pooled share."""
    place = np.arange(len(n), dtype=float)
    centred = place - (n * place).sum() / n.sum()
    spread = (n * centred**2).sum()
    slope = (centred @ x) / spread
    share = x.sum(axis=0) / n.sum()
    reach = 1.959964 * np.sqrt(share * (1 - share) / spread)
    return slope, slope - reach, slope + reach


def _notes(tested: int, left_out: str, breaks: Mapping[str, str], first: str) -> list[str]:
    notes = ["p_bh and change_p_bh are adjusted over all items (Benjamini-Hochberg); limits are not adjusted."]
    notes += [
        f"Break at {name}: {text}. Shares before and after it are not comparable." for name, text in breaks.items()
    ]
    if breaks:
        notes.append(f"Only batches from {first} on are tested.")
    if tested < MIN_BATCHES:
        notes.append(f"A trend needs {MIN_BATCHES} batches that are counted alike; there are {tested}: none is tested.")
    if left_out:
        notes.append(f"{left_out} candidates have no batch and are left out.")
    return notes


def _blanked(frame: pd.DataFrame) -> pd.DataFrame:
    hidden = frame["suppressed"].astype(bool)
    out = frame.copy()
    for name in frame.columns:
        if name not in (*_KEPT, "n_batches", "verdict"):
            out[name] = out[name].mask(hidden)
    return out.assign(verdict=out["verdict"].mask(hidden, "protected")) if "verdict" in out else out

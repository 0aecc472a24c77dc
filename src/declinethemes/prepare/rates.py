"""Decline rates: of the offers made, how many were declined, by level, and who declines more often.

In: the offers table, accepted ones included. Out: `DeclineRates`. A decline is the candidate's decision, so a ratio of
decline rates says nothing of a selection by the employer, and nothing here says why. Full numbers: `suppressed` marks
what `.protected()` hides.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from declinethemes.config import Settings
from declinethemes.errors import SettingsError
from declinethemes.prepare.compare import Options, compare_levels, state
from declinethemes.prepare.decided import By, decide, read_segments, strata_of
from declinethemes.prepare.trend import ALL, MIN_QUARTERS, by_quarter
from declinethemes.schema import NOT_DISCLOSED
from declinethemes.stats.thresholds import MIN_N, protected_rows

COLUMNS = (
    "segment",
    "level",
    "n",
    "declined",
    "rate",
    "rate_low",
    "rate_high",
    "rest_n",
    "rest_declined",
    "rest_rate",
    "difference",
    "ci_low",
    "ci_high",
    "ratio",
    "ratio_low",
    "ratio_high",
    "p_value",
    "p_bh",
    "mde",
    "adjusted_difference",
    "adjusted_p",
    "trend_change",
    "trend_p",
    "acceptance_ratio",
    "verdict",
    "flip_verdict",
    "suppressed",
    "note",
)
_COUNTS = ("n", "declined", "rest_n", "rest_declined")
_WORDS = ("segment", "level", "verdict", "flip_verdict", "note")
_PROTECTED_NOTE = "protected: too few offers to show"


@dataclass(frozen=True, kw_only=True, eq=False)
class DeclineRates:
    """Decline rates with what made them.

    Attributes
    ----------
    rates : pandas.DataFrame
        One row per level of each segment, the columns of `decline_rates`.
    quarters, trends : pandas.DataFrame
        Rates by quarter of the offer, and a test of trend; for all offers and for each level.
    listed : pandas.DataFrame
        offer_id, candidate_id, outcome, counted, reason: what was left out, or counted although odd.
    counts : mapping of str to int
        offers, candidates, accepted, declined, pending, withdrawn, no outcome, superseded.
    family : int
        Comparisons that `p_bh` is adjusted for: all levels of all segments of the call.
    parameters : mapping
        The arguments.
    notes : tuple of str
        What holds for the whole table.
    """

    rates: pd.DataFrame
    quarters: pd.DataFrame
    trends: pd.DataFrame
    listed: pd.DataFrame
    counts: Mapping[str, int]
    family: int
    parameters: Mapping[str, Any]
    notes: tuple[str, ...] = ()

    def to_frame(self) -> pd.DataFrame:
        """Return the rates; a copy, with parameters, counts and the size of the family in `attrs`."""
        frame = self.rates.copy()
        frame.attrs = {"parameters": dict(self.parameters), "counts": dict(self.counts), "family": self.family}
        return frame

    def sentences(self) -> pd.Series:
        """Return one sentence per row, in the order of the rows; none claims a cause."""
        rows = self.rates.to_dict("records")
        texts = [_sentence({str(k): v for k, v in row.items()}, self.family, self.parameters["margin"]) for row in rows]
        return pd.Series(texts, index=self.rates.index, dtype="string", name="sentence")

    def protected(self) -> DeclineRates:
        """Return the same with small groups blank, and those that would give them away.

        Hidden rows keep segment and level and say "protected". Quarters are kept for all offers together only: those of
        a level would give it away.
        """
        hidden = self.rates["suppressed"].astype(bool)
        rates = self.rates.copy()
        for name in COLUMNS:
            if name not in ("segment", "level", "suppressed"):
                rates[name] = rates[name].mask(hidden)
        rates["verdict"] = rates["verdict"].mask(hidden, "protected")
        rates["note"] = rates["note"].mask(hidden, _PROTECTED_NOTE)
        gone = set(zip(rates["segment"][hidden], rates["level"][hidden], strict=True))
        kept = [key not in gone for key in zip(self.trends["segment"], self.trends["level"], strict=True)]
        quarters = self.quarters[self.quarters["segment"] == ALL].reset_index(drop=True)
        small = _suppressed(quarters.assign(level=quarters["quarter"]), int(self.parameters["min_n"]))
        for name in ("n", "declined", "rate", "rate_low", "rate_high"):
            quarters[name] = quarters[name].mask(small)
        trends = self.trends[kept].reset_index(drop=True)
        return replace(self, rates=rates, quarters=quarters, trends=trends)

    def chart(self) -> str:
        """Return a page (HTML) that draws each segment: share declined with its interval; small groups protected."""
        from declinethemes.prepare.chart import draw_rates

        return draw_rates(self.protected())

    def _repr_html_(self) -> str:
        names = [
            "segment",
            "level",
            "n",
            "declined",
            "rate",
            "rate_low",
            "rate_high",
            "difference",
            "ci_low",
            "ci_high",
        ]
        shown = self.rates[[*names, "ratio", "p_bh", "verdict", "flip_verdict", "suppressed", "note"]]
        table = shown.to_html(max_rows=60, float_format="{:.3f}".format, na_rep="", index=False)
        return f"<p>{' '.join(self.notes)}</p>{table}"


def decline_rates(
    offers: pd.DataFrame,
    *,
    by: By,
    adjust_for: str | Sequence[str] | None = None,
    today: date | None = None,
    margin: float = Settings.margin,
    alpha: float = Settings.alpha,
    min_n: int = MIN_N,
    not_disclosed: Collection[str] = Settings.not_disclosed,
    random_state: int = 0,
) -> DeclineRates:
    """Compare how often offers are declined, level by level, with the rest.

    One offer per candidate counts: the one decided last. Pending and withdrawn offers, and those without an outcome,
    are counted and listed, not part of a rate.

    Parameters
    ----------
    offers : pandas.DataFrame
        The offers table: candidate_id, outcome (accepted, declined, pending, withdrawn) and segment columns; offer_id,
        offer_date and decline_date optional. Without an offer_date there is no trend.
    by : str, list or tuple
        A column; a list of columns, each on its own; a tuple of columns is their combination.
    adjust_for : str or list of str, optional
        Columns held fixed. Default: role and location, where the table has them and the segment is not one of them.
    today : date, optional
        Dates after it are listed as odd; none are looked for without it.
    margin : float
        Gap, in shares, that would matter; set it before looking.
    alpha : float
        Level of the verdicts.
    min_n : int
        Smallest group that `.protected()` shows.
    not_disclosed : collection of str
        Words for a missing level, compared without case.
    random_state : int
        Seed of the permutations for trends of few offers.

    Returns
    -------
    DeclineRates
        `.to_frame()` has, per level: n, declined, rate with Wilson interval; rest_n, rest_declined, rest_rate;
        difference with Newcombe interval (ci_low, ci_high); ratio of decline rates with Koopman's score interval;
        p_value (Fisher mid-p), p_bh (Benjamini-Hochberg over all levels of the call); mde (smallest gap upwards found
        with power .8); adjusted_difference and adjusted_p (Mantel-Haenszel, exact conditional test within strata);
        trend_change (per quarter) and trend_p; acceptance_ratio (its acceptance rate over the highest of the segment's
        levels with `min_n` offers: the four-fifths convention, an aside); verdict; flip_verdict (what else the
        verdict would be, had one candidate decided otherwise; missing if nothing); suppressed; note. Rates lie in 0..1.

    Raises
    ------
    InputError
        No offer, no outcome, or no accepted offer; SchemaError for missing columns and values that do not fit.
    SettingsError
        An unknown column or an option out of range.

    Notes
    -----
    The Uniform Guidelines (29 CFR 1607.4D) judge selections by employers; a decline is the candidate's decision. The
    four-fifths ratio depends on its direction: acceptance of 80 and 90 % gives .89, declines of 20 and 10 % give 2.0.

    Examples
    --------
    >>> team = ["a"] * 40 + ["b"] * 40
    >>> outcome = (["declined"] * 24 + ["accepted"] * 16) + (["declined"] * 8 + ["accepted"] * 32)
    >>> offers = pd.DataFrame({"candidate_id": range(80), "team": team, "outcome": outcome})
    >>> found = decline_rates(offers, by="team").to_frame()
    >>> found[["level", "declined", "n", "rate", "verdict"]].values.tolist()
    [['a', 24, 40, 0.6, 'difference'], ['b', 8, 40, 0.2, 'difference']]
    """
    if not 0 < margin < 1 or not 0 < alpha < 1 or min_n < 1:
        raise SettingsError(
            f"margin and alpha lie between 0 and 1, min_n is 1 or more; found {margin!r}, {alpha!r} and {min_n!r}"
        )
    decided = decide(offers, today=today)
    table = decided.offers
    declined = (table["outcome"] == "declined").to_numpy(dtype=bool)
    segments = read_segments(table, by, not_disclosed=not_disclosed)
    compared = []
    for segment in segments:
        held = _held(table, segment.columns, adjust_for)
        stratum = strata_of(table, held) if held else np.zeros(len(table), dtype=np.int64)
        options = Options(alpha=alpha, margin=margin, min_n=min_n, adjust_for=held)
        compared.append(compare_levels(segment, declined, stratum, options))
    rows, family = state(compared, Options(alpha=alpha, margin=margin, min_n=min_n))
    quarters, trends = by_quarter(table, segments, random_state=random_state)
    tests = trends.rename(columns={"change": "trend_change", "p_value": "trend_p"})
    rows = rows.merge(tests[["segment", "level", "trend_change", "trend_p"]], on=["segment", "level"], how="left")
    rates = _typed(rows.assign(suppressed=_suppressed(rows, min_n)))
    parameters = {
        "by": [segment.name for segment in segments],
        "adjust_for": {segment.name: list(one.adjust_for) for segment, one in zip(segments, compared, strict=True)},
        "today": None if today is None else today.isoformat(),
        "margin": margin,
        "alpha": alpha,
        "min_n": min_n,
        "random_state": random_state,
    }
    return DeclineRates(
        rates=rates,
        quarters=quarters,
        trends=trends,
        listed=decided.listed,
        counts=decided.counts,
        family=family,
        parameters=parameters,
        notes=_notes(decided.counts, family, table),
    )


def _held(table: pd.DataFrame, columns: tuple[str, ...], adjust_for: str | Sequence[str] | None) -> tuple[str, ...]:
    """Return the columns to hold fixed for a segment; never the segment itself."""
    if adjust_for is None:
        wanted = [name for name in ("role", "location") if bool(table[name].notna().any())]
    else:
        wanted = [adjust_for] if isinstance(adjust_for, str) else list(adjust_for)
    return tuple(name for name in wanted if name not in columns)


def _suppressed(rows: pd.DataFrame, min_n: int) -> NDArray[np.bool_]:
    """Return which rows are too small to show, and which would give one away."""
    rest = {}
    for name in ("n", "declined"):
        rest[name] = rows[f"rest_{name}"] if f"rest_{name}" in rows else rows[name].sum() - rows[name]
    findings = pd.DataFrame(
        {
            "segment": rows["segment"],
            "level": rows["level"],
            "item": "declined",
            "n_mention": rows["declined"],
            "n": rows["n"],
            "rest_n_mention": rest["declined"],
            "rest_n": rest["n"],
        }
    )
    return protected_rows(findings, min_n=min_n, unlisted=NOT_DISCLOSED)


def _typed(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the columns in order and in types that know a missing value."""
    out: dict[str, pd.Series] = {}
    for name in COLUMNS:
        kind: Any = "Int64" if name in _COUNTS else "string" if name in _WORDS else "Float64"
        out[name] = rows[name].astype("boolean" if name == "suppressed" else kind)
    return pd.DataFrame(out)


def _notes(counts: Mapping[str, int], family: int, table: pd.DataFrame) -> tuple[str, ...]:
    """Return what holds for the whole table."""
    notes = [
        f"{counts['declined']} of {counts['candidates']} decided offers were declined, one offer per candidate.",
        f"p_bh is adjusted for {family} comparisons; intervals and p_value are not. All differences are associations.",
    ]
    left = [(name, counts[name]) for name in ("pending", "withdrawn", "no outcome", "superseded") if counts[name]]
    if left:
        notes.append(f"Not in the rates: {', '.join(f'{n} {name}' for name, n in left)}; see listed.")
    if not counts["declined"]:
        notes.append("No offer was declined: there is nothing to compare.")
    quarters = table["quarter"].nunique()
    undated = int(table["quarter"].isna().sum())
    if quarters < MIN_QUARTERS:
        notes.append(f"No trend: {quarters} quarters with a usable offer_date, {MIN_QUARTERS} are needed.")
    if undated:
        notes.append(f"{undated} offers have no usable offer_date and are in no quarter.")
    notes.append(
        "acceptance_ratio is the four-fifths convention for selections by employers, an aside here: a decline is the "
        "candidate's decision, and the ratio depends on whether acceptances or declines are compared."
    )
    return tuple(notes)


def _sentence(row: Mapping[str, Any], family: int, margin: float) -> str:
    """Return a row as a sentence."""
    subject = f"with {row['segment']} '{row['level']}'"
    if row["verdict"] == "protected":
        return f"Offers {subject}: protected, the group is too small to show"
    start = f"{row['declined']} of {row['n']} offers {subject} were declined ({_percent(row['rate'])}, "
    start += f"{_percent(row['rate_low'])} to {_percent(row['rate_high'])})"
    if row["verdict"] == "not tested" or pd.isna(row["difference"]):
        return f"{start}; not compared"
    points, low, high = (round(100 * float(row[name])) for name in ("difference", "ci_low", "ci_high"))
    more = "as many" if points == 0 else f"{abs(points)} points {'more' if points > 0 else 'fewer'}"
    limits = f"{low} to {high}" if points >= 0 else f"{-high} to {-low}"
    text = f"{start} against {row['rest_declined']} of {row['rest_n']} others: {more} ({limits})"
    if not pd.isna(row["adjusted_difference"]):
        text += f", {round(100 * float(row['adjusted_difference'])):+d} points within strata"
    if row["verdict"] == "difference":
        text += f"; unlikely to be chance among the {family} comparisons made"
    elif row["verdict"] == "no material difference":
        text += f"; a gap of {round(100 * margin)} points or more is unlikely"
    else:
        reach = (
            "no gap upwards" if pd.isna(row["mde"]) else f"upwards a gap of about {_percent(row['mde'])[:-2]} points"
        )
        text += f"; not enough data to tell: on its own, at these numbers, {reach} could be expected to show"
    if not pd.isna(row["flip_verdict"]):
        text += f". Had one candidate decided otherwise, it could read: {row['flip_verdict']}"
    return text


def _percent(share: float) -> str:
    return f"{round(100 * float(share))} %"

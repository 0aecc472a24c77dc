"""Cross-tabulation: who mentions what, by segment.

In: mentions (candidate_id + item, more columns optional) and candidates (candidate_id + segment columns). Out: a
`Crosstab`, whose findings hold one row per item at one level of one segment: the level against everybody else whose
level is known. The unit is the candidate. Full numbers: nothing is hidden here; `suppressed` marks what
`disclosure.protect` hides in the outputs of a study. Nothing is claimed about causes.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import pandas as pd

from declinethemes.errors import SettingsError
from declinethemes.findings.compare import segment_findings
from declinethemes.findings.inputs import By, read_candidates, read_mentions, read_segment, wanted_segments
from declinethemes.findings.options import Options
from declinethemes.findings.recall import COLUMNS as RECALL_COLUMNS
from declinethemes.findings.recall import recall_by_level, with_notes
from declinethemes.schema import NOT_DISCLOSED, conform, empty
from declinethemes.stats.thresholds import MIN_N, protected_rows


@dataclass(frozen=True, kw_only=True, eq=False)
class Crosstab:
    """Findings with what made them.

    Parameters
    ----------
    findings : pandas.DataFrame
        The findings table of `schema`.
    omnibus : pandas.DataFrame
        segment, item, p_value, method: do the levels differ at all (Freeman-Halton), not adjusted.
    parameters : mapping
        The arguments, and what was decided from them.
    families : mapping of str to int
        Comparisons per segment: the family of `p_bh` and `p_wy`.
    notes : tuple of str
        What holds for the whole table.
    tagger_recall : pandas.DataFrame
        The tagger's recall per level and item, where there are reviews; see `recall.recall_by_level`.
    """

    findings: pd.DataFrame
    omnibus: pd.DataFrame
    parameters: Mapping[str, object]
    families: Mapping[str, int]
    notes: tuple[str, ...] = ()
    tagger_recall: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=list(RECALL_COLUMNS)))

    def to_frame(self) -> pd.DataFrame:
        """Return the findings table; a copy, with parameters and families in `attrs`."""
        frame = self.findings.copy()
        frame.attrs = {"parameters": dict(self.parameters), "families": dict(self.families)}
        return frame

    def sentences(self) -> pd.Series:
        """Return one sentence per finding, in the order of the findings."""
        rows = [{str(k): v for k, v in row.items()} for row in self.findings.to_dict("records")]
        margin = float(str(self.parameters["margin"]))
        texts = [sentence(row, comparisons=self.families.get(str(row["segment"]), 0), margin=margin) for row in rows]
        return pd.Series(texts, index=self.findings.index, dtype="string", name="sentence")

    def noted(self, note: str, *, items: Collection[str] | None = None) -> Crosstab:
        """Return the same with a note on every finding, or on those of some items."""
        findings = self.findings.copy()
        mine = pd.Series(True, index=findings.index) if items is None else findings["item"].isin(list(items))
        notes = findings["note"].fillna("")
        findings["note"] = findings["note"].mask(mine, (notes + "; " + note).str.removeprefix("; "))
        return replace(self, findings=findings)

    def joined(self, other: Crosstab, *, note: str) -> Crosstab:
        """Return the findings of both, whose families stay two; the note says so for the whole table.

        Each family keeps its own adjustment; `families` gives the comparisons of both together.
        """
        findings = conform(pd.concat([self.findings, other.findings], ignore_index=True), "findings")
        families = {
            name: self.families.get(name, 0) + other.families.get(name, 0)
            for name in {**self.families, **other.families}
        }
        return replace(
            self,
            findings=findings,
            omnibus=pd.concat([self.omnibus, other.omnibus], ignore_index=True),
            tagger_recall=_stacked([self.tagger_recall, other.tagger_recall]),
            families=families,
            notes=(*dict.fromkeys((*self.notes, *other.notes)), note),
        )

    def stamped(self, stamp: str) -> Crosstab:
        """Return the same with words that say what it is, under "stamp" of the parameters."""
        return replace(self, parameters={**self.parameters, "stamp": stamp})

    def _repr_html_(self) -> str:
        columns = [
            "segment",
            "level",
            "item",
            "n_mention",
            "n",
            "rest_n_mention",
            "rest_n",
            "difference",
            "ci_low",
            "ci_high",
        ]
        shown = self.findings[[*columns, "p_bh", "p_wy", "audit_state", "verdict", "suppressed", "note"]]
        stamp = f"<p>{self.parameters['stamp']}</p>" if "stamp" in self.parameters else ""
        return stamp + str(shown.to_html(max_rows=60, float_format="{:.3f}".format, na_rep="", index=False))


def crosstab(
    mentions: pd.DataFrame,
    candidates: pd.DataFrame,
    *,
    by: By,
    adjust_for: str | Sequence[str] | None = None,
    audit: pd.DataFrame | None = None,
    among: Literal["asked"] | None = None,
    stance: Literal["negative", "all"] = "negative",
    reference: Literal["rest"] = "rest",
    margin: float = 0.15,
    alpha: float = 0.05,
    min_n: int = MIN_N,
    permutations: int = 999,
    random_state: int = 0,
    recall: Mapping[str, float] | None = None,
    sensitive: Collection[str] = (),
) -> Crosstab:
    """Compare how many candidates of each level mention each item with the rest.

    Parameters
    ----------
    mentions : pandas.DataFrame
        candidate_id, item; optional kind, n_passages (0: asked only), stance, asked. Repeated rows count once.
    candidates : pandas.DataFrame
        candidate_id, once each, and the segment columns; everyone in it counts in n.
    by : str, list or tuple
        A column; a list of columns, each on its own; a tuple of columns is their intersection.
    adjust_for : str or list of str, optional
        Compare within the values (combinations of values) of these columns; Westfall-Young permutes within them.
    audit : pandas.DataFrame, optional
        subject (a candidate_id), item, decision (yes, no, unsure), inclusion_probability; optional reviewer, at: does
        the candidate count for the item, under the same `stance`. Without probabilities all are taken as equal.
    among : "asked", optional
        Per item, only candidates who were asked about it; `p_wy` is then not computed, as the groups differ by item.
    stance : {"negative", "all"}
        Count mentions with negative or mixed stance (all, where no stance is known), or all of them.
    reference : {"rest"}
        What a level is compared with.
    margin : float
        Gap, in shares, that would matter; set it before looking.
    alpha : float
        Level of the verdicts.
    min_n : int
        Smallest group that the outputs of a study show.
    permutations : int
        Labelings for Westfall-Young; 0 leaves `p_wy` missing. Use 9,999 for headlines.
    random_state : int
        Seed.
    recall : mapping of item to float, optional
        Recall of the tagger, for tipping points.
    sensitive : collection of str
        Items with the raised disclosure threshold.

    Returns
    -------
    Crosstab
        `.to_frame()` is the findings table.

    Raises
    ------
    SettingsError
        An unknown column or option, or a numeric segment with more than 12 values.
    InputError
        A candidate that is in mentions or in audit only; SchemaError for missing columns, repeated
        or missing candidates, unknown values.

    Examples
    --------
    >>> people = pd.DataFrame({"candidate_id": range(40), "team": ["a"] * 20 + ["b"] * 20})
    >>> said = pd.DataFrame({"candidate_id": [*range(12), 20], "item": "process.slow"})
    >>> found = crosstab(said, people, by="team").to_frame()
    >>> found[["level", "n_mention", "n", "verdict"]].values.tolist()
    [['a', 12, 20, 'difference'], ['b', 1, 20, 'difference']]
    """
    _check_options(stance, reference, among, margin=margin, alpha=alpha, permutations=permutations, min_n=min_n)
    people = read_candidates(candidates)
    data, stance_used = read_mentions(mentions, people, audit, stance=stance, among=among)
    columns = [adjust_for] if isinstance(adjust_for, str) else list(adjust_for or [])
    pooled = read_segment(people, tuple(columns)) if columns else None
    options = Options(
        stance=stance_used,
        among=among,
        margin=margin,
        alpha=alpha,
        min_n=min_n,
        permutations=permutations,
        random_state=random_state,
        sensitive=frozenset(sensitive),
        recall=dict(recall or {}),
        adjust_name=" and ".join(columns),
        strata=pooled.codes if pooled else None,
    )
    segments = [read_segment(people, columns) for columns in wanted_segments(by)]
    results = [segment_findings(data, segment, options) for segment in segments]
    frames = [frame for frame, _, _ in results if len(frame)]
    findings = conform(pd.concat(frames, ignore_index=True), "findings") if frames else empty("findings")
    hidden = protected_rows(findings, min_n=min_n, sensitive=options.sensitive, unlisted=NOT_DISCLOSED)
    findings["suppressed"] = pd.array(hidden, dtype="boolean")
    recalls = _stacked([recall_by_level(data, segment) for segment in segments])
    if len(recalls):
        findings = with_notes(findings, recalls)
    return Crosstab(
        findings=findings,
        omnibus=pd.concat([omnibus for _, omnibus, _ in results], ignore_index=True),
        parameters={
            "by": [segment.name for segment in segments],
            "adjust_for": columns,
            "among": among,
            "stance": stance,
            "stance_applied": stance_used,
            "reference": reference,
            "margin": margin,
            "alpha": alpha,
            "min_n": min_n,
            "permutations": permutations,
            "random_state": random_state,
            "n_candidates": len(people),
        },
        families={segment.name: size for segment, (_, _, size) in zip(segments, results, strict=True)},
        notes=_table_notes(stance, stance_used, among, columns, audit),
        tagger_recall=recalls,
    )


def sentence(row: Mapping[str, Any], *, comparisons: int, margin: float = 0.15) -> str:
    """Return a finding as a sentence that claims no cause.

    Parameters
    ----------
    row : mapping
        One row of findings.
    comparisons : int
        Size of the family, said where a difference is claimed.
    margin : float
        The margin of the verdicts.

    Returns
    -------
    str

    Examples
    --------
    >>> row = {"segment": "gender", "level": "woman", "item": "process.slow", "n_mention": 11, "n": 24,
    ...        "rest_n_mention": 9, "rest_n": 61, "difference": 0.311, "ci_low": 0.102, "ci_high": 0.513,
    ...        "mde": 0.31, "verdict": "difference"}
    >>> sentence(row, comparisons=40).partition("others: ")[2]
    '31 points more (10 to 51); unlikely to be chance among the 40 comparisons made'
    """
    subject = f"candidates ({row['segment']}: {row['level']})"
    verdict = row["verdict"]
    if verdict == "protected":
        return f"{row['item']}, {subject}: protected, the group is too small to show"
    start = f"{row['n_mention']} of {row['n']} {subject} spoke of {row['item']}"
    if verdict == "not tested" or pd.isna(row["difference"]):
        return f"{start}; not compared"
    size = _gap(float(row["difference"]), float(row["ci_low"]), float(row["ci_high"]))
    if row.get("audit_state") == "audited":
        size += " after correction by the reviewed sample"
    adjusted = row.get("adjusted_difference")
    if adjusted is not None and not pd.isna(adjusted):
        size += f", {_gap(float(adjusted))} within strata"
    start += f" against {row['rest_n_mention']} of {row['rest_n']} others: {size}"
    if verdict == "difference":
        return f"{start}; unlikely to be chance among the {comparisons} comparisons made"
    if verdict == "no material difference":
        return f"{start}; a gap of {round(100 * margin)} points or more is unlikely"
    mde = row.get("mde")
    reach = (
        "no gap upwards" if mde is None or pd.isna(mde) else f"upwards a gap of about {round(100 * float(mde))} points"
    )
    return f"{start}; not enough data to tell: on its own, at these numbers, {reach} could be expected to show"


def _gap(difference: float, low: float | None = None, high: float | None = None) -> str:
    """Say a difference in points, with its limits in the same direction."""
    points = round(100 * difference)
    text = "as many" if points == 0 else f"{abs(points)} points {'more' if points > 0 else 'fewer'}"
    if low is None or high is None:
        return text
    first, last = (low, high) if points >= 0 else (-high, -low)
    return f"{text} ({round(100 * first)} to {round(100 * last)})"


def _check_options(
    stance: str, reference: str, among: str | None, *, margin: float, alpha: float, permutations: int, min_n: int
) -> None:
    for what, value, known in (
        ("stance", stance, ("negative", "all")),
        ("reference", reference, ("rest",)),
        ("among", among, (None, "asked")),
    ):
        if value not in known:
            raise SettingsError.unknown(what, str(value), [str(name) for name in known])
    if not 0 < margin < 1 or not 0 < alpha < 1:
        raise SettingsError(f"margin and alpha lie between 0 and 1; found margin={margin!r} and alpha={alpha!r}")
    if permutations < 0 or min_n < 1:
        raise SettingsError(f"permutations is 0 or more and min_n 1 or more; found {permutations!r} and {min_n!r}")


def _stacked(frames: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Return the frames below each other; empty ones, whose columns have no type, are left out."""
    filled = [frame for frame in frames if len(frame)]
    return pd.concat(filled, ignore_index=True) if filled else frames[0]


def _table_notes(
    stance: str, used: str, among: str | None, columns: list[str], audit: pd.DataFrame | None
) -> tuple[str, ...]:
    notes = ["Intervals and p_value are not adjusted for the number of comparisons; p_bh and p_wy are."]
    if stance != used:
        notes.append("No stance is known: all mentions are counted.")
    if among == "asked":
        notes.append("Per item, only candidates who were asked about it; p_wy is not computed, p_bh decides.")
    if columns:
        notes.append(f"p_wy and the verdicts compare within {' and '.join(columns)}; p_value and p_bh are crude.")
    if audit is not None:
        notes.append("Audited rows: shares, difference, interval and p_value are corrected; n_mention counts tags.")
        if "inclusion_probability" not in audit or audit["inclusion_probability"].isna().all():
            notes.append("Reviews have no inclusion probabilities: all candidates are taken as drawn with the same.")
    return tuple(notes)

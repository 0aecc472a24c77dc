"""What a study says to others: findings with the settings of the study, drafts, and releases.

In: the tables of a study and its settings. Out: findings, under the disclosure rules or not; `Answers` and a `Request`
for `disclosure.make_release`; the texts of a release's files. What may be shown is decided in `disclosure`; nothing is
written here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pandas as pd

from declinethemes.config import UNDERREPRESENTED, Settings, prepare_segments
from declinethemes.disclosure import Answers, Release, Request, protect, scrub_quote
from declinethemes.errors import SettingsError, StudyError
from declinethemes.findings import Crosstab, crosstab
from declinethemes.findings.inputs import By, read_candidates, read_mentions, wanted_segments
from declinethemes.report import WORDS_WITHHELD, shown_label
from declinethemes.schema import NOT_DISCLOSED
from declinethemes.themes import halves

TALK_LENGTH = "talk_length"
COMPARED = 0.1  # an emergent theme is compared from this share of the candidates on
EXPLORATORY = "exploratory: the theme was found in the words of these same candidates"
HELD_OUT = "the theme was found in the words of other candidates"
TWO_FAMILIES = (
    "Themes found in the text were sought in one half of the candidates and compared in the other half; they and the "
    "framework's items are two families, each tested at half of alpha."
)


def with_talk_length(people: pd.DataFrame, passages: pd.DataFrame) -> pd.DataFrame:
    """Return people with a column ``talk_length``: short, middle or long, thirds by the words that each said.

    Who says more mentions more; comparing within it takes that out. A column of that name in the data stays.
    """
    if TALK_LENGTH in people or people.empty:
        return people
    words = passages["text"].str.count(r"\S+").groupby(passages["candidate_id"]).sum()
    place = people["candidate_id"].map(words).rank(method="average", pct=True)
    thirds = pd.cut(place, [0, 1 / 3, 2 / 3, 1], labels=["short", "middle", "long"], include_lowest=True)
    return people.assign(**{TALK_LENGTH: thirds.astype("string")})


def compared(mentions: pd.DataFrame, themes: pd.DataFrame, *, stance: str) -> pd.DataFrame:
    """Return the mentions of the items that are compared: those that anybody speaks of in this stance.

    An emergent theme needs a tenth of the candidates, fixed before looking at any segment. Smaller ones, and what is
    left of a code beyond its themes, are listed, not compared: each would only make the family of comparisons larger.
    """
    least = COMPARED * mentions["candidate_id"].nunique()
    small = themes[
        (themes["kind"] == "emergent")
        & ((themes["n_candidates"] < least) | themes["code"].isna() | (themes["status"] == "rest"))
    ]
    said = mentions[mentions["n_passages"] > 0]
    if stance == "negative":
        said = said[said["stance"].isin(["negative", "mixed"])]
    keep = set(said["item"]) - set(small["theme_id"])
    return mentions[mentions["item"].isin(keep)].reset_index(drop=True)


def compare(
    mentions: pd.DataFrame,
    people: pd.DataFrame,
    *,
    themes: pd.DataFrame,
    settings: Settings,
    reviews: pd.DataFrame,
    holdout: bool,
    **options: Any,
) -> Crosstab:
    """Cross-tabulate with the settings of a study, with full numbers.

    Parameters
    ----------
    mentions : pandas.DataFrame
        The mentions that are compared.
    people : pandas.DataFrame
        Candidates heard, with the segments made.
    themes : pandas.DataFrame
        The themes table: findings on emergent ones are marked exploratory.
    settings : Settings
    reviews : pd.DataFrame
        What people decided about candidates; may be empty. Items of the framework that only reviewers find are
        compared too.
    holdout : bool
        Compare emergent themes only in the half of the candidates in whose words they were not sought.
    **options
        As in `crosstab`.

    Returns
    -------
    Crosstab
    """
    made = themes.loc[themes["kind"] == "emergent", "theme_id"]
    emergent = mentions["item"].isin(made)
    heard = set(reviews.loc[reviews["decision"] == "yes", "item"]) - set(made)

    def table(mine: pd.DataFrame, among: pd.DataFrame, alpha: float, also: Collection[str]) -> Crosstab:
        ours = reviews["subject"].isin(among["candidate_id"]) & reviews["item"].isin({*mine["item"], *also})
        return crosstab(
            mine.reset_index(drop=True),
            among.reset_index(drop=True),
            audit=reviews[ours].reset_index(drop=True) if (ours & (reviews["decision"] != "unsure")).any() else None,
            alpha=alpha,
            margin=settings.margin,
            min_n=settings.min_n,
            random_state=settings.seed,
            **options,
        )

    if not holdout:
        return table(mentions, people, settings.alpha, heard).noted(
            EXPLORATORY, items=set(mentions.loc[emergent, "item"])
        )
    others = halves(people["candidate_id"], settings.seed)[1]
    later = mentions[emergent & mentions["candidate_id"].isin(others)]
    framework = table(mentions[~emergent], people, settings.alpha / 2, heard)
    found = table(later, people[people["candidate_id"].isin(others)], settings.alpha / 2, ())
    return framework.joined(found.noted(HELD_OUT), note=TWO_FAMILIES)


def read_with(
    candidates: pd.DataFrame, passages: pd.DataFrame, tags: pd.DataFrame, codebooks: Mapping[str, Sequence[str]]
) -> dict[str, str]:
    """Return the taggers and codebooks that each batch was read with, as words; for `trend`."""
    batch = dict(zip(candidates["candidate_id"], candidates["batch"], strict=True))
    owner = dict(zip(passages["passage_id"], passages["candidate_id"].map(batch), strict=True))
    frame = pd.DataFrame({"batch": tags["passage_id"].map(owner), "model": tags["model_id"]}).dropna()
    return {
        str(name): ", ".join(
            [f"tagger {model}" for model in sorted(part["model"].unique())]
            + [f"codebook {version}" for version in codebooks.get(str(name), ())]
        )
        for name, part in frame.groupby("batch")
    }


def as_draft(result: Crosstab, settings: Settings, sensitive: Collection[str]) -> Crosstab:
    """Return a cross-tabulation under the disclosure rules, stamped "working draft"."""
    shown = protect(result.findings, min_n=settings.min_n, quote_n=settings.quote_n, sensitive=sensitive)
    hidden = shown.loc[shown["suppressed"].astype(bool), ["segment", "item"]].drop_duplicates()
    omnibus = result.omnibus.merge(hidden, on=["segment", "item"], how="left", indicator=True)
    open_rows = omnibus[omnibus["_merge"] == "left_only"].drop(columns="_merge").reset_index(drop=True)
    recalls = result.tagger_recall.merge(hidden, on=["segment", "item"], how="left", indicator=True)
    open_recalls = recalls[recalls["_merge"] == "left_only"].drop(columns="_merge").reset_index(drop=True)
    unknown = open_recalls["verdict"] == "unknown"  # few people: how many is nobody's business
    for name in ("n_positive", "rest_n_positive"):
        open_recalls[name] = open_recalls[name].astype("Float64").mask(unknown)
    out = replace(result, findings=shown, omnibus=open_rows, tagger_recall=open_recalls)
    return out.stamped("working draft")


def merge_offers(findings: pd.DataFrame) -> list[str]:
    """Return a sentence per segment some of whose levels are not shown at all: how to show them as one.

    Parameters
    ----------
    findings : pandas.DataFrame
        The findings table as it is shown. Which of the levels is the small one is not said.
    """
    out = []
    known = findings[findings["level"] != NOT_DISCLOSED]
    for segment, rows in known.groupby("segment"):
        open_rows = rows.groupby("level")["verdict"].apply(lambda verdict: bool((verdict != "protected").any()))
        hidden = sorted(open_rows.index[~open_rows])
        if 2 <= len(hidden) < len(open_rows) and " x " not in str(segment) and segment != UNDERREPRESENTED:
            one = json.dumps(" or ".join(hidden), ensure_ascii=False)
            out.append(
                f"{segment}: nothing can be shown of {', '.join(hidden)}. To show them as one, put into study.toml: "
                f"[segments.merge.{_bare(str(segment))}] {one} = {json.dumps(hidden, ensure_ascii=False)}"
            )
    return out


def _bare(key: str) -> str:
    """Return a key of TOML, in quotes where it needs them."""
    return key if re.fullmatch(r"[\w-]+", key, re.ASCII) else json.dumps(key, ensure_ascii=False)


def shown_ledger(ledger: pd.DataFrame, named: Collection[str], *, min_n: int) -> pd.DataFrame:
    """Return the ledger of themes as others may see it: small counts, and words of small themes not `named`, go."""
    out = ledger.copy()
    few = out["n_candidates"].between(1, min_n - 1)
    found = ~out["theme_id"].isin(list(named))
    out["label"] = out["label"].map(lambda label: shown_label(label, scrub_quote)).mask(few & found, WORDS_WITHHELD)
    out[["n_passages", "n_candidates"]] = out[["n_passages", "n_candidates"]].mask(few)
    return out


def read_request(by: By, where: Mapping[str, str] | None, settings: Settings) -> Request:
    """Return the tables that are wanted, with the merged levels of the settings."""
    return Request(by=tuple(wanted_segments(by)), where=tuple(sorted((where or {}).items())), merge=settings.merge)


def count_answers(
    request: Request,
    *,
    candidates: pd.DataFrame,
    heard: pd.Series,
    mentions: pd.DataFrame,
    themes: pd.DataFrame,
    settings: Settings,
    sensitive: Collection[str],
) -> Answers:
    """Return what a release counts: candidates heard, with the levels they have in the data, and their mentions.

    Parameters
    ----------
    request : Request
    candidates : pandas.DataFrame
        The candidates table as read.
    heard : pandas.Series
        candidate_id of everybody with a passage.
    mentions : pandas.DataFrame
        The mentions that are compared.
    themes : pandas.DataFrame
        The themes table: a theme is part of its code, a code of its category.
    settings : Settings
    sensitive : collection of str
        Items with the raised threshold.

    Raises
    ------
    SettingsError
        A column or level of the request is not there.
    StudyError
        Nobody was heard, or nothing is compared.
    """
    columns = (*(name for segment in request.by for name in segment), *dict(request.where))
    everybody = prepare_segments(candidates, replace(settings, segments=columns, merge={}))
    people = read_candidates(everybody[everybody["candidate_id"].isin(heard)])
    _check_names(request, people)
    for column, level in request.where:
        known = sorted({*people[column].dropna(), *request.merge.get(column, {})})
        if level not in known:
            raise SettingsError.unknown(f"level of {column}", level, known)
    if people.empty or mentions.empty:
        raise StudyError("there is nothing to release: no candidate was heard, or nothing they said is compared")
    counted, _ = read_mentions(mentions, people, None, stance=settings.stance, among=None)
    declared = settings.underrepresented
    return Answers(
        people=people,
        said=counted.said,
        items=counted.items,
        kinds=counted.kinds,
        sensitive=frozenset(sensitive),
        derived={UNDERREPRESENTED: declared} if declared else {},
        parts=_parts(counted.items, themes),
    )


def _check_names(request: Request, people: pd.DataFrame) -> None:
    """Raise where a name holds the words that join the parts of an intersection: two groups would read alike."""
    crossed = [name for segment in request.by if len(segment) > 1 for name in segment]
    names = [*(name for segment in request.by for name in segment)]
    names += [str(level) for column in crossed for level in people[column].dropna().unique()]
    bad = next((name for name in names if " x " in name), None)
    if bad is not None:
        raise SettingsError(f"'{bad}' holds ' x ', which joins the columns of an intersection: rename it to release it")


def _parts(items: Sequence[str], themes: pd.DataFrame) -> dict[str, list[str]]:
    """Return the items that are made of others: categories of codes, codes of themes."""
    code_of = dict(zip(themes["theme_id"], themes["code"], strict=True))
    above = {item: code_of[item] if item in code_of else item.rpartition(".")[0] for item in items}
    made: dict[str, list[str]] = {}
    for item, whole in above.items():
        if not pd.isna(whole) and whole in above:
            made.setdefault(str(whole), []).append(item)
    return made


def release_files(made: Release, *, at: str, settings: Settings) -> dict[str, str]:
    """Return the files of a release, by name; each bears its stamp.

    Notes on the audit stay behind: they would tell the reader where something changed.
    """
    findings = made.findings(margin=settings.margin, alpha=settings.alpha)
    said = {**made.summary(), "at": at, "findings": json.loads(findings.to_json(orient="records"))}
    name = made.stamp.replace(" ", "-")
    return {
        f"{name}.csv": findings.assign(stamp=made.stamp).to_csv(index=False),
        f"{name}.json": json.dumps(said, ensure_ascii=False, indent=1),
    }

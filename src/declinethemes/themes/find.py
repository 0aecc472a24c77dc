"""Find the themes of a study: known ones first, then emergent ones under each code and outside the framework.

In: passages, tags, an encoder, and the themes of an earlier run. Out: the themes and assignments tables, and what got
no theme and why. New passages join the emergent themes that stand; what does not fit is grouped. Where the passages of
a code do not fall into groups that would be found again with other candidates, they stay together as its rest.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from itertools import count, islice
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from declinethemes import schema
from declinethemes.encode import Encoder, nameless
from declinethemes.framework import Framework
from declinethemes.themes.discover import MIN_TEXTS
from declinethemes.themes.known import assign_known
from declinethemes.themes.ledger import continued
from declinethemes.themes.represent import describe
from declinethemes.themes.stability import HOLDS, steady

MIN_CANDIDATES = 3
MIN_SIZE = 5
CLEAR = 0.75  # stability that a theme needs outside the framework, where there is no code to say what it is about
FITS = 0.10  # a passage joins a theme if it is nearer to its centre than this share of the theme's passages
REST = "rest-"

Array = NDArray[np.float32]


@dataclass(frozen=True, kw_only=True, eq=False)
class Found:
    """Themes of a study.

    Attributes
    ----------
    themes, assignments : pandas.DataFrame
        The two tables.
    without : pandas.DataFrame
        Columns passage_id, reason: passages in no theme.
    """

    themes: pd.DataFrame
    assignments: pd.DataFrame
    without: pd.DataFrame


def find_themes(
    passages: pd.DataFrame,
    tags: pd.DataFrame,
    *,
    framework: Framework,
    encoder: Encoder,
    likely: pd.DataFrame | None = None,
    earlier: Found | None = None,
    rebuild: bool = False,
    among: Collection[str] | None = None,
    random_state: int = 0,
) -> Found:
    """Find known and emergent themes.

    Parameters
    ----------
    passages, tags : pandas.DataFrame
        The tables of a study.
    framework : Framework
        Names the known themes.
    encoder : Encoder
        Makes the vectors.
    likely : pandas.DataFrame, optional
        Probability of the known themes that a tagger has learnt: index passage_id, a column per theme.
    earlier : Found, optional
        Of an earlier run. Its emergent themes stand: their passages stay with them, new ones join the nearest that they
        fit, and only the others are grouped.
    rebuild : bool
        Group everything anew; a theme that shares half of its passages with an earlier one keeps that one's id.
    among : collection of str, optional
        Candidates whose passages emergent themes are sought in; those of the others only join.
    random_state : int
        Seed of the resamples that decide into how many groups passages fall.

    Returns
    -------
    Found
        The same for the same passages in any order.
    """
    passages, tags = schema.conform(passages, "passages"), schema.conform(tags, "tags")
    vectors = encoder.encode(passages["text"].tolist())
    known = assign_known(passages, tags, vectors, framework, encoder, likely)
    before = None if earlier is None else earlier.themes
    standing = _emergent_of(earlier)
    kept = pd.DataFrame(columns=["passage_id", "theme_id"]) if rebuild else standing
    search = _Search(
        passages=passages,
        vectors=vectors,
        standing=kept,
        among=None if among is None else frozenset(among),
        random_state=random_state,
    )
    members, lost = [], []
    for code, pool in _pools(passages, tags, set(known["passage_id"]), framework).items():
        found, reason = search.pool(code, pool)
        members.append(found)
        lost += [(passage, reason) for passage in pool if reason]
    emergent = pd.concat(members, ignore_index=True)
    emergent = _named(emergent, passages, standing)
    assignments = schema.conform(
        pd.concat([known, emergent[["passage_id", "theme_id", "strength"]]]).drop_duplicates(
            ["passage_id", "theme_id"]
        ),
        "assignments",
    )
    without = pd.DataFrame(lost, columns=["passage_id", "reason"])
    without = without[~without["passage_id"].isin(assignments["passage_id"])].drop_duplicates("passage_id")
    return Found(
        themes=_themes(assignments, emergent, passages, vectors, framework, encoder, before),
        assignments=assignments,
        without=without.sort_values("passage_id").reset_index(drop=True),
    )


def halves(candidate_ids: Collection[str], seed: int) -> tuple[frozenset[str], frozenset[str]]:
    """Return candidates to seek themes among, and those to compare: halves by a hash of the id.

    Nobody changes sides when others come.
    """
    first = frozenset(
        name for name in candidate_ids if hashlib.blake2b(f"{seed}:{name}".encode(), digest_size=1).digest()[0] % 2 == 0
    )
    return first, frozenset(candidate_ids) - first


def _emergent_of(earlier: Found | None) -> pd.DataFrame:
    """Return passage_id, theme_id and code of the earlier emergent themes, rests left out."""
    if earlier is None:
        return pd.DataFrame(columns=["passage_id", "theme_id"])
    themes = earlier.themes
    mine = themes.loc[(themes["kind"] == "emergent") & (themes["status"] != "rest"), "theme_id"]
    return earlier.assignments.loc[earlier.assignments["theme_id"].isin(mine), ["passage_id", "theme_id"]].merge(
        earlier.themes[["theme_id", "code"]], on="theme_id"
    )


def _pools(passages: pd.DataFrame, tags: pd.DataFrame, taken: set[str], framework: Framework) -> dict[str, list[str]]:
    """Return the passages of each code that are in no known theme; under "" those without a code."""
    yes = tags[tags["decision"] == "yes"]
    mine = yes.groupby("code")["passage_id"].agg(set)
    pools = {code.id: sorted(mine.get(code.id, set()) - taken) for code in framework.codes}
    pools[""] = sorted(set(passages["passage_id"]) - set(yes["passage_id"]))
    return pools


@dataclass(frozen=True, kw_only=True, eq=False)
class _Search:
    """Where emergent themes are sought."""

    passages: pd.DataFrame
    vectors: Array
    standing: pd.DataFrame
    among: frozenset[str] | None
    random_state: int

    def pool(self, code: str, pool: list[str]) -> tuple[pd.DataFrame, str]:
        """Return passage_id, code, group, strength, stability of a code's passages, or the reason for none."""
        where = {passage: i for i, passage in enumerate(self.passages["passage_id"])}
        index = np.array([where[passage] for passage in pool], dtype=np.int64)
        texts = np.array(self.passages["text"].iloc[index], dtype=object)
        people = self.passages["candidate_id"].iloc[index].to_numpy(dtype=str)
        vectors = self.vectors[index]
        groups = np.full(len(pool), "", dtype=object)
        stability: dict[str, float] = {}
        codes = self.standing["code"].fillna("") if len(self.standing) else pd.Series(dtype="string")
        stand = self.standing[codes == code] if len(self.standing) else self.standing
        owner = dict(zip(stand["passage_id"], stand["theme_id"], strict=True))
        for i, passage in enumerate(pool):
            groups[i] = owner.get(passage, "")
        _join(groups, vectors)
        seek = np.flatnonzero((groups == "") & (True if self.among is None else np.isin(people, list(self.among))))
        distinct = len(set(texts[seek]))
        if distinct >= MIN_TEXTS:
            labels, holds = steady(
                vectors[seek],
                texts[seek].tolist(),
                people[seek].tolist(),
                min_size=MIN_SIZE,
                least=HOLDS if code else CLEAR,
                random_state=self.random_state,
            )
            for label in range(len(holds)):
                mine = seek[labels == label]
                if len(set(people[mine])) >= MIN_CANDIDATES:
                    groups[mine] = f"{code}|{label}"
                    stability[f"{code}|{label}"] = float(holds[label])
            _join(groups, vectors)
        rest = groups == ""
        reason = ""
        if rest.any() and len(set(people[rest])) < MIN_CANDIDATES:
            reason = f"said by fewer than {MIN_CANDIDATES} candidates under this code"
        else:
            groups[rest] = REST + (code or "outside")
        frame = pd.DataFrame(
            {
                "passage_id": pool,
                "code": code,
                "group": groups,
                "strength": _closeness(groups, vectors),
                "stability": [stability.get(str(group), np.nan) for group in groups],
            }
        )
        return frame[frame["group"] != ""], reason


def _join(groups: NDArray[np.object_], vectors: Array) -> None:
    """Let passages without a group join the nearest one that they fit."""
    names = sorted(set(groups) - {""})
    free = np.flatnonzero(groups == "")
    if not names or not len(free):
        return
    centres = np.stack([_unit(vectors[groups == name].mean(axis=0)) for name in names])
    floors = np.array(
        [np.quantile(vectors[groups == name] @ centre, FITS) for name, centre in zip(names, centres, strict=True)]
    )
    near = vectors[free] @ centres.T
    best = near.argmax(axis=1)
    fits = near[np.arange(len(free)), best] >= floors[best]
    groups[free[fits]] = np.array(names, dtype=object)[best[fits]]


def _closeness(groups: NDArray[np.object_], vectors: Array) -> NDArray[np.float64]:
    """Return the cosine of each passage to the centre of its group, 0..1."""
    out = np.zeros(len(groups))
    for name in set(groups):
        mine = groups == name
        out[mine] = np.clip(vectors[mine] @ _unit(vectors[mine].mean(axis=0)), 0, 1)
    return out


def _unit(vector: Array) -> Array:
    out: Array = vector / (np.linalg.norm(vector) or 1)
    return out


def _named(emergent: pd.DataFrame, passages: pd.DataFrame, standing: pd.DataFrame) -> pd.DataFrame:
    """Give each new group the id of the earlier theme that it continues, else one made from its passages."""
    text = dict(zip(passages["passage_id"], passages["text"], strict=True))
    groups = {str(name): set(part["passage_id"]) for name, part in emergent.groupby("group")}
    fresh = {name: mine for name, mine in groups.items() if "|" in name}
    gone = {str(t): set(part["passage_id"]) for t, part in standing.groupby("theme_id") if str(t) not in groups}
    ids = continued(fresh, gone)
    for name, mine in fresh.items():
        if name not in ids:
            content = "\x1f".join(sorted(nameless(text[p]) for p in mine))
            digest = hashlib.blake2b(f"{name.split('|')[0]}\x1f{content}".encode(), digest_size=4).hexdigest()
            ids[name] = f"emergent-{digest}"
    return emergent.assign(theme_id=emergent["group"].map(lambda name: ids.get(name, name)).astype("string"))


def _themes(
    assignments: pd.DataFrame,
    emergent: pd.DataFrame,
    passages: pd.DataFrame,
    vectors: Array,
    framework: Framework,
    encoder: Encoder,
    before: pd.DataFrame | None,
) -> pd.DataFrame:
    """Build the themes table: terms, label, counts, exemplars, stability."""
    if assignments.empty:
        return schema.empty("themes")
    codes = {theme.id: theme.code for theme in framework.themes}
    codes |= dict(zip(emergent["theme_id"], emergent["code"], strict=True))
    new = emergent.dropna(subset=["stability"]).drop_duplicates("theme_id")[["theme_id", "stability"]]
    holds: dict[str, Any] = {} if before is None else dict(zip(before["theme_id"], before["stability"], strict=True))
    holds |= dict(zip(new["theme_id"], new["stability"], strict=True))
    given = {} if before is None else dict(zip(before["theme_id"], before["label"], strict=True))
    shown = describe(assignments, passages, vectors, encoder)
    taken = set(framework.labels.values()) | set(given.values())
    rows = []
    for name, part in shown.items():
        stability = holds.get(name, pd.NA)
        label = framework.labels.get(name) or given.get(name)
        label = label or _label(name, codes[name], framework, part.label, taken)
        taken.add(label)
        rows.append(
            {
                "theme_id": name,
                "code": codes[name] or pd.NA,
                "kind": "known" if name in framework.labels else "emergent",
                "label": label,
                "terms": part.terms,
                "n_passages": part.n_passages,
                "n_candidates": part.n_candidates,
                "stability": stability,
                "exemplars": part.exemplars,
                "status": _status(name, stability),
            }
        )
    return schema.conform(pd.DataFrame(rows), "themes")


def _status(name: str, stability: Any) -> str:
    if name.startswith(REST):
        return "rest"
    return "tentative" if pd.notna(stability) and stability < HOLDS else "standing"


def _label(name: str, code: str, framework: Framework, phrase: str, taken: Collection[str]) -> str:
    """Return a short name for a new theme; one without a phrase of its own is named after its code, and numbered."""
    about = framework.labels.get(code, "Outside the framework")
    if name.startswith(REST):
        return f"{about}: other" if code else f"{about}: all else"
    numbered = (f"{about} ({number})" for number in count(1))
    return next(label for label in (phrase, *islice(numbered, len(taken) + 1)) if label and label not in taken)

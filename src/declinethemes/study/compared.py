"""The third stage: mentions by segment and over batches, corrected by what people reviewed.

In: mentions, candidates and reviews of the store. Out: findings, under the disclosure rules unless asked otherwise.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from os import PathLike
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from declinethemes import schema
from declinethemes.config import possible_segments
from declinethemes.disclosure import protect
from declinethemes.errors import SettingsError, StudyError
from declinethemes.findings import Crosstab, Trend, trend
from declinethemes.ingest import read_reviews
from declinethemes.publish import as_draft, compare, compared, read_with
from declinethemes.review import PER_SEGMENT, described, draw_sample, parts_of, with_parts, write_sheet
from declinethemes.store import write_bytes
from declinethemes.study.themed import ThemedStudy

OTHER_QUESTION = "Reviews answer the other question (complaints, or any mention): they are not used here."
TAGS_ONLY = "Shares are of the model's tags, unaudited; reviews are not used for trends."


class ComparedStudy(ThemedStudy):
    """A study that compares segments."""

    def find(self, *, by: str | Sequence[str] | None = None) -> None:
        """Compute and store the findings of the declared segments, or of those given, unless nothing has changed."""
        segments = self._segments(by)
        known = (self.candidates.to_csv(index=False), self.reviews.to_csv(index=False))
        state = self._state("\x1f".join(("find", *segments, *known)))
        if self.store.get("find") == state:
            return
        found, recall = schema.empty("findings"), "[]"
        if segments and len(self.passages):
            result = self._crosstab(by=segments)
            shown = as_draft(result, self.settings, self.sensitive).tagger_recall
            found, recall = result.to_frame(), shown.to_json(orient="records")
        meta = {"segments": "\x1f".join(segments), "find": state, "tagger recall": recall}
        self.store.replace({"findings": found}, meta=meta)

    def refresh(self) -> None:
        """Bring themes and findings up to date with what was read; the segments stay those of the last run."""
        self.discover()
        self.find(by=[name for name in (self.store.get("segments") or "").split("\x1f") if name] or None)

    def _segments(self, by: str | Sequence[str] | None) -> list[str]:
        if by is not None:
            return [by] if isinstance(by, str) else list(by)
        declared = [name for name in self.settings.segments if self.people[name].nunique() > 0]
        return (["underrepresented"] if self.settings.underrepresented else []) + declared

    def crosstab(
        self,
        *,
        by: Any = None,
        adjust_for: str | Sequence[str] | None = None,
        among: Literal["asked"] | None = None,
        stance: Literal["negative", "all"] | None = None,
        internal: bool = False,
    ) -> Crosstab:
        """Compare levels of segments with the rest, under the disclosure rules.

        Parameters
        ----------
        by : str, list or tuple
            A segment, several, or an intersection; default: the declared ones.
        adjust_for : str or list of str, optional
            Hold these columns fixed.
        among : "asked", optional
            Only candidates who were asked about the item.
        stance : {"negative", "all"}, optional
            Default: the settings'.
        internal : bool
            Full numbers, for those entitled to see them; that they were asked for is recorded in the study.

        Returns
        -------
        Crosstab
            Small cells are blank and say "protected" unless `internal`; `parameters["stamp"]` is "working draft" or
            "internal".

        Raises
        ------
        SettingsError
            An unknown segment; the message has the ones there are.
        """
        result = self._crosstab(by=by, adjust_for=adjust_for, among=among, stance=stance)
        if internal:
            self.store.note("internal", f"crosstab by {', '.join(result.families)}")
            return result.stamped("internal")
        return as_draft(result, self.settings, self.sensitive)

    def _crosstab(
        self, *, by: Any = None, stance: Literal["negative", "all"] | None = None, **options: Any
    ) -> Crosstab:
        """Compare with full numbers."""
        self.discover()
        wanted = by if by is not None else self._segments(None)
        if not wanted:
            raise SettingsError(
                f"no segments are declared in study.toml; there are: {', '.join(possible_segments(self.people))}"
            )
        counted = stance or self.settings.stance
        reviews = with_parts(self.reviews, parts_of(self.framework, self.themes))
        notes: tuple[str, ...] = ()
        if len(reviews) and counted != (self.store.get("review stance") or self.settings.stance):
            reviews, notes = reviews[:0], (OTHER_QUESTION,)
        result = compare(
            self.compared(stance=counted),
            self.people,
            themes=self.themes,
            settings=self.settings,
            reviews=reviews,
            holdout=self.holdout,
            by=wanted,
            stance=counted,
            recall=self.tagger.card_.get("recall"),
            sensitive=self.sensitive,
            **options,
        )
        return replace(result, notes=(*result.notes, *notes))

    def trend(
        self,
        *,
        stance: Literal["negative", "all"] | None = None,
        order: Sequence[str] | None = None,
        internal: bool = False,
    ) -> Trend:
        """Test every item for a trend over batches, under the disclosure rules.

        Parameters
        ----------
        stance : {"negative", "all"}, optional
            Default: the settings'.
        order : sequence of str, optional
            The batches in order; default: by their decline dates, or by names that say it, such as 2026-Q1.
        internal : bool
            Full numbers, for those entitled to see them; that they were asked for is recorded in the study.

        Returns
        -------
        Trend
            Where another tagger or codebook was used is a break, and is named.

        Raises
        ------
        SettingsError
            There are fewer than two batches.
        """
        self.discover()
        counted = stance or self.settings.stance
        books = json.loads(self.store.get("codebooks") or "{}")
        result = trend(
            self.compared(stance=counted),
            self.people,
            order=order,
            read_with=read_with(self.candidates, self.passages, self.tags, books),
            stance=counted,  # type: ignore[arg-type]  # checked by Settings
            alpha=self.settings.alpha,
            min_n=self.settings.min_n,
            sensitive=self.sensitive,
            random_state=self.settings.seed,
        )
        result = replace(result, notes=(*result.notes, TAGS_ONLY))
        if internal:
            self.store.note("internal", "trend over batches")
        return result if internal else result.protected()

    def audit_sample(
        self,
        path: str | PathLike[str],
        *,
        by: str | Sequence[str] | None = None,
        per_segment: int = PER_SEGMENT,
        items: Sequence[str] | None = None,
    ) -> pd.DataFrame:
        """Draw candidates at random within every level of the segments, and write the sheet that reviewers fill in.

        The sheet shows each candidate's words, neither tags nor segments; that it was made is recorded in the study.

        Parameters
        ----------
        path : path
            The .xlsx file to write.
        by : str or sequence of str, optional
            Segments; default: the declared ones.
        per_segment : int
            Candidates drawn per level; all of a level that has no more.
        items : sequence of str, optional
            What is to be decided; default: every code and known theme. Categories follow from their codes.

        Returns
        -------
        pandas.DataFrame
            candidate_id, inclusion_probability.

        Raises
        ------
        SettingsError
            An unknown segment or item.
        StudyError
            The file is there already.
        """
        self.discover()
        self._check_stance()
        if Path(path).exists():
            raise StudyError(f"{path} is there already, perhaps with people's work in it; choose another name")
        sample = draw_sample(
            self.people, by=self._segments(by), per_segment=per_segment, random_state=self.settings.seed
        )
        named = described(self.framework, self.themes, items)
        passages = self.passages.merge(self.documents[["document_id", "kind"]], on="document_id", how="left")
        write_bytes(Path(path), write_sheet(sample, passages, named, stance=self.settings.stance), mode=0o600)
        chances = dict(zip(sample["candidate_id"], sample["inclusion_probability"], strict=True))
        self.store.put("audit draws", json.dumps(self._drawn() | chances))
        self.store.put("review stance", self.settings.stance)  # the question that the sheet asks
        self.store.note("internal", f"sheet to review {len(sample)} candidates")
        return sample

    def read_audit(self, path: str | PathLike[str]) -> int:
        """Keep what reviewers decided, and return how many decisions are new; they correct all later findings.

        Raises
        ------
        InputError, SettingsError
            See `ingest.read_reviews`; nothing is kept then.
        StudyError
            The review was begun with the other stance.
        """
        self._check_stance()
        known = {*self.framework.labels, *self.themes["theme_id"]}
        people = set(self.candidates["candidate_id"])
        read = read_reviews(path, candidates=people, items=known, drawn=self._drawn())
        return self.store.append("reviews", read, meta={"review stance": self.settings.stance})

    def _check_stance(self) -> None:
        """Raise if reviewers of this study were asked another question than the settings count by now."""
        asked = self.store.get("review stance") or self.settings.stance
        if asked != self.settings.stance:
            raise StudyError(
                f'the review in this study was begun with stance = "{asked}", and the settings say '
                f'"{self.settings.stance}": the two questions cannot be mixed; put the stance back in study.toml'
            )

    def _drawn(self) -> dict[str, float]:
        """Return with what probability candidates were drawn for review."""
        chances: dict[str, float] = json.loads(self.store.get("audit draws") or "{}")
        return chances

    def compared(self, *, stance: str = "all") -> pd.DataFrame:
        """Return the mentions that are compared: of every item that anybody speaks of in this stance.

        An emergent theme needs a tenth of the candidates, fixed before looking at any segment. Smaller ones, and what
        is left of a code beyond its themes, are listed, not compared: each would only make the family of comparisons
        larger.
        """
        return compared(self.mentions, self.themes, stance=stance)

    def _protect(self, findings: pd.DataFrame) -> pd.DataFrame:
        return protect(findings, min_n=self.settings.min_n, quote_n=self.settings.quote_n, sensitive=self.sensitive)

    @property
    def findings(self) -> pd.DataFrame:
        """The findings of the last run; small cells are blank and say "protected"."""
        return self._protect(self.store.read("findings"))

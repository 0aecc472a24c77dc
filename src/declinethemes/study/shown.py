"""The last stage: what a study shows: summary, report, tables, quotes, releases.

In: the tables of the store. Out: files. What may be shown is decided in `disclosure`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import Any

import pandas as pd

from declinethemes.config import prepare_segments
from declinethemes.disclosure import Release, make_release, may_quote, scrub_quote
from declinethemes.errors import InputError
from declinethemes.findings import sentence
from declinethemes.findings.inputs import By
from declinethemes.publish import count_answers, merge_offers, read_request, release_files
from declinethemes.report import quotes_to_approve, render_html, summarise
from declinethemes.store import make_folder, write_text
from declinethemes.study.prepared import PreparedStudy
from declinethemes.tag.explain import carried


class ShownStudy(PreparedStudy):
    """A study that is shown to others."""

    def summary(self) -> dict[str, Any]:
        """Return everything the report shows, as one dict; small cells are already taken out."""
        return summarise(
            documents=self.documents,
            turns=self.turns,
            passages=self.passages,
            tags=self.tags,
            themes=self.themes,
            assignments=self.assignments,
            mentions=self.mentions,
            findings=self.findings,
            candidates=prepare_segments(self.candidates, self.settings),
            framework=self.framework,
            settings=self.settings,
            sensitive=self.sensitive,
            model_id=self.tagger.id,
            encoder_id=self.encoder.id,
            without_theme=self.store.get("without_theme") or "",
            segments=[name for name in (self.store.get("segments") or "").split("\x1f") if name],
            families={
                str(k): int(n) for k, n in self.store.read("findings").groupby("segment")["p_value"].count().items()
            },
            sentence=sentence,
            may_quote=may_quote,
            scrub_quote=scrub_quote,
            carried=lambda texts, codes: carried(self.tagger, texts, codes),
            approved=[passage for passage, yes in self.quote_approvals.items() if yes],
            offers=merge_offers(self.findings),
            recalls=json.loads(self.store.get("tagger recall") or "[]"),
            trend=self._trend_shown(),
        )

    def _trend_shown(self) -> dict[str, Any] | None:
        """Return what the report shows over batches; None where there are not two."""
        if self.people["batch"].nunique() < 2:
            return None
        over = self.trend()
        return {"counts": over.counts, "items": over.items, "batches": over.batches, "notes": over.notes}

    @property
    def quote_approvals(self) -> dict[str, bool]:
        """Passages on sensitive items of which a person decided whether they may be quoted."""
        decided: dict[str, bool] = json.loads(self.store.get("quote approvals") or "{}")
        return decided

    def quotes_to_approve(self) -> pd.DataFrame:
        """Return quotes that are withheld as sensitive and not yet decided.

        passage_id, label of the theme, text as it would be shown. Only of themes of `min_n` candidates and more, where
        the report may quote at all.
        """
        heard, least = self.passages["candidate_id"].nunique(), self.settings.min_n
        listed = quotes_to_approve(
            passages=self.passages,
            tags=self.tags,
            themes=self.themes,
            assignments=self.assignments,
            sensitive=self.sensitive,
            may_quote=lambda n: n >= least and may_quote(heard, n, quote_n=self.settings.quote_n),
            scrub=scrub_quote,
        )
        return listed[~listed["passage_id"].isin(list(self.quote_approvals))].reset_index(drop=True)

    def approve_quotes(self, decisions: Mapping[str, bool]) -> None:
        """Keep which sensitive passages may be quoted; what was decided before and is not named stays.

        Raises
        ------
        InputError
            There is no such passage.
        """
        strange = sorted(set(decisions) - set(self.passages["passage_id"]))
        if strange:
            raise InputError(f"no passage {', '.join(strange[:5])} in this study; see quotes_to_approve()")
        self.store.put("quote approvals", json.dumps(self.quote_approvals | dict(decisions)))

    def report(self, path: str | PathLike[str]) -> Path:
        """Write the report as one HTML file that needs no network, and return its path."""
        self.refresh()
        file = Path(path)
        write_text(file, render_html(self.summary()))
        return file

    def tables(self, folder: str | PathLike[str]) -> list[Path]:
        """Write findings, themes and documents as CSV, under the disclosure rules, and return their paths."""
        self.refresh()
        place = make_folder(folder)
        summary = self.summary()
        frames = {
            "findings": self.findings,
            "themes": pd.DataFrame(summary["themes"]).drop(columns=["quotes", "carried"], errors="ignore"),
            "documents": self.documents.drop(columns=["candidate_id", "sha256"]),
        }
        if summary["trend"]:
            frames["trend"] = self.trend().to_frame()
        out = []
        for name, frame in frames.items():
            write_text(place / f"{name}.csv", frame.to_csv(index=False))
            out.append(place / f"{name}.csv")
        return out

    def release(
        self, folder: str | PathLike[str], *, by: By | None = None, where: Mapping[str, str] | None = None
    ) -> Release:
        """Write tables that may be shown to others, audited together with every earlier release.

        Parameters
        ----------
        folder : path
            Where ``release-N.csv`` and ``release-N.json`` go.
        by : str, list or tuple, optional
            A segment, several, or an intersection; default: the declared ones.
        where : mapping of column to level, optional
            Only candidates with these.

        Returns
        -------
        Release
            What the release ledger now holds of it, with the counts that are shown.

        Raises
        ------
        DisclosureError
            The release would expose somebody; the message has the reason and a smaller request that would be
            safe. Nothing was written.
        SettingsError
            An unknown column or level, or too many columns to be audited.
        """
        self.refresh()
        request = read_request(self._segments(None) if by is None else by, where, self.settings)
        answers = count_answers(
            request,
            candidates=self.candidates,
            heard=self.passages["candidate_id"],
            mentions=self.compared(stance=self.settings.stance),
            themes=self.themes,
            settings=self.settings,
            sensitive=self.sensitive,
        )
        self.store.reread()
        ledger, first = self.releases, json.loads(self.store.get("first released") or "{}")
        made = make_release(answers, request, ledger=ledger, first=first, min_n=self.settings.min_n)
        place, at = make_folder(folder), self.store.now()
        # The ledger first: a release too many in it hides more, one too few exposes.
        self.store.append(
            "releases",
            made.ledger(at),
            meta={"first released": json.dumps({**first, **made.first})},
            after=len(ledger),  # another run may have made a release meanwhile, which this one was not audited with
        )
        for name, text in release_files(made, at=at, settings=self.settings).items():
            write_text(place / name, text)
        return made

    def _repr_html_(self) -> str:
        return (
            f"<p>Study of {len(self.people)} candidates: {len(self.passages)} passages, {len(self.themes)} themes, "
            f"{len(self.findings)} findings (working draft)</p>"
        )

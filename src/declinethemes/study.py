"""A study: the stages in order, and the results that may be shown.

In: paths, a candidates file, settings. Out: `Study`. This module only puts the stages together; each works on tables
and knows nothing of the others.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import date
from os import PathLike
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from declinethemes import schema
from declinethemes.config import Settings, possible_segments, prepare_segments, read_settings
from declinethemes.corpus import Paths, Reading, without_names
from declinethemes.disclosure import Release, make_release, may_quote, protect, scrub_quote
from declinethemes.encode import GENERAL, Encoder
from declinethemes.errors import InputError, SettingsError, StudyError
from declinethemes.findings import Crosstab, Trend, sentence, trend
from declinethemes.findings.inputs import By
from declinethemes.framework import Framework, load_framework
from declinethemes.ingest import People, draft_study, guess_columns, read_people, read_reviews, with_parts
from declinethemes.mentions import count_mentions
from declinethemes.passages import prompts, split_turns
from declinethemes.prepare import ReasonGap, load_reasons, reason_gap
from declinethemes.publish import (
    as_draft,
    compare,
    compared,
    count_answers,
    merge_offers,
    read_request,
    read_with,
    release_files,
    shown_ledger,
    with_talk_length,
)
from declinethemes.redact import Redactor
from declinethemes.report import quotes_to_approve, render_html, summarise
from declinethemes.review import PER_SEGMENT, described, draw_sample, parts_of, write_sheet
from declinethemes.store import DATABASE, IDENTITIES, Store, make_folder, write_bytes, write_text
from declinethemes.tag import Tagger
from declinethemes.tag.explain import carried
from declinethemes.themes import Found, bertopic_of, find_themes, halves, merge_suggestions, record, renamed

SETTINGS = "study.toml"
Progress = Callable[[str, int, int], None]


def analyze(
    paths: Paths,
    *,
    candidates: str | PathLike[str],
    study: str | PathLike[str] | None = None,
    by: str | Sequence[str] | None = None,
    settings: Settings | str | PathLike[str] | None = None,
    progress: Progress | None = None,
) -> Study:
    """Go the whole way from files to findings.

    Parameters
    ----------
    paths : path or sequence of paths
        Transcripts, notes, tables of notes, or folders of them.
    candidates : path
        The candidates file (.csv, .tsv, .xlsx).
    study : path, optional
        Folder to keep the study in; run again on it with new files, and only those are worked on. None: in memory.
    by : str or sequence of str, optional
        Segments; default: those declared in the settings.
    settings : Settings or path, optional
        Default: the folder's ``study.toml``, or one drafted from the candidates file.
    progress : callable, optional
        Called with (stage, done, total).

    Returns
    -------
    Study

    Raises
    ------
    InputError, SettingsError, StudyError
        See the classes; single bad documents are listed in ``.documents`` instead.
    """
    opened = Study.create(study, candidates=candidates, settings=settings)
    opened.update(paths, candidates=candidates, by=by, progress=progress)
    return opened


class Study:
    """A study: its tables, findings and report. Open one with `Study.open`, make one with `analyze`."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self.store = store
        self.settings = settings
        self.framework: Framework = load_framework(settings.framework or None)

    @classmethod
    def open(cls, folder: str | PathLike[str]) -> Study:
        """Open the study in a folder.

        Raises
        ------
        StudyError
            There is no study in it.
        """
        place = Path(folder)
        if not (place / DATABASE).is_file():
            raise StudyError(
                f"{place} holds no study (no {DATABASE}); "
                f"make one with `themes run PATHS --candidates FILE --out {place}`"
            )
        return cls(Store(place), read_settings(place / SETTINGS))

    @classmethod
    def create(
        cls,
        folder: str | PathLike[str] | None,
        *,
        candidates: str | PathLike[str],
        settings: Settings | str | PathLike[str] | None = None,
    ) -> Study:
        """Open the study in a folder, or make one there; None makes one in memory.

        Raises
        ------
        StudyError
            The folder holds other files, or cannot be written.
        """
        if folder is None:
            return cls(Store(None), _settings(settings, candidates)[0])
        place = Path(folder)
        if place.exists() and not place.is_dir():
            raise StudyError(f"{place} is a file; give a folder for the study")
        if (place / DATABASE).is_file() and settings is None and not _outreach_only(place):
            return cls.open(place)
        own = (SETTINGS, DATABASE, IDENTITIES)
        strange = (
            [p.name for p in place.iterdir() if p.name not in own and not p.name.startswith(".")]
            if place.is_dir()
            else []
        )
        if strange and not (place / DATABASE).is_file():
            raise StudyError(
                f"{place} is not empty and holds no study (found {sorted(strange)[0]}); choose another --out"
            )
        if settings is None and (place / SETTINGS).is_file():
            settings = place / SETTINGS
        chosen, text = _settings(settings, candidates)
        make_folder(place)
        if text:
            write_text(place / SETTINGS, text)
            chosen = read_settings(place / SETTINGS)  # as the next run will have them
        return cls(Store(place), chosen)

    def update(
        self,
        paths: Paths,
        *,
        candidates: str | PathLike[str],
        by: str | Sequence[str] | None = None,
        progress: Progress | None = None,
    ) -> None:
        """Read what is new in the paths, and bring every stage up to date."""
        people = read_people(candidates, self.settings.columns)
        if by is not None:  # a segment may be given by the header that it has in the user's file
            by = [self.settings.columns.get(name, name) for name in ([by] if isinstance(by, str) else by)]
        declared = self.settings.segments if by is None else tuple(by)
        prepare_segments(people.candidates, replace(self.settings, segments=declared))
        self.ingest(paths, people, progress=progress)
        self.discover()
        self.find(by=by)

    def ingest(self, paths: Paths, people: People, *, progress: Progress | None = None) -> None:
        """Read, redact, cut and tag new documents; each is stored whole before the next is begun."""
        private = self.store.identities()
        done = self.documents
        self._check_place(paths)
        self._check_complete(people, done)
        rows = people.identities.astype("object").where(people.identities.notna(), None).to_dict("records")
        names = {row["candidate_id"]: row for row in private["people"]}
        renamed = [row["candidate_id"] for row in rows if names.get(row["candidate_id"], row) != row]
        kept = (done["status"] == "read") & ~done["candidate_id"].isin(renamed)  # new names may change who is who
        reading = Reading(
            paths,
            people,
            columns=_for_documents(self.settings.columns, people.headers),
            key=bytes.fromhex(private["key"]),
            others=private["others"],
            known=frozenset(done.loc[kept, "sha256"].dropna()),
        )
        if not len(reading) and done.empty:
            raise InputError(f"no files found in {paths}: give the transcripts and notes, or the folder they lie in")
        self.store.put_identities({"key": private["key"], "people": rows, "others": list(reading.others)})
        self.store.replace({"candidates": without_names(people, reading.redactor)})
        if set(reading.others) != set(private["others"]) or rows != private["people"]:
            self._redact_again(reading.redactor)
        done_now = 0
        for batch in reading:
            self._write(batch.documents, batch.turns, batch.passages)
            done_now += len(batch.documents)
            if progress:
                progress("reading and tagging", done_now, len(reading))

    def _check_place(self, paths: Paths) -> None:
        """Raise if the study lies in a folder that is to be read: its own tables would be taken for notes."""
        given = [paths] if isinstance(paths, (str, PathLike)) else paths
        for path in given:
            if self.store.folder is not None and self.store.folder.resolve().is_relative_to(Path(path).resolve()):
                raise StudyError(
                    f"the study's folder {self.store.folder} lies in {path}, which is to be read; choose another --out"
                )

    def _check_complete(self, people: People, done: pd.DataFrame) -> None:
        """Raise unless everybody whose documents are in the study is in the candidates file."""
        read = set(done.loc[done["status"] == "read", "candidate_id"].dropna())
        gone = sorted(read - set(people.candidates["candidate_id"]))
        if gone:
            raise StudyError(
                f"{len(gone)} candidates whose documents are in this study are not in {people.path}: "
                f"{', '.join(gone[:5])}; "
                "give a candidates file with everybody in it, or begin a new study with another --out"
            )

    def _write(self, documents: pd.DataFrame, turns: pd.DataFrame, passages: pd.DataFrame) -> None:
        """Tag documents and store each with its turns, passages, tags and new vectors."""
        encoder = self.tagger.encoder
        before = set(encoder.memory)
        tags = self.tagger.tag(passages)
        foreign = documents.loc[documents["language"] != "en", "document_id"]
        unsure = tags["passage_id"].isin(passages.loc[passages["document_id"].isin(foreign), "passage_id"])
        tags["decision"] = tags["decision"].mask(unsure, "unsure")
        encoder.encode([q for _, part in turns.groupby("document_id") for q in prompts(part)])
        self.store.write_documents(documents, turns, passages, tags, {encoder.id: _since(encoder, before)})
        self._remember_codebook(set(passages["candidate_id"]))

    def _remember_codebook(self, candidate_ids: Collection[str]) -> None:
        """Remember which version of the framework the batches of these candidates were read with."""
        books = json.loads(self.store.get("codebooks") or "{}")
        candidates, version = self.candidates, f"{self.framework.name} {self.framework.version}"
        mine = candidates.loc[candidates["candidate_id"].isin(candidate_ids), "batch"].dropna().unique()
        new = {str(name): sorted({*books.get(str(name), ()), version}) for name in mine}
        if any(books.get(name) != versions for name, versions in new.items()):
            self.store.put("codebooks", json.dumps(books | new, ensure_ascii=False))

    def _redact_again(self, redactor: Redactor) -> None:
        """Replace names that became known after a document was read; what changed is cut and tagged again."""
        documents, old = self.documents, self.turns
        if old.empty:
            return
        new = schema.conform(redactor.turns(old), "turns")
        changed = set(old.loc[(new["text"] != old["text"]).to_numpy(dtype=bool), "document_id"])
        rows = documents[documents["document_id"].isin(changed)].reset_index(drop=True)
        turns = new[new["document_id"].isin(changed)].reset_index(drop=True)
        self._write(rows, turns, split_turns(turns, rows))

    def discover(self, *, rebuild: bool = False, holdout: bool | None = None) -> None:
        """Find themes and count mentions, unless nothing has changed since they were found.

        Parameters
        ----------
        rebuild : bool
            Group everything anew. Else emergent themes stand, new passages join them, and only the others are grouped.
        holdout : bool, optional
            Seek emergent themes in the words of one half of the candidates, and compare them in the other half only.
            Default: as last time, at first not.
        """
        halved = self.holdout if holdout is None else holdout
        rebuild = rebuild or halved != self.holdout
        state = self._state("discover")
        if self.store.get("discover") == state and not rebuild:
            return
        passages, tags = self.passages, self.tagger.counted(self.tags)
        before, ledger = set(self.encoder.memory), self.ledger
        earlier = Found(themes=self.themes, assignments=self.assignments, without=pd.DataFrame())
        found = find_themes(
            passages,
            tags,
            framework=self.framework,
            encoder=self.encoder,
            likely=self.tagger.themes(passages),
            earlier=earlier if len(ledger) else None,
            rebuild=rebuild,
            among=halves(passages["candidate_id"], self.settings.seed)[0] if halved else None,
            random_state=self.settings.seed,
        )
        mentions = count_mentions(passages, tags, found.themes, found.assignments, self._asked())
        self.store.add_vectors(self.encoder.id, _since(self.encoder, before))
        self.store.drop_vectors(but={self.encoder.id, self.tagger.encoder.id})
        reasons = found.without["reason"].value_counts().to_dict()
        events = record(
            (earlier.themes, earlier.assignments) if len(ledger) else None,
            (found.themes, found.assignments),
            run=int(ledger["run"].max()) + 1 if len(ledger) else 1,
            at=date.today().isoformat(),
            batch=self._batches(set(passages["passage_id"]) - set(earlier.assignments["passage_id"])),
        )
        self.store.replace(
            {
                "themes": found.themes,
                "assignments": found.assignments,
                "mentions": mentions,
                "ledger": pd.concat([ledger, events], ignore_index=True) if len(ledger) else events,
            },
            meta={
                "discover": state,
                "find": "",  # findings were of the themes before
                "holdout": "yes" if halved else "",
                "without_theme": "; ".join(f"{n} {reason}" for reason, n in sorted(reasons.items())),
            },
        )

    def rename(self, theme_id: str, label: str) -> None:
        """Give a theme a name that it keeps in every later run; the ledger says so.

        Raises
        ------
        InputError
            There is no such theme, or it is one of the framework's, or the name is empty.
        """
        themes, ledger = renamed(self.themes, self.ledger, theme_id, label, at=date.today().isoformat())
        self.store.replace({"themes": themes, "ledger": ledger})

    def _batches(self, passage_ids: Collection[str]) -> str:
        """Return the batches of the candidates of these passages, in order."""
        passages, candidates = self.passages, self.candidates
        people = passages.loc[passages["passage_id"].isin(list(passage_ids)), "candidate_id"]
        batches = candidates.loc[candidates["candidate_id"].isin(people), "batch"].dropna()
        return ", ".join(sorted(batches.unique()))

    @property
    def holdout(self) -> bool:
        """Whether emergent themes are sought in one half of the candidates and compared in the other."""
        return self.store.get("holdout") == "yes"

    def merge_suggestions(self) -> pd.DataFrame:
        """Return pairs of emergent themes that may be one: theme_id, other_id, code, overlap (0..1)."""
        return merge_suggestions(
            self.themes, self.assignments, self.passages, self.encoder.encode(self.passages["text"].tolist())
        )

    def history(self) -> pd.DataFrame:
        """Return the ledger as others may see it: small counts and words of small themes left out."""
        return shown_ledger(self.ledger, self.framework.labels, min_n=self.settings.min_n)

    def to_bertopic(self) -> Any:
        """Return a BERTopic model over the themes of this study, for its figures and tables.

        Each passage counts for the theme it is strongest in; topics are numbered in the order of `themes`, and have
        their labels as ``custom_labels_``. The model holds passages of persons: do not save or share it.

        Returns
        -------
        bertopic.BERTopic
            ``visualize_barchart(custom_labels=True)``, ``visualize_hierarchy()``, ``visualize_heatmap()``,
            ``visualize_topics()`` (five themes and more) and ``get_topic_info()`` work.

        Raises
        ------
        InputError
            There are fewer than two themes.
        """
        self.discover()
        return bertopic_of(self.themes, self.assignments, self.passages, self.encoder)

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
        return compare(
            self.compared(stance=counted),
            self.people,
            themes=self.themes,
            settings=self.settings,
            reviews=self.reviews,
            holdout=self.holdout,
            by=wanted,
            stance=counted,
            recall=self.tagger.card_.get("recall"),
            sensitive=self.sensitive,
            **options,
        )

    def trend(self, *, stance: Literal["negative", "all"] | None = None, internal: bool = False) -> Trend:
        """Test every item for a trend over batches, under the disclosure rules.

        Parameters
        ----------
        stance : {"negative", "all"}, optional
            Default: the settings'.
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
            read_with=read_with(self.candidates, self.passages, self.tags, books),
            stance=counted,  # type: ignore[arg-type]  # checked by Settings
            alpha=self.settings.alpha,
            min_n=self.settings.min_n,
            sensitive=self.sensitive,
            random_state=self.settings.seed,
        )
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
        """
        self.discover()
        sample = draw_sample(
            self.people, by=self._segments(by), per_segment=per_segment, random_state=self.settings.seed
        )
        named = described(self.framework, self.themes, items)
        passages = self.passages.merge(self.documents[["document_id", "kind"]], on="document_id", how="left")
        write_bytes(Path(path), write_sheet(sample, passages, named, stance=self.settings.stance))
        self.store.note("internal", f"sheet to review {len(sample)} candidates")
        return sample

    def read_audit(self, path: str | PathLike[str]) -> int:
        """Keep what reviewers decided, and return how many decisions are new; they correct all later findings.

        Raises
        ------
        InputError, SettingsError
            See `ingest.read_reviews`; nothing is kept then.
        """
        above = parts_of(self.framework, self.themes)
        known = {*self.framework.labels, *self.themes["theme_id"]}
        read = read_reviews(path, candidates=set(self.candidates["candidate_id"]), items=known)
        return self.store.append("reviews", with_parts(read, above))

    def reason_gap(
        self, *, by: str | Sequence[str] | None = None, mapping: str | PathLike[str] | None = None
    ) -> ReasonGap:
        """Compare presumed reasons with what candidates said, under the disclosure rules; `mapping` is a TOML file.

        Raises
        ------
        SettingsError
            An unknown column, or a mapping that cannot be used.
        """
        self.discover()
        reasons = load_reasons(mapping, framework=self.framework)
        options: dict[str, Any] = {"min_n": self.settings.min_n, "sensitive": self.sensitive}
        return reason_gap(self.people, self.mentions, reasons=reasons, by=by, **options).protected()

    def compared(self, *, stance: str = "all") -> pd.DataFrame:
        """Return the mentions that are compared: of every item that anybody speaks of in this stance.

        An emergent theme needs a tenth of the candidates, fixed before looking at any segment. Smaller ones, and what
        is left of a code beyond its themes, are listed, not compared: each would only make the family of comparisons
        larger.
        """
        return compared(self.mentions, self.themes, stance=stance)

    def _protect(self, findings: pd.DataFrame) -> pd.DataFrame:
        return protect(findings, min_n=self.settings.min_n, quote_n=self.settings.quote_n, sensitive=self.sensitive)

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
            The release would expose somebody; the message has the reason and the smallest change that would make it
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

    @property
    def tagger(self) -> Tagger:
        """The tagger, loaded on first use, with the vectors that the study has."""
        if not hasattr(self, "_tagger"):
            tagger = Tagger.load(self.settings.tagger or None)
            tagger.encoder.memory.update(self.store.vectors(tagger.encoder.id))
            unknown = set(tagger.codes_) ^ {code.id for code in self.framework.codes}
            if unknown:
                raise SettingsError(
                    f"tagger {tagger.id} and framework '{self.framework.name}' have different codes "
                    f"({', '.join(sorted(unknown)[:5])}...): "
                    "train a tagger on this framework with `themes train` and name it under [models] in study.toml"
                )
            self._tagger = tagger
        return self._tagger

    @property
    def encoder(self) -> Encoder:
        """The encoder for themes, loaded on first use, with the vectors that the study has."""
        if not hasattr(self, "_encoder"):
            self._encoder = Encoder.load(self.settings.encoder or GENERAL)
            self._encoder.memory.update(self.store.vectors(self._encoder.id))
        return self._encoder

    @property
    def people(self) -> pd.DataFrame:
        """Candidates with at least one passage, with declared segments and `talk_length` made: who every n counts."""
        candidates, passages = prepare_segments(self.candidates, self.settings), self.passages
        heard: pd.DataFrame = candidates[candidates["candidate_id"].isin(passages["candidate_id"])]
        return with_talk_length(heard.reset_index(drop=True), passages)

    @property
    def sensitive(self) -> frozenset[str]:
        """Items with higher disclosure thresholds: the framework's, the settings', and emergent themes under them."""
        marked = self.framework.sensitive | set(self.settings.sensitive)
        themes = self.themes
        return frozenset(marked | set(themes.loc[themes["code"].isin(marked), "theme_id"]))

    def _asked(self) -> dict[str, set[str]]:
        """Return the codes that prompts to each candidate asked about."""
        documents, turns = self.documents, self.turns
        owner = dict(zip(documents["document_id"], documents["candidate_id"], strict=True))
        voiced = documents.loc[(documents["kind"] != "feedback").fillna(True), "document_id"]
        out: dict[str, set[str]] = {}
        for document, part in turns[turns["document_id"].isin(voiced)].groupby("document_id"):
            questions = prompts(part)
            if questions:
                hits = self.tagger.asks(questions)
                codes = {code for j, code in enumerate(self.tagger.codes_) if hits[:, j].any()}
                out.setdefault(str(owner[document]), set()).update(codes)
        return out

    def _state(self, stage: str) -> str:
        """Return a hash of all that a stage depends on."""
        documents = self.documents[["document_id", "candidate_id", "kind", "sha256", "status"]].to_csv(index=False)
        passages = "\n".join(self.passages["passage_id"])
        versions = (self.tagger.id, self.encoder.id, self.framework.version, self.settings.fingerprint)
        parts = (stage, documents, *versions, passages)
        return hashlib.blake2b("\x1f".join(parts).encode(), digest_size=16).hexdigest()

    documents = property(lambda self: self.store.read("documents"), doc="The documents table, skipped ones too.")
    turns = property(lambda self: self.store.read("turns"), doc="The turns table.")
    passages = property(lambda self: self.store.read("passages"), doc="The passages table.")
    tags = property(lambda self: self.store.read("tags"), doc="The tags table.")
    themes = property(lambda self: self.store.read("themes"), doc="The themes table.")
    assignments = property(lambda self: self.store.read("assignments"), doc="The assignments table.")
    ledger = property(lambda self: self.store.read("ledger"), doc="What became of each theme in each run.")
    mentions = property(lambda self: self.store.read("mentions"), doc="The mentions table.")
    reviews = property(lambda self: self.store.read("reviews"), doc="What reviewers decided.")
    releases = property(
        lambda self: self.store.read("releases"), doc="The release ledger: every total shown to others."
    )
    candidates = property(lambda self: self.store.read("candidates"), doc="The candidates table, names left out.")

    @property
    def findings(self) -> pd.DataFrame:
        """The findings of the last run; small cells are blank and say "protected"."""
        return self._protect(self.store.read("findings"))

    def _repr_html_(self) -> str:
        return (
            f"<p>Study of {len(self.people)} candidates: {len(self.passages)} passages, {len(self.themes)} themes, "
            f"{len(self.findings)} findings (working draft)</p>"
        )


def _outreach_only(place: Path) -> bool:
    """Return whether a study has been used for the outreach only: no settings, and nothing read yet."""
    return not (place / SETTINGS).is_file() and Store(place).read("documents").empty


def _settings(given: Settings | str | PathLike[str] | None, candidates: str | PathLike[str]) -> tuple[Settings, str]:
    """Return the settings and the text of a drafted study.toml (empty if none was drafted)."""
    if isinstance(given, Settings):
        return given, ""
    if given is not None:
        return read_settings(Path(given)), Path(given).read_text(encoding="utf-8")
    return draft_study(candidates)


def _for_documents(columns: Mapping[str, str], headers: Sequence[str]) -> dict[str, str]:
    """Return the mapping for tables of notes; a header that the candidates file has too keeps its meaning there."""
    return {h: ours for h, ours in columns.items() if h not in headers or not guess_columns([h], table="notes")}


def _since(encoder: Encoder, before: Collection[bytes]) -> dict[bytes, Any]:
    """Return the vectors that an encoder made since."""
    return {key: encoder.memory[key] for key in encoder.memory.keys() - before}

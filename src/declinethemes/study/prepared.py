"""Around the calls: what was presumed against what was said, and how the calls were led.

In: the tables of the store. Out: results of `prepare`, under the disclosure rules where groups are compared.
"""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike
from typing import Any

import pandas as pd

from declinethemes.briefing import Known, make_brief
from declinethemes.passages import prompt_turns
from declinethemes.prepare import Brief, Coverage, ReasonGap, coverage, load_reasons, reason_gap
from declinethemes.study.compared import ComparedStudy


class PreparedStudy(ComparedStudy):
    """A study that looks at reasons presumed and calls led."""

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

    def coverage(self) -> Coverage:
        """Return which questions of the guide each call asked and had answered, and how interviewers ask."""
        turns, tags = self.turns, self.tags
        asking = prompt_turns(turns)
        hits = self.tagger.asks(asking["text"].tolist())
        codes = [[code for code, hit in zip(self.tagger.codes_, row, strict=True) if hit] for row in hits]
        asked = asking[["document_id", "turn_no"]].assign(codes=pd.Series(codes, index=asking.index, dtype=object))
        options: dict[str, Any] = {"framework": self.framework, "prompts": asked, "doubtful": tags}
        return coverage(self.documents, turns, self.passages, self.tagger.counted(tags), **options)

    def brief(self, candidate_id: str, **options: Any) -> Brief:
        """Return one page for the caller of a candidate who declined; options and errors: `briefing.make_brief`."""
        self.discover()
        names = ("candidates", "documents", "turns", "passages", "tags", "mentions", "contacts")
        known = Known(
            tables={name: self.store.read(name) for name in names},
            identities=self.store.identities(),
            settings=self.settings,
            sensitive=self.sensitive,
        )
        return make_brief(candidate_id, known, tagger=lambda: self.tagger, **options)

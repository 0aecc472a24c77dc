"""What commands say in words beside their tables: differences, trends, letters without a draft."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from tests.cli_fixture import themes

from declinethemes.cli.crosstab import trend_lines
from declinethemes.cli.show import verdict_lines
from declinethemes.findings import crosstab, trend

__all__ = ["themes"]
SAMPLE = Path(__file__).resolve().parents[1] / "corpora" / "sample"
BATCHES = ("2025-Q1", "2025-Q2", "2025-Q3", "2025-Q4")


def people_who(said, n=40, **columns):
    """Candidates, n of each level of `said`, and mentions of item x by the first so many of each."""
    rows = [(f"{level}{place:02d}", level, place < many) for level, many in said.items() for place in range(n)]
    people = pd.DataFrame(rows, columns=["candidate_id", "level", "said"])
    mentions = people.loc[people["said"], ["candidate_id"]].assign(item="offer.x", stance="negative", n_passages=1)
    return people.drop(columns="said").assign(**columns), mentions


def test_a_difference_is_said_once_with_its_note_and_verdicts_are_counted():
    people, mentions = people_who({"a": 30, "b": 4})
    found = crosstab(mentions, people, by="level").noted("look at this")
    said, counts = verdict_lines(found.to_frame(), found.sentences())
    assert said.startswith("difference: 30 of 40 candidates (level: a) spoke of offer.x against 4 of 40 others")
    assert said.endswith("look at this]")
    assert counts == "rows of the table: 2 difference"


def test_without_a_difference_there_are_only_the_counts():
    people, mentions = people_who({"a": 9, "b": 8})
    found = crosstab(mentions, people, by="level")
    assert verdict_lines(found.to_frame(), found.sentences()) == ["rows of the table: 2 not enough data"]


def test_many_differences_are_cut_and_counted():
    rows = [("s", f"l{i}", i / 20, "difference", pd.NA) for i in range(13)]
    table = pd.DataFrame(rows, columns=["segment", "level", "difference", "verdict", "note"])
    lines = verdict_lines(table, pd.Series([f"sentence {i}" for i in range(13)]))
    assert lines[9:] == [
        "difference: sentence 9",
        "and 3 differences more: see the table",
        "rows of the table: 13 difference",
    ]


def test_a_trend_is_said_from_the_first_batch_that_is_tested():
    people, mentions = people_who(dict(zip(BATCHES, (2, 10, 20, 30), strict=True)))
    people = people.rename(columns={"level": "batch"})
    rises, counts = trend_lines(trend(mentions, people, batch="batch"))
    assert rises == "offer.x rises: +24 points a batch, 5 % in 2025-Q1, 75 % in 2025-Q4"
    assert counts == "items: 1 rises"
    later = trend(mentions, people, batch="batch", read_with=dict(zip(BATCHES, "abbb", strict=True)))
    assert list(later.breaks) == ["2025-Q2"]
    assert "5 % in 2025-Q1" not in "".join(trend_lines(later))


def test_declines_say_the_difference_and_nothing_of_small_groups(themes, tmp_path):
    arguments = ["declines", SAMPLE / "offers.csv", "--today", "2026-09-01", "--out", tmp_path / "rates.csv"]
    assert themes(*arguments, "--by", "role") == 0
    assert "difference: 24 of 52 offers with role 'product manager' were declined" in themes.err
    assert "rows of the table: 1 difference, 4 no material difference" in themes.err
    rows = [("w", "declined")] * 4 + [("a", "declined")] * 60 + [("a", "accepted")] * 5 + [("b", "accepted")] * 60
    small = pd.DataFrame(rows, columns=["team", "outcome"]).assign(candidate_id=[f"C{i}" for i in range(len(rows))])
    small.to_csv(tmp_path / "offers.csv", index=False)
    assert themes("declines", tmp_path / "offers.csv", "--by", "team", "--out", tmp_path / "rates.csv") == 0
    assert "4 of 4" not in themes.err
    assert "protected" in themes.err


def test_letters_without_a_draft_are_named_together(themes, tmp_path):
    letters = ["--company", "Kestrel Loom", "--sender", "Dana", "--out", tmp_path / "out"]
    assert themes("outreach", SAMPLE / "offers.csv", "--today", "2026-09-01", *letters) == 0
    assert "only a .txt for K026, K033, K073, K079, K102 and 2 more: no e-mail in the file" in themes.err

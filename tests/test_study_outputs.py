"""What a study shows beside its findings: trend, talk, merging offered, quotes that need a yes, recall."""

import io
import json

import numpy as np
import pandas as pd
import pytest
from tests.report_fixture import SETTINGS, tables

from declinethemes.cli import main
from declinethemes.config import read_settings
from declinethemes.errors import InputError, SettingsError
from declinethemes.publish import merge_offers, read_with, with_talk_length
from declinethemes.report import render_html
from declinethemes.report.comparisons import response_rates
from declinethemes.store import Store
from declinethemes.study import Study

TOML = '[segments]\nuse = ["gender", "location"]\n\n[disclosure]\nsensitive = ["slow_process"]\n'
QUARTERS = ("2025-Q1", "2025-Q2", "2025-Q3", "2025-Q4")


@pytest.fixture(scope="module")
def made():
    frames = tables(120)
    order = np.arange(len(frames["candidates"])) % 4
    frames["candidates"]["batch"] = pd.array([QUARTERS[place] for place in order], dtype="string")
    return frames


def study_of(made, folder=None, settings=SETTINGS):
    if folder is not None:
        folder.mkdir()
        (folder / "study.toml").write_text(TOML, encoding="utf-8")
        settings = read_settings(folder / "study.toml")
    study = Study(Store(folder), settings)
    study.store.replace(made)
    study.store.put("discover", study._state("discover"))
    return study


def run(capsys, *arguments):
    with pytest.raises(SystemExit) as ended:
        main([str(argument) for argument in arguments])
    return ended.value.code, capsys.readouterr()


def test_a_study_has_its_trend_and_the_report_shows_it(made):
    study = study_of(made)
    over = study.trend()
    assert over.batches == QUARTERS
    assert set(over.items["item"]) == set(study.compared(stance="negative")["item"])
    study.find(by=["gender"])
    summary = study.summary()
    assert summary["trend"]["batches"] == list(QUARTERS)
    assert {row["verdict"] for row in summary["trend"]["rows"]} <= {"rises", "falls", "no trend shown", "protected"}
    page = render_html(summary)
    assert 'id="trend"' in page
    assert "2025-Q3" in page
    json.dumps(summary)


def test_without_batches_there_is_no_trend(made):
    study = study_of({**made, "candidates": made["candidates"].assign(batch=pd.NA)})
    study.find(by=["gender"])
    assert study.summary()["trend"] is None
    assert 'id="trend"' not in render_html(study.summary())
    with pytest.raises(SettingsError, match="two batches"):
        study.trend()


def test_what_each_batch_was_read_with(made):
    batch = made["candidates"].set_index("candidate_id")["batch"]
    late = made["passages"].loc[made["passages"]["candidate_id"].map(batch) == "2025-Q4", "passage_id"]
    tags = made["tags"].assign(
        model_id=made["tags"]["model_id"].mask(made["tags"]["passage_id"].isin(late), "tagger-2")
    )
    words = read_with(made["candidates"], made["passages"], tags, {"2025-Q4": ["own 2"]})
    assert words["2025-Q1"] == "tagger tagger-1"
    assert words["2025-Q4"] == "tagger tagger-2, codebook own 2"
    over = study_of({**made, "tags": tags}).trend()
    assert list(over.breaks) == ["2025-Q4"]


def test_the_command_for_the_trend(made, tmp_path, capsys):
    study_of(made, tmp_path / "study").store.close()
    code, said = run(capsys, "crosstab", tmp_path / "study", "--trend", "--json")
    assert code == 0, said.err
    rows = json.loads(said.out)
    assert {"item", "slope", "p_bh", "change", "share 2025-Q1"} <= set(rows[0])
    assert "working draft" in said.err
    code, said = run(capsys, "crosstab", tmp_path / "study", "--trend", "--by", "gender")
    assert (code, "leave out --by" in said.err) == (1, True)


def test_an_intersection_and_full_numbers_on_the_command_line(made, tmp_path, capsys):
    study_of(made, tmp_path / "study").store.close()
    code, said = run(capsys, "crosstab", tmp_path / "study", "--by", "gender x location", "--internal", "--json")
    assert code == 0, said.err
    rows = pd.read_json(io.StringIO(said.out))
    assert set(rows["segment"]) == {"gender x location"}
    assert rows["n"].notna().all()
    again = Study.open(tmp_path / "study")
    assert [entry["what"] for entry in again.store.notes("internal")] == ["crosstab by gender x location"]


def test_levels_that_cannot_be_shown_come_with_the_lines_that_show_them_as_one():
    verdicts = {"woman": "protected", "nb": "protected", "man": "not enough data", "other": "difference"}
    rows = [(level, item, verdict) for item in ("x", "y") for level, verdict in verdicts.items()]
    findings = pd.DataFrame(rows, columns=["level", "item", "verdict"]).assign(segment="gender")
    (offer,) = merge_offers(findings)
    assert '[segments.merge.gender] "nb or woman" = ["nb", "woman"]' in offer
    assert merge_offers(findings[findings["level"].isin(["woman", "nb"])]) == []
    assert merge_offers(findings[findings["level"] != "nb"]) == []


def test_talk_is_in_thirds_and_can_be_held_fixed(made):
    study = study_of(made)
    counts = study.people["talk_length"].value_counts()
    assert set(counts.index) == {"short", "middle", "long"}
    result = study.crosstab(by="gender", adjust_for="talk_length", internal=True).to_frame()
    assert result["note"].str.contains("within talk_length").any()
    own = study.people.assign(talk_length="mine")
    assert with_talk_length(own, study.passages)["talk_length"].eq("mine").all()


def test_groups_that_say_more_are_marked():
    people = pd.DataFrame({"candidate_id": range(30), "team": ["a"] * 10 + ["b"] * 20})
    words = pd.Series([300] * 10 + [200] * 20)
    rows = response_rates(people, pd.Series([True] * 30), "team", min_n=5, words=words)
    assert [(row["level"], row["median_words"], row["talk"]) for row in rows] == [
        ("a", 300, "more"),
        ("b", 200, "less"),
    ]
    few = response_rates(people[7:], pd.Series([True] * 23, index=range(7, 30)), "team", min_n=5, words=words[7:])
    assert {row["median_words"] for row in few} == {None}


def test_sensitive_quotes_are_shown_after_a_yes_only(made, tmp_path, capsys, monkeypatch):
    study = study_of(made, tmp_path / "study")
    waiting = study.quotes_to_approve()
    mine = waiting[waiting["text"].str.contains("nine weeks|weeks from", case=False)]
    assert len(mine) > 0
    assert not mine["text"].str.contains("3 May").any()
    study.find(by=["gender"])

    def quotes():
        return next(t for t in study.summary()["themes"] if t["theme_id"] == "slow_process")["quotes"]

    assert quotes() == []
    study.approve_quotes({mine["passage_id"].iloc[0]: True, mine["passage_id"].iloc[-1]: False})
    assert quotes() == [mine["text"].iloc[0]]
    assert not study.quotes_to_approve()["passage_id"].isin([mine["passage_id"].iloc[0]]).any()
    with pytest.raises(InputError, match="no passage nothing"):
        study.approve_quotes({"nothing": True})
    left = len(study.quotes_to_approve())
    study.store.close()
    monkeypatch.setattr("sys.stdin", io.StringIO("n\n" * left))
    code, said = run(capsys, "report", tmp_path / "study", "--approve-quotes")
    assert code == 0, said.err
    assert said.err.count("May it be quoted?") == left
    code, said = run(capsys, "report", tmp_path / "study", "--approve-quotes")
    assert "no quote waits" in said.err


def test_recall_by_group_stands_in_the_report_where_people_reviewed(made):
    study = study_of(made)
    people = study.people
    said = study.mentions[(study.mentions["item"] == "slow_process") & (study.mentions["n_passages"] > 0)]
    decided = people["candidate_id"].isin(said["candidate_id"])
    study.store.append(
        "reviews",
        pd.DataFrame(
            {
                "subject": people["candidate_id"],
                "item": "slow_process",
                "decision": np.where(decided, "yes", "no"),
                "reviewer": "r",
                "at": "2026-01-01",
                "inclusion_probability": 1.0,
            }
        ),
    )
    study.find(by=["gender"])
    (segment,) = [s for s in study.summary()["segments"] if s["segment"] == "gender"]
    assert {row["item"] for row in segment["recall"]} <= {"slow_process"}
    page = render_html(study.summary())
    assert ("Does the tagger find as much" in page) == bool(segment["recall"])
    assert set(study.findings.loc[study.findings["item"] == "slow_process", "audit_state"].dropna()) == {"human codes"}

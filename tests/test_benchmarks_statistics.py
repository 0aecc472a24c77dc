"""The statistics benchmark: each part runs through the product, and what it claims holds at small numbers too."""

import sys
from functools import partial

import numpy as np
import pandas as pd
import pytest
from benchmarks import planted
from benchmarks import statistics as bench


@pytest.fixture(scope="module")
def gold():
    """The tables of the planted part with gold codes only, by their titles' first word."""
    return {title.split()[0]: table for title, table in planted.tables(model=False)}


def test_simulated_candidates_have_the_shares_asked_for_and_items_go_together():
    said = bench.answers(np.random.default_rng(1), 20_000, [0.1, 0.4, 0.4])
    assert said.mean(axis=0) == pytest.approx([0.1, 0.4, 0.4], abs=0.015)
    assert np.corrcoef(said.T)[1, 2] > 0.1
    mentions = bench.as_mentions(said[:5])
    assert len(mentions) == said[:5].sum()


def test_null_studies_count_any_claim_by_each_rule():
    ((title, table),) = bench.null(12, 1)
    shares = table.set_index("any claim by")["share"]
    assert "group of 12" in title
    assert (table["studies"] == 12).all()
    assert table["aim"][0] == "at most .065"
    assert shares["verdict 'difference' (ours)"] <= shares["p_value at most .05 (not adjusted)"]
    assert shares["verdict 'difference' (ours)"] <= 0.35
    assert shares["p_value at most .05 (not adjusted)"] >= 0.3


@pytest.mark.slow
def test_power_grows_with_the_size_and_is_near_what_is_predicted(monkeypatch):
    monkeypatch.setattr(bench, "GROUPS", (30,))
    monkeypatch.setattr(bench, "GAPS", (0.1, 0.6))
    ((_, table),) = bench.power_of_sizes(60, 1)
    assert table["planted"].tolist() == ["20% + 10 points", "20% + 60 points"]
    predicted, raw = table["predicted (stats.power, p .05)"], table["p_value at most .05"]
    assert (raw - predicted).abs().max() < 0.4
    assert table["verdict 'difference'"][1] >= 0.8 > 0.5 >= table["verdict 'difference'"][0]


@pytest.mark.slow
def test_audited_intervals_cover_where_naive_ones_do_not():
    ((title, table),) = bench.coverage(40, 1)
    assert "80 repetitions" in title
    assert [name[:2] for name in table["scenario"]] == ["S1", "S2", "S4"]
    assert table["audited coverage"].min() >= 0.85
    assert table["naive coverage"][1] <= 0.70
    assert (table["audited width"] > table["naive width"]).all()


def test_counting_sentences_finds_what_is_not_there_and_counting_candidates_does_not():
    ((_, table),) = bench.counting(150, 1)
    found = table.set_index("counted")["false positives at .05"]
    assert found["sentences (chi-squared)"] > 0.2
    assert found["candidates (ours)"] < 0.10


@pytest.mark.slow
def test_the_biased_item_is_flagged_and_is_no_difference_among_those_asked():
    ((_, table),) = bench.asked_bias(24, 1)
    share = table.set_index("the biased item")["share"]
    assert share["flagged: 'asked shares differ'"] == 1
    assert share["'difference' and not flagged"] == 0
    assert share["verdict 'difference', everybody counted"] >= 0.3
    assert share["verdict 'difference', among='asked'"] <= 0.35


def test_a_changed_p_is_noticed():
    once = pd.DataFrame({name: [0.5, 0.1] for name in ("p_value", "p_bh", "p_wy", "adjusted_p")})
    other = once.assign(p_wy=[0.5, 0.2])
    assert bench.changes(once, once) == {"findings": 2, "largest change in a p": 0, "identical": True}
    assert bench.changes(once, other)["largest change in a p"] == pytest.approx(0.1)
    assert not bench.changes(once, other)["identical"]


def test_the_command_prints_the_parts_asked_for(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["statistics", "--part", "counting", "--studies", "10", "--jobs", "1"])
    bench.main()
    out = capsys.readouterr().out
    assert "sentences (chi-squared)" in out
    assert "null data" not in out


def test_an_unknown_part_is_wrong_usage(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["statistics", "--part", "nul"])
    with pytest.raises(SystemExit, match="2"):
        bench.main()
    assert "there are: null, power" in capsys.readouterr().err


@pytest.mark.slow
def test_studies_are_the_same_in_one_process_and_in_two():
    works = [partial(bench.audit_study, i, name=name) for name in bench.SCENARIOS for i in range(3)]
    assert bench.spread(works, 1) == bench.spread(works, 2)


@pytest.mark.slow
def test_duplication_changes_no_p():
    ((_, table),) = bench.duplication(0, 1)
    assert "passages of the sample (gold codes)" in set(table["what is there twice"])
    assert (table["largest change in a p"] == 0).all()
    assert table["identical"].all()
    assert (table["findings"] >= 60).all()


@pytest.mark.slow
def test_speed_and_memory_are_within_the_aims():
    ((_, table),) = bench.speed(0, 1)
    for (seconds, memory), row in zip(bench.LIMITS.values(), table.to_dict("records"), strict=True):
        assert row["processor_seconds"] < seconds
        assert memory is None or not row["peak_mb"] > memory


@pytest.mark.slow
def test_with_gold_codes_everything_planted_is_found_and_no_null_pair_is(gold):
    found = gold["planted"].set_index("planted")
    words = found["with gold codes"]
    real = found[(found["kind"] == "difference") & (found["power"] > 0.8)]
    assert len(real) == 5
    assert real["with gold codes"].str.endswith(": difference").all()
    assert (found.loc[found["kind"] == "null", "as planted"] == "yes").all()
    assert not words[found["kind"] == "null"].str.endswith(": difference").any()
    assert "not seen within role" in words["workload_by_gender"]
    assert "flagged; among asked not enough data" in words["comfort_only_asked"]
    assert found.loc["pay_trend", "as planted"] == "yes"


@pytest.mark.slow
def test_the_intersection_goes_beyond_its_parts_where_ten_candidates_are_in_it(gold):
    found = gold["planted"].set_index("planted")
    assert found.loc["women_sales_level", "n"].startswith("9 v")
    assert found.loc["women_sales_level", "as planted"] == "NO"
    assert found.loc["women_sales_level, merged", "n"].startswith("10 v")
    assert "goes beyond its parts" in found.loc["women_sales_level, merged", "with gold codes"]


@pytest.mark.slow
def test_claims_are_counted_with_what_falls_short(gold):
    claims = gold["how"].set_index("claim")["gold codes"]
    assert claims["planted differences with power over .8 called a difference"] == "5 of 5"
    assert claims["intersection said to go beyond its parts (both readings)"] == "1 of 2"
    assert claims["null pairs not called a difference"] == "10 of 10"


@pytest.mark.slow
def test_reviews_are_drawn_per_level_with_their_probability_and_decided_by_gold():
    everybody, mentions = planted.people("{}"), planted.gold_mentions()
    reviews = planted.reviews_of(everybody, "location", mentions, 20)
    location = reviews["subject"].map(everybody.set_index("candidate_id")["location"])
    assert reviews["subject"].groupby(location).nunique().tolist() == [20, 20, 20, 20]
    assert (reviews["inclusion_probability"] == 20 / 32).all()
    slow = reviews[reviews["item"] == "slow_process"].set_index("subject")["decision"] == "yes"
    complain = set(planted.against(mentions).query("item == 'slow_process'")["candidate_id"])
    assert set(slow[slow].index) == complain & set(slow.index)
    assert (planted.reviews_of(everybody, "location", mentions, 50)["inclusion_probability"] == 1).all()


@pytest.mark.slow
def test_other_evidence_stands_beside_gold_codes(monkeypatch):
    wanted = ["slow_bengaluru", "pay_trend", "slow_process x gender"]
    every = [case for case in planted.cases(planted.load()) if case.id in wanted]
    evidence = [
        planted.Evidence(name="model, unaudited", mentions=planted.gold_mentions()),
        planted.Evidence(name="model, audited", mentions=planted.gold_mentions(), reviewed=50),
    ]
    monkeypatch.setattr(planted, "cases", lambda _: every)
    monkeypatch.setattr(planted, "model_evidence", lambda: evidence)
    _, (caption, side), (_, claims) = planted.tables()
    rows = side.set_index("planted")
    assert "trained and calibrated on 96 of the 128" in caption
    assert (rows["gold codes"] == rows["model, unaudited"]).all()
    assert rows.loc["slow_bengaluru", "model, audited"] == "+59: difference (all reviewed)"
    assert rows.loc["pay_trend", "model, audited"] == "no audited trend"
    assert "difference" not in rows.loc["slow_process x gender", "model, audited"].replace("no material difference", "")
    assert claims.set_index("claim").loc["trend seen"].tolist() == ["1 of 1", "1 of 1", "-"]

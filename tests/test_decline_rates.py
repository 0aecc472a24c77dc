"""Decline rates: published cases, oracles by another road, which offers count, what may be shown.

Tags of the cases: P-seen, published and read at the source; P-mem, published and quoted from memory; X, cross-checked
by two programs.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import fisher_exact, hypergeom
from statsmodels.stats.contingency_tables import StratifiedTable
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint
from tests.cli_fixture import themes

from declinethemes import decline_rates
from declinethemes.errors import InputError, SchemaError, SettingsError
from declinethemes.ingest import read_offers
from declinethemes.prepare.compare import changed_p, one_decision_changed
from declinethemes.prepare.rates import COLUMNS
from declinethemes.stats.proportions import share_test
from declinethemes.stats.strata import exact_cmh

__all__ = ["themes"]
ROOT = Path(__file__).resolve().parents[1]
SAMPLE = ROOT / "corpora" / "sample"
COUNTS = {"woman": (17, 40), "man": (12, 60), "other": (6, 25)}


def offers_of(counts, **columns):
    """Offers of one segment `team`, from {level: (declined, offers)}."""
    level = np.repeat(list(counts), [n for _, n in counts.values()])
    declined = np.concatenate([np.arange(n) < x for x, n in counts.values()])
    frame = pd.DataFrame({"candidate_id": [f"C{i}" for i in range(len(level))], "team": level})
    return frame.assign(outcome=np.where(declined, "declined", "accepted"), **columns)


def rates_of(counts, **options):
    return decline_rates(offers_of(counts), by="team", **options).to_frame().set_index("level")


def accepting(counts):
    """The same from {level: (accepted, offers)}: the published cases count who was selected or passed."""
    return rates_of({level: (n - x, n) for level, (x, n) in counts.items()})


def midp(x1, n1, x2, n2):
    """Two-sided Fisher mid-p by listing all tables: half of the equally probable ones."""
    here = hypergeom(n1 + n2, x1 + x2, n1).pmf(x1)
    pmf = hypergeom(n1 + n2, x1 + x2, n1).pmf(np.arange(n1 + 1))
    return pmf[pmf < here * (1 - 1e-7)].sum() + pmf[np.isclose(pmf, here, rtol=1e-7)].sum() / 2


# Published cases -----------------------------------------------------------------------------------------------------


def test_uniform_guidelines_question_11_p_seen():
    found = accepting({"a": (60, 100), "b": (45, 100), "c": (48, 100), "d": (51, 100)})["acceptance_ratio"]
    assert found.round(2).tolist() == [1.0, 0.75, 0.8, 0.85]


def test_connecticut_v_teal_p_seen():
    row = accepting({"black": (26, 48), "white": (206, 259)}).loc["black"]
    assert round(1 - row["rate"], 4) == 0.5417
    assert round(1 - row["rest_rate"], 4) == 0.7954
    assert round(row["acceptance_ratio"], 3) == 0.681
    # Of declines the difference has the other sign.
    assert (round(row["ci_low"], 3), round(row["ci_high"], 3)) == (0.111, 0.399)
    assert row["p_value"] < fisher_exact([[26, 22], [206, 53]]).pvalue < 0.00041
    assert row["verdict"] == "difference"


def test_castaneda_v_partida_p_seen():
    expected, sd, z, p = share_test(339, 870, 0.791)
    assert (round(float(expected), 2), round(float(sd), 2), round(float(-z), 1)) == (688.17, 11.99, 29.1)
    assert 0 < p < 1e-140


@pytest.mark.parametrize(("share", "deviations"), [(0.057, 1.73), (0.154, 6.52)])
def test_hazelwood_v_united_states_p_mem(share, deviations):
    *_, z, p = share_test(15, 405, share)
    assert round(float(-z), 2) == deviations
    # The rule of two or three standard deviations and the exact test say the same.
    assert (p < 0.05) == (deviations > 2)


def test_one_of_ten_and_three_of_twenty_x():
    row = accepting({"a": (1, 10), "b": (3, 20)}).loc["a"]
    assert round(row["acceptance_ratio"], 3) == 0.667
    assert fisher_exact([[1, 9], [3, 17]]).pvalue == pytest.approx(1.0)
    assert (round(-row["ci_high"], 3), round(-row["ci_low"], 3)) == (-0.276, 0.269)
    assert row["verdict"] == "not enough data"


def test_the_ratio_depends_on_its_direction_x():
    row = accepting({"a": (80, 100), "b": (90, 100)}).loc["a"]
    assert round(row["acceptance_ratio"], 3) == 0.889
    assert row["ratio"] == pytest.approx(2.0)
    assert round(fisher_exact([[20, 80], [10, 90]]).pvalue, 3) == 0.073
    assert row["verdict"] != "difference"


# Oracles by another road ---------------------------------------------------------------------------------------------


def test_rates_and_intervals_are_those_of_statsmodels():
    found = rates_of(COUNTS)
    for level, (x, n) in COUNTS.items():
        rest_x, rest_n = sum(v[0] for v in COUNTS.values()) - x, sum(v[1] for v in COUNTS.values()) - n
        row = found.loc[level]
        assert (row["declined"], row["n"], row["rest_declined"], row["rest_n"]) == (x, n, rest_x, rest_n)
        assert (row["rate_low"], row["rate_high"]) == pytest.approx(proportion_confint(x, n, method="wilson"))
        newcomb = confint_proportions_2indep(x, n, rest_x, rest_n, method="newcomb")
        assert (row["ci_low"], row["ci_high"]) == pytest.approx(newcomb)
        score = confint_proportions_2indep(x, n, rest_x, rest_n, method="score", compare="ratio", correction=False)
        assert (row["ratio_low"], row["ratio_high"]) == pytest.approx(score, rel=1e-4)
        assert row["ratio"] == pytest.approx((x / n) / (rest_x / rest_n))
        assert row["p_value"] == pytest.approx(midp(x, n, rest_x, rest_n))


def test_bh_runs_over_all_levels_of_the_call():
    frame = offers_of(COUNTS).assign(site=lambda f: np.where(np.arange(len(f)) % 3 == 0, "a", "b"))
    result = decline_rates(frame, by=["team", "site"])
    found = result.to_frame()
    # The two levels of a segment of two are one comparison.
    assert result.family == 4
    family = found["p_value"].to_numpy(dtype=float)[:4]
    assert found["p_bh"].to_numpy(dtype=float)[:4] == pytest.approx(multipletests(family, method="fdr_bh")[1])
    assert found["p_bh"].iloc[3] == found["p_bh"].iloc[4]


def test_the_adjusted_difference_is_mantel_haenszel_by_loop():
    frame = confounded()
    row = decline_rates(frame, by="gender").to_frame().set_index("level").loc["woman"]
    top = bottom = 0.0
    tables = []
    for _, part in frame.groupby("role"):
        woman, declined = part["gender"] == "woman", part["outcome"] == "declined"
        n1, n2, total = woman.sum(), (~woman).sum(), len(part)
        x1, x2 = (woman & declined).sum(), (~woman & declined).sum()
        top += (x1 * n2 - x2 * n1) / total
        bottom += n1 * n2 / total
        tables.append(np.array([[x1, n1 - x1], [x2, n2 - x2]]))
    assert row["adjusted_difference"] == pytest.approx(top / bottom)
    # Exact and chi-squared p agree only roughly.
    assert row["adjusted_p"] == pytest.approx(StratifiedTable(tables).test_null_odds().pvalue, abs=0.1)


def confounded():
    """Data scientists decline more and are mostly women; within a role nobody differs."""
    cells = [("scientist", "woman", 24, 40), ("scientist", "man", 6, 10), ("engineer", "woman", 2, 10)]
    cells.append(("engineer", "man", 8, 40))
    rows = [
        {"role": role, "gender": gender, "outcome": "declined" if i < x else "accepted"}
        for role, gender, x, n in cells
        for i in range(n)
    ]
    return pd.DataFrame(rows).assign(candidate_id=lambda f: f.index.astype(str))


def test_a_difference_that_vanishes_within_roles_is_not_claimed():
    frame = confounded()
    crude = decline_rates(frame.drop(columns="role"), by="gender").to_frame().iloc[1]
    held = decline_rates(frame, by="gender").to_frame().iloc[1]
    assert crude["verdict"] == "difference"
    assert held["verdict"] == "not enough data"
    assert abs(held["adjusted_difference"]) < 1e-9
    assert "the difference is not seen within role" in held["note"]


def test_what_is_held_fixed_is_never_the_segment_itself():
    result = decline_rates(confounded().assign(location="x"), by=["role", "gender", ("gender", "role")])
    held = {"role": ["location"], "gender": ["role", "location"], "gender x role": ["location"]}
    assert result.parameters["adjust_for"] == held


def test_the_flip_check_is_every_single_change_of_one_decision():
    counts = {"a": (4, 9), "b": (1, 14)}
    offers = offers_of(counts)
    now = decline_rates(offers, by="team").to_frame()["verdict"].iloc[0]
    others = set()
    for row in range(len(offers)):
        other = offers.copy()
        other.loc[row, "outcome"] = "accepted" if offers.loc[row, "outcome"] == "declined" else "declined"
        others.add(decline_rates(other, by="team").to_frame()["verdict"].iloc[0])
    found = decline_rates(offers, by="team").to_frame()["flip_verdict"].iloc[0]
    assert others - {now}
    assert found == " or ".join(sorted(others - {now}))


def test_a_statement_that_one_decision_cannot_change_has_no_flip():
    assert rates_of({"a": (40, 50), "b": (5, 50)})["flip_verdict"].isna().all()


def test_one_decision_changed_lists_alike_tables_once():
    table = np.array([[[2, 1], [0, 3]], [[2, 1], [0, 3]]])
    changed, stratum = one_decision_changed(table)
    assert len(changed) == 3
    assert stratum.tolist() == [0, 0, 0]
    assert (np.abs(changed - table).sum(axis=(1, 2, 3)) == 2).all()
    assert (changed.sum(axis=(1, 2, 3)) == table.sum()).all()


@settings(max_examples=30, deadline=None)
@given(cells=st.lists(st.lists(st.integers(0, 6), min_size=4, max_size=4), min_size=1, max_size=5))
def test_the_p_of_a_changed_table_is_that_of_the_table_on_its_own(cells):
    table = np.array(cells).reshape(-1, 2, 2)
    if not table.sum():
        return
    changed, stratum = one_decision_changed(table)
    assert changed_p(table, changed, stratum) == pytest.approx([exact_cmh(one) for one in changed])


def test_quarters_are_those_of_the_offer_and_their_slope_is_least_squares():
    days = pd.to_datetime(["2025-01-10", "2025-04-10", "2025-07-10", "2026-01-10"])
    x, n = np.array([3, 6, 9, 20]), np.array([30, 30, 30, 32])
    frame = pd.concat(
        [
            offers_of({"a": (k, size)}).assign(
                offer_date=day, candidate_id=lambda f, day=day: f.index.astype(str) + str(day)
            )
            for day, k, size in zip(days, x, n, strict=True)
        ],
        ignore_index=True,
    )
    result = decline_rates(frame, by="team")
    whole = result.quarters[result.quarters["segment"] == "(all)"]
    assert whole["quarter"].tolist() == ["2025-Q1", "2025-Q2", "2025-Q3", "2026-Q1"]
    assert whole["declined"].tolist() == x.tolist()
    slope = np.polyfit([0, 1, 2, 4], x / n, 1, w=np.sqrt(n))[0]
    assert result.trends["change"].iloc[0] == pytest.approx(slope)
    assert result.trends["p_value"].iloc[0] < 0.001


def test_three_quarters_are_no_trend():
    frame = offers_of(COUNTS).assign(offer_date=lambda f: pd.Timestamp("2025-01-10") + pd.to_timedelta(f.index, "D"))
    result = decline_rates(frame, by="team")
    assert result.quarters["quarter"].nunique() == 2
    assert result.trends["p_value"].isna().all()
    assert any(note.startswith("No trend") for note in result.notes)


# Which offers count --------------------------------------------------------------------------------------------------


def test_declines_alone_are_refused_and_the_reason_is_said():
    declined = offers_of(COUNTS).query("outcome == 'declined'")
    with pytest.raises(InputError, match="From declines alone nothing follows"):
        decline_rates(declined, by="team")


def test_a_candidates_table_is_refused_with_the_same_reason():
    with pytest.raises(InputError, match=r"no column 'outcome'.*accepted ones included"):
        decline_rates(pd.DataFrame({"candidate_id": ["a"], "decline_date": ["2025-01-01"]}), by="gender")


def test_no_offers_are_refused():
    with pytest.raises(InputError, match="no offer in the table"):
        decline_rates(offers_of(COUNTS).iloc[:0], by="team")


def test_undecided_offers_are_counted_and_listed_not_rated():
    more = [("P", "pending"), ("W", "withdrawn"), ("N", None)]
    extra = pd.DataFrame([{"candidate_id": c, "team": "woman", "outcome": o} for c, o in more])
    result = decline_rates(pd.concat([offers_of(COUNTS), extra], ignore_index=True), by="team")
    assert result.rates["n"].sum() == 125
    assert {k: result.counts[k] for k in ("pending", "withdrawn", "no outcome")} == {
        "pending": 1,
        "withdrawn": 1,
        "no outcome": 1,
    }
    assert sorted(result.listed["candidate_id"]) == ["N", "P", "W"]
    assert not result.listed["counted"].any()


def test_of_two_offers_to_one_candidate_the_last_decided_counts():
    twice = pd.DataFrame(
        {
            "offer_id": ["O1", "O2", "O3"],
            "candidate_id": ["X", "X", "Y"],
            "outcome": ["declined", "accepted", "accepted"],
            "offer_date": ["2025-01-01", "2025-05-01", "2025-01-01"],
            "decline_date": ["2025-02-01", None, None],
            "team": ["a", "b", "b"],
        }
    )
    result = decline_rates(twice, by="team")
    assert result.counts["superseded"] == 1
    assert result.rates["level"].tolist() == ["b"]
    assert result.listed["offer_id"].tolist() == ["O1"]
    assert "O2, which is used" in result.listed["reason"].iloc[0]


def test_odd_dates_are_counted_listed_and_in_no_quarter():
    frame = offers_of({"a": (2, 4)}).assign(
        offer_date=["2025-05-01", "2099-01-01", "2025-05-01", "2025-05-01"],
        decline_date=["2025-04-01", None, "2025-06-01", None],
    )
    result = decline_rates(frame, by="team", today=dt.date(2026, 1, 1))
    reasons = result.listed["reason"].tolist()
    assert "declined before the offer was made" in reasons[0]
    assert "offer_date lies in the future" in reasons[1]
    assert "has a decline_date, but was not declined" in reasons[2]
    assert result.listed["counted"].all()
    assert result.rates["n"].sum() == 4
    assert result.quarters.query("segment == '(all)'")["n"].sum() == 2


def test_no_decline_is_a_rate_of_zero_and_a_note():
    result = decline_rates(offers_of({"a": (0, 20), "b": (0, 30)}), by="team")
    assert result.rates["rate"].tolist() == [0, 0]
    assert result.rates["rate_high"].iloc[0] > 0.1
    assert any("nothing to compare" in note for note in result.notes)


def test_a_missing_segment_says_which_there_are():
    with pytest.raises(SettingsError, match=r"'taem' \(did you mean 'team'\?\)"):
        decline_rates(offers_of(COUNTS), by="taem")
    with pytest.raises(SettingsError, match="segment column"):
        decline_rates(offers_of(COUNTS), by="outcome")


def test_numbers_with_many_values_are_no_segment():
    with pytest.raises(SettingsError, match="bands"):
        decline_rates(offers_of(COUNTS).assign(age=range(125)), by="age")


def test_an_offer_that_comes_twice_is_an_error():
    with pytest.raises(SchemaError, match="each value once"):
        decline_rates(offers_of(COUNTS).assign(offer_id="O1"), by="team")


@pytest.mark.parametrize("word", [None, "", "prefer not to say", "Not disclosed", "?"])
def test_a_level_that_is_not_disclosed_is_shown_and_in_no_rest(word):
    frame = pd.concat(
        [offers_of(COUNTS), offers_of({word or "": (3, 10)}).assign(candidate_id=lambda f: "N" + f["candidate_id"])]
    )
    frame["team"] = frame["team"].where(frame["team"] != "", word)
    found = decline_rates(frame.reset_index(drop=True), by="team").to_frame().set_index("level")
    assert found.loc["not disclosed", ["declined", "n", "verdict"]].tolist() == [3, 10, "not tested"]
    assert found.loc["woman", "rest_n"] == 85


# What may be shown ---------------------------------------------------------------------------------------------------


def test_small_groups_and_what_gives_them_away_are_blank():
    result = decline_rates(offers_of({"a": (2, 4), "b": (9, 40), "c": (9, 30)}), by="team")
    assert result.rates["suppressed"].tolist() == [True, False, True]
    assert result.rates["n"].tolist() == [4, 40, 30]
    shown = result.protected().rates.set_index("level")
    assert shown.loc[["a", "c"], "verdict"].tolist() == ["protected", "protected"]
    numbers = [name for name in COLUMNS if name not in ("segment", "level", "verdict", "suppressed", "note")]
    assert shown.loc[["a", "c"], numbers].isna().all(axis=None)
    assert shown.loc["b", "n"] == 40
    assert "protected" in result.protected().sentences().iloc[0]


def test_quarters_of_a_level_are_not_shown():
    frame = offers_of(COUNTS).assign(
        offer_date=lambda f: pd.Timestamp("2024-01-10") + pd.to_timedelta(f.index * 5, "D")
    )
    shown = decline_rates(frame, by="team").protected()
    assert set(shown.quarters["segment"]) == {"(all)"}


def test_sentences_say_counts_interval_size_and_flip():
    text = decline_rates(offers_of({"a": (10, 25), "b": (11, 60)}), by="team").sentences().iloc[0]
    start = "10 of 25 offers with team 'a' were declined (40 %, 23 % to 59 %) against 11 of 60 others: 22 points more"
    assert text.startswith(start)
    assert "Had one candidate decided otherwise" in text


def test_the_chart_is_well_formed_self_contained_and_hides_the_same():
    result = decline_rates(offers_of({"a<b": (2, 4), "b": (9, 40), "c": (9, 30)}), by="team")
    page = result.chart()
    drawings = re.findall(r"<svg.*?</svg>", page, flags=re.DOTALL)
    assert len(drawings) == 1
    root = ElementTree.fromstring(drawings[0])
    texts = [one.text or "".join(one.itertext()) for one in root.iter("text")]
    assert texts.count("protected") == 2
    assert len(list(root.iter("circle"))) == 1
    assert "<script" not in page
    assert "http" not in page
    circle = next(root.iter("circle"))
    assert float(circle.attrib["cx"]) == pytest.approx(200 + 400 * 9 / 40)


def test_a_notebook_shows_the_rates():
    html = decline_rates(offers_of(COUNTS), by="team")._repr_html_()
    assert "woman" in html
    assert "flip_verdict" in html


# Properties ----------------------------------------------------------------------------------------------------------

ROW = st.fixed_dictionaries(
    {
        "candidate_id": st.sampled_from([f"C{i}" for i in range(12)]),
        "outcome": st.sampled_from(["accepted", "declined", "pending", "withdrawn", None]),
        "team": st.sampled_from(["a", "b", "c", None]),
        "role": st.sampled_from(["x", "y", None]),
        "offer_date": st.dates(dt.date(2024, 1, 1), dt.date(2026, 12, 31)),
        "decline_date": st.none() | st.dates(dt.date(2024, 1, 1), dt.date(2026, 12, 31)),
    }
)


def table_of(rows):
    frame = pd.DataFrame(rows)
    frame["offer_id"] = [f"O{i:02}" for i in range(len(frame))]
    return pd.concat(
        [
            frame,
            pd.DataFrame([{"offer_id": "Z", "candidate_id": "Z", "outcome": "accepted", "team": "a", "role": "x"}]),
        ],
        ignore_index=True,
    )


@settings(max_examples=25, deadline=None)
@given(rows=st.lists(ROW, min_size=1, max_size=30))
def test_every_offer_is_counted_once_or_listed(rows):
    table = table_of(rows)
    result = decline_rates(table, by="team", today=dt.date(2026, 6, 1))
    left = result.listed[~result.listed["counted"]]
    counted = set(table["offer_id"]) - set(left["offer_id"])
    assert len(counted) == result.counts["candidates"] == result.rates["n"].sum()
    assert table[table["offer_id"].isin(counted)]["candidate_id"].is_unique
    decided = table[table["outcome"].isin(["accepted", "declined"])]["candidate_id"].nunique()
    assert result.counts["candidates"] == decided
    assert (result.rates["declined"] <= result.rates["n"]).all()
    assert result.rates["rate"].dropna().between(0, 1).all()


@settings(max_examples=12, deadline=None)
@given(rows=st.lists(ROW, min_size=1, max_size=25), seed=st.integers(0, 99))
def test_the_order_of_the_rows_changes_nothing(rows, seed):
    table = table_of(rows)
    first = decline_rates(table, by=["team", "role"], today=dt.date(2026, 6, 1))
    second = decline_rates(table.sample(frac=1, random_state=seed), by=["team", "role"], today=dt.date(2026, 6, 1))
    for name in ("rates", "quarters", "trends", "listed"):
        pd.testing.assert_frame_equal(getattr(first, name), getattr(second, name))


@settings(max_examples=25, deadline=None)
@given(counts=st.lists(st.tuples(st.integers(0, 12), st.integers(1, 12)), min_size=2, max_size=5))
def test_a_hidden_group_cannot_be_had_from_the_total(counts):
    table = {f"t{i}": (min(x, n), n) for i, (x, n) in enumerate(counts)}
    if sum(n - x for x, n in table.values()) == 0:
        return
    shown = decline_rates(offers_of(table), by="team").protected().rates
    hidden = shown["n"].isna().sum()
    assert hidden != 1
    assert (shown["n"].dropna() >= 5).all()


# The command ---------------------------------------------------------------------------------------------------------


def test_the_sample_offers_as_csv(themes, tmp_path):
    chart = tmp_path / "chart.html"
    arguments = ["declines", SAMPLE / "offers.csv", "--by", "gender", "--by", "role", "--today", "2026-12-01"]
    assert themes(*arguments, "--chart", chart) == 0
    lines = themes.out.splitlines()
    assert lines[0].split(",") == list(COLUMNS)
    assert "128 of 444 decided offers were declined" in themes.err
    assert "left out: 4 offers, pending" in themes.err
    assert "<svg" in chart.read_text(encoding="utf-8")
    assert ",protected," not in themes.out


def test_small_groups_are_blank_on_every_way_out(themes, tmp_path):
    path, out, chart = (tmp_path / name for name in ("offers.csv", "out.csv", "chart.html"))
    offers_of({"few": (2, 4), "many": (9, 40), "more": (9, 30)}).to_csv(path, index=False)
    assert themes("declines", path, "--by", "team", "--json") == 0
    rows = {row["level"]: row for row in json.loads(themes.out)["rates"]}
    assert [rows[level]["n"] for level in ("few", "many", "more")] == [None, 40, None]
    assert themes("declines", path, "--by", "team", "--out", out, "--chart", chart) == 0
    assert pd.read_csv(out).set_index("level")["verdict"].tolist()[0] == "protected"
    assert "2 of 4" not in chart.read_text(encoding="utf-8")


def test_json_has_rates_quarters_trends_and_what_was_listed(themes):
    arguments = ["--by", "location", "--today", "2026-12-01", "--json"]
    assert themes("declines", SAMPLE / "offers.csv", *arguments) == 0
    told = json.loads(themes.out)
    assert set(told) == {"rates", "quarters", "trends", "listed", "counts", "family", "parameters", "notes"}
    assert told["family"] == 4
    assert {row["reason"].split(":")[0] for row in told["listed"]} == {"pending", "withdrawn"}


def test_settings_give_segments_merged_levels_and_the_underrepresented(themes, tmp_path):
    out = tmp_path / "rates.csv"
    arguments = ["--settings", SAMPLE / "study.toml", "--today", "2026-12-01", "--out", out]
    assert themes("declines", SAMPLE / "offers.csv", *arguments) == 0
    assert themes.out == ""
    table = pd.read_csv(out)
    assert table["segment"].unique().tolist() == [
        "underrepresented",
        "gender",
        "ethnicity",
        "role",
        "location",
        "source",
    ]
    assert "woman or non-binary" in set(table["level"])


@pytest.mark.parametrize(
    ("text", "more", "said"),
    [
        ("candidate_id,outcome,team\nC1,declined,a\nC2,declined,b\n", ["--by", "team"], "From declines alone"),
        ("candidate_id,outcome,team\nC1,declined,a\nC2,accepted,b\n", ["--by", "taem"], "did you mean 'team'"),
        ("candidate_id,outcome,team\nC1,declined,a\nC2,accepted,b\n", [], "name a segment with --by"),
        ("candidate_id,outcome,team\nC1,lost,a\nC2,accepted,b\n", ["--by", "team"], "'lost' (1)"),
        ("candidate_id,outcome,team\nC1,lost,a\nC2,accepted,b\n", ["--by", "team", "--outcome", "=x"], "WORD=declined"),
        ("candidate_id,outcome,team\nC1,declined,a\nC2,accepted,b\n", ["--by", "team", "--dates", "dmy"], "day, month"),
        (
            "candidate_id,outcome,team\nC1,declined,a\nC2,accepted,b\n",
            ["--by", "team", "--today", "soon"],
            "YYYY-MM-DD",
        ),
        ("", ["--by", "team"], "empty"),
    ],
)
def test_bad_input_is_one_clear_message(themes, tmp_path, text, more, said):
    path = tmp_path / "offers.csv"
    path.write_text(text, encoding="utf-8")
    assert said in themes.fails("declines", path, *more)


def test_a_segment_may_be_named_as_in_the_file(themes, tmp_path):
    path = tmp_path / "offers.csv"
    rows = "".join(f"C{i},{'declined' if i % 3 else 'accepted'},{'F' if i % 2 else 'M'}\n" for i in range(40))
    path.write_text(f"Candidate ID,Status,Sex\n{rows}", encoding="utf-8")
    assert themes("declines", path, "--by", "Sex") == 0
    assert "gender,F,20" in themes.out


def test_every_column_is_in_the_guide():
    text = (ROOT / "docs" / "before.md").read_text(encoding="utf-8")
    assert [name for name in COLUMNS if f"`{name}`" not in text] == []


def test_a_difference_that_is_none_within_strata_after_adjustment_says_so():
    """Product managers of the sample: p_bh .049, within locations .064 over all comparisons."""
    offers = read_offers(Path(__file__).parents[1] / "corpora" / "sample" / "offers.csv").offers
    frame = decline_rates(offers, by=["gender", "role", "location"]).to_frame()
    row = frame[frame["level"] == "product manager"].iloc[0]
    assert (row["p_bh"] <= 0.05, row["verdict"]) == (True, "not enough data")
    assert "within location p is 0.064 after adjustment: no difference" in row["note"]
    others = frame[(frame["p_bh"] > 0.05) & frame["note"].notna()]
    assert not others["note"].str.contains("after adjustment").any()

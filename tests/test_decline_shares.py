"""Declines alone beside known shares of the offers: the test, what counts, what may be shown."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom
from statsmodels.stats.proportion import proportion_confint
from tests.cli_fixture import themes

from declinethemes.errors import InputError, SettingsError
from declinethemes.prepare import decline_shares
from declinethemes.prepare.offered import SHARE_COLUMNS
from declinethemes.stats.proportions import share_test

__all__ = ["themes"]
ROOT = Path(__file__).resolve().parents[1]


def declines_of(counts, **columns):
    """Declines of one segment `team`, from {level: declines}."""
    level = np.repeat(list(counts), list(counts.values()))
    frame = pd.DataFrame({"candidate_id": [f"C{i}" for i in range(len(level))], "team": level})
    return frame.assign(outcome="declined", **columns)


def shares_of(counts, offered, **options):
    return decline_shares(declines_of(counts), {"team": offered}, **options).to_frame().set_index("level")


@given(x=st.integers(0, 40), more=st.integers(0, 40), share=st.floats(0.02, 0.98))
def test_p_is_the_sum_of_all_counts_no_more_probable(x, more, share):
    n = x + more
    if n == 0:
        return
    pmf = binom(n, share).pmf(np.arange(n + 1))
    *_, p = share_test(x, n, share)
    assert float(p) == pytest.approx(min(pmf[pmf <= pmf[x] * (1 + 1e-7)].sum(), 1), rel=1e-6)


def test_without_candidates_there_is_no_test():
    _, _, z, p = share_test([0, 5], [0, 10], 0.5)
    assert np.isnan([z[0], p[0]]).all()
    assert p[1] == pytest.approx(1)


def test_a_share_out_of_range_is_an_error():
    with pytest.raises(SettingsError, match=r"between 0 and 1.*42"):
        share_test(1, 2, 42)


def test_shares_and_intervals_are_those_of_statsmodels():
    row = shares_of({"woman": 33, "man": 27}, {"woman": 0.35}).loc["woman"]
    assert (row["n"], row["declined"], row["expected"]) == (60, 33, pytest.approx(21))
    assert row["difference"] == pytest.approx(0.55 - 0.35)
    assert (row["share_low"], row["share_high"]) == pytest.approx(proportion_confint(33, 60, method="wilson"))
    assert row["verdict"] == "difference"


def test_a_level_that_declines_like_all_others_is_no_difference():
    row = shares_of({"woman": 21, "man": 39}, {"woman": 0.35}).loc["woman"]
    assert row["p_value"] == pytest.approx(1)
    assert row["verdict"] == "not enough data"  # never "no difference": a rate is not known


def test_two_levels_that_share_out_a_segment_are_one_comparison():
    result = decline_shares(declines_of({"woman": 30, "man": 30}), {"team": {"woman": 0.35, "man": 0.65}})
    assert result.family == 1
    assert result.shares["p_bh"].tolist() == pytest.approx([result.shares["p_value"][0]] * 2)
    three = decline_shares(declines_of({"a": 30, "b": 20, "c": 10}), {"team": {"a": 0.3, "b": 0.4}})
    assert three.family == 2
    assert (three.shares["p_bh"] >= three.shares["p_value"]).all()


def test_a_level_that_nobody_declined_with_is_tested_and_said():
    row = shares_of({"man": 60}, {"woman": 0.35}).loc["woman"]
    assert (row["declined"], row["verdict"]) == (0, "difference")
    assert "nobody declined with 'woman'; there are: man" in row["note"]


def test_a_missing_level_is_left_out_of_n():
    row = shares_of({"woman": 30, "man": 30, "": 12}, {"woman": 0.35}).loc["woman"]
    assert row["n"] == 60
    assert "not known" in row["note"]


def test_one_decline_per_candidate_counts_and_undecided_offers_do_not():
    table = declines_of({"woman": 30, "man": 30})
    again = table.iloc[:5].assign(offer_id=[f"X{i}" for i in range(5)])
    undecided = table.iloc[:3].assign(candidate_id=["P1", "P2", "P3"], outcome=["pending", "withdrawn", None])
    every = pd.concat([table.assign(offer_id=table["candidate_id"]), again, undecided.assign(offer_id=list("pqr"))])
    found = decline_shares(every.reset_index(drop=True), {"team": {"woman": 0.35}}).to_frame()
    assert found[["n", "declined"]].values.tolist() == [[60, 30]]


def test_with_accepted_offers_the_rates_are_the_answer():
    table = declines_of({"woman": 30, "man": 30})
    table.loc[0, "outcome"] = "accepted"
    with pytest.raises(InputError, match="1 accepted offers: leave out the shares offered"):
        decline_shares(table, {"team": {"woman": 0.35}})


def test_no_decline_is_an_error():
    with pytest.raises(InputError, match="nothing to compare"):
        decline_shares(declines_of({"woman": 3}).assign(outcome="pending"), {"team": {"woman": 0.35}})


@pytest.mark.parametrize(
    ("offered", "said"),
    [
        ({}, "a share per level"),
        ({"team": {}}, "a share per level"),
        ({"team": {"woman": 42}}, "between 0 and 1"),
        ({"team": {"woman": 0.6, "man": 0.5}}, "sum to 1.100"),
        ({"taem": {"woman": 0.4}}, "did you mean 'team'"),
    ],
)
def test_shares_that_cannot_be_are_an_error(offered, said):
    with pytest.raises(SettingsError, match=said):
        decline_shares(declines_of({"woman": 30, "man": 30}), offered)


@pytest.mark.parametrize(
    ("counts", "offered", "hidden"),
    [
        ({"woman": 3, "man": 30}, {"woman": 0.3}, True),
        ({"woman": 30, "man": 3}, {"woman": 0.3}, True),
        ({"a": 20, "b": 3, "c": 20}, {"a": 0.3, "b": 0.3}, True),
        ({"a": 20, "b": 20, "c": 3}, {"a": 0.3, "b": 0.3}, True),  # c is what is left
        ({"woman": 30, "man": 30}, {"woman": 0.3}, False),
    ],
)
def test_a_small_group_and_its_segment_are_blank(counts, offered, hidden):
    result = decline_shares(declines_of(counts), {"team": offered})
    shown = result.protected().to_frame()
    assert (shown["verdict"] == "protected").all() == hidden
    assert shown["note"].str.contains("too small to show").fillna(False).all() == hidden
    assert shown[["n", "declined", "share", "z", "p_value"]].isna().all(axis=None) == hidden
    assert result.to_frame()["declined"].notna().all()


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**20))
def test_the_order_of_the_rows_changes_nothing(seed):
    table = declines_of({"a": 12, "b": 9, "c": 20})
    offered = {"team": {"a": 0.4, "b": 0.3}}
    mixed = table.sample(frac=1, random_state=seed).reset_index(drop=True)
    pd.testing.assert_frame_equal(decline_shares(table, offered).shares, decline_shares(mixed, offered).shares)


def test_a_notebook_shows_the_shares():
    assert "woman" in decline_shares(declines_of({"woman": 30, "man": 30}), {"team": {"woman": 0.3}})._repr_html_()


# The command ---------------------------------------------------------------------------------------------------------


def written(folder, counts):
    path = folder / "declines.csv"
    declines_of(counts).to_csv(path, index=False)
    return path


def test_the_command_takes_declines_with_shares(themes, tmp_path):
    path = written(tmp_path, {"woman": 33, "man": 27})
    assert themes("declines", path, "--offered", "team=woman:0.35", "--json") == 0
    row = json.loads(themes.out)[0]
    assert (row["level"], row["declined"], row["verdict"]) == ("woman", 33, "difference")
    assert "taken as exact" in themes.err
    assert themes("declines", path, "--offered", "team=woman:0.35", "--out", tmp_path / "out.csv") == 0
    assert pd.read_csv(tmp_path / "out.csv").columns.tolist() == list(SHARE_COLUMNS)


def test_the_command_hides_small_groups(themes, tmp_path):
    path = written(tmp_path, {"woman": 3, "man": 27})
    assert themes("declines", path, "--offered", "team=woman:0.35") == 0
    assert "protected" in themes.out
    assert ",3," not in themes.out


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--offered", "team=woman"], "SEGMENT=LEVEL:SHARE"),
        (["--offered", "team=woman:42"], "between 0 and 1"),
        (["--offered", "team=woman:0.4", "--by", "team"], "leave out --by"),
        (["--by", "team"], "--offered gender=woman:0.42"),  # the refusal says what else can be done
    ],
)
def test_the_command_says_what_is_wrong(themes, tmp_path, more, said):
    assert said in themes.fails("declines", written(tmp_path, {"woman": 30, "man": 27}), *more)


def test_every_column_is_in_the_guide():
    text = (ROOT / "docs" / "before.md").read_text(encoding="utf-8")
    assert [name for name in SHARE_COLUMNS if f"`{name}`" not in text] == []

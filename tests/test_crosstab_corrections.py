"""Cross-tabulation: strata, audits, tipping points."""

import numpy as np
import pandas as pd
import pytest

from declinethemes.errors import InputError
from declinethemes.findings import crosstab
from declinethemes.stats.audit import tipping_recall

UCB = {"A": (512, 313, 89, 19), "B": (353, 207, 17, 8), "C": (120, 205, 202, 391), "D": (138, 279, 131, 244),
       "E": (53, 138, 94, 299), "F": (22, 351, 24, 317)}  # fmt: skip


def berkeley():
    rows = [
        (gender, dept, admitted)
        for dept, counts in UCB.items()
        for (gender, admitted), n in zip([("man", 1), ("man", 0), ("woman", 1), ("woman", 0)], counts, strict=True)
        for _ in range(n)
    ]
    frame = pd.DataFrame(rows, columns=["gender", "dept", "admitted"]).reset_index(names="candidate_id")
    return frame[frame["admitted"] == 1][["candidate_id"]].assign(item="admitted"), frame


def test_berkeley_reverses_within_departments():
    """X / P-mem numbers of the method notes, from plain frames of candidate_id and item."""
    row = crosstab(*berkeley(), by="gender", adjust_for="dept").to_frame().set_index("level").loc["man"]
    assert row["difference"] == pytest.approx(0.1416, abs=6e-5)
    assert row["adjusted_difference"] == pytest.approx(-0.0184, abs=6e-5)
    assert row["adjusted_p"] == pytest.approx(0.227763, abs=1e-5)
    assert row["p_wy"] > 0.1
    assert row["verdict"] != "difference"
    assert "reverses within dept" in row["note"]
    assert "strata disagree" in row["note"]
    assert "4526 of 4526" in row["note"]


def test_berkeley_crude_is_a_difference_and_without_permutations_adjustment_still_counts():
    assert set(crosstab(*berkeley(), by="gender").to_frame()["verdict"]) == {"difference"}
    adjusted = crosstab(*berkeley(), by="gender", adjust_for="dept", permutations=0)
    assert set(adjusted.to_frame()["verdict"]) == {"not enough data"}


def test_an_audited_difference_that_vanishes_within_strata_is_not_called_one():
    mentions, frame = berkeley()
    looked = frame[frame["candidate_id"] % 2 == 0]
    audit = pd.DataFrame(
        {
            "subject": looked["candidate_id"].astype(str),
            "item": "admitted",
            "decision": looked["admitted"].map({1: "yes", 0: "no"}),
            "inclusion_probability": 0.5,
        }
    )
    frame, mentions = frame.astype({"candidate_id": str}), mentions.astype({"candidate_id": str})
    crude = crosstab(mentions, frame, by="gender", audit=audit).to_frame().set_index("level").loc["man"]
    within = crosstab(mentions, frame, by="gender", audit=audit, adjust_for="dept").to_frame().set_index("level")
    assert (crude["audit_state"], crude["verdict"]) == ("audited", "difference")
    assert within.loc["man", "difference"] == pytest.approx(crude["difference"])
    assert within.loc["man", "verdict"] != "difference"
    assert "reverses within dept (by tags, not corrected)" in within.loc["man", "note"]


def test_an_audited_difference_that_holds_within_strata_stays_one():
    rng = np.random.default_rng(3)
    frame, truth, _ = study()
    truth[400:] = rng.random(400) < 0.8
    tags = frame.loc[truth & (rng.random(800) < 0.9), ["candidate_id"]].assign(item="x")
    frame["site"] = np.tile(["north", "south"], 400)
    rows = rng.choice(800, 200, replace=False)
    row = crosstab(tags, frame, by="team", audit=reviews(frame, truth, rows), adjust_for="site").to_frame().iloc[0]
    assert (row["audit_state"], row["verdict"]) == ("audited", "difference")
    assert "within site" in row["note"]
    assert "not seen within" not in row["note"]


def test_what_an_audited_combination_is_beyond_its_parts_goes_by_tags_and_says_so():
    frame, truth, mentions = study()
    frame["site"] = np.tile(["north", "south"], 400)
    audit = reviews(frame, truth, np.arange(0, 800, 3))
    for given, said in ((None, False), (audit, True)):
        row = crosstab(mentions, frame, by=("team", "site"), audit=given).to_frame().iloc[0]
        assert "its two parts predict (" in row["note"]
        assert ("(by tags, not corrected)" in row["note"]) is said


def test_several_columns_are_combined_and_thin_strata_inform_nobody():
    mentions, frame = berkeley()
    frame = frame.assign(own=np.where(frame["gender"] == "man", "m", "w"))
    row = crosstab(mentions, frame, by="gender", adjust_for=["dept", "own"]).to_frame().iloc[0]
    assert "0 of 4526" in row["note"]
    assert pd.isna(row["adjusted_difference"])


def study(n=400, recall_of_a=0.5):
    """Levels a and b both say it at .4; the tagger finds some of a's and all of b's."""
    rng = np.random.default_rng(7)
    frame = pd.DataFrame({"candidate_id": [f"c{i:04d}" for i in range(2 * n)], "team": np.repeat(["a", "b"], n)})
    truth = rng.random(2 * n) < 0.4
    tag = truth & (rng.random(2 * n) < np.where(frame["team"] == "a", recall_of_a, 1))
    return frame, truth, frame.loc[tag, ["candidate_id"]].assign(item="x")


def reviews(frame, truth, rows):
    return pd.DataFrame(
        {
            "subject": frame["candidate_id"].iloc[rows].to_list(),
            "item": "x",
            "decision": np.where(truth[rows], "yes", "no"),
            "reviewer": "r1",
            "at": "2026-01-01",
            "inclusion_probability": 0.25,
        }
    )


def test_an_audit_takes_away_what_the_tagger_made_up():
    frame, truth, mentions = study()
    naive = crosstab(mentions, frame, by="team").to_frame().iloc[0]
    audited = crosstab(mentions, frame, by="team", audit=reviews(frame, truth, np.arange(0, 800, 4))).to_frame().iloc[0]
    assert naive["verdict"] == "difference"
    assert audited["audit_state"] == "audited"
    assert audited["verdict"] != "difference"
    assert audited["ci_low"] < 0 < audited["ci_high"]
    assert audited["difference"] == pytest.approx(audited["share"] - audited["rest_share"])
    assert pd.isna(audited["p_wy"])


def test_where_everybody_was_reviewed_human_codes_replace_tags():
    frame, truth, mentions = study(n=50)
    row = crosstab(mentions, frame, by="team", audit=reviews(frame, truth, np.arange(100))).to_frame().iloc[0]
    assert row["audit_state"] == "human codes"
    assert row["n_mention"] == truth[:50].sum()


def test_too_small_an_audit_leaves_the_finding_unaudited():
    frame, truth, mentions = study()
    row = crosstab(mentions, frame, by="team", audit=reviews(frame, truth, np.array([0, 1, 2, 500]))).to_frame().iloc[0]
    assert row["audit_state"] == "unaudited"
    assert "too few reviewed" in row["note"]


def test_the_latest_decision_of_a_reviewer_counts_and_ties_do_not():
    frame, truth, mentions = study(n=30)
    first = reviews(frame, truth, np.arange(60))
    turned = first.assign(decision=first["decision"].map({"yes": "no", "no": "yes"}))
    later = crosstab(mentions, frame, by="team", audit=pd.concat([turned, first.assign(at="2026-02-01")]))
    assert later.to_frame().iloc[0]["n_mention"] == truth[:30].sum()
    tied = crosstab(mentions, frame, by="team", audit=pd.concat([turned.assign(reviewer="r2")[:1], first]))
    assert tied.to_frame().iloc[0]["audit_state"] == "audited"


def test_an_audit_of_nobody_here():
    frame, truth, mentions = study(n=30)
    with pytest.raises(InputError, match="not in 'candidates': p1"):
        crosstab(mentions, frame, by="team", audit=reviews(frame, truth, np.arange(5)).assign(subject="p1"))


def test_tipping_points_where_the_recall_is_known():
    frame, _, mentions = study()
    row = crosstab(mentions, frame, by="team", recall={"x": 0.7}).to_frame().iloc[0]
    counts = [int(row[c]) for c in ("n_mention", "n", "rest_n_mention", "rest_n")]
    assert row["tipping_recall"] == pytest.approx(tipping_recall(*counts, recall=0.7))
    assert pd.isna(crosstab(mentions, frame, by="team").to_frame().iloc[0]["tipping_recall"])

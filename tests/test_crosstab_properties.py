"""Cross-tabulation: what must hold for any table, the unit of analysis, speed."""

import time

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from declinethemes.findings import crosstab


@st.composite
def tables(draw):
    n = draw(st.integers(2, 30))
    gender = draw(st.lists(st.sampled_from(["woman", "man", "other", None]), min_size=n, max_size=n))
    candidates = pd.DataFrame(
        {"candidate_id": range(n), "gender": pd.Series(gender, dtype="object"), "role": [i % 2 for i in range(n)]}
    )
    pairs = draw(
        st.lists(st.tuples(st.integers(0, n - 1), st.sampled_from(["x", "y", "z"]), st.booleans()), max_size=60)
    )
    mentions = pd.DataFrame(pairs, columns=["candidate_id", "item", "asked"]).astype(
        {"candidate_id": "int64", "item": "string"}
    )
    return mentions, candidates


def run(mentions, candidates, **options):
    return crosstab(mentions, candidates, by="gender", adjust_for="role", permutations=19, **options).to_frame()


@given(tables(), st.randoms(use_true_random=False))
@settings(deadline=None, max_examples=40)
def test_order_of_rows_changes_nothing(table, random):
    mentions, candidates = table
    orders = [random.sample(range(len(frame)), len(frame)) for frame in table]
    pd.testing.assert_frame_equal(run(mentions, candidates), run(mentions.iloc[orders[0]], candidates.iloc[orders[1]]))


@given(tables())
@settings(deadline=None, max_examples=40)
def test_saying_it_twice_changes_nothing(table):
    mentions, candidates = table
    pd.testing.assert_frame_equal(run(mentions, candidates), run(pd.concat([mentions, mentions]), candidates))


@given(tables())
@settings(deadline=None, max_examples=40)
def test_counts_and_probabilities_stay_in_range(table):
    mentions, candidates = table
    frame = run(mentions, candidates)
    assert (frame["n_mention"] <= frame["n"]).all()
    assert (frame["rest_n_mention"] <= frame["rest_n"]).fillna(True).all()
    for name in ("p_value", "p_bh", "p_wy", "adjusted_p"):
        assert frame[name].dropna().between(0, 1).all()
    assert (frame["p_bh"] >= frame["p_value"] - 1e-12).fillna(True).all()
    known = frame.dropna(subset=["ci_low"])
    assert ((known["ci_low"] <= known["difference"] + 1e-12) & (known["difference"] <= known["ci_high"] + 1e-12)).all()


@given(tables())
@settings(deadline=None, max_examples=25)
def test_counts_by_mask_and_loop(table):
    """Another road: one boolean mask per cell."""
    mentions, candidates = table
    for row in crosstab(mentions, candidates, by="gender", permutations=0).to_frame().itertuples():
        ids = candidates.loc[candidates["gender"] == row.level, "candidate_id"]
        if row.level != "not disclosed":
            speakers = mentions.loc[mentions["item"] == row.item, "candidate_id"].unique()
            assert (row.n, row.n_mention) == (len(ids), ids.isin(speakers).sum())


@pytest.mark.slow
def test_counting_utterances_rejects_a_true_null_and_counting_candidates_does_not():
    """S: 20 v 20 candidates, 15 utterances each, ICC .25, no difference: 37 % against 1.7 % (Fisher); here 500 runs."""
    rng = np.random.default_rng(1)
    candidates = pd.DataFrame({"candidate_id": range(40), "team": np.repeat(["a", "b"], 20)})
    utterances, people = 0, 0
    for _ in range(500):
        share = rng.beta(0.2 * 3, 0.8 * 3, 40)
        hits = rng.binomial(15, share)
        counts = [hits[:20].sum(), 300 - hits[:20].sum()], [hits[20:].sum(), 300 - hits[20:].sum()]
        utterances += stats.chi2_contingency(counts, correction=False).pvalue <= 0.05
        mentions = pd.DataFrame({"candidate_id": np.repeat(range(40), hits), "item": "x"})
        people += crosstab(mentions, candidates, by="team", permutations=0).to_frame()["p_value"].iloc[0] <= 0.05
    assert utterances / 500 > 0.25
    assert people / 500 < 0.08


def big(n, n_segments=5, n_items=60):
    rng = np.random.default_rng(1)
    candidates = pd.DataFrame({"candidate_id": [f"c{i:06d}" for i in range(n)]})
    for s in range(n_segments):
        candidates[f"s{s}"] = np.array(list("abcd"))[rng.integers(0, 4, n)]
    rows, columns = np.nonzero(rng.random((n, n_items)) < 0.2)
    items = np.array([f"code.{j:02d}" for j in range(n_items)])
    mentions = pd.DataFrame(
        {"candidate_id": candidates["candidate_id"].to_numpy()[rows], "item": items[columns], "stance": "negative"}
    )
    return mentions, candidates, [f"s{s}" for s in range(n_segments)]


@pytest.mark.slow
def test_100_000_candidates_without_permutations():
    mentions, candidates, by = big(100_000)
    start = time.process_time()
    assert len(crosstab(mentions, candidates, by=by, permutations=0).to_frame()) == 1200
    assert time.process_time() - start < 10


@pytest.mark.slow
def test_2_000_candidates_with_9_999_permutations():
    mentions, candidates, by = big(2_000)
    start = time.process_time()
    assert crosstab(mentions, candidates, by=by, permutations=9_999).to_frame()["p_wy"].notna().all()
    assert time.process_time() - start < 30

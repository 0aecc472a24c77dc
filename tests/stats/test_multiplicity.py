"""Benjamini-Hochberg and Westfall-Young."""

import time

import numpy as np
import pytest
from scipy import stats

from declinethemes.errors import InputError
from declinethemes.stats.multiplicity import benjamini_hochberg, westfall_young
from declinethemes.stats.proportions import exact_p

DRUG = np.array(
    [
        [0, 0, 1, 0, 0, 1, 0, 0, 0, 0],
        [0, 0, 0, 0, 0, 0, 0, 0, 0, 1],
        [0, 0, 0, 0, 0, 0, 0, 0, 1, 0],
        [0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
        [0, 1, 0, 0, 0, 0, 0, 0, 0, 0],
        [1, 0, 0, 1, 0, 1, 0, 0, 1, 0],
        [0, 0, 0, 1, 1, 0, 0, 1, 0, 1],
        [0, 1, 0, 0, 0, 0, 1, 0, 0, 0],
        [0, 0, 1, 0, 0, 0, 0, 0, 0, 1],
        [1, 0, 1, 0, 0, 0, 0, 1, 0, 0],
        [0, 1, 1, 1, 0, 1, 1, 1, 0, 1],
        [1, 1, 1, 1, 1, 1, 0, 1, 1, 0],
        [1, 0, 0, 1, 0, 1, 1, 0, 1, 0],
        [0, 1, 1, 1, 1, 0, 1, 1, 1, 1],
        [1, 0, 1, 0, 1, 1, 1, 0, 0, 1],
    ]
)
TWO_MG = np.repeat([0, 1], [10, 5])


def test_benjamini_hochberg_1995():
    """P-mem: four of fifteen at .05."""
    p = [.0001, .0004, .0019, .0095, .0201, .0278, .0298, .0344, .0459, .3240, .4262, .5719, .6528,
         .7590, 1]  # fmt: skip
    assert (benjamini_hochberg(p) <= 0.05).sum() == 4
    assert benjamini_hochberg(p) == pytest.approx(stats.false_discovery_control(p))


def test_discrete_fdr_toy():
    """P-seen (vignette of DiscreteFDR): raw Fisher p and the smallest adjusted one."""
    raw = exact_p([4, 2, 2, 14, 6, 9, 4, 0, 1], 148, [0, 0, 1, 3, 2, 1, 2, 2, 2], 132, method="fisher")
    expected = [.12476691, .49984639, 1, .01243145, .28849298, .02126871, .68723229, .22135177, .60329543]  # fmt: skip
    assert raw == pytest.approx(expected, abs=6e-9)
    assert benjamini_hochberg(raw).min() == pytest.approx(0.09570921, abs=6e-9)


def test_benjamini_hochberg_leaves_missing_ones_out_of_the_family():
    found = benjamini_hochberg([0.01, np.nan, 0.04])
    assert found[[0, 2]] == pytest.approx([0.02, 0.04])
    assert np.isnan(found[1])


def test_westfall_young_drug_all_labelings():
    """Data P-seen (SAS documentation), adjusted numbers X."""
    found = westfall_young(DRUG, TWO_MG, method="fisher")
    assert (found.complete, found.labelings) == (True, 3003)
    raw = [.2507, .2507, .1189, .0889, .0769, .0889, .0170, .2507, .2507, .3287]  # fmt: skip
    adjusted = [.7136, .7136, .4739, .3024, .2651, .3024, .0939, .7136, .7136, .7136]  # fmt: skip
    assert found.raw[0] == pytest.approx(raw, abs=6e-5)
    assert found.adjusted[0] == pytest.approx(adjusted, abs=6e-5)


def test_copies_of_one_item_cost_nothing():
    """X."""
    found = westfall_young(np.repeat(DRUG[:, :1], 6, axis=1), TWO_MG, method="fisher")
    assert found.adjusted == pytest.approx(np.full((1, 6), 0.250749), abs=6e-7)
    assert found.adjusted == pytest.approx(found.raw)


def test_drawn_labelings_come_close_to_all_of_them():
    drawn = westfall_young(DRUG, TWO_MG, method="fisher", permutations=2_999)
    every = westfall_young(DRUG, TWO_MG, method="fisher")
    assert not drawn.complete
    assert drawn.adjusted == pytest.approx(every.adjusted, abs=0.03)


def test_step_down_by_a_plain_loop():
    """Another road: SciPy's Fisher p for every labeling, minima in a loop."""
    rng = np.random.default_rng(5)
    items, groups = rng.random((9, 4)) < 0.5, np.repeat([0, 1], [6, 3])
    from itertools import combinations

    def p_of(labels):
        tables = [
            [[(col & labels).sum(), (~col & labels).sum()], [(col & ~labels).sum(), (~col & ~labels).sum()]]
            for col in items.T
        ]
        return np.array([stats.fisher_exact(t).pvalue for t in tables])

    observed = p_of(groups == 1)
    order = np.argsort(observed, kind="stable")
    hits = np.zeros(4)
    for chosen in combinations(range(9), 3):
        p = p_of(np.isin(np.arange(9), chosen))
        for place in range(4):
            hits[place] += p[order[place:]].min() <= observed[order[place]] * (1 + 1e-9)
    expected = np.empty(4)
    expected[order] = np.maximum.accumulate(hits / 84)
    assert westfall_young(items, groups, method="fisher").adjusted[0] == pytest.approx(expected)


def test_both_levels_of_two_get_the_same_p():
    found = westfall_young(DRUG, TWO_MG, levels=(0, 1))
    assert found.adjusted[0] == pytest.approx(found.adjusted[1])


def test_within_strata_a_confounded_difference_vanishes():
    """All of the group's higher share comes from its stratum."""
    strata = np.repeat([0, 1], 60)
    groups = np.r_[np.repeat([1, 0], [50, 10]), np.repeat([1, 0], [10, 50])]
    item = np.r_[np.tile([1, 1, 1, 1, 0], 12), np.tile([1, 0, 0, 0, 0], 12)][:, None]
    crude = westfall_young(item, groups, permutations=999)
    inside = westfall_young(item, groups, strata=strata, permutations=999)
    assert crude.adjusted[0, 0] < 0.01
    assert inside.adjusted[0, 0] > 0.5


def test_the_seed_decides_and_nothing_else_does():
    rng = np.random.default_rng(0)
    items, groups = rng.random((80, 5)) < 0.3, rng.integers(0, 3, 80)
    runs = [
        westfall_young(items, groups, levels=(0, 1, 2), permutations=199, random_state=seed).adjusted
        for seed in (1, 1, 2)
    ]
    assert np.array_equal(runs[0], runs[1])
    assert not np.array_equal(runs[0], runs[2])


def test_shapes_that_do_not_fit():
    with pytest.raises(InputError, match="one label per row"):
        westfall_young(DRUG, TWO_MG[:-1])


@pytest.mark.slow
def test_family_wise_error_is_kept_where_raw_p_fails():
    """S: 30 correlated items, 100 candidates, group of 12, no difference: .058 and .418 in 400 runs; here 300."""
    rng = np.random.default_rng(0)
    raw, adjusted = 0, 0
    for run in range(300):
        talk = rng.normal(0, 0.7, (100, 1))
        items = rng.random((100, 30)) < 1 / (1 + np.exp(-(talk + rng.normal(-1.2, 0.6, 30))))
        found = westfall_young(items, np.repeat([1, 0], [12, 88]), permutations=499, random_state=run)
        raw += found.raw.min() <= 0.05
        adjusted += found.adjusted.min() <= 0.05
    assert raw / 300 > 0.25
    assert adjusted / 300 <= 0.05 + 3 * 0.0126


@pytest.mark.slow
def test_2_000_candidates_60_items_9_999_permutations_take_seconds():
    rng = np.random.default_rng(0)
    items, groups = rng.random((2000, 60)) < 0.2, rng.integers(0, 4, 2000)
    start = time.perf_counter()
    westfall_young(items, groups, levels=(0, 1, 2, 3), permutations=9_999)
    assert time.perf_counter() - start < 15

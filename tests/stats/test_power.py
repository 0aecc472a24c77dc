"""Power and the minimum detectable gap."""

import time

import numpy as np
import pytest
from scipy import stats

from declinethemes.stats.power import minimum_detectable_gap, power
from declinethemes.stats.proportions import exact_p


def test_exact_fisher_power():
    """P-seen / X."""
    assert power(20, 20, 0.5, 0.9, method="fisher") == pytest.approx(0.742389, abs=6e-7)


def test_power_by_listing_all_tables():
    x1, x2 = np.meshgrid(np.arange(13), np.arange(31), indexing="ij")
    weight = stats.binom.pmf(x1, 12, 0.6) * stats.binom.pmf(x2, 30, 0.2)
    reject = exact_p(x1, 12, x2, 30) <= 0.05
    assert power(12, 30, 0.6, 0.2) == pytest.approx(weight[reject].sum(), abs=1e-12)
    upwards = reject & (x1 * 30 > x2 * 12)
    assert power(12, 30, 0.6, 0.2, upwards=True) == pytest.approx(weight[upwards].sum(), abs=1e-12)


@pytest.mark.parametrize(
    ("n1", "n2", "at_10", "at_30"),
    [(5, 25, 0.62, 0.63), (10, 90, 0.40, 0.46), (20, 180, 0.26, 0.33), (60, 240, 0.16, 0.20)],
)
def test_gap_table_of_the_method_notes(n1, n2, at_10, at_30):
    """S: Fisher, in whole points."""
    found = minimum_detectable_gap(n1, n2, [0.1, 0.3], method="fisher")
    assert found == pytest.approx([at_10, at_30], abs=0.01)


def test_mid_p_finds_smaller_gaps_than_fisher():
    both = [minimum_detectable_gap(10, 90, 0.1, method=method) for method in ("midp", "fisher")]
    assert both[0] < both[1]


def test_the_gap_has_the_power_and_a_smaller_one_has_not():
    gap = float(minimum_detectable_gap(24, 61, 0.15))
    assert power(24, 61, 0.15 + gap, 0.15, upwards=True) >= 0.8
    assert power(24, 61, 0.15 + gap - 0.002, 0.15, upwards=True) < 0.8


def test_missing_where_nothing_would_be_found():
    assert np.isnan(minimum_detectable_gap([2, 0, 10], [3, 10, 90], [0.3, 0.3, 1.0])).all()


def test_the_approximations_join_the_exact_values():
    at_limit = minimum_detectable_gap([60, 60, 61, 300], [540, 600, 560, 300], 0.2)
    assert at_limit == pytest.approx([at_limit[0]] * 3 + [0.1], rel=0.1, abs=0.01)


def test_forty_findings_of_100_000_candidates_are_fast():
    start = time.perf_counter()
    found = minimum_detectable_gap(
        [5, 1000, 50_000, 200] * 10, [99_995, 99_000, 50_000, 300] * 10, np.linspace(0, 0.9, 40)
    )
    assert not np.isnan(found[1])
    assert time.perf_counter() - start < 2

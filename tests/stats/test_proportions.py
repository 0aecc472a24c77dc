"""Intervals and exact tests against published tables, enumeration and SciPy. Evidence tags as in the method notes."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from declinethemes.errors import SettingsError
from declinethemes.stats.proportions import exact_p, freeman_halton, interaction, newcombe, rate_ratio, wilson


@pytest.mark.parametrize(
    ("x", "n", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_wilson_newcombe_1998_single(x, n, low, high):
    """P-mem."""
    assert wilson(x, n) == pytest.approx((low, high), abs=6e-5)


@pytest.mark.parametrize(
    ("table", "low", "high"),
    [
        ((56, 70, 48, 80), 0.0524, 0.3339),
        ((9, 10, 3, 10), 0.1705, 0.8090),
        ((6, 7, 2, 7), 0.0582, 0.8062),
        ((5, 56, 0, 29), -0.0381, 0.1926),
        ((0, 10, 0, 20), -0.1611, 0.2775),
        ((0, 10, 0, 10), -0.2775, 0.2775),
        ((10, 10, 0, 20), 0.6791, 1.0),
        ((10, 10, 0, 10), 0.6075, 1.0),
        ((7, 34, 1, 34), 0.0189, 0.3404),
    ],
)
def test_newcombe_table_ii(table, low, high):
    """P-mem (Newcombe 1998, table II); the last, Perondi in Fagerland 2015, is P-seen."""
    assert newcombe(*table) == pytest.approx((low, high), abs=6e-5)


def test_newcombe_90_examples_of_the_verdicts():
    assert newcombe(90, 300, 84, 300, level=0.9) == pytest.approx((-0.041, 0.081), abs=6e-4)
    assert newcombe(3, 10, 8, 28, level=0.9) == pytest.approx((-0.218, 0.298), abs=6e-4)


def test_connecticut_v_teal():
    """Counts P-seen, p X."""
    assert exact_p(26, 48, 206, 259, method="fisher") == pytest.approx(0.000404, abs=6e-7)
    assert newcombe(26, 48, 206, 259) == pytest.approx((-0.399, -0.111), abs=6e-4)


def test_fisher_twins():
    """P-mem (R)."""
    assert exact_p(2, 17, 10, 13, method="fisher") == pytest.approx(0.0005367, abs=6e-8)


def test_perondi_mid_p_counts_half_of_all_ties():
    """X."""
    assert exact_p(7, 34, 1, 34, method="fisher") == pytest.approx(0.0544, abs=6e-5)
    assert exact_p(7, 34, 1, 34) == pytest.approx(0.0297, abs=6e-5)


@given(st.integers(0, 30), st.integers(0, 30), st.integers(0, 30), st.integers(0, 30))
@settings(deadline=None)
def test_fisher_agrees_with_scipy_and_mid_p_is_smaller(a, b, c, d):
    expected = stats.fisher_exact([[a, b], [c, d]]).pvalue
    ours = exact_p(a, a + b, c, c + d, method="fisher")
    assert ours == pytest.approx(expected, rel=1e-6)
    assert 0 < exact_p(a, a + b, c, c + d) <= ours + 1e-12


def test_exact_p_at_100_000_candidates_agrees_with_scipy():
    ours = exact_p([5200, 5000], 25000, 15000, 75000, method="fisher")
    theirs = stats.fisher_exact([[5200, 19800], [15000, 60000]]).pvalue
    assert ours[0] == pytest.approx(theirs, rel=1e-5)
    assert ours[1] == pytest.approx(1.0)


def test_exact_p_far_out_in_the_tail_is_positive_and_tiny():
    assert 0 < exact_p(20000, 25000, 0, 75000) < 1e-300


def test_mid_p_keeps_close_to_its_size_where_fisher_is_conservative():
    """X: size by enumeration; the method notes give .028-.052 against .012-.038."""
    n1, n2, share = 12, 40, 0.3
    x1, x2 = np.meshgrid(np.arange(n1 + 1), np.arange(n2 + 1), indexing="ij")
    weight = stats.binom.pmf(x1, n1, share) * stats.binom.pmf(x2, n2, share)
    mid = weight[exact_p(x1, n1, x2, n2) <= 0.05].sum()
    fisher = weight[exact_p(x1, n1, x2, n2, method="fisher") <= 0.05].sum()
    assert fisher < mid < 0.055
    assert mid > 0.028


def test_newcombe_coverage_by_enumeration():
    """X: 10/90 at .3/.3 covers .952."""
    x1, x2 = np.meshgrid(np.arange(11), np.arange(91), indexing="ij")
    weight = stats.binom.pmf(x1, 10, 0.3) * stats.binom.pmf(x2, 90, 0.3)
    low, high = newcombe(x1, 10, x2, 90)
    assert weight[(low <= 0) & (high >= 0)].sum() == pytest.approx(0.952, abs=6e-4)


def test_rate_ratio_point():
    """P-mem (scipy documentation)."""
    assert rate_ratio(27, 122, 44, 487)[0] == pytest.approx(2.4495, abs=6e-5)


@pytest.mark.parametrize(("x1", "n1", "x2", "n2"), [(27, 122, 44, 487), (9, 10, 3, 10), (1, 10, 3, 20), (2, 5, 30, 95)])
def test_koopman_limits_solve_the_score_equation(x1, n1, x2, n2):
    """Another road: at each limit the statistic is 1.96 squared, at shares found by maximising the likelihood."""
    from scipy.optimize import minimize_scalar

    _, low, high = rate_ratio(x1, n1, x2, n2)
    for ratio in (float(low), float(high)):

        def loss(p2, ratio=ratio):
            p1 = ratio * p2
            return -(stats.binom.logpmf(x1, n1, p1) + stats.binom.logpmf(x2, n2, p2))

        p2 = minimize_scalar(
            loss, bounds=(1e-9, min(1, 1 / ratio) - 1e-9), method="bounded", options={"xatol": 1e-12}
        ).x
        p1 = ratio * p2
        score = (x1 / n1 - ratio * x2 / n2) ** 2 / (p1 * (1 - p1) / n1 + ratio**2 * p2 * (1 - p2) / n2)
        assert score == pytest.approx(1.959964**2, rel=1e-3)


def test_koopman_with_empty_cells():
    ratio, low, high = rate_ratio([3, 0, 0], [10, 10, 10], [0, 3, 0], [20, 20, 20])
    assert np.isinf(high[0])
    assert low[0] == pytest.approx(1.705, abs=1e-3)
    assert low[1] == ratio[1] == 0
    assert np.isnan([ratio[2], low[2], high[2]]).all()


def test_freeman_halton_exact():
    """X."""
    p, method = freeman_halton([[3, 7], [0, 12], [6, 4]])
    assert method == "exact"
    assert p == pytest.approx(0.0042055, abs=6e-8)


def test_freeman_halton_two_rows_is_fisher():
    assert freeman_halton([[2, 15], [10, 3]])[0] == pytest.approx(0.0005367, abs=6e-8)


def test_freeman_halton_job_satisfaction_by_monte_carlo():
    """P-mem: R's Job table, .7827; three standard errors of 99,999 draws."""
    p, method = freeman_halton([[1, 2, 1, 0], [3, 3, 6, 1], [10, 10, 14, 9], [6, 7, 12, 11]], draws=99_999)
    assert method == "Monte Carlo"
    assert p == pytest.approx(0.7827, abs=0.004)


def test_freeman_halton_large_counts_is_chi_squared():
    table = np.array([[300, 700], [350, 700], [280, 720]]) * 10
    p, method = freeman_halton(table)
    assert method == "chi-squared"
    assert p == pytest.approx(stats.chi2_contingency(table, correction=False).pvalue)


def test_freeman_halton_without_variation():
    assert freeman_halton([[0, 5], [0, 7]]) == (1.0, "none")


def test_interaction_is_zero_on_additive_shares_and_its_interval_covers():
    estimate, low, high = interaction([50, 40, 30, 20], [100, 100, 100, 100])
    assert estimate == pytest.approx(0)
    assert low < 0 < high
    estimate, low, _ = interaction([90, 30, 30, 20], [100, 100, 100, 100])
    assert estimate == pytest.approx(0.5)
    assert low > 0


def test_empty_sides_are_missing():
    assert np.isnan(wilson(0, 0)).all()
    assert np.isnan(newcombe(0, 0, 3, 10)).all()


def test_unknown_method_and_level():
    with pytest.raises(SettingsError, match="fisher"):
        exact_p(1, 2, 1, 2, method="fischer")
    with pytest.raises(SettingsError, match="between 0 and 1"):
        wilson(1, 2, level=95)

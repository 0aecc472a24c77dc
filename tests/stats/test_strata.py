"""Comparisons within strata, against R's and published numbers."""

import numpy as np
import pytest

from declinethemes.errors import InputError
from declinethemes.stats import strata

UCB = np.array(
    [
        [[512, 313], [89, 19]],
        [[353, 207], [17, 8]],
        [[120, 205], [202, 391]],
        [[138, 279], [131, 244]],
        [[53, 138], [94, 299]],
        [[22, 351], [24, 317]],
    ]
)
# R's Rabbits: penicillin level by cured / died, injected none / 1.5 h late.
RABBITS = np.array([[[0, 6], [0, 5]], [[3, 3], [0, 6]], [[6, 0], [2, 4]], [[5, 1], [6, 0]], [[2, 0], [5, 0]]])


def test_mantel_haenszel_odds_ratio():
    """P-mem (R mantelhaen.test)."""
    found = strata.mantel_haenszel_odds_ratio(UCB)
    assert found == pytest.approx((0.9046968, 0.7719074, 1.0603298), abs=6e-8)


def test_difference_reverses():
    """X."""
    pooled = UCB.sum(axis=0)
    shares = pooled[:, 0] / pooled.sum(axis=1)
    assert shares[0] - shares[1] == pytest.approx(0.1416, abs=6e-5)
    assert strata.mantel_haenszel_difference(UCB) == pytest.approx(-0.0184, abs=6e-5)


def test_cmh_with_and_without_correction():
    """P-mem / X."""
    assert strata.cmh(UCB, correction=True) == pytest.approx((1.426946, 0.232263), abs=6e-7)
    assert strata.cmh(UCB) == pytest.approx((1.524607, 0.216924), abs=6e-7)


def test_breslow_day_and_tarone():
    """X."""
    statistic, p = strata.breslow_day(UCB)
    assert (statistic, p) == (pytest.approx(18.82551, abs=6e-6), pytest.approx(0.0020714, abs=6e-8))
    assert strata.breslow_day(UCB, tarone=True)[0] == pytest.approx(18.82550, abs=6e-6)


def test_without_department_a():
    """X."""
    rest = UCB[1:]
    assert strata.mantel_haenszel_odds_ratio(rest)[0] == pytest.approx(1.0310, abs=6e-5)
    assert strata.cmh(rest)[1] == pytest.approx(0.7237, abs=6e-5)
    assert strata.breslow_day(rest)[1] == pytest.approx(0.6342, abs=6e-5)


def test_exact_conditional():
    """X."""
    assert strata.exact_cmh(UCB) == pytest.approx(0.227763, abs=6e-7)


def test_rabbits():
    """P-seen (.047 / .040 / .020)."""
    assert strata.cmh(RABBITS, correction=True)[1] == pytest.approx(0.047472, abs=6e-7)
    assert strata.exact_cmh(RABBITS) == pytest.approx(0.039945, abs=6e-7)
    assert strata.exact_cmh_greater(RABBITS) == pytest.approx(0.019973, abs=6e-7)


def test_against_statsmodels():
    from statsmodels.stats.contingency_tables import StratifiedTable

    rng = np.random.default_rng(3)
    tables = rng.integers(1, 30, (4, 2, 2))
    theirs = StratifiedTable([t.astype(float) for t in tables])
    assert strata.mantel_haenszel_odds_ratio(tables)[0] == pytest.approx(theirs.oddsratio_pooled)
    assert strata.cmh(tables)[1] == pytest.approx(theirs.test_null_odds(correction=False).pvalue)
    assert strata.breslow_day(tables)[1] == pytest.approx(theirs.test_equal_odds().pvalue)
    assert strata.breslow_day(tables, tarone=True)[1] == pytest.approx(theirs.test_equal_odds(adjust=True).pvalue)


def test_leading_axes_are_separate_comparisons():
    both = np.stack([UCB, UCB[:, ::-1]])
    found = strata.mantel_haenszel_difference(both)
    assert found[0] == -found[1]
    assert strata.cmh(both)[1][0] == pytest.approx(strata.cmh(UCB)[1])


def test_strata_with_an_empty_margin_do_not_inform():
    empty = np.array([[[0, 5], [0, 7]], [[0, 0], [3, 4]]])
    assert strata.n_informative(np.concatenate([UCB, empty])) == UCB.sum()
    assert strata.exact_cmh(empty) == 1.0
    assert strata.cmh(empty) == (0, 1)
    assert np.isnan(strata.breslow_day(empty)[1])


def test_wrong_shape():
    with pytest.raises(InputError, match="n_strata, 2, 2"):
        strata.cmh([[1, 2], [3, 4]])

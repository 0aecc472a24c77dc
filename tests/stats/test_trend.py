"""Trend across batches."""

import pytest

from declinethemes.errors import InputError
from declinethemes.stats.trend import cochran_armitage, permutation_trend


def test_smokers():
    """P-mem (R prop.trend.test; variance over N, not N - 1)."""
    statistic, p = cochran_armitage([83, 90, 129, 70], [86, 93, 136, 82])
    assert statistic == pytest.approx(8.2249, abs=6e-5)
    assert p == pytest.approx(0.004132, abs=6e-7)


def test_infant_malformation():
    """P-mem (Agresti)."""
    statistic, p = cochran_armitage([48, 38, 5, 1, 1], [17114, 14502, 793, 127, 38], [0, 0.5, 1.5, 4, 7])
    assert statistic == pytest.approx(6.570, abs=6e-4)
    assert p == pytest.approx(0.0104, abs=6e-5)


def test_permutation_comes_close_to_the_exact_p():
    """Another road: two batches make it Fisher's test by distance from the mean; 1/10 v 8/10 is .00548 exactly."""
    assert permutation_trend([1, 8], [10, 10], draws=99_999) == pytest.approx(0.00548, abs=0.0008)


def test_no_variation_is_no_trend():
    assert cochran_armitage([0, 0, 0], [5, 6, 7]) == (0.0, 1.0)
    assert permutation_trend([5, 6, 7], [5, 6, 7], draws=99) == 1.0


def test_impossible_counts():
    with pytest.raises(InputError, match="0 <= count <= size"):
        cochran_armitage([6, 1], [5, 5])
    with pytest.raises(InputError, match="one count, size and score"):
        cochran_armitage([6, 1], [5, 5, 5])

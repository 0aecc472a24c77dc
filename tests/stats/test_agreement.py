"""Agreement of coders."""

import krippendorff
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from declinethemes.errors import InputError
from declinethemes.stats.agreement import cohen_kappa, gwet_ac1, krippendorff_alpha, positive_agreement, raw_agreement

_ = np.nan
FOUR_OBSERVERS = np.array(
    [
        [1, 2, 3, 3, 2, 1, 4, 1, 2, _, _, _],
        [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, _, 3],
        [_, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, _],
        [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, _],
    ]
)


def test_four_observers_twelve_units():
    """P-mem (.743)."""
    assert krippendorff_alpha(FOUR_OBSERVERS.T) == pytest.approx(0.743421, abs=6e-7)


def test_two_observers_binary():
    """P-mem (.095)."""
    pair = [[int(v) for v in text] for text in ("0100000010", "1110010000")]
    assert krippendorff_alpha(np.transpose(pair)) == pytest.approx(0.0952, abs=6e-5)


@given(st.lists(st.lists(st.sampled_from([0.0, 1.0, 2.0, np.nan]), min_size=3, max_size=3), min_size=2, max_size=15))
@settings(deadline=None)
def test_alpha_against_the_oracle(rows):
    ratings = np.array(rows)
    pairable = ratings[(~np.isnan(ratings)).sum(axis=1) > 1]
    if len(np.unique(pairable[~np.isnan(pairable)])) < 2:
        assert np.isnan(krippendorff_alpha(ratings))
        return
    expected = krippendorff.alpha(pairable.T, level_of_measurement="nominal")
    assert krippendorff_alpha(ratings) == pytest.approx(expected, abs=1e-9)


def test_kappa_paradox():
    """P-mem (Gwet, Feinstein): coders agree, kappa does not see it."""
    table = [[118, 5], [2, 0]]
    assert gwet_ac1(table) == pytest.approx(0.940776, abs=6e-7)
    assert cohen_kappa(table) == pytest.approx(-0.023392, abs=6e-7)
    assert raw_agreement(table) == pytest.approx(118 / 125)


def test_cohen():
    """P-mem."""
    assert cohen_kappa([[20, 5], [10, 15]]) == pytest.approx(0.4)
    assert gwet_ac1([[20, 5], [10, 15]]) == pytest.approx(0.4059, abs=6e-5)


def test_positive_agreement():
    assert positive_agreement([[20, 5], [10, 15]]) == pytest.approx(30 / 45)
    assert np.isnan(positive_agreement([[20, 0], [0, 0]]))


def test_wrong_shapes():
    with pytest.raises(InputError, match="square"):
        cohen_kappa([[1, 2, 3], [1, 2, 3]])
    with pytest.raises(InputError, match="n_units"):
        krippendorff_alpha([0, 1, 1])

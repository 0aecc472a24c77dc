"""Audit corrections and tipping points, with the simulations that decide for them."""

import numpy as np
import pytest

from declinethemes.errors import InputError
from declinethemes.stats.audit import Audit, audited_difference, effective_counts, rogan_gladen, tipping_recall
from declinethemes.stats.proportions import exact_p, newcombe


def test_rogan_gladen():
    """X."""
    assert rogan_gladen(0.30, 0.90, 0.95) == pytest.approx(0.294118, abs=6e-7)


def test_a_perfect_tagger_fully_reviewed_gives_the_counts_back():
    group = Audit(candidates=[140, 60], reviewed=[140, 60], positive=[0, 60])
    rest = Audit(candidates=[480, 120], reviewed=[480, 120], positive=[0, 120])
    found = audited_difference(group, rest)
    assert found.difference == pytest.approx(0.10, abs=0.005)
    assert (found.low, found.high) == pytest.approx(newcombe(60, 200, 120, 600), abs=0.01)


def test_a_tagger_that_misses_more_in_one_group_is_corrected():
    """Both groups say it at .30; the tagger finds half of the group's and all of the rest's."""
    group = Audit(candidates=[850, 150], reviewed=[340, 60], positive=[60, 60])
    rest = Audit(candidates=[700, 300], reviewed=[280, 120], positive=[0, 120])
    found = audited_difference(group, rest)
    assert exact_p(150, 1000, 300, 1000) < 1e-10
    assert found.low < 0 < found.high
    assert found.p_value > 0.2


def test_an_unreviewed_cell_makes_the_interval_wide():
    known = Audit(candidates=[70, 30], reviewed=[20, 20], positive=[1, 18])
    blind = Audit(candidates=[70, 30], reviewed=[0, 0], positive=[0, 0])
    assert audited_difference(blind, known).high - audited_difference(blind, known).low > 0.9


def test_impossible_counts():
    with pytest.raises(InputError, match="positive <= reviewed"):
        audited_difference(
            Audit(candidates=[5, 5], reviewed=[5, 5], positive=[6, 0]),
            Audit(candidates=[5, 5], reviewed=[0, 0], positive=[0, 0]),
        )


def test_equal_weights_are_plain_counts():
    assert effective_counts([4, 4, 4, 4], [1, 0, 1, 1]) == pytest.approx((4, 3))
    assert effective_counts([], []) == (0, 0)
    assert effective_counts([1, 1, 10], [0, 0, 1])[0] < 3


@pytest.mark.parametrize(("x1", "n1", "x2", "n2"), [(60, 200, 90, 600), (30, 200, 180, 600)])
def test_at_the_tipping_point_the_interval_touches_zero(x1, n1, x2, n2):
    recall = 0.6
    gap = tipping_recall(x1, n1, x2, n2, recall=recall)
    share, rest = x1 / n1 / (recall + gap), x2 / n2 / recall
    limits = newcombe(share * n1, n1, rest * n2, n2)
    assert min(abs(float(limit)) for limit in limits) == pytest.approx(0, abs=1e-6)
    assert np.sign(gap) == np.sign(x1 / n1 - x2 / n2)


def test_no_tipping_point():
    assert np.isnan(tipping_recall(10, 100, 10, 100, recall=0.8))
    assert np.isnan(tipping_recall(95, 100, 5, 100, recall=0.8))
    with pytest.raises(InputError, match="recall"):
        tipping_recall(1, 10, 5, 10, recall=0)


def _simulate(rng, *, sizes, share, recall, false, audit):
    sides = []
    for n, p, se, fp in zip(sizes, share, recall, false, strict=True):
        truth = rng.random(n) < p
        tag = rng.random(n) < np.where(truth, se, fp)
        looked = np.zeros(n, dtype=bool)
        looked[rng.choice(n, audit, replace=False)] = True
        cells = [
            [int((tag == t).sum()), int((looked & (tag == t)).sum()), int((looked & truth & (tag == t)).sum())]
            for t in (False, True)
        ]
        columns = list(zip(*cells, strict=True))
        sides.append((int(tag.sum()), Audit(candidates=columns[0], reviewed=columns[1], positive=columns[2])))
    return sides


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "sizes", "share", "recall", "false"),
    [
        ("S1", (200, 600), 0.30, (0.6, 0.9), (0.10, 0.03)),
        ("S2", (800, 1200), 0.30, (0.6, 0.9), (0.10, 0.03)),
        ("S4", (200, 600), 0.05, (0.6, 0.9), (0.03, 0.01)),
    ],
)
def test_coverage_of_the_audit_and_failure_without_it(name, sizes, share, recall, false):
    """S: no true difference, 50 reviewed a side, 2,000 runs (standard error .005)."""
    rng = np.random.default_rng(20)
    covered, naive, rejected = 0, 0, 0
    for run in range(2000):
        (x1, one), (x2, two) = _simulate(rng, sizes=sizes, share=(share, share), recall=recall, false=false, audit=50)
        found = audited_difference(one, two, draws=2_000, random_state=run)
        covered += found.low <= 0 <= found.high
        low, high = newcombe(x1, sizes[0], x2, sizes[1])
        naive += bool(low <= 0 <= high)
        rejected += bool(exact_p(x1, sizes[0], x2, sizes[1]) <= 0.05)
    assert 0.935 <= covered / 2000 <= 0.985
    if name == "S2":
        assert naive / 2000 < 0.60
        assert rejected / 2000 > 0.40

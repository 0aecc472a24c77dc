"""What may be shown: small cells, cells that give them away, quotes."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from declinethemes.disclosure import may_quote, protect, scrub_quote
from declinethemes.errors import SettingsError
from declinethemes.findings import crosstab
from declinethemes.schema import TABLES
from declinethemes.stats.thresholds import is_protected

TEXTS = ("segment", "level", "item", "kind", "audit_state", "verdict", "suppressed", "note")
NUMBERS = [name for name in TABLES["findings"].columns if name not in TEXTS]


def findings(counts, item="x"):
    """Findings of one segment, from {level: (n_mention, n)}."""
    level = np.repeat(list(counts), [n for _, n in counts.values()])
    spoke = np.concatenate([np.arange(n) < k for k, n in counts.values()])
    people = pd.DataFrame({"candidate_id": range(len(level)), "team": level})
    return crosstab(
        people.loc[spoke, ["candidate_id"]].assign(item=item), people, by="team", permutations=19
    ).to_frame()


def verdicts(frame):
    return dict(zip(frame["level"], frame["verdict"] == "protected", strict=True))


def test_a_small_group_vanishes_with_every_number():
    shown = protect(findings({"a": (3, 4), "b": (10, 30), "c": (10, 40)}))
    row = shown[shown["level"] == "a"].iloc[0]
    assert row[NUMBERS].isna().all()
    assert (row["verdict"], row["suppressed"]) == ("protected", True)
    assert not any(character.isdigit() for character in row["note"])


def test_what_is_large_enough_stays_as_it_is():
    full = findings({"a": (5, 20), "b": (10, 30), "c": (10, 40)})
    pd.testing.assert_frame_equal(protect(full), full)


def test_the_smallest_other_level_goes_with_a_single_hidden_one():
    assert verdicts(protect(findings({"a": (3, 4), "b": (10, 40), "c": (10, 30)}))) == {
        "a": True,
        "b": False,
        "c": True,
    }


def test_two_levels_go_together():
    assert verdicts(protect(findings({"a": (3, 4), "b": (10, 40)}))) == {"a": True, "b": True}


def test_few_mentions_are_hidden_in_small_groups_and_for_sensitive_items():
    assert verdicts(protect(findings({"a": (2, 9), "b": (10, 40), "c": (10, 50)})))["a"]
    assert not verdicts(protect(findings({"a": (2, 10), "b": (10, 40), "c": (10, 50)})))["a"]
    assert verdicts(protect(findings({"a": (2, 10), "b": (10, 40), "c": (10, 50)}), sensitive={"x"}))["a"]


def test_no_mentions_are_not_hidden():
    assert not verdicts(protect(findings({"a": (0, 8), "b": (10, 40), "c": (10, 50)})))["a"]


@pytest.mark.parametrize(
    ("counts", "hidden"),
    [
        ((3, 4, 9, 30), True),
        ((9, 30, 3, 4), True),
        ((2, 9, 9, 30), True),
        ((9, 30, 1, 9), True),
        ((9, 30, 9, 30), False),
        ((0, 0, 9, 30), False),
    ],
)
def test_both_sides_are_looked_at(counts, hidden):
    assert is_protected(*counts) == hidden


def test_suppressed_of_crosstab_is_what_protect_hides():
    full = findings({"a": (3, 4), "b": (10, 40), "c": (10, 30), "d": (1, 8)})
    assert full["suppressed"].tolist() == protect(full)["suppressed"].tolist()


@given(st.dictionaries(st.sampled_from(list("abcdef")), st.tuples(st.integers(0, 12), st.integers(0, 30)), min_size=2))
@settings(deadline=None, max_examples=60)
def test_no_hidden_level_is_the_total_minus_the_others(counts):
    counts = {level: (k, k + n) for level, (k, n) in counts.items() if k + n}
    if len(counts) < 2:
        return
    shown = verdicts(protect(findings(counts)))
    assert sum(shown.values()) != 1


@given(st.dictionaries(st.sampled_from(list("abcd")), st.tuples(st.integers(0, 12), st.integers(1, 30)), min_size=2))
@settings(deadline=None, max_examples=40)
def test_protecting_twice_changes_nothing(counts):
    once = protect(findings({level: (k, k + n) for level, (k, n) in counts.items()}))
    pd.testing.assert_frame_equal(protect(once), once)


def test_everybody_of_a_small_group_is_flagged():
    shown = protect(findings({"a": (7, 7), "b": (10, 40), "c": (10, 50)})).set_index("level")
    assert "everybody of a small group" in shown.loc["a", "note"]


def test_impossible_threshold():
    with pytest.raises(SettingsError, match="1 or more"):
        protect(findings({"a": (5, 20), "b": (10, 30)}), min_n=0)


def test_quotes_need_ten_and_three():
    assert may_quote(10, 3)
    assert not may_quote(9, 3)
    assert not may_quote(10, 2)


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("They offered $120,000 and I wanted 130k.", "They offered [amount] and I wanted [amount]."),
        ("It was GBP 45,000 a year, or €50k elsewhere.", "It was [amount] a year, or [amount] elsewhere."),
        ("about one hundred and twenty thousand euros", "about [amount]"),
        ("It was 15% higher, twenty percent with shares.", "It was [number] higher, [number] with shares."),
        ("On Tuesday the 12th of March I heard back.", "On [date] I heard back."),
        ("since 2026-03-12, and again on 12/04/2026", "since [date], and again on [date]"),
        ("The call was at 10:30am with five people.", "The call was at [number] with [number] people."),
        ("I joined Acme Labs. The panel was rude.", "I joined [company]. The panel was rude."),
        ("The offer from Initech came first.", "The offer from [company] came first."),
        ("Globex Systems Ltd was faster.", "[company] was faster."),
        ("Write to me@example.org or https://example.org/x", "Write to [e-mail] or [link]"),
    ],
)
def test_quotes_lose_numbers_money_dates_and_companies(said, shown):
    assert scrub_quote(said) == shown


@pytest.mark.parametrize(
    "text",
    [
        "No one told me one thing, and I may march on.",
        "[person 2] was kind; I was second to none.",
        "The panel joined late.",
    ],
)
def test_plain_words_and_pseudonyms_stay(text):
    assert scrub_quote(text) == text


@given(st.text(alphabet="abc 0123456789.,$€£%k\n", max_size=60))
@settings(deadline=None)
def test_no_freestanding_figure_is_left(text):
    assert not any(word.strip(".,").isdigit() for word in scrub_quote(text).split())


def test_the_level_that_goes_with_a_small_one_is_the_same_for_every_item():
    people = pd.DataFrame({"candidate_id": range(78), "team": ["a"] * 30 + ["b"] * 25 + ["c"] * 20 + ["d"] * 3})
    # "two" is sensitive and one person of b mentions it: b is hidden there beside d: c need not be.
    said = [(i, "one") for i in range(0, 78, 2)] + [(i, "two") for i in [*range(10), 30, *range(55, 60)]]
    found = crosstab(pd.DataFrame(said, columns=["candidate_id", "item"]), people, by="team").to_frame()
    shown = protect(found, sensitive={"two"}).set_index(["level", "item"])
    # With c shown for "two", its n and that of b (shown for "one") would give the n of d.
    assert shown.loc[("b", "two"), "suppressed"]
    assert shown.loc[("b", "one"), "n"] == 25
    assert shown.loc["c", "n"].isna().all()
    assert shown.loc["d", "n"].isna().all()

"""Trend over batches: test, last change, breaks, what is too small to show."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import fisher_exact

from declinethemes.errors import SettingsError
from declinethemes.findings import trend
from declinethemes.stats.proportions import exact_p
from declinethemes.stats.trend import cochran_armitage, permutation_trend

BATCHES = ("2025-Q1", "2025-Q2", "2025-Q3", "2025-Q4")


def study(shares, n=30, batches=BATCHES):
    """Candidates by batch, and who says each item; shares are counts per batch."""
    people = pd.DataFrame(
        {
            "candidate_id": [f"{batch}-{i:02d}" for batch in batches for i in range(n)],
            "batch": np.repeat(batches, n),
        }
    )
    said = [
        (f"{batch}-{i:02d}", item)
        for item, counts in shares.items()
        for batch, count in zip(batches, counts, strict=True)
        for i in range(count)
    ]
    return pd.DataFrame(said, columns=["candidate_id", "item"]), people


def test_a_rise_is_a_rise_and_the_rest_is_not():
    mentions, people = study({"pay": (6, 10, 15, 20), "slow": (10, 11, 10, 11), "less": (22, 15, 10, 5)})
    rows = trend(mentions, people).items.set_index("item")
    assert rows["verdict"].to_dict() == {"pay": "rises", "slow": "no trend shown", "less": "falls"}
    assert rows.loc["pay", "p_value"] == pytest.approx(cochran_armitage([6, 10, 15, 20], [30] * 4)[1])
    assert rows.loc["pay", "method"] == "Cochran-Armitage"
    shares = np.array([6, 10, 15, 20]) / 30
    assert rows.loc["pay", "slope"] == pytest.approx(np.polyfit(range(4), shares, 1)[0])
    assert rows.loc["pay", "slope_low"] < rows.loc["pay", "slope"] < rows.loc["pay", "slope_high"]


def test_small_counts_are_permuted():
    mentions, people = study({"rare": (0, 1, 2, 4)}, n=10)
    row = trend(mentions, people).items.iloc[0]
    assert row["method"] == "permutation"
    assert row["p_value"] == pytest.approx(permutation_trend([0, 1, 2, 4], [10] * 4), abs=0.005)
    more = trend(pd.concat([mentions, mentions.assign(item="before")]), people).items.set_index("item")
    assert more.loc["rare", "p_value"] == row["p_value"]  # another item moves nothing


def test_the_last_change_is_the_last_batch_against_the_one_before():
    mentions, people = study({"pay": (9, 9, 3, 15)})
    row = trend(mentions, people).items.iloc[0]
    assert row["change"] == pytest.approx(0.4)
    assert row["change_low"] < 0.4 < row["change_high"]
    assert row["change_p"] == pytest.approx(float(exact_p(15, 30, 3, 30)))
    assert row["change_p"] < fisher_exact([[15, 15], [3, 27]]).pvalue


def test_three_batches_make_no_trend_but_a_change():
    mentions, people = study({"pay": (3, 9, 20)}, batches=BATCHES[:3])
    result = trend(mentions, people)
    assert result.items["p_value"].isna().all()
    assert result.items["verdict"].tolist() == ["not tested"]
    assert result.items["change_p"].notna().all()
    assert any("needs 4 batches" in note for note in result.notes)


def test_another_tagger_is_a_break_that_is_named_and_nothing_is_tested_across_it():
    mentions, people = study({"pay": (0, 0, 20, 20)})
    read_with = dict.fromkeys(BATCHES[:2], "tagger a") | dict.fromkeys(BATCHES[2:], "tagger b")
    result = trend(mentions, people, read_with=read_with)
    assert list(result.breaks) == ["2025-Q3"]
    assert "tagger b, those before with tagger a" in result.breaks["2025-Q3"]
    assert any("Break at 2025-Q3" in note for note in result.notes)
    assert result.items["p_value"].isna().all()
    assert result.items["change"].item() == 0
    whole = trend(mentions, people, read_with=dict.fromkeys(BATCHES, "tagger a"))
    assert whole.items["verdict"].item() == "rises"
    late = trend(mentions, people, read_with=dict.fromkeys(BATCHES[:3], "a") | {"2025-Q4": "b"})
    assert late.items[["p_value", "change_p"]].isna().all(axis=None)


def test_batches_are_ordered_by_their_dates_or_as_told():
    mentions, people = study({"pay": (6, 10, 15, 20)}, batches=("spring", "autumn", "winter", "late"))
    days = dict(
        zip(
            ("spring", "autumn", "winter", "late"),
            ("2025-04-01", "2025-10-01", "2026-01-01", "2026-02-01"),
            strict=True,
        )
    )
    dated = people.assign(decline_date=pd.to_datetime(people["batch"].map(days)))
    assert trend(mentions, dated).batches == ("spring", "autumn", "winter", "late")
    unknown = trend(mentions, people)
    assert unknown.items[["p_value", "change_p"]].isna().all(axis=None)
    assert any("order of the batches is unknown" in note for note in unknown.notes)
    assert trend(mentions, people, order=["late", "winter", "autumn", "spring"]).items["verdict"].item() == "falls"
    with pytest.raises(SettingsError, match="names every batch once"):
        trend(mentions, people, order=["late"])


def test_small_batches_are_hidden_with_every_test_that_rests_on_them():
    mentions, people = study({"pay": (6, 10, 15, 20)})
    few = people[~((people["batch"] == "2025-Q1") & (people.groupby("batch").cumcount() >= 3))]
    mine = mentions[mentions["candidate_id"].isin(few["candidate_id"])]
    shown = trend(mine, few).protected()
    hidden = shown.counts[shown.counts["suppressed"]]
    assert len(hidden) >= 2  # the small one, and one that would give it away
    assert hidden[["n_mention", "n", "share", "share_low", "share_high"]].isna().all(axis=None)
    numbers = ["slope", "slope_low", "p_value", "p_bh", "change", "change_p", "change_p_bh"]
    assert shown.items[numbers].isna().all(axis=None)
    assert shown.items["verdict"].tolist() == ["protected"]


def test_who_has_no_batch_is_counted_in_the_notes():
    mentions, people = study({"pay": (6, 10, 15, 20)})
    people = people.assign(batch=people["batch"].where(people["candidate_id"] != "2025-Q1-29"))
    result = trend(mentions, people)
    assert result.counts.loc[result.counts["batch"] == "2025-Q1", "n"].item() == 29
    assert any(note.startswith("A few candidates have no batch") for note in result.notes)


@pytest.mark.parametrize(
    "batches",
    [
        ("Q3 2025", "Q4 2025", "Q1 2026", "Q2 2026"),
        ("2025-H1", "2025-H2", "2026-H1", "2026-H2"),
        ("8", "9", "10", "11"),
        (8, 9, 10, 11),
        ("2025-09", "2025-10", "2025-11", "2026-01"),
        tuple(range(1, 15)),
    ],
)
def test_names_that_say_the_order_are_ordered_by_it(batches):
    mentions, people = study({"pay": tuple(6 + 20 * i // len(batches) for i in range(len(batches)))}, batches=batches)
    result = trend(mentions, people)
    assert result.batches == tuple(map(str, batches))
    assert result.items["verdict"].item() == "rises"
    assert "Batches are ordered by their names." in result.notes


def test_rows_in_another_order_change_nothing():
    mentions, people = study({"pay": (1, 2, 3, 4), "slow": (4, 3, 2, 8)}, n=9)
    first = trend(mentions, people)
    again = trend(mentions.sample(frac=1, random_state=1), people.sample(frac=1, random_state=2))
    pd.testing.assert_frame_equal(first.items, again.items)


@pytest.mark.parametrize(
    ("options", "said"), [({"batch": "bach"}, "did you mean 'batch'"), ({}, "two batches at least")]
)
def test_what_cannot_be_tested(options, said):
    mentions, people = study({"pay": (5,)}, batches=BATCHES[:1])
    with pytest.raises(SettingsError, match=said):
        trend(mentions, people, **options)

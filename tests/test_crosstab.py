"""Cross-tabulation: counts, verdicts, notes and errors."""

import numpy as np
import pandas as pd
import pytest

from declinethemes.errors import InputError, SchemaError, SettingsError
from declinethemes.findings import crosstab, sentence
from declinethemes.schema import TABLES
from declinethemes.stats.proportions import exact_p, newcombe, wilson


def people(**levels):
    """Candidates c000.. with a gender, as many of each as given."""
    gender = [name for name, n in levels.items() for _ in range(n)]
    return pd.DataFrame({"candidate_id": [f"c{i:03d}" for i in range(len(gender))], "gender": gender})


def said(ids, item="process.slow", **columns):
    return pd.DataFrame({"candidate_id": list(ids), "item": item, **columns})


@pytest.fixture
def slow():
    """11 of 24 women and 9 of 61 men."""
    everybody = people(woman=24, man=61)
    ids = everybody["candidate_id"]
    return said([*ids[:11], *ids[24:33]]), everybody


def row_of(table, level, item="process.slow"):
    frame = table.to_frame()
    return frame[(frame["level"] == level) & (frame["item"] == item)].iloc[0]


def test_counts_and_tests_of_one_finding(slow):
    row = row_of(crosstab(*slow, by="gender"), "woman")
    assert [row[c] for c in ("n_mention", "n", "rest_n_mention", "rest_n")] == [11, 24, 9, 61]
    assert row["difference"] == pytest.approx(11 / 24 - 9 / 61)
    assert (row["share_low"], row["share_high"]) == pytest.approx(tuple(map(float, wilson(11, 24))))
    assert (row["ci_low"], row["ci_high"]) == pytest.approx(tuple(map(float, newcombe(11, 24, 9, 61))))
    assert row["p_value"] == pytest.approx(exact_p(11, 24, 9, 61))
    assert row["verdict"] == "difference"
    assert row["audit_state"] == "unaudited"


def test_the_table_is_the_documented_one(slow):
    frame = crosstab(*slow, by="gender").to_frame()
    assert list(frame.columns) == list(TABLES["findings"].columns)
    assert frame.attrs["families"] == {"gender": 2}


def test_family_is_items_by_tested_levels():
    everybody = people(a=10, b=10, c=1)
    mentions = pd.concat([said(everybody["candidate_id"][:5], item) for item in ("x", "y", "z")])
    table = crosstab(mentions, everybody, by="gender")
    assert table.families == {"gender": 6}
    assert row_of(table, "c", "x")["verdict"] == "not tested"
    assert "one candidate only" in row_of(table, "c", "x")["note"]


def test_not_disclosed_is_shown_and_is_part_of_no_rest(slow):
    mentions, everybody = slow
    everybody = everybody.assign(gender=everybody["gender"].mask(everybody.index < 4))
    table = crosstab(mentions, everybody, by="gender")
    hidden, men = row_of(table, "not disclosed"), row_of(table, "man")
    assert (hidden["n_mention"], hidden["n"], hidden["verdict"]) == (4, 4, "not tested")
    assert hidden["share"] == 1
    assert pd.isna(hidden["rest_n"])
    assert "not disclosed" in hidden["note"]
    assert men["rest_n"] == 20


def test_one_level_has_nobody_to_be_compared_with():
    everybody = people(woman=12)
    row = row_of(crosstab(said(everybody["candidate_id"][:5]), everybody, by="gender"), "woman")
    assert row["verdict"] == "not tested"
    assert "nobody to compare with" in row["note"]


def test_items_that_nobody_or_everybody_mentions():
    everybody = people(woman=12, man=30)
    ids = everybody["candidate_id"]
    table = crosstab(pd.concat([said(ids, "all"), said(ids[:1], "none", n_passages=0)]), everybody, by="gender")
    assert "everybody mentions it" in row_of(table, "woman", "all")["note"]
    assert "nobody mentions it" in row_of(table, "woman", "none")["note"]
    assert row_of(table, "woman", "none")["p_value"] == 1


def test_verdicts():
    """The three cases of the method notes: equivalent, too few, different."""
    everybody = people(a=300, b=300)
    ids = everybody["candidate_id"]
    equal = crosstab(said([*ids[:90], *ids[300:384]]), everybody, by="gender")
    assert row_of(equal, "a")["verdict"] == "no material difference"
    few = people(a=10, b=28)
    ids = few["candidate_id"]
    assert row_of(crosstab(said([*ids[:3], *ids[10:18]]), few, by="gender"), "a")["verdict"] == "not enough data"


def test_a_significant_gap_inside_the_margin_is_no_material_difference():
    everybody = people(a=5000, b=5000).assign(candidate_id=range(10_000))
    row = row_of(crosstab(said([*range(1500), *range(5000, 6250)]), everybody, by="gender", permutations=0), "a")
    assert row["p_bh"] < 0.001
    assert row["verdict"] == "no material difference"


def test_without_permutations_bh_decides(slow):
    row = row_of(crosstab(*slow, by="gender", permutations=0), "woman")
    assert pd.isna(row["p_wy"])
    assert row["verdict"] == "difference"


def test_only_complaints_count_by_default():
    everybody = people(woman=10, man=10)
    mentions = said(everybody["candidate_id"][:4], stance=["negative", "mixed", "positive", None])
    assert row_of(crosstab(mentions, everybody, by="gender"), "woman")["n_mention"] == 2
    assert row_of(crosstab(mentions, everybody, by="gender", stance="all"), "woman")["n_mention"] == 4


def test_without_known_stance_all_mentions_count_and_the_table_says_so(slow):
    table = crosstab(slow[0].assign(stance=None), slow[1], by="gender")
    assert row_of(table, "woman")["n_mention"] == 11
    assert table.parameters["stance_applied"] == "all"
    assert any("No stance" in note for note in table.notes)


def test_asked_shares_and_among_asked():
    everybody = people(woman=20, man=20)
    ids = everybody["candidate_id"]
    mentions = said([*ids[:18], *ids[20:24]], asked=True, n_passages=[1] * 9 + [0] * 9 + [1] * 2 + [0] * 2)
    crude = row_of(crosstab(mentions, everybody, by="gender"), "woman")
    assert (crude["asked_share"], crude["rest_asked_share"]) == (0.9, 0.2)
    assert "asked shares differ" in crude["note"]
    asked = row_of(crosstab(mentions, everybody, by="gender", among="asked"), "woman")
    assert [asked[c] for c in ("n_mention", "n", "rest_n_mention", "rest_n")] == [9, 18, 2, 4]
    assert pd.isna(asked["p_wy"])


def test_among_asked_needs_to_know_who_was_asked(slow):
    with pytest.raises(SettingsError, match="asked"):
        crosstab(*slow, by="gender", among="asked")


def test_list_of_segments_and_intersection(slow):
    mentions, everybody = slow
    everybody = everybody.assign(role=np.where(np.arange(85) % 2, "sales", "engineer"))
    table = crosstab(mentions, everybody, by=["gender", "role", ("gender", "role")])
    assert set(table.families) == {"gender", "role", "gender x role"}
    row = row_of(table, "woman x sales")
    assert row["n"] == 12
    assert "two parts predict" in row["note"]


def test_numeric_codes_are_levels_and_measurements_are_not(slow):
    mentions, everybody = slow
    table = crosstab(mentions, everybody.assign(grade=np.arange(85) % 3 * 1.0), by="grade")
    assert sorted(set(table.to_frame()["level"])) == ["0", "1", "2"]
    with pytest.raises(SettingsError, match="bins"):
        crosstab(mentions, everybody.assign(age=range(85)), by="age")


def test_unknown_column_names_the_columns(slow):
    with pytest.raises(SettingsError, match=r"gendr.*did you mean 'gender'"):
        crosstab(*slow, by="gendr")


def test_mentions_of_strangers_are_listed(slow):
    with pytest.raises(InputError, match=r"6 candidates.*x0, x1, x2, x3, x4 and 1 more"):
        crosstab(said([f"x{i}" for i in range(6)]), slow[1], by="gender")


def test_repeated_candidates_and_missing_columns(slow):
    with pytest.raises(SchemaError, match="each candidate once"):
        crosstab(slow[0], pd.concat([slow[1], slow[1][:1]]), by="gender")
    with pytest.raises(SchemaError, match="missing: item"):
        crosstab(slow[0].drop(columns="item"), slow[1], by="gender")


@pytest.mark.parametrize(
    "options", [{"stance": "angry"}, {"reference": "man"}, {"among": "some"}, {"margin": 15}, {"alpha": 0}]
)
def test_impossible_options(slow, options):
    with pytest.raises(SettingsError):
        crosstab(*slow, by="gender", **options)


def test_unknown_stance_value(slow):
    with pytest.raises(SchemaError, match="angry"):
        crosstab(slow[0].assign(stance="angry"), slow[1], by="gender")


def test_no_mentions_at_all():
    empty = pd.DataFrame({"candidate_id": pd.Series([], dtype="string"), "item": pd.Series([], dtype="string")})
    table = crosstab(empty, people(a=5, b=5), by="gender")
    assert len(table.to_frame()) == 0
    assert "<table" in table._repr_html_()


def test_a_segment_that_nobody_disclosed():
    everybody = people(woman=6).assign(gender=None, role="x")
    frame = crosstab(said(everybody["candidate_id"][:3]), everybody, by="gender", adjust_for="role").to_frame()
    assert frame["level"].tolist() == ["not disclosed"]
    assert frame["verdict"].tolist() == ["not tested"]


def test_suppressed_marks_what_study_outputs_hide():
    everybody = people(a=4, b=30, c=30)
    table = crosstab(said(everybody["candidate_id"][::3]), everybody, by="gender")
    assert row_of(table, "a")["suppressed"]
    assert row_of(table, "a")["n"] == 4


def test_omnibus_of_three_levels():
    everybody = people(a=10, b=12, c=10)
    ids = everybody["candidate_id"]
    table = crosstab(said([*ids[:3], *ids[22:28]]), everybody, by="gender")
    assert table.omnibus["p_value"].tolist() == pytest.approx([0.0042055], abs=6e-8)
    assert table.omnibus["method"].tolist() == ["exact"]


def test_sentences_claim_no_cause(slow):
    table = crosstab(*slow, by="gender")
    women = table.sentences()[table.findings["level"] == "woman"].iloc[0]
    assert women.startswith(
        "11 of 24 candidates (gender: woman) spoke of process.slow against 9 of 61 others: 31 points more ("
    )
    assert women.endswith("unlikely to be chance among the 2 comparisons made")
    assert not any(word in women for word in ("because", "due to", "cause"))


def test_sentences_of_the_other_verdicts():
    row = {"segment": "s", "level": "a", "item": "x", "n_mention": 3, "n": 10, "rest_n_mention": 8, "rest_n": 28,
           "difference": -0.1, "ci_low": -0.3, "ci_high": 0.1, "mde": 0.5}  # fmt: skip
    few = sentence({**row, "verdict": "not enough data"}, comparisons=4)
    assert "10 points fewer (-10 to 30)" in few
    assert "not enough data" in few
    assert "15 points or more is unlikely" in sentence({**row, "verdict": "no material difference"}, comparisons=4)
    assert sentence({**row, "verdict": "not tested"}, comparisons=4).endswith("not compared")
    assert "protected" in sentence({**row, "n": pd.NA, "verdict": "protected"}, comparisons=4)


@pytest.mark.parametrize("column", ["candidate_id", "n_passages"])
def test_negative_numbers_are_no_ids_and_no_counts(column):
    frame = pd.DataFrame({"candidate_id": range(6), "team": ["a", "b"] * 3})
    mentions = pd.DataFrame({"candidate_id": [0, 1], "item": "x", "n_passages": [1, 2]})
    mentions.loc[0, column] = -1
    with pytest.raises(SchemaError, match=r"never -1\); 1 do not: -1"):
        crosstab(mentions, frame, by="team")
    with pytest.raises(SchemaError, match=r"'candidates\.candidate_id'"):
        crosstab(mentions[1:], frame.assign(candidate_id=frame["candidate_id"] - 1), by="team")

"""Presumed reasons beside what was heard: the table of reasons, the counts, what may be shown."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.proportion import proportion_confint
from tests.cli_fixture import CANDIDATES, done, themes

from declinethemes.errors import SchemaError, SettingsError
from declinethemes.framework import load_framework
from declinethemes.prepare import load_reasons, reason_gap
from declinethemes.study import Study

__all__ = ["done", "themes"]
ROOT = Path(__file__).resolve().parents[1]
TABLE = ROOT / "src" / "declinethemes" / "prepare" / "reasons.toml"
OFFER, OTHERS, PEOPLE = "competitiveness.offer", "competitiveness.competing_offers", "experience.people"


def codes_of(text):
    found = load_reasons().read(text)
    return None if found is None else [reason.code for reason in found]


def gap_of(reasons, said, **options):
    """The comparison for {candidate: reason_code} and (candidate, item) pairs or (candidate, item, stance)."""
    people = pd.DataFrame({"candidate_id": list(reasons), "reason_code": list(reasons.values())})
    rows = [(*row, "negative")[:3] for row in said]
    columns = options.pop("columns", {})
    mentions = pd.DataFrame(rows, columns=["candidate_id", "item", "stance"])
    return reason_gap(people.assign(**columns), mentions, **options)


# The table of reasons ------------------------------------------------------------------------------------------------


def test_every_shipped_code_and_theme_is_one_of_the_framework():
    framework = load_framework()
    themes = {theme.id: theme.code for theme in framework.themes}
    for entry in tomllib.loads(TABLE.read_text(encoding="utf-8"))["reason"]:
        assert entry.get("code", OFFER) in framework.category_of
        assert "theme" not in entry or themes[entry["theme"]] == entry["code"]


def test_no_shipped_word_stands_under_two_reasons():
    entries = tomllib.loads(TABLE.read_text(encoding="utf-8"))["reason"]
    words = [word.casefold() for entry in entries for word in entry["words"]]
    assert len(words) == len(set(words))


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("Didn't like offer", [OFFER]),  # Greenhouse
        ("Didn’t like offer", [OFFER]),
        ("Wasn't interested", []),
        ("Will stay in current company", [OTHERS]),  # SmartRecruiters
        ("Lack of recruiter follow-up", ["experience.communication"]),
        ("Not willing to relocate", [OFFER]),
        ("Applicant Not Interested – Counter offer / Current Company", [OTHERS]),  # Jobvite
        ("Applicant Not Interested - Compensation", [OFFER]),
        ("Timing (not right now)", ["competitiveness.timeliness"]),  # Lever's and Ashby's kind
        ("Offer declined", []),
        ("OTHER_OFFER", [OTHERS]),
        ("Salary too low, and a counter offer came", [OTHERS, OFFER]),
        ("Compensation; Location", [OFFER, OFFER]),
        ("it was not about pay", None),
        ("zodiac sign", None),
        ("compensate", None),
    ],
)
def test_a_reason_as_written_presumes(text, codes):
    found = codes_of(text)
    assert (found if found is None else sorted(found)) == (codes if codes is None else sorted(codes))


def test_a_file_of_ones_own_adds_and_wins(tmp_path):
    path = tmp_path / "map.toml"
    path.write_text('[[reason]]\nwords = ["K-17", "Compensation"]\ncode = "experience.people"\n', encoding="utf-8")
    reasons = load_reasons(path)
    assert [one.code for one in reasons.read("k 17")] == [PEOPLE]
    assert [one.code for one in reasons.read("compensation")] == [PEOPLE]
    assert [one.code for one in reasons.read("salary")] == [OFFER]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[[reason]]\nwords = ["x"]\ncode = "competitiveness.ofer"\n', "did you mean 'competitiveness.offer'"),
        ('[[reason]]\nwords = ["x"]\ncode = "experience.people"\ntheme = "location"\n', "unknown theme"),
        ('[[reason]]\nword = ["x"]\n', "needs words"),
        ('[[reason]]\nwords = ["x"]\ncodes = "experience.people"\n', "did you mean 'code'"),
        ('[[reasons]]\nwords = ["x"]\n', "under .{2}reason"),
        ("not toml", "cannot read the reasons"),
    ],
)
def test_a_bad_table_says_what_is_wrong(tmp_path, text, said):
    path = tmp_path / "map.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError, match=said):
        load_reasons(path)


# What was heard ------------------------------------------------------------------------------------------------------


def test_heard_and_not_heard_are_counted_with_wilsons_interval():
    reasons = {f"c{i}": "Compensation" for i in range(9)} | {"d": "Other", "e": "Counter-offer"}
    gap = gap_of(reasons, [("c0", OFFER), ("c1", OFFER), ("c1", OFFER), ("d", OFFER), ("e", OTHERS)])
    row = gap.to_frame().set_index("code").loc[OFFER]
    assert (row["n"], row["n_heard"], row["others_n"], row["others_heard"]) == (9, 2, 2, 1)
    assert row["share"] == pytest.approx(2 / 9)
    assert (row["share_low"], row["share_high"]) == pytest.approx(proportion_confint(2, 9, method="wilson"))


def test_what_was_heard_instead_is_of_those_only_who_did_not_speak_of_it():
    reasons = {f"c{i}": "Compensation" for i in range(4)}
    said = [("c0", OFFER), ("c0", "experience.overall"), ("c1", PEOPLE), ("c2", PEOPLE), ("c3", "experience.workload")]
    said += [("c1", "experience"), ("c1", "slow_process")]  # categories and themes are not codes
    gap = gap_of(reasons, said)
    assert gap.to_frame()["heard_instead"].iloc[0] == f"{PEOPLE} (2), experience.workload (1)"
    assert gap.instead[["other", "n", "silent"]].values.tolist() == [[PEOPLE, 2, 3], ["experience.workload", 1, 3]]


def test_what_was_heard_instead_are_codes_and_no_themes():
    people = pd.DataFrame({"candidate_id": ["A", "B"], "reason_code": ["pay", "pay"]})
    rest = f"rest-{PEOPLE}"  # what is left of a code beyond its themes is a theme too
    rows = [("A", PEOPLE, "code"), ("A", rest, "theme"), ("B", rest, "theme")]
    mentions = pd.DataFrame(rows, columns=["candidate_id", "item", "kind"]).assign(stance="negative")
    assert reason_gap(people, mentions).instead["other"].tolist() == [PEOPLE]


def test_praise_is_not_the_reason():
    gap = gap_of({"a": "salary", "b": "salary"}, [("a", OFFER, "positive"), ("b", OFFER, "neutral")])
    assert gap.to_frame()["n_heard"].tolist() == [1]


def test_asked_only_is_not_heard_and_is_counted_as_asked():
    people = pd.DataFrame({"candidate_id": ["a", "b"], "reason_code": "salary"})
    mentions = pd.DataFrame(
        {"candidate_id": ["a", "b"], "item": OFFER, "n_passages": [0, 2], "stance": None, "asked": [True, False]}
    )
    assert reason_gap(people, mentions).to_frame()[["n", "n_heard", "n_asked"]].values.tolist() == [[2, 1, 1]]


def test_both_columns_count_once_per_candidate_and_code():
    people = pd.DataFrame(
        {
            "candidate_id": ["a", "b"],
            "reason_code": ["COMP", "COUNTER"],
            "presumed_reason": ["salary too low", "base salary"],
        }
    )
    gap = reason_gap(people, pd.DataFrame({"candidate_id": [], "item": []}))
    assert gap.to_frame().set_index("code")["n"].to_dict() == {OFFER: 2, OTHERS: 1}
    assert len(gap.reasons) == 4


def test_nothing_is_lost_reasons_that_say_nothing_or_are_unknown_are_counted():
    gap = gap_of({"a": "salary", "b": "Other", "c": "moon", "d": "moon", "e": None}, [("a", OFFER)])
    assert gap.counts == {"candidates": 5, "with a code": 1, "says nothing": 1, "unmapped": 2, "no reason": 1}
    assert gap.unmapped[["reason", "n"]].values.tolist() == [["moon", 2]]


def test_the_narrower_theme_is_counted_per_reason():
    gap = gap_of({"a": "salary", "b": "salary"}, [("a", OFFER), ("b", OFFER), ("a", "pay_below_market")])
    row = gap.reasons.iloc[0]
    assert (row["theme"], row["n_heard"], row["n_theme"]) == ("pay_below_market", 2, 1)


def test_levels_add_up_to_all_candidates():
    reasons = {f"c{i}": ["salary", "counter"][i % 2] for i in range(20)}
    said = [(f"c{i}", OFFER) for i in range(0, 20, 3)]
    role = ["x" if i < 13 else None for i in range(20)]
    frame = gap_of(reasons, said, by="role", columns={"role": role}).to_frame()
    counts = ["n", "n_heard", "others_n", "others_heard"]
    parts = frame[frame["segment"] == "role"].groupby("code")[counts].sum()
    whole = frame[frame["segment"] == "(all)"].set_index("code")[counts]
    pd.testing.assert_frame_equal(parts, whole, check_dtype=False)
    assert set(frame["level"]) == {"(all)", "x", "not disclosed"}


def test_missing_columns_are_named():
    with pytest.raises(SchemaError, match="missing: reason_code"):
        reason_gap(pd.DataFrame({"candidate_id": ["a"]}), pd.DataFrame({"candidate_id": [], "item": []}))
    with pytest.raises(SchemaError, match="missing: item"):
        reason_gap(pd.DataFrame({"candidate_id": ["a"], "reason_code": "x"}), pd.DataFrame({"candidate_id": []}))
    with pytest.raises(SettingsError, match="did you mean 'role'"):
        gap_of({"a": "salary"}, [], by="rol", columns={"role": "x"})
    with pytest.raises(SchemaError, match="each candidate once"):
        reason_gap(
            pd.DataFrame({"candidate_id": ["a", "a"], "reason_code": "x"}),
            pd.DataFrame({"candidate_id": [], "item": []}),
        )


@settings(max_examples=20, deadline=None)
@given(
    reasons=st.lists(st.sampled_from(["salary", "counter", "Other", "moon", None]), min_size=1, max_size=15),
    said=st.lists(st.tuples(st.integers(0, 14), st.sampled_from([OFFER, OTHERS, PEOPLE])), max_size=30),
    seed=st.integers(0, 99),
)
def test_counts_fit_and_the_order_of_rows_changes_nothing(reasons, said, seed):
    people = pd.DataFrame({"candidate_id": [f"c{i:02}" for i in range(len(reasons))], "reason_code": reasons})
    mentions = pd.DataFrame([(f"c{i:02}", item) for i, item in said], columns=["candidate_id", "item"])
    first = reason_gap(people, mentions)
    second = reason_gap(people.sample(frac=1, random_state=seed), mentions.sample(frac=1, random_state=seed))
    for name in ("codes", "instead", "reasons", "unmapped"):
        pd.testing.assert_frame_equal(getattr(first, name), getattr(second, name))
    assert (first.codes["n_heard"] <= first.codes["n"]).all()
    assert (first.codes["n"] + first.codes["others_n"] == len(people)).all()
    assert sum(first.counts.values()) == 2 * len(people)


# What may be shown ---------------------------------------------------------------------------------------------------


def test_small_groups_are_blank_and_another_level_with_a_single_one():
    reasons = {f"c{i}": "salary" for i in range(30)}
    role = ["few"] * 3 + ["many"] * 15 + ["more"] * 12
    gap = gap_of(reasons, [(f"c{i}", OFFER) for i in range(0, 30, 2)], by="role", columns={"role": role})
    shown = gap.protected().to_frame().set_index("level")
    assert shown["n"].isna().to_dict() == {"(all)": False, "few": True, "many": False, "more": True}


def test_what_few_said_instead_and_rare_free_text_are_not_shown():
    people = pd.DataFrame({"candidate_id": [f"c{i}" for i in range(20)], "reason_code": "salary"})
    people["presumed_reason"] = ["his mother fell ill", *[None] * 19]
    said = pd.DataFrame(
        {"candidate_id": ["c0", *[f"c{i}" for i in range(9)]], "item": ["diversity.comfort", *[PEOPLE] * 9]}
    )
    gap = reason_gap(people, said, sensitive=["diversity.comfort"])
    assert "diversity.comfort (1)" in gap.to_frame()["heard_instead"].iloc[0]
    shown = gap.protected()
    assert shown.to_frame()["heard_instead"].iloc[0] == f"{PEOPLE} (9)"
    assert "mother" not in shown.unmapped.to_csv() + shown.reasons.to_csv()
    assert len(shown.unmapped) == 1


# In a study ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def study(done, themes):
    """The small study, run again with reasons in the candidates file."""
    head, *rows = CANDIDATES.splitlines()
    reasons = [
        "Compensation",
        "SLOW-1",
        "Compensation",
        "Compensation",
        "Compensation",
        "Counter-offer",
        "Compensation",
    ]
    lines = [f"{head},reason code", *(f"{row},{reason}" for row, reason in zip(rows, reasons, strict=True))]
    (done / "candidates.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    settings = done / "study" / "study.toml"
    settings.write_text(
        settings.read_text(encoding="utf-8").replace("[columns]", '[columns]\n"reason code" = "reason_code"')
    )
    assert themes.run(done) == 0, themes.err
    return done / "study"


def test_the_study_compares_what_it_heard_under_the_disclosure_rules(study):
    gap = Study.open(study).reason_gap()
    rows = gap.to_frame().set_index("code")
    assert gap.counts == {"candidates": 7, "with a code": 6, "says nothing": 0, "unmapped": 1, "no reason": 0}
    assert rows.loc[OTHERS, "suppressed"]
    assert pd.isna(rows.loc[OTHERS, "n"])
    assert gap.unmapped["reason"].tolist() == ["SLOW-1"]


def test_the_command_prints_codes_and_says_what_is_not_known(study, themes, tmp_path):
    assert themes("reasons", study, "--by", "role") == 0
    assert themes.out.splitlines()[0].startswith("segment,level,code,n,n_heard,share")
    assert "not known, name them with --map: 'SLOW-1' (few)" in themes.err
    table = tmp_path / "map.toml"
    table.write_text('[[reason]]\nwords = ["SLOW-1"]\ncode = "competitiveness.timeliness"\n', encoding="utf-8")
    assert themes("reasons", study, "--map", table, "--json") == 0
    told = json.loads(themes.out)
    assert set(told) == {"codes", "instead", "reasons", "unmapped", "counts", "parameters", "notes"}
    assert told["unmapped"] == []
    assert told["counts"]["with a code"] == 7


def test_a_bad_segment_is_one_clear_message(study, themes):
    assert "did you mean 'role'" in themes.fails("reasons", study, "--by", "roel")


def test_the_columns_are_in_the_guide():
    text = (ROOT / "docs" / "before.md").read_text(encoding="utf-8")
    columns = gap_of({"a": "salary"}, []).to_frame().columns
    assert [name for name in columns if f"`{name}`" not in text] == []

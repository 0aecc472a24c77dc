"""study.toml: read, checked, drafted; and the segments it declares."""

from __future__ import annotations

import hypothesis
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from declinethemes import schema
from declinethemes.config import Settings, draft_settings, possible_segments, prepare_segments, read_settings
from declinethemes.errors import SettingsError

WHOLE = """
seed = 7
[columns]
"Candidate ID" = "candidate_id"
[segments]
use = ["gender", "age"]
not_disclosed = ["keine Angabe"]
[segments.merge.gender]
other = ["non-binary", "agender"]
[segments.bins]
age = [30, 40]
[segments.underrepresented]
any = { gender = ["woman", "non-binary"] }
[disclosure]
min_n = 6
quote_n = 12
sensitive = ["pay_below_market"]
[findings]
margin = 0.2
alpha = 0.01
stance = "all"
[models]
encoder = "fp32"
tagger = "t"
framework = "f.toml"
"""


def read(tmp_path, text):
    file = tmp_path / "study.toml"
    file.write_text(text, encoding="utf-8")
    return read_settings(file)


def people(**columns: list[object]) -> pd.DataFrame:
    n = len(next(iter(columns.values())))
    return schema.conform(pd.DataFrame({"candidate_id": [f"c{i}" for i in range(n)], **columns}), "candidates")


def test_every_setting_is_read_from_its_place(tmp_path):
    assert read(tmp_path, WHOLE) == Settings(
        seed=7,
        columns={"Candidate ID": "candidate_id"},
        segments=("gender", "age"),
        underrepresented={"gender": ("woman", "non-binary")},
        merge={"gender": {"other": ("non-binary", "agender")}},
        bins={"age": (30, 40)},
        not_disclosed=("keine Angabe",),
        min_n=6,
        quote_n=12,
        sensitive=("pay_below_market",),
        margin=0.2,
        alpha=0.01,
        stance="all",
        encoder="fp32",
        tagger="t",
        framework="f.toml",
    )


def test_an_empty_file_means_the_defaults(tmp_path):
    assert read(tmp_path, "") == Settings()


def test_the_fingerprint_follows_the_settings(tmp_path):
    assert read(tmp_path, WHOLE).fingerprint == read(tmp_path, WHOLE).fingerprint
    assert read(tmp_path, WHOLE).fingerprint != Settings().fingerprint


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("sed = 1", r"unknown entry in study.toml 'sed' \(did you mean 'seed'\?\); there are: columns"),
        ("[segment]", r"'segment' \(did you mean 'segments'\?\)"),
        ("[findings]\nmargn = 0.1", r"\[findings\] of study.toml 'margn' \(did you mean 'margin'\?\)"),
        ("[segments]\nusing = []", "there are: bins, merge, not_disclosed, underrepresented, use"),
        ("[segments.underrepresented]\ngender = ['woman']", "'gender'; there are: any"),
        ("[segments]\nunderrepresented = 'women'", "must be a table such as"),
    ],
)
def test_unknown_names_are_errors_that_show_the_names_there_are(tmp_path, text, message):
    with pytest.raises(SettingsError, match=message):
        read(tmp_path, text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("seed = 'one'", "seed should be a whole number, found 'one'"),
        ("seed = true", "seed should be a whole number"),
        ("disclosure = 3", r"\[disclosure\] must be a table"),
        ("[disclosure]\nmin_n = 5.5", "min_n should be a whole number"),
        ("[disclosure]\nsensitive = 'pay'", "sensitive should be a list of texts"),
        ("[segments]\nuse = 'gender'", "segments should be a list of texts"),
        ("[segments]\nuse = [1]", "segments should be a list of texts"),
        ("[segments.merge]\ngender = ['a']", "merge.gender should be a table"),
        ("[segments.merge.gender]\nother = 'x'", "merge.gender.other should be a list of texts"),
        ("[segments.bins]\nage = ['30']", "bins.age should be a list of numbers"),
        ("[segments]\nbins = 3", "bins should be a table"),
        ("[segments.underrepresented]\nany = { gender = 'woman' }", "underrepresented.gender should be a list"),
        ("[findings]\nmargin = '15 %'", "margin should be a number"),
        ("[findings]\nstance = 1", "stance should be text"),
        ("[columns]\nname = 3", "columns.name should be text"),
    ],
)
def test_a_value_of_the_wrong_type_is_an_error_that_names_it(tmp_path, text, message):
    with pytest.raises(SettingsError, match=message):
        read(tmp_path, text)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"margin": 0.0}, "between 0 and 1"),
        ({"alpha": 1.0}, "between 0 and 1"),
        ({"margin": float("nan")}, "between 0 and 1"),
        ({"min_n": 2}, "3 at least"),
        ({"min_n": 8, "quote_n": 7}, "quote_n not under min_n"),
        ({"stance": "positive"}, "'negative' or 'all'"),
    ],
)
def test_values_out_of_range_are_errors(values, message):
    with pytest.raises(SettingsError, match=message):
        Settings(**values)


@pytest.mark.parametrize("text", ["seed = ", "\ufffd = [", "seed = 1\nseed = 2"])
def test_a_file_that_is_no_toml(tmp_path, text):
    with pytest.raises(SettingsError, match="cannot read the settings"):
        read(tmp_path, text)


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(SettingsError, match="cannot read the settings"):
        read_settings(tmp_path / "study.toml")


TRICKY = ['Say "hi"', "back\\slash", "emoji 🙂", "tab\there", "del\x7f", "line\nbreak", "[x] = 1 # no", "naïve", "a.b"]


def test_a_draft_is_read_back_as_it_says_whatever_the_headers_hold(tmp_path):
    table = people(**{head: ["x", "y"] for head in TRICKY})
    columns = {'Candidate "No"': "candidate_id", **{f"{head} 2": "role" for head in TRICKY}, "role": "role"}
    settings = read(tmp_path, draft_settings(table, columns))
    assert settings.columns == {head: ours for head, ours in columns.items() if head != ours}
    assert settings.segments == tuple(TRICKY)
    assert settings == Settings(columns=settings.columns, segments=settings.segments)


@hypothesis.settings(deadline=None)
@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8), min_size=2, max_size=6))
def test_a_draft_can_be_read_whatever_the_levels_are(tmp_path_factory, levels):
    table = people(**{"a segment": [*levels, None]})
    folder = tmp_path_factory.mktemp("draft")
    text = draft_settings(table, {})
    assert read(folder, text).underrepresented == {}
    opened = text.replace("# any = ", "any = ")
    if opened != text:
        shown = read(folder, opened).underrepresented["a segment"]
        assert set(shown) <= {str(level) for level in levels}


def test_a_draft_declares_nobody_under_represented_but_shows_the_levels(tmp_path):
    text = draft_settings(people(gender=["woman", "man", "Prefer not to say"], role=["a", "b", "a"]), {})
    assert read(tmp_path, text).underrepresented == {}
    opened = read(tmp_path, text.replace("# any = ", "any = "))
    assert opened.underrepresented == {"gender": ("man", "woman")}


def test_segments_have_two_to_twelve_levels_and_are_no_identifiers_or_reasons():
    table = people(
        gender=["a", "b"] * 10,
        one=["x"] * 20,
        many=[str(i) for i in range(20)],
        recruiter=["a", "b"] * 10,
        presumed_reason=["a", "b"] * 10,
        batch=["1", "2"] * 10,
        role=["a", "b"] * 10,
    )
    assert possible_segments(table) == ["role", "gender"]


def test_words_for_not_disclosed_are_missing_whatever_their_case():
    table = people(gender=["woman", "PREFER NOT TO SAY", " n/a ", "man ", None, ""])
    out = prepare_segments(table, Settings(segments=("gender",)))
    assert out["gender"].tolist() == ["woman", pd.NA, pd.NA, "man", pd.NA, pd.NA]


def test_not_disclosed_leaves_columns_alone_that_are_no_segments():
    table = people(gender=["a", "b"], presumed_reason=["unknown", "pay"])
    assert prepare_segments(table, Settings())["presumed_reason"].tolist() == ["unknown", "pay"]


def test_bins_are_half_open_and_keep_the_missing():
    table = people(age=["29", "30", "39.9", "40", None, "old"])
    out = prepare_segments(table, Settings(bins={"age": (30, 40)}))["age"]
    assert out.tolist() == ["under 30", "30 to under 40", "30 to under 40", "40 and over", pd.NA, pd.NA]


def test_bins_of_large_numbers_are_written_out():
    table = people(pay=["900000", "1200001", "1200002"])
    out = prepare_segments(table, Settings(bins={"pay": (1200001, 1200002)}))["pay"]
    assert out.tolist() == ["under 1200001", "1200001 to under 1200002", "1200002 and over"]


@pytest.mark.parametrize("edges", [(), (40, 30), (30, 30)])
def test_bins_must_rise(edges):
    with pytest.raises(SettingsError, match="rising"):
        prepare_segments(people(age=["1", "2"]), Settings(bins={"age": edges}))


def test_levels_are_merged_under_the_new_name():
    table = people(gender=["woman", "non-binary", "agender", "man", None])
    out = prepare_segments(table, Settings(merge={"gender": {"other": ("non-binary", "agender")}}))
    assert out["gender"].tolist() == ["woman", "other", "other", "man", pd.NA]


def test_under_represented_is_yes_for_any_level_no_when_all_is_known_and_else_missing():
    table = people(
        gender=["woman", "man", "man", None, None, "woman", "prefer not to say"],
        ethnicity=["x", "x", "y", "y", "x", None, "x"],
    )
    settings = Settings(underrepresented={"gender": ("woman",), "ethnicity": ("y",)})
    out = prepare_segments(table, settings)["underrepresented"]
    assert out.tolist() == ["yes", "no", "yes", "yes", pd.NA, "yes", pd.NA]


def test_under_represented_sees_levels_before_they_are_merged():
    table = people(gender=["woman", "non-binary", "man"])
    settings = Settings(underrepresented={"gender": ("non-binary",)}, merge={"gender": {"w+": ("woman", "non-binary")}})
    out = prepare_segments(table, settings)
    assert out["underrepresented"].tolist() == ["no", "yes", "no"]
    assert out["gender"].tolist() == ["w+", "w+", "man"]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (Settings(segments=("gendre",)), r"unknown segment column 'gendre' \(did you mean 'gender'\?\)"),
        (Settings(segments=("underrepresented",)), "unknown segment column 'underrepresented'"),
        (Settings(bins={"age": (3,)}), "unknown segment column 'age'; there are: gender"),
        (Settings(merge={"gender": {"x": ("women",)}}), r"level of gender 'women' \(did you mean 'woman'\?\)"),
        (Settings(underrepresented={"gender": ("wman",)}), r"'wman' \(did you mean 'woman'\?\); there are: man, woman"),
    ],
)
def test_unknown_columns_and_levels_are_errors_that_show_what_there_is(settings, message):
    with pytest.raises(SettingsError, match=message):
        prepare_segments(people(gender=["woman", "man"]), settings)


def test_the_candidates_are_not_changed():
    table = people(gender=["woman", "n/a"])
    before = table.copy(deep=True)
    prepare_segments(table, Settings(merge={"gender": {"w": ("woman",)}}))
    pd.testing.assert_frame_equal(table, before)

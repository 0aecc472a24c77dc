"""Every table is checked at the door: columns, types, values, key; a good frame comes back in one documented form."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from declinethemes import schema
from declinethemes.errors import SchemaError

TAG = {
    "passage_id": "p1",
    "code": "competitiveness.offer",
    "decided_by": "model",
    "category": "competitiveness",
    "probability": 0.7,
    "decision": "yes",
    "stance": "negative",
    "model_id": "m",
}


def tags(**columns: object) -> pd.DataFrame:
    """Make a tags frame: each column is a list, or one value for all rows."""
    n = max((len(c) for c in columns.values() if isinstance(c, list)), default=1)
    base: dict[str, object] = {**TAG, "passage_id": [f"p{i}" for i in range(n)], **columns}
    return pd.DataFrame({k: v if isinstance(v, list) else [v] * n for k, v in base.items()})


@pytest.mark.parametrize("table", schema.TABLES)
def test_an_empty_table_has_the_documented_columns_and_types(table):
    frame = schema.empty(table)
    assert list(frame.columns) == list(schema.TABLES[table].columns)
    assert {c: str(t) for c, t in frame.dtypes.items()} == {
        c: schema.DTYPES[s.kind] for c, s in schema.TABLES[table].columns.items()
    }
    pd.testing.assert_frame_equal(schema.conform(frame, table), frame)


@pytest.mark.parametrize("table", schema.TABLES)
def test_every_column_says_what_it_holds(table):
    spec = schema.TABLES[table]
    assert spec.doc
    assert all(column.doc for column in spec.columns.values())
    assert set(spec.key) <= set(spec.columns)


def test_a_missing_column_is_named_with_the_likely_one_among_those_found():
    frame = tags().rename(columns={"decision": "decisions"})
    with pytest.raises(SchemaError, match=r"missing: decision \(did you mean 'decisions'\?\)"):
        schema.conform(frame, "tags")


def test_a_column_too_many_is_named():
    with pytest.raises(SchemaError, match=r"\+ unexpected: colour"):
        schema.conform(tags(colour="red"), "tags")


def test_an_open_table_keeps_further_columns_as_they_are_behind_its_own():
    frame = pd.DataFrame({"gender": ["woman", "man"], "candidate_id": ["b", "a"], "age": [30, 40]})
    out = schema.conform(frame, "candidates")
    assert list(out.columns) == [*schema.TABLES["candidates"].columns, "gender", "age"]
    assert out["age"].tolist() == [40, 30]
    assert out["role"].isna().all()


def test_columns_that_were_absent_and_optional_get_their_type():
    out = schema.conform(pd.DataFrame({"candidate_id": ["a"], "item": ["x"]}), "mentions")
    assert str(out["n_passages"].dtype) == "Int64"
    assert str(out["asked"].dtype) == "boolean"
    assert out["asked"].isna().all()


def test_a_column_that_stands_there_twice_is_an_error_that_names_it():
    frame = pd.concat([tags(), tags()[["stance"]]], axis=1)
    with pytest.raises(SchemaError, match="same name: stance"):
        schema.conform(frame, "tags")


def test_header_cells_that_are_numbers_become_text():
    out = schema.conform(pd.DataFrame({"candidate_id": ["a"], 2024: ["x"]}), "candidates")
    assert "2024" in out.columns


def test_wrong_values_are_counted_and_the_first_five_shown_with_their_rows():
    frame = tags(decision=["yes"] + ["perhaps"] * 7)
    with pytest.raises(SchemaError) as caught:
        schema.conform(frame, "tags")
    message = str(caught.value)
    assert "'tags.decision' should hold one of yes, no, unsure" in message
    assert "7 do not" in message
    assert message.count("'perhaps' (row") == 5
    assert "(row 1)" in message
    assert "and 2 more" in message


@pytest.mark.parametrize("bad", [1.2, -0.1, "much", float("inf"), True + 1, [0.5]])
def test_a_share_lies_between_0_and_1(bad):
    with pytest.raises(SchemaError, match="shares between 0 and 1"):
        schema.conform(tags(probability=[0.5, bad]), "tags")


@pytest.mark.parametrize("good", [0, 1, "0.5", np.float32(0.25)])
def test_a_share_may_be_text_or_any_number_type(good):
    assert schema.conform(tags(probability=[good]), "tags")["probability"].tolist() == [float(good)]


@pytest.mark.parametrize("missing", [None, pd.NA, float("nan"), pd.NaT, "", "  "])
def test_every_kind_of_nothing_becomes_the_one_missing(missing):
    out = schema.conform(tags(stance=[missing], probability=[missing], model_id=[missing]), "tags")
    assert out[["stance", "probability", "model_id"]].isna().all(axis=None)


@pytest.mark.parametrize("missing", [None, pd.NA, float("nan"), ""])
def test_nothing_is_an_error_where_a_value_must_stand(missing):
    with pytest.raises(SchemaError, match="none missing; 1 do not"):
        schema.conform(tags(category=["a", missing]), "tags")


def test_a_repeated_key_is_an_error_that_shows_it():
    with pytest.raises(SchemaError, match=r"each value once; 2 do not: 'p / competitiveness.offer / model'"):
        schema.conform(tags(passage_id=["p", "p", "q"]), "tags")


def test_the_input_is_not_changed_and_nothing_is_shared_with_it():
    frame = tags(passage_id=["b", "a"], probability=["0.5", None])
    before = frame.copy(deep=True)
    out = schema.conform(frame, "tags")
    out["category"] = "changed"
    pd.testing.assert_frame_equal(frame, before)


@settings(deadline=None)
@given(st.permutations(range(6)))
def test_the_order_of_rows_and_columns_does_not_matter(order):
    frame = tags(passage_id=list("abcdef"), probability=[0.1, 0.2, 0.3, 0.4, 0.5, 0.6])
    shuffled = frame.iloc[list(order), ::-1]
    pd.testing.assert_frame_equal(schema.conform(shuffled, "tags"), schema.conform(frame, "tags"))


def test_repeated_row_labels_do_no_harm():
    frame = pd.concat([tags(passage_id=["b"]), tags(passage_id=["a"])])
    assert schema.conform(frame, "tags")["passage_id"].tolist() == ["a", "b"]


def mention(n: object) -> pd.DataFrame:
    return pd.DataFrame(
        {"candidate_id": ["a", "b"], "item": ["x", "x"], "n_passages": pd.Series([n, None], dtype="object")}
    )


@pytest.mark.parametrize("n", [2**53 + 1, 2**63 - 1, -(2**63), str(2**60 + 1), np.int64(2**61 + 1)])
def test_whole_numbers_keep_every_digit(n):
    assert schema.conform(mention(n), "mentions")["n_passages"].iloc[0] == int(n)


@pytest.mark.parametrize("n", [2**63, 10**400, "1" + "0" * 400, 1e30, 2.5, "2.5", "two", float("inf")])
def test_what_is_no_whole_number_of_64_bits_is_an_error(n):
    with pytest.raises(SchemaError, match="whole numbers"):
        schema.conform(mention(n), "mentions")


@pytest.mark.parametrize("n", [3.0, "3", "3.0", True + 2])
def test_a_whole_number_may_be_written_as_text_or_float(n):
    assert schema.conform(mention(n), "mentions")["n_passages"].iloc[0] == 3


def person(day: object) -> pd.DataFrame:
    return pd.DataFrame({"candidate_id": ["a", "b"], "offer_date": [day, None]})


@pytest.mark.parametrize(
    "day",
    [
        "2026-03-01",
        "2026-03-01T23:59:00",
        "2026-03-01T23:59:00+11:00",
        dt.date(2026, 3, 1),
        dt.datetime(2026, 3, 1, 8, tzinfo=dt.UTC),
        pd.Timestamp("2026-03-01 10:00"),
        np.datetime64("2026-03-01T05:00"),
    ],
)
def test_a_date_is_a_day_without_a_time_or_zone(day):
    out = schema.conform(person(day), "candidates")["offer_date"]
    assert out.iloc[0] == pd.Timestamp(2026, 3, 1)
    assert out.isna().tolist() == [False, True]
    assert str(out.dtype) == "datetime64[s]"


@pytest.mark.parametrize("day", ["01/03/2026", "2026-02-30", "soon", 20260301, 5.0])
def test_what_is_no_iso_date_is_an_error(day):
    with pytest.raises(SchemaError, match="dates as YYYY-MM-DD"):
        schema.conform(person(day), "candidates")


@pytest.mark.parametrize(
    ("given_value", "expected"), [("yes", True), ("No", False), (1, True), (0.0, False), (True, True), (np.True_, True)]
)
def test_flags_may_be_written_in_several_ways(given_value, expected):
    frame = pd.DataFrame({"candidate_id": ["a", "b"], "item": ["x", "x"], "asked": [given_value, None]})
    out = schema.conform(frame, "mentions")["asked"]
    assert out.iloc[0] == expected
    assert pd.isna(out.iloc[1])


def test_a_flag_that_is_neither_is_an_error():
    frame = pd.DataFrame({"candidate_id": ["a"], "item": ["x"], "asked": ["maybe"]})
    with pytest.raises(SchemaError, match="true or false"):
        schema.conform(frame, "mentions")


def theme(terms: object) -> pd.DataFrame:
    columns = {"theme_id": "t", "code": None, "kind": "emergent", "label": "l", "n_passages": 1, "n_candidates": 1}
    rest = {"stability": None, "exemplars": ["p"], "status": None}
    return pd.DataFrame([{**columns, **rest, "terms": terms}])


@pytest.mark.parametrize("terms", [["a", "b"], ("a", "b"), np.array(["a", "b"])])
def test_lists_come_back_as_lists(terms):
    assert schema.conform(theme(terms), "themes")["terms"].tolist() == [["a", "b"]]


def test_text_where_a_list_belongs_is_an_error():
    with pytest.raises(SchemaError, match="lists"):
        schema.conform(theme("a, b"), "themes")


def test_conforming_twice_changes_nothing():
    once = schema.conform(tags(passage_id=["b", "a"], stance=[None, "mixed"]), "tags")
    pd.testing.assert_frame_equal(schema.conform(once, "tags"), once)

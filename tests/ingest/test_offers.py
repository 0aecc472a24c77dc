"""The offers file: outcomes and dates as people write them, nothing guessed, nothing lost in silence."""

from __future__ import annotations

import datetime as dt

import openpyxl
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from declinethemes.errors import InputError, SchemaError, SettingsError
from declinethemes.ingest import read_offers
from declinethemes.schema import conform

HEAD = "Candidate ID,Name,Job title,Office,Status,Offer sent,Declined on,Sex\n"
ROWS = "C1,Ann Ro,Eng,Leeds,Offer declined,25/03/2025,01/04/2025,F\nC2,Bo Li,Eng,Leeds,Signed,26/03/2025,,M\n"


@pytest.fixture
def write(tmp_path):
    def write_file(text: str, name: str = "offers.csv"):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return write_file


def test_headers_and_outcome_words_find_their_place(write):
    read = read_offers(write(HEAD + ROWS))
    assert read.offers["outcome"].tolist() == ["declined", "accepted"]
    assert read.offers["role"].tolist() == ["Eng", "Eng"]
    assert read.columns["Sex"] == "gender"
    pd.testing.assert_frame_equal(conform(read.offers, "offers"), read.offers)


def test_names_are_left_out_and_that_is_said(write):
    read = read_offers(write(HEAD + ROWS))
    assert "Ann" not in read.offers.to_csv()
    assert any("Name" in note for note in read.notes)


def test_an_offer_without_an_id_is_called_by_its_row(write):
    assert read_offers(write(HEAD + ROWS)).offers["offer_id"].tolist() == ["row 2", "row 3"]


def test_a_date_of_the_file_decides_for_the_others(write):
    offers = read_offers(write(HEAD + ROWS)).offers
    assert offers["decline_date"].iloc[0] == pd.Timestamp("2025-04-01")


def test_dates_that_nothing_decides_are_asked_for(write):
    path = write("candidate_id,outcome,offer_date\nC1,accepted,03/04/2025\nC2,declined,05/06/2025\n")
    with pytest.raises(InputError, match=r"03/04/2025 \(row 2\).*--dates day or --dates month"):
        read_offers(path)
    assert read_offers(path, dates="day").offers["offer_date"].iloc[0] == pd.Timestamp("2025-04-03")
    assert read_offers(path, dates="month").offers["offer_date"].iloc[0] == pd.Timestamp("2025-03-04")


def test_mixed_dates_are_refused_with_one_of_each(write):
    path = write("candidate_id,outcome,offer_date,decline_date\nC1,declined,25/03/2025,04/25/2025\n")
    with pytest.raises(InputError, match=r"25/03/2025 \(row 2\) begins with the day, 04/25/2025 \(row 2\)"):
        read_offers(path)


def test_an_order_that_a_date_contradicts_is_refused(write):
    with pytest.raises(SchemaError, match="25/03/2025"):
        read_offers(write(HEAD + ROWS), dates="month")


def test_an_impossible_date_is_named_with_its_row(write):
    with pytest.raises(SchemaError, match=r"'30.02.2025' \(row 2\)"):
        read_offers(write("candidate_id,outcome,offer_date\nC1,accepted,30.02.2025\n"))


@pytest.mark.parametrize("word", ["rejected", "maybe"])
def test_unknown_outcome_words_are_listed_with_counts(write, word):
    path = write(f"candidate_id,outcome\nC1,accepted\nC2,{word}\nC3,{word}\nC4,lost\n")
    with pytest.raises(InputError, match=rf"3 offers.*'{word}' \(2\), 'lost' \(1\).*--outcome '{word}=declined'"):
        read_offers(path)


def test_the_user_says_what_a_word_means(write):
    path = write("candidate_id,outcome\nC1,accepted\nC2,Rejected\n")
    assert read_offers(path, outcomes={"rejected": "declined"}).offers["outcome"].tolist() == ["accepted", "declined"]
    with pytest.raises(SettingsError, match=r"unknown outcome 'decline' .did you mean 'declined'"):
        read_offers(path, outcomes={"rejected": "decline"})


def test_an_offer_without_outcome_is_kept_as_missing(write):
    assert read_offers(write("candidate_id,outcome\nC1,accepted\nC2,\n")).offers["outcome"].isna().tolist() == [
        False,
        True,
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "the file is empty"),
        ("candidate_id,outcome\n", "no row below it"),
        ("candidate_id,outcome\n,\n,\n", "row"),
        ("candidate_id,gender\nC1,F\n", "missing: outcome"),
        ("person,outcome\nC1,accepted\n", "missing: candidate_id"),
        ("candidate_id,outcome\nC1,accepted\n,declined\n", "candidate_id"),
        ("offer_id,candidate_id,outcome\nO1,C1,accepted\nO1,C2,declined\n", "each value once"),
        ("candidate_id,outcome,status\nC1,accepted,open\n", None),
    ],
)
def test_a_bad_file_is_one_clear_error(write, text, said):
    path = write(text)
    if said is None:
        assert read_offers(path).offers["status"].tolist() == ["open"]
        return
    with pytest.raises(InputError, match=said):
        read_offers(path)


def test_an_excel_file_is_read_with_its_dates(tmp_path):
    book = openpyxl.Workbook()
    book.active.append(["Candidate ID", "Outcome", "Offer date"])
    book.active.append(["C1", "Accepted", dt.datetime(2025, 4, 3)])
    book.save(tmp_path / "offers.xlsx")
    assert read_offers(tmp_path / "offers.xlsx").offers["offer_date"].tolist() == [pd.Timestamp("2025-04-03")]


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    days=st.lists(st.dates(dt.date(2020, 1, 1), dt.date(2026, 12, 31)), min_size=1, max_size=8),
    first=st.sampled_from(["day", "month"]),
)
def test_dates_are_read_right_or_not_at_all(write, days, first):
    form = "%d/%m/%Y" if first == "day" else "%m/%d/%Y"
    rows = "".join(f"C{i},accepted,{day.strftime(form)}\n" for i, day in enumerate(days))
    path = write("candidate_id,outcome,offer_date\n" + rows)
    try:
        read = read_offers(path).offers.sort_values("candidate_id")["offer_date"]
    except InputError:
        assert all(day.day <= 12 for day in days)
        read = read_offers(path, dates=first).offers.sort_values("candidate_id")["offer_date"]
    assert [stamp.date() for stamp in read] == days

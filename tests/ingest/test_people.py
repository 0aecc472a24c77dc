"""The candidates file: columns people have, no names in the table, clear errors."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from declinethemes.errors import InputError
from declinethemes.ingest import guess_columns, read_candidates, read_people
from declinethemes.ingest.dates import day_in_name, parse_day
from declinethemes.schema import conform


@pytest.fixture
def write(tmp_path):
    def write_file(text: str, name: str = "people.csv"):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return write_file


FULL = (
    "Candidate ID,Candidate,Preferred name,Personal email,Mobile,LinkedIn,Job title,Office,Seniority,Sex/Gender,"
    "Offer made,Declined on,Recruiter,Hiring manager,Documents,Team\n"
    "K2,Kofi Osei,Kof,k@mail.example,+44 113 496 0123,li/ko,Engineer,Leeds,Senior,man,2025-01-02,"
    "25/01/2025,Dana Whitlock,Ann Lee,a.txt;b.txt,Red\n"
    "K1,Priya Raman,,,,,Analyst,Austin,Junior,woman,3 Feb 2025,,Dana Whitlock;Oren Castellan,,,Blue\n"
)


def test_everything_finds_its_place(write):
    people = read_people(write(FULL))
    assert people.candidates["candidate_id"].tolist() == ["K1", "K2"]
    assert people.candidates["role"].tolist() == ["Analyst", "Engineer"]
    assert people.candidates["decline_date"].tolist()[1] == pd.Timestamp("2025-01-25")
    assert people.candidates["offer_date"].tolist()[0] == pd.Timestamp("2025-02-03")
    assert people.candidates["gender"].tolist() == ["woman", "man"]
    assert people.candidates["Team"].tolist() == ["Blue", "Red"]
    assert people.identities.columns.tolist() == ["candidate_id", "name", "nickname", "email", "phone"]
    assert people.names("K2") == ["Kofi Osei", "Kof"]
    assert people.documents == {"a.txt": "K2", "b.txt": "K2"}
    assert people.others == ("Ann Lee", "Dana Whitlock", "Oren Castellan")
    assert any("LinkedIn" in note for note in people.notes)


def test_no_name_or_contact_is_in_the_candidates_table(write):
    shown = read_candidates(write(FULL)).to_csv()
    assert not any(secret in shown for secret in ("Osei", "Kof", "Raman", "mail.example", "496", "li/ko", "Ann Lee"))


def test_the_candidates_table_conforms(write):
    candidates = read_candidates(write(FULL))
    pd.testing.assert_frame_equal(conform(candidates, "candidates"), candidates)


def test_first_and_last_name_are_put_together(write):
    people = read_people(write("id,First name,Surname\n1,Kofi,Osei\n2,Priya,\n"))
    assert people.identities["name"].tolist() == ["Kofi Osei", "Priya"]
    assert people.candidates.columns.tolist()[-1] == "reason_code"


def test_a_second_name_column_is_no_segment(write):
    people = read_people(write("id,Full name,Legal name\n1,Kofi Osei,Kofi B. Osei\n"))
    assert "Legal name" not in people.candidates.columns
    assert people.names("1") == ["Kofi Osei", "Kofi B. Osei"]


def test_a_column_that_holds_addresses_is_left_out_whatever_its_name(write):
    people = read_people(write("id,Reach\n1,k@mail.example\n2,\n"))
    assert "Reach" not in people.candidates.columns
    assert any("Reach" in note for note in people.notes)


def test_given_columns_win(write):
    path = write("Key,Sex,Gender,Mail 2,Junk\nK1,f,woman,a@b.example,x\n")
    people = read_people(
        path, {"Key": "candidate_id", "Gender": "gender", "Mail 2": "email", "Junk": "", "Shoe": "size"}
    )
    assert people.candidates["candidate_id"].tolist() == ["K1"]
    assert people.candidates["gender"].tolist() == ["woman"]
    assert "Junk" not in people.candidates.columns
    assert people.identities["email"].tolist() == ["a@b.example"]
    assert any("'Shoe'" in note for note in people.notes)


@pytest.mark.parametrize(
    ("header", "ours"),
    [
        ("ID", "candidate_id"),
        ("Applicant ID", "candidate_id"),
        ("candidateId", "candidate_id"),
        ("Applicant", "candidate_id"),
        ("Job title", "role"),
        ("Site", "location"),
        ("Level", "grade"),
        ("Sex", "gender"),
        ("Offer made", "offer_date"),
        ("Declined on", "decline_date"),
        ("E-Mail", "email"),
        ("Work e-mail", "email"),
        ("Date of birth", "contact"),
        ("Decline reason", "reason_code"),
    ],
)
def test_guesses(header, ours):
    assert guess_columns([header]) == {header: ours}


def test_unknown_headers_are_not_guessed():
    assert guess_columns(["Shoe size", "Team name"]) == {}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "empty"),
        ("candidate_id,role\n", "a header and no row"),
        ("candidate_id,role\n,\n,\n", "a header and no row"),
        ("role,gender\nx,y\n", "missing: candidate_id"),
        ("id,role\nK1,a\nK2,b\nK1,c\n", r"2 do not: 'K1' \(row 2\), 'K1' \(row 4\)"),
        ("id,role\nK1,a\n,b\n", r"row 3"),
        ("id,Declined on\nK1,03/04/2025\n", r"YYYY-MM-DD.*exchanged.*'03/04/2025' \(row 2\)"),
        ("id,Declined on\nK1,soon\n", "YYYY-MM-DD"),
        ("id,document\nK1,a.txt\nK2,a.txt\n", "two candidates: K1, K2"),
    ],
)
def test_bad_candidates_files(write, text, message):
    with pytest.raises(InputError, match=message):
        read_people(write(text))


def test_ids_that_look_like_names_are_noted(write):
    assert any("looks like names" in note for note in read_people(write("candidate,role\nKofi Osei,x\n")).notes)


def test_missing_words_are_missing_and_na_is_a_place(write):
    candidates = read_candidates(write("id,role,location\n1,N/A,NA\n2,NA,-\n"))
    assert candidates["role"].isna().all()
    assert candidates["location"].fillna("missing").tolist() == ["NA", "missing"]


@given(st.dates(min_value=pd.Timestamp("1990-01-01").date(), max_value=pd.Timestamp("2090-01-01").date()))
def test_days_in_every_clear_form(day):
    forms = [
        day.isoformat(),
        f"{day.day} {day:%B} {day.year}",
        f"{day:%b} {day.day}, {day.year}",
        f"{day.year}/{day.month}/{day.day}",
    ]
    forms += [f"{day.day}/{day.month}/{day.year}"] if day.day > 12 else []
    assert {parse_day(form) for form in forms} == {day.isoformat()}


@pytest.mark.parametrize("text", ["01/02/2025", "1.2.25", "2025-13-01", "30 Feb 2025", "yesterday", "45678"])
def test_days_that_are_not_clear(text):
    with pytest.raises(ValueError):  # noqa: PT011 - the message is made by the caller
        parse_day(text)


def test_days_in_file_names():
    assert day_in_name("K1_2025-03-04_call") == "2025-03-04"
    assert day_in_name("K1 20250304") == "2025-03-04"
    assert day_in_name("K20250399") is None

"""Whom to invite now: nobody twice, too early, after opting out, or left out without a reason; letters and calendar."""

from __future__ import annotations

import email
import json
import random
from datetime import UTC, date, datetime, timedelta, timezone
from email import policy

import pandas as pd
import pytest
from dateutil.relativedelta import relativedelta
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.cli_fixture import contents, rows, themes

import declinethemes as dt
from declinethemes import schema
from declinethemes.errors import SchemaError, SettingsError
from declinethemes.ingest import read_addresses, read_contacts
from declinethemes.prepare import invitations, to_calendar
from declinethemes.prepare.outreach import REASONS, add_months
from declinethemes.store import Store

__all__ = ["themes"]
TODAY = date(2026, 3, 1)
SIGNED = {"company": "Northwind", "sender": "Dana Roe"}


def offers(*made, **columns):
    """Return an offers table of (candidate, outcome, decline date) rows."""
    frame = pd.DataFrame(made, columns=["candidate_id", "outcome", "decline_date"])
    return frame.assign(offer_id=[f"O{place}" for place in range(len(frame))], **columns)


def declined(n, day="2025-11-15", **columns):
    return offers(*[(f"K{place:03d}", "declined", day) for place in range(n)], **columns)


def contacts(*events):
    return pd.DataFrame([(*event, "2026-01-01") for event in events], columns=["candidate_id", "event", "at"])


def reason(batch, candidate="K"):
    return batch.left_out.set_index("candidate_id")["reason"].get(candidate)


# --- whatever the offers table -------------------------------------------------------------------------------------

DAYS = st.one_of(st.none(), st.dates(date(2025, 8, 1), date(2026, 4, 1)), st.sampled_from([date(2024, 2, 29), TODAY]))
PEOPLE = [f"K{place}" for place in range(8)]
OFFERS = st.lists(
    st.tuples(
        st.sampled_from(PEOPLE),
        st.sampled_from(["declined", "declined", "declined", "accepted", "pending", "withdrawn", None]),
        DAYS,
        DAYS,
        st.sampled_from(["a@x.org", "b@x.org", None, None, None]),
        st.sampled_from(["woman", "man", None]),
    ),
    max_size=14,
)
CONTACTS = st.sets(
    st.tuples(st.sampled_from(PEOPLE), st.sampled_from(["invited", "answered", "refused", "opted_out"])), max_size=4
)
CAPACITY = st.one_of(st.none(), st.integers(1, 5))


def table(drawn):
    columns = ["candidate_id", "outcome", "offer_date", "decline_date", "email", "gender"]
    frame = pd.DataFrame(drawn, columns=columns, dtype="object")
    return frame.assign(offer_id=[f"O{place}" for place in range(len(frame))])


@given(OFFERS, CONTACTS, CAPACITY, st.dates(date(2025, 11, 1), date(2026, 8, 31)))
@settings(deadline=None, max_examples=100)
def test_nobody_is_invited_too_early_after_a_contact_or_left_out_without_a_reason(drawn, events, capacity, today):
    frame, happened = table(drawn), contacts(*sorted(events))
    batch = dt.outreach_batch(frame, today=today, contacts=happened, capacity=capacity, by="gender")
    parts = [batch.due, batch.overdue, batch.early, batch.left_out]
    listed = [str(name) for part in parts for name in part["candidate_id"]]
    assert sorted(listed) == sorted(set(frame["candidate_id"]))
    assert batch.left_out["reason"].isin(REASONS).all()
    assert batch.left_out["detail"].notna().all()
    for name in batch.due["candidate_id"]:
        own = frame[frame["candidate_id"] == name]
        assert set(own["outcome"]) <= {"declined", "withdrawn"}
        assert name not in {candidate for candidate, _ in events}
        days = list(own.loc[own["outcome"] == "declined", "decline_date"])
        assert None not in days
        assert max(days) + relativedelta(months=3) <= today <= max(days) + relativedelta(months=4)
    addresses = frame[frame["candidate_id"].isin(batch.due["candidate_id"])].dropna(subset="email")
    assert not addresses.drop_duplicates(["email", "candidate_id"])["email"].duplicated().any()
    assert len(batch.due) <= (capacity or len(frame))


@given(OFFERS, CAPACITY)
@settings(deadline=None, max_examples=12)
def test_over_a_year_of_rounds_nobody_is_invited_twice(drawn, capacity):
    frame, invited = table(drawn), []
    for number in range(12):
        today = date(2025, 10, 1) + timedelta(weeks=4 * number)
        batch = dt.outreach_batch(
            frame, today=today, contacts=contacts(*[(k, "invited") for k in invited]), capacity=capacity
        )
        invited += list(batch.due["candidate_id"])
    assert len(invited) == len(set(invited))


@given(OFFERS, st.dates(date(2025, 11, 1), date(2026, 8, 31)), st.sampled_from([(3, 4), (1, 2), (0, 1), (3, 6)]))
@settings(deadline=None, max_examples=50)
def test_whoever_is_too_early_is_due_on_one_of_the_outreach_days(drawn, today, window):
    frame = table(drawn)
    batch = dt.outreach_batch(frame, today=today, window=window)
    for row in batch.early.itertuples():
        planned = [day for day, ids in zip(batch.days["day"], batch.days["candidates"], strict=True)
                   if row.candidate_id in ids]  # fmt: skip
        assert len(planned) == 1
        assert row.due_from <= planned[0] <= row.due_until


@given(OFFERS, CONTACTS, CAPACITY, st.integers(0, 3), st.randoms(use_true_random=False))
@settings(deadline=None, max_examples=40)
def test_order_of_rows_changes_nothing(drawn, events, capacity, seed, shuffle):
    frame, happened = table(drawn), contacts(*sorted(events))
    options = {"today": TODAY, "capacity": capacity, "by": "gender", "random_state": seed}
    order = shuffle.sample(range(len(frame)), len(frame))
    one = dt.outreach_batch(frame, contacts=happened, **options)
    other = dt.outreach_batch(frame.iloc[order], contacts=happened.iloc[::-1], **options)
    for part in ("due", "overdue", "early", "left_out", "balance", "days"):
        pd.testing.assert_frame_equal(getattr(one, part), getattr(other, part))


# --- days ----------------------------------------------------------------------------------------------------------


@given(st.dates(date(1999, 1, 1), date(2105, 12, 31)), st.integers(0, 40))
def test_months_are_added_as_the_calendar_has_them(day, months):
    assert add_months(day, months) == day + relativedelta(months=months)


@pytest.mark.parametrize(
    ("decline", "today", "state"),
    [
        ("2025-11-29", date(2026, 2, 27), "early"),
        ("2025-11-29", date(2026, 2, 28), "due"),
        ("2025-11-30", date(2026, 2, 28), "due"),
        ("2023-11-30", date(2024, 2, 28), "early"),
        ("2023-11-30", date(2024, 2, 29), "due"),
        ("2025-11-30", date(2026, 3, 30), "due"),
        ("2025-11-30", date(2026, 3, 31), "overdue"),
        ("2024-02-29", date(2024, 6, 29), "due"),
        ("2024-02-29", date(2024, 6, 30), "overdue"),
        ("2025-10-31", date(2026, 2, 28), "due"),
        ("2025-10-31", date(2026, 3, 1), "overdue"),
    ],
)
def test_leap_days_and_month_ends(decline, today, state):
    batch = dt.outreach_batch(offers(("K", "declined", decline)), today=today)
    assert [name for name in ("early", "due", "overdue") if len(getattr(batch, name))] == [state]


def test_a_time_counts_as_the_day_in_its_own_zone():
    west, east = timezone(timedelta(hours=-8)), timezone(timedelta(hours=13))
    frame = offers(("K", "declined", datetime(2025, 11, 30, 23, 30, tzinfo=west)))
    assert dt.outreach_batch(frame, today=TODAY).due["decline_date"].tolist() == [pd.Timestamp("2025-11-30")]
    at = datetime(2026, 2, 28, 0, 30, tzinfo=east)
    assert at.astimezone(UTC).date() == date(2026, 2, 27)
    assert len(dt.outreach_batch(frame, today=at).due) == 1


def test_the_window_can_be_set():
    frame = declined(1, day="2025-09-10")
    assert len(dt.outreach_batch(frame, today=TODAY).overdue) == 1
    assert len(dt.outreach_batch(frame, today=TODAY, window=(3, 6)).due) == 1


# --- who is left out -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        ([("K", "accepted", None)], "accepted an offer"),
        ([("K", "declined", "2025-11-15"), ("K", "accepted", None)], "accepted an offer"),
        ([("K", "declined", "2025-11-15"), ("K", "pending", None)], "offer still open"),
        ([("K", "declined", "2025-11-15"), ("K", None, None)], "outcome missing"),
        ([("K", "withdrawn", None)], "did not decline"),
        ([("K", "declined", None)], "decline date missing"),
        ([("K", "declined", "2025-11-15"), ("K", "declined", None)], "decline date missing"),
        ([("K", "declined", "2026-03-02")], "decline date in the future"),
        ([("K", "declined", "2025-11-15"), ("K", "declined", "2026-07-02")], "decline date in the future"),
    ],
)
def test_why_somebody_is_left_out(made, expected):
    assert reason(dt.outreach_batch(offers(*made), today=TODAY)) == expected


def test_a_decline_before_its_offer_is_left_out():
    batch = dt.outreach_batch(offers(("K", "declined", "2025-11-15"), offer_date="2025-11-16"), today=TODAY)
    assert reason(batch) == "declined before the offer"


@pytest.mark.parametrize("event", ["invited", "answered", "refused", "opted_out"])
def test_whoever_was_contacted_is_left_out(event):
    batch = dt.outreach_batch(declined(2), today=TODAY, contacts=contacts(("K000", event)))
    assert batch.due["candidate_id"].tolist() == ["K001"]
    assert event.split("_")[0] in reason(batch, "K000")


def test_opting_out_is_the_reason_that_is_given_first():
    happened = contacts(("K000", "invited"), ("K000", "answered"), ("K000", "opted_out"))
    assert reason(dt.outreach_batch(declined(1), today=TODAY, contacts=happened), "K000") == "opted out"


def test_of_two_offers_the_last_decline_counts_once():
    batch = dt.outreach_batch(
        offers(("K", "declined", "2025-09-01"), ("K", "declined", "2025-11-15")), today=TODAY, capacity=5
    )
    assert batch.due[["candidate_id", "offer_id"]].values.tolist() == [["K", "O1"]]
    assert batch.due["note"].tolist() == ["the last of 2 declined offers counts"]


def test_two_ids_with_one_e_mail_are_one_person():
    frame = declined(3).assign(email=["A@x.org", " a@X.org;other@x.org", "other@x.org"])
    batch = dt.outreach_batch(frame, today=TODAY)
    assert len(batch.due) == 1
    assert batch.left_out["reason"].tolist() == ["same person"] * 2
    gone = dt.outreach_batch(frame, today=TODAY, contacts=contacts(("K002", "opted_out")))
    assert gone.left_out["reason"].tolist() == ["opted out"] * 3


def test_an_outcome_in_other_words_is_an_error_that_lists_it():
    with pytest.raises(SchemaError, match=r"one of accepted, declined, pending, withdrawn.*'said no'"):
        dt.outreach_batch(offers(("K", "said no", "2025-11-15")), today=TODAY)


def test_no_offers_are_no_batch():
    batch = dt.outreach_batch(schema.empty("offers"), today=TODAY)
    assert [len(part) for part in (batch.due, batch.overdue, batch.early, batch.left_out, batch.days)] == [0] * 5


def test_names_and_addresses_are_in_no_result():
    frame = declined(2).assign(name="Ada Byron", email=["ada@x.org", "b@x.org"], phone="+1 555", gender="woman")
    batch = dt.outreach_batch(frame, today=TODAY, capacity=1, by="gender")
    parts = (batch.due, batch.left_out, batch.balance, batch.days)
    text = "".join(part.to_csv() for part in parts) + batch._repr_html_()
    assert [word for word in ("Ada", "ada@", "555") if word in text] == []
    assert "gender" in batch.to_frame().columns


def test_the_offers_are_not_changed():
    frame = declined(5).assign(gender=["woman", "man", None, "man", "man"])
    before = frame.copy()
    dt.outreach_batch(frame, today=TODAY, capacity=2, by="gender")
    pd.testing.assert_frame_equal(frame, before)


def test_a_column_of_the_users_called_note_does_not_get_in_the_way():
    batch = dt.outreach_batch(declined(1).assign(note="said to be angry"), today=TODAY)
    assert batch.due["note"].isna().all()


# --- limited capacity ----------------------------------------------------------------------------------------------


def chosen(batch):
    return dict(zip(batch.balance["level"], batch.balance["n_chosen"], strict=True))


@pytest.mark.parametrize(
    ("sizes", "capacity", "expected"),
    [
        ({"man": 20, "woman": 20}, 10, {"man": 5, "woman": 5}),
        ({"man": 20, "woman": 12}, 7, {"man": 4, "woman": 3}),
        ({"man": 12, "woman": 20}, 7, {"man": 3, "woman": 4}),
        ({"man": 20, "woman": 2}, 10, {"man": 8, "woman": 2}),
        ({"man": 20, "woman": 9, "non-binary": 1}, 9, {"man": 4, "woman": 4, "non-binary": 1}),
        ({"man": 4, None: 4}, 4, {"man": 2, "not disclosed": 2}),
    ],
)
def test_levels_are_heard_equally_and_the_rest_goes_by_size(sizes, capacity, expected):
    gender = [level for level, n in sizes.items() for _ in range(n)]
    batch = dt.outreach_batch(declined(len(gender)).assign(gender=gender), today=TODAY, capacity=capacity, by="gender")
    assert chosen(batch) == expected
    assert batch.reasons == {"beyond the capacity": len(gender) - capacity}


def test_those_who_answered_before_count_as_heard():
    gender = ["man"] * 10 + ["woman"] * 10
    happened = contacts(*[(f"K{place:03d}", "answered") for place in range(4)])
    batch = dt.outreach_batch(
        declined(20).assign(gender=gender), today=TODAY, capacity=6, by="gender", contacts=happened
    )
    assert chosen(batch) == {"man": 1, "woman": 5}
    assert batch.balance["n_heard"].tolist() == [4, 0]


def test_every_level_of_several_segments_is_heard():
    source = random.Random(3)
    frame = declined(80).assign(
        gender=[source.choice(["man"] * 5 + ["woman"]) for _ in range(80)],
        role=[source.choice(["engineer"] * 6 + ["designer", "writer"]) for _ in range(80)],
    )
    batch = dt.outreach_batch(frame, today=TODAY, capacity=12, by=["gender", "role"])
    by = {name: part.set_index("level")["n_chosen"] for name, part in batch.balance.groupby("segment")}
    assert by["gender"].min() >= 5
    assert by["role"].min() >= 3


def test_the_draw_is_seeded_and_random_within_a_level():
    frame = declined(30).assign(gender=["man", "woman"] * 15)
    draws = [
        tuple(dt.outreach_batch(frame, today=TODAY, capacity=6, by="gender", random_state=seed).due["candidate_id"])
        for seed in (0, 0, 1, 2, 3)
    ]
    assert draws[0] == draws[1]
    assert len(set(draws)) == 4


def test_without_segments_everybody_has_the_same_chance():
    frame = declined(6)
    counts = pd.Series(0, index=sorted(frame["candidate_id"]))
    for seed in range(90):
        counts[dt.outreach_batch(frame, today=TODAY, capacity=2, random_state=seed).due["candidate_id"]] += 1
    assert counts.sum() == 180
    assert counts.between(14, 46).all()  # 30 expected, standard deviation 4.5


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"capacity": 0}, "1 or more; found 0"),
        ({"capacity": -3}, "1 or more; found -3"),
        ({"capacity": 1.5}, "1 or more; found 1.5"),
        ({"window": (4, 3)}, "smaller first, such as 3 4; found 4 3"),
        ({"window": (3, 3)}, "found 3 3"),
        ({"window": (-1, 3)}, "found -1 3"),
        ({"by": "gendr"}, "unknown segment column 'gendr'.*did you mean 'gender'"),
        ({"by": "email"}, "unknown segment column 'email'"),
        ({"by": "decline_date"}, "unknown segment column"),
        ({"today": "2026-03-01"}, "today should be a date"),
        ({"today": pd.NaT}, "today should be a date"),
    ],
)
def test_what_makes_no_sense_is_an_error(options, message):
    frame = declined(2).assign(gender="woman", email="a@x.org")
    with pytest.raises(SettingsError, match=message):
        dt.outreach_batch(frame, **({"today": TODAY} | options))


# --- the calendar --------------------------------------------------------------------------------------------------


def events(text):
    """Return the events of a calendar file as dicts, its lines unfolded."""
    lines = text.replace("\r\n ", "").split("\r\n")
    found: list[dict[str, str]] = []
    for line in lines:
        if line == "BEGIN:VEVENT":
            found.append({})
        elif found and ":" in line:
            found[-1].setdefault(*line.split(":", 1))
    return found


def test_the_calendar_is_folded_and_its_lines_end_as_they_should():
    text = to_calendar(dt.outreach_batch(declined(90), today=TODAY), company="Møller; Søn, & Dóttir \\ " + "ø" * 60)
    assert text.endswith("END:VCALENDAR\r\n")
    assert "\n" not in text.replace("\r\n", "")
    assert max(len(line.encode()) for line in text.split("\r\n")) <= 75
    assert f"SUMMARY:Outreach for Møller\\; Søn\\, & Dóttir \\\\ {'ø' * 60}: 90" in text.replace("\r\n ", "")


def test_outreach_days_are_all_day_events_without_a_time_zone():
    frame = offers(("A", "declined", "2025-11-15"), ("B", "declined", "2025-12-20"), ("C", "declined", "2026-02-28"))
    batch = dt.outreach_batch(frame, today=TODAY)
    found = events(to_calendar(batch))
    assert [event["DTSTART;VALUE=DATE"] for event in found] == ["20260301", "20260401", "20260601"]
    assert [event["DTEND;VALUE=DATE"] for event in found] == ["20260302", "20260402", "20260602"]
    assert [event["DESCRIPTION"].split("\\n")[1] for event in found] == ["A", "B", "C"]
    assert {event["DTSTAMP"] for event in found} == {"20260301T000000Z"}
    assert len({event["UID"] for event in found}) == 3
    assert to_calendar(batch) == to_calendar(batch)


# --- the letters ---------------------------------------------------------------------------------------------------


def letters(template=None, values=None, people=None, **columns):
    batch = dt.outreach_batch(declined(1, role="engineer", **columns), today=TODAY)
    known = {"candidate_id": ["K000"], "name": ["Zoë Ünal"], "email": ["zoe@example.com"]}
    return invitations(batch, pd.DataFrame(known | (people or {})), values=SIGNED | (values or {}), template=template)


def test_the_draft_is_an_e_mail_that_was_never_sent():
    (letter,) = letters(values={"sender_email": "dana@northwind.example"})
    message = email.message_from_bytes(letter.draft, policy=policy.default)
    assert message["To"].addresses[0].addr_spec == "zoe@example.com"
    assert message["To"].addresses[0].display_name == "Zoë Ünal"
    assert message["From"].addresses[0].addr_spec == "dana@northwind.example"
    assert (message["X-Unsent"], message["Date"]) == ("1", None)
    assert message.get_content().replace("\r\n", "\n") == letter.body
    assert b"\n" not in letter.draft.replace(b"\r\n", b"")


@pytest.mark.parametrize(
    "said",
    [
        "Zoë Ünal", "engineer", "Northwind", "Dana Roe", "trust your judgement", "not an attempt to change it",
        "lose fewer people", "30 minutes", "What is recorded", "only if you agree", "consent", "not ask again",
    ],
)  # fmt: skip
def test_the_shipped_letter_says_what_it_must(said):
    assert said in letters()[0].body


def test_an_incentive_is_mentioned_only_if_there_is_one():
    assert "thank-you" not in letters()[0].body
    assert "a donation, whatever you tell us" in letters(values={"incentive": "a donation"})[0].body


def test_an_unknown_field_is_an_error_that_lists_those_there_are():
    with pytest.raises(SettingsError, match=r"unknown field 'nmae' \(did you mean 'name'\?\); there are: .*company"):
        letters("Subject: x\n\nDear {% if role %}x{% else %}{{ nmae }}{% endif %}")


def test_segments_are_no_field_of_a_letter():
    with pytest.raises(SettingsError, match="unknown field 'gender'"):
        letters("Subject: x\n\n{{ gender }}", gender="woman")


def test_a_field_of_ones_own_is_given_with_its_value():
    assert letters("Subject: {{ first_name }}\n\n{{ town }}", {"town": "Lisbon"})[0].body == "Lisbon\n"


def test_days_and_names_come_as_people_write_them():
    (letter,) = letters(
        "Subject: x\n\n{{ first_name }} {{ decline_date }}|{{ offer_date }}|", people={"name": ["Ünal, Zoë K."]}
    )
    assert letter.body == "Zoë 15 November 2025||\n"


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("Subject: x\n\n{{ name", "cannot be read, line 3"),
        ("Dear {{ name }}", "begin with a line 'Subject: ...'"),
        ("Subject: x\n", "begin with a line 'Subject: ...'"),
        ("Subject: x\n\n{{ name.nothing }}", "cannot be filled in for K000"),
        ("Subject: x\n\n{{ ''.__class__.__mro__ }}", "cannot be filled in for K000"),
        ("Subject: x\n\n{{ 1 / 0 }}", "cannot be filled in for K000"),
    ],
)
def test_a_broken_template_says_what_is_wrong(template, message):
    with pytest.raises(SettingsError, match=message):
        letters(template)


def test_a_letter_needs_somebody_who_signs_it():
    with pytest.raises(SettingsError, match="needs sender: give --sender"):
        letters(values={"sender": " "})
    assert letters("Subject: x\n\nHello", {"sender": "", "company": ""})[0].body == "Hello\n"


def test_a_bad_address_of_the_sender_is_an_error():
    with pytest.raises(SettingsError, match="'dana' is no e-mail address"):
        letters(values={"sender_email": "dana"})


@pytest.mark.parametrize(
    "address", [None, "nobody", "a@b", "a b@x.org", "@x.org", "a@x..org", "a@x.org\nBcc: all@x.org"]
)
def test_without_an_address_that_works_there_is_a_text_and_a_note(address):
    (letter,) = letters(people={"email": [address]})
    assert letter.draft is None
    assert letter.note
    assert letter.body


def test_a_line_break_in_a_name_adds_no_header():
    (letter,) = letters(people={"name": ["Eve\r\nBcc: all@x.org"]})
    assert "Bcc" not in email.message_from_bytes(letter.draft, policy=policy.default)


# --- files and the study -------------------------------------------------------------------------------------------

OFFERS_FILE = (
    "Candidate,Full name,E-mail,Job title,Gender,Outcome,Declined on\n"
    "K1,Ada Byron,ada@example.com,engineer,woman,Declined,2025-11-15\n"
    "K2,Bo Li,bo@example.com,engineer,man,Declined,2025-11-20\n"
    "../K3,Cy Nox,cy@example.com,engineer,man,Declined,2025-11-25\n"
    "K4,Di Orr,di@example.com,designer,woman,Accepted,\n"
    "K5,Ed Poe,ed@example.com,designer,man,Declined,\n"
)


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "offers.csv"
    path.write_text(OFFERS_FILE, encoding="utf-8")
    return path


def run(themes, file, *options):
    assert themes("outreach", file, "--today", "2026-03-01", *options) == 0, themes.err
    return themes.out


def test_the_batch_goes_to_stdout_and_the_rest_is_said(themes, file):
    out = run(themes, file)
    assert [line.split(",")[0] for line in out.splitlines()] == ["candidate_id", "../K3", "K1", "K2"]
    assert "left out               1 accepted an offer, 1 decline date missing" in themes.err
    assert "look at K5: decline date missing" in themes.err
    assert "example.com" not in out + themes.err


def test_json_has_every_list(themes, file):
    found = json.loads(run(themes, file, "--json", "--capacity", 1, "--by", "gender"))
    assert (len(found["due"]), found["capacity"], found["window"]) == (1, 1, [3, 4])
    assert {row["reason"] for row in found["left_out"]} == {
        "beyond the capacity", "accepted an offer", "decline date missing",
    }  # fmt: skip
    assert found["due"][0]["due_from"].startswith("2026-02-")


def test_letters_and_calendar_are_written_and_private(themes, file, tmp_path):
    run(themes, file, "--out", tmp_path / "o", "--company", "Northwind", "--sender", "Dana <dana@northwind.example>")
    folder = tmp_path / "o" / "invitations"
    assert sorted(path.name for path in folder.iterdir()) == [
        "K1.eml", "K1.txt", "K2.eml", "K2.txt", "_K3.eml", "_K3.txt",
    ]  # fmt: skip
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}
    assert (folder / "K1.txt").read_text(encoding="utf-8").startswith("Subject: Your view of how we hire at Northwind")
    assert (tmp_path / "o" / "outreach.ics").read_bytes().startswith(b"BEGIN:VCALENDAR\r\n")
    tables = "".join(path.read_text(encoding="utf-8") for path in (tmp_path / "o").glob("*.*"))
    assert "Ada" not in tables
    assert "example.com" not in tables


def test_letters_of_an_earlier_run_are_not_mixed_with_new_ones(themes, file, tmp_path):
    options = ["--out", tmp_path / "o", "--company", "N", "--sender", "D", "--today", "2026-03-01"]
    assert themes("outreach", file, *options) == 0
    assert "holds letters of an earlier run" in themes.fails("outreach", file, *options)


def test_ids_that_would_share_a_file_name_get_one_each(themes, tmp_path):
    path = tmp_path / "offers.csv"
    rows_ = "".join(f"{name},declined,2025-11-15\n" for name in ("a/1", "a_1", "A_1"))
    path.write_text("candidate_id,outcome,decline_date\n" + rows_, encoding="utf-8")
    run(themes, path, "--out", tmp_path / "o", "--company", "N", "--sender", "D")
    names = [file.name.casefold() for file in (tmp_path / "o" / "invitations").iterdir()]
    assert len(set(names)) == 3


def test_an_unknown_field_in_the_template_file_is_one_clear_error(themes, file, tmp_path):
    (tmp_path / "mine.txt").write_text("Subject: x\n\nDear {{ nam }}", encoding="utf-8")
    message = themes.fails(
        "outreach", file, "--today", "2026-03-01", "--out", tmp_path / "o", "--template", tmp_path / "mine.txt"
    )
    assert "unknown field 'nam' (did you mean 'name'?)" in message
    assert not (tmp_path / "o").exists()


def test_a_field_can_be_set_on_the_command_line(themes, file, tmp_path):
    (tmp_path / "mine.txt").write_text("Subject: x\n\n{{ name }}: {{ place }}", encoding="utf-8")
    run(themes, file, "--out", tmp_path / "o", "--template", tmp_path / "mine.txt", "--set", "place=Lisbon = home")
    text = (tmp_path / "o" / "invitations" / "K2.txt").read_text(encoding="utf-8")
    assert text.endswith("Bo Li: Lisbon = home\n")


def test_marked_as_invited_nobody_is_due_again(themes, file, tmp_path):
    study = tmp_path / "study"
    run(themes, file, "--study", study, "--capacity", 2, "--mark-invited")
    again = run(themes, file, "--study", study, "--mark-invited").splitlines()
    assert len(again) == 2
    assert "2 invited already" in themes.err
    assert len(run(themes, file, "--study", study).splitlines()) == 1
    assert len(rows(study, "select * from contacts where event = 'invited' and at = '2026-03-01'")) == 3
    assert "Ada" not in contents(study)["study.db"]
    assert "example.com" not in contents(study)["study.db"]


def test_events_from_a_file_are_added_and_never_taken_away(themes, file, tmp_path):
    study, events_file = tmp_path / "study", tmp_path / "contacts.csv"
    events_file.write_text("candidate,event,date\nK1,Opted out,2026-02-01\nK2,answered,2026-02-01T09:30:00+01:00\n")
    assert themes("outreach", "--record", events_file, "--study", study) == 0
    assert "2 contact events recorded, 0 were known" in themes.err
    events_file.write_text("candidate,event,date\nK1,invited,2026-01-01\n")
    run(themes, file, "--record", events_file, "--study", study)
    assert rows(study, "select event from contacts order by candidate_id, event") == [
        ("invited",), ("opted_out",), ("answered",),
    ]  # fmt: skip
    assert "1 opted out, 1 answered already" in themes.err


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--mark-invited"], "give --study DIR"),
        (["--capacity", "0"], "1 or more; found 0"),
        (["--window", "4", "3"], "smaller first"),
        (["--today", "03/04/2026"], "--today should be a day as YYYY-MM-DD"),
        (["--set", "place"], "--set should be NAME=VALUE"),
        (["--by", "shoe"], "unknown segment column 'shoe'"),
    ],
)
def test_wrong_options_are_one_clear_error(themes, file, options, said):
    assert said in themes.fails("outreach", file, *options)


def test_neither_offers_nor_events_is_wrong_usage(themes):
    assert themes("outreach") == 2


def test_the_segments_of_the_study_are_balanced_without_asking(themes, file, tmp_path):
    study = tmp_path / "study"
    study.mkdir()
    (study / "study.toml").write_text(
        '[segments]\nuse = ["gender", "age"]\n[segments.underrepresented]\nany = { gender = ["woman", "other"] }\n'
    )
    found = json.loads(run(themes, file, "--study", study, "--capacity", 2, "--json"))
    assert found["by"] == ["underrepresented", "gender"]
    assert "no column 'age'" in themes.err


def test_a_study_begun_with_the_outreach_can_be_run(themes, file, tmp_path):
    run(themes, file, "--study", tmp_path / "study", "--mark-invited")
    people = tmp_path / "candidates.csv"
    people.write_text("candidate_id,gender\nK1,woman\nK2,man\nK6,woman\n", encoding="utf-8")
    study = dt.Study.create(tmp_path / "study", candidates=people)
    assert study.settings.segments == ("gender",)
    assert len(study.store.read("contacts")) == 3


def test_the_store_adds_rows_once():
    store = Store(None)
    assert store.append("contacts", contacts(("K1", "invited"), ("K2", "invited"))) == 2
    assert store.append("contacts", contacts(("K2", "invited"), ("K2", "refused"))) == 1
    assert len(store.read("contacts")) == 3


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("candidate_id,event\nK1,invited\n", "missing: at"),
        ("candidate_id,event,at\nK1,phoned,2026-01-01\n", "one of invited, answered, refused, opted_out.*'phoned'"),
        ("candidate_id,event,at\nK1,invited,03/04/2026\n", r"1 do not: '03/04/2026' \(row 2\)"),
        ("candidate_id,event,at\nK1,invited,\n", "none missing"),
    ],
)
def test_a_file_of_events_that_cannot_be_used_says_why(tmp_path, text, message):
    (tmp_path / "c.csv").write_text(text, encoding="utf-8")
    with pytest.raises(SchemaError, match=message):
        read_contacts(tmp_path / "c.csv")


def test_addresses_are_put_together_by_candidate(tmp_path):
    (tmp_path / "o.csv").write_text(
        "candidate_id,first name,surname,email\nK1,,,a@x.org\nK1,Ada,Byron,b@x.org\nK2,,,\nK1,,,a@x.org\n"
    )
    found = read_addresses(tmp_path / "o.csv").astype("object").where(lambda frame: frame.notna(), None)
    assert found.values.tolist() == [["K1", "Ada Byron", "a@x.org;b@x.org"], ["K2", None, None]]


def test_the_guide_command_writes_guide_and_form(themes, tmp_path):
    assert themes("guide", "--out", tmp_path / "g.html", "--form", tmp_path / "f.docx", "--minutes", 45) == 0
    assert "45 minutes" in (tmp_path / "g.html").read_text(encoding="utf-8")
    assert (tmp_path / "f.docx").read_bytes().startswith(b"PK")
    assert themes("guide") == 0
    assert themes.out.startswith("# Interview guide")
    assert "'.pdf' is not written here" in themes.fails("guide", "--out", tmp_path / "g.pdf")

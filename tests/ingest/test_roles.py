"""Who is the candidate: by name, by label, else marked as doubtful."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from declinethemes.ingest import assign_roles
from declinethemes.ingest.cues import Cue, heading, to_turns


def roles(lines, candidate=(), others=()) -> list[tuple[object, object]]:
    out = assign_roles(to_turns([Cue(speaker=s, text=t) for s, t in lines], "x"), candidate, others)
    return [
        (None if pd.isna(role) else role, None if pd.isna(basis) else basis)
        for role, basis in zip(out["speaker_role"], out["role_basis"], strict=True)
    ]


TALK = [("{0}", "Why did you decline?"), ("{1}", "The pay was low and it took a long time."), ("{0}", "What else?")]


def talk(interviewer: str, candidate: str) -> list[tuple[str, str]]:
    return [(who.format(interviewer, candidate), text) for who, text in TALK]


@pytest.mark.parametrize(
    "label",
    [
        "José Osei",
        "jose osei",
        "OSEI, José",
        "José B. Osei",
        "J. Osei",
        "José O.",
        "José",
        "José Osei (Guest)",
        "Dr José Osei",
        "jose.osei@mail.example",
        "José Osei | Leeds",
    ],
)
def test_by_name(label):
    assert roles(talk("Dana Whitlock", label), ["José Osei"]) == [
        ("interviewer", "name"),
        ("candidate", "name"),
        ("interviewer", "name"),
    ]


def test_a_nickname_is_a_name():
    assert roles(talk("Dana", "Pepe"), ["José Osei", "Pepe"])[1] == ("candidate", "name")


def test_a_shared_first_name_does_not_decide():
    found = roles(talk("Ann Lee", "Ann"), ["Ann Bell"])
    assert found[1] == ("candidate", "talk (doubtful)")


def test_who_shares_the_first_name_of_the_candidate_gets_no_role():
    found = roles([*talk("Dana", "Ann Bell"), ("Ann", "Hello.")], ["Ann Bell"])
    assert found[1] == ("candidate", "name")
    assert found[3] == (None, None)


def test_by_label():
    assert roles(talk("Interviewer 1", "Interviewee"))[1] == ("candidate", "label")
    assert roles(talk("Dana Whitlock (Recruiter)", "Somebody"))[:2] == [
        ("interviewer", "label"),
        ("candidate", "label"),
    ]


def test_by_the_name_of_the_other():
    assert roles(talk("Dana Whitlock", "iPhone"), ["José Osei"], ["Dana Whitlock"])[:2] == [
        ("interviewer", "name"),
        ("candidate", "name"),
    ]


def test_a_panel():
    found = roles([*talk("Dana", "José Osei"), ("Oren", "And the team?"), ("Craig", "Thanks.")], ["José Osei"])
    assert [role for role, _ in found] == ["interviewer", "candidate", "interviewer", "interviewer", "interviewer"]


def test_who_asks_less_and_talks_more_is_marked_doubtful():
    found = roles(talk("Speaker 1", "Speaker 2"))
    assert found[1] == ("candidate", "talk (doubtful)")
    assert found[0] == ("interviewer", "talk (doubtful)")


def test_one_speaker_only():
    assert roles([("Speaker 1", "It was the pay.")]) == [("candidate", "only speaker (doubtful)")]
    assert roles([("Dana Whitlock", "Hello?")], (), ["Dana Whitlock"]) == [("interviewer", "name")]


def test_equal_talk_decides_nothing():
    assert roles([("A", "one two"), ("B", "one two")]) == [(None, None), (None, None)]


def test_turns_without_a_speaker_get_no_role():
    assert roles([(None, "Who is it?"), ("José", "Me.")], ["José Osei"])[0] == (None, None)


def test_headings_and_notes_keep_their_roles_and_the_input_is_unchanged():
    turns = to_turns([heading("Why?"), Cue(text="Pay.", role="candidate", basis="note", speaker="Dana")], "x")
    before = turns.copy()
    pd.testing.assert_frame_equal(assign_roles(turns, ["José Osei"], ["Dana"]), before)
    pd.testing.assert_frame_equal(turns, before)


@given(
    st.lists(st.tuples(st.sampled_from(["A", "B", "C", None]), st.sampled_from(["yes", "why?", "a b c"])), max_size=10)
)
def test_there_is_at_most_one_candidate_where_no_name_decides(lines):
    turns = to_turns([Cue(speaker=s, text=t) for s, t in lines], "x")
    out = assign_roles(turns)
    assert len(set(out.loc[(out["speaker_role"] == "candidate").fillna(False), "speaker"])) <= 1
    assert (out["speaker_role"].isna() == out["role_basis"].isna()).all()

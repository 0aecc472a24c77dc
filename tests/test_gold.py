"""Coded quotes are carried over to the passages they overlap, wherever the splitter cut."""

from __future__ import annotations

import pandas as pd
import pytest

from declinethemes import schema
from declinethemes.errors import InputError
from declinethemes.tag.gold import project

FIRST = "The pay was low. "
SECOND = "The process took nine weeks."


def turns(*rows: tuple[str, int, str, str]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["document_id", "turn_no", "speaker_role", "text"])
    return schema.conform(frame.assign(speaker=None, role_basis="label", start_s=None, end_s=None), "turns")


def passages(*rows: tuple[str, int, int, int, str]) -> pd.DataFrame:
    """(document, turn, start, end, text)."""
    frame = pd.DataFrame(rows, columns=["document_id", "turn_no", "start_char", "end_char", "text"])
    ids = [f"p{i}" for i in range(len(rows))]
    return schema.conform(frame.assign(passage_id=ids, candidate_id="c", prompt=None), "passages")


def gold(*rows: dict[str, object]) -> pd.DataFrame:
    base = {"document_id": "d", "occurrence": 1, "speaker_role": "candidate", "stance": "negative", "theme": None}
    return pd.DataFrame([{**base, "code": "competitiveness.offer", **row} for row in rows])


TURNS = turns(("d", 0, "interviewer", "How was the pay?"), ("d", 1, "candidate", FIRST + SECOND))
HALVES = passages(("d", 1, 0, 16, FIRST.strip()), ("d", 1, 17, 45, SECOND))


def tagged(*rows: dict[str, object], units: pd.DataFrame = HALVES, spoken: pd.DataFrame = TURNS) -> dict[str, str]:
    found = project(gold(*rows), spoken, units)
    return dict(zip(found.tags["passage_id"], found.tags["code"], strict=True))


def test_a_quote_codes_the_passage_it_lies_in_and_no_other():
    assert tagged({"quote": "The pay was low."}) == {"p0": "competitiveness.offer"}


def test_a_quote_over_two_passages_codes_both_when_it_covers_half_of_each():
    assert set(tagged({"quote": "pay was low. The process took"})) == {"p0", "p1"}


def test_a_quote_that_only_touches_a_passage_does_not_code_it():
    assert set(tagged({"quote": "The pay was low. The"})) == {"p0"}


def test_a_passage_inside_a_long_quote_is_coded():
    whole = passages(("d", 1, 4, 12, "pay was "))
    assert set(tagged({"quote": FIRST + SECOND}, units=whole)) == {"p0"}


def test_the_occurrence_says_which_of_equal_quotes_is_meant():
    spoken = turns(("d", 1, "candidate", "No. No."), ("d", 3, "candidate", "No."))
    units = passages(("d", 1, 0, 3, "No."), ("d", 1, 4, 7, "No."), ("d", 3, 0, 3, "No."))
    for occurrence in (1, 2, 3):
        found = tagged({"quote": "No.", "occurrence": occurrence}, units=units, spoken=spoken)
        assert set(found) == {f"p{occurrence - 1}"}


def test_a_quote_is_looked_for_in_the_turns_of_its_own_speaker():
    spoken = turns(("d", 0, "interviewer", "The pay."), ("d", 1, "candidate", "The pay."))
    found = project(gold({"quote": "The pay."}), spoken, passages(("d", 1, 0, 8, "The pay.")))
    assert found.tags["passage_id"].tolist() == ["p0"]


@pytest.mark.parametrize(
    "lost",
    [
        {"quote": "never said"},
        {"quote": "The pay was low.", "occurrence": 2},
        {"quote": "The pay was low.", "speaker_role": "interviewer"},
        {"quote": "The pay was low.", "document_id": "other"},
    ],
)
def test_a_quote_that_is_not_there_is_an_error_that_shows_it(lost):
    with pytest.raises(InputError, match="1 gold quotes are not in their documents") as caught:
        project(gold(lost), TURNS, HALVES)
    assert lost["quote"] in str(caught.value)


def test_many_lost_quotes_are_counted_and_five_shown():
    with pytest.raises(InputError, match="7 gold quotes") as caught:
        project(gold(*[{"quote": f"lost {i}"} for i in range(7)]), TURNS, HALVES)
    assert str(caught.value).count("'lost ") == 5


def test_a_table_without_the_columns_is_an_error_that_names_them():
    with pytest.raises(InputError, match="lacks the columns \\['occurrence'"):
        project(pd.DataFrame({"document_id": [], "quote": []}), TURNS, HALVES)


def test_a_quote_with_a_name_is_found_in_the_redacted_turn():
    spoken = turns(("d", 1, "candidate", "Person-ab was kind."))
    units = passages(("d", 1, 0, 19, "Person-ab was kind."))
    found = project(
        gold({"quote": "Mira was kind."}), spoken, units, redact=lambda text: text.replace("Mira", "Person-ab")
    )
    assert found.tags["passage_id"].tolist() == ["p0"]


def test_a_quote_without_a_code_is_covered_and_untagged():
    found = project(gold({"quote": "The pay was low.", "code": None, "stance": None}), TURNS, HALVES)
    assert found.tags.empty
    assert found.covered == {"p0"}


def test_a_passage_is_covered_when_half_of_it_lies_in_quotes():
    assert project(gold({"quote": "The pay w"}), TURNS, HALVES).covered == {"p0"}
    assert project(gold({"quote": "The pay"}), TURNS, HALVES).covered == frozenset()
    both = gold({"quote": "The "}, {"quote": "low."})
    assert project(both, TURNS, HALVES).covered == {"p0"}


@pytest.mark.parametrize(
    ("stances", "expected"),
    [
        (["negative", "negative"], "negative"),
        (["negative", "positive"], "mixed"),
        (["negative", "neutral"], "negative"),
        (["negative", None], "negative"),
        (["neutral", None], "neutral"),
        ([None, None], pd.NA),
    ],
)
def test_quotes_of_one_passage_agree_on_a_stance(stances, expected):
    rows = [{"quote": quote, "stance": stance} for quote, stance in zip(("The pay", "was low."), stances, strict=True)]
    assert project(gold(*rows), TURNS, HALVES).tags["stance"].tolist() == [expected]


def test_questions_keep_all_their_codes_and_give_no_tags():
    asked = {"quote": "How was the pay?", "speaker_role": "interviewer", "stance": None}
    found = project(gold(asked, {**asked, "code": "competitiveness.remedy"}, {**asked, "code": None}), TURNS, HALVES)
    assert found.tags.empty
    assert found.questions.to_dict("records") == [
        {"document_id": "d", "text": "How was the pay?", "codes": ("competitiveness.offer", "competitiveness.remedy")}
    ]


def test_themes_go_along_with_their_passages():
    found = project(gold({"quote": "The pay was low.", "theme": "pay_below_market"}), TURNS, HALVES)
    assert found.themes.to_dict("records") == [{"passage_id": "p0", "theme_id": "pay_below_market"}]


def test_the_tags_are_a_tags_table_decided_by_gold():
    found = project(gold({"quote": "The pay was low."}), TURNS, HALVES)
    pd.testing.assert_frame_equal(schema.conform(found.tags, "tags"), found.tags)
    assert found.tags["decided_by"].tolist() == ["gold"]
    assert found.tags["category"].tolist() == ["competitiveness"]


def test_no_quotes_give_no_tags():
    found = project(gold({"quote": "x"}).iloc[:0], TURNS, HALVES)
    assert found.tags.empty
    assert found.questions.empty
    assert found.covered == frozenset()

"""Turns become passages by the splitting rule, with exact offsets, and each knows the question it answers."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from declinethemes import schema
from declinethemes.passages import CUT_WORDS, LONG_SENTENCE, language, prompts, spans, split_turns


def turn(no: int, role: str | None, text: str, basis: str = "label", document: str = "d.txt") -> dict[str, object]:
    return {
        "document_id": document,
        "turn_no": no,
        "speaker": role,
        "speaker_role": role,
        "role_basis": basis,
        "start_s": None,
        "end_s": None,
        "text": text,
    }


def document(**columns: object) -> dict[str, object]:
    base = dict.fromkeys(schema.TABLES["documents"].columns)
    return {**base, "document_id": "d.txt", "candidate_id": "c1", "kind": "call", "status": "read", **columns}


def split(turns: list[dict[str, object]], **columns: object) -> pd.DataFrame:
    return split_turns(pd.DataFrame(turns), pd.DataFrame([document(**columns)]))


def texts(text: str) -> list[str]:
    return [text[start:end] for start, end in spans(text)]


ANSWER = "It took them nine weeks to send the letter and by then I had signed elsewhere."


# --- the splitting rule


def test_short_sentences_are_joined_until_there_are_twelve_words():
    text = "It was fine. The people were kind to me. I liked the office a lot. Then came the offer."
    assert texts(text) == [
        "It was fine. The people were kind to me. I liked the office a lot.",
        "Then came the offer.",
    ]


def test_no_more_than_three_sentences_are_joined():
    assert texts("Yes. No. Maybe. Well. Fine.") == ["Yes. No. Maybe.", "Well. Fine."]


def test_a_sentence_of_twelve_words_stands_alone():
    assert texts(f"{ANSWER} {ANSWER}") == [ANSWER, ANSWER]


def words(n: int, joint_at: int | None = None) -> str:
    out = [f"word{i}" for i in range(n)]
    if joint_at is not None:
        out[joint_at] = "because"
    return " ".join(out)


def test_eighty_words_without_a_full_stop_stay_whole():
    assert texts(words(LONG_SENTENCE)) == [words(LONG_SENTENCE)]


def test_more_than_eighty_words_are_cut_every_sixty():
    assert [len(part.split()) for part in texts(words(130))] == [60, 60, 10]


def test_a_cut_falls_before_a_joining_word_where_there_is_one():
    parts = texts(words(100, joint_at=45))
    assert [len(part.split()) for part in parts] == [45, 55]
    assert parts[1].startswith("because")


def test_ten_thousand_words_without_punctuation_are_cut_without_loss():
    text = words(10_000)
    parts = texts(text)
    assert max(len(part.split()) for part in parts) <= CUT_WORDS
    assert " ".join(parts) == text


@pytest.mark.parametrize("text", ["", "   ", "\n\t\u00a0"])
def test_white_space_gives_no_passage(text):
    assert spans(text) == []


SPOKEN = st.text(
    st.one_of(st.sampled_from(" .!?\n\t…,’'\u00a0\u200b🙂👩‍👩‍👧é中अß"), st.characters(exclude_categories=["Cs"])),
    max_size=400,
)


@settings(deadline=None)
@given(SPOKEN)
@example("🙂 🙂. e\u0301tude!  \u2028x")
@example("a" * 3000)
@example("?!?! ... !")
def test_spans_rise_do_not_overlap_and_lose_only_white_space(text):
    end = 0
    for start, stop in spans(text):
        assert end <= start < stop <= len(text)
        assert not text[end:start].strip()
        assert text[start:stop] == text[start:stop].strip()
        end = stop
    assert not text[end:].strip()


@settings(deadline=None)
@given(st.lists(SPOKEN.filter(str.strip), min_size=1, max_size=4))
def test_offsets_give_the_passage_back(parts):
    turns = [turn(i, "candidate", text) for i, text in enumerate(parts)]
    passages = split(turns)
    for passage in passages.itertuples():
        assert parts[passage.turn_no][passage.start_char : passage.end_char] == passage.text


# --- which turns give passages


def test_only_the_candidates_turns_give_passages():
    turns = [turn(0, "interviewer", "Why did you say no?"), turn(1, "candidate", ANSWER), turn(2, None, ANSWER)]
    assert split(turns)["turn_no"].tolist() == [1]


@pytest.mark.parametrize("columns", [{"kind": "feedback"}, {"status": "skipped"}, {"candidate_id": None}])
def test_feedback_skipped_documents_and_documents_of_nobody_give_none(columns):
    out = split([turn(0, "candidate", ANSWER)], **columns)
    assert out.empty
    pd.testing.assert_frame_equal(out, schema.empty("passages"))


def test_a_document_whose_kind_is_not_known_counts():
    assert len(split([turn(0, "candidate", ANSWER)], kind=None)) == 1


def test_no_turns_give_the_empty_table():
    out = split_turns(schema.empty("turns"), schema.empty("documents"))
    pd.testing.assert_frame_equal(out, schema.empty("passages"))


def test_the_ids_do_not_depend_on_the_order_of_the_turns_but_on_place_and_text():
    turns = [turn(i, "candidate", f"{i} times: {ANSWER}") for i in range(4)]
    pd.testing.assert_frame_equal(split(turns), split(turns[::-1]))
    ids = split(turns)["passage_id"]
    assert ids.is_unique
    assert set(split([turn(0, "candidate", f"5 times: {ANSWER}")])["passage_id"]).isdisjoint(ids)


def test_the_inputs_are_not_changed():
    turns, documents = pd.DataFrame([turn(0, "candidate", ANSWER)]), pd.DataFrame([document()])
    before = turns.copy(deep=True), documents.copy(deep=True)
    split_turns(turns, documents)
    pd.testing.assert_frame_equal(turns, before[0])
    pd.testing.assert_frame_equal(documents, before[1])


# --- prompts


def prompt_of(*turns: tuple[str, str, str] | tuple[str, str]) -> list[object]:
    return split([turn(i, *rest) for i, rest in enumerate(turns)]).sort_values("turn_no")["prompt"].tolist()


def test_the_prompt_is_the_last_question():
    assert prompt_of(
        ("interviewer", "How was the speed of it?"),
        ("candidate", ANSWER),
        ("interviewer", "And how was the pay?"),
        ("candidate", ANSWER),
    ) == ["How was the speed of it?", "And how was the pay?"]


def test_what_is_said_before_any_question_has_no_prompt():
    assert prompt_of(("candidate", ANSWER)) == [pd.NA]


def test_questions_asked_in_a_row_stand_together():
    found = prompt_of(
        ("interviewer", "Let me turn to the offer."), ("interviewer", "Was it fair?"), ("candidate", ANSWER)
    )
    assert found == ["Let me turn to the offer. Was it fair?"]


@pytest.mark.parametrize("noise", ["Right, okay.", "Mhm.", "Sure, go on then."])
def test_a_backchannel_does_not_replace_the_question(noise):
    found = prompt_of(
        ("interviewer", "How was the pay?"), ("candidate", ANSWER), ("interviewer", noise), ("candidate", ANSWER)
    )
    assert found == ["How was the pay?", "How was the pay?"]


def test_a_short_question_is_no_backchannel():
    found = prompt_of(
        ("interviewer", "How was the pay?"), ("candidate", ANSWER), ("interviewer", "Why?"), ("candidate", ANSWER)
    )
    assert found[1] == "Why?"


def test_a_short_heading_replaces_the_question():
    found = prompt_of(
        ("interviewer", "How was the pay?"),
        ("candidate", ANSWER),
        ("interviewer", "Timing", "heading"),
        ("candidate", ANSWER),
    )
    assert found[1] == "Timing"


def test_a_long_question_keeps_its_last_sixty_words():
    assert prompt_of(("interviewer", words(100)), ("candidate", ANSWER)) == [" ".join(words(100).split()[-60:])]


def test_a_prompt_does_not_go_over_to_the_next_document():
    turns = [
        turn(0, "interviewer", "How was the pay?", document="a.txt"),
        turn(1, "candidate", ANSWER, document="a.txt"),
        turn(0, "candidate", ANSWER, document="b.txt"),
    ]
    documents = pd.DataFrame([document(document_id="a.txt"), document(document_id="b.txt", candidate_id="c2")])
    out = split_turns(pd.DataFrame(turns), documents).set_index("document_id")["prompt"]
    assert out["a.txt"] == "How was the pay?"
    assert pd.isna(out["b.txt"])


def test_what_was_asked_is_every_question_and_heading_but_no_backchannel():
    turns = pd.DataFrame(
        [
            turn(0, "interviewer", "How was the pay?"),
            turn(1, "candidate", "Low?"),
            turn(2, "interviewer", "Okay, thanks."),
            turn(3, "interviewer", "Timing", "heading"),
        ]
    )
    assert prompts(schema.conform(turns, "turns")) == ["How was the pay?", "Timing"]


# --- language


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (
            "Ich habe das Angebot nicht angenommen, weil der Prozess viel zu lange gedauert hat und das Gehalt nicht "
            "das war, was wir am Anfang besprochen hatten.",
            "de",
        ),
        (
            "Je n'ai pas accepté l'offre parce que le processus était trop long et que le salaire n'était pas celui "
            "dont nous avions parlé au début avec vous.",
            "fr",
        ),
        (
            "I did not take the offer because the process was far too long and the pay was not what we had talked "
            "about when we first met.",
            "en",
        ),
        ("Zu kurz für ein Urteil.", "en"),
        ("🙂 " * 50, "en"),
        ("", "en"),
    ],
)
def test_the_language_is_guessed_from_function_words(text, code):
    assert language(text) == code


def test_a_bracket_that_opens_a_sentence_goes_with_it():
    text = "I had worked there since the spring of that year and liked it. [person-00aa11] wrote to me one day."
    assert [text[a:b] for a, b in spans(text)][1].startswith("[person-00aa11] wrote")

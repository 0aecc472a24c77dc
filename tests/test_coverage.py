"""What calls asked of the guide, how interviewers ask, and which questions lead."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pandas as pd
import pytest
from benchmarks.coverage import by_interviewer, sampled, scores, written
from tests.cli_fixture import done, themes

from declinethemes import schema
from declinethemes.errors import SchemaError
from declinethemes.framework import load_framework
from declinethemes.passages import prompt_turns, split_turns
from declinethemes.prepare import coverage, interview_guide
from declinethemes.prepare.coverage import STATES, UNNAMED
from declinethemes.prepare.leading import KINDS, find_questions

__all__ = ["done", "themes"]
FRAMEWORK = load_framework()
ANA, BEN = "[person-aaaaaa]", "[person-bbbbbb]"
PAY, SPEED, PEOPLE = "competitiveness.offer", "competitiveness.timeliness", "experience.people"


# Leading questions ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("turn", "kind"),
    [
        ("So it was the money in the end, right?", "seeks agreement"),
        ("It dragged on a bit. Didn't it?", "negative"),
        ("The interviewers were friendly, weren't they?", "seeks agreement"),
        ("Wouldn't you say that the process was quick?", "seeks agreement"),
        ("The offer came in and it was low. Right?", "seeks agreement"),
        ("it was the hours wasn't it", "seeks agreement"),
        ("But we did send you the range. Did you read it?", "argues"),
        ("In fairness, they had little time. How was that for you?", "argues"),
        ("So it was the salary then?", "presumes"),
        ("Was it because of the commute?", "presumes"),
        ("I take it the title was a disappointment.", "presumes"),
        ("How bad was the communication?", "presumes"),
        ("Was it the pay or the location?", "offers an answer"),
        ("How many rounds did you have, six?", "offers an answer"),
        ("What should we have done? Bigger bonus?", "offers an answer"),
        ("Don't they pay less than we do?", "negative"),
        ("No complaints about the recruiter?", "negative"),
        ("You didn't feel out of place?", "negative"),
    ],
)
def test_a_question_that_leads_is_found_with_its_kind(turn, kind):
    assert [asked.kind for asked in find_questions(turn) if asked.kind] == [kind]


@pytest.mark.parametrize(
    "turn",
    [
        "What did you make of the offer?",
        "Right, and what happened next?",
        "Was it better or worse than you had expected?",
        "Were the rounds too many, too few?",
        "Did you have other offers?",
        "What would have made it a yes?",
        "Can you hear me all right?",
        "And the team?",
        "What is the reason, in your own words?",
        "how did you find the number of rounds",
    ],
)
def test_an_open_question_does_not_lead(turn):
    assert [asked.kind for asked in find_questions(turn)] == [None]


@pytest.mark.parametrize("turn", ["Okay.", "Thank you, that is helpful.", "I see, the second round then.", ""])
def test_what_asks_nothing_is_no_question(turn):
    assert find_questions(turn) == []


def test_the_guide_does_not_lead():
    guide = interview_guide(FRAMEWORK)
    texts = [text for question in guide.questions for text in (question.text, *question.follow_ups)]
    assert [asked.text for text in texts for asked in find_questions(text) if asked.kind] == []


def test_the_candidates_own_words_asked_back_do_not_lead():
    question = "So it was the commute, right?"
    assert find_questions(question, "It was fine.")[0].kind == "seeks agreement"
    assert find_questions(question, "Honestly, the commuting would have killed me.")[0].kind is None


def test_a_tag_alone_belongs_to_the_statement_before_it():
    assert [asked.text for asked in find_questions("You liked it. Right?")] == ["You liked it, right?"]


def test_the_labelled_questions_are_half_leading_and_half_held_out():
    path = Path(__file__).with_name("leading_questions.csv")
    with path.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    assert len(rows) == len({row["question"] for row in rows}) >= 120
    counts = pd.DataFrame(rows).groupby(["part", "leading"]).size()
    assert counts.tolist() == [len(rows) / 4] * 4


def test_leading_questions_written_for_the_purpose_are_found():
    score = scores(written(), "held out")
    assert score["precision"] >= 0.9
    assert score["recall"] >= 0.8


@pytest.mark.slow
def test_leading_questions_of_the_sample_are_found_about_half_of_the_time():
    from benchmarks.sample import load

    hits = list(sampled(load().corpus.turns))
    score = scores(hits, "held out")
    assert score["n"] == 400  # every labelled question is met in the calls
    assert score["precision"] >= 0.75
    assert score["recall"] >= 0.4
    people = by_interviewer(hits, "held out")
    assert people["found"].idxmax() == people["labelled"].idxmax()
    assert people["found"].nlargest(2).index.tolist() == people["labelled"].nlargest(2).index.tolist()


# What was asked and answered -----------------------------------------------------------------------------------------


def tables(calls, kind="call", language="en"):
    """Return documents, turns and passages of {document: [(speaker, text), ...]}; the candidate is "C"."""
    documents = [
        {"document_id": name, "candidate_id": f"K{i}", "kind": kind, "status": "read", "language": language}
        for i, name in enumerate(calls)
    ]
    turns = [
        {
            "document_id": name,
            "turn_no": n,
            "speaker": speaker,
            "speaker_role": "candidate" if speaker == "C" else "interviewer",
            "role_basis": "name",
            "start_s": 10.0 * n,
            "end_s": 10.0 * n + len(text.split()),
            "text": text,
        }
        for name, talk in calls.items()
        for n, (speaker, text) in enumerate(talk)
    ]
    columns = {name: list(schema.TABLES[name].columns) for name in ("documents", "turns")}
    docs = schema.conform(pd.DataFrame(documents).reindex(columns=columns["documents"]), "documents")
    spoken = schema.conform(pd.DataFrame(turns).reindex(columns=columns["turns"]), "turns")
    return docs, spoken, split_turns(spoken, docs)


def tag(passages, *pairs):
    """Return a tags table: (word in the passage, code) each."""
    rows = [
        {"passage_id": passage, "code": code, "decided_by": "model", "category": code.split(".")[0], "decision": "yes"}
        for word, code in pairs
        for passage, text in zip(passages["passage_id"], passages["text"], strict=True)
        if word in text
    ]
    columns = list(schema.TABLES["tags"].columns)
    return schema.conform(pd.DataFrame(rows).reindex(columns=columns), "tags") if rows else schema.empty("tags")


def cover(calls, asks, said=(), doubtful=None, **options):
    """Return the coverage of calls; `asks` maps a word of a question to its codes."""
    documents, turns, passages = tables(calls, **options)
    asking = prompt_turns(turns)
    codes = [[code for word, found in asks.items() if word in text for code in found] for text in asking["text"]]
    prompts = asking[["document_id", "turn_no"]].assign(codes=pd.Series(codes, index=asking.index, dtype=object))
    hints = None if doubtful is None else tag(passages, *doubtful)
    return coverage(
        documents, turns, passages, tag(passages, *said), framework=FRAMEWORK, prompts=prompts, doubtful=hints
    )


def state(found, item, document="a"):
    rows = found.items[(found.items["document_id"] == document) & (found.items["item"] == item)]
    return rows["state"].item()


def answer(text, said=()):
    """Return the state of the offer after one question and an answer."""
    return state(cover({"a": [(ANA, "How was the pay?"), ("C", text)]}, {"pay": [PAY]}, said), PAY)


@pytest.mark.parametrize("text", ["No.", "Yes, yeah.", "I don't know, really.", "Not much, no.", "Um."])
def test_yes_and_no_alone_are_a_thin_answer(text):
    assert answer(text) == "thin"


@pytest.mark.parametrize("text", ["No, the equity vested late.", "Ten thousand below.", "It was too low for Lisbon."])
def test_three_words_beyond_yes_and_no_are_an_answer(text):
    assert answer(text) == "answered"


def test_a_short_answer_that_is_tagged_is_an_answer():
    assert answer("Low.") == "thin"
    assert answer("Low.", [("Low", PAY)]) == "answered"


def test_a_question_without_an_answer_is_thin():
    assert state(cover({"a": [("C", "Hello there to you."), (ANA, "How was the pay?")]}, {"pay": [PAY]}), PAY) == "thin"


def test_what_is_spoken_of_without_being_asked_is_volunteered():
    talk = {"a": [(ANA, "How was the pay?"), ("C", "Fine, but the panel was rude to me.")]}
    found = cover(talk, {"pay": [PAY]}, [("rude", PEOPLE)])
    assert state(found, PEOPLE) == "volunteered"
    assert state(found, "experience") == "volunteered"
    assert state(found, SPEED) == state(found, "diversity") == "gap"


def test_a_doubtful_tag_keeps_a_code_but_no_category_from_being_a_gap():
    talk = {"a": [(ANA, "How was the pay?"), ("C", "Fine, but the panel was rude to me.")]}
    found = cover(talk, {"pay": [PAY]}, doubtful=[("rude", PEOPLE)])
    assert (state(found, PEOPLE), state(found, "experience")) == ("unclear", "gap")


def test_an_answer_goes_on_over_a_backchannel_and_ends_at_the_next_question():
    talk = [
        (ANA, "How was the pay?"),
        ("C", "No."),
        (ANA, "Right."),
        ("C", "Lisbon rents rose fast."),
        (ANA, "How fast?"),
    ]
    assert state(cover({"a": talk}, {"pay": [PAY]}), PAY) == "answered"
    apart = [(ANA, "How was the pay?"), ("C", "No."), (ANA, "And the speed?"), ("C", "Eight weeks felt slow.")]
    found = cover({"a": apart}, {"pay": [PAY], "speed": [SPEED]})
    assert (state(found, PAY), state(found, SPEED)) == ("thin", "answered")


def test_questions_in_a_row_share_the_answer():
    talk = [(ANA, "How was the pay?"), (BEN, "And the speed?"), ("C", "Slow and ten thousand below.")]
    found = cover({"a": talk}, {"pay": [PAY], "speed": [SPEED]})
    assert (state(found, PAY), state(found, SPEED)) == ("answered", "answered")


def test_the_best_of_several_answers_counts():
    talk = [(ANA, "How was the pay?"), ("C", "Equity vested far too late."), (ANA, "Other pay?"), ("C", "No.")]
    found = cover({"a": talk}, {"pay": [PAY]})
    assert state(found, PAY) == "answered"
    assert found.items.set_index("item").loc[PAY, "n_words"] == 5


def test_every_document_has_one_state_per_item_and_the_states_sum_up():
    talk = {name: [(ANA, "How was the pay?"), ("C", "Ten thousand below the other.")] for name in "abc"}
    found = cover(talk, {"pay": [PAY]})
    assert set(found.items["state"]) <= set(STATES)
    assert len(found.items) == 3 * (len(FRAMEWORK.categories) + len(FRAMEWORK.codes))
    sums = found.questions[[f"n_{name}" for name in STATES]].sum(axis=1)
    assert (sums == found.questions["n"]).all()
    assert (found.questions["n"] == 3).all()
    assert found.questions.set_index("item").loc[PAY, "n_answered"] == 3
    gaps = (found.items["kind"] == "code") & (found.items["state"] == "gap")
    assert found.calls["n_gap"].sum() == gaps.sum()


def test_the_order_of_the_rows_changes_nothing():
    talk = {
        "a": [(ANA, "How was the pay?"), ("C", "Low."), (ANA, "And the speed?"), ("C", "Eight weeks, far too slow.")]
    }
    documents, turns, passages = tables(talk)
    prompts = prompt_turns(turns)[["document_id", "turn_no"]]
    prompts = prompts.assign(codes=pd.Series([[PAY], [SPEED]], index=prompts.index, dtype=object))
    straight = coverage(documents, turns, passages, schema.empty("tags"), framework=FRAMEWORK, prompts=prompts)
    turned = coverage(
        documents, turns[::-1], passages[::-1], schema.empty("tags"), framework=FRAMEWORK, prompts=prompts[::-1]
    )
    for name in ("calls", "items", "questions", "interviewers", "leading"):
        pd.testing.assert_frame_equal(getattr(straight, name), getattr(turned, name))
    assert (state(straight, PAY), state(straight, SPEED)) == ("thin", "answered")


def test_a_heading_of_the_form_names_its_code_whatever_the_tagger_makes_of_it():
    documents, turns, passages = tables(
        {"n": [("x", "How was the speed? [competitiveness.timeliness]"), ("C", "Slow.")]}
    )
    documents["kind"], turns["role_basis"] = "note", ["heading", "note"]
    prompts = prompt_turns(turns)[["document_id", "turn_no"]].assign(codes=[[PAY]])
    made = coverage(documents, turns, passages, schema.empty("tags"), framework=FRAMEWORK, prompts=prompts)
    assert (state(made, SPEED, "n"), state(made, PAY, "n")) == ("thin", "gap")
    assert made.calls["n_questions"].isna().all()  # headings are nobody's questions
    assert made.interviewers.empty


def test_notes_without_the_form_and_other_languages_are_left_out_and_counted():
    talk = {"a": [(ANA, "How was the pay?"), ("C", "Ten thousand below the other.")]}
    notes, foreign = cover(talk, {}, kind="note"), cover(talk, {}, language="de")
    assert notes.calls.empty
    assert notes.counts["notes without the form"] == 1
    assert foreign.calls.empty
    assert foreign.counts["other languages"] == 1
    assert "not in English" in " ".join(foreign.notes)


def test_a_call_in_which_nobody_is_known_to_ask_has_no_gaps_to_show():
    found = cover({"a": [("C", "The commute was far too long.")], "b": [(ANA, "What was it?"), ("C", "The pay.")]}, {})
    assert found.calls["document_id"].tolist() == ["b"]
    assert found.counts["one-sided calls"] == 1
    assert "nobody is known to ask" in " ".join(found.notes)


def test_a_table_that_lacks_a_column_is_an_error():
    documents, turns, passages = tables({"a": [("C", "Hello there.")]})
    prompts = pd.DataFrame({"document_id": [], "turn_no": [], "codes": []})
    with pytest.raises(SchemaError, match="speaker_role"):
        coverage(
            documents, turns.drop(columns="speaker_role"), passages, schema.empty("tags"), framework=FRAMEWORK,
            prompts=prompts,
        )  # fmt: skip


# Interviewers --------------------------------------------------------------------------------------------------------


def test_interviewers_are_counted_over_their_calls():
    short = [(ANA, "So it was the money, right?"), ("C", "No, the commute was far too long.")]
    both = [*short, (BEN, "What else?"), ("C", "Nothing else at all, thank you.")]
    found = cover({"a": short, "b": short, "c": both}, {}).interviewers.set_index("interviewer")
    assert found.index.tolist() == [ANA, BEN]
    ana = found.loc[ANA]
    words, others = 3 * 6, 3 * 7 + 2 + 6
    assert (ana["n_calls"], ana["n_words"], ana["n_questions"], ana["n_leading"]) == (3, words, 3, 3)
    assert ana["words_share"] == pytest.approx(words / (words + others))
    assert ana["seconds_share"] == pytest.approx(words / (words + others))  # a second per word
    assert (ana["questions_per_call"], ana["leading_share"]) == (1, 1)


def test_under_three_calls_there_are_counts_and_no_shares():
    talk = [(ANA, "So it was the money, right?"), ("C", "No, the commute was far too long.")]
    two = cover({"a": talk, "b": talk}, {}).interviewers.iloc[0]
    assert (two["n_calls"], two["n_questions"], two["n_leading"]) == (2, 2, 2)
    assert two[["words_share", "seconds_share", "questions_per_call", "leading_share"]].isna().all()


def test_labels_that_name_nobody_are_never_one_person():
    talk = [("Speaker 1", "What was it?"), ("C", "The commute was far too long.")]
    row = cover(dict.fromkeys("abcd", talk), {}).interviewers
    assert row["interviewer"].tolist() == [UNNAMED]
    assert row["n_calls"].tolist() == [4]
    assert row[["words_share", "leading_share"]].isna().all(axis=None)


def test_seconds_need_times_in_three_calls():
    talk = [(ANA, "What was it?"), ("C", "The commute was far too long.")]
    documents, turns, passages = tables(dict.fromkeys("abc", talk))
    turns.loc[0, "end_s"] = pd.NA
    prompts = pd.DataFrame({"document_id": [], "turn_no": [], "codes": []})
    made = coverage(documents, turns, passages, schema.empty("tags"), framework=FRAMEWORK, prompts=prompts)
    row = made.interviewers.iloc[0]
    assert row["n_timed"] == 2
    assert pd.isna(row["seconds_share"])
    assert row["words_share"] == pytest.approx(3 / 9)


def test_leading_questions_are_listed_with_their_kind_and_counted_per_call():
    talk = [(ANA, "What was it? The money, right?"), ("C", "No, the commute.")]
    found = cover({"a": talk, "b": [(BEN, "What was it?"), ("C", "The commute.")]}, {})
    assert found.leading[["document_id", "turn_no", "interviewer", "kind"]].values.tolist() == [
        ["a", 0, ANA, "seeks agreement"]
    ]
    assert found.calls.set_index("document_id")["n_leading"].to_dict() == {"a": 1, "b": 0}
    assert found.calls.set_index("document_id")["n_questions"].to_dict() == {"a": 2, "b": 1}
    assert set(found.leading["kind"]) <= set(KINDS)


def test_names_stand_where_pseudonyms_stood():
    talk = [(ANA, "It was the money, right?"), (BEN, "What else?"), ("C", "The commute was far too long.")]
    found = cover({"a": talk}, {}).named({ANA: "Odile Quist"})
    assert found.calls["interviewers"].item() == f"Odile Quist, {BEN}"
    assert set(found.interviewers["interviewer"]) == {"Odile Quist", BEN}
    assert found.leading["interviewer"].tolist() == ["Odile Quist"]


# The command ---------------------------------------------------------------------------------------------------------


def test_the_command_prints_three_tables_that_fit_the_screen(done, themes):
    assert themes("coverage", done / "study") == 0
    lines = themes.out.splitlines()
    assert max(len(line) for line in lines) <= 100
    assert [line.split()[0] for line in lines if line.startswith(("questions,", "call ", "interviewer"))] == [
        "questions,", "call", "interviewer",
    ]  # fmt: skip
    assert "3 calls" in themes.err
    assert "not for rating anybody" in themes.err
    odile = next(line for line in lines if line.startswith("[person-")).split()
    assert odile[1] == "3"
    assert "Quist" not in themes.out + themes.err


def test_the_command_names_interviewers_on_request_alone_and_no_candidate(done, themes):
    themes("coverage", done / "study", "--names")
    assert "Odile Quist" in themes.out
    assert not [name for name in ("Arwen", "Tolland", "Milo", "Castel") if name in themes.out]


def test_the_command_gives_every_table_to_a_program(done, themes):
    assert themes("coverage", done / "study", "--json") == 0
    answer = json.loads(themes.out)
    assert set(answer) == {"calls", "items", "questions", "interviewers", "leading", "counts", "notes"}
    assert len(answer["calls"]) == answer["counts"]["calls"] == 3
    assert "candidate_id" not in answer["calls"][0]
    assert len(answer["items"]) == 3 * (len(FRAMEWORK.categories) + len(FRAMEWORK.codes))


def test_the_command_writes_every_table_into_a_folder(done, themes):
    assert themes("coverage", done / "study", "--out", done / "out") == 0
    assert themes.out == ""
    assert sorted(path.name for path in (done / "out").iterdir()) == [
        "calls.csv", "interviewers.csv", "items.csv", "leading.csv", "questions.csv",
    ]  # fmt: skip
    assert len(pd.read_csv(done / "out" / "calls.csv")) == 3


def test_the_command_lists_leading_questions(done, themes):
    assert themes("coverage", done / "study", "--leading") == 0
    assert "no leading question was found" in themes.out

"""The interview guide follows the framework, and a filled note form is read back with no loss."""

from __future__ import annotations

import io
import re
import unicodedata
from itertools import pairwise

import docx
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from declinethemes.errors import InputError, SettingsError
from declinethemes.framework import load_framework
from declinethemes.framework.form import INSTRUCTIONS, TITLE
from declinethemes.ingest import read_turns
from declinethemes.passages import prompts, split_turns
from declinethemes.prepare import interview_guide
from declinethemes.schema import TABLES

FRAMEWORK = load_framework()
GUIDE = interview_guide(FRAMEWORK)
WORD_FORM = GUIDE.form_docx()
QUESTIONS = [question.text for question in GUIDE.questions]
OWN = """
name = "mine"
[[category]]
id = "pay"
label = "Pay"
[[category]]
id = "bare"
label = "Nothing under it"
[[code]]
id = "pay.base"
label = "Base salary"
definition = "The base salary."
[[code]]
id = "pay.bonus"
label = "Bonus"
definition = "The bonus."
questions = ["Bonus: what did you make of it [all in all]?", "And of the equity?"]
"""


def own(tmp_path):
    (tmp_path / "mine.toml").write_text(OWN, encoding="utf-8")
    return load_framework(tmp_path / "mine.toml")


def test_every_code_of_the_framework_is_asked_in_its_order():
    assert [question.code for question in GUIDE.questions] == [code.id for code in FRAMEWORK.codes]
    assert all(question.follow_ups for question in GUIDE.questions)


def test_the_follow_ups_are_the_codes_own():
    firsts = [question.follow_ups for question in GUIDE.questions]
    assert len(set(firsts)) == len(firsts)


@pytest.mark.parametrize("minutes", [11, 12, 30, 45, 61])
def test_the_time_plan_fills_the_conversation_without_a_gap(minutes):
    sections = interview_guide(FRAMEWORK, minutes=minutes).sections
    assert (sections[0].start, sections[-1].end) == (0, minutes)
    assert all(before.end == after.start for before, after in pairwise(sections))
    assert all(section.end > section.start for section in sections)


def test_too_little_time_says_how_much_is_needed():
    with pytest.raises(SettingsError, match=r"needs 11 minutes at least.*found 10"):
        interview_guide(FRAMEWORK, minutes=10)


def test_a_framework_of_ones_own_has_questions_too(tmp_path):
    guide = interview_guide(own(tmp_path))
    assert [section.id for section in guide.sections] == ["opening", "pay", "closing"]
    assert [question.text for question in guide.questions] == [
        "What can you tell me about this: Base salary?",
        "Bonus: what did you make of it [all in all]?",
        "And of the equity?",
    ]


def test_all_forms_of_the_guide_hold_every_question_and_the_plan():
    word = "\n".join(paragraph.text for paragraph in docx.Document(io.BytesIO(GUIDE.to_docx())).paragraphs)
    for text in (GUIDE.to_markdown(), GUIDE.to_html(), word):
        assert [question for question in QUESTIONS if question not in text] == []
        assert [section.clock for section in GUIDE.sections if section.clock not in text] == []


def test_the_page_escapes_what_a_framework_says(tmp_path):
    (tmp_path / "mine.toml").write_text(OWN.replace('"Pay"', '"<b>Pay"'), encoding="utf-8")
    assert "&lt;b&gt;Pay" in interview_guide(load_framework(tmp_path / "mine.toml")).to_html()


def fill(guide, answers, path):
    """Type the answers (question to lines) into a blank form and save it."""
    if path.suffix == ".docx":
        document = docx.Document(io.BytesIO(WORD_FORM if guide is GUIDE else guide.form_docx()))
        for paragraph in list(document.paragraphs):
            for question, lines in answers.items():
                if paragraph.text.startswith(f"{question} ["):
                    place = paragraph
                    for line in lines:
                        new = document.add_paragraph(line)
                        place._p.addnext(new._p)
                        place = new
        document.save(path)
        return path
    out = []
    for line in guide.form_text().split("\n"):
        out.append(line)
        for question, lines in answers.items():
            if line.startswith(f"## {question} ["):
                out += ["", *lines]
    path.write_text("\n".join(out), encoding="utf-8")
    return path


def typed(path):
    """Return the (question, line) pairs that the reader found."""
    turns = read_turns(path)
    pairs, asked = [], None
    for role, text in zip(turns["speaker_role"], turns["text"], strict=True):
        if role == "interviewer":
            asked = text
        else:
            pairs.append((asked, text))
    return pairs


def document(name):
    columns = dict.fromkeys(TABLES["documents"].columns, None)
    return pd.DataFrame([columns | {"document_id": name, "candidate_id": "K001", "status": "read"}])


def clean(text):
    return " ".join("".join(c for c in text if unicodedata.category(c) != "Cf").split())


LINES = st.one_of(
    st.text(st.characters(exclude_categories=("C", "Zl", "Zp")), min_size=1, max_size=60),
    st.sampled_from(
        [
            "# Pay", "- took the other offer", "Pay: too low", "Dana Whitlock: why?", "12:30 lunch", "2) no remote",
            "Would they come back?", "---", "**bold**", "> quoted", "Speaker 1  0:07", "she said [see glassdoor.com]",
            "[Recruiter] asked why", "Note:", "From: a@b.example", "1. one", "== ==", "NA", "Offer\tlow",
        ]
    ),
    st.lists(st.sampled_from(["Pay was low.", "It took six weeks, from call to offer!", "no", "Why?"]), min_size=1)
    .map(" ".join),
).filter(clean)  # fmt: skip
ANSWERS = st.dictionaries(st.sampled_from(QUESTIONS), st.lists(LINES, min_size=1, max_size=4), min_size=1, max_size=6)


@pytest.mark.parametrize("suffix", [".txt", ".md", ".docx"])
@given(answers=ANSWERS)
@settings(deadline=None, max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_filled_form_read_back_gives_what_was_typed_under_its_question(suffix, answers, tmp_path):
    path = fill(GUIDE, answers, tmp_path / f"K001{suffix}")
    expected = [(question, clean(line)) for question in QUESTIONS for line in answers.get(question, [])]
    assert [(question, clean(text)) for question, text in typed(path)] == expected


@pytest.mark.parametrize("suffix", [".txt", ".docx"])
@given(answers=ANSWERS)
@settings(deadline=None, max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_passages_are_what_was_typed_and_their_prompt_is_the_heading(suffix, answers, tmp_path):
    turns = read_turns(fill(GUIDE, answers, tmp_path / f"K001{suffix}"))
    passages = split_turns(turns, document(turns["document_id"].iloc[0])).sort_values(["turn_no", "start_char"])
    found = {}
    for prompt, text in zip(passages["prompt"], passages["text"], strict=True):
        found[prompt] = found.get(prompt, "") + text
    squeezed = {question: re.sub(r"\s+", "", text) for question, text in found.items()}
    assert {question: clean(text) for question, text in squeezed.items()} == {
        question: clean(re.sub(r"\s+", "", "".join(lines))) for question, lines in answers.items()
    }
    assert prompts(turns) == [question for question in QUESTIONS if question in answers]


@pytest.mark.parametrize("suffix", [".txt", ".docx"])
def test_one_point_per_line_is_one_passage(suffix, tmp_path):
    answers = {QUESTIONS[0]: ["more money", "closer to home, and a team that she knew. And quiet."]}
    assert typed(fill(GUIDE, answers, tmp_path / f"K001{suffix}")) == [
        (QUESTIONS[0], line) for line in answers[QUESTIONS[0]]
    ]


@pytest.mark.parametrize("suffix", [".txt", ".docx"])
def test_a_blank_form_says_that_nothing_is_written_in_it(suffix, tmp_path):
    with pytest.raises(InputError, match="note form with nothing written in it"):
        read_turns(fill(GUIDE, {}, tmp_path / f"K001{suffix}"))


@pytest.mark.parametrize("suffix", [".txt", ".docx"])
def test_a_form_of_a_framework_of_ones_own_is_read_too(suffix, tmp_path):
    guide = interview_guide(own(tmp_path))
    answers = {question.text: ["Low.", "Late: by weeks"] for question in guide.questions}
    found = typed(fill(guide, answers, tmp_path / f"K001{suffix}"))
    assert found == [(question, line) for question, lines in answers.items() for line in lines]


def test_text_above_the_first_question_is_kept_without_a_prompt(tmp_path):
    path = tmp_path / "K001.txt"
    path.write_text(GUIDE.form_text().replace(INSTRUCTIONS[-1], "She was in a hurry."), encoding="utf-8")
    assert typed(path) == [(None, "She was in a hurry.")]


def test_the_last_question_of_the_form_is_whether_anything_was_left_out(tmp_path):
    path = tmp_path / "K001.txt"
    path.write_text(GUIDE.form_text() + "The parking.\n", encoding="utf-8")
    assert typed(path) == [("Was there anything that we did not ask about?", "The parking.")]


def test_the_instructions_of_a_form_are_not_evidence(tmp_path):
    path = fill(GUIDE, {QUESTIONS[0]: ["pay"]}, tmp_path / "K001.docx")
    assert not {TITLE, *INSTRUCTIONS} & set(read_turns(path)["text"])


def test_a_heading_in_ordinary_notes_stays_a_heading(tmp_path):
    path = tmp_path / "K001.md"
    path.write_text("# Offer [draft]\nPay was low.\n", encoding="utf-8")
    assert typed(path) == [("Offer [draft]", "Pay was low.")]

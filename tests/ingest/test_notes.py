"""Notes, e-mails and tables of notes: headings are prompts, text is the candidate's."""

from __future__ import annotations

import io

import docx
import openpyxl
import pytest

from declinethemes.errors import InputError
from declinethemes.ingest import read_turns

HEADING, NOTE = ("interviewer", "heading"), ("candidate", "note")


def parts(path) -> list[tuple[tuple[str, str], str]]:
    turns = read_turns(path)
    return [
        ((role, basis), text)
        for role, basis, text in zip(turns["speaker_role"], turns["role_basis"], turns["text"], strict=True)
    ]


def write(tmp_path, name: str, text: str):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    "head", ["# Offer", "## Offer ", "**Offer**", "**Offer:**", "__Offer__", "Offer:", "Offer\n====="]
)
def test_headings(tmp_path, head):
    found = parts(write(tmp_path, "note.md", f"Said no.\n\n{head}\nPay was low,\nand late.\n"))
    assert found == [(NOTE, "Said no."), (HEADING, "Offer"), (NOTE, "Pay was low, and late.")]


def test_questions_as_headings(tmp_path):
    found = parts(write(tmp_path, "note.txt", "What made them say no?\nThe pay.\nWould they come back?\nYes."))
    assert found == [
        (HEADING, "What made them say no?"),
        (NOTE, "The pay."),
        (HEADING, "Would they come back?"),
        (NOTE, "Yes."),
    ]


def test_list_items_stay_apart(tmp_path):
    found = parts(write(tmp_path, "note.md", "# Why\n- took comp offer\n* slow process\n2. no remote\n"))
    assert found == [(HEADING, "Why"), (NOTE, "took comp offer"), (NOTE, "slow process"), (NOTE, "no remote")]


def test_topics_in_front_of_a_colon(tmp_path):
    found = parts(write(tmp_path, "note.txt", "Pay: too low\nReason: went elsewhere\nShe told me: never again\n"))
    assert found == [
        (HEADING, "Pay"),
        (NOTE, "too low"),
        (HEADING, "Reason"),
        (NOTE, "went elsewhere She told me: never again"),
    ]


def test_a_sheet_of_details_above_notes_is_no_conversation(tmp_path):
    text = "Candidate: K001\nInterviewer: Dana Whitlock\nDate: 2025-03-01\n\n"
    text += "She took the other offer because of the pay.\n"
    assert parts(write(tmp_path, "note.txt", text))[-1] == (
        NOTE,
        "2025-03-01 She took the other offer because of the pay.",
    )


def test_an_e_mail(tmp_path):
    text = "From: a@b.example\nTo: c@d.example\nSubject: Your offer\n\nThank you. It was the pay.\n\n"
    text += "> Why did you say no to us\n"
    assert parts(write(tmp_path, "mail.txt", text)) == [
        (HEADING, "Your offer"),
        (NOTE, "Thank you. It was the pay."),
        (HEADING, "Why did you say no to us"),
    ]


def test_word_notes_with_styles_bold_lines_and_tables(tmp_path):
    document = docx.Document()
    document.add_heading("Process", level=2)
    document.add_paragraph("Nine weeks in all.")
    document.add_paragraph().add_run("Other offers").bold = True
    document.add_paragraph("Two of them.")
    row = document.add_table(rows=1, cols=2).rows[0].cells
    row[0].text, row[1].text = "Would they come back?", "Perhaps."
    document.save(tmp_path / "note.docx")
    assert parts(tmp_path / "note.docx") == [
        (HEADING, "Process"),
        (NOTE, "Nine weeks in all."),
        (HEADING, "Other offers"),
        (NOTE, "Two of them."),
        (HEADING, "Would they come back?"),
        (NOTE, "Perhaps."),
    ]


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_a_table_of_notes(tmp_path, separator):
    text = f'candidate{separator}note\nK1{separator}"pay, low; late"\nK2{separator}\n'
    turns = read_turns(write(tmp_path, "notes.csv", text))
    assert turns["text"].tolist() == ["pay, low; late"]
    assert turns["document_id"].tolist() == ["notes.csv#2"]


def test_survey_columns_are_questions_and_scores_are_not(tmp_path):
    text = "candidate id,Why did you decline?,Anything else,score\nK1,Pay,It was really a long wait,4\nK2,,,3\n"
    assert parts(write(tmp_path, "survey.csv", text)) == [
        (HEADING, "Why did you decline?"),
        (NOTE, "Pay"),
        (HEADING, "Anything else"),
        (NOTE, "It was really a long wait"),
    ]


def test_excel(tmp_path):
    book = openpyxl.Workbook()
    sheet = book.active
    for row in [("Candidate", "Author", "Note"), (17, "Dana", "Pay was low"), (18, None, None)]:
        sheet.append(row)
    out = io.BytesIO()
    book.save(out)
    (tmp_path / "notes.xlsx").write_bytes(out.getvalue())
    turns = read_turns(tmp_path / "notes.xlsx")
    assert turns[["speaker", "text"]].values.tolist() == [["Dana", "Pay was low"]]


def test_a_table_of_empty_rows(tmp_path):
    with pytest.raises(InputError, match="without text"):
        read_turns(write(tmp_path, "notes.csv", "candidate,note\nK1,\n"))


def test_a_broken_quote(tmp_path):
    with pytest.raises(InputError, match="no regular table"):
        read_turns(write(tmp_path, "notes.csv", 'candidate,note\nK1,"pay" low\n'))

"""`themes tag FILE`: the tags of one file, or one clear message."""

from __future__ import annotations

import csv
import io
import json

import pytest
from tests.cli_fixture import TALK, VTT, themes

__all__ = ["themes"]
COLUMNS = ["passage_id", "prompt", "text", "code", "probability", "decision", "stance"]


def table(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_forty_passages(themes, tmp_path):
    topics = ("the salary", "the bonus", "the office", "the manager", "the process")
    turns = [
        f"Odile Quist: What about point {number}?\n"
        f"Milo Darnay: At point {number} it was {topics[number % 5]} that made me turn the whole offer down.\n"
        for number in range(40)
    ]
    (tmp_path / "long.txt").write_text("".join(turns), encoding="utf-8")
    assert themes("tag", tmp_path / "long.txt", "--candidate", "Milo Darnay") == 0
    found = table(themes.out)
    assert list(found[0]) == COLUMNS
    assert len({row["passage_id"] for row in found}) == 40
    order = [row["text"] for row in found]
    assert [text for place, text in enumerate(order) if text not in order[:place]] == [
        f"At point {number} it was {topics[number % 5]} that made me turn the whole offer down." for number in range(40)
    ]
    assert {row["decision"] for row in found} <= {"yes", "unsure", ""}


def test_json_holds_the_same_rows(themes, tmp_path):
    (tmp_path / "a.vtt").write_text(VTT, encoding="utf-8")
    assert themes("tag", tmp_path / "a.vtt", "--json") == 0
    rows = json.loads(themes.out)
    assert themes("tag", tmp_path / "a.vtt") == 0
    assert [row["code"] or "" for row in rows] == [row["code"] for row in table(themes.out)]


def test_names_of_the_speakers_are_replaced_in_what_is_said(themes, tmp_path):
    talk = TALK.replace("And the people?", "And, Milo, the people?").replace("nobody told", "not even Odile told")
    (tmp_path / "a.txt").write_text(talk, encoding="utf-8")
    assert themes("tag", tmp_path / "a.txt") == 0
    assert "Milo" not in themes.out
    assert "Odile" not in themes.out


def test_every_row_of_a_table_of_notes_is_tagged(themes, tmp_path):
    notes = "id,text\n1,The salary was lower than what the other company had put on the table.\n2,He was rude to me.\n"
    (tmp_path / "notes.csv").write_text(notes, encoding="utf-8")
    assert themes("tag", tmp_path / "notes.csv") == 0
    assert len({row["passage_id"] for row in table(themes.out)}) == 2


def test_a_candidate_who_is_not_in_the_file_is_not_replaced_by_a_guess(themes, tmp_path):
    (tmp_path / "a.txt").write_text(TALK, encoding="utf-8")
    message = themes.fails("tag", tmp_path / "a.txt", "--candidate", "Nobody Known")
    assert message == "a.txt: no speaker is called 'Nobody Known'; the speakers are: Odile Quist, Milo Darnay"


def test_when_nobody_can_be_told_to_be_the_candidate_it_says_so(themes, tmp_path):
    (tmp_path / "a.txt").write_text("Ann: Hello there.\nBob: Hello there.\n" * 2, encoding="utf-8")
    assert "the speakers are: Ann, Bob" in themes.fails("tag", tmp_path / "a.txt")


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("rubbish.txt", bytes(range(256)) * 20, "binary data"),
        ("rubbish.vtt", b"lorem ipsum", "no cue"),
        ("rubbish.srt", b"\n\n\n", "empty"),
        ("rubbish.docx", b"lorem ipsum", "Word"),
        ("rubbish.xlsx", b"PK\x03\x04 and no more", "Excel"),
        ("rubbish.csv", b'a,b\n"never closed', "no regular table"),
        ("rubbish.pdf", b"%PDF-1.7", ".pdf"),
        ("rubbish", b"lorem ipsum", "no suffix"),
        ("numbers.csv", b"a,b\n1,2\n", "no column holds text"),
        ("picture.txt", b"\x89PNG\r\n\x1a\n", "a picture"),
    ],
)
def test_rubbish_gives_one_message(themes, tmp_path, name, data, said):
    (tmp_path / name).write_bytes(data)
    message = themes.fails("tag", tmp_path / name)
    assert message.startswith(f"{name}: ")
    assert said in message
    assert themes.out == ""


def test_a_folder_and_a_missing_file_are_told_apart(themes, tmp_path):
    (tmp_path / "folder.txt").mkdir()
    assert "this is a folder" in themes.fails("tag", tmp_path / "folder.txt")
    assert "there is no such file" in themes.fails("tag", tmp_path / "none.txt")


def test_on_request_each_tag_says_which_phrase_carried_it(themes, tmp_path):
    (tmp_path / "a.txt").write_text(TALK, encoding="utf-8")
    assert themes("tag", tmp_path / "a.txt", "--explain") == 0
    found = table(themes.out)
    assert list(found[0]) == [*COLUMNS, "because"]
    coded = [row for row in found if row["code"]]
    assert any(row["because"] for row in coded)
    assert all(row["because"] in row["text"] for row in coded)
    assert not any(row["because"] for row in found if not row["code"])


def test_text_in_another_language_is_named_and_all_its_tags_are_unsure(themes, tmp_path):
    said = "Das Gehalt war viel zu niedrig und der ganze Prozess hat neun Wochen gedauert, das war mir zu lange. " * 3
    (tmp_path / "de.txt").write_text(f"Milo Darnay: {said}\n", encoding="utf-8")
    assert themes("tag", tmp_path / "de.txt") == 0
    assert "de.txt: language de is not supported: all its tags are marked unsure" in themes.err
    assert {row["decision"] for row in table(themes.out)} <= {"unsure", ""}


def test_another_tagger_that_is_not_there_is_one_message(themes, tmp_path):
    (tmp_path / "a.txt").write_text(TALK, encoding="utf-8")
    assert "cannot read" in themes.fails("tag", tmp_path / "a.txt", "--tagger", tmp_path / "none")

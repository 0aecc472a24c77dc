"""Files and folders: whose each document is, what kind, what was skipped and why."""

from __future__ import annotations

import hashlib

import pytest

from declinethemes.errors import InputError, SchemaError
from declinethemes.ingest import iter_documents, read_documents, read_people
from declinethemes.schema import conform

TALK = "Dana Whitlock: Why?\nKofi Osei: It was the pay.\nDana Whitlock: Right?\n"


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "in").mkdir()
    return tmp_path / "in"


@pytest.fixture
def people(tmp_path):
    path = tmp_path / "candidates.csv"
    path.write_text(
        "id,name,recruiter,document\nK1,Kofi Osei,Dana Whitlock,extra/odd.txt\n"
        "K10,Ann Bell,Dana Whitlock,\nK2,Li Wen,,\n"
    )
    return read_people(path)


def put(folder, **files: str) -> None:
    for name, text in files.items():
        path = folder / name.replace("__", "/").replace("_dot_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def rows(sources, *columns: str) -> dict[str, tuple]:
    frame = sources.documents.set_index("document_id")[list(columns)].astype("string").fillna("")
    return {document: tuple(values) for document, *values in frame.itertuples()}


def test_ids_candidates_kinds_and_dates(folder, people):
    put(
        folder,
        calls__K1_dot_txt=TALK,
        **{"K10-2025-03-04_dot_txt": "She liked the team.", "survey__K2_survey_dot_txt": "Why?\nPay."},
        extra__odd_dot_txt="He said it was the pay.",
    )
    assert rows(read_documents(folder, people), "candidate_id", "kind", "date", "status") == {
        "K10-2025-03-04.txt": ("K10", "note", "2025-03-04", "read"),
        "calls/K1.txt": ("K1", "call", "", "read"),
        "extra/odd.txt": ("K1", "note", "", "read"),
        "survey/K2_survey.txt": ("K2", "survey", "", "read"),
    }


def test_both_tables_conform_and_keep_all_turns(folder, people):
    put(folder, K1_dot_txt=TALK, K2_dot_md="# Pay\nLow.")
    sources = read_documents([folder], people)
    assert len(conform(sources.turns, "turns")) == 5
    assert len(conform(sources.documents, "documents")) == 2
    assert sources.turns["speaker_role"].tolist() == [
        "interviewer",
        "candidate",
        "interviewer",
        "interviewer",
        "candidate",
    ]


def test_two_speakers_make_a_call(folder, people):
    put(folder, K1_dot_txt=TALK)
    assert rows(read_documents(folder, people), "kind") == {"K1.txt": ("call",)}


def test_what_is_skipped_is_listed_with_the_reason(folder, people):
    put(
        folder,
        K1_dot_txt=TALK,
        K1_again_dot_txt=TALK,
        K2_dot_vtt="WEBVTT\n",
        K3_dot_txt="unknown",
        K2_dot_pdf="x",
        offers_dot_csv="id,outcome\n1,accepted\n",
        _dot_hidden_dot_txt="x",
    )
    found = rows(read_documents(folder, people), "status", "reason")
    assert found.pop("K1.txt") == ("read", "")
    assert {status for status, _ in found.values()} == {"skipped"}
    expected = {
        "K1_again.txt": "same content as K1.txt",
        "K2.vtt": "no cue",
        "K3.txt": "no candidate found",
        "K2.pdf": "not read",
        "offers.csv": "candidates or offers",
    }
    assert found.keys() == expected.keys()
    assert all(reason in found[document][1] for document, reason in expected.items())


def test_the_longest_candidate_id_wins(folder, people):
    put(folder, K10_call_dot_txt="It was far.")
    assert rows(read_documents(folder, people), "candidate_id") == {"K10_call.txt": ("K10",)}


def test_documents_csv_wins_over_the_file_name(folder, people):
    put(
        folder,
        calls__K1_dot_txt="It was far.",
        documents_dot_csv="file,candidate,type,date\ncalls/K1.txt,K2,E-mails,2025-02-03\n",
    )
    assert rows(read_documents(folder, people), "candidate_id", "kind", "date") == {
        "calls/K1.txt": ("K2", "email", "2025-02-03")
    }


def test_documents_csv_beside_a_single_file(folder, people):
    put(folder, odd_dot_txt="It was far.", documents_dot_csv="file,candidate\nodd.txt,K2\n")
    assert rows(read_documents(folder / "odd.txt", people), "candidate_id") == {"odd.txt": ("K2",)}


def test_an_unknown_candidate_is_not_replaced_by_a_guess(folder, people):
    put(folder, K1_dot_txt="It was far.", documents_dot_csv="file,candidate\nK1.txt,K99\n")
    assert "'K99'" in rows(read_documents(folder, people), "reason")["K1.txt"][0]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("file,kind\na.txt,poem\n", "poem"),
        ("candidate\nK1\n", "missing: document"),
        ("file,date\na.txt,1/2/2025\n", "YYYY-MM-DD"),
    ],
)
def test_bad_documents_csv(folder, people, text, message):
    put(folder, a_dot_txt="x", documents_dot_csv=text)
    with pytest.raises(SchemaError, match=message):
        read_documents(folder, people)


def test_rows_of_a_table_of_notes(folder, people):
    text = "note id,candidate,kind,date,note\n7,K1,call,2025-01-02,Pay was low\n8,Ann Bell,,,Too far\n9,K2,,,\n"
    text += "10,K9,,,x y\n7,K2,poem,,Slow\n"
    put(folder, notes_dot_csv=text)
    found = rows(read_documents(folder, people), "candidate_id", "kind", "status", "reason")
    assert found["notes.csv#7"] == ("K1", "call", "read", "")
    assert found["notes.csv#8"][:3] == ("K10", "note", "read")
    assert found["notes.csv#9"][2:] == ("skipped", "notes.csv: row 4 has no text")
    assert found["notes.csv#10"][2] == "skipped"
    assert found["notes.csv#7-2"][:3] == ("K2", "note", "read")
    assert "poem" in found["notes.csv#7-2"][3]


def test_rows_without_an_id_are_named_by_their_hash(folder, people):
    put(folder, notes_dot_csv="candidate,note\nK1,Pay was low\nK1,Pay was low\n,\nK2,Pay was low\n")
    found = read_documents(folder, people).documents
    read = found[found["status"] == "read"]
    assert read["candidate_id"].tolist() == ["K1", "K2"] or read["candidate_id"].tolist() == ["K2", "K1"]
    assert (read["document_id"] == "notes.csv#" + read["sha256"].str[:8]).all()
    skipped = found[found["status"] == "skipped"]
    assert sorted(skipped["reason"].str.split(" as ").str[0]) == ["notes.csv: row 4 has no text", "same content"]


def test_what_is_known_is_not_parsed(folder, people, monkeypatch):
    put(folder, K1_dot_txt=TALK, K2_dot_txt="new one", notes_dot_csv="candidate,note\nK1,Pay was low\n")
    first = {item.row["document_id"]: item.row["sha256"] for item in iter_documents(folder, people)}
    assert first["K1.txt"] == hashlib.sha256((folder / "K1.txt").read_bytes()).hexdigest()
    monkeypatch.setattr("declinethemes.ingest.documents.parse", lambda *_: pytest.fail("parsed"))
    again = list(iter_documents(folder, people, known=frozenset(first.values())))
    assert [item.known for item in again] == [True, True, True]
    assert all(item.known for item in iter_documents(folder, people, known=lambda sha256: True))
    assert read_documents(folder, people, known=frozenset(first.values())).documents.empty


def test_a_copy_of_what_is_known_is_not_read_again(folder, people):
    put(folder, K1_dot_txt=TALK, K2_dot_txt=TALK)
    sha256 = hashlib.sha256(TALK.encode()).hexdigest()
    assert all(item.known for item in iter_documents(folder, people, known={sha256}))


def test_documents_come_one_at_a_time(folder, people):
    put(folder, K1_dot_txt=TALK, K2_dot_txt="later")
    stream = iter_documents(folder, people)
    assert next(stream).row["document_id"] == "K1.txt"
    (folder / "K2.txt").write_text("changed meanwhile")
    assert next(stream).turns["text"].tolist() == ["changed meanwhile"]


def test_same_names_in_two_folders(folder, people):
    put(folder, calls__K1_dot_txt=TALK, notes__K1_dot_txt="It was far.")
    found = rows(read_documents([folder / "calls", folder / "notes"], people), "kind")
    assert found == {"K1.txt": ("call",), "notes/K1.txt": ("note",)}


def test_a_file_given_twice_is_read_once(folder, people):
    put(folder, K1_dot_txt=TALK)
    assert len(list(iter_documents([folder, folder / "K1.txt"], people))) == 1


def test_feedback_is_never_the_candidates_voice(folder, people):
    put(folder, K1_feedback_dot_md="# Skills\nStrong on data.")
    sources = read_documents(folder, people)
    assert rows(sources, "kind") == {"K1_feedback.md": ("feedback",)}
    assert set(sources.turns["speaker_role"]) == {"interviewer"}


def test_doubt_and_silence_are_noted(folder, people):
    put(
        folder,
        **{
            "K1_dot_txt": "Speaker 1: Why is that?\nSpeaker 2: It was the pay, really.\n",
            "K2_dot_vtt": "WEBVTT\n\n00:01.000 --> 00:02.000\nit was far\n",
        },
    )
    found = rows(read_documents(folder, people), "reason")
    assert "talk (doubtful)" in found["K1.txt"][0]
    assert "nobody in it is known to be the candidate" in found["K2.vtt"][0]


def test_latin_1_is_noted(folder, people):
    (folder / "K1.txt").write_bytes("Das Gehalt für Köln.".encode("latin-1"))
    assert "Windows-1252" in rows(read_documents(folder, people), "reason")["K1.txt"][0]


def test_a_folder_that_is_not_there(folder, people):
    with pytest.raises(InputError, match="no such file or folder"):
        read_documents(folder / "nothing", people)


def test_an_empty_folder_gives_empty_tables(folder, people):
    sources = read_documents(folder, people)
    assert sources.documents.empty
    assert sources.turns.empty

"""`themes run` and its fellows on a small study: what is written, what is said, and what running again does."""

from __future__ import annotations

import json
import re
import shutil

import pytest
from tests.cli_fixture import TALK, contents, done, files, make_files, rows, themes

from declinethemes.tag import Tagger

__all__ = ["done", "files", "themes"]
pytestmark = pytest.mark.slow


@pytest.fixture
def tagged(monkeypatch):
    """The documents that the tagger was given, in order."""
    given: list[str] = []
    tag = Tagger.tag

    def counted(self, passages):
        given.extend(passages["document_id"].unique())
        return tag(self, passages)

    monkeypatch.setattr(Tagger, "tag", counted)
    return given


def test_a_run_leaves_report_tables_settings_and_private_names(done):
    study = done / "study"
    assert {path.name for path in study.iterdir()} == {
        "study.db", "study.toml", "identities.json", "report.html", "tables"
    }  # fmt: skip
    assert (study / "identities.json").stat().st_mode & 0o777 == 0o600
    assert {path.name for path in (study / "tables").iterdir()} == {"findings.csv", "themes.csv", "documents.csv"}


def test_every_format_is_read(done):
    found = rows(done / "study", "select document_id, status from documents order by document_id")
    assert [(str(name).split("#")[0], status) for name, status in found] == [
        (name, "read")
        for name in ("C1.vtt", "C2.txt", "C3.md", "C4.srt", "C7.docx", "notes.csv", "notes.csv", "survey.xlsx")
    ]


def test_a_note_keeps_the_id_of_its_row_although_the_settings_map_the_candidates_columns(done):
    found = rows(done / "study", "select document_id, candidate_id from documents where document_id like 'notes%'")
    assert sorted(found) == [("notes.csv#n1", "C5"), ("notes.csv#n2", "C6")]


def test_headers_that_mean_something_else_in_the_candidates_file_do_not_spoil_the_notes(themes, tmp_path):
    folder = make_files(tmp_path / "files")
    people = (folder / "candidates.csv").read_text(encoding="utf-8")
    (folder / "candidates.csv").write_text(people.replace("candidate_id,name", "id,candidate"), encoding="utf-8")
    assert themes.run(folder) == 0
    found = rows(folder / "study", "select document_id, status from documents where document_id like 'notes%'")
    assert sorted(found) == [("notes.csv#n1", "read"), ("notes.csv#n2", "read")]


def test_fewer_than_twenty_passages_say_why_there_is_no_emergent_theme(themes, done):
    assert themes.run(done) == 0
    assert "0 emergent (a new theme needs 20 passages" in themes.err


def test_everything_protected_is_said_and_nothing_of_it_shown(themes, done):
    assert themes.run(done) == 0
    assert re.search(r"findings +\d+ protected\n", themes.err)
    assert themes("crosstab", done / "study", "--json") == 0
    table = json.loads(themes.out)
    assert {row["verdict"] for row in table} == {"protected"}
    assert {row["n"] for row in table} | {row["n_mention"] for row in table} | {row["share"] for row in table} == {None}
    assert themes("discover", done / "study", "--json") == 0
    assert {(row["n_candidates"], row["n_passages"]) for row in json.loads(themes.out)} == {(None, None)}


def test_no_name_stands_in_anything_that_is_written_but_the_private_file(done):
    names = "Arwen Tolland Milo Darnay Tessa Verhoeven Ruben Castel Isla Merton Noor Haddad Juno Pallister Odile Quist"
    for name, text in contents(done / "study").items():
        if name != "identities.json":
            assert [word for word in names.split() if re.search(rf"\b{word}\b", text)] == [], name


def test_running_again_with_nothing_new_does_no_work_and_changes_nothing(themes, done, monkeypatch):
    before = contents(done / "study")

    def work(*_, **__):
        raise AssertionError("work was done")

    monkeypatch.setattr(Tagger, "tag", work)
    monkeypatch.setattr("declinethemes.study.themed.find_themes", work)
    monkeypatch.setattr("declinethemes.study.compared.compare", work)
    assert themes.run(done) == 0
    assert contents(done / "study") == before


def test_one_more_file_is_all_that_is_tagged(themes, done, tagged):
    (done / "in" / "C3-later.txt").write_text("She told us again that the pay was too low for her.", encoding="utf-8")
    assert themes.run(done) == 0
    assert tagged == ["C3-later.txt"]


def test_only_the_new_file_given_is_enough(themes, done, tagged):
    new = done / "C3-later.txt"
    new.write_text("She told us again that the pay was too low for her.", encoding="utf-8")
    assert themes("run", new, "--candidates", done / "candidates.csv", "--out", done / "study") == 0
    assert tagged == ["C3-later.txt"]
    assert "documents   9 read" in themes.err


def test_a_changed_file_is_read_again_and_its_old_text_is_gone(themes, done, tagged):
    (done / "in" / "C2.txt").write_text(TALK.replace("far too slow", "wonderfully quick"), encoding="utf-8")
    assert themes.run(done) == 0
    assert tagged == ["C2.txt"]
    text = " ".join(str(row[0]) for row in rows(done / "study", "select text from passages"))
    assert "wonderfully quick" in text
    assert "far too slow" not in text
    known = {row[0] for row in rows(done / "study", "select passage_id from passages")}
    for table in ("tags", "assignments"):
        assert {row[0] for row in rows(done / "study", f"select passage_id from {table}")} <= known


def test_a_changed_note_replaces_the_note_with_the_same_id(themes, done, tagged):
    notes = (done / "in" / "notes.csv").read_text(encoding="utf-8")
    (done / "in" / "notes.csv").write_text(notes.replace("the commute to", "the long way to"), encoding="utf-8")
    assert themes.run(done) == 0
    assert tagged == ["notes.csv#n1"]
    assert len(rows(done / "study", "select * from documents where document_id like 'notes%'")) == 2


def test_names_added_later_decide_who_is_the_candidate(themes, tmp_path):
    folder = make_files(tmp_path / "files")
    people = (folder / "candidates.csv").read_text(encoding="utf-8")
    (folder / "candidates.csv").write_text(people.replace("Milo Darnay,Odile Quist", ","), encoding="utf-8")
    (folder / "in" / "C2.txt").write_text(TALK.replace("Odile Quist", "Pavel Rook"), encoding="utf-8")
    assert themes.run(folder) == 0
    assert "doubtful C2.txt" in themes.err
    (folder / "candidates.csv").write_text(people, encoding="utf-8")
    assert themes.run(folder) == 0
    assert "doubtful" not in themes.err


def test_a_name_learnt_later_leaves_themes_and_counts_that_fit_the_passages(themes, tmp_path):
    folder = make_files(tmp_path / "files")
    note = folder / "in" / "C3.md"
    text = note.read_text(encoding="utf-8").replace("not the role of", "not the role that Angharad described in")
    note.write_text(text, encoding="utf-8")
    assert themes.run(folder) == 0
    people = (folder / "candidates.csv").read_text(encoding="utf-8")
    (folder / "candidates.csv").write_text(people + "C8,Angharad Bloom,Odile Quist,woman,designer\n", encoding="utf-8")
    assert themes.run(folder) == 0
    study = folder / "study"
    assert not any("Angharad" in text for name, text in contents(study).items() if name != "identities.json")
    known = {row[0] for row in rows(study, "select passage_id from passages")}
    assert {row[0] for row in rows(study, "select passage_id from assignments")} <= known


def test_a_corrected_segment_value_reaches_the_findings(themes, done):
    people = (done / "candidates.csv").read_text(encoding="utf-8")
    (done / "candidates.csv").write_text(people.replace("man,engineer\nC3", "fluid,engineer\nC3"), encoding="utf-8")
    assert themes.run(done) == 0
    assert ("fluid",) in rows(done / "study", "select distinct level from findings")


def test_after_ingest_alone_the_crosstab_and_report_are_of_all_that_was_read(themes, done):
    again = done / "again"
    arguments = ["--candidates", done / "candidates.csv", "--out", again]
    (done / "study.toml").write_text('[segments]\nuse = ["gender"]\n', encoding="utf-8")
    assert themes("ingest", done / "in", *arguments, "--settings", done / "study.toml", "--json") == 0
    assert json.loads(themes.out) == {"documents_read": 8, "documents_skipped": 0, "passages": 10}
    assert themes("crosstab", again, "--by", "gender", "--json") == 0
    assert json.loads(themes.out), "no finding: the mentions were not counted"
    assert themes("report", again, "--json") == 0
    summary = json.loads(themes.out, parse_constant=pytest.fail)
    assert summary["counts"]["verdicts"].keys() == {"protected"}
    assert summary["counts"]["candidates_heard"] == 7


def test_a_crosstab_goes_to_a_file_too(themes, done):
    assert themes("crosstab", done / "study", "--by", "role", "--out", done / "role.csv") == 0
    assert themes.out == ""
    assert (done / "role.csv").read_text(encoding="utf-8").startswith("segment,level,item")


def test_the_draft_of_init_is_accepted_by_run(themes, files):
    assert themes("init", files / "candidates.csv") == 0
    draft = files / "mine.toml"
    draft.write_text(themes.out, encoding="utf-8")
    assert "segments: role, gender" in themes.err
    assert themes.run(files, "--settings", draft) == 0
    assert (files / "study" / "study.toml").read_text(encoding="utf-8") == draft.read_text(encoding="utf-8")


def test_init_into_the_studys_folder_then_run(themes, files):
    assert themes("init", files / "candidates.csv", "--out", files / "study") == 0
    assert themes.run(files) == 0
    assert "settings were drafted" not in themes.err
    assert "is there already" in themes.fails("init", files / "candidates.csv", "--out", files / "study")


def test_json_of_a_run_is_one_object(themes, done):
    assert themes.run(done, "--json") == 0
    counts = json.loads(themes.out)
    assert (counts["documents_read"], counts["documents_skipped"], counts["candidates_heard"]) == (8, 0, 7)


@pytest.mark.parametrize("command", ["run", "ingest"])
def test_strict_ends_with_1_when_a_document_was_skipped(themes, done, command):
    arguments = [command, done / "in", "--candidates", done / "candidates.csv", "--out", done / "study", "--strict"]
    assert themes(*arguments) == 0
    (done / "in" / "nobody.txt").write_text("It was the pay, he said.", encoding="utf-8")
    assert themes(*arguments) == 1
    assert "skipped nobody.txt" in themes.err
    assert "Traceback" not in themes.err
    assert themes(*arguments[:-1]) == 0


def test_a_study_that_was_moved_goes_on(themes, done, tagged):
    shutil.move(done / "study", done / "elsewhere")
    (done / "in" / "C3-later.txt").write_text("She told us again that the pay was too low.", encoding="utf-8")
    assert themes("run", done / "in", "--candidates", done / "candidates.csv", "--out", done / "elsewhere") == 0
    assert tagged == ["C3-later.txt"]

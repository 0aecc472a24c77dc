"""Bad documents, candidates files, settings, folders and disks: listed, or refused in one clear message."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
import sqlalchemy
from tests.cli_fixture import CANDIDATES, TALK, contents, done, files, rows, themes

from declinethemes.ingest import iter_documents

__all__ = ["done", "files", "themes"]
SAID = "The café was fine, but the résumé review was très rude and I would not go through it again."
CAFE = f"Odile Quist: And how was it?\nMilo Darnay: {SAID}\n" * 2

# What is read nonetheless: name, bytes, what its note says.
READ = [
    ("C2-utf16.txt", CAFE.replace("fine", "sixteen").encode("utf-16"), None),
    ("C2-latin.txt", CAFE.replace("fine", "latin").encode("latin-1"), "read as Windows-1252 (Latin-1)"),
    ("C2-bom.txt", ("\ufeff" + CAFE.replace("fine", "marked")).encode(), None),
    ("C2-crlf.txt", CAFE.replace("fine", "returned").replace("\n", "\r\n").encode(), None),
    ("C2-alone.txt", b"Mx Somebody: It was the pay.\nMx Somebody: And the long process too.\n", "only speaker"),
]
# What is not: name, bytes, what the reason says.
SKIPPED = [
    ("C2-empty.txt", b"", "the file is empty"),
    ("C2-blank.md", b" \n\t\r\n", "the file is empty"),
    ("C2-header.vtt", b"WEBVTT\n\n", "a header and no cue"),
    ("C2-header.csv", b"id,text\n", "a header and no row below it"),
    ("C2-none.vtt", b"This is no transcript.\n", "no cue found"),
    ("C2-headings.md", b"# Pay\n\n# Team\n", "headings only"),
    ("C2-binary.txt", b"\x00\x01\x02\x03" * 100, "binary data"),
    ("C2-wrong.docx", b"This is no Word file.", "a Word file (.docx) was expected"),
    ("C2.pdf", b"%PDF-1.7", "'.pdf' is not read"),
    ("nobody.txt", b"It was the pay, he said.", "begin its name with the candidate_id"),
    ("C9.txt", b"It was the pay, she said.", "no candidate found"),
    ("copy/C2.txt", TALK.encode(), "same content as C2.txt"),
]


@pytest.fixture(scope="module")
def mixed(tmp_path_factory):
    """The place of a study of good and bad documents; made once."""
    return tmp_path_factory.mktemp("mixed") / "files"


@pytest.fixture
def read(mixed, themes, files):
    """A study folder that holds all of the above."""
    if not mixed.exists():
        for name, data, _ in [*READ, *SKIPPED]:
            (files / "in" / name).parent.mkdir(exist_ok=True)
            (files / "in" / name).write_bytes(data)
        assert themes.run(files) == 0, themes.err
        files.rename(mixed)
        (mixed / "said").write_text(themes.err, encoding="utf-8")
    return mixed


@pytest.mark.slow
@pytest.mark.parametrize(("name", "note"), [(name, note) for name, _, note in READ])
def test_odd_documents_are_read_with_a_note(read, name, note):
    [(status, reason)] = rows(read / "study", f"select status, reason from documents where document_id = '{name}'")
    assert status == "read"
    assert note in str(reason) if note else reason is None


@pytest.mark.slow
def test_whatever_the_encoding_the_text_is_right(read):
    passages = rows(read / "study", "select document_id, text from passages where text like '%caf%'")
    words = {"C2-utf16.txt": "sixteen", "C2-latin.txt": "latin", "C2-bom.txt": "marked", "C2-crlf.txt": "returned"}
    assert {name for name, _ in passages} == set(words)
    assert {text for _, text in passages} == {SAID.replace("fine", word) for word in words.values()}


@pytest.mark.slow
@pytest.mark.parametrize(("name", "reason"), [(name, reason) for name, _, reason in SKIPPED])
def test_bad_documents_are_listed_with_the_reason(read, name, reason):
    said = (read / "said").read_text(encoding="utf-8")
    [line] = [line for line in said.split("\n") if line.startswith(f"skipped {name}: ")]
    assert reason in line
    assert rows(read / "study", f"select count(*) from passages where document_id = '{name}'") == [(0,)]
    assert name in (read / "study" / "report.html").read_text(encoding="utf-8")


@pytest.mark.slow
def test_the_same_file_twice_is_counted_once(read):
    assert rows(
        read / "study", "select count(*) from documents where status = 'read' and document_id like '%C2.txt'"
    ) == [(1,)]


@pytest.mark.slow
def test_a_candidate_without_a_document_is_in_no_n(themes, done):
    people = (done / "candidates.csv").read_text(encoding="utf-8")
    (done / "candidates.csv").write_text(people + "C8,Ottilie Brandt,Odile Quist,woman,engineer\n", encoding="utf-8")
    assert themes.run(done) == 0
    assert "candidates  7 heard of 8" in themes.err
    assert rows(done / "study", "select max(n + rest_n) from findings") == [(7,)]


@pytest.mark.slow
def test_a_candidate_who_left_the_file_is_asked_for_before_anything_changes(themes, done):
    people = (done / "candidates.csv").read_text(encoding="utf-8")
    before = contents(done / "study")
    (done / "candidates.csv").write_text(people.replace("C2,Milo", "C22,Milo"), encoding="utf-8")
    assert themes.run(done) == 1
    message = themes.message()
    assert "C2" in message
    assert "candidates.csv" in message
    assert contents(done / "study") == before


@pytest.mark.slow
def test_an_over_size_file_is_skipped_with_the_limit(themes, done, monkeypatch):
    monkeypatch.setitem(iter_documents.__kwdefaults__, "max_mb", 0.0005)
    (done / "in" / "C2-big.txt").write_text(TALK * 10, encoding="utf-8")
    assert themes.run(done) == 0
    assert "skipped C2-big.txt: C2-big.txt: too large" in themes.err
    assert "the limit is 0.0005 MB" in themes.err


def test_a_huge_file_is_refused_without_being_read(themes, tmp_path):
    with (tmp_path / "huge.txt").open("wb") as file:
        file.truncate(200_000_000)  # sparse: takes no room
    assert "too large, 200.0 MB; the limit is 50 MB" in themes.fails("tag", tmp_path / "huge.txt")


@pytest.mark.slow
def test_a_segment_with_one_level_is_not_compared_and_says_so(themes, done):
    people = (done / "candidates.csv").read_text(encoding="utf-8").splitlines()
    one = "\n".join([people[0] + ",division", *(line + ",Ghent" for line in people[1:])])
    (done / "candidates.csv").write_text(one + "\n", encoding="utf-8")
    assert themes.run(done, "--by", "division") == 0, themes.err
    assert not rows(done / "study", "select 1 from findings where verdict in ('difference', 'no material difference')")
    assert "Division" in (done / "study" / "report.html").read_text(encoding="utf-8")


@pytest.mark.slow
def test_without_any_segment_it_runs_and_the_crosstab_asks_for_one(themes, files):
    ids = "\n".join(line.split(",")[0] for line in CANDIDATES.strip().split("\n"))
    (files / "candidates.csv").write_text(ids + "\n", encoding="utf-8")
    assert themes.run(files) == 0
    assert "findings    none: no segments declared" in themes.err
    assert "no segments are declared in study.toml" in themes.fails("crosstab", files / "study")


@pytest.mark.parametrize("wrong", ["gendr", "candidate_id", "underrepresented"])
def test_an_unknown_segment_names_the_columns_there_are_before_any_work(themes, files, wrong, monkeypatch):
    monkeypatch.delattr("declinethemes.tag.Tagger.tag")
    assert themes.run(files, "--by", wrong) == 1
    assert f"'{wrong}'" in themes.message()
    assert "there are: role, gender" in themes.message()


def test_a_segment_declared_in_the_settings_is_checked_before_any_work(themes, files, monkeypatch):
    monkeypatch.delattr("declinethemes.tag.Tagger.tag")
    (files / "my.toml").write_text('[segments]\nuse = ["age"]\n', encoding="utf-8")
    assert themes.run(files, "--settings", files / "my.toml") == 1
    assert "unknown segment column 'age'" in themes.message()


@pytest.mark.slow
@pytest.mark.parametrize("option", ["--by", "--adjust-for"])
def test_an_unknown_column_in_crosstab_names_those_there_are(themes, done, option):
    assert themes("crosstab", done / "study", "--by", "role", option, "gendr") == 1
    assert "did you mean 'gender'?" in themes.message()
    assert "role" in themes.message()


def refused(themes, files):
    """Run; say whether it ended with status 1 and left no folder behind."""
    return themes.run(files) == 1 and not (files / "study").exists()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "the file is empty"),
        ("candidate_id,gender\n", "a header and no row below it"),
        ("person,gender\nx,woman\n", "missing: candidate_id"),
        (CANDIDATES + "C3,Tessa Again,,woman,designer\n", "'C3' (row 4), 'C3' (row 9)"),
        (CANDIDATES + ",Nobody Known,,woman,designer\n", "none missing"),
        ("candidate_id,gender,gender\nC1,woman,man\n", "'gender' stands twice"),
        ("candidate_id,gender\nC1,woman,extra\n", "without a header"),
        ("candidate_id,offer_date\nC1,03/04/2025\n", "YYYY-MM-DD"),
        ("WEBVTT\n\n00:01.000 --> 00:02.000\nHello\n", "missing: candidate_id"),
    ],
)
def test_a_bad_candidates_file_is_refused(themes, files, text, said):
    (files / "candidates.csv").write_text(text, encoding="utf-8")
    assert refused(themes, files)
    assert said in themes.message()


def test_a_missing_candidates_file_is_refused(themes, files):
    (files / "candidates.csv").unlink()
    assert refused(themes, files)
    assert "candidates.csv: there is no such file" in themes.message()


def test_a_folder_as_candidates_file_is_refused(themes, files):
    (files / "candidates.csv").unlink()
    (files / "candidates.csv").mkdir()
    assert refused(themes, files)
    assert "a file was expected, this is a folder" in themes.message()


def test_a_candidates_file_in_latin_1_is_read_with_a_note(themes, files):
    people = CANDIDATES.replace("Juno Pallister", "Junó Pallister").encode("latin-1")
    (files / "candidates.csv").write_bytes(people)
    arguments = ["--candidates", files / "candidates.csv", "--out", files / "study"]
    assert themes("ingest", files / "in" / "C3.md", *arguments) == 0
    assert "note on candidates.csv: not UTF-8; read as Windows-1252 (Latin-1)" in themes.err


def test_a_column_left_out_because_it_identifies_people_is_said(themes, files):
    (files / "candidates.csv").write_text("candidate_id,LinkedIn\nC3,in/tessa\n", encoding="utf-8")
    arguments = ["--candidates", files / "candidates.csv", "--out", files / "study"]
    assert themes("ingest", files / "in" / "C3.md", *arguments) == 0
    assert "left out because it identifies people: LinkedIn" in themes.err


def test_remarks_are_no_segment(themes, files):
    people = CANDIDATES.strip().split("\n")
    lines = [people[0] + ",remarks", *(f"{line},remark {number}" for number, line in enumerate(people[1:]))]
    (files / "candidates.csv").write_text("\n".join(lines), encoding="utf-8")
    assert themes("init", files / "candidates.csv") == 0
    assert 'use = ["role", "gender"]' in themes.out
    assert "remark 1" not in themes.out


def test_an_empty_folder_is_no_study(themes, files):
    (files / "empty").mkdir()
    arguments = ["--candidates", files / "candidates.csv", "--out", files / "study"]
    assert "no files found" in themes.fails("run", files / "empty", *arguments)


def test_documents_that_are_not_there_are_refused(themes, files):
    arguments = ["--candidates", files / "candidates.csv", "--out", files / "study"]
    assert "there is no such file or folder" in themes.fails("run", files / "calls", *arguments)


def test_a_study_inside_the_folder_that_is_read_is_refused(themes, files):
    arguments = ["--candidates", files / "candidates.csv", "--out", files / "in" / "study"]
    assert "lies in" in themes.fails("run", files / "in", *arguments)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("sed = 1", "unknown entry in mine.toml 'sed' (did you mean 'seed'?)"),
        ("[disclosure]\nmin_m = 5", "did you mean 'min_n'?"),
        ("[nonsense]\na = 1", "'nonsense'"),
        ("[disclosure]\nmin_n = 'five'", "min_n should be a whole number"),
        ("[disclosure]\nmin_n = 1", "min_n is 3 at least"),
        ("[segments]\nuse = 'gender'", "segments should be a list of texts"),
        ("[segments]\nunderrepresented = ['woman']", "underrepresented"),
        ("[segments.underrepresented.any]\ngender = ['wman']", "did you mean 'woman'?"),
        ("[findings]\nstance = 'angry'", "stance is 'negative' or 'all'"),
        ("[models]\nframework = 'none.toml'", "none.toml"),
        ("seed = ", "cannot read the settings"),
        ("seed = 1.5", "whole number"),
        ("columns = 3", "[columns] must be a table"),
    ],
)
def test_settings_that_cannot_be_meant_are_refused_in_one_message(themes, files, text, said):
    (files / "mine.toml").write_text(text + "\n", encoding="utf-8")
    assert themes.run(files, "--settings", files / "mine.toml") == 1
    assert said in themes.message()


def test_settings_that_are_not_there_are_refused(themes, files):
    assert themes.run(files, "--settings", files / "none.toml") == 1
    assert "cannot read the settings" in themes.message()


@pytest.mark.parametrize("command", ["report", "discover", "crosstab"])
def test_a_folder_without_a_study_says_how_to_make_one(themes, files, command):
    assert "holds no study" in themes.fails(command, files)
    assert "themes run PATHS" in themes.message()
    assert sorted(path.name for path in files.iterdir()) == ["candidates.csv", "in"]


def test_an_output_folder_with_other_things_in_it_is_left_alone(themes, files):
    (files / "study").mkdir()
    (files / "study" / "holiday.jpg").write_text("x", encoding="utf-8")
    assert themes.run(files) == 1
    assert "is not empty and holds no study (found holiday.jpg)" in themes.message()
    assert [path.name for path in (files / "study").iterdir()] == ["holiday.jpg"]


@pytest.mark.parametrize("below", ["", "deeper"])
def test_an_output_path_that_is_a_file_is_refused(themes, files, below):
    (files / "study").write_text("precious", encoding="utf-8")
    arguments = ["--candidates", files / "candidates.csv", "--out", files / "study" / below]
    assert str(files / "study") in themes.fails("run", files / "in", *arguments)
    assert "--out" in themes.fails("init", files / "candidates.csv", "--out", files / "study" / below)
    assert (files / "study").read_text(encoding="utf-8") == "precious"


def test_a_read_only_place_is_named(themes, files, monkeypatch):
    def denied(self, *_, **__):
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr(Path, "mkdir", denied)
    assert themes.run(files) == 1
    assert "Permission denied; choose another --out" in themes.message()


@pytest.mark.slow
def test_a_read_only_study_is_named_and_unharmed(themes, done, monkeypatch):
    before = contents(done / "study")
    engine = sqlalchemy.create_engine
    monkeypatch.setattr(
        "sqlalchemy.create_engine",
        lambda url: engine(url.replace("sqlite:///", "sqlite:///file:") + "?mode=ro&uri=true"),
    )
    (done / "in" / "C3-later.txt").write_text("She said again that the pay was too low.", encoding="utf-8")
    assert themes.run(done) == 1
    assert "the folder is read-only" in themes.message()
    monkeypatch.undo()
    assert {name: text for name, text in contents(done / "study").items() if name != "identities.json"} == {
        name: text for name, text in before.items() if name != "identities.json"
    }


def full(connection, _record):
    [(pages,)] = connection.execute("pragma page_count").fetchall()
    connection.execute(f"pragma max_page_count = {pages}")


@pytest.mark.slow
def test_a_full_disk_is_named_and_the_run_goes_on_when_there_is_room(themes, done, monkeypatch):
    engine = sqlalchemy.create_engine

    def small(url):
        made = engine(url)
        sqlalchemy.event.listen(made, "connect", full)
        return made

    text = "She said that the pay was too low, number {} of her many reasons for the no.\n"
    (done / "in" / "C3-later.txt").write_text("".join(text.format(n) for n in range(300)), encoding="utf-8")
    monkeypatch.setattr("sqlalchemy.create_engine", small)
    assert themes.run(done, "--json") == 1
    assert "the disk is full: make room and run again" in themes.message()
    assert json.loads(themes.out)["error"]["code"] == "study"
    monkeypatch.undo()
    assert rows(done / "study", "select count(*) from documents where status = 'read'") == [(8,)]
    assert themes.run(done) == 0
    assert "documents   9 read" in themes.err


@pytest.mark.slow
def test_no_room_for_the_report_leaves_the_old_one_whole(themes, done, monkeypatch):
    before = (done / "study" / "report.html").read_bytes()
    fdopen = os.fdopen

    class Full:
        def __init__(self, file):
            self.file = file

        def __enter__(self):
            return self

        def __exit__(self, *_):
            self.file.close()

        def write(self, _text):
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fdopen", lambda *arguments, **options: Full(fdopen(*arguments, **options)))
    assert "No space left on device" in themes.fails("report", done / "study")
    assert (done / "study" / "report.html").read_bytes() == before


@pytest.mark.slow
def test_damaged_studies_are_named(themes, done):
    study = done / "study"
    (study / "identities.json").write_text("{", encoding="utf-8")
    assert themes.run(done) == 1
    assert "identities.json" in themes.message()
    (study / "study.toml").unlink()
    assert "study.toml" in themes.fails("report", study)
    (study / "study.db").write_bytes(b"no database" * 1000)
    (study / "study.toml").write_text("", encoding="utf-8")
    assert "not a database" in themes.fails("report", study)

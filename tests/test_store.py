"""What goes into a study's database comes out the same, whole or not at all, and trouble is told in one clear error."""

from __future__ import annotations

import json
import stat

import numpy as np
import pandas as pd
import pytest
import sqlalchemy

from declinethemes import schema
from declinethemes.errors import StudyError
from declinethemes.store import DATABASE, IDENTITIES, Store, write_text

STORED = [name for name, table in schema.TABLES.items() if name == "candidates" or not table.open]


@pytest.fixture
def store(tmp_path):
    opened = Store(tmp_path)
    yield opened
    opened.close()


def filled(table: str) -> pd.DataFrame:
    """Two rows of a table: one with every column filled, one with every column missing that may be."""
    values = {
        "text": "naïve 🙂 'x'",
        "int": 2**53 + 1,
        "number": -1.5,
        "share": 0.25,
        "flag": True,
        "date": "2026-02-28",
    }
    full, bare = {}, {}
    for name, column in schema.TABLES[table].columns.items():
        value = ["b", "a"] if column.kind == "list" else values[column.kind]
        full[name] = column.values[0] if column.values else value
        bare[name] = None if column.nullable else column.values[-1] if column.values else value
    for key in schema.TABLES[table].key:
        column = schema.TABLES[table].columns[key]
        if column.kind == "text" and not column.values:
            full[key], bare[key] = "k1", "k0"
    return schema.conform(pd.DataFrame([full, bare], dtype="object"), table)


@pytest.mark.parametrize("table", STORED)
def test_every_table_comes_back_as_it_went_in(store, tmp_path, table):
    frame = filled(table)
    store.replace({table: frame})
    pd.testing.assert_frame_equal(store.read(table), frame)
    again = Store(tmp_path)
    pd.testing.assert_frame_equal(again.read(table), frame)
    again.close()


@pytest.mark.parametrize("table", STORED)
def test_every_table_is_empty_at_first_and_after_an_empty_one(store, table):
    pd.testing.assert_frame_equal(store.read(table), schema.empty(table))
    store.replace({table: filled(table)})
    store.replace({table: schema.empty(table)})
    pd.testing.assert_frame_equal(store.read(table), schema.empty(table))


def test_a_frame_that_was_read_may_be_changed_without_changing_the_study(store):
    store.replace({"mentions": filled("mentions")})
    found = store.read("mentions")
    found["n_passages"] = 99
    pd.testing.assert_frame_equal(store.read("mentions"), filled("mentions"))


def test_segments_come_back_as_text_as_they_were_written(store):
    frame = pd.DataFrame(
        {"candidate_id": ["a", "b"], "gender": ["woman", None], "age": [34, None], "level": ["1.0", "02"]}
    )
    frame["age"] = frame["age"].astype("Int64")
    store.replace({"candidates": schema.conform(frame, "candidates")})
    out = store.read("candidates")
    assert out["gender"].tolist() == ["woman", pd.NA]
    assert out["age"].tolist() == ["34", pd.NA]
    assert out["level"].tolist() == ["1.0", "02"]
    assert str(out["age"].dtype) == "string"


def test_a_study_in_memory_writes_no_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    store = Store(None)
    store.replace({"mentions": filled("mentions")})
    pd.testing.assert_frame_equal(store.read("mentions"), filled("mentions"))
    assert len(store.identities()["key"]) == 64
    assert store.identities() == store.identities()
    store.close()
    assert list(tmp_path.iterdir()) == []


# --- documents


def parts(text: str, *, document: str = "d.txt", n: int = 2) -> dict[str, pd.DataFrame]:
    """One document with its turns, passages and tags."""
    documents = pd.DataFrame(
        [{**dict.fromkeys(schema.TABLES["documents"].columns), "document_id": document, "status": "read"}]
    )
    ids = [f"{document}-{text}-{i}" for i in range(n)]
    turns = pd.DataFrame({"document_id": document, "turn_no": range(n), "text": text})
    turns = turns.assign(speaker=None, speaker_role="candidate", role_basis="label", start_s=None, end_s=None)
    passages = turns[["document_id", "turn_no", "text"]].assign(
        passage_id=ids, candidate_id="c", start_char=0, end_char=len(text), prompt=None
    )
    tags = pd.DataFrame({"passage_id": ids, "code": "a.b", "decided_by": "model", "category": "a", "decision": "yes"})
    tags = tags.assign(probability=0.5, stance=None, model_id="m")
    frames = {"documents": documents, "turns": turns, "passages": passages, "tags": tags}
    return {name: schema.conform(frame, name) for name, frame in frames.items()}


def write(store: Store, frames: dict[str, pd.DataFrame]) -> None:
    store.write_documents(frames["documents"], frames["turns"], frames["passages"], frames["tags"], {})


def test_a_document_comes_back_with_all_that_was_made_of_it(store):
    frames = parts("old")
    write(store, frames)
    for name, frame in frames.items():
        pd.testing.assert_frame_equal(store.read(name), frame)


def test_a_document_is_replaced_whole_and_others_stay(store):
    other, old, new = parts("same", document="e.txt"), parts("old", n=3), parts("new", n=1)
    for frames in (other, old, new):
        write(store, frames)
    for name, frame in new.items():
        expected = schema.conform(pd.concat([frame, other[name]]), name)
        pd.testing.assert_frame_equal(store.read(name), expected)


def test_a_document_that_cannot_be_written_leaves_the_earlier_one(store):
    old, broken = parts("old"), parts("new")
    write(store, old)
    broken["tags"] = pd.concat([broken["tags"]] * 2)  # the key repeats: the database refuses
    with pytest.raises(StudyError):
        write(store, broken)
    for name, frame in old.items():
        pd.testing.assert_frame_equal(store.read(name), frame)


def test_a_table_that_cannot_be_written_leaves_all_tables_of_the_call(store):
    store.replace({"mentions": filled("mentions")}, meta={"state": "old"})
    broken = pd.concat([filled("assignments")] * 2)
    with pytest.raises(Exception, match="each value once"):
        store.replace({"mentions": schema.empty("mentions"), "assignments": broken}, meta={"state": "new"})
    assert len(store.read("mentions")) == 2
    assert store.get("state") == "old"


# --- texts, vectors, identities


def test_texts_are_remembered_and_replaced(store):
    assert store.get("state") is None
    store.put("state", "one")
    store.put("state", "two")
    assert store.get("state") == "two"


def test_vectors_are_kept_per_encoder(store):
    assert store.vectors("one") == {}
    store.add_vectors("one", {b"k": np.array([1, 0.5], dtype=np.float64), b"l": np.zeros(2)})
    store.add_vectors("one", {b"k": np.array([0.25, 0.5])})
    store.add_vectors("two", {})
    found = store.vectors("one")
    assert found[b"k"].tolist() == [0.25, 0.5]
    assert found[b"k"].dtype == np.float32
    assert store.vectors("two") == {}
    store.add_vectors("two", {b"k": np.ones(2)})
    assert len(store.vectors("one")) == 2
    store.drop_vectors(but={"two"})
    assert store.vectors("one") == {}
    assert len(store.vectors("two")) == 1


def test_identities_lie_in_a_file_that_only_the_owner_reads(store, tmp_path):
    store.put_identities({"key": "00", "people": [{"name": "Zoë Ng"}], "others": []})
    file = tmp_path / IDENTITIES
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert store.identities()["people"] == [{"name": "Zoë Ng"}]
    assert b"Ng" not in (tmp_path / DATABASE).read_bytes()


def test_identities_are_made_once(store, tmp_path):
    key = store.identities()["key"]
    again = Store(tmp_path)
    assert again.identities()["key"] == key
    again.close()


def test_a_leftover_of_a_broken_run_does_not_open_the_identities(store, tmp_path):
    leftover = tmp_path / f".{IDENTITIES}.part"
    leftover.write_text("x")
    leftover.chmod(0o644)
    held = leftover.open()
    store.put_identities({"key": "secret"})
    assert held.read() == "x"
    held.close()
    assert not leftover.exists()


@pytest.mark.parametrize("content", ["{", "[]", ""])
def test_broken_identities_are_an_error_and_are_not_written_over(store, tmp_path, content):
    (tmp_path / IDENTITIES).write_text(content)
    with pytest.raises(StudyError, match=f"{IDENTITIES}.*restore it"):
        store.identities()
    assert (tmp_path / IDENTITIES).read_text() == content


# --- trouble


def test_a_study_of_another_version_is_not_opened(store, tmp_path):
    store.put("version", "99")
    with pytest.raises(StudyError, match=r"another version \(its format is 99, this one reads 2\)"):
        Store(tmp_path)


def test_a_folder_that_is_not_there(tmp_path):
    with pytest.raises(StudyError, match="cannot be written: choose another --out"):
        Store(tmp_path / "none")


def test_a_file_in_place_of_the_folder(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(StudyError, match="cannot be written: choose another --out"):
        Store(tmp_path / "file")


def test_a_database_that_is_none(tmp_path):
    (tmp_path / DATABASE).write_text("no database " * 100)
    with pytest.raises(StudyError, match=f"{DATABASE} is not a database"):
        Store(tmp_path)


def pragma(store: Store, text: str) -> None:
    """Have every connection of the store run a pragma."""
    store._engine.dispose()
    sqlalchemy.event.listen(store._engine, "connect", lambda connection, _: connection.execute(f"PRAGMA {text}"))


def test_a_read_only_folder(store):
    pragma(store, "query_only = 1")
    with pytest.raises(StudyError, match="read-only: choose another --out"):
        store.put("state", "x")


def test_a_full_disk_is_told_and_nothing_finished_is_lost(store):
    old = parts("old")
    write(store, old)
    with store._engine.connect() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
    pragma(store, f"max_page_count = {pages + 2}")
    with pytest.raises(StudyError, match="the disk is full: make room and run again"):
        write(store, parts("new " * 2000, n=20))
    for name, frame in old.items():
        pd.testing.assert_frame_equal(store.read(name), frame)


def test_another_run_on_the_same_study(store, tmp_path):
    pragma(store, "busy_timeout = 1")
    other = sqlalchemy.create_engine(f"sqlite:///{tmp_path / DATABASE}")
    with other.connect() as connection:
        connection.exec_driver_sql("BEGIN EXCLUSIVE")
        with pytest.raises(StudyError, match="another run is working on this study"):
            store.put("state", "x")
    other.dispose()


def test_a_text_is_written_whole_or_not_at_all(tmp_path):
    file = tmp_path / "report.html"
    write_text(file, "old")
    with pytest.raises(UnicodeEncodeError):
        write_text(file, "new \ud800")
    assert file.read_text() == "old"


def test_a_full_disk_while_writing_a_text(tmp_path, monkeypatch):
    file = tmp_path / "report.html"
    write_text(file, "old")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.replace", full)
    with pytest.raises(StudyError, match="No space left on device; choose another folder or make room"):
        write_text(file, json.dumps({"new": 1}))
    assert [p.name for p in tmp_path.iterdir()] == ["report.html"]
    assert file.read_text() == "old"


def test_a_file_where_the_folder_should_be(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(StudyError, match="cannot write"):
        write_text(tmp_path / "file" / "report.html", "x")

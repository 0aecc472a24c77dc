"""A small study from files to findings: the same in any order, atomic, and blind to repetition."""

import json
import multiprocessing
import random
import shutil
import time

import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

import declinethemes as dt
from declinethemes.config import Settings
from declinethemes.schema import TABLES
from declinethemes.store import IDENTITIES
from declinethemes.study import SETTINGS
from declinethemes.themes import halves

TABLE_NAMES = [
    name
    for name, table in TABLES.items()
    if name not in ("offers", "reviews", "contacts", "releases") and not (table.open and name != "candidates")
]
KEY = {"key": "00" * 32, "people": [], "others": []}

# Every sentence of the notes has twelve words or more, so that repeating it makes the same passage twice.
NOTES = [
    "The whole process took eleven weeks from the first call to the letter, which is far too slow.",
    "Pay was well below what the other company had put on the table for the very same job.",
    "Nobody wrote back for a month after the final round, although she asked the recruiter three times.",
    "Each interviewer described another job, and in the end he could not say who his manager would be.",
    "She liked the people very much, above all the team lead who showed her around the whole office.",
    "He was looking for a place where he could grow into leading a small team within two years.",
]
CALLS = {
    "A1": (
        "Nadia Orlow",
        "woman",
        "How long did it take?",
        "Nine weeks. And then two more weeks of silence before anybody told me anything at all.",
    ),
    "A2": (
        "Piet Vanhove",
        "man",
        "How did our offer compare?",
        "It was ten thousand lower than theirs, and I would have had to be in the office four days a week.",
    ),
    "A3": (
        "Sunita Apte",
        "woman",
        "How were the interviews?",
        "One of them was typing the whole time. He had clearly not read my CV and called me by another name.",
    ),
}


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Three calls, a table of twelve notes, and fifteen candidates."""
    folder = tmp_path_factory.mktemp("files")
    people, notes = [], []
    for number, (name, (full, gender, question, answer)) in enumerate(CALLS.items()):
        lines = [
            f"Greta Holm: {question}",
            f"{full}: {answer}",
            "Greta Holm: Right.",
            f"{full}: That is about it, thank you for asking me.",
        ]
        (folder / f"{name}.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
        people.append((name, full, gender, "engineer" if number else "designer"))
    for number in range(12):
        name = f"B{number + 1}"
        people.append((name, "", "woman" if number % 2 else "man", "engineer" if number < 6 else "designer"))
        notes.append((f"N{number + 1}", name, f"{NOTES[number % 6]} {NOTES[(number * 5 + 1) % 6]}"))
    pd.DataFrame(people, columns=["candidate_id", "name", "gender", "role"]).to_csv(
        folder / "candidates.csv", index=False
    )
    pd.DataFrame(notes, columns=["note_id", "candidate_id", "note"]).to_csv(folder / "notes.csv", index=False)
    return folder


def fresh(folder):
    """Return a study folder with a fixed key, so that pseudonyms can be compared between studies."""
    folder.mkdir(parents=True)
    (folder / IDENTITIES).write_text(json.dumps(KEY), encoding="utf-8")
    (folder / SETTINGS).write_text('[segments]\nuse = ["gender", "role"]\n', encoding="utf-8")
    return folder


def documents(files):
    return [*(files / f"{name}.txt" for name in CALLS), files / "notes.csv"]


def tables(folder):
    study = dt.Study.open(folder)
    return {name: study.store.read(name) for name in TABLE_NAMES}


def assert_same(left, right, *, but=()):
    for name in TABLE_NAMES:
        if name in but:
            continue
        ignore = ["path"] if name == "documents" else []
        assert_frame_equal(left[name].drop(columns=ignore), right[name].drop(columns=ignore), obj=name)


@pytest.fixture(scope="module")
def reference(files, tmp_path_factory):
    """The study made at once."""
    folder = fresh(tmp_path_factory.mktemp("reference") / "study")
    dt.analyze(documents(files), candidates=files / "candidates.csv", study=folder)
    return folder


@pytest.mark.slow
def test_the_reference_has_something_in_every_table(reference):
    assert [name for name, frame in tables(reference).items() if frame.empty] == []


@pytest.mark.slow
def test_files_and_rows_in_another_order_give_identical_tables(files, reference, tmp_path):
    other = tmp_path / "files"
    shutil.copytree(files, other)
    for name in ("candidates.csv", "notes.csv"):
        pd.read_csv(other / name).sample(frac=1, random_state=3).to_csv(other / name, index=False)
    study = fresh(tmp_path / "study")
    dt.analyze(documents(other)[::-1], candidates=other / "candidates.csv", study=study)
    assert_same(tables(reference), tables(study))


@pytest.mark.slow
def test_document_by_document_gives_the_same_tables_as_all_at_once(files, reference, tmp_path):
    study = fresh(tmp_path / "study")
    for path in documents(files):
        dt.analyze(path, candidates=files / "candidates.csv", study=study)
    assert_same(tables(reference), tables(study), but=["ledger"])  # which has a run for each document
    assert tables(study)["ledger"]["run"].max() > 1


@pytest.mark.slow
def test_running_again_with_nothing_new_changes_nothing(files, reference):
    before = tables(reference)
    dt.analyze(documents(files), candidates=files / "candidates.csv", study=reference)
    assert_same(before, tables(reference))


@pytest.mark.slow
def test_every_sentence_twice_changes_no_p_value(files, reference, tmp_path):
    other = tmp_path / "files"
    other.mkdir()
    shutil.copy(files / "candidates.csv", other)
    notes = pd.read_csv(files / "notes.csv")
    notes["note"] = notes["note"].str.replace(r"([^.]+\.)\s*", r"\1 \1 ", regex=True)
    notes.to_csv(other / "notes.csv", index=False)
    for name, (full, _, question, answer) in CALLS.items():
        # The same turns once more, question and all: every sentence is there twice.
        lines = [
            f"Greta Holm: {question}",
            f"{full}: {answer}",
            "Greta Holm: Right.",
            f"{full}: That is about it, thank you for asking me.",
        ]
        (other / f"{name}.txt").write_text("\n".join([*lines, *lines]) + "\n", encoding="utf-8")
    study = fresh(tmp_path / "study")
    dt.analyze(documents(other), candidates=other / "candidates.csv", study=study)
    once, twice = tables(reference), tables(study)
    assert len(twice["passages"]) == 2 * len(once["passages"])
    columns = ["segment", "level", "item", "n_mention", "n", "p_value", "p_bh", "p_wy", "verdict"]
    assert_frame_equal(once["findings"][columns], twice["findings"][columns])


@pytest.mark.slow
def test_killed_at_twenty_moments_and_run_again_it_ends_with_the_same_tables(files, reference, tmp_path):
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(
        ["declinethemes.study", "declinethemes.training", "spacy", "sklearn.linear_model", "bertopic", "onnxruntime"]
    )

    def start(study):
        work = {"paths": documents(files), "candidates": files / "candidates.csv", "study": study}
        process = context.Process(target=dt.analyze, args=(work.pop("paths"),), kwargs=work)
        process.start()
        return process

    def finish(study):
        process = start(study)
        process.join(timeout=300)
        assert process.exitcode == 0

    finish(fresh(tmp_path / "warm"))
    begun = time.monotonic()
    finish(fresh(tmp_path / "timed"))
    whole = time.monotonic() - begun
    moments = random.Random(0)
    killed = 0
    for number in range(20):
        study = fresh(tmp_path / f"study{number}")
        process = start(study)
        process.join(timeout=moments.uniform(0, whole))
        process.kill()
        process.join()
        killed += process.exitcode == -9
        finish(study)
        assert_same(tables(reference), tables(study))
    assert killed >= 10, "the runs were over before they were killed: the test tests nothing"


@pytest.mark.slow
def test_in_memory_nothing_is_written(files, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    study = dt.analyze(documents(files), candidates=files / "candidates.csv", settings=Settings(segments=("gender",)))
    assert len(study.passages) > 20
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_no_name_of_the_metadata_is_left_in_any_table(reference):
    text = "".join(frame.to_csv() for frame in tables(reference).values())
    names = {part for full, *_ in CALLS.values() for part in full.split()} | {"Greta", "Holm"}
    assert {name for name in names if name in text} == set()


@pytest.mark.slow
def test_crosstab_of_a_study_hides_small_cells_and_internal_shows_them(reference):
    study = dt.Study.open(reference)
    hidden = study.crosstab(by="gender").to_frame()
    shown = study.crosstab(by="gender", internal=True).to_frame()
    small = shown["suppressed"].astype(bool)
    assert small.any()
    assert hidden.loc[small, ["n_mention", "share", "p_value", "ci_low"]].isna().all().all()
    assert shown.loc[small, "n_mention"].notna().all()
    assert (study.findings["verdict"] == "protected").any()


# --- themes of a study, from run to run


@pytest.fixture(scope="module")
def themed(tmp_path_factory):
    """Forty candidates with a survey answer on one of two new subjects under one code; two genders."""
    folder = tmp_path_factory.mktemp("themed")
    subjects = (
        "The recruiter {} was kind and answered every message of mine on the very same day, always.",
        "The panel with the {} people was friendly, relaxed and very well prepared for my visit there.",
    )
    words = "blue green tall quiet old young new busy calm clever early eager fine glad keen loud neat proud quick wise"
    rows = [
        (f"S{i:02d}", subjects[i % 2].format(words.split()[i // 2]), "woman" if i % 3 else "man") for i in range(40)
    ]
    pd.DataFrame(rows, columns=["candidate_id", "answer", "gender"]).drop(columns="gender").rename(
        columns={"answer": "note"}
    ).to_csv(folder / "notes.csv", index=False)
    pd.DataFrame([(r[0], r[2], "first") for r in rows], columns=["candidate_id", "gender", "batch"]).to_csv(
        folder / "candidates.csv", index=False
    )
    settings = Settings(segments=("gender",))
    return dt.analyze(folder / "notes.csv", candidates=folder / "candidates.csv", settings=settings)


@pytest.mark.slow
def test_a_first_run_is_in_the_ledger_with_its_batch(themed):
    ledger = themed.ledger
    assert set(ledger["event"]) == {"new"}
    assert set(ledger["batch"]) == {"first"}
    assert set(ledger["theme_id"]) == set(themed.themes["theme_id"])
    assert len(themed.themes[(themed.themes["kind"] == "emergent") & (themed.themes["status"] != "rest")]) >= 1


@pytest.mark.slow
def test_emergent_findings_are_called_exploratory_and_with_a_holdout_are_of_other_candidates(themed):
    emergent = set(themed.themes.loc[themed.themes["kind"] == "emergent", "theme_id"])
    found = themed.crosstab(by="gender", stance="all", internal=True).to_frame()
    mine = found[found["item"].isin(emergent)]
    assert len(mine)
    assert mine["note"].str.contains("exploratory").all()
    assert not found.loc[~found["item"].isin(emergent), "note"].fillna("").str.contains("exploratory").any()

    themed.discover(holdout=True)
    assert themed.holdout
    halved = themed.crosstab(by="gender", stance="all", internal=True)
    emergent = set(themed.themes.loc[themed.themes["kind"] == "emergent", "theme_id"])
    others = halves(themed.people["candidate_id"], 0)[1]
    mine = halved.findings[halved.findings["item"].isin(emergent)]
    assert set(mine["n"] + mine["rest_n"]) <= {len(others)}
    assert "two families" in " ".join(halved.notes)
    assert not halved.findings["note"].fillna("").str.contains("exploratory").any()
    themed.find(by="gender")
    assert themed.store.get("find")
    themed.discover(holdout=False)
    assert not themed.holdout
    assert not themed.store.get("find"), "findings of other themes would be taken for those of these"


@pytest.mark.slow
def test_a_name_that_was_given_stays_through_a_rebuild_and_is_in_the_ledger(themed):
    theme = themed.themes.query("kind == 'emergent' and status != 'rest'")["theme_id"].iloc[0]
    themed.rename(theme, "  Kind   recruiters ")
    themed.discover(rebuild=True)
    assert themed.themes.set_index("theme_id").loc[theme, "label"] == "Kind recruiters"
    event = themed.ledger.query("event == 'renamed'").iloc[-1]
    assert (event["theme_id"], event["label"]) == (theme, "Kind recruiters")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("theme", "label", "message"),
    [("nothing", "x", "no theme 'nothing'"), ("", "x", "no theme ''"), (None, " ", "a theme needs a name")],
)
def test_a_rename_that_cannot_be(themed, theme, label, message):
    theme = themed.themes.query("kind == 'emergent'")["theme_id"].iloc[0] if theme is None else theme
    with pytest.raises(dt.DeclineThemesError, match=message):
        themed.rename(theme, label)


@pytest.mark.slow
def test_the_history_shows_no_small_count(themed):
    history = themed.history()
    assert len(history) == len(themed.ledger)
    assert not history["n_candidates"].between(1, themed.settings.min_n - 1).any()


@pytest.mark.slow
def test_a_study_as_bertopic_has_its_themes(themed):
    model = themed.to_bertopic()
    assert set(model.custom_labels_) <= set(themed.themes["label"])
    assert model.visualize_heatmap().data

"""Review by people: who is drawn, the sheet, what is read back, and what it does to findings."""

import io
import os
from collections import Counter
from dataclasses import replace

import numpy as np
import openpyxl
import pandas as pd
import pytest
from tests.report_fixture import SETTINGS, tables

from declinethemes.cli import main
from declinethemes.config import read_settings
from declinethemes.errors import InputError, SchemaError, SettingsError, StudyError
from declinethemes.findings import crosstab
from declinethemes.ingest import read_reviews
from declinethemes.review import draw_sample, with_parts, write_sheet
from declinethemes.store import Store
from declinethemes.study import Study

ITEMS = ("process.speed", "slow_process", "ghosting")


def people(n=400):
    rng = np.random.default_rng(3)
    return pd.DataFrame(
        {
            "candidate_id": [f"c{i:03d}" for i in range(n)],
            "gender": rng.choice(["woman", "man", None], n, p=[0.25, 0.65, 0.1]),
            "site": rng.choice(["A", "B", "C"], n, p=[0.1, 0.3, 0.6]),
        }
    )


def sheet_of(rows, heads=("candidate_id", "done", "reviewer", "inclusion_probability", "Slow [slow_process]")):
    book = openpyxl.Workbook()
    book.active.append(list(heads))
    for row in rows:
        book.active.append(list(row))
    return book


def read(tmp_path, rows, **more):
    path = tmp_path / "reviews.xlsx"
    sheet_of(rows, **more).save(path)
    return read_reviews(path, candidates=["c1", "c2", "c3"], items=ITEMS)


def test_every_level_has_as_many_as_were_asked_for_or_all():
    frame = people()
    drawn = draw_sample(frame, by=["gender", "site"], per_segment=50)
    mine = frame.merge(drawn, on="candidate_id")
    for column in ("gender", "site"):
        for level, size in frame[column].value_counts().items():
            assert (mine[column] == level).sum() >= min(50, size), (column, level)
    assert len(drawn) < len(frame)
    small = frame["site"].value_counts().min()
    assert small < 50
    assert mine.loc[mine["site"] == "A", "inclusion_probability"].eq(1).all()


def test_the_probability_is_how_often_one_is_drawn():
    frame = people(120)
    times, chance, runs = Counter(), {}, 600
    for seed in range(runs):
        drawn = draw_sample(frame, by=["gender", "site"], per_segment=12, random_state=seed)
        times.update(drawn["candidate_id"])
        chance.update(drawn.set_index("candidate_id")["inclusion_probability"])
    often = np.array([times[name] / runs for name in chance])
    said = np.array(list(chance.values()))
    assert np.abs(often - said).max() < 4.5 * np.sqrt(0.25 / runs)
    assert abs((often - said).mean()) < 0.01
    assert len({round(value, 3) for value in said}) > 3


def test_the_order_tells_nothing_and_the_rows_do_not_matter():
    frame = people()
    drawn = draw_sample(frame, by=["gender"], per_segment=30)
    assert drawn["candidate_id"].tolist() != sorted(drawn["candidate_id"])
    again = draw_sample(frame.sample(frac=1, random_state=5), by=["gender"], per_segment=30)
    pd.testing.assert_frame_equal(drawn, again)


def test_who_did_not_disclose_is_drawn_too():
    """Other segments compare them: an audit without them would correct those by half of the people."""
    frame = people()
    drawn = draw_sample(frame, by=["gender"], per_segment=20)
    mine = frame.merge(drawn, on="candidate_id")
    assert mine["gender"].isna().sum() == 20


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"by": ["gendre"]}, "did you mean 'gender'"),
        ({"by": []}, "at least one segment"),
        ({"by": ["gender"], "per_segment": 2}, "at least 5"),
    ],
)
def test_what_cannot_be_drawn(options, said):
    with pytest.raises(SettingsError, match=said):
        draw_sample(people(), **options)
    with pytest.raises(InputError, match="nobody can be drawn"):
        draw_sample(people().assign(gender=None), by=["gender"])


def test_the_sheet_is_blind_and_text_stays_text():
    drawn = pd.DataFrame({"candidate_id": ["c2", "c1"], "inclusion_probability": [0.5, 1.0]})
    words = pd.DataFrame(
        {
            "candidate_id": ["c1", "c2", "c9"],
            "document_id": ["d1", "d2", "d9"],
            "kind": "call",
            "prompt": [None, "Why?", None],
            "text": ["=1+1 is what I said\x07", "It was slow.", "Not drawn."],
        }
    )
    items = pd.DataFrame({"item": ["slow_process"], "label": ["Slow"], "definition": ["It took long."]})
    book = openpyxl.load_workbook(io.BytesIO(write_sheet(drawn, words, items, stance="negative")))
    assert book.sheetnames == ["Answers", "Words", "Items", "How to"]
    answers = [[cell.value for cell in row] for row in book["Answers"].iter_rows()]
    assert answers[0] == ["candidate_id", "done", "reviewer", "Slow [slow_process]"]
    assert [row[0] for row in answers[1:]] == ["c2", "c1"]
    cells = {str(cell.value) for sheet in book for row in sheet.iter_rows() for cell in row}
    assert not {"0.5", "1.0"} & cells  # how likely one was drawn tells the level
    said = [[cell.value for cell in row] for row in book["Words"].iter_rows(min_row=2)]
    assert [row[0] for row in said] == ["c2", "c1"]
    assert said[1][4] == "=1+1 is what I said "
    assert book["Words"]["E3"].data_type == "s"
    assert "complain" in book["How to"]["A2"].value


def test_a_filled_sheet_is_read_back(tmp_path):
    read_back = read(
        tmp_path, [("c1", None, "Ina", 0.5, "yes"), ("c2", "yes", "Ina", 1, None), ("c3", None, None, 1, None)]
    )
    assert read_back[["subject", "item", "decision", "reviewer", "inclusion_probability"]].to_numpy().tolist() == [
        ["c1", "slow_process", "yes", "ina", 0.5],
        ["c2", "slow_process", "no", "ina", 1.0],
    ]


def test_a_corrected_file_is_a_later_decision_and_the_same_file_is_the_same(tmp_path):
    first = read(tmp_path, [("c1", None, "Ina", 1, "yes")])
    path = tmp_path / "reviews.xlsx"
    same = read_reviews(path, candidates=["c1"], items=ITEMS)
    assert first["at"].tolist() == same["at"].tolist()
    os.utime(path, (2_000_000_000, 2_000_000_000))
    assert read_reviews(path, candidates=["c1"], items=ITEMS)["at"].item() > first["at"].item()


def test_a_row_per_decision_is_read_too(tmp_path):
    path = tmp_path / "reviews.csv"
    path.write_text(
        "candidate_id,item,decision,inclusion_probability\nc1,ghosting,1,0.4\nc2,ghosting,?,0.4\n", encoding="utf-8"
    )
    frame = read_reviews(path, candidates=["c1", "c2"], items=ITEMS)
    assert frame["decision"].tolist() == ["yes", "unsure"]


@pytest.mark.parametrize(
    ("rows", "error", "said"),
    [
        ([("c7", None, None, 1, "yes")], InputError, "not in this study: c7"),
        ([("c1", None, None, None, "yes")], InputError, "inclusion_probability"),
        ([("c1", None, None, 1.5, "yes")], InputError, "above 0 and up to 1"),
        ([("c1", None, None, 1, "perhaps")], InputError, r"'perhaps' \(row 2, slow_process\)"),
        ([("c1", None, None, 1, "yes"), ("c1", None, None, 1, "no")], InputError, "several rows"),
        ([("c1", None, None, 1, None)], InputError, "nothing is decided"),
        ([("c1", "finished", None, 1, "yes")], InputError, r"done is yes, no or empty; found 'finished' \(row 2\)"),
        ([(None, None, None, 1, "yes"), ("c1", None, None, 1, "no")], InputError, "rows without a candidate_id: 2"),
    ],
)
def test_bad_reviews(tmp_path, rows, error, said):
    with pytest.raises(error, match=said):
        read(tmp_path, rows)


def test_unknown_items_and_missing_columns(tmp_path):
    heads = ("candidate_id", "inclusion_probability", "slow_proces")
    with pytest.raises(SettingsError, match="did you mean 'slow_process'"):
        read(tmp_path, [("c1", 1, "yes")], heads=heads)
    with pytest.raises(SchemaError, match="missing: candidate_id"):
        read(tmp_path, [("c1", "yes")], heads=("who", "slow_process"))


def test_probabilities_are_those_of_the_draw_unless_the_file_has_its_own(tmp_path):
    path = tmp_path / "reviews.csv"
    path.write_text("candidate_id,slow_process\nc1,yes\nc2,no\n", encoding="utf-8")
    given = {"candidates": ["c1", "c2"], "items": ITEMS}
    assert read_reviews(path, drawn={"c1": 0.25, "c2": 1.0}, **given)["inclusion_probability"].tolist() == [0.25, 1.0]
    with pytest.raises(InputError, match="1 decisions have none"):
        read_reviews(path, drawn={"c1": 0.25}, **given)
    path.write_text("candidate_id,inclusion_probability,slow_process\nc1,0.5,yes\n", encoding="utf-8")
    assert read_reviews(path, drawn={"c1": 0.25}, **given)["inclusion_probability"].tolist() == [0.5]


def test_a_yes_among_empty_cells_of_a_row_that_is_not_done_is_an_error(tmp_path):
    """Its no's would not count, and nearly everybody reviewed would seem to complain."""
    heads = ("candidate_id", "done", "inclusion_probability", "slow_process", "ghosting")
    with pytest.raises(InputError, match="that are not done: 2"):
        read(tmp_path, [("c1", None, 1, "yes", None), ("c2", "yes", 1, None, None)], heads=heads)
    there = read(tmp_path, [("c1", None, 1, "yes", "no"), ("c2", None, 1, "no", None)], heads=heads)
    assert there["decision"].value_counts().to_dict() == {"no": 2, "yes": 1}


def test_times_are_compared_as_times(tmp_path):
    path = tmp_path / "reviews.csv"
    head = "candidate_id,item,decision,inclusion_probability,at\n"
    path.write_text(head + "c1,ghosting,yes,1,2026-01-05 10:00\nc1,ghosting,no,1,2026-01-05T09:00\n", encoding="utf-8")
    frame = read_reviews(path, candidates=["c1"], items=ITEMS)
    assert frame.sort_values("at")["decision"].tolist() == ["no", "yes"]
    path.write_text(head + "c1,ghosting,yes,1,5/1/2026\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"'5/1/2026' \(row 2\)"):
        read_reviews(path, candidates=["c1"], items=ITEMS)


def test_the_whole_follows_from_its_parts():
    above = {"slow_process": "process.speed", "process.speed": "process", "process.rounds": "process"}
    decided = {
        ("c1", "slow_process"): "yes",
        ("c1", "process.speed"): "no",
        ("c1", "process.rounds"): "no",
        ("c2", "process.speed"): "no",
        ("c2", "process.rounds"): "no",
        ("c3", "process.speed"): "no",
    }
    reviews = pd.DataFrame(
        [(*key, decision, "r", "2026-01-01", 0.5) for key, decision in decided.items()],
        columns=["subject", "item", "decision", "reviewer", "at", "inclusion_probability"],
    )
    made = with_parts(reviews, above).set_index(["subject", "item"])["decision"]
    assert made["c1", "process.speed"] == "yes"  # the code was decided, and one of its themes is a yes
    assert made["c1", "process"] == "yes"
    assert made["c2", "process"] == "no"
    assert ("c3", "process") not in made.index  # one of its codes is undecided
    assert ("c2", "slow_process") not in made.index


def test_parts_alone_decide_no_whole_and_the_latest_decision_counts():
    """Else a whole would have the yes's of its parts and nobody's no."""
    above = {"slow_process": "process.speed", "process.speed": "process", "process.rounds": "process"}
    rows = [
        ("c1", "slow_process", "yes", "2026-01-01"),
        ("c2", "process.speed", "yes", "2026-01-01"),
        ("c3", "process.speed", "yes", "2026-01-01"),
        ("c3", "process.rounds", "no", "2026-01-01"),
        ("c3", "process.speed", "no", "2026-02-01"),
    ]
    reviews = pd.DataFrame(rows, columns=["subject", "item", "decision", "at"])
    made = with_parts(reviews.assign(reviewer="r", inclusion_probability=1.0), above).set_index(["subject", "item"])
    decided = made["decision"]
    assert ("c1", "process.speed") not in decided.index
    assert ("c2", "process") not in decided.index
    assert decided["c3", "process.speed"] == "no"
    assert decided["c3", "process"] == "no"


def test_a_later_doubt_takes_a_decision_back():
    frame = people(60)
    said = pd.DataFrame({"candidate_id": frame["candidate_id"][:20], "item": "x"})
    rows = pd.DataFrame({"subject": frame["candidate_id"], "item": "x", "reviewer": "r", "inclusion_probability": 1.0})
    audit = pd.concat(
        [rows.assign(decision="yes", at="2026-01-01"), rows.assign(decision="unsure", at="2026-01-02")],
        ignore_index=True,
    )
    assert set(crosstab(said, frame, by="gender", audit=audit).to_frame()["audit_state"]) == {"unaudited"}


def big_gap(n=60, items=40):
    """Everybody reviewed of one level, a third of the other: nearly all of the one, hardly any of the other."""
    frame = pd.DataFrame({"candidate_id": range(2 * n), "team": ["a"] * n + ["b"] * n})
    rng = np.random.default_rng(0)
    truth = np.r_[rng.random(n) < 0.95, rng.random(n) < 0.1]
    said = [pd.DataFrame({"candidate_id": frame.loc[truth, "candidate_id"], "item": f"x{i:02d}"}) for i in range(items)]
    looked = np.r_[np.arange(n), np.arange(n, 2 * n, 3)]
    audit = [
        pd.DataFrame({"subject": looked, "item": f"x{i:02d}", "decision": np.where(truth[looked], "yes", "no")})
        for i in range(items)
    ]
    return pd.concat(said), frame, pd.concat(audit).assign(inclusion_probability=[*[1.0] * n, *[1 / 3] * 20] * items)


def test_an_audited_gap_can_be_as_sure_as_many_comparisons_need():
    """p counts draws; with the first 20,000 none could pass the adjustment over hundreds of comparisons."""
    said, frame, audit = big_gap(items=150)
    found = crosstab(said, frame, by="team", audit=audit).to_frame()
    assert set(found["audit_state"]) == {"audited"}
    assert set(found["verdict"]) == {"difference"}
    assert found["p_value"].max() < 1e-4


def test_the_gap_that_could_show_is_that_of_the_reviewed():
    said, frame, audit = big_gap(items=1)
    found = crosstab(said, frame, by="team", audit=audit).to_frame()
    width = found["ci_high"] - found["ci_low"]
    assert found["mde"].tolist() == pytest.approx((2.802 / 3.92 * width).tolist())


def test_a_corrected_share_of_one_or_two_on_a_sensitive_item_is_hidden():
    frame = pd.DataFrame({"candidate_id": range(119), "team": ["a"] * 60 + ["b"] * 59})
    said = pd.DataFrame({"candidate_id": range(60, 80), "item": "health"})
    decided = np.where(np.arange(119) >= 60, np.where(np.arange(119) < 80, "yes", "no"), "no")
    decided[3] = "yes"
    audit = pd.DataFrame({"subject": frame["candidate_id"], "item": "health", "decision": decided})
    audit = audit[audit["subject"] != 118].assign(inclusion_probability=1.0)
    for sensitive, hidden in (({"health"}, True), ((), False)):
        found = crosstab(said, frame, by="team", audit=audit, sensitive=sensitive).to_frame()
        assert set(found["audit_state"]) == {"audited"}
        assert found["suppressed"].tolist() == [hidden, hidden]


def test_reviews_of_strangers_and_without_probabilities_in_a_cross_tabulation():
    frame = people(60)
    said = pd.DataFrame({"candidate_id": frame["candidate_id"][:20], "item": "x"})
    audit = pd.DataFrame({"subject": frame["candidate_id"], "item": "x", "decision": "yes"})
    noted = crosstab(said, frame, by="gender", audit=audit)
    assert any("no inclusion probabilities" in note for note in noted.notes)
    with pytest.raises(InputError, match="not in 'candidates': nobody"):
        crosstab(said, frame, by="gender", audit=audit.assign(subject="nobody"))
    holes = audit.assign(inclusion_probability=[0.5] * 59 + [None])
    with pytest.raises(SchemaError, match="inclusion_probability"):
        crosstab(said, frame, by="gender", audit=holes)


def test_recall_that_differs_between_groups_is_seen_and_few_positives_say_unknown():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"candidate_id": range(200), "team": ["a"] * 100 + ["b"] * 100})
    truth = rng.random(200) < 0.5
    tagged = truth & (rng.random(200) < np.where(frame["team"] == "a", 0.4, 0.95))
    rare = np.arange(200) % 40 == 0
    said = pd.concat(
        [frame.loc[tagged, ["candidate_id"]].assign(item="x"), frame.loc[rare, ["candidate_id"]].assign(item="rare")]
    )
    audit = pd.concat(
        [
            pd.DataFrame({"subject": frame["candidate_id"], "item": name, "decision": np.where(flags, "yes", "no")})
            for name, flags in (("x", truth), ("rare", rare))
        ]
    ).assign(inclusion_probability=1.0)
    found = crosstab(said, frame, by="team", audit=audit)
    recall = found.tagger_recall.set_index(["level", "item"])
    expected = (tagged & truth)[:100].sum() / truth[:100].sum()
    assert recall.loc[("a", "x"), "recall"] == pytest.approx(expected)
    assert recall.loc[("a", "x"), "verdict"] == "differs"
    assert recall.loc[("a", "rare"), "verdict"] == "unknown"
    assert pd.isna(recall.loc[("a", "rare"), "recall"])
    notes = found.to_frame().set_index(["level", "item"])["note"]
    assert "tagger recall differs by segment" in notes["a", "x"]
    assert "tagger recall differs" not in str(notes["a", "rare"])


@pytest.fixture(scope="module")
def made():
    return tables(120)


def study_of(made, folder):
    study = Study(Store(folder), SETTINGS if folder is None else read_settings(folder / "study.toml"))
    study.store.replace(made)
    study.store.put("discover", study._state("discover"))
    return study


def test_a_study_is_corrected_by_the_sheet_that_it_drew(made, tmp_path):
    """Everybody is reviewed and nobody complains of slowness: human codes take the place of the tags."""
    study = study_of(made, None)
    path = tmp_path / "audit.xlsx"
    drawn = study.audit_sample(path, by="gender", per_segment=1000)
    assert path.stat().st_mode & 0o777 == 0o600
    with pytest.raises(StudyError, match="is there already"):
        study.audit_sample(path, by="gender")
    assert {entry["what"] for entry in study.store.notes("internal")} == {f"sheet to review {len(drawn)} candidates"}
    book = openpyxl.load_workbook(path)
    heads = [cell.value for cell in book["Answers"][1]]
    assert sum(head.endswith("[slow_process]") for head in heads) == 1
    for row in range(2, book["Answers"].max_row + 1):
        book["Answers"].cell(row, 2).value = "yes"
    book.save(path)
    before = study.crosstab(by="gender", internal=True).to_frame()
    assert set(before["audit_state"]) == {"unaudited"}
    assert study.read_audit(path) > len(drawn)
    assert study.read_audit(path) == 0
    after = study.crosstab(by="gender", internal=True).to_frame()
    known = after[(after["item"] == "slow_process") & (after["level"] != "not disclosed")]
    assert known["n_mention"].eq(0).all()
    assert set(known["audit_state"]) == {"human codes"}
    assert before.loc[before["item"] == "slow_process", "n_mention"].sum() > 0
    every = study.crosstab(by="gender", stance="all", internal=True)  # another question than reviewers answered
    assert set(every.to_frame()["audit_state"]) == {"unaudited"}
    assert any("the other question" in note for note in every.notes)
    other = Study(study.store, replace(SETTINGS, stance="all"))  # the sheet asked about complaints
    with pytest.raises(StudyError, match='begun with stance = "negative"'):
        other.read_audit(path)


def test_the_commands(made, tmp_path, capsys):
    folder = tmp_path / "study"
    folder.mkdir()
    (folder / "study.toml").write_text('[segments]\nuse = ["gender", "location"]\n', encoding="utf-8")
    study_of(made, folder).store.close()
    sheet = tmp_path / "audit.xlsx"

    def run(*arguments):
        with pytest.raises(SystemExit) as ended:
            main([str(argument) for argument in arguments])
        return ended.value.code, capsys.readouterr()

    code, said = run("audit-sample", folder, "--out", sheet, "--per-segment", 8, "--item", "slow_process")
    assert code == 0, said.err
    assert "candidates drawn" in said.err
    code, said = run("audit-sample", folder, "--out", tmp_path / "audit.csv")
    assert (code, "ends in .xlsx" in said.err) == (1, True)
    code, said = run("crosstab", folder, "--audit", sheet)
    assert (code, "nothing is decided" in said.err) == (1, True)
    book = openpyxl.load_workbook(sheet)
    for row in range(2, book["Answers"].max_row + 1):
        book["Answers"].cell(row, 4).value = "yes" if row % 2 else "no"
    book.save(sheet)
    code, said = run("crosstab", folder, "--by", "gender", "--audit", sheet, "--json")
    assert code == 0, said.err
    states = {row["audit_state"] for row in pd.read_json(io.StringIO(said.out)).to_dict("records")}
    assert "audited" in states

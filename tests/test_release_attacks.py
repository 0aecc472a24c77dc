"""Releases under attacks by those who know more than one table: three columns, changes, other runs, names."""

import json

import pandas as pd
import pytest
from tests.release_fixture import NY, WOMEN, people, release
from tests.report_fixture import SETTINGS, tables

from declinethemes.disclosure import Request
from declinethemes.errors import DisclosureError, SettingsError, StudyError
from declinethemes.publish import count_answers, release_files
from declinethemes.store import Store
from declinethemes.study import Study


def test_one_person_at_three_levels_is_not_told_by_two_filters():
    frame = people(
        ("woman", "NY", "eng", 1, 1),
        ("woman", "NY", "des", 10, 4),
        ("woman", "LA", "eng", 10, 4),
        ("woman", "LA", "des", 12, 5),
        ("man", "NY", "eng", 10, 4),
        ("man", "NY", "des", 12, 0),
        ("man", "LA", "eng", 12, 5),
        columns=("gender", "location", "role"),
    )
    before = []
    release(frame, ["gender", "location", "role"], before=before)
    release(frame, ["gender", "location"], (("role", "eng"),), before=before)
    with pytest.raises(DisclosureError, match="gender 'woman', location 'NY', role 'eng'"):
        release(frame, ["gender"], NY, before=before)


@pytest.mark.parametrize("change", ["nothing", "a woman is erased", "a tag is added", "a man is a woman"])
def test_what_was_shown_stays_known_when_the_data_change(change):
    frame = people(*WOMEN)
    before = []
    release(frame, ["gender"], before=before)
    mine = frame.index[(frame["gender"] == "woman") & (frame["location"] == "NY") & ~frame["x"]]
    if change == "a woman is erased":
        frame = frame.drop(mine[0])
    elif change == "a tag is added":
        frame.loc[mine[0], "x"] = True
    elif change == "a man is a woman":
        frame.loc[frame.index[frame["gender"] == "man"][0], "gender"] = "woman"
    with pytest.raises(DisclosureError, match="is refused"):
        release(frame.reset_index(drop=True), ["gender"], NY, before=before)


def test_the_difference_of_two_releases_does_not_tell_of_the_one_who_left():
    frame = people(("woman", "NY", 20, 8), ("man", "NY", 30, 12))
    before = []
    release(frame, ["gender"], before=before)
    release(frame, ["gender"], before=before)  # nothing has changed: nothing is told
    with pytest.raises(DisclosureError, match="of whom a few left or changed"):
        release(frame.drop(0).reset_index(drop=True), ["gender"], before=before)


def test_one_who_discloses_a_level_later_is_not_told_either():
    frame = people(("woman", "NY", 20, 8), ("man", "NY", 30, 12), (None, "NY", 9, 4))
    before = []
    release(frame, ["gender"], before=before)
    frame.loc[frame.index[frame["gender"].isna()][0], "gender"] = "woman"
    with pytest.raises(DisclosureError, match="of whom a few left or changed"):
        release(frame, ["gender"], before=before)


def test_many_newcomers_blur_the_one_who_left():
    frame = people(("woman", "NY", 20, 8), ("man", "NY", 30, 12))
    before = []
    release(frame, ["gender"], before=before)
    more = people(("woman", "NY", 15, 6), ("man", "NY", 15, 6)).assign(
        candidate_id=lambda new: new["candidate_id"].str.replace("C", "D")
    )
    made = release(pd.concat([frame.drop(0), more], ignore_index=True), ["gender"], before=before)
    assert made.n_shown > 0
    assert made.notes


def test_a_merged_level_with_the_name_of_another_counts_both():
    frame = people(("woman", "NY", 10, 4), ("female", "NY", 20, 8), ("man", "NY", 30, 12))
    made = release(frame, ["gender"], merge={"gender": {"woman": ("female",)}})
    assert made.counts.set_index("level")["n"].to_dict() == {"man": 30, "woman": 30}


def test_a_refusal_stays_one_when_what_would_be_proposed_does_not_fit():
    """Merging other levels than before does not fit the earlier release, and is not an error of the request."""
    frame = people(
        ("woman", "NY", 14, 4), ("woman", "LA", 1, 1), ("man", "NY", 25, 9), ("man", "LA", 1, 1),
        ("nb", "NY", 6, 3), ("agender", "NY", 5, 3), ("nb", "LA", 1, 1),
    )  # fmt: skip
    merge = {"gender": {"other": ("nb", "agender")}}
    before = []
    release(frame, ["gender"], merge=merge, before=before)
    new = people(("woman", "NY", 1, 1), ("man", "NY", 1, 1), ("nb", "NY", 1, 1)).assign(candidate_id=["N1", "N2", "N3"])
    with pytest.raises(DisclosureError, match="is refused"):
        release(pd.concat([frame, new], ignore_index=True), ["gender"], merge=merge, before=before)


@pytest.fixture(scope="module")
def made():
    return tables(120)


def study_of(made, folder):
    study = Study(Store(folder), SETTINGS)
    study.store.replace(made)
    study.store.put("discover", study._state("discover"))
    return study


def test_two_runs_at_once_cannot_both_release(made, tmp_path, monkeypatch):
    folder = tmp_path / "study"
    folder.mkdir()
    study_of(made, folder).store.close()
    one, two = Study(Store(folder), SETTINGS), Study(Store(folder), SETTINGS)
    assert len(two.releases) == 0
    append = two.store.append

    def late(*arguments, **options):
        one.release(tmp_path / "one", by="gender")
        return append(*arguments, **options)

    monkeypatch.setattr(two.store, "append", late)
    with pytest.raises(StudyError, match="meanwhile: run again"):
        two.release(tmp_path / "two", by="gender", where={"location": "Dublin"})
    assert not list((tmp_path / "two").iterdir())
    monkeypatch.undo()
    two.store.reread()
    assert set(two.releases["release"]) == {1}
    assert {json.loads(view) == {} for view in two.releases["view"]} == {True}


def test_a_study_that_looked_at_the_ledger_before_sees_what_was_released_since(made, tmp_path):
    folder = tmp_path / "study"
    folder.mkdir()
    study_of(made, folder).store.close()
    one, two = Study(Store(folder), SETTINGS), Study(Store(folder), SETTINGS)
    assert two.releases.empty
    one.release(tmp_path / "one", by="gender")
    assert two.release(tmp_path / "two", by="location").number == 2


def counted(made, **changed):
    study = study_of(made, None)
    options = {
        "candidates": study.candidates,
        "heard": study.passages["candidate_id"],
        "mentions": study.compared(stance="negative"),
        "themes": study.themes,
        "settings": SETTINGS,
        "sensitive": study.sensitive,
    }
    request = changed.pop("request", Request(by=(("gender",),)))
    return count_answers(request, **{**options, **changed})


def test_nobody_heard_is_an_error_of_its_own(made):
    with pytest.raises(StudyError, match="nothing to release"):
        counted(made, heard=pd.Series([], dtype="string"))


def test_names_that_would_read_as_an_intersection_are_refused(made):
    candidates = tables(120)["candidates"]
    candidates["location"] = candidates["location"].replace("Dublin", "Dublin x Cork")
    with pytest.raises(SettingsError, match="'Dublin x Cork' holds ' x '"):
        counted(made, candidates=candidates, request=Request(by=(("gender", "location"),)))
    counted(made, candidates=candidates, request=Request(by=(("location",),)))


def test_the_files_say_nothing_of_what_changed():
    frame = people(("woman", "NY", 20, 8), ("man", "NY", 30, 12))
    before = []
    release(frame, ["gender"], before=before)
    frame.loc[0, "x"] = False
    made = release(frame, ["gender"], before=before)
    assert made.notes
    texts = release_files(made, at="2026-01-01", settings=SETTINGS)
    assert not any("earlier" in text for text in texts.values())

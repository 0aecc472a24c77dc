"""Releases: what an attacker can bound, what is hidden for it, what is refused, and the ledger."""

import json

import numpy as np
import pandas as pd
import pytest
from benchmarks import disclosure as bench
from tests.release_fixture import NY, WOMEN, answers, people, release
from tests.report_fixture import SETTINGS, tables

from declinethemes.cli import main
from declinethemes.config import read_settings
from declinethemes.disclosure import Request, population
from declinethemes.disclosure.audit import protected_counts
from declinethemes.disclosure.population import build_population
from declinethemes.disclosure.program import Pools, Program, Totals
from declinethemes.disclosure.tables import Tables
from declinethemes.errors import DisclosureError, SettingsError, StudyError
from declinethemes.findings import crosstab
from declinethemes.schema import TABLES, empty
from declinethemes.store import Store
from declinethemes.study import Study


def shown(made):
    return {(row.segment, row.level, row.item): row.n_mention for row in made.counts.itertuples() if row.n is not pd.NA}


def bounds(model, totals, group, count):
    """What the linear program says of one count of one group."""
    pools = Pools(model, totals, group[None, :])
    program = Program(pools, pools.items)
    wanted = np.arange(1 + 2 * model.said.shape[1]) == count
    low, high = (pools.spread(program.solve(0, wanted, sign=sign)) for sign in (1, -1))
    return round(low[0][0, count], 6), round(high[1][0, count], 6)


def square(hidden):
    """The attacker's bounds on the middle of the right column of a published 3 x 3 table."""
    counts = [[20, 50, 10], [8, 19, 22], [17, 32, 12]]
    frame = people(
        *((f"r{i}", f"c{j}", counts[i][j]) for i in range(3) for j in range(3)), columns=("row", "column"), items=()
    )
    model = build_population(
        frame, np.zeros((len(frame), 0), dtype=bool), np.ones(len(frame), dtype=np.int64),
        segments=[("row",), ("column",), ("row", "column")], filters=(), derived={}, published={},
    )  # fmt: skip
    cell = {(i, j): model.at_level(("row", "column"), (f"r{i}", f"c{j}")) for i in range(3) for j in range(3)}
    margins = [sum(cell[i, j] for j in range(3)) > 0 for i in range(3)]
    margins += [sum(cell[i, j] for i in range(3)) > 0 for j in range(3)]
    masks = np.array([*margins, *(mask for place, mask in cell.items() if place not in hidden)])
    totals = Totals(
        masks=masks, state=np.zeros(9, dtype=np.int64), shown=np.ones((len(masks), 1), dtype=bool), listed=masks[:0]
    )
    return bounds(model, totals, cell[1, 2], 0)


def test_one_hidden_cell_is_known_exactly():  # methods 10, X
    assert square({(1, 2)}) == (22, 22)


def test_two_rows_and_columns_hide_it():  # methods 10, X
    assert square({(i, j) for i in (1, 2) for j in (0, 2)}) == (5, 30)


def woman_in_la(before, request):
    """The attacker's bounds on the candidates and the mentions of women in LA after these releases and a request."""
    ledger = pd.concat([one.ledger("now") for one in before]) if before else empty("releases")
    made = Tables(answers(people(*WOMEN)), request, ledger, first=before[0].first if before else {})
    group = made.population.has("gender", "woman") & made.population.has("location", "LA")
    totals = made.totals(np.full((2, len(made.rows), 1), True), made.known)
    return bounds(made.population, totals, group, 0), bounds(made.population, totals, group, 1)


def test_a_table_by_gender_leaves_the_one_woman_in_la_open():  # methods 10, X
    request = Request(by=(("gender",), ("location",)))  # so that there are cells of both; only gender is shown
    made = Tables(answers(people(*WOMEN)), request, empty("releases"), first={})
    visible = np.array([[[row.segment == ("gender",)] for row in made.rows]] * 2)
    group = made.population.has("gender", "woman") & made.population.has("location", "LA")
    assert bounds(made.population, made.totals(visible, made.known), group, 0) == (0, 12)
    assert bounds(made.population, made.totals(visible, made.known), group, 1) == (0, 4)


def test_a_view_of_ny_would_tell_of_her_and_is_refused():  # methods 10, X
    before = []
    release(people(*WOMEN), ["gender"], before=before)
    assert woman_in_la(before, Request(by=(("gender",),), where=NY)) == ((1, 1), (1, 1))
    with pytest.raises(DisclosureError) as refused:
        release(people(*WOMEN), ["gender"], NY, before=before)
    message = str(refused.value)
    assert "release 2 is refused" in message
    assert "together with earlier releases" in message
    assert "location 'LA'" in message
    assert "leave out the filter (location 'NY')" in message
    assert refused.value.code == "disclosure"
    assert not any(figure in message for figure in ("11", "12", " 1 "))


def test_the_other_way_round_is_refused_too():
    before = []
    release(people(*WOMEN), ["gender"], NY, before=before)
    with pytest.raises(DisclosureError, match="earlier releases"):
        release(people(*WOMEN), ["gender"], before=before)


def test_nothing_protected_is_shown_and_the_ledger_has_totals_only():
    frame = people(
        ("a", "NY", 20, 2), ("b", "NY", 20, 8), ("c", "LA", 30, 9), ("d", "LA", 4, 3), columns=("team", "location")
    )
    made = release(frame, ["team"])
    assert set(shown(made)) == {("team", "b", "x"), ("team", "c", "x")}
    ledger = made.ledger("2026-01-01T00:00:00+00:00")
    assert list(ledger.columns) == list(TABLES["releases"].columns)
    assert ledger.set_index("level").loc["d", ["n", "n_mention", "rest_n", "rest_n_mention"]].isna().all()
    assert not any(name in str(ledger.to_dict()) for name in frame["candidate_id"])


def test_counts_of_one_or_two_are_protected_on_both_sides():
    assert [bool(f) for f in protected_counts(2, 9, False, min_n=5)] == [False, True, False]
    assert [bool(f) for f in protected_counts(7, 9, False, min_n=5)] == [False, False, True]
    assert [bool(f) for f in protected_counts(2, 12, False, min_n=5)] == [False, False, False]
    assert [bool(f) for f in protected_counts(2, 12, False, min_n=5, divisible=True)] == [False, True, False]
    assert [bool(f) for f in protected_counts(2, 50, True, min_n=5)] == [False, True, False]
    assert [bool(f) for f in protected_counts(0, 3, False, min_n=5)] == [True, False, True]
    assert [bool(f) for f in protected_counts(0, 0, False, min_n=5)] == [False, False, False]


def test_a_rest_is_hidden_where_it_alone_would_tell():
    # Everybody's role is known, three did not disclose their gender: the total by role would count them.
    frame = people(
        ("woman", "a", 30, 9), ("man", "b", 20, 8), ("man", "c", 15, 4), (None, "a", 3, 1), columns=("gender", "role")
    )
    before = []
    release(frame, ["gender"], before=before)
    made = release(frame, ["role"], before=before)
    assert made.n_shown
    assert not made.n_compared
    assert not shown(made).keys() >= {("role", level, "x") for level in "abc"}
    found = made.findings(margin=0.15, alpha=0.05).set_index("level")
    alone = found[found["n"].notna()]
    assert alone["verdict"].eq("not tested").all()
    assert alone["note"].str.contains("the others").all()
    assert alone[["difference", "p_value", "rest_share"]].isna().all(axis=None)
    assert alone["share"].notna().all()


def test_few_newcomers_are_not_told_by_the_next_release():
    frame = people(("woman", "NY", 20, 8), ("man", "NY", 30, 12))
    more = pd.concat([frame, people(("woman", "NY", 2, 1)).assign(candidate_id=["N1", "N2"])], ignore_index=True)
    before = []
    release(frame, ["gender"], before=before)
    with pytest.raises(DisclosureError, match=r"first counted in release 2.*wait until there are more candidates"):
        release(more, ["gender"], before=before)


def test_many_newcomers_are():
    frame = people(("woman", "NY", 20, 8), ("man", "NY", 30, 12))
    more = people(("woman", "NY", 12, 4), ("man", "NY", 12, 5)).assign(candidate_id=[f"N{i}" for i in range(24)])
    before = []
    release(frame, ["gender"], before=before)
    made = release(pd.concat([frame, more], ignore_index=True), ["gender"], before=before)
    assert shown(made) == {("gender", "man", "x"): 17, ("gender", "woman", "x"): 12}


def test_a_part_is_not_told_by_its_whole_and_the_other_parts():
    # Of b, 4 speak of the category, 3 of its first code, 1 of the second: with both shown, the second is 1 to 4.
    items = ("offer", "offer.pay", "offer.terms")
    frame = people(("a", "NY", 30, 12, 12, 6), ("b", "NY", 9, 4, 0, 0), columns=("team", "location"), items=items)
    mine = frame.index[frame["team"] == "b"]
    frame.loc[mine[:3], "offer.pay"] = True
    frame.loc[mine[3], "offer.terms"] = True
    made = release(frame, ["team"], items=items, parts={"offer": items[1:]})
    known = shown(made)
    assert ("team", "b", "offer.terms") not in known
    assert not {("team", "b", "offer"), ("team", "b", "offer.pay")} <= set(known)
    alone = shown(release(frame, ["team"], items=items))
    assert {("team", "b", "offer"), ("team", "b", "offer.pay")} <= set(alone)


def test_a_rule_that_decides_a_column_is_known_to_the_attacker():
    cells = [("woman", "white", "yes", 20, 8), ("man", "black", "yes", 2, 1), ("man", "white", "no", 30, 12)]
    columns = ("gender", "ethnicity", "underrepresented")
    rule = {"underrepresented": {"gender": ("woman",), "ethnicity": ("black",)}}
    frame = people(*cells, columns=columns)
    before = []
    release(frame, ["gender"], before=before, derived=rule)
    with pytest.raises(DisclosureError, match="how many there are"):
        release(frame, ["underrepresented"], before=before, derived=rule)


def test_merged_levels_add_up_what_they_stand_for():
    frame = people(("woman", "NY", 20, 8), ("man", "NY", 40, 12), ("non-binary", "LA", 3, 1), ("agender", "LA", 8, 4))
    merge = {"gender": {"other": ("non-binary", "agender")}}
    before = []
    assert shown(release(frame, ["gender"], merge=merge, before=before))[("gender", "other", "x")] == 5
    with pytest.raises(StudyError, match=r"release 1 showed the level 'other'.*segments.merge"):
        release(frame, ["gender"], before=before)


def test_merging_is_offered():
    frame = people(*((team, "NY", 4, 2) for team in "abcd"), columns=("team", "location"))
    with pytest.raises(DisclosureError, match=r"every group in them is too small|to within two") as refused:
        release(frame, ["team"])
    assert "show team 'a' and 'b' as one, under [segments.merge]" in str(refused.value)


def test_a_column_cannot_be_shown_and_filtered_by():
    with pytest.raises(SettingsError, match="cannot be filtered by location too"):
        release(people(*WOMEN), ["gender", "location"], NY)


def test_totals_that_no_longer_hold_are_said():
    frame = people(("woman", "NY", 20, 8), ("man", "NY", 30, 12))
    before = []
    release(frame, ["gender"], before=before)
    frame.loc[0, "x"] = False
    made = release(frame, ["gender"], before=before)
    assert any("not those of the study now" in note for note in made.notes)


def test_a_column_that_is_gone_is_an_error():
    frame = people(*WOMEN)
    before = []
    release(frame, ["gender"], before=before)
    with pytest.raises(StudyError, match="release 1 showed tables by gender"):
        release(frame.drop(columns="gender"), ["location"], before=before)


def test_too_many_combinations_are_an_error():
    frame = pd.DataFrame({"candidate_id": [f"C{i}" for i in range(40)], "x": [True, False] * 20})
    columns = ["a", "b", "c"]
    for name in columns:
        frame[name] = [f"{name}{i}" for i in range(40)]
    with pytest.raises(SettingsError, match="too many combinations"):
        release(frame, [tuple(columns)])


def test_blocks_bound_what_all_cells_together_bound(monkeypatch):
    rng = np.random.default_rng(3)
    frame = pd.DataFrame({"candidate_id": [f"C{i}" for i in range(60)]})
    for name, levels in (
        ("gender", ["woman", "man", None]),
        ("role", ["a", "b", "c"]),
        ("location", ["NY", "LA", "SF"]),
    ):
        frame[name] = rng.choice(levels, 60)
    frame["x"] = rng.random(60) < 0.3
    before = []
    release(frame, ["gender", "role"], before=before)
    ledger, request = before[0].ledger("now"), Request(by=(("gender",), ("role",)), where=NY)

    def found(cells):
        monkeypatch.setattr(population, "JOINT_CELLS", cells)
        made = Tables(answers(frame), request, ledger, first=before[0].first)
        visible = np.random.default_rng(5).random((2, len(made.rows), 1)) < 0.7
        totals, out = made.totals(visible, made.known), {}
        for group in made.groups():
            if "gender" in group.words and "role" not in group.words:
                out[group.words] = [bounds(made.population, totals, group.mask, count) for count in range(3)]
        return len(np.unique(made.population.block)), out

    (one, together), (two, apart) = found(1000), found(0)
    assert (one, two) == (1, 2)
    assert together == apart
    assert len(apart) > 20


def test_findings_are_those_of_crosstab_where_everything_is_shown():
    frame = people(("a", "NY", 30, 9), ("b", "NY", 30, 21), ("c", "LA", 30, 12), columns=("team", "location"))
    made = release(frame, ["team"]).findings(margin=0.15, alpha=0.05)
    said = frame.loc[frame["x"], ["candidate_id"]].assign(item="x")
    full = crosstab(said, frame, by="team", permutations=0).to_frame()
    for name in (
        "n_mention",
        "n",
        "rest_n",
        "share",
        "share_low",
        "rest_share",
        "difference",
        "ci_low",
        "ci_high",
        "p_value",
        "p_bh",
    ):
        np.testing.assert_allclose(made[name].to_numpy(float), full[name].to_numpy(float), atol=1e-9)
    assert made["verdict"].tolist() == full["verdict"].tolist()


def test_the_order_of_the_candidates_does_not_matter():
    frame = bench.draw(40, np.random.default_rng(1))[0]
    mixed = frame.sample(frac=1, random_state=0).reset_index(drop=True)
    made = [release(one, ["gender", "role"], items=tuple(bench.ITEMS)).counts for one in (frame, mixed)]
    pd.testing.assert_frame_equal(*made)


def test_the_attacker_breaks_tables_with_only_small_cells_hidden():
    frame = bench.draw(40, np.random.default_rng(2))[0]
    n, exposed = bench.attack(bench.naive_all(frame, ["gender"]), frame, ["gender"])
    assert n > len(exposed) > 0


def test_the_attacker_bounds_no_protected_count_of_releases():
    results = bench.run(3, columns=1, naive_every=0)
    assert sum(len(one.cells) for one in results) > 6
    assert [one.exposed for one in results] == [[]] * 3


def test_one_or_two_in_a_pair_of_levels_are_not_told_before_a_filter_divides_it():
    # 11 analysts who are men, one of whom speaks of the tests; 7 of them turn out to be in New York
    result = bench.one_study(184, seed=0, naive=False, columns=3)
    assert result.protected == 1040
    assert result.exposed == []


@pytest.mark.slow
def test_the_attacker_bounds_no_protected_count_of_releases_by_several_columns():
    """With those by one column fifty studies; `python -m benchmarks.disclosure` attacks five hundred."""
    results = bench.run(6, seed=1, naive_every=0) + bench.run(41, seed=2, columns=1, naive_every=0)
    assert sum(one.protected for one in results) > 5000
    assert [words for one in results for words in one.exposed] == []
    assert "large enough" in bench.table(results)


@pytest.fixture(scope="module")
def made():
    return tables(120)


def study_of(made, folder, settings=SETTINGS):
    """A study with made-up tables, in memory or in a folder."""
    study = Study(Store(folder), settings)
    study.store.replace(made)
    study.store.put("discover", study._state("discover"))
    return study


def test_a_release_of_a_study(made, tmp_path):
    study = study_of(made, None)
    released = study.release(tmp_path / "out", by="gender")
    assert released.stamp == "release 1"
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"release-1.csv", "release-1.json"}
    table = pd.read_csv(tmp_path / "out" / "release-1.csv")
    assert table["stamp"].eq("release 1").all()
    said = json.loads((tmp_path / "out" / "release-1.json").read_text(encoding="utf-8"))
    assert said["stamp"] == "release 1"
    assert len(said["findings"]) == len(table)
    ledger = study.releases
    assert ledger["n"].notna().sum() == table["n"].notna().sum() == released.n_shown
    assert ledger["at"].str.match(r"\d{4}-\d\d-\d\dT").all()
    second = study.release(tmp_path / "out", by="location")
    assert second.number == 2
    assert set(study.releases["release"]) == {1, 2}


def test_a_refused_release_leaves_no_trace(made, tmp_path):
    study = study_of(made, None)
    rare = study.people["ethnicity"].value_counts().index[-1]
    with pytest.raises(DisclosureError, match="refused"):
        study.release(tmp_path / "out", by="gender", where={"ethnicity": rare})
    assert not (tmp_path / "out").exists()
    assert study.releases.empty
    assert study.store.get("first released") is None


def test_unknown_names_are_errors(made, tmp_path):
    study = study_of(made, None)
    with pytest.raises(SettingsError, match="unknown segment column 'gendre'"):
        study.release(tmp_path, by="gendre")
    with pytest.raises(SettingsError, match=r"unknown level of location 'Dubln' \(did you mean 'Dublin'\?\)"):
        study.release(tmp_path, by="gender", where={"location": "Dubln"})


def test_outputs_say_what_they_are_and_full_numbers_are_recorded(made):
    study = study_of(made, None)
    draft = study.crosstab(by="gender")
    assert draft.parameters["stamp"] == "working draft"
    assert "working draft" in draft._repr_html_()
    assert study.store.notes("internal") == []
    assert study.crosstab(by="gender", internal=True).parameters["stamp"] == "internal"
    (entry,) = study.store.notes("internal")
    assert entry["what"] == "crosstab by gender"


def test_the_command(made, tmp_path, capsys):
    folder, out = tmp_path / "study", tmp_path / "out"
    folder.mkdir()
    (folder / "study.toml").write_text('[segments]\nuse = ["gender", "location"]\n', encoding="utf-8")
    study_of(made, folder, read_settings(folder / "study.toml")).store.close()

    def run(*arguments):
        with pytest.raises(SystemExit) as ended:
            main(["release", str(folder), "--out", str(out), *arguments])
        return ended.value.code, capsys.readouterr()

    code, said = run("--by", "gender", "--json")
    assert code == 0
    assert json.loads(said.out)["stamp"] == "release 1"
    assert "release 1: " in said.err
    assert (out / "release-1.csv").is_file()
    code, said = run("--where", "gender")
    assert code == 1
    assert "COLUMN=LEVEL" in said.err
    code, said = run("--by", "location", "--where", "gender=non-binary", "--json")
    assert code == 1
    assert json.loads(said.out)["error"]["code"] == "disclosure"
    assert "Traceback" not in said.err

"""The sample study: nothing wrong with it, and what was planted is there."""

import pandas as pd
import pytest
from benchmarks import sample as bench

from declinethemes._resources import resource
from declinethemes.training import read_coded

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def sample():
    return bench.load()


def test_nothing_is_wrong_with_it(sample):
    assert bench.problems(sample) == []


def test_it_is_as_large_as_it_says(sample):
    assert sample.corpus.passages["candidate_id"].nunique() >= 120
    assert len(sample.corpus.passages) >= 3500
    assert len(pd.read_csv(sample.folder / "offers.csv")) >= 400
    kinds = sample.corpus.documents["kind"].value_counts()
    assert set(kinds.index) == {"call", "note", "survey", "email", "feedback"}


def test_the_planted_effects_are_in_the_gold_codes(sample):
    found = bench.effects(sample)
    assert len(found[found["kind"] != "null"]) >= 8
    assert (found["planted"] - found["found"]).abs().max() <= bench.TOLERANCE
    real = found[found["kind"].isin(["difference", "intersection", "trend"])]
    assert (real["p"] < 0.01).all()
    assert (found.loc[found["kind"] == "null", "p"] > 0.1).all()
    assert len(found[found["kind"] == "null"]) >= 6


def test_the_confounded_effect_vanishes_within_roles_and_the_asked_one_among_the_asked(sample):
    found = bench.effects(sample).set_index("kind")
    for kind, p in (
        ("confounded", float(found.loc["confounded", "note"].split("p ")[1])),
        ("asked", float(found.loc["asked", "note"].split("p ")[1])),
    ):
        assert found.loc[kind, "p"] < 0.05
        assert p > 0.2


@pytest.mark.parametrize(
    ("by", "level", "item"),
    [
        ("location", "Bengaluru", "slow_process"),
        ("role", "product manager", "role_confusion"),
        ("source", "sourced", "company_reputation"),
    ],
)
def test_with_gold_codes_the_library_finds_what_was_planted(sample, by, level, item):
    findings = bench.gold_findings(sample, by).set_index(["level", "item"])
    assert findings.loc[(level, item), "verdict"] == "difference"


def test_it_is_hard_for_word_counts(sample):
    scores = bench.baselines(sample).set_index("baseline")["category_macro_f1"]
    assert scores["keywords of the framework"] < scores["TF-IDF + logistic regression"] < 0.85


def test_splits_keep_every_candidate_whole_and_have_their_sizes(sample):
    splits = pd.read_csv(sample.folder / "splits.csv")
    assert splits["candidate_id"].is_unique
    assert set(splits["candidate_id"]) == set(sample.candidates["candidate_id"])
    shares = splits["split"].value_counts(normalize=True)
    assert abs(shares["train"] - 0.60) < 0.02
    assert abs(shares["calibration"] - 0.15) < 0.02
    assert abs(shares["test"] - 0.25) < 0.02


def test_a_shared_run_and_a_lost_quote_are_noticed(sample):
    from declinethemes.errors import InputError
    from declinethemes.tag.gold import project

    two = pd.DataFrame({"candidate_id": ["a", "b"], "text": ["one two three four five six seven eight nine"] * 2})
    assert bench.shared_runs(two)
    broken = sample.table.head(1).assign(quote="nobody ever said this in any document")
    with pytest.raises(InputError, match="not in their documents"):
        project(broken, sample.corpus.turns, sample.corpus.passages)


def test_a_blind_reader_codes_the_training_text_much_as_its_first_coders_did():
    alpha = bench.training_agreement().set_index("item")["alpha"]
    assert alpha[[item for item in alpha.index if "." not in item]].min() > 0.70
    assert alpha.min() > 0.60


def test_no_voice_of_the_training_text_is_on_both_sides_of_its_split():
    table = pd.read_csv(resource("corpora/training/passages.csv"), dtype="string")
    assert set(table["split"]) == {"encoder", "heads"}
    assert not table[["voice", "split"]].drop_duplicates()["voice"].duplicated().any()


def test_the_training_text_shares_no_more_than_stock_phrases_with_the_sample(sample):
    texts = read_coded(resource("corpora/training/passages.csv")).passages["text"].drop_duplicates()
    both = pd.concat(
        [
            pd.DataFrame({"candidate_id": "training", "text": texts}),
            pd.DataFrame({"candidate_id": "sample", "text": sample.corpus.passages["text"]}),
        ],
        ignore_index=True,
    )
    assert len(bench.shared_runs(both)) < 20  # stock phrases, such as "tell me about a time you disagreed with"

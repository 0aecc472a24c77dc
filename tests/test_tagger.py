"""The tagger: loading, predicting, and training one of one's own."""

from __future__ import annotations

import json
import re
import shutil

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.sparse import csr_array

from declinethemes import schema
from declinethemes._resources import resource
from declinethemes.encode import Encoder
from declinethemes.errors import InputError, ModelError
from declinethemes.framework import load_framework
from declinethemes.tag import Tagger
from declinethemes.tag.evaluate import (
    best_threshold,
    best_thresholds,
    brier_skill,
    calibration_error,
    categories,
    f1,
    macro_f1,
    per_code,
)
from declinethemes.tag.features import Block, Words, join, near
from declinethemes.tag.linear import fit_linear
from declinethemes.tag.train import WEIGHTS
from declinethemes.training import measure, read_coded, train_tagger

PAY = "The base salary was twenty thousand under the other offer."
SLOW = "It took them nine weeks to get back to me."
STRANGE = ["", "   ", "🙂🙂", "word " * 10_000, PAY, ".", "\x00"]


@pytest.fixture(scope="module")
def tagger():
    return Tagger.load()


@pytest.fixture
def copy(tmp_path):
    """A copy of the shipped tagger that may be altered."""
    shutil.copytree(resource("models/tagger"), tmp_path / "tagger")
    return tmp_path / "tagger"


def edit_card(folder, **changes: object) -> None:
    card = json.loads((folder / "tagger.json").read_text())
    (folder / "tagger.json").write_text(json.dumps({k: v for k, v in (card | changes).items() if v is not None}))


def passages(texts: list[str], prompts: list[str | None] | None = None) -> pd.DataFrame:
    frame = pd.DataFrame({"text": texts, "prompt": prompts or [None] * len(texts)})
    ids = [f"p{i}" for i in range(len(texts))]
    frame = frame.assign(passage_id=ids, document_id="d", candidate_id="c", turn_no=0, start_char=0)
    return schema.conform(frame.assign(end_char=frame["text"].str.len()), "passages")


# --- loading


def test_the_shipped_tagger_knows_the_codes_of_the_default_framework(tagger):
    assert set(tagger.codes_) == {code.id for code in load_framework().codes}
    assert tagger.thresholds_.shape == tagger.unsure_.shape == (21,)
    assert (tagger.unsure_ <= tagger.thresholds_).all()


def test_altered_arrays_are_not_loaded(copy):
    file = copy / "arrays.safetensors"
    data = bytearray(file.read_bytes())
    data[-1] ^= 1
    file.write_bytes(data)
    with pytest.raises(ModelError, match=r"arrays\.safetensors was altered"):
        Tagger.load(copy)


def test_a_tagger_without_its_arrays(copy):
    (copy / "arrays.safetensors").unlink()
    with pytest.raises(ModelError, match=r"arrays\.safetensors is missing"):
        Tagger.load(copy)


def test_a_folder_that_is_not_there(tmp_path):
    with pytest.raises(ModelError, match="cannot read"):
        Tagger.load(tmp_path / "none")


def test_a_tagger_of_another_format(copy):
    edit_card(copy, format=99)
    with pytest.raises(ModelError, match="has format 99; this version reads 3"):
        Tagger.load(copy)


@pytest.mark.parametrize("name", ["id", "sha256", "encoder", "encoder_name", "codes"])
def test_a_card_that_lacks_a_part(copy, name):
    edit_card(copy, **{name: None})
    with pytest.raises(ModelError, match=f"lacks {name}"):
        Tagger.load(copy)


def test_a_tagger_is_not_used_with_another_encoder(tagger):
    other = Encoder(id="other", dimensions=384, run=lambda texts: np.zeros((len(texts), 384), np.float32))
    with pytest.raises(
        ModelError, match=rf"trained with encoder {re.escape(tagger.encoder.id)}, not other: train it again"
    ):
        Tagger.load(encoder=other)


def test_an_encoder_that_is_loaded_already_is_taken(tagger):
    assert Tagger.load(encoder=tagger.encoder).encoder is tagger.encoder


# --- predicting


def test_probabilities_have_a_row_per_text_and_a_column_per_code(tagger):
    out = tagger.predict_proba(STRANGE)
    assert out.shape == (len(STRANGE), len(tagger.codes_))
    assert out.dtype == np.float64
    assert np.isfinite(out).all()
    assert ((out >= 0) & (out <= 1)).all()


def test_a_decision_is_yes_from_the_threshold_on(tagger):
    out = tagger.predict(STRANGE)
    assert out.dtype == bool
    np.testing.assert_array_equal(out, tagger.predict_proba(STRANGE) >= tagger.thresholds_)


def test_plain_complaints_get_their_code(tagger):
    found = tagger.predict([PAY, SLOW])
    codes = list(tagger.codes_)
    assert found[0, codes.index("competitiveness.offer")]
    assert found[1, codes.index("competitiveness.timeliness")]
    assert not found[1, codes.index("competitiveness.offer")]


def test_no_texts_give_no_rows(tagger):
    assert tagger.predict_proba([]).shape == (0, len(tagger.codes_))
    assert tagger.asks([]).shape == (0, len(tagger.codes_))


def test_the_answer_is_the_same_every_time_and_whatever_stands_beside_it(tagger):
    again = Tagger.load()
    np.testing.assert_array_equal(again.predict_proba(STRANGE), tagger.predict_proba(STRANGE))
    np.testing.assert_allclose(again.predict_proba([PAY])[0], tagger.predict_proba(STRANGE)[4], atol=1e-5)


def test_the_question_gives_a_bare_answer_its_meaning(tagger):
    column = list(tagger.codes_).index("competitiveness.timeliness")
    answer = "Six weeks, maybe seven."
    asked = tagger.predict_proba([answer], ["How long did the whole process take?"])[0, column]
    other = tagger.predict_proba([answer], ["How were the people you met?"])[0, column]
    assert asked > other


@pytest.mark.parametrize("prompts", [[None], ["", None], ["  ", ""]])
def test_no_prompt_and_an_empty_prompt_are_the_same(tagger, prompts):
    texts = [PAY, SLOW][: len(prompts)]
    np.testing.assert_array_equal(tagger.predict_proba(texts, prompts), tagger.predict_proba(texts))


@pytest.mark.parametrize("prompts", [[], ["a"], ["a", "b", "c"]])
def test_there_is_one_prompt_per_text(tagger, prompts):
    with pytest.raises(InputError, match=f"2 texts and {len(prompts)} prompts"):
        tagger.predict_proba([PAY, SLOW], prompts)


@pytest.mark.parametrize("texts", [PAY, [PAY, None], [3]])
def test_what_are_no_texts_is_an_error(tagger, texts):
    with pytest.raises(InputError):
        tagger.predict_proba(texts)


def test_questions_are_known_by_what_they_ask(tagger):
    out = tagger.asks(["How long did the process take?", "How was the salary we offered?"])
    codes = list(tagger.codes_)
    assert out[0, codes.index("competitiveness.timeliness")]
    assert out[1, codes.index("competitiveness.offer")]
    assert not out[0, codes.index("competitiveness.offer")]


# --- the tags table


def test_tags_are_what_is_yes_or_unsure(tagger):
    table = passages([PAY, SLOW, "Hello there."])
    tags = tagger.tag(table)
    pd.testing.assert_frame_equal(schema.conform(tags, "tags"), tags)
    probabilities = pd.DataFrame(
        tagger.predict_proba(table["text"].tolist()), index=table["passage_id"], columns=list(tagger.codes_)
    )
    assert len(tags) == (probabilities.to_numpy() >= tagger.unsure_).sum()
    thresholds = dict(zip(tagger.codes_, tagger.thresholds_, strict=True))
    for tag in tags.itertuples():
        p = probabilities.loc[tag.passage_id, tag.code]
        assert tag.probability == pytest.approx(p)
        assert tag.decision == ("yes" if p >= thresholds[tag.code] else "unsure")
        assert tag.category == tag.code.split(".")[0]
        assert tag.stance in schema.STANCES
    assert set(tags["decided_by"]) == {"model"}
    assert set(tags["model_id"]) == {tagger.id}


def test_the_order_of_the_passages_does_not_matter(tagger):
    table = passages([PAY, SLOW, "I liked the people."])
    pd.testing.assert_frame_equal(tagger.tag(table.iloc[::-1]), tagger.tag(table))


def test_no_passages_give_the_empty_table(tagger):
    pd.testing.assert_frame_equal(tagger.tag(schema.empty("passages")), schema.empty("tags"))


def test_a_complaint_is_negative_and_praise_positive(tagger):
    table = passages(["The salary was far too low, an insult.", "The people I met were all wonderful and kind."])
    tags = pd.DataFrame({"passage_id": ["p0", "p1"], "code": ["competitiveness.offer", "experience.people"]})
    assert tagger.stances(table, tags).tolist() == ["negative", "positive"]


# --- training

FRAMEWORK = """
name = "two"
version = "3"
[[category]]
id = "pay"
label = "Pay"
[[category]]
id = "time"
label = "Time"
[[code]]
id = "pay.base"
label = "Base"
definition = "The salary."
[[code]]
id = "time.speed"
label = "Speed"
definition = "The speed."
"""
PLACES = ["Oslo", "Lima", "Kyoto", "Accra", "Leeds", "Turin", "Perth", "Quito", "Basel", "Dakar"]


def coded(n: int = 10) -> pd.DataFrame:
    rows = [(f"The salary in {place} was too low.", "pay.base", "negative") for place in PLACES]
    rows += [(f"In {place} the pay was good.", "pay.base", "positive") for place in PLACES]
    rows += [(f"The process in {place} took many weeks.", "time.speed", "negative") for place in PLACES[:n]]
    rows += [(f"The train to {place} was blue.", None, None) for place in PLACES]
    return pd.DataFrame(rows, columns=["text", "code", "stance"])


@pytest.fixture(scope="module")
def two(tmp_path_factory):
    """A framework of two codes, a coded table, and the tagger trained on it."""
    folder = tmp_path_factory.mktemp("two")
    (folder / "framework.toml").write_text(FRAMEWORK)
    coded().to_csv(folder / "coded.csv", index=False)
    framework = load_framework(folder / "framework.toml")
    card = train_tagger([folder / "coded.csv"], framework=framework, out=folder / "tagger")
    return folder, framework, card


def test_a_tagger_trained_on_a_table_tells_its_codes_apart(two):
    trained = Tagger.load(two[0] / "tagger")
    assert trained.codes_ == ("pay.base", "time.speed")
    found = trained.predict(
        [
            "The salary in Cairo was far too low.",
            "The process in Cairo took weeks and weeks.",
            "The train to Cairo was green.",
        ]
    )
    assert found.tolist() == [[True, False], [False, True], [False, False]]


def test_a_trained_tagger_knows_the_two_stances_it_saw(two):
    trained = Tagger.load(two[0] / "tagger")
    table = passages(["The salary in Cairo was too low.", "In Cairo the pay was good."])
    tags = pd.DataFrame({"passage_id": ["p0", "p1"], "code": "pay.base"})
    assert trained.stances(table, tags).tolist() == ["negative", "positive"]


def test_the_card_says_what_it_was_trained_on(two):
    folder, framework, card = two
    assert card == json.loads((folder / "tagger" / "tagger.json").read_text())
    assert card["framework"] == {"name": "two", "version": "3"}
    assert card["n_passages"] == len(coded())
    assert card["encoder_name"] == min(card["log_loss"], key=card["log_loss"].get)
    assert set(card["log_loss"]) == {"minilm-int8", "hiring-int8"}
    assert set(card["recall"]) == set(card["codes"]) == {code.id for code in framework.codes}


def test_with_few_passages_the_weight_of_the_vectors_is_chosen_out_of_fold(two, tmp_path, monkeypatch):
    folder, framework, card = two
    losses = {}
    for weight in reversed(WEIGHTS):
        monkeypatch.setattr("declinethemes.tag.train.WEIGHTS", (weight,))
        alone = train_tagger([folder / "coded.csv"], framework=framework, out=tmp_path / f"{weight}")
        losses[weight] = min(alone["log_loss"].values())
    assert losses[card["vector_weight"]] == min(losses.values()) == min(card["log_loss"].values())
    assert card["vector_weight"] != WEIGHTS[0]


def test_with_many_passages_the_first_weight_is_taken(two, tmp_path, monkeypatch):
    monkeypatch.setattr("declinethemes.tag.train.FEW", 10)
    many = train_tagger([two[0] / "coded.csv"], framework=two[1], out=tmp_path / "tagger")
    assert many["vector_weight"] == WEIGHTS[0]


def test_without_coded_questions_nothing_counts_as_asked(two):
    assert not Tagger.load(two[0] / "tagger").asks(["How was the salary?"]).any()


def test_training_again_gives_the_same_tagger(two, tmp_path):
    _, framework, card = two
    coded().sample(frac=1, random_state=1).to_csv(tmp_path / "coded.csv", index=False)
    again = train_tagger([tmp_path / "coded.csv"], framework=framework, out=tmp_path / "tagger")
    assert again["sha256"] == card["sha256"]


def test_the_figures_of_a_perfect_tagger_are_perfect(two):
    table, figures = measure(Tagger.load(two[0] / "tagger"), read_coded(two[0] / "coded.csv"))
    assert figures["code_micro_f1"] == figures["category_macro_f1"] == 1
    assert figures["stance_macro_f1"] == 1
    assert table.set_index("code").loc["pay.base", "n"] == 20


def test_too_few_examples_are_an_error_that_counts_them(two, tmp_path):
    coded(7).to_csv(tmp_path / "few.csv", index=False)
    with pytest.raises(InputError, match=r"each code needs 8 coded passages; too few for: time\.speed \(7\)"):
        train_tagger([tmp_path / "few.csv"], framework=two[1], out=tmp_path / "tagger")
    assert not (tmp_path / "tagger").exists()


def test_a_code_that_the_framework_lacks_is_an_error_that_names_it(two, tmp_path):
    table = coded()
    table.loc[0, "code"] = "pay.bonus"
    table.to_csv(tmp_path / "unknown.csv", index=False)
    with pytest.raises(InputError, match=r"not in the framework: pay\.bonus; it has: pay\.base, time\.speed"):
        train_tagger([tmp_path / "unknown.csv"], framework=two[1], out=tmp_path / "tagger")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"text\nhello\n", "lacks the columns \\['code'\\]"),
        (b"", "cannot read .* as a .csv in UTF-8"),
        (b"\xff\xfet\x00", "cannot read .* as a .csv in UTF-8"),
        (b'text,code\n"open', "cannot read .* as a .csv in UTF-8"),
    ],
)
def test_a_table_that_cannot_be_used(tmp_path, content, message):
    (tmp_path / "coded.csv").write_bytes(content)
    with pytest.raises(InputError, match=message):
        read_coded(tmp_path / "coded.csv")


def test_a_corpus_that_is_not_there(tmp_path):
    with pytest.raises(InputError, match="no such file or folder"):
        read_coded(tmp_path / "none")


def test_a_folder_that_is_no_corpus(tmp_path):
    with pytest.raises(InputError, match="lacks documents"):
        read_coded(tmp_path)


def test_a_text_with_two_codes_is_one_passage(tmp_path):
    pd.DataFrame({"text": ["a b", "a b", "c d"], "code": ["x.y", "x.z", None]}).to_csv(tmp_path / "t.csv", index=False)
    found = read_coded(tmp_path / "t.csv")
    assert len(found.passages) == 2
    assert found.tags["code"].tolist() == ["x.y", "x.z"]
    assert len(set(found.tags["passage_id"])) == 1


def test_none_is_an_answer_and_not_a_missing_text(tmp_path):
    (tmp_path / "t.csv").write_text("text,code\nNone,x.y\nN/A,\n,x.y\n", encoding="utf-8")
    assert sorted(read_coded(tmp_path / "t.csv").passages["text"]) == ["N/A", "None"]


def test_texts_of_one_voice_stay_together(tmp_path):
    table = pd.DataFrame({"text": ["a", "b", "c", "d"], "code": None, "voice": ["v", "v", None, None]})
    table.to_csv(tmp_path / "t.csv", index=False)
    found = read_coded(tmp_path / "t.csv").passages.set_index("text")["candidate_id"]
    assert found["a"] == found["b"]
    assert found.nunique() == 3


# --- features and figures


def test_a_table_may_say_which_known_themes_passages_have(tmp_path):
    table = tmp_path / "coded.csv"
    rows = ["text,code,theme", "Nine weeks.,a.b,slow_process; ghosting", "Nine weeks.,a.c,", "Fine.,,none", "So.,a.b,"]
    table.write_text("\n".join(rows) + "\n", encoding="utf-8")
    coded = read_coded(table)
    text = dict(zip(coded.passages["passage_id"], coded.passages["text"], strict=True))
    found = {(text[p], None if pd.isna(t) else t) for p, t in coded.themes.itertuples(index=False)}
    assert found == {("Nine weeks.", "slow_process"), ("Nine weeks.", "ghosting"), ("Fine.", None)}


def test_the_shipped_tagger_has_learnt_the_known_themes(tagger):
    assert tagger.themes_ == tuple(theme.id for theme in load_framework().themes)
    texts = ["The process dragged on for eleven weeks, far too long.", "We talked about gardening."]
    found = tagger.themes(passages(texts))
    assert found.shape == (2, 15)
    assert found["slow_process"].iloc[0] > 0.5
    assert found.iloc[1].max() < 0.5
    assert found.to_numpy().min() >= 0
    assert tagger.themes(schema.empty("passages")).shape == (0, 15)


def test_a_tagger_trained_without_themes_has_none(two):
    trained = Tagger.load(two[0] / "tagger")
    assert trained.themes_ == ()
    assert trained.themes(passages(["Any text."])).shape == (1, 0)


def test_themes_are_learnt_from_a_table_that_has_them(two, tmp_path):
    theme = 'id = "low"\ncode = "pay.base"\nlabel = "Low pay"\ndefinition = "Low."\nstance = "negative"\nexemplars = []'
    (tmp_path / "framework.toml").write_text(f"{FRAMEWORK}\n[[theme]]\n{theme}\n")
    table = coded()
    table["theme"] = np.where(table["stance"].eq("negative") & table["code"].eq("pay.base"), "low", "none")
    table.to_csv(tmp_path / "coded.csv", index=False)
    framework = load_framework(tmp_path / "framework.toml")
    card = train_tagger(
        [tmp_path / "coded.csv"], framework=framework, out=tmp_path / "tagger", encoders=["minilm-int8"]
    )
    assert card["themes"] == {"low": 10}
    found = Tagger.load(tmp_path / "tagger").themes(
        passages(["The salary in Cairo was too low.", "In Cairo the pay was good."])
    )
    assert found["low"].iloc[0] > 0.5 > found["low"].iloc[1]


def test_neighbours_are_those_of_the_same_document_with_other_words():
    frame = passages(["a", "b", "b", "c", "d"]).assign(
        document_id=["x", "x", "x", "x", "y"], turn_no=[0, 1, 2, 3, 0], start_char=0
    )
    scores = np.array([[1.0], [5.0], [5.0], [3.0], [9.0]])
    np.testing.assert_array_equal(near(frame, scores)[:, 0], [5.0, 3.0, 3.0, 5.0, np.nan])
    rows = frame.assign(document_id="x", turn_no=0)
    assert np.isnan(near(rows, scores)).all()


@given(st.permutations(range(5)))
@settings(max_examples=20, deadline=None)
def test_neighbours_do_not_depend_on_the_order_of_the_rows(order):
    frame = passages(["a", "b", "b", "c", "d"]).assign(document_id="x", turn_no=[0, 1, 2, 3, 4], start_char=0)
    scores = np.arange(10, dtype=float).reshape(5, 2)
    mixed = near(frame.iloc[order].reset_index(drop=True), scores[order])
    np.testing.assert_array_equal(mixed, near(frame, scores)[order])


def test_features_are_passage_prompt_product_and_whether_there_is_a_prompt():
    passage, prompt = np.array([[0.6, 0.8], [1, 0]], np.float32), np.array([[0, 1], [0, 0]], np.float32)
    out = join(passage, prompt)
    expected = [[0.6, 0.8, 0, 1, 0, 0.8 * 2**0.5, 1], [1, 0, 0, 0, 0, 0, 0]]
    np.testing.assert_allclose(out, expected, atol=1e-6)


def test_words_are_weighed_like_scikit_learn_does():
    from sklearn.feature_extraction.text import TfidfVectorizer

    texts = ["The pay, the pay was low.", "Low pay is why.", "Nobody's call came.", "Why did nobody's call come?", ""]
    words = Words.fit(texts, min_count=2)
    oracle = TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True, token_pattern=r"\w[\w']*").fit(texts)
    assert list(words.terms) == oracle.get_feature_names_out().tolist()
    np.testing.assert_allclose(words.weigh(texts).toarray(), oracle.transform(texts).toarray(), atol=1e-6)


def test_words_that_were_never_seen_weigh_nothing():
    words = Words.fit(["a b", "b c"], min_count=1)
    assert words.weigh(["x y", ""]).toarray().tolist() == [[0] * len(words.terms)] * 2
    assert Words.fit([], min_count=1).weigh(["a"]).shape == (1, 0)


def random_block(n: int, seed: int) -> tuple[Block, NDArray[np.bool_]]:
    rng = np.random.default_rng(seed)
    dense = rng.normal(size=(n, 5)).astype(np.float32)
    words = csr_array((rng.random((n, 7)) < 0.3).astype(np.float32))
    score = dense[:, :1] + words.toarray()[:, :1] * 2 + rng.normal(size=(n, 3))
    return Block(dense=dense, words=words), score > np.array([0.0, 0.5, 1.0])


def test_regressions_fitted_together_are_those_fitted_one_by_one():
    from sklearn.linear_model import LogisticRegression

    block, labels = random_block(300, 0)
    found = fit_linear(block, labels)
    x = np.hstack([block.dense, block.words.toarray()])
    for j in range(3):
        oracle = LogisticRegression(C=3.0, max_iter=1000, tol=1e-8).fit(x, labels[:, j])
        np.testing.assert_allclose(found.scores(block)[:, j], oracle.decision_function(x), atol=0.02)


def test_the_multinomial_regression_is_scikit_learns():
    from sklearn.linear_model import LogisticRegression

    block, labels = random_block(300, 1)
    kind = labels.sum(axis=1)
    found = fit_linear(block, np.eye(4, dtype=bool)[kind], multinomial=True).scores(block)
    x = np.hstack([block.dense, block.words.toarray()])
    oracle = LogisticRegression(C=3.0, max_iter=1000, tol=1e-8).fit(x, kind).decision_function(x)
    np.testing.assert_allclose(found - found.mean(1, keepdims=True), oracle - oracle.mean(1, keepdims=True), atol=0.02)


def test_a_weight_of_the_vectors_is_a_scale_of_their_columns():
    block, labels = random_block(300, 3)
    scaled = Block(dense=block.dense * np.float32(2), words=block.words)
    found = fit_linear(block, labels, vector_weight=2.0)
    np.testing.assert_allclose(found.scores(block), fit_linear(scaled, labels).scores(scaled), atol=1e-4)
    assert not np.allclose(found.scores(block), fit_linear(block, labels).scores(block), atol=0.01)


def test_what_was_never_seen_is_never_said_and_what_always_was_always():
    block, _ = random_block(20, 2)
    targets = np.column_stack([np.zeros(20, bool), np.ones(20, bool)])
    assert fit_linear(block, targets).scores(block).tolist() == [[-20.0, 20.0]] * 20


def test_the_brier_skill_is_over_0_only_when_better_than_the_share():
    truth = np.array([True, False, False, False])
    assert brier_skill(truth, np.full(4, 0.25)) == pytest.approx(0)
    assert brier_skill(truth, truth.astype(float)) == 1
    assert brier_skill(truth, 1 - truth) < 0
    assert np.isnan(brier_skill(np.zeros(3, bool), np.zeros(3)))


def test_figures_agree_with_scikit_learn():
    from sklearn.metrics import f1_score, precision_score, recall_score

    rng = np.random.default_rng(0)
    truth, scores = rng.random((60, 3)) < 0.4, rng.random((60, 3))
    predicted = scores > 0.5
    assert f1(truth, predicted) == pytest.approx(f1_score(truth, predicted, average="micro"))
    assert macro_f1(truth, predicted) == pytest.approx(f1_score(truth, predicted, average="macro"))
    table = per_code(truth, predicted, scores, ["a.x", "a.y", "b.x"])
    np.testing.assert_allclose(table["precision"], precision_score(truth, predicted, average=None))
    np.testing.assert_allclose(table["recall"], recall_score(truth, predicted, average=None))
    wide, names = categories(truth, ["a.x", "a.y", "b.x"])
    assert names == ["a", "b"]
    np.testing.assert_array_equal(wide[:, 0], truth[:, 0] | truth[:, 1])


def test_figures_without_a_positive():
    none = np.zeros((4, 2), dtype=bool)
    assert f1(none, none) == 0
    assert np.isnan(macro_f1(none, none))
    assert np.isnan(calibration_error(none, np.zeros((4, 2))))
    assert best_threshold(none[:, 0], np.linspace(0, 1, 4)) > 1
    assert per_code(none, none, np.zeros((4, 2)), ["a.x", "a.y"])[["precision", "recall", "f1"]].isna().all(axis=None)


def test_the_threshold_parts_what_can_be_parted():
    truth = np.array([False, False, True, True, True, True])
    scores = np.array([0.1, 0.2, 0.6, 0.7, 0.8, 0.9])
    assert 0.2 < best_threshold(truth, scores) < 0.6


def test_thresholds_are_drawn_to_their_mean_but_for_codes_that_nobody_has():
    rng = np.random.default_rng(0)
    scores = rng.random((300, 3))
    truth = scores + rng.normal(scale=0.2, size=scores.shape) > np.array([0.4, 0.8, 2.5])
    assert not truth[:, 2].any()
    own, half, one = (best_thresholds(truth, scores, pooled=pooled) for pooled in (0, 0.5, 1))
    assert own[:2].tolist() == [best_threshold(truth[:, j], scores[:, j]) for j in range(2)]
    assert own[1] > own[0] + 0.1
    np.testing.assert_allclose(half[:2], (own[:2] + own[:2].mean()) / 2)
    np.testing.assert_allclose(one[:2], own[:2].mean())
    assert own[2] == half[2] == one[2] > 1


def test_what_is_counted_is_sure_enough_or_said_by_a_person(tagger):
    code = tagger.codes_[0]
    least = tagger.counted_[0]
    assert (tagger.counted_ >= tagger.thresholds_).all()
    tags = pd.DataFrame(
        {
            "passage_id": ["a", "b", "c"],
            "code": code,
            "decided_by": ["model", "model", "reviewer"],
            "probability": [least, least - 1e-6, 0.0],
        }
    )
    assert tagger.counted(tags)["passage_id"].tolist() == ["a", "c"]


def test_honest_probabilities_have_a_small_calibration_error():
    rng = np.random.default_rng(1)
    p = rng.random((20_000, 1))
    truth = rng.random((20_000, 1)) < p
    assert calibration_error(truth, p) < 0.02
    assert calibration_error(truth, p**3) > 0.1

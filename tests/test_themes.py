"""Themes are found at small numbers, the same in any order, with little left over; and they keep their names."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from declinethemes import schema
from declinethemes.encode import Encoder
from declinethemes.errors import InputError, ModelError
from declinethemes.framework import load_framework
from declinethemes.themes import ThemeModel, bertopic_of, find_themes, halves, merge_suggestions, record
from declinethemes.themes.discover import MAX_LOOSE, group
from declinethemes.themes.known import assign_known, closeness
from declinethemes.themes.ledger import continued
from declinethemes.themes.represent import label_of, terms_of
from declinethemes.themes.stability import stability, steady

SUBJECTS = (
    "the salary offered in {} was too low, and so was the bonus",
    "the train to the {} office takes two hours each way, every day",
    "the recruiter in {} never called me back and never wrote",
)
NAMES = ["Oslo", "Lima", "Kyoto", "Accra", "Leeds", "Turin", "Perth", "Quito", "Basel", "Dakar", "Hanoi", "Porto"]
TEXTS = [subject.format(name) for subject in SUBJECTS for name in NAMES]
TRUTH = np.repeat(np.arange(3), len(NAMES))
ONE = "the salary was too low"


@pytest.fixture(scope="module")
def encoder():
    return Encoder.load()


@pytest.fixture(scope="module")
def vectors(encoder):
    return encoder.encode(TEXTS)


def same_partition(a: np.ndarray, b: np.ndarray) -> bool:
    return bool(((a[:, None] == a) == (b[:, None] == b)).all())


# --- grouping


def test_three_subjects_give_three_groups(vectors):
    labels = group(vectors, TEXTS)
    assert labels.dtype == np.int64
    assert same_partition(labels, TRUTH)


@pytest.mark.parametrize("n", [0, 1, 2, 19])
def test_fewer_than_twenty_texts_are_an_error_that_counts_them(vectors, n):
    with pytest.raises(InputError, match=f"at least 20 texts; there are {n}"):
        group(vectors[:n], TEXTS[:n])


def test_twenty_texts_are_enough(vectors):
    labels = group(vectors[:20], TEXTS[:20])
    assert same_partition(labels, TRUTH[:20])


def test_identical_texts_are_one_group(encoder):
    labels = group(encoder.encode([ONE] * 20), [ONE] * 20)
    assert labels.tolist() == [0] * 20


def test_half_identical_texts_get_one_label_and_leave_the_others_as_they_were(encoder):
    texts = [TEXTS[0]] * 36 + TEXTS
    labels = group(encoder.encode(texts), texts)
    assert len(set(labels[:37])) == 1
    assert labels[0] >= 0
    assert same_partition(labels[36:], TRUTH)


@settings(max_examples=8, deadline=None)
@given(st.lists(st.integers(0, len(TEXTS) - 1), max_size=60))
def test_saying_a_thing_more_often_does_not_change_the_groups(vectors, repeated):
    rows = [*range(len(TEXTS)), *repeated]
    labels = group(vectors[rows], [TEXTS[i] for i in rows])
    assert same_partition(labels[: len(TEXTS)], TRUTH)
    assert same_partition(labels, TRUTH[rows])


def test_texts_without_a_word_do_no_harm(encoder):
    texts = ["", " ", "...", "🙂"] * 5 + TEXTS
    labels = group(encoder.encode(texts), texts)
    assert len(labels) == len(texts)


@settings(max_examples=8, deadline=None)
@given(st.permutations(range(len(TEXTS))))
def test_the_order_of_the_texts_does_not_matter(vectors, order):
    np.testing.assert_array_equal(group(vectors[order], [TEXTS[i] for i in order]), group(vectors, TEXTS)[order])


def test_labels_are_numbered_by_falling_size(encoder):
    texts = TEXTS[:8] + TEXTS[12:]
    labels = group(encoder.encode(texts), texts)
    sizes = np.bincount(labels[labels >= 0])
    assert (np.diff(sizes) <= 0).all()


@given(st.integers(0, 2**32 - 1), st.integers(20, 120), st.integers(1, 10))
@settings(max_examples=25, deadline=None)
def test_at_most_a_tenth_fits_nowhere_and_no_group_was_made_smaller_than_asked(seed, n, min_size):
    rng = np.random.default_rng(seed)
    points = rng.normal(size=(n, 16))
    points = (points / np.linalg.norm(points, axis=1, keepdims=True)).astype(np.float32)
    labels = group(points, [f"text {i}" for i in range(n)], min_size=min_size)
    assert (labels == -1).mean() <= MAX_LOOSE
    assert set(labels) - {-1} == set(range(labels.max() + 1))
    loose = int((labels == -1).sum())
    assert np.bincount(labels[labels >= 0]).min() + loose >= min(min_size, n)


def blobs(spread: float, n_themes: int = 4, each: int = 20) -> tuple[np.ndarray, list[str]]:
    """Points around n centres, as unit rows, and a text for each."""
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(n_themes, 32))
    centres /= np.linalg.norm(centres, axis=1, keepdims=True)
    points = np.repeat(centres, each, axis=0) + spread * rng.normal(size=(n_themes * each, 32)) / 32**0.5
    points = points / np.linalg.norm(points, axis=1, keepdims=True)
    return points.astype(np.float32), [f"text {i}" for i in range(len(points))]


def test_themes_far_apart_are_found_again_and_noise_is_not():
    points, texts = blobs(0.3)
    clear = stability(points, texts, group(points, texts), texts, min_size=3, rounds=20)
    assert clear.shape == (4,)
    assert clear.min() > 0.95
    points, texts = blobs(50.0)
    noise = stability(points, texts, group(points, texts), texts, min_size=3, rounds=20)
    assert noise.max() < 0.6


def test_stability_is_the_same_for_any_order_of_the_rows():
    points, texts = blobs(1.5)
    order = np.random.default_rng(1).permutation(len(texts))
    mixed = [texts[i] for i in order]
    one = stability(points, texts, group(points, texts), texts, min_size=3, rounds=5)
    other = stability(points[order], mixed, group(points[order], mixed), mixed, min_size=3, rounds=5)
    np.testing.assert_allclose(one, other)


def test_a_theme_of_one_talkative_person_is_less_stable_than_one_of_many():
    points, texts = blobs(0.3)
    labels = group(points, texts)
    alone = np.array([f"voice {i}" for i in range(len(texts))], dtype=object)
    alone[labels == 2] = "talker"  # about a third of the resamples are without them
    assert (alone == "talker").sum() == 20
    out = stability(points, texts, labels, alone.tolist(), min_size=3, rounds=40)
    assert out[2] < 0.8
    assert out[[0, 1, 3]].min() > 0.9


def test_a_fitted_model_knows_its_stability():
    model = ThemeModel().fit(TEXTS)
    assert model.stability_.shape == (3,)
    assert model.stability_.min() > 0.75
    assert model.stability_ is model.stability_  # computed once
    with pytest.raises(InputError, match="not fitted"):
        _ = ThemeModel().stability_


def test_it_works_in_scikit_learns_pipelines_and_clones():
    from sklearn.base import clone
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import FunctionTransformer

    model = ThemeModel(min_size=4)
    assert clone(model).get_params() == model.get_params()
    pipeline = make_pipeline(FunctionTransformer(lambda texts: [text.strip() for text in texts]), model)
    np.testing.assert_array_equal(pipeline.fit_predict(TEXTS), model.labels_)
    np.testing.assert_array_equal(pipeline.predict(TEXTS), model.predict(TEXTS))


def test_a_saved_model_answers_as_before(tmp_path):
    model = ThemeModel(min_size=4).fit(TEXTS)
    model.save(tmp_path / "saved")
    again = ThemeModel.load(tmp_path / "saved")
    assert again.get_params() == model.get_params()
    np.testing.assert_array_equal(again.labels_, model.labels_)
    np.testing.assert_array_equal(again.predict(TEXTS), model.predict(TEXTS))
    pd.testing.assert_frame_equal(again.themes_, model.themes_)
    with pytest.raises(InputError, match="before saving"):
        _ = again.stability_
    assert TEXTS[0] not in (tmp_path / "saved" / "themes.json").read_text(encoding="utf-8")


def test_stability_that_was_computed_is_saved(tmp_path):
    model = ThemeModel().fit(TEXTS)
    known = model.stability_
    model.save(tmp_path)
    np.testing.assert_array_equal(ThemeModel.load(tmp_path).stability_, known)


def test_a_model_that_is_not_fitted_altered_or_of_another_make_is_told(tmp_path):
    with pytest.raises(InputError, match="not fitted"):
        ThemeModel().save(tmp_path)
    with pytest.raises(ModelError, match="cannot read"):
        ThemeModel.load(tmp_path)
    ThemeModel().fit(TEXTS).save(tmp_path)
    card = (tmp_path / "themes.json").read_text(encoding="utf-8")
    for change, message in (
        (('"format": 1', '"format": 9'), "has format 9; this version reads 1"),
        (('"encoder_id": "', '"encoder_id": "old-'), "made with encoder old-"),
        (('"sha256": "', '"sha256": "0'), "was altered"),
        (('"encoder_id"', '"encoder"'), "lacks encoder_id"),
    ):
        (tmp_path / "themes.json").write_text(card.replace(*change), encoding="utf-8")
        with pytest.raises(ModelError, match=message):
            ThemeModel.load(tmp_path)


def test_groups_that_overlap_are_still_told_apart():
    from sklearn.metrics import adjusted_rand_score

    rng = np.random.default_rng(0)
    truth = np.repeat(np.arange(12), 25)
    centres = rng.normal(size=(12, 64))
    points = centres / np.linalg.norm(centres, axis=1, keepdims=True)
    points = points[truth] + 1.8 / 8 * rng.normal(size=(300, 64))
    points = (points / np.linalg.norm(points, axis=1, keepdims=True)).astype(np.float32)
    labels = group(points, [f"text {i}" for i in range(300)])
    assert len(set(labels) - {-1}) == 12
    assert adjusted_rand_score(truth, labels) > 0.9  # .76 where points are not drawn to their neighbours first


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_vectors_that_are_no_numbers_are_an_error(vectors, bad):
    broken = vectors.copy()
    broken[3, 5] = bad
    with pytest.raises(InputError, match="NaN or infinite"):
        group(broken, TEXTS)


def test_there_is_one_vector_per_text(vectors):
    with pytest.raises(InputError, match="36 texts and 35 vectors"):
        group(vectors[:35], TEXTS)


@pytest.mark.slow
def test_above_the_sample_the_others_join_the_nearest_group():
    rng = np.random.default_rng(0)
    centres = np.eye(8)[:4]
    points = np.repeat(centres, 1500, axis=0) + rng.normal(scale=0.05, size=(6000, 8))
    points = (points / np.linalg.norm(points, axis=1, keepdims=True)).astype(np.float32)
    labels = group(points, [f"text {i}" for i in range(6000)])
    assert same_partition(labels, np.repeat(np.arange(4), 1500))


# --- terms and labels


def test_terms_set_a_group_apart_and_leave_out_fillers(encoder):
    terms = terms_of(TEXTS, TRUTH.tolist(), encoder)
    assert any("salary" in term for term in terms[0])
    assert any("train" in term for term in terms[1])
    assert all("the" not in term.split() for found in terms.values() for term in found)
    assert all(len(found) <= 8 for found in terms.values())


@pytest.mark.parametrize(
    "texts", [["pay", "pay pay", "pay pay pay"], ["pay one", "pay two", "salary"], ["low pay", "low pay now", "pay"]]
)
def test_hardly_any_words_are_no_error(encoder, texts):
    terms = terms_of(texts, [0, 0, 1], encoder)
    assert list(terms) == [0, 1]
    assert all(isinstance(found, list) for found in terms.values())


def test_terms_do_not_depend_on_the_order_of_the_texts(encoder):
    backwards = terms_of(TEXTS[::-1], TRUTH[::-1].tolist(), encoder)
    assert backwards == terms_of(TEXTS, TRUTH.tolist(), encoder)


def test_one_group_or_none_has_no_terms_of_its_own(encoder):
    assert terms_of(TEXTS[:12], [0] * 12, encoder) == {0: []}
    assert terms_of(TEXTS[:12], [-1] * 12, encoder) == {}
    assert terms_of([], [], encoder) == {}


@pytest.mark.parametrize("words", ["it was so and they were not", "🙂 ... 12", "um yeah like just really"])
def test_a_group_of_words_that_say_nothing_has_no_terms(encoder, words):
    texts = [f"{words} {'!' * i}" for i in range(12)]
    assert terms_of([*texts, *TEXTS[:12]], [0] * 12 + [1] * 12, encoder)[0] == []
    assert terms_of([*texts, *texts], [0] * 12 + [1] * 12, encoder) == {0: [], 1: []}


def test_looking_for_terms_leaves_the_warning_filters_as_they_were(encoder):
    import warnings

    before = list(warnings.filters)
    terms_of(TEXTS, TRUTH.tolist(), encoder)
    assert warnings.filters == before


def test_a_label_is_the_leading_terms_that_do_not_repeat_each_other():
    assert label_of(["low salary", "salary", "offer", "low", "train", "bus"], "x") == "low salary, offer, train"
    assert label_of([], "It was the  pay that did it in the end") == "It was the pay that did"


# --- the scikit-learn face


def test_fit_predict_gives_a_label_per_text():
    model = ThemeModel(random_state=0)
    labels = model.fit_predict(TEXTS)
    assert same_partition(labels, TRUTH)
    np.testing.assert_array_equal(labels, model.labels_)
    assert model.themes_["n_texts"].tolist() == [12, 12, 12]
    assert model.centres_.shape == (3, 384)


def test_predict_puts_new_texts_to_the_nearest_theme():
    model = ThemeModel().fit(TEXTS)
    new = model.predict([f"{subject.format('Bergen')}" for subject in SUBJECTS])
    assert new.tolist() == [model.labels_[0], model.labels_[12], model.labels_[24]]
    assert model.predict([]).shape == (0,)


def test_a_model_that_is_not_fitted_says_so():
    with pytest.raises(InputError, match="not fitted"):
        ThemeModel().predict(["a"])


@pytest.mark.parametrize("texts", ["one text", [*TEXTS, None], [*TEXTS, float("nan")]])
def test_what_are_no_texts_is_an_error(texts):
    with pytest.raises(InputError, match="str"):
        ThemeModel().fit(texts)


def test_too_few_texts_are_an_error():
    with pytest.raises(InputError, match="at least 20"):
        ThemeModel().fit(TEXTS[:19])


def test_parameters_are_read_set_and_cloned():
    from sklearn.base import clone

    model = ThemeModel(min_size=4, random_state=7)
    assert model.get_params() == {"min_size": 4, "encoder": "minilm-int8", "random_state": 7}
    copy = clone(model)
    assert copy is not model
    assert copy.get_params() == model.get_params()
    assert copy.set_params(min_size=9) is copy
    assert (copy.min_size, model.min_size) == (9, 4)
    with pytest.raises(InputError, match="no parameter 'n_topics'"):
        copy.set_params(n_topics=3)


def test_fitting_twice_gives_the_same():
    first, second = ThemeModel().fit(TEXTS), ThemeModel().fit(TEXTS)
    pd.testing.assert_frame_equal(first.themes_, second.themes_)


def test_vectors_may_be_handed_in_and_give_the_same(vectors):
    model = ThemeModel()
    np.testing.assert_array_equal(model.fit_predict(TEXTS, embeddings=2 * vectors), ThemeModel().fit_predict(TEXTS))
    np.testing.assert_array_equal(model.predict(TEXTS, embeddings=vectors), model.predict(TEXTS))


def test_what_is_no_text_is_an_error_with_vectors_too(vectors):
    with pytest.raises(InputError, match="position 0 is None"):
        ThemeModel().fit([None, *TEXTS[1:]], embeddings=vectors)


def test_texts_whose_vectors_were_handed_in_are_not_encoded_again(vectors, monkeypatch):
    seen: list[str] = []
    encode = Encoder.load().run

    def counting(texts):
        seen.extend(texts)
        return encode(texts)

    monkeypatch.setattr(Encoder, "load", lambda name: Encoder(id="e", dimensions=384, run=counting))
    ThemeModel().fit(TEXTS, embeddings=vectors)
    assert seen, "words of the themes are encoded"
    assert not set(seen) & set(TEXTS)


@pytest.mark.parametrize("shape", [(36, 768), (35, 384), (36,)])
def test_vectors_of_another_shape_are_an_error_that_says_both(shape):
    with pytest.raises(InputError, match=rf"shape \(36, 384\).*found \({shape[0]},"):
        ThemeModel().fit(TEXTS, embeddings=np.ones(shape, dtype=np.float32))


def test_a_new_text_that_is_near_no_theme_is_in_none():
    model = ThemeModel().fit(TEXTS)
    assert model.predict(["Purple bicycles sing.", TEXTS[0]]).tolist() == [-1, model.labels_[0]]
    assert model.predict([]).shape == (0,)


@pytest.mark.parametrize("texts", [["", *TEXTS[:19]], [*TEXTS[:19], "word " * 10_000], [None, *TEXTS], [1.5, *TEXTS]])
def test_strange_texts_give_themes_or_a_clear_error(texts):
    if all(isinstance(text, str) for text in texts):
        assert len(ThemeModel().fit_predict(texts)) == 20
    else:
        with pytest.raises(InputError, match="text"):
            ThemeModel().fit(texts)


# --- known themes

FRAMEWORK = load_framework()
SLOW = "competitiveness.timeliness"


def passages(texts: list[str], *, start: int = 0) -> pd.DataFrame:
    """Passages of as many candidates as there are names, in turn."""
    frame = pd.DataFrame({"text": texts}, dtype="string")
    number = range(start, start + len(texts))
    frame = frame.assign(passage_id=[f"p{i:03d}" for i in number], document_id="d", prompt=None, turn_no=list(number))
    frame = frame.assign(candidate_id=[f"c{i % 12}" for i in number], start_char=0, end_char=frame["text"].str.len())
    return schema.conform(frame, "passages")


def tags(frame: pd.DataFrame, code: str, stance: str = "neutral", decision: str = "yes") -> pd.DataFrame:
    found = frame[["passage_id"]].assign(code=code, decided_by="model", category=code.split(".")[0], probability=0.9)
    return schema.conform(found.assign(decision=decision, stance=stance, model_id="m"), "tags")


def known(encoder: Encoder, text: str, **tag: str) -> list[str]:
    frame = passages([text])
    found = assign_known(frame, tags(frame, SLOW, **tag), encoder.encode([text]), FRAMEWORK, encoder)
    return list(found["theme_id"])


DRAGGED = "The whole thing dragged on for more than two months."


def test_a_passage_joins_a_known_theme_by_code_stance_and_closeness(encoder):
    assert known(encoder, DRAGGED, stance="negative") == ["slow_process"]
    assert known(encoder, DRAGGED, stance="mixed") == ["slow_process"]


@pytest.mark.parametrize(
    "tag", [{"stance": "positive"}, {"stance": "neutral"}, {"stance": "negative", "decision": "unsure"}]
)
def test_praise_and_doubt_join_no_complaint(encoder, tag):
    assert known(encoder, DRAGGED, **tag) == []


def test_far_from_the_theme_joins_nothing(encoder):
    assert known(encoder, "Purple bicycles sing.", stance="negative") == []
    assert closeness(encoder.encode([DRAGGED]), FRAMEWORK, encoder).shape == (1, 15)


@pytest.mark.parametrize(("probability", "joins"), [(0.5, ["slow_process"]), (0.49, [])])
def test_a_theme_that_a_tagger_has_learnt_is_joined_when_more_likely_than_not(encoder, probability, joins):
    frame = passages([DRAGGED])
    likely = pd.DataFrame({"slow_process": [probability]}, index=frame["passage_id"])
    found = assign_known(frame, tags(frame, SLOW, "negative"), encoder.encode([DRAGGED]), FRAMEWORK, encoder, likely)
    assert found["theme_id"].tolist() == joins
    assert found["strength"].tolist() == [probability] * len(joins)


# --- themes of a study


def study(texts: list[str] = TEXTS, **more: object):
    frame = passages(texts)
    return find_themes(frame, tags(frame, "context.looking_for"), framework=FRAMEWORK, **more)


def names(found) -> dict[str, str]:
    return dict(zip(found.assignments["passage_id"], found.assignments["theme_id"], strict=True))


def test_a_study_gets_its_emergent_themes_under_their_code(encoder):
    found = study(encoder=encoder)
    pd.testing.assert_frame_equal(schema.conform(found.themes, "themes"), found.themes)
    assert len(found.themes) == 3
    assert set(found.themes["kind"]) == {"emergent"}
    assert set(found.themes["code"]) == {"context.looking_for"}
    assert found.themes["n_passages"].tolist() == [12, 12, 12]
    assert found.themes["n_candidates"].tolist() == [12, 12, 12]
    labels = found.assignments.sort_values("passage_id")["theme_id"].astype("category").cat.codes.to_numpy()
    assert same_partition(labels, TRUTH)
    assert found.without.empty


def test_exemplars_come_from_different_candidates_and_belong_to_the_theme(encoder):
    found = study(encoder=encoder)
    owner = dict(zip(passages(TEXTS)["passage_id"], passages(TEXTS)["candidate_id"], strict=True))
    theme_of = names(found)
    for theme in found.themes.itertuples():
        assert len({owner[p] for p in theme.exemplars}) == 3
        assert {theme_of[p] for p in theme.exemplars} == {theme.theme_id}


def test_themes_do_not_depend_on_the_order_of_the_rows(encoder):
    frame = passages(TEXTS)
    tagged = tags(frame, "context.looking_for")
    found = study(encoder=encoder)
    shuffled = find_themes(
        frame.sample(frac=1, random_state=1),
        tagged.sample(frac=1, random_state=2),
        framework=FRAMEWORK,
        encoder=encoder,
    )
    pd.testing.assert_frame_equal(shuffled.themes, found.themes)
    pd.testing.assert_frame_equal(shuffled.assignments, found.assignments)


def test_themes_do_not_depend_on_the_key_of_the_pseudonyms(encoder, monkeypatch):
    monkeypatch.setattr("declinethemes.themes.stability.SAMPLE", 30)  # of 36: which ones must not be drawn by the key
    found = [
        study([f"[person-{key}{i % 5}] told me {text}" for i, text in enumerate(TEXTS)], encoder=encoder)
        for key in ("dafe9", "12ab4")
    ]
    assert set(found[0].themes["kind"]) == {"emergent"}
    assert len(found[0].themes) >= 3
    assert not any("dafe" in str(terms) for terms in found[0].themes["terms"])
    pd.testing.assert_frame_equal(found[0].themes, found[1].themes)
    pd.testing.assert_frame_equal(found[0].assignments, found[1].assignments)


def test_themes_keep_their_names_when_more_passages_come(encoder):
    before = study(encoder=encoder)
    more = [*TEXTS, *(subject.format(name) for subject in SUBJECTS for name in ("Bergen", "Seville"))]
    after = study(more, encoder=encoder, earlier=before)
    assert set(after.themes["theme_id"]) - {"rest-context.looking_for"} == set(before.themes["theme_id"])
    renamed = names(after)
    assert all(renamed[p] == theme for p, theme in names(before).items())
    without_memory = study(more, encoder=encoder)
    assert set(without_memory.themes["theme_id"]).isdisjoint(before.themes["theme_id"])


def test_a_theme_of_fewer_than_three_candidates_is_none(encoder):
    frame = passages(TEXTS)
    frame.loc[:11, "candidate_id"] = "c0"
    found = find_themes(frame, tags(frame, "context.looking_for"), framework=FRAMEWORK, encoder=encoder)
    assert sorted(found.themes["status"]) == ["standing", "standing"]
    assert found.without["passage_id"].tolist() == frame["passage_id"].tolist()[:12]
    assert set(found.without["reason"]) == {"said by fewer than 3 candidates under this code"}


def test_passages_with_and_without_a_theme_are_all_the_passages(encoder):
    frame = passages([*TEXTS, *[f"{DRAGGED} {name}" for name in NAMES]])
    tagged = pd.concat([tags(frame[:36], "context.looking_for"), tags(frame[36:], SLOW, "negative")])
    found = find_themes(frame, tagged, framework=FRAMEWORK, encoder=encoder)
    themed, without = set(found.assignments["passage_id"]), set(found.without["passage_id"])
    assert themed | without == set(frame["passage_id"])
    assert not themed & without
    assert "slow_process" in set(found.themes["theme_id"])


def test_passages_without_a_code_may_make_a_theme_outside_the_framework(encoder):
    found = find_themes(passages(TEXTS), schema.empty("tags"), framework=FRAMEWORK, encoder=encoder)
    assert len(found.themes) == 3
    assert found.themes["code"].isna().all()


def test_nothing_gives_nothing(encoder):
    found = study([], encoder=encoder)
    pd.testing.assert_frame_equal(found.themes, schema.empty("themes"))
    pd.testing.assert_frame_equal(found.assignments, schema.empty("assignments"))
    assert found.without.empty


def test_what_two_candidates_say_is_no_theme(encoder):
    found = study(TEXTS[:2], encoder=encoder)
    assert found.themes.empty
    assert found.without["reason"].tolist() == ["said by fewer than 3 candidates under this code"] * 2


def test_passages_too_few_to_group_stay_together_as_the_rest_of_their_code(encoder):
    found = study(TEXTS[:19], encoder=encoder)
    assert found.themes["status"].tolist() == ["rest"]
    assert found.themes["label"].tolist() == ["What they looked for: other"]
    assert found.themes["stability"].isna().all()
    assert len(found.assignments) == 19


def test_one_subject_is_seldom_cut_into_groups():
    cut = 0
    for seed in range(8):
        rng = np.random.default_rng(seed)
        points = rng.normal(size=(60, 32)) + 3 * rng.normal(size=32)
        points = (points / np.linalg.norm(points, axis=1, keepdims=True)).astype(np.float32)
        texts = [f"text {i}" for i in range(60)]
        labels, holds = steady(points, texts, texts, min_size=5)
        assert set(labels) == {-1, *range(len(holds))}
        cut += len(holds) > 0
    assert cut <= 2


def test_groups_in_a_cloud_are_found_and_the_cloud_is_left():
    rng = np.random.default_rng(0)
    dense, texts = blobs(0.3, n_themes=2, each=15)
    cloud = rng.normal(size=(60, 32))
    points = np.vstack([dense, cloud / np.linalg.norm(cloud, axis=1, keepdims=True)]).astype(np.float32)
    texts = [f"text {i}" for i in range(len(points))]
    labels, holds = steady(points, texts, texts, min_size=5)
    assert len(holds) == 2
    assert holds.min() > 0.75
    assert same_partition(labels[:30], np.repeat([0, 1], 15))
    assert (labels[30:] == -1).mean() > 0.8


def test_steady_groups_do_not_depend_on_the_order_of_the_rows():
    points, texts = blobs(0.3, n_themes=3, each=12)
    order = np.random.default_rng(2).permutation(len(texts))
    labels, holds = steady(points, texts, texts, min_size=5)
    other, again = steady(points[order], [texts[i] for i in order], [texts[i] for i in order], min_size=5)
    np.testing.assert_array_equal(other, labels[order])
    np.testing.assert_array_equal(again, holds)


# --- from run to run


def test_new_passages_join_the_themes_that_stand_and_those_keep_their_passages(encoder):
    before = study(encoder=encoder)
    more = [*TEXTS, *(f"the salary offered in {name} was far too low, and so was the bonus" for name in NAMES)]
    after = study(more, encoder=encoder, earlier=before)
    here, there = names(before), names(after)
    assert all(there[passage] == theme for passage, theme in here.items())
    joined = [there.get(f"p{i:03d}", "none") for i in range(36, 48)]
    assert set(joined) <= {here["p000"], "rest-context.looking_for", "none"}
    assert joined.count(here["p000"]) >= 6


def test_a_new_subject_becomes_a_new_theme_beside_those_that_stand(encoder):
    before = study(encoder=encoder)
    hours = "the hours in {} were long, nights and weekends with no rest at all"
    dogs = "the dog could not come along to the {} office and would be alone at home"
    after = study([*TEXTS, *(s.format(n) for s in (hours, dogs) for n in NAMES)], encoder=encoder, earlier=before)
    new = set(after.themes["theme_id"]) - set(before.themes["theme_id"])
    assert len({theme for theme in new if theme.startswith("emergent-")}) == 2
    assert set(before.themes["theme_id"]) <= set(after.themes["theme_id"])


def test_a_rebuild_groups_as_at_once_and_keeps_the_ids_of_themes_that_go_on(encoder):
    first = study(TEXTS[:24], encoder=encoder)
    stepped = study(encoder=encoder, earlier=first)
    rebuilt, once = study(encoder=encoder, earlier=stepped, rebuild=True), study(encoder=encoder)
    one, two = names(rebuilt), names(once)
    assert len({(one[p], two[p]) for p in one}) == len(set(one.values())) == len(set(two.values()))
    assert set(stepped.themes["theme_id"]) & set(rebuilt.themes["theme_id"])


def test_themes_are_sought_among_some_candidates_and_the_others_join(encoder):
    half = [f"c{i}" for i in range(0, 12, 2)]
    texts = [*TEXTS, *(subject.format(f"old {name}") for subject in SUBJECTS for name in NAMES)]
    found = study(texts, encoder=encoder, among=half)
    frame = passages(texts)
    only = frame[frame["candidate_id"].isin(half)].reset_index(drop=True)
    alone = find_themes(only, tags(only, "context.looking_for"), framework=FRAMEWORK, encoder=encoder)
    theirs, mine = names(found), names(alone)
    assert {p for p, t in mine.items() if t.startswith("emergent-")} <= {
        p for p, t in theirs.items() if t.startswith("emergent-")
    }
    assert any(theirs[p].startswith("emergent-") for p in set(frame["passage_id"]) - set(only["passage_id"]))


def test_halves_are_halves_and_nobody_changes_sides_when_others_come():
    everybody = [f"c{i}" for i in range(400)]
    one, other = halves(everybody, 0)
    assert one | other == set(everybody)
    assert not one & other
    assert 160 < len(one) < 240
    assert halves(everybody[:50], 0)[0] == one & set(everybody[:50])
    assert halves(everybody, 1)[0] != one


def frames(members: dict[str, list[str]], kind: str = "emergent") -> tuple[pd.DataFrame, pd.DataFrame]:
    themes = pd.DataFrame({"theme_id": list(members)}).assign(
        code="a.b", kind=kind, label="label", terms=[[]] * len(members), n_candidates=1, stability=0.8,
        exemplars=[[]] * len(members), status="standing",
    )  # fmt: skip
    themes["n_passages"] = [len(mine) for mine in members.values()]
    rows = [(p, theme, 1.0) for theme, mine in members.items() for p in mine]
    assignments = pd.DataFrame(rows, columns=["passage_id", "theme_id", "strength"])
    return schema.conform(themes, "themes"), schema.conform(assignments, "assignments")


def events(before: dict[str, list[str]] | None, after: dict[str, list[str]]) -> dict[str, tuple[str, list[str]]]:
    rows = record(None if before is None else frames(before), frames(after), run=2, at="2026-01-01", batch="Q1")
    return {row.theme_id: (row.event, row.others) for row in rows.itertuples()}


def test_the_ledger_says_what_became_of_each_theme():
    a, b, c, d = list("1234"), list("5678"), ["9", "10", "11", "12"], ["13", "14", "15", "16"]
    assert events(None, {"a": a}) == {"a": ("new", [])}
    assert events({"a": a, "b": b}, {"a": [*a, "99"], "b": b}) == {"a": ("kept", []), "b": ("kept", [])}
    assert events({"a": a, "b": b}, {"a": a}) == {"a": ("kept", []), "b": ("retired", [])}
    assert events({"a": a, "b": b}, {"a": a + b}) == {"a": ("kept", []), "b": ("merged", ["a"])}
    assert events({"x": c + d}, {"c": c, "d": d}) == {"c": ("new", []), "d": ("new", []), "x": ("split", ["c", "d"])}
    assert events({"x": a + c}, {"x": a + c[:1], "c": c[1:]}) == {"c": ("new", []), "x": ("split", ["c"])}


def test_the_ledger_keeps_counts_batch_and_run():
    rows = record(None, frames({"a": ["1", "2"]}), run=1, at="2026-01-01", batch="")
    row = rows.iloc[0]
    assert (row["run"], row["n_passages"], row["n_candidates"], row["label"]) == (1, 2, 1, "label")
    assert pd.isna(row["batch"])


@given(
    st.lists(st.sets(st.integers(0, 30), min_size=1), max_size=5),
    st.lists(st.sets(st.integers(0, 30), min_size=1), max_size=5),
)
@settings(max_examples=60, deadline=None)
def test_a_group_goes_on_under_one_id_only_and_only_with_half_of_its_passages(groups, standing):
    new = {f"g{i}": {str(x) for x in g} for i, g in enumerate(groups)}
    old = {f"t{i}": {str(x) for x in g} for i, g in enumerate(standing)}
    ids = continued(new, old)
    assert len(set(ids.values())) == len(ids)
    for group_name, theme in ids.items():
        seen = set().union(*old.values())
        assert len(new[group_name] & old[theme]) / len((new[group_name] & seen) | old[theme]) >= 0.5


# --- names and words


def test_a_theme_is_named_by_a_phrase_that_its_people_use(encoder):
    found = study(encoder=encoder)
    labels = dict(zip(found.assignments["passage_id"], found.assignments["theme_id"], strict=True))
    named = found.themes.set_index("theme_id")["label"]
    assert "salary" in named[labels["p000"]] or "bonus" in named[labels["p000"]]
    assert {"train", "office"} & set(named[labels["p012"]].split())
    assert "recruiter" in named[labels["p024"]]


def test_a_phrase_of_two_people_is_no_name_and_no_term(encoder):
    texts = ["my cousin Aurelio runs a kiln" if i < 2 else text for i, text in enumerate(TEXTS)]
    found = study(texts, encoder=encoder)
    words = " ".join([*found.themes["label"], *(term for terms in found.themes["terms"] for term in terms)]).lower()
    assert "aurelio" not in words
    assert "kiln" not in words


def test_two_groups_of_one_subject_are_suggested_as_one_and_others_are_not(encoder):
    members = {"a": [f"p{i:03d}" for i in range(0, 12, 2)], "b": [f"p{i:03d}" for i in range(1, 12, 2)],
               "c": [f"p{i:03d}" for i in range(12, 24)]}  # fmt: skip
    themes, assignments = frames(members)
    frame = passages(TEXTS)
    found = merge_suggestions(themes, assignments, frame, encoder.encode(TEXTS))
    assert {("a", "c"), ("b", "c")}.isdisjoint(set(zip(found["theme_id"], found["other_id"], strict=True)))
    assert found["overlap"].between(0.2, 1).all()


def test_bertopic_has_the_themes_as_topics_with_their_labels(encoder):
    found = study(encoder=encoder)
    model = bertopic_of(found.themes, found.assignments, passages(TEXTS), encoder)
    assert sorted(model.custom_labels_) == sorted(found.themes["label"])
    assert model.get_topic_info()["Count"].sum() == len(TEXTS)
    assert model.visualize_barchart(custom_labels=True).data
    with pytest.raises(InputError, match="two themes at least"):
        bertopic_of(found.themes[:1], found.assignments, passages(TEXTS), encoder)

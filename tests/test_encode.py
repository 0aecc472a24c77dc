"""A text's vector depends on the text alone; a model that is missing or altered is told."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from declinethemes._resources import resource
from declinethemes.encode import SHIPPED, Encoder, _load_int8, check_hash, read_card
from declinethemes.errors import InputError, ModelError

TEXTS = [
    "The salary was well under what I was already making.",
    "It took nine weeks to send the letter.",
    "I liked the people I met, all of them.",
    "He had not read my CV.",
    "Every single interviewer was a man.",
    "My current company matched it on the spot.",
    "There was no next step for me with you.",
    "Six weeks, maybe seven.",
    "The commute would have been ninety minutes each way, and with two small children that was never going to work.",
    "Honestly the take-home ate my whole weekend 🙂",
]


@pytest.fixture(scope="module", params=list(SHIPPED))
def loaded(request):
    return Encoder.load(request.param)


@pytest.fixture
def fresh(loaded):
    """The encoder without a memory."""
    return Encoder(id=loaded.id, dimensions=loaded.dimensions, run=loaded.run)


def test_vectors_are_float32_unit_rows(fresh):
    out = fresh.encode(TEXTS)
    assert out.shape == (len(TEXTS), 384)
    assert out.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(out, axis=1), 1, atol=1e-5)


def test_a_vector_does_not_depend_on_what_it_is_encoded_with(loaded):
    together = Encoder(id="a", dimensions=384, run=loaded.run).encode(TEXTS)
    for i, text in enumerate(TEXTS):
        alone = Encoder(id="b", dimensions=384, run=loaded.run).encode([text])
        np.testing.assert_allclose(alone[0], together[i], atol=1e-5)


@settings(max_examples=10, deadline=None)
@given(st.permutations(TEXTS))
def test_rows_follow_the_order_of_the_texts(loaded, order):
    expected = loaded.encode(TEXTS)
    out = Encoder(id="a", dimensions=384, run=loaded.run).encode(order)
    np.testing.assert_allclose(out, expected[[TEXTS.index(text) for text in order]], atol=1e-5)


def test_texts_alike_in_meaning_are_closer_than_others(fresh):
    slow, dragging, pay = fresh.encode(["It was very slow.", "The process dragged on.", "The salary was too low."])
    assert slow @ dragging > slow @ pay


def test_equal_texts_are_run_once_and_remembered(fresh):
    runs: list[list[str]] = []

    def run(texts):
        runs.append(list(texts))
        return fresh.run(texts)

    encoder = Encoder(id="a", dimensions=384, run=run)
    out = encoder.encode([TEXTS[0], TEXTS[1], TEXTS[0]])
    np.testing.assert_array_equal(out[0], out[2])
    np.testing.assert_array_equal(encoder.encode([TEXTS[1]])[0], out[1])
    assert runs == [[TEXTS[0], TEXTS[1]]]


def test_empty_texts_are_zero_and_are_not_run(fresh):
    encoder = Encoder(id="a", dimensions=384, run=lambda texts: pytest.fail("nothing to run"))
    assert not encoder.encode(["", "  ", "\n\u00a0"]).any()
    assert encoder.encode([]).shape == (0, 384)


def test_a_column_of_a_frame_may_be_encoded(fresh):
    column = pd.Series(TEXTS[:3], index=[7, 7, 9], dtype="string")
    np.testing.assert_array_equal(fresh.encode(column), fresh.encode(TEXTS[:3]))


@pytest.mark.parametrize("text", ["🙂" * 300, "word " * 10_000, "\x00\x01", "\ud800 half an emoji", "é" * 5000, "."])
def test_strange_and_long_texts_have_a_finite_unit_vector(fresh, text):
    assert np.linalg.norm(fresh.encode([text])[0]) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("wrong", [None, 3, float("nan"), pd.NA, b"bytes", ["list"]])
def test_what_is_no_text_is_an_error_with_its_place(fresh, wrong):
    with pytest.raises(InputError, match=r"position 1 is .* \(1 in all\)"):
        fresh.encode(["fine", wrong])


def test_one_text_in_place_of_a_list_is_an_error(fresh):
    with pytest.raises(InputError, match="must be a list of str"):
        fresh.encode("The salary was low.")


def test_an_encoder_that_gives_the_wrong_shape_is_told():
    encoder = Encoder(id="bad", dimensions=3, run=lambda texts: np.zeros((1, 2), np.float32))
    with pytest.raises(ModelError, match=r"bad gave vectors of shape \(1, 2\), expected \(1, 3\)"):
        encoder.encode(["a"])


def test_the_two_shipped_encoders_are_not_the_same():
    assert Encoder.load("hiring-int8").id != Encoder.load("minilm-int8").id
    assert not np.allclose(
        Encoder.load("hiring-int8").encode(TEXTS), Encoder.load("minilm-int8").encode(TEXTS), atol=0.1
    )


@pytest.mark.parametrize("name", ["model_int8.onnx", "tokenizer.json"])
def test_an_altered_file_is_told_by_its_hash(tmp_path, name):
    folder = tmp_path / "encoder"
    shutil.copytree(resource("models/encoder"), folder)
    _load_int8(folder)
    with (folder / name).open("ab") as file:
        file.write(b" ")
    with pytest.raises(ModelError, match=f"{name} was altered"):
        _load_int8(folder)
    (folder / name).unlink()
    with pytest.raises(ModelError, match=f"{name} is missing"):
        _load_int8(folder)


@pytest.mark.parametrize("content", ["{", "[1]", ""])
def test_a_broken_card_is_told(tmp_path, content):
    (tmp_path / "card.json").write_text(content)
    with pytest.raises(ModelError):
        read_card(tmp_path / "card.json")


def test_a_card_that_is_not_there(tmp_path):
    with pytest.raises(ModelError, match="cannot read"):
        read_card(tmp_path / "card.json")


def test_a_hash_that_fits_passes(tmp_path):
    (tmp_path / "x").write_bytes(b"")
    check_hash(tmp_path / "x", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")


@pytest.mark.parametrize("folder", SHIPPED.values())
def test_the_card_names_the_source_of_the_weights(folder):
    card = json.loads((resource(folder) / "encoder.json").read_text())
    assert card["source_sha256"] == "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"


@pytest.mark.slow
@pytest.mark.parametrize("name", ["nobody/no-such-model", "./no/such/folder"])
def test_a_model_that_is_not_on_this_machine_is_told_and_not_downloaded(name, monkeypatch):
    def refuse(*_: object) -> None:
        raise AssertionError("the network was asked")

    monkeypatch.setattr("socket.socket.connect", refuse)
    monkeypatch.setattr("socket.getaddrinfo", refuse)
    with pytest.raises(
        ModelError, match=r"no sentence-transformers model .* on this machine \(nothing is downloaded\)"
    ):
        Encoder.load(name)


@pytest.mark.slow
def test_int8_stays_close_to_full_precision():
    fresh, exact = Encoder.load(), Encoder.load("fp32")
    assert exact.dimensions == fresh.dimensions
    cosines = (exact.encode(TEXTS) * fresh.encode(TEXTS)).sum(axis=1)
    assert cosines.min() > 0.98
    bare = ["No.", "Yes, exactly.", "Pay."]  # one or two words leave rounding the most room
    assert (exact.encode(bare) * fresh.encode(bare)).sum(axis=1).min() > 0.95


@pytest.mark.slow
def test_full_precision_does_not_depend_on_the_batch_either():
    exact = Encoder.load("fp32")
    together = exact.encode(TEXTS)
    alone = Encoder(id="b", dimensions=384, run=exact.run).encode(TEXTS[3:4])
    np.testing.assert_allclose(alone[0], together[3], atol=1e-5)


@pytest.mark.parametrize("folder", SHIPPED.values())
def test_matrices_have_seven_bits_so_that_sums_do_not_saturate_without_vnni(folder):
    # Without VNNI two products are added in 16 bits: 2 * 255 * 64 fits, 2 * 255 * 127 does not.
    import onnx
    from onnx import numpy_helper

    graph = onnx.load(resource(f"{folder}/model_int8.onnx")).graph
    factors = {node.input[1] for node in graph.node if node.op_type == "MatMulInteger"}
    weights = {part.name: numpy_helper.to_array(part) for part in graph.initializer if part.name in factors}
    assert len(factors) == 24
    assert set(weights) == factors
    assert max(int(np.abs(part.astype(int)).max()) for part in weights.values()) <= 64

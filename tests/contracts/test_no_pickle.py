"""No pickle is ever loaded: not by the code, and none is shipped."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted((ROOT / "src").rglob("*.py"))
MODULES = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}
CALLS = {"torch.load", "np.load", "numpy.load", "pd.read_pickle", "pandas.read_pickle"}


def unsafe(source):
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found += [a.name for a in node.names if a.name.split(".")[0] in MODULES]
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in MODULES:
            found.append(node.module)
        elif isinstance(node, ast.Call) and ast.unparse(node.func) in CALLS:
            found.append(ast.unparse(node.func))
    return found


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_no_source_can_load_a_pickle(path):
    assert unsafe(path.read_text(encoding="utf-8")) == []


def test_no_pickle_is_shipped():
    shipped = [p for folder in ("models", "corpora") for p in (ROOT / folder).rglob("*") if p.is_file()]
    assert shipped
    assert [p.name for p in shipped if p.suffix in {".pkl", ".pickle", ".joblib", ".pt", ".bin", ".npy"}] == []


@pytest.mark.parametrize("source", ["import pickle", "from joblib import load", "import torch\ntorch.load('x')"])
def test_the_search_finds_a_breach(source):
    assert unsafe(source)

"""Imports point down only: the layer table of the design, held by a walk over every import."""

import ast
from pathlib import Path

import pytest

SRC = Path(__file__).resolve().parents[2] / "src" / "declinethemes"
LAYERS = {
    "errors": 0, "_require": 0, "_resources": 0,
    "schema": 1, "config": 1, "stats": 1, "framework": 1, "encode": 1,
    "ingest": 2, "redact": 2, "passages": 2, "tag": 2, "themes": 2, "mentions": 2, "findings": 2, "disclosure": 2,
    "prepare": 2, "report": 2, "review": 2,
    "briefing": 3, "corpus": 3, "publish": 3, "store": 3,
    "study": 4, "training": 4,
    "cli": 5,
    "__main__": 6,
}  # fmt: skip
ONLY_IN = {
    "spacy": {"passages", "redact"},
    "bertopic": {"themes"},
    "sentence_transformers": {"encode"},
    "onnxruntime": {"encode"},
    "tokenizers": {"encode"},
    "typer": {"cli"},
    "rich": {"cli"},
    "sqlalchemy": {"store"},
    "highspy": {"disclosure"},
    "jinja2": {"prepare", "report"},
    "docx": {"ingest", "prepare"},
    "openpyxl": {"ingest", "review"},
}
# Arrows inside a layer: everything at the bottom raises our errors; config reads the column names of the schema.
WITHIN = {("config", "schema"), ("_require", "errors"), ("_resources", "errors")}


def room(path: Path) -> str:
    first = path.relative_to(SRC).parts[0]
    return first.removesuffix(".py")


def imports(tree: ast.AST) -> list[tuple[str, bool]]:
    """Return (module, at module level and not only for types) of every import."""
    typing_only = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    inside = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        for inner in ast.walk(node)
    }
    out = []
    for node in ast.walk(tree):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module]
        out += [(name, id(node) not in inside and id(node) not in typing_only) for name in names]
    return out


def problems(source: str, home: str) -> list[str]:
    """Return what is wrong with the imports of one module of a room."""
    found = []
    for name, eager in imports(ast.parse(source)):
        parts = name.split(".")
        if parts[0] == "declinethemes" and len(parts) > 1:
            target = parts[1]
            if target != home and LAYERS[target] >= LAYERS[home] and (home, target) not in WITHIN:
                found.append(f"{home} imports {target}, which is not below it")
        elif parts[0] in ONLY_IN:
            if home not in ONLY_IN[parts[0]]:
                found.append(f"{home} imports {parts[0]}, which belongs to {ONLY_IN[parts[0]]}")
            elif eager and parts[0] != "typer":
                found.append(f"{home} imports {parts[0]} at the top of a module")
        elif eager and parts[0] in ("torch", "sklearn", "scipy", "statsmodels", "transformers"):
            found.append(f"{home} imports {parts[0]} at the top of a module")
    return found


FILES = sorted(path for path in SRC.rglob("*.py") if path != SRC / "__init__.py")


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(SRC)))
def test_imports_point_down(path):
    assert problems(path.read_text(encoding="utf-8"), room(path)) == []


def test_every_room_has_a_layer():
    rooms = {room(path) for path in FILES}
    assert rooms == set(LAYERS)


@pytest.mark.parametrize(
    ("source", "home"),
    [
        ("from declinethemes.study import Study", "store"),
        ("from declinethemes.themes import find_themes", "tag"),
        ("import spacy", "themes"),
        ("import bertopic", "themes"),
        ("import torch", "encode"),
        ("def f():\n    import typer", "study"),
    ],
)
def test_the_walk_finds_a_breach(source, home):
    assert len(problems(source, home)) == 1

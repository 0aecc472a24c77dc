"""The public names, and that everything public is documented."""

from pathlib import Path

import pytest

import declinethemes
from declinethemes import schema

ROOT = Path(__file__).resolve().parents[2]
NAMES = [
    "Corpus", "Crosstab", "DeclineThemesError", "Framework", "Study", "Tagger", "ThemeModel",
    "analyze", "crosstab", "decline_rates", "load_framework", "outreach_batch", "read_candidates", "read_corpus",
    "read_turns",
]  # fmt: skip


def test_the_public_names_are_these():
    assert declinethemes.__all__ == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_every_public_name_loads_and_has_a_docstring(name):
    assert getattr(declinethemes, name).__doc__


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        declinethemes.nothing  # noqa: B018


def test_importing_a_stage_does_not_hide_a_public_name():
    import importlib

    for module in ("findings", "themes", "tag", "study", "corpus", "prepare"):
        importlib.import_module(f"declinethemes.{module}")
    assert callable(declinethemes.crosstab)
    assert callable(declinethemes.analyze)


def commands():
    from declinethemes.cli.app import app

    return [command.name for command in app.registered_commands]


def test_every_command_and_option_is_in_the_reference():
    import inspect

    from declinethemes.cli.app import app

    text = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
    missing = []
    for command in app.registered_commands:
        if f"## themes {command.name}" not in text:
            missing.append(command.name)
            continue
        section = text.split(f"## themes {command.name}\n")[1].split("\n## ")[0]
        for parameter in inspect.signature(command.callback).parameters.values():
            declared = (
                getattr(parameter.annotation, "__metadata__", None)
                or eval(str(parameter.annotation), vars(inspect.getmodule(command.callback))).__metadata__
            )
            options = getattr(declared[0], "param_decls", None) or []
            missing += [f"{command.name} {option}" for option in options if f"`{option}`" not in section]
    assert missing == []


def test_every_table_and_column_is_in_the_reference():
    text = (ROOT / "docs" / "tables.md").read_text(encoding="utf-8")
    missing = []
    for name, table in schema.TABLES.items():
        section = text.split(f"## {name}\n")[-1].split("\n## ")[0] if f"## {name}\n" in text else ""
        missing += [f"{name}.{column}" for column in table.columns if f"| `{column}` |" not in section]
    assert missing == []


def test_every_command_is_in_the_readme():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert [name for name in commands() if f"themes {name}" not in text] == []

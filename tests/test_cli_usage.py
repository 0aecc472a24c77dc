"""The command line's manners: statuses, messages, JSON errors, help; no study is needed."""

from __future__ import annotations

import json
import subprocess
import sys

import pandas as pd
import pytest
from tests.cli_fixture import files, themes

from declinethemes.cli import app as shell
from declinethemes.cli.show import put

__all__ = ["files", "themes"]
COMMANDS = [
    "audit-sample",
    "brief",
    "coverage",
    "crosstab",
    "declines",
    "demo",
    "discover",
    "evaluate",
    "guide",
    "ingest",
    "init",
    "outreach",
    "reasons",
    "release",
    "report",
    "run",
    "tag",
    "train",
]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_on_stdout(themes, command):
    assert themes(command, "--help") == 0
    assert f"themes {command}" in themes.out
    assert themes.err == ""


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["run", "--colour"], "--colour"),
        (["nonsense"], "nonsense"),
        (["run"], "paths"),
        (["run", "x", "--out", "y"], "--candidates"),
        (["tag"], "file"),
        (["train", "x.csv", "--out", "y", "--seed", "seven"], "--seed"),
    ],
)
def test_wrong_usage_ends_with_2_and_names_what_is_wrong(themes, arguments, said):
    assert themes(*arguments) == 2
    assert said in themes.err.lower()
    assert "Traceback" not in themes.err
    assert themes.out == ""


def test_without_a_command_the_help_is_shown(themes):
    assert themes() == 2
    assert "Commands:" in themes.err + themes.out


@pytest.mark.parametrize(
    "arguments",
    [
        ["run", "{in}", "--candidates", "{none}", "--out", "{new}"],
        ["run", "{none}", "--candidates", "{candidates}", "--out", "{new}"],
        ["tag", "{none}"],
        ["report", "{none}"],
        ["discover", "{none}"],
        ["crosstab", "{none}"],
        ["evaluate", "{none}"],
        ["coverage", "{none}"],
        ["outreach", "{none}"],
    ],
)
def test_an_error_with_json_has_one_shape(themes, files, arguments):
    places = {
        "in": files / "in",
        "none": files / "none.csv",
        "new": files / "s",
        "candidates": files / "candidates.csv",
    }
    message = themes.fails(*[argument.format(**places) for argument in arguments], "--json")
    answer = json.loads(themes.out)
    assert answer == {"ok": False, "error": {"code": answer["error"]["code"], "message": message}}
    assert answer["error"]["code"] in ("input", "study", "settings", "model", "schema", "package", "system")


def test_without_json_nothing_is_written_to_stdout_on_an_error(themes, files):
    themes.fails("report", files)
    assert themes.out == ""


def test_an_interrupt_says_that_the_work_so_far_is_kept(themes, files, monkeypatch):
    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("declinethemes.study.analyze", stop)
    assert themes.run(files) == 130
    assert "run again" in themes.err


def test_an_error_of_the_system_is_a_message_too(themes, files, monkeypatch):
    def broken(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied", "/somewhere")

    monkeypatch.setattr("declinethemes.study.analyze", broken)
    message = themes.fails(
        "run", files / "in", "--candidates", files / "candidates.csv", "--out", files / "s", "--json"
    )
    assert message.startswith("/somewhere: Permission denied")
    assert json.loads(themes.out)["error"]["code"] == "system"


def test_a_reader_that_goes_away_ends_it_without_a_traceback(themes, files, monkeypatch):
    def gone(*_: object, **__: object) -> None:
        raise BrokenPipeError(32, "Broken pipe")

    monkeypatch.setattr("declinethemes.study.analyze", gone)
    assert themes.run(files) == 1
    assert "Traceback" not in themes.err


def test_a_bug_is_not_dressed_up_as_the_users_mistake(files, monkeypatch):
    def bug(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("declinethemes.study.analyze", bug)
    with pytest.raises(ZeroDivisionError):
        shell.main(["run", str(files), "--candidates", str(files / "candidates.csv"), "--out", str(files / "s")])


def test_python_dash_m_is_the_same_command(files):
    command = [sys.executable, "-m", "declinethemes", "run", str(files), "--candidates", "nowhere.csv", "--out", "s"]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr.startswith("error: nowhere.csv: there is no such file")
    assert ended.stderr.count("\n") == 1


@pytest.mark.parametrize(("watched", "printed"), [(True, "n,share\n3,0.333333\n"), (False, f"n,share\n3,{1 / 3}\n")])
def test_a_terminal_shows_six_digits_and_a_pipe_gets_all(capsys, monkeypatch, watched, printed):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: watched)
    put(pd.DataFrame({"n": [3], "share": [1 / 3]}), as_json=False)
    assert capsys.readouterr().out == printed

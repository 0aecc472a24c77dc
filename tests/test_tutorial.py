"""The tutorial: its commands are run in their order, and print what the page shows."""

from __future__ import annotations

import re
import shlex
import shutil
from difflib import get_close_matches
from pathlib import Path

import pytest
from tests.cli_fixture import themes

__all__ = ["themes"]
ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "tutorial.md"
REFUSED = "# status 1"
WRITES = ("--out", "--chart", "--form")
PATH = (
    "declines",
    "outreach",
    "brief",
    "guide",
    "run",
    "reasons",
    "crosstab",
    "audit-sample",
    "coverage",
    "report",
    "release",
)


def steps(text):
    """Return (commands, lines shown) of every ```sh block: the ```text blocks up to the next one are what it shows."""
    found = []
    for kind, body in re.findall(r"^```(\w+)\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL):
        lines = [line for line in body.splitlines() if line.strip()]
        if kind == "sh":
            found.append(([line for line in lines if line.startswith("themes ")], []))
        elif kind == "text":
            found[-1][1].extend(lines)
    return [step for step in found if step[0]]


def stands_in(shown, printed):
    """Say whether one printed line has the parts of a shown line, in their order; "..." parts them."""
    parts = [re.escape(part.strip()) for part in shown.split("...")]
    return re.search(".*?".join(parts), printed) is not None


def written(arguments):
    """Return the files and folders that a command's options name."""
    return [Path(arguments[i + 1]) for i, option in enumerate(arguments) if option in WRITES]


def texts(place):
    """Return the text of a CSV or Markdown file, or of the CSV files of a folder."""
    files = sorted(place.glob("*.csv")) if place.is_dir() else [place]
    return [file.read_text(encoding="utf-8") for file in files if file.suffix in (".csv", ".md")]


def test_shown_lines_are_found_in_parts_and_in_order():
    printed = "first\nwoman,19,63,0.30158,124 of 124\nlast"
    assert stands_in("woman,19,63,0.30 ... 124", printed)
    assert stands_in("... 124 of 124", printed)
    assert not stands_in("woman,19,64 ... 124", printed)
    assert not stands_in("124 of ... woman", printed)
    assert not stands_in("first ... last", printed)


def test_steps_are_commands_with_what_they_show():
    page = "```sh\ncp a b\n```\n\n```sh\nthemes x --out y\n```\ntext\n```text\none\n\ntwo\n```\n```toml\nthree\n```\n"
    assert steps(page) == [(["themes x --out y"], ["one", "two"])]


def test_the_tutorial_goes_the_whole_way_in_order():
    commands = [shlex.split(line)[1] for lines, _ in steps(PAGE.read_text(encoding="utf-8")) for line in lines]
    assert tuple(dict.fromkeys(commands)) == PATH


def test_links_of_the_tutorial_lead_somewhere():
    for target in re.findall(r"\]\(([^)#]+)", PAGE.read_text(encoding="utf-8")):
        assert (PAGE.parent / target).exists(), target


@pytest.mark.slow
def test_every_command_of_the_tutorial_does_what_the_page_says(themes, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shutil.copytree(ROOT / "corpora" / "sample", "sample")
    wrong = []
    for commands, shown in steps(PAGE.read_text(encoding="utf-8")):
        printed = []
        for line in commands:
            arguments = shlex.split(line, comments=True)[1:]
            assert themes(*arguments) == int(line.endswith(REFUSED)), f"{line}\n{themes.err}"
            printed += [themes.out, themes.err]
            for place in written(arguments) if themes.status == 0 else []:
                filled = any(place.iterdir()) if place.is_dir() else place.stat().st_size > 0
                assert filled, f"{line}: {place} is empty"
                printed += texts(place)
        said = "\n".join(printed)
        missing = [line for line in shown if not stands_in(line, said)]
        near = [get_close_matches(line, said.splitlines(), n=1, cutoff=0.2) for line in missing]
        wrong += [f"{commands[-1]}\n  {line}\n  nearest: {found}" for line, found in zip(missing, near, strict=True)]
    assert not wrong, "shown, but not printed:\n" + "\n".join(wrong)

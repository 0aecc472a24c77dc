"""A small study on disk for the command-line tests: eight documents of seven invented people in six formats."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

import docx
import openpyxl
import pytest

from declinethemes.cli import main

CANDIDATES = (
    "candidate_id,name,recruiter,gender,role\n"
    "C1,Arwen Tolland,Odile Quist,woman,engineer\n"
    "C2,Milo Darnay,Odile Quist,man,engineer\n"
    "C3,Tessa Verhoeven,Odile Quist,woman,designer\n"
    "C4,Ruben Castel,Odile Quist,man,designer\n"
    "C5,Isla Merton,Odile Quist,woman,engineer\n"
    "C6,Noor Haddad,Odile Quist,man,designer\n"
    "C7,Juno Pallister,Odile Quist,woman,designer\n"
)
VTT = (
    "WEBVTT\n\n00:00:01.000 --> 00:00:04.000\n<v Odile Quist>Why did you turn down the offer?\n\n"
    "00:00:05.000 --> 00:00:15.000\n<v Arwen Tolland>The base salary was ten thousand below the other offer. "
    "I asked twice and nobody came back to me for three weeks.\n"
)
TALK = (
    "Odile Quist: What made you decide?\n"
    "Milo Darnay: The process took eight weeks and six interviews, which was far too slow for me.\n"
    "Odile Quist: And the people?\n"
    "Milo Darnay: The panel was friendly but nobody told me what came next in the process.\n"
)
SRT = (
    "1\n00:00:01,000 --> 00:00:03,000\nOdile Quist: How was the offer itself?\n\n"
    "2\n00:00:04,000 --> 00:00:12,000\n"
    "Ruben Castel: The equity was hard to understand and the bonus was not guaranteed at all.\n"
)
NOTE = (
    "# Reason for declining\nThe role on paper was not the role of the interviews, it was mostly maintenance work.\n\n"
    "# Team\nShe liked the team and would consider us again later on, if the role were another.\n"
)


def make_files(folder: Path) -> Path:
    """Write candidates.csv and the documents below `folder`, and return it; the documents lie in `folder`/in."""
    inside = folder / "in"
    inside.mkdir(parents=True)
    (folder / "candidates.csv").write_text(CANDIDATES, encoding="utf-8")
    (inside / "C1.vtt").write_text(VTT, encoding="utf-8")
    (inside / "C2.txt").write_text(TALK, encoding="utf-8")
    (inside / "C3.md").write_text(NOTE, encoding="utf-8")
    (inside / "C4.srt").write_text(SRT, encoding="utf-8")
    (inside / "notes.csv").write_text(
        "id,candidate_id,text\n"
        "n1,C5,She said that the commute to the office four days a week was the reason for her no.\n"
        "n2,C6,He took a counter offer from his present employer because they raised his pay at once.\n",
        encoding="utf-8",
    )
    word = docx.Document()
    word.add_heading("Why did you decline?", level=1)
    word.add_paragraph("The manager I met in the last round was rude and had not read my application at all.")
    word.save(str(inside / "C7.docx"))
    book = openpyxl.Workbook()
    book.active.append(["candidate_id", "What would have changed your mind?"])
    book.active.append(["C5", "Two days a week from home, and an answer within a few days after the last interview."])
    book.save(inside / "survey.xlsx")
    return folder


class Themes:
    """Runs `themes` in this process; `status`, `out` and `err` are those of the last call."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys
        self.status, self.out, self.err = 0, "", ""

    def __call__(self, *arguments: object) -> int:
        """Return the exit status."""
        self._capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main([str(argument) for argument in arguments])
        code = ended.value.code
        self.status = code if isinstance(code, int) else 0 if code is None else 1
        self.out, self.err = self._capsys.readouterr()
        return self.status

    def run(self, folder: Path, *more: object) -> int:
        """Run on the files below a folder into `folder`/study."""
        return self("run", folder / "in", "--candidates", folder / "candidates.csv", "--out", folder / "study", *more)

    def fails(self, *arguments: object) -> str:
        """Run, check that it ends with status 1 and one clear message, and return the message."""
        assert self(*arguments) == 1, self.err
        return self.message()

    def message(self) -> str:
        """Check that stderr holds one message and no traceback, and return it."""
        assert "Traceback" not in self.err
        assert self.err.count("error: ") == 1
        return self.err.split("error: ")[1].strip()


_MADE: dict[str, Path] = {}


@pytest.fixture
def themes(capsys: pytest.CaptureFixture[str]) -> Themes:
    """The command line in this process."""
    return Themes(capsys)


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """The files, not yet run."""
    return make_files(tmp_path / "files")


@pytest.fixture
def done(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, themes: Themes) -> Path:
    """A copy of the files with the study made of them: `done`/study. The study is made once for all tests."""
    if "study" not in _MADE:
        folder = make_files(tmp_path_factory.mktemp("made") / "files")
        assert themes.run(folder) == 0, themes.err
        _MADE["study"] = folder
    return Path(shutil.copytree(_MADE["study"], tmp_path / "done"))


def contents(study: Path) -> dict[str, str]:
    """Return all that a study holds: the database as text, and every other file."""
    with sqlite3.connect(study / "study.db") as connection:
        tables = "\n".join(sorted(connection.iterdump()))
    connection.close()
    rest = (path for path in sorted(study.rglob("*")) if path.is_file() and path.name != "study.db")
    return {"study.db": tables, **{str(path.relative_to(study)): path.read_text(encoding="utf-8") for path in rest}}


def rows(study: Path, query: str) -> list[tuple[object, ...]]:
    """Return the rows of a query to a study's database."""
    connection = sqlite3.connect(study / "study.db")
    found = connection.execute(query).fetchall()
    connection.close()
    return found

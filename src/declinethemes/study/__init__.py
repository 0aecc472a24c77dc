"""A study: the stages in order, and the results that may be shown.

In: paths, a candidates file, settings. Out: `Study`. Each stage is a module that builds on the one before: `tables`,
`reading`, `themed`, `compared`, `prepared`, `shown`. They only put the parts of the library together; each part works
on tables and knows nothing of the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from os import PathLike
from pathlib import Path

from declinethemes.config import Settings, prepare_segments, read_settings
from declinethemes.corpus import Paths
from declinethemes.errors import StudyError
from declinethemes.ingest import draft_study, read_people
from declinethemes.store import DATABASE, IDENTITIES, Store, make_folder, write_text
from declinethemes.study.shown import ShownStudy
from declinethemes.study.tables import SETTINGS, Progress

__all__ = ["SETTINGS", "Study", "analyze"]


def analyze(
    paths: Paths,
    *,
    candidates: str | PathLike[str],
    study: str | PathLike[str] | None = None,
    by: str | Sequence[str] | None = None,
    settings: Settings | str | PathLike[str] | None = None,
    progress: Progress | None = None,
) -> Study:
    """Go the whole way from files to findings.

    Parameters
    ----------
    paths : path or sequence of paths
        Transcripts, notes, tables of notes, or folders of them.
    candidates : path
        The candidates file (.csv, .tsv, .xlsx).
    study : path, optional
        Folder to keep the study in; run again on it with new files, and only those are worked on. None: in memory.
    by : str or sequence of str, optional
        Segments; default: those declared in the settings.
    settings : Settings or path, optional
        Default: the folder's ``study.toml``, or one drafted from the candidates file.
    progress : callable, optional
        Called with (stage, done, total).

    Returns
    -------
    Study

    Raises
    ------
    InputError, SettingsError, StudyError
        See the classes; single bad documents are listed in ``.documents`` instead.
    """
    opened = Study.create(study, candidates=candidates, settings=settings)
    opened.update(paths, candidates=candidates, by=by, progress=progress)
    return opened


class Study(ShownStudy):
    """A study: its tables, findings and report. Open one with `Study.open`, make one with `analyze`."""

    @classmethod
    def open(cls, folder: str | PathLike[str]) -> Study:
        """Open the study in a folder.

        Raises
        ------
        StudyError
            There is no study in it.
        """
        place = Path(folder)
        if not (place / DATABASE).is_file():
            raise StudyError(
                f"{place} holds no study (no {DATABASE}); "
                f"make one with `themes run PATHS --candidates FILE --out {place}`"
            )
        return cls(Store(place), read_settings(place / SETTINGS))

    @classmethod
    def create(
        cls,
        folder: str | PathLike[str] | None,
        *,
        candidates: str | PathLike[str],
        settings: Settings | str | PathLike[str] | None = None,
    ) -> Study:
        """Open the study in a folder, or make one there; None makes one in memory.

        Raises
        ------
        StudyError
            The folder holds other files, or cannot be written.
        """
        if folder is None:
            return cls(Store(None), _settings(settings, candidates)[0])
        place = Path(folder)
        if place.exists() and not place.is_dir():
            raise StudyError(f"{place} is a file; give a folder for the study")
        if (place / DATABASE).is_file() and settings is None and not _outreach_only(place):
            return cls.open(place)
        own = (SETTINGS, DATABASE, IDENTITIES)
        strange = (
            [p.name for p in place.iterdir() if p.name not in own and not p.name.startswith(".")]
            if place.is_dir()
            else []
        )
        if strange and not (place / DATABASE).is_file():
            raise StudyError(
                f"{place} is not empty and holds no study (found {sorted(strange)[0]}); choose another --out"
            )
        if settings is None and (place / SETTINGS).is_file():
            settings = place / SETTINGS
        chosen, text = _settings(settings, candidates)
        make_folder(place)
        if text:
            write_text(place / SETTINGS, text)
            chosen = read_settings(place / SETTINGS)  # as the next run will have them
        return cls(Store(place), chosen)

    def update(
        self,
        paths: Paths,
        *,
        candidates: str | PathLike[str],
        by: str | Sequence[str] | None = None,
        progress: Progress | None = None,
    ) -> None:
        """Read what is new in the paths, and bring every stage up to date."""
        people = read_people(candidates, self.settings.columns)
        if by is not None:  # a segment may be given by the header that it has in the user's file
            by = [self.settings.columns.get(name, name) for name in ([by] if isinstance(by, str) else by)]
        declared = self.settings.segments if by is None else tuple(by)
        prepare_segments(people.candidates, replace(self.settings, segments=declared))
        self.ingest(paths, people, progress=progress)
        self.discover()
        self.find(by=by)


def _outreach_only(place: Path) -> bool:
    """Return whether a study has been used for the outreach only: no settings, and nothing read yet."""
    return not (place / SETTINGS).is_file() and Store(place).read("documents").empty


def _settings(given: Settings | str | PathLike[str] | None, candidates: str | PathLike[str]) -> tuple[Settings, str]:
    """Return the settings and the text of a drafted study.toml (empty if none was drafted)."""
    if isinstance(given, Settings):
        return given, ""
    if given is not None:
        return read_settings(Path(given)), Path(given).read_text(encoding="utf-8")
    return draft_study(candidates)

"""Where the shipped folders are: inside the wheel, or at the root of the repository in an editable install."""

from __future__ import annotations

from pathlib import Path

from declinethemes.errors import ModelError

_PACKAGE = Path(__file__).resolve().parent


def resource(name: str) -> Path:
    """Return the path of a shipped file or folder, such as ``models/tagger`` or ``corpora/sample``.

    Raises
    ------
    ModelError
        It is in neither place: the installation is not whole.
    """
    places = (_PACKAGE / "_bundled" / name, _PACKAGE.parent.parent / name)
    for place in places:
        if place.exists():
            return place
    raise ModelError(
        f"'{name}' is not part of this installation (looked in {places[0]} and {places[1]}); install again"
    )

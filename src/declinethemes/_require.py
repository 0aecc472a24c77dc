"""Import of optional packages at the point of use, with the line that installs them."""

from __future__ import annotations

import importlib
from types import ModuleType

from declinethemes.errors import MissingPackageError


def require(name: str, *, extra: str) -> ModuleType:
    """Import a package that belongs to an extra.

    Parameters
    ----------
    name : str
        The module to import.
    extra : str
        The extra of this project that installs it.

    Raises
    ------
    MissingPackageError
        The package is not installed; the message has the line that installs it.
    """
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        message = f"'{name}' is needed here: pip install -c constraints.txt 'declinethemes[{extra}]'"
        raise MissingPackageError(message) from error

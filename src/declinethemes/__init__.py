"""Why candidates turned an offer down, by theme and by segment, without fooling the reader or exposing a person.

The public names below are loaded on first use: importing this package loads none of the heavy libraries.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from declinethemes.corpus import Corpus, read_corpus
    from declinethemes.errors import DeclineThemesError
    from declinethemes.findings import Crosstab, crosstab
    from declinethemes.framework import Framework, load_framework
    from declinethemes.ingest import read_candidates, read_turns
    from declinethemes.prepare import decline_rates, outreach_batch
    from declinethemes.study import Study, analyze
    from declinethemes.tag import Tagger
    from declinethemes.themes import ThemeModel

__version__ = "0.1.0"
__all__ = [
    "Corpus",
    "Crosstab",
    "DeclineThemesError",
    "Framework",
    "Study",
    "Tagger",
    "ThemeModel",
    "analyze",
    "crosstab",
    "decline_rates",
    "load_framework",
    "outreach_batch",
    "read_candidates",
    "read_corpus",
    "read_turns",
]

_HOME = {
    "Corpus": "corpus",
    "Crosstab": "findings",
    "DeclineThemesError": "errors",
    "Framework": "framework",
    "Study": "study",
    "Tagger": "tag",
    "ThemeModel": "themes",
    "analyze": "study",
    "crosstab": "findings",
    "decline_rates": "prepare",
    "load_framework": "framework",
    "outreach_batch": "prepare",
    "read_candidates": "ingest",
    "read_corpus": "corpus",
    "read_turns": "ingest",
}


def __getattr__(name: str) -> Any:
    """Load a public name from the module that defines it."""
    if name not in _HOME:
        raise AttributeError(f"module 'declinethemes' has no attribute '{name}'")
    return getattr(importlib.import_module(f"declinethemes.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

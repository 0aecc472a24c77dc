"""The framework: categories, codes and known themes, read from a TOML file and checked.

In: the default framework, or a user's file of the same form. Out: a frozen `Framework`. Nothing is tagged here.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import Any

from declinethemes.errors import SettingsError

_DEFAULT = Path(__file__).with_name("default.toml")
THEME_STANCES = ("any", "negative")


def _is_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


# What a field's annotation means in the file.
_TYPES: Mapping[str, tuple[str, Callable[[object], bool]]] = {
    "str": ("text", lambda value: isinstance(value, str)),
    "bool": ("true or false", lambda value: isinstance(value, bool)),
    "tuple[str, ...]": ("a list of texts", _is_texts),
}


@dataclass(frozen=True, kw_only=True)
class Category:
    """One category of the framework."""

    id: str
    label: str
    sensitive: bool = False


@dataclass(frozen=True, kw_only=True)
class Code:
    """One code: what counts as evidence for it, and the questions that ask about it."""

    id: str
    category: str
    label: str
    definition: str
    exclude: str = ""
    questions: tuple[str, ...] = ()
    sensitive: bool = False


@dataclass(frozen=True, kw_only=True)
class KnownTheme:
    """One theme with a fixed id, its code, definition and invented example sentences.

    A theme with stance ``negative`` is a complaint: praise on the same subject does not belong to it.
    """

    id: str
    code: str
    label: str
    definition: str
    stance: str = "any"
    exemplars: tuple[str, ...] = ()
    sensitive: bool = False


@dataclass(frozen=True, kw_only=True)
class Framework:
    """Categories, codes and known themes.

    Attributes
    ----------
    name, version : str
        What it is called; both are written into every study and model made with it.
    categories, codes, themes : tuple
        In the order of the file.
    notes : tuple of str
        Rules for coders.
    """

    name: str
    version: str
    categories: tuple[Category, ...]
    codes: tuple[Code, ...]
    themes: tuple[KnownTheme, ...]
    notes: tuple[str, ...] = ()

    @cached_property
    def category_of(self) -> Mapping[str, str]:
        """Category by code id."""
        return {code.id: code.category for code in self.codes}

    @cached_property
    def labels(self) -> Mapping[str, str]:
        """Label by id of category, code or theme."""
        items: tuple[Category | Code | KnownTheme, ...] = (*self.categories, *self.codes, *self.themes)
        return {item.id: item.label for item in items}

    @cached_property
    def sensitive(self) -> frozenset[str]:
        """Ids of items with higher disclosure thresholds: marked ones, and all below a marked category or code."""
        items: tuple[Category | Code | KnownTheme, ...] = (*self.categories, *self.codes, *self.themes)
        marked = {item.id for item in items if item.sensitive}
        marked |= {code.id for code in self.codes if code.category in marked}
        marked |= {theme.id for theme in self.themes if theme.code in marked}
        return frozenset(marked)


def load_framework(path: str | Path | None = None) -> Framework:
    """Load the default framework, or one of your own.

    Parameters
    ----------
    path : str or Path, optional
        A TOML file with ``name``, ``version`` and tables ``[[category]]`` (id, label), ``[[code]]`` (id as
        ``category.code``, label, definition) and ``[[theme]]`` (id, label, code, definition).

    Returns
    -------
    Framework

    Raises
    ------
    SettingsError
        The file cannot be read, an entry lacks a field, an id repeats, or a code or theme hangs under nothing.

    Examples
    --------
    >>> framework = load_framework()
    >>> len(framework.categories), len(framework.codes), len(framework.themes)
    (6, 21, 15)
    """
    file = Path(path) if path else _DEFAULT
    try:
        data = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"cannot read the framework {file}: {error}") from error
    framework = Framework(
        name=str(data.get("name", file.stem)),
        version=str(data.get("version", "1")),
        categories=tuple(Category(**_fields(e, "category", file, Category)) for e in _tables(data, "category", file)),
        codes=tuple(
            Code(**_fields({"category": str(e.get("id", "")).split(".")[0], **e}, "code", file, Code))
            for e in _tables(data, "code", file)
        ),
        themes=tuple(KnownTheme(**_fields(e, "theme", file, KnownTheme)) for e in _tables(data, "theme", file)),
        notes=tuple(data.get("notes", [])),
    )
    _check(framework, file)
    return framework


def _tables(data: Mapping[str, Any], kind: str, file: Path) -> list[dict[str, Any]]:
    """Return the entries of one kind."""
    entries = data.get(kind, [])
    if not (isinstance(entries, list) and all(isinstance(entry, dict) for entry in entries)):
        raise SettingsError(f"{file}: write each {kind} as a table under [[{kind}]]")
    return entries


def _fields(
    entry: Mapping[str, Any], kind: str, file: Path, into: type[Category] | type[Code] | type[KnownTheme]
) -> dict[str, Any]:
    """Return the entry's fields for a dataclass, or say which are missing or unknown."""
    spec = {field.name: field for field in fields(into)}
    where = f"{file}: [[{kind}]] '{entry.get('id', '?')}'"
    missing = [name for name, field in spec.items() if field.default is MISSING and not entry.get(name)]
    unknown = [name for name in entry if name not in spec and name != "include"]
    if missing or unknown:
        raise SettingsError(f"{where} lacks {missing or 'nothing'}, has unknown fields {unknown or 'none'}")
    for name in [name for name in spec if name in entry]:
        value, (expected, fits) = entry[name], _TYPES[str(spec[name].type)]
        if not fits(value):
            raise SettingsError(f"{where}: {name} should be {expected}, found {value!r}")
    return {name: tuple(value) if isinstance(value, list) else value for name, value in entry.items() if name in spec}


def _check(framework: Framework, file: Path) -> None:
    """Raise when ids repeat or an entry hangs under nothing."""
    if not framework.codes:
        raise SettingsError(f"{file} has no [[code]]: a framework needs at least one")
    parts: tuple[Category | Code | KnownTheme, ...] = (*framework.categories, *framework.codes, *framework.themes)
    items = [item.id for item in parts]
    repeated = sorted({item for item in items if items.count(item) > 1})
    if repeated:
        raise SettingsError(f"{file}: ids must be unique; repeated: {', '.join(repeated)}")
    categories = {category.id for category in framework.categories}
    codes = {code.id for code in framework.codes}
    for code in framework.codes:
        if code.category not in categories or not code.id.startswith(f"{code.category}."):
            raise SettingsError(
                f"{file}: code '{code.id}' must be named category.code with one of: {sorted(categories)}"
            )
    for theme in framework.themes:
        if theme.stance not in THEME_STANCES:
            raise SettingsError.unknown(f"stance in theme '{theme.id}' of {file.name}:", theme.stance, THEME_STANCES)
        if theme.code not in codes:
            raise SettingsError.unknown(f"code in theme '{theme.id}' of {file.name}:", theme.code, sorted(codes))

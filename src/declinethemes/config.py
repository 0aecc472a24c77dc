"""Settings of a study (``study.toml``): read, checked, drafted; and the segments that they declare.

In: a TOML file, or a candidates table to draft one from. Out: frozen `Settings`, and a candidates table with the
declared segments. Every unknown name is an error that shows the names there are.
"""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from itertools import pairwise
from pathlib import Path
from typing import Any

import pandas as pd

from declinethemes.errors import SettingsError
from declinethemes.schema import TABLES

UNDERREPRESENTED = "underrepresented"
NOT_SEGMENTS = frozenset(
    {"candidate_id", "recruiter", "offer_date", "decline_date", "presumed_reason", "reason_code", "batch"}
)
NO_LEVELS = frozenset({"candidate_id", "offer_date", "decline_date", "presumed_reason"})
MAX_LEVELS = 12


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Settings of a study.

    Attributes
    ----------
    seed : int
        The one seed of a run.
    columns : mapping
        Header in the user's file to column of the candidates table.
    segments : tuple of str
        Columns that findings are made for.
    underrepresented : mapping of column to levels
        Who is under-represented here: anybody with one of these levels.
    merge : mapping of column to (new level to old levels)
        Levels to put together.
    bins : mapping of column to edges
        Cuts of number columns; ``[30, 40]`` gives "under 30", "30 to under 40", "40 and over".
    not_disclosed : tuple of str
        Words for a missing value, compared without case.
    min_n, quote_n : int
        Smallest group that is shown, and that may be quoted.
    sensitive : tuple of str
        Items with higher thresholds, beside those the framework marks.
    margin, alpha : float
        See the verdicts.
    stance : str
        ``negative`` counts complaints, ``all`` every mention.
    encoder, tagger, framework : str
        Names or paths; empty means the shipped one.
    """

    seed: int = 0
    columns: Mapping[str, str] = field(default_factory=dict)
    segments: tuple[str, ...] = ()
    underrepresented: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    merge: Mapping[str, Mapping[str, tuple[str, ...]]] = field(default_factory=dict)
    bins: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    not_disclosed: tuple[str, ...] = ("prefer not to say", "not disclosed", "unknown", "n/a", "na", "-", "?")
    min_n: int = 5
    quote_n: int = 10
    sensitive: tuple[str, ...] = ()
    margin: float = 0.15
    alpha: float = 0.05
    stance: str = "negative"
    encoder: str = ""
    tagger: str = ""
    framework: str = ""

    def __post_init__(self) -> None:
        if not (0 < self.margin < 1 and 0 < self.alpha < 1):
            raise SettingsError(f"margin and alpha lie between 0 and 1; found {self.margin} and {self.alpha}")
        if self.min_n < 3 or self.quote_n < self.min_n:
            raise SettingsError(
                f"min_n is 3 at least and quote_n not under min_n; found {self.min_n} and {self.quote_n}"
            )
        if self.stance not in ("negative", "all"):
            raise SettingsError(f"stance is 'negative' or 'all'; found '{self.stance}'")

    @property
    def fingerprint(self) -> str:
        """Hash of all settings: a stage runs again when it changed."""
        return hashlib.blake2b(json.dumps(asdict(self), sort_keys=True).encode(), digest_size=8).hexdigest()


# Where each setting stands in study.toml: table, key.
_PLACES: Mapping[str, tuple[str, str]] = {
    "seed": ("", "seed"),
    "columns": ("columns", ""),
    "segments": ("segments", "use"),
    "merge": ("segments", "merge"),
    "bins": ("segments", "bins"),
    "not_disclosed": ("segments", "not_disclosed"),
    "underrepresented": ("segments", "underrepresented"),
    "min_n": ("disclosure", "min_n"),
    "quote_n": ("disclosure", "quote_n"),
    "sensitive": ("disclosure", "sensitive"),
    "margin": ("findings", "margin"),
    "alpha": ("findings", "alpha"),
    "stance": ("findings", "stance"),
    "encoder": ("models", "encoder"),
    "tagger": ("models", "tagger"),
    "framework": ("models", "framework"),
}


def read_settings(path: str | Path) -> Settings:
    """Read ``study.toml``.

    Raises
    ------
    SettingsError
        The file cannot be read, or holds a name or a type that is not known.
    """
    file = Path(path)
    try:
        data = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"cannot read the settings {file}: {error}") from error
    values: dict[str, Any] = {}
    for name, (table, key) in _PLACES.items():
        place = data.get(table, {}) if table else data
        if not isinstance(place, dict):
            raise SettingsError(f"{file}: [{table}] must be a table")
        if key == "":
            values[name] = dict(place)
        elif key in place:
            values[name] = place[key]
    _check_names(data, file)
    if "underrepresented" in values:
        values["underrepresented"] = _declared(values["underrepresented"], file)
    try:
        return Settings(**{name: _typed(name, value) for name, value in values.items()})
    except TypeError as error:
        raise SettingsError(f"{file}: a value has the wrong type: {error}") from error


def _check_names(data: Mapping[str, Any], file: Path) -> None:
    tables = {table for table, _ in _PLACES.values() if table}
    for name, value in data.items():
        if name not in tables and name != "seed":
            raise SettingsError.unknown(f"entry in {file.name}", name, sorted(tables | {"seed"}))
        keys = {key for table, key in _PLACES.values() if table == name}
        if isinstance(value, dict) and keys != {""}:
            for key in value:
                if key not in keys:
                    raise SettingsError.unknown(f"entry in [{name}] of {file.name}", key, sorted(keys))


def _declared(place: Any, file: Path) -> Any:
    """Return what stands under ``any`` in [segments.underrepresented]."""
    where = f"[segments.underrepresented] of {file.name}"
    if not isinstance(place, dict):
        raise SettingsError(f'{where} must be a table such as: any = {{ gender = ["woman"] }}')
    for key in place:
        if key != "any":
            raise SettingsError.unknown(f"entry in {where}", key, ["any"])
    return place.get("any", {})


def _typed(name: str, value: Any) -> Any:
    """Return lists as tuples, at every depth, after checking the type."""
    default = next(f.default for f in fields(Settings) if f.name == name)
    if name in ("seed", "min_n", "quote_n"):
        _expect(isinstance(value, int) and not isinstance(value, bool), name, "a whole number", value)
    elif isinstance(default, float):
        _expect(isinstance(value, (int, float)) and not isinstance(value, bool), name, "a number", value)
    elif isinstance(default, str):
        _expect(isinstance(value, str), name, "text", value)
    elif isinstance(default, tuple):
        return _texts(name, value)
    else:
        _expect(isinstance(value, dict), name, "a table", value)
        return {key: _entry(name, f"{name}.{key}", inner) for key, inner in value.items()}
    return value


def _entry(name: str, where: str, value: Any) -> Any:
    """Return one entry of a table of settings."""
    if name == "columns":
        _expect(isinstance(value, str), where, "text", value)
        return value
    if name == "bins":
        numbers = isinstance(value, list) and all(type(edge) in (int, float) for edge in value)
        _expect(numbers, where, "a list of numbers", value)
        return tuple(value)
    if name == "merge":
        _expect(isinstance(value, dict), where, "a table of new level = [old levels]", value)
        return {new: _texts(f"{where}.{new}", old) for new, old in value.items()}
    return _texts(where, value)


def _texts(where: str, value: Any) -> tuple[str, ...]:
    _expect(isinstance(value, list) and all(isinstance(one, str) for one in value), where, "a list of texts", value)
    return tuple(value)


def _expect(fits: bool, where: str, expected: str, value: Any) -> None:
    if not fits:
        raise TypeError(f"{where} should be {expected}, found {value!r}")


def possible_segments(candidates: pd.DataFrame) -> list[str]:
    """Return the columns that can serve as segments: two to twelve levels, not an identifier, date or reason.

    A column in which each of four or more candidates has a value of their own holds names or remarks, not levels.
    """
    own = [name for name in candidates.columns if name not in NOT_SEGMENTS]
    levels = {name: int(candidates[name].nunique(dropna=True)) for name in own}
    fit = [name for name in own if 2 <= levels[name] <= MAX_LEVELS]
    return [name for name in fit if levels[name] < max(4, int(candidates[name].notna().sum()))]


def prepare_segments(candidates: pd.DataFrame, settings: Settings) -> pd.DataFrame:
    """Return the candidates with the declared segments made.

    Parameters
    ----------
    candidates : pandas.DataFrame
        The candidates table.
    settings : Settings
        Merges, bins, words for "not disclosed", and who is under-represented.

    Returns
    -------
    pandas.DataFrame
        Segment columns as text with missing where not disclosed; a column ``underrepresented`` (yes, no) where it is
        declared.

    Raises
    ------
    SettingsError
        A declared column or level is not in the table.
    """
    out = candidates.copy()
    words = {word.lower() for word in settings.not_disclosed}
    for name in [*settings.segments, *settings.merge, *settings.bins, *settings.underrepresented]:
        made = name == UNDERREPRESENTED and bool(settings.underrepresented)
        if name in NO_LEVELS or (name not in out.columns and not made):
            raise SettingsError.unknown("segment column", name, possible_segments(candidates))
    for name in out.columns:
        if name in settings.bins:
            out[name] = _binned(out[name], settings.bins[name], name)
        elif name not in TABLES["candidates"].columns or name in ("role", "grade", "location", "source"):
            text = out[name].astype("string").str.strip()
            out[name] = text.mask(text.str.lower().isin(words) | (text == ""))
    if settings.underrepresented:
        out[UNDERREPRESENTED] = _underrepresented(out, settings.underrepresented)
    for name, levels in settings.merge.items():
        old = {level: new for new, olds in levels.items() for level in olds}
        _known_levels(out[name], old, name)
        out[name] = out[name].map(lambda value, old=old: old.get(value, value), na_action="ignore").astype("string")
    return out


def _known_levels(column: pd.Series, levels: Sequence[str] | Mapping[str, str], name: str) -> None:
    there = sorted(set(column.dropna()))
    for level in levels:
        if level not in there:
            raise SettingsError.unknown(f"level of {name}", level, there)


def _binned(column: pd.Series, edges: Sequence[float], name: str) -> pd.Series:
    numbers = pd.to_numeric(column, errors="coerce")
    if not edges or list(edges) != sorted(set(edges)):
        raise SettingsError(f"the bins of {name} must be rising numbers; found {list(edges)}")
    cuts = [str(int(edge)) if float(edge).is_integer() else str(edge) for edge in edges]
    labels = [
        f"under {cuts[0]}",
        *[f"{a} to under {b}" for a, b in pairwise(cuts)],
        f"{cuts[-1]} and over",
    ]
    return pd.cut(numbers, [-float("inf"), *edges, float("inf")], right=False, labels=labels).astype("string")


def _underrepresented(candidates: pd.DataFrame, declared: Mapping[str, Sequence[str]]) -> pd.Series:
    """Return yes where a declared level holds, no where all declared columns are known and none does, else missing."""
    yes = pd.Series(False, index=candidates.index)
    known = pd.Series(True, index=candidates.index)
    for name, levels in declared.items():
        _known_levels(candidates[name], levels, name)
        yes |= candidates[name].isin(levels).fillna(False).astype(bool)
        known &= candidates[name].notna()
    out = pd.Series("no", index=candidates.index, dtype="string").mask(~known)
    return out.mask(yes, "yes")


def _toml(value: str | Sequence[str]) -> str:
    """Return text, or a list of texts, as TOML: JSON's form, with what only TOML forbids escaped too."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def draft_settings(candidates: pd.DataFrame, columns: Mapping[str, str]) -> str:
    """Return a ``study.toml`` drafted from a candidates table.

    Parameters
    ----------
    candidates : pandas.DataFrame
        The candidates table as read.
    columns : mapping
        The guesses: header in the user's file to our column.

    Returns
    -------
    str
        TOML that `read_settings` accepts, with comments that say what to check.
    """
    words = {word.lower() for word in Settings().not_disclosed}
    quote = _toml
    lines = [
        "# Settings of a study, drafted from your candidates file. Check the guesses, then run `themes run`.",
        "seed = 0",
        "",
        "[columns]  # header in your file = column here",
        *[f"{quote(head)} = {quote(column)}" for head, column in columns.items() if head != column],
        "",
        "[segments]",
        f"use = {quote(possible_segments(candidates))}",
        "",
        "# Who is under-represented in your company: declare it, it is never inferred.",
        "# Remove the # below and keep the levels that apply.",
        "[segments.underrepresented]",
    ]
    shown = []
    for name in possible_segments(candidates):
        if name in TABLES["candidates"].columns:
            continue
        levels = sorted({str(value) for value in candidates[name].dropna()} - words)
        levels = [level for level in levels if level.lower() not in words]
        shown.append(f"{quote(name)} = {quote(levels)}")
    lines += [f"# any = {{ {', '.join(shown)} }}", ""] if shown else [""]
    lines += [
        "[disclosure]",
        "min_n = 5     # smaller groups are not shown",
        "quote_n = 10  # smaller groups are not quoted",
        "",
        "[findings]",
        "margin = 0.15  # differences within this many points are immaterial; set it before you look",
        "alpha = 0.05",
        'stance = "negative"  # count complaints; "all" counts every mention',
        "",
    ]
    return "\n".join(lines)

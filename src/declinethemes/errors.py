"""The errors of the library; every one is a `DeclineThemesError`.

```
DeclineThemesError
├── InputError          a file or a table that cannot be used
│   └── SchemaError     a table whose columns or values are not what its stage needs
├── SettingsError       study.toml, or an argument, asks for what is not there
├── StudyError          a study folder that cannot be opened, written or continued
├── DisclosureError     a release that would expose somebody
├── ModelError          a model file that is missing, altered or of another version
└── MissingPackageError an optional package is needed and not installed
```

A message says what was expected, what was found and what to do next.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence


class DeclineThemesError(Exception):
    """Base of every error that this library raises on purpose."""

    code = "error"


class InputError(DeclineThemesError):
    """A file or a table that cannot be used."""

    code = "input"


class SchemaError(InputError):
    """A table whose columns or values are not what its stage needs."""

    code = "schema"

    @classmethod
    def columns(cls, table: str, *, missing: Sequence[str], extra: Sequence[str], found: Sequence[str]) -> SchemaError:
        """Build the error for a table with missing or unexpected columns."""
        lines = [f"the table '{table}' does not have the columns that are needed"]
        lines += [f"  - missing: {name}{nearest(name, extra or found)}" for name in missing]
        lines += [f"  + unexpected: {name}" for name in extra]
        lines.append(f"  found: {', '.join(found) or '(no columns)'}")
        lines.append("Rename the columns, or map them under [columns] in study.toml.")
        return cls("\n".join(lines))

    @classmethod
    def values(
        cls, table: str, column: str, *, expected: str, bad: Sequence[object], rows: Sequence[object]
    ) -> SchemaError:
        """Build the error for values that do not fit; shows the count and the first five."""
        shown = ", ".join(f"{value!r} (row {row})" for value, row in list(zip(bad, rows, strict=True))[:5])
        more = f" and {len(bad) - 5} more" if len(bad) > 5 else ""
        return cls(f"'{table}.{column}' should hold {expected}; {len(bad)} do not: {shown}{more}")


class SettingsError(DeclineThemesError):
    """study.toml, or an argument, asks for what is not there."""

    code = "settings"

    @classmethod
    def unknown(cls, what: str, name: str, known: Iterable[str]) -> SettingsError:
        """Build the error for a name that does not exist, with the names that do."""
        names = list(known)
        return cls(f"unknown {what} '{name}'{nearest(name, names)}; there are: {', '.join(names) or '(none)'}")


class StudyError(DeclineThemesError):
    """A study folder that cannot be opened, written or continued."""

    code = "study"


class DisclosureError(DeclineThemesError):
    """A release that would expose somebody."""

    code = "disclosure"


class ModelError(DeclineThemesError):
    """A model file that is missing, altered or of another version."""

    code = "model"


class MissingPackageError(DeclineThemesError):
    """An optional package is needed and not installed."""

    code = "package"


def nearest(name: str, known: Iterable[str]) -> str:
    """Return `` (did you mean 'x'?)`` for the closest known name, else an empty text."""
    match = difflib.get_close_matches(name, list(known), n=1, cutoff=0.6)
    return f" (did you mean '{match[0]}'?)" if match else ""

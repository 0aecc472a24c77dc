"""The table of reasons: how a reason for a decline is written, and the code of the framework that it presumes.

In: the shipped ``reasons.toml``, and a file of the same form. Out: `Reasons`. Candidates are not seen here.
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path

from declinethemes.errors import SettingsError
from declinethemes.framework import Framework, load_framework

_DEFAULT = Path(__file__).with_name("reasons.toml")
_BY_US = re.compile(r"^(?:applicant not interested|they rejected us|rejected by candidate|candidate) ")
_NEGATED = re.compile(r"\b(?:not|no|never|nothing|without|isnt|wasnt|didnt|dont)\b")


@dataclass(frozen=True, kw_only=True)
class Reason:
    """What a reason presumes: a code and, where it is narrower, a known theme; both empty where it says nothing."""

    code: str = ""
    theme: str = ""


@dataclass(frozen=True, kw_only=True)
class Reasons:
    """A table of reasons: how each is written, in lower case without punctuation, and what it presumes."""

    words: Mapping[str, Reason] = field(default_factory=dict)

    def read(self, text: str) -> tuple[Reason, ...] | None:
        """Return what a reason as written presumes; empty where it says nothing of why, None where it is not known.

        The whole text is looked up first, then known words inside it, longest first; a text with a negation is not
        searched, as "not about pay" would presume pay.

        Examples
        --------
        >>> reasons = load_reasons()
        >>> [one.code for one in reasons.read("Counter-offer; salary too low")]
        ['competitiveness.competing_offers', 'competitiveness.offer']
        >>> reasons.read("Other"), reasons.read("zodiac sign")
        ((), None)
        """
        found: dict[Reason, None] = {}
        known = False
        for part in re.split(r"[;|\n]", text):
            for reason in self._part(_plain(part)):
                known = True
                if reason.code:
                    found[reason] = None
        return tuple(found) if known else None

    def _part(self, plain: str) -> Iterator[Reason]:
        for whole in (plain, _BY_US.sub("", plain)):
            if whole in self.words:
                yield self.words[whole]
                return
        if _NEGATED.search(plain):
            return
        rest = f" {plain} "
        for word in sorted(self.words, key=lambda one: (-len(one), one)):
            if self.words[word].code and f" {word} " in rest:
                yield self.words[word]
                rest = rest.replace(f" {word} ", " | ")


def load_reasons(path: str | PathLike[str] | None = None, *, framework: Framework | None = None) -> Reasons:
    """Load the shipped table of reasons, and one of your own over it.

    Parameters
    ----------
    path : path, optional
        A TOML file of ``[[reason]]`` with ``words``, ``code`` and ``theme``, like the shipped one.
    framework : Framework, optional
        Whose codes and themes may be named; default: the shipped one. Shipped reasons of other codes are left out.

    Returns
    -------
    Reasons

    Raises
    ------
    SettingsError
        The file cannot be read, or an entry has an unknown field, code or theme, or no words.
    """
    used = framework or load_framework()
    words = {word: reason for word, reason in _entries(_DEFAULT, None) if _fits(reason, used)}
    if path is not None:
        words |= dict(_entries(Path(path), used))
    return Reasons(words=words)


def _entries(file: Path, framework: Framework | None) -> Iterator[tuple[str, Reason]]:
    """Return word and reason of a file; checked against a framework where one is given."""
    try:
        data = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"cannot read the reasons {file}: {error}") from error
    entries = data.get("reason")
    if set(data) != {"reason"} or not isinstance(entries, list) or not all(isinstance(one, dict) for one in entries):
        raise SettingsError(f"{file}: write each reason as a table under [[reason]], with words and code")
    for entry in entries:
        words = entry.get("words")
        if not isinstance(words, list) or not words or not all(isinstance(one, str) and _plain(one) for one in words):
            raise SettingsError(f"{file}: a [[reason]] needs words = [...], a list of texts; found {words!r}")
        for name in entry:
            if name not in ("words", "code", "theme"):
                raise SettingsError.unknown(f"field of [[reason]] '{words[0]}' in {file.name}", name, ["words", "code"])
        reason = Reason(code=str(entry.get("code", "")), theme=str(entry.get("theme", "")))
        if framework is not None and not _fits(reason, framework):
            codes = [code.id for code in framework.codes]
            if reason.code not in codes:
                raise SettingsError.unknown(f"code of [[reason]] '{words[0]}' in {file.name}", reason.code, codes)
            themes = [theme.id for theme in framework.themes if theme.code == reason.code]
            raise SettingsError.unknown(f"theme of [[reason]] '{words[0]}' in {file.name}", reason.theme, themes)
        yield from ((_plain(word), reason) for word in words)


def _fits(reason: Reason, framework: Framework) -> bool:
    themes = {theme.id: theme.code for theme in framework.themes}
    code = not reason.code or reason.code in framework.category_of
    return code and (not reason.theme or themes.get(reason.theme) == reason.code)


def _plain(text: str) -> str:
    """Return lower case without accents and apostrophes, other punctuation as spaces."""
    decomposed = unicodedata.normalize("NFKD", text)
    bare = "".join(c for c in decomposed if not unicodedata.combining(c)).casefold()
    return " ".join(re.sub(r"[^\w]+|_", " ", re.sub(r"['’`]", "", bare)).split())

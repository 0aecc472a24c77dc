"""Names and contacts to consistent pseudonyms.

In: the identities of the candidates, names of recruiters and interviewers, and text. Out: the text with their names as
``[person-3fa2c1]``, e-mail addresses as ``[email]`` and telephone numbers as ``[phone]``.

Not done here: finding people whom the metadata do not name. **Names of third parties (a partner, a manager elsewhere)
can remain in the text**, and so can names that are English words (Will, May, Grace Hale) where speech recognition wrote
them in lower case, names that were misheard, initials alone, and names in scripts that put no space between words.
Companies, places, money and dates are left as they are.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

import pandas as pd

from declinethemes.errors import SettingsError

_TITLES = frozenset({"mr", "mrs", "ms", "miss", "mx", "dr", "prof", "professor", "sir", "dame", "herr", "frau"})
_PARTICLES = frozenset(
    {"de", "da", "do", "dos", "das", "di", "del", "della", "der", "den", "la", "le", "van", "von", "bin", "al", "el",
     "ter", "ten", "y", "e", "of", "und", "jr", "sr", "ii", "iii", "phd"}
)  # fmt: skip
_NO_NAMES = re.compile(
    r"(?:unknown |the )?(?:speaker|voice|participant|guest|caller|user|interviewer|recruiter|candidate|host|moderator|"
    r"hiring manager|interviewee|respondent|applicant|[a-z])[ _-]?(?:\d+|[a-z])?"
)
_ROOM = re.compile(r"\b(?:room|boardroom|meeting|conference|team|office|desk|ltd|inc|gmbh)\b")
_WORDS = """
abbey ace alma amber an angel angle any april archer art ash ashes august austin autumn banks bar barber barn baron
bass bay bean bear beau beck bell bend berry best beth bill bird bishop black blanche blaze blue bo bob bolt bond bow
bowl bowling boy branch brand brandy briar bridge bridges brook brooks brown buck bud burden burn burns bush butler
call camp can candy carol carpenter carter case cash castle chance chandler chapel chapman charity chase cherry chip
christian church clay clear clerk cliff close coal coin cole cook cooper coral corn cotton couch court cox crane crisp
cross crow crystal curry daisy dale dawn day days deal dean deep dew dick do dock dolly don done dove drake draw drew
driver duke dusty eager early earnest easter else ember emerald english eve even ever fair fairly faith falcon fall
farmer farrow fast fern field fields fine fish fisher fleet flint flood flora florence flower foot ford forest forrest
fortune foster fox francis frank free freed freeman french frost fry gale game gardener garland gates gay gene georgia
gift ginger glass glen glory gold golden gore grace grant grave graves gray green grey grove guest gum gun guy hail
hale hall ham hand handy hardy harmony harp hart haven hawk hazel head heart heath heather heaven hedge henna herb
hill hills hilt hit hobby holiday hollow holly home honey honor hood hook hope hopper horn house how hunt hunter hurt
ice in india ink iris ivory ivy jack jade jasmine jay jean jewel job joiner joke jolly jordan joy judge july june just
keen kind king kit kitty knight lake lamb lance land landing lane large lark last laurel law lay leach leaf lean lee
left lemon light lily line lister little lo loan lock lodge london long lord love low luck lucky lyric mace mack major
man march mare mark marks marsh mason mass mast master may mead meadow melody mercy merit merry mi miles mill miller
mills mine mint miser misty more morning moss mount muse my myrtle near neat need new nice nick noble noon norm north
nova now oak ocean old olive one opal order page pain paine painter palm pan paris park parker parks parsley parson
part pass pat patience peace peach peacock pearl peg penny pepper perch perry petal pie pier pierce pike pine piper
pit place plum point pole pool poor poppy port porter post potter pound power powers precious price pride prince
proper proud pry quick quill rain rainbow rand rank raven ray reader real red reed reef reeve rest rex rice rich
richer riding right ring ripple rise river rivers road rob robin rock rocky rod rose rosemary rosy round row ruby rue
rule rush rust rusty ryder sage sail saint sale salmon salt sand sandy savage say scarlet seal see self sergeant shade
shaw she shepherd shore short shy sierra silver sin singer skill skip sky slate small smart smith so son song south
spark sparks spear speed spring stable star stark steel stern still stock stone storm stout strange stream street
strong su sue summer summers sun sung sunny sure swan sweet swift tab tall tan tanner taylor teach temple test thorn
tiger tile timber to toll tom tong too topaz tower town trace treasure tree trinity true truly tuck tucker turn turner
twin underhill union unity upright vale valentine valley van venture venus victor victory viola violet virtue wade
walk walker wall waller ward ware warm warner warren waters watt way wayne weaver web webb webster weeks welcome well
wells west wheat wheeler white whole wild will willing willow wills win wind window wine wing winner winter winters
wise wish wit witty wolf wonder wood woods woody word work worker world worth wrath wren wright yard yes yield york
you young
"""
ORDINARY = frozenset(_WORDS.split())
"""English words that are names too: replaced only where they are capitalised."""

_TABLE = {ord("’"): "'", ord("‘"): "'", ord("ʼ"): "'", ord("`"): "'", ord("´"): "'", ord("‐"): "-", ord("‑"): "-"}
_TABLE |= {ord("–"): "-", ord("ø"): "o", ord("ł"): "l", ord("đ"): "d", ord("ı"): "i", ord("ð"): "d", ord("þ"): "t"}
_SPELLINGS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "æ": "ae", "ø": "oe", "å": "aa", "œ": "oe"})
_NOT_LETTER = "(?<![^\\W\\d_])"
_EDGE = "(?![^\\W\\d_])"
_PLACEHOLDER = r"\[(?:person-[0-9a-f]+|email|phone)\]"
_EMAIL = r"(?<![\w.+%-])[\w.+%'-]{1,64}@[\w-]+(?:\.[\w-]+)+"
_PHONE = r"(?<![\w.,/-])[+(]{0,2}\d(?:[\s()./-]{0,3}\d){6,}+"
_DATE = re.compile(r"(?<!\d)(?:\d{1,2}([./-])\d{1,2}\1(?:19|20)\d{2}|(?:19|20)\d{2}([./-])\d{1,2}\2\d{1,2})(?!\d)")
_YEARS = re.compile(r"(?:19|20)\d{2}(?:[\s./-]+(?:19|20)\d{2})*")
_THOUSANDS = re.compile(r"(?:\d{1,3}(?:[ .]\d{3})*[ .]?\d?00)(?:[\s/-]+\d{1,3}(?:[ .]\d{3})*[ .]?\d?00)+")
_GROUPED = re.compile(r"\d{1,3}(?:\.\d{3})+|\d+\.\d+")
_DOT, _GAP, _TAIL = "\x01", "\x02", "\x03"
_EMITTED = {_DOT: r"\.", _GAP: r"(?:[\s._-]{1,3}|,\s{0,2})", _TAIL: "s?", "'": r"['\s]?", "-": r"[-\s]?"}


class _Fold(dict[int, str]):
    """Translation of single characters to lower case without accents; the length of a text never changes."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        base = unicodedata.normalize("NFKD", character)[:1].lower()
        folded = base if len(base) == 1 and base.isprintable() else character
        self[code] = folded
        return folded


_FOLD = _Fold({**_TABLE, **{ord(mark.upper()): plain for mark, plain in (("ø", "o"), ("ł", "l"), ("đ", "d"))}})


@dataclass(frozen=True, eq=False)
class Redactor:
    """Replaces the names of known people, e-mail addresses and telephone numbers.

    Full name, first name, last name, nickname and ``K. Lastname`` of one person give the same pseudonym, an HMAC-SHA256
    under the study's key; the order in which people are listed does not matter. A name that several people share gives
    a pseudonym of its own, never that of one of them.

    **It knows only whom it is told of.** Names of third parties that stand in no metadata can leak; so can a name that
    is an English word (Will, May, Grace Hale) in lower case.

    Parameters
    ----------
    identities : pandas.DataFrame
        candidate_id, and of name, nickname, email, phone those that are known; several values are separated by ``;``.
    others : iterable of str
        Names of recruiters, interviewers and speakers.
    key : bytes
        The study's secret key, at least 8 bytes; another key gives other pseudonyms.

    Examples
    --------
    >>> people = pd.DataFrame({"candidate_id": ["K1"], "name": ["Priya Raman"]})
    >>> redactor = Redactor(people, key=b"secret key")
    >>> redactor.speaker("Priya Raman") == redactor.speaker("Raman, Priya")
    True
    >>> redactor.text("write to priya@mail.example or call +1 415 555 0123")
    'write to [email] or call [phone]'
    """

    identities: pd.DataFrame
    others: Iterable[str] = field(default=(), kw_only=True)
    key: bytes = field(kw_only=True, repr=False)
    _forms: Mapping[str, str] = field(init=False, repr=False)
    _people: Mapping[str, str] = field(init=False, repr=False)
    _initials: frozenset[str] = field(init=False, repr=False)
    _numbers: frozenset[str] = field(init=False, repr=False)
    _pattern: re.Pattern[str] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if len(self.key) < 8:
            raise SettingsError(
                "the key of the pseudonyms should have 8 bytes or more, to be drawn at random per study"
            )
        object.__setattr__(self, "others", tuple(sorted(set(self.others))))
        names = _people(self.identities, self.others)
        owners: dict[str, set[str]] = defaultdict(set)
        spellings: set[str] = set()
        for person, known_as in names.items():
            for name in known_as:
                for form in _forms(name):
                    spellings.add(form)
                    owners[_letters(form)].add(person)
        pseudonyms = self._pseudonyms(names)
        forms = {
            letters: pseudonyms[min(who)] if len(who) == 1 else self._pseudonym(f"shared:{letters}", 6)
            for letters, who in owners.items()
        }
        initials = {_letters(form) for form in spellings if form[1:2] == _GAP}
        numbers = _numbers(self.identities)
        branches = [_PLACEHOLDER, _EMAIL, *_phones(numbers), _PHONE]
        branches += [f"{_NOT_LETTER}(?:{_trie(spellings)}){_EDGE}"] if spellings else []
        object.__setattr__(self, "_forms", forms)
        object.__setattr__(self, "_people", {p: pseudonyms[p] for p in names if p.startswith("candidate:")})
        object.__setattr__(self, "_initials", frozenset(initials))
        object.__setattr__(self, "_numbers", frozenset(numbers))
        object.__setattr__(self, "_pattern", re.compile("|".join(branches)))

    @property
    def pseudonyms(self) -> dict[str, str]:
        """The pseudonym of each candidate who has a name, by candidate_id."""
        return {person.removeprefix("candidate:"): pseudonym for person, pseudonym in self._people.items()}

    def text(self, text: str) -> str:
        """Return the text with names and contacts replaced; a second pass changes nothing."""
        before, after = "", text
        while after != before:  # what was replaced can free what stood beside it; what is not yet replaced shrinks
            before, after = after, self._replace(unicodedata.normalize("NFC", after))
        return after

    def speaker(self, name: str) -> str:
        """Return the pseudonym of a speaker, known or not; labels such as ``Speaker 1`` stay."""
        if re.fullmatch(_PLACEHOLDER, name.strip()) or _NO_NAMES.fullmatch(_fold(_bare(name))):
            return name
        parts = _parts(name)
        known = self._forms.get("".join(_letters(part) for part in parts))
        if known is not None:
            return known
        found: set[str] = set(re.findall(_PLACEHOLDER, self.text(name)))
        if len(found) == 1:
            return found.pop()
        return self._pseudonym("name:" + " ".join(parts or [_fold(name)]), 6)

    def turns(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Return a copy of a turns frame with `speaker` and `text` replaced; its speakers are people to replace too."""
        out = frame.copy()
        speakers = set(out["speaker"].dropna()) if "speaker" in out.columns else set()
        new = {str(name) for name in speakers if "".join(map(_letters, _parts(str(name)))) not in self._forms}
        new = {name for name in new if not re.fullmatch(_PLACEHOLDER, name.strip())}
        both = replace(self, others=(*self.others, *new)) if new - set(self.others) else self
        out["text"] = out["text"].map(both.text, na_action="ignore").astype("string")
        if speakers:
            out["speaker"] = out["speaker"].map(both.speaker, na_action="ignore").astype("string")
        return out

    def _replace(self, text: str) -> str:
        folded = text.lower() if text.isascii() else text.translate(_FOLD)
        pieces: list[str] = []
        position = 0
        for start, end, new in self._found(text, folded):
            pieces += [text[position:start], new]
            position = end
        return "".join([*pieces, text[position:]])

    def _found(self, text: str, folded: str) -> Iterator[tuple[int, int, str]]:
        """Yield (start, end, replacement) of what must be replaced, from left to right."""
        start = 0
        while match := self._pattern.search(folded, start):
            begin, end = match.span()
            words = match[0]
            if words.startswith("[") and words.endswith("]"):
                start = end
            elif "@" in words:
                yield begin, end, "[email]"
                start = end
            elif words[0] in "+(0123456789":
                known = re.sub(r"\D", "", words) in self._numbers
                if known or _is_phone(words, folded[max(begin - 2, 0) : begin], folded[end : end + 2]):
                    yield begin, end, "[phone]"
                elif (
                    words[0].isdigit() and " " in words and not _is_money(folded[max(begin - 2, 0) : begin], "")
                ):  # a telephone number may follow the first group
                    end = begin + len(re.match(r"\D*\d+", words)[0])  # type: ignore[index]
                start = end
            else:
                new = self._name(text[begin:end], words)
                if new is not None:
                    yield begin, end, new
                    start = end
                else:  # not a name here; one of its words may be
                    start = begin + len(re.match(r"[^\W\d_]+|.", words)[0])  # type: ignore[index]

    def _name(self, written: str, words: str) -> str | None:
        """Return the replacement of a name, or None where the words are ordinary ones."""
        parts = re.findall(r"[^\W\d_]+", written)
        letters = _letters(words)
        tail = ""
        if letters not in self._forms:
            letters, tail = letters[:-1], "s"
        ordinary = all(part.lower() in ORDINARY or len(part) <= 2 for part in parts)
        if ordinary and not any(part[0].isupper() for part in parts):
            return None
        initial = len(parts) > 1 and letters in self._initials and "." not in words
        if initial and not (written[0].isupper() and parts[-1][0].isupper()):
            return None
        return self._forms[letters] + tail

    def _pseudonym(self, person: str, digits: int) -> str:
        return f"[person-{hmac.new(self.key, person.encode(), hashlib.sha256).hexdigest()[:digits]}]"

    def _pseudonyms(self, people: Iterable[str]) -> dict[str, str]:
        """Return a pseudonym per person: six digits, twelve for those whose first six are the same."""
        short = {person: self._pseudonym(person, 6) for person in people}
        taken = Counter(short.values())
        return {p: self._pseudonym(p, 12) if taken[short[p]] > 1 else short[p] for p in short}


def _people(identities: pd.DataFrame, others: Iterable[str]) -> dict[str, list[str]]:
    """Return the names of each person; another's name that is a candidate's, or a part of a known name, adds nobody."""
    people: dict[str, list[str]] = {}
    for row in identities.to_dict("records"):
        cells = [str(row[column]) for column in ("name", "nickname") if column in row and pd.notna(row[column])]
        names = [name.strip() for cell in cells for name in cell.split(";") if name.strip()]
        if names:
            people[f"candidate:{row['candidate_id']}"] = names
    known = {_letters(form) for names in people.values() for name in names for form in _forms(name)}
    for name in sorted({name.strip() for name in others}, key=lambda name: (-len(_parts(name)), name)):
        parts = _parts(name)
        if not parts or _NO_NAMES.fullmatch(_fold(_bare(name))) or "@" in name:
            continue
        if "".join(_letters(part) for part in parts) not in known:
            people.setdefault("name:" + " ".join(parts), []).append(name)
            known |= {_letters(form) for form in _forms(name)}
    return people


def _fold(text: str) -> str:
    return unicodedata.normalize("NFC", text).translate(_FOLD)


def _letters(form: str) -> str:
    """Return the key of a form: its letters alone."""
    return re.sub(r"[\W\d_]+", "", form)


def _bare(name: str) -> str:
    return re.sub(r"\([^)]*\)|\[[^\]]*\]|[\"“”].*?[\"“”]", " ", name).strip(" -|,")


def _parts(name: str) -> list[str]:
    """Return the folded parts of a name in speaking order, without titles and what stands in brackets."""
    clean = _fold(_bare(re.split(r"\s[|–—-]\s", name)[0]))
    if clean.count(",") == 1:
        last, first = clean.split(",")
        clean = f"{first} {last}"
    parts = (part.strip("'-") for part in re.split(r"[\s._]+", re.sub(r"[^\w\s.'-]|\d", " ", clean)))
    return [part for part in parts if part and part not in _TITLES]


def _forms(name: str) -> set[str]:
    """Return the ways in which a name is written, folded, with marks for gaps, dots and a plural s."""
    quoted = re.findall(r"[(\"“]([^)\"”]{2,})[)\"”]", name)
    german = unicodedata.normalize("NFC", name).lower().translate(_SPELLINGS)
    lists = [_parts(name), _parts(german), *(_parts(part) for part in quoted if not _NO_NAMES.fullmatch(_fold(part)))]
    forms: set[str] = set()
    for parts in lists:
        if not parts or (len(parts) == 1 and len(parts[0]) == 1):
            continue
        forms.add(_GAP.join(parts))
        if _ROOM.search(" ".join(parts)):
            continue
        whole = [part for part in parts if len(part) > 1 and part not in _PARTICLES]
        halves = [half for part in whole if "-" in part for half in part.split("-") if len(half) > 2]
        for part in [*whole, *halves]:
            plural = len(part) >= 4 and part not in ORDINARY and f"{part}s" not in ORDINARY
            forms.add(part + _TAIL if plural else part)
        if len(parts) > 1:
            first, last = parts[0], parts[-1]
            surname = _GAP.join(parts[1:])
            forms |= {first + _GAP + last, last + _GAP + first, surname + _GAP + first, surname}
            forms |= {
                first[0] + _GAP + last,
                first[0] + _GAP + surname,
                first + _GAP + last[0] + _DOT,
                first + _GAP + surname[0] + _DOT,
            }
            if len(first) + len(last) >= 8:
                forms |= {first + last, last + first}
    return {form for form in forms if len(_letters(form)) > 1}


def _trie(forms: Iterable[str]) -> str:
    """Return a pattern that matches any of the forms, the longest first; shared beginnings are tried once."""
    root: dict[str, dict] = {}  # type: ignore[type-arg]
    for form in forms:
        node = root
        for symbol in form:
            node = node.setdefault(symbol, {})
        node[""] = {}
    return _pattern_of(root)


def _pattern_of(node: dict[str, dict]) -> str:  # type: ignore[type-arg]
    single = sorted(symbol for symbol in node if symbol)
    branches = [_EMITTED.get(symbol, re.escape(symbol)) + _pattern_of(node[symbol]) for symbol in single]
    if not branches:
        return ""
    joined = branches[0] if len(branches) == 1 else f"(?:{'|'.join(branches)})"
    return f"(?:{joined})?" if "" in node else joined


def _numbers(identities: pd.DataFrame) -> set[str]:
    """Return the digits of the telephone numbers in the metadata."""
    cells = [str(cell) for cell in identities["phone"].dropna()] if "phone" in identities.columns else []
    numbers = {re.sub(r"\D", "", number) for cell in cells for number in cell.split(";")}
    return {number for number in numbers if len(number) >= 6}


def _phones(numbers: Iterable[str]) -> list[str]:
    """Return patterns for known telephone numbers, however they are spaced."""
    spaced = [r"[\s()./-]{0,3}".join(number) for number in sorted(numbers, key=lambda digits: (-len(digits), digits))]
    return [rf"(?<!\d)[+(]{{0,2}}{number}(?!\d)" for number in spaced]


def _is_phone(words: str, before: str, after: str) -> bool:
    """Return whether a run of digits is a telephone number rather than years, dates, money or a measure."""
    digits = re.sub(r"\D", "", words)
    if (
        _is_money(before, after)
        or re.fullmatch(r",\d", after)
        or len(digits) > 15
        or any(kind.fullmatch(words) for kind in (_YEARS, _GROUPED, _THOUSANDS))
    ):
        return False
    if _DATE.search(words) or (words[0] in "123456789" and max(map(len, re.findall(r"\d+", words))) <= 2):
        return False
    marked = words[0] in "+(0" or re.fullmatch(r"\d{3}[-.]\d{4}", words) is not None
    return len(digits) >= 9 or (len(digits) >= 7 and marked)


def _is_money(before: str, after: str) -> bool:
    """Return whether a sign of money or a per cent sign stands beside a number."""
    return before.strip()[-1:] in {*"$£€₹¥"} or after[:1] in {*"$£€₹%"}

"""Coverage: which questions of the guide a call asked and had answered, and how interviewers ask.

In: documents, turns, passages, tags, the framework, and the codes that each prompt asks about. Out: `Coverage`. Calls
count, and notes in the form of the guide. What was said is not judged here, and nobody is rated: the numbers per
interviewer are for a conversation about how calls are led.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from declinethemes import schema
from declinethemes.framework import Framework
from declinethemes.framework.form import is_form, split_heading
from declinethemes.prepare.leading import find_questions

STATES = ("answered", "thin", "volunteered", "unclear", "gap")
"""Asked and answered; asked, with next to nothing for an answer; not asked and yet spoken of; not asked, and only
doubtful tags (codes alone: which code of a category was meant is harder to tell than the category); neither."""
MIN_WORDS = 3  # words beyond yes, no and the like that make an answer
MIN_CALLS = 3  # fewer calls of an interviewer than this: counts, no shares
UNNAMED = "(not named)"
_PERSON = re.compile(r"\[person-[0-9a-f]+\]")
_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
_SMALL = """
a ah all alright and at but can't certainly definitely didn't do don't er erm hm hmm honestly i i'd it just know let
like maybe me mm mmm mostly much no nope not nothing of oh ok okay particularly perhaps pretty quite rather really
right say see so sort sure thank thanks that that's the there think to uh um was wasn't well yeah yep yes you
"""
_NOTHING = frozenset(_SMALL.split())


@dataclass(frozen=True, kw_only=True, eq=False)
class Coverage:
    """What was asked and answered in each call, and how interviewers asked.

    Attributes
    ----------
    calls : pandas.DataFrame
        One row per call or note: document_id, date, kind, interviewers, one column per category with one of `STATES`,
        n_asked (codes asked), n_gap (codes neither asked nor spoken of), n_questions, n_leading.
    items : pandas.DataFrame
        One row per document and category or code: document_id, item, kind, asked, spoken (a passage is tagged with
        it), n_words (of the longest answer, yes and no left out), state.
    questions : pandas.DataFrame
        One row per category and code: item, kind, label, n (documents), and n_answered to n_gap,
        how many are in each of `STATES`.
    interviewers : pandas.DataFrame
        One row per interviewer: interviewer, n_calls, n_words, words_share (of all words in their calls), n_timed
        (calls with times), seconds_share, n_questions, questions_per_call, n_leading, leading_share. Shares are
        missing under 3 calls, and where speakers are not named.
    leading : pandas.DataFrame
        One row per leading question: document_id, turn_no, interviewer, kind, question.
    counts : mapping of str to int
        calls, notes, and what was left out: notes without the form, one-sided calls, other languages.
    notes : tuple of str
        What holds for the whole.
    """

    calls: pd.DataFrame
    items: pd.DataFrame
    questions: pd.DataFrame
    interviewers: pd.DataFrame
    leading: pd.DataFrame
    counts: Mapping[str, int]
    notes: tuple[str, ...] = ()

    def to_frame(self) -> pd.DataFrame:
        """Return the rows per call; a copy, with the counts in `attrs`."""
        frame = self.calls.copy()
        frame.attrs = {"counts": dict(self.counts)}
        return frame

    def named(self, names: Mapping[str, str]) -> Coverage:
        """Return the same with pseudonyms of interviewers replaced by `names`; questions keep theirs."""

        def plain(text: str) -> str:
            return _PERSON.sub(lambda match: names.get(match[0], match[0]), text)

        calls = self.calls.assign(interviewers=self.calls["interviewers"].map(plain, na_action="ignore"))
        frames = {
            name: getattr(self, name).assign(interviewer=getattr(self, name)["interviewer"].map(plain))
            for name in ("interviewers", "leading")
        }
        return replace(self, calls=calls, **frames)

    def _repr_html_(self) -> str:
        shown = [self.calls.to_html(max_rows=60, na_rep="", index=False), _html(self.interviewers)]
        return f"<p>{' '.join(self.notes)}</p>{''.join(shown)}"


def _html(frame: pd.DataFrame) -> str:
    return str(frame.to_html(na_rep="", index=False, float_format="{:.2f}".format))


def coverage(
    documents: pd.DataFrame,
    turns: pd.DataFrame,
    passages: pd.DataFrame,
    tags: pd.DataFrame,
    *,
    framework: Framework,
    prompts: pd.DataFrame,
    doubtful: pd.DataFrame | None = None,
) -> Coverage:
    """Set what was asked and answered in each call against the questions of the framework.

    Parameters
    ----------
    documents, turns, passages, tags : pandas.DataFrame
        The tables; only tags with decision "yes" count.
    framework : Framework
        Its codes are the questions of the guide.
    prompts : pandas.DataFrame
        The turns that ask: document_id, turn_no, and `codes`, a list of the codes that each asks about. A heading of
        the note form has the code that it names.
    doubtful : pandas.DataFrame, optional
        Tags that are too unsure to count and yet keep a code from being called a gap.

    Returns
    -------
    Coverage

    Raises
    ------
    SchemaError
        A table lacks columns or holds values it must not.

    Examples
    --------
    >>> from declinethemes.framework import load_framework
    >>> tables = [schema.empty(name) for name in ("documents", "turns", "passages", "tags")]
    >>> asked = pd.DataFrame({"document_id": [], "turn_no": [], "codes": []})
    >>> len(coverage(*tables, framework=load_framework(), prompts=asked).calls)
    0
    """
    documents, turns = schema.conform(documents, "documents"), schema.conform(turns, "turns")
    passages, tags = schema.conform(passages, "passages"), schema.conform(tags, "tags")
    used, counts = _used(documents, turns)
    part = turns[turns["document_id"].isin(used["document_id"])]
    prompts = prompts.assign(codes=pd.Series(_codes(prompts, turns, framework), index=prompts.index, dtype=object))
    spoken = _spoken(tags, passages, framework)
    hinted = spoken if doubtful is None else _spoken(doubtful, passages, framework)
    items = _items(used, _answers(part, prompts, framework), spoken, hinted, framework)
    calls = used.loc[used["kind"] == "call", "document_id"]
    asked = _asked(part[part["document_id"].isin(calls)])
    return Coverage(
        calls=_calls(used, items, asked, _interviewers_of(part), framework),
        items=items,
        questions=_questions(items, framework),
        interviewers=_interviewers(part[part["document_id"].isin(calls)], asked),
        leading=asked[asked["kind"].notna()].reset_index(drop=True),
        counts=counts,
        notes=_notes(counts, part),
    )


def _used(documents: pd.DataFrame, turns: pd.DataFrame) -> tuple[pd.DataFrame, dict[str, int]]:
    """Return calls with both sides, and notes in the form of the guide, by date; and how many were left out."""
    read = documents[(documents["status"] == "read") & documents["candidate_id"].notna()]
    english = read[read["language"].fillna("en") == "en"]
    headings = turns[turns["role_basis"] == "heading"].groupby("document_id")["text"].agg(list)
    forms = {str(document) for document, texts in headings.items() if is_form(texts)}
    notes = english["kind"] == "note"
    form = notes & english["document_id"].isin(list(forms))
    both = turns.groupby("document_id")["speaker_role"].nunique() == 2
    call = english["kind"] == "call"
    heard = call & english["document_id"].isin(both.index[both.to_numpy(dtype=bool)])
    used = english[heard | form].sort_values(["date", "document_id"]).reset_index(drop=True)
    spoken = read["kind"].isin(["call", "note"])
    counts = {
        "calls": int((used["kind"] == "call").sum()),
        "notes": int((used["kind"] == "note").sum()),
        "notes without the form": int((notes & ~form).sum()),
        "one-sided calls": int((call & ~heard).sum()),
        "other languages": int((spoken & (read["language"].fillna("en") != "en")).sum()),
    }
    return used, counts


def _codes(prompts: pd.DataFrame, turns: pd.DataFrame, framework: Framework) -> list[list[str]]:
    """Return the codes that prompts ask about; a heading of the form names its own."""
    texts = {(row.document_id, row.turn_no): row.text for row in turns[turns["role_basis"] == "heading"].itertuples()}
    out = []
    for document, turn_no, codes in zip(prompts["document_id"], prompts["turn_no"], prompts["codes"], strict=True):
        heading = split_heading(str(texts.get((document, turn_no), "")))
        found = list(codes) if heading is None else [heading[0]]
        out.append([code for code in found if code in framework.category_of])
    return out


def _answers(turns: pd.DataFrame, prompts: pd.DataFrame, framework: Framework) -> dict[tuple[str, str], int]:
    """Return the words of the longest answer by (document, item asked about)."""
    words: dict[tuple[str, str], int] = {}
    for document, codes, n in _exchanges(turns, prompts):
        for item in _with_categories(codes, framework):
            words[document, item] = max(words.get((document, item), 0), n)
    return words


def _spoken(tags: pd.DataFrame, passages: pd.DataFrame, framework: Framework) -> set[tuple[str, str]]:
    """Return (document, item) of every tag."""
    yes = tags.loc[tags["decision"] == "yes", ["passage_id", "code"]].merge(passages[["passage_id", "document_id"]])
    return {
        (document, item)
        for document, code in zip(yes["document_id"], yes["code"], strict=True)
        for item in _with_categories([code], framework)
    }


def _items(
    used: pd.DataFrame,
    words: Mapping[tuple[str, str], int],
    spoken: set[tuple[str, str]],
    hinted: set[tuple[str, str]],
    framework: Framework,
) -> pd.DataFrame:
    """Return one row per document and item."""
    rows = []
    for document in used["document_id"]:
        for item, kind in _all(framework):
            found, said = words.get((document, item)), (document, item) in spoken
            if found is not None:
                state = "answered" if said or found >= MIN_WORDS else "thin"
            elif said:
                state = "volunteered"
            else:
                state = "unclear" if kind == "code" and (document, item) in hinted else "gap"
            rows.append((document, item, kind, found is not None, said, pd.NA if found is None else found, state))
    columns = ["document_id", "item", "kind", "asked", "spoken", "n_words", "state"]
    kinds = dict.fromkeys(("document_id", "item", "kind", "state"), "string")
    frame = pd.DataFrame(rows, columns=columns)
    return frame.astype({**kinds, "asked": "boolean", "spoken": "boolean", "n_words": "Int64"})


def _exchanges(turns: pd.DataFrame, prompts: pd.DataFrame) -> Iterator[tuple[str, list[str], int]]:
    """Yield (document, codes asked about, words of the answer) of each question or run of questions, and its answer."""
    asks = {
        (document, turn_no): codes
        for document, turn_no, codes in zip(prompts["document_id"], prompts["turn_no"], prompts["codes"], strict=True)
    }
    for document, part in turns.groupby("document_id", sort=True):
        codes: list[str] = []
        n, answered = 0, False
        roles = part["speaker_role"].fillna("")
        for turn_no, role, text in zip(part["turn_no"], roles, part["text"], strict=True):
            if (document, turn_no) in asks:
                if answered:
                    yield str(document), codes, n
                    codes, n, answered = [], 0, False
                codes = [*codes, *asks[document, turn_no]]
            elif role == "candidate":
                answered = True
                n += sum(word.replace("’", "'") not in _NOTHING for word in _WORD.findall(text.lower()))
        yield str(document), codes, n


def _with_categories(codes: list[str], framework: Framework) -> set[str]:
    """Return codes of the framework with their categories."""
    known = [code for code in codes if code in framework.category_of]
    return {*known, *(framework.category_of[code] for code in known)}


def _all(framework: Framework) -> list[tuple[str, str]]:
    """Return (item, kind): each category that has codes, followed by them."""
    out = []
    for category in framework.categories:
        codes = [(code.id, "code") for code in framework.codes if code.category == category.id]
        out += [(category.id, "category"), *codes] if codes else []
    return out


def _asked(turns: pd.DataFrame) -> pd.DataFrame:
    """Return the questions of interviewers: document_id, turn_no, interviewer, kind of lead or missing, question."""
    rows = []
    for document, part in turns.groupby("document_id", sort=True):
        said = ""
        columns = [part["turn_no"], part["speaker_role"].fillna(""), part["speaker"], part["text"]]
        for turn_no, role, speaker, text in zip(*columns, strict=True):
            if role == "candidate":
                said = f"{said} {text}"
            elif role == "interviewer":
                found = find_questions(str(text), said)
                rows += [(document, turn_no, _who(speaker), one.kind, one.text) for one in found]
    columns_out = ["document_id", "turn_no", "interviewer", "kind", "question"]
    kinds = dict.fromkeys(columns_out, "string") | {"turn_no": "Int64"}
    return pd.DataFrame(rows, columns=columns_out).astype(kinds)


def _who(speaker: Any) -> str:
    """Return the pseudonym of an interviewer; labels such as "Speaker 1" are nobody's in particular."""
    return str(speaker) if pd.notna(speaker) and _PERSON.fullmatch(str(speaker)) else UNNAMED


def _interviewers_of(turns: pd.DataFrame) -> dict[str, str]:
    """Return the interviewers of each document, separated by commas."""
    asking = turns[(turns["speaker_role"] == "interviewer") & (turns["role_basis"] != "heading").fillna(True)]
    return {
        str(document): ", ".join(sorted({_who(speaker) for speaker in part}))
        for document, part in asking.groupby("document_id")["speaker"]
    }


def _calls(
    used: pd.DataFrame, items: pd.DataFrame, asked: pd.DataFrame, who: Mapping[str, str], framework: Framework
) -> pd.DataFrame:
    """Return one row per document."""
    out = used[["document_id", "date", "kind"]].reset_index(drop=True)
    out["interviewers"] = out["document_id"].map(who).astype("string")
    states = items.set_index(["document_id", "item"])["state"]
    for item, kind in _all(framework):
        if kind == "category":
            out[item] = pd.array([states[document, item] for document in out["document_id"]], dtype="string")
    codes = items[items["kind"] == "code"]
    leads = asked[asked["kind"].notna()]
    for name, frame in (
        ("n_asked", codes[codes["asked"]]),
        ("n_gap", codes[codes["state"] == "gap"]),
        ("n_questions", asked),
        ("n_leading", leads),
    ):
        out[name] = out["document_id"].map(frame["document_id"].value_counts()).fillna(0).astype("Int64")
    silent = (out["kind"] != "call").to_numpy(dtype=bool)  # a form has headings, not an interviewer's questions
    return out.assign(n_questions=out["n_questions"].mask(silent), n_leading=out["n_leading"].mask(silent))


def _questions(items: pd.DataFrame, framework: Framework) -> pd.DataFrame:
    """Return one row per item: in how many documents it is in each state."""
    counted = items.groupby(["item", "state"]).size()
    rows = []
    for item, kind in _all(framework):
        states = {f"n_{state}": int(counted.get((item, state), 0)) for state in STATES}
        rows.append({"item": item, "kind": kind, "label": framework.labels[item], "n": sum(states.values()), **states})
    frame = pd.DataFrame(rows, columns=["item", "kind", "label", "n", *(f"n_{state}" for state in STATES)])
    return frame.astype({"item": "string", "kind": "string", "label": "string"})


def _interviewers(turns: pd.DataFrame, asked: pd.DataFrame) -> pd.DataFrame:
    """Return one row per interviewer, the most talkative first."""
    known = turns[turns["speaker_role"].notna() & turns["text"].notna()].reset_index(drop=True)
    asking = (known["speaker_role"] == "interviewer").to_numpy(dtype=bool)
    names = [_who(s) if asks else "" for s, asks in zip(known["speaker"], asking, strict=True)]
    known = known.assign(
        who=names, words=[len(text.split()) for text in known["text"]], seconds=known["end_s"] - known["start_s"]
    )
    timed = known.groupby("document_id")["seconds"].transform(lambda column: column.notna().all()).astype(bool)
    rows = []
    for name in sorted(set(names) - {""}):
        mine = known["who"] == name
        theirs = known["document_id"].isin(known.loc[mine, "document_id"])
        found = asked[asked["interviewer"] == name]
        row = {
            "interviewer": name,
            "n_calls": known.loc[mine, "document_id"].nunique(),
            "n_words": known.loc[mine, "words"].sum(),
            "words_share": _share(known.loc[mine, "words"].sum(), known.loc[theirs, "words"].sum()),
            "n_timed": known.loc[mine & timed, "document_id"].nunique(),
            "seconds_share": _share(
                known.loc[mine & timed, "seconds"].sum(), known.loc[theirs & timed, "seconds"].sum()
            ),
            "n_questions": len(found),
            "n_leading": int(found["kind"].notna().sum()),
        }
        row["questions_per_call"] = row["n_questions"] / row["n_calls"]
        row["leading_share"] = _share(row["n_leading"], row["n_questions"])
        rows.append(_held_back(row))
    return _typed(rows)


def _held_back(row: dict[str, Any]) -> dict[str, Any]:
    """Return the row without shares where there are too few calls, or it is not one person."""
    if row["n_calls"] < MIN_CALLS or row["interviewer"] == UNNAMED:
        row |= dict.fromkeys(("words_share", "seconds_share", "questions_per_call", "leading_share"), pd.NA)
    if row["n_timed"] < MIN_CALLS:
        row["seconds_share"] = pd.NA
    return row


def _typed(rows: list[dict[str, Any]]) -> pd.DataFrame:
    """Return the rows per interviewer as a frame, the most calls first."""
    counts, shares = ("n_calls", "n_words", "n_timed", "n_questions", "n_leading"), ("words_share", "seconds_share")
    order = ["interviewer", "n_calls", "n_words", "words_share", "n_timed", "seconds_share", "n_questions"]
    order += ["questions_per_call", "n_leading", "leading_share"]
    kinds: dict[str, Any] = dict.fromkeys(counts, "Int64") | {"interviewer": "string"}
    kinds |= dict.fromkeys((*shares, "questions_per_call", "leading_share"), "Float64")
    frame = pd.DataFrame(rows, columns=order).astype(kinds)
    return frame.sort_values(["n_calls", "interviewer"], ascending=[False, True]).reset_index(drop=True)


def _share(part: float, whole: float) -> Any:
    return part / whole if whole else pd.NA


def _notes(counts: Mapping[str, int], turns: pd.DataFrame) -> tuple[str, ...]:
    """Return what a reader must know of the whole."""
    doubtful = turns[turns["role_basis"].fillna("").str.contains("doubtful")]["document_id"].nunique()
    notes = [f"{counts['calls']} calls and {counts['notes']} notes in the form of the guide."]
    left = {
        "notes without the form": "notes that are not in the form",
        "one-sided calls": "calls in which nobody is known to ask, or to answer",
        "other languages": "documents not in English",
    }
    notes += [f"Left out: {counts[name]} {text}." for name, text in left.items() if counts[name]]
    if doubtful:
        notes.append(f"In {doubtful} calls who is the candidate was guessed from who talks and who asks.")
    return tuple(notes)

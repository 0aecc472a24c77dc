"""Turns to passages: one to three sentences of a candidate, each with the question that it answers.

In: the turns table (names already replaced) and the documents table. Out: the passages table, with offsets into the
turn's text that give the passage back exactly. Interviewers' turns give no passages, and feedback only where it is
asked for, apart from the others; tagging is not done here.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING

import pandas as pd

from declinethemes import schema

if TYPE_CHECKING:
    from spacy.language import Language

MIN_WORDS = 12  # sentences are joined until a passage has this many words
MAX_SENTENCES = 3
LONG_SENTENCE = 80  # an unpunctuated stretch over this many words is cut
CUT_WORDS = 60
BACKCHANNEL_WORDS = 4  # an interviewer's "right, okay" does not replace the question before it
PROMPT_WORDS = 60
# Frequent function words, enough to tell languages apart; spaCy's lists cost seconds of import each.
LANGUAGES = {
    "en": (
        "the and to of a in that is was it for on with as at but not they we you i have had were be would so there what"
    ),
    "de": (
        "der die das und ist nicht ich es ein eine zu mit den auf für sich war auch wir dass sie dem von hat noch wie"
    ),
    "es": (
        "el la los las de que y en un una no se es lo por con para me pero muy como más mi había era estaba porque del"
    ),
    "fr": (
        "le la les de des et un une est que je ne pas pour dans il ce qui avec sur mais nous on au était très c'est du"
    ),
    "it": "il lo la gli le di che e un una non è per con sono mi ma come anche più era del della molto ho nel alla si",
    "nl": (
        "de het een en van ik niet dat is was op te met voor er maar ook zijn naar ze wel hebben aan nog dan bij heel"
    ),
    "pl": "i w na nie że się z do to jest jak ale był była tak już tylko mnie po co dla od przez mi tym czy bardzo za",
    "pt": "o a os as de que e um uma não é em para com por mais mas como foi eu me muito do da no na ao era tinha isso",
}
_JOINTS = frozenset({"and", "but", "so", "because", "then", "anyway", "also", "which"})


def split_turns(turns: pd.DataFrame, documents: pd.DataFrame) -> pd.DataFrame:
    """Cut the candidates' turns into passages.

    Parameters
    ----------
    turns : pandas.DataFrame
        The turns table.
    documents : pandas.DataFrame
        The documents table; only documents that were read, belong to a candidate and are no feedback give passages.

    Returns
    -------
    pandas.DataFrame
        The passages table: ``turn.text[start_char:end_char] == passage.text``.
    """
    turns, documents = schema.conform(turns, "turns"), schema.conform(documents, "documents")
    usable = documents[
        (documents["status"] == "read")
        & documents["candidate_id"].notna()
        & (documents["kind"] != "feedback").fillna(True)
    ]
    return _cut(turns, dict(zip(usable["document_id"], usable["candidate_id"], strict=True)))


def split_feedback(turns: pd.DataFrame, documents: pd.DataFrame) -> pd.DataFrame:
    """Cut the interviewers' feedback into passages: context for the next call, never stored or counted with the others.

    Parameters
    ----------
    turns : pandas.DataFrame
        The turns table.
    documents : pandas.DataFrame
        The documents table; only feedback that was read and belongs to a candidate is cut.

    Returns
    -------
    pandas.DataFrame
        The passages table; all turns are taken, as everybody who speaks in feedback is an interviewer. Headings are the
        prompts of what stands under them.
    """
    turns, documents = schema.conform(turns, "turns"), schema.conform(documents, "documents")
    feedback = (documents["kind"] == "feedback").fillna(False) & (documents["status"] == "read")
    usable = documents[feedback & documents["candidate_id"].notna()]
    heading = (turns["role_basis"] == "heading").fillna(False).astype(bool)
    voiced = turns.assign(speaker_role=turns["speaker_role"].where(heading, "candidate"))
    return _cut(voiced, dict(zip(usable["document_id"], usable["candidate_id"], strict=True)))


def _cut(turns: pd.DataFrame, owner: Mapping[object, object]) -> pd.DataFrame:
    """Return the passages of the documents that belong to somebody."""
    rows: list[dict[str, object]] = []
    for document_id, part in turns.groupby("document_id", sort=True):
        if document_id not in owner:
            continue
        for turn_no, text, prompt in _answers(part):
            for start, end in spans(text):
                rows.append(
                    {
                        "passage_id": passage_id(str(document_id), turn_no, start, text[start:end]),
                        "document_id": document_id,
                        "candidate_id": owner[document_id],
                        "turn_no": turn_no,
                        "start_char": start,
                        "end_char": end,
                        "text": text[start:end],
                        "prompt": prompt or pd.NA,
                    }
                )
    return schema.conform(pd.DataFrame(rows), "passages") if rows else schema.empty("passages")


def passage_id(document_id: str, turn_no: int, start: int, text: str) -> str:
    """Return the stable id of a passage: a hash of its document, place and text."""
    return hashlib.blake2b(f"{document_id}\x1f{turn_no}\x1f{start}\x1f{text}".encode(), digest_size=8).hexdigest()


def prompt_turns(turns: pd.DataFrame) -> pd.DataFrame:
    """Return the turns that ask: every interviewer's turn or heading that is more than a backchannel."""
    spoken = turns[turns["speaker_role"] == "interviewer"]
    pairs = zip(spoken["text"], spoken["role_basis"].fillna(""), strict=True)
    asks = [basis == "heading" or not _is_backchannel(str(text)) for text, basis in pairs]
    return spoken[pd.Series(asks, index=spoken.index, dtype=bool)]


def prompts(turns: pd.DataFrame) -> list[str]:
    """Return what was asked in one document: the texts of the turns that ask."""
    return [str(text) for text in prompt_turns(turns)["text"]]


def _answers(turns: pd.DataFrame) -> Iterator[tuple[int, str, str]]:
    """Yield (turn_no, text, prompt) of the candidate's turns of one document."""
    prompt, answered = "", True
    columns = [turns["turn_no"], turns["speaker_role"].fillna(""), turns["role_basis"].fillna(""), turns["text"]]
    for turn_no, role, basis, text in zip(*columns, strict=True):
        if role == "interviewer":
            if basis != "heading" and _is_backchannel(text):
                continue
            prompt = text if answered else f"{prompt} {text}"
            prompt, answered = " ".join(prompt.split()[-PROMPT_WORDS:]), False
        elif role == "candidate":
            answered = True
            yield int(turn_no), str(text), prompt


def _is_backchannel(text: str) -> bool:
    return "?" not in text and len(text.split()) <= BACKCHANNEL_WORDS


def spans(text: str) -> list[tuple[int, int]]:
    """Return the half-open character spans of the passages of one turn.

    Sentences are joined until there are 12 words or three sentences. An unpunctuated stretch of over 80 words is cut
    about every 60 words, before a joining word where there is one.

    Examples
    --------
    >>> spans("It was fine. Six weeks, maybe seven.")
    [(0, 36)]
    """
    pieces = [piece for sentence in _sentences(text) for piece in _cut_long(text, *sentence)]
    out: list[tuple[int, int]] = []
    start, count, words = -1, 0, 0
    for begin, end in pieces:
        start = begin if count == 0 else start
        count, words = count + 1, words + len(text[begin:end].split())
        if words >= MIN_WORDS or count >= MAX_SENTENCES:
            out.append((start, end))
            count, words = 0, 0
    if count:
        out.append((start, pieces[-1][1]))
    return out


def _sentences(text: str) -> Iterator[tuple[int, int]]:
    """Yield spans of sentences without the white space around them.

    spaCy leaves an opening bracket after a full stop with the sentence before; it belongs to the next, which often
    begins with a pseudonym in brackets.
    """
    begin = 0
    for sentence in _pipeline()(text).sents:
        end = sentence.end_char
        while end > begin and (text[end - 1] in "[(" or text[end - 1].isspace()) and end < len(text):
            end -= 1
        while begin < end and text[begin].isspace():
            begin += 1
        last = begin + len(text[begin:end].rstrip())
        if last > begin:
            yield begin, last
        begin = end


def _cut_long(text: str, begin: int, end: int) -> Iterator[tuple[int, int]]:
    """Cut one sentence of over 80 words into stretches of at most 60."""
    words = [(begin + m.start(), begin + m.end()) for m in re.finditer(r"\S+", text[begin:end])]
    if len(words) <= LONG_SENTENCE:
        yield begin, end
        return
    first = 0
    while first < len(words):
        last = min(first + CUT_WORDS, len(words))
        if last < len(words):
            joint = [i for i in range(first + CUT_WORDS // 2, last) if text[slice(*words[i])].lower() in _JOINTS]
            last = joint[-1] if joint else last
        yield words[first][0], words[last - 1][1]
        first = last


@cache
def _pipeline() -> Language:
    """Return spaCy's blank English pipeline with rule-based sentence ends; nothing is downloaded."""
    import spacy

    nlp = spacy.blank("en")
    nlp.add_pipe("sentencizer")
    nlp.max_length = 1 << 30
    return nlp


def language(text: str) -> str:
    """Guess the language of a text from its function words.

    Parameters
    ----------
    text : str
        Any length; under 20 words the answer is always ``en``.

    Returns
    -------
    str
        ISO 639-1 code, one of `LANGUAGES`.
    """
    words = re.findall(r"[^\W\d_]+(?:'[^\W\d_]+)?", text.lower())[:2000]
    if len(words) < 20:
        return "en"
    counts = {code: sum(word in stops for word in words) for code, stops in _function_words().items()}
    best = max(counts, key=lambda code: (counts[code], code == "en"))
    return best if counts[best] > 1.2 * counts["en"] else "en"


@cache
def _function_words() -> dict[str, frozenset[str]]:
    return {code: frozenset(words.split()) for code, words in LANGUAGES.items()}

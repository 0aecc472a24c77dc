"""Speaker labels in running text: is ``Dana Whitlock: ...`` a speaker, and what does ``Interviewer:`` say of the role.

In: lines. Out: the labels that are speakers, and lines split at them. Which named person is the candidate is decided in
`roles`.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Set

from declinethemes.ingest.cues import collapse


def words(text: str) -> frozenset[str]:
    """Return a comma-separated list as a set."""
    return frozenset(text.split(","))


_LABEL = re.compile(r"^([^:：\n]{1,60}?)\s*[:：](?!//)\s*(.*)$", re.DOTALL)
_INTERVIEWER = words(
    "interviewer,recruiter,hiring manager,host,moderator,int,interviewer name,facilitator,talent partner,question,hr"
)
_CANDIDATE = words("candidate,cand,interviewee,respondent,participant,applicant,response,answer")
_PAIRS = (
    {"q": "interviewer", "a": "candidate"},
    {"i": "interviewer", "c": "candidate"},
    {"i": "interviewer", "p": "candidate"},
)
_GENERIC = re.compile(
    r"(?:unknown )?(?:speaker|voice|participant|guest|caller|user|interviewer|recruiter)[ _-]?(?:\d+|[a-z])?"
)
_NOT_SPEAKERS = words(
    "note,notes,ps,nb,re,fyi,eg,ie,date,time,duration,topic,subject,from,to,cc,sent,attendees,participants,summary,"
    "action,actions,todo,next step,next steps,location,recording,transcript,meeting,title,role,position,so,well,update,"
    "http,https,reason,reasons,offer,salary,compensation,comp,process,outcome,decision,feedback,pros,cons,strengths,"
    "background,overview,key points,comments,level,team,source,email,phone,call,agenda,other,also"
)
_PARTICLES = words("de,da,do,dos,das,di,del,della,der,den,la,le,van,von,bin,al,el,ter,ten,y,e,of,und,af,av")


def fold(text: str) -> str:
    """Return the text in lower case, without accents, white space collapsed."""
    decomposed = unicodedata.normalize("NFKD", text)
    return collapse("".join(c for c in decomposed if not unicodedata.combining(c)).casefold())


def bare(label: str) -> str:
    """Return a speaker label folded and without what stands in brackets."""
    return fold(re.sub(r"\([^)]*\)|\[[^\]]*\]", " ", label)).strip(" -|,*")


def label_role(label: str) -> str | None:
    """Return the role that a label states, such as ``Interviewer 1`` or ``Dana Whitlock (Recruiter)``, else None."""
    stated = [bare(label), *(fold(part) for part in re.findall(r"[(\[]([^)\]]*)[)\]]", label))]
    for text in stated:
        word = re.sub(r"[ _#-]*\d+$", "", text)
        if word in _INTERVIEWER:
            return "interviewer"
        if word in _CANDIDATE:
            return "candidate"
    return None


def label_roles(labels: Iterable[str]) -> dict[str, str]:
    """Return the role that each label states; single letters count only in pairs (Q/A, I/C, I/P)."""
    labels = list(labels)
    letters = {bare(label) for label in labels}
    pair = next((pair for pair in _PAIRS if set(pair) <= letters), {})
    roles = {label: label_role(label) or pair.get(bare(label)) for label in labels}
    return {label: role for label, role in roles.items() if role is not None}


def is_generic(label: str) -> bool:
    """Return whether a label names no person (``Speaker 1``, ``Interviewer``)."""
    return bool(_GENERIC.fullmatch(bare(label))) or label_role(bare(label)) is not None or len(bare(label)) == 1


def plausible(label: str) -> bool:
    """Return whether a label could name a speaker: up to five capitalised words, a role, an address or a number."""
    clean = collapse(re.sub(r"\([^)]*\)|\[[^\]]*\]", " ", label)).strip("*")
    if not clean or fold(clean) in _NOT_SPEAKERS:
        return False
    if is_generic(clean) or re.fullmatch(r"\S+@\S+\.\S+|\+?[\d ()*-]{7,}", clean):
        return True
    words = clean.replace(",", " ").split()
    if not 1 <= len(words) <= 5 or re.search(r"[.?!;]\s|[?!;]$", clean):
        return False
    return all(word[0].isupper() or word[0] in "[#" or fold(word) in _PARTICLES or word == "|" for word in words)


def split_label(line: str, names: Set[str]) -> tuple[str | None, str]:
    """Return (speaker, text) of a line; the speaker is None unless its label is among `names` (folded)."""
    match = _LABEL.match(line)
    if match is None or fold(match[1]) not in names:
        return None, line
    return collapse(match[1]), (match[2] or "").strip()


def labels_in(lines: Iterable[str]) -> list[tuple[str, str]]:
    """Return (label, text) for the lines that begin with a plausible label and a colon."""
    matches = (_LABEL.match(line) for line in lines)
    return [(collapse(m[1]), (m[2] or "").strip()) for m in matches if m is not None and plausible(m[1])]


def names_in(lines: list[str]) -> frozenset[str]:
    """Return the labels (folded) that are speakers in lines of speech, such as the cues of a recording.

    If half of the lines begin with a plausible label, all of these are speakers; else those that come twice or are
    generic.
    """
    found = [label for label, _ in labels_in(lines)]
    counts = Counter(fold(label) for label in found)
    if 2 * len(found) >= len(lines):
        return frozenset(counts)
    return frozenset(label for label, count in counts.items() if count > 1 or is_generic(label))


def conversation_names(lines: list[str]) -> frozenset[str]:
    """Return the labels (folded) that are speakers in a text that may be notes; empty if it is no conversation.

    It is one if a label comes twice, if what a label says is a question, or if a label states a role or names a generic
    speaker and says a sentence. Notes have labels too, each of them once: ``Pay: too low``, ``Candidate: K001``.
    """
    found = labels_in(lines)
    counts = Counter(fold(label) for label, _ in found)
    talk = (
        any(count > 1 for count in counts.values())
        or (len(counts) > 1 and any(text.endswith("?") for _, text in found))
        or any(is_generic(label) and text.endswith((".", "!", "?", "…")) for label, text in found)
    )
    if not talk:
        return frozenset()
    if 2 * len(found) >= len(lines):
        return frozenset(counts)
    return frozenset(label for label, count in counts.items() if count > 1 or is_generic(label) or " " in label)


def split_topic(line: str) -> tuple[str | None, str]:
    """Return (topic, text) of a line of notes such as ``Pay: too low``; the topic is None if it has none."""
    match = _LABEL.match(line)
    if match is None or not match[2] or not (plausible(match[1]) or fold(match[1]) in _NOT_SPEAKERS):
        return None, line
    return collapse(match[1]), match[2].strip()

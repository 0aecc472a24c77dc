"""Who of the speakers is the candidate.

In: turns with speakers as the file has them, and the names that the metadata has. Out: the same turns with
`speaker_role` and `role_basis`. What cannot be decided by name or label is marked as doubtful, or left missing; nothing
is guessed in silence.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import pandas as pd

from declinethemes.ingest.speakers import bare, is_generic, label_roles, words

_TITLES = words("mr,mrs,ms,miss,mx,dr,prof,professor,sir,dame,herr,frau")
_QUESTION = re.compile(
    r"\?|(?:^|[.!]\s+)(?:what|why|how|when|where|who|which|did|do|does|were|was|could|would|can|tell me)\b",
    re.IGNORECASE,
)
_FULL, _INITIAL, _FIRST, _NONE = 3, 2, 1, 0


def assign_roles(
    turns: pd.DataFrame, candidate_names: Iterable[str] = (), other_names: Iterable[str] = ()
) -> pd.DataFrame:
    """Decide which speaker of one document is the candidate.

    Parameters
    ----------
    turns : pandas.DataFrame
        The turns of one document; headings and notes keep their roles.
    candidate_names : iterable of str
        Full name and nicknames of the candidate.
    other_names : iterable of str
        Names of interviewers and recruiters.

    Returns
    -------
    pandas.DataFrame
        A copy with `speaker_role` and `role_basis`, decided by the first of these that gives an answer: the candidate's
        name (``name``; a first name only if no other speaker shares it), a label (``label``), the names of all the
        others (``name``), there is one speaker (``only speaker (doubtful)``), who asks less and talks more (``talk
        (doubtful)``). Whoever is not the candidate is an interviewer. Turns without a speaker get no role, and so
        does a speaker who shares the first name of the candidate found by full name.

    Examples
    --------
    >>> from declinethemes.ingest.cues import Cue, to_turns
    >>> talk = to_turns([Cue(speaker="Dana", text="Why?"), Cue(speaker="K. Osei", text="Pay.")], "a.txt")
    >>> assign_roles(talk, ["Kofi Osei"])["speaker_role"].tolist()
    ['interviewer', 'candidate']
    """
    out = turns.copy()
    spoken = out["speaker"].notna() & ~out["role_basis"].isin(["heading", "note"]).fillna(False).astype(bool)
    speakers = list(dict.fromkeys(out.loc[spoken, "speaker"].astype(str)))
    if not speakers:
        return out
    roles, basis = _decide(out[spoken], speakers, list(candidate_names), list(other_names))
    for speaker in speakers:
        at = spoken & (out["speaker"] == speaker).fillna(False)
        out.loc[at, "speaker_role"] = roles.get(speaker, pd.NA)
        out.loc[at, "role_basis"] = basis if speaker in roles else pd.NA
    return out


def _decide(
    talk: pd.DataFrame, speakers: list[str], candidate_names: list[str], other_names: list[str]
) -> tuple[dict[str, str], str]:
    """Return the roles of the speakers that have one, and what decided."""
    scores = {speaker: _likeness(speaker, candidate_names) for speaker in speakers}
    best = max(scores.values())
    found = [speaker for speaker in speakers if scores[speaker] == best]
    namesakes = [speaker for speaker in speakers if _parts(speaker)[:1] == _parts(found[0])[:1]]
    shared = len(found) > 1 or (best == _FIRST and len(namesakes) > 1)
    if best == _FULL or (best > _NONE and not shared):
        unclear = {speaker for speaker in speakers if _NONE < scores[speaker] < best}
        return {s: "candidate" if s in found else "interviewer" for s in speakers if s not in unclear}, "name"
    stated = label_roles(speakers)
    if "candidate" in stated.values():
        return {s: stated.get(s, "interviewer") for s in speakers}, "label"
    others = {s for s in speakers if stated.get(s) == "interviewer" or _likeness(s, other_names) > _NONE}
    left = [speaker for speaker in speakers if speaker not in others]
    known = "label" if others and others <= stated.keys() else "name"
    if not left:
        return dict.fromkeys(speakers, "interviewer"), known
    if len(left) == 1:
        basis = known if others else "only speaker (doubtful)"
        return {s: "candidate" if s == left[0] else "interviewer" for s in speakers}, basis
    chosen = _by_talk(talk, left)
    if chosen is None:
        return dict.fromkeys(others, "interviewer"), known
    return {s: "candidate" if s == chosen else "interviewer" for s in speakers}, "talk (doubtful)"


def _by_talk(talk: pd.DataFrame, speakers: list[str]) -> str | None:
    """Return the speaker with the greatest share of words less share of questions, None if two are equal."""
    words = {s: sum(len(text.split()) for text in talk.loc[talk["speaker"] == s, "text"]) for s in speakers}
    asked = {s: sum(len(_QUESTION.findall(text)) for text in talk.loc[talk["speaker"] == s, "text"]) for s in speakers}
    all_words, all_asked = max(sum(words.values()), 1), max(sum(asked.values()), 1)
    score = {s: words[s] / all_words - asked[s] / all_asked for s in speakers}
    ranked = sorted(speakers, key=lambda s: -score[s])
    return None if score[ranked[0]] == score[ranked[1]] else ranked[0]


def _parts(name: str) -> list[str]:
    """Return the folded parts of a name in speaking order, titles and brackets left out."""
    clean = bare(re.split(r"\s[|–—-]\s", name)[0])
    if clean.count(",") == 1:
        last, first = clean.split(",")
        clean = f"{first} {last}"
    return [part for part in re.split(r"[\s._]+", clean) if part and part not in _TITLES]


def _likeness(speaker: str, names: Iterable[str]) -> int:
    """Return how well a speaker's label fits the best of the names: full, initial and last name, first name, or not."""
    if is_generic(speaker):
        return _NONE
    said = _parts(speaker.split("@")[0])
    return max((_fits(said, _parts(name)) for name in names), default=_NONE)


def _fits(said: list[str], name: list[str]) -> int:
    if not said or not name:
        return _NONE
    if said == name or (len(said) > 1 and len(name) > 1 and (said[0], said[-1]) == (name[0], name[-1])):
        return _FULL
    if len(said) > 1 and len(name) > 1:
        initial = len(said[0]) == 1 and said[0] == name[0][0] and said[-1] == name[-1]
        cut = len(said[-1]) == 1 and said[-1] == name[-1][0] and said[0] == name[0]
        return _INITIAL if initial or cut else _NONE
    return _FIRST if said[0] == name[0] else _NONE

"""Leading questions: which of an interviewer's questions tell the candidate what to answer.

In: the text of an interviewer's turn, and what the candidate had said before. Out: its questions, each with the kind of
lead that was found, or none. The rules look at words alone: nothing is learnt, and tone is not heard. What the
candidate had already said is theirs: asking it back is checking, not leading.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

KINDS = {
    "seeks agreement": "a statement with a tag that asks for a yes (right?, wasn't it?, wouldn't you say?)",
    "argues": "defends, corrects or sells (but we did ..., in fairness ...)",
    "presumes": "a reason or a judgement that the candidate has not given (so it was the money?, I take it ...)",
    "offers an answer": "the answer comes with the question (the pay or the location?, how many, six?)",
    "negative": "only one answer is polite (didn't you like ...?, no problems then?)",
}
"""The kinds, in the order in which they are looked for, and what each is."""

_AUX = r"(?:is|are|was|were|do|does|did|has|have|had|would|could|should|can|will|ca|wo)(?:n['’]?t|nt)?"
_NOT = r"(?:is|are|was|were|do|does|did|has|have|had|would|could|should|ca|wo)n['’]?t"
_WHO = r"(?:it|you|they|we|he|she|that|there|this)"
_WH = r"(?:what|how|why|when|where|who|which)"
_NO_WH = rf"^(?!.*\b{_WH}\b)"
_START = r"^(?:(?:and|so|but|okay|ok|well|right|now|then|um|uh|oh|yeah|fine|great|thanks)\b[\s,.!]*)*"
_GUESS = (
    r"\bI(?:['’]d)? (?:\w+ )?(?:assume|take it|suppose|guess|imagine|expect|bet|gather|presume|trust|have thought)\b|"
    r"\b(?:presumably|obviously|surely|let me guess|of course|no doubt)\b|, I hope\b|\bsounds like you\b|"
    r"\byou(?:['’]d| would)? (?:must have|probably|surely|clearly)\b|\bI(?:['’]m| am) sure\b"
)
_BAD = (
    r"(?:slow|low(?! (?:one|point|moment))|bad|poor|rude|(?:a )?mess|messy|pointless|awful|terrible|dreadful|boring|"
    r"bloated|brutal|grim|unhappy|annoyed|frustrat(?:ed|ing)|disappoint(?:ed|ing)|(?:a )?disappointment|confusing|"
    r"chaotic|un(?:prepared|professional|fair|comfortable|reasonable)|samey|put off|too \w+)"
)
_GOOD = r"(?:fine|good|great|better|nice|lovely|fair|friendly|decent|all right|okay)"
_FELT = (
    r"(?:liked?|loved?|hated?|felt|feel|found|wanted|desperate|happy|unhappy|okay with|fine with|comfortable|upset|"
    r"angry|understood|enjoyed|preferred|worried|excited|bothered|made up your mind|never|only)"
)
_CAUSE = r"(?:because|due to|down to|on account of)"
_REASON = r"(?:reason|deal[- ]?breaker|problem|issue|killer|main thing|sticking point|excuse)"
_NUMBER = r"(?:one|two|three|four|five|six|seven|eight|nine|ten|twelve|\d+)"
_WHAT = r"(?:what|which|who)\b.*\b(?:was|is|be|been|got|put|kept|made|stopped|decided|settled|bothered)"
_TROUBLE = r"(?:problems?|issues?|complaints?|worries|trouble|business|rumours?|regrets?)"

_RULES: Mapping[str, tuple[str, ...]] = {
    "seeks agreement": (
        r", (?:right|correct|yeah|yes|no|eh|huh|okay|agreed|true)\?$",
        rf"{_NO_WH}(?!{_AUX}\b).* (?<!all )(?:right|correct|yeah)\?$",
        r"\b(?:am I right|is that fair|(?:is|was) that it|that['’]s the story|you['’]d agree|you too)\b",
        rf"^(?!.*\b{_WH}\b[^,]*$).+[ ,]{_NOT} {_WHO}(?: \w+)?\?$",
        rf", {_AUX} {_WHO}(?: not)?\?$|, would you say\?$",
        rf"\b(?:{_NOT} you (?:say|think|feel|agree|find)|would you agree|would it be fair|is it true)\b",
        r"\bwould you say (?:it|that|we|they) (?:was|is|were|are)\b|\byou (?:can|could) see (?:why|that|how)\b",
    ),
    "argues": (
        r"\bbut (?:if|we|you did|you only|our|honestly|to be fair)\b|\bin fairness\b|\bto be fair to\b|^but .*, no\?$",
        r"^(?:and |well,? )?we did\b|\bwe(?:['’]re| are) (?:actually|very|really)\b",
        r"\b(?:our|ours|we) .*\bbetter than (?:they|them|their)|\bdidn['’]t (?:we|the \w+) (?:tell|say|explain)\b",
    ),
    "presumes": (
        rf"{_NO_WH}(?!.* or ).*(?:{_GUESS})",
        rf"\b(?:was|is) (?:it|that|this|the reason)(?: \w+)? {_CAUSE}\b|\bwas the reason that\b",
        rf"\b(?:declined?|turn(?:ed)? (?:us|it|the offer) down|sa(?:y|id) no|leave)\b.* {_CAUSE}\b",
        rf"{_NO_WH}.*\bwas (?:it|that|this) (?:(?:just|really|only|"
        r"mostly|mainly|simply|all) )*(?:that|about|a matter)\b(?!,)",
        r"\bwas it the [\w-]+(?: \w+)? that (?:settled|decided|did|put|made)\b|^so basically\b",
        rf"{_START}it was\b|{_NO_WH}.*\b(?:was|were|is|be) (?:really |just )?(?:the|a) {_REASON}\b",
        rf"\bhow {_BAD}\b|\bwhat made .* (?:seem|so {_BAD})\b",
        rf"{_START}(?:[\w ]+, )?(?:was|were|is|are|did) (?:\w+ ){{1,4}}{_BAD}\b",
        rf"{_START}(?:the [\w ]+?|[\w ]+, (?:they|it)) (?:was|were|is|are) (?:\w+ )?(?:{_BAD}|{_GOOD})\b",
        rf"{_START}you(?:['’]d|['’]re| were| are| would)? (?:\w+ )?{_FELT}\b|^so,? (?:then )?you (?!know)",
    ),
    "offers an answer": (
        rf"{_NO_WH}(?:[\w ]+, |.*so )?(?:in the end )?(?:was it|it was) (?!\w+ (?:for|that) you).{{2,40}} or\b",
        rf"{_START}did you (?:choose|pick|take|go|decline|leave|say no)\b.* or\b",
        r"\bwas it the \w+\? the\b|, what, \w+|, the \w+ maybe\?$|\bbecause of what, ",
        rf"\bhow (?:many|long|much)\b[^,]*, (?:about |maybe )?{_NUMBER}\b[^,]{{0,12}}\?$",
        rf"^[^,]*\b{_WHAT}\b[^,]*,(?: then,)? (?:the|a|an|that|your|one of) \w+(?: \w+)?\?$",
        rf"^(?:[^,]*, )?(?:felt )?(?:\w+ )?(?:{_BAD}|\w+er than (?:us|ours|them|theirs)|better \w+)\?$",
        r"\bwould (?:more|fewer|just|a (?:bigger|higher|better)) .*\b(?:done|swung|made|changed|helped)\b",
    ),
    "negative": (
        rf"{_START}{_NOT} (?:you|we|they|it|the|that|their|our)\b|^not (?:the|because|about)\b",
        rf"\bno (?:\w+ )?{_TROUBLE}\b|^(?:\w+ )?any(?:thing)? (?:{_BAD}|discomfort|decent)\b",
        r"\byou (?:weren|didn|don|haven)['’]?t\b|\byou never\b",
        r"\b(?:nobody|nothing|no one) (?:said|did|happened|was|we)\b.*(?:then|really|I (?:hope|trust))\?$",
    ),
}
_COMPILED = [(kind, re.compile(rule, re.IGNORECASE)) for kind, rules in _RULES.items() for rule in rules]
_BALANCED = re.compile(
    r"\b(?:better or worse|worse or better|more or less|less or more|good or bad|bad or good|well or badly|up or down|"
    r"fast or slow|slow or fast|quick, slow|(?:short|long|small|bigg|larg)er or (?:short|long|small|bigg|larg)er|"
    r"high or low|easier or harder|harder or easier|positive or negative|fair or unfair|or not|or about right|"
    r"before or after|too \w+(?:,|,? or) too \w+|or too \w+|(?:they|them) better or (?:we|us))\b",
    re.IGNORECASE,
)
_END = re.compile(r"(?<=[.!?…])[\"'”’)]*\s+")
_TAG = re.compile(r"(?:is |was )?(?:right|correct|yeah|yes|no|eh|agreed|that (?:it|fair|so)|true)\?", re.IGNORECASE)
_INVITES = re.compile(_GUESS, re.IGNORECASE)
_UNPUNCTUATED = re.compile(
    rf"{_START}(?:{_WH}|whose|tell me|{_AUX} \w+)\b.*\w$|\b(?:{_NOT} {_WHO}|(?:was|is) that it|am I right)$",
    re.IGNORECASE,
)
_NO_ANSWER = re.compile(
    rf"{_START}(?:{_WH}|{_AUX}|the|for|in|at|from|with|by|on|per|you|any\w*|really|again|.*, )\b", re.IGNORECASE
)
_FRAGMENT = 4  # words up to which a question right after another is an answer to it
# No lead in the candidate's own words, or where both ways are named.
_ECHOED = ("seeks agreement", "presumes", "offers an answer")
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?|\d+")
_COMMON = """
a about again all also am an and any are as at be because been but by can correct could did do does expect fair
for from get got guess had has have he her him his how i if imagine in into is it its just kind like main me mean
more most my no not now of off ok okay on one only or our out over problem really reason right say she so some
something sort suppose assume take than that the their them then there they thing this those to too true up us
very was we well were what when where which who why will with would yeah yes you your
"""
_EMPTY = frozenset(_COMMON.split())


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One question of an interviewer: its text, and the kind of lead that was found in it, or None."""

    text: str
    kind: str | None


def find_questions(turn: str, before: str = "") -> list[Asked]:
    """Return the questions of one turn of an interviewer.

    Parameters
    ----------
    turn : str
        What the interviewer said, uninterrupted.
    before : str
        What the candidate had said in the call up to then.

    Returns
    -------
    list of Asked
        Sentences that end in a question mark, statements that invite a yes (*I take it ...*), and turns without
        punctuation that begin like a question.

    Examples
    --------
    >>> [asked.kind for asked in find_questions("Okay. So it was the money then? What else?")]
    ['presumes', None]
    >>> find_questions("So it was the money then?", before="Mostly the money, to be honest.")[0].kind is None
    True
    """
    out: list[Asked] = []
    argued = False
    for text, asks, follows in _sentences(turn):
        if not asks:
            argued = argued or _kind(text) == "argues"
            continue
        kind = _kind(text) or ("argues" if argued else None)
        if kind is None and follows and len(text.split()) <= _FRAGMENT and not _NO_ANSWER.match(text):
            kind = "offers an answer"
        if kind in _ECHOED and (own := _stems(text)) and set(_stems(before)).issuperset(own):
            kind = None
        out.append(Asked(text=text, kind=kind))
    return out


def _sentences(turn: str) -> Iterator[tuple[str, bool, bool]]:
    """Yield (text, is a question, follows a question at once); a bare tag goes with the statement before it."""
    merged: list[str] = []
    for text in (part.strip() for part in _END.split(turn)):
        if merged and _TAG.fullmatch(text) and not merged[-1].endswith("?"):
            merged[-1] = f"{merged[-1].rstrip('.!… ')}, {text[0].lower()}{text[1:]}"
        elif text:
            merged.append(text)
    follows = False
    for text in merged:
        asks = text.endswith("?") or any(cue.search(text) for cue in (_INVITES, _UNPUNCTUATED))
        yield text, asks, follows
        follows = text.endswith("?")


def _kind(text: str) -> str | None:
    """Return the kind of lead of the first rule that fits, or None."""
    plain = text if text.endswith("?") else f"{text.rstrip('.!… ')}?"
    balanced = bool(_BALANCED.search(plain))
    for kind, rule in _COMPILED:
        if not (balanced and kind in _ECHOED) and rule.search(plain):
            return kind
    return None


def _stems(text: str) -> list[str]:
    """Return the first five letters of the words that carry meaning."""
    return [word[:5] for word in _WORD.findall(text.lower()) if word not in _EMPTY]

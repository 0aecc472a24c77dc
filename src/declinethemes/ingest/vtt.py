"""WebVTT, as Teams, Zoom, Meet and captioning tools write it.

In: the text of a .vtt file. Out: cues with speaker, seconds and text. Speakers come from ``<v Name>`` tags, closed or
not, or from ``Name: text``. Cue ids, NOTE, STYLE and REGION blocks and styling tags are left out.
"""

from __future__ import annotations

import html
import re

from declinethemes.errors import InputError
from declinethemes.ingest.cues import Cue, Reading, collapse, seconds
from declinethemes.ingest.speakers import names_in, split_label

_TIMING = re.compile(
    r"^\s*((?:\d+:)?\d{1,2}:\d{2}(?:[.,]\d{1,3})?)\s*-->\s*((?:\d+:)?\d{1,2}:\d{2}(?:[.,]\d{1,3})?)(?:\s.*)?$"
)
_VOICE = re.compile(r"<v(?:\.[^\s>]*)?(?:\s+([^>]*))?>|</v>", re.IGNORECASE)
_TAG = re.compile(r"</?(?:c|i|b|u|ruby|rt|lang)(?:[.\s][^>]*)?>|<(?:\d+:)?\d{1,2}:\d{2}\.\d{3}>", re.IGNORECASE)
_OTHER_BLOCKS = ("NOTE", "STYLE", "REGION", "WEBVTT")


def read_vtt(text: str, name: str) -> Reading:
    """Return the cues of a WebVTT text.

    Parameters
    ----------
    text : str
        The whole file.
    name : str
        Name of the file, for messages.

    Raises
    ------
    InputError
        There is no cue with text.
    """
    blocks = timed_blocks(text)
    voiced = [(start, end, speaker, words) for start, end, payload in blocks for speaker, words in _voices(payload)]
    cues = label_cues(voiced)
    if not cues:
        what = "a header and no cue" if text.lstrip().startswith("WEBVTT") else "no cue"
        raise InputError(f"{name}: {what} found in a .vtt; cues are 'start --> end' lines followed by text")
    notes = () if text.lstrip().startswith("WEBVTT") else ("no WEBVTT line at the top; read all the same",)
    return Reading(cues=cues, notes=(*notes, *speaker_notes(cues)))


def timed_blocks(text: str) -> list[tuple[float, float, str]]:
    """Return (start, end, payload) for every timing line; a payload ends at a blank line or the next timing line."""
    lines = text.split("\n")
    blocks: list[tuple[float, float, list[str]]] = []
    open_cue = skipping = False
    for number, line in enumerate(lines):
        timing = _TIMING.match(line)
        if not line.strip():
            open_cue = skipping = False
        elif timing and not skipping:
            start, end = seconds(timing[1]), seconds(timing[2])
            blocks.append((start or 0.0, end or 0.0, []))
            open_cue = True
        elif open_cue:
            following = lines[number + 1] if number + 1 < len(lines) else ""
            is_id = line.strip().isdigit() and _TIMING.match(following)
            if not is_id:  # an id right before the next timing line: the blank line between two cues is missing
                blocks[-1][2].append(line)
        elif line.split()[0] in _OTHER_BLOCKS:
            skipping = True
    return [(start, end, "\n".join(payload)) for start, end, payload in blocks]


def label_cues(voiced: list[tuple[float, float, str | None, str]]) -> list[Cue]:
    """Return cues; where no voice tag names the speaker, ``Name: text`` does if the file as a whole looks like that."""
    names = names_in([words for _, _, speaker, words in voiced if speaker is None])
    cues = []
    for start, end, tagged, words in voiced:
        speaker, said = (tagged, words) if tagged else split_label(words, names)
        if said:
            cues.append(Cue(text=said, speaker=speaker, start_s=start, end_s=end))
    return cues


def speaker_notes(cues: list[Cue]) -> tuple[str, ...]:
    """Return a note if some or all cues name no speaker."""
    without = sum(cue.speaker is None for cue in cues)
    if not without:
        return ()
    which = "no cue names" if without == len(cues) else f"{without} of {len(cues)} cues do not name"
    return (f"{which} a speaker",)


def _voices(payload: str) -> list[tuple[str | None, str]]:
    """Return (speaker, text) for each voice in one cue."""
    parts: list[tuple[str | None, str]] = []
    speaker: str | None = None
    position = 0
    for tag in [*_VOICE.finditer(payload), None]:
        words = _plain(payload[position : tag.start() if tag else len(payload)])
        if words:
            parts.append((speaker, words))
        if tag:
            speaker = collapse(html.unescape(tag[1] or "")) or None
            position = tag.end()
    return parts


def _plain(text: str) -> str:
    return collapse(html.unescape(_TAG.sub("", text)))
